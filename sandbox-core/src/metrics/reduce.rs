//! From seconds to one number: how each kind of signal is reduced over a window. None: there is nothing in the window.

use super::declared::Level;
use super::histogram::Buckets;
use crate::policy::histogram_quantile::histogram_quantile;
use crate::scenario::Reduced;

/// Sums of seconds.
pub fn counter(sums: impl Iterator<Item = f64>, reduced: Reduced) -> Option<f64> {
    let sums: Vec<f64> = sums.collect();
    let all: f64 = sums.iter().sum();
    match reduced {
        _ if sums.is_empty() => None,
        Reduced::Rate => Some(all / sums.len() as f64),
        Reduced::Max1s => largest(sums.into_iter()),
        Reduced::Min1s => smallest(sums.into_iter()),
        _ => Some(all),
    }
}

/// Levels of seconds.
pub fn gauge(levels: impl Iterator<Item = Level>, reduced: Reduced) -> Option<f64> {
    let levels: Vec<Level> = levels.collect();
    match reduced {
        _ if levels.is_empty() => None,
        Reduced::Max => largest(levels.iter().map(|level| level.max)),
        Reduced::Min => smallest(levels.iter().map(|level| level.min)),
        Reduced::Last => levels.last().map(|level| level.last),
        _ => Some(levels.iter().map(|level| level.mean).sum::<f64>() / levels.len() as f64),
    }
}

/// The values of all seconds together. With `bounds` of buckets quantiles are estimated from those.
pub fn histogram(values: &Buckets, reduced: Reduced, bounds: &[f64]) -> Option<f64> {
    let length = match reduced {
        Reduced::Quantile(thousandths) if !bounds.is_empty() => {
            return histogram_quantile(f64::from(thousandths) / 1_000.0, bounds, &values.counts(bounds));
        }
        Reduced::Count => return Some(values.count() as f64),
        Reduced::Max => values.max(),
        Reduced::Min => values.min(),
        Reduced::Quantile(thousandths) => values.quantile(f64::from(thousandths) / 1_000.0),
        _ => values.mean(),
    };
    length.map(|length| length.as_seconds())
}

/// A quotient: that of the sums of the whole window, and those of its seconds.
pub fn ratio(all: Option<f64>, each: impl Iterator<Item = Option<f64>>, reduced: Reduced) -> Option<f64> {
    let each = each.flatten();
    match reduced {
        Reduced::Max => largest(each),
        Reduced::Min => smallest(each),
        Reduced::Last => each.last(),
        _ => all,
    }
}

fn largest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(|x, y| if y > x { y } else { x })
}

fn smallest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(|x, y| if y < x { y } else { x })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn a_window_with_nothing_in_it_has_no_number() {
        assert_eq!(counter(std::iter::empty(), Reduced::Sum), None);
        assert_eq!(gauge(std::iter::empty(), Reduced::Mean), None);
        assert_eq!(histogram(&Buckets::default(), Reduced::Quantile(950), &[]), None);
        assert_eq!(histogram(&Buckets::default(), Reduced::Count, &[]), Some(0.0));
        assert_eq!(ratio(None, std::iter::once(None), Reduced::Max), None);
    }

    #[test]
    fn each_kind_is_reduced_in_its_own_way() {
        let sums = || [3.0, 0.0, 9.0].into_iter();
        assert_eq!(counter(sums(), Reduced::Sum), Some(12.0));
        assert_eq!(counter(sums(), Reduced::Rate), Some(4.0));
        assert_eq!(counter(sums(), Reduced::Max1s), Some(9.0));
        assert_eq!(counter(sums(), Reduced::Min1s), Some(0.0));
        let level = |mean, max, min, last| Level { mean, max, min, last };
        let levels = || [level(1.0, 4.0, 0.0, 2.0), level(2.0, 3.0, 1.0, 1.0)].into_iter();
        assert_eq!(gauge(levels(), Reduced::Mean), Some(1.5));
        assert_eq!(gauge(levels(), Reduced::Max), Some(4.0));
        assert_eq!(gauge(levels(), Reduced::Min), Some(0.0));
        assert_eq!(gauge(levels(), Reduced::Last), Some(1.0));
        let each = || [Some(0.5), None, Some(0.25)].into_iter();
        assert_eq!(ratio(Some(0.4), each(), Reduced::Mean), Some(0.4));
        assert_eq!(ratio(Some(0.4), each(), Reduced::Value), Some(0.4));
        assert_eq!(ratio(Some(0.4), each(), Reduced::Last), Some(0.25));
        let values = Buckets::of(&[Span::from_millis(1), Span::from_millis(3)]);
        let coarse = histogram(&values, Reduced::Quantile(500), &[0.002, 0.004]);
        assert_eq!(coarse, Some(0.002), "one of two in the first bucket, which ends there");
        assert_eq!(histogram(&values, Reduced::Quantile(1_000), &[0.002]), Some(0.002), "above the largest bound");
        assert_eq!(histogram(&values, Reduced::Mean, &[]), Some(0.002));
        assert_eq!(histogram(&values, Reduced::Max, &[]), Some(0.003));
    }
}
