//! The signals that every scenario has without declaring them.

use super::SignalKind;
use super::query::Reduced;
use crate::trace::Outcome;

/// A signal that every scenario has.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name: the catalogue's for what clients see, OpenTelemetry's and Prometheus' manner for the rest.
    pub name: &'static str,
    /// Which one.
    pub id: BuiltInId,
    /// What kind of number it is.
    pub kind: SignalKind,
    /// Its unit.
    pub unit: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Whose numbers these are, and so which labels it takes.
    pub of: Of,
}

/// Whose numbers a built-in signal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Of requests: labels `route`, `op`, `workload`, `client`, and those that the document gives to requests.
    Requests,
    /// Of requests by how they ended: also label `outcome`.
    Outcomes,
    /// Of nodes: label `node`, an instance or all of a group.
    Nodes,
    /// Of one node: label `node` is required.
    OneNode,
    /// Of services: label `node`.
    Services,
    /// Of caches: label `node`.
    Caches,
    /// Of caches by result: also label `result`.
    Lookups,
    /// Of stores: label `node`.
    Stores,
    /// Of the whole run.
    Run,
}

/// Names a built-in signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInId {
    /// Requests that ended.
    Requests,
    /// Attempts of clients.
    Attempts,
    /// Successes.
    Goodput,
    /// Other ends.
    Errors,
    /// Errors among all ends.
    ErrorRatio,
    /// Latency of successes.
    Duration,
    /// Latency of other ends.
    FailedDuration,
    /// Ends by outcome.
    Responses,
    /// Ends with this outcome.
    Ended(Outcome),
    /// Answers from expired copies.
    StaleServed,
    /// Calls tried again.
    Retries,
    /// Calls whose caller stopped waiting.
    Timeouts,
    /// Calls refused because a line was full.
    Shed,
    /// Calls refused because a token bucket was empty.
    RateLimited,
    /// Calls that a breaker held back.
    CircuitRejections,
    /// Breakers that opened.
    BreakerTrips,
    /// Breakers that are open.
    BreakersOpen,
    /// State of a breaker.
    CircuitState,
    /// Calls in line.
    Waiting,
    /// Calls in service.
    InService,
    /// Share of places in use.
    Utilization,
    /// Look-ups.
    Lookups,
    /// Look-ups not answered from a copy at once.
    Misses,
    /// Look-ups answered from a copy at once, among all.
    HitRatio,
    /// Calls that reached a store.
    Queries,
    /// Alerts.
    Alerts,
    /// Alerts that reached somebody.
    AlertsDelivered,
    /// Time to recovery.
    Recovery,
}

const fn signal(
    name: &'static str,
    id: BuiltInId,
    kind: SignalKind,
    of: Of,
    unit: &'static str,
    help: &'static str,
) -> BuiltIn {
    BuiltIn { name, id, kind, unit, help, of }
}

const fn ended(name: &'static str, outcome: Outcome, help: &'static str) -> BuiltIn {
    signal(name, BuiltInId::Ended(outcome), SignalKind::Counter, Of::Requests, "requests", help)
}

use SignalKind::{Counter, Gauge, Histogram, Ratio, Scalar};

/// All of them. Requests count in the second in which they end, everything else in the second in which it happens.
#[rustfmt::skip]
pub const BUILT_INS: &[BuiltIn] = &[
    signal("http_requests_total", BuiltInId::Requests, Counter, Of::Requests, "requests", "requests that ended"),
    signal("http_attempts_total", BuiltInId::Attempts, Counter, Of::Requests, "attempts", "attempts that clients sent"),
    signal("http_goodput_total", BuiltInId::Goodput, Counter, Of::Requests, "requests", "requests answered with success before the client's deadline"),
    signal("http_errors_total", BuiltInId::Errors, Counter, Of::Requests, "requests", "requests that ended in any other way"),
    signal("http_error_ratio", BuiltInId::ErrorRatio, Ratio, Of::Requests, "1", "errors / (errors + goodput)"),
    signal("http_request_duration_seconds", BuiltInId::Duration, Histogram, Of::Requests, "s", "latency of successes from the intended send"),
    signal("http_failed_duration_seconds", BuiltInId::FailedDuration, Histogram, Of::Requests, "s", "latency of failures from the intended send"),
    signal("http_responses_total", BuiltInId::Responses, Counter, Of::Outcomes, "requests", "requests by how they ended"),
    ended("http_400_total", Outcome::BadRequest400, "requests that ended with 400"),
    ended("http_401_total", Outcome::Unauthorized401, "requests that ended with 401"),
    ended("http_403_total", Outcome::Forbidden403, "requests that ended with 403"),
    ended("http_404_total", Outcome::NotFound404, "requests that ended with 404"),
    ended("http_409_total", Outcome::Conflict409, "requests that ended with 409"),
    ended("http_412_total", Outcome::PreconditionFailed412, "requests that ended with 412"),
    ended("http_422_total", Outcome::UnprocessableContent422, "requests that ended with 422"),
    ended("http_428_total", Outcome::PreconditionRequired428, "requests that ended with 428"),
    ended("http_429_total", Outcome::RateLimited429, "requests that ended with 429"),
    ended("http_500_total", Outcome::InternalError500, "requests that ended with 500"),
    ended("http_502_total", Outcome::BadGateway502, "requests that ended with 502"),
    ended("http_503_total", Outcome::Unavailable503, "requests that ended with 503"),
    ended("http_504_total", Outcome::GatewayTimeout504, "requests that ended with 504"),
    signal("cache_stale_served_total", BuiltInId::StaleServed, Counter, Of::Requests, "requests", "requests answered from expired copies"),
    signal("cache_requests_total", BuiltInId::Lookups, Counter, Of::Lookups, "look-ups", "look-ups by result: hit; early and revalidate (a copy served and loaded again); stale (expired, for errors only); expired (too old for that); coalesced (waits for another's load); miss"),
    signal("cache_miss_total", BuiltInId::Misses, Counter, Of::Caches, "look-ups", "look-ups that were not answered from a copy at once"),
    signal("cache_hit_ratio", BuiltInId::HitRatio, Ratio, Of::Caches, "1", "look-ups that were answered from a copy at once / all"),
    signal("db_queries_total", BuiltInId::Queries, Counter, Of::Stores, "queries", "calls that reached a store"),
    signal("db_utilization_ratio", BuiltInId::Utilization, Gauge, Of::Stores, "1", "share of the stores' connections in use"),
    signal("retries_total", BuiltInId::Retries, Counter, Of::Nodes, "calls", "calls that were tried again, at their caller"),
    signal("timeouts_total", BuiltInId::Timeouts, Counter, Of::Nodes, "calls", "calls whose caller stopped waiting, at their caller"),
    signal("load_shed_total", BuiltInId::Shed, Counter, Of::Nodes, "calls", "calls refused because the waiting line was full"),
    signal("ratelimit_rejected_total", BuiltInId::RateLimited, Counter, Of::Nodes, "calls", "calls refused because the token bucket was empty"),
    signal("circuit_rejections_total", BuiltInId::CircuitRejections, Counter, Of::Nodes, "calls", "calls that a circuit breaker did not let out"),
    signal("circuit_state", BuiltInId::CircuitState, Gauge, Of::OneNode, "1", "0 closed, 1 open, 2 half-open"),
    signal("breaker_open", BuiltInId::BreakersOpen, Gauge, Of::Nodes, "breakers", "circuit breakers that are open"),
    signal("breaker_trips_total", BuiltInId::BreakerTrips, Counter, Of::Nodes, "breakers", "circuit breakers that opened"),
    signal("queue_depth", BuiltInId::Waiting, Gauge, Of::Nodes, "calls", "calls in the waiting line"),
    signal("queue_length", BuiltInId::Waiting, Gauge, Of::Nodes, "calls", "the same as queue_depth"),
    signal("worker_busy", BuiltInId::InService, Gauge, Of::Services, "workers", "workers in use"),
    signal("worker_busy_ratio", BuiltInId::Utilization, Gauge, Of::Services, "1", "share of the workers in use"),
    signal("utilization", BuiltInId::Utilization, Gauge, Of::OneNode, "1", "share of the node's workers or connections in use"),
    signal("alert_fired_total", BuiltInId::Alerts, Counter, Of::Nodes, "alerts", "alerts that monitors raised"),
    signal(
        "alert_delivered_total",
        BuiltInId::AlertsDelivered,
        Counter,
        Of::Nodes,
        "alerts",
        "alerts that whoever they were sent to has answered",
    ),
    signal("recovery_seconds", BuiltInId::Recovery, Scalar, Of::Run, "s", "from the end of the last fault until goodput stays at 90 % of its baseline for 5 s"),
];

impl BuiltIn {
    /// The built-in signal of this name; the prefix `faultline_` may stand before it.
    #[inline]
    pub fn named(name: &str) -> Option<&'static BuiltIn> {
        let plain = name.strip_prefix("faultline_").unwrap_or(name);
        BUILT_INS.iter().find(|signal| signal.name == plain)
    }
}

impl SignalKind {
    /// How a signal of this kind may be reduced (`curriculum.md`, appendix A).
    #[inline]
    pub fn reductions(self) -> &'static str {
        match self {
            Counter => "sum, rate, max1s or min1s",
            Gauge => "mean, max, min or last",
            Histogram => "mean, max, min, p50, p90, p95, p99, p999 or count",
            Ratio => "mean, max, min, last or value",
            Scalar => "value",
        }
    }

    /// Its name in the document.
    #[inline]
    pub fn as_str(self) -> &'static str {
        match self {
            Counter => "counter",
            Gauge => "gauge",
            Histogram => "histogram",
            Ratio => "ratio",
            Scalar => "scalar",
        }
    }

    /// Errors: this kind is not reduced so.
    #[inline]
    pub fn allows(self, reduced: Reduced) -> Result<(), String> {
        use Reduced::{Count, Last, Max, Max1s, Mean, Min, Min1s, Quantile, Rate, Sum, Value};
        let allowed = match self {
            Counter => matches!(reduced, Sum | Rate | Max1s | Min1s),
            Gauge => matches!(reduced, Mean | Max | Min | Last),
            Histogram => matches!(reduced, Mean | Max | Min | Quantile(_) | Count),
            Ratio => matches!(reduced, Mean | Max | Min | Last | Value),
            Scalar => reduced == Value,
        };
        if allowed { Ok(()) } else { Err(format!("a {} is reduced by {}", self.as_str(), self.reductions())) }
    }

    /// The reduction that says most about a whole run: a counter's sum, a scalar's value, else the mean.
    #[inline]
    pub fn natural(self) -> Reduced {
        match self {
            Counter => Reduced::Sum,
            Scalar => Reduced::Value,
            Gauge | Histogram | Ratio => Reduced::Mean,
        }
    }
}
