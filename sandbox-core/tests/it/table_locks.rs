//! Locks of whole tables through the ordinary engine: who waits for whom, for how long, and why.

use crate::asked::{run, value};
use sandbox_core::Run;
use sandbox_core::ids::RequestId;
use sandbox_core::scenario::Document;
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline::{PartKind, why};
use sandbox_core::trace::{Refusal, What};
use serde_json::{Value, json};

/// Reads of 5 ms at `reads_ms`, a report that reads for 10 s from 1 s on, an ALTER TABLE of 1 ms at 2 s with this BEGIN.
fn document(begin: Value, reads_ms: &[f64]) -> Value {
    let once = |at_ms: &[f64]| json!({ "process": "recorded", "at_ms": at_ms });
    let load = |client: &str, target: &str, route: &str, arrivals: Value| {
        json!({ "client": client, "target": target, "keys": 1, "users": 1, "arrivals": arrivals,
            "routes": { route: { "weight": 1, "op": "read" } } })
    };
    json!({
        "format_version": 1, "id": "table-locks", "title": "Table locks", "seed": 3, "duration_s": 30,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": { "timeout_ms": 3000 } } },
            "staff": { "kind": "client" },
            "api": { "kind": "service", "routes": { "read": [
                { "select": { "database": "db", "table": "items", "key": "0" } }
            ] } },
            "office": { "kind": "service", "routes": {
                "report": [ { "scan": { "database": "db", "table": "items" } } ],
                "alter": [
                    { "begin": begin },
                    { "lock_table": { "database": "db", "table": "items", "mode": "access_exclusive" } },
                    { "wait": { "dist": "constant", "value_ms": 1 } },
                    { "commit": { "database": "db" } }
                ]
            } },
            "db": { "kind": "database", "engine": "server", "scan_row_us": 1000,
                "tables": { "items": { "rows": 10_000, "columns": { "n": 0 } } },
                "read": { "dist": "constant", "value_ms": 4 }, "write": { "dist": "constant", "value_ms": 5 } }
        },
        "workloads": {
            "reads": load("users", "api", "read", once(reads_ms)),
            "report": load("staff", "office", "report", once(&[1_000.0])),
            "alter": load("staff", "office", "alter", once(&[2_000.0])),
        },
        "metrics": {
            "waits": { "unit": "s", "help": "For a lock.", "kind": "histogram",
                "source": { "records": { "of": "started", "node": "db", "value": "waited_seconds" } } },
            "line": { "unit": "statements", "help": "In line.", "kind": "gauge",
                "source": { "level": { "of": "waiting", "node": "db" } } }
        }
    })
}

fn plain() -> Value {
    json!({ "database": "db" })
}

/// The request of the n-th read.
fn of_workload(run: &mut Run, at_ms: f64) -> RequestId {
    let at = Time::ZERO + Span::from_ms(at_ms);
    let records = run.records(0..u32::MAX);
    let intended = |record: &&sandbox_core::engine::Logged| {
        record.record.at == at && matches!(record.record.what, What::Intended { .. })
    };
    records.iter().find(intended).expect("somebody sent then").record.request
}

#[test]
fn a_read_waits_behind_the_alter_that_waits_for_the_report() {
    // The report has the table from 1.000 to 11.004 s, as long as its statement takes; the ALTER for 1 ms after that.
    let run = run(document(plain(), &[500.0, 1_500.0, 9_000.0]));
    assert_eq!(value(&run, "http_error_ratio.max"), 0.0);
    let took = |route: &str| value(&run, &format!("http_request_duration_seconds{{route={route}}}.max"));
    assert!((took("alter") - 9.005).abs() < 0.05, "{}", took("alter"));
    assert!((took("read") - 2.010).abs() < 0.01, "{}", took("read"));
    assert_eq!(
        value(&run, "http_request_duration_seconds{route=read}.count[0:3]"),
        2.0,
        "those before it did not wait"
    );
    assert_eq!((value(&run, "waits.count"), value(&run, "line.max")), (2.0, 2.0));
    assert!((value(&run, "waits.max") - 9.004).abs() < 0.05, "{}", value(&run, "waits.max"));
}

#[test]
fn why_leads_from_the_read_to_the_report() {
    let mut run = run(document(plain(), &[2_500.0, 9_000.0]));
    let report = of_workload(&mut run, 1_000.0);
    for (at_ms, waited) in [(2_500.0, None), (9_000.0, Some(2_005.0))] {
        let read = of_workload(&mut run, at_ms);
        let why = why(&mut run, read).expect("it has ended");
        let whose: Vec<RequestId> = why.chain.iter().map(|link| link.logged.record.request).collect();
        assert_eq!(whose.last(), Some(&report), "{:#?}", why.chain);
        let blocked = why.chain.iter().filter(|link| link.logged.record.what == What::Blocked).count();
        assert_eq!(blocked, 2, "the read is, and so is the ALTER");
        let parts: Span = why.parts.iter().fold(Span::ZERO, |sum, part| sum + part.span);
        assert_eq!(parts, why.latency);
        let lock = why.parts.iter().find(|part| part.kind == PartKind::LockWait).map(|part| part.span);
        assert_eq!(lock, waited.map(Span::from_ms), "who timed out saw no more than that");
    }
}

#[test]
fn whoever_gives_up_lets_the_others_pass() {
    let mut run = run(document(json!({ "database": "db", "lock_timeout_ms": 200 }), &[2_050.0, 2_150.0, 5_000.0]));
    let longest = value(&run, "http_request_duration_seconds{route=read}.max");
    assert!((longest - 0.155).abs() < 0.001, "{longest}");
    assert_eq!(value(&run, "http_503_total{route=alter}.sum"), 1.0);
    let report = of_workload(&mut run, 1_000.0);
    let alter = of_workload(&mut run, 2_000.0);
    let refused = run.records(0..u32::MAX).iter().map(|logged| logged.record).find(|record| {
        record.request == alter && matches!(record.what, What::Refused { refusal: Refusal::LockTimeout })
    });
    let refused = refused.expect("it gave up");
    assert_eq!(refused.at, Time::ZERO + Span::from_ms(2_200.0));
    let cause = run.record(refused.cause.expect("somebody held the table")).expect("it is there");
    assert_eq!(cause.record.request, report);
}

#[test]
fn the_timeout_of_the_database_is_everybody_s() {
    let mut document = document(plain(), &[2_150.0]);
    document["nodes"]["db"]["lock_timeout_ms"] = json!(200);
    let run = run(document);
    assert_eq!(value(&run, "http_503_total{route=alter}.sum"), 1.0);
    assert!((value(&run, "http_request_duration_seconds{route=read}.max") - 0.055).abs() < 0.001);
}

#[test]
fn what_cannot_be_is_refused() {
    let mut wrong = document(json!({ "database": "db", "lock_timeout_ms": 0 }), &[0.0]);
    wrong["nodes"]["db"]["engine"] = json!("sqlite_wal");
    wrong["nodes"]["db"]["lock_timeout_ms"] = json!(100);
    wrong["nodes"]["office"]["routes"]["alter"][1]["lock_table"]["table"] = json!("orders");
    let problems = Document::from_json(wrong).plan("A", &[]).expect_err("it is wrong");
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for expected in [
        "nodes.db.lock_timeout_ms: SQLite has no such timeout",
        "nodes.office.routes.alter.0.begin.lock_timeout_ms: 0 is out of range",
        "nodes.office.routes.alter.1.lock_table: SQLite locks no tables",
        "nodes.office.routes.alter.1.lock_table.table: `db` has no table `orders`",
    ] {
        assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{expected}: {problems:#?}");
    }
}
