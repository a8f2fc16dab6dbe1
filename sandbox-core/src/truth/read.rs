//! Models as data: typed fields, and lengths of time as models write them.

use crate::scenario::Problem;
use crate::scenario::read::{self, Read, Reading};
use crate::time::{Span, Time};
use serde_json::{Map, Value};

/// The longest time a model may name: 100 years. Sums of a few stay far below the end of time.
const LONGEST_S: f64 = 100.0 * 365.25 * 86_400.0;

/// Reads a model as a `T` that names neither `type`, `time_unit` nor `runs`: those belong to every model.
/// Errors: every problem, with its path from the model.
pub fn read<T: Read>(model: &Value) -> Result<T, Vec<Problem>> {
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
    match read::read(&model, "", &mut problems) {
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ms(#[cfg_attr(feature = "schema", schemars(with = "f64"))] pub Span);

/// A length or an instant, written in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Seconds(#[cfg_attr(feature = "schema", schemars(with = "f64"))] pub Span);

impl Ms {
    /// The instant so long after the start.
    pub fn time(self) -> Time {
        Time::ZERO + self.0
    }
}

impl Read for Ms {
    fn blank() -> Ms {
        Ms(Span::ZERO)
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let mut ms = 0.0;
        let whole = ms.read(value, reading) && in_range(ms, LONGEST_S * 1e3, reading);
        *self = Ms(Span::from_ms(ms));
        whole
    }
}

impl Read for Seconds {
    fn blank() -> Seconds {
        Seconds(Span::ZERO)
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let mut seconds = 0.0;
        let whole = seconds.read(value, reading) && in_range(seconds, LONGEST_S, reading);
        *self = Seconds(Span::from_seconds(seconds));
        whole
    }
}

fn in_range(length: f64, longest: f64, reading: &mut Reading) -> bool {
    let what = || format!("is {length}, not a length of time from 0 to 100 years");
    (0.0..=longest).contains(&length) || reading.refuse(&what(), "Mend the value.")
}

/// A beginning, and an end if there is one.
impl Read for (f64, Option<f64>) {
    fn blank() -> (f64, Option<f64>) {
        (0.0, None)
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let Some([from, to]) = value.as_array().map(Vec::as_slice) else {
            return reading.is_not(value, "a list of two numbers");
        };
        self.0.read(from, &mut reading.index(0)) & self.1.read(to, &mut reading.index(1))
    }
}

impl Read for i64 {
    fn blank() -> i64 {
        0
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let Some(number) = value.as_i64() else { return reading.is_not(value, "a whole number") };
        *self = number;
        true
    }
}

/// Anything, by name.
impl Read for Map<String, Value> {
    fn blank() -> Map<String, Value> {
        Map::new()
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let Value::Object(fields) = value else { return reading.is_not(value, "an object") };
        self.clone_from(fields);
        true
    }
}

/// A length in milliseconds, for an answer.
pub fn ms(span: Span) -> Value {
    Value::from(span.as_ms())
}
