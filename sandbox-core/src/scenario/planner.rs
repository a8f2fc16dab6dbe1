//! From a spec to a plan: every number, reference and size is checked, and all problems are noted at once.

use super::dist::{Dist, DistSpec};
use super::knobs::has_place;
use super::path::Path;
use super::signals::Signals;
use super::vocabulary::Vocabulary;
use super::{
    ClientPlan, FaultPlan, IdempotencyPlan, IdempotentSpec, KeepSpec, Kind, Map, NodePlan, NodeSpec, Plan, Problem,
    RateLimitPlan, RoutePlan, Spec, Watched, WorkloadPlan, limits, problem, unknown,
};
use crate::ids::NodeId;
use crate::policy::idempotency::IdempotencyConfig;
use crate::rng::name_hash;
use crate::time::{Span, Time};
use serde_json::Value;
use std::sync::Arc;

/// Makes a plan, noting every problem on the way.
pub(super) struct Planner<'a> {
    pub(super) spec: &'a Spec,
    pub(super) json: &'a Value,
    pub(super) problems: &'a mut Vec<Problem>,
    /// What nothing uses, and what nothing is there for. That is certain only if all is whole.
    pub(super) unused: Vec<Problem>,
    /// Whether everything was read and every name of a node led to one.
    pub(super) whole: bool,
    pub(super) nodes: Vec<NodePlan>,
    pub(super) locals: usize,
    pub(super) idempotency: Vec<IdempotencyPlan>,
    pub(super) limiters: Vec<RateLimitPlan>,
    pub(super) watched: Vec<Watched>,
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
    pub(super) fn is_unused(&mut self, path: &Path, what: impl Into<String>, hint: impl Into<String>) {
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
            let hint = unknown_node(group, &known);
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
    pub(super) fn is_miscounted(&self, group: &str) -> bool {
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
            NodeSpec::Database(database) => (self.database(&path, id, database), Vec::new()),
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
    pub(super) fn dist(&mut self, path: &Path, dist: &DistSpec) -> Dist {
        dist.plan(path, self.problems)
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
    pub(super) fn taken<T>(&mut self, path: &Path, config: Result<T, String>) -> Option<T> {
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
pub(super) const SHORTEST: Span = Span::from_millis(1);

/// The names of a document's nodes, whether or not these can be read, if it has nodes but none of this name.
#[inline]
pub(super) fn nodes_without<'a>(json: &'a Value, name: &str) -> Option<Vec<&'a str>> {
    let nodes = json.get("nodes")?.as_object()?;
    (!nodes.contains_key(name)).then(|| nodes.keys().map(String::as_str).collect())
}

/// What somebody may do who names a node that is none of those `known`.
#[inline]
pub(super) fn unknown_node(name: &str, known: &[&str]) -> String {
    if known.is_empty() { "There are no nodes yet: write them under `nodes`.".into() } else { unknown(name, known) }
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
