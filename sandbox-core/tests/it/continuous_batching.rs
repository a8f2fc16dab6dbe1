//! Continuous batching of a language model through the ordinary engine, against arithmetic.

use crate::asked::{run, value};
use sandbox_core::scenario::Document;
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline::{PartKind, why};
use sandbox_core::trace::What;
use serde_json::{Value, json};

/// Prompts of 10 tokens and answers of `output`, at a model with this memory and 20 ms an iteration.
fn document(kv_tokens: u32, output: &str, arrivals: Value) -> Value {
    json!({
        "format_version": 1, "id": "generation", "title": "Generation", "seed": 7, "duration_s": 100,
        "nodes": {
            "users": { "kind": "client" },
            "model": { "kind": "service", "continuous_batching": { "kv_tokens": kv_tokens, "iteration_ms": 20 },
                "routes": { "chat": [ { "generate": { "prompt_tokens": "10", "output_tokens": output } } ] } }
        },
        "workloads": { "load": {
            "client": "users", "target": "model", "keys": 1, "users": 10, "arrivals": arrivals,
            "routes": { "chat": { "weight": 1, "op": "read" } }
        } },
        "metrics": {
            "writing": { "unit": "s", "help": "First token to last.", "kind": "histogram",
                "source": { "records": { "of": "generated", "value": "took_seconds" } } },
            "tokens": { "unit": "tokens", "help": "Written.", "kind": "counter",
                "source": { "records": { "of": "iterated", "value": "tokens" } } },
            "preempted": { "unit": "tokens", "help": "Thrown out.", "kind": "counter",
                "source": { "records": { "of": "preempted", "value": "tokens" } } },
            "read": { "unit": "tokens", "help": "Read anew.", "kind": "counter",
                "source": { "records": { "of": "iterated", "value": "prefilled_tokens" } } },
            "held": { "unit": "tokens", "help": "In memory.", "kind": "gauge",
                "source": { "records": { "of": "iterated", "value": "held_tokens" } } }
        }
    })
}

fn at(at_ms: &[f64]) -> Value {
    json!({ "process": "recorded", "at_ms": at_ms })
}

#[track_caller]
fn assert_ms(seconds: f64, expected: f64) {
    assert!((seconds * 1e3 / expected - 1.0).abs() < 0.005, "{} ms", seconds * 1e3);
}

#[test]
fn an_answer_takes_its_prompt_and_an_iteration_for_each_token() {
    let mut alone = document(100, "30", at(&[0.0]));
    let batching = &mut alone["nodes"]["model"]["continuous_batching"];
    (batching["per_sequence_ms"], batching["per_prefill_token_ms"]) = (json!(1), json!(5));
    let run = run(alone);
    assert_ms(value(&run, "http_request_duration_seconds.max"), 50.0 + 30.0 * 21.0);
    assert_ms(value(&run, "writing.max"), 29.0 * 21.0);
    assert_eq!((value(&run, "tokens.sum"), value(&run, "read.sum"), value(&run, "held.last")), (30.0, 10.0, 0.0));
}

#[test]
fn without_preemption_so_much_is_written_as_the_closed_form_says() {
    // n sequences: n / (20 ms + n * 0.2 ms) tokens a second.
    for clients in [1, 14, 64] {
        let think = json!({ "dist": "exponential", "mean_ms": 1 });
        let arrivals = json!({ "process": "closed_loop", "clients": clients, "think": think });
        let mut load = document(100_000, "1000", arrivals);
        load["nodes"]["model"]["continuous_batching"]["per_sequence_ms"] = json!(0.2);
        load["workloads"]["load"]["requests"] = json!(1_000);
        let run = run(load);
        let (rate, n) = (value(&run, "tokens.rate[10:100]"), f64::from(clients));
        assert!((rate / (n / (0.02 + n * 0.0002)) - 1.0).abs() < 0.01, "{clients}: {rate}");
        assert_eq!(value(&run, "preempted.sum"), 0.0);
    }
}

#[test]
fn who_finds_no_place_waits_for_one() {
    let mut two = document(100, "10", at(&[0.0, 1.0, 2.0]));
    two["nodes"]["model"]["continuous_batching"]["max_sequences"] = json!(2);
    let run = run(two);
    // The second comes into the second iteration, and is done a token after the first; the third begins when the first is done.
    assert_ms(value(&run, "http_request_duration_seconds.min"), 200.0);
    assert_ms(value(&run, "http_request_duration_seconds.max"), 398.0);
    assert_eq!((value(&run, "worker_busy.max"), value(&run, "queue_depth.max")), (2.0, 2.0));
    assert!((value(&run, "utilization{node=model}.max") - 1.0).abs() < 1e-9);
}

/// As in the policy's own test: at the fourth iteration the older one needs the last room of a memory of 24.
#[test]
fn the_youngest_loses_its_memory_and_why_says_to_whom() {
    let mut run = run(document(24, "6", at(&[0.0, 1.0])));
    assert_eq!(
        (value(&run, "preempted.sum"), value(&run, "tokens.sum"), value(&run, "writing.count")),
        (11.0, 12.0, 2.0)
    );
    let requests: Vec<_> = (0..2).map(|n| run.folds().requests().get(n).expect("two came").request).collect();
    let why = why(&mut run, requests[1]).expect("it has ended");
    let sum: Span = why.parts.iter().fold(Span::ZERO, |sum, part| sum + part.span);
    assert_eq!(sum, why.latency);
    let ms =
        |kind: PartKind| why.parts.iter().filter(|part| part.kind == kind).map(|part| part.span.as_ms()).sum::<f64>();
    // In line for the 19 ms to the next iteration, and until the first one is done; an iteration for each of its six tokens.
    assert_eq!((ms(PartKind::Queue), ms(PartKind::Service)), (19.0 + 60.0, 120.0));
    let records = run.records(0..u32::MAX);
    let preempted = records.iter().map(|logged| logged.record).find(|it| matches!(it.what, What::Preempted { .. }));
    let preempted = preempted.expect("one was");
    assert_eq!(preempted.request, requests[1]);
    let cause = run.record(preempted.cause.expect("somebody needed the room")).expect("it is there");
    assert_eq!(cause.record.request, requests[0]);
}

#[test]
fn what_never_fits_is_refused() {
    for (output, refused) in [("15", 0.0), ("16", 1.0), ("1e300", 1.0)] {
        let run = run(document(24, output, at(&[0.0])));
        assert_eq!(value(&run, "http_400_total.sum"), refused, "{output}");
    }
}

#[test]
fn an_iteration_that_stands_still_goes_on_where_it_was() {
    let mut frozen = document(100, "10", at(&[0.0]));
    frozen["faults"] =
        json!({ "pause": { "node": "model", "effect": { "kind": "freeze" }, "from_s": 0.1, "to_s": 1.1 } });
    assert_ms(value(&run(frozen), "http_request_duration_seconds.max"), 1_200.0);
}

#[test]
fn a_crash_loses_what_is_being_written_and_empties_the_memory() {
    let mut crashed = document(24, "10", at(&[0.0, 1.0, 2_000.0]));
    crashed["faults"] =
        json!({ "dies": { "node": "model", "effect": { "kind": "crash" }, "from_s": 0.1, "to_s": 1.0 } });
    let run = run(crashed);
    assert_eq!((value(&run, "http_502_total.sum"), value(&run, "http_goodput_total.sum")), (2.0, 1.0));
    assert_ms(value(&run, "http_request_duration_seconds.max"), 200.0);
}

#[test]
fn who_is_withdrawn_leaves_its_room_to_the_next() {
    let mut hasty = document(24, "14", at(&[0.0, 1.0]));
    hasty["nodes"]["users"]["calls"] = json!({ "model": { "timeout_ms": 150, "cancel": "anywhere" } });
    hasty["workloads"]["patient"] = json!({
        "client": "staff", "target": "model", "keys": 1, "users": 1, "arrivals": at(&[2.0]),
        "routes": { "chat": { "weight": 1, "op": "read" } }
    });
    hasty["nodes"]["staff"] = json!({ "kind": "client" });
    let mut run = run(hasty);
    assert_eq!((value(&run, "http_errors_total.sum"), value(&run, "http_goodput_total.sum")), (2.0, 1.0));
    let last = run.records(0..u32::MAX).iter().map(|logged| logged.record).rfind(|it| it.what == What::FirstToken);
    let first_token = last.expect("the patient one has an answer").at;
    // The first is withdrawn at 150 ms, alone in its iteration; the other two have room then.
    assert_eq!(first_token, Time::ZERO + Span::from_ms(170.0));
}

#[test]
fn what_cannot_be_is_refused() {
    let problems = |document: Value| -> Vec<String> {
        let problems = Document::from_json(document).plan("A", &[]).expect_err("it is wrong");
        problems.iter().map(ToString::to_string).collect()
    };
    let mut wrong = document(0, "key +", at(&[0.0]));
    wrong["nodes"]["model"]["workers"] = json!(4);
    wrong["nodes"]["model"]["continuous_batching"]["iteration_ms"] = json!(0.5);
    let found = problems(wrong);
    for expected in [
        "nodes.model.continuous_batching.kv_tokens: 0 is out of range",
        "nodes.model.continuous_batching.iteration_ms: 0.5 is out of range",
        "nodes.model.continuous_batching: is no work of workers",
        "nodes.model.routes.chat.0.generate.output_tokens:",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected}: {found:#?}");
    }
    let mut without = document(24, "6", at(&[0.0]));
    without["nodes"]["model"].as_object_mut().expect("a node is an object").remove("continuous_batching");
    assert!(problems(without).iter().any(|it| it.starts_with("nodes.model.routes.chat: has no model to write with")));
}
