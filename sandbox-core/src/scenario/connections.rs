//! The connections that calls go over: as written, and checked.

use super::dist::{Dist, DistSpec};
use super::limits;
use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{CallSpec, NodeSpec};
use crate::time::Span;

spec! {
    /// The connections of a caller with each instance of its callee, one call at a time on each (HTTP/1.1). Each user of a
    /// client has connections of his own.
    pub struct ConnectionsSpec {
        /// What it takes to open one.
        pub handshake?: HandshakeSpec,
        /// Idle connections that are kept for later calls, with each instance; the one used last is used first. 0: each call
        /// opens one and closes it. Absent: any number.
        pub max_idle?: Option<u32>,
        /// The caller closes a connection that has been idle for so long; absent: never.
        pub idle_timeout_s?: Option<f64>,
        /// The callee does (its keep-alive timeout: 5 s in Node.js, 75 s in nginx); absent: never. A call that sets out before
        /// its caller knows of it is answered with a reset, which is a 502.
        pub keep_alive_timeout_s?: Option<f64>,
        /// How long the caller takes to act on the callee's closing, on top of the way.
        pub notice_ms?: f64,
        /// No call begins on a connection that is older than this, and an idle one is closed; absent: at any age.
        pub max_age_s?: Option<f64>,
        /// Each age is drawn from (1 - j) to (1 + j) times that.
        pub age_jitter?: f64,
        /// Local ports for connections with one instance, such as the 28232 of Linux; a call that finds none fails at once.
        /// Absent: any number.
        pub ports?: Option<u32>,
        /// How long the port of a connection that its caller closed stays taken (TIME_WAIT).
        pub time_wait_s: f64 = 60.0,
    }
}

spec! {
    /// What it takes to open a connection.
    pub struct HandshakeSpec {
        /// Round trips before the request is sent: 1 for TCP, 2 with TLS 1.3 (RFC 8446), 3 with TLS 1.2.
        pub round_trips: u32 = 1,
        /// The caller's computing; it holds no worker of its own. Absent: none.
        pub caller?: Option<DistSpec>,
        /// The callee's computing, which needs a worker there: it is done before the first request. Absent: none.
        pub callee?: Option<DistSpec>,
    }
}

impl Default for HandshakeSpec {
    fn default() -> HandshakeSpec {
        HandshakeSpec { round_trips: 1, caller: None, callee: None }
    }
}

/// The connections of a caller with each instance of its callee.
#[derive(Clone, Debug)]
pub struct ConnectionsPlan {
    /// Round trips before the request is sent.
    pub round_trips: u32,
    /// Computing of a handshake: the caller's and the callee's.
    pub computing: [Option<Dist>; 2],
    /// Idle connections that are kept; None: any number.
    pub max_idle: Option<u32>,
    /// The caller closes an idle connection after so long.
    pub idle_timeout: Option<Span>,
    /// The callee does.
    pub keep_alive_timeout: Option<Span>,
    /// How long the caller takes to act on that.
    pub notice: Span,
    /// How old a connection may become, and how far that goes either way.
    pub max_age: Option<(Span, f64)>,
    /// Local ports; None: any number.
    pub ports: Option<u32>,
    /// How long a port stays taken.
    pub time_wait: Span,
}

impl Planner<'_> {
    /// The connections of a call to the nodes of `group`.
    #[inline]
    pub(super) fn connections(&mut self, path: &Path, group: &str, spec: &ConnectionsSpec) -> ConnectionsPlan {
        let callee = self.spec.nodes.get(group);
        match callee {
            Some(NodeSpec::Store(_) | NodeSpec::Database(_)) => {
                let hint = "Take it out: the connections of a store or a database are its own.";
                self.problem(path, "does not go with a database", hint);
            }
            Some(NodeSpec::Cache(cache)) if cache.local => {
                self.problem(path, "does not go with a cache in the caller's own memory", "Take it out.");
            }
            _ => {}
        }
        let handshake = &spec.handshake;
        let trips = path.at("handshake.round_trips");
        self.within(&trips, f64::from(handshake.round_trips), 0.0, 10.0);
        if handshake.callee.is_some()
            && callee.is_some_and(|node| !matches!(node, NodeSpec::Gateway(_) | NodeSpec::Service(_)))
        {
            let hint = "Take it out: only a gateway or a service computes.";
            self.problem(&path.at("handshake.callee"), format!("`{group}` has no computing of its own"), hint);
        }
        let mut computing = |name: &str, dist: &Option<DistSpec>| {
            dist.as_ref().map(|dist| self.dist(&path.at("handshake").at(name), dist))
        };
        let computing = [computing("caller", &handshake.caller), computing("callee", &handshake.callee)];
        let idle = [
            ("idle_timeout_s", spec.idle_timeout_s),
            ("keep_alive_timeout_s", spec.keep_alive_timeout_s),
            ("max_age_s", spec.max_age_s),
        ];
        for (name, seconds) in idle {
            let Some(seconds) = seconds else { continue };
            self.within(&path.at(name), seconds, 0.001, limits::DURATION_S);
            if spec.max_idle == Some(0) {
                self.problem(&path.at(name), "no connection is kept", "Take it out, or let `max_idle` be above 0.");
            }
        }
        if let Some(most) = spec.max_idle {
            self.within(&path.at("max_idle"), f64::from(most), 0.0, f64::from(limits::PLACES));
        }
        self.within(&path.at("notice_ms"), spec.notice_ms, 0.0, limits::LENGTH_MS);
        if spec.notice_ms > 0.0 && spec.keep_alive_timeout_s.is_none() {
            self.problem(&path.at("notice_ms"), "the callee closes nothing", "Give `keep_alive_timeout_s` as well.");
        }
        self.within(&path.at("age_jitter"), spec.age_jitter, 0.0, 1.0);
        if spec.age_jitter > 0.0 && spec.max_age_s.is_none() {
            self.problem(&path.at("age_jitter"), "there is no age", "Give `max_age_s` as well.");
        }
        if let Some(ports) = spec.ports {
            self.within(&path.at("ports"), f64::from(ports), 1.0, 65_535.0);
        }
        self.within(&path.at("time_wait_s"), spec.time_wait_s, 0.0, 3_600.0);
        let span = |seconds: f64| Span::from_seconds(seconds.clamp(0.001, limits::DURATION_S));
        ConnectionsPlan {
            round_trips: handshake.round_trips.min(10),
            computing,
            max_idle: spec.max_idle,
            idle_timeout: spec.idle_timeout_s.map(span),
            keep_alive_timeout: spec.keep_alive_timeout_s.map(span),
            notice: Span::from_ms(spec.notice_ms.clamp(0.0, limits::LENGTH_MS)),
            max_age: spec.max_age_s.map(|seconds| (span(seconds), spec.age_jitter.clamp(0.0, 1.0))),
            ports: spec.ports,
            time_wait: Span::from_seconds(spec.time_wait_s.clamp(0.0, 3_600.0)),
        }
    }

    /// Whether somebody's handshakes with a service need its computing.
    #[inline]
    pub(super) fn shakes_hands(&self, group: &str) -> bool {
        let calls = self.spec.nodes.values().filter_map(|node| match node {
            NodeSpec::Client(client) => client.calls.get(group),
            NodeSpec::Gateway(gateway) => gateway.calls.get(group),
            NodeSpec::Service(service) => service.calls.get(group),
            NodeSpec::Cache(_) | NodeSpec::Store(_) | NodeSpec::Queue(_) | NodeSpec::Database(_) => None,
        });
        let deliveries = self.spec.monitors.values().flat_map(|monitor| &monitor.deliver);
        let deliveries = deliveries.filter(|deliver| deliver.to == group).map(|deliver| &deliver.call);
        let needs = |call: &CallSpec| call.connections.as_ref().is_some_and(|it| it.handshake.callee.is_some());
        calls.chain(deliveries).any(needs)
    }
}
