//! The store model beside the real SQLite: the same statements give the same values and the same errors, step by step.
//!
//! A few connections to one file, busy timeout 0, statements in random order: whatever SQLite answers, the model does.

use proptest::prelude::*;
use rusqlite::{Connection, ErrorCode, OptionalExtension, ffi};
use sandbox_core::ids::{SessionId, TableId};
use sandbox_core::store::{
    CheckpointMode, Filter, Journal, Keys, Mode, Op, Refusal, RowId, Sqlite, SqliteConfig, Synchronous, Tables,
};

const TABLE: TableId = TableId(0);
const ROWS: u64 = 3;

/// One statement of one connection.
#[derive(Clone, Copy, Debug)]
enum Statement {
    Begin(Mode),
    Read(u64),
    Count,
    Set(u64, i64),
    Add(u64, i64),
    Insert(u64, i64),
    Delete(u64),
    AddToAllFrom(i64, i64),
    Commit,
    Rollback,
    Checkpoint(CheckpointMode),
}

/// What a statement gave: numbers, or the name of an error.
type Answer = Result<Vec<i64>, &'static str>;

/// Both stores with the same rows.
struct Pair {
    model: Sqlite,
    connections: Vec<Connection>,
    _folder: tempfile::TempDir,
}

impl Pair {
    fn new(config: SqliteConfig, connections: usize) -> Pair {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.db");
        let connections: Vec<Connection> = (0..connections)
            .map(|_| {
                let connection = Connection::open(&file).unwrap();
                let mode = if config.journal == Journal::Wal { "wal" } else { "delete" };
                let set = format!(
                    "PRAGMA journal_mode = {mode}; PRAGMA wal_autocheckpoint = {}; PRAGMA synchronous = OFF;
                     PRAGMA busy_timeout = 0;",
                    config.auto_checkpoint_frames
                );
                connection.execute_batch(&set).unwrap();
                connection
            })
            .collect();
        let create = "CREATE TABLE rows (key INTEGER PRIMARY KEY, value INTEGER NOT NULL, version INTEGER NOT NULL)";
        connections[0].execute_batch(create).unwrap();
        let mut tables = Tables::new(1);
        for key in 0..ROWS {
            connections[0].execute("INSERT INTO rows VALUES (?1, 0, 1)", [key as i64]).unwrap();
            tables.fill(row(key), [0; 4]);
        }
        // Every connection has read the schema, and the log is empty, as in the model.
        for connection in &connections {
            connection.query_row("SELECT count(*) FROM rows", [], |_| Ok(())).unwrap();
        }
        connections[0].query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let mut model = Sqlite::new(config, tables);
        for number in 0..connections.len() {
            assert_eq!(model.open().index(), number);
        }
        Pair { model, connections, _folder: folder }
    }

    /// The answers of the model and of SQLite.
    fn perform(&mut self, session: usize, statement: Statement) -> (Answer, Answer) {
        let modelled = modelled(&mut self.model, SessionId(session as u32), statement);
        let real = real(&self.connections[session], statement).map_err(|error| name(&error));
        (modelled, real)
    }
}

fn row(key: u64) -> RowId {
    RowId { table: TABLE, key }
}

fn modelled(model: &mut Sqlite, session: SessionId, statement: Statement) -> Answer {
    let op = |op: Op| move |model: &mut Sqlite| model.op(session, &op);
    let changed = |done: sandbox_core::store::Done| vec![done.rows as i64];
    let all = Keys::all(TABLE);
    let answer = match statement {
        Statement::Begin(mode) => model.begin(session, mode).map(|()| vec![]),
        Statement::Commit => model.commit(session).map(|_| vec![]),
        Statement::Rollback => model.rollback(session).map(|()| vec![]),
        Statement::Checkpoint(mode) => {
            let done = model.checkpoint(session, mode);
            done.map(|done| vec![done.blocked_by.is_some().into(), done.frames.into(), done.backfilled.into()])
        }
        Statement::Read(key) => op(Op::Read { row: row(key) })(model)
            .map(|done| done.row.map_or(vec![], |row| vec![row.fields[0], row.version as i64])),
        Statement::Count => op(Op::Scan { keys: all, filter: Filter::Any, sum: Some(0) })(model)
            .map(|done| vec![done.rows as i64, done.sum]),
        Statement::Set(key, value) => op(Op::set(row(key), 0, value))(model).map(changed),
        Statement::Add(key, value) => op(Op::add(row(key), 0, value))(model).map(changed),
        Statement::Insert(key, value) => op(Op::Insert { row: row(key), fields: [value, 0, 0, 0] })(model).map(changed),
        Statement::Delete(key) => op(Op::Delete { keys: Keys::one(row(key)), filter: Filter::Any })(model).map(changed),
        Statement::AddToAllFrom(least, value) => {
            let Op::Update { changes, .. } = Op::add(row(0), 0, value) else { unreachable!() };
            op(Op::Update { keys: all, filter: Filter::AtLeast(0, least), changes })(model).map(changed)
        }
    };
    model.give_up(session);
    answer.map_err(|refusal| match refusal {
        Refusal::Busy { .. } => "SQLITE_BUSY",
        Refusal::BusySnapshot => "SQLITE_BUSY_SNAPSHOT",
        Refusal::Locked => "SQLITE_LOCKED",
        Refusal::Misuse => "SQLITE_ERROR",
        other => panic!("{other:?} is not SQLite's"),
    })
}

fn real(connection: &Connection, statement: Statement) -> rusqlite::Result<Vec<i64>> {
    let batch = |sql: &str| connection.execute_batch(sql).map(|()| vec![]);
    let changed =
        |sql: &str, numbers: &[i64]| Ok(vec![connection.execute(sql, rusqlite::params_from_iter(numbers))? as i64]);
    match statement {
        Statement::Begin(Mode::Immediate) => batch("BEGIN IMMEDIATE"),
        Statement::Begin(Mode::Exclusive) => batch("BEGIN EXCLUSIVE"),
        Statement::Begin(_) => batch("BEGIN"),
        Statement::Commit => batch("COMMIT"),
        Statement::Rollback => batch("ROLLBACK"),
        Statement::Checkpoint(mode) => {
            let sql = format!("PRAGMA wal_checkpoint({mode:?})");
            // A rollback journal has no frames, which SQLite writes as -1.
            let frames = |frames: i64| frames.max(0);
            connection.query_row(&sql, [], |row| Ok(vec![row.get(0)?, frames(row.get(1)?), frames(row.get(2)?)]))
        }
        Statement::Read(key) => {
            let sql = "SELECT value, version FROM rows WHERE key = ?1";
            let found = connection.query_row(sql, [key as i64], |row| Ok(vec![row.get(0)?, row.get(1)?])).optional();
            found.map(Option::unwrap_or_default)
        }
        Statement::Count => {
            let sql = "SELECT count(*), coalesce(sum(value), 0) FROM rows";
            connection.query_row(sql, [], |row| Ok(vec![row.get(0)?, row.get(1)?]))
        }
        Statement::Set(key, value) => {
            changed("UPDATE rows SET value = ?2, version = version + 1 WHERE key = ?1", &[key as i64, value])
        }
        Statement::Add(key, value) => {
            changed("UPDATE rows SET value = value + ?2, version = version + 1 WHERE key = ?1", &[key as i64, value])
        }
        Statement::Insert(key, value) => {
            changed("INSERT INTO rows VALUES (?1, ?2, 1) ON CONFLICT DO NOTHING", &[key as i64, value])
        }
        Statement::Delete(key) => changed("DELETE FROM rows WHERE key = ?1", &[key as i64]),
        Statement::AddToAllFrom(least, value) => {
            changed("UPDATE rows SET value = value + ?2, version = version + 1 WHERE value >= ?1", &[least, value])
        }
    }
}

fn name(error: &rusqlite::Error) -> &'static str {
    let Some(code) = error.sqlite_error() else { panic!("{error}") };
    match (code.extended_code, code.code) {
        (ffi::SQLITE_BUSY, _) => "SQLITE_BUSY",
        (ffi::SQLITE_BUSY_SNAPSHOT, _) => "SQLITE_BUSY_SNAPSHOT",
        (_, ErrorCode::DatabaseLocked) => "SQLITE_LOCKED",
        (ffi::SQLITE_ERROR, _) => "SQLITE_ERROR",
        _ => panic!("{error}"),
    }
}

fn statement() -> impl Strategy<Value = Statement> {
    let mode = prop_oneof![4 => Just(Mode::Plain), 2 => Just(Mode::Immediate), 1 => Just(Mode::Exclusive)];
    let checkpoint = prop::sample::select(vec![
        CheckpointMode::Passive,
        CheckpointMode::Full,
        CheckpointMode::Restart,
        CheckpointMode::Truncate,
    ]);
    let key = 0..ROWS + 2;
    prop_oneof![
        6 => mode.prop_map(Statement::Begin),
        5 => key.clone().prop_map(Statement::Read),
        1 => Just(Statement::Count),
        2 => (key.clone(), 0i64..9).prop_map(|(key, value)| Statement::Set(key, value)),
        3 => (key.clone(), 1i64..9).prop_map(|(key, value)| Statement::Add(key, value)),
        1 => (key.clone(), 0i64..9).prop_map(|(key, value)| Statement::Insert(key, value)),
        1 => key.prop_map(Statement::Delete),
        1 => (0i64..9, 1i64..9).prop_map(|(least, value)| Statement::AddToAllFrom(least, value)),
        4 => Just(Statement::Commit),
        1 => Just(Statement::Rollback),
        2 => checkpoint.prop_map(Statement::Checkpoint),
    ]
}

const ROLLBACK: SqliteConfig =
    SqliteConfig { journal: Journal::Rollback, synchronous: Synchronous::Full, auto_checkpoint_frames: 1_000 };
const WAL: SqliteConfig = SqliteConfig { journal: Journal::Wal, ..ROLLBACK };

fn run(config: SqliteConfig, connections: usize, statements: &[(usize, Statement)]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(config, connections);
    for (at, (session, statement)) in statements.iter().enumerate() {
        let session = session % connections;
        // Inside a transaction SQLite refuses BEGIN IMMEDIATE only after it has taken the lock: nobody relies on that.
        let nested = pair.model.in_transaction(SessionId(session as u32));
        let statement = match statement {
            Statement::Begin(_) if nested => Statement::Begin(Mode::Plain),
            other => *other,
        };
        let (modelled, real) = pair.perform(session, statement);
        prop_assert_eq!(modelled, real, "step {}: {} {:?}", at, session, statement);
    }
    Ok(())
}

/// What random statements have shown.
#[test]
fn known_corners() {
    use Statement::{Add, Begin, Checkpoint, Commit, Read, Set};
    const IMMEDIATE: Statement = Begin(Mode::Immediate);
    const PLAIN: Statement = Begin(Mode::Plain);
    const TRUNCATE: Statement = Checkpoint(CheckpointMode::Truncate);
    let both: [&[(usize, Statement)]; 3] = [
        // A first statement that is refused leaves its transaction open.
        &[(0, PLAIN), (1, IMMEDIATE), (0, Set(0, 0)), (0, Commit)],
        // With a rollback journal a writer that has changed nothing still keeps readers out to commit.
        &[(0, PLAIN), (1, IMMEDIATE), (0, Read(0)), (1, Commit), (2, Read(0)), (0, Commit), (1, Commit)],
        // A cut of an empty log makes a snapshot old, though nobody has written.
        &[(0, PLAIN), (0, Read(0)), (1, TRUNCATE), (0, Add(0, 1)), (0, Commit)],
    ];
    for statements in both {
        run(ROLLBACK, 3, statements).unwrap();
        run(WAL, 3, statements).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn with_a_rollback_journal(
        connections in 2usize..=4, statements in prop::collection::vec((0usize..4, statement()), 1..60),
    ) {
        run(ROLLBACK, connections, &statements)?;
    }

    #[test]
    fn with_a_write_ahead_log(
        auto_checkpoint_frames in prop::sample::select(vec![0, 1, 4, 1_000]),
        connections in 2usize..=4, statements in prop::collection::vec((0usize..4, statement()), 1..100),
    ) {
        run(SqliteConfig { auto_checkpoint_frames, ..WAL }, connections, &statements)?;
    }
}
