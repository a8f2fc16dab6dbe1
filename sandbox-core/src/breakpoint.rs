//! Breakpoints: what somebody wants to stop at, be it something that happens or a number that is reached.
//!
//! ```text
//! breakpoint := fact { "," fact } | claim
//! fact       := "node" "=" id | "route" "=" name | "request" "=" number | "event" "=" kind
//! ```
//!
//! `node=api, event=timed_out` stops at each record of that kind there; names are those of the scenario, kinds those of `--trace`, and a
//! node is an instance or all of a group. A claim, such as `http_error_ratio.mean > 0.05`, is asked of each second: it stops where one
//! begins in which it holds, after one in which it does not.

use crate::claim::{Claim, Side};
use crate::ids::{NodeId, RequestId, RouteId};
use crate::metrics::{Folds, Run, ask};
use crate::scenario::{Plan, Query, RECORD_KINDS, Window, unknown};
use crate::time::Time;
use crate::trace::Record;

/// Records that are looked at together.
const AT_ONCE: u32 = 4_096;

/// What somebody wants to stop at.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakpoint(Condition);

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Happens(Event),
    Holds(Claim),
}

/// What a record has to be; what is none may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
struct Event {
    nodes: Option<Vec<NodeId>>,
    route: Option<RouteId>,
    request: Option<RequestId>,
    code: Option<u16>,
}

/// Where a breakpoint is met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// Just after this step, which was about this request, if any.
    Step(u64, RequestId),
    /// Where this second begins.
    Second(Time),
}

impl Breakpoint {
    /// Reads one for a run of this plan. Errors: what is not understood, in a sentence, and what there is.
    pub fn parse(plan: &Plan, text: &str) -> Result<Breakpoint, String> {
        let is_claim = ["<", ">", "==", " in "].iter().any(|sign| text.contains(sign));
        let condition =
            if is_claim { claim(plan, text).map(Condition::Holds) } else { event(plan, text).map(Condition::Happens) };
        condition.map(Breakpoint)
    }

    /// Where it is met next after the run's cursor, at which it is this instant: at or after that of the latest step.
    pub fn next(&self, run: &mut Run, now: Time) -> Option<Stop> {
        let here = run.position();
        match &self.0 {
            Condition::Happens(event) => {
                (here.records..run.record_count()).step_by(AT_ONCE as usize).find_map(|from| {
                    let records = run.records(from..from + AT_ONCE);
                    let met = records.iter().find(|logged| event.is(&logged.record, run.folds()))?;
                    Some(Stop::Step(met.step, met.record.request))
                })
            }
            Condition::Holds(claim) => begins(claim, run).find(|at| *at > now).map(Stop::Second),
        }
    }

    /// Where it was met last before the run's cursor, at which it is this instant.
    pub fn previous(&self, run: &mut Run, now: Time) -> Option<Stop> {
        let here = run.position();
        match &self.0 {
            Condition::Happens(event) => (0..here.records).rev().step_by(AT_ONCE as usize).find_map(|last| {
                let records = run.records((last + 1).saturating_sub(AT_ONCE)..last + 1);
                let is_met = |step: u64, record: &Record| step < here.step && event.is(record, run.folds());
                let met = records.iter().rev().find(|logged| is_met(logged.step, &logged.record))?;
                Some(Stop::Step(met.step, met.record.request))
            }),
            Condition::Holds(claim) => begins(claim, run).take_while(|at| *at < now).last().map(Stop::Second),
        }
    }
}

impl Event {
    fn is(&self, record: &Record, folds: &Folds) -> bool {
        let on_route = |route| folds.request(record.request).is_some_and(|request| request.route == route);
        self.nodes.as_ref().is_none_or(|nodes| nodes.contains(&record.node))
            && self.request.is_none_or(|request| record.request == request)
            && self.code.is_none_or(|code| record.what.code() == code)
            && self.route.is_none_or(on_route)
    }
}

/// The seconds that begin a time in which a claim holds.
fn begins(claim: &Claim, run: &Run) -> impl Iterator<Item = Time> {
    let seconds = run.folds().rows().len() as u32;
    let holds = move |from: u32| {
        let value = |side: &Side| match side {
            Side::Number(number) => Some(*number),
            Side::Query(times, query) => {
                let asked = Query { window: Some(Window { from, to: from + 1 }), ..query.clone() };
                ask(run.plan(), run.folds(), &asked).ok().flatten().map(|value| value * times)
            }
        };
        claim.holds(value(&claim.left), value(&claim.right()))
    };
    let begins = move |second: &u32| holds(*second) && (*second == 0 || !holds(*second - 1));
    (0..seconds).filter(begins).map(|second| Time::from_seconds(f64::from(second)))
}

/// A claim that can be asked of each second.
fn claim(plan: &Plan, text: &str) -> Result<Claim, String> {
    let claim = Claim::parse(text)?;
    let mut has_query = false;
    for side in [&claim.left, &claim.right()] {
        if let Side::Query(_, query) = side {
            has_query = true;
            if query.window.is_some() || query.variant.is_some() {
                return Err("it is asked of every second of this run: leave variant and window out".into());
            }
            let signal = crate::metrics::Signal::new(plan, &query.signal, &query.labels)?;
            query.reduced.map_or(Ok(()), |reduced| signal.kind().allows(reduced))?;
        }
    }
    match has_query {
        true => Ok(claim),
        false => Err("it compares numbers: name a signal, such as `http_error_ratio.mean > 0.05`".into()),
    }
}

fn event(plan: &Plan, text: &str) -> Result<Event, String> {
    let mut event = Event::default();
    for fact in text.split(',') {
        let Some((field, value)) = fact.split_once('=') else {
            return Err(format!(
                "`{}` is not understood: write `node=`, `route=`, `request=` or `event=`, or a claim",
                fact.trim()
            ));
        };
        let value = value.trim().trim_matches('\'');
        if value.contains('=') {
            return Err(format!("`{}` says two things: put a comma between them", fact.trim()));
        }
        match field.trim() {
            "node" => event.nodes = Some(nodes(plan, value)?),
            "route" => event.route = Some(route(plan, value)?),
            "event" => event.code = Some(code(value)?),
            "request" => {
                let number = value.parse().ok().filter(|number| *number > 0);
                event.request = Some(RequestId(number.ok_or_else(|| format!("`{value}` is no number of a request"))?));
            }
            field => {
                let hint = unknown(field, &["node", "route", "request", "event"]);
                return Err(format!("`{field}` is not known. {hint}"));
            }
        }
    }
    Ok(event)
}

fn nodes(plan: &Plan, name: &str) -> Result<Vec<NodeId>, String> {
    let numbered = plan.nodes.iter().zip(0..).filter(|(node, _)| node.id == name || node.group == name);
    let found: Vec<NodeId> = numbered.map(|(_, number)| NodeId(number)).collect();
    if found.is_empty() {
        let known: Vec<&str> = plan.nodes.iter().flat_map(|node| [node.group.as_str(), node.id.as_str()]).collect();
        return Err(format!("there is no node `{name}`. {}", unknown(name, &known)));
    }
    Ok(found)
}

fn route(plan: &Plan, name: &str) -> Result<RouteId, String> {
    let number = plan.routes.iter().position(|route| route.name == name);
    number.map(|number| RouteId(number as u8)).ok_or_else(|| {
        let known: Vec<&str> = plan.routes.iter().map(|route| route.name.as_str()).collect();
        format!("there is no route `{name}`. {}", unknown(name, &known))
    })
}

fn code(name: &str) -> Result<u16, String> {
    let known: Vec<&str> = RECORD_KINDS.iter().map(|kind| kind.name).collect();
    let place = known.iter().position(|known| *known == name);
    place.map(|place| place as u16 + 1).ok_or_else(|| format!("there is no event `{name}`. {}", unknown(name, &known)))
}
