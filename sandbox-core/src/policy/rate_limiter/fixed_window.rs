//! A counter per window.
//!
//! Promise: no window passes more than its limit. Two windows that touch pass twice as much in an arbitrarily short time:
//! that is the known weakness of this algorithm. Windows are half-open and either aligned to the start of time (a counter of
//! floor(t / window)) or anchored at the request that opens them (Redis `INCR`, and `EXPIRE` when the counter is 1).

use super::{Cost, WindowConfig};
use crate::policy::{Denial, DenyReason};
use crate::time::{Span, Time};

/// One counter.
#[derive(Clone, Debug)]
pub struct FixedWindow {
    config: WindowConfig,
    anchored: bool,
    /// End of the window that `used` belongs to.
    ends_at: Time,
    used: Cost,
}

impl FixedWindow {
    /// Windows aligned to the start of time.
    pub fn aligned(config: WindowConfig) -> FixedWindow {
        FixedWindow { config, anchored: false, ends_at: Time::ZERO, used: Cost::default() }
    }

    /// Windows that begin with the first request after the one before has ended.
    pub fn anchored(config: WindowConfig) -> FixedWindow {
        FixedWindow { anchored: true, ..FixedWindow::aligned(config) }
    }

    /// May a request of this cost pass now? If so, counts it.
    pub fn decide(&mut self, now: Time, cost: impl Into<Cost>) -> Result<(), Denial> {
        let cost = cost.into();
        if cost > self.config.limit {
            return Err(Denial { retry_at: None, reason: DenyReason::CostAboveBurst });
        }
        if now >= self.ends_at {
            let into = if self.anchored { 0 } else { now.as_nanos() % self.config.window.as_nanos() };
            self.ends_at = now - Span::from_nanos(into) + self.config.window;
            self.used = Cost::default();
        }
        let passes = cost <= self.config.left(self.used);
        if passes || self.config.count_rejected {
            self.used = Cost(self.used.0.saturating_add(cost.0));
        }
        if passes { Ok(()) } else { Err(Denial { retry_at: Some(self.ends_at), reason: DenyReason::RateLimited }) }
    }

    pub(super) fn remaining(&self, now: Time) -> u64 {
        let used = if now < self.ends_at { self.used } else { Cost::default() };
        self.config.left(used).whole_requests()
    }

    pub(super) fn reset_at(&self) -> Time {
        self.ends_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config(limit: u32, window_ms: u64) -> WindowConfig {
        WindowConfig::new(limit.into(), Span::from_millis(window_ms)).unwrap()
    }

    fn passed(mut window: FixedWindow, asked_ms: &[u64]) -> Vec<bool> {
        asked_ms.iter().map(|&ms| window.decide(Time::ZERO + Span::from_millis(ms), 1).is_ok()).collect()
    }

    #[test]
    fn an_aligned_window_ends_at_a_multiple_and_an_anchored_one_after_its_first_request() {
        let asked = [900, 950, 1_000, 1_899, 1_900];
        assert_eq!(passed(FixedWindow::aligned(config(1, 1_000)), &asked), [true, false, true, false, false]);
        assert_eq!(passed(FixedWindow::anchored(config(1, 1_000)), &asked), [true, false, false, false, true]);
    }

    #[test]
    fn a_refusal_takes_nothing_unless_refusals_count() {
        let second = Time::from_seconds(1.0);
        for (count_rejected, left) in [(false, 1), (true, 0)] {
            let mut window = FixedWindow::aligned(config(3, 1_000).count_rejected(count_rejected));
            assert!(window.decide(second, 2).is_ok());
            assert!(window.decide(second, 2).is_err());
            assert_eq!(window.remaining(second), left);
        }
    }

    proptest! {
        /// No window of either kind passes more than the limit, whatever the costs.
        #[test]
        fn no_window_passes_more_than_its_limit(
            limit in 1u32..10, anchored in any::<bool>(), asked in prop::collection::vec((1u32..5, 0u64..40), 1..80),
        ) {
            let config = config(limit, 100);
            let mut window = if anchored { FixedWindow::anchored(config) } else { FixedWindow::aligned(config) };
            let (mut now, mut start, mut used) = (0u64, None, 0);
            for (cost, gap) in asked {
                now += gap;
                let within = match start {
                    Some(start) if anchored => now < start + 100,
                    Some(start) => now / 100 == start / 100,
                    None => false,
                };
                if !within && cost <= limit {
                    (start, used) = (Some(now), 0);
                }
                if window.decide(Time::ZERO + Span::from_millis(now), cost).is_ok() {
                    used += cost;
                }
                prop_assert!(used <= limit);
            }
        }
    }
}
