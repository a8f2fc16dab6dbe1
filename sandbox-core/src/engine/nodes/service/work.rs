//! The service's own work: how long it takes, when it stands still, and when it is done.

use super::Service;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::sharing::Sharing;
use crate::engine::stay::{CallEnd, NO_TIMER, Place};
use crate::scenario::{Discipline, Dist, Hold, Step};
use crate::time::{Span, Time};
use crate::trace::{Refusal, What};

impl Service {
    #[inline]
    pub(super) fn begin_work(&mut self, ctx: &mut Ctx, slot: Slot) {
        let (span, constant) = match self.step(ctx, slot) {
            Step::Work(dist) => (ctx.work(slot, dist), dist.is_constant()),
            Step::Handshake => (ctx.handshake(slot).unwrap_or(Span::ZERO), false),
            _ => unreachable!("a worker is taken for work"),
        };
        let (span, constant) = match self.collecting {
            Some(_) => (span + self.batch_work(), false),
            None => (span, constant),
        };
        if let Some(presence) = &mut self.presence {
            presence.work(span);
        }
        self.work_for(ctx, slot, span, constant);
    }

    #[inline]
    pub(super) fn work_for(&mut self, ctx: &mut Ctx, slot: Slot, span: Span, constant: bool) {
        let now = ctx.now();
        if ctx.condition().frozen {
            ctx.set_back(slot, ctx.why_frozen(), now + span);
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.join(now, slot, span);
            return self.schedule_shared(ctx);
        }
        match ctx.condition().frozen || self.is_throttled() {
            true => {
                self.aside.push((slot, span));
                self.note_throttled(ctx, slot);
            }
            false => {
                ctx.schedule_work(slot, span, constant);
                if self.quota.is_some() {
                    self.count_running(ctx, 1);
                }
            }
        }
    }

    /// What is left of the work of a call is done later.
    pub(super) fn push_aside(&mut self, ctx: &mut Ctx, slot: Slot) {
        self.stop_work(ctx, slot);
        self.busy -= 1;
        self.stand_in_line(ctx, slot);
    }

    pub(super) fn stop_work(&mut self, ctx: &mut Ctx, slot: Slot) {
        let now = ctx.now();
        let stay = ctx.stay_mut(slot);
        if stay.timer != NO_TIMER {
            stay.timer = NO_TIMER;
            let left = stay.due.since(now);
            self.aside.push((slot, left));
            if self.quota.is_some() {
                self.count_running(ctx, -1);
            }
        }
    }

    pub(super) fn schedule_shared(&mut self, ctx: &mut Ctx) {
        let first = self.sharing.as_ref().and_then(Sharing::first);
        let order = match first {
            Some((at, _)) => ctx.core.calendar.schedule(at.max(ctx.core.now), Event::Shared(ctx.node)),
            None => NO_TIMER,
        };
        ctx.core.shared[ctx.node.index()] = order;
    }

    pub(super) fn on_shared(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let done = self.sharing.as_mut().and_then(|sharing| sharing.finish(now));
        self.schedule_shared(ctx);
        if let Some(slot) = done {
            self.on_worked(ctx, slot);
        }
    }

    #[inline]
    pub(super) fn on_worked(&mut self, ctx: &mut Ctx, slot: Slot) {
        if self.quota.is_some() {
            self.count_running(ctx, -1);
        }
        ctx.stay_mut(slot).timer = NO_TIMER;
        ctx.note_done(slot, What::Worked);
        if !self.in_work.is_empty() {
            self.in_work.retain(|other| *other != slot);
        }
        let strikes = ctx.strikes(slot);
        if self.plan.hold == Hold::Work {
            ctx.stay_mut(slot).place = Place::Outside;
            self.release(ctx);
        }
        self.go_on_unless(ctx, slot, strikes);
    }

    /// A step is done: the call goes on to the next, unless a fault strikes it.
    #[inline]
    pub(super) fn go_on_unless(&mut self, ctx: &mut Ctx, slot: Slot, strikes: bool) {
        if strikes {
            let (refusal, cause) = (Refusal::Fault, ctx.why_failing());
            ctx.note_because(slot, What::Refused { refusal }, cause);
            return self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at: Time::NEVER });
        }
        self.go_on(ctx, slot);
    }

    pub(super) fn on_paused(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).timer = NO_TIMER;
        if let Step::Claim(_) = self.step(ctx, slot) {
            // The attempt that it waited for is over: it asks again.
            return self.run(ctx, slot);
        }
        ctx.note(slot, What::Paused);
        self.go_on(ctx, slot);
    }

    /// A fault began or ended.
    #[cold]
    pub(super) fn on_condition(&mut self, ctx: &mut Ctx) {
        self.hold_iteration(ctx);
        let (now, frozen) = (ctx.now(), ctx.condition().frozen);
        if frozen {
            self.set_all_back(ctx);
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.advance(now);
            sharing.frozen = frozen;
            self.schedule_shared(ctx);
        } else if frozen {
            for slot in ctx.core.stays.of_node(ctx.node) {
                if self.is_running(ctx, slot) {
                    self.stop_work(ctx, slot);
                }
            }
        } else if self.plan.discipline != Discipline::LifoPreemptive {
            if !self.is_throttled() {
                self.resume(ctx);
            }
        } else {
            let (held, resumed) =
                std::mem::take(&mut self.aside).into_iter().partition(|(slot, _)| ctx.stay(*slot).place == Place::Line);
            self.aside = held;
            let resumed: Vec<(Slot, Span)> = resumed;
            resumed.into_iter().for_each(|(slot, left)| ctx.schedule_work(slot, left, false));
        }
        self.fill_workers(ctx);
    }

    /// All work here stands still from now on.
    fn set_all_back(&self, ctx: &mut Ctx) {
        let (now, by) = (ctx.now(), ctx.why_frozen());
        let mut in_work: Vec<Slot> = match &self.sharing {
            Some(sharing) => sharing.slots().collect(),
            None => ctx.at_work(ctx.node).filter(|slot| self.is_running(ctx, *slot)).collect(),
        };
        in_work.extend(self.aside.iter().map(|(slot, _)| *slot));
        for slot in in_work {
            ctx.set_back(slot, by, ctx.stay(slot).due.max(now));
        }
    }

    #[cold]
    pub(super) fn on_chance(&mut self, ctx: &mut Ctx) {
        let plan = self.plan.clone();
        let Some((up, down)) = &plan.chance else { return };
        let broken = self.broken.is_none();
        self.broken = match broken {
            true => Some(ctx.note_own(What::BrokeDown, None)),
            false => {
                ctx.note_own(What::Repaired, self.broken);
                None
            }
        };
        ctx.core.conditions[ctx.node.index()].broken = broken;
        ctx.core.judge(ctx.node);
        self.schedule_chance(ctx, if broken { down } else { up });
    }

    /// Schedules its first breakdown.
    pub fn begin(&mut self, ctx: &mut Ctx) {
        let plan = self.plan.clone();
        if let Some((up, _)) = &plan.chance {
            self.schedule_chance(ctx, up);
        }
    }

    pub(super) fn schedule_chance(&mut self, ctx: &mut Ctx, dist: &Dist) {
        let at = ctx.now() + dist.sample(&mut self.chance);
        ctx.core.calendar.schedule(at, Event::Chance(ctx.node));
    }
}
