//! The connections that a caller's calls go over: opened by a handshake, kept while idle, closed by one side or the other.
//!
//! A call has a connection for itself from when it is sent until its answer is here. What the callee closes its caller learns
//! only a way later; a call that sets out before that is answered with a reset. Left out: calls that share a connection
//! (HTTP/2), backlogs of connections that nobody has accepted, probes of idle connections (TCP keep-alive).

use super::causes::Lead;
use super::ctx::Ctx;
use super::event::{Event, Slot};
use crate::blocks::Blocks;
use crate::ids::{NodeId, Seq};
use crate::rng::Purpose;
use crate::scenario::ConnectionsPlan;
use crate::time::{Span, Time};
use crate::trace::{Closing, Refusal, What};
use std::collections::{BTreeMap, BTreeSet};

/// What a call came over, for who gets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire {
    /// A connection that was opened for it: the callee has still to compute its part of the handshake.
    Opened(Span),
    /// One that was kept, and that the callee closes at this instant if it has not been used by then.
    Kept(Time),
    /// It broke.
    Broken,
}

/// How a call gets to its callee.
#[derive(Clone, Copy, Debug)]
pub enum Departure {
    /// Over a connection that is there.
    Kept(Time),
    /// Into a connection that is dead, for this reason.
    Dead(Seq),
    /// After a handshake of this length.
    Opened(Span),
}

/// A user of a client, or everybody at any other node, and the instance.
type Ends = (u32, u16);

/// All connections of a caller.
#[derive(Clone, Debug)]
pub struct Connections {
    plan: ConnectionsPlan,
    /// Whether each user has his own.
    by_user: bool,
    pools: BTreeMap<Ends, Pool>,
    /// Those that calls use, by the callee's stay.
    used: BTreeMap<Slot, Used>,
    /// When each idle one is closed, if it is not used before.
    closings: BTreeSet<(Time, Ends, u32)>,
    /// When these are looked at next.
    looks_at: Time,
    /// How many were opened.
    opened: u32,
}

/// The connections between two ends.
#[derive(Clone, Debug, Default)]
struct Pool {
    /// The one used last is the last.
    idle: Vec<Idle>,
    /// Open ones, idle or used.
    open: u32,
    /// When the ports of those that the caller closed are free again; `free` of them are by now.
    time_wait: Blocks<Time>,
    free: usize,
    /// The record of the last port being taken, while none is free.
    exhausted: Option<Seq>,
}

#[derive(Clone, Copy, Debug)]
struct Idle {
    number: u32,
    /// When it is too old for another call.
    retires: Time,
    /// When the callee closes it.
    closed_by_callee: Time,
    /// When the caller closes it, or learns that the callee has.
    ends: Time,
    why: Closing,
    /// Why nothing gets through it any more, which neither side knows.
    dead: Option<Seq>,
}

#[derive(Clone, Copy, Debug)]
struct Used {
    ends: Ends,
    number: u32,
    retires: Time,
    /// Whether its handshake is not over yet.
    opening: bool,
    /// Whether no other call goes over it.
    broken: bool,
    /// Why nothing gets through it any more, which neither side knows.
    dead: Option<Seq>,
    /// Whether the call or its answer was sent into it after that.
    vanished: bool,
}

impl Pool {
    /// Ports that are taken though their connections are closed.
    fn waiting(&mut self, now: Time) -> u32 {
        while self.time_wait.get(self.free).is_some_and(|until| *until <= now) {
            self.free += 1;
        }
        (self.time_wait.len() - self.free) as u32
    }
}

impl Connections {
    /// None is open.
    pub fn new(plan: &ConnectionsPlan, by_user: bool) -> Connections {
        Connections {
            plan: plan.clone(),
            by_user,
            pools: BTreeMap::new(),
            used: BTreeMap::new(),
            closings: BTreeSet::new(),
            looks_at: Time::NEVER,
            opened: 0,
        }
    }

    fn ends(&self, ctx: &Ctx, slot: Slot, instance: u16) -> Ends {
        (if self.by_user { ctx.stay(slot).user } else { 0 }, instance)
    }

    /// The record of the last port being taken, if a call of this stay needs one.
    pub fn lacks_port(&mut self, ctx: &mut Ctx, slot: Slot, instance: u16, to: NodeId) -> Option<Seq> {
        let (now, ports) = (ctx.now(), self.plan.ports?);
        let ends = self.ends(ctx, slot, instance);
        let pool = self.pools.entry(ends).or_default();
        let time_wait = pool.waiting(now);
        if pool.idle.iter().any(|idle| idle.ends > now) || pool.open + time_wait < ports {
            pool.exhausted = None;
            return None;
        }
        Some(*pool.exhausted.get_or_insert_with(|| {
            let calls = self.used.iter().filter(|(_, used)| used.ends == ends).map(|(child, _)| *child);
            let comes = Some(Lead::of(ctx.stay(slot))).filter(|lead| lead.troubled);
            let cause = ctx.trouble_of(calls).or(comes).map(|lead| lead.seq);
            ctx.note_own(What::PortsExhausted { to, time_wait }, cause)
        }))
    }

    /// A call goes over the connection that was used last, or over a new one. `child` is the callee's stay.
    pub fn take(&mut self, ctx: &mut Ctx, child: Slot, instance: u16, to: NodeId) -> Departure {
        let now = ctx.now();
        let ends = self.ends(ctx, child, instance);
        let pool = self.pools.entry(ends).or_default();
        if let Some(place) = pool.idle.iter().rposition(|idle| idle.ends > now) {
            let Idle { number, retires, closed_by_callee, ends: closes, dead, .. } = pool.idle.remove(place);
            self.closings.remove(&(closes, ends, number));
            self.used.insert(
                child,
                Used { ends, number, retires, opening: false, broken: false, dead, vanished: dead.is_some() },
            );
            return dead.map_or(Departure::Kept(closed_by_callee), Departure::Dead);
        }
        pool.open += 1;
        self.opened += 1;
        let mut luck = ctx.draw(child, Purpose::Handshake);
        let [callers, callees] =
            self.plan.computing.each_ref().map(|dist| dist.as_ref().map_or(Span::ZERO, |dist| dist.sample(&mut luck)));
        let retires = self
            .plan
            .max_age
            .map_or(Time::NEVER, |(age, jitter)| now + age.scaled(1.0 + jitter * (2.0 * luck.uniform() - 1.0)));
        let mut takes = callers.scaled(ctx.condition().slow_factor);
        for _ in 0..self.plan.round_trips {
            for (from, to) in [(ctx.node, to), (to, ctx.node)] {
                let message = ctx.message(from, to, now + takes, &mut luck);
                ctx.note_losses(child, message);
                takes += message.span;
            }
        }
        self.used.insert(
            child,
            Used { ends, number: self.opened, retires, opening: true, broken: false, dead: None, vanished: false },
        );
        ctx.core.stays.belongings_mut(child).wire = Some(Wire::Opened(callees));
        Departure::Opened(takes)
    }

    /// The handshake before a call is over.
    pub fn on_opened(&mut self, child: Slot) {
        self.used.get_mut(&child).expect("a call that is connected uses its connection").opening = false;
    }

    /// A call has its answer: its connection waits for the next one, unless it is over.
    pub fn give_back(&mut self, ctx: &mut Ctx, child: Slot, to: NodeId, wire: Option<Wire>) {
        let Some(Used { ends, number, retires, broken, .. }) = self.used.remove(&child) else { return };
        let now = ctx.now();
        let broken = broken || wire == Some(Wire::Broken);
        let pool = self.pools.get_mut(&ends).expect("a used connection has a pool");
        let surplus = self.plan.max_idle.is_some_and(|most| pool.idle.len() as u32 >= most);
        let over = match () {
            () if broken => Some(Closing::Broken),
            () if retires <= now => Some(Closing::Age),
            () if surplus => Some(Closing::Surplus),
            () => None,
        };
        if let Some(why) = over {
            return self.close(ctx, ends, to, why, None);
        }
        let way = ctx.delay(ctx.node, to);
        let closed_by_callee = self.plan.keep_alive_timeout.map_or(Time::NEVER, |idle| now + idle - way);
        let idle_until = self.plan.idle_timeout.map_or(Time::NEVER, |idle| now + idle);
        let noticed =
            if closed_by_callee == Time::NEVER { Time::NEVER } else { closed_by_callee + way + self.plan.notice };
        let (closes, why) = [(retires, Closing::Age), (idle_until, Closing::Idle), (noticed, Closing::KeepAlive)]
            .into_iter()
            .min_by_key(|(at, _)| *at)
            .expect("there are three");
        pool.idle.push(Idle { number, retires, closed_by_callee, ends: closes, why, dead: None });
        if closes != Time::NEVER {
            self.closings.insert((closes, ends, number));
        }
    }

    /// A caller stopped waiting for a call, and closes its connection. Whether the callee may come to know of it.
    pub fn abandon(&mut self, ctx: &mut Ctx, child: Slot, to: NodeId, because: Seq) -> bool {
        let Some(Used { ends, opening, dead, vanished, .. }) = self.used.remove(&child) else { return true };
        self.close(ctx, ends, to, Closing::Abandoned, Some(because));
        if vanished {
            ctx.core.stays.remove(child);
        }
        !opening && dead.is_none()
    }

    /// Connections with an instance are dead from now on, and neither side is told.
    pub fn on_forgotten(&mut self, instance: u16, because: Seq) {
        let used = self.used.values_mut().filter(|used| used.ends.1 == instance && !used.opening);
        used.for_each(|used| used.dead = Some(because));
        let pools = self.pools.iter_mut().filter(|(ends, _)| ends.1 == instance);
        pools.flat_map(|(_, pool)| &mut pool.idle).for_each(|idle| idle.dead = Some(because));
    }

    /// Why the answer to a call does not arrive, if it does not.
    pub fn swallows(&mut self, child: Slot) -> Option<Seq> {
        let used = self.used.get_mut(&child)?;
        used.vanished = used.dead.is_some();
        used.dead
    }

    /// The process of an instance died, and all connections with it.
    pub fn on_death(&mut self, ctx: &mut Ctx, instance: u16, to: NodeId, because: Seq) {
        self.used.values_mut().filter(|used| used.ends.1 == instance).for_each(|used| used.broken = true);
        let of_instance: Vec<Ends> = self.pools.keys().copied().filter(|ends| ends.1 == instance).collect();
        for ends in of_instance {
            for idle in std::mem::take(&mut self.pools.get_mut(&ends).expect("it is there").idle) {
                self.closings.remove(&(idle.ends, ends, idle.number));
                self.close(ctx, ends, to, Closing::Broken, Some(because));
            }
        }
    }

    /// Idle connections may be over.
    pub fn on_look(&mut self, ctx: &mut Ctx, targets: &[NodeId]) {
        let now = ctx.now();
        if self.looks_at != now {
            return;
        }
        self.looks_at = Time::NEVER;
        while let Some((_, ends, number)) = self.closings.first().copied().filter(|(at, ..)| *at <= now) {
            self.closings.pop_first();
            let pool = self.pools.get_mut(&ends).expect("an idle connection has a pool");
            let place = pool.idle.iter().position(|idle| idle.number == number).expect("it is idle");
            let idle = pool.idle.remove(place);
            self.close(ctx, ends, targets[usize::from(ends.1)], idle.why, None);
        }
    }

    /// When idle connections are to be looked at, if not at an instant that is known.
    pub fn next_look(&mut self) -> Option<Time> {
        let (first, ..) = *self.closings.first()?;
        (first < self.looks_at).then(|| {
            self.looks_at = first;
            first
        })
    }

    fn close(&mut self, ctx: &mut Ctx, ends: Ends, to: NodeId, why: Closing, because: Option<Seq>) {
        let now = ctx.now();
        let pool = self.pools.get_mut(&ends).expect("a connection has a pool");
        pool.open -= 1;
        // Whoever closes first keeps the port for a while.
        if self.plan.ports.is_some() && !matches!(why, Closing::KeepAlive | Closing::Broken) {
            pool.time_wait.push(now + self.plan.time_wait);
        }
        let time_wait = pool.waiting(now);
        ctx.note_own(What::ConnectionClosed { to, why, time_wait }, because);
    }
}

impl Ctx<'_> {
    /// The handshake before a call is over: the call sets out.
    pub fn connected(&mut self, child: Slot, to: NodeId) {
        let took = self.core.now.since(self.stay(child).since);
        self.note(child, What::ConnectionOpened { to, took });
        self.set_out(child, to, self.delay(self.node, to), Event::Arrive(child));
    }

    /// A call that came over a kept connection arrives: at a callee that may have closed it.
    pub fn arrives_too_late(&mut self, slot: Slot) -> bool {
        let wire = self.core.stays.belongings(slot).and_then(|belongings| belongings.wire);
        let too_late = matches!(wire, Some(Wire::Kept(until)) if until <= self.core.now);
        if too_late {
            self.arrive(slot);
            self.core.stays.belongings_mut(slot).wire = Some(Wire::Broken);
            self.refuse(slot, Refusal::ConnectionReset, None, None);
        }
        too_late
    }

    /// What the callee has still to compute of the handshake before this call, if there was one.
    pub fn handshake(&self, slot: Slot) -> Option<Span> {
        match self.core.stays.belongings(slot)?.wire {
            Some(Wire::Opened(computing)) if computing > Span::ZERO => {
                Some(computing.scaled(self.condition().slow_factor))
            }
            _ => None,
        }
    }
}
