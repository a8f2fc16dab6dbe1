//! CPU time by quota and liveness probes, through the ordinary engine, against arithmetic.

use crate::asked::{run, value};
use sandbox_core::scenario::Document;
use sandbox_core::timeline::{PartKind, why};
use serde_json::{Value, json};

/// Bursts of calls, each with so much work, at a service with eight workers.
fn document(size: u32, work_ms: f64, service: Value) -> Value {
    let mut api = json!({ "kind": "service", "workers": 8,
        "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": work_ms } } ] } });
    for (field, value) in service.as_object().expect("fields of a service") {
        api[field] = value.clone();
    }
    json!({
        "format_version": 1, "id": "cpu-limits", "title": "CPU limits", "seed": 7, "duration_s": 100,
        "nodes": { "users": { "kind": "client" }, "api": api },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 10,
            "arrivals": { "process": "bursts", "size": size, "every_s": 10 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "metrics": {
            "throttled": { "unit": "1", "help": "Periods cut short.", "kind": "counter",
                "source": { "records": { "of": "cpu_throttled" } } },
            "restarts": { "unit": "1", "help": "Restarts.", "kind": "counter",
                "source": { "records": { "of": "unresponsive" } } }
        }
    })
}

fn limit(quota_ms: u32) -> Value {
    json!({ "cpu_limit": { "quota_ms": quota_ms, "period_ms": 100 } })
}

#[test]
fn one_thread_with_half_a_processor_works_half_of_each_period() {
    let mut run = run(document(1, 200.0, limit(50)));
    // 50 ms at a time, from 0, 100, 200 and 300 ms on.
    assert!((value(&run, "http_request_duration_seconds.max") - 0.35).abs() < 1e-3);
    let first = run.folds().requests().get(0).expect("a request").request;
    let why = why(&mut run, first).expect("it has ended");
    let ms =
        |kind: PartKind| why.parts.iter().filter(|part| part.kind == kind).map(|part| part.span.as_ms()).sum::<f64>();
    assert_eq!((ms(PartKind::Service), ms(PartKind::Throttled)), (200.0, 150.0));
}

#[test]
fn eight_threads_use_up_one_processor_eight_times_as_fast() {
    // 8 times 25 ms of work and 100 ms of CPU time: half is done after 12.5 ms, the other half 12.5 ms after the next period begins.
    let throttled = run(document(8, 25.0, limit(100)));
    assert!((value(&throttled, "http_request_duration_seconds.min") - 0.1125).abs() < 1e-3);
    assert_eq!(value(&throttled, "throttled.sum"), value(&throttled, "http_requests_total.sum") / 8.0);
    let free = run(document(8, 25.0, limit(200)));
    assert!((value(&free, "http_request_duration_seconds.max") - 0.025).abs() < 1e-3);
    assert_eq!(value(&free, "throttled.sum"), 0.0);
}

#[test]
fn waiting_uses_no_cpu_time() {
    let mut document = document(8, 1.0, limit(10));
    document["nodes"]["api"]["routes"]["GET /"] = json!([ { "wait": { "dist": "constant", "value_ms": 500 } }, { "work": { "dist": "constant", "value_ms": 1 } } ]);
    let run = run(document);
    assert!((value(&run, "http_request_duration_seconds.max") - 0.501).abs() < 3e-3);
    assert_eq!(value(&run, "throttled.sum"), 0.0);
}

#[test]
fn a_limit_does_not_go_with_workers_that_are_shared() {
    let mut service = limit(100);
    service["discipline"] = "processor_sharing".into();
    let problems = Document::from_json(document(8, 25.0, service)).plan("A", &[]).expect_err("it is wrong");
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems[0].starts_with("nodes.api.cpu_limit: does not go with workers"), "{problems:?}");
}

/// A service that is busy for 5 s from each tenth second on, and asked whether it is alive.
fn asked(route: Option<&str>, threshold: u32) -> Value {
    let mut liveness = json!({ "interval_s": 1, "timeout_ms": 500, "failure_threshold": threshold });
    if let Some(route) = route {
        liveness["route"] = route.into();
    }
    let life = json!({ "start_s": 2, "liveness": liveness });
    let mut document = document(40, 1_000.0, json!({ "life": life }));
    if let Some(route) = route {
        document["nodes"]["api"]["routes"][route] = json!([]);
    }
    document
}

#[test]
fn a_probe_in_the_line_of_all_others_restarts_who_is_busy() {
    // Busy for 5 s from each tenth second on: asked 1, 2 and 3 s after that, the third probe fails at 3.5 s.
    let mut run = run(asked(Some("GET /health"), 3));
    let bursts = value(&run, "http_requests_total.sum") / 40.0;
    assert_eq!(value(&run, "restarts.sum"), bursts);
    // 24 of forty are done by then; the others are lost with the process.
    assert_eq!(value(&run, "http_502_total.sum"), bursts * 16.0);
    let lost = run.folds().requests().iter().find(|summary| summary.end.is_some_and(|end| !end.outcome.is_success()));
    let lost = lost.expect("one is lost").request;
    let chain = why(&mut run, lost).expect("it has ended").chain;
    assert!(chain.iter().any(|link| link.text.contains("liveness probes")), "{chain:?}");
}

#[test]
fn a_probe_with_a_listener_of_its_own_or_more_patience_restarts_nobody() {
    for patient in [asked(None, 3), asked(Some("GET /health"), 6)] {
        let run = run(patient);
        assert_eq!((value(&run, "restarts.sum"), value(&run, "http_errors_total.sum")), (0.0, 0.0));
    }
}

#[test]
fn a_process_that_stands_still_answers_no_probe_of_its_workers() {
    let mut document = asked(Some("GET /health"), 3);
    document["workloads"]["load"]["arrivals"] = json!({ "process": "constant", "rate_rps": 1 });
    document["faults"] =
        json!({ "stuck": { "node": "api", "effect": { "kind": "hold_starts" }, "from_s": 20.2, "to_s": 24 } });
    let run = run(document);
    assert_eq!(value(&run, "restarts.sum"), 1.0);
}
