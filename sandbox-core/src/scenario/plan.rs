//! What runs: a validated scenario whose fields cannot hold nonsense.

use super::life::{FleetPlan, RolloutPlan};
use super::planner::Planner;
use super::signals::Signals;
use super::way::WayPlan;
use super::{
    AuditPlan, CachePlan, CallPlan, DatabasePlan, FaultPlan, GatewayPlan, IdempotencyPlan, MonitorPlan, Problem,
    QueuePlan, RateLimitPlan, RoutePlan, ServicePlan, Spec, StorePlan, Watched, WorkloadPlan,
};
use crate::ids::{NodeId, RouteId};
use crate::time::{Span, Time};
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

/// A client. How it calls stands in the node's `calls`.
#[derive(Clone, Debug)]
pub struct ClientPlan {}

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
