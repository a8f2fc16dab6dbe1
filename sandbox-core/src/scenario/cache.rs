//! A cache.

use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{Kind, limits};
use crate::policy::cache::{CacheConfig, CacheParams, Eviction};
use crate::time::Span;

spec! {
    /// A cache with copies of rows: time to live, least recently used leaves first, stale-if-error.
    pub struct CacheSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// Copies that fit in; absent or null: one of every row.
        pub capacity?: Option<u32>,
        /// A copy is fresh for this long; null: for ever.
        pub ttl_s?: Option<f64>,
        /// Each copy's time to live is spread by this share either way, so that they do not expire together.
        pub ttl_jitter?: f64,
        /// Finding a copy fresh begins its time to live anew.
        pub refresh_on_read?: bool,
        /// Which copy a full cache gives up.
        pub eviction?: EvictionSpec,
        /// One load of a row at a time: whoever else misses it waits and shares what comes of it.
        pub single_flight?: bool,
        /// Whether it holds a copy of every row at the start, as far as they fit in.
        pub warm?: bool,
        /// An expired copy is served for this long while it is loaded again (RFC 5861); 0: never.
        pub stale_while_revalidate_s?: f64,
        /// An expired copy may be served for this long when its origin fails (RFC 5861); 0: never.
        pub stale_if_error_s?: f64,
        /// Copies are loaded again before they expire, at random (XFetch); absent: never.
        pub early_expiration?: Option<EarlyExpirationSpec>,
        /// That the origin failed is kept for this long, and whoever asks gets the same failure; absent: not at all.
        pub failure_ttl_s?: Option<f64>,
        /// Whether a copy whose row was invalidated after it was looked up is not stored (leases, as in memcache).
        pub leases?: bool,
        /// Whether each instance that asks has copies of its own, in its own memory; `capacity` is then that of each.
        pub local?: bool,
        /// Whether copies outlive the cache's going down.
        pub durable: bool = true,
    }
}

spec! {
    /// Which copy a full cache gives up (ARCHITECTURE.md, "Policies").
    #[derive(Default)]
    pub enum EvictionSpec {
        /// The one not touched for longest.
        #[default]
        Lru,
        /// The one that came in first.
        Fifo,
        /// Any.
        Random,
        /// The one looked up least often.
        Lfu,
    }
}

spec! {
    /// Early expiration (XFetch, VLDB 2015).
    #[derive(Copy)]
    pub struct EarlyExpirationSpec {
        /// Above 1: earlier loads.
        pub beta: f64 = 1.0,
        /// What a load is taken to cost; absent: as long as the last one took.
        pub delta_ms?: Option<f64>,
    }
}

/// A cache.
#[derive(Clone, Debug)]
pub struct CachePlan {
    /// Capacity and times.
    pub config: CacheConfig,
    /// Whether it holds copies at the start.
    pub warm: bool,
    /// Whether one load of a row at a time is enough.
    pub single_flight: bool,
    /// What a load is taken to cost, for early expiration; None: as long as it took.
    pub load_cost: Option<Span>,
    /// Keys run below this.
    pub key_count: u32,
    /// Whether what was invalidated since it was looked up is not stored.
    pub leases: bool,
    /// Whether failures are kept.
    pub keeps_failures: bool,
    /// Whether each instance that asks has copies of its own.
    pub local: bool,
    /// Whether copies outlive the cache's going down.
    pub durable: bool,
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn cache(&mut self, path: &Path, cache: &CacheSpec) -> Kind {
        let keys = self.spec.workloads.values().map(|workload| workload.keys).max().unwrap_or(1).clamp(1, limits::ROWS);
        let capacity = cache.capacity.unwrap_or(keys);
        self.within(&path.at("capacity"), f64::from(capacity), 1.0, f64::from(limits::ROWS));
        self.within(&path.at("ttl_s"), cache.ttl_s.unwrap_or(1.0), 0.0, limits::DURATION_S);
        for (name, window) in
            [("stale_if_error_s", cache.stale_if_error_s), ("stale_while_revalidate_s", cache.stale_while_revalidate_s)]
        {
            self.within(&path.at(name), window, 0.0, limits::DURATION_S);
        }
        self.within(&path.at("failure_ttl_s"), cache.failure_ttl_s.unwrap_or(0.0), 0.0, limits::DURATION_S);
        let cost = cache.early_expiration.and_then(|early| early.delta_ms);
        self.within(&path.at("early_expiration.delta_ms"), cost.unwrap_or(0.0), 0.0, 3_600_000.0);
        let ttl = cache.ttl_s.map(|ttl| Span::from_seconds(ttl).max(Span::from_nanos(1)));
        let params = CacheParams {
            ttl_jitter: cache.ttl_jitter,
            refresh_on_read: cache.refresh_on_read,
            eviction: match cache.eviction {
                EvictionSpec::Lru => Eviction::Lru,
                EvictionSpec::Fifo => Eviction::Fifo,
                EvictionSpec::Random => Eviction::Random,
                EvictionSpec::Lfu => Eviction::Lfu,
            },
            stale_while_revalidate: Span::from_seconds(cache.stale_while_revalidate_s),
            stale_if_error: Span::from_seconds(cache.stale_if_error_s),
            early_expiration: cache.early_expiration.map(|early| early.beta),
            negative_ttl: cache.failure_ttl_s.map(Span::from_seconds),
            ..CacheParams::plain(capacity.max(1), ttl)
        };
        let config = self
            .taken(path, CacheConfig::new(params))
            .unwrap_or_else(|| CacheConfig::new(CacheParams::plain(1, None)).expect("a plain cache is a good one"));
        let load_cost = cost.map(Span::from_ms);
        Kind::Cache(CachePlan {
            config,
            warm: cache.warm,
            single_flight: cache.single_flight,
            load_cost,
            key_count: keys,
            leases: cache.leases,
            keeps_failures: cache.failure_ttl_s.is_some(),
            local: cache.local,
            durable: cache.durable,
        })
    }
}
