//! A document that somebody edits: plain functions over its JSON, known to no framework, tested without a browser.
//!
//! [`text`] keeps the text people see and the value in step, [`edit`] changes the value, [`parts`] says what a new part looks
//! like, [`graph`] draws the system as written, [`form`] makes fields of the JSON Schema, [`history`] undoes, [`changes`]
//! writes the document as a link, [`kept`] is what the browser keeps of it.

pub mod changes;
pub mod edit;
pub mod form;
pub mod graph;
pub mod history;
pub mod kept;
pub mod parts;
pub mod text;

use serde_json::Value;

/// The way to a place of a document, key by key: a key may have dots in it, which a dotted path cannot tell apart.
pub type Way = Vec<String>;

/// The way that these keys make.
pub fn way(keys: &[&str]) -> Way {
    keys.iter().map(|key| key.to_string()).collect()
}

/// A place inside the one that a way leads to.
pub fn below(way: &[String], key: impl ToString) -> Way {
    let mut below = way.to_vec();
    below.push(key.to_string());
    below
}

/// The value at a place, if there is one.
pub fn at<'a>(json: &'a Value, way: &[String]) -> Option<&'a Value> {
    way.iter().try_fold(json, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        value => value.get(key),
    })
}

/// The same, to change it.
pub fn at_mut<'a>(json: &'a mut Value, way: &[String]) -> Option<&'a mut Value> {
    way.iter().try_fold(json, |value, key| match value {
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
        value => value.get_mut(key),
    })
}

/// The text at a key of an object; empty if there is none.
pub(crate) fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
