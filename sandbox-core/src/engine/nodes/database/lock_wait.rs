//! Statements that wait for a lock, of a row, of a table or of SQLite's file: until they get it, or as long as they may.

use super::{Database, key, owner_of};
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::stay::{NO_TIMER, Place, StayId};
use crate::ids::Seq;
use crate::time::Time;
use crate::trace::{Refusal, What};

impl Database {
    /// A statement begins or goes on to wait for a lock; `cause` is what whoever is in its way did last.
    pub(super) fn wait_for_lock(&mut self, ctx: &mut Ctx, slot: Slot, refusals: u32, cause: Option<Seq>) {
        if refusals == 1 {
            let own = Lead::of(ctx.stay(slot));
            ctx.note_after(slot, What::Blocked, Lead { seq: cause.unwrap_or(own.seq), ..own });
        }
        ctx.stay_mut(slot).place = Place::Line;
        self.waiting_for_locks += 1;
        self.show_levels(ctx);
    }

    /// A server's statement stands in line. Those who stand behind it wait because it does.
    pub(super) fn stand_in_line(&mut self, ctx: &mut Ctx, owner: StayId, for_table: bool) {
        let now = ctx.now();
        let session = self.sessions.get_mut(&key(owner)).expect("it is there");
        session.gives_up_at = session.lock_timeout.map_or(Time::NEVER, |timeout| now + timeout);
        let slot = session.slot;
        if for_table {
            session.last = ctx.stay(slot).last;
        }
        let looks_at = self.plan.deadlock_timeout.map_or(Time::NEVER, |timeout| now + timeout);
        self.look_at(ctx, slot, looks_at.min(self.sessions[&key(owner)].gives_up_at));
    }

    fn look_at(&self, ctx: &mut Ctx, slot: Slot, at: Time) {
        if at != Time::NEVER {
            let now = ctx.now();
            let timer = ctx.core.calendar.schedule_after(now, at.since(now), Event::Patience(slot));
            ctx.stay_mut(slot).timer = timer;
        }
    }

    /// A statement has waited in line so long that it gives up, or that it is worth a look whether it waits in a circle: then it
    /// is rolled back, and the others of the circle go on. Whoever closes a circle looks after it is closed, so none is missed.
    #[cold]
    pub(super) fn lose_patience(&mut self, ctx: &mut Ctx, slot: Slot) {
        let owner = owner_of(ctx, slot);
        let (id, gives_up_at) = (self.sessions[&key(owner)].id, self.sessions[&key(owner)].gives_up_at);
        let cause = self.store.blocked_by(id).and_then(|blocker| self.last_of(blocker));
        ctx.stay_mut(slot).timer = NO_TIMER;
        let refusal = match () {
            () if gives_up_at <= ctx.now() => Refusal::LockTimeout,
            () if self.store.break_deadlock(id).is_err() => Refusal::Deadlock,
            () => return self.look_at(ctx, slot, gives_up_at),
        };
        ctx.stay_mut(slot).place = Place::Outside;
        self.waiting_for_locks -= 1;
        self.give_up(ctx, owner, id, slot, refusal, cause);
    }
}
