//! A process dies, and with it everything it had begun.

use super::Service;
use super::cache_aside::is_background;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::idempotency;
use crate::engine::stay::{Ask, NO_TIMER, Place, Reply, StayId};
use crate::ids::Seq;
use crate::trace::{Refusal, Status, What};

impl Service {
    /// Every call inside is lost: its caller's connection breaks. Calls that are still on their way come to whoever is there then.
    #[cold]
    pub fn lose_everything(&mut self, ctx: &mut Ctx, because: Seq) {
        let mut lost: Vec<StayId> =
            ctx.core.stays.of_node(ctx.node).into_iter().map(|slot| ctx.core.stays.id(slot)).collect();
        lost.retain(|stay| self.has_inside(ctx, stay.slot));
        // Who waits goes first, and nobody is taken up meanwhile: there is no process left that could.
        let held = std::mem::replace(&mut ctx.core.conditions[ctx.node.index()].held, true);
        let order = |place| match place {
            Place::Bulkhead => 0,
            Place::Line => 1,
            Place::Outside => 2,
            Place::Worker => 3,
        };
        lost.sort_by_key(|stay| order(ctx.stay(stay.slot).place));
        self.batch.clear();
        for stay in lost {
            let slot = stay.slot;
            // What one call held may have been another one's last hope.
            if !ctx.core.stays.is_live(stay) || !self.has_inside(ctx, slot) {
                continue;
            }
            if is_background(ctx, slot) {
                let place = self.strip(ctx, slot, None);
                ctx.core.stays.remove(slot);
                self.vacate(ctx, place);
                continue;
            }
            ctx.note_because(slot, What::Refused { refusal: Refusal::Lost }, Some(because));
            let place = self.strip(ctx, slot, None);
            ctx.reply(slot, Reply::status(Status::BadGateway));
            self.vacate(ctx, place);
        }
        self.saturated = None;
        ctx.core.conditions[ctx.node.index()].held = held;
        let now = ctx.now();
        if let Some(presence) = &mut self.presence {
            presence.forget(now);
        }
    }

    /// Whether a stay is a call at this node, or work that nobody waits for: branches and copies go with what they belong to,
    /// probes are no business of the process, and what has not arrived or is answered is not here.
    fn has_inside(&self, ctx: &Ctx, slot: Slot) -> bool {
        let stay = ctx.stay(slot);
        let is_busy =
            stay.place != Place::Outside || stay.timer != NO_TIMER || stay.call.is_some() || stay.fork.pending > 0;
        let is_written = self.generation.as_ref().is_some_and(|generation| generation.holds(slot));
        let is_part = matches!(stay.ask, Ask::Strand | Ask::Copy) && stay.parent.is_some();
        (is_busy || is_written || idempotency::waits(ctx, slot))
            && !is_part
            && stay.ask != Ask::Probe
            && (stay.reply.is_none() || stay.place == Place::Worker)
    }
}
