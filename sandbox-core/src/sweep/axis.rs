//! What is varied, and which values it takes.

use crate::scenario::Problem;
use serde::{Deserialize, Serialize};

/// Most values of an axis.
const VALUES_MAX: u32 = 1_000;

/// One thing that is varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Axis {
    /// A dotted path of the document, or the id of a knob.
    pub path: String,
    /// The values, in the order in which they are run.
    pub values: Vec<f64>,
}

impl Axis {
    /// Reads `PATH=FROM..TO:STEPS`, which is STEPS values from FROM to TO, both included, or `PATH=VALUE,VALUE,...`.
    /// Errors: how to write it.
    pub fn parse(text: &str) -> Result<Axis, Problem> {
        let problem = |what: &str| {
            let hint = format!(
                "Write PATH=FROM..TO:STEPS, such as nodes.api.workers=2..8:4, or PATH=2,4,8; at most {VALUES_MAX} values."
            );
            Problem::new(format!("--vary {text}"), what, hint)
        };
        let (path, values) = text.split_once('=').ok_or_else(|| problem("has no `=`"))?;
        let number = |text: &str| text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let values = match values.split_once("..") {
            None => values.split(',').map(number).collect::<Option<Vec<f64>>>().ok_or("has a value that is no number"),
            Some((from, rest)) => {
                let (to, steps) = rest.split_once(':').ok_or_else(|| problem("does not say how many steps"))?;
                let steps = steps.parse().ok().filter(|steps| (2..=VALUES_MAX).contains(steps));
                let ends = number(from).zip(number(to)).ok_or("has an end that is no number");
                ends.and_then(|(from, to)| Ok(spread(from, to, steps.ok_or("has an impossible number of steps")?)))
            }
        };
        let values = values.map_err(problem)?;
        if path.is_empty() || values.len() > VALUES_MAX as usize {
            return Err(problem(if path.is_empty() { "has no path" } else { "has too many values" }));
        }
        Ok(Axis { path: path.to_string(), values })
    }
}

/// Evenly spaced values, both ends included, as somebody would write them: to 12 digits.
fn spread(from: f64, to: f64, steps: u32) -> Vec<f64> {
    let value = |step| from + (to - from) * f64::from(step) / f64::from(steps - 1);
    (0..steps).map(|step| format!("{:.11e}", value(step)).parse().expect("it was a number")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends() {
        let axis = Axis::parse("a.b=0..1:11").unwrap();
        assert_eq!((axis.path.as_str(), axis.values.len()), ("a.b", 11));
        assert_eq!((axis.values[0], axis.values[3], axis.values[10]), (0.0, 0.3, 1.0));
        assert_eq!(Axis::parse("a=8..2:3").unwrap().values, [8.0, 5.0, 2.0]);
        assert_eq!(Axis::parse("a=1, 5,-2.5").unwrap().values, [1.0, 5.0, -2.5]);
    }

    #[test]
    fn what_is_no_axis_is_refused_with_its_form() {
        for bad in ["a", "=1", "a=", "a=x", "a=1..2", "a=1..2:1", "a=1..2:5000", "a=1..x:3", "a=1,NaN", "a=inf..1:2"] {
            let problem = Axis::parse(bad).unwrap_err();
            assert!(problem.path.contains(bad) && problem.hint.contains("FROM..TO:STEPS"), "{problem}");
        }
    }
}
