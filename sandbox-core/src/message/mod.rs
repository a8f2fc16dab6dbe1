//! Floor 5: what a page with a lesson and the page around it say to each other, version 1. Who sends and hears it is the page's
//! affair; here is what the words are, and what is wrong with those that are not.
//!
//! Every message is an object with `faultline: 1`. The page around sends commands, each with an `id`, and each gets exactly one
//! answer with the same `id`. The lesson tells news by itself. All of it can be copied between windows as it is.

mod command;
mod news;

pub use command::{Command, Heard, hear};
#[cfg(feature = "schema")]
pub use news::schema;
pub use news::{Answer, News, State};

/// The version of these words.
pub const VERSION: u64 = 1;

/// The field that makes an object a message of ours, and holds the version.
pub const MARK: &str = "faultline";
