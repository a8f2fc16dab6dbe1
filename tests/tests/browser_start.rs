//! The page starts wherever it can, and where it cannot it says why and who can mend it.

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tests::browser::Browser;
use tests::course;
use tests::server::Server;
use tests::tools::{copy_site, site};

const LESSON: &str = "?lesson=the-database-goes-away&embed=1&t=20";

/// A frame without an origin of its own, as strict hosts make them.
fn frame(address: &str) -> String {
    format!("<iframe id=lesson src='{address}' width=750 height=620 sandbox=allow-scripts title=Lesson></iframe>")
}

/// The built site in a folder where its page can be changed, under a policy if one is given.
fn site_under(folder: &Path, policy: Option<&str>) {
    copy_site(folder);
    if let Some(policy) = policy {
        let page = folder.join("index.html");
        let text = fs::read_to_string(&page).expect("the page is there");
        let sent = format!("<head><meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
        fs::write(page, text.replacen("<head>", &sent, 1)).expect("it can be written");
    }
}

/// What the page says when its program does not come.
async fn said(browser: &Browser) -> String {
    browser.find("#crash button").await;
    browser.text("#crash").await
}

#[tokio::test]
async fn it_starts_from_a_server_that_does_not_know_webassembly() {
    // The course's server calls everything that it does not know HTML.
    let address = course::serve_folder(&site()).await;
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("{address}{LESSON}")).await;
    browser.settled().await;
    let kind = "const done = arguments[0], program = performance.getEntriesByType('resource').find((it) => it.name.endsWith('.wasm')); \
                fetch(program.name).then((response) => done(response.headers.get('content-type')));";
    assert_eq!(browser.run_async(kind, vec![]).await, json!("text/html; charset=utf-8"), "so the test means something");
    assert!(!browser.has("#crash").await);
    browser.close().await;
}

#[tokio::test]
async fn a_frame_that_was_hidden_at_its_start_is_drawn_when_it_is_shown() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    let heard = "<script>const told = []; addEventListener('message', ({ data }) => told.push(data));</script>";
    let hidden =
        format!("{heard}<div id=tab style='display:none'>{}</div>", frame(&format!("{}/{LESSON}", server.url)));
    browser.open(&course::page(&hidden).await).await;
    browser.until("told.some((data) => data.news === 'ready')").await;
    browser.enter("#lesson").await;
    assert_eq!(browser.run("return innerWidth;", vec![]).await, json!(0), "it has no place yet");
    browser.leave().await;
    browser.run("document.getElementById('tab').style.display = '';", vec![]).await;
    browser.until("told.some((data) => data.news === 'resize' && data.height > 400)").await;
    browser.enter("#lesson").await;
    browser.settled().await;
    browser.until("document.querySelector('.topo > svg')").await;
    browser.laid_out().await;
    browser
        .until(
            "[...document.querySelectorAll('canvas')].every((chart) => chart.width > 100 && chart.clientWidth > 100)",
        )
        .await;
    assert!(browser.has("canvas").await);
    browser.leave().await;
    browser.picture("start-hidden").await;
    browser.close().await;
}

#[tokio::test]
async fn a_tab_in_the_background_is_ready_when_somebody_comes() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    let address = format!("{}/{LESSON}", server.url);
    let tab = browser.devtools("Target.createTarget", json!({ "url": address, "background": true })).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let client = browser.client();
    let front = client.window().await.expect("a window");
    let windows = client.windows().await.expect("windows");
    let back = windows.into_iter().find(|window| *window != front).unwrap_or_else(|| panic!("no second: {tab}"));
    client.switch_to_window(back).await.expect("it is there");
    browser.settled().await;
    browser.laid_out().await;
    browser.picture("start-background").await;
    browser.close().await;
}

#[tokio::test]
async fn where_its_site_keeps_frames_without_an_origin_out_it_says_so() {
    let address = course::serve_folder(&site()).await;
    let browser = Browser::start(1000, 800, false).await;
    let heard = "<script>const told = []; addEventListener('message', ({ data }) => told.push(data));</script>";
    browser.open(&course::page(&format!("{heard}{}", frame(&format!("{address}{LESSON}")))).await).await;
    browser.until("told.some((data) => data.news === 'error')").await;
    browser.enter("#lesson").await;
    let said = said(&browser).await;
    assert!(said.contains("Access-Control-Allow-Origin: *") && said.contains("sandbox"), "{said}");
    assert!(!said.contains("Firefox"), "no browser is to blame: {said}");
    browser.leave().await;
    browser.picture("start-no-cors").await;
    browser.close().await;
}

#[tokio::test]
async fn from_a_disk_it_names_the_form_that_runs_there() {
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("file://{}/index.html{LESSON}", site().display())).await;
    let said = said(&browser).await;
    assert!(said.contains("one file") && said.contains("faultline export html"), "{said}");
    browser.close().await;
}

#[tokio::test]
async fn a_program_that_is_missing_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    site_under(folder.path(), None);
    let files = fs::read_dir(folder.path()).expect("it can be read").flatten();
    let program = files.map(|file| file.path()).find(|path| path.extension().is_some_and(|kind| kind == "wasm"));
    fs::remove_file(program.expect("the site has a program")).expect("it can be removed");
    let address = course::serve_folder(folder.path()).await;
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("{address}{LESSON}")).await;
    let said = said(&browser).await;
    assert!(said.contains("did not come") && said.contains("Reload"), "{said}");
    browser.close().await;
}

#[tokio::test]
async fn a_policy_that_forbids_the_program_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    site_under(
        folder.path(),
        Some("default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"),
    );
    let address = course::serve_folder(folder.path()).await;
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("{address}{LESSON}")).await;
    let said = said(&browser).await;
    assert!(said.contains("Content-Security-Policy") && said.contains("script-src wasm-eval"), "{said}");
    browser.close().await;
}

#[tokio::test]
async fn a_policy_that_forbids_every_script_is_named_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    site_under(folder.path(), Some("default-src 'self'"));
    let address = course::serve_folder(folder.path()).await;
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("{address}{LESSON}")).await;
    assert!(!browser.has("#crash").await, "there is no script that could say it");
    browser.until("document.body.innerText.includes('does not let the page run its scripts')").await;
    browser.close().await;
}

#[tokio::test]
async fn ten_lessons_on_a_page_cost_nothing_until_each_is_started() {
    let server = Server::of_site();
    let ids = lessons::INDEX.iter().map(|entry| entry.id).cycle().take(10);
    let elements: String =
        ids.map(|id| format!("<faultline-lesson lesson={id} title='A lesson'></faultline-lesson>")).collect();
    let page = format!(
        "<script>const ready = new Map();
         addEventListener('faultline-ready', (news) => ready.set(news.target, news.detail.state));</script>
         <script src='{}/faultline.js'></script>{elements}",
        server.url
    );
    let browser = Browser::start(1000, 900, false).await;
    browser.open(&course::page(&page).await).await;
    let loaded = "const { domInteractive, loadEventEnd } = performance.getEntriesByType('navigation')[0], \
                  others = performance.getEntriesByType('resource').map((it) => it.name).filter((name) => !name.endsWith('/still.png')); \
                  return { interactive: domInteractive, loaded: loadEventEnd, others };";
    let loaded = browser.run(loaded, vec![]).await;
    assert_eq!(loaded["others"], json!([format!("{}/faultline.js", server.url)]), "one script, and stills");
    println!("ten lessons: interactive after {} ms, loaded after {} ms", loaded["interactive"], loaded["loaded"]);
    assert_eq!(browser.run(FRAMES, vec![]).await, json!(0));
    for started in 1..=10 {
        let begun = std::time::Instant::now();
        browser.run(CLICK, vec![json!(started - 1)]).await;
        browser.until(&format!("ready.size === {started}")).await;
        println!("lesson {started} is ready {} ms after its click", begun.elapsed().as_millis());
        assert_eq!(browser.run(FRAMES, vec![]).await, json!(started), "only what was asked for");
    }
    let told = "const done = arguments[0], all = [...document.querySelectorAll('faultline-lesson')]; \
                Promise.all(all.map((lesson) => lesson.send('get_state').then((state) => [lesson.getAttribute('lesson'), state.lesson])))\
                .then(done, (error) => done(String(error)));";
    let told = browser.run_async(told, vec![]).await;
    let pairs = told.as_array().unwrap_or_else(|| panic!("{told}"));
    assert!(pairs.len() == 10 && pairs.iter().all(|pair| pair[0] == pair[1] && pair[0] != Value::Null), "{told}");
    browser.picture("start-ten").await;
    browser.close().await;
}

const FRAMES: &str = "return [...document.querySelectorAll('faultline-lesson')]\
                      .filter((lesson) => lesson.shadowRoot.querySelector('iframe')).length;";
const CLICK: &str =
    "document.querySelectorAll('faultline-lesson')[arguments[0]].shadowRoot.querySelector('button').click();";
