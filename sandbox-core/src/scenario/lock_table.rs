//! Locks of whole tables, and how long a server's statements wait for locks: as written, and checked.

use super::compiler::Compiler;
use super::path::Path;
use super::planner::Planner;
use super::program::StatementPlan;
use super::spec_macro::spec;
use super::steps::any_step;
use super::{BeginSpec, DatabaseEngineSpec, NodeSpec, StepSpec, limits};
use crate::store::TableLock;
use crate::time::Span;

spec! {
    /// A mode of a table's lock, from the weakest to the strongest (PostgreSQL's manual, table 13.2, says which conflict).
    pub enum TableLockSpec {
        /// `SELECT`; only `access_exclusive` keeps it out.
        AccessShare,
        /// `SELECT ... FOR UPDATE`.
        RowShare,
        /// `INSERT`, `UPDATE`, `DELETE`.
        RowExclusive,
        /// `VACUUM`, `CREATE INDEX CONCURRENTLY`.
        ShareUpdateExclusive,
        /// `CREATE INDEX`: reads pass, writes wait.
        Share,
        /// `CREATE TRIGGER`, a new foreign key.
        ShareRowExclusive,
        /// `REFRESH MATERIALIZED VIEW CONCURRENTLY`: only reads pass.
        Exclusive,
        /// `ALTER TABLE`, `DROP TABLE`, `TRUNCATE`: nobody passes.
        AccessExclusive,
    }
}

spec! {
    /// Locks a whole table of a server until the transaction ends, as `LOCK TABLE` does; outside of one it fails. An
    /// `ALTER TABLE` is a transaction that locks the table with `access_exclusive` and then takes its time. Every other
    /// statement takes a weak lock of its own: `access_share` a read, `row_share` one `for_update`, `row_exclusive` a write.
    /// The line is fair: who conflicts with somebody in line waits behind him.
    pub struct LockTableSpec {
        /// The database, a server.
        pub database: String,
        /// The table.
        pub table: String,
        /// How: PostgreSQL's modes.
        pub mode: TableLockSpec,
    }
}

impl From<TableLockSpec> for TableLock {
    fn from(mode: TableLockSpec) -> TableLock {
        match mode {
            TableLockSpec::AccessShare => TableLock::AccessShare,
            TableLockSpec::RowShare => TableLock::RowShare,
            TableLockSpec::RowExclusive => TableLock::RowExclusive,
            TableLockSpec::ShareUpdateExclusive => TableLock::ShareUpdateExclusive,
            TableLockSpec::Share => TableLock::Share,
            TableLockSpec::ShareRowExclusive => TableLock::ShareRowExclusive,
            TableLockSpec::Exclusive => TableLock::Exclusive,
            TableLockSpec::AccessExclusive => TableLock::AccessExclusive,
        }
    }
}

impl Planner<'_> {
    /// How long statements wait for a lock; None: as long as it takes.
    #[inline]
    pub(super) fn lock_timeout(&mut self, path: &Path, engine: DatabaseEngineSpec, ms: Option<f64>) -> Option<Span> {
        let (ms, path) = (ms?, path.at("lock_timeout_ms"));
        self.within(&path, ms, 0.001, limits::LENGTH_MS);
        if engine != DatabaseEngineSpec::Server {
            self.problem(&path, "SQLite has no such timeout", "Set the database's `busy_timeout_ms`.");
        }
        Some(Span::from_ms(ms.clamp(0.001, limits::LENGTH_MS)))
    }

    /// Whether a step of any service locks a table of this database by name: else no two of its table locks can conflict.
    #[inline]
    pub(super) fn locks_tables(&self, database: &str) -> bool {
        let services = self.spec.nodes.values().filter_map(|node| match node {
            NodeSpec::Service(service) => Some(service),
            _ => None,
        });
        let locks = |step: &StepSpec| matches!(step, StepSpec::LockTable(lock) if lock.database == database);
        services.flat_map(|service| service.routes.values()).any(|steps| any_step(steps, &locks))
    }
}

impl Compiler<'_, '_> {
    #[inline]
    pub(super) fn lock_table(&mut self, path: &Path, lock: &LockTableSpec) {
        if self.database(&lock.database).is_some_and(|spec| spec.engine != DatabaseEngineSpec::Server) {
            self.problem(path, "SQLite locks no tables", "Set the database's `engine` to `server`.");
        }
        if let Some((table, _)) = self.table(path, &lock.database, &lock.table) {
            self.statement(&lock.database, StatementPlan::LockTable(table, lock.mode.into()));
        }
    }

    /// How long the statements of a transaction wait for a lock, if not as the database says.
    #[inline]
    pub(super) fn lock_timeout(&mut self, path: &Path, begin: &BeginSpec) -> Option<Span> {
        let engine = self.database(&begin.database)?.engine;
        self.planner.lock_timeout(path, engine, begin.lock_timeout_ms)
    }
}
