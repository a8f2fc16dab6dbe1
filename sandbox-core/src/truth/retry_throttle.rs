//! A `retry_throttle` model: attempts that count towards gRPC's retry throttling.

use super::Answers;
use super::read::read;
use crate::policy::retry::{FailedAttempt, FailureKind, Pushback, Retry, RetryConfig, RetryDecision, RetryParams};
use crate::policy::retry_budget::BudgetConfig;
use crate::scenario::{Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Value, json};

spec! {
    struct Model {
        retry_throttling: Throttling,
        attempt_outcomes: Vec<Outcome>,
    }
}

spec! {
    struct Throttling {
        max_tokens: f64,
        token_ratio: f64,
    }
}

spec! {
    enum Outcome {
        Ok,
        Fail,
    }
}

/// The tokens after each attempt and, after a failure, whether a retry may follow.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { retry_throttling: Throttling { max_tokens, token_ratio }, attempt_outcomes } = read(model)?;
    let wrong = |why: String| vec![Problem::new("retry_throttling", why, "Mend the value.")];
    let budget = BudgetConfig::Throttle { max_tokens, token_ratio }.check().map_err(wrong)?;
    let unlimited = RetryParams { max_attempts: None, ..RetryParams::default() };
    let mut retry = Retry::new(RetryConfig::new(unlimited).expect("defaults are sound"), budget);
    let failed = FailedAttempt {
        attempts: 1,
        kind: FailureKind::Failure,
        previous_delay: Span::ZERO,
        drawn: None,
        roll: 0.0,
        pushback: Pushback::None,
        deadline: None,
    };
    let (mut tokens, mut allowed) = (Vec::new(), Vec::new());
    for outcome in attempt_outcomes {
        allowed.push(match outcome {
            Outcome::Ok => {
                retry.on_success(1, None);
                None
            }
            Outcome::Fail => Some(matches!(retry.decide(Time::ZERO, failed), RetryDecision::After(_))),
        });
        tokens.push(retry.balance());
    }
    Ok([("tokens_after".into(), json!(tokens)), ("retry_allowed".into(), json!(allowed))].into_iter().collect())
}
