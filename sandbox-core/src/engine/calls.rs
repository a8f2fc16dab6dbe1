//! The caller's side of a call: instance, breaker, timeout, retry. One [`Caller`] for each entry of a node's `calls`.

use super::ctx::Ctx;
use super::event::{Event, Slot};
use super::stay::{Ask, CallEnd, OpenCall, Origin, Reply};
use crate::ids::{NodeId, RequestId, Seq};
use crate::policy::balancer::Balancer;
use crate::policy::circuit_breaker::{BreakerState, CallOutcome, CircuitBreaker, Permit, Transition};
use crate::policy::health_check::{HealthCheck, HealthTransition};
use crate::policy::retry::{FailedAttempt, FailureKind, GiveUp, Pushback, Retry, RetryDecision};
use crate::policy::{Denial, DenyReason};
use crate::rng::{Purpose, Stream};
use crate::scenario::{CallPlan, NodePlan};
use crate::time::{Span, Time};
use crate::trace::{AttemptEnd, Refusal, Status, What};

/// Everything a node keeps for calling one other.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Position in the node's calls.
    call: u16,
    timeout: Option<Span>,
    /// With the record of its latest change.
    breaker: Option<(CircuitBreaker, Seq)>,
    retry: Option<Retry>,
    balancer: Balancer,
    /// Calls under way, by instance.
    active: Vec<u32>,
    healthy: Vec<bool>,
    /// With the record of each instance's latest change.
    health: Option<Vec<(HealthCheck, Seq)>>,
    luck: Stream,
}

impl Caller {
    /// The caller's side of one of a node's calls. `bare`: without any policy, for the client of a mounted world, which
    /// is a real one and has its own.
    pub fn new(seed: u64, node: &NodePlan, call: u16, bare: bool) -> Caller {
        let planned = &node.calls[call as usize];
        let stripped = CallPlan { timeout: None, retry: None, breaker: None, health_check: None, ..planned.clone() };
        let plan = if bare { &stripped } else { planned };
        let instances = plan.targets.len();
        Caller {
            call,
            timeout: plan.timeout,
            breaker: plan.breaker.map(|config| (CircuitBreaker::new(config), Seq(0))),
            retry: plan.retry.map(|(config, budget)| Retry::new(config, budget)),
            balancer: Balancer::new(plan.balancer),
            active: vec![0; instances],
            healthy: vec![true; instances],
            health: plan.health_check.map(|config| vec![(HealthCheck::new(config), Seq(0)); instances]),
            luck: Stream::new(seed, node.hash ^ u64::from(call), Purpose::Balance),
        }
    }

    /// The state of the circuit breaker.
    pub fn breaker(&self) -> Option<BreakerState> {
        self.breaker.as_ref().map(|(breaker, _)| breaker.state())
    }

    /// The instances that are left out.
    pub fn ejected<'a>(&'a self, plan: &'a CallPlan) -> impl Iterator<Item = NodeId> + 'a {
        plan.targets.iter().zip(&self.healthy).filter(|(_, healthy)| !**healthy).map(|(node, _)| *node)
    }

    /// Begins a call on behalf of a stay. `Some`: it is over already.
    pub fn begin(&mut self, ctx: &mut Ctx, slot: Slot, ask: Ask) -> Option<CallEnd> {
        let now = ctx.now();
        if let Some(retry) = &mut self.retry {
            retry.on_request(now);
        }
        ctx.stay_mut(slot).call = Some(OpenCall {
            call: self.call,
            ask,
            attempt: 0,
            instance: 0,
            child: None,
            timer: OpenCall::NO_TIMER,
            sent: now,
            permit: None,
            delay: Span::ZERO,
        });
        self.attempt(ctx, slot)
    }

    /// The back-off is over: tries again.
    pub fn on_retry(&mut self, ctx: &mut Ctx, slot: Slot) -> Option<CallEnd> {
        self.attempt(ctx, slot)
    }

    fn attempt(&mut self, ctx: &mut Ctx, slot: Slot) -> Option<CallEnd> {
        let now = ctx.now();
        let mut permit = None;
        if let Some((breaker, changed)) = &mut self.breaker {
            let (decision, transition) = breaker.decide(now);
            if let Some(transition) = transition {
                *changed = note_transition(ctx, slot, self.call, transition, breaker.state());
            }
            match decision {
                Ok(granted) => permit = Some(granted),
                Err(Denial { reason, retry_at }) => {
                    let refusal = match reason {
                        DenyReason::BreakerHalfOpen => Refusal::BreakerHalfOpen,
                        _ => Refusal::BreakerOpen,
                    };
                    ctx.note_because(slot, What::Refused { refusal }, Some(*changed));
                    ctx.stay_mut(slot).call = None;
                    return Some(CallEnd::Refused { refusal, retry_at });
                }
            }
        }
        let Some(instance) = self.choose() else {
            let ejected = self.health.iter().flatten().map(|(_, changed)| *changed).max();
            ctx.note_because(slot, What::Refused { refusal: Refusal::NoInstance }, ejected);
            ctx.stay_mut(slot).call = None;
            return Some(CallEnd::Refused { refusal: Refusal::NoInstance, retry_at: None });
        };
        self.active[instance as usize] += 1;
        self.send(ctx, slot, instance, permit, self.timeout);
        None
    }

    /// The instance for the next attempt; there is nothing to choose where there is only one.
    fn choose(&mut self) -> Option<u16> {
        if let [healthy] = self.healthy[..] {
            return healthy.then_some(0);
        }
        let luck = &mut self.luck;
        self.balancer.decide(&self.active, &self.healthy, &mut |bound| luck.below(bound))
    }

    fn plan<'a>(&self, ctx: &'a Ctx) -> &'a CallPlan {
        &ctx.core.plan.nodes[ctx.node.index()].calls[self.call as usize]
    }

    fn send(&self, ctx: &mut Ctx, slot: Slot, instance: u16, permit: Option<Permit>, timeout: Option<Span>) {
        let now = ctx.now();
        let to = self.plan(ctx).targets[instance as usize];
        let open = ctx.stay(slot).call.as_ref().expect("a call is open");
        let (ask, attempt) = (open.ask, open.attempt + 1);
        ctx.note(slot, What::Called { to, attempt });
        let delay = ctx.delay(ctx.node, to);
        let child = ctx.send(slot, to, ask, attempt, true, delay);
        let timer = match timeout {
            Some(patience) => ctx.core.calendar.schedule_after(now, patience, Event::Timeout(slot)),
            None => OpenCall::NO_TIMER,
        };
        let child = ctx.core.stays.id(child);
        let open = ctx.stay_mut(slot).call.as_mut().expect("a call is open");
        *open = OpenCall { attempt, instance, child: Some(child), timer, sent: now, permit, ..*open };
    }

    /// The awaited answer is here.
    pub fn on_reply(&mut self, ctx: &mut Ctx, slot: Slot, child: Slot) -> Option<CallEnd> {
        let stay = ctx.stay(child);
        let (reply, last) = (stay.reply.expect("an answer is on its way"), stay.last);
        ctx.core.stays.remove(child);
        ctx.stay_mut(slot).last = last;
        ctx.note(slot, What::Received { status: reply.status });
        let open = *ctx.stay(slot).call.as_ref().expect("a call is open");
        self.active[open.instance as usize] -= 1;
        let outcome = if reply.status.is_server_failure() { CallOutcome::Failure } else { CallOutcome::Success };
        self.tell_breaker(ctx, slot, &open, outcome);
        let retryable = matches!(reply.status, Status::Unavailable | Status::GatewayTimeout);
        match retryable {
            true => self.fail(ctx, slot, open, CallEnd::Replied(reply), reply.retry_at),
            false => {
                ctx.stay_mut(slot).call = None;
                Some(CallEnd::Replied(reply))
            }
        }
    }

    /// The patience is over; the callee is not told and works on.
    pub fn on_timeout(&mut self, ctx: &mut Ctx, slot: Slot) -> Option<CallEnd> {
        let open = *ctx.stay(slot).call.as_ref().expect("a call is open");
        let to = self.plan(ctx).targets[open.instance as usize];
        let after = ctx.now().since(open.sent);
        // What the callee was doing when the patience ended is why there was no answer.
        let child = open.child.filter(|child| ctx.core.stays.is_live(*child));
        let cause = child.map_or(ctx.stay(slot).last, |child| ctx.core.stays[child.slot].last);
        ctx.note_because(slot, What::TimedOut { to, after }, Some(cause));
        self.active[open.instance as usize] -= 1;
        self.tell_breaker(ctx, slot, &open, CallOutcome::Failure);
        self.fail(ctx, slot, open, CallEnd::TimedOut, None)
    }

    /// An attempt failed: another one after a pause, or the end.
    fn fail(
        &mut self,
        ctx: &mut Ctx,
        slot: Slot,
        open: OpenCall,
        end: CallEnd,
        retry_at: Option<Time>,
    ) -> Option<CallEnd> {
        let now = ctx.now();
        let Some(retry) = &mut self.retry else {
            ctx.stay_mut(slot).call = None;
            return Some(end);
        };
        let stay = ctx.stay(slot);
        let owner = ctx.core.plan.nodes[ctx.node.index()].hash ^ u64::from(self.call);
        let roll = crate::rng::draw(ctx.core.plan.seed, stay.request.0, owner, Purpose::Jitter, open.attempt).uniform();
        let failed = FailedAttempt {
            attempts: u32::from(open.attempt),
            kind: if end == CallEnd::TimedOut { FailureKind::Timeout } else { FailureKind::Failure },
            previous_delay: open.delay,
            roll,
            pushback: retry_at.map_or(Pushback::None, |at| Pushback::AtLeast(at.since(now))),
            deadline: None,
        };
        match retry.decide(now, failed) {
            RetryDecision::After(delay) => {
                ctx.note(slot, What::BackedOff { delay });
                ctx.core.calendar.schedule(now + delay, Event::Retry(slot));
                let waiting = OpenCall { child: None, timer: OpenCall::NO_TIMER, delay, ..open };
                ctx.stay_mut(slot).call = Some(waiting);
                None
            }
            RetryDecision::GiveUp(why) => {
                let end_of_attempts = match why {
                    GiveUp::Attempts => AttemptEnd::Attempts,
                    GiveUp::Budget => AttemptEnd::Budget,
                    GiveUp::Deadline => AttemptEnd::Deadline,
                    GiveUp::NotRetryable => unreachable!("a plan's retries include every kind of failure"),
                };
                ctx.note(slot, What::GaveUp { end: end_of_attempts });
                ctx.stay_mut(slot).call = None;
                Some(end)
            }
        }
    }

    fn tell_breaker(&mut self, ctx: &mut Ctx, slot: Slot, open: &OpenCall, outcome: CallOutcome) {
        let (Some((breaker, changed)), Some(permit)) = (&mut self.breaker, open.permit) else { return };
        let duration = ctx.now().since(open.sent);
        if let Some(transition) = breaker.on_result(ctx.now(), permit, outcome, duration) {
            *changed = note_transition(ctx, slot, self.call, transition, breaker.state());
        }
    }

    /// Probes all instances; what comes back goes to [`Caller::on_probe_end`].
    pub fn probe_all(&mut self, ctx: &mut Ctx) {
        let (patience, instances) = match &self.health {
            Some(health) => (self.plan(ctx).health_check.as_ref().map(|config| config.params().timeout), health.len()),
            None => return,
        };
        for instance in 0..instances as u16 {
            let slot = ctx.begin_root(RequestId::NONE, Ask::Probe, Origin::Probe(instance), What::ProbeBegan);
            ctx.stay_mut(slot).call = Some(OpenCall {
                call: self.call,
                ask: Ask::Probe,
                attempt: 0,
                instance,
                child: None,
                timer: OpenCall::NO_TIMER,
                sent: ctx.now(),
                permit: None,
                delay: Span::ZERO,
            });
            self.send(ctx, slot, instance, None, patience);
        }
    }

    /// A probe's answer is here, or its patience is over.
    pub fn on_probe_end(&mut self, ctx: &mut Ctx, slot: Slot, reply: Option<Reply>) {
        let Origin::Probe(instance) = ctx.stay(slot).origin else { return };
        let ok = reply.is_some_and(|reply| reply.status.is_success());
        let to = self.plan(ctx).targets[instance as usize];
        let Some(health) = &mut self.health else { return };
        let (check, changed) = &mut health[instance as usize];
        match check.on_probe(ok) {
            Some(HealthTransition::BecameUnhealthy) => {
                *changed = ctx.note(slot, What::InstanceEjected { instance: to });
                self.healthy[instance as usize] = false;
            }
            Some(HealthTransition::BecameHealthy) => {
                *changed = ctx.note(slot, What::InstanceRestored { instance: to });
                self.healthy[instance as usize] = true;
            }
            None => {}
        }
        ctx.core.stays.remove(slot);
    }
}

/// Records a breaker's change of state, caused by the result that brought it about; not a step of the request's own way.
fn note_transition(ctx: &mut Ctx, slot: Slot, call: u16, transition: Transition, state: BreakerState) -> Seq {
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
    let cause = Some(ctx.stay(slot).last);
    ctx.note_own(what, cause)
}
