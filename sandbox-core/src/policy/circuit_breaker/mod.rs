//! Circuit breaker: stop calling what keeps failing, and try again carefully.
//!
//! Promise: while closed everything passes; while open nothing passes before `until`, and the first call at or after it
//! does; while half-open only trial calls pass, and their outcomes alone decide.
//!
//! Two flavours: [`resilience4j`] judges every outcome by the rates of a sliding window and lets several trial calls
//! through; [`polly`] judges failures only, by a ratio over rolling windows, and lets a single probe through. Three
//! deviations from both libraries, all deliberate:
//!
//! 1. Open is left at `now >= until`; resilience4j leaves it strictly after.
//! 2. A permit carries the epoch of the state that granted it, and by default an outcome of an older epoch is ignored
//!    ([`LateOutcomes`]). Simulated latencies are long; in the libraries a late success of the overload could close the
//!    breaker.
//! 3. The defaults are smaller, so that a lesson sees the breaker move within seconds.
//!
//! What counts as a failure is the caller's decision: transport errors, timeouts, 5xx; never 4xx, never the breaker's
//! own refusal, never a client that went away ([`CallOutcome::Ignored`]). Every permit must be answered by one
//! `on_result`.

mod polly;
mod resilience4j;

use super::Denial;
use crate::time::{Span, Time};
use polly::PollyBreaker;
pub use polly::PollyParams;
use resilience4j::WindowBreaker;
pub use resilience4j::{CircuitBreakerParams, SlidingWindow};

/// What becomes of the outcome of a call that an earlier state let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LateOutcomes {
    /// It changes nothing.
    #[default]
    Ignore,
    /// It counts as an outcome of the present state, as in the libraries: in half-open as a trial, while open not at
    /// all.
    Count,
}

/// Checked parameters of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CircuitBreakerConfig(Flavour);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flavour {
    Resilience4j(CircuitBreakerParams),
    Polly(PollyParams),
}

impl CircuitBreakerConfig {
    /// A breaker in the manner of resilience4j.
    pub fn new(params: CircuitBreakerParams) -> Result<CircuitBreakerConfig, String> {
        params.check()?;
        Ok(CircuitBreakerConfig(Flavour::Resilience4j(params)))
    }

    /// A breaker in the manner of Polly.
    pub fn polly(params: PollyParams) -> Result<CircuitBreakerConfig, String> {
        params.check()?;
        Ok(CircuitBreakerConfig(Flavour::Polly(params)))
    }
}

/// One breaker around one kind of call.
#[derive(Clone, Debug)]
pub struct CircuitBreaker(Machine);

#[derive(Clone, Debug)]
enum Machine {
    Resilience4j(WindowBreaker),
    Polly(PollyBreaker),
}

/// The state as seen from outside. Unless it leaves open by itself, time alone changes nothing: an open breaker shows
/// as open until a call arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes.
    Open {
        /// The first instant at which a call passes again.
        until: Time,
    },
    /// Trial calls pass.
    HalfOpen {
        /// Trial calls that may still start.
        permits_left: u32,
    },
}

/// The right to make one call; to be answered by one `on_result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    epoch: u32,
}

/// How a permitted call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// It worked.
    Success,
    /// It failed in a way that speaks against the callee.
    Failure,
    /// It says nothing about the callee (the client went away, the request was wrong); the permit is given back.
    Ignored,
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Calls are refused from now on.
    Opened {
        /// Failures in the window that decided.
        failures: u32,
        /// Slow calls in it, if these decided; else 0.
        slow: u32,
        /// Calls in that window.
        calls: u32,
    },
    /// Trial calls may pass.
    HalfOpened,
    /// Everything passes again.
    Closed,
}

impl CircuitBreaker {
    /// A closed breaker with an empty window.
    pub fn new(config: CircuitBreakerConfig) -> CircuitBreaker {
        CircuitBreaker(match config.0 {
            Flavour::Resilience4j(params) => Machine::Resilience4j(WindowBreaker::new(params)),
            Flavour::Polly(params) => Machine::Polly(PollyBreaker::new(params)),
        })
    }

    /// May a call be made now? Asking can move the breaker: from open to half-open once the wait is over, and from
    /// half-open to open if trials have taken too long (if both are due, only the second move, to half-open, is
    /// reported).
    pub fn decide(&mut self, now: Time) -> (Result<Permit, Denial>, Option<Transition>) {
        match &mut self.0 {
            Machine::Resilience4j(breaker) => breaker.decide(now),
            Machine::Polly(breaker) => breaker.decide(now),
        }
    }

    /// A permitted call ended now after `duration`.
    pub fn on_result(&mut self, now: Time, permit: Permit, outcome: CallOutcome, duration: Span) -> Option<Transition> {
        match &mut self.0 {
            Machine::Resilience4j(breaker) => breaker.on_result(now, permit, outcome, duration),
            Machine::Polly(breaker) => breaker.on_result(now, permit, outcome),
        }
    }

    /// Whether a call that takes so long is a slow one.
    pub fn is_slow(&self, duration: Span) -> bool {
        match &self.0 {
            Machine::Resilience4j(breaker) => breaker.is_slow(duration),
            Machine::Polly(_) => false,
        }
    }

    /// When the breaker will move by itself, if it will: call [`CircuitBreaker::on_deadline`] then. A caller that never
    /// does sees the same moves at the next call instead.
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.0 {
            Machine::Resilience4j(breaker) => breaker.next_deadline(),
            Machine::Polly(_) => None,
        }
    }

    /// The deadline is here; nothing happens if it is not.
    pub fn on_deadline(&mut self, now: Time) -> Option<Transition> {
        match &mut self.0 {
            Machine::Resilience4j(breaker) => breaker.on_deadline(now),
            Machine::Polly(_) => None,
        }
    }

    /// The state, without asking for a permit.
    pub fn state(&self) -> BreakerState {
        match &self.0 {
            Machine::Resilience4j(breaker) => breaker.state(),
            Machine::Polly(breaker) => breaker.state(),
        }
    }
}
