//! A cache around steps of a program: look up first, load what is missing, keep it, and fall back on an expired copy when the
//! load fails.

use super::Service;
use crate::engine::ctx::{Ctx, status_of};
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Found, Reply, Stay};
use crate::scenario::{CachePlan, Kind, Step};
use crate::time::Span;
use crate::trace::{CacheFallback, CacheResult, Status, What};

/// The number of the fork of a stay that only repeats one step of another.
pub(super) const ONE_STEP: u16 = u16::MAX;

impl Service {
    /// The cache answered: a copy that will do, or else the origin is asked. A cache that fails is no more than a miss.
    pub(super) fn on_looked_up(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        let found = match (end, ctx.core.stays.take_found(slot)) {
            (CallEnd::Replied(_), Some(Found { result: CacheResult::Failure, .. })) => {
                return self.fail(ctx, slot, end);
            }
            (CallEnd::Replied(_), Some(found)) => found,
            (CallEnd::Replied(reply), None) if !self.is_plain_miss(ctx, slot, &reply) => {
                return self.fail(ctx, slot, end);
            }
            _ => Found { result: CacheResult::Miss, copy: None, load: true, at: ctx.now() },
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
    pub(super) fn is_plain_miss(&self, ctx: &Ctx, slot: Slot, reply: &Reply) -> bool {
        let (Step::Look { cache, .. } | Step::Read { cache: Some(cache), .. }) = *self.step(ctx, slot) else {
            return true;
        };
        let target = ctx.core.plan.nodes[ctx.node.index()].calls[cache].targets[0];
        !self.shares_loads(ctx, cache)
            || reply.status != Status::Unavailable
            || ctx.core.conditions[target.index()].down
    }

    /// Loads the copy again while the request goes on with the old one.
    pub(super) fn load_in_background(&mut self, ctx: &mut Ctx, slot: Slot) {
        let part = self.begin_load(ctx, slot);
        ctx.stay_mut(part).step += 1;
        self.run(ctx, part);
    }

    /// Reads the row for the copy again while the request goes on with the old one.
    pub(super) fn read_in_background(&mut self, ctx: &mut Ctx, slot: Slot, store: usize) {
        let part = self.begin_load(ctx, slot);
        ctx.stay_mut(part).branch_of = ONE_STEP;
        self.ask(ctx, part, store, Ask::Read);
    }

    /// A stay that loads a copy at the present step, and that nobody waits for.
    pub(super) fn begin_load(&mut self, ctx: &mut Ctx, slot: Slot) -> Slot {
        let step = ctx.stay(slot).step;
        let part = ctx.begin_part(slot, Ask::Strand, 0, step);
        let now = ctx.now();
        let stay = ctx.stay_mut(part);
        stay.parent = None;
        stay.asked_at = now;
        let found = Found { result: CacheResult::Miss, copy: None, load: true, at: now };
        ctx.core.stays.belongings_mut(part).copy = Some(found);
        part
    }

    /// Puts what the load brought into the cache without waiting for it.
    pub(super) fn keep(&mut self, ctx: &mut Ctx, slot: Slot, cache: usize) {
        let looked_up = ctx.core.stays.take_copy(slot);
        let version = ctx.stay(slot).version;
        let put = self.send_aside(ctx, slot, cache, Ask::CachePut);
        let stay = ctx.stay_mut(put.slot);
        stay.version = version;
        if let Some(found) = looked_up {
            stay.asked_at = found.at;
        }
    }

    /// Tells the cache that a load has failed, and how.
    pub(super) fn tell_failure(&mut self, ctx: &mut Ctx, slot: Slot, cache: usize, status: Option<Status>) {
        let fail = self.send_aside(ctx, slot, cache, Ask::CacheFail);
        ctx.stay_mut(fail.slot).arg = status.map_or(0.0, |status| f64::from(status.code()));
    }

    /// The store failed: an expired copy, if one may be used (stale-if-error), else the failure.
    pub(super) fn fall_back(&mut self, ctx: &mut Ctx, slot: Slot, failed: CallEnd) {
        if let Step::Read { cache: Some(cache), .. } = *self.step(ctx, slot)
            && self.hears_of_failures(ctx, cache)
        {
            let status = match failed {
                CallEnd::Replied(reply) => reply.status,
                CallEnd::TimedOut => Status::GatewayTimeout,
                CallEnd::Refused { refusal, .. } => status_of(refusal),
            };
            self.tell_failure(ctx, slot, cache, Some(status));
        }
        if is_background(ctx, slot) && ctx.stay(slot).branch_of == ONE_STEP {
            // Nobody waits for it: what handles failures of this step is not for this one.
            return self.finish(ctx, slot, Reply::status(Status::InternalError));
        }
        match self.usable_copy(ctx, slot) {
            Some(version) => self.finish(ctx, slot, Reply { version: Some(version), ..Reply::status(Status::Stale) }),
            None => self.fail(ctx, slot, failed),
        }
    }

    pub(super) fn shares_loads(&self, ctx: &Ctx, cache: usize) -> bool {
        self.cache_plan(ctx, cache).single_flight
    }

    /// Whether a cache does anything with the failure of a load.
    fn hears_of_failures(&self, ctx: &Ctx, cache: usize) -> bool {
        let plan = self.cache_plan(ctx, cache);
        plan.single_flight || plan.keeps_failures
    }

    fn cache_plan<'a>(&self, ctx: &'a Ctx, cache: usize) -> &'a CachePlan {
        let plan = &ctx.core.plan;
        let target = plan.nodes[ctx.node.index()].calls[cache].targets[0];
        match &plan.nodes[target.index()].kind {
            Kind::Cache(cache) => cache,
            _ => unreachable!("a look-up goes to a cache"),
        }
    }

    /// The version of the expired copy that may stand in for an origin that failed.
    pub(super) fn usable_copy(&mut self, ctx: &mut Ctx, slot: Slot) -> Option<u64> {
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
    pub(super) fn cache_ttl(&self, ctx: &Ctx, slot: Slot) -> Span {
        let (Step::Read { cache: Some(cache), .. } | Step::FallBack { cache, .. }) = self.step(ctx, slot) else {
            return Span::ZERO;
        };
        self.cache_plan(ctx, *cache).config.ttl().unwrap_or(Span::ZERO)
    }

    /// A copy that a stay was to load is not coming: whoever waits for the load is told.
    pub(super) fn give_up_loads(&mut self, ctx: &mut Ctx, slot: Slot) {
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
            self.tell_failure(ctx, slot, cache, None);
        }
    }
}

/// Whether a stay works for a request that does not wait for it.
pub(super) fn is_background(ctx: &Ctx, slot: Slot) -> bool {
    let stay = ctx.stay(slot);
    stay.ask == Ask::Strand && stay.parent.is_none()
}
