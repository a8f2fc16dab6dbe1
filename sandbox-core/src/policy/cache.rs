//! A cache with a time to live, exact least-recently-used eviction and a stale-if-error window.
//!
//! Promise: a copy is fresh for `now < stored_at + ttl`. After that it may stand in for an origin that fails while `now
//! < stored_at + ttl + stale_if_error` (RFC 5861: the window starts at expiry). Never more than `capacity` entries; the
//! one that goes is the one not touched, by `get` or `put`, for longest. An expired entry keeps its place until it is
//! touched or evicted.
//!
//! Keys are numbers below a bound, so one dense table holds entries and the links of the recency list. It lies in
//! shared chunks: a clone of a cache of 10,000 keys costs microseconds. Left out: jitter of the ttl, refresh on read,
//! negative entries, single-flight (the caller knows which loads are under way), other evictions.

use crate::chunks::Chunked;
use crate::time::{Span, Time};

/// The end of the recency list.
const NONE: u32 = u32::MAX;

/// Checked parameters of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    capacity: u32,
    ttl: Span,
    stale_if_error: Span,
}

impl CacheConfig {
    /// At most `capacity` entries, each fresh for `ttl` and usable for `stale_if_error` longer when the origin fails
    /// (zero: never). No defaults: they depend on what is cached.
    pub fn new(capacity: u32, ttl: Span, stale_if_error: Span) -> Result<CacheConfig, String> {
        if capacity == 0 {
            return Err("the cache capacity is 0: use at least 1 entry, or leave the cache out".into());
        }
        if ttl == Span::ZERO {
            return Err("the cache ttl is 0, so no copy would ever be fresh: use a positive time".into());
        }
        Ok(CacheConfig { capacity, ttl, stale_if_error })
    }

    /// Entries the cache holds at most.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How long a copy is fresh.
    pub fn ttl(&self) -> Span {
        self.ttl
    }

    /// How long after expiry a copy may stand in for a failing origin.
    pub fn stale_if_error(&self) -> Span {
        self.stale_if_error
    }
}

/// What the cache holds for a key: which version, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedCopy {
    /// The version of the row at the time of the load.
    pub version: u64,
    /// When it was put.
    pub stored_at: Time,
}

/// The answer to a `get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Within its ttl: answer with it.
    Fresh(CachedCopy),
    /// Expired: load again.
    Stale {
        /// What was stored.
        copy: CachedCopy,
        /// Whether it may be served if the load fails.
        usable: bool,
    },
    /// Nothing there.
    Miss,
}

/// The cache.
#[derive(Clone, Debug)]
pub struct Cache {
    config: CacheConfig,
    entries: Chunked<Option<Entry>>,
    len: u32,
    /// The key touched last, the head of the list; `NONE` if empty.
    newest: u32,
    /// The key to evict next, the tail of the list; `NONE` if empty.
    oldest: u32,
}

/// A copy and its place in the recency list.
#[derive(Clone, Copy, Debug)]
struct Entry {
    copy: CachedCopy,
    newer: u32,
    older: u32,
}

impl Cache {
    /// An empty cache for keys below `key_count`.
    pub fn new(config: CacheConfig, key_count: u32) -> Cache {
        Cache { config, entries: Chunked::new(key_count as usize, None), len: 0, newest: NONE, oldest: NONE }
    }

    /// The number of entries, expired ones included.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is there for `key`, which becomes the one used last. Panics on a key that is not below the key count.
    pub fn get(&mut self, now: Time, key: u32) -> Lookup {
        let Some(Entry { copy, .. }) = *self.entries.get(key as usize) else {
            return Lookup::Miss;
        };
        self.touch(key);
        let expires_at = copy.stored_at + self.config.ttl;
        if now < expires_at {
            Lookup::Fresh(copy)
        } else {
            Lookup::Stale { copy, usable: now < expires_at + self.config.stale_if_error }
        }
    }

    /// Stores `version` for `key`, now and as the one used last; evicts the one not used for longest if it must.
    /// Panics on a key that is not below the key count.
    pub fn put(&mut self, now: Time, key: u32, version: u64) {
        let copy = CachedCopy { version, stored_at: now };
        if self.entries.get(key as usize).is_some() {
            self.touch(key);
            self.entry(key).copy = copy;
            return;
        }
        if self.len == self.config.capacity {
            self.remove(self.oldest);
        }
        *self.entries.get_mut(key as usize) = Some(Entry { copy, newer: NONE, older: NONE });
        self.len += 1;
        self.link_newest(key);
    }

    /// Forgets `key` (invalidation); nothing happens if it is not there.
    pub fn remove(&mut self, key: u32) {
        if self.entries.get(key as usize).is_some() {
            self.unlink(key);
            *self.entries.get_mut(key as usize) = None;
            self.len -= 1;
        }
    }

    fn touch(&mut self, key: u32) {
        if self.newest != key {
            self.unlink(key);
            self.link_newest(key);
        }
    }

    fn link_newest(&mut self, key: u32) {
        let older = std::mem::replace(&mut self.newest, key);
        let entry = self.entry(key);
        (entry.newer, entry.older) = (NONE, older);
        if older == NONE {
            self.oldest = key;
        } else {
            self.entry(older).newer = key;
        }
    }

    fn unlink(&mut self, key: u32) {
        let Entry { newer, older, .. } = *self.entry(key);
        if newer == NONE {
            self.newest = older;
        } else {
            self.entry(newer).older = older;
        }
        if older == NONE {
            self.oldest = newer;
        } else {
            self.entry(older).newer = newer;
        }
    }

    fn entry(&mut self, key: u32) -> &mut Entry {
        self.entries.get_mut(key as usize).as_mut().expect("a linked key has an entry")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: f64) -> Time {
        Time::from_seconds(seconds)
    }

    fn cache(capacity: u32) -> Cache {
        Cache::new(CacheConfig::new(capacity, Span::from_millis(1_000), Span::from_millis(500)).unwrap(), 1_000)
    }

    #[test]
    fn fresh_then_usable_then_only_in_the_way() {
        let mut cache = cache(2);
        cache.put(at(1.0), 7, 42);
        let copy = CachedCopy { version: 42, stored_at: at(1.0) };
        assert_eq!(cache.get(Time::from_nanos(1_999_999_999), 7), Lookup::Fresh(copy));
        assert_eq!(cache.get(at(2.0), 7), Lookup::Stale { copy, usable: true });
        assert_eq!(cache.get(Time::from_nanos(2_499_999_999), 7), Lookup::Stale { copy, usable: true });
        assert_eq!(cache.get(at(2.5), 7), Lookup::Stale { copy, usable: false });
        assert_eq!((cache.len(), cache.get(at(0.0), 8)), (1, Lookup::Miss));
    }

    #[test]
    fn the_one_not_touched_for_longest_goes() {
        let mut cache = cache(2);
        cache.put(at(0.0), 1, 1);
        cache.put(at(0.0), 2, 1);
        cache.get(at(0.1), 1);
        cache.put(at(0.2), 3, 1);
        assert_eq!(cache.get(at(0.3), 2), Lookup::Miss);
        assert!(matches!(cache.get(at(0.3), 1), Lookup::Fresh(_)));
        cache.remove(1);
        cache.remove(1);
        assert_eq!((cache.len(), cache.is_empty(), cache.get(at(0.3), 1)), (1, false, Lookup::Miss));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(CacheConfig::new(0, Span::from_millis(1), Span::ZERO).unwrap_err().contains("capacity"));
        assert!(CacheConfig::new(1, Span::ZERO, Span::ZERO).unwrap_err().contains("ttl"));
    }

    /// The same promise written the slow way: a list of (key, copy), used last at the end.
    struct Model {
        capacity: usize,
        list: Vec<(u32, CachedCopy)>,
    }

    impl Model {
        fn take(&mut self, key: u32) -> Option<CachedCopy> {
            let place = self.list.iter().position(|&(k, _)| k == key)?;
            Some(self.list.remove(place).1)
        }

        fn get(&mut self, now: Time, key: u32) -> Lookup {
            let Some(copy) = self.take(key) else { return Lookup::Miss };
            self.list.push((key, copy));
            let age = now.since(copy.stored_at);
            if age < Span::from_millis(1_000) {
                Lookup::Fresh(copy)
            } else {
                Lookup::Stale { copy, usable: age < Span::from_millis(1_500) }
            }
        }

        fn put(&mut self, now: Time, key: u32, version: u64) {
            if self.take(key).is_none() && self.list.len() == self.capacity {
                self.list.remove(0);
            }
            self.list.push((key, CachedCopy { version, stored_at: now }));
        }
    }

    proptest! {
        /// Any history of operations gives the answers of the plain model, and a clone goes its own way.
        #[test]
        fn agrees_with_the_plain_model(
            capacity in 1u32..8,
            operations in prop::collection::vec((0u8..8, 0u32..12, 0u64..400), 1..200),
        ) {
            let (mut cache, mut model) = (cache(capacity), Model { capacity: capacity as usize, list: Vec::new() });
            let mut now = Time::ZERO;
            for (version, (what, key, gap_ms)) in operations.into_iter().enumerate() {
                now += Span::from_millis(gap_ms);
                let key = key * 83; // spread over several chunks
                let mut other = cache.clone();
                other.put(now, (key + 1) % 1_000, 0);
                match what {
                    0..4 => prop_assert_eq!(cache.get(now, key), model.get(now, key)),
                    4..7 => {
                        cache.put(now, key, version as u64);
                        model.put(now, key, version as u64);
                    }
                    _ => {
                        cache.remove(key);
                        model.take(key);
                    }
                }
                prop_assert_eq!(cache.len() as usize, model.list.len());
                prop_assert!(cache.len() <= capacity);
            }
        }
    }
}
