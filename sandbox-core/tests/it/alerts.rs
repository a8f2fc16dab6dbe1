//! Alert rules of monitors and the delivery of alerts, through the ordinary engine.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::timeline::incidents;
use sandbox_core::trace::{Record, What};
use serde_json::{Value, json};
use std::sync::Arc;

/// A request every 10 ms for two minutes, of which one in ten takes `slow_ms` from 60 s on; `api` observes 1 for every row
/// below 30 of 100 from 60 s on, else 0. If a monitor delivers by `pager`, that writes into `db` before it pages.
fn document(slow_ms: u32, monitors: Value, faults: Value) -> Document {
    let steps = json!([
        { "if": { "when": "now_s >= 60 and key < 10", "then": [{ "pause": { "ms": slow_ms.to_string() } }] } },
        { "if": { "when": "now_s >= 60 and key < 30", "then": [{ "observe": { "rejected": "1" } }],
            "else": [{ "observe": { "rejected": "0" } }] } }
    ]);
    let delivers = monitors.as_object().unwrap().values().any(|monitor| monitor.get("deliver").is_some());
    let mut document = json!({
        "format_version": 1, "id": "alerts", "title": "Alerts", "seed": 7, "duration_s": 120,
        "nodes": {
            "users": { "kind": "client" },
            "api": { "kind": "service", "routes": { "GET /": steps } }
        },
        "workloads": { "load": { "client": "users", "target": "api", "keys": 100, "users": 1,
            "arrivals": { "process": "paced", "gap_ms": 10 }, "routes": { "GET /": { "weight": 1, "op": "read" } } } },
        "metrics": { "rejected": { "unit": "1", "help": "Whether it was rejected.", "kind": "histogram", "source": "observed" } },
        "faults": faults, "monitors": monitors
    });
    if delivers {
        let write = json!({ "update": { "database": "db", "table": "alerts", "key": "0", "add": { "sent": "1" } } });
        let page = json!([write, { "wait": { "dist": "constant", "value_ms": 2000 } }]);
        document["nodes"]["pager"] = json!({ "kind": "service", "routes": { "page": page } });
        document["nodes"]["db"] = json!({ "kind": "database",
            "tables": { "alerts": { "rows": 1, "columns": { "sent": 0 } } },
            "read": { "dist": "constant", "value_ms": 1 }, "write": { "dist": "constant", "value_ms": 1 } });
    }
    Document::from_json(document)
}

/// A monitor of the users by a rule, with a window of ten seconds.
fn rule(alert: Value) -> Value {
    let mut whole = json!({ "of": "latency_s", "as": "mean", "window_s": 10 });
    whole.as_object_mut().unwrap().extend(alert.as_object().unwrap().clone());
    json!({ "target": "users", "interval_s": 1, "alert": whole })
}

fn delivered(mut monitor: Value, call: Value) -> Value {
    monitor["deliver"] = json!({ "to": "pager", "route": "page", "call": call });
    json!({ "a": monitor })
}

fn run(document: &Document) -> Run {
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    run
}

fn records(run: &mut Run) -> Vec<Record> {
    run.records(0..u32::MAX).iter().map(|logged| logged.record).collect()
}

/// When `monitor-a` recorded something.
fn seconds(run: &mut Run, counts: impl Fn(What) -> bool) -> Vec<f64> {
    let monitor = run.plan().node("monitor-a").unwrap();
    let own = |record: &&Record| record.node == monitor && counts(record.what);
    records(run).iter().filter(own).map(|record| record.at.since(Time::ZERO).as_seconds()).collect()
}

fn alerts(alert: Value, slow_ms: u32) -> Vec<f64> {
    seconds(&mut run(&document(slow_ms, json!({ "a": rule(alert) }), json!({}))), raised)
}

fn raised(what: What) -> bool {
    matches!(what, What::AlertRaised { .. })
}

#[test]
fn a_mean_does_not_see_what_a_percentile_sees() {
    // One in ten takes 0.8 s: the mean is 0.08 s, the 95th percentile 0.8 s.
    assert!(alerts(json!({ "above": 0.2, "for_s": 30 }), 800).is_empty());
    let p95 = alerts(json!({ "as": "p95", "above": 0.2, "for_s": 30 }), 800);
    // More than one in twenty of the last ten seconds are slow from 66 s on, give or take luck; then 30 s.
    assert!(p95.len() == 1 && (93.0..=98.0).contains(&p95[0]), "{p95:?}");
    // The same without the wait.
    let at_once = alerts(json!({ "as": "p95", "above": 0.2 }), 800);
    assert_eq!(at_once[0] + 30.0, p95[0]);
}

#[test]
fn a_signal_of_the_programs_own_sees_what_the_status_hides() {
    assert!(alerts(json!({ "of": "failures", "above": 0.05, "for_s": 30 }), 0).is_empty());
    let semantic = alerts(json!({ "of": { "observed": "rejected" }, "above": 0.05, "for_s": 30 }), 0);
    // Above 5 % once a sixth of the window is full of 30 %.
    assert!(semantic.len() == 1 && (91.0..=94.0).contains(&semantic[0]), "{semantic:?}");
    let many = alerts(json!({ "of": { "observed": "rejected" }, "as": "sum", "above": 250 }), 0);
    assert!(many.len() == 1 && (67.0..=72.0).contains(&many[0]), "300 in ten seconds: {many:?}");
}

#[test]
fn silence_is_heard_and_leads_to_the_fault_that_made_it() {
    let silence = rule(json!({ "of": { "observed": "rejected" }, "as": "count", "below": 1, "window_s": 5 }));
    let faults = json!({ "out": { "node": "api", "effect": { "kind": "down" }, "from_s": 40, "to_s": 70 } });
    let mut run = run(&document(0, json!({ "a": silence }), faults));
    // The first look is after 5 s of values, so the start is no silence.
    assert_eq!(seconds(&mut run, raised), [45.0]);
    assert_eq!(seconds(&mut run, |what| matches!(what, What::IncidentRecovered { .. })), [71.0]);
    let records = records(&mut run);
    let cause = |record: &Record| record.cause.map(|seq| records[seq.number() as usize]);
    let alert = records.iter().find(|record| raised(record.what)).unwrap();
    let opened = cause(alert).unwrap();
    let broken = cause(&opened).unwrap();
    assert!(matches!(broken.what, What::RuleBroken { number: 0.0 }), "{broken:?}");
    assert!(matches!(cause(&broken).unwrap().what, What::FaultBegan { .. }));
}

#[test]
fn two_thresholds_and_a_wait_make_one_alert_of_many() {
    // The share of slow requests of single seconds hovers about one in ten.
    let jittery = json!({ "as": "mean", "above": 0.08, "window_s": 1 });
    let flapping = alerts(jittery, 800);
    assert!(flapping.len() > 10, "{flapping:?}");
    let calm = alerts(json!({ "as": "mean", "above": 0.08, "window_s": 1, "clear_at": 0.01 }), 800);
    assert_eq!(calm.len(), 1, "{calm:?}");
    let kept = alerts(json!({ "as": "mean", "above": 0.08, "window_s": 1, "keep_firing_s": 20 }), 800);
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[test]
fn an_alert_is_delivered_by_whoever_pages_and_acknowledged_by_his_answer() {
    let monitors = delivered(rule(json!({ "as": "p95", "above": 0.2 })), json!({}));
    let mut run = run(&document(800, monitors, json!({})));
    let (raised, delivered) =
        (seconds(&mut run, raised), seconds(&mut run, |what| matches!(what, What::AlertDelivered { .. })));
    assert_eq!((raised.len(), delivered.len()), (1, 1));
    assert!((delivered[0] - raised[0] - 2.001).abs() < 1e-9, "a write of 1 ms and two seconds: {delivered:?}");
    let incident = &incidents(run.plan(), run.folds(), Time::NEVER)[0];
    let words: Vec<&str> = incident.timeline.iter().map(|(_, words)| words.as_str()).collect();
    let expected = ["incident 1 opened", "alert for incident 1", "the alert for incident 1 has reached somebody"];
    assert_eq!(words, expected);
}

#[test]
fn a_pager_that_needs_what_it_watches_is_as_silent_as_that_is_dead() {
    let down = |node: &str| json!({ "out": { "node": node, "effect": { "kind": "down" }, "from_s": 50, "to_s": 100 } });
    let watches = || rule(json!({ "as": "p95", "above": 0.2 }));
    // It tries for as long as it takes, and succeeds when the database is back.
    let patient = json!({ "retry": { "max_attempts": null, "base_delay_ms": 5000, "max_delay_ms": 5000, "jitter": "none",
        "budget": { "kind": "none" } } });
    let mut late = run(&document(800, delivered(watches(), patient), down("db")));
    let reached = seconds(&mut late, |what| matches!(what, What::AlertDelivered { .. }));
    assert!(reached.len() == 1 && (102.0..=107.1).contains(&reached[0]), "{reached:?}");
    // Once is not enough, and the timeline says that nobody was reached.
    let mut lost = run(&document(800, delivered(watches(), json!({})), down("db")));
    assert_eq!(seconds(&mut lost, |what| matches!(what, What::AlertLost { .. })).len(), 1);
    assert!(seconds(&mut lost, |what| matches!(what, What::AlertDelivered { .. })).is_empty());
    // Whoever does not depend on it hears of it at once.
    let mut elsewhere = run(&document(800, delivered(watches(), json!({})), down("api")));
    assert_eq!(seconds(&mut elsewhere, |what| matches!(what, What::AlertLost { .. })).len(), 0);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let probes = json!({ "target": "api", "interval_s": 1, "timeout_ms": 10, "failure_threshold": 1,
        "success_threshold": 1, "alert": rule(json!({ "above": 1 }))["alert"] });
    let mut both = rule(json!({ "above": 1 }));
    both["burn_rate"] = json!({ "objective": 0.9, "long_window_s": 5, "short_window_s": 1, "rate": 2 });
    let mut hasty = rule(json!({ "above": 1 }));
    hasty["interval_s"] = json!(0.01);
    let mut nobody = rule(json!({ "above": 1 }));
    nobody["deliver"] = json!({ "to": "pager", "route": "pege", "call": { "health_check": {} } });
    let monitors = json!({
        "a": probes, "b": both, "c": hasty, "d": nobody,
        "e": rule(json!({})), "f": rule(json!({ "above": 1, "below": 2 })), "g": rule(json!({ "above": 1, "clear_at": 2 })),
        "h": rule(json!({ "above": 1, "window_s": 0.5 })), "i": rule(json!({ "above": 1, "for_s": -1 })),
        "j": rule(json!({ "above": 1, "of": { "observed": "ejected" } }))
    });
    let problems = document(0, monitors, json!({})).plan("A", &[]).expect_err("it makes no sense");
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    for path in [
        "monitors.a.alert",
        "monitors.b.alert",
        "monitors.c.alert",
        "monitors.d.deliver.route",
        "monitors.d.deliver.call.health_check",
        "monitors.e.alert",
        "monitors.f.alert",
        "monitors.g.alert",
        "monitors.h.alert.window_s",
        "monitors.i.alert.for_s",
        "monitors.j.alert.of",
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
}
