//! A cache: looks copies up and keeps them, at once.
//!
//! Left out: memory, serialisation, and the time of a look-up beyond the way there and back.

use super::Happening;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, Reply};
use crate::policy::cache::{Cache, Load, Lookup};
use crate::scenario::CachePlan;
use crate::trace::{CacheResult, Refusal, Status, What};

/// A cache's live state.
#[derive(Clone, Debug)]
pub struct CacheNode {
    copies: Cache,
}

impl CacheNode {
    pub fn new(plan: &CachePlan) -> CacheNode {
        CacheNode { copies: Cache::new(plan.config, plan.key_count) }
    }

    /// How many copies there are.
    pub fn len(&self) -> u32 {
        self.copies.len()
    }

    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        let Happening::Arrived(slot) = happening else { return };
        ctx.arrive(slot);
        if let Ask::CachePut { version } = ctx.stay(slot).ask {
            return self.put(ctx, slot, version);
        }
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.fault(), None);
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let (now, key) = (ctx.now(), ctx.stay(slot).key);
        let found = match self.copies.get(now, key) {
            Lookup::Fresh(copy) | Lookup::Revalidate(copy) => (CacheResult::Fresh, Some(copy)),
            Lookup::Stale { copy, usable: true } => (CacheResult::Stale, Some(copy)),
            Lookup::Stale { copy, usable: false } => (CacheResult::TooOld, Some(copy)),
            Lookup::Miss | Lookup::Absent => (CacheResult::Miss, None),
        };
        ctx.note(slot, What::CacheAsked { key, result: found.0 });
        ctx.reply(slot, Reply { lookup: Some(found), ..Reply::status(Status::Ok) });
    }

    fn put(&mut self, ctx: &mut Ctx, slot: Slot, version: u64) {
        let (now, key) = (ctx.now(), ctx.stay(slot).key);
        if !ctx.condition().down {
            self.copies.put(now, key, Load::version(version));
            ctx.note(slot, What::CacheStored { key, version });
        }
        ctx.core.stays.remove(slot);
    }
}
