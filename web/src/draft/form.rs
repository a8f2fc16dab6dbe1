//! Fields to fill in, made of the JSON Schema that `faultline schema scenario` prints: whatever a document can say has one.

use super::{Way, at, below, text_of};
use crate::text::playground as text;
use sandbox_core::scenario::fields;
use serde_json::{Map, Value, json};

/// Values are made up no deeper than this.
const DEEPEST: usize = 6;

/// The JSON Schema of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

/// A place of a document, to be filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where.
    pub way: Way,
    /// What it is called.
    pub name: String,
    /// What it means.
    pub hint: String,
    /// Unit of a number; empty for a plain one.
    pub unit: &'static str,
    /// Whether it may be taken out.
    pub removable: bool,
    /// Whether its name is somebody's own, and may be another.
    pub named: bool,
    /// How it is filled in.
    pub input: Input,
}

/// How a place is filled in.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Input {
    /// A number; `whole`: one without decimals.
    Number { value: Option<f64>, whole: bool, min: Option<f64>, max: Option<f64> },
    /// A text; where it refers to a node, the nodes to choose from.
    Text { value: String, nodes: Vec<String> },
    /// One of a few words, each with its meaning.
    Choice { value: String, options: Vec<(String, String)> },
    /// Yes or no.
    Switch(bool),
    /// One of several shapes, each with its meaning and what it begins as; and the fields of the present one.
    Shape { value: String, options: Vec<(String, String, Value)>, fields: Group },
    /// Fields.
    Group(Group),
    /// Anything, as JSON.
    Json(String),
}

/// Fields that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Those that are there, or must be.
    pub fields: Vec<Field>,
    /// Those that may be added: name, meaning, and what each begins as.
    pub absent: Vec<(String, String, Value)>,
    /// What one more entry begins as.
    pub more: Option<More>,
}

/// One more entry.
#[derive(Clone, Debug, PartialEq)]
pub enum More {
    /// Under a name.
    Named(Value),
    /// At the end of the list.
    Next(Value),
}

impl Schema {
    /// Reads a schema's text; None if it is none.
    pub fn parse(text: &str) -> Option<Schema> {
        let json: Value = serde_json::from_slice(text.as_bytes()).ok()?;
        json.get("$defs").is_some().then_some(Schema(json))
    }

    /// The field of a place of a document; of the whole document those that are no sections. None if the schema has no such place.
    pub fn field(&self, json: &Value, way: &[String]) -> Option<Field> {
        let nodes: Vec<&str> = fields(json, "nodes").map(|(id, _)| id.as_str()).collect();
        let mut here = &self.0;
        for (depth, key) in way.iter().enumerate() {
            let (schema, _) = self.shape(here);
            let schema = self.branch(schema, at(json, &way[..depth])?).unwrap_or(schema);
            here = schema["properties"]
                .get(key)
                .or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()))
                .or_else(|| schema.get("items"))?;
        }
        let maker = Maker { schema: self, nodes: &nodes };
        let mut field = maker.field(here, at(json, way), way.to_vec(), false);
        if let (true, Input::Group(group)) = (way.is_empty(), &mut field.input) {
            let is_section = |key: &str| maker.is_section(key);
            group.fields.retain(|field| !is_section(&field.name));
            group.absent.retain(|(key, ..)| !is_section(key));
        }
        Some(field)
    }

    /// What a schema says, behind references and beside null; and whether null is allowed.
    fn shape<'a>(&'a self, schema: &'a Value) -> (&'a Value, bool) {
        if let Some(name) = text_of(schema, "$ref").strip_prefix("#/$defs/") {
            return self.shape(&self.0["$defs"][name]);
        }
        match schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([of, null]) if null["type"] == "null" => (self.shape(of).0, true),
            _ => (schema, schema["type"].as_array().is_some_and(|types| types.contains(&json!("null")))),
        }
    }

    /// Of several shapes the one that a value has.
    fn branch<'a>(&'a self, schema: &'a Value, value: &Value) -> Option<&'a Value> {
        let branches = schema.get("oneOf")?.as_array()?;
        branches.iter().find(|branch| {
            self.word(branch).is_some_and(|(tag, word)| match tag {
                Tag::Field(field) => value[field] == word,
                Tag::Key => value.get(word).is_some(),
                Tag::Bare => value == word,
            })
        })
    }

    /// The word that stands for a branch, and where it stands.
    fn word<'a>(&self, branch: &'a Value) -> Option<(Tag<'a>, &'a str)> {
        if let Some(word) = branch.get("const").and_then(Value::as_str) {
            return Some((Tag::Bare, word));
        }
        let named = fields(branch, "properties")
            .find_map(|(field, schema)| Some((Tag::Field(field), schema.get("const")?.as_str()?)));
        named.or_else(|| Some((Tag::Key, branch["required"].get(0)?.as_str()?)))
    }

    /// What a place of this schema begins as.
    fn begin(&self, schema: &Value, depth: usize) -> Value {
        if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
            return default.clone();
        }
        let (schema, _) = self.shape(schema);
        if let Some(branches) = schema.get("oneOf").and_then(Value::as_array) {
            return self.begin_branch(&branches[0], depth);
        }
        match kind(schema) {
            "object" => {
                let fields = fields_of(schema).into_iter().filter(|key| depth < DEEPEST && is_required(schema, key));
                fields
                    .map(|key| (key.to_string(), self.begin(&schema["properties"][key], depth + 1)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "array" => json!([]),
            "number" | "integer" => json!(1),
            "boolean" => json!(true),
            _ => json!(""),
        }
    }

    fn begin_branch(&self, branch: &Value, depth: usize) -> Value {
        match self.word(branch) {
            Some((Tag::Bare, word)) => word.into(),
            Some((Tag::Key, word)) => json!({ word: self.begin(&branch["properties"][word], depth + 1) }),
            Some((Tag::Field(tag), word)) => {
                let mut begun = self.begin(
                    &json!({ "type": "object", "properties": branch["properties"],
                    "required": branch["required"], "x-order": branch["x-order"] }),
                    depth,
                );
                begun[tag] = word.into();
                begun
            }
            None => Value::Null,
        }
    }
}

enum Tag<'a> {
    /// In this field: `{ "kind": "slow", ... }`.
    Field(&'a str),
    /// As the only key: `{ "call": ... }`.
    Key,
    /// It is the value.
    Bare,
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    }
}

/// The fields of an object as its type declares them; what that does not say follows.
fn fields_of(schema: &Value) -> Vec<&str> {
    let order: Vec<&str> = schema["x-order"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields: Vec<&str> = fields(schema, "properties").map(|(key, _)| key.as_str()).collect();
    fields.sort_by_key(|field| order.iter().position(|known| known == field).unwrap_or(usize::MAX));
    fields
}

fn is_required(schema: &Value, key: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|name| name == key))
}

fn unit(name: &str) -> &'static str {
    let units = [
        ("_ms", "ms"),
        ("_us", "µs"),
        ("_s", "s"),
        ("_rps", text::per_second()),
        ("_percent", "%"),
        ("_bytes", text::bytes()),
    ];
    units.iter().find(|(end, _)| name.ends_with(end)).map_or("", |(_, unit)| unit)
}

/// A description without its line breaks and marks of code.
fn plain(text: &str) -> String {
    text.replace('\n', " ").replace('`', "")
}

struct Maker<'a> {
    schema: &'a Schema,
    nodes: &'a [&'a str],
}

impl Maker<'_> {
    /// Whether a field of the document has entries with names.
    fn is_section(&self, key: &str) -> bool {
        let (schema, _) = self.schema.shape(&self.schema.0["properties"][key]);
        schema.get("additionalProperties").is_some_and(Value::is_object)
    }

    fn field(&self, schema: &Value, value: Option<&Value>, way: Way, removable: bool) -> Field {
        let (shape, _) = self.schema.shape(schema);
        let name = way.last().cloned().unwrap_or_default();
        let said =
            [schema, shape].into_iter().map(|schema| text_of(schema, "description")).find(|text| !text.is_empty());
        Field {
            unit: if matches!(kind(shape), "number" | "integer") { unit(&name) } else { "" },
            hint: plain(said.unwrap_or_default()),
            input: self.input(shape, value, &way),
            name,
            way,
            removable,
            named: false,
        }
    }

    fn input(&self, shape: &Value, value: Option<&Value>, way: &[String]) -> Input {
        let value = value.unwrap_or(&Value::Null);
        if let Some(branches) = shape.get("oneOf").and_then(Value::as_array) {
            return self.shapes(branches, shape, value, way);
        }
        match kind(shape) {
            "number" | "integer" => Input::Number {
                value: value.as_f64(),
                whole: kind(shape) == "integer",
                min: shape.get("minimum").and_then(Value::as_f64),
                max: shape.get("maximum").and_then(Value::as_f64),
            },
            "boolean" => Input::Switch(value.as_bool().unwrap_or_default()),
            "string" => {
                let nodes = if self.is_reference(way) {
                    self.nodes.iter().map(|id| id.to_string()).collect()
                } else {
                    Vec::new()
                };
                Input::Text { value: value.as_str().unwrap_or_default().to_string(), nodes }
            }
            "object" if shape.get("properties").is_some() => Input::Group(self.fields(shape, value, way, "")),
            "object" => Input::Group(self.entries(&shape["additionalProperties"], value, way)),
            "array" => Input::Group(self.items(&shape["items"], value, way)),
            _ => Input::Json(value.to_string()),
        }
    }

    /// Whether a text at this place is the id of a node.
    fn is_reference(&self, way: &[String]) -> bool {
        const NAMES: [&str; 8] = ["upstream", "consumer", "store", "cache", "database", "client", "target", "node"];
        let [.., above, name] = way else { return false };
        let of_two = matches!(name.as_str(), "from" | "to");
        NAMES.contains(&name.as_str())
            || (of_two && (way[0] == "links" || ["call", "publish"].contains(&above.as_str())))
    }

    fn fields(&self, shape: &Value, value: &Value, way: &[String], tag: &str) -> Group {
        let mut group = Group::default();
        for key in fields_of(shape).into_iter().filter(|key| *key != tag) {
            let schema = &shape["properties"][key];
            let (there, required) = (value.get(key), is_required(shape, key));
            match there.is_some() || required {
                true => group.fields.push(self.field(schema, there, below(way, key), !required)),
                false => {
                    let hint = plain(text_of(schema, "description"));
                    group.absent.push((key.to_string(), hint, self.schema.begin(schema, 0)));
                }
            }
        }
        group
    }

    fn entries(&self, schema: &Value, value: &Value, way: &[String]) -> Group {
        let entry = |(key, value): (&String, &Value)| Field {
            named: true,
            ..self.field(schema, Some(value), below(way, key), true)
        };
        let fields = value.as_object().into_iter().flatten().map(entry).collect();
        Group { fields, absent: Vec::new(), more: Some(More::Named(self.schema.begin(schema, 0))) }
    }

    fn items(&self, schema: &Value, value: &Value, way: &[String]) -> Group {
        let item = |(index, value): (usize, &Value)| {
            let name = format!("{}.", index + 1);
            Field { name, ..self.field(schema, Some(value), below(way, index), true) }
        };
        let fields = value.as_array().into_iter().flatten().enumerate().map(item).collect();
        Group { fields, absent: Vec::new(), more: Some(More::Next(self.schema.begin(schema, 0))) }
    }

    fn shapes(&self, branches: &[Value], shape: &Value, value: &Value, way: &[String]) -> Input {
        let said = |branch: &Value| plain(text_of(branch, "description"));
        let words: Vec<(Tag, &str, &Value)> = branches
            .iter()
            .filter_map(|branch| self.schema.word(branch).map(|(tag, word)| (tag, word, branch)))
            .collect();
        if words.iter().all(|(tag, ..)| matches!(tag, Tag::Bare)) {
            let options = words.iter().map(|(_, word, branch)| (word.to_string(), said(branch))).collect();
            return Input::Choice { value: value.as_str().unwrap_or_default().to_string(), options };
        }
        let option = |(_, word, branch): &(Tag, &str, &Value)| {
            let mut begun = self.schema.begin_branch(branch, 0);
            // What both shapes have stays as it is.
            if let (Value::Object(begun), Value::Object(present)) = (&mut begun, value) {
                for (key, begun) in begun.iter_mut().filter(|(_, begun)| *begun != word) {
                    if let Some(present) = present.get(key).filter(|present| present.is_object() == begun.is_object()) {
                        *begun = present.clone();
                    }
                }
            }
            (word.to_string(), said(branch), begun)
        };
        let options = words.iter().map(option).collect();
        let branch = self.schema.branch(shape, value);
        let (value, fields) = match branch.and_then(|branch| Some((self.schema.word(branch)?, branch))) {
            Some(((Tag::Field(tag), word), branch)) => (word, self.fields(branch, value, way, tag)),
            Some(((Tag::Key, word), branch)) => {
                let inner = self.field(&branch["properties"][word], value.get(word), below(way, word), false);
                let fields = match inner.input {
                    Input::Group(group) => group,
                    _ => Group { fields: vec![inner], ..Group::default() },
                };
                (word, fields)
            }
            Some(((Tag::Bare, word), _)) => (word, Group::default()),
            None => ("", Group::default()),
        };
        Input::Shape { value: value.to_string(), options, fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::way;
    use sandbox_core::scenario::Document;

    fn schema() -> Schema {
        Schema::parse(include_str!("../../scenario.schema.json")).expect("it is a schema")
    }

    fn shop() -> Value {
        serde_json::from_str(lessons::scenario("database-outage").expect("it is embedded")).expect("it is JSON")
    }

    fn names(group: &Group) -> Vec<&str> {
        group.fields.iter().map(|field| field.name.as_str()).collect()
    }

    fn group(input: &Input) -> &Group {
        match input {
            Input::Group(group) | Input::Shape { fields: group, .. } => group,
            other => panic!("no group: {other:?}"),
        }
    }

    #[test]
    fn a_node_has_its_fields_in_the_order_of_the_format_with_what_may_be_added() {
        let field = schema().field(&shop(), &way(&["nodes", "api"])).expect("there is one");
        let Input::Shape { value, options, fields } = &field.input else { panic!("{field:?}") };
        assert_eq!((value.as_str(), options.len()), ("service", 7));
        assert_eq!(names(fields), ["title", "replicas", "workers", "max_waiting", "routes", "calls"]);
        let replicas = &fields.fields[1];
        assert_eq!(replicas.input, Input::Number { value: Some(2.0), whole: true, min: Some(0.0), max: None });
        assert!(replicas.hint.starts_with("Instances; api with 2 replicas"), "{}", replicas.hint);
        assert!(fields.absent.iter().any(|(name, _, begun)| name == "bulkheads" && *begun == json!({})));
        assert_eq!(fields.absent[0].0, "admission", "in the same order");
    }

    #[test]
    fn steps_of_a_route_are_fields_too_and_refer_to_nodes() {
        let field =
            schema().field(&shop(), &way(&["nodes", "api", "routes", "GET /items/{id}", "1"])).expect("there is one");
        let Input::Shape { value, fields, .. } = &field.input else { panic!("{field:?}") };
        assert_eq!(value, "read");
        let nodes = ["api", "db", "gateway", "users"].map(str::to_string).to_vec();
        assert_eq!(fields.fields[0].input, Input::Text { value: "db".into(), nodes });
        assert_eq!(fields.absent[0].0, "cache");
        assert_eq!(fields.fields[0].way.join("."), "nodes.api.routes.GET /items/{id}.1.read.store");
    }

    #[test]
    fn units_stand_beside_numbers_and_words_have_their_meaning() {
        let schema = schema();
        let field = schema.field(&shop(), &way(&["faults", "outage"])).expect("there is one");
        let fault = group(&field.input);
        let named = |name: &str| fault.fields.iter().find(|field| field.name == name).expect("it is there");
        assert_eq!(named("from_s").unit, "s");
        let Input::Shape { options, .. } = &named("effect").input else { panic!("an effect has shapes") };
        assert_eq!(options[1].2, json!({ "kind": "slow", "factor": 1 }));
        let routes = schema.field(&shop(), &way(&["workloads", "traffic", "routes", "GET /items/{id}", "op"]));
        assert!(
            matches!(routes.expect("there is one").input, Input::Choice { value, options } if value == "read" && options.len() == 2)
        );
    }

    #[test]
    fn the_document_itself_has_its_plain_fields() {
        let field = schema().field(&shop(), &[]).expect("there is one");
        assert_eq!(names(group(&field.input)), ["format_version", "id", "title", "about", "seed", "duration_s"]);
        assert!(group(&field.input).absent.iter().all(|(key, ..)| ["reference", "leaves_out"].contains(&key.as_str())));
    }

    #[test]
    fn every_place_of_every_scenario_has_a_field() {
        let schema = schema();
        for (id, _, text) in lessons::scenarios() {
            let json: Value = serde_json::from_str(text).expect(id);
            for section in
                ["nodes", "links", "workloads", "faults", "monitors", "knobs", "metrics", "variants", "claims"]
            {
                for (key, value) in fields(&json, section) {
                    let field =
                        schema.field(&json, &way(&[section, key])).unwrap_or_else(|| panic!("{id} {section}.{key}"));
                    let mut found = Vec::new();
                    places(&field, &mut found);
                    assert_shown(value, &mut field.way.clone(), &found);
                }
            }
        }
    }

    /// The ways of all fields at and inside one, and the words of shapes.
    fn places(field: &Field, found: &mut Vec<String>) {
        found.push(field.way.join("."));
        if let Input::Shape { value, .. } = &field.input {
            found.push(format!("{} is {value}", field.way.join(".")));
        }
        if let Input::Json(_) = &field.input {
            found.push(format!("{} is whole", field.way.join(".")));
        }
        if let Input::Group(group) | Input::Shape { fields: group, .. } = &field.input {
            group.fields.iter().for_each(|field| places(field, found));
        }
    }

    /// Every number, text and so on inside a value must have a field, or be the word of a shape.
    fn assert_shown(value: &Value, way: &mut Way, found: &[String]) {
        if found.contains(&format!("{} is whole", way.join("."))) {
            return;
        }
        let inside: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
            _ => {
                let (_, above) = way.split_last().expect("it is inside something");
                let word = format!("{} is {}", above.join("."), value.as_str().unwrap_or_default());
                return assert!(found.contains(&way.join(".")) || found.contains(&word), "{way:?} is not shown");
            }
        };
        for (key, value) in inside {
            way.push(key);
            assert_shown(value, way, found);
            way.pop();
        }
    }

    #[test]
    fn what_is_added_begins_as_the_format_has_it() {
        let schema = schema();
        let mut json = shop();
        let field = schema.field(&json, &way(&["nodes", "api"])).expect("there is one");
        let Input::Shape { fields, .. } = &field.input else { panic!("{field:?}") };
        for (name, _, begun) in &fields.absent {
            json["nodes"]["api"][name] = begun.clone();
        }
        // All that is wrong then is a matter of sense, not of form.
        let found = Document::from_json(json).check();
        let of_form = |what: &str| ["is missing", "is not ", "unknown"].iter().any(|word| what.contains(word));
        assert!(found.iter().all(|problem| !of_form(&problem.what)), "{found:#?}");
    }
}
