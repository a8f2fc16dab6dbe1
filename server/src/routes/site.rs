//! The static site beside the API, and what is not found.

use crate::app::AppState;
use crate::error::ApiError;
use axum::Router;
use axum::http::{Method, Uri};
use axum::response::IntoResponse;
use std::path::Path;
use tower_http::compression::CompressionLayer;
use tower_http::services::{ServeDir, ServeFile};

/// The files of `site`. A path without a dot in its last part is a page of the application, which `index.html` shows;
/// one with a dot is a file, there or not. Files go out in brotli where the browser takes it: a third of their size.
pub fn router(site: Option<&Path>) -> Router<AppState> {
    let Some(site) = site else { return Router::new().fallback(not_found) };
    let index = ServeFile::new(site.join("index.html"));
    let pages = axum::routing::get(async move |uri: Uri, request: axum::extract::Request| {
        let mut index = index.clone();
        let is_page = !uri.path().rsplit('/').next().is_some_and(|last| last.contains('.'));
        let reserved = ["/api/", "/lab/", "/docs/"].iter().any(|prefix| uri.path().starts_with(prefix));
        match is_page && !reserved {
            true => index.try_call(request).await.map_or_else(|_| gone(&uri), IntoResponse::into_response),
            false => gone(&uri),
        }
    });
    let files = ServeDir::new(site).precompressed_br().fallback(pages);
    Router::new().fallback_service(files).layer(CompressionLayer::new().br(true))
}

fn gone(uri: &Uri) -> axum::response::Response {
    ApiError::NotFound(format!("there is nothing at {}", uri.path())).into_response()
}

async fn not_found(method: Method, uri: Uri) -> ApiError {
    let hint = "see /docs/ for what there is";
    ApiError::NotFound(format!("there is no {method} {}; {hint}", uri.path()))
}
