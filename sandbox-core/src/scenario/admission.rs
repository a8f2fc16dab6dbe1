//! Who a service lets into its line.

use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{Discipline, ServiceSpec};
use crate::policy::admission::concurrency_limit::{ConcurrencyLimitConfig, ConcurrencyLimitParams};
use crate::policy::admission::{AdmissionConfig, CodelConfig, PriorityShedding};
use crate::time::Span;

spec! {
    /// Which calls a service refuses with 503 (shed) so that the others are served in time (ARCHITECTURE.md, "Policies").
    pub enum AdmissionSpec tagged "algorithm" {
        /// At most so many inside at once, in line or at work.
        MaxInFlight {
            /// So many.
            limit: u32,
        },
        /// At most so many inside at once, less critical ones only up to smaller limits of their own (SRE book). The class of
        /// a call follows from its workload's `priority`.
        PriorityShedding {
            /// For priority 1.
            critical_plus: u32,
            /// For priority 2.
            critical: u32,
            /// For priority 3.
            sheddable_plus: u32,
            /// For all others.
            sheddable: u32,
        },
        /// Whoever has waited too long when his turn comes, ever more while the line stands (RFC 8289).
        Codel {
            /// A wait that is acceptable.
            target_ms: f64 = 5.0,
            /// How long a burst may take to drain.
            interval_ms: f64 = 100.0,
        },
        /// The same goal in the manner of folly: after an interval without a short wait whoever waited twice the target.
        CodelFolly {
            /// A wait that is acceptable.
            target_ms: f64 = 5.0,
            /// The length of an interval.
            interval_ms: f64 = 100.0,
        },
        /// At most so many inside at once; one more after each success, a share less after a failure.
        Aimd {
            /// First limit.
            initial: u32 = 20,
            /// Smallest limit.
            min: u32 = 20,
            /// Largest limit.
            max: u32 = 200,
            /// The limit is multiplied by this after a failure.
            backoff_ratio: f64 = 0.9,
            /// Who takes longer counts as failed.
            timeout_ms: f64 = 5_000.0,
        },
        /// A limit by the shortest time seen (TCP Vegas).
        Vegas {
            /// First limit.
            initial: u32 = 20,
            /// Largest limit.
            max: u32 = 1_000,
            /// Weight of a new value.
            smoothing: f64 = 1.0,
        },
        /// A limit by how much longer calls take than they did for long.
        Gradient2 {
            /// First limit.
            initial: u32 = 20,
            /// Smallest limit.
            min: u32 = 20,
            /// Largest limit.
            max: u32 = 200,
            /// Weight of a new value.
            smoothing: f64 = 0.2,
            /// Calls that may queue.
            queue_size: u32 = 4,
            /// Calls in the long average.
            long_window: u32 = 600,
            /// So many times the long average is no reason to slow down.
            rtt_tolerance: f64 = 1.5,
        },
    }
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn admission(&mut self, path: &Path, service: &ServiceSpec) -> AdmissionConfig {
        let Some(spec) = &service.admission else { return AdmissionConfig::None };
        let path = path.at("admission");
        if service.discipline == Discipline::ProcessorSharing {
            self.problem(
                &path,
                "nobody waits where workers are shared",
                "Choose another `discipline`, or take it out.",
            );
        }
        let mut codel = |target_ms: f64, interval_ms: f64| {
            self.within(&path.at("target_ms"), target_ms, 0.0, 3_600_000.0);
            self.within(&path.at("interval_ms"), interval_ms, 0.001, 3_600_000.0);
            self.taken(&path, CodelConfig::new(Span::from_ms(target_ms), Span::from_ms(interval_ms)))
                .unwrap_or_default()
        };
        let limit = match *spec {
            AdmissionSpec::Codel { target_ms, interval_ms } => {
                return AdmissionConfig::Codel(codel(target_ms, interval_ms));
            }
            AdmissionSpec::CodelFolly { target_ms, interval_ms } => {
                return AdmissionConfig::CodelFolly(codel(target_ms, interval_ms));
            }
            AdmissionSpec::PriorityShedding { critical_plus, critical, sheddable_plus, sheddable } => {
                let shedding = PriorityShedding::new([critical_plus, critical, sheddable_plus, sheddable]);
                return self.taken(&path, shedding).map_or(AdmissionConfig::None, AdmissionConfig::PriorityShedding);
            }
            AdmissionSpec::MaxInFlight { limit } => ConcurrencyLimitParams::Fixed { limit },
            AdmissionSpec::Aimd { initial, min, max, backoff_ratio, timeout_ms } => {
                self.within(&path.at("timeout_ms"), timeout_ms, 0.001, 3_600_000.0);
                ConcurrencyLimitParams::Aimd { initial, min, max, backoff_ratio, timeout: Span::from_ms(timeout_ms) }
            }
            AdmissionSpec::Vegas { initial, max, smoothing } => {
                ConcurrencyLimitParams::Vegas { initial, max, smoothing }
            }
            AdmissionSpec::Gradient2 { initial, min, max, smoothing, queue_size, long_window, rtt_tolerance } => {
                ConcurrencyLimitParams::Gradient2 {
                    initial,
                    min,
                    max,
                    smoothing,
                    queue_size,
                    long_window,
                    rtt_tolerance,
                }
            }
        };
        let config = self.taken(&path, ConcurrencyLimitConfig::new(limit));
        config.map_or(AdmissionConfig::None, AdmissionConfig::Limit)
    }
}
