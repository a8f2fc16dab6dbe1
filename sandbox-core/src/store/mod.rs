//! The store: real rows with versions, transactions, locks, snapshots.
//!
//! A state machine without clock or IO, like everything in the core: a statement goes in, what it did or who refused it
//! comes out, and nothing here waits. How long a statement takes is the engine's business; [`Done`] and [`Commit`] give
//! it what that depends on (rows scanned, pages written, syncs). Waiting is the caller's too: by polling for SQLite
//! ([`BusyTimeout`]).
//!
//! So a lost update, a stale read or a write skew is wrong data in these rows, not a counter that somebody raised.

mod busy;
mod op;
mod rows;
mod sqlite;
mod wal;

pub use busy::{BusyTimeout, Line};
pub use op::{
    Change, Changes, Checkpoint, CheckpointMode, Column, Commit, Done, Filter, Keys, Mode, Op, Refusal, RowId,
};
pub use rows::{COLUMNS, Fields, ROWS_PER_PAGE, Row, Stamp, Tables};
pub use sqlite::{Journal, Sqlite, SqliteConfig, Synchronous};
pub use wal::Wal;
