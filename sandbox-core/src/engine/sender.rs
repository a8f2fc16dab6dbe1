//! When users send: the live side of a workload's [`Arrivals`]. What they send is the client's business.

use super::ctx::Ctx;
use super::event::Event;
use crate::ids::RequestId;
use crate::rng::{Purpose, Stream, draw};
use crate::scenario::{Arrivals, Pace, WorkloadPlan, limits};
use crate::time::Time;

/// How far a workload has come.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Gaps of an open loop.
    luck: Stream,
    /// Requests sent or scheduled.
    planned: u32,
}

impl Sender {
    pub fn new(seed: u64, workload: &WorkloadPlan) -> Sender {
        Sender { luck: Stream::new(seed, workload.hash, Purpose::Arrivals), planned: 0 }
    }
}

/// Schedules the first request, or that of each client.
pub fn begin(ctx: &mut Ctx, workload: u16) {
    let plan = ctx.core.plan.clone();
    let load = &plan.workloads[workload as usize];
    match &load.arrivals {
        Arrivals::Open(_) => schedule_next(ctx, workload),
        Arrivals::Closed { clients, pace } => {
            for client in 0..*clients {
                let at = match pace {
                    // The thought before a request that has no number yet: the client's number and attempt 0 stand for it.
                    Pace::Think(think) => {
                        load.from + think.sample(&mut draw(plan.seed, client, load.hash, Purpose::Think, 0))
                    }
                    Pace::Gap(_) => load.from,
                };
                schedule(ctx, workload, at);
            }
        }
    }
}

/// A request of an open loop is being sent, or its first one comes: schedules the next.
pub fn schedule_next(ctx: &mut Ctx, workload: u16) {
    let now = ctx.now();
    let load = &ctx.core.plan.workloads[workload as usize];
    let sender = &mut ctx.core.senders[workload as usize];
    if let Arrivals::Open(open) = &load.arrivals
        && let Some(next) = open.next(sender.planned, now.since(load.from), &mut sender.luck)
    {
        let at = load.from + next;
        schedule(ctx, workload, at);
    }
}

/// The answer to a request that was sent at `sent` is here: in a closed loop its client will send another.
pub fn on_answer(ctx: &mut Ctx, workload: u16, request: RequestId, sent: Time) {
    let now = ctx.now();
    let plan = &ctx.core.plan;
    let load = &plan.workloads[workload as usize];
    if let Arrivals::Closed { pace, .. } = &load.arrivals {
        let at = match pace {
            Pace::Think(think) => now + think.sample(&mut draw(plan.seed, request.0, load.hash, Purpose::Think, 1)),
            Pace::Gap(gap) => (sent + *gap).max(now),
        };
        schedule(ctx, workload, at);
    }
}

fn schedule(ctx: &mut Ctx, workload: u16, at: Time) {
    let load = &ctx.core.plan.workloads[workload as usize];
    let sender = &mut ctx.core.senders[workload as usize];
    if at < load.to && sender.planned < load.requests.unwrap_or(limits::REQUESTS_SENT) {
        sender.planned += 1;
        ctx.core.calendar.schedule(at, Event::Arrival { workload });
    }
}
