//! One thing taken out at a time: which part of a system does what.

use super::Case;
use crate::scenario::{Document, fields};
use serde_json::{Value, json};

/// Most cases of a kind: more are no list that one could read.
const MOST: usize = 24;

/// What of a call may be taken out, with its name for people.
const OF_A_CALL: [(&str, &str); 7] = [
    ("retry", "retries"),
    ("breaker", "circuit breaker"),
    ("hedging", "hedging"),
    ("throttle", "client-side throttle"),
    ("outlier_detection", "outlier detection"),
    ("health_check", "health checks"),
    ("timeout_ms", "timeout"),
];

/// The same of a node.
const OF_A_NODE: [(&str, &str); 6] = [
    ("rate_limit", "rate limit"),
    ("admission", "admission control"),
    ("bulkheads", "bulkheads"),
    ("max_waiting", "bound of the line"),
    ("stale_if_error_s", "stale copies"),
    ("single_flight", "shared loads"),
];

/// The scenario as `base` has it, its other variants, and `base` without each fault, each workload (of several), each policy.
#[inline]
pub fn without(document: &Document, base: &Case) -> Vec<Case> {
    let Ok(patched) = document.patched(&base.variant, &base.changes) else { return Vec::new() };
    let mut cases = vec![Case { label: "as it is".into(), ..base.clone() }];
    for variant in document.variants().into_iter().filter(|variant| *variant != base.variant) {
        let label = format!("variant {variant}: {}", document.variant_title(&variant));
        cases.push(Case { label, variant, changes: base.changes.clone() });
    }
    let json = patched.json();
    for (id, fault) in fields(json, "faults") {
        cases.push(base.without(format!("without “{}”", title(id, fault)), format!("faults.{id}")));
    }
    if fields(json, "workloads").count() > 1 {
        for (id, _) in fields(json, "workloads") {
            cases.push(base.without(format!("without the traffic “{id}”"), format!("workloads.{id}")));
        }
    }
    for (id, node) in fields(json, "nodes") {
        for (field, name) in OF_A_NODE.iter().filter(|(field, _)| node.get(field).is_some()) {
            let label = format!("without {name}, {}", title(id, node));
            cases.push(base.without(label, format!("nodes.{id}.{field}")));
        }
        for (to, call) in fields(node, "calls") {
            for (field, name) in OF_A_CALL.iter().filter(|(field, _)| call.get(field).is_some()) {
                let label =
                    format!("without {name}, {} to {}", title(id, node), title(to, &json["nodes"][to.as_str()]));
                cases.push(base.without(label, format!("nodes.{id}.calls.{to}.{field}")));
            }
        }
    }
    cases.truncate(MOST);
    cases
}

/// `base` without its faults, and then with each node that serves down for the middle third of the run.
#[inline]
pub fn nodes_down(document: &Document, base: &Case) -> Vec<Case> {
    let Ok(patched) = document.patched(&base.variant, &base.changes) else { return Vec::new() };
    let json = patched.json();
    let calm = calm(base);
    let third = json["duration_s"].as_f64().unwrap_or_default() / 3.0;
    let mut cases = vec![Case { label: "all parts up".into(), ..calm.clone() }];
    for (id, node) in fields(json, "nodes").filter(|(_, node)| node["kind"] != "client") {
        let replicas = node["replicas"].as_u64().unwrap_or(1);
        let (name, node) = match replicas > 1 {
            true => (format!("one of {replicas} × {}", title(id, node)), format!("{id}-1")),
            false => (title(id, node), id.clone()),
        };
        let down = json!({ "node": node, "effect": { "kind": "down" }, "from_s": third, "to_s": 2.0 * third });
        cases.push(calm.with(format!("{name} down"), "faults", json!({ "study": down })));
    }
    cases.truncate(MOST);
    cases
}

/// `base` without its faults.
#[inline]
pub(super) fn calm(base: &Case) -> Case {
    base.with("without faults", "faults", json!({}))
}

/// What people call something.
#[inline]
pub(super) fn title(id: &str, value: &Value) -> String {
    value["title"].as_str().unwrap_or(id).to_string()
}
