//! A database server in the manner of PostgreSQL: many writers, row locks, snapshots, three isolation levels.
//!
//! A reader never waits. A writer locks each row it changes until its transaction ends; who comes second stands in line,
//! first come, first served. *Read committed* ([`Mode::Plain`]) looks at the newest committed rows with each statement,
//! and a writer that had to wait judges its row again. *Repeatable read* keeps the snapshot of its first statement and
//! fails if somebody has committed a change to a row since (first updater wins). *Serializable* also refuses write skew
//! and phantoms by watching reads that others overwrite (serializable snapshot isolation, `conflicts.rs`).
//!
//! A session waits in a circle until somebody looks: [`Server::break_deadlock`], at once or after a time out
//! (PostgreSQL's `deadlock_timeout`, 1 s). The one that looks is the victim. Left out: table locks, shared row locks,
//! savepoints, vacuum and bloat, the log, replicas; and a statement over many rows that had to wait looks at all of them
//! again, not only at those that it waited for.

use super::conflicts::Conflicts;
use super::op::{Commit, Done, Filter, Keys, Mode, Op, Refusal, RowId};
use super::rows::{Page, Row, Stamp, Tables};
use crate::ids::{SessionId, TransactionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A database server and its sessions.
#[derive(Clone, Debug)]
pub struct Server {
    committed: Tables,
    commits: u64,
    transactions: u64,
    sessions: Vec<Session>,
    locks: BTreeMap<RowId, RowLock>,
    /// Sessions that have got the row they stood in line for.
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
    waits_for: Option<RowId>,
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
            woken: VecDeque::new(),
            conflicts: Conflicts::new(),
        }
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

    /// Who holds the row that the session waits for.
    pub fn blocked_by(&self, session: SessionId) -> Option<SessionId> {
        let row = self.sessions[session.index()].transaction.as_ref()?.waits_for?;
        Some(self.locks[&row].holder)
    }

    /// The next session that has got the row it stood in line for: its caller repeats the statement.
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

    /// A statement; outside BEGIN ... COMMIT it is a read committed transaction of its own.
    pub fn op(&mut self, session: SessionId, op: &Op) -> Result<Done, Refusal> {
        let in_transaction = self.in_transaction(session);
        if self.sessions[session.index()].failed {
            return Err(Refusal::Aborted);
        }
        if !in_transaction && matches!(op, Op::Read { .. } | Op::Scan { .. }) {
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
        let mut at = session;
        for _ in &self.sessions {
            match self.blocked_by(at) {
                Some(holder) if holder == session => {
                    self.fail(session);
                    return Err(Refusal::Deadlock);
                }
                Some(holder) => at = holder,
                None => break,
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
        for row in self.rows_to_lock(id, op) {
            self.lock(id, row)?;
            self.require_unchanged(id, row)?;
        }
        let transaction = self.sessions[id.index()].transaction.as_mut().expect("the statement has begun it");
        if !op.writes() {
            return Ok(transaction.view.read(op));
        }
        let stamp = Stamp { writer: transaction.id, commit: Stamp::PENDING };
        let dirty_before = transaction.dirty.len();
        let mut touched = Vec::new();
        let done = transaction.view.write(op, stamp, |row| touched.push(row));
        transaction.dirty.extend(touched.iter().map(|row| Page::of(*row)));
        transaction.written.extend(&touched);
        let pages_written = (transaction.dirty.len() - dirty_before) as u32;
        for row in touched {
            self.watch(id, |conflicts, transaction| conflicts.on_write(transaction, row))?;
        }
        Ok(Done { pages_written, ..done })
    }

    /// The rows that the statement is about to change, as the transaction sees them. An insert locks its key unless the
    /// row is there for good; what is not there cannot be updated, and is not waited for.
    fn rows_to_lock(&self, id: SessionId, op: &Op) -> Vec<RowId> {
        let view = &self.sessions[id.index()].transaction.as_ref().expect("the statement has begun it").view;
        let of = |keys: Keys, filter: Filter| view.select(keys, filter).map(|(row, _)| row).collect();
        match *op {
            Op::Read { .. } | Op::Scan { .. } => Vec::new(),
            Op::ReadForUpdate { row } => of(Keys::one(row), Filter::Any),
            Op::Update { keys, filter, .. } | Op::Delete { keys, filter } => of(keys, filter),
            Op::Insert { row, .. } if view.get(row).is_some() && !self.locks.contains_key(&row) => Vec::new(),
            Op::Insert { row, .. } => vec![row],
        }
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

    /// The first updater wins: whoever keeps a snapshot may not change a row that others have changed since.
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
    }

    /// Leaves the line it stands in and hands each row it has locked to the next in line.
    fn unlock(&mut self, id: SessionId, transaction: Transaction) {
        self.woken.retain(|woken| *woken != id);
        if let Some(row) = transaction.waits_for {
            let lock = self.locks.get_mut(&row).expect("somebody holds what it waits for");
            lock.line.retain(|waiting| *waiting != id);
        }
        for row in transaction.locked {
            let lock = self.locks.get_mut(&row).expect("it holds what it has locked");
            let Some(next) = lock.line.pop_front() else {
                self.locks.remove(&row);
                continue;
            };
            lock.holder = next;
            let waiting = self.sessions[next.index()].transaction.as_mut().expect("whoever waits is in a transaction");
            waiting.waits_for = None;
            waiting.locked.push(row);
            self.woken.push_back(next);
        }
    }
}

/// Whether a transaction sees one snapshot from its first statement to its end.
fn keeps_snapshot(mode: Mode) -> bool {
    matches!(mode, Mode::RepeatableRead | Mode::Serializable)
}
