//! Floor 2: what happened, as an append-only sequence of records.

mod digest;
mod record;

pub use digest::Digest;
pub use record::{AttemptEnd, CacheFallback, CacheResult, Outcome, Record, Refusal, Status, What};
