//! The world: nodes, the requests in flight, and a calendar; no clock, no thread, no IO.
//!
//! On the virtual clock [`World::step`] takes the next event and moves time to it. On the wall clock a driver mounts the
//! same world, steps what is due, and lets inputs in between.

mod life;
mod rollout;
mod scaling;

use super::calendar::Entry;
use super::ctx::{Core, Ctx};
use super::event::{Event, Reason, Slot, Upcoming};
use super::gauge::LevelRow;
use super::io::{CallResult, Credential, Input, LoggedInput, Output};
use super::nodes::{Happening, Node};
use super::observe::{self, Observation};
use super::sender;
use super::stay::{Origin, Stay};
use crate::ids::{NodeId, RequestId, RouteId, Seq, TableId};
use crate::scenario::{EffectSpec, Kind, Plan};
use crate::store::Row;
use crate::time::{Span, Time};
use crate::trace::{Record, What};
use serde::Serialize;
use std::sync::Arc;

/// The state of a system at an instant. Cloning it is cheap and gives a second world that goes on independently.
#[derive(Clone, Debug)]
pub struct World {
    core: Core,
    nodes: Vec<Node>,
    steps: u64,
    /// Nothing later happens; a mounted world goes on.
    end: Time,
    /// When the second that is not over yet will be.
    second_ends: Time,
    /// How many records there were after each of the latest steps.
    step_ends: Vec<u32>,
}

/// What came of some steps.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// The number of the first one.
    pub first: u64,
    /// How many of the records there are after each of them.
    pub ends: &'a [u32],
    /// Their records.
    pub records: &'a [Record],
    /// The gauges of the seconds that ended before the last of them: all nodes of the first second, then of the next.
    pub closed_seconds: &'a [LevelRow],
}

impl<'a> Steps<'a> {
    /// Each step's number and its records.
    pub fn iter(self) -> impl Iterator<Item = (u64, &'a [Record])> {
        let mut begin = 0;
        (self.first..).zip(self.ends).map(move |(step, end)| {
            let records = &self.records[begin..*end as usize];
            begin = *end as usize;
            (step, records)
        })
    }
}

/// Gauges are read this often.
const SECOND: Span = Span::from_millis(1_000);

/// Time between two looks at a rule that rows must keep.
const AUDIT_EVERY: Span = SECOND;

/// How a world is mounted on the wall clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// Nodes whose work real parts do.
    pub external: Vec<NodeId>,
    /// Seconds since 1970 at the world's time zero.
    pub epoch_unix_s: u64,
}

impl World {
    /// A world on the virtual clock: its workloads send the requests.
    pub fn new(plan: Arc<Plan>) -> World {
        World::build(plan, None)
    }

    /// A world on the wall clock: requests and the answers of real parts come from outside.
    pub fn mounted(plan: Arc<Plan>, mount: Mount) -> World {
        World::build(plan, Some(mount))
    }

    fn build(plan: Arc<Plan>, mount: Option<Mount>) -> World {
        let mounted = mount.is_some();
        let end = if mounted { Time::NEVER } else { plan.end };
        let fleet_of = |index| plan.fleets.iter().find(|fleet| fleet.nodes.contains(&NodeId(index as u16)));
        let nodes = plan.nodes.iter().enumerate();
        let nodes = nodes.map(|(index, node)| Node::new(node, plan.seed, mounted, fleet_of(index))).collect();
        let mut world = World {
            core: Core::new(plan.clone(), mount),
            nodes,
            steps: 0,
            end,
            second_ends: Time::ZERO + SECOND,
            step_ends: Vec::new(),
        };
        for (fault, planned) in plan.faults.iter().enumerate() {
            let fault = fault as u16;
            world.core.calendar.schedule(planned.from, Event::Fault { fault, begins: true });
            world.core.calendar.schedule(planned.to, Event::Fault { fault, begins: false });
        }
        for (index, node) in plan.nodes.iter().enumerate() {
            let mut ctx = Ctx { core: &mut world.core, node: NodeId(index as u16) };
            for call in 0..node.calls.len() as u16 {
                ctx.schedule_probe(call);
            }
            if let Node::Service(service) = &mut world.nodes[index] {
                service.begin(&mut ctx);
            }
        }
        world.begin_lives();
        for audit in 0..plan.audits.len() as u16 {
            world.core.calendar.schedule(Time::ZERO + AUDIT_EVERY, Event::Audit(audit));
        }
        if !mounted {
            for (workload, planned) in plan.workloads.iter().enumerate() {
                sender::begin(&mut Ctx { core: &mut world.core, node: planned.client }, workload as u16);
            }
            world.core.calendar.schedule(plan.end, Event::End);
        }
        world
    }

    /// The plan it runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.core.plan
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.core.now
    }

    /// Events and inputs so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Records so far.
    pub fn records(&self) -> u32 {
        self.core.records()
    }

    /// Roughly the bytes that a clone of it copies.
    pub fn weight(&self) -> usize {
        let Core { calendar, stays, locals, .. } = &self.core;
        let lists = calendar.len() * size_of::<Entry>() + stays.weight() + size_of_val(&locals[..]);
        size_of::<World>() + self.nodes.len() * size_of::<Node>() + lists
    }

    /// How the world is mounted, if it is.
    pub fn mount(&self) -> Option<&Mount> {
        self.core.mount.as_deref()
    }

    /// Calls in service and calls waiting at a node.
    pub fn levels(&self, node: NodeId) -> (u32, u32) {
        let levels = &self.core.levels[node.index()];
        (levels.in_service.value(), levels.waiting.value())
    }

    /// The number of the latest request.
    pub fn last_request(&self) -> RequestId {
        RequestId(self.core.requests)
    }

    /// The records of the latest step or input.
    pub fn emitted(&self) -> &[Record] {
        let begin = self.step_ends.len().checked_sub(2).map_or(0, |before| self.step_ends[before]);
        &self.core.emitted[begin as usize..]
    }

    /// What came of the latest step or input, or of the latest steps that were made in one go.
    pub fn latest(&self) -> Steps<'_> {
        let Core { emitted, closed_seconds, .. } = &self.core;
        let first = self.steps + 1 - self.step_ends.len() as u64;
        Steps { first, ends: &self.step_ends, records: emitted, closed_seconds }
    }

    /// What is to be done outside since it was last asked.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.core.outputs)
    }

    /// When the next event is due.
    pub fn next_deadline(&mut self) -> Option<Time> {
        self.peek().map(|entry| entry.at)
    }

    /// The live state, for views and health endpoints.
    pub fn observe(&self) -> Observation {
        observe::observe(&self.core, &self.nodes)
    }

    /// Takes the next event off the calendar and moves time to it. None: the run is over.
    pub fn step(&mut self) -> Option<Time> {
        self.forget_steps();
        self.step_on()
    }

    /// Makes up to so many steps in one go, fewer if one of them ends a second; false: the run is over.
    pub fn make_steps(&mut self, steps_max: u64) -> bool {
        self.forget_steps();
        for _ in 0..steps_max {
            if self.step_on().is_none() {
                return false;
            }
            if !self.core.closed_seconds.is_empty() {
                break;
            }
        }
        true
    }

    /// Forgets what came of the latest steps, but for the last one: a clone need not carry it.
    pub fn keep_last_step(&mut self) {
        let kept = self.emitted().len();
        self.core.emitted.drain(..self.core.emitted.len() - kept);
        self.step_ends.clear();
        self.step_ends.push(kept as u32);
    }

    fn forget_steps(&mut self) {
        self.core.emitted.clear();
        self.core.closed_seconds.clear();
        self.step_ends.clear();
    }

    #[inline]
    fn step_on(&mut self) -> Option<Time> {
        let Core { calendar, stays, shared, .. } = &mut self.core;
        let entry = calendar.pop(self.end, |entry| Core::is_alive(stays, shared, entry))?;
        self.begin_step(entry.at);
        self.happen(entry.event);
        self.end_step();
        Some(entry.at)
    }

    /// Puts an input in: it takes effect at `at`, or now if that is past. What comes back is what a replay needs.
    pub fn input(&mut self, at: Time, input: Input) -> LoggedInput {
        let logged = LoggedInput { at: at.max(self.core.now), step: self.steps, input };
        self.forget_steps();
        self.begin_step(logged.at);
        match logged.input.clone() {
            Input::Arrival { route, key, credential } => self.arrive_from_outside(route, key, credential),
            Input::Reply { call, result } => {
                if let Some(index) = self.core.open_calls.iter().position(|(open, _)| *open == call) {
                    let (_, stay) = self.core.open_calls.swap_remove(index);
                    // A call that was withdrawn meanwhile has left its connection already.
                    if self.core.stays.is_live(stay) {
                        self.answered(stay.slot, result);
                    }
                }
            }
            Input::Disconnect { request } => {
                self.core.record(self.first_client().0, request, What::Disconnected, None, None);
            }
            Input::Resolve { incident } => {
                for (index, node) in self.nodes.iter_mut().enumerate() {
                    if let Node::Monitor(monitor) = node {
                        monitor.resolve(&mut Ctx { core: &mut self.core, node: NodeId(index as u16) }, incident);
                    }
                }
            }
        }
        self.end_step();
        logged
    }

    fn begin_step(&mut self, at: Time) {
        assert!(at >= self.core.now, "time never goes back");
        while at >= self.second_ends {
            self.close_second();
        }
        self.core.now = at;
        self.steps += 1;
    }

    #[cold]
    fn close_second(&mut self) {
        for levels in &mut self.core.levels {
            self.core.closed_seconds.push(levels.close(self.second_ends));
        }
        let recent = &mut self.core.recent;
        recent.ended = [0, recent.ended[0]];
        recent.failed = [0, recent.failed[0]];
        self.second_ends += SECOND;
    }

    /// What takes no time belongs to the step that it follows from.
    #[inline]
    fn end_step(&mut self) {
        while let Some(event) = self.core.at_once.pop_front() {
            self.happen(event);
        }
        self.step_ends.push(self.core.emitted.len() as u32);
    }

    /// What every request consists of; the rest has a function of its own, so that this one stays small.
    #[inline]
    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(slot) => self.handle(self.core.stays[slot].node, Happening::Arrived(slot)),
            Event::Worked(slot) => self.handle(self.core.stays[slot].node, Happening::Worked(slot)),
            Event::Reply(slot) => self.reply(slot),
            Event::Arrival { workload } => {
                let client = self.core.plan.workloads[workload as usize].client;
                self.handle(client, Happening::Intended { workload });
            }
            rare => self.happen_rarely(rare),
        }
    }

    /// One event, one arm.
    #[cold]
    fn happen_rarely(&mut self, event: Event) {
        match event {
            Event::Timeout(slot) => {
                let (node, mut ctx) = self.door(self.core.stays[slot].node);
                node.on_timeout(&mut ctx, slot);
            }
            Event::Retry(slot) => {
                let (node, mut ctx) = self.door(self.core.stays[slot].node);
                node.on_retry(&mut ctx, slot);
            }
            Event::Hedge(slot) => {
                let (node, mut ctx) = self.door(self.core.stays[slot].node);
                node.on_hedge(&mut ctx, slot);
            }
            Event::Connected(slot) => {
                let (node, mut ctx) = self.door(self.core.stays[slot].from);
                node.on_connected(&mut ctx, slot);
            }
            Event::ArriveKept(slot) => {
                let (_, mut ctx) = self.door(self.core.stays[slot].node);
                if !ctx.arrives_too_late(slot) {
                    self.happen(Event::Arrive(slot));
                }
            }
            Event::TransferOver(slot) => {
                let Stay { node, from, reply, .. } = self.core.stays[slot];
                let (_, mut ctx) = self.door(if reply.is_some() { node } else { from });
                let event = ctx.end_transfer(slot);
                self.happen(event);
            }
            Event::IdleConnections { node, call } => {
                let (node, mut ctx) = self.door(node);
                node.callers_mut()[call as usize].on_idle_connections(&mut ctx);
            }
            Event::Patience(slot) => self.handle(self.core.stays[slot].node, Happening::LostPatience(slot)),
            Event::Paused(slot) => self.handle(self.core.stays[slot].node, Happening::Paused(slot)),
            // The slot may be another call's by now.
            Event::Withdraw(slot) if self.core.stays[slot].withdrawn == self.core.now => {
                let (node, mut ctx) = self.door(self.core.stays[slot].node);
                node.withdraw(&mut ctx, slot);
            }
            Event::Withdraw(_) => {}
            Event::Shared(node) => self.handle(node, Happening::Shared),
            Event::Chance(node) => self.handle(node, Happening::Chance),
            Event::Quota(node) => self.handle(node, Happening::QuotaTurns),
            Event::BatchDue(node) => self.handle(node, Happening::BatchDue),
            Event::Iteration(node) => self.handle(node, Happening::IterationOver),
            Event::Audit(audit) => self.audit(audit),
            Event::Probe { node, call } => self.handle(node, Happening::ProbeDue { call }),
            Event::Sweep { node, call } => {
                let (node, mut ctx) = self.door(node);
                node.on_sweep(&mut ctx, call);
            }
            Event::Fault { fault, begins } => self.fault(fault, begins),
            Event::End => {}
            Event::Arrive(_) | Event::Worked(_) | Event::Reply(_) | Event::Arrival { .. } => self.happen(event),
            rare => self.live(rare),
        }
    }

    /// What happens to instances.
    #[cold]
    fn live(&mut self, event: Event) {
        match event {
            Event::Life(node) => self.on_life(node),
            Event::OutOfMemory(node) => self.out_of_memory(node),
            Event::Recycle(node) => self.recycle(node),
            Event::Unresponsive { node, because } => self.restart_unresponsive(node, because),
            Event::Wake(node) => self.wake(node),
            Event::Listed { node, listed } => self.on_listed(node, listed),
            Event::Rollout(rollout) => self.on_rollout(rollout),
            Event::Canary(rollout) => self.on_canary(rollout),
            Event::Undo(rollout) => self.undo(rollout, None),
            Event::Scale { fleet, step } => self.on_scale(fleet, step),
            Event::Autoscale(fleet) => self.on_autoscale(fleet),
            _ => unreachable!("everything else has an arm of its own"),
        }
    }

    fn door(&mut self, node: NodeId) -> (&mut Node, Ctx<'_>) {
        (&mut self.nodes[node.index()], Ctx { core: &mut self.core, node })
    }

    #[inline]
    fn handle(&mut self, node: NodeId, happening: Happening) {
        let (node, mut ctx) = self.door(node);
        node.handle(happening, &mut ctx);
    }

    fn answered(&mut self, slot: Slot, result: CallResult) {
        let (node, mut ctx) = self.door(self.core.stays[slot].node);
        node.on_answered(&mut ctx, slot, result);
    }

    /// An answer arrives: at a caller that waits for it, or at nobody.
    #[inline(never)]
    fn reply(&mut self, child: Slot) {
        let callee = self.core.stays[child].node;
        match self.core.stays.who_awaits(child) {
            Some(parent) => {
                let (node, mut ctx) = self.door(self.core.stays[parent].node);
                node.on_reply(&mut ctx, parent, child);
            }
            None => self.come_late(callee, child),
        }
    }

    #[cold]
    fn come_late(&mut self, callee: NodeId, child: Slot) {
        let (node, mut ctx) = self.door(callee);
        ctx.note(child, What::CameLate);
        node.on_late(&mut ctx, child);
    }

    fn arrive_from_outside(&mut self, route: RouteId, key: u32, credential: Credential) {
        self.core.requests += 1;
        let request = RequestId(self.core.requests);
        let (client, target) = self.first_client();
        let (user, times) = match credential {
            Credential::Signed { user, nbf, exp } => (user, Some((nbf, exp))),
            Credential::Invalid => (0, None),
        };
        let (node, mut ctx) = self.door(client);
        let Node::Client(node) = node else { unreachable!("a workload's client is a client") };
        node.send(&mut ctx, request, Origin::Outside(times), What::Intended { route, key, user }, target);
    }

    fn first_client(&self) -> (NodeId, usize) {
        let workload = &self.core.plan.workloads[0];
        (workload.client, workload.target)
    }

    #[cold]
    fn fault(&mut self, fault: u16, begins: bool) {
        let plan = self.core.plan.clone();
        let planned = &plan.faults[fault as usize];
        let what = if begins { What::FaultBegan { fault } } else { What::FaultEnded { fault } };
        let began = self.core.active_faults.iter().find(|(active, _)| *active == fault).map(|(_, seq)| *seq);
        let seq = self.core.record(planned.nodes[0], RequestId::NONE, what, began, None);
        match begins {
            true => self.core.active_faults.push((fault, seq)),
            false => self.core.active_faults.retain(|(active, _)| *active != fault),
        }
        for node in &planned.nodes {
            if self.core.is_external(*node) {
                self.core.outputs.push(Output::Fault { node: *node, fault, begins });
            }
            self.rejudge(*node);
            match planned.effect {
                EffectSpec::Crash {} if begins => self.crash(*node, Some(seq)),
                EffectSpec::Crash {} => self.recover(*node, seq),
                EffectSpec::HalfOpen { .. } if begins => self.forget_connections(&planned.callers, *node, seq),
                _ => {}
            }
        }
    }

    /// The connections that these callers have with an instance are dead from now on.
    fn forget_connections(&mut self, callers: &[NodeId], instance: NodeId, because: Seq) {
        for caller in callers {
            let calls = &self.core.plan.nodes[caller.index()].calls;
            for (caller, planned) in self.nodes[caller.index()].callers_mut().iter_mut().zip(calls) {
                if let Some(place) = planned.targets.iter().position(|target| *target == instance) {
                    caller.on_forgotten(place, because);
                }
            }
        }
    }

    /// Counts the rows that break a rule, and observes by how many more or fewer they are than the last time.
    #[cold]
    fn audit(&mut self, audit: u16) {
        let plan = self.core.plan.clone();
        let planned = &plan.audits[audit as usize];
        let Node::Database(database) = &self.nodes[planned.node.index()] else {
            unreachable!("an audit has a database")
        };
        let breaks = |(key, row): &(u64, &Row)| {
            let value_of = &mut |name: u16| match name {
                0 => *key as f64,
                1 => row.version as f64,
                column => row.fields[usize::from(column) - 2] as f64,
            };
            planned.breach.eval(value_of) != 0.0
        };
        let found = database.store().committed().rows(TableId(planned.table)).filter(breaks).count() as i64;
        let more = found - std::mem::replace(&mut self.core.breaches[audit as usize], found);
        if more != 0 {
            let what = What::Observed { signal: planned.signal, value: more as f64 };
            self.core.record(planned.node, RequestId::NONE, what, None, None);
        }
        self.core.calendar.schedule(self.core.now + AUDIT_EVERY, Event::Audit(audit));
    }

    fn peek(&mut self) -> Option<Entry> {
        let Core { calendar, stays, shared, .. } = &mut self.core;
        calendar.peek(|entry| Core::is_alive(stays, shared, entry))
    }

    /// What the next step will do, and why it is due.
    pub fn upcoming(&mut self) -> Option<Upcoming> {
        let entry = self.peek()?;
        if self.core.mount.is_none() && entry.at > self.core.plan.end {
            return None;
        }
        let stays = &self.core.stays;
        let of_caller =
            |slot: Slot| stays[slot].parent.filter(|parent| stays.is_live(*parent)).map(|p| stays[p.slot].node);
        let (node, request, reason) = match entry.event {
            Event::Arrival { workload } => {
                let client = self.core.plan.workloads[workload as usize].client;
                (client, RequestId(self.core.requests + 1), Reason::Sends)
            }
            Event::Connected(slot) => {
                (stays[slot].from, stays[slot].request, Reason::Connected { to: stays[slot].node })
            }
            Event::IdleConnections { node, .. } => (node, RequestId::NONE, Reason::IdleConnections),
            Event::TransferOver(slot) => (stays[slot].node, stays[slot].request, Reason::TransferOver),
            Event::Arrive(slot) | Event::ArriveKept(slot) => {
                let reason = Reason::CallArrives { from: of_caller(slot), attempt: stays[slot].attempt };
                (stays[slot].node, stays[slot].request, reason)
            }
            Event::Worked(slot) => (stays[slot].node, stays[slot].request, Reason::WorkDone),
            Event::Reply(slot) => {
                let from = stays[slot].node;
                let status = stays[slot].reply.map_or(0, |reply| reply.status.code());
                match of_caller(slot) {
                    Some(caller) => (caller, stays[slot].request, Reason::AnswerArrives { from, status }),
                    None => (from, stays[slot].request, Reason::LateAnswer { from }),
                }
            }
            Event::Timeout(slot) => {
                let stay = &stays[slot];
                let call = stay.call.as_ref().expect("a live timeout has a call");
                let planned = &self.core.plan.nodes[stay.node.index()].calls[call.call as usize];
                let reason =
                    Reason::TimesOut { to: planned.targets[call.instance as usize], after: entry.at.since(call.sent) };
                (stay.node, stay.request, reason)
            }
            Event::Retry(slot) => {
                let attempt = stays[slot].call.as_ref().map_or(1, |call| call.attempt + 1);
                (stays[slot].node, stays[slot].request, Reason::RetryDue { attempt })
            }
            Event::Hedge(slot) => (stays[slot].node, stays[slot].request, Reason::HedgeDue),
            Event::Patience(slot) => (stays[slot].node, stays[slot].request, Reason::LeavesLine),
            Event::Paused(slot) => (stays[slot].node, stays[slot].request, Reason::PauseOver),
            Event::Withdraw(slot) => (stays[slot].node, stays[slot].request, Reason::Withdrawn),
            Event::Shared(node) => (node, RequestId::NONE, Reason::WorkDone),
            Event::Chance(node) => (node, RequestId::NONE, Reason::Chance),
            Event::Quota(node) => (node, RequestId::NONE, Reason::QuotaTurns),
            Event::BatchDue(node) => (node, RequestId::NONE, Reason::BatchDue),
            Event::Iteration(node) => (node, RequestId::NONE, Reason::IterationOver),
            Event::Audit(audit) => (self.core.plan.audits[audit as usize].node, RequestId::NONE, Reason::Audit),
            Event::Probe { node, .. } => (node, RequestId::NONE, Reason::ProbeDue),
            Event::Sweep { node, .. } => (node, RequestId::NONE, Reason::Sweep),
            Event::Fault { fault, begins } => {
                let node = self.core.plan.faults[fault as usize].nodes[0];
                let reason = if begins { Reason::FaultBegins { fault } } else { Reason::FaultEnds { fault } };
                (node, RequestId::NONE, reason)
            }
            Event::End => (NodeId(0), RequestId::NONE, Reason::RunEnds),
            Event::Life(node) | Event::OutOfMemory(node) | Event::Recycle(node) | Event::Wake(node) => {
                (node, RequestId::NONE, Reason::LifeGoesOn)
            }
            Event::Listed { node, .. } | Event::Unresponsive { node, .. } => {
                (node, RequestId::NONE, Reason::LifeGoesOn)
            }
            Event::Rollout(rollout) | Event::Canary(rollout) | Event::Undo(rollout) => {
                (self.core.plan.rollouts[usize::from(rollout)].nodes[0], RequestId::NONE, Reason::LifeGoesOn)
            }
            Event::Scale { fleet, .. } | Event::Autoscale(fleet) => {
                (self.core.plan.fleets[usize::from(fleet)].nodes[0], RequestId::NONE, Reason::LifeGoesOn)
            }
        };
        Some(Upcoming { at: entry.at, node, request, reason })
    }
}

/// Whether a node has a bounded number of workers or connections, and how many.
pub fn capacity(kind: &Kind) -> Option<u32> {
    match kind {
        Kind::Service(service) => {
            service.workers.or(service.continuous_batching.map(|batching| batching.max_sequences()))
        }
        Kind::Store(store) => Some(store.readers + 1),
        Kind::Database(database) => database.connections,
        _ => None,
    }
}
