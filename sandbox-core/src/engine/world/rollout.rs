//! How instances are replaced: batch by batch, the first ones watched, and taken back if they are worse.

use super::World;
use crate::engine::event::Event;
use crate::engine::life::{Phase, Release, Tally};
use crate::ids::{NodeId, Seq};
use crate::scenario::{CanaryPlan, EffectSpec, RolloutPlan};
use crate::time::{Span, Time};
use crate::trace::What;

impl World {
    /// A batch is due, or instances that started beside old ones are up.
    pub(super) fn on_rollout(&mut self, index: u16) {
        let (now, at) = (self.core.now, usize::from(index));
        let plan = self.core.plan.clone();
        let planned = &plan.rollouts[at];
        let beside = std::mem::take(&mut self.core.fleets.rollouts[at].beside);
        let (due, later) = beside.into_iter().partition::<Vec<_>, _>(|(switches_at, ..)| *switches_at <= now);
        self.core.fleets.rollouts[at].beside = later;
        for (_, node, because) in due {
            self.switch(node, because);
        }
        if self.core.fleets.rollouts[at].batch_at.is_some_and(|batch_at| batch_at <= now) {
            self.core.fleets.rollouts[at].batch_at = None;
            self.begin_batch(index, planned);
        } else {
            self.go_on_with_rollouts();
        }
    }

    fn begin_batch(&mut self, index: u16, planned: &RolloutPlan) {
        let at = usize::from(index);
        let done = self.core.fleets.rollouts[at].before.len();
        if self.core.fleets.rollouts[at].undone || done == planned.nodes.len() {
            return;
        }
        if done == 0 {
            let began = self.record_life(planned.nodes[0], What::RolloutBegan { rollout: index }, None);
            self.core.fleets.rollouts[at].began = Some(began);
        }
        let watched = planned.canary.filter(|_| !self.core.fleets.rollouts[at].cleared);
        let end = watched.map_or(planned.nodes.len(), |canary| canary.instances.min(planned.nodes.len()));
        let batch = &planned.nodes[done.min(end)..(done + planned.batch).min(end)];
        let (began, release) =
            (self.core.fleets.rollouts[at].began, Release { number: planned.release, rollout: Some(index) });
        for node in batch {
            let before = self.life(*node).release;
            self.core.fleets.rollouts[at].before.push(before);
            self.replace(index, planned, *node, release, began);
        }
        match (done + batch.len() >= end, watched, planned.every) {
            (true, Some(canary), _) => {
                let tallies = self.tallies(index, planned, canary);
                self.core.fleets.rollouts[at].watched = Some((self.core.now, tallies));
                self.core.calendar.schedule(self.core.now + canary.every, Event::Canary(index));
            }
            (true, None, _) => {}
            (false, _, Some(every)) => self.schedule_batch(index, self.core.now + every),
            // The next one waits for these.
            (false, _, None) => self.go_on_with_rollouts(),
        }
    }

    fn schedule_batch(&mut self, index: u16, at: Time) {
        self.core.fleets.rollouts[usize::from(index)].batch_at = Some(at);
        match at == self.core.now {
            true => self.core.at_once.push_back(Event::Rollout(index)),
            false => _ = self.core.calendar.schedule(at, Event::Rollout(index)),
        }
    }

    /// An instance is to run another release.
    fn replace(&mut self, index: u16, planned: &RolloutPlan, node: NodeId, release: Release, because: Option<Seq>) {
        let now = self.core.now;
        let is_off = self.life(node).phase == Phase::Off;
        self.life(node).next = Some(release);
        if is_off && !self.life(node).wanted {
            self.life(node).release = release;
            self.life(node).next = None;
        } else if is_off {
            // What it ran killed it, perhaps: the other release may live.
            self.start(node, because);
        } else if !planned.restart {
            self.life(node).next = None;
            self.life(node).release = release;
            self.rejudge(node);
            if matches!(self.core.release_effect(node), Some(EffectSpec::Crash {})) {
                self.crash(node, because);
            }
        } else if planned.surge {
            let at = now + self.life_plan(node).start;
            self.core.fleets.rollouts[usize::from(index)].beside.push((at, node, because));
            match at == now {
                true => self.core.at_once.push_back(Event::Rollout(index)),
                false => _ = self.core.calendar.schedule(at, Event::Rollout(index)),
            }
        } else {
            self.stop(node, because, true);
        }
    }

    /// The new instance is up and takes the old one's place; what the old one has begun it finishes, if it may.
    fn switch(&mut self, node: NodeId, because: Option<Seq>) {
        let Some(next) = self.life(node).next.take() else { return };
        let up = self.record_life(node, What::InstanceUp, because);
        self.life(node).release = next;
        if self.life_plan(node).stop_grace == Span::ZERO {
            self.lose_everything(node, up);
        }
        self.rejudge(node);
        match self.core.release_effect(node) {
            Some(EffectSpec::Crash {}) => self.crash(node, Some(up)),
            _ => self.warm_up(node),
        }
    }

    /// Rollouts whose next batch waits until the one before it is up.
    pub(super) fn go_on_with_rollouts(&mut self) {
        let plan = self.core.plan.clone();
        for (at, planned) in plan.rollouts.iter().enumerate() {
            let rollout = &self.core.fleets.rollouts[at];
            let waits = planned.every.is_none()
                && rollout.batch_at.is_none()
                && rollout.watched.is_none()
                && rollout.began.is_some()
                && !rollout.undone
                && rollout.beside.is_empty()
                && rollout.before.len() < planned.nodes.len();
            let replaced = rollout.before.len();
            let is_up = |node: &NodeId| {
                let life = self.core.fleets.lives[node.index()].as_ref();
                life.is_none_or(|life| {
                    !life.wanted || (matches!(life.phase, Phase::Up | Phase::Warming) && life.next.is_none())
                })
            };
            if waits && planned.nodes[..replaced].iter().all(is_up) {
                self.schedule_batch(at as u16, self.core.now);
            }
        }
    }

    /// The first instances with a release are compared with the others.
    pub(super) fn on_canary(&mut self, index: u16) {
        let (now, at) = (self.core.now, usize::from(index));
        let plan = self.core.plan.clone();
        let planned = &plan.rollouts[at];
        let (Some(canary), Some((since, before))) = (planned.canary, self.core.fleets.rollouts[at].watched) else {
            return;
        };
        if self.core.fleets.rollouts[at].undone {
            return;
        }
        let after = self.tallies(index, planned, canary);
        let [new, old] = [after[0].less(before[0]), after[1].less(before[1])];
        if new.is_worse_than(old, canary.z) {
            let began = self.core.fleets.rollouts[at].began;
            let failed = self.record_life(planned.nodes[0], What::CanaryFailed { rollout: index }, began);
            return self.undo(index, Some(failed));
        }
        if canary.holds.is_some_and(|holds| now.since(since) >= holds) {
            self.core.fleets.rollouts[at].cleared = true;
            self.core.fleets.rollouts[at].watched = None;
            return self.schedule_batch(index, now);
        }
        self.core.calendar.schedule(now + canary.every, Event::Canary(index));
    }

    /// What became of all so far: at the first instances, and at those that have nothing new.
    fn tallies(&self, index: u16, planned: &RolloutPlan, canary: CanaryPlan) -> [Tally; 2] {
        let replaced = self.core.fleets.rollouts[usize::from(index)].before.len();
        let of = |node: &NodeId| match canary.signal {
            Some(signal) => self.core.trials.of(*node, signal),
            None => {
                let counted = self.core.counted[node.index()];
                let (ended, failed) = (f64::from(counted.ended), f64::from(counted.failed));
                Tally { trials: ended, good: ended - failed }
            }
        };
        let (new, old) = planned.nodes.split_at(replaced);
        let sum = |nodes: &mut dyn Iterator<Item = &NodeId>| nodes.map(of).fold(Tally::default(), Tally::plus);
        [sum(&mut new.iter()), sum(&mut old.iter().chain(&planned.others))]
    }

    /// A release is taken back everywhere at once.
    pub(super) fn undo(&mut self, index: u16, because: Option<Seq>) {
        let at = usize::from(index);
        let plan = self.core.plan.clone();
        let planned = &plan.rollouts[at];
        let rollout = &mut self.core.fleets.rollouts[at];
        if rollout.undone || rollout.began.is_none() {
            return;
        }
        rollout.undone = true;
        rollout.beside.clear();
        let before = rollout.before.clone();
        let because = because.or(rollout.began);
        let back = self.record_life(planned.nodes[0], What::RolledBack { rollout: index }, because);
        for (node, release) in planned.nodes.iter().zip(before) {
            self.replace(index, planned, *node, release, Some(back));
        }
    }
}
