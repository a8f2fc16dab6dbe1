//! The calendar: what is due when, equal times in the order of scheduling.
//!
//! Delays that are the same for many events (a timeout, a link) have a lane each: a first-in-first-out line that is in
//! order by itself. All others go into a 4-ary heap, which so holds tens of events instead of tens of thousands. A
//! cancelled timeout stays where it is; whoever takes events out says whether an entry is still alive, and dead ones
//! leave their lane in one go.

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
    /// Orders entries by time, and equal times by the order of scheduling. The lowest 32 bits are free.
    fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 64 | u128::from(self.order) << 32
    }
}

/// All future events.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    heap: Vec<Entry>,
    lanes: Vec<VecDeque<Entry>>,
    /// The delay of each lane.
    delays: Vec<Span>,
    /// The first entry's key of each lane that has one, and the lane in the lowest bits; the earliest last. What is
    /// scheduled is mostly due soon, so its place is mostly near the end.
    fronts: Vec<u128>,
    next_order: u32,
}

/// Further delays go into the heap.
const LANES_MAX: usize = 16;

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
        self.sift_up(entry);
        entry.order
    }

    /// Schedules an event after a delay that many events share.
    pub fn schedule_after(&mut self, now: Time, delay: Span, event: Event) -> u32 {
        let lane = match self.delays.iter().position(|known| *known == delay) {
            Some(lane) => lane,
            None if self.lanes.len() < LANES_MAX => {
                self.delays.push(delay);
                self.lanes.push(VecDeque::new());
                self.lanes.len() - 1
            }
            None => return self.schedule(now + delay, event),
        };
        let entry = self.entry(now + delay, event);
        let entries = &mut self.lanes[lane];
        debug_assert!(entries.back().is_none_or(|last| last.key() < entry.key()));
        if entries.is_empty() {
            insert(&mut self.fronts, entry.key() | lane as u128);
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
            self.take(place, &alive);
        }
    }

    /// Takes the earliest live entry out, if it is due by `end`.
    pub fn pop(&mut self, end: Time, alive: impl Fn(&Entry) -> bool) -> Option<Entry> {
        loop {
            let (place, entry) = self.earliest()?;
            let lives = alive(&entry);
            if lives && entry.at > end {
                return None;
            }
            self.take(place, &alive);
            if lives {
                return Some(entry);
            }
        }
    }

    /// How many entries there are, dead ones included.
    pub fn len(&self) -> usize {
        self.heap.len() + self.lanes.iter().map(VecDeque::len).sum::<usize>()
    }

    fn entry(&mut self, at: Time, event: Event) -> Entry {
        let order = self.next_order;
        self.next_order = order.checked_add(1).expect("a run has fewer than 4.29 billion events");
        Entry { at, order, event }
    }

    fn earliest(&self) -> Option<(Place, Entry)> {
        match (self.fronts.last(), self.heap.first()) {
            (Some(front), entry) if entry.is_none_or(|entry| *front < entry.key()) => {
                let lane = *front as usize % LANES_MAX;
                self.lanes[lane].front().map(|entry| (Place::Lane(lane), *entry))
            }
            (_, entry) => entry.map(|entry| (Place::Heap, *entry)),
        }
    }

    /// Takes the first entry of a place out, and from a lane the dead ones behind it.
    fn take(&mut self, place: Place, alive: impl Fn(&Entry) -> bool) {
        match place {
            Place::Lane(lane) => {
                let entries = &mut self.lanes[lane];
                entries.pop_front();
                while entries.front().is_some_and(|entry| !alive(entry)) {
                    entries.pop_front();
                }
                self.fronts.pop();
                if let Some(entry) = entries.front() {
                    insert(&mut self.fronts, entry.key() | lane as u128);
                }
            }
            Place::Heap => {
                if let Some(last) = self.heap.pop()
                    && !self.heap.is_empty()
                {
                    self.sift_down(last);
                }
            }
        }
    }

    /// Finds the place of an entry that was added at the end.
    fn sift_up(&mut self, entry: Entry) {
        let mut hole = self.heap.len() - 1;
        while hole > 0 {
            let parent = (hole - 1) / 4;
            if self.heap[parent].key() <= entry.key() {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = entry;
    }

    /// Finds the place of an entry that is to replace the first.
    fn sift_down(&mut self, entry: Entry) {
        let heap = &mut self.heap[..];
        let mut hole = 0;
        loop {
            let children = (4 * hole + 1).min(heap.len())..(4 * hole + 5).min(heap.len());
            let mut least = (entry.key(), hole);
            for (child, entry) in children.clone().zip(&heap[children]) {
                least = if entry.key() < least.0 { (entry.key(), child) } else { least };
            }
            if least.1 == hole {
                break;
            }
            heap[hole] = heap[least.1];
            hole = least.1;
        }
        heap[hole] = entry;
    }
}

/// Adds a key to keys in descending order.
fn insert(keys: &mut Vec<u128>, key: u128) {
    keys.push(key);
    let mut hole = keys.len() - 1;
    while hole > 0 && keys[hole - 1] < key {
        keys[hole] = keys[hole - 1];
        hole -= 1;
    }
    keys[hole] = key;
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
