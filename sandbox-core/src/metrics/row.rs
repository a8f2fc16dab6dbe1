//! One simulated second in numbers. Rows merge, so any window of whole seconds is a sum of rows.

use super::declared::SeriesRow;
use super::histogram::Buckets;
use crate::engine::{GaugeRow, LevelRow};
use crate::trace::{CacheResult, Outcome};

/// One simulated second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Which second, from 0.
    pub second: u32,
    /// Requests by class ([`super::Folds::classes`]); a class that was not met yet is not there. A request counts in the
    /// second in which it ends.
    pub requests: Vec<RequestRow>,
    /// All nodes, in the plan's order.
    pub nodes: Vec<NodeRow>,
    /// The series of declared signals, in order.
    pub series: Vec<SeriesRow>,
}

/// The requests of one class in one second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestRow {
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
    /// Calls it refused because its line was full.
    pub shed: u32,
    /// Calls it refused because a token bucket was empty.
    pub rate_limited: u32,
    /// Circuit breakers of its own that are open.
    pub breakers_open: GaugeRow,
    /// Circuit breakers of its own that opened.
    pub breaker_trips: u32,
    /// Calls of its own that timed out.
    pub timeouts: u32,
    /// Calls of its own that it tried again.
    pub retries: u32,
    /// What was found, if it is a cache, by [`lookup_index`].
    pub lookups: [u32; 8],
    /// Alerts it raised, if it is a monitor.
    pub alerts: u32,
    /// Alerts that reached somebody.
    pub delivered: u32,
}

impl NodeRow {
    /// Look-ups that were answered from a copy at once.
    pub fn served(&self) -> u32 {
        let from_copies = [CacheResult::Fresh, CacheResult::Early, CacheResult::Revalidate];
        from_copies.map(|result| self.lookups[lookup_index(result)]).iter().sum()
    }
}

impl RequestRow {
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
    /// Requests, of all classes, that ended in a way that `counts`.
    pub fn ended(&self, counts: impl Fn(Outcome) -> bool + Copy) -> u32 {
        self.requests.iter().map(|requests| requests.ended(counts)).sum()
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
        let mut all = Buckets::default();
        self.requests.iter().for_each(|requests| all.merge(&requests.latency));
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
        CacheResult::Failure => 7,
    }
}
