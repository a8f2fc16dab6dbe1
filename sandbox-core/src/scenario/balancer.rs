//! How a call chooses an instance, and which instances it does without.

use super::limits;
use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use crate::policy::balancer::BalancerPolicy;
use crate::policy::peak_ewma::PeakEwmaConfig;
use crate::time::Span;

spec! {
    /// How an instance is chosen (ARCHITECTURE.md, "Policies").
    pub enum BalancerSpec tagged "policy" {
        /// One after the other.
        RoundRobin {},
        /// The one with the fewest calls under way, of some looked at.
        LeastRequest {
            /// How many are looked at; null: all.
            choices: Option<u8> = Some(2),
            /// Whether the same one may be drawn twice.
            with_replacement: bool = true,
        },
        /// Any.
        Random {},
        /// The first one that may get traffic; the others stand by.
        First {},
        /// In turn, each as often as its weight says, spread out evenly (nginx).
        WeightedRoundRobin {
            /// A weight for each instance, in order; 0 gets nothing.
            weights: Vec<u32>,
        },
        /// Of two the one with the smaller latency times calls under way; bad news is believed at once (Finagle).
        PeakEwma {
            /// Good news is believed over about this long.
            decay_s: f64 = 10.0,
            /// What an instance is taken to need that was never asked.
            initial_ms: f64 = 1_000.0,
        },
        /// The same instance for the same row while the number of healthy instances stays: a hash modulo that number.
        Modulo {},
        /// The same instance for the same row, whoever else comes or goes.
        RingHash {
            /// Points of each instance on the ring.
            vnodes: u32 = 160,
        },
    }
}

spec! {
    /// Outlier detection (Envoy): an instance that fails again and again is left out for a while. A
    /// call without an answer in time counts as a failure.
    pub struct OutlierDetectionSpec {
        /// Failures in a row until an instance is left out.
        pub consecutive_5xx: u32 = 5,
        /// It is left out for this long times the number of times in a row.
        pub base_ejection_s: f64 = 30.0,
        /// Never longer than this.
        pub max_ejection_s: f64 = 300.0,
        /// Of all instances at most this share is left out, but one may always be.
        pub max_ejection_percent: f64 = 10.0,
        /// Time between two looks at whose time is over.
        pub interval_s: f64 = 10.0,
    }
}

spec! {
    /// Active health checks (ARCHITECTURE.md, "Policies").
    pub struct HealthCheckSpec {
        /// Time between two probes of an instance.
        pub interval_s: f64 = 2.0,
        /// A probe without an answer after this long has failed.
        pub timeout_ms: f64 = 1_000.0,
        /// Failed probes in a row until an instance is left out.
        pub unhealthy_threshold: u32 = 3,
        /// Good probes in a row until it is back.
        pub healthy_threshold: u32 = 2,
    }
}

impl<'a> Planner<'a> {
    /// Who chooses among `instances`, if it is certain how many there are.
    #[inline]
    pub(super) fn balancer(
        &mut self,
        path: &Path,
        spec: Option<&BalancerSpec>,
        instances: Option<usize>,
    ) -> BalancerPolicy {
        let policy = match spec {
            Some(BalancerSpec::RoundRobin {}) => BalancerPolicy::RoundRobin,
            Some(BalancerSpec::LeastRequest { choices, with_replacement }) => {
                self.within(&path.at("choices"), f64::from(choices.unwrap_or(1)), 1.0, 16.0);
                BalancerPolicy::LeastRequest { choices: *choices, with_replacement: *with_replacement }
            }
            Some(BalancerSpec::Random {}) => BalancerPolicy::Random,
            Some(BalancerSpec::First {}) => BalancerPolicy::First,
            Some(BalancerSpec::WeightedRoundRobin { weights }) => {
                if let Some(instances) = instances
                    && weights.len() != instances
                {
                    let what = format!("{} weights for {instances} instances", weights.len());
                    self.problem(path, what, "Give a weight for each instance, in order.");
                }
                BalancerPolicy::WeightedRoundRobin { weights: weights.clone() }
            }
            Some(BalancerSpec::PeakEwma { decay_s, initial_ms }) => {
                self.within(&path.at("decay_s"), *decay_s, 0.001, limits::DURATION_S);
                self.within(&path.at("initial_ms"), *initial_ms, 0.0, 3_600_000.0);
                let config = PeakEwmaConfig::new(Span::from_seconds(*decay_s), Span::from_ms(*initial_ms));
                BalancerPolicy::PeakEwma(self.taken(path, config).unwrap_or_default())
            }
            Some(BalancerSpec::Modulo {}) => BalancerPolicy::Modulo,
            Some(BalancerSpec::RingHash { vnodes }) => {
                self.within(&path.at("vnodes"), f64::from(*vnodes), 1.0, 1_000.0);
                BalancerPolicy::RingHash { vnodes: (*vnodes).clamp(1, 1_000) }
            }
            None => BalancerPolicy::default(),
        };
        self.taken(path, policy.check()).unwrap_or_default()
    }
}
