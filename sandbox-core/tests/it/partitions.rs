//! What is lost between a node and its caller, through the ordinary engine, against arithmetic.

use crate::asked::{run, value};
use sandbox_core::Run;
use sandbox_core::metrics::Summary;
use sandbox_core::scenario::Document;
use sandbox_core::timeline::why;
use sandbox_core::trace::Outcome;
use serde_json::{Value, json};

/// Twenty users who ask an API 10 ms away, which needs 5 ms; from 50 s on this happens between them.
fn document(effect: Value, to_s: f64, call: Value) -> Value {
    json!({
        "format_version": 1, "id": "partitions", "title": "Partitions", "seed": 7, "duration_s": 100,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": call } },
            "api": { "kind": "service", "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 5 } } ] } }
        },
        "links": { "wire": { "from": "users", "to": "api", "delay_ms": 10 } },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 20,
            "arrivals": { "process": "poisson", "rate_rps": 50 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "faults": { "cut": { "node": "api", "effect": effect, "from_s": 50, "to_s": to_s } },
        "metrics": {
            "worked": { "unit": "1", "help": "Work done.", "kind": "counter", "source": { "records": { "of": "worked" } } },
            "opened": { "unit": "1", "help": "Connections opened.", "kind": "counter",
                "source": { "records": { "of": "connection_opened" } } },
            "later": { "unit": "s", "help": "How much later messages arrive.", "kind": "histogram",
                "source": { "records": { "of": "retransmitted", "value": "delay_seconds" } } }
        }
    })
}

/// The causes of the first request that its user gave up, in words.
fn causes(run: &mut Run) -> Vec<String> {
    let gave_up = |summary: &&Summary| summary.end.is_some_and(|end| end.outcome == Outcome::ClientTimeout);
    let request = run.folds().requests().iter().find(gave_up).expect("somebody gave up").request;
    let why = why(run, request).expect("it has ended");
    assert_eq!(why.parts.iter().map(|part| part.span.as_nanos()).sum::<u64>(), why.latency.as_nanos());
    why.chain.into_iter().map(|link| link.text).collect()
}

#[test]
fn what_is_sent_in_a_partition_arrives_when_tcp_sends_it_again_after_its_end() {
    let run = run(document(json!({ "kind": "partition", "from": "users" }), 53.0, json!({})));
    // Sent again after 0.2, 0.6, 1.4 and 3.0 s: who sends in the first 1.6 s of three waits for 3.0 s, and so on.
    let expected = (1.6 * 3.0 + 0.8 * 1.4 + 0.4 * 0.6 + 0.2 * 0.2) / 3.0;
    let later = value(&run, "later.mean");
    assert!((later / expected - 1.0).abs() < 0.1, "{later} s of {expected} s");
    let longest = value(&run, "http_request_duration_seconds.max");
    assert!((longest - 3.025).abs() < 0.015, "{longest} s");
    assert_eq!(value(&run, "http_errors_total.sum"), 0.0);
    assert!((value(&run, "http_requests_total.sum[0:100]") / 5_000.0 - 1.0).abs() < 0.05);
}

#[test]
fn work_is_done_although_its_answers_are_lost() {
    let worked = |lost: &str| {
        let effect = json!({ "kind": "partition", "from": "users", "lost": lost });
        let mut run = run(document(effect, 80.0, json!({ "timeout_ms": 150 })));
        assert_eq!(value(&run, "http_error_ratio.mean[52:79]"), 1.0);
        let causes = causes(&mut run);
        assert_eq!(causes.last().map(String::as_str), Some("fault: cut"), "{causes:?}");
        value(&run, "worked.rate[52:79]")
    };
    assert!((worked("answers") / 50.0 - 1.0).abs() < 0.1);
    assert_eq!(worked("requests"), 0.0);
    assert_eq!(worked("both"), 0.0);
}

#[test]
fn a_dead_connection_is_found_out_by_whoever_waits_in_vain() {
    let call = json!({ "timeout_ms": 1000, "connections": {} });
    let mut run = run(document(json!({ "kind": "half_open", "from": "users" }), 51.0, call));
    assert_eq!(value(&run, "http_errors_total.sum[0:50]"), 0.0);
    // Each user has one connection or more, and each of them is found dead once.
    let (failed, opened) = (value(&run, "http_errors_total.sum[50:100]"), value(&run, "opened.sum[0:50]"));
    assert!((20.0..=opened).contains(&failed), "{failed} of {opened}");
    assert!(value(&run, "http_error_ratio.mean[50:53]") > 0.1);
    let causes = causes(&mut run);
    assert!(causes.iter().any(|text| text.contains("dead connection")), "{causes:?}");
    assert_eq!(causes.last().map(String::as_str), Some("fault: cut"), "{causes:?}");
}

#[test]
fn who_waits_for_ever_over_a_dead_connection_does() {
    let mut document = document(json!({ "kind": "half_open", "from": "users" }), 51.0, json!({ "connections": {} }));
    document["workloads"]["load"]["arrivals"] =
        json!({ "process": "closed_loop", "clients": 20, "think": { "dist": "exponential", "mean_ms": 100 } });
    let run = run(document);
    assert!(value(&run, "http_requests_total.rate[40:50]") > 100.0);
    let hanging = run.head().observe().in_flight;
    assert_eq!((hanging, value(&run, "http_requests_total.sum[60:100]")), (20, 0.0));
}

#[test]
fn a_fault_between_nodes_that_do_not_talk_is_refused() {
    let refused = |effect: Value| {
        let document = Document::from_json(document(effect, 60.0, json!({})));
        let problems = document.plan("A", &[]).expect_err("it is wrong");
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let never = refused(json!({ "kind": "partition", "from": "api" }));
    assert!(never.starts_with("faults.cut.effect.from: `api` never calls `api`."), "{never}");
    let unknown = refused(json!({ "kind": "partition", "from": "nobody" }));
    assert!(unknown.contains("there is no node `nobody`"), "{unknown}");
    let without = refused(json!({ "kind": "half_open", "from": "users" }));
    assert!(without.contains("it has no connections that could be dead. Give `calls.api` of `users`"), "{without}");
}
