//! What is wrong with a document, where, and how to mend it.

use super::path::Path;
use super::path::is_within;
use serde::{Deserialize, Serialize};

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Dotted path through the document's keys, such as `nodes.db.readers`.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub hint: String,
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { path: path.into(), what: what.into(), hint: hint.into() }
    }

    /// Whether it is about this place or one inside it.
    #[inline]
    pub(super) fn is_within(&self, path: &str) -> bool {
        is_within(&self.path, path)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = if self.path.is_empty() { "(document)" } else { &self.path };
        write!(f, "{path}: {}. {}", self.what, self.hint)
    }
}

/// Reports a number that is not in `[min, max]`; not-a-number is never in.
#[inline]
pub(super) fn within(problems: &mut Vec<Problem>, path: &Path, value: f64, min: f64, max: f64) -> bool {
    let fits = (min..=max).contains(&value);
    if !fits {
        let what = if value < 0.0 && min >= 0.0 { "is negative" } else { "is out of range" };
        problems.push(Problem::new(
            path.to_string(),
            format!("{value} {what}"),
            format!("Use a number from {min} to {max}."),
        ));
    }
    fits
}

/// Reports a number that is not in `(0, max]`.
#[inline]
pub(super) fn above_zero(problems: &mut Vec<Problem>, path: &Path, value: f64, max: f64) -> bool {
    let fits = value > 0.0 && value <= max;
    if !fits {
        let what = if value < 0.0 { "is negative" } else { "is out of range" };
        problems.push(Problem::new(
            path.to_string(),
            format!("{value} {what}"),
            format!("Use a number above 0, at most {max}."),
        ));
    }
    fits
}
