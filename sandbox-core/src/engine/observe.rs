//! The live state of a world at an instant, for views and health endpoints. Reading it changes nothing.

use super::ctx::Core;
use super::nodes::{Node, Watch};
use super::world::capacity;
use crate::ids::{IncidentId, NodeId};
use crate::policy::circuit_breaker::BreakerState;
use crate::scenario::Condition;
use crate::time::Time;
use serde::{Deserialize, Serialize};

/// The live state of a world at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// When.
    pub at: Time,
    /// How the system as a whole is.
    pub health: Health,
    /// All nodes, in the plan's order.
    pub nodes: Vec<NodeView>,
    /// Requests that have no answer yet.
    pub in_flight: u32,
    /// Incidents that are open.
    pub incidents: Vec<IncidentView>,
}

/// How a system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All parts work.
    Ok,
    /// A part does not work as it should, but most requests are answered.
    Degraded,
    /// At least half of the requests of the last second or two failed.
    Down,
}

/// How a part is.
pub type NodeStatus = Health;

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    /// Which.
    pub id: NodeId,
    /// How it is.
    pub status: NodeStatus,
    /// What faults make of it.
    pub condition: Condition,
    /// Calls in a worker or connection.
    pub in_service: u32,
    /// Workers or connections; None: no bound.
    pub capacity: Option<u32>,
    /// Calls in the waiting line.
    pub waiting: u32,
    /// Its circuit breakers.
    pub breakers: Vec<BreakerView>,
    /// Instances it does not send to.
    pub ejected: Vec<NodeId>,
    /// Copies it holds, if it is a cache.
    pub copies: Option<u32>,
}

/// A circuit breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerView {
    /// Key of the callee in the document.
    pub to: String,
    /// Its state.
    pub state: BreakerStateView,
}

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerStateView {
    /// Everything passes.
    Closed,
    /// Nothing passes before `until`.
    Open {
        /// When a trial call may pass.
        until: Time,
    },
    /// Trial calls pass.
    HalfOpen,
}

/// An open incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentView {
    /// Which.
    pub id: IncidentId,
    /// The monitor that opened it.
    pub monitor: NodeId,
    /// How its target is.
    pub state: IncidentState,
}

/// How the target of an open incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// It fails.
    Failing,
    /// It is well again, but nobody has resolved the incident.
    Recovered,
}

/// Looks at a world.
pub fn observe(core: &Core, nodes: &[Node]) -> Observation {
    let nodes_seen: Vec<NodeView> =
        nodes.iter().enumerate().map(|(index, node)| node_view(core, NodeId(index as u16), node)).collect();
    let incidents = nodes.iter().enumerate().filter_map(|(index, node)| incident(NodeId(index as u16), node)).collect();
    let health = health(core, &nodes_seen);
    Observation { at: core.now, health, nodes: nodes_seen, in_flight: core.in_flight, incidents }
}

fn node_view(core: &Core, id: NodeId, node: &Node) -> NodeView {
    let plan = &core.plan.nodes[id.index()];
    let condition = core.conditions[id.index()];
    let pairs = || node.callers().iter().zip(&plan.calls);
    let breakers: Vec<BreakerView> = pairs()
        .filter_map(|(caller, call)| {
            let state = match caller.breaker()? {
                BreakerState::Closed => BreakerStateView::Closed,
                BreakerState::Open { until } => BreakerStateView::Open { until },
                BreakerState::HalfOpen { .. } => BreakerStateView::HalfOpen,
            };
            Some(BreakerView { to: call.group.clone(), state })
        })
        .collect();
    let ejected: Vec<NodeId> = pairs().flat_map(|(caller, call)| caller.ejected(call)).collect();
    let levels = &core.levels[id.index()];
    let troubled = condition != Condition::default()
        || breakers.iter().any(|breaker| breaker.state != BreakerStateView::Closed)
        || !ejected.is_empty();
    NodeView {
        id,
        status: match (condition.down, troubled) {
            (true, _) => NodeStatus::Down,
            (_, true) => NodeStatus::Degraded,
            _ => NodeStatus::Ok,
        },
        condition,
        in_service: levels.in_service.value(),
        capacity: capacity(&plan.kind),
        waiting: levels.waiting.value(),
        breakers,
        ejected,
        copies: match node {
            Node::Cache(cache) => Some(cache.len()),
            _ => None,
        },
    }
}

fn incident(monitor: NodeId, node: &Node) -> Option<IncidentView> {
    let Node::Monitor(watching) = node else { return None };
    match watching.watch() {
        Watch::Well => None,
        Watch::Failing(id) => Some(IncidentView { id, monitor, state: IncidentState::Failing }),
        Watch::Recovered(id) => Some(IncidentView { id, monitor, state: IncidentState::Recovered }),
    }
}

fn health(core: &Core, nodes: &[NodeView]) -> Health {
    let ended: u32 = core.recent.ended.iter().sum();
    let failed: u32 = core.recent.failed.iter().sum();
    if ended > 0 && failed * 2 >= ended {
        Health::Down
    } else if nodes.iter().any(|node| node.status != NodeStatus::Ok) || failed * 100 > ended {
        Health::Degraded
    } else {
        Health::Ok
    }
}
