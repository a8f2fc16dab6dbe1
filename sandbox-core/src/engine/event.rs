//! Everything that can be due, as one closed list.

use crate::ids::{NodeId, RequestId, Seq};
use crate::time::{Span, Time};

/// Position of a stay in the world's slab.
pub type Slot = u32;

/// Something that is due at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A workload sends its next request.
    Arrival {
        /// Position in the plan's workloads.
        workload: u16,
    },
    /// A call reaches its node.
    Arrive(Slot),
    /// The handshake before the call of this stay is over.
    Connected(Slot),
    /// A call reaches its node over a connection that was kept.
    ArriveKept(Slot),
    /// An answer reaches the caller of this stay.
    Reply(Slot),
    /// The request or the answer of this stay is over a link that may break, or the link has broken.
    TransferOver(Slot),
    /// A node's own work on a call is done.
    Worked(Slot),
    /// The patience of this stay in a line ends. Dead unless it still waits.
    Patience(Slot),
    /// The pause of this stay's program is over.
    Paused(Slot),
    /// The patience of this stay, as a caller, ends. Dead unless the stay still waits for it.
    Timeout(Slot),
    /// The back-off of this stay, as a caller, is over. Dead unless it still waits for it.
    Retry(Slot),
    /// The next copy of this stay's hedged call is due. Dead unless the stay still waits for it.
    Hedge(Slot),
    /// The caller of this stay withdraws the call. Dead if the stay is over.
    Withdraw(Slot),
    /// The first of the calls that share a node's workers is done. Dead if another came or left since.
    Shared(NodeId),
    /// A node fails by chance, or is repaired.
    Chance(NodeId),
    /// The CPU time of a node's present period is used up, or a new period begins. Dead if something else came first.
    Quota(NodeId),
    /// A node's batch starts with whoever is there. Dead if it was full before.
    BatchDue(NodeId),
    /// An iteration of a node's language model is over. Dead if that stands still, or lost all it worked on.
    Iteration(NodeId),
    /// A rule that rows must keep is looked at.
    Audit(u16),
    /// A monitor probes its target, or a caller checks its instances.
    Probe {
        /// Who probes.
        node: NodeId,
        /// Position in the node's calls.
        call: u16,
    },
    /// A caller looks at which of the instances that it left out may come back.
    Sweep {
        /// Who calls.
        node: NodeId,
        /// Position in the node's calls.
        call: u16,
    },
    /// A caller looks at which of its idle connections are over.
    IdleConnections {
        /// Who calls.
        node: NodeId,
        /// Position in the node's calls.
        call: u16,
    },
    /// A fault begins or ends.
    Fault {
        /// Position in the plan's faults.
        fault: u16,
        /// Whether it begins.
        begins: bool,
    },
    /// An instance comes to the next stage of its life. Dead if something else came first.
    Life(NodeId),
    /// An instance has no memory left.
    OutOfMemory(NodeId),
    /// An instance is to be started anew before it has no memory left.
    Recycle(NodeId),
    /// An instance does not answer its probes.
    Unresponsive {
        /// The instance.
        node: NodeId,
        /// The record of the last probe.
        because: Seq,
    },
    /// A call woke an instance that slept.
    Wake(NodeId),
    /// Callers learn that an instance is on their list, or no longer.
    Listed {
        /// The instance.
        node: NodeId,
        /// Whether it is.
        listed: bool,
    },
    /// A rollout takes its next step.
    Rollout(u16),
    /// The release of a rollout is compared with the one before.
    Canary(u16),
    /// A rollout is taken back.
    Undo(u16),
    /// The next entry of a fleet's schedule is due.
    Scale {
        /// Position in the plan's fleets.
        fleet: u16,
        /// Position in its schedule.
        step: u16,
    },
    /// An autoscaler looks at its fleet.
    Autoscale(u16),
    /// The run ends; its last second is counted.
    End,
}

/// What the next step will do, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// When.
    pub at: Time,
    /// Where.
    pub node: NodeId,
    /// For which request, or [`RequestId::NONE`].
    pub request: RequestId,
    /// What.
    pub reason: Reason,
}

/// Why something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A user sends a request.
    Sends,
    /// A call from `from` arrives.
    CallArrives {
        /// The caller.
        from: Option<NodeId>,
        /// Which attempt, from 1.
        attempt: u8,
    },
    /// A connection to `to` is open.
    Connected {
        /// The callee.
        to: NodeId,
    },
    /// A piece of work is done.
    WorkDone,
    /// A message is over a link that may break, or broken.
    TransferOver,
    /// An answer from `from` arrives.
    AnswerArrives {
        /// The callee.
        from: NodeId,
        /// HTTP status code.
        status: u16,
    },
    /// An answer from `from` arrives although nobody waits for it any more.
    LateAnswer {
        /// The callee.
        from: NodeId,
    },
    /// The patience with `to` ends.
    TimesOut {
        /// The callee.
        to: NodeId,
        /// How long it was.
        after: Span,
    },
    /// Attempt number `attempt` is due.
    RetryDue {
        /// Which attempt, from 2.
        attempt: u8,
    },
    /// A further copy of a hedged call is due.
    HedgeDue,
    /// Its patience in the line ends.
    LeavesLine,
    /// A pause of its program is over.
    PauseOver,
    /// Its caller withdraws the call.
    Withdrawn,
    /// A node fails by chance or is repaired.
    Chance,
    /// An instance starts, stops, is replaced or listed.
    LifeGoesOn,
    /// The CPU time of a period is used up, or there is some again.
    QuotaTurns,
    /// A batch starts with whoever is there.
    BatchDue,
    /// An iteration of a language model is over.
    IterationOver,
    /// A rule that rows must keep is looked at.
    Audit,
    /// A probe is due.
    ProbeDue,
    /// An instance that was left out may come back.
    Sweep,
    /// Idle connections may be over.
    IdleConnections,
    /// A fault begins.
    FaultBegins {
        /// Position in the plan's faults.
        fault: u16,
    },
    /// A fault ends.
    FaultEnds {
        /// Position in the plan's faults.
        fault: u16,
    },
    /// An input from outside, of a recorded run.
    Outside,
    /// The run ends.
    RunEnds,
}
