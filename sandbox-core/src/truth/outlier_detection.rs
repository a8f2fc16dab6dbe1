//! An `outlier_detection` model: responses of hosts in, ejections and returns out.

use super::read::{Ms, in_order, ms, read};
use super::{Answers, limits};
use crate::policy::outlier_detection::{OutlierDetection, OutlierDetectionConfig, OutlierDetectionParams};
use crate::scenario::{Problem, spec};
use crate::time::Time;
use serde_json::{Value, json};

spec! {
    struct Model {
        outlier_detection: OutlierDetectionModel,
        hosts: u32,
        responses: Vec<Response>,
    }
}

spec! {
    /// Outlier detection as a model writes it; what is absent is Envoy's default.
    #[derive(Copy)]
    pub struct OutlierDetectionModel {
        consecutive_5xx: u32,
        base_ejection_time_ms?: Option<Ms>,
        max_ejection_percent?: Option<f64>,
        interval_ms?: Option<Ms>,
        max_ejection_time_ms?: Option<Ms>,
    }
}

spec! {
    struct Response {
        t_ms: Ms,
        host: String,
        ok: bool,
    }
}

impl OutlierDetectionModel {
    /// The checked parameters, or what is wrong with them.
    pub fn config(self) -> Result<OutlierDetectionConfig, Problem> {
        let default = OutlierDetectionParams::default();
        let params = OutlierDetectionParams {
            consecutive_5xx: self.consecutive_5xx,
            base_ejection_time: self.base_ejection_time_ms.map_or(default.base_ejection_time, |time| time.0),
            max_ejection_percent: self.max_ejection_percent.unwrap_or(default.max_ejection_percent),
            interval: self.interval_ms.map_or(default.interval, |interval| interval.0),
            max_ejection_time: self.max_ejection_time_ms.map_or(default.max_ejection_time, |time| time.0),
        };
        OutlierDetectionConfig::new(params).map_err(|why| Problem::new("outlier_detection", why, "Mend the value."))
    }
}

/// `events`, up to the last response.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { outlier_detection, hosts, responses } = read(model)?;
    in_order("responses", responses.iter().map(|response| response.t_ms.time()))?;
    limits::at_most("hosts", hosts.into(), limits::HOSTS)?;
    let config = outlier_detection.config().map_err(|problem| vec![problem])?;
    let end = responses.last().map_or(Time::ZERO, |response| response.t_ms.time());
    let sweeps = end.as_nanos() / config.params().interval.as_nanos();
    limits::at_most("outlier_detection.interval_ms", sweeps * u64::from(hosts), limits::STEPS)?;
    let mut detection = OutlierDetection::new(config, hosts);
    let mut events = Vec::new();
    for (index, response) in responses.iter().enumerate() {
        let now = response.t_ms.time();
        let Some(host) = number(&response.host).filter(|number| *number < hosts) else {
            let (what, hint) = (format!("`{}` is no host", response.host), format!("Hosts are h1 to h{hosts}."));
            return Err(vec![Problem::new(format!("responses.{index}.host"), what, hint)]);
        };
        while detection.next_deadline() <= now {
            let at = ms(detection.next_deadline().since(Time::ZERO));
            let returned = detection.on_sweep();
            let event = |host| json!({"host": format!("h{}", host + 1), "action": "unejected", "t_ms": at});
            events.extend(returned.into_iter().map(event));
        }
        if let Some(ejection) = detection.on_response(now, host, response.ok) {
            events.push(json!({
                "host": response.host,
                "action": "ejected",
                "multiplier": ejection.multiplier,
                "t_ms": ms(now.since(Time::ZERO)),
                "earliest_return_ms": ms(ejection.until.since(Time::ZERO)),
            }));
        }
    }
    Ok(Answers::from_iter([("events".to_string(), events.into())]))
}

/// The number of host `h1`, `h2`, ..., from 0.
fn number(host: &str) -> Option<u32> {
    host.strip_prefix('h')?.parse::<u32>().ok()?.checked_sub(1)
}
