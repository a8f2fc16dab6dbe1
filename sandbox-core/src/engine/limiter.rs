//! Rate limiters at work: whose counters a request is counted by, and why one is refused.
//!
//! A gateway has one limiter of its own. Those of a service live beside its instances, which share their counters as if a
//! store of counters answered at once, unless each instance counts alone.

use super::address::Shown;
use super::causes::Lead;
use super::ctx::Ctx;
use super::event::Slot;
use super::stay::Origin;
use crate::policy::Denial;
use crate::policy::rate_limiter::{Cost, Penalty, RateLimiter};
use crate::scenario::{RateLimitKeySpec, RateLimitPlan};
use crate::shared_map::SharedMap;
use crate::time::Time;
use crate::trace::{Refusal, What};

/// One limiter for each key that has been seen; a script may show a new one with every request.
#[derive(Clone, Debug, Default)]
pub struct Limiter {
    buckets: SharedMap<(u16, u128), Bucket>,
}

#[derive(Clone, Debug)]
struct Bucket {
    limiter: RateLimiter,
    penalty: Penalty,
    /// Why the next one would be refused: who was let through last, or who was refused, if there is a penalty.
    because: Option<Lead>,
}

/// A request that was refused; it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// When it might pass; [`Time::NEVER`]: waiting is no use.
    pub retry_at: Time,
}

impl Limiter {
    /// Whether a request of this cost, which has come so far, may pass under this key, and when; else what keeps it out.
    fn decide(
        &mut self,
        plan: &RateLimitPlan,
        key: (u16, u128),
        now: Time,
        cost: Cost,
        comes: Lead,
    ) -> Result<Time, (Denial, Lead)> {
        if self.buckets.get(key).is_none() {
            let limiter = RateLimiter::new(plan.config);
            self.buckets.insert(key, Bucket { limiter, penalty: Penalty::default(), because: None });
        }
        let bucket = self.buckets.get_mut(key).expect("it was just put there");
        let decided = match plan.penalty {
            Some(config) => bucket.penalty.decide(config, &mut bucket.limiter, now, cost),
            None => bucket.limiter.decide(now, cost),
        };
        if decided.is_ok() {
            bucket.because = Some(comes);
        }
        decided.map_err(|denial| (denial, bucket.because.unwrap_or(comes)))
    }

    /// The same for the request of a stay; a refusal is recorded.
    fn ask(
        &mut self,
        ctx: &mut Ctx,
        slot: Slot,
        plan: &RateLimitPlan,
        key: (u16, u128),
        cost: Cost,
    ) -> Result<Time, Refused> {
        self.decide(plan, key, ctx.now(), cost, Lead::of(ctx.stay(slot))).map_err(|(denial, cause)| {
            ctx.note_after(slot, What::Refused { refusal: Refusal::RateLimited }, cause);
            if plan.penalty.is_some() {
                self.buckets.get_mut(key).expect("it was asked").because = Some(Lead::of(ctx.stay(slot)));
            }
            Refused { retry_at: denial.retry_at.unwrap_or(Time::NEVER) }
        })
    }

    /// Asks a gateway's limiter for a request.
    pub fn ask_gateway(&mut self, ctx: &mut Ctx, slot: Slot, plan: &RateLimitPlan) -> Result<Time, Refused> {
        let key = (0, key_of(ctx, slot, plan));
        self.ask(ctx, slot, plan, key, Cost::ONE)
    }
}

/// Asks the limiter of a service for a stay: `by` is whose counters these are, if a program says so.
pub fn ask(ctx: &mut Ctx, slot: Slot, limiter: u32, by: Option<f64>, cost: f64) -> Result<Time, Refused> {
    let plan = ctx.core.plan.clone();
    let plan = &plan.limiters[limiter as usize];
    // Minus zero is zero.
    let by = by.map(|by| u128::from((by + 0.0).to_bits()));
    let instance = if plan.per_instance { ctx.node.0 } else { 0 };
    let key = (instance, by.unwrap_or_else(|| key_of(ctx, slot, plan)));
    let cost = Cost::requests(cost.clamp(0.0, MOST)).expect("it is within bounds");
    let mut counters = std::mem::take(&mut ctx.core.limiters[limiter as usize]);
    let decided = counters.ask(ctx, slot, plan, key, cost);
    ctx.core.limiters[limiter as usize] = counters;
    decided
}

/// The largest cost there is.
const MOST: f64 = 1e9;

/// Whose counters a request is counted by, as the limiter's `key` says.
fn key_of(ctx: &Ctx, slot: Slot, plan: &RateLimitPlan) -> u128 {
    let stay = ctx.stay(slot);
    let shown = || Shown::new(&ctx.core.plan, ctx.node, stay);
    match (plan.key, stay.origin) {
        (RateLimitKeySpec::All, _) => 0,
        (RateLimitKeySpec::User, _) => stay.user.into(),
        (RateLimitKeySpec::Route, _) => stay.route.0.into(),
        (RateLimitKeySpec::Workload, Origin::Workload(workload)) => workload.into(),
        (RateLimitKeySpec::Workload, _) => u128::MAX,
        (RateLimitKeySpec::Peer, _) => shown().by_peer(),
        (RateLimitKeySpec::ForwardedFor, _) => shown().by_leftmost(),
        (RateLimitKeySpec::ClientAddress, _) => shown().by_client(&plan.trusted),
    }
}
