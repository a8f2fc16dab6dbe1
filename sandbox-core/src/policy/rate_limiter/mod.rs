//! Rate limiting: may this request pass, and if not, when?
//!
//! Seven algorithms behind one `decide`, and a penalty that any of them can have ([`penalty`]). What they share: a refused request takes nothing (unless a window counts
//! refusals), and whoever is refused is told the exact nanosecond at which the same request would pass if nobody else
//! came. All arithmetic is in integers, so nothing drifts.
//!
//! | algorithm | file | worst burst |
//! |---|---|---|
//! | `token_bucket`, `gcra` | [`token_bucket`] | the bucket, then the rate |
//! | `fixed_window`, `fixed_window_anchored` | [`fixed_window`] | twice the limit across a boundary |
//! | `sliding_log` | [`sliding_log`] | the limit, exactly |
//! | `sliding_counter` | [`sliding_counter`] | a little over the limit |
//! | `leaky_queue` | [`leaky_queue`] | none: one at a time |

pub mod fixed_window;
pub mod leaky_queue;
pub mod penalty;
pub mod sliding_counter;
pub mod sliding_log;
pub mod token_bucket;

pub use fixed_window::FixedWindow;
pub use leaky_queue::{LeakyQueue, LeakyQueueConfig};
pub use penalty::{Penalty, PenaltyConfig};
pub use sliding_counter::SlidingCounter;
pub use sliding_log::SlidingLog;
pub use token_bucket::{RateLimitConfig, TokenBucket};

use super::Denial;
use crate::time::{Span, Time};

/// Costs are whole billionths of a request, and rates whole billionths of a request per second.
const UNITS_PER_REQUEST: u64 = 1_000_000_000;
/// Largest cost, limit and rate, in requests.
const MOST_REQUESTS: f64 = 1e9;
/// Longest window: 30 years.
const LONGEST_WINDOW: Span = Span::from_nanos(30 * 366 * 86_400 * 1_000_000_000);

/// How much of a limit a request takes: 1 for an ordinary one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u64);

impl Cost {
    /// An ordinary request.
    pub const ONE: Cost = Cost(UNITS_PER_REQUEST);

    /// So many requests, kept to a billionth.
    pub fn requests(requests: f64) -> Result<Cost, String> {
        if !(0.0..=MOST_REQUESTS).contains(&requests) {
            return Err(format!("{requests} requests are no cost: use a number from 0 to 1,000,000,000"));
        }
        Ok(Cost((requests * UNITS_PER_REQUEST as f64).round() as u64))
    }

    /// In requests, fractions included.
    pub fn as_requests(self) -> f64 {
        self.0 as f64 / UNITS_PER_REQUEST as f64
    }

    fn whole_requests(self) -> u64 {
        self.0 / UNITS_PER_REQUEST
    }
}

impl From<u32> for Cost {
    fn from(requests: u32) -> Cost {
        Cost(u64::from(requests) * UNITS_PER_REQUEST)
    }
}

/// Requests per second, kept to a billionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u64);

impl Rate {
    /// So many requests per second.
    pub fn per_second(rate: f64) -> Result<Rate, String> {
        let units = (rate * UNITS_PER_REQUEST as f64).round();
        if !(1.0..=MOST_REQUESTS * UNITS_PER_REQUEST as f64).contains(&units) {
            return Err(format!("the rate is {rate} per second: use a number above 0 and up to 1,000,000,000"));
        }
        Ok(Rate(units as u64))
    }

    /// Requests per second.
    pub fn as_per_second(self) -> f64 {
        self.0 as f64 / UNITS_PER_REQUEST as f64
    }

    /// An instant in ticks of this rate. A tick is a nanosecond divided by the rate's units, so that a request takes a
    /// whole number of them and no rounding ever adds up.
    fn ticks(self, at: Time) -> u128 {
        u128::from(at.as_nanos()) * u128::from(self.0)
    }

    /// The first whole nanosecond at or after an instant in ticks; None beyond the end of time.
    fn time(self, ticks: u128) -> Option<Time> {
        u64::try_from(ticks.div_ceil(u128::from(self.0))).ok().map(Time::from_nanos)
    }

    /// How long an amount takes at this rate, in ticks: the same for every rate, that is what ticks are for.
    fn ticks_for(amount: Cost) -> u128 {
        u128::from(amount.0) * 1_000_000_000
    }
}

/// Checked parameters of a limit per window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowConfig {
    limit: Cost,
    window: Span,
    count_rejected: bool,
}

impl WindowConfig {
    /// At most `limit` per `window`. No default: a limit is chosen for what it protects.
    pub fn new(limit: Cost, window: Span) -> Result<WindowConfig, String> {
        if limit.0 == 0 {
            return Err("the limit is 0, so nothing would ever pass: use at least 1".into());
        }
        if window == Span::ZERO || window > LONGEST_WINDOW {
            return Err("the window is 0 or longer than 30 years: use a time such as 60 s".into());
        }
        Ok(WindowConfig { limit, window, count_rejected: false })
    }

    /// Whether a refused request is counted like an admitted one. Default no; yes punishes impatient clients, as several
    /// tutorials for Redis do without saying so.
    pub fn count_rejected(self, count_rejected: bool) -> WindowConfig {
        WindowConfig { count_rejected, ..self }
    }

    /// Largest cost that passes in one window.
    pub fn limit(&self) -> Cost {
        self.limit
    }

    /// Length of the window.
    pub fn window(&self) -> Span {
        self.window
    }

    /// What is left of the limit after `used`.
    fn left(&self, used: Cost) -> Cost {
        Cost(self.limit.0.saturating_sub(used.0))
    }
}

/// Which algorithm, with its checked parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimiterConfig {
    /// A bucket that is refilled continuously.
    TokenBucket(RateLimitConfig),
    /// The same decisions by another name (ITU-T I.371).
    Gcra(RateLimitConfig),
    /// Windows aligned to the start of time.
    FixedWindow(WindowConfig),
    /// Windows that begin with a request (Redis `INCR`, `EXPIRE` when 1).
    FixedWindowAnchored(WindowConfig),
    /// Every admission is remembered for one window.
    SlidingLog(WindowConfig),
    /// Two counters, weighted (Cloudflare).
    SlidingCounter(WindowConfig),
    /// Requests leave one by one (nginx `limit_req` with `burst`).
    LeakyQueue(LeakyQueueConfig),
}

/// One key of one limit.
#[derive(Clone, Debug)]
pub enum RateLimiter {
    /// `token_bucket` or `gcra`.
    TokenBucket(TokenBucket),
    /// `fixed_window` or `fixed_window_anchored`.
    FixedWindow(FixedWindow),
    /// `sliding_log`.
    SlidingLog(SlidingLog),
    /// `sliding_counter`.
    SlidingCounter(SlidingCounter),
    /// `leaky_queue`.
    LeakyQueue(LeakyQueue),
}

impl RateLimiter {
    /// A limiter that has seen nothing yet.
    pub fn new(config: RateLimiterConfig) -> RateLimiter {
        match config {
            RateLimiterConfig::TokenBucket(config) | RateLimiterConfig::Gcra(config) => {
                RateLimiter::TokenBucket(TokenBucket::new(config))
            }
            RateLimiterConfig::FixedWindow(config) => RateLimiter::FixedWindow(FixedWindow::aligned(config)),
            RateLimiterConfig::FixedWindowAnchored(config) => RateLimiter::FixedWindow(FixedWindow::anchored(config)),
            RateLimiterConfig::SlidingLog(config) => RateLimiter::SlidingLog(SlidingLog::new(config)),
            RateLimiterConfig::SlidingCounter(config) => RateLimiter::SlidingCounter(SlidingCounter::new(config)),
            RateLimiterConfig::LeakyQueue(config) => RateLimiter::LeakyQueue(LeakyQueue::new(config)),
        }
    }

    /// May a request of this cost pass? If so, takes it, and says when it may start: now, but for a leaky queue.
    pub fn decide(&mut self, now: Time, cost: impl Into<Cost>) -> Result<Time, Denial> {
        match self {
            RateLimiter::TokenBucket(bucket) => bucket.decide(now, cost).map(|()| now),
            RateLimiter::FixedWindow(window) => window.decide(now, cost).map(|()| now),
            RateLimiter::SlidingLog(log) => log.decide(now, cost).map(|()| now),
            RateLimiter::SlidingCounter(counter) => counter.decide(now, cost).map(|()| now),
            RateLimiter::LeakyQueue(queue) => queue.decide(now, cost),
        }
    }

    /// How many ordinary requests would pass at once now; for the `RateLimit` header.
    pub fn remaining(&self, now: Time) -> u64 {
        match self {
            RateLimiter::TokenBucket(bucket) => bucket.remaining(now),
            RateLimiter::FixedWindow(window) => window.remaining(now),
            RateLimiter::SlidingLog(log) => log.remaining(now),
            RateLimiter::SlidingCounter(counter) => counter.remaining(now),
            RateLimiter::LeakyQueue(queue) => queue.remaining(now),
        }
    }

    /// How long until it stands as if it had seen nothing, if nobody comes; for the `RateLimit` header.
    pub fn reset_after(&self, now: Time) -> Span {
        let reset_at = match self {
            RateLimiter::TokenBucket(bucket) => bucket.reset_at(),
            RateLimiter::FixedWindow(window) => window.reset_at(),
            RateLimiter::SlidingLog(log) => log.reset_at(),
            RateLimiter::SlidingCounter(counter) => counter.reset_at(),
            RateLimiter::LeakyQueue(queue) => queue.reset_at(),
        };
        reset_at.since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::DenyReason;
    use proptest::prelude::*;

    fn any_config() -> impl Strategy<Value = RateLimiterConfig> {
        let parts = (0.05f64..5_000.0, 1u32..20, 1u64..3_000_000_000, any::<bool>(), 0u8..7);
        parts.prop_map(|(rate, amount, window, count_rejected, which)| {
            let bucket = RateLimitConfig::per_second(rate, amount).unwrap();
            let window = WindowConfig::new(amount.into(), Span::from_nanos(window)).unwrap();
            let window = window.count_rejected(count_rejected);
            match which {
                0 => RateLimiterConfig::TokenBucket(bucket),
                1 => RateLimiterConfig::Gcra(bucket),
                2 => RateLimiterConfig::FixedWindow(window),
                3 => RateLimiterConfig::FixedWindowAnchored(window),
                4 => RateLimiterConfig::SlidingLog(window),
                5 => RateLimiterConfig::SlidingCounter(window),
                _ => RateLimiterConfig::LeakyQueue(LeakyQueueConfig::per_second(rate, amount).unwrap()),
            }
        })
    }

    proptest! {
        /// Refused one nanosecond before `retry_at`, allowed at it; never means never; and nobody starts in the past.
        #[test]
        fn denied_until_retry_at_allowed_at_it(
            config in any_config(),
            asked in prop::collection::vec((0u32..4_000, prop_oneof![Just(0u64), 0u64..10_000_000, 0u64..2_000_000_000]), 1..60),
        ) {
            let mut limiter = RateLimiter::new(config);
            let mut now = Time::from_seconds(5.0);
            for (thousandths, gap) in asked {
                let cost = Cost::requests(f64::from(thousandths) / 200.0).unwrap();
                now += Span::from_nanos(gap);
                match limiter.decide(now, cost) {
                    Ok(start) => prop_assert!(start >= now),
                    Err(Denial { retry_at: Some(at), reason }) => {
                        prop_assert_eq!(reason, DenyReason::RateLimited);
                        prop_assert!(at > now);
                        let just_before = Time::from_nanos(at.as_nanos() - 1);
                        prop_assert!(limiter.clone().decide(just_before, cost).is_err());
                        prop_assert!(limiter.clone().decide(at, cost).is_ok());
                    }
                    Err(Denial { retry_at: None, reason }) => {
                        prop_assert_eq!(reason, DenyReason::CostAboveBurst);
                        prop_assert!(limiter.clone().decide(now + Span::from_millis(1_000_000_000), cost).is_err());
                    }
                }
            }
        }

        /// As many ordinary requests pass at once as `remaining` says, and after `reset_after` as many as at the start.
        #[test]
        fn remaining_and_reset_after_tell_the_truth(
            config in any_config(), gaps in prop::collection::vec(0u64..2_000_000_000, 0..40),
        ) {
            let burst = |limiter: &RateLimiter, now: Time| {
                let mut limiter = limiter.clone();
                (0..100u64).take_while(|_| limiter.decide(now, 1).is_ok()).count() as u64
            };
            let fresh = RateLimiter::new(config);
            let mut limiter = fresh.clone();
            let mut now = Time::from_seconds(5.0);
            for gap in gaps {
                now += Span::from_nanos(gap);
                let _ = limiter.decide(now, 1);
                prop_assert_eq!(limiter.remaining(now), burst(&limiter, now));
            }
            let reset = now + limiter.reset_after(now);
            let waits = matches!(limiter, RateLimiter::LeakyQueue(_));
            prop_assert!(burst(&limiter, reset) + u64::from(waits) >= burst(&fresh, reset));
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for requests in [-1.0, f64::NAN, 2e9] {
            assert!(Cost::requests(requests).unwrap_err().contains("cost"));
        }
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-10, 2e9] {
            assert!(Rate::per_second(rate).unwrap_err().contains("rate"), "{rate}");
        }
        let second = Span::from_millis(1_000);
        assert!(WindowConfig::new(Cost::default(), second).unwrap_err().contains("limit"));
        assert!(WindowConfig::new(Cost::ONE, Span::ZERO).unwrap_err().contains("window"));
        assert!(WindowConfig::new(Cost::ONE, Span::from_nanos(u64::MAX)).unwrap_err().contains("window"));
    }
}
