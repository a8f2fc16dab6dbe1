//! A service: workers that run a route's program, the line before them, and the limits of single routes.
//!
//! A worker is held from the start of a call to its answer, also while it waits for others, or only for the work itself
//! (`hold`). A service that goes `down` finishes what it has begun; one that dies loses it (`death.rs`).

mod batching;
mod branches;
mod cache_aside;
mod calls;
mod death;
mod generation;
mod program;
mod throttle;
mod work;

use crate::engine::admission::Entrance;
use crate::engine::calls::Caller;
use crate::engine::causes::Lead;
use crate::engine::ctx::{Ctx, status_of};
use crate::engine::event::{Event, Slot};
use crate::engine::idempotency;
use crate::engine::life::Presence;
use crate::engine::line::Line;
use crate::engine::nodes::Happening;
use crate::engine::quota::Quota;
use crate::engine::sharing::Sharing;
use crate::engine::stay::{Ask, CallEnd, NO_TIMER, Place, Reply, Stay, StayId};
use crate::ids::Seq;
use crate::policy::deadline::Cancel;
use crate::rng::{Purpose, Stream};
use crate::scenario::{Discipline, FleetPlan, Hold, NodePlan, ServicePlan};
use crate::time::{Span, Time};
use crate::trace::{Refusal, Status, What};
use batching::Collecting;
use cache_aside::is_background;
use generation::Generation;
use std::collections::VecDeque;
use std::sync::Arc;

/// A service's live state.
#[derive(Clone, Debug)]
pub struct Service {
    pub callers: Vec<Caller>,
    plan: Arc<ServicePlan>,
    busy: u32,
    line: Line,
    entrance: Option<Entrance>,
    /// Why all workers are taken, while calls wait.
    saturated: Option<Lead>,
    /// The calls in work, if they share the workers.
    sharing: Option<Sharing>,
    bulkheads: Vec<Bulkhead>,
    /// Calls of a static batch that are done and wait for the longest.
    batch: Vec<Slot>,
    /// The next batch, if it is collected.
    collecting: Option<Box<Collecting>>,
    /// What its language model writes, if it has one.
    generation: Option<Box<Generation>>,
    /// Work that stands still, and what is left of it: frozen, or pushed aside by a newer call.
    aside: Vec<(Slot, Span)>,
    /// The calls in work, the newest last, where a newer one pushes them aside.
    in_work: Vec<Slot>,
    /// Draws how long it is up and down.
    chance: Stream,
    /// The record of its breakdown by chance.
    broken: Option<Seq>,
    /// What an instance of a fleet keeps count of.
    presence: Option<Box<Presence>>,
    /// What is left of its CPU time, with the record of when that was last used up; none: there is no limit.
    quota: Option<Box<(Quota, Option<Lead>)>>,
}

#[derive(Clone, Debug, Default)]
struct Bulkhead {
    /// The calls inside, the latest last.
    inside: Vec<Slot>,
    line: VecDeque<Slot>,
}

impl Service {
    pub fn new(
        plan: &NodePlan,
        service: &ServicePlan,
        seed: u64,
        callers: Vec<Caller>,
        fleet: Option<&FleetPlan>,
    ) -> Service {
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
            collecting: service.batching.map(|batching| Box::new(Collecting::new(batching))),
            generation: service.continuous_batching.map(|config| Box::new(Generation::new(config))),
            aside: Vec::new(),
            in_work: Vec::new(),
            chance: Stream::new(seed, plan.hash, Purpose::Chance),
            broken: None,
            quota: service.cpu_limit.map(|limit| Box::new((Quota::new(limit), None))),
            presence: fleet.map(|fleet| Box::new(Presence::new(fleet.life.memory))),
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
            Happening::QuotaTurns => self.on_quota(ctx),
            Happening::BatchDue => self.on_batch_due(ctx),
            Happening::IterationOver => self.on_iteration(ctx),
            Happening::ProbeDue { call } => self.callers[call as usize].on_probe_due(ctx),
            Happening::Intended { .. } => unreachable!("not for a service"),
        }
    }

    fn arrive(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.arrive(slot);
        let condition = ctx.condition();
        if condition.down {
            let cause = self.broken.or_else(|| ctx.why_down());
            return ctx.refuse(slot, Refusal::Down, cause, None);
        }
        if condition.asleep {
            ctx.core.at_once.push_back(Event::Wake(ctx.node));
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let Stay { route, key, priority, .. } = *ctx.stay(slot);
        if self.plan.programs.get(route.index()).is_none_or(Option::is_none) || key >= ctx.core.plan.keys {
            return ctx.refuse(slot, Refusal::NotFound, None, None);
        }
        let now = ctx.now();
        if let Some(entrance) = &mut self.entrance
            && !entrance.admits(now, slot, priority)
        {
            let cause = ctx.why_full(slot, entrance.inside(), entrance.latest());
            return ctx.refuse_after(slot, Refusal::Shed, cause, self.retry_at(now));
        }
        if let Some(presence) = &mut self.presence {
            presence.enter(ctx);
        }
        match self.plan.bulkhead_of[route.index()] {
            Some(bulkhead) => self.pass(ctx, slot, bulkhead),
            None => self.enter(ctx, slot),
        }
    }

    /// Before the bulkhead of its route.
    fn pass(&mut self, ctx: &mut Ctx, slot: Slot, index: usize) {
        let (plan, bulkhead) = (&self.plan.bulkheads[index], &mut self.bulkheads[index]);
        if (bulkhead.inside.len() as u32) < plan.max_concurrent {
            bulkhead.inside.push(slot);
            return self.enter(ctx, slot);
        }
        let ahead = bulkhead.line.len() as u32;
        let cause = ctx.why_full(slot, bulkhead.inside.iter().copied(), bulkhead.inside.last().copied());
        if ahead >= plan.max_waiting {
            let status = plan.status;
            ctx.note_after(slot, What::Refused { refusal: Refusal::BulkheadFull }, cause);
            let retry_at = self.retry_at(ctx.now()).unwrap_or(Time::NEVER);
            return self.answer(ctx, slot, Reply { retry_at, ..Reply::status(status) });
        }
        bulkhead.line.push_back(slot);
        ctx.stay_mut(slot).place = Place::Bulkhead;
        ctx.note_after(slot, What::Queued { ahead }, cause);
    }

    /// A call that passed a bulkhead is over: the next one may pass.
    fn leave_bulkhead(&mut self, ctx: &mut Ctx, slot: Slot) {
        let Some(index) = self.plan.bulkhead_of[ctx.stay(slot).route.index()] else { return };
        let bulkhead = &mut self.bulkheads[index];
        bulkhead.inside.retain(|other| *other != slot);
        if let Some(next) = bulkhead.line.pop_front() {
            bulkhead.inside.push(next);
            ctx.stay_mut(next).place = Place::Outside;
            ctx.note(next, What::Admitted);
            self.enter(ctx, next);
        }
    }

    #[inline]
    fn enter(&mut self, ctx: &mut Ctx, slot: Slot) {
        match self.plan.hold {
            Hold::Call => self.acquire(ctx, slot),
            Hold::Work => self.run(ctx, slot),
        }
    }

    /// Takes a worker, or a place in the line.
    #[inline]
    fn acquire(&mut self, ctx: &mut Ctx, slot: Slot) {
        if self.collecting.is_some() && self.collect(ctx, slot) {
            return;
        }
        if self.has_free_worker(ctx) {
            return self.start(ctx, slot, false);
        }
        if self.plan.discipline == Discipline::LifoPreemptive
            && let Some(older) = self.in_work.pop()
        {
            self.push_aside(ctx, older);
            return self.start(ctx, slot, false);
        }
        let saturated = ctx.why_busy(&mut self.saturated, slot, self.busy);
        let ahead = self.line.len();
        let full = match (&self.sharing, self.plan.workers, self.plan.max_waiting) {
            // Who shares has its place beside the others; nobody waits but while nothing may begin.
            (Some(_), Some(workers), Some(waiting)) => self.busy + ahead >= workers + waiting,
            (_, _, places) => places.is_some_and(|places| ahead >= places),
        };
        if full {
            ctx.note_after(slot, What::Refused { refusal: Refusal::QueueFull }, saturated);
            return self.turn_away(ctx, slot, Refusal::QueueFull);
        }
        ctx.note_after(slot, What::Queued { ahead }, saturated);
        self.stand_in_line(ctx, slot);
        if let Some(patience) = &self.plan.patience {
            let span = patience.sample(&mut ctx.draw(slot, Purpose::Patience));
            let timer = ctx.core.calendar.schedule(ctx.core.now + span, Event::Patience(slot));
            ctx.stay_mut(slot).timer = timer;
        }
    }

    /// It gets no worker: the call as a whole is refused, or the step that needed one has failed.
    fn turn_away(&mut self, ctx: &mut Ctx, slot: Slot, refusal: Refusal) {
        // A newer call may have pushed it back into the line in the middle of its work.
        self.aside.retain(|(other, _)| *other != slot);
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

    #[inline]
    fn stand_in_line(&mut self, ctx: &mut Ctx, slot: Slot) {
        let stay = ctx.stay_mut(slot);
        stay.place = Place::Line;
        let priority = stay.priority;
        self.line.push(slot, priority);
        if let Some(entrance) = &mut self.entrance {
            entrance.on_queued(ctx.now(), slot);
        }
        self.show_waiting(ctx);
    }

    #[inline]
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

    #[inline]
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

    #[inline]
    fn show_busy(&mut self, ctx: &mut Ctx) {
        if let Some(generation) = &self.generation {
            ctx.set_in_service(generation.levels().0);
            return self.show_waiting(ctx);
        }
        let in_service = match (&self.sharing, self.plan.workers) {
            (Some(_), Some(workers)) => {
                ctx.set_waiting(self.busy.saturating_sub(workers));
                self.busy.min(workers)
            }
            _ => self.busy,
        };
        ctx.set_in_service(in_service);
    }

    #[inline]
    fn show_waiting(&self, ctx: &mut Ctx) {
        let before_model = self.generation.as_ref().map_or(0, |generation| generation.levels().1);
        ctx.set_waiting(self.line.len() + before_model);
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

    #[inline]
    fn answer(&mut self, ctx: &mut Ctx, slot: Slot, reply: Reply) {
        if let Some(entrance) = &mut self.entrance {
            entrance.on_end(ctx.now(), slot, reply.status.is_server_failure());
        }
        ctx.reply(slot, reply);
        if let Some(presence) = &mut self.presence {
            presence.leave(ctx);
        }
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
    #[inline]
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
            true if self.busy > 0 || self.is_collecting() => 0,
            true => self.plan.workers.unwrap_or(u32::MAX),
            false => u32::MAX,
        };
        if self.collecting.is_some() && room > 0 {
            self.begin_batch(self.line.len().min(room));
        }
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
            self.show_waiting(ctx);
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
            let cause = ctx.what_holds_up(next);
            let stay = ctx.stay_mut(next);
            stay.place = Place::Outside;
            stay.timer = NO_TIMER;
            ctx.note_after(next, What::Refused { refusal }, cause);
            self.turn_away(ctx, next, refusal);
        }
    }

    /// It waited in line as long as it may.
    fn leave_line(&mut self, ctx: &mut Ctx, slot: Slot) {
        let cause = ctx.what_holds_up(slot);
        self.line.remove(slot);
        if let Some(entrance) = &mut self.entrance {
            entrance.on_left_line(slot);
        }
        self.show_waiting(ctx);
        let stay = ctx.stay_mut(slot);
        stay.place = Place::Outside;
        stay.timer = NO_TIMER;
        ctx.note_after(slot, What::Refused { refusal: Refusal::QueueTimeout }, cause);
        self.turn_away(ctx, slot, Refusal::QueueTimeout);
    }

    /// What an instance of a fleet keeps count of.
    pub fn presence(&self) -> Option<&Presence> {
        self.presence.as_deref()
    }

    /// The caller withdrew the call: everything it holds is free at once.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        let place = self.strip(ctx, slot, Some(Cancel::Anywhere));
        ctx.core.stays.remove(slot);
        self.vacate(ctx, place);
    }

    /// Takes from a call everything it holds, but for its worker; returns where it was. Whom it called learns of it as said, or as
    /// the caller's plan has it.
    fn strip(&mut self, ctx: &mut Ctx, slot: Slot, cancel: Option<Cancel>) -> Place {
        let id = ctx.core.stays.id(slot);
        // Nothing that still ends a branch goes on with the whole.
        ctx.stay_mut(slot).fork.needed = 0;
        let mut branches: Vec<StayId> =
            ctx.core.stays.of_node(ctx.node).into_iter().map(|part| ctx.core.stays.id(part)).collect();
        branches.retain(|part| ctx.stay(part.slot).ask == Ask::Strand && ctx.stay(part.slot).parent == Some(id));
        for branch in branches {
            // The worker that one branch frees may go to another one, which is then over before its turn comes.
            if ctx.core.stays.is_live(branch) {
                let place = self.strip(ctx, branch.slot, cancel);
                ctx.core.stays.remove(branch.slot);
                self.vacate(ctx, place);
            }
        }
        if let Some(open) = ctx.stay(slot).call {
            let caller = &mut self.callers[open.call as usize];
            let cancel = cancel.unwrap_or(caller.cancel());
            caller.abandon(ctx, slot, cancel);
        }
        self.give_up_loads(ctx, slot);
        self.close_session(ctx, slot);
        idempotency::forget(ctx, slot);
        if self.quota.is_some() && self.is_running(ctx, slot) {
            self.count_running(ctx, -1);
        }
        let now = ctx.now();
        let stay = ctx.stay_mut(slot);
        stay.timer = NO_TIMER;
        let place = std::mem::take(&mut stay.place);
        let is_call = stay.ask != Ask::Strand;
        match place {
            Place::Line => {
                self.line.remove(slot);
                self.show_waiting(ctx);
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
        self.stop_writing(ctx, slot);
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
        if is_call && let Some(presence) = &mut self.presence {
            presence.leave(ctx);
        }
        place
    }

    /// The worker of a call that was stripped is free.
    fn vacate(&mut self, ctx: &mut Ctx, place: Place) {
        if place == Place::Worker {
            self.release(ctx);
            if self.plan.static_batch {
                self.end_batch(ctx);
            }
        }
    }
}
