//! A gateway: checks the token, asks the token bucket, passes the request on. Its own work holds no worker.
//!
//! Left out: body sizes, and connection limits.

use super::Happening;
use crate::engine::calls::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::limiter::{Limiter, Refused};
use crate::engine::stay::{Ask, CallEnd, Errand, NO_TIMER, Origin, Reply};
use crate::policy::deadline::Cancel;
use crate::scenario::GatewayPlan;
use crate::time::Span;
use crate::trace::{Refusal, Status, What};
use std::sync::Arc;

/// A gateway's live state.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub callers: Vec<Caller>,
    plan: Arc<GatewayPlan>,
    limiter: Limiter,
}

impl Gateway {
    pub fn new(plan: &GatewayPlan, callers: Vec<Caller>) -> Gateway {
        Gateway { callers, plan: Arc::new(plan.clone()), limiter: Limiter::default() }
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Arrived(slot) => self.arrive(ctx, slot),
            Happening::Worked(slot) => self.pass_on(ctx, slot),
            Happening::ProbeDue { call } => self.callers[call as usize].on_probe_due(ctx),
            Happening::ConditionChanged => {}
            _ => unreachable!("not for a gateway"),
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
        if self.plan.auth.is_some() && !is_authentic(ctx, slot) {
            return ctx.refuse(slot, Refusal::Unauthorized, None, None);
        }
        let now = ctx.now();
        let asked = self.plan.rate_limit.as_ref().map(|limit| self.limiter.ask_gateway(ctx, slot, limit));
        let free_at = match asked {
            None => now,
            Some(Ok(free_at)) => free_at,
            Some(Err(Refused { retry_at })) => {
                return ctx.reply(slot, Reply { retry_at, ..Reply::status(Status::TooManyRequests) });
            }
        };
        let check = self.plan.auth.as_ref().map(|auth| &auth.work);
        let constant = self.plan.work.is_constant() && check.is_none_or(|check| check.is_constant());
        let mut span = ctx.work(slot, &self.plan.work);
        if let Some(check) = check {
            span += ctx.work(slot, check);
        }
        let handshake = ctx.handshake(slot);
        let constant = constant && handshake.is_none();
        span += handshake.unwrap_or(Span::ZERO);
        ctx.levels().in_service.add(now, 1);
        // A leaky queue lets a request through later; any other limiter at once.
        ctx.schedule_work(slot, free_at.since(now) + span, constant && free_at == now);
    }

    fn pass_on(&mut self, ctx: &mut Ctx, slot: Slot) {
        let now = ctx.now();
        ctx.levels().in_service.add(now, -1);
        ctx.stay_mut(slot).timer = NO_TIMER;
        ctx.note_done(slot, What::Worked);
        if ctx.strikes(slot) {
            return ctx.refuse(slot, Refusal::Fault, ctx.why_failing(), None);
        }
        let errand = Errand::handed_on(ctx.stay(slot), Ask::Serve);
        if let Some((slot, end)) = self.callers[self.plan.upstream].begin(ctx, slot, errand) {
            self.answer(ctx, slot, end);
        }
    }

    /// The caller withdrew the call.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        let now = ctx.now();
        if ctx.stay(slot).timer != NO_TIMER {
            ctx.levels().in_service.add(now, -1);
        }
        if let Some(open) = ctx.stay(slot).call {
            self.callers[open.call as usize].abandon(ctx, slot, Cancel::Anywhere);
        }
        ctx.core.stays.remove(slot);
    }

    pub fn answer(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        let reply = match end {
            CallEnd::Replied(reply) => reply,
            CallEnd::TimedOut => Reply::status(Status::GatewayTimeout),
            CallEnd::Refused { retry_at, .. } => Reply { retry_at, ..Reply::status(Status::Unavailable) },
        };
        ctx.reply(slot, reply);
    }
}

/// Whether the request's token is valid now.
fn is_authentic(ctx: &mut Ctx, slot: Slot) -> bool {
    let (origin, user) = (ctx.stay(slot).origin, ctx.stay(slot).user);
    let (now, epoch_unix_s) = (ctx.now(), ctx.core.epoch_unix_s());
    match origin {
        Origin::Workload(workload) => {
            let plan = &ctx.core.plan.workloads[workload as usize];
            let (lifetime, forged) = (plan.token_lifetime, plan.forged);
            ctx.core.tokens.check_user(now, epoch_unix_s, workload, user, lifetime, forged).is_ok()
        }
        Origin::Outside(times) => ctx.core.tokens.check_outside(now, epoch_unix_s, times).is_ok(),
        Origin::Probe(_) => true,
    }
}
