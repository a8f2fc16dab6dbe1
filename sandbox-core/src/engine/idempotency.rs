//! Idempotency keys of programs: what a program did under a key, and what an attempt with the same key gets. One that comes
//! while the first is under way is refused, or waits and asks again when that is over.

use super::causes::Lead;
use super::ctx::Ctx;
use super::event::{Event, Slot};
use super::stay::{OpenKey, Reply, StayId};
use crate::ids::Seq;
use crate::policy::idempotency::{IdempotencyDecision, IdempotencyKeys, KeyRefusal};
use crate::trace::{Refusal, What};

/// A key: the user it belongs to, and the bits of its number.
pub type Key = (u32, u64);

/// The keys of one step, for all instances of its service.
pub type Keys = IdempotencyKeys<Key, Remembered>;

/// How the steps under a key ended.
#[derive(Clone, Copy, Debug)]
pub struct Remembered {
    /// The answer.
    pub reply: Reply,
    /// Whether the program ended with it, instead of going on behind the steps.
    pub ended: bool,
    /// The record of the end.
    seq: Seq,
}

/// An attempt under way that others may wait for.
#[derive(Clone, Debug)]
pub struct Attempt {
    holder: StayId,
    waiting: Vec<StayId>,
}

/// What a program is to do with the steps under a key.
pub enum Claim {
    /// Do them; [`remember`] is to follow if there is a key.
    Execute,
    /// Leave them out: this is how they ended.
    Replay(Remembered),
    /// Ask again when woken.
    Wait,
    /// Fail; it is recorded why.
    Refuse(Refusal),
}

/// Asks for the steps of a stay under this key of the step numbered `keys`.
pub fn claim(ctx: &mut Ctx, slot: Slot, keys: u32, number: Option<f64>) -> Claim {
    let (now, stay) = (ctx.now(), *ctx.stay(slot));
    // Minus zero is zero.
    let key = number.map(|number| (stay.user, (number + 0.0).to_bits()));
    let arg = stay.arg.to_bits();
    let payload = u64::from(stay.key) << 32 | u64::from((arg >> 32) as u32 ^ arg as u32);
    match ctx.core.idempotency[keys as usize].decide(now, key, payload) {
        IdempotencyDecision::Execute => {
            if let Some(key) = key {
                ctx.core.stays.belongings_mut(slot).key = Some(OpenKey { keys, key });
                if ctx.core.plan.idempotency[keys as usize].waits {
                    let attempt = Attempt { holder: ctx.core.stays.id(slot), waiting: Vec::new() };
                    ctx.core.attempts.insert((keys, key), attempt);
                }
            }
            Claim::Execute
        }
        IdempotencyDecision::Replay(stored) => {
            let stored = *stored;
            ctx.note_because(slot, What::Replayed, Some(stored.seq));
            Claim::Replay(stored)
        }
        IdempotencyDecision::Refuse(KeyRefusal::InProgress) if ctx.core.plan.idempotency[keys as usize].waits => {
            let id = ctx.core.stays.id(slot);
            let key = key.expect("only what has a key meets another attempt");
            let attempt = ctx.core.attempts.get_mut(&(keys, key)).expect("it is under way");
            attempt.waiting.push(id);
            let cause = Lead::of(&ctx.core.stays[attempt.holder.slot]);
            ctx.note_after(slot, What::Blocked, cause);
            Claim::Wait
        }
        IdempotencyDecision::Refuse(refusal) => {
            let refusal = match refusal {
                KeyRefusal::Missing => Refusal::KeyMissing,
                KeyRefusal::InProgress => Refusal::KeyInProgress,
                KeyRefusal::OtherPayload => Refusal::KeyReused,
            };
            ctx.note(slot, What::Refused { refusal });
            Claim::Refuse(refusal)
        }
    }
}

/// The steps of a stay under its key, if it has one, are over with this answer.
pub fn remember(ctx: &mut Ctx, slot: Slot, reply: Reply, ended: bool) {
    let Some(OpenKey { keys, key }) = ctx.core.stays.take_key(slot) else { return };
    let (now, seq) = (ctx.now(), ctx.stay(slot).last);
    let forgets = ctx.core.plan.idempotency[keys as usize].successes_only && !reply.status.is_success();
    let known = &mut ctx.core.idempotency[keys as usize];
    match forgets {
        true => known.on_abandoned(key),
        false => known.on_response(now, key, Remembered { reply, ended, seq }),
    }
    wake(ctx, keys, key);
}

/// The stay is withdrawn: nobody knows how its steps would have ended.
pub fn forget(ctx: &mut Ctx, slot: Slot) {
    if let Some(OpenKey { keys, key }) = ctx.core.stays.take_key(slot) {
        ctx.core.idempotency[keys as usize].on_abandoned(key);
        wake(ctx, keys, key);
    }
}

/// Whether a stay waits for another attempt under its key.
pub fn waits(ctx: &Ctx, slot: Slot) -> bool {
    let id = ctx.core.stays.id(slot);
    ctx.core.attempts.values().any(|attempt| attempt.waiting.contains(&id))
}

/// The attempt under a key is over: whoever waits for it asks again.
fn wake(ctx: &mut Ctx, keys: u32, key: Key) {
    let Some(attempt) = ctx.core.attempts.remove(&(keys, key)) else { return };
    for id in attempt.waiting {
        // Who was lost with its process is answered already, and only on its way back.
        if ctx.core.stays.is_live(id) && ctx.core.stays[id.slot].reply.is_none() {
            let timer = ctx.core.calendar.schedule(ctx.core.now, Event::Paused(id.slot));
            ctx.core.stays[id.slot].timer = timer;
        }
    }
}
