//! The lesson in a stranger's page, and what a learner sees when something breaks.

use serde_json::json;
use tests::browser::Browser;
use tests::course;
use tests::server::Server;

#[tokio::test]
async fn it_starts_in_a_sandboxed_frame_of_another_origin() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    let frame = format!(
        "<iframe id=lesson src='{}/?lesson=the-database-goes-away&embed=1' width=750 height=620 sandbox='allow-scripts' title=Lesson></iframe>",
        server.url
    );
    browser.open(&course::page(&frame).await).await;
    browser.enter("#lesson").await;
    browser.until("document.querySelector('[data-player][data-ready=true]')").await;
    let refused = "try { localStorage.length; return false; } catch (refused) { return true; }";
    assert_eq!(
        browser.run(refused, vec![]).await,
        json!(true),
        "the frame has no storage, so the test means something"
    );
    assert!(!browser.has("header.top").await, "an embedded lesson drops its header");
    browser.until("document.querySelector('svg')").await;
    let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth;", vec![]).await;
    assert_eq!(overflow, json!(0), "it fits its frame");
    browser.leave().await;
    browser.picture("embed").await;
    browser.close().await;
}

#[tokio::test]
async fn a_panic_shows_a_sentence_and_a_reload_button() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away&panic=1", server.url)).await;
    browser.until("document.querySelector('[data-player][data-ready=true]')").await;
    browser.click("[aria-label='Step']").await;
    browser.find("#crash button").await;
    let said = browser.text("#crash").await;
    assert!(said.contains("stopped") && said.contains("Reload"), "{said}");
    assert!(said.contains("seed"), "it says how to get here again: {said}");
    browser.picture("panic").await;
    browser.close().await;
}

#[tokio::test]
async fn an_unknown_lesson_is_named() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("{}/?lesson=nothing", server.url)).await;
    browser.until("document.body.innerText.includes('nothing')").await;
    browser.click("[data-broken] a").await;
    browser.until("document.body.innerText.includes('One request, one status code')").await;
    // So is one at an address of its own.
    browser.open(&format!("{}/lesson/nope/", server.url)).await;
    browser.until("document.querySelector('[data-broken]')?.innerText.includes('there is no lesson `nope`')").await;
    assert!(!browser.has("#crash").await, "the program is not to blame");
    browser.click("[data-broken] a").await;
    browser.until("document.body.innerText.includes('One request, one status code')").await;
    browser.close().await;
}

#[tokio::test]
async fn an_element_without_a_lesson_asks_for_no_still() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    let elements = "<faultline-lesson title=Nothing></faultline-lesson>\
                    <faultline-lesson link='?v=2&lesson=one-request&seed=3' title=Linked></faultline-lesson>";
    let page = format!("<script src='{}/faultline.js'></script>{elements}", server.url);
    browser.open(&course::page(&page).await).await;
    let stills = "return [...document.querySelectorAll('faultline-lesson')]\
                  .map((lesson) => lesson.shadowRoot.querySelector('button').style.backgroundImage);";
    let still = format!("url(\"{}/lesson/one-request/still.png\")", server.url);
    assert_eq!(browser.run(stills, vec![]).await, json!(["", still]));
    browser.close().await;
}
