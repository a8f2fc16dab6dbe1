//! Faults on the way between a node and its caller: checked.

use super::FaultPlan;
use super::path::Path;
use super::planner::Planner;
use super::way::WayPlan;
use super::{EffectSpec, FaultSpec};
use crate::ids::NodeId;

impl Planner<'_> {
    /// The callers that a fault keeps from `nodes`; none: it hits the nodes themselves.
    #[inline]
    pub(super) fn callers(&mut self, path: &Path, fault: &FaultSpec, nodes: &[NodeId]) -> Vec<NodeId> {
        let (EffectSpec::Partition { from, .. } | EffectSpec::HalfOpen { from }) = &fault.effect else {
            return Vec::new();
        };
        let at = path.at("effect.from");
        let callers = self.instances_or_one(&at, from);
        let (Some(caller), Some(callee)) = (callers.first(), nodes.first()) else { return callers };
        let callee = &self.nodes[callee.index()].group;
        let call = self.nodes[caller.index()].calls.iter().find(|call| call.group == *callee);
        match call {
            None => self.problem(&at, format!("`{from}` never calls `{}`", fault.node), "Name a caller of the node."),
            Some(call) if call.connections.is_none() && matches!(fault.effect, EffectSpec::HalfOpen { .. }) => {
                let hint = format!("Give `calls.{}` of `{from}` `connections`.", call.group.clone());
                self.problem(&at, "it has no connections that could be dead", hint);
            }
            Some(_) => {}
        }
        callers
    }

    /// The faults that lose messages; what they happen on is a way.
    #[inline]
    pub(super) fn partitions(
        &mut self,
        faults: &[FaultPlan],
        ways: &mut Vec<WayPlan>,
        way_of: &mut Vec<Option<u16>>,
    ) -> Vec<u16> {
        let count = self.nodes.len();
        let mut partitions = Vec::new();
        for (index, fault) in faults.iter().enumerate() {
            if !matches!(fault.effect, EffectSpec::Partition { .. }) {
                continue;
            }
            partitions.push(index as u16);
            way_of.resize(count * count, None);
            for caller in &fault.callers {
                for callee in &fault.nodes {
                    for (a, b) in [(caller, callee), (callee, caller)] {
                        way_of[a.index() * count + b.index()].get_or_insert(ways.len() as u16);
                    }
                }
            }
            ways.push(WayPlan::default());
        }
        partitions
    }
}
