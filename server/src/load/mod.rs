//! The built-in load generator: open loop, latency from the intended send.
//!
//! Nobody waits for an answer before sending the next request, and a request that could not be sent in time counts
//! from the instant at which it should have been (no coordinated omission). The schedule is made before the first
//! request; a thread of its own keeps it, because tokio's timers are as coarse as a service time here.

mod report;
mod schedule;

pub use report::{LoadReport, SecondReport, TimingReport};
pub use schedule::{Arrivals, Mix, Shot, schedule};

use crate::clock::{self, sleep_until};
use crate::routes::scenario::ScenarioReport;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::uri::InvalidUri;
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sandbox_core::time::Span;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

type Http = Client<HttpConnector, Full<Bytes>>;

/// A target with the tokens of its users.
#[derive(Clone)]
pub struct Target {
    http: Http,
    base: Arc<str>,
    tokens: Arc<Vec<String>>,
    /// A request without an answer after this long has failed.
    pub timeout: Duration,
}

/// What became of one request.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When it should have been sent, since the start of the load.
    pub intended: Span,
    /// When it was handed to the client.
    pub sent: Span,
    /// When its answer was complete, or it was given up.
    pub done: Span,
    /// The HTTP status, or none.
    pub status: Result<u16, NoAnswer>,
    /// Whether it was to change something.
    pub write: bool,
    /// What the server says about its time.
    pub timing: Option<ServerTiming>,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Patience ended.
    Timeout,
    /// The connection could not be made or broke.
    Connection,
}

/// The header `Server-Timing`: where a request's time went, in the server's view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServerTiming {
    /// The store's own time.
    pub store: Span,
    /// Waits for workers and connections.
    pub queue: Span,
    /// What the scenario asks of modelled parts.
    pub model: Span,
    /// All of it.
    pub total: Span,
}

impl Sample {
    /// From the intended send to the complete answer.
    pub fn latency(&self) -> Span {
        Span::from_nanos(self.done.as_nanos().saturating_sub(self.intended.as_nanos()))
    }

    /// Whether it was answered with 2xx.
    pub fn is_success(&self) -> bool {
        self.status.is_ok_and(|status| (200..300).contains(&status))
    }
}

impl Target {
    /// A target at an address such as `http://127.0.0.1:8000`, with no tokens.
    pub fn new(base: &str, timeout: Duration) -> Result<Target, String> {
        let base = base.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|error: InvalidUri| error.to_string())?;
        if uri.scheme_str() != Some("http") || uri.authority().is_none() {
            return Err("write an address such as http://127.0.0.1:8000".into());
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(timeout));
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Target { http, base: base.into(), tokens: Arc::default(), timeout })
    }

    /// Logs users 0 to `users` - 1 in, if the target offers it; returns how many tokens there are.
    pub async fn log_in(&mut self, users: u32) -> Result<usize, String> {
        let mut tokens = Vec::new();
        for user in 0..users {
            let request = Request::post(format!("{}/api/login", self.base)).header(CONTENT_TYPE, "application/json");
            let request =
                request.body(Full::from(format!(r#"{{"user": {user}}}"#))).map_err(|error| error.to_string())?;
            let answer = tokio::time::timeout(self.timeout, self.http.request(request)).await;
            let answer = answer.map_err(|_| "no answer to POST /api/login".to_string())?;
            let answer = answer.map_err(|error| format!("{} cannot be reached: {error}", self.base))?;
            if !answer.status().is_success() {
                break;
            }
            let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
            tokens.push(format!("Bearer {}", body["access_token"].as_str().unwrap_or_default()));
        }
        self.tokens = Arc::new(tokens);
        Ok(self.tokens.len())
    }

    /// What the target says it serves; None if it does not say.
    pub async fn scenario(&self) -> Result<Option<ScenarioReport>, String> {
        let request = Request::get(format!("{}/api/scenario", self.base)).body(Full::default());
        let answer = self.http.request(request.map_err(|error| error.to_string())?);
        let answer = tokio::time::timeout(self.timeout, answer).await.map_err(|_| "no answer to GET /api/scenario")?;
        let answer = answer.map_err(|error| format!("{} cannot be reached: {error}", self.base))?;
        if !answer.status().is_success() {
            return Ok(None);
        }
        let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(serde_json::from_slice(&body).ok())
    }

    /// Sends every shot at its time and waits for all answers. `progress` is told how many were sent.
    ///
    /// Must be called from a thread that is no tokio worker.
    pub fn fire(&self, shots: Vec<Shot>, runtime: &tokio::runtime::Handle, progress: &dyn Fn(usize)) -> Vec<Sample> {
        clock::sharpen_timers();
        let (samples, finished) = mpsc::channel();
        let total = shots.len();
        let start = Instant::now() + Duration::from_millis(50);
        for (index, shot) in shots.into_iter().enumerate() {
            sleep_until(start + Duration::from_nanos(shot.at.as_nanos()));
            let (target, samples) = (self.clone(), samples.clone());
            let sent = clock::span(start.elapsed());
            runtime.spawn(async move {
                let (write, intended) = (shot.method != Method::GET, shot.at);
                let (status, timing) = target.send(shot).await;
                let done = clock::span(start.elapsed());
                let _ = samples.send(Sample { intended, sent, done, status, write, timing });
            });
            if index % 100 == 0 {
                progress(index);
            }
        }
        drop(samples);
        let mut all: Vec<Sample> = finished.iter().collect();
        progress(total);
        all.sort_by_key(|sample| sample.done);
        all
    }

    async fn send(&self, shot: Shot) -> (Result<u16, NoAnswer>, Option<ServerTiming>) {
        let mut request = Request::builder().method(shot.method).uri(format!("{}{}", self.base, shot.path));
        if !self.tokens.is_empty() {
            request = request.header(AUTHORIZATION, &self.tokens[shot.user as usize % self.tokens.len()]);
        }
        let Ok(request) = request.body(Full::default()) else { return (Err(NoAnswer::Connection), None) };
        let exchange = async {
            let answer = self.http.request(request).await.map_err(|_| NoAnswer::Connection)?;
            let (head, body) = answer.into_parts();
            body.collect().await.map_err(|_| NoAnswer::Connection)?;
            Ok((head.status.as_u16(), timing(&head.headers)))
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok((status, timing))) => (Ok(status), timing),
            Ok(Err(error)) => (Err(error), None),
            Err(_) => (Err(NoAnswer::Timeout), None),
        }
    }
}

fn timing(headers: &HeaderMap) -> Option<ServerTiming> {
    let mut timing = ServerTiming::default();
    for entry in headers.get("server-timing")?.to_str().ok()?.split(',') {
        let (name, duration) = entry.trim().split_once(";dur=")?;
        let span = Span::from_ms(duration.parse().ok()?);
        match name {
            "store" => timing.store = span,
            "queue" => timing.queue = span,
            "model" => timing.model = span,
            "total" => timing.total = span,
            _ => {}
        }
    }
    Some(timing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_timing_is_read() {
        let mut headers = HeaderMap::new();
        headers
            .insert("server-timing", "store;dur=1.500, queue;dur=0.000, other;dur=1, total;dur=2.25".parse().unwrap());
        let timing = timing(&headers).unwrap();
        assert_eq!((timing.store, timing.total), (Span::from_ms(1.5), Span::from_ms(2.25)));
        assert!(super::timing(&HeaderMap::new()).is_none());
    }

    #[test]
    fn addresses_are_checked() {
        for bad in ["", "localhost:8000", "ftp://x", "https://x", "http://"] {
            assert!(Target::new(bad, Duration::from_secs(1)).is_err(), "{bad}");
        }
        assert!(Target::new("http://127.0.0.1:8000/", Duration::from_secs(1)).is_ok());
    }
}
