//! An `optimistic_locking` model: clients that update one row by compare-and-set, as a scenario run by the ordinary engine.

use super::read::read;
use super::system::in_ms;
use super::{Answers, Question, Refusal};
use crate::engine::World;
use crate::scenario::{Document, Problem, spec};
use crate::time::Time;
use crate::trace::What;
use serde_json::{Value, json};
use std::sync::Arc;

spec! {
    struct Model {
        clients: u32,
        message_delay: Value,
        messages_per_attempt: u32,
        backoff: Backoff,
    }
}

spec! {
    struct Backoff {
        algorithm: String,
        base_ms: f64,
        cap_ms: f64,
        multiplier: f64,
        first_exponent: i64,
    }
}

/// Runs that are averaged unless the case says how many.
const RUNS: u64 = 100;

/// Simulates the model, as often as its case says, and averages.
pub fn simulate(model: &Value, question: Question) -> Result<Answers, Refusal> {
    let model: Model = read(model)?;
    let runs = question.run.and_then(|run| run.get("independent_runs")).and_then(Value::as_u64).unwrap_or(RUNS);
    super::limits::at_most("run.independent_runs", runs, 10_000)?;
    let (mut attempts, mut completion_ms) = (0u64, 0.0);
    for run in 0..runs {
        let document = document(&model, (question.seed << 20 | run) & ((1 << 53) - 1));
        let plan = Document::from_json(document).plan("A", &[]).map_err(|problems| {
            let named = |at: Problem| Problem::new(format!("as a scenario: {}", at.path), at.what, at.hint);
            Refusal::Problems(problems.into_iter().map(named).collect())
        })?;
        let mut world = World::new(Arc::new(plan));
        let (mut open, mut last) = (u64::from(model.clients), Time::ZERO);
        while open > 0 && world.step().is_some() {
            for record in world.emitted() {
                match record.what {
                    What::RowWritten { .. } => attempts += 1,
                    What::Answered { .. } => {
                        open -= 1;
                        last = record.at;
                    }
                    _ => {}
                }
            }
        }
        completion_ms += last.since(Time::ZERO).as_ms();
    }
    let mut answers = Answers::new();
    answers.insert("mean_write_attempts".into(), json!(attempts as f64 / runs as f64));
    answers.insert("mean_completion_ms".into(), json!(completion_ms / runs as f64));
    Ok(answers)
}

/// Every client is a request that reads the row, writes it if nobody else has since, and otherwise pauses and begins again.
/// Half of the messages of an attempt go to and from the reading, half to and from the writing.
fn document(model: &Model, seed: u64) -> Value {
    let Backoff { algorithm, base_ms, cap_ms, multiplier, first_exponent } = &model.backoff;
    let message = json!({"wait": in_ms(&model.message_delay, 1.0)});
    let half = |messages: u32| (0..messages).map(|_| message.clone()).collect::<Vec<Value>>();
    let each_way = model.messages_per_attempt / 4;
    let first = base_ms * libm::pow(*multiplier, *first_exponent as f64) / multiplier;
    let pause = match algorithm.as_str() {
        "exponential" => json!([{"set": {"pause": "v"}}]),
        "equal" => json!([{"set": {"pause": "v / 2 + random * v / 2"}}]),
        "full" => json!([{"set": {"pause": "random * v"}}]),
        "decorrelated" => json!([{"set": {
            "pause": format!("min({cap_ms}, {base_ms} + random * (3 * max(pause, {base_ms}) - {base_ms}))")
        }}]),
        _ => json!([{"set": {"pause": "0"}}]),
    };
    let mut again = vec![json!({"set": {"v": format!("min({cap_ms}, {multiplier} * v)")}})];
    again.extend(pause.as_array().into_iter().flatten().cloned());
    again.push(json!({"pause": {"ms": "pause"}}));
    let mut attempt = half(each_way);
    attempt.push(json!({"select": {"database": "db", "table": "rows", "key": "0"}}));
    attempt.push(json!({"set": {"seen": "version"}}));
    attempt.extend(half(2 * each_way));
    attempt.push(json!({"update": {
        "database": "db", "table": "rows", "key": "0", "add": {"number": "1"}, "if_version": "seen"
    }}));
    attempt.push(json!({"set": {"done": "value"}}));
    attempt.extend(half(each_way));
    attempt.push(json!({"if": {"when": "done == 0", "then": again}}));
    let none = json!({"dist": "constant", "value_ms": 0});
    json!({
        "format_version": 1, "id": "optimistic-locking", "title": "A ground-truth model", "seed": seed,
        "duration_s": 80_000,
        "nodes": {
            "clients": {"kind": "client"},
            "writer": {"kind": "service", "routes": {"write": [
                {"set": {"v": first.to_string()}},
                {"set": {"done": "0"}},
                {"repeat": {"times": 10_000, "while": "done == 0", "do": attempt}},
            ]}},
            "db": {"kind": "database", "engine": "server", "tables": {"rows": {"rows": 1, "columns": {"number": 0}}},
                   "read": none, "write": none},
        },
        "workloads": {"writers": {
            "client": "clients", "target": "writer", "arrivals": {"process": "bursts", "size": model.clients, "every_s": 80_000},
            "routes": {"write": {"weight": 1, "op": "write"}}, "keys": 1, "users": 1, "requests": model.clients,
        }},
    })
}
