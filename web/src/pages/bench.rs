//! `?bench=1`: measures in the page what the page promises, and writes the numbers into it as JSON.

use crate::content::Content;
use crate::route::Options;
use crate::state::settings::Settings;
use crate::state::ticker::{later, now_ms};
use sandbox_core::Run;
use sandbox_core::scenario::Problem;
use sandbox_core::time::Time;
use std::sync::Arc;
use web_sys::Element;

/// Whole runs, each computed afresh.
const RUNS: u32 = 7;
/// Places sought, and steps back taken.
const PLACES: u32 = 300;

/// Measures, and leaves the numbers as JSON in `<pre id="bench" data-ready="true">`.
pub fn start(root: &Element, options: Options) {
    root.set_inner_html("<pre id=\"bench\" data-ready=\"false\">measuring</pre>");
    let place = root.first_element_child();
    later(50, move || {
        if let Some(place) = place {
            place.set_text_content(Some(&measure(&options)));
            let _ = place.set_attribute("data-ready", "true");
        }
    });
}

fn measure(options: &Options) -> String {
    let content = match Content::load(options) {
        Ok(content) => content,
        Err(problems) => return refused(&problems),
    };
    let settings = Settings {
        variant: options.variant.clone().unwrap_or_else(|| content.lesson.variant.clone()),
        seed: options.seed,
        ..Settings::default()
    };
    let plan = match content.plan(&settings) {
        Ok(plan) => Arc::new(plan),
        Err(problems) => return refused(&problems),
    };
    let mut run_ms = Vec::new();
    let mut run = Run::new(plan.clone());
    for _ in 0..RUNS {
        let begin = now_ms();
        run = Run::new(plan.clone());
        run.run_to_end();
        run_ms.push(now_ms() - begin);
    }
    let steps = run.steps();
    // Places all over the run in an order without neighbours; the same ones each time.
    let place = |index: u32| (f64::from(index) * 0.618_033_988_75).fract();
    let end_s = plan.end.as_seconds();
    let mut seek_ms = Vec::new();
    let mut back_ms = Vec::new();
    for index in 0..PLACES {
        let begin = now_ms();
        run.seek_time(Time::from_seconds(place(index) * end_s));
        seek_ms.push(now_ms() - begin);
        let begin = now_ms();
        run.step_back();
        back_ms.push(now_ms() - begin);
    }
    format!(
        r#"{{"lesson":"{}","variant":"{}","seed":{},"digest":"{}","steps":{steps},"run_ms":{},"seek_ms":{},"step_back_ms":{}}}"#,
        content.lesson.id,
        plan.variant,
        plan.seed,
        run.digest(),
        summary(&run_ms),
        summary(&seek_ms),
        summary(&back_ms),
    )
}

fn refused(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn summary(values_ms: &[f64]) -> String {
    let mut micros: Vec<u64> = values_ms.iter().map(|ms| (ms * 1e3) as u64).collect();
    micros.sort_unstable();
    let rank =
        |share: f64| micros[((micros.len() as f64 * share).ceil() as usize).clamp(1, micros.len()) - 1] as f64 / 1e3;
    let (p50, p95, max) = (rank(0.5), rank(0.95), rank(1.0));
    format!(r#"{{"n":{},"p50":{p50:.3},"p95":{p95:.3},"max":{max:.3},"first":{:.3}}}"#, micros.len(), values_ms[0])
}
