//! A document's run, and what it answers.

use sandbox_core::Run;
use sandbox_core::metrics::ask;
use sandbox_core::scenario::{Document, Query};
use serde_json::Value;
use std::sync::Arc;

/// Variant A of a document, computed to its end.
pub fn run(document: Value) -> Run {
    let plan = Document::from_json(document).plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    assert!(run.advance(u32::MAX));
    run
}

/// What it answers to a query.
pub fn value(run: &Run, query: &str) -> f64 {
    let query = Query::parse(query).expect("a query");
    ask(run.plan(), run.folds(), &query).expect("a signal").expect("a value")
}
