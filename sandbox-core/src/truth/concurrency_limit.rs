//! A `concurrency_limit` model: samples in, and the limit after each.

use super::Answers;
use super::read::{Ms, read};
use crate::policy::admission::concurrency_limit::ConcurrencyLimitParams;
use crate::policy::admission::{ConcurrencyLimit, ConcurrencyLimitConfig, Sample};
use crate::scenario::{Problem, spec};
use serde_json::Value;

spec! {
    struct Model {
        limit: LimitModel,
        samples: Vec<SampleModel>,
    }
}

spec! {
    enum LimitModel tagged "algorithm" {
        Aimd {
            initial: u32,
            min: u32,
            max: u32,
            backoff_ratio: f64,
            timeout_ms: Ms,
        },
        Vegas {
            initial: u32,
            max: u32,
            smoothing: f64,
        },
        Gradient2 {
            initial: u32,
            min: u32,
            max: u32,
            smoothing: f64,
            queue_size: u32,
            long_window: u32,
            rtt_tolerance: f64,
        },
    }
}

spec! {
    struct SampleModel {
        rtt_ms: Ms,
        inflight: u32,
        dropped?: Option<bool>,
    }
}

impl LimitModel {
    fn params(self) -> ConcurrencyLimitParams {
        match self {
            LimitModel::Aimd { initial, min, max, backoff_ratio, timeout_ms } => {
                ConcurrencyLimitParams::Aimd { initial, min, max, backoff_ratio, timeout: timeout_ms.0 }
            }
            LimitModel::Vegas { initial, max, smoothing } => ConcurrencyLimitParams::Vegas { initial, max, smoothing },
            LimitModel::Gradient2 { initial, min, max, smoothing, queue_size, long_window, rtt_tolerance } => {
                ConcurrencyLimitParams::Gradient2 {
                    initial,
                    min,
                    max,
                    smoothing,
                    queue_size,
                    long_window,
                    rtt_tolerance,
                }
            }
        }
    }
}

/// `limits`, whole, and `estimates`, before the fraction is cut off, after each sample.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { limit, samples } = read(model)?;
    let config = ConcurrencyLimitConfig::new(limit.params());
    let mut limit = ConcurrencyLimit::new(config.map_err(|why| vec![Problem::new("limit", why, "Mend the value.")])?);
    let (mut limits, mut estimates): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for sample in samples {
        let dropped = sample.dropped.unwrap_or(false);
        // A trace shows no luck: Vegas probes as late as it may.
        limit.on_sample(Sample { rtt: sample.rtt_ms.0, in_flight: sample.inflight, dropped }, &mut || 1.0);
        limits.push(limit.limit().into());
        estimates.push(limit.estimate().into());
    }
    Ok(Answers::from_iter([("limits".to_string(), limits.into()), ("estimates".to_string(), estimates.into())]))
}
