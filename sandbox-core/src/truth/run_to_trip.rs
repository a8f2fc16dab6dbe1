//! A `run_to_trip` model: independent calls one after the other until a circuit breaker opens or a host is ejected.

use super::read::read;
use super::{Answers, Question, Refusal, circuit_breaker};
use crate::policy::circuit_breaker::{CallOutcome, CircuitBreaker, Transition};
use crate::rng::{Purpose, Stream, name_hash};
use crate::scenario::Problem;
use crate::time::{Span, Time};
use serde::Deserialize;
use serde_json::{Value, json};

/// A case that asks for more calls than this in all will not be finished.
const CALLS_MAX: u64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    failure_probability: f64,
    circuit_breaker: Option<Value>,
    outlier_detection: Option<Value>,
}

/// The mean number of calls, the last one included, over `run.independent_runs` (1 if it does not say).
pub fn decide(model: &Value, question: Question) -> Result<Answers, Refusal> {
    let Model { failure_probability, circuit_breaker, outlier_detection } = read(model)?;
    if !(failure_probability > 0.0 && failure_probability <= 1.0) {
        let hint = "Use a probability above 0 and up to 1; without failures nothing trips.";
        return Err(Problem::new("failure_probability", format!("is {failure_probability}"), hint).into());
    }
    let trips = match (circuit_breaker, outlier_detection) {
        (Some(breaker), None) => circuit_breaker::config(breaker)?,
        _ => return Err(Refusal::Unsupported("outlier detection is not built".into())),
    };
    let runs = question.run.and_then(|run| run.get("independent_runs")).and_then(Value::as_u64).unwrap_or(1).max(1);
    let mut luck = Stream::new(question.seed, name_hash("run_to_trip"), Purpose::Fault);
    let mut calls = 0;
    for _ in 0..runs {
        let mut breaker = CircuitBreaker::new(trips);
        loop {
            calls += 1;
            if calls > CALLS_MAX {
                return Err(Refusal::Unsupported(format!("nothing tripped within {CALLS_MAX} calls")));
            }
            if trip(&mut breaker, luck.uniform() < failure_probability) {
                break;
            }
        }
    }
    let mean = calls as f64 / runs as f64;
    Ok([("mean_calls_until_trip".to_string(), json!(mean))].into_iter().collect())
}

/// Makes a call, and says whether it opened the breaker. No time passes.
fn trip(breaker: &mut CircuitBreaker, failed: bool) -> bool {
    let permit = breaker.decide(Time::ZERO).0.expect("a closed breaker permits");
    let outcome = if failed { CallOutcome::Failure } else { CallOutcome::Success };
    matches!(breaker.on_result(Time::ZERO, permit, outcome, Span::ZERO), Some(Transition::Opened { .. }))
}
