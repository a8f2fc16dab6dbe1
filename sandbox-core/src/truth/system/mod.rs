//! A `system` model: written down as a scenario, run by the ordinary engine, measured from its records.

mod measure;
mod model;
mod scenario;

use super::{Answers, Question, Refusal};
use crate::engine::World;
use crate::scenario::{Document, Problem};
use measure::Measure;
pub use model::in_ms;
use scenario::System;
use serde_json::Value;
use std::sync::Arc;

/// Simulates the model once and measures what is wanted.
pub fn simulate(model: &Value, question: Question) -> Result<Answers, Refusal> {
    let system = System::read(model, question.run)?;
    let document = system.document(question.seed);
    let plan = Document::from_json(document).plan("A", &[]).map_err(|problems| {
        // The paths are those of the scenario that the model was written down as.
        let named =
            |problem: Problem| Problem::new(format!("as a scenario: {}", problem.path), problem.what, problem.hint);
        Refusal::Problems(problems.into_iter().map(named).collect())
    })?;
    let mut world = World::new(Arc::new(plan));
    let mut measure = Measure::new(world.plan().clone(), &system, question.wanted);
    while !measure.is_done() && world.step().is_some() {
        measure.on_step(&world);
    }
    measure.answers(question.wanted)
}
