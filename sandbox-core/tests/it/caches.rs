//! Caches before caches: a load may look into another cache.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::trace::{CacheResult, What};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often each cache gave each answer.
type Asked = BTreeMap<(String, String), u32>;

/// The versions that each cache kept.
type Kept = BTreeMap<String, Vec<u64>>;

/// What was asked of each cache, with its answer, and which versions each kept; ten requests a second for one row, ten seconds.
fn looked_up(load: Value, faults: Value) -> (Asked, Kept) {
    let cache = |ttl_s: f64| json!({ "kind": "cache", "ttl_s": ttl_s, "stale_if_error_s": 60, "single_flight": true });
    let document = Document::from_json(json!({
        "format_version": 1, "id": "tiers", "title": "Two tiers", "seed": 7, "duration_s": 10,
        "nodes": {
            "users": { "kind": "client" },
            "api": { "kind": "service", "workers": 8, "routes": { "GET /": [ { "cached": { "cache": "near", "load": [load] } } ] } },
            "near": cache(0.25),
            "far": cache(3.0),
            "db": {
                "kind": "store", "readers": 4, "rows": 10,
                "read": { "dist": "constant", "value_ms": 5 }, "write": { "dist": "constant", "value_ms": 5 }
            }
        },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 1,
            "arrivals": { "process": "paced", "gap_ms": 100 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "faults": faults
    }));
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    assert_eq!(run.head().observe().in_flight, 0);
    let (mut asked, mut kept) = (Asked::new(), Kept::new());
    let plan = run.plan().clone();
    for logged in run.records(0..u32::MAX) {
        let name = plan.nodes[logged.record.node.index()].id.clone();
        match logged.record.what {
            What::CacheAsked { result, .. } => *asked.entry((name, format!("{result:?}"))).or_default() += 1,
            What::CacheStored { version, .. } => kept.entry(name).or_default().push(version),
            _ => {}
        }
    }
    (asked, kept)
}

fn count(asked: &Asked, cache: &str, result: CacheResult) -> u32 {
    asked.get(&(cache.to_string(), format!("{result:?}"))).copied().unwrap_or(0)
}

/// 101 requests; the near cache loads every 300 ms, the far one every 3.0 to 3.3 s, and both keep what the store has.
fn assert_two_tiers(load: Value) {
    let (asked, kept) = looked_up(load, json!({}));
    let near: u32 = asked.iter().filter(|((cache, _), _)| cache == "near").map(|(_, count)| count).sum();
    assert_eq!(near, 101, "{asked:?}");
    assert_eq!(count(&asked, "near", CacheResult::Fresh), 67, "{asked:?}");
    assert_eq!(count(&asked, "near", CacheResult::Miss), 1);
    assert_eq!(count(&asked, "near", CacheResult::Stale), 33);
    assert_eq!(count(&asked, "far", CacheResult::Fresh), 30);
    assert_eq!(count(&asked, "far", CacheResult::Miss), 1);
    assert_eq!(count(&asked, "far", CacheResult::Stale), 3);
    assert_eq!(kept["near"], [1; 34]);
    assert_eq!(kept["far"], [1; 4]);
}

#[test]
fn a_load_may_look_into_another_cache() {
    assert_two_tiers(json!({ "cached": { "cache": "far", "load": [{ "read": { "store": "db" } }] } }));
}

#[test]
fn a_load_may_read_through_another_cache() {
    assert_two_tiers(json!({ "read": { "store": "db", "cache": "far" } }));
}

/// While the store is down the far cache's old copy stands in, and no flight of either cache stays open.
#[test]
fn a_failed_load_ends_the_flights_of_both_caches() {
    let faults = json!({ "outage": { "node": "db", "effect": { "kind": "down" }, "from_s": 3.5, "to_s": 6.5 } });
    for load in [
        json!({ "cached": { "cache": "far", "load": [{ "read": { "store": "db" } }] } }),
        json!({ "read": { "store": "db", "cache": "far" } }),
    ] {
        let (asked, kept) = looked_up(load, faults.clone());
        let near: u32 = asked.iter().filter(|((cache, _), _)| cache == "near").map(|(_, count)| count).sum();
        assert_eq!(near, 101, "{asked:?}");
        assert!(kept["far"].len() >= 3, "{kept:?}");
    }
}

#[test]
fn copies_that_were_there_from_the_start_do_not_expire_together_where_their_time_is_spread() {
    let misses_in_a_second = |ttl_jitter: f64| {
        let document = json!({
            "format_version": 1, "id": "warm", "title": "Warm", "seed": 7, "duration_s": 14,
            "nodes": {
                "users": { "kind": "client" },
                "api": { "kind": "service", "workers": 8, "routes": { "GET /": [ { "cached": { "cache": "copies", "load": [ { "read": { "store": "db" } } ] } } ] } },
                "copies": { "kind": "cache", "ttl_s": 10, "ttl_jitter": ttl_jitter, "warm": true },
                "db": {
                    "kind": "store", "readers": 4, "rows": 1000,
                    "read": { "dist": "constant", "value_ms": 1 }, "write": { "dist": "constant", "value_ms": 1 }
                }
            },
            "workloads": { "load": {
                "client": "users", "target": "api", "keys": 1000, "users": 1,
                "arrivals": { "process": "paced", "gap_ms": 2 },
                "routes": { "GET /": { "weight": 1, "op": "read" } }
            } }
        });
        let run = crate::asked::run(document);
        crate::asked::value(&run, "cache_miss_total.max1s")
    };
    let (together, spread) = (misses_in_a_second(0.0), misses_in_a_second(0.4));
    assert!(together > 2.0 * spread, "{together} at once, {spread} where it is spread");
}
