//! A node's only door to the world: the time, the calendar, the records, the draws, the stays.

use super::calendar::{Calendar, Entry};
use super::causes::Lead;
use super::event::{Event, Slot};
use super::gauge::{LevelRow, Levels};
use super::idempotency::{Attempt, Key, Keys};
use super::io::{CallId, CallOp, Output};
use super::life::{Fleets, Life, Trials};
use super::limiter::Limiter;
use super::nodes::Statement;
use super::sender::Sender;
use super::stay::{Ask, Errand, Fork, NO_TIMER, OpenCall, Origin, Place, Reply, Stay, StayId, Stays};
use super::tokens::Tokens;
use super::watch::Values;
use super::way::Transfer;
use super::world::Mount;
use crate::ids::{IncidentId, NodeId, RequestId, RouteId, Seq};
use crate::rng::{Purpose, Stream, draw, lineage};
use crate::scenario::{Condition, Dist, EffectSpec, Judges, Kind, MonitorPlan, NodePlan, Plan, RolloutPlan};
use crate::time::{Span, Time};
use crate::trace::{Record, Refusal, Status, What};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Everything of the world but its nodes.
#[derive(Clone, Debug)]
pub struct Core {
    pub plan: Arc<Plan>,
    pub mount: Option<Arc<Mount>>,
    pub now: Time,
    pub calendar: Calendar,
    /// What is still due in the present step: what goes over links without a delay.
    pub at_once: VecDeque<Event>,
    pub stays: Stays,
    pub tokens: Tokens,
    /// How far each workload has come.
    pub senders: Vec<Sender>,
    pub conditions: Vec<Condition>,
    /// Until when each link is taken, there and back.
    pub ways: Vec<[Time; 2]>,
    /// When the call in each slot arrives, where more happens on links than a delay; else empty.
    pub arrivals: Vec<Time>,
    /// Messages over links that may break, by the stay whose request or answer they are.
    pub transfers: BTreeMap<Slot, Transfer>,
    /// Instances that come and go.
    pub fleets: Fleets,
    /// What canaries are judged by, if not by their answers.
    pub trials: Trials,
    /// Whether more than what users want has ever touched a call ([`Stay::troubled`]).
    pub is_troubled: bool,
    /// The records of the faults that are active, the latest last.
    pub active_faults: Vec<(u16, Seq)>,
    pub levels: Vec<Levels>,
    /// The live [`Event::Shared`] of each node.
    pub shared: Vec<u32>,
    /// Rows that broke each rule of the plan when it was last looked at.
    pub breaches: Vec<i64>,
    /// The statements under way, by number.
    pub statements: BTreeMap<u32, Statement>,
    last_statement: u32,
    /// The idempotency keys of each of the plan's steps that has some.
    pub idempotency: Vec<Keys>,
    /// The counters of the services' rate limiters.
    pub limiters: Vec<Limiter>,
    /// The attempts under way of those steps whose further attempts wait, by step and key.
    pub attempts: BTreeMap<(u32, Key), Attempt>,
    /// The variables of every stay's program, `Plan::locals` each.
    pub locals: Vec<f64>,
    pub requests: u32,
    pub in_flight: u32,
    pub incidents: u16,
    pub calls: u64,
    /// Calls to real parts that have no answer yet.
    pub open_calls: Vec<(CallId, StayId)>,
    pub recent: Recent,
    /// What became of the requests of each node, where a monitor counts them; else empty.
    pub counted: Vec<Counted>,
    /// The values of what alert rules look at.
    pub watched: Vec<Values>,
    next_seq: u32,
    pub emitted: Vec<Record>,
    pub closed_seconds: Vec<LevelRow>,
    pub outputs: Vec<Output>,
}

/// How the requests of the last seconds ended, for the health endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recent {
    pub ended: [u32; 2],
    pub failed: [u32; 2],
}

/// How many requests of a node have ended so far, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    pub ended: u32,
    pub failed: u32,
    /// The record of the latest failure.
    pub last_failure: Option<Seq>,
}

/// A node's door.
pub struct Ctx<'a> {
    pub core: &'a mut Core,
    pub node: NodeId,
}

impl Core {
    pub fn new(plan: Arc<Plan>, mount: Option<Mount>) -> Core {
        let nodes = plan.nodes.len();
        let counts =
            |node: &NodePlan| matches!(&node.kind, Kind::Monitor(MonitorPlan { judges: Judges::BurnRate { .. }, .. }));
        let is_watched = |rollout: &RolloutPlan| rollout.canary.is_some_and(|canary| canary.signal.is_none());
        let counts = plan.nodes.iter().any(counts) || plan.rollouts.iter().any(is_watched);
        let counted = vec![Counted::default(); if counts { nodes } else { 0 }];
        Core {
            tokens: Tokens::new(&plan),
            ways: vec![[Time::ZERO; 2]; plan.ways.len()],
            arrivals: Vec::new(),
            transfers: BTreeMap::new(),
            fleets: Fleets::new(&plan),
            trials: Trials::new(&plan),
            breaches: vec![0; plan.audits.len()],
            idempotency: plan.idempotency.iter().map(|keys| Keys::new(keys.config)).collect(),
            limiters: plan.limiters.iter().map(|_| Limiter::default()).collect(),
            watched: plan.watched.iter().map(|_| Values::default()).collect(),
            senders: plan.workloads.iter().map(|load| Sender::new(plan.seed, load)).collect(),
            plan,
            mount: mount.map(Arc::new),
            now: Time::ZERO,
            calendar: Calendar::default(),
            at_once: VecDeque::new(),
            stays: Stays::default(),
            conditions: vec![Condition::default(); nodes],
            is_troubled: false,
            active_faults: Vec::new(),
            levels: vec![Levels::default(); nodes],
            shared: vec![NO_TIMER; nodes],
            statements: BTreeMap::new(),
            attempts: BTreeMap::new(),
            last_statement: 0,
            locals: Vec::new(),
            requests: 0,
            in_flight: 0,
            incidents: 0,
            calls: 0,
            open_calls: Vec::new(),
            recent: Recent::default(),
            counted,
            next_seq: 0,
            emitted: Vec::new(),
            closed_seconds: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Whether this entry's event still matters: a timeout, say, only while its stay waits for it.
    #[inline]
    pub fn is_alive(stays: &Stays, shared: &[u32], entry: &Entry) -> bool {
        match entry.event {
            Event::Timeout(slot) | Event::Retry(slot) | Event::Hedge(slot) => {
                stays[slot].call.as_ref().is_some_and(|call| call.timer == entry.order)
            }
            Event::Worked(slot) | Event::Patience(slot) | Event::Paused(slot) => stays[slot].timer == entry.order,
            Event::Arrive(_) | Event::Reply(_) | Event::Arrival { .. } => true,
            _ => Core::is_rare_one_alive(stays, shared, entry),
        }
    }

    #[cold]
    fn is_rare_one_alive(stays: &Stays, shared: &[u32], entry: &Entry) -> bool {
        match entry.event {
            Event::Withdraw(slot) => stays[slot].withdrawn == entry.at,
            Event::Shared(node) => shared[node.index()] == entry.order,
            _ => true,
        }
    }

    /// Writes a record.
    pub fn record(
        &mut self,
        node: NodeId,
        request: RequestId,
        what: What,
        cause: Option<Seq>,
        follows: Option<Seq>,
    ) -> Seq {
        let seq = take_seq(&mut self.next_seq);
        self.emitted.push(Record { at: self.now, seq, node, request, what, cause, follows });
        seq
    }

    /// How many records there are so far.
    pub fn records(&self) -> u32 {
        self.next_seq
    }

    /// Keeps a statement until its caller has the answer; the number finds it.
    pub fn keep_statement(&mut self, statement: Statement) -> u32 {
        self.last_statement = self.last_statement.wrapping_add(1);
        self.statements.insert(self.last_statement, statement);
        self.last_statement
    }

    /// Makes up a node's condition anew: a fault on it began or ended, or chance struck.
    pub fn judge(&mut self, node: NodeId) {
        let faults = self.active_faults.iter().map(|(fault, _)| &self.plan.faults[*fault as usize]);
        let effects = faults.filter(|fault| fault.is_on(node)).map(|fault| &fault.effect);
        let effects = effects.chain(self.release_effect(node));
        let mut condition = Condition::under(effects, self.conditions[node.index()].broken);
        if let Some(life) = self.life(node) {
            life.shape(&self.plan.fleets[usize::from(life.fleet)], &mut condition);
        }
        self.conditions[node.index()] = condition;
    }

    /// The life of a node, if it is an instance of a fleet.
    pub fn life(&self, node: NodeId) -> Option<&Life> {
        self.fleets.lives.get(node.index())?.as_ref()
    }

    /// How the release that a node has behaves, in the words of a fault.
    pub fn release_effect(&self, node: NodeId) -> Option<&EffectSpec> {
        let rollout = self.life(node)?.release.rollout?;
        self.plan.rollouts[usize::from(rollout)].effect.as_ref()
    }

    /// Whether the node's work is done by a real part.
    pub fn is_external(&self, node: NodeId) -> bool {
        self.mount.as_ref().is_some_and(|mount| mount.external.contains(&node))
    }

    /// Seconds since 1970 at the start of the run.
    pub fn epoch_unix_s(&self) -> u64 {
        self.mount.as_ref().map_or(0, |mount| mount.epoch_unix_s)
    }
}

impl Ctx<'_> {
    pub fn now(&self) -> Time {
        self.core.now
    }

    pub fn stay(&self, slot: Slot) -> &Stay {
        &self.core.stays[slot]
    }

    pub fn stay_mut(&mut self, slot: Slot) -> &mut Stay {
        &mut self.core.stays[slot]
    }

    /// The call that a stay waits for.
    pub fn open_call(&self, slot: Slot) -> &OpenCall {
        self.stay(slot).call.as_ref().expect("a call is open")
    }

    pub fn levels(&mut self) -> &mut Levels {
        &mut self.core.levels[self.node.index()]
    }

    /// What faults make of this node. A real part breaks by itself: its modelled condition stays good.
    pub fn condition(&self) -> Condition {
        match self.core.is_external(self.node) {
            true => Condition::default(),
            false => self.core.conditions[self.node.index()],
        }
    }

    /// Records the next fact of a stay, caused by its latest one.
    pub fn note(&mut self, slot: Slot, what: What) -> Seq {
        let Stay { last, troubled, .. } = *self.stay(slot);
        self.put_down(slot, what, Some(last), troubled)
    }

    /// Records the next fact of a stay, caused by something else: more than what users want, as far as is known.
    pub fn note_because(&mut self, slot: Slot, what: What, cause: Option<Seq>) -> Seq {
        let Stay { last, troubled, .. } = *self.stay(slot);
        self.put_down(slot, what, cause, troubled || cause != Some(last))
    }

    /// Records the next fact of a stay, caused by something else that may be no more than what others want.
    pub fn note_after(&mut self, slot: Slot, what: What, cause: Lead) -> Seq {
        self.put_down(slot, what, Some(cause.seq), cause.troubled)
    }

    #[inline]
    fn put_down(&mut self, slot: Slot, what: What, cause: Option<Seq>, troubled: bool) -> Seq {
        let Core { stays, next_seq, emitted, now, is_troubled, .. } = &mut *self.core;
        let stay = &mut stays[slot];
        let seq = take_seq(next_seq);
        let follows = Some(std::mem::replace(&mut stay.last, seq));
        stay.troubled = troubled;
        *is_troubled |= troubled;
        emitted.push(Record { at: *now, seq, node: self.node, request: stay.request, what, cause, follows });
        seq
    }

    /// Records a fact of the node itself.
    pub fn note_own(&mut self, what: What, cause: Option<Seq>) -> Seq {
        self.core.record(self.node, RequestId::NONE, what, cause, None)
    }

    /// Begins a stay that no other stay waits for, with its first record.
    pub fn begin_root(&mut self, request: RequestId, ask: Ask, origin: Origin, what: What) -> Slot {
        let now = self.core.now;
        let (route, key, user) = match what {
            What::Intended { route, key, user } => (route, key, user),
            _ => (RouteId(0), 0, 0),
        };
        let last = self.core.record(self.node, request, what, None, None);
        let slot = self.core.stays.insert(Stay {
            node: self.node,
            request,
            ask,
            route,
            key,
            user,
            since: now,
            last,
            asked_at: now,
            origin,
            ..Stay::BLANK
        });
        self.clear_locals(slot);
        slot
    }

    /// Begins a stay for something of the node's own that has been recorded already.
    pub fn begin_own(&mut self, ask: Ask, last: Seq) -> Slot {
        let (node, now) = (self.node, self.core.now);
        let slot = self.core.stays.insert(Stay {
            node,
            ask,
            since: now,
            last,
            asked_at: now,
            origin: Origin::Probe(0),
            ..Stay::BLANK
        });
        self.clear_locals(slot);
        slot
    }

    /// Sends a call of the stay `slot` to `to`; returns the callee's stay, whose caller's patience ends at `deadline`.
    pub fn send(
        &mut self,
        slot: Slot,
        to: NodeId,
        errand: Errand,
        attempt: u8,
        awaited: bool,
        deadline: Time,
    ) -> StayId {
        let child = self.visit(slot, to, errand, attempt, awaited, deadline);
        self.set_out(child, to, self.delay(self.node, to), Event::Arrive(child));
        self.core.stays.id(child)
    }

    /// The callee's stay of a call that has not set out yet.
    #[inline(always)]
    pub fn visit(
        &mut self,
        slot: Slot,
        to: NodeId,
        errand: Errand,
        attempt: u8,
        awaited: bool,
        deadline: Time,
    ) -> Slot {
        let parent = awaited.then(|| self.core.stays.id(slot));
        let now = self.core.now;
        let caller = &self.core.stays[slot];
        // Each visit of a request draws its own luck; the straight way, first attempts only, is number 0.
        let lineage = match (caller.lineage, caller.attempt, errand.way) {
            (0, 1, 0) => 0,
            (before, nth, way) => lineage(before, way << 8 | u32::from(nth)),
        };
        let child = self.core.stays.insert(Stay {
            node: to,
            ask: errand.ask,
            attempt,
            parent,
            from: self.node,
            route: errand.route,
            key: errand.key,
            since: now,
            step: 0,
            lineage,
            arg: errand.arg,
            got: (0, 0.0),
            deadline,
            timer: NO_TIMER,
            place: Place::Outside,
            setback: None,
            withdrawn: Time::NEVER,
            fork: Fork::default(),
            branch_of: 0,
            call: None,
            version: None,
            reply: None,
            ..*caller
        });
        self.clear_locals(child);
        if let Ask::Statement(_) = errand.ask {
            self.core.stays.belongings_mut(child).owner = Some(self.core.stays.id(slot));
        }
        child
    }

    /// Begins a stay that works for the stay `slot` at the same node: a branch of its program or a copy of its call.
    pub fn begin_part(&mut self, slot: Slot, ask: Ask, number: u16, step: u16) -> Slot {
        let parent = self.core.stays.id(slot);
        let whole = &self.core.stays[slot];
        let part = self.core.stays.insert(Stay {
            ask,
            parent: Some(parent),
            step,
            lineage: lineage(whole.lineage, (u32::from(whole.step) << 16) | (u32::from(number) + 1)),
            timer: NO_TIMER,
            place: Place::Outside,
            setback: None,
            withdrawn: Time::NEVER,
            fork: Fork::default(),
            branch_of: whole.fork.number,
            call: None,
            reply: None,
            ..*whole
        });
        let locals = self.locals(slot).to_vec();
        self.clear_locals(part);
        self.locals(part).copy_from_slice(&locals);
        part
    }

    #[inline]
    fn clear_locals(&mut self, slot: Slot) {
        if self.core.plan.locals > 0 {
            self.core.locals.resize(self.core.stays.slots() * self.core.plan.locals, 0.0);
            self.locals(slot).fill(0.0);
        }
    }

    /// The variables of a stay's program.
    pub fn locals(&mut self, slot: Slot) -> &mut [f64] {
        let count = self.core.plan.locals;
        &mut self.core.locals[slot as usize * count..][..count]
    }

    /// Records the arrival of a call and starts its stay.
    #[inline]
    pub fn arrive(&mut self, slot: Slot) {
        let now = self.core.now;
        let attempt = self.stay(slot).attempt;
        self.stay_mut(slot).since = now;
        self.note(slot, What::Arrived { attempt });
    }

    /// Sends the answer of a stay back to its caller.
    pub fn reply(&mut self, slot: Slot, reply: Reply) {
        let now = self.core.now;
        let sojourn = now.since(self.stay(slot).since);
        self.note(slot, What::Replied { status: reply.status, sojourn });
        self.count(slot, reply.status.is_server_failure(), sojourn);
        self.core.stays.take_setback(slot);
        let stay = &mut self.core.stays[slot];
        stay.reply = Some(reply);
        let caller = stay.parent.filter(|parent| self.core.stays.is_live(*parent));
        let Some(parent) = caller else { return self.after_the_way(Span::ZERO, Event::Reply(slot)) };
        let to = self.core.stays[parent.slot].node;
        self.set_out(slot, to, self.delay(self.node, to), Event::Reply(slot));
    }

    /// A request or an answer sets out for another node.
    #[inline]
    pub fn set_out(&mut self, slot: Slot, to: NodeId, delay: Span, event: Event) {
        match self.core.plan.ways.is_empty() {
            true => self.after_the_way(delay, event),
            false => self.travel(slot, to, delay, event),
        }
    }

    /// What has no way to go happens in the same step.
    #[inline]
    pub fn after_the_way(&mut self, delay: Span, event: Event) {
        match delay {
            Span::ZERO => self.core.at_once.push_back(event),
            delay => _ = self.core.calendar.schedule_after(self.core.now, delay, event),
        }
    }

    /// Counts the end of a request at this node, if a monitor asks for that.
    pub fn count(&mut self, slot: Slot, failed: bool, took: Span) {
        self.watch_end(slot, failed, took);
        if let Some(counted) = self.core.counted.get_mut(self.node.index()) {
            let stay = &self.core.stays[slot];
            if stay.request != RequestId::NONE {
                counted.ended += 1;
                counted.failed += u32::from(failed);
                counted.last_failure = if failed { Some(stay.last) } else { counted.last_failure };
            }
        }
    }

    /// Refuses a stay and answers its caller.
    pub fn refuse(&mut self, slot: Slot, refusal: Refusal, cause: Option<Seq>, retry_at: Option<Time>) {
        let own = Lead::of(self.stay(slot));
        self.refuse_after(slot, refusal, cause.map_or(own, |seq| Lead { seq, troubled: true }), retry_at);
    }

    /// The same for a cause that may be no more than what others want.
    pub fn refuse_after(&mut self, slot: Slot, refusal: Refusal, cause: Lead, retry_at: Option<Time>) {
        self.note_after(slot, What::Refused { refusal }, cause);
        let reply = Reply { retry_at: retry_at.unwrap_or(Time::NEVER), ..Reply::status(status_of(refusal)) };
        self.reply(slot, reply);
    }

    /// The way from one node to another. From a client of a mounted world there is none: it is a real one.
    pub fn delay(&self, from: NodeId, to: NodeId) -> Span {
        let is_client = |node: NodeId| matches!(self.core.plan.nodes[node.index()].kind, Kind::Client(_));
        match self.core.mount.is_some() && (is_client(from) || is_client(to)) {
            true => Span::ZERO,
            false => self.core.plan.delay(from, to),
        }
    }

    /// Draws how long a piece of work of this stay takes, slowed down if the node is slow.
    pub fn work(&mut self, slot: Slot, dist: &Dist) -> Span {
        let slow = self.condition().slow_factor;
        let span = match dist.is_constant() {
            true => dist.mean(),
            false => dist.sample(&mut self.draw(slot, Purpose::Work)),
        };
        if slow == 1.0 { span } else { self.slowed(slot, span, slow) }
    }

    /// Schedules the end of a piece of work.
    pub fn schedule_work(&mut self, slot: Slot, span: Span, constant: bool) {
        let now = self.core.now;
        let timer = match constant {
            true => self.core.calendar.schedule_after(now, span, Event::Worked(slot)),
            false => self.core.calendar.schedule(now + span, Event::Worked(slot)),
        };
        let stay = self.stay_mut(slot);
        stay.timer = timer;
        stay.due = now + span;
    }

    /// Schedules the next round of a call's health checks.
    pub fn schedule_probe(&mut self, call: u16) {
        let plan = &self.core.plan.nodes[self.node.index()];
        let interval = match &plan.kind {
            Kind::Monitor(monitor) => (call == 0).then_some(monitor.interval),
            _ => plan.calls[call as usize].health_check.as_ref().map(|check| check.params().interval),
        };
        if let Some(interval) = interval {
            let (at, node) = (self.core.now + interval, self.node);
            self.core.calendar.schedule(at, Event::Probe { node, call });
        }
    }

    /// Withdraws a call that was sent to another node, wherever it stands there.
    pub fn withdraw(&mut self, child: StayId) {
        if !self.core.stays.is_live(child) {
            return;
        }
        let to = self.core.stays[child.slot].node;
        let delay = self.delay(self.node, to);
        // It does not overtake the call that it withdraws.
        match self.core.arrivals.get(child.slot as usize) {
            Some(&arrives) if arrives > self.core.now + delay => {
                self.core.stays[child.slot].withdrawn = arrives;
                self.core.calendar.schedule(arrives, Event::Withdraw(child.slot));
            }
            _ => {
                self.core.stays[child.slot].withdrawn = self.core.now + delay;
                self.after_the_way(delay, Event::Withdraw(child.slot));
            }
        }
    }

    /// Whether the fault of an error ratio strikes this stay.
    #[inline]
    pub fn strikes(&self, slot: Slot) -> bool {
        let ratio = self.condition().error_ratio;
        ratio > 0.0 && self.is_struck(slot, ratio)
    }

    #[cold]
    fn is_struck(&self, slot: Slot, ratio: f64) -> bool {
        self.draw(slot, Purpose::Fault).uniform() < ratio
    }

    /// The generator of a stay for a purpose: its numbers depend on nothing else that happens.
    pub fn draw(&self, slot: Slot, purpose: Purpose) -> Stream {
        let stay = self.stay(slot);
        let owner =
            self.core.plan.nodes[self.node.index()].hash ^ (u64::from(stay.lineage) << 16 | u64::from(stay.step));
        draw(self.core.plan.seed, stay.request.0, owner, purpose, stay.attempt)
    }

    /// The same where a stay asks again and again, the n-th time.
    pub fn draw_again(&self, slot: Slot, purpose: Purpose, n: u32) -> Stream {
        let stay = self.stay(slot);
        let owner = self.core.plan.nodes[self.node.index()].hash ^ u64::from(lineage(stay.lineage, n));
        draw(self.core.plan.seed, stay.request.0, owner, purpose, stay.attempt)
    }

    /// Asks a real part to do something for a stay.
    pub fn call_real(&mut self, slot: Slot, op: CallOp) {
        let call = CallId(self.core.calls);
        self.core.calls += 1;
        let id = self.core.stays.id(slot);
        self.core.open_calls.push((call, id));
        let request = self.stay(slot).request;
        self.core.outputs.push(Output::Call { call, node: self.node, request, op });
    }

    /// Shows how many calls are in service.
    pub fn set_in_service(&mut self, count: u32) {
        let now = self.core.now;
        self.levels().in_service.set(now, count);
    }

    /// Shows how many calls wait.
    pub fn set_waiting(&mut self, count: u32) {
        let now = self.core.now;
        self.levels().waiting.set(now, count);
    }

    /// The next incident's number.
    pub fn next_incident(&mut self) -> IncidentId {
        self.core.incidents += 1;
        IncidentId(self.core.incidents)
    }
}

/// The number of the next record.
fn take_seq(next: &mut u32) -> Seq {
    let seq = Seq::new(*next);
    *next += 1;
    seq
}

/// What a refusal looks like from outside.
pub fn status_of(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Unauthorized => Status::Unauthorized,
        Refusal::RateLimited => Status::TooManyRequests,
        Refusal::NotFound => Status::NotFound,
        Refusal::Fault | Refusal::Program => Status::InternalError,
        Refusal::DeadlinePassed => Status::GatewayTimeout,
        Refusal::Lost | Refusal::ConnectionReset => Status::BadGateway,
        Refusal::KeyMissing | Refusal::TooLong => Status::BadRequest,
        Refusal::KeyInProgress => Status::Conflict,
        Refusal::KeyReused => Status::UnprocessableContent,
        Refusal::PreconditionFailed => Status::PreconditionFailed,
        Refusal::PreconditionRequired => Status::PreconditionRequired,
        Refusal::QueueTimeout
        | Refusal::Shed
        | Refusal::BulkheadFull
        | Refusal::Throttled
        | Refusal::Busy
        | Refusal::Deadlock
        | Refusal::LockTimeout
        | Refusal::SerializationFailure
        | Refusal::Down
        | Refusal::QueueFull
        | Refusal::BreakerOpen
        | Refusal::BreakerHalfOpen
        | Refusal::NoInstance
        | Refusal::NoPort
        | Refusal::RealError => Status::Unavailable,
    }
}
