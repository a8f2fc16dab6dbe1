//! Where each instance of a fleet stands in its life, what its rollouts and its autoscaler remember, and what an instance that may
//! stop or run out of memory keeps count of. What happens next is up to the world (`world/life.rs`).

use super::ctx::Ctx;
use super::event::Event;
use crate::ids::{NodeId, Seq};
use crate::scenario::{CanaryPlan, Condition, FleetPlan, MemorySpec, Plan};
use crate::time::{Span, Time};
use std::collections::VecDeque;

/// The stages of an instance's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is no process.
    Off,
    /// It stopped for want of work; the next call wakes it.
    Asleep,
    /// It starts, and takes no calls yet.
    Starting,
    /// It starts because a call waits for it.
    Waking,
    /// It takes calls, and is slow.
    Warming,
    /// It takes calls.
    Up,
    /// It was told to stop, and goes on taking calls for a while.
    Leaving,
    /// It takes no more calls, and finishes what it has begun.
    Draining,
}

/// The life of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// Position in the plan's fleets.
    pub fleet: u16,
    /// Where it stands.
    pub phase: Phase,
    /// When it comes to the next stage by itself.
    pub due: Time,
    /// Whether it is to run.
    pub wanted: bool,
    /// Whether it starts again when it has stopped.
    pub restarts: bool,
    /// Whether its callers' list has it.
    pub listed: bool,
    /// What it runs.
    pub release: Release,
    /// What it will run when it is started anew.
    pub next: Option<Release>,
    /// The latest record of its life, if there is one.
    pub because: Option<Seq>,
}

/// What an instance runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub number: u16,
    /// The rollout that brought it: it behaves as that says.
    pub rollout: Option<u16>,
}

impl Release {
    /// What runs at the start.
    pub const FIRST: Release = Release { number: 1, rollout: None };
}

impl Life {
    /// Whether it takes calls.
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up | Phase::Warming | Phase::Leaving)
    }

    /// What its stage makes of the instance.
    pub fn shape(&self, fleet: &FleetPlan, condition: &mut Condition) {
        match self.phase {
            Phase::Off | Phase::Starting | Phase::Draining => condition.down = true,
            Phase::Asleep | Phase::Waking => condition.held = true,
            Phase::Warming => condition.slow_factor *= fleet.life.warm_up.map_or(1.0, |(_, factor)| factor),
            Phase::Up | Phase::Leaving => {}
        }
        condition.asleep = self.phase == Phase::Asleep;
    }
}

/// All that lives; empty where no instance comes or goes.
#[derive(Clone, Debug, Default)]
pub struct Fleets {
    /// Of each node, if there are any fleets.
    pub lives: Vec<Option<Life>>,
    /// Of each fleet.
    pub scalers: Vec<Scaler>,
    /// Of each rollout.
    pub rollouts: Vec<Rollout>,
}

impl Fleets {
    pub fn new(plan: &Plan) -> Fleets {
        let mut lives = Vec::new();
        if !plan.fleets.is_empty() {
            lives.resize(plan.nodes.len(), None);
        }
        for (fleet, planned) in plan.fleets.iter().enumerate() {
            for (place, node) in planned.nodes.iter().enumerate() {
                let wanted = (place as u32) < planned.initial;
                let phase = match planned.life.idle_stop {
                    _ if !wanted => Phase::Off,
                    Some(_) => Phase::Asleep,
                    None => Phase::Up,
                };
                lives[node.index()] = Some(Life {
                    fleet: fleet as u16,
                    phase,
                    due: Time::NEVER,
                    wanted,
                    restarts: false,
                    listed: true,
                    release: Release::FIRST,
                    next: None,
                    because: None,
                });
            }
        }
        Fleets {
            lives,
            scalers: plan.fleets.iter().map(|fleet| Scaler::new(fleet.initial)).collect(),
            rollouts: vec![Rollout::default(); plan.rollouts.len()],
        }
    }
}

/// What an autoscaler remembers.
#[derive(Clone, Debug)]
pub struct Scaler {
    /// So many instances are to run.
    pub wanted: u32,
    /// The work that the fleet had done at the last look, in instances times nanoseconds.
    pub worked: f64,
    /// What it saw, the latest last: so many instances would have been busy all the time.
    pub loads: VecDeque<f64>,
    /// How many instances it wanted at the last looks.
    pub wants: VecDeque<u32>,
    /// What was last recorded of the fleet: running, up, listed.
    pub counted: Option<[u16; 3]>,
}

impl Scaler {
    fn new(wanted: u32) -> Scaler {
        Scaler { wanted, worked: 0.0, loads: VecDeque::new(), wants: VecDeque::new(), counted: None }
    }
}

/// How far a rollout has come.
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    /// The record of its beginning.
    pub began: Option<Seq>,
    /// So many instances were replaced or are being replaced, with what they ran before.
    pub before: Vec<Release>,
    /// Instances beside which the new ones start, when these are up, and the record that has them start.
    pub beside: Vec<(Time, NodeId, Option<Seq>)>,
    /// When the next batch is due.
    pub batch_at: Option<Time>,
    /// Since when the first instances are watched, and what had become of everybody by then.
    pub watched: Option<(Time, [Tally; 2])>,
    /// Whether all others may follow.
    pub cleared: bool,
    /// Whether it was taken back.
    pub undone: bool,
}

/// How many trials there were and how many of them succeeded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// So many.
    pub trials: f64,
    /// Successes.
    pub good: f64,
}

impl Tally {
    pub fn plus(self, other: Tally) -> Tally {
        Tally { trials: self.trials + other.trials, good: self.good + other.good }
    }

    pub fn less(self, other: Tally) -> Tally {
        Tally { trials: self.trials - other.trials, good: self.good - other.good }
    }

    /// Whether this succeeds less often than that, by more than `z` standard errors (two-proportion z-test, pooled).
    pub fn is_worse_than(self, that: Tally, z: f64) -> bool {
        let both = self.plus(that);
        let pooled = both.good / both.trials;
        let error = (pooled * (1.0 - pooled) * (1.0 / self.trials + 1.0 / that.trials)).sqrt();
        that.good / that.trials - self.good / self.trials > z * error
    }
}

/// Values of observed signals by node, where a canary is judged by them.
#[derive(Clone, Debug, Default)]
pub struct Trials(Vec<(u16, Vec<Tally>)>);

impl Trials {
    pub fn new(plan: &Plan) -> Trials {
        let mut trials = Trials::default();
        let canaries = plan.rollouts.iter().filter_map(|rollout| rollout.canary.as_ref());
        for signal in canaries.filter_map(|canary: &CanaryPlan| canary.signal) {
            if trials.0.iter().all(|(known, _)| *known != signal) {
                trials.0.push((signal, vec![Tally::default(); plan.nodes.len()]));
            }
        }
        trials
    }

    /// A program observed a value.
    #[inline]
    pub fn observe(&mut self, node: NodeId, signal: u16, value: f64) {
        for (_, tallies) in self.0.iter_mut().filter(|(known, _)| *known == signal) {
            let tally = &mut tallies[node.index()];
            *tally = tally.plus(Tally { trials: 1.0, good: value });
        }
    }

    /// What was observed at a node.
    pub fn of(&self, node: NodeId, signal: u16) -> Tally {
        let known = self.0.iter().find(|(known, _)| *known == signal);
        known.map_or(Tally::default(), |(_, tallies)| tallies[node.index()])
    }
}

/// What an instance of a fleet keeps count of.
#[derive(Clone, Debug)]
pub struct Presence {
    memory: Option<MemorySpec>,
    /// Calls that wait or are worked on.
    inside: u32,
    /// Calls since it was started.
    calls: u64,
    /// When the last call left.
    idle_since: Time,
    /// Work begun since the beginning of the run.
    worked: Span,
}

impl Presence {
    pub fn new(memory: Option<MemorySpec>) -> Presence {
        Presence { memory, inside: 0, calls: 0, idle_since: Time::ZERO, worked: Span::ZERO }
    }

    /// Calls inside.
    pub fn inside(&self) -> u32 {
        self.inside
    }

    /// When the last call left.
    pub fn idle_since(&self) -> Time {
        self.idle_since
    }

    /// Work begun so far.
    pub fn worked(&self) -> Span {
        self.worked
    }

    /// The process is gone, and with it what it had in memory.
    pub fn forget(&mut self, now: Time) {
        (self.inside, self.calls, self.idle_since) = (0, 0, now);
    }

    pub fn work(&mut self, span: Span) {
        self.worked += span;
    }

    /// A call comes in. It may be the one that there is no memory for.
    pub fn enter(&mut self, ctx: &mut Ctx) {
        self.inside += 1;
        self.calls += 1;
        let Some(memory) = &self.memory else { return };
        let leaked = memory.leak_per_call_mb * self.calls as f64;
        let used = memory.base_mb + leaked + memory.per_call_mb * f64::from(self.inside);
        if used > memory.limit_mb {
            ctx.core.at_once.push_back(Event::OutOfMemory(ctx.node));
        } else if memory.recycle_mb.is_some_and(|recycle| used >= recycle) {
            ctx.core.at_once.push_back(Event::Recycle(ctx.node));
        }
    }

    /// A call has left: the last one that an instance waited for lets it stop.
    pub fn leave(&mut self, ctx: &mut Ctx) {
        self.inside -= 1;
        if self.inside > 0 {
            return;
        }
        self.idle_since = ctx.now();
        let (node, now) = (ctx.node, ctx.now());
        if let Some(Some(life)) = ctx.core.fleets.lives.get_mut(node.index())
            && life.phase == Phase::Draining
        {
            life.due = now;
            ctx.core.at_once.push_back(Event::Life(node));
        }
    }
}
