//! Looks at numbers: what became of the target's requests, or the values that an alert rule is about.

use super::{Monitor, Watch, plan};
use crate::blocks::Blocks;
use crate::engine::ctx::Ctx;
use crate::engine::watch::Window;
use crate::ids::Seq;
use crate::policy::alert_rule::{AlertRule, AlertState};
use crate::policy::burn_rate::{BurnRateRule, Slo};
use crate::scenario::{AlertNumber, Judges};
use crate::trace::What;

/// What a monitor keeps of its looks.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    /// Requests of the target that had ended and failed at each look.
    ended: Blocks<(u32, u32)>,
    window: Window,
    state: AlertState,
    /// The record of when the number of the rule last went beyond its threshold.
    broken: Option<Seq>,
}

impl Monitor {
    /// Looks at its numbers. Each time they begin to be a reason, somebody is alerted.
    pub(super) fn look(&mut self, ctx: &mut Ctx) {
        match plan(ctx).judges {
            Judges::BurnRate { slo, rule, looks, minimum_requests } => {
                self.look_at_budget(ctx, slo, rule, looks, minimum_requests);
            }
            Judges::Alert { watched, number, rule, looks, minimum } => {
                self.look_at_number(ctx, watched, number, rule, looks, minimum);
            }
            Judges::Probes { .. } | Judges::Liveness { .. } => unreachable!("who probes does not look"),
        }
    }

    fn look_at_budget(
        &mut self,
        ctx: &mut Ctx,
        slo: Slo,
        rule: BurnRateRule,
        looks: [usize; 2],
        minimum_requests: u32,
    ) {
        let core = &*ctx.core;
        let targets = core.plan.nodes[ctx.node.index()].calls[0].targets.iter();
        let counted = targets.map(|target| core.counted[target.index()]);
        let (ended, failed, last_failure) = counted.fold((0, 0, None), |(ended, failed, last), counted| {
            (ended + counted.ended, failed + counted.failed, counted.last_failure.max(last))
        });
        let over = |looks: usize| {
            let before = self.looks.ended.len().checked_sub(looks).and_then(|look| self.looks.ended.get(look));
            before.map_or((ended, failed), |before| (ended - before.0, failed - before.1))
        };
        let [(requests, long), (_, short)] = looks.map(|looks| {
            let (ended, failed) = over(looks);
            (ended, f64::from(failed) / f64::from(ended.max(1)))
        });
        self.looks.ended.push((ended, failed));
        let burns = requests >= minimum_requests && rule.decide(slo, long, short);
        if !burns {
            self.recover(ctx, None);
        } else if !matches!(self.watch, Watch::Failing(_)) {
            let [long_milli, short_milli] =
                [long, short].map(|ratio| (BurnRateRule::burn_rate(slo, ratio) * 1e3) as u32);
            let burning = ctx.note_own(What::BudgetBurning { long_milli, short_milli }, last_failure);
            self.fire(ctx, burning);
        }
    }

    fn look_at_number(
        &mut self,
        ctx: &mut Ctx,
        watched: usize,
        number: AlertNumber,
        rule: AlertRule,
        looks: usize,
        minimum: u32,
    ) {
        let values = &ctx.core.watched[watched];
        let latest = values.latest;
        let found = self.looks.window.look(values, looks, number, minimum);
        let before = self.looks.state;
        self.looks.state = before.after(&rule, ctx.now(), found);
        if let (AlertState::Quiet, Some(number)) = (before, found.filter(|number| rule.is_beyond(*number))) {
            // Silence has no latest value that would explain it: a fault does, if there is one.
            let because = if number == 0.0 { ctx.latest_fault().or(latest) } else { latest };
            self.looks.broken = Some(ctx.note_own(What::RuleBroken { number }, because));
        }
        match self.looks.broken {
            Some(broken) if self.looks.state.fires() && !matches!(self.watch, Watch::Failing(_)) => {
                self.fire(ctx, broken);
            }
            _ if !self.looks.state.fires() => self.recover(ctx, None),
            _ => {}
        }
    }

    /// There is a reason to alert: the incident is opened, or the open one relapses.
    fn fire(&mut self, ctx: &mut Ctx, because: Seq) {
        match self.watch {
            Watch::Recovered(incident) => {
                let relapsed = ctx.note_own(What::IncidentRelapsed { incident }, Some(because));
                self.watch = Watch::Failing(incident);
                self.alert(ctx, incident, relapsed);
            }
            _ => self.open(ctx, because),
        }
    }
}
