//! A database: its engine, tables, replicas, and what an audit of its rows looks for.

use super::dist::{Dist, DistSpec};
use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{Expr, Kind, Map, NodeSpec, SourceSpec, limits};
use crate::ids::{NodeId, TableId};
use crate::store::{
    BusyTimeout, COLUMNS, Fields, Journal, Line, ReplicaConfig, RowId, Server, Sqlite, SqliteConfig, Store, Tables,
};
use crate::time::Span;

spec! {
    /// A database: rows with versions in tables, transactions, locks, a pool of connections. Who stops waiting for a statement
    /// hangs up: the statement is withdrawn and its transaction rolled back.
    pub struct DatabaseSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// Whose rules it follows.
        pub engine?: DatabaseEngineSpec,
        /// Connections; who finds none waits. Absent or null: any number.
        pub connections?: Option<u32>,
        /// How long a statement waits for a lock of SQLite (`PRAGMA busy_timeout`).
        pub busy_timeout_ms: f64 = 5_000.0,
        /// Who comes first when a lock is given back.
        pub busy?: BusySpec,
        /// After so long a wait for a lock a server looks whether those who wait do so in a circle, and rolls one of them back
        /// (PostgreSQL's `deadlock_timeout`).
        pub deadlock_timeout_ms: f64 = 1_000.0,
        /// How long a statement waits for each lock of a server, of a row or of a table, before it fails and its transaction with
        /// it (PostgreSQL's `lock_timeout`); absent: as long as it takes.
        pub lock_timeout_ms?: Option<f64>,
        /// Its tables.
        pub tables: Map<TableSpec>,
        /// Time of a statement that reads.
        pub read: DistSpec,
        /// Time of a statement that writes; outside of a transaction its commit is part of it.
        pub write: DistSpec,
        /// Time of a commit; absent: none.
        pub commit?: Option<DistSpec>,
        /// Further time for each row that a statement looks at, in microseconds.
        pub scan_row_us?: f64,
        /// Processors that its statements share; absent: each has one of its own.
        pub cores?: Option<u32>,
        /// By what share every statement above the number of cores slows all of them down.
        pub contention?: f64,
        /// A commit that leaves so many pages in SQLite's log copies them into the database, as far as no reader needs the
        /// old ones (`PRAGMA wal_autocheckpoint`); 0: never.
        pub auto_checkpoint_pages: u32 = 1_000,
        /// A second copy that follows its commits; absent: none.
        pub replica?: Option<ReplicaSpec>,
    }
}

spec! {
    /// A second copy of a database, on another machine, or on a disk behind one that answers from memory. It takes the
    /// database's place in a `fail_over`.
    #[derive(Copy)]
    pub struct ReplicaSpec {
        /// How long a commit is on its way to it.
        pub delay_ms: f64,
        /// Commits are sent in rounds, one in so many seconds; 0: each at once.
        pub every_s?: f64,
        /// Changed rows that it applies in a second; absent or null: any number.
        pub apply_rps?: Option<f64>,
        /// Whether a commit is answered only when the replica has it, there and back later.
        pub semi_sync?: bool,
    }
}

spec! {
    /// Whose rules a database follows.
    #[derive(Default)]
    pub enum DatabaseEngineSpec {
        /// SQLite with a write-ahead log: one writer, readers beside it.
        #[default]
        SqliteWal,
        /// SQLite with a rollback journal.
        SqliteDelete,
        /// A server with row locks and many writers, as PostgreSQL.
        Server,
    }
}

spec! {
    /// Who comes first when a lock of SQLite is given back.
    #[derive(Default)]
    pub enum BusySpec {
        /// Whoever looks first: sleeps of 1, 2, 5, 10 ... ms, as SQLite does.
        #[default]
        Poll,
        /// Whoever has waited longest: the bound that polling does not reach.
        Fifo,
    }
}

spec! {
    /// A table; keys run from 0.
    pub struct TableSpec {
        /// Rows at the start.
        pub rows?: u32,
        /// Its columns, at most four, with what each row holds at the start.
        pub columns: Map<f64>,
    }
}

/// A database.
#[derive(Clone, Debug)]
pub struct DatabasePlan {
    /// Its rows as they are at the start.
    pub store: Store,
    /// Names of its tables with those of their columns.
    pub tables: Vec<(String, Vec<String>)>,
    /// Connections; None: any number.
    pub connections: Option<u32>,
    /// How a session waits for a lock of SQLite.
    pub busy: BusyTimeout,
    /// After so long a wait for a lock, a server looks whether it is in a circle; None: SQLite, where nobody stands in line.
    pub deadlock_timeout: Option<Span>,
    /// After so long a wait for a lock of a server, a statement fails; None: never.
    pub lock_timeout: Option<Span>,
    /// Time of a statement that reads.
    pub read: Dist,
    /// Time of a statement that writes; outside of a transaction its commit is part of it.
    pub write: Dist,
    /// Time of a commit.
    pub commit: Dist,
    /// Time for each row that is looked at.
    pub scan_row: Span,
    /// Processors that statements share; None: no bound.
    pub cores: Option<u32>,
    /// By what share each statement above the number of cores slows all down.
    pub contention: f64,
    /// How its replica follows, if it has one.
    pub replica: Option<ReplicaConfig>,
}

/// Counts the rows that break a rule, and observes the change.
#[derive(Clone, Debug)]
pub struct AuditPlan {
    /// The database.
    pub node: NodeId,
    /// Position among its tables.
    pub table: u8,
    /// The rule, over the row's key, version and columns.
    pub breach: Expr,
    /// Position among the plan's observed signals.
    pub signal: u16,
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn database(&mut self, path: &Path, id: &str, database: &DatabaseSpec) -> Kind {
        if let Some(connections) = database.connections {
            self.within(&path.at("connections"), f64::from(connections), 1.0, f64::from(limits::PLACES));
        }
        self.within(&path.at("busy_timeout_ms"), database.busy_timeout_ms, 0.0, 3_600_000.0);
        self.within(&path.at("deadlock_timeout_ms"), database.deadlock_timeout_ms, 0.001, 3_600_000.0);
        let lock_timeout = self.lock_timeout(path, database.engine, database.lock_timeout_ms);
        self.within(&path.at("scan_row_us"), database.scan_row_us, 0.0, 1e6);
        if let Some(cores) = database.cores {
            self.within(&path.at("cores"), f64::from(cores), 1.0, f64::from(limits::PLACES));
        }
        self.within(&path.at("contention"), database.contention, 0.0, 1.0);
        if database.contention > 0.0 && database.cores.is_none() {
            self.problem(&path.at("contention"), "needs `cores`", "Say how many there are.");
        }
        let rows: u64 = database.tables.values().map(|table| u64::from(table.rows)).sum();
        let fits = self.within(&path.at("tables"), rows as f64, 0.0, f64::from(limits::ROWS));
        if database.tables.len() > limits::TABLES {
            let what = format!("{} tables are too many", database.tables.len());
            self.problem(&path.at("tables"), what, format!("At most {}.", limits::TABLES));
        }
        let mut tables = Tables::new(database.tables.len().min(limits::TABLES) as u8);
        let mut names = Vec::new();
        let in_tables = path.at("tables");
        for (index, (name, table)) in database.tables.iter().take(limits::TABLES).enumerate() {
            let table_at = in_tables.at(name);
            let at = table_at.at("columns");
            if table.columns.len() > COLUMNS {
                self.problem(
                    &at,
                    format!("{} columns are too many", table.columns.len()),
                    format!("At most {COLUMNS}."),
                );
            }
            let mut fields = Fields::default();
            for (place, value) in fields.iter_mut().zip(table.columns.values()) {
                *place = *value as i64;
            }
            for key in 0..u64::from(table.rows).min(if fits { u64::MAX } else { 0 }) {
                tables.fill(RowId { table: TableId(index as u8), key }, fields);
            }
            names.push((name.clone(), table.columns.keys().cloned().collect()));
        }
        let journal = |journal| {
            let config = SqliteConfig {
                journal,
                auto_checkpoint_frames: database.auto_checkpoint_pages,
                ..SqliteConfig::default()
            };
            Store::Sqlite(Sqlite::new(config, tables.clone()))
        };
        let store = match database.engine {
            DatabaseEngineSpec::SqliteWal => journal(Journal::Wal),
            DatabaseEngineSpec::SqliteDelete => journal(Journal::Rollback),
            DatabaseEngineSpec::Server if self.locks_tables(id) => {
                Store::Server(Server::new(tables).with_table_locks())
            }
            DatabaseEngineSpec::Server => Store::Server(Server::new(tables)),
        };
        let line = match database.busy {
            BusySpec::Poll => Line::Poll,
            BusySpec::Fifo => Line::Fifo,
        };
        Kind::Database(DatabasePlan {
            store,
            tables: names,
            connections: database.connections,
            busy: BusyTimeout { timeout: Span::from_ms(database.busy_timeout_ms), line },
            deadlock_timeout: match database.engine {
                DatabaseEngineSpec::Server => Some(Span::from_ms(database.deadlock_timeout_ms)),
                _ => None,
            },
            lock_timeout,
            read: self.dist(&path.at("read"), &database.read),
            write: self.dist(&path.at("write"), &database.write),
            commit: database.commit.as_ref().map_or(Dist::ZERO, |dist| self.dist(&path.at("commit"), dist)),
            scan_row: Span::from_ms(database.scan_row_us / 1e3),
            cores: database.cores,
            contention: database.contention,
            replica: database.replica.map(|replica| self.replica(&path.at("replica"), &replica)),
        })
    }

    #[inline]
    fn replica(&mut self, path: &Path, replica: &ReplicaSpec) -> ReplicaConfig {
        self.within(&path.at("delay_ms"), replica.delay_ms, 0.0, limits::LENGTH_MS);
        self.within(&path.at("every_s"), replica.every_s, 0.0, limits::DURATION_S);
        if let Some(apply_rps) = replica.apply_rps {
            self.within(&path.at("apply_rps"), apply_rps, 0.001, 1e9);
        }
        if replica.semi_sync && replica.every_s > 0.0 {
            let hint = "Take one of the two out: a commit that waits for the replica is sent at once.";
            self.problem(&path.at("every_s"), "does not go with `semi_sync`", hint);
        }
        ReplicaConfig {
            delay: Span::from_ms(replica.delay_ms),
            every: Span::from_seconds(replica.every_s),
            apply_row: replica.apply_rps.map_or(Span::ZERO, |rate| Span::from_seconds(1.0 / rate)),
            semi_sync: replica.semi_sync,
        }
    }

    /// The rules that rows must keep.
    #[inline]
    pub(super) fn audits(&mut self) -> Vec<AuditPlan> {
        let spec = self.spec;
        let mut audits = Vec::new();
        for (signal, (name, metric)) in spec.metrics.iter().enumerate() {
            let SourceSpec::Invariant(invariant) = &metric.source else { continue };
            let in_metrics = Path::new("metrics");
            let metric_at = in_metrics.at(name);
            let path = metric_at.at("source.invariant");
            self.refuse_unless(&path.at("database"), &invariant.database, "a rule over rows", &["database"]);
            let node = self.instances(&path.at("database"), &invariant.database).first().copied();
            let Some(NodeSpec::Database(database)) = spec.nodes.get(&invariant.database) else { continue };
            let Some(table) = database.tables.iter().position(|(table, _)| *table == invariant.table) else {
                let known: Vec<&str> = database.tables.keys().map(String::as_str).collect();
                let what = format!("there is no table `{}`", invariant.table);
                self.problem(&path.at("table"), what, format!("Tables: {}.", known.join(", ")));
                continue;
            };
            let columns = database.tables.values().nth(table).into_iter().flat_map(|table| table.columns.keys());
            let names: Vec<&str> = ["key", "version"].into_iter().chain(columns.map(String::as_str)).collect();
            let breach = Expr::condition(&invariant.breach, &names);
            let breach = breach.map_err(|why| self.problem(&path.at("breach"), why, "Mend the condition.")).ok();
            if let (Some(node), Some(breach)) = (node, breach) {
                audits.push(AuditPlan { node, table: table as u8, breach, signal: signal as u16 });
            }
        }
        audits
    }
}
