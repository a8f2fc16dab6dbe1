//! From JSON to typed data with *all* problems: after each one the document is mended and read again.
//!
//! `#[inline]` here, in plan, document, timeline, claim and lesson is about size, not speed: it lets this code, which the
//! page runs once, be compiled with the crate that the page builds for size, not with this one, which it builds for speed.

use super::Map;
use super::Problem;
use super::spec::{NodeSpec, Spec};
use super::tracked;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

/// Reads a scenario; nodes one by one, because their paths would be lost inside a tagged enum.
///
/// The spec is there as soon as the frame of the document can be read, even if parts of it had to be left out.
#[inline]
pub fn parse_spec(document: &Value) -> (Option<Spec>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut frame = document.clone();
    let raw_nodes = frame.get_mut("nodes").map(|nodes| std::mem::replace(nodes, Value::Object(Default::default())));
    let mut spec: Option<Spec> = collect(frame, "", &mut problems);
    let mut nodes = Map::new();
    match raw_nodes {
        Some(Value::Object(raw)) => {
            for (id, node) in raw {
                if let Some(node) = parse_node(node, &format!("nodes.{id}"), &mut problems) {
                    nodes.insert(id, node);
                }
            }
        }
        Some(other) => problems.push(Problem::new(
            "nodes",
            format!("is {}, not an object", kind_of(&other)),
            "Write the nodes as an object keyed by id.",
        )),
        None => {}
    }
    if let Some(spec) = &mut spec {
        spec.nodes = nodes;
    }
    (spec, problems)
}

#[inline]
fn parse_node(mut node: Value, path: &str, problems: &mut Vec<Problem>) -> Option<NodeSpec> {
    const KINDS: &str = "client, gateway, service, cache, store, queue, database";
    let Some(fields) = node.as_object_mut() else {
        problems.push(Problem::new(path, format!("is {}, not an object", kind_of(&node)), "Write `{\"kind\": ...}`."));
        return None;
    };
    let Some(kind) = fields.remove("kind") else {
        problems.push(Problem::new(format!("{path}.kind"), "is missing", format!("Say which kind: {KINDS}.")));
        return None;
    };
    match kind.as_str().unwrap_or_default() {
        "client" => collect(node, path, problems).map(NodeSpec::Client),
        "gateway" => collect(node, path, problems).map(NodeSpec::Gateway),
        "service" => collect(node, path, problems).map(NodeSpec::Service),
        "cache" => collect(node, path, problems).map(NodeSpec::Cache),
        "store" => collect(node, path, problems).map(NodeSpec::Store),
        "queue" => collect(node, path, problems).map(NodeSpec::Queue),
        "database" => collect(node, path, problems).map(NodeSpec::Database),
        _ => {
            problems.push(Problem::new(
                format!("{path}.kind"),
                format!("{} is no kind of node", kind.as_str().unwrap_or("this")),
                format!("Use one of: {KINDS}."),
            ));
            None
        }
    }
}

/// Reads JSON text as a `T`. Errors: not JSON, with line and column; or everything that does not fit.
pub fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Problem>> {
    let value = read_value(text)?;
    let mut problems = Vec::new();
    match collect(value, "", &mut problems) {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(problems),
    }
}

/// Reads JSON text. Errors: not JSON, with line and column.
#[inline]
pub fn read_value(text: &str) -> Result<Value, Vec<Problem>> {
    // From bytes, as the tokens' library reads: the page then holds one reader of JSON and not two.
    serde_json::from_slice(text.as_bytes()).map_err(|error| {
        vec![Problem::new("", format!("is not JSON: {error}"), "Mend the text at that line and column.")]
    })
}

/// Reads `value` as a `T`; what cannot be read is reported and taken out, so that the rest is still looked at.
#[inline]
pub fn collect<T: DeserializeOwned>(mut value: Value, prefix: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let mut removed: BTreeSet<String> = BTreeSet::new();
    loop {
        let (at, message) = match tracked::read::<T>(&value) {
            Ok(read) => return Some(read),
            Err(wrong) => wrong,
        };
        let path = |at: &[String]| join(prefix, at);
        if let Some(field) = quoted(&message, "unknown field `") {
            let at = if at.last() == Some(&field) { at } else { [at, vec![field.clone()]].concat() };
            problems.push(Problem::new(path(&at), "is not a field here", unknown_hint(&field, &message)));
            remove(&mut value, &at)?;
        } else if let Some(field) = quoted(&message, "missing field `") {
            let missing = path(&[at.clone(), vec![field]].concat());
            if !removed.contains(&missing) {
                problems.push(Problem::new(&missing, "is missing", "Add it."));
            }
            removed.insert(path(&at));
            remove(&mut value, &at)?;
        } else {
            problems.push(Problem::new(path(&at), plain(&message), "Mend the value."));
            removed.insert(path(&at));
            remove(&mut value, &at)?;
        }
    }
}

#[inline]
fn join(prefix: &str, at: &[String]) -> String {
    let mut path = prefix.to_string();
    for segment in at {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(segment);
    }
    path
}

/// Takes the value at `at` out; None if there is nothing to take out, so that reading stops.
#[inline]
fn remove(value: &mut Value, at: &[String]) -> Option<()> {
    let (last, way) = at.split_last()?;
    let mut place = value;
    for segment in way {
        place = match place {
            Value::Object(fields) => fields.get_mut(segment)?,
            Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    match place {
        Value::Object(fields) => fields.remove(last).map(|_| ()),
        Value::Array(items) => {
            let index = last.parse::<usize>().ok().filter(|index| *index < items.len())?;
            items.remove(index);
            Some(())
        }
        _ => None,
    }
}

/// What stands between the back quotes after `before`.
#[inline]
fn quoted(message: &str, before: &str) -> Option<String> {
    let rest = message.strip_prefix(before)?;
    rest.split('`').next().map(str::to_string)
}

/// A hint for an unknown field: the same name with a unit, the nearest name, or the list.
#[inline]
fn unknown_hint(field: &str, message: &str) -> String {
    let expected: Vec<&str> = message
        .split_once("`, expected")
        .map(|(_, list)| list.split('`').skip(1).step_by(2).collect())
        .unwrap_or_default();
    if let Some(name) = expected.iter().find(|name| name.strip_prefix(field).is_some_and(is_unit)) {
        return format!("The unit is missing: write `{name}`.");
    }
    let near = expected.iter().min_by_key(|name| distance(field, name)).filter(|name| distance(field, name) <= 3);
    match near {
        Some(name) => format!("Did you mean `{name}`?"),
        None if expected.is_empty() => "Take it out.".to_string(),
        None => format!("Known here: {}.", expected.join(", ")),
    }
}

#[inline]
fn is_unit(suffix: &str) -> bool {
    matches!(suffix, "_ms" | "_s" | "_rps" | "_percent")
}

/// Levenshtein distance.
#[inline]
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let best = (diagonal + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}

#[inline]
fn plain(message: &str) -> String {
    message.replace("invalid type: ", "is ").replace("invalid value: ", "is ")
}

#[inline]
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
