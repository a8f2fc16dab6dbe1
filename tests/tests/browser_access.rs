//! What axe-core does not judge: pictures and their words say the same, everything goes by keyboard and by touch, nothing moves
//! that should not, and large text has room.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::server::Server;

const CUT_OFF: &str = include_str!("../access/cut_off.js");
const FOCUS: &str = include_str!("../access/focus.js");
const MAPPED: &str = include_str!("../access/mapped.js");
const PLOTTED: &str = include_str!("../access/plotted.js");
const RULES: &str = include_str!("../access/rules.js");

const HOME: &str = "";
const LESSON: &str = "?lesson=the-database-goes-away&answer=nearly-all&t=23.4&request=11702";
const PLAYGROUND: &str = "?playground=1";
const EMBED: &str = "?embed=1&t=25";

/// The time line's bars by second, as they are drawn: whole bars in the past and the future alike.
const BARS: &str = "const bars = new Map(); \
                    for (const bar of document.querySelectorAll('.scrub rect[class*=h-]')) bars.set(Math.round(bar.x.baseVal.value), bar.classList[1]); \
                    return [...bars].sort(([a], [b]) => a - b).map(([, look]) => look);";
/// The same as the accessibility tree tells it.
const TOLD: &str = "return [...document.querySelectorAll(\"[aria-label='The time line in words'] li\")].map((line) => line.textContent);";

async fn start() -> (Server, Browser) {
    (Server::of_site(), Browser::start(1280, 800, false).await)
}

async fn open(server: &Server, browser: &Browser, query: &str) {
    browser.open(&format!("{}/{query}", server.url)).await;
    match query {
        HOME => drop(browser.find("main[data-home]").await),
        _ => browser.settled().await,
    }
}

#[tokio::test]
async fn the_time_line_in_words_is_the_one_that_is_drawn() {
    let (server, browser) = start().await;
    open(&server, &browser, LESSON).await;
    let drawn: Vec<String> = serde_json::from_value(browser.run(BARS, vec![]).await).expect("a list");
    let told: Vec<String> = serde_json::from_value(browser.run(TOLD, vec![]).await).expect("a list");
    let looks = [
        ("no answers", "h-idle"),
        ("all answered", "h-ok"),
        ("under pressure", "h-pressure"),
        ("many stale answers", "h-stale"),
        ("many failed", "h-fail"),
        ("many unanswered", "h-lost"),
    ];
    let mut heard = Vec::new();
    for line in &told {
        let (time, what) = line.split_once(": ").expect("a time and what");
        let Some((_, look)) = looks.iter().find(|(word, _)| *word == what) else { continue };
        let second = |text: &str| text.trim_end_matches(" s").parse::<usize>().expect("a second");
        let (from, to) = time.split_once(" to ").map(|(from, to)| (second(from), second(to))).expect("a stretch");
        assert_eq!(from, heard.len(), "the stretches follow each other");
        heard.resize(to, look.to_string());
    }
    assert!(drawn.len() >= 60, "a bar for each second: {drawn:?}");
    assert_eq!(heard, drawn);
    let names = "return [...document.querySelectorAll('.scrubwrap .marks b, .scrubwrap .marks .name')].map((name) => name.textContent);";
    let names: Vec<String> = serde_json::from_value(browser.run(names, vec![]).await).expect("a list");
    assert!(names.len() >= 3, "a fault and two incidents: {names:?}");
    for name in names {
        assert!(told.iter().any(|line| line.ends_with(&name)), "{name} is told: {told:?}");
    }
    browser.close().await;
}

#[tokio::test]
async fn who_changes_the_picture_by_keyboard_stays_at_the_choice() {
    let (server, browser) = start().await;
    open(&server, &browser, LESSON).await;
    browser.run("document.querySelector('.topo select').focus();", vec![]).await;
    for (key, picture) in
        [("ArrowDown", "messages"), ("ArrowDown", "workers"), ("ArrowUp", "messages"), ("ArrowUp", "system")]
    {
        browser.press(key).await;
        browser.find(&format!("[data-picture={picture}]")).await;
        let stays =
            "return document.activeElement.matches('.topo select') && document.activeElement.value === arguments[0];";
        assert_eq!(browser.run(stays, vec![json!(picture)]).await, json!(true), "at {picture}");
    }
    browser.close().await;
}

#[tokio::test]
async fn charts_and_their_tables_have_the_same_values() {
    let (server, browser) = start().await;
    open(&server, &browser, LESSON).await;
    // A table that is closed has no text to be read.
    browser.run("document.querySelectorAll('details.data').forEach((data) => data.open = true);", vec![]).await;
    browser.until("[...document.querySelectorAll('canvas')].every((canvas) => canvas.width === canvas.clientWidth && canvas.height === canvas.clientHeight)").await;
    assert_eq!(browser.run(PLOTTED, vec![]).await, json!([]));
    browser.close().await;
}

/// Of the picture of messages: request, what is told of it, and how many arrows and half arrows it has.
const REQUESTS: &str = "return [...document.querySelectorAll('.scene g[role=button]')].map((group) => [group.dataset.request, group.getAttribute('aria-label'), \
     [...group.querySelectorAll('.call, .answer, .failed, .lost')].map((path) => path.getAttribute('d').split('M').length - 1).reduce((a, b) => a + b, 0)]);";

#[tokio::test]
async fn messages_are_told_as_they_are_drawn_and_lead_to_their_requests() {
    let (server, browser) = start().await;
    open(&server, &browser, LESSON).await;
    browser.choose(".topo > select", "messages").await;
    browser.until("document.querySelector('.scene g[role=button]')").await;
    browser.laid_out().await;
    browser.picture("messages").await;
    // A life of its own: all its messages are whole arrows, a line and a head each.
    browser.choose(".scenefoot select", "request").await;
    browser.until("document.querySelectorAll('.scene g[role=button]').length === 1").await;
    let alone: Vec<(String, String, u32)> =
        serde_json::from_value(browser.run(REQUESTS, vec![]).await).expect("a list");
    let (request, told, drawn) = &alone[0];
    assert_eq!(request, "11702");
    assert_eq!(told.matches(" at ").count() as u32 * 2, *drawn, "{told}");
    assert!(told.starts_with("#11,702, stale 200 after 1.03 ms: Users to Gateway at 0 ms"), "{told}");
    let names = "return [...document.querySelectorAll('.scene > svg .of')].map((name) => name.textContent);";
    let names: Vec<String> = serde_json::from_value(browser.run(names, vec![]).await).expect("names");
    assert_eq!(names, ["Users", "Gateway", "api-2", "Cache"]);
    // More than can be told apart is left out, and that is said.
    browser.choose(".scenefoot select", "1000").await;
    browser.until("document.querySelectorAll('.scene g[role=button]').length === 12").await;
    assert!(browser.text(".scenefoot").await.contains("more are left out"));
    // By keyboard to a request; the space bar does not play.
    let third = browser.run("const third = document.querySelectorAll('.scene g[role=button]')[2]; third.focus(); return third.dataset.request;", vec![]).await;
    browser.press(" ").await;
    browser.until(&format!("document.querySelector('.why[data-request={third}]')")).await;
    assert!(browser.has("[data-playing=false]").await);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn what_workers_do_is_told_node_by_node_and_nothing_is_shown_of_a_hidden_future() {
    let (server, browser) = start().await;
    // Before the prediction: the browser remembers one that was made.
    open(&server, &browser, "?lesson=the-database-goes-away&t=10").await;
    browser.choose(".topo > select", "workers").await;
    browser.until("document.querySelector('.scene .bar-held')").await;
    let beyond = "const now = document.querySelector('.scene .now').getBoundingClientRect().left; \
                  return [...document.querySelectorAll('.scene [class^=bar]')].map((path) => path.getBoundingClientRect().right - now).filter((beyond) => beyond > 1.5);";
    assert_eq!(browser.run(beyond, vec![]).await, json!([]));
    open(&server, &browser, LESSON).await;
    browser.choose(".topo > select", "workers").await;
    browser.until("document.querySelector('.scene .bar-held')").await;
    browser.laid_out().await;
    browser.picture("workers").await;
    let both = "return [[...document.querySelectorAll('.scene .of')].map((name) => name.textContent), [...document.querySelectorAll('.scene li')].map((line) => line.textContent)];";
    let (names, told): (Vec<String>, Vec<String>) =
        serde_json::from_value(browser.run(both, vec![]).await).expect("two lists");
    assert_eq!(names.len(), 5);
    for (name, told) in names.iter().zip(&told) {
        assert!(told.starts_with(&format!("{name}: ")) && told.contains("at once"), "{name}: {told}");
    }
    browser.click("[aria-keyshortcuts~=Space]").await;
    browser.until("document.querySelector('.scene .empty')").await;
    browser.close().await;
}

#[tokio::test]
async fn the_map_of_latency_and_its_table_have_the_same_numbers() {
    let (server, browser) = start().await;
    open(&server, &browser, LESSON).await;
    browser.click("[data-chart=latency] .put").await;
    browser.until("document.querySelector('[data-chart=latency] .put[aria-pressed=true]')").await;
    browser.run("document.querySelector('[data-chart=latency] details').open = true;", vec![]).await;
    browser.until("[...document.querySelectorAll('canvas')].every((canvas) => canvas.width === canvas.clientWidth && canvas.height === canvas.clientHeight)").await;
    browser.picture("latency-map").await;
    assert_eq!(browser.run(MAPPED, vec![]).await, json!([]));
    let row = "const row = [...document.querySelectorAll('[data-chart=latency] tbody tr')].find((row) => row.children[0].innerText === '22 s'); \
               return [...row.children].slice(1).reduce((sum, cell) => sum + Number(cell.innerText), 0);";
    let answered = browser.run(row, vec![]).await;
    let note = browser.text("[data-chart=latency] .at").await;
    assert!(note.starts_with(&format!("n {answered},")), "all answers of the second are in a row: {answered}, {note}");
    let keys = browser.text("[data-chart=latency] .keys").await;
    assert!(keys.contains("0.7–1 180"), "the cursor reads it: {keys}");
    browser.close().await;
}

/// Nothing is cut off on any page at these widths, and everything can be touched.
async fn has_room(browser: &Browser, server: &Server, widths: &[u32]) {
    let mut found = Vec::new();
    for query in [HOME, LESSON, PLAYGROUND, EMBED] {
        open(server, browser, query).await;
        for width in widths {
            browser.resize(*width, 800).await;
            browser.laid_out().await;
            let here = [browser.run(CUT_OFF, vec![]).await, browser.run(RULES, vec![]).await];
            if here != [json!([]), json!([])] {
                browser.picture(&format!("access-{width}-{}", query.len())).await;
            }
            let here = here.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
            found.extend(here.map(|what| format!("`{query}` at {width} px: {what}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn small_screens_have_room_and_everything_can_be_touched() {
    let (server, browser) = start().await;
    has_room(&browser, &server, &[320, 360]).await;
    browser.close().await;
}

#[tokio::test]
async fn text_twice_as_large_has_room() {
    let server = Server::of_site();
    let browser = Browser::start_with(1280, 800, Some("--blink-settings=defaultFontSize=32")).await;
    has_room(&browser, &server, &[1280]).await;
    let size = "return getComputedStyle(document.querySelector('.btn')).fontSize;";
    assert_eq!(browser.run(size, vec![]).await, json!("28px"), "the text is twice as large");
    browser.close().await;
}

#[tokio::test]
async fn the_keyboard_reaches_everything_shows_where_it_is_and_gets_out_again() {
    let (server, browser) = start().await;
    for query in [HOME, LESSON, PLAYGROUND] {
        open(&server, &browser, query).await;
        browser.run("document.body.tabIndex = -1; document.body.focus(); scrollTo(0, 0);", vec![]).await;
        for step in 0.. {
            browser.press("Tab").await;
            let at: Value = browser.run(FOCUS, vec![]).await;
            if at.is_null() || (step > 0 && at["times"] == json!(2)) {
                break;
            }
            assert_eq!(at["isShown"], json!(true), "`{query}`: the focus is to be seen: {at}");
            assert_eq!(at["isUnder"], json!(false), "`{query}`: what has the focus is in sight: {at}");
            assert!(step < 400, "`{query}`: the keyboard does not get out: {at}");
        }
        let missed = "return [...document.querySelectorAll('button, a[href], select, input, textarea, summary, [tabindex=\"0\"]')] \
                          .filter((control) => control.checkVisibility() && !control.disabled && control.tabIndex >= 0 && !control.dataset.reached) \
                          .map((control) => control.outerHTML.slice(0, 90));";
        assert_eq!(browser.run(missed, vec![]).await, json!([]), "`{query}`: out of the keyboard's reach");
    }
    browser.close().await;
}

#[tokio::test]
async fn every_key_of_the_help_has_a_button_that_does_the_same() {
    let (server, browser) = start().await;
    open(&server, &browser, LESSON).await;
    let listed = "return [...document.querySelectorAll('dialog dt')].filter((row) => row.querySelector('kbd')) \
                      .flatMap((row) => { const keys = [...row.querySelectorAll('kbd')].map((key) => key.textContent); \
                          return keys[0] === 'Shift' ? keys.slice(1).map((key) => `Shift+${key}`) : keys; });";
    let listed: Vec<String> = serde_json::from_value(browser.run(listed, vec![]).await).expect("a list");
    assert!(listed.len() >= 12, "{listed:?}");
    let buttons = "return [...document.querySelectorAll('[aria-keyshortcuts]')].filter((button) => button.getClientRects().length || button.closest('dialog')) \
                       .flatMap((button) => button.getAttribute('aria-keyshortcuts').split(' '));";
    let buttons: Vec<String> = serde_json::from_value(browser.run(buttons, vec![]).await).expect("a list");
    for key in listed {
        let name = key.replace('←', "ArrowLeft").replace('→', "ArrowRight").replace("Esc", "Escape");
        assert!(buttons.contains(&name), "{name} has a button: {buttons:?}");
    }
    // A key and its button lead to the same event.
    let place = || browser.attribute("[data-player]", "data-step");
    for key in ["[", "]", "ArrowLeft", "ArrowRight", "m"] {
        let start = place().await;
        browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
        browser.press(key).await;
        let by_key = place().await;
        assert_ne!(by_key, start, "{key} leads somewhere");
        open(&server, &browser, LESSON).await;
        browser.click(&format!("[aria-keyshortcuts~='{}']", if key == "m" { "M" } else { key })).await;
        assert_eq!(place().await, by_key, "{key} and its button");
        open(&server, &browser, LESSON).await;
    }
    browser.close().await;
}

#[tokio::test]
async fn readers_are_told_once_a_second_and_nothing_moves_for_who_wants_it_still() {
    let (server, browser) = start().await;
    let still = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    browser.devtools("Emulation.setEmulatedMedia", still).await;
    let count = "window.frames = 0; const own = requestAnimationFrame; window.requestAnimationFrame = (f) => { window.framesAsked = (window.framesAsked || 0) + 1; return own(f); };";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": count })).await;
    open(&server, &browser, LESSON).await;
    browser.run("window.framesAsked = 0; window.told = []; new MutationObserver(() => told.push(performance.now())) \
                     .observe(document.querySelector('[aria-live=polite]'), { childList: true, characterData: true, subtree: true });", vec![]).await;
    browser.click("[aria-keyshortcuts~=Space]").await;
    browser.until("told.length >= 5").await;
    let times: Vec<f64> = serde_json::from_value(browser.run("return told;", vec![]).await).expect("times");
    // When a sentence comes into the page depends on the machine; how many come does not.
    let lasted_ms = times[times.len() - 1] - times[0];
    assert!(lasted_ms > 1_000.0 * (times.len() - 1) as f64 - 500.0, "{} sentences in {lasted_ms} ms", times.len());
    let moved = "return [framesAsked, document.getAnimations().length, [...document.querySelectorAll('.dot')].filter((dot) => dot.getAttribute('d')).length > 0 && 0];";
    assert_eq!(browser.run(moved, vec![]).await, json!([0, 0, 0]), "frames asked for, animations");
    browser.close().await;
}

#[tokio::test]
async fn in_forced_colours_everything_stays_visible() {
    let (server, browser) = start().await;
    browser
        .devtools("Emulation.setEmulatedMedia", json!({ "features": [{ "name": "forced-colors", "value": "active" }] }))
        .await;
    open(&server, &browser, LESSON).await;
    browser.picture("access-forced-colours").await;
    let same = "const looks = (element, property) => getComputedStyle(element)[property]; \
                const found = []; \
                for (const [selector, property] of [['.btn', 'color'], ['.btn', 'borderTopColor'], ['.tabs button', 'color'], ['.state', 'color'], ['.topo .box', 'stroke'], ['.topo .name', 'fill'], ['.topo .wire', 'stroke'], ['.scrub .h-fail', 'fill']]) \
                    for (const element of document.querySelectorAll(selector)) { \
                        let ground = property === 'borderTopColor' ? element.parentElement : element; while (ground && /, 0\\)|transparent/.test(looks(ground, 'backgroundColor'))) ground = ground.parentElement; \
                        if (!element.disabled && !element.classList.contains('quiet') && looks(element, property) === (ground ? looks(ground, 'backgroundColor') : 'rgb(255, 255, 255)')) found.push(`${selector} ${property}: ${element.textContent.slice(0, 20)}`); \
                    } \
                for (const canvas of document.querySelectorAll('canvas')) { \
                    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; \
                    if (!pixels.some((part, index) => index % 4 === 3 && part > 200)) found.push('an empty canvas'); \
                } \
                return found.slice(0, 8);";
    assert_eq!(browser.run(same, vec![]).await, json!([]));
    browser.close().await;
}
