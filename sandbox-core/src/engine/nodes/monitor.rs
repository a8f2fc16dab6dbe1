//! A monitor: probes its target, opens an incident when it fails, and keeps its timeline.
//!
//! An incident is opened once and stays open until somebody resolves it; recovery and relapse are events on it.

use super::Happening;
use crate::engine::calls::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Errand, Origin};
use crate::ids::{IncidentId, RequestId, Seq};
use crate::scenario::Kind;
use crate::trace::What;

/// A monitor's live state.
#[derive(Clone, Debug)]
pub struct Monitor {
    pub callers: Vec<Caller>,
    failures: u32,
    successes: u32,
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
        Monitor { callers, failures: 0, successes: 0, watch: Watch::Well }
    }

    /// What it thinks of its target.
    pub fn watch(&self) -> Watch {
        self.watch
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::ProbeDue { call } => {
                let slot = ctx.begin_root(RequestId::NONE, Ask::Probe, Origin::Probe(0), What::ProbeBegan);
                let errand = Errand::handed_on(ctx.stay(slot), Ask::Probe);
                if let Some((slot, end)) = self.callers[call as usize].begin(ctx, slot, errand) {
                    self.on_probed(ctx, slot, end);
                }
                ctx.schedule_probe(call);
            }
            _ => unreachable!("a monitor only asks"),
        }
    }

    pub fn on_probed(&mut self, ctx: &mut Ctx, slot: Slot, end: CallEnd) {
        let ok = matches!(end, CallEnd::Replied(reply) if reply.status.is_success());
        let probed = ctx.note(slot, What::Probed { ok });
        ctx.core.stays.remove(slot);
        (self.failures, self.successes) = if ok { (0, self.successes + 1) } else { (self.failures + 1, 0) };
        let plan = ctx.core.plan.clone();
        let Kind::Monitor(plan) = &plan.nodes[ctx.node.index()].kind else { unreachable!("a monitor's plan") };
        match self.watch {
            Watch::Well if self.failures >= plan.failure_threshold => self.open(ctx, probed),
            Watch::Failing(incident) if self.successes >= plan.success_threshold => {
                ctx.note_own(What::IncidentRecovered { incident }, Some(probed));
                self.watch = Watch::Recovered(incident);
            }
            Watch::Recovered(incident) if self.failures >= plan.failure_threshold => {
                ctx.note_own(What::IncidentRelapsed { incident }, Some(probed));
                self.watch = Watch::Failing(incident);
            }
            _ => {}
        }
    }

    fn open(&mut self, ctx: &mut Ctx, probed: Seq) {
        let incident = ctx.next_incident();
        let opened = ctx.note_own(What::IncidentOpened { incident, failed_probes: self.failures }, Some(probed));
        ctx.note_own(What::AlertRaised { incident }, Some(opened));
        self.watch = Watch::Failing(incident);
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
