//! What tests of the server share: scenarios in a hurry, a mounted lab without sockets, a plain HTTP client.
#![allow(dead_code, reason = "each test file uses a part of it")]

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use sandbox_core::scenario::Document;
use serde_json::{Value, json};
use server::app::{AppState, app};
use server::auth::Auth;
use server::clock;
use server::metrics::Metrics;
use server::mount::real::RealSpec;
use server::mount::{Mount, Setup, Start, Summary};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tower::ServiceExt;

/// The scenario `database-outage`, variant B, with changes.
pub fn scenario(changes: &[(&str, Value)]) -> Document {
    let document = Document::parse(lessons::scenario("database-outage").unwrap()).unwrap();
    let changes: Vec<(String, Value)> = changes.iter().map(|(path, value)| (path.to_string(), value.clone())).collect();
    document.patched("B", &changes).unwrap()
}

/// The rows of the scenario's store.
pub fn rows() -> u64 {
    scenario(&[]).at("nodes.db.rows").and_then(Value::as_u64).unwrap()
}

/// Changes that make the outage last from `from_s` to `to_s`.
pub fn outage(from_s: f64, to_s: f64) -> Vec<(&'static str, Value)> {
    vec![("faults.outage.from_s", json!(from_s)), ("faults.outage.to_s", json!(to_s))]
}

/// Changes that leave no fault.
pub fn calm() -> Vec<(&'static str, Value)> {
    vec![("faults", json!({}))]
}

/// A lab without sockets.
pub struct Lab {
    pub app: Router,
    pub state: AppState,
    pub folder: tempfile::TempDir,
    world: JoinHandle<Summary>,
}

impl Lab {
    /// Mounts a scenario; with a real store if `real`.
    pub fn new(changes: &[(&str, Value)], real: bool) -> Lab {
        Lab::started(changes, real, Start::Now, false)
    }

    pub fn started(changes: &[(&str, Value)], real: bool, start: Start, record: bool) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let document = scenario(changes);
        let mut plan = document.plan("A", &[]).unwrap();
        plan.variant = "B".into();
        let real: Vec<RealSpec> = match real {
            true => vec![format!("db=sqlite:{}", folder.path().join("lab.sqlite").display()).parse().unwrap()],
            false => Vec::new(),
        };
        let record = record.then(|| folder.path().join("recording.jsonl"));
        let setup = Setup { document, plan: Arc::new(plan), real, record, start };
        let metrics = Arc::new(Metrics::new());
        let (mount, world) = Mount::start(setup, metrics.clone()).unwrap();
        let state = AppState::new(mount, Auth::new(None).unwrap(), metrics, None);
        Lab { app: app(state.clone()), state, folder, world }
    }

    pub fn recording(&self) -> PathBuf {
        self.folder.path().join("recording.jsonl")
    }

    /// A good token of user 1.
    pub fn token(&self) -> String {
        self.state.auth.issue(1, clock::unix_s(), 3_600)
    }

    pub async fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let response = self.app.clone().oneshot(request.unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Answer {
            status: head.status,
            headers: head.headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
            text,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Some(&self.token()), None).await
    }

    pub async fn put(&self, path: &str) -> Answer {
        self.send("PUT", path, Some(&self.token()), None).await
    }

    /// Asks until `wanted` holds; panics after ten seconds.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let start = Instant::now();
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "{path} never came to that: {answer:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops the world; the folder is still there.
    pub fn stop(self) -> (Summary, tempfile::TempDir) {
        self.state.mount.stop();
        (self.world.join().unwrap(), self.folder)
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// One HTTP exchange on a connection of its own: status and body; an error if the server has gone.
pub fn http(addr: &str, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<(u16, String)> {
    use std::io::{Error, Read, Write};
    let mut stream = std::net::TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(|| Error::other("no status line"))?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or_else(|| Error::other("no end of the head"))?;
    Ok((status, body.to_string()))
}

/// Writes a scenario to a file.
pub fn write(document: &Document, file: &Path) {
    std::fs::write(file, document.json().to_string()).unwrap();
}
