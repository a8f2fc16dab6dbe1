//! A `histogram_quantile` model: quantiles read from buckets.

use super::{Answers, read::read};
use crate::policy::histogram_quantile::histogram_quantile;
use crate::scenario::{Problem, spec};
use serde_json::Value;

spec! {
    struct Model {
        bounds_s: Vec<f64>,
        bucket_counts: Vec<u32>,
    }
}

/// The quantiles that `expected` may name.
const QUANTILES: [(&str, f64); 7] =
    [("50", 0.5), ("75", 0.75), ("90", 0.9), ("95", 0.95), ("99", 0.99), ("99.9", 0.999), ("99.99", 0.9999)];

/// `pN_estimate_s` for every quantile.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { bounds_s, bucket_counts } = read(model)?;
    if let Some(at) = (1..bounds_s.len()).find(|&at| bounds_s[at - 1] >= bounds_s[at]) {
        return Err(vec![Problem::new(format!("bounds_s.{at}"), "is not above the bound before", "Sort the bounds.")]);
    }
    if bucket_counts.len() != bounds_s.len() + 1 {
        let what = format!("has {} counts for {} bounds", bucket_counts.len(), bounds_s.len());
        return Err(vec![Problem::new("bucket_counts", what, "Give one for each bound and one for what lies above.")]);
    }
    let counts: Vec<u64> = bucket_counts.into_iter().map(u64::from).collect();
    let estimate = |(name, quantile): (&str, f64)| {
        (format!("p{name}_estimate_s"), Value::from(histogram_quantile(quantile, &bounds_s, &counts)))
    };
    Ok(QUANTILES.into_iter().map(estimate).collect())
}
