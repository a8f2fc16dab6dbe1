//! What somebody works on in the playground: a document as text and as a value, what is wrong with it, and its states before.

use crate::draft::changes::alone;
use crate::draft::edit::{Edit, apply};
use crate::draft::history::History;
use crate::draft::kept::Kept;
use crate::draft::text::{Placed, write};
use crate::draft::{Way, at};
use crate::files::Starts;
use crate::text::{playground as text, refusals};
use sandbox_core::scenario::{Document, Problem, read_value};
use serde_json::Value;
use std::rc::Rc;

/// Longer texts are not opened: no scenario is that long, and a page would be busy with one.
const TEXT_MAX: usize = 400_000;
/// What the playground begins with.
const FIRST: &str = "one-service";

/// A state that can be gone back to: the text, and the place that was looked at.
type Moment = (String, Way);

/// A document in work.
pub struct Workshop {
    starts: Rc<Starts>,
    text: String,
    /// The value of the text, or of the last text that was JSON.
    json: Value,
    /// Whether the text is no JSON.
    is_broken: bool,
    problems: Vec<Problem>,
    history: History<Moment>,
    /// The place that is looked at.
    selected: Way,
    /// Counts how often somebody chose a place to look at.
    pub looked: u32,
    /// What the browser keeps.
    pub kept: Kept,
    /// What there is to say about the latest change, if anything.
    pub said: String,
}

/// Something that is done to a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Changes it.
    Edit(Edit),
    /// Changes it again and again, as a knob does; undone together.
    Turn(Edit),
    /// The knob was let go.
    Settle,
    /// Looks at a place.
    Select(Way),
    /// Takes a text in its place: typed.
    Type(String),
    /// Starts from a variant of a known scenario.
    Start(String, String),
    /// Opens a file of this name and text.
    Open(String, String),
    /// The state before.
    Undo,
    /// The state that was undone.
    Redo,
    /// Keeps it under a name.
    Keep(String),
    /// Goes back to what was kept under a name.
    Restore(String),
    /// Forgets what was kept under a name.
    Forget(String),
}

impl Workshop {
    /// Begins with a text, or with what was left here. What was left before a text that came with a link is kept as a version.
    pub fn new(starts: Rc<Starts>, text: Option<String>, kept: Kept) -> Workshop {
        let first = || started(&starts, FIRST, "A").unwrap_or_default();
        let text = text.or_else(|| kept.draft.clone()).unwrap_or_else(first);
        let mut workshop = Workshop {
            starts,
            text: String::new(),
            json: Value::Null,
            is_broken: false,
            problems: Vec::new(),
            history: History::default(),
            selected: Way::new(),
            looked: 0,
            kept,
            said: String::new(),
        };
        let left = workshop.kept.draft.clone().filter(|left| *left != text && !workshop.kept.has(left));
        if let Some(left) = left {
            let name = workshop.kept.keep("", &left);
            workshop.said = text::kept_before(&name);
        }
        workshop.take(text);
        workshop
    }

    /// What it can be started from.
    pub fn starts(&self) -> &Starts {
        &self.starts
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value, or that of the last text that was JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// All that is wrong with it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The place that is looked at.
    pub fn selected(&self) -> &Way {
        &self.selected
    }

    /// The node that is looked at, if it is one.
    pub fn node(&self) -> Option<&str> {
        match self.selected.as_slice() {
            [section, node, ..] if section == "nodes" => Some(node),
            _ => None,
        }
    }

    /// Whether anything can be undone, and whether anything can be done again.
    pub fn can(&self) -> (bool, bool) {
        self.history.can()
    }

    /// The document, if it can run.
    pub fn document(&self) -> Option<Document> {
        self.problems.is_empty().then(|| Document::from_json(self.json.clone()))
    }

    /// Does something.
    pub fn act(&mut self, act: Act) {
        self.said.clear();
        match act {
            Act::Edit(edit) => self.edit(&edit, false),
            Act::Turn(edit) => self.edit(&edit, true),
            Act::Settle => self.history.settle(),
            Act::Select(way) => {
                self.history.settle();
                self.selected = way;
                self.looked += 1;
            }
            Act::Type(text) => {
                self.history.leave((self.text.clone(), self.selected.clone()), Some("text"));
                self.take(text);
            }
            Act::Start(id, variant) => match started(&self.starts, &id, &variant) {
                Some(text) => self.replace(text, text::started(&id, &variant)),
                None => self.said = text::no_scenario(&id),
            },
            Act::Open(name, text) => self.open(&name, text),
            Act::Undo => self.go(History::undo, text::nothing_to_undo()),
            Act::Redo => self.go(History::redo, text::nothing_to_redo()),
            Act::Keep(name) => self.said = text::kept(self.kept.keep(&name, &self.text)),
            Act::Restore(name) => {
                if let Some(text) = self.kept.text(&name).map(str::to_string) {
                    self.replace(text, text::is_back(&name));
                }
            }
            Act::Forget(name) => {
                self.kept.forget(&name);
                self.said = text::is_forgotten(&name);
            }
        }
        self.kept.draft = Some(self.text.clone());
    }

    fn edit(&mut self, edit: &Edit, goes_on: bool) {
        if self.is_broken {
            self.said = text::no_json().into();
            return;
        }
        let mut json = self.json.clone();
        match apply(&mut json, edit) {
            Ok(place) => {
                let about = match edit {
                    Edit::Set(way, _) if goes_on => Some(way.join(".")),
                    _ => None,
                };
                self.history.leave((self.text.clone(), self.selected.clone()), about.as_deref());
                let text = write(&json, Placed::read(&self.text).as_ref());
                self.take(text);
                // A field that was filled in is no other place to look at.
                if !matches!(edit, Edit::Set(..)) {
                    self.selected = place.into_iter().take(2).collect();
                }
            }
            Err(why) => self.said = text::cannot_be_done(&why),
        }
    }

    fn open(&mut self, name: &str, text: String) {
        let refused = match read_value(&text) {
            _ if text.len() > TEXT_MAX => {
                Some(Problem::new("", refusals::too_long_scenario(), refusals::nothing_changed()))
            }
            Ok(Value::Object(_)) => None,
            Ok(_) => Some(Problem::new("", refusals::no_object(), refusals::nothing_changed())),
            Err(problems) => problems.into_iter().next(),
        };
        match refused {
            Some(problem) => self.said = text::cannot_be_opened(name, problem),
            None => self.replace(text, text::is_open(name)),
        }
    }

    fn replace(&mut self, text: String, said: String) {
        self.history.leave((self.text.clone(), self.selected.clone()), None);
        self.selected.clear();
        self.take(text);
        self.said = said;
    }

    fn go(&mut self, way: fn(&mut History<Moment>, Moment) -> Result<Moment, Moment>, nothing: &str) {
        let present = (self.text.clone(), std::mem::take(&mut self.selected));
        match way(&mut self.history, present) {
            Ok((text, selected)) => {
                self.selected = selected;
                self.take(text);
            }
            Err((_, selected)) => {
                self.selected = selected;
                self.said = nothing.into();
            }
        }
    }

    fn take(&mut self, text: String) {
        self.problems = match Document::parse(&text) {
            Ok(document) => {
                self.json = document.json().clone();
                self.is_broken = false;
                document.check()
            }
            Err(problems) => {
                self.is_broken = true;
                problems
            }
        };
        self.text = text;
        while at(&self.json, &self.selected).is_none() {
            self.selected.pop();
        }
        if self.selected.len() < 2 {
            self.selected.clear();
        }
    }
}

/// The text of a variant of a known scenario, standing alone.
fn started(starts: &Starts, id: &str, variant: &str) -> Option<String> {
    alone(starts.get(id)?, variant, &[]).ok().map(|json| write(&json, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::way;
    use crate::files::Files;
    use crate::route::Asked;

    fn starts() -> Rc<Starts> {
        Files::built_in(&Asked::of("?playground")).starts().clone()
    }

    fn workshop() -> Workshop {
        Workshop::new(starts(), None, Kept::default())
    }

    fn set(path: &[&str], value: i32) -> Edit {
        Edit::Set(way(path), value.into())
    }

    #[test]
    fn it_begins_with_something_that_runs_or_with_what_was_left() {
        assert!(workshop().document().is_some());
        let kept = Kept { draft: Some("{ \"left\": ".into()), ..Kept::default() };
        assert_eq!(Workshop::new(starts(), None, kept.clone()).text(), "{ \"left\": ");
        let opened = Workshop::new(starts(), Some("{}".into()), kept.clone());
        assert_eq!((opened.text(), opened.kept.text("Version 1")), ("{}", Some("{ \"left\": ")), "nothing is lost");
        let again = Workshop::new(starts(), Some("[]".into()), opened.kept);
        assert_eq!((again.kept.versions.len(), again.said.as_str()), (1, ""), "nor kept twice");
    }

    #[test]
    fn form_and_text_are_one_document_and_a_broken_text_is_not_overwritten() {
        let mut workshop = workshop();
        workshop.act(Act::Edit(set(&["nodes", "api", "workers"], 3)));
        assert!(workshop.text().contains("\"workers\": 3"), "{}", workshop.text());
        let typed = workshop.text().replace("\"workers\": 3", "\"workers\": x");
        workshop.act(Act::Type(typed.clone()));
        assert!(workshop.document().is_none() && workshop.problems()[0].what.contains("is not JSON"));
        workshop.act(Act::Edit(set(&["seed"], 9)));
        assert_eq!((workshop.text(), workshop.said.is_empty()), (typed.as_str(), false));
        workshop.act(Act::Undo);
        assert!(workshop.document().is_some() && workshop.text().contains("\"workers\": 3"));
        workshop.act(Act::Redo);
        assert_eq!(workshop.text(), typed);
    }

    #[test]
    fn every_problem_of_the_command_line_is_listed() {
        let mut workshop = workshop();
        workshop.act(Act::Edit(set(&["nodes", "api", "workers"], -1)));
        workshop.act(Act::Edit(Edit::Set(way(&["faults", "outage", "node"]), "nobody".into())));
        let document = Document::parse(workshop.text()).expect("it is JSON");
        assert_eq!(workshop.problems(), document.check());
        let paths: Vec<&str> = workshop.problems().iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["nodes.api.workers", "faults.outage.node"]);
    }

    #[test]
    fn a_turned_knob_is_undone_in_one_go() {
        let mut workshop = workshop();
        let before = workshop.text().to_string();
        for workers in 1..30 {
            workshop.act(Act::Turn(set(&["nodes", "api", "workers"], workers)));
        }
        workshop.act(Act::Settle);
        workshop.act(Act::Turn(set(&["nodes", "db", "readers"], 2)));
        workshop.act(Act::Undo);
        assert!(workshop.text().contains("\"workers\": 29"));
        workshop.act(Act::Undo);
        assert_eq!(workshop.text(), before);
        workshop.act(Act::Undo);
        assert_eq!(workshop.said, text::nothing_to_undo());
    }

    #[test]
    fn a_bad_file_is_refused_and_nothing_is_lost() {
        let mut workshop = workshop();
        let before = workshop.text().to_string();
        for (text, why) in [
            ("{", "line 1"),
            ("[1]", "no JSON object"),
            (&" ".repeat(500_000), "too long"),
            ("{\"a\": 1, \"a\": 2}", "more than once"),
        ] {
            workshop.act(Act::Open("x.json".into(), text.into()));
            assert!(workshop.said.contains("cannot be opened") && workshop.said.contains(why), "{}", workshop.said);
            assert_eq!(workshop.text(), before);
        }
        // A file that cannot run is opened with all its problems: that is what the editor is for.
        workshop.act(Act::Open("x.json".into(), "{\"id\": \"x\"}".into()));
        assert!(!workshop.problems().is_empty());
        workshop.act(Act::Undo);
        assert_eq!(workshop.text(), before);
    }

    #[test]
    fn versions_are_kept_and_come_back() {
        let mut workshop = workshop();
        let first = workshop.text().to_string();
        workshop.act(Act::Keep("first".into()));
        workshop.act(Act::Start("database-outage".into(), "B".into()));
        assert!(workshop.json()["nodes"]["cache"].is_object());
        workshop.act(Act::Restore("first".into()));
        assert_eq!(workshop.text(), first);
        assert_eq!(Workshop::new(starts(), None, workshop.kept.clone()).text(), first, "the draft is kept as well");
        workshop.act(Act::Forget("first".into()));
        assert!(workshop.kept.versions.is_empty());
        workshop.act(Act::Start("nothing".into(), "A".into()));
        assert_eq!(workshop.text(), first);
    }

    #[test]
    fn what_is_looked_at_follows_the_document() {
        let mut workshop = workshop();
        workshop.act(Act::Edit(Edit::AddNode("cache".into())));
        assert_eq!(workshop.node(), Some("cache"));
        workshop.act(Act::Edit(Edit::Rename(way(&["nodes", "cache"]), "copies".into())));
        assert_eq!(workshop.node(), Some("copies"));
        workshop.act(Act::Edit(Edit::Remove(way(&["nodes", "copies"]))));
        assert_eq!(workshop.selected(), &Way::new());
        workshop.act(Act::Undo);
        assert_eq!(workshop.node(), Some("copies"));
    }
}
