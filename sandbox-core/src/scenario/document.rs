//! The JSON document: variants and changes are patches of it, addressed by dotted paths.

use super::Plan;
use super::json::read_value;
use super::knobs::{self, drop_lost_knobs};
use super::path::is_within;
use super::read::{read, read_with_gaps};
use super::{ClaimSpec, KnobSpec, Spec};
use super::{Map, Problem};
use serde_json::{Number, Value};

/// A scenario as JSON, before a variant is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    json: Value,
}

/// A knob with its present value.
#[derive(Clone, Debug, PartialEq)]
pub struct KnobView {
    /// Key in `knobs`.
    pub id: String,
    /// As written.
    pub spec: KnobSpec,
    /// The value at its path.
    pub value: f64,
}

impl Document {
    /// Reads JSON text. Errors: those of [`read_value`].
    #[inline]
    pub fn parse(text: &str) -> Result<Document, Vec<Problem>> {
        Ok(Document { json: read_value(text)? })
    }

    /// A document that is JSON already.
    #[inline]
    pub fn from_json(json: Value) -> Document {
        Document { json }
    }

    /// The JSON, as variant `A`.
    #[inline]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The scenario's id, or an empty text.
    #[inline]
    pub fn id(&self) -> &str {
        self.json.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    /// The ids of the variants, `A` first.
    #[inline]
    pub fn variants(&self) -> Vec<String> {
        let mut ids = vec!["A".to_string()];
        if let Some(variants) = self.json.get("variants").and_then(Value::as_object) {
            ids.extend(variants.keys().filter(|id| *id != "A").cloned());
        }
        ids
    }

    /// The title of a variant, or its id.
    #[inline]
    pub fn variant_title(&self, variant: &str) -> String {
        let title = self.json.pointer(&format!("/variants/{variant}/title")).and_then(Value::as_str);
        title.unwrap_or(variant).to_string()
    }

    /// The document with a variant's patch and then `changes` applied; those that change a variant come first. A knob goes with what
    /// a change takes out.
    #[inline]
    pub fn patched(&self, variant: &str, changes: &[(String, Value)]) -> Result<Document, Vec<Problem>> {
        let (document, problems) = self.patched_with_gaps(variant, changes);
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }

    /// The same without what cannot be applied, which is among the problems.
    #[inline]
    fn patched_with_gaps(&self, variant: &str, changes: &[(String, Value)]) -> (Document, Vec<Problem>) {
        let is_revision = |(path, _): &&(String, Value)| is_within(path, "variants");
        let (mut document, mut problems) = (self.clone(), Vec::new());
        document.change(changes.iter().filter(is_revision), |_, _| None, &mut problems);
        let variants = document.variants();
        if !variants.iter().any(|id| id == variant) {
            let (what, known) = ("there is no such variant", format!("Known: {}.", variants.join(", ")));
            problems.push(Problem::new(format!("variants.{variant}"), what, known));
        }
        let patch = document.patch(variant).cloned();
        for (path, value) in patch.into_iter().flatten() {
            let applied = match common_to_all(variant, &path) {
                Some(refusal) => Err(refusal),
                None => set(&mut document.json, &path, value),
            };
            if let Err((what, hint)) = applied {
                problems.push(Problem::new(format!("variants.{variant}.set.{path}"), what, hint));
            }
        }
        let elsewhere = |path: &str, value: &Value| self.only_elsewhere(variant, path, value);
        document.change(changes.iter().filter(|change| !is_revision(change)), elsewhere, &mut problems);
        (document, problems)
    }

    /// The document with those of the changes applied that are about its variants and claims: what is promised of runs, and not
    /// one of them. What cannot be applied is left out; [`Document::patched`] tells of it.
    #[inline]
    pub fn revised(&self, changes: &[(String, Value)]) -> Document {
        let mut document = self.clone();
        let about = |(path, _): &&(String, Value)| is_within(path, "variants") || is_within(path, "claims");
        document.change(changes.iter().filter(about), |_, _| None, &mut Vec::new());
        document
    }

    /// Applies what can be applied. Where there is no such place, `elsewhere` may know better what to do than that.
    #[inline]
    fn change<'a>(
        &mut self,
        changes: impl Iterator<Item = &'a (String, Value)>,
        elsewhere: impl Fn(&str, &Value) -> Option<String>,
        problems: &mut Vec<Problem>,
    ) {
        for (path, value) in changes {
            match set(&mut self.json, path, value.clone()) {
                Ok(()) => drop_lost_knobs(&mut self.json, path),
                Err((what, hint)) => {
                    let hint = elsewhere(path, value).unwrap_or(hint);
                    problems.push(Problem::new(path.clone(), what, hint));
                }
            }
        }
    }

    /// What a variant sets, by path.
    fn patch(&self, variant: &str) -> Option<&serde_json::Map<String, Value>> {
        self.json.pointer(&format!("/variants/{variant}/set")).and_then(Value::as_object)
    }

    /// That other variants have the place which this one lacks.
    fn only_elsewhere(&self, variant: &str, path: &str, value: &Value) -> Option<String> {
        let has = |id: &String| {
            let patched = self.patched(id, &[]).map(|patched| patched.json);
            patched.is_ok_and(|mut json| set(&mut json, path, value.clone()).is_ok())
        };
        let having: Vec<String> = self.variants().into_iter().filter(|id| id != variant && has(id)).collect();
        let are = if having.len() == 1 { "variant" } else { "variants" };
        (!having.is_empty()).then(|| format!("Only {are} {} can be changed there.", having.join(", ")))
    }

    /// Where in the document it is written what a problem of a variant is about: what the variant sets stands in its `set`, unless a
    /// change came over it.
    fn where_written(&self, variant: &str, changes: &[(String, Value)], problem: Problem) -> Problem {
        let is_within = |place: &str| problem.is_within(place);
        let mut sets = self.patch(variant).into_iter().flatten().map(|(path, _)| path);
        let is_changed = changes.iter().any(|(path, _)| is_within(path));
        match sets.any(|path| is_within(path)) && !is_changed {
            true => Problem { path: format!("variants.{variant}.set.{}", problem.path), ..problem },
            false => problem,
        }
    }

    /// The plan of a variant with changes; all problems at once: what cannot be applied, what cannot be read, then what of the rest
    /// cannot be planned.
    #[inline]
    pub fn plan(&self, variant: &str, changes: &[(String, Value)]) -> Result<Plan, Vec<Problem>> {
        let (patched, mut problems) = self.patched_with_gaps(variant, changes);
        let (spec, _) = read_with_gaps::<Spec>(&patched.json, "", &mut problems);
        let unread = problems.len();
        let plan = Plan::new(&spec, variant, &patched.json, &mut problems);
        // A place that could not be read has a blank in it: that makes no sense either, and is no news.
        let mut unplanned = problems.split_off(unread);
        unplanned.retain(|problem| !problems.iter().any(|unread| problem.is_within(&unread.path)));
        problems.append(&mut unplanned);
        match plan {
            Some(plan) if problems.is_empty() => Ok(plan),
            _ => {
                let written = problems.into_iter().map(|problem| self.where_written(variant, changes, problem));
                Err(each_once(written.collect()))
            }
        }
    }

    /// All problems of the document and of its variants, each once; what is wrong in variants only names them.
    #[inline]
    pub fn check(&self) -> Vec<Problem> {
        let mut found: Vec<(Problem, Vec<String>)> = Vec::new();
        for variant in self.variants() {
            for problem in self.plan(&variant, &[]).err().unwrap_or_default() {
                match found.iter_mut().find(|(known, _)| (&known.path, &known.what) == (&problem.path, &problem.what)) {
                    Some((_, variants)) => variants.push(variant.clone()),
                    None => found.push((problem, vec![variant.clone()])),
                }
            }
        }
        let labelled = |(problem, variants): (Problem, Vec<String>)| {
            let own = variants.iter().any(|id| id == "A" || problem.path.starts_with(&format!("variants.{id}.")));
            match own {
                true => problem,
                false => Problem { what: format!("in variant {}: {}", variants.join(", "), problem.what), ..problem },
            }
        };
        found.into_iter().map(labelled).collect()
    }

    /// Knobs that turn nothing in any variant, and ends of knobs at which a variant cannot run. For a document that has no other
    /// problems.
    pub fn check_knobs(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        let mut lost: Vec<(String, KnobSpec)> =
            self.spec().map_or_else(Vec::new, |spec| spec.knobs.into_iter().collect());
        for variant in self.variants() {
            let knobs = self.patched(&variant, &[]).map_or_else(|_| Vec::new(), |patched| patched.knobs());
            lost.retain(|(id, _)| !knobs.iter().any(|knob| knob.id == *id));
            for (KnobView { id, spec, .. }, end) in knobs.iter().flat_map(|knob| [(knob, "min"), (knob, "max")]) {
                let value = if end == "min" { spec.min } else { spec.max };
                let refused = self.plan(&variant, &[(spec.path.clone(), json_number(value))]).err();
                let place = format!("knobs.{id}.{end}");
                if let Some(problem) = refused.iter().flatten().next()
                    && !problems.iter().any(|known| known.path == place)
                {
                    let what = format!("variant {variant} cannot run there: {} {}", problem.path, problem.what);
                    problems.push(Problem::new(place, what, problem.hint.clone()));
                }
            }
        }
        problems.extend(lost.into_iter().map(|(id, knob)| {
            Problem::new(
                format!("knobs.{id}.path"),
                format!("`{}` is no number of any variant", knob.path),
                "Name one.",
            )
        }));
        problems
    }

    /// The document as typed data; None if its frame cannot be read.
    #[inline]
    pub fn spec(&self) -> Option<Spec> {
        read(&self.json, "", &mut Vec::new())
    }

    /// The claims that can be read, whatever else cannot.
    #[inline]
    pub fn claims(&self) -> Map<ClaimSpec> {
        self.at("claims").and_then(|claims| read(claims, "claims", &mut Vec::new())).unwrap_or_default()
    }

    /// The value at a dotted path.
    #[inline]
    pub fn at(&self, path: &str) -> Option<&Value> {
        knobs::at(&self.json, path)
    }

    /// The knobs whose place exists in this document (patch it first), with their values.
    #[inline]
    pub fn knobs(&self) -> Vec<KnobView> {
        let Some(spec) = self.spec() else { return Vec::new() };
        let view = |(id, spec): (String, KnobSpec)| {
            let value = self.at(&spec.path)?.as_f64()?;
            Some(KnobView { id, spec, value })
        };
        spec.knobs.into_iter().filter_map(view).collect()
    }
}

#[inline]
fn each_once(problems: Vec<Problem>) -> Vec<Problem> {
    let mut once: Vec<Problem> = Vec::new();
    for problem in problems {
        if !once.contains(&problem) {
            once.push(problem);
        }
    }
    once
}

/// Puts `value` at the dotted `path`; null takes out. Everything but the last step must exist. Errors: what is wrong, and how
/// to mend it.
#[inline]
fn set(json: &mut Value, path: &str, value: Value) -> Result<(), (String, String)> {
    let missing = |part: &str| format!("`{part}` does not exist in `{path}`");
    let (way, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut place = json;
    for part in way.split('.').filter(|part| !part.is_empty()) {
        let hint = known(place);
        place = match place {
            Value::Object(fields) => fields.get_mut(part),
            Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            _ => None,
        }
        .ok_or_else(|| (missing(part), hint))?;
    }
    let hint = known(place);
    match place {
        Value::Object(fields) if value.is_null() => fields.remove(last).map(|_| ()),
        Value::Object(fields) => {
            fields.insert(last.to_string(), value);
            Some(())
        }
        Value::Array(items) => match last.parse::<usize>().ok().filter(|index| *index < items.len()) {
            Some(index) if value.is_null() => {
                items.remove(index);
                Some(())
            }
            Some(index) => {
                items[index] = value;
                Some(())
            }
            None => None,
        },
        _ => None,
    }
    .ok_or_else(|| (missing(last), hint))
}

/// A number as somebody would write it in a document: without a fraction if it has none, because counts are not read from 3.0.
/// What is not finite is null.
#[inline]
pub fn json_number(value: f64) -> Value {
    match value as i64 {
        whole if whole as f64 == value => Value::from(whole),
        _ => Number::from_f64(value).map_or(Value::Null, Value::Number),
    }
}

/// What can be named inside a value.
#[inline]
fn known(place: &Value) -> String {
    match place {
        Value::Object(fields) => format!("Known here: {}.", fields.keys().cloned().collect::<Vec<_>>().join(", ")),
        Value::Array(items) => format!("Here is a list of {}, counted from 0.", items.len()),
        _ => "There is nothing inside it.".into(),
    }
}
/// Why a variant cannot set what all variants share: what it is, and how to mend it.
fn common_to_all(variant: &str, path: &str) -> Option<(String, String)> {
    if variant == "A" {
        let hint = "Write the value into the document itself, or set it in another variant.";
        return Some(("cannot be set: the document as written is variant A".into(), hint.into()));
    }
    let shared = ["format_version", "id", "variants", "claims"].into_iter().find(|field| is_within(path, field))?;
    Some((format!("cannot be set: `{shared}` belongs to all variants together"), "Take it out.".into()))
}
