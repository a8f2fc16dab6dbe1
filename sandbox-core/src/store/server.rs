//! A database server in the manner of PostgreSQL: many writers, row locks, snapshots, three isolation levels.
//!
//! A reader never waits. A writer locks each row it changes until its transaction ends; who comes second stands in line,
//! first come, first served. *Read committed* ([`Mode::Plain`]) looks at the newest committed rows with each statement,
//! and a writer that had to wait judges its row again. *Repeatable read* keeps the snapshot of its first statement and
//! fails if somebody has committed a change to a row since (first updater wins). *Serializable* also refuses write skew
//! and phantoms by watching reads that others overwrite (serializable snapshot isolation, `conflicts.rs`).
//!
//! A session waits in a circle until somebody looks: [`Server::break_deadlock`], at once or after a time out
//! (PostgreSQL's `deadlock_timeout`, 1 s). The one that looks is the victim. Locks of whole tables are kept only where
//! somebody takes them by name (`table_locks.rs`). Left out: shared row locks, savepoints, vacuum and bloat, the log,
//! replicas.

use super::conflicts::Conflicts;
use super::op::{Commit, Done, Mode, Op, Refusal, RowId};
use super::rows::{Aim, Page, Row, Stamp, Tables};
use super::table_locks::{TableLock, TableLocks};
use crate::ids::{SessionId, TableId, TransactionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A database server and its sessions.
#[derive(Clone, Debug)]
pub struct Server {
    committed: Tables,
    commits: u64,
    transactions: u64,
    sessions: Vec<Session>,
    locks: BTreeMap<RowId, RowLock>,
    /// None: nobody takes one by name, so that no two conflict.
    table_locks: Option<TableLocks>,
    /// Sessions that have got the row or the table they stood in line for.
    woken: VecDeque<SessionId>,
    conflicts: Conflicts,
}

#[derive(Clone, Debug)]
struct Session {
    /// Between BEGIN and COMMIT.
    in_transaction: bool,
    mode: Mode,
    /// Set by the first statement.
    transaction: Option<Transaction>,
    /// It has failed and can only be ended.
    failed: bool,
}

#[derive(Clone, Debug)]
struct Transaction {
    id: TransactionId,
    /// What it sees: a snapshot with its own changes.
    view: Tables,
    /// How many commits the snapshot holds.
    seen: u64,
    written: BTreeSet<RowId>,
    dirty: BTreeSet<Page>,
    locked: Vec<RowId>,
    /// The row for which it stands in line.
    waits_for: Option<RowId>,
    /// The rows that its statement found before it had to wait: these are judged again, others that have come are not.
    aim: Option<Aim>,
}

#[derive(Clone, Debug)]
struct RowLock {
    holder: SessionId,
    line: VecDeque<SessionId>,
}

impl Session {
    const IDLE: Session = Session { in_transaction: false, mode: Mode::Plain, transaction: None, failed: false };
}

impl Server {
    /// A server that holds these tables.
    pub fn new(tables: Tables) -> Server {
        Server {
            committed: tables,
            commits: 0,
            transactions: 0,
            sessions: Vec::new(),
            locks: BTreeMap::new(),
            table_locks: None,
            woken: VecDeque::new(),
            conflicts: Conflicts::new(),
        }
    }

    /// The same server, which keeps locks of whole tables too.
    pub fn with_table_locks(self) -> Server {
        Server { table_locks: Some(TableLocks::default()), ..self }
    }

    /// The same server with these tables, and with nobody at work in it.
    pub fn restarted(&self, tables: Tables) -> Server {
        let server = Server::new(tables);
        if self.table_locks.is_some() { server.with_table_locks() } else { server }
    }

    /// A new session.
    pub fn open(&mut self) -> SessionId {
        self.sessions.push(Session::IDLE);
        SessionId(self.sessions.len() as u32 - 1)
    }

    /// The session's connection is gone, and with it whatever it held and had not committed. The number may be used on.
    pub fn close(&mut self, session: SessionId) {
        self.end(session);
    }

    /// What is committed.
    pub fn committed(&self) -> &Tables {
        &self.committed
    }

    /// How often a transaction has committed changes.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// The session's transaction, once it has read or written.
    pub fn transaction(&self, session: SessionId) -> Option<TransactionId> {
        self.sessions[session.index()].transaction.as_ref().map(|transaction| transaction.id)
    }

    /// Whether the session is between BEGIN and COMMIT.
    pub fn in_transaction(&self, session: SessionId) -> bool {
        self.sessions[session.index()].in_transaction
    }

    /// Who holds the row that the session waits for, or keeps it from the table.
    pub fn blocked_by(&self, session: SessionId) -> Option<SessionId> {
        self.blockers(session).first().copied()
    }

    /// Whom the session waits for: several may keep it from a table.
    fn blockers(&self, session: SessionId) -> Vec<SessionId> {
        let transaction = self.sessions[session.index()].transaction.as_ref();
        match (transaction.and_then(|transaction| transaction.waits_for), &self.table_locks) {
            (Some(row), _) => vec![self.locks[&row].holder],
            (None, Some(tables)) => tables.blockers(session),
            (None, None) => Vec::new(),
        }
    }

    /// The next session that has got what it stood in line for: its caller repeats the statement.
    pub fn next_woken(&mut self) -> Option<SessionId> {
        self.woken.pop_front()
    }

    /// BEGIN.
    pub fn begin(&mut self, session: SessionId, mode: Mode) -> Result<(), Refusal> {
        let session = &mut self.sessions[session.index()];
        if session.in_transaction {
            return Err(Refusal::Misuse);
        }
        (session.in_transaction, session.mode) = (true, mode);
        Ok(())
    }

    /// LOCK TABLE, or any statement that locks a table as a whole.
    pub fn lock_table(&mut self, session: SessionId, table: TableId, mode: TableLock) -> Result<(), Refusal> {
        match &self.sessions[session.index()] {
            Session { failed: true, .. } => Err(Refusal::Aborted),
            Session { in_transaction: false, .. } => Err(Refusal::Misuse),
            _ => self.claim_table(session, table, mode),
        }
    }

    fn claim_table(&mut self, session: SessionId, table: TableId, mode: TableLock) -> Result<(), Refusal> {
        match &mut self.table_locks {
            Some(tables) => tables.lock(session, table, mode).map_err(|by| Refusal::WaitingForTable { by }),
            None => Ok(()),
        }
    }

    /// A statement; outside BEGIN ... COMMIT it is a read committed transaction of its own.
    pub fn op(&mut self, session: SessionId, op: &Op) -> Result<Done, Refusal> {
        let in_transaction = self.in_transaction(session);
        if self.sessions[session.index()].failed {
            return Err(Refusal::Aborted);
        }
        self.claim_table(session, op.keys().table, TableLock::of(op))?;
        if !in_transaction && matches!(op, Op::Read { .. } | Op::Scan { .. }) {
            self.release_tables(session);
            return Ok(self.committed.read(op));
        }
        self.look(session);
        let done = self.perform(session, op);
        if let Err(Refusal::SerializationFailure) = done {
            self.fail(session);
        }
        let done = done?;
        match in_transaction {
            true => Ok(done),
            false => Ok(Done { commit: self.write_out(session)?, ..done }),
        }
    }

    /// COMMIT. If it is refused the transaction is rolled back.
    pub fn commit(&mut self, session: SessionId) -> Result<Commit, Refusal> {
        if !self.in_transaction(session) {
            return Err(Refusal::Misuse);
        }
        if self.sessions[session.index()].failed {
            self.end(session);
            return Err(Refusal::Aborted);
        }
        self.write_out(session)
    }

    /// ROLLBACK.
    pub fn rollback(&mut self, session: SessionId) -> Result<(), Refusal> {
        if !self.in_transaction(session) {
            return Err(Refusal::Misuse);
        }
        self.end(session);
        Ok(())
    }

    /// The session stops waiting, as by `lock_timeout`: its statement fails, and its transaction with it.
    pub fn give_up(&mut self, session: SessionId) {
        if self.blocked_by(session).is_some() || !self.in_transaction(session) {
            self.fail(session);
        }
    }

    /// Looks whether the session waits in a circle, and if so rolls it back.
    pub fn break_deadlock(&mut self, session: SessionId) -> Result<(), Refusal> {
        let (mut next, mut seen) = (self.blockers(session), BTreeSet::new());
        while let Some(blocker) = next.pop() {
            if blocker == session {
                self.fail(session);
                return Err(Refusal::Deadlock);
            }
            if seen.insert(blocker) {
                next.extend(self.blockers(blocker));
            }
        }
        Ok(())
    }

    /// Takes the snapshot: once in a transaction, or anew with each statement if it reads what is committed.
    fn look(&mut self, id: SessionId) {
        let session = &mut self.sessions[id.index()];
        let Some(transaction) = &mut session.transaction else {
            self.transactions += 1;
            let id = TransactionId(self.transactions);
            if session.mode == Mode::Serializable {
                self.conflicts.begin(id, self.commits);
            }
            session.transaction = Some(Transaction {
                id,
                view: self.committed.clone(),
                seen: self.commits,
                written: BTreeSet::new(),
                dirty: BTreeSet::new(),
                locked: Vec::new(),
                waits_for: None,
                aim: None,
            });
            return;
        };
        if !keeps_snapshot(session.mode) && transaction.seen < self.commits {
            transaction.seen = self.commits;
            let before = std::mem::replace(&mut transaction.view, self.committed.clone());
            for row in &transaction.written {
                match before.get(*row) {
                    Some(own) => transaction.view.put(*row, *own),
                    None => transaction.view.remove(*row),
                }
            }
        }
    }

    fn perform(&mut self, id: SessionId, op: &Op) -> Result<Done, Refusal> {
        self.watch(id, |conflicts, transaction| conflicts.on_read(transaction, op.keys()))?;
        let aim = self.lock_rows(id, op)?;
        let transaction = self.running(id);
        if !op.writes() {
            return Ok(transaction.view.read(op));
        }
        let stamp = Stamp { writer: transaction.id, commit: Stamp::PENDING };
        let dirty_before = transaction.dirty.len();
        let mut touched = Vec::new();
        let done = transaction.view.write(op, &aim, stamp, |row| touched.push(row));
        transaction.dirty.extend(touched.iter().map(|row| Page::of(*row)));
        transaction.written.extend(&touched);
        let pages_written = (transaction.dirty.len() - dirty_before) as u32;
        for row in touched {
            self.watch(id, |conflicts, transaction| conflicts.on_write(transaction, row))?;
        }
        Ok(Done { pages_written, ..done })
    }

    /// Locks the rows that the statement is about to change, as the transaction sees them. What is not there cannot be
    /// updated and is not waited for; an insert locks its key unless the row is there for good.
    fn lock_rows(&mut self, id: SessionId, op: &Op) -> Result<Aim, Refusal> {
        let transaction = self.running(id);
        let waited = transaction.aim.take();
        let mut aim = waited.clone().unwrap_or_else(|| transaction.view.aim(op));
        if let Op::Insert { row, .. } = op {
            let there = transaction.view.get(*row).is_some();
            if there && !self.is_written(*row) {
                if waited.is_some() {
                    self.running(id).locked.retain(|locked| locked != row);
                    self.hand_over(*row);
                }
                aim.rows.clear();
            }
        }
        for row in &aim.rows {
            if let Err(refusal) = self.lock(id, *row) {
                self.running(id).aim = Some(aim);
                return Err(refusal);
            }
            self.require_unchanged(id, *row)?;
        }
        Ok(aim)
    }

    /// The transaction of a session that performs a statement.
    fn running(&mut self, id: SessionId) -> &mut Transaction {
        self.sessions[id.index()].transaction.as_mut().expect("the statement has begun it")
    }

    /// Locks a row, or stands in line for it.
    fn lock(&mut self, id: SessionId, row: RowId) -> Result<(), Refusal> {
        let transaction = self.sessions[id.index()].transaction.as_mut().expect("the statement has begun it");
        let Some(lock) = self.locks.get_mut(&row) else {
            self.locks.insert(row, RowLock { holder: id, line: VecDeque::new() });
            transaction.locked.push(row);
            return Ok(());
        };
        if lock.holder == id {
            return Ok(());
        }
        if transaction.waits_for.is_none() {
            transaction.waits_for = Some(row);
            lock.line.push_back(id);
        }
        Err(Refusal::Waiting { by: lock.holder })
    }

    /// Whether somebody has changed the row and has not ended.
    fn is_written(&self, row: RowId) -> bool {
        let Some(lock) = self.locks.get(&row) else { return false };
        let holder = &self.sessions[lock.holder.index()].transaction;
        holder.as_ref().is_some_and(|transaction| transaction.written.contains(&row))
    }

    /// The first updater wins: whoever keeps a snapshot may not change a row that others have changed since. A key that
    /// has come and gone since is free, as in PostgreSQL.
    fn require_unchanged(&self, id: SessionId, row: RowId) -> Result<(), Refusal> {
        let session = &self.sessions[id.index()];
        let transaction = session.transaction.as_ref().expect("the statement has begun it");
        let stamp = |tables: &Tables| tables.get(row).map(|row| row.stamp);
        let own = transaction.written.contains(&row);
        match keeps_snapshot(session.mode) && !own && stamp(&transaction.view) != stamp(&self.committed) {
            true => Err(Refusal::SerializationFailure),
            false => Ok(()),
        }
    }

    /// Tells the watch over serializable transactions, if this is one.
    fn watch(
        &mut self,
        id: SessionId,
        tell: impl FnOnce(&mut Conflicts, TransactionId) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let session = &self.sessions[id.index()];
        match &session.transaction {
            Some(transaction) if session.mode == Mode::Serializable => tell(&mut self.conflicts, transaction.id),
            _ => Ok(()),
        }
    }

    /// Commits what the session has changed and lets go of everything.
    fn write_out(&mut self, id: SessionId) -> Result<Commit, Refusal> {
        let written = self.sessions[id.index()].transaction.as_ref().is_some_and(|own| !own.written.is_empty());
        let number = self.commits + u64::from(written);
        let watched = self.watch(id, |conflicts, transaction| conflicts.on_commit(transaction, number));
        if watched.is_err() {
            self.end(id);
        }
        watched?;
        let session = std::mem::replace(&mut self.sessions[id.index()], Session::IDLE);
        self.release_tables(id);
        let Some(transaction) = session.transaction else { return Ok(Commit::default()) };
        self.commits = number;
        let stamp = Stamp { writer: transaction.id, commit: number };
        for row in &transaction.written {
            match transaction.view.get(*row) {
                Some(own) => self.committed.put(*row, Row { stamp, ..*own }),
                None => self.committed.remove(*row),
            }
        }
        let pages = transaction.dirty.len() as u32;
        self.unlock(id, transaction);
        Ok(Commit { number: written.then_some(number), pages, syncs: u32::from(written), checkpoint: None })
    }

    /// Rolls back. A transaction that the session has begun can then only be ended.
    fn fail(&mut self, id: SessionId) {
        let in_transaction = self.in_transaction(id);
        self.end(id);
        let session = &mut self.sessions[id.index()];
        (session.in_transaction, session.failed) = (in_transaction, in_transaction);
    }

    /// Lets go of everything; what was not committed is gone.
    fn end(&mut self, id: SessionId) {
        let session = std::mem::replace(&mut self.sessions[id.index()], Session::IDLE);
        if let Some(transaction) = session.transaction {
            self.conflicts.on_rollback(transaction.id);
            self.unlock(id, transaction);
        }
        self.release_tables(id);
    }

    fn release_tables(&mut self, id: SessionId) {
        if let Some(tables) = &mut self.table_locks {
            self.woken.retain(|woken| *woken != id);
            tables.release(id, &mut self.woken);
        }
    }

    /// Leaves the line it stands in and hands each row it has locked to the next in line.
    fn unlock(&mut self, id: SessionId, transaction: Transaction) {
        self.woken.retain(|woken| *woken != id);
        if let Some(row) = transaction.waits_for {
            let lock = self.locks.get_mut(&row).expect("somebody holds what it waits for");
            lock.line.retain(|waiting| *waiting != id);
        }
        transaction.locked.into_iter().for_each(|row| self.hand_over(row));
    }

    /// Gives a locked row to the next in line.
    fn hand_over(&mut self, row: RowId) {
        let lock = self.locks.get_mut(&row).expect("it is locked");
        let Some(next) = lock.line.pop_front() else {
            return drop(self.locks.remove(&row));
        };
        lock.holder = next;
        let waiting = self.sessions[next.index()].transaction.as_mut().expect("whoever waits is in a transaction");
        waiting.waits_for = None;
        waiting.locked.push(row);
        self.woken.push_back(next);
    }
}

/// Whether a transaction sees one snapshot from its first statement to its end.
fn keeps_snapshot(mode: Mode) -> bool {
    matches!(mode, Mode::RepeatableRead | Mode::Serializable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TableId;
    use crate::store::op::{Change, Changes, Filter, Keys};

    const A: SessionId = SessionId(0);
    const B: SessionId = SessionId(1);
    const C: SessionId = SessionId(2);
    const TABLE: TableId = TableId(0);

    fn row(key: u64) -> RowId {
        RowId { table: TABLE, key }
    }

    /// Rows 1, 2, ... with these numbers in column 0; three sessions.
    fn server(numbers: &[i64]) -> Server {
        let mut tables = Tables::new(1);
        (1..).zip(numbers).for_each(|(key, number)| tables.fill(row(key), [*number, 0, 0, 0]));
        let mut server = Server::new(tables);
        assert_eq!([A, B, C], [(); 3].map(|()| server.open()));
        server
    }

    fn begin_all(server: &mut Server, mode: Mode) {
        [A, B, C].into_iter().for_each(|session| server.begin(session, mode).unwrap());
    }

    fn read(server: &mut Server, session: SessionId, key: u64) -> Option<i64> {
        server.op(session, &Op::Read { row: row(key) }).unwrap().row.map(|row| row.fields[0])
    }

    fn add(server: &mut Server, session: SessionId, key: u64, number: i64) -> Result<u64, Refusal> {
        server.op(session, &Op::add(row(key), 0, number)).map(|done| done.rows)
    }

    fn insert(server: &mut Server, session: SessionId, key: u64, number: i64) -> Result<u64, Refusal> {
        server.op(session, &Op::Insert { row: row(key), fields: [number, 0, 0, 0] }).map(|done| done.rows)
    }

    fn delete(server: &mut Server, session: SessionId, filter: Filter) -> Result<u64, Refusal> {
        server.op(session, &Op::Delete { keys: Keys::all(TABLE), filter }).map(|done| done.rows)
    }

    fn sum(server: &mut Server, session: SessionId, filter: Filter) -> Result<i64, Refusal> {
        server.op(session, &Op::Scan { keys: Keys::all(TABLE), filter, sum: Some(1) }).map(|done| done.sum)
    }

    #[test]
    fn readers_never_wait_and_see_nothing_uncommitted() {
        for (mode, after) in [(Mode::Plain, 7), (Mode::RepeatableRead, 5), (Mode::Serializable, 5)] {
            let mut server = server(&[5]);
            begin_all(&mut server, mode);
            assert_eq!(read(&mut server, B, 1), Some(5));
            assert_eq!(add(&mut server, A, 1, 2), Ok(1));
            assert_eq!((read(&mut server, A, 1), read(&mut server, B, 1)), (Some(7), Some(5)));
            assert_eq!(server.commit(A).unwrap().number, Some(1));
            assert_eq!(read(&mut server, B, 1), Some(after), "{mode:?}");
            server.rollback(B).unwrap();
            assert_eq!(read(&mut server, B, 1), Some(7));
        }
    }

    /// The manual's transfer between accounts: read committed judges the row again, so no update is lost.
    #[test]
    fn who_waits_for_a_row_goes_on_with_its_newest_version() {
        let mut server = server(&[100, 100]);
        begin_all(&mut server, Mode::Plain);
        add(&mut server, A, 1, 100).unwrap();
        assert_eq!(add(&mut server, B, 1, 10), Err(Refusal::Waiting { by: A }));
        assert_eq!(add(&mut server, C, 1, 1), Err(Refusal::Waiting { by: A }));
        assert_eq!((server.blocked_by(B), server.next_woken()), (Some(A), None));
        server.commit(A).unwrap();
        assert_eq!((server.next_woken(), server.next_woken(), server.blocked_by(C)), (Some(B), None, Some(B)));
        assert_eq!(add(&mut server, B, 1, 10), Ok(1));
        assert_eq!(read(&mut server, B, 1), Some(210));
        server.rollback(B).unwrap();
        assert_eq!(server.next_woken(), Some(C));
        assert_eq!(add(&mut server, C, 1, 1), Ok(1));
        server.commit(C).unwrap();
        assert_eq!(server.committed().get(row(1)).unwrap().fields[0], 201);
    }

    /// The manual's web sites: of hits 9 and 10, both rising, the row that had 10 is judged again and has 11 now; the one
    /// that has 10 now was not found when the statement began.
    #[test]
    fn read_committed_can_miss_rows_that_change_while_it_waits() {
        let mut server = server(&[9, 10]);
        begin_all(&mut server, Mode::Plain);
        let mut changes = Changes::default();
        changes[0] = Change::Add(1);
        server.op(A, &Op::Update { keys: Keys::all(TABLE), filter: Filter::Any, changes }).unwrap();
        assert_eq!(delete(&mut server, B, Filter::Equals(0, 10)), Err(Refusal::Waiting { by: A }));
        server.commit(A).unwrap();
        assert_eq!(server.next_woken(), Some(B));
        assert_eq!(delete(&mut server, B, Filter::Equals(0, 10)), Ok(0));
    }

    #[test]
    fn what_the_statement_does_not_mean_is_not_waited_for() {
        let mut server = server(&[0]);
        begin_all(&mut server, Mode::Plain);
        add(&mut server, A, 1, 5).unwrap();
        assert_eq!(delete(&mut server, B, Filter::AtLeast(0, 5)), Ok(0));
        assert_eq!(add(&mut server, B, 2, 1), Ok(0));
    }

    #[test]
    fn a_lost_update_needs_a_read_before_the_write() {
        let mut server = server(&[100]);
        begin_all(&mut server, Mode::Plain);
        let seen = [A, B].map(|session| read(&mut server, session, 1).unwrap());
        assert!(server.op(A, &Op::set(row(1), 0, seen[0] + 1)).is_ok());
        server.commit(A).unwrap();
        assert!(server.op(B, &Op::set(row(1), 0, seen[1] + 1)).is_ok());
        server.commit(B).unwrap();
        assert_eq!(server.committed().get(row(1)).unwrap().fields[0], 101);
    }

    #[test]
    fn locking_reads_queue_up_so_that_nothing_is_lost() {
        let mut server = server(&[100]);
        begin_all(&mut server, Mode::Plain);
        let locking = Op::ReadForUpdate { row: row(1) };
        assert_eq!(server.op(A, &locking).unwrap().row.unwrap().fields[0], 100);
        assert_eq!(server.op(B, &locking), Err(Refusal::Waiting { by: A }));
        add(&mut server, A, 1, 1).unwrap();
        server.commit(A).unwrap();
        assert_eq!(server.next_woken(), Some(B));
        assert_eq!(server.op(B, &locking).unwrap().row.unwrap().fields[0], 101);
    }

    #[test]
    fn with_a_snapshot_the_first_updater_wins() {
        for mode in [Mode::RepeatableRead, Mode::Serializable] {
            let mut server = server(&[1, 2, 3]);
            begin_all(&mut server, mode);
            assert_eq!([A, B, C].map(|session| read(&mut server, session, 1)), [Some(1); 3]);
            add(&mut server, A, 1, 1).unwrap();
            assert_eq!(add(&mut server, B, 1, 1), Err(Refusal::Waiting { by: A }));
            server.commit(A).unwrap();
            assert_eq!(server.next_woken(), Some(B));
            assert_eq!(add(&mut server, B, 1, 1), Err(Refusal::SerializationFailure));
            assert_eq!(server.op(B, &Op::Read { row: row(1) }), Err(Refusal::Aborted));
            assert_eq!(server.commit(B), Err(Refusal::Aborted));
            assert_eq!(delete(&mut server, C, Filter::Equals(0, 1)), Err(Refusal::SerializationFailure));
        }
    }

    #[test]
    fn who_waited_for_nothing_in_the_end_may_update_its_snapshot() {
        let mut server = server(&[1]);
        begin_all(&mut server, Mode::RepeatableRead);
        add(&mut server, A, 1, 1).unwrap();
        assert_eq!(add(&mut server, B, 1, 5), Err(Refusal::Waiting { by: A }));
        server.rollback(A).unwrap();
        assert_eq!(server.next_woken(), Some(B));
        assert_eq!(add(&mut server, B, 1, 5), Ok(1));
        assert_eq!(read(&mut server, B, 1), Some(6));
    }

    #[test]
    fn a_key_is_inserted_once() {
        for (mode, second) in [(Mode::Plain, Ok(0)), (Mode::RepeatableRead, Err(Refusal::SerializationFailure))] {
            let mut server = server(&[]);
            begin_all(&mut server, mode);
            assert_eq!(insert(&mut server, A, 7, 1), Ok(1));
            assert_eq!(insert(&mut server, B, 7, 2), Err(Refusal::Waiting { by: A }));
            server.commit(A).unwrap();
            assert_eq!(server.next_woken(), Some(B));
            assert_eq!(insert(&mut server, B, 7, 2), second, "{mode:?}");
            assert_eq!(insert(&mut server, C, 7, 3), Ok(0), "its first statement comes after the commit");
        }
    }

    /// The manual's accounts 11111 and 22222, locked in opposite orders.
    #[test]
    fn a_circle_is_broken_by_the_session_that_looks() {
        for looks in [A, B] {
            let mut server = server(&[1, 2]);
            begin_all(&mut server, Mode::Plain);
            add(&mut server, A, 1, 1).unwrap();
            add(&mut server, B, 2, 1).unwrap();
            assert_eq!(add(&mut server, B, 1, 1), Err(Refusal::Waiting { by: A }));
            assert_eq!(server.break_deadlock(B), Ok(()));
            assert_eq!(add(&mut server, C, 2, 1), Err(Refusal::Waiting { by: B }));
            assert_eq!(add(&mut server, A, 2, 1), Err(Refusal::Waiting { by: B }));
            assert_eq!(server.break_deadlock(C), Ok(()), "it waits for the circle and is not in it");
            assert_eq!(server.break_deadlock(looks), Err(Refusal::Deadlock));
            assert_eq!(server.commit(looks), Err(Refusal::Aborted));
            let woken: Vec<SessionId> = std::iter::from_fn(|| server.next_woken()).collect();
            assert_eq!(woken, if looks == A { vec![B] } else { vec![C] });
        }
    }

    #[test]
    fn who_gives_up_or_goes_leaves_the_line() {
        let mut server = server(&[1]);
        begin_all(&mut server, Mode::Plain);
        add(&mut server, A, 1, 1).unwrap();
        assert_eq!(add(&mut server, B, 1, 1), Err(Refusal::Waiting { by: A }));
        assert_eq!(add(&mut server, C, 1, 1), Err(Refusal::Waiting { by: A }));
        server.give_up(B);
        assert_eq!(server.commit(B), Err(Refusal::Aborted));
        server.close(A);
        assert_eq!((server.next_woken(), server.next_woken()), (Some(C), None));
        assert_eq!(add(&mut server, C, 1, 1), Ok(1));
        server.commit(C).unwrap();
        assert_eq!(server.committed().get(row(1)).unwrap().fields[0], 2);
        assert!(server.locks.is_empty());
    }

    /// The manual's two doctors, or two colours: each looks at what the other changes.
    #[test]
    fn write_skew_passes_a_snapshot_and_is_refused_as_not_serializable() {
        for mode in [Mode::RepeatableRead, Mode::Serializable] {
            let mut server = server(&[1, 1]);
            begin_all(&mut server, mode);
            for session in [A, B] {
                assert_eq!((read(&mut server, session, 1), read(&mut server, session, 2)), (Some(1), Some(1)));
            }
            add(&mut server, A, 1, -1).unwrap();
            add(&mut server, B, 2, -1).unwrap();
            server.commit(A).unwrap();
            let second = server.commit(B).map(|commit| commit.number);
            match mode {
                Mode::Serializable => assert_eq!(second, Err(Refusal::SerializationFailure)),
                _ => assert_eq!(second, Ok(Some(2))),
            }
        }
    }

    /// The manual's `mytab`: each adds up one class and inserts the sum into the other.
    #[test]
    fn a_phantom_counts_as_an_overwritten_read() {
        let mut server = server(&[]);
        begin_all(&mut server, Mode::Serializable);
        assert_eq!(sum(&mut server, A, Filter::Equals(0, 1)), Ok(0));
        assert_eq!(sum(&mut server, B, Filter::Equals(0, 2)), Ok(0));
        insert(&mut server, A, 10, 2).unwrap();
        insert(&mut server, B, 11, 1).unwrap();
        server.commit(A).unwrap();
        assert_eq!(server.commit(B), Err(Refusal::SerializationFailure));
    }

    /// One overwritten read has a serial order: the reader first.
    /// Two that read a table and both want to alter it: the one that looks is rolled back, the other goes on.
    #[test]
    fn a_circle_of_table_locks_is_broken() {
        let mut server = server(&[5]).with_table_locks();
        for session in [A, B] {
            server.begin(session, Mode::Plain).unwrap();
            server.lock_table(session, TABLE, TableLock::AccessShare).unwrap();
        }
        let alter = TableLock::AccessExclusive;
        assert_eq!(server.lock_table(A, TABLE, alter), Err(Refusal::WaitingForTable { by: B }));
        assert_eq!(server.break_deadlock(A), Ok(()), "B does not wait yet");
        assert_eq!(server.lock_table(B, TABLE, alter), Err(Refusal::WaitingForTable { by: A }));
        assert_eq!(server.break_deadlock(B), Err(Refusal::Deadlock));
        assert_eq!(server.next_woken(), Some(A));
        assert_eq!(server.lock_table(A, TABLE, alter), Ok(()));
    }

    /// A row of one and the table of another.
    #[test]
    fn a_circle_through_a_row_and_a_table_is_broken() {
        let mut server = server(&[5, 5]).with_table_locks();
        for session in [A, B] {
            server.begin(session, Mode::Plain).unwrap();
        }
        assert_eq!((add(&mut server, A, 1, 1), add(&mut server, B, 2, 1)), (Ok(1), Ok(1)));
        assert_eq!(server.lock_table(A, TABLE, TableLock::Share), Err(Refusal::WaitingForTable { by: B }));
        assert_eq!(server.break_deadlock(A), Ok(()), "B waits for nobody yet");
        assert_eq!(add(&mut server, B, 1, 1), Err(Refusal::Waiting { by: A }));
        assert_eq!(server.break_deadlock(B), Err(Refusal::Deadlock));
        assert_eq!(server.next_woken(), Some(A));
        assert_eq!(server.lock_table(A, TABLE, TableLock::Share), Ok(()));
    }

    #[test]
    fn a_single_overwritten_read_is_not_refused() {
        let mut server = server(&[1, 2]);
        begin_all(&mut server, Mode::Serializable);
        read(&mut server, A, 1);
        add(&mut server, B, 1, 1).unwrap();
        server.commit(B).unwrap();
        add(&mut server, A, 2, 1).unwrap();
        assert!(server.commit(A).is_ok());
    }

    /// Fekete, O'Neil and O'Neil 2004: a report makes two transactions unserializable that were serializable without it.
    #[test]
    fn a_reader_alone_can_be_the_one_too_many() {
        for report in [false, true] {
            let mut server = server(&[0, 0]);
            begin_all(&mut server, Mode::Serializable);
            let withdrawal = A;
            assert_eq!((read(&mut server, withdrawal, 1), read(&mut server, withdrawal, 2)), (Some(0), Some(0)));
            add(&mut server, B, 2, 20).unwrap();
            server.commit(B).unwrap();
            if report {
                assert_eq!((read(&mut server, C, 1), read(&mut server, C, 2)), (Some(0), Some(20)));
                server.commit(C).unwrap();
            }
            let withdrawn = add(&mut server, withdrawal, 1, -11).and_then(|_| server.commit(withdrawal));
            assert_eq!(withdrawn.is_err(), report);
        }
    }

    #[test]
    fn a_statement_of_its_own_commits_and_may_wait() {
        let mut server = server(&[1]);
        server.begin(A, Mode::Plain).unwrap();
        add(&mut server, A, 1, 1).unwrap();
        assert_eq!(add(&mut server, B, 1, 1), Err(Refusal::Waiting { by: A }));
        server.commit(A).unwrap();
        assert_eq!(server.next_woken(), Some(B));
        let done = server.op(B, &Op::add(row(1), 0, 1)).unwrap();
        assert_eq!((done.commit.number, done.commit.pages, done.pages_written), (Some(2), 1, 1));
        assert_eq!(read(&mut server, C, 1), Some(3));
    }
}
