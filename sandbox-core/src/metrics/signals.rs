//! Signals: the numbers that claims and queries may ask for, each read from the rows of a run.

use super::folds::Folds;
use super::histogram::Buckets;
use super::recovery::recovery_seconds;
use super::row::{NodeRow, OpRow, Row};
use crate::ids::NodeId;
use crate::scenario::{Op, Plan};
use crate::trace::Outcome;

/// A signal with its labels resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    kind: Kind,
    op: Option<Op>,
    node: Option<NodeId>,
    outcome: Option<Outcome>,
    lookup: Option<usize>,
}

/// How a window of a signal becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduced {
    /// Weighted by time (gauge), by number (histogram), or of sums (ratio).
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// Of the last second.
    Last,
    /// A quantile.
    Quantile(u16),
    /// How many.
    Count,
    /// All together.
    Sum,
    /// Per second.
    Rate,
    /// The largest one-second bucket.
    Max1s,
    /// The smallest one-second bucket.
    Min1s,
    /// The scalar of the whole run.
    Value,
}

/// A window of whole seconds, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First second.
    pub from: u32,
    /// The second after the last.
    pub to: u32,
}

/// Why a signal cannot be read.
pub type SignalError = String;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Requests,
    Attempts,
    Goodput,
    Errors,
    ErrorRatio,
    Duration,
    FailedDuration,
    Responses,
    StaleServed,
    CacheRequests,
    CircuitRejections,
    CircuitState,
    Retries,
    Timeouts,
    QueueLength,
    Utilization,
    RecoverySeconds,
}

/// Name, kind, what it is, and the labels it takes.
const SIGNALS: &[(&str, Kind, &str, &[&str])] = &[
    ("http_requests_total", Kind::Requests, "requests that ended", &["op"]),
    ("http_attempts_total", Kind::Attempts, "attempts that clients sent", &["op"]),
    ("http_goodput_total", Kind::Goodput, "requests answered with success before the client's deadline", &["op"]),
    ("http_errors_total", Kind::Errors, "requests that ended in any other way", &["op"]),
    ("http_error_ratio", Kind::ErrorRatio, "errors / (errors + goodput)", &["op"]),
    ("http_request_duration_seconds", Kind::Duration, "latency of successes from the intended send", &["op"]),
    ("http_failed_duration_seconds", Kind::FailedDuration, "latency of failures from the intended send", &["op"]),
    ("http_responses_total", Kind::Responses, "requests by how they ended", &["op", "outcome"]),
    ("cache_stale_served_total", Kind::StaleServed, "answers from expired copies", &["op"]),
    ("cache_requests_total", Kind::CacheRequests, "look-ups by result", &["node", "result"]),
    ("circuit_rejections_total", Kind::CircuitRejections, "calls that a circuit breaker did not let out", &["node"]),
    ("circuit_state", Kind::CircuitState, "0 closed, 1 open, 2 half-open", &["node"]),
    ("retries_total", Kind::Retries, "calls that were tried again", &["node"]),
    ("timeouts_total", Kind::Timeouts, "calls whose caller stopped waiting", &["node"]),
    ("queue_length", Kind::QueueLength, "calls in the waiting line", &["node"]),
    ("utilization", Kind::Utilization, "share of workers or connections in use", &["node"]),
    ("recovery_seconds", Kind::RecoverySeconds, "from the end of the last fault to lasting recovery", &[]),
];

const RESULTS: [&str; 4] = ["hit", "stale", "expired", "miss"];

impl Signal {
    /// Names and meanings of all signals.
    #[inline]
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static [&'static str])> {
        SIGNALS.iter().map(|(name, _, help, labels)| (*name, *help, *labels))
    }

    /// The signal of this name with these labels. Errors name the word that is not known and the known ones.
    #[inline]
    pub fn new(plan: &Plan, name: &str, labels: &[(String, String)]) -> Result<Signal, SignalError> {
        let plain = name.strip_prefix("faultline_").unwrap_or(name);
        let Some((_, kind, _, allowed)) = SIGNALS.iter().find(|(known, ..)| *known == plain) else {
            let known: Vec<&str> = SIGNALS.iter().map(|(name, ..)| *name).collect();
            return Err(format!("there is no signal `{name}`; known: {}", known.join(", ")));
        };
        let mut signal = Signal { kind: *kind, op: None, node: None, outcome: None, lookup: None };
        for (label, value) in labels {
            if !allowed.contains(&label.as_str()) {
                return Err(format!("`{name}` has no label `{label}`; it has: {}", allowed.join(", ")));
            }
            let known = match label.as_str() {
                "op" => {
                    signal.op = match value.as_str() {
                        "read" => Some(Op::Read),
                        "write" => Some(Op::Write),
                        _ => None,
                    };
                    signal.op.is_some()
                }
                "node" => {
                    signal.node = plan.node(value);
                    signal.node.is_some()
                }
                "outcome" => {
                    signal.outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == value);
                    signal.outcome.is_some()
                }
                _ => {
                    signal.lookup = RESULTS.iter().position(|result| result == value);
                    signal.lookup.is_some()
                }
            };
            if !known {
                return Err(format!("`{label}={value}` of `{name}` names nothing in this scenario"));
            }
        }
        if matches!(kind, Kind::QueueLength | Kind::Utilization | Kind::CircuitState) && signal.node.is_none() {
            return Err(format!("`{name}` needs a node: `{name}{{node=...}}`"));
        }
        Ok(signal)
    }

    /// Reduces a window of the signal, the whole run if there is none. Ok(None): there is nothing in the window.
    #[inline]
    pub fn reduce(
        &self,
        plan: &Plan,
        folds: &Folds,
        reduced: Reduced,
        window: Option<Window>,
    ) -> Result<Option<f64>, SignalError> {
        let last = folds.rows().len() as u32;
        let window = window.unwrap_or(Window { from: 0, to: last });
        let rows = &folds.rows()[(window.from.min(last)) as usize..(window.to.min(last)) as usize];
        if rows.is_empty() && self.kind != Kind::RecoverySeconds {
            return Ok(None);
        }
        let wrong = |what: &str, fits: &str| Err(format!("a {what} is reduced by {fits}"));
        match self.kind {
            Kind::RecoverySeconds => match reduced {
                Reduced::Value => Ok(recovery_seconds(plan, folds)),
                _ => wrong("scalar", "value"),
            },
            Kind::Duration | Kind::FailedDuration => match self.distribution(rows, reduced) {
                Some(value) => Ok(value),
                None => wrong("histogram", "mean, max, min, p50, p95, p99, p999 or count"),
            },
            Kind::ErrorRatio => {
                let ratio = |rows: &[Row]| {
                    let (failed, all) = self.sums(rows);
                    (all > 0.0).then(|| failed / all)
                };
                let mut each = rows.iter().filter_map(|row| ratio(std::slice::from_ref(row)));
                match reduced {
                    Reduced::Mean => Ok(ratio(rows)),
                    Reduced::Max => Ok(each.reduce(f64::max)),
                    Reduced::Min => Ok(each.reduce(f64::min)),
                    Reduced::Last => Ok(each.next_back()),
                    _ => wrong("ratio", "mean, max, min or last"),
                }
            }
            Kind::QueueLength | Kind::Utilization | Kind::CircuitState => {
                let each = rows.iter().map(|row| self.gauge(plan, row));
                let (means, maxima): (Vec<f64>, Vec<f64>) = each.unzip();
                match reduced {
                    Reduced::Mean => Ok(Some(means.iter().sum::<f64>() / means.len() as f64)),
                    Reduced::Max => Ok(maxima.into_iter().reduce(f64::max)),
                    Reduced::Min => Ok(means.into_iter().reduce(f64::min)),
                    Reduced::Last => Ok(means.last().copied()),
                    _ => wrong("gauge", "mean, max, min or last"),
                }
            }
            _ => {
                let counts: Vec<f64> = rows.iter().map(|row| self.count(row)).collect();
                let sum: f64 = counts.iter().sum();
                match reduced {
                    Reduced::Sum => Ok(Some(sum)),
                    Reduced::Rate => Ok(Some(sum / counts.len() as f64)),
                    Reduced::Max1s => Ok(counts.into_iter().reduce(f64::max)),
                    Reduced::Min1s => Ok(counts.into_iter().reduce(f64::min)),
                    _ => wrong("counter", "sum, rate, max1s or min1s"),
                }
            }
        }
    }

    #[inline]
    fn ops<'a>(&self, row: &'a Row) -> impl Iterator<Item = &'a OpRow> {
        let both = [Op::Read, Op::Write];
        let op = self.op;
        both.into_iter().filter(move |known| op.is_none_or(|op| op == *known)).map(|op| row.op(op))
    }

    #[inline]
    fn nodes<'a>(&self, row: &'a Row) -> impl Iterator<Item = &'a NodeRow> {
        let node = self.node;
        row.nodes
            .iter()
            .enumerate()
            .filter(move |(index, _)| node.is_none_or(|node| node.index() == *index))
            .map(|(_, row)| row)
    }

    /// Failures and all, for the ratio.
    #[inline]
    fn sums(&self, rows: &[Row]) -> (f64, f64) {
        let of = |count: fn(&OpRow) -> u32| {
            rows.iter().flat_map(|row| self.ops(row)).map(|op| f64::from(count(op))).sum::<f64>()
        };
        (of(OpRow::failed), of(OpRow::failed) + of(OpRow::completed))
    }

    #[inline]
    fn count(&self, row: &Row) -> f64 {
        let of_ops = |count: &dyn Fn(&OpRow) -> u32| self.ops(row).map(|op| f64::from(count(op))).sum();
        let of_nodes = |count: &dyn Fn(&NodeRow) -> u32| self.nodes(row).map(|node| f64::from(count(node))).sum();
        match self.kind {
            Kind::Requests => of_ops(&|op| op.ended(|_| true)),
            Kind::Attempts => of_ops(&|op| op.attempts),
            Kind::Goodput => of_ops(&OpRow::completed),
            Kind::Errors => of_ops(&OpRow::failed),
            Kind::Responses => of_ops(&|op| op.ended(|outcome| self.outcome.is_none_or(|asked| asked == outcome))),
            Kind::StaleServed => of_ops(&|op| op.ended(|outcome| outcome == Outcome::OkStale)),
            Kind::CacheRequests => of_nodes(&|node| match self.lookup {
                Some(result) => node.lookups[result],
                None => node.lookups.iter().sum(),
            }),
            Kind::CircuitRejections => of_nodes(&|node| node.circuit_rejections),
            Kind::Retries => of_nodes(&|node| node.retries),
            Kind::Timeouts => of_nodes(&|node| node.timeouts),
            _ => unreachable!("not a counter"),
        }
    }

    /// Mean and maximum over a second.
    #[inline]
    fn gauge(&self, plan: &Plan, row: &Row) -> (f64, f64) {
        let node = self.node.expect("a gauge has a node");
        let levels = &row.nodes[node.index()].levels;
        let mean = |ns: u64| ns as f64 / 1e9;
        match self.kind {
            Kind::QueueLength => (mean(levels.waiting_ns), f64::from(levels.waiting_max)),
            Kind::CircuitState => (mean(levels.circuit_ns), f64::from(levels.circuit_max)),
            _ => {
                let capacity = f64::from(crate::engine::capacity(&plan.nodes[node.index()].kind).unwrap_or(1));
                (mean(levels.in_service_ns) / capacity, mean(levels.in_service_ns) / capacity)
            }
        }
    }

    /// None: not a way to reduce a histogram.
    #[inline]
    fn distribution(&self, rows: &[Row], reduced: Reduced) -> Option<Option<f64>> {
        let mut all = Buckets::default();
        for op in rows.iter().flat_map(|row| self.ops(row)) {
            all.merge(if self.kind == Kind::Duration { &op.latency } else { &op.failed_latency });
        }
        let seconds = match reduced {
            Reduced::Mean => all.mean(),
            Reduced::Max => all.max(),
            Reduced::Min => all.min(),
            Reduced::Quantile(per_mille) => all.quantile(f64::from(per_mille) / 1_000.0),
            Reduced::Count => return Some(Some(all.count() as f64)),
            _ => return None,
        };
        Some(seconds.map(|span| span.as_seconds()))
    }
}
