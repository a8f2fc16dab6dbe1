//! How far the learner has come: the prediction, the beats of the story, the challenge's goal.

use sandbox_core::lesson::Lesson;

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

/// How the present run stands to the challenge's goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Whether it is reached.
    pub reached: bool,
    /// The value of the goal's left side.
    pub value: Option<f64>,
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
    /// Whether the challenge's goal is reached, and by how much, on the present run.
    pub goal: Option<Goal>,
}

impl Progress {
    /// Before the first beat of a story of so many.
    pub fn new(beats: usize, predicted: bool) -> Progress {
        let prediction = if predicted { Prediction::Skipped } else { Prediction::Open };
        Progress { prediction, measured: None, beat: 0, done: vec![false; beats], goal: None }
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
    pub fn on_goal(&mut self, goal: Option<Goal>) {
        let (last, reached) = (self.last(), goal.as_ref().is_some_and(|goal| goal.reached));
        if self.beat == last && reached {
            self.done[last] = true;
        }
        self.goal = goal;
    }

    /// The challenge's beat.
    pub fn last(&self) -> usize {
        self.done.len() - 1
    }
}
