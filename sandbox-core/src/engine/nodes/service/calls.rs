//! What a program asks of others, and what comes of it.

use super::Service;
use super::cache_aside::{ONE_STEP, is_background};
use crate::engine::ctx::{Ctx, status_of};
use crate::engine::event::Slot;
use crate::engine::if_match;
use crate::engine::nodes::Statement;
use crate::engine::stay::{Ask, CallEnd, Errand, Reply, StayId};
use crate::scenario::Step;
use crate::time::Time;
use crate::trace::{Status, What};

impl Service {
    /// Asks a store or a cache.
    pub(super) fn ask(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, ask: Ask) {
        let errand = Errand::handed_on(ctx.stay(slot), ask);
        self.access(ctx, slot, call, errand);
    }

    /// Asks a store to write, if the row still has the version that was seen.
    pub(super) fn write(&mut self, ctx: &mut Ctx, slot: Slot, store: usize, seen: Option<f64>, required: bool) {
        let Some(seen) = seen else {
            return match if_match::check(None, None, required) {
                Ok(()) => self.ask(ctx, slot, store, Ask::Write),
                Err(refusal) => {
                    ctx.note(slot, What::Refused { refusal });
                    self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at: Time::NEVER })
                }
            };
        };
        let errand = Errand { arg: seen, ..Errand::handed_on(ctx.stay(slot), Ask::WriteIf) };
        self.access(ctx, slot, store, errand);
    }

    pub(super) fn access(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, errand: Errand) {
        if let Some((_, end)) = self.callers[call].begin(ctx, slot, errand) {
            self.on_access_end(ctx, slot, errand.ask, end);
        }
    }

    /// Calls another service, a queue or a database.
    pub(super) fn call(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, errand: Errand) {
        if let Some((slot, end)) = self.callers[call].begin(ctx, slot, errand) {
            self.on_call_end(ctx, slot, end);
        }
    }

    /// Asks a database.
    pub(super) fn state(&mut self, ctx: &mut Ctx, slot: Slot, call: usize, statement: Statement) {
        let place = ctx.core.keep_statement(statement);
        let way = u32::from(ctx.stay(slot).step) + 1;
        let errand = Errand { way, ..Errand::handed_on(ctx.stay(slot), Ask::Statement(place)) };
        ctx.core.stays.belongings_mut(slot).session = Some((call as u16, place));
        self.call(ctx, slot, call, errand);
    }

    /// Whatever the program's session still holds is given back.
    pub(super) fn close_session(&mut self, ctx: &mut Ctx, slot: Slot) {
        let Some((call, latest)) = ctx.core.stays.take_session(slot) else { return };
        ctx.core.statements.remove(&latest);
        let place = ctx.core.keep_statement(Statement::Close);
        self.send_aside(ctx, slot, usize::from(call), Ask::Statement(place));
    }

    pub fn on_call_end(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        // Which call it was follows from the program: a read with a cache asks the cache first.
        let belongings = ctx.core.stays.belongings(slot);
        let asked_cache = belongings.is_some_and(|belongings| belongings.copy.is_some());
        let ask = match self.step(ctx, slot) {
            Step::Statement(_) => {
                if let Some((_, statement)) = belongings.and_then(|belongings| belongings.session) {
                    ctx.core.statements.remove(&statement);
                }
                return self.on_answer(ctx, slot, end);
            }
            Step::Call(_) | Step::Invalidate { .. } => return self.on_answer(ctx, slot, end),
            Step::Look { .. } => Ask::CacheGet,
            Step::Read { cache: Some(_), .. } if !asked_cache => Ask::CacheGet,
            Step::Write { .. } => Ask::Write,
            _ => Ask::Read,
        };
        self.on_access_end(ctx, slot, ask, end);
    }

    /// Another service answered, or did not.
    pub(super) fn on_answer(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        match end {
            CallEnd::Replied(reply) if reply.status.is_success() => {
                let stay = ctx.stay_mut(slot);
                stay.got = (reply.status.code(), reply.value);
                stay.version = reply.version.or(stay.version);
                self.go_on(ctx, slot);
            }
            failed => self.fail(ctx, slot, failed),
        }
    }

    pub(super) fn on_access_end(&mut self, ctx: &mut Ctx, slot: Slot, ask: Ask, end: CallEnd) {
        if ask == Ask::CacheGet {
            return self.on_looked_up(ctx, slot, end);
        }
        let (Step::Read { cache, .. } | Step::Write { cache, .. }) = *self.step(ctx, slot) else {
            unreachable!("only a read or a write asks a store")
        };
        match end {
            CallEnd::Replied(Reply { status: Status::Ok, version, .. }) => {
                ctx.stay_mut(slot).version = version;
                if let (Some(cache), Some(_)) = (cache, version) {
                    self.keep(ctx, slot, cache);
                }
                // Without a cache of its own it may be part of the load of another copy.
                if cache.is_some() {
                    ctx.core.stays.take_copy(slot);
                }
                match is_background(ctx, slot) && ctx.stay(slot).branch_of == ONE_STEP {
                    true => self.finish(ctx, slot, Reply::status(Status::Ok)),
                    false => self.go_on(ctx, slot),
                }
            }
            failed => self.fall_back(ctx, slot, failed),
        }
    }

    pub(super) fn send_aside(&mut self, ctx: &mut Ctx, slot: Slot, cache: usize, ask: Ask) -> StayId {
        let to = ctx.core.plan.nodes[ctx.node.index()].calls[cache].targets[0];
        let deadline = ctx.stay(slot).deadline;
        let errand = Errand::handed_on(ctx.stay(slot), ask);
        ctx.send(slot, to, errand, 1, false, deadline)
    }

    /// The present step failed: its handler goes on, or the failure is the answer.
    pub(super) fn fail(&mut self, ctx: &mut Ctx, slot: Slot, failed: CallEnd) {
        let reply = match failed {
            CallEnd::Replied(reply) => Reply { version: None, ..reply },
            CallEnd::TimedOut => Reply::status(Status::GatewayTimeout),
            CallEnd::Refused { refusal, retry_at } => Reply { retry_at, ..Reply::status(status_of(refusal)) },
        };
        let stay = ctx.stay_mut(slot);
        stay.got = (reply.status.code(), reply.value);
        match self.program(stay.route).on_failure.get(stay.step as usize).copied().flatten() {
            Some(handler) => {
                stay.step = handler;
                self.run(ctx, slot);
            }
            None => self.finish(ctx, slot, reply),
        }
    }
}
