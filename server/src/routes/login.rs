//! `POST /api/login`: a token, signed once.

use crate::app::AppState;
use crate::clock;
use crate::error::ApiError;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who wants to log in. The lab knows no passwords: every user of the scenario may.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Number of a user of the scenario, from 0.
    pub user: u32,
}

/// A token (RFC 6749 section 5.1).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// For the header `Authorization: Bearer ...`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until it expires.
    pub expires_in: u64,
}

/// `/api/login`.
pub fn router() -> Router<AppState> {
    Router::new().route("/api/login", post(login))
}

#[utoipa::path(post, path = "/api/login", tag = "lab", request_body = Login,
    responses((status = 200, body = Token), (status = 400, body = crate::error::ErrorBody),
        (status = 413, body = crate::error::ErrorBody)))]
pub(super) async fn login(
    State(state): State<AppState>,
    body: Result<Json<Login>, JsonRejection>,
) -> Result<Json<Token>, ApiError> {
    let hint = r#"Send JSON such as {"user": 17} with `Content-Type: application/json`."#;
    let Json(Login { user }) = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::BadRequest(format!("{}. {hint}", error.body_text())),
    })?;
    let workloads = &state.mount.plan().workloads;
    let users = workloads.iter().map(|workload| workload.users).max().unwrap_or(0);
    if user >= users {
        return Err(ApiError::BadRequest(format!("Users are numbered from 0 to {}.", users.saturating_sub(1))));
    }
    let lifetime = workloads.iter().map(|workload| workload.token_lifetime).max().unwrap_or_default();
    let expires_in = lifetime.as_seconds().ceil().max(1.0) as u64;
    let access_token = state.auth.issue(user, clock::unix_s(), expires_in);
    Ok(Json(Token { access_token, token_type: "Bearer".into(), expires_in }))
}
