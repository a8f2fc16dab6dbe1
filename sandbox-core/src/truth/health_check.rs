//! A `health_check` model: results of probes in, changes of the verdict out.

use super::Answers;
use super::read::{Ms, ms, read};
use crate::policy::health_check::{HealthCheck, HealthCheckConfig, HealthCheckParams, HealthTransition};
use crate::scenario::{Problem, spec};
use crate::time::Span;
use serde_json::{Value, json};

spec! {
    struct Model {
        health_check: Parameters,
        _initial as "initial": Initial,
        probe_results: Vec<ProbeResult>,
    }
}

spec! {
    struct Parameters {
        interval_ms: Ms,
        timeout_ms: Ms,
        unhealthy_threshold: u32,
        healthy_threshold: u32,
    }
}

spec! {
    /// Every instance is believed healthy at first.
    enum Initial {
        Up,
    }
}

spec! {
    enum ProbeResult {
        Ok,
        Refused,
        Timeout,
    }
}

/// `transitions`. Probe k is sent at k intervals; a time-out is known a timeout later.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { health_check, probe_results, .. } = read(model)?;
    let params = HealthCheckParams {
        interval: health_check.interval_ms.0,
        timeout: health_check.timeout_ms.0,
        unhealthy_threshold: health_check.unhealthy_threshold,
        healthy_threshold: health_check.healthy_threshold,
    };
    let config = HealthCheckConfig::new(params);
    let mut check = HealthCheck::new(config.map_err(|why| vec![Problem::new("health_check", why, "Mend the value.")])?);
    let (mut sent_at, mut transitions) = (Span::ZERO, Vec::new());
    for result in probe_results {
        let known_at = match result {
            ProbeResult::Timeout => sent_at + params.timeout,
            ProbeResult::Ok | ProbeResult::Refused => sent_at,
        };
        let to = match check.on_probe(matches!(result, ProbeResult::Ok)) {
            Some(HealthTransition::BecameHealthy) => Some("up"),
            Some(HealthTransition::BecameUnhealthy) => Some("down"),
            None => None,
        };
        transitions.extend(to.map(|to| json!({"t_ms": ms(known_at), "to": to})));
        sent_at += params.interval;
    }
    Ok(Answers::from_iter([("transitions".to_string(), transitions.into())]))
}
