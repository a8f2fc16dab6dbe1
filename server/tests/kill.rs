//! SIGKILL in the middle of writes loses no acknowledged write, and lets go of the file.

mod common;

use common::http;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A child server; killed when dropped.
struct Served {
    child: Child,
    addr: String,
}

impl Served {
    fn new(scenario: &str, file: &std::path::Path) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_faultline"))
            .args(["serve", "--addr", "127.0.0.1:0", "--scenario", scenario, "--variant", "A", "--real"])
            .arg(format!("db=sqlite:{}", file.display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready =
            log.find_map(|line| line.ok().filter(|line| line.contains("\"ready\""))).expect("it says when it is ready");
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        let addr = ready["addr"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/').to_string();
        // Whoever does not read on stops the server's log.
        std::thread::spawn(move || log.for_each(drop));
        Served { child, addr }
    }

    fn token(&self) -> String {
        let (status, body) =
            http(&self.addr, "POST", "/api/login", "content-type: application/json\r\n", r#"{"user": 1}"#).unwrap();
        assert_eq!(status, 200, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
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
                        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
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
