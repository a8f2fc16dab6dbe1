//! The store: real rows with versions, transactions, locks, snapshots.
//!
//! A state machine without clock or IO, like everything in the core: a statement goes in, what it did or who refused it
//! comes out, and nothing here waits. How long a statement takes is the engine's business; [`Done`] and [`Commit`] give
//! it what that depends on (rows scanned, pages written, syncs). Waiting is the caller's too: by polling for SQLite
//! ([`BusyTimeout`]), until it is woken for a server ([`Store::next_woken`]).
//!
//! So a lost update, a stale read or a write skew is wrong data in these rows, not a counter that somebody raised;
//! [`History`] and [`Invariant`] find them without knowing the rest of this folder.

mod busy;
mod conflicts;
mod history;
mod invariant;
mod op;
mod replica;
mod rows;
mod server;
mod sqlite;
mod table_locks;
mod wal;

#[cfg(test)]
mod tests;

pub use busy::{BusyTimeout, Line};
pub use history::{Anomaly, Event, Finding, History, Seen};
pub use invariant::{Breach, Invariant};
pub use op::{
    Change, Changes, Checkpoint, CheckpointMode, Column, Commit, Done, Filter, Keys, Mode, Op, Refusal, RowId,
};
pub use replica::{Replica, ReplicaConfig};
pub use rows::{COLUMNS, Fields, ROWS_PER_PAGE, Row, Stamp, Tables};
pub use server::Server;
pub use sqlite::{Journal, Sqlite, SqliteConfig, Synchronous};
pub use table_locks::TableLock;
pub use wal::Wal;

use crate::ids::{SessionId, TableId, TransactionId};

/// Bytes of a frame of the write-ahead log: a page of 4096 and its header.
const FRAME_BYTES: u64 = 4_096 + 24;

/// A store and its sessions: SQLite's locks or those of a server.
#[derive(Clone, Debug)]
pub enum Store {
    /// One file, one writer at a time.
    Sqlite(Sqlite),
    /// Locks of rows and tables, many writers.
    Server(Server),
}

/// The same method of whichever store it is.
macro_rules! either {
    ($store:expr, $method:ident($($argument:expr),*)) => {
        match $store {
            Store::Sqlite(store) => store.$method($($argument),*),
            Store::Server(store) => store.$method($($argument),*),
        }
    };
}

impl Store {
    /// A new session, idle.
    pub fn open(&mut self) -> SessionId {
        either!(self, open())
    }

    /// The session's connection is gone, and with it whatever it held and had not committed. The number may be used on.
    pub fn close(&mut self, session: SessionId) {
        either!(self, close(session))
    }

    /// BEGIN.
    pub fn begin(&mut self, session: SessionId, mode: Mode) -> Result<(), Refusal> {
        either!(self, begin(session, mode))
    }

    /// A statement; outside BEGIN ... COMMIT it is a transaction of its own.
    pub fn op(&mut self, session: SessionId, op: &Op) -> Result<Done, Refusal> {
        either!(self, op(session, op))
    }

    /// LOCK TABLE, inside BEGIN ... COMMIT. SQLite knows no such thing.
    pub fn lock_table(&mut self, session: SessionId, table: TableId, mode: TableLock) -> Result<(), Refusal> {
        match self {
            Store::Sqlite(_) => Err(Refusal::Misuse),
            Store::Server(store) => store.lock_table(session, table, mode),
        }
    }

    /// What COMMIT needs before it writes: with a rollback journal of SQLite, that nobody else reads. Whoever holds it keeps others
    /// out for as long as the commit takes.
    pub fn prepare_commit(&mut self, session: SessionId) -> Result<(), Refusal> {
        match self {
            Store::Sqlite(store) => store.prepare_commit(session),
            Store::Server(_) => Ok(()),
        }
    }

    /// COMMIT. Refused as busy, the transaction stays as it is; refused for another reason, it is over.
    pub fn commit(&mut self, session: SessionId) -> Result<Commit, Refusal> {
        either!(self, commit(session))
    }

    /// ROLLBACK.
    pub fn rollback(&mut self, session: SessionId) -> Result<(), Refusal> {
        either!(self, rollback(session))
    }

    /// The session stops repeating what was refused, or stops waiting. On a server its transaction fails with it.
    pub fn give_up(&mut self, session: SessionId) {
        either!(self, give_up(session))
    }

    /// Who holds what this session waits for; with SQLite, who would refuse it a write or a commit now.
    pub fn blocked_by(&self, session: SessionId) -> Option<SessionId> {
        either!(self, blocked_by(session))
    }

    /// The next session that has got what it stood in line for: its caller repeats the statement. To be asked after every
    /// other call until there is none. With SQLite nobody stands in line.
    pub fn next_woken(&mut self) -> Option<SessionId> {
        match self {
            Store::Sqlite(_) => None,
            Store::Server(store) => store.next_woken(),
        }
    }

    /// Looks whether a waiting session waits in a circle, and if so rolls it back. With SQLite nobody does.
    pub fn break_deadlock(&mut self, session: SessionId) -> Result<(), Refusal> {
        match self {
            Store::Sqlite(_) => Ok(()),
            Store::Server(store) => store.break_deadlock(session),
        }
    }

    /// The session's transaction, once it has begun to read or write.
    pub fn transaction(&self, session: SessionId) -> Option<TransactionId> {
        either!(self, transaction(session))
    }

    /// Whether the session is between BEGIN and COMMIT.
    pub fn in_transaction(&self, session: SessionId) -> bool {
        either!(self, in_transaction(session))
    }

    /// The same store with these tables, and with nobody at work in it.
    pub fn restarted(&self, tables: Tables) -> Store {
        match self {
            Store::Sqlite(store) => Store::Sqlite(Sqlite::new(store.config(), tables)),
            Store::Server(store) => Store::Server(store.restarted(tables)),
        }
    }

    /// Bytes of SQLite's write-ahead log beside the database file; 0 without one.
    pub fn wal_bytes(&self) -> u64 {
        match self {
            Store::Sqlite(store) => u64::from(store.wal().file_frames()) * FRAME_BYTES,
            Store::Server(_) => 0,
        }
    }

    /// The rows that are committed.
    pub fn committed(&self) -> &Tables {
        either!(self, committed())
    }

    /// How often a transaction has committed changes.
    pub fn commits(&self) -> u64 {
        either!(self, commits())
    }
}
