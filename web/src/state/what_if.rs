//! What if: the scenario run again and again with something different each time, computed in slices beside the run on the stage.

use crate::content::Content;
use crate::state::player::STEPS_AT_ONCE;
use crate::state::settings::Settings;
use sandbox_core::Run;
use sandbox_core::scenario::KnobView;
use sandbox_core::study::{
    Case, FaultEnds, Outcome, Rates, Study, fault_ends, grid, nodes_down, rates, seeds, without,
};

/// Seeds of the same story.
const SEEDS: u32 = 20;
/// Moments at which a fault ends, and seeds of each: 64 runs.
const ENDS: (u32, u32) = (16, 4);
/// Values of a knob on a side of the map.
const SIDE: usize = 7;

/// A question about the whole scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which part does what: without each in turn.
    Without,
    /// What is luck.
    Seeds,
    /// Two knobs against each other.
    Map,
    /// Which part takes everything with it.
    PartsDown,
    /// Which part is full first.
    Load,
    /// From when on the system does not come back.
    TooLate,
}

impl Question {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Question; 6] =
        [Question::Without, Question::Seeds, Question::Map, Question::PartsDown, Question::Load, Question::TooLate];
}

/// What a study is about besides its cases.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Nothing besides.
    Plain,
    /// Knobs laid out across and down, each with its values.
    Map(Vec<(KnobView, Vec<f64>)>),
    /// Loads.
    Load(Rates),
    /// Ends of a fault.
    TooLate(FaultEnds),
}

/// A study under way, or done.
pub struct Job {
    /// What it asks.
    pub question: Question,
    /// What of.
    pub subject: Subject,
    /// The settings that it started from.
    pub settings: Settings,
    /// Its cases.
    pub study: Study,
    /// What came of those that are computed, in order.
    pub outcomes: Vec<Outcome>,
    /// Which of the challenge's goals they reach: how many, of how many.
    pub goals: Vec<(usize, usize)>,
    run: Option<Run>,
}

impl Job {
    /// Whether there is nothing left to compute.
    pub fn is_done(&self) -> bool {
        self.outcomes.len() == self.study.cases().len()
    }
}

/// The questions, and the answer that is shown.
pub struct WhatIf {
    /// The question that is open.
    pub question: Question,
    /// The knobs of the map, across and down.
    pub knobs: [Option<String>; 2],
    /// The study of the open question.
    pub job: Option<Job>,
}

impl Default for WhatIf {
    fn default() -> WhatIf {
        WhatIf { question: Question::Without, knobs: [None, None], job: None }
    }
}

impl WhatIf {
    /// Opens a question; the answer to another one is given up.
    pub fn open(&mut self, question: Question) {
        self.question = question;
        self.give_up();
    }

    /// Stops computing and forgets what was found.
    pub fn give_up(&mut self) {
        self.job = None;
    }

    /// Whether runs are left to compute.
    pub fn is_working(&self) -> bool {
        self.job.as_ref().is_some_and(|job| !job.is_done())
    }

    /// Begins to answer the open question about these settings.
    pub fn start(&mut self, content: &Content, settings: &Settings) {
        let base = content.case(settings);
        let (subject, cases) = match self.question {
            Question::Without => {
                let mut cases = without(&content.document, &base);
                // The challenge's variants are for the learner to find.
                let (lesson, challenge) = (&content.lesson, &content.lesson.challenge);
                let known = [&base.variant, &lesson.variant, &lesson.compare_with];
                let tells = |variant: &String| [&challenge.start, &challenge.solution].contains(&variant);
                cases.retain(|case| known.contains(&&case.variant) || !tells(&case.variant));
                (Subject::Plain, cases)
            }
            Question::Seeds => (Subject::Plain, seeds(&base, SEEDS)),
            Question::PartsDown => (Subject::Plain, nodes_down(&content.document, &base)),
            Question::Load => {
                let rates = rates(&content.document, &base);
                (Subject::Load(rates.clone()), rates.cases)
            }
            Question::TooLate => {
                let ends = fault_ends(&content.document, &base, ENDS.0, ENDS.1);
                (Subject::TooLate(ends.clone()), ends.cases)
            }
            Question::Map => {
                let axes = self.axes(content, settings);
                let axis =
                    |number: usize| axes.get(number).map(|(knob, values)| (knob.spec.path.as_str(), values.as_slice()));
                let cases = axis(0).map_or_else(Vec::new, |across| grid(&base, across, axis(1)));
                (Subject::Map(axes.clone()), cases)
            }
        };
        let study = Study::new(&content.document, cases);
        let settings = settings.clone();
        self.job =
            Some(Job { question: self.question, subject, settings, study, outcomes: vec![], goals: vec![], run: None });
    }

    /// The knobs of the map with the values that are tried: those that were chosen, or the first ones of the scenario.
    fn axes(&self, content: &Content, settings: &Settings) -> Vec<(KnobView, Vec<f64>)> {
        let known = content.patched(settings).knobs();
        let named = |id: &Option<String>| known.iter().position(|knob| id.as_ref() == Some(&knob.id));
        let across = named(&self.knobs[0]).unwrap_or(0);
        let other = (0..known.len()).find(|place| *place != across);
        let down = named(&self.knobs[1]).filter(|place| *place != across).or(other);
        let axis = |place: usize| known.get(place).map(|knob| (knob.clone(), values(knob)));
        [Some(across), down].into_iter().flatten().filter_map(axis).collect()
    }

    /// Computes for at most `budget_ms`; true when another case is known. `clock` gives milliseconds.
    pub fn compute(&mut self, content: &Content, budget_ms: f64, clock: &dyn Fn() -> f64) -> bool {
        let Some(job) = self.job.as_mut().filter(|job| !job.is_done()) else { return false };
        let begin = clock();
        let number = job.outcomes.len();
        let run = job.run.get_or_insert_with(|| job.study.start(number));
        while clock() - begin < budget_ms {
            if run.advance(STEPS_AT_ONCE) {
                job.outcomes.push(Outcome::of(run));
                let goals = content.goals_of(run, &job.study.cases()[number]).unwrap_or_default();
                job.goals.push((goals.iter().filter(|goal| goal.reached).count(), goals.len()));
                job.run = None;
                return true;
            }
        }
        false
    }

    /// The settings of a case, if it is one of the answer's.
    pub fn settings_of(&self, content: &Content, case: usize) -> Option<Settings> {
        let job = self.job.as_ref()?;
        let Case { variant, changes, .. } = job.study.cases().get(case)?;
        let own = content.case(&job.settings).changes.len();
        let mut settings = job.settings.clone();
        if settings.variant != *variant {
            settings.variant.clone_from(variant);
            settings.knobs.clear();
        }
        for (path, value) in changes.iter().skip(own) {
            match value.as_u64().filter(|_| path == "seed") {
                Some(seed) => settings.seed = Some(seed),
                None => settings.change(path.clone(), value.clone()),
            }
        }
        Some(settings)
    }
}

/// Values of a knob from its lowest to its highest, on its steps.
fn values(knob: &KnobView) -> Vec<f64> {
    let spec = &knob.spec;
    let steps = ((spec.max - spec.min) / spec.step).round().max(1.0);
    let count = SIDE.min(steps as usize + 1);
    let value = |number: usize| {
        let step = (steps * number as f64 / (count - 1).max(1) as f64).round();
        let value = spec.min + step * spec.step;
        // 0.1 + 0.2 is to be 0.3.
        (value * 1e9).round() / 1e9
    };
    (0..count).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(question: Question) -> (Content, WhatIf) {
        let content = Content::built_in("?lesson=the-database-goes-away").expect("the lesson is sound");
        let settings = Settings { variant: content.lesson.variant.clone(), ..Settings::default() };
        let mut what_if = WhatIf { question, ..WhatIf::default() };
        what_if.start(&content, &settings);
        while what_if.is_working() {
            what_if.compute(&content, 1e9, &|| 0.0);
        }
        (content, what_if)
    }

    #[test]
    fn a_case_on_the_stage_is_the_run_that_was_computed() {
        let (content, what_if) = answered(Question::Without);
        let job = what_if.job.as_ref().unwrap();
        assert_eq!(job.outcomes.len(), job.study.cases().len());
        for case in 0..job.study.cases().len() {
            let settings = what_if.settings_of(&content, case).unwrap();
            let mut run = Run::new(std::sync::Arc::new(content.plan(&settings).unwrap()));
            while !run.advance(100_000) {}
            assert_eq!(Outcome::of(&run), job.outcomes[case], "{}", job.study.cases()[case].label);
        }
    }

    #[test]
    fn the_map_has_the_knobs_that_were_chosen_on_their_steps() {
        let content = Content::built_in("?lesson=the-database-goes-away").expect("the lesson is sound");
        let settings = Settings { variant: "B".into(), ..Settings::default() };
        let mut what_if =
            WhatIf { question: Question::Map, knobs: [Some("ttl".into()), Some("stale".into())], job: None };
        what_if.start(&content, &settings);
        let Subject::Map(axes) = &what_if.job.as_ref().unwrap().subject else { panic!("it is a map") };
        assert_eq!((axes[0].0.id.as_str(), axes[1].0.id.as_str()), ("ttl", "stale"));
        assert_eq!(axes[1].1, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0]);
        assert_eq!(what_if.job.as_ref().unwrap().study.cases().len(), 49);
    }
}
