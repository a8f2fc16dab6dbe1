//! What a language model writes: one iteration of its batch after the other ([`ContinuousBatch`]).
//!
//! A call whose program comes to `generate` joins the line, and goes on when its last token is written. Who comes while an
//! iteration is under way waits for the next one; it is broken off only when nobody is left in it.

use super::Service;
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::stay::{CallEnd, StayId};
use crate::policy::continuous_batching::{ContinuousBatch, ContinuousBatchingConfig, Preempted};
use crate::time::{Span, Time};
use crate::trace::{Refusal, What};
use std::collections::BTreeMap;

/// The batch, and the iteration under way.
#[derive(Clone, Debug)]
pub struct Generation {
    batch: ContinuousBatch,
    /// When the iteration is over; none: there is none, or it stands still.
    due: Option<Time>,
    /// What is left of it while it stands still.
    left: Option<Span>,
    /// Tokens that it reads anew.
    prefilled: u32,
    /// When the first token of each sequence was written.
    first_tokens: BTreeMap<Slot, Time>,
    /// The record of the present time without room.
    full: Option<Lead>,
}

impl Generation {
    /// Nobody is there.
    pub fn new(config: ContinuousBatchingConfig) -> Generation {
        Generation {
            batch: ContinuousBatch::new(config),
            due: None,
            left: None,
            prefilled: 0,
            first_tokens: BTreeMap::new(),
            full: None,
        }
    }

    /// Sequences in the batch and in line.
    pub fn levels(&self) -> (u32, u32) {
        (self.batch.running(), self.batch.waiting())
    }

    /// Whether a call is in the batch or in line.
    pub fn holds(&self, slot: Slot) -> bool {
        self.batch.contains(slot)
    }
}

impl Service {
    /// A program has the model write.
    pub(super) fn generate(&mut self, ctx: &mut Ctx, slot: Slot, [prompt, output]: [f64; 2]) {
        let [prompt, output] = [prompt, output].map(|tokens| tokens.clamp(1.0, f64::from(u32::MAX)) as u32);
        let generation = self.generation.as_deref_mut().expect("whose steps write has a model");
        if !generation.batch.config().fits(prompt, output) {
            let refusal = Refusal::TooLong;
            ctx.note(slot, What::Refused { refusal });
            return self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at: Time::NEVER });
        }
        let ahead = generation.batch.waiting();
        generation.batch.on_request(slot, prompt, output);
        self.iterate(ctx, Some(slot));
        let generation = self.generation.as_deref_mut().expect("it has one");
        if generation.batch.waits(slot) {
            let cause = match generation.batch.has_room() {
                true => Lead::of(ctx.stay(slot)),
                false => ctx.why_busy(&mut generation.full, slot, generation.batch.running()),
            };
            ctx.note_after(slot, What::Queued { ahead }, cause);
        }
        self.show_busy(ctx);
    }

    /// Begins an iteration, unless one is under way or nobody is there. Who has just come and is taken in at once has not waited.
    pub(super) fn iterate(&mut self, ctx: &mut Ctx, just_come: Option<Slot>) {
        let condition = ctx.condition();
        let Some(generation) = self.generation.as_deref_mut() else { return };
        if generation.due.is_some() || generation.left.is_some() || condition.frozen {
            return;
        }
        let iteration = generation.batch.decide(!condition.held);
        if generation.batch.waiting() == 0 {
            generation.full = None;
        }
        let Some(iteration) = iteration else { return };
        for Preempted { id, tokens, by } in iteration.preempted {
            let cause = Lead::of(ctx.stay(by));
            ctx.note_after(id, What::Preempted { tokens }, cause);
        }
        for taken_in in iteration.admitted {
            if just_come != Some(taken_in) {
                ctx.note(taken_in, What::Started);
            }
        }
        let mut span = iteration.span;
        generation.prefilled = iteration.prefilled;
        if condition.slow_factor > 1.0 {
            for slot in generation.batch.in_batch() {
                span = ctx.slowed(slot, iteration.span, condition.slow_factor);
            }
        }
        if let Some(presence) = &mut self.presence {
            presence.work(span);
        }
        generation.go_on(ctx, span);
    }

    /// An iteration may be over.
    #[cold]
    pub(super) fn on_iteration(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let Some(generation) = self.generation.as_deref_mut().filter(|it| it.due == Some(now)) else { return };
        generation.due = None;
        let written = generation.batch.on_iteration();
        let (sequences, prefilled, held) = (written.len() as u32, generation.prefilled, generation.batch.held());
        ctx.note_own(What::Iterated { sequences, prefilled, held }, None);
        let mut done: Vec<StayId> = Vec::new();
        for of in written {
            if of.tokens == 1 {
                ctx.note(of.id, What::FirstToken);
                generation.first_tokens.insert(of.id, now);
            }
            if of.done {
                let first = generation.first_tokens.remove(&of.id).expect("it has a first token");
                ctx.note_done(of.id, What::Generated { tokens: of.tokens, took: now.since(first) });
                done.push(ctx.core.stays.id(of.id));
            }
        }
        self.iterate(ctx, None);
        self.show_busy(ctx);
        for stay in done {
            // What one of them goes on with may have been the end of another.
            if ctx.core.stays.is_live(stay) {
                let strikes = ctx.strikes(stay.slot);
                self.go_on_unless(ctx, stay.slot, strikes);
            }
        }
    }

    /// A fault began or ended: the iteration stands still, or goes on.
    pub(super) fn hold_iteration(&mut self, ctx: &mut Ctx) {
        let (now, frozen) = (ctx.now(), ctx.condition().frozen);
        let Some(generation) = self.generation.as_deref_mut() else { return };
        match (frozen, generation.due, generation.left) {
            (true, Some(due), _) => {
                (generation.due, generation.left) = (None, Some(due.since(now)));
                let by = ctx.why_frozen();
                generation.batch.in_batch().for_each(|slot| ctx.set_back(slot, by, due));
            }
            (false, _, Some(left)) => generation.go_on(ctx, left),
            _ => {}
        }
        self.iterate(ctx, None);
        self.show_busy(ctx);
    }

    /// Nobody waits for what the model writes for a call.
    pub(super) fn stop_writing(&mut self, ctx: &mut Ctx, slot: Slot) {
        let Some(generation) = self.generation.as_deref_mut().filter(|it| it.holds(slot)) else { return };
        generation.batch.on_withdrawn(slot);
        generation.first_tokens.remove(&slot);
        if generation.batch.running() == 0 {
            (generation.due, generation.left) = (None, None);
        }
        self.iterate(ctx, None);
        self.show_busy(ctx);
    }
}

impl Generation {
    /// So much of an iteration is still to come.
    fn go_on(&mut self, ctx: &mut Ctx, span: Span) {
        let due = ctx.now() + span;
        (self.due, self.left) = (Some(due), None);
        ctx.core.calendar.schedule(due, Event::Iteration(ctx.node));
    }
}
