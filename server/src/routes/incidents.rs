//! What is going on in the mounted world: incidents, and the state of every node.

use super::health::HealthStatus;
use crate::app::AppState;
use crate::error::ApiError;
use crate::mount::{Gone, Incident, Observed};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use sandbox_core::engine::BreakerStateView;
use sandbox_core::ids::IncidentId;
use sandbox_core::scenario::Plan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The mounted world at an instant.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct WorldReport {
    /// The world's time in seconds; none before it starts.
    pub at_s: Option<f64>,
    /// The whole.
    pub status: HealthStatus,
    /// Requests that have no answer yet.
    pub in_flight: u32,
    /// All nodes.
    pub nodes: Vec<NodeReport>,
}

/// A node at an instant.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct NodeReport {
    /// Its id.
    pub id: String,
    /// How it is.
    pub status: HealthStatus,
    /// Calls in a worker or connection.
    pub in_service: u32,
    /// Workers or connections; none if there is no bound.
    pub capacity: Option<u32>,
    /// Calls in the waiting line.
    pub waiting: u32,
    /// Its circuit breakers: callee and `closed`, `open` or `half_open`.
    pub breakers: Vec<(String, String)>,
    /// Instances it does not send to.
    pub ejected: Vec<String>,
    /// Copies it holds, if it is a cache.
    pub copies: Option<u32>,
}

/// `/api/incidents`, `/api/incidents/{id}/resolve`, `/api/observe`.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/incidents", get(incidents))
        .route("/api/incidents/{id}/resolve", post(resolve))
        .route("/api/observe", get(observe))
}

#[utoipa::path(get, path = "/api/incidents", tag = "incidents",
    responses((status = 200, description = "All incidents, the oldest first", body = Vec<Incident>)))]
pub(super) async fn incidents(State(state): State<AppState>) -> Result<Json<Vec<Incident>>, ApiError> {
    let observed = state.mount.observe().await.map_err(|Gone| ApiError::Unavailable(None))?;
    Ok(Json(observed.incidents))
}

#[utoipa::path(post, path = "/api/incidents/{id}/resolve", tag = "incidents",
    params(("id" = u16, Path, description = "The incident's number")),
    responses((status = 204, description = "It is resolved"), (status = 400, body = crate::error::ErrorBody), (status = 409, body = crate::error::ErrorBody)))]
pub(super) async fn resolve(
    State(state): State<AppState>,
    id: Result<Path<u16>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(id) = id?;
    match state.mount.resolve(IncidentId(id)).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(ApiError::Conflict(format!("Incident {id} is not open."))),
        Err(Gone) => Err(ApiError::Unavailable(None)),
    }
}

#[utoipa::path(get, path = "/api/observe", tag = "incidents", responses((status = 200, body = WorldReport)))]
pub(super) async fn observe(State(state): State<AppState>) -> Result<Json<WorldReport>, ApiError> {
    let observed = state.mount.observe().await.map_err(|Gone| ApiError::Unavailable(None))?;
    Ok(Json(report(state.mount.plan(), &observed)))
}

fn report(plan: &Plan, observed: &Observed) -> WorldReport {
    let view = &observed.observation;
    let nodes = view.nodes.iter().map(|node| NodeReport {
        id: plan.nodes[node.id.index()].id.clone(),
        status: node.status.into(),
        in_service: node.in_service,
        capacity: node.capacity,
        waiting: node.waiting,
        breakers: node.breakers.iter().map(|breaker| (breaker.to.clone(), word(breaker.state).into())).collect(),
        ejected: node.ejected.iter().map(|id| plan.nodes[id.index()].id.clone()).collect(),
        copies: node.copies,
    });
    WorldReport {
        at_s: observed.started.then(|| view.at.as_seconds()),
        status: view.health.into(),
        in_flight: view.in_flight,
        nodes: nodes.collect(),
    }
}

fn word(state: BreakerStateView) -> &'static str {
    match state {
        BreakerStateView::Closed => "closed",
        BreakerStateView::Open { .. } => "open",
        BreakerStateView::HalfOpen => "half_open",
    }
}
