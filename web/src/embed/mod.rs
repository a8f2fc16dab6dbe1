//! The page inside another page: what it hears from the page around it and what it tells.
//!
//! `dialogue` does what a command asks of a session; `telling` knows what is news; `dialects` says it as others expect it
//! (SPLICE, LTI, H5P). All three are pure. `speaker` is the only file that knows the window around this one, and `height`
//! follows the page's.

pub mod dialects;
pub mod dialogue;
mod height;
pub mod speaker;
pub mod telling;
