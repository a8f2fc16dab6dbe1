//! One fact of a run, with the fact that caused it.

use super::outcome::{AttemptEnd, CacheFallback, CacheResult, Closing, Outcome, Refusal, Status};
use crate::ids::{IncidentId, NodeId, RequestId, RouteId, Seq};
use crate::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// One fact of a run.
///
/// Two edges lead backwards. `follows` is the request's own previous record: walking it from the answer to the intended
/// send gives the critical path, whose hops partition the latency. `cause` says *why*: usually the same record, but a
/// wait points at what made the resource busy and a refusal at the state change it obeyed, so the chain of causes leads to
/// the root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened.
    pub at: Time,
    /// Its number.
    pub seq: Seq,
    /// Where it happened; for faults the node they hit.
    pub node: NodeId,
    /// The request it belongs to, or [`RequestId::NONE`].
    pub request: RequestId,
    /// What happened.
    pub what: What,
    /// Why: the record without which this one would not be, or none for a root (an arrival, a fault, ordinary load).
    pub cause: Option<Seq>,
    /// The record of the same request that this one comes directly after.
    pub follows: Option<Seq>,
}

/// What happened. The order of the variants is part of the digest; add new ones at the end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A user wants an answer: the intended send, from which latency is measured.
    Intended {
        /// Which route.
        route: RouteId,
        /// Which row.
        key: u32,
        /// Which user.
        user: u32,
    },
    /// A caller sends attempt number `attempt` (from 1) to `to`.
    Called {
        /// The callee.
        to: NodeId,
        /// Which attempt, from 1.
        attempt: u8,
    },
    /// A call reached its node.
    Arrived {
        /// Which attempt, from 1.
        attempt: u8,
    },
    /// All workers (or connections) are busy; `ahead` others wait already. Its cause is the start of the busy period.
    Queued {
        /// How many wait before it.
        ahead: u32,
    },
    /// All workers (or connections) of the node became busy: a busy period begins.
    Saturated {
        /// Calls in service.
        in_service: u32,
    },
    /// A worker (or connection) takes a call up that had to wait; one that finds a free worker is taken up as it arrives.
    Started,
    /// A piece of the node's own work is done.
    Worked,
    /// The node refuses the call. Its cause is the state it obeys.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The node sends its answer back to the caller.
    Replied {
        /// As HTTP would say it.
        status: Status,
        /// Time in the node.
        sojourn: Span,
    },
    /// The caller has the answer of a call.
    Received {
        /// As HTTP would say it.
        status: Status,
    },
    /// The caller stops waiting; the callee does not notice and works on.
    TimedOut {
        /// The callee.
        to: NodeId,
        /// How long the caller waited.
        after: Span,
    },
    /// The caller will try again after a pause.
    BackedOff {
        /// How long.
        delay: Span,
    },
    /// The caller does not try again.
    GaveUp {
        /// Why.
        end: AttemptEnd,
    },
    /// An answer came after its caller had stopped waiting.
    CameLate,
    /// A cache was asked.
    CacheAsked {
        /// Which row.
        key: u32,
        /// What was found.
        result: CacheResult,
    },
    /// A copy was put into a cache.
    CacheStored {
        /// Which row.
        key: u32,
        /// The row's version.
        version: u64,
    },
    /// The origin failed: answered from an expired copy (stale-if-error, RFC 5861), or found none that may be used.
    FellBack {
        /// What was found.
        fallback: CacheFallback,
    },
    /// A row was read.
    RowRead {
        /// Which row.
        key: u32,
        /// The row's version.
        version: u64,
    },
    /// A row was written.
    RowWritten {
        /// Which row.
        key: u32,
        /// The row's version.
        version: u64,
    },
    /// The user has an answer, or gave up: the end of the request.
    Answered {
        /// How it ended.
        outcome: Outcome,
        /// From the intended send.
        latency: Span,
    },
    /// A circuit breaker of `node` towards `to` opened.
    BreakerOpened {
        /// The callee.
        to: NodeId,
        /// Failures in the window.
        failures: u32,
        /// Calls in the window.
        calls: u32,
        /// Slow calls in the window, up to 65535, if these opened it; else 0.
        #[serde(default)]
        slow: u16,
    },
    /// A circuit breaker lets trial calls through.
    BreakerHalfOpened {
        /// The callee.
        to: NodeId,
    },
    /// A circuit breaker closed.
    BreakerClosed {
        /// The callee.
        to: NodeId,
    },
    /// A balancer stops sending to an instance.
    InstanceEjected {
        /// Which instance.
        instance: NodeId,
    },
    /// A balancer sends to an instance again.
    InstanceRestored {
        /// Which instance.
        instance: NodeId,
    },
    /// A fault of the scenario begins; `fault` is its position in the plan.
    FaultBegan {
        /// Position in the plan's faults.
        fault: u16,
    },
    /// A fault of the scenario ends.
    FaultEnded {
        /// Position in the plan's faults.
        fault: u16,
    },
    /// A monitor's probe of its target had this result.
    Probed {
        /// Whether the target answered.
        ok: bool,
    },
    /// A monitor opened an incident.
    IncidentOpened {
        /// Which incident.
        incident: IncidentId,
        /// Failed probes in a row.
        failed_probes: u32,
    },
    /// An alert went out for an incident.
    AlertRaised {
        /// Which incident.
        incident: IncidentId,
    },
    /// The target of an incident is well again; the incident stays open.
    IncidentRecovered {
        /// Which incident.
        incident: IncidentId,
    },
    /// The target failed again while its incident was still open.
    IncidentRelapsed {
        /// Which incident.
        incident: IncidentId,
    },
    /// Somebody resolved an incident.
    IncidentResolved {
        /// Which incident.
        incident: IncidentId,
    },
    /// The client of a mounted world hung up; the work goes on.
    Disconnected,
    /// A probe begins: a monitor's, or a caller's health check.
    ProbeBegan,
    /// A program observed a value of a signal that the scenario declares.
    Observed {
        /// Position in the plan's signals.
        signal: u16,
        /// The value; finite.
        value: f64,
    },
    /// The caller withdrew the call: the node drops it where it stands.
    Withdrawn,
    /// A program's pause is over.
    Paused,
    /// The program goes on in parallel branches.
    Forked {
        /// How many.
        branches: u16,
    },
    /// Enough branches are done: the program goes on.
    Joined,
    /// Nothing more comes of a message: it was delivered as often as it may be and never acknowledged.
    DeadLettered,
    /// A bulkhead lets a call in that had to wait.
    Admitted,
    /// A node broke down by chance.
    BrokeDown,
    /// A node that had broken down by chance works again.
    Repaired,
    /// Another transaction holds the lock that this needs, or another attempt its idempotency key: it waits. Its cause is what
    /// the other did last.
    Blocked,
    /// The program answers from what it stored under the request's idempotency key. Its cause is what was stored.
    Replayed,
    /// A monitor sees the error budget of its target burn too fast. Its cause is the latest failure.
    BudgetBurning {
        /// Burn rate over the long window, times 1000.
        long_milli: u32,
        /// Burn rate over the short window, times 1000.
        short_milli: u32,
    },
    /// The number of an alert rule is beyond its threshold; if that lasts, the rule fires. Its cause is the latest value.
    RuleBroken {
        /// The number; finite.
        number: f64,
    },
    /// Whoever an alert was sent to has answered.
    AlertDelivered {
        /// Of which incident.
        incident: IncidentId,
    },
    /// An alert did not reach whom it was sent to, and is not sent again.
    AlertLost {
        /// Of which incident.
        incident: IncidentId,
    },
    /// A queue lost a message: a newer one took its place, or the queue forgot what it had in memory.
    MessageLost,
    /// A database that failed over does not have what the request had committed, and had its answer for.
    CommitLost,
    /// A cache forgot its copy of a row because it was told to.
    CacheInvalidated {
        /// Which row.
        key: u32,
    },
    /// A cache did not store a copy: its row was invalidated after it had been looked up.
    CacheRefused {
        /// Which row.
        key: u32,
        /// The version of the copy.
        version: u64,
    },
    /// An instance begins to start.
    InstanceStarting,
    /// An instance takes calls.
    InstanceUp,
    /// An instance was told to stop: it is taken off the list.
    InstanceStopping,
    /// An instance has stopped.
    InstanceStopped,
    /// An instance needs more memory than it has.
    OutOfMemory,
    /// An instance died; what it had begun is lost. Its cause is what killed it.
    InstanceCrashed,
    /// How many instances of the node's group there are now.
    Fleet {
        /// So many are not stopped.
        running: u16,
        /// So many take calls.
        up: u16,
        /// So many are on the list of their callers.
        listed: u16,
    },
    /// Instances begin to be replaced; `rollout` is its position in the plan.
    RolloutBegan {
        /// Position in the plan's rollouts.
        rollout: u16,
    },
    /// The first instances with the new release are worse than the others.
    CanaryFailed {
        /// Position in the plan's rollouts.
        rollout: u16,
    },
    /// A release is taken back.
    RolledBack {
        /// Position in the plan's rollouts.
        rollout: u16,
    },
    /// Another number of instances is to run.
    Scaled {
        /// As many as were to run before.
        from: u16,
        /// As many as are to run now.
        to: u16,
    },
    /// A message is lost on its way and sent again.
    Retransmitted {
        /// So many times.
        times: u16,
        /// How much later it arrives.
        after: Span,
    },
    /// A connection to `to` is open: the request is sent over it.
    ConnectionOpened {
        /// The callee.
        to: NodeId,
        /// How long the handshake took.
        took: Span,
    },
    /// A connection to `to` is closed, or known to be.
    ConnectionClosed {
        /// The callee.
        to: NodeId,
        /// Why.
        why: Closing,
        /// Ports that closed connections to it still take.
        time_wait: u32,
    },
    /// All ports for connections to `to` are taken.
    PortsExhausted {
        /// The callee.
        to: NodeId,
        /// By so many connections that are closed already.
        time_wait: u32,
    },
    /// A request or an answer is sent into a connection that is dead, and never arrives. Its cause is what killed it.
    Vanished,
    /// An instance has used up its CPU time: nothing of it runs until the next period begins.
    CpuThrottled,
    /// A piece of work stands still until then.
    WorkStopped,
    /// A piece of work that stood still goes on.
    WorkResumed,
    /// An instance has not answered its liveness probes: it is to be started anew. Its cause is the last of them.
    Unresponsive,
    /// A language model has written the first token of an answer.
    FirstToken,
    /// It has written all of it.
    Generated {
        /// So many tokens.
        tokens: u32,
        /// From the first token to the last.
        took: Span,
    },
    /// An answer that is being written loses its place in memory, and waits. Its cause is what was done last for the one who
    /// needed the room.
    Preempted {
        /// So many tokens, of prompt and answer, are to be computed again.
        tokens: u32,
    },
    /// A language model has given everybody in its batch one more token.
    Iterated {
        /// So many are in the batch.
        sequences: u32,
        /// So many tokens were read anew.
        prefilled: u32,
        /// So many are in memory now.
        held: u32,
    },
    /// A message is over a link that may break, or is broken on it.
    Transferred {
        /// So many bytes of it were sent.
        bytes: u64,
        /// Whether that is all of it.
        whole: bool,
    },
}

impl What {
    /// The incident that it is about.
    pub const fn incident(&self) -> Option<IncidentId> {
        match *self {
            What::IncidentOpened { incident, .. }
            | What::AlertRaised { incident }
            | What::AlertDelivered { incident }
            | What::AlertLost { incident }
            | What::IncidentRecovered { incident }
            | What::IncidentRelapsed { incident }
            | What::IncidentResolved { incident } => Some(incident),
            _ => None,
        }
    }
}
