//! The static site beside the API, and what is not found.

use crate::app::AppState;
use crate::error::{ApiError, other_method};
use crate::export::opening;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use sandbox_core::link::Link;
use std::path::Path;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;

/// The files of `site`. A path without a dot in its last part is a page of the application, one with a dot is a file, there or not.
/// Files go out in brotli where the browser takes it: a third of their size.
pub fn router(site: Option<&Path>) -> Router<AppState> {
    let Some(site) = site else { return Router::new().fallback(not_found) };
    let index = site.join("index.html");
    let pages = axum::routing::get(async move |uri: Uri| {
        let path = uri.path();
        let is_page = !path.rsplit('/').next().is_some_and(|last| last.contains('.'));
        let reserved = ["/api/", "/lab/", "/docs/"].iter().any(|prefix| path.starts_with(prefix));
        let page = if is_page && !reserved { page(&index, path).await } else { None };
        page.unwrap_or_else(|| gone(&uri))
    });
    let pages = pages.fallback(other_method);
    let files = ServeDir::new(site).precompressed_br().call_fallback_on_method_not_allowed(true).fallback(pages);
    Router::new().fallback_service(files).layer(CompressionLayer::new().br(true))
}

/// The application at an address that no file has: its files lie at the root, and what follows `/lesson/` is a lesson, there or not.
async fn page(index: &Path, path: &str) -> Option<Response> {
    let mut page = tokio::fs::read_to_string(index).await.ok()?.replacen("<head>", "<head>\n<base href=\"/\">", 1);
    let mut status = StatusCode::OK;
    if let Some(id) = path.strip_prefix("/lesson/").map(|id| id.trim_end_matches('/')) {
        let link = Link { lesson: Some(id.into()), ..Link::default() };
        page = opening(&page, &link.query());
        if lessons::lesson(id).is_none() {
            status = StatusCode::NOT_FOUND;
        }
    }
    Some((status, Html(page)).into_response())
}

fn gone(uri: &Uri) -> Response {
    ApiError::NotFound(format!("there is nothing at {}", uri.path())).into_response()
}

async fn not_found(method: Method, uri: Uri) -> ApiError {
    let hint = "see /docs/ for what there is";
    ApiError::NotFound(format!("there is no {method} {}; {hint}", uri.path()))
}
