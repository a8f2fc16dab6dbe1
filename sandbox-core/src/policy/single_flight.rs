//! Single-flight: one load of a key at a time, whatever the number of requests that miss it.
//!
//! Promise: between two ends of loads of a key exactly one of those who ask leads. The others follow: they wait for the
//! leader's load and share its value and its error. A follower's own deadline still applies; who waits is the caller's
//! to remember. Without it a miss that takes d costs 1 + lambda d loads.

use std::collections::BTreeSet;

/// The loads under way.
#[derive(Clone, Debug, Default)]
pub struct SingleFlight {
    keys: BTreeSet<u32>,
}

/// What someone who needs a key is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flight {
    /// Load it, and tell [`SingleFlight::on_load_end`].
    Lead,
    /// Wait for the load that is under way.
    Follow,
}

impl SingleFlight {
    /// Somebody needs `key` loaded.
    pub fn decide(&mut self, key: u32) -> Flight {
        if self.keys.insert(key) { Flight::Lead } else { Flight::Follow }
    }

    /// Whether a load of `key` is under way.
    pub fn is_loading(&self, key: u32) -> bool {
        self.keys.contains(&key)
    }

    /// The load of `key` succeeded or failed.
    pub fn on_load_end(&mut self, key: u32) {
        self.keys.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the order: as many leaders of a key as loads of it that have ended, and one more if one is under
        /// way.
        #[test]
        fn one_leader_per_load(steps in prop::collection::vec((0u32..3, any::<bool>()), 1..100)) {
            let mut flights = SingleFlight::default();
            let (mut leaders, mut ended) = ([0u32; 3], [0u32; 3]);
            for (key, asks) in steps {
                let place = key as usize;
                if asks {
                    let expected = if flights.is_loading(key) { Flight::Follow } else { Flight::Lead };
                    prop_assert_eq!(flights.decide(key), expected);
                    leaders[place] += u32::from(expected == Flight::Lead);
                } else if flights.is_loading(key) {
                    flights.on_load_end(key);
                    ended[place] += 1;
                }
                prop_assert_eq!(leaders[place], ended[place] + u32::from(flights.is_loading(key)));
            }
        }
    }
}
