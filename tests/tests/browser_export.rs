//! Lessons that were packed: as one file, and as a page of the site.

use serde_json::json;
use std::process::Command;
use tests::browser::Browser;
use tests::course;
use tests::server::Server;
use tests::tools::{copy_site, exported, faultline};

const LESSON: &str = "the-database-goes-away";

/// The largest that a lesson in one file may be, in bytes.
const ONE_FILE: usize = 1_500_000;

#[tokio::test]
async fn one_file_runs_from_a_stick_and_in_a_frame_that_gets_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lesson.html");
    let bytes = exported("html", &format!("?v=2&lesson={LESSON}&variant=A&seed=11&t=21&embed=1"), &file);
    assert!(bytes.len() <= ONE_FILE, "{} bytes", bytes.len());
    let browser = Browser::start(1000, 900, false).await;
    browser.open(&format!("file://{}", file.display())).await;
    browser.settled().await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) === 21").await;
    let digest = browser.attribute("[data-digest]", "data-digest").await;
    browser.picture("export-file").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "nothing was looked for beside the file");

    let whole = folder.path().join("whole.html");
    exported("html", &format!("?v=2&lesson={LESSON}"), &whole);
    browser.open(&format!("file://{}", whole.display())).await;
    browser.settled().await;
    assert!(!browser.has("[data-playground-link]").await, "it has nothing that a playground starts from");

    let frame = "<iframe id=lesson src=lesson.html width=750 height=700 sandbox='allow-scripts' title=Lesson></iframe>";
    let host = format!("<!doctype html><html lang=en><title>A course</title><link rel=icon href='data:,'>{frame}");
    let address = course::serve([("index.html", host.into_bytes()), ("lesson.html", bytes)]).await;
    browser.open(&address).await;
    browser.enter("#lesson").await;
    browser.settled().await;
    assert_eq!(browser.attribute("[data-digest]", "data-digest").await, digest, "the same run");
    browser.leave().await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_lesson_has_an_address_of_its_own_and_runs_under_the_policy_of_the_site() {
    let folder = tempfile::tempdir().expect("a folder");
    copy_site(folder.path());
    let here = folder.path().display().to_string();
    let pages = Command::new(faultline()).args(["export", "pages", "--site", &here]).output().expect("it starts");
    assert!(pages.status.success());
    let policy = std::fs::read_to_string(folder.path().join("csp.txt")).expect("the policy is there");
    let policy = policy.trim().strip_prefix("Content-Security-Policy: ").expect("it is a header's line");
    let page = folder.path().join("lesson").join(LESSON).join("index.html");
    let text = std::fs::read_to_string(&page).expect("the lesson has a page");
    let sent = format!("<head><meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    std::fs::write(&page, text.replacen("<head>", &sent, 1)).expect("it can be written");
    let server = Server::start(&["--site", &here]);
    let browser = Browser::start(1000, 900, false).await;
    browser.open(&format!("{}/lesson/{LESSON}/", server.url)).await;
    browser.settled().await;
    assert_eq!(browser.text(".story h1").await, "The database goes away");
    browser.run("window.late = document.createElement('script'); late.text = 'window.hacked = 1'; document.body.append(late);", vec![])
        .await;
    assert_eq!(browser.run("return window.hacked === undefined;", vec![]).await, json!(true), "the policy is in force");
    let complaints = browser.complaints().await;
    assert_eq!(complaints.len(), 1, "of that script, and of nothing else: {complaints:?}");
    browser.close().await;
}
