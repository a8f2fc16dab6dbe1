//! Promises of both stores under random transactions, judged by a checker that knows neither.

use super::*;
use crate::ids::TableId;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Rows 0 to 2 are there from the start; row 3 comes and goes.
const ROWS: u64 = 3;
/// Sums of all additions lie in a column of their own.
const ADDED: Column = 1;

fn row(key: u64) -> RowId {
    RowId { table: TableId(0), key }
}

fn tables() -> Tables {
    let mut tables = Tables::new(1);
    (0..ROWS).for_each(|key| tables.fill(row(key), [0; COLUMNS]));
    tables
}

/// A session and the transactions it makes one after the other. A statement that has to wait is repeated; a transaction
/// that is refused is left.
struct Program {
    session: SessionId,
    mode: Mode,
    transactions: Vec<Vec<Op>>,
    /// Position in the first of these.
    next: usize,
    waits: bool,
    began: bool,
    added: BTreeMap<u64, i64>,
}

struct Run {
    store: Store,
    programs: Vec<Program>,
    history: History,
    /// What committed transactions have added to each row.
    added: BTreeMap<u64, i64>,
}

impl Run {
    fn new(mut store: Store, mode: Mode, transactions: &[Vec<Vec<Op>>]) -> Run {
        let programs = transactions.iter().map(|transactions| Program {
            session: store.open(),
            mode,
            transactions: transactions.clone(),
            next: 0,
            waits: false,
            began: false,
            added: BTreeMap::new(),
        });
        let programs = programs.collect();
        Run { store, programs, history: History::new(), added: BTreeMap::new() }
    }

    /// Lets programs take turns in this order, then one after the other until all have finished.
    fn finish(&mut self, turns: &[usize]) {
        turns.iter().for_each(|turn| self.turn(turn % self.programs.len()));
        let mut rounds = 0;
        while self.programs.iter().any(|program| !program.transactions.is_empty()) {
            (0..self.programs.len()).for_each(|at| self.turn(at));
            rounds += 1;
            assert!(rounds < 1_000, "nobody gets on");
        }
    }

    fn turn(&mut self, at: usize) {
        self.step(at);
        while let Some(woken) = self.store.next_woken() {
            self.programs[woken.index()].waits = false;
        }
    }

    fn step(&mut self, at: usize) {
        let program = &mut self.programs[at];
        let Some(transaction) = program.transactions.first() else { return };
        if program.waits {
            return;
        }
        let session = program.session;
        if !self.store.in_transaction(session) {
            let begun = self.store.begin(session, program.mode);
            return assert!(matches!(begun, Ok(()) | Err(Refusal::Busy { .. })));
        }
        let before = self.store.transaction(session);
        let Some(op) = transaction.get(program.next).copied() else {
            let committed = self.store.commit(session);
            if !matches!(committed, Err(Refusal::Busy { .. })) {
                self.ended(at, before, committed.is_ok());
            }
            return;
        };
        let result = self.store.op(session, &op);
        let id = self.store.transaction(session);
        if let Some(id) = id.filter(|_| !program.began) {
            program.began = true;
            self.history.push(id, Event::Began);
        }
        match result {
            Ok(done) => {
                program.next += 1;
                self.record(at, id.expect("it has done something"), &op, &done);
            }
            Err(Refusal::Busy { may_wait: true, .. }) => {}
            Err(Refusal::Waiting { .. }) => {
                program.waits = true;
                if self.store.break_deadlock(session).is_err() {
                    self.ended(at, id, false);
                }
            }
            Err(_) => self.ended(at, before.or(id), false),
        }
    }

    fn record(&mut self, at: usize, id: TransactionId, op: &Op, done: &Done) {
        let seen = done.row.map(|row| Seen { writer: row.stamp.writer, version: row.version });
        let event = match (*op, done.row) {
            (Op::Read { row } | Op::ReadForUpdate { row }, _) => Event::Read { row, seen },
            (Op::Delete { keys, .. }, Some(_)) => Event::Deleted { row: row(keys.from) },
            (Op::Insert { row, .. }, Some(new)) => Event::Wrote { row, version: new.version },
            (Op::Update { keys, changes, .. }, Some(new)) => {
                if let Change::Add(number) = changes[usize::from(ADDED)] {
                    *self.programs[at].added.entry(keys.from).or_default() += number;
                }
                Event::Wrote { row: row(keys.from), version: new.version }
            }
            _ => return,
        };
        self.history.push(id, event);
    }

    /// The transaction is over; the next one begins.
    fn ended(&mut self, at: usize, id: Option<TransactionId>, committed: bool) {
        let program = &mut self.programs[at];
        if self.store.in_transaction(program.session) {
            self.store.rollback(program.session).unwrap();
        }
        if let Some(id) = id {
            self.history.push(id, if committed { Event::Committed } else { Event::RolledBack });
        }
        for (key, number) in std::mem::take(&mut program.added).into_iter().filter(|_| committed) {
            *self.added.entry(key).or_default() += number;
        }
        program.transactions.remove(0);
        (program.next, program.waits, program.began) = (0, false, false);
    }
}

fn op(come_and_go: bool) -> impl Strategy<Value = Op> {
    let key = 0..ROWS;
    prop_oneof![
        6 => key.clone().prop_map(|key| Op::Read { row: row(key) }),
        1 => key.clone().prop_map(|key| Op::ReadForUpdate { row: row(key) }),
        3 => key.clone().prop_map(|key| Op::set(row(key), 0, 1)),
        3 => (key, 1i64..9).prop_map(|(key, number)| Op::add(row(key), ADDED, number)),
        2 * u32::from(come_and_go) => Just(Op::Read { row: row(ROWS) }),
        u32::from(come_and_go) => Just(Op::Insert { row: row(ROWS), fields: [0; COLUMNS] }),
        u32::from(come_and_go) => Just(Op::Delete { keys: Keys::one(row(ROWS)), filter: Filter::Any }),
    ]
}

/// Transactions of two to four sessions, and in which order the sessions take turns.
fn work(come_and_go: bool) -> impl Strategy<Value = (Vec<Vec<Vec<Op>>>, Vec<usize>)> {
    let transaction = prop::collection::vec(op(come_and_go), 1..5);
    let programs = prop::collection::vec(prop::collection::vec(transaction, 1..5), 2..=4);
    (programs, prop::collection::vec(0usize..4, 0..80))
}

fn findings(store: Store, mode: Mode, work: &(Vec<Vec<Vec<Op>>>, Vec<usize>)) -> Result<Vec<Finding>, TestCaseError> {
    let mut run = Run::new(store, mode, &work.0);
    run.finish(&work.1);
    for key in 0..ROWS {
        let added = run.added.get(&key).copied().unwrap_or_default();
        let found = run.store.committed().get(row(key)).unwrap().fields[usize::from(ADDED)];
        prop_assert_eq!(found, added, "row {}: no addition is lost, none comes twice", key);
    }
    Ok(run.history.findings())
}

fn sqlite(journal: Journal) -> Store {
    Store::Sqlite(Sqlite::new(SqliteConfig { journal, ..SqliteConfig::default() }, tables()))
}

fn server() -> Store {
    Store::Server(Server::new(tables()))
}

proptest! {
    #[test]
    fn sqlite_is_serializable(work in work(true), immediate in any::<bool>()) {
        let mode = if immediate { Mode::Immediate } else { Mode::Plain };
        for journal in [Journal::Rollback, Journal::Wal] {
            prop_assert_eq!(findings(sqlite(journal), mode, &work)?, []);
        }
    }

    #[test]
    fn a_serializable_server_is(work in work(true)) {
        prop_assert_eq!(findings(server(), Mode::Serializable, &work)?, []);
    }

    /// A snapshot lets nothing through but write skew: reads stay as they were, nothing is lost. That is for rows that
    /// last: a key that came and went unseen may be inserted.
    #[test]
    fn repeatable_reads_are_snapshots(work in work(false)) {
        let findings = findings(server(), Mode::RepeatableRead, &work)?;
        prop_assert!(findings.iter().all(|found| found.anomaly == Anomaly::WriteSkew), "{:?}", findings);
    }

    /// Nothing that is not committed is ever seen or overwritten, and each statement sees the newest.
    #[test]
    fn read_committed_reads_what_is_committed(work in work(true)) {
        use Anomaly::{CircularFlow, DirtyRead, DirtyWrite, StaleRead};
        let findings = findings(server(), Mode::Plain, &work)?;
        let never = [DirtyWrite, DirtyRead, StaleRead, CircularFlow];
        prop_assert!(!findings.iter().any(|found| never.contains(&found.anomaly)), "{:?}", findings);
    }
}

/// The checker has teeth: under the weaker levels random work does find their anomalies.
#[test]
fn weaker_levels_do_show_their_anomalies() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    for _ in 0..400 {
        let work = work(true).new_tree(&mut runner).unwrap().current();
        for mode in [Mode::Plain, Mode::RepeatableRead] {
            for found in findings(server(), mode, &work).unwrap() {
                *seen.entry((mode == Mode::Plain, found.anomaly)).or_insert(0) += 1;
            }
        }
    }
    for expected in [Anomaly::LostUpdate, Anomaly::NonRepeatableRead, Anomaly::ReadSkew, Anomaly::WriteSkew] {
        assert!(seen.contains_key(&(true, expected)), "read committed never showed {expected:?}: {seen:?}");
    }
    assert!(seen.contains_key(&(false, Anomaly::WriteSkew)), "repeatable read never showed write skew: {seen:?}");
}
