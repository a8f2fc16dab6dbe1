//! Who waits for which answer, and where the time of each request went.

use super::mailbox::{Answer, Ticket, Timing};
use sandbox_core::engine::CallId;
use sandbox_core::ids::{NodeId, RequestId};
use sandbox_core::scenario::{Kind, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::trace::{Outcome, Record, What};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// The requests under way.
#[derive(Default)]
pub(super) struct Ledger {
    open: HashMap<RequestId, Open>,
    requests: HashMap<Ticket, RequestId>,
    calls: HashMap<CallId, RequestId>,
    /// Nodes that are real: their own time is measured, not drawn.
    real: Vec<NodeId>,
}

struct Open {
    ticket: Ticket,
    answer: oneshot::Sender<Answer>,
    timing: Timing,
    /// When the request's latest record was written.
    last: Time,
}

impl Ledger {
    /// An empty ledger of a world with these real nodes.
    pub fn new(real: Vec<NodeId>) -> Ledger {
        Ledger { real, ..Ledger::default() }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A request has got its number.
    pub fn on_arrival(&mut self, now: Time, request: RequestId, ticket: Ticket, answer: oneshot::Sender<Answer>) {
        self.requests.insert(ticket, request);
        self.open.insert(request, Open { ticket, answer, timing: Timing::default(), last: now });
    }

    /// The client of a ticket hung up; Some if it was still waiting.
    pub fn on_hangup(&mut self, ticket: Ticket) -> Option<RequestId> {
        let request = self.requests.remove(&ticket)?;
        self.open.remove(&request);
        Some(request)
    }

    /// A real call goes out.
    pub fn on_call(&mut self, call: CallId, request: RequestId) {
        if request != RequestId::NONE {
            self.calls.insert(call, request);
        }
    }

    /// A real call came back.
    pub fn on_reply(&mut self, call: CallId, took: Span) {
        let open = self.calls.remove(&call).and_then(|request| self.open.get_mut(&request));
        if let Some(open) = open {
            open.timing.store += took;
        }
    }

    /// Adds up where the time goes.
    pub fn on_record(&mut self, plan: &Plan, record: &Record) {
        let Some(open) = self.open.get_mut(&record.request) else { return };
        let timing = &mut open.timing;
        let passed = record.at.since(open.last);
        open.last = record.at;
        match record.what {
            What::Worked => match plan.nodes[record.node.index()].kind {
                Kind::Store(_) if self.real.contains(&record.node) => {}
                Kind::Store(_) => timing.store += passed,
                _ => timing.model += passed,
            },
            What::Called { to, .. } if !matches!(plan.nodes[record.node.index()].kind, Kind::Client(_)) => {
                timing.model = timing.model + plan.delay(record.node, to) + plan.delay(to, record.node);
            }
            What::BackedOff { delay } => timing.model += delay,
            What::Started => timing.queue += passed,
            _ => {}
        }
    }

    /// Sends an answer, if its client is still there.
    pub fn respond(&mut self, request: RequestId, outcome: Outcome, version: Option<u64>, retry_after_s: Option<u32>) {
        let Some(open) = self.open.remove(&request) else { return };
        self.requests.remove(&open.ticket);
        let _ = open.answer.send(Answer { request, outcome, version, retry_after_s, timing: open.timing });
    }
}
