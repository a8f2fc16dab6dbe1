//! A `system` model: a simulation by the ordinary engine.

use super::{Answers, Question, Refusal};
use serde_json::Value;

/// Simulates the model once and measures what is wanted.
pub fn simulate(_model: &Value, _question: Question) -> Result<Answers, Refusal> {
    Err(Refusal::Unsupported("the engine does not read a system model yet".into()))
}
