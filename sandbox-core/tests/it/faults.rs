//! Faults through the ordinary engine: what several of them make of one node, and when it is well again.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::timeline::why;
use sandbox_core::trace::{Outcome, Status, What};
use serde_json::{Value, json};
use std::sync::Arc;

/// One request every 100 ms for ten seconds to a service that works 10 ms on each, under these faults.
fn answers(faults: Value, chance: Value) -> Vec<(f64, Status, f64)> {
    let document = Document::from_json(json!({
        "format_version": 1, "id": "faults", "title": "Faults", "seed": 7, "duration_s": 10,
        "nodes": {
            "users": { "kind": "client" },
            "server": {
                "kind": "service", "chance": chance,
                "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 10 } } ] }
            }
        },
        "workloads": { "load": {
            "client": "users", "target": "server", "keys": 10, "users": 1,
            "arrivals": { "process": "paced", "gap_ms": 100 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "faults": faults
    }));
    let plan = document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    assert!(run.advance(u32::MAX));
    let mut sent = vec![Time::ZERO; 200];
    let mut answers = Vec::new();
    for logged in run.records(0..u32::MAX) {
        let (request, at) = (logged.record.request.0 as usize, logged.record.at);
        match logged.record.what {
            What::Intended { .. } => sent[request] = at,
            What::Received { status } => {
                let sent = sent[request];
                answers.push((sent.since(Time::ZERO).as_seconds(), status, at.since(sent).as_ms()));
            }
            _ => {}
        }
    }
    answers
}

fn fault(effect: Value, from_s: f64, to_s: f64) -> Value {
    json!({ "node": "server", "effect": effect, "from_s": from_s, "to_s": to_s })
}

#[test]
fn a_node_is_down_while_any_fault_says_so() {
    let down = |from_s, to_s| fault(json!({ "kind": "down" }), from_s, to_s);
    for (sent_s, status, _) in answers(json!({ "a": down(2.05, 5.05), "b": down(4.05, 7.05) }), Value::Null) {
        let wanted = if (2.05..7.05).contains(&sent_s) { Status::Unavailable } else { Status::Ok };
        assert_eq!(status, wanted, "sent at {sent_s} s");
    }
}

#[test]
fn slowness_multiplies_and_ends_one_by_one() {
    let slow = |factor: f64, from_s, to_s| fault(json!({ "kind": "slow", "factor": factor }), from_s, to_s);
    for (sent_s, _, took_ms) in answers(json!({ "a": slow(2.0, 2.05, 6.05), "b": slow(3.0, 4.05, 8.05) }), Value::Null)
    {
        let first = if (2.05..6.05).contains(&sent_s) { 2.0 } else { 1.0 };
        let second = if (4.05..8.05).contains(&sent_s) { 3.0 } else { 1.0 };
        assert_eq!(took_ms, 10.0 * first * second, "sent at {sent_s} s");
    }
}

#[test]
fn what_is_frozen_twice_goes_on_when_both_are_over() {
    let freeze = |from_s, to_s| fault(json!({ "kind": "freeze" }), from_s, to_s);
    let answers = answers(json!({ "a": freeze(2.005, 3.0), "b": freeze(2.5, 4.0) }), Value::Null);
    let took = |sent: f64| answers.iter().find(|(sent_s, ..)| (sent_s - sent).abs() < 1e-9).expect("it was sent").2;
    assert_eq!(took(1.9), 10.0);
    assert_eq!(took(2.0), 2_005.0, "half its work before the freeze, half after it");
    assert_eq!(took(4.1), 10.0);
}

#[test]
fn a_repair_by_chance_ends_no_fault() {
    let chance =
        json!({ "up": { "dist": "constant", "value_ms": 3050 }, "down": { "dist": "constant", "value_ms": 500 } });
    let faults = json!({ "a": fault(json!({ "kind": "down" }), 2.05, 5.05) });
    for (sent_s, status, _) in answers(faults, chance) {
        let broken = (3.05..3.55).contains(&sent_s) || (6.6..7.1).contains(&sent_s);
        let wanted = if broken || (2.05..5.05).contains(&sent_s) { Status::Unavailable } else { Status::Ok };
        assert_eq!(status, wanted, "sent at {sent_s} s");
    }
}

/// Half of what is left of an error ratio of one half: three quarters fail.
#[test]
fn error_ratios_strike_independently() {
    let errors = |from_s, to_s| fault(json!({ "kind": "errors", "ratio": 0.5 }), from_s, to_s);
    let answers = answers(json!({ "a": errors(0.0, 10.0), "b": errors(0.0, 10.0) }), Value::Null);
    let failed = answers.iter().filter(|(_, status, _)| *status != Status::Ok).count();
    // Binomial(100, 0.75): five standard deviations either way.
    assert!((54..=96).contains(&failed), "{failed} of {}", answers.len());
}

/// The root of the first timeout of a run in which `node` suffers this from 2 s on: users wait for the service, the service
/// for the store.
fn root_of_timeout(node: &str, effect: Value) -> What {
    let document = Document::from_json(json!({
        "format_version": 1, "id": "faults", "title": "Faults", "seed": 7, "duration_s": 5,
        "nodes": {
            "users": { "kind": "client", "calls": { "server": { "timeout_ms": 300 } } },
            "server": {
                "kind": "service", "workers": 8, "max_waiting": 100,
                "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 10 } }, { "call": { "to": "db", "route": "GET /" } } ] }
            },
            "db": {
                "kind": "service", "workers": 2, "max_waiting": 100,
                "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 10 } } ] }
            }
        },
        "workloads": { "load": {
            "client": "users", "target": "server", "keys": 10, "users": 1,
            "arrivals": { "process": "paced", "gap_ms": 100 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "faults": { "fault": { "node": node, "effect": effect, "from_s": 2.005, "to_s": 4 } }
    }));
    let plan = document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    assert!(run.advance(u32::MAX));
    let (first, end) = run.folds().failures().next().expect("it gives up");
    assert_eq!(end.outcome, Outcome::ClientTimeout);
    let request = first.request;
    why(&mut run, request).expect("it has ended").chain.last().expect("it has links").logged.record.what
}

#[test]
fn a_timeout_leads_to_the_fault_however_deep_it_lies() {
    for node in ["server", "db"] {
        for effect in
            [json!({ "kind": "freeze" }), json!({ "kind": "hold_starts" }), json!({ "kind": "slow", "factor": 50 })]
        {
            let root = root_of_timeout(node, effect.clone());
            assert!(matches!(root, What::FaultBegan { .. }), "{effect} of {node} leads to {root:?}");
        }
    }
}
