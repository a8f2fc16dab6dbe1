//! A run in a few numbers.

use crate::engine::capacity;
use crate::metrics::{Buckets, Row, Run};
use crate::time::Span;
use crate::trace::Outcome as Ended;
use std::sync::Arc;

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Requests that ended, a second.
    pub ended_rps: f64,
    /// Share of them that succeeded; none: no request ended.
    pub answered: Option<f64>,
    /// The same of those that ended in the last tenth of the run: whether the system has come back by then.
    pub answered_at_end: Option<f64>,
    /// Median latency of successes, in seconds, to 0.4 %.
    pub p50_s: Option<f64>,
    /// 99th percentile of it.
    pub p99_s: Option<f64>,
    /// The share of each node's workers or connections in use, weighted by time, in the plan's order; none: it has no bound.
    pub busy: Vec<Option<f64>>,
    /// How most of the requests that failed ended, and their share of all that ended; none: none failed.
    pub failure: Option<(Ended, f64)>,
}

impl Outcome {
    /// What came of a computed run.
    #[inline]
    pub fn of(run: &Run) -> Outcome {
        let rows = run.folds().rows();
        let mut latencies = Buckets::default();
        rows.iter().for_each(|row| latencies.merge(&row.latency()));
        let plan = run.plan();
        let seconds = rows.len().max(1) as f64;
        let busy = plan.nodes.iter().enumerate().map(|(index, node)| {
            let places = f64::from(capacity(&node.kind)?);
            let in_use_ns: u64 = rows.iter().map(|row| row.nodes[index].levels.in_service.integral_ns).sum();
            Some(in_use_ns as f64 / 1e9 / seconds / places)
        });
        Outcome {
            ended_rps: rows.iter().map(|row| f64::from(row.total())).sum::<f64>() / seconds,
            answered: answered(rows),
            answered_at_end: answered(&rows[rows.len() - rows.len().div_ceil(10)..]),
            p50_s: latencies.quantile(0.5).map(Span::as_seconds),
            p99_s: latencies.quantile(0.99).map(Span::as_seconds),
            busy: busy.collect(),
            failure: failure(rows),
        }
    }
}

/// The kind of failure that is most frequent in these seconds, the first of several that are, and its share of what ended.
#[inline]
fn failure(rows: &[Arc<Row>]) -> Option<(Ended, f64)> {
    let all: u32 = rows.iter().map(|row| row.total()).sum();
    let count = |kind: Ended| rows.iter().map(|row| row.ended(|ended| ended == kind)).sum::<u32>();
    let kinds = Ended::ALL.into_iter().filter(|kind| !kind.is_success()).map(|kind| (kind, count(kind)));
    let (kind, most) = kinds.rev().max_by_key(|(_, count)| *count).filter(|(_, count)| *count > 0)?;
    Some((kind, f64::from(most) / f64::from(all)))
}

/// The share of requests that ended in these seconds with success.
#[inline]
fn answered(rows: &[Arc<Row>]) -> Option<f64> {
    let sum = |count: fn(&Row) -> u32| rows.iter().map(|row| f64::from(count(row))).sum::<f64>();
    let all = sum(Row::total);
    (all > 0.0).then(|| sum(|row| row.ended(Ended::is_success)) / all)
}
