//! A `sqlite` model: statements of several connections, one after the other.

use super::{Answers, read::read};
use crate::ids::{SessionId, TableId};
use crate::scenario::read::{Read, Reading};
use crate::scenario::{Problem, spec};
use crate::store::{CheckpointMode, Done, Journal, Mode, Op, Refusal, RowId, Sqlite, SqliteConfig, Tables};
use serde_json::{Value, json};
use std::collections::BTreeMap;

spec! {
    struct Model {
        store: Store,
        steps: Vec<Step>,
    }
}

spec! {
    /// Statements come one at a time, so a lock that refuses one is not given back while it waits: however long the busy
    /// timeout, the answer is the same.
    struct Store {
        journal_mode: JournalMode,
        _busy_timeout_ms as "busy_timeout_ms": u64,
        rows: Vec<Row>,
    }
}

spec! {
    enum JournalMode {
        Delete,
        Wal,
    }
}

spec! {
    struct Row {
        key: i64,
        value: i64,
    }
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Step {
    session: String,
    statement: Statement,
}

/// The session stands among the fields of the statement.
impl Read for Step {
    fn blank() -> Step {
        Step { session: String::blank(), statement: Statement::blank() }
    }

    fn read(&mut self, value: &Value, reading: &mut Reading) -> bool {
        let mut statement = value.clone();
        let session = statement.as_object_mut().and_then(|fields| fields.remove("session")).unwrap_or_default();
        self.session.read(&session, &mut reading.at("session")) & self.statement.read(&statement, reading)
    }
}

spec! {
    #[derive(Copy)]
    enum Statement tagged "op" {
        Begin {},
        BeginImmediate {},
        Read { key: i64 },
        Set { key: i64, value: i64 },
        Add { key: i64, value: i64 },
        Commit {},
        Rollback {},
        CheckpointTruncate {},
    }
}

/// `results`, one for each step: `OK`, the value read, a checkpoint's row, or the name of the error.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { store, steps } = read(model)?;
    let mut numbers = BTreeMap::new();
    let mut tables = Tables::new(1);
    for (at, row) in (0..).zip(&store.rows) {
        if numbers.insert(row.key, at).is_some() {
            let what = format!("has the key {} again", row.key);
            return Err(vec![Problem::new(format!("store.rows.{at}"), what, "Give each row its own key.")]);
        }
        tables.fill(RowId { table: TableId(0), key: at }, [row.value, 0, 0, 0]);
    }
    let journal = match store.journal_mode {
        JournalMode::Delete => Journal::Rollback,
        JournalMode::Wal => Journal::Wal,
    };
    let mut database = Sqlite::new(SqliteConfig { journal, ..SqliteConfig::default() }, tables);
    let mut sessions = BTreeMap::new();
    // A key that no row has gets the number after the last.
    let row = |key| RowId { table: TableId(0), key: numbers.get(&key).copied().unwrap_or(store.rows.len() as u64) };
    let mut results = Vec::new();
    for Step { session, statement } in steps {
        let session = *sessions.entry(session).or_insert_with(|| database.open());
        results.push(perform(&mut database, session, statement, row));
    }
    Ok(Answers::from_iter([("results".to_string(), Value::from(results))]))
}

fn perform(database: &mut Sqlite, session: SessionId, statement: Statement, row: impl Fn(i64) -> RowId) -> Value {
    let ok = |()| Value::from("OK");
    let result = match statement {
        Statement::Begin {} => database.begin(session, Mode::Plain).map(ok),
        Statement::BeginImmediate {} => database.begin(session, Mode::Immediate).map(ok),
        Statement::Read { key } => database.op(session, &Op::Read { row: row(key) }).map(value),
        Statement::Set { key, value } => database.op(session, &Op::set(row(key), 0, value)).map(|_| ok(())),
        Statement::Add { key, value } => database.op(session, &Op::add(row(key), 0, value)).map(|_| ok(())),
        Statement::Commit {} => database.commit(session).map(|_| ok(())),
        Statement::Rollback {} => database.rollback(session).map(ok),
        Statement::CheckpointTruncate {} => database
            .checkpoint(session, CheckpointMode::Truncate)
            .map(|done| json!([u8::from(done.blocked_by.is_some()), done.frames, done.backfilled])),
    };
    database.give_up(session);
    result.unwrap_or_else(|refusal| name(refusal).into())
}

fn value(done: Done) -> Value {
    done.row.map_or(Value::Null, |row| row.fields[0].into())
}

fn name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Busy { .. } => "SQLITE_BUSY",
        Refusal::BusySnapshot => "SQLITE_BUSY_SNAPSHOT",
        Refusal::Locked => "SQLITE_LOCKED",
        _ => "SQLITE_ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(steps: Value) -> Result<Value, Vec<Problem>> {
        let store = json!({ "journal_mode": "wal", "busy_timeout_ms": 0, "rows": [{ "key": -1, "value": 5 }] });
        decide(&json!({ "type": "sqlite", "time_unit": "ms", "store": store, "steps": steps }))
            .map(|answers| answers["results"].clone())
    }

    #[test]
    fn every_word_of_the_schema_has_its_answer() {
        let steps = json!([
            { "session": "A", "op": "add", "key": -1, "value": 2 },
            { "session": "A", "op": "read", "key": -1 },
            { "session": "A", "op": "read", "key": 7 },
            { "session": "A", "op": "commit" },
            { "session": "A", "op": "begin_immediate" },
            { "session": "B", "op": "set", "key": -1, "value": 0 },
            { "session": "A", "op": "checkpoint_truncate" },
            { "session": "A", "op": "rollback" },
            { "session": "B", "op": "checkpoint_truncate" },
        ]);
        let expected = json!(["OK", 7, null, "SQLITE_ERROR", "OK", "SQLITE_BUSY", "SQLITE_LOCKED", "OK", [0, 0, 0]]);
        assert_eq!(results(steps), Ok(expected));
    }

    #[test]
    fn a_step_with_a_field_too_many_is_refused() {
        for step in [
            json!({ "session": "A", "op": "commit", "key": 1 }),
            json!({ "session": "A", "op": "read" }),
            json!({ "session": "A", "op": "vacuum" }),
        ] {
            assert!(results(json!([step])).is_err(), "{step}");
        }
    }
}
