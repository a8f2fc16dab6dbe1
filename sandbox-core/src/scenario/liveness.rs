//! Liveness probes: checked, and made monitors of single instances.

use super::path::Path;
use super::planner::Planner;
use super::{BalancerSpec, CallSpec, NodeSpec};
use super::{Judges, Kind, MonitorPlan, NodePlan, RoutePlan, limits};
use crate::ids::RouteId;
use crate::rng::name_hash;
use crate::time::Span;

impl Planner<'_> {
    /// A monitor for each instance whose service asks for it.
    #[inline]
    pub(super) fn liveness(&mut self, routes: &[RoutePlan]) {
        let spec = self.spec;
        let in_nodes = Path::new("nodes");
        for (id, node) in &spec.nodes {
            let NodeSpec::Service(service) = node else { continue };
            let Some(liveness) = service.life.as_ref().and_then(|life| life.liveness.as_ref()) else { continue };
            let node_at = in_nodes.at(id);
            let path = node_at.at("life.liveness");
            self.within(&path.at("interval_s"), liveness.interval_s, 0.1, limits::DURATION_S);
            self.above_zero(&path.at("timeout_ms"), liveness.timeout_ms, limits::LENGTH_MS);
            self.within(&path.at("failure_threshold"), f64::from(liveness.failure_threshold), 1.0, 1_000.0);
            let route = liveness.route.as_ref().and_then(|name| {
                if !service.routes.contains_key(name) {
                    let hint = "Add it to the service's `routes`.";
                    self.problem(&path.at("route"), format!("`{id}` has no route `{name}`"), hint);
                }
                routes.iter().position(|route| route.name == *name).map(|index| RouteId(index as u8))
            });
            let call = CallSpec {
                timeout_ms: Some(liveness.timeout_ms),
                balancer: Some(BalancerSpec::RoundRobin {}),
                ..CallSpec::default()
            };
            let call = self.call(&path, &node_at, id, &call);
            if self.nodes.len() + call.targets.len() > limits::NODES {
                let hint =
                    format!("At most {} nodes, instances and those who ask them counted one by one.", limits::NODES);
                self.problem(&path, "there are too many", hint);
                continue;
            }
            for target in call.targets.clone() {
                let asked = &self.nodes[target.index()];
                let name = format!("liveness-{}", asked.id);
                let judges = Judges::Liveness { failure_threshold: liveness.failure_threshold, route };
                self.nodes.push(NodePlan {
                    hash: name_hash(&name),
                    title: format!("Liveness of {}", asked.title),
                    group: name.clone(),
                    id: name,
                    kind: Kind::Monitor(MonitorPlan {
                        interval: Span::from_seconds(liveness.interval_s.clamp(0.1, limits::DURATION_S)),
                        judges,
                        deliver: None,
                    }),
                    calls: vec![super::CallPlan { targets: vec![target], ..call.clone() }],
                });
            }
        }
    }
}
