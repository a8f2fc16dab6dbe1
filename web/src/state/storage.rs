//! What the browser keeps for the page: the learner's progress and the theme. Frames without an origin have no storage, and
//! people may block it; then the page works and says what is not kept.

use crate::draft::kept::Kept;
use crate::state::course::{Course, Done};
use crate::text::{home as text, playground};
use web_sys::Storage;

const PROGRESS: &str = "faultline-progress";
const PLAYGROUND: &str = "faultline-playground";
const THEME: &str = "faultline-theme";

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// What was kept of the learner's progress; and what is the matter, if anything is.
pub fn course() -> (Course, Option<String>) {
    let Some(kept) = storage().map(|storage| storage.get_item(PROGRESS)) else {
        return (Course::default(), Some(text::not_kept().into()));
    };
    let text = match kept {
        Ok(text) => text,
        Err(_) => return (Course::default(), Some(text::not_kept().into())),
    };
    match text.map_or(Ok(Course::default()), |text| Course::parse(&text)) {
        Ok(course) => (course, None),
        Err(problems) => {
            let why = problems.first().map(ToString::to_string).unwrap_or_default();
            (Course::default(), Some(text::unreadable(&why)))
        }
    }
}

/// Keeps all of a learner's progress. Errors: what is the matter.
pub fn keep(course: &Course) -> Result<(), String> {
    let kept = storage().map(|storage| storage.set_item(PROGRESS, &course.to_json()).is_ok());
    if kept == Some(true) { Ok(()) } else { Err(text::not_kept().into()) }
}

/// Adds what was done in a lesson to what is kept. Errors: what is the matter.
pub fn note(lesson: &str, done: Done) -> Result<(), String> {
    let (mut course, trouble) = course();
    match course.note(lesson, done) {
        true => keep(&course),
        false => trouble.map_or(Ok(()), Err),
    }
}

/// What was kept of the playground; and what is the matter, if anything is.
pub fn playground() -> (Kept, Option<String>) {
    match storage().map(|storage| storage.get_item(PLAYGROUND)) {
        Some(Ok(None)) => (Kept::default(), None),
        Some(Ok(Some(text))) => {
            let (kept, lost) = Kept::parse(&text);
            (kept, lost.then(|| playground::unreadable().into()))
        }
        _ => (Kept::default(), Some(playground::keeps_nothing().into())),
    }
}

/// Keeps the playground's draft and versions. Errors: what is the matter.
pub fn keep_playground(kept: &Kept) -> Result<(), String> {
    let done = storage().map(|storage| storage.set_item(PLAYGROUND, &kept.to_json()).is_ok());
    if done == Some(true) { Ok(()) } else { Err(playground::not_kept().into()) }
}

/// Remembers the theme, where anything can be remembered.
pub fn keep_theme(theme: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(THEME, theme);
    }
}
