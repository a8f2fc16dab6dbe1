//! Texts for people: a scenario or lesson runs without them, and nobody learns from it.

use super::Problem;
use serde_json::Value;

/// Fields whose text people read, in scenarios and lessons.
const READ_BY_PEOPLE: [&str; 12] = [
    "title",
    "about",
    "reference",
    "leaves_out",
    "text",
    "help",
    "reason",
    "number",
    "series",
    "teaser",
    "lede",
    "question",
];

/// Texts that are there and say nothing.
pub fn empty_texts(json: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    look(json, "", &mut problems);
    problems
}

fn look(json: &Value, path: &str, problems: &mut Vec<Problem>) {
    let inside: Vec<(String, &Value)> = match json {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return,
    };
    for (name, value) in inside {
        let place = if path.is_empty() { name } else { format!("{path}.{name}") };
        // A variant's change is named by a whole path.
        let field = place.rsplit('.').next().unwrap_or_default();
        if value.as_str().is_some_and(|text| text.trim().is_empty()) && READ_BY_PEOPLE.contains(&field) {
            problems.push(Problem::new(place, "is empty", "Say it in words, or take it out if it may be left out."));
        } else {
            look(value, &place, problems);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_that_say_nothing_are_named_wherever_they_stand() {
        let document = json!({
            "title": " ", "about": "It breaks.", "nodes": { "title": { "kind": "service", "unit": "" } },
            "knobs": { "a": { "help": "" } }, "variants": { "B": { "set": { "nodes.title.title": "" } } },
            "challenge": { "goals": [{ "text": "" }] },
        });
        let mut found: Vec<String> = empty_texts(&document).into_iter().map(|problem| problem.path).collect();
        found.sort();
        assert_eq!(found, ["challenge.goals.0.text", "knobs.a.help", "title", "variants.B.set.nodes.title.title"]);
    }
}
