//! What makes a run of the lesson: a variant, the knobs that were turned, a seed.

/// What makes a run.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Settings {
    /// The variant.
    pub variant: String,
    /// Knob id and value, in the order of turning.
    pub knobs: Vec<(String, f64)>,
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
}

impl Settings {
    /// What a knob was turned to, if it was.
    pub fn knob(&self, id: &str) -> Option<f64> {
        self.knobs.iter().find(|(known, _)| known == id).map(|(_, value)| *value)
    }

    /// Turns a knob.
    pub fn turn(&mut self, id: String, value: f64) {
        match self.knobs.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = value,
            None => self.knobs.push((id, value)),
        }
    }
}
