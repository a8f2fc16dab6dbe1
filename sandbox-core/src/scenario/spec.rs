//! A scenario as written: what the JSON may say, field by field, with units at the end of names.
//!
//! An enum with data is an object whose tag (`kind`, `dist`, `process` or `policy`) names the variant; `tracked.rs` reads it so.
//! Unknown fields are refused. Numbers are checked when the [`super::Plan`] is made.

use super::arrivals::ArrivalsSpec;
use super::dist::DistSpec;
use super::map::Map;
use super::popularity::PopularitySpec;
use serde::Deserialize;
use serde_json::Value;

macro_rules! spec {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name { $($body)* }
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields, rename_all = "snake_case")]
        $(#[$meta])*
        pub enum $name { $($body)* }
    };
}
pub(super) use spec;

spec! {
    /// A whole scenario. As written it is variant `A`, the problem; the variants are patches of it.
    pub struct Spec {
        /// Version of this format; 1.
        pub format_version: u32,
        /// Unique name, lower-case words joined by `-`.
        pub id: String,
        /// Title for people.
        pub title: String,
        /// What the scenario shows, in a sentence or two.
        #[serde(default)]
        pub about: String,
        /// Seed of all randomness, below 2^53.
        pub seed: u64,
        /// How long the run lasts, in simulated seconds.
        pub duration_s: f64,
        /// The parts of the system.
        #[serde(deserialize_with = "read_apart")]
        #[cfg_attr(feature = "schema", schemars(with = "Map<NodeSpec>"))]
        pub nodes: Map<NodeSpec>,
        /// Delays between nodes. A call between nodes without a link takes no time on the way.
        #[serde(default)]
        pub links: Map<LinkSpec>,
        /// Who sends what.
        pub workloads: Map<WorkloadSpec>,
        /// What breaks when.
        #[serde(default)]
        pub faults: Map<FaultSpec>,
        /// Who watches what, and opens incidents.
        #[serde(default)]
        pub monitors: Map<MonitorSpec>,
        /// Signals of the scenario's own. None can be declared yet; the built-in ones need no declaration.
        #[serde(default)]
        pub metrics: Map<Value>,
        /// What a learner may turn.
        #[serde(default)]
        pub knobs: Map<KnobSpec>,
        /// Patches of this document.
        #[serde(default)]
        pub variants: Map<VariantSpec>,
        /// What the scenario promises, checked over many seeds.
        #[serde(default)]
        pub claims: Map<ClaimSpec>,
    }
}

/// Nodes are read one by one (`parse.rs`); the frame of the document holds none.
fn read_apart<'de, D: serde::Deserializer<'de>>(frame: D) -> Result<Map<NodeSpec>, D::Error> {
    serde::de::IgnoredAny::deserialize(frame).map(|_| Map::new())
}

/// A part of the system.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(tag = "kind", rename_all = "snake_case"))]
pub enum NodeSpec {
    /// People or programs that send requests.
    Client(ClientSpec),
    /// The entrance: checks tokens and quotas, passes requests on.
    Gateway(GatewaySpec),
    /// A service with workers.
    Service(ServiceSpec),
    /// A cache with copies of rows.
    Cache(CacheSpec),
    /// A database in the manner of SQLite in WAL mode: readers beside one writer.
    Store(StoreSpec),
}

spec! {
    /// People or programs that send requests.
    pub struct ClientSpec {
        /// Title for people; the id if absent.
        #[serde(default)]
        pub title: Option<String>,
        /// How this node calls others, by their id.
        #[serde(default)]
        pub calls: Map<CallSpec>,
    }
}

spec! {
    /// The entrance: checks tokens and quotas, passes requests on. Its own work holds no worker.
    pub struct GatewaySpec {
        /// Title for people; the id if absent.
        #[serde(default)]
        pub title: Option<String>,
        /// The node that requests are passed on to.
        pub upstream: String,
        /// Time the gateway takes for a request that it passes on.
        #[serde(default)]
        pub work: Option<DistSpec>,
        /// Token check; absent: everybody may pass.
        #[serde(default)]
        pub auth: Option<AuthSpec>,
        /// Token bucket; absent: no limit.
        #[serde(default)]
        pub rate_limit: Option<RateLimitSpec>,
        /// How this node calls others, by their id.
        #[serde(default)]
        pub calls: Map<CallSpec>,
    }
}

spec! {
    /// Bearer tokens (RFC 6750), JSON Web Tokens signed with HS256.
    pub struct AuthSpec {
        /// Clocks may differ by this much; 30 s by default (`policies.md` section 14).
        #[serde(default = "defaults::leeway_s")]
        pub leeway_s: f64,
        /// Time to check a token.
        pub work: DistSpec,
    }
}

spec! {
    /// A token bucket: `rate_rps` tokens a second, at most `burst` saved up; it starts full.
    pub struct RateLimitSpec {
        /// Requests a second in the long run.
        pub rate_rps: f64,
        /// Requests that may come at once.
        pub burst: u32,
    }
}

spec! {
    /// A service: workers that take calls from a bounded line. A worker is held until its call is answered, also while it
    /// waits for others.
    pub struct ServiceSpec {
        /// Title for people; the id if absent.
        #[serde(default)]
        pub title: Option<String>,
        /// Instances; `api` with 2 replicas runs as `api-1` and `api-2`.
        #[serde(default = "defaults::one")]
        pub replicas: u32,
        /// Calls an instance works on at once.
        pub workers: u32,
        /// Calls that may wait at an instance; one more is refused with 503.
        pub max_waiting: u32,
        /// What the service does for each route, step by step.
        pub routes: Map<Vec<StepSpec>>,
        /// How this node calls others, by their id.
        #[serde(default)]
        pub calls: Map<CallSpec>,
    }
}

spec! {
    /// One step of a route.
    pub enum StepSpec {
        /// Work of the service's own.
        Work(DistSpec),
        /// Read the row that the request asks for.
        Read(AccessSpec),
        /// Write the row that the request asks for, and refresh the cache's copy.
        Write(AccessSpec),
    }
}

spec! {
    /// Which store, and which cache before it.
    pub struct AccessSpec {
        /// The store.
        pub store: String,
        /// Cache-aside: look here first, store what was read or written, fall back to an expired copy if the store fails.
        #[serde(default)]
        pub cache: Option<String>,
    }
}

spec! {
    /// A cache with copies of rows: time to live, least recently used leaves first, stale-if-error.
    pub struct CacheSpec {
        /// Title for people; the id if absent.
        #[serde(default)]
        pub title: Option<String>,
        /// Copies that fit in.
        pub capacity: u32,
        /// A copy is fresh for this long.
        pub ttl_s: f64,
        /// An expired copy may be served for this long when its origin fails (RFC 5861); 0: never.
        #[serde(default)]
        pub stale_if_error_s: f64,
    }
}

spec! {
    /// A database in the manner of SQLite in WAL mode: up to `readers` reads at once beside one writer; who finds no free
    /// connection waits in a line, and its caller's timeout bounds the wait.
    pub struct StoreSpec {
        /// Title for people; the id if absent.
        #[serde(default)]
        pub title: Option<String>,
        /// Reading connections.
        pub readers: u32,
        /// Rows; keys run from 0 to `rows` - 1.
        pub rows: u32,
        /// Time a read holds a reading connection.
        pub read: DistSpec,
        /// Time a write holds the one writing connection, its commit included.
        pub write: DistSpec,
    }
}

spec! {
    /// How a node calls another.
    pub struct CallSpec {
        /// The caller stops waiting after this long; absent: never.
        #[serde(default)]
        pub timeout_ms: Option<f64>,
        /// Further attempts; absent: none.
        #[serde(default)]
        pub retry: Option<RetrySpec>,
        /// Circuit breaker; absent: none.
        #[serde(default)]
        pub breaker: Option<BreakerSpec>,
        /// How an instance is chosen; absent: least request of two.
        #[serde(default)]
        pub balancer: Option<BalancerSpec>,
        /// Active health checks of the instances; absent: all count as healthy.
        #[serde(default)]
        pub health_check: Option<HealthCheckSpec>,
    }
}

spec! {
    /// Retry with back-off (`policies.md` section 2). The defaults are the adopted ones.
    pub struct RetrySpec {
        /// Attempts, the first included.
        #[serde(default = "defaults::max_attempts")]
        pub max_attempts: u8,
        /// Back-off before the first retry.
        #[serde(default = "defaults::base_delay_ms")]
        pub base_delay_ms: f64,
        /// Longest back-off.
        #[serde(default = "defaults::max_delay_ms")]
        pub max_delay_ms: f64,
        /// Each back-off is this many times the one before.
        #[serde(default = "defaults::multiplier")]
        pub multiplier: f64,
        /// How chance is mixed in.
        #[serde(default)]
        pub jitter: JitterSpec,
        /// How many retries all requests together may make.
        #[serde(default)]
        pub budget: BudgetSpec,
    }
}

spec! {
    /// How chance is mixed into a back-off of v.
    #[derive(Copy, Eq, Default)]
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
        /// Anything from 0.8 v to 1.2 v.
        Proportional,
    }
}

spec! {
    /// How many retries all requests together may make.
    #[cfg_attr(feature = "schema", schemars(tag = "kind"))]
    pub enum BudgetSpec {
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
    }
}

impl Default for BudgetSpec {
    fn default() -> BudgetSpec {
        BudgetSpec::Ratio { ttl_s: 10.0, min_rps: 10.0, ratio: 0.2 }
    }
}

spec! {
    /// Circuit breaker with the semantics of resilience4j (`policies.md` section 1). The defaults are the adopted ones.
    pub struct BreakerSpec {
        /// Calls in the window.
        #[serde(default = "defaults::sliding_window_size")]
        pub sliding_window_size: u32,
        /// Calls needed before the breaker judges.
        #[serde(default = "defaults::minimum_number_of_calls")]
        pub minimum_number_of_calls: u32,
        /// Opens at this share of failures, in percent.
        #[serde(default = "defaults::failure_rate_percent")]
        pub failure_rate_percent: f64,
        /// Stays open for this long.
        #[serde(default = "defaults::wait_in_open_s")]
        pub wait_in_open_s: f64,
        /// Trial calls when half-open.
        #[serde(default = "defaults::permitted_calls_in_half_open")]
        pub permitted_calls_in_half_open: u32,
    }
}

spec! {
    /// How an instance is chosen (`policies.md` section 8).
    #[cfg_attr(feature = "schema", schemars(tag = "policy"))]
    pub enum BalancerSpec {
        /// One after the other.
        RoundRobin {},
        /// The one with the fewest calls under way, of some looked at.
        LeastRequest {
            /// How many are looked at.
            #[serde(default = "defaults::choices")]
            choices: u8,
        },
        /// Any.
        Random {},
    }
}

spec! {
    /// Active health checks (`policies.md` section 8).
    pub struct HealthCheckSpec {
        /// Time between two probes of an instance.
        #[serde(default = "defaults::health_interval_s")]
        pub interval_s: f64,
        /// A probe without an answer after this long has failed.
        #[serde(default = "defaults::health_timeout_ms")]
        pub timeout_ms: f64,
        /// Failed probes in a row until an instance is left out.
        #[serde(default = "defaults::unhealthy_threshold")]
        pub unhealthy_threshold: u32,
        /// Good probes in a row until it is back.
        #[serde(default = "defaults::healthy_threshold")]
        pub healthy_threshold: u32,
    }
}

spec! {
    /// The way between two nodes, there and back alike.
    pub struct LinkSpec {
        /// The caller.
        pub from: String,
        /// The callee; all its replicas.
        pub to: String,
        /// Time on the way, one way.
        pub delay_ms: f64,
    }
}

spec! {
    /// Who sends what.
    pub struct WorkloadSpec {
        /// The client node that sends.
        pub client: String,
        /// The node the requests go to.
        pub target: String,
        /// When requests are sent.
        pub arrivals: ArrivalsSpec,
        /// Sending begins at this second.
        #[serde(default)]
        pub from_s: f64,
        /// No request is sent from this second on; absent: until the run ends.
        #[serde(default)]
        pub to_s: Option<f64>,
        /// No more than this many requests are sent; absent: no such limit.
        #[serde(default)]
        pub requests: Option<u32>,
        /// How urgent the requests are where a line is kept by priority: 1 is the most urgent.
        #[serde(default = "defaults::priority")]
        pub priority: u8,
        /// Which routes, by name.
        pub routes: Map<RouteSpec>,
        /// Which rows: keys from 0 to this number less 1.
        pub keys: u32,
        /// How often each of the keys is asked for.
        #[serde(default)]
        pub popularity: PopularitySpec,
        /// How many users, each with a token of its own.
        pub users: u32,
        /// How long a token is valid; a user fetches a new one in time.
        #[serde(default = "defaults::token_lifetime_s")]
        pub token_lifetime_s: f64,
    }
}

spec! {
    /// A route of a workload.
    pub struct RouteSpec {
        /// Share of the requests, relative to the other routes.
        pub weight: f64,
        /// What kind of operation it is: the label `op` of all signals.
        pub op: OpSpec,
    }
}

spec! {
    /// A kind of operation.
    #[derive(Copy, Eq, PartialOrd, Ord)]
    pub enum OpSpec {
        /// Changes nothing.
        Read,
        /// Changes data.
        Write,
    }
}

spec! {
    /// What breaks when: in `[from_s, to_s)`.
    pub struct FaultSpec {
        /// Title for people; the id if absent.
        #[serde(default)]
        pub title: Option<String>,
        /// The node it hits; all replicas, or one of them as `api-1`.
        pub node: String,
        /// What it does.
        pub effect: EffectSpec,
        /// Begins at this second.
        pub from_s: f64,
        /// Ends at this second.
        pub to_s: f64,
    }
}

spec! {
    /// What a fault does.
    #[cfg_attr(feature = "schema", schemars(tag = "kind"))]
    pub enum EffectSpec {
        /// The node refuses every new call at once; calls under way are finished.
        Down {},
        /// Work takes this many times as long.
        Slow {
            /// How many times as long.
            factor: f64,
        },
        /// This share of calls fails with an internal error after its work.
        Errors {
            /// Share of calls, from 0 to 1.
            ratio: f64,
        },
    }
}

spec! {
    /// Probes a node and opens an incident when it fails.
    pub struct MonitorSpec {
        /// Title for people; the id if absent.
        #[serde(default)]
        pub title: Option<String>,
        /// The node that is probed.
        pub target: String,
        /// Time between two probes.
        pub interval_s: f64,
        /// A probe without an answer after this long has failed.
        pub timeout_ms: f64,
        /// Failed probes in a row until an incident is opened.
        pub failure_threshold: u32,
        /// Good probes in a row until it counts as recovered.
        pub success_threshold: u32,
    }
}

spec! {
    /// Something a learner may turn.
    pub struct KnobSpec {
        /// Title for people.
        pub title: String,
        /// What it changes: a dotted path to a number of the document.
        pub path: String,
        /// Unit of the number, for people; empty for a plain count.
        pub unit: String,
        /// Smallest value.
        pub min: f64,
        /// Largest value.
        pub max: f64,
        /// Distance between two values.
        pub step: f64,
        /// What turning it does, in a sentence.
        #[serde(default)]
        pub help: String,
    }
}

spec! {
    /// A patch of the document.
    pub struct VariantSpec {
        /// Title for people.
        pub title: String,
        /// Dotted path to value; null deletes.
        #[serde(default)]
        pub set: Map<Value>,
    }
}

spec! {
    /// What the scenario promises.
    pub struct ClaimSpec {
        /// The promise in words.
        pub text: String,
        /// What part it plays.
        pub role: RoleSpec,
        /// The promise as an expression (ARCHITECTURE.md, "Claims").
        pub expr: String,
        /// Why a claim of role `context` is exempt from mutation.
        #[serde(default)]
        pub reason: Option<String>,
    }
}

spec! {
    /// What part a claim plays.
    #[derive(Copy, Eq)]
    pub enum RoleSpec {
        /// Shows the problem.
        Effect,
        /// Shows the cure.
        Cure,
        /// Shows the surroundings.
        Context,
    }
}

/// The adopted defaults of `policies.md`.
mod defaults {
    pub fn one() -> u32 {
        1
    }
    pub fn priority() -> u8 {
        1
    }
    pub fn leeway_s() -> f64 {
        30.0
    }
    pub fn max_attempts() -> u8 {
        3
    }
    pub fn base_delay_ms() -> f64 {
        100.0
    }
    pub fn max_delay_ms() -> f64 {
        20_000.0
    }
    pub fn multiplier() -> f64 {
        2.0
    }
    pub fn sliding_window_size() -> u32 {
        20
    }
    pub fn minimum_number_of_calls() -> u32 {
        10
    }
    pub fn failure_rate_percent() -> f64 {
        50.0
    }
    pub fn wait_in_open_s() -> f64 {
        5.0
    }
    pub fn permitted_calls_in_half_open() -> u32 {
        3
    }
    pub fn choices() -> u8 {
        2
    }
    pub fn health_interval_s() -> f64 {
        2.0
    }
    pub fn health_timeout_ms() -> f64 {
        1_000.0
    }
    pub fn unhealthy_threshold() -> u32 {
        3
    }
    pub fn healthy_threshold() -> u32 {
        2
    }
    pub fn token_lifetime_s() -> f64 {
        3_600.0
    }
}
