//! A `circuit_breaker` model: calls at given instants that last and end as told, if the breaker permits them.

use super::Answers;
use super::read::{Ms, in_order, ms, read};
use crate::policy::circuit_breaker::{
    BreakerState, CallOutcome, CircuitBreaker, CircuitBreakerConfig, CircuitBreakerParams, Permit, PollyParams,
    SlidingWindow, Transition,
};
use crate::scenario::{self, Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;

spec! {
    struct Model {
        circuit_breaker: Value,
        calls: Vec<Call>,
    }
}

spec! {
    #[derive(Copy)]
    struct Call {
        t_ms: Ms,
        outcome: Outcome,
        duration_ms: Ms,
    }
}

spec! {
    enum Outcome {
        Ok,
        Fail,
    }
}

spec! {
    struct Resilience4jModel {
        sliding_window_type: WindowType,
        sliding_window_size: u32,
        minimum_number_of_calls: u32,
        failure_rate_threshold_percent: f64,
        slow_call_rate_threshold_percent?: Option<f64>,
        slow_call_duration_threshold_ms?: Option<Ms>,
        wait_duration_in_open_ms?: Option<Ms>,
        permitted_calls_in_half_open?: Option<u32>,
        automatic_transition?: Option<bool>,
    }
}

spec! {
    enum WindowType {
        Count,
        Time,
    }
}

spec! {
    struct PollyModel {
        _flavour as "flavour": PollyFlavour,
        failure_ratio: f64,
        sampling_duration_ms: Ms,
        rolling_windows: u32,
        minimum_throughput: u32,
        break_duration_ms: Ms,
    }
}

spec! {
    enum PollyFlavour {
        Polly,
    }
}

/// A circuit breaker as a model writes it under `circuit_breaker`.
pub fn config(model: Value) -> Result<CircuitBreakerConfig, Vec<Problem>> {
    let path = "circuit_breaker";
    let mut problems = Vec::new();
    let config = match model.get("flavour") {
        Some(_) => scenario::read::read::<PollyModel>(&model, path, &mut problems).map(PollyModel::config),
        None => scenario::read::read::<Resilience4jModel>(&model, path, &mut problems).map(Resilience4jModel::config),
    };
    match config {
        Some(Ok(config)) if problems.is_empty() => Ok(config),
        Some(Err(why)) => Err(vec![Problem::new(path, why, "Mend the value.")]),
        _ => Err(problems),
    }
}

impl Resilience4jModel {
    fn config(self) -> Result<CircuitBreakerConfig, String> {
        let default = CircuitBreakerParams::default();
        let span = |given: Option<Ms>, default: Span| given.map_or(default, |given| given.0);
        CircuitBreakerConfig::new(CircuitBreakerParams {
            sliding_window: match self.sliding_window_type {
                WindowType::Count => SlidingWindow::Count(self.sliding_window_size),
                WindowType::Time => SlidingWindow::TimeSeconds(self.sliding_window_size),
            },
            minimum_number_of_calls: self.minimum_number_of_calls,
            failure_rate_threshold: self.failure_rate_threshold_percent,
            slow_call_rate_threshold: self.slow_call_rate_threshold_percent.unwrap_or(default.slow_call_rate_threshold),
            slow_call_duration_threshold: span(
                self.slow_call_duration_threshold_ms,
                default.slow_call_duration_threshold,
            ),
            wait_duration_in_open: span(self.wait_duration_in_open_ms, default.wait_duration_in_open),
            permitted_calls_in_half_open: self
                .permitted_calls_in_half_open
                .unwrap_or(default.permitted_calls_in_half_open),
            automatic_transition: self.automatic_transition.unwrap_or(default.automatic_transition),
            ..default
        })
    }
}

impl PollyModel {
    fn config(self) -> Result<CircuitBreakerConfig, String> {
        CircuitBreakerConfig::polly(PollyParams {
            failure_ratio: self.failure_ratio,
            sampling_duration: self.sampling_duration_ms.0,
            rolling_windows: self.rolling_windows,
            minimum_throughput: self.minimum_throughput,
            break_duration: self.break_duration_ms.0,
            ..PollyParams::default()
        })
    }
}

/// The decision on every call, the state after it, and every change of state.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { circuit_breaker, calls } = read(model)?;
    in_order("calls", calls.iter().map(|call| call.t_ms.time()))?;
    let breaker = CircuitBreaker::new(config(circuit_breaker)?);
    let state_after = vec!["CLOSED"; calls.len()];
    let mut trace = Trace { breaker, calls: &calls, running: BTreeMap::new(), state_after, transitions: Vec::new() };
    let mut decisions = Vec::with_capacity(calls.len());
    for (index, call) in calls.iter().enumerate() {
        let now = call.t_ms.time();
        trace.advance(now);
        decisions.push(if trace.call(now, index) { "permitted" } else { "rejected" });
    }
    while let Some((&(end, _), _)) = trace.running.first_key_value() {
        trace.advance(end);
    }
    let Trace { state_after, transitions, .. } = trace;
    Ok([
        ("decisions".into(), json!(decisions)),
        ("state_after".into(), json!(state_after)),
        ("transitions".into(), json!(transitions)),
    ]
    .into_iter()
    .collect())
}

/// A breaker and the calls under way. At equal times the breaker's own moves come first, then outcomes, then calls.
struct Trace<'a> {
    breaker: CircuitBreaker,
    calls: &'a [Call],
    /// By end and position.
    running: BTreeMap<(Time, usize), Permit>,
    state_after: Vec<&'static str>,
    transitions: Vec<Value>,
}

impl Trace<'_> {
    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: Time) {
        loop {
            let end = self.running.first_key_value().map_or(Time::NEVER, |(&(end, _), _)| end);
            let timer = self.breaker.next_deadline().unwrap_or(Time::NEVER);
            if timer <= now.min(end) {
                self.observe(timer, |breaker| ((), breaker.on_deadline(timer)));
            } else if end <= now {
                let ((end, index), permit) = self.running.pop_first().expect("a call is under way");
                let Call { outcome, duration_ms, .. } = self.calls[index];
                let outcome = match outcome {
                    Outcome::Ok => CallOutcome::Success,
                    Outcome::Fail => CallOutcome::Failure,
                };
                self.observe(end, |breaker| ((), breaker.on_result(end, permit, outcome, duration_ms.0)));
                self.state_after[index] = name(self.breaker.state());
            } else {
                return;
            }
        }
    }

    /// Makes a call; false if it is rejected.
    fn call(&mut self, now: Time, index: usize) -> bool {
        let permit = self.observe(now, |breaker| breaker.decide(now)).ok();
        match permit {
            Some(permit) => drop(self.running.insert((now + self.calls[index].duration_ms.0, index), permit)),
            None => self.state_after[index] = name(self.breaker.state()),
        }
        permit.is_some()
    }

    /// Does something to the breaker and keeps what moved.
    fn observe<T>(&mut self, at: Time, act: impl FnOnce(&mut CircuitBreaker) -> (T, Option<Transition>)) -> T {
        let from = name(self.breaker.state());
        let (answer, transition) = act(&mut self.breaker);
        if transition.is_some() {
            let to = name(self.breaker.state());
            self.transitions.push(json!({"t_ms": ms(at.since(Time::ZERO)), "from": from, "to": to}));
        }
        answer
    }
}

fn name(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "CLOSED",
        BreakerState::Open { .. } => "OPEN",
        BreakerState::HalfOpen { .. } => "HALF_OPEN",
    }
}
