//! A `retry_quota` model: requests whose attempts end as told, under the AWS SDK's retry quota.

use super::Answers;
use super::read::read;
use crate::policy::retry::{
    FailedAttempt, FailureKind, GiveUp, Pushback, Retry, RetryConfig, RetryDecision, RetryParams,
};
use crate::policy::retry_budget::BudgetConfig;
use crate::scenario::{Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Value, json};

spec! {
    struct Model {
        retry_quota: Quota,
        requests: Vec<Request>,
    }
}

spec! {
    struct Quota {
        capacity: u32,
        retry_cost: u32,
        timeout_retry_cost: u32,
        no_retry_increment: u32,
        /// Missing: until one succeeds.
        max_attempts?: Option<u32>,
    }
}

spec! {
    struct Request {
        attempt_outcomes: Vec<Outcome>,
    }
}

spec! {
    enum Outcome {
        Ok,
        Fail,
        Timeout,
    }
}

/// The attempts of each request, how it ended, and the balance after it.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { retry_quota, requests } = read(model)?;
    let Quota { capacity, retry_cost, timeout_retry_cost, no_retry_increment, max_attempts } = retry_quota;
    let wrong = |why: String| vec![Problem::new("retry_quota", why, "Mend the value.")];
    let budget = BudgetConfig::Quota { capacity, retry_cost, timeout_retry_cost, no_retry_increment };
    let config = RetryConfig::new(RetryParams { max_attempts, ..RetryParams::default() });
    let mut retry = Retry::new(config.map_err(wrong)?, budget.check().map_err(wrong)?);
    let (mut attempts, mut results, mut balance) = (Vec::new(), Vec::new(), Vec::new());
    for (index, request) in requests.iter().enumerate() {
        let (made, result) = run(&mut retry, &request.attempt_outcomes).ok_or_else(|| {
            let path = format!("requests.{index}.attempt_outcomes");
            vec![Problem::new(path, "ends before the request does", "Say how the next attempt ends.")]
        })?;
        attempts.push(made);
        results.push(result);
        balance.push(retry.balance().map(|balance| balance as u64));
    }
    let answers = [("attempts", json!(attempts)), ("results", json!(results)), ("balance", json!(balance))];
    Ok(answers.map(|(name, value)| (name.to_string(), value)).into_iter().collect())
}

/// Makes the attempts of one request: how many, and how it ended. None if the outcomes do not suffice.
fn run(retry: &mut Retry, outcomes: &[Outcome]) -> Option<(u32, &'static str)> {
    retry.on_request(Time::ZERO);
    let mut retried = None;
    for (attempts, outcome) in (1..).zip(outcomes) {
        let kind = match outcome {
            Outcome::Ok => {
                retry.on_success(attempts, retried);
                return Some((attempts, "ok"));
            }
            Outcome::Fail => FailureKind::Failure,
            Outcome::Timeout => FailureKind::Timeout,
        };
        let previous_delay = Span::ZERO;
        let failed = FailedAttempt {
            attempts,
            kind,
            previous_delay,
            drawn: None,
            roll: 0.0,
            pushback: Pushback::None,
            deadline: None,
        };
        match retry.decide(Time::ZERO, failed) {
            RetryDecision::After(_) => retried = Some(kind),
            RetryDecision::GiveUp(GiveUp::Budget) => return Some((attempts, "quota_exceeded")),
            RetryDecision::GiveUp(_) => return Some((attempts, "max_attempts")),
        }
    }
    None
}
