//! CoDel: drop from a standing queue, ever faster until it is gone.
//!
//! Promise: nothing is dropped before sojourn times have been at least `target` for a whole `interval`; while they stay there,
//! drop n + 1 follows drop n by interval / sqrt(n), counted on an ideal schedule that late dequeues do not shift; the first
//! request below `target` ends the dropping. Semantics and defaults: RFC 8289, without its rule that the last packet of a
//! queue is never dropped (sections 4.4 and 5).

use crate::policy::{Denial, DenyReason};
use crate::time::{Span, Time};

/// Who was dropping less than so many intervals ago goes on at nearly the old pace (RFC 8289).
const RECENT_INTERVALS: f64 = 16.0;

/// Checked parameters of CoDel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodelConfig {
    target: Span,
    interval: Span,
}

impl CodelConfig {
    /// A standing delay of `target` is acceptable; `interval` is how long a burst may take to drain.
    pub fn new(target: Span, interval: Span) -> Result<CodelConfig, String> {
        if interval == Span::ZERO {
            return Err("the CoDel interval is 0: use a positive time such as 100 ms".into());
        }
        Ok(CodelConfig { target, interval })
    }

    /// The sojourn time that is acceptable.
    pub fn target(&self) -> Span {
        self.target
    }

    /// The time that is looked at.
    pub fn interval(&self) -> Span {
        self.interval
    }
}

impl Default for CodelConfig {
    /// 5 ms and 100 ms (RFC 8289).
    fn default() -> CodelConfig {
        CodelConfig { target: Span::from_millis(5), interval: Span::from_millis(100) }
    }
}

/// The state of one queue.
#[derive(Clone, Debug)]
pub struct Codel {
    config: CodelConfig,
    /// If sojourn times are still above the target then, the queue is a standing one; None while they are below.
    standing_at: Option<Time>,
    dropping: bool,
    /// When the next drop is due, or would have been.
    drop_next: Time,
    /// Drops since dropping began; it sets the pace.
    count: u32,
    /// `count` when dropping began last.
    last_count: u32,
}

impl Codel {
    /// An empty queue.
    pub fn new(config: CodelConfig) -> Codel {
        Codel { config, standing_at: None, dropping: false, drop_next: Time::ZERO, count: 0, last_count: 0 }
    }

    /// May a request that waited for `sojourn` and is taken from the line now be served? If not, ask for the next one.
    pub fn decide(&mut self, now: Time, sojourn: Span) -> Result<(), Denial> {
        let standing = self.is_standing(now, sojourn);
        if !standing {
            self.dropping = false;
        } else if !self.dropping {
            self.start_dropping(now);
            return Err(Denial { retry_at: None, reason: DenyReason::Overloaded });
        } else if now >= self.drop_next {
            self.count += 1;
            self.drop_next += self.pause();
            return Err(Denial { retry_at: None, reason: DenyReason::Overloaded });
        }
        Ok(())
    }

    /// When the next request would be dropped if sojourn times stayed as they are; None while they are below the target.
    pub fn next_deadline(&self) -> Option<Time> {
        if self.dropping { Some(self.drop_next) } else { self.standing_at }
    }

    fn is_standing(&mut self, now: Time, sojourn: Span) -> bool {
        if sojourn < self.config.target {
            self.standing_at = None;
            return false;
        }
        match self.standing_at {
            Some(standing_at) => now >= standing_at,
            None => {
                self.standing_at = Some(now + self.config.interval);
                false
            }
        }
    }

    fn start_dropping(&mut self, now: Time) {
        self.dropping = true;
        let new_drops = self.count - self.last_count;
        let recently = now.since(self.drop_next) < self.config.interval.scaled(RECENT_INTERVALS);
        self.count = if new_drops > 1 && recently { new_drops } else { 1 };
        self.last_count = self.count;
        self.drop_next = now + self.pause();
    }

    /// The control law.
    fn pause(&self) -> Span {
        self.config.interval.scaled(1.0 / f64::from(self.count).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    /// Dequeues every millisecond in [from, to); the instants of the drops.
    fn drops(codel: &mut Codel, from: u64, to: u64, sojourn_ms: u64) -> Vec<u64> {
        (from..to).filter(|&ms| codel.decide(at(ms), Span::from_millis(sojourn_ms)).is_err()).collect()
    }

    #[test]
    fn a_standing_queue_is_dropped_from_ever_faster() {
        let mut codel = Codel::new(CodelConfig::default());
        assert_eq!(drops(&mut codel, 0, 400, 5), [100, 200, 271, 329, 379]);
        assert_eq!(drops(&mut codel, 400, 500, 4), [0; 0]);
        assert_eq!(drops(&mut codel, 500, 720, 30), [600, 650, 695], "soon after it goes on at nearly the old pace");
        let mut codel = Codel::new(CodelConfig::default());
        drops(&mut codel, 0, 400, 30);
        assert_eq!(drops(&mut codel, 3_000, 3_250, 30)[..1], [3_000]);
    }

    #[test]
    fn a_burst_that_drains_within_the_interval_is_let_through() {
        let mut codel = Codel::new(CodelConfig::default());
        for round in 0..20 {
            assert_eq!(drops(&mut codel, round * 100, round * 100 + 99, 90), [0; 0]);
            assert_eq!(drops(&mut codel, round * 100 + 99, round * 100 + 100, 1), [0; 0]);
        }
    }

    proptest! {
        /// Every drop finds that no sojourn time of the last interval was below the target.
        #[test]
        fn only_a_standing_queue_is_dropped_from(
            dequeues in prop::collection::vec((0u64..20, prop_oneof![9 => 5u64..50, 1 => 0u64..5]), 1..300),
        ) {
            let mut codel = Codel::new(CodelConfig::default());
            let (mut now, mut above_since) = (0, None);
            for (gap, sojourn) in dequeues {
                now += gap;
                if sojourn < 5 {
                    above_since = None;
                } else {
                    above_since = above_since.or(Some(now));
                }
                if codel.decide(at(now), Span::from_millis(sojourn)).is_err() {
                    prop_assert!(above_since.is_some_and(|since| now - since >= 100));
                }
            }
        }
    }
}
