//! Load balancing: which instance gets this request?
//!
//! Promise: only an instance that is healthy now is chosen; `None` means there is none. Semantics: round robin cycles
//! over the healthy list, by weights as nginx does; least request is Envoy's with equal weights (`choice_count` hosts
//! drawn with replacement, fewest active requests win); random is uniform without a bias towards the neighbour of a
//! failed host; peak EWMA takes the cheaper of two (Finagle, Tower); ring hash is ketama's. Where draws are made with
//! replacement their number depends on the policy alone, so the random stream stays in step between variants of a run.
//! Left out: Envoy's panic threshold (with no healthy host the request fails), slow start.

use super::peak_ewma::{PeakEwma, PeakEwmaConfig};
use super::ring_hash::{RingHash, hash};
use super::smooth_wrr::SmoothWrr;
use crate::time::{Span, Time};

/// How instances are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BalancerPolicy {
    /// The healthy instances in turn.
    RoundRobin,
    /// The same by weights, spread out evenly (nginx).
    WeightedRoundRobin {
        /// One for each instance; 0 gets nothing.
        weights: Vec<u32>,
    },
    /// Of `choices` random healthy instances the one with the fewest requests in flight (power of d choices).
    LeastRequest {
        /// Instances looked at, at least 1; `None`: all of them. Default 2 (Envoy `choice_count`).
        choices: Option<u8>,
        /// Whether the same instance may be drawn twice. Default yes (Envoy).
        with_replacement: bool,
    },
    /// Any healthy instance, each equally likely.
    Random,
    /// The first healthy instance; the others stand by.
    First,
    /// Of two random healthy instances the one with the smaller latency times requests in flight.
    PeakEwma(PeakEwmaConfig),
    /// A hash of the key, modulo the number of healthy instances: nearly every key moves when that changes.
    Modulo,
    /// The same instance for the same key.
    RingHash {
        /// Points of each instance on the ring. Default 160 (ketama).
        vnodes: u32,
    },
}

impl BalancerPolicy {
    /// This policy, or what is wrong with it.
    pub fn check(self) -> Result<BalancerPolicy, String> {
        match &self {
            BalancerPolicy::LeastRequest { choices: Some(0), .. } => {
                Err("least_request looks at 0 instances: use 2 choices, or the policy `random`".into())
            }
            BalancerPolicy::WeightedRoundRobin { weights } => SmoothWrr::new(weights.clone()).map(|_| self),
            BalancerPolicy::RingHash { vnodes } => RingHash::new(1, *vnodes).map(|_| self),
            _ => Ok(self),
        }
    }
}

impl Default for BalancerPolicy {
    fn default() -> BalancerPolicy {
        BalancerPolicy::LeastRequest { choices: Some(2), with_replacement: true }
    }
}

/// What a choice depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The instant.
    pub now: Time,
    /// What the request is about; only a ring hash and a modulo look at it.
    pub key: u64,
    /// This balancer's own requests in flight at each instance.
    pub active: &'a [u32],
    /// Whether each instance may get traffic.
    pub healthy: &'a [bool],
}

/// Chooses among the instances of one service.
#[derive(Clone, Debug)]
pub struct Balancer(State);

/// A policy with what it remembers.
#[derive(Clone, Debug)]
enum State {
    RoundRobin {
        /// Where it looks first.
        next: usize,
    },
    Weighted(SmoothWrr),
    LeastRequest {
        choices: Option<u8>,
        with_replacement: bool,
    },
    Random,
    First,
    PeakEwma(Vec<PeakEwma>),
    Modulo,
    RingHash(RingHash),
}

impl Balancer {
    /// A balancer over so many instances. Panics on a policy that [`BalancerPolicy::check`] refuses.
    pub fn new(policy: BalancerPolicy, instances: u16) -> Balancer {
        Balancer(match policy.check().expect("a checked balancer policy") {
            BalancerPolicy::RoundRobin => State::RoundRobin { next: 0 },
            BalancerPolicy::WeightedRoundRobin { mut weights } => {
                weights.resize(instances.into(), 0);
                State::Weighted(SmoothWrr::new(weights).expect("an instance has a weight"))
            }
            BalancerPolicy::LeastRequest { choices, with_replacement } => {
                State::LeastRequest { choices, with_replacement }
            }
            BalancerPolicy::Random => State::Random,
            BalancerPolicy::Modulo => State::Modulo,
            BalancerPolicy::First => State::First,
            BalancerPolicy::PeakEwma(config) => {
                State::PeakEwma(vec![PeakEwma::new(config, Time::ZERO); instances.into()])
            }
            BalancerPolicy::RingHash { vnodes } => {
                State::RingHash(RingHash::new(instances, vnodes).expect("a ring of so many instances fits"))
            }
        })
    }

    /// The index of the instance that gets the request; `None` when no instance is healthy.
    ///
    /// The facts have one element per instance. `draw(n)` gives a uniform whole number in `[0, n)`. A tie goes to the
    /// instance drawn first; among all instances it is drawn.
    pub fn decide(&mut self, facts: Facts, draw: &mut dyn FnMut(u32) -> u32) -> Option<u16> {
        let Facts { now, key, active, healthy } = facts;
        assert_eq!(active.len(), healthy.len(), "one active count and one health flag per instance");
        let candidates = healthy.iter().filter(|&&healthy| healthy).count() as u32;
        if candidates == 0 {
            return None;
        }
        let all = candidates as usize == healthy.len();
        let nth = |n: u32| if all { n as usize } else { nth_healthy(healthy, n) };
        let chosen = match &mut self.0 {
            State::RoundRobin { next } => {
                let instances = healthy.len();
                let first = *next % instances;
                let chosen = (first..instances).chain(0..first).find(|&i| healthy[i])?;
                *next = chosen + 1;
                chosen
            }
            State::Weighted(wrr) => wrr.decide(|instance| healthy[instance])?,
            State::Random => nth(draw(candidates)),
            State::First => nth(0),
            State::LeastRequest { choices: None, .. } => {
                let of = |instance: &usize| healthy[*instance];
                let least = (0..healthy.len()).filter(of).map(|instance| active[instance]).min()?;
                let tied = |instance: &usize| of(instance) && active[*instance] == least;
                let ties = (0..healthy.len()).filter(tied).count() as u32;
                (0..healthy.len()).filter(tied).nth(draw(ties) as usize)?
            }
            State::LeastRequest { choices: Some(choices), with_replacement } => {
                let mut drawn: Vec<u32> = Vec::new();
                let mut best = nth(draw_new(candidates, *with_replacement, &mut drawn, draw));
                for _ in 1..*choices {
                    if drawn.len() as u32 == candidates {
                        break;
                    }
                    let other = nth(draw_new(candidates, *with_replacement, &mut drawn, draw));
                    if active[other] < active[best] {
                        best = other;
                    }
                }
                best
            }
            State::PeakEwma(estimates) => {
                let cost = |instance: usize| estimates[instance].cost(now, active[instance]);
                let mut drawn = Vec::new();
                let first = nth(draw_new(candidates, false, &mut drawn, draw));
                if candidates == 1 {
                    return Some(first as u16);
                }
                let second = nth(draw_new(candidates, false, &mut drawn, draw));
                if cost(second) < cost(first) { second } else { first }
            }
            State::Modulo => nth((hash(key, 2) % u64::from(candidates)) as u32),
            State::RingHash(ring) => ring.decide(key, |instance| healthy[instance])?,
        };
        Some(chosen as u16)
    }

    /// An instance answered after `rtt`, or was no longer waited for.
    pub fn on_answer(&mut self, now: Time, instance: u16, rtt: Span) {
        if let State::PeakEwma(estimates) = &mut self.0 {
            estimates[usize::from(instance)].on_sample(now, rtt);
        }
    }
}

/// Draws a number below `bound`; without replacement one that is not in `drawn` yet, which then holds it.
fn draw_new(bound: u32, with_replacement: bool, drawn: &mut Vec<u32>, draw: &mut dyn FnMut(u32) -> u32) -> u32 {
    if with_replacement {
        return draw(bound);
    }
    let mut number = draw(bound - drawn.len() as u32);
    drawn.sort_unstable();
    for taken in drawn.iter() {
        number += u32::from(*taken <= number);
    }
    drawn.push(number);
    number
}

/// The index of the healthy instance number `n`, counted from 0.
fn nth_healthy(healthy: &[bool], n: u32) -> usize {
    let mut indexes = healthy.iter().enumerate().filter(|&(_, &healthy)| healthy).map(|(index, _)| index);
    indexes.nth(n as usize).expect("a number drawn below the count of healthy instances")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts<'a>(active: &'a [u32], healthy: &'a [bool]) -> Facts<'a> {
        Facts { now: Time::ZERO, key: 7, active, healthy }
    }

    /// Of n instances one less leaves a key where it is with probability 1/n; a ring moves only what it must.
    #[test]
    fn a_modulo_moves_nearly_every_key_and_a_ring_a_fifth() {
        let moved = |policy: BalancerPolicy| {
            let mut balancer = Balancer::new(policy, 5);
            let mut of =
                |key: u64, healthy: &[bool]| balancer.decide(Facts { key, ..facts(&[0; 5], healthy) }, &mut |_| 0);
            let moves = |key: &u64| of(*key, &[true; 5]) != of(*key, &[true, true, true, true, false]);
            (0..20_000u64).filter(moves).count() as f64 / 20_000.0
        };
        assert!((moved(BalancerPolicy::Modulo) - 0.8).abs() < 0.02);
        assert!((moved(BalancerPolicy::RingHash { vnodes: 1_000 }) - 0.2).abs() < 0.02);
    }

    /// Draws the given numbers in turn.
    fn scripted(numbers: &[u32]) -> impl FnMut(u32) -> u32 {
        let mut left = numbers.iter().copied();
        move |bound| left.next().expect("no more draws expected") % bound
    }

    #[test]
    fn round_robin_skips_the_sick_and_draws_nothing() {
        let mut balancer = Balancer::new(BalancerPolicy::RoundRobin, 3);
        let mut turn = |healthy: &[bool]| balancer.decide(facts(&vec![0; healthy.len()], healthy), &mut scripted(&[]));
        assert_eq!([turn(&[true; 3]), turn(&[true; 3]), turn(&[true; 3])], [Some(0), Some(1), Some(2)]);
        let sick = [true, false, true];
        assert_eq!([turn(&sick), turn(&sick), turn(&sick)], [Some(0), Some(2), Some(0)]);
        assert_eq!(turn(&[false; 3]), None);
        assert_eq!(turn(&[]), None);
    }

    #[test]
    fn least_request_takes_the_fewest_active_of_two() {
        let mut balancer = Balancer::new(BalancerPolicy::default(), 4);
        let (active, healthy) = ([5, 3, 3, 0], [true, true, true, false]);
        let mut pick = |draws: &[u32]| balancer.decide(facts(&active, &healthy), &mut scripted(draws));
        assert_eq!(pick(&[0, 1]), Some(1));
        assert_eq!(pick(&[2, 1]), Some(2), "a tie goes to the first drawn");
        assert_eq!(pick(&[0, 0]), Some(0), "drawn with replacement");
    }

    #[test]
    fn random_counts_healthy_instances_only() {
        let mut balancer = Balancer::new(BalancerPolicy::Random, 4);
        assert_eq!(balancer.decide(facts(&[0; 4], &[false, true, false, true]), &mut scripted(&[1])), Some(3));
    }

    #[test]
    fn a_full_scan_finds_the_least_and_draws_among_equals() {
        let all = BalancerPolicy::LeastRequest { choices: None, with_replacement: false };
        let mut balancer = Balancer::new(all, 5);
        let mut pick =
            |draw| balancer.decide(facts(&[4, 2, 0, 2, 2], &[true, true, false, true, true]), &mut scripted(&[draw]));
        assert_eq!([pick(0), pick(1), pick(2)], [Some(1), Some(3), Some(4)]);
    }

    #[test]
    fn without_replacement_every_choice_is_another_instance() {
        let policy = BalancerPolicy::LeastRequest { choices: Some(3), with_replacement: false };
        let mut balancer = Balancer::new(policy, 3);
        assert_eq!(balancer.decide(facts(&[3, 2, 1], &[true; 3]), &mut scripted(&[0, 0, 0])), Some(2));
        assert_eq!(balancer.decide(facts(&[3, 2, 1], &[true, true, false]), &mut scripted(&[1, 0])), Some(1));
    }

    #[test]
    fn peak_ewma_prefers_who_answers_fast_and_has_less_to_do() {
        let mut balancer = Balancer::new(BalancerPolicy::PeakEwma(PeakEwmaConfig::default()), 2);
        let now = Time::from_seconds(100.0);
        balancer.on_answer(now, 0, Span::from_millis(10));
        balancer.on_answer(now, 1, Span::from_millis(25));
        let mut pick = |active: [u32; 2]| {
            let facts = Facts { now, key: 0, active: &active, healthy: &[true; 2] };
            balancer.decide(facts, &mut scripted(&[1, 0]))
        };
        assert_eq!([pick([0, 0]), pick([1, 0]), pick([2, 0])], [Some(0), Some(0), Some(1)]);
    }

    #[test]
    fn weights_and_keys_are_obeyed() {
        let mut wrr = Balancer::new(BalancerPolicy::WeightedRoundRobin { weights: vec![3, 1] }, 2);
        let turns: Vec<_> = (0..4).map(|_| wrr.decide(facts(&[0; 2], &[true; 2]), &mut scripted(&[]))).collect();
        assert_eq!(turns, [Some(0), Some(0), Some(1), Some(0)]);
        let mut ring = Balancer::new(BalancerPolicy::RingHash { vnodes: 50 }, 4);
        let home = ring.decide(facts(&[9, 0, 0, 9], &[true; 4]), &mut scripted(&[]));
        assert_eq!(ring.decide(facts(&[0, 9, 9, 0], &[true; 4]), &mut scripted(&[])), home);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |policy: BalancerPolicy| policy.check().unwrap_err();
        let none = BalancerPolicy::LeastRequest { choices: Some(0), with_replacement: true };
        assert!(refused(none).contains("2 choices"));
        assert!(refused(BalancerPolicy::WeightedRoundRobin { weights: vec![0] }).contains("weight"));
        assert!(refused(BalancerPolicy::RingHash { vnodes: 0 }).contains("vnodes"));
    }

    proptest! {
        /// Whatever the policy, load and luck: a healthy instance if there is one, else none.
        #[test]
        fn chooses_healthy_instances_only(
            which in 0u8..9,
            instances in prop::collection::vec((0u32..5, any::<bool>()), 0..12),
            luck in any::<u32>(),
        ) {
            let policy = match which {
                0 => BalancerPolicy::RoundRobin,
                1 => BalancerPolicy::Random,
                2 => BalancerPolicy::LeastRequest { choices: Some(3), with_replacement: true },
                3 => BalancerPolicy::LeastRequest { choices: Some(3), with_replacement: false },
                4 => BalancerPolicy::LeastRequest { choices: None, with_replacement: false },
                5 => BalancerPolicy::PeakEwma(PeakEwmaConfig::default()),
                6 => BalancerPolicy::RingHash { vnodes: 3 },
                7 => BalancerPolicy::First,
                _ => BalancerPolicy::WeightedRoundRobin { weights: vec![2; 12] },
            };
            let (active, healthy): (Vec<u32>, Vec<bool>) = instances.into_iter().unzip();
            prop_assume!(!healthy.is_empty());
            let mut balancer = Balancer::new(policy, healthy.len() as u16);
            for step in 0..5u32 {
                let mut draw = |bound: u32| luck.wrapping_add(step.wrapping_mul(7)) % bound;
                match balancer.decide(facts(&active, &healthy), &mut draw) {
                    Some(chosen) => prop_assert!(healthy[chosen as usize]),
                    None => prop_assert!(!healthy.contains(&true)),
                }
            }
        }

        /// Round robin gives n healthy instances one request each in every n requests.
        #[test]
        fn round_robin_is_fair(healthy in prop::collection::vec(any::<bool>(), 1..12), rounds in 1u32..5) {
            let mut balancer = Balancer::new(BalancerPolicy::RoundRobin, healthy.len() as u16);
            let active = vec![0; healthy.len()];
            let mut got = vec![0u32; healthy.len()];
            let candidates = healthy.iter().filter(|&&h| h).count() as u32;
            for _ in 0..rounds * candidates {
                got[balancer.decide(facts(&active, &healthy), &mut |_| 0).unwrap() as usize] += 1;
            }
            for (count, healthy) in got.iter().zip(&healthy) {
                prop_assert_eq!(*count, if *healthy { rounds } else { 0 });
            }
        }
    }
}
