//! The course in a real browser: every lesson played through as a learner would, the page with all of them, and what is kept.

use sandbox_core::lesson::{Lesson, Link, hrefs};
use sandbox_core::scenario::Document;
use serde_json::json;
use tests::browser::Browser;
use tests::server::Server;

/// The lessons that `FAULTLINE_LESSON` names, or all.
fn lessons_to_play() -> Vec<(Lesson, Document, lessons::Prose)> {
    let named = std::env::var("FAULTLINE_LESSON").unwrap_or_default();
    let found = lessons::LESSONS.iter().filter(|(id, ..)| named.is_empty() || named.split(',').any(|name| name == *id));
    let read = |(_, path, json, prose): &(&str, &str, &str, lessons::Prose)| {
        let lesson = Lesson::parse(json).expect(path);
        let scenario = lessons::scenario(&lesson.scenario).expect("the lesson's scenario is there");
        (lesson, Document::parse(scenario).expect(path), *prose)
    };
    found.map(read).collect()
}

#[tokio::test]
async fn every_lesson_can_be_played_through() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    for (lesson, document, prose) in lessons_to_play() {
        play(&browser, &server, &lesson, &document, prose).await;
    }
    browser.close().await;
}

/// Predicts, plays, reads, and passes the challenge with the knobs of its known solution.
async fn play(browser: &Browser, server: &Server, lesson: &Lesson, document: &Document, prose: lessons::Prose) {
    let id = &lesson.id;
    browser.open(&format!("{}/?lesson={id}", server.url)).await;
    browser.settled().await;
    assert_eq!(browser.text(".story h1").await, lesson.title);
    assert_eq!(browser.attribute("[data-player]", "data-predicted").await.as_deref(), Some("false"), "{id}");
    browser.picture(&format!("{id}-1-predict")).await;

    // Nobody sees the end before saying what it will be.
    let time = "Number(document.querySelector('[data-player]').dataset.time)";
    let until_s = lesson.prediction.until_s.unwrap_or_else(|| {
        let plan = document.plan(&lesson.variant, &[]).expect("the lesson is sound");
        plan.faults.iter().map(|fault| fault.from.as_seconds()).fold(f64::INFINITY, f64::min)
    });
    browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
    browser.press("End").await;
    browser.until("document.querySelector('[data-next=milestone] button')").await;
    assert!(browser.run(&format!("return {time};"), vec![]).await.as_f64().is_some_and(|at| at <= until_s), "{id}");

    browser.click(&format!("[data-option='{}']", lesson.prediction.answer)).await;
    browser.until("document.querySelector('[data-predicted=true]')").await;
    browser.until("document.querySelector('.opt.said.right .note')?.innerText.includes('you said; it was')").await;

    // Watch: play runs, and the end can be reached.
    browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
    browser.press("Home").await;
    browser.press(" ").await;
    browser.until(&format!("{time} > 0")).await;
    browser.press("End").await;
    browser.until(&format!("{time} >= {}", document.spec().expect("it is sound").duration_s - 0.001)).await;
    browser.picture(&format!("{id}-2-end")).await;

    // Every link of the story does something, and none breaks the page.
    for (beat, (_, html)) in prose.iter().enumerate() {
        browser.click(&format!(".beats button:nth-child({})", beat + 1)).await;
        browser.settled().await;
        for href in hrefs(html) {
            browser.click(&format!(".prose a[href='{href}']")).await;
            browser.settled().await;
            match Link::parse(href) {
                Some(Link::Term(_)) => {
                    browser.until("document.querySelector('dialog[open] h2')?.innerText.length > 0").await;
                    browser.click("dialog[open] button").await;
                }
                Some(Link::Why | Link::Request(_)) => {
                    browser.find(".why .chain").await;
                    browser.picture(&format!("{id}-3-why")).await;
                    browser.click("#tab-charts").await;
                }
                _ => {}
            }
        }
    }

    // The challenge starts missed; its solution passes, and is told only then.
    browser.until("document.querySelector('[data-verdict=miss]')").await;
    assert_eq!(browser.attribute("[data-solution]", "data-solution").await.as_deref(), Some("false"), "{id}");
    browser.picture(&format!("{id}-4-challenge")).await;
    let solved = document.patched(&lesson.challenge.solution, &[]).expect("the solution is sound");
    for knob in solved.knobs().iter().filter(|knob| lesson.challenge.knobs.contains(&knob.id)) {
        browser.turn(&knob.id, knob.value).await;
        browser.settled().await;
    }
    browser.until("document.querySelector('[data-verdict=pass]')").await;
    browser.until("document.querySelector('[data-solution=true]')").await;
    browser.picture(&format!("{id}-5-passed")).await;

    for (width, height, theme) in [(1366, 768, "dark"), (390, 844, "light")] {
        browser.resize(width, height).await;
        browser.run("document.documentElement.dataset.theme = arguments[0];", vec![json!(theme)]).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        browser.picture(&format!("{id}-{width}-{theme}")).await;
        let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth;", vec![]).await;
        assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{id}: {overflow} px too wide at {width} px");
    }
    browser.resize(1366, 768).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "{id}");
}

#[tokio::test]
async fn the_page_with_all_lessons_keeps_what_was_done() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&server.url).await;
    browser.until("document.querySelector('[data-home] [data-lesson]')").await;
    let states = "[...document.querySelectorAll('[data-lesson]')].map(e => e.dataset.state)";
    let count = browser.run(&format!("return {states}.length;"), vec![]).await;
    assert_eq!(count, json!(lessons::INDEX.len()));
    assert_eq!(browser.run(&format!("return {states}.every(s => s === 'new');"), vec![]).await, json!(true));
    for (width, height, theme) in [(1366, 768, "light"), (1366, 768, "dark"), (390, 844, "light"), (320, 600, "dark")] {
        browser.resize(width, height).await;
        browser.run("document.documentElement.dataset.theme = arguments[0];", vec![json!(theme)]).await;
        browser.picture(&format!("home-{width}-{theme}")).await;
        let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth;", vec![]).await;
        assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide at {width} px");
    }
    browser.resize(1366, 768).await;

    // From the path to the first lesson, and back by the mark in its header.
    browser.click(".home .btn.primary").await;
    browser.settled().await;
    browser.click("[data-option]").await;
    browser.until("document.querySelector('[data-predicted=true]')").await;
    browser.click(".brand").await;
    browser.until("document.querySelector('[data-lesson][data-state=begun]')").await;

    // A lesson that was begun opens where it was left.
    browser.click("[data-state=begun] a").await;
    browser.settled().await;
    assert_eq!(browser.attribute("[data-player]", "data-predicted").await.as_deref(), Some("true"));
    browser.click(".beats button:last-child").await;
    browser.until("document.querySelector('[data-verdict=miss]')").await;
    browser.click("[data-solution] button").await;
    browser.until("document.querySelector('[data-verdict=pass]')").await;
    browser.click(".brand").await;
    browser.until("document.querySelector('[data-passed=\"1\"]')").await;
    browser.picture("home-passed").await;

    // The file that is exported, forgotten, and imported again.
    let href = browser.attribute("[data-export]", "href").await.unwrap_or_default();
    let text =
        browser.run("return decodeURIComponent(arguments[0].split(',').slice(1).join(','));", vec![json!(href)]).await;
    let file = tempfile::Builder::new().suffix(".json").tempfile().expect("a file can be made");
    std::fs::write(file.path(), text.as_str().expect("it is a text")).expect("the file can be written");
    browser.click(".kept button").await;
    browser.click(".kept button.btn").await;
    browser.until("document.querySelector('[data-passed=\"0\"]')").await;
    let input = browser.find(".kept input[type=file]").await;
    input.send_keys(&file.path().display().to_string()).await.expect("a file can be chosen");
    browser.until("document.querySelector('[data-passed=\"1\"]')").await;

    // A file that is none changes nothing, and the page says why.
    std::fs::write(file.path(), "{\"format_version\": 1, \"lessons\": {\"x\": 1}}").expect("the file can be written");
    let input = browser.find(".kept input[type=file]").await;
    input.send_keys(&file.path().display().to_string()).await.expect("a file can be chosen");
    browser.until("document.querySelector('[data-said]').innerText.includes('cannot be imported')").await;
    assert!(browser.has("[data-passed='1']").await);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn what_cannot_be_kept_or_read_is_said_and_the_page_works() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&server.url).await;
    browser.find("[data-home]").await;
    browser.run("localStorage.setItem('faultline-progress', '{\"lessons\": 7');", vec![]).await;
    browser.open(&server.url).await;
    browser.until("document.querySelector('[data-said]')?.innerText.includes('cannot be read')").await;

    let blocked = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked'); } });";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": blocked })).await;
    browser.open(&server.url).await;
    browser.until("document.querySelector('[data-said]')?.innerText.includes('keeps nothing')").await;
    browser.open(&format!("{}/?lesson={}", server.url, lessons::INDEX[0].id)).await;
    browser.settled().await;
    browser.click("[data-option]").await;
    browser.until("document.querySelector('[data-not-kept]')?.innerText.includes('keeps nothing')").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // An embedded page is a lesson, whatever its address leaves out.
    browser.open(&format!("{}/?embed=1", server.url)).await;
    browser.settled().await;
    assert!(!browser.has("[data-home]").await);
    browser.close().await;
}

#[tokio::test]
async fn progress_is_forgotten_when_that_was_asked_and_meant() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.settled().await;
    browser.click("[data-option='half']").await;
    browser.until("document.querySelector('[data-predicted=true]')").await;
    browser.open(&server.url).await;
    let begun = "document.querySelector('[data-lesson=the-database-goes-away]')?.dataset.state === 'begun'";
    browser.until(begun).await;
    let press =
        "[...document.querySelectorAll('.kept button')].find((button) => button.innerText === arguments[0]).click();";
    let (asks, is_silent) = (".includes('cannot be brought back')", " === ''");
    for (button, says) in [("Forget all of it", asks), ("Keep it", is_silent), ("Forget all of it", asks)] {
        browser.run(press, vec![json!(button)]).await;
        browser.until(&format!("document.querySelector('[data-sure]').innerText{says}")).await;
        browser.until(begun).await;
    }
    browser.run(press, vec![json!("Forget it")]).await;
    browser.until("document.querySelector('[data-said]').innerText === 'Your progress is forgotten.'").await;
    browser.until("document.querySelector('[data-lesson=the-database-goes-away]').dataset.state === 'new'").await;
    browser.close().await;
}
