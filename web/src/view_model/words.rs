//! Short names for what happens: milestones on the time line and in the transport.

use crate::view_model::topology::name_of;
use sandbox_core::ids::NodeId;
use sandbox_core::scenario::Plan;
use sandbox_core::trace::What;

/// What a milestone is, in a few words.
pub fn milestone(plan: &Plan, node: NodeId, what: &What) -> String {
    let name = |node: NodeId| name_of(&plan.nodes[node.index()]);
    let fault = |fault: u16| plan.faults.get(usize::from(fault)).map_or("a fault", |fault| fault.title.as_str());
    match *what {
        What::FaultBegan { fault: index } => format!("the fault begins: {}", fault(index)),
        What::FaultEnded { fault: index } => format!("the fault ends: {}", fault(index)),
        What::BreakerOpened { to, .. } => format!("{} opens its breaker towards {}", name(node), name(to)),
        What::BreakerHalfOpened { to } => format!("{} lets trial calls through to {}", name(node), name(to)),
        What::BreakerClosed { to } => format!("{} closes its breaker towards {}", name(node), name(to)),
        What::InstanceEjected { instance } => format!("{} leaves {} out", name(node), name(instance)),
        What::InstanceRestored { instance } => format!("{} sends to {} again", name(node), name(instance)),
        What::InstanceCrashed => format!("{} crashes", name(node)),
        What::RolloutBegan { rollout } => format!("rollout: {}", plan.rollouts[usize::from(rollout)].title),
        What::RolledBack { rollout } => format!("taken back: {}", plan.rollouts[usize::from(rollout)].title),
        What::IncidentOpened { incident, .. } => format!("incident {} is opened", incident.0),
        What::AlertRaised { incident } => format!("an alert goes out for incident {}", incident.0),
        What::IncidentRecovered { incident } => format!("incident {} has recovered", incident.0),
        What::IncidentRelapsed { incident } => format!("incident {} relapses", incident.0),
        What::IncidentResolved { incident } => format!("incident {} is resolved", incident.0),
        What::Answered { outcome, .. } if outcome.is_success() => "the first stale answer".into(),
        What::Answered { .. } => "the first failed request".into(),
        What::Saturated { .. } => format!("all places of {} are taken", name(node)),
        What::Refused { .. } => format!("{} refuses a call", name(node)),
        _ => format!("something happens at {}", name(node)),
    }
}

/// What a mark above the time line says; None: no mark.
pub fn mark(what: &What) -> Option<&'static str> {
    match what {
        What::IncidentOpened { .. } => Some("incident opened"),
        What::IncidentRecovered { .. } => Some("recovered"),
        What::IncidentRelapsed { .. } => Some("relapsed"),
        What::IncidentResolved { .. } => Some("resolved"),
        _ => None,
    }
}
