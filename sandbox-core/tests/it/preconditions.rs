//! If-Match on writes, through the ordinary engine: no update is lost, and who says nothing is told so.

use sandbox_core::Run;
use sandbox_core::metrics::Signal;
use sandbox_core::scenario::Document;
use sandbox_core::trace::{Outcome, Refusal, What};
use serde_json::{Value, json};
use std::sync::Arc;

/// Many editors of few pages: each reads a page, thinks and saves it as `write` says. `lost` counts the changes of others
/// that a save has overwritten.
fn run(write: Value) -> Run {
    let save = json!({ "write": write });
    let plan = document(json!([
        { "read": { "store": "pages" } },
        { "set": { "seen": "version" } },
        { "wait": { "dist": "exponential", "mean_ms": 50 } },
        save,
        { "observe": { "lost": "version - seen - 1" } }
    ]))
    .plan("A", &[]);
    let mut run = Run::new(Arc::new(plan.unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    run
}

fn document(steps: Value) -> Document {
    let dist = json!({ "dist": "constant", "value_ms": 1 });
    Document::from_json(json!({
        "format_version": 1, "id": "edits", "title": "Edits", "seed": 7, "duration_s": 60,
        "nodes": {
            "users": { "kind": "client" },
            "wiki": { "kind": "service", "routes": { "PUT /page": steps } },
            "pages": { "kind": "store", "readers": 2, "rows": 10, "read": dist, "write": dist }
        },
        "workloads": { "load": {
            "client": "users", "target": "wiki", "keys": 10, "users": 20, "to_s": 50,
            "arrivals": { "process": "poisson", "rate_rps": 40 }, "routes": { "PUT /page": { "weight": 1, "op": "write" } }
        } },
        "metrics": { "lost": { "unit": "changes", "help": "Overwritten.", "kind": "counter", "source": "observed" } }
    }))
}

fn lost(run: &Run) -> f64 {
    Signal::new(run.plan(), "lost", &[]).unwrap().reduce(run.plan(), run.folds(), None, None).unwrap().unwrap()
}

fn count(run: &mut Run, counts: impl Fn(What) -> bool) -> usize {
    run.records(0..u32::MAX).iter().filter(|logged| counts(logged.record.what)).count()
}

fn ended(run: &mut Run, outcome: Outcome) -> usize {
    count(run, |what| matches!(what, What::Answered { outcome: ended, .. } if ended == outcome))
}

#[test]
fn an_outdated_save_is_refused_instead_of_losing_an_update() {
    let mut blind = run(json!({ "store": "pages" }));
    assert!(lost(&blind) > 100.0, "{}", lost(&blind));
    let all = ended(&mut blind, Outcome::Ok);

    let mut careful = run(json!({ "store": "pages", "if_match": "version", "if_match_required": true }));
    let (saved, outdated) = (ended(&mut careful, Outcome::Ok), ended(&mut careful, Outcome::PreconditionFailed412));
    assert_eq!((lost(&careful), saved + outdated), (0.0, all));
    assert!(outdated > 100);
    assert_eq!(count(&mut careful, |what| matches!(what, What::RowWritten { .. })), saved);
    assert_eq!(count(&mut careful, |what| what == What::Refused { refusal: Refusal::PreconditionFailed }), outdated);
}

#[test]
fn who_reads_again_saves_in_the_end() {
    let attempt = json!({ "try": {
        "do": [
            { "read": { "store": "pages" } },
            { "wait": { "dist": "exponential", "mean_ms": 50 } },
            { "write": { "store": "pages", "if_match": "version" } },
            { "respond": {} }
        ],
        "on_failure": [{ "if": { "when": "status != 412", "then": [{ "respond": { "status": 500 } }] } }]
    } });
    let plan = document(json!([{ "repeat": { "times": 50, "do": [attempt] } }, { "observe": { "lost": "1" } }]))
        .plan("A", &[]);
    let mut run = Run::new(Arc::new(plan.unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    let requests = run.folds().requests().len();
    assert_eq!((ended(&mut run, Outcome::Ok), lost(&run)), (requests, 0.0));
}

#[test]
fn a_save_without_a_version_is_unconditional_or_refused_before_it_is_sent() {
    for condition in [None, Some("0"), Some("version - seen")] {
        let mut write = json!({ "store": "pages", "if_match_required": true });
        if let Some(condition) = condition {
            write["if_match"] = condition.into();
        }
        let mut required = run(write.clone());
        let requests = required.folds().requests().len();
        assert_eq!(ended(&mut required, Outcome::PreconditionRequired428), requests);
        let arrived = required.plan().node("pages").unwrap();
        let records = required.records(0..u32::MAX);
        let calls = records.iter().filter(|logged| matches!(logged.record.what, What::Arrived { .. }));
        assert_eq!(calls.filter(|logged| logged.record.node == arrived).count(), requests, "the reads alone");
        write["if_match_required"] = false.into();
        assert_eq!(ended(&mut run(write), Outcome::Ok), requests);
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let problems = document(json!([{ "write": { "store": "pages", "if_match": "etag" } }])).plan("A", &[]);
    let problems = problems.expect_err("it makes no sense");
    assert_eq!(problems[0].path, "nodes.wiki.routes.PUT /page.0.write.if_match");
    let problems = document(json!([{ "read": { "store": "pages", "if_match": "version" } }])).plan("A", &[]);
    assert!(problems.expect_err("a read has no condition")[0].path.contains("PUT /page.0.read"));
}
