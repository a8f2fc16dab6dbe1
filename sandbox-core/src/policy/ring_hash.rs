//! Ring hash: the same key goes to the same instance, whoever else comes or goes.
//!
//! Promise: when an instance joins, a key stays where it is or moves to the newcomer; when one leaves, only its own keys
//! move. Each instance owns `vnodes` points on a ring, and a key belongs to the next point clockwise. The share of an
//! instance has a coefficient of variation of sqrt((n - 1) / (n vnodes + 1)): more points, more even. Semantics:
//! ketama, and Envoy's `ring_hash`. Left out: weights, bounded loads.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Points of an instance if nothing else is said (ketama).
pub const DEFAULT_VNODES: u32 = 160;
/// Most points in all: a ring is held in memory.
const POINTS_MAX: u64 = 10_000_000;

/// A ring of instances.
#[derive(Clone, Debug)]
pub struct RingHash {
    /// Position and instance, by position.
    points: Vec<(u64, u16)>,
}

impl RingHash {
    /// A ring of instances 0 to `instances` - 1.
    pub fn new(instances: u16, vnodes: u32) -> Result<RingHash, String> {
        let count = u64::from(instances) * u64::from(vnodes);
        if vnodes == 0 || count > POINTS_MAX {
            return Err(format!(
                "{instances} instances with {vnodes} vnodes each: use 1 to {POINTS_MAX} points in all"
            ));
        }
        let of = |instance: u16| {
            (0..vnodes).map(move |vnode| (hash(u64::from(instance) << 32 | u64::from(vnode), 1), instance))
        };
        let mut points: Vec<(u64, u16)> = (0..instances).flat_map(of).collect();
        points.sort_unstable();
        Ok(RingHash { points })
    }

    /// The instance of a key, among those for which `available` holds; None if there is none.
    pub fn decide(&self, key: u64, available: impl Fn(usize) -> bool) -> Option<usize> {
        let start = self.points.partition_point(|(position, _)| *position < hash(key, 2));
        let clockwise = self.points[start..].iter().chain(&self.points[..start]);
        clockwise.map(|(_, instance)| usize::from(*instance)).find(|instance| available(*instance))
    }
}

/// A hash of a number; `seed` tells apart what it is for.
pub fn hash(number: u64, seed: u64) -> u64 {
    xxh3_64_with_seed(&number.to_le_bytes(), seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_are_as_even_as_the_points_make_them() {
        let ring = RingHash::new(10, DEFAULT_VNODES).unwrap();
        let mut got = [0f64; 10];
        (0..100_000).for_each(|key| got[ring.decide(key, |_| true).unwrap()] += 1.0 / 10_000.0);
        let deviation = (got.iter().map(|share| (share - 1.0) * (share - 1.0)).sum::<f64>() / 9.0).sqrt();
        let expected = (9f64 / (10.0 * f64::from(DEFAULT_VNODES) + 1.0)).sqrt();
        assert!((0.5..2.0).contains(&(deviation / expected)), "{deviation} {expected}");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(RingHash::new(3, 0).unwrap_err().contains("vnodes"));
        assert!(RingHash::new(u16::MAX, u32::MAX).unwrap_err().contains("points"));
        assert_eq!(RingHash::new(0, 5).unwrap().decide(1, |_| true), None);
    }

    proptest! {
        /// A join moves keys to the newcomer only; an instance that is away gets its own keys back and no others.
        #[test]
        fn only_the_keys_of_the_one_that_comes_or_goes_move(
            instances in 1u16..12, vnodes in 1u32..50, away in 0usize..12, keys in prop::collection::vec(any::<u64>(), 50),
        ) {
            let (before, after) = (RingHash::new(instances, vnodes).unwrap(), RingHash::new(instances + 1, vnodes).unwrap());
            for key in keys {
                let (old, new) = (before.decide(key, |_| true), after.decide(key, |_| true));
                prop_assert!(new == old || new == Some(usize::from(instances)));
                prop_assert_eq!(after.decide(key, |at| at != usize::from(instances)), old);
                let without = before.decide(key, |at| at != away);
                prop_assert!(without != Some(away) && (without == old || old == Some(away)));
            }
        }
    }
}
