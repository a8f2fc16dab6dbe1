//! A call of one node to another, with the policies around it.

use super::connections::{ConnectionsPlan, ConnectionsSpec};
use super::dist::Dist;
use super::path::Path;
use super::planner::{Planner, SHORTEST};
use super::retry::retry_params;
use super::spec_macro::spec;
use super::{
    BalancerSpec, BudgetSpec, HealthCheckSpec, Map, NodeSpec, OutlierDetectionSpec, RetryOn, RetryOnSpec, RetryPlan,
    RetrySpec, limits,
};
use crate::ids::NodeId;
use crate::policy::balancer::BalancerPolicy;
use crate::policy::circuit_breaker::{CircuitBreakerConfig, CircuitBreakerParams, SlidingWindow};
use crate::policy::client_throttle::ClientThrottleConfig;
use crate::policy::deadline::Cancel;
use crate::policy::health_check::{HealthCheckConfig, HealthCheckParams};
use crate::policy::hedging::{HedgingConfig, HedgingParams};
use crate::policy::outlier_detection::{OutlierDetectionConfig, OutlierDetectionParams};
use crate::policy::retry::RetryConfig;
use crate::policy::retry_budget::BudgetConfig;
use crate::time::Span;

spec! {
    /// How a node calls another.
    #[derive(Default)]
    pub struct CallSpec {
        /// The caller stops waiting for one attempt after this long; absent: never.
        pub timeout_ms?: Option<f64>,
        /// The caller stops waiting for all attempts together after this long; absent: never.
        pub deadline_ms?: Option<f64>,
        /// Whether the deadline travels with the call, so that whoever it reaches knows it.
        pub propagate_deadline?: bool,
        /// Whether the callee notices that its caller has gone.
        pub cancel?: CancelSpec,
        /// Parallel attempts; absent: none. Only for routes that may be done twice; not together with `retry`.
        pub hedging?: Option<HedgingSpec>,
        /// Further attempts; absent: none.
        pub retry?: Option<RetrySpec>,
        /// Circuit breaker; absent: none.
        pub breaker?: Option<BreakerSpec>,
        /// How an instance is chosen; absent: least request of two.
        pub balancer?: Option<BalancerSpec>,
        /// A user stays with the instance that was chosen first: a long-lived connection, a session, an answer of DNS that is kept;
        /// absent: chosen anew for each call.
        pub sticky?: Option<StickySpec>,
        /// An instance that is new on the list gets 5 % of its share at first, and all of it after this long (Envoy,
        /// nginx: slow start); absent: all at once.
        pub slow_start_s?: Option<f64>,
        /// Adaptive throttle of the caller; absent: none.
        pub throttle?: Option<ThrottleSpec>,
        /// Instances that fail again and again are left out for a while; absent: never.
        pub outlier_detection?: Option<OutlierDetectionSpec>,
        /// Active health checks of the instances; absent: all count as healthy.
        pub health_check?: Option<HealthCheckSpec>,
        /// The connections that its calls go over; absent: they cost nothing and never run out. Probes have their own.
        pub connections?: Option<ConnectionsSpec>,
    }
}

spec! {
    /// How long a user stays with an instance. At the start of the run everybody is somewhere in such a time.
    #[derive(Copy)]
    pub struct StickySpec {
        /// For so long; absent: for ever.
        pub for_s?: Option<f64>,
        /// Each time is drawn from (1 - j) to (1 + j) times that.
        pub jitter?: f64,
        /// Whether users stay even if the instance is left out, or off the list: a kept answer of DNS.
        pub blindly?: bool,
    }
}

spec! {
    /// Adaptive throttling (SRE book, "Handling Overload"; § 7): a caller that is refused too much sends less.
    #[derive(Copy)]
    pub struct ThrottleSpec {
        /// About this many calls are sent for each one accepted.
        pub k: f64 = 2.0,
        /// How far it looks back.
        pub window_s: f64 = 120.0,
    }
}

spec! {
    /// Whether a callee notices that its caller has gone (ARCHITECTURE.md, "Policies").
    #[derive(Default)]
    pub enum CancelSpec {
        /// It never does, and finishes the work.
        #[default]
        None,
        /// When it takes the call out of its line.
        AtDequeue,
        /// At once, wherever the call stands; whom it called is told as well.
        Anywhere,
    }
}

spec! {
    /// Parallel attempts (gRPC A6).
    #[derive(Copy)]
    pub struct HedgingSpec {
        /// Copies, the first included.
        pub max_attempts: u8,
        /// A further copy is sent after this long without an answer; 0: all at once.
        pub delay_ms: f64,
        /// Whether copies go to different instances while there are any.
        pub distinct_target: bool = true,
        /// What becomes of the copies that lost.
        pub cancel?: CancelSpec,
    }
}

spec! {
    /// Circuit breaker with the semantics of resilience4j (ARCHITECTURE.md, "Policies"). The defaults are the adopted ones.
    pub struct BreakerSpec {
        /// Calls in the window.
        pub sliding_window_size: u32 = 20,
        /// Whole seconds in the window, in place of a number of calls.
        pub sliding_window_s?: Option<u32>,
        /// Calls needed before the breaker judges.
        pub minimum_number_of_calls: u32 = 10,
        /// Opens at this share of failures, in percent.
        pub failure_rate_percent: f64 = 50.0,
        /// A call that takes longer is slow.
        pub slow_call_ms: f64 = 60_000.0,
        /// Opens at this share of slow calls, in percent.
        pub slow_call_rate_percent: f64 = 100.0,
        /// Stays open for this long.
        pub wait_in_open_s: f64 = 5.0,
        /// Trial calls when half-open.
        pub permitted_calls_in_half_open: u32 = 3,
    }
}

/// How a node calls another.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// Key of the callee in the document.
    pub group: String,
    /// Its instances.
    pub targets: Vec<NodeId>,
    /// The caller stops waiting for one attempt after this long.
    pub timeout: Option<Span>,
    /// The caller stops waiting for all attempts together after this long.
    pub deadline: Option<Span>,
    /// Whether the deadline travels with the call.
    pub propagate: bool,
    /// Whether the callee notices that its caller has gone.
    pub cancel: Cancel,
    /// Further attempts.
    pub retry: Option<RetryPlan>,
    /// Parallel attempts.
    pub hedge: Option<HedgingConfig>,
    /// Circuit breaker.
    pub breaker: Option<CircuitBreakerConfig>,
    /// Adaptive throttle.
    pub throttle: Option<ClientThrottleConfig>,
    /// How an instance is chosen.
    pub balancer: BalancerPolicy,
    /// How long users stay with an instance.
    pub sticky: Option<StickyPlan>,
    /// How long an instance that is new on the list gets less than its share.
    pub slow_start: Option<Span>,
    /// Who fails again and again is left out.
    pub outliers: Option<OutlierDetectionConfig>,
    /// Health checks of the instances.
    pub health_check: Option<HealthCheckConfig>,
    /// The connections that it goes over; None: they cost nothing and never run out.
    pub connections: Option<ConnectionsPlan>,
}

impl CallPlan {
    /// The same call without any policy.
    pub fn without_policies(&self) -> CallPlan {
        CallPlan {
            timeout: None,
            deadline: None,
            propagate: false,
            cancel: Cancel::None,
            retry: None,
            hedge: None,
            breaker: None,
            throttle: None,
            outliers: None,
            health_check: None,
            connections: None,
            ..self.clone()
        }
    }
}

/// How long users stay with an instance.
#[derive(Clone, Copy, Debug)]
pub struct StickyPlan {
    /// For so long; None: for ever.
    pub lasts: Option<Span>,
    /// How far it goes either way.
    pub jitter: f64,
    /// Whether they stay whatever is said of it.
    pub blindly: bool,
}

impl From<CancelSpec> for Cancel {
    fn from(spec: CancelSpec) -> Cancel {
        match spec {
            CancelSpec::None => Cancel::None,
            CancelSpec::AtDequeue => Cancel::AtDequeue,
            CancelSpec::Anywhere => Cancel::Anywhere,
        }
    }
}

impl<'a> Planner<'a> {
    /// The calls of a node: all of `targets` (callee to the path that names it), each as `specs` says or by default.
    #[inline]
    pub(super) fn calls(&mut self, path: &Path, specs: &Map<CallSpec>, targets: Map<String>) -> Vec<CallPlan> {
        let in_calls = path.at("calls");
        for group in specs.keys().filter(|group| !targets.contains_key(group)) {
            let at = in_calls.at(group);
            let known: Vec<&str> = targets.keys().map(String::as_str).collect();
            let used = if known.is_empty() { "nobody".to_string() } else { known.join(", ") };
            self.is_unused(
                &at,
                "this node never calls it",
                format!("It calls {used}: call it, or take the entry out."),
            );
        }
        targets
            .into_iter()
            .map(|(group, named_at)| {
                let default = CallSpec::default();
                let spec = specs.get(&group).unwrap_or(&default);
                self.call(&in_calls.at(&group), &Path::new(&named_at), &group, spec)
            })
            .collect()
    }

    #[inline]
    pub(super) fn call(&mut self, path: &Path, named_at: &Path, group: &str, spec: &CallSpec) -> CallPlan {
        let targets = self.instances(named_at, group);
        if let Some(timeout_ms) = spec.timeout_ms {
            self.above_zero(&path.at("timeout_ms"), timeout_ms, 3_600_000.0);
        }
        let retry = spec.retry.as_ref().and_then(|retry| {
            let config = self.taken(&path.at("retry"), RetryConfig::new(retry_params(retry)))?;
            let budget = match retry.budget {
                BudgetSpec::None {} => BudgetConfig::None,
                BudgetSpec::Ratio { ttl_s, min_rps, ratio } => {
                    BudgetConfig::Ratio { ttl: Span::from_seconds(ttl_s), min_per_s: min_rps, ratio }
                }
                BudgetSpec::Tokens { per_request, per_retry, cap } => {
                    BudgetConfig::Tokens { per_request, per_retry, cap }
                }
                BudgetSpec::Throttle { max_tokens, token_ratio } => BudgetConfig::Throttle { max_tokens, token_ratio },
                BudgetSpec::Quota { capacity, retry_cost, timeout_retry_cost, no_retry_increment } => {
                    BudgetConfig::Quota { capacity, retry_cost, timeout_retry_cost, no_retry_increment }
                }
                BudgetSpec::Concurrent { percent, min } => BudgetConfig::Concurrent { percent, min },
            };
            let budget = self.taken(&path.at("retry.budget"), budget.check())?;
            let has = |what| retry.retry_on.contains(&what);
            let on = RetryOn {
                timeout: has(RetryOnSpec::Timeout),
                unavailable: has(RetryOnSpec::Unavailable),
                error: has(RetryOnSpec::Error),
                rate_limited: has(RetryOnSpec::RateLimited),
                conflict: has(RetryOnSpec::Conflict),
            };
            let pause = retry.pause.as_ref().map(|pause| self.dist(&path.at("retry.pause"), pause));
            let shortest = pause.as_ref().map_or(Span::from_ms(retry.base_delay_ms), Dist::mean);
            if retry.max_attempts.is_none() && shortest < SHORTEST {
                let what = "it would try again for ever without letting time pass";
                self.problem(&path.at("retry.max_attempts"), what, "Pause for 1 ms at least, or bound the attempts.");
            }
            Some(RetryPlan {
                config,
                budget,
                on,
                pause,
                other_instance: retry.other_instance,
                honors_retry_after: retry.honor_retry_after,
            })
        });
        let is_database = matches!(self.spec.nodes.get(group), Some(NodeSpec::Database(_)));
        let hedge = spec.hedging.as_ref().and_then(|hedging| {
            self.within(&path.at("hedging.max_attempts"), f64::from(hedging.max_attempts), 1.0, 5.0);
            self.within(&path.at("hedging.delay_ms"), hedging.delay_ms, 0.0, 3_600_000.0);
            if spec.retry.is_some() {
                self.problem(&path.at("hedging"), "does not go with `retry`", "Keep one of the two.");
            }
            if is_database {
                let hint = "Take it out: a statement belongs to one transaction.";
                self.problem(&path.at("hedging"), "does not go with a database", hint);
            }
            let params = HedgingParams {
                max_attempts: hedging.max_attempts.into(),
                delay: Some(Span::from_ms(hedging.delay_ms)),
                distinct_target: hedging.distinct_target,
                cancel: hedging.cancel.into(),
            };
            self.taken(&path.at("hedging"), HedgingConfig::new(params))
        });
        if let Some(deadline) = spec.deadline_ms {
            self.above_zero(&path.at("deadline_ms"), deadline, 3_600_000.0);
        }
        let breaker = spec.breaker.as_ref().and_then(|breaker| {
            self.within(&path.at("breaker.wait_in_open_s"), breaker.wait_in_open_s, 0.0, limits::DURATION_S);
            self.above_zero(&path.at("breaker.slow_call_ms"), breaker.slow_call_ms, 3_600_000.0);
            if let Some(seconds) = breaker.sliding_window_s {
                self.within(&path.at("breaker.sliding_window_s"), f64::from(seconds), 1.0, 3_600.0);
            }
            let params = CircuitBreakerParams {
                sliding_window: match breaker.sliding_window_s {
                    Some(seconds) => SlidingWindow::TimeSeconds(seconds),
                    None => SlidingWindow::Count(breaker.sliding_window_size),
                },
                minimum_number_of_calls: breaker.minimum_number_of_calls,
                failure_rate_threshold: breaker.failure_rate_percent,
                slow_call_rate_threshold: breaker.slow_call_rate_percent,
                slow_call_duration_threshold: Span::from_ms(breaker.slow_call_ms),
                wait_duration_in_open: Span::from_seconds(breaker.wait_in_open_s),
                permitted_calls_in_half_open: breaker.permitted_calls_in_half_open,
                ..CircuitBreakerParams::default()
            };
            self.taken(&path.at("breaker"), CircuitBreakerConfig::new(params))
        });
        let instances = (!targets.is_empty() && !self.is_miscounted(group)).then_some(targets.len());
        let balancer = self.balancer(&path.at("balancer"), spec.balancer.as_ref(), instances);
        let outliers = spec.outlier_detection.as_ref().and_then(|spec| {
            let path = path.at("outlier_detection");
            self.within(&path.at("interval_s"), spec.interval_s, 0.001, limits::DURATION_S);
            self.within(&path.at("base_ejection_s"), spec.base_ejection_s, 0.001, limits::DURATION_S);
            self.within(&path.at("max_ejection_s"), spec.max_ejection_s, 0.001, limits::DURATION_S);
            let params = OutlierDetectionParams {
                consecutive_5xx: spec.consecutive_5xx,
                base_ejection_time: Span::from_seconds(spec.base_ejection_s),
                max_ejection_percent: spec.max_ejection_percent,
                interval: Span::from_seconds(spec.interval_s),
                max_ejection_time: Span::from_seconds(spec.max_ejection_s),
            };
            self.taken(&path, OutlierDetectionConfig::new(params))
        });
        let throttle = spec.throttle.and_then(|throttle| {
            self.within(&path.at("throttle.window_s"), throttle.window_s, 0.001, limits::DURATION_S);
            let config = ClientThrottleConfig::new(throttle.k, Span::from_seconds(throttle.window_s));
            self.taken(&path.at("throttle"), config)
        });
        let health_check = spec.health_check.as_ref().and_then(|check| {
            self.within(&path.at("health_check.interval_s"), check.interval_s, 0.001, limits::DURATION_S);
            self.above_zero(&path.at("health_check.timeout_ms"), check.timeout_ms, 3_600_000.0);
            let params = HealthCheckParams {
                interval: Span::from_seconds(check.interval_s),
                timeout: Span::from_ms(check.timeout_ms),
                unhealthy_threshold: check.unhealthy_threshold,
                healthy_threshold: check.healthy_threshold,
            };
            self.taken(&path.at("health_check"), HealthCheckConfig::new(params))
        });
        let sticky = spec.sticky.map(|sticky| {
            if let Some(for_s) = sticky.for_s {
                self.within(&path.at("sticky.for_s"), for_s, 0.001, limits::DURATION_S);
            }
            self.within(&path.at("sticky.jitter"), sticky.jitter, 0.0, 1.0);
            let lasts = sticky.for_s.map(|for_s| Span::from_seconds(for_s.clamp(0.001, limits::DURATION_S)));
            StickyPlan { lasts, jitter: sticky.jitter, blindly: sticky.blindly }
        });
        let connections =
            spec.connections.as_ref().map(|connections| self.connections(&path.at("connections"), group, connections));
        if let Some(slow_start_s) = spec.slow_start_s {
            self.above_zero(&path.at("slow_start_s"), slow_start_s, limits::DURATION_S);
        }
        CallPlan {
            group: group.to_string(),
            targets,
            timeout: spec.timeout_ms.map(Span::from_ms),
            deadline: spec.deadline_ms.map(Span::from_ms),
            propagate: spec.propagate_deadline,
            // Who stops waiting for a statement hangs up, and the connection is gone with its transaction.
            cancel: if is_database { Cancel::Anywhere } else { spec.cancel.into() },
            retry,
            hedge,
            breaker,
            throttle,
            balancer,
            sticky,
            slow_start: spec.slow_start_s.map(Span::from_seconds),
            outliers,
            health_check,
            connections,
        }
    }
}

#[inline]
pub(super) fn position(calls: &[CallPlan], group: &str) -> usize {
    calls.iter().position(|call| call.group == group).unwrap_or(0)
}
