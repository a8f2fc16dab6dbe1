//! The page in a real browser: it starts, and its engine gives the same run as everywhere else.
#![cfg(target_arch = "wasm32")]

use sandbox_core::Run;
use serde_json::Value;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::content::Content;
use web::files::Files;
use web::route::Asked;
use web::state::action::Action;
use web::state::progress::Prediction;
use web::state::session::Session;
use web::state::settings::Settings;
use web_sys::{Element, HtmlElement};

wasm_bindgen_test_configure!(run_in_browser);

/// The digests of the lesson's runs, as computed natively (`UPDATE_GOLDEN=1` rewrites them there).
const GOLDEN: &str = include_str!("../../tests/golden/database-outage.json");

#[wasm_bindgen_test]
fn the_run_of_the_lesson_is_the_same_as_natively() {
    let golden: Value = serde_json::from_str(GOLDEN).expect("the golden file is JSON");
    let content = Content::built_in("?lesson=the-database-goes-away").expect("the lesson is sound");
    for variant in ["A", "B"] {
        let settings = Settings { variant: variant.into(), seed: Some(7), ..Settings::default() };
        let mut run = Run::new(Arc::new(content.plan(&settings).expect("the variant is sound")));
        run.run_to_end();
        assert_eq!(Some(run.digest().as_str()), golden[variant].as_str(), "variant {variant}");
    }
}

#[wasm_bindgen_test]
fn a_run_in_slices_is_the_run_in_one_go() {
    let content = Rc::new(Content::built_in("?lesson=the-database-goes-away").expect("the lesson is sound"));
    let settings = Settings { variant: "B".into(), ..Settings::default() };
    let mut session = Session::new(content, settings, false, false);
    let mut slices = 0;
    while session.is_working() {
        session.compute(8.0, &web::state::ticker::now_ms);
        slices += 1;
        assert!(slices < 10_000, "it ends");
    }
    let golden: Value = serde_json::from_str(GOLDEN).expect("the golden file is JSON");
    assert_eq!(session.player.shown.as_ref().map(|shown| shown.digest.as_str()), golden["B"].as_str());
    session.apply(Action::Predict("half".into()), &|| 0.0);
    assert_eq!(session.progress.prediction, Prediction::Said("half".into()));
}

#[wasm_bindgen_test]
async fn the_page_starts_predicts_and_steps() {
    let document = web_sys::window().and_then(|window| window.document()).expect("a browser has a document");
    let root: Element = document.create_element("div").expect("a document makes elements");
    document.body().expect("a page has a body").append_child(&root).expect("a body takes elements");
    let asked = Asked::of("?lesson=the-database-goes-away");
    let files = Files::built_in(&asked);
    web::app::mount(root.clone(), asked, files);
    let find = |selector: &str| root.query_selector(selector).expect("the selector is valid");
    let attribute = |name: &str| find("[data-player]").and_then(|player| player.get_attribute(name));
    let click = |selector: &str| {
        let button = find(selector).unwrap_or_else(|| panic!("no {selector}"));
        button.dyn_into::<HtmlElement>().expect("it is a button").click();
    };
    until(|| attribute("data-ready").as_deref() == Some("true")).await;
    assert_eq!(attribute("data-predicted").as_deref(), Some("false"));
    assert!(
        find("[data-next=milestone] button").is_some_and(|button| button.text_content().as_deref() == Some("predict"))
    );

    click("[data-option=nearly-all]");
    until(|| attribute("data-predicted").as_deref() == Some("true")).await;
    assert!(find(".opt.said.right").is_some_and(|option| option.text_content().is_some_and(|text| text.contains('%'))));

    click("[aria-label='Next failure']");
    until(|| attribute("data-time").is_some_and(|time| time.as_str() >= "20.0")).await;
    let step = attribute("data-step");
    click("[aria-label='Step']");
    until(|| attribute("data-step") != step).await;
    click("[aria-label='Step back']");
    until(|| attribute("data-step") == step).await;

    click("#tab-requests");
    until(|| find("[data-request] [data-total-ns]").is_some()).await;
    let number = |element: &Element, name: &str| element.get_attribute(name).and_then(|text| text.parse::<u64>().ok());
    let total = find("[data-total-ns]").and_then(|element| number(&element, "data-total-ns"));
    let parts = root.query_selector_all("[data-ns]").expect("the selector is valid");
    let sum = (0..parts.length()).filter_map(|index| number(&parts.get(index)?.dyn_into().ok()?, "data-ns")).sum();
    assert_eq!(total, Some(sum), "the parts of a latency sum to it");
}

/// Waits until something holds, for ten seconds at most.
async fn until(holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        let pause = js_sys::Promise::new(&mut |resolve, _| {
            let window = web_sys::window().expect("a browser has a window");
            window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, 10).expect("a window keeps time");
        });
        let _: Result<JsValue, JsValue> = wasm_bindgen_futures::JsFuture::from(pause).await;
    }
    panic!("it did not happen within ten seconds");
}
