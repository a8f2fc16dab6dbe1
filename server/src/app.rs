//! The HTTP application: state, routes, and what every request gets.

use crate::auth::Auth;
use crate::error::other_method;
use crate::metrics::Metrics;
use crate::mount::Mount;
use crate::routes;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use tower_http::cors::{Any, CorsLayer};

/// The header that carries a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header that says where a request's time went (W3C Server Timing).
pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What handlers share; clones are cheap.
#[derive(Clone)]
pub struct AppState {
    /// The mounted world.
    pub mount: Mount,
    /// Tokens.
    pub auth: Arc<Auth>,
    /// Series.
    pub metrics: Arc<Metrics>,
    /// False while the server starts or drains.
    pub ready: Arc<AtomicBool>,
    /// The static site, if it is served.
    pub site: Option<PathBuf>,
    requests: Arc<AtomicU64>,
}

impl AppState {
    /// State of a server that is ready.
    pub fn new(mount: Mount, auth: Auth, metrics: Arc<Metrics>, site: Option<PathBuf>) -> AppState {
        let ready = Arc::new(AtomicBool::new(true));
        AppState { mount, auth: Arc::new(auth), metrics, ready, site, requests: Arc::default() }
    }

    /// Whether the server may take traffic.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// A fresh id for a request that does not reach the world.
    pub fn request_id(&self) -> String {
        format!("{}-a{}", self.mount.run_id(), self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// The id of a request of the world.
    pub fn request_id_of(&self, request: sandbox_core::ids::RequestId) -> String {
        format!("{}-{}", self.mount.run_id(), request.0)
    }
}

/// The whole application.
pub fn app(state: AppState) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([REQUEST_ID, SERVER_TIMING, header::RETRY_AFTER, header::WWW_AUTHENTICATE]);
    Router::new()
        .merge(routes::lab::router())
        .merge(routes::login::router())
        .merge(routes::scenario::router())
        .merge(routes::recording::router())
        .merge(routes::health::router())
        .merge(routes::incidents::router())
        .merge(routes::metrics::router())
        .merge(routes::docs::router(state.mount.plan()))
        .merge(routes::site::router(state.site.as_deref()))
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(state.clone(), count))
        .layer(cors)
        .with_state(state)
}

/// When a request came in: the stamp that it enters the world with.
#[derive(Clone, Copy, Debug)]
pub struct Arrived(pub Instant);

/// Stamps, counts and names every request.
async fn count(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    request.extensions_mut().insert(Arrived(start));
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_string());
    let active = state.metrics.on_http_begin();
    let mut response = next.run(request).await;
    drop(active);
    // Routes of the lab are named by the scenario.
    let route = response.extensions().get::<routes::lab::Route>().map(|route| route.0.clone());
    let route = route.or(matched).unwrap_or_else(|| "site".to_string());
    state.metrics.on_http_end(method.as_str(), &route, response.status().as_u16(), start.elapsed());
    if !response.headers().contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(&state.request_id())
    {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
