//! Short names for what happens: milestones on the time line and in the transport.

use crate::text::stage as text;
use crate::view_model::topology::name_of;
use sandbox_core::ids::NodeId;
use sandbox_core::scenario::Plan;
use sandbox_core::trace::What;

/// What a milestone is, in a few words.
pub fn milestone(plan: &Plan, node: NodeId, what: &What) -> String {
    let name = |node: NodeId| name_of(&plan.nodes[node.index()]);
    let fault = |fault: u16| plan.faults.get(usize::from(fault)).map_or(text::a_fault(), |fault| fault.title.as_str());
    match *what {
        What::FaultBegan { fault: index } => text::fault_begins(fault(index)),
        What::FaultEnded { fault: index } => text::fault_ends(fault(index)),
        What::BreakerOpened { to, .. } => text::breaker_opens(name(node), name(to)),
        What::BreakerHalfOpened { to } => text::breaker_half_opens(name(node), name(to)),
        What::BreakerClosed { to } => text::breaker_closes(name(node), name(to)),
        What::InstanceEjected { instance } => text::ejects(name(node), name(instance)),
        What::InstanceRestored { instance } => text::restores(name(node), name(instance)),
        What::InstanceCrashed => text::crashes(name(node)),
        What::RolloutBegan { rollout } => text::rollout(&plan.rollouts[usize::from(rollout)].title),
        What::RolledBack { rollout } => text::taken_back(&plan.rollouts[usize::from(rollout)].title),
        What::IncidentOpened { incident, .. } => text::incident_opens(incident.0),
        What::AlertRaised { incident } => text::alert_goes_out(incident.0),
        What::IncidentRecovered { incident } => text::incident_recovers(incident.0),
        What::IncidentRelapsed { incident } => text::incident_relapses(incident.0),
        What::IncidentResolved { incident } => text::incident_is_resolved(incident.0),
        What::Answered { outcome, .. } if outcome.is_success() => text::first_stale().into(),
        What::Answered { .. } => text::first_failed().into(),
        What::Saturated { .. } => text::places_taken(name(node)),
        What::Refused { .. } => text::refuses(name(node)),
        _ => text::something(name(node)),
    }
}

/// What a mark above the time line says; None: no mark.
pub fn mark(what: &What) -> Option<&'static str> {
    match what {
        What::IncidentOpened { .. } => Some(text::mark_opened()),
        What::IncidentRecovered { .. } => Some(text::mark_recovered()),
        What::IncidentRelapsed { .. } => Some(text::mark_relapsed()),
        What::IncidentResolved { .. } => Some(text::mark_resolved()),
        _ => None,
    }
}
