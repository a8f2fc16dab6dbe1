//! Simulated time: an instant ([`Time`]) and a length ([`Span`]), both whole nanoseconds.
//!
//! Integers make runs identical on every machine; floats appear only where a number is drawn or printed.

use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Sub};

/// An instant, in nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(u64);

/// A length of time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than anything that happens.
    pub const NEVER: Time = Time(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// The instant `seconds` after the start, rounded to the nearest nanosecond; negative or not-a-number becomes the start.
    pub fn from_seconds(seconds: f64) -> Time {
        Time(Span::from_seconds(seconds).0)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for drawing and printing.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The whole second this instant lies in.
    pub const fn second(self) -> u32 {
        (self.0 / 1_000_000_000) as u32
    }

    /// The time that has passed since `earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A length of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }

    /// A length of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis * 1_000_000)
    }

    /// A length in seconds, rounded to the nearest nanosecond; negative or not-a-number becomes zero.
    pub fn from_seconds(seconds: f64) -> Span {
        Span(rounded(seconds * 1e9))
    }

    /// A length in milliseconds, rounded to the nearest nanosecond; negative or not-a-number becomes zero.
    pub fn from_ms(ms: f64) -> Span {
        Span(rounded(ms * 1e6))
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds, for drawing and printing.
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds, for drawing and printing.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// This length times `factor`, rounded to the nearest nanosecond; never negative.
    pub fn scaled(self, factor: f64) -> Span {
        Span(rounded(self.0 as f64 * factor))
    }
}

/// The nearest whole number, halves up; negative or not-a-number becomes zero. By hand: WebAssembly has no such rounding, and
/// not every processor.
fn rounded(exact: f64) -> u64 {
    let whole = exact as u64;
    whole.saturating_add(u64::from(exact - whole as f64 >= 0.5))
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_nanosecond() {
        assert_eq!(Time::from_seconds(1.5), Time::from_nanos(1_500_000_000));
        assert_eq!(Span::from_ms(0.000_000_6), Span::from_nanos(1));
        assert_eq!(Span::from_seconds(-3.0), Span::ZERO);
        assert_eq!(Span::from_seconds(f64::NAN), Span::ZERO);
    }

    #[test]
    fn time_passed_is_never_negative() {
        assert_eq!(Time::ZERO.since(Time::from_seconds(1.0)), Span::ZERO);
        assert_eq!(Time::from_seconds(3.0).since(Time::from_seconds(1.0)), Span::from_millis(2_000));
    }
}
