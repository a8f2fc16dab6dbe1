//! Alert rules over a number: when does somebody hear of it, and when is it over?
//!
//! Promise: a rule fires at the first look at which its number has been beyond the threshold at every look for `hold` (at
//! once, if that is zero), and is over at the first look at which the number has been clear for `keep`. Clear is not the
//! opposite of beyond: with a second threshold a number between the two changes nothing (hysteresis, as of a Schmitt trigger).
//! Semantics: Prometheus' alerting rules (`for`, `keep_firing_for`); no number at all is not beyond the threshold.

use crate::time::{Span, Time};

/// On which side of its threshold a number is a reason to alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Above it.
    Above,
    /// Below it.
    Below,
}

/// A rule with checked parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertRule {
    side: Side,
    threshold: f64,
    clear_at: f64,
    hold: Span,
    keep: Span,
}

impl AlertRule {
    /// Fires when the number has been beyond the threshold for `hold`, and is over when it has been no further than
    /// `clear_at` for `keep`.
    pub fn new(side: Side, threshold: f64, clear_at: f64, hold: Span, keep: Span) -> Result<AlertRule, String> {
        let fits = match side {
            Side::Above => clear_at <= threshold,
            Side::Below => clear_at >= threshold,
        };
        if !threshold.is_finite() || !clear_at.is_finite() || !fits {
            return Err(format!("it fires at {threshold} and clears at {clear_at}: let it clear on the quiet side"));
        }
        Ok(AlertRule { side, threshold, clear_at, hold, keep })
    }

    /// Whether this number is a reason to alert.
    pub fn is_beyond(&self, number: f64) -> bool {
        match self.side {
            Side::Above => number > self.threshold,
            Side::Below => number < self.threshold,
        }
    }

    fn is_clear(&self, number: f64) -> bool {
        match self.side {
            Side::Above => number <= self.clear_at,
            Side::Below => number >= self.clear_at,
        }
    }
}

/// What a rule says at present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertState {
    /// All is well.
    #[default]
    Quiet,
    /// Beyond the threshold since then, but not for long enough.
    Pending(Time),
    /// Somebody is to hear of it.
    Firing,
    /// Clear since then, but not for long enough: it still fires.
    Clearing(Time),
}

impl AlertState {
    /// What the rule says after a look at its number; None: there is none.
    pub fn after(self, rule: &AlertRule, now: Time, number: Option<f64>) -> AlertState {
        let beyond = number.is_some_and(|number| rule.is_beyond(number));
        let clear = number.is_none_or(|number| rule.is_clear(number));
        let pending = |since: Time| match now >= since + rule.hold {
            true => AlertState::Firing,
            false => AlertState::Pending(since),
        };
        let clearing = |since: Time| match now >= since + rule.keep {
            true => AlertState::Quiet,
            false => AlertState::Clearing(since),
        };
        match self {
            AlertState::Quiet if beyond => pending(now),
            AlertState::Pending(since) if beyond => pending(since),
            AlertState::Quiet | AlertState::Pending(_) => AlertState::Quiet,
            AlertState::Firing if clear => clearing(now),
            AlertState::Clearing(since) if clear => clearing(since),
            AlertState::Firing | AlertState::Clearing(_) => AlertState::Firing,
        }
    }

    /// Whether somebody is to hear of it.
    pub fn fires(self) -> bool {
        matches!(self, AlertState::Firing | AlertState::Clearing(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: u32) -> Span {
        Span::from_millis(u64::from(seconds) * 1_000)
    }

    /// At which looks, one a second, the rule fires.
    fn firing(rule: &AlertRule, numbers: impl IntoIterator<Item = f64>) -> Vec<bool> {
        let mut state = AlertState::Quiet;
        let looks = numbers.into_iter().enumerate().map(|(at, number)| {
            state = state.after(rule, Time::from_seconds(at as f64), Some(number));
            state.fires()
        });
        looks.collect()
    }

    #[test]
    fn prometheus_for_and_keep_firing_for() {
        // The manual's rule `for: 10m`: pending for ten minutes, then firing.
        let rule = AlertRule::new(Side::Above, 0.5, 0.5, seconds(10), seconds(3)).unwrap();
        let fires = firing(&rule, (0..40).map(|at| f64::from(u8::from((5..20).contains(&at)))));
        assert_eq!(fires.iter().position(|fires| *fires), Some(15), "beyond from 5, for 10");
        assert_eq!(fires.iter().rposition(|fires| *fires), Some(22), "clear at 20, kept for 3");
        // A gap of one look begins the waiting anew.
        let gap = firing(&rule, (0..40).map(|at| f64::from(u8::from((5..20).contains(&at) && at != 10))));
        assert!(!gap.contains(&true), "neither 5 to 9 nor 11 to 19 is ten seconds");
        let silent = AlertState::Firing.after(&rule, Time::from_seconds(1.0), None);
        assert_eq!(silent, AlertState::Clearing(Time::from_seconds(1.0)), "no number is no reason");
    }

    #[test]
    fn below_is_the_mirror_of_above() {
        let silence = AlertRule::new(Side::Below, 1.0, 5.0, Span::ZERO, Span::ZERO).unwrap();
        assert_eq!(firing(&silence, [3.0, 0.0, 1.0, 4.0, 5.0, 4.0]), [false, true, true, true, false, false]);
        assert!(AlertRule::new(Side::Below, 1.0, 0.5, Span::ZERO, Span::ZERO).unwrap_err().contains("quiet side"));
        assert!(AlertRule::new(Side::Above, f64::NAN, 0.0, Span::ZERO, Span::ZERO).is_err());
    }

    proptest! {
        /// The closed form for one time beyond the threshold; a band between the thresholds changes nothing.
        #[test]
        fn one_time_beyond_is_heard_of_after_the_hold_and_over_after_the_keep(
            from in 0u32..50, lasts in 1u32..60, hold in 0u32..40, keep in 0u32..40, between in prop::collection::vec(0.0f64..1.0, 200),
        ) {
            let rule = AlertRule::new(Side::Above, 1.0, 0.0, seconds(hold), seconds(keep)).unwrap();
            let to = from + lasts;
            let numbers = (0..200u32).map(|at| if (from..to).contains(&at) { 2.0 } else { 0.0 });
            let fires = firing(&rule, numbers);
            for at in 0..200 {
                let expected = hold < lasts && (from + hold..to + keep).contains(&at);
                prop_assert_eq!(fires[at as usize], expected, "at {}", at);
            }
            // The same, but between the thresholds from the end of it on: it never clears.
            let hovers = (0..200u32).map(|at| if (from..to).contains(&at) { 2.0 } else { between[at as usize].max(1e-9) });
            let expected = |at: u32| hold < lasts && at >= from + hold;
            prop_assert!(firing(&rule, hovers).iter().zip(0..).all(|(fires, at)| *fires == expected(at)));
        }
    }
}
