//! What earlier versions of the link's format wrote otherwise. A link of any version is first brought to the present one, so
//! that only this file knows of earlier ones.

use crate::scenario::{Problem, read_value};
use serde_json::Value;

/// The version that is written, and the latest that is read.
pub const VERSION: u64 = 2;

/// What to do with names and values.
type Migration = fn(&mut Vec<(String, String)>);

/// From each version to the next, beginning with 1.
const MIGRATIONS: [Migration; VERSION as usize - 1] = [from_1];

/// Takes the version out and brings the rest from it to the present one. A version that is not known is a problem, and the
/// rest is read as if it were the present one.
#[inline]
pub(super) fn to_present(pairs: &mut Vec<(String, String)>, problems: &mut Vec<Problem>) {
    let version = pairs.iter().position(|(name, _)| name == "v").map(|place| pairs.remove(place).1);
    let version = match version.map(|text| (text.parse(), text)) {
        None => 1,
        Some((Ok(known @ 1..=VERSION), _)) => known,
        Some((Ok(newer), _)) if newer > VERSION => {
            let hint = "Open the link in a newer one, or see whether it does as it is.";
            let what = format!("the link has version {newer}, and this program knows 1 to {VERSION}");
            problems.push(Problem::new("v", what, hint));
            VERSION
        }
        Some((_, text)) => {
            let hint = format!("Write a whole number from 1 to {VERSION}.");
            problems.push(Problem::new("v", format!("`{text}` is not understood"), hint));
            VERSION
        }
    };
    for migration in &MIGRATIONS[version as usize - 1..] {
        migration(pairs);
    }
}

/// Version 1 took a changed value that is no JSON for text, and allowed a unit after seconds.
#[inline]
fn from_1(pairs: &mut Vec<(String, String)>) {
    for (name, value) in pairs {
        match (name.as_str(), value.split_once('=')) {
            ("set", Some((path, text))) if read_value(text).is_err() => {
                *value = format!("{path}={}", Value::from(text))
            }
            ("t", _) => value.truncate(value.trim_end_matches('s').len()),
            _ => {}
        }
    }
}
