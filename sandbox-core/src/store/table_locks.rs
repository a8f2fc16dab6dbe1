//! Locks of whole tables, in PostgreSQL's modes and by its rules.
//!
//! Every statement locks its table, most of them weakly: a SELECT takes ACCESS SHARE, which only ACCESS EXCLUSIVE
//! keeps out, and that is what an ALTER TABLE needs. The line is fair: whoever conflicts with somebody in line stands
//! behind him, even if nobody who holds the table is in his way. So an ALTER TABLE that waits for one long SELECT stops all
//! SELECTs that come after it. The one exception is PostgreSQL's as well (`JoinWaitQueue`): whoever holds the table already
//! goes before those who wait for him. Left out: that PostgreSQL rearranges a line in which a circle would close.

use super::op::Op;
use crate::ids::{SessionId, TableId};
use std::collections::{BTreeMap, VecDeque};

/// A mode of a table's lock, from the weakest to the strongest (PostgreSQL's manual, table 13.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableLock {
    /// ACCESS SHARE: a SELECT.
    AccessShare,
    /// ROW SHARE: a SELECT ... FOR UPDATE.
    RowShare,
    /// ROW EXCLUSIVE: an INSERT, an UPDATE, a DELETE.
    RowExclusive,
    /// SHARE UPDATE EXCLUSIVE: VACUUM, CREATE INDEX CONCURRENTLY.
    ShareUpdateExclusive,
    /// SHARE: CREATE INDEX.
    Share,
    /// SHARE ROW EXCLUSIVE: CREATE TRIGGER, a new foreign key.
    ShareRowExclusive,
    /// EXCLUSIVE: REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// ACCESS EXCLUSIVE: most forms of ALTER TABLE, DROP TABLE, TRUNCATE, VACUUM FULL.
    AccessExclusive,
}

impl TableLock {
    /// What a statement takes.
    pub fn of(op: &Op) -> TableLock {
        match op {
            Op::Read { .. } | Op::Scan { .. } => TableLock::AccessShare,
            Op::ReadForUpdate { .. } => TableLock::RowShare,
            Op::Insert { .. } | Op::Update { .. } | Op::Delete { .. } => TableLock::RowExclusive,
        }
    }

    /// The modes that no other session may hold at the same time, one bit each.
    const fn conflicting(self) -> u8 {
        match self {
            TableLock::AccessShare => 0b1000_0000,
            TableLock::RowShare => 0b1100_0000,
            TableLock::RowExclusive => 0b1111_0000,
            TableLock::ShareUpdateExclusive => 0b1111_1000,
            TableLock::Share => 0b1110_1100,
            TableLock::ShareRowExclusive => 0b1111_1100,
            TableLock::Exclusive => 0b1111_1110,
            TableLock::AccessExclusive => 0b1111_1111,
        }
    }

    /// Whether two sessions cannot hold the two at the same time.
    pub const fn conflicts_with(self, other: TableLock) -> bool {
        self.conflicting() >> other as u8 & 1 == 1
    }
}

/// Who holds which tables, and who waits for them.
#[derive(Clone, Debug, Default)]
pub struct TableLocks {
    tables: BTreeMap<TableId, Locks>,
}

/// A session and the mode that it holds or waits for.
type Claim = (SessionId, TableLock);

/// The locks of one table.
#[derive(Clone, Debug, Default)]
struct Locks {
    /// In the order in which they were granted.
    held: Vec<Claim>,
    line: VecDeque<Claim>,
}

impl Locks {
    /// Who keeps a session at this place of the line from its lock: holders first, then those before it in line.
    fn in_the_way(&self, (session, mode): Claim, place: usize) -> impl Iterator<Item = SessionId> {
        let before = self.held.iter().chain(self.line.iter().take(place));
        let conflicts = move |(other, theirs): &&Claim| *other != session && mode.conflicts_with(*theirs);
        before.filter(conflicts).map(|(other, _)| *other)
    }

    /// Where a session joins the line: before the first one that waits for it.
    fn place_for(&self, session: SessionId) -> usize {
        let is_held_up = |waiting: TableLock| {
            self.held.iter().any(|(holder, held)| *holder == session && held.conflicts_with(waiting))
        };
        self.line.iter().position(|(_, waiting)| is_held_up(*waiting)).unwrap_or(self.line.len())
    }

    /// Gives the lock to those in line whom nobody is in the way of any more.
    fn grant(&mut self, woken: &mut VecDeque<SessionId>) {
        let mut place = 0;
        while let Some(claim) = self.line.get(place).copied() {
            if self.in_the_way(claim, place).next().is_some() {
                place += 1;
                continue;
            }
            self.line.remove(place);
            self.held.push(claim);
            woken.push_back(claim.0);
        }
    }
}

impl TableLocks {
    /// Locks a table, or stands in line for it: then returns who is in the way.
    pub fn lock(&mut self, session: SessionId, table: TableId, mode: TableLock) -> Result<(), SessionId> {
        let locks = self.tables.entry(table).or_default();
        if locks.held.contains(&(session, mode)) {
            return Ok(());
        }
        let waits = locks.line.iter().position(|(waiting, _)| *waiting == session);
        let place = waits.unwrap_or_else(|| locks.place_for(session));
        let in_the_way = locks.in_the_way((session, mode), place).next();
        match (in_the_way, waits) {
            (None, waits) => {
                waits.map(|place| locks.line.remove(place));
                locks.held.push((session, mode));
            }
            (Some(_), None) => locks.line.insert(place, (session, mode)),
            (Some(_), Some(_)) => {}
        }
        in_the_way.map_or(Ok(()), Err)
    }

    /// Whom a session waits for: none if it stands in no line.
    pub fn blockers(&self, session: SessionId) -> Vec<SessionId> {
        let waits = self.tables.values().find_map(|locks| {
            let place = locks.line.iter().position(|(waiting, _)| *waiting == session)?;
            Some(locks.in_the_way(locks.line[place], place).collect())
        });
        waits.unwrap_or_default()
    }

    /// A session lets go of everything and leaves every line; whoever gets a lock by that joins `woken`.
    pub fn release(&mut self, session: SessionId, woken: &mut VecDeque<SessionId>) {
        for locks in self.tables.values_mut() {
            let before = locks.held.len() + locks.line.len();
            locks.held.retain(|(holder, _)| *holder != session);
            locks.line.retain(|(waiting, _)| *waiting != session);
            if locks.held.len() + locks.line.len() < before {
                locks.grant(woken);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TableLock::{AccessExclusive, AccessShare, RowExclusive, Share};

    const TABLE: TableId = TableId(0);
    const A: SessionId = SessionId(0);
    const B: SessionId = SessionId(1);
    const C: SessionId = SessionId(2);
    const D: SessionId = SessionId(3);
    const ALL: [TableLock; 8] = [
        TableLock::AccessShare,
        TableLock::RowShare,
        TableLock::RowExclusive,
        TableLock::ShareUpdateExclusive,
        TableLock::Share,
        TableLock::ShareRowExclusive,
        TableLock::Exclusive,
        TableLock::AccessExclusive,
    ];

    fn released(locks: &mut TableLocks, session: SessionId) -> Vec<SessionId> {
        let mut woken = VecDeque::new();
        locks.release(session, &mut woken);
        woken.into()
    }

    /// The manual's table of conflicts, line by line as it is printed.
    #[test]
    fn the_modes_conflict_as_in_the_manual() {
        let printed = [".......x", "......xx", "....xxxx", "...xxxxx", "..xx.xxx", "..xxxxxx", ".xxxxxxx", "xxxxxxxx"];
        for (one, line) in ALL.iter().zip(printed) {
            let got: String = ALL.iter().map(|other| if one.conflicts_with(*other) { 'x' } else { '.' }).collect();
            assert_eq!(got, line, "{one:?}");
            assert!(ALL.iter().all(|other| one.conflicts_with(*other) == other.conflicts_with(*one)), "{one:?}");
        }
    }

    #[test]
    fn a_reader_waits_behind_an_alter_that_waits_for_a_reader() {
        let mut locks = TableLocks::default();
        assert_eq!(locks.lock(A, TABLE, AccessShare), Ok(()));
        assert_eq!(locks.lock(B, TABLE, AccessExclusive), Err(A));
        assert_eq!(locks.lock(C, TABLE, AccessShare), Err(B), "A is not in its way, but the line is fair");
        assert_eq!(locks.lock(D, TABLE, RowExclusive), Err(B));
        assert_eq!((locks.blockers(B), locks.blockers(C), locks.blockers(A)), (vec![A], vec![B], vec![]));
        assert_eq!(released(&mut locks, A), [B]);
        assert_eq!(locks.lock(B, TABLE, AccessExclusive), Ok(()));
        assert_eq!(released(&mut locks, B), [C, D], "together");
        assert_eq!(locks.lock(C, TABLE, AccessShare), Ok(()));
    }

    #[test]
    fn whoever_gives_up_lets_those_behind_him_go_on() {
        let mut locks = TableLocks::default();
        locks.lock(A, TABLE, AccessShare).unwrap();
        assert_eq!(locks.lock(B, TABLE, AccessExclusive), Err(A));
        assert_eq!(locks.lock(C, TABLE, AccessShare), Err(B));
        assert_eq!(released(&mut locks, B), [C]);
        assert_eq!(locks.lock(D, TABLE, AccessShare), Ok(()));
    }

    #[test]
    fn the_line_lets_nobody_past_who_conflicts_with_one_before_him() {
        let mut locks = TableLocks::default();
        locks.lock(A, TABLE, RowExclusive).unwrap();
        assert_eq!(locks.lock(B, TABLE, Share), Err(A));
        assert_eq!(locks.lock(C, TABLE, AccessShare), Ok(()), "it conflicts with neither");
        assert_eq!(locks.lock(D, TABLE, RowExclusive), Err(B));
        assert_eq!(released(&mut locks, A), [B]);
        assert_eq!(released(&mut locks, B), [D]);
    }

    #[test]
    fn whoever_holds_the_table_goes_before_those_who_wait_for_him() {
        let mut locks = TableLocks::default();
        locks.lock(A, TABLE, AccessShare).unwrap();
        assert_eq!(locks.lock(B, TABLE, AccessExclusive), Err(A));
        assert_eq!(locks.lock(A, TABLE, RowExclusive), Ok(()), "behind B it would wait for itself");
        locks.lock(C, TABLE, AccessShare).unwrap_err();
        assert_eq!(released(&mut locks, A), [B]);
        assert_eq!(released(&mut locks, B), [C]);
    }
}
