//! Links that drop, through the ordinary engine, against the theory of a task that starts again from the beginning.

use crate::asked::{run, value};
use sandbox_core::scenario::Document;
use sandbox_core::timeline::{PartKind, why};
use serde_json::{Value, json};

/// A phone that sends `pieces` of one minute together, each again a second after a drop; drops come every 20 s on average.
fn document(pieces: u32, requests: u32, duration_s: u32) -> Value {
    let piece = json!([
        { "set": { "done": 0 } },
        { "repeat": { "times": 1000, "while": "done == 0", "do": [
            { "try": {
                "do": [ { "call": { "to": "uploads", "route": "PUT" } }, { "set": { "done": 1 } } ],
                "on_failure": [ { "observe": { "restarts": "1" } }, { "wait": { "dist": "constant", "value_ms": 1000 } } ]
            } }
        ] } }
    ]);
    json!({
        "format_version": 1, "id": "drops", "title": "Drops", "seed": 7, "duration_s": duration_s,
        "nodes": {
            "users": { "kind": "client" },
            "phone": { "kind": "service", "routes": { "send": [ { "repeat": { "times": pieces, "do": piece } } ] } },
            "uploads": { "kind": "service", "routes": { "PUT": [ { "respond": { "status": 200 } } ] } }
        },
        "links": { "mobile": { "from": "phone", "to": "uploads", "delay_ms": 0,
            "bandwidth": { "mbps": 8, "request_kb": 60_000.0 / f64::from(pieces), "shared": false },
            "drops": { "after": { "dist": "exponential", "mean_ms": 20_000 } } } },
        "workloads": { "load": {
            "client": "users", "target": "phone", "keys": 1, "users": 100,
            "arrivals": { "process": "constant", "rate_rps": 1 }, "requests": requests,
            "routes": { "send": { "weight": 1, "op": "write" } }
        } },
        "metrics": {
            "sent": { "unit": "bytes", "help": "Sent.", "kind": "counter",
                "source": { "records": { "of": "transferred", "value": "bytes" } } },
            "dropped": { "unit": "transfers", "help": "Broken.", "kind": "counter",
                "source": { "records": { "of": "transferred", "when": "whole == 0" } } },
            "restarts": { "unit": "1", "help": "Again.", "kind": "counter", "source": "observed" }
        }
    })
}

/// To get x seconds without a drop takes m (e^(x/m) - 1) s of sending, and as many drops as a geometric number has failures:
/// e^(x/m) - 1. So their mean over n pieces is known to 1 / sqrt(n (1 - e^(-x/m))) of it.
#[test]
fn an_uninterrupted_stretch_takes_as_long_as_the_closed_form_says() {
    let (requests, seeds) = (2_000, 4);
    for pieces in [1, 4, 60] {
        let ratio = 60.0 / f64::from(pieces) / 20.0;
        let (drops, n) = (libm::exp(ratio) - 1.0, f64::from(requests * pieces * seeds));
        let tolerance = 3.0 / libm::sqrt(n * (1.0 - libm::exp(-ratio)));
        let (mut seconds, mut sent, mut restarts) = (0.0, 0.0, 0.0);
        for seed in 1..=seeds {
            let mut document = document(pieces, requests, 10_000);
            document["seed"] = seed.into();
            let run = run(document);
            assert_eq!(value(&run, "http_goodput_total.sum"), f64::from(requests));
            assert_eq!(value(&run, "dropped.sum"), value(&run, "restarts.sum"));
            seconds += value(&run, "http_request_duration_seconds.mean") / f64::from(seeds);
            sent += value(&run, "sent.sum");
            restarts += value(&run, "restarts.sum");
        }
        let close = |what: &str, got: f64, expected: f64| {
            assert!((got / expected - 1.0).abs() < tolerance, "{pieces}, {what}: {got} against {expected}");
        };
        close("seconds", seconds, f64::from(pieces) * 21.0 * drops);
        close("bytes", sent, n * 20e6 * drops);
        close("restarts", restarts, n * drops);
    }
}

#[test]
fn what_was_sent_is_counted_up_to_the_drop_and_the_caller_is_told_at_once() {
    let mut one = document(1, 1, 200);
    one["links"]["mobile"]["drops"]["after"] = json!({ "dist": "discrete",
        "points": [{ "p": 0.5, "value_ms": 30_000 }, { "p": 0.5, "value_ms": 70_000 }] });
    let mut run = run(one);
    let restarts = value(&run, "restarts.sum");
    assert_eq!(value(&run, "sent.sum"), 60e6 + restarts * 30e6);
    let took = value(&run, "http_request_duration_seconds.max");
    assert!((took - (60.0 + restarts * 31.0)).abs() < 0.5, "{took} after {restarts}");
    let first = run.folds().requests().get(0).expect("a request").request;
    let why = why(&mut run, first).expect("it has ended");
    let network: f64 = why.parts.iter().filter(|it| it.kind == PartKind::Network).map(|it| it.span.as_seconds()).sum();
    assert!((network - 60.0 - restarts * 30.0).abs() < 1e-6, "{network}");
}

/// Three requests share a link; each breaks 4 s after its turn has come, and then it is the next one's turn.
#[test]
fn a_shared_line_is_free_again_when_a_transfer_breaks() {
    let mut shared = document(1, 3, 200);
    shared["links"]["mobile"]["bandwidth"] = json!({ "mbps": 8, "request_kb": 10_000 });
    shared["links"]["mobile"]["drops"]["after"] = json!({ "dist": "constant", "value_ms": 4_000 });
    shared["nodes"]["phone"]["routes"]["send"] = json!([{ "call": { "to": "uploads", "route": "PUT" } }]);
    shared["metrics"].as_object_mut().expect("signals by name").remove("restarts");
    let run = run(shared);
    // They are sent a second apart, and break four seconds apart.
    assert_eq!((value(&run, "http_502_total.sum"), value(&run, "sent.sum")), (3.0, 12e6));
    let gap = value(&run, "http_failed_duration_seconds.max") - value(&run, "http_failed_duration_seconds.min");
    assert!((gap - 6.0).abs() < 0.1, "{gap}");
}

#[test]
fn an_answer_breaks_as_well() {
    let mut down = document(1, 1, 200);
    down["links"]["mobile"]["bandwidth"] = json!({ "mbps": 8, "response_kb": 10_000, "shared": false });
    down["links"]["mobile"]["drops"]["after"] = json!({ "dist": "constant", "value_ms": 4_000 });
    down["nodes"]["phone"]["routes"]["send"] = json!([{ "call": { "to": "uploads", "route": "PUT" } }]);
    down["metrics"].as_object_mut().expect("signals by name").remove("restarts");
    let run = run(down);
    assert_eq!(
        (value(&run, "http_502_total.sum"), value(&run, "sent.sum"), value(&run, "dropped.sum")),
        (1.0, 4e6, 1.0)
    );
}

#[test]
fn only_links_to_programs_drop() {
    let mut wrong = document(1, 1, 100);
    wrong["links"]["mobile"]["to"] = json!("rows");
    wrong["nodes"]["rows"] = json!({ "kind": "store", "readers": 1, "rows": 10,
        "read": { "dist": "constant", "value_ms": 1 }, "write": { "dist": "constant", "value_ms": 1 } });
    let problems = Document::from_json(wrong).plan("A", &[]).expect_err("it is wrong");
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.iter().any(|it| it.starts_with("links.mobile.to:")), "{problems:#?}");
}
