//! Tables of rows: what a store holds, and what a statement does to it.
//!
//! A row is a fixed number of integers under an integer key, with a version. Tables are copied on write, so a snapshot is
//! a clone: it shares what has not been written since, and an old version of a row lives exactly as long as a snapshot
//! that can see it. Left out: other types, secondary indexes (a caller that models one charges for the rows found, not
//! for those scanned), the splitting of pages.

use super::op::{Change, Changes, Done, Filter, Keys, Op, RowId};
use crate::ids::{TableId, TransactionId};
use crate::shared_map::SharedMap;
use std::sync::Arc;

/// Columns of a row; unused ones are 0.
pub const COLUMNS: usize = 4;

/// Rows of one page: some 60 bytes each on SQLite's default page of 4096 bytes.
pub const ROWS_PER_PAGE: u64 = 64;

/// What a row holds.
pub type Fields = [i64; COLUMNS];

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its columns.
    pub fields: Fields,
    /// 1 when it is inserted, 1 more at each update: what an ETag or a version column shows.
    pub version: u64,
    /// Who wrote this version, and when.
    pub stamp: Stamp,
}

/// Who wrote a version of a row, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The transaction that wrote it.
    pub writer: TransactionId,
    /// That transaction's place in the order of commits, from 1; 0 for the rows a store was filled with. Only its own
    /// writer sees a row before the commit; on a server, where others may commit first, it then reads [`Stamp::PENDING`].
    pub commit: u64,
}

impl Stamp {
    /// Not committed yet.
    pub const PENDING: u64 = u64::MAX;
    /// Of the rows a store was filled with.
    pub const FILLED: Stamp = Stamp { writer: TransactionId(0), commit: 0 };
}

/// A page of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    table: TableId,
    number: u64,
}

impl Page {
    /// The page on which a row lies.
    pub fn of(row: RowId) -> Page {
        Page { table: row.table, number: row.key / ROWS_PER_PAGE }
    }
}

/// All tables of a store.
#[derive(Clone, Debug)]
pub struct Tables(Arc<Vec<SharedMap<u64, Row>>>);

impl Tables {
    /// So many empty tables.
    pub fn new(tables: u8) -> Tables {
        Tables(Arc::new(vec![SharedMap::new(); usize::from(tables)]))
    }

    /// Puts a row of version 1 in before the first transaction.
    pub fn fill(&mut self, row: RowId, fields: Fields) {
        self.put(row, Row { fields, version: 1, stamp: Stamp::FILLED });
    }

    /// The row, if it is there.
    pub fn get(&self, row: RowId) -> Option<&Row> {
        self.table(row.table).get(row.key)
    }

    /// The rows of a table in the order of their keys.
    pub fn rows(&self, table: TableId) -> impl Iterator<Item = (u64, &Row)> {
        self.table(table).iter()
    }

    /// The number of rows in a table.
    pub fn len(&self, table: TableId) -> u64 {
        self.table(table).len() as u64
    }

    /// Puts a row in the place of what was there.
    pub(super) fn put(&mut self, row: RowId, value: Row) {
        self.table_mut(row.table).insert(row.key, value);
    }

    /// Takes a row out, if it is there.
    pub(super) fn remove(&mut self, row: RowId) {
        self.table_mut(row.table).remove(row.key);
    }

    fn table(&self, table: TableId) -> &SharedMap<u64, Row> {
        &self.0[table.index()]
    }

    fn table_mut(&mut self, table: TableId) -> &mut SharedMap<u64, Row> {
        &mut Arc::make_mut(&mut self.0)[table.index()]
    }

    /// Performs a statement that changes nothing.
    pub fn read(&self, op: &Op) -> Done {
        match *op {
            Op::Read { row } | Op::ReadForUpdate { row } => match self.get(row) {
                Some(found) => {
                    Done { rows: 1, rows_scanned: 1, key: Some(row.key), row: Some(*found), ..Done::default() }
                }
                None => Done::default(),
            },
            Op::Scan { keys, filter, sum } => self.scan(keys, filter, sum),
            Op::Insert { .. } | Op::Update { .. } | Op::Delete { .. } => unreachable!("{op:?} writes"),
        }
    }

    fn scan(&self, keys: Keys, filter: Filter, sum: Option<u8>) -> Done {
        let mut done = Done::default();
        if filter == Filter::Any && sum.is_none() {
            let table = self.table(keys.table);
            done.rows = table.count(keys.from, keys.to) as u64;
            done.rows_scanned = done.rows;
            let first = table.first_from(keys.from).filter(|(key, _)| *key < keys.to);
            (done.key, done.row) = (first.map(|(key, _)| key), first.map(|(_, row)| *row));
            return done;
        }
        for (key, row) in self.with(keys) {
            done.rows_scanned += 1;
            if filter.admits(row) {
                note(&mut done, key, row);
                done.sum = done.sum.saturating_add(sum.map_or(0, |column| row.fields[usize::from(column)]));
            }
        }
        done
    }

    /// The rows that a statement is about to change or to lock, as these tables show them.
    pub(super) fn aim(&self, op: &Op) -> Aim {
        let mut aim = Aim::default();
        let (keys, filter) = match *op {
            Op::Read { .. } | Op::Scan { .. } => return aim,
            Op::Insert { row, .. } => return Aim { rows: vec![row], scanned: 1 },
            Op::ReadForUpdate { row } => (Keys::one(row), Filter::Any),
            Op::Update { keys, filter, .. } | Op::Delete { keys, filter } => (keys, filter),
        };
        for (key, row) in self.with(keys) {
            aim.scanned += 1;
            if filter.admits(row) {
                aim.rows.push(RowId { table: keys.table, key });
            }
        }
        aim
    }

    /// Changes the rows that a statement aimed at, if they are still meant by it, and tells `touched` which.
    pub(super) fn write(&mut self, op: &Op, aim: &Aim, stamp: Stamp, mut touched: impl FnMut(RowId)) -> Done {
        let mut done = Done { rows_scanned: aim.scanned, ..Done::default() };
        for row in &aim.rows {
            let shown = match (*op, self.get(*row).copied()) {
                (Op::Insert { fields, .. }, None) => {
                    let new = Row { fields, version: 1, stamp };
                    self.put(*row, new);
                    new
                }
                (Op::Update { filter, changes, .. }, Some(old)) if filter.admits(&old) => {
                    let new = Row { fields: changed(old.fields, changes), version: old.version + 1, stamp };
                    self.put(*row, new);
                    new
                }
                (Op::Delete { filter, .. }, Some(old)) if filter.admits(&old) => {
                    self.remove(*row);
                    old
                }
                _ => continue,
            };
            note(&mut done, row.key, &shown);
            touched(*row);
        }
        done
    }

    /// The rows that have one of these keys.
    fn with(&self, keys: Keys) -> impl Iterator<Item = (u64, &Row)> {
        self.table(keys.table).iter_from(keys.from).take_while(move |(key, _)| *key < keys.to)
    }
}

/// What a statement is about to change or to lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Aim {
    /// The rows, in the order of their keys.
    pub rows: Vec<RowId>,
    /// How many rows were looked at to find them.
    pub scanned: u64,
}

fn changed(mut fields: Fields, changes: Changes) -> Fields {
    for (field, change) in fields.iter_mut().zip(changes) {
        match change {
            Change::Keep => {}
            Change::Set(number) => *field = number,
            Change::Add(number) => *field = field.saturating_add(number),
        }
    }
    fields
}

/// Counts a row in; the first one is shown.
fn note(done: &mut Done, key: u64, row: &Row) {
    if done.rows == 0 {
        (done.key, done.row) = (Some(key), Some(*row));
    }
    done.rows += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: TableId = TableId(0);

    fn row(key: u64) -> RowId {
        RowId { table: TABLE, key }
    }

    fn filled(numbers: &[i64]) -> Tables {
        let mut tables = Tables::new(1);
        (0..).zip(numbers).for_each(|(key, number)| tables.fill(row(key), [*number, 0, 0, 0]));
        tables
    }

    fn write(tables: &mut Tables, op: Op, number: u64) -> Done {
        let aim = tables.aim(&op);
        tables.write(&op, &aim, stamp(number), |_| {})
    }

    fn stamp(number: u64) -> Stamp {
        Stamp { writer: TransactionId(number), commit: number }
    }

    #[test]
    fn a_scan_counts_adds_up_and_shows_the_first() {
        let tables = filled(&[5, 1, 7, 2]);
        let keys = Keys { table: TABLE, from: 1, to: 4 };
        let done = tables.read(&Op::Scan { keys, filter: Filter::AtLeast(0, 2), sum: Some(0) });
        assert_eq!((done.rows, done.rows_scanned, done.sum, done.key), (2, 3, 9, Some(2)));
        let all = tables.read(&Op::Scan { keys: Keys::all(TABLE), filter: Filter::Any, sum: None });
        assert_eq!((all.rows, all.rows_scanned, all.key, all.row), (4, 4, Some(0), tables.get(row(0)).copied()));
    }

    #[test]
    fn an_update_raises_the_version_and_a_snapshot_does_not_see_it() {
        let mut tables = filled(&[10]);
        let snapshot = tables.clone();
        let done = write(&mut tables, Op::add(row(0), 0, -3), 1);
        assert_eq!(done.row, Some(Row { fields: [7, 0, 0, 0], version: 2, stamp: stamp(1) }));
        assert_eq!(snapshot.get(row(0)).unwrap().fields[0], 10);
        assert_eq!(write(&mut tables, Op::compare_and_set(row(0), 1, 0, 0), 2).rows, 0);
        assert_eq!(write(&mut tables, Op::compare_and_set(row(0), 2, 0, 0), 2).rows, 1);
    }

    #[test]
    fn rows_come_and_go() {
        let mut tables = filled(&[1, 2, 3]);
        let mut touched = Vec::new();
        let below = Op::Delete { keys: Keys::all(TABLE), filter: Filter::Below(0, 3) };
        let aim = tables.aim(&below);
        let done = tables.write(&below, &aim, stamp(1), |row| touched.push(row.key));
        assert_eq!((done.rows, done.rows_scanned, touched), (2, 3, vec![0, 1]));
        let insert = |key| Op::Insert { row: row(key), fields: [9, 0, 0, 0] };
        assert_eq!(write(&mut tables, insert(2), 2).rows, 0);
        assert_eq!(write(&mut tables, insert(70), 2).rows, 1);
        assert_eq!(tables.rows(TABLE).map(|(key, row)| (key, row.fields[0])).collect::<Vec<_>>(), [(2, 3), (70, 9)]);
        assert_eq!((tables.len(TABLE), Page::of(row(64)) == Page::of(row(70))), (2, true));
    }
}
