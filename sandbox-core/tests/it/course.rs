//! The lessons say what their runs show. (The claims of all scenarios are judged by `tests/tests/course.rs`.)

use sandbox_core::lesson::{Lesson, Link, check_lesson, hrefs};
use sandbox_core::scenario::Document;

#[test]
fn every_lesson_says_what_its_runs_show() {
    for (id, path, json, prose) in lessons::LESSONS {
        let lesson = Lesson::parse(json).unwrap_or_else(|problems| panic!("{path}: {problems:?}"));
        assert_eq!(lesson.id, *id);
        let scenario =
            lessons::scenario(&lesson.scenario).unwrap_or_else(|| panic!("{path}: no scenario {}", lesson.scenario));
        let document = Document::parse(scenario).expect("it is sound");
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
    let page = include_str!("../../../index.html");
    for entry in lessons::INDEX {
        let line = format!("'{}': '{}'", entry.id, entry.title);
        assert!(page.contains(&line), "index.html does not say {line}");
    }
}

fn terms() -> Vec<&'static str> {
    lessons::GLOSSARY.iter().map(|(name, ..)| *name).collect()
}
