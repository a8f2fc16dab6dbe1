//! A queue: takes messages, keeps them, and delivers each to its consumer at least once.
//!
//! A delivery is a call with the visibility timeout as its patience; an answer with success acknowledges the message, any
//! other end makes it visible again, and after the last delivery it goes to the dead letters. Left out: the order of
//! redelivered messages against newer ones beyond what the consumers' number gives; storage.

use super::Happening;
use crate::engine::calls::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Errand, Reply};
use crate::scenario::QueuePlan;
use crate::trace::{Refusal, Status, What};
use std::collections::VecDeque;

/// A queue's live state.
#[derive(Clone, Debug)]
pub struct Queue {
    pub callers: Vec<Caller>,
    plan: QueuePlan,
    /// Messages that nobody works on, the oldest first.
    messages: VecDeque<Slot>,
    /// Deliveries under way.
    delivering: u32,
}

impl Queue {
    pub fn new(plan: &QueuePlan, callers: Vec<Caller>) -> Queue {
        Queue { callers, plan: plan.clone(), messages: VecDeque::new(), delivering: 0 }
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Arrived(slot) => self.arrive(ctx, slot),
            _ => unreachable!("a queue takes and delivers"),
        }
    }

    /// The message is kept before the publisher has its answer.
    fn arrive(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.arrive(slot);
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.fault(), None);
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let ahead = self.messages.len() as u32;
        let room = self.plan.consumers.is_none_or(|consumers| self.delivering < consumers);
        if !room && self.plan.max_waiting.is_some_and(|places| ahead >= places) {
            return ctx.refuse(slot, Refusal::QueueFull, None, None);
        }
        let message = ctx.begin_part(slot, Ask::Publish, 0, 0);
        ctx.stay_mut(message).parent = None;
        if !room {
            ctx.note(message, What::Queued { ahead });
        }
        self.messages.push_back(message);
        ctx.reply(slot, Reply::status(Status::Ok));
        self.deliver(ctx);
    }

    fn deliver(&mut self, ctx: &mut Ctx) {
        while self.plan.consumers.is_none_or(|consumers| self.delivering < consumers) {
            let Some(message) = self.messages.pop_front() else { break };
            self.delivering += 1;
            let errand = Errand { route: self.plan.route, ..Errand::handed_on(ctx.stay(message), Ask::Serve) };
            if let Some((message, end)) = self.callers[0].begin(ctx, message, errand) {
                self.end(ctx, message, end);
            }
        }
        ctx.set_waiting(self.messages.len() as u32);
        ctx.set_in_service(self.delivering);
    }

    pub fn on_delivered(&mut self, ctx: &mut Ctx, message: Slot, end: CallEnd) {
        self.end(ctx, message, end);
        self.deliver(ctx);
    }

    /// Nothing more is to be done for a message.
    fn end(&mut self, ctx: &mut Ctx, message: Slot, end: CallEnd) {
        self.delivering -= 1;
        if !matches!(end, CallEnd::Replied(reply) if reply.status.is_success()) {
            ctx.note(message, What::DeadLettered);
        }
        ctx.core.stays.remove(message);
    }

    /// The publisher withdrew its message before the queue had it.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.core.stays.remove(slot);
    }
}
