//! Databases: replicas and failover, conditions, questions, leaks, processors, the write-ahead log, through the ordinary
//! engine.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::trace::{Record, Refusal, What};
use serde_json::{Value, json};
use std::sync::Arc;

/// A service that does `steps` with a database of 100 rows, changed by `database`, for requests at `at_ms`.
fn document(database: Value, steps: Value, at_ms: &[f64], faults: Value) -> Value {
    let mut db = json!({
        "kind": "database", "engine": "server",
        "tables": { "items": { "rows": 100, "columns": { "n": 0 } }, "orders": { "columns": { "n": 0 } } },
        "read": { "dist": "constant", "value_ms": 1 }, "write": { "dist": "constant", "value_ms": 2 }
    });
    db.as_object_mut().unwrap().extend(database.as_object().unwrap().clone());
    json!({
        "format_version": 1, "id": "databases", "title": "Databases", "seed": 3, "duration_s": 20,
        "nodes": {
            "users": { "kind": "client" },
            "api": { "kind": "service", "routes": { "GET /": steps }, "calls": { "db": { "timeout_ms": 1000 } } },
            "db": db
        },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 100, "users": 1,
            "arrivals": { "process": "recorded", "at_ms": at_ms },
            "routes": { "GET /": { "weight": 1, "op": "write" } }
        } },
        "metrics": { "seen": { "unit": "1", "help": "What was seen.", "kind": "gauge", "source": "observed" } },
        "faults": faults
    })
}

fn records(document: Value) -> Vec<Record> {
    let plan = Document::from_json(document).plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    assert!(run.advance(u32::MAX));
    run.records(0..u32::MAX).iter().map(|logged| logged.record).collect()
}

fn ms(record: &Record) -> f64 {
    record.at.since(Time::ZERO).as_ms()
}

fn seen(records: &[Record]) -> Vec<f64> {
    let value = |record: &Record| match record.what {
        What::Observed { value, .. } => Some(value),
        _ => None,
    };
    records.iter().filter_map(value).collect()
}

/// When each request was answered, in milliseconds after the first was sent.
fn answered(records: &[Record]) -> Vec<f64> {
    records.iter().filter(|record| matches!(record.what, What::Answered { .. })).map(ms).collect()
}

fn problems(document: Value) -> Vec<String> {
    let problems = Document::from_json(document).plan("A", &[]).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

/// Adds 1 to row 0 and then observes what stands there, after a wait, according to `source`.
fn write_and_read(wait_ms: f64, source: &str) -> Value {
    json!([
        { "update": { "database": "db", "table": "items", "key": "0", "add": { "n": "1" } } },
        { "wait": { "dist": "constant", "value_ms": wait_ms } },
        { "select": { "database": "db", "table": "items", "key": "0", "column": "n", "source": source } },
        { "observe": { "seen": "value" } }
    ])
}

#[test]
fn a_replica_shows_what_it_has_been_told_so_far() {
    let replica = json!({ "replica": { "delay_ms": 50 } });
    let see =
        |wait_ms, source| seen(&records(document(replica.clone(), write_and_read(wait_ms, source), &[0.0], json!({}))));
    assert_eq!((see(40.0, "primary"), see(40.0, "peek")), (vec![1.0], vec![1.0]));
    // The write was committed when it ended.
    assert_eq!((see(49.9, "replica"), see(50.0, "replica")), (vec![0.0], vec![1.0]));
}

#[test]
fn a_peek_takes_no_time_and_a_replica_no_connection() {
    let at_ms = [0.0, 0.0, 0.0];
    let took = |source: &str| {
        let steps = json!([{ "select": { "database": "db", "table": "items", "key": "0", "source": source } }]);
        let database = json!({ "connections": 1, "replica": { "delay_ms": 50 } });
        answered(&records(document(database, steps, &at_ms, json!({}))))
    };
    assert_eq!(took("primary"), [1.0, 2.0, 3.0]);
    assert_eq!(took("replica"), [1.0, 1.0, 1.0]);
    assert_eq!(took("peek"), [0.0, 0.0, 0.0]);
}

#[test]
fn whoever_waits_for_the_replica_waits_there_and_back() {
    let steps = json!([
        { "begin": { "database": "db" } },
        { "update": { "database": "db", "table": "items", "key": "0", "add": { "n": "1" } } },
        { "commit": { "database": "db" } }
    ]);
    for (steps, took) in [(write_and_read(0.0, "peek"), 2.0), (steps, 2.0)] {
        for (semi_sync, more) in [(false, 0.0), (true, 14.0)] {
            let replica = json!({ "replica": { "delay_ms": 7, "semi_sync": semi_sync } });
            assert_eq!(answered(&records(document(replica, steps.clone(), &[0.0], json!({})))), [took + more]);
        }
    }
}

#[test]
fn a_failover_loses_what_was_on_its_way_and_cuts_every_connection() {
    let steps = json!([
        { "begin": { "database": "db" } },
        { "insert": { "database": "db", "table": "orders", "key": "request" } },
        { "commit": { "database": "db" } },
        { "wait": { "dist": "constant", "value_ms": 2000 } },
        { "select": { "database": "db", "table": "orders", "key": "request" } },
        { "observe": { "seen": "value" } }
    ]);
    let lost = json!({ "loss": { "node": "db", "effect": { "kind": "fail_over" }, "from_s": 0.1, "to_s": 0.5 } });
    let run = |semi_sync: bool| {
        let replica = json!({ "replica": { "delay_ms": 30, "semi_sync": semi_sync } });
        records(document(replica, steps.clone(), &[0.0, 50.0, 80.0, 99.0, 200.0], lost.clone()))
    };
    let of_lost = |run: &[Record]| {
        run.iter().filter(|record| record.what == What::CommitLost).map(|record| record.request.0).collect::<Vec<_>>()
    };
    let asynchronous = run(false);
    // Committed at 2, 52 and 82 ms; the fourth was cut in its work, the fifth refused.
    assert_eq!((of_lost(&asynchronous), seen(&asynchronous)), (vec![3], vec![1.0, 1.0, 0.0]));
    let fault = asynchronous.iter().find(|record| matches!(record.what, What::FaultBegan { .. })).unwrap();
    let loss = asynchronous.iter().find(|record| record.what == What::CommitLost).unwrap();
    assert_eq!(loss.cause, Some(fault.seq));
    let down = What::Refused { refusal: Refusal::Down };
    assert_eq!(asynchronous.iter().filter(|record| record.what == down).count(), 2);
    // Answered at 62 and 112 ms: the second was on its way back when all was cut, and is there all the same.
    let semi_sync = run(true);
    assert_eq!((of_lost(&semi_sync), seen(&semi_sync)), (vec![], vec![1.0]));
}

#[test]
fn questions_are_answered_at_once() {
    let ask = |what: &str| json!({ "inspect": { "database": "db", "what": what } });
    let observe = json!({ "observe": { "seen": "value" } });
    let lag = json!([
        { "update": { "database": "db", "table": "items", "key": "0", "add": { "n": "1" } } },
        { "wait": { "dist": "constant", "value_ms": 38 } }, ask("replica_lag_s"), observe,
        { "wait": { "dist": "constant", "value_ms": 20 } }, ask("replica_lag_s"), observe
    ]);
    let replica = json!({ "replica": { "delay_ms": 50 } });
    assert_eq!(seen(&records(document(replica, lag, &[0.0], json!({})))), [0.038, 0.0]);
    let open = json!([
        { "begin": { "database": "db" } },
        { "wait": { "dist": "constant", "value_ms": 500 } },
        ask("oldest_transaction_s"), observe, ask("connections"), observe,
        { "commit": { "database": "db" } }, ask("connections"), observe
    ]);
    assert_eq!(seen(&records(document(json!({}), open, &[0.0], json!({})))), [0.5, 1.0, 0.0]);
}

#[test]
fn a_leaked_connection_does_not_come_back() {
    let steps = json!([
        { "begin": { "database": "db" } },
        { "select": { "database": "db", "table": "items", "key": "0" } },
        { "if": { "when": "request == 1", "then": [{ "leak": { "database": "db" } }, { "respond": {} }] } },
        { "commit": { "database": "db" } },
        { "inspect": { "database": "db", "what": "connections" } },
        { "observe": { "seen": "value" } }
    ]);
    let run =
        |connections| records(document(json!({ "connections": connections }), steps.clone(), &[0.0, 10.0], json!({})));
    assert_eq!(seen(&run(2)), [1.0]);
    // The second waits for the only one until its patience ends.
    assert_eq!((seen(&run(1)), answered(&run(1))), (vec![], vec![1.0, 1010.0]));
}

#[test]
fn a_condition_is_judged_as_the_row_is_changed() {
    let steps = json!([
        { "wait": { "dist": "constant", "value_ms": 5 } },
        { "update": { "database": "db", "table": "items", "key": "0", "add": { "n": "1" },
            "where": { "column": "n", "below": "2" } } },
        { "observe": { "seen": "value" } },
        { "scan": { "database": "db", "table": "items", "from": "0", "to": "50", "where": { "column": "n", "at_least": "2" } } },
        { "observe": { "seen": "10 + value" } }
    ]);
    let got = seen(&records(document(json!({}), steps, &[0.0, 0.0, 0.0], json!({}))));
    // One after the other, each when the one before it has committed.
    assert_eq!(got, [1.0, 10.0, 1.0, 11.0, 0.0, 11.0]);
}

/// X(n) = cores / (s (1 + c (n - cores))): the throughput of n queries on so many cores that get in each other's way.
#[test]
fn more_queries_than_cores_slow_each_other_down() {
    let throughput = |connections: u32| {
        let steps = json!([{ "select": { "database": "db", "table": "items", "key": "0" } }]);
        let mut document = document(
            json!({ "connections": connections, "cores": 8, "contention": 0.01, "read": { "dist": "exponential", "mean_ms": 5 } }),
            steps,
            &[0.0],
            json!({}),
        );
        document["nodes"]["api"]["calls"] = json!({});
        document["workloads"]["load"]["arrivals"] =
            json!({ "process": "closed_loop", "clients": 100, "think": { "dist": "constant", "value_ms": 1 } });
        answered(&records(document)).len() as f64 / 20.0
    };
    for connections in [8, 16, 64] {
        let expected = 8.0 / 0.005 / (1.0 + 0.01 * f64::from(connections - 8));
        let got = throughput(connections);
        assert!((got / expected - 1.0).abs() < 0.03, "{connections}: {got}, not {expected}");
    }
}

#[test]
fn what_a_database_does_not_have_is_refused() {
    let select = json!([{ "select": { "database": "db", "table": "items", "key": "0", "source": "replica" } }]);
    assert!(problems(document(json!({}), select, &[0.0], json!({})))[0].contains("has no replica"));
    let ask = |what: &str| json!([{ "inspect": { "database": "db", "what": what } }]);
    assert!(problems(document(json!({}), ask("wal_bytes"), &[0.0], json!({})))[0].contains("no write-ahead log"));
    assert!(problems(document(json!({}), ask("replica_lag_s"), &[0.0], json!({})))[0].contains("no replica"));
    let loss = json!({ "loss": { "node": "db", "effect": { "kind": "fail_over" }, "from_s": 1, "to_s": 2 } });
    assert!(problems(document(json!({}), ask("connections"), &[0.0], loss))[0].contains("nothing can take over"));
    let both = json!([{ "update": { "database": "db", "table": "items", "key": "0", "add": { "n": "1" },
        "where": { "column": "n", "below": "2", "equals": "1" } } }]);
    assert!(problems(document(json!({}), both, &[0.0], json!({})))[0].contains("needs one bound"));
    let alone = json!({ "contention": 0.1, "replica": { "delay_ms": 1, "semi_sync": true, "every_s": 1 } });
    assert_eq!(problems(document(alone, ask("connections"), &[0.0], json!({}))).len(), 2);
}

/// Locks row 0 and then row 1 for requests that come first, the other way round for the others, and commits.
fn crossing() -> Value {
    let update =
        |key: &str| json!({ "update": { "database": "db", "table": "items", "key": key, "add": { "n": "1" } } });
    json!([
        { "set": { "first": "min(1, floor(now_s / 0.005))" } },
        { "begin": { "database": "db", "mode": "plain" } },
        update("first"),
        { "wait": { "dist": "constant", "value_ms": 20 } },
        update("1 - first"),
        { "commit": { "database": "db" } }
    ])
}

#[test]
fn of_two_that_wait_for_each_other_one_is_rolled_back_and_the_other_goes_on() {
    let calls = json!({ "deadlock_timeout_ms": 300 });
    let records = records(document(calls, crossing(), &[0.0, 10.0], json!({})));
    let refused: Vec<(f64, &Record)> = records
        .iter()
        .filter(|record| matches!(record.what, What::Refused { refusal: Refusal::Deadlock, .. }))
        .map(|record| (ms(record), record))
        .collect();
    // The first one asks for its second row at 22 ms, the other one at 32 ms; who waited longest looks first.
    let [(at, record)] = refused[..] else { panic!("{refused:?}") };
    assert_eq!(at, 322.0);
    let cause = record.cause.map(|cause| &records[cause.number() as usize]).expect("who held the row");
    assert_ne!(cause.request, record.request);
    let answered: Vec<(u32, f64)> = records
        .iter()
        .filter(|record| matches!(record.what, What::Answered { .. }))
        .map(|record| (record.request.0, ms(record)))
        .collect();
    assert_eq!(answered, [(1, 322.0), (2, 324.0)], "the other one goes on at once");
}

#[test]
fn who_waits_long_but_in_no_circle_is_left_alone() {
    let steps = json!([
        { "begin": { "database": "db", "mode": "plain" } },
        { "update": { "database": "db", "table": "items", "key": "0", "add": { "n": "1" } } },
        { "wait": { "dist": "constant", "value_ms": 900 } },
        { "commit": { "database": "db" } }
    ]);
    let records = records(document(json!({ "deadlock_timeout_ms": 5 }), steps, &[0.0, 1.0], json!({})));
    let is_refused = |record: &Record| matches!(record.what, What::Refused { .. });
    assert!(!records.iter().any(is_refused));
    assert_eq!(answered(&records), [902.0, 1_804.0]);
}

/// Answers of requests that come together and do one statement each, outside of a transaction.
fn together(engine: &str, steps: &Value, count: usize) -> Vec<f64> {
    let database = json!({ "engine": engine, "busy": "fifo" });
    answered(&records(document(database, steps.clone(), &vec![0.0; count], json!({}))))
}

#[test]
fn a_statement_outside_of_a_transaction_holds_its_locks_while_it_works() {
    let update =
        |key: &str| json!([{ "update": { "database": "db", "table": "items", "key": key, "add": { "n": "1" } } }]);
    let (same, other) = (update("0"), update("request"));
    // SQLite has one writer for all rows, a server one for each row.
    for (engine, steps, took) in [
        ("sqlite_wal", &same, [2.0, 4.0, 6.0]),
        ("sqlite_wal", &other, [2.0, 4.0, 6.0]),
        ("sqlite_delete", &other, [2.0, 4.0, 6.0]),
        ("server", &same, [2.0, 4.0, 6.0]),
        ("server", &other, [2.0, 2.0, 2.0]),
    ] {
        assert_eq!(together(engine, steps, 3), took, "{engine}: {steps}");
    }
    let select = json!([{ "select": { "database": "db", "table": "items", "key": "0" } }]);
    for engine in ["sqlite_wal", "sqlite_delete", "server"] {
        assert_eq!(together(engine, &select, 3), [1.0, 1.0, 1.0], "{engine}");
    }
}

/// SQLite's manual, "File Locking And Concurrency": with a rollback journal whoever commits keeps readers out, and waits
/// for those that are reading; with a log neither waits.
#[test]
fn with_a_rollback_journal_readers_and_commits_keep_each_other_out() {
    let steps = json!([{ "if": {
        "when": "now_s < 0.001",
        "then": [
            { "begin": { "database": "db" } },
            { "update": { "database": "db", "table": "items", "key": "0", "add": { "n": "1" } } },
            { "commit": { "database": "db" } }
        ],
        "else": [{ "select": { "database": "db", "table": "items", "key": "0" } }]
    } }]);
    let answers = |engine: &str| {
        let database = json!({ "engine": engine, "busy": "fifo", "commit": { "dist": "constant", "value_ms": 10 } });
        answered(&records(document(database, steps.clone(), &[0.0, 1.5, 2.2, 20.0], json!({}))))
    };
    // The commit could begin at 2 ms; the first reader is there until 2.5, the second comes at 2.2.
    assert_eq!(answers("sqlite_delete"), [2.5, 12.5, 13.5, 21.0]);
    assert_eq!(answers("sqlite_wal"), [2.5, 3.2, 12.0, 21.0]);
}
