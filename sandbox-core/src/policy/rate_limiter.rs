//! Rate limiting: a token bucket in its GCRA form.
//!
//! Promise: in any interval of `t` seconds at most `rate * t + burst` pass; whoever is refused is told the exact
//! nanosecond at which the same request would pass if nobody else came. A refused request takes nothing. The bucket
//! starts full and refills continuously.
//!
//! Instead of a token count the bucket keeps the instant at which it will be full again: the theoretical arrival time
//! of ITU-T I.371's GCRA, whose decisions are those of a token bucket. That instant is exact: it is counted in
//! fractions of a nanosecond so small that one token is always a whole number of them, hence no rounding ever adds up.
//! Left out: windows, queues that delay instead of refusing, limits shared by several processes.

use super::{Denial, DenyReason};
use crate::time::Time;

/// Rates are whole billionths of a request per second.
const RATE_UNITS_PER_REQUEST: f64 = 1e9;
/// Ticks that one token takes to refill. A tick is 1 / rate_units nanoseconds, so a token takes 10^9 ns * 10^9 ticks.
const TICKS_PER_TOKEN: u128 = 1_000_000_000_000_000_000;

/// Checked parameters of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitConfig {
    /// Refill in billionths of a token per second.
    rate_units: u64,
    burst: u32,
}

impl RateLimitConfig {
    /// A bucket of `burst` tokens refilled with `rate` tokens per second (kept to a billionth). No default: a limit is
    /// chosen for what it protects.
    pub fn per_second(rate: f64, burst: u32) -> Result<RateLimitConfig, String> {
        let rate_units = (rate * RATE_UNITS_PER_REQUEST).round();
        if !(1.0..=1e18).contains(&rate_units) {
            return Err(format!("the rate is {rate} per second: use a number above 0 and up to 1,000,000,000"));
        }
        if burst == 0 {
            return Err("the burst is 0, so nothing would ever pass: use at least 1".into());
        }
        Ok(RateLimitConfig { rate_units: rate_units as u64, burst })
    }

    /// Tokens per second.
    pub fn rate_per_second(&self) -> f64 {
        self.rate_units as f64 / RATE_UNITS_PER_REQUEST
    }

    /// Tokens in a full bucket.
    pub fn burst(&self) -> u32 {
        self.burst
    }
}

/// One bucket: one key of one limit.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    config: RateLimitConfig,
    /// When the bucket is full again, in ticks since the start; in the past if it is full.
    full_at_ticks: u128,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(config: RateLimitConfig) -> TokenBucket {
        TokenBucket { config, full_at_ticks: 0 }
    }

    /// May a request that costs `cost` tokens pass now? If so, takes them.
    pub fn decide(&mut self, now: Time, cost: u32) -> Result<(), Denial> {
        if cost > self.config.burst {
            return Err(Denial { retry_at: None, reason: DenyReason::CostAboveBurst });
        }
        let now_ticks = self.ticks(now);
        let full_at_ticks = self.full_at_ticks.max(now_ticks) + u128::from(cost) * TICKS_PER_TOKEN;
        let empty_for_ticks = u128::from(self.config.burst) * TICKS_PER_TOKEN;
        if full_at_ticks <= now_ticks + empty_for_ticks {
            self.full_at_ticks = full_at_ticks;
            return Ok(());
        }
        let nanos = (full_at_ticks - empty_for_ticks).div_ceil(u128::from(self.config.rate_units));
        let retry_at = u64::try_from(nanos).ok().map(Time::from_nanos);
        Err(Denial { retry_at, reason: DenyReason::RateLimited })
    }

    /// Tokens in the bucket now, fractions included; for drawing and for `RateLimit` headers.
    pub fn available(&self, now: Time) -> f64 {
        let missing_ticks = self.full_at_ticks.saturating_sub(self.ticks(now));
        f64::from(self.config.burst) - missing_ticks as f64 / TICKS_PER_TOKEN as f64
    }

    fn ticks(&self, at: Time) -> u128 {
        u128::from(at.as_nanos()) * u128::from(self.config.rate_units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(rate: f64, burst: u32) -> TokenBucket {
        TokenBucket::new(RateLimitConfig::per_second(rate, burst).unwrap())
    }

    fn limited(retry_at: u64) -> Result<(), Denial> {
        Err(Denial { retry_at: Some(Time::from_nanos(retry_at)), reason: DenyReason::RateLimited })
    }

    #[test]
    fn a_full_bucket_passes_its_burst_and_then_the_rate() {
        let mut bucket = bucket(10.0, 2);
        assert_eq!([bucket.decide(Time::ZERO, 1), bucket.decide(Time::ZERO, 1)], [Ok(()), Ok(())]);
        assert_eq!(bucket.decide(Time::ZERO, 1), limited(100_000_000));
        assert_eq!(bucket.decide(Time::from_nanos(99_999_999), 1), limited(100_000_000));
        assert_eq!(bucket.decide(Time::from_nanos(100_000_000), 1), Ok(()));
        assert_eq!(bucket.available(Time::from_nanos(150_000_000)), 0.5);
        assert_eq!(bucket.available(Time::from_seconds(9.0)), 2.0);
    }

    #[test]
    fn thirds_of_a_second_do_not_drift() {
        // At 3 per second the third token comes at exactly 1 s, not three rounded thirds later.
        let mut bucket = bucket(3.0, 1);
        assert_eq!(bucket.decide(Time::ZERO, 1), Ok(()));
        assert_eq!(bucket.decide(Time::ZERO, 1), limited(333_333_334));
        let mut passed = 0;
        let mut now = Time::ZERO;
        while passed < 3_000 {
            match bucket.decide(now, 1) {
                Ok(()) => passed += 1,
                Err(denial) => now = denial.retry_at.unwrap(),
            }
        }
        // Asking at whole nanoseconds loses at most one of them per request.
        assert!((1_000_000_000_000..1_000_000_003_000).contains(&now.as_nanos()), "{now:?}");
    }

    #[test]
    fn a_cost_above_the_burst_never_passes() {
        let mut bucket = bucket(10.0, 5);
        let never = Err(Denial { retry_at: None, reason: DenyReason::CostAboveBurst });
        assert_eq!(bucket.decide(Time::ZERO, 6), never);
        assert_eq!(bucket.decide(Time::ZERO, 5), Ok(()), "the refusal took nothing");
        assert_eq!(bucket.decide(Time::ZERO, 0), Ok(()), "nothing is always there");
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let mut bucket = bucket(1e9, u32::MAX);
        assert_eq!(bucket.decide(Time::NEVER, u32::MAX), Ok(()));
        assert!(bucket.decide(Time::NEVER, 1).is_err());
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-10, 2e9] {
            assert!(RateLimitConfig::per_second(rate, 1).unwrap_err().contains("rate"), "{rate}");
        }
        assert!(RateLimitConfig::per_second(1.0, 0).unwrap_err().contains("burst"));
    }

    proptest! {
        /// Refused one nanosecond before `retry_at`, allowed at it.
        #[test]
        fn denied_until_retry_at_allowed_at_it(
            rate in 0.01f64..1e6, burst in 1u32..50,
            costs in prop::collection::vec((1u32..50, 0u64..10_000_000), 1..60),
        ) {
            let mut bucket = bucket(rate, burst);
            let mut now = Time::ZERO;
            for (cost, gap) in costs {
                now = Time::from_nanos(now.as_nanos() + gap);
                if let Err(Denial { retry_at: Some(at), .. }) = bucket.decide(now, cost) {
                    prop_assert!(at > now);
                    let just_before = Time::from_nanos(at.as_nanos() - 1);
                    prop_assert!(bucket.clone().decide(just_before, cost).is_err());
                    prop_assert!(bucket.clone().decide(at, cost).is_ok());
                }
            }
        }

        /// Never more than rate * t + burst pass in any interval.
        #[test]
        fn no_interval_passes_more_than_promised(
            rate in 1u32..2_000, burst in 1u32..20, gaps in prop::collection::vec(0u64..3_000_000, 1..120),
        ) {
            let mut bucket = bucket(f64::from(rate), burst);
            let mut now = 0u64;
            let mut passed = Vec::new();
            for gap in gaps {
                now += gap;
                if bucket.decide(Time::from_nanos(now), 1).is_ok() {
                    passed.push(now);
                }
            }
            for (first, from) in passed.iter().enumerate() {
                for (count, to) in passed[first..].iter().enumerate() {
                    // (count + 1 - burst) tokens must have been refilled since `from`, in exact arithmetic.
                    let refilled = u128::from(to - from) * u128::from(rate);
                    prop_assert!((count as u128 + 1) * 1_000_000_000 <= refilled + u128::from(burst) * 1_000_000_000);
                }
            }
        }
    }
}
