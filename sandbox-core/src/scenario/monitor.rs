//! Monitors: probes, burn rates, alert rules.

use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{BalancerSpec, CallPlan, CallSpec, Kind, NodePlan, NodeSpec, RoutePlan, SourceSpec, limits};
use crate::ids::{NodeId, RouteId};
use crate::policy::alert_rule::{AlertRule, Side};
use crate::policy::burn_rate::{BurnRateRule, Slo};
use crate::rng::name_hash;
use crate::time::Span;

spec! {
    /// Watches a node and opens an incident when it fails: by probes (`timeout_ms` and the two thresholds), by how fast the
    /// error budget burns (`burn_rate`), or by a rule over a number (`alert`); one of the three.
    pub struct MonitorSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The node that is watched.
        pub target: String,
        /// Time between two probes, or between two looks at the counts.
        pub interval_s: f64,
        /// A probe without an answer after this long has failed.
        pub timeout_ms?: Option<f64>,
        /// Failed probes in a row until an incident is opened.
        pub failure_threshold?: Option<u32>,
        /// Good probes in a row until it counts as recovered.
        pub success_threshold?: Option<u32>,
        /// Counts answers instead of probing.
        pub burn_rate?: Option<BurnRateSpec>,
        /// Looks at a number instead of probing.
        pub alert?: Option<AlertSpec>,
        /// How an alert reaches somebody; absent: it does so at once.
        pub deliver?: Option<DeliverSpec>,
    }
}

spec! {
    /// An alert rule over a number, looked at every `interval_s` (ARCHITECTURE.md, "Policies"). A window that reaches back
    /// before the run ends there.
    pub struct AlertSpec {
        /// What is looked at.
        pub of: WatchedSpec,
        /// How the values of the window become one number.
        pub number as "as": AlertNumberSpec,
        /// Length of the window.
        pub window_s: f64,
        /// It is a reason to alert above this.
        pub above?: Option<f64>,
        /// It is a reason to alert below this; with `count` and 1 an alert about silence (a dead-man switch).
        pub below?: Option<f64>,
        /// It fires when that has held at every look for this long.
        pub for_s?: f64,
        /// It is over only at this or on the quiet side of it; absent: at the threshold.
        pub clear_at?: Option<f64>,
        /// It is over when that has held at every look for this long.
        pub keep_firing_s?: f64,
        /// Fewer values than this in the window say nothing; `count` and `sum` always do.
        pub minimum: u32 = 1,
    }
}

spec! {
    /// What an alert rule looks at.
    pub enum WatchedSpec {
        /// Of each request of the target 1 if it failed, else 0. Of a client a request fails without being at fault, of any
        /// other node with an answer of 500 and above.
        Failures,
        /// Of each request of the target how long it took, in seconds.
        LatencyS,
        /// The values that programs observe of this signal.
        Observed(String),
    }
}

spec! {
    /// How the values of a window become one number.
    pub enum AlertNumberSpec {
        /// Their mean: of failures the share.
        Mean,
        /// All together.
        Sum,
        /// How many there are.
        Count,
        /// The median.
        P50,
        /// Nine in ten are no larger.
        P90,
        /// 95 in a hundred are no larger.
        P95,
        /// 99 in a hundred are no larger.
        P99,
    }
}

spec! {
    /// How an alert reaches somebody: as a call of a service, whose answer is the acknowledgement.
    pub struct DeliverSpec {
        /// The service: whoever pages people, with all that he depends on.
        pub to: String,
        /// Its route.
        pub route: String,
        /// How it is called.
        pub call?: CallSpec,
    }
}

spec! {
    /// A burn-rate rule (SRE workbook, chapter 5; ARCHITECTURE.md, "Policies"): an alert when over both windows the share of
    /// failures is more than `rate` times what the objective leaves; for 30 days the workbook has 14.4 over 1 h and 5 min, 6
    /// over 6 h and 30 min. Of a client the requests that failed without being at fault count, of any other node answers
    /// of 500 and above. A window that reaches back before the run ends there.
    #[derive(Copy)]
    pub struct BurnRateSpec {
        /// The share of requests that are to succeed, such as 0.999.
        pub objective: f64,
        /// The long window: enough of the budget is at stake.
        pub long_window_s: f64,
        /// The short window: it still goes on.
        pub short_window_s: f64,
        /// So many times as fast as it may the budget is spent; with equal windows a plain threshold.
        pub rate: f64,
        /// Fewer requests than this in the long window say nothing.
        pub minimum_requests: u32 = 1,
    }
}

/// A monitor. Its target is the first entry of the node's `calls`; who gets its alerts, if somebody does, the second.
#[derive(Clone, Copy, Debug)]
pub struct MonitorPlan {
    /// Time between probes, or looks.
    pub interval: Span,
    /// What it goes by.
    pub judges: Judges,
    /// The route by which alerts are delivered; None: they need no delivery.
    pub deliver: Option<RouteId>,
}

/// Something that alert rules look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Watched {
    /// Whether the requests of these nodes fail.
    Failures(Vec<NodeId>),
    /// How long the requests of these nodes take.
    Latency(Vec<NodeId>),
    /// A declared signal, by its position.
    Observed(u16),
}

/// How the values of a window become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertNumber {
    /// Their mean.
    Mean,
    /// All together.
    Sum,
    /// How many there are.
    Count,
    /// A quantile, in thousandths.
    Quantile(u16),
}

/// What a monitor goes by.
#[derive(Clone, Copy, Debug)]
pub enum Judges {
    /// Probes.
    Probes {
        /// Failures in a row until an incident.
        failure_threshold: u32,
        /// Successes in a row until recovery.
        success_threshold: u32,
    },
    /// Probes whose failure restarts the target.
    Liveness {
        /// Failures in a row.
        failure_threshold: u32,
        /// The route that is asked; None: no work of the target is needed.
        route: Option<RouteId>,
    },
    /// The answers of its target.
    BurnRate {
        /// What is promised.
        slo: Slo,
        /// When the budget burns too fast.
        rule: BurnRateRule,
        /// Looks in the long and in the short window.
        looks: [usize; 2],
        /// Requests in the long window that say something.
        minimum_requests: u32,
    },
    /// A number.
    Alert {
        /// Position among what is watched.
        watched: usize,
        /// How its values become a number.
        number: AlertNumber,
        /// When that is a reason to alert.
        rule: AlertRule,
        /// Looks in the window.
        looks: usize,
        /// Values in the window that say something.
        minimum: u32,
    },
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn monitor(&mut self, id: &str, monitor: &MonitorSpec, routes: &[RoutePlan]) {
        let in_monitors = Path::new("monitors");
        let path = in_monitors.at(id);
        self.within(&path.at("interval_s"), monitor.interval_s, 0.001, limits::DURATION_S);
        let mut targets = vec!["gateway", "service", "cache", "store", "queue", "database"];
        let looks = monitor.burn_rate.is_some() || monitor.alert.is_some();
        if looks {
            targets.push("client");
        }
        self.refuse_unless(&path.at("target"), &monitor.target, "a monitor", &targets);
        let name = format!("monitor-{id}");
        let spec = CallSpec {
            timeout_ms: monitor.timeout_ms,
            balancer: Some(BalancerSpec::RoundRobin {}),
            ..CallSpec::default()
        };
        let mut calls = vec![self.call(&path, &path.at("target"), &monitor.target, &spec)];
        let judges = match (&monitor.burn_rate, &monitor.alert) {
            (Some(burn_rate), _) => self.burn_rate(&path, monitor, burn_rate),
            (None, Some(alert)) => self.alert(&path, monitor, alert, &calls[0].targets),
            (None, None) => self.probes(&path, monitor),
        };
        let deliver = monitor.deliver.as_ref().and_then(|deliver| self.deliver(&path, deliver, &mut calls, routes));
        let judges = judges.unwrap_or(Judges::Probes { failure_threshold: 1, success_threshold: 1 });
        let interval = Span::from_seconds(monitor.interval_s);
        self.nodes.push(NodePlan {
            hash: name_hash(&name),
            group: name.clone(),
            id: name,
            title: monitor.title.clone().unwrap_or_else(|| format!("Monitor of {}", monitor.target)),
            kind: Kind::Monitor(MonitorPlan { interval, judges, deliver }),
            calls,
        });
    }

    #[inline]
    fn probes(&mut self, path: &Path, monitor: &MonitorSpec) -> Option<Judges> {
        let MonitorSpec { timeout_ms, failure_threshold, success_threshold, .. } = monitor;
        let (&Some(timeout_ms), &Some(failures), &Some(successes)) = (timeout_ms, failure_threshold, success_threshold)
        else {
            let hint = "Give `timeout_ms`, `failure_threshold` and `success_threshold`, or `burn_rate`, or `alert`.";
            self.problem(path, "says neither how it probes nor what it counts", hint);
            return None;
        };
        self.above_zero(&path.at("timeout_ms"), timeout_ms, 3_600_000.0);
        self.within(&path.at("failure_threshold"), f64::from(failures), 1.0, 1_000.0);
        self.within(&path.at("success_threshold"), f64::from(successes), 1.0, 1_000.0);
        Some(Judges::Probes { failure_threshold: failures, success_threshold: successes })
    }

    #[inline]
    fn burn_rate(&mut self, path: &Path, monitor: &MonitorSpec, spec: &BurnRateSpec) -> Option<Judges> {
        let MonitorSpec { interval_s, .. } = monitor;
        if monitor.alert.is_some() {
            self.problem(&path.at("alert"), "does not go with `burn_rate`", "Make two monitors of it.");
        }
        self.refuse_probes(path, "burn_rate", monitor);
        let path = path.at("burn_rate");
        let mut fit = self.above_zero(&path.at("rate"), spec.rate, 1e12);
        for (name, window_s) in [("long_window_s", spec.long_window_s), ("short_window_s", spec.short_window_s)] {
            fit &= self.within(&path.at(name), window_s, interval_s.max(0.001), limits::DURATION_S);
        }
        let slo = self.taken(&path.at("objective"), Slo::new(spec.objective))?;
        if !fit {
            return None;
        }
        let rule = self.taken(&path, BurnRateRule::new(spec.long_window_s, spec.short_window_s, spec.rate))?;
        let looks = [spec.long_window_s, spec.short_window_s].map(|window_s| (window_s / interval_s).round() as usize);
        Some(Judges::BurnRate { slo, rule, looks, minimum_requests: spec.minimum_requests })
    }

    #[inline]
    fn refuse_probes(&mut self, path: &Path, rule: &str, monitor: &MonitorSpec) {
        let MonitorSpec { timeout_ms, failure_threshold, success_threshold, .. } = monitor;
        if timeout_ms.is_some() || failure_threshold.is_some() || success_threshold.is_some() {
            let hint = "Take `timeout_ms`, `failure_threshold` and `success_threshold` out: it does not probe.";
            self.problem(&path.at(rule), "does not go with probes", hint);
        }
    }

    #[inline]
    fn alert(&mut self, path: &Path, monitor: &MonitorSpec, spec: &AlertSpec, targets: &[NodeId]) -> Option<Judges> {
        self.refuse_probes(path, "alert", monitor);
        let path = path.at("alert");
        let interval_s = monitor.interval_s;
        let mut fit = self.within(&path.at("window_s"), spec.window_s, interval_s.max(0.1), limits::DURATION_S);
        for (name, span_s) in [("for_s", spec.for_s), ("keep_firing_s", spec.keep_firing_s)] {
            fit &= self.within(&path.at(name), span_s, 0.0, limits::DURATION_S);
        }
        let rules = self.spec.monitors.values().filter(|monitor| monitor.alert.is_some()).count();
        if rules > limits::ALERTS {
            self.problem(&path, format!("{rules} rules are too many"), format!("At most {}.", limits::ALERTS));
        }
        if interval_s < 0.1 {
            self.problem(&path, "looks too often", "Let `interval_s` of the monitor be at least 0.1.");
        }
        let (side, threshold) = match (spec.above, spec.below) {
            (Some(above), None) => (Side::Above, above),
            (None, Some(below)) => (Side::Below, below),
            _ => {
                self.problem(&path, "has no side, or two", "Give either `above` or `below`.");
                return None;
            }
        };
        let watched = self.watched(&path.at("of"), &spec.of, targets)?;
        if !fit {
            return None;
        }
        let (hold, keep) = (Span::from_seconds(spec.for_s), Span::from_seconds(spec.keep_firing_s));
        let rule = AlertRule::new(side, threshold, spec.clear_at.unwrap_or(threshold), hold, keep);
        let rule = self.taken(&path, rule)?;
        let looks = (spec.window_s / interval_s).round() as usize;
        let number = match spec.number {
            AlertNumberSpec::Mean => AlertNumber::Mean,
            AlertNumberSpec::Sum => AlertNumber::Sum,
            AlertNumberSpec::Count => AlertNumber::Count,
            AlertNumberSpec::P50 => AlertNumber::Quantile(500),
            AlertNumberSpec::P90 => AlertNumber::Quantile(900),
            AlertNumberSpec::P95 => AlertNumber::Quantile(950),
            AlertNumberSpec::P99 => AlertNumber::Quantile(990),
        };
        Some(Judges::Alert { watched, number, rule, looks, minimum: spec.minimum })
    }

    /// What an alert rule looks at: its position in the plan. Rules that look at the same share it.
    #[inline]
    fn watched(&mut self, path: &Path, of: &WatchedSpec, targets: &[NodeId]) -> Option<usize> {
        let watched = match of {
            WatchedSpec::Failures => Watched::Failures(targets.to_vec()),
            WatchedSpec::LatencyS => Watched::Latency(targets.to_vec()),
            WatchedSpec::Observed(signal) => {
                let declared = self.spec.metrics.iter().position(|(name, _)| name == signal);
                let observed = |place: &usize| {
                    self.spec.metrics.values().nth(*place).is_some_and(|signal| signal.source == SourceSpec::Observed)
                };
                let Some(place) = declared.filter(observed) else {
                    let hint = "Declare it in `metrics` with source `observed`.";
                    self.problem(path, format!("there is no observed signal `{signal}`"), hint);
                    return None;
                };
                Watched::Observed(place as u16)
            }
        };
        let known = self.watched.iter().position(|known| *known == watched);
        Some(known.unwrap_or_else(|| {
            self.watched.push(watched);
            self.watched.len() - 1
        }))
    }

    /// How alerts are delivered: a second call of the monitor, and its route.
    #[inline]
    fn deliver(
        &mut self,
        path: &Path,
        spec: &DeliverSpec,
        calls: &mut Vec<CallPlan>,
        routes: &[RoutePlan],
    ) -> Option<RouteId> {
        let path = path.at("deliver");
        self.refuse_unless(&path.at("to"), &spec.to, "a monitor", &["service"]);
        if spec.call.health_check.is_some() {
            let hint = "Take it out: a monitor calls only when it has something to say.";
            self.problem(&path.at("call.health_check"), "has no place here", hint);
        }
        calls.push(self.call(&path.at("call"), &path.at("to"), &spec.to, &spec.call));
        let served = match self.spec.nodes.get(&spec.to) {
            Some(NodeSpec::Service(service)) => service.routes.contains_key(&spec.route),
            _ => true,
        };
        if !served {
            let what = format!("`{}` has no route `{}`", spec.to, spec.route);
            self.problem(&path.at("route"), what, "Add it to the service's `routes`.");
        }
        routes.iter().position(|route| route.name == spec.route).map(|index| RouteId(index as u8))
    }
}
