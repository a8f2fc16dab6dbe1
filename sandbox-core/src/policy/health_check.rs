//! Active health checks: probes in, a verdict out.
//!
//! Promise: an instance leaves after `unhealthy_threshold` failed probes in a row and returns after `healthy_threshold`
//! good ones in a row; one probe that disagrees starts the count again. Semantics and defaults: HAProxy's `check` with
//! `inter`, `fall` and `rise`. Left out: HAProxy's `fastinter` and `downinter`, slow start, and passive checks that
//! count the outcomes of real requests.

use crate::time::Span;

/// The parameters of a health check, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheckParams {
    /// Time from one probe to the next. Default 2 s (HAProxy `inter`).
    pub interval: Span,
    /// How long a probe may take before it counts as failed. Default 1 s (Kubernetes `timeoutSeconds`).
    pub timeout: Span,
    /// Failed probes in a row after which the instance gets no traffic. Default 3 (HAProxy `fall`).
    pub unhealthy_threshold: u32,
    /// Good probes in a row after which it gets traffic again. Default 2 (HAProxy `rise`).
    pub healthy_threshold: u32,
}

impl Default for HealthCheckParams {
    fn default() -> HealthCheckParams {
        HealthCheckParams {
            interval: Span::from_millis(2_000),
            timeout: Span::from_millis(1_000),
            unhealthy_threshold: 3,
            healthy_threshold: 2,
        }
    }
}

/// Checked parameters of a health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheckConfig(HealthCheckParams);

impl HealthCheckConfig {
    /// Checks the parameters.
    pub fn new(params: HealthCheckParams) -> Result<HealthCheckConfig, String> {
        if params.interval == Span::ZERO {
            return Err("the probe interval is 0: use a positive time such as 2 s".into());
        }
        if params.timeout == Span::ZERO {
            return Err("the probe timeout is 0, so every probe would fail: use a positive time such as 1 s".into());
        }
        if params.timeout > params.interval {
            return Err(format!(
                "the probe timeout ({} ms) is longer than the interval ({} ms), so probes would overlap: shorten the \
                 timeout or lengthen the interval",
                params.timeout.as_ms(),
                params.interval.as_ms()
            ));
        }
        if params.unhealthy_threshold == 0 || params.healthy_threshold == 0 {
            return Err("a health check threshold is 0: at least 1 probe must speak for a change".into());
        }
        Ok(HealthCheckConfig(params))
    }

    /// The parameters.
    pub fn params(&self) -> HealthCheckParams {
        self.0
    }
}

/// The health of one instance as its prober sees it.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    config: HealthCheckConfig,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Healthy { failed_in_a_row: u32 },
    Unhealthy { passed_in_a_row: u32 },
}

/// A change of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthTransition {
    /// The instance may get traffic again.
    BecameHealthy,
    /// The instance gets no more traffic.
    BecameUnhealthy,
}

impl HealthCheck {
    /// A check that believes its instance healthy until probes say otherwise.
    pub fn new(config: HealthCheckConfig) -> HealthCheck {
        HealthCheck { config, state: State::Healthy { failed_in_a_row: 0 } }
    }

    /// Whether the instance should get traffic.
    pub fn healthy(&self) -> bool {
        matches!(self.state, State::Healthy { .. })
    }

    /// A probe came back (`ok`), or failed or timed out (not `ok`).
    pub fn on_probe(&mut self, ok: bool) -> Option<HealthTransition> {
        let HealthCheckParams { unhealthy_threshold, healthy_threshold, .. } = self.config.0;
        let (state, transition) = match self.state {
            State::Healthy { .. } if ok => (State::Healthy { failed_in_a_row: 0 }, None),
            State::Healthy { failed_in_a_row } if failed_in_a_row + 1 >= unhealthy_threshold => {
                (State::Unhealthy { passed_in_a_row: 0 }, Some(HealthTransition::BecameUnhealthy))
            }
            State::Healthy { failed_in_a_row } => (State::Healthy { failed_in_a_row: failed_in_a_row + 1 }, None),
            State::Unhealthy { .. } if !ok => (State::Unhealthy { passed_in_a_row: 0 }, None),
            State::Unhealthy { passed_in_a_row } if passed_in_a_row + 1 >= healthy_threshold => {
                (State::Healthy { failed_in_a_row: 0 }, Some(HealthTransition::BecameHealthy))
            }
            State::Unhealthy { passed_in_a_row } => (State::Unhealthy { passed_in_a_row: passed_in_a_row + 1 }, None),
        };
        self.state = state;
        transition
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check() -> HealthCheck {
        HealthCheck::new(HealthCheckConfig::new(HealthCheckParams::default()).unwrap())
    }

    #[test]
    fn falls_after_three_and_rises_after_two() {
        let mut check = check();
        let verdicts: Vec<_> = [false, false, true, false, false, false, true, false, true, true]
            .map(|ok| check.on_probe(ok))
            .into_iter()
            .collect();
        let mut expected = [None; 10];
        expected[5] = Some(HealthTransition::BecameUnhealthy);
        expected[9] = Some(HealthTransition::BecameHealthy);
        assert_eq!(verdicts, expected);
        assert!(check.healthy());
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut HealthCheckParams)| {
            let mut params = HealthCheckParams::default();
            change(&mut params);
            HealthCheckConfig::new(params).unwrap_err()
        };
        assert!(refused(|p| p.interval = Span::ZERO).contains("interval"));
        assert!(refused(|p| p.timeout = Span::ZERO).contains("timeout"));
        assert!(refused(|p| p.timeout = Span::from_millis(2_001)).contains("overlap"));
        assert!(refused(|p| p.healthy_threshold = 0).contains("threshold"));
    }

    proptest! {
        /// The verdict changes exactly when the last `threshold` probes since the change agree against it.
        #[test]
        fn only_a_full_row_changes_the_verdict(probes in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut check = check();
            let mut row = Vec::new();
            for ok in probes {
                let before = check.healthy();
                let needed = if before { 3 } else { 2 };
                row.push(ok);
                let full = row.len() >= needed && row[row.len() - needed..].iter().all(|&seen| seen != before);
                let transition = check.on_probe(ok);
                prop_assert_eq!(transition.is_some(), full);
                prop_assert_eq!(check.healthy() != before, full);
                if full {
                    row.clear();
                }
            }
        }
    }
}
