//! What a session asks of a store, and what it is told.
//!
//! Everything is plain data with names compiled away (a table is a position, so is a column), because the same statement
//! may be performed by the model or sent to a real part.

use super::rows::{Fields, Row};
use crate::ids::{SessionId, TableId};

/// One row of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowId {
    /// The table.
    pub table: TableId,
    /// The primary key.
    pub key: u64,
}

/// The keys `from..to` of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The table.
    pub table: TableId,
    /// The first key.
    pub from: u64,
    /// The key after the last one.
    pub to: u64,
}

impl Keys {
    /// One row only.
    pub const fn one(row: RowId) -> Keys {
        Keys { table: row.table, from: row.key, to: row.key + 1 }
    }

    /// The whole table.
    pub const fn all(table: TableId) -> Keys {
        Keys { table, from: 0, to: u64::MAX }
    }

    /// Whether the row is among them.
    pub fn contains(&self, row: RowId) -> bool {
        self.table == row.table && (self.from..self.to).contains(&row.key)
    }
}

/// A column: position in a row's [`Fields`].
pub type Column = u8;

/// Which of the rows with these keys are meant: the rest of a WHERE clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    Any,
    /// Those still at this version: the compare of a compare-and-set.
    Version(u64),
    /// Those whose column equals the number.
    Equals(Column, i64),
    /// Those whose column is the number or more.
    AtLeast(Column, i64),
    /// Those whose column is less than the number.
    Below(Column, i64),
}

impl Filter {
    /// Whether the row is meant.
    pub fn admits(&self, row: &Row) -> bool {
        match *self {
            Filter::Any => true,
            Filter::Version(version) => row.version == version,
            Filter::Equals(column, number) => row.fields[usize::from(column)] == number,
            Filter::AtLeast(column, number) => row.fields[usize::from(column)] >= number,
            Filter::Below(column, number) => row.fields[usize::from(column)] < number,
        }
    }
}

/// What an update does to one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// Leaves it.
    #[default]
    Keep,
    /// `SET column = number`.
    Set(i64),
    /// `SET column = column + number`; stops at the ends of the range.
    Add(i64),
}

/// What an update does to each column.
pub type Changes = [Change; super::rows::COLUMNS];

/// A statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `SELECT * WHERE key = ?`
    Read {
        /// Which row.
        row: RowId,
    },
    /// `SELECT * WHERE key = ? FOR UPDATE`: on a server it locks the row; SQLite knows no such thing and only reads.
    ReadForUpdate {
        /// Which row.
        row: RowId,
    },
    /// `SELECT count(*), sum(column) WHERE ...`, which also gives the first row that is meant.
    Scan {
        /// Which rows it looks at.
        keys: Keys,
        /// Which of these it counts.
        filter: Filter,
        /// Which column it adds up. With no column and no filter rows are counted without looking at each.
        sum: Option<Column>,
    },
    /// `INSERT ... ON CONFLICT DO NOTHING`: if the key is taken, no row is changed.
    Insert {
        /// The new row.
        row: RowId,
        /// What it holds.
        fields: Fields,
    },
    /// `UPDATE ... WHERE ...`
    Update {
        /// Which rows it looks at.
        keys: Keys,
        /// Which of these it changes.
        filter: Filter,
        /// What it does to them.
        changes: Changes,
    },
    /// `DELETE WHERE ...`
    Delete {
        /// Which rows it looks at.
        keys: Keys,
        /// Which of these it deletes.
        filter: Filter,
    },
}

impl Op {
    /// Sets one column of one row.
    pub fn set(row: RowId, column: Column, number: i64) -> Op {
        Op::update(row, Filter::Any, column, Change::Set(number))
    }

    /// Adds to one column of one row.
    pub fn add(row: RowId, column: Column, number: i64) -> Op {
        Op::update(row, Filter::Any, column, Change::Add(number))
    }

    /// Sets one column of one row if the row is still at `version`.
    pub fn compare_and_set(row: RowId, version: u64, column: Column, number: i64) -> Op {
        Op::update(row, Filter::Version(version), column, Change::Set(number))
    }

    fn update(row: RowId, filter: Filter, column: Column, change: Change) -> Op {
        let mut changes = Changes::default();
        changes[usize::from(column)] = change;
        Op::Update { keys: Keys::one(row), filter, changes }
    }

    /// The rows it looks at.
    pub fn keys(&self) -> Keys {
        match *self {
            Op::Read { row } | Op::ReadForUpdate { row } | Op::Insert { row, .. } => Keys::one(row),
            Op::Scan { keys, .. } | Op::Update { keys, .. } | Op::Delete { keys, .. } => keys,
        }
    }

    /// Whether it may change rows.
    pub fn writes(&self) -> bool {
        matches!(self, Op::Insert { .. } | Op::Update { .. } | Op::Delete { .. })
    }
}

/// What a statement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows that were read or changed. 0 tells a refused compare-and-set, and an insert whose key was taken.
    pub rows: u64,
    /// Rows that were looked at for it.
    pub rows_scanned: u64,
    /// The key of the first of `rows`.
    pub key: Option<u64>,
    /// The first of `rows`, as it is now, or as it was if it was deleted.
    pub row: Option<Row>,
    /// The sum that a scan asked for.
    pub sum: i64,
    /// Pages that became dirty by it: those that its transaction had not written before.
    pub pages_written: u32,
    /// What its commit did, if it was a transaction of its own.
    pub commit: Commit,
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `BEGIN`: SQLite takes no lock before the first statement (deferred); a server reads what is committed at each
    /// statement (read committed).
    #[default]
    Plain,
    /// `BEGIN IMMEDIATE`: SQLite takes the write lock now. On a server as [`Mode::Plain`].
    Immediate,
    /// `BEGIN EXCLUSIVE`: SQLite with a rollback journal keeps readers out too, with a WAL it is as
    /// [`Mode::Immediate`]. On a server as [`Mode::Plain`].
    Exclusive,
    /// A server reads one snapshot, and the first updater of a row wins. SQLite is serializable anyhow: [`Mode::Plain`].
    RepeatableRead,
    /// A server also refuses what no serial order explains. SQLite is serializable anyhow: [`Mode::Plain`].
    Serializable,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its place in the order of commits, from 1; `None` if there was nothing to commit.
    pub number: Option<u64>,
    /// Pages it wrote: frames of the WAL, or pages of the database (each also went to the journal before).
    pub pages: u32,
    /// Times it waited until the disk had everything (fsync).
    pub syncs: u32,
    /// The automatic checkpoint at its end.
    pub checkpoint: Option<Checkpoint>,
}

/// How much a checkpoint tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointMode {
    /// Copies what no reader keeps it from copying; never waits.
    Passive,
    /// Waits for the writer, and until everything is copied.
    Full,
    /// And until no reader uses the log, so that the next writer starts it again.
    Restart,
    /// And cuts the file to nothing.
    Truncate,
}

/// What a checkpoint did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Who kept it from doing all its mode asks for. The session that asked then goes on holding its locks: it repeats
    /// the checkpoint or gives up.
    pub blocked_by: Option<SessionId>,
    /// Frames in the log afterwards.
    pub frames: u32,
    /// How many of these lie in the database too.
    pub backfilled: u32,
    /// Pages it copied into the database.
    pub pages: u32,
    /// Times it waited until the disk had everything (fsync).
    pub syncs: u32,
}

/// Why a statement did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// SQLITE_BUSY: somebody holds a lock that this needs. If `may_wait`, a busy timeout applies: the caller repeats the
    /// statement by its [`crate::store::BusyTimeout`] and in the end gives up. If not, waiting could only end in a deadlock.
    Busy {
        /// Who holds it.
        by: SessionId,
        /// Whether SQLite would wait.
        may_wait: bool,
    },
    /// SQLITE_BUSY_SNAPSHOT: others have committed since the transaction's first read, so it may not write. Only a new
    /// transaction helps.
    BusySnapshot,
    /// SQLITE_LOCKED: a checkpoint inside the session's own transaction.
    Locked,
    /// A server's session stands in line for a row. Once it is woken the caller repeats the statement.
    Waiting {
        /// Who holds the row.
        by: SessionId,
    },
    /// A server's session stands in line for a table. Once it is woken the caller repeats the statement.
    WaitingForTable {
        /// Who holds the table, or stands before it in line.
        by: SessionId,
    },
    /// SQLSTATE 40P01: the session was waiting in a circle and has been rolled back.
    Deadlock,
    /// SQLSTATE 40001: no serial order explains what the transaction has seen and done; it has been rolled back.
    SerializationFailure,
    /// SQLSTATE 25P02: the transaction has failed before; it can only be ended.
    Aborted,
    /// A transaction inside a transaction, or the end of none.
    Misuse,
}
