//! Edits of the built-in scenarios: what refers to a part stays in step with it.

use super::*;
use crate::draft::changes::alone;
use crate::draft::graph::Graph;
use crate::draft::parts::{KINDS, SECTIONS};
use sandbox_core::scenario::Document;
use serde_json::Map;

fn scenario(id: &str) -> Value {
    let document = Document::parse(lessons::scenario(id).expect("it is embedded")).expect("it is JSON");
    alone(&document, "A", &[]).expect("it stands alone")
}

fn shop() -> Value {
    let document = Document::parse(lessons::scenario("database-outage").expect("it is embedded")).expect("it is JSON");
    alone(&document, "B", &[]).expect("it stands alone")
}

fn problems(json: &Value) -> Vec<String> {
    Document::from_json(json.clone()).check().iter().map(ToString::to_string).collect()
}

fn done(json: &mut Value, edit: Edit) -> Way {
    apply(json, &edit).unwrap_or_else(|why| panic!("{edit:?}: {why}"))
}

fn node(id: &str) -> Way {
    way(&["nodes", id])
}

#[test]
fn a_place_is_set_added_and_taken_out() {
    let mut json = scenario("one-service");
    done(&mut json, Edit::Set(way(&["nodes", "api", "workers"]), 3.into()));
    let steps = way(&["nodes", "api", "routes", "GET /items/{id}"]);
    done(
        &mut json,
        Edit::Set(super::super::below(&steps, 2), json!({ "wait": { "dist": "constant", "value_ms": 1 } })),
    );
    assert_eq!(json["nodes"]["api"]["workers"], 3);
    assert_eq!(at(&json, &steps).and_then(Value::as_array).map(Vec::len), Some(3));
    let before = json.clone();
    for nowhere in
        [way(&["nodes", "api", "routes", "GET /items/{id}", "9"]), way(&["nodes", "x", "y"]), way(&["seed", "y"])]
    {
        assert!(apply(&mut json, &Edit::Set(nowhere.clone(), 1.into())).is_err());
        assert!(apply(&mut json, &Edit::Remove(nowhere)).is_err());
    }
    assert_eq!(json, before, "nothing has changed");
    assert_eq!(done(&mut json, Edit::Remove(super::super::below(&steps, 2))), steps);
    assert_eq!(problems(&json), [""; 0]);
}

#[test]
fn a_renamed_node_is_the_same_system() {
    for (id, _, text) in lessons::scenarios() {
        let document = Document::parse(text).expect(id);
        let mut json = document.json().clone();
        let nodes: Vec<String> = fields(&json, "nodes").map(|(id, _)| id.clone()).collect();
        let calls = Graph::new(&json).calls.len();
        for old in nodes {
            let new = format!("{old}-renamed");
            assert_eq!(done(&mut json, Edit::Rename(node(&old), new.clone())), node(&new));
        }
        let found = problems(&json);
        // What programs and conditions say about nodes by name is people's own text.
        let by_name =
            |problem: &String| ["metrics.", "labels.", "claims."].iter().any(|section| problem.starts_with(section));
        assert!(found.iter().all(by_name), "{id}: {found:#?}");
        assert_eq!(Graph::new(&json).calls.len(), calls, "{id}");
    }
}

#[test]
fn replicas_paths_variants_and_claims_follow_a_name() {
    let text = lessons::scenario("database-outage").expect("it is embedded");
    let mut json = Document::parse(text).expect("it is JSON").json().clone();
    json["faults"]["outage"]["node"] = "api-2".into();
    json["claims"]["x"] = json!({ "expr": "A.queue_depth{node=api}.max < B.queue_depth{node=api,x=y}.max" });
    done(&mut json, Edit::Rename(node("api"), "shop".into()));
    assert_eq!(json["faults"]["outage"]["node"], "shop-2");
    assert_eq!(json["knobs"]["attempts"]["path"], "nodes.shop.calls.db.retry.max_attempts");
    let set = &json["variants"]["B"]["set"];
    assert!(set.get("nodes.shop.calls.db.breaker").is_some() && set["links.api-cache"]["from"] == "shop", "{set}");
    assert_eq!(json["claims"]["x"]["expr"], "A.queue_depth{node=shop}.max < B.queue_depth{node=shop,x=y}.max");
    assert!(apply(&mut json, &Edit::Rename(node("shop"), "db".into())).is_err_and(|why| why.contains("already")));
    assert!(apply(&mut json, &Edit::Rename(node("shop"), String::new())).is_err());
    assert_eq!(done(&mut json, Edit::Rename(way(&["knobs", "rate"]), "load".into())), way(&["knobs", "load"]));
}

#[test]
fn a_node_that_is_taken_out_leaves_no_name_behind() {
    for gone in ["gateway", "cache", "db", "users"] {
        let mut json = shop();
        done(&mut json, Edit::Remove(node(gone)));
        let text = json.to_string();
        assert!(!text.contains(&format!(":\"{gone}\"")) && !text.contains(&format!("nodes.{gone}.")), "{gone}: {text}");
        assert!(!text.contains(&format!("\"{gone}\":{{\"kind\"")), "{gone}: {text}");
        match gone {
            // Nobody sends anything any more.
            "users" => assert!(problems(&json).iter().any(|problem| problem.contains("no workload uses"))),
            _ => assert_eq!(problems(&json), [""; 0], "{gone}"),
        }
    }
    let mut json = shop();
    done(&mut json, Edit::Remove(node("gateway")));
    assert_eq!(json["workloads"]["traffic"]["target"], "api", "requests go to where it passed them on to");
}

#[test]
fn steps_within_steps_forget_a_node_and_a_cache_leaves_what_it_loaded() {
    let step = json!({ "if": { "when": "key < 3", "then": [{ "cached": { "cache": "cache", "load": [{ "read": { "store": "db" } }] } }],
        "else": [{ "all": { "branches": [[{ "invalidate": { "cache": "cache" } }], [{ "write": { "store": "db", "cache": "cache" } }]] } }] } });
    let mut json = shop();
    json["nodes"]["api"]["routes"]["GET /items/{id}"] = json!([step]);
    done(&mut json, Edit::Remove(node("cache")));
    let expected = json!([{ "if": { "when": "key < 3", "then": [{ "read": { "store": "db" } }],
        "else": [{ "all": { "branches": [[], [{ "write": { "store": "db" } }]] } }] } }]);
    assert_eq!(json["nodes"]["api"]["routes"]["GET /items/{id}"], expected);
}

#[test]
fn a_new_node_of_every_kind_can_be_connected_and_runs() {
    for (kind, _) in KINDS {
        let mut json = scenario("one-service");
        let place = done(&mut json, Edit::AddNode(kind.into()));
        let new = place[1].clone();
        let (from, to) = match kind {
            "client" | "gateway" => (new.clone(), "api".to_string()),
            _ => ("api".to_string(), new.clone()),
        };
        if kind == "queue" {
            done(&mut json, Edit::AddNode("service".into()));
            done(&mut json, Edit::Connect(new.clone(), "service".into()));
        }
        done(&mut json, Edit::Connect(from.clone(), to.clone()));
        if kind == "gateway" {
            done(&mut json, Edit::Connect("users".into(), new.clone()));
        }
        assert_eq!(problems(&json), [""; 0], "{kind}: {json:#}");
        let graph = Graph::new(&json);
        assert!(graph.neighbours(&from).0.contains(&to.as_str()), "{kind}");
        done(&mut json, Edit::Remove(node(&new)));
        assert!(!json["nodes"].as_object().expect("nodes").contains_key(&new));
    }
}

#[test]
fn names_are_free_and_connections_that_make_no_sense_are_refused_with_a_sentence() {
    let mut json = scenario("one-service");
    let added: Vec<String> = (0..3).map(|_| done(&mut json, Edit::AddNode("store".into()))[1].clone()).collect();
    assert_eq!(added, ["store", "store-b", "store-c"]);
    done(&mut json, Edit::AddNode("cache".into()));
    done(&mut json, Edit::AddNode("service".into()));
    let before = json.clone();
    for (from, to, why) in [
        ("api", "api", "itself"),
        ("db", "api", "a store does not call a service"),
        ("api", "users", "a service does not call a client"),
        ("service", "cache", "let `service` call a store first"),
        ("nobody", "api", "does not call"),
    ] {
        let refused = apply(&mut json, &Edit::Connect(from.into(), to.into())).expect_err("it makes no sense");
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(json, before);
}

#[test]
fn a_connection_is_taken_out_with_what_belongs_to_it() {
    let mut json = shop();
    done(&mut json, Edit::Disconnect("api".into(), "cache".into()));
    assert!(!Graph::new(&json).neighbours("api").0.contains(&"cache"));
    assert!(json["links"].get("api-cache").is_none());
    assert!(apply(&mut json, &Edit::Disconnect("gateway".into(), "api".into())).is_err());
    done(&mut json, Edit::Disconnect("users".into(), "gateway".into()));
    assert!(json["workloads"].as_object().is_some_and(Map::is_empty));
}

#[test]
fn a_new_entry_of_every_section_is_sound() {
    for template in ["one-service", "gateway-and-cache"] {
        for (section, word) in SECTIONS {
            let mut json = scenario(template);
            // A way between two nodes that has no link yet.
            json["links"].as_object_mut().expect("links").retain(|_, link| link["from"] != "users");
            let place = done(&mut json, Edit::AddEntry(section.into(), None));
            assert_eq!(place, way(&[section, word]));
            assert_eq!(problems(&json), [""; 0], "{template} {section}");
        }
    }
    let mut json = scenario("gateway-and-cache");
    let place = done(&mut json, Edit::AddEntry("faults".into(), Some("cache".into())));
    assert_eq!(
        at(&json, &super::super::below(&place, "node")),
        Some(&json!("cache")),
        "about the node that is looked at"
    );
}
