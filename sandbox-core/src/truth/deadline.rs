//! A `deadline` model: one request along a chain of hops, with a client that does not wait for ever.

use super::Answers;
use super::read::{Ms, ms, read};
use crate::policy::deadline::{Cancel, Deadline, DeadlinePolicy, wasted};
use crate::scenario::{Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Map, Value, json};

spec! {
    struct Model {
        client_timeout_ms: Ms,
        network_one_way_ms: Ms,
        deadline_propagation: bool,
        hops: Vec<Hop>,
    }
}

spec! {
    struct Hop {
        id: String,
        work_ms: Ms,
    }
}

/// When the request reaches each hop, when the last one ends, and what the client gets.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { client_timeout_ms, network_one_way_ms: Ms(network), deadline_propagation: propagate, hops } =
        read(model)?;
    let policy = DeadlinePolicy { propagate, cancel: Cancel::Anywhere };
    let deadline = Deadline::after(Time::ZERO, client_timeout_ms.0);
    let known = policy.passed_on(deadline);
    let instant = |at: Time| ms(at.since(Time::ZERO));
    let mut answers = Answers::new();
    let mut remaining = Map::new();
    let (mut now, mut done) = (Time::ZERO, true);
    for (index, hop) in hops.iter().enumerate() {
        // Before it calls on.
        done &= policy.decide(now, known);
        if !done {
            break;
        }
        now += network;
        let left_ms = client_timeout_ms.0.as_ms() - now.since(Time::ZERO).as_ms();
        remaining.insert(hop.id.clone(), json!(left_ms));
        let began = now;
        done = policy.decide(now, known);
        if done {
            let end = policy.work(now, hop.work_ms.0, known);
            (now, done) = (end.at, end.done);
        }
        if index + 1 == hops.len() {
            answers.insert("last_hop_ends_at_ms".into(), instant(now));
            answers.insert("wasted_ms".into(), ms(wasted(began, now, deadline.at())));
        }
    }
    answers.insert("remaining_on_arrival_ms".into(), Value::Object(remaining));
    let back = hops.iter().fold(Span::ZERO, |back, _| back + network);
    let (name, at) = match done && !deadline.has_passed(now + back) {
        true => ("client_answer_at_ms", now + back),
        false => ("client_gives_up_at_ms", deadline.at()),
    };
    answers.insert(name.into(), instant(at));
    Ok(answers)
}
