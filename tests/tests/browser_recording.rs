//! A run that was recorded on a real server with a real SQLite file steps backwards in the page.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tests::browser::Browser;
use tests::server::Server;
use tests::tools::{copy_site, faultline, site};

/// Serves a short outage with a real store, loads it for two seconds, and stops; the recording.
fn record(folder: &Path) -> PathBuf {
    let recording = folder.join("run.jsonl");
    let scenario = folder.join("short-outage.json");
    let mut document: Value = serde_json::from_str(lessons::scenario("database-outage").unwrap()).unwrap();
    document["faults"]["outage"]["from_s"] = json!(0.5);
    document["faults"]["outage"]["to_s"] = json!(1.0);
    document["duration_s"] = json!(3);
    fs::write(&scenario, document.to_string()).unwrap();
    let (real, scenario) =
        (format!("db=sqlite:{}", folder.join("items.sqlite").display()), scenario.display().to_string());
    let record = recording.display().to_string();
    let server =
        Server::start(&["--scenario", &scenario, "--real", &real, "--record", &record, "--start-on-first-request"]);
    let load = Command::new(faultline()).args(["load", &server.url, "--rate", "150", "--duration", "2s"]).output();
    assert!(load.expect("the load runs").status.success());
    server.stop(Duration::from_secs(10));
    recording
}

/// The last line of a recording.
fn end(recording: &Path) -> Value {
    let text = fs::read_to_string(recording).expect("it was written");
    serde_json::from_str(text.lines().last().unwrap()).expect("the last line says where it ended")
}

/// The page's own files with a further one.
fn site_with(folder: &Path, file: &Path) -> PathBuf {
    let copy = folder.join("site");
    copy_site(&copy);
    fs::copy(file, copy.join(file.file_name().unwrap())).unwrap();
    copy
}

async fn number(browser: &Browser, name: &str) -> f64 {
    let text = browser.attribute("[data-player]", name).await;
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name}"))
}

async fn choose(browser: &Browser, file: &Path) {
    let input = browser.find("input[type=file]").await;
    input.send_keys(&file.display().to_string()).await.expect("a file can be chosen");
}

#[tokio::test]
async fn a_real_run_steps_backwards_in_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let recording = record(folder.path());
    let end = end(&recording);
    let server = Server::start(&["--site", &site_with(folder.path(), &recording).display().to_string()]);
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?recording=run.jsonl", server.url)).await;
    browser.until("document.querySelector('[data-recorded=same]')").await;
    assert_eq!(browser.attribute("[data-digest]", "data-digest").await.as_deref(), end["digest"].as_str());
    let said = browser.text("[aria-label='Recorded run']").await;
    assert!(said.contains("real SQLite") && said.contains("same as recorded"), "{said}");
    assert!(!browser.has("[data-knob]").await, "there is nothing to turn");

    // The end is where the server stopped; from there it goes back, event by event.
    browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
    browser.press("End").await;
    browser.until(&format!("document.querySelector('[data-player]').dataset.step === '{}'", end["steps"])).await;
    for back in 1..=3 {
        browser.click("[aria-label='Step back']").await;
        assert_eq!(number(&browser, "data-step").await, end["steps"].as_f64().unwrap() - f64::from(back));
    }

    // The outage was real: the file could not be used, and the page says why a request failed.
    browser.press("Home").await;
    browser.click("[aria-label='Next failure']").await;
    assert!(number(&browser, "data-time").await >= 0.5);
    browser.click("#tab-requests").await;
    let chain = browser.find(".why .chain").await.text().await.unwrap();
    assert!(chain.contains("fault: the database is down"), "the chain leads to the fault: {chain}");
    let step = number(&browser, "data-step").await;
    browser.click("[aria-label='Step back']").await;
    browser.click("[aria-label='Step']").await;
    assert_eq!(number(&browser, "data-step").await, step);
    for (width, height, theme) in [(1366, 768, "light"), (1440, 900, "dark"), (390, 844, "light")] {
        browser.resize(width, height).await;
        browser.run("document.documentElement.dataset.theme = arguments[0];", vec![json!(theme)]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        browser.picture(&format!("recorded-{width}-{theme}")).await;
        let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth;", vec![]).await;
        assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide at {width} px");
    }

    // Back to the lesson, which waits where it was: before its prediction.
    browser.click(".recorded button").await;
    browser.until("document.querySelector('[data-predicted=false]:not([data-recorded])')").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_file_is_opened_and_a_broken_one_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let recording = record(folder.path());
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.until("document.querySelector('[data-player][data-ready=true]')").await;
    browser.click("[data-option='half']").await;

    let broken = folder.path().join("broken.jsonl");
    let text = fs::read_to_string(&recording).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[2] = "{\"step\":";
    fs::write(&broken, lines.join("\n")).unwrap();
    choose(&browser, &broken).await;
    browser.until("document.querySelector('[data-notice=recording]')").await;
    let said = browser.text("[data-notice=recording]").await;
    assert!(said.contains("broken.jsonl:3"), "{said}");
    browser.picture("recorded-refused").await;
    assert!(browser.has("[data-predicted=true]:not([data-recorded])").await, "the lesson goes on");

    choose(&browser, &recording).await;
    browser.until("document.querySelector('[data-recorded=same]')").await;
    assert!(!browser.has("[data-notice=recording]").await);

    // What broke off can be played, and the page says that there is nothing to compare with.
    lines = text.lines().collect();
    lines.pop();
    fs::write(&broken, lines.join("\n")).unwrap();
    choose(&browser, &broken).await;
    browser.until("document.querySelector('[data-recorded=unknown]')").await;

    // Another digest than the recorded one is said.
    let other = text.replace("\"digest\":\"", "\"digest\":\"0000");
    fs::write(&broken, other).unwrap();
    choose(&browser, &broken).await;
    browser.until("document.querySelector('[data-recorded=different]')").await;

    browser.click(".recorded button").await;
    browser.until("document.querySelector('.opt.said')").await;
    browser.close().await;
}

#[tokio::test]
async fn what_a_server_records_can_be_watched_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("run.jsonl").display().to_string();
    let server = Server::start(&["--site", &site().display().to_string(), "--record", &record]);
    let load = Command::new(faultline()).args(["load", &server.url, "--rate", "50", "--duration", "1s"]).output();
    assert!(load.expect("the load runs").status.success());
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?recording=/api/recording", server.url)).await;
    browser.until("document.querySelector('[data-recorded=unknown]')").await;
    browser.open(&format!("{}/?recording=/api/nothing", server.url)).await;
    browser.until("document.querySelector('[data-notice=recording]')?.innerText.includes('404')").await;
    browser.close().await;
}
