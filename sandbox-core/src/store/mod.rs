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

use crate::ids::{SessionId, TransactionId};

/// A store and its sessions: SQLite's locks or those of a server.
#[derive(Clone, Debug)]
pub enum Store {
    /// One file, one writer at a time.
    Sqlite(Sqlite),
}

impl Store {
    /// A new session, idle.
    pub fn open(&mut self) -> SessionId {
        match self {
            Store::Sqlite(store) => store.open(),
        }
    }

    /// The session's connection is gone, and with it whatever it held and had not committed. The number may be used on.
    pub fn close(&mut self, session: SessionId) {
        match self {
            Store::Sqlite(store) => store.close(session),
        }
    }

    /// BEGIN.
    pub fn begin(&mut self, session: SessionId, mode: Mode) -> Result<(), Refusal> {
        match self {
            Store::Sqlite(store) => store.begin(session, mode),
        }
    }

    /// A statement; outside BEGIN ... COMMIT it is a transaction of its own.
    pub fn op(&mut self, session: SessionId, op: &Op) -> Result<Done, Refusal> {
        match self {
            Store::Sqlite(store) => store.op(session, op),
        }
    }

    /// COMMIT.
    pub fn commit(&mut self, session: SessionId) -> Result<Commit, Refusal> {
        match self {
            Store::Sqlite(store) => store.commit(session),
        }
    }

    /// ROLLBACK.
    pub fn rollback(&mut self, session: SessionId) -> Result<(), Refusal> {
        match self {
            Store::Sqlite(store) => store.rollback(session),
        }
    }

    /// The session stops repeating what was refused.
    pub fn give_up(&mut self, session: SessionId) {
        match self {
            Store::Sqlite(store) => store.give_up(session),
        }
    }

    /// Who holds what this session waits for or would be refused for now.
    pub fn blocked_by(&self, session: SessionId) -> Option<SessionId> {
        match self {
            Store::Sqlite(store) => store.blocked_by(session),
        }
    }

    /// The next session that has got what it stood in line for and should repeat its statement. Ask until there is none
    /// after each commit, rollback, close, give-up. SQLite has no line.
    pub fn next_woken(&mut self) -> Option<SessionId> {
        match self {
            Store::Sqlite(_) => None,
        }
    }

    /// The session's transaction, once it has begun to read or write.
    pub fn transaction(&self, session: SessionId) -> Option<TransactionId> {
        match self {
            Store::Sqlite(store) => store.transaction(session),
        }
    }

    /// Whether the session is between BEGIN and COMMIT.
    pub fn in_transaction(&self, session: SessionId) -> bool {
        match self {
            Store::Sqlite(store) => store.in_transaction(session),
        }
    }

    /// The rows that are committed.
    pub fn committed(&self) -> &Tables {
        match self {
            Store::Sqlite(store) => store.committed(),
        }
    }

    /// How often a transaction has committed changes.
    pub fn commits(&self) -> u64 {
        match self {
            Store::Sqlite(store) => store.commits(),
        }
    }
}
