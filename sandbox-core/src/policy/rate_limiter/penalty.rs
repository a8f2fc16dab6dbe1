//! A penalty for whoever goes beyond a limit: for some time nothing of his passes, whatever the limit itself would say.
//!
//! Promise: from a refusal on, nothing passes for exactly the time of the penalty. Asking meanwhile begins that time anew, if
//! so wanted: whoever retries a 429 at once keeps himself out (several public APIs announce that). Without it the same struct
//! is an account's lockout (OWASP Authentication Cheat Sheet: threshold, observation window, duration of the lockout).

use super::{Cost, RateLimiter};
use crate::policy::{Denial, DenyReason};
use crate::time::{Span, Time};

/// Checked parameters of a penalty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PenaltyConfig {
    duration: Span,
    extends: bool,
}

impl PenaltyConfig {
    /// So long; with `extends` every request within it begins it anew.
    pub fn new(duration: Span, extends: bool) -> Result<PenaltyConfig, String> {
        if duration == Span::ZERO {
            return Err("the penalty lasts 0 s: use a time such as 5 s, or leave it out".into());
        }
        Ok(PenaltyConfig { duration, extends })
    }
}

/// The penalty of one key of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Penalty {
    until: Time,
}

impl Penalty {
    /// Asks a limit of which this is the penalty; what that refuses begins it.
    pub fn decide(
        &mut self,
        config: PenaltyConfig,
        limiter: &mut RateLimiter,
        now: Time,
        cost: Cost,
    ) -> Result<Time, Denial> {
        let denial = match now < self.until {
            true if !config.extends => Denial { retry_at: Some(self.until), reason: DenyReason::RateLimited },
            true => Denial { retry_at: Some(now), reason: DenyReason::RateLimited },
            false => match limiter.decide(now, cost) {
                Ok(start) => return Ok(start),
                Err(denial) => denial,
            },
        };
        if now >= self.until || config.extends {
            self.until = now + config.duration;
        }
        // Waiting does not help whose cost is above the limit itself.
        Err(Denial { retry_at: denial.retry_at.map(|at| at.max(self.until)), ..denial })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RateLimiterConfig, WindowConfig};
    use super::*;

    fn limiter() -> RateLimiter {
        let window = WindowConfig::new(2.into(), Span::from_millis(1_000)).unwrap();
        RateLimiter::new(RateLimiterConfig::FixedWindow(window))
    }

    fn at(seconds: f64) -> Time {
        Time::from_seconds(seconds)
    }

    #[test]
    fn a_refusal_keeps_everything_out_for_its_time_and_not_a_nanosecond_longer() {
        let config = PenaltyConfig::new(Span::from_millis(5_000), false).unwrap();
        let (mut limiter, mut penalty) = (limiter(), Penalty::default());
        let mut ask = |now: Time| penalty.decide(config, &mut limiter, now, Cost::ONE);
        assert!(ask(at(0.1)).is_ok() && ask(at(0.2)).is_ok());
        assert_eq!(ask(at(0.3)).unwrap_err().retry_at, Some(at(5.3)), "the limit alone would let it in at 1 s");
        assert_eq!(ask(at(2.0)).unwrap_err().retry_at, Some(at(5.3)), "asking changes nothing");
        assert!(ask(Time::from_nanos(at(5.3).as_nanos() - 1)).is_err());
        assert!(ask(at(5.3)).is_ok());
    }

    #[test]
    fn who_asks_again_before_an_extending_penalty_is_over_never_gets_out() {
        let config = PenaltyConfig::new(Span::from_millis(5_000), true).unwrap();
        let (mut limiter, mut penalty) = (limiter(), Penalty::default());
        let mut ask = |now: Time| penalty.decide(config, &mut limiter, now, Cost::ONE);
        let passed = (0..400).filter(|quarter| ask(at(f64::from(*quarter) / 4.0)).is_ok()).count();
        assert_eq!(passed, 2, "four a second where two are allowed: banned in the first second for ever");
        assert!(ask(at(104.75)).is_ok(), "5 s after the last one at 99.75 s");
    }

    #[test]
    fn what_is_too_large_for_the_limit_is_told_that_waiting_is_no_use() {
        let config = PenaltyConfig::new(Span::from_millis(5_000), true).unwrap();
        let too_large = Penalty::default().decide(config, &mut limiter(), at(1.0), 3.into());
        assert_eq!(too_large.unwrap_err().retry_at, None);
        assert!(PenaltyConfig::new(Span::ZERO, true).unwrap_err().contains("penalty"));
    }
}
