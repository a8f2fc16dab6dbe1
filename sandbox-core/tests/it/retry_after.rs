//! Retry-After, through the ordinary engine: who says it, and who waits for it.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::trace::{Outcome, What};
use serde_json::{Value, json};
use std::sync::Arc;

/// When each attempt is sent, in milliseconds, by request, and how many requests end so.
struct Seen {
    attempts_ms: Vec<Vec<f64>>,
    ended: Vec<Outcome>,
}

/// Eight requests at once to `edge`, which passes them on to `api`; users try again as `retry` says.
fn run(retry: Value, edge: Value, api: Value) -> Seen {
    let merged = |mut base: Value, with: Value| {
        base.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        base
    };
    let retry = merged(
        json!({ "max_attempts": 3, "base_delay_ms": 10, "jitter": "none", "multiplier": 1, "budget": { "kind": "none" },
            "retry_on": ["unavailable", "rate_limited"] }),
        retry,
    );
    let work = json!([{ "work": { "dist": "constant", "value_ms": 100 } }]);
    let document = Document::from_json(json!({
        "format_version": 1, "id": "waits", "title": "Waits", "seed": 7, "duration_s": 20,
        "nodes": {
            "users": { "kind": "client", "calls": { "edge": { "retry": retry } } },
            "edge": merged(json!({ "kind": "gateway", "upstream": "api" }), edge),
            "api": merged(json!({ "kind": "service", "routes": { "GET /": work } }), api)
        },
        "workloads": { "load": {
            "client": "users", "target": "edge", "keys": 1, "users": 1,
            "arrivals": { "process": "recorded", "at_ms": vec![0.0; 8] }, "routes": { "GET /": { "weight": 1, "op": "read" } }
        } }
    }));
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    let users = run.plan().node("users").unwrap();
    let mut seen = Seen { attempts_ms: vec![Vec::new(); 8], ended: Vec::new() };
    for record in run.records(0..u32::MAX).iter().map(|logged| logged.record) {
        match record.what {
            What::Called { .. } if record.node == users => {
                seen.attempts_ms[record.request.0 as usize - 1].push(record.at.since(Time::ZERO).as_ms());
            }
            What::Answered { outcome, .. } => seen.ended.push(outcome),
            _ => {}
        }
    }
    seen
}

fn window() -> Value {
    json!({ "rate_limit": { "algorithm": "fixed_window", "limit": 5, "window_s": 1 } })
}

#[test]
fn a_limiter_says_when_and_whoever_waits_comes_through() {
    let honored = run(json!({}), window(), json!({}));
    assert!(honored.attempts_ms[5..].iter().all(|attempts| *attempts == [0.0, 1_000.0]), "{:?}", honored.attempts_ms);
    assert_eq!(honored.ended, [Outcome::Ok; 8]);

    let ignored = run(json!({ "honor_retry_after": false }), window(), json!({}));
    assert!(
        ignored.attempts_ms[5..].iter().all(|attempts| *attempts == [0.0, 10.0, 20.0]),
        "{:?}",
        ignored.attempts_ms
    );
    assert_eq!(ignored.ended.iter().filter(|ended| **ended == Outcome::RateLimited429).count(), 3);
}

#[test]
fn a_drawn_pause_is_no_way_round_it() {
    let pause = json!({ "pause": { "dist": "constant", "value_ms": 30 } });
    assert!(
        run(pause.clone(), window(), json!({})).attempts_ms[5..].iter().all(|attempts| *attempts == [0.0, 1_000.0])
    );
    let mut impatient = pause;
    impatient["honor_retry_after"] = false.into();
    assert!(run(impatient, window(), json!({})).attempts_ms[5..].iter().all(|attempts| *attempts == [0.0, 30.0, 60.0]));
}

#[test]
fn a_service_that_refuses_for_load_says_what_it_is_told_to_say() {
    let busy = [
        json!({ "workers": 5, "max_waiting": 0 }),
        json!({ "workers": 5, "max_waiting": 0, "hold": "work" }),
        json!({ "admission": { "algorithm": "max_in_flight", "limit": 5 } }),
        json!({ "bulkheads": { "all": { "routes": ["GET /"], "max_concurrent": 5 } } }),
        json!({ "workers": 5, "patience": { "dist": "constant", "value_ms": 0 } }),
    ];
    for service in busy {
        let mut patient = service.clone();
        patient["retry_after_s"] = 2.into();
        for attempts in &run(json!({}), json!({}), patient).attempts_ms[5..] {
            assert_eq!(*attempts, [0.0, 2_000.0], "{service}");
        }
        for attempts in &run(json!({}), json!({}), service.clone()).attempts_ms[5..] {
            assert_eq!(*attempts, [0.0, 10.0, 20.0], "{service}");
        }
    }
}

#[test]
fn a_program_says_it_and_it_reaches_the_user_through_whoever_is_between() {
    let penalty =
        json!({ "if": { "when": "now_s < 3", "then": [{ "respond": { "status": 429, "retry_after_s": "2 + 2" } }] } });
    let seen = run(json!({}), json!({}), json!({ "routes": { "GET /": [penalty] } }));
    assert!(seen.attempts_ms.iter().all(|attempts| *attempts == [0.0, 4_000.0]), "{:?}", seen.attempts_ms);
    assert_eq!(seen.ended, [Outcome::Ok; 8]);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let document = Document::from_json(json!({
        "format_version": 1, "id": "waits", "title": "Waits", "seed": 7, "duration_s": 20,
        "nodes": {
            "users": { "kind": "client" },
            "api": { "kind": "service", "retry_after_s": -1,
                "routes": { "GET /": [{ "respond": { "status": 418, "retry_after_s": "soon" } }] } }
        },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 1, "arrivals": { "process": "poisson", "rate_rps": 1 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } }
    }));
    let problems = document.plan("A", &[]).expect_err("it makes no sense");
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    for path in [
        "nodes.api.retry_after_s",
        "nodes.api.routes.GET /.0.respond.retry_after_s",
        "nodes.api.routes.GET /.0.respond.status",
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
}
