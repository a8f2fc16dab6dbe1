//! A monitor: probes its target or counts its answers, opens an incident when it fails, and keeps its timeline.
//!
//! An incident is opened once and stays open until somebody resolves it; recovery and relapse are events on it.

use super::Happening;
use crate::blocks::Blocks;
use crate::engine::calls::Caller;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::stay::{Ask, CallEnd, Errand, Origin};
use crate::ids::{IncidentId, RequestId, Seq};
use crate::policy::burn_rate::{BurnRateRule, Slo};
use crate::scenario::{Judges, Kind};
use crate::trace::What;

/// A monitor's live state.
#[derive(Clone, Debug)]
pub struct Monitor {
    pub callers: Vec<Caller>,
    failures: u32,
    successes: u32,
    /// Requests of the target that had ended and failed at each look.
    looks: Blocks<(u32, u32)>,
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
        Monitor { callers, failures: 0, successes: 0, looks: Blocks::default(), watch: Watch::Well }
    }

    /// What it thinks of its target.
    pub fn watch(&self) -> Watch {
        self.watch
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::ProbeDue { call } if matches!(judges(ctx), Judges::BurnRate { .. }) => {
                self.look(ctx);
                ctx.schedule_probe(call);
            }
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
        let Judges::Probes { failure_threshold, success_threshold } = judges(ctx) else { return };
        match self.watch {
            Watch::Well if self.failures >= failure_threshold => self.open(ctx, probed),
            Watch::Failing(incident) if self.successes >= success_threshold => {
                ctx.note_own(What::IncidentRecovered { incident }, Some(probed));
                self.watch = Watch::Recovered(incident);
            }
            Watch::Recovered(incident) if self.failures >= failure_threshold => {
                ctx.note_own(What::IncidentRelapsed { incident }, Some(probed));
                self.watch = Watch::Failing(incident);
            }
            _ => {}
        }
    }

    /// Looks at what became of the target's requests since the last look. Each time the budget begins to burn, somebody
    /// is alerted.
    fn look(&mut self, ctx: &mut Ctx) {
        let Judges::BurnRate { slo, rule, looks, minimum_requests } = judges(ctx) else { return };
        let core = &*ctx.core;
        let targets = core.plan.nodes[ctx.node.index()].calls[0].targets.iter();
        let counted = targets.map(|target| core.counted[target.index()]);
        let (ended, failed, last_failure) = counted.fold((0, 0, None), |(ended, failed, last), counted| {
            (ended + counted.ended, failed + counted.failed, counted.last_failure.max(last))
        });
        let over = |looks: usize| {
            let before = self.looks.len().checked_sub(looks).and_then(|look| self.looks.get(look));
            before.map_or((ended, failed), |before| (ended - before.0, failed - before.1))
        };
        let [(requests, long), (_, short)] = looks.map(|looks| {
            let (ended, failed) = over(looks);
            (ended, f64::from(failed) / f64::from(ended.max(1)))
        });
        self.looks.push((ended, failed));
        let burns = requests >= minimum_requests && rule.decide(slo, long, short);
        match self.watch {
            Watch::Well if burns => {
                let burning = burning(ctx, slo, [long, short], last_failure);
                self.open(ctx, burning);
            }
            Watch::Recovered(incident) if burns => {
                let burning = burning(ctx, slo, [long, short], last_failure);
                let relapsed = ctx.note_own(What::IncidentRelapsed { incident }, Some(burning));
                ctx.note_own(What::AlertRaised { incident }, Some(relapsed));
                self.watch = Watch::Failing(incident);
            }
            Watch::Failing(incident) if !burns => {
                ctx.note_own(What::IncidentRecovered { incident }, None);
                self.watch = Watch::Recovered(incident);
            }
            _ => {}
        }
    }

    fn open(&mut self, ctx: &mut Ctx, because: Seq) {
        let incident = ctx.next_incident();
        let opened = ctx.note_own(What::IncidentOpened { incident, failed_probes: self.failures }, Some(because));
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

/// What the monitor goes by.
fn judges(ctx: &Ctx) -> Judges {
    let Kind::Monitor(plan) = &ctx.core.plan.nodes[ctx.node.index()].kind else { unreachable!("a monitor's plan") };
    plan.judges
}

/// Records that the budget burns too fast, with these error ratios over the long and the short window.
fn burning(ctx: &mut Ctx, slo: Slo, ratios: [f64; 2], cause: Option<Seq>) -> Seq {
    let [long_milli, short_milli] = ratios.map(|ratio| (BurnRateRule::burn_rate(slo, ratio) * 1e3) as u32);
    ctx.note_own(What::BudgetBurning { long_milli, short_milli }, cause)
}
