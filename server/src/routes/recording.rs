//! `/api/recording`: what `--record` has logged so far, for the page to replay.

use crate::app::AppState;
use crate::error::ApiError;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// `/api/recording`.
pub fn router() -> Router<AppState> {
    Router::new().route("/api/recording", get(recording))
}

#[utoipa::path(get, path = "/api/recording", tag = "lab",
    responses((status = 200, content_type = "application/jsonl", body = String, description = "JSON lines"),
        (status = 404, body = crate::error::ErrorBody, description = "The server does not record")))]
pub(super) async fn recording(State(state): State<AppState>) -> Result<impl IntoResponse, ApiError> {
    let Some(file) = state.mount.recording() else {
        return Err(ApiError::NotFound("this server does not record; start it with --record FILE".into()));
    };
    let read = tokio::task::spawn_blocking(move || std::fs::read(&file)).await;
    match read.map_err(std::io::Error::other).flatten() {
        Ok(text) => Ok(([(header::CONTENT_TYPE, "application/jsonl")], text)),
        Err(error) => {
            tracing::error!(%error, "the recording cannot be read");
            Err(ApiError::Internal)
        }
    }
}
