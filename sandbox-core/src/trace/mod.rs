//! Floor 2: what happened, as an append-only sequence of records.

mod digest;
mod layout;
mod names;
mod outcome;
mod record;

pub use digest::Digest;
pub use names::names;
pub use outcome::{AttemptEnd, CacheFallback, CacheResult, Closing, Outcome, Refusal, Status};
pub use record::{Record, What};
