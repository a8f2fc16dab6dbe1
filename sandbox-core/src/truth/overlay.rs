//! The runs of a case: each starts from the model and overwrites some of its places.

use super::Refusal;
use crate::scenario::Problem;
use serde_json::{Map, Value};

/// The model of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunModel {
    /// Name of the run; None for a case without runs.
    pub label: Option<String>,
    /// The model, overwritten.
    pub model: Value,
}

impl RunModel {
    /// `metric@label`.
    pub fn labelled(&self, metric: &str) -> String {
        match &self.label {
            Some(label) => format!("{metric}@{label}"),
            None => metric.to_string(),
        }
    }

    /// The metric that an expected name asks of this run; None if it asks another run.
    pub fn metric(&self, expected: &str) -> Option<String> {
        let Some(label) = &self.label else { return Some(expected.to_string()) };
        let parts: Vec<&str> = expected.split('@').collect();
        let others: Vec<&str> = parts.iter().filter(|part| *part != label).copied().collect();
        (others.len() < parts.len()).then(|| others.join("@"))
    }

    /// Adds to each problem in which run it was found.
    pub fn name(&self, refusal: Refusal) -> Refusal {
        match (&self.label, refusal) {
            (Some(label), Refusal::Problems(mut problems)) => {
                problems.iter_mut().for_each(|problem| problem.what.push_str(&format!(" (run `{label}`)")));
                Refusal::Problems(problems)
            }
            (_, refusal) => refusal,
        }
    }
}

/// The models of all runs: one, without a label, if the model names no runs.
pub fn runs(model: &Value) -> Result<Vec<RunModel>, Vec<Problem>> {
    let Some(fields) = model.as_object() else {
        return Err(vec![Problem::new("type", "is missing: the model is not an object", "Write `{\"type\": ...}`.")]);
    };
    let Some(runs) = fields.get("runs") else { return Ok(vec![RunModel { label: None, model: model.clone() }]) };
    let mut base = fields.clone();
    base.remove("runs");
    let form = "Write a list of {\"label\": \"name\", \"set\": {\"dotted.path\": value}}.";
    let Some(runs) = runs.as_array().filter(|runs| !runs.is_empty()) else {
        return Err(vec![Problem::new("runs", "is not a list of runs", form)]);
    };
    let (mut models, mut problems) = (Vec::<RunModel>::new(), Vec::new());
    for (index, run) in runs.iter().enumerate() {
        let path = format!("runs.{index}");
        let mut fields = run.as_object().cloned().unwrap_or_default();
        let (label, set) = (fields.remove("label"), fields.remove("set"));
        let (Some(Value::String(label)), Some(Value::Object(set)), true) = (label, set, fields.is_empty()) else {
            problems.push(Problem::new(path, "is not a label and a set", form));
            continue;
        };
        if models.iter().any(|other| other.label.as_ref() == Some(&label)) {
            problems.push(Problem::new(format!("{path}.label"), "is taken by another run", "Choose another label."));
        }
        let mut model = Value::Object(base.clone());
        for (place, value) in set {
            if let Err(why) = overwrite(&mut model, &place, value) {
                problems.push(Problem::new(format!("{path}.set.{place}"), why, "Name a place of the model."));
            }
        }
        models.push(RunModel { label: Some(label), model });
    }
    if problems.is_empty() { Ok(models) } else { Err(problems) }
}

/// Puts `value` at a dotted path; null takes out what is there. Missing objects on the way are made; a list takes a
/// position it has, or the next one.
fn overwrite(model: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let steps: Vec<&str> = path.split('.').collect();
    let (last, way) = steps.split_last().expect("a split has at least one part");
    let mut place = model;
    for step in way {
        place = match place {
            Value::Object(fields) => fields.entry(*step).or_insert(Value::Null),
            Value::Array(items) => {
                position(step, items.len()).and_then(|at| items.get_mut(at)).ok_or_else(|| no(step))?
            }
            _ => return Err(format!("`{step}` lies in something that has no parts")),
        };
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
    }
    match place {
        Value::Object(fields) if value.is_null() => drop(fields.remove(*last)),
        Value::Object(fields) => drop(fields.insert(last.to_string(), value)),
        Value::Array(items) => {
            let at = position(last, items.len()).ok_or_else(|| no(last))?;
            match (value.is_null(), at < items.len()) {
                (true, true) => drop(items.remove(at)),
                (true, false) => {}
                (false, true) => items[at] = value,
                (false, false) => items.push(value),
            }
        }
        _ => return Err(format!("`{last}` lies in something that has no parts")),
    }
    Ok(())
}

/// A position of a list of `len` items, or the one behind its end.
fn position(step: &str, len: usize) -> Option<usize> {
    step.parse().ok().filter(|at| *at <= len)
}

fn no(step: &str) -> String {
    format!("`{step}` is no position of the list")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn overwritten(set: Value) -> Result<Value, Vec<Problem>> {
        let model = json!({"a": {"b": 1}, "list": [{"x": 1}, 2], "runs": [{"label": "one", "set": set}]});
        runs(&model).map(|mut runs| runs.remove(0).model)
    }

    #[test]
    fn places_are_overwritten_created_and_removed() {
        assert_eq!(overwritten(json!({"a.b": 5})).unwrap(), json!({"a": {"b": 5}, "list": [{"x": 1}, 2]}));
        assert_eq!(overwritten(json!({"a": null})).unwrap(), json!({"list": [{"x": 1}, 2]}));
        assert_eq!(overwritten(json!({"gone": null})).unwrap(), json!({"a": {"b": 1}, "list": [{"x": 1}, 2]}));
        assert_eq!(overwritten(json!({"c.d.e": 1})).unwrap()["c"], json!({"d": {"e": 1}}));
        assert_eq!(overwritten(json!({"list.0.x": 7})).unwrap()["list"], json!([{"x": 7}, 2]));
        assert_eq!(overwritten(json!({"list.1": null})).unwrap()["list"], json!([{"x": 1}]));
        assert_eq!(overwritten(json!({"list.2": 3})).unwrap()["list"], json!([{"x": 1}, 2, 3]));
    }

    #[test]
    fn refusals_name_the_place() {
        for place in ["list.7", "list.x", "a.b.c", "list.1.y"] {
            let problems = overwritten(json!({place: 1})).unwrap_err();
            assert_eq!(problems[0].path, format!("runs.0.set.{place}"));
        }
        for bad in [json!(1), json!([]), json!([1]), json!([{"label": "x"}]), json!([{"label": 1, "set": {}}])] {
            assert!(runs(&json!({"runs": bad})).unwrap_err()[0].path.starts_with("runs"));
        }
        let twice = json!({"runs": [{"label": "x", "set": {}}, {"label": "x", "set": {}}]});
        assert_eq!(runs(&twice).unwrap_err()[0].path, "runs.1.label");
    }

    #[test]
    fn a_model_without_runs_is_one_run() {
        let one = runs(&json!({"type": "x"})).unwrap();
        assert_eq!((one.len(), one[0].labelled("m")), (1, "m".to_string()));
    }
}
