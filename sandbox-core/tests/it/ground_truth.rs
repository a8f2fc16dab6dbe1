//! Ground truth: policies give the answers that are known, and a broken file of cases is refused with a path, never a panic.

use crate::strange::{anything, mutate};
use proptest::prelude::*;
use sandbox_core::truth::{Case, CaseKind, Refusal, Verdict, read_cases};
use serde_json::{Value, json};

const CASES: &str = include_str!("../../../tests/ground-truth/ground-truth.json");

/// Types of models that are simulated: `faultline verify` judges them over seeds.
const SIMULATED: [&str; 2] = ["optimistic_locking", "system"];

fn cases() -> Vec<Case> {
    read_cases(CASES).expect("the cases can be read")
}

fn kind(case: &Case) -> &str {
    case.model["type"].as_str().unwrap_or_default()
}

#[test]
fn policies_give_the_answers_that_are_known() {
    let mut off = Vec::new();
    for case in cases().iter().filter(|case| !SIMULATED.contains(&kind(case))) {
        let report = case.judge(&[case.answer(1)]);
        if report.verdict != Verdict::Pass {
            off.push(format!("{}: {}", report.id, serde_json::to_string_pretty(&report).unwrap()));
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

/// A wrong answer must be noticed: every expected value, changed a little, fails its case.
#[test]
fn a_changed_expectation_fails() {
    for case in cases().iter().filter(|case| !SIMULATED.contains(&kind(case)) && case.kind != CaseKind::Statistical) {
        let answers = [case.answer(1)];
        for metric in case.expected.keys() {
            let mut changed = case.clone();
            changed.expected[metric] = otherwise(&case.expected[metric]);
            // Where decisions begin is a question and not an answer.
            let asks = metric.starts_with("decisions_from_index");
            assert!(asks || changed.judge(&answers).verdict == Verdict::Fail, "{} {metric}", case.id);
        }
    }
}

/// The same value but for its last part.
fn otherwise(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap() * 1.5 + 7.0),
        Value::String(text) => json!(format!("{text}x")),
        Value::Bool(value) => json!(!value),
        Value::Null => json!(1),
        Value::Array(items) => {
            let mut items = items.clone();
            let last = items.pop().map_or(json!(1), |last| otherwise(&last));
            items.push(last);
            Value::Array(items)
        }
        Value::Object(fields) => {
            let mut fields = fields.clone();
            let (name, field) = fields.iter().next().map(|(name, field)| (name.clone(), otherwise(field))).unwrap();
            fields.insert(name, field);
            Value::Object(fields)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_broken_file_never_panics_and_every_refusal_names_a_path(
        which in 0usize..1_000,
        whole in prop::bool::weighted(0.2),
        changes in prop::collection::vec((prop::collection::vec(any::<u16>(), 1..5), anything()), 1..4),
    ) {
        let Value::Array(cases) = serde_json::from_str(CASES).unwrap() else { unreachable!() };
        let built: Vec<Value> = cases
            .into_iter()
            .filter(|case| !SIMULATED.contains(&case["model"]["type"].as_str().unwrap()))
            .collect();
        let mut case = built[which % built.len()].clone();
        if let Some(runs) = case.pointer_mut("/run/independent_runs") {
            *runs = json!(20);
        }
        let place = if whole { &mut case } else { &mut case["model"] };
        for (way, new) in &changes {
            mutate(place, way, new);
        }
        match read_cases(&json!([case]).to_string()) {
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(problem.path.starts_with("cases[0]") && !problem.what.is_empty(), "{problem}");
                }
            }
            Ok(cases) => {
                let answers = [cases[0].answer(1)];
                if let Err(Refusal::Problems(problems)) = &answers[0] {
                    prop_assert!(!problems.is_empty());
                    prop_assert!(problems.iter().all(|problem| !problem.path.is_empty()), "{problems:?}");
                }
                cases[0].judge(&answers);
            }
        }
    }
}
