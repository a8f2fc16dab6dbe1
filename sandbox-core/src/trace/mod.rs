//! Floor 2: what happened, as an append-only sequence of records.

mod digest;
mod names;
mod record;

pub use digest::Digest;
pub use names::names;
pub use record::{AttemptEnd, CacheFallback, CacheResult, Closing, Outcome, Record, Refusal, Status, What};
