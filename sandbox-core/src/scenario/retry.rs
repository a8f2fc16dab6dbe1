//! Retries of a call, and the budget that limits them.

use super::dist::{Dist, DistSpec};
use super::spec_macro::spec;
use crate::policy::retry::{Jitter, RetryConfig, RetryParams};
use crate::policy::retry_budget::BudgetConfig;
use crate::time::Span;
use crate::trace::Status;

spec! {
    /// Retry with back-off (ARCHITECTURE.md, "Policies"). The defaults are the adopted ones.
    pub struct RetrySpec {
        /// Attempts, the first included; null: until one succeeds.
        pub max_attempts: Option<u8> = Some(3),
        /// Back-off before the first retry.
        pub base_delay_ms: f64 = 100.0,
        /// Longest back-off.
        pub max_delay_ms: f64 = 20_000.0,
        /// Each back-off is this many times the one before.
        pub multiplier: f64 = 2.0,
        /// How chance is mixed in.
        pub jitter?: JitterSpec,
        /// How far `proportional` jitter goes either way: 0.2 is 20 %.
        pub jitter_factor: f64 = 0.2,
        /// How many retries all requests together may make.
        pub budget?: BudgetSpec,
        /// What is tried again.
        pub retry_on: Vec<RetryOnSpec> = vec![RetryOnSpec::Timeout, RetryOnSpec::Unavailable],
        /// The pause before each retry is drawn from here instead.
        pub pause?: Option<DistSpec>,
        /// A retry goes to an instance that was not tried yet, while there is one.
        pub other_instance?: bool,
        /// Whether a retry waits at least as long as the answer asked for (`Retry-After`).
        pub honor_retry_after: bool = true,
    }
}

spec! {
    /// What is tried again.
    #[cfg_attr(feature = "schema", derive(serde::Serialize), serde(rename_all = "snake_case"))]
    pub enum RetryOnSpec {
        /// An attempt that took too long.
        Timeout,
        /// 503 and 504: refused, shed, down.
        Unavailable,
        /// 500 and 502: only where doing it twice is known to be safe.
        Error,
        /// 429.
        RateLimited,
        /// 409: another attempt is under way, or another change came first.
        Conflict,
    }
}

spec! {
    /// How chance is mixed into a back-off of v.
    #[derive(Default)]
    pub enum JitterSpec {
        /// Always v.
        None,
        /// Anything from 0 to v.
        #[default]
        Full,
        /// Anything from v/2 to v.
        Equal,
        /// Anything from the base to three times the previous back-off.
        Decorrelated,
        /// Anything from (1 - f) v to (1 + f) v, f being `jitter_factor`.
        Proportional,
    }
}

spec! {
    /// How many retries all requests together may make.
    pub enum BudgetSpec tagged "kind" {
        /// As many as they like.
        None {},
        /// A share of the requests of the last seconds, and a few more.
        Ratio {
            /// How long a request counts.
            ttl_s: f64,
            /// Retries a second that are always allowed.
            min_rps: f64,
            /// Retries per request.
            ratio: f64,
        },
        /// A balance that starts full.
        Tokens {
            /// What every first attempt pays in.
            per_request: f64,
            /// What a retry takes out.
            per_retry: f64,
            /// The balance grows no further than this.
            cap: f64,
        },
        /// gRPC's throttling: a count that failures lower; retries pass while it is above half.
        Throttle {
            /// Where the count starts, and where it stops growing.
            max_tokens: f64,
            /// What a success pays in.
            token_ratio: f64,
        },
        /// The AWS SDK's quota.
        Quota {
            /// Where the balance starts, and where it stops growing.
            capacity: u32,
            /// What a retry takes out.
            retry_cost: u32,
            /// What a retry after a timeout takes out.
            timeout_retry_cost: u32,
            /// What a success at the first attempt pays in.
            no_retry_increment: u32,
        },
        /// Envoy's: a share of the requests under way.
        Concurrent {
            /// The share in percent.
            percent: f64,
            /// Retries that may be under way whatever the share.
            min: u32,
        },
    }
}

impl Default for BudgetSpec {
    fn default() -> BudgetSpec {
        BudgetSpec::Ratio { ttl_s: 10.0, min_rps: 10.0, ratio: 0.2 }
    }
}

/// Further attempts.
#[derive(Clone, Debug)]
pub struct RetryPlan {
    /// How many, and when.
    pub config: RetryConfig,
    /// How many all requests together may make.
    pub budget: BudgetConfig,
    /// What is tried again.
    pub on: RetryOn,
    /// A pause that is drawn instead of the computed back-off.
    pub pause: Option<Dist>,
    /// Whether a further attempt goes to an instance not tried yet, while there is one.
    pub other_instance: bool,
    /// Whether a further attempt waits as long as the answer asked for.
    pub honors_retry_after: bool,
}

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOn {
    /// An attempt that took too long.
    pub timeout: bool,
    /// 503 and 504.
    pub unavailable: bool,
    /// 500, and 502: nobody knows whether it was done.
    pub error: bool,
    /// 429.
    pub rate_limited: bool,
    /// 409.
    pub conflict: bool,
}

impl RetryOn {
    /// Whether an answer with this status is tried again.
    pub fn covers(self, status: Status) -> bool {
        match status {
            Status::Unavailable | Status::GatewayTimeout => self.unavailable,
            Status::InternalError | Status::BadGateway => self.error,
            Status::TooManyRequests => self.rate_limited,
            Status::Conflict => self.conflict,
            _ => false,
        }
    }
}

#[inline]
pub(super) fn retry_params(spec: &RetrySpec) -> RetryParams {
    RetryParams {
        max_attempts: spec.max_attempts.map(u32::from),
        base_delay: Span::from_ms(spec.base_delay_ms),
        max_delay: Span::from_ms(spec.max_delay_ms),
        multiplier: spec.multiplier,
        jitter: jitter(spec.jitter, spec.jitter_factor),
        ..RetryParams::default()
    }
}

#[inline]
pub(super) fn jitter(spec: JitterSpec, factor: f64) -> Jitter {
    match spec {
        JitterSpec::None => Jitter::None,
        JitterSpec::Full => Jitter::Full,
        JitterSpec::Equal => Jitter::Equal,
        JitterSpec::Decorrelated => Jitter::Decorrelated,
        JitterSpec::Proportional => Jitter::Proportional { factor },
    }
}
