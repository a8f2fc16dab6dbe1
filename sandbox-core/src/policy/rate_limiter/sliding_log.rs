//! A log of admissions.
//!
//! Promise: no half-open interval of one window passes more than the limit: at `t` the admissions in (t - window, t] count.
//! The price is one entry for each admission of the last window.

use super::{Cost, WindowConfig};
use crate::policy::{Denial, DenyReason};
use crate::time::Time;
use std::collections::VecDeque;

/// One log.
#[derive(Clone, Debug)]
pub struct SlidingLog {
    config: WindowConfig,
    /// Oldest first.
    entries: VecDeque<(Time, Cost)>,
    /// Sum of the entries' costs.
    used: Cost,
}

impl SlidingLog {
    /// An empty log.
    pub fn new(config: WindowConfig) -> SlidingLog {
        SlidingLog { config, entries: VecDeque::new(), used: Cost::default() }
    }

    /// May a request of this cost pass now? If so, logs it.
    pub fn decide(&mut self, now: Time, cost: impl Into<Cost>) -> Result<(), Denial> {
        let cost = cost.into();
        if cost > self.config.limit {
            return Err(Denial { retry_at: None, reason: DenyReason::CostAboveBurst });
        }
        while self.entries.front().is_some_and(|(at, _)| *at + self.config.window <= now) {
            self.forget_oldest();
        }
        let passes = cost <= self.config.left(self.used);
        if passes || self.config.count_rejected {
            self.entries.push_back((now, cost));
            self.used.0 += cost.0;
        }
        if passes {
            return Ok(());
        }
        // Counted refusals may fill the limit several times over. Only the newest that fill it once can matter.
        while self.entries.front().is_some_and(|(_, oldest)| self.used.0 - oldest.0 >= self.config.limit.0) {
            self.forget_oldest();
        }
        Err(Denial { retry_at: Some(self.passes_at(cost)), reason: DenyReason::RateLimited })
    }

    fn forget_oldest(&mut self) {
        if let Some((_, cost)) = self.entries.pop_front() {
            self.used.0 -= cost.0;
        }
    }

    /// When so many entries have left that `cost` fits.
    fn passes_at(&self, cost: Cost) -> Time {
        let mut used = self.used;
        let fits = |&&(_, oldest): &&(Time, Cost)| {
            used.0 -= oldest.0;
            cost <= self.config.left(used)
        };
        let last_to_leave = self.entries.iter().find(fits).expect("the cost fits into an empty log");
        last_to_leave.0 + self.config.window
    }

    pub(super) fn remaining(&self, now: Time) -> u64 {
        let within = self.entries.iter().filter(|(at, _)| *at + self.config.window > now);
        self.config.left(Cost(within.map(|(_, cost)| cost.0).sum())).whole_requests()
    }

    pub(super) fn reset_at(&self) -> Time {
        self.entries.back().map_or(Time::ZERO, |(at, _)| *at + self.config.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use proptest::prelude::*;

    fn log(limit: u32, count_rejected: bool) -> SlidingLog {
        SlidingLog::new(
            WindowConfig::new(limit.into(), Span::from_millis(1_000)).unwrap().count_rejected(count_rejected),
        )
    }

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    #[test]
    fn an_entry_one_window_old_has_left() {
        let mut log = log(2, false);
        assert!(log.decide(at(0), 1).is_ok());
        assert!(log.decide(at(400), 1).is_ok());
        let refused = Denial { retry_at: Some(at(1_000)), reason: DenyReason::RateLimited };
        assert_eq!(log.decide(at(999), 1), Err(refused));
        assert!(log.decide(at(1_000), 1).is_ok());
        assert_eq!(log.reset_at(), at(2_000));
    }

    #[test]
    fn counted_refusals_lock_out_the_impatient() {
        let mut log = log(2, true);
        let passed: Vec<bool> = (0..40).map(|k| log.decide(at(k * 250), 1).is_ok()).collect();
        assert_eq!(passed.iter().filter(|passed| **passed).count(), 2, "whoever asks too often never passes again");
        assert!(log.entries.len() <= 3, "and needs no more memory than the limit");
    }

    proptest! {
        /// No interval of one window passes more than the limit.
        #[test]
        fn no_interval_passes_more_than_the_limit(
            limit in 1u32..8, asked in prop::collection::vec((1u32..4, 0u64..300), 1..80),
        ) {
            let mut log = log(limit, false);
            let (mut now, mut passed) = (0, Vec::new());
            for (cost, gap) in asked {
                now += gap;
                if log.decide(at(now), cost).is_ok() {
                    passed.push((now, cost));
                }
                let used: u32 = passed.iter().filter(|(then, _)| then + 1_000 > now).map(|(_, cost)| cost).sum();
                prop_assert!(used <= limit);
            }
        }

        /// Forgetting old refusals changes no decision.
        #[test]
        fn a_counting_log_decides_as_if_it_remembered_all(
            limit in 1u32..6, asked in prop::collection::vec((1u32..4, 0u64..500), 1..80),
        ) {
            let mut log = log(limit, true);
            let (mut now, mut seen): (u64, Vec<(u64, u32)>) = (0, Vec::new());
            for (cost, gap) in asked {
                now += gap;
                let used: u32 = seen.iter().filter(|(then, _)| then + 1_000 > now).map(|(_, cost)| cost).sum();
                prop_assert_eq!(log.decide(at(now), cost).is_ok(), used + cost <= limit);
                if cost <= limit {
                    seen.push((now, cost));
                }
            }
        }
    }
}
