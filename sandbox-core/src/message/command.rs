//! What the page around a lesson may ask of it.

use super::{MARK, VERSION};
use crate::scenario::{Problem, read_value, spec};
use serde_json::Value;

/// The longest message that is read, in bytes: no command needs as much.
const LONGEST: usize = 1 << 16;
/// The longest id of a command, in bytes.
const LONGEST_ID: usize = 200;

spec! {
    /// A command.
    pub enum Command tagged "do" {
        /// Lets time pass.
        Play {},
        /// Stops it.
        Pause {},
        /// Goes to an event by its number, or to an instant.
        Seek {
            /// Just after this event.
            step?: Option<u64>,
            /// To this instant, in seconds.
            t?: Option<f64>,
        },
        /// Goes one event on.
        Step {
            /// Back instead.
            back?: bool,
        },
        /// Changes the scenario; the run is computed anew.
        Set {
            /// A dotted path into the scenario.
            path: String,
            /// What stands there from now on.
            value: Value,
        },
        /// Asks for the state.
        GetState {},
        /// Goes where a state came from: the same run, the same place, the same progress.
        SetState {
            /// The `link` of a state.
            link: String,
        },
        /// Changes the look.
        SetTheme {
            /// `light`, `dark`, or `auto` for the system's.
            theme: String,
        },
        /// Changes whether things move by themselves.
        SetMotion {
            /// `auto` for as the system has it, `reduce` or `full`.
            motion: String,
        },
        /// Changes the language.
        SetLanguage {
            /// A language that the page speaks.
            language: String,
        },
    }
}

/// A message that was meant for us.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// What the answer is to carry: text or a number; null if it has none.
    pub id: Value,
    /// What is to be done, or everything that is wrong with the message.
    pub command: Result<Command, Vec<Problem>>,
}

/// Understands a message, as JSON; None if it is none of ours, as most are that a window gets.
#[inline]
pub fn hear(text: &str) -> Option<Heard> {
    if text.len() > LONGEST {
        let is_ours = text.get(..LONGEST).is_some_and(|start| start.contains(MARK));
        let what = format!("is longer than {LONGEST} bytes");
        let problem = || vec![Problem::new("(message)", what, "Send one command in a message.")];
        return is_ours.then(|| Heard { id: Value::Null, command: Err(problem()) });
    }
    let Ok(Value::Object(mut fields)) = read_value(text) else { return None };
    let version = fields.remove(MARK)?;
    let (id, mut problems) = (fields.remove("id").unwrap_or_default(), Vec::new());
    if version != VERSION {
        let what = format!("is {}, and this page speaks {VERSION}", short(&version));
        problems.push(Problem::new(MARK, what, format!("Write {VERSION}.")));
    }
    let id = match id {
        Value::String(text) if text.len() <= LONGEST_ID => Value::String(text),
        id @ Value::Number(_) => id,
        other => {
            let what = format!("is {}, neither a number nor text of at most {LONGEST_ID} bytes", short(&other));
            problems.push(Problem::new("id", what, "Give each command an id of its own: its answer carries it."));
            Value::Null
        }
    };
    let command = crate::scenario::read::read::<Command>(&Value::Object(fields), "", &mut problems);
    Some(Heard { id, command: command.filter(|_| problems.is_empty()).ok_or(problems) })
}

/// A value as it can be quoted in a sentence.
#[inline]
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Value, Vec<String>) {
        let heard = hear(text).expect("it is ours");
        (heard.id, heard.command.unwrap_err().iter().map(Problem::to_string).collect())
    }

    #[test]
    fn commands_are_understood() {
        for (text, command) in [
            (r#"{"do":"play"}"#, Command::Play {}),
            (r#"{"do":"seek","t":23.4}"#, Command::Seek { step: None, t: Some(23.4) }),
            (r#"{"do":"step","back":true}"#, Command::Step { back: true }),
            (r#"{"do":"set","path":"seed","value":3}"#, Command::Set { path: "seed".into(), value: 3.into() }),
            (r#"{"do":"set_theme","theme":"dark"}"#, Command::SetTheme { theme: "dark".into() }),
            (r#"{"do":"set_motion","motion":"full"}"#, Command::SetMotion { motion: "full".into() }),
        ] {
            let text = text.replace('{', r#"{"faultline":1,"id":7,"#);
            assert_eq!(hear(&text), Some(Heard { id: 7.into(), command: Ok(command) }), "{text}");
        }
    }

    #[test]
    fn what_others_say_to_each_other_is_none_of_ours() {
        for text in ["", "null", "[1]", "\"faultline\"", r#"{"do":"play"}"#, r#"{"subject":"lti.frameResize"}"#, "{"] {
            assert_eq!(hear(text), None, "{text}");
        }
        assert_eq!(hear(&"x".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let (id, problems) = refused(r#"{"faultline":2,"id":{},"do":"seek","t":"x","sped":1}"#);
        assert_eq!(id, Value::Null);
        let starts = ["faultline: is 2", "id: is {}", "sped: is not a field", "t: is \"x\""];
        assert!(problems.iter().zip(starts).all(|(problem, start)| problem.starts_with(start)), "{problems:?}");
        let (id, problems) = refused(r#"{"faultline":1,"id":"a","do":"sek"}"#);
        assert_eq!(id, "a");
        assert_eq!(problems, [r#"do: is "sek", which is not known here. Did you mean `seek`?"#]);
        let long = format!(r#"{{"faultline":1,"id":"a","do":"set","path":"x","value":"{}"}}"#, "y".repeat(LONGEST));
        assert!(refused(&long).1[0].contains("longer"));
    }
}
