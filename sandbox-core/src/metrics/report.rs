//! The report of a run, as `faultline run --json` prints it.

use super::folds::Folds;
use super::signals::{Label, Signal, signals};
use crate::engine::{Run, capacity};
use crate::ids::NodeId;
use crate::scenario::signal_text;
use crate::time::{Span, Time};
use crate::trace::Outcome;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! report {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name { $($body)* }
    };
}

report! {
    /// A run in numbers.
    pub struct RunReport {
        /// Id of the scenario.
        pub scenario: String,
        /// Which variant.
        pub variant: String,
        /// Seed of all randomness.
        pub seed: u64,
        /// Fingerprint of the trace: 32 hexadecimal digits.
        pub digest: String,
        /// How long the run lasted, simulated.
        pub simulated_seconds: f64,
        /// Events and inputs.
        pub events: u64,
        /// How long the computation took, in milliseconds of real time.
        pub wall_ms: f64,
        /// Requests.
        pub requests: RequestsReport,
        /// Completed requests a second.
        pub throughput_rps: f64,
        /// Successes before the client's deadline a second; the same as throughput, because a completed request is one.
        pub goodput_rps: f64,
        /// failed / (completed + failed); 0 if none ended.
        pub error_ratio: f64,
        /// Latency of completed requests from the intended send.
        pub latency_ms: LatencyReport,
        /// Nodes by id.
        pub nodes: BTreeMap<String, NodeReport>,
        /// Signals over the whole run, `name{label=value}` to number: counters as sums, gauges and histograms as means.
        pub metrics: BTreeMap<String, f64>,
        /// The queries that were asked, and their answers.
        pub queries: BTreeMap<String, Option<f64>>,
        /// The claims of the scenario.
        pub claims: Vec<ClaimReport>,
    }
}

report! {
    /// Requests: offered = completed + failed + in_flight.
    pub struct RequestsReport {
        /// All that users sent.
        pub offered: u64,
        /// Answered with success before the client's deadline.
        pub completed: u64,
        /// Ended in any other way.
        pub failed: u64,
        /// Not ended when the run did.
        pub in_flight: u64,
        /// Attempts of clients, the first ones included.
        pub attempts: u64,
        /// How requests ended.
        pub by_outcome: BTreeMap<Outcome, u64>,
    }
}

report! {
    /// A distribution in milliseconds; all 0 if it is empty.
    pub struct LatencyReport {
        /// Arithmetic mean: exact for requests, for the calls of a node of lengths to three significant digits.
        pub mean: f64,
        /// Half are at most this long.
        pub p50: f64,
        /// 90 %.
        pub p90: f64,
        /// 95 %.
        pub p95: f64,
        /// 99 %.
        pub p99: f64,
        /// 99.9 %.
        pub p999: f64,
        /// The longest.
        pub max: f64,
        /// How many.
        pub count: u64,
    }
}

report! {
    /// A node over the whole run.
    pub struct NodeReport {
        /// Share of workers or connections in use; calls in service where there is no bound.
        pub utilization: f64,
        /// Calls waiting, weighted by time.
        pub queue_mean: f64,
        /// Most calls waiting at once.
        pub queue_max: u32,
        /// Calls in service, weighted by time.
        pub in_service_mean: f64,
        /// Calls that arrived.
        pub arrivals: u64,
        /// Calls answered with success.
        pub completions: u64,
        /// Calls refused, and own calls not sent.
        pub rejections: u64,
        /// Time in the node of calls answered with success.
        pub sojourn_ms: LatencyReport,
    }
}

report! {
    /// A claim on this run.
    pub struct ClaimReport {
        /// Key in the document.
        pub id: String,
        /// The promise in words.
        pub text: String,
        /// effect, cure or context.
        pub role: String,
        /// Whether it holds; none if it names another variant than the one run.
        pub holds: Option<bool>,
        /// The left side.
        pub left: Option<f64>,
        /// The right side.
        pub right: Option<f64>,
    }
}

impl LatencyReport {
    /// The report of a histogram of nanoseconds; the sum and the longest of what it holds, where they are known exactly.
    pub fn new(histogram: &Histogram<u32>, exact_ns: Option<(u128, u64)>) -> LatencyReport {
        let count = histogram.len();
        let ms = |ns: u64| Span::from_nanos(ns).as_ms();
        let (mean, max) = match exact_ns {
            _ if count == 0 => (0.0, 0),
            Some((sum, longest)) => (sum as f64 / count as f64 / 1e6, longest),
            None => (histogram.mean() / 1e6, histogram.max()),
        };
        // The upper end of a bucket may lie above everything that is in it.
        let at = |q: f64| if count == 0 { 0.0 } else { ms(histogram.value_at_quantile(q).min(max)) };
        LatencyReport {
            mean,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: ms(max),
            count,
        }
    }
}

impl RunReport {
    /// The report of a computed run. Queries and claims are added by whoever asked them.
    pub fn new(run: &Run<Folds>, wall_ms: f64) -> RunReport {
        let plan = run.plan();
        let folds = run.folds();
        let rows = folds.rows();
        let ended = |counts: fn(Outcome) -> bool| rows.iter().map(|row| u64::from(row.ended(counts))).sum::<u64>();
        let completed = ended(Outcome::is_success);
        let failed = ended(|outcome| !outcome.is_success());
        let offered = folds.requests().len() as u64;
        let (latencies_ns, sum_ns, longest_ns) = folds.latencies_ns();
        let simulated_seconds = run.computed_to().since(Time::ZERO).as_seconds();
        let by_outcome = Outcome::ALL.iter().map(|outcome| {
            let count =
                rows.iter().flat_map(|row| &row.requests).map(|of| u64::from(of.outcomes[outcome.index()])).sum();
            (*outcome, count)
        });
        let rate = if simulated_seconds > 0.0 { completed as f64 / simulated_seconds } else { 0.0 };
        RunReport {
            scenario: plan.id.clone(),
            variant: plan.variant.clone(),
            seed: plan.seed,
            digest: run.digest(),
            simulated_seconds,
            events: run.steps(),
            wall_ms,
            requests: RequestsReport {
                offered,
                completed,
                failed,
                in_flight: offered - completed - failed,
                attempts: rows.iter().flat_map(|row| &row.requests).map(|of| u64::from(of.attempts)).sum(),
                by_outcome: by_outcome.collect(),
            },
            throughput_rps: rate,
            goodput_rps: rate,
            error_ratio: if completed + failed == 0 { 0.0 } else { failed as f64 / (completed + failed) as f64 },
            latency_ms: LatencyReport::new(&latencies_ns, Some((sum_ns, longest_ns))),
            nodes: (0..plan.nodes.len()).map(|index| node_report(run, NodeId(index as u16))).collect(),
            metrics: metrics(run),
            queries: BTreeMap::new(),
            claims: Vec::new(),
        }
    }
}

fn node_report(run: &Run<Folds>, id: NodeId) -> (String, NodeReport) {
    let plan = &run.plan().nodes[id.index()];
    let rows = run.folds().rows().iter().map(|row| row.nodes[id.index()]);
    let seconds = run.folds().rows().len().max(1) as f64;
    let mean = |ns: u64| ns as f64 / 1e9 / seconds;
    let in_service_mean = mean(rows.clone().map(|row| row.levels.in_service.integral_ns).sum());
    let sum = |count: fn(&crate::metrics::NodeRow) -> u32| rows.clone().map(|row| u64::from(count(&row))).sum::<u64>();
    let report = NodeReport {
        utilization: in_service_mean / f64::from(capacity(&plan.kind).unwrap_or(1)),
        queue_mean: mean(rows.clone().map(|row| row.levels.waiting.integral_ns).sum()),
        queue_max: rows.clone().map(|row| row.levels.waiting.max).max().unwrap_or(0),
        in_service_mean,
        arrivals: sum(|row| row.arrivals),
        completions: sum(|row| row.completions),
        rejections: sum(|row| row.rejections),
        sojourn_ms: LatencyReport::new(&run.folds().sojourns_ns(id), None),
    };
    (plan.id.clone(), report)
}

/// Every signal over the whole run, in the way that is natural to its kind: without labels, and with each value of each label.
fn metrics(run: &Run<Folds>) -> BTreeMap<String, f64> {
    let (plan, folds) = (run.plan(), run.folds());
    let mut found = BTreeMap::new();
    for signal in signals(plan) {
        let one = |(label, values): &Label| -> Vec<Vec<(String, String)>> {
            values.iter().map(|value| vec![(label.clone(), value.clone())]).collect()
        };
        for labels in std::iter::once(Vec::new()).chain(signal.labels.iter().flat_map(one)) {
            let asked = Signal::new(plan, &signal.name, &labels);
            if let Ok(Some(value)) = asked.and_then(|asked| asked.reduce(plan, folds, None, None)) {
                found.insert(signal_text(&signal.name, &labels), value);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_by_outcome_are_the_outcomes_names() {
        for outcome in Outcome::ALL {
            let key = serde_json::to_value(BTreeMap::from([(outcome, 1)])).expect("an outcome can be a key");
            assert_eq!(key, serde_json::json!({ outcome.as_str(): 1 }));
        }
    }
}
