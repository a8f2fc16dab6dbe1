//! A computed run as the page needs it again and again: its seconds, failures and milestones, taken from the folds once.

use crate::view_model::charts::{Lines, Second, Signals, Values, band_bounds_ms};
use crate::view_model::scrub::{Health, healths};
use crate::view_model::topology::name_of;
use crate::view_model::tour::Tour;
use crate::view_model::words;
use sandbox_core::ids::{NodeId, RequestId};
use sandbox_core::lesson::{ChartSpec, by_second};
use sandbox_core::metrics::{Folds, Milestone, Row};
use sandbox_core::scenario::{Kind, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline;
use sandbox_core::trace::What;

/// Enough for the number of any request that a plan may have (`limits::REQUESTS`).
pub const REQUEST_BITS: u32 = 23;

/// What a computed run holds.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Second by second.
    pub seconds: Vec<Second>,
    /// The lines of the lesson's own charts.
    pub signals: Signals,
    /// The health of each second.
    pub healths: Vec<Health>,
    /// Names of the lines where calls wait.
    pub lines: Lines,
    /// Failed requests in the order of their end: the step that ended them, and which.
    pub failures: Vec<(u64, RequestId)>,
    /// What changed the system, in order.
    pub milestones: Vec<Stone>,
    /// How play goes through it.
    pub tour: Tour,
    /// When it ends.
    pub end: Time,
}

/// A milestone, with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Stone {
    /// The step after which it has happened.
    pub step: u64,
    /// When.
    pub at: Time,
    /// What is about to happen, in a few words.
    pub text: String,
    /// What has happened, in the core's words.
    pub told: String,
    /// What the time line says above it, if anything.
    pub mark: Option<&'static str>,
    /// Whether a fault of the scenario begins or ends.
    pub fault: bool,
}

impl Facts {
    /// Takes them from a computed run that is shown by these charts.
    pub fn new(plan: &Plan, folds: &Folds, charts: &[ChartSpec]) -> Facts {
        let places = waiting_places(plan);
        // Step and request in one number each, so that sorting them costs no code of its own.
        let pack = |step: u64, request: RequestId| step << REQUEST_BITS | u64::from(request.0);
        let mut packed: Vec<u64> = folds.failures().map(|(failed, end)| pack(end.step, failed.request)).collect();
        packed.sort_unstable();
        let unpack = |packed: u64| (packed >> REQUEST_BITS, RequestId((packed & ((1 << REQUEST_BITS) - 1)) as u32));
        let failures = packed.into_iter().map(unpack).collect();
        let bounds: Vec<f64> = band_bounds_ms().into_iter().map(|ms| ms / 1e3).collect();
        let seconds: Vec<Second> = folds.rows().iter().map(|row| second(row, &places, &bounds)).collect();
        let milestones = folds.milestones().iter().map(|Milestone { step, record }| Stone {
            step: *step,
            at: record.at,
            text: words::milestone(plan, record.node, &record.what),
            told: timeline::words::record(plan, record),
            mark: words::mark(&record.what),
            fault: matches!(record.what, What::FaultBegan { .. } | What::FaultEnded { .. }),
        });
        let milestones: Vec<Stone> = milestones.collect();
        let times: Vec<f64> = milestones.iter().map(|stone| stone.at.as_seconds()).collect();
        Facts {
            healths: healths(&seconds),
            signals: charts.iter().map(|chart| signals(plan, folds, chart)).collect(),
            failures,
            tour: Tour::new(plan.end.as_seconds(), &times),
            lines: places.into_iter().map(|(name, _)| name).collect(),
            end: plan.end,
            seconds,
            milestones,
        }
    }

    /// The first so many seconds, for the charts.
    pub fn values(&self, seconds: usize) -> Values<'_> {
        Values { seconds: &self.seconds[..seconds], signals: &self.signals }
    }

    /// The next milestone after a step, with those that follow within a hundredth of a second left out.
    pub fn next_milestone(&self, step: u64) -> Option<&Stone> {
        self.milestones.get(self.milestones.partition_point(|stone| stone.step <= step))
    }

    /// The last milestone before a step.
    pub fn previous_milestone(&self, step: u64) -> Option<&Stone> {
        self.milestones[..self.milestones.partition_point(|stone| stone.step < step)].last()
    }

    /// The next failed request after a step.
    pub fn next_failure(&self, step: u64) -> Option<(u64, RequestId)> {
        self.failures.get(self.failures.partition_point(|(end, _)| *end <= step)).copied()
    }

    /// The last failed request before a step.
    pub fn previous_failure(&self, step: u64) -> Option<(u64, RequestId)> {
        self.failures[..self.failures.partition_point(|(end, _)| *end < step)].last().copied()
    }
}

/// The lines of a chart of the lesson's own. A query that makes no sense (`faultline check` names it) leaves its line empty.
fn signals(plan: &Plan, folds: &Folds, chart: &ChartSpec) -> Vec<Vec<Option<f64>>> {
    let ChartSpec::Signals(chart) = chart else { return Vec::new() };
    chart.lines.iter().map(|line| by_second(plan, folds, line).unwrap_or_default()).collect()
}

/// The groups of nodes with a waiting line, and their nodes.
fn waiting_places(plan: &Plan) -> Vec<(String, Vec<NodeId>)> {
    let mut places: Vec<(String, String, Vec<NodeId>)> = Vec::new();
    for (index, node) in plan.nodes.iter().enumerate() {
        if matches!(node.kind, Kind::Service(_) | Kind::Store(_)) {
            let id = NodeId(index as u16);
            match places.iter_mut().find(|(group, _, _)| *group == node.group) {
                Some((_, _, nodes)) => nodes.push(id),
                None => {
                    let name = if node.id == node.group { name_of(node) } else { node.group.clone() };
                    places.push((node.group.clone(), name, vec![id]));
                }
            }
        }
    }
    places.into_iter().map(|(_, name, nodes)| (name, nodes)).collect()
}

fn second(row: &Row, places: &[(String, Vec<NodeId>)], bounds: &[f64]) -> Second {
    let mut second = Second::default();
    for requests in &row.requests {
        for (sum, count) in second.outcomes.iter_mut().zip(requests.outcomes) {
            *sum += count;
        }
    }
    let latency = row.latency();
    second.samples = latency.count();
    second.bands = latency.counts(bounds).into_iter().map(|count| count as u32).collect();
    let quantile = |q: f64| latency.quantile(q).map(Span::as_ms);
    second.latency_ms = quantile(0.5).zip(quantile(0.95)).zip(quantile(0.99)).map(|((a, b), c)| [a, b, c]);
    let waiting = |nodes: &Vec<NodeId>| nodes.iter().map(|node| row.nodes[node.index()].levels.waiting.mean()).sum();
    second.waiting = places.iter().map(|(_, nodes)| waiting(nodes)).collect();
    second
}
