//! The calendar: what is due when, equal times in the order of scheduling.
//!
//! Delays that are the same for many events (a timeout, a link) have a lane each: a first-in-first-out line that is in
//! order by itself. All others go into a 4-ary heap, which so holds tens of events instead of tens of thousands. A
//! cancelled timeout stays where it is; whoever takes events out asks whether an entry is still alive.

use super::event::Event;
use crate::time::{Span, Time};
use std::collections::VecDeque;

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
    /// Orders entries by time, and equal times by the order of scheduling.
    fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 32 | u128::from(self.order)
    }
}

/// All future events.
#[derive(Clone, Debug)]
pub struct Calendar {
    heap: Vec<Entry>,
    lanes: Vec<Lane>,
    /// Keys of the lanes' first entries, side by side because every step compares them all.
    fronts: [u128; LANES_MAX],
    next_order: u32,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { heap: Vec::new(), lanes: Vec::new(), fronts: [NOTHING; LANES_MAX], next_order: 0 }
    }
}

/// Events that are due the same delay after they were scheduled, in order.
#[derive(Clone, Debug)]
struct Lane {
    delay: Span,
    entries: VecDeque<Entry>,
}

/// The key of an empty lane: later than anything.
const NOTHING: u128 = u128::MAX;

/// More lanes than this cost more to compare than they save; further delays go into the heap.
const LANES_MAX: usize = 8;

/// Where the earliest entry lies.
#[derive(Clone, Copy)]
enum Place {
    Heap,
    Lane(usize),
}

impl Calendar {
    /// Schedules an event; the number recognises it later.
    pub fn schedule(&mut self, at: Time, event: Event) -> u32 {
        let entry = self.entry(at, event);
        self.heap.push(entry);
        self.sift_up(self.heap.len() - 1);
        entry.order
    }

    /// Schedules an event after a delay that many events share.
    pub fn schedule_after(&mut self, now: Time, delay: Span, event: Event) -> u32 {
        let lane = match self.lanes.iter().position(|lane| lane.delay == delay) {
            Some(lane) => lane,
            None if self.lanes.len() < LANES_MAX => {
                self.lanes.push(Lane { delay, entries: VecDeque::new() });
                self.lanes.len() - 1
            }
            None => return self.schedule(now + delay, event),
        };
        let entry = self.entry(now + delay, event);
        let entries = &mut self.lanes[lane].entries;
        debug_assert!(entries.back().is_none_or(|last| last.key() < entry.key()));
        if entries.is_empty() {
            self.fronts[lane] = entry.key();
        }
        entries.push_back(entry);
        entry.order
    }

    /// The earliest live entry; dead ones before it are dropped.
    pub fn peek(&mut self, alive: impl Fn(&Entry) -> bool) -> Option<Entry> {
        loop {
            let (place, entry) = self.earliest()?;
            if alive(&entry) {
                return Some(entry);
            }
            self.take(place);
        }
    }

    /// Takes the earliest live entry out, if it is due by `end`.
    pub fn pop(&mut self, end: Time, alive: impl Fn(&Entry) -> bool) -> Option<Entry> {
        loop {
            let (place, entry) = self.earliest()?;
            if !alive(&entry) {
                self.take(place);
            } else if entry.at > end {
                return None;
            } else {
                self.take(place);
                return Some(entry);
            }
        }
    }

    fn entry(&mut self, at: Time, event: Event) -> Entry {
        let order = self.next_order;
        self.next_order = order.checked_add(1).expect("a run has fewer than 4.29 billion events");
        Entry { at, order, event }
    }

    fn earliest(&self) -> Option<(Place, Entry)> {
        let (mut key, mut place) = (self.heap.first().map_or(NOTHING, Entry::key), Place::Heap);
        for (index, front) in self.fronts.iter().enumerate() {
            if *front < key {
                (key, place) = (*front, Place::Lane(index));
            }
        }
        let entry = match place {
            Place::Heap => self.heap.first(),
            Place::Lane(index) => self.lanes[index].entries.front(),
        };
        entry.map(|entry| (place, *entry))
    }

    fn take(&mut self, place: Place) {
        match place {
            Place::Lane(index) => {
                let entries = &mut self.lanes[index].entries;
                entries.pop_front();
                self.fronts[index] = entries.front().map_or(NOTHING, Entry::key);
            }
            Place::Heap => {
                self.heap.swap_remove(0);
                self.sift_down();
            }
        }
    }

    fn sift_up(&mut self, mut index: usize) {
        while index > 0 {
            let parent = (index - 1) / 4;
            if self.heap[parent].key() <= self.heap[index].key() {
                return;
            }
            self.heap.swap(parent, index);
            index = parent;
        }
    }

    fn sift_down(&mut self) {
        let mut index = 0;
        loop {
            let children = 4 * index + 1..(4 * index + 5).min(self.heap.len());
            let Some(least) = children.min_by_key(|child| self.heap[*child].key()) else { return };
            if self.heap[index].key() <= self.heap[least].key() {
                return;
            }
            self.heap.swap(index, least);
            index = least;
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

    proptest! {
        /// Heap and lanes together give what a sort by (time, order of scheduling) gives.
        #[test]
        fn events_come_out_by_time_and_then_in_order_of_scheduling(delays in prop::collection::vec((0u64..20, any::<bool>()), 1..200)) {
            let mut calendar = Calendar::default();
            let mut expected = Vec::new();
            for (number, (delay, shared)) in delays.iter().enumerate() {
                let delay = Span::from_nanos(*delay);
                let at = Time::ZERO + delay;
                let order = match shared {
                    true => calendar.schedule_after(Time::ZERO, delay, event(number as u32)),
                    false => calendar.schedule(at, event(number as u32)),
                };
                expected.push((at, order));
            }
            expected.sort();
            let mut seen = Vec::new();
            while let Some(entry) = calendar.pop(Time::NEVER, |_| true) {
                seen.push((entry.at, entry.order));
            }
            prop_assert_eq!(seen, expected);
        }

        /// A dead entry is never seen and does not hide the ones after it.
        #[test]
        fn dead_entries_are_never_seen(delays in prop::collection::vec(0u64..20, 1..100), dead in any::<u64>()) {
            let mut calendar = Calendar::default();
            for (number, delay) in delays.iter().enumerate() {
                calendar.schedule(Time::from_nanos(*delay), event(number as u32));
            }
            let alive = |entry: &Entry| dead >> (entry.order % 64) & 1 == 0;
            let expected = (0..delays.len() as u64).filter(|number| dead >> (number % 64) & 1 == 0).count();
            let mut seen = 0;
            while let Some(entry) = calendar.pop(Time::NEVER, alive) {
                prop_assert!(alive(&entry));
                seen += 1;
            }
            prop_assert_eq!(seen, expected);
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
