//! What `serve --record` wrote replays to the same trace.

mod common;

use common::{Lab, outage};
use sandbox_core::Run;
use sandbox_core::engine::{Input, Script};
use sandbox_core::scenario::Document;
use server::mount::{Start, recording};
use std::sync::Arc;
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
    let end = recorded.end.unwrap();
    assert_eq!((end.steps, &end.digest), (summary.steps, &summary.digest));
    assert!(recorded.inputs.iter().any(|logged| matches!(logged.input, Input::Disconnect { .. })), "nobody hung up");
    let document = Document::from_json(recorded.header.scenario);
    let plan = Arc::new(document.plan("A", &[]).unwrap());
    let script = Script { mount: Some(recorded.header.mount), inputs: recorded.inputs, steps: Some(end.steps) };
    let mut run: Run = Run::with_script(plan, script);
    run.run_to_end();
    assert_eq!(run.digest(), summary.digest);
    assert!(run.folds().failures().count() > 0, "the outage left no trace");
}

#[test]
fn a_recording_that_broke_off_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let header = r#"{"format_version":1,"scenario":{},"variant":"B","seed":7,"mount":{"external":[],"epoch_unix_s":0},"version":"0"}"#;
    let input = r#"{"at_ns":5,"step":0,"input":"disconnect","request":1}"#;
    std::fs::write(&file, format!("{header}\n{input}\n{{\"at_ns\":7,\"st")).unwrap();
    let recorded = recording::read(&file).unwrap();
    assert_eq!((recorded.inputs.len(), recorded.end), (1, None));
    std::fs::write(&file, format!("{header}\nnonsense\n{input}\nnonsense too\n{input}\n")).unwrap();
    assert_eq!(recording::read(&file).unwrap_err().len(), 2, "every bad line is told");
    std::fs::write(&file, "").unwrap();
    assert!(recording::read(&file).is_err());
}
