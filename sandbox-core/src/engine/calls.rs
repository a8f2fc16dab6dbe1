//! The caller's side of a call: instance, breaker, timeout, retry, hedging. One [`Caller`] for each entry of a node's `calls`.

use super::connections::{Connections, Departure, Wire};
use super::ctx::Ctx;
use super::event::{Event, Slot};
use super::stay::{Ask, CallEnd, Errand, NO_TIMER, OpenCall, Origin, Reply, StayId};
use crate::ids::{NodeId, RequestId, Seq};
use crate::policy::balancer::{Balancer, Facts};
use crate::policy::circuit_breaker::{BreakerState, CallOutcome, CircuitBreaker, Permit, Transition};
use crate::policy::client_throttle::ClientThrottle;
use crate::policy::deadline::Cancel;
use crate::policy::health_check::{HealthCheck, HealthTransition};
use crate::policy::hedging::{CopyAnswer, HedgeDecision, Hedging};
use crate::policy::outlier_detection::OutlierDetection;
use crate::policy::retry::{FailedAttempt, FailureKind, GiveUp, Pushback, Retry, RetryDecision};
use crate::policy::{Denial, DenyReason};
use crate::rng::{Purpose, Stream};
use crate::scenario::{CallPlan, Kind, NodePlan, RetryPlan, StickyPlan};
use crate::time::{Span, Time};
use crate::trace::{AttemptEnd, Refusal, Status, What};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything a node keeps for calling one other.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Position in the node's calls.
    call: u16,
    plan: Arc<CallPlan>,
    /// With the record of its latest change.
    breaker: Option<(CircuitBreaker, Seq)>,
    retry: Option<Retry>,
    throttle: Option<ClientThrottle>,
    balancer: Balancer,
    /// Calls under way, by instance.
    active: Vec<u32>,
    healthy: Vec<bool>,
    /// With whom each user stays, and how long.
    sticky: BTreeMap<u32, (u16, Time)>,
    /// Who is on the list of instances; none: all, and nobody ever left it.
    listing: Option<Listing>,
    /// With the record of the latest change.
    outliers: Option<(OutlierDetection, Seq)>,
    /// With the record of each instance's latest change.
    health: Option<Vec<(HealthCheck, Seq)>>,
    /// The connections that its calls go over; none: these cost nothing and never run out.
    connections: Option<Box<Connections>>,
    /// The hedged calls under way, by the stay that waits.
    hedged: BTreeMap<Slot, Hedged>,
    luck: Stream,
}

/// Changes of the list of instances.
#[derive(Clone, Debug, Default)]
struct Listing {
    /// Who is not on it.
    unlisted: Vec<u16>,
    /// Who is new on it, and since when.
    fresh: Vec<(u16, Time)>,
    /// The record of the latest change.
    because: Option<Seq>,
}

/// What an instance that is new on the list gets of its share at first.
const FIRST_SHARE: f64 = 0.05;

/// A call with several copies under way.
#[derive(Clone, Debug)]
struct Hedged {
    policy: Hedging,
    /// The copies under way, with their numbers.
    copies: Vec<(u32, StayId)>,
    /// The instances they went to, one bit each.
    tried: u64,
}

/// A call that is over, and the stay that it is over for.
pub type Over = Option<(Slot, CallEnd)>;

impl Caller {
    /// The caller's side of one of a node's calls. `bare`: without any policy, for the client of a mounted world, which
    /// is a real one and has its own.
    pub fn new(seed: u64, node: &NodePlan, call: u16, bare: bool) -> Caller {
        let planned = &node.calls[call as usize];
        let plan = match bare {
            true => Arc::new(planned.without_policies()),
            false => Arc::new(planned.clone()),
        };
        let instances = plan.targets.len();
        Caller {
            call,
            breaker: plan.breaker.map(|config| (CircuitBreaker::new(config), Seq::new(0))),
            retry: plan.retry.as_ref().map(|retry| Retry::new(retry.config, retry.budget)),
            throttle: plan.throttle.map(ClientThrottle::new),
            balancer: Balancer::new(plan.balancer.clone(), instances as u16),
            active: vec![0; instances],
            healthy: vec![true; instances],
            sticky: BTreeMap::new(),
            listing: None,
            outliers: plan.outliers.map(|config| (OutlierDetection::new(config, instances as u32), Seq::new(0))),
            health: plan.health_check.map(|config| vec![(HealthCheck::new(config), Seq::new(0)); instances]),
            connections: plan
                .connections
                .as_ref()
                .map(|connections| Box::new(Connections::new(connections, matches!(node.kind, Kind::Client(_))))),
            hedged: BTreeMap::new(),
            luck: Stream::new(seed, node.hash ^ u64::from(call), Purpose::Balance),
            plan,
        }
    }

    /// The state of the circuit breaker.
    pub fn breaker(&self) -> Option<BreakerState> {
        self.breaker.as_ref().map(|(breaker, _)| breaker.state())
    }

    /// What a callee learns of a caller that has gone.
    pub fn cancel(&self) -> Cancel {
        self.plan.cancel
    }

    /// The instances that are left out.
    pub fn ejected<'a>(&'a self, plan: &'a CallPlan) -> impl Iterator<Item = NodeId> + 'a {
        plan.targets.iter().zip(&self.healthy).filter(|(_, healthy)| !**healthy).map(|(node, _)| *node)
    }

    /// The list of instances changed.
    #[cold]
    pub fn list(&mut self, now: Time, instance: usize, listed: bool, because: Option<Seq>) {
        let Listing { unlisted, fresh, because: changed } = self.listing.get_or_insert_default();
        unlisted.retain(|other| usize::from(*other) != instance);
        fresh.retain(|(other, _)| usize::from(*other) != instance);
        match listed {
            true => fresh.push((instance as u16, now)),
            false => unlisted.push(instance as u16),
        }
        *changed = because;
        self.healthy[instance] = listed && self.is_trusted(instance);
    }

    fn is_listed(&self, instance: usize) -> bool {
        self.listing.as_ref().is_none_or(|listing| !listing.unlisted.contains(&(instance as u16)))
    }

    /// The chosen instance, or another one if this one is new on the list and does not get its whole share yet.
    #[cold]
    fn spare_the_new(&mut self, now: Time, key: u64, chosen: u16) -> Option<u16> {
        let (Some(lasts), Some(listing)) = (self.plan.slow_start, &self.listing) else { return Some(chosen) };
        let Some((_, since)) = listing.fresh.iter().find(|(fresh, _)| *fresh == chosen) else { return Some(chosen) };
        let share = (now.since(*since).as_seconds() / lasts.as_seconds()).max(FIRST_SHARE);
        let luck = &mut self.luck;
        if share >= 1.0 || luck.uniform() < share {
            return Some(chosen);
        }
        let mut others = self.healthy.clone();
        others[usize::from(chosen)] = false;
        let facts = Facts { now, key, active: &self.active, healthy: &others };
        self.balancer.decide(facts, &mut |bound| luck.below(bound)).or(Some(chosen))
    }

    /// Whether neither probes nor answers speak against an instance.
    fn is_trusted(&self, instance: usize) -> bool {
        self.health.as_ref().is_none_or(|health| health[instance].0.healthy())
            && self.outliers.as_ref().is_none_or(|(outliers, _)| outliers.in_service(instance as u32))
    }

    /// Begins a call on behalf of a stay. `Some`: it is over already.
    pub fn begin(&mut self, ctx: &mut Ctx, slot: Slot, errand: Errand) -> Over {
        self.begin_after(ctx, slot, errand, 0)
    }

    /// Begins a call that was made `before` times without success. `Some`: it is over already.
    pub fn begin_after(&mut self, ctx: &mut Ctx, slot: Slot, errand: Errand, before: u8) -> Over {
        let now = ctx.now();
        if let Some(retry) = &mut self.retry {
            retry.on_request(now);
        }
        let patience = self.plan.deadline.map_or(Time::NEVER, |deadline| now + deadline);
        let inherited = if self.plan.propagate { ctx.stay(slot).deadline } else { Time::NEVER };
        ctx.stay_mut(slot).call = Some(OpenCall { attempt: before, ..self.open(errand, now, patience.min(inherited)) });
        match self.plan.hedge {
            Some(hedge) => {
                let policy = Hedging::new(hedge, now);
                self.hedged.insert(slot, Hedged { policy, copies: Vec::new(), tried: 0 });
                self.send_copies(ctx, slot)
            }
            None => self.attempt(ctx, slot),
        }
    }

    fn open(&self, errand: Errand, now: Time, give_up_at: Time) -> OpenCall {
        OpenCall {
            call: self.call,
            errand,
            attempt: 0,
            instance: 0,
            child: None,
            timer: NO_TIMER,
            sent: now,
            permit: None,
            delay: Span::ZERO,
            give_up_at,
            tried: 0,
            failed: None,
        }
    }

    /// Nothing has been sent yet, or the back-off is over.
    #[inline(never)]
    pub fn on_retry(&mut self, ctx: &mut Ctx, slot: Slot) -> Over {
        self.attempt(ctx, slot)
    }

    #[inline]
    fn attempt(&mut self, ctx: &mut Ctx, slot: Slot) -> Over {
        let now = ctx.now();
        if let Some(throttle) = &mut self.throttle
            && throttle.decide(now, self.luck.uniform()).is_err()
        {
            let cause = Some(ctx.stay(slot).last);
            return self.hold_back(ctx, slot, Refusal::Throttled, cause, None);
        }
        let mut permit = None;
        if let Some((breaker, changed)) = &mut self.breaker {
            let (decision, transition) = breaker.decide(now);
            if let Some(transition) = transition {
                *changed = note_transition(ctx, slot, self.call, transition, breaker.state(), *changed);
            }
            match decision {
                Ok(granted) => permit = Some(granted),
                Err(Denial { reason, retry_at }) => {
                    let refusal = match reason {
                        DenyReason::BreakerHalfOpen => Refusal::BreakerHalfOpen,
                        _ => Refusal::BreakerOpen,
                    };
                    let because = Some(*changed);
                    return self.hold_back(ctx, slot, refusal, because, retry_at);
                }
            }
        }
        let chosen = match self.plan.sticky {
            Some(sticky) => self.stay_with(ctx, slot, sticky),
            None => self.choose(ctx, slot),
        };
        let Some(instance) = chosen else {
            let checked = self.health.iter().flatten().map(|(_, changed)| *changed);
            let ejected = checked.chain(self.outliers.iter().map(|(_, changed)| *changed)).max();
            let ejected = self.listing.as_ref().and_then(|listing| listing.because).max(ejected);
            return self.hold_back(ctx, slot, Refusal::NoInstance, ejected, None);
        };
        if let Some(connections) = &mut self.connections
            && let Some(because) = connections.lacks_port(ctx, slot, instance, self.plan.targets[instance as usize])
        {
            return self.fail_to_connect(ctx, slot, permit, because);
        }
        self.active[instance as usize] += 1;
        self.send(ctx, slot, instance, permit, self.plan.timeout);
        None
    }

    /// Nothing is sent.
    #[cold]
    fn hold_back(
        &mut self,
        ctx: &mut Ctx,
        slot: Slot,
        refusal: Refusal,
        cause: Option<Seq>,
        retry_at: Option<Time>,
    ) -> Over {
        ctx.note_because(slot, What::Refused { refusal }, cause);
        self.settle(ctx, slot, CallEnd::Refused { refusal, retry_at: retry_at.unwrap_or(Time::NEVER) })
    }

    /// There is no port for another connection. Unlike what a policy holds back, this is an attempt that failed.
    #[cold]
    fn fail_to_connect(&mut self, ctx: &mut Ctx, slot: Slot, permit: Option<Permit>, because: Seq) -> Over {
        let now = ctx.now();
        let refusal = Refusal::NoPort;
        ctx.note_because(slot, What::Refused { refusal }, Some(because));
        let open = ctx.stay_mut(slot).call.as_mut().expect("a call is open");
        (open.attempt, open.permit, open.sent) = (open.attempt.saturating_add(1), permit, now);
        self.tell_breaker(ctx, slot, CallOutcome::Failure);
        let end = CallEnd::Refused { refusal, retry_at: Time::NEVER };
        match self.plan.retry.as_ref().is_some_and(|retry| retry.on.unavailable) {
            true => self.fail(ctx, slot, end),
            false => {
                self.end_attempts(ctx, slot, false);
                self.settle(ctx, slot, end)
            }
        }
    }

    /// The instance that the user stays with, or one that he is to stay with from now on.
    #[cold]
    fn stay_with(&mut self, ctx: &Ctx, slot: Slot, sticky: StickyPlan) -> Option<u16> {
        let (now, user) = (ctx.now(), ctx.stay(slot).user);
        let known = self.sticky.get(&user).copied();
        if let Some((instance, until)) = known
            && now < until
            && (sticky.blindly || self.healthy[usize::from(instance)])
        {
            return Some(instance);
        }
        let instance = self.choose(ctx, slot)?;
        let mut luck = ctx.draw(slot, Purpose::Sticky);
        let until = sticky.lasts.map_or(Time::NEVER, |lasts| {
            let spread = 1.0 + sticky.jitter * (2.0 * luck.uniform() - 1.0);
            // The first time began before the run did.
            let left = if known.is_none() { luck.uniform() } else { 1.0 };
            now + lasts.scaled(spread * left)
        });
        self.sticky.insert(user, (instance, until));
        Some(instance)
    }

    /// The instance for the next attempt; there is nothing to choose where there is only one.
    #[inline]
    fn choose(&mut self, ctx: &Ctx, slot: Slot) -> Option<u16> {
        match self.healthy[..] {
            [healthy] => healthy.then_some(0),
            _ => self.balance(ctx, slot),
        }
    }

    fn balance(&mut self, ctx: &Ctx, slot: Slot) -> Option<u16> {
        let tried = self.avoided(ctx, slot);
        let luck = &mut self.luck;
        let key = u64::from(ctx.stay(slot).key);
        let facts = Facts { now: ctx.now(), key, active: &self.active, healthy: &self.healthy };
        if tried == 0 {
            let chosen = self.balancer.decide(facts, &mut |bound| luck.below(bound));
            return match self.plan.slow_start {
                Some(_) => self.spare_the_new(ctx.now(), key, chosen?),
                None => chosen,
            };
        }
        let is_new = |instance: usize| instance >= 64 || tried >> instance & 1 == 0;
        let fresh: Vec<bool> = self.healthy.iter().enumerate().map(|(i, healthy)| *healthy && is_new(i)).collect();
        let candidates = if fresh.contains(&true) { &fresh } else { &self.healthy };
        self.balancer.decide(Facts { healthy: candidates, ..facts }, &mut |bound| luck.below(bound))
    }

    /// The instances that the next attempt stays away from while there are others, one bit each.
    fn avoided(&self, ctx: &Ctx, slot: Slot) -> u64 {
        let stay = ctx.stay(slot);
        match (&self.plan.hedge, &self.plan.retry) {
            (Some(hedge), _) if hedge.params().distinct_target => {
                let whole = stay.parent.expect("a copy has a call it is a copy of");
                self.hedged.get(&whole.slot).map_or(0, |hedged| hedged.tried)
            }
            (None, Some(retry)) if retry.other_instance => stay.call.as_ref().map_or(0, |open| open.tried),
            _ => 0,
        }
    }

    #[inline(always)]
    fn send(&mut self, ctx: &mut Ctx, slot: Slot, instance: u16, permit: Option<Permit>, timeout: Option<Span>) {
        let now = ctx.now();
        let to = self.plan.targets[instance as usize];
        let stay = ctx.stay(slot);
        let OpenCall { errand, give_up_at, attempt, .. } = *stay.call.as_ref().expect("a call is open");
        let attempt = attempt.saturating_add(1);
        // The copies of a hedged call are its attempts.
        let nth = if stay.ask == Ask::Copy { stay.attempt } else { attempt };
        ctx.note(slot, What::Called { to, attempt: nth });
        let left = (give_up_at != Time::NEVER).then(|| give_up_at.since(now));
        let patience = match (timeout, left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (timeout, left) => timeout.or(left),
        };
        let deadline = match patience {
            Some(patience) if self.plan.propagate => now + patience,
            _ => Time::NEVER,
        };
        let child = if self.connections.is_some() && errand.ask != Ask::Probe {
            let child = ctx.visit(slot, to, errand, nth, true, deadline);
            self.set_out_over(ctx, child, to, instance);
            ctx.core.stays.id(child)
        } else {
            ctx.send(slot, to, errand, nth, true, deadline)
        };
        let timer = match patience {
            Some(patience) => ctx.core.calendar.schedule_after(now, patience, Event::Timeout(slot)),
            None => NO_TIMER,
        };
        let open = ctx.stay_mut(slot).call.as_mut().expect("a call is open");
        (open.attempt, open.instance, open.permit) = (attempt, instance, permit);
        (open.child, open.timer, open.sent) = (Some(child), timer, now);
        open.tried |= 1u64.checked_shl(u32::from(instance)).unwrap_or(0);
    }

    /// A call sets out over a connection: one that was kept, or a new one, after its handshake.
    #[cold]
    fn set_out_over(&mut self, ctx: &mut Ctx, child: Slot, to: NodeId, instance: u16) {
        let connections = self.connections.as_mut().expect("it has some");
        match connections.take(ctx, child, instance, to) {
            Departure::Kept(Time::NEVER) => {
                ctx.set_out(child, to, ctx.delay(ctx.node, to), Event::Arrive(child));
            }
            Departure::Kept(until) => {
                ctx.core.stays.belongings_mut(child).wire = Some(Wire::Kept(until));
                ctx.set_out(child, to, ctx.delay(ctx.node, to), Event::ArriveKept(child));
            }
            Departure::Dead(because) => drop(ctx.note_because(child, What::Vanished, Some(because))),
            Departure::Opened(takes) => ctx.after_the_way(takes, Event::Connected(child)),
        }
    }

    /// The handshake before a call is over.
    #[cold]
    pub fn on_connected(&mut self, ctx: &mut Ctx, slot: Slot, child: Slot) {
        let to = self.plan.targets[ctx.open_call(slot).instance as usize];
        self.connections.as_mut().expect("it has some").on_opened(child);
        ctx.connected(child, to);
    }

    /// Idle connections may be over.
    #[cold]
    pub fn on_idle_connections(&mut self, ctx: &mut Ctx) {
        if let Some(connections) = &mut self.connections {
            connections.on_look(ctx, &self.plan.targets);
        }
        self.schedule_look(ctx);
    }

    fn schedule_look(&mut self, ctx: &mut Ctx) {
        if let Some(at) = self.connections.as_mut().and_then(|connections| connections.next_look()) {
            let (node, call) = (ctx.node, self.call);
            ctx.core.calendar.schedule(at, Event::IdleConnections { node, call });
        }
    }

    /// The process of an instance died, and all connections with it.
    #[cold]
    pub fn on_death(&mut self, ctx: &mut Ctx, instance: usize, because: Seq) {
        if let Some(connections) = &mut self.connections {
            connections.on_death(ctx, instance as u16, self.plan.targets[instance], because);
        }
    }

    /// The connections with an instance are dead from now on, and neither side is told.
    #[cold]
    pub fn on_forgotten(&mut self, instance: usize, because: Seq) {
        if let Some(connections) = &mut self.connections {
            connections.on_forgotten(instance as u16, because);
        }
    }

    /// A call has its answer: its connection may serve another one.
    #[cold]
    fn keep_connection(&mut self, ctx: &mut Ctx, slot: Slot, child: Slot, wire: Option<Wire>) {
        let to = self.plan.targets[ctx.open_call(slot).instance as usize];
        self.connections.as_mut().expect("it has some").give_back(ctx, child, to, wire);
        self.schedule_look(ctx);
    }

    /// The awaited answer is here.
    pub fn on_reply(&mut self, ctx: &mut Ctx, slot: Slot, child: Slot) -> Over {
        if let Some(because) = self.connections.as_mut().and_then(|connections| connections.swallows(child)) {
            ctx.note_because(child, What::Vanished, Some(because));
            return None;
        }
        let stay = ctx.stay(child);
        let (reply, last) = (stay.reply.expect("an answer is on its way"), stay.last);
        ctx.core.stays.hand_found(child, slot);
        let wire = ctx.core.stays.belongings(child).and_then(|belongings| belongings.wire);
        ctx.core.stays.remove(child);
        ctx.stay_mut(slot).last = last;
        ctx.note(slot, What::Received { status: reply.status });
        if self.connections.is_some() {
            self.keep_connection(ctx, slot, child, wire);
        }
        let OpenCall { instance, sent, .. } = *ctx.open_call(slot);
        self.active[instance as usize] -= 1;
        let outcome = if reply.status.is_server_failure() { CallOutcome::Failure } else { CallOutcome::Success };
        if self.breaker.is_some() {
            self.tell_breaker(ctx, slot, outcome);
        }
        if self.outliers.is_some() {
            self.tell_outliers(ctx, slot, instance, outcome);
        }
        self.balancer.on_answer(ctx.now(), instance, ctx.now().since(sent));
        // Turned away for load is not accepted; any other answer is, whatever it says.
        if let Some(throttle) = &mut self.throttle
            && !matches!(reply.status, Status::Unavailable | Status::TooManyRequests)
        {
            throttle.on_accept(ctx.now());
        }
        match self.plan.retry.as_ref().is_some_and(|retry| retry.on.covers(reply.status)) {
            true => self.fail(ctx, slot, CallEnd::Replied(reply)),
            false => {
                self.end_attempts(ctx, slot, reply.status.is_success());
                self.settle(ctx, slot, CallEnd::Replied(reply))
            }
        }
    }

    /// The patience is over; whether the callee notices is up to the plan.
    pub fn on_timeout(&mut self, ctx: &mut Ctx, slot: Slot) -> Over {
        let OpenCall { instance, sent, child, .. } = *ctx.open_call(slot);
        let to = self.plan.targets[instance as usize];
        let after = ctx.now().since(sent);
        let child = child.filter(|child| ctx.core.stays.is_live(*child));
        let cause = child.map_or(ctx.stay(slot).last, |child| ctx.what_holds_up(child.slot));
        ctx.note_because(slot, What::TimedOut { to, after }, Some(cause));
        self.active[instance as usize] -= 1;
        self.leave(ctx, child, self.plan.cancel);
        self.tell_breaker(ctx, slot, CallOutcome::Failure);
        self.tell_outliers(ctx, slot, instance, CallOutcome::Failure);
        self.balancer.on_answer(ctx.now(), instance, after);
        match self.plan.retry.as_ref().is_some_and(|retry| retry.on.timeout) {
            true => self.fail(ctx, slot, CallEnd::TimedOut),
            false => {
                self.end_attempts(ctx, slot, false);
                self.settle(ctx, slot, CallEnd::TimedOut)
            }
        }
    }

    /// The last attempt is over, and it is not tried again.
    fn end_attempts(&mut self, ctx: &Ctx, slot: Slot, success: bool) {
        if let Some(retry) = &mut self.retry {
            let open = ctx.open_call(slot);
            let attempts = u32::from(open.attempt);
            match success {
                true => retry.on_success(attempts, open.failed),
                false => retry.on_abandoned(attempts),
            }
        }
    }

    /// Nobody waits for this callee any more.
    fn leave(&mut self, ctx: &mut Ctx, child: Option<StayId>, cancel: Cancel) {
        let Some(child) = child.filter(|child| ctx.core.stays.is_live(*child)) else { return };
        if let Some(connections) = &mut self.connections {
            let (to, because) = (ctx.stay(child.slot).node, ctx.stay(child.slot).last);
            if !connections.abandon(ctx, child.slot, to, because) {
                return;
            }
        }
        match cancel {
            Cancel::None => {}
            // Seen when the callee takes it out of its line.
            Cancel::AtDequeue => ctx.core.stays[child.slot].deadline = Time::ZERO,
            Cancel::Anywhere => ctx.withdraw(child),
        }
    }

    /// The stay itself has been withdrawn, or is lost: what it waits for is left behind, and learns of it so.
    pub fn abandon(&mut self, ctx: &mut Ctx, slot: Slot, cancel: Cancel) {
        let Some(open) = ctx.stay_mut(slot).call.take() else { return };
        if let Some(child) = open.child {
            self.active[open.instance as usize] -= 1;
            self.leave(ctx, Some(child), cancel);
        }
        if let Some(retry) = &mut self.retry {
            retry.on_abandoned(u32::from(open.attempt));
        }
        if let Some(hedged) = self.hedged.remove(&slot) {
            self.drop_copies(ctx, hedged, cancel);
        }
    }

    /// An attempt failed: another one after a pause, or the end.
    fn fail(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) -> Over {
        let now = ctx.now();
        let open = *ctx.open_call(slot);
        let (Some(retry), Some(RetryPlan { pause, honors_retry_after, .. })) = (&mut self.retry, &self.plan.retry)
        else {
            return self.settle(ctx, slot, end);
        };
        let stay = ctx.stay(slot);
        let owner = ctx.core.plan.nodes[ctx.node.index()].hash ^ u64::from(self.call) ^ u64::from(stay.lineage) << 16;
        let mut luck = crate::rng::draw(ctx.core.plan.seed, stay.request.0, owner, Purpose::Jitter, open.attempt);
        let drawn = pause.as_ref().map(|pause| pause.sample(&mut luck));
        let kind = failure_kind(&end);
        let failed = FailedAttempt {
            attempts: u32::from(open.attempt),
            kind,
            previous_delay: open.delay,
            roll: luck.uniform(),
            drawn,
            pushback: if *honors_retry_after { pushback(&end, now) } else { Pushback::None },
            deadline: (open.give_up_at != Time::NEVER).then_some(open.give_up_at),
        };
        match retry.decide(now, failed) {
            RetryDecision::After(delay) => {
                ctx.note(slot, What::BackedOff { delay });
                let timer = ctx.core.calendar.schedule(now + delay, Event::Retry(slot));
                ctx.stay_mut(slot).call = Some(OpenCall { child: None, timer, delay, failed: Some(kind), ..open });
                None
            }
            RetryDecision::GiveUp(why) => {
                let end_of_attempts = match why {
                    GiveUp::Attempts => AttemptEnd::Attempts,
                    GiveUp::Budget => AttemptEnd::Budget,
                    GiveUp::Deadline => AttemptEnd::Deadline,
                    GiveUp::NotRetryable => unreachable!("what is not tried again does not get here"),
                };
                ctx.note(slot, What::GaveUp { end: end_of_attempts });
                self.settle(ctx, slot, end)
            }
        }
    }

    /// The call of a stay is over: for the stay itself, or for the call that it is a copy of.
    #[inline(always)]
    fn settle(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) -> Over {
        ctx.stay_mut(slot).call = None;
        match ctx.stay(slot).ask {
            Ask::Copy => self.on_copy_end(ctx, slot, end),
            _ => Some((slot, end)),
        }
    }

    /// Sends the copies of a hedged call that are due, and waits for the next.
    #[cold]
    fn send_copies(&mut self, ctx: &mut Ctx, slot: Slot) -> Over {
        let now = ctx.now();
        loop {
            let hedged = self.hedged.get_mut(&slot)?;
            let HedgeDecision::Send(number) = hedged.policy.decide(now, true) else { break };
            let OpenCall { errand, give_up_at, .. } = *ctx.open_call(slot);
            let copy = ctx.begin_part(slot, Ask::Copy, number as u16, 0);
            ctx.stay_mut(copy).attempt = number as u8;
            ctx.stay_mut(copy).call = Some(self.open(errand, now, give_up_at));
            let copy_id = ctx.core.stays.id(copy);
            self.hedged.get_mut(&slot).expect("it is under way").copies.push((number, copy_id));
            let over = self.on_retry(ctx, copy);
            if over.is_some() {
                return over;
            }
            let hedged = self.hedged.get_mut(&slot)?;
            if ctx.core.stays.is_live(copy_id)
                && let Some(open) = &ctx.stay(copy).call
            {
                hedged.tried |= open.tried;
            }
        }
        let due = self.hedged[&slot].policy.next_deadline();
        let timer = due.map(|at| ctx.core.calendar.schedule_after(now, at.since(now), Event::Hedge(slot)));
        ctx.stay_mut(slot).call.as_mut().expect("a call is open").timer = timer.unwrap_or(NO_TIMER);
        None
    }

    /// The delay before the next copy is over.
    pub fn on_hedge(&mut self, ctx: &mut Ctx, slot: Slot) -> Over {
        self.send_copies(ctx, slot)
    }

    /// A copy is done: with it the call, or the next copy is due.
    #[cold]
    fn on_copy_end(&mut self, ctx: &mut Ctx, copy: Slot, end: CallEnd) -> Over {
        let now = ctx.now();
        let whole = ctx.stay(copy).parent.expect("a copy has a call it is a copy of").slot;
        let last = ctx.stay(copy).last;
        let copy_id = ctx.core.stays.id(copy);
        let hedged = self.hedged.get_mut(&whole).expect("its call is under way");
        let place = hedged.copies.iter().position(|(_, id)| *id == copy_id).expect("a copy is one of its call's");
        let (number, _) = hedged.copies.remove(place);
        ctx.core.stays.hand_found(copy, whole);
        ctx.core.stays.remove(copy);
        let answer = match &end {
            CallEnd::Replied(reply) if reply.status.is_success() => CopyAnswer::Success,
            CallEnd::Replied(reply) if !reply.status.is_server_failure() => CopyAnswer::Fatal,
            failed => CopyAnswer::NonFatal(pushback(failed, now)),
        };
        if hedged.policy.on_answer(now, number, answer).is_none() && !hedged.policy.has_failed() {
            return self.send_copies(ctx, whole);
        }
        let rest = self.hedged.remove(&whole).expect("its call is under way");
        self.drop_copies(ctx, rest, self.plan.hedge.expect("a hedged call has a plan").params().cancel);
        let stay = ctx.stay_mut(whole);
        stay.last = last;
        stay.call = None;
        Some((whole, end))
    }

    fn drop_copies(&mut self, ctx: &mut Ctx, hedged: Hedged, cancel: Cancel) {
        for (_, copy) in hedged.copies {
            if let Some(open) = ctx.stay(copy.slot).call
                && open.child.is_some()
            {
                self.active[open.instance as usize] -= 1;
                self.leave(ctx, open.child, cancel);
            }
            ctx.core.stays.remove(copy.slot);
        }
    }

    fn tell_breaker(&mut self, ctx: &mut Ctx, slot: Slot, outcome: CallOutcome) {
        let Some((breaker, changed)) = &mut self.breaker else { return };
        let OpenCall { permit: Some(permit), sent, .. } = *ctx.open_call(slot) else { return };
        let duration = ctx.now().since(sent);
        if let Some(transition) = breaker.on_result(ctx.now(), permit, outcome, duration) {
            *changed = note_transition(ctx, slot, self.call, transition, breaker.state(), *changed);
        }
    }

    /// An instance that failed too often in a row is left out until a later sweep.
    fn tell_outliers(&mut self, ctx: &mut Ctx, slot: Slot, instance: u16, outcome: CallOutcome) {
        let (now, call) = (ctx.now(), self.call);
        let Some((outliers, changed)) = &mut self.outliers else { return };
        while outliers.next_deadline() <= now {
            outliers.on_sweep();
        }
        let ok = outcome == CallOutcome::Success;
        let Some(ejection) = outliers.on_response(now, u32::from(instance), ok) else { return };
        let returns_at = outliers.sweep_from(ejection.until);
        let node = ctx.node;
        ctx.core.calendar.schedule(returns_at, Event::Sweep { node, call });
        let cause = Some(ctx.stay(slot).last);
        *changed = ctx.note_own(What::InstanceEjected { instance: self.plan.targets[instance as usize] }, cause);
        self.healthy[instance as usize] = false;
    }

    /// Some instance's time out may be over.
    pub fn on_sweep(&mut self, ctx: &mut Ctx) {
        while let Some((outliers, changed)) = self.outliers.as_mut().filter(|(it, _)| it.next_deadline() <= ctx.now()) {
            let mut changed = *changed;
            for instance in outliers.on_sweep() {
                let instance = instance as usize;
                if self.is_trusted(instance) {
                    let to = self.plan.targets[instance];
                    changed = ctx.note_own(What::InstanceRestored { instance: to }, Some(changed));
                    self.healthy[instance] = self.is_listed(instance);
                }
            }
            self.outliers.as_mut().expect("it has some").1 = changed;
        }
    }

    /// Probes all instances; what comes back goes to [`Caller::on_probe_end`].
    #[cold]
    pub fn on_probe_due(&mut self, ctx: &mut Ctx) {
        let (patience, instances) = match &self.health {
            Some(health) => (self.plan.health_check.as_ref().map(|config| config.params().timeout), health.len()),
            None => return,
        };
        for instance in 0..instances as u16 {
            let slot = ctx.begin_root(RequestId::NONE, Ask::Probe, Origin::Probe(instance), What::ProbeBegan);
            let errand = Errand::handed_on(ctx.stay(slot), Ask::Probe);
            ctx.stay_mut(slot).call = Some(self.open(errand, ctx.now(), Time::NEVER));
            self.send(ctx, slot, instance, None, patience);
        }
        ctx.schedule_probe(self.call);
    }

    /// A probe's answer is here, or its patience is over.
    #[cold]
    pub fn on_probe_end(&mut self, ctx: &mut Ctx, slot: Slot, reply: Option<Reply>) {
        let Origin::Probe(instance) = ctx.stay(slot).origin else { return };
        let ok = reply.is_some_and(|reply| reply.status.is_success());
        let to = self.plan.targets[instance as usize];
        let Some(health) = &mut self.health else { return };
        let (check, changed) = &mut health[instance as usize];
        match check.on_probe(ok) {
            Some(HealthTransition::BecameUnhealthy) => {
                *changed = ctx.note(slot, What::InstanceEjected { instance: to });
                self.healthy[instance as usize] = false;
            }
            Some(HealthTransition::BecameHealthy) => {
                let in_service = |(outliers, _): &(OutlierDetection, Seq)| outliers.in_service(u32::from(instance));
                if self.outliers.as_ref().is_none_or(in_service) {
                    *changed = ctx.note(slot, What::InstanceRestored { instance: to });
                    self.healthy[instance as usize] = self.is_listed(instance.into());
                }
            }
            None => {}
        }
        ctx.core.stays.remove(slot);
    }
}

/// What the callee asks of whoever tries again.
fn pushback(end: &CallEnd, now: Time) -> Pushback {
    match end {
        CallEnd::Replied(Reply { retry_at, .. }) if *retry_at != Time::NEVER => Pushback::AtLeast(retry_at.since(now)),
        _ => Pushback::None,
    }
}

/// How an attempt failed, for the retry budget.
fn failure_kind(end: &CallEnd) -> FailureKind {
    match end {
        CallEnd::TimedOut => FailureKind::Timeout,
        CallEnd::Replied(Reply { status: Status::Unavailable | Status::TooManyRequests, .. }) => FailureKind::Reject,
        _ => FailureKind::Failure,
    }
}

/// Records a breaker's change of state; not a step of the request's own way. A result opens or closes it; half-open it becomes
/// because it had opened, whoever comes by then.
fn note_transition(
    ctx: &mut Ctx,
    slot: Slot,
    call: u16,
    transition: Transition,
    state: BreakerState,
    before: Seq,
) -> Seq {
    let to = ctx.core.plan.nodes[ctx.node.index()].calls[call as usize].targets[0];
    let what = match transition {
        Transition::Opened { failures, calls } => What::BreakerOpened { to, failures, calls },
        Transition::HalfOpened => What::BreakerHalfOpened { to },
        Transition::Closed => What::BreakerClosed { to },
    };
    let level = match state {
        BreakerState::Closed => 0,
        BreakerState::Open { .. } => 1,
        BreakerState::HalfOpen { .. } => 2,
    };
    let now = ctx.now();
    ctx.levels().circuit.set(now, level);
    let cause = match transition {
        Transition::HalfOpened => before,
        Transition::Opened { .. } | Transition::Closed => ctx.stay(slot).last,
    };
    ctx.note_own(what, Some(cause))
}
