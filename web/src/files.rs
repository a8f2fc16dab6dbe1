//! The course lies beside the program: a page fetches the files that its address needs, and carries none of them.

use crate::route::{Asked, FIRST_LESSON};
use crate::state::opening::fetch;
use crate::text::refusals as text;
use lessons::INDEX;
use sandbox_core::link::Link;
use sandbox_core::scenario::{Document, Problem, unknown};
use serde_json::Value;
use std::rc::Rc;

/// The file of what the playground starts from.
const STARTS: &str = "starts.json";

/// What a page has of the course.
#[derive(Debug, Default)]
pub struct Files {
    lesson: Option<LessonFile>,
    starts: Rc<Starts>,
    /// What could not be had.
    problems: Vec<Problem>,
}

/// A lesson, as its file has it.
#[derive(Debug)]
pub struct LessonFile {
    /// The lesson itself.
    pub lesson: Value,
    /// Its prose: heading and HTML, in order.
    pub prose: Vec<(String, Rc<str>)>,
    /// Its scenario.
    pub scenario: Value,
}

/// What a document can be started from.
#[derive(Debug, Default)]
pub struct Starts {
    /// Scenarios made for it.
    pub templates: Vec<Document>,
    /// The scenarios that lessons play on.
    pub scenarios: Vec<Document>,
}

impl Starts {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Document> {
        self.scenarios.iter().chain(&self.templates)
    }

    /// The one with this id.
    pub fn get(&self, id: &str) -> Option<&Document> {
        self.all().find(|document| document.id() == id)
    }
}

/// Nobody changes them once they have come, so the same are in the same place.
impl PartialEq for Files {
    fn eq(&self, other: &Files) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Files {
    /// Fetches what an address needs, or takes it from the page itself, where it was exported with the page.
    pub async fn fetch(asked: &Asked) -> Files {
        let mut files = Files::default();
        for name in needed(asked) {
            let content = match carried(&name) {
                Some(text) => Ok(text),
                None => fetch(&format!("course/{name}")).await,
            };
            files.take(&name, content);
        }
        files
    }

    /// The same from the course that this program was built with: for tests, which have no site.
    pub fn built_in(asked: &Asked) -> Files {
        let mut files = Files::default();
        for name in needed(asked) {
            files.take(&name, lessons::file(&name).map(str::to_string).ok_or("there is no such file".into()));
        }
        files
    }

    /// The lesson that was asked for. Errors: why it could not be had.
    pub fn lesson(&self) -> Result<&LessonFile, Vec<Problem>> {
        self.lesson.as_ref().ok_or_else(|| self.problems.clone())
    }

    /// What a document can be started from; nothing where no playground was asked for.
    pub fn starts(&self) -> &Rc<Starts> {
        &self.starts
    }

    fn take(&mut self, name: &str, content: Result<String, String>) {
        let read =
            content.and_then(|content| serde_json::from_str::<Value>(&content).map_err(|error| error.to_string()));
        let taken = read.and_then(|json| match name {
            STARTS => starts(&json).map(|starts| self.starts = Rc::new(starts)).ok_or(text::no_starts().into()),
            _ => lesson(json).map(|lesson| self.lesson = Some(lesson)).ok_or(text::no_lesson_in_it().into()),
        });
        if let Err(why) = taken {
            let what = text::no_course_file(name, why);
            self.problems.push(Problem::new("lesson", what, text::beside_the_program()));
        }
    }
}

/// The lesson that a link is about: the one it names, or the first that plays on the scenario it names. None: the scenario is that of
/// no lesson. Errors: there is no such lesson.
pub fn lesson_of(link: &Link) -> Result<Option<&'static str>, Vec<Problem>> {
    let find = |entry: Option<&'static lessons::Entry>| entry.map(|entry| entry.id);
    match (&link.lesson, &link.scenario) {
        (None, Some(scenario)) => Ok(find(INDEX.iter().find(|entry| entry.scenario == scenario))),
        (named, _) => {
            let named = named.as_deref().unwrap_or(FIRST_LESSON);
            let lesson = find(INDEX.iter().find(|entry| entry.id == named));
            lesson.map(Some).ok_or_else(|| {
                let known: Vec<&str> = INDEX.iter().map(|entry| entry.id).collect();
                vec![Problem::new("lesson", text::no_lesson(named), unknown(named, &known))]
            })
        }
    }
}

/// The names of the files that an address needs.
fn needed(asked: &Asked) -> Vec<String> {
    let link = &asked.link;
    let names_one = link.lesson.is_some() || link.scenario.is_some() || !link.playground;
    let lesson = match asked.is_home() || link.document.is_some() || !names_one {
        true => None,
        false => lesson_of(link).ok().flatten(),
    };
    // A scenario that no lesson plays on may be a template.
    let starts = asked.is_workshop() || link.scenario.is_some() && link.lesson.is_none() && lesson.is_none();
    let lesson = lesson.map(|id| format!("{id}.json"));
    lesson.into_iter().chain(starts.then(|| STARTS.to_string())).collect()
}

/// A file that the page itself carries.
fn carried(name: &str) -> Option<String> {
    let document = web_sys::window()?.document()?;
    document.query_selector(&format!("script[data-course=\"{name}\"]")).ok()??.text_content()
}

fn lesson(mut json: Value) -> Option<LessonFile> {
    let mut part = |name: &str| json.get_mut(name).map(Value::take);
    let (lesson, prose, scenario) = (part("lesson")?, part("prose")?, part("scenario")?);
    let prose = prose.as_array()?.iter().map(|part| Some((part[0].as_str()?.into(), part[1].as_str()?.into())));
    Some(LessonFile { lesson, prose: prose.collect::<Option<_>>()?, scenario })
}

fn starts(json: &Value) -> Option<Starts> {
    let all = |name: &str| Some(json.get(name)?.as_array()?.iter().cloned().map(Document::from_json).collect());
    Some(Starts { templates: all("templates")?, scenarios: all("scenarios")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_the_files_of_what_it_shows() {
        let needed = |address: &str| needed(&Asked::of(address)).join(" ");
        let first = format!("{FIRST_LESSON}.json");
        assert_eq!(needed(""), "");
        assert_eq!(needed("?lesson=one-request&t=3"), "one-request.json");
        assert_eq!(needed("?t=3"), first);
        assert_eq!(needed("?scenario=database-outage"), first);
        assert_eq!(needed("?playground"), "starts.json");
        assert_eq!(needed("?playground&lesson=one-request"), "one-request.json starts.json");
        assert_eq!(needed("?scenario=gateway-and-cache&embed=1"), "starts.json");
        assert_eq!(needed("?document={}&embed=1"), "");
        assert_eq!(needed("?lesson=nothing"), "");
    }

    #[test]
    fn a_file_that_does_not_come_or_is_none_is_named() {
        let mut files = Files::default();
        files.take("a.json", Err("the server answered 404".into()));
        files.take("b.json", Ok("<html>".into()));
        files.take("c.json", Ok("{}".into()));
        let problems: String = files.lesson().unwrap_err().iter().map(Problem::to_string).collect();
        for part in [
            "course/a.json cannot be read: the server answered 404",
            "course/b.json",
            "course/c.json cannot be read: it has no lesson",
        ] {
            assert!(problems.contains(part), "{problems}");
        }
    }
}
