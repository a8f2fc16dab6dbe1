//! From a spec to a plan: every number, reference and size is checked, and all problems are noted at once.

use super::dist::{Dist, DistSpec};
use super::knobs::has_place;
use super::path::Path;
use super::plan::*;
use super::problem;
use super::program::{Compiler, Program};
use super::signals::Signals;
use super::spec::*;
use super::vocabulary::Vocabulary;
use super::way::WayPlan;
use super::{Expr, Map, Problem};
use crate::ids::{NodeId, RouteId, TableId};
use crate::policy::admission::concurrency_limit::{ConcurrencyLimitConfig, ConcurrencyLimitParams};
use crate::policy::admission::{AdmissionConfig, CodelConfig, PriorityShedding};
use crate::policy::alert_rule::{AlertRule, Side};
use crate::policy::balancer::BalancerPolicy;
use crate::policy::burn_rate::{BurnRateRule, Slo};
use crate::policy::cache::{CacheConfig, CacheParams, Eviction};
use crate::policy::circuit_breaker::{CircuitBreakerConfig, CircuitBreakerParams, SlidingWindow};
use crate::policy::client_address::{Cidr, TrustedProxies};
use crate::policy::client_throttle::ClientThrottleConfig;
use crate::policy::deadline::Cancel;
use crate::policy::health_check::{HealthCheckConfig, HealthCheckParams};
use crate::policy::hedging::{HedgingConfig, HedgingParams};
use crate::policy::idempotency::IdempotencyConfig;
use crate::policy::message_queue::{MessageQueueConfig, MessageQueueParams, OnFull};
use crate::policy::outlier_detection::{OutlierDetectionConfig, OutlierDetectionParams};
use crate::policy::peak_ewma::PeakEwmaConfig;
use crate::policy::rate_limiter::{
    Cost, LeakyQueueConfig, PenaltyConfig, Rate, RateLimitConfig, RateLimiterConfig, WindowConfig,
};
use crate::policy::retry::{Jitter, RetryConfig, RetryParams};
use crate::policy::retry_budget::BudgetConfig;
use crate::rng::name_hash;
use crate::store::{
    BusyTimeout, COLUMNS, Fields, Journal, Line, ReplicaConfig, RowId, Server, Sqlite, SqliteConfig, Store, Tables,
};
use crate::time::{Span, Time};
use crate::trace::Status;
use serde_json::Value;
use std::sync::Arc;

/// Makes a plan, noting every problem on the way.
pub(super) struct Planner<'a> {
    pub(super) spec: &'a Spec,
    json: &'a Value,
    problems: &'a mut Vec<Problem>,
    /// What nothing uses, and what nothing is there for. That is certain only if all is whole.
    unused: Vec<Problem>,
    /// Whether everything was read and every name of a node led to one.
    whole: bool,
    pub(super) nodes: Vec<NodePlan>,
    locals: usize,
    idempotency: Vec<IdempotencyPlan>,
    limiters: Vec<RateLimitPlan>,
    watched: Vec<Watched>,
}

impl<'a> Planner<'a> {
    /// Nothing is planned yet; `problems` are those of reading.
    #[inline]
    pub fn new(spec: &'a Spec, json: &'a Value, problems: &'a mut Vec<Problem>) -> Planner<'a> {
        let whole = problems.is_empty();
        let (nodes, unused) = (Vec::new(), Vec::new());
        let (idempotency, limiters, watched) = (Vec::new(), Vec::new(), Vec::new());
        Planner { spec, json, problems, unused, whole, nodes, locals: 0, idempotency, limiters, watched }
    }

    /// The plan; it is to be thrown away if there are problems.
    #[inline]
    pub fn plan(mut self, variant: &str) -> Plan {
        let spec = self.spec;
        self.check_frame();
        let routes = self.routes();
        self.name_nodes();
        for (id, node) in &spec.nodes {
            self.plan_node(id, node, &routes);
        }
        self.refuse_cycles();
        let workloads: Vec<WorkloadPlan> =
            spec.workloads.iter().filter_map(|(id, workload)| self.workload(id, workload, &routes)).collect();
        self.check_volume(&workloads);
        let faults: Vec<FaultPlan> = spec.faults.iter().filter_map(|(id, fault)| self.fault(id, fault)).collect();
        let (fleets, rollouts) = (self.fleets(&faults), self.rollouts());
        for (id, monitor) in spec.monitors.iter().take(limits::NODES) {
            self.monitor(id, monitor, &routes);
        }
        self.liveness(&routes);
        self.check_sizes();
        let (delays, mut ways, mut way_of) = self.delays();
        let partitions = self.partitions(&faults, &mut ways, &mut way_of);
        let words = Vocabulary::new(&self.nodes, &routes, &workloads);
        let signals = Signals::new(spec, words, &self.nodes, self.json, self.problems);
        let audits = self.audits();
        self.check_knobs();
        if self.whole {
            self.problems.append(&mut self.unused);
        }
        Plan {
            id: spec.id.clone(),
            title: spec.title.clone(),
            variant: variant.to_string(),
            seed: spec.seed,
            end: Time::from_seconds(spec.duration_s),
            nodes: self.nodes,
            routes,
            keys: workloads.iter().map(|workload| workload.keys).max().unwrap_or(1),
            workloads,
            faults,
            fleets,
            rollouts,
            locals: self.locals,
            idempotency: self.idempotency,
            limiters: self.limiters,
            watched: self.watched,
            audits,
            signals: Arc::new(signals),
            delays,
            partitions,
            ways,
            way_of,
        }
    }

    #[inline]
    pub(super) fn problem(&mut self, path: &Path, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::new(path.to_string(), what, hint));
    }

    /// Reports what nothing uses, or what nothing is there for, if that is certain in the end.
    #[inline]
    fn is_unused(&mut self, path: &Path, what: impl Into<String>, hint: impl Into<String>) {
        self.unused.push(Problem::new(path.to_string(), what, hint));
    }

    /// The length of the run in seconds; the longest there is if the document's makes no sense.
    #[inline]
    pub(super) fn duration_s(&self) -> f64 {
        Some(self.spec.duration_s).filter(|duration_s| *duration_s > 0.0).unwrap_or(limits::DURATION_S)
    }

    #[inline]
    pub(super) fn within(&mut self, path: &Path, value: f64, min: f64, max: f64) -> bool {
        problem::within(self.problems, path, value, min, max)
    }

    #[inline]
    pub(super) fn above_zero(&mut self, path: &Path, value: f64, max: f64) -> bool {
        problem::above_zero(self.problems, path, value, max)
    }

    #[inline]
    fn check_frame(&mut self) {
        let spec = self.spec;
        if spec.format_version != 1 {
            self.problem(
                &Path::new("format_version"),
                format!("{} is not known", spec.format_version),
                "This program reads version 1.",
            );
        }
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if spec.id.is_empty() || !spec.id.chars().all(word) {
            self.problem(&Path::new("id"), format!("`{}` is no id", spec.id), "Use lower-case words joined by `-`.");
        }
        if spec.seed >= 1 << 53 {
            self.problem(
                &Path::new("seed"),
                "is too large",
                "Use a whole number below 2^53, which JSON can carry exactly.",
            );
        }
        self.above_zero(&Path::new("duration_s"), spec.duration_s, limits::DURATION_S);
        for id in spec.nodes.keys().chain(spec.monitors.keys()) {
            if id.is_empty() || !id.chars().all(word) {
                self.problem(&Path::new("nodes").at(id), "is no id", "Use lower-case words joined by `-`.");
            }
        }
    }

    #[inline]
    fn routes(&mut self) -> Vec<RoutePlan> {
        let spec = self.spec;
        let mut routes: Vec<RoutePlan> = Vec::new();
        let in_workloads = Path::new("workloads");
        for (id, workload) in &spec.workloads {
            for (name, route) in &workload.routes {
                match routes.iter().find(|known| known.name == *name) {
                    Some(known) if known.op != route.op => self.problem(
                        &in_workloads.at(id).at("routes").at(name).at("op"),
                        "differs from another workload's",
                        "A route is the same operation for all workloads.",
                    ),
                    Some(_) => {}
                    None => routes.push(RoutePlan { name: name.clone(), op: route.op }),
                }
            }
        }
        // Routes that only programs call are reads: no request of a user has them.
        for node in spec.nodes.values() {
            if let NodeSpec::Service(service) = node {
                for name in service.routes.keys() {
                    if !routes.iter().any(|known| known.name == *name) {
                        routes.push(RoutePlan { name: name.clone(), op: OpSpec::Read });
                    }
                }
            }
        }
        if routes.len() > limits::ROUTES {
            self.problem(
                &Path::new("workloads"),
                format!("{} routes are too many", routes.len()),
                format!("At most {}.", limits::ROUTES),
            );
        }
        routes
    }

    /// Gives every instance its place, so that nodes can refer to each other.
    #[inline]
    fn name_nodes(&mut self) {
        let mut count = self.spec.monitors.len();
        for (group, node) in &self.spec.nodes {
            let replicas = match node {
                NodeSpec::Service(_) if self.is_miscounted(group) => 1,
                NodeSpec::Service(service) => service.replicas,
                _ => 1,
            };
            for instance in 1..=replicas {
                let id = if replicas == 1 { group.clone() } else { format!("{group}-{instance}") };
                let title = title_of(node).unwrap_or(group);
                let title = if replicas == 1 { title.to_string() } else { format!("{title}-{instance}") };
                let (hash, group) = (name_hash(&id), group.clone());
                count += 1;
                if count > limits::NODES {
                    break;
                }
                self.nodes.push(NodePlan {
                    id,
                    group,
                    title,
                    hash,
                    kind: Kind::Client(ClientPlan {}),
                    calls: Vec::new(),
                });
            }
        }
        if count > limits::NODES {
            let hint = format!("At most {}, replicas and monitors counted one by one.", limits::NODES);
            self.problem(&Path::new("nodes"), "there are too many", hint);
        }
        let same = |node: &NodePlan| self.nodes.iter().filter(|other| other.id == node.id).count() > 1;
        if self.nodes.iter().any(same) {
            self.problem(
                &Path::new("nodes"),
                "two nodes have the same id",
                "A replica is named `id-1`: rename the node of that name.",
            );
        }
    }

    /// The instances of a group; reports a group that does not exist.
    #[inline]
    pub(super) fn instances(&mut self, path: &Path, group: &str) -> Vec<NodeId> {
        let found: Vec<NodeId> = (0..self.nodes.len())
            .filter(|index| self.nodes[*index].group == group)
            .map(|index| NodeId(index as u16))
            .collect();
        let is_replica = || group.rsplit_once('-').is_some_and(|(group, _)| self.is_miscounted(group));
        if let Some(known) = nodes_without(self.json, group)
            && found.is_empty()
            && !is_replica()
        {
            let hint = format!("Nodes: {}.", known.join(", "));
            self.problem(path, format!("there is no node `{group}`"), hint);
            self.whole = false;
        }
        found
    }

    /// The instances of a group, or the one of this id.
    #[inline]
    pub(super) fn instances_or_one(&mut self, path: &Path, name: &str) -> Vec<NodeId> {
        match self.nodes.iter().position(|node| node.id == name) {
            Some(index) => vec![NodeId(index as u16)],
            None => self.instances(path, name),
        }
    }

    /// Whether a group's number of replicas is wrong, which is told where it stands: it then counts as 1.
    #[inline]
    fn is_miscounted(&self, group: &str) -> bool {
        let node = self.json.get("nodes").and_then(|nodes| nodes.get(group));
        let replicas = node.and_then(|node| node.get("replicas"));
        let fits = |replicas: &Value| replicas.as_u64().is_some_and(|n| (1..=limits::NODES as u64).contains(&n));
        replicas.is_some_and(|replicas| !fits(replicas))
    }

    #[inline]
    fn plan_node(&mut self, id: &str, node: &'a NodeSpec, routes: &[RoutePlan]) {
        let in_nodes = Path::new("nodes");
        let path = in_nodes.at(id);
        let (kind, calls) = match node {
            NodeSpec::Client(client) => {
                let in_workloads = Path::new("workloads");
                let mut targets = Map::new();
                for (workload, spec) in self.spec.workloads.iter().filter(|(_, spec)| spec.client == id) {
                    let path = in_workloads.at(workload);
                    let at = path.at("target");
                    self.refuse_unless(&at, &spec.target, "a client", &["gateway", "service"]);
                    let behind = |node: &&NodeSpec| matches!(node, NodeSpec::Gateway(gateway) if gateway.upstream == spec.target);
                    if self.spec.nodes.values().find(behind).is_some() {
                        let hint = "Send to the gateway, as everybody outside must.";
                        self.problem(
                            &at,
                            format!("`{}` is behind a gateway: a client cannot reach it", spec.target),
                            hint,
                        );
                    }
                    targets.insert(spec.target.clone(), at.to_string());
                }
                (Kind::Client(ClientPlan {}), self.calls(&path, &client.calls, targets))
            }
            NodeSpec::Gateway(gateway) => self.gateway(&path, gateway),
            NodeSpec::Service(service) => self.service(id, &path, service, routes),
            NodeSpec::Cache(cache) => (self.cache(&path, cache), Vec::new()),
            NodeSpec::Store(store) => (self.store(&path, store), Vec::new()),
            NodeSpec::Queue(queue) => self.queue(&path, queue, routes),
            NodeSpec::Database(database) => (self.database(&path, database), Vec::new()),
        };
        for plan in self.nodes.iter_mut().filter(|plan| plan.group == id) {
            plan.kind = kind.clone();
            plan.calls = calls.clone();
        }
    }

    /// Reports a call that no real system would make: a client at the store, a gateway at the cache.
    #[inline]
    pub(super) fn refuse_unless(&mut self, path: &Path, group: &str, who: &str, allowed: &[&str]) {
        let Some(node) = self.spec.nodes.get(group) else { return };
        let kind = kind_name(node);
        if !allowed.contains(&kind) {
            let hint = format!("It may call a {}.", allowed.join(" or a "));
            self.problem(path, format!("{who} cannot call the {kind} `{group}`"), hint);
        }
    }

    #[inline]
    fn gateway(&mut self, path: &Path, gateway: &GatewaySpec) -> (Kind, Vec<CallPlan>) {
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

    #[inline]
    fn rate_limit(&mut self, path: &Path, limit: &RateLimitSpec) -> Option<RateLimitPlan> {
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
    fn limiters(&mut self, path: &Path, service: &'a ServiceSpec) -> Vec<(&'a str, u32)> {
        let in_limiters = path.at("limiters");
        let mut limiters = Vec::new();
        for (name, limit) in &service.limiters {
            let path = in_limiters.at(name);
            if !service.routes.values().any(|steps| asks_limiter(steps, name)) {
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

    #[inline]
    fn service(
        &mut self,
        id: &str,
        path: &Path,
        service: &'a ServiceSpec,
        routes: &[RoutePlan],
    ) -> (Kind, Vec<CallPlan>) {
        self.within(&path.at("clock_offset_s"), service.clock_offset_s, -limits::DURATION_S, limits::DURATION_S);
        let counted = self.within(&path.at("replicas"), f64::from(service.replicas), 1.0, limits::NODES as f64);
        let replicas = if counted { service.replicas } else { 1 };
        if let Some(workers) = service.workers {
            self.within(&path.at("workers"), f64::from(workers), 1.0, f64::from(limits::PLACES));
        }
        if let Some(places) = service.max_waiting {
            self.within(&path.at("max_waiting"), f64::from(places), 0.0, f64::from(limits::PLACES));
        }
        let in_routes = path.at("routes");
        let mut targets = Map::new();
        for (route, steps) in &service.routes {
            self.targets(&in_routes.at(route), steps, &mut targets);
            if !self.is_used(route) {
                self.is_unused(
                    &in_routes.at(route),
                    "no workload uses this route",
                    "Name it in a workload's `routes` or in a step, or take it out.",
                );
            }
        }
        let calls = self.calls(path, &service.calls, targets);
        let observed = |(name, signal): (&'a String, &SignalSpec)| {
            (signal.source == SourceSpec::Observed).then_some(name.as_str())
        };
        let signals: Vec<Option<&str>> = self.spec.metrics.iter().map(observed).collect();
        let limiters = self.limiters(path, service);
        let mut programs: Vec<Option<Program>> = vec![None; routes.len()];
        let shakes_hands = self.shakes_hands(id);
        for (route, steps) in &service.routes {
            let at = in_routes.at(route);
            let (program, locals) =
                Compiler::new(self, &calls, routes, &signals, &limiters).compile(&at, steps, shakes_hands);
            self.locals = self.locals.max(locals);
            if let Some(index) = routes.iter().position(|known| known.name == *route) {
                programs[index] = Some(program);
            }
        }
        let steps: usize = programs.iter().flatten().map(|program| program.steps.len()).sum();
        if steps as u64 * u64::from(replicas) > limits::STEPS {
            let hint = format!("At most {} steps, those of every replica counted.", limits::STEPS);
            self.problem(&path.at("routes"), "its programs are too long", hint);
            programs.clear();
        }
        if let Some(seconds) = service.retry_after_s {
            self.within(&path.at("retry_after_s"), seconds, 0.0, 3_600.0);
        }
        let (bulkheads, bulkhead_of) = self.bulkheads(path, service, routes);
        let patience = service.patience.as_ref().map(|dist| self.dist(&path.at("patience"), dist));
        let chance = service.chance.as_ref().map(|chance| {
            let up = self.dist(&path.at("chance.up"), &chance.up);
            let down = self.dist(&path.at("chance.down"), &chance.down);
            if up.mean() + down.mean() < SHORTEST {
                self.problem(&path.at("chance"), "it changes too often", "Let `up` and `down` last 1 ms at least.");
            }
            (up, down)
        });
        let computes =
            |steps: &Vec<StepSpec>| !steps.is_empty() && steps.iter().all(|step| matches!(step, StepSpec::Work(_)));
        let shares = matches!(service.discipline, Discipline::ProcessorSharing | Discipline::LifoPreemptive);
        if shares && service.hold == Hold::Call && !service.routes.values().all(computes) {
            let hint = "Set `hold` to `work`: only work can be shared or pushed aside.";
            self.problem(&path.at("discipline"), "takes workers away that are held while they wait", hint);
        }
        let cpu_limit = service.cpu_limit.map(|limit| {
            let path = path.at("cpu_limit");
            self.within(&path.at("quota_ms"), limit.quota_ms, 1.0, limits::LENGTH_MS);
            self.within(&path.at("period_ms"), limit.period_ms, 1.0, 1_000.0);
            if shares {
                let hint = "Choose another `discipline`, or take it out.";
                self.problem(&path, "does not go with workers that are shared or taken away", hint);
            }
            let span = |ms: f64, most: f64| Span::from_ms(ms.clamp(1.0, most));
            CpuLimitPlan { quota: span(limit.quota_ms, limits::LENGTH_MS), period: span(limit.period_ms, 1_000.0) }
        });
        let batching = service.batching.map(|batching| {
            let path = path.at("batching");
            self.within(&path.at("window_ms"), batching.window_ms, 0.0, limits::LENGTH_MS);
            self.within(&path.at("per_call_ms"), batching.per_call_ms, 0.0, limits::LENGTH_MS);
            if !service.static_batch {
                self.problem(&path, "there are no batches", "Set `static_batch` to true, or take it out.");
            }
            if service.workers.is_none() {
                self.problem(&path, "a batch has no end", "Give the service `workers`: the largest batch.");
            }
            let span = |ms: f64| Span::from_ms(ms.clamp(0.0, limits::LENGTH_MS));
            BatchingPlan { window: span(batching.window_ms), per_call: span(batching.per_call_ms) }
        });
        let adapts = service.discipline == Discipline::AdaptiveLifo;
        if adapts != service.lifo_above.is_some() {
            let hint = "Give both `discipline`: `adaptive_lifo` and `lifo_above`, or neither.";
            self.problem(&path.at("lifo_above"), "goes with `adaptive_lifo` alone, which needs it", hint);
        }
        let plan = ServicePlan {
            workers: service.workers,
            max_waiting: service.max_waiting,
            admission: self.admission(path, service),
            discipline: service.discipline,
            lifo_above: service.lifo_above.unwrap_or(0),
            hold: service.hold,
            patience,
            drop_expired: service.drop_expired,
            static_batch: service.static_batch,
            batching,
            cpu_limit,
            chance,
            clock_offset_s: service.clock_offset_s,
            retry_after: service.retry_after_s.map(Span::from_seconds),
            bulkheads,
            bulkhead_of,
            programs,
        };
        (Kind::Service(plan), calls)
    }

    /// Whom the steps call, each with the place of its first mention.
    #[inline]
    fn targets(&mut self, path: &Path, steps: &[StepSpec], targets: &mut Map<String>) {
        for (index, step) in steps.iter().enumerate() {
            let at = path.index(index);
            match step {
                StepSpec::Read(AccessSpec { store, cache }) | StepSpec::Write(WriteSpec { store, cache, .. }) => {
                    self.refuse_unless(&at.at("store"), store, "a read or write", &["store"]);
                    targets.insert(store.clone(), at.at("store").to_string());
                    if let Some(cache) = cache {
                        self.refuse_unless(&at.at("cache"), cache, "a look-up", &["cache"]);
                        targets.insert(cache.clone(), at.at("cache").to_string());
                    }
                }
                StepSpec::Cached(cached) => {
                    self.refuse_unless(&at.at("cached.cache"), &cached.cache, "a look-up", &["cache"]);
                    targets.insert(cached.cache.clone(), at.at("cached.cache").to_string());
                    self.targets(&at.at("cached.load"), &cached.load, targets);
                }
                StepSpec::Invalidate(InvalidateSpec { cache, .. }) => {
                    self.refuse_unless(&at.at("invalidate.cache"), cache, "an invalidation", &["cache"]);
                    targets.insert(cache.clone(), at.at("invalidate.cache").to_string());
                }
                StepSpec::Call(call) => {
                    self.refuse_unless(&at.at("call.to"), &call.to, "a step", &["service"]);
                    targets.insert(call.to.clone(), at.at("call.to").to_string());
                }
                StepSpec::Publish(call) => {
                    self.refuse_unless(&at.at("publish.to"), &call.to, "a message", &["queue"]);
                    targets.insert(call.to.clone(), at.at("publish.to").to_string());
                }
                StepSpec::If(branch) => {
                    self.targets(&at.at("if.then"), &branch.then, targets);
                    self.targets(&at.at("if.else"), &branch.otherwise, targets);
                }
                StepSpec::Repeat(repeat) => self.targets(&at.at("repeat.do"), &repeat.steps, targets),
                StepSpec::Idempotent(spec) => self.targets(&at.at("idempotent.do"), &spec.steps, targets),
                StepSpec::All(all) => {
                    for (index, branch) in all.branches.iter().enumerate() {
                        self.targets(&at.at("all.branches").index(index), branch, targets);
                    }
                }
                StepSpec::Try(attempt) => {
                    self.targets(&at.at("try.do"), &attempt.steps, targets);
                    self.targets(&at.at("try.on_failure"), &attempt.on_failure, targets);
                }
                StepSpec::Begin(BeginSpec { database, .. })
                | StepSpec::Commit(EndSpec { database })
                | StepSpec::Leak(EndSpec { database })
                | StepSpec::Inspect(InspectSpec { database, .. })
                | StepSpec::Rollback(EndSpec { database })
                | StepSpec::Select(SelectSpec { database, .. })
                | StepSpec::Scan(ScanSpec { database, .. })
                | StepSpec::Update(UpdateSpec { database, .. })
                | StepSpec::Insert(InsertSpec { database, .. })
                | StepSpec::Delete(DeleteSpec { database, .. }) => {
                    self.refuse_unless(&at.at("database"), database, "a statement", &["database"]);
                    targets.insert(database.clone(), at.at("database").to_string());
                }
                StepSpec::Work(_) | StepSpec::Wait(_) | StepSpec::Set(_) | StepSpec::Observe(_) => {}
                StepSpec::Respond(_) | StepSpec::Pause(_) | StepSpec::Limit(_) => {}
            }
        }
    }

    /// Whether a workload, a step or a queue uses a route.
    #[inline]
    fn is_used(&self, route: &str) -> bool {
        self.spec.workloads.values().any(|workload| workload.routes.contains_key(route))
            || self.spec.nodes.values().any(|node| match node {
                NodeSpec::Service(service) => {
                    let liveness = service.life.as_ref().and_then(|life| life.liveness.as_ref());
                    liveness.and_then(|liveness| liveness.route.as_deref()) == Some(route)
                        || service.routes.values().any(|steps| names_route(steps, route))
                }
                NodeSpec::Queue(queue) => queue.route == route,
                _ => false,
            })
            || self.spec.monitors.values().flat_map(|monitor| &monitor.deliver).any(|deliver| deliver.route == route)
    }

    #[inline]
    fn bulkheads(
        &mut self,
        path: &Path,
        service: &ServiceSpec,
        routes: &[RoutePlan],
    ) -> (Vec<BulkheadPlan>, Vec<Option<usize>>) {
        let mut of_route = vec![None; routes.len()];
        let mut bulkheads = Vec::new();
        let in_bulkheads = path.at("bulkheads");
        for (id, bulkhead) in &service.bulkheads {
            let at = in_bulkheads.at(id);
            let (concurrent, waiting) = (bulkhead.max_concurrent, bulkhead.max_waiting);
            self.within(&at.at("max_concurrent"), f64::from(concurrent), 1.0, f64::from(limits::PLACES));
            self.within(&at.at("max_waiting"), f64::from(waiting), 0.0, f64::from(limits::PLACES));
            if !matches!(bulkhead.status, 429 | 503) {
                self.problem(&at.at("status"), format!("{} does not fit", bulkhead.status), "Use 503 or 429.");
            }
            for name in &bulkhead.routes {
                let index = routes.iter().position(|known| known.name == *name);
                match index.filter(|_| service.routes.contains_key(name)) {
                    Some(index) if of_route[index].is_none() => of_route[index] = Some(bulkheads.len()),
                    Some(_) => self.problem(&at.at("routes"), format!("`{name}` has two bulkheads"), "Keep one."),
                    None => self.problem(&at.at("routes"), format!("there is no route `{name}` here"), "Name one."),
                }
            }
            let status = Status::of_code(bulkhead.status).unwrap_or(Status::Unavailable);
            bulkheads.push(BulkheadPlan { max_concurrent: concurrent, max_waiting: waiting, status });
        }
        (bulkheads, of_route)
    }

    #[inline]
    fn database(&mut self, path: &Path, database: &DatabaseSpec) -> Kind {
        if let Some(connections) = database.connections {
            self.within(&path.at("connections"), f64::from(connections), 1.0, f64::from(limits::PLACES));
        }
        self.within(&path.at("busy_timeout_ms"), database.busy_timeout_ms, 0.0, 3_600_000.0);
        self.within(&path.at("deadlock_timeout_ms"), database.deadlock_timeout_ms, 0.001, 3_600_000.0);
        self.within(&path.at("scan_row_us"), database.scan_row_us, 0.0, 1e6);
        if let Some(cores) = database.cores {
            self.within(&path.at("cores"), f64::from(cores), 1.0, f64::from(limits::PLACES));
        }
        self.within(&path.at("contention"), database.contention, 0.0, 1.0);
        if database.contention > 0.0 && database.cores.is_none() {
            self.problem(&path.at("contention"), "needs `cores`", "Say how many there are.");
        }
        let rows: u64 = database.tables.values().map(|table| u64::from(table.rows)).sum();
        let fits = self.within(&path.at("tables"), rows as f64, 0.0, f64::from(limits::ROWS));
        if database.tables.len() > limits::TABLES {
            let what = format!("{} tables are too many", database.tables.len());
            self.problem(&path.at("tables"), what, format!("At most {}.", limits::TABLES));
        }
        let mut tables = Tables::new(database.tables.len().min(limits::TABLES) as u8);
        let mut names = Vec::new();
        let in_tables = path.at("tables");
        for (index, (name, table)) in database.tables.iter().take(limits::TABLES).enumerate() {
            let table_at = in_tables.at(name);
            let at = table_at.at("columns");
            if table.columns.len() > COLUMNS {
                self.problem(
                    &at,
                    format!("{} columns are too many", table.columns.len()),
                    format!("At most {COLUMNS}."),
                );
            }
            let mut fields = Fields::default();
            for (place, value) in fields.iter_mut().zip(table.columns.values()) {
                *place = *value as i64;
            }
            for key in 0..u64::from(table.rows).min(if fits { u64::MAX } else { 0 }) {
                tables.fill(RowId { table: TableId(index as u8), key }, fields);
            }
            names.push((name.clone(), table.columns.keys().cloned().collect()));
        }
        let journal = |journal| {
            let config = SqliteConfig {
                journal,
                auto_checkpoint_frames: database.auto_checkpoint_pages,
                ..SqliteConfig::default()
            };
            Store::Sqlite(Sqlite::new(config, tables.clone()))
        };
        let store = match database.engine {
            DatabaseEngineSpec::SqliteWal => journal(Journal::Wal),
            DatabaseEngineSpec::SqliteDelete => journal(Journal::Rollback),
            DatabaseEngineSpec::Server => Store::Server(Server::new(tables)),
        };
        let line = match database.busy {
            BusySpec::Poll => Line::Poll,
            BusySpec::Fifo => Line::Fifo,
        };
        Kind::Database(DatabasePlan {
            store,
            tables: names,
            connections: database.connections,
            busy: BusyTimeout { timeout: Span::from_ms(database.busy_timeout_ms), line },
            deadlock_timeout: match database.engine {
                DatabaseEngineSpec::Server => Some(Span::from_ms(database.deadlock_timeout_ms)),
                _ => None,
            },
            read: self.dist(&path.at("read"), &database.read),
            write: self.dist(&path.at("write"), &database.write),
            commit: database.commit.as_ref().map_or(Dist::ZERO, |dist| self.dist(&path.at("commit"), dist)),
            scan_row: Span::from_ms(database.scan_row_us / 1e3),
            cores: database.cores,
            contention: database.contention,
            replica: database.replica.map(|replica| self.replica(&path.at("replica"), &replica)),
        })
    }

    #[inline]
    fn replica(&mut self, path: &Path, replica: &ReplicaSpec) -> ReplicaConfig {
        self.within(&path.at("delay_ms"), replica.delay_ms, 0.0, limits::LENGTH_MS);
        self.within(&path.at("every_s"), replica.every_s, 0.0, limits::DURATION_S);
        if let Some(apply_rps) = replica.apply_rps {
            self.within(&path.at("apply_rps"), apply_rps, 0.001, 1e9);
        }
        if replica.semi_sync && replica.every_s > 0.0 {
            let hint = "Take one of the two out: a commit that waits for the replica is sent at once.";
            self.problem(&path.at("every_s"), "does not go with `semi_sync`", hint);
        }
        ReplicaConfig {
            delay: Span::from_ms(replica.delay_ms),
            every: Span::from_seconds(replica.every_s),
            apply_row: replica.apply_rps.map_or(Span::ZERO, |rate| Span::from_seconds(1.0 / rate)),
            semi_sync: replica.semi_sync,
        }
    }

    #[inline]
    fn queue(&mut self, path: &Path, queue: &QueueSpec, routes: &[RoutePlan]) -> (Kind, Vec<CallPlan>) {
        self.refuse_unless(&path.at("consumer"), &queue.consumer, "a queue", &["service"]);
        self.above_zero(&path.at("visibility_timeout_s"), queue.visibility_timeout_s, limits::DURATION_S);
        if let Some(consumers) = queue.consumers {
            self.within(&path.at("consumers"), f64::from(consumers), 1.0, f64::from(limits::PLACES));
        }
        if let Some(partitions) = queue.partitions {
            self.within(&path.at("partitions"), f64::from(partitions), 1.0, f64::from(limits::ROWS));
        }
        if let Some(heartbeat_s) = queue.heartbeat_s {
            self.within(&path.at("heartbeat_s"), heartbeat_s, 1e-3, queue.visibility_timeout_s);
        }
        let route = routes.iter().position(|known| known.name == queue.route);
        if route.is_none() {
            let hint = "Add it to the consumer's `routes`.";
            self.problem(&path.at("route"), format!("no service has the route `{}`", queue.route), hint);
        }
        let params = MessageQueueParams {
            visibility_timeout: Span::from_seconds(queue.visibility_timeout_s),
            max_receive_count: queue.max_receive_count.map(u32::from),
            max_waiting: queue.max_waiting,
            on_full: match queue.on_full {
                OnFullSpec::Reject => OnFull::Reject,
                OnFullSpec::Block => OnFull::Block,
                OnFullSpec::DropOldest => OnFull::DropOldest,
                OnFullSpec::DropNewest => OnFull::DropNewest,
            },
            newest_first: matches!(queue.order, QueueOrderSpec::NewestFirst),
        };
        let config = self.taken(path, MessageQueueConfig::new(params));
        let delivery = CallSpec { timeout_ms: Some(queue.visibility_timeout_s * 1e3), ..CallSpec::default() };
        let plan = QueuePlan {
            route: RouteId(route.unwrap_or(0) as u8),
            consumers: queue.consumers,
            config: config.unwrap_or_default(),
            redelivery: self.redelivery(path, queue),
            partitions: queue.partitions,
            heartbeat: queue.heartbeat_s.map(Span::from_seconds),
            durable: queue.durable,
            store: queue.store.as_ref().map(|dist| self.dist(&path.at("store"), dist)),
        };
        (Kind::Queue(plan), vec![self.call(path, &path.at("consumer"), &queue.consumer, &delivery)])
    }

    #[inline]
    fn redelivery(&mut self, path: &Path, queue: &QueueSpec) -> RetryConfig {
        let base_delay_ms = queue.redelivery.map_or(0.0, |redelivery| redelivery.base_delay_ms);
        if queue.max_receive_count.is_none() && Span::from_ms(base_delay_ms) < SHORTEST {
            let what = "a message that fails would be delivered for ever without letting time pass";
            let hint = "Let `redelivery` wait for 1 ms at least, or bound the deliveries.";
            self.problem(&path.at("max_receive_count"), what, hint);
        }
        let Some(redelivery) = queue.redelivery else { return RetryConfig::AT_ONCE };
        let at = path.at("redelivery");
        self.within(&at.at("base_delay_ms"), redelivery.base_delay_ms, 0.0, 3_600_000.0);
        self.within(&at.at("max_delay_ms"), redelivery.max_delay_ms, 0.0, 3_600_000.0);
        let params = RetryParams {
            max_attempts: None,
            base_delay: Span::from_ms(redelivery.base_delay_ms),
            max_delay: Span::from_ms(redelivery.max_delay_ms),
            multiplier: redelivery.multiplier,
            jitter: jitter(redelivery.jitter, redelivery.jitter_factor),
            ..RetryParams::default()
        };
        self.taken(&at, RetryConfig::new(params)).unwrap_or(RetryConfig::AT_ONCE)
    }

    #[inline]
    fn cache(&mut self, path: &Path, cache: &CacheSpec) -> Kind {
        let keys = self.spec.workloads.values().map(|workload| workload.keys).max().unwrap_or(1).clamp(1, limits::ROWS);
        let capacity = cache.capacity.unwrap_or(keys);
        self.within(&path.at("capacity"), f64::from(capacity), 1.0, f64::from(limits::ROWS));
        self.within(&path.at("ttl_s"), cache.ttl_s.unwrap_or(1.0), 0.0, limits::DURATION_S);
        for (name, window) in
            [("stale_if_error_s", cache.stale_if_error_s), ("stale_while_revalidate_s", cache.stale_while_revalidate_s)]
        {
            self.within(&path.at(name), window, 0.0, limits::DURATION_S);
        }
        self.within(&path.at("failure_ttl_s"), cache.failure_ttl_s.unwrap_or(0.0), 0.0, limits::DURATION_S);
        let cost = cache.early_expiration.and_then(|early| early.delta_ms);
        self.within(&path.at("early_expiration.delta_ms"), cost.unwrap_or(0.0), 0.0, 3_600_000.0);
        let ttl = cache.ttl_s.map(|ttl| Span::from_seconds(ttl).max(Span::from_nanos(1)));
        let params = CacheParams {
            ttl_jitter: cache.ttl_jitter,
            refresh_on_read: cache.refresh_on_read,
            eviction: match cache.eviction {
                EvictionSpec::Lru => Eviction::Lru,
                EvictionSpec::Fifo => Eviction::Fifo,
                EvictionSpec::Random => Eviction::Random,
                EvictionSpec::Lfu => Eviction::Lfu,
            },
            stale_while_revalidate: Span::from_seconds(cache.stale_while_revalidate_s),
            stale_if_error: Span::from_seconds(cache.stale_if_error_s),
            early_expiration: cache.early_expiration.map(|early| early.beta),
            negative_ttl: cache.failure_ttl_s.map(Span::from_seconds),
            ..CacheParams::plain(capacity.max(1), ttl)
        };
        let config = self
            .taken(path, CacheConfig::new(params))
            .unwrap_or_else(|| CacheConfig::new(CacheParams::plain(1, None)).expect("a plain cache is a good one"));
        let load_cost = cost.map(Span::from_ms);
        Kind::Cache(CachePlan {
            config,
            warm: cache.warm,
            single_flight: cache.single_flight,
            load_cost,
            key_count: keys,
            leases: cache.leases,
            keeps_failures: cache.failure_ttl_s.is_some(),
            local: cache.local,
            durable: cache.durable,
        })
    }

    #[inline]
    fn store(&mut self, path: &Path, store: &StoreSpec) -> Kind {
        self.within(&path.at("readers"), f64::from(store.readers), 1.0, f64::from(limits::PLACES));
        self.within(&path.at("rows"), f64::from(store.rows), 1.0, f64::from(limits::ROWS));
        let read = self.dist(&path.at("read"), &store.read);
        let write = self.dist(&path.at("write"), &store.write);
        Kind::Store(StorePlan { readers: store.readers.max(1), rows: store.rows.clamp(1, limits::ROWS), read, write })
    }

    #[inline]
    pub(super) fn dist(&mut self, path: &Path, dist: &DistSpec) -> Dist {
        dist.plan(path, self.problems)
    }

    /// The calls of a node: all of `targets` (callee to the path that names it), each as `specs` says or by default.
    #[inline]
    fn calls(&mut self, path: &Path, specs: &Map<CallSpec>, targets: Map<String>) -> Vec<CallPlan> {
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

    /// Who chooses among `instances`, if it is certain how many there are.
    #[inline]
    fn balancer(&mut self, path: &Path, spec: Option<&BalancerSpec>, instances: Option<usize>) -> BalancerPolicy {
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

    #[inline]
    fn admission(&mut self, path: &Path, service: &ServiceSpec) -> AdmissionConfig {
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

    /// The keys of an idempotent step: their position in the plan.
    #[inline]
    pub(super) fn idempotency(&mut self, path: &Path, spec: &IdempotentSpec) -> u32 {
        let lifetime = spec.lifetime_s;
        let fits = self.within(&path.at("lifetime_s"), lifetime, 0.001, limits::DURATION_S);
        let lifetime = Span::from_seconds(if fits { lifetime } else { 1.0 });
        let config = IdempotencyConfig::new(spec.required, lifetime);
        if let Some(config) = self.taken(path, config) {
            let successes_only = spec.keep == KeepSpec::Successes;
            self.idempotency.push(IdempotencyPlan { config, successes_only, waits: spec.waits });
        }
        (self.idempotency.len() as u32).saturating_sub(1)
    }

    /// A policy's configuration, or its reason as a problem at `path`.
    #[inline]
    fn taken<T>(&mut self, path: &Path, config: Result<T, String>) -> Option<T> {
        config.map_err(|why| self.problem(path, why, "See ARCHITECTURE.md, \"Policies\".")).ok()
    }

    /// Reports calls that come back to where they began: each circle once, however many replicas its nodes have.
    #[inline]
    fn refuse_cycles(&mut self) {
        let mut told: Vec<&str> = Vec::new();
        for group in self.spec.nodes.keys() {
            if told.contains(&group.as_str()) {
                continue;
            }
            if let Some(circle) = self.circle(group) {
                let what = format!("a call cycle: {} -> {group}", circle.join(" -> "));
                self.problem(&Path::new("nodes").at(group), what, "Let calls go one way.");
                told.extend(circle);
            }
        }
    }

    /// A shortest way of calls from a group back to itself, without the return.
    #[inline]
    fn circle(&self, start: &'a str) -> Option<Vec<&'a str>> {
        let nodes = &self.spec.nodes;
        let called = |group: &str| {
            let node = self.nodes.iter().find(|node| node.group == group);
            let calls = node.map_or(&[][..], |node| &node.calls);
            calls.iter().filter_map(|call| nodes.keys().find(|known| **known == call.group))
        };
        // Groups in the order in which they are reached, each with the place of its caller.
        let mut reached: Vec<(&str, usize)> = vec![(start, 0)];
        let mut at = 0;
        while at < reached.len() {
            for next in called(reached[at].0) {
                if next == start {
                    let mut way = vec![reached[at].0];
                    while at > 0 {
                        at = reached[at].1;
                        way.push(reached[at].0);
                    }
                    way.reverse();
                    return Some(way);
                }
                if !reached.iter().any(|(known, _)| known == next) {
                    reached.push((next, at));
                }
            }
            at += 1;
        }
        None
    }

    #[inline]
    fn workload(&mut self, id: &str, workload: &WorkloadSpec, routes: &[RoutePlan]) -> Option<WorkloadPlan> {
        let in_workloads = Path::new("workloads");
        let path = in_workloads.at(id);
        let client = self.instances(&path.at("client"), &workload.client).first().copied();
        if let Some(node) = self.spec.nodes.get(&workload.client)
            && !matches!(node, NodeSpec::Client(_))
        {
            self.problem(&path.at("client"), format!("`{}` is no client", workload.client), "Name a client node.");
            return None;
        }
        let arrivals = workload.arrivals.plan(&path.at("arrivals"), self.problems);
        let (from, to) = self.window(&path, workload);
        if let Some(requests) = workload.requests {
            self.within(&path.at("requests"), f64::from(requests), 1.0, limits::REQUESTS);
        }
        self.within(&path.at("priority"), f64::from(workload.priority), 1.0, 255.0);
        self.within(&path.at("keys"), f64::from(workload.keys), 1.0, f64::from(limits::ROWS));
        let keys = workload.keys.max(1);
        let popularity = workload.popularity.plan(keys, &path.at("popularity"), self.problems);
        self.within(&path.at("users"), f64::from(workload.users), 1.0, f64::from(limits::USERS));
        self.above_zero(&path.at("token_lifetime_s"), workload.token_lifetime_s, limits::DURATION_S * 365.0);
        let checks = |node: &NodeSpec| matches!(node, NodeSpec::Gateway(gateway) if gateway.auth.is_some());
        if workload.forged.is_some() && !self.spec.nodes.values().any(checks) {
            let hint = "Give a gateway `auth`, or take it out.";
            self.is_unused(&path.at("forged"), "no gateway checks tokens", hint);
        }
        if workload.routes.is_empty() {
            self.problem(&path.at("routes"), "is empty", "Name at least one route.");
            self.whole = false;
        }
        for (route, spec) in &workload.routes {
            self.above_zero(&path.at("routes").at(route).at("weight"), spec.weight, 1e9);
            let served = self.spec.nodes.values().any(|node| match node {
                NodeSpec::Service(service) => service.routes.contains_key(route),
                _ => false,
            });
            if !served {
                self.is_unused(
                    &path.at("routes").at(route),
                    "no service has this route",
                    "Add it to a service's `routes`.",
                );
            }
        }
        for (group, node) in &self.spec.nodes {
            if let NodeSpec::Store(store) = node
                && (1..workload.keys).contains(&store.rows)
            {
                let what = format!("{} keys are more than the {} rows of `{group}`", workload.keys, store.rows);
                self.problem(&path.at("keys"), what, "Ask only for rows that exist.");
            }
        }
        let total: f64 = workload.routes.values().map(|route| route.weight).sum();
        let mut share = 0.0;
        let shares = workload.routes.iter().filter_map(|(name, route)| {
            share += route.weight / total;
            let index = routes.iter().position(|known| known.name == *name)?;
            Some((RouteId(index as u8), share))
        });
        let mut shares: Vec<(RouteId, f64)> = shares.collect();
        if let Some(last) = shares.last_mut() {
            last.1 = 1.0;
        }
        let (client, arrivals) = (client?, arrivals?);
        Some(WorkloadPlan {
            id: id.to_string(),
            hash: name_hash(id),
            client,
            target: position(&self.nodes[client.index()].calls, &workload.target),
            arrivals,
            from,
            to,
            requests: workload.requests,
            priority: workload.priority,
            routes: shares,
            keys,
            popularity,
            users: workload.users.max(1),
            token_lifetime: Span::from_seconds(workload.token_lifetime_s),
            forged: workload.forged,
            spoofed_forwarded_for: workload.spoofed_forwarded_for,
        })
    }

    /// When a workload sends.
    #[inline]
    fn window(&mut self, path: &Path, workload: &WorkloadSpec) -> (Time, Time) {
        let (from_s, duration_s) = (workload.from_s, self.duration_s());
        if self.within(&path.at("from_s"), from_s, 0.0, duration_s) && from_s == duration_s {
            self.problem(&path.at("from_s"), "is the end of the run", "Use a smaller number.");
        }
        let from = Time::from_seconds(from_s);
        let to = workload.to_s.map_or(Time::NEVER, Time::from_seconds);
        if to <= from {
            self.problem(&path.at("to_s"), "is not after `from_s`", "Sending ends after it begins.");
        }
        (from, to)
    }

    #[inline]
    fn check_volume(&mut self, workloads: &[WorkloadPlan]) {
        let end = Time::from_seconds(self.spec.duration_s);
        let in_workloads = Path::new("workloads");
        let mut requests = 0.0;
        for workload in workloads {
            let expected = workload.expected(end);
            if expected == f64::INFINITY {
                let hint = "Leave time between the requests, or say with `requests` how many at most.";
                self.problem(&in_workloads.at(&workload.id).at("arrivals"), "requests would come without end", hint);
            } else {
                requests += expected;
            }
        }
        if requests > limits::REQUESTS {
            let what = format!("{requests:.0} requests are too many");
            let hint = format!("Keep rate times duration, or `requests`, at most {:.0}.", limits::REQUESTS);
            self.problem(&Path::new("workloads"), what, hint);
        }
        let count = self.spec.workloads.len();
        if count > limits::WORKLOADS {
            self.problem(
                &Path::new("workloads"),
                format!("{count} are too many"),
                format!("At most {}.", limits::WORKLOADS),
            );
        }
        if count == 0 {
            self.is_unused(&Path::new("workloads"), "is empty", "Without a workload nothing happens: add one.");
        }
    }

    /// What no part of the document is too large for alone, but all together are.
    #[inline]
    fn check_sizes(&mut self) {
        let rows = |node: &NodeSpec| match node {
            NodeSpec::Store(store) => f64::from(store.rows),
            NodeSpec::Database(database) => database.tables.values().map(|table| f64::from(table.rows)).sum(),
            NodeSpec::Cache(cache) => cache.capacity.map_or(0.0, f64::from),
            _ => 0.0,
        };
        let rows: f64 = self.spec.nodes.values().map(rows).sum();
        self.within(&Path::new("nodes"), rows, 0.0, limits::ROWS_IN_ALL);
        let (seconds, nodes) = (self.spec.duration_s, self.nodes.len() as f64);
        if seconds * nodes > limits::NODE_SECONDS {
            let hint = format!("Keep `duration_s` times nodes at most {}.", limits::NODE_SECONDS);
            self.problem(&Path::new("duration_s"), format!("is too long for {nodes} nodes"), hint);
        }
        let probes = self.nodes.iter().flat_map(|node| {
            let every = match &node.kind {
                Kind::Monitor(monitor) => Some(monitor.interval),
                _ => None,
            };
            node.calls.iter().map(move |call| {
                let every = every.or(call.health_check.map(|check| check.params().interval));
                every.map_or(0.0, |every| call.targets.len() as f64 * seconds / every.as_seconds())
            })
        });
        let probes: f64 = probes.sum();
        if probes > limits::REQUESTS {
            let hint = format!("Probe less often: at most {} probes in all.", limits::REQUESTS);
            self.problem(&Path::new("nodes"), format!("{probes:.0} probes are too many"), hint);
        }
    }

    #[inline]
    fn fault(&mut self, id: &str, fault: &FaultSpec) -> Option<FaultPlan> {
        let in_faults = Path::new("faults");
        let path = in_faults.at(id);
        let nodes = self.instances_or_one(&path.at("node"), &fault.node);
        let callers = self.callers(&path, fault, &nodes);
        if let Some(NodeSpec::Client(_)) = self.spec.nodes.get(&fault.node) {
            self.problem(&path.at("node"), "a client cannot fail", "Name a part of the system.");
        }
        self.within(&path.at("from_s"), fault.from_s, 0.0, self.duration_s());
        if fault.to_s.is_nan() || fault.to_s <= fault.from_s {
            self.problem(&path.at("to_s"), "is not after `from_s`", "A fault ends after it begins.");
        }
        self.effect(&path.at("effect"), &fault.node, &fault.effect);
        Some(FaultPlan {
            id: id.to_string(),
            title: fault.title.clone().unwrap_or_else(|| id.to_string()),
            nodes,
            callers,
            effect: fault.effect.clone(),
            from: Time::from_seconds(fault.from_s),
            to: Time::from_seconds(fault.to_s),
        })
    }

    /// Checks what a fault, or a bad release, does to a node.
    #[inline]
    pub(super) fn effect(&mut self, path: &Path, node: &str, effect: &EffectSpec) {
        match *effect {
            EffectSpec::Down {} => {}
            EffectSpec::Freeze {} | EffectSpec::HoldStarts {} | EffectSpec::Crash {} => {
                let group = node.rsplit_once('-').map_or(node, |(group, _)| group);
                let hit = self.spec.nodes.get(node).or_else(|| self.spec.nodes.get(group));
                if hit.is_some_and(|node| !matches!(node, NodeSpec::Service(_))) {
                    self.problem(path, "is for services only", "Name a service.");
                }
            }
            EffectSpec::FailOver {} => {
                let has_replica =
                    |node: &NodeSpec| matches!(node, NodeSpec::Database(database) if database.replica.is_some());
                if self.spec.nodes.get(node).is_some_and(|node| !has_replica(node)) {
                    self.problem(path, "nothing can take over", "Name a database that has a `replica`.");
                }
            }
            EffectSpec::Partition { .. } | EffectSpec::HalfOpen { .. } => {}
            EffectSpec::Slow { factor } => drop(self.within(&path.at("factor"), factor, 1.0, 1e6)),
            EffectSpec::Errors { ratio } => drop(self.within(&path.at("ratio"), ratio, 0.0, 1.0)),
        }
    }

    #[inline]
    fn monitor(&mut self, id: &str, monitor: &MonitorSpec, routes: &[RoutePlan]) {
        let in_monitors = Path::new("monitors");
        let path = in_monitors.at(id);
        self.within(&path.at("interval_s"), monitor.interval_s, 0.001, limits::DURATION_S);
        let mut targets = vec!["gateway", "service", "cache", "store", "queue", "database"];
        let looks = monitor.burn_rate.is_some() || monitor.alert.is_some();
        if looks {
            targets.push("client");
        }
        self.refuse_unless(&path.at("target"), &monitor.target, "a monitor", &targets);
        let name = format!("monitor-{id}");
        let spec = CallSpec {
            timeout_ms: monitor.timeout_ms,
            balancer: Some(BalancerSpec::RoundRobin {}),
            ..CallSpec::default()
        };
        let mut calls = vec![self.call(&path, &path.at("target"), &monitor.target, &spec)];
        let judges = match (&monitor.burn_rate, &monitor.alert) {
            (Some(burn_rate), _) => self.burn_rate(&path, monitor, burn_rate),
            (None, Some(alert)) => self.alert(&path, monitor, alert, &calls[0].targets),
            (None, None) => self.probes(&path, monitor),
        };
        let deliver = monitor.deliver.as_ref().and_then(|deliver| self.deliver(&path, deliver, &mut calls, routes));
        let judges = judges.unwrap_or(Judges::Probes { failure_threshold: 1, success_threshold: 1 });
        let interval = Span::from_seconds(monitor.interval_s);
        self.nodes.push(NodePlan {
            hash: name_hash(&name),
            group: name.clone(),
            id: name,
            title: monitor.title.clone().unwrap_or_else(|| format!("Monitor of {}", monitor.target)),
            kind: Kind::Monitor(MonitorPlan { interval, judges, deliver }),
            calls,
        });
    }

    #[inline]
    fn probes(&mut self, path: &Path, monitor: &MonitorSpec) -> Option<Judges> {
        let MonitorSpec { timeout_ms, failure_threshold, success_threshold, .. } = monitor;
        let (&Some(timeout_ms), &Some(failures), &Some(successes)) = (timeout_ms, failure_threshold, success_threshold)
        else {
            let hint = "Give `timeout_ms`, `failure_threshold` and `success_threshold`, or `burn_rate`, or `alert`.";
            self.problem(path, "says neither how it probes nor what it counts", hint);
            return None;
        };
        self.above_zero(&path.at("timeout_ms"), timeout_ms, 3_600_000.0);
        self.within(&path.at("failure_threshold"), f64::from(failures), 1.0, 1_000.0);
        self.within(&path.at("success_threshold"), f64::from(successes), 1.0, 1_000.0);
        Some(Judges::Probes { failure_threshold: failures, success_threshold: successes })
    }

    #[inline]
    fn burn_rate(&mut self, path: &Path, monitor: &MonitorSpec, spec: &BurnRateSpec) -> Option<Judges> {
        let MonitorSpec { interval_s, .. } = monitor;
        if monitor.alert.is_some() {
            self.problem(&path.at("alert"), "does not go with `burn_rate`", "Make two monitors of it.");
        }
        self.refuse_probes(path, "burn_rate", monitor);
        let path = path.at("burn_rate");
        let mut fit = self.above_zero(&path.at("rate"), spec.rate, 1e12);
        for (name, window_s) in [("long_window_s", spec.long_window_s), ("short_window_s", spec.short_window_s)] {
            fit &= self.within(&path.at(name), window_s, interval_s.max(0.001), limits::DURATION_S);
        }
        let slo = self.taken(&path.at("objective"), Slo::new(spec.objective))?;
        if !fit {
            return None;
        }
        let rule = self.taken(&path, BurnRateRule::new(spec.long_window_s, spec.short_window_s, spec.rate))?;
        let looks = [spec.long_window_s, spec.short_window_s].map(|window_s| (window_s / interval_s).round() as usize);
        Some(Judges::BurnRate { slo, rule, looks, minimum_requests: spec.minimum_requests })
    }

    #[inline]
    fn refuse_probes(&mut self, path: &Path, rule: &str, monitor: &MonitorSpec) {
        let MonitorSpec { timeout_ms, failure_threshold, success_threshold, .. } = monitor;
        if timeout_ms.is_some() || failure_threshold.is_some() || success_threshold.is_some() {
            let hint = "Take `timeout_ms`, `failure_threshold` and `success_threshold` out: it does not probe.";
            self.problem(&path.at(rule), "does not go with probes", hint);
        }
    }

    #[inline]
    fn alert(&mut self, path: &Path, monitor: &MonitorSpec, spec: &AlertSpec, targets: &[NodeId]) -> Option<Judges> {
        self.refuse_probes(path, "alert", monitor);
        let path = path.at("alert");
        let interval_s = monitor.interval_s;
        let mut fit = self.within(&path.at("window_s"), spec.window_s, interval_s.max(0.1), limits::DURATION_S);
        for (name, span_s) in [("for_s", spec.for_s), ("keep_firing_s", spec.keep_firing_s)] {
            fit &= self.within(&path.at(name), span_s, 0.0, limits::DURATION_S);
        }
        let rules = self.spec.monitors.values().filter(|monitor| monitor.alert.is_some()).count();
        if rules > limits::ALERTS {
            self.problem(&path, format!("{rules} rules are too many"), format!("At most {}.", limits::ALERTS));
        }
        if interval_s < 0.1 {
            self.problem(&path, "looks too often", "Let `interval_s` of the monitor be at least 0.1.");
        }
        let (side, threshold) = match (spec.above, spec.below) {
            (Some(above), None) => (Side::Above, above),
            (None, Some(below)) => (Side::Below, below),
            _ => {
                self.problem(&path, "has no side, or two", "Give either `above` or `below`.");
                return None;
            }
        };
        let watched = self.watched(&path.at("of"), &spec.of, targets)?;
        if !fit {
            return None;
        }
        let (hold, keep) = (Span::from_seconds(spec.for_s), Span::from_seconds(spec.keep_firing_s));
        let rule = AlertRule::new(side, threshold, spec.clear_at.unwrap_or(threshold), hold, keep);
        let rule = self.taken(&path, rule)?;
        let looks = (spec.window_s / interval_s).round() as usize;
        let number = match spec.number {
            AlertNumberSpec::Mean => AlertNumber::Mean,
            AlertNumberSpec::Sum => AlertNumber::Sum,
            AlertNumberSpec::Count => AlertNumber::Count,
            AlertNumberSpec::P50 => AlertNumber::Quantile(500),
            AlertNumberSpec::P90 => AlertNumber::Quantile(900),
            AlertNumberSpec::P95 => AlertNumber::Quantile(950),
            AlertNumberSpec::P99 => AlertNumber::Quantile(990),
        };
        Some(Judges::Alert { watched, number, rule, looks, minimum: spec.minimum })
    }

    /// What an alert rule looks at: its position in the plan. Rules that look at the same share it.
    #[inline]
    fn watched(&mut self, path: &Path, of: &WatchedSpec, targets: &[NodeId]) -> Option<usize> {
        let watched = match of {
            WatchedSpec::Failures => Watched::Failures(targets.to_vec()),
            WatchedSpec::LatencyS => Watched::Latency(targets.to_vec()),
            WatchedSpec::Observed(signal) => {
                let declared = self.spec.metrics.iter().position(|(name, _)| name == signal);
                let observed = |place: &usize| {
                    self.spec.metrics.values().nth(*place).is_some_and(|signal| signal.source == SourceSpec::Observed)
                };
                let Some(place) = declared.filter(observed) else {
                    let hint = "Declare it in `metrics` with source `observed`.";
                    self.problem(path, format!("there is no observed signal `{signal}`"), hint);
                    return None;
                };
                Watched::Observed(place as u16)
            }
        };
        let known = self.watched.iter().position(|known| *known == watched);
        Some(known.unwrap_or_else(|| {
            self.watched.push(watched);
            self.watched.len() - 1
        }))
    }

    /// How alerts are delivered: a second call of the monitor, and its route.
    #[inline]
    fn deliver(
        &mut self,
        path: &Path,
        spec: &DeliverSpec,
        calls: &mut Vec<CallPlan>,
        routes: &[RoutePlan],
    ) -> Option<RouteId> {
        let path = path.at("deliver");
        self.refuse_unless(&path.at("to"), &spec.to, "a monitor", &["service"]);
        if spec.call.health_check.is_some() {
            let hint = "Take it out: a monitor calls only when it has something to say.";
            self.problem(&path.at("call.health_check"), "has no place here", hint);
        }
        calls.push(self.call(&path.at("call"), &path.at("to"), &spec.to, &spec.call));
        let served = match self.spec.nodes.get(&spec.to) {
            Some(NodeSpec::Service(service)) => service.routes.contains_key(&spec.route),
            _ => true,
        };
        if !served {
            let what = format!("`{}` has no route `{}`", spec.to, spec.route);
            self.problem(&path.at("route"), what, "Add it to the service's `routes`.");
        }
        routes.iter().position(|route| route.name == spec.route).map(|index| RouteId(index as u8))
    }

    #[inline]
    fn delays(&mut self) -> (Vec<Span>, Vec<WayPlan>, Vec<Option<u16>>) {
        let spec = self.spec;
        let count = self.nodes.len();
        let mut delays = vec![Span::ZERO; count * count];
        let (mut ways, mut way_of) = (Vec::new(), Vec::new());
        for (id, link) in &spec.links {
            let in_links = Path::new("links");
            let path = in_links.at(id);
            self.within(&path.at("delay_ms"), link.delay_ms, 0.0, 3_600_000.0);
            let from = self.instances(&path.at("from"), &link.from);
            let to = self.instances(&path.at("to"), &link.to);
            let used = from.iter().all(|node| self.nodes[node.index()].calls.iter().any(|call| call.group == link.to));
            if !used && !from.is_empty() && !to.is_empty() {
                let what = format!("`{}` never calls `{}`", link.from, link.to);
                self.is_unused(&path, what, "Take the link out, or let a workload, an upstream or a step use it.");
            }
            let way = self.way(&path, link).map(|way| {
                ways.push(way);
                way_of.resize(count * count, None);
                ways.len() as u16 - 1
            });
            for a in &from {
                for b in &to {
                    if way.is_some() {
                        way_of[a.index() * count + b.index()] = way;
                        way_of[b.index() * count + a.index()] = way;
                    }
                    delays[a.index() * count + b.index()] = Span::from_ms(link.delay_ms);
                    delays[b.index() * count + a.index()] = Span::from_ms(link.delay_ms);
                }
            }
        }
        (delays, ways, way_of)
    }

    /// The rules that rows must keep.
    #[inline]
    fn audits(&mut self) -> Vec<AuditPlan> {
        let spec = self.spec;
        let mut audits = Vec::new();
        for (signal, (name, metric)) in spec.metrics.iter().enumerate() {
            let SourceSpec::Invariant(invariant) = &metric.source else { continue };
            let in_metrics = Path::new("metrics");
            let metric_at = in_metrics.at(name);
            let path = metric_at.at("source.invariant");
            self.refuse_unless(&path.at("database"), &invariant.database, "a rule over rows", &["database"]);
            let node = self.instances(&path.at("database"), &invariant.database).first().copied();
            let Some(NodeSpec::Database(database)) = spec.nodes.get(&invariant.database) else { continue };
            let Some(table) = database.tables.iter().position(|(table, _)| *table == invariant.table) else {
                let known: Vec<&str> = database.tables.keys().map(String::as_str).collect();
                let what = format!("there is no table `{}`", invariant.table);
                self.problem(&path.at("table"), what, format!("Tables: {}.", known.join(", ")));
                continue;
            };
            let columns = database.tables.values().nth(table).into_iter().flat_map(|table| table.columns.keys());
            let names: Vec<&str> = ["key", "version"].into_iter().chain(columns.map(String::as_str)).collect();
            let breach = Expr::condition(&invariant.breach, &names);
            let breach = breach.map_err(|why| self.problem(&path.at("breach"), why, "Mend the condition.")).ok();
            if let (Some(node), Some(breach)) = (node, breach) {
                audits.push(AuditPlan { node, table: table as u8, breach, signal: signal as u16 });
            }
        }
        audits
    }

    /// A knob must name a number that exists in some variant; its own range must make sense.
    #[inline]
    fn check_knobs(&mut self) {
        let spec = self.spec;
        for (id, knob) in &spec.knobs {
            let in_knobs = Path::new("knobs");
            let path = in_knobs.at(id);
            let ordered = knob.min < knob.max && knob.step > 0.0;
            if !ordered {
                self.problem(&path, "its range is empty", "Let `min` be below `max`, and `step` above 0.");
            }
            if !has_place(self.json, &knob.path) {
                self.is_unused(&path.at("path"), format!("`{}` is no number of any variant", knob.path), "Name one.");
            }
        }
    }
}

/// What goes on for ever takes at least this long each time, or no run would end.
const SHORTEST: Span = Span::from_millis(1);

/// The names of a document's nodes, whether or not these can be read, if it has nodes but none of this name.
#[inline]
pub(super) fn nodes_without<'a>(json: &'a Value, name: &str) -> Option<Vec<&'a str>> {
    let nodes = json.get("nodes")?.as_object()?;
    (!nodes.contains_key(name)).then(|| nodes.keys().map(String::as_str).collect())
}

#[inline]
fn position(calls: &[CallPlan], group: &str) -> usize {
    calls.iter().position(|call| call.group == group).unwrap_or(0)
}

/// Whether a step, or one within it, calls this route.
#[inline]
fn names_route(steps: &[StepSpec], route: &str) -> bool {
    steps.iter().any(|step| match step {
        StepSpec::Call(call) | StepSpec::Publish(call) => call.route.as_deref() == Some(route),
        _ => blocks(step).into_iter().any(|steps| names_route(steps, route)),
    })
}

/// Whether a step, or one within it, asks this limiter.
#[inline]
fn asks_limiter(steps: &[StepSpec], name: &str) -> bool {
    steps.iter().any(|step| matches!(step, StepSpec::Limit(limit) if limit.limiter == name))
        || steps.iter().any(|step| blocks(step).into_iter().any(|steps| asks_limiter(steps, name)))
}

/// The blocks of steps within a step.
#[inline]
fn blocks(step: &StepSpec) -> Vec<&[StepSpec]> {
    match step {
        StepSpec::If(branch) => vec![&branch.then, &branch.otherwise],
        StepSpec::Repeat(repeat) => vec![&repeat.steps],
        StepSpec::Cached(cached) => vec![&cached.load],
        StepSpec::Idempotent(spec) => vec![&spec.steps],
        StepSpec::All(all) => all.branches.iter().map(Vec::as_slice).collect(),
        StepSpec::Try(attempt) => vec![&attempt.steps, &attempt.on_failure],
        _ => Vec::new(),
    }
}

#[inline]
fn title_of(node: &NodeSpec) -> Option<&String> {
    match node {
        NodeSpec::Client(node) => node.title.as_ref(),
        NodeSpec::Gateway(node) => node.title.as_ref(),
        NodeSpec::Service(node) => node.title.as_ref(),
        NodeSpec::Cache(node) => node.title.as_ref(),
        NodeSpec::Store(node) => node.title.as_ref(),
        NodeSpec::Queue(node) => node.title.as_ref(),
        NodeSpec::Database(node) => node.title.as_ref(),
    }
}

#[inline]
fn kind_name(node: &NodeSpec) -> &'static str {
    match node {
        NodeSpec::Client(_) => "client",
        NodeSpec::Gateway(_) => "gateway",
        NodeSpec::Service(_) => "service",
        NodeSpec::Cache(_) => "cache",
        NodeSpec::Store(_) => "store",
        NodeSpec::Queue(_) => "queue",
        NodeSpec::Database(_) => "database",
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

#[inline]
fn retry_params(spec: &RetrySpec) -> RetryParams {
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
fn jitter(spec: JitterSpec, factor: f64) -> Jitter {
    match spec {
        JitterSpec::None => Jitter::None,
        JitterSpec::Full => Jitter::Full,
        JitterSpec::Equal => Jitter::Equal,
        JitterSpec::Decorrelated => Jitter::Decorrelated,
        JitterSpec::Proportional => Jitter::Proportional { factor },
    }
}
