//! What the address asks for. There is no router: a lesson is a parameter, so that a page works in any folder and frame.
//!
//! Numbers are read by serde_json, which is there anyway: the standard library's reader of floats would add 10 kB of tables.

use sandbox_core::scenario::{Problem, read_value};
use sandbox_core::time::Time;
use serde_json::Value;

/// The lesson that an address is about which names none but asks for something of a lesson.
pub const FIRST_LESSON: &str = "the-database-goes-away";

/// What the address asks for. What cannot be read leaves the default, and is named in `unread`.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Whether nothing of a lesson is asked for: the page with all lessons.
    pub home: bool,
    /// `lesson`: its id.
    pub lesson: String,
    /// `embed=1`: without head, tabs and story.
    pub embed: bool,
    /// `seed`: another seed than the scenario's.
    pub seed: Option<u64>,
    /// `variant`: another variant than the lesson's.
    pub variant: Option<String>,
    /// `t`: where to look first, in seconds.
    pub at: Time,
    /// `step`: where to look first, by the number of the event.
    pub step: Option<u64>,
    /// `set=PATH=VALUE`, any number of times: changes of the document.
    pub set: Vec<(String, Value)>,
    /// `recording=ADDRESS`: a recorded run to open in the place of the lesson's, such as `/api/recording`.
    pub recording: Option<String>,
    /// `bench=1`: measure in the page.
    pub bench: bool,
    /// `document`: what `bench` measures instead of the lesson's scenario, as JSON.
    pub document: Option<String>,
    /// `panic=1`: the first step panics, so that tests see what a learner would see.
    pub panic: bool,
    /// What was not understood, by parameter.
    pub unread: Vec<Problem>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            home: false,
            lesson: FIRST_LESSON.into(),
            embed: false,
            seed: None,
            variant: None,
            at: Time::ZERO,
            step: None,
            set: Vec::new(),
            recording: None,
            bench: false,
            document: None,
            panic: false,
            unread: Vec::new(),
        }
    }
}

impl Options {
    /// Reads the parameters, in order.
    pub fn parse<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Options {
        let mut options = Options { home: true, ..Options::default() };
        for (name, value) in parameters {
            options.home &= !OF_A_LESSON.contains(&name);
            let (read, hint) = match name {
                "lesson" => (put(&mut options.lesson, Some(value.into())), ""),
                "variant" => (put(&mut options.variant, Some(Some(value.into()))), ""),
                "recording" => (put(&mut options.recording, Some(Some(value.into()))), ""),
                "document" => (put(&mut options.document, Some(Some(value.into()))), ""),
                "seed" => (put(&mut options.seed, seed(value).map(Some)), "Write a whole number from 0, below 2^53."),
                "t" => (put(&mut options.at, instant(value)), "Write seconds from 0 on, such as t=23.4."),
                "step" => (put(&mut options.step, value.parse().ok().map(Some)), "Write the number of an event."),
                "set" => (change(value).map(|change| options.set.push(change)).is_some(), "Write set=PATH=VALUE."),
                "embed" => (put(&mut options.embed, switch(value)), SWITCH),
                "bench" => (put(&mut options.bench, switch(value)), SWITCH),
                "panic" => (put(&mut options.panic, switch(value)), SWITCH),
                // The script in `index.html` reads it before anything is drawn.
                "theme" => (matches!(value, "light" | "dark"), "Write light or dark."),
                _ => (false, "The page knows lesson, variant, seed, set, t, step, recording, embed and theme."),
            };
            if !read {
                options.unread.push(Problem::new(name, format!("`{value}` is not understood"), hint));
            }
        }
        options
    }

    /// The parameters that ask for this, but for those of tests.
    pub fn query(&self) -> String {
        let mut pairs = vec![("lesson", self.lesson.clone())];
        pairs.extend(self.variant.clone().map(|variant| ("variant", variant)));
        pairs.extend(self.seed.map(|seed| ("seed", seed.to_string())));
        pairs.extend(self.set.iter().map(|(path, value)| ("set", format!("{path}={value}"))));
        pairs.extend(self.recording.clone().map(|address| ("recording", address)));
        pairs.extend((self.at > Time::ZERO).then(|| ("t", self.at.as_seconds().to_string())));
        pairs.extend(self.step.map(|step| ("step", step.to_string())));
        pairs.extend(self.embed.then(|| ("embed", "1".to_string())));
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        format!("?{}", pairs.join("&"))
    }

    /// Reads the page's own address.
    pub fn of_page() -> Options {
        let query = web_sys::window().and_then(|window| window.location().search().ok()).unwrap_or_default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        if let Ok(parameters) = web_sys::UrlSearchParams::new_with_str(&query) {
            for pair in js_sys::try_iter(&parameters).ok().flatten().into_iter().flatten().flatten() {
                let pair = js_sys::Array::from(&pair);
                pairs.extend(pair.get(0).as_string().zip(pair.get(1).as_string()));
            }
        }
        Options::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// Parameters that ask for something of a lesson.
const OF_A_LESSON: [&str; 10] =
    ["lesson", "variant", "recording", "document", "seed", "t", "step", "set", "embed", "bench"];

const SWITCH: &str = "Write 1, or leave it out.";

/// Puts a value in its place, if it could be read; whether it could.
fn put<T>(place: &mut T, read: Option<T>) -> bool {
    read.map(|value| *place = value).is_some()
}

fn seed(text: &str) -> Option<u64> {
    text.parse().ok().filter(|seed| *seed < 1 << 53)
}

fn instant(text: &str) -> Option<Time> {
    let seconds: Option<f64> = serde_json::from_slice(text.trim_end_matches('s').as_bytes()).ok();
    seconds.filter(|seconds| *seconds >= 0.0).map(Time::from_seconds)
}

/// A path and its value; what is no JSON is text.
fn change(text: &str) -> Option<(String, Value)> {
    let (path, value) = text.split_once('=')?;
    Some((path.into(), read_value(value).unwrap_or_else(|_| value.into())))
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

/// A value as it stands in an address (RFC 3986): what has a meaning of its own there is written as its bytes.
fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:,@".contains(&byte);
    let write = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let parameters =
            [("embed", "1"), ("seed", "11"), ("t", "23.4"), ("set", "nodes.db.readers=4"), ("theme", "dark")];
        let options = Options::parse(parameters);
        assert_eq!(options.lesson, FIRST_LESSON);
        assert!(options.embed);
        assert_eq!(options.seed, Some(11));
        assert_eq!(options.at, Time::from_seconds(23.4));
        assert_eq!(options.set, [("nodes.db.readers".to_string(), Value::from(4))]);
        assert_eq!(options.unread, []);
    }

    #[test]
    fn an_address_that_asks_for_nothing_of_a_lesson_is_that_of_all_lessons() {
        assert!(Options::parse([]).home);
        assert!(Options::parse([("theme", "dark"), ("utm_source", "mail")]).home);
        for of_a_lesson in [("lesson", "x"), ("recording", "/api/recording"), ("embed", "1"), ("t", "3"), ("seed", "2")]
        {
            assert!(!Options::parse([of_a_lesson]).home, "{of_a_lesson:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named_and_changes_nothing() {
        let nonsense = [
            ("step", "abc"),
            ("t", "x"),
            ("t", "-3"),
            ("seed", "-1"),
            ("seed", "9007199254740992"),
            ("set", "no-path"),
            ("embed", "yes"),
            ("theme", "blue"),
            ("colour", "blue"),
        ];
        let options = Options::parse(nonsense);
        for ((name, value), problem) in nonsense.iter().zip(&options.unread) {
            assert!(problem.path == *name && problem.what.contains(value) && !problem.hint.is_empty(), "{problem}");
        }
        assert_eq!(options.unread.len(), nonsense.len());
        assert_eq!(Options { unread: Vec::new(), ..options }, Options::default());
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let options = Options::parse([
            ("lesson", "the-database-goes-away"),
            ("variant", "A"),
            ("seed", "11"),
            ("set", "nodes.api.routes.GET /items/{id}.1.read.cache=null"),
            ("set", "nodes.db.title=\"50 % & more\""),
            ("step", "1268"),
            ("embed", "1"),
        ]);
        let query = options.query();
        assert_eq!(
            query,
            "?lesson=the-database-goes-away&variant=A&seed=11&set=nodes.api.routes.GET%20/items/%7Bid%7D.1.read.cache%3Dnull\
             &set=nodes.db.title%3D%2250%20%25%20%26%20more%22&step=1268&embed=1"
        );
        let pairs = query[1..].split('&').map(|pair| pair.split_once('=').expect("a name and a value"));
        let pairs: Vec<(&str, String)> = pairs.map(|(name, value)| (name, unescaped(value))).collect();
        assert_eq!(Options::parse(pairs.iter().map(|(name, value)| (*name, value.as_str()))), options);
    }

    /// As a browser reads it.
    fn unescaped(value: &str) -> String {
        let mut parts = value.split('%');
        let mut text = parts.next().unwrap_or_default().to_string();
        for part in parts {
            text.push(char::from(u8::from_str_radix(&part[..2], 16).expect("two digits")));
            text.push_str(&part[2..]);
        }
        text
    }
}
