//! How many instances of a fleet run: by the clock, or as an autoscaler wants.

use super::World;
use crate::engine::event::Event;
use crate::ids::{NodeId, RequestId};
use crate::scenario::ScaleOnSpec;
use crate::trace::What;

/// An autoscaler leaves things alone within this share of its target (Kubernetes).
const TOLERANCE: f64 = 0.1;

impl World {
    /// An entry of a fleet's schedule is due; beyond its end it is only counted.
    pub(super) fn on_scale(&mut self, fleet: u16, step: u16) {
        let plan = self.core.plan.clone();
        let planned = &plan.fleets[usize::from(fleet)];
        match planned.schedule.get(usize::from(step)) {
            Some((_, instances)) => self.scale(fleet, *instances),
            None => self.count(planned.nodes[0]),
        }
    }

    /// Another number of instances is to run.
    fn scale(&mut self, fleet: u16, to: u32) {
        let plan = self.core.plan.clone();
        let nodes = &plan.fleets[usize::from(fleet)].nodes;
        let from = std::mem::replace(&mut self.core.fleets.scalers[usize::from(fleet)].wanted, to);
        if from == to {
            return;
        }
        let what = What::Scaled { from: from as u16, to: to as u16 };
        let scaled = self.core.record(nodes[0], RequestId::NONE, what, None, None);
        for node in &nodes[(from as usize).min(to as usize)..from.max(to) as usize] {
            self.life(*node).wanted = to > from;
            self.stop(*node, Some(scaled), to > from);
        }
    }

    /// An autoscaler looks at its fleet.
    pub(super) fn on_autoscale(&mut self, fleet: u16) {
        let plan = self.core.plan.clone();
        let planned = &plan.fleets[usize::from(fleet)];
        let Some(autoscaler) = planned.autoscaler else { return };
        self.core.calendar.schedule(self.core.now + autoscaler.interval, Event::Autoscale(fleet));
        let worked: f64 = planned.nodes.iter().map(|node| self.worked(*node, autoscaler.of)).sum();
        let scaler = &mut self.core.fleets.scalers[usize::from(fleet)];
        let done = worked - std::mem::replace(&mut scaler.worked, worked);
        scaler.loads.push_back(done / autoscaler.places / autoscaler.interval.as_nanos() as f64);
        if scaler.loads.len() <= autoscaler.looks_late {
            return;
        }
        let load = scaler.loads.pop_front().expect("there are more than it is late");
        let present = f64::from(scaler.wanted);
        let wants = match (load / autoscaler.target / present - 1.0).abs() <= TOLERANCE {
            true => scaler.wanted,
            false => (load / autoscaler.target).ceil() as u32,
        };
        let wants = wants.clamp(autoscaler.min.min(planned.nodes.len() as u32), planned.nodes.len() as u32);
        scaler.wants.push_back(wants);
        if scaler.wants.len() > autoscaler.stabilization + 1 {
            scaler.wants.pop_front();
        }
        let most = scaler.wants.iter().copied().max().unwrap_or(wants);
        let to = if wants < scaler.wanted { most.min(scaler.wanted) } else { wants };
        self.scale(fleet, to);
    }

    /// The work that an instance has done so far, in places times nanoseconds.
    fn worked(&mut self, node: NodeId, of: ScaleOnSpec) -> f64 {
        let now = self.core.now;
        match of {
            ScaleOnSpec::Workers => self.core.levels[node.index()].in_service.total(now) as f64,
            ScaleOnSpec::Cpu => {
                let presence = self.service(node).presence();
                presence.map_or(0.0, |presence| presence.worked().as_nanos() as f64)
            }
        }
    }
}
