//! The parameters for readers: as a table, and as a JSON Schema.

use super::PARAMETERS;
#[cfg(feature = "schema")]
use super::{Form, LONGEST, Parameter};
use std::fmt::Write as _;

/// The parameters as a table in Markdown.
pub fn table() -> String {
    let mut table = String::from("| parameter | what |\n|---|---|\n");
    for parameter in PARAMETERS {
        let value = parameter.form.sample();
        let often = if parameter.many { ", any number of times" } else { "" };
        let _ = writeln!(table, "| `{}={value}` | {}{often} |", parameter.name, parameter.about);
    }
    table
}

/// The JSON Schema of a link's parameters, decoded, as an object: a parameter that may stand there often is a list.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    let one = |parameter: &Parameter| {
        let mut schema = parameter.form.schema();
        schema["description"] = parameter.about.into();
        schema
    };
    let property = |parameter: &Parameter| match parameter.many {
        true => serde_json::json!({ "type": "array", "items": one(parameter) }),
        false => one(parameter),
    };
    let properties: serde_json::Map<_, _> =
        PARAMETERS.iter().map(|parameter| (parameter.name.to_string(), property(parameter))).collect();
    schemars::json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Link",
        "description": format!("The parameters in the query of a link, at most {LONGEST} characters for anything built in."),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

#[cfg(feature = "schema")]
impl Form {
    fn schema(self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Form::Text => json!({ "type": "string", "minLength": 1 }),
            Form::Whole => json!({ "type": "string", "pattern": "^\\+?[0-9]+$" }),
            Form::Seconds => json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?$" }),
            Form::Change => json!({ "type": "string", "pattern": "^[^=]+=." }),
            Form::Resolution => json!({ "type": "string", "pattern": "^[^,]+,[0-9]+,[0-9]+$" }),
            Form::Digest => json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }),
            Form::Switch => json!({ "enum": ["0", "1", ""] }),
            Form::Word(words) => json!({ "enum": words }),
        }
    }
}
