//! Workloads through the ordinary engine: who sends when, which rows, and when they stop.

use sandbox_core::engine::World;
use sandbox_core::scenario::{Document, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::trace::What;
use serde_json::{Value, json};
use std::sync::Arc;

/// A service that works for 30 ms on each of as many requests as come, and this load for ten seconds.
fn document(load: Value) -> Document {
    let mut workload = json!({
        "client": "users", "target": "server", "keys": 1000, "users": 10,
        "routes": { "GET /": { "weight": 1, "op": "read" } }
    });
    workload.as_object_mut().unwrap().extend(load.as_object().unwrap().clone());
    Document::from_json(json!({
        "format_version": 1, "id": "load", "title": "A load", "seed": 7, "duration_s": 10,
        "nodes": {
            "users": { "kind": "client" },
            "server": {
                "kind": "service", "workers": 1000, "max_waiting": 0,
                "routes": { "GET /": [ { "work": { "dist": "constant", "value_ms": 30 } } ] }
            }
        },
        "workloads": { "load": workload }
    }))
}

fn plan(load: Value) -> Plan {
    document(load).plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Everything that was sent, with its time and its key.
fn sent(load: Value) -> Vec<(Time, u32)> {
    let mut world = World::new(Arc::new(plan(load)));
    let mut sent = Vec::new();
    while world.step().is_some() {
        sent.extend(world.emitted().iter().filter_map(|record| match record.what {
            What::Intended { key, .. } => Some((record.at, key)),
            _ => None,
        }));
    }
    sent
}

/// When requests were sent, in milliseconds.
fn times_ms(load: Value) -> Vec<f64> {
    sent(load).iter().map(|(at, _)| at.since(Time::ZERO).as_ms()).collect()
}

#[test]
fn a_window_and_a_number_of_requests_end_the_sending() {
    let paced = |more: Value| {
        let mut load = json!({ "arrivals": { "process": "paced", "gap_ms": 12.5 } });
        load.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        times_ms(load)
    };
    assert_eq!(paced(json!({ "requests": 4 })), [0.0, 12.5, 25.0, 37.5]);
    assert_eq!(paced(json!({ "from_s": 2, "to_s": 2.03 })), [2_000.0, 2_012.5, 2_025.0]);
    assert_eq!(paced(json!({ "from_s": 2, "to_s": 2.025 })), [2_000.0, 2_012.5], "the end is not part of the window");
    let poisson = json!({ "arrivals": { "process": "poisson", "rate_rps": 200 }, "from_s": 3, "to_s": 7 });
    let times = times_ms(poisson);
    assert!(times.iter().all(|ms| (3_000.0..7_000.0).contains(ms)));
    assert!((700..900).contains(&times.len()), "{} requests in 4 s", times.len());
}

#[test]
fn bursts_and_recordings_come_when_they_say() {
    let bursts = json!({ "arrivals": { "process": "bursts", "size": 3, "every_s": 4 }, "from_s": 1 });
    assert_eq!(times_ms(bursts), [1_000.0, 1_000.0, 1_000.0, 5_000.0, 5_000.0, 5_000.0, 9_000.0, 9_000.0, 9_000.0]);
    let recorded = json!({ "arrivals": { "process": "recorded", "at_ms": [5, 5, 8.25] }, "from_s": 1 });
    assert_eq!(times_ms(recorded), [1_005.0, 1_005.0, 1_008.25]);
    let at_once = json!({ "arrivals": { "process": "paced", "gap_ms": 0 }, "requests": 3 });
    assert_eq!(times_ms(at_once), [0.0, 0.0, 0.0]);
}

#[test]
fn a_client_of_a_closed_loop_thinks_sends_and_waits() {
    let think = json!({ "dist": "constant", "value_ms": 70 });
    let closed = json!({ "arrivals": { "process": "closed_loop", "clients": 2, "think": think }, "to_s": 0.4 });
    assert_eq!(times_ms(closed), [70.0, 70.0, 170.0, 170.0, 270.0, 270.0, 370.0, 370.0]);
}

#[test]
fn a_paced_client_keeps_its_pace_unless_the_answer_is_late() {
    let closed = |gap_ms: f64| json!({ "arrivals": { "process": "closed_loop_paced", "clients": 1, "gap_ms": gap_ms }, "to_s": 0.1 });
    assert_eq!(times_ms(closed(40.0)), [0.0, 40.0, 80.0]);
    assert_eq!(times_ms(closed(10.0)), [0.0, 30.0, 60.0, 90.0], "each answer takes 30 ms");
}

#[test]
fn a_closed_loop_never_has_more_requests_under_way_than_clients() {
    let think = json!({ "dist": "exponential", "mean_ms": 5 });
    let closed = json!({ "arrivals": { "process": "closed_loop", "clients": 40, "think": think } });
    let mut world = World::new(Arc::new(plan(closed)));
    let (mut under_way, mut most) = (0i64, 0);
    while world.step().is_some() {
        for record in world.emitted() {
            under_way += match record.what {
                What::Intended { .. } => 1,
                What::Answered { latency, .. } => {
                    assert_eq!(latency, Span::from_millis(30), "latency counts from the sending");
                    -1
                }
                _ => 0,
            };
        }
        most = most.max(under_way);
    }
    assert!((30..=40).contains(&most), "{most} of 40 clients at once");
}

#[test]
fn a_closed_loop_without_thought_ends_where_it_says() {
    // The service is down and refuses at once, and nobody pauses.
    let closed = json!({
        "arrivals": { "process": "closed_loop", "clients": 3, "think": { "dist": "constant", "value_ms": 0 } },
        "requests": 1000
    });
    let mut document = document(closed).json().clone();
    document["faults"] = json!({ "down": { "node": "server", "effect": { "kind": "down" }, "from_s": 0, "to_s": 10 } });
    let plan = Document::from_json(document).plan("A", &[]).unwrap();
    let mut world = World::new(Arc::new(plan));
    while world.step().is_some() {}
    assert_eq!(world.last_request().0, 1000);
}

#[test]
fn a_hot_key_gets_its_share_and_the_others_the_rest() {
    let hot = json!({
        "arrivals": { "process": "constant", "rate_rps": 2000 }, "popularity": { "dist": "hot", "share": 0.4 }
    });
    let keys: Vec<u32> = sent(hot).iter().map(|(_, key)| *key).collect();
    let share = keys.iter().filter(|key| **key == 0).count() as f64 / keys.len() as f64;
    assert!((share - 0.4).abs() < 0.02, "{share}");
    assert!(keys.contains(&1) && keys.contains(&999) && keys.iter().all(|key| *key < 1000));
}

#[test]
fn the_sentence_says_who_sends_what_and_how_long() {
    let describe = |load: Value| plan(load).describe();
    let think = json!({ "dist": "exponential", "mean_ms": 1500 });
    for (load, words) in [
        (
            json!({ "arrivals": { "process": "closed_loop", "clients": 25, "think": think }, "from_s": 2, "requests": 90 }),
            "25 clients of users, each waiting for its answer and then thinking for 1500 ms on average, from 2 s, \
             at most 90 requests",
        ),
        (
            json!({ "arrivals": { "process": "poisson", "rate_rps": 0.5 }, "popularity": { "dist": "zipf", "alpha": 0.8 } }),
            "0.5 Poisson requests a second from users for keys by Zipf's law (alpha 0.8)",
        ),
        (
            json!({ "arrivals": { "process": "on_off", "rate_rps": 100, "on_s": 1, "off_s": 2 }, "to_s": 8 }),
            "100 Poisson requests a second from users for 1 s, then none for 2 s, and so on, until 8 s",
        ),
    ] {
        assert!(describe(load.clone()).contains(words), "{}", describe(load));
    }
}

#[track_caller]
fn assert_refused(load: Value, path: &str, what: &str) {
    let found = document(load).plan("A", &[]).err().unwrap_or_default();
    assert!(found.iter().any(|p| p.path == path && p.what.contains(what)), "no `{what}` at {path} among {found:#?}");
}

#[test]
fn loads_that_make_no_sense_or_never_end_are_refused() {
    let arrivals = |arrivals: Value| json!({ "arrivals": arrivals });
    let at = "workloads.load.arrivals";
    let still = json!({ "dist": "constant", "value_ms": 0 });
    assert_refused(arrivals(json!({ "process": "closed_loop", "clients": 1, "think": still })), at, "without end");
    assert_refused(arrivals(json!({ "process": "closed_loop_paced", "clients": 1, "gap_ms": 0 })), at, "without end");
    assert_refused(arrivals(json!({ "process": "paced", "gap_ms": 1e-9 })), at, "without end");
    assert_refused(arrivals(json!({ "process": "bursts", "size": 1, "every_s": 1e-12 })), at, "without end");
    let quick = json!({ "dist": "exponential", "mean_ms": 0.01 });
    assert_refused(
        arrivals(json!({ "process": "closed_loop", "clients": 9, "think": quick })),
        "workloads",
        "too many",
    );
    assert_refused(arrivals(json!({ "process": "bursts", "size": 1_000_000, "every_s": 1 })), "workloads", "too many");
    let peak = json!([{ "at_s": 0, "rate_rps": 0 }, { "at_s": 9, "rate_rps": 1e6 }, { "at_s": 20, "rate_rps": 0 }]);
    assert_refused(arrivals(json!({ "process": "ramp", "points": peak })), "workloads", "too many");

    let nobody =
        json!({ "process": "closed_loop", "clients": 0, "think": { "dist": "pareto", "alpha": 1, "min_ms": 1 } });
    assert_refused(arrivals(nobody.clone()), &format!("{at}.clients"), "out of range");
    assert_refused(arrivals(nobody), &format!("{at}.think.alpha"), "no mean");
    assert_refused(
        arrivals(json!({ "process": "recorded", "at_ms": [3, 2] })),
        &format!("{at}.at_ms.1"),
        "out of range",
    );
    assert_refused(arrivals(json!({ "process": "recorded", "at_ms": [] })), &format!("{at}.at_ms"), "out of range");
    assert_refused(arrivals(json!({ "process": "ramp", "points": [] })), &format!("{at}.points"), "out of range");
    let back = json!([{ "at_s": 5, "rate_rps": 1 }, { "at_s": 4, "rate_rps": -1 }]);
    assert_refused(
        arrivals(json!({ "process": "ramp", "points": back })),
        &format!("{at}.points.1.at_s"),
        "out of range",
    );
    assert_refused(
        arrivals(json!({ "process": "ramp", "points": back })),
        &format!("{at}.points.1.rate_rps"),
        "negative",
    );
    let never = json!({ "process": "on_off", "rate_rps": 5, "on_s": 0, "off_s": 1 });
    assert_refused(arrivals(never), &format!("{at}.on_s"), "out of range");

    let with = |more: Value| {
        let mut load = arrivals(json!({ "process": "poisson", "rate_rps": 5 }));
        load.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        load
    };
    assert_refused(with(json!({ "from_s": 10 })), "workloads.load.from_s", "end of the run");
    assert_refused(with(json!({ "from_s": 5, "to_s": 5 })), "workloads.load.to_s", "not after");
    assert_refused(with(json!({ "requests": 0 })), "workloads.load.requests", "out of range");
    assert_refused(with(json!({ "priority": 0 })), "workloads.load.priority", "out of range");
    assert_refused(
        with(json!({ "popularity": { "dist": "zipf", "alpha": -1 } })),
        "workloads.load.popularity.alpha",
        "negative",
    );
    assert_refused(
        with(json!({ "popularity": { "dist": "hot", "share": 1.5 } })),
        "workloads.load.popularity.share",
        "out of",
    );
}
