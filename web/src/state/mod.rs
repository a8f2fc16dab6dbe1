//! What the page knows and how it changes.

pub mod run;
pub mod store;
pub mod ticker;
