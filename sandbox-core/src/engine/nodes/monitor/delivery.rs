//! What becomes of an alert: it is raised, and delivered, or lost with whoever was to deliver it.
//!
//! An alert that needs a delivery is a call of a service like any other, retries and all; its answer is the
//! acknowledgement. So a pager that depends on what it watches is as silent as that is dead.

use super::{Monitor, plan};
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Errand};
use crate::ids::{IncidentId, Seq};
use crate::rng::lineage;
use crate::trace::What;

/// Position of the one who delivers among a monitor's calls.
const DELIVERY: usize = 1;

impl Monitor {
    /// Somebody is to hear of the incident.
    pub(super) fn alert(&mut self, ctx: &mut Ctx, incident: IncidentId, because: Seq) {
        let raised = ctx.note_own(What::AlertRaised { incident }, Some(because));
        self.alerts += 1;
        let Some(route) = plan(ctx).deliver else { return };
        let slot = ctx.begin_own(Ask::Serve, raised);
        let stay = ctx.stay_mut(slot);
        stay.arg = f64::from(incident.0);
        // Each alert draws its own luck on the way.
        stay.lineage = lineage(0, self.alerts);
        let errand = Errand { route, ..Errand::handed_on(stay, Ask::Serve) };
        if let Some((slot, end)) = self.callers[DELIVERY].begin(ctx, slot, errand) {
            on_delivered(ctx, slot, end);
        }
    }
}

/// The call that was to deliver an alert is over.
pub(super) fn on_delivered(ctx: &mut Ctx, slot: Slot, end: CallEnd) {
    let incident = IncidentId(ctx.stay(slot).arg as u16);
    match end {
        CallEnd::Replied(reply) if reply.status.is_success() => ctx.note(slot, What::AlertDelivered { incident }),
        _ => ctx.note(slot, What::AlertLost { incident }),
    };
    ctx.core.stays.remove(slot);
}
