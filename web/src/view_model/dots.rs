//! The last requests as dots on the links, slowed down: each travels the legs that its trace says it travelled.

use crate::view_model::topology::Layout;
use sandbox_core::ids::{NodeId, RequestId};
use sandbox_core::trace::{Outcome, Record, Status, What};
use std::rc::Rc;

/// How many requests are shown.
pub const SHOWN: usize = 30;
/// How long a dot takes for a link, in seconds at the wall.
pub const LEG_S: f64 = 0.5;
/// How long it stays at a part between two links.
const STAY_S: f64 = 0.12;

/// How a dot looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A request, or a good answer to one: a filled dot.
    Request,
    /// A stale answer: a ring.
    Stale,
    /// A refusal or an error: a diamond.
    Failed,
}

/// A way from one part to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    from: NodeId,
    to: NodeId,
    look: Look,
}

/// The legs of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// Whose.
    pub request: RequestId,
    /// In order.
    pub legs: Vec<Leg>,
}

impl Journey {
    fn length_s(&self) -> f64 {
        self.legs.len() as f64 * (LEG_S + STAY_S)
    }
}

/// The journeys of the requests in these records, as far as they are in them: the last [`SHOWN`] that have ended, and where there are
/// fewer, those that are still under way.
pub fn journeys<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Rc<Journey>> {
    let mut open: Vec<(Journey, Vec<bool>)> = Vec::new();
    let mut done = Vec::new();
    for record in records {
        if record.request == RequestId::NONE {
            continue;
        }
        let place = open.iter().position(|(journey, _)| journey.request == record.request);
        let place = place.unwrap_or_else(|| {
            open.push((Journey { request: record.request, legs: Vec::new() }, Vec::new()));
            open.len() - 1
        });
        let (journey, back) = &mut open[place];
        // The answer belongs to the last call of this node that has none yet.
        let mut answer = |node: NodeId, look: Look| {
            let call = (0..journey.legs.len()).rev().find(|index| journey.legs[*index].from == node && !back[*index]);
            if let Some(call) = call {
                back[call] = true;
                journey.legs.push(Leg { from: journey.legs[call].to, to: node, look });
                back.push(true);
            }
        };
        match record.what {
            What::Called { to, .. } => {
                journey.legs.push(Leg { from: record.node, to, look: Look::Request });
                back.push(false);
            }
            What::Received { status } => answer(record.node, look_of(status)),
            What::Answered { outcome, .. } => {
                match outcome {
                    Outcome::Ok => answer(record.node, Look::Request),
                    Outcome::OkStale => answer(record.node, Look::Stale),
                    Outcome::ClientTimeout | Outcome::Cancelled => {}
                    _ => answer(record.node, Look::Failed),
                }
                let (journey, _) = open.remove(place);
                if !journey.legs.is_empty() {
                    done.push(Rc::new(journey));
                }
            }
            _ => {}
        }
    }
    done.drain(..done.len().saturating_sub(SHOWN));
    let mut under_way: Vec<_> = open.into_iter().filter(|(journey, _)| !journey.legs.is_empty()).collect();
    under_way.drain(..under_way.len().saturating_sub(SHOWN - done.len()));
    under_way.into_iter().map(|(journey, _)| Rc::new(journey)).chain(done).collect()
}

fn look_of(status: Status) -> Look {
    match status {
        Status::Ok => Look::Request,
        Status::Stale => Look::Stale,
        _ => Look::Failed,
    }
}

/// A dot at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Centre.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// Form and colour.
    pub look: Look,
}

/// The dots under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    travellers: Vec<(Rc<Journey>, f64)>,
    newest: Option<RequestId>,
}

impl Flow {
    /// Shows these journeys at rest, each at another place of its way: after a jump, and when nothing may move.
    pub fn reset(&mut self, journeys: &[Rc<Journey>]) {
        self.newest = journeys.iter().map(|journey| journey.request).max();
        let count = journeys.len() as f64;
        // Neighbours in time get places far apart (golden ratio), so that a short list does not gather on one link.
        let place = |index: usize| (index as f64 * 0.618_034 + 0.5 / count).fract();
        self.travellers = journeys
            .iter()
            .enumerate()
            .map(|(index, journey)| (journey.clone(), place(index) * journey.length_s()))
            .collect();
    }

    /// Lets all dots travel for `wall_s` seconds; who has arrived makes room for a newer request.
    pub fn advance(&mut self, wall_s: f64, journeys: &[Rc<Journey>]) {
        if self.travellers.is_empty() {
            return self.reset(journeys);
        }
        for (_, progress) in &mut self.travellers {
            *progress += wall_s;
        }
        self.travellers.retain(|(journey, progress)| *progress < journey.length_s());
        let newest = self.newest;
        let fresh = journeys.iter().filter(|journey| newest.is_none_or(|newest| journey.request > newest));
        let room = SHOWN.saturating_sub(self.travellers.len());
        // Who starts together does not stay together: the first link is entered one after the other.
        let arriving: Vec<_> = fresh.rev().take(room).cloned().collect();
        for (index, journey) in arriving.into_iter().rev().enumerate() {
            self.newest = self.newest.max(Some(journey.request));
            self.travellers.push((journey, -(index as f64) * 0.11));
        }
    }

    /// Where the dots are.
    pub fn dots(&self, layout: &Layout) -> Vec<Dot> {
        self.travellers.iter().filter_map(|(journey, progress)| dot(journey, *progress, layout)).collect()
    }
}

fn dot(journey: &Journey, progress: f64, layout: &Layout) -> Option<Dot> {
    if progress < 0.0 {
        return None;
    }
    let leg = journey.legs.get((progress / (LEG_S + STAY_S)) as usize)?;
    let share = (progress % (LEG_S + STAY_S)) / LEG_S;
    if share > 1.0 {
        return None;
    }
    let (link, backwards) = layout.link(leg.from, leg.to)?;
    let (x, y) = link.point(if backwards { 1.0 - share } else { share });
    Some(Dot { x, y, look: leg.look })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::testing::plan;
    use sandbox_core::ids::{RouteId, Seq};
    use sandbox_core::time::{Span, Time};

    fn record(request: u32, node: NodeId, what: What) -> Record {
        let (at, seq) = (Time::ZERO, Seq::new(0));
        Record { at, seq, node, request: RequestId(request), what, cause: None, follows: None }
    }

    #[test]
    fn a_journey_goes_there_and_back() {
        let plan = plan("B");
        let node = |id: &str| plan.node(id).unwrap();
        let (users, gateway, api) = (node("users"), node("gateway"), node("api-1"));
        let trace = [
            record(4, users, What::Intended { route: RouteId(0), key: 1, user: 1 }),
            record(4, users, What::Called { to: gateway, attempt: 1 }),
            record(5, users, What::Intended { route: RouteId(0), key: 2, user: 1 }),
            record(4, gateway, What::Called { to: api, attempt: 1 }),
            record(4, gateway, What::Received { status: Status::Stale }),
            record(4, users, What::Answered { outcome: Outcome::OkStale, latency: Span::from_millis(2) }),
        ];
        let found = journeys(&trace);
        assert_eq!(found.len(), 1, "request 5 has gone nowhere yet");
        let legs: Vec<_> = found[0].legs.iter().map(|leg| (leg.from, leg.to, leg.look)).collect();
        assert_eq!(
            legs,
            [
                (users, gateway, Look::Request),
                (gateway, api, Look::Request),
                (api, gateway, Look::Stale),
                (gateway, users, Look::Stale)
            ]
        );
        let under_way = journeys(&trace[3..5]);
        assert_eq!(under_way.len(), 1, "it is seen, though it began before and has not ended");
        assert_eq!(under_way[0].legs, found[0].legs[1..3]);
        let layout = Layout::new(&plan, (626.0, 376.0));
        let mut flow = Flow::default();
        flow.reset(&found);
        flow.advance(10.0, &found);
        assert_eq!(flow.dots(&layout), [], "who has arrived is gone, and no request is shown twice");
    }
}
