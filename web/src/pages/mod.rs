//! The pages: they ask the session, compute views, and hand both to components.

pub mod bench;
pub mod lesson;
pub mod views;
