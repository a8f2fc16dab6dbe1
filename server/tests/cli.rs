//! The command line from outside: outputs, exit codes, all problems at once.

mod common;

use common::scenario;
use serde_json::{Value, json};
use std::process::{Command, Output};

fn faultline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faultline")).args(arguments).output().unwrap()
}

fn json_of(arguments: &[&str]) -> Value {
    let output = faultline(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const SHORT: [&str; 4] = ["--set", "duration_s=8", "--set", "faults={}"];

#[test]
fn the_same_seed_gives_the_same_digest() {
    let run = |seed: &str| {
        json_of(&[&["run", "database-outage", "--variant", "B", "--json", "--seed", seed], &SHORT[..]].concat())
    };
    let (first, again, other) = (run("7"), run("7"), run("8"));
    assert_eq!(first["digest"].as_str().unwrap().len(), 32);
    assert_eq!(first["digest"], again["digest"]);
    assert_ne!(first["digest"], other["digest"]);
    for key in [
        "scenario",
        "variant",
        "seed",
        "digest",
        "simulated_seconds",
        "events",
        "wall_ms",
        "requests",
        "throughput_rps",
        "goodput_rps",
        "error_ratio",
        "latency_ms",
        "nodes",
        "metrics",
        "queries",
        "claims",
    ] {
        assert!(first.get(key).is_some(), "{key} is missing");
    }
    let requests = &first["requests"];
    let count = |name: &str| requests[name].as_u64().unwrap();
    assert_eq!(count("offered"), count("completed") + count("failed") + count("in_flight"));
    assert!(first["latency_ms"]["p50"].as_f64().unwrap() > 0.1, "{}", first["latency_ms"]);
}

#[test]
fn every_problem_is_told_at_once() {
    let output = faultline(&["run", "database-outage", "--set", "nodes.db.reders=3", "--set", "nodes.api.workers=0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    for part in ["nodes.db.reders", "readers", "nodes.api.workers"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.json");
    let claims = json!({
        "syntax": {"text": "No.", "role": "effect", "expr": "A.http_error_ratio.mean >"},
        "window": {"text": "No.", "role": "effect", "expr": "A.http_error_ratio.mean[20:99] > 0"},
    });
    common::write(&scenario(&[("nodes.api.workers", json!("many")), ("claims", claims)]), &file);
    for command in ["run", "check"] {
        let output = faultline(&[command, file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for part in ["nodes.api.workers", "claims.syntax.expr", "claims.window.expr"] {
            assert!(told.contains(part), "{command}: {part} is not in {told}");
        }
    }
    for arguments in
        [&["run", "no-such-scenario"][..], &["run"], &["fly"], &["run", "database-outage", "--query", "nonsense"]]
    {
        assert_eq!(faultline(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn queries_are_answered() {
    let query = "http_error_ratio{op=read}.mean[2:8]";
    let report = json_of(&[&["run", "database-outage", "--json", "--query", query], &SHORT[..]].concat());
    assert_eq!(report["queries"][query], json!(0.0));
}

#[test]
fn trace_events_are_what_tracing_tools_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("events.json");
    let name = file.display().to_string();
    let set = ["--set", "duration_s=12", "--set", "faults.outage.from_s=8", "--set", "faults.outage.to_s=10"];
    let output = faultline(&[&["run", "database-outage", "--trace-events", name.as_str()], &set[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("it was written")).expect("it is JSON");
    let events = read["traceEvents"].as_array().expect("a list");
    let nodes = events.iter().filter(|event| event["ph"] == "M").count();
    let (spans, refusals) =
        (events.iter().filter(|event| event["ph"] == "X"), events.iter().filter(|event| event["ph"] == "i"));
    assert!(
        spans
            .clone()
            .all(|span| span["dur"].as_f64().is_some_and(|us| us >= 0.0) && span["pid"].as_u64() < Some(nodes as u64))
    );
    assert!(spans.count() > 10_000 && refusals.count() > 100, "6,000 requests and an outage");
}

#[test]
fn traces_are_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.jsonl");
    let report = json_of(&[
        "run",
        "database-outage",
        "--json",
        "--set",
        "duration_s=1",
        "--set",
        "faults={}",
        "--trace",
        file.to_str().unwrap(),
    ]);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(lines.next().unwrap()["digest"], report["digest"]);
    for (seq, line) in lines.enumerate() {
        assert_eq!(line["seq"], json!(seq));
        for key in ["at_ns", "node", "request", "what", "cause"] {
            assert!(line.get(key).is_some(), "{key} is missing in {line}");
        }
    }
}

#[test]
fn why_adds_up() {
    let why = json_of(&["why", "database-outage", "--request", "first-failed", "--json"]);
    let parts: u64 = why["parts"].as_array().unwrap().iter().map(|part| part["ns"].as_u64().unwrap()).sum();
    assert_eq!(json!(parts), why["total_ns"]);
    assert!(why["chain"].as_array().unwrap().iter().any(|link| link["root"] == json!(true)), "{why}");
    assert_eq!(faultline(&["why", "database-outage", "--request", "0"]).status.code(), Some(2));
}

#[test]
fn why_knows_requests_by_word() {
    let asked = |word: &str| json_of(&["why", "database-outage", "--request", word, "--json"]);
    let (first, last, slowest) = (asked("first-failed"), asked("last-failed"), asked("slowest"));
    assert!(first["request"].as_u64() < last["request"].as_u64());
    assert_eq!(slowest["outcome"], "ok");
    let max = json_of(&["run", "database-outage", "--json"])["latency_ms"]["max"].as_f64().unwrap();
    assert!((slowest["total_ms"].as_f64().unwrap() / max - 1.0).abs() < 1e-3, "{slowest} {max}");
    let wrong = faultline(&["why", "database-outage", "--request", "fastest"]);
    assert_eq!(wrong.status.code(), Some(2));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(told.contains("a number, or first-failed, last-failed or slowest"), "{told}");
}

#[test]
fn only_what_applies_is_said_of_an_outage() {
    let said = |arguments: &[&str]| {
        let output = faultline(&[&["run", "database-outage"], arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines().skip_while(|line| !line.starts_with("incident"));
        lines.nth(1).unwrap_or_else(|| panic!("{text}")).to_string()
    };
    let whole = said(&["--variant", "B"]);
    for figure in ["detected after", "writes failed", "stale copies", "recovered"] {
        assert!(whole.contains(figure), "{figure} is not in {whole}");
    }
    let bare = said(&["--set", "monitors={}", "--set", "faults.outage.effect={\"kind\": \"slow\", \"factor\": 1}"]);
    assert_eq!(bare, "  reads failed 0.0 %; writes failed 0.0 %");
}

#[test]
fn a_broken_scenario_fails_the_check_and_a_false_claim_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.json");
    let name = file.to_str().unwrap();
    let mut changes = vec![
        ("duration_s", json!(5)),
        ("faults", json!({})),
        ("claims", json!({"c": {"text": "No.", "role": "effect", "expr": "A.http_error_ratio.mean[1:5] > 0.5"}})),
    ];
    common::write(&scenario(&changes), &file);
    assert_eq!(faultline(&["check", name, "--seeds", "2"]).status.code(), Some(1));
    changes[2].1["c"]["expr"] = json!("A.http_error_ratio.mean[1:5] < 0.5");
    common::write(&scenario(&changes), &file);
    assert_eq!(faultline(&["check", name, "--seeds", "2"]).status.code(), Some(0));
    changes.push(("nodes.db.readers", json!(-1)));
    common::write(&scenario(&changes), &file);
    assert_eq!(faultline(&["check", name, "--seeds", "2"]).status.code(), Some(2));
}

#[test]
fn a_lesson_is_checked_with_its_prose_and_a_folder_without_anything_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    let empty = faultline(&["check", name]);
    assert_eq!(empty.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("neither a scenario nor a lesson"));
    let course = concat!(env!("CARGO_MANIFEST_DIR"), "/../lessons/2-dependencies/06-the-database-goes-away");
    let shipped = json_of(&["check", course, "--json"]);
    assert_eq!((&shipped["ok"], shipped["lessons"].as_array().unwrap().len()), (&json!(true), 1));
    let lesson = std::fs::read_to_string(format!("{course}/lesson.json")).unwrap();
    std::fs::write(folder.path().join("lesson.json"), lesson).unwrap();
    std::fs::write(folder.path().join("lesson.md"), "# Title\n\n## Predict\n").unwrap();
    let broken = faultline(&["check", name]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stdout).contains("beats: the prose has Predict"), "{broken:?}");
}

#[test]
fn schemas_accept_what_is_printed() {
    let names = json_of(&["schema", "--json"]);
    for name in names.as_array().unwrap() {
        let schema = json_of(&["schema", name.as_str().unwrap()]);
        assert!(schema.is_object() && schema.get("$schema").is_some(), "{name}");
    }
    assert_eq!(faultline(&["schema", "nothing"]).status.code(), Some(2));
}

#[test]
fn the_catalogue_is_listed() {
    let list = json_of(&["list", "--json"]);
    let ids: Vec<&str> =
        list["scenarios"].as_array().unwrap().iter().filter_map(|entry| entry["id"].as_str()).collect();
    assert!(ids.contains(&"database-outage"), "{ids:?}");
}

#[test]
fn validation_lays_three_runs_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let real = format!("db=sqlite:{}", folder.path().join("lab.sqlite").display());
    let page = folder.path().join("report.html");
    let output = faultline(&[
        "validate",
        "database-outage",
        "--real",
        &real,
        "--json",
        "--duration",
        "4s",
        "--rate",
        "100",
        "--report",
        page.to_str().unwrap(),
        "--set",
        "faults.outage.from_s=2.5",
        "--set",
        "faults.outage.to_s=3.5",
    ]);
    // Whether the figures agree depends on what else the machine does; that they are there does not.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let during = &report["windows"][1];
    assert_eq!((&during["name"], &during["from_s"], &during["to_s"]), (&json!("during"), &json!(2.5), &json!(3.5)));
    for run in ["mounted", "real"] {
        let errors = &during[run]["deviations"]["error_ratio"];
        assert!(errors["measured"].as_f64().unwrap() > 0.02, "{run}: {during}");
        assert!(report["server_timing"][run]["added_ms"]["p95"].is_number());
    }
    assert!(report["calibration"]["set"]["nodes.db.read"]["quantiles_ms"].as_array().unwrap().len() == 101);
    assert!(std::fs::read_to_string(page).unwrap().contains("<table>"));
}

#[test]
fn what_calibrate_writes_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let (real, file) =
        (format!("db=sqlite:{}", folder.path().join("lab.sqlite").display()), folder.path().join("measured.json"));
    let output =
        faultline(&["calibrate", "database-outage", "--real", &real, "-o", file.to_str().unwrap(), "--samples", "200"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let set = format!("@{}", file.display());
    json_of(&[&["run", "database-outage", "--json", "--set", &set], &SHORT[..]].concat());
    let bad =
        faultline(&["calibrate", "database-outage", "--real", "cache=sqlite:x.sqlite", "--real", "nobody=sqlite:y"]);
    assert_eq!(bad.status.code(), Some(2));
    let told = String::from_utf8(bad.stderr).unwrap();
    assert!(told.contains("2 problems"), "{told}");
}

#[test]
fn a_new_scenario_runs_and_its_claims_are_sharp() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.json");
    let file = file.to_str().unwrap();
    let new = |id: &str| faultline(&["new", "scenario", id, "--out", file]);
    assert!(new("slow-printer").status.success());
    assert_eq!(json_of(&["run", file, "--json"])["scenario"], "slow-printer");
    let checked = json_of(&["check", file, "--mutate", "--seeds", "20", "--json"]);
    assert_eq!(checked["ok"], true, "{checked}");
    let written = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, written.replace("\"title\": \"Timeout\"", "\"title\": \" \"")).unwrap();
    let silent = faultline(&["check", file]);
    assert_eq!(silent.status.code(), Some(2));
    assert!(String::from_utf8(silent.stdout).unwrap().contains("knobs.timeout.title: is empty"), "a text says nothing");
    std::fs::write(file, &written).unwrap();
    let again = new("other");
    assert_eq!(again.status.code(), Some(2), "a file that is there is left alone");
    assert!(String::from_utf8(again.stderr).unwrap().contains("is there already"));
    assert_eq!(std::fs::read_to_string(file).unwrap(), written);
    assert_eq!(faultline(&["new", "scenario", "Slow Printer"]).status.code(), Some(2));
    assert_eq!(faultline(&["new", "scenario", "x", "--out", "/no/such/folder/x.json"]).status.code(), Some(2));
}

#[test]
fn a_new_lesson_is_right_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mine");
    let place = place.to_str().unwrap();
    let new = || faultline(&["new", "lesson", "slow-printer", "--out", place]);
    assert!(new().status.success());
    let checked = json_of(&["check", place, "--mutate", "--seeds", "20", "--json"]);
    assert_eq!(checked["ok"], true, "{checked}");
    assert_eq!(checked["lessons"].as_array().unwrap().len(), 1, "{checked}");
    let prose = folder.path().join("mine/lesson.md");
    let text = std::fs::read_to_string(&prose).unwrap();
    let (before, rest) = text.split_once("## Explain\n").unwrap();
    let (_, after) = rest.split_once("## Fix").unwrap();
    std::fs::write(&prose, format!("{before}## Explain\n\n## Fix{after}")).unwrap();
    let silent = faultline(&["check", place]);
    let told = String::from_utf8(silent.stdout).unwrap();
    assert!(silent.status.code() == Some(2) && told.contains("Explain: has no text"), "{told}");
    assert_eq!(new().status.code(), Some(2), "files that are there are left alone");
    assert_eq!(faultline(&["new", "lesson", "the-database-goes-away"]).status.code(), Some(2), "it is taken");
}

#[test]
fn the_log_has_a_line_for_every_request_that_ended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.jsonl");
    let report = json_of(&["run", "database-outage", "--log", file.to_str().unwrap(), "--json"]);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests = &report["requests"];
    let ended = requests["completed"].as_u64().unwrap() + requests["failed"].as_u64().unwrap();
    assert_eq!(lines.len() as u64, ended);
    assert!(lines.windows(2).all(|pair| pair[0]["at_s"].as_f64() <= pair[1]["at_s"].as_f64()), "in order");
    let ok = lines.iter().filter(|line| line["outcome"] == "ok").count() as u64;
    assert_eq!(requests["by_outcome"]["ok"], ok);
}

const SWEEP: [&str; 8] = [
    "sweep",
    "database-outage",
    "--vary",
    "nodes.api.workers=2..8:2",
    "--seeds",
    "3",
    "--query",
    "http_error_ratio.mean",
];

#[test]
fn shards_of_a_sweep_merge_to_the_whole() {
    let sweep = [&SWEEP[..], &SHORT].concat();
    let whole = json_of(&[&sweep[..], &["--json"]].concat());
    assert_eq!(whole["points"].as_array().unwrap().len(), 2);
    assert_eq!(whole["points"][1]["at"], json!([8.0]));
    assert_eq!(whole["points"][0]["results"][0]["seeds"], 3);
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<String> = ["3/3", "1/3", "2/3"]
        .map(|part| {
            let file = folder.path().join(part.replace('/', "-"));
            std::fs::write(&file, faultline(&[&sweep[..], &["--shard", part]].concat()).stdout).unwrap();
            file.to_str().unwrap().to_string()
        })
        .to_vec();
    let [a, b, c] = [0, 1, 2].map(|place| files[place].as_str());
    assert_eq!(json_of(&["merge", a, b, c, "--json"]), whole);
    let missing = faultline(&["merge", a, b]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("2 of 6 runs are missing"));
    assert_eq!(faultline(&["merge", a, "/no/such/file"]).status.code(), Some(2));
    let table = String::from_utf8(faultline(&sweep).stdout).unwrap();
    assert!(table.contains("nodes.api.workers=8") && table.contains("confidence"), "{table}");
}

#[test]
fn a_sweep_names_every_bad_path_at_once() {
    let output = faultline(&[&SWEEP[..], &["--vary", "nodes.db.reders=1,2", "--query", "no_signal.mean"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("Did you mean `readers`?"));
    for bad in [&["--vary", "x"][..], &["--shard", "4/3"], &["--seeds", "0"], &["--set", "seed=4"], &["--variant", "Z"]]
    {
        assert_eq!(faultline(&[&SWEEP[..], bad].concat()).status.code(), Some(2), "{bad:?}");
    }
}

/// The outage's lesson, cut to what a test needs.
const LINK: &str =
    "https://example.org/course/?v=2&lesson=the-database-goes-away&seed=7&set=duration_s%3D8&set=faults%3D%7B%7D";

#[test]
fn a_link_is_run_as_the_page_runs_it_and_flags_override_it() {
    let by_link = json_of(&["run", LINK, "--json"]);
    let by_flags =
        json_of(&[&["run", "database-outage", "--variant", "B", "--json", "--seed", "7"], &SHORT[..]].concat());
    assert_eq!(by_link["digest"], by_flags["digest"]);
    let other = json_of(&["run", LINK, "--json", "--seed", "8"]);
    assert_eq!(other["seed"], 8);
    let digest = by_link["digest"].as_str().unwrap();
    let same = faultline(&["run", &format!("{LINK}&digest={digest}")]);
    assert_eq!(same.status.code(), Some(0));
    let another = "0".repeat(32);
    let output = faultline(&["run", &format!("{LINK}&digest={another}"), "--json"]);
    assert_eq!(output.status.code(), Some(1), "a link says which run it was made of");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(digest) && told.contains(&another), "{told}");
    let meant = faultline(&["run", &format!("{LINK}&digest={another}"), "--seed", "8"]);
    assert_eq!(meant.status.code(), Some(0), "with flags it is meant to be another run");
}

#[test]
fn why_takes_the_request_of_a_link() {
    let of_link = json_of(&["why", &format!("{LINK}&request=12"), "--json"]);
    let of_flag = json_of(&["why", LINK, "--request", "12", "--json"]);
    assert_eq!(of_link, of_flag);
    let parts: u64 = of_link["parts"].as_array().unwrap().iter().map(|part| part["ns"].as_u64().unwrap()).sum();
    assert_eq!(parts, of_link["total_ns"].as_u64().unwrap());
    let output = faultline(&["why", LINK]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--request: is missing"));
}

#[test]
fn refusals_of_a_link_name_its_fields() {
    let output =
        faultline(&["run", "https://example.org/?v=2&lesson=the-database-goes-away&seed=x&step=-1&colour=red"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    for field in ["error: seed: `x`", "error: step: `-1`", "error: colour: is no parameter"] {
        assert!(told.contains(field), "{field} is not in {told}");
    }
}

/// Exit code and stderr.
fn refusal(arguments: &[&str]) -> (Option<i32>, String) {
    let output = faultline(arguments);
    (output.status.code(), String::from_utf8(output.stderr).expect("it is text"))
}

#[test]
fn a_query_asks_the_variant_that_runs() {
    let asked =
        |query: &str| refusal(&[&["run", "database-outage", "--variant", "B", "--query", query], &SHORT[..]].concat());
    let (code, told) = asked("A.http_error_ratio.mean");
    assert_eq!(code, Some(2));
    assert!(told.contains("asks variant A, not B"), "{told}");
    assert_eq!(asked("B.http_error_ratio.mean").0, Some(0));
}

#[test]
fn changes_of_claims_and_variants_count() {
    let run = |sets: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        [&["run", "database-outage", "--variant", "B", "--json"], &SHORT[..], &sets]
            .concat()
            .into_iter()
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    let json = |sets: &[&str]| json_of(&run(sets).iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(json(&["variants.B.set.seed=99"])["seed"], 99);
    let claims =
        json(&[r#"claims={"new": {"text": "T.", "role": "cure", "expr": "B.http_error_ratio.mean[1:5] < 0.5"}}"#]);
    assert_eq!((&claims["claims"][0]["id"], &claims["claims"][0]["holds"]), (&json!("new"), &json!(true)));
    let (code, told) = refusal(&run(&["variants.B=null"]).iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, Some(2));
    assert!(told.contains("variants.B: there is no such variant"), "{told}");
}

#[test]
fn a_link_to_another_run_is_refused() {
    for command in [&["run"][..], &["why", "--request", "1"]] {
        let link = "https://x.example/?v=2&scenario=database-outage&resolve=40,5,1";
        let (code, told) = refusal(&[command, &[link]].concat());
        assert_eq!(code, Some(2));
        assert!(told.contains("resolve: nobody can have resolved"), "{told}");
    }
    let (code, told) = refusal(&["run", "?v=2&scenario=one-service&step=99999999999"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("step: there is no event 99999999999"), "{told}");
    let (code, told) = refusal(&["run", "?v=2&scenario=one-service&t=9999"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("t: 9999 s is after the end of this run"), "{told}");
}

#[test]
fn problems_of_changes_variant_and_queries_are_told_together() {
    let (code, told) = refusal(&[
        "run",
        "database-outage",
        "--variant",
        "Z",
        "--set",
        "nodes.nope.x=2",
        "--set",
        "nodes.api.workers=-3",
        "--set",
        "bad",
        "--query",
        "A.x",
    ]);
    assert_eq!(code, Some(2));
    for part in ["variants.Z", "nodes.nope.x", "nodes.api.workers", "--set bad", "--query A.x"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn exit_codes_do_not_depend_on_stderr() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut command = Command::new(env!("CARGO_BIN_EXE_faultline"));
    let output = command.args(["run", "no-such-scenario"]).stderr(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_id_that_two_files_have_is_refused_with_both() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["one.json", "other.json"] {
        common::write(&scenario(&[]), &folder.path().join(name));
    }
    let (code, told) = refusal(&["check", folder.path().to_str().expect("text")]);
    assert_eq!(code, Some(2));
    assert!(told.contains("one.json has") && told.contains("other.json: has the id"), "{told}");
}

#[test]
fn a_file_keeps_what_it_holds_until_there_is_a_result_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("earlier");
    let name = file.to_str().expect("text");
    std::fs::write(&file, "what an earlier run has written, longer than the next\n").expect("it can be written");
    for arguments in [
        &["calibrate", "database-outage", "--real", "db=sqlite:/no/folder/lab.sqlite", "-o", name][..],
        &["run", "?v=2&scenario=one-service&step=99999999999", "--trace", name],
        &["run", "?v=2&scenario=one-service&step=99999999999", "--log", name],
    ] {
        assert_eq!(refusal(arguments).0, Some(2), "{arguments:?}");
        let kept = std::fs::read_to_string(&file).expect("it is there");
        assert!(kept.starts_with("what an earlier run"), "{arguments:?}: {kept}");
    }
    faultline(&["run", "one-service", "--trace-events", name]);
    let written = std::fs::read_to_string(&file).expect("it is there");
    assert!(serde_json::from_str::<Value>(&written).is_ok(), "nothing of the earlier text is left");
}

#[test]
fn what_cannot_be_is_refused_before_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.json");
    std::fs::write(&empty, "[]").expect("it can be written");
    let real = format!("db=sqlite:{}", folder.path().join("lab.sqlite").display());
    let set = "--set=nodes.api.workers=3";
    for (arguments, part) in [
        (&["load", "http://127.0.0.1:9", "--duration", "0s"][..], "more than 0 s"),
        (&["load", "http://127.0.0.1:9", "--rate", "-5"], "use a number above 0"),
        (&["run", "database-outage", "--seed", "-1"], "invalid value '-1'"),
        (&["export", "pages", "--address", "nope"], "write an address"),
        (&["verify", empty.to_str().expect("text")], "no case"),
        (&["validate", "database-outage", "--report", "/no/folder/x.html"], "cannot be written"),
        (&["run", "one-service", "--trace", "/no/folder/x.jsonl"], "/no/folder/x.jsonl: cannot be written"),
        (&["run", "one-service", "--trace-events", "/no/folder/x.json"], "/no/folder/x.json: cannot be written"),
        (&["run", "one-service", "--log", "/no/folder/x.jsonl"], "/no/folder/x.jsonl: cannot be written"),
        (&["calibrate", "database-outage", "--real", &real, "-o", "/no/folder/x.json"], "cannot be written"),
        (
            &["sweep", "database-outage", "--vary", "nodes.api.workers=2,8", set, "--query", "http_error_ratio.mean"],
            "is varied and set",
        ),
    ] {
        let (code, told) = refusal(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {told}");
        assert!(told.contains(part), "{part} is not in {told}");
    }
}
