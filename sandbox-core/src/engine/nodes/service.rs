//! A service: workers that run a route's program, the line before them, and the limits of single routes.
//!
//! A worker is held from the start of a call to its answer, also while it waits for others, or only for the work itself
//! (`hold`). Left out: start-up, pauses of the runtime, memory; a service that goes down finishes what it has begun.

use super::Happening;
use super::database::Statement;
use super::gateway::worked;
use crate::engine::admission::Entrance;
use crate::engine::calls::Caller;
use crate::engine::ctx::{Ctx, status_of};
use crate::engine::event::{Event, Slot};
use crate::engine::idempotency::{self, Claim};
use crate::engine::if_match;
use crate::engine::line::Line;
use crate::engine::sharing::Sharing;
use crate::engine::stay::{Ask, CallEnd, Errand, Fork, Found, NO_TIMER, Place, Reply, Stay, StayId};
use crate::ids::{RouteId, Seq};
use crate::rng::{Purpose, Stream};
use crate::scenario::{
    CallStep, Discipline, Dist, Expr, Hold, Kind, Name, NodePlan, Program, ServicePlan, StatementPlan, Step,
};
use crate::store::{Change, Changes, Filter, Keys, Op, RowId};
use crate::time::{Span, Time};
use crate::trace::{CacheFallback, CacheResult, Refusal, Status, What};
use std::collections::VecDeque;
use std::sync::Arc;

/// The number of the fork of a stay that only repeats one step of another.
const ONE_STEP: u16 = u16::MAX;

/// A service's live state.
#[derive(Clone, Debug)]
pub struct Service {
    pub callers: Vec<Caller>,
    plan: Arc<ServicePlan>,
    busy: u32,
    line: Line,
    entrance: Option<Entrance>,
    /// The record of the present busy period.
    saturated: Option<Seq>,
    /// The calls in work, if they share the workers.
    sharing: Option<Sharing>,
    bulkheads: Vec<Bulkhead>,
    /// Calls of a static batch that are done and wait for the longest.
    batch: Vec<Slot>,
    /// Work that stands still, and what is left of it: frozen, or pushed aside by a newer call.
    aside: Vec<(Slot, Span)>,
    /// The calls in work, the newest last, where a newer one pushes them aside.
    in_work: Vec<Slot>,
    /// Draws how long it is up and down.
    chance: Stream,
    /// The record of its breakdown by chance.
    broken: Option<Seq>,
}

#[derive(Clone, Debug, Default)]
struct Bulkhead {
    inside: u32,
    line: VecDeque<Slot>,
}

impl Service {
    pub fn new(plan: &NodePlan, service: &ServicePlan, seed: u64, callers: Vec<Caller>) -> Service {
        let shares = service.discipline == Discipline::ProcessorSharing;
        Service {
            callers,
            busy: 0,
            line: Line::new(service.discipline, service.lifo_above),
            entrance: Entrance::new(service.admission, Stream::new(seed, plan.hash, Purpose::Admission)),
            saturated: None,
            sharing: shares.then(|| Sharing::new(service.workers)),
            bulkheads: vec![Bulkhead::default(); service.bulkheads.len()],
            batch: Vec::new(),
            aside: Vec::new(),
            in_work: Vec::new(),
            chance: Stream::new(seed, plan.hash, Purpose::Chance),
            broken: None,
            plan: Arc::new(service.clone()),
        }
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Arrived(slot) => self.arrive(ctx, slot),
            Happening::Worked(slot) => self.on_worked(ctx, slot),
            Happening::Paused(slot) => self.on_paused(ctx, slot),
            Happening::LostPatience(slot) => self.leave_line(ctx, slot),
            Happening::Shared => self.on_shared(ctx),
            Happening::ConditionChanged => self.on_condition(ctx),
            Happening::Chance => self.on_chance(ctx),
            Happening::ProbeDue { call } => self.callers[call as usize].on_probe_due(ctx),
            Happening::Intended { .. } => unreachable!("not for a service"),
        }
    }

    fn arrive(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.arrive(slot);
        if ctx.condition().down {
            let cause = self.broken.or_else(|| ctx.fault());
            return ctx.refuse(slot, Refusal::Down, cause, None);
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let Stay { route, key, priority, .. } = *ctx.stay(slot);
        if self.plan.programs.get(route.index()).is_none_or(Option::is_none) || key >= ctx.core.plan.keys {
            return ctx.refuse(slot, Refusal::NotFound, None, None);
        }
        let now = ctx.now();
        if self.entrance.as_mut().is_some_and(|entrance| !entrance.admits(now, slot, priority)) {
            return ctx.refuse(slot, Refusal::Shed, self.saturated, self.retry_at(now));
        }
        match self.plan.bulkhead_of[route.index()] {
            Some(bulkhead) => self.pass(ctx, slot, bulkhead),
            None => self.enter(ctx, slot),
        }
    }

    /// Before the bulkhead of its route.
    fn pass(&mut self, ctx: &mut Ctx, slot: Slot, index: usize) {
        let (plan, bulkhead) = (&self.plan.bulkheads[index], &mut self.bulkheads[index]);
        if bulkhead.inside < plan.max_concurrent {
            bulkhead.inside += 1;
            return self.enter(ctx, slot);
        }
        let ahead = bulkhead.line.len() as u32;
        if ahead >= plan.max_waiting {
            let status = plan.status;
            ctx.note(slot, What::Refused { refusal: Refusal::BulkheadFull });
            let retry_at = self.retry_at(ctx.now()).unwrap_or(Time::NEVER);
            return self.answer(ctx, slot, Reply { retry_at, ..Reply::status(status) });
        }
        bulkhead.line.push_back(slot);
        ctx.stay_mut(slot).place = Place::Bulkhead;
        ctx.note(slot, What::Queued { ahead });
    }

    /// A call that passed a bulkhead is over: the next one may pass.
    fn leave_bulkhead(&mut self, ctx: &mut Ctx, slot: Slot) {
        let Some(index) = self.plan.bulkhead_of[ctx.stay(slot).route.index()] else { return };
        match self.bulkheads[index].line.pop_front() {
            Some(next) => {
                ctx.stay_mut(next).place = Place::Outside;
                ctx.note(next, What::Admitted);
                self.enter(ctx, next);
            }
            None => self.bulkheads[index].inside -= 1,
        }
    }

    fn enter(&mut self, ctx: &mut Ctx, slot: Slot) {
        match self.plan.hold {
            Hold::Call => self.acquire(ctx, slot),
            Hold::Work => self.run(ctx, slot),
        }
    }

    /// Takes a worker, or a place in the line.
    fn acquire(&mut self, ctx: &mut Ctx, slot: Slot) {
        if self.has_free_worker(ctx) {
            return self.start(ctx, slot, false);
        }
        if self.plan.discipline == Discipline::LifoPreemptive
            && let Some(older) = self.in_work.pop()
        {
            self.push_aside(ctx, older);
            return self.start(ctx, slot, false);
        }
        let saturated = *self.saturated.get_or_insert_with(|| ctx.saturate(self.busy));
        let ahead = self.line.len();
        if self.plan.max_waiting.is_some_and(|places| ahead >= places) {
            ctx.note_because(slot, What::Refused { refusal: Refusal::QueueFull }, Some(saturated));
            return self.turn_away(ctx, slot, Refusal::QueueFull);
        }
        ctx.note_because(slot, What::Queued { ahead }, Some(saturated));
        self.stand_in_line(ctx, slot);
        if let Some(patience) = &self.plan.patience {
            let span = patience.sample(&mut ctx.draw(slot, Purpose::Patience));
            let timer = ctx.core.calendar.schedule(ctx.core.now + span, Event::Patience(slot));
            ctx.stay_mut(slot).timer = timer;
        }
    }

    /// It gets no worker: the call as a whole is refused, or the step that needed one has failed.
    fn turn_away(&mut self, ctx: &mut Ctx, slot: Slot, refusal: Refusal) {
        let retry_at = match refusal {
            Refusal::DeadlinePassed => Time::NEVER,
            _ => self.retry_at(ctx.now()).unwrap_or(Time::NEVER),
        };
        match self.plan.hold {
            Hold::Call => self.finish(ctx, slot, Reply { retry_at, ..Reply::status(status_of(refusal)) }),
            Hold::Work => self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at }),
        }
    }

    /// When who is refused for load may come back; None: that is not said.
    fn retry_at(&self, now: Time) -> Option<Time> {
        self.plan.retry_after.map(|wait| now + wait)
    }

    fn stand_in_line(&mut self, ctx: &mut Ctx, slot: Slot) {
        let stay = ctx.stay_mut(slot);
        stay.place = Place::Line;
        let priority = stay.priority;
        self.line.push(slot, priority);
        if let Some(entrance) = &mut self.entrance {
            entrance.on_queued(ctx.now(), slot);
        }
        ctx.set_waiting(self.line.len());
    }

    fn has_free_worker(&self, ctx: &Ctx) -> bool {
        let places = match (&self.sharing, self.plan.workers, self.plan.max_waiting) {
            // Who shares does not wait: the waiting places are more calls that share.
            (Some(_), Some(workers), Some(waiting)) => Some(workers + waiting),
            (Some(_), _, _) => None,
            (None, workers, _) => workers,
        };
        let batch_is_over = !self.plan.static_batch || self.busy == 0;
        batch_is_over && !ctx.condition().held && places.is_none_or(|places| self.busy < places)
    }

    fn start(&mut self, ctx: &mut Ctx, slot: Slot, waited: bool) {
        self.busy += 1;
        self.show_busy(ctx);
        let stay = ctx.stay_mut(slot);
        stay.place = Place::Worker;
        stay.timer = NO_TIMER;
        if waited {
            ctx.note(slot, What::Started);
        }
        if self.plan.discipline == Discipline::LifoPreemptive {
            self.in_work.push(slot);
            if let Some(place) = self.aside.iter().position(|(other, _)| *other == slot) {
                let (_, left) = self.aside.remove(place);
                return self.work_for(ctx, slot, left, false);
            }
        }
        match self.plan.hold {
            Hold::Call => self.run(ctx, slot),
            Hold::Work => self.begin_work(ctx, slot),
        }
    }

    fn show_busy(&mut self, ctx: &mut Ctx) {
        let in_service = match (&self.sharing, self.plan.workers) {
            (Some(_), Some(workers)) => {
                ctx.set_waiting(self.busy.saturating_sub(workers));
                self.busy.min(workers)
            }
            _ => self.busy,
        };
        ctx.set_in_service(in_service);
    }

    fn program(&self, route: RouteId) -> &Program {
        self.plan.programs[route.index()].as_ref().expect("its route has a program")
    }

    fn step<'a>(&'a self, ctx: &Ctx, slot: Slot) -> &'a Step {
        let stay = ctx.stay(slot);
        &self.program(stay.route).steps[stay.step as usize]
    }

    /// Runs the program of a stay until it has to wait.
    fn run(&mut self, ctx: &mut Ctx, slot: Slot) {
        loop {
            let Stay { step: here, route, .. } = *ctx.stay(slot);
            let mut next = here + 1;
            match self.program(route).steps.get(here as usize) {
                None => {
                    let (version, value) = (ctx.stay(slot).version, ctx.stay(slot).got.1);
                    return self.finish(ctx, slot, Reply { version, value, ..Reply::status(Status::Ok) });
                }
                Some(Step::Work(_)) => {
                    return match self.plan.hold {
                        Hold::Call => self.begin_work(ctx, slot),
                        Hold::Work => self.acquire(ctx, slot),
                    };
                }
                Some(Step::Wait(dist)) => {
                    let span = dist.sample(&mut ctx.draw(slot, Purpose::Work));
                    let timer = ctx.core.calendar.schedule(ctx.core.now + span, Event::Paused(slot));
                    ctx.stay_mut(slot).timer = timer;
                    return;
                }
                Some(Step::Read { cache: Some(cache), .. }) => return self.ask(ctx, slot, *cache, Ask::CacheGet),
                Some(Step::Read { store, cache: None }) => return self.ask(ctx, slot, *store, Ask::Read),
                Some(Step::Write { store, if_match, if_match_required, .. }) => {
                    let (store, required) = (*store, *if_match_required);
                    let seen = if_match.as_ref().map(|version| value(ctx, slot, version)).filter(|seen| *seen >= 1.0);
                    return self.write(ctx, slot, store, seen, required);
                }
                Some(Step::Call(call)) => {
                    let (errand, call) = (errand(ctx, slot, call), call.call);
                    return self.call(ctx, slot, call, errand);
                }
                Some(Step::Jump(to)) => next = *to,
                Some(Step::Unless(condition, to)) => {
                    if value(ctx, slot, condition) == 0.0 {
                        next = *to;
                    }
                }
                Some(Step::Set(local, to)) => {
                    let to = value(ctx, slot, to);
                    ctx.locals(slot)[*local] = to;
                }
                Some(Step::Observe(signal, observed)) => {
                    let value = value(ctx, slot, observed);
                    ctx.note(slot, What::Observed { signal: *signal, value });
                }
                Some(Step::Respond(answer)) => {
                    let mut number = |expr: &Expr| value(ctx, slot, expr);
                    let (value, wait_s) = (
                        answer.value.as_ref().map_or(0.0, &mut number),
                        answer.retry_after_s.as_ref().map(&mut number),
                    );
                    let (status, version, now) = (answer.status, ctx.stay(slot).version, ctx.now());
                    let wait = wait_s.map(|wait_s| Span::from_seconds(wait_s.clamp(0.0, 3_600.0)));
                    let retry_at = wait.map_or(Time::NEVER, |wait| now + wait);
                    if !status.is_success() {
                        ctx.note(slot, What::Refused { refusal: Refusal::Program });
                    }
                    return self.finish(ctx, slot, Reply { status, version, value, retry_at });
                }
                Some(Step::Fork { branches, needed }) => {
                    let (branches, needed) = (branches.clone(), *needed);
                    return self.fork(ctx, slot, &branches, needed);
                }
                Some(Step::Pause(ms)) => {
                    let span = Span::from_ms(value(ctx, slot, ms).clamp(0.0, 3_600_000.0));
                    let timer = ctx.core.calendar.schedule(ctx.core.now + span, Event::Paused(slot));
                    ctx.stay_mut(slot).timer = timer;
                    return;
                }
                Some(Step::Statement(step)) => {
                    let (statement, call) = (statement(ctx, slot, &step.what), step.call);
                    return self.state(ctx, slot, call, statement);
                }
                Some(Step::Look { cache, .. }) => return self.ask(ctx, slot, *cache, Ask::CacheGet),
                Some(Step::Keep { cache }) => {
                    self.keep(ctx, slot, *cache);
                    if is_background(ctx, slot) {
                        return self.finish(ctx, slot, Reply::status(Status::Ok));
                    }
                }
                Some(&Step::FallBack { cache, found }) => {
                    self.send_aside(ctx, slot, cache, Ask::CacheFail);
                    if is_background(ctx, slot) {
                        return self.finish(ctx, slot, Reply::status(Status::InternalError));
                    }
                    match self.usable_copy(ctx, slot) {
                        Some(version) => {
                            ctx.stay_mut(slot).version = Some(version);
                            next = found;
                        }
                        None => {
                            let reply = failure(ctx.stay(slot));
                            return self.fail(ctx, slot, CallEnd::Replied(reply));
                        }
                    }
                }
                Some(Step::Claim(step)) => {
                    let has_key = step.when.as_ref().is_none_or(|when| value(ctx, slot, when) != 0.0);
                    let request = f64::from(ctx.stay(slot).request.0);
                    let key = has_key.then(|| step.key.as_ref().map_or(request, |key| value(ctx, slot, key)));
                    let found = step.found;
                    match idempotency::claim(ctx, slot, step.keys, key) {
                        Claim::Execute => {}
                        Claim::Replay(stored) if stored.ended => return self.finish(ctx, slot, stored.reply),
                        Claim::Replay(stored) if stored.reply.status.is_success() => {
                            let stay = ctx.stay_mut(slot);
                            stay.version = stored.reply.version;
                            stay.got.1 = stored.reply.value;
                            next = found;
                        }
                        Claim::Replay(stored) => return self.fail(ctx, slot, CallEnd::Replied(stored.reply)),
                        Claim::Refuse(refusal) => {
                            return self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at: Time::NEVER });
                        }
                    }
                }
                Some(Step::Remember) => {
                    let (version, value) = (ctx.stay(slot).version, ctx.stay(slot).got.1);
                    let reply = Reply { version, value, ..Reply::status(Status::Ok) };
                    idempotency::remember(ctx, slot, reply, false);
                }
                Some(Step::RememberFailure) => {
                    let reply = failure(ctx.stay(slot));
                    idempotency::remember(ctx, slot, reply, false);
                    return self.fail(ctx, slot, CallEnd::Replied(reply));
                }
                Some(Step::EndBranch) => return self.on_branch_end(ctx, slot, true),
            }
            let stay = ctx.stay_mut(slot);
            if next <= here {
                // Another round draws its own luck.
                stay.lineage = crate::rng::lineage(stay.lineage, u32::from(here));
            }
            stay.step = next;
        }
    }

    /// The present step is done.
    fn go_on(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).step += 1;
        self.run(ctx, slot);
    }

    #[inline]
    fn begin_work(&mut self, ctx: &mut Ctx, slot: Slot) {
        let Step::Work(dist) = self.step(ctx, slot) else { unreachable!("a worker is taken for work") };
        let span = ctx.work(slot, dist);
        let constant = dist.is_constant();
        self.work_for(ctx, slot, span, constant);
    }

    #[inline]
    fn work_for(&mut self, ctx: &mut Ctx, slot: Slot, span: Span, constant: bool) {
        let now = ctx.now();
        if let Some(sharing) = &mut self.sharing {
            sharing.join(now, slot, span);
            return self.schedule_shared(ctx);
        }
        match ctx.condition().frozen {
            true => self.aside.push((slot, span)),
            false => ctx.schedule_work(slot, span, constant),
        }
    }

    /// What is left of the work of a call is done later.
    fn push_aside(&mut self, ctx: &mut Ctx, slot: Slot) {
        self.stop_work(ctx, slot);
        self.busy -= 1;
        self.stand_in_line(ctx, slot);
    }

    fn stop_work(&mut self, ctx: &mut Ctx, slot: Slot) {
        let now = ctx.now();
        let stay = ctx.stay_mut(slot);
        if stay.timer != NO_TIMER {
            stay.timer = NO_TIMER;
            let left = stay.due.since(now);
            self.aside.push((slot, left));
        }
    }

    fn schedule_shared(&mut self, ctx: &mut Ctx) {
        let first = self.sharing.as_ref().and_then(Sharing::first);
        let order = match first {
            Some((at, _)) => ctx.core.calendar.schedule(at.max(ctx.core.now), Event::Shared(ctx.node)),
            None => NO_TIMER,
        };
        ctx.core.shared[ctx.node.index()] = order;
    }

    fn on_shared(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let done = self.sharing.as_mut().and_then(|sharing| sharing.finish(now));
        self.schedule_shared(ctx);
        if let Some(slot) = done {
            self.on_worked(ctx, slot);
        }
    }

    fn on_worked(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).timer = NO_TIMER;
        worked(ctx, slot);
        if !self.in_work.is_empty() {
            self.in_work.retain(|other| *other != slot);
        }
        let strikes = ctx.strikes(slot);
        if self.plan.hold == Hold::Work {
            ctx.stay_mut(slot).place = Place::Outside;
            self.release(ctx);
        }
        if strikes {
            let cause = ctx.fault();
            ctx.note_because(slot, What::Refused { refusal: Refusal::Fault }, cause);
            return self.fail(ctx, slot, CallEnd::Refused { refusal: Refusal::Fault, retry_at: Time::NEVER });
        }
        self.go_on(ctx, slot);
    }

    fn on_paused(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).timer = NO_TIMER;
        ctx.note(slot, What::Paused);
        self.go_on(ctx, slot);
    }

    /// A fault began or ended.
    #[cold]
    fn on_condition(&mut self, ctx: &mut Ctx) {
        let (now, frozen) = (ctx.now(), ctx.condition().frozen);
        if let Some(sharing) = &mut self.sharing {
            sharing.advance(now);
            sharing.frozen = frozen;
            self.schedule_shared(ctx);
        } else if frozen {
            for slot in ctx.core.stays.of_node(ctx.node) {
                if ctx.stay(slot).place == Place::Worker && matches!(self.step(ctx, slot), Step::Work(_)) {
                    self.stop_work(ctx, slot);
                }
            }
        } else if self.plan.discipline != Discipline::LifoPreemptive {
            for (slot, left) in std::mem::take(&mut self.aside) {
                ctx.schedule_work(slot, left, false);
            }
        } else {
            let (held, resumed) =
                std::mem::take(&mut self.aside).into_iter().partition(|(slot, _)| ctx.stay(*slot).place == Place::Line);
            self.aside = held;
            let resumed: Vec<(Slot, Span)> = resumed;
            resumed.into_iter().for_each(|(slot, left)| ctx.schedule_work(slot, left, false));
        }
        self.fill_workers(ctx);
    }

    #[cold]
    fn on_chance(&mut self, ctx: &mut Ctx) {
        let plan = self.plan.clone();
        let Some((up, down)) = &plan.chance else { return };
        let broken = self.broken.is_none();
        self.broken = match broken {
            true => Some(ctx.note_own(What::BrokeDown, None)),
            false => {
                ctx.note_own(What::Repaired, self.broken);
                None
            }
        };
        ctx.core.conditions[ctx.node.index()].broken = broken;
        ctx.core.judge(ctx.node);
        self.schedule_chance(ctx, if broken { down } else { up });
    }

    /// Schedules its first breakdown.
    pub fn begin(&mut self, ctx: &mut Ctx) {
        let plan = self.plan.clone();
        if let Some((up, _)) = &plan.chance {
            self.schedule_chance(ctx, up);
        }
    }

    fn schedule_chance(&mut self, ctx: &mut Ctx, dist: &Dist) {
        let at = ctx.now() + dist.sample(&mut self.chance);
        ctx.core.calendar.schedule(at, Event::Chance(ctx.node));
    }

    /// Asks a store or a cache.
    fn ask(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, ask: Ask) {
        let errand = Errand::handed_on(ctx.stay(slot), ask);
        self.access(ctx, slot, call, errand);
    }

    /// Asks a store to write, if the row still has the version that was seen.
    fn write(&mut self, ctx: &mut Ctx, slot: Slot, store: usize, seen: Option<f64>, required: bool) {
        let Some(seen) = seen else {
            return match if_match::check(None, None, required) {
                Ok(()) => self.ask(ctx, slot, store, Ask::Write),
                Err(refusal) => {
                    ctx.note(slot, What::Refused { refusal });
                    self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at: Time::NEVER })
                }
            };
        };
        let errand = Errand { arg: seen, ..Errand::handed_on(ctx.stay(slot), Ask::WriteIf) };
        self.access(ctx, slot, store, errand);
    }

    fn access(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, errand: Errand) {
        if let Some((_, end)) = self.callers[call].begin(ctx, slot, errand) {
            self.on_access_end(ctx, slot, errand.ask, end);
        }
    }

    /// Calls another service, a queue or a database.
    fn call(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, errand: Errand) {
        if let Some((slot, end)) = self.callers[call].begin(ctx, slot, errand) {
            self.on_call_end(ctx, slot, end);
        }
    }

    /// Asks a database.
    fn state(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, statement: Statement) {
        let place = ctx.core.keep_statement(statement);
        let way = u32::from(ctx.stay(slot).step) + 1;
        let errand = Errand { way, ..Errand::handed_on(ctx.stay(slot), Ask::Statement(place)) };
        ctx.core.stays.belongings_mut(slot).session = Some((call as u16, place));
        self.call(ctx, slot, call, errand);
    }

    /// Whatever the program's session still holds is given back.
    fn close_session(&mut self, ctx: &mut Ctx, slot: Slot) {
        let Some((call, latest)) = ctx.core.stays.take_session(slot) else { return };
        ctx.core.statements.remove(&latest);
        let place = ctx.core.keep_statement(Statement::Close);
        self.send_aside(ctx, slot, usize::from(call), Ask::Statement(place));
    }

    pub fn on_call_end(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        // Which call it was follows from the program: a read with a cache asks the cache first.
        let belongings = ctx.core.stays.belongings(slot);
        let asked_cache = belongings.is_some_and(|belongings| belongings.copy.is_some());
        let ask = match self.step(ctx, slot) {
            Step::Statement(_) => {
                if let Some((_, statement)) = belongings.and_then(|belongings| belongings.session) {
                    ctx.core.statements.remove(&statement);
                }
                return self.on_answer(ctx, slot, end);
            }
            Step::Call(_) => return self.on_answer(ctx, slot, end),
            Step::Look { .. } => Ask::CacheGet,
            Step::Read { cache: Some(_), .. } if !asked_cache => Ask::CacheGet,
            Step::Write { .. } => Ask::Write,
            _ => Ask::Read,
        };
        self.on_access_end(ctx, slot, ask, end);
    }

    /// Another service answered, or did not.
    fn on_answer(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        match end {
            CallEnd::Replied(reply) if reply.status.is_success() => {
                let stay = ctx.stay_mut(slot);
                stay.got = (reply.status.code(), reply.value);
                stay.version = reply.version.or(stay.version);
                self.go_on(ctx, slot);
            }
            failed => self.fail(ctx, slot, failed),
        }
    }

    fn on_access_end(&mut self, ctx: &mut Ctx, slot: Slot, ask: Ask, end: CallEnd) {
        if ask == Ask::CacheGet {
            return self.on_looked_up(ctx, slot, end);
        }
        let (Step::Read { cache, .. } | Step::Write { cache, .. }) = *self.step(ctx, slot) else {
            unreachable!("only a read or a write asks a store")
        };
        match end {
            CallEnd::Replied(Reply { status: Status::Ok, version, .. }) => {
                ctx.stay_mut(slot).version = version;
                if let (Some(cache), Some(_)) = (cache, version) {
                    self.keep(ctx, slot, cache);
                }
                // Without a cache of its own it may be part of the load of another copy.
                if cache.is_some() {
                    ctx.core.stays.take_copy(slot);
                }
                match is_background(ctx, slot) && ctx.stay(slot).branch_of == ONE_STEP {
                    true => self.finish(ctx, slot, Reply::status(Status::Ok)),
                    false => self.go_on(ctx, slot),
                }
            }
            failed => self.fall_back(ctx, slot, failed),
        }
    }

    /// The cache answered: a copy that will do, or else the origin is asked. A cache that fails is no more than a miss.
    fn on_looked_up(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        let found = match (end, ctx.core.stays.take_found(slot)) {
            (CallEnd::Replied(_), Some(found)) => found,
            (CallEnd::Replied(reply), None) if !self.is_plain_miss(ctx, slot, &reply) => {
                return self.fail(ctx, slot, end);
            }
            _ => Found { result: CacheResult::Miss, copy: None, load: true },
        };
        let serves = matches!(found.result, CacheResult::Fresh | CacheResult::Early | CacheResult::Revalidate);
        let Some(copy) = found.copy.filter(|_| serves) else {
            ctx.core.stays.belongings_mut(slot).copy = Some(found);
            ctx.stay_mut(slot).asked_at = ctx.now();
            return match *self.step(ctx, slot) {
                Step::Read { store, .. } => self.ask(ctx, slot, store, Ask::Read),
                _ => self.go_on(ctx, slot),
            };
        };
        ctx.stay_mut(slot).version = Some(copy.version);
        match *self.step(ctx, slot) {
            Step::Read { store, .. } if found.load => {
                self.read_in_background(ctx, slot, store);
                self.go_on(ctx, slot);
            }
            Step::Look { found: next, .. } => {
                if found.load {
                    self.load_in_background(ctx, slot);
                }
                ctx.stay_mut(slot).step = next;
                self.run(ctx, slot);
            }
            _ => self.go_on(ctx, slot),
        }
    }

    /// Whether a cache that answered without a copy is only a miss: one that waited for another's load shares its failure.
    fn is_plain_miss(&self, ctx: &Ctx, slot: Slot, reply: &Reply) -> bool {
        let (Step::Look { cache, .. } | Step::Read { cache: Some(cache), .. }) = *self.step(ctx, slot) else {
            return true;
        };
        let target = ctx.core.plan.nodes[ctx.node.index()].calls[cache].targets[0];
        !self.shares_loads(ctx, cache)
            || reply.status != Status::Unavailable
            || ctx.core.conditions[target.index()].down
    }

    /// Loads the copy again while the request goes on with the old one.
    fn load_in_background(&mut self, ctx: &mut Ctx, slot: Slot) {
        let part = self.begin_load(ctx, slot);
        ctx.stay_mut(part).step += 1;
        self.run(ctx, part);
    }

    /// Reads the row for the copy again while the request goes on with the old one.
    fn read_in_background(&mut self, ctx: &mut Ctx, slot: Slot, store: usize) {
        let part = self.begin_load(ctx, slot);
        ctx.stay_mut(part).branch_of = ONE_STEP;
        self.ask(ctx, part, store, Ask::Read);
    }

    /// A stay that loads a copy at the present step, and that nobody waits for.
    fn begin_load(&mut self, ctx: &mut Ctx, slot: Slot) -> Slot {
        let step = ctx.stay(slot).step;
        let part = ctx.begin_part(slot, Ask::Strand, 0, step);
        let now = ctx.now();
        let stay = ctx.stay_mut(part);
        stay.parent = None;
        stay.asked_at = now;
        ctx.core.stays.belongings_mut(part).copy = Some(Found { result: CacheResult::Miss, copy: None, load: true });
        part
    }

    /// Puts what the load brought into the cache without waiting for it.
    fn keep(&mut self, ctx: &mut Ctx, slot: Slot, cache: usize) {
        ctx.core.stays.take_copy(slot);
        let version = ctx.stay(slot).version;
        let put = self.send_aside(ctx, slot, cache, Ask::CachePut);
        ctx.stay_mut(put.slot).version = version;
    }

    fn send_aside(&mut self, ctx: &mut Ctx, slot: Slot, cache: usize, ask: Ask) -> StayId {
        let to = ctx.core.plan.nodes[ctx.node.index()].calls[cache].targets[0];
        let deadline = ctx.stay(slot).deadline;
        let errand = Errand::handed_on(ctx.stay(slot), ask);
        ctx.send(slot, to, errand, 1, false, deadline)
    }

    /// The store failed: an expired copy, if one may be used (stale-if-error), else the failure.
    fn fall_back(&mut self, ctx: &mut Ctx, slot: Slot, failed: CallEnd) {
        if let Step::Read { cache: Some(cache), .. } = *self.step(ctx, slot)
            && self.shares_loads(ctx, cache)
        {
            self.send_aside(ctx, slot, cache, Ask::CacheFail);
        }
        match self.usable_copy(ctx, slot) {
            Some(version) => self.finish(ctx, slot, Reply { version: Some(version), ..Reply::status(Status::Stale) }),
            None => self.fail(ctx, slot, failed),
        }
    }

    fn shares_loads(&self, ctx: &Ctx, cache: usize) -> bool {
        let plan = &ctx.core.plan;
        let target = plan.nodes[ctx.node.index()].calls[cache].targets[0];
        matches!(&plan.nodes[target.index()].kind, Kind::Cache(cache) if cache.single_flight)
    }

    /// The version of the expired copy that may stand in for an origin that failed.
    fn usable_copy(&mut self, ctx: &mut Ctx, slot: Slot) -> Option<u64> {
        let now = ctx.now();
        let found = ctx.core.stays.take_copy(slot)?;
        match found {
            Found { result: CacheResult::Stale, copy: Some(copy), .. } => {
                let expired_for = now.since(copy.stored_at + self.cache_ttl(ctx, slot));
                ctx.note(slot, What::FellBack { fallback: CacheFallback::Served { expired_for } });
                Some(copy.version)
            }
            Found { result: CacheResult::TooOld, .. } => {
                ctx.note(slot, What::FellBack { fallback: CacheFallback::TooOld });
                None
            }
            _ => {
                ctx.note(slot, What::FellBack { fallback: CacheFallback::NoCopy });
                None
            }
        }
    }

    /// The time to live of the cache that the present step of a stay looks into.
    fn cache_ttl(&self, ctx: &Ctx, slot: Slot) -> Span {
        let (Step::Read { cache: Some(cache), .. } | Step::FallBack { cache, .. }) = self.step(ctx, slot) else {
            return Span::ZERO;
        };
        let plan = &ctx.core.plan;
        let target = plan.nodes[ctx.node.index()].calls[*cache].targets[0];
        match &plan.nodes[target.index()].kind {
            Kind::Cache(cache) => cache.config.ttl().unwrap_or(Span::ZERO),
            _ => unreachable!("a look-up goes to a cache"),
        }
    }

    /// The present step failed: its handler goes on, or the failure is the answer.
    fn fail(&mut self, ctx: &mut Ctx, slot: Slot, failed: CallEnd) {
        let reply = match failed {
            CallEnd::Replied(reply) => Reply { version: None, ..reply },
            CallEnd::TimedOut => Reply::status(Status::GatewayTimeout),
            CallEnd::Refused { refusal, retry_at } => Reply { retry_at, ..Reply::status(status_of(refusal)) },
        };
        let stay = ctx.stay_mut(slot);
        stay.got = (reply.status.code(), reply.value);
        match self.program(stay.route).on_failure.get(stay.step as usize).copied().flatten() {
            Some(handler) => {
                stay.step = handler;
                self.run(ctx, slot);
            }
            None => self.finish(ctx, slot, reply),
        }
    }

    #[inline(never)]
    fn fork(&mut self, ctx: &mut Ctx, slot: Slot, branches: &[u16], needed: u16) {
        let stay = ctx.stay_mut(slot);
        let fork = Fork { number: stay.fork.number.wrapping_add(1), pending: branches.len() as u16, needed };
        stay.fork = fork;
        let whole = ctx.core.stays.id(slot);
        ctx.note(slot, What::Forked { branches: branches.len() as u16 });
        for (number, entry) in branches.iter().enumerate() {
            // A branch that ends at once may end the fork, and the whole stay with it.
            if !ctx.core.stays.is_live(whole) || ctx.stay(slot).fork.number != fork.number {
                return;
            }
            let branch = ctx.begin_part(slot, Ask::Strand, number as u16, *entry);
            self.run(ctx, branch);
        }
    }

    /// A branch is over: enough of them, and the program goes on; too many failures, and the fork has failed.
    fn on_branch_end(&mut self, ctx: &mut Ctx, branch: Slot, success: bool) {
        let stay = ctx.stay(branch);
        let (whole, number, last, got, version) =
            (stay.parent.expect("a branch has a call"), stay.branch_of, stay.last, stay.got, stay.version);
        ctx.core.stays.remove(branch);
        let slot = whole.slot;
        if !ctx.core.stays.is_live(whole) || ctx.stay(slot).fork.number != number || ctx.stay(slot).fork.needed == 0 {
            return;
        }
        let stay = ctx.stay_mut(slot);
        stay.fork.pending -= 1;
        if success {
            stay.fork.needed -= 1;
            stay.got = got;
            stay.version = version;
        }
        if stay.fork.needed == 0 {
            stay.last = last;
            ctx.note(slot, What::Joined);
            self.go_on(ctx, slot);
        } else if stay.fork.pending < stay.fork.needed {
            stay.last = last;
            stay.fork.needed = 0;
            let reply =
                Reply { value: got.1, ..Reply::status(Status::of_code(got.0).unwrap_or(Status::InternalError)) };
            self.fail(ctx, slot, CallEnd::Replied(reply));
        }
    }

    /// A copy that a stay was to load is not coming: whoever waits for the load is told.
    fn give_up_loads(&mut self, ctx: &mut Ctx, slot: Slot) {
        if !ctx.core.stays.take_copy(slot).is_some_and(|found| found.load) {
            return;
        }
        let Stay { step: here, route, .. } = *ctx.stay(slot);
        // The innermost one: those around it are loaded by other stays.
        let steps = self.program(route).steps.iter().enumerate();
        let cache = steps.take(usize::from(here) + 1).rev().find_map(|(at, step)| match step {
            Step::Look { cache, found } if *found > here => Some(*cache),
            Step::Read { cache: Some(cache), .. } if at == usize::from(here) => Some(*cache),
            _ => None,
        });
        if let Some(cache) = cache.filter(|cache| self.shares_loads(ctx, *cache)) {
            self.send_aside(ctx, slot, cache, Ask::CacheFail);
        }
    }

    /// The program of a stay is over.
    fn finish(&mut self, ctx: &mut Ctx, slot: Slot, reply: Reply) {
        if ctx.core.stays.belongings(slot).is_some() {
            self.give_up_loads(ctx, slot);
            self.close_session(ctx, slot);
            idempotency::remember(ctx, slot, reply, true);
        }
        if is_background(ctx, slot) {
            return ctx.core.stays.remove(slot);
        }
        if ctx.stay(slot).ask == Ask::Strand {
            ctx.stay_mut(slot).got = (reply.status.code(), reply.value);
            return self.on_branch_end(ctx, slot, reply.status.is_success());
        }
        if self.plan.static_batch && ctx.stay(slot).place == Place::Worker {
            ctx.stay_mut(slot).reply = Some(reply);
            self.batch.push(slot);
            return self.end_batch(ctx);
        }
        self.answer(ctx, slot, reply);
        self.leave(ctx, slot);
    }

    fn answer(&mut self, ctx: &mut Ctx, slot: Slot, reply: Reply) {
        if let Some(entrance) = &mut self.entrance {
            entrance.on_end(ctx.now(), slot, reply.status.is_server_failure());
        }
        ctx.reply(slot, reply);
    }

    /// Frees what a call that is over has held.
    fn leave(&mut self, ctx: &mut Ctx, slot: Slot) {
        let held = std::mem::take(&mut ctx.stay_mut(slot).place) == Place::Worker;
        if !self.bulkheads.is_empty() {
            self.leave_bulkhead(ctx, slot);
        }
        if held {
            self.release(ctx);
        }
    }

    /// A static batch answers when its longest call is done.
    fn end_batch(&mut self, ctx: &mut Ctx) {
        if (self.batch.len() as u32) < self.busy {
            return;
        }
        for slot in std::mem::take(&mut self.batch) {
            let reply = ctx.stay_mut(slot).reply.take().expect("it was kept with the batch");
            ctx.stay_mut(slot).place = Place::Outside;
            self.answer(ctx, slot, reply);
            self.busy -= 1;
            self.leave_bulkhead(ctx, slot);
        }
        self.show_busy(ctx);
        self.fill_workers(ctx);
    }

    /// Gives a worker back, and to the next in line.
    fn release(&mut self, ctx: &mut Ctx) {
        self.busy -= 1;
        self.fill_workers(ctx);
        self.show_busy(ctx);
    }

    /// Free workers take up who waits.
    fn fill_workers(&mut self, ctx: &mut Ctx) {
        if self.saturated.is_none() && self.line.len() == 0 {
            return;
        }
        let room = match self.plan.static_batch {
            true if self.busy > 0 => 0,
            true => self.plan.workers.unwrap_or(u32::MAX),
            false => u32::MAX,
        };
        for _ in 0..room {
            let shared = self.sharing.is_some();
            let free = shared || self.plan.workers.is_none_or(|workers| self.busy < workers);
            if !free || ctx.condition().held {
                return;
            }
            let Some(next) = self.line.pop() else {
                self.saturated = None;
                return;
            };
            ctx.set_waiting(self.line.len());
            let (now, deadline) = (ctx.now(), ctx.stay(next).deadline);
            let expired = deadline == Time::ZERO || self.plan.drop_expired && deadline <= now;
            let shed = self.entrance.as_mut().is_some_and(|entrance| !entrance.admits_from_line(now, next));
            let refusal = match (expired, shed) {
                (true, _) => Refusal::DeadlinePassed,
                (_, true) => Refusal::Shed,
                _ => {
                    self.start(ctx, next, true);
                    continue;
                }
            };
            let stay = ctx.stay_mut(next);
            stay.place = Place::Outside;
            stay.timer = NO_TIMER;
            ctx.note(next, What::Refused { refusal });
            self.turn_away(ctx, next, refusal);
        }
    }

    /// It waited in line as long as it may.
    fn leave_line(&mut self, ctx: &mut Ctx, slot: Slot) {
        self.line.remove(slot);
        if let Some(entrance) = &mut self.entrance {
            entrance.on_left_line(slot);
        }
        ctx.set_waiting(self.line.len());
        let stay = ctx.stay_mut(slot);
        stay.place = Place::Outside;
        stay.timer = NO_TIMER;
        let cause = self.saturated;
        ctx.note_because(slot, What::Refused { refusal: Refusal::QueueTimeout }, cause);
        self.turn_away(ctx, slot, Refusal::QueueTimeout);
    }

    /// The caller withdrew the call: everything it holds is free at once.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        let id = ctx.core.stays.id(slot);
        let parts: Vec<Slot> = ctx.core.stays.of_node(ctx.node);
        for part in parts {
            let is_branch = ctx.stay(part).ask == Ask::Strand && ctx.stay(part).parent == Some(id);
            if is_branch && ctx.core.stays.is_live(ctx.core.stays.id(part)) {
                self.withdraw(ctx, part);
            }
        }
        if let Some(open) = ctx.stay(slot).call {
            self.callers[open.call as usize].abandon(ctx, slot);
        }
        self.give_up_loads(ctx, slot);
        self.close_session(ctx, slot);
        idempotency::forget(ctx, slot);
        let now = ctx.now();
        let stay = ctx.stay_mut(slot);
        stay.timer = NO_TIMER;
        let place = std::mem::take(&mut stay.place);
        let is_call = stay.ask != Ask::Strand;
        match place {
            Place::Line => {
                self.line.remove(slot);
                ctx.set_waiting(self.line.len());
            }
            Place::Bulkhead => {
                self.bulkheads.iter_mut().for_each(|bulkhead| bulkhead.line.retain(|other| *other != slot))
            }
            Place::Worker | Place::Outside => {}
        }
        if let Some(entrance) = &mut self.entrance {
            entrance.on_left_line(slot);
            entrance.on_end(now, slot, true);
        }
        self.aside.retain(|(other, _)| *other != slot);
        self.in_work.retain(|other| *other != slot);
        self.batch.retain(|other| *other != slot);
        if let Some(sharing) = &mut self.sharing
            && place == Place::Worker
        {
            sharing.leave(now, slot);
            self.schedule_shared(ctx);
        }
        if is_call && place != Place::Bulkhead {
            self.leave_bulkhead(ctx, slot);
        }
        ctx.core.stays.remove(slot);
        if place == Place::Worker {
            self.release(ctx);
            if self.plan.static_batch {
                self.end_batch(ctx);
            }
        }
    }
}

/// Whether a stay works for a request that does not wait for it.
fn is_background(ctx: &Ctx, slot: Slot) -> bool {
    let stay = ctx.stay(slot);
    stay.ask == Ask::Strand && stay.parent.is_none()
}

/// The failure of a stay's latest step, as an answer.
fn failure(stay: &Stay) -> Reply {
    let (status, value) = stay.got;
    Reply { value, ..Reply::status(Status::of_code(status).unwrap_or(Status::InternalError)) }
}

/// What a program wants from whom it calls.
#[inline(never)]
fn errand(ctx: &mut Ctx, slot: Slot, call: &CallStep) -> Errand {
    let stay = ctx.stay(slot);
    let (route, own_key, own_arg, way) = (stay.route, stay.key, stay.arg, u32::from(stay.step) + 1);
    let key = call.key.as_ref().map_or(own_key, |key| value(ctx, slot, key).clamp(0.0, f64::from(u32::MAX)) as u32);
    let arg = call.arg.as_ref().map_or(own_arg, |arg| value(ctx, slot, arg));
    let ask = if call.publish { Ask::Publish } else { Ask::Serve };
    Errand { ask, route: call.route.unwrap_or(route), key, arg, way }
}

/// A statement with its numbers filled in.
#[inline(never)]
fn statement(ctx: &mut Ctx, slot: Slot, plan: &StatementPlan) -> Statement {
    let mut number = |expr: &Expr| value(ctx, slot, expr);
    let row = |table, key: f64| RowId { table, key: key.max(0.0) as u64 };
    match plan {
        StatementPlan::Begin(mode) => Statement::Begin(*mode),
        StatementPlan::Select { table, key, column, for_update } => {
            let row = row(*table, number(key));
            let op = if *for_update { Op::ReadForUpdate { row } } else { Op::Read { row } };
            Statement::Op(op, *column)
        }
        StatementPlan::Scan { table, sum } => {
            Statement::Op(Op::Scan { keys: Keys::all(*table), filter: Filter::Any, sum: *sum }, None)
        }
        StatementPlan::Update { table, key, changes, if_version } => {
            let keys = Keys::one(row(*table, number(key)));
            let filter = if_version.as_ref().map_or(Filter::Any, |version| Filter::Version(number(version) as u64));
            let mut filled = Changes::default();
            for (column, adds, expr) in changes {
                let by = number(expr) as i64;
                filled[usize::from(*column)] = if *adds { Change::Add(by) } else { Change::Set(by) };
            }
            Statement::Op(Op::Update { keys, filter, changes: filled }, None)
        }
        StatementPlan::Insert { table, key, fields, set } => {
            let row = row(*table, number(key));
            let mut fields = *fields;
            set.iter().for_each(|(column, expr)| fields[usize::from(*column)] = number(expr) as i64);
            Statement::Op(Op::Insert { row, fields }, None)
        }
        StatementPlan::Delete { table, key } => {
            Statement::Op(Op::Delete { keys: Keys::one(row(*table, number(key))), filter: Filter::Any }, None)
        }
        StatementPlan::Commit => Statement::Commit,
        StatementPlan::Rollback => Statement::Rollback,
    }
}

/// The value of an expression of a stay's program.
fn value(ctx: &mut Ctx, slot: Slot, expr: &Expr) -> f64 {
    expr.eval(&mut |position| {
        let Some(name) = Name::at(position) else { return ctx.locals(slot)[position as usize - Name::COUNT] };
        let stay = ctx.stay(slot);
        match name {
            Name::Key => f64::from(stay.key),
            Name::User => f64::from(stay.user),
            Name::Arg => stay.arg,
            Name::Attempt => f64::from(stay.attempt),
            Name::NowS => ctx.now().as_seconds(),
            Name::Random => ctx.draw(slot, Purpose::Program).uniform(),
            Name::Status => f64::from(stay.got.0),
            Name::Value => stay.got.1,
            Name::Version => stay.version.map_or(0.0, |version| version as f64),
            Name::Priority => f64::from(stay.priority),
            Name::Request => f64::from(stay.request.0),
        }
    })
}
