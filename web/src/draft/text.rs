//! JSON as text that people edit: where a value stands in it, and how a changed value is written without moving what was there.

use serde_json::Value;
use std::ops::Range;

/// The widest line.
const WIDE: usize = 96;
/// Values nested deeper are no JSON, here as in the reader.
const DEEPEST: usize = 127;

/// Keys that come first in an object whose order nobody has chosen, in this order; all others follow by the alphabet.
const FIRST: [&str; 14] = [
    "format_version",
    "id",
    "title",
    "about",
    "kind",
    "dist",
    "process",
    "algorithm",
    "policy",
    "seed",
    "duration_s",
    "nodes",
    "links",
    "workloads",
];

/// A value in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The bytes that it takes.
    pub span: Range<usize>,
    inside: Inside,
}

#[derive(Clone, Debug, PartialEq)]
enum Inside {
    Nothing,
    Items(Vec<Placed>),
    Fields(Vec<(String, Placed)>),
}

impl Placed {
    /// Finds all values of a JSON text; None if it is none.
    pub fn read(text: &str) -> Option<Placed> {
        let mut reader = Reader { text: text.as_bytes(), at: 0 };
        reader.space();
        let placed = reader.value(0)?;
        reader.space();
        (reader.at == text.len()).then_some(placed)
    }

    /// The value at a dotted path, or the last one on the way there.
    pub fn find(&self, path: &str) -> &Placed {
        let inner = match &self.inside {
            Inside::Nothing => None,
            Inside::Items(items) => {
                let (index, rest) = path.split_once('.').unwrap_or((path, ""));
                index.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item, rest))
            }
            // A key may have dots in it: the longest one that fits is meant.
            Inside::Fields(fields) => {
                let fitting = fields.iter().filter_map(|(key, value)| {
                    let rest = path.strip_prefix(key.as_str())?;
                    (rest.is_empty() || rest.starts_with('.')).then_some((
                        key.len(),
                        value,
                        rest.trim_start_matches('.'),
                    ))
                });
                fitting.max_by_key(|(length, ..)| *length).map(|(_, value, rest)| (value, rest))
            }
        };
        match inner {
            Some((inner, rest)) if !path.is_empty() => inner.find(rest),
            _ => self,
        }
    }

    fn field(&self, key: &str) -> Option<&Placed> {
        match &self.inside {
            Inside::Fields(fields) => fields.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    fn item(&self, index: usize) -> Option<&Placed> {
        match &self.inside {
            Inside::Items(items) => items.get(index),
            _ => None,
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Passes a mark and the space after it, if it stands here.
    fn mark(&mut self, mark: u8) -> bool {
        let here = self.peek() == Some(mark);
        if here {
            self.at += 1;
            self.space();
        }
        here
    }

    fn value(&mut self, depth: usize) -> Option<Placed> {
        let from = self.at;
        let inside = match self.peek()? {
            _ if depth > DEEPEST => return None,
            b'{' => Inside::Fields(self.list(b'}', |reader| {
                let key = reader.string()?;
                reader.space();
                reader.mark(b':').then_some(())?;
                Some((key, reader.value(depth + 1)?))
            })?),
            b'[' => Inside::Items(self.list(b']', |reader| reader.value(depth + 1))?),
            b'"' => {
                self.string()?;
                Inside::Nothing
            }
            _ => {
                while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
                    self.at += 1;
                }
                serde_json::from_slice::<Value>(&self.text[from..self.at]).ok()?;
                Inside::Nothing
            }
        };
        Some(Placed { span: from..self.at, inside })
    }

    fn list<T>(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        while self.peek()? != end {
            items.push(item(self)?);
            self.space();
            if !self.mark(b',') && self.peek()? != end {
                return None;
            }
        }
        self.at += 1;
        Some(items)
    }

    fn string(&mut self) -> Option<String> {
        let from = self.at;
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        while self.peek()? != b'"' {
            self.at += if self.peek()? == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_slice(self.text.get(from..self.at)?).ok()
    }
}

/// A value as text. Keys stand as they did in the text `before`, if that had them, and new ones after them.
pub fn write(value: &Value, before: Option<&Placed>) -> String {
    let mut text = String::new();
    put(&mut text, value, before, 0, true);
    text.push('\n');
    text
}

fn put(text: &mut String, value: &Value, before: Option<&Placed>, indent: usize, open: bool) {
    let items: Vec<(Option<&str>, &Value, Option<&Placed>)> = match value {
        Value::Array(items) => {
            let item = |(index, item)| (None, item, before.and_then(|before| before.item(index)));
            items.iter().enumerate().map(item).collect()
        }
        Value::Object(_) => {
            let field = |key| (Some(key), &value[key], before.and_then(|before| before.field(key)));
            keys(value, before).into_iter().map(field).collect()
        }
        plain => return text.push_str(&plain.to_string()),
    };
    let (begin, end) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    let column = text.len() - text.rfind('\n').map_or(0, |line| line + 1);
    if let Some(line) = (!open).then(|| in_line(value, before, WIDE.saturating_sub(column))).flatten() {
        return text.push_str(&line);
    }
    text.push(begin);
    for (index, (key, item, before)) in items.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.extend(std::iter::repeat_n(' ', indent + 2));
        if let Some(key) = key {
            text.push_str(&format!("{}: ", Value::from(*key)));
        }
        put(text, item, *before, indent + 2, false);
    }
    if !items.is_empty() {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent));
    }
    text.push(end);
}

/// A value in one line, if it is no longer than this.
fn in_line(value: &Value, before: Option<&Placed>, most: usize) -> Option<String> {
    let mut parts = Vec::new();
    // What the brackets take.
    let mut left = most.saturating_sub(2);
    let mut add = |part: String| {
        left = left.checked_sub(part.len() + 2)?;
        parts.push(part);
        Some(())
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                add(in_line(item, before.and_then(|before| before.item(index)), most)?)?;
            }
            Some(format!("[{}]", parts.join(", ")))
        }
        Value::Object(fields) if fields.is_empty() => Some("{}".into()),
        Value::Object(_) => {
            for key in keys(value, before) {
                let item = in_line(&value[key], before.and_then(|before| before.field(key)), most)?;
                add(format!("{}: {item}", Value::from(key)))?;
            }
            Some(format!("{{ {} }}", parts.join(", ")))
        }
        plain => Some(plain.to_string()).filter(|plain| plain.len() <= most),
    }
}

/// The keys of an object, those of the text before first and in its order.
fn keys<'a>(value: &'a Value, before: Option<&Placed>) -> Vec<&'a str> {
    let known: Vec<&str> = match before.map(|before| &before.inside) {
        Some(Inside::Fields(fields)) => fields.iter().map(|(key, _)| key.as_str()).collect(),
        _ => FIRST.to_vec(),
    };
    let mut keys: Vec<&str> =
        value.as_object().into_iter().flat_map(|fields| fields.keys().map(String::as_str)).collect();
    keys.sort_by_key(|key| known.iter().position(|known| known == key).unwrap_or(known.len()));
    keys
}

/// Where a problem stands in a text: at its path, or, of a text that is no JSON, at the line and column that it names.
pub fn place_of(text: &str, path: &str, what: &str) -> Option<Range<usize>> {
    if let Some(placed) = Placed::read(text) {
        return Some(placed.find(path).span.clone());
    }
    let number = |after: &str| -> Option<usize> {
        let rest = &what[what.rfind(after)? + after.len()..];
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let (line, column) = (number("line ")?, number("column ")?);
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    Some(at..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at<'a>(text: &'a str, path: &str) -> &'a str {
        &text[Placed::read(text).expect("it is JSON").find(path).span.clone()]
    }

    #[test]
    fn a_path_leads_to_its_value_and_a_missing_one_to_the_last_that_is_there() {
        let text = r#" {"nodes": {"api": {"routes": {"GET /v1.2/{id}": [{"work": 1}, {"r\u00e9ad": "d\"b"}]}, "workers": 4}}} "#;
        assert_eq!(at(text, "nodes.api.workers"), "4");
        assert_eq!(at(text, "nodes.api.routes.GET /v1.2/{id}.1.réad"), r#""d\"b""#);
        assert_eq!(at(text, "nodes.api.routes.GET /v1.2/{id}.7"), r#"[{"work": 1}, {"r\u00e9ad": "d\"b"}]"#);
        assert_eq!(at(text, "nodes.db.readers"), at(text, "nodes"));
        assert_eq!(at(text, ""), text.trim());
    }

    #[test]
    fn what_is_no_json_has_no_places() {
        for text in ["", "{", "[1,]x", "{\"a\" 1}", "1 2", "{a: 1}", "[tru]", "\"\\", &"[".repeat(1_000)] {
            assert_eq!(Placed::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_changed_value_keeps_the_order_of_the_text() {
        let before =
            r#"{"seed": 1, "nodes": {"b": {"kind": "store"}, "a": {"workers": 4, "kind": "service"}}, "id": "x"}"#;
        let value = json!({ "id": "y", "seed": 2, "nodes": { "a": { "kind": "service", "workers": 5, "hold": "work" }, "b": {} } });
        let text = write(&value, Placed::read(before).as_ref());
        let expected = "{\n  \"seed\": 2,\n  \"nodes\": { \"b\": {}, \"a\": { \"workers\": 5, \"kind\": \"service\", \"hold\": \"work\" } },\n  \"id\": \"y\"\n}\n";
        assert_eq!(text, expected);
        assert_eq!(write(&value, Placed::read(&text).as_ref()), text, "nothing moves");
    }

    #[test]
    fn every_scenario_is_written_as_it_was_meant_and_in_lines_of_a_fair_length() {
        for (id, _, json) in lessons::scenarios() {
            let value: Value = serde_json::from_str(json).expect(id);
            let text = write(&value, None);
            assert_eq!(serde_json::from_str::<Value>(&text).expect(id), value);
            assert!(Placed::read(&text).is_some(), "{id}");
            assert!(text.starts_with("{\n  \"format_version\": 1,\n  \"id\": "), "{text}");
            // Sentences are not broken.
            let long = text.lines().find(|line| line.len() > WIDE + 1 && line.contains(" { "));
            assert_eq!(long, None, "{id}");
        }
    }

    #[test]
    fn a_mistake_in_the_text_is_found_by_line_and_column() {
        let text = "{\n  \"ä\": 1,\n  oh\n}";
        let what = "is not JSON: key must be a string at line 3 column 3";
        assert_eq!(place_of(text, "", what).map(|place| &text[place]), Some("o"));
        assert_eq!(
            place_of("{", "", "EOF while parsing an object at line 1 column 1").map(|place| place.start),
            Some(0)
        );
        assert_eq!(place_of("{", "", "at line 9 column 90"), Some(1..1));
    }
}
