//! Latency distributions that merge: sparse buckets for a second, dense ones for any window of seconds.

use crate::blocks::Blocks;
use crate::time::Span;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Counts of lengths in log-linear buckets: 128 to an octave, so a percentile read from them is off by at most 0.4 %.
///
/// Only buckets that hold something are kept, in ascending order. Buckets of different seconds merge without loss.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    counts: Vec<(u16, u32)>,
    sum_ns: u128,
    max: Span,
    min: Option<Span>,
}

impl Buckets {
    /// The buckets of these lengths.
    pub fn of(lengths: &[Span]) -> Buckets {
        let (min, max) = (lengths.iter().min().copied(), lengths.iter().max().copied().unwrap_or_default());
        let first = bucket_of::<SUB_BITS>(min.unwrap_or_default());
        let mut counts = vec![0; usize::from(bucket_of::<SUB_BITS>(max) - first) + 1];
        for length in lengths {
            counts[usize::from(bucket_of::<SUB_BITS>(*length) - first)] += 1;
        }
        Buckets {
            counts: (first..).zip(counts).filter(|(_, count)| *count > 0).collect(),
            sum_ns: lengths.iter().map(|length| u128::from(length.as_nanos())).sum(),
            max,
            min,
        }
    }

    /// How many lengths there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// Their mean; None if there are none.
    pub fn mean(&self) -> Option<Span> {
        let count = self.count();
        (count > 0).then(|| Span::from_nanos((self.sum_ns / u128::from(count)) as u64))
    }

    /// The longest.
    pub fn max(&self) -> Option<Span> {
        (!self.counts.is_empty()).then_some(self.max)
    }

    /// The shortest.
    pub fn min(&self) -> Option<Span> {
        self.min
    }

    /// The nearest-rank quantile: the shortest length that at least a share of `q` does not exceed. None if there are none.
    pub fn quantile(&self, q: f64) -> Option<Span> {
        let rank = ((self.count() as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.counts {
            seen += u64::from(*count);
            if seen >= rank {
                return Some(middle_of(*bucket).min(self.max).max(self.min.unwrap_or_default()));
            }
        }
        None
    }

    /// How many lengths lie in each of these buckets, given by their ascending upper bounds in seconds, and above all of
    /// them. A length counts by the middle of the bucket that it was noted down in.
    pub fn counts(&self, bounds: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; bounds.len() + 1];
        for (bucket, count) in &self.counts {
            let length = middle_of(*bucket).min(self.max).max(self.min.unwrap_or_default()).as_seconds();
            counts[bounds.partition_point(|bound| *bound < length)] += u64::from(*count);
        }
        counts
    }

    /// Adds the lengths of another.
    pub fn merge(&mut self, other: &Buckets) {
        let mut merged = Vec::with_capacity(self.counts.len() + other.counts.len());
        let (mut mine, mut theirs) = (self.counts.iter().peekable(), other.counts.iter().peekable());
        while let Some((bucket, _)) = [mine.peek(), theirs.peek()].into_iter().flatten().min() {
            let bucket = *bucket;
            let here = |line: &mut std::iter::Peekable<std::slice::Iter<(u16, u32)>>| {
                line.next_if(|(next, _)| *next == bucket).map_or(0, |(_, count)| *count)
            };
            merged.push((bucket, here(&mut mine) + here(&mut theirs)));
        }
        self.counts = merged;
        self.sum_ns += other.sum_ns;
        self.max = self.max.max(other.max);
        self.min = match (self.min, other.min) {
            (Some(x), Some(y)) => Some(x.min(y)),
            (x, y) => x.or(y),
        };
    }
}

/// The usual percentiles of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half are at most this long.
    pub p50: Span,
    /// 95 % are at most this long.
    pub p95: Span,
    /// 99 % are at most this long.
    pub p99: Span,
    /// How many there are.
    pub count: u64,
}

impl Buckets {
    /// The usual percentiles; None if there is nothing.
    pub fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            p50: self.quantile(0.5)?,
            p95: self.quantile(0.95)?,
            p99: self.quantile(0.99)?,
            count: self.count(),
        })
    }
}

/// Any number of lengths to three significant digits, 2 bytes each: cheaper to note down than to count, and counted when
/// somebody asks.
#[derive(Clone, Debug, Default)]
pub struct Lengths(Blocks<u16>);

impl Lengths {
    /// Adds a length.
    pub fn push(&mut self, length: Span) {
        self.0.push(bucket_of::<DIGIT_BITS>(length));
    }

    /// All of them as a histogram of nanoseconds.
    pub fn histogram(&self) -> Histogram<u32> {
        let mut histogram = three_digits();
        for bucket in self.0.iter() {
            histogram.record(low_of::<DIGIT_BITS>(*bucket)).expect("it grows as needed");
        }
        histogram
    }
}

/// A histogram of nanoseconds with three significant digits that grows as needed.
pub fn three_digits() -> Histogram<u32> {
    Histogram::new(3).expect("three significant digits are allowed")
}

/// 128 buckets to an octave.
const SUB_BITS: u32 = 7;
/// 1,024 buckets to an octave: the buckets of a histogram with three significant digits.
const DIGIT_BITS: u32 = 10;

/// The log-linear bucket of a length, with `2^BITS` buckets to an octave; lengths below that many nanoseconds have one each.
fn bucket_of<const BITS: u32>(length: Span) -> u16 {
    let nanos = length.as_nanos();
    if nanos < 1 << BITS {
        return nanos as u16;
    }
    let octave = 63 - nanos.leading_zeros() - BITS;
    let sub = (nanos >> octave) as u16 & ((1 << BITS) - 1);
    ((octave as u16 + 1) << BITS) | sub
}

/// The shortest length of a bucket, in nanoseconds.
fn low_of<const BITS: u32>(bucket: u16) -> u64 {
    let sub = u64::from(bucket & ((1 << BITS) - 1));
    match bucket >> BITS {
        0 => sub,
        octave => ((1 << BITS) + sub) << (octave - 1),
    }
}

fn middle_of(bucket: u16) -> Span {
    let low = low_of::<SUB_BITS>(bucket);
    let width = (1u64 << (bucket >> SUB_BITS)) / 2;
    Span::from_nanos(low + width / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A quantile is within 0.4 % of the nearest-rank quantile of the sorted lengths.
        #[test]
        fn quantiles_are_close(mut nanos in prop::collection::vec(0u64..10_000_000_000, 1..300), q in 0.0f64..1.0) {
            let lengths: Vec<Span> = nanos.iter().map(|n| Span::from_nanos(*n)).collect();
            let got = Buckets::of(&lengths).quantile(q).unwrap().as_nanos() as f64;
            nanos.sort_unstable();
            let rank = ((nanos.len() as f64 * q).ceil() as usize).max(1);
            let exact = nanos[rank - 1] as f64;
            prop_assert!((got - exact).abs() <= exact * 0.004 + 1.0, "{got} against {exact}");
        }

        /// Noted down and counted later is as good as counted at once.
        #[test]
        fn lengths_are_counted_as_a_histogram_counts_them(nanos in prop::collection::vec(0u64..=u64::MAX, 1..50), shift in 0u32..60) {
            let (mut lengths, mut histogram) = (Lengths::default(), three_digits());
            for nanos in nanos {
                lengths.push(Span::from_nanos(nanos >> shift));
                histogram.record(nanos >> shift).unwrap();
            }
            prop_assert_eq!(lengths.histogram(), histogram);
        }

        /// Two halves merged are the whole.
        #[test]
        fn merging_loses_nothing(a in prop::collection::vec(0u64..1_000_000_000, 0..100), b in prop::collection::vec(0u64..1_000_000_000, 0..100)) {
            let spans = |nanos: &[u64]| nanos.iter().map(|n| Span::from_nanos(*n)).collect::<Vec<_>>();
            let mut merged = Buckets::of(&spans(&a));
            merged.merge(&Buckets::of(&spans(&b)));
            prop_assert_eq!(merged, Buckets::of(&spans(&[a, b].concat())));
        }
    }
}
