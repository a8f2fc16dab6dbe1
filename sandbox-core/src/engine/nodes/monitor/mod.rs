//! A monitor: probes its target or looks at numbers, opens an incident when it fails, and keeps its timeline.
//!
//! An incident is opened once and stays open until somebody resolves it; recovery and relapse are events on it, and so is
//! what becomes of its alerts.

mod delivery;
mod liveness;
mod looks;

use super::Happening;
use crate::engine::calls::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Errand, Origin};
use crate::ids::{IncidentId, RequestId, RouteId, Seq};
use crate::scenario::{Judges, Kind, MonitorPlan};
use crate::trace::What;
use looks::Looks;

/// A monitor's live state.
#[derive(Clone, Debug)]
pub struct Monitor {
    pub callers: Vec<Caller>,
    failures: u32,
    successes: u32,
    looks: Looks,
    /// Alerts that went out so far.
    alerts: u32,
    watch: Watch,
}

/// What a monitor thinks of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// All is well and no incident is open.
    Well,
    /// The target fails; this incident is open.
    Failing(IncidentId),
    /// The target is well again; the incident is still open.
    Recovered(IncidentId),
}

impl Monitor {
    pub fn new(callers: Vec<Caller>) -> Monitor {
        Monitor { callers, failures: 0, successes: 0, looks: Looks::default(), alerts: 0, watch: Watch::Well }
    }

    /// What it thinks of its target.
    pub fn watch(&self) -> Watch {
        self.watch
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::ProbeDue { call } => {
                match plan(ctx).judges {
                    Judges::Probes { .. } => self.probe(ctx, None),
                    Judges::Liveness { route, .. } => self.probe_if_up(ctx, route),
                    Judges::BurnRate { .. } | Judges::Alert { .. } => self.look(ctx),
                }
                ctx.schedule_probe(call);
            }
            _ => unreachable!("a monitor only asks"),
        }
    }

    /// Asks the target whether it is there, or for this route.
    fn probe(&mut self, ctx: &mut Ctx, route: Option<RouteId>) {
        let slot = ctx.begin_root(RequestId::NONE, Ask::Probe, Origin::Probe(0), What::ProbeBegan);
        let probe = Errand::handed_on(ctx.stay(slot), Ask::Probe);
        let errand = route.map_or(probe, |route| Errand { ask: Ask::Serve, route, ..probe });
        if let Some((slot, end)) = self.callers[0].begin(ctx, slot, errand) {
            self.on_call_end(ctx, slot, end);
        }
    }

    pub fn on_call_end(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        match ctx.stay(slot).ask {
            Ask::Probe => self.on_probed(ctx, slot, end),
            _ => delivery::on_delivered(ctx, slot, end),
        }
    }

    fn on_probed(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        let ok = matches!(end, CallEnd::Replied(reply) if reply.status.is_success());
        let probed = ctx.note(slot, What::Probed { ok });
        ctx.core.stays.remove(slot);
        (self.failures, self.successes) = if ok { (0, self.successes + 1) } else { (self.failures + 1, 0) };
        if let Judges::Liveness { failure_threshold, .. } = plan(ctx).judges {
            return self.judge_liveness(ctx, failure_threshold, probed);
        }
        let Judges::Probes { failure_threshold, success_threshold } = plan(ctx).judges else { return };
        match self.watch {
            Watch::Well if self.failures >= failure_threshold => self.open(ctx, probed),
            Watch::Failing(_) if self.successes >= success_threshold => self.recover(ctx, Some(probed)),
            Watch::Recovered(incident) if self.failures >= failure_threshold => {
                ctx.note_own(What::IncidentRelapsed { incident }, Some(probed));
                self.watch = Watch::Failing(incident);
            }
            _ => {}
        }
    }

    fn open(&mut self, ctx: &mut Ctx, because: Seq) {
        let incident = ctx.next_incident();
        let opened = ctx.note_own(What::IncidentOpened { incident, failed_probes: self.failures }, Some(because));
        self.watch = Watch::Failing(incident);
        self.alert(ctx, incident, opened);
    }

    /// The target of the open incident is well again.
    fn recover(&mut self, ctx: &mut Ctx, because: Option<Seq>) {
        if let Watch::Failing(incident) = self.watch {
            ctx.note_own(What::IncidentRecovered { incident }, because);
            self.watch = Watch::Recovered(incident);
        }
    }

    /// Somebody resolved an incident: true if it was this monitor's open one.
    pub fn resolve(&mut self, ctx: &mut Ctx, incident: IncidentId) -> bool {
        let open = matches!(self.watch, Watch::Failing(open) | Watch::Recovered(open) if open == incident);
        if open {
            ctx.note_own(What::IncidentResolved { incident }, None);
            self.watch = Watch::Well;
            self.failures = 0;
        }
        open
    }
}

/// The monitor's plan.
fn plan(ctx: &Ctx) -> MonitorPlan {
    let Kind::Monitor(plan) = &ctx.core.plan.nodes[ctx.node.index()].kind else { unreachable!("a monitor's plan") };
    *plan
}
