//! A `burn_rate` model: incidents of constant error ratio, and when each rule fires and clears.

use super::{Answers, read::read};
use crate::policy::burn_rate::{Alert, BurnRateRule, Incident, Slo};
use crate::scenario::{Problem, spec};
use serde_json::{Map, Value};

spec! {
    struct Model {
        slo: f64,
        budget_window_s: f64,
        rules: Vec<RuleModel>,
        incidents: Vec<IncidentModel>,
    }
}

spec! {
    struct RuleModel {
        id: String,
        long_s: f64,
        short_s: f64,
        burn: f64,
    }
}

spec! {
    struct IncidentModel {
        error_ratio: f64,
        interval_s: (f64, Option<f64>),
    }
}

/// Per incident and rule `fires_at_s` and `clears_at_s`; per incident `budget_spent_fraction`.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let model: Model = read(model)?;
    let mut problems = Vec::new();
    let slo = Slo::new(model.slo).map_err(|why| problems.push(Problem::new("slo", why, "Mend the value."))).ok();
    if model.budget_window_s <= 0.0 {
        problems.push(Problem::new("budget_window_s", "is not above 0", "Write a length such as 2592000."));
    }
    let mut rules = Vec::new();
    for (index, rule) in model.rules.into_iter().enumerate() {
        match BurnRateRule::new(rule.long_s, rule.short_s, rule.burn) {
            Ok(checked) => rules.push((rule.id, checked)),
            Err(why) => problems.push(Problem::new(format!("rules.{index}"), why, "Mend the value.")),
        }
    }
    for (index, incident) in model.incidents.iter().enumerate() {
        if !(0.0..=1.0).contains(&incident.error_ratio) {
            let path = format!("incidents.{index}.error_ratio");
            problems.push(Problem::new(path, "is no share", "Use a number from 0 to 1."));
        }
        let (from, to) = incident.interval_s;
        if !(from >= 0.0 && to.is_none_or(|to| to >= from)) {
            let path = format!("incidents.{index}.interval_s");
            problems.push(Problem::new(path, "does not go forward", "Write [from, to) with from >= 0, or to null."));
        }
    }
    let (Some(slo), true) = (slo, problems.is_empty()) else { return Err(problems) };
    let incidents: Vec<Incident> = model
        .incidents
        .iter()
        .map(|incident| Incident {
            error_ratio: incident.error_ratio,
            from_s: incident.interval_s.0,
            to_s: incident.interval_s.1,
        })
        .collect();
    let each = |of: &dyn Fn(Alert) -> Option<f64>| -> Value {
        let by_rule = |incident: &Incident| -> Value {
            let value = |rule: &BurnRateRule| Value::from(rule.alert(slo, *incident).and_then(of));
            rules.iter().map(|(id, rule)| (id.clone(), value(rule))).collect::<Map<_, _>>().into()
        };
        incidents.iter().map(by_rule).collect::<Vec<_>>().into()
    };
    let spent = incidents.iter().map(|incident| incident.budget_spent(slo, model.budget_window_s));
    Ok(Answers::from_iter([
        ("fires_at_s".to_string(), each(&|alert| Some(alert.fires_at_s))),
        ("clears_at_s".to_string(), each(&|alert| alert.clears_at_s)),
        ("budget_spent_fraction".to_string(), spent.map(Value::from).collect::<Vec<_>>().into()),
    ]))
}
