//! Models as data: typed fields, and lengths of time as models write them.

use crate::scenario::{Problem, collect};
use crate::time::{Span, Time};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The longest time a model may name: 100 years. Sums of a few stay far below the end of time.
const LONGEST_S: f64 = 100.0 * 365.25 * 86_400.0;

/// Reads a model as a `T` that names neither `type`, `time_unit` nor `runs`: those belong to every model.
/// Errors: every problem, with its path from the model.
pub fn read<T: DeserializeOwned>(model: &Value) -> Result<T, Vec<Problem>> {
    let mut model = model.clone();
    let mut problems = Vec::new();
    if let Some(fields) = model.as_object_mut() {
        fields.remove("type");
        fields.remove("runs");
        let unit = fields.remove("time_unit").unwrap_or_else(|| "s".into());
        if unit != "s" && unit != "ms" {
            problems.push(Problem::new("time_unit", format!("is {unit}"), "Write \"s\" or \"ms\"."));
        }
    }
    whole_numbers(&mut model);
    match collect(model, "", &mut problems) {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(problems),
    }
}

/// Checks that a list of the model, named `path`, is sorted by time.
pub fn in_order(path: &str, times: impl Iterator<Item = Time>) -> Result<(), Vec<Problem>> {
    let mut latest = Time::ZERO;
    for (index, at) in times.enumerate() {
        if at < latest {
            let what = "is before the one above it";
            return Err(vec![Problem::new(format!("{path}.{index}.t_ms"), what, "Sort the list by time.")]);
        }
        latest = at;
    }
    Ok(())
}

/// Writes 3.0 as 3: JSON Schema calls both an integer.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().expect("it is one");
            if float.fract() == 0.0 && float.abs() < (1u64 << 53) as f64 {
                *value = Value::from(float as i64);
            }
        }
        _ => {}
    }
}

/// A length or an instant, written in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ms(pub Span);

/// A length or an instant, written in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Span);

impl Ms {
    /// The instant so long after the start.
    pub fn time(self) -> Time {
        Time::ZERO + self.0
    }
}

impl<'de> Deserialize<'de> for Ms {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Ms, D::Error> {
        let ms = f64::deserialize(from)?;
        in_range(ms, LONGEST_S * 1e3).map(|()| Ms(Span::from_ms(ms))).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Seconds, D::Error> {
        let seconds = f64::deserialize(from)?;
        in_range(seconds, LONGEST_S).map(|()| Seconds(Span::from_seconds(seconds))).map_err(D::Error::custom)
    }
}

fn in_range(length: f64, longest: f64) -> Result<(), String> {
    match (0.0..=longest).contains(&length) {
        true => Ok(()),
        false => Err(format!("is {length}, not a length of time from 0 to 100 years")),
    }
}

/// A length in milliseconds, for an answer.
pub fn ms(span: Span) -> Value {
    Value::from(span.as_ms())
}
