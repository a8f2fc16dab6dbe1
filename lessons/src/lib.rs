//! The course, embedded: what lies in `lessons/` as tables. The data is read and judged by `sandbox-core`.

/// The parts of a lesson's text: heading and HTML.
pub type Prose = &'static [(&'static str, &'static str)];

include!(concat!(env!("OUT_DIR"), "/course.rs"));

/// The JSON of the scenario with this id.
pub fn scenario(id: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(known, _, _)| *known == id).map(|(_, _, json)| *json)
}

/// The JSON and the prose of the lesson with this id.
pub fn lesson(id: &str) -> Option<(&'static str, Prose)> {
    LESSONS.iter().find(|(known, _, _, _)| *known == id).map(|(_, _, json, prose)| (*json, *prose))
}
