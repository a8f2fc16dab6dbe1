//! What a lesson answers and tells.

use super::{MARK, VERSION};
use crate::scenario::Problem;
use serde::Serialize;
use serde_json::Value;

/// What the page shows, and how far the learner has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct State {
    /// The lesson.
    pub lesson: String,
    /// Variant of its scenario.
    pub variant: String,
    /// Seed of the run.
    pub seed: u64,
    /// Digest of the run that `link` leads to; null while it is being computed.
    pub digest: Option<String>,
    /// Where the cursor stands, in seconds.
    pub t: f64,
    /// After how many events.
    pub step: u64,
    /// How many events the run has.
    pub steps: u64,
    /// How long the run is, in seconds.
    pub duration_s: f64,
    /// Whether time passes.
    pub playing: bool,
    /// Whether another run is being computed.
    pub computing: bool,
    /// From 0 to 1: half for the right prediction, half for the challenge's goal.
    pub score: f64,
    /// Whether the lesson is done: predicted, and the goal reached.
    pub finished: bool,
    /// The query of a link that leads back here, with the learner's progress: `set_state` takes it.
    pub link: String,
}

/// What a lesson tells by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// Its first run is there and commands are heard.
    Ready {
        /// Title of the lesson.
        title: String,
        /// What it shows.
        state: State,
    },
    /// Something changed; at most four times a second.
    State {
        /// What it shows now.
        state: State,
    },
    /// The cursor passed something of interest while playing.
    Event {
        /// When, in seconds.
        t: f64,
        /// After how many events.
        step: u64,
        /// What happened.
        text: String,
    },
    /// The lesson is done, for the first time.
    Finished {
        /// As in the state.
        score: f64,
    },
    /// The program broke, did not start, or does not understand its address.
    Error {
        /// Each with its path, what is wrong and how to mend it.
        problems: Vec<String>,
    },
    /// The content has this height now.
    Resize {
        /// In CSS pixels.
        height: f64,
    },
}

/// What answers a command.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answer {
    /// The id of the command.
    pub id: Value,
    /// Whether it was done.
    pub ok: bool,
    /// What was wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub problems: Vec<String>,
    /// What the page shows after it; a new run may still be under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

impl Answer {
    /// That it was done, or why not.
    #[inline]
    pub fn new(id: Value, done: Result<State, Vec<Problem>>) -> Answer {
        match done {
            Ok(state) => Answer { id, ok: true, problems: Vec::new(), state: Some(state) },
            Err(problems) => {
                Answer { id, ok: false, problems: problems.iter().map(Problem::to_string).collect(), state: None }
            }
        }
    }

    /// As a message.
    #[inline]
    pub fn message(&self) -> Value {
        marked(serde_json::to_value(self))
    }
}

impl News {
    /// As a message.
    #[inline]
    pub fn message(&self) -> Value {
        marked(serde_json::to_value(self))
    }
}

#[inline]
fn marked(message: serde_json::Result<Value>) -> Value {
    let mut message = message.expect("it holds nothing that JSON has no words for");
    message[MARK] = VERSION.into();
    message
}

/// The JSON Schema of any message: what commands, answers and news are made of, and what makes them messages.
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    use serde_json::json;
    let mut schema = schemars::schema_for!(Message);
    let mark = json!({ "description": "Version of these words.", "const": VERSION });
    let id = json!({ "description": "Its answer carries it.", "type": ["string", "number"] });
    let marks: [(&str, &[(&str, &Value)]); 3] =
        [("Command", &[(MARK, &mark), ("id", &id)]), ("Answer", &[(MARK, &mark)]), ("News", &[(MARK, &mark)])];
    for (kind, fields) in marks {
        let described = &mut schema.ensure_object()["$defs"][kind];
        let alternatives = match described.get("oneOf").is_some() {
            true => described["oneOf"].as_array_mut().expect("they are listed").iter_mut().collect(),
            false => vec![described],
        };
        for alternative in alternatives {
            for (name, field) in fields {
                alternative["properties"][name] = (*field).clone();
                alternative["required"].as_array_mut().expect("each needs something").push((*name).into());
            }
        }
    }
    schema
}

/// Any message.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code)]
enum Message {
    /// From the page around to the lesson.
    Command(super::Command),
    /// From the lesson, in answer to a command.
    Answer(Answer),
    /// From the lesson, by itself.
    News(News),
}
