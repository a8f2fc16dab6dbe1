//! The calendar: what is due when, equal times in the order of scheduling.
//!
//! Delays that are the same for many events (a timeout, a link) have a lane each: a first-in-first-out line that is in
//! order by itself. The first of each lane and the next few of all other events stand in one short sorted list: what is
//! scheduled is mostly due soon, so its place is mostly near the end of that list. The rest waits in a heap, which most
//! systems never need. A cancelled timeout stays where it is; whoever takes events out says whether an entry is still
//! alive, and dead ones leave their lane in one go, long before they are due.

use super::event::Event;
use crate::time::{Span, Time};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// An event with its due time and its place among equals.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// When it is due.
    pub at: Time,
    /// Its number in the order of scheduling.
    pub order: u32,
    /// What is due.
    pub event: Event,
}

impl Entry {
    /// Orders entries by time, and equal times by the order of scheduling. The lowest 32 bits are free.
    fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 64 | u128::from(self.order) << 32
    }
}

/// All future events.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    /// The earliest last: the first of each lane, and those single events that are due before all of the heap.
    soon: Vec<Due>,
    /// Single events in `soon`; none only if there are none at all.
    singles: usize,
    lanes: Vec<Lane>,
    /// The delay of each lane.
    delays: Vec<Span>,
    /// The single events after those in `soon`.
    heap: BinaryHeap<Due>,
    next_order: u32,
}

/// An entry in the short list.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// The entry's key, with its lane in the lowest bits.
    key: u128,
    event: Event,
}

/// The heap gives out its greatest first: that is the earliest.
impl Ord for Due {
    fn cmp(&self, other: &Due) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Due {}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.key == other.key
    }
}

/// Events that are due the same delay after they were scheduled, in order.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// Whether the first of them stands in the short list.
    leads: bool,
    /// Those behind it.
    entries: VecDeque<Entry>,
}

/// Further delays have no lane.
const LANES_MAX: usize = 16;

/// In place of its lane, for an event that has none.
const SINGLE: usize = LANES_MAX;

/// More single events than this do not stand in the short list.
const SINGLES_MAX: usize = 32;

/// How many come from the heap at once when the short list runs out of them.
const REFILL: usize = 8;

/// After so many schedulings the lanes are looked through for dead entries.
const SWEEP_EVERY: u32 = 256;

impl Due {
    fn new(entry: &Entry, lane: usize) -> Due {
        Due { key: entry.key() | lane as u128, event: entry.event }
    }

    fn entry(&self) -> Entry {
        Entry { at: Time::from_nanos((self.key >> 64) as u64), order: (self.key >> 32) as u32, event: self.event }
    }

    fn lane(&self) -> usize {
        self.key as u32 as usize
    }
}

impl Calendar {
    /// Schedules an event; the number recognises it later.
    pub fn schedule(&mut self, at: Time, event: Event) -> u32 {
        let entry = self.entry(at, event);
        let due = Due::new(&entry, SINGLE);
        if self.heap.peek().is_some_and(|first| first.key < due.key) {
            self.heap.push(due);
        } else {
            self.insert(due);
            self.singles += 1;
            if self.singles > SINGLES_MAX {
                self.evict();
            }
        }
        entry.order
    }

    /// Schedules an event after a delay that many events share.
    pub fn schedule_after(&mut self, now: Time, delay: Span, event: Event) -> u32 {
        let lane = match self.delays.iter().position(|known| *known == delay) {
            Some(lane) => lane,
            None if self.lanes.len() < LANES_MAX => {
                self.delays.push(delay);
                self.lanes.push(Lane::default());
                self.lanes.len() - 1
            }
            None => return self.schedule(now + delay, event),
        };
        let entry = self.entry(now + delay, event);
        let Lane { leads, entries } = &mut self.lanes[lane];
        debug_assert!(entries.back().is_none_or(|last| last.key() < entry.key()));
        if *leads {
            entries.push_back(entry);
        } else {
            *leads = true;
            self.insert(Due::new(&entry, lane));
        }
        entry.order
    }

    /// The earliest live entry; dead ones before it are dropped.
    pub fn peek(&mut self, alive: impl Fn(&Entry) -> bool) -> Option<Entry> {
        loop {
            let due = *self.soon.last()?;
            if alive(&due.entry()) {
                return Some(due.entry());
            }
            self.soon.pop();
            self.follow(due.lane(), &alive);
        }
    }

    /// Takes the earliest live entry out, if it is due by `end`.
    pub fn pop(&mut self, end: Time, alive: impl Fn(&Entry) -> bool) -> Option<Entry> {
        if self.next_order.is_multiple_of(SWEEP_EVERY) {
            self.sweep(&alive);
        }
        loop {
            let due = *self.soon.last()?;
            let entry = due.entry();
            let lives = alive(&entry);
            if lives && entry.at > end {
                return None;
            }
            self.soon.pop();
            self.follow(due.lane(), &alive);
            if lives {
                return Some(entry);
            }
        }
    }

    /// How many entries there are, dead ones included.
    pub fn len(&self) -> usize {
        self.soon.len() + self.heap.len() + self.lanes.iter().map(|lane| lane.entries.len()).sum::<usize>()
    }

    fn entry(&mut self, at: Time, event: Event) -> Entry {
        let order = self.next_order;
        self.next_order = order.checked_add(1).expect("a run has fewer than 4.29 billion events");
        Entry { at, order, event }
    }

    /// An entry of this lane was taken out: the next live one of its lane, or of the heap, moves up.
    #[inline]
    fn follow(&mut self, lane: usize, alive: impl Fn(&Entry) -> bool) {
        match lane {
            SINGLE => {
                self.singles -= 1;
                if self.singles == 0 {
                    self.refill();
                }
            }
            lane => self.move_up(lane, alive),
        }
    }

    /// The next live entry of a lane moves up into the short list; dead ones before it are dropped.
    #[inline(never)]
    fn move_up(&mut self, lane: usize, alive: impl Fn(&Entry) -> bool) {
        let Lane { leads, entries } = &mut self.lanes[lane];
        while let Some(entry) = entries.front() {
            let next = alive(entry).then(|| Due::new(entry, lane));
            entries.pop_front();
            if let Some(next) = next {
                return self.insert(next);
            }
        }
        *leads = false;
    }

    /// Drops the dead entries at the front of each lane. Without it a lane would hold what was scheduled in the whole length
    /// of its delay: tens of thousands of timeouts that nobody needs any more.
    #[cold]
    fn sweep(&mut self, alive: impl Fn(&Entry) -> bool) {
        while let Some(place) = self.soon.iter().position(|due| due.lane() != SINGLE && !alive(&due.entry())) {
            let lane = self.soon.remove(place).lane();
            self.move_up(lane, &alive);
        }
    }

    /// Puts an entry into the short list.
    fn insert(&mut self, due: Due) {
        self.soon.push(due);
        let mut places = self.soon.iter_mut().rev();
        let Some(mut hole) = places.next() else { return };
        for earlier in places.take_while(|earlier| earlier.key < due.key) {
            *hole = *earlier;
            hole = earlier;
        }
        *hole = due;
    }

    /// The last single event of the short list goes back to the heap.
    fn evict(&mut self) {
        let place = self.soon.iter().position(|due| due.lane() == SINGLE).expect("there are too many of them");
        let latest = self.soon.remove(place);
        self.heap.push(latest);
        self.singles -= 1;
    }

    /// The next single events come from the heap.
    #[inline(never)]
    fn refill(&mut self) {
        while self.singles < REFILL
            && let Some(first) = self.heap.pop()
        {
            self.insert(first);
            self.singles += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(number: u32) -> Event {
        Event::Arrive(number)
    }

    #[derive(Clone, Copy, Debug)]
    enum Act {
        Schedule(u64),
        ScheduleAfter(u64),
        Pop,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            3 => (0u64..1_000).prop_map(Act::Schedule),
            3 => (0u64..20).prop_map(Act::ScheduleAfter),
            5 => Just(Act::Pop),
        ]
    }

    proptest! {
        /// Whatever is scheduled and taken out in between, what comes out is the least by (time, order of scheduling) of the
        /// live ones, and no dead one is ever seen.
        #[test]
        fn the_least_live_one_comes_out(
            acts in prop::collection::vec(act(), 1..600), at_first in 0usize..200, dead in any::<u64>(),
        ) {
            let alive = |entry: &Entry| dead >> (entry.order % 64) & 1 == 0;
            let mut calendar = Calendar::default();
            let mut expected = std::collections::BTreeSet::new();
            let mut now = Time::ZERO;
            let mut number = 0;
            let first = (0..at_first).map(|place| Act::Schedule(place as u64 * 7 % 500));
            for act in first.chain(acts) {
                let (at, order) = match act {
                    Act::Schedule(delay) => {
                        let at = now + Span::from_nanos(delay);
                        (at, calendar.schedule(at, event(number)))
                    }
                    Act::ScheduleAfter(delay) => {
                        let delay = Span::from_nanos(delay);
                        (now + delay, calendar.schedule_after(now, delay, event(number)))
                    }
                    Act::Pop => {
                        let popped = calendar.pop(Time::NEVER, alive);
                        prop_assert_eq!(popped.map(|entry| (entry.at, entry.order)), expected.pop_first());
                        if let Some(entry) = popped {
                            prop_assert_eq!(entry.event, event(entry.order));
                            now = entry.at;
                        }
                        continue;
                    }
                };
                prop_assert_eq!(order, number);
                if dead >> (order % 64) & 1 == 0 {
                    expected.insert((at, order));
                }
                number += 1;
            }
            while let Some(entry) = calendar.pop(Time::NEVER, alive) {
                prop_assert_eq!(Some((entry.at, entry.order)), expected.pop_first());
            }
            prop_assert!(expected.is_empty());
            prop_assert_eq!(calendar.len(), 0);
        }
    }

    #[test]
    fn nothing_after_the_end_is_taken() {
        let mut calendar = Calendar::default();
        calendar.schedule(Time::from_nanos(5), event(1));
        assert!(calendar.pop(Time::from_nanos(4), |_| true).is_none());
        assert_eq!(calendar.peek(|_| true).map(|entry| entry.at), Some(Time::from_nanos(5)));
        assert!(calendar.pop(Time::from_nanos(5), |_| true).is_some());
    }
}
