//! What a cache forgets, refuses and keeps, and whose copies are whose, through the ordinary engine.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::trace::{CacheResult, Record, Status, What};
use serde_json::{Value, json};
use std::sync::Arc;

/// A service of `replicas` that loads a row for 50 ms into a cache, changed by `cache`, and one that invalidates it.
fn records(cache: Value, replicas: u32, reads_ms: &[f64], writes_ms: &[f64], faults: Value) -> Vec<(String, Record)> {
    let mut copies = json!({ "kind": "cache", "ttl_s": null });
    copies.as_object_mut().unwrap().extend(cache.as_object().unwrap().clone());
    let load = json!([
        { "call": { "to": "origin" } },
        { "wait": { "dist": "constant", "value_ms": 50 } }
    ]);
    let workload = |route: &str, at_ms: &[f64]| {
        // Whoever writes nothing writes when all is over.
        let at_ms = if at_ms.is_empty() { &[9_000.0] } else { at_ms };
        json!({ "client": "users", "target": "api", "keys": 1, "users": 1,
            "arrivals": { "process": "recorded", "at_ms": at_ms }, "routes": { route: { "weight": 1, "op": "read" } } })
    };
    let document = Document::from_json(json!({
        "format_version": 1, "id": "invalidation", "title": "Invalidation", "seed": 7, "duration_s": 10,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": { "balancer": { "policy": "round_robin" } } } },
            "api": { "kind": "service", "replicas": replicas, "routes": {
                "read": [{ "cached": { "cache": "copies", "load": load } }],
                "write": [{ "invalidate": { "cache": "copies" } }]
            } },
            "origin": { "kind": "service", "routes": { "read": [] } },
            "copies": copies
        },
        "workloads": { "reads": workload("read", reads_ms), "writes": workload("write", writes_ms) },
        "faults": faults
    }));
    let plan = Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}")));
    let mut run = Run::new(plan.clone());
    assert!(run.advance(u32::MAX));
    let records = run.records(0..u32::MAX);
    records.iter().map(|logged| (plan.nodes[logged.record.node.index()].id.clone(), logged.record)).collect()
}

/// What each look-up found.
fn found(records: &[(String, Record)]) -> Vec<CacheResult> {
    let result = |(_, record): &(String, Record)| match record.what {
        What::CacheAsked { result, .. } => Some(result),
        _ => None,
    };
    records.iter().filter_map(result).collect()
}

fn count(records: &[(String, Record)], of: impl Fn(&What) -> bool) -> usize {
    records.iter().filter(|(_, record)| of(&record.what)).count()
}

use CacheResult::{Failure, Fresh, Miss};

#[test]
fn an_invalidation_is_the_end_of_a_copy() {
    let run = records(json!({}), 1, &[0.0, 100.0, 300.0], &[200.0], json!({}));
    assert_eq!(found(&run), [Miss, Fresh, Miss]);
}

#[test]
fn a_lease_refuses_what_was_looked_up_before_an_invalidation() {
    for (leases, results, refused) in [(false, vec![Miss, Fresh], 0), (true, vec![Miss, Miss], 1)] {
        let run = records(json!({ "leases": leases }), 1, &[0.0, 100.0], &[20.0], json!({}));
        assert_eq!(found(&run), results, "leases: {leases}");
        assert_eq!(count(&run, |what| matches!(what, What::CacheRefused { .. })), refused);
    }
    // What was looked up at the instant of the invalidation, or after it, is new enough only after it.
    let run = records(json!({ "leases": true }), 1, &[0.0, 30.0, 200.0], &[20.0], json!({}));
    assert_eq!(
        (found(&run), count(&run, |what| matches!(what, What::CacheRefused { .. }))),
        (vec![Miss, Miss, Fresh], 1)
    );
}

#[test]
fn a_failure_is_kept_for_its_time() {
    let bad = json!({ "blip": { "node": "origin", "effect": { "kind": "down" }, "from_s": 0, "to_s": 0.05 } });
    let at_ms = [0.0, 200.0, 900.0, 1100.0];
    for (cache, results) in [
        (json!({}), vec![Miss, Miss, Fresh, Fresh]),
        (json!({ "failure_ttl_s": 1 }), vec![Miss, Failure, Failure, Miss]),
    ] {
        let run = records(cache, 1, &at_ms, &[], bad.clone());
        assert_eq!(found(&run), results);
        // Whoever gets a kept failure gets it as the origin gave it.
        let failed = results.iter().filter(|result| **result == Failure).count() + 1;
        let unavailable = |(node, record): &&(String, Record)| {
            node == "api" && matches!(record.what, What::Replied { status: Status::Unavailable, .. })
        };
        assert_eq!(run.iter().filter(unavailable).count(), failed);
    }
}

#[test]
fn local_copies_belong_to_the_instance_that_loaded_them() {
    let at_ms: Vec<f64> = (0..6).map(|n| f64::from(n) * 100.0).collect();
    assert_eq!(found(&records(json!({}), 3, &at_ms, &[], json!({}))), [Miss, Fresh, Fresh, Fresh, Fresh, Fresh]);
    let run = records(json!({ "local": true }), 3, &at_ms, &[], json!({}));
    assert_eq!(found(&run), [Miss, Miss, Miss, Fresh, Fresh, Fresh]);
    // An instance that invalidates forgets its own copy only: the seventh call is the first one's.
    let run = records(json!({ "local": true }), 3, &[0.0, 100.0, 200.0, 400.0, 500.0, 600.0], &[300.0], json!({}));
    assert_eq!(found(&run), [Miss, Miss, Miss, Fresh, Fresh, Miss]);
}

#[test]
fn a_cache_in_memory_comes_back_empty() {
    let down = json!({ "restart": { "node": "copies", "effect": { "kind": "down" }, "from_s": 0.5, "to_s": 0.6 } });
    let at_ms = [0.0, 100.0, 700.0, 800.0];
    let of = |durable: bool| found(&records(json!({ "durable": durable }), 1, &at_ms, &[], down.clone()));
    assert_eq!(of(true), [Miss, Fresh, Fresh, Fresh]);
    assert_eq!(of(false), [Miss, Fresh, Miss, Fresh]);
}
