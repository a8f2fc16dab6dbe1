//! Who sends what: workloads and their routes.

use super::arrivals::{Arrivals, ArrivalsSpec, OpenLoop};
use super::call::position;
use super::path::Path;
use super::planner::Planner;
use super::popularity::{Popularity, PopularitySpec};
use super::spec_macro::spec;
use super::{ForgerySpec, Map, NodeSpec, Plan, limits};
use crate::ids::{NodeId, RouteId};
use crate::rng::name_hash;
use crate::time::{Span, Time};

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
        pub from_s?: f64,
        /// No request is sent from this second on; absent: until the run ends.
        pub to_s?: Option<f64>,
        /// No more than this many requests are sent; absent: no such limit.
        pub requests?: Option<u32>,
        /// How urgent the requests are where a line is kept, or load is shed, by priority: 1 is the most urgent.
        pub priority: u8 = 1,
        /// Which routes, by name.
        pub routes: Map<RouteSpec>,
        /// Which rows: keys from 0 to this number less 1.
        pub keys: u32,
        /// How often each of the keys is asked for.
        pub popularity?: PopularitySpec,
        /// How many users, each with a token of its own.
        pub users: u32,
        /// Whether each request says in `X-Forwarded-For` that it comes from yet another address. Each user has one address,
        /// in truth.
        pub spoofed_forwarded_for?: bool,
        /// The users' tokens are forged; absent: genuine.
        pub forged?: Option<ForgerySpec>,
        /// How long a token is valid; a user fetches a new one in time.
        pub token_lifetime_s: f64 = 3_600.0,
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
    #[derive(PartialOrd, Ord)]
    pub enum OpSpec {
        /// Changes nothing.
        Read,
        /// Changes data.
        Write,
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
    pub(super) fn describe(&self, plan: &Plan) -> String {
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

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn routes(&mut self) -> Vec<RoutePlan> {
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

    #[inline]
    pub(super) fn workload(&mut self, id: &str, workload: &WorkloadSpec, routes: &[RoutePlan]) -> Option<WorkloadPlan> {
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
    pub(super) fn check_volume(&mut self, workloads: &[WorkloadPlan]) {
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
}
