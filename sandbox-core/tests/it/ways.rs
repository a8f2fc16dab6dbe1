//! The ways of messages over links, and with whom users stay, through the ordinary engine, against closed forms.

use crate::asked::{run, value};
use sandbox_core::timeline::why;
use serde_json::{Value, json};

/// Users who ask an API that answers at once, over this link.
fn document(link: Value, arrivals: Value) -> Value {
    let mut wire = json!({ "from": "users", "to": "api", "delay_ms": 10 });
    for (field, value) in link.as_object().expect("fields of a link") {
        wire[field] = value.clone();
    }
    json!({
        "format_version": 1, "id": "links", "title": "Links", "seed": 7, "duration_s": 100,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": { "balancer": { "policy": "first" } } } },
            "api": { "kind": "service", "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 5 } } ] } }
        },
        "links": { "wire": wire },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 100, "arrivals": arrivals,
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } }
    })
}

fn poisson(rate_rps: u32) -> Value {
    json!({ "process": "poisson", "rate_rps": rate_rps })
}

#[test]
fn a_lost_message_comes_a_doubling_time_later() {
    let mut document = document(json!({ "loss": { "ratio": 0.1, "rto_ms": 200 } }), poisson(500));
    document["metrics"] = json!({ "lost": { "unit": "1", "help": "Losses.", "kind": "counter",
        "source": { "records": { "of": "retransmitted", "value": "times" } } } });
    let mut run = run(document);
    let requests = value(&run, "http_requests_total.sum");
    // Each way a message is lost k times with probability 0.9 * 0.1^k.
    let losses = value(&run, "lost.sum") / requests;
    assert!((losses / (2.0 / 9.0) - 1.0).abs() < 0.05, "{losses}");
    // Of 1 + 2 + .. + 2^(k-1) times 200 ms the mean is 200 ms * 0.1 / (1 - 0.2), each way.
    let mean = value(&run, "http_request_duration_seconds.mean") - 0.025;
    assert!((mean / 0.05 - 1.0).abs() < 0.1, "{mean} s");
    assert!((value(&run, "http_request_duration_seconds.p50") - 0.025).abs() < 1e-3);
    let request = run.folds().requests().get(0).expect("a request").request;
    let why = why(&mut run, request).expect("it has ended");
    let explained = why.parts.iter().map(|part| part.span.as_nanos()).sum::<u64>();
    assert_eq!(explained, why.latency.as_nanos());
}

#[test]
fn jitter_comes_on_top_of_the_delay_each_way() {
    let run = run(document(json!({ "jitter": { "dist": "exponential", "mean_ms": 20 } }), poisson(500)));
    let mean = value(&run, "http_request_duration_seconds.mean");
    assert!((mean / 0.065 - 1.0).abs() < 0.03, "{mean} s");
    assert!(value(&run, "http_request_duration_seconds.min") >= 0.025);
}

#[test]
fn answers_wait_for_each_other_on_a_narrow_link() {
    // 100 kB at 8 Mbit/s are 100 ms; ten requests at once get their answers 100 ms apart.
    let bandwidth = |shared: bool| json!({ "bandwidth": { "mbps": 8, "response_kb": 100, "shared": shared } });
    let burst = json!({ "process": "bursts", "size": 10, "every_s": 50 });
    let shared = run(document(bandwidth(true), burst.clone()));
    let own = run(document(bandwidth(false), burst));
    let last = value(&shared, "http_request_duration_seconds.max");
    assert!((last - 1.025).abs() < 0.005, "{last} s");
    let last = value(&own, "http_request_duration_seconds.max");
    assert!((last - 0.125).abs() < 0.001, "{last} s");
}

#[test]
fn users_stay_with_whom_they_found_first() {
    let at_new = |sticky: Value| {
        let mut document = document(json!({}), poisson(500));
        document["nodes"]["users"]["calls"]["api"] = json!({ "balancer": { "policy": "random" }, "sticky": sticky });
        document["nodes"]["api"]["replicas"] = json!(2);
        document["nodes"]["api"]["scaling"] = json!({ "initial": 1, "schedule": [ { "at_s": 10, "instances": 2 } ] });
        document["metrics"] = json!({ "at_new": { "unit": "1", "help": "Calls.", "kind": "counter",
            "source": { "records": { "of": "arrived", "node": "api-2" } } } });
        value(&run(document), "at_new.rate[60:100]") / 500.0
    };
    assert_eq!(at_new(json!({})), 0.0);
    let share = at_new(json!({ "for_s": 10, "jitter": 0.2 }));
    assert!((share - 0.5).abs() < 0.12, "{share}");
    let share = at_new(Value::Null);
    assert!((share - 0.5).abs() < 0.02, "{share}");
}

#[test]
fn a_kept_address_is_asked_until_its_time_is_over() {
    let mut document = document(json!({}), poisson(500));
    document["nodes"]["users"]["calls"]["api"]["sticky"] = json!({ "for_s": 40, "blindly": true });
    document["nodes"]["api"]["replicas"] = json!(2);
    document["faults"] =
        json!({ "loss": { "node": "api-1", "effect": { "kind": "crash" }, "from_s": 50, "to_s": 100 } });
    let run = run(document);
    // The times that are left are uniform in 40 s: the share of those who still ask falls from 1 to 0.
    let failed = value(&run, "http_error_ratio.mean[50:90]");
    assert!((failed - 0.5).abs() < 0.08, "{failed}");
    assert_eq!(value(&run, "http_error_ratio.mean[91:100]"), 0.0);
}
