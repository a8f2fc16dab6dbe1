//! Dynamic batching: free workers wait a moment for more calls, and a batch takes longer the more calls it has.

use super::Service;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::scenario::BatchingPlan;
use crate::time::{Span, Time};
use crate::trace::What;

/// A batch that is being collected.
#[derive(Clone, Debug)]
pub struct Collecting {
    plan: BatchingPlan,
    /// When the batch starts with whoever is there, if it is not full before; none: as soon as workers are free.
    until: Option<Time>,
    /// Calls of the batch in work.
    size: u32,
}

impl Collecting {
    /// Nobody is there.
    pub fn new(plan: BatchingPlan) -> Collecting {
        Collecting { plan, until: None, size: 0 }
    }
}

impl Service {
    /// A call waits for others to start with, if a batch is collected.
    #[cold]
    pub(super) fn collect(&mut self, ctx: &mut Ctx, slot: Slot) -> bool {
        let (now, ahead) = (ctx.now(), self.line.len());
        let Some(collecting) = self.collecting.as_deref_mut() else { return false };
        if self.busy > 0 || collecting.plan.window == Span::ZERO || ctx.condition().held {
            // Whoever starts at once starts alone; whoever waits is counted with those who start with him.
            collecting.size = 1;
            return false;
        }
        if ahead == 0 {
            let until = now + collecting.plan.window;
            collecting.until = Some(until);
            ctx.core.calendar.schedule(until, Event::BatchDue(ctx.node));
        }
        ctx.note(slot, What::Queued { ahead });
        self.stand_in_line(ctx, slot);
        if self.plan.workers.is_some_and(|most| ahead + 1 >= most) {
            self.start_batch(ctx);
        }
        true
    }

    /// The time for more calls may be over.
    #[cold]
    pub(super) fn on_batch_due(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        if self.collecting.as_ref().is_some_and(|collecting| collecting.until == Some(now)) {
            self.start_batch(ctx);
        }
    }

    fn start_batch(&mut self, ctx: &mut Ctx) {
        if let Some(collecting) = self.collecting.as_deref_mut() {
            collecting.until = None;
        }
        self.fill_workers(ctx);
    }

    /// Whether free workers wait for more calls.
    pub(super) fn is_collecting(&self) -> bool {
        self.collecting.as_ref().is_some_and(|collecting| collecting.until.is_some())
    }

    /// So many calls start together.
    pub(super) fn begin_batch(&mut self, calls: u32) {
        if let Some(collecting) = self.collecting.as_deref_mut() {
            collecting.size = calls;
        }
    }

    /// How much longer the calls of the present batch make the work of each.
    pub(super) fn batch_work(&self) -> Span {
        let collecting = self.collecting.as_deref();
        collecting.map_or(Span::ZERO, |it| it.plan.per_call.scaled(f64::from(it.size)))
    }
}
