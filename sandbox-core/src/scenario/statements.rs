//! The steps of a program that a database answers.

use super::compiler::Compiler;
use super::path::Path;
use super::program::{Bound, FilterPlan, ReadFrom, StatementPlan, StatementStep, Step};
use super::spec_macro::spec;
use super::{DatabaseEngineSpec, DatabaseSpec, Map, NodeSpec};
use crate::ids::TableId;
use crate::store::{Column, Fields, Filter};

spec! {
    /// A question to a database; `value` is then the answer.
    pub struct InspectSpec {
        /// The database.
        pub database: String,
        /// What is asked.
        pub what: InspectedSpec,
    }
}

spec! {
    /// What can be asked about a database.
    pub enum InspectedSpec {
        /// How many seconds ago the oldest commit was that the replica has not applied.
        ReplicaLagS,
        /// Bytes of SQLite's write-ahead log.
        WalBytes,
        /// For how many seconds the oldest open transaction has been open.
        OldestTransactionS,
        /// Connections in use.
        Connections,
    }
}

spec! {
    /// Where a statement reads.
    #[derive(Default)]
    pub enum ReadFromSpec {
        /// In the database, through a connection.
        #[default]
        Primary,
        /// In its replica, which needs no connection.
        Replica,
        /// In the database, unnoticed and at once: what no real program can, for measuring.
        Peek,
    }
}

spec! {
    /// A condition on a column; one of the three bounds.
    pub struct WhereSpec {
        /// The column.
        pub column: String,
        /// It is this number, given by an expression.
        pub equals?: Option<String>,
        /// It is this number or more.
        pub at_least?: Option<String>,
        /// It is less than this number.
        pub below?: Option<String>,
    }
}

spec! {
    /// How a transaction begins.
    #[derive(Default)]
    pub enum TransactionModeSpec {
        /// `BEGIN`: deferred in SQLite, read committed on a server.
        #[default]
        Plain,
        /// `BEGIN IMMEDIATE`: takes SQLite's write lock at once.
        Immediate,
        /// `BEGIN EXCLUSIVE`.
        Exclusive,
        /// One snapshot, first updater wins (server).
        RepeatableRead,
        /// Whatever no serial order explains is refused (server).
        Serializable,
    }
}

spec! {
    /// The start of a transaction.
    pub struct BeginSpec {
        /// The database.
        pub database: String,
        /// How.
        pub mode?: TransactionModeSpec,
        /// How long its statements wait for each lock (`SET LOCAL lock_timeout`); absent: as the database says.
        pub lock_timeout_ms?: Option<f64>,
    }
}

spec! {
    /// The end of a transaction.
    pub struct EndSpec {
        /// The database.
        pub database: String,
    }
}

spec! {
    /// Reads one row. `value` is then the number in `column`, or 1 or 0 for there or not there; `version` the row's.
    pub struct SelectSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
        /// The column that is asked for.
        pub column?: Option<String>,
        /// `FOR UPDATE`: locks the row on a server.
        pub for_update?: bool,
        /// Where it reads.
        pub source?: ReadFromSpec,
    }
}

spec! {
    /// Looks at the rows of a table. `value` is then the number of those that are meant, or the sum of a column.
    pub struct ScanSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The first key that it looks at, as an expression; absent: the first there is.
        pub from?: Option<String>,
        /// The key that it stops before; absent: it looks at all.
        pub to?: Option<String>,
        /// Which of these rows are meant; absent: all.
        pub filter as "where"?: Option<WhereSpec>,
        /// The column that is added up.
        pub sum?: Option<String>,
        /// Where it reads.
        pub source?: ReadFromSpec,
    }
}

spec! {
    /// Changes one row. `value` is then 1, or 0 if nothing was changed.
    pub struct UpdateSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
        /// Columns that get the value of an expression.
        pub set?: Map<String>,
        /// Columns that the value of an expression is added to.
        pub add?: Map<String>,
        /// Only if the row still has this version: compare-and-set.
        pub if_version?: Option<String>,
        /// Only if this holds for the row when it is changed.
        pub filter as "where"?: Option<WhereSpec>,
    }
}

spec! {
    /// Adds a row. `value` is then 1, or 0 if the key was taken.
    pub struct InsertSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
        /// What its columns hold, as expressions; the others get what the table says.
        pub set?: Map<String>,
    }
}

spec! {
    /// Deletes a row. `value` is then 1, or 0 if there was none.
    pub struct DeleteSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
    }
}

/// What can be asked about a database.
pub type Inspected = InspectedSpec;

impl<'p, 'a> Compiler<'p, 'a> {
    #[inline]
    pub(super) fn statement(&mut self, database: &str, what: StatementPlan) {
        let call = self.call_to(database);
        self.push(Step::Statement(StatementStep { call, what }));
    }

    /// A table of a database: its position, and its columns with what they hold at the start.
    #[inline]
    pub(super) fn table(&mut self, path: &Path, database: &str, table: &str) -> Option<(TableId, Vec<(String, f64)>)> {
        let spec = self.database(database)?;
        let found = spec.tables.iter().position(|(name, _)| name == table);
        let Some(place) = found else {
            let known: Vec<&str> = spec.tables.keys().map(String::as_str).collect();
            let hint = format!("Its tables: {}.", known.join(", "));
            self.problem(&path.at("table"), format!("`{database}` has no table `{table}`"), &hint);
            return None;
        };
        let columns = &spec.tables.get(table).expect("it was found").columns;
        let columns = columns.iter().map(|(name, value)| (name.clone(), *value)).collect();
        Some((TableId(place as u8), columns))
    }

    #[inline]
    fn column(&mut self, path: &Path, columns: &[(String, f64)], name: &str) -> Option<Column> {
        let found = columns.iter().position(|(known, _)| known == name);
        if found.is_none() {
            let known: Vec<&str> = columns.iter().map(|(known, _)| known.as_str()).collect();
            let hint = format!("Columns: {}.", known.join(", "));
            self.problem(path, format!("the table has no column `{name}`"), &hint);
        }
        found.map(|index| index as Column)
    }

    #[inline]
    pub(super) fn select(&mut self, path: &Path, select: &SelectSpec) {
        let table = self.table(path, &select.database, &select.table);
        let key = self.number(&path.at("key"), &select.key);
        let (Some((table, columns)), Some(key)) = (table, key) else { return };
        let column = match &select.column {
            Some(name) => match self.column(&path.at("column"), &columns, name) {
                Some(column) => Some(column),
                None => return,
            },
            None => None,
        };
        let (source, for_update) = (select.source, select.for_update);
        self.reads_from(path, &select.database, source);
        if for_update && source != ReadFrom::Primary {
            self.problem(&path.at("for_update"), "locks nothing there", "Read from the `primary`.");
        }
        self.statement(&select.database, StatementPlan::Select { table, key, column, for_update, source });
    }

    /// Refuses a replica that is not there.
    #[inline]
    fn reads_from(&mut self, path: &Path, database: &str, source: ReadFrom) {
        if source == ReadFrom::Replica && self.database(database).is_some_and(|spec| spec.replica.is_none()) {
            self.problem(&path.at("source"), format!("`{database}` has no replica"), "Give it one, or leave this out.");
        }
    }

    #[inline]
    pub(super) fn database(&self, database: &str) -> Option<&'a DatabaseSpec> {
        match self.planner.spec.nodes.get(database) {
            Some(NodeSpec::Database(spec)) => Some(spec),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn inspect(&mut self, path: &Path, inspect: &InspectSpec) {
        if let Some(spec) = self.database(&inspect.database) {
            let missing = match inspect.what {
                Inspected::ReplicaLagS if spec.replica.is_none() => Some("replica"),
                Inspected::WalBytes if !matches!(spec.engine, DatabaseEngineSpec::SqliteWal) => Some("write-ahead log"),
                _ => None,
            };
            if let Some(missing) = missing {
                let what = format!("`{}` has no {missing}", inspect.database);
                self.problem(&path.at("what"), what, "Ask for something that it has.");
            }
        }
        self.statement(&inspect.database, StatementPlan::Inspect(inspect.what));
    }

    #[inline]
    pub(super) fn filter(&mut self, path: &Path, columns: &[(String, f64)], filter: &WhereSpec) -> Option<FilterPlan> {
        let bounds = [
            ("equals", &filter.equals, Filter::Equals as Bound),
            ("at_least", &filter.at_least, Filter::AtLeast),
            ("below", &filter.below, Filter::Below),
        ];
        let column = self.column(&path.at("column"), columns, &filter.column);
        let mut given = bounds.into_iter().filter_map(|(name, text, bound)| Some((name, text.as_ref()?, bound)));
        let (Some((name, text, bound)), None) = (given.next(), given.next()) else {
            self.problem(path, "needs one bound", "Say `equals`, `at_least` or `below`.");
            return None;
        };
        let number = self.number(&path.at(name), text)?;
        Some(FilterPlan { column: column?, bound, number })
    }

    #[inline]
    pub(super) fn scan(&mut self, path: &Path, scan: &ScanSpec) {
        let Some((table, columns)) = self.table(path, &scan.database, &scan.table) else { return };
        let sum = scan.sum.as_ref().and_then(|name| self.column(&path.at("sum"), &columns, name));
        let from = scan.from.as_ref().and_then(|text| self.number(&path.at("from"), text));
        let to = scan.to.as_ref().and_then(|text| self.number(&path.at("to"), text));
        let filter = scan.filter.as_ref().and_then(|filter| self.filter(&path.at("where"), &columns, filter));
        self.reads_from(path, &scan.database, scan.source);
        let source = scan.source;
        self.statement(&scan.database, StatementPlan::Scan { table, from, to, filter, sum, source });
    }

    #[inline]
    pub(super) fn update(&mut self, path: &Path, update: &UpdateSpec) {
        let table = self.table(path, &update.database, &update.table);
        let key = self.number(&path.at("key"), &update.key);
        let if_version = update.if_version.as_ref().and_then(|text| self.number(&path.at("if_version"), text));
        let (Some((table, columns)), Some(key)) = (table, key) else { return };
        let mut changes = Vec::new();
        for (values, adds, field) in [(&update.set, false, "set"), (&update.add, true, "add")] {
            let in_field = path.at(field);
            for (name, text) in values {
                let at = in_field.at(name);
                let (column, number) = (self.column(&at, &columns, name), self.number(&at, text));
                changes.extend(column.zip(number).map(|(column, number)| (column, adds, number)));
            }
        }
        let filter = update.filter.as_ref().and_then(|filter| self.filter(&path.at("where"), &columns, filter));
        if update.filter.is_some() && update.if_version.is_some() {
            self.problem(&path.at("where"), "does not go with `if_version`", "Keep one of the two.");
        }
        self.statement(&update.database, StatementPlan::Update { table, key, changes, if_version, filter });
    }

    #[inline]
    pub(super) fn insert(&mut self, path: &Path, insert: &InsertSpec) {
        let table = self.table(path, &insert.database, &insert.table);
        let key = self.number(&path.at("key"), &insert.key);
        let (Some((table, columns)), Some(key)) = (table, key) else { return };
        let mut fields = Fields::default();
        for (place, (_, value)) in fields.iter_mut().zip(&columns) {
            *place = *value as i64;
        }
        let mut set = Vec::new();
        let in_set = path.at("set");
        for (name, text) in &insert.set {
            let at = in_set.at(name);
            let (column, number) = (self.column(&at, &columns, name), self.number(&at, text));
            set.extend(column.zip(number));
        }
        self.statement(&insert.database, StatementPlan::Insert { table, key, fields, set });
    }

    #[inline]
    pub(super) fn delete(&mut self, path: &Path, delete: &DeleteSpec) {
        let table = self.table(path, &delete.database, &delete.table);
        let key = self.number(&path.at("key"), &delete.key);
        if let (Some((table, _)), Some(key)) = (table, key) {
            self.statement(&delete.database, StatementPlan::Delete { table, key });
        }
    }
}
