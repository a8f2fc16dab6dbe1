//! Processor sharing: all calls progress at once, each with an equal part of the workers and at most one of them.
//!
//! Instead of shrinking everybody's remaining work at every change, a virtual clock runs at the rate that a single call
//! gets; a call is done when that clock reaches its tag (Zhao and Stavrinides 1990; the idea of fair queueing). So an
//! arrival and a departure cost a logarithm.

use super::event::Slot;
use crate::time::{Span, Time};
use std::collections::BTreeSet;

/// The calls that share the workers of a node.
#[derive(Clone, Debug)]
pub struct Sharing {
    workers: Option<u32>,
    /// Virtual time: work that one call has got since the start, in 2^-16 nanoseconds.
    clock: u128,
    /// When the virtual clock was read last.
    read_at: Time,
    /// Virtual finish time and slot of every call.
    calls: BTreeSet<(u128, Slot)>,
    /// Whether the clock stands still.
    pub frozen: bool,
}

const FRACTION_BITS: u32 = 16;

impl Sharing {
    /// Nobody is there. `workers` None: each call has one of its own.
    pub fn new(workers: Option<u32>) -> Sharing {
        Sharing { workers, clock: 0, read_at: Time::ZERO, calls: BTreeSet::new(), frozen: false }
    }

    /// Workers over calls, as a fraction of at most one.
    fn rate(&self) -> (u128, u128) {
        let calls = self.calls.len() as u128;
        match self.workers {
            Some(workers) if u128::from(workers) < calls => (u128::from(workers), calls),
            _ => (1, 1),
        }
    }

    /// Brings the virtual clock up to `now`.
    pub fn advance(&mut self, now: Time) {
        let (workers, calls) = self.rate();
        if !self.frozen {
            let passed = u128::from(now.since(self.read_at).as_nanos()) << FRACTION_BITS;
            self.clock += passed * workers / calls;
        }
        self.read_at = now;
    }

    /// A call that needs `work` joins at `now`.
    pub fn join(&mut self, now: Time, slot: Slot, work: Span) {
        self.advance(now);
        self.calls.insert((self.clock + (u128::from(work.as_nanos()) << FRACTION_BITS), slot));
    }

    /// A call leaves before it is done.
    pub fn leave(&mut self, now: Time, slot: Slot) {
        self.advance(now);
        self.calls.retain(|(_, other)| *other != slot);
    }

    /// The calls that share.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.calls.iter().map(|(_, slot)| *slot)
    }

    /// The first call to be done, and when, if nobody joins or leaves before.
    pub fn first(&self) -> Option<(Time, Slot)> {
        let (tag, slot) = *self.calls.first()?;
        if self.frozen {
            return None;
        }
        let (workers, calls) = self.rate();
        let left = tag.saturating_sub(self.clock) * calls;
        let nanos = left.div_ceil(workers << FRACTION_BITS);
        Some((self.read_at + Span::from_nanos(nanos as u64), slot))
    }

    /// Takes the first call out at `now`, when it is done.
    pub fn finish(&mut self, now: Time) -> Option<Slot> {
        self.advance(now);
        self.calls.pop_first().map(|(_, slot)| slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_on_one_worker_take_twice_as_long() {
        let mut sharing = Sharing::new(Some(1));
        sharing.join(Time::ZERO, 1, Span::from_millis(10));
        sharing.join(Time::ZERO, 2, Span::from_millis(20));
        let (at, slot) = sharing.first().unwrap();
        assert_eq!((at, slot), (Time::ZERO + Span::from_millis(20), 1));
        assert_eq!(sharing.finish(at), Some(1));
        assert_eq!(sharing.first().unwrap(), (Time::ZERO + Span::from_millis(30), 2));
    }

    #[test]
    fn nobody_gets_more_than_one_worker() {
        let mut sharing = Sharing::new(Some(4));
        sharing.join(Time::ZERO, 1, Span::from_millis(10));
        assert_eq!(sharing.first().unwrap().0, Time::ZERO + Span::from_millis(10));
    }

    #[test]
    fn work_is_conserved() {
        // Three equal calls that come one after the other: the worker is never idle, so the last ends when all work is done.
        let mut sharing = Sharing::new(Some(1));
        for (number, at) in [0, 5, 7].into_iter().enumerate() {
            sharing.join(Time::ZERO + Span::from_millis(at), number as Slot, Span::from_millis(10));
        }
        let mut last = Time::ZERO;
        while let Some((at, _)) = sharing.first() {
            sharing.finish(at);
            last = at;
        }
        assert!(last.since(Time::ZERO + Span::from_millis(30)) < Span::from_nanos(10), "{last:?}");
    }
}
