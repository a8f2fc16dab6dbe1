//! A concurrency limit that looks at a second at a time instead of at single requests.
//!
//! Promise: the limit changes at most once in a window, and never on fewer than ten samples. Semantics and defaults: Netflix'
//! `WindowedLimit`: it hands on the mean round-trip time, the most requests in flight, and whether any was dropped.

use super::{ConcurrencyLimit, ConcurrencyLimitConfig, Sample};
use crate::policy::Denial;
use crate::time::{Span, Time};

/// A window is at least so long.
const WINDOW: Span = Span::from_millis(1_000);
/// Fewer samples are waited for.
const SAMPLES_MIN: u32 = 10;

/// A limit and the window that it will learn from next.
#[derive(Clone, Debug)]
pub struct WindowedLimit {
    limit: ConcurrencyLimit,
    ends_at: Time,
    samples: u32,
    rtt_sum: Span,
    most_in_flight: u32,
    any_dropped: bool,
}

impl WindowedLimit {
    /// A limit at its initial value.
    pub fn new(config: ConcurrencyLimitConfig) -> WindowedLimit {
        WindowedLimit::begin(ConcurrencyLimit::new(config), Time::ZERO + WINDOW)
    }

    fn begin(limit: ConcurrencyLimit, ends_at: Time) -> WindowedLimit {
        WindowedLimit { limit, ends_at, samples: 0, rtt_sum: Span::ZERO, most_in_flight: 0, any_dropped: false }
    }

    /// May one more request go in beside `in_flight` others?
    pub fn decide(&self, in_flight: u32) -> Result<(), Denial> {
        self.limit.decide(in_flight)
    }

    /// The limit in force.
    pub fn limit(&self) -> u32 {
        self.limit.limit()
    }

    /// A request ended at `now`. `roll` draws a number in [0, 1).
    pub fn on_sample(&mut self, now: Time, sample: Sample, roll: &mut dyn FnMut() -> f64) {
        self.samples += 1;
        self.rtt_sum += sample.rtt;
        self.most_in_flight = self.most_in_flight.max(sample.in_flight);
        self.any_dropped |= sample.dropped;
        if now < self.ends_at || self.samples < SAMPLES_MIN {
            return;
        }
        let rtt = Span::from_nanos(self.rtt_sum.as_nanos() / u64::from(self.samples));
        self.limit.on_sample(Sample { rtt, in_flight: self.most_in_flight, dropped: self.any_dropped }, roll);
        *self = WindowedLimit::begin(self.limit.clone(), now + WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::super::concurrency_limit::ConcurrencyLimitParams;
    use super::*;
    use proptest::prelude::*;

    fn aimd() -> WindowedLimit {
        let timeout = Span::from_millis(100);
        let params = ConcurrencyLimitParams::Aimd { initial: 20, min: 1, max: 200, backoff_ratio: 0.9, timeout };
        WindowedLimit::new(ConcurrencyLimitConfig::new(params).unwrap())
    }

    #[test]
    fn one_slow_request_among_fast_ones_is_no_reason() {
        let mut limit = aimd();
        for k in 0..20u64 {
            let rtt = Span::from_millis(if k == 3 { 500 } else { 10 });
            limit.on_sample(
                Time::from_seconds(0.1 * k as f64),
                Sample { rtt, in_flight: 15, dropped: false },
                &mut || 0.0,
            );
        }
        assert_eq!(limit.limit(), 21);
    }

    proptest! {
        #[test]
        fn it_changes_once_in_a_window_and_on_ten_samples(
            samples in prop::collection::vec((0u64..400, 0u64..200, any::<bool>()), 1..200),
        ) {
            let mut limit = aimd();
            let (mut now, mut since, mut changed_at) = (Time::ZERO, 0, Time::ZERO);
            for (gap, rtt, dropped) in samples {
                now += Span::from_millis(gap);
                since += 1;
                let before = limit.limit();
                let sample = Sample { rtt: Span::from_millis(rtt), in_flight: 200, dropped };
                limit.on_sample(now, sample, &mut || 0.0);
                if limit.limit() != before {
                    prop_assert!(since >= 10 && now.since(changed_at) >= WINDOW);
                    (since, changed_at) = (0, now);
                }
            }
        }
    }
}
