//! The log of requests: who wanted what, how it ended, how long it took. A view of what is known of a run anyway.

use crate::metrics::Folds;
use crate::scenario::Plan;
use crate::trace::Outcome;
use serde::Serialize;

/// A request that has ended, as a log would have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLine {
    /// When it ended, in seconds.
    pub at_s: f64,
    /// Its number: the same in every record of it, as a request id that travels along.
    pub request: u32,
    /// Who sent it: the client's id.
    pub client: String,
    /// The user, counted within the client's traffic.
    pub user: u32,
    /// What was asked for; empty: no route of the scenario.
    pub route: String,
    /// Which row.
    pub key: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// From the intended send, in milliseconds.
    pub latency_ms: f64,
}

/// All requests that have ended, in the order in which they did.
pub fn request_log(plan: &Plan, folds: &Folds) -> Vec<LogLine> {
    let classes = folds.classes();
    let ended = folds.requests().iter().filter_map(|summary| Some((summary, summary.end?)));
    let mut lines: Vec<_> = ended
        .map(|(summary, end)| {
            let line = LogLine {
                at_s: (summary.intended + end.latency).as_seconds(),
                request: summary.request.0,
                client: plan.nodes[classes[usize::from(summary.class)].client.index()].id.clone(),
                user: summary.user,
                // From outside one may ask for what nobody has.
                route: plan.routes.get(summary.route.index()).map_or(String::new(), |route| route.name.clone()),
                key: summary.key,
                outcome: end.outcome,
                latency_ms: end.latency.as_ms(),
            };
            (end.seq, line)
        })
        .collect();
    lines.sort_by_key(|(seq, _)| *seq);
    lines.into_iter().map(|(_, line)| line).collect()
}
