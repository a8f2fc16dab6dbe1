//! The lesson played through in a real browser, as a learner would.

use serde_json::Value;
use tests::browser::Browser;
use tests::server::Server;

fn golden(variant: &str) -> String {
    let golden: Value = serde_json::from_str(include_str!("../golden/database-outage.json")).unwrap();
    golden[variant].as_str().unwrap().to_string()
}

async fn number(browser: &Browser, name: &str) -> f64 {
    browser
        .attribute("[data-player]", name)
        .await
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{name}"))
}

const LESSON: &str = include_str!("../../lessons/2-dependencies/06-the-database-goes-away/lesson.json");

#[tokio::test]
async fn predict_watch_ask_why_and_mend() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.settled().await;

    // The run is the native one, bit for bit.
    assert_eq!(browser.attribute("[data-digest]", "data-digest").await, Some(golden("B")));

    // Before the prediction nothing later than the cursor is shown, and jumps invite to predict.
    assert_eq!(browser.attribute("[data-player]", "data-predicted").await.as_deref(), Some("false"));
    assert!(!browser.has("[data-verdict]").await);
    let page = browser.text("body").await;
    assert!(!page.contains("99.8 %"), "the answer is not given away: {page}");
    browser.click("[aria-label='Next failure']").await;
    assert!(number(&browser, "data-time").await < 1.0, "a jump into the future waits for the prediction");
    browser.picture("lesson-before").await;

    browser.click("[data-option='nearly-all']").await;
    browser.until("document.querySelector('[data-predicted=true]')").await;

    // Jump to the first failure and ask why.
    browser.click("[aria-label='Next failure']").await;
    let at = number(&browser, "data-time").await;
    assert!((20.0..20.2).contains(&at), "the first failure is at {at} s");
    browser.click("#tab-requests").await;
    browser.find(".why .chain").await;
    let chain = browser.text(".why .chain").await;
    assert!(chain.contains("fault: the database is down"), "the chain leads to the fault: {chain}");
    let sum = "const parts = [...document.querySelectorAll('.why [data-ns]')].map(e => Number(e.dataset.ns)); \
               return [parts.reduce((a, b) => a + b, 0), Number(document.querySelector('.why [data-total-ns]').dataset.totalNs)];";
    let sums = browser.run(sum, vec![]).await;
    assert_eq!(sums[0], sums[1], "the parts sum to the latency");
    browser.picture("lesson-why").await;

    // Step back and forward; the digest of the run stays what it is.
    let step = number(&browser, "data-step").await;
    browser.click("[aria-label='Step back']").await;
    assert_eq!(number(&browser, "data-step").await, step - 1.0);
    browser.click("[aria-label='Step']").await;
    assert_eq!(number(&browser, "data-step").await, step);

    // The bare system: the same seed, another run.
    browser.click("[data-variant='A']").await;
    browser.settled().await;
    browser.until(&format!("document.querySelector('[data-digest=\"{}\"]')", golden("A"))).await;
    browser.click("[data-variant='B']").await;
    browser.until(&format!("document.querySelector('[data-digest=\"{}\"]')", golden("B"))).await;

    // A knob: the run is computed anew, the earlier one stays as a ghost.
    browser.turn("stale", 0.0).await;
    browser.settled().await;
    browser.until(&format!("!document.querySelector('[data-digest=\"{}\"]')", golden("B"))).await;
    assert!(browser.has(".ghostkey").await, "the earlier run is named");
    browser.picture("lesson-ghost").await;

    // The end of the run: the incident sheet.
    browser.click("[data-variant='B']").await;
    browser.settled().await;
    browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
    browser.press("End").await;
    browser.until("document.querySelector('[aria-label=\"Incident sheet\"]')").await;
    let sheet = browser.text("[aria-label='Incident sheet']").await;
    assert!(sheet.contains("the database is down"), "{sheet}");
    browser.picture("lesson-end").await;

    // An incident stays open until somebody resolves it.
    browser.click("#tab-health").await;
    browser.find("[data-incident='1']").await;
    browser.click("[data-incident='1'] button").await;
    browser.settled().await;
    browser.until("document.querySelector('[data-incident=\"1\"]')?.innerText.includes('resolved')").await;

    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn the_challenge_is_missed_and_then_reached() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.settled().await;
    browser.click("[data-option='half']").await;
    browser.until("document.querySelector('[data-predicted=true]')").await;
    browser.click(".beats button:last-child").await;
    browser.until("document.querySelector('[data-verdict=miss]')").await;
    let lesson: serde_json::Value = serde_json::from_str(LESSON).expect("the lesson is JSON");
    let measured =
        lesson["numbers"]["challenge_start"]["text"].as_str().expect("the lesson says where its challenge starts");
    let verdict = browser.text("[data-verdict]").await;
    assert!(verdict.contains(measured), "the verdict quotes what is measured, {measured}: {verdict}");
    browser.turn("capacity", 1_800.0).await;
    browser.turn("stale", 30.0).await;
    browser.until("document.querySelector('[data-verdict=pass]')").await;
    browser.picture("lesson-challenge").await;
    browser.close().await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.settled().await;
    browser.click("[data-option='none']").await;
    browser.run("document.querySelector('[data-player]').focus();", vec![]).await;
    browser.press("]").await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) > 20").await;
    let step = number(&browser, "data-step").await;
    browser.press("ArrowLeft").await;
    browser.until(&format!("Number(document.querySelector('[data-player]').dataset.step) === {}", step - 1.0)).await;
    browser.press("ArrowRight").await;
    browser.until(&format!("Number(document.querySelector('[data-player]').dataset.step) === {step}")).await;
    browser.press("Home").await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) === 0").await;
    browser.press(" ").await;
    browser.until("document.querySelector('[data-playing=true]')").await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) > 0.5").await;
    browser.press(" ").await;
    browser.until("document.querySelector('[data-playing=false]')").await;
    browser.press("?").await;
    browser.until("document.querySelector('dialog[open]')").await;
    browser.close().await;
}

#[tokio::test]
async fn keys_work_from_the_start_and_a_beat_begins_at_its_top() {
    let server = Server::of_site();
    for (width, height) in [(1366, 768), (390, 844)] {
        let browser = Browser::start(width, height, false).await;
        browser.open(&format!("{}/?lesson=the-database-goes-away&beat=2", server.url)).await;
        browser.settled().await;
        // Nobody has clicked anywhere.
        browser.press("]").await;
        browser.until("Number(document.querySelector('[data-player]').dataset.time) > 20").await;
        browser.run("document.activeElement.blur();", vec![]).await;
        browser.press("Home").await;
        browser.until("Number(document.querySelector('[data-player]').dataset.time) === 0").await;
        browser.press("]").await;
        assert_eq!(number(&browser, "data-step").await, 0.0, "letters mean nothing where nothing has the focus");
        let end = "const story = document.querySelector('.story'); story.scrollTop = story.scrollHeight; scrollTo(0, document.body.scrollHeight);";
        browser.run(end, vec![]).await;
        browser.click(".next-beat").await;
        browser.until("document.querySelector('.beat[aria-current=step]').innerText === 'Explain'").await;
        browser.until("document.activeElement === document.querySelector('.story h1')").await;
        let top = "const box = document.querySelector('.story h1').getBoundingClientRect(); return [box.top >= 0, box.top < 200];";
        assert_eq!(browser.run(top, vec![]).await, serde_json::json!([true, true]), "{width}");
        browser.close().await;
    }
}

#[tokio::test]
async fn behind_a_point_of_a_chart_are_its_requests_for_hands_and_keys() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&format!("{}/?lesson=the-database-goes-away&t=19", server.url)).await;
    browser.settled().await;
    let click = "const plot = document.querySelector('[data-chart=rate] .plot'), box = plot.getBoundingClientRect(); \
                 plot.firstElementChild.dispatchEvent(new MouseEvent('click', { bubbles: true, \
                 clientX: box.left + box.width * arguments[0] / 60, clientY: box.top + 5 }));";
    browser.run(click, vec![serde_json::json!(24.5)]).await;
    assert!(!browser.has("[data-second]").await, "what is to come is not told before the prediction");
    browser.click("[data-option='half']").await;
    browser.until("document.querySelector('[data-predicted=true]')").await;
    browser.run(click, vec![serde_json::json!(24.5)]).await;
    browser.until("document.querySelector('[data-second=\"24\"]')").await;
    assert_eq!(number(&browser, "data-time").await, 25.0);
    browser.picture("lesson-second").await;
    browser.click(".events [data-request]").await;
    browser.until("document.querySelector('.why[data-request]')").await;
    browser.click("#tab-charts").await;
    browser.run("document.querySelector('[data-chart=rate] details').open = true;", vec![]).await;
    browser.click("[data-chart=rate] table tr:nth-child(3) th button").await;
    browser.until("document.querySelector('[data-second]')").await;
    let finds = "const input = document.querySelector('#find-request'); input.value = '40000'; input.focus();";
    browser.run(finds, vec![]).await;
    browser.find("#find-request").await.send_keys("\u{e007}").await.expect("it takes keys");
    browser
        .until("document.querySelector('.find [role=status]').innerText.includes('There is no request 40,000')")
        .await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
