//! The circuit breaker of Polly v8 (source read at 173d6d1).
//!
//! Outcomes are counted in rolling windows: a sub-window begins with the first outcome after the one before it has run
//! its share of the sampling time, and counts until the sampling time has passed since it began. Only a failure is
//! followed by a judgement. Half-open lets one probe through: success closes the breaker, failure opens it again, and a
//! probe that never ends keeps it half-open. Closing forgets all outcomes.

use super::{BreakerState, CallOutcome, LateOutcomes, Permit, Transition};
use crate::policy::{Denial, DenyReason};
use crate::time::{Span, Time};
use std::collections::VecDeque;

/// The parameters of a circuit breaker in the manner of Polly, as yet unchecked. Defaults are Polly's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollyParams {
    /// Failures per call from which the breaker opens, above 0 and up to 1. Default 0.1.
    pub failure_ratio: f64,
    /// How long an outcome counts, less at most one sub-window. Default 30 s.
    pub sampling_duration: Span,
    /// Sub-windows of the sampling time. Default 10 (Polly: 1 if the sampling time is below 200 ms).
    pub rolling_windows: u32,
    /// Calls below which nothing is judged. Default 100.
    pub minimum_throughput: u32,
    /// How long the breaker stays open. Default 5 s.
    pub break_duration: Span,
    /// Outcomes of calls that an earlier state let through. Default ignore (Polly: count).
    pub late_outcomes: LateOutcomes,
}

impl Default for PollyParams {
    fn default() -> PollyParams {
        PollyParams {
            failure_ratio: 0.1,
            sampling_duration: Span::from_millis(30_000),
            rolling_windows: 10,
            minimum_throughput: 100,
            break_duration: Span::from_millis(5_000),
            late_outcomes: LateOutcomes::Ignore,
        }
    }
}

impl PollyParams {
    pub(super) fn check(&self) -> Result<(), String> {
        if !(self.failure_ratio > 0.0 && self.failure_ratio <= 1.0) {
            return Err(format!("the failure ratio is {}: use a number above 0 and up to 1", self.failure_ratio));
        }
        if self.rolling_windows == 0 || self.sampling_duration.as_nanos() < u64::from(self.rolling_windows) {
            return Err(format!(
                "the sampling duration ({} ms) cannot be cut into {} rolling windows: use 10 windows and some seconds",
                self.sampling_duration.as_ms(),
                self.rolling_windows
            ));
        }
        if self.minimum_throughput == 0 {
            return Err("the minimum throughput is 0: use at least 1".into());
        }
        if self.break_duration == Span::ZERO {
            return Err("the break duration is 0, so the breaker would never refuse: use a time such as 5 s".into());
        }
        Ok(())
    }
}

/// One breaker.
#[derive(Clone, Debug)]
pub(super) struct PollyBreaker {
    params: PollyParams,
    /// Changes with every transition.
    epoch: u32,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Closed { health: Health },
    Open { until: Time },
    HalfOpen { probing: bool },
}

impl PollyBreaker {
    pub(super) fn new(params: PollyParams) -> PollyBreaker {
        PollyBreaker { params, epoch: 0, state: State::Closed { health: Health::default() } }
    }

    pub(super) fn decide(&mut self, now: Time) -> (Result<Permit, Denial>, Option<Transition>) {
        let mut transition = None;
        if matches!(self.state, State::Open { until } if now >= until) {
            self.enter(State::HalfOpen { probing: false });
            transition = Some(Transition::HalfOpened);
        }
        let answer = match &mut self.state {
            State::Closed { .. } => Ok(Permit { epoch: self.epoch }),
            State::Open { until } => Err(Denial { retry_at: Some(*until), reason: DenyReason::BreakerOpen }),
            State::HalfOpen { probing: true } => Err(Denial { retry_at: None, reason: DenyReason::BreakerHalfOpen }),
            State::HalfOpen { probing } => {
                *probing = true;
                Ok(Permit { epoch: self.epoch })
            }
        };
        (answer, transition)
    }

    pub(super) fn on_result(&mut self, now: Time, permit: Permit, outcome: CallOutcome) -> Option<Transition> {
        let late = permit.epoch != self.epoch;
        if late && self.params.late_outcomes == LateOutcomes::Ignore {
            return None;
        }
        match (&mut self.state, outcome) {
            (State::Open { .. }, _) | (State::Closed { .. }, CallOutcome::Ignored) => None,
            (State::Closed { health }, _) => {
                health.record(now, outcome == CallOutcome::Failure, &self.params);
                let Outcomes { calls, failures } = health.total;
                let judged = outcome == CallOutcome::Failure && calls >= self.params.minimum_throughput;
                let broken = judged && f64::from(failures) / f64::from(calls) >= self.params.failure_ratio;
                broken.then(|| self.open(now, Outcomes { calls, failures }))
            }
            (State::HalfOpen { probing }, CallOutcome::Ignored) => {
                *probing &= late;
                None
            }
            (State::HalfOpen { .. }, CallOutcome::Failure) => Some(self.open(now, Outcomes { calls: 1, failures: 1 })),
            (State::HalfOpen { .. }, CallOutcome::Success) => {
                self.enter(State::Closed { health: Health::default() });
                Some(Transition::Closed)
            }
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } => BreakerState::Open { until },
            State::HalfOpen { probing } => BreakerState::HalfOpen { permits_left: u32::from(!probing) },
        }
    }

    fn open(&mut self, now: Time, Outcomes { calls, failures }: Outcomes) -> Transition {
        self.enter(State::Open { until: now + self.params.break_duration });
        Transition::Opened { failures, slow: 0, calls }
    }

    fn enter(&mut self, state: State) {
        self.epoch = self.epoch.wrapping_add(1);
        self.state = state;
    }
}

/// Outcomes, counted.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    calls: u32,
    failures: u32,
}

/// The outcomes of the sampling time, in sub-windows.
#[derive(Clone, Debug, Default)]
struct Health {
    /// When each sub-window began, and what it counted.
    windows: VecDeque<(Time, Outcomes)>,
    total: Outcomes,
}

impl Health {
    fn record(&mut self, now: Time, failed: bool, params: &PollyParams) {
        let share = Span::from_nanos(params.sampling_duration.as_nanos() / u64::from(params.rolling_windows));
        if self.windows.back().is_none_or(|(began, _)| now.since(*began) >= share) {
            self.windows.push_back((now, Outcomes::default()));
        }
        let (_, current) = self.windows.back_mut().expect("a sub-window has begun");
        for counts in [current, &mut self.total] {
            counts.calls += 1;
            counts.failures += u32::from(failed);
        }
        while let Some((_, old)) = self.windows.pop_front_if(|(began, _)| now.since(*began) >= params.sampling_duration)
        {
            self.total.calls -= old.calls;
            self.total.failures -= old.failures;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallOutcome::{Failure, Ignored, Success};
    use proptest::prelude::*;

    fn params() -> PollyParams {
        PollyParams {
            failure_ratio: 0.5,
            sampling_duration: Span::from_millis(1_000),
            rolling_windows: 10,
            minimum_throughput: 4,
            break_duration: Span::from_millis(500),
            late_outcomes: LateOutcomes::Ignore,
        }
    }

    fn ms(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    /// Makes a call that ends at once.
    fn call(breaker: &mut PollyBreaker, now: Time, outcome: CallOutcome) -> Option<Transition> {
        let permit = breaker.decide(now).0.expect("a permit");
        breaker.on_result(now, permit, outcome)
    }

    /// A breaker that opened at 0, with a permit from before.
    fn opened(params: PollyParams) -> (PollyBreaker, Permit) {
        let mut breaker = PollyBreaker::new(params);
        let permit = breaker.decide(Time::ZERO).0.unwrap();
        let moves = [Success, Success, Failure, Failure].map(|outcome| call(&mut breaker, Time::ZERO, outcome));
        assert_eq!(moves, [None, None, None, Some(Transition::Opened { failures: 2, slow: 0, calls: 4 })]);
        (breaker, permit)
    }

    #[test]
    fn a_success_opens_nothing() {
        let mut breaker = PollyBreaker::new(params());
        let moves = [Failure, Failure, Failure, Success].map(|outcome| call(&mut breaker, Time::ZERO, outcome));
        assert_eq!(moves, [None; 4], "three failures of four, but the fourth outcome is a success");
        assert!(call(&mut breaker, Time::ZERO, Failure).is_some());
    }

    #[test]
    fn one_probe_decides() {
        let (mut breaker, _) = opened(params());
        assert!(breaker.decide(ms(499)).0.is_err());
        let (probe, transition) = breaker.decide(ms(500));
        assert_eq!(transition, Some(Transition::HalfOpened));
        let refused = Denial { retry_at: None, reason: DenyReason::BreakerHalfOpen };
        assert_eq!(breaker.decide(ms(600)), (Err(refused), None));
        let probe = probe.unwrap();
        assert_eq!(breaker.clone().on_result(ms(700), probe, Success), Some(Transition::Closed));
        assert_eq!(breaker.clone().on_result(ms(700), probe, Ignored), None);
        assert_eq!(
            breaker.on_result(ms(700), probe, Failure),
            Some(Transition::Opened { failures: 1, slow: 0, calls: 1 }),
            "and the break begins anew"
        );
        assert_eq!(breaker.state(), BreakerState::Open { until: ms(1_200) });
    }

    #[test]
    fn an_ignored_probe_makes_room_for_another() {
        let (mut breaker, _) = opened(params());
        assert_eq!(call(&mut breaker, ms(500), Ignored), None);
        assert_eq!(call(&mut breaker, ms(500), Success), Some(Transition::Closed));
    }

    #[test]
    fn late_outcomes_count_only_if_told_so() {
        for (late_outcomes, expected) in [(LateOutcomes::Ignore, None), (LateOutcomes::Count, Some(Transition::Closed))]
        {
            let (mut breaker, late) = opened(PollyParams { late_outcomes, ..params() });
            assert_eq!(breaker.on_result(ms(100), late, Success), None, "open");
            breaker.decide(ms(500)).0.unwrap();
            assert_eq!(breaker.on_result(ms(510), late, Success), expected);
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut PollyParams)| {
            let mut params = PollyParams::default();
            change(&mut params);
            params.check().unwrap_err()
        };
        assert!(refused(|p| p.failure_ratio = f64::NAN).contains("failure ratio"));
        assert!(refused(|p| p.rolling_windows = 0).contains("rolling windows"));
        assert!(refused(|p| p.sampling_duration = Span::ZERO).contains("sampling duration"));
        assert!(refused(|p| p.minimum_throughput = 0).contains("throughput"));
        assert!(refused(|p| p.break_duration = Span::ZERO).contains("break duration"));
        assert_eq!(PollyParams::default().check(), Ok(()));
    }

    proptest! {
        /// Closed, it opens exactly when a failure arrives and at least half of the outcomes counted failed, 4 at least.
        /// The slow way of counting: each outcome remembers when its sub-window began.
        #[test]
        fn opens_exactly_at_its_ratio(outcomes in prop::collection::vec((0u64..300, any::<bool>()), 1..200)) {
            let mut breaker = PollyBreaker::new(params());
            let mut log: Vec<(u64, bool)> = Vec::new();
            let mut now_ms = 0;
            for (gap_ms, failed) in outcomes {
                now_ms += gap_ms;
                let began = log.last().map(|&(began, _)| began).filter(|began| now_ms - began < 100).unwrap_or(now_ms);
                log.push((began, failed));
                log.retain(|(began, _)| now_ms - began < 1_000);
                let failures = log.iter().filter(|(_, failed)| *failed).count();
                let opens = failed && log.len() >= 4 && failures * 2 >= log.len();
                let transition = call(&mut breaker, ms(now_ms), if failed { Failure } else { Success });
                prop_assert_eq!(transition.is_some(), opens);
                if opens {
                    break;
                }
            }
        }
    }
}
