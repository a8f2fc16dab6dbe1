//! CPU time by quota (Linux: CFS bandwidth control): whatever runs uses up the time of the present period, all of it at once; when
//! that is gone nothing runs until the next period begins. Periods begin at the multiples of their length.

use crate::scenario::CpuLimitPlan;
use crate::time::{Span, Time};

/// What is left of an instance's CPU time.
#[derive(Clone, Debug)]
pub struct Quota {
    plan: CpuLimitPlan,
    /// Pieces of work that run.
    running: u32,
    /// What was left of the present period when that was last looked at.
    left: Span,
    /// When it was.
    seen: Time,
    /// When the period is over.
    period_ends: Time,
    /// Whether nothing may run until then.
    throttled: bool,
    /// When there is nothing left, or something again.
    due: Time,
}

/// What happens to the work of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its time is used up.
    Throttled,
    /// A new period begins.
    Resumed,
}

impl Quota {
    /// Nothing runs, nothing is used.
    pub fn new(plan: CpuLimitPlan) -> Quota {
        let period_ends = Time::ZERO + plan.period;
        let left = plan.quota;
        Quota { plan, running: 0, left, seen: Time::ZERO, period_ends, throttled: false, due: Time::NEVER }
    }

    /// Whether nothing may run.
    pub fn is_throttled(&self) -> bool {
        self.throttled
    }

    /// Pieces of work begin or end to run. When the next turn is due, if that has changed.
    pub fn change(&mut self, now: Time, by: i32) -> Option<Time> {
        self.settle(now);
        self.running = self.running.saturating_add_signed(by);
        self.schedule()
    }

    /// Something may be due.
    pub fn turn(&mut self, now: Time) -> Option<Turn> {
        if self.due != now {
            return None;
        }
        self.settle(now);
        self.due = Time::NEVER;
        self.throttled = !self.throttled;
        Some(if self.throttled { Turn::Throttled } else { Turn::Resumed })
    }

    /// When the next turn is due, if that is not the instant that was known.
    pub fn schedule(&mut self) -> Option<Time> {
        let due = self.next_turn();
        (std::mem::replace(&mut self.due, due) != due && due != Time::NEVER).then_some(due)
    }

    /// Takes off what was used since the last look.
    fn settle(&mut self, now: Time) {
        if now >= self.period_ends {
            let period = self.plan.period.as_nanos();
            let began = now.as_nanos() / period * period;
            self.seen = Time::from_nanos(began);
            self.period_ends = self.seen + self.plan.period;
            self.left = self.plan.quota;
        }
        self.left = self.left - times(now.since(self.seen), self.running);
        self.seen = now;
    }

    fn next_turn(&self) -> Time {
        let Quota { left, seen, running, period_ends, .. } = *self;
        let lasts = |left: Span| Span::from_nanos(left.as_nanos().div_ceil(running.into()));
        match running {
            _ if self.throttled => period_ends,
            0 => Time::NEVER,
            _ if times(period_ends.since(seen), running) > left => seen + lasts(left),
            _ if times(self.plan.period, running) > self.plan.quota => period_ends + lasts(self.plan.quota),
            _ => Time::NEVER,
        }
    }
}

/// So much time of each of so many.
fn times(span: Span, many: u32) -> Span {
    Span::from_nanos(span.as_nanos().saturating_mul(many.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Time = |ms| Time::ZERO + Span::from_millis(ms);

    #[test]
    fn eight_threads_use_up_a_period_of_one_processor_in_an_eighth_of_it() {
        let mut quota = Quota::new(CpuLimitPlan { quota: Span::from_millis(100), period: Span::from_millis(100) });
        assert_eq!(quota.change(MS(200), 8), Some(Time::from_nanos(212_500_000)));
        assert_eq!(quota.turn(MS(205)), None);
        assert_eq!(quota.turn(Time::from_nanos(212_500_000)), Some(Turn::Throttled));
        assert_eq!(quota.change(Time::from_nanos(212_500_000), -8), Some(MS(300)));
        assert_eq!(quota.turn(MS(300)), Some(Turn::Resumed));
        assert_eq!(quota.change(MS(300), 1), None, "one thread does not use up one processor");
    }

    #[test]
    fn what_was_used_is_forgotten_when_the_period_is_over() {
        let mut quota = Quota::new(CpuLimitPlan { quota: Span::from_millis(50), period: Span::from_millis(100) });
        assert_eq!(quota.change(MS(70), 1), Some(MS(150)), "30 ms of this period, 50 ms of the next one");
    }
}
