//! `/metrics`, in OpenMetrics text.

use crate::app::AppState;
use crate::error::ApiError;
use crate::mount::Gone;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/metrics`.
pub fn router() -> Router<AppState> {
    Router::new().route("/metrics", get(metrics))
}

#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(super) async fn metrics(State(state): State<AppState>) -> Result<impl IntoResponse, ApiError> {
    let observed = state.mount.observe().await.map_err(|Gone| ApiError::Unavailable(None))?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], state.metrics.text(state.mount.plan(), &observed.observation)))
}
