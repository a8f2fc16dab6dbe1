//! A real server as a child process: SIGKILL in the middle of writes loses no acknowledged write and lets go of the
//! file; SIGTERM ends it in good order; what it logs names the requests.

mod common;

use common::http;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A child server; killed when dropped.
struct Served {
    child: Child,
    addr: String,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Served {
    fn new(scenario: &str, file: &Path) -> Served {
        Served::with(scenario, file, &["--variant", "A"])
    }

    fn with(scenario: &str, file: &Path, more: &[&str]) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_faultline"))
            .args(["serve", "--addr", "127.0.0.1:0", "--scenario", scenario, "--real"])
            .arg(format!("db=sqlite:{}", file.display()))
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready =
            log.find_map(|line| line.ok().filter(|line| line.contains("\"ready\""))).expect("it says when it is ready");
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let addr = ready["addr"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/').to_string();
        // Whoever does not read on stops the server's log.
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        std::thread::spawn(move || {
            let read = log.filter_map(|line| serde_json::from_str(&line.ok()?).ok());
            read.for_each(|line| kept.lock().unwrap().push(line));
        });
        Served { child, addr, log: lines }
    }

    /// The first line of the log with this message.
    fn logged(&self, message: &str) -> Option<Value> {
        self.log.lock().unwrap().iter().find(|line| line["message"] == message).cloned()
    }

    fn token(&self) -> String {
        let (status, body) =
            http(&self.addr, "POST", "/api/login", "content-type: application/json\r\n", r#"{"user": 1}"#).unwrap();
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        format!("authorization: Bearer {}\r\n", body["access_token"].as_str().unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn no_acknowledged_write_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.sqlite");
    let mut served = Served::new("database-outage", &file);
    let token = served.token();
    let acknowledged: Arc<Mutex<BTreeMap<u64, u64>>> = Arc::default();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (addr, token, acknowledged) = (served.addr.clone(), token.clone(), acknowledged.clone());
            std::thread::spawn(move || {
                for round in 0u64.. {
                    let key = (writer + 4 * round) % 40;
                    let Ok((status, body)) = http(&addr, "PUT", &format!("/lab/items/{key}"), &token, "") else {
                        return;
                    };
                    if status == 200 {
                        let body: Value = serde_json::from_str(&body).unwrap();
                        let version = body["version"].as_u64().unwrap();
                        let mut acknowledged = acknowledged.lock().unwrap();
                        let known = acknowledged.entry(key).or_insert(0);
                        *known = version.max(*known);
                    }
                }
            })
        })
        .collect();
    let start = Instant::now();
    while acknowledged.lock().unwrap().values().sum::<u64>() < 200 {
        assert!(start.elapsed() < Duration::from_secs(30), "too few writes");
        std::thread::sleep(Duration::from_millis(10));
    }
    served.child.kill().unwrap(); // SIGKILL
    served.child.wait().unwrap();
    for writer in writers {
        writer.join().unwrap();
    }
    let connection = rusqlite::Connection::open(&file).unwrap();
    for (key, version) in acknowledged.lock().unwrap().iter() {
        let kept: u64 = connection
            .query_row("SELECT version FROM items WHERE id = ?1", [*key as i64], |row| row.get::<_, i64>(0))
            .unwrap() as u64;
        assert!(kept >= *version, "item {key}: version {version} was acknowledged, {kept} was kept");
    }
}

#[test]
fn the_outages_lock_dies_with_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.sqlite");
    let scenario = folder.path().join("scenario.json");
    common::write(&common::scenario(&common::outage(0.1, 50.0)), &scenario);
    let mut served = Served::new(&scenario.display().to_string(), &file);
    let stranger = || -> rusqlite::Result<u32> {
        let connection = rusqlite::Connection::open(&file)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.query_row("SELECT count(*) FROM items", [], |row| row.get(0))
    };
    let start = Instant::now();
    while stranger().is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "the outage never came");
        std::thread::sleep(Duration::from_millis(10));
    }
    served.child.kill().unwrap();
    served.child.wait().unwrap();
    assert_eq!(u64::from(stranger().unwrap()), common::rows());
}

#[test]
fn sigterm_ends_in_good_order_and_the_recording_replays() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.jsonl");
    let recording = recording.to_str().unwrap();
    let mut served = Served::with("database-outage", &folder.path().join("lab.sqlite"), &["--record", recording]);
    let token = served.token();
    for key in 0..50 {
        assert_eq!(http(&served.addr, "PUT", &format!("/lab/items/{key}"), &token, "").unwrap().0, 200);
    }
    let so_far = {
        std::thread::sleep(Duration::from_millis(500));
        http(&served.addr, "GET", "/api/recording", "", "").unwrap()
    };
    assert!(so_far.0 == 200 && so_far.1.matches("\"arrival\"").count() == 50, "{so_far:?}");
    assert!(Command::new("kill").arg(served.child.id().to_string()).status().unwrap().success());
    let status = served.child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{:?}", served.log.lock().unwrap());
    let replay =
        Command::new(env!("CARGO_BIN_EXE_faultline")).args(["run", "--replay", recording, "--json"]).output().unwrap();
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    let replay: Value = serde_json::from_slice(&replay.stdout).unwrap();
    assert_eq!(replay["requests"]["completed"], 50);
}

#[test]
fn a_database_error_is_logged_with_its_request_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("scenario.json");
    let mut changes = common::outage(0.2, 50.0);
    changes.push(("monitors", serde_json::json!({})));
    common::write(&common::scenario(&changes), &scenario);
    let served = Served::new(&scenario.display().to_string(), &folder.path().join("lab.sqlite"));
    let token = served.token();
    let start = Instant::now();
    while http(&served.addr, "PUT", "/lab/items/1", &token, "").unwrap().0 == 200 {
        assert!(start.elapsed() < Duration::from_secs(10), "the outage never came");
    }
    let failed = Instant::now();
    let line = loop {
        if let Some(line) = served.logged("the database failed") {
            break line;
        }
        assert!(failed.elapsed() < Duration::from_secs(1), "nothing was logged: {:?}", served.log.lock().unwrap());
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!((&line["level"], &line["error"]), (&"ERROR".into(), &"database is locked".into()));
    let id = line["request_id"].as_str().unwrap().rsplit_once('-').unwrap().1;
    assert!(id.parse::<u32>().is_ok_and(|id| id > 0), "{line}");
}
