//! How the value of a parameter is written, and who keeps it.
//!
//! Numbers are read by serde_json, which is there anyway: the standard library's reader of floats would add 10 kB to the page.

use crate::engine::{Input, LoggedInput};
use crate::ids::{IncidentId, RequestId};
use crate::scenario::read_value;
use crate::time::Time;
use serde_json::Value;

/// The longest instant, in seconds, and the largest whole number, which a script can hold.
const LATEST_S: f64 = 1e6;
const WHOLE_BELOW: u64 = 1 << 53;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text but none.
    Text,
    /// A whole number from 0, below 2^53.
    Whole,
    /// Seconds, with decimals.
    Seconds,
    /// PATH=VALUE, the value as JSON.
    Change,
    /// SECONDS,STEP,INCIDENT: an incident that was resolved at an instant, just after an event.
    Resolution,
    /// 32 hexadecimal digits.
    Digest,
    /// 1, or nothing: the name alone will do.
    Switch,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The words that people are offered: those that begin with `x-` are for tests.
#[inline]
pub fn offered(words: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    words.iter().copied().filter(|word| !word.starts_with("x-"))
}

impl Form {
    /// How to write a value that is understood.
    #[inline]
    pub fn hint(self) -> String {
        match self {
            Form::Text => "Write some text.".into(),
            Form::Whole => "Write a whole number from 0, below 2^53.".into(),
            Form::Seconds => "Write seconds from 0 on, such as 23.4.".into(),
            Form::Change => "Write PATH=VALUE with a JSON value, such as nodes.db.readers=4.".into(),
            Form::Resolution => "Write SECONDS,STEP,INCIDENT, such as 50,410233,1.".into(),
            Form::Digest => "Write the 32 hexadecimal digits of a run's digest.".into(),
            Form::Switch => "Write 1 or nothing, or leave it out.".into(),
            Form::Word(words) => format!("Write {}.", offered(words).collect::<Vec<_>>().join(" or ")),
        }
    }

    /// What stands for a value in documentation.
    pub fn sample(self) -> String {
        match self {
            Form::Text => "TEXT".into(),
            Form::Whole => "N".into(),
            Form::Seconds => "SECONDS".into(),
            Form::Change => "PATH=VALUE".into(),
            Form::Resolution => "SECONDS,STEP,INCIDENT".into(),
            Form::Digest => "DIGEST".into(),
            Form::Switch => "1".into(),
            Form::Word(words) => words.join("`, `"),
        }
    }
}

/// A value of a parameter.
pub trait Written: Sized {
    /// How it is written.
    const FORM: Form;

    /// Reads it; None if it is something else.
    fn read(text: &str) -> Option<Self>;

    /// Writes it so that it is read again.
    fn write(&self) -> String;
}

/// The place of a parameter's value, or values.
pub trait Field {
    /// Puts a value there; false, and nothing is changed, if it is not understood.
    fn put(&mut self, text: &str) -> bool;

    /// The values that are there.
    fn written(&self) -> Vec<String>;
}

/// What is known of a place without looking into it.
pub trait Formed: Field {
    /// How a value is written.
    const FORM: Form;
    /// Whether it holds any number of values.
    const MANY: bool = false;
}

impl<T: Written> Field for Option<T> {
    #[inline]
    fn put(&mut self, text: &str) -> bool {
        T::read(text).map(|value| *self = Some(value)).is_some()
    }

    #[inline]
    fn written(&self) -> Vec<String> {
        self.iter().map(T::write).collect()
    }
}

impl<T: Written> Formed for Option<T> {
    const FORM: Form = T::FORM;
}

impl<T: Written> Field for Vec<T> {
    #[inline]
    fn put(&mut self, text: &str) -> bool {
        T::read(text).map(|value| self.push(value)).is_some()
    }

    #[inline]
    fn written(&self) -> Vec<String> {
        self.iter().map(T::write).collect()
    }
}

impl<T: Written> Formed for Vec<T> {
    const FORM: Form = T::FORM;
    const MANY: bool = true;
}

impl Field for bool {
    #[inline]
    fn put(&mut self, text: &str) -> bool {
        let known = matches!(text, "0" | "1" | "");
        *self = if known { text != "0" } else { *self };
        known
    }

    #[inline]
    fn written(&self) -> Vec<String> {
        self.then(|| "1".to_string()).into_iter().collect()
    }
}

impl Formed for bool {
    const FORM: Form = Form::Switch;
}

impl Written for String {
    const FORM: Form = Form::Text;

    #[inline]
    fn read(text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_string())
    }

    #[inline]
    fn write(&self) -> String {
        self.clone()
    }
}

impl Written for u64 {
    const FORM: Form = Form::Whole;

    #[inline]
    fn read(text: &str) -> Option<u64> {
        text.parse().ok().filter(|number| *number < WHOLE_BELOW)
    }

    #[inline]
    fn write(&self) -> String {
        self.to_string()
    }
}

impl Written for RequestId {
    const FORM: Form = Form::Whole;

    #[inline]
    fn read(text: &str) -> Option<RequestId> {
        text.parse().ok().map(RequestId)
    }

    #[inline]
    fn write(&self) -> String {
        self.0.to_string()
    }
}

impl Written for Time {
    const FORM: Form = Form::Seconds;

    #[inline]
    fn read(text: &str) -> Option<Time> {
        let seconds: Option<f64> = serde_json::from_slice(text.as_bytes()).ok();
        seconds.filter(|seconds| (0.0..=LATEST_S).contains(seconds)).map(Time::from_seconds)
    }

    #[inline]
    fn write(&self) -> String {
        self.as_seconds().to_string()
    }
}

impl Written for (String, Value) {
    const FORM: Form = Form::Change;

    #[inline]
    fn read(text: &str) -> Option<(String, Value)> {
        let (path, value) = text.split_once('=')?;
        let value = read_value(value).ok()?;
        (!path.is_empty()).then(|| (path.to_string(), value))
    }

    #[inline]
    fn write(&self) -> String {
        format!("{}={}", self.0, self.1)
    }
}

/// An incident that somebody resolved in a run: when, after how many steps, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Resolution {
    pub at: Time,
    pub step: u64,
    pub incident: IncidentId,
}

impl Resolution {
    /// The input of a run that is such a resolution; None if it is something else.
    #[inline]
    pub fn of(logged: &LoggedInput) -> Option<Resolution> {
        match logged.input {
            Input::Resolve { incident } => Some(Resolution { at: logged.at, step: logged.step, incident }),
            _ => None,
        }
    }

    /// As the input of a run.
    #[inline]
    pub fn input(&self) -> LoggedInput {
        LoggedInput { at: self.at, step: self.step, input: Input::Resolve { incident: self.incident } }
    }
}

impl Written for Resolution {
    const FORM: Form = Form::Resolution;

    #[inline]
    fn read(text: &str) -> Option<Resolution> {
        let mut parts = text.split(',');
        let (at, step, incident) = (parts.next()?, parts.next()?, parts.next()?);
        let (at, step) = (Time::read(at)?, u64::read(step)?);
        let incident = incident.parse().ok().map(IncidentId)?;
        parts.next().is_none().then_some(Resolution { at, step, incident })
    }

    #[inline]
    fn write(&self) -> String {
        format!("{},{},{}", self.at.write(), self.step, self.incident.0)
    }
}

/// The digest of a run, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(pub String);

impl Written for Digest {
    const FORM: Form = Form::Digest;

    #[inline]
    fn read(text: &str) -> Option<Digest> {
        let fits = text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Digest(text.to_string()))
    }

    #[inline]
    fn write(&self) -> String {
        self.0.clone()
    }
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $variant:ident $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$about])* $variant),* }

        impl $name {
            /// The words, in order.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The word for it.
            #[inline]
            pub fn word(self) -> &'static str {
                $name::WORDS[self as usize]
            }

            /// What a word stands for.
            #[inline]
            pub fn of_word(word: &str) -> Option<$name> {
                [$($name::$variant),*].into_iter().find(|value| value.word() == word)
            }
        }

        impl Written for $name {
            const FORM: Form = Form::Word($name::WORDS);

            #[inline]
            fn read(text: &str) -> Option<$name> {
                $name::of_word(text)
            }

            #[inline]
            fn write(&self) -> String {
                self.word().to_string()
            }
        }
    };
}

words! {
    /// What stands beside the stage.
    Tab {
        /// Charts.
        Charts "charts",
        /// Requests, and why one of them ended as it did.
        Requests "requests",
        /// The log.
        Log "log",
        /// The health of the parts, and incidents.
        Health "health",
        /// Questions about the whole scenario, answered by many runs.
        WhatIf "whatif",
    }
}

words! {
    /// The look.
    Theme {
        /// Dark on light.
        Light "light",
        /// Light on dark.
        Dark "dark",
    }
}

words! {
    /// Whether things move by themselves.
    Motion {
        /// As the system has it (`prefers-reduced-motion`).
        Auto "auto",
        /// Nothing moves: play goes in jumps.
        Reduce "reduce",
        /// Everything moves, whatever the system says.
        Full "full",
    }
}

words! {
    /// A language that the page speaks: English, and what tests make of it.
    Language {
        /// English.
        English "en",
        /// For tests: every text twice.
        Doubled "x-doubled",
        /// For tests: every text with a very long word after it.
        Long "x-long",
        /// For tests: from right to left.
        Mirrored "x-mirrored",
        /// For tests: every text with markup after it.
        Markup "x-markup",
    }
}
