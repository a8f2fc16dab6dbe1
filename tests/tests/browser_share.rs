//! A moment of a run is handed on: by its address, and in every form in which a course page takes it.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::course;
use tests::server::Server;

/// What a key press sends (WebDriver, section "Keyboard actions").
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

const PLACE: &str = "const player = document.querySelector('[data-player]'); \
                     return [player.dataset.step, document.querySelector('[data-digest]').dataset.digest];";
const TEXT: &str = "return document.querySelector('dialog[open] [data-snippet]').value;";

/// Opens a dialog by the keyboard and gives the text that it offers.
async fn offered(browser: &Browser, button: &str) -> String {
    browser.run("document.querySelector(arguments[0]).focus();", vec![json!(button)]).await;
    browser.find(button).await.send_keys(ENTER).await.expect("a button takes keys");
    browser.until("document.querySelector('dialog[open] [data-snippet]')?.value").await;
    browser.run(TEXT, vec![]).await.as_str().expect("a text").to_string()
}

#[tokio::test]
async fn a_link_and_a_frame_lead_to_the_same_event_of_the_same_run() {
    let server = Server::of_site();
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

/// Writes into a field of the dialog, as a hand would.
async fn write(browser: &Browser, parameter: &str, value: &str) {
    let script = "const field = document.querySelector(`#share-${arguments[0]}`); field.value = arguments[1]; \
                  for (const type of ['input', 'change']) field.dispatchEvent(new InputEvent(type, { bubbles: true }));";
    browser.find(&format!("#share-{parameter}")).await;
    browser.run(script, vec![json!(parameter), json!(value)]).await;
}

/// What a lesson that was just opened shows: the digest of its run, and the instant.
async fn opened(browser: &Browser) -> (Value, Value) {
    browser.settled().await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) === 20").await;
    let shown =
        "return [document.querySelector('[data-digest]').dataset.digest, document.documentElement.dataset.theme];";
    let shown = browser.run(shown, vec![]).await;
    (shown[0].clone(), shown[1].clone())
}

#[tokio::test]
async fn every_snippet_that_the_dialog_writes_starts_the_lesson_as_it_was_set() {
    let server = Server::of_site();
    let browser = Browser::start(1280, 900, false).await;
    let wanted = format!("{}/?lesson=the-database-goes-away&variant=B&seed=4&t=20&theme=dark&embed=1", server.url);
    browser.open(&wanted).await;
    let expected = opened(&browser).await;
    assert!(expected.0.as_str().is_some_and(|digest| digest.len() == 32) && expected.1 == "dark", "{expected:?}");

    browser.open(&format!("{}/?lesson=the-database-goes-away&seed=11", server.url)).await;
    browser.settled().await;
    let before = offered(&browser, "[data-share=link]").await;
    assert!(before.contains("seed=11") && before.contains("digest="), "{before}");
    browser.find("[data-choices] summary").await.send_keys(ENTER).await.expect("it takes keys");
    browser.until("document.querySelector('[data-choices]').open").await;
    write(&browser, "seed", "four").await;
    browser.until("document.querySelector('[data-parameter=seed] .wrong')?.innerText.includes('`four`')").await;
    for (parameter, value) in [("seed", "4"), ("variant", "B"), ("t", "20"), ("theme", "dark")] {
        write(&browser, parameter, value).await;
    }
    browser.until("!document.querySelector('dialog[open] .wrong')").await;
    let mut snippets = Vec::new();
    for form in ["frame", "element", "markdown", "link"] {
        let button = format!("[data-form={form}]");
        browser.run("document.querySelector(arguments[0]).focus();", vec![json!(button)]).await;
        browser.find(&button).await.send_keys(ENTER).await.expect("a button takes keys");
        browser.until(&format!("document.querySelector('{button}[aria-pressed=true]')")).await;
        snippets.push(browser.run(TEXT, vec![]).await.as_str().expect("a text").to_string());
    }
    browser.picture("share-builder").await;
    let [frame, element, markdown, link] = &snippets[..] else { unreachable!("four forms") };
    assert!(!link.contains("digest=") && !link.contains("step="), "another run has none of that one's events: {link}");

    browser.open(&course::page(frame).await).await;
    browser.enter("iframe").await;
    assert_eq!(opened(&browser).await, expected, "{frame}");
    assert!(!browser.has("header.top").await, "stage and evidence alone");
    browser.leave().await;

    // The element twice: each snippet brings the script.
    browser.open(&course::page(&format!("{element}{element}")).await).await;
    let start = "const done = arguments[0]; document.querySelector('faultline-lesson').load().then(done);";
    let state = browser.run_async(start, vec![]).await;
    assert_eq!((&state["digest"], state["t"].as_f64()), (&expected.0, Some(20.0)), "{element}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    let mut page = String::new();
    pulldown_cmark::html::push_html(&mut page, pulldown_cmark::Parser::new(markdown));
    browser.open(&course::page(&page).await).await;
    browser.click("a").await;
    for address in ["", link] {
        if !address.is_empty() {
            browser.open(address).await;
        }
        browser.settled().await;
        browser.click("[data-option='half']").await;
        assert_eq!(opened(&browser).await, expected, "{markdown} {link}");
    }
    browser.close().await;
}

#[tokio::test]
async fn the_dialog_has_room_for_fingers_at_390_px_in_the_dark() {
    let server = Server::of_site();
    let browser = Browser::start(390, 844, true).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.settled().await;
    offered(&browser, "[data-share=link]").await;
    browser.click("[data-choices] summary").await;
    browser.click("[data-form=element]").await;
    browser.picture("share-builder-390-dark").await;
    let narrow = "const dialog = document.querySelector('dialog[open]'); \
                  return [dialog.scrollWidth - dialog.clientWidth, document.documentElement.scrollWidth - innerWidth];";
    assert_eq!(browser.run(narrow, vec![]).await, json!([0, 0]), "nothing is beside the screen");
    let small = "return [...document.querySelectorAll('dialog[open] :is(button, input, select, textarea, summary)')]\
                 .filter((control) => { const box = control.getBoundingClientRect(); return box.width < 24 || box.height < 24; })\
                 .map((control) => control.outerHTML);";
    assert_eq!(browser.run(small, vec![]).await, json!([]), "every control can be hit");
    browser.close().await;
}
