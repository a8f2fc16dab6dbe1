//! What a mounted run wrote down replays to the same trace; what cannot have been written so is refused with its line.

use proptest::prelude::*;
use sandbox_core::Run;
use sandbox_core::engine::{CallOp, CallResult, Credential, Input, LoggedInput, Mount, Output, World};
use sandbox_core::ids::RouteId;
use sandbox_core::recording::{End, FORMAT_VERSION, Header, Recording};
use sandbox_core::scenario::{Document, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::trace::{Digest, Outcome};
use serde_json::{Value, json};
use std::sync::Arc;

/// The outage scenario, shortened: the fault lasts from 0.3 s to 0.8 s of 2 s.
fn document(variant: &str) -> Document {
    let document = Document::parse(lessons::scenario("database-outage").expect("it is in the course")).unwrap();
    let changes = [
        ("duration_s".to_string(), json!(2)),
        ("faults.outage.from_s".to_string(), json!(0.3)),
        ("faults.outage.to_s".to_string(), json!(0.8)),
    ];
    document.patched(variant, &changes).expect("it is valid")
}

/// A world that was mounted, and what went into it.
struct Mounted {
    mount: Mount,
    inputs: Vec<LoggedInput>,
    world: World,
    digest: String,
}

/// A driver on a clock of its own making: real parts answer after a fixed time, requests come at fixed instants.
fn mounted(plan: &Arc<Plan>, requests: u32) -> Mounted {
    let db = plan.node("db").unwrap();
    let mount = Mount { external: vec![db], epoch_unix_s: 1_700_000_000 };
    let mut world = World::mounted(plan.clone(), mount.clone());
    let (mut inputs, mut digest) = (Vec::new(), Digest::new());
    let mut due: Vec<(Time, Input)> = (0..requests)
        .map(|n| {
            let signed = Credential::Signed { user: n % 7, nbf: 1_700_000_000 - 5, exp: 1_700_003_600 };
            let credential = if n % 10 == 9 { Credential::Invalid } else { signed };
            let input = Input::Arrival { route: RouteId((n % 2) as u8), key: n % 50, credential };
            (Time::from_seconds(f64::from(n) * 0.002), input)
        })
        .collect();
    let mut answered = 0;
    while answered < requests {
        due.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let deadline = world.next_deadline().unwrap_or(Time::NEVER);
        if due.last().is_some_and(|(at, _)| *at <= deadline) {
            let (at, input) = due.pop().unwrap();
            inputs.push(world.input(at, input));
        } else {
            world.step();
        }
        digest.add(world.emitted());
        for output in world.take_outputs() {
            match output {
                Output::Call { call, op, .. } => {
                    let failing = (Time::from_seconds(0.3)..Time::from_seconds(0.4)).contains(&world.now());
                    let version = if op == CallOp::Ping { 0 } else { 3 };
                    let result = if failing { CallResult::Failed } else { CallResult::Done { version } };
                    due.push((world.now() + Span::from_ms(0.7), Input::Reply { call, result }));
                }
                Output::Respond { .. } => answered += 1,
                Output::Fault { .. } => {}
            }
        }
    }
    Mounted { mount, inputs, world, digest: digest.hex() }
}

/// The lines of a recording of variant `variant`, its last line included.
fn recorded(variant: &str, requests: u32) -> (Vec<String>, Mounted) {
    let document = document(variant);
    let plan = Arc::new(document.plan("A", &[]).expect("it is valid"));
    let mounted = mounted(&plan, requests);
    let header = Header {
        format_version: FORMAT_VERSION,
        scenario: document.json().clone(),
        variant: variant.into(),
        seed: plan.seed,
        mount: mounted.mount.clone(),
        version: "0.0.0".into(),
    };
    let end = End { end_ns: mounted.world.now(), steps: mounted.world.steps(), digest: mounted.digest.clone() };
    let mut lines = vec![serde_json::to_string(&header).unwrap()];
    lines.extend(mounted.inputs.iter().map(|input| serde_json::to_string(input).unwrap()));
    lines.push(serde_json::to_string(&end).unwrap());
    (lines, mounted)
}

fn replayed(recording: Recording) -> Run {
    let mut run = Run::with_script(recording.plan, recording.script);
    run.run_to_end();
    run
}

#[test]
fn a_recorded_run_replays_to_the_same_trace_and_steps_backwards() {
    for variant in ["A", "B"] {
        let (lines, mounted) = recorded(variant, 600);
        let recording = Recording::parse("run.jsonl", &lines.join("\n")).expect("what was written can be read");
        assert_eq!((&*recording.plan.variant, &recording.digest), (variant, &Some(mounted.digest)));
        assert_eq!(recording.plan.end, Time::from_seconds(2.0), "the second in which it ended is over");
        let mut run = replayed(recording);
        assert_eq!(run.digest(), recorded(variant, 600).1.digest);
        assert_eq!(run.head().observe(), mounted.world.observe());
        let mut again = Digest::new();
        run.records(0..u32::MAX).iter().for_each(|logged| again.add(&[logged.record]));
        assert_eq!(run.digest(), again.hex());
        let outcomes = |outcome| run.folds().rows().iter().map(|row| row.ended(|o| o == outcome)).sum::<u32>();
        assert_eq!(outcomes(Outcome::Unauthorized401), 60, "every tenth request came without a valid token");
        assert!(outcomes(Outcome::Unavailable503) > 0, "the real part failed for a while");
        run.seek(100);
        assert!(run.step_back());
        assert_eq!(run.position().step, 99);
    }
}

#[test]
fn what_broke_off_can_be_replayed_as_far_as_it_goes() {
    let (mut lines, _) = recorded("B", 100);
    lines.pop();
    let inputs = lines.len() - 1;
    lines.push(r#"{"end_ns":7,"st"#.into());
    let recording = Recording::parse("run.jsonl", &lines.join("\n")).expect("a killed server leaves half a line");
    assert_eq!((recording.script.inputs.len(), &recording.digest), (inputs, &None));
    assert_eq!(replayed(recording).folds().requests().len(), 100);
}

#[test]
fn every_line_that_cannot_be_is_told_with_its_number() {
    let (lines, _) = recorded("B", 20);
    let told = |line: usize, text: &str| -> Vec<String> {
        let mut lines = lines.clone();
        lines[line - 1] = text.into();
        let problems = Recording::parse("run.jsonl", &lines.join("\n")).expect_err(text);
        problems.iter().map(ToString::to_string).collect()
    };
    let arrival = |at_ns: u64, step: u64, route: u8| {
        format!(
            r#"{{"at_ns":{at_ns},"step":{step},"input":{{"arrival":{{"route":{route},"key":1,"credential":"invalid"}}}}}}"#
        )
    };
    for (line, text, what) in [
        (3, "nonsense", "expected"),
        (3, "", "EOF"),
        (3, r#"{"at_ns":5,"step":9,"input":"tea"}"#, "neither an input"),
        (3, &arrival(0, 0, 0), "before the line above"),
        (3, &arrival(90_000_000_000_000, 9, 0), "after more than"),
        (3, &arrival(1, 9, 9), "route 9"),
        (2, r#"{"at_ns":5,"step":0,"input":{"disconnect":{"request":4}}}"#, "request 4"),
        (1, "nonsense", "not JSON"),
        (1, "{}", "no header"),
        (1, &lines[0].replace("\"format_version\":1", "\"format_version\":9"), "format version 9"),
        (1, &lines[0].replace("\"readers\"", "\"raeders\""), "raeders"),
        (1, &lines[0].replace("\"external\":[", "\"external\":[99,"), "node 99"),
    ] {
        let problems = told(line, text);
        assert!(problems[0].starts_with(&format!("run.jsonl:{line}")), "{text}: {problems:?}");
        assert!(problems[0].contains(what), "{text}: {problems:?}");
    }
    assert!(Recording::parse("run.jsonl", "").is_err());
    let twice = [&lines[..], &lines[1..2]].concat().join("\n");
    let problems = Recording::parse("run.jsonl", &twice).expect_err("an input after the end");
    assert_eq!(problems[0].path, format!("run.jsonl:{}", lines.len() + 1));
}

/// Every number in a value.
fn numbers(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Object(fields) => fields.iter_mut().flat_map(|(_, value)| numbers(value)).collect(),
        Value::Array(items) => items.iter_mut().flat_map(numbers).collect(),
        Value::Number(_) => vec![value],
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// A file that somebody changed is refused or replayed to its end; it never breaks the program.
    #[test]
    fn a_changed_recording_breaks_nothing(line in 1usize..400, number in any::<u32>(), place in 0usize..8) {
        let (mut lines, _) = recorded("B", 120);
        let line = line % lines.len();
        let mut value: Value = serde_json::from_str(&lines[line]).unwrap();
        let mut numbers = numbers(&mut value);
        if line > 0 && !numbers.is_empty() {
            let place = place % numbers.len();
            *numbers[place] = numbers[place].as_u64().unwrap_or(0).wrapping_add(u64::from(number)).into();
        }
        lines[line] = value.to_string();
        if let Ok(recording) = Recording::parse("run.jsonl", &lines.join("\n")) {
            prop_assert!(replayed(recording).is_finished());
        }
    }
}
