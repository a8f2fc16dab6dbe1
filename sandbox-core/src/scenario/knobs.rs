//! What knobs turn: a number at a path of the document, or of one of its variants.

use super::path::is_within;
use serde_json::{Map, Value};

/// The fields of an object in a field; none if there is no such object.
#[inline]
pub fn fields<'a>(json: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    json.get(field).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

/// The value at a dotted path.
#[inline]
pub(super) fn at<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    let step = |part: &str| format!("/{}", part.replace('~', "~0").replace('/', "~1"));
    json.pointer(&path.split('.').map(step).collect::<String>())
}

/// Whether there is a number at a path, or will be once some variant has set it.
#[inline]
pub(super) fn has_place(json: &Value, path: &str) -> bool {
    let mut variants = fields(json, "variants");
    at(json, path).is_some_and(Value::is_number)
        || variants.any(|(_, variant)| fields(variant, "set").any(|(set, _)| is_within(path, set)))
}

/// Takes out the knobs that turned something at `place` and turn nothing any more; an empty place is the whole document.
#[inline]
pub fn drop_lost_knobs(json: &mut Value, place: &str) {
    let is_lost =
        |knob: &Value| knob["path"].as_str().is_some_and(|path| is_within(path, place) && !has_place(json, path));
    let lost: Vec<String> = fields(json, "knobs").filter(|(_, knob)| is_lost(knob)).map(|(id, _)| id.clone()).collect();
    if let Some(knobs) = json.get_mut("knobs").and_then(Value::as_object_mut) {
        knobs.retain(|id, _| !lost.contains(id));
    }
}
