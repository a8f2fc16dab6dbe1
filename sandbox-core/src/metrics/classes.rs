//! Classes of requests: those of one client, one route and the same labels. Rows count requests by class.

use crate::ids::{NodeId, RouteId};
use crate::scenario::{Field, Kind, Op, Plan, Signals, WorkloadPlan};
use std::sync::Arc;

/// A class of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Who sends them.
    pub client: NodeId,
    /// Their route.
    pub route: RouteId,
    /// Position of their workload in the plan; none: several workloads of the client have the route.
    pub workload: Option<u16>,
    /// For each label of the plan the place among its values, from 1, or 0 for none of them.
    pub labels: Vec<u8>,
}

/// The classes met so far.
#[derive(Clone, Debug)]
pub struct Classes {
    signals: Arc<Signals>,
    /// Of each route its word and that of its operation; last that of a route which nobody has, asked for from outside.
    routes: Vec<[u16; 2]>,
    clients: Vec<NodeId>,
    /// Of each client and each route the workload, if there is exactly one.
    workloads: Vec<Option<u16>>,
    /// Of each client, route and combination of labels the class, once it was met.
    numbers: Vec<Option<u16>>,
    met: Vec<Class>,
}

impl Classes {
    /// None met yet.
    pub fn new(plan: &Plan) -> Classes {
        let words = &plan.signals.words;
        let op = |op: Op| words.ops[usize::from(op == Op::Write)];
        let node_ids = (0..plan.nodes.len()).map(|index| NodeId(index as u16));
        let clients: Vec<NodeId> =
            node_ids.filter(|id| matches!(plan.nodes[id.index()].kind, Kind::Client(_))).collect();
        let workload = |client: NodeId, route: RouteId| {
            let sends = |(_, workload): &(u16, &WorkloadPlan)| {
                workload.client == client && workload.routes.iter().any(|(known, _)| *known == route)
            };
            let mut found = (0..).zip(&plan.workloads).filter(sends).map(|(index, _)| index);
            found.next().filter(|_| found.next().is_none())
        };
        let mut routes: Vec<[u16; 2]> =
            plan.routes.iter().zip(&words.routes).map(|(route, word)| [*word, op(route.op)]).collect();
        routes.push([0, 0]);
        let route_ids: Vec<RouteId> = (0..routes.len()).map(|index| RouteId(index as u8)).collect();
        let combinations: usize = plan.signals.labels.iter().map(|label| label.values.len() + 1).product();
        let pairs = || clients.iter().flat_map(|client| route_ids.iter().map(|route| (*client, *route)));
        Classes {
            workloads: pairs().map(|(client, route)| workload(client, route)).collect(),
            numbers: vec![None; pairs().count() * combinations],
            signals: plan.signals.clone(),
            routes,
            clients,
            met: Vec::new(),
        }
    }

    /// All classes met so far, by number.
    pub fn all(&self) -> &[Class] {
        &self.met
    }

    /// The number of the class of a request.
    pub fn number_of(&mut self, client: NodeId, route: RouteId, key: u32, user: u32) -> u16 {
        let route = RouteId(route.0.min(self.routes.len() as u8 - 1));
        let client_at = self.clients.iter().position(|known| *known == client).expect("a client sends it");
        let pair = client_at * self.routes.len() + route.index();
        let mut place = pair;
        let mut labels = Vec::new();
        let mut value_of = |name| match Field::at(name) {
            Some(Field::Key) => f64::from(key),
            Some(Field::User) => f64::from(user),
            _ => self.word(name, client, route, self.workloads[pair]),
        };
        for label in &self.signals.labels {
            let found = label.place(&mut value_of);
            place = place * (label.values.len() + 1) + found;
            labels.push(found as u8);
        }
        *self.numbers[place].get_or_insert_with(|| {
            self.met.push(Class { client, route, workload: self.workloads[pair], labels });
            (self.met.len() - 1) as u16
        })
    }

    /// The value of a name that is a word or a field whose values are words that a class has; 0 for any other field.
    pub fn value(&self, name: u16, class: u16) -> f64 {
        let class = &self.met[usize::from(class)];
        self.word(name, class.client, class.route, class.workload)
    }

    fn word(&self, name: u16, client: NodeId, route: RouteId, workload: Option<u16>) -> f64 {
        let words = &self.signals.words;
        f64::from(match Field::at(name) {
            None => name,
            Some(Field::Route) => self.routes[route.index()][0],
            Some(Field::Op) => self.routes[route.index()][1],
            Some(Field::Client) => words.nodes[client.index()],
            Some(Field::Workload) => workload.map_or(0, |workload| words.workloads[usize::from(workload)]),
            Some(_) => 0,
        })
    }
}
