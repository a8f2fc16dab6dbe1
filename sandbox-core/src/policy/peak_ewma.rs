//! Peak EWMA: an estimate of latency that believes bad news at once and good news slowly.
//!
//! Promise: the estimate is never below the latest sample, and without samples it is only forgotten, never raised. Semantics:
//! Finagle's and Tower's peak EWMA: a larger sample replaces the estimate, a smaller one moves it with the weight
//! 1 - exp(-time passed / tau). A balancer multiplies it by the requests in flight plus one.

use crate::time::{Span, Time};

/// Checked parameters of a peak EWMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeakEwmaConfig {
    tau: Span,
    initial_rtt: Span,
}

impl PeakEwmaConfig {
    /// Forgets over about `tau`; an instance that was never asked is taken to answer in `initial_rtt`.
    pub fn new(tau: Span, initial_rtt: Span) -> Result<PeakEwmaConfig, String> {
        if tau == Span::ZERO {
            return Err("tau is 0, so nothing would be remembered: use a positive time such as 10 s".into());
        }
        Ok(PeakEwmaConfig { tau, initial_rtt })
    }
}

impl Default for PeakEwmaConfig {
    /// 10 s and 1 s (Tower).
    fn default() -> PeakEwmaConfig {
        PeakEwmaConfig { tau: Span::from_millis(10_000), initial_rtt: Span::from_millis(1_000) }
    }
}

/// The estimate for one instance.
#[derive(Clone, Copy, Debug)]
pub struct PeakEwma {
    config: PeakEwmaConfig,
    estimate_ns: f64,
    at: Time,
}

impl PeakEwma {
    /// The estimate of an instance that is first known of at `now`.
    pub fn new(config: PeakEwmaConfig, now: Time) -> PeakEwma {
        PeakEwma { config, estimate_ns: config.initial_rtt.as_nanos() as f64, at: now }
    }

    /// A request was answered at `now` after `rtt`.
    pub fn on_sample(&mut self, now: Time, rtt: Span) {
        let rtt_ns = rtt.as_nanos() as f64;
        self.estimate_ns = if rtt_ns > self.estimate_ns { rtt_ns } else { self.towards(now, rtt_ns) };
        self.at = now;
    }

    /// What the instance is taken to cost now: the estimate, forgotten towards 0 since the last sample, times the requests
    /// in flight plus one. In nanoseconds.
    pub fn cost(&self, now: Time, in_flight: u32) -> f64 {
        self.towards(now, 0.0) * (f64::from(in_flight) + 1.0)
    }

    /// The estimate as of the last sample, in milliseconds.
    pub fn estimate_ms(&self) -> f64 {
        self.estimate_ns / 1e6
    }

    fn towards(&self, now: Time, rtt_ns: f64) -> f64 {
        let passed = now.since(self.at).as_nanos() as f64 / self.config.tau.as_nanos() as f64;
        let weight = libm::exp(-passed);
        self.estimate_ns * weight + rtt_ns * (1.0 - weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_peak_is_believed_at_once_and_forgotten_slowly() {
        let config = PeakEwmaConfig::new(Span::from_millis(100), Span::from_millis(40)).unwrap();
        let mut estimate = PeakEwma::new(config, Time::ZERO);
        estimate.on_sample(Time::ZERO, Span::from_millis(200));
        assert_eq!(estimate.estimate_ms(), 200.0);
        estimate.on_sample(Time::from_seconds(0.1), Span::from_millis(100));
        assert!((estimate.estimate_ms() - (100.0 + 100.0 / std::f64::consts::E)).abs() < 1e-9);
        let now = Time::from_seconds(0.1);
        assert_eq!(estimate.cost(now, 1), 2.0 * estimate.cost(now, 0));
        assert!(estimate.cost(Time::from_seconds(9.0), 0) < 1.0, "who is left alone is tried again");
        assert!(PeakEwmaConfig::new(Span::ZERO, Span::ZERO).unwrap_err().contains("tau"));
    }

    proptest! {
        #[test]
        fn never_below_the_latest_sample_and_never_above_the_largest(
            samples in prop::collection::vec((0u64..1_000_000_000, 0u64..50_000_000), 1..50),
        ) {
            let mut estimate = PeakEwma::new(PeakEwmaConfig::default(), Time::ZERO);
            let (mut now, mut largest) = (Time::ZERO, 1_000_000_000);
            for (gap, rtt) in samples {
                now += Span::from_nanos(gap);
                let before = estimate.cost(now, 0);
                prop_assert!(before <= estimate.cost(Time::ZERO, 0));
                estimate.on_sample(now, Span::from_nanos(rtt));
                largest = largest.max(rtt);
                let ns = estimate.estimate_ms() * 1e6;
                prop_assert!(ns >= rtt as f64 * (1.0 - 1e-12) && ns <= largest as f64 * (1.0 + 1e-12));
            }
        }
    }
}
