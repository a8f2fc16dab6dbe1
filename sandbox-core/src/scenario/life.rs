//! How the instances of a service come, go, break and are replaced: checked, ready to run.

use super::life_spec::*;
use super::path::Path;
use super::planner::Planner;
use super::{EffectSpec, NodeSpec, ServiceSpec, SourceSpec};
use super::{FaultPlan, limits};
use crate::ids::NodeId;
use crate::time::{Span, Time};

/// The instances of a service that come and go.
#[derive(Clone, Debug)]
pub struct FleetPlan {
    /// The instances.
    pub nodes: Vec<NodeId>,
    /// How each of them starts and stops.
    pub life: LifePlan,
    /// So many run at the start.
    pub initial: u32,
    /// So many run from these instants on.
    pub schedule: Vec<(Time, u32)>,
    /// So many run as the load needs.
    pub autoscaler: Option<AutoscalerPlan>,
}

/// How an instance starts and stops.
#[derive(Clone, Debug)]
pub struct LifePlan {
    /// From the start until it takes calls.
    pub start: Span,
    /// How long it is slow after that, and how many times as long its work takes.
    pub warm_up: Option<(Span, f64)>,
    /// Whether callers are sent to it only while it takes calls.
    pub readiness: bool,
    /// Until callers know that it is listed or not.
    pub listing_delay: Span,
    /// It takes calls for so long after it is told to stop.
    pub stop_delay: Span,
    /// Then it has so long to finish.
    pub stop_grace: Span,
    /// Whether it is started again after a crash.
    pub restart: bool,
    /// It stops when it had nothing to do for this long.
    pub idle_stop: Option<Span>,
    /// Its memory.
    pub memory: Option<MemorySpec>,
}

impl LifePlan {
    /// Of a service that does not say: its instances start and stop at once.
    const PLAIN: LifePlan = LifePlan {
        start: Span::ZERO,
        warm_up: None,
        readiness: true,
        listing_delay: Span::ZERO,
        stop_delay: Span::ZERO,
        stop_grace: Span::ZERO,
        restart: true,
        idle_stop: None,
        memory: None,
    };
}

/// When an autoscaler wants how many instances.
#[derive(Clone, Copy, Debug)]
pub struct AutoscalerPlan {
    /// What it looks at.
    pub of: ScaleOnSpec,
    /// Places for what it looks at in each instance.
    pub places: f64,
    /// The utilisation it aims at.
    pub target: f64,
    /// Never fewer.
    pub min: u32,
    /// Time between two looks.
    pub interval: Span,
    /// So many looks ago is what it sees.
    pub looks_late: usize,
    /// It goes down to the most that it wanted in so many looks.
    pub stabilization: usize,
}

/// Instances that are replaced.
#[derive(Clone, Debug)]
pub struct RolloutPlan {
    /// Title for people.
    pub title: String,
    /// Which ones, in order.
    pub nodes: Vec<NodeId>,
    /// The other instances, which keep what they have.
    pub others: Vec<NodeId>,
    /// Begins.
    pub from: Time,
    /// So many at once.
    pub batch: usize,
    /// Between the beginnings of two batches; None: when the one before is up.
    pub every: Option<Span>,
    /// Whether the old instance stays until the new one is up.
    pub surge: bool,
    /// Whether instances are started anew.
    pub restart: bool,
    /// What they have from then on.
    pub release: u16,
    /// How it behaves.
    pub effect: Option<EffectSpec>,
    /// Who is watched first.
    pub canary: Option<CanaryPlan>,
    /// Taken back.
    pub undo: Option<Time>,
}

/// How the first instances with a release are compared with the others.
#[derive(Clone, Copy, Debug)]
pub struct CanaryPlan {
    /// So many have it first.
    pub instances: usize,
    /// Time between two comparisons.
    pub every: Span,
    /// So many standard errors worse is too much.
    pub z: f64,
    /// The observed signal that is compared; None: failed answers.
    pub signal: Option<u16>,
    /// The others follow after this long; None: never.
    pub holds: Option<Span>,
}

/// More pieces than this in a list of what happens to instances are too many.
const STEPS_MAX: usize = 1_000;

impl Planner<'_> {
    /// The services whose instances come and go: they say so, somebody replaces them, or they crash.
    #[inline]
    pub(super) fn fleets(&mut self, faults: &[FaultPlan]) -> Vec<FleetPlan> {
        let spec = self.spec;
        let mut fleets = Vec::new();
        let in_nodes = Path::new("nodes");
        for (id, node) in &spec.nodes {
            let NodeSpec::Service(service) = node else { continue };
            let nodes = self.instances(&in_nodes.at(id), id);
            let crashes = |fault: &FaultPlan| {
                matches!(fault.effect, EffectSpec::Crash {}) && fault.nodes.iter().any(|node| nodes.contains(node))
            };
            let lives = service.life.is_some()
                || service.scaling.is_some()
                || spec.rollouts.values().any(|rollout| rollout.node == *id)
                || faults.iter().any(crashes);
            if lives && !nodes.is_empty() {
                fleets.push(self.fleet(&in_nodes.at(id), service, nodes));
            }
        }
        fleets
    }

    #[inline]
    fn fleet(&mut self, path: &Path, service: &ServiceSpec, nodes: Vec<NodeId>) -> FleetPlan {
        let life = service.life.as_ref().map_or(LifePlan::PLAIN, |life| self.life(&path.at("life"), life));
        let count = nodes.len() as u32;
        let mut fleet = FleetPlan { nodes, life, initial: count, schedule: Vec::new(), autoscaler: None };
        let Some(scaling) = &service.scaling else { return fleet };
        let path = path.at("scaling");
        let most = f64::from(count);
        self.within(&path.at("initial"), f64::from(scaling.initial), 0.0, most);
        fleet.initial = scaling.initial.min(count);
        let in_schedule = path.at("schedule");
        self.within(&in_schedule, scaling.schedule.len() as f64, 0.0, STEPS_MAX as f64);
        for (index, step) in scaling.schedule.iter().enumerate().take(STEPS_MAX) {
            let at = in_schedule.index(index);
            self.within(&at.at("at_s"), step.at_s, 0.0, self.duration_s());
            self.within(&at.at("instances"), f64::from(step.instances), 0.0, most);
            fleet.schedule.push((Time::from_seconds(step.at_s), step.instances));
        }
        if let Some(autoscaler) = &scaling.autoscaler {
            if !scaling.schedule.is_empty() {
                self.problem(&path, "has two masters", "Keep `schedule` or `autoscaler`.");
            }
            fleet.autoscaler = Some(self.autoscaler(&path.at("autoscaler"), autoscaler, service, most));
        }
        fleet
    }

    #[inline]
    fn life(&mut self, path: &Path, life: &LifeSpec) -> LifePlan {
        let mut span = |name: &str, seconds: f64| {
            self.within(&path.at(name), seconds, 0.0, limits::DURATION_S);
            Span::from_seconds(seconds.clamp(0.0, limits::DURATION_S))
        };
        let start = span("start_s", life.start_s);
        let listing_delay = span("listing_delay_s", life.listing_delay_s);
        let stop_delay = span("stop_delay_s", life.stop_delay_s);
        let stop_grace = span("stop_grace_s", life.stop_grace_s);
        let lasts = life.warm_up.map(|warm_up| span("warm_up.for_s", warm_up.for_s)).unwrap_or(Span::ZERO);
        let warm_up = life.warm_up.map(|warm_up| {
            self.within(&path.at("warm_up.speed"), warm_up.speed, 0.001, 1.0);
            (lasts, 1.0 / warm_up.speed.clamp(0.001, 1.0))
        });
        let idle_stop = life.idle_stop_s.map(|idle_s| {
            self.within(&path.at("idle_stop_s"), idle_s, 0.001, limits::DURATION_S);
            Span::from_seconds(idle_s.clamp(0.001, limits::DURATION_S))
        });
        if let Some(memory) = &life.memory {
            self.memory(&path.at("memory"), memory);
        }
        LifePlan {
            start,
            warm_up,
            readiness: life.readiness,
            listing_delay,
            stop_delay,
            stop_grace,
            restart: life.restart,
            idle_stop,
            memory: life.memory,
        }
    }

    #[inline]
    fn memory(&mut self, path: &Path, memory: &MemorySpec) {
        self.above_zero(&path.at("limit_mb"), memory.limit_mb, 1e9);
        let parts = [
            ("base_mb", memory.base_mb),
            ("per_call_mb", memory.per_call_mb),
            ("leak_per_call_mb", memory.leak_per_call_mb),
            ("recycle_mb", memory.recycle_mb.unwrap_or(memory.limit_mb)),
        ];
        for (name, megabytes) in parts {
            self.within(&path.at(name), megabytes, 0.0, memory.limit_mb.max(0.0));
        }
        if memory.per_call_mb == 0.0 && memory.leak_per_call_mb == 0.0 {
            self.problem(path, "no call needs any", "Give `per_call_mb` or `leak_per_call_mb`.");
        }
    }

    #[inline]
    fn autoscaler(&mut self, path: &Path, spec: &AutoscalerSpec, service: &ServiceSpec, most: f64) -> AutoscalerPlan {
        self.within(&path.at("target"), spec.target, 0.01, 1.0);
        self.within(&path.at("min"), f64::from(spec.min), 1.0, most);
        self.within(&path.at("interval_s"), spec.interval_s, 1.0, limits::DURATION_S);
        self.within(&path.at("metric_delay_s"), spec.metric_delay_s, 0.0, limits::DURATION_S);
        self.within(&path.at("stabilization_s"), spec.stabilization_s, 0.0, limits::DURATION_S);
        let places = match spec.of {
            ScaleOnSpec::Cpu => 1.0,
            ScaleOnSpec::Workers => f64::from(service.workers.unwrap_or_else(|| {
                let hint = "Give the service `workers`, or let it look at `cpu`.";
                self.problem(&path.at("of"), "there is no bound to its workers", hint);
                1
            })),
        };
        let interval_s = spec.interval_s.max(1.0);
        let looks = |seconds: f64| (seconds.clamp(0.0, limits::DURATION_S) / interval_s).ceil() as usize;
        AutoscalerPlan {
            of: spec.of,
            places,
            target: spec.target.max(0.01),
            min: spec.min,
            interval: Span::from_seconds(interval_s.min(limits::DURATION_S)),
            looks_late: looks(spec.metric_delay_s),
            stabilization: looks(spec.stabilization_s),
        }
    }

    /// How instances are replaced.
    #[inline]
    pub(super) fn rollouts(&mut self) -> Vec<RolloutPlan> {
        let spec = self.spec;
        let in_rollouts = Path::new("rollouts");
        self.within(&in_rollouts, spec.rollouts.len() as f64, 0.0, STEPS_MAX as f64);
        let rollouts = spec.rollouts.iter().take(STEPS_MAX);
        rollouts.filter_map(|(id, rollout)| self.rollout(&in_rollouts.at(id), id, rollout)).collect()
    }

    #[inline]
    fn rollout(&mut self, path: &Path, id: &str, spec: &RolloutSpec) -> Option<RolloutPlan> {
        self.refuse_unless(&path.at("node"), &spec.node, "a rollout", &["service"]);
        let mut nodes = self.instances(&path.at("node"), &spec.node);
        let others = match spec.instances {
            Some(instances) if self.within(&path.at("instances"), f64::from(instances), 1.0, nodes.len() as f64) => {
                nodes.split_off((instances as usize).min(nodes.len()))
            }
            _ => Vec::new(),
        };
        self.within(&path.at("from_s"), spec.from_s, 0.0, self.duration_s());
        self.within(&path.at("batch"), f64::from(spec.batch), 1.0, limits::NODES as f64);
        self.within(&path.at("release"), f64::from(spec.release), 1.0, 1_000.0);
        if let Some(every_s) = spec.every_s {
            self.within(&path.at("every_s"), every_s, 0.001, limits::DURATION_S);
        }
        if spec.surge && !spec.restart {
            self.problem(&path.at("surge"), "nothing is started beside anything", "Take it or `restart` out.");
        }
        if let Some(effect) = &spec.effect {
            self.effect(&path.at("effect"), &spec.node, effect);
            if matches!(effect, EffectSpec::Partition { .. } | EffectSpec::HalfOpen { .. }) {
                self.problem(&path.at("effect"), "happens between nodes, not in a release", "Make a fault of it.");
            }
        }
        if spec.undo_s.is_some_and(|undo_s| undo_s.is_nan() || undo_s <= spec.from_s) {
            self.problem(&path.at("undo_s"), "is not after `from_s`", "It is taken back after it begins.");
        }
        let canary = spec.canary.as_ref().map(|canary| self.canary(&path.at("canary"), canary, nodes.len()));
        Some(RolloutPlan {
            title: spec.title.clone().unwrap_or_else(|| id.to_string()),
            nodes,
            others,
            from: Time::from_seconds(spec.from_s),
            batch: spec.batch.max(1) as usize,
            every: spec.every_s.map(|every_s| Span::from_seconds(every_s.clamp(0.001, limits::DURATION_S))),
            surge: spec.surge,
            restart: spec.restart,
            release: spec.release.min(1_000) as u16,
            effect: spec.effect.clone(),
            canary,
            undo: spec.undo_s.map(Time::from_seconds),
        })
    }

    #[inline]
    fn canary(&mut self, path: &Path, spec: &CanarySpec, instances: usize) -> CanaryPlan {
        self.within(&path.at("instances"), f64::from(spec.instances), 1.0, instances.max(2) as f64 - 1.0);
        self.within(&path.at("every_s"), spec.every_s, 1.0, limits::DURATION_S);
        self.above_zero(&path.at("z"), spec.z, 1e6);
        let signal = spec.signal.as_ref().and_then(|name| {
            let mut declared = self.spec.metrics.iter();
            let found = declared.position(|(known, metric)| known == name && metric.source == SourceSpec::Observed);
            if found.is_none() {
                let hint = "Declare it in `metrics` with the source `observed`.";
                self.problem(&path.at("signal"), format!("no program observes `{name}`"), hint);
            }
            found.map(|place| place as u16)
        });
        if let Some(for_s) = spec.for_s {
            self.within(&path.at("for_s"), for_s, spec.every_s, limits::DURATION_S);
        }
        CanaryPlan {
            instances: spec.instances as usize,
            every: Span::from_seconds(spec.every_s.clamp(1.0, limits::DURATION_S)),
            z: spec.z,
            signal,
            holds: spec.for_s.map(|for_s| Span::from_seconds(for_s.clamp(0.0, limits::DURATION_S))),
        }
    }
}
