//! A stretch of a run, all requests together: which calls were at which node, and what went from node to node.

use crate::engine::Logged;
use crate::ids::{NodeId, RequestId, Seq};
use crate::metrics::Run;
use crate::scenario::{Hold, Kind};
use crate::time::Time;
use crate::trace::{Record, Refusal, Status, What};

/// A stretch of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Its begin.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// Calls that were at a node then, in order of their arrival there.
    pub visits: Vec<Visit>,
    /// What was on its way between nodes then: calls and answers in order of the sending, and among them, in order of their
    /// arrival, what nobody waits for.
    pub messages: Vec<Message>,
}

/// A call at a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// Where.
    pub node: NodeId,
    /// Which request's; [`RequestId::NONE`]: the world's own, a probe for example.
    pub request: RequestId,
    /// When it arrived.
    pub arrived: Time,
    /// When it got a worker, a connection or whatever it needs; None: it had none yet.
    pub taken: Option<Time>,
    /// When it left; [`Time::NEVER`]: it was still there when the records end.
    pub left: Time,
    /// When it was worked on.
    pub work: Vec<(Time, Time)>,
    /// Why it was refused, if it was.
    pub refused: Option<Refusal>,
}

/// Something on its way from one node to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message {
    /// Which request's.
    pub request: RequestId,
    /// From this node.
    pub from_node: NodeId,
    /// To this node; an answer that never arrives: its own.
    pub to_node: NodeId,
    /// Sent.
    pub sent: Time,
    /// Arrived; None: it never did, or not among the records that were looked at.
    pub arrived: Option<Time>,
    /// What it answers with; None: it is a call.
    pub status: Option<Status>,
}

/// So many records before a stretch are looked at for what began earlier: a second or two of a busy system.
const BEFORE: u32 = 30_000;
/// And after it, for what ends later.
const AFTER: u32 = 10_000;

/// What happened between two instants of a computed run. What began tens of thousands of records earlier and shows nothing of
/// itself until long after is not there.
#[inline]
pub fn scene(run: &mut Run, from: Time, to: Time) -> Scene {
    let (begin, end) = (record_at(run, from), record_at(run, to));
    let records = run.records(begin.saturating_sub(BEFORE)..end.saturating_add(AFTER));
    let mut scene = Scene { from, to, visits: Vec::new(), messages: Vec::new() };
    let mut open = Open::of(&records);
    for index in 0..records.len() {
        scene.take(&records, index, &mut open);
    }
    let plan = run.plan();
    let computes_only =
        |node: NodeId| matches!(&plan.nodes[node.index()].kind, Kind::Service(it) if it.hold == Hold::Work);
    let apart = |visit: Visit| match computes_only(visit.node) {
        true => visit
            .work
            .iter()
            .map(|work| Visit { taken: Some(work.0), left: work.1, work: vec![*work], ..visit })
            .collect(),
        false => vec![visit],
    };
    // A cache takes no time, and answers nobody who only leaves something there.
    for visit in &mut scene.visits {
        if visit.left == Time::NEVER && matches!(plan.nodes[visit.node.index()].kind, Kind::Cache(_)) {
            visit.left = visit.arrived;
        }
    }
    scene.visits = scene.visits.into_iter().flat_map(apart).collect();
    scene.visits.retain(|visit| visit.arrived <= to && visit.left >= from);
    scene.messages.retain(|message| message.sent <= to && message.arrived.unwrap_or(message.sent) >= from);
    scene
}

/// What of each request is not over: visits and messages by their positions, each with its latest record.
struct Open {
    /// The first request met, apart from the world's own.
    first: u32,
    visits: Vec<Vec<(usize, Seq)>>,
    messages: Vec<Vec<(usize, Seq)>>,
}

impl Open {
    fn of(records: &[Logged]) -> Open {
        let requests = || records.iter().map(|logged| logged.record.request.0).filter(|request| *request > 0);
        let first = requests().min().unwrap_or(1);
        let count = (requests().max().unwrap_or(first) - first) as usize + 2;
        Open { first, visits: vec![Vec::new(); count], messages: vec![Vec::new(); count] }
    }

    /// Where a request stands; the world's own stand first.
    fn place(&self, request: RequestId) -> usize {
        request.0.checked_sub(self.first).map_or(0, |index| index as usize + 1)
    }
}

impl Scene {
    /// Takes the next record.
    fn take(&mut self, records: &[Logged], index: usize, open: &mut Open) {
        let record = &records[index].record;
        let start = &records[0].record;
        let before = record
            .follows
            .and_then(|seq| Some(&records[seq.number().checked_sub(start.seq.number())? as usize].record));
        let place = open.place(record.request);
        self.move_message(record, before, &mut open.messages[place]);
        if record.what == What::InstanceCrashed {
            return self.empty(record, open);
        }
        let visits = &mut open.visits[place];
        let here = |(visit, _): &(usize, Seq)| self.visits[*visit].node == record.node;
        let follows = |at: &(usize, Seq)| here(at) && Some(at.1) == record.follows;
        let known = visits.iter().rposition(follows).or_else(|| visits.iter().rposition(here));
        let known = match (known, record.what) {
            (_, What::Arrived { .. }) => {
                self.visits.push(Visit::new(record, record.at));
                visits.push((self.visits.len() - 1, record.seq));
                return;
            }
            // It has been here since before the first record.
            (None, What::Worked | What::Replied { .. } | What::Started) if record.request != RequestId::NONE => {
                self.visits.push(Visit::new(record, start.at));
                visits.push((self.visits.len() - 1, record.seq));
                visits.len() - 1
            }
            (None, _) => return,
            (Some(known), _) => known,
        };
        visits[known].1 = record.seq;
        let visit = &mut self.visits[visits[known].0];
        match record.what {
            What::Queued { .. } if visit.work.is_empty() => visit.taken = None,
            What::Started | What::Admitted => visit.taken = Some(record.at),
            What::Worked => {
                let since = before.filter(|before| before.node == record.node).map_or(start.at, |before| before.at);
                if !before.is_some_and(|before| matches!(before.what, What::Queued { .. })) {
                    visit.work.push((since, record.at));
                }
            }
            What::FirstToken | What::Generated { .. } | What::Preempted { .. } => {
                let earlier = visit.work.last().map_or(start.at, |work| work.1);
                if let Some(taken) = visit.taken {
                    visit.work.push((taken.max(earlier), record.at));
                }
                if let What::Preempted { .. } = record.what {
                    visit.taken = None;
                }
            }
            What::Refused { refusal } => visit.refused = Some(refusal),
            What::Replied { .. } | What::Withdrawn => {
                visit.left = record.at;
                visits.remove(known);
            }
            _ => {}
        }
    }

    /// An instance is gone, and every call with it.
    fn empty(&mut self, record: &Record, open: &mut Open) {
        for visits in &mut open.visits {
            visits.retain(|(visit, _)| {
                let visit = &mut self.visits[*visit];
                let stays = visit.node != record.node;
                if !stays {
                    visit.left = record.at;
                }
                stays
            });
        }
    }

    /// A message sets out, goes on, or arrives.
    fn move_message(&mut self, record: &Record, before: Option<&Record>, under_way: &mut Vec<(usize, Seq)>) {
        let (request, from_node) = (record.request, record.node);
        let mut set_out = |to_node, status| {
            under_way.push((self.messages.len(), record.seq));
            self.messages.push(Message { request, from_node, to_node, sent: record.at, arrived: None, status });
        };
        match record.what {
            What::Called { to, .. } => return set_out(to, None),
            What::Replied { status, .. } => return set_out(from_node, Some(status)),
            _ => {}
        }
        let known = under_way.iter().rposition(|(_, last)| Some(*last) == record.follows);
        match (record.what, known) {
            (What::Arrived { .. } | What::Received { .. } | What::CameLate, Some(known)) => {
                let message = &mut self.messages[under_way.remove(known).0];
                (message.arrived, message.to_node) = (Some(record.at), record.node);
            }
            (What::Arrived { .. }, None) => {
                let Some(before) = before.filter(|before| before.node != record.node) else { return };
                let (from_node, to_node, arrived) = (before.node, record.node, Some(record.at));
                self.messages.push(Message { request, from_node, to_node, sent: before.at, arrived, status: None });
            }
            (What::Transferred { whole: false, .. }, Some(known)) => _ = under_way.remove(known),
            (What::Retransmitted { .. } | What::ConnectionOpened { .. } | What::Transferred { .. }, Some(known)) => {
                under_way[known].1 = record.seq
            }
            _ => {}
        }
    }
}

impl Visit {
    fn new(record: &Record, arrived: Time) -> Visit {
        Visit {
            node: record.node,
            request: record.request,
            arrived,
            taken: Some(arrived),
            left: Time::NEVER,
            work: Vec::new(),
            refused: None,
        }
    }

    /// Whether it has a worker, a connection or whatever it needs at this instant.
    pub fn is_served_at(&self, at: Time) -> bool {
        self.taken.is_some_and(|taken| taken <= at) && at < self.left
    }
}

/// The number of the first record after an instant.
fn record_at(run: &mut Run, at: Time) -> u32 {
    let (mut low, mut high) = (0, run.record_count());
    while low < high {
        let middle = low + (high - low) / 2;
        match run.record(Seq::new(middle)) {
            Some(logged) if logged.record.at <= at => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}
