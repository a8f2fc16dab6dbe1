//! Limits by address, through the ordinary engine: what headers of its own making gain an attacker, and who pays for it.

use sandbox_core::Run;
use sandbox_core::metrics::Signal;
use sandbox_core::scenario::Document;
use serde_json::{Value, json};
use std::sync::Arc;

/// People with 50 requests a second from 50 addresses, and a script with 100 a second from one that makes up others, reach
/// `edge` by a load balancer. It lets each key have 5 a second.
fn document(limit: Value) -> Document {
    let mut rate_limit = json!({ "rate_rps": 5, "burst": 5 });
    rate_limit.as_object_mut().unwrap().extend(limit.as_object().unwrap().clone());
    let workload = |client: &str, users: u32, rate_rps: f64, spoofed: bool| {
        json!({ "client": client, "target": "balancer", "keys": 1, "users": users, "spoofed_forwarded_for": spoofed,
            "arrivals": { "process": "poisson", "rate_rps": rate_rps }, "routes": { "GET /": { "weight": 1, "op": "read" } } })
    };
    Document::from_json(json!({
        "format_version": 1, "id": "addresses", "title": "Addresses", "seed": 7, "duration_s": 60,
        "nodes": {
            "people": { "kind": "client" }, "script": { "kind": "client" },
            "balancer": { "kind": "gateway", "upstream": "edge" },
            "edge": { "kind": "gateway", "upstream": "api", "rate_limit": rate_limit },
            "api": { "kind": "service", "routes": { "GET /": [] } }
        },
        "workloads": { "people": workload("people", 50, 50.0, false), "script": workload("script", 1, 100.0, true) }
    }))
}

/// The shares of the people's requests and of the script's that are refused.
fn refused(limit: Value) -> (f64, f64) {
    let plan = document(limit).plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    assert!(run.advance(u32::MAX));
    let share = |client: &str| {
        let signal =
            Signal::new(run.plan(), "http_error_ratio", &[("client".to_string(), client.to_string())]).unwrap();
        signal.reduce(run.plan(), run.folds(), None, None).unwrap().unwrap()
    };
    (share("people"), share("script"))
}

#[test]
fn the_leftmost_address_is_the_attackers_to_choose() {
    assert_eq!(refused(json!({ "key": "forwarded_for" })), (0.0, 0.0), "every request has a bucket of its own");
}

#[test]
fn behind_a_proxy_the_peer_is_the_proxy_and_everybody_pays() {
    let (people, script) = refused(json!({ "key": "peer" }));
    assert!(people > 0.9 && script > 0.9, "{people} {script}: all share one bucket");
    assert_eq!(refused(json!({ "key": "client_address" })), (people, script), "who trusts nobody sees the peer alone");
}

#[test]
fn the_rightmost_untrusted_address_is_the_scripts_own() {
    let (people, script) = refused(json!({ "key": "client_address", "trusted_proxies": ["10.0.0.0/8"] }));
    assert!(people < 0.01 && script > 0.94, "{people} {script}");
    // Who trusts the users' block as well lets the script choose again.
    let gullible = json!({ "key": "client_address", "trusted_proxies": ["10.0.0.0/8", "11.0.0.0/8"] });
    assert_eq!(refused(gullible).1, 0.0);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let limit = json!({ "key": "peer", "trusted_proxies": ["10.0.0.0/8", "everybody"] });
    let problems = document(limit).plan("A", &[]).expect_err("it makes no sense");
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["nodes.edge.rate_limit.trusted_proxies", "nodes.edge.rate_limit.trusted_proxies.1"]);
}
