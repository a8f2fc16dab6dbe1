//! A `run_to_trip` model: independent calls one after the other until a circuit breaker opens or a host is ejected.

use super::outlier_detection::OutlierDetectionModel;
use super::read::read;
use super::{Answers, Question, Refusal, circuit_breaker};
use crate::policy::circuit_breaker::{CallOutcome, CircuitBreaker, Transition};
use crate::policy::outlier_detection::OutlierDetection;
use crate::rng::{Purpose, Stream, name_hash};
use crate::scenario::{Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Value, json};

/// A case that asks for more calls than this in all will not be finished.
const CALLS_MAX: u64 = 200_000_000;

spec! {
    struct Model {
        failure_probability: f64,
        circuit_breaker?: Option<Value>,
        outlier_detection?: Option<OutlierDetectionModel>,
    }
}

/// What trips.
#[derive(Clone)]
enum Tripping {
    Breaker(CircuitBreaker),
    Outlier(OutlierDetection),
}

/// The mean number of calls, the last one included, over `run.independent_runs` (1 if it does not say).
pub fn decide(model: &Value, question: Question) -> Result<Answers, Refusal> {
    let Model { failure_probability, circuit_breaker, outlier_detection } = read(model)?;
    if !(failure_probability > 0.0 && failure_probability <= 1.0) {
        let hint = "Use a probability above 0 and up to 1; without failures nothing trips.";
        return Err(Problem::new("failure_probability", format!("is {failure_probability}"), hint).into());
    }
    let fresh = match (circuit_breaker, outlier_detection) {
        (Some(breaker), None) => Tripping::Breaker(CircuitBreaker::new(circuit_breaker::config(breaker)?)),
        (None, Some(outlier)) => Tripping::Outlier(OutlierDetection::new(outlier.config()?, 1)),
        _ => {
            let hint = "Write either circuit_breaker or outlier_detection.";
            return Err(Problem::new("circuit_breaker", "is missing or doubled", hint).into());
        }
    };
    let runs = question.run.and_then(|run| run.get("independent_runs")).and_then(Value::as_u64).unwrap_or(1).max(1);
    let mut luck = Stream::new(question.seed, name_hash("run_to_trip"), Purpose::Fault);
    let mut calls = 0;
    for _ in 0..runs {
        let mut tripping = fresh.clone();
        loop {
            calls += 1;
            if calls > CALLS_MAX {
                return Err(Refusal::Unsupported(format!("nothing tripped within {CALLS_MAX} calls")));
            }
            if tripping.call(luck.uniform() < failure_probability) {
                break;
            }
        }
    }
    let mean = calls as f64 / runs as f64;
    Ok([("mean_calls_until_trip".to_string(), json!(mean))].into_iter().collect())
}

impl Tripping {
    /// Makes a call, and says whether it opened the breaker or ejected the host. No time passes.
    fn call(&mut self, failed: bool) -> bool {
        match self {
            Tripping::Breaker(breaker) => {
                let permit = breaker.decide(Time::ZERO).0.expect("a closed breaker permits");
                let outcome = if failed { CallOutcome::Failure } else { CallOutcome::Success };
                matches!(breaker.on_result(Time::ZERO, permit, outcome, Span::ZERO), Some(Transition::Opened { .. }))
            }
            Tripping::Outlier(detection) => detection.on_response(Time::ZERO, 0, !failed).is_some(),
        }
    }
}
