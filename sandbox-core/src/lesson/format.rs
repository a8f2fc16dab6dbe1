//! How a number is written in prose: with its unit, and no more digits than it deserves.

use crate::scenario::spec;
use crate::time::Span;
use crate::timeline::words;

spec! {
    /// How a number is written.
    pub enum Format {
        /// A share as a percentage with one decimal.
        Percent1,
        /// A share as a whole percentage.
        Percent0,
        /// Seconds as a length with three significant digits.
        Duration,
        /// A whole number with thousands separated.
        Count,
        /// How many times something, with one decimal.
        Times,
    }
}

impl Format {
    /// Writes a number.
    #[inline]
    pub fn write(self, value: f64) -> String {
        match self {
            Format::Percent1 => format!("{:.1} %", value * 100.0),
            Format::Percent0 => format!("{:.0} %", value * 100.0),
            Format::Duration => words::span(Span::from_seconds(value)),
            Format::Count => words::number(value.round().max(0.0) as u64),
            Format::Times => format!("{value:.1}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_their_unit() {
        assert_eq!(Format::Percent1.write(0.99871), "99.9 %");
        assert_eq!(Format::Percent0.write(0.5), "50 %");
        assert_eq!(Format::Duration.write(0.00213), "2.13 ms");
        assert_eq!(Format::Count.write(5_297.0), "5,297");
        assert_eq!(Format::Times.write(3.84), "3.8");
    }
}
