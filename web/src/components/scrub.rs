//! The time line: what each second was like, faults under it, incidents above it, and a slider over it.

use crate::components::content::content;
use crate::components::svg::rect;
use crate::state::action::Action;
use crate::text::transport as text;
use crate::view_model::scrub::{Health, seconds_of_a_bar};
use sandbox_core::time::Time;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What [`scrub`] draws.
pub struct ScrubProps<'a> {
    /// The health of each second; only the past while the future is hidden.
    pub healths: Vec<Health>,
    /// How long the run lasts, in seconds.
    pub end_s: f64,
    /// Where the cursor is, in seconds.
    pub at_s: f64,
    /// Faults: begin, end, what.
    pub faults: Vec<(f64, f64, String)>,
    /// Incidents: when, what.
    pub marks: Vec<(f64, &'static str)>,
    /// The whole of it in sentences.
    pub told: Rc<Vec<String>>,
    /// What the slider says of the moment.
    pub says: &'a str,
    /// What the learner does.
    pub on: &'a Callback<Action>,
}

/// The time line.
pub fn scrub(props: &ScrubProps) -> Html {
    let ScrubProps { end_s, at_s, .. } = *props;
    let x = |second: f64| second / end_s * 1000.0;
    let seconds = seconds_of_a_bar(end_s) as f64;
    let bars = (0..(end_s / seconds).ceil() as u32).map(|bar| draw_bar(props, f64::from(bar) * seconds, seconds, &x));
    let faults =
        props.faults.iter().map(|(from, to, _)| rect("fault", (x(*from), 30.0), (x(*to) - x(*from), 4.0), 0.0));
    let oninput = {
        let on = props.on.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
                on.emit(Action::Seek(Time::from_seconds(input.value_as_number() / 1e3)));
            }
        })
    };
    let percent = |second: f64| second / end_s * 100.0;
    let mut marks: Vec<(f64, &str)> = spaced(&props.marks, end_s);
    marks.push((f64::INFINITY, ""));
    let mark = |(second, text): (f64, &'static str), next: f64| {
        // What is still to come is an outline. Text stands after its mark, but before it at the end of the line; and on a
        // narrow screen, where there is room, when the next mark is close.
        let shape = if second > at_s { "◇" } else { "◆" };
        let crowded = percent(next - second) < 40.0 && percent(second) > 33.0;
        let class = classes!("incident", (percent(second) > 82.0).then_some("end"), crowded.then_some("crowded"));
        html! { <span {class} style={format!("--at:{:.2}%", percent(second))}><i>{ shape }</i><b>{ text }</b></span> }
    };
    html! {
        <div class="scrubwrap">
            <div class="marks">
                { for marks.windows(2).map(|pair| mark(pair[0], pair[1].0)) }
            </div>
            <svg class="scrub" viewBox="0 0 1000 34" preserveAspectRatio="none" aria-hidden="true">
                { for bars }
                { for faults }
                { rect("cursor", ((x(at_s) - 1.6).clamp(0.0, 996.8), 0.0), (3.2, 30.0), 0.0) }
            </svg>
            <input type="range" min="0" max={format!("{:.0}", end_s * 1e3)} step="1" value={format!("{:.0}", at_s * 1e3)}
                aria-label={text::time()} aria-keyshortcuts="Shift+ArrowLeft Shift+ArrowRight Home End" aria-valuetext={props.says.to_string()} {oninput} data-scrub="" />
            <div class="ring"></div>
            <ol class="unseen" aria-label={text::time_in_words()}>{ for props.told.iter().map(|told| html! { <li>{ told }</li> }) }</ol>
            <div class="marks">
                <span style="left:0">{ "0 s" }</span>
                { for props.faults.first().map(|(from, to, title)| {
                    // Centred under its bar, and never over the ends of the axis.
                    let middle = percent((from + to) / 2.0).clamp(24.0, 76.0);
                    html! { <span class="name" style={format!("left:{middle:.2}%")}>{ content(title) }</span> }
                }) }
                <span style="right:0">{ format!("{end_s:.0} s") }</span>
            </div>
        </div>
    }
}

/// A bar stands for so many seconds and is as high as the worst of them.
fn draw_bar(props: &ScrubProps, second: f64, seconds: f64, x: &dyn Fn(f64) -> f64) -> Html {
    let health = props.healths.iter().skip(second as usize).take(seconds as usize).max();
    let width = x(seconds) - 1.6;
    let passed = ((props.at_s - second) / seconds).clamp(0.0, 1.0);
    let left = x(second) + 0.8;
    let Some(health) = health else { return rect("unknown", (left, 25.0), (width, 2.0), 0.0) };
    let part = |class: &str, width: f64| {
        let top = 27.0 - health.height();
        rect(&format!("{class} {}", health.class()), (left, top), (width, health.height()), 0.0)
    };
    html! {
        <>
            if passed < 1.0 { { part("future", width) } }
            if passed > 0.0 { { part("past", width * passed) } }
        </>
    }
}

/// Marks that do not write over each other: of two that are too close the later one is left to the list of incidents.
fn spaced(marks: &[(f64, &'static str)], end_s: f64) -> Vec<(f64, &'static str)> {
    let mut kept: Vec<(f64, &'static str)> = Vec::new();
    for (at, text) in marks {
        if kept.last().is_none_or(|(last, _)| at - last > end_s * 0.22) {
            kept.push((*at, text));
        }
    }
    kept
}
