//! What holds for every document, looked at in documents that nobody would write (`generate`).
//!
//! 200 of them in the everyday run; `FAULTLINE_DOCUMENTS=1000` looks at so many.

use sandbox_core::Run;
use sandbox_core::ids::RequestId;
use sandbox_core::rng::{Purpose, Stream};
use sandbox_core::scenario::{Document, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline::why;
use sandbox_core::trace::{Digest, Record};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The digests of the first documents' runs, which the browser compares with its own.
const GOLDEN: &str = include_str!("../../../tests/golden/generated.json");

/// Steps that no generated document needs.
const STEPS_MAX: u32 = 1_000_000;

fn plan(number: u64) -> Arc<Plan> {
    let planned = Document::from_json(crate::generate::document(number)).plan("A", &[]);
    Arc::new(planned.unwrap_or_else(|problems| panic!("document {number}: {problems:#?}")))
}

fn computed(number: u64) -> Run {
    let mut run = Run::new(plan(number));
    assert!(run.advance(STEPS_MAX), "document {number} does not end: {:?}", run.head().now());
    run
}

/// Checks every document, and then says which ones failed; each says on its own why.
fn for_every_document(check: impl Fn(u64)) {
    let count = std::env::var("FAULTLINE_DOCUMENTS").map_or(200, |count| count.parse().expect("a number of documents"));
    let fails = |number: &u64| catch_unwind(AssertUnwindSafe(|| check(*number))).is_err();
    let failed: Vec<u64> = (0..count).filter(fails).collect();
    assert!(failed.is_empty(), "{} of {count} documents: {failed:?}", failed.len());
}

#[test]
fn the_same_document_gives_the_same_run() {
    for_every_document(|number| {
        let run = computed(number);
        let mut sliced = Run::new(plan(number));
        while !sliced.advance(777) {}
        assert_eq!(run.digest(), sliced.digest());
    });
}

/// `UPDATE_GOLDEN=1` writes them down anew.
#[test]
fn the_digests_are_those_that_the_browser_compares_with() {
    let golden: Vec<String> = serde_json::from_str(GOLDEN).expect("a list of digests");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let digests: Vec<String> = (0..1_000).map(|number| computed(number).digest()).collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/generated.json");
        let text = serde_json::to_string_pretty(&digests).expect("texts are JSON");
        return std::fs::write(path, text + "\n").expect("the golden file can be written");
    }
    assert_eq!(golden.len(), 1_000);
    for_every_document(|number| assert_eq!(golden[number as usize], computed(number).digest(), "document {number}"));
}

#[test]
fn any_moment_is_the_same_however_one_comes_there() {
    for_every_document(|number| {
        let mut run = computed(number);
        let records = run.records(0..u32::MAX);
        let mut digest = Digest::new();
        records.iter().for_each(|logged| digest.add(&[logged.record]));
        assert_eq!(digest.hex(), run.digest(), "replayed from keyframes");
        let of_step = |step: u64| -> Vec<Record> {
            records.iter().filter(|logged| logged.step == step).map(|logged| logged.record).collect()
        };
        let mut luck = Stream::new(number, 0, Purpose::Program);
        for _ in 0..10 {
            let step = 2 + u64::from(luck.below(run.steps() as u32 - 2));
            run.seek(step);
            let there = run.world().observe();
            assert_eq!(run.world().emitted(), of_step(step));
            assert!(run.step_back());
            assert_eq!(run.world().emitted(), of_step(step - 1));
            assert!(run.step_forward());
            assert_eq!(run.world().emitted(), of_step(step));
            assert_eq!(run.world().observe(), there);
        }
    });
}

#[test]
fn a_run_resumed_anywhere_ends_the_same() {
    for_every_document(|number| {
        let mut run = computed(number);
        let records = run.records(0..u32::MAX);
        let mut luck = Stream::new(number, 1, Purpose::Program);
        for _ in 0..3 {
            run.seek(u64::from(luck.below(run.steps() as u32)));
            let mut world = run.world().clone();
            let mut next = world.records() as usize;
            while world.step().is_some() {
                for record in world.emitted() {
                    assert_eq!(*record, records[next].record);
                    next += 1;
                }
            }
            assert_eq!(next, records.len());
            assert_eq!(world.observe(), run.head().observe());
        }
    });
}

#[test]
fn every_latency_is_explained_to_the_nanosecond() {
    for_every_document(|number| {
        let mut run = computed(number);
        let ended: Vec<RequestId> =
            run.folds().requests().iter().filter(|summary| summary.end.is_some()).map(|end| end.request).collect();
        for request in ended {
            let why = why(&mut run, request).expect("it ended");
            let sum = why.parts.iter().fold(Span::ZERO, |sum, part| sum + part.span);
            assert_eq!(sum, why.latency, "request {request:?} of {number}: {:?}", why.parts);
            let last = why.chain.last().expect("an answer is a link");
            assert!(last.root, "request {request:?} of {number} begins with {}", last.text);
        }
    });
}

#[test]
fn requests_are_neither_lost_nor_counted_twice() {
    for_every_document(|number| {
        let run = computed(number);
        let offered = run.folds().requests().len() as u32;
        let ended: u32 = run.folds().rows().iter().map(|row| row.total()).sum();
        assert_eq!(offered, ended + run.head().observe().in_flight, "document {number}");
    });
}

#[test]
fn once_the_traffic_is_over_nobody_is_left() {
    for_every_document(|number| {
        let run = computed(number);
        if run.plan().end < Time::from_seconds(100.0) {
            return;
        }
        let end = run.head().observe();
        assert_eq!(end.in_flight, 0, "document {number}");
        for node in end.nodes {
            let name = &run.plan().nodes[node.id.index()].id;
            assert_eq!((node.in_service, node.waiting), (0, 0), "{name} of document {number}");
        }
    });
}
