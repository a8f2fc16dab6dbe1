//! Queues: order, redelivery, room, memory and heartbeats, through the ordinary engine.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::trace::{Record, Refusal, What};
use serde_json::{Value, json};
use std::sync::Arc;

/// A queue before a worker that does `steps`, changed by `queue`, under messages about `keys` rows sent at `at_ms`.
fn document(queue: Value, steps: Value, keys: u32, at_ms: &[f64], faults: Value) -> Value {
    let mut jobs = json!({
        "kind": "queue", "consumer": "worker", "route": "job", "visibility_timeout_s": 1, "max_receive_count": 5
    });
    jobs.as_object_mut().unwrap().extend(queue.as_object().unwrap().clone());
    json!({
        "format_version": 1, "id": "queues", "title": "Queues", "seed": 3, "duration_s": 20,
        "nodes": {
            "users": { "kind": "client" },
            "shop": { "kind": "service", "routes": { "POST /": [ { "publish": { "to": "jobs", "route": "job" } } ] } },
            "jobs": jobs,
            "worker": { "kind": "service", "routes": { "job": steps } }
        },
        "workloads": { "orders": {
            "client": "users", "target": "shop", "keys": keys, "users": 1,
            "arrivals": { "process": "recorded", "at_ms": at_ms },
            "routes": { "POST /": { "weight": 1, "op": "write" } }
        } },
        "faults": faults
    })
}

fn records(document: Value) -> Vec<(String, Record)> {
    let plan = Document::from_json(document).plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let plan = Arc::new(plan);
    let mut run = Run::new(plan.clone());
    assert!(run.advance(u32::MAX));
    let records = run.records(0..u32::MAX);
    records.iter().map(|logged| (plan.nodes[logged.record.node.index()].id.clone(), logged.record)).collect()
}

fn ms(record: &Record) -> f64 {
    record.at.since(Time::ZERO).as_ms()
}

/// When each request's message reached the worker, in milliseconds.
fn deliveries(records: &[(String, Record)]) -> Vec<(u32, f64)> {
    let arrives = |(node, record): &&(String, Record)| node == "worker" && matches!(record.what, What::Arrived { .. });
    records.iter().filter(arrives).map(|(_, record)| (record.request.0, ms(record))).collect()
}

fn count(records: &[(String, Record)], what: What) -> usize {
    records.iter().filter(|(_, record)| record.what == what).count()
}

fn work(value_ms: f64) -> Value {
    json!([{ "work": { "dist": "constant", "value_ms": value_ms } }])
}

#[test]
fn a_partition_delivers_one_message_at_a_time_in_order() {
    let at_ms: Vec<f64> = (0..40).map(f64::from).collect();
    let got = deliveries(&records(document(json!({ "partitions": 1 }), work(10.0), 8, &at_ms, json!({}))));
    assert_eq!(got, (0..40).map(|n| (n + 1, f64::from(n) * 10.0)).collect::<Vec<_>>());
    // Rows have partitions of their own: messages about one row stay in order, those about others pass.
    let run = records(document(json!({ "partitions": 64 }), work(10.0), 8, &at_ms, json!({})));
    let key_of = |request: u32| {
        run.iter().find_map(|(_, record)| match record.what {
            What::Intended { key, .. } if record.request.0 == request => Some(key),
            _ => None,
        })
    };
    let got = deliveries(&run);
    assert!(got.iter().any(|(_, at)| got.iter().filter(|(_, other)| other == at).count() > 0 && *at < 39.0));
    for (request, at) in &got {
        let before = got.iter().filter(|(other, _)| other < request && key_of(*other) == key_of(*request));
        assert!(before.clone().all(|(_, earlier)| earlier + 10.0 <= *at), "{request} at {at}");
    }
    assert!(got.last().unwrap().1 < 390.0, "eight rows are not one line");
}

#[test]
fn a_poison_message_holds_its_partition_up_until_it_is_dead() {
    let steps = json!([{ "work": { "dist": "constant", "value_ms": 10 } },
        { "if": { "when": "request == 1", "then": [{ "respond": { "status": 500 } }] } }]);
    let queue = json!({ "partitions": 1, "max_receive_count": 3 });
    let run = records(document(queue, steps, 1, &[0.0, 1.0], json!({})));
    assert_eq!(deliveries(&run), [(1, 0.0), (1, 10.0), (1, 20.0), (2, 30.0)]);
    assert_eq!(count(&run, What::DeadLettered), 1);
}

#[test]
fn a_failed_message_backs_off_and_never_dies_without_a_bound() {
    let steps = json!([{ "if": { "when": "now_s < 5", "then": [{ "respond": { "status": 503 } }] } }]);
    let redelivery = json!({ "base_delay_ms": 1000, "max_delay_ms": 3000, "jitter": "none" });
    let queue = json!({ "max_receive_count": null, "redelivery": redelivery });
    let run = records(document(queue, steps, 1, &[0.0], json!({})));
    assert_eq!(deliveries(&run), [(1, 0.0), (1, 1000.0), (1, 3000.0), (1, 6000.0)]);
    assert_eq!(count(&run, What::DeadLettered), 0);
}

#[test]
fn a_queue_in_memory_forgets_what_a_durable_one_keeps() {
    let at_ms: Vec<f64> = (0..10).map(|n| f64::from(n) * 10.0).collect();
    let down = json!({ "crash": { "node": "jobs", "effect": { "kind": "down" }, "from_s": 0.155, "to_s": 0.5 } });
    for (durable, lost, delivered) in [(true, 0, 10), (false, 9, 2)] {
        let queue = json!({ "consumers": 1, "durable": durable });
        let run = records(document(queue, work(100.0), 1, &at_ms, down.clone()));
        assert_eq!((count(&run, What::MessageLost), deliveries(&run).len()), (lost, delivered), "durable: {durable}");
        let after: Vec<f64> = deliveries(&run).into_iter().map(|(_, at)| at).filter(|at| *at > 155.0).collect();
        assert!(after.iter().all(|at| *at >= 500.0), "nothing is delivered while it is down: {after:?}");
    }
}

#[test]
fn a_heartbeat_keeps_a_message_out_of_sight_while_its_consumer_can_send_one() {
    let stop = json!({ "pause": { "node": "worker", "effect": { "kind": "freeze" }, "from_s": 2, "to_s": 10 } });
    for (queue, faults, expected) in [
        (json!({}), json!({}), vec![0.0, 1000.0, 2000.0, 3000.0, 4000.0]),
        (json!({ "heartbeat_s": 0.4 }), json!({}), vec![0.0]),
        // The last heartbeat is that of 1.6 s; the later deliveries meet a frozen worker and are over at 5.6 s.
        (json!({ "heartbeat_s": 0.4 }), stop, vec![0.0, 2600.0, 3600.0, 4600.0, 5600.0]),
    ] {
        assert_eq!(
            deliveries(&records(document(queue, work(3500.0), 1, &[0.0], faults)))
                .into_iter()
                .map(|(_, at)| at)
                .collect::<Vec<_>>(),
            expected
        );
    }
}

#[test]
fn a_full_queue_refuses_blocks_or_drops() {
    let at_ms = [0.0, 1.0, 2.0, 3.0];
    let run = |on_full: &str| {
        let queue = json!({ "consumers": 1, "max_waiting": 1, "on_full": on_full });
        records(document(queue, work(100.0), 1, &at_ms, json!({})))
    };
    let requests =
        |run: &[(String, Record)]| deliveries(run).into_iter().map(|(request, _)| request).collect::<Vec<_>>();
    let refused = What::Refused { refusal: Refusal::QueueFull };
    for (on_full, delivered, refusals, lost) in [
        ("reject", vec![1, 2], 2, 0),
        ("block", vec![1, 2, 3, 4], 0, 0),
        ("drop_oldest", vec![1, 4], 0, 2),
        ("drop_newest", vec![1, 2], 0, 2),
    ] {
        let run = run(on_full);
        let counts = (requests(&run), count(&run, refused), count(&run, What::MessageLost));
        assert_eq!(counts, (delivered, refusals, lost), "{on_full}");
    }
    // Back-pressure: the senders have their answers as room is made.
    let answered: Vec<f64> = run("block")
        .iter()
        .filter(|(_, record)| matches!(record.what, What::Answered { .. }))
        .map(|(_, r)| ms(r))
        .collect();
    assert_eq!(answered, [0.0, 1.0, 100.0, 200.0]);
}

#[test]
fn storing_takes_its_time_and_the_newest_may_come_first() {
    let queue = json!({ "consumers": 1, "order": "newest_first", "store": { "dist": "constant", "value_ms": 2 } });
    let got = deliveries(&records(document(queue, work(100.0), 1, &[0.0, 10.0, 20.0, 30.0], json!({}))));
    assert_eq!(got, [(1, 2.0), (4, 102.0), (3, 202.0), (2, 302.0)]);
}

#[test]
fn a_queue_without_end_is_refused() {
    let problems = |queue: Value| {
        let document = Document::from_json(document(queue, work(1.0), 1, &[0.0], json!({})));
        document.plan("A", &[]).err().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let endless = problems(json!({ "max_receive_count": null }));
    assert!(endless[0].contains("for ever without letting time pass"), "{endless:?}");
    let late = problems(json!({ "heartbeat_s": 2 }));
    assert!(late[0].contains("nodes.jobs.heartbeat_s"), "{late:?}");
    let none = problems(json!({ "partitions": 0, "max_waiting": 0 }));
    assert_eq!(none.len(), 2, "{none:?}");
}

#[test]
fn a_message_that_fails_again_and_again_waits_another_time_each_time() {
    let queue = json!({ "max_receive_count": 6, "redelivery": { "base_delay_ms": 100, "max_delay_ms": 100, "jitter": "full" } });
    let steps = json!([{ "respond": { "status": 500 } }]);
    let records = records(document(queue, steps, 1, &[0.0], json!({})));
    let delay = |(_, record): &(String, Record)| match record.what {
        What::BackedOff { delay } => Some(delay),
        _ => None,
    };
    let mut delays: Vec<_> = records.iter().filter_map(delay).collect();
    assert_eq!(delays.len(), 6);
    delays.sort();
    delays.dedup();
    assert_eq!(delays.len(), 6, "each wait is drawn anew: {delays:?}");
}
