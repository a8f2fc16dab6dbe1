//! The life of instances through the ordinary engine: what a crash loses, how they start, stop, are replaced and scaled.

use crate::asked::{run, value};
use sandbox_core::timeline::why;
use sandbox_core::trace::{Refusal, What};
use serde_json::{Value, json};

/// A request every 100 ms that keeps an instance busy for `work_ms`, behind a balancer that takes turns.
fn document(replicas: u32, work_ms: f64, life: Value) -> Value {
    json!({
        "format_version": 1, "id": "life", "title": "Life", "seed": 7, "duration_s": 20,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": { "balancer": { "policy": "round_robin" } } } },
            "api": {
                "kind": "service", "replicas": replicas, "life": life,
                "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": work_ms } } ] }
            }
        },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 1,
            "arrivals": { "process": "paced", "gap_ms": 100 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "metrics": {
            "up": { "unit": "1", "help": "Up.", "kind": "gauge",
                "source": { "records": { "of": "fleet", "value": "up" } } },
            "running": { "unit": "1", "help": "Running.", "kind": "gauge",
                "source": { "records": { "of": "fleet", "value": "running" } } },
            "listed": { "unit": "1", "help": "Listed.", "kind": "gauge",
                "source": { "records": { "of": "fleet", "value": "listed" } } }
        }
    })
}

/// Every instance crashes at this second and may start again at that one.
fn crash(document: &mut Value, node: &str, from_s: f64, to_s: f64) {
    document["faults"] =
        json!({ "death": { "node": node, "effect": { "kind": "crash" }, "from_s": from_s, "to_s": to_s } });
}

#[test]
fn a_crash_loses_what_was_begun_and_the_chain_leads_to_its_fault() {
    let mut document = document(1, 450.0, json!({}));
    crash(&mut document, "api", 5.01, 5.02);
    let mut run = run(document);
    // Sent at 4.6, 4.7, 4.8, 4.9 and 5.0 s, and none of them done.
    assert_eq!(value(&run, "http_502_total.sum[5:6]"), 5.0);
    assert_eq!(value(&run, "http_errors_total.sum"), 5.0);
    let first = run.folds().failures().next().expect("a failed request").0.request;
    let root = why(&mut run, first).expect("it has an end").chain.last().expect("a root").logged.record.what;
    assert!(matches!(root, What::FaultBegan { .. }), "{root:?}");
}

#[test]
fn who_waits_for_another_attempt_when_the_process_dies_is_answered_once() {
    let mut document = document(1, 450.0, json!({}));
    let api = &mut document["nodes"]["api"];
    let work = api["routes"]["GET /"].take();
    api["hold"] = "work".into();
    api["routes"]["GET /"] =
        json!([ { "idempotent": { "key": "0", "lifetime_s": 0.001, "waits": true, "do": work } } ]);
    document["links"] = json!({ "wire": { "from": "users", "to": "api", "delay_ms": 10 } });
    document["workloads"]["load"]["to_s"] = 15.into();
    crash(&mut document, "api", 5.35, 5.36);
    let mut run = run(document);
    assert_eq!(value(&run, "http_502_total.sum[5:6]"), 4.0, "one that works and three that wait");
    let api = run.plan().nodes.iter().position(|node| node.group == "api").expect("it is there");
    let records = run.records(0..u32::MAX);
    let at_api = records.iter().map(|logged| logged.record).filter(|record| record.node.index() == api);
    let count = |is: fn(&What) -> bool| at_api.clone().filter(|record| is(&record.what)).count();
    let arrived = count(|what| matches!(what, What::Arrived { .. }));
    assert_eq!(count(|what| matches!(what, What::Replied { .. })), arrived);
}

#[test]
fn an_instance_takes_calls_when_it_has_started_and_works_slowly_while_it_warms_up() {
    let life = json!({ "start_s": 3, "warm_up": { "for_s": 4, "speed": 0.25 } });
    let mut document = document(1, 10.0, life);
    crash(&mut document, "api", 5.05, 6.05);
    let run = run(document);
    assert_eq!(value(&run, "http_errors_total.sum[5:10]"), 40.0, "nobody is there from 5.05 s to 9.05 s");
    assert_eq!(value(&run, "http_errors_total.sum[10:20]"), 0.0);
    for (window, ms) in [("[3:5]", 10.0), ("[10:13]", 40.0), ("[14:20]", 10.0)] {
        let seconds = value(&run, &format!("http_request_duration_seconds.mean{window}"));
        assert!((seconds * 1e3 / ms - 1.0).abs() < 0.01, "{window}: {seconds} s");
    }
    assert_eq!(value(&run, "up.min[6:9]"), 0.0);
    assert_eq!(value(&run, "up.last[6:20]"), 1.0);
}

#[test]
fn without_readiness_a_share_of_the_calls_meets_an_instance_that_is_not_there() {
    let with = |readiness: bool| {
        let mut document = document(4, 1.0, json!({ "start_s": 4, "readiness": readiness }));
        crash(&mut document, "api-2", 4.95, 4.96);
        let run = run(document);
        value(&run, "http_errors_total.sum")
    };
    assert_eq!((with(true), with(false)), (0.0, 10.0), "a quarter of 40 calls");
}

#[test]
fn who_stops_as_planned_finishes_what_it_has_within_its_grace() {
    let with = |grace_s: f64, delay_s: f64| {
        let life = json!({ "start_s": 1, "listing_delay_s": 1.5, "stop_delay_s": delay_s, "stop_grace_s": grace_s });
        let mut document = document(2, 450.0, life);
        document["rollouts"] = json!({ "update": { "node": "api", "from_s": 5.05, "instances": 1 } });
        let run = run(document);
        (value(&run, "http_502_total.sum"), value(&run, "http_503_total.sum"))
    };
    // Two or three of the calls of the last 450 ms are at the instance; for 1.5 s more every second call goes there.
    let (lost, refused) = with(0.0, 0.0);
    assert!((2.0..=3.0).contains(&lost), "{lost}");
    // It is up again before its callers know that it had gone.
    assert_eq!(refused, 5.0);
    let (lost, refused) = with(1.0, 2.0);
    assert_eq!((lost, refused), (0.0, 0.0));
}

#[test]
fn an_instance_dies_of_the_call_that_its_memory_has_no_room_for() {
    let mut document = document(
        1,
        60_000.0,
        json!({ "restart": false, "memory": { "limit_mb": 10, "base_mb": 2, "per_call_mb": 0.5 } }),
    );
    document["duration_s"] = json!(5);
    let mut run = run(document);
    let lost = |record: &What| matches!(record, What::Refused { refusal: Refusal::Lost });
    let records: Vec<_> = run.records(0..u32::MAX).iter().map(|logged| logged.record.what).collect();
    assert_eq!(records.iter().filter(|what| lost(what)).count(), 17, "2 MB and 17 times half a megabyte are too much");
    assert_eq!(records.iter().filter(|what| matches!(what, What::OutOfMemory)).count(), 1);
    assert_eq!(records.iter().filter(|what| matches!(what, What::InstanceUp)).count(), 0);
}

#[test]
fn an_autoscaler_wants_the_load_divided_by_its_target() {
    // Ten calls a second of 450 ms are 4.5 busy workers; at 70 % that is 6.43 instances of one worker.
    let mut document = document(10, 450.0, json!({ "start_s": 1 }));
    document["nodes"]["api"]["scaling"] = json!({ "initial": 10,
        "autoscaler": { "of": "workers", "target": 0.7, "interval_s": 5 } });
    document["nodes"]["api"]["workers"] = json!(1);
    document["nodes"]["users"]["calls"]["api"]["balancer"] = json!({ "policy": "least_request", "choices": null });
    let run = run(document);
    assert_eq!(value(&run, "running.min[0:5]"), 10.0);
    assert_eq!(value(&run, "running.last[10:20]"), 7.0);
    assert_eq!(value(&run, "listed.last[10:20]"), 7.0);
}

#[test]
fn the_share_of_cold_starts_is_that_of_long_gaps() {
    let mut document = document(1, 100.0, json!({ "start_s": 3, "idle_stop_s": 30 }));
    document["duration_s"] = json!(36_000);
    document["workloads"]["load"]["arrivals"] = json!({ "process": "poisson", "rate_rps": 1.0 / 60.0 });
    document["metrics"]["starts"] = json!({ "unit": "1", "help": "Starts.", "kind": "counter",
        "source": { "records": { "of": "instance_starting" } } });
    let run = run(document);
    let ratio = value(&run, "starts.sum") / value(&run, "http_requests_total.sum");
    // A gap is longer than half its mean with probability exp(-1/2); three standard deviations of 600 requests are 0.06.
    assert!((ratio - libm::exp(-0.5)).abs() < 0.06, "{ratio}");
    assert!(value(&run, "http_request_duration_seconds.p95") > 3.0);
}

#[test]
fn a_release_is_taken_back_where_its_first_instance_is_worse() {
    let with = |ratio: f64| {
        let mut document = document(10, 1.0, json!({ "stop_grace_s": 1 }));
        document["duration_s"] = json!(120);
        document["workloads"]["load"]["arrivals"] = json!({ "process": "poisson", "rate_rps": 100 });
        document["rollouts"] = json!({ "release": { "node": "api", "from_s": 10, "surge": true,
            "effect": { "kind": "errors", "ratio": ratio }, "canary": { "every_s": 10, "for_s": 20 } } });
        let mut run = run(document);
        let records: Vec<_> = run.records(0..u32::MAX).iter().map(|logged| logged.record.what).collect();
        let back = records.iter().filter(|what| matches!(what, What::RolledBack { .. })).count();
        (back, value(&run, "http_500_total.rate[60:120]"))
    };
    assert_eq!(with(0.5), (1, 0.0));
    let (back, rate) = with(0.0);
    assert_eq!((back, rate), (0, 0.0));
}

#[test]
fn a_rollout_goes_on_when_the_batch_before_it_is_up_and_programs_know_the_release() {
    let mut document = document(3, 1.0, json!({ "start_s": 2, "stop_grace_s": 1 }));
    document["nodes"]["api"]["routes"]["GET /"] =
        json!([ { "if": { "when": "release == 1", "then": [ { "respond": { "status": 500 } } ] } } ]);
    document["rollouts"] = json!({ "update": { "node": "api", "from_s": 5 } });
    let run = run(document);
    assert_eq!(value(&run, "up.min[5:11]"), 2.0);
    assert_eq!(value(&run, "http_500_total.rate[0:5]"), 10.0);
    assert_eq!(value(&run, "http_errors_total.sum[11:20]"), 0.0);
    let failed = value(&run, "http_responses_total{outcome=internal_error_500}.sum[5:11]");
    // Two old ones of two, one of two, none.
    assert!((failed - 30.0).abs() <= 2.0, "{failed}");
}

#[test]
fn who_is_new_on_the_list_gets_less_than_its_share_at_first() {
    let with = |slow_start: Value| {
        let mut document = document(2, 1.0, json!({}));
        document["nodes"]["users"]["calls"]["api"] =
            json!({ "balancer": { "policy": "random" }, "slow_start_s": slow_start });
        document["nodes"]["api"]["scaling"] = json!({ "initial": 1, "schedule": [ { "at_s": 10, "instances": 2 } ] });
        document["workloads"]["load"]["arrivals"] = json!({ "process": "constant", "rate_rps": 1000 });
        document["metrics"]["at_new"] = json!({ "unit": "1", "help": "Calls.", "kind": "counter",
            "source": { "records": { "of": "arrived", "node": "api-2" } } });
        let run = run(document);
        value(&run, "at_new.sum[10:20]")
    };
    let whole = with(Value::Null);
    assert!((whole / 5_000.0 - 1.0).abs() < 0.05, "{whole}");
    // Half of the calls choose it, and it takes t/10 of these (5 % at least): the mean over ten seconds is 0.50125.
    let ramp = with(json!(10));
    assert!((ramp / (5_000.0 * 0.50125) - 1.0).abs() < 0.05, "{ramp}");
}
