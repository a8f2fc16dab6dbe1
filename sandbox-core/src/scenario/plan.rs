//! What runs: a validated scenario whose fields cannot hold nonsense.

use super::arrivals::{Arrivals, OpenLoop};
use super::connections::ConnectionsPlan;
use super::dist::Dist;
use super::life::{FleetPlan, RolloutPlan};
use super::planner::Planner;
use super::popularity::Popularity;
use super::program::Program;
use super::signals::Signals;
use super::spec::{
    CancelSpec, DisciplineSpec, EffectSpec, ForgerySpec, HoldSpec, InspectedSpec, LostSpec, OpSpec, RateLimitKeySpec,
    Spec,
};
use super::way::WayPlan;
use super::{Expr, Problem};
use crate::ids::{NodeId, RouteId};
use crate::policy::admission::AdmissionConfig;
use crate::policy::alert_rule::AlertRule;
use crate::policy::balancer::BalancerPolicy;
use crate::policy::burn_rate::{BurnRateRule, Slo};
use crate::policy::cache::CacheConfig;
use crate::policy::circuit_breaker::CircuitBreakerConfig;
use crate::policy::client_address::TrustedProxies;
use crate::policy::client_throttle::ClientThrottleConfig;
use crate::policy::deadline::Cancel;
use crate::policy::health_check::HealthCheckConfig;
use crate::policy::hedging::HedgingConfig;
use crate::policy::idempotency::IdempotencyConfig;
use crate::policy::message_queue::MessageQueueConfig;
use crate::policy::outlier_detection::OutlierDetectionConfig;
use crate::policy::rate_limiter::{PenaltyConfig, RateLimiterConfig};
use crate::policy::retry::RetryConfig;
use crate::policy::retry_budget::BudgetConfig;
use crate::policy::ring_hash;
use crate::store::{BusyTimeout, ReplicaConfig, Store};
use crate::time::{Span, Time};
use crate::trace::Status;
use serde_json::Value;
use std::sync::Arc;

/// A validated scenario: one variant, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The variant this is.
    pub variant: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// When the run ends.
    pub end: Time,
    /// All running nodes: replicas one by one, monitors last.
    pub nodes: Vec<NodePlan>,
    /// All routes of all workloads.
    pub routes: Vec<RoutePlan>,
    /// Who sends what.
    pub workloads: Vec<WorkloadPlan>,
    /// What breaks when.
    pub faults: Vec<FaultPlan>,
    /// Services whose instances come and go.
    pub fleets: Vec<FleetPlan>,
    /// Instances that are replaced.
    pub rollouts: Vec<RolloutPlan>,
    /// What is measured beside the built-in signals.
    pub signals: Arc<Signals>,
    /// Rows that may be asked for: keys run from 0 to this number less 1.
    pub keys: u32,
    /// Variables of every stay's program.
    pub locals: usize,
    /// Rules that rows must keep, judged once a second.
    pub audits: Vec<AuditPlan>,
    /// The idempotency keys of each step that has some, which all instances of a service share.
    pub idempotency: Vec<IdempotencyPlan>,
    /// The rate limiters of services.
    pub limiters: Vec<RateLimitPlan>,
    /// What alert rules look at.
    pub watched: Vec<Watched>,
    /// One way, from each node to each.
    pub(super) delays: Vec<Span>,
    /// Faults that lose messages, by position.
    pub(super) partitions: Vec<u16>,
    /// Links on which more happens.
    pub ways: Vec<WayPlan>,
    /// Which of these lies between each node and each, if any; empty if there are none.
    pub(super) way_of: Vec<Option<u16>>,
}

/// A running node.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its id: `db`, or `api-2` for a replica.
    pub id: String,
    /// The key in the document: `api` for `api-2`.
    pub group: String,
    /// Title for people.
    pub title: String,
    /// Stable number of the id, for random streams.
    pub hash: u64,
    /// What it is.
    pub kind: Kind,
    /// Whom it calls, and how.
    pub calls: Vec<CallPlan>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Sends requests.
    Client(ClientPlan),
    /// Lets requests in.
    Gateway(GatewayPlan),
    /// Works on requests.
    Service(ServicePlan),
    /// Holds copies.
    Cache(CachePlan),
    /// Holds rows.
    Store(StorePlan),
    /// Probes a node.
    Monitor(MonitorPlan),
    /// Keeps messages and delivers them.
    Queue(QueuePlan),
    /// Holds rows in tables, with transactions.
    Database(DatabasePlan),
}

/// A database.
#[derive(Clone, Debug)]
pub struct DatabasePlan {
    /// Its rows as they are at the start.
    pub store: Store,
    /// Names of its tables with those of their columns.
    pub tables: Vec<(String, Vec<String>)>,
    /// Connections; None: any number.
    pub connections: Option<u32>,
    /// How a session waits for a lock of SQLite.
    pub busy: BusyTimeout,
    /// After so long a wait for a row, a server looks whether it is in a circle; None: SQLite, where nobody waits for rows.
    pub deadlock_timeout: Option<Span>,
    /// Time of a statement that reads.
    pub read: Dist,
    /// Time of a statement that writes.
    pub write: Dist,
    /// Time of a commit.
    pub commit: Dist,
    /// Time for each row that is looked at.
    pub scan_row: Span,
    /// Processors that statements share; None: no bound.
    pub cores: Option<u32>,
    /// By what share each statement above the number of cores slows all down.
    pub contention: f64,
    /// How its replica follows, if it has one.
    pub replica: Option<ReplicaConfig>,
}

/// Counts the rows that break a rule, and observes the change.
#[derive(Clone, Debug)]
pub struct AuditPlan {
    /// The database.
    pub node: NodeId,
    /// Position among its tables.
    pub table: u8,
    /// The rule, over the row's key, version and columns.
    pub breach: Expr,
    /// Position among the plan's observed signals.
    pub signal: u16,
}

/// The idempotency keys of one step.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyPlan {
    /// Whether a key is required, and how long an answer is kept.
    pub config: IdempotencyConfig,
    /// Whether failures are forgotten, so that a further attempt is made.
    pub successes_only: bool,
    /// Whether a further attempt waits for the one under way.
    pub waits: bool,
}

/// A queue of messages; at least once, by visibility timeout, which is also the timeout of its only call.
#[derive(Clone, Debug)]
pub struct QueuePlan {
    /// Route of the deliveries.
    pub route: RouteId,
    /// Deliveries under way at once; None: no bound.
    pub consumers: Option<u32>,
    /// Which message is next, for how long it is out of sight, when it is dead.
    pub config: MessageQueueConfig,
    /// How long a message that failed is out of sight.
    pub redelivery: RetryConfig,
    /// Messages of one partition keep their order; None: none does.
    pub partitions: Option<u32>,
    /// How often a consumer at work says so; None: never.
    pub heartbeat: Option<Span>,
    /// Whether messages outlive the queue's going down.
    pub durable: bool,
    /// Time until a message is stored; None: it takes none.
    pub store: Option<Dist>,
}

impl QueuePlan {
    /// The partition of a message about this row, which depends on the row alone.
    pub fn partition_of(&self, key: u32) -> Option<u32> {
        self.partitions.map(|partitions| (ring_hash::hash(u64::from(key), 2) % u64::from(partitions)) as u32)
    }
}

/// A client. How it calls stands in the node's `calls`.
#[derive(Clone, Debug)]
pub struct ClientPlan {}

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

/// A service.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Calls worked on at once; None: no bound.
    pub workers: Option<u32>,
    /// Calls that may wait; None: no bound.
    pub max_waiting: Option<u32>,
    /// Who is refused so that the others are served in time.
    pub admission: AdmissionConfig,
    /// Who is next.
    pub discipline: Discipline,
    /// So many may wait in order before an adaptive line turns round.
    pub lifo_above: u32,
    /// What a call holds its worker for.
    pub hold: Hold,
    /// How far its clock is ahead, in seconds.
    pub clock_offset_s: f64,
    /// How long a call waits in line before it leaves.
    pub patience: Option<Dist>,
    /// Whether a call whose caller has gone is dropped when its turn comes.
    pub drop_expired: bool,
    /// Whether workers start together and answer together.
    pub static_batch: bool,
    /// How batches are collected, and what they cost.
    pub batching: Option<BatchingPlan>,
    /// CPU time of each instance.
    pub cpu_limit: Option<CpuLimitPlan>,
    /// Up and down by chance, each instance on its own.
    pub chance: Option<(Dist, Dist)>,
    /// How long those that are refused for load are asked to wait.
    pub retry_after: Option<Span>,
    /// Limits of single routes.
    pub bulkheads: Vec<BulkheadPlan>,
    /// For each route of the plan which bulkhead it passes.
    pub bulkhead_of: Vec<Option<usize>>,
    /// For each route of the plan what to do; None: no such route here.
    pub programs: Vec<Option<Program>>,
}

/// How batches are collected, and what they cost.
#[derive(Clone, Copy, Debug)]
pub struct BatchingPlan {
    /// Time for more calls after the first one.
    pub window: Span,
    /// How much longer each call makes the work of all.
    pub per_call: Span,
}

/// A quota of CPU time.
#[derive(Clone, Copy, Debug)]
pub struct CpuLimitPlan {
    /// CPU time in a period.
    pub quota: Span,
    /// Length of a period.
    pub period: Span,
}

/// Who is next in a line.
pub type Discipline = DisciplineSpec;

/// What a call holds its worker for.
pub type Hold = HoldSpec;

/// What can be asked about a database.
pub type Inspected = InspectedSpec;

/// A limit of some routes of a service.
#[derive(Clone, Debug)]
pub struct BulkheadPlan {
    /// Calls let in at once.
    pub max_concurrent: u32,
    /// Calls that may wait before it.
    pub max_waiting: u32,
    /// What one more is answered with.
    pub status: Status,
}

/// A cache.
#[derive(Clone, Debug)]
pub struct CachePlan {
    /// Capacity and times.
    pub config: CacheConfig,
    /// Whether it holds copies at the start.
    pub warm: bool,
    /// Whether one load of a row at a time is enough.
    pub single_flight: bool,
    /// What a load is taken to cost, for early expiration; None: as long as it took.
    pub load_cost: Option<Span>,
    /// Keys run below this.
    pub key_count: u32,
    /// Whether what was invalidated since it was looked up is not stored.
    pub leases: bool,
    /// Whether failures are kept.
    pub keeps_failures: bool,
    /// Whether each instance that asks has copies of its own.
    pub local: bool,
    /// Whether copies outlive the cache's going down.
    pub durable: bool,
}

/// A store.
#[derive(Clone, Debug)]
pub struct StorePlan {
    /// Reading connections.
    pub readers: u32,
    /// Rows.
    pub rows: u32,
    /// Time of a read.
    pub read: Dist,
    /// Time of a write.
    pub write: Dist,
}

/// A monitor. Its target is the first entry of the node's `calls`; who gets its alerts, if somebody does, the second.
#[derive(Clone, Copy, Debug)]
pub struct MonitorPlan {
    /// Time between probes, or looks.
    pub interval: Span,
    /// What it goes by.
    pub judges: Judges,
    /// The route by which alerts are delivered; None: they need no delivery.
    pub deliver: Option<RouteId>,
}

/// Something that alert rules look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// Whether the requests of these nodes fail.
    Failures(Vec<NodeId>),
    /// How long the requests of these nodes take.
    Latency(Vec<NodeId>),
    /// A declared signal, by its position.
    Observed(u16),
}

/// How the values of a window become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertNumber {
    /// Their mean.
    Mean,
    /// All together.
    Sum,
    /// How many there are.
    Count,
    /// A quantile, in thousandths.
    Quantile(u16),
}

/// What a monitor goes by.
#[derive(Clone, Copy, Debug)]
pub enum Judges {
    /// Probes.
    Probes {
        /// Failures in a row until an incident.
        failure_threshold: u32,
        /// Successes in a row until recovery.
        success_threshold: u32,
    },
    /// Probes whose failure restarts the target.
    Liveness {
        /// Failures in a row.
        failure_threshold: u32,
        /// The route that is asked; None: no work of the target is needed.
        route: Option<RouteId>,
    },
    /// The answers of its target.
    BurnRate {
        /// What is promised.
        slo: Slo,
        /// When the budget burns too fast.
        rule: BurnRateRule,
        /// Looks in the long and in the short window.
        looks: [usize; 2],
        /// Requests in the long window that say something.
        minimum_requests: u32,
    },
    /// A number.
    Alert {
        /// Position among what is watched.
        watched: usize,
        /// How its values become a number.
        number: AlertNumber,
        /// When that is a reason to alert.
        rule: AlertRule,
        /// Looks in the window.
        looks: usize,
        /// Values in the window that say something.
        minimum: u32,
    },
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

impl From<CancelSpec> for Cancel {
    fn from(spec: CancelSpec) -> Cancel {
        match spec {
            CancelSpec::None => Cancel::None,
            CancelSpec::AtDequeue => Cancel::AtDequeue,
            CancelSpec::Anywhere => Cancel::Anywhere,
        }
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

/// A route.
#[derive(Clone, Debug)]
pub struct RoutePlan {
    /// Its name, such as `GET /items/{id}`.
    pub name: String,
    /// What kind of operation it is.
    pub op: Op,
}

/// What kind of operation a route is.
pub type Op = OpSpec;

/// Who sends what.
#[derive(Clone, Debug)]
pub struct WorkloadPlan {
    /// Key in the document.
    pub id: String,
    /// Stable number of the id, for random streams.
    pub hash: u64,
    /// The client node.
    pub client: NodeId,
    /// Position in the client's `calls`.
    pub target: usize,
    /// When requests are sent, from `from` on.
    pub arrivals: Arrivals,
    /// Sending begins.
    pub from: Time,
    /// No request is sent at this instant or later.
    pub to: Time,
    /// No more requests than this are sent.
    pub requests: Option<u32>,
    /// 1 is the most urgent.
    pub priority: u8,
    /// Routes with their cumulative share of the requests, the last one 1.
    pub routes: Vec<(RouteId, f64)>,
    /// Keys run below this.
    pub keys: u32,
    /// How often each is asked for.
    pub popularity: Popularity,
    /// How many users.
    pub users: u32,
    /// How long a token is valid.
    pub token_lifetime: Span,
    /// How the users' tokens are forged, if they are.
    pub forged: Option<ForgerySpec>,
    /// Whether each request says to come from another made-up address.
    pub spoofed_forwarded_for: bool,
}

/// A fault of the plan.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// Key in the document.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The nodes it hits.
    pub nodes: Vec<NodeId>,
    /// If it hits the ways to these nodes rather than the nodes: their callers.
    pub callers: Vec<NodeId>,
    /// What it does.
    pub effect: EffectSpec,
    /// Begins.
    pub from: Time,
    /// Ends.
    pub to: Time,
}

/// What faults and chance make of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Refuses new calls.
    pub down: bool,
    /// Has broken down by chance, and is not repaired yet.
    pub broken: bool,
    /// Work takes this many times as long.
    pub slow_factor: f64,
    /// Share of calls that fail.
    pub error_ratio: f64,
    /// Nothing progresses.
    pub frozen: bool,
    /// No work begins; what has begun goes on.
    pub held: bool,
    /// It does not come back as it was: its replica takes its place.
    pub lost: bool,
    /// It has stopped for want of work: the next call starts it.
    pub asleep: bool,
}

impl Default for Condition {
    #[inline]
    fn default() -> Condition {
        Condition {
            down: false,
            broken: false,
            slow_factor: 1.0,
            error_ratio: 0.0,
            frozen: false,
            held: false,
            lost: false,
            asleep: false,
        }
    }
}

impl Condition {
    /// What the effects of all active faults on a node make of it together: factors multiply, errors strike independently.
    #[inline]
    pub fn under<'a>(effects: impl Iterator<Item = &'a EffectSpec>, broken: bool) -> Condition {
        let mut condition = Condition { down: broken, broken, ..Condition::default() };
        for effect in effects {
            match *effect {
                EffectSpec::Down {} | EffectSpec::Crash {} => condition.down = true,
                EffectSpec::Slow { factor } => condition.slow_factor *= factor,
                EffectSpec::Errors { ratio } => condition.error_ratio += ratio * (1.0 - condition.error_ratio),
                EffectSpec::Freeze {} => condition.frozen = true,
                EffectSpec::HoldStarts {} => condition.held = true,
                EffectSpec::FailOver {} => (condition.down, condition.lost) = (true, true),
                EffectSpec::Partition { .. } | EffectSpec::HalfOpen { .. } => {}
            }
        }
        condition
    }
}

/// The sizes a document may have, so that none can hang or exhaust a page.
pub mod limits {
    /// Nodes, replicas counted one by one.
    pub const NODES: usize = 600;
    /// Simulated seconds.
    pub const DURATION_S: f64 = 86_400.0;
    /// Requests of all workloads together: rate times duration.
    pub const REQUESTS: f64 = 5_000_000.0;
    /// Requests of a workload that does not say how many at most, whatever chance and quick answers make of its rate.
    pub const REQUESTS_SENT: u32 = 10_000_000;
    /// Rows, keys and copies.
    pub const ROWS: u32 = 1_000_000;
    /// Rows and copies of all nodes together.
    pub const ROWS_IN_ALL: f64 = 5_000_000.0;
    /// Tables of a database.
    pub const TABLES: usize = 64;
    /// Steps of all programs of all instances of a service.
    pub const STEPS: u64 = 1_000_000;
    /// Simulated seconds times nodes: each node's gauges are kept for each second.
    pub const NODE_SECONDS: f64 = 10_000_000.0;
    /// Workers, connections and waiting places of a node.
    pub const PLACES: u32 = 1_000_000;
    /// Workloads.
    pub const WORKLOADS: usize = 64;
    /// Monitors with an alert rule.
    pub const ALERTS: usize = 32;
    /// Clients of a closed loop.
    pub const CLIENTS: u32 = 100_000;
    /// Users of a workload; each has a token that is really signed.
    pub const USERS: u32 = 100_000;
    /// Routes of all workloads together.
    pub const ROUTES: usize = 64;
    /// Entries of a list: quantiles, points or branches of a distribution, points of a ramp.
    pub const POINTS: usize = 10_000;
    /// The longest time that a document may write for a piece of work or a pause: an hour.
    pub const LENGTH_MS: f64 = 3_600_000.0;
}

impl Plan {
    /// Checks a spec; every problem is added to `problems`. `json` is the document the spec was read from: what could not
    /// be read is still known there by its id, so that references to it are not reported as well.
    #[inline]
    pub fn new(spec: &Spec, variant: &str, json: &Value, problems: &mut Vec<Problem>) -> Option<Plan> {
        let before = problems.len();
        let plan = Planner::new(spec, json, problems).plan(variant);
        (problems.len() == before).then_some(plan)
    }

    /// The delay from one node to another, one way.
    #[inline]
    pub fn delay(&self, from: NodeId, to: NodeId) -> Span {
        self.delays[from.index() * self.nodes.len() + to.index()]
    }

    /// Position among the ways of that from one node to another, if more happens there than a delay.
    #[inline]
    pub fn way(&self, from: NodeId, to: NodeId) -> Option<usize> {
        self.way_of.get(from.index() * self.nodes.len() + to.index())?.map(usize::from)
    }

    /// The fault that loses a message which one node sends to another at this instant.
    #[inline]
    pub fn partition(&self, from: NodeId, to: NodeId, at: Time) -> Option<u16> {
        self.partitions.iter().copied().find(|fault| self.faults[usize::from(*fault)].loses(from, to, at))
    }

    /// The node of this id.
    #[inline]
    pub fn node(&self, id: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.id == id).map(|index| NodeId(index as u16))
    }

    /// The route of this name.
    #[inline]
    pub fn route(&self, name: &str) -> Option<RouteId> {
        self.routes.iter().position(|route| route.name == name).map(|index| RouteId(index as u8))
    }

    /// One sentence that says what will run.
    #[inline]
    pub fn describe(&self) -> String {
        let senders: Vec<String> = self.workloads.iter().map(|workload| workload.describe(self)).collect();
        let parts: Vec<&str> = self
            .nodes
            .iter()
            .filter(|node| !matches!(node.kind, Kind::Client(_) | Kind::Monitor(_)))
            .map(|node| node.id.as_str())
            .collect();
        let faults: Vec<String> = self.faults.iter().map(|fault| fault.describe(self)).collect();
        let faults = if faults.is_empty() { "nothing breaks".to_string() } else { faults.join(" and ") };
        format!(
            "Variant {} runs {:.0} s with seed {}: {} through {}; {faults}.",
            self.variant,
            self.end.as_seconds(),
            self.seed,
            senders.join(" and "),
            parts.join(", ")
        )
    }
}

impl WorkloadPlan {
    /// Requests that are to be expected in a run that ends at `end`.
    #[inline]
    pub fn expected(&self, end: Time) -> f64 {
        let unlimited = self.arrivals.expected(self.to.min(end).since(self.from));
        self.requests.map_or(unlimited, |most| unlimited.min(f64::from(most)))
    }

    /// Requests a second that are to be expected while it sends, in a run that ends at `end`. None: a closed loop, whose rate
    /// depends on the answers.
    #[inline]
    pub fn rate_rps(&self, end: Time) -> Option<f64> {
        match &self.arrivals {
            Arrivals::Closed { .. } => None,
            Arrivals::Open(OpenLoop::Poisson(gap) | OpenLoop::Constant(gap)) => Some(1.0 / gap.as_seconds()),
            Arrivals::Open(_) => Some(self.expected(end) / self.to.min(end).since(self.from).as_seconds()),
        }
    }

    #[inline]
    fn describe(&self, plan: &Plan) -> String {
        let mut words = self.arrivals.describe(&plan.nodes[self.client.index()].id);
        words += &self.popularity.describe();
        if self.from > Time::ZERO {
            words += &format!(", from {} s", self.from.as_seconds());
        }
        if self.to < plan.end {
            words += &format!(", until {} s", self.to.as_seconds());
        }
        if let Some(most) = self.requests {
            words += &format!(", at most {most} requests");
        }
        words
    }
}

impl FaultPlan {
    /// Whether it hits the node, and not only the way to it.
    #[inline]
    pub fn is_on(&self, node: NodeId) -> bool {
        self.callers.is_empty() && self.nodes.contains(&node)
    }

    /// Whether a message that one node sends to another at this instant is lost.
    #[inline]
    fn loses(&self, from: NodeId, to: NodeId, at: Time) -> bool {
        let EffectSpec::Partition { lost, .. } = &self.effect else { return false };
        let goes = |callers: &[NodeId], callees: &[NodeId]| callers.contains(&from) && callees.contains(&to);
        (self.from..self.to).contains(&at)
            && (*lost != LostSpec::Answers && goes(&self.callers, &self.nodes)
                || *lost != LostSpec::Requests && goes(&self.nodes, &self.callers))
    }

    #[inline]
    fn describe(&self, plan: &Plan) -> String {
        let nodes: Vec<&str> = self.nodes.iter().map(|node| plan.nodes[node.index()].id.as_str()).collect();
        let effect = match self.effect {
            EffectSpec::Down {} => "is down".to_string(),
            EffectSpec::Slow { factor } => format!("is {factor} times slower"),
            EffectSpec::Errors { ratio } => format!("fails {:.0} % of its calls", ratio * 100.0),
            EffectSpec::Freeze {} => "stands still".to_string(),
            EffectSpec::HoldStarts {} => "begins nothing new".to_string(),
            EffectSpec::FailOver {} => "is lost, and its replica takes over".to_string(),
            EffectSpec::Crash {} => "has crashed".to_string(),
            EffectSpec::Partition { ref from, .. } => format!("is cut off from {from}"),
            EffectSpec::HalfOpen { ref from } => format!("has dead connections with {from}"),
        };
        format!("{} {effect} from {} s to {} s", nodes.join(", "), self.from.as_seconds(), self.to.as_seconds())
    }
}
