//! What a caller learns of the instances: breaker, outliers, health checks.

use super::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::stay::{Ask, Errand, OpenCall, Origin, Reply};
use crate::ids::{RequestId, Seq};
use crate::policy::circuit_breaker::{BreakerState, CallOutcome, CircuitBreaker, CircuitBreakerConfig, Transition};
use crate::policy::health_check::HealthTransition;
use crate::policy::outlier_detection::OutlierDetection;
use crate::time::Time;
use crate::trace::What;

/// A call's circuit breaker.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    pub(super) policy: CircuitBreaker,
    /// The record of its latest change.
    pub(super) changed: Seq,
    /// What the latest failed call has come to, and the latest slow one.
    failed: Option<Seq>,
    slow: Option<Seq>,
}

impl Breaker {
    pub(super) fn new(config: CircuitBreakerConfig) -> Breaker {
        Breaker { policy: CircuitBreaker::new(config), changed: Seq::new(0), failed: None, slow: None }
    }

    /// Records a change of state; not a step of the request's own way. What a failed or slow call had come to opens it, whoever
    /// makes it count; a success closes it; half-open it becomes because it had opened, whoever comes by then.
    pub(super) fn note_transition(&mut self, ctx: &mut Ctx, slot: Slot, call: u16, transition: Transition) {
        let to = ctx.core.plan.nodes[ctx.node.index()].calls[call as usize].targets[0];
        let (what, cause) = match transition {
            Transition::Opened { failures, slow, calls } => {
                let because = if slow > 0 { self.slow } else { self.failed };
                let slow = u16::try_from(slow).unwrap_or(u16::MAX);
                (What::BreakerOpened { to, failures, calls, slow }, because.unwrap_or(self.changed))
            }
            Transition::HalfOpened => (What::BreakerHalfOpened { to }, self.changed),
            Transition::Closed => (What::BreakerClosed { to }, ctx.stay(slot).last),
        };
        let level = match self.policy.state() {
            BreakerState::Closed => 0,
            BreakerState::Open { .. } => 1,
            BreakerState::HalfOpen { .. } => 2,
        };
        let now = ctx.now();
        ctx.levels().circuit.set(now, level);
        self.changed = ctx.note_own(what, Some(cause));
    }
}

impl Caller {
    pub(super) fn tell_breaker(&mut self, ctx: &mut Ctx, slot: Slot, outcome: CallOutcome) {
        let Some(breaker) = &mut self.breaker else { return };
        let OpenCall { permit: Some(permit), sent, .. } = *ctx.open_call(slot) else { return };
        let (now, last) = (ctx.now(), ctx.stay(slot).last);
        let duration = now.since(sent);
        if outcome == CallOutcome::Failure {
            breaker.failed = Some(last);
        }
        if breaker.policy.is_slow(duration) {
            breaker.slow = Some(last);
        }
        if let Some(transition) = breaker.policy.on_result(now, permit, outcome, duration) {
            breaker.note_transition(ctx, slot, self.call, transition);
        }
    }

    /// An instance that failed too often in a row is left out until a later sweep.
    pub(super) fn tell_outliers(&mut self, ctx: &mut Ctx, slot: Slot, instance: u16, outcome: CallOutcome) {
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
