//! Load balancing: which instance gets this request?
//!
//! Promise: only an instance that is healthy now is chosen; `None` means there is none. Semantics: round robin cycles
//! over the healthy list; least request is Envoy's with equal weights (`choice_count` hosts drawn with replacement,
//! fewest active requests win); random is uniform without a bias towards the neighbour of a failed host. The number of
//! draws depends on the policy alone, never on load or health, so the random stream stays in step between variants of a
//! run. Left out: weights, Envoy's panic threshold (with no healthy host the request fails), slow start.

/// How instances are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalancerPolicy {
    /// The healthy instances in turn.
    RoundRobin,
    /// Of `choices` random healthy instances the one with the fewest requests in flight (power of d choices).
    LeastRequest {
        /// Instances looked at, at least 1; `None`: all of them. Default 2 (Envoy `choice_count`).
        choices: Option<u8>,
        /// Whether the same instance may be drawn twice. Default yes (Envoy).
        with_replacement: bool,
    },
    /// Any healthy instance, each equally likely.
    Random,
}

impl BalancerPolicy {
    /// This policy, or what is wrong with it.
    pub fn check(self) -> Result<BalancerPolicy, String> {
        match self {
            BalancerPolicy::LeastRequest { choices: Some(0), .. } => {
                Err("least_request looks at 0 instances: use 2 choices, or the policy `random`".into())
            }
            policy => Ok(policy),
        }
    }
}

impl Default for BalancerPolicy {
    fn default() -> BalancerPolicy {
        BalancerPolicy::LeastRequest { choices: Some(2), with_replacement: true }
    }
}

/// Chooses among the instances of one service.
#[derive(Clone, Debug)]
pub struct Balancer {
    policy: BalancerPolicy,
    /// Where round robin looks first.
    next: usize,
}

impl Balancer {
    /// A balancer that starts with the first instance. Panics on a policy that [`BalancerPolicy::check`] refuses.
    pub fn new(policy: BalancerPolicy) -> Balancer {
        Balancer { policy: policy.check().expect("a checked balancer policy"), next: 0 }
    }

    /// The index of the instance that gets the request; `None` when no instance is healthy.
    ///
    /// `active[i]` counts this balancer's own requests in flight at instance `i`, `healthy[i]` says whether `i` may get
    /// traffic; both have one element per instance. `draw(n)` gives a uniform whole number in `[0, n)`. A tie goes to
    /// the instance drawn first; among all instances it is drawn.
    pub fn decide(&mut self, active: &[u32], healthy: &[bool], draw: &mut dyn FnMut(u32) -> u32) -> Option<u16> {
        assert_eq!(active.len(), healthy.len(), "one active count and one health flag per instance");
        let candidates = healthy.iter().filter(|&&healthy| healthy).count() as u32;
        if candidates == 0 {
            return None;
        }
        let all = candidates as usize == healthy.len();
        let nth = |n: u32| if all { n as usize } else { nth_healthy(healthy, n) };
        let chosen = match self.policy {
            BalancerPolicy::RoundRobin => {
                let instances = healthy.len();
                let first = self.next % instances;
                let chosen = (first..instances).chain(0..first).find(|&i| healthy[i])?;
                self.next = chosen + 1;
                chosen
            }
            BalancerPolicy::Random => nth(draw(candidates)),
            BalancerPolicy::LeastRequest { choices: None, .. } => {
                let of = |instance: &usize| healthy[*instance];
                let least = (0..healthy.len()).filter(of).map(|instance| active[instance]).min()?;
                let tied = |instance: &usize| of(instance) && active[*instance] == least;
                let ties = (0..healthy.len()).filter(tied).count() as u32;
                (0..healthy.len()).filter(tied).nth(draw(ties) as usize)?
            }
            BalancerPolicy::LeastRequest { choices: Some(choices), with_replacement } => {
                let mut drawn: Vec<u32> = Vec::new();
                let mut best = nth(draw_new(candidates, with_replacement, &mut drawn, draw));
                for _ in 1..choices {
                    if drawn.len() as u32 == candidates {
                        break;
                    }
                    let other = nth(draw_new(candidates, with_replacement, &mut drawn, draw));
                    if active[other] < active[best] {
                        best = other;
                    }
                }
                best
            }
        };
        Some(chosen as u16)
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

    /// Draws the given numbers in turn.
    fn scripted(numbers: &[u32]) -> impl FnMut(u32) -> u32 {
        let mut left = numbers.iter().copied();
        move |bound| left.next().expect("no more draws expected") % bound
    }

    #[test]
    fn round_robin_skips_the_sick_and_draws_nothing() {
        let mut balancer = Balancer::new(BalancerPolicy::RoundRobin);
        let mut turn = |healthy: &[bool]| balancer.decide(&vec![0; healthy.len()], healthy, &mut scripted(&[]));
        assert_eq!([turn(&[true; 3]), turn(&[true; 3]), turn(&[true; 3])], [Some(0), Some(1), Some(2)]);
        let sick = [true, false, true];
        assert_eq!([turn(&sick), turn(&sick), turn(&sick)], [Some(0), Some(2), Some(0)]);
        assert_eq!(turn(&[false; 3]), None);
        assert_eq!(turn(&[]), None);
    }

    #[test]
    fn least_request_takes_the_fewest_active_of_two() {
        let mut balancer = Balancer::new(BalancerPolicy::default());
        let mut pick = |draws: &[u32]| balancer.decide(&[5, 3, 3, 0], &[true, true, true, false], &mut scripted(draws));
        assert_eq!(pick(&[0, 1]), Some(1));
        assert_eq!(pick(&[2, 1]), Some(2), "a tie goes to the first drawn");
        assert_eq!(pick(&[0, 0]), Some(0), "drawn with replacement");
    }

    #[test]
    fn random_counts_healthy_instances_only() {
        let mut balancer = Balancer::new(BalancerPolicy::Random);
        assert_eq!(balancer.decide(&[0; 4], &[false, true, false, true], &mut scripted(&[1])), Some(3));
    }

    #[test]
    fn no_choices_is_refused_with_a_reason() {
        assert!(
            BalancerPolicy::LeastRequest { choices: Some(0), with_replacement: true }
                .check()
                .unwrap_err()
                .contains("2 choices")
        );
    }

    proptest! {
        /// Whatever the policy, load and luck: a healthy instance if there is one, else none.
        #[test]
        fn chooses_healthy_instances_only(
            which in 0u8..3,
            instances in prop::collection::vec((0u32..5, any::<bool>()), 0..12),
            luck in any::<u32>(),
        ) {
            let policy = match which {
                0 => BalancerPolicy::RoundRobin,
                1 => BalancerPolicy::Random,
                _ => BalancerPolicy::LeastRequest { choices: Some(3), with_replacement: true },
            };
            let (active, healthy): (Vec<u32>, Vec<bool>) = instances.into_iter().unzip();
            let mut balancer = Balancer::new(policy);
            for step in 0..5u32 {
                let mut draw = |bound: u32| luck.wrapping_add(step.wrapping_mul(7)) % bound;
                match balancer.decide(&active, &healthy, &mut draw) {
                    Some(chosen) => prop_assert!(healthy[chosen as usize]),
                    None => prop_assert!(!healthy.contains(&true)),
                }
            }
        }

        /// Round robin gives n healthy instances one request each in every n requests.
        #[test]
        fn round_robin_is_fair(healthy in prop::collection::vec(any::<bool>(), 1..12), rounds in 1u32..5) {
            let mut balancer = Balancer::new(BalancerPolicy::RoundRobin);
            let active = vec![0; healthy.len()];
            let mut got = vec![0u32; healthy.len()];
            let candidates = healthy.iter().filter(|&&h| h).count() as u32;
            for _ in 0..rounds * candidates {
                got[balancer.decide(&active, &healthy, &mut |_| 0).unwrap() as usize] += 1;
            }
            for (count, healthy) in got.iter().zip(&healthy) {
                prop_assert_eq!(*count, if *healthy { rounds } else { 0 });
            }
        }
    }
}
