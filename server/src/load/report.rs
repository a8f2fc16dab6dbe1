//! What a load test found.

use super::{NoAnswer, Sample};
use crate::output::{LatencyMs, add, histogram};
use sandbox_core::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `load --json`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LoadReport {
    /// Where the load went.
    pub url: String,
    /// Requests a second, as asked for.
    pub rate_rps: f64,
    /// How long requests were sent, in seconds.
    pub duration_s: f64,
    /// Requests sent.
    pub sent: u64,
    /// Answered with 2xx.
    pub succeeded: u64,
    /// Every other end.
    pub failed: u64,
    /// Successes per second of the duration.
    pub throughput_rps: f64,
    /// failed / sent.
    pub error_ratio: f64,
    /// By HTTP status, or `timeout` or `connection`.
    pub by_status: BTreeMap<String, u64>,
    /// Successes, from the intended send to the complete answer.
    pub latency_ms: LatencyMs,
    /// Failures, likewise.
    pub failed_latency_ms: LatencyMs,
    /// How late the generator itself was: from the intended send to handing the request over.
    pub send_lag_ms: LatencyMs,
    /// Where successes spent their time, as the server says in `Server-Timing`; null if it does not.
    pub server_timing: Option<TimingReport>,
    /// Second by second, by completion.
    pub seconds: Vec<SecondReport>,
}

/// Where successes spent their time, in the server's view.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TimingReport {
    /// From the stamp of the request to its answer.
    pub total_ms: LatencyMs,
    /// The store's own time.
    pub store_ms: LatencyMs,
    /// Total less store: what the request spent in everything else, the scenario's own work and waits included.
    pub over_store_ms: LatencyMs,
    /// Total less store, less waits for workers and connections, less what the scenario asks of modelled parts: what
    /// our threads, timers and channels add.
    pub added_ms: LatencyMs,
}

/// One second of a load test, by completion.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SecondReport {
    /// Which second, from 0.
    pub second: u64,
    /// Successes.
    pub ok: u64,
    /// 4xx.
    pub client_errors: u64,
    /// 5xx.
    pub server_errors: u64,
    /// No answer.
    pub lost: u64,
    /// Latency of successes.
    pub latency_ms: LatencyMs,
}

impl LoadReport {
    /// Sums samples up.
    pub fn new(url: &str, rate_rps: f64, duration: Span, samples: &[Sample]) -> LoadReport {
        let (mut ok, mut failed, mut lag) = (histogram(), histogram(), histogram());
        let mut by_status = BTreeMap::new();
        for sample in samples {
            add(if sample.is_success() { &mut ok } else { &mut failed }, sample.latency());
            add(&mut lag, Span::from_nanos(sample.sent.as_nanos().saturating_sub(sample.intended.as_nanos())));
            let name = match sample.status {
                Ok(status) => status.to_string(),
                Err(NoAnswer::Timeout) => "timeout".into(),
                Err(NoAnswer::Connection) => "connection".into(),
            };
            *by_status.entry(name).or_insert(0) += 1;
        }
        let sent = samples.len() as u64;
        LoadReport {
            url: url.into(),
            rate_rps,
            duration_s: duration.as_seconds(),
            sent,
            succeeded: ok.len(),
            failed: failed.len(),
            throughput_rps: ok.len() as f64 / duration.as_seconds(),
            error_ratio: if sent == 0 { 0.0 } else { failed.len() as f64 / sent as f64 },
            by_status,
            latency_ms: LatencyMs::of(&ok),
            failed_latency_ms: LatencyMs::of(&failed),
            send_lag_ms: LatencyMs::of(&lag),
            server_timing: TimingReport::new(samples),
            seconds: seconds(samples),
        }
    }

    /// The report as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let ms = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.2}"));
        let mut row = |name: &str, latency: &LatencyMs| {
            let [p50, p95, p99, max] = [latency.p50, latency.p95, latency.p99, latency.max].map(ms);
            let _ = writeln!(text, "  {name:<34}{p50:>10}{p95:>10}{p99:>10}{max:>10}{:>10}", latency.count);
        };
        row("successes", &self.latency_ms);
        row("failures", &self.failed_latency_ms);
        row("generator late by", &self.send_lag_ms);
        if let Some(timing) = &self.server_timing {
            row("server: total", &timing.total_ms);
            row("server: the store's own time", &timing.store_ms);
            row("server: all but the store", &timing.over_store_ms);
            row("server: threads, timers, channels", &timing.added_ms);
        }
        let statuses: Vec<String> = self.by_status.iter().map(|(name, count)| format!("{name}: {count}")).collect();
        let mut out = format!(
            "{} requests in {} s to {}: {:.1} successes a second, error ratio {:.4} ({})\n\n",
            self.sent,
            self.duration_s,
            self.url,
            self.throughput_rps,
            self.error_ratio,
            statuses.join(", ")
        );
        let _ = writeln!(
            out,
            "  {:<34}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "milliseconds", "p50", "p95", "p99", "max", "count"
        );
        out.push_str(&text);
        out.push_str("\n  second       ok      4xx      5xx     lost   p50 ms   p95 ms   p99 ms\n");
        for second in &self.seconds {
            let [p50, p95, p99] = [second.latency_ms.p50, second.latency_ms.p95, second.latency_ms.p99].map(ms);
            let SecondReport { second, ok, client_errors, server_errors, lost, .. } = second;
            let _ = writeln!(
                out,
                "  {second:>6} {ok:>8} {client_errors:>8} {server_errors:>8} {lost:>8} {p50:>8} {p95:>8} {p99:>8}"
            );
        }
        out
    }
}

impl TimingReport {
    /// Sums up what the server said about successes; None if it said nothing.
    pub fn new(samples: &[Sample]) -> Option<TimingReport> {
        let (mut total, mut store, mut over, mut added) = (histogram(), histogram(), histogram(), histogram());
        for timing in samples.iter().filter(|sample| sample.is_success()).filter_map(|sample| sample.timing) {
            let less = |parts: Span| Span::from_nanos(timing.total.as_nanos().saturating_sub(parts.as_nanos()));
            add(&mut total, timing.total);
            add(&mut store, timing.store);
            add(&mut over, less(timing.store));
            add(&mut added, less(timing.store + timing.queue + timing.model));
        }
        let of = LatencyMs::of;
        let report =
            TimingReport { total_ms: of(&total), store_ms: of(&store), over_store_ms: of(&over), added_ms: of(&added) };
        (!total.is_empty()).then_some(report)
    }
}

fn seconds(samples: &[Sample]) -> Vec<SecondReport> {
    let mut by_second: BTreeMap<u64, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        by_second.entry(sample.done.as_nanos() / 1_000_000_000).or_default().push(sample);
    }
    let report = |(second, samples): (u64, Vec<&Sample>)| {
        let mut latency = histogram();
        let (mut client_errors, mut server_errors, mut lost) = (0, 0, 0);
        for sample in samples {
            match sample.status {
                _ if sample.is_success() => add(&mut latency, sample.latency()),
                Ok(500..) => server_errors += 1,
                Ok(_) => client_errors += 1,
                Err(_) => lost += 1,
            }
        }
        let (ok, latency_ms) = (latency.len(), LatencyMs::of(&latency));
        SecondReport { second, ok, client_errors, server_errors, lost, latency_ms }
    };
    by_second.into_iter().map(report).collect()
}
