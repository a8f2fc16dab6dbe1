//! Idempotency keys: has this request been executed already?
//!
//! Promise: of the requests that carry the same key within its lifetime one is executed; the others are refused while it
//! runs and get its stored response afterwards. A key that comes with another payload is refused.
//!
//! Semantics: draft-ietf-httpapi-idempotency-key-header-07. 400 when a key is required and missing, 409 while the first
//! request is under way (whatever the payload), 422 when a finished key comes with another payload, otherwise the
//! stored response, errors included. The lifetime counts from the stored response (Stripe: 24 hours). A request that
//! failed before its execution began leaves no trace ([`IdempotencyKeys::on_abandoned`]). The record of the key and the
//! effect are one transaction, which is the caller's to keep; so is the scope of keys (per user).

use crate::shared_map::SharedMap;
use crate::time::{Span, Time};

/// Checked parameters of idempotency keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyConfig {
    key_required: bool,
    lifetime: Span,
}

impl IdempotencyConfig {
    /// Whether a request without a key is refused, and how long a stored response is replayed.
    pub fn new(key_required: bool, lifetime: Span) -> Result<IdempotencyConfig, String> {
        if lifetime == Span::ZERO {
            return Err("the lifetime of idempotency keys is 0, so nothing would be replayed: use 24 hours".into());
        }
        Ok(IdempotencyConfig { key_required, lifetime })
    }
}

/// The keys of one scope, of type `K`, with responses of type `R`. A clone costs nothing, whatever is stored.
#[derive(Clone, Debug)]
pub struct IdempotencyKeys<K, R> {
    config: IdempotencyConfig,
    records: SharedMap<K, Record<R>>,
    /// When which stored response expires.
    expiries: SharedMap<(Time, K), ()>,
}

#[derive(Clone, Debug)]
struct Record<R> {
    fingerprint: u64,
    /// None while the execution is under way.
    response: Option<R>,
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyDecision<'a, R> {
    /// Execute it. If it has a key, `on_response` or `on_abandoned` is to follow.
    Execute,
    /// Answer with this stored response.
    Replay(&'a R),
    /// Refuse it.
    Refuse(KeyRefusal),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// It has no key, and one is required.
    Missing,
    /// The first request with this key is under way.
    InProgress,
    /// The key belongs to another payload.
    OtherPayload,
}

impl KeyRefusal {
    /// The HTTP status of the refusal.
    pub fn status(self) -> u16 {
        match self {
            KeyRefusal::Missing => 400,
            KeyRefusal::InProgress => 409,
            KeyRefusal::OtherPayload => 422,
        }
    }
}

impl<K: Ord + Copy, R: Clone> IdempotencyKeys<K, R> {
    /// No keys yet.
    pub fn new(config: IdempotencyConfig) -> IdempotencyKeys<K, R> {
        IdempotencyKeys { config, records: SharedMap::new(), expiries: SharedMap::new() }
    }

    /// A request arrives; `fingerprint` is a hash of its payload.
    pub fn decide(&mut self, now: Time, key: Option<K>, fingerprint: u64) -> IdempotencyDecision<'_, R> {
        while let Some(((at, expired), ())) = self.expiries.iter().next().filter(|((at, _), ())| now >= *at) {
            self.expiries.remove((at, expired));
            self.records.remove(expired);
        }
        let Some(key) = key else {
            return match self.config.key_required {
                true => IdempotencyDecision::Refuse(KeyRefusal::Missing),
                false => IdempotencyDecision::Execute,
            };
        };
        if self.records.get(key).is_none() {
            self.records.insert(key, Record { fingerprint, response: None });
            return IdempotencyDecision::Execute;
        }
        match self.records.get(key) {
            Some(Record { fingerprint: first, response: Some(response) }) => match *first == fingerprint {
                true => IdempotencyDecision::Replay(response),
                false => IdempotencyDecision::Refuse(KeyRefusal::OtherPayload),
            },
            _ => IdempotencyDecision::Refuse(KeyRefusal::InProgress),
        }
    }

    /// The request that was executed under `key` has its response, good or bad.
    pub fn on_response(&mut self, now: Time, key: K, response: R) {
        if let Some(&Record { fingerprint, response: None }) = self.records.get(key) {
            self.records.insert(key, Record { fingerprint, response: Some(response) });
            self.expiries.insert((now + self.config.lifetime, key), ());
        }
    }

    /// The request under `key` ended before its execution began: the next one with this key is executed.
    pub fn on_abandoned(&mut self, key: K) {
        if matches!(self.records.get(key), Some(Record { response: None, .. })) {
            self.records.remove(key);
        }
    }

    /// Keys under way or stored.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use IdempotencyDecision::{Execute, Refuse, Replay};
    use proptest::prelude::*;

    fn keys(key_required: bool) -> IdempotencyKeys<&'static str, u16> {
        IdempotencyKeys::new(IdempotencyConfig::new(key_required, Span::from_millis(1_000)).unwrap())
    }

    fn ms(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    #[test]
    fn a_key_goes_through_its_life() {
        let mut keys = keys(true);
        assert_eq!(keys.decide(ms(0), None, 1), Refuse(KeyRefusal::Missing));
        assert_eq!(keys.decide(ms(0), Some("a"), 1), Execute);
        assert_eq!(keys.decide(ms(10), Some("a"), 1), Refuse(KeyRefusal::InProgress));
        assert_eq!(keys.decide(ms(10), Some("a"), 2), Refuse(KeyRefusal::InProgress));
        keys.on_response(ms(100), "a", 201);
        assert_eq!(keys.decide(ms(100), Some("a"), 1), Replay(&201));
        assert_eq!(keys.decide(ms(1_099), Some("a"), 2), Refuse(KeyRefusal::OtherPayload));
        assert_eq!(keys.decide(ms(1_100), Some("a"), 2), Execute);
        let all = [KeyRefusal::Missing, KeyRefusal::InProgress, KeyRefusal::OtherPayload];
        assert_eq!(all.map(KeyRefusal::status), [400, 409, 422]);
    }

    #[test]
    fn without_a_key_everything_is_executed_if_none_is_required() {
        let mut keys = keys(false);
        for _ in 0..2 {
            assert_eq!(keys.decide(ms(0), None, 1), Execute);
        }
        assert!(keys.is_empty());
    }

    #[test]
    fn what_never_began_leaves_no_trace_and_what_is_stored_stays() {
        let mut keys = keys(true);
        keys.decide(ms(0), Some("a"), 1);
        keys.on_abandoned("a");
        assert_eq!(keys.decide(ms(1), Some("a"), 2), Execute);
        keys.on_response(ms(2), "a", 500);
        keys.on_response(ms(3), "a", 200);
        keys.on_abandoned("a");
        assert_eq!(keys.decide(ms(4), Some("a"), 2), Replay(&500), "the first response counts");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(IdempotencyConfig::new(true, Span::ZERO).unwrap_err().contains("lifetime"));
    }

    proptest! {
        /// Whatever the order of requests and responses: a key is executed again only when its response has expired,
        /// and what has expired is not remembered.
        #[test]
        fn executed_once_per_lifetime(steps in prop::collection::vec((0u64..300, 0usize..3, any::<bool>()), 1..200)) {
            let mut keys = keys(true);
            let (mut running, mut stored) = ([false; 3], [None; 3]);
            let mut now_ms = 0;
            for (gap_ms, which, asks) in steps {
                now_ms += gap_ms;
                let name = ["a", "b", "c"][which];
                let alive = stored[which].is_some_and(|at| now_ms < at + 1_000);
                if asks {
                    let expected = match (running[which], alive) {
                        (true, _) => Refuse(KeyRefusal::InProgress),
                        (false, true) => Replay(&7),
                        (false, false) => Execute,
                    };
                    prop_assert_eq!(keys.decide(ms(now_ms), Some(name), 1), expected);
                    running[which] |= expected == Execute;
                    let known = (0..3).filter(|&n| running[n] || stored[n].is_some_and(|at| now_ms < at + 1_000));
                    prop_assert_eq!(keys.len(), known.count());
                } else if running[which] {
                    keys.on_response(ms(now_ms), name, 7);
                    (running[which], stored[which]) = (false, Some(now_ms));
                }
            }
        }
    }
}
