//! The JSON that commands print on stdout. `faultline schema NAME` describes each.

use hdrhistogram::Histogram;
use sandbox_core::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A distribution of lengths of time, in milliseconds; null where there is no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyMs {
    /// Mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// How many values.
    pub count: u64,
}

impl LatencyMs {
    /// The figures of a histogram of nanoseconds.
    pub fn of(histogram: &Histogram<u64>) -> LatencyMs {
        let some = |nanos: f64| (!histogram.is_empty()).then_some(nanos / 1e6);
        let quantile = |q: f64| some(histogram.value_at_quantile(q) as f64);
        LatencyMs {
            mean: some(histogram.mean()),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: some(histogram.max() as f64),
            count: histogram.len(),
        }
    }
}

/// An empty histogram of nanoseconds with three significant digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

/// Adds a length of time. (`saturating_record` would cut it off where the histogram ends now, and not let it grow.)
pub fn add(histogram: &mut Histogram<u64>, span: Span) {
    histogram.record(span.as_nanos()).expect("it grows as needed");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_grow() {
        let mut histogram = histogram();
        for span in [Span::from_millis(1), Span::from_millis(3_600_000), Span::from_nanos(u64::MAX)] {
            add(&mut histogram, span);
        }
        let latency = LatencyMs::of(&histogram);
        assert_eq!(latency.count, 3);
        assert!((latency.p50.unwrap() / 3_600_000.0 - 1.0).abs() < 0.001);
        assert_eq!(LatencyMs::of(&super::histogram()).p50, None);
    }
}
