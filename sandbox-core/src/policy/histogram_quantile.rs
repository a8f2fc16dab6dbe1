//! Quantiles of a histogram with fixed buckets, as a dashboard estimates them.
//!
//! Promise: the estimate lies in the bucket that holds the quantile, and a larger quantile is never estimated lower. Semantics:
//! Prometheus' `histogram_quantile` on classic buckets: linear inside a bucket, the first bucket begins at 0, the bucket
//! without an upper bound gives the largest bound there is.

/// Estimates the `quantile` (0 to 1) of values counted in buckets.
///
/// `bounds` are the upper bounds of all buckets but the last, ascending; `counts` has one entry for each bucket and one for
/// what lies above. None if nothing was counted or there is no bound.
pub fn histogram_quantile(quantile: f64, bounds: &[f64], counts: &[u64]) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    let largest = *bounds.last().filter(|_| total > 0)?;
    let rank = quantile * total as f64;
    let (mut below, mut lower) = (0, 0.0);
    for (&upper, &count) in bounds.iter().zip(counts) {
        if (below + count) as f64 >= rank {
            let spread = count > 0 && upper > 0.0;
            return Some(if spread { lower + (upper - lower) * (rank - below as f64) / count as f64 } else { upper });
        }
        below += count;
        lower = upper;
    }
    Some(largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quantile_is_interpolated_inside_its_bucket() {
        let (bounds, counts) = ([0.1, 0.2, 0.4], [10, 10, 20, 0]);
        assert_eq!(histogram_quantile(0.125, &bounds, &counts), Some(0.05));
        assert_eq!(histogram_quantile(0.75, &bounds, &counts).map(|q| (q * 1e9).round()), Some(0.3e9));
        assert_eq!(histogram_quantile(1.0, &bounds, &[1, 0, 0, 9]), Some(0.4), "above all bounds");
        assert_eq!(histogram_quantile(0.5, &bounds, &[0, 0, 0, 0]), None);
        assert_eq!(histogram_quantile(0.5, &[], &[3]), None);
    }

    proptest! {
        #[test]
        fn it_lies_in_its_bucket_and_never_falls(counts in prop::collection::vec(0u64..50, 5), step in 1u32..20) {
            let bounds = [0.5, 1.0, 2.0, 8.0];
            let mut last = 0.0;
            for q in (0..=step).map(|k| f64::from(k) / f64::from(step)) {
                let Some(estimate) = histogram_quantile(q, &bounds, &counts) else { return Ok(()) };
                let rank = q * counts.iter().sum::<u64>() as f64;
                let bucket = (0..4).find(|&b| counts[..=b].iter().sum::<u64>() as f64 >= rank).unwrap_or(3);
                let lower = if bucket == 0 { 0.0 } else { bounds[bucket - 1] };
                prop_assert!((lower..=bounds[bucket]).contains(&estimate));
                prop_assert!(estimate >= last);
                last = estimate;
            }
        }
    }
}
