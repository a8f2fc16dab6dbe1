//! What happens in the lives of instances: they start, warm up, are told to stop, finish, die, sleep and wake.

use super::World;
use crate::engine::event::Event;
use crate::engine::life::{Life, Phase};
use crate::engine::nodes::{Happening, Node, Service};
use crate::ids::{NodeId, RequestId, Seq};
use crate::scenario::{Condition, EffectSpec, LifePlan};
use crate::time::{Span, Time};
use crate::trace::What;

impl World {
    /// Where everybody stands at the start; what there is to do later.
    pub(super) fn begin_lives(&mut self) {
        let plan = self.core.plan.clone();
        for (index, fleet) in plan.fleets.iter().enumerate() {
            let index = index as u16;
            for node in &fleet.nodes {
                let runs = self.life(*node).wanted;
                self.life(*node).listed = runs;
                self.core.judge(*node);
                if !runs {
                    self.tell_callers(*node, false, None);
                }
            }
            self.core.calendar.schedule(Time::ZERO, Event::Scale { fleet: index, step: u16::MAX });
            for (step, (at, _)) in fleet.schedule.iter().enumerate() {
                self.core.calendar.schedule(*at, Event::Scale { fleet: index, step: step as u16 });
            }
            if let Some(autoscaler) = &fleet.autoscaler {
                self.core.calendar.schedule(Time::ZERO + autoscaler.interval, Event::Autoscale(index));
            }
        }
        for (index, rollout) in plan.rollouts.iter().enumerate() {
            self.core.fleets.rollouts[index].batch_at = Some(rollout.from);
            self.core.calendar.schedule(rollout.from, Event::Rollout(index as u16));
            if let Some(undo) = rollout.undo {
                self.core.calendar.schedule(undo, Event::Undo(index as u16));
            }
        }
    }

    pub(super) fn life(&mut self, node: NodeId) -> &mut Life {
        self.core.fleets.lives[node.index()].as_mut().expect("an instance of a fleet has a life")
    }

    pub(super) fn life_plan(&mut self, node: NodeId) -> LifePlan {
        let fleet = self.life(node).fleet;
        self.core.plan.fleets[usize::from(fleet)].life.clone()
    }

    /// Records a fact of an instance's life.
    pub(super) fn record_life(&mut self, node: NodeId, what: What, because: Option<Seq>) -> Seq {
        let seq = self.core.record(node, RequestId::NONE, what, because, None);
        self.life(node).because = Some(seq);
        seq
    }

    /// An instance begins to start.
    pub(super) fn start(&mut self, node: NodeId, because: Option<Seq>) {
        let life = self.life(node);
        life.restarts = false;
        if let Some(next) = life.next.take() {
            life.release = next;
        }
        if self.is_struck(node) {
            return;
        }
        let plan = self.life_plan(node);
        self.record_life(node, What::InstanceStarting, because);
        if !plan.readiness {
            self.list(node, true);
        }
        self.enter(node, Phase::Starting, self.core.now + plan.start);
    }

    /// A call woke an instance that slept.
    pub(super) fn wake(&mut self, node: NodeId) {
        if self.life(node).phase == Phase::Asleep {
            let plan = self.life_plan(node);
            self.record_life(node, What::InstanceStarting, None);
            self.enter(node, Phase::Waking, self.core.now + plan.start);
        }
    }

    /// Comes to a stage, which lasts until `due`.
    fn enter(&mut self, node: NodeId, phase: Phase, due: Time) {
        let now = self.core.now;
        let life = self.life(node);
        (life.phase, life.due) = (phase, due);
        self.rejudge(node);
        self.count(node);
        match due {
            Time::NEVER => {}
            due if due == now => self.core.at_once.push_back(Event::Life(node)),
            due => _ = self.core.calendar.schedule(due, Event::Life(node)),
        }
    }

    /// The time of a stage is over, if nothing else came first.
    pub(super) fn on_life(&mut self, node: NodeId) {
        let now = self.core.now;
        if self.life(node).due != now {
            return;
        }
        match self.life(node).phase {
            Phase::Starting | Phase::Waking => self.come_up(node),
            Phase::Warming => self.settle_down(node),
            Phase::Up => self.sleep_if_idle(node),
            Phase::Leaving => self.drain(node),
            Phase::Draining => self.end(node),
            Phase::Off | Phase::Asleep => {}
        }
    }

    fn come_up(&mut self, node: NodeId) {
        let because = self.life(node).because;
        self.record_life(node, What::InstanceUp, because);
        self.list(node, true);
        self.warm_up(node);
        self.go_on_with_rollouts();
    }

    /// It takes calls, slowly at first.
    pub(super) fn warm_up(&mut self, node: NodeId) {
        match self.life_plan(node).warm_up {
            Some((lasts, _)) => self.enter(node, Phase::Warming, self.core.now + lasts),
            None => self.settle_down(node),
        }
    }

    fn settle_down(&mut self, node: NodeId) {
        let idle_stop = self.life_plan(node).idle_stop;
        let due = idle_stop.map_or(Time::NEVER, |idle| self.core.now + idle);
        self.enter(node, Phase::Up, due);
    }

    /// It was up for a while: perhaps nobody needs it.
    fn sleep_if_idle(&mut self, node: NodeId) {
        let Some(idle) = self.life_plan(node).idle_stop else { return };
        let now = self.core.now;
        let presence = self.service(node).presence().expect("an instance of a fleet counts its calls");
        let (inside, since) = (presence.inside(), presence.idle_since());
        match (inside, since + idle) {
            (0, sleeps_at) if sleeps_at <= now => {
                let because = self.life(node).because;
                self.record_life(node, What::InstanceStopped, because);
                self.enter(node, Phase::Asleep, Time::NEVER);
            }
            (0, sleeps_at) => self.enter(node, Phase::Up, sleeps_at),
            _ => self.enter(node, Phase::Up, now + idle),
        }
    }

    /// An instance is told to stop.
    pub(super) fn stop(&mut self, node: NodeId, because: Option<Seq>, restarts: bool) {
        let plan = self.life_plan(node);
        let life = self.life(node);
        life.restarts = restarts;
        match life.phase {
            Phase::Off if restarts => self.start(node, because),
            Phase::Off | Phase::Leaving | Phase::Draining => {}
            Phase::Asleep | Phase::Starting | Phase::Waking => {
                self.record_life(node, What::InstanceStopping, because);
                self.list(node, false);
                self.end(node);
            }
            Phase::Up | Phase::Warming => {
                self.record_life(node, What::InstanceStopping, because);
                self.list(node, false);
                match plan.stop_delay == Span::ZERO {
                    true => self.drain(node),
                    false => self.enter(node, Phase::Leaving, self.core.now + plan.stop_delay),
                }
            }
        }
    }

    /// It takes no more calls.
    fn drain(&mut self, node: NodeId) {
        let inside = self.service(node).presence().map_or(0, |presence| presence.inside());
        let grace = self.life_plan(node).stop_grace;
        match inside == 0 || grace == Span::ZERO {
            true => self.end(node),
            false => self.enter(node, Phase::Draining, self.core.now + grace),
        }
    }

    /// The process ends, whatever it had still to do.
    fn end(&mut self, node: NodeId) {
        let because = self.life(node).because;
        let stopped = self.record_life(node, What::InstanceStopped, because);
        self.die(node, stopped);
        let life = self.life(node);
        if life.restarts && life.wanted {
            self.start(node, Some(stopped));
        }
    }

    /// The process dies. It is started again, unless what killed it goes on.
    pub(super) fn crash(&mut self, node: NodeId, because: Option<Seq>) {
        if self.life(node).phase == Phase::Off {
            return;
        }
        let crashed = self.record_life(node, What::InstanceCrashed, because);
        let plan = self.life_plan(node);
        if plan.readiness {
            self.list(node, false);
        }
        self.die(node, crashed);
        if plan.restart && self.life(node).wanted {
            self.start(node, Some(crashed));
        }
    }

    /// All that an instance had begun is lost.
    fn die(&mut self, node: NodeId, because: Seq) {
        self.lose_everything(node, because);
        self.enter(node, Phase::Off, Time::NEVER);
    }

    pub(super) fn lose_everything(&mut self, node: NodeId, because: Seq) {
        let (service, mut ctx) = self.door(node);
        let Node::Service(service) = service else { unreachable!("a fleet consists of services") };
        service.lose_everything(&mut ctx, because);
        self.break_connections(node, because);
    }

    /// Whoever called a process that is gone finds his connections with it broken.
    fn break_connections(&mut self, instance: NodeId, because: Seq) {
        let plan = self.core.plan.clone();
        for (index, planned) in plan.nodes.iter().enumerate() {
            for (call, planned) in planned.calls.iter().enumerate() {
                if let Some(place) = planned.targets.iter().position(|target| *target == instance) {
                    let (caller, mut ctx) = self.door(NodeId(index as u16));
                    caller.callers_mut()[call].on_death(&mut ctx, place, because);
                }
            }
        }
    }

    /// A fault that killed an instance is over.
    pub(super) fn recover(&mut self, node: NodeId, because: Seq) {
        let restart = self.life_plan(node).restart;
        let life = *self.life(node);
        if life.phase == Phase::Off && life.wanted && restart {
            self.start(node, Some(because));
        }
    }

    /// Whether what kills an instance goes on: a fault, or the release that it has.
    fn is_struck(&self, node: NodeId) -> bool {
        let core = &self.core;
        let mut faults = core.active_faults.iter().map(|(fault, _)| &core.plan.faults[usize::from(*fault)]);
        faults.any(|fault| matches!(fault.effect, EffectSpec::Crash {}) && fault.nodes.contains(&node))
            || matches!(core.release_effect(node), Some(EffectSpec::Crash {}))
    }

    /// An instance has no memory left.
    pub(super) fn out_of_memory(&mut self, node: NodeId) {
        if self.life(node).is_up() {
            let because = self.life(node).because;
            let exhausted = self.record_life(node, What::OutOfMemory, because);
            self.crash(node, Some(exhausted));
        }
    }

    /// An instance that does not answer its probes is started anew.
    pub(super) fn restart_unresponsive(&mut self, node: NodeId, because: Seq) {
        if self.life(node).is_up() {
            let unresponsive = self.record_life(node, What::Unresponsive, Some(because));
            self.stop(node, Some(unresponsive), true);
        }
    }

    /// An instance is started anew before it has no memory left, if all others of its fleet are up.
    pub(super) fn recycle(&mut self, node: NodeId) {
        let fleet = self.life(node).fleet;
        let nodes = self.core.plan.fleets[usize::from(fleet)].nodes.clone();
        let are_up = nodes.into_iter().all(|other| {
            let life = self.life(other);
            !life.wanted || matches!(life.phase, Phase::Up | Phase::Warming)
        });
        if are_up {
            self.stop(node, None, true);
        }
    }

    /// The list of callers changes, when they come to know it.
    pub(super) fn list(&mut self, node: NodeId, listed: bool) {
        let delay = self.life_plan(node).listing_delay;
        match delay == Span::ZERO {
            true => self.on_listed(node, listed),
            false => _ = self.core.calendar.schedule_after(self.core.now, delay, Event::Listed { node, listed }),
        }
    }

    pub(super) fn on_listed(&mut self, node: NodeId, listed: bool) {
        if self.life(node).listed != listed {
            self.life(node).listed = listed;
            let because = self.life(node).because;
            self.tell_callers(node, listed, because);
            self.count(node);
        }
    }

    fn tell_callers(&mut self, instance: NodeId, listed: bool, because: Option<Seq>) {
        let plan = self.core.plan.clone();
        let now = self.core.now;
        for (caller, planned) in self.nodes.iter_mut().zip(&plan.nodes) {
            for (call, planned) in planned.calls.iter().enumerate() {
                if let Some(place) = planned.targets.iter().position(|target| *target == instance) {
                    caller.callers_mut()[call].list(now, place, listed, because);
                }
            }
        }
    }

    /// Makes up a node's condition anew, and tells the node what it has to know of it.
    pub(super) fn rejudge(&mut self, node: NodeId) {
        let before = self.core.conditions[node.index()];
        self.core.judge(node);
        let now = self.core.conditions[node.index()];
        let concerns = |condition: &Condition| (condition.frozen, condition.held, condition.down, condition.lost);
        if concerns(&before) != concerns(&now) {
            self.handle(node, Happening::ConditionChanged);
        }
    }

    /// Records how many instances of this one's fleet there are, if that has changed.
    pub(super) fn count(&mut self, node: NodeId) {
        let fleet = usize::from(self.life(node).fleet);
        let plan = self.core.plan.clone();
        let nodes = &plan.fleets[fleet].nodes;
        let number = |holds: &dyn Fn(&Life) -> bool| {
            let lives = nodes.iter().filter_map(|node| self.core.fleets.lives[node.index()].as_ref());
            lives.filter(|life| holds(life)).count() as u16
        };
        let running = number(&|life| !matches!(life.phase, Phase::Off | Phase::Asleep));
        let (up, listed) = (number(&|life| life.is_up()), number(&|life| life.listed));
        let counted = Some([running, up, listed]);
        if self.core.fleets.scalers[fleet].counted != counted {
            self.core.fleets.scalers[fleet].counted = counted;
            let because = self.life(node).because;
            self.core.record(nodes[0], RequestId::NONE, What::Fleet { running, up, listed }, because, None);
        }
    }

    pub(super) fn service(&mut self, node: NodeId) -> &mut Service {
        let Node::Service(service) = &mut self.nodes[node.index()] else {
            unreachable!("a fleet consists of services")
        };
        service
    }
}
