//! The system as it is written, sound or not: nodes, who calls whom, and where each stands.

use super::text_of;
use sandbox_core::scenario::fields;
use serde_json::Value;

/// The nodes and the calls between them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Graph {
    /// The nodes, in the order of the document.
    pub nodes: Vec<GraphNode>,
    /// Who calls whom: places in `nodes`.
    pub calls: Vec<(usize, usize)>,
    /// How many layers there are.
    pub layers: usize,
}

/// A node as written.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphNode {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Its kind; with the number of replicas where there are several.
    pub kind: String,
    /// How far it is from whoever sends requests.
    pub layer: usize,
    /// Where it stands in its layer, from 0 to 1.
    pub across: f64,
}

impl Graph {
    /// The system of a document.
    pub fn new(json: &Value) -> Graph {
        let ids: Vec<&String> = fields(json, "nodes").map(|(id, _)| id).collect();
        let place = |id: &str| ids.iter().position(|known| *known == id);
        let mut edges: Vec<(usize, usize)> = Vec::new();
        let mut add = |from: Option<usize>, to: &str| {
            if let (Some(from), Some(to)) = (from, place(to))
                && from != to
                && !edges.contains(&(from, to))
            {
                edges.push((from, to));
            }
        };
        for (_, workload) in fields(json, "workloads") {
            add(place(text_of(workload, "client")), text_of(workload, "target"));
        }
        for (id, node) in fields(json, "nodes") {
            for callee in calls(node) {
                add(place(id), &callee);
            }
        }
        let depth = depths(ids.len(), &edges);
        let layers = depth.iter().max().map_or(0, |deepest| deepest + 1);
        let node = |(index, (id, node)): (usize, (&String, &Value))| {
            let (layer, title) = (depth[index], text_of(node, "title"));
            let peers: Vec<usize> = (0..ids.len()).filter(|other| depth[*other] == layer).collect();
            let rank = peers.iter().position(|other| *other == index).unwrap_or(0);
            let replicas = node["replicas"].as_u64().filter(|count| *count > 1);
            let kind = text_of(node, "kind");
            GraphNode {
                id: id.clone(),
                title: if title.is_empty() { id } else { title }.to_string(),
                kind: replicas.map_or(kind.to_string(), |count| format!("{count} × {kind}")),
                layer,
                across: (rank as f64 + 0.5) / peers.len() as f64,
            }
        };
        let nodes = fields(json, "nodes").enumerate().map(node).collect();
        Graph { nodes, calls: edges, layers }
    }

    /// Whom a node calls, and who calls it: ids.
    pub fn neighbours(&self, id: &str) -> (Vec<&str>, Vec<&str>) {
        let id_of = |index: usize| self.nodes[index].id.as_str();
        let called = self.calls.iter().filter(|(from, _)| id_of(*from) == id).map(|(_, to)| id_of(*to)).collect();
        let calling = self.calls.iter().filter(|(_, to)| id_of(*to) == id).map(|(from, _)| id_of(*from)).collect();
        (called, calling)
    }
}

/// The ids that a node calls, in the order of its steps.
pub fn calls(node: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for field in ["upstream", "consumer"] {
        found.extend(node.get(field).and_then(Value::as_str).map(str::to_string));
    }
    if let Some(routes) = node.get("routes") {
        look_for_calls(routes, &mut found);
    }
    found
}

fn look_for_calls(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(id) if ["store", "cache", "database"].contains(&key.as_str()) => found.push(id.to_string()),
                    _ if key == "call" || key == "publish" => found.push(text_of(value, "to").to_string()),
                    _ => look_for_calls(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look_for_calls(item, found)),
        _ => {}
    }
}

/// The longest way to each from one that nobody calls. A circle ends somewhere.
fn depths(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut depth = vec![0; count];
    for _ in 0..count {
        for (from, to) in edges {
            depth[*to] = depth[*to].max(depth[*from] + 1).min(count);
        }
    }
    // In a circle all reach the bound: layers that nobody stands in are no layers.
    let mut used: Vec<usize> = depth.clone();
    used.sort_unstable();
    used.dedup();
    depth.iter().map(|deep| used.binary_search(deep).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shop_stands_in_layers_in_the_order_of_its_calls() {
        let json: Value = serde_json::from_str(lessons::scenario("database-outage").expect("it is embedded")).unwrap();
        let graph = Graph::new(&json);
        let layers: Vec<(&str, usize)> = graph.nodes.iter().map(|node| (node.id.as_str(), node.layer)).collect();
        assert_eq!(layers, [("api", 2), ("db", 3), ("gateway", 1), ("users", 0)]);
        assert_eq!(graph.neighbours("api"), (vec!["db"], vec!["gateway"]));
        assert_eq!(graph.nodes[0].kind, "2 × service");
    }

    #[test]
    fn a_circle_and_dangling_names_do_no_harm() {
        let step = |to: &str| json!([{ "if": { "then": [{ "call": { "to": to } }] } }]);
        let node = |to: &str| json!({ "kind": "service", "routes": { "x": step(to) } });
        let graph = Graph::new(&json!({ "nodes": { "a": node("b"), "b": node("a"), "c": node("nobody"), "d": 3 } }));
        assert_eq!(graph.calls, [(0, 1), (1, 0)]);
        assert!(graph.nodes.iter().all(|node| node.layer < graph.layers && (0.0..1.0).contains(&node.across)));
        assert_eq!(Graph::new(&json!([])), Graph::default());
    }
}
