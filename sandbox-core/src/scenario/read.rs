//! From a JSON value to typed data in one pass: every problem is found, and what cannot be read is left out.
//!
//! A type declared by the macro `spec!` only lists its fields and where each one goes; the code that reads them is here, once
//! for all types, because the page pays for every copy. For the same reason cold code carries `#[inline]`: it is then compiled
//! with the page, which is built for size, and not with this crate, which is built for speed.

use super::json::read_value;
use super::path::Path;
use super::{Problem, hint};
use serde_json::Value;

/// What can be read from a value of a document.
pub trait Read {
    /// What stands in its place before it is read. Nobody sees it after a problem.
    fn blank() -> Self
    where
        Self: Sized;

    /// Reads `value`; false if that left a gap, of which a problem then tells.
    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool;
}

/// How far reading has come, and what was wrong on the way.
pub struct Reading<'a> {
    path: Path<'a>,
    problems: &'a mut Vec<Problem>,
    /// The field of the object that is read next which said what kind of object it is.
    tag: Option<&'static str>,
}

/// A field of an object.
pub struct Field {
    /// Its name in the document.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

/// A variant of an enum.
pub struct Variant {
    /// Its name in the code; in the document it is in snake case.
    pub name: &'static str,
    /// Whether the name is all there is of it.
    pub bare: bool,
}

/// Reads JSON text as a `T`. Errors: those of [`read_value`]; or everything that does not fit.
#[inline]
pub fn read_json<T: Read>(text: &str) -> Result<T, Vec<Problem>> {
    let mut problems = Vec::new();
    match read(&read_value(text)?, "", &mut problems) {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(problems),
    }
}

/// Reads `value`, which stands at `path`, as a `T`. None if there is a gap in it; whatever is wrong is added to `problems`.
#[inline]
pub fn read<T: Read>(value: &Value, path: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let (read, whole) = read_with_gaps(value, path, problems);
    whole.then_some(read)
}

/// The same with a blank in each gap, and whether there is none.
#[inline]
pub fn read_with_gaps<T: Read>(value: &Value, path: &str, problems: &mut Vec<Problem>) -> (T, bool) {
    let mut read = T::blank();
    let mut reading = Reading { path: Path::new(path), problems, tag: None };
    let whole = read.read(value, &mut reading);
    (read, whole)
}

impl Reading<'_> {
    /// Adds a problem of the value at hand. False, for a value that is not read.
    #[inline]
    pub fn refuse(&mut self, what: &str, hint: &str) -> bool {
        self.problems.push(Problem::new(self.path.to_string(), what, hint));
        false
    }

    /// Adds that the value at hand is not what was wanted.
    #[inline]
    pub fn is_not(&mut self, value: &Value, wanted: &str) -> bool {
        let what = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => format!("is {value}, not {wanted}"),
            Value::Array(_) => format!("is a list, not {wanted}"),
            Value::Object(_) => format!("is an object, not {wanted}"),
        };
        self.refuse(&what, "Mend the value.")
    }

    /// Reading of a field of the value at hand.
    #[inline]
    pub fn at<'b>(&'b mut self, field: &'b str) -> Reading<'b> {
        Reading { path: self.path.at(field), problems: self.problems, tag: None }
    }

    /// Reading of an item of the list at hand.
    #[inline]
    pub fn index(&mut self, index: usize) -> Reading<'_> {
        Reading { path: self.path.index(index), problems: self.problems, tag: None }
    }
}

/// Reads an object, each of its `fields` into the place with the same number.
#[inline]
pub fn read_object(fields: &[Field], places: &mut [&mut dyn Read], value: &Value, reading: &mut Reading) -> bool {
    let tag = reading.tag.take();
    let Value::Object(given) = value else { return reading.is_not(value, "an object") };
    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
    for name in given.keys().map(String::as_str).filter(|name| tag != Some(*name) && !known.contains(name)) {
        reading.at(name).refuse("is not a field here", &hint::unknown(name, &known));
    }
    let mut whole = true;
    for (field, place) in fields.iter().zip(places) {
        let read = match given.get(field.name) {
            Some(value) => place.read(value, &mut reading.at(field.name)),
            None if field.required => reading.at(field.name).refuse("is missing", "Add it."),
            None => true,
        };
        whole &= read || !field.required;
    }
    whole
}

/// Reads one of several names; None if it is none of them.
#[inline]
pub fn read_name(variants: &[Variant], value: &Value, reading: &mut Reading) -> Option<usize> {
    let Value::String(name) = value else {
        reading.is_not(value, "text");
        return None;
    };
    let known = names(variants);
    let found = known.iter().position(|known| known == name);
    if found.is_none() {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        reading.refuse(&format!("is {value}, which is not known here"), &hint::unknown(name, &known));
    }
    found
}

/// Reads a variant with what belongs to it: its number and that value are handed to `read`. With a `tag`, that field of an
/// object names the variant and the others belong to it; else it is an object with the name as its only field, or a bare name.
#[inline]
pub fn read_variant(
    tag: Option<&'static str>,
    variants: &[Variant],
    value: &Value,
    reading: &mut Reading,
    read: &mut dyn FnMut(usize, &Value, &mut Reading) -> bool,
) -> bool {
    let known = || format!("Write one of: {}.", names(variants).join(", "));
    match (tag, value) {
        (Some(tag), Value::Object(fields)) => {
            let Some(name) = fields.get(tag) else { return reading.at(tag).refuse("is missing", &known()) };
            let found = read_name(variants, name, &mut reading.at(tag));
            reading.tag = Some(tag);
            found.is_some_and(|found| read(found, value, reading))
        }
        (Some(_), _) => reading.is_not(value, "an object"),
        (None, Value::Object(fields)) if fields.len() == 1 => {
            let (name, content) = fields.iter().next().expect("there is one");
            let mut inside = reading.at(name);
            match read_name(variants, &Value::String(name.clone()), &mut inside) {
                Some(found) if variants[found].bare => inside.refuse("takes no value", "Write its name alone."),
                Some(found) => read(found, content, &mut inside),
                None => false,
            }
        }
        (None, Value::Object(fields)) => reading.refuse(&format!("has {} fields, not one", fields.len()), &known()),
        (None, _) => match read_name(variants, value, reading) {
            Some(found) if variants[found].bare => read(found, value, reading),
            Some(_) => reading.refuse(&format!("is {value} alone"), "Write it as a field, and its value after it."),
            None => false,
        },
    }
}

/// The names of variants in the document.
#[inline]
fn names(variants: &[Variant]) -> Vec<String> {
    variants.iter().map(|variant| snake_case(variant.name)).collect()
}

#[inline]
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// A list or map that grows item by item.
pub trait Collection {
    /// Adds a blank item, to be read; a list needs no key.
    fn add(&mut self, key: String) -> &mut dyn Read;

    /// Takes the last item out.
    fn take_back(&mut self);
}

/// Reads a list; an item with a gap is left out.
#[inline]
fn read_list(value: &Value, items: &mut dyn Collection, reading: &mut Reading) -> bool {
    let Value::Array(values) = value else { return reading.is_not(value, "a list") };
    for (index, value) in values.iter().enumerate() {
        if !items.add(String::new()).read(value, &mut reading.index(index)) {
            items.take_back();
        }
    }
    true
}

/// Reads an object whose fields may have any name, in the order of their names; an entry with a gap is left out.
#[inline]
pub fn read_entries(value: &Value, entries: &mut dyn Collection, reading: &mut Reading) -> bool {
    let Value::Object(fields) = value else { return reading.is_not(value, "an object") };
    debug_assert!(fields.keys().is_sorted(), "serde_json sorts the fields of an object");
    for (name, value) in fields {
        if !entries.add(name.clone()).read(value, &mut reading.at(name)) {
            entries.take_back();
        }
    }
    true
}

impl<T: Read> Collection for Vec<T> {
    #[inline]
    fn add(&mut self, _: String) -> &mut dyn Read {
        self.push_mut(T::blank())
    }

    #[inline]
    fn take_back(&mut self) {
        self.pop();
    }
}

impl<T: Read> Read for Vec<T> {
    #[inline]
    fn blank() -> Vec<T> {
        Vec::new()
    }

    #[inline]
    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        self.clear();
        read_list(value, self, reading)
    }
}

/// Null is none.
impl<T: Read> Read for Option<T> {
    #[inline]
    fn blank() -> Option<T> {
        None
    }

    #[inline]
    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        *self = None;
        if value.is_null() {
            return true;
        }
        let whole = self.insert(T::blank()).read(value, reading);
        if !whole {
            *self = None;
        }
        whole
    }
}

impl Read for String {
    #[inline]
    fn blank() -> String {
        String::new()
    }

    #[inline]
    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let Value::String(text) = value else { return reading.is_not(value, "text") };
        self.clone_from(text);
        true
    }
}

impl Read for bool {
    #[inline]
    fn blank() -> bool {
        false
    }

    #[inline]
    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let Value::Bool(truth) = value else { return reading.is_not(value, "true or false") };
        *self = *truth;
        true
    }
}

impl Read for f64 {
    #[inline]
    fn blank() -> f64 {
        0.0
    }

    #[inline]
    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let Some(number) = value.as_f64() else { return reading.is_not(value, "a number") };
        *self = number;
        true
    }
}

/// A whole number from 0 to `most`.
#[inline]
fn whole_number(value: &Value, most: u64, reading: &mut Reading) -> Option<u64> {
    let number = value.as_u64().filter(|number| *number <= most);
    if number.is_none() {
        let range = match most {
            u64::MAX => "that is not negative".to_string(),
            _ => format!("from 0 to {most}"),
        };
        // 1e9 is one as well, for everybody but a reader of counts.
        let digits = if value.as_f64().is_some_and(|number| value.is_f64() && number.fract() == 0.0) {
            ", written without point and exponent"
        } else {
            ""
        };
        reading.is_not(value, &format!("a whole number {range}{digits}"));
    }
    number
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {
        $(impl Read for $number {
            #[inline]
            fn blank() -> $number {
                0
            }

            #[inline]
            fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
                let Some(number) = whole_number(value, <$number>::MAX.into(), reading) else { return false };
                *self = number as $number;
                true
            }
        })*
    };
}

whole_numbers!(u8, u16, u32, u64);

/// Anything.
impl Read for Value {
    #[inline]
    fn blank() -> Value {
        Value::Null
    }

    #[inline]
    fn read(&mut self, value: &Value, _: &mut Reading) -> bool {
        self.clone_from(value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Map, spec};
    use serde_json::json;

    spec! {
        struct Point {
            x: f64,
            y: u8 = 7,
            name as "as"?: Option<String>,
        }
    }

    spec! {
        enum Color { DarkRed, Blue }
    }

    spec! {
        enum Shape tagged "kind" { Dot {}, Line { to: Point } }
    }

    spec! {
        enum Step { Go(Point), Stop }
    }

    spec! {
        struct Drawing { shapes: Vec<Shape>, colors: Map<Color>, steps?: Vec<Step> }
    }

    fn drawn(value: Value) -> (Option<Drawing>, Vec<String>) {
        let mut problems = Vec::new();
        let drawing = read(&value, "", &mut problems);
        (drawing, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let (drawing, problems) = drawn(json!({
            "shapes": [{ "kind": "dot" }, { "kind": "line", "to": { "x": 1, "as": "end" } }],
            "colors": { "sky": "blue", "roof": "dark_red" },
        }));
        assert_eq!(problems, [""; 0]);
        let drawing = drawing.expect("it has no gap");
        let end = Point { x: 1.0, y: 7, name: Some("end".into()) };
        assert_eq!(drawing.shapes, [Shape::Dot {}, Shape::Line { to: end }]);
        let colors: Vec<(&str, Color)> = drawing.colors.iter().map(|(name, color)| (name.as_str(), *color)).collect();
        assert_eq!(colors, [("roof", Color::DarkRed), ("sky", Color::Blue)]);
        assert_eq!(drawing.steps, []);
    }

    #[test]
    fn every_problem_is_found_in_one_pass_with_its_path() {
        let (drawing, problems) = drawn(json!({
            "shapes": [{ "kind": "line", "to": { "x": "far", "y": 300 } }, { "kind": "lime" }, 3, { "to": {} },
                { "kind": "dot", "size": 1 }],
            "colors": { "sky": "blau", "roof": "dark_red" },
            "steps": ["go", { "stop": 1 }, { "go": {} }, { "go": { "x": 1 }, "stop": null }, "stop"],
        }));
        assert_eq!(
            problems,
            [
                "shapes.0.to.x: is \"far\", not a number. Mend the value.",
                "shapes.0.to.y: is 300, not a whole number from 0 to 255. Mend the value.",
                "shapes.1.kind: is \"lime\", which is not known here. Did you mean `line`?",
                "shapes.2: is 3, not an object. Mend the value.",
                "shapes.3.kind: is missing. Write one of: dot, line.",
                "shapes.4.size: is not a field here. Take it out.",
                "colors.sky: is \"blau\", which is not known here. Did you mean `blue`?",
                "steps.0: is \"go\" alone. Write it as a field, and its value after it.",
                "steps.1.stop: takes no value. Write its name alone.",
                "steps.2.go.x: is missing. Add it.",
                "steps.3: has 2 fields, not one. Write one of: go, stop.",
            ]
        );
        let drawing = drawing.expect("what has a gap was left out");
        assert_eq!((drawing.shapes, drawing.steps), (vec![Shape::Dot {}], vec![Step::Stop]));
        assert_eq!(drawing.colors.keys().collect::<Vec<_>>(), ["roof"]);
    }

    #[test]
    fn a_gap_in_what_must_be_there_is_a_gap_in_the_whole() {
        let (drawing, problems) = drawn(json!({ "shapes": 1 }));
        assert_eq!(drawing, None);
        assert_eq!(problems, ["shapes: is 1, not a list. Mend the value.", "colors: is missing. Add it."]);
    }
}
