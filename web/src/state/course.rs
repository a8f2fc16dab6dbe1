//! What a learner has done in the lessons of the course: as it is kept, and as the file that it is exported to.
//!
//! ```text
//! {"format_version": 1, "lessons": {"the-database-goes-away": {"predicted": "nearly-all", "passed": true}}}
//! ```

use crate::text::refusals as text;
use sandbox_core::scenario::{Problem, read_value};
use serde_json::{Map, Value, json};

/// Longer texts are not read: nobody's progress is that long.
const TEXT_MAX: usize = 100_000;

/// What was done in one lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The option that was predicted; None: no prediction was made.
    pub predicted: Option<String>,
    /// Whether the challenge was passed.
    pub passed: bool,
}

/// What was done in every lesson where anything was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    lessons: Vec<(String, Done)>,
}

impl Course {
    /// Reads what [`Course::to_json`] wrote. Errors: everything that does not fit.
    pub fn parse(text: &str) -> Result<Course, Vec<Problem>> {
        let wrong = |path: &str, what: &str| Problem::new(path, what, text::choose_exported());
        if text.len() > TEXT_MAX {
            return Err(vec![wrong("", text::too_long_progress())]);
        }
        let json = read_value(text)?;
        let mut problems = Vec::new();
        if json.get("format_version") != Some(&json!(1)) {
            problems.push(wrong("format_version", text::not_version_1()));
        }
        let none = Map::new();
        let lessons = json.get("lessons").and_then(Value::as_object).unwrap_or_else(|| {
            problems.push(wrong("lessons", text::missing()));
            &none
        });
        let mut course = Course::default();
        for (id, done) in lessons {
            match (done.get("predicted"), done.get("passed")) {
                (Some(predicted @ (Value::String(_) | Value::Null)), Some(Value::Bool(passed))) => {
                    course.note(id, Done { predicted: predicted.as_str().map(str::to_string), passed: *passed });
                }
                _ => problems.push(wrong(&format!("lessons.{id}"), text::no_progress())),
            }
        }
        if problems.is_empty() { Ok(course) } else { Err(problems) }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        let lesson =
            |(id, done): &(String, Done)| (id.clone(), json!({ "predicted": done.predicted, "passed": done.passed }));
        let lessons: Map<String, Value> = self.lessons.iter().map(lesson).collect();
        json!({ "format_version": 1, "lessons": lessons }).to_string()
    }

    /// What was done in a lesson.
    pub fn of(&self, id: &str) -> Done {
        self.lessons.iter().find(|(known, _)| known == id).map(|(_, done)| done.clone()).unwrap_or_default()
    }

    /// Adds what was done: nothing that was reached before is lost. True if that is news.
    pub fn note(&mut self, id: &str, done: Done) -> bool {
        let before = self.of(id);
        let after =
            Done { predicted: done.predicted.or(before.predicted.clone()), passed: done.passed || before.passed };
        if after == before {
            return false;
        }
        match self.lessons.iter_mut().find(|(known, _)| known == id) {
            Some((_, known)) => *known = after,
            None => self.lessons.push((id.into(), after)),
        }
        true
    }

    /// Adds all that was done elsewhere.
    pub fn merge(&mut self, other: Course) {
        for (id, done) in other.lessons {
            self.note(&id, done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(predicted: &str, passed: bool) -> Done {
        Done { predicted: Some(predicted.into()), passed }
    }

    #[test]
    fn what_is_written_can_be_read_and_nothing_reached_is_lost() {
        let mut course = Course::default();
        assert!(course.note("one", done("a", false)));
        assert!(course.note("one", Done { predicted: None, passed: true }));
        assert!(!course.note("one", done("a", false)), "it is no news");
        assert_eq!(course.of("one"), done("a", true));
        assert_eq!(Course::parse(&course.to_json()), Ok(course.clone()));
        let mut other = Course::default();
        other.note("one", done("b", false));
        other.note("two", done("c", false));
        course.merge(other);
        assert_eq!((course.of("one"), course.of("two")), (done("b", true), done("c", false)));
    }

    #[test]
    fn what_is_no_progress_is_refused_with_every_problem() {
        let found =
            |text: &str| Course::parse(text).expect_err(text).iter().map(Problem::to_string).collect::<String>();
        assert!(found("{").contains("line 1"), "{}", found("{"));
        let both = found(r#"{"format_version": 2, "lessons": {"one": {"passed": "yes"}}}"#);
        assert!(both.contains("format_version: is not 1") && both.contains("lessons.one: "), "{both}");
        assert!(found("[]").contains("lessons: is missing"));
        assert!(found(&" ".repeat(200_000)).contains("too long"));
    }
}
