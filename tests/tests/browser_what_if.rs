//! Questions about the whole scenario are answered beside the stage, and any answer can be put on it.

use serde_json::json;
use tests::browser::Browser;
use tests::server::Server;

const DIGEST: &str = "return document.querySelector('[data-digest]').dataset.digest;";
/// The row of the table whose name holds a text.
const ROW: &str = "return [...document.querySelectorAll('.whatif tbody tr')].find(row => row.innerText.includes(arguments[0]))?.innerText;";
const PUT: &str =
    "[...document.querySelectorAll('.whatif .put')].find(put => put.innerText.includes(arguments[0])).click();";

/// Opens a question by its name and waits for the whole answer.
async fn answer(browser: &Browser, question: &str) {
    let choose = "[...document.querySelectorAll('.whatif .seg button')].find(button => button.innerText === arguments[0]).click();";
    browser.run(choose, vec![json!(question)]).await;
    browser.until("document.querySelector('.whatif .btn.primary')").await;
    browser.click(".whatif .btn.primary").await;
    browser.until("(({ runs, of }) => of !== '0' && runs === of)(document.querySelector('.whatif').dataset)").await;
}

async fn row(browser: &Browser, name: &str) -> String {
    browser.run(ROW, vec![json!(name)]).await.as_str().unwrap_or_else(|| panic!("no row {name}")).to_string()
}

#[tokio::test]
async fn what_if_is_answered_by_runs_that_can_be_put_on_the_stage() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away&tab=whatif", server.url)).await;
    browser.settled().await;
    assert!(browser.text("#evidence").await.starts_with("First say what you think"), "the outage is not given away");
    browser.click("[data-option='half']").await;
    browser.until("document.querySelector('.whatif')").await;

    answer(&browser, "Without it").await;
    browser.picture("what-if-without").await;
    assert!(row(&browser, "without “the database is down”").await.contains("100 %"));
    let before = browser.run(DIGEST, vec![]).await;
    browser.run(PUT, vec![json!("the database is down")]).await;
    browser.until(&format!("document.querySelector('[data-digest]').dataset.digest !== {before}")).await;
    browser.settled().await;
    assert!(browser.text(".knobfoot").await.contains("without “the database is down”"));
    browser.run("[...document.querySelectorAll('.knobfoot .btn')].at(-1).click();", vec![]).await;
    browser.until(&format!("document.querySelector('[data-digest]').dataset.digest === {before}")).await;

    answer(&browser, "Weak points").await;
    assert!(
        browser.text(".finding").await.contains("A single point of failure: Gateway."),
        "the cache makes up for the store"
    );
    browser.picture("what-if-weak").await;
    answer(&browser, "Luck").await;
    assert!(browser.text(".finding").await.contains("of 20 seeds"));
    answer(&browser, "Load").await;
    assert!(browser.text(".finding").await.contains("× the load"));
    answer(&browser, "Too late").await;
    assert!(browser.text(".finding").await.contains("comes back by itself"));
    answer(&browser, "Map").await;
    let cells = browser.run("return document.querySelectorAll('.whatif td.heat .put').length;", vec![]).await;
    assert_eq!(cells, json!(35), "seven values of one knob, the five of the other");
    for (width, name) in [(390, "phone"), (320, "narrow")] {
        browser.resize(width, 844).await;
        browser.picture(&format!("what-if-{name}")).await;
        let wide = browser.run("return document.documentElement.scrollWidth;", vec![]).await;
        assert!(wide.as_u64().is_some_and(|px| px <= width.into()), "{wide} px at {width}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_failure_is_run_again_without_its_cause() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, true).await;
    browser.open(&format!("{}/?lesson=the-outage-that-stays", server.url)).await;
    browser.settled().await;
    browser.click("[data-option]").await;
    browser.until("document.querySelector('[data-predicted=true]')").await;
    browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
    browser.press("]").await;
    browser.press("w").await;
    browser.until("document.querySelector('.why')").await;
    let before = browser.run(DIGEST, vec![]).await;
    let without = "return [...document.querySelectorAll('.why .btn')].find(button => button.innerText.includes('without this cause'));";
    assert!(!browser.run(without, vec![]).await.is_null(), "{}", browser.text(".why").await);
    browser.run(&without.replace("return ", "(").replace(");", ")).click();"), vec![]).await;
    browser.until(&format!("document.querySelector('[data-digest]').dataset.digest !== {before}")).await;
    browser.settled().await;
    browser.picture("without-this-cause").await;
    assert!(browser.text(".knobfoot").await.contains("without “the database is five times slower”"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn pictures_numbers_and_trace_are_saved_as_files_that_others_read() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away&embed=1&t=21", server.url)).await;
    browser.settled().await;
    browser.until("document.querySelector('.save')").await;
    let catch = "window.saved = []; HTMLAnchorElement.prototype.click = function() { window.saved.push([this.download, this.href]); }; \
                 document.querySelectorAll('.save .btn').forEach(button => button.click());";
    browser.run(catch, vec![]).await;
    browser.until("window.saved.length === 4").await;
    let saved = browser
        .run(
            "return window.saved.map(([name, href]) => [name, decodeURIComponent(href.slice(href.indexOf(',') + 1))]);",
            vec![],
        )
        .await;
    let saved: Vec<(String, String)> = serde_json::from_value(saved).expect("names and texts");
    let file = |end: &str| saved.iter().find(|(name, _)| name.ends_with(end)).expect("it was saved").clone();
    let (name, picture) = file(".svg");
    assert_eq!(name, "database-outage-B-seed-7-system.svg");
    let parsed = "const read = new DOMParser().parseFromString(arguments[0], 'image/svg+xml'); \
                  return [read.querySelector('parsererror') === null, read.documentElement.textContent.includes('SQLite')];";
    assert_eq!(browser.run(parsed, vec![json!(picture)]).await, json!([true, true]), "{picture:.300}");
    assert!(picture.contains("fill=\"rgb(") && !picture.contains("class="), "it carries its look: {picture:.600}");
    let (_, numbers) = file(".csv");
    let rows: Vec<&str> = numbers.split("\r\n").collect();
    assert!(
        rows[0].starts_with("from_s,") && rows[0].contains("Answers by latency, ms: 0.7–1\",") && rows.len() == 62,
        "{} rows: {}",
        rows.len(),
        rows[0]
    );
    assert!(rows[..61].iter().all(|row| row.matches(',').count() >= 5), "{numbers:.400}");
    let (name, trace) = file(".json");
    assert_eq!(name, "database-outage-B-seed-7-second-21.json");
    let trace: serde_json::Value = serde_json::from_str(&trace).expect("it is JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    assert!(events.iter().filter(|event| event["ph"] == "X").count() > 500, "500 requests are sent in this second");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

/// Of an image at this address: its size, and how many colours it has in a grid of points.
const PIXELS: &str = "const [address, done] = arguments, image = new Image(); image.onload = () => { \
     const canvas = document.createElement('canvas'); [canvas.width, canvas.height] = [image.width, image.height]; \
     const context = canvas.getContext('2d'); context.drawImage(image, 0, 0); \
     const { data } = context.getImageData(0, 0, canvas.width, canvas.height), colors = new Set(); \
     for (let at = 0; at < data.length; at += 4) colors.add(data.slice(at, at + 4).join()); \
     done([image.width, image.height, colors.size]); }; image.onerror = () => done(null); image.src = address;";

#[tokio::test]
async fn every_picture_can_be_saved_as_pixels_of_the_screen() {
    let server = Server::of_site();
    let browser = Browser::start(1440, 900, false).await;
    let two = json!({ "width": 1440, "height": 900, "deviceScaleFactor": 2, "mobile": false });
    browser.devtools("Emulation.setDeviceMetricsOverride", two).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away&answer=nearly-all&t=21&request=9964", server.url)).await;
    browser.settled().await;
    browser
        .run(
            "window.saved = []; HTMLAnchorElement.prototype.click = function() { window.saved.push(this.href); };",
            vec![],
        )
        .await;
    for tab in ["charts", "requests"] {
        browser.click(&format!("#tab-{tab}")).await;
        browser.until(&format!("document.querySelector('#evidence[aria-labelledby=tab-{tab}] .save')")).await;
        let offered = browser
            .run("return [...document.querySelectorAll('.save option')].map((option) => option.value);", vec![])
            .await;
        let offered: Vec<String> = serde_json::from_value(offered).expect("names");
        assert!(offered.len() >= 2, "{offered:?}");
        for picture in offered {
            let save = "window.saved.length = 0; document.querySelector('.save select').value = arguments[0]; \
                        document.querySelectorAll('.save .btn')[1].click();";
            browser.run(save, vec![json!(picture)]).await;
            browser.until("window.saved.length === 1").await;
            let address = browser.run("return window.saved[0];", vec![]).await;
            assert!(address.as_str().is_some_and(|address| address.starts_with("data:image/png")), "{picture}");
            let shown = "const box = [...document.querySelectorAll(`[data-picture=${arguments[0]}]`)].map((one) => one.getBoundingClientRect()).find((box) => box.width); \
                         return [Math.round(box.width) * 2, Math.round(box.height) * 2];";
            let shown: (u32, u32) =
                serde_json::from_value(browser.run(shown, vec![json!(picture)]).await).expect("a size");
            let (width, height, colors): (u32, u32, u32) =
                serde_json::from_value(browser.run_async(PIXELS, vec![address]).await).expect("it is an image");
            assert_eq!((width, height), shown, "{picture}");
            assert!(colors > 20, "{picture}: lines and texts, {colors} colours");
        }
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_frame_that_may_not_save_says_so() {
    let server = Server::of_site();
    let browser = Browser::start(1440, 900, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.settled().await;
    browser.click(".save .btn").await;
    assert!(!browser.has(".save p").await, "a page by itself saves");
    let frame = format!(
        "document.body.innerHTML = `<iframe id=lesson src='{}/?lesson=the-database-goes-away' width=1300 height=860 sandbox=allow-scripts></iframe>`;",
        server.url
    );
    browser.run(&frame, vec![]).await;
    browser.enter("#lesson").await;
    browser.settled().await;
    browser.click(".save .btn").await;
    browser.until("document.querySelector('.save p[role=status]')").await;
    assert!(browser.text(".save p").await.contains("open the page by itself"));
    browser.close().await;
}
