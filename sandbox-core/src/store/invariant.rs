//! What must always be true of the rows of a table, judged by looking at all of them.

use super::op::Column;
use super::rows::Fields;
use std::collections::BTreeMap;

/// A rule for one column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// All numbers add up to at least `least` and at most `most`: money is neither made nor lost, somebody is on call.
    Sum {
        /// Which column.
        column: Column,
        /// The smallest sum.
        least: i64,
        /// The largest sum.
        most: i64,
    },
    /// Each number is at least `least`: no stock below zero.
    AtLeast {
        /// Which column.
        column: Column,
        /// The smallest number.
        least: i64,
    },
    /// No number comes twice: a payment is taken once.
    Unique {
        /// Which column.
        column: Column,
    },
}

/// How an invariant is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// A row that breaks it; `None` if it takes all of them.
    pub key: Option<u64>,
    /// The number found: the sum, the number below the least, the number that came before.
    pub found: i64,
}

impl Invariant {
    /// The first breach, in the order of the rows.
    pub fn breach(&self, mut rows: impl Iterator<Item = (u64, Fields)>) -> Option<Breach> {
        match *self {
            Invariant::Sum { column, least, most } => {
                let sum = rows.map(|(_, fields)| i128::from(fields[usize::from(column)])).sum::<i128>();
                let found = sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                (!(least..=most).contains(&found)).then_some(Breach { key: None, found })
            }
            Invariant::AtLeast { column, least } => {
                let below = rows.find(|(_, fields)| fields[usize::from(column)] < least);
                below.map(|(key, fields)| Breach { key: Some(key), found: fields[usize::from(column)] })
            }
            Invariant::Unique { column } => {
                let mut first = BTreeMap::new();
                let again = rows.find(|(key, fields)| first.insert(fields[usize::from(column)], *key).is_some());
                again.map(|(key, fields)| Breach { key: Some(key), found: fields[usize::from(column)] })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breach(invariant: Invariant, numbers: &[i64]) -> Option<Breach> {
        invariant.breach((0..).zip(numbers.iter().map(|number| [0, *number, 0, 0])))
    }

    #[test]
    fn a_sum_lies_between_its_bounds() {
        let sum = Invariant::Sum { column: 1, least: 1, most: 3 };
        assert_eq!([breach(sum, &[1, -1, 1]), breach(sum, &[1, 2])], [None, None]);
        assert_eq!(breach(sum, &[2, 2]), Some(Breach { key: None, found: 4 }));
        assert_eq!(breach(sum, &[]), Some(Breach { key: None, found: 0 }));
        assert_eq!(breach(sum, &[i64::MAX, i64::MAX]), Some(Breach { key: None, found: i64::MAX }));
    }

    #[test]
    fn the_row_that_is_too_small_or_comes_twice_is_named() {
        let stock = Invariant::AtLeast { column: 1, least: 0 };
        assert_eq!(breach(stock, &[1, 0, -2, -3]), Some(Breach { key: Some(2), found: -2 }));
        let once = Invariant::Unique { column: 1 };
        assert_eq!(breach(once, &[4, 5, 4]), Some(Breach { key: Some(2), found: 4 }));
        assert_eq!([breach(stock, &[0]), breach(once, &[4, 5])], [None, None]);
    }
}
