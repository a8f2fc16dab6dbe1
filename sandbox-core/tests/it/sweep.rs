//! Sweeps: the same result however the runs are spread, and intervals that hold what is known.

use sandbox_core::scenario::Document;
use sandbox_core::sweep::{Axis, Shard, Sweep};
use serde_json::json;

const BUSY: &str = "worker_busy.mean";
const LATENCY: &str = "http_request_duration_seconds.mean";

/// One worker with exponential work of 10 ms under Poisson arrivals: M/M/1.
fn document() -> Document {
    Document::from_json(json!({
        "format_version": 1, "id": "queue", "title": "A queue", "seed": 1, "duration_s": 200,
        "nodes": {
            "users": { "kind": "client" },
            "server": {
                "kind": "service", "workers": 1, "max_waiting": 10_000,
                "routes": { "GET /": [ { "work": { "dist": "exponential", "mean_ms": 10 } } ] }
            }
        },
        "workloads": { "load": {
            "client": "users", "target": "server", "keys": 1, "users": 1,
            "arrivals": { "process": "poisson", "rate_rps": 50 },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "knobs": { "rate": {
            "title": "Rate", "path": "workloads.load.arrivals.rate_rps", "unit": "rps", "min": 10, "max": 90, "step": 10
        } }
    }))
}

fn sweep(vary: &[&str], seeds: u32, queries: &[&str]) -> Result<Sweep, Vec<sandbox_core::scenario::Problem>> {
    let axes = vary.iter().map(|axis| Axis::parse(axis).unwrap()).collect();
    Sweep::new(document(), "A", Vec::new(), axes, seeds, queries.iter().map(ToString::to_string).collect())
}

/// The answers of some runs, in this order.
fn shard(sweep: &Sweep, runs: impl IntoIterator<Item = u64>) -> Shard {
    let mut shard = Shard::new(sweep.spec().clone());
    for number in runs {
        let mut run = sweep.start(number);
        while !run.advance(1_000) {}
        shard.add(number, &sweep.answers(&run));
    }
    shard
}

#[test]
fn intervals_hold_the_mean_of_theory() {
    // Twenty intervals, each of six seeds of its own: one of them may be expected to miss.
    let (all, six) = (sweep(&["rate=50"], 120, &[BUSY, LATENCY]).unwrap(), sweep(&["rate=50"], 6, &[BUSY, LATENCY]));
    let six = six.unwrap();
    let mut held = [0, 0];
    for group in 0..20 {
        let mut shard = Shard::new(six.spec().clone());
        for number in 0..6 {
            let mut run = all.start(group * 6 + number);
            run.run_to_end();
            shard.add(number, &all.answers(&run));
        }
        let point = shard.report().unwrap().points.remove(0);
        // Utilization lambda / mu, sojourn 1 / (mu - lambda).
        for ((estimate, theory), held) in point.results.iter().zip([0.5, 0.02]).zip(&mut held) {
            let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
            assert!(high - low < 0.2 * theory, "{estimate:?} says little");
            *held += u32::from((low..=high).contains(&theory));
        }
    }
    assert!(held.iter().all(|held| (17..=20).contains(held)), "{held:?} of 20");
}

#[test]
fn shards_merge_in_any_order_and_through_files() {
    let sweep =
        sweep(&["workloads.load.arrivals.rate_rps=20..80:3", "nodes.server.workers=1,2"], 3, &[LATENCY]).unwrap();
    let runs = sweep.spec().runs();
    assert_eq!(runs, 18);
    let whole = shard(&sweep, 0..runs).report().unwrap();
    assert_eq!(whole.points[1].at, [20.0, 2.0], "the last axis turns fastest");
    let parts = [0, 1, 2].map(|part| shard(&sweep, (0..runs).rev().filter(|run| run % 3 == part)));
    let through_a_file = |part: &Shard| Shard::parse(&serde_json::to_string(part).unwrap()).unwrap();
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut merged = Shard::new(sweep.spec().clone());
        for part in order {
            assert!(merged.report().unwrap_err().contains("missing"));
            merged.merge(through_a_file(&parts[part])).unwrap();
        }
        assert_eq!(merged.report().unwrap(), whole);
    }
    let mut strange = Shard::new(sweep.spec().clone());
    strange.add(0, &[Some(1.0)]);
    assert!(strange.merge(parts[0].clone()).unwrap_err().contains("run 0"));
    strange.sweep.seeds = 4;
    assert!(strange.merge(parts[1].clone()).unwrap_err().contains("another sweep"));
    let written = serde_json::to_string(&parts[0]).unwrap();
    for bad in
        ["{}".to_string(), written.replace("\"seeds\":3", "\"seeds\":4000000000"), written.replace("\"0\":", "\"99\":")]
    {
        assert!(Shard::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn everything_wrong_is_told_before_anything_runs() {
    let told = |vary: &[&str], seeds, queries: &[&str]| {
        let problems = sweep(vary, seeds, queries).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let all = told(&["nodes.server.wrokers=1,2", "nodes.server.max_waiting=-1,5"], 2, &["nonsense", "no_signal.mean"]);
    for part in ["nodes.server.wrokers", "Did you mean `workers`", "max_waiting", "--query nonsense"] {
        assert!(all.contains(part), "{part} is not in {all}");
    }
    let queries =
        told(&["rate=1,2"], 2, &["no_signal.mean", "worker_busy.p99", "B.worker_busy.mean", "worker_busy.mean[0:999]"]);
    assert_eq!(queries.lines().count(), 4, "{queries}");
    let both = told(&["nodes.nowhere.workers=1,2", "nodes.server.wrokers=1,2"], 2, &["no_signal.mean"]);
    for part in ["nowhere", "wrokers", "no_signal"] {
        assert!(both.contains(part), "{part} is not in {both}");
    }
    assert!(told(&["seed=1,2"], 2, &[BUSY]).contains("seed"));
    assert!(told(&["rate=1,2", "workloads.load.arrivals.rate_rps=1,2"], 2, &[BUSY]).contains("varied twice"));
    assert!(told(&["rate=1..9:900"], 1_000, &[BUSY]).contains("runs"));
    assert!(told(&["rate=1..9:900", "nodes.server.workers=1..9:9"], 1, &[BUSY]).contains("points"));
}
