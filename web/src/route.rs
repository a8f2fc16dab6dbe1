//! What the address asks for. There is no router: a lesson is a parameter, so that a page works in any folder and frame.
//!
//! Numbers are read by serde_json, which is there anyway: the standard library's reader of floats would add 10 kB of tables.

use sandbox_core::time::Time;
use serde_json::Value;

/// The lesson that opens when the address names none.
pub const FIRST_LESSON: &str = "the-database-goes-away";

/// What the address asks for. Values that cannot be read are passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
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
}

impl Options {
    /// Reads the parameters, in order.
    pub fn parse<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Options {
        let mut options = Options {
            lesson: FIRST_LESSON.into(),
            embed: false,
            seed: None,
            variant: None,
            at: Time::ZERO,
            set: Vec::new(),
            recording: None,
            bench: false,
            document: None,
            panic: false,
        };
        for (name, value) in parameters {
            match name {
                "lesson" => options.lesson = value.into(),
                "embed" => options.embed = value == "1",
                "seed" => options.seed = value.parse().ok().filter(|seed| *seed < 1 << 53),
                "variant" => options.variant = Some(value.into()),
                "t" => {
                    options.at = Time::from_seconds(
                        serde_json::from_slice(value.trim_end_matches('s').as_bytes()).unwrap_or(0.0),
                    )
                }
                "set" => {
                    if let Some((path, value)) = value.split_once('=') {
                        let value =
                            serde_json::from_slice(value.as_bytes()).unwrap_or_else(|_| Value::String(value.into()));
                        options.set.push((path.into(), value));
                    }
                }
                "recording" => options.recording = Some(value.into()),
                "bench" => options.bench = value == "1",
                "document" => options.document = Some(value.into()),
                "panic" => options.panic = value == "1",
                _ => {}
            }
        }
        options
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_nonsense_is_passed_over() {
        let options = Options::parse([
            ("embed", "1"),
            ("seed", "11"),
            ("t", "23.4"),
            ("set", "nodes.db.readers=4"),
            ("set", "no-path"),
            ("colour", "blue"),
        ]);
        assert_eq!(options.lesson, FIRST_LESSON);
        assert!(options.embed);
        assert_eq!(options.seed, Some(11));
        assert_eq!(options.at, Time::from_seconds(23.4));
        assert_eq!(options.set, [("nodes.db.readers".to_string(), Value::from(4))]);
        assert_eq!(Options::parse([("seed", "-1"), ("t", "soon")]).at, Time::ZERO);
    }
}
