//! The caller's side of a call: instance, breaker, timeout, retry, hedging. One [`Caller`] for each entry of a node's `calls`.

mod health;
mod hedging;
mod instances;

use super::causes::Lead;
use super::connections::{Connections, Departure, Wire};
use super::ctx::Ctx;
use super::event::{Event, Slot};
use super::stay::{Ask, CallEnd, Errand, NO_TIMER, OpenCall, Reply, StayId};
use crate::ids::{NodeId, Seq};
use crate::policy::balancer::Balancer;
use crate::policy::circuit_breaker::{BreakerState, CallOutcome, Permit};
use crate::policy::client_throttle::ClientThrottle;
use crate::policy::deadline::Cancel;
use crate::policy::health_check::HealthCheck;
use crate::policy::hedging::Hedging;
use crate::policy::outlier_detection::OutlierDetection;
use crate::policy::retry::{FailedAttempt, FailureKind, GiveUp, Pushback, Retry, RetryDecision};
use crate::policy::{Denial, DenyReason};
use crate::rng::{Purpose, Stream};
use crate::scenario::{CallPlan, Kind, NodePlan, RetryPlan};
use crate::time::{Span, Time};
use crate::trace::{AttemptEnd, Refusal, Status, What};
use health::Breaker;
use hedging::Hedged;
use instances::Listing;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything a node keeps for calling one other.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Position in the node's calls.
    call: u16,
    plan: Arc<CallPlan>,
    breaker: Option<Breaker>,
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
            breaker: plan.breaker.map(Breaker::new),
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
        self.breaker.as_ref().map(|breaker| breaker.policy.state())
    }

    /// What a callee learns of a caller that has gone.
    pub fn cancel(&self) -> Cancel {
        self.plan.cancel
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
        if let Some(breaker) = &mut self.breaker {
            let (decision, transition) = breaker.policy.decide(now);
            if let Some(transition) = transition {
                breaker.note_transition(ctx, slot, self.call, transition);
            }
            match decision {
                Ok(granted) => permit = Some(granted),
                Err(Denial { reason, retry_at }) => {
                    let refusal = match reason {
                        DenyReason::BreakerHalfOpen => Refusal::BreakerHalfOpen,
                        _ => Refusal::BreakerOpen,
                    };
                    let because = Some(breaker.changed);
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
        let (reply, lead) = (stay.reply.expect("an answer is on its way"), Lead::of(stay));
        ctx.core.stays.hand_found(child, slot);
        let wire = ctx.core.stays.belongings(child).and_then(|belongings| belongings.wire);
        ctx.core.stays.remove(child);
        ctx.stay_mut(slot).follow(lead);
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
        let cause = child.map_or(Lead::of(ctx.stay(slot)), |child| ctx.what_holds_up(child.slot));
        ctx.note_after(slot, What::TimedOut { to, after }, cause);
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
                ctx.note_retry(slot, delay);
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
