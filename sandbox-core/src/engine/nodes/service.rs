//! A service: workers that run a route's steps, and a bounded line before them.
//!
//! A worker is held from the start of a call to its answer, also while it waits for others. Left out: start-up, pauses,
//! memory; a service that goes down finishes what it has begun.

use super::Happening;
use super::gateway::{schedule_probe, worked};
use crate::engine::calls::Caller;
use crate::engine::ctx::{Ctx, status_of};
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Reply};
use crate::ids::Seq;
use crate::scenario::{Kind, Plan, ServicePlan, Step};
use crate::time::Time;
use crate::trace::{CacheFallback, CacheResult, Refusal, Status, What};
use std::collections::VecDeque;
use std::sync::Arc;

/// A service's live state.
#[derive(Clone, Debug)]
pub struct Service {
    pub callers: Vec<Caller>,
    busy: u32,
    line: VecDeque<Slot>,
    /// The record of the present busy period.
    saturated: Option<Seq>,
}

impl Service {
    pub fn new(callers: Vec<Caller>) -> Service {
        Service { callers, busy: 0, line: VecDeque::new(), saturated: None }
    }

    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Arrived(slot) => self.arrive(ctx, slot),
            Happening::Worked(slot) => self.on_worked(ctx, slot),
            Happening::Ended(slot, end) => self.on_call_end(ctx, slot, end),
            Happening::ProbeDue { call } => {
                self.callers[call as usize].probe_all(ctx);
                schedule_probe(ctx, call);
            }
            Happening::Intended { .. } | Happening::Answered(..) => unreachable!("not for a service"),
        }
    }

    fn arrive(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.arrive(slot);
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.fault(), None);
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let plan = ctx.core.plan.clone();
        let service = service_plan(&plan, ctx);
        let (route, key) = (ctx.stay(slot).route, ctx.stay(slot).key);
        if service.programs.get(route.index()).is_none_or(Option::is_none) || key >= plan.keys {
            return ctx.refuse(slot, Refusal::NotFound, None, None);
        }
        if self.busy < service.workers {
            return self.start(ctx, slot, false);
        }
        let saturated = *self.saturated.get_or_insert_with(|| ctx.saturate(self.busy));
        let ahead = self.line.len() as u32;
        if ahead >= service.max_waiting {
            return ctx.refuse(slot, Refusal::QueueFull, Some(saturated), None);
        }
        ctx.note_because(slot, What::Queued { ahead }, Some(saturated));
        self.line.push_back(slot);
        ctx.set_waiting(ahead + 1);
    }

    fn start(&mut self, ctx: &mut Ctx, slot: Slot, waited: bool) {
        self.busy += 1;
        ctx.set_in_service(self.busy);
        if waited {
            ctx.note(slot, What::Started);
        }
        self.run(ctx, slot);
    }

    /// Runs the program of a stay until it has to wait.
    fn run(&mut self, ctx: &mut Ctx, slot: Slot) {
        let plan = ctx.core.plan.clone();
        let steps = program(&plan, ctx, slot);
        match steps.get(ctx.stay(slot).step as usize) {
            None => {
                let version = ctx.stay(slot).version;
                self.finish(ctx, slot, Reply { version, ..Reply::status(Status::Ok) });
            }
            Some(Step::Work(dist)) => {
                let span = ctx.work(slot, dist);
                ctx.schedule_work(slot, span, dist.is_constant());
            }
            Some(Step::Read { cache: Some(cache), .. }) => self.call(ctx, slot, *cache, Ask::CacheGet),
            Some(Step::Read { store, cache: None }) => self.call(ctx, slot, *store, Ask::Read),
            Some(Step::Write { store, .. }) => self.call(ctx, slot, *store, Ask::Write),
        }
    }

    fn on_worked(&mut self, ctx: &mut Ctx, slot: Slot) {
        worked(ctx, slot);
        if ctx.strikes(slot) {
            let cause = ctx.fault();
            ctx.note_because(slot, What::Refused { refusal: Refusal::Fault }, cause);
            return self.finish(ctx, slot, Reply::status(Status::InternalError));
        }
        self.next_step(ctx, slot);
    }

    fn next_step(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).step += 1;
        self.run(ctx, slot);
    }

    fn call(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, ask: Ask) {
        if let Some(end) = self.callers[call].begin(ctx, slot, ask) {
            self.on_call_end_of(ctx, slot, ask, end);
        }
    }

    fn on_call_end(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        // Which call it was follows from the program: a read with a cache asks the cache first.
        let plan = ctx.core.plan.clone();
        let asked_cache = ctx.stay(slot).copy.is_some();
        let ask = match program(&plan, ctx, slot).get(ctx.stay(slot).step as usize) {
            Some(Step::Read { cache: Some(_), .. }) if !asked_cache => Ask::CacheGet,
            Some(Step::Write { .. }) => Ask::Write,
            _ => Ask::Read,
        };
        self.on_call_end_of(ctx, slot, ask, end);
    }

    fn on_call_end_of(&mut self, ctx: &mut Ctx, slot: Slot, ask: Ask, end: CallEnd) {
        if ask == Ask::CacheGet {
            return self.on_looked_up(ctx, slot, end);
        }
        let plan = ctx.core.plan.clone();
        let (Step::Read { cache, .. } | Step::Write { cache, .. }) =
            program(&plan, ctx, slot)[ctx.stay(slot).step as usize]
        else {
            unreachable!("only a read or a write calls")
        };
        match end {
            CallEnd::Replied(Reply { status: Status::Ok, version, .. }) => {
                ctx.stay_mut(slot).version = version;
                if let (Some(cache), Some(version)) = (cache, version) {
                    self.keep_copy(ctx, slot, cache, version);
                }
                ctx.stay_mut(slot).copy = None;
                self.next_step(ctx, slot);
            }
            failed => self.fall_back(ctx, slot, failed),
        }
    }

    /// The cache answered: a fresh copy will do, else the store is asked. A cache that fails is no more than a miss.
    fn on_looked_up(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        let found = match end {
            CallEnd::Replied(Reply { lookup: Some(found), .. }) => found,
            _ => (CacheResult::Miss, None),
        };
        if let (CacheResult::Fresh, Some(copy)) = found {
            ctx.stay_mut(slot).version = Some(copy.version);
            return self.next_step(ctx, slot);
        }
        ctx.stay_mut(slot).copy = Some(found);
        let plan = ctx.core.plan.clone();
        if let Step::Read { store, .. } = program(&plan, ctx, slot)[ctx.stay(slot).step as usize] {
            self.call(ctx, slot, store, Ask::Read);
        }
    }

    /// Puts a copy into the cache without waiting for it.
    fn keep_copy(&mut self, ctx: &mut Ctx, slot: Slot, cache: usize, version: u64) {
        let to = ctx.core.plan.nodes[ctx.node.index()].calls[cache].targets[0];
        let delay = ctx.delay(ctx.node, to);
        ctx.send(slot, to, Ask::CachePut { version }, 1, false, delay);
    }

    /// The store failed: an expired copy, if one may be used (stale-if-error), else the failure.
    fn fall_back(&mut self, ctx: &mut Ctx, slot: Slot, failed: CallEnd) {
        let now = ctx.now();
        let copy = ctx.stay_mut(slot).copy.take();
        match copy {
            Some((CacheResult::Stale, Some(copy))) => {
                let ttl = cache_ttl(ctx, slot);
                let expired_for = now.since(copy.stored_at + ttl);
                ctx.note(slot, What::FellBack { fallback: CacheFallback::Served { expired_for } });
                let reply = Reply { version: Some(copy.version), ..Reply::status(Status::Stale) };
                return self.finish(ctx, slot, reply);
            }
            Some((CacheResult::TooOld, _)) => {
                ctx.note(slot, What::FellBack { fallback: CacheFallback::TooOld });
            }
            Some(_) => {
                ctx.note(slot, What::FellBack { fallback: CacheFallback::NoCopy });
            }
            None => {}
        }
        let reply = match failed {
            CallEnd::Replied(reply) => Reply { version: None, lookup: None, ..reply },
            CallEnd::TimedOut => Reply::status(Status::GatewayTimeout),
            CallEnd::Refused { refusal, retry_at } => Reply { retry_at, ..Reply::status(status_of(refusal)) },
        };
        self.finish(ctx, slot, reply);
    }

    /// Answers and gives the worker to the next in line.
    fn finish(&mut self, ctx: &mut Ctx, slot: Slot, reply: Reply) {
        ctx.reply(slot, reply);
        self.busy -= 1;
        ctx.set_in_service(self.busy);
        match self.line.pop_front() {
            Some(next) => {
                ctx.set_waiting(self.line.len() as u32);
                self.start(ctx, next, true);
            }
            None => self.saturated = None,
        }
    }
}

fn service_plan<'a>(plan: &'a Plan, ctx: &Ctx) -> &'a ServicePlan {
    match &plan.nodes[ctx.node.index()].kind {
        Kind::Service(service) => service,
        _ => unreachable!("a service has a service's plan"),
    }
}

fn program<'a>(plan: &'a Arc<Plan>, ctx: &Ctx, slot: Slot) -> &'a [Step] {
    service_plan(plan, ctx).programs[ctx.stay(slot).route.index()].as_deref().unwrap_or_default()
}

/// The time to live of the cache that the present step of a stay looks into.
fn cache_ttl(ctx: &Ctx, slot: Slot) -> crate::time::Span {
    let plan = &ctx.core.plan;
    let Some(Step::Read { cache: Some(cache), .. }) = program(plan, ctx, slot).get(ctx.stay(slot).step as usize) else {
        return Time::ZERO.since(Time::ZERO);
    };
    let target = plan.nodes[ctx.node.index()].calls[*cache].targets[0];
    match &plan.nodes[target.index()].kind {
        Kind::Cache(cache) => cache.config.ttl().expect("a plan's copies expire"),
        _ => unreachable!("a look-up goes to a cache"),
    }
}
