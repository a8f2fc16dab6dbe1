//! Pages of other people: on an origin of their own, and served with no header that helps a lesson.

use crate::tools::free_port;
use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::path::Path;
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

/// The files of a folder, in the same way.
pub async fn serve_folder(folder: &Path) -> String {
    let mut files = Vec::new();
    collect(folder, folder, &mut files);
    serve(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone()))).await
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read").flatten() {
        match entry.path() {
            path if path.is_dir() => collect(root, &path, files),
            path => {
                let name = path.strip_prefix(root).expect("it lies below").display().to_string();
                files.push((name, std::fs::read(&path).expect("a file can be read")));
            }
        }
    }
}

fn file(path: &str, bytes: Vec<u8>) -> Response {
    let kind = match path.rsplit('.').next() {
        Some("xml") => "application/xml",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "text/html; charset=utf-8",
    };
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}
