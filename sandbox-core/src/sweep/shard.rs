//! What is known of a sweep so far.

use super::grid::SweepSpec;
use super::student::t95;
use crate::scenario::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Answers of some runs of a sweep, or of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shard {
    /// What is swept.
    pub sweep: SweepSpec,
    /// The answers of each run by its number: the bits of a 64-bit float (IEEE 754), so that nothing is lost on the way through a
    /// file; null: there was nothing in the window.
    answers: BTreeMap<u64, Vec<Option<u64>>>,
}

/// A sweep in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SweepReport {
    /// What was swept.
    pub sweep: SweepSpec,
    /// Every point; the last axis turns fastest.
    pub points: Vec<PointReport>,
}

/// What was found at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PointReport {
    /// The values, in the order of the axes.
    pub at: Vec<f64>,
    /// The answers, in the order of the queries.
    pub results: Vec<Estimate>,
}

/// A number over seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Estimate {
    /// On how many seeds there was something in the window.
    pub seeds: u32,
    /// The mean of those; null without any.
    pub mean: Option<f64>,
    /// Lower end of the 95 % confidence interval of the mean (Student's t); null for fewer than two seeds.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

impl Shard {
    /// Nothing is known yet.
    pub fn new(sweep: SweepSpec) -> Shard {
        Shard { sweep, answers: BTreeMap::new() }
    }

    /// Reads what was written as JSON. Errors: it is none, or it is no part of the sweep it names.
    pub fn parse(text: &str) -> Result<Shard, Vec<Problem>> {
        let refuse = |what: String| Problem::new("", what, "Name files that `faultline sweep --shard` wrote.");
        let shard: Shard = serde_json::from_str(text).map_err(|error| vec![refuse(error.to_string())])?;
        let mut problems = shard.sweep.problems();
        let (runs, queries) = (shard.sweep.runs(), shard.sweep.queries.len());
        if shard.answers.iter().any(|(run, answers)| *run >= runs || answers.len() != queries) {
            problems.push(refuse("holds answers that were not asked".into()));
        }
        if problems.is_empty() { Ok(shard) } else { Err(problems) }
    }

    /// Adds the answers of a run.
    pub fn add(&mut self, run: u64, answers: &[Option<f64>]) {
        self.answers.insert(run, answers.iter().map(|answer| answer.map(f64::to_bits)).collect());
    }

    /// Adds what another shard knows. Errors: it is of another sweep, or it has answers of a run that is known already.
    pub fn merge(&mut self, other: Shard) -> Result<(), String> {
        if self.sweep != other.sweep {
            return Err("is of another sweep".into());
        }
        for (run, answers) in other.answers {
            match self.answers.get(&run) {
                Some(known) if *known != answers => return Err(format!("has other answers of run {run}")),
                Some(_) => return Err(format!("has run {run}, as a file before it has: a part is merged once")),
                None => drop(self.answers.insert(run, answers)),
            }
        }
        Ok(())
    }

    /// Means and intervals of every point, summed in order of seed. Errors: how many runs are missing.
    pub fn report(&self) -> Result<SweepReport, String> {
        let missing = self.sweep.runs() - self.answers.len() as u64;
        if missing > 0 {
            return Err(format!("{missing} of {} runs are missing", self.sweep.runs()));
        }
        let seeds = u64::from(self.sweep.seeds);
        let result = |point: u64, query: usize| {
            let of_point = self.answers.range(point * seeds..(point + 1) * seeds);
            let answers = of_point.filter_map(|(_, answers)| answers[query].map(f64::from_bits));
            Estimate::of(&answers.collect::<Vec<f64>>())
        };
        let point = |point| PointReport {
            at: self.sweep.values(point),
            results: (0..self.sweep.queries.len()).map(|query| result(point, query)).collect(),
        };
        Ok(SweepReport { sweep: self.sweep.clone(), points: (0..self.sweep.points()).map(point).collect() })
    }
}

impl Estimate {
    /// The mean of independent values, and where it would lie with ever more of them.
    pub fn of(values: &[f64]) -> Estimate {
        let seeds = values.len() as u32;
        let count = f64::from(seeds);
        let mean = (seeds > 0).then(|| values.iter().sum::<f64>() / count);
        let margin = mean.filter(|_| seeds > 1).map(|mean| {
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            t95(seeds - 1) * (squares / (count - 1.0) / count).sqrt()
        });
        let end = |sign: f64| mean.zip(margin).map(|(mean, margin)| mean + sign * margin);
        Estimate { seeds, mean, low: end(-1.0), high: end(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_needs_two_seeds() {
        assert_eq!(Estimate::of(&[]), Estimate { seeds: 0, mean: None, low: None, high: None });
        assert_eq!(Estimate::of(&[3.0]), Estimate { seeds: 1, mean: Some(3.0), low: None, high: None });
        // Mean 2, standard deviation 1, t of two degrees of freedom 4.303.
        let three = Estimate::of(&[1.0, 2.0, 3.0]);
        assert_eq!(three.mean, Some(2.0));
        assert!((three.high.unwrap() - 2.0 - 4.303 / 3f64.sqrt()).abs() < 1e-3, "{three:?}");
    }
}
