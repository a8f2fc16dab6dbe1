//! `/lab/...`: the routes of the mounted scenario, answered by its world.

use crate::app::{AppState, Arrived, REQUEST_ID, SERVER_TIMING};
use crate::error::ApiError;
use crate::metrics;
use crate::mount::{Answer, Arrival, NotTaken};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Json, Router};
use sandbox_core::ids::RouteId;
use sandbox_core::scenario::{Kind, Plan};
use sandbox_core::trace::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// A row as the lab answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Item {
    /// Which row.
    pub id: u32,
    /// How often it was written, the first time included.
    pub version: Option<u64>,
    /// Whether this is an expired copy, served because the store fails.
    pub stale: bool,
}

/// The scenario's name of the route that answered, for the metrics.
#[derive(Clone)]
pub struct Route(pub String);

/// `/lab/{*route}`, any method; `/lab` alone is none of them, and says which there are.
pub fn router() -> Router<AppState> {
    let none = any(async |State(state): State<AppState>, uri: Uri| no_route(state.mount.plan(), uri.path()));
    Router::new().route("/lab/{*route}", any(answer)).route("/lab", none.clone()).route("/lab/", none)
}

/// 404: nothing of the scenario is there.
fn no_route(plan: &Plan, path: &str) -> ApiError {
    let known = plan.routes.iter().filter_map(|route| parts(&route.name));
    let known: Vec<String> = known.map(|(method, path)| format!("{method} /lab{path}")).collect();
    ApiError::NotFound(format!("scenario {} has no route {path}; it has: {}", plan.id, known.join(", ")))
}

/// A request matched against the scenario's routes.
#[derive(Debug, PartialEq, Eq)]
enum Match {
    Route(RouteId, u32),
    /// The path is known with these methods only.
    OtherMethods(String),
    /// The path is a row's, and there is no such row.
    NoRow(u32),
    None,
}

/// Method and path of a route that is named `METHOD /path/{id}`; None: HTTP does not lead to it.
pub fn parts(route: &str) -> Option<(&str, &str)> {
    route.split_once(' ').filter(|(_, path)| path.starts_with('/'))
}

/// The value in braces is the row.
fn find(plan: &Plan, method: &str, path: &str) -> Match {
    let mut others = Vec::new();
    for (index, route) in plan.routes.iter().enumerate() {
        let Some((known_method, template)) = parts(&route.name) else { continue };
        let Some(key) = key_of(template, path) else { continue };
        if known_method == method && key < rows(plan) {
            return Match::Route(RouteId(index as u8), key);
        }
        if known_method == method {
            return Match::NoRow(key);
        }
        others.push(known_method);
    }
    if others.is_empty() { Match::None } else { Match::OtherMethods(others.join(", ")) }
}

/// Keys from outside must lie below this: what stores and caches of the scenario hold.
fn rows(plan: &Plan) -> u32 {
    let rows = plan.nodes.iter().filter_map(|node| match &node.kind {
        Kind::Store(store) => Some(store.rows),
        Kind::Cache(cache) => Some(cache.key_count),
        _ => None,
    });
    rows.min().unwrap_or(u32::MAX)
}

/// The row that `path` names if it fits the template; a template without braces always means row 0.
fn key_of(template: &str, path: &str) -> Option<u32> {
    let (mut wanted, mut given) = (template.trim_matches('/').split('/'), path.trim_matches('/').split('/'));
    let mut key = 0;
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(key),
            (Some(wanted), Some(given)) if wanted.starts_with('{') => key = given.parse().ok()?,
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

async fn answer(
    State(state): State<AppState>,
    Extension(arrived): Extension<Arrived>,
    method: Method,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let path = match path {
        Ok(Path(path)) => path,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let (route, key) = match find(state.mount.plan(), method.as_str(), &path) {
        Match::Route(route, key) => (route, key),
        Match::OtherMethods(allow) => return ApiError::MethodNotAllowed(Some(allow)).into_response(),
        Match::NoRow(key) => {
            let last = rows(state.mount.plan()).saturating_sub(1);
            return ApiError::NotFound(format!("there is no item {key}; the items are 0 to {last}")).into_response();
        }
        Match::None => return no_route(state.mount.plan(), &format!("/lab/{path}")).into_response(),
    };
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let arrival = Arrival { route, key, credential: state.auth.credential(token) };
    let mut response = match state.mount.request(arrived.0, arrival).await {
        Ok(answer) => respond(&state, route, key, &answer, arrived.0.elapsed()),
        Err(NotTaken::Full) => ApiError::Unavailable(Some(1)).into_response(),
        Err(NotTaken::Gone) => ApiError::Unavailable(None).into_response(),
    };
    response.extensions_mut().insert(Route(state.mount.plan().routes[route.index()].name.clone()));
    response
}

fn respond(state: &AppState, route: RouteId, key: u32, answer: &Answer, total: Duration) -> Response {
    let request_id = state.request_id_of(answer.request);
    let mut response = match ApiError::of(answer.outcome, answer.retry_after_s) {
        None => {
            let name = &state.mount.plan().routes[route.index()].name;
            state.metrics.on_answer(name, answer.timing.store, metrics::added(total, &answer.timing));
            Json(Item { id: key, version: answer.version, stale: answer.outcome == Outcome::OkStale }).into_response()
        }
        Some(error) => error.answer(Some(request_id.clone())),
    };
    let timing = format!(
        "store;dur={:.3}, queue;dur={:.3}, model;dur={:.3}, total;dur={:.3}",
        answer.timing.store.as_ms(),
        answer.timing.queue.as_ms(),
        answer.timing.model.as_ms(),
        total.as_secs_f64() * 1e3
    );
    let headers = response.headers_mut();
    for (name, value) in [(REQUEST_ID, request_id), (SERVER_TIMING, timing)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if answer.outcome == Outcome::OkStale {
        headers.insert(header::WARNING, HeaderValue::from_static(r#"110 - "Response is Stale""#));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_leads_to_routes_with_a_method_and_a_path() {
        assert_eq!(parts("GET /items/{id}"), Some(("GET", "/items/{id}")));
        for other in ["catalogue", "pay now", "GET", ""] {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn templates_name_the_row() {
        assert_eq!(key_of("/items/{id}", "items/17"), Some(17));
        assert_eq!(key_of("/items/{id}", "/items/17/"), Some(17));
        assert_eq!(key_of("/items", "items"), Some(0));
        for strange in ["items", "items/x", "items/-1", "items/17/more", "others/17", "items/99999999999", ""] {
            assert_eq!(key_of("/items/{id}", strange), None, "{strange}");
        }
    }
}
