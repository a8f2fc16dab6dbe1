//! Why: what failed, or took long, leads to what did that to it, and to nothing that was merely there.

use crate::asked::run;
use sandbox_core::Run;
use sandbox_core::ids::RequestId;
use sandbox_core::time::Span;
use sandbox_core::timeline::why;
use sandbox_core::trace::What;
use serde_json::{Value, json};

/// Users send to `s` at these instants; there is one fault, in `[from_s, to_s)`.
fn document(at_ms: &[f64], nodes: Value, (node, effect, from_s, to_s): (&str, Value, f64, f64)) -> Value {
    json!({
        "format_version": 1, "id": "why", "title": "Why", "seed": 1, "duration_s": 10, "nodes": nodes,
        "workloads": { "load": {
            "client": "u", "target": "s", "keys": 1, "users": 1,
            "arrivals": { "process": "recorded", "at_ms": at_ms },
            "routes": { "r": { "weight": 1, "op": "read" } }
        } },
        "faults": { "f": { "node": node, "effect": effect, "from_s": from_s, "to_s": to_s } }
    })
}

fn work(ms: f64) -> Value {
    json!({ "work": { "dist": "constant", "value_ms": ms } })
}

fn call(to: &str) -> Value {
    json!({ "call": { "to": to, "route": "r" } })
}

/// What led to the end of a request, from that back to the root.
fn chain(run: &mut Run, request: u32) -> Vec<What> {
    let why = why(run, RequestId(request)).expect("it has ended");
    let sum = why.parts.iter().fold(Span::ZERO, |sum, part| sum + part.span);
    assert_eq!(sum, why.latency, "#{request}");
    why.chain.iter().map(|link| link.logged.record.what).collect()
}

#[track_caller]
fn leads_to_the_fault(run: &mut Run, request: u32) {
    let chain = chain(run, request);
    assert!(matches!(chain.last(), Some(What::FaultBegan { fault: 0 })), "#{request}: {chain:#?}");
}

#[track_caller]
fn leads_elsewhere(run: &mut Run, request: u32) {
    let chain = chain(run, request);
    assert!(matches!(chain.last(), Some(What::Intended { .. } | What::Saturated { .. })), "#{request}: {chain:#?}");
}

/// Two requests time out alike, the second one while the fault is active and has done nothing to it.
#[test]
fn a_fault_that_did_nothing_to_a_request_is_no_cause_of_its_timeout() {
    for effect in [json!({ "kind": "errors", "ratio": 0.0001 }), json!({ "kind": "slow", "factor": 1.5 })] {
        let nodes = json!({
            "u": { "kind": "client", "calls": { "s": { "timeout_ms": 100 } } },
            "s": { "kind": "service", "routes": { "r": [work(150.0)] } }
        });
        let mut run = run(document(&[500.0, 1500.0], nodes, ("s", effect, 1.0, 2.0)));
        leads_elsewhere(&mut run, 1);
        leads_elsewhere(&mut run, 2);
    }
}

#[test]
fn a_node_that_goes_down_has_nothing_to_do_with_work_that_it_finishes() {
    let nodes = json!({
        "u": { "kind": "client", "calls": { "s": { "timeout_ms": 100 } } },
        "s": { "kind": "service", "routes": { "r": [work(150.0)] } }
    });
    let mut run = run(document(&[920.0, 1500.0], nodes, ("s", json!({ "kind": "down" }), 1.0, 2.0)));
    leads_elsewhere(&mut run, 1);
    leads_to_the_fault(&mut run, 2);
}

#[test]
fn work_is_slowed_by_the_fault_that_it_began_under() {
    let nodes = json!({ "u": { "kind": "client" }, "s": { "kind": "service", "routes": { "r": [work(50.0)] } } });
    let slow = ("s", json!({ "kind": "slow", "factor": 10 }), 1.0, 2.0);
    let mut run = run(document(&[970.0, 1900.0, 2100.0], nodes, slow));
    leads_elsewhere(&mut run, 1);
    leads_to_the_fault(&mut run, 2);
    leads_elsewhere(&mut run, 3);
}

#[test]
fn a_full_node_is_not_full_for_a_fault_that_keeps_nobody_there() {
    let nodes = json!({
        "u": { "kind": "client" },
        "s": { "kind": "service", "workers": 1, "max_waiting": 0, "routes": { "r": [work(150.0)] } }
    });
    let errors = ("s", json!({ "kind": "errors", "ratio": 0.0001 }), 1.0, 2.0);
    let mut run = run(document(&[1500.0, 1510.0], nodes, errors));
    leads_elsewhere(&mut run, 2);
}

/// Whether the caller stops waiting during the freeze or after it, and whether it waits at all.
#[test]
fn what_stood_still_leads_to_the_freeze_also_when_that_is_over() {
    for discipline in ["fifo", "processor_sharing"] {
        let nodes = json!({
            "u": { "kind": "client", "calls": { "s": { "timeout_ms": 400 } } },
            "s": { "kind": "service", "workers": 4, "discipline": discipline, "routes": { "r": [work(50.0)] } }
        });
        let freeze = ("s", json!({ "kind": "freeze" }), 1.0, 1.58);
        let mut run = run(document(&[900.0, 980.0, 1100.0, 1200.0, 1500.0, 1800.0], nodes, freeze));
        leads_elsewhere(&mut run, 1);
        for request in 2..=5 {
            leads_to_the_fault(&mut run, request);
        }
        leads_elsewhere(&mut run, 6);
    }
}

/// The line was there before the freeze: who joined it then waits for the freeze all the same.
#[test]
fn who_stood_in_line_before_a_freeze_times_out_for_it() {
    let nodes = json!({
        "u": { "kind": "client", "calls": { "s": { "timeout_ms": 400 } } },
        "s": { "kind": "service", "workers": 1, "routes": { "r": [work(50.0)] } }
    });
    let freeze = ("s", json!({ "kind": "freeze" }), 1.0, 2.0);
    let mut run = run(document(&[960.0, 970.0, 1100.0], nodes, freeze));
    for request in 1..=3 {
        leads_to_the_fault(&mut run, request);
    }
}

/// `s` is full because `p`, which it waits for, is slow; and it stays so in branches and copies.
#[test]
fn a_node_is_full_for_what_holds_up_those_whom_it_calls() {
    let branches = json!({ "all": { "branches": [[call("p")], [work(1.0)]] } });
    for (program, policy) in [
        (call("p"), json!({})),
        (branches, json!({})),
        (call("p"), json!({ "hedging": { "max_attempts": 2, "delay_ms": 20 } })),
    ] {
        let nodes = json!({
            "u": { "kind": "client" },
            "s": {
                "kind": "service", "workers": 1, "max_waiting": 0, "calls": { "p": policy },
                "routes": { "r": [program] }
            },
            "p": { "kind": "service", "routes": { "r": [work(10.0)] } }
        });
        let slow = ("p", json!({ "kind": "slow", "factor": 20 }), 1.0, 2.0);
        let mut run = run(document(&[900.0, 905.0, 1100.0, 1150.0], nodes, slow));
        leads_elsewhere(&mut run, 2);
        leads_to_the_fault(&mut run, 4);
    }
}

/// What was under way before the fault, and failed for it, is tried again and again, and keeps `s` full long after it.
#[test]
fn overload_that_outlives_its_trigger_leads_back_to_it() {
    let retry = json!({
        "max_attempts": 8, "base_delay_ms": 100, "multiplier": 1.5, "jitter": "none", "budget": { "kind": "none" }
    });
    let nodes = json!({
        "u": { "kind": "client", "calls": { "s": { "retry": retry } } },
        "s": { "kind": "service", "workers": 1, "max_waiting": 0, "routes": { "r": [work(180.0)] } }
    });
    let at_ms: Vec<f64> = (0..30).map(|n| 900.0 + 200.0 * f64::from(n)).collect();
    let mut run = run(document(&at_ms, nodes, ("s", json!({ "kind": "down" }), 1.0, 2.0)));
    let failed: Vec<u32> = run.folds().failures().map(|(summary, _)| summary.request.0).collect();
    assert!(failed.len() > 2, "{failed:?}");
    for request in failed {
        leads_to_the_fault(&mut run, request);
    }
}

/// One of two calls failed, which opens it when the second one, a success, makes two of them.
#[test]
fn a_breaker_is_opened_by_the_call_that_failed_and_not_by_who_makes_it_count() {
    let breaker = json!({
        "sliding_window_size": 2, "minimum_number_of_calls": 2, "failure_rate_percent": 50, "wait_in_open_s": 5,
        "slow_call_ms": 100, "slow_call_rate_percent": 50
    });
    for (effect, from_s, opened) in [
        (json!({ "kind": "down" }), 1.0, "breaker of s to p opened: 1 of 2 calls failed"),
        (json!({ "kind": "slow", "factor": 20 }), 1.0, "breaker of s to p opened: 1 of 2 calls were slow"),
    ] {
        let nodes = json!({
            "u": { "kind": "client" },
            "s": { "kind": "service", "calls": { "p": { "breaker": breaker } }, "routes": { "r": [call("p")] } },
            "p": { "kind": "service", "routes": { "r": [work(10.0)] } }
        });
        let mut run = run(document(&[1050.0, 1500.0, 1600.0], nodes, ("p", effect, from_s, 1.2)));
        leads_to_the_fault(&mut run, 3);
        let links = why(&mut run, RequestId(3)).expect("it has ended").chain;
        assert!(links.iter().any(|link| link.text == opened), "{links:#?}");
    }
}

const SLOW: fn(&'static str) -> (&'static str, Value, f64, f64) =
    |node| (node, json!({ "kind": "slow", "factor": 20 }), 1.0, 2.0);

/// Whoever is turned away is so for those who are inside: the slow one among them, else who came last.
#[test]
fn a_call_is_turned_away_for_those_who_have_its_place() {
    let admission = json!({ "algorithm": "max_in_flight", "limit": 1 });
    let bulkheads = json!({ "b": { "max_concurrent": 1, "routes": ["r"] } });
    for (key, limit) in [("admission", admission), ("bulkheads", bulkheads)] {
        let mut service = json!({ "kind": "service", "routes": { "r": [call("p")] } });
        service[key] = limit;
        let nodes = json!({
            "u": { "kind": "client" }, "s": service,
            "p": { "kind": "service", "routes": { "r": [work(10.0)] } }
        });
        let mut run = run(document(&[900.0, 905.0, 1100.0, 1150.0], nodes, SLOW("p")));
        let ordinary = chain(&mut run, 2);
        assert!(matches!(ordinary.last(), Some(What::Intended { .. })), "{key}: {ordinary:#?}");
        let root = why(&mut run, RequestId(2)).expect("it has ended").chain.pop().expect("a root").logged.record;
        assert_eq!(root.request, RequestId(1), "{key}");
        leads_to_the_fault(&mut run, 4);
    }
}

#[test]
fn a_limiter_refuses_for_whom_it_let_through_last() {
    let nodes = json!({
        "u": { "kind": "client" },
        "s": {
            "kind": "service", "limiters": { "l": { "algorithm": "fixed_window", "limit": 2, "window_s": 1 } },
            "routes": { "r": [{ "limit": { "limiter": "l" } }, work(10.0)] }
        }
    });
    let mut run = run(document(&[100.0, 110.0, 120.0], nodes, SLOW("s")));
    let root = why(&mut run, RequestId(3)).expect("it has ended").chain.pop().expect("a root").logged.record;
    assert!(matches!(root.what, What::Intended { .. }));
    assert_eq!(root.request, RequestId(2));
}

#[test]
fn a_full_queue_leads_to_its_slow_consumer() {
    for on_full in ["reject", "block"] {
        let nodes = json!({
            "u": { "kind": "client" },
            "s": { "kind": "service", "routes": { "r": [{ "publish": { "to": "q", "route": "r" } }] } },
            "q": {
                "kind": "queue", "consumer": "k", "route": "r", "visibility_timeout_s": 5, "consumers": 1,
                "max_receive_count": 2, "max_waiting": 1, "on_full": on_full
            },
            "k": { "kind": "service", "routes": { "r": [work(20.0)] } }
        });
        let mut run = run(document(&[900.0, 1100.0, 1150.0, 1200.0], nodes, SLOW("k")));
        leads_elsewhere(&mut run, 1);
        leads_to_the_fault(&mut run, 4);
    }
}

/// The cache forgets what its program tells it to for a failure; what is loaded anew for that fills the store.
#[test]
fn a_store_is_full_for_the_failure_that_emptied_the_cache() {
    let forget = json!({ "try": { "do": [call("p")], "on_failure": [{ "invalidate": { "cache": "c" } }] } });
    let nodes = json!({
        "u": { "kind": "client" },
        "s": { "kind": "service", "routes": { "r": [{ "read": { "store": "d", "cache": "c" } }, forget] } },
        "c": { "kind": "cache", "warm": true },
        "p": { "kind": "service", "routes": { "r": [work(1.0)] } },
        "d": {
            "kind": "store", "readers": 1, "rows": 1,
            "read": { "dist": "constant", "value_ms": 50 }, "write": { "dist": "constant", "value_ms": 50 }
        }
    });
    let mut run = run(document(&[900.0, 1100.0, 2100.0, 2110.0], nodes, ("p", json!({ "kind": "down" }), 1.0, 2.0)));
    leads_elsewhere(&mut run, 1);
    leads_to_the_fault(&mut run, 4);
}

#[test]
fn a_failure_that_a_cache_kept_leads_to_what_failed() {
    let nodes = json!({
        "u": { "kind": "client" },
        "s": { "kind": "service", "routes": { "r": [{ "cached": { "cache": "c", "load": [call("p")] } }] } },
        "c": { "kind": "cache", "ttl_s": 1, "failure_ttl_s": 2 },
        "p": { "kind": "service", "routes": { "r": [work(10.0)] } }
    });
    let errors = ("p", json!({ "kind": "errors", "ratio": 1 }), 1.0, 1.2);
    let mut run = run(document(&[1050.0, 1500.0], nodes, errors));
    leads_to_the_fault(&mut run, 1);
    leads_to_the_fault(&mut run, 2);
}

/// All instances of a batch start beside the old ones.
#[test]
fn every_instance_of_a_batch_leads_to_the_rollout() {
    let nodes = json!({
        "u": { "kind": "client" },
        "s": { "kind": "service", "replicas": 3, "life": { "start_s": 0.5 }, "routes": { "r": [work(10.0)] } }
    });
    let none = ("s-1", json!({ "kind": "slow", "factor": 2 }), 9.0, 9.5);
    let mut document = document(&[2000.0, 2100.0, 2200.0], nodes, none);
    document["rollouts"] = json!({ "x": {
        "node": "s", "from_s": 1, "batch": 3, "surge": true, "effect": { "kind": "errors", "ratio": 1 }
    } });
    let mut run = run(document);
    for request in 1..=3 {
        let chain = chain(&mut run, request);
        assert!(matches!(chain.last(), Some(What::RolloutBegan { .. })), "#{request}: {chain:#?}");
    }
}
