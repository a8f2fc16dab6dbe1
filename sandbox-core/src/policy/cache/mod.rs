//! A cache: time to live, eviction, and the windows in which an old copy is still good for something.
//!
//! Promise: a copy is fresh for `now < stored_at + ttl`, or with `refresh_on_read` for a ttl since it was last found
//! fresh. After expiry it may be served while it is loaded again (`stale_while_revalidate`), and stand in for an origin
//! that fails (`stale_if_error`); both windows begin at expiry (RFC 5861). Never more than `capacity` entries, and
//! the one that goes is the one that the eviction names. An expired entry keeps its place until it is touched or
//! evicted.
//!
//! Early expiration is XFetch (Vattani, Chierichetti and Lowenstein, VLDB 2015): a fresh copy is loaded again when
//! `now - took * beta * ln(U) >= expiry`. Loading a key once for all who miss it is [`super::single_flight`]'s.
//!
//! Keys are numbers below a bound, so dense tables hold the entries and their order. They lie in shared chunks: a clone
//! of a cache of 10,000 keys costs microseconds. Left out: W-TinyLFU, sizes of entries.

mod order;

use crate::chunks::Chunked;
use crate::time::{Span, Time};
use order::Order;

/// Which entry a full cache gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// The one not touched, by `get` or `put`, for longest.
    Lru,
    /// The one that came in first.
    Fifo,
    /// Any.
    Random,
    /// The one looked up least often since it came in; of several the one not looked up for longest.
    Lfu,
}

/// What a write of a row does to its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WritePolicy {
    /// The copy is dropped; the next read loads it.
    Invalidate,
    /// The copy is replaced, and the store is written at once.
    Through,
    /// The copy is replaced, and the store is written later; what is not written yet is lost if the cache is.
    Behind,
}

/// The parameters of a cache, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheParams {
    /// Entries the cache holds at most.
    pub capacity: u32,
    /// How long a copy is fresh; `None`: for ever.
    pub ttl: Option<Span>,
    /// The ttl of each copy is spread by this share of it either way, so that copies stored together do not expire
    /// together. 0.1 is usual.
    pub ttl_jitter: f64,
    /// Whether finding a copy fresh begins its ttl anew.
    pub refresh_on_read: bool,
    /// Which entry a full cache gives up.
    pub eviction: Eviction,
    /// How long after expiry a copy is served while it is loaded again.
    pub stale_while_revalidate: Span,
    /// How long after expiry a copy may stand in for a failing origin.
    pub stale_if_error: Span,
    /// XFetch's beta: above 1 favours earlier loads; `None`: copies are loaded at expiry only.
    pub early_expiration: Option<f64>,
    /// How long it is remembered that the origin has nothing for a key; `None`: not at all.
    pub negative_ttl: Option<Span>,
    /// What a write does to the copy.
    pub write_policy: WritePolicy,
}

impl CacheParams {
    /// An LRU cache without any of the refinements. Capacity and ttl have no defaults: they depend on what is cached.
    pub fn plain(capacity: u32, ttl: Option<Span>) -> CacheParams {
        CacheParams {
            capacity,
            ttl,
            ttl_jitter: 0.0,
            refresh_on_read: false,
            eviction: Eviction::Lru,
            stale_while_revalidate: Span::ZERO,
            stale_if_error: Span::ZERO,
            early_expiration: None,
            negative_ttl: None,
            write_policy: WritePolicy::Invalidate,
        }
    }
}

/// Checked parameters of a cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheConfig(CacheParams);

impl CacheConfig {
    /// Checks the parameters.
    pub fn new(params: CacheParams) -> Result<CacheConfig, String> {
        if params.capacity == 0 {
            return Err("the cache capacity is 0: use at least 1 entry, or leave the cache out".into());
        }
        if !(0.0..1.0).contains(&params.ttl_jitter) {
            return Err(format!("the ttl jitter is {}: use a share from 0 to below 1, such as 0.1", params.ttl_jitter));
        }
        if params.early_expiration.is_some_and(|beta| !(0.0..=1e6).contains(&beta)) {
            return Err("the beta of early expiration is not a number from 0 to 1e6: 1 is usual".into());
        }
        if params.negative_ttl == Some(Span::ZERO) {
            return Err("the negative ttl is 0, so nothing would be remembered: use a positive time or none".into());
        }
        Ok(CacheConfig(params))
    }

    /// Entries the cache holds at most.
    pub fn capacity(&self) -> u32 {
        self.0.capacity
    }

    /// How long a copy is fresh, before jitter; `None`: for ever.
    pub fn ttl(&self) -> Option<Span> {
        self.0.ttl
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
    /// Expired a little while ago: answer with it, and load it again in the background.
    Revalidate(CachedCopy),
    /// Expired: load again.
    Stale {
        /// What was stored.
        copy: CachedCopy,
        /// Whether it may be served if the load fails.
        usable: bool,
    },
    /// The origin was asked lately and has nothing: answer so.
    Absent,
    /// Nothing there.
    Miss,
}

/// What a load brought, and the luck of storing it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// The version of the row; `None`: the origin has none.
    pub version: Option<u64>,
    /// How long the load took; only early expiration asks.
    pub took: Span,
    /// Uniform in [0, 1): where in the jitter the ttl lies.
    pub ttl_roll: f64,
    /// Uniform in [0, 1): which entry a random eviction picks.
    pub victim_roll: f64,
}

impl Load {
    /// A load of a row's version, where nothing is left to chance.
    pub fn version(version: u64) -> Load {
        Load { version: Some(version), took: Span::ZERO, ttl_roll: 0.5, victim_roll: 0.0 }
    }
}

/// When the store is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreWrite {
    /// Before the write is answered.
    Now,
    /// In the background, by the caller.
    Later,
}

/// The cache.
#[derive(Clone, Debug)]
pub struct Cache {
    config: CacheConfig,
    entries: Chunked<Option<Entry>>,
    order: Order,
    len: u32,
}

/// What was loaded for a key, and how long it is good.
#[derive(Clone, Copy, Debug)]
struct Entry {
    version: Option<u64>,
    stored_at: Time,
    /// When the ttl began: at the store, or at the last refreshing read.
    fresh_since: Time,
    ttl: Span,
    took: Span,
}

impl Entry {
    fn expires_at(&self) -> Time {
        self.fresh_since + self.ttl
    }
}

impl Cache {
    /// An empty cache for keys below `key_count`.
    pub fn new(config: CacheConfig, key_count: u32) -> Cache {
        let order = Order::new(config.0.eviction, key_count);
        Cache { config, entries: Chunked::new(key_count as usize, None), order, len: 0 }
    }

    /// The number of entries, expired ones included.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether there is an entry for `key`, expired or not; asking does not count as a use.
    pub fn contains(&self, key: u32) -> bool {
        self.entries.get(key as usize).is_some()
    }

    /// What is there for `key`, which counts as a use of it. Panics on a key that is not below the key count.
    pub fn get(&mut self, now: Time, key: u32) -> Lookup {
        let Some(entry) = *self.entries.get(key as usize) else {
            return Lookup::Miss;
        };
        self.order.on_read(key);
        let params = &self.config.0;
        let expires_at = entry.expires_at();
        let Some(version) = entry.version else {
            return if now < expires_at { Lookup::Absent } else { Lookup::Miss };
        };
        let copy = CachedCopy { version, stored_at: entry.stored_at };
        if now < expires_at {
            if params.refresh_on_read {
                *self.entries.get_mut(key as usize) = Some(Entry { fresh_since: now, ..entry });
            }
            Lookup::Fresh(copy)
        } else if now < expires_at + params.stale_while_revalidate {
            Lookup::Revalidate(copy)
        } else {
            Lookup::Stale { copy, usable: now < expires_at + params.stale_if_error }
        }
    }

    /// Whether a copy just found fresh is to be loaded again already, by chance `roll` in [0, 1). Spreads the loads of a
    /// key that many ask for over the time before its expiry.
    pub fn expires_early(&self, now: Time, key: u32, roll: f64) -> bool {
        match (self.config.0.early_expiration, self.entries.get(key as usize)) {
            (Some(beta), Some(entry)) => now + entry.took.scaled(-beta * libm::log(1.0 - roll)) >= entry.expires_at(),
            _ => false,
        }
    }

    /// Stores what was loaded for `key` now, and says which key had to go. What the origin does not have is stored for
    /// the negative ttl, or forgotten without one. Panics on a key that is not below the key count.
    pub fn put(&mut self, now: Time, key: u32, load: Load) -> Option<u32> {
        let params = &self.config.0;
        let spread = 1.0 - params.ttl_jitter + 2.0 * params.ttl_jitter * load.ttl_roll;
        let ttl = match load.version {
            Some(_) => params.ttl.map_or(Time::NEVER.since(Time::ZERO), |ttl| ttl.scaled(spread)),
            None => match params.negative_ttl {
                Some(ttl) => ttl,
                None => {
                    self.remove(key);
                    return None;
                }
            },
        };
        let entry = Entry { version: load.version, stored_at: now, fresh_since: now, ttl, took: load.took };
        let mut evicted = None;
        if self.contains(key) {
            self.order.on_replace(key);
        } else {
            if self.len == params.capacity {
                let victim = self.order.victim(load.victim_roll);
                self.remove(victim);
                evicted = Some(victim);
            }
            self.order.insert(key);
            self.len += 1;
        }
        *self.entries.get_mut(key as usize) = Some(entry);
        evicted
    }

    /// The row of `key` is written: the copy is replaced or dropped, and the answer says when to write the store.
    pub fn on_write(&mut self, now: Time, key: u32, load: Load) -> StoreWrite {
        match self.config.0.write_policy {
            WritePolicy::Invalidate => {
                self.remove(key);
                StoreWrite::Now
            }
            WritePolicy::Through => {
                self.put(now, key, load);
                StoreWrite::Now
            }
            WritePolicy::Behind => {
                self.put(now, key, load);
                StoreWrite::Later
            }
        }
    }

    /// Forgets `key` (invalidation); nothing happens if it is not there.
    pub fn remove(&mut self, key: u32) {
        if self.contains(key) {
            self.order.remove(key);
            *self.entries.get_mut(key as usize) = None;
            self.len -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: f64) -> Time {
        Time::from_seconds(seconds)
    }

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    /// Copies fresh for a second.
    fn cache(capacity: u32, change: impl FnOnce(&mut CacheParams)) -> Cache {
        let mut params = CacheParams::plain(capacity, Some(ms(1_000)));
        change(&mut params);
        Cache::new(CacheConfig::new(params).unwrap(), 1_000)
    }

    fn absent() -> Load {
        Load { version: None, ..Load::version(0) }
    }

    #[test]
    fn fresh_then_revalidated_then_usable_then_only_in_the_way() {
        let mut cache = cache(2, |p| (p.stale_while_revalidate, p.stale_if_error) = (ms(200), ms(500)));
        cache.put(at(1.0), 7, Load::version(42));
        let copy = CachedCopy { version: 42, stored_at: at(1.0) };
        assert_eq!(cache.get(Time::from_nanos(1_999_999_999), 7), Lookup::Fresh(copy));
        assert_eq!(cache.get(at(2.0), 7), Lookup::Revalidate(copy));
        assert_eq!(cache.get(Time::from_nanos(2_199_999_999), 7), Lookup::Revalidate(copy));
        assert_eq!(cache.get(at(2.2), 7), Lookup::Stale { copy, usable: true });
        assert_eq!(cache.get(Time::from_nanos(2_499_999_999), 7), Lookup::Stale { copy, usable: true });
        assert_eq!(cache.get(at(2.5), 7), Lookup::Stale { copy, usable: false });
        assert_eq!((cache.len(), cache.get(at(0.0), 8)), (1, Lookup::Miss));
    }

    #[test]
    fn a_read_refreshes_if_told_so_but_not_an_expired_copy() {
        let mut cache = cache(2, |p| p.refresh_on_read = true);
        cache.put(at(0.0), 7, Load::version(1));
        for seconds in [0.9, 1.8, 2.7] {
            assert!(matches!(cache.get(at(seconds), 7), Lookup::Fresh(_)));
        }
        for seconds in [3.7, 3.8] {
            assert!(matches!(cache.get(at(seconds), 7), Lookup::Stale { .. }));
        }
    }

    #[test]
    fn the_ttl_is_spread_by_its_jitter() {
        let mut cache = cache(3, |p| p.ttl_jitter = 0.1);
        for (key, ttl_roll) in [(1, 0.0), (2, 0.5), (3, 0.999_999)] {
            cache.put(at(0.0), key, Load { ttl_roll, ..Load::version(1) });
        }
        let mut fresh = |seconds| [1, 2, 3].map(|key| matches!(cache.get(at(seconds), key), Lookup::Fresh(_)));
        assert_eq!(fresh(0.899), [true, true, true]);
        assert_eq!(fresh(0.9), [false, true, true]);
        assert_eq!(fresh(1.0), [false, false, true]);
        assert_eq!(fresh(1.1), [false, false, false]);
    }

    #[test]
    fn what_the_origin_does_not_have_is_remembered_for_its_own_time() {
        let mut cache = cache(2, |p| p.negative_ttl = Some(ms(100)));
        cache.put(at(0.0), 7, Load::version(1));
        cache.put(at(0.5), 7, absent());
        assert_eq!(cache.get(at(0.55), 7), Lookup::Absent);
        assert_eq!(cache.get(at(0.6), 7), Lookup::Miss);
        let mut forgetful = self::cache(2, |_| ());
        forgetful.put(at(0.0), 7, Load::version(1));
        forgetful.put(at(0.5), 7, absent());
        assert!(forgetful.is_empty());
    }

    #[test]
    fn early_expiration_has_the_probability_of_the_paper() {
        let mut cache = cache(2, |p| p.early_expiration = Some(1.0));
        cache.put(at(0.0), 7, Load { took: ms(100), ..Load::version(1) });
        // At a remaining time of one load it is 1/e.
        let early = |at, cache: &Cache| (0..1_000).filter(|n| cache.expires_early(at, 7, f64::from(*n) / 1e3)).count();
        assert_eq!(early(at(0.9), &cache), 367);
        assert_eq!((early(at(0.0), &cache), early(at(1.0), &cache)), (0, 1_000));
        assert_eq!(early(at(0.9), &self::cache(2, |_| ())), 0);
    }

    #[test]
    fn writes_follow_their_policy() {
        for (write_policy, expected) in [
            (WritePolicy::Invalidate, (StoreWrite::Now, Lookup::Miss)),
            (WritePolicy::Through, (StoreWrite::Now, Lookup::Fresh(CachedCopy { version: 2, stored_at: at(0.1) }))),
            (WritePolicy::Behind, (StoreWrite::Later, Lookup::Fresh(CachedCopy { version: 2, stored_at: at(0.1) }))),
        ] {
            let mut cache = cache(2, |p| p.write_policy = write_policy);
            cache.put(at(0.0), 7, Load::version(1));
            assert_eq!((cache.on_write(at(0.1), 7, Load::version(2)), cache.get(at(0.2), 7)), expected);
        }
    }

    #[test]
    fn a_random_victim_is_any_entry() {
        let full = || {
            let mut cache = cache(4, |p| p.eviction = Eviction::Random);
            (0..4).for_each(|key| assert_eq!(cache.put(at(0.0), key, Load::version(1)), None));
            cache
        };
        let victims =
            [0.0, 0.25, 0.5, 0.999].map(|victim_roll| full().put(at(0.0), 9, Load { victim_roll, ..Load::version(1) }));
        assert_eq!(victims, [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut CacheParams)| {
            let mut params = CacheParams::plain(1, Some(ms(1)));
            change(&mut params);
            CacheConfig::new(params).unwrap_err()
        };
        assert!(refused(|p| p.capacity = 0).contains("capacity"));
        assert!(refused(|p| p.ttl_jitter = 1.0).contains("jitter"));
        assert!(refused(|p| p.early_expiration = Some(f64::NAN)).contains("beta"));
        assert!(refused(|p| p.negative_ttl = Some(Span::ZERO)).contains("negative"));
    }

    /// The same promise written the slow way: a list of entries in the order of their coming in.
    struct Model {
        capacity: usize,
        eviction: Eviction,
        list: Vec<Row>,
        step: u32,
    }

    struct Row {
        key: u32,
        copy: CachedCopy,
        uses: u32,
        /// The step of the last `get`, and of the last `get` or `put`.
        read: u32,
        touched: u32,
    }

    impl Model {
        fn row(&mut self, key: u32) -> (u32, Option<&mut Row>) {
            self.step += 1;
            (self.step, self.list.iter_mut().find(|row| row.key == key))
        }

        fn get(&mut self, now: Time, key: u32) -> Lookup {
            let (step, Some(row)) = self.row(key) else { return Lookup::Miss };
            let copy = row.copy;
            row.uses += 1;
            (row.read, row.touched) = (step, step);
            match now.since(copy.stored_at) < ms(1_000) {
                true => Lookup::Fresh(copy),
                false => Lookup::Stale { copy, usable: false },
            }
        }

        fn put(&mut self, now: Time, key: u32, version: u64) -> Option<u32> {
            let copy = CachedCopy { version, stored_at: now };
            if let (step, Some(row)) = self.row(key) {
                row.copy = copy;
                row.touched = step;
                return None;
            }
            let evicted = (self.list.len() == self.capacity).then(|| {
                let rank = |row: &Row| match self.eviction {
                    Eviction::Lru => (0, row.touched),
                    Eviction::Lfu => (row.uses, row.read),
                    Eviction::Fifo | Eviction::Random => (0, 0),
                };
                let (place, _) = self.list.iter().enumerate().min_by_key(|(_, row)| rank(row)).unwrap();
                self.list.remove(place).key
            });
            self.list.push(Row { key, copy, uses: 1, read: self.step, touched: self.step });
            evicted
        }
    }

    proptest! {
        /// Any history of operations gives the answers and the victims of the plain model, and a clone goes its own
        /// way.
        #[test]
        fn agrees_with_the_plain_model(
            capacity in 1u32..8,
            eviction in prop::sample::select(&[Eviction::Lru, Eviction::Fifo, Eviction::Lfu][..]),
            operations in prop::collection::vec((0u8..10, 0u32..12, 0u64..400), 1..300),
        ) {
            let mut cache = cache(capacity, |p| p.eviction = eviction);
            let mut model = Model { capacity: capacity as usize, eviction, list: Vec::new(), step: 0 };
            let mut now = Time::ZERO;
            for (version, (what, key, gap_ms)) in operations.into_iter().enumerate() {
                now += ms(gap_ms);
                let key = key * 83; // spread over several chunks
                let mut other = cache.clone();
                other.put(now, (key + 1) % 1_000, Load::version(0));
                match what {
                    0..6 => prop_assert_eq!(cache.get(now, key), model.get(now, key)),
                    6..9 => {
                        let evicted = cache.put(now, key, Load::version(version as u64));
                        prop_assert_eq!(evicted, model.put(now, key, version as u64));
                    }
                    _ => {
                        cache.remove(key);
                        model.list.retain(|row| row.key != key);
                    }
                }
                prop_assert_eq!(cache.len() as usize, model.list.len());
                prop_assert!(model.list.iter().all(|row| cache.contains(row.key)));
            }
        }

        /// Whatever the luck, a random eviction keeps the capacity and gives up one entry that was there.
        #[test]
        fn random_eviction_keeps_the_capacity(
            capacity in 1u32..8, puts in prop::collection::vec((0u32..20, 0.0f64..1.0, any::<bool>()), 1..200),
        ) {
            let mut cache = cache(capacity, |p| p.eviction = Eviction::Random);
            for (key, victim_roll, removes) in puts {
                let before = cache.clone();
                if removes {
                    cache.remove(key);
                } else if let Some(victim) = cache.put(at(0.0), key, Load { victim_roll, ..Load::version(1) }) {
                    prop_assert!(before.contains(victim) && !cache.contains(victim) && before.len() == capacity);
                }
                prop_assert!(cache.len() <= capacity);
                prop_assert_eq!(cache.len() as usize, (0..20).filter(|&key| cache.contains(key)).count());
                prop_assert_eq!(cache.contains(key), !removes);
            }
        }
    }
}
