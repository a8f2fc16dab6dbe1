//! Who judges claims: over many seeds, and again with the cause taken away, because a claim that then still holds says nothing.

use super::check::{Judgeable, read_claims};
use super::expr::{Claim, Side};
use crate::metrics::Run;
use crate::metrics::{ClaimReport, Folds, Signal, ask};
use crate::scenario::{ClaimSpec, Document, Map, Plan, Problem, RoleSpec, empty_texts};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A claim holds when at least this share of the seeds holds.
const SHARE: f64 = 0.95;

/// Judges a scenario's claims on one run; those about other variants, or about seconds that the run did not reach (a
/// recording that was stopped), have no verdict.
pub fn judge_run(claims: &Map<ClaimSpec>, plan: &Plan, folds: &Folds) -> Vec<ClaimReport> {
    let side = |side: &Side| match side {
        Side::Number(number) => Some(*number),
        Side::Query(factor, query) if query.variant.as_deref().is_none_or(|named| named == plan.variant) => {
            ask(plan, folds, query).ok().flatten().map(|value| factor * value)
        }
        Side::Query(..) => None,
    };
    let reached = folds.rows().len() as u32;
    let within = |side: &Side| match side {
        Side::Query(_, query) => query.window.is_none_or(|window| window.to <= reached),
        Side::Number(_) => true,
    };
    claims
        .iter()
        .map(|(id, spec)| {
            let claim = Claim::parse(&spec.expr).ok();
            let seen = claim.as_ref().is_some_and(|claim| within(&claim.left) && within(&claim.right()));
            let own = claim.as_ref().is_some_and(|claim| claim.variants().iter().all(|named| *named == plan.variant));
            let (left, right) = claim.as_ref().map_or((None, None), |claim| (side(&claim.left), side(&claim.right())));
            ClaimReport {
                id: id.clone(),
                text: spec.text.clone(),
                role: role(spec.role).to_string(),
                holds: claim.filter(|_| own && seen).map(|claim| claim.holds(left, right)),
                left,
                right,
            }
        })
        .collect()
}

/// The word for a role.
fn role(role: RoleSpec) -> &'static str {
    match role {
        RoleSpec::Effect => "effect",
        RoleSpec::Cure => "cure",
        RoleSpec::Context => "context",
    }
}

/// Which seeds are judged.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// Seeds 1 to this number.
    pub count: u32,
    /// Whether claims are judged again with the cause taken away.
    pub mutate: bool,
}

/// The verdict on a claim for one seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// Whether it holds.
    pub holds: bool,
    /// Whether it holds with `A` and `B` exchanged; none: not asked.
    pub holds_exchanged: Option<bool>,
    /// Whether it holds without faults and rollouts; none: not asked.
    pub holds_without_faults: Option<bool>,
}

/// The verdict on a claim over all seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimResult {
    /// Key in the document.
    pub id: String,
    /// The promise in words.
    pub text: String,
    /// The expression.
    pub expr: String,
    /// Seeds judged.
    pub seeds: u32,
    /// Seeds on which it holds.
    pub held: u32,
    /// Whether it holds on enough seeds.
    pub holds: bool,
    /// Seeds on which it failed, as it must, when the cause was taken away; none: not asked.
    pub mutants_killed: Option<u32>,
    /// Whether it failed on enough of them.
    pub sharp: bool,
}

/// The runs of a scenario's variants for one seed, computed when a claim asks for them.
pub struct SeedRuns<'a> {
    document: &'a Document,
    seed: u64,
    runs: BTreeMap<(String, bool), Run>,
}

impl<'a> SeedRuns<'a> {
    /// No run yet.
    pub fn new(document: &'a Document, seed: u64) -> SeedRuns<'a> {
        SeedRuns { document, seed, runs: BTreeMap::new() }
    }

    /// The computed run of a variant.
    pub fn run(&mut self, variant: &str, without_faults: bool) -> Result<&Run, Vec<Problem>> {
        let key = (variant.to_string(), without_faults);
        if !self.runs.contains_key(&key) {
            let mut changes: Vec<(String, Value)> = vec![("seed".to_string(), json!(self.seed))];
            if without_faults {
                // A knob may turn a fault that is not there any more.
                changes.extend(["faults", "rollouts", "knobs"].map(|part| (part.to_string(), json!({}))));
            }
            let mut run = Run::new(Arc::new(self.document.plan(variant, &changes)?));
            run.run_to_end();
            self.runs.insert(key.clone(), run);
        }
        Ok(&self.runs[&key])
    }

    /// The verdicts on all claims, in the document's order.
    pub fn judge(&mut self, claims: &[(ClaimSpec, Claim)], mutate: bool) -> Result<Vec<Judgement>, Vec<Problem>> {
        claims
            .iter()
            .map(|(spec, claim)| {
                let mutate = mutate && spec.role != RoleSpec::Context;
                let about_a = claim.variants().iter().any(|variant| variant == "A");
                let has_some = |part: &str| {
                    self.document.json().get(part).and_then(Value::as_object).is_some_and(|parts| !parts.is_empty())
                };
                let faulty = has_some("faults") || has_some("rollouts");
                Ok(Judgement {
                    holds: self.holds(claim, false, false)?,
                    holds_exchanged: if mutate { Some(self.holds(claim, true, false)?) } else { None },
                    holds_without_faults: match mutate && faulty && about_a && spec.role == RoleSpec::Effect {
                        true => Some(self.holds(claim, false, true)?),
                        false => None,
                    },
                })
            })
            .collect()
    }

    fn holds(&mut self, claim: &Claim, exchanged: bool, without_faults: bool) -> Result<bool, Vec<Problem>> {
        let left = self.side(&claim.left, exchanged, without_faults)?;
        let right = self.side(&claim.right(), exchanged, without_faults)?;
        Ok(claim.holds(left, right))
    }

    fn side(&mut self, side: &Side, exchanged: bool, without_faults: bool) -> Result<Option<f64>, Vec<Problem>> {
        let (factor, query) = match side {
            Side::Number(number) => return Ok(Some(*number)),
            Side::Query(factor, query) => (*factor, query),
        };
        let variant = match (query.variant.as_deref().unwrap_or("A"), exchanged) {
            ("A", true) => "B",
            ("B", true) => "A",
            (variant, _) => variant,
        };
        let run = self.run(variant, without_faults)?;
        // A signal that the other variant does not have (no cache, say) shows nothing there.
        let value = ask(run.plan(), run.folds(), query).unwrap_or(None);
        Ok(value.map(|value| factor * value))
    }
}

/// Judges all claims of a document over seeds 1 to N. `judge_seed` runs one seed; give one that spreads them over cores.
pub fn check_claims(
    document: &Document,
    seeds: Seeds,
    judge_seeds: impl FnOnce(&[(ClaimSpec, Claim)]) -> Result<Vec<Vec<Judgement>>, Vec<Problem>>,
) -> Result<Vec<ClaimResult>, Vec<Problem>> {
    let mut problems = document.check();
    problems.extend(badly_exempt(document));
    problems.extend(empty_texts(document.json()));
    let claims = read_claims(document).unwrap_or_else(|found| {
        problems.extend(found);
        Vec::new()
    });
    if problems.is_empty() {
        problems = document.check_knobs();
    }
    if problems.is_empty() {
        problems = unmoved(document)?;
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let specs: Vec<(ClaimSpec, Claim)> = claims.iter().map(|claim| (claim.spec.clone(), claim.claim.clone())).collect();
    let verdicts = judge_seeds(&specs)?;
    let needed = (SHARE * f64::from(seeds.count)).ceil() as u32;
    Ok(claims
        .into_iter()
        .enumerate()
        .map(|(index, Judgeable { id, spec, .. })| {
            let of_claim = || verdicts.iter().map(|seed| seed[index]);
            let held = of_claim().filter(|verdict| verdict.holds).count() as u32;
            let asked = of_claim().any(|verdict| verdict.holds_exchanged.is_some());
            let killed = of_claim()
                .filter(|verdict| verdict.holds_exchanged != Some(true) && verdict.holds_without_faults != Some(true));
            let killed = asked.then(|| killed.count() as u32);
            ClaimResult {
                id,
                text: spec.text,
                expr: spec.expr,
                seeds: seeds.count,
                held,
                holds: held >= needed,
                mutants_killed: killed,
                sharp: killed.is_none_or(|killed| killed >= needed),
            }
        })
        .collect())
}

/// Claims that mutation is not to judge, without a reason or too many of them.
fn badly_exempt(document: &Document) -> Vec<Problem> {
    let claims = document.claims();
    let written = document.at("claims").and_then(Value::as_object).map_or(0, |claims| claims.len());
    let contexts = || claims.iter().filter(|(_, claim)| claim.role == RoleSpec::Context);
    let mut problems = Vec::new();
    let count = contexts().count();
    if count * 3 > written {
        let what = format!("{count} of {written} claims are context");
        problems.push(Problem::new("claims", what, "At most a third may be exempt from mutation."));
    }
    for (id, _) in contexts().filter(|(_, claim)| claim.reason.is_none()) {
        let hint = "Say in `reason` why mutation cannot judge it.";
        problems.push(Problem::new(format!("claims.{id}"), "is context without a reason", hint));
    }
    problems
}

/// Declared signals that are 0 throughout the run of every variant, with the document's own seed.
fn unmoved(document: &Document) -> Result<Vec<Problem>, Vec<Problem>> {
    let Some(spec) = document.spec().filter(|spec| !spec.metrics.is_empty()) else { return Ok(Vec::new()) };
    let mut still: Vec<String> = spec.metrics.keys().cloned().collect();
    let mut runs = SeedRuns::new(document, spec.seed);
    for variant in document.variants() {
        let run = runs.run(&variant, false)?;
        still.retain(|name| {
            !Signal::new(run.plan(), name, &[]).is_ok_and(|signal| signal.moves(run.plan(), run.folds()))
        });
    }
    let problem = |name: &String| {
        let hint = "Declare what happens, in some variant at least, or take it out.";
        Problem::new(format!("metrics.{name}"), "never moves in the run of any variant", hint)
    };
    Ok(still.iter().map(problem).collect())
}
