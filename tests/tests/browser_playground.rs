//! The playground in a real browser: by keyboard alone, with mistakes, undone and brought back.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::server::Server;

/// What a key press sends (WebDriver, section "Keyboard actions").
const ENTER: &str = "\u{e007}";
const TEXT: &str = "return document.querySelector('.code textarea').value;";

/// Presses a button by the keyboard.
async fn enter(browser: &Browser, css: &str) {
    let button = browser.find(css).await;
    browser.run("document.querySelector(arguments[0]).focus();", vec![json!(css)]).await;
    button.send_keys(ENTER).await.expect("a button takes keys");
}

/// Chooses an option of a select by typing its first letters, as the keyboard does.
async fn choose(browser: &Browser, css: &str, letters: &str) {
    browser.find(css).await.send_keys(letters).await.expect("a select takes keys");
}

/// Types a whole text in the place of the one that is there.
async fn type_text(browser: &Browser, text: &str) {
    let script = "const e = document.querySelector('.code textarea'); e.focus(); e.value = arguments[0]; \
                  e.dispatchEvent(new InputEvent('input', {bubbles: true}));";
    browser.run(script, vec![json!(text)]).await;
}

async fn text(browser: &Browser) -> String {
    browser.run(TEXT, vec![]).await.as_str().expect("a text").to_string()
}

async fn digest(browser: &Browser) -> Option<String> {
    browser.settled().await;
    browser.attribute("[data-digest]", "data-digest").await
}

#[tokio::test]
async fn a_system_is_built_by_keyboard_broken_undone_and_brought_back() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?playground", server.url)).await;
    browser.settled().await;
    browser.find("[data-node=api]").await;
    let first = digest(&browser).await;
    browser.picture("playground").await;

    // Another template.
    enter(&browser, ".files summary").await;
    choose(&browser, "[data-choose=start]", "Gate").await;
    enter(&browser, "[data-start]").await;
    browser.until("document.querySelectorAll('[data-node]').length === 5").await;
    let template = digest(&browser).await;
    assert_ne!(template, first);

    // A second service, called by the first: a new run at once.
    choose(&browser, "[data-choose=kind]", "serv").await;
    enter(&browser, "[data-add-node]").await;
    browser.find("[data-node=service]").await;
    choose(&browser, "[data-choose=from]", "api").await;
    choose(&browser, "[data-choose=to]", "serv").await;
    enter(&browser, "[data-connect]").await;
    browser.until("document.querySelector('.desk[data-valid=true]')").await;
    browser.until("document.querySelector('[data-selected=\"nodes.api\"] [data-field=\"nodes.api\"]')").await;
    let built = digest(&browser).await;
    assert_ne!(built, template);
    assert!(browser.text(".topo ul").await.contains("service"), "it is on the stage");
    browser.picture("playground-built").await;

    // It is kept under a name.
    browser.find("[data-keep-name]").await.send_keys("with a second service").await.expect("a field takes keys");
    enter(&browser, ".btn.keep").await;
    browser.find("[data-version='with a second service']").await;

    // A mistake in the text is told as on the command line, and the run that was there stays.
    enter(&browser, "[data-desk=json]").await;
    let good = text(&browser).await;
    let bad = good.replace("\"workers\": 8", "\"workers\": -8").replace("\"node\": \"api-2\"", "\"node\": \"api-9\"");
    type_text(&browser, &bad).await;
    browser.until("Number(document.querySelector('[data-problems]').dataset.problems) >= 2").await;
    let problems = browser.text(".mistakes").await;
    let document = sandbox_core::scenario::Document::parse(&bad).expect("it is JSON");
    for problem in document.check() {
        assert!(problems.contains(&format!("{}. {}", problem.what, problem.hint)), "{problem} is not in {problems}");
    }
    assert!(browser.has("[data-notice=stale]").await, "the page says that the run is an earlier one");
    assert_eq!(digest(&browser).await, built);
    enter(&browser, "[data-problem='faults.slow.node']").await;
    let selected =
        "const e = document.querySelector('.code textarea'); return e.value.slice(e.selectionStart, e.selectionEnd);";
    browser.until("document.activeElement.matches('.code textarea')").await;
    assert_eq!(browser.run(selected, vec![]).await, json!("\"api-9\""));
    browser.picture("playground-problems").await;
    type_text(&browser, "{ \"nodes\": ").await;
    browser.until("document.querySelector('.mistakes').innerText.includes('line 1')").await;

    // Undone: all that was typed in a row at once, by the key.
    browser.run("document.querySelector('[data-desk=json]').focus();", vec![]).await;
    let undo = json!({ "type": "keyDown", "key": "z", "code": "KeyZ", "windowsVirtualKeyCode": 90, "modifiers": 2 });
    browser.devtools("Input.dispatchKeyEvent", undo).await;
    browser.until("document.querySelector('.desk[data-valid=true]')").await;
    assert_eq!(text(&browser).await, good);

    // Another document, and the page anew: the draft is there, and so is the version.
    enter(&browser, "[data-desk=system]").await;
    enter(&browser, ".gnode[data-node=cache]").await;
    enter(&browser, "[data-delete]").await;
    browser.until("!document.querySelector('[data-node=cache]')").await;
    browser.open(&format!("{}/?playground", server.url)).await;
    browser.settled().await;
    assert!(!browser.has("[data-node=cache]").await, "the draft is as it was left");
    browser.run("document.querySelector('.files').open = true;", vec![]).await;
    enter(&browser, "[data-version='with a second service'] [data-restore]").await;
    browser.find("[data-node=cache]").await;
    browser.until(&format!("document.querySelector('[data-digest]').dataset.digest === {}", json!(built))).await;

    // Whoever gets the link has the same document and the same run.
    enter(&browser, "[data-share=link]").await;
    browser.until("document.querySelector('dialog[open] textarea')?.value").await;
    let link: Value = browser.run("return document.querySelector('dialog[open] textarea').value;", vec![]).await;
    browser.run("localStorage.clear();", vec![]).await;
    browser.open(link.as_str().expect("a link")).await;
    assert_eq!(digest(&browser).await, built);
    assert!(!browser.has("[data-notice=address]").await, "all of it was understood");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn nothing_scrolls_sideways_and_a_lesson_opens_as_it_is_set() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away&seed=11", server.url)).await;
    let lesson = digest(&browser).await;
    browser.click("[data-playground-link]").await;
    browser.find("[data-node=cache]").await;
    assert_eq!(digest(&browser).await, lesson, "the same run");
    browser.click("[data-node=api]").await;
    browser.find("[data-field='nodes.api']").await;
    for as_text in [false, true] {
        if as_text {
            browser.click("[data-desk=json]").await;
        }
        for (width, height, theme) in [
            (1366, 768, "light"),
            (1366, 768, "dark"),
            (1280, 800, "light"),
            (750, 900, "light"),
            (390, 844, "dark"),
            (320, 640, "light"),
        ] {
            browser.resize(width, height).await;
            browser.run("document.documentElement.dataset.theme = arguments[0];", vec![json!(theme)]).await;
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            browser.picture(&format!("playground-{}-{width}-{theme}", if as_text { "json" } else { "system" })).await;
            let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth;", vec![]).await;
            assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide at {width} px");
            let below = browser.run("return document.documentElement.scrollHeight - innerHeight;", vec![]).await;
            assert!(width < 1280 || below.as_i64().is_some_and(|pixels| pixels <= 0), "{below} px below the columns");
        }
    }
    // Everything that can be pressed or filled in has a name.
    let nameless = "return [...document.querySelectorAll('.desk button, .desk input, .desk select, .desk textarea')].filter(e => \
        !(e.getAttribute('aria-label') || e.textContent.trim() || [...(e.labels ?? [])].some(label => label.textContent.trim()))) \
        .map(e => e.outerHTML.slice(0, 120));";
    browser.click("[data-desk=system]").await;
    assert_eq!(browser.run(nameless, vec![]).await, json!([]));
    browser.close().await;
}
