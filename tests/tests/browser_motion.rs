//! Nothing moves by itself for a reader who asked for that: by the system's setting, by the address, or by the page around.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::course;
use tests::server::Server;

/// Plays for a while and counts the frames that the page asked for, the animations that ran, and the moments at which something on
/// the stage had another place or colour than in the frame before.
const WATCH: &str = "const done = arguments[0], own = window.requestAnimationFrame; let asked = 0, ran = 0, moved = 0, before = '';
    window.requestAnimationFrame = (frame) => { asked += 1; return own.call(window, frame); };
    const stage = () => [...document.querySelectorAll('.stage *')]
      .map((part) => { const box = part.getBoundingClientRect(); return `${box.x},${box.y},${getComputedStyle(part).fill}`; }).join(';');
    document.querySelector('.tr .play').click();
    const until = performance.now() + 2500;
    const look = () => {
      const now = stage();
      ran = Math.max(ran, document.getAnimations().length); moved += before !== '' && now !== before; before = now;
      if (performance.now() < until) return own.call(window, look);
      document.querySelector('.tr .play').click();
      window.requestAnimationFrame = own;
      done({ asked, ran, moved });
    };
    own.call(window, look);";

async fn watch(browser: &Browser) -> (u64, u64, u64) {
    browser.settled().await;
    let counts: Value = browser.run_async(WATCH, vec![]).await;
    let count = |name: &str| counts[name].as_u64().expect("a count");
    (count("asked"), count("ran"), count("moved"))
}

fn assert_still((asked, ran, moved): (u64, u64, u64), why: &str) {
    assert_eq!((asked, ran), (0, 0), "{why}: no frame is asked for and no animation runs");
    assert!((1..=6).contains(&moved), "{why}: play goes in jumps, half a second apart, and there were {moved}");
}

fn assert_moving((asked, _, moved): (u64, u64, u64), why: &str) {
    assert!(asked > 10 && moved > 6, "{why}: the dots travel; {asked} frames were asked for, {moved} moved something");
}

#[tokio::test]
async fn the_address_comes_before_the_systems_setting() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 800, false).await;
    for system in ["no-preference", "reduce"] {
        let features = json!({ "features": [{ "name": "prefers-reduced-motion", "value": system }] });
        browser.devtools("Emulation.setEmulatedMedia", features).await;
        for (motion, is_still) in [
            ("", system == "reduce"),
            ("&motion=auto", system == "reduce"),
            ("&motion=reduce", true),
            ("&motion=full", false),
        ] {
            browser.open(&format!("{}/?lesson=the-database-goes-away&embed=1{motion}", server.url)).await;
            let (seen, why) = (watch(&browser).await, format!("`{motion}` where the system says {system}"));
            if is_still { assert_still(seen, &why) } else { assert_moving(seen, &why) }
        }
    }
    browser.close().await;
}

#[tokio::test]
async fn the_page_around_has_the_last_word() {
    let server = Server::of_site();
    let browser = Browser::start(1000, 900, false).await;
    let element = format!(
        "<iframe src='{}/?lesson=the-database-goes-away&embed=1&motion=full' width=750 height=800 title=Lesson></iframe><script>
         const frame = document.querySelector('iframe'), answers = {{}};
         addEventListener('message', ({{ data }}) => data.id && (answers[data.id] = data));</script>",
        server.url
    );
    browser.open(&course::page(&element).await).await;
    for (motion, is_still) in [("reduce", true), ("full", false), ("auto", false)] {
        browser.enter("iframe").await;
        browser.settled().await;
        browser.leave().await;
        let say = "frame.contentWindow.postMessage({ faultline: 1, id: arguments[0], do: 'set_motion', motion: arguments[0] }, '*');";
        browser.run(say, vec![json!(motion)]).await;
        browser.until(&format!("answers.{motion}?.ok")).await;
        browser.enter("iframe").await;
        let seen = watch(&browser).await;
        if is_still {
            assert_still(seen, motion)
        } else {
            assert_moving(seen, motion)
        }
        browser.leave().await;
    }
    browser
        .run(
            "frame.contentWindow.postMessage({ faultline: 1, id: 'odd', do: 'set_motion', motion: 'slow' }, '*');",
            vec![],
        )
        .await;
    browser.until("answers.odd && !answers.odd.ok && answers.odd.problems[0].startsWith('motion:')").await;
    browser.close().await;
}
