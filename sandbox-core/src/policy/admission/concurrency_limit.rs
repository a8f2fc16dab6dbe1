//! Concurrency limits: how many requests may be in flight, found by watching how long they take.
//!
//! Promise: the limit stays within its bounds, a drop never raises it, and it does not grow while less than half of it is
//! used. Semantics and defaults: Netflix' concurrency-limits (AIMD, Vegas, Gradient2; commit 78a74b9). Left out: the
//! library's partitions, and its queue for callers that block.

use crate::policy::{Denial, DenyReason};
use crate::time::Span;

/// Which algorithm, with parameters as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ConcurrencyLimitParams {
    /// Always the same limit.
    Fixed {
        /// The limit.
        limit: u32,
    },
    /// One more after a success, a share less after a drop.
    Aimd {
        /// First limit. Default 20.
        initial: u32,
        /// Smallest limit. Default 20.
        min: u32,
        /// Largest limit. Default 200.
        max: u32,
        /// The limit is multiplied by this after a drop. Default 0.9; between 0 and 1.
        backoff_ratio: f64,
        /// Who takes longer counts as dropped. Default 5 s.
        timeout: Span,
    },
    /// Estimates the queue from the smallest round-trip time seen (TCP Vegas).
    Vegas {
        /// First limit. Default 20.
        initial: u32,
        /// Largest limit. Default 1000.
        max: u32,
        /// Weight of a new value, above 0 and up to 1. Default 1.
        smoothing: f64,
    },
    /// Compares the present round-trip time with its long average.
    Gradient2 {
        /// First limit. Default 20.
        initial: u32,
        /// Smallest limit. Default 20.
        min: u32,
        /// Largest limit. Default 200.
        max: u32,
        /// Weight of a new value, above 0 and up to 1. Default 0.2.
        smoothing: f64,
        /// Requests that may queue. Default 4.
        queue_size: u32,
        /// Samples of the long average. Default 600.
        long_window: u32,
        /// So many times the long average is no reason to slow down, at least 1. Default 1.5.
        rtt_tolerance: f64,
    },
}

/// Checked parameters of a concurrency limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConcurrencyLimitConfig(ConcurrencyLimitParams);

impl ConcurrencyLimitConfig {
    /// Checks the parameters.
    pub fn new(params: ConcurrencyLimitParams) -> Result<ConcurrencyLimitConfig, String> {
        use ConcurrencyLimitParams::{Aimd, Fixed, Gradient2, Vegas};
        let (min, initial, max) = match params {
            Fixed { limit } => (limit, limit, limit),
            Aimd { initial, min, max, .. } | Gradient2 { initial, min, max, .. } => (min, initial, max),
            Vegas { initial, max, .. } => (1, initial, max),
        };
        if min == 0 || !(min..=max).contains(&initial) {
            return Err(format!("min {min}, initial {initial} and max {max} must be at least 1 and in this order"));
        }
        match params {
            Aimd { backoff_ratio, .. } if !(backoff_ratio > 0.0 && backoff_ratio < 1.0) => {
                Err(format!("the backoff_ratio is {backoff_ratio}: use a number between 0 and 1, such as 0.9"))
            }
            Vegas { smoothing, .. } | Gradient2 { smoothing, .. } if !(smoothing > 0.0 && smoothing <= 1.0) => {
                Err(format!("the smoothing is {smoothing}: use a number above 0 and up to 1"))
            }
            Gradient2 { rtt_tolerance, .. } if !(1.0..=1e9).contains(&rtt_tolerance) => {
                Err(format!("the rtt_tolerance is {rtt_tolerance}: use at least 1, such as 1.5"))
            }
            Gradient2 { long_window: 0, .. } => Err("the long_window is 0 samples: use at least 1, such as 600".into()),
            _ => Ok(ConcurrencyLimitConfig(params)),
        }
    }

    /// The parameters.
    pub fn params(&self) -> ConcurrencyLimitParams {
        self.0
    }
}

/// What one request showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How long it took.
    pub rtt: Span,
    /// Requests in flight when it was sent, itself included.
    pub in_flight: u32,
    /// Whether it was dropped: refused, or given up.
    pub dropped: bool,
}

/// One limit. It says how many; the caller counts.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit {
    config: ConcurrencyLimitConfig,
    /// The limit in force is its whole part.
    estimate: f64,
    memory: Memory,
}

/// What an algorithm remembers.
#[derive(Clone, Debug)]
enum Memory {
    Nothing,
    Vegas {
        /// Smallest round-trip time since the last probe, in nanoseconds.
        unloaded_rtt_ns: Option<f64>,
        samples_since_probe: u32,
        /// Shortens the way to the next probe, so that many clients do not probe together.
        probe_jitter: f64,
    },
    Gradient2 {
        samples: u32,
        /// Sum of the samples of the warm-up.
        sum_ns: f64,
        long_rtt_ns: f64,
    },
}

/// Vegas forgets the smallest round-trip time after about so many times the limit.
const PROBE_MULTIPLIER: f64 = 30.0;
/// The long average of Gradient2 begins as the mean of so many samples.
const WARM_UP_SAMPLES: u32 = 10;

impl ConcurrencyLimit {
    /// A limit at its initial value.
    pub fn new(config: ConcurrencyLimitConfig) -> ConcurrencyLimit {
        use ConcurrencyLimitParams::{Aimd, Fixed, Gradient2, Vegas};
        let (initial, memory) = match config.0 {
            Fixed { limit } => (limit, Memory::Nothing),
            Aimd { initial, .. } => (initial, Memory::Nothing),
            Vegas { initial, .. } => {
                (initial, Memory::Vegas { unloaded_rtt_ns: None, samples_since_probe: 0, probe_jitter: 1.0 })
            }
            Gradient2 { initial, .. } => (initial, Memory::Gradient2 { samples: 0, sum_ns: 0.0, long_rtt_ns: 0.0 }),
        };
        ConcurrencyLimit { config, estimate: f64::from(initial), memory }
    }

    /// May one more request go in beside `in_flight` others?
    pub fn decide(&self, in_flight: u32) -> Result<(), Denial> {
        match in_flight < self.limit() {
            true => Ok(()),
            false => Err(Denial { retry_at: None, reason: DenyReason::Overloaded }),
        }
    }

    /// The limit in force.
    pub fn limit(&self) -> u32 {
        self.estimate as u32
    }

    /// The limit before its fraction is cut off.
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// A request ended. `roll` draws a number in [0, 1); it is asked once for each of Vegas' probes.
    pub fn on_sample(&mut self, sample: Sample, roll: &mut dyn FnMut() -> f64) {
        use ConcurrencyLimitParams::{Aimd, Fixed, Gradient2, Vegas};
        self.estimate = match (self.config.0, &mut self.memory) {
            (Fixed { .. }, _) => return,
            (Aimd { min, max, backoff_ratio, timeout, .. }, _) => {
                let estimate = self.estimate;
                let next = if sample.dropped || sample.rtt > timeout {
                    (estimate * backoff_ratio).floor()
                } else if 2.0 * f64::from(sample.in_flight) >= estimate {
                    estimate + 1.0
                } else {
                    estimate
                };
                next.clamp(min.into(), max.into())
            }
            (Vegas { max, smoothing, .. }, Memory::Vegas { unloaded_rtt_ns, samples_since_probe, probe_jitter }) => {
                let rtt_ns = sample.rtt.as_nanos() as f64;
                *samples_since_probe += 1;
                let probes = *probe_jitter * PROBE_MULTIPLIER * self.estimate <= f64::from(*samples_since_probe);
                if probes {
                    *samples_since_probe = 0;
                    *probe_jitter = 0.5 + 0.5 * roll();
                }
                let unloaded = unloaded_rtt_ns.filter(|unloaded| !probes && *unloaded <= rtt_ns && *unloaded > 0.0);
                let Some(unloaded) = unloaded else {
                    *unloaded_rtt_ns = Some(rtt_ns);
                    return;
                };
                let next = vegas(self.estimate, unloaded / rtt_ns, sample).clamp(1.0, max.into());
                (1.0 - smoothing) * self.estimate + smoothing * next
            }
            (
                Gradient2 { min, max, smoothing, queue_size, long_window, rtt_tolerance, .. },
                Memory::Gradient2 { samples, sum_ns, long_rtt_ns },
            ) => {
                let rtt_ns = sample.rtt.as_nanos().max(1) as f64;
                if *samples < WARM_UP_SAMPLES {
                    *samples += 1;
                    *sum_ns += rtt_ns;
                    *long_rtt_ns = *sum_ns / f64::from(*samples);
                } else {
                    let weight = 2.0 / (f64::from(long_window) + 1.0);
                    *long_rtt_ns = *long_rtt_ns * (1.0 - weight) + rtt_ns * weight;
                }
                let ratio = *long_rtt_ns / rtt_ns;
                if ratio > 2.0 {
                    *long_rtt_ns *= 0.95; // the load has gone: forget it faster than the average would
                }
                if f64::from(sample.in_flight) < self.estimate / 2.0 {
                    return;
                }
                let gradient = (rtt_tolerance * ratio).clamp(0.5, 1.0);
                let next = self.estimate * gradient + f64::from(queue_size);
                let smoothed = self.estimate * (1.0 - smoothing) + next * smoothing;
                smoothed.clamp(min.into(), max.into())
            }
            (Vegas { .. } | Gradient2 { .. }, _) => unreachable!("memory and algorithm belong together"),
        };
    }
}

/// The next limit of Vegas; `unloaded_share` is the smallest round-trip time as a share of the present one.
fn vegas(limit: f64, unloaded_share: f64, sample: Sample) -> f64 {
    let step = libm::log10(limit.floor()).floor().max(1.0);
    let queue = (limit * (1.0 - unloaded_share)).ceil();
    if sample.dropped {
        limit - step
    } else if 2.0 * f64::from(sample.in_flight) < limit {
        limit
    } else if queue <= step {
        limit + 6.0 * step
    } else if queue < 3.0 * step {
        limit + step
    } else if queue > 6.0 * step {
        limit - step
    } else {
        limit
    }
}

#[cfg(test)]
mod tests {
    use super::ConcurrencyLimitParams::{Aimd, Fixed, Gradient2, Vegas};
    use super::*;
    use proptest::prelude::*;

    fn limit(params: ConcurrencyLimitParams) -> ConcurrencyLimit {
        ConcurrencyLimit::new(ConcurrencyLimitConfig::new(params).unwrap())
    }

    fn sample(rtt_ms: u64, in_flight: u32, dropped: bool) -> Sample {
        Sample { rtt: Span::from_millis(rtt_ms), in_flight, dropped }
    }

    const AIMD: ConcurrencyLimitParams =
        Aimd { initial: 20, min: 20, max: 200, backoff_ratio: 0.9, timeout: Span::from_millis(5_000) };
    const VEGAS: ConcurrencyLimitParams = Vegas { initial: 20, max: 1_000, smoothing: 1.0 };
    const GRADIENT2: ConcurrencyLimitParams = Gradient2 {
        initial: 20,
        min: 20,
        max: 200,
        smoothing: 0.2,
        queue_size: 4,
        long_window: 600,
        rtt_tolerance: 1.5,
    };

    #[test]
    fn a_limit_refuses_who_would_exceed_it() {
        let limit = limit(Fixed { limit: 2 });
        assert_eq!(limit.decide(1), Ok(()));
        assert_eq!(limit.decide(2).unwrap_err().reason, DenyReason::Overloaded);
    }

    #[test]
    fn vegas_probes_again_after_thirty_limits() {
        let mut limit = limit(Vegas { initial: 20, max: 20, smoothing: 1.0 });
        let mut rolls = 0;
        let mut watch = |limit: &mut ConcurrencyLimit, rtt| {
            limit.on_sample(sample(rtt, 20, false), &mut || {
                rolls += 1;
                0.0
            });
            rolls
        };
        watch(&mut limit, 10);
        for _ in 0..598 {
            watch(&mut limit, 11);
        }
        assert_eq!(watch(&mut limit, 50), 1, "sample 600 is the new unloaded one");
        watch(&mut limit, 50);
        assert_eq!(limit.limit(), 20, "so 50 ms are no queue");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |params| ConcurrencyLimitConfig::new(params).unwrap_err();
        assert!(refused(Fixed { limit: 0 }).contains("min 0"));
        assert!(refused(Vegas { initial: 20, max: 10, smoothing: 1.0 }).contains("max 10"));
        assert!(refused(Vegas { initial: 20, max: 30, smoothing: f64::NAN }).contains("smoothing"));
        let Aimd { initial, min, max, timeout, .. } = AIMD else { unreachable!() };
        assert!(refused(Aimd { initial, min, max, timeout, backoff_ratio: 1.0 }).contains("backoff_ratio"));
    }

    proptest! {
        #[test]
        fn limits_keep_their_bounds_and_their_direction(
            which in 0usize..3,
            samples in prop::collection::vec((0u64..500, 0u32..300, prop::bool::weighted(0.1)), 1..300),
        ) {
            let (params, bounds) = [(AIMD, 20.0..=200.0), (VEGAS, 1.0..=1_000.0), (GRADIENT2, 20.0..=200.0)][which].clone();
            let mut limit = limit(params);
            for (rtt, in_flight, dropped) in samples {
                let before = limit.estimate();
                limit.on_sample(sample(rtt, in_flight, dropped), &mut || 0.5);
                let after = limit.estimate();
                prop_assert!(bounds.contains(&after), "{after}");
                // Gradient2 looks at times only.
                prop_assert!(!(dropped && which != 2) || after <= before);
                prop_assert!(f64::from(in_flight) * 2.0 >= before || after <= before);
            }
        }
    }
}
