//! A gateway: where tokens are verified and rates are limited.

use super::call::position;
use super::dist::{Dist, DistSpec};
use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{CallPlan, CallSpec, Kind, Map, RateLimitPlan, RateLimitSpec};
use crate::time::Span;

spec! {
    /// The entrance: checks tokens and quotas, passes requests on. Its own work holds no worker.
    pub struct GatewaySpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The node that requests are passed on to.
        pub upstream: String,
        /// Time the gateway takes for a request that it passes on.
        pub work?: Option<DistSpec>,
        /// Token check; absent: everybody may pass.
        pub auth?: Option<AuthSpec>,
        /// Token bucket; absent: no limit.
        pub rate_limit?: Option<RateLimitSpec>,
        /// How this node calls others, by their id.
        pub calls?: Map<CallSpec>,
    }
}

spec! {
    /// Bearer tokens (RFC 6750), JSON Web Tokens signed with HS256.
    pub struct AuthSpec {
        /// Clocks may differ by this much; 30 s by default (ARCHITECTURE.md, "Policies").
        pub leeway_s: f64 = 30.0,
        /// Time to check a token.
        pub work: DistSpec,
        /// Whether it believes the algorithm that a token names (RFC 8725, section 2.1): then what is unsigned by its own word
        /// passes, and what is signed with the public key as if that were a secret.
        pub trusts_header?: bool,
        /// Whether it looks at the signature alone: neither at issuer and audience nor at the times.
        pub ignores_claims?: bool,
    }
}

spec! {
    /// A way to forge a token.
    pub enum ForgerySpec {
        /// The claims of a good one, with `alg` set to `none` and without a signature.
        AlgNone,
        /// The claims of a good one, signed with the issuer's public key as if it were the secret of HS256.
        PublicKeyAsSecret,
        /// A genuine one that expired at second 0 of the clock.
        Expired,
        /// A genuine one that was issued for somebody else.
        WrongAudience,
    }
}

/// A gateway.
#[derive(Clone, Debug)]
pub struct GatewayPlan {
    /// Position in the node's `calls`.
    pub upstream: usize,
    /// Its own work.
    pub work: Dist,
    /// Token check.
    pub auth: Option<TokenPlan>,
    /// Rate limiter.
    pub rate_limit: Option<RateLimitPlan>,
}

/// How tokens are checked.
#[derive(Clone, Debug)]
pub struct TokenPlan {
    /// Clocks may differ by this much.
    pub leeway: Span,
    /// Time a check takes.
    pub work: Dist,
    /// Whether the algorithm that a token names is believed.
    pub trusts_header: bool,
    /// Whether the signature alone is looked at.
    pub ignores_claims: bool,
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn gateway(&mut self, path: &Path, gateway: &GatewaySpec) -> (Kind, Vec<CallPlan>) {
        self.refuse_unless(&path.at("upstream"), &gateway.upstream, "a gateway", &["gateway", "service"]);
        let work = gateway.work.as_ref().map_or(Dist::ZERO, |dist| self.dist(&path.at("work"), dist));
        let auth = gateway.auth.as_ref().map(|auth| {
            self.within(&path.at("auth.leeway_s"), auth.leeway_s, 0.0, 3_600.0);
            TokenPlan {
                leeway: Span::from_seconds(auth.leeway_s),
                work: self.dist(&path.at("auth.work"), &auth.work),
                trusts_header: auth.trusts_header,
                ignores_claims: auth.ignores_claims,
            }
        });
        let rate_limit = gateway.rate_limit.as_ref().and_then(|limit| {
            let path = path.at("rate_limit");
            if limit.per_instance {
                let hint = "Take it out, or let a service of several instances ask the limiter.";
                self.problem(&path.at("per_instance"), "goes with the limiters of a service alone", hint);
            }
            self.rate_limit(&path, limit)
        });
        let mut targets = Map::new();
        targets.insert(gateway.upstream.clone(), path.at("upstream").to_string());
        let calls = self.calls(path, &gateway.calls, targets);
        let upstream = position(&calls, &gateway.upstream);
        (Kind::Gateway(GatewayPlan { upstream, work, auth, rate_limit }), calls)
    }
}
