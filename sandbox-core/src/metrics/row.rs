//! One simulated second in numbers. Rows merge, so any window of whole seconds is a sum of rows.

use super::histogram::Buckets;
use crate::engine::LevelRow;
use crate::scenario::Op;
use crate::trace::{CacheResult, Outcome};

/// One simulated second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Which second, from 0.
    pub second: u32,
    /// Requests by kind of operation: reads, then writes. A request counts in the second in which it ends.
    pub ops: [OpRow; 2],
    /// All nodes, in the plan's order.
    pub nodes: Vec<NodeRow>,
}

/// The requests of one kind of operation in one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpRow {
    /// How requests ended, by [`Outcome::index`].
    pub outcomes: [u32; Outcome::ALL.len()],
    /// Attempts that clients sent, the first ones included.
    pub attempts: u32,
    /// Latencies of successes, from the intended send.
    pub latency: Buckets,
    /// Latencies of failures.
    pub failed_latency: Buckets,
}

/// One node in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeRow {
    /// Its gauges.
    pub levels: LevelRow,
    /// Calls that arrived.
    pub arrivals: u32,
    /// Calls answered with success.
    pub completions: u32,
    /// Calls it refused, and calls of its own that it did not send.
    pub rejections: u32,
    /// Calls of its own that a circuit breaker did not let out.
    pub circuit_rejections: u32,
    /// Calls of its own that timed out.
    pub timeouts: u32,
    /// Calls of its own that it tried again.
    pub retries: u32,
    /// What was found, if it is a cache, by [`lookup_index`].
    pub lookups: [u32; 7],
    /// Expired copies it served because the origin failed.
    pub stale_served: u32,
}

impl OpRow {
    /// Requests that ended in a way that `counts`.
    pub fn ended(&self, counts: impl Fn(Outcome) -> bool) -> u32 {
        Outcome::ALL.iter().filter(|outcome| counts(**outcome)).map(|outcome| self.outcomes[outcome.index()]).sum()
    }

    /// Requests that were answered with success.
    pub fn completed(&self) -> u32 {
        self.ended(Outcome::is_success)
    }

    /// Requests that ended in any other way.
    pub fn failed(&self) -> u32 {
        self.ended(|outcome| !outcome.is_success())
    }
}

impl Row {
    /// The row of one kind of operation.
    pub fn op(&self, op: Op) -> &OpRow {
        match op {
            Op::Read => &self.ops[0],
            Op::Write => &self.ops[1],
        }
    }

    /// Requests, of all kinds, that ended in a way that `counts`.
    pub fn ended(&self, counts: impl Fn(Outcome) -> bool + Copy) -> u32 {
        self.ops.iter().map(|op| op.ended(counts)).sum()
    }

    /// Fresh answers.
    pub fn fresh(&self) -> u32 {
        self.ended(|outcome| outcome == Outcome::Ok)
    }

    /// Answers from expired copies.
    pub fn stale(&self) -> u32 {
        self.ended(|outcome| outcome == Outcome::OkStale)
    }

    /// Answers 4xx.
    pub fn client_errors(&self) -> u32 {
        self.ended(Outcome::is_client_error)
    }

    /// Failures of the system: 5xx, time-outs, refused connections.
    pub fn server_errors(&self) -> u32 {
        self.ended(|outcome| !outcome.is_success() && !outcome.is_client_error())
    }

    /// Requests that ended at all.
    pub fn total(&self) -> u32 {
        self.ended(|_| true)
    }

    /// Latencies of all successes.
    pub fn latency(&self) -> Buckets {
        let mut all = self.ops[0].latency.clone();
        all.merge(&self.ops[1].latency);
        all
    }
}

/// Position of a look-up's result in [`NodeRow::lookups`].
pub fn lookup_index(result: CacheResult) -> usize {
    match result {
        CacheResult::Fresh => 0,
        CacheResult::Stale => 1,
        CacheResult::TooOld => 2,
        CacheResult::Miss => 3,
        CacheResult::Revalidate => 4,
        CacheResult::Early => 5,
        CacheResult::Coalesced => 6,
    }
}
