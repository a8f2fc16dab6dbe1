//! A liveness probe: whoever does not answer it again and again is started anew.

use super::Monitor;
use crate::engine::ctx::Ctx;
use crate::engine::event::Event;
use crate::ids::{NodeId, RouteId, Seq};

impl Monitor {
    /// An instance that is not up yet, or no longer, is not asked.
    pub(super) fn probe_if_up(&mut self, ctx: &mut Ctx, route: Option<RouteId>) {
        match ctx.core.life(target(ctx)).is_some_and(|life| life.is_up()) {
            true => self.probe(ctx, route),
            false => self.failures = 0,
        }
    }

    pub(super) fn judge_liveness(&mut self, ctx: &mut Ctx, failure_threshold: u32, probed: Seq) {
        if self.failures >= failure_threshold {
            self.failures = 0;
            let node = target(ctx);
            ctx.core.at_once.push_back(Event::Unresponsive { node, because: probed });
        }
    }
}

fn target(ctx: &Ctx) -> NodeId {
    ctx.core.plan.nodes[ctx.node.index()].calls[0].targets[0]
}
