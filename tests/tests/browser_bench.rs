//! What the page promises, measured in a real browser and printed. No time is judged: machines are noisy.

use serde_json::Value;
use tests::browser::Browser;
use tests::server::Server;
use tests::tools::site;

#[tokio::test]
async fn the_page_measures_itself() {
    let server = Server::start(&["--site", &site().display().to_string()]);
    let browser = Browser::start(1366, 768, false).await;
    let mut fresh: Vec<f64> = Vec::new();
    for _ in 0..5 {
        browser.open(&server.url).await;
        browser.until("document.querySelector('[data-player][data-ready=true][data-building=false]')").await;
        let ms = browser.attribute("[data-player]", "data-run-ms").await;
        fresh.push(ms.and_then(|ms| ms.parse().ok()).expect("the page says how long its run took"));
    }
    println!("the lesson's run on a freshly opened page, ms of computation: {fresh:?}");
    browser.open(&format!("{}/?bench=1", server.url)).await;
    browser.until("document.querySelector('#bench[data-ready=true]')").await;
    let text = browser.text("#bench").await;
    let measured: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    for what in ["run_ms", "seek_ms", "step_back_ms"] {
        assert!(measured[what]["p50"].as_f64().is_some_and(|ms| ms >= 0.0), "{what}: {measured}");
    }
    println!("in the browser: {measured:#}");
    browser.close().await;
}
