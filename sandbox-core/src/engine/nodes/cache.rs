//! A cache: looks copies up and keeps them, at once, and has one load of a row at a time where that is asked for.
//!
//! Copies lie on a shelf: one for all who ask, or one for each instance where the cache is in their own memory. Left out:
//! memory, serialisation, and the time of a look-up beyond the way there and back.

use super::Happening;
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, Found, Place, Reply, Stay};
use crate::ids::NodeId;
use crate::policy::cache::{Cache, Load, Lookup};
use crate::policy::single_flight::{Flight, SingleFlight};
use crate::rng::{Purpose, Stream};
use crate::scenario::{CachePlan, NodePlan};
use crate::shared_map::SharedMap;
use crate::time::Time;
use crate::trace::{CacheResult, Refusal, Status, What};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A cache's live state.
#[derive(Clone, Debug)]
pub struct CacheNode {
    plan: Arc<CachePlan>,
    /// By whoever asks, where each has its own.
    shelves: BTreeMap<NodeId, Shelf>,
    luck: Stream,
}

/// Copies that lie together, and what is known about their rows.
#[derive(Clone, Debug)]
struct Shelf {
    copies: Cache,
    flights: Option<SingleFlight>,
    /// Look-ups that wait for a load under way, by row.
    waiting: BTreeMap<u32, Vec<Slot>>,
    /// When rows were last invalidated; only leases ask.
    invalidated: BTreeMap<u32, Time>,
    /// How the origin failed, where that is kept in the place of a copy, and what led to that.
    failures: BTreeMap<u32, (Status, Lead)>,
    /// Why copies are gone, where more than what users want did away with them, until there are new ones.
    lost: SharedMap<u32, Lead>,
}

impl Shelf {
    fn new(plan: &CachePlan) -> Shelf {
        Shelf {
            copies: Cache::new(plan.config, plan.key_count),
            flights: plan.single_flight.then(SingleFlight::default),
            waiting: BTreeMap::new(),
            invalidated: BTreeMap::new(),
            failures: BTreeMap::new(),
            lost: SharedMap::new(),
        }
    }

    /// Whether who asks now is the one to load the row.
    fn leads(&mut self, key: u32) -> bool {
        self.flights.as_mut().is_none_or(|flights| flights.decide(key) == Flight::Lead)
    }
}

impl CacheNode {
    pub fn new(node: &NodePlan, plan: &CachePlan, seed: u64) -> CacheNode {
        let luck = Stream::new(seed, node.hash, Purpose::Cache);
        let mut cache = CacheNode { plan: Arc::new(plan.clone()), shelves: BTreeMap::new(), luck };
        let warm = if plan.warm { plan.key_count.min(plan.config.capacity()) } else { 0 };
        if warm > 0 {
            let shelf = cache.shelf(ALL);
            let mut rolls = Stream::new(seed, node.hash, Purpose::Warm);
            for key in 0..warm {
                let load = Load { ttl_roll: rolls.uniform(), ..Load::version(1) };
                shelf.copies.put(Time::ZERO, key, load);
            }
        }
        cache
    }

    /// How many copies there are.
    pub fn len(&self) -> u32 {
        self.shelves.values().map(|shelf| shelf.copies.len()).sum()
    }

    /// The shelf of whoever this stay works for.
    fn owner(&self, ctx: &Ctx, slot: Slot) -> NodeId {
        if self.plan.local { ctx.stay(slot).from } else { ALL }
    }

    fn shelf(&mut self, owner: NodeId) -> &mut Shelf {
        let plan = &self.plan;
        self.shelves.entry(owner).or_insert_with(|| Shelf::new(plan))
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        let slot = match happening {
            Happening::Arrived(slot) => slot,
            Happening::ConditionChanged => return self.on_condition(ctx),
            _ => return,
        };
        ctx.arrive(slot);
        match ctx.stay(slot).ask {
            Ask::CachePut => return self.put(ctx, slot),
            Ask::CacheFail => return self.on_failed_load(ctx, slot),
            _ => {}
        }
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.why_down(), None);
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let (now, key, owner) = (ctx.now(), ctx.stay(slot).key, self.owner(ctx, slot));
        if ctx.stay(slot).ask == Ask::CacheForget {
            return self.forget(ctx, slot, owner);
        }
        let looked_up = self.shelf(owner).copies.get(now, key);
        let early = matches!(looked_up, Lookup::Fresh(_)) && {
            let roll = self.luck.uniform();
            self.shelf(owner).copies.expires_early(now, key, roll)
        };
        let shelf = self.shelf(owner);
        let (result, copy) = match looked_up {
            Lookup::Fresh(copy) if early && shelf.leads(key) => (CacheResult::Early, Some(copy)),
            Lookup::Fresh(copy) => (CacheResult::Fresh, Some(copy)),
            Lookup::Revalidate(copy) => (CacheResult::Revalidate, Some(copy)),
            Lookup::Stale { copy, usable: true } => (CacheResult::Stale, Some(copy)),
            Lookup::Stale { copy, usable: false } => (CacheResult::TooOld, Some(copy)),
            Lookup::Absent => (CacheResult::Failure, None),
            Lookup::Miss => (CacheResult::Miss, None),
        };
        let load = match result {
            CacheResult::Fresh | CacheResult::Failure => false,
            CacheResult::Early => true,
            _ => shelf.leads(key),
        };
        if !load && matches!(result, CacheResult::Stale | CacheResult::TooOld | CacheResult::Miss) {
            shelf.waiting.entry(key).or_default().push(slot);
            ctx.note(slot, What::CacheAsked { key, result: CacheResult::Coalesced });
            ctx.stay_mut(slot).place = Place::Line;
            return self.show_waiting(ctx);
        }
        let own = Lead::of(ctx.stay(slot));
        let (status, cause) = match result {
            CacheResult::Failure => shelf.failures.get(&key).copied().unwrap_or((Status::InternalError, own)),
            CacheResult::Miss => (Status::Ok, shelf.lost.get(key).copied().unwrap_or(own)),
            _ => (Status::Ok, own),
        };
        ctx.note_after(slot, What::CacheAsked { key, result }, cause);
        ctx.core.stays.belongings_mut(slot).found = Some(Found { result, copy, load, at: now });
        ctx.reply(slot, Reply::status(status));
    }

    fn forget(&mut self, ctx: &mut Ctx, slot: Slot, owner: NodeId) {
        let (now, key) = (ctx.now(), ctx.stay(slot).key);
        let leases = self.plan.leases;
        let shelf = self.shelf(owner);
        shelf.copies.remove(key);
        if leases {
            shelf.invalidated.insert(key, now);
        }
        ctx.note(slot, What::CacheInvalidated { key });
        let lead = Lead::of(ctx.stay(slot));
        if lead.troubled {
            self.shelf(owner).lost.insert(key, lead);
        }
        ctx.reply(slot, Reply::status(Status::Ok));
    }

    /// A cache that does not outlive its going down comes back empty. Who waits there for a load is told as the load ends.
    #[cold]
    fn on_condition(&mut self, ctx: &Ctx) {
        if ctx.condition().down && !self.plan.durable {
            let because = ctx.why_down().map(|seq| Lead { seq, troubled: true });
            for shelf in self.shelves.values_mut() {
                for key in (0..self.plan.key_count).filter(|key| shelf.copies.contains(*key)) {
                    because.map(|lead| shelf.lost.insert(key, lead));
                }
                shelf.copies = Cache::new(self.plan.config, self.plan.key_count);
            }
        }
    }

    fn put(&mut self, ctx: &mut Ctx, slot: Slot) {
        let (now, owner, plan) = (ctx.now(), self.owner(ctx, slot), self.plan.clone());
        let Stay { key, version, asked_at, .. } = *ctx.stay(slot);
        let version = version.unwrap_or(0);
        let outdated = plan.leases && self.shelf(owner).invalidated.get(&key).is_some_and(|at| *at >= asked_at);
        if outdated {
            ctx.note(slot, What::CacheRefused { key, version });
        } else if !ctx.condition().down {
            let took = plan.load_cost.unwrap_or_else(|| now.since(asked_at));
            let (ttl_roll, victim_roll) = (self.luck.uniform(), self.luck.uniform());
            let load = Load { version: Some(version), took, ttl_roll, victim_roll };
            let shelf = self.shelf(owner);
            shelf.copies.put(now, key, load);
            shelf.lost.remove(key);
            ctx.note(slot, What::CacheStored { key, version });
        }
        let lead = Lead::of(ctx.stay(slot));
        ctx.core.stays.remove(slot);
        let found = match self.shelf(owner).copies.get(now, key) {
            Lookup::Fresh(copy) => Some(Found { result: CacheResult::Fresh, copy: Some(copy), load: false, at: now }),
            _ => None,
        };
        self.land(ctx, owner, key, lead, Status::Ok, found);
    }

    fn on_failed_load(&mut self, ctx: &mut Ctx, slot: Slot) {
        let (now, owner) = (ctx.now(), self.owner(ctx, slot));
        let (Stay { key, arg, .. }, lead) = (*ctx.stay(slot), Lead::of(ctx.stay(slot)));
        ctx.core.stays.remove(slot);
        let status = Status::of_code(arg as u16).filter(|status| status.is_server_failure());
        if let Some(status) = status.filter(|_| self.plan.keeps_failures && !ctx.condition().down) {
            let shelf = self.shelf(owner);
            if !matches!(shelf.copies.get(now, key), Lookup::Stale { usable: true, .. }) {
                shelf.copies.put(now, key, Load { version: None, ..Load::version(0) });
                shelf.failures.insert(key, (status, lead));
            }
        }
        self.land(ctx, owner, key, lead, Status::Unavailable, None);
    }

    /// Its answer found nobody any more; if it was to load the row, nobody does.
    pub fn on_late(&mut self, ctx: &mut Ctx, slot: Slot) {
        let granted = ctx.core.stays.take_found(slot).is_some_and(|found| found.load);
        ctx.stay_mut(slot).arg = 0.0;
        match granted && self.plan.single_flight {
            true => self.on_failed_load(ctx, slot),
            false => ctx.core.stays.remove(slot),
        }
    }

    /// The load of a row is over: whoever waited for it shares what came of it.
    fn land(&mut self, ctx: &mut Ctx, owner: NodeId, key: u32, cause: Lead, status: Status, found: Option<Found>) {
        let shelf = self.shelf(owner);
        if let Some(flights) = &mut shelf.flights {
            flights.on_load_end(key);
        }
        for slot in shelf.waiting.remove(&key).unwrap_or_default() {
            ctx.stay_mut(slot).place = Place::Outside;
            ctx.note_after(slot, What::Started, cause);
            ctx.core.stays.belongings_mut(slot).found = found;
            ctx.reply(slot, Reply::status(status));
        }
        self.show_waiting(ctx);
    }

    /// The caller withdrew the look-up.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        for shelf in self.shelves.values_mut() {
            shelf.waiting.values_mut().for_each(|waiting| waiting.retain(|other| *other != slot));
        }
        ctx.core.stays.remove(slot);
        self.show_waiting(ctx);
    }

    fn show_waiting(&self, ctx: &mut Ctx) {
        if self.plan.single_flight {
            let lines = self.shelves.values().flat_map(|shelf| shelf.waiting.values());
            ctx.set_waiting(lines.map(|waiting| waiting.len() as u32).sum());
        }
    }
}

/// Whose shelf it is where all share one.
const ALL: NodeId = NodeId(0);
