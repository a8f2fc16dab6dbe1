//! What a lesson counts, for whoever keeps marks.

use super::Lesson;

impl Lesson {
    /// From 0 to 1: half for the right prediction, half for the challenge's goal. A wrong prediction is no shame, so that
    /// the goal alone is a pass ([`Lesson::PASS`]).
    #[inline]
    pub fn score(&self, answer: Option<&str>, reached: bool) -> f64 {
        let right = answer == Some(self.prediction.answer.as_str());
        (f64::from(u8::from(right)) + f64::from(u8::from(reached))) / 2.0
    }

    /// The score from which a lesson is passed.
    pub const PASS: f64 = 0.5;
}
