//! Changes of a document: each keeps what refers to a part in step with it.

use super::parts::{self, free_name, is_write, routes_of};
use super::{Way, at, at_mut, text_of, way};
use crate::text::playground as text;
use sandbox_core::scenario::{drop_lost_knobs, fields};
use serde_json::{Value, json};

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Puts a value at a place. Of a list the place after its last item is one.
    Set(Way, Value),
    /// Takes a place out; a node with all that refers to it.
    Remove(Way),
    /// Gives an entry another name, wherever it is named.
    Rename(Way, String),
    /// Adds a node of a kind.
    AddNode(String),
    /// Adds an entry to a section, about a node.
    AddEntry(String, Option<String>),
    /// Lets one node call another.
    Connect(String, String),
    /// Lets it do so no more.
    Disconnect(String, String),
}

/// Fields of nodes, workloads, faults and so on that hold the id of a node.
const REFERENCES: [&str; 10] =
    ["upstream", "consumer", "to", "store", "cache", "database", "client", "target", "node", "from"];
/// Where they are.
const REFERRING: [&str; 7] = ["nodes", "links", "workloads", "faults", "rollouts", "monitors", "metrics"];

/// Makes a change, and says which place it is about then. Errors: why it cannot be made; nothing has changed then.
pub fn apply(json: &mut Value, edit: &Edit) -> Result<Way, String> {
    let mut changed = json.clone();
    let place = match edit {
        Edit::Set(way, value) => set(&mut changed, way, value.clone())?,
        Edit::Remove(way) => remove(&mut changed, way)?,
        Edit::Rename(way, name) => rename(&mut changed, way, name)?,
        Edit::AddNode(kind) => {
            let (name, node) = (free_name(json, "nodes", kind), parts::node(json, kind));
            set(&mut changed, &way(&["nodes", &name]), node)?
        }
        Edit::AddEntry(section, node) => {
            let entry = parts::entry(json, section, node.as_deref());
            let word = parts::SECTIONS.iter().find(|(known, _)| known == section).map_or("entry", |(_, word)| word);
            let section_there = changed.get(section).is_some();
            if let (false, Value::Object(fields)) = (section_there, &mut changed) {
                fields.insert(section.clone(), json!({}));
            }
            set(&mut changed, &way(&[section, &free_name(json, section, word)]), entry)?
        }
        Edit::Connect(from, to) => connect(&mut changed, from, to)?,
        Edit::Disconnect(from, to) => disconnect(&mut changed, from, to)?,
    };
    *json = changed;
    Ok(place)
}

fn set(json: &mut Value, place: &[String], value: Value) -> Result<Way, String> {
    let missing = || text::no_place(place.join("."));
    let Some((last, above)) = place.split_last() else {
        *json = value;
        return Ok(Way::new());
    };
    match at_mut(json, above) {
        Some(Value::Object(fields)) => {
            fields.insert(last.clone(), value);
        }
        Some(Value::Array(items)) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => items[index] = value,
            Ok(index) if index == items.len() => items.push(value),
            _ => return Err(missing()),
        },
        _ => return Err(missing()),
    }
    Ok(place.to_vec())
}

fn remove(json: &mut Value, place: &[String]) -> Result<Way, String> {
    let missing = || text::no_part(place.join("."));
    let (last, above) = place.split_last().ok_or(text::whole_stays())?;
    if at(json, place).is_none() {
        return Err(missing());
    }
    if let [section, node] = place
        && section == "nodes"
    {
        forget_node(json, node);
    }
    match at_mut(json, above) {
        Some(Value::Object(fields)) => drop(fields.remove(last)),
        Some(Value::Array(items)) => drop(items.remove(last.parse().map_err(|_| missing())?)),
        _ => return Err(missing()),
    }
    if place.len() == 2 {
        drop_unused_calls(json);
    }
    drop_lost_knobs(json, "");
    Ok(if place.len() == 2 { Way::new() } else { above.to_vec() })
}

/// Takes out how a call is made that nobody makes any more, and the way there. (What no variant needs is not easily known.)
fn drop_unused_calls(json: &mut Value) {
    if json.get("variants").is_some() {
        return;
    }
    let graph = super::graph::Graph::new(json);
    let is_made = |from: &str, to: &str| graph.neighbours(from).0.contains(&to);
    if let Some(links) = json.get_mut("links").and_then(Value::as_object_mut) {
        links.retain(|_, link| is_made(text_of(link, "from"), text_of(link, "to")));
    }
    for (id, node) in json.get_mut("nodes").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(calls) = node.get_mut("calls").and_then(Value::as_object_mut) {
            calls.retain(|to, _| is_made(id, to));
        }
    }
}

/// Takes out whatever refers to a node. Whoever called it calls what it called, where that can be.
fn forget_node(json: &mut Value, node: &str) {
    let callable = |id: &&str| matches!(text_of(&json["nodes"][*id], "kind"), "service" | "gateway");
    let called = super::graph::calls(&json["nodes"][node]);
    let heir = called.iter().map(String::as_str).find(callable).map(str::to_string);
    let others: Vec<String> = fields(json, "nodes").map(|(id, _)| id.clone()).filter(|id| id != node).collect();
    for other in &others {
        forget_calls(&mut json["nodes"][other], node);
    }
    if let Some(heir) = &heir {
        let goes_on = [("nodes", "upstream"), ("nodes", "consumer"), ("workloads", "target")];
        for (section, field) in goes_on {
            let referring = json.get_mut(section).and_then(Value::as_object_mut).into_iter().flatten();
            for (_, entry) in referring.filter(|(_, entry)| text_of(entry, field) == node) {
                entry[field] = heir.as_str().into();
            }
        }
    }
    for section in &REFERRING[1..] {
        if let Some(entries) = json.get_mut(section).and_then(Value::as_object_mut) {
            entries.retain(|_, entry| !refers(entry, node));
        }
    }
    let inside = format!("nodes.{node}");
    let variants = json.get_mut("variants").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, variant) in variants {
        if let Some(set) = variant.get_mut("set").and_then(Value::as_object_mut) {
            set.retain(|path, value| {
                let within = path.strip_prefix(&inside).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
                !within && !path.contains(&format!(".calls.{node}")) && !refers(value, node) && value != node
            });
        }
    }
}

/// Whether anything in a value refers to a node, or to one of its replicas.
fn refers(value: &Value, node: &str) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            value.as_str().is_some_and(|id| REFERENCES.contains(&key.as_str()) && renamed(id, node, "").is_some())
                || refers(value, node)
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, node)),
        _ => false,
    }
}

/// Takes a node's calls of another out of it. `upstream` and `consumer` must be there, and stay.
fn forget_calls(node: &mut Value, other: &str) {
    if let Some(calls) = node.get_mut("calls").and_then(Value::as_object_mut) {
        calls.remove(other);
    }
    for (_, steps) in node.get_mut("routes").and_then(Value::as_object_mut).into_iter().flatten() {
        forget_steps(steps, other);
    }
}

fn forget_steps(steps: &mut Value, node: &str) {
    let Some(list) = steps.as_array_mut() else { return };
    let mut kept = Vec::new();
    for mut step in std::mem::take(list) {
        let (word, body) = match step.as_object_mut().and_then(|step| step.iter_mut().next()) {
            Some((word, body)) => (word.clone(), body),
            None => {
                kept.push(step);
                continue;
            }
        };
        let is = |field: &str| text_of(body, field) == node;
        match word.as_str() {
            "call" | "publish" if is("to") => continue,
            "read" | "write" if is("store") => continue,
            "invalidate" if is("cache") => continue,
            _ if is("database") => continue,
            "cached" if is("cache") => {
                let mut load = body["load"].take();
                forget_steps(&mut load, node);
                kept.extend(load.as_array().cloned().unwrap_or_default());
                continue;
            }
            _ => {}
        }
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|key, value| key != "cache" || value != node);
            for inner in ["then", "else", "do", "load", "on_failure"] {
                if let Some(steps) = fields.get_mut(inner) {
                    forget_steps(steps, node);
                }
            }
            for branch in fields.get_mut("branches").and_then(Value::as_array_mut).into_iter().flatten() {
                forget_steps(branch, node);
            }
        }
        kept.push(step);
    }
    *list = kept;
}

fn rename(json: &mut Value, place: &[String], name: &str) -> Result<Way, String> {
    let (last, above) = place.split_last().ok_or(text::document_has_no_name())?;
    if last == name {
        return Ok(place.to_vec());
    }
    if name.is_empty() {
        return Err(text::name_is_empty().into());
    }
    let fields = at_mut(json, above).and_then(Value::as_object_mut).ok_or(text::only_entries())?;
    if fields.contains_key(name) {
        return Err(text::is_taken(name));
    }
    let value = fields.remove(last).ok_or_else(|| text::no_part(last))?;
    fields.insert(name.to_string(), value);
    if let [section, _] = place
        && section == "nodes"
    {
        rename_references(json, last, name);
    }
    let place = super::below(above, name);
    rename_paths(json, &super::below(above, last).join("."), &place.join("."));
    Ok(place)
}

/// Follows a node that has another name.
fn rename_references(json: &mut Value, old: &str, new: &str) {
    for section in REFERRING {
        if let Some(section) = json.get_mut(section) {
            follow(section, old, new);
        }
    }
    for (_, variant) in json.get_mut("variants").and_then(Value::as_object_mut).into_iter().flatten() {
        let Some(set) = variant.get_mut("set").and_then(Value::as_object_mut) else { continue };
        *set = std::mem::take(set)
            .into_iter()
            .map(|(path, mut value)| {
                follow(&mut value, old, new);
                if path.ends_with(".calls") {
                    rename_key(Some(&mut value), old, new);
                }
                let last = path.rsplit('.').next().unwrap_or_default();
                if REFERENCES.contains(&last) && value == old {
                    value = new.into();
                }
                (with_call(&path, old, new), value)
            })
            .collect();
    }
    for (_, knob) in json.get_mut("knobs").and_then(Value::as_object_mut).into_iter().flatten() {
        knob["path"] = with_call(text_of(knob, "path"), old, new).into();
    }
    for (section, field) in [("claims", "expr"), ("metrics", "source")] {
        for (_, entry) in json.get_mut(section).and_then(Value::as_object_mut).into_iter().flatten() {
            let text = if field == "source" { entry[field].get_mut("formula") } else { entry.get_mut(field) };
            if let Some(Value::String(text)) = text {
                *text = text.replace(&format!("node={old}}}"), &format!("node={new}}}"));
                *text = text.replace(&format!("node={old},"), &format!("node={new},"));
            }
        }
    }
}

/// A path through how a node is called, with its new name.
fn with_call(path: &str, old: &str, new: &str) -> String {
    let path = path.replace(&format!(".calls.{old}."), &format!(".calls.{new}."));
    match path.strip_suffix(&format!(".calls.{old}")) {
        Some(above) => format!("{above}.calls.{new}"),
        None => path,
    }
}

fn follow(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if key == "calls" {
                    rename_key(Some(&mut *value), old, new);
                }
                match value {
                    Value::String(id) if REFERENCES.contains(&key.as_str()) => {
                        if let Some(renamed) = renamed(id, old, new) {
                            *id = renamed;
                        }
                    }
                    value => follow(value, old, new),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| follow(item, old, new)),
        _ => {}
    }
}

/// The new name of a node or of one of its replicas, if this is it.
fn renamed(id: &str, old: &str, new: &str) -> Option<String> {
    let rest = id.strip_prefix(old)?;
    let replica = rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok());
    (rest.is_empty() || replica).then(|| format!("{new}{rest}"))
}

fn rename_key(fields: Option<&mut Value>, old: &str, new: &str) {
    if let Some(fields) = fields.and_then(Value::as_object_mut)
        && let Some(value) = fields.remove(old)
    {
        fields.insert(new.to_string(), value);
    }
}

/// Follows paths of knobs and variants into a place that has another name.
fn rename_paths(json: &mut Value, old: &str, new: &str) {
    let moved = |path: &str| {
        let rest = path.strip_prefix(old)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{new}{rest}"))
    };
    for (_, knob) in json.get_mut("knobs").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(path) = moved(text_of(knob, "path")) {
            knob["path"] = path.into();
        }
    }
    for (_, variant) in json.get_mut("variants").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(set) = variant.get_mut("set").and_then(Value::as_object_mut) {
            let set_moved = std::mem::take(set).into_iter().map(|(path, value)| (moved(&path).unwrap_or(path), value));
            *set = set_moved.collect();
        }
    }
}

fn connect(json: &mut Value, from: &str, to: &str) -> Result<Way, String> {
    let kind = |id: &str| text_of(&json["nodes"][id], "kind").to_string();
    let (caller, callee) = (kind(from), kind(to));
    if from == to {
        return Err(text::calls_itself().into());
    }
    match (caller.as_str(), callee.as_str()) {
        ("client", "gateway" | "service") => Ok(send(json, from, to)),
        ("gateway", "service" | "gateway") => {
            let before = text_of(&json["nodes"][from], "upstream").to_string();
            move_call(json, from, &before, to);
            set(json, &way(&["nodes", from, "upstream"]), to.into())
        }
        ("queue", "service") => {
            let route = routes_of(json, to).into_iter().next().ok_or_else(|| text::no_route(to))?;
            let before = text_of(&json["nodes"][from], "consumer").to_string();
            move_call(json, from, &before, to);
            set(json, &way(&["nodes", from, "route"]), route.into())?;
            set(json, &way(&["nodes", from, "consumer"]), to.into())
        }
        ("service", "service" | "queue" | "store" | "database") => {
            let table = fields(&json["nodes"][to], "tables").next().map(|(table, _)| table.clone());
            let known = routes_of(json, to);
            let step = |route: &String| match callee.as_str() {
                "store" if is_write(json, route) => json!({ "write": { "store": to } }),
                "store" => json!({ "read": { "store": to } }),
                "database" => json!({ "select": { "database": to, "table": table, "key": "key" } }),
                "queue" => json!({ "publish": { "to": to } }),
                _ if known.contains(route) => json!({ "call": { "to": to } }),
                _ => json!({ "call": { "to": to, "route": known.first() } }),
            };
            let routes = routes_of(json, from);
            let steps: Vec<(String, Value)> = routes.into_iter().map(|route| (route.clone(), step(&route))).collect();
            let caller = json["nodes"][from]["routes"].as_object_mut().ok_or_else(|| text::no_routes(from))?;
            for (route, step) in steps {
                if let Some(list) = caller.get_mut(&route).and_then(Value::as_array_mut) {
                    list.push(step);
                }
            }
            Ok(way(&["nodes", from]))
        }
        ("service", "cache") => match keep_in(&mut json["nodes"][from]["routes"], to) {
            0 => Err(text::cache_needs_store(from)),
            _ => Ok(way(&["nodes", from])),
        },
        _ => Err(text::no_call(&caller, &callee)),
    }
}

/// Lets a client send its requests to a node: all that it sends, or new ones.
fn send(json: &mut Value, client: &str, target: &str) -> Way {
    let sent = fields(json, "workloads").filter(|(_, workload)| text_of(workload, "client") == client);
    let own: Vec<String> = sent.map(|(id, _)| id.clone()).collect();
    for id in &own {
        let before = text_of(&json["workloads"][id], "target").to_string();
        move_call(json, client, &before, target);
        json["workloads"][id]["target"] = target.into();
    }
    let id = own.first().cloned().unwrap_or_else(|| {
        let (id, workload) = (free_name(json, "workloads", client), parts::workload(json, client, target));
        json["workloads"][&id] = workload;
        id
    });
    way(&["workloads", &id])
}

/// What a node called is another one now: how it calls, and the way there, go with it.
fn move_call(json: &mut Value, from: &str, old: &str, new: &str) {
    if old == new {
        return;
    }
    rename_key(json["nodes"][from].get_mut("calls"), old, new);
    let ends = |link: &Value, to: &str| text_of(link, "from") == from && text_of(link, "to") == to;
    let is_there = fields(json, "links").any(|(_, link)| ends(link, new));
    let Some(links) = json.get_mut("links").and_then(Value::as_object_mut) else { return };
    links.retain(|_, link| !(is_there && ends(link, old)));
    for link in links.values_mut().filter(|link| ends(link, old)) {
        link["to"] = new.into();
    }
    let paths = [format!("nodes.{from}.calls.{old}"), format!("nodes.{from}.calls.{new}")];
    rename_paths(json, &paths[0], &paths[1]);
}

/// Puts a cache before every read and write of a store; how many there are.
fn keep_in(value: &mut Value, cache: &str) -> usize {
    match value {
        Value::Object(fields) => {
            let mut found = 0;
            for (word, body) in fields.iter_mut() {
                if matches!(word.as_str(), "read" | "write") && body.get("store").is_some() {
                    body["cache"] = cache.into();
                    found += 1;
                } else {
                    found += keep_in(body, cache);
                }
            }
            found
        }
        Value::Array(items) => items.iter_mut().map(|item| keep_in(item, cache)).sum(),
        _ => 0,
    }
}

fn disconnect(json: &mut Value, from: &str, to: &str) -> Result<Way, String> {
    let node = &mut json["nodes"][from];
    if text_of(node, "upstream") == to || text_of(node, "consumer") == to {
        return Err(text::must_pass_on(from));
    }
    forget_calls(node, to);
    if let Some(workloads) = json.get_mut("workloads").and_then(Value::as_object_mut) {
        workloads.retain(|_, sent| !(text_of(sent, "client") == from && text_of(sent, "target") == to));
    }
    drop_unused_calls(json);
    drop_lost_knobs(json, "");
    Ok(way(&["nodes", from]))
}

#[cfg(test)]
mod tests;
