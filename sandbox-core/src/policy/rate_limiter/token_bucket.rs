//! Token bucket, in its GCRA form.
//!
//! Promise: in any interval of `t` seconds at most `rate * t + burst` pass; whoever is refused is told the exact
//! nanosecond at which the same request would pass if nobody else came. A refused request takes nothing. The bucket
//! starts full and refills continuously.
//!
//! Instead of a token count the bucket keeps the instant at which it will be full again: the theoretical arrival time
//! of ITU-T I.371's GCRA (with T = 1 / rate and tau = (burst - 1) T), whose decisions are those of a token bucket. That
//! instant is exact: it is counted in fractions of a nanosecond so small that one token is always a whole number of
//! them, hence no rounding ever adds up. Left out: limits shared by several processes.

use super::{Cost, Rate};
use crate::policy::{Denial, DenyReason};
use crate::time::Time;

/// Checked parameters of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitConfig {
    rate: Rate,
    burst: Cost,
}

impl RateLimitConfig {
    /// A bucket of `burst` tokens refilled at `rate`. No default: a limit is chosen for what it protects.
    pub fn new(rate: Rate, burst: Cost) -> Result<RateLimitConfig, String> {
        if burst == Cost::default() {
            return Err("the burst is 0, so nothing would ever pass: use at least 1".into());
        }
        Ok(RateLimitConfig { rate, burst })
    }

    /// The same from plain numbers: tokens per second (kept to a billionth), and tokens.
    pub fn per_second(rate: f64, burst: u32) -> Result<RateLimitConfig, String> {
        RateLimitConfig::new(Rate::per_second(rate)?, burst.into())
    }

    /// Tokens per second.
    pub fn rate_per_second(&self) -> f64 {
        self.rate.as_per_second()
    }

    /// Tokens in a full bucket, in whole ones.
    pub fn burst(&self) -> u32 {
        self.burst.whole_requests() as u32
    }
}

/// One bucket: one key of one limit.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    config: RateLimitConfig,
    /// When the bucket is full again, in ticks of the rate; in the past if it is full.
    full_at_ticks: u128,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(config: RateLimitConfig) -> TokenBucket {
        TokenBucket { config, full_at_ticks: 0 }
    }

    /// May a request that costs so many tokens pass now? If so, takes them.
    pub fn decide(&mut self, now: Time, cost: impl Into<Cost>) -> Result<(), Denial> {
        let RateLimitConfig { rate, burst } = self.config;
        let cost = cost.into();
        if cost > burst {
            return Err(Denial { retry_at: None, reason: DenyReason::CostAboveBurst });
        }
        let now_ticks = rate.ticks(now);
        let full_at_ticks = self.full_at_ticks.max(now_ticks) + Rate::ticks_for(cost);
        if full_at_ticks <= now_ticks + Rate::ticks_for(burst) {
            self.full_at_ticks = full_at_ticks;
            return Ok(());
        }
        let retry_at = rate.time(full_at_ticks - Rate::ticks_for(burst));
        Err(Denial { retry_at, reason: DenyReason::RateLimited })
    }

    /// Tokens in the bucket now, fractions included; for drawing and for `RateLimit` headers.
    pub fn available(&self, now: Time) -> f64 {
        let missing_ticks = self.full_at_ticks.saturating_sub(self.config.rate.ticks(now));
        self.config.burst.as_requests() - missing_ticks as f64 / Rate::ticks_for(Cost::ONE) as f64
    }

    pub(super) fn remaining(&self, now: Time) -> u64 {
        let missing_ticks = self.full_at_ticks.saturating_sub(self.config.rate.ticks(now));
        ((Rate::ticks_for(self.config.burst) - missing_ticks) / Rate::ticks_for(Cost::ONE)) as u64
    }

    pub(super) fn reset_at(&self) -> Time {
        self.config.rate.time(self.full_at_ticks).unwrap_or(Time::NEVER)
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
        assert!(RateLimitConfig::per_second(0.0, 1).unwrap_err().contains("rate"));
        assert!(RateLimitConfig::per_second(1.0, 0).unwrap_err().contains("burst"));
    }

    proptest! {
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

        /// Every decision is that of GCRA as its standard writes it: pass iff t >= TAT - tau, then TAT = max(t, TAT) + T.
        #[test]
        fn decides_as_gcra(
            // Periods whose rate is a whole number of billionths.
            period in prop::sample::select(vec![1u64, 2, 8, 25, 50, 125, 250, 1_000]),
            burst in 1u32..10,
            gaps in prop::collection::vec(0u64..3_000, 1..120),
        ) {
            let mut bucket = bucket(1e9 / period as f64, burst);
            let (mut now, mut theoretical_arrival) = (0, 0);
            for gap in gaps {
                now += gap;
                let passes = now + u64::from(burst - 1) * period >= theoretical_arrival;
                prop_assert_eq!(bucket.decide(Time::from_nanos(now), 1).is_ok(), passes);
                if passes {
                    theoretical_arrival = theoretical_arrival.max(now) + period;
                }
            }
        }
    }
}
