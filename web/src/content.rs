//! The lesson and its scenario, made of the course's files.

use crate::draft::changes::alone;
use crate::files::{Files, lesson_of};
use crate::route::Asked;
use crate::state::player::Player;
use crate::state::settings::Settings;
use crate::text::refusals as text;
use sandbox_core::Run;
use sandbox_core::lesson::{self, Challenge, GoalResult, Lesson, judge_challenge};
use sandbox_core::link::Link;
use sandbox_core::scenario::{Document, Map, Plan, Problem, json_number};
use sandbox_core::study::Case;
use serde_json::Value;
use std::rc::Rc;

/// A lesson with its scenario.
pub struct Content {
    /// The lesson.
    pub lesson: Lesson,
    /// Its prose: heading and HTML, in order.
    pub prose: Vec<(String, Rc<str>)>,
    /// Its scenario.
    pub document: Document,
    /// What of a link names it.
    pub origin: Link,
}

impl Content {
    /// The lesson that the address names, of the files that it needs; all problems at once if there is none or if it is broken.
    pub fn load(link: &Link, files: &Files) -> Result<Content, Vec<Problem>> {
        if let Some(document) = own_document(link, files)? {
            let Link { document: text, scenario, .. } = link.clone();
            return Ok(Content::alone(document, Link { document: text, scenario, ..Link::default() }));
        }
        let Some(id) = lesson_of(link)? else {
            let what = text::no_lesson_plays(link.scenario.as_deref().unwrap_or_default());
            return Err(vec![Problem::new("scenario", what, text::on_command_line())]);
        };
        let file = files.lesson()?;
        let lesson = Lesson::parse(&file.lesson.to_string())?;
        let document = Document::from_json(file.scenario.clone());
        let origin = Link { lesson: Some(id.into()), ..Link::default() };
        Ok(Content { lesson, prose: file.prose.clone(), document, origin })
    }

    /// The same of an address, with the course that this program was built with: for tests and tools, which have no site.
    pub fn built_in(address: &str) -> Result<Content, Vec<Problem>> {
        let asked = Asked::of(address);
        Content::load(&asked.link, &Files::built_in(&asked))
    }

    /// A document on its own: a lesson that asks nothing and has nothing to tell.
    pub fn alone(document: Document, origin: Link) -> Content {
        let title = document.at("title").and_then(Value::as_str).unwrap_or(text::a_scenario()).to_string();
        let knobs: Vec<String> = document
            .at("knobs")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|knobs| knobs.keys().cloned())
            .collect();
        let nothing = || lesson::Measured { query: String::new(), one_minus: false, format: lesson::Format::Count };
        let lesson = Lesson {
            format_version: 1,
            id: String::new(),
            number: String::new(),
            series: "Playground".into(),
            title,
            teaser: String::new(),
            minutes: 0,
            lede: String::new(),
            scenario: document.id().into(),
            variant: "A".into(),
            compare_with: "A".into(),
            // The challenge's beat, in which every knob may be turned.
            beats: vec![String::new()],
            prediction: lesson::Prediction {
                question: String::new(),
                until_s: None,
                options: Vec::new(),
                answer: String::new(),
                measured: nothing(),
            },
            challenge: Challenge {
                text: String::new(),
                start: "A".into(),
                solution: "A".into(),
                knobs: knobs.clone(),
                goals: Vec::new(),
                at_most: Map::new(),
            },
            knobs,
            charts: Player::usual_charts(),
            numbers: Map::new(),
        };
        Content { lesson, prose: Vec::new(), document, origin }
    }

    /// What the playground starts from when it is opened with this link: the link's own document, or a scenario's, standing alone
    /// with the variant and the changes that the link asks for. None: it asks for no scenario. Errors: all that does not fit.
    pub fn to_change(link: &Link, files: &Files) -> Result<Option<Value>, Vec<Problem>> {
        if (&link.document, &link.lesson, &link.scenario) == (&None, &None, &None) {
            return Ok(None);
        }
        let content = Content::load(link, files)?;
        let variant = link.variant.as_ref().unwrap_or(&content.lesson.variant);
        let mut changes = link.set.clone();
        changes.extend(link.seed.map(|seed| ("seed".into(), seed.into())));
        match (&link.document, &link.variant) {
            (Some(_), None) => Ok(Some(content.document.patched("A", &changes)?.json().clone())),
            _ => alone(&content.document, variant, &changes).map(Some),
        }
    }

    /// What the address sets, and what of it was not understood: a variant that is not there leaves the lesson's own, and a change
    /// that the scenario does not take is left out.
    pub fn settings(&self, asked: &Asked) -> (Settings, Vec<Problem>) {
        let (known, link) = (self.document.variants(), &asked.link);
        let variant = link.variant.as_ref().filter(|variant| known.contains(variant));
        let mut unread = asked.unread.clone();
        if let (Some(wanted), None) = (&link.variant, variant) {
            let what = text::no_variant(wanted);
            unread.push(Problem::new("variant", what, text::known(known.join(", "))));
        }
        let variant = variant.unwrap_or(&self.lesson.variant).clone();
        let set = self.fitting(&variant, &link.set, &mut unread);
        (Settings { variant, set, seed: link.seed, ..Settings::default() }, unread)
    }

    /// Those of the changes that the scenario takes, one after the other; the others are among the problems.
    fn fitting(&self, variant: &str, changes: &[(String, Value)], problems: &mut Vec<Problem>) -> Vec<(String, Value)> {
        let refused = |changes: &[(String, Value)]| self.document.plan(variant, changes).err();
        // Where nothing runs anyway no change is to blame.
        if refused(changes).is_none() || refused(&[]).is_some() {
            return changes.to_vec();
        }
        let mut fitting = Vec::new();
        for change in changes {
            fitting.push(change.clone());
            if let Some(problem) = refused(&fitting).and_then(|found| found.into_iter().next()) {
                fitting.pop();
                let place = if problem.path == change.0 { String::new() } else { format!("{} ", problem.path) };
                let what = text::cannot_be_set(format!("{}={}", change.0, change.1), place + &problem.what);
                problems.push(Problem::new("set", what, problem.hint));
            }
        }
        fitting
    }

    /// The plan of these settings.
    pub fn plan(&self, settings: &Settings) -> Result<Plan, Vec<Problem>> {
        self.document.plan(&settings.variant, &self.with_seed(settings))
    }

    /// The document of these settings.
    pub fn patched(&self, settings: &Settings) -> Document {
        let patched = self.document.patched(&settings.variant, &self.with_seed(settings));
        patched.unwrap_or_else(|_| self.document.clone())
    }

    /// The changes of the document that these settings make, in order.
    pub fn changes(&self, settings: &Settings) -> Vec<(String, Value)> {
        let mut changes = settings.set.clone();
        for (id, value) in &settings.knobs {
            if let Some(path) = self.document.at(&format!("knobs.{id}.path")).and_then(Value::as_str) {
                changes.push((path.into(), json_number(*value)));
            }
        }
        changes
    }

    /// The same as a case of a study.
    pub fn case(&self, settings: &Settings) -> Case {
        Case { label: String::new(), variant: settings.variant.clone(), changes: self.with_seed(settings) }
    }

    fn with_seed(&self, settings: &Settings) -> Vec<(String, Value)> {
        let mut changes = self.changes(settings);
        changes.extend(settings.seed.map(|seed| ("seed".into(), seed.into())));
        changes
    }

    /// The measured answer to the prediction's question, on the lesson's own run.
    pub fn measure(&self, run: &Run) -> Option<f64> {
        lesson::measured(run.plan(), run.folds(), &self.lesson.prediction.measured).ok().flatten()
    }

    /// How a run with these settings stands to the challenge's goal.
    pub fn goals(&self, run: &Run, settings: &Settings) -> Option<Vec<GoalResult>> {
        judge_challenge(&self.lesson.challenge, &self.patched(settings), run.plan(), run.folds()).ok()
    }

    /// The same for a case of a study.
    pub fn goals_of(&self, run: &Run, case: &Case) -> Option<Vec<GoalResult>> {
        let document = self.document.patched(&case.variant, &case.changes).ok()?;
        judge_challenge(&self.lesson.challenge, &document, run.plan(), run.folds()).ok()
    }

    /// The prose of a beat.
    pub fn prose_of(&self, beat: usize) -> Rc<str> {
        let heading = self.lesson.beats.get(beat);
        let part = self.prose.iter().find(|(known, _)| heading == Some(known));
        part.map_or("".into(), |(_, html)| html.clone())
    }
}

/// The document that a link is about where no lesson plays on it: its own, or a template.
fn own_document(link: &Link, files: &Files) -> Result<Option<Document>, Vec<Problem>> {
    if let Some(text) = &link.document {
        return Document::parse(text).map(Some);
    }
    let template = |id: &String| files.starts().templates.iter().find(|document| document.id() == id);
    Ok(link.scenario.as_ref().filter(|_| link.lesson.is_none()).and_then(template).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::FIRST_LESSON;
    use crate::state::session::Change;

    #[test]
    fn a_variant_that_is_not_there_is_named_and_the_lessons_own_is_taken() {
        let asked = Asked::of("?variant=Z&step=abc&seed=3");
        let content = Content::load(&asked.link, &Files::built_in(&asked)).expect("the lesson is sound");
        let (settings, unread) = content.settings(&asked);
        assert_eq!((settings.variant, settings.seed), (content.lesson.variant.clone(), Some(3)));
        let unread: Vec<String> = unread.iter().map(Problem::to_string).collect();
        assert!(unread[0].starts_with("step: `abc` is not understood"), "{unread:?}");
        assert!(unread[1].starts_with("variant: there is no variant `Z`. Known: A, B"), "{unread:?}");
        assert_eq!(content.settings(&Asked::of("?variant=A")).0.variant, "A");
    }

    #[test]
    fn a_change_that_the_scenario_does_not_take_is_named_and_left_out() {
        let read = |set: &str| {
            let asked = Asked::of(&format!("?lesson=one-request{set}"));
            let content = Content::load(&asked.link, &Files::built_in(&asked)).expect("the lesson is sound");
            let (settings, unread) = content.settings(&asked);
            assert!(content.plan(&settings).is_ok(), "the page works");
            (settings.set.len(), unread.iter().map(Problem::to_string).collect::<Vec<_>>())
        };
        assert_eq!(read("&set=nodes.api.workers=3"), (1, vec![]));
        let (taken, told) = read(
            "&set=nodes.nope.workers=3&set=nodes.api.workers=-1&set=nodes.api.workers=1e9&set=nodes.api.workers=2",
        );
        assert_eq!((taken, told.len()), (1, 3), "{told:?}");
        assert!(told[0].starts_with("set: `nodes.nope.workers=3` cannot be set: `nope`"), "{told:?}");
        assert!(told[1].contains("`nodes.api.workers=-1`") && told[1].contains("is -1"), "{told:?}");
        assert!(
            told[2].contains("is 1000000000.0, not a whole number from 0 to 4294967295, written without"),
            "{told:?}"
        );
    }

    #[test]
    fn a_scenario_opens_the_lesson_that_plays_on_it() {
        let content = Content::built_in("?scenario=database-outage").expect("there is one");
        assert_eq!(content.lesson.id, FIRST_LESSON);
        assert_eq!(content.origin.lesson.as_deref(), Some(FIRST_LESSON));
        let refused = Content::built_in("?scenario=nothing").err().expect("there is none");
        assert_eq!(refused[0].path, "scenario");
    }

    #[test]
    fn the_playground_starts_from_what_a_lesson_shows() {
        let started = |address: &str| {
            let asked = Asked::of(address);
            Content::to_change(&asked.link, &Files::built_in(&asked))
        };
        let json =
            started("?playground&lesson=the-database-goes-away&seed=9&set=nodes.cache.ttl_s=7").unwrap().unwrap();
        assert_eq!(
            (&json["seed"], &json["nodes"]["cache"]["ttl_s"]),
            (&9.into(), &7.into()),
            "the lesson's own variant"
        );
        assert!(json.get("variants").is_none() && json.get("claims").is_none());
        assert_eq!(started("?playground&scenario=one-service").unwrap().unwrap()["id"], "one-service");
        assert_eq!(started("?document={%22id%22:%22x%22}").unwrap().unwrap(), serde_json::json!({ "id": "x" }));
        assert_eq!(started("?playground&seed=3"), Ok(None));
        assert!(started("?playground&lesson=nothing").is_err() && started("?document={").is_err());
    }

    #[test]
    fn a_document_alone_can_be_played_and_every_knob_turned() {
        let content = Content::built_in("?scenario=gateway-and-cache").expect("it is a template");
        assert_eq!(content.lesson.challenge.knobs, ["rate", "replicas", "ttl"]);
        let mut session = crate::state::session::Session::new(
            std::rc::Rc::new(content),
            Settings { variant: "A".into(), ..Settings::default() },
            true,
            false,
        );
        session.finish();
        assert_eq!(session.here().scenario.as_deref(), Some("gateway-and-cache"));
        let mut other = session.content.document.json().clone();
        other["seed"] = 5.into();
        session.replace(Document::from_json(other.clone()), Change::Edited);
        session.finish();
        assert!(session.player.ghost.is_some() && session.plan().is_some_and(|plan| plan.seed == 5));
        session.replace(Document::from_json(other.clone()), Change::Opened);
        assert!(session.player.ghost.is_none(), "a document that was opened is compared with none before");
        session.finish();
        other["id"] = "another".into();
        session.replace(Document::from_json(other), Change::Edited);
        assert!(session.player.ghost.is_none(), "nor is another one");
    }
}
