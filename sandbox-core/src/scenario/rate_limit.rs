//! Rate limits of gateways and of programs.

use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::steps::any_step;
use super::{ServiceSpec, StepSpec, limits};
use crate::policy::client_address::{Cidr, TrustedProxies};
use crate::policy::rate_limiter::{
    Cost, LeakyQueueConfig, PenaltyConfig, Rate, RateLimitConfig, RateLimiterConfig, WindowConfig,
};
use crate::time::Span;

spec! {
    /// A rate limiter (ARCHITECTURE.md, "Policies"): requests beyond it are answered with 429. A gateway has one before all
    /// that it passes on, the programs of a service ask those of the service where they like.
    pub struct RateLimitSpec {
        /// How it counts.
        pub algorithm?: RateLimitAlgorithmSpec,
        /// Requests a second in the long run: for `token_bucket`, `gcra` and `leaky_queue`.
        pub rate_rps?: Option<f64>,
        /// Requests that may come at once: for the same three.
        pub burst?: Option<f64>,
        /// Requests in a window: for the others.
        pub limit?: Option<u32>,
        /// Length of the window.
        pub window_s?: Option<f64>,
        /// Whether a refused request counts like an admitted one.
        pub count_rejected?: bool,
        /// What becomes of whoever goes beyond the limit; absent: nothing, he may come again as soon as it has room.
        pub penalty?: Option<PenaltySpec>,
        /// What has a limit of its own.
        pub key?: RateLimitKeySpec,
        /// With `client_address`: blocks of addresses of proxies whose word is taken, such as `10.0.0.0/8`, where all
        /// gateways are.
        pub trusted_proxies?: Vec<String>,
        /// Of a service: whether each instance counts alone. Else they share the counters, which costs no time.
        pub per_instance?: bool,
    }
}

spec! {
    /// What becomes of whoever goes beyond a limit: nothing of his passes for some time.
    #[derive(Copy)]
    pub struct PenaltySpec {
        /// For so long.
        pub for_s: f64,
        /// Whether each request within that time begins it anew; else it ends when it ends, as the lockout of an account.
        pub extends?: bool,
    }
}

spec! {
    /// How a rate limiter counts.
    #[derive(Default)]
    pub enum RateLimitAlgorithmSpec {
        /// A bucket of tokens that starts full.
        #[default]
        TokenBucket,
        /// The same decisions, kept as one instant.
        Gcra,
        /// Windows aligned to the start of the run.
        FixedWindow,
        /// Windows that begin with a request.
        FixedWindowAnchored,
        /// Every admission is remembered for a window.
        SlidingLog,
        /// Two counters, weighted.
        SlidingCounter,
        /// A line that lets one request through at a time; it delays instead of refusing, up to `burst`.
        LeakyQueue,
    }
}

spec! {
    /// What has a rate limit of its own.
    #[derive(Default)]
    pub enum RateLimitKeySpec {
        /// All requests together.
        #[default]
        All,
        /// Each user, by number: whoever signs in as user 0 is user 0, from whatever client.
        User,
        /// Each workload: each source of traffic.
        Workload,
        /// Each route.
        Route,
        /// Each address that connects: behind a proxy that of the proxy.
        Peer,
        /// Each leftmost address of `X-Forwarded-For`, which whoever sends the request writes.
        ForwardedFor,
        /// Each rightmost address that is no trusted proxy.
        ClientAddress,
    }
}

/// A rate limiter for each key.
#[derive(Clone, Debug)]
pub struct RateLimitPlan {
    /// How it counts.
    pub config: RateLimiterConfig,
    /// What becomes of whoever goes beyond it.
    pub penalty: Option<PenaltyConfig>,
    /// What has one of its own.
    pub key: RateLimitKeySpec,
    /// Whose word on addresses is taken.
    pub trusted: TrustedProxies,
    /// Whether each instance counts alone.
    pub per_instance: bool,
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn rate_limit(&mut self, path: &Path, limit: &RateLimitSpec) -> Option<RateLimitPlan> {
        let trusted = self.trusted_proxies(&path.at("trusted_proxies"), limit);
        let penalty = limit.penalty.and_then(|penalty| {
            let path = path.at("penalty");
            let fits = self.above_zero(&path.at("for_s"), penalty.for_s, limits::DURATION_S);
            let duration = Span::from_seconds(if fits { penalty.for_s } else { 1.0 });
            self.taken(&path, PenaltyConfig::new(duration, penalty.extends))
        });
        let config = self.taken(path, rate_limiter(limit))?;
        Some(RateLimitPlan { config, penalty, key: limit.key, trusted, per_instance: limit.per_instance })
    }

    /// The rate limiters of a service: their names with their positions in the plan.
    #[inline]
    pub(super) fn limiters(&mut self, path: &Path, service: &'a ServiceSpec) -> Vec<(&'a str, u32)> {
        let in_limiters = path.at("limiters");
        let mut limiters = Vec::new();
        for (name, limit) in &service.limiters {
            let path = in_limiters.at(name);
            let asks = |step: &StepSpec| matches!(step, StepSpec::Limit(limit) if limit.limiter == *name);
            if !service.routes.values().any(|steps| any_step(steps, &asks)) {
                let hint = "Add a step `limit` that names it, or take it out.";
                self.is_unused(&path, "no step asks this limiter", hint);
            }
            // One that is wrong keeps its place, so that its steps are not wrong as well.
            limiters.push((name.as_str(), self.limiters.len() as u32));
            let planned = self.rate_limit(&path, limit);
            self.limiters.extend(planned);
        }
        limiters
    }

    #[inline]
    fn trusted_proxies(&mut self, path: &Path, limit: &RateLimitSpec) -> TrustedProxies {
        if !limit.trusted_proxies.is_empty() && limit.key != RateLimitKeySpec::ClientAddress {
            self.problem(path, "go with `key`: `client_address` alone", "Choose that key, or take them out.");
        }
        let blocks = limit.trusted_proxies.iter().enumerate();
        TrustedProxies::new(
            blocks.filter_map(|(index, block)| self.taken(&path.index(index), Cidr::parse(block))).collect(),
        )
    }
}

/// The limiter that a document asks for, or what it still has to say.
#[inline]
fn rate_limiter(spec: &RateLimitSpec) -> Result<RateLimiterConfig, String> {
    use RateLimitAlgorithmSpec as Algorithm;
    let needed = |value: Option<f64>, name: &str| value.ok_or_else(|| format!("this algorithm needs `{name}`"));
    let bucket = || {
        let rate = Rate::per_second(needed(spec.rate_rps, "rate_rps")?)?;
        RateLimitConfig::new(rate, Cost::requests(needed(spec.burst, "burst")?)?)
    };
    let window = || {
        let limit = Cost::requests(needed(spec.limit.map(f64::from), "limit")?)?;
        let window = Span::from_seconds(needed(spec.window_s, "window_s")?.clamp(0.0, limits::DURATION_S));
        Ok::<WindowConfig, String>(WindowConfig::new(limit, window)?.count_rejected(spec.count_rejected))
    };
    Ok(match spec.algorithm {
        Algorithm::TokenBucket => RateLimiterConfig::TokenBucket(bucket()?),
        Algorithm::Gcra => RateLimiterConfig::Gcra(bucket()?),
        Algorithm::FixedWindow => RateLimiterConfig::FixedWindow(window()?),
        Algorithm::FixedWindowAnchored => RateLimiterConfig::FixedWindowAnchored(window()?),
        Algorithm::SlidingLog => RateLimiterConfig::SlidingLog(window()?),
        Algorithm::SlidingCounter => RateLimiterConfig::SlidingCounter(window()?),
        Algorithm::LeakyQueue => {
            let rate = Rate::per_second(needed(spec.rate_rps, "rate_rps")?)?;
            RateLimiterConfig::LeakyQueue(LeakyQueueConfig::new(rate, Cost::requests(needed(spec.burst, "burst")?)?))
        }
    })
}
