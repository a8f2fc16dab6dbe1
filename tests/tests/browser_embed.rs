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

#[tokio::test]
async fn an_embedded_lesson_asks_why_and_comes_back_by_hand_and_by_key() {
    let server = Server::of_site();
    let browser = Browser::start(750, 900, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away&embed=1", server.url)).await;
    browser.settled().await;
    browser.click("[aria-label='Next failure']").await;
    browser.until("document.querySelector('[data-to-requests] button')?.innerText === 'Why did it fail?'").await;
    let high = "return document.querySelector('.foot').getBoundingClientRect().bottom;";
    let high = browser.run(high, vec![]).await;
    assert!(high.as_f64().is_some_and(|high| high <= 860.0), "all of it is in the frame that Share offers: {high}");
    browser.picture("embed-pick").await;
    browser.find("[data-to-requests] button").await.click().await.expect("it can be pressed");
    browser.until("document.querySelector('.why[data-request]')").await;
    browser.picture("embed-why").await;
    browser.find(".pick button").await.click().await.expect("it can be pressed");
    browser.until("document.querySelector('[data-chart]') && !document.querySelector('.why')").await;
    browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
    browser.press("w").await;
    browser.until("document.querySelector('.why[data-request]')").await;
    browser.press("w").await;
    browser.until("document.querySelector('[data-chart]') && !document.querySelector('.why')").await;
    browser.close().await;
}

#[tokio::test]
async fn the_whole_lesson_opens_at_the_frames_moment_or_its_address_is_shown() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 900, false).await;
    let popups = "allow-scripts allow-popups allow-popups-to-escape-sandbox";
    for (sandbox, opens) in [("allow-scripts", false), (popups, true)] {
        let frame = format!(
            "<iframe id=lesson src='{}/?lesson=the-database-goes-away&variant=A&seed=11&t=25&embed=1' width=750 height=860 sandbox='{sandbox}' title=Lesson></iframe>",
            server.url
        );
        browser.open(&course::page(&frame).await).await;
        browser.enter("#lesson").await;
        browser.settled().await;
        browser.until("Number(document.querySelector('[data-player]').dataset.time) === 25").await;
        let digest = browser.attribute("[data-digest]", "data-digest").await;
        browser.find("[data-whole]").await.click().await.expect("it can be pressed");
        let shown = browser.text("[data-address]").await;
        browser.leave().await;
        let windows = browser.client().windows().await.expect("they can be counted");
        assert_eq!(windows.len(), if opens { 2 } else { 1 });
        if opens {
            browser.client().switch_to_window(windows[1].clone()).await.expect("it is there");
        } else {
            assert!(
                shown.starts_with(&server.url) && shown.contains("seed=11") && shown.contains("variant=A"),
                "{shown}"
            );
            browser.open(&shown).await;
        }
        browser.settled().await;
        assert_eq!(browser.attribute("[data-digest]", "data-digest").await, digest, "the same run");
        let storage = browser.run("return localStorage.length >= 0;", vec![]).await;
        assert_eq!(storage, json!(true), "it is a page like any other");
        assert!(browser.has("header.top").await, "the whole lesson");
    }
    browser.close().await;
}

#[tokio::test]
async fn a_change_that_does_not_fit_leaves_a_notice_and_a_page_that_works() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    for set in ["nodes.nope.workers%3D3", "nodes.api.workers%3D-1", "nodes.api.workers%3D1e9"] {
        browser.open(&format!("{}/?v=2&lesson=one-request&set={set}", server.url)).await;
        browser.settled().await;
        browser.until("document.querySelector('[data-notice=address]')?.innerText.includes('cannot be set')").await;
        assert_eq!(browser.text(".story h1").await, "One request, one status code");
    }
    browser.close().await;
}

#[tokio::test]
async fn an_element_whose_lesson_does_not_start_says_so_to_who_speaks_to_it() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    let page = format!(
        "<script src='{}/faultline.js'></script><faultline-lesson lesson=nothing></faultline-lesson>",
        server.url
    );
    browser.open(&course::page(&page).await).await;
    let send = "const done = arguments[0]; \
                document.querySelector('faultline-lesson').send('get_state').then(done, (error) => done(error.message));";
    let told = browser.run_async(send, vec![]).await;
    assert!(told.as_str().is_some_and(|why| why.contains("there is no lesson `nothing`")), "{told}");
    browser.close().await;
}
