//! From JSON text to a value. A name that an object gives twice is refused: serde_json would keep the last and say nothing.

use super::Problem;
use super::path::Path;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Reads JSON text, with or without the mark that some editors put before it (RFC 8259, section 8.1). Errors: not JSON, with line and column; or every name that stands twice in an object, with its path.
#[inline]
pub fn read_value(text: &str) -> Result<Value, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut problems = Vec::new();
    // From bytes, as the tokens' library reads: the page then holds one reader of JSON and not two.
    let mut reader = serde_json::Deserializer::from_slice(text.as_bytes());
    let at_top = At { path: Path::new(""), problems: &mut problems };
    let read = (&mut reader).deserialize_any(at_top).and_then(|value| reader.end().map(|()| value));
    match read {
        Ok(value) if problems.is_empty() => Ok(value),
        Ok(_) => Err(problems),
        Err(error) => {
            Err(vec![Problem::new("", format!("is not JSON: {error}"), "Mend the text at that line and column.")])
        }
    }
}

/// The place of the value that is read next.
struct At<'a> {
    path: Path<'a>,
    problems: &'a mut Vec<Problem>,
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Value;

    #[inline]
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    #[inline]
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    #[inline]
    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    #[inline]
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    #[inline]
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    #[inline]
    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    #[inline]
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let at = At { path: self.path.index(items.len()), problems: self.problems };
            match given.next_element_seed(at)? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = given.next_key::<String>()? {
            let path = self.path.at(&name);
            let value = given.next_value_seed(At { path, problems: self.problems })?;
            if fields.contains_key(&name) {
                let hint = "Keep one: the text does not say which is meant.";
                self.problems.push(Problem::new(path.to_string(), "stands more than once in its object", hint));
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_by_serde_json() {
        let text =
            r#" [null, true, 1, -1, 1.5, 1e2, 18446744073709551615, "a\"\u00e4", [], {}, {"a": {"b": [{}]}, "c": 0}] "#;
        assert_eq!(read_value(text), Ok(serde_json::from_str(text).unwrap()));
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_wherever_it_is() {
        let text = r#"{"a": 1, "b": [0, {"x": {}, "x": 2}], "\u0061": 3}"#;
        let found: Vec<String> = read_value(text).unwrap_err().iter().map(Problem::to_string).collect();
        let why = "stands more than once in its object. Keep one: the text does not say which is meant.";
        assert_eq!(found, [format!("b.1.x: {why}"), format!("a: {why}")]);
    }

    #[test]
    fn what_is_not_json_says_where() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "1 2", "{\"a\": 1, \"a\": }", "\"\\ud800\"", "1e999"] {
            let found = read_value(text).unwrap_err();
            assert!(found[0].what.contains("line 1 column"), "{text}: {found:?}");
            assert_eq!(found.len(), 1, "{text}");
        }
        assert!(read_value(&"[".repeat(1_000)).is_err(), "deep text is no deep stack");
    }
}
