//! Burn-rate rules of monitors, through the ordinary engine: when they fire and clear, and for whom.

use sandbox_core::Run;
use sandbox_core::policy::burn_rate::{BurnRateRule, Incident, Slo};
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::trace::What;
use serde_json::{Value, json};
use std::sync::Arc;

/// A request every 10 ms for `duration_s`, to a service that fails as `faults` say, tried `attempts` times.
fn document(duration_s: u32, attempts: u32, faults: Value, monitors: Value) -> Document {
    Document::from_json(json!({
        "format_version": 1, "id": "budget", "title": "Budget", "seed": 7, "duration_s": duration_s,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": { "retry": { "max_attempts": attempts, "base_delay_ms": 1,
                "max_delay_ms": 1, "budget": { "kind": "none" }, "retry_on": ["error"] } } } },
            "api": { "kind": "service", "replicas": 2,
                "routes": { "GET /": [{ "work": { "dist": "constant", "value_ms": 1 } }] } }
        },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 1, "arrivals": { "process": "paced", "gap_ms": 10 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "faults": faults, "monitors": monitors
    }))
}

/// What each monitor records, with the second.
fn events(document: &Document) -> Vec<(f64, String, What)> {
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    let records = run.records(0..u32::MAX);
    let plan = run.plan();
    records
        .iter()
        .map(|logged| logged.record)
        .filter(|record| record.node.index() >= plan.node("monitor-a").unwrap().index())
        .inspect(|record| {
            if let What::BudgetBurning { .. } = record.what {
                let cause = records[record.cause.expect("a failure burns it").number() as usize].record;
                assert!(matches!(cause.what, What::Replied { .. } | What::Answered { .. }), "{cause:?}");
            }
        })
        .map(|record| {
            (record.at.since(Time::ZERO).as_seconds(), plan.nodes[record.node.index()].id.clone(), record.what)
        })
        .collect()
}

fn seconds(events: &[(f64, String, What)], monitor: &str, counts: impl Fn(What) -> bool) -> Vec<f64> {
    events.iter().filter(|(_, name, what)| name == monitor && counts(*what)).map(|(at, ..)| *at).collect()
}

fn alerts(events: &[(f64, String, What)], monitor: &str) -> Vec<f64> {
    seconds(events, monitor, |what| matches!(what, What::AlertRaised { .. }))
}

fn rule(long_s: f64, short_s: f64, objective: f64, rate: f64) -> Value {
    json!({ "objective": objective, "long_window_s": long_s, "short_window_s": short_s, "rate": rate })
}

fn errors(ratio: f64, from_s: f64, to_s: f64) -> Value {
    json!({ "node": "api", "effect": { "kind": "errors", "ratio": ratio }, "from_s": from_s, "to_s": to_s })
}

/// The run agrees with the rule's closed form to a look and the requests under way.
#[test]
fn a_rule_fires_and_clears_when_the_closed_form_says() {
    for (long_s, short_s, objective, rate) in
        [(20.0, 4.0, 0.9, 2.0), (20.0, 20.0, 0.9, 5.0), (10.0, 2.0, 0.5, 1.0), (30.0, 1.0, 0.99, 14.4)]
    {
        let monitors = json!({ "a": { "target": "users", "interval_s": 0.1,
            "burn_rate": rule(long_s, short_s, objective, rate) } });
        let events = events(&document(100, 1, json!({ "outage": errors(1.0, 40.0, 60.0) }), monitors));
        let incident = Incident { error_ratio: 1.0, from_s: 40.0, to_s: Some(60.0) };
        let policy = BurnRateRule::new(long_s, short_s, rate).unwrap();
        let expected = policy.alert(Slo::new(objective).unwrap(), incident).unwrap();
        let cleared = seconds(&events, "monitor-a", |what| matches!(what, What::IncidentRecovered { .. }));
        let (fired, cleared) = (alerts(&events, "monitor-a"), cleared);
        assert_eq!((fired.len(), cleared.len()), (1, 1), "{fired:?} {cleared:?}");
        assert!((fired[0] - expected.fires_at_s).abs() < 0.25, "{} not {}", fired[0], expected.fires_at_s);
        assert!((cleared[0] - expected.clears_at_s.unwrap()).abs() < 0.25, "{cleared:?} not {expected:?}");
    }
}

/// The story of the catalogue, an hour as a minute: blips wake whoever goes by a short threshold, a slow burn escapes whoever
/// goes by a high one, and two windows see the burn alone.
#[test]
fn two_windows_ignore_blips_and_see_a_slow_burn() {
    let faults = json!({
        "first": errors(0.3, 20.0, 22.0), "second": errors(0.3, 60.0, 62.0), "third": errors(0.3, 95.0, 97.0),
        "burn": errors(0.2, 120.0, 240.0)
    });
    let with = |rule: Value| json!({ "target": "users", "interval_s": 1, "burn_rate": rule });
    let monitors = json!({
        "a": with(rule(1.0, 1.0, 0.99, 11.0)), "b": with(rule(60.0, 5.0, 0.99, 14.4)), "c": with(rule(5.0, 5.0, 0.99, 50.0))
    });
    let events = events(&document(240, 1, faults, monitors));
    let before = |monitor: &str| alerts(&events, monitor).iter().filter(|at| **at < 119.0).count();
    assert_eq!((before("monitor-a") >= 3, before("monitor-b"), before("monitor-c")), (true, 0, 0));
    let alerted = alerts(&events, "monitor-b");
    assert!(!alerted.is_empty() && (150.0..180.0).contains(&alerted[0]), "{alerted:?}");
    assert!(alerts(&events, "monitor-c").is_empty());
    // One incident for each monitor, and an alert each time it begins anew.
    let opened = seconds(&events, "monitor-a", |what| matches!(what, What::IncidentOpened { .. }));
    let relapsed = seconds(&events, "monitor-a", |what| matches!(what, What::IncidentRelapsed { .. }));
    assert_eq!((opened.len(), opened.len() + relapsed.len()), (1, alerts(&events, "monitor-a").len()));
}

/// Retries hide failures from users, not from whoever counts the answers of the service's instances.
#[test]
fn what_users_do_not_see_burns_no_budget_of_theirs() {
    let with = |target: &str| json!({ "target": target, "interval_s": 1, "burn_rate": rule(10.0, 2.0, 0.9, 2.0) });
    let monitors = json!({ "a": with("users"), "b": with("api") });
    let events = events(&document(60, 10, json!({ "errors": errors(0.5, 20.0, 40.0) }), monitors));
    assert_eq!((alerts(&events, "monitor-a").len(), alerts(&events, "monitor-b").len()), (0, 1));
}

#[test]
fn a_handful_of_requests_says_nothing() {
    let mut quiet = rule(10.0, 2.0, 0.9, 2.0);
    quiet["minimum_requests"] = 1_500.into();
    let with = |rule: Value| json!({ "target": "users", "interval_s": 1, "burn_rate": rule });
    let monitors = json!({ "a": with(quiet), "b": with(rule(10.0, 2.0, 0.9, 2.0)) });
    let events = events(&document(60, 1, json!({ "outage": errors(1.0, 20.0, 40.0) }), monitors));
    assert_eq!((alerts(&events, "monitor-a").len(), alerts(&events, "monitor-b").len()), (0, 1));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let monitors = json!({
        "a": { "target": "users", "interval_s": 1 },
        "b": { "target": "users", "interval_s": 1, "timeout_ms": 10, "failure_threshold": 1, "success_threshold": 1 },
        "c": { "target": "api", "interval_s": 1, "timeout_ms": 10, "burn_rate": rule(0.5, 1e9, 1.0, 2.0) },
        "d": { "target": "api", "interval_s": 1, "burn_rate": rule(5.0, 2.0, 0.9, 0.0) }
    });
    let problems = document(10, 1, json!({}), monitors).plan("A", &[]).expect_err("it makes no sense");
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    for path in [
        "monitors.a",
        "monitors.b.target",
        "monitors.c.burn_rate",
        "monitors.c.burn_rate.long_window_s",
        "monitors.c.burn_rate.short_window_s",
        "monitors.c.burn_rate.objective",
        "monitors.d.burn_rate.rate",
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
}
