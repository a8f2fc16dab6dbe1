//! axe-core finds nothing on any page, in any state, light or dark, wide or narrow.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::course;
use tests::server::Server;
use tests::tools::axe;

/// Hands on what is wrong and where: the rule, and the element.
const RUN: &str = "const done = arguments[arguments.length - 1]; \
                   axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations.flatMap((violation) => \
                       violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary}`))), (error) => done([String(error)]));";

/// A browser in which axe-core judges what is shown.
struct Judge {
    browser: Browser,
    server: Server,
    axe: String,
}

impl Judge {
    async fn start() -> Judge {
        let server = Server::of_site();
        Judge { browser: Browser::start(1280, 800, false).await, server, axe: axe() }
    }

    async fn open(&self, query: &str) {
        self.browser.open(&format!("{}/{query}", self.server.url)).await;
    }

    /// The page as it is now, in both themes and at both widths.
    async fn judge(&self, state: &str) {
        if self.browser.run("return typeof axe;", vec![]).await != json!("object") {
            self.browser.run(&self.axe, vec![]).await;
        }
        for (width, height, theme) in
            [(1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light"), (390, 844, "dark")]
        {
            self.browser.resize(width, height).await;
            // Colours that change by and by are not those that are meant.
            let look = "document.documentElement.dataset.theme = arguments[0]; \
                        document.getAnimations().forEach((animation) => animation.finish());";
            self.browser.run(look, vec![json!(theme)]).await;
            let found: Value = self.browser.run_async(RUN, vec![]).await;
            if found != json!([]) {
                self.browser.picture(&format!("axe-{state}-{width}-{theme}")).await;
            }
            let found: Vec<&str> = found.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
            assert!(found.is_empty(), "{state}, {theme}, {width} px:\n{}", found.join("\n\n"));
        }
        self.browser.resize(1280, 800).await;
    }
}

#[tokio::test]
async fn a_lesson_in_all_its_states() {
    let judge = Judge::start().await;
    judge.open("?lesson=the-database-goes-away&t=19").await;
    judge.browser.settled().await;
    judge.judge("before the prediction").await;
    judge.browser.click("[data-option='nearly-all']").await;
    judge.browser.until("document.querySelector('[data-predicted=true]')").await;
    judge.browser.click("[aria-label='Next failure']").await;
    for tab in ["requests", "charts", "log", "health", "whatif"] {
        judge.browser.click(&format!("#tab-{tab}")).await;
        judge.browser.until(&format!("document.querySelector('#tab-{tab}[aria-selected=true]')")).await;
        judge.judge(tab).await;
    }
    for picture in ["messages", "workers", "system"] {
        judge.browser.choose(".topo > select", picture).await;
        judge.browser.until(&format!("document.querySelector('[data-picture={picture}] svg')")).await;
        judge.judge(picture).await;
    }
    judge.browser.click(".whatif .btn.primary").await;
    judge.browser.until("document.querySelector('.whatif .finding')").await;
    judge.judge("an answer to what if").await;
    for (state, button) in [("help", "[title='Keys (?)']"), ("share", "[data-share=link]")] {
        judge.browser.click(button).await;
        judge.browser.until("document.querySelector('dialog[open]')").await;
        judge.judge(state).await;
        judge.browser.run("document.querySelector('dialog[open]').close();", vec![]).await;
    }
    judge.open("?lesson=the-database-goes-away&answer=nearly-all&beat=4&t=60").await;
    judge.browser.settled().await;
    judge.judge("the challenge").await;
    judge.browser.close().await;
}

#[tokio::test]
async fn all_other_pages() {
    let judge = Judge::start().await;
    judge.open("").await;
    judge.browser.find("main[data-home]").await;
    judge.browser.click(".terms summary").await;
    judge.judge("all lessons").await;
    judge.browser.click(".glossary a[href^='#term-']").await;
    judge.browser.until("document.querySelector('dialog[open]')").await;
    judge.judge("a term").await;

    judge.open("?playground=1").await;
    judge.browser.until("document.querySelector('[data-node]')").await;
    judge.browser.settled().await;
    judge.browser.click(".files summary").await;
    judge.browser.click("[data-node]").await;
    judge.browser.until("document.querySelector('.fields .field')").await;
    judge.judge("playground").await;
    judge.browser.click("[data-desk=json]").await;
    judge.browser.find(".code textarea").await;
    judge.judge("playground as text").await;

    judge.open("?embed=1&t=25").await;
    judge.browser.settled().await;
    judge.judge("embedded").await;

    judge.open("?recording=/nothing&seed=x").await;
    judge.browser.find("[data-notice=recording]").await;
    judge.browser.find("[data-notice=address]").await;
    judge.judge("a recording that cannot be opened").await;

    judge.open("?lesson=nothing").await;
    judge.browser.find("[data-broken]").await;
    judge.judge("a lesson that is not there").await;

    judge.open("?lesson=the-database-goes-away&panic=1").await;
    judge.browser.settled().await;
    judge.browser.click("[aria-label='Step']").await;
    judge.browser.find("#crash").await;
    judge.judge("a panic").await;
    judge.browser.close().await;
}

#[tokio::test]
async fn a_course_page_with_a_lesson_in_a_frame() {
    let judge = Judge::start().await;
    let frame = format!(
        "<main><iframe id=lesson title='A lesson' src='{}/?embed=1&t=25' width=750 height=860></iframe></main>",
        judge.server.url
    );
    judge.browser.open(&course::page(&frame).await).await;
    judge.browser.enter("#lesson").await;
    judge.browser.settled().await;
    judge.judge("in a frame").await;
    judge.browser.close().await;
}
