//! What `/metrics` shows: OpenTelemetry's HTTP names as Prometheus spells them, and our own with the prefix
//! `faultline_`.

use crate::clock;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sandbox_core::engine::{BreakerStateView, Health, Observation};
use sandbox_core::ids::NodeId;
use sandbox_core::scenario::Plan;
use sandbox_core::time::Span;
use sandbox_core::trace::{CacheFallback, CacheResult, Record, Refusal, What};
use std::time::Duration;

/// Bucket bounds of request durations in seconds (OpenTelemetry HTTP semantic conventions).
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Bucket bounds of what our machinery adds, in seconds.
const ADDED_SECONDS: [f64; 8] = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05];

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// All series of the server.
pub struct Metrics {
    registry: Registry,
    request_duration: Histograms,
    active_requests: Gauge,
    added: Histogram,
    store_duration: Histograms,
    retries: Counters,
    circuit_state: Gauges,
    circuit_rejections: Counters,
    rate_limit: Counters,
    shed: Counters,
    refusals: Counters,
    cache_requests: Counters,
    timeouts: Counters,
    incidents: Counters,
    queue_length: Gauges,
    in_service: Gauges,
    in_flight: Gauge,
    health: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// All series, at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::default();
        let request_duration = Histograms::new_with_constructor(|| Histogram::new(SECONDS));
        let store_duration = Histograms::new_with_constructor(|| Histogram::new(SECONDS));
        let added = Histogram::new(ADDED_SECONDS);
        let (active_requests, in_flight, health) = (Gauge::default(), Gauge::default(), Gauge::default());
        let counters = |registry: &mut Registry, name: &str, help: &str| {
            let family = Counters::default();
            registry.register(name, help, family.clone());
            family
        };
        let gauges = |registry: &mut Registry, name: &str, help: &str| {
            let family = Gauges::default();
            registry.register(name, help, family.clone());
            family
        };
        let all = &mut registry;
        all.register("http_server_request_duration_seconds", "Duration of HTTP requests", request_duration.clone());
        all.register("http_server_active_requests", "HTTP requests under way", active_requests.clone());
        all.register(
            "db_client_operation_duration_seconds",
            "The store's own time for a request",
            store_duration.clone(),
        );
        all.register("faultline_added_seconds", "What the server added to store, queues and model", added.clone());
        all.register("faultline_in_flight", "Requests in the mounted world", in_flight.clone());
        all.register("faultline_health", "0 ok, 1 degraded, 2 down", health.clone());
        let retries = counters(all, "faultline_retries", "Further attempts, by caller");
        let circuit_state = gauges(all, "faultline_circuit_state", "0 closed, 1 open, 2 half-open");
        let circuit_rejections = counters(all, "faultline_circuit_rejections", "Calls that a circuit breaker refused");
        let rate_limit = counters(all, "faultline_rate_limit_decisions", "Requests refused by a quota");
        let shed = counters(all, "faultline_shed", "Calls refused because a waiting line was full");
        let refusals = counters(all, "faultline_refusals", "Refused calls, by node and reason");
        let cache_requests = counters(all, "faultline_cache_requests", "Questions to a cache, by result");
        let timeouts = counters(all, "faultline_timeouts", "Callers that stopped waiting");
        let incidents = counters(all, "faultline_incident_events", "Incidents opened, recovered, resolved");
        let queue_length = gauges(all, "faultline_queue_length", "Calls waiting at a node");
        let in_service = gauges(all, "faultline_in_service", "Calls a node works on");
        Metrics {
            registry,
            request_duration,
            active_requests,
            added,
            store_duration,
            retries,
            circuit_state,
            circuit_rejections,
            rate_limit,
            shed,
            refusals,
            cache_requests,
            timeouts,
            incidents,
            queue_length,
            in_service,
            in_flight,
            health,
        }
    }

    /// An HTTP request begins; it ends when the guard is dropped.
    pub fn on_http_begin(&self) -> Active<'_> {
        self.active_requests.inc();
        Active(&self.active_requests)
    }

    /// An HTTP request ended. `route` is a template, never a raw path.
    pub fn on_http_end(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = vec![
            ("http_request_method", method.to_string()),
            ("http_route", route.to_string()),
            ("http_response_status_code", status.to_string()),
            ("url_scheme", "http".to_string()),
        ];
        self.request_duration.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A request of the lab was answered with success: the store's own time, and what is neither store, queue nor
    /// model.
    pub fn on_answer(&self, route: &str, store: Span, added: Duration) {
        self.store_duration.get_or_create(&vec![("http_route", route.to_string())]).observe(store.as_seconds());
        self.added.observe(added.as_secs_f64());
    }

    /// The world wrote something down.
    pub fn on_record(&self, plan: &Plan, record: &Record) {
        let id = |node: NodeId| plan.nodes[node.index()].id.clone();
        let node = || ("node", id(record.node));
        let count = |family: &Counters, labels: Labels| _ = family.get_or_create(&labels).inc();
        let circuit = |to: NodeId, level: i64| {
            let to = plan.nodes[to.index()].group.clone();
            self.circuit_state.get_or_create(&vec![node(), ("to", to)]).set(level);
        };
        match record.what {
            What::Called { to, attempt } if attempt > 1 => {
                count(&self.retries, vec![node(), ("to", id(to)), ("reason", "failure".into())]);
            }
            What::Refused { refusal } => {
                match refusal {
                    Refusal::BreakerOpen | Refusal::BreakerHalfOpen => count(&self.circuit_rejections, vec![node()]),
                    Refusal::RateLimited => count(&self.rate_limit, vec![node(), ("decision", "deny".into())]),
                    Refusal::QueueFull => count(&self.shed, vec![node(), ("reason", "queue_full".into())]),
                    _ => {}
                }
                count(&self.refusals, vec![node(), ("reason", snake_case(refusal))]);
            }
            What::CacheAsked { result, .. } => {
                let result = if result == CacheResult::Fresh { "hit" } else { "miss" };
                count(&self.cache_requests, vec![node(), ("result", result.into())]);
            }
            What::FellBack { fallback: CacheFallback::Served { .. } } => {
                count(&self.cache_requests, vec![node(), ("result", "stale".into())]);
            }
            What::TimedOut { to, .. } => count(&self.timeouts, vec![node(), ("to", id(to))]),
            What::BreakerOpened { to, .. } => circuit(to, 1),
            What::BreakerHalfOpened { to } => circuit(to, 2),
            What::BreakerClosed { to } => circuit(to, 0),
            What::IncidentOpened { .. } => count(&self.incidents, vec![node(), ("event", "opened".into())]),
            What::IncidentRecovered { .. } => count(&self.incidents, vec![node(), ("event", "recovered".into())]),
            What::IncidentRelapsed { .. } => count(&self.incidents, vec![node(), ("event", "relapsed".into())]),
            What::IncidentResolved { .. } => count(&self.incidents, vec![node(), ("event", "resolved".into())]),
            _ => {}
        }
    }

    /// The text of `/metrics`, with gauges as observed.
    pub fn text(&self, plan: &Plan, observation: &Observation) -> String {
        self.in_flight.set(i64::from(observation.in_flight));
        self.health.set(match observation.health {
            Health::Ok => 0,
            Health::Degraded => 1,
            Health::Down => 2,
        });
        for view in &observation.nodes {
            let id = plan.nodes[view.id.index()].id.clone();
            let labels = vec![("node", id.clone())];
            self.queue_length.get_or_create(&labels).set(i64::from(view.waiting));
            self.in_service.get_or_create(&labels).set(i64::from(view.in_service));
            for breaker in &view.breakers {
                let level = match breaker.state {
                    BreakerStateView::Closed => 0,
                    BreakerStateView::Open { .. } => 1,
                    BreakerStateView::HalfOpen => 2,
                };
                let labels = vec![("node", id.clone()), ("to", breaker.to.clone())];
                self.circuit_state.get_or_create(&labels).set(level);
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes all");
        text
    }
}

/// A request under way.
pub struct Active<'a>(&'a Gauge);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The name as in JSON.
fn snake_case(refusal: Refusal) -> String {
    serde_json::to_value(refusal).ok().and_then(|name| name.as_str().map(str::to_string)).unwrap_or_default()
}

/// What is left of a request's time after store, queues and model.
pub fn added(total: Duration, parts: &crate::mount::Timing) -> Duration {
    let known = parts.store + parts.queue + parts.model;
    Duration::from_nanos(clock::span(total).as_nanos().saturating_sub(known.as_nanos()))
}
