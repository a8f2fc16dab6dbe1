//! `?bench=1`: measures in the page what the page promises, and writes the numbers into it as JSON.

use crate::content::Content;
use crate::files::Files;
use crate::route::Asked;
use crate::state::ticker::{later, now_ms};
use js_sys::{ArrayBuffer, WebAssembly};
use sandbox_core::Run;
use sandbox_core::engine::Input;
use sandbox_core::ids::IncidentId;
use sandbox_core::scenario::{Document, Plan, Problem};
use sandbox_core::time::Time;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// Whole runs, each computed afresh.
const RUNS: u32 = 7;
/// Places sought, and steps back taken.
const PLACES: u32 = 300;
/// Forks made.
const FORKS: u32 = 30;
/// Steps computed in one go.
const SLICE: u32 = 4_096;

/// Measures, and leaves the numbers as JSON in `<pre id="bench" data-ready="true">`.
pub fn start(root: &Element, asked: Asked, files: Files) {
    root.set_inner_html("<pre id=\"bench\" data-ready=\"false\">measuring</pre>");
    let place = root.first_element_child();
    later(50, move || {
        if let Some(place) = place {
            place.set_text_content(Some(&measure(&asked, &files)));
            let _ = place.set_attribute("data-ready", "true");
        }
    });
}

fn measure(asked: &Asked, files: &Files) -> String {
    let plan = match plan(asked, files) {
        Ok(plan) => Arc::new(plan),
        Err(problems) => return problems.iter().map(|problem| format!("{problem}\n")).collect(),
    };
    let mut run_ms = Vec::new();
    let mut ten_seconds_ms = Vec::new();
    let mut run = Run::new(plan.clone());
    for _ in 0..RUNS {
        let begin = now_ms();
        run = Run::new(plan.clone());
        compute(&mut run, Time::from_seconds(10.0));
        ten_seconds_ms.push(now_ms() - begin);
        compute(&mut run, Time::NEVER);
        run_ms.push(now_ms() - begin);
    }
    // Places all over the run in an order without neighbours; the same ones each time.
    let place_s = |index: u32, end_s: f64| (f64::from(index) * 0.618_033_988_75).fract() * end_s;
    let end_s = plan.end.as_seconds();
    let mut seek_ms = Vec::new();
    let mut back_ms = Vec::new();
    for index in 0..PLACES {
        let begin = now_ms();
        run.seek_time(Time::from_seconds(place_s(index, end_s)));
        seek_ms.push(now_ms() - begin);
        let begin = now_ms();
        run.step_back();
        back_ms.push(now_ms() - begin);
    }
    let mut fork_ms = Vec::new();
    for index in 0..FORKS {
        let second = place_s(index, end_s - 10.0);
        run.seek_time(Time::from_seconds(second));
        let begin = now_ms();
        let mut fork = run.fork(Input::Resolve { incident: IncidentId(1) });
        compute(&mut fork, Time::from_seconds(second + 10.0));
        fork_ms.push(now_ms() - begin);
    }
    let measured = [
        ("run_ms", run_ms),
        ("ten_seconds_ms", ten_seconds_ms),
        ("seek_ms", seek_ms),
        ("step_back_ms", back_ms),
        ("fork_ms", fork_ms),
    ];
    let measured: String =
        measured.iter().map(|(name, values_ms)| format!(r#","{name}":{}"#, summary(values_ms))).collect();
    format!(
        r#"{{"scenario":"{}","variant":"{}","seed":{},"digest":"{}","steps":{},"requests":{},"memory_mib":{:.1}{measured}}}"#,
        plan.id,
        plan.variant,
        plan.seed,
        run.digest(),
        run.steps(),
        run.folds().requests().len(),
        memory_mib(),
    )
}

/// What to measure: the document in the address, else the lesson's scenario.
fn plan(asked: &Asked, files: &Files) -> Result<Plan, Vec<Problem>> {
    let link = &asked.link;
    if let Some(document) = &link.document {
        return Document::parse(document)?.plan(link.variant.as_deref().unwrap_or("A"), &link.set);
    }
    let content = Content::load(link, files)?;
    content.plan(&content.settings(asked).0)
}

/// Computes a run up to an instant, in slices as the page does.
fn compute(run: &mut Run, until: Time) {
    while run.computed_to() < until && !run.advance(SLICE) {}
}

/// What the page's WebAssembly holds; it never gives any of it back.
fn memory_mib() -> f64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: ArrayBuffer = memory.buffer().unchecked_into();
    f64::from(buffer.byte_length()) / f64::from(1 << 20)
}

fn summary(values_ms: &[f64]) -> String {
    let mut micros: Vec<u64> = values_ms.iter().map(|ms| (ms * 1e3) as u64).collect();
    micros.sort_unstable();
    let rank =
        |share: f64| micros[((micros.len() as f64 * share).ceil() as usize).clamp(1, micros.len()) - 1] as f64 / 1e3;
    let (p50, p95, max) = (rank(0.5), rank(0.95), rank(1.0));
    format!(r#"{{"n":{},"p50":{p50:.3},"p95":{p95:.3},"max":{max:.3},"first":{:.3}}}"#, micros.len(), values_ms[0])
}
