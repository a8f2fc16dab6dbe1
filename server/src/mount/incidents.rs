//! The incidents of a mounted world, as a fold over its records: an append-only timeline for each.

use sandbox_core::ids::IncidentId;
use sandbox_core::scenario::Plan;
use sandbox_core::timeline::words;
use sandbox_core::trace::{Record, What};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An incident with its timeline. Times are seconds of the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Incident {
    /// Its number, from 1.
    pub id: u16,
    /// The monitor's title.
    pub title: String,
    /// The node that failed.
    pub target: String,
    /// When it was opened.
    pub opened_s: f64,
    /// When the target was well again; none while it fails.
    pub recovered_s: Option<f64>,
    /// When somebody resolved it; none while it is open.
    pub resolved_s: Option<f64>,
    /// What happened.
    pub timeline: Vec<Entry>,
}

/// One line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Entry {
    /// When, in seconds of the world.
    pub at_s: f64,
    /// What.
    pub text: String,
}

/// All incidents of a run, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Incidents(pub Vec<Incident>);

impl Incidents {
    /// Takes a record in.
    pub fn on_record(&mut self, plan: &Plan, record: &Record) {
        let at_s = record.at.as_seconds();
        let monitor = &plan.nodes[record.node.index()];
        let Some(id) = record.what.incident() else { return };
        if let What::IncidentOpened { .. } = record.what {
            let target = monitor.calls.first().map(|call| call.group.clone()).unwrap_or_default();
            let title = monitor.title.clone();
            let (recovered_s, resolved_s, timeline) = (None, None, Vec::new());
            self.0.push(Incident { id: id.0, title, target, opened_s: at_s, recovered_s, resolved_s, timeline });
        }
        let Some(incident) = self.get_mut(id) else { return };
        match record.what {
            What::IncidentRecovered { .. } => incident.recovered_s = Some(at_s),
            What::IncidentRelapsed { .. } => incident.recovered_s = None,
            What::IncidentResolved { .. } => incident.resolved_s = Some(at_s),
            _ => {}
        }
        incident.timeline.push(Entry { at_s, text: words::record(plan, record) });
    }

    /// Whether this incident waits for somebody to resolve it.
    pub fn is_open(&self, id: IncidentId) -> bool {
        self.0.iter().any(|incident| incident.id == id.0 && incident.resolved_s.is_none())
    }

    fn get_mut(&mut self, id: IncidentId) -> Option<&mut Incident> {
        self.0.iter_mut().find(|incident| incident.id == id.0)
    }
}
