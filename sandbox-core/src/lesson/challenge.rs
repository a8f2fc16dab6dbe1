//! What the learner tries after the run, and the program's judgement of it.

use super::{Measured, measured};
use crate::claim::{Claim, Side};
use crate::metrics::{Folds, ask};
use crate::scenario::{Document, Map, Plan, spec};

spec! {
    /// What the learner tries after the run.
    pub struct Challenge {
        /// The task.
        pub text: String,
        /// The variant it starts from, which misses the goals.
        pub start: String,
        /// A variant that reaches them.
        pub solution: String,
        /// The knobs that may be turned.
        pub knobs: Vec<String>,
        /// What must hold, all of it.
        pub goals: Vec<Goal>,
        /// What the cure may cost: knobs, with the largest value that each may have.
        pub at_most?: Map<f64>,
    }
}

spec! {
    /// A part of a challenge's goal.
    pub struct Goal {
        /// What must hold, for people.
        pub text: String,
        /// The same as a claim about the run at hand.
        pub claim: String,
        /// The number that the verdict quotes.
        pub measured: Measured,
    }
}

/// How a run stands to a part of the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalResult {
    /// Whether it is reached.
    pub reached: bool,
    /// What must hold.
    pub text: String,
    /// What was measured, with its unit.
    pub measured: String,
}

/// Judges a run by the parts of a challenge's goal; `document` is the patched one that it is the run of.
#[inline]
pub fn judge_challenge(
    challenge: &Challenge,
    document: &Document,
    plan: &Plan,
    folds: &Folds,
) -> Result<Vec<GoalResult>, String> {
    let side = |side: &Side| match side {
        Side::Number(number) => Ok(Some(*number)),
        Side::Query(factor, query) => ask(plan, folds, query).map(|value| value.map(|value| factor * value)),
    };
    let mut results = Vec::new();
    for goal in &challenge.goals {
        let claim = Claim::parse(&goal.claim)?;
        let value = measured(plan, folds, &goal.measured)?;
        results.push(GoalResult {
            reached: claim.holds(side(&claim.left)?, side(&claim.right())?),
            text: goal.text.clone(),
            measured: value.map_or("nothing to measure".into(), |value| goal.measured.format.write(value)),
        });
    }
    let knobs = document.knobs();
    for (id, most) in challenge.at_most.iter() {
        let Some(knob) = knobs.iter().find(|knob| knob.id == *id) else {
            return Err(format!("there is no knob `{id}` in this variant"));
        };
        let with_unit = |value: f64| format!("{value} {}", knob.spec.unit).trim_end().to_string();
        results.push(GoalResult {
            reached: knob.value <= *most,
            text: format!("{}: at most {}", knob.spec.title, with_unit(*most)),
            measured: with_unit(knob.value),
        });
    }
    Ok(results)
}
