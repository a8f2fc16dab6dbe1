//! One case of a file of ground truth.

use super::{Answers, Refusal, answer_runs};
use crate::scenario::read::{Read, Reading, read};
use crate::scenario::{Map, Problem, read_value, spec};
use serde::{Deserialize, Serialize};
use serde_json::Value;

spec! {
    /// A model with known answers. The fields are those of `ground-truth.schema.json`.
    pub struct Case {
        /// Name; nothing depends on it.
        pub id: String,
        /// 1 = core, 2 = the rest.
        pub tier: u8,
        /// What kind of answer it has.
        pub kind: CaseKind,
        /// Where the expected values come from, in prose.
        pub source: String,
        /// What is run.
        pub model: Value,
        /// What is measured, in prose.
        pub metric: String,
        /// The known answers by metric name.
        pub expected: Answers,
        /// How far an answer may be off.
        pub rel_tol: Tolerance,
        /// How far the mean of at least 20 seeds may be off, by metric name.
        pub rel_tol_mean_of_20_runs?: Option<Map<f64>>,
        /// Measured standard error of one run; nothing depends on it.
        pub rel_se_of_one_run?: Option<Map<f64>>,
        /// How a simulation is run.
        pub run?: Option<Value>,
        /// Groups of values that count as equal, by metric name.
        pub equivalent?: Map<Vec<Vec<i64>>>,
        /// The words its model uses; nothing depends on it.
        pub needs: Vec<String>,
        /// Remarks, in prose.
        pub notes: String,
    }
}

spec! {
    /// What kind of answer a case has.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum CaseKind {
        /// A random simulation: the answer depends on the seed.
        Statistical,
        /// Inputs to one policy, and what it decides.
        Trace,
        /// A simulation without randomness.
        Deterministic,
        /// A function.
        Arithmetic,
    }
}

/// Relative tolerances: one number, or one for each metric.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
pub enum Tolerance {
    /// For all metrics.
    All(f64),
    /// By metric name, with or without the label of the run.
    Each(Map<f64>),
}

impl Read for Tolerance {
    fn blank() -> Tolerance {
        Tolerance::All(0.0)
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        if let Some(all) = value.as_f64() {
            *self = Tolerance::All(all);
            return true;
        }
        let mut each = Map::new();
        let whole = each.read(value, reading);
        *self = Tolerance::Each(each);
        whole
    }
}

impl Case {
    /// How many seeds it takes to look at `seeds` of them: one, if nothing is random.
    pub fn seeds(&self, seeds: u32) -> u32 {
        if self.kind == CaseKind::Statistical { seeds } else { 1 }
    }

    /// Runs the model once.
    pub fn answer(&self, seed: u64) -> Result<Answers, Refusal> {
        answer_runs(&self.model, self.run.as_ref(), Some(&self.expected), seed)
    }

    /// The tolerance of a metric; of the mean over seeds if `mean`.
    pub(super) fn tolerance(&self, metric: &str, mean: bool) -> Option<f64> {
        if let Some(each) = self.rel_tol_mean_of_20_runs.as_ref().filter(|_| mean) {
            return of_metric(each, metric).copied();
        }
        match &self.rel_tol {
            Tolerance::All(tolerance) => Some(*tolerance),
            Tolerance::Each(each) => of_metric(each, metric).copied(),
        }
    }

    /// Groups of values of this metric that count as equal.
    pub(super) fn equivalent(&self, metric: &str) -> &[Vec<i64>] {
        of_metric(&self.equivalent, metric).map_or(&[], Vec::as_slice)
    }

    /// What is wrong with the case, its model aside.
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=2).contains(&self.tier) {
            problems.push(Problem::new("tier", format!("is {}", self.tier), "Use 1 (core) or 2."));
        }
        if self.expected.is_empty() {
            problems.push(Problem::new("expected", "is empty", "Name at least one metric and its value."));
        }
        for metric in self.expected.keys() {
            for (field, mean) in [("rel_tol", false), ("rel_tol_mean_of_20_runs", true)] {
                if !self.tolerance(metric, mean).is_some_and(|tolerance| tolerance >= 0.0) {
                    let hint = "Give it a number of at least 0.";
                    problems.push(Problem::new(format!("{field}.{metric}"), "is no tolerance", hint));
                }
            }
        }
        problems
    }
}

/// The entry of `metric@label`, or else of `metric`.
fn of_metric<'a, T>(each: &'a Map<T>, metric: &str) -> Option<&'a T> {
    each.get(metric).or_else(|| each.get(metric.split('@').next().unwrap_or_default()))
}

/// Reads a file of cases. Errors: every problem of the cases themselves; those of their models show when they are run.
pub fn read_cases(text: &str) -> Result<Vec<Case>, Vec<Problem>> {
    let Value::Array(items) = read_value(text)? else {
        return Err(vec![Problem::new("cases", "is not a list", "Write a list of cases: [{\"id\": ...}, ...].")]);
    };
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let path = format!("cases[{index}]");
        if let Some(case) = read::<Case>(item, &path, &mut problems) {
            let within = |problem: Problem| Problem { path: format!("{path}.{}", problem.path), ..problem };
            problems.extend(case.problems().into_iter().map(within));
            cases.push(case);
        }
    }
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}
