//! The lesson and its scenario, from the course that is embedded in the program.

use crate::route::{Asked, FIRST_LESSON};
use crate::state::settings::Settings;
use sandbox_core::Run;
use sandbox_core::lesson::{self, GoalResult, Lesson, judge_challenge};
use sandbox_core::link::Link;
use sandbox_core::scenario::{Document, Plan, Problem};
use serde_json::Value;

/// A lesson with its scenario.
pub struct Content {
    /// The lesson.
    pub lesson: Lesson,
    /// Its prose: heading and HTML, in order.
    pub prose: &'static [(&'static str, &'static str)],
    /// Its scenario.
    pub document: Document,
}

impl Content {
    /// The lesson that the address names; all problems at once if there is none or if it is broken.
    pub fn load(link: &Link) -> Result<Content, Vec<Problem>> {
        let id = lesson_of(link)?;
        let Some((json, prose)) = lessons::lesson(&id) else {
            let known: Vec<&str> = lessons::LESSONS.iter().map(|(id, ..)| *id).collect();
            let what = format!("there is no lesson `{id}`");
            return Err(vec![Problem::new("lesson", what, format!("Known: {}.", known.join(", ")))]);
        };
        let lesson = Lesson::parse(json)?;
        let Some(scenario) = lessons::lesson_scenario(&lesson.scenario) else {
            let what = format!("there is no scenario `{}`", lesson.scenario);
            return Err(vec![Problem::new("scenario", what, "Name a scenario of the course.")]);
        };
        let document = Document::parse(scenario)?;
        Ok(Content { lesson, prose, document })
    }

    /// What the address sets, and what of it was not understood: a variant that is not there leaves the lesson's own.
    pub fn settings(&self, asked: &Asked) -> (Settings, Vec<Problem>) {
        let (known, link) = (self.document.variants(), &asked.link);
        let variant = link.variant.as_ref().filter(|variant| known.contains(variant));
        let mut unread = asked.unread.clone();
        if let (Some(wanted), None) = (&link.variant, variant) {
            let what = format!("there is no variant `{wanted}`");
            unread.push(Problem::new("variant", what, format!("Known: {}.", known.join(", "))));
        }
        let variant = variant.unwrap_or(&self.lesson.variant).clone();
        (Settings { variant, set: link.set.clone(), seed: link.seed, ..Settings::default() }, unread)
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
                // A whole number stays one: counts are not read from 3.0.
                let value = if value.fract() == 0.0 { Value::from(*value as i64) } else { Value::from(*value) };
                changes.push((path.into(), value));
            }
        }
        changes
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

    /// The prose of a beat.
    pub fn prose_of(&self, beat: usize) -> &'static str {
        let heading = self.lesson.beats.get(beat);
        self.prose
            .iter()
            .find(|(known, _)| heading.is_some_and(|heading| heading == known))
            .map_or("", |(_, html)| html)
    }
}

/// The lesson that a link is about: the one it names, or the first that plays on the scenario it names.
fn lesson_of(link: &Link) -> Result<String, Vec<Problem>> {
    let (None, Some(scenario)) = (&link.lesson, &link.scenario) else {
        return Ok(link.lesson.clone().unwrap_or_else(|| FIRST_LESSON.into()));
    };
    let plays = |json: &str| Lesson::parse(json).is_ok_and(|lesson| lesson.scenario == *scenario);
    let lesson = lessons::LESSONS.iter().find(|(_, _, json, _)| plays(json)).map(|(id, ..)| id.to_string());
    lesson.ok_or_else(|| {
        let what = format!("no lesson plays on a scenario `{scenario}`");
        vec![Problem::new("scenario", what, "Give the whole link to `faultline run` on a command line.")]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_that_is_not_there_is_named_and_the_lessons_own_is_taken() {
        let asked = Asked::of("?variant=Z&step=abc&seed=3");
        let content = Content::load(&asked.link).expect("the lesson is sound");
        let (settings, unread) = content.settings(&asked);
        assert_eq!((settings.variant, settings.seed), (content.lesson.variant.clone(), Some(3)));
        let unread: Vec<String> = unread.iter().map(Problem::to_string).collect();
        assert!(unread[0].starts_with("step: `abc` is not understood"), "{unread:?}");
        assert!(unread[1].starts_with("variant: there is no variant `Z`. Known: A, B"), "{unread:?}");
        assert_eq!(content.settings(&Asked::of("?variant=A")).0.variant, "A");
    }
    #[test]
    fn a_scenario_opens_the_lesson_that_plays_on_it() {
        let content = Content::load(&Asked::of("?scenario=database-outage").link).expect("there is one");
        assert_eq!(content.lesson.id, FIRST_LESSON);
        let refused = Content::load(&Asked::of("?scenario=nothing").link).err().expect("there is none");
        assert_eq!(refused[0].path, "scenario");
    }
}
