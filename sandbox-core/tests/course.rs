//! The course holds what it says: every scenario's claims over seeds, sharp against mutation; every lesson's numbers.

use sandbox_core::claim::{SeedRuns, Seeds, check_claims};
use sandbox_core::lesson::{Lesson, check_lesson};
use sandbox_core::scenario::Document;

const SEEDS: u32 = 5;

#[test]
fn every_claim_holds_and_every_mutant_dies() {
    for (id, path, json) in lessons::scenarios() {
        let document = Document::parse(json).unwrap_or_else(|problems| panic!("{path}: {problems:?}"));
        assert_eq!(document.id(), *id);
        let seeds = Seeds { count: SEEDS, mutate: true };
        let results = check_claims(&document, seeds, |claims| {
            (1..=u64::from(SEEDS)).map(|seed| SeedRuns::new(&document, seed).judge(claims, true)).collect()
        });
        for result in results.unwrap_or_else(|problems| panic!("{path}: {problems:?}")) {
            assert!(result.holds, "{path}: {} held on {} of {} seeds", result.id, result.held, result.seeds);
            assert!(result.sharp, "{path}: {} is inert: {:?} mutants died", result.id, result.mutants_killed);
        }
    }
}

#[test]
fn every_lesson_says_what_its_runs_show() {
    for (id, path, json, prose) in lessons::LESSONS {
        let lesson = Lesson::parse(json).unwrap_or_else(|problems| panic!("{path}: {problems:?}"));
        assert_eq!(lesson.id, *id);
        let scenario =
            lessons::scenario(&lesson.scenario).unwrap_or_else(|| panic!("{path}: no scenario {}", lesson.scenario));
        let document = Document::parse(scenario).expect("checked above");
        let headings: Vec<&str> = prose.iter().map(|(heading, _)| *heading).collect();
        let problems = check_lesson(&lesson, &headings, &document);
        assert!(problems.is_empty(), "{path}:\n{}", problems.iter().map(|p| format!("  {p}\n")).collect::<String>());
    }
}
