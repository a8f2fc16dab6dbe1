//! What a new part of a document looks like: sound where the document allows it, so that it runs at once.

use super::text_of;
use crate::text::playground as text;
use sandbox_core::scenario::fields;
use serde_json::{Map, Value, json};

/// A kind of nodes, and what it is for.
pub type NodeKind = (&'static str, fn() -> &'static str);

/// The kinds of nodes, in the order of a request's way.
pub const KINDS: [NodeKind; 7] = [
    ("client", text::client),
    ("gateway", text::gateway),
    ("service", text::service),
    ("cache", text::cache),
    ("store", text::store),
    ("queue", text::queue),
    ("database", text::database),
];

/// The parts of a document that are no nodes, with what an entry is called.
pub const SECTIONS: [(&str, &str); 7] = [
    ("workloads", "workload"),
    ("faults", "fault"),
    ("rollouts", "rollout"),
    ("links", "link"),
    ("monitors", "monitor"),
    ("knobs", "knob"),
    ("metrics", "signal"),
];

/// A name that nothing in this section has yet: the wanted one, or with a letter behind it. (A number would make it the name
/// of a replica.)
pub fn free_name(json: &Value, section: &str, wanted: &str) -> String {
    let taken = |name: &str| json.get(section).is_some_and(|section| section.get(name).is_some());
    let mut letters = (b'b'..=b'z').map(|letter| format!("{wanted}-{}", char::from(letter)));
    match taken(wanted) {
        false => wanted.to_string(),
        true => letters.find(|name| !taken(name)).unwrap_or_else(|| format!("{wanted}-{}", letters.count() + 26)),
    }
}

/// A node of a kind.
pub fn node(json: &Value, kind: &str) -> Value {
    let service = first(json, &["service"]).unwrap_or("service");
    match kind {
        "gateway" => json!({ "kind": kind, "upstream": service }),
        "service" => json!({ "kind": kind, "workers": 8, "max_waiting": 64, "routes": routes(json) }),
        "cache" => json!({ "kind": kind, "capacity": rows(json), "ttl_s": 10 }),
        "store" => json!({ "kind": kind, "readers": 8, "rows": rows(json),
            "read": { "dist": "exponential", "mean_ms": 1 }, "write": { "dist": "exponential", "mean_ms": 2 } }),
        "queue" => json!({ "kind": kind, "consumer": service, "consumers": 4,
            "route": routes_of(json, service).first().map_or("", String::as_str), "visibility_timeout_s": 30, "max_receive_count": 5 }),
        "database" => json!({ "kind": kind, "tables": { "items": { "rows": rows(json), "columns": { "value": 0 } } },
            "read": { "dist": "exponential", "mean_ms": 1 }, "write": { "dist": "exponential", "mean_ms": 2 } }),
        _ => json!({ "kind": kind }),
    }
}

/// An entry of a section, about `node` where it is about one.
pub fn entry(json: &Value, section: &str, node: Option<&str>) -> Value {
    let end_s = json.get("duration_s").and_then(Value::as_f64).unwrap_or(60.0);
    let whole = |share: f64| (end_s * share).round();
    let about = |kinds: &[&str]| {
        let fits = |id: &&str| kinds.contains(&text_of(&json["nodes"][*id], "kind"));
        node.filter(fits).or_else(|| first(json, kinds)).unwrap_or_default().to_string()
    };
    match section {
        "workloads" => workload(json, &about(&["client"]), &about(&["gateway", "service"])),
        "faults" => json!({ "node": about(&["store", "database", "service", "cache"]), "effect": { "kind": "down" },
            "from_s": whole(0.3), "to_s": whole(0.5) }),
        "links" => {
            let (from, to) = call_without_link(json, node).unwrap_or_default();
            json!({ "from": from, "to": to, "delay_ms": 1 })
        }
        "rollouts" => json!({ "node": about(&["service"]), "from_s": whole(0.3), "every_s": 2 }),
        "monitors" => json!({ "target": about(&["service", "store", "gateway"]), "interval_s": 1, "timeout_ms": 500,
            "failure_threshold": 2, "success_threshold": 2 }),
        "knobs" => {
            json!({ "title": "Length of the run", "path": "duration_s", "unit": "s", "min": 10, "max": 300, "step": 10 })
        }
        _ => json!({ "unit": "requests", "help": "Requests that were answered.", "kind": "counter",
            "source": { "records": { "of": "answered" } } }),
    }
}

/// A call that has no link yet, best one of this node.
fn call_without_link(json: &Value, node: Option<&str>) -> Option<(String, String)> {
    let graph = super::graph::Graph::new(json);
    let pair = |(from, to): &(usize, usize)| (graph.nodes[*from].id.clone(), graph.nodes[*to].id.clone());
    let has_link = |(from, to): &(String, String)| {
        fields(json, "links").any(|(_, link)| text_of(link, "from") == from && text_of(link, "to") == to)
    };
    let mut free: Vec<(String, String)> = graph.calls.iter().map(pair).filter(|pair| !has_link(pair)).collect();
    free.sort_by_key(|(from, _)| node != Some(from.as_str()));
    free.into_iter().next()
}

/// Requests of a client to a node.
pub fn workload(json: &Value, client: &str, target: &str) -> Value {
    let known = routes_of(json, target);
    let names = if known.is_empty() { vec!["GET /items/{id}".to_string()] } else { known };
    let route = |name: String| {
        let op = if is_write(json, &name) { "write" } else { "read" };
        (name, json!({ "weight": 1, "op": op }))
    };
    let routes: Map<String, Value> = names.into_iter().map(route).collect();
    json!({ "client": client, "target": target, "arrivals": { "process": "poisson", "rate_rps": 100 }, "routes": routes,
        "keys": rows(json), "users": 100 })
}

/// The first node of one of these kinds.
pub fn first<'a>(json: &'a Value, kinds: &[&str]) -> Option<&'a str> {
    let of =
        |kind: &&str| fields(json, "nodes").find(|(_, node)| text_of(node, "kind") == *kind).map(|(id, _)| id.as_str());
    kinds.iter().find_map(of)
}

/// The routes that a node answers: of a service its own, of a gateway those of what it passes requests on to.
pub fn routes_of(json: &Value, node: &str) -> Vec<String> {
    let node = &json["nodes"][node];
    match text_of(node, "kind") {
        "gateway" if json["nodes"][text_of(node, "upstream")]["kind"] == "service" => {
            routes_of(json, text_of(node, "upstream"))
        }
        _ => fields(node, "routes").map(|(name, _)| name.clone()).collect(),
    }
}

/// Whether a route changes data, as a workload says, or else by its method.
pub fn is_write(json: &Value, route: &str) -> bool {
    let said = fields(json, "workloads").find_map(|(_, workload)| workload["routes"].get(route)?.get("op"));
    said.map_or(!route.starts_with("GET") && route.contains('/'), |op| op == "write")
}

/// The routes of a new service: all that anybody asks for, with a little work.
fn routes(json: &Value) -> Value {
    let work = json!([{ "work": { "dist": "exponential", "mean_ms": 2 } }]);
    let asked = fields(json, "workloads").flat_map(|(_, workload)| fields(workload, "routes"));
    let mut routes: Map<String, Value> = asked.map(|(name, _)| (name.clone(), work.clone())).collect();
    if routes.is_empty() {
        routes.insert("GET /items/{id}".into(), work);
    }
    routes.into()
}

/// As many rows as anybody asks for.
fn rows(json: &Value) -> u64 {
    fields(json, "workloads").filter_map(|(_, workload)| workload["keys"].as_u64()).max().unwrap_or(1_000)
}
