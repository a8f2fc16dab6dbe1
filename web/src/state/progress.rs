//! How far the learner has come: the prediction, the beats of the story, the challenge's goal.

use crate::state::course::Done;
use sandbox_core::lesson::{GoalResult, Lesson};

/// What became of the prediction.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// Not made: the future is hidden.
    Open,
    /// The option chosen.
    Said(String),
    /// The learner chose not to.
    Skipped,
}

/// How far the learner has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What became of the prediction.
    pub prediction: Prediction,
    /// What the lesson's own run gave, as it answers the question.
    pub measured: Option<f64>,
    /// Which beat of the story is open.
    pub beat: usize,
    /// Which beats are done.
    pub done: Vec<bool>,
    /// How the present run stands to the parts of the challenge's goal; None: there is no telling yet.
    pub goals: Option<Vec<GoalResult>>,
}

impl Progress {
    /// Before the first beat of a story of so many.
    pub fn new(beats: usize, predicted: bool) -> Progress {
        let prediction = if predicted { Prediction::Skipped } else { Prediction::Open };
        Progress { prediction, measured: None, beat: 0, done: vec![false; beats], goals: None }
    }

    /// Whether the learner has predicted, or chosen not to.
    pub fn has_predicted(&self) -> bool {
        self.prediction != Prediction::Open
    }

    /// The learner predicts, or chooses not to: the second beat opens.
    pub fn on_prediction(&mut self, prediction: Prediction) {
        self.prediction = prediction;
        self.done[0] = true;
        self.beat = self.beat.max(1.min(self.last()));
    }

    /// Opens a beat; where the story changes between its own system and the challenge's, the variant to go to.
    pub fn go_to(&mut self, beat: usize, lesson: &Lesson) -> Option<String> {
        let last = self.last();
        if beat > last || (beat > 0 && !self.has_predicted()) {
            return None;
        }
        // Whoever goes on has done what came before; the challenge is done when its goal is reached.
        self.done[..beat.min(last)].fill(true);
        let was = std::mem::replace(&mut self.beat, beat);
        match (beat == last, was == last) {
            (true, false) => Some(lesson.challenge.start.clone()),
            (false, true) => Some(lesson.variant.clone()),
            _ => None,
        }
    }

    /// The learner has watched the run to its end.
    pub fn on_end(&mut self) {
        if self.has_predicted() && self.last() > 0 {
            self.done[1] = true;
        }
    }

    /// A run was judged by the challenge's goal.
    pub fn on_goals(&mut self, goals: Option<Vec<GoalResult>>) {
        self.goals = goals;
        let last = self.last();
        if self.beat == last && self.reached() == Some(true) {
            self.done[last] = true;
        }
    }

    /// Whether the present run reaches every part of the goal.
    pub fn reached(&self) -> Option<bool> {
        self.goals.as_ref().map(|goals| goals.iter().all(|goal| goal.reached))
    }

    /// What of this is kept: the prediction, and whether the challenge was passed.
    pub fn kept(&self) -> Done {
        let predicted = match &self.prediction {
            Prediction::Said(option) => Some(option.clone()),
            _ => None,
        };
        Done { predicted, passed: self.done[self.last()] }
    }

    /// Goes on from what was kept.
    pub fn resume(&mut self, done: &Done) {
        let last = self.last();
        if let Some(option) = &done.predicted {
            self.on_prediction(Prediction::Said(option.clone()));
        }
        if done.passed {
            self.done.fill(true);
        }
        self.done[last] = done.passed;
    }

    /// The challenge's beat.
    pub fn last(&self) -> usize {
        self.done.len() - 1
    }
}
