//! Burn-rate alerts: how fast is the error budget spent, and when does somebody hear of it?
//!
//! Promise: a rule fires exactly while the error ratios of both its trailing windows exceed burn x (1 - SLO): the long window
//! says that it matters, the short one that it still goes on. Source: SRE workbook, chapter 5. For one incident of constant
//! traffic and error ratio the instants are known in closed form: after long window x burn x (1 - SLO) / error ratio it
//! fires, about one short window after the end it is over.

/// Checked: a share of good requests that is promised, below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slo(f64);

impl Slo {
    /// An objective such as 0.999.
    pub fn new(objective: f64) -> Result<Slo, String> {
        if !(0.0..1.0).contains(&objective) {
            return Err(format!("the objective is {objective}: use at least 0 and less than 1, such as 0.999"));
        }
        Ok(Slo(objective))
    }

    /// The share of requests that may fail.
    pub fn budget(self) -> f64 {
        // The difference in decimals, so that 1 - 0.9 is 0.1 and a tie is a tie.
        ((1.0 - self.0) * 1e15).round() / 1e15
    }
}

/// Shares that differ by less are the same.
const ROUNDING: f64 = 1e-12;

/// A rule with checked parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurnRateRule {
    long_s: f64,
    short_s: f64,
    burn: f64,
}

impl BurnRateRule {
    /// Fires when the budget has been spent `burn` times too fast over both windows. For 30 days at 99.9 % the workbook
    /// has 14.4 over 1 h and 5 min, 6 over 6 h and 30 min (pages), 1 over 3 d and 6 h (ticket).
    pub fn new(long_s: f64, short_s: f64, burn: f64) -> Result<BurnRateRule, String> {
        for (name, value) in [("long window", long_s), ("short window", short_s), ("burn rate", burn)] {
            if !(value > 0.0 && value <= 1e12) {
                return Err(format!("the {name} is {value}: use a positive number"));
            }
        }
        Ok(BurnRateRule { long_s, short_s, burn })
    }

    /// How many times as fast as it may a window with this error ratio spends the budget.
    pub fn burn_rate(slo: Slo, error_ratio: f64) -> f64 {
        error_ratio / slo.budget()
    }

    /// Whether the rule fires, given the error ratios of its two windows.
    pub fn decide(&self, slo: Slo, long_ratio: f64, short_ratio: f64) -> bool {
        let threshold = self.burn * slo.budget();
        long_ratio > threshold && short_ratio > threshold
    }

    /// When the rule fires and clears if one incident happens to constant traffic with a clean history; None: never.
    pub fn alert(&self, slo: Slo, incident: Incident) -> Option<Alert> {
        let lasts_s = incident.to_s.map_or(f64::INFINITY, |to| to - incident.from_s);
        // A window exceeds while more than this share of it lies in the incident.
        let share = self.burn * slo.budget() / incident.error_ratio;
        let window = |window_s: f64| {
            let needed_s = window_s * share;
            let exceeds = share < 1.0 - ROUNDING && needed_s < lasts_s;
            exceeds.then(|| (incident.from_s + needed_s, incident.to_s.map(|to| to + window_s - needed_s)))
        };
        let ((long_from, long_to), (short_from, short_to)) = (window(self.long_s)?, window(self.short_s)?);
        let fires_at_s = long_from.max(short_from);
        let clears_at_s = long_to.zip(short_to).map(|(long, short)| long.min(short));
        let fires = clears_at_s.is_none_or(|clears| fires_at_s < clears);
        fires.then_some(Alert { fires_at_s, clears_at_s })
    }
}

/// A share of requests fails for some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// Share of requests that fail.
    pub error_ratio: f64,
    /// Its begin.
    pub from_s: f64,
    /// Its end, excluded; None: it never ends.
    pub to_s: Option<f64>,
}

impl Incident {
    /// The share of one period's error budget that it spends; None if it never ends.
    pub fn budget_spent(&self, slo: Slo, period_s: f64) -> Option<f64> {
        Some(self.error_ratio * (self.to_s? - self.from_s) / (slo.budget() * period_s))
    }
}

/// When a rule fires and clears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alert {
    /// When both windows begin to exceed.
    pub fires_at_s: f64,
    /// When one of them no longer does; None: never.
    pub clears_at_s: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_only_equals_the_threshold_does_not_exceed_it() {
        let incident = Incident { error_ratio: 0.1, from_s: 0.0, to_s: None };
        let rule = BurnRateRule::new(60.0, 10.0, 1.0).unwrap();
        assert_eq!(rule.alert(Slo::new(0.9).unwrap(), incident), None);
        assert!(!rule.decide(Slo::new(0.9).unwrap(), 0.1, 0.1));
    }

    #[test]
    fn the_workbooks_page_after_an_outage() {
        let (slo, page) = (Slo::new(0.999).unwrap(), BurnRateRule::new(3_600.0, 300.0, 14.4).unwrap());
        let half_hour = Incident { error_ratio: 0.2, from_s: 0.0, to_s: Some(1_800.0) };
        let alert = page.alert(slo, half_hour).unwrap();
        assert!((alert.fires_at_s - 259.2).abs() < 1e-6 && (alert.clears_at_s.unwrap() - 2_078.4).abs() < 1e-6);
        assert!((half_hour.budget_spent(slo, 2_592_000.0).unwrap() - 0.138_888_9).abs() < 1e-6);
        assert_eq!(page.alert(slo, Incident { error_ratio: 0.01, ..half_hour }), None);
        assert_eq!(page.alert(slo, Incident { error_ratio: 0.0, ..half_hour }), None);
        let endless = Incident { error_ratio: 1.0, from_s: 10.0, to_s: None };
        assert_eq!(page.alert(slo, endless).unwrap().clears_at_s, None);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(Slo::new(1.0).unwrap_err().contains("objective"));
        assert!(BurnRateRule::new(0.0, 1.0, 1.0).unwrap_err().contains("long window"));
        assert!(BurnRateRule::new(1.0, f64::NAN, 1.0).unwrap_err().contains("short window"));
        assert!(BurnRateRule::new(1.0, 1.0, -1.0).unwrap_err().contains("burn rate"));
    }

    proptest! {
        /// The closed form agrees with looking at both windows second by second.
        #[test]
        fn the_closed_form_is_what_the_rule_does(
            long in 1u32..200, short in 1u32..200, burn in 0.5f64..20.0, error_ratio in 0.01f64..1.0,
            from in 0u32..100, lasts in 1u32..300,
        ) {
            let (slo, rule) = (Slo::new(0.97).unwrap(), BurnRateRule::new(long.into(), short.into(), burn).unwrap());
            let incident = Incident { error_ratio, from_s: from.into(), to_s: Some((from + lasts).into()) };
            let alert = rule.alert(slo, incident);
            for now in 0..800 {
                let ratio = |window: u32| {
                    let (begin, end) = (i64::from(now).min((from + lasts).into()), i64::from(now) - i64::from(window));
                    (begin - end.max(from.into())).max(0) as f64 * error_ratio / f64::from(window)
                };
                let now = f64::from(now);
                let by_alert = alert.is_some_and(|alert| alert.fires_at_s < now && now < alert.clears_at_s.unwrap());
                let edge = alert.is_some_and(|alert| {
                    (alert.fires_at_s - now).abs() < 1e-6 || (alert.clears_at_s.unwrap() - now).abs() < 1e-6
                });
                prop_assert!(edge || rule.decide(slo, ratio(long), ratio(short)) == by_alert, "at {now}: {alert:?}");
            }
        }
    }
}
