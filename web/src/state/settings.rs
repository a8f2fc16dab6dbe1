//! What makes a run of the lesson: a variant, changes of the scenario, the knobs that were turned, a seed.

use serde_json::Value;

/// What makes a run.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Settings {
    /// The variant.
    pub variant: String,
    /// Changes that an address or the page around asked for, each path once.
    pub set: Vec<(String, Value)>,
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

    /// Changes a place of the scenario, in the place of what it was changed to before.
    pub fn change(&mut self, path: String, value: Value) {
        self.set.retain(|(known, _)| *known != path);
        self.set.push((path, value));
    }

    /// Turns a knob.
    pub fn turn(&mut self, id: String, value: f64) {
        match self.knobs.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = value,
            None => self.knobs.push((id, value)),
        }
    }
}
