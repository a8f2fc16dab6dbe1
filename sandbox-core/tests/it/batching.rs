//! Dynamic batching through the ordinary engine, against arithmetic.

use crate::asked::{run, value};
use sandbox_core::Run;
use sandbox_core::scenario::Document;
use serde_json::{Value, json};

/// A model that needs 10 ms for a batch of up to 32 and 1 ms for each call in it.
fn document(window_ms: f64, arrivals: Value) -> Value {
    json!({
        "format_version": 1, "id": "batching", "title": "Batching", "seed": 7, "duration_s": 100,
        "nodes": {
            "users": { "kind": "client" },
            "model": { "kind": "service", "workers": 32, "static_batch": true,
                "batching": { "window_ms": window_ms, "per_call_ms": 1 },
                "routes": { "infer": [ { "work": { "dist": "constant", "value_ms": 10 } } ] } }
        },
        "workloads": { "load": {
            "client": "users", "target": "model", "keys": 1, "users": 10, "arrivals": arrivals,
            "routes": { "infer": { "weight": 1, "op": "read" } }
        } }
    })
}

fn latency_ms(run: &Run, reduced: &str) -> f64 {
    value(run, &format!("http_request_duration_seconds.{reduced}")) * 1e3
}

#[test]
fn who_comes_alone_waits_for_the_window() {
    let alone = json!({ "process": "constant", "rate_rps": 1 });
    for (window_ms, expected) in [(5.0, 16.0), (0.0, 11.0)] {
        let run = run(document(window_ms, alone.clone()));
        for reduced in ["min", "max"] {
            assert!((latency_ms(&run, reduced) - expected).abs() < 0.1, "{window_ms}: {}", latency_ms(&run, reduced));
        }
    }
}

#[test]
fn a_batch_that_is_full_starts_at_once_and_the_rest_when_it_is_done() {
    // 32 of 40 are done after 10 + 32 ms, the other eight 10 + 8 ms later.
    let run = run(document(5.0, json!({ "process": "bursts", "size": 40, "every_s": 10 })));
    assert!((latency_ms(&run, "min") - 42.0).abs() < 0.3, "{}", latency_ms(&run, "min"));
    assert!((latency_ms(&run, "max") - 60.0).abs() < 0.3, "{}", latency_ms(&run, "max"));
}

#[test]
fn who_comes_within_the_window_starts_with_the_others() {
    // Calls 2 ms apart: the first waits for 5 ms, with it the two that come meanwhile; 13 ms later they are done.
    let at_ms: Vec<f64> = vec![1000.0, 1002.0, 1004.0];
    let run = run(document(5.0, json!({ "process": "recorded", "at_ms": at_ms })));
    assert!((latency_ms(&run, "max") - 18.0).abs() < 0.1, "{}", latency_ms(&run, "max"));
    assert!((latency_ms(&run, "min") - 14.0).abs() < 0.1, "{}", latency_ms(&run, "min"));
}

#[test]
fn full_batches_do_as_much_as_their_cost_allows() {
    // 32 in 42 ms are 762 a second.
    let run = run(document(5.0, json!({ "process": "poisson", "rate_rps": 1_000 })));
    let rate = value(&run, "http_requests_total.rate[20:100]");
    assert!((rate / 761.9 - 1.0).abs() < 0.01, "{rate}");
}

#[test]
fn batching_needs_batches_that_end() {
    let mut wrong = document(5.0, json!({ "process": "constant", "rate_rps": 1 }));
    let model = wrong["nodes"]["model"].as_object_mut().expect("a node is an object");
    model.remove("static_batch");
    model.remove("workers");
    let problems = Document::from_json(wrong).plan("A", &[]).expect_err("it is wrong");
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.iter().any(|problem| problem.starts_with("nodes.model.batching: there are no batches")));
    assert!(problems.iter().any(|problem| problem.starts_with("nodes.model.batching: a batch has no end")));
}
