//! Models with known answers that combine the words of the published cases in other ways: each number is a closed form, or is counted
//! by hand.

use sandbox_core::truth::{Answers, Refusal, read_cases};
use serde_json::{Value, json};

/// What is measured of a model in so many requests.
fn ask(model: Value, requests: u64, wanted: &[&str]) -> Result<Answers, Refusal> {
    let mut model = model;
    model["type"] = json!("system");
    model["time_unit"] = json!("s");
    let expected: Value =
        wanted.iter().map(|name| (name.to_string(), json!(0.0))).collect::<serde_json::Map<_, _>>().into();
    let case = json!([{
        "id": "combination", "tier": 2, "kind": "statistical", "source": "closed form", "model": model, "metric": "as named",
        "expected": expected, "rel_tol": 0.1, "needs": [], "notes": "", "run": { "requests": requests, "warmup_share": 0.1, "start": "empty" }
    }]);
    let cases = read_cases(&case.to_string()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    cases[0].answer(1)
}

/// Each metric is what it should be, within a share of it.
fn expect(model: Value, requests: u64, within: f64, numbers: &[(&str, f64)]) {
    let wanted: Vec<&str> = numbers.iter().map(|(name, _)| *name).collect();
    let answers = ask(model.clone(), requests, &wanted).unwrap_or_else(|refusal| panic!("{model}: {refusal:?}"));
    for (name, right) in numbers {
        let got = answers[*name].as_f64().unwrap_or_else(|| panic!("{name} is {}", answers[*name]));
        assert!((got - right).abs() <= within * right.abs().max(1e-9), "{name} is {got}, not {right}: {model}");
    }
}

fn poisson(rate_per_s: f64) -> Value {
    json!({ "process": "poisson", "rate_per_s": rate_per_s })
}

fn exponential(mean_s: f64) -> Value {
    json!({ "dist": "exponential", "mean_s": mean_s })
}

fn deterministic(value_s: f64) -> Value {
    json!({ "dist": "deterministic", "value_s": value_s })
}

fn station(id: &str, mean_s: f64, max_waiting: Option<u32>, discipline: &str) -> Value {
    let queue = json!({ "max_waiting": max_waiting, "discipline": discipline });
    json!({ "id": id, "workers": 1, "service": exponential(mean_s), "queue": queue })
}

/// The share of time with n in an M/M/1/4 of this load.
fn of_four(load: f64, n: u32) -> f64 {
    let weight = |n: u32| libm::pow(load, f64::from(n));
    weight(n) / (0..5).map(weight).sum::<f64>()
}

/// M/M/1/4 is the same for whoever stands in line and for whoever shares.
#[test]
fn waiting_places_are_as_many_where_calls_share() {
    let (load, rate) = (0.9, 90.0);
    let inside = (0..5).map(|n| f64::from(n) * of_four(load, n)).sum();
    for discipline in ["fifo", "processor_sharing"] {
        let model = json!({ "arrivals": poisson(rate), "stations": [station("s", 0.01, Some(3), discipline)] });
        expect(model, 60_000, 0.05, &[("reject_fraction", of_four(load, 4)), ("mean_in_system", inside)]);
    }
    // Whoever is turned away could not start at once either.
    let model = json!({ "arrivals": poisson(rate), "stations": [station("s", 0.01, Some(3), "fifo")] });
    expect(model, 60_000, 0.03, &[("p_wait", 1.0 - of_four(load, 0))]);
}

/// Burke: each station of a tandem is an M/M/1 of its own.
#[test]
fn stations_and_classes_are_asked_one_by_one() {
    let routing = json!({ "enter": { "a": 1 }, "a": { "b": 1 }, "b": { "exit": 1 } });
    let stations = json!([station("a", 0.01, None, "fifo"), station("b", 0.0125, None, "fifo")]);
    let model = json!({ "arrivals": poisson(60.0), "routing": routing, "stations": stations });
    expect(
        model,
        100_000,
        0.06,
        &[
            ("mean_sojourn_s@station:a", 0.025),
            ("mean_wait_s@station:a", 0.015),
            ("p_wait@station:a", 0.6),
            ("mean_sojourn_s@station:b", 0.05),
            ("mean_wait_s@station:b", 0.0375),
            ("throughput_per_s", 60.0),
        ],
    );
    let class = |id: &str, rate: f64, mean_s: f64| json!({ "id": id, "priority": 1, "arrivals": poisson(rate), "service": exponential(mean_s) });
    let queue = json!({ "max_waiting": null, "discipline": "fifo" });
    let model = json!({
        "classes": [class("A_1", 100.0, 0.003), class("a-1", 40.0, 0.01)],
        "stations": [{ "id": "s", "workers": 1, "queue": queue }]
    });
    let numbers = [
        ("utilization@class:A_1", 0.3),
        ("utilization@class:a-1", 0.4),
        ("throughput_per_s@class:A_1", 100.0),
        ("goodput_per_s@class:a-1", 40.0),
        ("utilization", 0.7),
    ];
    expect(model.clone(), 60_000, 0.05, &numbers);
    // A service that ends in failure takes as long.
    let mut failing = model.clone();
    failing["stations"][0]["failure_probability"] = json!(0.5);
    expect(
        failing,
        60_000,
        0.05,
        &[("utilization@class:A_1", 0.3), ("utilization@class:a-1", 0.4), ("utilization", 0.7)],
    );
    assert!(matches!(ask(model, 1_000, &["retries_per_s@class:a-1"]), Err(Refusal::Unsupported(_))));
}

#[test]
fn pauses_of_retries_end() {
    let failing = |probability: f64| json!([{ "id": "s", "workers": null, "service": deterministic(0.0), "failure_probability": probability }]);
    let at_once = json!({ "max_attempts": 3, "retry_on": ["failure"], "base_delay_s": 0, "jitter": "none" });
    let model = json!({ "arrivals": poisson(100.0), "stations": failing(0.5), "retry": at_once });
    expect(model, 10_000, 0.05, &[("mean_waiting_clients", 0.0), ("attempts_per_request", 1.75)]);
    // Little: a rate of 100, half of it waits 0.1 s, a quarter 0.2 s more.
    let later =
        json!({ "max_attempts": 3, "retry_on": ["failure"], "base_delay_s": 0.1, "multiplier": 2, "jitter": "none" });
    let model = json!({ "arrivals": poisson(100.0), "stations": failing(0.5), "retry": later });
    expect(model, 40_000, 0.05, &[("mean_waiting_clients", 10.0), ("mean_total_backoff_s", 0.1)]);
    // Retries of a station count like those of a client.
    let retry =
        json!({ "max_attempts": 3, "retry_on": ["failure"], "base_delay_s": 0.1, "multiplier": 2, "jitter": "none" });
    let leaf = json!({ "id": "leaf", "workers": null, "service": deterministic(0.0), "failure_probability": 1 });
    let front =
        json!({ "id": "front", "workers": null, "service": deterministic(0.0), "calls": "leaf", "retry": retry });
    let model = json!({ "arrivals": poisson(50.0), "entry": "front", "stations": [leaf, front] });
    let numbers = [("mean_total_backoff_s", 0.3), ("retries_per_s", 100.0), ("attempts_per_request", 3.0)];
    expect(model, 20_000, 0.05, &numbers);
}

/// An instance that is down is a failure, a full line is a refusal.
#[test]
fn what_is_retried_is_what_was_named() {
    let down = json!({ "up": exponential(240.0), "down": exponential(60.0) });
    let replicas =
        json!([{ "id": "s", "workers": null, "replicas": 2, "service": deterministic(0.001), "failures": down }]);
    let retry = |on: &str| json!({ "max_attempts": 3, "retry_on": [on], "base_delay_s": 0 });
    let model = json!({
        "arrivals": poisson(1.0), "stations": replicas, "retry": retry("reject"), "balancer": { "algorithm": "random" }
    });
    expect(model, 60_000, 0.15, &[("failure_fraction", 0.2)]);
    let queue = json!({ "max_waiting": 0, "discipline": "fifo" });
    let rare = json!({ "up": exponential(3_000.0), "down": exponential(0.001) });
    let one = json!([{ "id": "s", "workers": 1, "service": exponential(0.01), "queue": queue, "failures": rare }]);
    let model = json!({ "arrivals": poisson(80.0), "stations": one, "retry": retry("failure") });
    // Erlang's loss: 0.8 / 1.8.
    expect(model, 40_000, 0.05, &[("attempts_per_request", 1.0), ("reject_fraction", 0.8 / 1.8)]);
}

#[test]
fn messages_are_counted_until_the_last_is_delivered() {
    let queue = json!({
        "visibility_timeout_s": 4, "max_receive_count": 3, "processing": deterministic(4.5), "consumers": null
    });
    let arrivals = json!({ "process": "constant", "gap_ms": 1000, "count": 10 });
    let model = json!({ "arrivals": arrivals, "message_queue": queue });
    expect(model, 10, 0.0, &[("dead_letter_fraction", 1.0), ("deliveries_per_message", 3.0)]);
    let queue = json!({
        "visibility_timeout_s": 43_200, "max_receive_count": 300, "processing": deterministic(3.5), "consumers": 1
    });
    let arrivals = json!({ "process": "constant", "gap_ms": 1000, "count": 10 });
    let model = json!({ "arrivals": arrivals, "message_queue": queue });
    expect(model, 10, 0.0, &[("dead_letter_fraction", 0.0), ("deliveries_per_message", 1.0)]);
}

/// N / (R + Z) with a server that is never busy.
#[test]
fn a_closed_loop_is_as_busy_at_its_end() {
    let arrivals = json!({ "process": "closed_loop", "clients": 400, "think_time": exponential(40.0) });
    let stations = json!([{ "id": "s", "workers": null, "service": deterministic(0.1) }]);
    let model = json!({ "arrivals": arrivals, "stations": stations });
    expect(model, 20_000, 0.02, &[("throughput_per_s", 400.0 / 40.1)]);
}

#[test]
fn what_a_leaky_queue_holds_back_waits() {
    let arrivals = json!({ "process": "constant", "gap_ms": 0, "count": 4 });
    let model =
        json!({ "arrivals": arrivals, "limiter": { "algorithm": "leaky_queue", "rate_per_s": 10, "burst": 3 } });
    // 0, 0.1, 0.2 and 0.3 s, of which the first tenth is warm-up and none of four.
    expect(model, 4, 0.001, &[("mean_wait_s", 0.15)]);
}

/// A copy lives for 3 s from its load: of 1 + 2 x 3 requests one goes to the station.
#[test]
fn a_cache_stands_in_front_of_stations() {
    let cache = json!({
        "capacity": null, "eviction": null, "ttl_s": 3, "refresh_on_read": false, "fetch_time_s": 0, "single_flight": true
    });
    let stations = json!([{ "id": "s", "workers": null, "service": deterministic(0.0) }]);
    let catalog = json!({ "objects": 1, "popularity": { "dist": "uniform" } });
    let model = json!({ "arrivals": poisson(2.0), "catalog": catalog, "cache": cache, "stations": stations });
    expect(model, 20_000, 0.03, &[("mean_visits_per_request", 1.0 / 7.0), ("hit_ratio", 6.0 / 7.0)]);
}

#[test]
fn a_fault_may_last_for_ever_and_a_time_be_long() {
    let arrivals = json!({ "process": "constant", "gap_ms": 10, "count": 20 });
    let station = json!({ "id": "s", "workers": 1, "service": deterministic(0.005), "queue": { "max_waiting": null, "discipline": "fifo" } });
    let fault = json!({ "kind": "hold_starts", "station": "s", "interval_ms": [95, null] });
    let model = json!({ "arrivals": arrivals, "stations": [station], "faults": [fault] });
    let answers = ask(model, 20, &["completed_count"]).unwrap();
    assert_eq!(answers["completed_count"], json!(8), "of the ten before it the first two are warm-up");
    let model = json!({ "arrivals": poisson(0.001), "stations": [{ "id": "s", "workers": null, "service": exponential(7_200.0) }] });
    expect(model, 20_000, 0.03, &[("mean_sojourn_s", 7_200.0)]);
}

/// In units of its own work every call of a processor that is shared takes 1 / (1 - load), on whichever instance.
#[test]
fn slowdown_is_judged_by_the_work_of_the_instance_that_did_it() {
    let queue = json!({ "max_waiting": null, "discipline": "processor_sharing" });
    let stations = json!([{ "id": "s", "workers": 1, "replicas": 2, "service": exponential(0.01), "queue": queue }]);
    let classes = json!([{ "id": "small", "interval_s": [0, 0.01] }, { "id": "large", "interval_s": [0.01, null] }]);
    let model = json!({
        "arrivals": poisson(120.0), "stations": stations, "balancer": { "algorithm": "random" },
        "measure": { "demand_classes": classes }
    });
    expect(model, 60_000, 0.1, &[("mean_slowdown@demand:small", 2.5), ("mean_slowdown@demand:large", 2.5)]);
}

#[test]
fn what_cannot_be_said_together_is_refused() {
    let stations = json!([{ "id": "s", "workers": 1, "replicas": 2, "service": exponential(0.01) }]);
    let retry = json!({ "max_attempts": 2, "retry_on": ["failure"], "other_instance": true });
    let limiter = json!({ "algorithm": "token_bucket", "capacity": 10, "refill_per_s": 1000 });
    let model = json!({ "arrivals": poisson(10.0), "stations": stations, "retry": retry, "limiter": limiter });
    assert!(matches!(ask(model, 100, &["failure_fraction"]), Err(Refusal::Unsupported(_))));
}
