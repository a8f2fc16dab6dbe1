//! Forged tokens against gateways that check them well or badly, through the ordinary engine and real signatures.

use sandbox_core::Run;
use sandbox_core::metrics::Signal;
use sandbox_core::scenario::Document;
use serde_json::{Value, json};
use std::sync::Arc;

/// Users with good tokens and attackers of four kinds, 10 requests a second each, from 40 s on, reach `api` by `edge`.
fn document(auth: Value) -> Document {
    let mut whole = json!({ "leeway_s": 5, "work": { "dist": "constant", "value_ms": 0.1 } });
    whole.as_object_mut().unwrap().extend(auth.as_object().unwrap().clone());
    let mut workloads = json!({});
    let mut nodes = json!({
        "edge": { "kind": "gateway", "upstream": "api", "auth": whole },
        "api": { "kind": "service", "routes": { "GET /": [] } }
    });
    for kind in ["genuine", "alg_none", "public_key_as_secret", "expired", "wrong_audience"] {
        let mut workload = json!({ "client": kind.replace('_', "-"), "target": "edge", "keys": 1, "users": 20, "from_s": 40,
            "arrivals": { "process": "poisson", "rate_rps": 10 }, "routes": { "GET /": { "weight": 1, "op": "read" } } });
        if kind != "genuine" {
            workload["forged"] = json!(kind);
        }
        nodes[kind.replace('_', "-")] = json!({ "kind": "client" });
        workloads[kind] = workload;
    }
    Document::from_json(json!({ "format_version": 1, "id": "forged", "title": "Forged", "seed": 7, "duration_s": 60,
        "nodes": nodes, "workloads": workloads }))
}

/// Whose requests pass: all of them or none, or it panics.
fn passes(auth: Value) -> Vec<&'static str> {
    let plan = document(auth).plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    assert!(run.advance(u32::MAX));
    let share = |kind: &str| {
        let labels = [("workload".to_string(), kind.to_string())];
        let signal = Signal::new(run.plan(), "http_error_ratio", &labels).unwrap();
        signal.reduce(run.plan(), run.folds(), None, None).unwrap().unwrap()
    };
    let kinds = ["genuine", "alg_none", "public_key_as_secret", "expired", "wrong_audience"];
    kinds
        .into_iter()
        .filter(|kind| match share(kind) {
            0.0 => true,
            1.0 => false,
            some => panic!("{some} of {kind}"),
        })
        .collect()
}

#[test]
fn who_checks_everything_lets_in_the_genuine_alone() {
    assert_eq!(passes(json!({})), ["genuine"]);
}

#[test]
fn who_believes_the_header_lets_in_what_nobody_signed() {
    assert_eq!(passes(json!({ "trusts_header": true })), ["genuine", "alg_none", "public_key_as_secret"]);
}

#[test]
fn who_looks_at_the_signature_alone_lets_in_what_is_old_or_for_others() {
    assert_eq!(passes(json!({ "ignores_claims": true })), ["genuine", "expired", "wrong_audience"]);
    assert_eq!(passes(json!({ "ignores_claims": true, "trusts_header": true })).len(), 5);
}

#[test]
fn forging_what_nobody_checks_is_pointless() {
    let mut json = document(json!({})).json().clone();
    json["nodes"]["edge"].as_object_mut().unwrap().remove("auth");
    let problems = Document::from_json(json).plan("A", &[]).expect_err("nobody checks");
    assert_eq!(problems.len(), 4, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.path.ends_with(".forged")), "{problems:#?}");
}
