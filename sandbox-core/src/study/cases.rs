//! What is different from run to run, and the runs.

use crate::metrics::Run;
use crate::scenario::{Document, Plan};
use serde_json::{Map, Value};
use std::sync::Arc;

/// One way to run a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What is different, for people.
    pub label: String,
    /// The variant.
    pub variant: String,
    /// Changes of the document, in order: a dotted path and a value; null takes out.
    pub changes: Vec<(String, Value)>,
}

impl Case {
    /// The case without what lies at `path` of `json`, the patched document, and without the knobs that turn something of it:
    /// a knob has to turn something.
    #[inline]
    pub fn without(&self, json: &Value, label: impl Into<String>, path: &str) -> Case {
        let mut case = Case { label: label.into(), ..self.clone() };
        let inside = format!("{path}.");
        let turns =
            |knob: &Value| knob["path"].as_str().is_some_and(|turned| turned == path || turned.starts_with(&inside));
        let knobs =
            fields(json, "knobs").into_iter().filter(|(_, knob)| turns(knob)).map(|(id, _)| format!("knobs.{id}"));
        case.changes.extend(std::iter::once(path.to_string()).chain(knobs).map(|path| (path, Value::Null)));
        case
    }

    /// The case with one more change.
    #[inline]
    pub(super) fn with(&self, label: impl Into<String>, path: impl Into<String>, value: Value) -> Case {
        let mut case = Case { label: label.into(), ..self.clone() };
        case.changes.push((path.into(), value));
        case
    }
}

/// The fields of an object in a field.
#[inline]
pub(super) fn fields<'a>(value: &'a Value, field: &str) -> Vec<(&'a String, &'a Value)> {
    value.get(field).and_then(Value::as_object).map_or_else(Vec::new, |fields: &Map<_, _>| fields.iter().collect())
}

/// Cases that can be run.
#[derive(Clone, Debug)]
pub struct Study {
    cases: Vec<Case>,
    plans: Vec<Arc<Plan>>,
}

impl Study {
    /// Plans every case. A case that cannot be planned, because something else of the scenario needs what it takes out, is left
    /// out.
    #[inline]
    pub fn new(document: &Document, cases: Vec<Case>) -> Study {
        let planned = cases.into_iter().filter_map(|case| {
            let plan = document.plan(&case.variant, &case.changes).ok()?;
            Some((case, Arc::new(plan)))
        });
        let (cases, plans) = planned.unzip();
        Study { cases, plans }
    }

    /// The cases, in order.
    #[inline]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The run of a case, before its first step.
    #[inline]
    pub fn start(&self, case: usize) -> Run {
        Run::new(self.plans[case].clone())
    }
}
