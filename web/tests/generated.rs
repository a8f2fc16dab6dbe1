//! Generated documents run in a real browser as they do natively: 200 of them in the everyday run; built with
//! `FAULTLINE_DOCUMENTS=1000` all whose digests are written down.
#![cfg(target_arch = "wasm32")]

#[path = "../../sandbox-core/tests/it/generate.rs"]
mod generate;

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use std::sync::Arc;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// The digests of the documents' runs, as computed natively (`UPDATE_GOLDEN=1` rewrites them there).
const GOLDEN: &str = include_str!("../../tests/golden/generated.json");

#[wasm_bindgen_test]
fn the_runs_of_generated_documents_are_the_same_as_natively() {
    let golden: Vec<String> = serde_json::from_str(GOLDEN).expect("a list of digests");
    let count = option_env!("FAULTLINE_DOCUMENTS").map_or(200, |count| count.parse().expect("a number of documents"));
    assert!(count <= golden.len(), "{} digests are written down", golden.len());
    for (number, digest) in (0..).zip(&golden[..count]) {
        let plan = Document::from_json(generate::document(number)).plan("A", &[]).expect("it is valid");
        let mut run = Run::new(Arc::new(plan));
        run.run_to_end();
        assert_eq!(run.digest(), *digest, "document {number}");
    }
}
