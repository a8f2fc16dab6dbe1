//! Policies against overload and bad instances, through the ordinary engine: admission control, adaptive lines, outlier
//! detection, balancing by weight, latency and key.

use sandbox_core::Run;
use sandbox_core::metrics::Signal;
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::trace::{Refusal, Status, What};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A service that works 10 ms on each call, changed by `service`, called as `call` says, under `load`, for ten seconds.
fn run(service: Value, call: Value, load: Value, faults: Value) -> Run {
    let mut api = json!({
        "kind": "service", "workers": 1,
        "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 10 } } ] }
    });
    api.as_object_mut().unwrap().extend(service.as_object().unwrap().clone());
    let document = Document::from_json(json!({
        "format_version": 1, "id": "overload", "title": "Overload", "seed": 7, "duration_s": 10,
        "nodes": { "users": { "kind": "client", "calls": { "api": call } }, "api": api },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 100, "users": 10, "arrivals": load,
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "faults": faults
    }));
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    run
}

/// Of each request that was answered: when it was sent, in seconds, how it ended, and after how many milliseconds.
fn answers(run: &mut Run) -> Vec<(f64, Status, f64)> {
    let mut sent = BTreeMap::new();
    let mut answers = Vec::new();
    for logged in run.records(0..u32::MAX) {
        let (request, at) = (logged.record.request, logged.record.at);
        match logged.record.what {
            What::Intended { .. } => {
                sent.insert(request, at);
            }
            What::Received { status } => {
                answers.push((sent[&request].since(Time::ZERO).as_seconds(), status, at.since(sent[&request]).as_ms()));
            }
            _ => {}
        }
    }
    answers
}

fn shed(run: &mut Run) -> usize {
    let is_shed = |what: What| what == What::Refused { refusal: Refusal::Shed };
    run.records(0..u32::MAX).iter().filter(|logged| is_shed(logged.record.what)).count()
}

/// Calls that reached each instance.
fn shares(run: &mut Run) -> BTreeMap<String, u32> {
    let plan = run.plan().clone();
    let mut shares = BTreeMap::new();
    for logged in run.records(0..u32::MAX) {
        if let What::Arrived { .. } = logged.record.what {
            *shares.entry(plan.nodes[logged.record.node.index()].id.clone()).or_default() += 1;
        }
    }
    shares
}

fn paced(gap_ms: f64) -> Value {
    json!({ "process": "paced", "gap_ms": gap_ms })
}

fn poisson(rate_rps: f64) -> Value {
    json!({ "process": "poisson", "rate_rps": rate_rps })
}

#[test]
fn a_limit_lets_so_many_in_and_sheds_the_rest_at_once() {
    let load = json!({ "process": "recorded", "at_ms": vec![1.0; 50] });
    let mut run =
        run(json!({ "admission": { "algorithm": "max_in_flight", "limit": 10 } }), json!({}), load, json!({}));
    let answers = answers(&mut run);
    let served: Vec<f64> = answers.iter().filter(|answer| answer.1 == Status::Ok).map(|answer| answer.2).collect();
    assert_eq!(served, (1..=10).map(|turn| f64::from(turn) * 10.0).collect::<Vec<_>>());
    let refused: Vec<f64> = answers.iter().filter(|answer| answer.1 != Status::Ok).map(|answer| answer.2).collect();
    assert_eq!(refused, [0.0; 40]);
    assert_eq!(shed(&mut run), 40);
    assert_eq!(run.head().observe().in_flight, 0);
}

/// Twice as much as it can do: without admission control the last waits for seconds; CoDel keeps the line short, and the
/// worker busy.
/// Three workloads overload a service together: each class is let in while fewer than its own limit are inside.
#[test]
fn the_least_critical_are_shed_first() {
    let load = |client: &str, priority: u8| {
        json!({ "client": client, "target": "api", "keys": 10, "users": 1, "priority": priority,
            "arrivals": poisson(60.0), "routes": { "GET /": { "weight": 1, "op": "read" } } })
    };
    let document = Document::from_json(json!({
        "format_version": 1, "id": "overload", "title": "Overload", "seed": 7, "duration_s": 60,
        "nodes": {
            "people": { "kind": "client" }, "jobs": { "kind": "client" }, "crawler": { "kind": "client" },
            "api": { "kind": "service", "workers": 1,
                "admission": { "algorithm": "priority_shedding", "critical_plus": 20, "critical": 20, "sheddable_plus": 10,
                    "sheddable": 4 },
                "routes": { "GET /": [ { "work": { "dist": "exponential", "mean_ms": 10 } } ] } }
        },
        "workloads": { "first": load("people", 1), "third": load("jobs", 3), "fourth": load("crawler", 4) }
    }));
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    let ratio = |name: &str| {
        let labels = [("workload".to_string(), name.to_string())];
        let signal = Signal::new(run.plan(), "http_error_ratio", &labels).unwrap();
        signal.reduce(run.plan(), run.folds(), None, None).unwrap().unwrap()
    };
    // 180 a second for 100: of the last 60 hardly anybody comes through, of the first everybody.
    let (first, third, fourth) = (ratio("first"), ratio("third"), ratio("fourth"));
    assert!(first < 0.01 && first < third && third < fourth && fourth > 0.8, "{first} {third} {fourth}");
    let api = run.plan().node("api").unwrap();
    let mut inside = BTreeSet::new();
    for record in run.records(0..u32::MAX).iter().map(|logged| logged.record).filter(|record| record.node == api) {
        match record.what {
            What::Arrived { .. } => {
                inside.insert(record.request);
            }
            What::Replied { .. } => {
                inside.remove(&record.request);
            }
            What::Refused { refusal: Refusal::Shed } => assert!(inside.len() > 4),
            _ => {}
        }
        assert!(inside.len() <= 21, "twenty, and whoever is just turned away");
    }
}

#[test]
fn codel_keeps_a_standing_line_short() {
    let worst = |admission: Value| {
        let mut run = run(json!({ "admission": admission }), json!({}), poisson(200.0), json!({}));
        let served = answers(&mut run).into_iter().filter(|(_, status, _)| *status == Status::Ok);
        let served: Vec<(f64, f64)> = served.map(|(sent_s, _, took_ms)| (sent_s, took_ms)).collect();
        let late = served.iter().filter(|(sent_s, _)| *sent_s > 4.0).map(|(_, took_ms)| *took_ms);
        (late.fold(0.0, f64::max), served.len())
    };
    let (without, _) = worst(Value::Null);
    let (codel, completed) = worst(json!({ "algorithm": "codel" }));
    let (folly, _) = worst(json!({ "algorithm": "codel_folly" }));
    assert!(without > 4_000.0, "{without} ms");
    assert!(codel < without / 2.0, "{codel} ms");
    assert!(folly < 150.0, "{folly} ms");
    assert!((900..=1_001).contains(&completed), "{completed} of 1,000 that are possible");
}

#[test]
fn adaptive_limits_keep_most_of_the_throughput_and_end_the_waiting() {
    for (algorithm, worst_ms) in [("aimd", 1_000.0), ("vegas", 700.0), ("gradient2", 1_000.0)] {
        let mut run =
            run(json!({ "admission": { "algorithm": algorithm, "max": 50 } }), json!({}), poisson(200.0), json!({}));
        let answers = answers(&mut run);
        let served: Vec<f64> = answers.iter().filter(|answer| answer.1 == Status::Ok).map(|answer| answer.2).collect();
        let worst = served.iter().copied().fold(0.0, f64::max);
        assert!(served.len() > 900, "{algorithm}: {} served", served.len());
        assert!(worst < worst_ms, "{algorithm}: {worst} ms");
        assert!(shed(&mut run) > 700, "{algorithm}: {} shed", shed(&mut run));
    }
}

#[test]
fn an_adaptive_line_turns_round_while_it_is_long() {
    let load = json!({ "process": "recorded", "at_ms": [0, 1, 2, 3, 4, 5] });
    let service = json!({ "discipline": "adaptive_lifo", "lifo_above": 2 });
    let mut answers = answers(&mut run(service, json!({}), load, json!({})));
    answers.sort_by(|a, b| (a.0 * 1e3 + a.2).total_cmp(&(b.0 * 1e3 + b.2)));
    let order: Vec<u32> = answers.iter().map(|(sent_s, ..)| (sent_s * 1e3).round() as u32).collect();
    assert_eq!(order, [0, 5, 4, 3, 1, 2]);
}

/// One of four instances fails everything. After three failures it is out for 2 s and comes back at the next whole second;
/// then it fails three times again and is out for 4 s.
#[test]
fn an_outlier_is_left_out_for_longer_each_time() {
    let service = json!({ "replicas": 4, "workers": 10 });
    let call = json!({
        "balancer": { "policy": "round_robin" },
        "outlier_detection": { "consecutive_5xx": 3, "base_ejection_s": 2, "interval_s": 1, "max_ejection_percent": 25 }
    });
    let faults =
        json!({ "sick": { "node": "api-2", "effect": { "kind": "errors", "ratio": 1.0 }, "from_s": 0.5, "to_s": 10 } });
    let mut run = run(service, call, paced(20.0), faults);
    let failed: Vec<f64> =
        answers(&mut run).iter().filter(|answer| answer.1 != Status::Ok).map(|answer| answer.0).collect();
    assert_eq!(failed.len(), 9, "{failed:?}");
    let mut changes = Vec::new();
    for logged in run.records(0..u32::MAX) {
        let at_s = logged.record.at.since(Time::ZERO).as_seconds();
        match logged.record.what {
            What::InstanceEjected { .. } => changes.push(("out", at_s)),
            What::InstanceRestored { .. } => changes.push(("back", at_s)),
            _ => {}
        }
    }
    let kinds: Vec<&str> = changes.iter().map(|change| change.0).collect();
    assert_eq!(kinds, ["out", "back", "out", "back", "out"]);
    let times: Vec<f64> = changes.iter().map(|change| change.1).collect();
    assert!((0.5..0.8).contains(&times[0]) && times[1] == 3.0, "{times:?}");
    assert!((3.0..3.3).contains(&times[2]) && times[3] == 8.0, "{times:?}");
}

#[test]
fn weights_are_exact_and_a_key_stays_with_its_instance() {
    let service = json!({ "replicas": 3, "workers": 10 });
    let weighted = json!({ "balancer": { "policy": "weighted_round_robin", "weights": [5, 1, 2] } });
    let mut by_weight = run(service.clone(), weighted, paced(12.5), json!({}));
    let shares = shares(&mut by_weight);
    assert_eq!([shares["api-1"], shares["api-2"], shares["api-3"]], [501, 100, 200]);

    let mut by_key = run(service, json!({ "balancer": { "policy": "ring_hash" } }), paced(5.0), json!({}));
    let (mut keys, mut homes) = (BTreeMap::new(), BTreeMap::<u32, BTreeSet<u16>>::new());
    for logged in by_key.records(0..u32::MAX) {
        match logged.record.what {
            What::Intended { key, .. } => {
                keys.insert(logged.record.request, key);
            }
            What::Called { to, .. } => {
                homes.entry(keys[&logged.record.request]).or_default().insert(to.0);
            }
            _ => {}
        }
    }
    assert!(homes.len() > 90 && homes.values().all(|instances| instances.len() == 1), "{homes:?}");
    assert_eq!(homes.values().flatten().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn a_step_that_names_a_key_is_balanced_by_that_key() {
    for policy in ["modulo", "ring_hash"] {
        let reached = |key: Value| {
            let mut run = crate::asked::run(json!({
                "format_version": 1, "id": "keys", "title": "Keys", "seed": 1, "duration_s": 10,
                "nodes": {
                    "users": { "kind": "client" },
                    "front": {
                        "kind": "service", "routes": { "a": [{ "call": { "to": "shard", "key": key } }] },
                        "calls": { "shard": { "balancer": { "policy": policy } } }
                    },
                    "shard": {
                        "kind": "service", "replicas": 4, "routes": { "a": [{ "work": { "dist": "constant", "value_ms": 1 } }] }
                    }
                },
                "workloads": { "w": {
                    "client": "users", "target": "front", "keys": 1000, "users": 10, "arrivals": poisson(100.0),
                    "routes": { "a": { "weight": 1, "op": "read" } }
                } }
            }));
            shares(&mut run).into_iter().filter(|(node, _)| node.starts_with("shard")).count()
        };
        assert_eq!([reached(json!("7")), reached(json!("key"))], [1, 4], "{policy}");
    }
}

#[test]
fn a_database_is_as_busy_as_its_connections() {
    let run = crate::asked::run(json!({
        "format_version": 1, "id": "busy", "title": "Busy", "seed": 1, "duration_s": 10,
        "nodes": {
            "users": { "kind": "client" },
            "api": { "kind": "service", "workers": 50, "routes": { "a": [{ "select": { "database": "db", "table": "t", "key": "key" } }] } },
            "db": {
                "kind": "database", "connections": 4, "read": { "dist": "constant", "value_ms": 1000 },
                "write": { "dist": "constant", "value_ms": 1000 }, "tables": { "t": { "rows": 10, "columns": { "n": 0 } } }
            }
        },
        "workloads": { "w": {
            "client": "users", "target": "api", "keys": 10, "users": 10, "arrivals": paced(50.0), "routes": { "a": { "weight": 1, "op": "read" } }
        } }
    }));
    let busy = crate::asked::value(&run, "utilization{node=db}.mean[5:10]");
    assert!((0.99..=1.0).contains(&busy), "{busy}");
}

#[test]
fn peak_ewma_avoids_the_slow_instance() {
    let service = json!({ "replicas": 3, "workers": 10 });
    let faults =
        json!({ "sick": { "node": "api-2", "effect": { "kind": "slow", "factor": 10 }, "from_s": 0, "to_s": 10 } });
    let share = |policy: Value| {
        let mut run = run(service.clone(), json!({ "balancer": policy }), poisson(100.0), faults.clone());
        let shares = shares(&mut run);
        f64::from(shares["api-2"]) / f64::from(shares.values().sum::<u32>())
    };
    assert!(share(json!({ "policy": "random" })) > 0.28);
    let share = share(json!({ "policy": "peak_ewma", "initial_ms": 10 }));
    assert!(share < 0.05, "{share}");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let problems = |service: Value, call: Value| {
        let mut api = json!({ "kind": "service", "workers": 1, "replicas": 2, "routes": { "GET /": [] } });
        api.as_object_mut().unwrap().extend(service.as_object().unwrap().clone());
        let document = Document::from_json(json!({
            "format_version": 1, "id": "overload", "title": "Overload", "seed": 7, "duration_s": 10,
            "nodes": { "users": { "kind": "client", "calls": { "api": call } }, "api": api },
            "workloads": { "load": {
                "client": "users", "target": "api", "keys": 1, "users": 1, "arrivals": paced(5.0),
                "routes": { "GET /": { "weight": 1, "op": "read" } }
            } }
        }));
        let found = document.plan("A", &[]).err().unwrap_or_default();
        found.iter().map(|problem| format!("{}: {}", problem.path, problem.what)).collect::<Vec<_>>().join("; ")
    };
    for (service, call, path) in [
        (json!({ "discipline": "adaptive_lifo" }), json!({}), "nodes.api.lifo_above: "),
        (
            json!({ "admission": { "algorithm": "codel", "interval_ms": 0 } }),
            json!({}),
            "nodes.api.admission.interval_ms: 0",
        ),
        (json!({ "admission": { "algorithm": "aimd", "min": 9, "max": 3 } }), json!({}), "nodes.api.admission: min 9"),
        (
            json!({}),
            json!({ "balancer": { "policy": "weighted_round_robin", "weights": [1] } }),
            "nodes.users.calls.api.balancer: 1 weights",
        ),
        (
            json!({}),
            json!({ "outlier_detection": { "consecutive_5xx": 0 } }),
            "nodes.users.calls.api.outlier_detection: ",
        ),
    ] {
        let found = problems(service, call);
        assert!(found.contains(path), "{path} not in {found}");
    }
}
