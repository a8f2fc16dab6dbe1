//! A store that is a real SQLite file: `readers` reading connections and one that writes, each on a thread of its own.
//!
//! The pool's admission is in the world, which never hands out more calls than there are connections; the threads
//! here only perform. An outage is real: what is under way is finished, the pool's connections are closed, and one
//! more connection holds the file exclusively. While it lasts every call opens the file anew and gets SQLite's own
//! error, at once, because nobody waits for the lock. The lock dies with the process.

use super::RealCall;
use crate::clock;
use crate::mount::mailbox::{Content, Mailbox};
use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension, Params, TransactionBehavior, ffi};
use sandbox_core::engine::{CallOp, CallResult};
use sandbox_core::ids::RequestId;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the outage tries to get the file for itself; strangers may hold it.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// A SQLite file with its connections.
pub struct Sqlite {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    file: PathBuf,
    node: String,
    run: Arc<str>,
    mailbox: Arc<Mailbox>,
    reads: Line,
    writes: Line,
    faults: Line<bool>,
    /// Held for reading while a call is performed, for writing while an outage begins or ends.
    gate: RwLock<()>,
    /// The pool: readers first, the writer last. Each belongs to one thread; an outage takes all of them.
    pool: Vec<Mutex<Option<Connection>>>,
    /// Of requests, and of the world's own probes: these must not hide those.
    errors: [Mutex<Errors>; 2],
}

/// A line of things to do, for threads that wait for them.
struct Line<T = RealCall> {
    waiting: Mutex<(VecDeque<T>, bool)>,
    bell: Condvar,
}

impl<T> Line<T> {
    fn new() -> Line<T> {
        Line { waiting: Mutex::new((VecDeque::new(), false)), bell: Condvar::new() }
    }

    fn put(&self, item: T) {
        lock(&self.waiting).0.push_back(item);
        self.bell.notify_one();
    }

    /// The next thing to do; None when the line is closed.
    fn take(&self) -> Option<T> {
        let mut waiting = lock(&self.waiting);
        loop {
            if let Some(item) = waiting.0.pop_front() {
                return Some(item);
            }
            if waiting.1 {
                return None;
            }
            waiting = self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        lock(&self.waiting).1 = true;
        self.bell.notify_all();
    }
}

impl Sqlite {
    /// Opens the file, fills it with `rows` rows if they are missing, and starts the threads.
    pub fn open(
        file: &Path,
        readers: u32,
        rows: u32,
        node: &str,
        mailbox: Arc<Mailbox>,
        run: Arc<str>,
    ) -> rusqlite::Result<Sqlite> {
        fill(file, rows)?;
        let readers = readers as usize;
        let shared = Arc::new(Shared {
            file: file.to_path_buf(),
            node: node.to_string(),
            run,
            mailbox,
            reads: Line::new(),
            writes: Line::new(),
            faults: Line::new(),
            gate: RwLock::new(()),
            pool: (0..=readers).map(|_| Mutex::new(None)).collect(),
            errors: Default::default(),
        });
        for place in 0..=readers {
            *lock(&shared.pool[place]) = Some(shared.connect(place)?);
        }
        let mut threads = Vec::new();
        for place in 0..=readers {
            let shared = shared.clone();
            threads.push(spawn(&format!("{node}-{place}"), move || {
                let line = if shared.is_writer(place) { &shared.writes } else { &shared.reads };
                while let Some(call) = line.take() {
                    shared.serve(place, call);
                }
            }));
        }
        let faults = shared.clone();
        threads.push(spawn(&format!("{node}-faults"), move || faults.make_faults_real()));
        Ok(Sqlite { shared, threads })
    }

    /// Performs a call on the next free connection.
    pub fn perform(&self, call: RealCall) {
        match call.op {
            CallOp::Write { .. } | CallOp::WriteIf { .. } => self.shared.writes.put(call),
            CallOp::Read { .. } | CallOp::Ping => self.shared.reads.put(call),
        }
    }

    /// Begins or ends the outage, without waiting for it.
    pub fn set_down(&self, down: bool) {
        self.shared.faults.put(down);
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.shared.reads.close();
        self.shared.writes.close();
        self.shared.faults.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn is_writer(&self, place: usize) -> bool {
        place + 1 == self.pool.len()
    }

    fn serve(&self, place: usize, call: RealCall) {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let start = Instant::now();
        let answer = self.work(place, call.op);
        let end = Instant::now();
        drop(gate);
        let result = match answer {
            Ok(Some(version)) => CallResult::Done { version },
            Ok(None) if matches!(call.op, CallOp::WriteIf { .. }) => CallResult::Outdated,
            Ok(None) => {
                self.log(call, "there is no such row", None, end);
                CallResult::Failed
            }
            Err(error) => {
                self.log(call, &error.to_string(), error.sqlite_error_code(), end);
                CallResult::Failed
            }
        };
        self.mailbox.put(end, Content::Reply(call.call, result, clock::span(end - start)));
    }

    /// Runs the statement on this thread's connection, opening the file if need be. An error closes the connection,
    /// so that the next call looks at the file anew.
    fn work(&self, place: usize, op: CallOp) -> rusqlite::Result<Option<u64>> {
        let mut slot = lock(&self.pool[place]);
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.connect(place)?,
        };
        let answer = perform(&connection, op)?;
        *slot = Some(connection);
        Ok(answer)
    }

    fn connect(&self, place: usize) -> rusqlite::Result<Connection> {
        connect(&self.file, !self.is_writer(place))
    }

    fn log(&self, call: RealCall, error: &str, code: Option<rusqlite::ErrorCode>, now: Instant) {
        let probe = call.request == RequestId::NONE;
        let Some(unlogged) = lock(&self.errors[usize::from(probe)]).on_error(now) else { return };
        let request_id = if probe { format!("{}-probe", self.run) } else { format!("{}-{}", self.run, call.request.0) };
        tracing::error!(
            request_id,
            node = %self.node,
            op = ?call.op,
            error,
            sqlite_code = ?code,
            not_logged_since = unlogged,
            "the database failed"
        );
    }

    /// Begins and ends outages, one after the other, until the line is closed.
    fn make_faults_real(&self) {
        let mut holder = None;
        while let Some(down) = self.faults.take() {
            let begun = Instant::now();
            let gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
            if down && holder.is_none() {
                for place in &self.pool {
                    drop(lock(place).take());
                }
                match hold(&self.file) {
                    Ok(connection) => holder = Some(connection),
                    Err(error) => tracing::error!(node = %self.node, %error, "the outage could not be made real"),
                }
            } else if !down && holder.take().is_some() {
                // The writer opens the file first and alone: it may have to recover the WAL, which keeps others out.
                let place = self.pool.len() - 1;
                match self.connect(place) {
                    Ok(connection) => *lock(&self.pool[place]) = Some(connection),
                    Err(error) => tracing::error!(node = %self.node, %error, "the file cannot be opened again"),
                }
            }
            drop(gate);
            let unlogged: u64 = self.errors.iter().map(|errors| lock(errors).flush()).sum();
            let took_ms = begun.elapsed().as_secs_f64() * 1e3;
            tracing::warn!(node = %self.node, down, took_ms, not_logged_since = unlogged, "the outage was switched");
        }
    }
}

/// Says which errors are logged: the first at once, then one a second, which tells how many were not.
#[derive(Default)]
struct Errors {
    logged_at: Option<Instant>,
    unlogged: u64,
}

impl Errors {
    const INTERVAL: Duration = Duration::from_secs(1);

    /// Some(number of errors not logged since the last one that was) if this error is to be logged.
    fn on_error(&mut self, now: Instant) -> Option<u64> {
        if self.logged_at.is_some_and(|at| now.saturating_duration_since(at) < Self::INTERVAL) {
            self.unlogged += 1;
            return None;
        }
        self.logged_at = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }

    /// The number of errors not logged; the next one is logged at once.
    fn flush(&mut self) -> u64 {
        self.logged_at = None;
        std::mem::take(&mut self.unlogged)
    }
}

/// Creates the table and its rows where they are missing, and counts them all. Versions that are there stay.
pub fn fill(file: &Path, rows: u32) -> rusqlite::Result<u32> {
    let mut connection = connect(file, false)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body TEXT)",
    )?;
    let mut insert =
        transaction.prepare("INSERT INTO items (id, version, body) VALUES (?1, 1, ?2) ON CONFLICT (id) DO NOTHING")?;
    for id in 0..rows {
        insert.execute((id, format!("item {id}")))?;
    }
    drop(insert);
    let count = transaction.query_row("SELECT count(*) FROM items", [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(count)
}

/// A connection in WAL mode that syncs every commit and waits for nobody.
fn connect(file: &Path, reads_only: bool) -> rusqlite::Result<Connection> {
    // A reader opens for writing too: whoever comes first after an outage must be able to create the WAL's index.
    let create = if reads_only { OpenFlags::empty() } else { OpenFlags::SQLITE_OPEN_CREATE };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    if reads_only {
        connection.pragma_update(None, "query_only", true)?;
    } else {
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            let code = ffi::Error::new(ffi::SQLITE_CANTOPEN);
            return Err(rusqlite::Error::SqliteFailure(
                code,
                Some(format!("it stays in journal mode {mode}, not WAL")),
            ));
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
    }
    Ok(connection)
}

/// Takes the file exclusively. In WAL mode that is possible only while nobody else has it open, and then keeps
/// everybody out: without shared memory for the WAL a second connection cannot even read.
fn hold(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(LOCK_PATIENCE)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(connection)
}

/// Performs one operation; the row's version, 0 for a ping, None if there is no such row, or not in that version.
fn perform(connection: &Connection, op: CallOp) -> rusqlite::Result<Option<u64>> {
    match op {
        CallOp::Read { key } => connection
            .prepare_cached("SELECT version, body FROM items WHERE id = ?1")?
            .query_row([key], version)
            .optional(),
        CallOp::Write { key } => write(
            connection.prepare_cached("UPDATE items SET version = version + 1 WHERE id = ?1 RETURNING version")?,
            [key],
        ),
        CallOp::WriteIf { key, version } => write(
            connection.prepare_cached(
                "UPDATE items SET version = version + 1 WHERE id = ?1 AND version = ?2 RETURNING version",
            )?,
            [i64::from(key), version as i64],
        ),
        CallOp::Ping => connection.prepare_cached("SELECT 0 FROM items LIMIT 1")?.query_row([], version).optional(),
    }
}

/// Writes at most one row; its new version. A single statement is its own transaction: when it returns, the commit is
/// synced. RETURNING hands its row out before that, so the statement is run to its end.
fn write(mut statement: CachedStatement<'_>, parameters: impl Params) -> rusqlite::Result<Option<u64>> {
    let mut rows = statement.query(parameters)?;
    let written = rows.next()?.map(version).transpose()?;
    while rows.next()?.is_some() {}
    Ok(written)
}

fn version(row: &rusqlite::Row<'_>) -> rusqlite::Result<u64> {
    row.get::<_, i64>(0).map(|version| version as u64)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_string()).spawn(work).expect("a thread can be started")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox_core::engine::CallId;

    struct Bench {
        part: Sqlite,
        mailbox: Arc<Mailbox>,
        file: PathBuf,
        _folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Bench {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("lab.sqlite");
            let mailbox = Arc::new(Mailbox::default());
            let part = Sqlite::open(&file, 2, 10, "db", mailbox.clone(), "test".into()).unwrap();
            Bench { part, mailbox, file, _folder: folder }
        }

        fn ask(&self, op: CallOp) -> (CallResult, Duration) {
            let start = Instant::now();
            self.part.perform(RealCall { call: CallId(1), request: RequestId(1), op });
            let letters = self.mailbox.wait(Some(start + Duration::from_secs(5)));
            match letters.first().map(|letter| &letter.what) {
                Some(Content::Reply(_, result, _)) => (*result, start.elapsed()),
                _ => panic!("no answer within 5 s"),
            }
        }

        /// Switches the outage and waits until it is so.
        fn set_down(&self, down: bool) {
            self.part.set_down(down);
            let patience = Instant::now() + Duration::from_secs(5);
            while matches!(self.ask(CallOp::Ping).0, CallResult::Failed) != down {
                assert!(Instant::now() < patience, "the outage was not switched");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    #[test]
    fn writes_raise_the_version_that_reads_return() {
        let bench = Bench::new();
        assert_eq!(bench.ask(CallOp::Read { key: 3 }).0, CallResult::Done { version: 1 });
        assert_eq!(bench.ask(CallOp::Write { key: 3 }).0, CallResult::Done { version: 2 });
        assert_eq!(bench.ask(CallOp::WriteIf { key: 3, version: 1 }).0, CallResult::Outdated);
        assert_eq!(bench.ask(CallOp::Read { key: 3 }).0, CallResult::Done { version: 2 });
        assert_eq!(bench.ask(CallOp::Read { key: 10 }).0, CallResult::Failed, "no such row");
        assert_eq!(bench.ask(CallOp::Ping).0, CallResult::Done { version: 0 });
    }

    #[test]
    fn an_outage_makes_real_queries_fail_at_once_and_ends() {
        let bench = Bench::new();
        bench.ask(CallOp::Write { key: 3 });
        bench.set_down(true);
        for op in [CallOp::Read { key: 3 }, CallOp::Write { key: 3 }, CallOp::Ping] {
            let (result, took) = bench.ask(op);
            assert_eq!(result, CallResult::Failed);
            assert!(took < Duration::from_millis(200), "{op:?} took {took:?}");
        }
        // Not only our own: any other connection gets SQLITE_BUSY.
        let stranger = connect(&bench.file, true).unwrap();
        let error = perform(&stranger, CallOp::Read { key: 3 }).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
        bench.set_down(false);
        assert_eq!(bench.ask(CallOp::Write { key: 3 }).0, CallResult::Done { version: 3 });
    }

    #[test]
    fn filling_twice_keeps_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lab.sqlite");
        fill(&file, 5).unwrap();
        let writer = connect(&file, false).unwrap();
        perform(&writer, CallOp::Write { key: 4 }).unwrap();
        assert_eq!(fill(&file, 6), Ok(6));
        assert_eq!(fill(&file, 3), Ok(6), "those that are there are counted");
        assert_eq!(perform(&writer, CallOp::Read { key: 4 }).unwrap(), Some(2));
        assert_eq!(perform(&writer, CallOp::Read { key: 5 }).unwrap(), Some(1));
    }

    #[test]
    fn the_first_error_is_logged_and_the_rest_are_counted() {
        let mut errors = Errors::default();
        let start = Instant::now();
        assert_eq!(errors.on_error(start), Some(0));
        assert_eq!(errors.on_error(start + Duration::from_millis(1)), None);
        assert_eq!(errors.on_error(start + Duration::from_millis(999)), None);
        assert_eq!(errors.on_error(start + Duration::from_millis(1000)), Some(2));
        assert_eq!(errors.on_error(start + Duration::from_millis(1001)), None);
        assert_eq!(errors.flush(), 1);
        assert_eq!(errors.on_error(start + Duration::from_millis(1002)), Some(0));
    }
}
