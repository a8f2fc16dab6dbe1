//! The page at every width, light and dark: nothing is cut off, everything is in reach.

use serde_json::json;
use tests::browser::Browser;
use tests::server::Server;
use tests::tools::site;

#[tokio::test]
async fn nothing_scrolls_sideways_and_the_knobs_are_in_sight() {
    let server = Server::start(&["--site", &site().display().to_string()]);
    let browser = Browser::start(1440, 900, false).await;
    browser.open(&format!("{}/?t=23.4", server.url)).await;
    browser.until("document.querySelector('[data-player][data-ready=true]')").await;
    browser.click("[data-option='nearly-all']").await;
    for (width, height, theme) in [
        (1440, 900, "light"),
        (1440, 900, "dark"),
        (1366, 768, "light"),
        (1024, 768, "light"),
        (750, 900, "light"),
        (390, 844, "light"),
        (390, 844, "dark"),
        (320, 640, "light"),
    ] {
        browser.resize(width, height).await;
        browser.run("document.documentElement.dataset.theme = arguments[0];", vec![json!(theme)]).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        browser.picture(&format!("layout-{width}-{theme}")).await;
        let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth;", vec![]).await;
        assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide at {width} px");
        if width >= 1366 {
            let bottom = "return document.querySelector('.knobs').getBoundingClientRect().bottom - innerHeight;";
            let below = browser.run(bottom, vec![]).await.as_f64().expect("a number");
            assert!(below <= 0.0, "the knobs end {below} px below the fold at {width} x {height}");
        }
        if width <= 390 {
            let least = "return Math.min(...[...document.querySelectorAll('.tr button')].map(e => e.getBoundingClientRect().height));";
            let least = browser.run(least, vec![]).await.as_f64().expect("a number");
            assert!(least >= 44.0, "a transport button is {least} px high at {width} px");
        }
    }
    browser.close().await;
}
