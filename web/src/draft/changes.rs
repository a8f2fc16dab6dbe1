//! A document as a link: as the changes that make it from a known scenario, or whole where that is shorter.

use super::Way;
use crate::files::Starts;
use sandbox_core::link::Link;
use sandbox_core::scenario::{Document, Problem, drop_lost_knobs, fields};
use serde_json::Value;

/// A variant of a scenario with changes as a document of its own, which runs as it stands: its variants, and the claims about
/// them, belong to the scenario that it comes from. Errors: all that does not fit.
pub fn alone(document: &Document, variant: &str, changes: &[(String, Value)]) -> Result<Value, Vec<Problem>> {
    let mut json = document.patched(variant, changes)?.json().clone();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("variants");
        fields.remove("claims");
    }
    drop_lost_knobs(&mut json, "");
    Ok(json)
}

/// The shortest link that carries a document, given the scenarios that whoever opens it has.
pub fn link_to(json: &Value, known: &Starts) -> Link {
    let mut shortest = Link { document: Some(json.to_string()), ..Link::default() };
    if fields(json, "variants").next().is_some() || fields(json, "claims").next().is_some() {
        return shortest;
    }
    for base in known.all() {
        for variant in base.variants() {
            let Ok(from) = alone(base, &variant, &[]) else { continue };
            let mut set = Vec::new();
            differences(&from, json, &mut Way::new(), &mut set);
            // Not everything can be said in paths.
            if alone(base, &variant, &set).as_ref() != Ok(json) {
                continue;
            }
            let link = Link { scenario: Some(base.id().into()), variant: Some(variant), set, ..Link::default() };
            if link.query().len() < shortest.query().len() {
                shortest = link;
            }
        }
    }
    shortest
}

/// What has to be set at which path to make one value of another.
fn differences(from: &Value, to: &Value, place: &mut Way, set: &mut Vec<(String, Value)>) {
    if from == to {
        return;
    }
    // A path cannot tell a dot in a key from one between keys, and null there takes out: then the whole place is set.
    let speakable = |key: &String| !key.is_empty() && !key.contains('.');
    let inner = match (from, to) {
        (Value::Object(was), Value::Object(is)) => {
            let changed: Vec<&String> = was
                .keys()
                .chain(is.keys().filter(|key| !was.contains_key(*key)))
                .filter(|key| was.get(*key) != is.get(*key))
                .collect();
            let fits = changed.iter().all(|key| speakable(key) && is.get(*key) != Some(&Value::Null));
            fits.then(|| {
                changed
                    .into_iter()
                    .map(|key| (key.clone(), was.get(key), is.get(key).unwrap_or(&Value::Null)))
                    .collect()
            })
        }
        (Value::Array(was), Value::Array(is)) if was.len() == is.len() => {
            let pairs = was.iter().zip(is).enumerate();
            (!is.contains(&Value::Null))
                .then(|| pairs.map(|(index, (was, is))| (index.to_string(), Some(was), is)).collect::<Vec<_>>())
        }
        _ => None,
    };
    match inner {
        Some(inner) => {
            for (key, was, is) in inner {
                place.push(key);
                match was {
                    Some(was) if !is.is_null() => differences(was, is, place, set),
                    _ => set.push((place.join("."), is.clone())),
                }
                place.pop();
            }
        }
        None => set.push((place.join("."), to.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::draft::edit::{Edit, apply};
    use crate::draft::way;
    use crate::files::Files;
    use crate::route::Asked;
    use serde_json::json;
    use std::rc::Rc;

    fn known() -> Rc<Starts> {
        Files::built_in(&Asked::of("?playground")).starts().clone()
    }

    /// The document that a link brings.
    fn opened(link: &Link) -> Value {
        let asked = Asked::of(&link.query());
        assert_eq!(asked.unread, []);
        // As the playground opens it.
        let asked = Asked { link: Link { playground: true, ..asked.link }, ..asked };
        Content::to_change(&asked.link, &Files::built_in(&asked)).expect("it is sound").expect("it names something")
    }

    #[test]
    fn a_link_brings_the_document_that_it_was_made_of() {
        let base = Document::parse(lessons::scenario("database-outage").unwrap()).unwrap();
        let start = alone(&base, "B", &[("seed".into(), 11.into())]).unwrap();
        let edits = [
            Edit::Set(way(&["nodes", "cache", "ttl_s"]), Value::Null),
            Edit::Set(way(&["nodes", "api", "calls", "db", "timeout_ms"]), json!(300)),
            Edit::AddNode("service".into()),
            Edit::Connect("api".into(), "service".into()),
            Edit::Remove(way(&["faults", "outage"])),
            Edit::Rename(way(&["nodes", "api"]), "shop".into()),
            Edit::Remove(way(&["nodes", "gateway"])),
            Edit::Set(way(&["workloads", "traffic", "routes", "GET /v1.2"]), json!({ "weight": 1, "op": "read" })),
        ];
        let mut json = start.clone();
        assert_eq!(opened(&link_to(&json, &known())), json);
        for edit in edits {
            apply(&mut json, &edit).unwrap_or_else(|why| panic!("{edit:?}: {why}"));
            let link = link_to(&json, &known());
            assert_eq!(opened(&link), json, "{edit:?}: {}", link.query());
        }
    }

    #[test]
    fn a_small_change_of_anything_built_in_is_a_short_link() {
        for document in known().all() {
            let id = document.id();
            for variant in document.variants() {
                let mut json = alone(document, &variant, &[]).unwrap();
                json["seed"] = 12_345.into();
                let link = link_to(&json, &known());
                assert_eq!(opened(&link), json, "{id} {variant}");
                assert!(link.query().len() < 250, "{id} {variant}: {}", link.query());
            }
        }
    }

    #[test]
    fn a_document_with_promises_of_its_own_is_carried_whole() {
        let text = lessons::scenario("database-outage").unwrap();
        let json: Value = serde_json::from_str(text).unwrap();
        let link = link_to(&json, &known());
        assert_eq!(link.document.map(|text| serde_json::from_str::<Value>(&text).unwrap()), Some(json));
    }

    #[test]
    fn a_variant_that_stands_alone_is_the_same_run() {
        for document in known().all() {
            let id = document.id();
            for variant in document.variants() {
                let own = alone(document, &variant, &[]).unwrap();
                let problems = Document::from_json(own.clone()).check();
                assert_eq!(problems, [], "{id} {variant}");
                let start = |plan| {
                    let mut run = sandbox_core::Run::new(std::sync::Arc::new(plan));
                    run.advance(2_000);
                    run.digest()
                };
                let of = |document: &Document, variant: &str| start(document.plan(variant, &[]).unwrap());
                assert_eq!(of(&Document::from_json(own), "A"), of(document, &variant), "{id} {variant}");
            }
        }
    }
}
