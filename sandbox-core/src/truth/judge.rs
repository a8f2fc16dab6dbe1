//! Answers beside expected ones.

use super::{Answers, Case, CaseKind, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// From this many seeds on their mean is judged, and no longer each of them.
const SEEDS_FOR_MEAN: usize = 20;
/// A decimal under tolerance 0 may differ so much: expected values are printed with a limited number of digits.
const PRINTED: f64 = 1e-6;

/// How a case went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseReport {
    /// Name of the case.
    pub id: String,
    /// 1 = core.
    pub tier: u8,
    /// What kind of answer it has.
    pub kind: CaseKind,
    /// Where the expected values come from, in prose.
    pub source: String,
    /// How it went.
    pub verdict: Verdict,
    /// Why it is unsupported or an error, or which metrics are off; null for a pass.
    pub reason: Option<String>,
    /// Metric by metric; empty if there are no answers.
    pub values: Vec<ValueReport>,
}

/// How a case went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Verdict {
    /// Every expected value was met.
    Pass,
    /// Some value was not met.
    Fail,
    /// The model asks for something that is not built.
    Unsupported,
    /// The model makes no sense.
    Error,
}

/// An expected value and what was got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ValueReport {
    /// Metric, with the label of its run.
    pub name: String,
    /// As the case says.
    pub expected: Value,
    /// Of several seeds the mean from 20 seeds on, below that the worst; null if there is no such answer.
    pub got: Value,
    /// What was allowed.
    pub rel_tol: f64,
    /// Largest relative difference; null where the two cannot be compared as numbers.
    pub rel_error: Option<f64>,
    /// Whether it is within what was allowed.
    pub pass: bool,
}

impl Case {
    /// Judges the answers of one or several seeds. Panics without any.
    pub fn judge(&self, answers: &[Result<Answers, Refusal>]) -> CaseReport {
        let good: Result<Vec<&Answers>, &Refusal> = answers.iter().map(Result::as_ref).collect();
        let (verdict, reason, values) = match good {
            Err(Refusal::Unsupported(why)) => (Verdict::Unsupported, Some(why.clone()), Vec::new()),
            Err(Refusal::Problems(problems)) => {
                let lines: Vec<String> = problems.iter().map(|problem| format!("model.{problem}")).collect();
                (Verdict::Error, Some(lines.join("\n")), Vec::new())
            }
            Ok(answers) => {
                let value = |(name, expected): (&String, &Value)| self.judge_value(name, expected, &answers);
                let values: Vec<ValueReport> = self.expected.iter().map(value).collect();
                let off: Vec<&str> =
                    values.iter().filter(|value| !value.pass).map(|value| value.name.as_str()).collect();
                let reason = (!off.is_empty()).then(|| format!("off: {}", off.join(", ")));
                (if off.is_empty() { Verdict::Pass } else { Verdict::Fail }, reason, values)
            }
        };
        let (id, source) = (self.id.clone(), self.source.clone());
        CaseReport { id, tier: self.tier, kind: self.kind, source, verdict, reason, values }
    }

    fn judge_value(&self, name: &str, expected: &Value, answers: &[&Answers]) -> ValueReport {
        let of_seeds: Vec<Value> = answers.iter().map(|answers| find(answers, name).clone()).collect();
        let mean = (answers.len() >= SEEDS_FOR_MEAN).then(|| mean(&of_seeds)).flatten();
        let rel_tol = self.tolerance(name, mean.is_some()).expect("checked when the case was read");
        let rule = Rule { rel_tol, equivalent: self.equivalent(name), first_only: name.starts_with("results") };
        let judged =
            mean.map_or(of_seeds, |mean| vec![mean]).into_iter().map(|got| (rule.compare(expected, &got), got));
        let (Difference { pass, rel_error }, got) =
            judged.max_by(|(a, _), (b, _)| a.badness().total_cmp(&b.badness())).expect("there is at least one seed");
        ValueReport { name: name.to_string(), expected: expected.clone(), got, rel_tol, rel_error, pass }
    }
}

/// The answer named `name`; the parts after `@` may stand in another order.
fn find<'a>(answers: &'a Answers, name: &str) -> &'a Value {
    fn sorted(name: &str) -> (Option<&str>, Vec<&str>) {
        let mut parts = name.split('@');
        let metric = parts.next();
        let mut suffixes: Vec<&str> = parts.collect();
        suffixes.sort_unstable();
        (metric, suffixes)
    }
    let other = || answers.iter().find(|(other, _)| sorted(other) == sorted(name)).map(|(_, value)| value);
    answers.get(name).or_else(other).unwrap_or(&Value::Null)
}

/// The mean of numbers; None if one is not a number.
fn mean(values: &[Value]) -> Option<Value> {
    let sum = values.iter().map(Value::as_f64).sum::<Option<f64>>()?;
    Some(Value::from(sum / values.len() as f64))
}

/// How an expected value is compared.
struct Rule<'a> {
    rel_tol: f64,
    equivalent: &'a [Vec<i64>],
    /// Of a list inside the list only the first element counts: the busy flag of a SQLite checkpoint.
    first_only: bool,
}

/// What a comparison says.
#[derive(Clone, Copy)]
struct Difference {
    pass: bool,
    rel_error: Option<f64>,
}

impl Difference {
    const NONE: Difference = Difference { pass: true, rel_error: Some(0.0) };
    const UNLIKE: Difference = Difference { pass: false, rel_error: None };

    fn exact(equal: bool) -> Difference {
        if equal { Difference::NONE } else { Difference::UNLIKE }
    }

    /// The worse of both.
    fn and(self, other: Difference) -> Difference {
        let rel_error = self.rel_error.zip(other.rel_error).map(|(a, b)| a.max(b));
        Difference { pass: self.pass && other.pass, rel_error }
    }

    /// Grows with the difference.
    fn badness(self) -> f64 {
        self.rel_error.unwrap_or(f64::INFINITY)
    }
}

impl Rule<'_> {
    fn compare(&self, expected: &Value, got: &Value) -> Difference {
        match (expected, got) {
            (Value::Number(_), Value::Number(_)) if self.counts_as_equal(expected, got) => Difference::NONE,
            (Value::Number(wanted), Value::Number(number)) => {
                let both_whole = !wanted.is_f64() && !number.is_f64();
                let numbers = wanted.as_f64().zip(number.as_f64());
                numbers.map_or(Difference::UNLIKE, |(wanted, number)| self.numbers(wanted, number, both_whole))
            }
            (Value::Array(wanted), Value::Array(items)) if wanted.len() == items.len() => {
                let pair = |(wanted, item): (&Value, &Value)| match (wanted, item) {
                    (Value::Array(wanted), Value::Array(item)) if self.first_only => {
                        Difference::exact(wanted.first() == item.first())
                    }
                    _ => self.compare(wanted, item),
                };
                wanted.iter().zip(items).map(pair).fold(Difference::NONE, Difference::and)
            }
            (Value::Object(wanted), Value::Object(fields)) if wanted.len() == fields.len() => {
                let pair = |(name, wanted): (&String, &Value)| match fields.get(name) {
                    Some(field) => self.compare(wanted, field),
                    None => Difference::UNLIKE,
                };
                wanted.iter().map(pair).fold(Difference::NONE, Difference::and)
            }
            _ => Difference::exact(expected == got),
        }
    }

    fn numbers(&self, wanted: f64, number: f64, both_whole: bool) -> Difference {
        let apart = (number - wanted).abs();
        let allowed = match (self.rel_tol == 0.0 || wanted == 0.0, both_whole && self.rel_tol == 0.0) {
            (_, true) => 0.0,
            (true, _) => PRINTED * wanted.abs().max(1.0),
            _ => self.rel_tol * wanted.abs(),
        };
        let rel_error = if wanted == 0.0 { apart } else { apart / wanted.abs() };
        Difference { pass: apart <= allowed, rel_error: Some(rel_error) }
    }

    fn counts_as_equal(&self, a: &Value, b: &Value) -> bool {
        let within = |group: &Vec<i64>, value: &Value| value.as_i64().is_some_and(|value| group.contains(&value));
        self.equivalent.iter().any(|group| within(group, a) && within(group, b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::read_cases;
    use serde_json::json;

    fn case(expected: Value, rel_tol: Value, more: Value) -> Case {
        let mut case = json!({
            "id": "x", "tier": 1, "kind": "statistical", "source": "", "model": {"type": "none"}, "metric": "",
            "expected": expected, "rel_tol": rel_tol, "needs": [], "notes": "",
        });
        case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read_cases(&json!([case]).to_string()).unwrap().remove(0)
    }

    fn passes(case: &Case, answers: &[Value]) -> bool {
        let answers: Vec<_> = answers.iter().map(|answer| Ok(answer.as_object().unwrap().clone())).collect();
        case.judge(&answers).verdict == Verdict::Pass
    }

    #[test]
    fn tolerance_0_is_exact_but_for_printed_decimals() {
        let case = case(json!({"m": [1, "a", null, 0.5, true]}), json!(0), json!({}));
        assert!(passes(&case, &[json!({"m": [1, "a", null, 0.500_000_4, true]})]));
        for other in [
            json!([2, "a", null, 0.5, true]),
            json!([1, "b", null, 0.5, true]),
            json!([1, "a", 0, 0.5, true]),
            json!([1, "a", null, 0.500_002, true]),
            json!([1, "a", null, 0.5, false]),
            json!([1, "a", null, 0.5]),
            json!(null),
        ] {
            assert!(!passes(&case, &[json!({"m": other})]), "{other}");
        }
        assert!(!passes(&case, &[json!({})]), "a missing answer is a miss");
    }

    #[test]
    fn objects_have_the_same_keys() {
        let case = case(json!({"m": [{"a": 1.0, "b": null}]}), json!(0.1), json!({}));
        assert!(passes(&case, &[json!({"m": [{"b": null, "a": 1.05}]})]));
        for other in [json!({"a": 1.0}), json!({"a": 1.2, "b": null}), json!({"a": 1.0, "b": null, "c": 1})] {
            assert!(!passes(&case, &[json!({"m": [other]})]), "{other}");
        }
    }

    #[test]
    fn few_seeds_are_judged_one_by_one_and_twenty_by_their_mean() {
        let mean = json!({"rel_tol_mean_of_20_runs": {"m": 0.01}});
        let case = case(json!({"m": 10.0}), json!({"m": 0.1}), mean);
        assert!(passes(&case, &[json!({"m": 10.9}), json!({"m": 9.1})]));
        assert!(!passes(&case, &[json!({"m": 10.0}), json!({"m": 11.1})]));
        let around = |a: f64, b: f64| [vec![json!({"m": a}); 10], vec![json!({"m": b}); 10]].concat();
        assert!(passes(&case, &around(8.0, 12.0)));
        assert!(!passes(&case, &around(10.2, 10.2)));
    }

    #[test]
    fn equivalent_values_and_checkpoints() {
        let case = case(
            json!({"status": [204, 412], "results@wal": ["OK", [1, 1, 0]]}),
            json!(0),
            json!({"equivalent": {"status": [[200, 204]]}}),
        );
        assert!(passes(&case, &[json!({"status": [200, 412], "results@wal": ["OK", [1, 9, 9]]})]));
        assert!(!passes(&case, &[json!({"status": [200, 409], "results@wal": ["OK", [1, 1, 0]]})]));
        assert!(!passes(&case, &[json!({"status": [200, 412], "results@wal": ["OK", [0, 1, 0]]})]));
    }

    #[test]
    fn parts_of_a_name_stand_in_any_order() {
        let case = case(json!({"m@slow@class:1": 1}), json!(0), json!({}));
        assert!(passes(&case, &[json!({"m@class:1@slow": 1})]));
        assert!(!passes(&case, &[json!({"m@class:2@slow": 1})]));
    }
}
