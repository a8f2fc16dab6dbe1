//! How the server and the mounted world are: `/livez`, `/readyz`, `/api/health`.

use crate::app::AppState;
use crate::error::ApiError;
use crate::mount::{Gone, Observed};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use sandbox_core::engine::{BreakerStateView, Health, NodeView};
use sandbox_core::scenario::{Kind, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// `ok`, `degraded` (it answers, not as it should) or `down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// All is well.
    Ok,
    /// Answers come, though not all or not fresh.
    Degraded,
    /// No answers come.
    Down,
}

impl From<Health> for HealthStatus {
    fn from(health: Health) -> HealthStatus {
        match health {
            Health::Ok => HealthStatus::Ok,
            Health::Degraded => HealthStatus::Degraded,
            Health::Down => HealthStatus::Down,
        }
    }
}

/// The body of `/api/health`, in the form of draft-inadarei-api-health-check.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthReport {
    /// The whole.
    pub status: HealthStatus,
    /// Version of the program.
    pub version: String,
    /// The mounted scenario.
    pub service_id: String,
    /// Its title.
    pub description: String,
    /// What to know besides.
    pub notes: Vec<String>,
    /// The parts, as `NODE:status`.
    pub checks: BTreeMap<String, Vec<Check>>,
}

/// A part of the system.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// `component`, `datastore` or `system`.
    pub component_type: String,
    /// Calls it works on now.
    pub observed_value: u32,
    /// `calls`.
    pub observed_unit: String,
    /// How it is.
    pub status: HealthStatus,
    /// Why it is not ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// `/livez`, `/readyz`, `/api/health`.
pub fn router() -> Router<AppState> {
    Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).route("/api/health", get(health))
}

#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "The process can answer.")))]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, description = "The server may take traffic."), (status = 503, description = "It starts or drains.")))]
pub(super) async fn readyz(State(state): State<AppState>) -> (StatusCode, &'static str) {
    match state.is_ready() {
        true => (StatusCode::OK, "ok\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
    }
}

#[utoipa::path(get, path = "/api/health", tag = "health",
    responses((status = 200, body = HealthReport, content_type = "application/health+json", description = "ok or degraded"),
        (status = 503, body = HealthReport, content_type = "application/health+json", description = "down")))]
pub(super) async fn health(State(state): State<AppState>) -> Result<Response, ApiError> {
    let observed = state.mount.observe().await.map_err(|Gone| ApiError::Unavailable(None))?;
    let report = report(state.mount.plan(), &observed);
    let code = if report.status == HealthStatus::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let mut response = (code, Json(report)).into_response();
    for (name, value) in [(header::CONTENT_TYPE, "application/health+json"), (header::CACHE_CONTROL, "no-store")] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The world's state as a report.
pub fn report(plan: &Plan, observed: &Observed) -> HealthReport {
    let view = &observed.observation;
    let checks = view
        .nodes
        .iter()
        .filter_map(|node| Some((format!("{}:status", plan.nodes[node.id.index()].id), vec![check(plan, node)?])));
    let mut notes = vec![match observed.started {
        true => format!("time {:.3} s", view.at.as_seconds()),
        false => "time starts with the first request".to_string(),
    }];
    let open = observed.incidents.iter().filter(|incident| incident.resolved_s.is_none()).count();
    if open > 0 {
        notes.push(format!("incidents that nobody has resolved: {open} (POST /api/incidents/{{id}}/resolve)"));
    }
    HealthReport {
        status: view.health.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        service_id: plan.id.clone(),
        description: plan.title.clone(),
        notes,
        checks: checks.collect(),
    }
}

/// None for clients and monitors, which are no parts of the system.
fn check(plan: &Plan, node: &NodeView) -> Option<Check> {
    let component_type = match plan.nodes[node.id.index()].kind {
        Kind::Client(_) | Kind::Monitor(_) => return None,
        Kind::Store(_) | Kind::Cache(_) | Kind::Queue(_) | Kind::Database(_) => "datastore",
        Kind::Gateway(_) | Kind::Service(_) => "component",
    };
    let mut why = Vec::new();
    if node.condition.down {
        why.push("down".to_string());
    }
    for breaker in &node.breakers {
        match breaker.state {
            BreakerStateView::Closed => {}
            BreakerStateView::Open { .. } => why.push(format!("its circuit breaker to {} is open", breaker.to)),
            BreakerStateView::HalfOpen => why.push(format!("its circuit breaker to {} is half-open", breaker.to)),
        }
    }
    for ejected in &node.ejected {
        why.push(format!("sends nothing to {}", plan.nodes[ejected.index()].id));
    }
    if node.waiting > 0 {
        why.push(format!("{} calls wait", node.waiting));
    }
    Some(Check {
        component_type: component_type.into(),
        observed_value: node.in_service,
        observed_unit: "calls".into(),
        status: node.status.into(),
        output: (!why.is_empty()).then(|| why.join("; ")),
    })
}
