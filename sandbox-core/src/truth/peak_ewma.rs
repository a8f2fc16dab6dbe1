//! A `peak_ewma` model: latencies in, the estimate after each.

use super::Answers;
use super::read::{Ms, in_order, read};
use crate::policy::peak_ewma::{PeakEwma, PeakEwmaConfig};
use crate::scenario::{Problem, spec};
use serde_json::Value;

spec! {
    struct Model {
        peak_ewma: Parameters,
        samples: Vec<Sample>,
    }
}

spec! {
    struct Parameters {
        tau_ms: Ms,
        initial_rtt_ms: Ms,
        initial_at_ms: Ms,
    }
}

spec! {
    struct Sample {
        t_ms: Ms,
        rtt_ms: Ms,
    }
}

/// `peak_ewma_ms` after each sample.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { peak_ewma, samples } = read(model)?;
    in_order("samples", samples.iter().map(|sample| sample.t_ms.time()))?;
    let config = PeakEwmaConfig::new(peak_ewma.tau_ms.0, peak_ewma.initial_rtt_ms.0);
    let config = config.map_err(|why| vec![Problem::new("peak_ewma.tau_ms", why, "Mend the value.")])?;
    let start = peak_ewma.initial_at_ms.time();
    if samples.first().is_some_and(|first| first.t_ms.time() < start) {
        return Err(vec![Problem::new("peak_ewma.initial_at_ms", "is after the first sample", "Start before it.")]);
    }
    let mut ewma = PeakEwma::new(config, start);
    let mut estimates = Vec::new();
    for sample in &samples {
        ewma.on_sample(sample.t_ms.time(), sample.rtt_ms.0);
        estimates.push(Value::from(ewma.estimate_ms()));
    }
    Ok(Answers::from_iter([("peak_ewma_ms".to_string(), estimates.into())]))
}
