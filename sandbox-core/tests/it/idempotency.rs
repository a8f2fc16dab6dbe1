//! Idempotency keys in programs, through the ordinary engine: what is done once, what is answered again, what is refused.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::trace::{Outcome, Record, Refusal, What};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Payments: users wait 100 ms for an answer and try up to four times; two instances of `shop` do `steps` for each.
fn document(steps: Value, load: Value) -> Document {
    let mut workload = json!({
        "client": "users", "target": "shop", "keys": 50, "users": 20, "arrivals": { "process": "poisson", "rate_rps": 20 },
        "to_s": 40, "routes": { "POST /pay": { "weight": 1, "op": "write" } }
    });
    workload.as_object_mut().unwrap().extend(load.as_object().unwrap().clone());
    Document::from_json(json!({
        "format_version": 1, "id": "payments", "title": "Payments", "seed": 7, "duration_s": 60,
        "nodes": {
            "users": { "kind": "client", "calls": { "shop": {
                "timeout_ms": 100,
                "retry": { "max_attempts": 4, "base_delay_ms": 50, "jitter": "none", "budget": { "kind": "none" },
                    "retry_on": ["timeout", "unavailable", "conflict"] }
            } } },
            "shop": { "kind": "service", "replicas": 2, "routes": { "POST /pay": steps } },
            "ledger": { "kind": "store", "readers": 1, "rows": 50, "read": { "dist": "constant", "value_ms": 1 },
                "write": { "dist": "constant", "value_ms": 1 } }
        },
        "workloads": { "load": workload }
    }))
}

fn run(steps: Value, load: Value) -> Vec<Record> {
    run_document(&document(steps, load))
}

fn run_document(document: &Document) -> Vec<Record> {
    let plan = document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    assert!(run.advance(u32::MAX));
    run.records(0..u32::MAX).iter().map(|logged| logged.record).collect()
}

/// The charge is made, and one answer in five is lost for longer than anybody waits.
fn charge() -> Vec<Value> {
    vec![
        json!({ "write": { "store": "ledger" } }),
        json!({ "set": { "lost": "random" } }),
        json!({ "if": { "when": "lost < 0.2", "then": [{ "pause": { "ms": "300" } }] } }),
    ]
}

/// Writes of each request.
fn charges(records: &[Record]) -> BTreeMap<u32, u32> {
    let mut charges = BTreeMap::new();
    for record in records.iter().filter(|record| matches!(record.what, What::RowWritten { .. })) {
        *charges.entry(record.request.0).or_default() += 1;
    }
    charges
}

fn count(records: &[Record], counts: impl Fn(What) -> bool) -> usize {
    records.iter().filter(|record| counts(record.what)).count()
}

fn ended(records: &[Record], outcome: Outcome) -> usize {
    count(records, |what| matches!(what, What::Answered { outcome: ended, .. } if ended == outcome))
}

fn refused(records: &[Record], refusal: Refusal) -> usize {
    count(records, |what| what == What::Refused { refusal })
}

#[test]
fn a_retry_after_a_lost_answer_charges_twice_without_a_key_and_once_with_one() {
    let plain = run(json!(charge()), json!({}));
    assert!(charges(&plain).values().filter(|charges| **charges > 1).count() > 100, "{:?}", charges(&plain));

    let keyed = run(json!([{ "idempotent": { "do": charge() } }]), json!({}));
    let requests = count(&keyed, |what| matches!(what, What::Intended { .. }));
    assert!(requests > 700);
    assert_eq!(charges(&keyed).len(), requests, "everybody is charged");
    assert!(charges(&keyed).values().all(|charges| *charges == 1));
    // The first attempt takes 300 ms; the others come after 150, 250 and 450 ms.
    assert!(refused(&keyed, Refusal::KeyInProgress) > 100);
    assert!(count(&keyed, |what| what == What::Replayed) > 100);
    assert_eq!(ended(&keyed, Outcome::Ok), requests);
}

#[test]
fn a_stored_answer_is_given_again_whatever_it_was_and_says_where_it_comes_from() {
    for (end, outcome) in [
        (json!({ "respond": { "status": 200, "value": "41 + 1" } }), Outcome::Ok),
        (json!({ "respond": { "status": 422 } }), Outcome::UnprocessableContent422),
    ] {
        // The second request of each user finds what the first one left.
        let steps = json!([{ "idempotent": { "key": "user", "do": [{ "write": { "store": "ledger" } }, end] } }]);
        let records = run(steps, json!({ "keys": 1, "users": 3 }));
        let requests = count(&records, |what| matches!(what, What::Intended { .. }));
        assert_eq!(count(&records, |what| matches!(what, What::RowWritten { .. })), 3);
        assert_eq!(ended(&records, outcome), requests);
        assert_eq!(count(&records, |what| what == What::Replayed), requests - 3);
        for replayed in records.iter().filter(|record| record.what == What::Replayed) {
            let stored = records[replayed.cause.expect("it has a cause").number() as usize];
            assert!(stored.request.0 < replayed.request.0 && stored.at < replayed.at);
        }
    }
}

#[test]
fn what_was_answered_goes_on_behind_the_steps() {
    let steps = json!([
        { "idempotent": { "key": "user", "do": [{ "write": { "store": "ledger" } }] } },
        { "if": { "when": "version == 2", "then": [{ "respond": {} }], "else": [{ "respond": { "status": 500 } }] } }
    ]);
    let records = run(steps, json!({ "keys": 1, "users": 1 }));
    assert_eq!(charges(&records).len(), 1);
    assert_eq!(ended(&records, Outcome::InternalError500), 0, "the version is that of the one write");
}

#[test]
fn failures_are_kept_or_forgotten_as_the_step_says() {
    let failing = |keep: &str| {
        let fails = json!({ "if": { "when": "random < 0.5", "then": [{ "respond": { "status": 503 } }] } });
        run(
            json!([{ "try": {
                "do": [{ "idempotent": { "keep": keep, "do": [fails, { "write": { "store": "ledger" } }] } }],
                "on_failure": [{ "respond": { "status": 500 } }]
            } }]),
            json!({}),
        )
    };
    let (all, successes) = (failing("all"), failing("successes"));
    let requests = count(&all, |what| matches!(what, What::Intended { .. }));
    // All four attempts get the first one's failure; forgotten, each tries its own luck: one in sixteen has none.
    let failed = |records: &[Record]| ended(records, Outcome::Unavailable503) as f64 / requests as f64;
    assert!((failed(&all) - 0.5).abs() < 0.1, "{}", failed(&all));
    assert!(failed(&successes) < 0.12, "{}", failed(&successes));
    assert_eq!(ended(&all, Outcome::InternalError500), 0, "an answer is no failure of a step");
    assert_eq!(count(&successes, |what| what == What::Replayed), 0);
}

#[test]
fn a_failing_step_is_kept_and_fails_again_at_its_handler() {
    let mut document = document(
        json!([{ "try": {
            "do": [{ "idempotent": { "key": "user", "do": [{ "write": { "store": "ledger" } }] } }],
            "on_failure": [{ "respond": { "status": 404 } }]
        } }]),
        json!({ "keys": 1, "users": 1 }),
    )
    .json()
    .clone();
    document["faults"] = json!({ "down": { "node": "ledger", "effect": { "kind": "down" }, "from_s": 0, "to_s": 1 } });
    let records = run_document(&Document::from_json(document));
    let requests = count(&records, |what| matches!(what, What::Intended { .. }));
    assert_eq!((ended(&records, Outcome::NotFound404), charges(&records).len()), (requests, 0), "also when it is up");
}

#[test]
fn the_lifetime_counts_from_the_answer() {
    let steps = json!([{ "idempotent": { "key": "0", "lifetime_s": 2, "do": [
        { "write": { "store": "ledger" } }, { "wait": { "dist": "constant", "value_ms": 49 } }
    ] } }]);
    let at_ms: Vec<f64> = vec![0.0, 30.0, 2_049.0, 2_050.0, 2_080.0];
    let load = json!({ "keys": 1, "users": 1, "arrivals": { "process": "recorded", "at_ms": at_ms } });
    let records = run(steps, load);
    // At 30 ms and 2,080 ms the first is under way, and their next attempts find its answer; at 2,050 ms it has expired.
    assert_eq!(refused(&records, Refusal::KeyInProgress), 2);
    assert_eq!(charges(&records), BTreeMap::from([(1, 1), (4, 1)]));
    assert_eq!(ended(&records, Outcome::Ok), 5);
}

#[test]
fn missing_and_reused_keys_are_refused() {
    let steps = |required: bool| {
        json!([{ "idempotent": { "key": "7", "when": "user < 10", "required": required,
            "do": [{ "write": { "store": "ledger" } }] } }])
    };
    let records = run(steps(true), json!({}));
    let requests = count(&records, |what| matches!(what, What::Intended { .. }));
    let (missing, reused) =
        (ended(&records, Outcome::BadRequest400), ended(&records, Outcome::UnprocessableContent422));
    assert!((missing as f64 / requests as f64 - 0.5).abs() < 0.1, "half of the users have no key");
    // Each of ten users is charged for the row that came first, and that one only.
    assert_eq!(charges(&records).len(), 10);
    assert_eq!(missing + reused + ended(&records, Outcome::Ok) + ended(&records, Outcome::Conflict409), requests);
    assert!(reused > 100);
    let records = run(steps(false), json!({}));
    assert_eq!(ended(&records, Outcome::BadRequest400), 0);
    assert_eq!(charges(&records).len(), 10 + missing, "without a key everything is done");
}

/// Whoever is withdrawn leaves no key behind: the next attempt does the steps again instead of meeting a key in use.
#[test]
fn a_withdrawn_attempt_leaves_no_key() {
    let steps = json!([{ "idempotent": { "do": [
        { "if": { "when": "attempt == 1", "then": [{ "pause": { "ms": "300" } }] } }, { "write": { "store": "ledger" } }
    ] } }]);
    let mut json = document(steps, json!({})).json().clone();
    json["nodes"]["users"]["calls"]["shop"]["cancel"] = "anywhere".into();
    let records = run_document(&Document::from_json(json));
    let requests = count(&records, |what| matches!(what, What::Intended { .. }));
    assert_eq!((refused(&records, Refusal::KeyInProgress), ended(&records, Outcome::Ok)), (0, requests));
    assert!(charges(&records).values().all(|charges| *charges == 1));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let inner = json!({ "idempotent": { "lifetime_s": 0, "key": "nobody", "do": [] } });
    let steps = json!([{ "idempotent": { "when": "1", "do": [inner] } }]);
    let problems = document(steps, json!({})).plan("A", &[]).expect_err("it makes no sense");
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    let at = "nodes.shop.routes.POST /pay.0.idempotent";
    for field in [".when", ".do.0.idempotent", ".do.0.idempotent.lifetime_s", ".do.0.idempotent.key"] {
        assert!(paths.contains(&format!("{at}{field}").as_str()), "{field} is not among {paths:#?}");
    }
}

/// The first attempt takes 201 ms; the second is sent at 150 ms.
#[test]
fn a_further_attempt_may_wait_for_the_one_under_way() {
    let steps = |waits: bool| {
        let slow = json!([{ "write": { "store": "ledger" } }, { "wait": { "dist": "constant", "value_ms": 200 } }]);
        json!([{ "idempotent": { "do": slow, "waits": waits } }])
    };
    let load = json!({ "arrivals": { "process": "recorded", "at_ms": [0] } });
    let in_progress = What::Refused { refusal: Refusal::KeyInProgress };
    for (waits, refusals, answered_ms) in [(false, 1, 250.0), (true, 0, 201.0)] {
        let records = run(steps(waits), load.clone());
        assert_eq!(records.iter().filter(|record| record.what == in_progress).count(), refusals);
        assert_eq!(charges(&records).into_values().collect::<Vec<_>>(), [1]);
        let answered = records.iter().find(|record| matches!(record.what, What::Answered { .. })).unwrap();
        let What::Answered { outcome, latency } = answered.what else { unreachable!("it was looked for") };
        assert_eq!((outcome, latency.as_ms()), (Outcome::Ok, answered_ms), "waits: {waits}");
        let Some(blocked) = records.iter().find(|record| record.what == What::Blocked) else { continue };
        let cause = records.iter().find(|record| Some(record.seq) == blocked.cause).unwrap();
        assert!(matches!(cause.what, What::Received { .. }), "what the first attempt did last: {cause:?}");
    }
}

/// Who waits for an attempt that is withdrawn makes one of its own.
#[test]
fn an_attempt_that_is_withdrawn_keeps_nobody_waiting() {
    let slow = json!([{ "write": { "store": "ledger" } }, { "wait": { "dist": "constant", "value_ms": 70 } }]);
    let mut document =
        document(json!([{ "idempotent": { "do": slow, "waits": true } }]), json!({ "to_s": 5 })).json().clone();
    document["nodes"]["users"]["calls"]["shop"]["timeout_ms"] = json!(50);
    document["nodes"]["users"]["calls"]["shop"]["cancel"] = json!("anywhere");
    document["nodes"]["users"]["calls"]["shop"]["retry"]["base_delay_ms"] = json!(0);
    let records = run_document(&Document::from_json(document));
    let given_up = records.iter().filter(|record| matches!(record.what, What::GaveUp { .. })).count();
    let intended = records.iter().filter(|record| matches!(record.what, What::Intended { .. })).count();
    assert_eq!(given_up, intended);
    assert!(charges(&records).into_values().all(|charges| charges == 4));
}
