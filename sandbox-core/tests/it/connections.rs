//! The connections that calls go over, through the ordinary engine, against arithmetic and closed forms.

use crate::asked::{run, value};
use sandbox_core::Run;
use sandbox_core::ids::RequestId;
use sandbox_core::metrics::Summary;
use sandbox_core::timeline::{PartKind, why};
use serde_json::{Value, json};

/// Users who ask an API over connections, 20 ms away; the API needs 5 ms.
fn document(connections: Value, users: u32, rate_rps: f64) -> Value {
    let counter = |of: &str| {
        json!({ "unit": "1", "help": "Counted.", "kind": "counter", "source": { "records": { "of": of } },
            "labels": { "why": { "keep_alive": "why == keep_alive", "idle": "why == idle", "age": "why == age" } } })
    };
    let mut opened = counter("connection_opened");
    opened.as_object_mut().expect("a signal is an object").remove("labels");
    json!({
        "format_version": 1, "id": "connections", "title": "Connections", "seed": 7, "duration_s": 100,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": { "connections": connections } } },
            "api": { "kind": "service", "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 5 } } ] } }
        },
        "links": { "wire": { "from": "users", "to": "api", "delay_ms": 20 } },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": users,
            "arrivals": { "process": "poisson", "rate_rps": rate_rps },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "metrics": {
            "opened": opened,
            "closed": counter("connection_closed"),
            "resets": { "unit": "1", "help": "Resets.", "kind": "counter",
                "source": { "records": { "of": "refused", "when": "refusal == connection_reset" } } },
            "no_port": { "unit": "1", "help": "No port.", "kind": "counter",
                "source": { "records": { "of": "refused", "when": "refusal == no_port" } } },
            "time_wait": { "unit": "1", "help": "Ports in TIME_WAIT.", "kind": "gauge",
                "source": { "records": { "of": "connection_closed", "value": "time_wait" } } }
        }
    })
}

fn of_kind(run: &mut Run, request: RequestId, kind: PartKind) -> f64 {
    let why = why(run, request).expect("it has ended");
    assert_eq!(why.parts.iter().map(|part| part.span.as_nanos()).sum::<u64>(), why.latency.as_nanos());
    why.parts.iter().filter(|part| part.kind == kind).map(|part| part.span.as_ms()).sum()
}

#[test]
fn a_handshake_takes_its_round_trips_and_the_computing_of_both_ends() {
    let handshake = json!({ "round_trips": 3, "caller": { "dist": "constant", "value_ms": 1 },
        "callee": { "dist": "constant", "value_ms": 2 } });
    let mut run = run(document(json!({ "handshake": handshake, "max_idle": 0 }), 10, 50.0));
    // Three round trips of 40 ms and one for the request, 1 + 2 ms of computing, 5 ms of work.
    for reduced in ["min", "p50", "max"] {
        let took = value(&run, &format!("http_request_duration_seconds.{reduced}"));
        assert!((took - 0.168).abs() < 1e-3, "{reduced}: {took}");
    }
    let (opened, answered) = (value(&run, "opened.sum"), value(&run, "http_requests_total.sum"));
    assert!((answered..answered + 20.0).contains(&opened), "{opened} for {answered} and those under way");
    let first = run.folds().requests().get(0).expect("a request").request;
    assert_eq!(of_kind(&mut run, first, PartKind::Handshake), 121.0);
    assert_eq!(of_kind(&mut run, first, PartKind::Service), 7.0);
}

#[test]
fn a_kept_connection_is_opened_once_by_each_user() {
    let run = run(document(json!({ "handshake": { "round_trips": 2 } }), 10, 2.0));
    let opened = value(&run, "opened.sum");
    // Ten users, and a second connection where somebody asks again within the 45 ms of an answer.
    assert!((10.0..16.0).contains(&opened), "{opened}");
    assert!((value(&run, "http_request_duration_seconds.p50") - 0.045).abs() < 1e-3);
    assert_eq!(value(&run, "closed.sum"), 0.0);
}

#[test]
fn who_asks_while_the_callee_closes_is_answered_with_a_reset() {
    // One call in 5 s from each of 200 users. From 20 ms before the API closes a connection until its caller knows of it 50 ms
    // after, who asks is reset.
    let mut document = document(json!({ "keep_alive_timeout_s": 5, "notice_ms": 30 }), 200, 40.0);
    document["duration_s"] = json!(2_000);
    let mut run = run(document);
    let requests = value(&run, "http_requests_total.sum");
    let resets = value(&run, "resets.sum");
    assert_eq!(resets, value(&run, "http_502_total.sum"));
    let (gap, race) = (0.2, 0.07f64);
    let expected = libm::exp(-gap * 5.005) * (1.0 - libm::exp(-gap * race));
    assert!((resets / requests / expected - 1.0).abs() < 0.15, "{} of {expected}", resets / requests);
    let is_failed = |summary: &&Summary| summary.end.is_some_and(|end| !end.outcome.is_success());
    let failed = run.folds().requests().iter().find(is_failed).expect("one failed").request;
    let chain = why(&mut run, failed).expect("it has ended").chain;
    assert!(chain.iter().any(|link| link.text.contains("had closed the connection")), "{chain:?}");
}

#[test]
fn who_closes_idle_connections_first_never_meets_a_closed_one() {
    let run = run(document(json!({ "idle_timeout_s": 4, "keep_alive_timeout_s": 5, "notice_ms": 30 }), 200, 40.0));
    assert_eq!(value(&run, "resets.sum"), 0.0);
    assert_eq!(value(&run, "closed{why=keep_alive}.sum"), 0.0);
    let (opened, closed) = (value(&run, "opened.sum"), value(&run, "closed{why=idle}.sum"));
    assert!(opened - closed <= 200.0 && closed > 1_000.0, "{opened} opened, {closed} closed");
}

#[test]
fn connections_live_as_long_as_they_may() {
    let run = run(document(json!({ "max_age_s": 10, "age_jitter": 0.2 }), 1, 50.0));
    // One user, who needs two or three at once and now and then some more.
    let closed = value(&run, "closed{why=age}.sum");
    assert!((18.0..120.0).contains(&closed), "{closed}");
    assert!(value(&run, "opened.sum") - closed < 12.0);
}

#[test]
fn ports_that_wait_are_missing_until_their_time_is_over() {
    // 50 calls a second of one user, each from a port of its own: 1000 last for 20 s, and come back 10 s after they were
    // used, give or take the time of a call.
    let run = run(document(json!({ "max_idle": 0, "ports": 1000, "time_wait_s": 30 }), 1, 50.0));
    assert_eq!(value(&run, "no_port.sum[0:18]"), 0.0);
    assert_eq!(value(&run, "http_error_ratio.mean[23:29]"), 1.0);
    assert!(value(&run, "http_error_ratio.mean[32:45]") < 0.2);
    assert!(value(&run, "time_wait.max") > 990.0);
    // In the long run there is a port for 1000 calls in 30 s.
    let share = value(&run, "http_error_ratio.mean[30:90]");
    assert!((share - 1.0 / 3.0).abs() < 0.05, "{share}");
}

#[test]
fn connections_die_with_the_process_that_they_lead_to() {
    let mut document = document(json!({}), 5, 50.0);
    document["nodes"]["api"]["life"] = json!({ "start_s": 1 });
    document["faults"] = json!({ "kill": { "node": "api", "effect": { "kind": "crash" }, "from_s": 50, "to_s": 51 } });
    let run = run(document);
    let before = value(&run, "opened.sum[0:50]");
    let after = value(&run, "opened.sum[50:100]");
    assert!(before >= 5.0 && after >= 5.0, "{before} before, {after} after");
    assert!(value(&run, "closed.sum[50:51]") >= 5.0);
}
