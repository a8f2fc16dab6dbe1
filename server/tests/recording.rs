//! What `serve --record` wrote replays to the same trace.

mod common;

use common::{Lab, outage};
use sandbox_core::Run;
use sandbox_core::engine::Input;
use server::mount::{Start, recording};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_real_run_replays_to_the_same_digest() {
    let lab = Lab::started(&outage(0.3, 0.8), true, Start::FirstRequest, true);
    for round in 0..60 {
        lab.get(&format!("/lab/items/{}", round % 7)).await;
        lab.put(&format!("/lab/items/{}", round % 5)).await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    // A client that hangs up while its request is under way.
    for _ in 0..20 {
        let _ = tokio::time::timeout(Duration::from_micros(300), lab.put("/lab/items/1")).await;
    }
    lab.get("/lab/items/1").await;
    let file = lab.recording();
    let (summary, _folder) = lab.stop();

    let recorded = recording::read(&file).unwrap();
    assert_eq!((recorded.script.steps, &recorded.digest), (Some(summary.steps), &Some(summary.digest.clone())));
    assert!(
        recorded.script.inputs.iter().any(|logged| matches!(logged.input, Input::Disconnect { .. })),
        "nobody hung up"
    );
    let mut run: Run = Run::with_script(recorded.plan, recorded.script);
    run.run_to_end();
    assert_eq!(run.digest(), summary.digest);
    assert!(run.folds().failures().count() > 0, "the outage left no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_without_requests_is_a_run_in_which_nothing_happened() {
    let lab = Lab::started(&outage(0.3, 0.8), true, Start::FirstRequest, true);
    let file = lab.recording();
    let refused = recording::read(&file).expect_err("nothing is written yet");
    assert!(refused[0].what.starts_with("holds no requests"), "{refused:?}");
    let (summary, _folder) = lab.stop();
    let recorded = recording::read(&file).expect("it is whole");
    assert!(recorded.script.inputs.is_empty());
    let mut run: Run = Run::with_script(recorded.plan, recorded.script);
    run.run_to_end();
    assert_eq!((run.digest(), recorded.digest), (summary.digest.clone(), Some(summary.digest)));
}
