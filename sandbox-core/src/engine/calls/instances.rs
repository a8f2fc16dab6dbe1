//! Which instance a call goes to, and which are on the list.

use super::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::ids::{NodeId, Seq};
use crate::policy::balancer::Facts;
use crate::rng::Purpose;
use crate::scenario::{CallPlan, StickyPlan};
use crate::time::Time;

/// What an instance that is new on the list gets of its share at first.
const FIRST_SHARE: f64 = 0.05;

/// Changes of the list of instances.
#[derive(Clone, Debug, Default)]
pub(super) struct Listing {
    /// Who is not on it.
    pub(super) unlisted: Vec<u16>,
    /// Who is new on it, and since when.
    pub(super) fresh: Vec<(u16, Time)>,
    /// The record of the latest change.
    pub(super) because: Option<Seq>,
}

impl Caller {
    /// The instances that are left out.
    pub fn ejected<'a>(&'a self, plan: &'a CallPlan) -> impl Iterator<Item = NodeId> + 'a {
        plan.targets.iter().zip(&self.healthy).filter(|(_, healthy)| !**healthy).map(|(node, _)| *node)
    }

    /// The list of instances changed.
    #[cold]
    pub fn list(&mut self, now: Time, instance: usize, listed: bool, because: Option<Seq>) {
        let Listing { unlisted, fresh, because: changed } = self.listing.get_or_insert_default();
        unlisted.retain(|other| usize::from(*other) != instance);
        fresh.retain(|(other, _)| usize::from(*other) != instance);
        match listed {
            true => fresh.push((instance as u16, now)),
            false => unlisted.push(instance as u16),
        }
        *changed = because;
        self.healthy[instance] = listed && self.is_trusted(instance);
    }

    pub(super) fn is_listed(&self, instance: usize) -> bool {
        self.listing.as_ref().is_none_or(|listing| !listing.unlisted.contains(&(instance as u16)))
    }

    /// The chosen instance, or another one if this one is new on the list and does not get its whole share yet.
    #[cold]
    fn spare_the_new(&mut self, now: Time, key: u64, chosen: u16) -> Option<u16> {
        let (Some(lasts), Some(listing)) = (self.plan.slow_start, &self.listing) else { return Some(chosen) };
        let Some((_, since)) = listing.fresh.iter().find(|(fresh, _)| *fresh == chosen) else { return Some(chosen) };
        let share = (now.since(*since).as_seconds() / lasts.as_seconds()).max(FIRST_SHARE);
        let luck = &mut self.luck;
        if share >= 1.0 || luck.uniform() < share {
            return Some(chosen);
        }
        let mut others = self.healthy.clone();
        others[usize::from(chosen)] = false;
        let facts = Facts { now, key, active: &self.active, healthy: &others };
        self.balancer.decide(facts, &mut |bound| luck.below(bound)).or(Some(chosen))
    }

    /// Whether neither probes nor answers speak against an instance.
    pub(super) fn is_trusted(&self, instance: usize) -> bool {
        self.health.as_ref().is_none_or(|health| health[instance].0.healthy())
            && self.outliers.as_ref().is_none_or(|(outliers, _)| outliers.in_service(instance as u32))
    }

    /// The instance that the user stays with, or one that he is to stay with from now on.
    #[cold]
    pub(super) fn stay_with(&mut self, ctx: &Ctx, slot: Slot, sticky: StickyPlan) -> Option<u16> {
        let (now, user) = (ctx.now(), ctx.stay(slot).user);
        let known = self.sticky.get(&user).copied();
        if let Some((instance, until)) = known
            && now < until
            && (sticky.blindly || self.healthy[usize::from(instance)])
        {
            return Some(instance);
        }
        let instance = self.choose(ctx, slot)?;
        let mut luck = ctx.draw(slot, Purpose::Sticky);
        let until = sticky.lasts.map_or(Time::NEVER, |lasts| {
            let spread = 1.0 + sticky.jitter * (2.0 * luck.uniform() - 1.0);
            // The first time began before the run did.
            let left = if known.is_none() { luck.uniform() } else { 1.0 };
            now + lasts.scaled(spread * left)
        });
        self.sticky.insert(user, (instance, until));
        Some(instance)
    }

    /// The instance for the next attempt; there is nothing to choose where there is only one.
    #[inline]
    pub(super) fn choose(&mut self, ctx: &Ctx, slot: Slot) -> Option<u16> {
        match self.healthy[..] {
            [healthy] => healthy.then_some(0),
            _ => self.balance(ctx, slot),
        }
    }

    fn balance(&mut self, ctx: &Ctx, slot: Slot) -> Option<u16> {
        let tried = self.avoided(ctx, slot);
        let luck = &mut self.luck;
        let call = ctx.stay(slot).call.as_ref().expect("a call is open");
        let key = u64::from(call.errand.key);
        let facts = Facts { now: ctx.now(), key, active: &self.active, healthy: &self.healthy };
        if tried == 0 {
            let chosen = self.balancer.decide(facts, &mut |bound| luck.below(bound));
            return match self.plan.slow_start {
                Some(_) => self.spare_the_new(ctx.now(), key, chosen?),
                None => chosen,
            };
        }
        let is_new = |instance: usize| instance >= 64 || tried >> instance & 1 == 0;
        let fresh: Vec<bool> = self.healthy.iter().enumerate().map(|(i, healthy)| *healthy && is_new(i)).collect();
        let candidates = if fresh.contains(&true) { &fresh } else { &self.healthy };
        self.balancer.decide(Facts { healthy: candidates, ..facts }, &mut |bound| luck.below(bound))
    }

    /// The instances that the next attempt stays away from while there are others, one bit each.
    fn avoided(&self, ctx: &Ctx, slot: Slot) -> u64 {
        let stay = ctx.stay(slot);
        match (&self.plan.hedge, &self.plan.retry) {
            (Some(hedge), _) if hedge.params().distinct_target => {
                let whole = stay.parent.expect("a copy has a call it is a copy of");
                self.hedged.get(&whole.slot).map_or(0, |hedged| hedged.tried)
            }
            (None, Some(retry)) if retry.other_instance => stay.call.as_ref().map_or(0, |open| open.tried),
            _ => 0,
        }
    }
}
