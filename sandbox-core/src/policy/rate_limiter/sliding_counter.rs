//! Two counters, weighted: Cloudflare's sliding window.
//!
//! Promise: at a share `f` of the present window the estimate previous x (1 - f) + current never exceeds the limit. The
//! estimate takes the previous window for evenly filled, so a little more than the limit may pass in one window's length if
//! it was not. Source: "How we built rate limiting capable of scaling to millions of domains" (Cloudflare, 2017).

use super::{Cost, WindowConfig};
use crate::policy::{Denial, DenyReason};
use crate::time::{Span, Time};

/// One pair of counters.
#[derive(Clone, Debug)]
pub struct SlidingCounter {
    config: WindowConfig,
    counters: Counters,
}

/// What was counted in two windows that touch.
#[derive(Clone, Copy, Debug)]
struct Counters {
    /// Where the present window begins: a multiple of its length.
    start: Time,
    previous: Cost,
    current: Cost,
}

impl SlidingCounter {
    /// Nothing is counted yet.
    pub fn new(config: WindowConfig) -> SlidingCounter {
        let counters = Counters { start: Time::ZERO, previous: Cost::default(), current: Cost::default() };
        SlidingCounter { config, counters }
    }

    /// May a request of this cost pass now? If so, counts it.
    pub fn decide(&mut self, now: Time, cost: impl Into<Cost>) -> Result<(), Denial> {
        let cost = cost.into();
        if cost > self.config.limit {
            return Err(Denial { retry_at: None, reason: DenyReason::CostAboveBurst });
        }
        self.counters = self.counters.at(now, self.config.window);
        let passes = self.passes_from(self.counters, cost).is_some_and(|from| from <= now);
        if passes || self.config.count_rejected {
            self.counters.current = Cost(self.counters.current.0.saturating_add(cost.0));
        }
        if passes {
            Ok(())
        } else {
            Err(Denial { retry_at: Some(self.passes_at(cost)), reason: DenyReason::RateLimited })
        }
    }

    /// The estimate of what the last window's length has seen, in requests.
    pub fn estimate(&self, now: Time) -> f64 {
        let Counters { start, previous, current } = self.counters.at(now, self.config.window);
        let share_left = 1.0 - now.since(start).as_nanos() as f64 / self.config.window.as_nanos() as f64;
        previous.as_requests() * share_left + current.as_requests()
    }

    /// From when on, within the window of these counters, a cost passes; None: not in this window.
    fn passes_from(&self, counters: Counters, cost: Cost) -> Option<Time> {
        let room = self.config.limit.0.checked_sub(counters.current.0.checked_add(cost.0)?)?;
        let window = self.config.window.as_nanos();
        // The previous window's weight must have fallen to room / previous: in whole nanoseconds that remain of it.
        let may_remain = (u128::from(room) * u128::from(window)).checked_div(u128::from(counters.previous.0));
        let waits = window - may_remain.map_or(window, |remains| remains.min(u128::from(window)) as u64);
        (waits < window).then(|| counters.start + Span::from_nanos(waits))
    }

    /// When a cost that does not pass now will pass.
    fn passes_at(&self, cost: Cost) -> Time {
        let mut counters = self.counters;
        loop {
            if let Some(from) = self.passes_from(counters, cost) {
                return from;
            }
            counters = counters.next(self.config.window);
        }
    }

    pub(super) fn remaining(&self, now: Time) -> u64 {
        let counters = self.counters.at(now, self.config.window);
        let window = u128::from(self.config.window.as_nanos());
        let remains = window - u128::from(now.since(counters.start).as_nanos());
        // In units times nanoseconds, so that nothing is rounded.
        let used = u128::from(counters.previous.0) * remains + u128::from(counters.current.0) * window;
        let left = (u128::from(self.config.limit.0) * window).saturating_sub(used);
        (left / (u128::from(Cost::ONE.0) * window)) as u64
    }

    pub(super) fn reset_at(&self) -> Time {
        let Counters { start, previous, current } = self.counters;
        let window = self.config.window;
        match (previous.0, current.0) {
            (0, 0) => Time::ZERO,
            (_, 0) => start + window,
            _ => start + window + window,
        }
    }
}

impl Counters {
    /// The counters as they stand at `now`, which lies in their window or later.
    fn at(self, now: Time, window: Span) -> Counters {
        let since = now.since(self.start).as_nanos() / window.as_nanos();
        match since {
            0 => self,
            1 => self.next(window),
            _ => Counters {
                start: now - Span::from_nanos(now.as_nanos() % window.as_nanos()),
                previous: Cost::default(),
                current: Cost::default(),
            },
        }
    }

    /// One window later.
    fn next(self, window: Span) -> Counters {
        Counters { start: self.start + window, previous: self.current, current: Cost::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counter(limit: u32, window_ms: u64) -> SlidingCounter {
        SlidingCounter::new(WindowConfig::new(limit.into(), Span::from_millis(window_ms)).unwrap())
    }

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    #[test]
    fn the_example_of_the_article() {
        // 42 in the minute before, 18 in the first 15 s of this one: 42 * 0.75 + 18 = 49.5 of 50.
        let mut counter = counter(50, 60_000);
        for asked in (0..42).map(|k| k * 1_000).chain((0..18).map(|k| if k < 9 { 66_000 } else { 74_900 })) {
            assert!(counter.decide(at(asked), 1).is_ok());
        }
        assert_eq!(counter.estimate(at(75_000)), 49.5);
        assert_eq!(counter.decide(at(75_000), 1).unwrap_err().retry_at, Some(Time::from_nanos(75_714_285_715)));
    }

    #[test]
    fn a_full_window_weighs_on_the_next() {
        let mut counter = counter(2, 1_000);
        assert!(counter.decide(at(900), 2).is_ok());
        assert_eq!(counter.decide(at(1_000), 1).unwrap_err().retry_at, Some(at(1_500)));
        assert_eq!(counter.decide(at(1_000), 2).unwrap_err().retry_at, Some(at(2_000)));
        assert_eq!((counter.remaining(at(1_500)), counter.reset_at()), (1, at(2_000)));
    }

    proptest! {
        /// After every admission the estimate is at most the limit, in exact arithmetic.
        #[test]
        fn the_estimate_never_exceeds_the_limit(
            limit in 1u32..10, asked in prop::collection::vec((1u32..4, 0u64..150), 1..80),
        ) {
            let mut counter = counter(limit, 100);
            let (mut now, mut passed): (u64, Vec<(u64, u32)>) = (0, Vec::new());
            for (cost, gap) in asked {
                now += gap;
                let in_window = |window: u64| {
                    passed.iter().filter(|(then, _)| then / 100 + 1 == window).map(|(_, cost)| u64::from(*cost)).sum::<u64>()
                };
                let (previous, current) = (in_window(now / 100), in_window(now / 100 + 1));
                let after = previous * (100 - now % 100) + (current + u64::from(cost)) * 100;
                prop_assert_eq!(counter.decide(at(now), cost).is_ok(), after <= u64::from(limit) * 100);
                if after <= u64::from(limit) * 100 {
                    passed.push((now, cost));
                }
            }
        }
    }
}
