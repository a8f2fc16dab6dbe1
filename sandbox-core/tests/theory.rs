//! The engine against queueing theory: closed forms that nobody here invented.

use sandbox_core::Run;
use sandbox_core::metrics::RunReport;
use sandbox_core::scenario::Document;
use serde_json::json;
use std::sync::Arc;

/// One service with exponential work behind a bare gateway.
fn queue(workers: u32, max_waiting: u32, rate_rps: f64, mean_ms: f64, duration_s: f64, seed: u64) -> RunReport {
    let document = Document::from_json(json!({
        "format_version": 1, "id": "queue", "title": "A queue", "seed": seed, "duration_s": duration_s,
        "nodes": {
            "users": { "kind": "client" },
            "server": {
                "kind": "service", "workers": workers, "max_waiting": max_waiting,
                "routes": { "GET /": [ { "work": { "dist": "exponential", "mean_ms": mean_ms } } ] }
            }
        },
        "workloads": { "load": {
            "client": "users", "target": "server", "keys": 1, "users": 1,
            "arrivals": { "process": "poisson", "rate_rps": rate_rps },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } }
    }));
    let plan = document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut run = Run::new(Arc::new(plan));
    run.run_to_end();
    RunReport::new(&run, 0.0)
}

/// The mean over seeds 1 to `seeds` of a number of each run.
fn mean(seeds: u64, of: impl Fn(u64) -> f64) -> f64 {
    (1..=seeds).map(of).sum::<f64>() / seeds as f64
}

fn assert_close(what: &str, got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance * expected, "{what}: {got} against {expected}");
}

#[test]
fn m_m_1_has_its_mean_time_in_system() {
    // 1 / (mu - lambda) = 1 / (100 - 70) s.
    let got = mean(8, |seed| queue(1, 1_000_000, 70.0, 10.0, 600.0, seed).latency_ms.mean);
    assert_close("mean", got, 1_000.0 / 30.0, 0.03);
}

#[test]
fn m_m_1_has_its_utilization_and_queue() {
    let utilization = mean(4, |seed| queue(1, 1_000_000, 60.0, 10.0, 400.0, seed).nodes["server"].utilization);
    assert_close("rho", utilization, 0.6, 0.02);
    // rho^2 / (1 - rho)
    let waiting = mean(8, |seed| queue(1, 1_000_000, 60.0, 10.0, 400.0, seed).nodes["server"].queue_mean);
    assert_close("queue", waiting, 0.9, 0.06);
}

#[test]
fn a_station_without_a_line_loses_what_erlang_b_says() {
    // Erlang B for 5 servers offered 4 erlang: 0.19907.
    let lost = mean(4, |seed| queue(5, 0, 400.0, 10.0, 120.0, seed).error_ratio);
    assert_close("loss", lost, 0.19907, 0.03);
}

#[test]
fn m_m_1_percentiles_are_exponential() {
    // The time in system is exponential with mean 1 / (mu - lambda) = 20 ms: p95 = 20 ln 20.
    let got = mean(6, |seed| queue(1, 1_000_000, 50.0, 10.0, 400.0, seed).latency_ms.p95);
    assert_close("p95", got, 20.0 * libm::log(20.0), 0.05);
}
