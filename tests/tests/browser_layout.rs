//! The page at every width, light and dark: nothing is cut off, everything is in reach.

use serde_json::json;
use tests::browser::Browser;
use tests::server::Server;

/// Parts of the transport that reach beyond its row.
const CUT_OFF: &str = "const end = document.querySelector('.tr').getBoundingClientRect().right; \
                       return [...document.querySelectorAll('.tr > *')] \
                           .filter(part => part.getBoundingClientRect().right > end).map(part => part.className);";
/// Names of incidents above the time line that begin before the one to their left ends.
const OVERLAPS: &str = "const names = [...document.querySelectorAll('.marks .incident b')].filter(name => name.offsetWidth) \
                            .map(name => [name.innerText, name.getBoundingClientRect()]).sort((a, b) => a[1].left - b[1].left); \
                        return names.slice(1).filter(([_, box], index) => box.left < names[index][1].right) \
                            .map(([text]) => text);";
/// How many parts of the system are drawn over another.
const STACKED: &str = "const boxes = [...document.querySelectorAll('.topo .box')].map(box => box.getBoundingClientRect()); \
                       return boxes.filter((a, index) => boxes.slice(0, index).some(b => \
                           a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;";

#[tokio::test]
async fn nothing_scrolls_sideways_and_the_knobs_are_in_sight() {
    let server = Server::of_site();
    let browser = Browser::start(1440, 900, false).await;
    browser.open(&format!("{}/?t=23.4", server.url)).await;
    browser.until("document.querySelector('[data-player][data-ready=true]')").await;
    browser.click("[data-option='nearly-all']").await;
    for (width, height, theme) in [
        (1440, 900, "light"),
        (1440, 900, "dark"),
        (1366, 768, "light"),
        (1280, 800, "light"),
        (1241, 800, "light"),
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
        assert_eq!(browser.run(CUT_OFF, vec![]).await, json!([]), "outside the transport at {width} px");
        assert_eq!(browser.run(OVERLAPS, vec![]).await, json!([]), "incidents over each other at {width} px");
        assert_eq!(browser.run(STACKED, vec![]).await, json!(0), "parts over each other at {width} px");
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
