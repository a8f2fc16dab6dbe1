//! A database: real rows with versions, transactions and their locks, behind a pool of connections.
//!
//! What a statement sees, changes and is refused is the store model's ([`crate::store`]); this file gives it time: a
//! statement takes effect when it begins, a commit when it ends, so locks are held for as long as the work takes. Outside
//! of a transaction a statement is one of its own, from its beginning to its end. A replica ([`Replica`]) is another
//! machine: who reads there needs none of the connections. Left out: the cache of pages, the size of rows, real parts (a
//! real database is a plain `store`).

mod lock_wait;

use super::Happening;
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::stay::{Ask, NO_TIMER, Place, Reply, StayId};
use crate::ids::{Seq, SessionId, TableId};
use crate::scenario::{DatabasePlan, Dist, Inspected};
use crate::store::{Column, Done, Mode, Op, Refusal as StoreRefusal, Replica, RowId, Store, TableLock};
use crate::time::{Span, Time};
use crate::trace::{Refusal, Status, What};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;

/// A statement with its numbers filled in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statement {
    /// BEGIN, and how long its statements wait for a lock, if not as long as those of others.
    Begin(Mode, Option<Span>),
    /// LOCK TABLE.
    LockTable(TableId, TableLock),
    /// Anything that reads or writes rows, and the column whose number is the answer.
    Op(Op, Option<Column>),
    /// A read of the replica's rows.
    OfReplica(Op, Option<Column>),
    /// A look at the committed rows that nobody notices.
    Peek(Op, Option<Column>),
    /// How the database is.
    Inspect(Inspected),
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
    /// The caller is done; whatever its session still holds is given back.
    Close,
}

/// A database's live state.
#[derive(Clone, Debug)]
pub struct Database {
    plan: Arc<DatabasePlan>,
    store: Store,
    /// By the stay of the caller.
    sessions: BTreeMap<(Slot, NonZeroU32), Session>,
    /// Statements that wait for a connection.
    line: VecDeque<(Slot, Statement)>,
    saturated: Option<Lead>,
    in_work: u32,
    waiting_for_locks: u32,
    /// Statements that stand in line for SQLite's write lock, if it is given out in order.
    fair: VecDeque<Slot>,
    /// Sessions of the store that nobody has at present.
    idle: Vec<SessionId>,
    replica: Option<Replica>,
    /// Statements that the replica works on.
    of_replica: BTreeSet<Slot>,
    /// For the replica: the rows that each open transaction has written.
    written: BTreeMap<SessionId, Vec<RowId>>,
    /// Callers whose connection was cut and who do not know it yet.
    cut: BTreeSet<(Slot, NonZeroU32)>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    id: SessionId,
    /// The statement that it works on.
    slot: Slot,
    statement: Statement,
    /// How often the statement was refused as busy, and since when.
    refusals: u32,
    since: Time,
    /// How long its statements stand in line for a lock; none: as long as it takes.
    lock_timeout: Option<Span>,
    /// When the statement leaves the line that it stands in.
    gives_up_at: Time,
    /// Whether its statement is a transaction of its own, as outside BEGIN ... COMMIT.
    alone: bool,
    /// What a statement did whose commit still has to wait.
    done: Option<Done>,
    /// When it was connected.
    opened: Time,
    /// What a statement that took effect when it began will answer.
    answer: (f64, Option<u64>),
    /// The latest record of what it did: why others wait for it.
    last: Seq,
}

impl Database {
    pub fn new(plan: &DatabasePlan) -> Database {
        Database {
            store: plan.store.clone(),
            plan: Arc::new(plan.clone()),
            sessions: BTreeMap::new(),
            line: VecDeque::new(),
            saturated: None,
            in_work: 0,
            waiting_for_locks: 0,
            fair: VecDeque::new(),
            idle: Vec::new(),
            replica: plan.replica.map(|config| Replica::new(config, plan.store.committed().clone())),
            of_replica: BTreeSet::new(),
            written: BTreeMap::new(),
            cut: BTreeSet::new(),
        }
    }

    /// The rows as they are committed.
    pub fn store(&self) -> &Store {
        &self.store
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Arrived(slot) => self.arrive(ctx, slot),
            Happening::Worked(slot) => self.on_worked(ctx, slot),
            Happening::LostPatience(slot) if self.plan.deadlock_timeout.is_some() => self.lose_patience(ctx, slot),
            Happening::LostPatience(slot) => self.look_again(ctx, slot),
            Happening::ConditionChanged if ctx.condition().lost => self.fail_over(ctx),
            _ => {}
        }
    }

    fn arrive(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.arrive(slot);
        let Ask::Statement(number) = ctx.stay(slot).ask else {
            let status = if ctx.condition().down { Status::Unavailable } else { Status::Ok };
            return ctx.reply(slot, Reply::status(status));
        };
        let Some(statement) = ctx.core.statements.get(&number).copied() else {
            // Its caller gave it up before it came here.
            return ctx.refuse(slot, Refusal::DeadlinePassed, None, None);
        };
        if statement == Statement::Close {
            let owner = owner_of(ctx, slot);
            ctx.core.statements.remove(&number);
            ctx.core.stays.remove(slot);
            return self.close(ctx, owner);
        }
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.why_down(), None);
        }
        match statement {
            Statement::OfReplica(op, column) => return self.read_replica(ctx, slot, &op, column),
            Statement::Peek(op, column) => {
                let (value, version) = answer(&op, column, &self.store.committed().read(&op));
                return ctx.reply(slot, Reply { value, version, ..Reply::status(Status::Ok) });
            }
            Statement::Inspect(inspected) => {
                let value = self.inspect(ctx.now(), inspected);
                return ctx.reply(slot, Reply { value, ..Reply::status(Status::Ok) });
            }
            _ => {}
        }
        let owner = owner_of(ctx, slot);
        if self.cut.remove(&key(owner)) {
            return ctx.refuse(slot, Refusal::Down, None, None);
        }
        if !self.sessions.contains_key(&key(owner)) {
            let full = self.plan.connections.is_some_and(|connections| self.sessions.len() as u32 >= connections);
            if full {
                let saturated = self.why_busy(ctx, slot);
                let ahead = self.line.len() as u32;
                ctx.note_after(slot, What::Queued { ahead }, saturated);
                ctx.stay_mut(slot).place = Place::Line;
                self.line.push_back((slot, statement));
                return self.show_levels(ctx);
            }
            self.connect(ctx, slot, owner);
        }
        self.begin(ctx, slot, owner, statement);
    }

    /// Why all connections are taken as a statement comes: what holds up those who have them, wherever they are.
    fn why_busy(&mut self, ctx: &mut Ctx, newcomer: Slot) -> Lead {
        *self.saturated.get_or_insert_with(|| {
            let owners = self.sessions.keys().map(|(slot, generation)| StayId { slot: *slot, generation: *generation });
            let owners = owners.filter(|owner| ctx.core.stays.is_live(*owner)).map(|owner| owner.slot);
            let holders = ctx.trouble_of(owners);
            ctx.saturate(self.sessions.len() as u32, newcomer, holders)
        })
    }

    fn connect(&mut self, ctx: &mut Ctx, slot: Slot, owner: StayId) {
        let id = self.idle.pop().unwrap_or_else(|| self.store.open());
        let (now, last) = (ctx.now(), ctx.stay(slot).last);
        let (statement, answer) = (Statement::Close, (0.0, None));
        let session = Session {
            id,
            slot,
            statement,
            refusals: 0,
            since: now,
            lock_timeout: self.plan.lock_timeout,
            gives_up_at: Time::NEVER,
            alone: false,
            done: None,
            opened: now,
            answer,
            last,
        };
        self.sessions.insert(key(owner), session);
        self.show_levels(ctx);
    }

    fn begin(&mut self, ctx: &mut Ctx, slot: Slot, owner: StayId, statement: Statement) {
        let now = ctx.now();
        let session = self.sessions.get_mut(&key(owner)).expect("the caller has a session");
        (session.slot, session.statement, session.refusals, session.since) = (slot, statement, 0, now);
        if let Statement::Begin(_, Some(timeout)) = statement {
            session.lock_timeout = Some(timeout);
        }
        self.perform(ctx, owner);
    }

    /// Lets the store perform the statement; a commit takes its time first.
    fn perform(&mut self, ctx: &mut Ctx, owner: StayId) {
        let Session { id, slot, statement, .. } = self.sessions[&key(owner)];
        let plan = self.plan.clone();
        let done = match statement {
            Statement::Begin(mode, _) => self.store.begin(id, mode).map(|()| (Dist::ZERO, 0, (0.0, None))),
            Statement::LockTable(table, mode) => {
                self.store.lock_table(id, table, mode).map(|()| (Dist::ZERO, 0, (0.0, None)))
            }
            Statement::Op(op, column) => self.operate(owner, &op).map(|done| {
                let own = if op.writes() { plan.write.clone() } else { plan.read.clone() };
                if op.writes() && self.replica.is_some() {
                    let rows = done.key.map(|key| RowId { table: op.keys().table, key });
                    self.written.entry(id).or_default().extend(rows);
                }
                (own, done.rows_scanned, answer(&op, column, &done))
            }),
            Statement::Commit => self.store.prepare_commit(id).map(|()| (plan.commit.clone(), 0, (0.0, None))),
            Statement::Rollback => self.store.rollback(id).map(|()| (Dist::ZERO, 0, (0.0, None))),
            _ => unreachable!("it needs no session"),
        };
        match done {
            Ok((dist, scanned, answer)) => {
                let session = self.sessions.get_mut(&key(owner)).expect("it is there");
                session.answer = answer;
                let commits = session.alone || statement == Statement::Commit;
                let mut span = ctx.work(slot, &dist) + plan.scan_row.scaled(scanned as f64);
                if commits && self.written.contains_key(&id) {
                    span += self.replica.as_ref().map_or(Span::ZERO, Replica::extra);
                }
                self.work(ctx, slot, span, dist.is_constant() && scanned == 0);
            }
            Err(refusal) => self.on_refusal(ctx, owner, refusal),
        }
    }

    /// Reads or writes rows; outside of a transaction in one of its own, which has all it needs for its commit from the beginning.
    fn operate(&mut self, owner: StayId, op: &Op) -> Result<Done, StoreRefusal> {
        let session = self.sessions.get_mut(&key(owner)).expect("it is there");
        if !self.store.in_transaction(session.id) {
            self.store.begin(session.id, Mode::Plain)?;
            session.alone = true;
        }
        let done = match session.done.take() {
            Some(done) => done,
            None => self.store.op(session.id, op)?,
        };
        if session.alone
            && let Err(refusal) = self.store.prepare_commit(session.id)
        {
            session.done = Some(done);
            return Err(refusal);
        }
        Ok(done)
    }

    /// Works on a statement; more at once than there are cores slow each other down.
    fn work(&mut self, ctx: &mut Ctx, slot: Slot, mut span: Span, constant: bool) {
        self.in_work += 1;
        self.show_levels(ctx);
        ctx.stay_mut(slot).place = Place::Worker;
        if let Some(cores) = self.plan.cores {
            let (active, cores) = (f64::from(self.in_work), f64::from(cores));
            let surplus = (active - cores).max(0.0);
            span = span.scaled((active / cores).max(1.0) * (1.0 + self.plan.contention * surplus));
        }
        ctx.schedule_work(slot, span, constant && self.plan.cores.is_none());
    }

    /// Sends what a session has committed on its way to the replica.
    fn ship(&mut self, ctx: &Ctx, slot: Slot, id: SessionId) {
        let (Some(replica), Some(written)) = (&mut self.replica, self.written.remove(&id)) else { return };
        if !written.is_empty() {
            let committed = self.store.committed();
            let rows = written.into_iter().map(|row| (row, committed.get(row).copied())).collect();
            replica.on_commit(ctx.now(), ctx.stay(slot).request, rows);
        }
    }

    fn read_replica(&mut self, ctx: &mut Ctx, slot: Slot, op: &Op, column: Option<Column>) {
        let (now, plan) = (ctx.now(), self.plan.clone());
        let replica = self.replica.as_mut().expect("the plan has one");
        let done = replica.tables(now).read(op);
        // No program runs here: what its caller will be told waits where a program would have its latest call's answer.
        let (value, version) = answer(op, column, &done);
        let stay = ctx.stay_mut(slot);
        (stay.got.1, stay.version) = (value, version);
        let span = ctx.work(slot, &plan.read) + plan.scan_row.scaled(done.rows_scanned as f64);
        ctx.stay_mut(slot).place = Place::Worker;
        ctx.schedule_work(slot, span, false);
        self.of_replica.insert(slot);
    }

    fn inspect(&mut self, now: Time, inspected: Inspected) -> f64 {
        match inspected {
            Inspected::ReplicaLagS => self.replica.as_mut().map_or(0.0, |replica| replica.lag(now).as_seconds()),
            Inspected::WalBytes => self.store.wal_bytes() as f64,
            Inspected::Connections => self.sessions.len() as f64,
            Inspected::OldestTransactionS => {
                let open = self.sessions.values().filter(|session| self.store.in_transaction(session.id));
                open.map(|session| now.since(session.opened).as_seconds()).fold(0.0, f64::max)
            }
        }
    }

    /// The database is lost: its replica takes its place with what has reached it, and every connection is cut.
    #[cold]
    fn fail_over(&mut self, ctx: &mut Ctx) {
        let Some(replica) = self.replica.take() else { return };
        let (now, fault) = (ctx.now(), ctx.why_down());
        let (tables, lost) = replica.promote(now);
        for request in lost {
            ctx.core.record(ctx.node, request, What::CommitLost, fault, None);
        }
        for slot in ctx.core.stays.of_node(ctx.node) {
            if matches!(ctx.stay(slot).place, Place::Worker | Place::Line) {
                let stay = ctx.stay_mut(slot);
                (stay.place, stay.timer) = (Place::Outside, NO_TIMER);
                ctx.refuse(slot, Refusal::Down, fault, None);
            }
        }
        let open = self.sessions.iter().filter(|(_, session)| !session.alone && self.store.in_transaction(session.id));
        let cut = open.map(|(owner, _)| *owner).collect();
        let store = self.store.restarted(tables.clone());
        let replica = self.plan.replica.map(|config| Replica::new(config, tables));
        *self = Database { store, replica, cut, ..Database::new(&self.plan) };
        self.show_levels(ctx);
    }

    fn on_worked(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).timer = NO_TIMER;
        ctx.stay_mut(slot).place = Place::Outside;
        ctx.note_done(slot, What::Worked);
        if self.of_replica.remove(&slot) {
            return self.answer_of_replica(ctx, slot);
        }
        self.in_work -= 1;
        let owner = owner_of(ctx, slot);
        let Session { id, statement, answer, alone, .. } = self.sessions[&key(owner)];
        if alone || statement == Statement::Commit {
            if let Err(refusal) = self.store.commit(id) {
                return self.on_refusal(ctx, owner, refusal);
            }
            self.ship(ctx, slot, id);
        }
        if ctx.strikes(slot) {
            ctx.refuse(slot, Refusal::Fault, ctx.why_failing(), None);
            return self.after(ctx, owner);
        }
        let (value, version) = answer;
        if let Statement::Op(op, _) = statement {
            let (key, version) = (op.keys().from as u32, version.unwrap_or(0));
            match op.writes() {
                true => ctx.note(slot, What::RowWritten { key, version }),
                false => ctx.note(slot, What::RowRead { key, version }),
            };
        }
        let last = ctx.stay(slot).last;
        self.sessions.get_mut(&key(owner)).expect("it is there").last = last;
        ctx.reply(slot, Reply { value, version, ..Reply::status(Status::Ok) });
        self.after(ctx, owner);
    }

    fn answer_of_replica(&mut self, ctx: &mut Ctx, slot: Slot) {
        if ctx.strikes(slot) {
            return ctx.refuse(slot, Refusal::Fault, ctx.why_failing(), None);
        }
        let (key, value, version) = (ctx.stay(slot).key, ctx.stay(slot).got.1, ctx.stay(slot).version);
        ctx.note(slot, What::RowRead { key, version: version.unwrap_or(0) });
        ctx.reply(slot, Reply { value, version, ..Reply::status(Status::Ok) });
    }

    /// A statement is over: its session goes back to the pool unless a transaction is open, and locks may be free.
    fn after(&mut self, ctx: &mut Ctx, owner: StayId) {
        let id = self.sessions[&key(owner)].id;
        if !self.store.in_transaction(id) {
            self.disconnect(owner);
        }
        self.wake(ctx);
    }

    fn close(&mut self, ctx: &mut Ctx, owner: StayId) {
        self.cut.remove(&key(owner));
        if self.disconnect(owner) {
            self.wake(ctx);
        }
    }

    /// Ends a session if there is one; its number is used again.
    fn disconnect(&mut self, owner: StayId) -> bool {
        let Some(Session { id, .. }) = self.sessions.remove(&key(owner)) else { return false };
        self.store.close(id);
        self.written.remove(&id);
        self.idle.push(id);
        true
    }

    /// Whoever can go on now does: those whom the store has woken, those in a fair line, those who wait for a connection.
    fn wake(&mut self, ctx: &mut Ctx) {
        while let Some(woken) = self.store.next_woken() {
            let found = self.sessions.values().find(|session| session.id == woken).map(|session| session.slot);
            if let Some(slot) = found {
                self.look_again(ctx, slot);
            }
        }
        if let Some(slot) = self.fair.pop_front() {
            self.look_again(ctx, slot);
        }
        while self.plan.connections.is_none_or(|connections| (self.sessions.len() as u32) < connections) {
            let Some((slot, statement)) = self.line.pop_front() else {
                self.saturated = None;
                break;
            };
            ctx.stay_mut(slot).place = Place::Outside;
            ctx.note(slot, What::Started);
            let owner = owner_of(ctx, slot);
            self.connect(ctx, slot, owner);
            self.begin(ctx, slot, owner, statement);
        }
        self.show_levels(ctx);
    }

    /// A statement that was refused as busy, or stood in line for a lock, is tried again.
    fn look_again(&mut self, ctx: &mut Ctx, slot: Slot) {
        let owner = owner_of(ctx, slot);
        if ctx.stay(slot).place == Place::Line {
            self.waiting_for_locks -= 1;
        }
        let stay = ctx.stay_mut(slot);
        stay.place = Place::Outside;
        stay.timer = NO_TIMER;
        self.fair.retain(|other| *other != slot);
        self.perform(ctx, owner);
        if ctx.stay(slot).place == Place::Worker {
            ctx.note(slot, What::Started);
        }
    }

    /// The latest record of what a session did.
    fn last_of(&self, id: SessionId) -> Option<Seq> {
        self.sessions.values().find(|session| session.id == id).map(|session| session.last)
    }

    fn on_refusal(&mut self, ctx: &mut Ctx, owner: StayId, refusal: StoreRefusal) {
        let now = ctx.now();
        let session = self.sessions.get_mut(&key(owner)).expect("it is there");
        let (id, slot) = (session.id, session.slot);
        let blocker = match refusal {
            StoreRefusal::Busy { by, .. } | StoreRefusal::Waiting { by } | StoreRefusal::WaitingForTable { by } => {
                Some(by)
            }
            _ => None,
        };
        session.refusals += 1;
        let (refusals, since) = (session.refusals, session.since);
        let cause = blocker.and_then(|by| self.last_of(by));
        match refusal {
            StoreRefusal::Waiting { .. } | StoreRefusal::WaitingForTable { .. } => {
                self.wait_for_lock(ctx, slot, refusals, cause);
                let for_table = matches!(refusal, StoreRefusal::WaitingForTable { .. });
                self.stand_in_line(ctx, owner, for_table);
            }
            StoreRefusal::Busy { may_wait: true, .. } => match self.plan.busy.decide(refusals, now.since(since)) {
                Some(sleep) => {
                    self.wait_for_lock(ctx, slot, refusals, cause);
                    let timer = ctx.core.calendar.schedule(now + sleep, Event::Patience(slot));
                    ctx.stay_mut(slot).timer = timer;
                    if self.plan.busy.line == crate::store::Line::Fifo {
                        self.fair.push_back(slot);
                    }
                }
                None => self.give_up(ctx, owner, id, slot, Refusal::Busy, cause),
            },
            StoreRefusal::Deadlock => self.give_up(ctx, owner, id, slot, Refusal::Deadlock, cause),
            StoreRefusal::SerializationFailure => {
                self.give_up(ctx, owner, id, slot, Refusal::SerializationFailure, cause);
            }
            StoreRefusal::Misuse | StoreRefusal::Locked | StoreRefusal::Aborted => {
                self.give_up(ctx, owner, id, slot, Refusal::Program, cause);
            }
            StoreRefusal::Busy { may_wait: false, .. } | StoreRefusal::BusySnapshot => {
                self.give_up(ctx, owner, id, slot, Refusal::Busy, cause);
            }
        }
    }

    fn give_up(
        &mut self,
        ctx: &mut Ctx,
        owner: StayId,
        id: SessionId,
        slot: Slot,
        refusal: Refusal,
        cause: Option<Seq>,
    ) {
        self.store.give_up(id);
        if self.sessions[&key(owner)].alone {
            self.store.rollback(id).expect("it is in a transaction of its own");
        }
        ctx.refuse(slot, refusal, cause, None);
        self.after(ctx, owner);
    }

    /// The caller withdrew the statement; its transaction is left to its close.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        let owner = owner_of(ctx, slot);
        match ctx.stay(slot).place {
            Place::Worker if self.of_replica.remove(&slot) => return ctx.core.stays.remove(slot),
            Place::Worker => self.in_work -= 1,
            Place::Line if self.line.iter().any(|(other, _)| *other == slot) => {
                self.line.retain(|(other, _)| *other != slot);
            }
            Place::Line => {
                self.waiting_for_locks -= 1;
                self.fair.retain(|other| *other != slot);
            }
            _ => {}
        }
        ctx.core.stays.remove(slot);
        self.close(ctx, owner);
        self.show_levels(ctx);
    }

    fn show_levels(&self, ctx: &mut Ctx) {
        ctx.set_in_service(self.in_work);
        ctx.set_waiting(self.line.len() as u32 + self.waiting_for_locks);
    }
}

/// What is told of a statement: a number, and the version of its row.
fn answer(op: &Op, column: Option<Column>, done: &Done) -> (f64, Option<u64>) {
    let value = match (column, done.row, op) {
        (_, _, Op::Scan { sum: Some(_), .. }) => done.sum as f64,
        (Some(column), Some(row), _) => row.fields[usize::from(column)] as f64,
        _ => done.rows as f64,
    };
    (value, done.row.map(|row| row.version))
}

/// The stay that a statement works for: its transaction's owner.
fn owner_of(ctx: &Ctx, slot: Slot) -> StayId {
    ctx.core.stays.belongings(slot).and_then(|belongings| belongings.owner).unwrap_or(ctx.core.stays.id(slot))
}

fn key(owner: StayId) -> (Slot, NonZeroU32) {
    (owner.slot, owner.generation)
}
