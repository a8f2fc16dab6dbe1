//! Incidents with their append-only timelines, and the sheet that sums a run's outage up.

use super::words;
use crate::engine::IncidentState;
use crate::ids::{IncidentId, NodeId};
use crate::metrics::Run;
use crate::metrics::{Folds, Summary};
use crate::scenario::{Op, Plan};
use crate::time::{Span, Time};
use crate::trace::{Outcome, What};
use serde::Serialize;

/// An incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Which.
    pub id: IncidentId,
    /// The monitor that opened it.
    pub monitor: NodeId,
    /// When it was opened.
    pub opened: Time,
    /// How its target is; none once the incident is resolved.
    pub state: Option<IncidentState>,
    /// What happened, in order; nothing is ever taken out.
    pub timeline: Vec<(Time, String)>,
}

/// The incidents of a run as they stand at `until`.
#[inline]
pub fn incidents(plan: &Plan, folds: &Folds, until: Time) -> Vec<Incident> {
    let mut incidents: Vec<Incident> = Vec::new();
    for event in folds.incident_events().iter().take_while(|event| event.record.at <= until) {
        let record = &event.record;
        let Some(id) = record.what.incident() else { continue };
        let place = incidents.iter().position(|incident| incident.id == id).unwrap_or_else(|| {
            let (opened, timeline) = (record.at, Vec::new());
            incidents.push(Incident {
                id,
                monitor: record.node,
                opened,
                state: Some(IncidentState::Failing),
                timeline,
            });
            incidents.len() - 1
        });
        let incident = &mut incidents[place];
        match record.what {
            What::IncidentRelapsed { .. } => incident.state = Some(IncidentState::Failing),
            What::IncidentRecovered { .. } => incident.state = Some(IncidentState::Recovered),
            What::IncidentResolved { .. } => incident.state = None,
            _ => {}
        }
        incident.timeline.push((record.at, words::record(plan, record)));
    }
    incidents
}

/// What a run's outage was, in a few numbers. Shares are of the requests that ended while the fault lasted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncidentSheet {
    /// The fault that began it.
    pub trigger: String,
    /// When it began, in seconds.
    pub began_s: f64,
    /// How long it lasted, in seconds.
    pub lasted_s: f64,
    /// From the fault to the first incident, in seconds; none: nobody noticed.
    pub detected_after_s: Option<f64>,
    /// Share of reads that failed.
    pub reads_failed: Option<f64>,
    /// Share of writes that failed.
    pub writes_failed: Option<f64>,
    /// Share of answered reads that were answered from an expired copy.
    pub stale: Option<f64>,
    /// From the end of the fault to the last failed request, in seconds; none: requests still failed in the last second.
    pub recovered_after_s: Option<f64>,
}

/// The sheet of the first fault of a run; none: the run has no fault, or it has not ended.
#[inline]
pub fn incident_sheet(run: &Run) -> Option<IncidentSheet> {
    let (plan, folds) = (run.plan(), run.folds());
    let fault = plan.faults.iter().filter(|fault| fault.to <= plan.end).min_by_key(|fault| fault.from)?;
    if !run.is_finished() {
        return None;
    }
    let ended = |summary: &Summary| summary.end.map(|end| (summary.intended + end.latency, end.outcome));
    let failed = |outcome: Outcome| !outcome.is_success() && !outcome.is_client_error();
    let share = |op: Op, counts: &dyn Fn(Outcome) -> bool, of: &dyn Fn(Outcome) -> bool| {
        let requests = folds
            .requests()
            .iter()
            .filter(|summary| plan.routes.get(summary.route.index()).is_some_and(|route| route.op == op));
        let during = requests.filter_map(ended).filter(|(at, _)| (fault.from..fault.to).contains(at));
        let outcomes: Vec<Outcome> = during.map(|(_, outcome)| outcome).filter(|outcome| of(*outcome)).collect();
        let counted = outcomes.iter().filter(|outcome| counts(**outcome)).count();
        (!outcomes.is_empty()).then(|| counted as f64 / outcomes.len() as f64)
    };
    let opened = folds
        .incident_events()
        .iter()
        .find(|event| event.record.at >= fault.from && matches!(event.record.what, What::IncidentOpened { .. }));
    let last_failure =
        folds.requests().iter().filter_map(ended).filter(|(_, outcome)| failed(*outcome)).map(|(at, _)| at).max();
    let recovered = match last_failure {
        Some(at) if at + Span::from_millis(1_000) >= plan.end => None,
        Some(at) => Some(at.since(fault.to).as_seconds()),
        None => Some(0.0),
    };
    Some(IncidentSheet {
        trigger: fault.title.clone(),
        began_s: fault.from.as_seconds(),
        lasted_s: fault.to.since(fault.from).as_seconds(),
        detected_after_s: opened.map(|event| event.record.at.since(fault.from).as_seconds()),
        reads_failed: share(Op::Read, &failed, &|_| true),
        writes_failed: share(Op::Write, &failed, &|_| true),
        stale: share(Op::Read, &|outcome| outcome == Outcome::OkStale, &Outcome::is_success),
        recovered_after_s: recovered,
    })
}
