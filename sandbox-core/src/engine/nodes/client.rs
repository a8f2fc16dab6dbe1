//! A client: sends its workloads' requests and records how they end. When it sends them is in `engine/sender.rs`.
//!
//! Left out: what a person does with an answer.

use super::Happening;
use crate::engine::calls::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::io::Output;
use crate::engine::sender;
use crate::engine::stay::{Ask, CallEnd, Errand, Origin};
use crate::ids::RequestId;
use crate::rng::{Purpose, draw};
use crate::time::Time;
use crate::trace::{Outcome, Refusal, What};

/// A client's live state.
#[derive(Clone, Debug)]
pub struct Client {
    pub callers: Vec<Caller>,
}

impl Client {
    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Intended { workload } => self.intend(ctx, workload),
            Happening::ProbeDue { call } => self.callers[call as usize].on_probe_due(ctx),
            _ => unreachable!("nobody calls a client"),
        }
    }

    /// A user wants something: which route, which row and which user depend on the request's number alone.
    fn intend(&mut self, ctx: &mut Ctx, workload: u16) {
        sender::schedule_next(ctx, workload);
        ctx.core.requests += 1;
        let request = RequestId(ctx.core.requests);
        let seed = ctx.core.plan.seed;
        let plan = &ctx.core.plan.workloads[workload as usize];
        // Where there is nothing to choose, nothing is drawn.
        let of = |purpose| draw(seed, request.0, plan.hash, purpose, 1);
        let route = match plan.routes[..] {
            [(route, _)] => route,
            _ => {
                let roll = of(Purpose::Route).uniform();
                plan.routes.iter().find(|(_, share)| roll < *share).unwrap_or(&plan.routes[0]).0
            }
        };
        let what = What::Intended {
            route,
            key: if plan.keys == 1 { 0 } else { plan.popularity.draw(plan.keys, &mut of(Purpose::Key)) },
            user: if plan.users == 1 { 0 } else { of(Purpose::User).below(plan.users) },
        };
        let target = plan.target;
        self.send(ctx, request, Origin::Workload(workload), what, target);
    }

    /// Sends a request; also the door for requests from outside.
    pub fn send(&mut self, ctx: &mut Ctx, request: RequestId, origin: Origin, what: What, target: usize) {
        ctx.core.in_flight += 1;
        let slot = ctx.begin_root(request, Ask::Serve, origin, what);
        if let Origin::Workload(workload) = origin {
            let priority = ctx.core.plan.workloads[workload as usize].priority;
            ctx.stay_mut(slot).priority = priority;
        }
        let errand = Errand::handed_on(ctx.stay(slot), Ask::Serve);
        if let Some((slot, end)) = self.callers[target].begin(ctx, slot, errand) {
            self.answer(ctx, slot, end);
        }
    }

    /// The request is over for its user.
    pub fn answer(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        let (outcome, version, retry_at) = match end {
            CallEnd::Replied(reply) => (Outcome::from(reply.status), reply.version, reply.retry_at),
            CallEnd::TimedOut => (Outcome::ClientTimeout, None, Time::NEVER),
            CallEnd::Refused { refusal: Refusal::NoInstance, retry_at } => (Outcome::Refused, None, retry_at),
            CallEnd::Refused { retry_at, .. } => (Outcome::Unavailable503, None, retry_at),
        };
        let now = ctx.now();
        let latency = now.since(ctx.stay(slot).since);
        ctx.note(slot, What::Answered { outcome, latency });
        ctx.core.in_flight -= 1;
        let failed = !outcome.is_success() && !outcome.is_client_error();
        ctx.count(slot, failed, latency);
        ctx.core.recent.ended[0] += 1;
        ctx.core.recent.failed[0] += u32::from(failed);
        let (request, origin, sent) = (ctx.stay(slot).request, ctx.stay(slot).origin, ctx.stay(slot).since);
        ctx.core.stays.remove(slot);
        match origin {
            Origin::Workload(workload) => sender::on_answer(ctx, workload, request, sent),
            Origin::Outside(_) => {
                let retry_after_s = (retry_at != Time::NEVER).then(|| retry_at.since(now).as_seconds().ceil() as u32);
                ctx.core.outputs.push(Output::Respond { request, outcome, version, retry_after_s });
            }
            Origin::Probe(_) => {}
        }
    }
}
