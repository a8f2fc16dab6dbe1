//! The guides for people who embed lessons: what they say to write is written, and the lessons start. One guide makes a real mdBook.

use fantoccini::elements::Element;
use mdbook_driver::MDBook;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tests::browser::Browser;
use tests::course;
use tests::server::Server;
use tests::tools::root;

/// What a guide says to write, in order, for a site that lies at `address`.
fn snippets(guide: &str, address: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs").join(guide)).expect("the guide is there");
    let blocks = text.split("```html\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.map(|block| block.replace("https://HOST/faultline/", &format!("{address}/"))).collect()
}

#[tokio::test]
async fn plain_html_starts_steers_and_frames_a_lesson() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 900, false).await;
    let [element, script, frame] = &snippets("embed-html.md", &server.url)[..] else { panic!("three snippets") };
    browser.open(&course::page(&format!("{element}{script}{frame}")).await).await;
    // The script of the guide starts the lesson by seeking in it.
    browser.until("document.querySelector('faultline-lesson').shadowRoot.querySelector('iframe')").await;
    let state = "const done = arguments[0]; \
                 document.querySelector('faultline-lesson').send('get_state').then(done, (error) => done(String(error)));";
    let mut seen = Value::Null;
    for _ in 0..100 {
        seen = browser.run_async(state, vec![]).await;
        if seen["t"].as_f64() == Some(21.0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!((seen["t"].as_f64(), &seen["variant"], &seen["seed"]), (Some(21.0), &json!("B"), &json!(11)), "{seen}");
    browser.run("document.querySelector('iframe').scrollIntoView();", vec![]).await;
    browser.enter("iframe").await;
    browser.settled().await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) === 20").await;
    browser.close().await;
}

#[tokio::test]
async fn a_page_of_a_course_system_holds_the_frame_in_its_column() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 900, false).await;
    let [frame] = &snippets("embed-moodle.md", &server.url)[..] else { panic!("one snippet") };
    browser.open(&course::page(&format!("<div style='max-width: 830px; margin: auto'>{frame}</div>")).await).await;
    let column = "const frame = document.querySelector('iframe'); return [frame.clientWidth, frame.clientHeight];";
    assert_eq!(browser.run(column, vec![]).await, json!([750, 860]));
    browser.enter("iframe").await;
    browser.settled().await;
    let beyond = "const foot = document.querySelector('.foot').getBoundingClientRect(); \
                  return [foot.bottom - innerHeight, document.documentElement.scrollWidth - innerWidth];";
    let beyond = browser.run(beyond, vec![]).await;
    assert!(beyond[0].as_f64().is_some_and(|px| px <= 0.0) && beyond[1] == json!(0), "it holds all of it: {beyond}");
    browser.picture("guide-moodle").await;
    browser.close().await;
}

/// A book of one chapter, made as the guide says.
fn book(folder: &Path, address: &str) {
    let [head, lessons @ ..] = &snippets("embed-mdbook.md", address)[..] else { panic!("several snippets") };
    let chapter =
        format!("# Week 5\n\nTwo lessons.\n\n{}\nText between them.\n\n{}\nThe end.\n", lessons[0], lessons[1]);
    let files = [
        ("book.toml", "[book]\ntitle = \"A book\"\n\n[output.html]\n".to_string()),
        ("src/SUMMARY.md", "# Summary\n\n- [Week 5](week-5.md)\n".into()),
        ("src/week-5.md", chapter),
        ("theme/head.hbs", head.clone()),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
    MDBook::load(folder).and_then(|book| book.build()).expect("the book can be built");
}

/// Starts a lesson of the page by a click and waits until it can play.
async fn start(browser: &Browser, at: usize) {
    let start = "const lesson = document.querySelectorAll('faultline-lesson')[arguments[0]], done = arguments[1]; \
                 lesson.addEventListener('faultline-ready', () => done(true)); lesson.scrollIntoView(); \
                 lesson.shadowRoot.querySelector('button').click();";
    assert_eq!(browser.run_async(start, vec![json!(at)]).await, json!(true));
}

#[tokio::test]
async fn an_mdbook_plays_two_lessons_in_its_column_light_and_dark() {
    let server = Server::of_site();
    let folder = tempfile::tempdir().expect("a folder");
    book(folder.path(), &server.url);
    let address = course::serve_folder(&folder.path().join("book")).await;
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{address}week-5.html")).await;
    for (theme, dark) in [("light", false), ("navy", true)] {
        // As the book's own switch keeps it.
        browser.run("localStorage.setItem('mdbook-theme', arguments[0]);", vec![json!(theme)]).await;
        browser.open(&format!("{address}week-5.html")).await;
        browser.until("document.querySelectorAll('faultline-lesson').length === 2").await;
        let own = "return performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('.wasm')).length \
                   + [...document.querySelectorAll('faultline-lesson')].filter((lesson) => lesson.shadowRoot.querySelector('iframe')).length;";
        assert_eq!(browser.run(own, vec![]).await, json!(0), "nothing of the program is loaded before the click");
        browser.picture(&format!("mdbook-{theme}-before")).await;
        for lesson in 0..2 {
            start(&browser, lesson).await;
            let width =
                "return document.querySelectorAll('faultline-lesson')[arguments[0]].getBoundingClientRect().width;";
            let width = browser.run(width, vec![json!(lesson)]).await.as_f64().expect("a width");
            assert!((700.0..=750.0).contains(&width), "the column is {width} px wide");
            // Stage and transport are in the window, under the book's own bar, with nothing scrolled inside the frame.
            let frame = "const frame = document.querySelectorAll('faultline-lesson')[arguments[0]].shadowRoot.querySelector('iframe'); \
                         frame.scrollIntoView(); scrollBy(0, -60); const box = frame.getBoundingClientRect(); return [box.top, box.height];";
            let frame = browser.run(frame, vec![json!(lesson)]).await;
            enter(&browser, lesson).await;
            browser.settled().await;
            let inside = "const [stage, play] = ['.stage', '.tr .play'].map((part) => document.querySelector(part).getBoundingClientRect()); \
                          return [stage.top, play.bottom, document.documentElement.scrollHeight - innerHeight, \
                          document.documentElement.scrollWidth - innerWidth, matchMedia('(prefers-color-scheme: dark)').matches];";
            let inside = browser.run(inside, vec![]).await;
            let (top, bottom) = (frame[0].as_f64().expect("px"), inside[1].as_f64().expect("px"));
            assert!(top >= 0.0 && top + bottom <= 768.0, "play is at {} px of 768: {inside}", top + bottom);
            assert_eq!((&inside[2], &inside[3]), (&json!(0), &json!(0)), "the frame has no bars of its own");
            assert_eq!(inside[4], json!(dark), "it follows the book's theme");
            let step =
                browser.run("return Number(document.querySelector('[data-player]').dataset.step);", vec![]).await;
            browser.click(".tr .play").await;
            browser.until(&format!("Number(document.querySelector('[data-player]').dataset.step) > {step}")).await;
            browser.click(".tr .play").await;
            browser.leave().await;
            browser.picture(&format!("mdbook-{theme}-{lesson}")).await;
        }
    }
    browser.close().await;
}

/// Goes into the frame of a lesson, which stands in the element's own tree.
async fn enter(browser: &Browser, lesson: usize) {
    let script =
        "return document.querySelectorAll('faultline-lesson')[arguments[0]].shadowRoot.querySelector('iframe');";
    let found = browser.run(script, vec![json!(lesson)]).await;
    // WebDriver names an element by an object with one field.
    let id = found.as_object().and_then(|found| found.values().next()?.as_str()).expect("a frame").to_string();
    Element::from_element_id(browser.client().clone(), id.into()).enter_frame().await.expect("it can be entered");
}
