//! Which runs a sweep is made of.

use super::Axis;
use crate::metrics::{Run, answerable, ask, unanswered};
use crate::scenario::{Document, Plan, Problem, Query, json_number};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// Most axes; more are nothing that one could look at.
const AXES_MAX: usize = 2;
/// Most points: each is planned before anything runs.
const POINTS_MAX: u64 = 1_000;
/// Most runs: a day on a slow machine.
const RUNS_MAX: u64 = 100_000;
/// Most queries.
const QUERIES_MAX: usize = 32;

/// What is swept, as data: two shards belong together if theirs is equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SweepSpec {
    /// Id of the scenario.
    pub scenario: String,
    /// Which variant.
    pub variant: String,
    /// XXH3-128 of the document with the variant and all changes but the swept ones: 32 hexadecimal digits.
    pub document: String,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// Every point is run with seeds 1 to this number.
    pub seeds: u32,
    /// What is asked of every run.
    pub queries: Vec<String>,
}

impl SweepSpec {
    /// How many points there are.
    pub fn points(&self) -> u64 {
        self.axes.iter().map(|axis| axis.values.len() as u64).fold(1, u64::saturating_mul)
    }

    /// How many runs there are: every point with every seed.
    pub fn runs(&self) -> u64 {
        self.points().saturating_mul(u64::from(self.seeds))
    }

    /// The values of a point, in the order of the axes; the last axis turns fastest.
    pub fn values(&self, point: u64) -> Vec<f64> {
        let mut rest = point;
        let mut values: Vec<f64> = Vec::new();
        for axis in self.axes.iter().rev() {
            let count = axis.values.len() as u64;
            values.push(axis.values[(rest % count) as usize]);
            rest /= count;
        }
        values.reverse();
        values
    }

    /// Whatever of it is too much or too little.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let limit = |what: &str, count: u64, least: u64, most: u64| {
            let hint = format!("Use {least} to {most}.");
            let fits = (least..=most).contains(&count);
            (!fits).then(|| Problem::new("sweep", format!("has {count} {what}"), hint))
        };
        let limits = [
            limit("axes", self.axes.len() as u64, 1, AXES_MAX as u64),
            limit("points", self.points(), 1, POINTS_MAX),
            limit("runs", self.runs(), 1, RUNS_MAX),
            limit("queries", self.queries.len() as u64, 1, QUERIES_MAX as u64),
        ];
        limits.into_iter().flatten().collect()
    }
}

/// A sweep that can be run.
#[derive(Clone, Debug)]
pub struct Sweep {
    spec: SweepSpec,
    document: Document,
    changes: Vec<(String, Value)>,
    queries: Vec<Query>,
}

impl Sweep {
    /// Plans every point. Errors, all at once: too many runs, paths that do not exist, values that cannot be, queries without an
    /// answer.
    pub fn new(
        document: Document,
        variant: &str,
        changes: Vec<(String, Value)>,
        mut axes: Vec<Axis>,
        seeds: u32,
        queries: Vec<String>,
    ) -> Result<Sweep, Vec<Problem>> {
        for axis in &mut axes {
            let knob = document.spec().and_then(|spec| Some(spec.knobs.get(&axis.path)?.path.clone()));
            axis.path = knob.unwrap_or_else(|| axis.path.clone());
        }
        let fixed = document.patched(variant, &changes)?;
        let fingerprint = format!("{:032x}", xxh3_128(fixed.json().to_string().as_bytes()));
        let (scenario, variant) = (document.id().to_string(), variant.to_string());
        let spec = SweepSpec { scenario, variant, document: fingerprint, axes, seeds, queries };
        let mut problems = spec.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut paths = spec.axes.iter().map(|axis| &axis.path).chain(changes.iter().map(|(path, _)| path));
        if paths.any(|path| path == "seed") {
            problems.push(Problem::new("seed", "is swept anyway", "Say with `--seeds` how many."));
        }
        for axis in &spec.axes {
            if changes.iter().any(|(path, _)| *path == axis.path) {
                problems.push(Problem::new(&axis.path, "is varied and set", "Leave the `--set` out, or the `--vary`."));
            }
        }
        if spec.axes.len() > 1 && spec.axes[0].path == spec.axes[1].path {
            problems.push(Problem::new(&spec.axes[0].path, "is varied twice", "Vary two different things."));
        }
        let mut queries = Vec::new();
        for text in &spec.queries {
            match Query::parse(text) {
                Ok(query) => queries.push(query),
                Err(why) => problems.push(unanswered(text, why)),
            }
        }
        let sweep = Sweep { spec, document, changes, queries };
        let wrong = |varied: &[(String, Value)]| match sweep.plan(varied, 1) {
            Ok(plan) => sweep.unanswered(&plan),
            Err(found) => found,
        };
        problems.extend((0..sweep.spec.points()).flat_map(|point| wrong(&sweep.varied(point))));
        if problems.is_empty() {
            return Ok(sweep);
        }
        // One axis may have hidden what is wrong with another, or with the queries.
        problems.extend(sweep.varied(0).chunks(1).chain([&[][..]]).flat_map(wrong));
        let mut told = BTreeSet::new();
        problems.retain(|problem| told.insert(problem.clone()));
        Err(problems)
    }

    /// What is swept.
    pub fn spec(&self) -> &SweepSpec {
        &self.spec
    }

    /// Run number `run` of [`SweepSpec::runs`], before its first step: the seeds of the first point, then those of the second.
    /// To be computed at one's own pace.
    pub fn start(&self, run: u64) -> Run {
        let seeds = u64::from(self.spec.seeds);
        let plan = self.plan(&self.varied(run / seeds), run % seeds + 1);
        let plan = plan.expect("every point was planned, and any seed fits");
        Run::new(Arc::new(plan))
    }

    /// What a computed run answers to the queries; None: there is nothing in the window.
    pub fn answers(&self, run: &Run) -> Vec<Option<f64>> {
        let answer = |query| ask(run.plan(), run.folds(), query).expect("the queries were checked for every point");
        self.queries.iter().map(answer).collect()
    }

    /// What a point changes.
    fn varied(&self, point: u64) -> Vec<(String, Value)> {
        let values = self.spec.values(point).into_iter().map(json_number);
        self.spec.axes.iter().map(|axis| axis.path.clone()).zip(values).collect()
    }

    fn plan(&self, varied: &[(String, Value)], seed: u64) -> Result<Plan, Vec<Problem>> {
        let seed = [("seed".to_string(), Value::from(seed))];
        self.document.plan(&self.spec.variant, &[&self.changes, varied, &seed].concat())
    }

    /// The queries that have no answer in a plan.
    fn unanswered(&self, plan: &Plan) -> Vec<Problem> {
        let problem = |(text, query): (&String, &Query)| Some(unanswered(text, answerable(plan, query).err()?));
        self.spec.queries.iter().zip(&self.queries).filter_map(problem).collect()
    }
}
