//! The circuit breaker of resilience4j 2.x (source read at af9e7c9).
//!
//! A call that arrives after the wait moves the breaker to half-open; a timer does only with `automatic_transition`.
//! Every outcome is followed by a check of both rates, so a slow success can open it too. Nothing is judged below the
//! minimum number of calls, which is clamped to the size of a count window and to the number of trial calls: a small
//! minimum decides before all trial calls are back. Entering closed or half-open starts an empty window.

use super::{BreakerState, CallOutcome, LateOutcomes, Permit, Transition};
use crate::policy::{Denial, DenyReason};
use crate::time::{Span, Time};
use std::collections::VecDeque;

/// Which outcomes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlidingWindow {
    /// The last so many calls.
    Count(u32),
    /// The calls that ended in the last so many whole seconds, the current one included. Judged only when an outcome
    /// arrives.
    TimeSeconds(u32),
}

/// The parameters of a circuit breaker, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CircuitBreakerParams {
    /// Which outcomes are looked at. Default: the last 20 (library: 100).
    pub sliding_window: SlidingWindow,
    /// Calls in the window below which nothing is judged. Default 10 (library: 100).
    pub minimum_number_of_calls: u32,
    /// Failures in percent of the calls from which the breaker opens. Default 50, as in the library.
    pub failure_rate_threshold: f64,
    /// Slow calls in percent of the calls from which the breaker opens. Default 100, as in the library.
    pub slow_call_rate_threshold: f64,
    /// A call that takes longer than this is slow. Default 60 s, as in the library.
    pub slow_call_duration_threshold: Span,
    /// How long the breaker stays open. Default 5 s (library: 60 s; 5 s is Hystrix's and Polly's).
    pub wait_duration_in_open: Span,
    /// Trial calls while half-open. Default 3 (library: 10).
    pub permitted_calls_in_half_open: u32,
    /// How long half-open may last before the breaker opens again; zero means for ever. Default zero, as in the
    /// library.
    pub max_wait_in_half_open: Span,
    /// Whether open is left by itself when the wait is over, rather than by the next call. Default no, as in the
    /// library.
    pub automatic_transition: bool,
    /// Outcomes of calls that an earlier state let through. Default ignore (library: count).
    pub late_outcomes: LateOutcomes,
}

impl Default for CircuitBreakerParams {
    fn default() -> CircuitBreakerParams {
        CircuitBreakerParams {
            sliding_window: SlidingWindow::Count(20),
            minimum_number_of_calls: 10,
            failure_rate_threshold: 50.0,
            slow_call_rate_threshold: 100.0,
            slow_call_duration_threshold: Span::from_millis(60_000),
            wait_duration_in_open: Span::from_millis(5_000),
            permitted_calls_in_half_open: 3,
            max_wait_in_half_open: Span::ZERO,
            automatic_transition: false,
            late_outcomes: LateOutcomes::Ignore,
        }
    }
}

impl CircuitBreakerParams {
    pub(super) fn check(&self) -> Result<(), String> {
        if matches!(self.sliding_window, SlidingWindow::Count(0) | SlidingWindow::TimeSeconds(0)) {
            return Err("the sliding window is 0: use at least 1 call or 1 second".into());
        }
        if self.minimum_number_of_calls == 0 {
            return Err("the minimum number of calls is 0: use at least 1".into());
        }
        for (name, percent) in [
            ("failure rate threshold", self.failure_rate_threshold),
            ("slow call rate threshold", self.slow_call_rate_threshold),
        ] {
            if !(percent > 0.0 && percent <= 100.0) {
                return Err(format!("the {name} is {percent} %: use a percentage above 0 and up to 100"));
            }
        }
        if self.wait_duration_in_open == Span::ZERO {
            return Err(
                "the wait in open is 0, so the breaker would never refuse: use a positive time such as 5 s".into()
            );
        }
        if self.permitted_calls_in_half_open == 0 {
            return Err("no trial calls are permitted in half-open, so it could never close: use at least 1".into());
        }
        Ok(())
    }
}

/// One breaker.
#[derive(Clone, Debug)]
pub(super) struct WindowBreaker {
    params: CircuitBreakerParams,
    /// Changes with every transition.
    epoch: u32,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Closed { window: Window },
    Open { until: Time },
    HalfOpen { window: Window, permits_left: u32, since: Time },
}

impl WindowBreaker {
    pub(super) fn new(params: CircuitBreakerParams) -> WindowBreaker {
        WindowBreaker { params, epoch: 0, state: State::Closed { window: Window::new(params.sliding_window) } }
    }

    pub(super) fn decide(&mut self, now: Time) -> (Result<Permit, Denial>, Option<Transition>) {
        let mut transition = self.give_up_on_trials(now);
        if matches!(self.state, State::Open { until } if now >= until) {
            transition = Some(self.half_open(now));
        }
        let answer = match &mut self.state {
            State::Closed { .. } => Ok(Permit { epoch: self.epoch }),
            State::Open { until } => Err(Denial { retry_at: Some(*until), reason: DenyReason::BreakerOpen }),
            State::HalfOpen { permits_left: 0, .. } => {
                Err(Denial { retry_at: None, reason: DenyReason::BreakerHalfOpen })
            }
            State::HalfOpen { permits_left, .. } => {
                *permits_left -= 1;
                Ok(Permit { epoch: self.epoch })
            }
        };
        (answer, transition)
    }

    pub(super) fn on_result(
        &mut self,
        now: Time,
        permit: Permit,
        outcome: CallOutcome,
        duration: Span,
    ) -> Option<Transition> {
        let gave_up = self.give_up_on_trials(now);
        let late = permit.epoch != self.epoch;
        if late && self.params.late_outcomes == LateOutcomes::Ignore {
            return gave_up;
        }
        let params = self.params;
        let call = Counts {
            calls: 1,
            failures: u32::from(outcome == CallOutcome::Failure),
            slow: u32::from(self.is_slow(duration)),
        };
        match &mut self.state {
            State::Closed { .. } if outcome == CallOutcome::Ignored => None,
            State::Closed { window } => {
                window.record(now.second(), call);
                let minimum = match params.sliding_window {
                    SlidingWindow::Count(size) => params.minimum_number_of_calls.min(size),
                    SlidingWindow::TimeSeconds(_) => params.minimum_number_of_calls,
                };
                let total = window.total;
                (total.calls >= minimum && total.reach(&params)).then(|| self.open(now, total))
            }
            State::HalfOpen { permits_left, .. } if outcome == CallOutcome::Ignored => {
                *permits_left += u32::from(!late);
                None
            }
            State::HalfOpen { window, .. } => {
                window.record(now.second(), call);
                let total = window.total;
                if total.calls < params.minimum_number_of_calls.min(params.permitted_calls_in_half_open) {
                    None
                } else if total.reach(&params) {
                    Some(self.open(now, total))
                } else {
                    Some(self.close())
                }
            }
            State::Open { .. } => gave_up,
        }
    }

    pub(super) fn is_slow(&self, duration: Span) -> bool {
        duration > self.params.slow_call_duration_threshold
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        match self.state {
            State::Open { until } if self.params.automatic_transition => Some(until),
            State::HalfOpen { since, .. } if self.params.max_wait_in_half_open > Span::ZERO => {
                Some(since + self.params.max_wait_in_half_open)
            }
            _ => None,
        }
    }

    pub(super) fn on_deadline(&mut self, now: Time) -> Option<Transition> {
        match self.state {
            State::Open { until } if self.params.automatic_transition && now >= until => Some(self.half_open(until)),
            _ => self.give_up_on_trials(now),
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { until } => BreakerState::Open { until },
            State::HalfOpen { permits_left, .. } => BreakerState::HalfOpen { permits_left },
        }
    }

    /// Opens a breaker whose trials have taken too long, as of the instant at which they had.
    fn give_up_on_trials(&mut self, now: Time) -> Option<Transition> {
        let longest = self.params.max_wait_in_half_open;
        match &self.state {
            State::HalfOpen { window, since, .. } if longest > Span::ZERO && now >= *since + longest => {
                let (at, total) = (*since + longest, window.total);
                Some(self.open(at, total))
            }
            _ => None,
        }
    }

    fn open(&mut self, at: Time, opened_on: Counts) -> Transition {
        self.enter(State::Open { until: at + self.params.wait_duration_in_open });
        let Counts { calls, failures, slow } = opened_on;
        let slow_ones_did = opened_on.reach(&self.params) && !opened_on.have_failed(&self.params);
        Transition::Opened { failures, slow: if slow_ones_did { slow } else { 0 }, calls }
    }

    fn half_open(&mut self, now: Time) -> Transition {
        let permits_left = self.params.permitted_calls_in_half_open;
        let window = Window::new(SlidingWindow::Count(permits_left));
        self.enter(State::HalfOpen { window, permits_left, since: now });
        Transition::HalfOpened
    }

    fn close(&mut self) -> Transition {
        self.enter(State::Closed { window: Window::new(self.params.sliding_window) });
        Transition::Closed
    }

    fn enter(&mut self, state: State) {
        self.epoch = self.epoch.wrapping_add(1);
        self.state = state;
    }
}

/// Outcomes, counted. A call can be both failed and slow.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u32,
    failures: u32,
    slow: u32,
}

impl Counts {
    /// Whether either rate has reached its threshold.
    fn reach(self, params: &CircuitBreakerParams) -> bool {
        self.have_failed(params) || self.percent(self.slow) >= params.slow_call_rate_threshold
    }

    /// Whether the rate of failures has.
    fn have_failed(self, params: &CircuitBreakerParams) -> bool {
        self.percent(self.failures) >= params.failure_rate_threshold
    }

    fn percent(self, part: u32) -> f64 {
        f64::from(part) * 100.0 / f64::from(self.calls)
    }

    fn add(&mut self, other: Counts) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow += other.slow;
    }

    fn subtract(&mut self, other: Counts) {
        self.calls -= other.calls;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}

/// The outcomes looked at: a bucket per call in a count window, per second in a time window.
#[derive(Clone, Debug)]
struct Window {
    kind: SlidingWindow,
    buckets: VecDeque<(u32, Counts)>,
    total: Counts,
}

impl Window {
    fn new(kind: SlidingWindow) -> Window {
        Window { kind, buckets: VecDeque::new(), total: Counts::default() }
    }

    fn record(&mut self, second: u32, call: Counts) {
        match (self.kind, self.buckets.back_mut()) {
            (SlidingWindow::TimeSeconds(_), Some((last, counts))) if *last == second => counts.add(call),
            _ => self.buckets.push_back((second, call)),
        }
        self.total.add(call);
        while let Some(&(first, counts)) = self.buckets.front() {
            let outdated = match self.kind {
                SlidingWindow::Count(size) => self.buckets.len() > size as usize,
                SlidingWindow::TimeSeconds(seconds) => second.saturating_sub(first) >= seconds,
            };
            if !outdated {
                break;
            }
            self.total.subtract(counts);
            self.buckets.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallOutcome::{Failure, Ignored, Success};
    use proptest::prelude::*;

    const QUICK: Span = Span::from_millis(10);

    fn breaker(change: impl FnOnce(&mut CircuitBreakerParams)) -> WindowBreaker {
        let mut params = CircuitBreakerParams::default();
        change(&mut params);
        params.check().unwrap();
        WindowBreaker::new(params)
    }

    impl WindowBreaker {
        /// Calls and failures in the window; none while open.
        fn window(&self) -> (u32, u32) {
            match &self.state {
                State::Closed { window } | State::HalfOpen { window, .. } => {
                    (window.total.calls, window.total.failures)
                }
                State::Open { .. } => (0, 0),
            }
        }
    }

    fn at(seconds: f64) -> Time {
        Time::from_seconds(seconds)
    }

    /// Makes a call that ends at once.
    fn call(breaker: &mut WindowBreaker, now: Time, outcome: CallOutcome) -> Option<Transition> {
        let permit = breaker.decide(now).0.expect("a permit");
        breaker.on_result(now, permit, outcome, QUICK)
    }

    /// A breaker with small numbers (2 calls, 100 ms) that opened at 0.
    fn opened(change: impl FnOnce(&mut CircuitBreakerParams)) -> WindowBreaker {
        let mut breaker = breaker(|p| {
            p.minimum_number_of_calls = 2;
            p.wait_duration_in_open = Span::from_millis(100);
            change(p);
        });
        call(&mut breaker, Time::ZERO, Failure);
        assert_eq!(
            call(&mut breaker, Time::ZERO, Failure),
            Some(Transition::Opened { failures: 2, slow: 0, calls: 2 })
        );
        breaker
    }

    #[test]
    fn opens_at_the_minimum_number_of_calls_and_not_before() {
        let mut breaker = breaker(|_| ());
        for _ in 0..4 {
            assert_eq!(call(&mut breaker, Time::ZERO, Success), None);
        }
        for _ in 0..5 {
            assert_eq!(call(&mut breaker, Time::ZERO, Failure), None);
        }
        assert_eq!(breaker.window(), (9, 5));
        // 5 of 10 is 50 %: the tenth outcome opens it, success though it is.
        assert_eq!(call(&mut breaker, at(1.0), Success), Some(Transition::Opened { failures: 5, slow: 0, calls: 10 }));
        assert_eq!(breaker.state(), BreakerState::Open { until: at(6.0) });
    }

    #[test]
    fn the_minimum_is_clamped_to_a_count_window() {
        let mut breaker = breaker(|p| p.sliding_window = SlidingWindow::Count(4));
        let outcomes = [Success, Success, Failure, Failure].map(|outcome| call(&mut breaker, Time::ZERO, outcome));
        assert_eq!(outcomes, [None, None, None, Some(Transition::Opened { failures: 2, slow: 0, calls: 4 })]);
    }

    #[test]
    fn slow_successes_open_it_and_exactly_the_threshold_is_not_slow() {
        let mut breaker = breaker(|p| p.minimum_number_of_calls = 1);
        let minute = Span::from_millis(60_000);
        let permit = breaker.decide(Time::ZERO).0.unwrap();
        assert_eq!(breaker.on_result(at(60.0), permit, Success, minute), None);
        breaker = WindowBreaker::new(breaker.params);
        let longer = minute + Span::from_nanos(1);
        assert_eq!(
            breaker.on_result(at(60.0), permit, Success, longer),
            Some(Transition::Opened { failures: 0, slow: 1, calls: 1 })
        );
    }

    #[test]
    fn a_time_window_forgets_whole_seconds() {
        let mut breaker = breaker(|p| {
            p.sliding_window = SlidingWindow::TimeSeconds(2);
            p.minimum_number_of_calls = 3;
        });
        call(&mut breaker, at(0.9), Failure);
        call(&mut breaker, at(1.0), Failure);
        // The outcome of second 0 counts through second 1, not in second 2.
        assert_eq!(
            call(&mut breaker.clone(), at(1.99), Success),
            Some(Transition::Opened { failures: 2, slow: 0, calls: 3 })
        );
        assert_eq!(call(&mut breaker, at(2.0), Success), None);
        assert_eq!(breaker.window(), (2, 1));
        assert_eq!(call(&mut breaker, at(9.0), Success), None);
        assert_eq!(breaker.window(), (1, 0));
    }

    #[test]
    fn trial_calls_close_it() {
        let mut breaker = opened(|p| p.minimum_number_of_calls = 2);
        let (first, transition) = breaker.decide(at(0.1));
        assert_eq!(transition, Some(Transition::HalfOpened));
        let second = breaker.decide(at(0.1)).0.unwrap();
        assert_eq!(breaker.state(), BreakerState::HalfOpen { permits_left: 1 });
        breaker.decide(at(0.1)).0.unwrap();
        let refused = Err(Denial { retry_at: None, reason: DenyReason::BreakerHalfOpen });
        assert_eq!(breaker.decide(at(0.1)), (refused, None));
        assert_eq!(breaker.on_result(at(0.2), first.unwrap(), Success, QUICK), None);
        // The minimum of 2 decides before the third trial call is back.
        assert_eq!(breaker.on_result(at(0.2), second, Success, QUICK), Some(Transition::Closed));
        assert_eq!((breaker.state(), breaker.window()), (BreakerState::Closed, (0, 0)));
    }

    #[test]
    fn trial_calls_open_it_again() {
        let mut breaker = opened(|p| p.permitted_calls_in_half_open = 1);
        assert_eq!(call(&mut breaker, at(0.1), Failure), Some(Transition::Opened { failures: 1, slow: 0, calls: 1 }));
        assert_eq!(breaker.state(), BreakerState::Open { until: at(0.2) });
    }

    #[test]
    fn an_ignored_outcome_gives_the_permit_back() {
        let mut breaker = opened(|_| ());
        assert_eq!(call(&mut breaker, at(0.1), Ignored), None);
        assert_eq!((breaker.state(), breaker.window()), (BreakerState::HalfOpen { permits_left: 3 }, (0, 0)));
    }

    #[test]
    fn late_outcomes_change_nothing() {
        let mut breaker = breaker(|p| {
            p.minimum_number_of_calls = 1;
            p.wait_duration_in_open = Span::from_millis(100);
        });
        let [late, later] = [0, 0].map(|_| breaker.decide(Time::ZERO).0.unwrap());
        call(&mut breaker, Time::ZERO, Failure);
        assert_eq!(breaker.on_result(at(0.05), late, Success, QUICK), None);
        breaker.decide(at(0.1)).0.unwrap();
        assert_eq!(breaker.on_result(at(0.15), later, Success, QUICK), None);
        assert_eq!((breaker.state(), breaker.window()), (BreakerState::HalfOpen { permits_left: 2 }, (0, 0)));
    }

    #[test]
    fn late_outcomes_count_if_told_so() {
        let mut breaker = breaker(|p| {
            p.minimum_number_of_calls = 1;
            p.wait_duration_in_open = Span::from_millis(100);
            p.late_outcomes = LateOutcomes::Count;
        });
        let [late, later] = [0, 0].map(|_| breaker.decide(Time::ZERO).0.unwrap());
        call(&mut breaker, Time::ZERO, Failure);
        assert_eq!(breaker.on_result(at(0.05), late, Success, QUICK), None, "while open they do not");
        breaker.decide(at(0.1)).0.unwrap();
        assert_eq!(breaker.on_result(at(0.15), later, Success, QUICK), Some(Transition::Closed));
    }

    #[test]
    fn open_is_left_by_itself_if_told_so() {
        let mut breaker = opened(|p| p.automatic_transition = true);
        assert_eq!(breaker.next_deadline(), Some(at(0.1)));
        assert_eq!(breaker.on_deadline(at(0.05)), None);
        assert_eq!(breaker.on_deadline(at(0.1)), Some(Transition::HalfOpened));
        assert_eq!((breaker.next_deadline(), breaker.decide(at(0.1)).1), (None, None));
        assert_eq!(opened(|_| ()).next_deadline(), None);
    }

    #[test]
    fn a_stuck_trial_opens_it_again() {
        let mut breaker = opened(|p| {
            p.max_wait_in_half_open = Span::from_millis(50);
            p.permitted_calls_in_half_open = 1;
        });
        let stuck = breaker.decide(at(0.1)).0.unwrap();
        let opened = Some(Transition::Opened { failures: 0, slow: 0, calls: 0 });
        let refused = Err(Denial { retry_at: Some(at(0.25)), reason: DenyReason::BreakerOpen });
        assert_eq!(breaker.clone().decide(at(0.16)), (refused, opened));
        assert_eq!(breaker.clone().on_result(at(0.16), stuck, Success, QUICK), opened);
        let (answer, transition) = breaker.decide(at(0.25));
        assert_eq!((answer.is_ok(), transition), (true, Some(Transition::HalfOpened)));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut CircuitBreakerParams)| {
            let mut params = CircuitBreakerParams::default();
            change(&mut params);
            params.check().unwrap_err()
        };
        assert!(refused(|p| p.sliding_window = SlidingWindow::Count(0)).contains("window"));
        assert!(refused(|p| p.minimum_number_of_calls = 0).contains("minimum"));
        assert!(refused(|p| p.failure_rate_threshold = 0.0).contains("failure rate"));
        assert!(refused(|p| p.slow_call_rate_threshold = f64::NAN).contains("slow call rate"));
        assert!(refused(|p| p.failure_rate_threshold = 101.0).contains("up to 100"));
        assert!(refused(|p| p.wait_duration_in_open = Span::ZERO).contains("wait"));
        assert!(refused(|p| p.permitted_calls_in_half_open = 0).contains("trial"));
    }

    proptest! {
        /// Closed, it opens exactly when at least half of the last 20 calls failed, 10 at least.
        #[test]
        fn opens_exactly_at_its_threshold(failed in prop::collection::vec(prop::bool::weighted(0.4), 0..200)) {
            let mut breaker = breaker(|_| ());
            for end in 1..=failed.len() {
                let window = &failed[end.saturating_sub(20)..end];
                let failures = window.iter().filter(|&&failed| failed).count();
                let outcome = if failed[end - 1] { Failure } else { Success };
                let transition = call(&mut breaker, Time::ZERO, outcome);
                let opens = window.len() >= 10 && failures * 2 >= window.len();
                prop_assert_eq!(transition.is_some(), opens);
                if opens {
                    break;
                }
                prop_assert_eq!(breaker.window(), (window.len() as u32, failures as u32));
            }
        }

        /// Whatever happens: refused with a time means refused until then and allowed at it; in half-open no more calls
        /// are under way or answered than permitted; every change of state is reported.
        #[test]
        fn keeps_its_promises(
            steps in prop::collection::vec((0u8..6, 0u64..40, any::<prop::sample::Index>()), 1..300),
            max_wait_ms in prop_oneof![Just(0u64), Just(70)],
        ) {
            let mut breaker = breaker(|p| {
                p.sliding_window = SlidingWindow::Count(4);
                p.minimum_number_of_calls = 3;
                p.wait_duration_in_open = Span::from_millis(100);
                p.max_wait_in_half_open = Span::from_millis(max_wait_ms);
            });
            let kind = |breaker: &WindowBreaker| std::mem::discriminant(&breaker.state());
            let mut under_way: Vec<Permit> = Vec::new();
            let mut now = Time::ZERO;
            for (what, gap_ms, which) in steps {
                now += Span::from_millis(gap_ms);
                let before = kind(&breaker);
                let transition = if what < 3 {
                    let (answer, transition) = breaker.decide(now);
                    match answer {
                        Ok(permit) => under_way.push(permit),
                        Err(Denial { retry_at: Some(at), .. }) => {
                            prop_assert!(at > now);
                            prop_assert!(breaker.clone().decide(Time::from_nanos(at.as_nanos() - 1)).0.is_err());
                            prop_assert!(breaker.clone().decide(at).0.is_ok());
                        }
                        Err(_) => prop_assert_eq!(breaker.state(), BreakerState::HalfOpen { permits_left: 0 }),
                    }
                    transition
                } else if under_way.is_empty() {
                    None
                } else {
                    let permit = under_way.swap_remove(which.index(under_way.len()));
                    let outcome = [Success, Failure, Ignored][what as usize - 3];
                    breaker.on_result(now, permit, outcome, QUICK)
                };
                if kind(&breaker) != before {
                    prop_assert!(transition.is_some());
                }
                if let State::HalfOpen { window, permits_left, .. } = &breaker.state {
                    let trials = under_way.iter().filter(|permit| permit.epoch == breaker.epoch).count() as u32;
                    prop_assert_eq!(trials + window.total.calls + permits_left, 3);
                }
            }
        }
    }
}
