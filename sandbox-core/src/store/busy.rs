//! How long a session waits for a lock of SQLite, and when it looks again.
//!
//! SQLite's busy timeout is polling, not a queue (`sqliteDefaultBusyCallback`): sleeps of 1, 2, 5, 10, 15, 20, 25, 25,
//! 25, 50, 50 and then 100 ms, the last one cut to end exactly at the timeout. So waiting writers are unfair, and find a
//! free lock up to 100 ms late. A fair queue is the bound that polling does not reach; it is offered for comparison.

use crate::time::Span;

/// SQLite's sleeps; the last one is repeated.
const SLEEPS_MS: [u64; 12] = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100];

/// Who comes first when a lock is given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// Whoever looks first.
    #[default]
    Poll,
    /// Whoever has waited longest.
    Fifo,
}

/// `PRAGMA busy_timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusyTimeout {
    /// The longest wait for one statement; zero refuses at once. SQLite's default is zero, drivers set 5 s.
    pub timeout: Span,
    /// Who comes first.
    pub line: Line,
}

impl BusyTimeout {
    /// How long to sleep before the statement is tried again, after `refusals` refusals of it (at least one) and
    /// `waited` since the first; `None` to give up. In a fair queue that is how long to stand in line at most: whoever
    /// gives the lock back tries the first in line again.
    pub fn decide(&self, refusals: u32, waited: Span) -> Option<Span> {
        let left = self.timeout.as_nanos().saturating_sub(waited.as_nanos());
        let sleep = match self.line {
            Line::Poll => Span::from_millis(SLEEPS_MS[(refusals as usize - 1).min(SLEEPS_MS.len() - 1)]),
            Line::Fifo => self.timeout,
        };
        (left > 0).then(|| sleep.min(Span::from_nanos(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The instants of all attempts, in milliseconds after the first.
    fn attempts(busy: BusyTimeout) -> Vec<u64> {
        let mut attempts = vec![0];
        let mut waited = Span::ZERO;
        while let Some(sleep) = busy.decide(attempts.len() as u32, waited) {
            waited += sleep;
            attempts.push(waited.as_nanos() / 1_000_000);
        }
        attempts
    }

    fn poll(timeout_ms: u64) -> BusyTimeout {
        BusyTimeout { timeout: Span::from_millis(timeout_ms), line: Line::Poll }
    }

    #[test]
    fn sqlite_looks_again_at_these_instants() {
        assert_eq!(attempts(poll(0)), [0]);
        assert_eq!(attempts(poll(500)), [0, 1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228, 328, 428, 500]);
    }

    #[test]
    fn in_a_fair_queue_nobody_looks_before_the_timeout() {
        assert_eq!(attempts(BusyTimeout { line: Line::Fifo, ..poll(500) }), [0, 500]);
    }

    proptest! {
        /// The last attempt is exactly at the timeout, and no two are more than 100 ms apart.
        #[test]
        fn the_last_sleep_is_cut_to_the_timeout(timeout_ms in 0u64..20_000) {
            let attempts = attempts(poll(timeout_ms));
            prop_assert_eq!(*attempts.last().unwrap(), timeout_ms);
            prop_assert!(attempts.windows(2).all(|two| two[0] < two[1] && two[1] - two[0] <= 100));
        }
    }
}
