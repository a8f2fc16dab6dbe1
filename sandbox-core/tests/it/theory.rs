//! The engine against queueing theory: closed forms that nobody here invented.

use sandbox_core::Run;
use sandbox_core::metrics::RunReport;
use sandbox_core::scenario::Document;
use serde_json::{Value, json};
use std::sync::Arc;

/// One service with exponential work under a Poisson load.
fn queue(workers: u32, max_waiting: u32, rate_rps: f64, mean_ms: f64, duration_s: f64, seed: u64) -> RunReport {
    let arrivals = json!({ "process": "poisson", "rate_rps": rate_rps });
    let work = json!({ "dist": "exponential", "mean_ms": mean_ms });
    station(workers, max_waiting, arrivals, work, duration_s, seed)
}

/// One service with this work under this load.
fn station(workers: u32, max_waiting: u32, arrivals: Value, work: Value, duration_s: f64, seed: u64) -> RunReport {
    let document = Document::from_json(json!({
        "format_version": 1, "id": "queue", "title": "A queue", "seed": seed, "duration_s": duration_s,
        "nodes": {
            "users": { "kind": "client" },
            "server": {
                "kind": "service", "workers": workers, "max_waiting": max_waiting,
                "routes": { "GET /": [ { "work": work } ] }
            }
        },
        "workloads": { "load": {
            "client": "users", "target": "server", "keys": 1, "users": 1,
            "arrivals": arrivals,
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

/// The mean wait of M/G/1 at load 0.6 with work of mean 10 ms is what Pollaczek and Khinchine say: rho / (1 - rho) times
/// (1 + cv2) / 2 times the mean.
#[track_caller]
fn assert_pollaczek_khinchine(work: Value, cv2: f64, tolerance: f64) {
    let arrivals = json!({ "process": "poisson", "rate_rps": 60 });
    let wait = |seed| {
        let report = station(1, 1_000_000, arrivals.clone(), work.clone(), 500.0, seed);
        report.latency_ms.mean - 10.0
    };
    assert_close("wait", mean(4, wait), 0.6 / 0.4 * (1.0 + cv2) / 2.0 * 10.0, tolerance);
}

#[test]
fn m_g_1_waits_as_long_as_the_second_moment_says() {
    assert_pollaczek_khinchine(json!({ "dist": "constant", "value_ms": 10 }), 0.0, 0.03);
    assert_pollaczek_khinchine(json!({ "dist": "erlang", "k": 4, "mean_ms": 10 }), 0.25, 0.03);
    assert_pollaczek_khinchine(json!({ "dist": "uniform", "min_ms": 0, "max_ms": 20 }), 1.0 / 3.0, 0.03);
    assert_pollaczek_khinchine(json!({ "dist": "lognormal", "mean_ms": 10, "cv2": 2 }), 2.0, 0.06);
    let branches = json!([{ "p": 0.9, "mean_ms": 5 }, { "p": 0.1, "mean_ms": 55 }]);
    assert_pollaczek_khinchine(json!({ "dist": "hyperexponential", "branches": branches }), 5.5, 0.1);
    let points = json!([{ "p": 0.8, "value_ms": 5 }, { "p": 0.2, "value_ms": 30 }]);
    assert_pollaczek_khinchine(json!({ "dist": "discrete", "points": points }), 1.0, 0.05);
    // E[X^2] = alpha / (alpha - 2) min^2, here with mean 10: cv2 = 1 / (alpha (alpha - 2)).
    assert_pollaczek_khinchine(json!({ "dist": "pareto", "alpha": 5, "min_ms": 8 }), 1.0 / 15.0, 0.03);
}

#[test]
fn a_closed_loop_is_the_machine_repair_model() {
    // 10 clients think for 90 ms, one worker works for 10 ms, both exponential: the worker is idle with probability
    // 1 / sum of 10! / (10 - n)! (10 / 90)^n, which is M/M/1//10, and Little's law gives the rest.
    let mut term = 1.0;
    let sum: f64 = 1.0
        + (0..10)
            .map(|n| {
                term *= f64::from(10 - n) / 9.0;
                term
            })
            .sum::<f64>();
    let busy = 1.0 - 1.0 / sum;
    let think = json!({ "dist": "exponential", "mean_ms": 90 });
    let arrivals = json!({ "process": "closed_loop", "clients": 10, "think": think });
    let work = json!({ "dist": "exponential", "mean_ms": 10 });
    let reports: Vec<RunReport> =
        (1..=4).map(|seed| station(1, 100, arrivals.clone(), work.clone(), 400.0, seed)).collect();
    let mean = |of: fn(&RunReport) -> f64| reports.iter().map(of).sum::<f64>() / 4.0;
    assert_close("utilization", mean(|report| report.nodes["server"].utilization), busy, 0.01);
    assert_close("throughput", mean(|report| report.throughput_rps), busy * 100.0, 0.01);
    assert_close("response", mean(|report| report.latency_ms.mean), 10.0 * 1_000.0 / (busy * 100.0) - 90.0, 0.02);
}

#[test]
fn a_closed_loop_without_thought_keeps_every_worker_busy() {
    // Utilization law: 50 clients, 10 workers of 20 ms: 500 a second, and each answer takes 50 / 500 s.
    let arrivals = json!({ "process": "closed_loop_paced", "clients": 50, "gap_ms": 1 });
    let report = station(10, 100, arrivals, json!({ "dist": "constant", "value_ms": 20 }), 20.0, 1);
    assert_close("throughput", report.throughput_rps, 500.0, 0.01);
    assert_close("response", report.latency_ms.p50, 100.0, 0.01);
}
