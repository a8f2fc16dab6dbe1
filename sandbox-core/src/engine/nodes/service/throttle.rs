//! The service's work under a quota of CPU time: it stops in the middle, and goes on when the next period begins.

use super::Service;
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::quota::Turn;
use crate::engine::stay::{NO_TIMER, Place};
use crate::scenario::Step;
use crate::trace::What;

impl Service {
    /// Whether nothing may run.
    pub(super) fn is_throttled(&self) -> bool {
        self.quota.as_deref().is_some_and(|(quota, _)| quota.is_throttled())
    }

    /// Pieces of work begin or end to run.
    #[cold]
    pub(super) fn count_running(&mut self, ctx: &mut Ctx, by: i32) {
        let Some((quota, _)) = self.quota.as_deref_mut() else { return };
        if let Some(due) = quota.change(ctx.now(), by) {
            ctx.core.calendar.schedule(due, Event::Quota(ctx.node));
        }
    }

    /// A piece of work would run, and has to wait for the next period.
    pub(super) fn note_throttled(&mut self, ctx: &mut Ctx, slot: Slot) {
        if let Some((quota, Some(because))) = self.quota.as_deref()
            && quota.is_throttled()
        {
            ctx.note_after(slot, What::WorkStopped, *because);
        }
    }

    /// The CPU time of the period may be used up, or a new period have begun.
    #[cold]
    pub(super) fn on_quota(&mut self, ctx: &mut Ctx) {
        let Some((quota, _)) = self.quota.as_deref_mut() else { return };
        match quota.turn(ctx.now()) {
            Some(Turn::Throttled) => self.throttle(ctx),
            Some(Turn::Resumed) if !ctx.condition().frozen => self.resume(ctx),
            Some(Turn::Resumed) | None => {}
        }
        self.count_running(ctx, 0);
    }

    fn throttle(&mut self, ctx: &mut Ctx) {
        let slowed = ctx.trouble_of(ctx.at_work(ctx.node));
        let seq = ctx.note_own(What::CpuThrottled, slowed.map(|lead| lead.seq));
        let because = Lead { seq, troubled: slowed.is_some() };
        if let Some((_, throttled)) = self.quota.as_deref_mut() {
            *throttled = Some(because);
        }
        for slot in ctx.core.stays.of_node(ctx.node) {
            if self.is_running(ctx, slot) {
                self.stop_work(ctx, slot);
                ctx.note_after(slot, What::WorkStopped, because);
            }
        }
    }

    /// What stands still goes on.
    pub(super) fn resume(&mut self, ctx: &mut Ctx) {
        for (slot, left) in std::mem::take(&mut self.aside) {
            if self.quota.is_some() {
                ctx.note(slot, What::WorkResumed);
            }
            // What is done at the instant at which the time is used up is done.
            ctx.schedule_work(slot, left, false);
            if self.quota.is_some() {
                self.count_running(ctx, 1);
            }
        }
    }

    /// Whether a stay's own work runs.
    pub(super) fn is_running(&self, ctx: &Ctx, slot: Slot) -> bool {
        let stay = ctx.stay(slot);
        stay.place == Place::Worker
            && stay.timer != NO_TIMER
            && matches!(self.step(ctx, slot), Step::Work(_) | Step::Handshake)
    }
}
