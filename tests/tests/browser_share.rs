//! A moment of a run is handed on: by its address, and as a frame for a course page.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::server::Server;
use tests::tools::site;

/// What a key press sends (WebDriver, section "Keyboard actions").
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

const PLACE: &str = "const player = document.querySelector('[data-player]'); \
                     return [player.dataset.step, document.querySelector('[data-digest]').dataset.digest];";
const TEXT: &str = "return document.querySelector('dialog[open] textarea').value;";

/// Opens a dialog by the keyboard and gives the text that it offers.
async fn offered(browser: &Browser, button: &str) -> String {
    browser.run("document.querySelector(arguments[0]).focus();", vec![json!(button)]).await;
    browser.find(button).await.send_keys(ENTER).await.expect("a button takes keys");
    browser.until("document.querySelector('dialog[open] textarea')?.value").await;
    browser.run(TEXT, vec![]).await.as_str().expect("a text").to_string()
}

#[tokio::test]
async fn a_link_and_a_frame_lead_to_the_same_event_of_the_same_run() {
    let server = Server::start(&["--site", &site().display().to_string()]);
    let browser = Browser::start(1280, 800, false).await;
    browser.open(&format!("{}/?seed=11", server.url)).await;
    browser.settled().await;
    browser.click("[data-option='half']").await;
    browser.until("document.querySelector('[data-predicted=true]')").await;
    browser.click("[data-variant='A']").await;
    browser.settled().await;
    browser.click("[aria-label='Next failure']").await;
    let place: Value = browser.run(PLACE, vec![]).await;

    let link = offered(&browser, "[data-share=link]").await;
    browser.picture("share").await;
    let copy = "dialog[open] .btn.primary";
    let focused = "return document.activeElement === document.querySelector(arguments[0]);";
    assert_eq!(browser.run(focused, vec![json!(copy)]).await, json!(true), "Enter copies at once");
    browser.find(copy).await.send_keys(ENTER).await.expect("a button takes keys");
    browser.until("document.querySelector('dialog[open] [role=status]').innerText").await;
    browser.find(copy).await.send_keys(ESCAPE).await.expect("a button takes keys");
    browser.until("!document.querySelector('dialog[open]')").await;
    assert_eq!(browser.run(focused, vec![json!("[data-share=link]")]).await, json!(true), "back where the reader was");

    let frame = offered(&browser, "[data-share=frame]").await;
    let address = frame.split('"').nth(1).expect("the frame's address").replace("&amp;", "&");
    for width in [390, 1280] {
        browser.resize(width, 844).await;
        browser.picture(&format!("share-frame-{width}")).await;
        let outside = "const box = document.querySelector('dialog[open]').getBoundingClientRect(); \
                       return Math.max(-box.left, box.right - innerWidth);";
        assert!(browser.run(outside, vec![]).await.as_f64().is_some_and(|px| px <= 0.0), "it fits {width} px");
    }

    // Whoever opens the link is asked first, and then stands where the sender stood. Theirs is another browser, which has kept nothing.
    browser.run("localStorage.clear();", vec![]).await;
    browser.open(&link).await;
    browser.settled().await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) > 19").await;
    assert_ne!(browser.run(PLACE, vec![]).await, place, "the outage is not given away");
    browser.click("[data-option='half']").await;
    browser.until(&format!("document.querySelector('[data-player]').dataset.step === {}", place[0])).await;
    assert_eq!(browser.run(PLACE, vec![]).await, place);

    // A course page shows the moment itself.
    browser.open(&address).await;
    browser.settled().await;
    browser.until(&format!("document.querySelector('[data-player]').dataset.step === {}", place[0])).await;
    assert_eq!(browser.run(PLACE, vec![]).await, place);
    assert!(!browser.has("header.top").await, "{frame}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
