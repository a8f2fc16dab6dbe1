//! The real k6 against a real server with a real SQLite file: 500 requests a second for 60 s, through the outage.

use std::process::Command;
use tests::server::Server;
use tests::tools::{program, root};

#[test]
fn the_server_keeps_its_promises_under_k6() {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let real = format!("db=sqlite:{}", folder.path().join("items.sqlite").display());
    let server = Server::start(&["--scenario", "database-outage", "--real", &real, "--start-on-first-request"]);
    let output = Command::new(program("FAULTLINE_K6", &["k6"]))
        .args(["run", "--quiet", "--no-color"])
        .arg(root().join("tests/load/items.js"))
        .env("BASE_URL", &server.url)
        .env("K6_NO_USAGE_REPORT", "true")
        .output()
        .expect("k6 starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "a threshold was missed:\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let logged = server.log();
    let failed = logged.iter().filter(|line| line.contains("request_id") && line.to_lowercase().contains("database"));
    assert!(failed.count() > 0, "a database error is logged with its request id: {logged:?}");
}
