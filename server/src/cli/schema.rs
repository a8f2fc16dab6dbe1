//! `faultline schema`.

use super::{Result, list, print, print_json, run};
use crate::calibrate::Calibration;
use crate::error::ErrorBody;
use crate::load::LoadReport;
use crate::mount::Incident;
use crate::routes::health::HealthReport;
use crate::routes::incidents::WorldReport;
use crate::routes::lab::Item;
use crate::routes::scenario::ScenarioReport;
use crate::validate::ValidationReport;
use sandbox_core::lesson::Lesson;
use sandbox_core::link;
use sandbox_core::message;
use sandbox_core::recording;
use sandbox_core::scenario::{Problem, Spec};
use sandbox_core::sweep::{Shard, SweepReport};
use sandbox_core::timeline;
use schemars::{JsonSchema, Schema, SchemaGenerator};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline schema scenario > scenario.schema.json")]
pub struct Options {
    /// Which document or output; without it the names are listed
    name: Option<String>,
    /// Print the list of names as JSON
    #[arg(long)]
    json: bool,
}

/// Name, what it describes, and its schema.
type Entry = (&'static str, &'static str, fn() -> Schema);

/// All of them.
const SCHEMAS: &[Entry] = &[
    ("scenario", "a scenario document", of::<Spec>),
    ("lesson", "a lesson document", of::<Lesson>),
    ("link", "the parameters of a link of the page", link::schema),
    ("message", "what a page with a lesson and the page around it say to each other", message::schema),
    ("run", "output of `run --json`", of::<run::RunOutput>),
    ("log", "a line of `run --log FILE`", of::<timeline::LogLine>),
    ("trace", "first line of `run --trace FILE`", of::<run::TraceHeader>),
    ("why", "output of `why --json`", of::<super::why::WhyReport>),
    ("sweep", "output of `sweep --json` and `merge --json`", of::<SweepReport>),
    ("shard", "output of `sweep --shard I/N`", of::<Shard>),
    ("check", "output of `check --json`", of::<super::check::CheckReport>),
    ("cases", "a file of ground-truth cases for `verify`", super::verify::cases_schema),
    ("verify", "output of `verify --json`", of::<super::verify::VerifyReport>),
    ("decide", "output of `decide`", super::decide::schema),
    ("load", "output of `load --json`", of::<LoadReport>),
    ("calibrate", "output of `calibrate --json`", of::<Calibration>),
    ("validate", "output of `validate --json`", of::<ValidationReport>),
    ("list", "output of `list --json`", of::<list::Catalogue>),
    ("recording", "first line of `serve --record FILE`", of::<recording::Header>),
    ("recording-end", "last line of `serve --record FILE`", of::<recording::End>),
    ("mounted", "answer of /api/scenario", of::<ScenarioReport>),
    ("health", "answer of /api/health", of::<HealthReport>),
    ("observe", "answer of /api/observe", of::<WorldReport>),
    ("incidents", "answer of /api/incidents", of::<Vec<Incident>>),
    ("item", "answer of /lab/items/{id}", of::<Item>),
    ("error", "body of every HTTP error", of::<ErrorBody>),
];

fn of<T: JsonSchema>() -> Schema {
    SchemaGenerator::default().into_root_schema_for::<T>()
}

/// Prints a schema, or the names of all.
pub fn schema(options: &Options) -> Result {
    let Some(name) = &options.name else {
        let names: Vec<&str> = SCHEMAS.iter().map(|(name, ..)| *name).collect();
        if options.json {
            return print_json(&names);
        }
        let lines: String = SCHEMAS.iter().map(|(name, what, _)| format!("{name:<16}{what}\n")).collect();
        return print(&lines);
    };
    match SCHEMAS.iter().find(|(known, ..)| known == name) {
        Some((_, _, schema)) => print_json(&schema()),
        None => {
            let known: Vec<&str> = SCHEMAS.iter().map(|(name, ..)| *name).collect();
            Err(vec![Problem::new(name, "has no schema", format!("Known: {}.", known.join(", ")))].into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Whether an object has the fields that one alternative of a schema asks for, and no others where those are refused.
    fn fits(alternative: &Value, message: &Value) -> bool {
        let has = |name: &Value| message.get(name.as_str().expect("a name")).is_some();
        let allowed = |(name, value): (&String, &Value)| match alternative["properties"].get(name) {
            Some(field) => field.get("const").is_none_or(|only| only == value),
            None => alternative["additionalProperties"] != false,
        };
        let required = alternative["required"].as_array().expect("some");
        required.iter().all(has) && message.as_object().expect("an object").iter().all(allowed)
    }

    #[test]
    fn the_schema_of_messages_accepts_what_is_said() {
        let schema = serde_json::to_value(message::schema()).expect("a schema is JSON");
        let kind = |kind: &str, message: &Value| {
            let described = &schema["$defs"][kind];
            let all = described["oneOf"].as_array().cloned().unwrap_or_else(|| vec![described.clone()]);
            all.iter().filter(|alternative| fits(alternative, message)).count()
        };
        for command in [
            json!({"faultline": 1, "id": 7, "do": "play"}),
            json!({"faultline": 1, "id": "a", "do": "seek", "t": 23.4}),
            json!({"faultline": 1, "id": 7, "do": "set", "path": "seed", "value": 3}),
        ] {
            assert!(message::hear(&command.to_string()).is_some_and(|heard| heard.command.is_ok()), "{command}");
            assert_eq!(kind("Command", &command), 1, "{command}");
            let mut unmarked = command.clone();
            unmarked.as_object_mut().expect("an object").remove(message::MARK);
            assert_eq!(kind("Command", &unmarked), 0, "{unmarked}");
        }
        let refused = Err(vec![Problem::new("t", "is missing", "Write it.")]);
        for done in [Ok(message::State::default()), refused] {
            let answer = message::Answer::new(7.into(), done).message();
            assert_eq!(kind("Answer", &answer), 1, "{answer}");
        }
        for news in [
            message::News::Ready { title: "T".into(), state: message::State::default() },
            message::News::Resize { height: 3.0 },
            message::News::Error { problems: Vec::new() },
        ] {
            assert_eq!(kind("News", &news.message()), 1, "{news:?}");
        }
    }

    #[test]
    fn the_playground_makes_its_forms_of_this_very_schema() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/scenario.schema.json");
        let present = serde_json::to_string_pretty(&of::<Spec>()).expect("a schema is JSON") + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &present).expect("the file can be written");
        }
        let kept = std::fs::read_to_string(path).expect("the page has a schema");
        assert!(
            kept == present,
            "the format has changed: UPDATE_GOLDEN=1 cargo test -p server playground writes it anew"
        );
    }
}
