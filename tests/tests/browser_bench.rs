//! What the page promises, measured in a real browser and printed beside the same natively. No time is judged: machines are
//! noisy.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;
use tests::browser::Browser;
use tests::server::Server;
use tests::tools::root;
use url::Url;

/// The documents of the engine's own bench.
const DOCUMENTS: [&str; 4] = ["lesson", "balanced", "m-m-1", "closed"];

#[tokio::test]
async fn the_page_measures_itself() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    let mut fresh: Vec<f64> = Vec::new();
    for _ in 0..5 {
        browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
        browser.settled().await;
        let ms = browser.attribute("[data-player]", "data-run-ms").await;
        fresh.push(ms.and_then(|ms| ms.parse().ok()).expect("the page says how long its run took"));
    }
    println!("the lesson's run on a freshly opened page, ms of computation: {fresh:?}");
    browser.close().await;
    print(&measured(&format!("{}/?bench=1", server.url)).await);
    for id in DOCUMENTS {
        let path = root().join(format!("sandbox-core/benches/numbers/{id}.json"));
        let document = std::fs::read_to_string(&path).expect("the bench's document is there");
        let address = Url::parse_with_params(&server.url, [("bench", "1"), ("document", &document)]);
        let page = measured(address.expect("it is an address").as_str()).await;
        print(&page);
        let (native_ms, digest) = natively(&document);
        assert_eq!(page["digest"], digest, "{id}: the page and this machine compute the same");
        let page_ms = page["run_ms"]["p50"].as_f64().expect("it was measured");
        println!("  natively {native_ms:.1} ms: the page reaches {:.2} of that speed", native_ms / page_ms);
    }
}

/// The numbers of a page in a browser that has never seen it.
async fn measured(address: &str) -> Value {
    let browser = Browser::start(1366, 768, false).await;
    browser.open(address).await;
    browser.until("document.querySelector('#bench[data-ready=true]')").await;
    let text = browser.text("#bench").await;
    browser.close().await;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn print(page: &Value) {
    println!(
        "{}: {} requests, {} steps, {} MiB",
        page["scenario"], page["requests"], page["steps"], page["memory_mib"]
    );
    for what in ["run_ms", "ten_seconds_ms", "seek_ms", "step_back_ms", "fork_ms"] {
        let of = |part: &str| page[what][part].as_f64().unwrap_or_else(|| panic!("{what}: {page}"));
        println!(
            "  {what:<16} first {:>7.1}, median {:>7.1}, 95 of 100 {:>7.1}, worst {:>7.1}",
            of("first"),
            of("p50"),
            of("p95"),
            of("max")
        );
    }
}

/// How long a whole run takes here, in milliseconds, and its digest.
fn natively(document: &str) -> (f64, String) {
    let document = Document::parse(document).expect("the bench's document can be read");
    let plan = Arc::new(document.plan("A", &[]).expect("the bench's document is valid"));
    let mut runs: Vec<(f64, String)> = (0..5)
        .map(|_| {
            let begin = Instant::now();
            let mut run = Run::new(plan.clone());
            run.run_to_end();
            (begin.elapsed().as_secs_f64() * 1e3, run.digest())
        })
        .collect();
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    runs.swap_remove(runs.len() / 2)
}
