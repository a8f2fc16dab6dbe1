//! Copies of a call that is slow to answer.

use super::{Caller, Over, pushback};
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::stay::{Ask, CallEnd, NO_TIMER, OpenCall, StayId};
use crate::policy::deadline::Cancel;
use crate::policy::hedging::{CopyAnswer, HedgeDecision, Hedging};

/// A call with several copies under way.
#[derive(Clone, Debug)]
pub(super) struct Hedged {
    pub(super) policy: Hedging,
    /// The copies under way, with their numbers.
    pub(super) copies: Vec<(u32, StayId)>,
    /// The instances they went to, one bit each.
    pub(super) tried: u64,
}

impl Caller {
    /// Sends the copies of a hedged call that are due, and waits for the next.
    #[cold]
    pub(super) fn send_copies(&mut self, ctx: &mut Ctx, slot: Slot) -> Over {
        let now = ctx.now();
        loop {
            let hedged = self.hedged.get_mut(&slot)?;
            let HedgeDecision::Send(number) = hedged.policy.decide(now, true) else { break };
            let OpenCall { errand, give_up_at, .. } = *ctx.open_call(slot);
            let copy = ctx.begin_part(slot, Ask::Copy, number as u16, 0);
            ctx.stay_mut(copy).attempt = number as u8;
            ctx.stay_mut(copy).call = Some(self.open(errand, now, give_up_at));
            let copy_id = ctx.core.stays.id(copy);
            self.hedged.get_mut(&slot).expect("it is under way").copies.push((number, copy_id));
            let over = self.on_retry(ctx, copy);
            if over.is_some() {
                return over;
            }
            let hedged = self.hedged.get_mut(&slot)?;
            if ctx.core.stays.is_live(copy_id)
                && let Some(open) = &ctx.stay(copy).call
            {
                hedged.tried |= open.tried;
            }
        }
        let due = self.hedged[&slot].policy.next_deadline();
        let timer = due.map(|at| ctx.core.calendar.schedule_after(now, at.since(now), Event::Hedge(slot)));
        ctx.stay_mut(slot).call.as_mut().expect("a call is open").timer = timer.unwrap_or(NO_TIMER);
        None
    }

    /// The delay before the next copy is over.
    pub fn on_hedge(&mut self, ctx: &mut Ctx, slot: Slot) -> Over {
        self.send_copies(ctx, slot)
    }

    /// A copy is done: with it the call, or the next copy is due.
    #[cold]
    pub(super) fn on_copy_end(&mut self, ctx: &mut Ctx, copy: Slot, end: CallEnd) -> Over {
        let now = ctx.now();
        let whole = ctx.stay(copy).parent.expect("a copy has a call it is a copy of").slot;
        let lead = Lead::of(ctx.stay(copy));
        let copy_id = ctx.core.stays.id(copy);
        let hedged = self.hedged.get_mut(&whole).expect("its call is under way");
        let place = hedged.copies.iter().position(|(_, id)| *id == copy_id).expect("a copy is one of its call's");
        let (number, _) = hedged.copies.remove(place);
        ctx.core.stays.hand_found(copy, whole);
        ctx.core.stays.remove(copy);
        let answer = match &end {
            CallEnd::Replied(reply) if reply.status.is_success() => CopyAnswer::Success,
            CallEnd::Replied(reply) if !reply.status.is_server_failure() => CopyAnswer::Fatal,
            failed => CopyAnswer::NonFatal(pushback(failed, now)),
        };
        if hedged.policy.on_answer(now, number, answer).is_none() && !hedged.policy.has_failed() {
            return self.send_copies(ctx, whole);
        }
        let rest = self.hedged.remove(&whole).expect("its call is under way");
        self.drop_copies(ctx, rest, self.plan.hedge.expect("a hedged call has a plan").params().cancel);
        let stay = ctx.stay_mut(whole);
        stay.follow(lead);
        stay.call = None;
        Some((whole, end))
    }

    pub(super) fn drop_copies(&mut self, ctx: &mut Ctx, hedged: Hedged, cancel: Cancel) {
        for (_, copy) in hedged.copies {
            if let Some(open) = ctx.stay(copy.slot).call
                && open.child.is_some()
            {
                self.active[open.instance as usize] -= 1;
                self.leave(ctx, open.child, cancel);
            }
            ctx.core.stays.remove(copy.slot);
        }
    }
}
