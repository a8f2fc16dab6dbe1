//! SQLite: one writer at a time for the whole database, with a rollback journal or a write-ahead log.
//!
//! Rollback journal: a reader holds SHARED, a writer RESERVED beside readers; to commit it takes PENDING (no new readers)
//! and then EXCLUSIVE (no readers at all). A refused COMMIT keeps PENDING. WAL: a reader keeps the snapshot of its first
//! read and blocks nobody; a writer whose snapshot is not the newest is refused. Whether a busy timeout applies is part
//! of the refusal: it does not where waiting could only end in a deadlock. Compared step by step with the real library
//! in `tests/tests/store_equals_sqlite.rs`. Left out: shared cache, savepoints, spilling a full page cache, crashes,
//! and that a write which changes nothing leaves its page alone.
//!
//! A statement that is refused may still hold locks, as in SQLite, where it sleeps inside: a write of its own
//! transaction keeps PENDING until its readers have gone. So whoever stops repeating it says [`Sqlite::give_up`].

use super::op::{Checkpoint, CheckpointMode, Commit, Done, Mode, Op, Refusal};
use super::rows::{Page, Stamp, Tables};
use super::wal::{Mark, Wal};
use crate::ids::{SessionId, TransactionId};
use std::collections::BTreeSet;

/// `PRAGMA journal_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Journal {
    /// `delete`: the old pages go to a journal beside the database. SQLite's default.
    Rollback,
    /// `wal`: the new pages go to a log beside the database.
    #[default]
    Wal,
}

/// `PRAGMA synchronous`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// A WAL waits for the disk only at checkpoints and when the log begins again: after a power cut the last commits may
    /// be gone.
    Normal,
    /// Every commit waits for the disk. SQLite's default.
    #[default]
    Full,
}

/// How the database is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteConfig {
    /// Where changes go first.
    pub journal: Journal,
    /// When a commit waits for the disk.
    pub synchronous: Synchronous,
    /// `PRAGMA wal_autocheckpoint`: a commit that leaves so many frames in the log tries a passive checkpoint; 0 never.
    pub auto_checkpoint_frames: u32,
}

impl Default for SqliteConfig {
    /// SQLite's defaults, but for the journal, which is the WAL.
    fn default() -> Self {
        SqliteConfig { journal: Journal::Wal, synchronous: Synchronous::Full, auto_checkpoint_frames: 1_000 }
    }
}

/// A database and its sessions.
#[derive(Clone, Debug)]
pub struct Sqlite {
    config: SqliteConfig,
    committed: Tables,
    commits: u64,
    transactions: u64,
    wal: Wal,
    sessions: Vec<Session>,
    /// Who holds RESERVED or more; in WAL mode the write lock.
    writer: Option<SessionId>,
    /// How many sessions hold SHARED or more.
    sharing: u32,
    /// Who waits inside a checkpoint.
    checkpointer: Option<SessionId>,
}

/// What a session holds of the database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lock {
    Unlocked,
    /// Reads. In WAL mode its snapshot is fixed.
    Shared,
    /// Writes. In WAL mode the write lock.
    Reserved,
    /// Wants to commit: no new readers. Not in WAL mode.
    Pending,
    /// Nobody else reads. Not in WAL mode.
    Exclusive,
}

#[derive(Clone, Debug)]
struct Session {
    /// Between BEGIN and COMMIT.
    in_transaction: bool,
    lock: Lock,
    id: TransactionId,
    /// What it sees instead of what is committed: a WAL reader's snapshot, a writer's working copy.
    view: Option<Tables>,
    /// Where a WAL reader reads.
    mark: Option<Mark>,
    /// The pages it has changed.
    dirty: BTreeSet<Page>,
    /// A statement that is done but for the commit, which readers still refuse.
    to_commit: Option<Done>,
}

impl Session {
    const IDLE: Session = Session {
        in_transaction: false,
        lock: Lock::Unlocked,
        id: TransactionId(0),
        view: None,
        mark: None,
        dirty: BTreeSet::new(),
        to_commit: None,
    };
}

impl Sqlite {
    /// A database that holds these tables.
    pub fn new(config: SqliteConfig, tables: Tables) -> Sqlite {
        Sqlite {
            config,
            committed: tables,
            commits: 0,
            transactions: 0,
            wal: Wal::new(),
            sessions: Vec::new(),
            writer: None,
            sharing: 0,
            checkpointer: None,
        }
    }

    /// How it is set up.
    pub fn config(&self) -> SqliteConfig {
        self.config
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

    /// The log; empty with a rollback journal.
    pub fn wal(&self) -> &Wal {
        &self.wal
    }

    /// The session's transaction, once it has read or written.
    pub fn transaction(&self, session: SessionId) -> Option<TransactionId> {
        let session = &self.sessions[session.index()];
        (session.lock > Lock::Unlocked).then_some(session.id)
    }

    /// Whether the session is between BEGIN and COMMIT.
    pub fn in_transaction(&self, session: SessionId) -> bool {
        self.sessions[session.index()].in_transaction
    }

    /// Who would refuse this session a write or a commit now.
    pub fn blocked_by(&self, session: SessionId) -> Option<SessionId> {
        match self.writer {
            Some(writer) if writer == session => self.other_reader(session),
            writer => writer,
        }
    }

    /// BEGIN.
    pub fn begin(&mut self, session: SessionId, mode: Mode) -> Result<(), Refusal> {
        if self.in_transaction(session) {
            return Err(Refusal::Misuse);
        }
        if matches!(mode, Mode::Immediate | Mode::Exclusive) {
            self.reserve(session)?;
        }
        if mode == Mode::Exclusive && self.config.journal == Journal::Rollback {
            self.exclude(session)?;
        }
        self.sessions[session.index()].in_transaction = true;
        Ok(())
    }

    /// A statement; outside BEGIN ... COMMIT it is a transaction of its own.
    pub fn op(&mut self, session: SessionId, op: &Op) -> Result<Done, Refusal> {
        match op.writes() {
            true => self.write(session, op),
            false => self.read(session, op),
        }
    }

    fn read(&mut self, id: SessionId, op: &Op) -> Result<Done, Refusal> {
        if !self.in_transaction(id) {
            self.admits_readers()?;
            return Ok(self.committed.read(op));
        }
        self.share(id)?;
        Ok(self.sessions[id.index()].view.as_ref().unwrap_or(&self.committed).read(op))
    }

    fn write(&mut self, id: SessionId, op: &Op) -> Result<Done, Refusal> {
        let done = match self.sessions[id.index()].to_commit.take() {
            Some(done) => done,
            None => {
                self.reserve(id)?;
                self.change(id, op)
            }
        };
        if self.in_transaction(id) {
            return Ok(done);
        }
        match self.write_out(id) {
            Ok(commit) => Ok(Done { commit, ..done }),
            Err(refusal) => {
                self.sessions[id.index()].to_commit = Some(done);
                Err(refusal)
            }
        }
    }

    /// Performs a write on the writer's working copy.
    fn change(&mut self, id: SessionId, op: &Op) -> Done {
        let session = &mut self.sessions[id.index()];
        let view = session.view.get_or_insert_with(|| self.committed.clone());
        let stamp = Stamp { writer: session.id, commit: self.commits + 1 };
        let dirty_before = session.dirty.len();
        let aim = view.aim(op);
        let done = view.write(op, &aim, stamp, |row| {
            session.dirty.insert(Page::of(row));
        });
        Done { pages_written: (session.dirty.len() - dirty_before) as u32, ..done }
    }

    /// What COMMIT needs before it writes: with a rollback journal EXCLUSIVE, in which SQLite writes the journal, the database and
    /// the disk. A writer keeps readers out even if it has changed nothing.
    pub fn prepare_commit(&mut self, session: SessionId) -> Result<(), Refusal> {
        match self.config.journal == Journal::Rollback && self.writer == Some(session) {
            true => self.exclude(session),
            false => Ok(()),
        }
    }

    /// COMMIT. If readers refuse it the transaction stays as it is.
    pub fn commit(&mut self, session: SessionId) -> Result<Commit, Refusal> {
        if !self.in_transaction(session) {
            return Err(Refusal::Misuse);
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

    /// The session stops repeating what was refused. A transaction that it has begun lives on.
    pub fn give_up(&mut self, session: SessionId) {
        self.end_checkpoint(session);
        if !self.in_transaction(session) {
            self.release(session);
        }
    }

    /// `PRAGMA wal_checkpoint`; with a rollback journal it does nothing.
    pub fn checkpoint(&mut self, session: SessionId, mode: CheckpointMode) -> Result<Checkpoint, Refusal> {
        if self.sessions[session.index()].lock > Lock::Unlocked {
            return Err(Refusal::Locked);
        }
        if self.config.journal == Journal::Rollback {
            return Ok(Checkpoint::default());
        }
        if let Some(other) = self.checkpointer.filter(|other| *other != session) {
            return Ok(self.checkpointed(0, Some(other)));
        }
        let writer = self.writer.filter(|writer| *writer != session && mode != CheckpointMode::Passive);
        let tried = if writer.is_some() { CheckpointMode::Passive } else { mode };
        let (pages, reader) = self.wal.checkpoint(tried, marks(&self.sessions));
        self.end_checkpoint(session);
        if writer.or(reader).is_some() {
            self.checkpointer = Some(session);
            self.writer = self.writer.or(Some(session));
        }
        Ok(self.checkpointed(pages, writer.or(reader)))
    }

    fn checkpointed(&self, pages: u32, blocked_by: Option<SessionId>) -> Checkpoint {
        let (frames, backfilled) = (self.wal.frames(), self.wal.backfilled());
        Checkpoint { blocked_by, frames, backfilled, pages, syncs: if pages > 0 { 2 } else { 0 } }
    }

    fn end_checkpoint(&mut self, id: SessionId) {
        if self.checkpointer == Some(id) {
            self.checkpointer = None;
            self.writer = self.writer.filter(|writer| *writer != id);
        }
    }

    /// Commits what the session has changed and lets go of everything.
    fn write_out(&mut self, id: SessionId) -> Result<Commit, Refusal> {
        self.prepare_commit(id)?;
        let changed = self.sessions[id.index()].dirty.len() as u32;
        if changed == 0 {
            self.end(id);
            return Ok(Commit::default());
        }
        let session = std::mem::replace(&mut self.sessions[id.index()], Session::IDLE);
        self.sharing -= 1;
        self.writer = None;
        self.commits += 1;
        self.committed = session.view.expect("whoever has changed a page has a working copy");
        let number = Some(self.commits);
        let full = self.config.synchronous == Synchronous::Full;
        let Some(mark) = session.mark else {
            // The first page counts the changes. Synced are the journal, its folder, its header if full, the database.
            return Ok(Commit { number, pages: changed + 1, syncs: 3 + u32::from(full), checkpoint: None });
        };
        let begins = self.wal.append(&session.dirty, mark, marks(&self.sessions).map(|(_, mark)| mark));
        let enough = (1..=self.wal.frames()).contains(&self.config.auto_checkpoint_frames);
        let checkpoint = (enough && self.checkpointer.is_none()).then(|| {
            let (pages, _) = self.wal.checkpoint(CheckpointMode::Passive, marks(&self.sessions));
            self.checkpointed(pages, None)
        });
        // The head of a log is synced even if commits are not.
        Ok(Commit { number, pages: changed, syncs: u32::from(full) + u32::from(begins), checkpoint })
    }

    /// Gets SHARED, and in WAL mode the snapshot, unless the session has it.
    fn share(&mut self, id: SessionId) -> Result<(), Refusal> {
        if self.sessions[id.index()].lock > Lock::Unlocked {
            return Ok(());
        }
        self.admits_readers()?;
        self.transactions += 1;
        self.sharing += 1;
        let session = &mut self.sessions[id.index()];
        session.id = TransactionId(self.transactions);
        session.lock = Lock::Shared;
        if self.config.journal == Journal::Wal {
            session.mark = Some(self.wal.mark());
            session.view = Some(self.committed.clone());
        }
        Ok(())
    }

    /// Refuses new readers while somebody wants to commit.
    fn admits_readers(&self) -> Result<(), Refusal> {
        match self.writer {
            Some(by) if self.sessions[by.index()].lock >= Lock::Pending => Err(Refusal::Busy { by, may_wait: true }),
            _ => Ok(()),
        }
    }

    /// Gets RESERVED, or the write lock of the WAL, unless the session has it. Waiting for it is safe only for a session
    /// that does not hold SHARED meanwhile.
    fn reserve(&mut self, id: SessionId) -> Result<(), Refusal> {
        let fresh = self.sessions[id.index()].lock == Lock::Unlocked;
        self.share(id)?;
        let session = &mut self.sessions[id.index()];
        let refusal = match self.writer {
            Some(by) if by == id => return Ok(()),
            Some(by) => Refusal::Busy { by, may_wait: fresh },
            None if session.mark.is_some_and(|mark| !self.wal.is_newest(mark)) => Refusal::BusySnapshot,
            None => {
                session.lock = Lock::Reserved;
                self.writer = Some(id);
                return Ok(());
            }
        };
        if fresh {
            self.release(id);
        }
        Err(refusal)
    }

    /// Gets PENDING, and EXCLUSIVE once there is no other reader.
    fn exclude(&mut self, id: SessionId) -> Result<(), Refusal> {
        let others = self.other_reader(id).filter(|_| self.sharing > 1);
        let session = &mut self.sessions[id.index()];
        match others {
            Some(by) => {
                session.lock = session.lock.max(Lock::Pending);
                Err(Refusal::Busy { by, may_wait: true })
            }
            None => {
                session.lock = Lock::Exclusive;
                Ok(())
            }
        }
    }

    fn other_reader(&self, id: SessionId) -> Option<SessionId> {
        let mut sessions = (0..).map(SessionId).zip(&self.sessions);
        sessions.find(|(other, session)| *other != id && session.lock > Lock::Unlocked).map(|(other, _)| other)
    }

    /// Ends the transaction; what was not committed is gone.
    fn end(&mut self, id: SessionId) {
        self.release(id);
        self.sessions[id.index()].in_transaction = false;
    }

    /// Lets go of everything, as before the first statement of a transaction.
    fn release(&mut self, id: SessionId) {
        self.end_checkpoint(id);
        let idle = Session { in_transaction: self.in_transaction(id), ..Session::IDLE };
        let session = std::mem::replace(&mut self.sessions[id.index()], idle);
        if session.lock > Lock::Unlocked {
            self.sharing -= 1;
            self.writer = self.writer.filter(|writer| *writer != id);
        }
    }
}

fn marks(sessions: &[Session]) -> impl Iterator<Item = (SessionId, Mark)> + Clone {
    (0..).map(SessionId).zip(sessions).filter_map(|(id, session)| Some((id, session.mark?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TableId;
    use crate::store::RowId;
    use crate::store::op::Keys;

    const A: SessionId = SessionId(0);
    const B: SessionId = SessionId(1);
    const C: SessionId = SessionId(2);

    fn row(key: u64) -> RowId {
        RowId { table: TableId(0), key }
    }

    /// Rows 0 to 199 hold 0; three sessions.
    fn database(config: SqliteConfig) -> Sqlite {
        let mut tables = Tables::new(1);
        (0..200).for_each(|key| tables.fill(row(key), [0; 4]));
        let mut database = Sqlite::new(config, tables);
        assert_eq!([A, B, C], [(); 3].map(|()| database.open()));
        database
    }

    fn rollback_journal() -> Sqlite {
        database(SqliteConfig { journal: Journal::Rollback, ..SqliteConfig::default() })
    }

    fn read(database: &mut Sqlite, session: SessionId, key: u64) -> Result<i64, Refusal> {
        Ok(database.op(session, &Op::Read { row: row(key) })?.row.unwrap().fields[0])
    }

    fn add(database: &mut Sqlite, session: SessionId, key: u64) -> Result<Done, Refusal> {
        database.op(session, &Op::add(row(key), 0, 1))
    }

    fn busy(by: SessionId, may_wait: bool) -> Refusal {
        Refusal::Busy { by, may_wait }
    }

    #[test]
    fn a_refused_commit_keeps_new_readers_out_until_it_succeeds() {
        let mut database = rollback_journal();
        database.begin(B, Mode::Plain).unwrap();
        assert_eq!(read(&mut database, B, 1), Ok(0));
        database.begin(A, Mode::Immediate).unwrap();
        add(&mut database, A, 1).unwrap();
        assert_eq!(read(&mut database, C, 1), Ok(0));
        assert_eq!(database.commit(A), Err(busy(B, true)));
        assert_eq!((database.blocked_by(A), database.blocked_by(C)), (Some(B), Some(A)));
        assert_eq!(read(&mut database, C, 1), Err(busy(A, true)));
        assert_eq!(read(&mut database, B, 2), Ok(0));
        assert_eq!(add(&mut database, B, 2), Err(busy(A, false)));
        database.commit(B).unwrap();
        let commit = database.commit(A).unwrap();
        assert_eq!((commit.number, commit.pages, commit.syncs), (Some(1), 2, 4));
        assert_eq!(read(&mut database, C, 1), Ok(1));
    }

    #[test]
    fn a_statement_that_waits_for_readers_goes_on_where_it_was() {
        let mut database = rollback_journal();
        database.begin(B, Mode::Plain).unwrap();
        read(&mut database, B, 1).unwrap();
        assert_eq!(add(&mut database, A, 1), Err(busy(B, true)));
        assert_eq!(add(&mut database, A, 1), Err(busy(B, true)));
        assert_eq!(read(&mut database, C, 1), Err(busy(A, true)));
        database.commit(B).unwrap();
        assert_eq!(add(&mut database, A, 1).unwrap().commit.number, Some(1));
        assert_eq!(read(&mut database, C, 1), Ok(1));
    }

    #[test]
    fn giving_up_a_statement_undoes_it_but_not_its_transaction() {
        let mut database = rollback_journal();
        database.begin(B, Mode::Plain).unwrap();
        read(&mut database, B, 1).unwrap();
        assert_eq!(add(&mut database, A, 1), Err(busy(B, true)));
        database.give_up(A);
        assert_eq!(read(&mut database, C, 1), Ok(0));
        database.begin(A, Mode::Plain).unwrap();
        add(&mut database, A, 1).unwrap();
        assert_eq!(database.commit(A), Err(busy(B, true)));
        database.give_up(A);
        database.rollback(B).unwrap();
        assert!(database.commit(A).is_ok());
        assert_eq!(read(&mut database, C, 1), Ok(1));
    }

    #[test]
    fn an_exclusive_transaction_keeps_readers_out_but_for_a_wal() {
        let mut database = rollback_journal();
        database.begin(A, Mode::Exclusive).unwrap();
        assert_eq!(read(&mut database, B, 1), Err(busy(A, true)));
        let mut database = self::database(SqliteConfig::default());
        database.begin(A, Mode::Exclusive).unwrap();
        assert_eq!(read(&mut database, B, 1), Ok(0));
        assert_eq!(database.begin(B, Mode::Immediate), Err(busy(A, true)));
    }

    #[test]
    fn in_a_wal_an_old_snapshot_stays_as_it_was_and_cannot_write() {
        let mut database = database(SqliteConfig::default());
        database.begin(A, Mode::Plain).unwrap();
        assert_eq!(read(&mut database, A, 1), Ok(0));
        database.begin(B, Mode::Immediate).unwrap();
        add(&mut database, B, 1).unwrap();
        assert_eq!(add(&mut database, A, 2), Err(busy(B, false)));
        let commit = database.commit(B).unwrap();
        assert_eq!((commit.number, commit.pages, commit.syncs), (Some(1), 1, 2));
        assert_eq!((read(&mut database, A, 1), read(&mut database, C, 1)), (Ok(0), Ok(1)));
        assert_eq!(add(&mut database, A, 2), Err(Refusal::BusySnapshot));
        database.rollback(A).unwrap();
        assert!(add(&mut database, A, 2).is_ok());
    }

    #[test]
    fn what_is_rolled_back_or_cut_off_is_gone() {
        for end in [|d: &mut Sqlite| d.rollback(A).unwrap(), |d: &mut Sqlite| d.close(A)] {
            let mut database = database(SqliteConfig::default());
            database.begin(A, Mode::Plain).unwrap();
            add(&mut database, A, 1).unwrap();
            assert_eq!((read(&mut database, A, 1), read(&mut database, B, 1)), (Ok(1), Ok(0)));
            end(&mut database);
            assert_eq!((read(&mut database, A, 1), database.commits()), (Ok(0), 0));
            assert_eq!(database.begin(B, Mode::Immediate), Ok(()));
        }
    }

    #[test]
    fn pages_count_once_in_a_transaction() {
        let mut database = database(SqliteConfig::default());
        database.begin(A, Mode::Plain).unwrap();
        assert_eq!(add(&mut database, A, 1).unwrap().pages_written, 1);
        assert_eq!(add(&mut database, A, 2).unwrap().pages_written, 0);
        let all = Op::Delete { keys: Keys::all(TableId(0)), filter: crate::store::Filter::Equals(0, 0) };
        let done = database.op(A, &all).unwrap();
        assert_eq!((done.rows, done.rows_scanned, done.pages_written), (198, 200, 3));
        assert_eq!(database.commit(A).unwrap().pages, 4);
    }

    #[test]
    fn the_thousandth_frame_brings_a_checkpoint_and_the_log_starts_again() {
        let mut database = database(SqliteConfig::default());
        for _ in 1..1_000 {
            assert_eq!(add(&mut database, A, 1).unwrap().commit.checkpoint, None);
        }
        let done = Checkpoint { blocked_by: None, frames: 1_000, backfilled: 1_000, pages: 1, syncs: 2 };
        assert_eq!(add(&mut database, A, 1).unwrap().commit.checkpoint, Some(done));
        add(&mut database, A, 1).unwrap();
        assert_eq!((database.wal().frames(), database.wal().file_frames(), database.wal().restarts()), (1, 1_000, 1));
    }

    #[test]
    fn a_long_reader_lets_the_log_grow() {
        let mut database = database(SqliteConfig::default());
        add(&mut database, A, 1).unwrap();
        database.begin(B, Mode::Plain).unwrap();
        read(&mut database, B, 1).unwrap();
        for _ in 0..3_000 {
            add(&mut database, A, 1).unwrap();
        }
        assert_eq!((database.wal().frames(), database.wal().backfilled()), (3_001, 1));
        database.commit(B).unwrap();
        add(&mut database, A, 1).unwrap();
        add(&mut database, A, 1).unwrap();
        assert_eq!(database.wal().frames(), 1);
    }

    #[test]
    fn a_checkpoint_that_waits_for_a_reader_keeps_writers_out() {
        let mut database = database(SqliteConfig::default());
        database.begin(B, Mode::Plain).unwrap();
        read(&mut database, B, 1).unwrap();
        add(&mut database, A, 1).unwrap();
        let blocked = database.checkpoint(A, CheckpointMode::Truncate).unwrap();
        assert_eq!((blocked.blocked_by, blocked.backfilled), (Some(B), 0));
        assert_eq!(add(&mut database, C, 1), Err(busy(A, true)));
        database.commit(B).unwrap();
        let done = database.checkpoint(A, CheckpointMode::Truncate).unwrap();
        assert_eq!((done.blocked_by, done.frames, done.pages), (None, 0, 1));
        assert!(add(&mut database, C, 1).is_ok());
        database.begin(C, Mode::Immediate).unwrap();
        assert_eq!(database.checkpoint(C, CheckpointMode::Full), Err(Refusal::Locked));
        assert_eq!(database.checkpoint(A, CheckpointMode::Full).unwrap().blocked_by, Some(C));
        database.give_up(A);
        assert_eq!(database.checkpoint(A, CheckpointMode::Passive).unwrap().blocked_by, None);
    }
}
