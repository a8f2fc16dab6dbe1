//! A cache: looks copies up and keeps them, at once, and has one load of a row at a time where that is asked for.
//!
//! Left out: memory, serialisation, and the time of a look-up beyond the way there and back.

use super::Happening;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, Found, Place, Reply, Stay};
use crate::ids::Seq;
use crate::policy::cache::{Cache, Load, Lookup};
use crate::policy::single_flight::{Flight, SingleFlight};
use crate::rng::{Purpose, Stream};
use crate::scenario::{CachePlan, NodePlan};
use crate::time::{Span, Time};
use crate::trace::{CacheResult, Refusal, Status, What};
use std::collections::BTreeMap;

/// A cache's live state.
#[derive(Clone, Debug)]
pub struct CacheNode {
    copies: Cache,
    flights: Option<SingleFlight>,
    /// Look-ups that wait for a load under way, by row.
    waiting: BTreeMap<u32, Vec<Slot>>,
    load_cost: Option<Span>,
    luck: Stream,
}

impl CacheNode {
    pub fn new(node: &NodePlan, plan: &CachePlan, seed: u64) -> CacheNode {
        let mut copies = Cache::new(plan.config, plan.key_count);
        let warm = if plan.warm { plan.key_count.min(plan.config.capacity()) } else { 0 };
        for key in 0..warm {
            copies.put(Time::ZERO, key, Load::version(1));
        }
        CacheNode {
            copies,
            flights: plan.single_flight.then(SingleFlight::default),
            waiting: BTreeMap::new(),
            load_cost: plan.load_cost,
            luck: Stream::new(seed, node.hash, Purpose::Cache),
        }
    }

    /// How many copies there are.
    pub fn len(&self) -> u32 {
        self.copies.len()
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        let Happening::Arrived(slot) = happening else { return };
        ctx.arrive(slot);
        match ctx.stay(slot).ask {
            Ask::CachePut => return self.put(ctx, slot),
            Ask::CacheFail => return self.on_failed_load(ctx, slot),
            _ => {}
        }
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.fault(), None);
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let (now, key) = (ctx.now(), ctx.stay(slot).key);
        let looked_up = self.copies.get(now, key);
        let early = matches!(looked_up, Lookup::Fresh(_)) && {
            let roll = self.luck.uniform();
            self.copies.expires_early(now, key, roll)
        };
        let (result, copy) = match looked_up {
            Lookup::Fresh(copy) if early && self.leads(key) => (CacheResult::Early, Some(copy)),
            Lookup::Fresh(copy) => (CacheResult::Fresh, Some(copy)),
            Lookup::Revalidate(copy) => (CacheResult::Revalidate, Some(copy)),
            Lookup::Stale { copy, usable: true } => (CacheResult::Stale, Some(copy)),
            Lookup::Stale { copy, usable: false } => (CacheResult::TooOld, Some(copy)),
            Lookup::Miss | Lookup::Absent => (CacheResult::Miss, None),
        };
        let load = match result {
            CacheResult::Fresh => false,
            CacheResult::Early => true,
            _ => self.leads(key),
        };
        if !load && !matches!(result, CacheResult::Fresh | CacheResult::Revalidate) {
            ctx.note(slot, What::CacheAsked { key, result: CacheResult::Coalesced });
            ctx.stay_mut(slot).place = Place::Line;
            self.waiting.entry(key).or_default().push(slot);
            return self.show_waiting(ctx);
        }
        ctx.note(slot, What::CacheAsked { key, result });
        ctx.core.stays.belongings_mut(slot).found = Some(Found { result, copy, load });
        ctx.reply(slot, Reply::status(Status::Ok));
    }

    /// Whether who asks now is the one to load the row.
    fn leads(&mut self, key: u32) -> bool {
        self.flights.as_mut().is_none_or(|flights| flights.decide(key) == Flight::Lead)
    }

    fn put(&mut self, ctx: &mut Ctx, slot: Slot) {
        let now = ctx.now();
        let Stay { key, version, asked_at, .. } = *ctx.stay(slot);
        let version = version.unwrap_or(0);
        if !ctx.condition().down {
            let took = self.load_cost.unwrap_or_else(|| now.since(asked_at));
            let (ttl_roll, victim_roll) = (self.luck.uniform(), self.luck.uniform());
            self.copies.put(now, key, Load { version: Some(version), took, ttl_roll, victim_roll });
            ctx.note(slot, What::CacheStored { key, version });
        }
        let last = ctx.stay(slot).last;
        ctx.core.stays.remove(slot);
        let found = match self.copies.get(now, key) {
            Lookup::Fresh(copy) => Some(Found { result: CacheResult::Fresh, copy: Some(copy), load: false }),
            _ => None,
        };
        self.land(ctx, key, last, Status::Ok, found);
    }

    fn on_failed_load(&mut self, ctx: &mut Ctx, slot: Slot) {
        let (key, last) = (ctx.stay(slot).key, ctx.stay(slot).last);
        ctx.core.stays.remove(slot);
        self.land(ctx, key, last, Status::Unavailable, None);
    }

    /// Its answer found nobody any more; if it was to load the row, nobody does.
    pub fn on_late(&mut self, ctx: &mut Ctx, slot: Slot) {
        let granted = ctx.core.stays.take_found(slot).is_some_and(|found| found.load);
        match granted && self.flights.is_some() {
            true => self.on_failed_load(ctx, slot),
            false => ctx.core.stays.remove(slot),
        }
    }

    /// The load of a row is over: whoever waited for it shares what came of it.
    fn land(&mut self, ctx: &mut Ctx, key: u32, cause: Seq, status: Status, found: Option<Found>) {
        if let Some(flights) = &mut self.flights {
            flights.on_load_end(key);
        }
        for slot in self.waiting.remove(&key).unwrap_or_default() {
            ctx.stay_mut(slot).place = Place::Outside;
            ctx.note_because(slot, What::Started, Some(cause));
            ctx.core.stays.belongings_mut(slot).found = found;
            ctx.reply(slot, Reply::status(status));
        }
        self.show_waiting(ctx);
    }

    /// The caller withdrew the look-up.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        self.waiting.values_mut().for_each(|waiting| waiting.retain(|other| *other != slot));
        ctx.core.stays.remove(slot);
        self.show_waiting(ctx);
    }

    fn show_waiting(&self, ctx: &mut Ctx) {
        if self.flights.is_some() {
            ctx.set_waiting(self.waiting.values().map(|waiting| waiting.len() as u32).sum());
        }
    }
}
