//! Smooth weighted round robin: shares by weight, spread out evenly.
//!
//! Promise: while the set of instances stays the same, each gets exactly its weight in every run of as many picks as the weights
//! sum to. Semantics: nginx: add to each instance its weight, take the one that has most (the first of equals), subtract
//! the sum from it.

/// The state of one balancer.
#[derive(Clone, Debug)]
pub struct SmoothWrr {
    weights: Vec<u32>,
    current: Vec<i64>,
}

impl SmoothWrr {
    /// One weight for each instance; weight 0 gets nothing.
    pub fn new(weights: Vec<u32>) -> Result<SmoothWrr, String> {
        if weights.iter().all(|&weight| weight == 0) {
            return Err("no weight is above 0, so nothing could be picked: give at least one instance a weight".into());
        }
        Ok(SmoothWrr { current: vec![0; weights.len()], weights })
    }

    /// The next of the instances for which `available` holds; None if there is none with a weight.
    pub fn decide(&mut self, available: impl Fn(usize) -> bool) -> Option<usize> {
        let (mut total, mut best) = (0, None::<usize>);
        for at in (0..self.weights.len()).filter(|&at| self.weights[at] > 0 && available(at)) {
            let weight = i64::from(self.weights[at]);
            self.current[at] += weight;
            total += weight;
            if best.is_none_or(|best| self.current[at] > self.current[best]) {
                best = Some(at);
            }
        }
        self.current[best?] -= total;
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn picks_are_spread_out() {
        let mut wrr = SmoothWrr::new(vec![5, 1, 1]).unwrap();
        let picks: Vec<usize> = (0..7).map(|_| wrr.decide(|_| true).unwrap()).collect();
        assert_eq!(picks, [0, 0, 1, 0, 2, 0, 0], "the example of nginx's commit");
        assert_eq!(wrr.decide(|at| at == 2), Some(2));
        assert_eq!(wrr.decide(|_| false), None);
        assert!(SmoothWrr::new(vec![0, 0]).unwrap_err().contains("weight"));
    }

    proptest! {
        #[test]
        fn every_round_is_fair(weights in prop::collection::vec(0u32..9, 1..6), skip in 0usize..20) {
            let total: u32 = weights.iter().sum();
            prop_assume!(total > 0);
            let mut wrr = SmoothWrr::new(weights.clone()).unwrap();
            for _ in 0..skip {
                wrr.decide(|_| true);
            }
            let mut got = vec![0; weights.len()];
            (0..total).for_each(|_| got[wrr.decide(|_| true).unwrap()] += 1);
            prop_assert_eq!(got, weights);
        }
    }
}
