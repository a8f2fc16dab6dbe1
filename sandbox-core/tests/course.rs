//! The course holds what it says: every scenario's claims over seeds, sharp against mutation; every lesson's numbers.

use sandbox_core::claim::{SeedRuns, Seeds, check_claims};
use sandbox_core::lesson::{Lesson, Link, check_lesson, hrefs};
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
        let problems = check_lesson(&lesson, prose, &terms(), &document);
        assert!(problems.is_empty(), "{path}:\n{}", problems.iter().map(|p| format!("  {p}\n")).collect::<String>());
    }
}

#[test]
fn the_glossary_leads_only_to_itself() {
    let terms = terms();
    for (index, (name, term, html)) in lessons::GLOSSARY.iter().enumerate() {
        assert!(!terms[..index].contains(name), "{term} is explained twice");
        for href in hrefs(html) {
            assert!(matches!(Link::parse(href), Some(Link::Term(other)) if terms.contains(&&*other)), "{term}: {href}");
        }
    }
}

#[test]
fn the_course_goes_from_the_first_lesson_up() {
    let numbers: Vec<&str> = lessons::INDEX.iter().map(|entry| entry.number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert_eq!(numbers.first(), Some(&"L0"));
}

/// The page shows a lesson's title before the program has come.
#[test]
fn the_still_of_the_page_knows_every_title() {
    let page = include_str!("../../index.html");
    for entry in lessons::INDEX {
        let line = format!("'{}': '{}'", entry.id, entry.title);
        assert!(page.contains(&line), "index.html does not say {line}");
    }
}

fn terms() -> Vec<&'static str> {
    lessons::GLOSSARY.iter().map(|(name, ..)| *name).collect()
}
