//! Rate limiters that programs ask, through the ordinary engine: shared and single counters, costs, lockouts, penalties, and
//! what becomes of a service whose store of counters is away.

use sandbox_core::Run;
use sandbox_core::metrics::Signal;
use sandbox_core::scenario::Document;
use sandbox_core::trace::{Refusal, What};
use serde_json::{Value, json};
use std::sync::Arc;

fn merged(mut base: Value, with: Value) -> Value {
    base.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    base
}

/// Users send `arrivals` to `api`, which does `steps` and has the limiter `quota`.
fn document(service: Value, steps: Value, arrivals: Value, more: Value) -> Document {
    let service = merged(json!({ "kind": "service", "routes": { "GET /": steps } }), service);
    let base = json!({
        "format_version": 1, "id": "limiters", "title": "Limiters", "seed": 7, "duration_s": 60,
        "nodes": { "users": { "kind": "client", "calls": { "api": { "balancer": { "policy": "round_robin" } } } },
            "api": service },
        "workloads": { "load": { "client": "users", "target": "api", "keys": 10, "users": 1, "arrivals": arrivals,
            "to_s": 60, "routes": { "GET /": { "weight": 1, "op": "read" } } } }
    });
    Document::from_json(merged(base, more))
}

fn run(document: &Document) -> Run {
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    run
}

fn sum(run: &Run, signal: &str) -> f64 {
    Signal::new(run.plan(), signal, &[]).unwrap().reduce(run.plan(), run.folds(), None, None).unwrap().unwrap()
}

fn constant(rate_rps: u32) -> Value {
    json!({ "process": "constant", "rate_rps": rate_rps })
}

fn window(limit: u32) -> Value {
    json!({ "algorithm": "fixed_window", "limit": limit, "window_s": 1 })
}

#[test]
fn instances_share_the_counters_unless_each_counts_alone() {
    let passed = |per_instance: bool| {
        let quota = merged(window(10), json!({ "per_instance": per_instance }));
        let service = json!({ "replicas": 4, "limiters": { "quota": quota } });
        let run = run(&document(service, json!([{ "limit": { "limiter": "quota" } }]), constant(100), json!({})));
        sum(&run, "http_goodput_total")
    };
    assert_eq!(passed(false), 600.0, "10 in each of 60 windows");
    assert_eq!(passed(true), 2_400.0, "that of each of four instances");
}

#[test]
fn costs_and_keys_are_expressions() {
    // A request costs its key plus one, and the two halves of the keys have limits of their own.
    let steps = json!([{ "limit": { "limiter": "quota", "by": "floor(key / 5)", "cost": "key + 1" } }]);
    let service = json!({ "limiters": { "quota": window(30) } });
    let mut run = run(&document(service, steps, constant(200), json!({})));
    let mut used = vec![[0u32; 2]; 60];
    let mut refused = 0;
    let records: Vec<_> = run.records(0..u32::MAX).iter().map(|logged| logged.record).collect();
    let key_of = |request| {
        records.iter().find_map(|record| match record.what {
            What::Intended { key, .. } if record.request == request => Some(key),
            _ => None,
        })
    };
    for record in &records {
        match record.what {
            What::Answered { outcome, .. } if outcome.is_success() => {
                let key = key_of(record.request).unwrap();
                used[record.at.as_seconds() as usize][key as usize / 5] += key + 1;
            }
            What::Answered { .. } => refused += 1,
            _ => {}
        }
    }
    assert!(refused > 6_000, "{refused}");
    for second in used {
        // What is left is less than the dearest request of that half, or it would have passed.
        assert!((26..=30).contains(&second[0]) && (21..=30).contains(&second[1]), "{second:?}");
    }
}

/// Log-ins of one account, one a second, of which the first nine have the wrong password.
fn log_ins(penalty: Value) -> Run {
    let lockout = merged(json!({ "algorithm": "sliding_log", "limit": 3, "window_s": 60 }), penalty);
    let steps = json!([
        { "limit": { "limiter": "lockout", "by": "user", "cost": "0" } },
        { "if": { "when": "now_s < 10", "then": [
            { "limit": { "limiter": "lockout", "by": "user" } }, { "respond": { "status": 401 } }
        ] } }
    ]);
    run(&document(json!({ "limiters": { "lockout": lockout } }), steps, constant(1), json!({})))
}

#[test]
fn an_account_is_locked_for_its_time_after_too_many_wrong_passwords() {
    // Three wrong ones at 1, 2 and 3 s pass the limit, the one at 4 s locks until 24 s: 20 log-ins are refused.
    let locked = log_ins(json!({ "penalty": { "for_s": 20 } }));
    assert_eq!([sum(&locked, "http_401_total"), sum(&locked, "http_429_total")], [3.0, 20.0]);
    assert_eq!(sum(&locked, "http_goodput_total"), 36.0, "the right password from 24 s on");
    // Without a lockout it is a limit of guesses only, and the owner comes in at 10 s.
    let limited = log_ins(json!({}));
    assert_eq!([sum(&limited, "http_401_total"), sum(&limited, "http_429_total")], [3.0, 6.0]);
    assert_eq!(sum(&limited, "http_goodput_total"), 50.0);
    // If every attempt begins it anew, the owner locks himself out for good.
    let banned = log_ins(json!({ "penalty": { "for_s": 20, "extends": true } }));
    assert_eq!(sum(&banned, "http_goodput_total"), 0.0);
}

#[test]
fn a_refusal_under_a_penalty_leads_back_to_the_one_that_began_it() {
    let mut run = log_ins(json!({ "penalty": { "for_s": 20 } }));
    let records: Vec<_> = run.records(0..u32::MAX).iter().map(|logged| logged.record).collect();
    let is_refusal = |what: &What| *what == What::Refused { refusal: Refusal::RateLimited };
    let refusals: Vec<_> = records.iter().filter(|record| is_refusal(&record.what)).collect();
    for pair in refusals.windows(2) {
        assert_eq!(pair[1].cause, Some(pair[0].seq));
    }
    assert!(refusals[0].cause.is_some_and(|cause| !is_refusal(&records[cause.number() as usize].what)));
}

#[test]
fn a_leaky_queue_in_a_program_lets_requests_through_at_its_rate() {
    let quota = json!({ "algorithm": "leaky_queue", "rate_rps": 10, "burst": 20 });
    let steps = json!([{ "limit": { "limiter": "quota" } }]);
    let at_once = json!({ "process": "recorded", "at_ms": vec![0; 40] });
    let run = run(&document(json!({ "limiters": { "quota": quota } }), steps, at_once, json!({})));
    assert_eq!([sum(&run, "http_goodput_total"), sum(&run, "http_429_total")], [21.0, 19.0]);
    let slowest = Signal::new(run.plan(), "http_request_duration_seconds", &[]).unwrap();
    let slowest = slowest.reduce(run.plan(), run.folds(), Some(sandbox_core::scenario::Reduced::Max), None);
    assert!((slowest.unwrap().unwrap() - 2.0).abs() < 0.01, "the last of 20 waits for 20 tenths of a second");
}

/// `api` asks a service of counters, which is away from 20 s to 40 s; `steps` say what then.
fn with_counters(on_failure: Value) -> Run {
    let ask =
        json!([{ "try": { "do": [{ "call": { "to": "counters", "route": "take" } }], "on_failure": on_failure } }]);
    let counters = json!({ "kind": "service", "limiters": { "quota": window(10) },
        "routes": { "take": [{ "limit": { "limiter": "quota" } }] } });
    let mut document =
        json!({ "faults": { "away": { "node": "counters", "effect": { "kind": "down" }, "from_s": 20, "to_s": 40 } } });
    document["nodes"] = json!({ "users": { "kind": "client" }, "counters": counters,
        "api": { "kind": "service", "routes": { "GET /": ask } } });
    run(&self::document(json!({}), json!([]), constant(100), document))
}

#[test]
fn a_limiter_fails_open_or_closed_as_its_caller_says() {
    let passed = |on_failure| sum(&with_counters(on_failure), "http_goodput_total");
    let too_many = json!({ "respond": { "status": 429 } });
    let closed = passed(json!([too_many]));
    assert_eq!(closed, 400.0, "10 a second while the counters are there, none while not");
    let open = passed(json!([{ "if": { "when": "status == 429", "then": [too_many] } }]));
    assert_eq!(open, 400.0 + 2_000.0, "while the counters are away everybody passes");
}

#[test]
fn what_is_wrong_with_a_limiter_is_said_with_its_place() {
    let quota = json!({ "algorithm": "gcra", "rate_rps": 5, "penalty": { "for_s": 0 } });
    let service = json!({ "limiters": { "quota": quota, "spare": window(1) } });
    let steps = json!([{ "limit": { "limiter": "quota", "by": "who", "cost": "key < 3" } }, { "limit": { "limiter": "qouta" } }]);
    let problems = document(service, steps, constant(1), json!({})).plan("A", &[]).unwrap_err();
    let at = |path: &str| problems.iter().any(|problem| problem.path == path);
    let quota = "nodes.api.limiters.quota";
    assert!(at(quota) && at(&format!("{quota}.penalty.for_s")), "{problems:#?}");
    let steps = "nodes.api.routes.GET /";
    for place in ["0.limit.by", "0.limit.cost", "1.limit.limiter"] {
        assert!(at(&format!("{steps}.{place}")), "{place}: {problems:#?}");
    }
    assert!(at("nodes.api.limiters.spare"), "{problems:#?}");

    let gateway = json!({ "nodes": { "users": { "kind": "client" }, "api": { "kind": "service", "routes": { "GET /": [] } },
        "edge": { "kind": "gateway", "upstream": "api", "rate_limit": merged(window(1), json!({ "per_instance": true })) } } });
    let mut document = document(json!({}), json!([]), constant(1), gateway).json().clone();
    document["workloads"]["load"]["target"] = json!("edge");
    let problems = Document::from_json(document).plan("A", &[]).unwrap_err();
    assert_eq!(
        problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(),
        ["nodes.edge.rate_limit.per_instance"]
    );
}
