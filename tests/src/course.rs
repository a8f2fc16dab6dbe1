//! Pages of other people: on an origin of their own, and served with no header that helps a lesson.

use crate::tools::free_port;
use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::Arc;

/// Serves files by their names until the test ends, and gives the address under which they lie; `index.html` is at the address itself.
pub async fn serve(files: impl IntoIterator<Item = (&str, Vec<u8>)>) -> String {
    let files: HashMap<String, Vec<u8>> =
        files.into_iter().map(|(name, bytes)| (format!("/{}", name.trim_end_matches("index.html")), bytes)).collect();
    let files = Arc::new(files);
    let address = format!("127.0.0.1:{}", free_port());
    let listener = tokio::net::TcpListener::bind(&address).await.expect("the port is free");
    let app = Router::new().fallback(move |uri: Uri| {
        let found = files.get(uri.path()).cloned();
        async move { found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |bytes| file(uri.path(), bytes)) }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/")
}

/// A course page with this body.
pub async fn page(body: &str) -> String {
    let page = format!(
        "<!doctype html><html lang=en><link rel=icon href=data:,><title>A course</title><h1>A course</h1>{body}"
    );
    serve([("index.html", page.into_bytes())]).await
}

fn file(path: &str, bytes: Vec<u8>) -> Response {
    let kind = if path.ends_with(".xml") { "application/xml" } else { "text/html; charset=utf-8" };
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}
