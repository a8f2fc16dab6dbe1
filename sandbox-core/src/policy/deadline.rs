//! Deadlines: an absolute end that travels with a request, so that nobody works for a caller who has gone.
//!
//! Promise: where deadlines travel and work is stopped, no work is done after the caller has given up; without that the
//! rest of the work is done in vain, and is counted.
//!
//! As in gRPC the deadline is absolute: hops subtract nothing, as there is one clock, and the time on the network is
//! charged because the request arrives later. Its end is exclusive: at the deadline it is too late. A node looks at it
//! when it takes the request from its queue, before it calls on, and, if it can stop work, while it works. The caller
//! whose time ran out gives 504; a client that went away leaves a request `cancelled`, which the books show as 499.

use crate::time::{Span, Time};

/// When a request's caller stops waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Time);

impl Deadline {
    /// The deadline of a request that is sent now by somebody who waits so long.
    pub fn after(now: Time, timeout: Span) -> Deadline {
        Deadline(now + timeout)
    }

    /// The instant.
    pub fn at(self) -> Time {
        self.0
    }

    /// What is left of it now.
    pub fn remaining(self, now: Time) -> Span {
        self.0.since(now)
    }

    /// Whether it is too late.
    pub fn has_passed(self, now: Time) -> bool {
        now >= self.0
    }
}

/// Where a node drops work whose caller has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// Nowhere: what has come is served.
    None,
    /// When it takes a request from its queue, and before it calls on.
    AtDequeue,
    /// There, and in the middle of its own work.
    Anywhere,
}

/// How the nodes of a system treat deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlinePolicy {
    /// Whether a call carries the deadline of the request that it is made for.
    pub propagate: bool,
    /// Where work is dropped.
    pub cancel: Cancel,
}

/// How a piece of work went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkEnd {
    /// When it ended.
    pub at: Time,
    /// Whether it was done, rather than stopped.
    pub done: bool,
}

impl DeadlinePolicy {
    /// The deadline that a call carries.
    pub fn passed_on(&self, deadline: Deadline) -> Option<Deadline> {
        self.propagate.then_some(deadline)
    }

    /// Whether to begin what is at the head of the queue, or to call on, now.
    pub fn decide(&self, now: Time, deadline: Option<Deadline>) -> bool {
        self.cancel == Cancel::None || !deadline.is_some_and(|deadline| deadline.has_passed(now))
    }

    /// When work that begins now and takes so long will end.
    pub fn work(&self, now: Time, takes: Span, deadline: Option<Deadline>) -> WorkEnd {
        let full = now + takes;
        match deadline {
            Some(deadline) if self.cancel == Cancel::Anywhere && deadline.at() < full => {
                WorkEnd { at: deadline.at().max(now), done: false }
            }
            _ => WorkEnd { at: full, done: true },
        }
    }
}

/// How much of the work from `began` to `ended` was done after the caller had gone at `gone`.
pub fn wasted(began: Time, ended: Time, gone: Time) -> Span {
    ended.since(began.max(gone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + ms(millis)
    }

    #[test]
    fn the_end_is_exclusive() {
        let deadline = Deadline::after(at(100), ms(50));
        assert_eq!((deadline.at(), deadline.remaining(at(120)), deadline.remaining(at(200))), (at(150), ms(30), ms(0)));
        assert_eq!([149, 150].map(|now| deadline.has_passed(at(now))), [false, true]);
    }

    #[test]
    fn each_place_of_cancelling_does_what_it_says() {
        let deadline = Some(Deadline::after(at(0), ms(100)));
        let with = |cancel| DeadlinePolicy { propagate: true, cancel };
        let begins = |cancel| [99, 100].map(|now| with(cancel).decide(at(now), deadline));
        assert_eq!(begins(Cancel::None), [true, true]);
        assert_eq!(begins(Cancel::AtDequeue), [true, false]);
        assert_eq!(begins(Cancel::Anywhere), [true, false]);
        let ends = |cancel| with(cancel).work(at(60), ms(50), deadline);
        assert_eq!(ends(Cancel::AtDequeue), WorkEnd { at: at(110), done: true });
        assert_eq!(ends(Cancel::Anywhere), WorkEnd { at: at(100), done: false });
        assert_eq!(with(Cancel::Anywhere).work(at(60), ms(40), deadline), WorkEnd { at: at(100), done: true });
        assert_eq!(with(Cancel::Anywhere).work(at(60), ms(50), None), WorkEnd { at: at(110), done: true });
    }

    #[test]
    fn a_call_carries_the_deadline_only_if_it_travels() {
        let deadline = Deadline::after(at(0), ms(100));
        let with = |propagate| DeadlinePolicy { propagate, cancel: Cancel::Anywhere };
        assert_eq!([with(true).passed_on(deadline), with(false).passed_on(deadline)], [Some(deadline), None]);
    }

    proptest! {
        /// Along any chain: with propagation and cancelling anywhere nothing is wasted; whatever is done, what is wasted
        /// lies after the deadline and within the work.
        #[test]
        fn nothing_is_wasted_where_deadlines_travel(
            timeout_ms in 1u64..500, network_ms in 0u64..20, work_ms in prop::collection::vec(0u64..200, 1..6),
            cancel in prop::sample::select(&[Cancel::None, Cancel::AtDequeue, Cancel::Anywhere][..]),
        ) {
            let (policy, deadline) = (DeadlinePolicy { propagate: true, cancel }, Deadline::after(at(0), ms(timeout_ms)));
            let mut now = at(0);
            for work in work_ms {
                now += ms(network_ms);
                if !policy.decide(now, policy.passed_on(deadline)) {
                    break;
                }
                let end = policy.work(now, ms(work), policy.passed_on(deadline));
                let lost = wasted(now, end.at, deadline.at());
                prop_assert!(lost <= end.at.since(now) && lost <= end.at.since(deadline.at()));
                prop_assert!(cancel != Cancel::Anywhere || lost == Span::ZERO);
                now = end.at;
            }
        }
    }
}
