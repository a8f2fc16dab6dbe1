//! The page in languages that it does not speak: every text comes from a table, and has room when it is longer, runs from right
//! to left, or has markup in it.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::server::Server;

const CUT_OFF: &str = include_str!("../access/cut_off.js");
const UNTRANSFORMED: &str = include_str!("../access/untransformed.js");

/// A page in one of these languages, and all that was found.
struct Judge {
    browser: Browser,
    language: &'static str,
    found: Vec<String>,
}

impl Judge {
    /// Every text of what is shown is of a table, and has room at both widths.
    async fn judge(&mut self, what: &str) {
        let untransformed = self.browser.run(UNTRANSFORMED, vec![]).await;
        self.note(what, "is in no table", &untransformed);
        for (width, height) in [(390, 844), (1280, 800)] {
            self.browser.resize(width, height).await;
            self.browser.laid_out().await;
            let cut_off = self.browser.run(CUT_OFF, vec![]).await;
            if cut_off != json!([]) {
                self.browser.picture(&format!("language-{what}-{}-{width}", self.language)).await;
            }
            self.note(what, &format!("at {width} px"), &cut_off);
        }
    }

    fn note(&mut self, what: &str, how: &str, found: &Value) {
        let found = found.as_array().expect("a list").iter().filter_map(Value::as_str);
        self.found.extend(found.map(|found| format!("{what}, {how}: {found}")));
    }
}

async fn in_language(language: &'static str) {
    let server = Server::of_site();
    let browser = Browser::start(1280, 800, false).await;
    let mut judge = Judge { browser, language, found: Vec::new() };
    judge.browser.open(&format!("{}/?lang={language}", server.url)).await;
    judge.browser.find("main[data-home]").await;
    judge.judge("home").await;

    let lesson = format!("{}/?lesson=the-database-goes-away&t=23.4&request=11702&lang={language}", server.url);
    judge.browser.open(&lesson).await;
    judge.browser.settled().await;
    judge.judge("before the prediction").await;
    judge.browser.click("[data-option='nearly-all']").await;
    judge.browser.until("document.querySelector('[data-predicted=true]')").await;
    for tab in ["charts", "requests", "log", "health", "whatif"] {
        judge.browser.click(&format!("#tab-{tab}")).await;
        judge.browser.until(&format!("document.querySelector('#tab-{tab}[aria-selected=true]')")).await;
        judge.judge(tab).await;
    }
    judge.browser.click("#tab-charts").await;
    judge.browser.click("[data-chart=latency] .put").await;
    for picture in ["messages", "workers"] {
        judge.browser.choose(".topo > select", picture).await;
        judge.browser.until(&format!("document.querySelector('[data-picture={picture}] svg')")).await;
        judge.judge(picture).await;
    }

    judge.browser.open(&format!("{}/?playground=1&lang={language}", server.url)).await;
    judge.browser.settled().await;
    judge.browser.until("document.querySelector('[data-node]')").await;
    judge.browser.click("[data-node]").await;
    judge.browser.until("document.querySelector('.fields .field')").await;
    judge.judge("playground").await;
    let direction = judge.browser.run("return document.dir;", vec![]).await;
    assert_eq!(direction, json!(if language == "x-mirrored" { "rtl" } else { "ltr" }));
    assert!(judge.found.is_empty(), "{language}:\n{}", judge.found.join("\n"));
    judge.browser.close().await;
}

#[tokio::test]
async fn texts_twice_as_long_have_room() {
    in_language("x-doubled").await;
}

#[tokio::test]
async fn words_that_no_line_can_break_have_room() {
    in_language("x-long").await;
}

#[tokio::test]
async fn the_page_runs_from_right_to_left() {
    in_language("x-mirrored").await;
}

#[tokio::test]
async fn markup_in_a_text_is_text() {
    in_language("x-markup").await;
}
