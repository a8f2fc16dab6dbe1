//! Why a request ended as it did, and where its time went.
//!
//! The chain follows the records' causes back to a root. The attribution follows the request's own records from the answer
//! back to the intended send; every hop of that path belongs to one kind, so the parts sum exactly to the latency.

use super::words;
use crate::engine::Logged;
use crate::ids::{NodeId, RequestId, Seq};
use crate::metrics::Run;
use crate::scenario::{Kind, Op, Plan};
use crate::time::{Span, Time};
use crate::trace::{CacheResult, Outcome, Record, What};
use serde::Serialize;

/// The answer to "why?".
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// Which request.
    pub request: RequestId,
    /// How it ended.
    pub outcome: Outcome,
    /// The intended send.
    pub intended: Time,
    /// From the answer back to the root.
    pub chain: Vec<Link>,
    /// Where the time went: they sum to `latency`.
    pub parts: Vec<Part>,
    /// From the intended send to the answer.
    pub latency: Span,
}

/// One cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The record, and the step that made it.
    pub logged: Logged,
    /// The record in words.
    pub text: String,
    /// Whether the chain is understood without it: a call on its way, a piece of work done.
    pub passing: bool,
    /// Whether nothing caused it.
    pub root: bool,
}

/// A part of a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What the time went to.
    pub kind: PartKind,
    /// Where.
    pub node: NodeId,
    /// How much.
    pub span: Span,
}

/// What time goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// On the way between nodes.
    Network,
    /// Opening a connection.
    Handshake,
    /// In the waiting line of a service.
    Queue,
    /// In work.
    Service,
    /// In work that stood still for want of CPU time.
    Throttled,
    /// Waiting for a reading connection.
    PoolWait,
    /// Waiting for the one writer.
    LockWait,
    /// Waiting for somebody else's load of the same copy.
    CoalescedWait,
    /// In a pause between two attempts.
    BackOff,
    /// In an attempt that failed and was made again.
    FailedAttempt,
    /// Waiting for an answer that did not come in time.
    Timeout,
}

impl PartKind {
    /// The kind in words.
    #[inline]
    pub fn as_str(self) -> &'static str {
        match self {
            PartKind::Network => "network",
            PartKind::Handshake => "handshake",
            PartKind::Queue => "queue",
            PartKind::Service => "service",
            PartKind::Throttled => "throttled",
            PartKind::PoolWait => "pool wait",
            PartKind::LockWait => "lock wait",
            PartKind::CoalescedWait => "coalesced wait",
            PartKind::BackOff => "back-off",
            PartKind::FailedAttempt => "failed attempt",
            PartKind::Timeout => "timeout",
        }
    }
}

/// Longer chains are cut. One thousand links are not rare where every wait leads back through an overload of minutes.
const LINKS_MAX: usize = 20_000;

/// Why a request ended as it did. None: there is no such request, or it has not ended in the computed part.
#[inline]
pub fn why(run: &mut Run, request: RequestId) -> Option<Why> {
    let summary = *run.folds().request(request)?;
    let end = summary.end?;
    let records = run.request_records(request, summary.first_step..end.step + 1);
    let plan = run.plan().clone();
    Some(Why {
        request,
        outcome: end.outcome,
        intended: summary.intended,
        chain: chain(run, end.seq),
        parts: parts(
            &plan,
            plan.routes.get(summary.route.index()).map_or(Op::Read, |route| route.op),
            &path(&records, end.seq),
        ),
        latency: end.latency,
    })
}

#[inline]
fn chain(run: &mut Run, answer: Seq) -> Vec<Link> {
    let plan = run.plan().clone();
    let mut links = Vec::new();
    let mut next = Some(answer);
    while let Some(logged) = next.filter(|_| links.len() < LINKS_MAX).and_then(|seq| run.record(seq)) {
        let record = &logged.record;
        next = record.cause;
        links.push(Link {
            logged,
            text: words::record(&plan, record),
            passing: is_passing(&record.what),
            root: record.cause.is_none(),
        });
    }
    links
}

#[inline]
fn is_passing(what: &What) -> bool {
    matches!(
        what,
        What::Called { attempt: 1, .. }
            | What::Arrived { .. }
            | What::Started
            | What::Replied { .. }
            | What::Received { .. }
            | What::CacheAsked { .. }
            | What::GaveUp { .. }
            | What::ProbeBegan
            | What::Observed { .. }
    )
}

/// The request's own records from the intended send to the answer, in order.
#[inline]
fn path(records: &[Logged], answer: Seq) -> Vec<Record> {
    let find = |seq: Seq| {
        let index = records.binary_search_by_key(&seq, |logged| logged.record.seq).ok()?;
        Some(records[index].record)
    };
    let mut path = Vec::new();
    let mut next = find(answer);
    while let Some(record) = next {
        next = record.follows.and_then(find);
        path.push(record);
    }
    path.reverse();
    path
}

#[inline]
fn parts(plan: &Plan, op: Op, path: &[Record]) -> Vec<Part> {
    let mut kinds: Vec<(PartKind, NodeId)> =
        path.windows(2).map(|hop| (kind(plan, op, &hop[0], &hop[1]), hop[1].node)).collect();
    for (end, record) in path.iter().enumerate() {
        if let What::BackedOff { .. } = record.what {
            let is_call = |earlier: &Record| earlier.node == record.node && matches!(earlier.what, What::Called { .. });
            // An attempt that was never sent, or was made on a way that did not lead here, left no call on this path.
            if let Some(begin) = path[..end].iter().rposition(is_call) {
                kinds[begin..end].fill((PartKind::FailedAttempt, record.node));
            }
        }
    }
    let mut parts: Vec<Part> = Vec::new();
    for (hop, (kind, node)) in path.windows(2).zip(kinds) {
        let span = hop[1].at.since(hop[0].at);
        match parts.iter_mut().find(|part| part.kind == kind && (part.node == node || kind == PartKind::Network)) {
            Some(part) => part.span += span,
            None if span > Span::ZERO => parts.push(Part { kind, node, span }),
            None => {}
        }
    }
    parts
}

/// What the time between two records of a path went to.
#[inline]
fn kind(plan: &Plan, op: Op, from: &Record, to: &Record) -> PartKind {
    match (&from.what, &to.what) {
        (What::BackedOff { .. }, _) => PartKind::BackOff,
        (_, What::ConnectionOpened { .. }) => PartKind::Handshake,
        (_, What::Arrived { .. } | What::Received { .. } | What::Transferred { .. }) => PartKind::Network,
        (_, What::TimedOut { .. }) => PartKind::Timeout,
        (What::WorkStopped, _) => PartKind::Throttled,
        (What::Blocked, _) => PartKind::LockWait,
        (What::CacheAsked { result: CacheResult::Coalesced, .. }, _) => PartKind::CoalescedWait,
        (What::Preempted { .. }, _) => PartKind::Queue,
        (What::Queued { .. }, _) => match (&plan.nodes[to.node.index()].kind, op) {
            (Kind::Store(_), Op::Write) => PartKind::LockWait,
            (Kind::Store(_), Op::Read) | (Kind::Database(_), _) => PartKind::PoolWait,
            _ => PartKind::Queue,
        },
        _ => PartKind::Service,
    }
}
