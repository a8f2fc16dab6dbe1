//! Parallel branches of a program: several strands of one stay, and when enough of them are done.

use super::Service;
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Fork, Reply};
use crate::trace::{Status, What};

impl Service {
    #[inline(never)]
    pub(super) fn fork(&mut self, ctx: &mut Ctx, slot: Slot, branches: &[u16], needed: u16) {
        let stay = ctx.stay_mut(slot);
        let fork = Fork { number: stay.fork.number.wrapping_add(1), pending: branches.len() as u16, needed };
        stay.fork = fork;
        let whole = ctx.core.stays.id(slot);
        ctx.note(slot, What::Forked { branches: branches.len() as u16 });
        for (number, entry) in branches.iter().enumerate() {
            // A branch that ends at once may end the fork, and the whole stay with it.
            if !ctx.core.stays.is_live(whole) || ctx.stay(slot).fork.number != fork.number {
                return;
            }
            let branch = ctx.begin_part(slot, Ask::Strand, number as u16, *entry);
            self.run(ctx, branch);
        }
    }

    /// A branch is over: enough of them, and the program goes on; too many failures, and the fork has failed.
    pub(super) fn on_branch_end(&mut self, ctx: &mut Ctx, branch: Slot, success: bool) {
        let stay = ctx.stay(branch);
        let (whole, number, lead, got, version) =
            (stay.parent.expect("a branch has a call"), stay.branch_of, Lead::of(stay), stay.got, stay.version);
        ctx.core.stays.remove(branch);
        let slot = whole.slot;
        if !ctx.core.stays.is_live(whole) || ctx.stay(slot).fork.number != number || ctx.stay(slot).fork.needed == 0 {
            return;
        }
        let stay = ctx.stay_mut(slot);
        stay.fork.pending -= 1;
        if success {
            stay.fork.needed -= 1;
            stay.got = got;
            stay.version = version;
        }
        if stay.fork.needed == 0 {
            stay.follow(lead);
            ctx.note(slot, What::Joined);
            self.go_on(ctx, slot);
        } else if stay.fork.pending < stay.fork.needed {
            stay.follow(lead);
            stay.fork.needed = 0;
            let reply =
                Reply { value: got.1, ..Reply::status(Status::of_code(got.0).unwrap_or(Status::InternalError)) };
            self.fail(ctx, slot, CallEnd::Replied(reply));
        }
    }
}
