//! Whatever is written into a document: it is refused with a path, or it runs. It never panics, hangs or eats the machine.
//!
//! 2,000 documents in the everyday run, the same every time; `FAULTLINE_FUZZ=100000 PROPTEST_RNG_SEED=7` looks at so many
//! others. What once failed is kept in `proptest-regressions`.

use crate::strange::{anything, mutate};
use proptest::prelude::*;
use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::truth::read_cases;
use serde_json::{Value, json};
use std::sync::Arc;

const CASES: &str = include_str!("../../../tests/ground-truth/ground-truth.json");

/// Events after which a document has shown that it runs.
const EVENTS: u32 = 10_000;

fn config() -> ProptestConfig {
    let count = std::env::var("FAULTLINE_FUZZ").map_or(2_000, |count| count.parse().expect("a number of documents"));
    ProptestConfig { max_shrink_iters: 500, ..ProptestConfig::with_cases(count) }
}

/// Ways into a document, and what is put there.
fn changes() -> impl Strategy<Value = Vec<(Vec<u16>, Value)>> {
    prop::collection::vec((prop::collection::vec(any::<u16>(), 1..9), anything()), 1..4)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_strange_document_is_refused_with_a_path_or_runs(number in 0u64..10_000, changes in changes()) {
        let mut document = crate::generate::document(number);
        for (way, new) in &changes {
            mutate(&mut document, way, new);
        }
        match Document::from_json(document).plan("A", &[]) {
            Ok(plan) => drop(Run::new(Arc::new(plan)).advance(EVENTS)),
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                prop_assert!(problems.iter().all(|problem| !problem.path.is_empty()), "{problems:?}");
            }
        }
    }

    #[test]
    fn a_strange_text_is_never_a_panic(text in "\\PC*", cut in 0usize..4_000) {
        let _ = (Document::parse(&text).is_ok(), read_cases(&text).is_ok());
        let document = crate::generate::document(7).to_string();
        let _ = Document::parse(document.get(..cut).unwrap_or(&document)).map(|document| document.plan("A", &[]));
    }

    #[test]
    fn a_strange_case_is_read_or_refused_with_a_path(which in 0usize..1_000, changes in changes()) {
        let Value::Array(cases) = serde_json::from_str(CASES).expect("it is JSON") else { unreachable!() };
        let mut case = cases[which % cases.len()].clone();
        for (way, new) in &changes {
            mutate(&mut case, way, new);
        }
        if let Err(problems) = read_cases(&json!([case]).to_string()) {
            prop_assert!(problems.iter().all(|problem| problem.path.starts_with("cases[0]")), "{problems:?}");
        }
    }
}
