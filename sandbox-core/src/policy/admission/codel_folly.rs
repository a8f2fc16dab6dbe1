//! CoDel as folly has it: in an overloaded interval whoever waited too long is shed.
//!
//! Promise: nothing is shed unless the smallest delay of the interval before exceeded `target`; then whoever waited for more
//! than twice `target` is, but for the first of each interval. Semantics: folly's `executors::Codel` (behind Facebook's
//! "Fail at Scale"): unlike RFC 8289 it has no schedule of drops, so it needs no memory of them.

use super::CodelConfig;
use crate::policy::{Denial, DenyReason};
use crate::time::{Span, Time};

/// The state of one queue.
#[derive(Clone, Debug)]
pub struct CodelFolly {
    config: CodelConfig,
    /// End of the present interval.
    interval_ends_at: Time,
    /// Smallest delay of the present interval.
    min_delay: Span,
    /// Whether the interval before was one of standing delay.
    overloaded: bool,
}

impl CodelFolly {
    /// An empty queue.
    pub fn new(config: CodelConfig) -> CodelFolly {
        CodelFolly { config, interval_ends_at: Time::ZERO, min_delay: Span::ZERO, overloaded: false }
    }

    /// May a request that waited for `delay` and is taken from the line now be served?
    pub fn decide(&mut self, now: Time, delay: Span) -> Result<(), Denial> {
        if now >= self.interval_ends_at {
            self.overloaded = self.min_delay > self.config.target();
            self.interval_ends_at = now + self.config.interval();
            self.min_delay = delay;
            return Ok(());
        }
        self.min_delay = self.min_delay.min(delay);
        match self.overloaded && delay > self.config.target() + self.config.target() {
            true => Err(Denial { retry_at: None, reason: DenyReason::Overloaded }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decide(codel: &mut CodelFolly, at_ms: u64, delay_ms: u64) -> bool {
        codel.decide(Time::ZERO + Span::from_millis(at_ms), Span::from_millis(delay_ms)).is_ok()
    }

    #[test]
    fn an_interval_of_standing_delay_sheds_in_the_next() {
        let mut codel = CodelFolly::new(CodelConfig::default());
        assert!([0, 30, 60].map(|ms| decide(&mut codel, ms, 20)).iter().all(|served| *served), "not yet");
        assert!(decide(&mut codel, 100, 20), "the first of an interval is never shed");
        assert!(!decide(&mut codel, 101, 11));
        assert!(decide(&mut codel, 102, 10), "twice the target is allowed");
        assert!(decide(&mut codel, 103, 1));
        assert!(!decide(&mut codel, 104, 11), "the interval stays an overloaded one");
        assert!(decide(&mut codel, 200, 50) && decide(&mut codel, 201, 50), "but the next one is not");
    }

    proptest! {
        /// One short delay in every interval keeps everybody in.
        #[test]
        fn without_standing_delay_nobody_is_shed(delays in prop::collection::vec(0u64..1_000, 1..100)) {
            let mut codel = CodelFolly::new(CodelConfig::default());
            for (round, delay) in (0..).zip(delays) {
                prop_assert!(decide(&mut codel, round * 50, delay) && decide(&mut codel, round * 50 + 1, 5));
            }
        }
    }
}
