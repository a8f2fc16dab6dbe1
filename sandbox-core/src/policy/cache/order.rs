//! Which key leaves a full cache next.
//!
//! Kept apart from the copies, so that a look-up writes to small tables only. LRU, FIFO and LFU are one list from the
//! next victim to the last, and differ in where a key is put; a random victim comes from an unordered array. Everything
//! grows with the number of keys lies in shared chunks; an LFU list also remembers the end of each group of equal
//! counts, of which there are few (n different counts take n^2/2 uses).

use super::Eviction;
use crate::chunks::Chunked;
use std::collections::BTreeMap;

/// The end of the list.
const NONE: u32 = u32::MAX;

/// The keys of a cache, in the order in which they leave it.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Listed(List),
    Random(Bag),
}

impl Order {
    pub(super) fn new(eviction: Eviction, key_count: u32) -> Order {
        match eviction {
            Eviction::Random => Order::Random(Bag {
                keys: Chunked::new(key_count as usize, NONE),
                places: Chunked::new(key_count as usize, NONE),
                len: 0,
            }),
            _ => Order::Listed(List {
                eviction,
                links: Chunked::new(key_count as usize, Link { newer: NONE, older: NONE, uses: 0 }),
                newest: NONE,
                oldest: NONE,
                groups: BTreeMap::new(),
            }),
        }
    }

    /// A key that was not there comes in.
    pub(super) fn insert(&mut self, key: u32) {
        match self {
            Order::Listed(list) => list.link(key, 1),
            Order::Random(bag) => bag.insert(key),
        }
    }

    /// A key that is there was looked up.
    pub(super) fn on_read(&mut self, key: u32) {
        if let Order::Listed(list) = self {
            match list.eviction {
                Eviction::Lfu => {
                    let uses = list.unlink(key);
                    list.link(key, uses.saturating_add(1));
                }
                _ => list.renew(key),
            }
        }
    }

    /// The copy of a key that is there was replaced. In LFU the look-up that led to it has counted already.
    pub(super) fn on_replace(&mut self, key: u32) {
        if let Order::Listed(list) = self {
            list.renew(key);
        }
    }

    /// A key that is there goes.
    pub(super) fn remove(&mut self, key: u32) {
        match self {
            Order::Listed(list) => {
                list.unlink(key);
            }
            Order::Random(bag) => bag.remove(key),
        }
    }

    /// The key that leaves next, by chance `roll` in [0, 1) if it is left to chance. Panics if there is no key.
    pub(super) fn victim(&self, roll: f64) -> u32 {
        match self {
            Order::Listed(list) => list.oldest,
            Order::Random(bag) => *bag.keys.get((roll * f64::from(bag.len)) as usize),
        }
    }
}

/// Keys from the next victim (`oldest`) to the last (`newest`).
#[derive(Clone, Debug)]
pub(super) struct List {
    eviction: Eviction,
    links: Chunked<Link>,
    newest: u32,
    oldest: u32,
    /// LFU: the newest key of each number of uses.
    groups: BTreeMap<u32, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    newer: u32,
    older: u32,
    /// Look-ups and the first load, since the key came in.
    uses: u32,
}

impl List {
    /// LRU: the key becomes the newest.
    fn renew(&mut self, key: u32) {
        if self.eviction == Eviction::Lru && self.newest != key {
            let uses = self.unlink(key);
            self.link(key, uses);
        }
    }

    /// Puts a key behind those that leave before it: behind all, or in LFU behind those used as often or less.
    fn link(&mut self, key: u32, uses: u32) {
        let older = match self.eviction {
            Eviction::Lfu => self.groups.range(..=uses).next_back().map_or(NONE, |(_, key)| *key),
            _ => self.newest,
        };
        let newer = if older == NONE { self.oldest } else { self.links.get(older as usize).newer };
        *self.links.get_mut(key as usize) = Link { newer, older, uses };
        self.join(older, key);
        self.join(key, newer);
        if self.eviction == Eviction::Lfu {
            self.groups.insert(uses, key);
        }
    }

    /// Takes a key out and says how often it was used.
    fn unlink(&mut self, key: u32) -> u32 {
        let Link { newer, older, uses } = *self.links.get(key as usize);
        self.join(older, newer);
        if self.groups.get(&uses) == Some(&key) {
            if older != NONE && self.links.get(older as usize).uses == uses {
                self.groups.insert(uses, older);
            } else {
                self.groups.remove(&uses);
            }
        }
        uses
    }

    /// Makes two keys neighbours; `NONE` is the end of the list.
    fn join(&mut self, older: u32, newer: u32) {
        match older {
            NONE => self.oldest = newer,
            _ => self.links.get_mut(older as usize).newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            _ => self.links.get_mut(newer as usize).older = older,
        }
    }
}

/// Keys without an order, each with its place.
#[derive(Clone, Debug)]
pub(super) struct Bag {
    keys: Chunked<u32>,
    places: Chunked<u32>,
    len: u32,
}

impl Bag {
    fn insert(&mut self, key: u32) {
        self.put(self.len, key);
        self.len += 1;
    }

    fn remove(&mut self, key: u32) {
        self.len -= 1;
        let last = *self.keys.get(self.len as usize);
        self.put(*self.places.get(key as usize), last);
    }

    fn put(&mut self, place: u32, key: u32) {
        *self.keys.get_mut(place as usize) = key;
        *self.places.get_mut(key as usize) = place;
    }
}
