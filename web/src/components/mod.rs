//! Parts of the page: plain properties in, callbacks out. What they show is computed in `view_model`.

pub mod chart;
pub mod events;
pub mod glossary;
pub mod header;
pub mod health;
pub mod help;
pub mod icon;
pub mod knobs;
pub mod lanes;
pub mod log;
pub mod notice;
pub mod press;
pub mod problems;
pub mod recording;
pub mod screen;
pub mod scrub;
pub mod share;
pub mod story;
pub mod svg;
pub mod topology;
pub mod transport;
pub mod why;
