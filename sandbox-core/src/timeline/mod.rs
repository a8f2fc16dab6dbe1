//! Floor 4: a run as a story: why a request ended as it did, where its time went, what happened to incidents.

mod incidents;
mod lanes;
mod request_log;
mod scene;
mod trace_events;
mod why;
pub mod words;

pub use incidents::{Incident, IncidentSheet, incident_sheet, incidents};
pub use lanes::{Bar, BarKind, Hop, Lane, Lanes, lanes};
pub use request_log::{LogLine, request_log};
pub use scene::{Message, Scene, Visit, scene};
pub use trace_events::trace_events;
pub use why::{Link, Part, PartKind, Why, why};
