//! Which claims nobody could judge, and why. They are told together with whatever else is wrong with a document.

use super::expr::{Claim, Side};
use crate::metrics::Signal;
use crate::scenario::{BuiltIn, ClaimSpec, Document, Plan, Problem, Query};
use serde_json::Value;

/// A claim that can be judged.
#[derive(Clone, Debug)]
pub struct Judgeable {
    /// Key in the document.
    pub id: String,
    /// As written.
    pub spec: ClaimSpec,
    /// Its expression.
    pub claim: Claim,
}

/// Reads the claims of a document. Errors: what is wrong with any of them. They are read even if the rest of the document
/// cannot be planned; then only what is certain is held against them.
pub fn read_claims(document: &Document) -> Result<Vec<Judgeable>, Vec<Problem>> {
    let (mut claims, mut problems, mut variants) = (Vec::new(), Vec::new(), Vec::new());
    for (id, spec) in document.claims() {
        let path = format!("claims.{id}.expr");
        match Claim::parse(&spec.expr) {
            Err(why) => problems.push(Problem::new(path, why, "See ARCHITECTURE.md, \"Claims\".")),
            Ok(claim) => {
                for side in [claim.left.clone(), claim.right()] {
                    let Side::Query(_, query) = side else { continue };
                    let refused = variant(document, &mut variants, &query).refuse(&query);
                    let problem = refused.map(|(what, hint)| Problem::new(&path, what, hint));
                    if let Some(problem) = problem.filter(|problem| !problems.contains(problem)) {
                        problems.push(problem);
                    }
                }
                claims.push(Judgeable { id, spec, claim });
            }
        }
    }
    if problems.is_empty() { Ok(claims) } else { Err(problems) }
}

/// What is known of a variant.
enum Variant {
    /// Everything.
    Planned(Box<Plan>),
    /// What is written: it cannot be planned.
    Written(Document),
    /// Nothing: its patch has no place in the document.
    Broken,
    /// There is none of that name, but these.
    Missing(Vec<String>),
}

/// The variant that a query is about. Each is planned once.
fn variant<'a>(document: &Document, known: &'a mut Vec<(String, Variant)>, query: &Query) -> &'a Variant {
    let id = query.variant.as_deref().unwrap_or("A");
    let place = known.iter().position(|(known, _)| known == id).unwrap_or_else(|| {
        let variants = document.variants();
        let variant = match (document.plan(id, &[]), document.patched(id, &[])) {
            _ if !variants.iter().any(|variant| variant == id) => Variant::Missing(variants),
            (Ok(plan), _) => Variant::Planned(Box::new(plan)),
            (_, Ok(written)) => Variant::Written(written),
            _ => Variant::Broken,
        };
        known.push((id.to_string(), variant));
        known.len() - 1
    });
    &known[place].1
}

impl Variant {
    /// Why a query has no answer here, and how to mend it.
    fn refuse(&self, query: &Query) -> Option<(String, String)> {
        let of_signal = |why: String| (why, "Name a signal that this variant has.".to_string());
        let signal = match self {
            Variant::Missing(variants) => {
                let known = format!("Known: {}.", variants.join(", "));
                return Some((format!("there is no variant `{}`", query.variant.as_ref()?), known));
            }
            Variant::Planned(plan) => Signal::new(plan, &query.signal, &query.labels)
                .and_then(|signal| query.reduced.map_or(Ok(()), |reduced| signal.kind().allows(reduced))),
            Variant::Written(document) => is_written(document, query),
            Variant::Broken => Ok(()),
        };
        let seconds = match self {
            Variant::Planned(plan) => Some(plan.end.as_seconds()),
            Variant::Written(document) => document.at("duration_s").and_then(Value::as_f64),
            _ => None,
        };
        let window = query.window.zip(seconds).map_or(Ok(()), |(window, seconds)| window.within(seconds));
        let of_window = |why: String| (why, "Choose a window within the run, or make `duration_s` longer.".to_string());
        signal.map_err(of_signal).and(window.map_err(of_window)).err()
    }
}

/// Errors: no signal of that name is declared or built in, or the built-in one is not reduced so.
fn is_written(document: &Document, query: &Query) -> Result<(), String> {
    let declared = document.at("metrics").is_some_and(|metrics| metrics.get(&query.signal).is_some());
    match BuiltIn::named(&query.signal) {
        _ if declared => Ok(()),
        Some(signal) => query.reduced.map_or(Ok(()), |reduced| signal.kind.allows(reduced)),
        None => Err(format!("there is no signal `{}`", query.signal)),
    }
}
