//! Outlier detection: a host that fails again and again is put out of the balancing set for a while.
//!
//! Promise: a host leaves after `consecutive_5xx` errors in a row, never more hosts than `max_ejection_percent` are out (but
//! one may always be), and it returns at the first sweep after its time, which grows with every ejection in a row.
//! Semantics and defaults: Envoy's consecutive-5xx ejection. Left out: success rates, failure percentage, gateway
//! errors told from others, ejection jitter. Responses of a host that is out are ignored.

use crate::time::{Span, Time};

/// The parameters of outlier detection, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierDetectionParams {
    /// Errors in a row that eject. Default 5.
    pub consecutive_5xx: u32,
    /// A host is out for this times its ejections in a row. Default 30 s.
    pub base_ejection_time: Span,
    /// Of the hosts, so many may be out. Default 10 %.
    pub max_ejection_percent: f64,
    /// Time from one sweep to the next; the first is one interval after the start. Default 10 s.
    pub interval: Span,
    /// Nobody is out for longer. Default 300 s.
    pub max_ejection_time: Span,
}

impl Default for OutlierDetectionParams {
    fn default() -> OutlierDetectionParams {
        OutlierDetectionParams {
            consecutive_5xx: 5,
            base_ejection_time: Span::from_millis(30_000),
            max_ejection_percent: 10.0,
            interval: Span::from_millis(10_000),
            max_ejection_time: Span::from_millis(300_000),
        }
    }
}

/// Checked parameters of outlier detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierDetectionConfig(OutlierDetectionParams);

impl OutlierDetectionConfig {
    /// Checks the parameters.
    pub fn new(params: OutlierDetectionParams) -> Result<OutlierDetectionConfig, String> {
        if params.consecutive_5xx == 0 {
            return Err("consecutive_5xx is 0, so every host would be out: use at least 1".into());
        }
        if params.interval == Span::ZERO {
            return Err("the interval is 0: use a positive time such as 10 s".into());
        }
        if params.base_ejection_time == Span::ZERO {
            return Err("the base ejection time is 0, so nobody would be out: use a positive time such as 30 s".into());
        }
        if !(0.0..=100.0).contains(&params.max_ejection_percent) {
            return Err(format!("max_ejection_percent is {}: use 0 to 100", params.max_ejection_percent));
        }
        Ok(OutlierDetectionConfig(params))
    }

    /// The parameters.
    pub fn params(&self) -> OutlierDetectionParams {
        self.0
    }
}

/// The hosts of one cluster as one balancer sees them.
#[derive(Clone, Debug)]
pub struct OutlierDetection {
    config: OutlierDetectionConfig,
    hosts: Vec<Host>,
    next_sweep: Time,
}

#[derive(Clone, Copy, Debug)]
struct Host {
    state: State,
    /// Ejections in a row, less one for each quiet sweep since.
    multiplier: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    InService { errors_in_a_row: u32 },
    Ejected { until: Time },
}

/// A host was put out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Ejections in a row, this one included.
    pub multiplier: u32,
    /// It returns at the first sweep at or after this instant.
    pub until: Time,
}

impl OutlierDetection {
    /// All of `hosts` hosts are in service.
    pub fn new(config: OutlierDetectionConfig, hosts: u32) -> OutlierDetection {
        let host = Host { state: State::InService { errors_in_a_row: 0 }, multiplier: 0 };
        OutlierDetection { config, hosts: vec![host; hosts as usize], next_sweep: Time::ZERO + config.0.interval }
    }

    /// Whether a host may get requests.
    pub fn in_service(&self, host: u32) -> bool {
        matches!(self.hosts[host as usize].state, State::InService { .. })
    }

    /// A host answered well, or with a 5xx (not `ok`).
    pub fn on_response(&mut self, now: Time, host: u32, ok: bool) -> Option<Ejection> {
        let OutlierDetectionParams { consecutive_5xx, base_ejection_time, max_ejection_time, .. } = self.config.0;
        let may_eject = self.may_eject();
        let host = &mut self.hosts[host as usize];
        let State::InService { errors_in_a_row } = host.state else { return None };
        let errors_in_a_row = if ok { 0 } else { errors_in_a_row + 1 };
        let trips = errors_in_a_row >= consecutive_5xx;
        host.state = State::InService { errors_in_a_row: if trips { 0 } else { errors_in_a_row } };
        if !trips || !may_eject {
            return None;
        }
        // It stops growing at the cap, so that a host does not have to live down more than it was out for.
        let longest = max_ejection_time.max(base_ejection_time);
        if times(base_ejection_time, host.multiplier) < longest {
            host.multiplier += 1;
        }
        let until = now + times(base_ejection_time, host.multiplier).min(longest);
        host.state = State::Ejected { until };
        Some(Ejection { multiplier: host.multiplier, until })
    }

    /// When the next sweep is due.
    pub fn next_deadline(&self) -> Time {
        self.next_sweep
    }

    /// The first sweep at or after `from`.
    pub fn sweep_from(&self, from: Time) -> Time {
        let (next, interval) = (self.next_sweep, self.config.0.interval);
        if from <= next {
            return next;
        }
        next + Span::from_nanos(from.since(next).as_nanos().div_ceil(interval.as_nanos()) * interval.as_nanos())
    }

    /// The sweep that is due: the hosts that return, in order. A host that was in service since the sweep before lives one
    /// ejection down.
    pub fn on_sweep(&mut self) -> Vec<u32> {
        let now = self.next_sweep;
        self.next_sweep += self.config.0.interval;
        let mut returned = Vec::new();
        for (number, host) in (0..).zip(&mut self.hosts) {
            match host.state {
                State::InService { .. } => host.multiplier = host.multiplier.saturating_sub(1),
                State::Ejected { until } if until <= now => {
                    host.state = State::InService { errors_in_a_row: 0 };
                    returned.push(number);
                }
                State::Ejected { .. } => {}
            }
        }
        returned
    }

    /// Whether one more host may be out.
    fn may_eject(&self) -> bool {
        let ejected = self.hosts.iter().filter(|host| matches!(host.state, State::Ejected { .. })).count();
        let would_be_percent = (ejected + 1) as f64 * 100.0 / self.hosts.len() as f64;
        ejected == 0 || would_be_percent <= self.config.0.max_ejection_percent
    }
}

fn times(span: Span, factor: u32) -> Span {
    Span::from_nanos(span.as_nanos().saturating_mul(factor.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detection(percent: f64, max_ms: u64, hosts: u32) -> OutlierDetection {
        let params = OutlierDetectionParams {
            consecutive_5xx: 2,
            base_ejection_time: Span::from_millis(1_000),
            max_ejection_percent: percent,
            interval: Span::from_millis(500),
            max_ejection_time: Span::from_millis(max_ms),
        };
        OutlierDetection::new(OutlierDetectionConfig::new(params).unwrap(), hosts)
    }

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    #[test]
    fn ejections_in_a_row_last_longer_up_to_the_cap() {
        let mut detection = detection(100.0, 2_500, 1);
        let (mut now, mut lasted) = (at(0), Vec::new());
        for _ in 0..5 {
            detection.on_response(now, 0, false);
            let ejection = detection.on_response(now, 0, false).unwrap();
            lasted.push((ejection.multiplier, ejection.until.since(now).as_ms()));
            while !detection.in_service(0) {
                now = detection.next_deadline();
                detection.on_sweep();
            }
        }
        assert_eq!(lasted, [(1, 1_000.0), (2, 2_000.0), (3, 2_500.0), (3, 2_500.0), (3, 2_500.0)]);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut OutlierDetectionParams)| {
            let mut params = OutlierDetectionParams::default();
            change(&mut params);
            OutlierDetectionConfig::new(params).unwrap_err()
        };
        assert!(refused(|p| p.consecutive_5xx = 0).contains("consecutive_5xx"));
        assert!(refused(|p| p.interval = Span::ZERO).contains("interval"));
        assert!(refused(|p| p.base_ejection_time = Span::ZERO).contains("base ejection time"));
        assert!(refused(|p| p.max_ejection_percent = 101.0).contains("max_ejection_percent"));
    }

    proptest! {
        /// Never more hosts out than allowed, never anybody out without errors in a row, and everybody returns in time.
        #[test]
        fn the_promise_holds(
            percent in 0.0f64..100.0, hosts in 1u32..6,
            responses in prop::collection::vec((0u64..400, 0u32..6, any::<bool>()), 1..200),
        ) {
            let mut detection = detection(percent, 10_000, hosts);
            let (mut now, mut row, mut until) = (0, vec![0; hosts as usize], vec![None; hosts as usize]);
            for (gap, host, ok) in responses {
                now += gap;
                while detection.next_deadline() <= at(now) {
                    let sweep = detection.next_deadline();
                    for host in detection.on_sweep() {
                        prop_assert!(until[host as usize].take().is_some_and(|until| until <= sweep));
                        row[host as usize] = 0;
                    }
                    prop_assert!(until.iter().flatten().all(|until| *until > sweep));
                }
                let host = host % hosts;
                row[host as usize] = if ok { 0 } else { row[host as usize] + 1 };
                if let Some(ejection) = detection.on_response(at(now), host, ok) {
                    prop_assert!(row[host as usize] >= 2);
                    until[host as usize] = Some(ejection.until);
                }
                let out = (0..hosts).filter(|&host| !detection.in_service(host)).count();
                prop_assert!(out <= 1 || out as f64 * 100.0 <= percent * f64::from(hosts));
            }
        }
    }
}
