//! An `idempotency` model: requests with and without keys at given instants.

use super::Answers;
use super::read::{Ms, in_order, read};
use crate::policy::idempotency::{IdempotencyConfig, IdempotencyDecision, IdempotencyKeys};
use crate::rng::name_hash;
use crate::scenario::{Problem, spec};
use crate::time::Time;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The answer of an execution.
const CREATED: u16 = 201;

spec! {
    struct Model {
        key_required: bool,
        processing_ms: Ms,
        key_ttl_ms: Ms,
        requests: Vec<Request>,
    }
}

spec! {
    struct Request {
        t_ms: Ms,
        key?: Option<String>,
        body: String,
    }
}

/// The status of every answer, and whether the request was executed.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { key_required, processing_ms, key_ttl_ms, requests } = read(model)?;
    in_order("requests", requests.iter().map(|request| request.t_ms.time()))?;
    let config = IdempotencyConfig::new(key_required, key_ttl_ms.0);
    let mut keys =
        IdempotencyKeys::new(config.map_err(|why| vec![Problem::new("key_ttl_ms", why, "Mend the value.")])?);
    // Executions under way; all take equally long, so they end in order.
    let mut running: VecDeque<(Time, &str)> = VecDeque::new();
    let (mut status, mut executed) = (Vec::new(), Vec::new());
    for request in &requests {
        let now = request.t_ms.time();
        while let Some((ended, key)) = running.pop_front_if(|(ends, _)| *ends <= now) {
            keys.on_response(ended, key, CREATED);
        }
        let key = request.key.as_deref();
        let (answer, executes) = match keys.decide(now, key, name_hash(&request.body)) {
            IdempotencyDecision::Execute => (CREATED, true),
            IdempotencyDecision::Replay(stored) => (*stored, false),
            IdempotencyDecision::Refuse(refusal) => (refusal.status(), false),
        };
        if executes {
            running.extend(key.map(|key| (now + processing_ms.0, key)));
        }
        status.push(answer);
        executed.push(executes);
    }
    Ok([("status".to_string(), json!(status)), ("executed".to_string(), json!(executed))].into_iter().collect())
}
