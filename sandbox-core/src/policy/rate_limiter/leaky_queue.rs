//! A leaky bucket as a queue: requests are delayed until they leave one by one.
//!
//! Promise: two admitted requests never start closer together than the cost of the later one takes at the rate, nobody
//! waits longer than `burst` takes, and the order is kept. Semantics: nginx `limit_req` with `burst` and without `nodelay`,
//! where the excess of a request is max(excess - rate x time passed + cost, 0): it must not exceed `burst`, and the
//! request is delayed by excess / rate. A refused request changes nothing.

use super::{Cost, Rate};
use crate::policy::{Denial, DenyReason};
use crate::time::Time;

/// Checked parameters of a leaky queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakyQueueConfig {
    rate: Rate,
    burst: Cost,
}

impl LeakyQueueConfig {
    /// `rate` requests leave per second, and the backlog grows to `burst` at most; 0 delays nobody. No default.
    pub fn new(rate: Rate, burst: Cost) -> LeakyQueueConfig {
        LeakyQueueConfig { rate, burst }
    }

    /// The same from plain numbers.
    pub fn per_second(rate: f64, burst: u32) -> Result<LeakyQueueConfig, String> {
        Ok(LeakyQueueConfig::new(Rate::per_second(rate)?, burst.into()))
    }
}

/// One queue. It keeps no requests, only when the last one starts.
#[derive(Clone, Debug)]
pub struct LeakyQueue {
    config: LeakyQueueConfig,
    /// Start of the request admitted last, in ticks of the rate; None before the first.
    last_start_ticks: Option<u128>,
}

impl LeakyQueue {
    /// An empty queue.
    pub fn new(config: LeakyQueueConfig) -> LeakyQueue {
        LeakyQueue { config, last_start_ticks: None }
    }

    /// When may a request of this cost that comes now start?
    pub fn decide(&mut self, now: Time, cost: impl Into<Cost>) -> Result<Time, Denial> {
        let LeakyQueueConfig { rate, burst } = self.config;
        let now_ticks = rate.ticks(now);
        let earliest_ticks = self.last_start_ticks.map_or(0, |last| last + Rate::ticks_for(cost.into()));
        let start_ticks = earliest_ticks.max(now_ticks);
        let latest_ticks = now_ticks + Rate::ticks_for(burst);
        if start_ticks <= latest_ticks {
            self.last_start_ticks = Some(start_ticks);
            return Ok(rate.time(start_ticks).unwrap_or(Time::NEVER));
        }
        let retry_at = rate.time(start_ticks - Rate::ticks_for(burst));
        Err(Denial { retry_at, reason: DenyReason::RateLimited })
    }

    pub(super) fn remaining(&self, now: Time) -> u64 {
        let LeakyQueueConfig { rate, burst } = self.config;
        let latest_ticks = rate.ticks(now) + Rate::ticks_for(burst);
        // The first of them starts at once if a whole request has drained since the last start.
        let idle_ticks = rate.ticks(now).saturating_sub(Rate::ticks_for(Cost::ONE));
        let last_ticks = self.last_start_ticks.map_or(idle_ticks, |last| last.max(idle_ticks));
        (latest_ticks.saturating_sub(last_ticks) / Rate::ticks_for(Cost::ONE)) as u64
    }

    pub(super) fn reset_at(&self) -> Time {
        self.last_start_ticks.map_or(Time::ZERO, |last| self.config.rate.time(last).unwrap_or(Time::NEVER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use proptest::prelude::*;

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    #[test]
    fn a_burst_leaves_one_by_one() {
        let mut queue = LeakyQueue::new(LeakyQueueConfig::per_second(10.0, 2).unwrap());
        let starts = [0, 0, 0, 0].map(|_| queue.decide(at(50), 1).map_err(|denial| denial.retry_at));
        assert_eq!(starts, [Ok(at(50)), Ok(at(150)), Ok(at(250)), Err(Some(at(150)))]);
        assert_eq!(queue.decide(at(700), 1), Ok(at(700)), "idle time is not saved up");
        assert_eq!(queue.decide(at(710), 1), Ok(at(800)));
    }

    #[test]
    fn without_a_burst_nobody_waits() {
        let mut queue = LeakyQueue::new(LeakyQueueConfig::per_second(10.0, 0).unwrap());
        assert_eq!(queue.decide(at(0), 1), Ok(at(0)));
        assert_eq!(queue.decide(at(99), 1).map_err(|denial| denial.retry_at), Err(Some(at(100))));
        assert_eq!(queue.decide(at(100), 1), Ok(at(100)));
    }

    proptest! {
        #[test]
        fn starts_keep_their_distance_and_no_wait_is_longer_than_the_burst(
            rate in 1u32..1_000, burst in 0u32..10, asked in prop::collection::vec((1u32..3, 0u64..3_000_000), 1..100),
        ) {
            let mut queue = LeakyQueue::new(LeakyQueueConfig::per_second(rate.into(), burst).unwrap());
            let (mut now, mut last) = (Time::ZERO, None::<Time>);
            let per_request = 1e9 / f64::from(rate);
            for (cost, gap) in asked {
                now += Span::from_nanos(gap);
                let Ok(start) = queue.decide(now, cost) else { continue };
                prop_assert!(start.since(now).as_nanos() as f64 <= f64::from(burst) * per_request + 1.0);
                if let Some(last) = last {
                    prop_assert!(start.since(last).as_nanos() as f64 + 1.0 >= f64::from(cost) * per_request);
                }
                last = Some(start);
            }
        }
    }
}
