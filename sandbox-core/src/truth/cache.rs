//! A `cache` model: look-ups and deletions at given instants; a miss is loaded at once.

use super::Answers;
use super::read::{Ms, in_order, read};
use crate::policy::cache::{Cache, CacheConfig, CacheParams, Eviction, Load, Lookup};
use crate::scenario::{Problem, spec};
use serde_json::{Value, json};

spec! {
    struct Model {
        cache: CacheModel,
        operations: Vec<Operation>,
    }
}

spec! {
    struct CacheModel {
        /// Missing: unbounded.
        capacity?: Option<u32>,
        eviction: EvictionModel,
        /// Missing: for ever.
        ttl_ms?: Option<Ms>,
        refresh_on_read: bool,
    }
}

spec! {
    enum EvictionModel {
        Lru,
        Fifo,
        Lfu,
    }
}

spec! {
    struct Operation {
        t_ms: Ms,
        op: Op,
        key: String,
    }
}

spec! {
    enum Op {
        Get,
        Del,
    }
}

/// What each operation finds, what it evicts and what it leaves behind, least recently used first.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { cache, operations } = read(model)?;
    in_order("operations", operations.iter().map(|operation| operation.t_ms.time()))?;
    let mut names: Vec<&str> = operations.iter().map(|operation| operation.key.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let key_count = names.len() as u32;
    let params = CacheParams {
        refresh_on_read: cache.refresh_on_read,
        eviction: match cache.eviction {
            EvictionModel::Lru => Eviction::Lru,
            EvictionModel::Fifo => Eviction::Fifo,
            EvictionModel::Lfu => Eviction::Lfu,
        },
        ..CacheParams::plain(cache.capacity.unwrap_or(key_count.max(1)), cache.ttl_ms.map(|ttl| ttl.0))
    };
    let config = CacheConfig::new(params).map_err(|why| vec![Problem::new("cache", why, "Mend the value.")])?;
    let mut cache = Cache::new(config, key_count);
    let (mut results, mut evicted, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    let mut recent: Vec<u32> = Vec::new();
    for operation in &operations {
        let (now, name) = (operation.t_ms.time(), operation.key.as_str());
        let key = names.binary_search(&name).expect("every key has a number") as u32;
        let load = Load::version(0);
        let (result, victim) = match operation.op {
            Op::Del => {
                cache.remove(key);
                ("deleted", None)
            }
            Op::Get => match cache.get(now, key) {
                Lookup::Fresh(_) => ("hit", None),
                Lookup::Miss => ("miss", cache.put(now, key, load)),
                _ => ("expired", cache.put(now, key, load)),
            },
        };
        recent.retain(|other| *other != key);
        recent.push(key);
        recent.retain(|key| cache.contains(*key));
        results.push(result);
        evicted.push(victim.map(|key| names[key as usize]));
        contents.push(recent.iter().map(|key| names[*key as usize]).collect::<Vec<&str>>());
    }
    let hits = results.iter().filter(|result| **result == "hit").count();
    let answers = [
        ("results", json!(results)),
        ("evicted", json!(evicted)),
        ("contents_lru_to_mru", json!(contents)),
        ("hits", json!(hits)),
    ];
    Ok(answers.map(|(name, value)| (name.to_string(), value)).into_iter().collect())
}
