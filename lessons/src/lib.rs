//! The course, embedded: what lies in `lessons/` as tables. The data is read and judged by `sandbox-core`.

/// A scenario: id, path from the repository's root, JSON.
pub type Scenario = (&'static str, &'static str, &'static str);

/// The parts of a lesson's text: heading and HTML.
pub type Prose = &'static [(&'static str, &'static str)];

/// What the page with all lessons says of one.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: &'static str,
    /// Id of the scenario that it plays on.
    pub scenario: &'static str,
    /// Its place in the curriculum, such as `L2.6`.
    pub number: &'static str,
    /// Its series.
    pub series: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is about, in a sentence.
    pub teaser: &'static str,
    /// How long it takes.
    pub minutes: u32,
}

include!(concat!(env!("OUT_DIR"), "/course.rs"));

/// Every scenario: the lessons', then the catalogue.
pub fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().chain(CATALOGUE)
}

/// The JSON of the scenario or template with this id.
pub fn scenario(id: &str) -> Option<&'static str> {
    scenarios().chain(TEMPLATES).find(|(known, _, _)| *known == id).map(|(_, _, json)| *json)
}

/// What the page would fetch under this name.
pub fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, json)| *json)
}

/// The JSON and the prose of the lesson with this id.
pub fn lesson(id: &str) -> Option<(&'static str, Prose)> {
    LESSONS.iter().find(|(known, _, _, _)| *known == id).map(|(_, _, json, prose)| (*json, *prose))
}
