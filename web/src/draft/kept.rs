//! What the browser keeps of the playground: the latest draft, and versions that somebody gave a name.
//!
//! ```text
//! {"format_version": 1, "draft": "{..}", "versions": [["before the cache", "{..}"]]}
//! ```

use crate::text::playground as text;
use sandbox_core::scenario::read_value;
use serde_json::{Value, json};

/// At most so many versions are kept; the oldest gives way.
const MOST: usize = 40;

/// The texts that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The text as it was left, sound or not.
    pub draft: Option<String>,
    /// Name and text of each version, the latest first.
    pub versions: Vec<(String, String)>,
}

impl Kept {
    /// Reads what [`Kept::to_json`] wrote; what cannot be read is not there. The second says whether something was lost.
    pub fn parse(text: &str) -> (Kept, bool) {
        let json = read_value(text).unwrap_or_default();
        let whole = json["format_version"] == 1;
        let pair = |pair: &Value| Some((pair[0].as_str()?.to_string(), pair[1].as_str()?.to_string()));
        let versions = json["versions"].as_array().into_iter().flatten().filter_map(pair).collect();
        (Kept { draft: json["draft"].as_str().map(str::to_string), versions }, !whole)
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        json!({ "format_version": 1, "draft": self.draft, "versions": self.versions }).to_string()
    }

    /// Keeps a version, in the place of one of the same name. An empty name is made up.
    pub fn keep(&mut self, name: &str, text: &str) -> String {
        let mut numbers = 1..;
        let mut free =
            || numbers.find_map(|number| Some(text::version(number)).filter(|name| self.text(name).is_none()));
        let name = Some(name.trim().to_string()).filter(|name| !name.is_empty()).or_else(&mut free).unwrap_or_default();
        self.forget(&name);
        self.versions.insert(0, (name.clone(), text.to_string()));
        self.versions.truncate(MOST);
        name
    }

    /// The text of a version.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.versions.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// Whether some version has this text.
    pub fn has(&self, text: &str) -> bool {
        self.versions.iter().any(|(_, known)| known == text)
    }

    /// Forgets a version.
    pub fn forget(&mut self, name: &str) {
        self.versions.retain(|(known, _)| known != name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_names_of_their_own_and_what_is_kept_is_read_again() {
        let mut kept = Kept { draft: Some("{".into()), ..Kept::default() };
        assert_eq!(kept.keep(" ", "1"), "Version 1");
        assert_eq!(kept.keep("", "2"), "Version 2");
        assert_eq!(kept.keep(" before the cache ", "3"), "before the cache");
        kept.keep("Version 1", "4");
        let names: Vec<&str> = kept.versions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Version 1", "before the cache", "Version 2"]);
        assert_eq!(kept.text("Version 1"), Some("4"));
        assert_eq!(Kept::parse(&kept.to_json()), (kept.clone(), false));
        kept.forget("Version 1");
        assert_eq!(kept.text("Version 1"), None);
        (0..100).for_each(|number| drop(kept.keep(&number.to_string(), "x")));
        assert_eq!(kept.versions.len(), MOST);
    }

    #[test]
    fn what_is_broken_is_said_and_what_can_be_read_of_it_is() {
        for broken in ["", "{", "[]", "{\"format_version\": 2}"] {
            assert_eq!(Kept::parse(broken), (Kept::default(), true), "{broken}");
        }
        let (kept, lost) = Kept::parse(r#"{"format_version": 1, "draft": 3, "versions": [["a", "b"], 7]}"#);
        assert_eq!((kept.draft, kept.versions, lost), (None, vec![("a".into(), "b".into())], false));
    }
}
