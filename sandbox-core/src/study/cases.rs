//! What is different from run to run, and the runs.

use crate::metrics::Run;
use crate::scenario::{Document, Plan};
use serde_json::Value;
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
    /// The case without what lies at a path.
    #[inline]
    pub(super) fn without(&self, label: impl Into<String>, path: impl Into<String>) -> Case {
        self.with(label, path, Value::Null)
    }

    /// The case with one more change.
    #[inline]
    pub(super) fn with(&self, label: impl Into<String>, path: impl Into<String>, value: Value) -> Case {
        let mut case = Case { label: label.into(), ..self.clone() };
        case.changes.push((path.into(), value));
        case
    }
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
