//! A queue: takes messages, keeps them, and delivers each to its consumer at least once.
//!
//! Which message is next, how long it is out of sight and when it is dead is the policy's
//! ([`crate::policy::message_queue`]); this file makes deliveries of it. A delivery is a call with the visibility timeout
//! as its patience; an answer with success acknowledges the message, any other end makes it visible again, at once or
//! after a back-off. Left out: acknowledgements that come after the timeout (they count for nothing), retention.

use super::Happening;
use crate::engine::calls::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::stay::{Ask, CallEnd, Errand, NO_TIMER, OpenCall, Place, Reply};
use crate::policy::deadline::Cancel;
use crate::policy::message_queue::{MessageQueue, OnFull, Receipt, SendResult};
use crate::rng::Purpose;
use crate::scenario::QueuePlan;
use crate::time::Span;
use crate::trace::{Refusal, Status, What};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A queue's live state.
#[derive(Clone, Debug)]
pub struct Queue {
    pub callers: Vec<Caller>,
    plan: Arc<QueuePlan>,
    /// A message's number is the slot of its stay.
    messages: MessageQueue,
    /// What became of a message's deliveries so far, from the first one on.
    sent: BTreeMap<Slot, Sent>,
    /// Publishers that are kept waiting for room, the first one first.
    blocked: VecDeque<Slot>,
    /// Deliveries under way.
    delivering: u32,
}

/// The latest delivery of a message.
#[derive(Clone, Copy, Debug)]
struct Sent {
    receipt: Receipt,
    count: u32,
    /// The latest back-off.
    delay: Span,
}

impl Queue {
    pub fn new(plan: &QueuePlan, callers: Vec<Caller>) -> Queue {
        Queue {
            callers,
            messages: MessageQueue::new(plan.config),
            plan: Arc::new(plan.clone()),
            sent: BTreeMap::new(),
            blocked: VecDeque::new(),
            delivering: 0,
        }
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Arrived(slot) => self.arrive(ctx, slot),
            Happening::Worked(slot) => {
                ctx.stay_mut(slot).place = Place::Outside;
                ctx.note_done(slot, What::Worked);
                self.take(ctx, slot);
            }
            Happening::Paused(message) => self.on_timer(ctx, message),
            Happening::ConditionChanged => self.on_condition(ctx),
            _ => unreachable!("a queue takes and delivers"),
        }
    }

    fn arrive(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.arrive(slot);
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.why_down(), None);
        }
        if ctx.stay(slot).ask == Ask::Probe {
            return ctx.reply(slot, Reply::status(Status::Ok));
        }
        let plan = self.plan.clone();
        let Some(store) = &plan.store else { return self.take(ctx, slot) };
        let span = ctx.work(slot, store);
        ctx.stay_mut(slot).place = Place::Worker;
        ctx.schedule_work(slot, span, store.is_constant());
    }

    /// The message is kept before the publisher has its answer.
    fn take(&mut self, ctx: &mut Ctx, slot: Slot) {
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.why_down(), None);
        }
        let now = ctx.now();
        if self.messages.is_full(now) {
            // The messages that have been delivered, and are not done.
            let sent = self.sent.keys().copied();
            let cause = ctx.why_full(slot, sent.clone(), sent.last());
            match self.plan.config.params().on_full {
                OnFull::Reject => return ctx.refuse_after(slot, Refusal::QueueFull, cause, None),
                OnFull::Block => {
                    ctx.note_after(slot, What::Queued { ahead: self.blocked.len() as u32 }, cause);
                    ctx.stay_mut(slot).place = Place::Line;
                    return self.blocked.push_back(slot);
                }
                OnFull::DropNewest | OnFull::DropOldest => {}
            }
        }
        let message = ctx.begin_part(slot, Ask::Publish, 0, 0);
        ctx.stay_mut(message).parent = None;
        let group = self.plan.partition_of(ctx.stay(slot).key);
        let ahead = self.messages.ahead(now, group) as u32;
        match self.messages.on_send(now, u64::from(message), group) {
            SendResult::Queued => {}
            SendResult::QueuedInsteadOf(oldest) => self.lose(ctx, oldest as Slot),
            SendResult::Dropped => self.lose(ctx, message),
            SendResult::Rejected | SendResult::Blocked => unreachable!("a full queue was looked at before"),
        }
        let is_kept = ctx.core.stays.is_live(ctx.core.stays.id(message));
        if is_kept && (ahead > 0 || !self.has_consumer()) {
            ctx.note(message, What::Queued { ahead });
        }
        ctx.reply(slot, Reply::status(Status::Ok));
        self.deliver(ctx);
    }

    fn has_consumer(&self) -> bool {
        self.plan.consumers.is_none_or(|consumers| self.delivering < consumers)
    }

    fn deliver(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        while !ctx.condition().down && self.has_consumer() {
            let before = self.messages.dead_letters().len();
            let delivery = self.messages.decide(now);
            let dead: Vec<u64> = self.messages.dead_letters()[before..].to_vec();
            for message in dead.into_iter().map(|message| message as Slot) {
                self.time_out(ctx, message);
                self.sent.remove(&message);
                ctx.note(message, What::DeadLettered);
                ctx.core.stays.remove(message);
            }
            let Some(delivery) = delivery else { break };
            let message = delivery.id as Slot;
            self.time_out(ctx, message);
            let sent =
                self.sent.entry(message).or_insert(Sent { receipt: delivery.receipt, count: 0, delay: Span::ZERO });
            (sent.receipt, sent.count) = (delivery.receipt, delivery.count);
            self.delivering += 1;
            let errand = Errand { route: self.plan.route, ..Errand::handed_on(ctx.stay(message), Ask::Serve) };
            let before = (delivery.count - 1).min(u32::from(u8::MAX)) as u8;
            match self.callers[0].begin_after(ctx, message, errand, before) {
                Some((message, end)) => self.end(ctx, message, end),
                None => self.await_heartbeat(ctx, message),
            }
            while let Some(slot) = self.blocked.front().copied().filter(|_| !self.messages.is_full(now)) {
                self.blocked.pop_front();
                ctx.stay_mut(slot).place = Place::Outside;
                ctx.note(slot, What::Started);
                self.take(ctx, slot);
            }
        }
        ctx.set_waiting(self.messages.waiting(now) as u32);
        ctx.set_in_service(self.delivering);
    }

    /// A message that is visible is nobody's. Where its timeout is due at this very instant, after what made room for the
    /// next delivery, it comes first.
    fn time_out(&mut self, ctx: &mut Ctx, message: Slot) {
        if ctx.stay(message).call.is_some() {
            self.callers[0].on_timeout(ctx, message);
            ctx.stay_mut(message).timer = NO_TIMER;
            self.delivering -= 1;
        }
    }

    pub fn on_delivered(&mut self, ctx: &mut Ctx, message: Slot, end: CallEnd) {
        self.end(ctx, message, end);
        self.deliver(ctx);
    }

    /// A delivery is over: the message is done, or visible again.
    fn end(&mut self, ctx: &mut Ctx, message: Slot, end: CallEnd) {
        self.delivering -= 1;
        ctx.stay_mut(message).timer = NO_TIMER;
        let Sent { receipt, count, delay } = self.sent[&message];
        match end {
            CallEnd::Replied(reply) if reply.status.is_success() => {
                self.messages.on_ack(receipt);
                self.sent.remove(&message);
                ctx.core.stays.remove(message);
            }
            // It is visible again of itself.
            CallEnd::TimedOut => {}
            CallEnd::Replied(_) | CallEnd::Refused { .. } => {
                let roll = ctx.draw_again(message, Purpose::Jitter, count).uniform();
                let delay = self.plan.redelivery.delay(count, delay, roll);
                self.sent.get_mut(&message).expect("it was delivered").delay = delay;
                self.messages.on_nack(ctx.now(), receipt, delay);
                if delay > Span::ZERO {
                    ctx.note_retry(message, delay);
                    self.wait(ctx, message, delay);
                }
            }
        }
    }

    fn wait(&self, ctx: &mut Ctx, message: Slot, span: Span) {
        let timer = ctx.core.calendar.schedule(ctx.core.now + span, Event::Paused(message));
        ctx.stay_mut(message).timer = timer;
    }

    fn await_heartbeat(&self, ctx: &mut Ctx, message: Slot) {
        if let Some(heartbeat) = self.plan.heartbeat {
            self.wait(ctx, message, heartbeat);
        }
    }

    /// A back-off is over, or a consumer says that it is still at work: if it can.
    fn on_timer(&mut self, ctx: &mut Ctx, message: Slot) {
        ctx.stay_mut(message).timer = NO_TIMER;
        let now = ctx.now();
        let Some(OpenCall { child, .. }) = ctx.stay(message).call else { return self.deliver(ctx) };
        let consumer = child.filter(|child| ctx.core.stays.is_live(*child)).map(|child| ctx.stay(child.slot).node);
        let works = consumer.is_some_and(|node| {
            let condition = ctx.core.conditions[node.index()];
            !condition.frozen && !condition.down
        });
        if works {
            self.messages.on_heartbeat(now, self.sent[&message].receipt);
            let timeout = self.plan.config.params().visibility_timeout;
            let timer = ctx.core.calendar.schedule_after(now, timeout, Event::Timeout(message));
            ctx.stay_mut(message).call.as_mut().expect("it is under way").timer = timer;
        }
        self.await_heartbeat(ctx, message);
    }

    /// A queue in memory forgets everything when it goes down; one that is back delivers what it has kept.
    fn on_condition(&mut self, ctx: &mut Ctx) {
        if !ctx.condition().down {
            return self.deliver(ctx);
        }
        for slot in std::mem::take(&mut self.blocked) {
            ctx.stay_mut(slot).place = Place::Outside;
            ctx.refuse(slot, Refusal::Down, ctx.why_down(), None);
        }
        if !self.plan.durable {
            for message in self.messages.all().collect::<Vec<_>>() {
                self.callers[0].abandon(ctx, message as Slot, Cancel::Anywhere);
                self.lose(ctx, message as Slot);
            }
            (self.messages, self.delivering) = (MessageQueue::new(self.plan.config), 0);
            ctx.set_waiting(0);
            ctx.set_in_service(0);
        }
    }

    /// Nothing more comes of a message that nobody has done.
    fn lose(&mut self, ctx: &mut Ctx, message: Slot) {
        let cause = ctx.why_down().filter(|_| ctx.condition().down).unwrap_or(ctx.stay(message).last);
        ctx.note_because(message, What::MessageLost, Some(cause));
        self.sent.remove(&message);
        ctx.core.stays.remove(message);
    }

    /// The publisher withdrew its message before the queue had it.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        self.blocked.retain(|other| *other != slot);
        ctx.core.stays.remove(slot);
    }
}
