//! Bulkhead: so many calls at once, so many waiting, nobody waits for ever.
//!
//! Promise: never more than `max_concurrent` run and never more than `max_waiting` wait; whoever waits runs in the order of
//! arrival or has given up before `max_wait` is over. Semantics and defaults: resilience4j's semaphore bulkhead, made
//! fair, with a bound on the line. A refusal (`bulkhead_full`) says nothing about the part behind, so a breaker does not
//! count it.

use super::{Denial, DenyReason};
use crate::time::{Span, Time};
use std::collections::VecDeque;

/// The parameters of a bulkhead, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadParams {
    /// Calls that run at once. Default 25 (resilience4j `maxConcurrentCalls`).
    pub max_concurrent: u32,
    /// Calls that wait. Default 0: nobody waits.
    pub max_waiting: u32,
    /// How long a call waits at most. Default 0 (resilience4j `maxWaitDuration`).
    pub max_wait: Span,
}

impl Default for BulkheadParams {
    fn default() -> BulkheadParams {
        BulkheadParams { max_concurrent: 25, max_waiting: 0, max_wait: Span::ZERO }
    }
}

/// Checked parameters of a bulkhead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadConfig(BulkheadParams);

impl BulkheadConfig {
    /// Checks the parameters.
    pub fn new(params: BulkheadParams) -> Result<BulkheadConfig, String> {
        if params.max_concurrent == 0 {
            return Err("max_concurrent is 0, so nothing would ever run: use at least 1".into());
        }
        if (params.max_waiting == 0) != (params.max_wait == Span::ZERO) {
            return Err("one of max_waiting and max_wait is 0, so nobody could wait: set both, or neither".into());
        }
        Ok(BulkheadConfig(params))
    }

    /// The parameters.
    pub fn params(&self) -> BulkheadParams {
        self.0
    }
}

/// One bulkhead. Callers are known by a number that they choose.
#[derive(Clone, Debug)]
pub struct Bulkhead {
    config: BulkheadConfig,
    running: u32,
    /// In order of arrival, hence of giving up.
    waiting: VecDeque<(u64, Time)>,
}

/// How a call was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It runs now.
    Runs,
    /// It waits, and gives up at this instant if it has not been called by then.
    Waits {
        /// The end of its patience.
        until: Time,
    },
}

impl Bulkhead {
    /// An empty bulkhead.
    pub fn new(config: BulkheadConfig) -> Bulkhead {
        Bulkhead { config, running: 0, waiting: VecDeque::new() }
    }

    /// May this call run, or at least wait?
    pub fn decide(&mut self, now: Time, caller: u64) -> Result<Entry, Denial> {
        let BulkheadParams { max_concurrent, max_waiting, max_wait } = self.config.0;
        self.give_up(now);
        if self.running < max_concurrent {
            self.running += 1;
            return Ok(Entry::Runs);
        }
        if (self.waiting.len() as u64) < u64::from(max_waiting) {
            let until = now + max_wait;
            self.waiting.push_back((caller, until));
            return Ok(Entry::Waits { until });
        }
        Err(Denial { retry_at: None, reason: DenyReason::BulkheadFull })
    }

    /// A running call has ended. The waiting caller that runs in its place, if there is one.
    pub fn on_end(&mut self, now: Time) -> Option<u64> {
        self.give_up(now);
        match self.waiting.pop_front() {
            Some((caller, _)) => Some(caller),
            None => {
                self.running = self.running.checked_sub(1).expect("only a running call ends");
                None
            }
        }
    }

    /// When the next waiting caller gives up.
    pub fn next_deadline(&self) -> Option<Time> {
        self.waiting.front().map(|(_, until)| *until)
    }

    /// Calls that run.
    pub fn running(&self) -> u32 {
        self.running
    }

    /// Calls that wait at `now`.
    pub fn waiting(&self, now: Time) -> u32 {
        self.waiting.iter().filter(|(_, until)| *until > now).count() as u32
    }

    fn give_up(&mut self, now: Time) {
        while self.next_deadline().is_some_and(|until| until <= now) {
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bulkhead(max_concurrent: u32, max_waiting: u32, max_wait_ms: u64) -> Bulkhead {
        let max_wait = Span::from_millis(max_wait_ms);
        Bulkhead::new(BulkheadConfig::new(BulkheadParams { max_concurrent, max_waiting, max_wait }).unwrap())
    }

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    #[test]
    fn some_run_some_wait_the_rest_is_refused() {
        let mut bulkhead = bulkhead(1, 1, 100);
        assert_eq!(bulkhead.decide(at(0), 1), Ok(Entry::Runs));
        assert_eq!(bulkhead.decide(at(0), 2), Ok(Entry::Waits { until: at(100) }));
        assert_eq!(bulkhead.decide(at(0), 3).unwrap_err().reason, DenyReason::BulkheadFull);
        assert_eq!(bulkhead.on_end(at(99)), Some(2));
        assert_eq!(bulkhead.decide(at(99), 4), Ok(Entry::Waits { until: at(199) }));
        assert_eq!(bulkhead.on_end(at(199)), None, "at the end of its patience it is gone");
        assert_eq!((bulkhead.running(), bulkhead.waiting(at(199))), (0, 0));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |max_concurrent, max_waiting, ms| {
            let max_wait = Span::from_millis(ms);
            BulkheadConfig::new(BulkheadParams { max_concurrent, max_waiting, max_wait }).unwrap_err()
        };
        assert!(refused(0, 0, 0).contains("max_concurrent"));
        assert!(refused(1, 5, 0).contains("max_wait"));
        assert!(refused(1, 0, 5).contains("max_waiting"));
    }

    proptest! {
        #[test]
        fn bounds_order_and_patience_hold(
            concurrent in 1u32..4, waiting in 1u32..4,
            steps in prop::collection::vec((any::<bool>(), 0u64..40), 1..120),
        ) {
            let mut bulkhead = bulkhead(concurrent, waiting, 100);
            let (mut now, mut last_called, mut until) = (0, 0, std::collections::BTreeMap::new());
            for (caller, (arrives, gap)) in (1..).zip(steps) {
                now += gap;
                if arrives {
                    if let Ok(Entry::Waits { until: end }) = bulkhead.decide(at(now), caller) {
                        prop_assert_eq!(bulkhead.running(), concurrent, "nobody waits beside a free place");
                        until.insert(caller, end);
                    }
                } else if bulkhead.running() > 0 && let Some(called) = bulkhead.on_end(at(now)) {
                    prop_assert!(called > last_called, "in order of arrival");
                    prop_assert!(at(now) < until[&called], "within its patience");
                    last_called = called;
                }
                prop_assert!(bulkhead.running() <= concurrent && bulkhead.waiting(at(now)) <= waiting);
            }
        }
    }
}
