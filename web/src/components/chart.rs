//! A chart: lines on a canvas, everything that is text around it, and the same data as a table.

use crate::components::content::content;
use crate::components::screen::{Screen, use_size};
use crate::palette::Token;
use crate::plot;
use crate::text::charts as text;
use crate::view_model::charts::{Chart, Series, last_second, shade, value_text};
use crate::view_model::format;
use plotters::prelude::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement};
use yew::prelude::*;

/// Properties of [`ChartView`].
#[derive(Clone, PartialEq, Properties)]
pub struct ChartProps {
    /// What to draw.
    pub chart: Rc<Chart>,
    /// Where the cursor is, in seconds.
    pub at_s: f64,
    /// Whether what comes after the cursor stays hidden.
    pub hidden: bool,
    /// What the heading says at its right end.
    pub note: String,
    /// What it is drawn on.
    pub screen: Screen,
    /// Somebody asks for the requests behind a second.
    pub on_second: Callback<usize>,
}

/// A chart.
#[component]
pub fn ChartView(props: &ChartProps) -> Html {
    let (canvas, plot) = (use_node_ref(), use_node_ref());
    let as_map = use_state_eq(|| false);
    let map = props.chart.map.as_ref().filter(|_| *as_map);
    let chart = map.unwrap_or(&props.chart);
    let size = use_size(&plot, ());
    {
        let canvas = canvas.clone();
        use_effect_with((chart.clone(), size, props.screen.clone()), move |(chart, size, screen)| {
            if let Some(canvas) = canvas.cast::<HtmlCanvasElement>() {
                draw(&canvas, chart, *size, screen);
            }
        });
    }
    let switch = props.chart.map.as_ref().map(|_| {
        let (setter, pressed) = (as_map.setter(), *as_map);
        let onclick = Callback::from(move |_| setter.set(!pressed));
        html! { <button type="button" class="put" aria-pressed={pressed.to_string()} {onclick}>{ text::as_map() }</button> }
    });
    let onclick = {
        let (plot, on_second, end_s) = (plot.clone(), props.on_second.clone(), chart.end_s);
        Callback::from(move |event: MouseEvent| {
            if let Some(plot) = plot.cast::<Element>().map(|plot| plot.get_bounding_client_rect()) {
                let share = (f64::from(event.client_x()) - plot.left()) / plot.width().max(1.0);
                on_second.emit((share.clamp(0.0, 0.999_999) * end_s) as usize);
            }
        })
    };
    let share = (props.at_s / chart.end_s).clamp(0.0, 1.0) * 100.0;
    let labels = chart.scale.ticks.iter().map(|(value, text)| {
        let top = (1.0 - chart.scale.position(*value)) * 100.0;
        html! { <span class="y" style={format!("top:{top:.1}%")}>{ text }</span> }
    });
    html! {
        <figure class="card chart" data-chart={props.chart.id} data-picture={props.chart.id} aria-label={chart.finding.clone()}>
            <h2>{ titled(chart) }<span class="at">{ &props.note }</span></h2>
            <div class="plot" ref={plot} title={text::click_a_second()} {onclick}>
                <canvas ref={canvas} dir="ltr" role="img" aria-label={chart.finding.clone()}></canvas>
                <div class={classes!("veil", props.hidden.then_some("closed"))} style={format!("left:{share:.3}%")}></div>
                <div class="cursor" style={format!("left:{share:.3}%")}></div>
                { for labels }
                { for seconds(chart.end_s) }
            </div>
            <div class="keys">
                { if chart.bands.is_empty() { keys(chart, props.at_s) } else { shades(chart, props.at_s) } }
                { switch }
                <details class="data">
                    <summary aria-label={text::data_of(&chart.title)}>{ text::data() }</summary>
                    <div class="scroll" tabindex="0" role="region" aria-label={text::data_of(&chart.title)}>{ table(chart, &props.on_second) }</div>
                </details>
            </div>
        </figure>
    }
}

/// Texts under the horizontal axis: at whole seconds where three, four or two equal parts have such.
fn seconds(end_s: f64) -> Vec<Html> {
    let parts: u32 = [3, 4, 2].into_iter().find(|parts| (end_s / f64::from(*parts)).fract() == 0.0).unwrap_or(3);
    let text = |index: u32| {
        let at = end_s * f64::from(index) / f64::from(parts);
        let class = match index {
            0 => "x first",
            last if last == parts => "x last",
            _ => "x",
        };
        let label = format!("{} s", format::short(at, 1));
        html! { <span class={class} style={format!("left:{:.2}%", at / end_s * 100.0)}>{ label }</span> }
    };
    (0..=parts).map(text).collect()
}

/// The lines' names with their values at the cursor.
fn keys(chart: &Chart, at_s: f64) -> Html {
    let key = chart.series.iter().map(|series| {
        let dash: Vec<String> = series.dash.pattern().iter().map(f64::to_string).collect();
        html! {
            <span class={series.ink.class()}>
                <svg viewBox="0 0 14 4" aria-hidden="true"><path d="M0 2H14" stroke-dasharray={dash.join(" ")} /></svg>
                { named(chart, series) }{ " " }<b>{ value_text(chart.id, at_cursor(chart, series, at_s)) }</b>
            </span>
        }
    });
    html! { <>{ for key }if chart.series.is_empty() { <span>{ text::none_so_far() }</span> }</> }
}

/// Rows of a map that are named with their numbers at the cursor: those with the largest.
const NAMED: usize = 3;

/// A map's colours from one to the most, and what its rows hold at the cursor.
fn shades(chart: &Chart, at_s: f64) -> Html {
    let swatch = |ink: &Token| {
        html! { <svg class={classes!("swatch", ink.class())} viewBox="0 0 4 4" aria-hidden="true"><path d="M0 2H4" /></svg> }
    };
    let most = chart.most();
    let held = |row: &&Series| at_cursor(chart, row, at_s).unwrap_or(0.0);
    let mut rows: Vec<&Series> = chart.series.iter().filter(|row| held(row) > 0.0).collect();
    rows.sort_by(|a, b| held(b).total_cmp(&held(a)));
    rows.truncate(NAMED);
    let key = rows.into_iter().map(|row| {
        let ink = Token::HEAT[shade(held(&row), most)];
        html! { <span>{ swatch(&ink) }{ row.label }{ " " }<b>{ value_text(chart.id, Some(held(&row))) }</b></span> }
    });
    html! {
        <>
            <span class="shades">{ "1" }<span>{ for Token::HEAT.iter().map(swatch) }</span>{ format::count(most as u64) }</span>
            { for key }
        </>
    }
}

/// What a series has in the last second that is over at the cursor.
fn at_cursor(chart: &Chart, series: &Series, at_s: f64) -> Option<f64> {
    let middle = last_second(at_s, chart.end_s)? as f64 + 0.5;
    series.points.iter().find(|(at, _)| *at == middle).and_then(|(_, value)| *value)
}

/// A lesson's own chart has a title of the lesson's.
fn titled(chart: &Chart) -> Html {
    if chart.id.starts_with("signals") {
        content(&chart.title)
    } else {
        html! { &chart.title }
    }
}

/// Lines are called by the page, or by the scenario: its parts, a lesson's own lines.
fn named(chart: &Chart, series: &Series) -> Html {
    match chart.id == "queue" || chart.id.starts_with("signals") {
        true => content(series.label),
        false => html! { series.label },
    }
}

fn table(chart: &Chart, on_second: &Callback<usize>) -> Html {
    let rows = chart.series.first().map_or(0, |series| series.points.len());
    let row = |index: usize| {
        let cells =
            chart.series.iter().map(|series| html! { <td>{ value_text(chart.id, series.points[index].1) }</td> });
        let second = chart.series[0].points[index].0 as usize;
        let onclick = on_second.reform(move |_: MouseEvent| second);
        let name = format!("{second} s");
        html! {
            <tr><th scope="row"><button type="button" class="put" title={text::requests_of(second, second + 1)} {onclick}>{ name }</button></th>{ for cells }</tr>
        }
    };
    html! {
        <table>
            <thead><tr><th scope="col">{ text::from() }</th>
                { for chart.series.iter().map(|series| html! { <th scope="col">{ named(chart, series) }</th> }) }
            </tr></thead>
            <tbody>{ for (1..rows.saturating_sub(1)).map(row) }</tbody>
        </table>
    }
}

fn draw(canvas: &HtmlCanvasElement, chart: &Chart, size: (f64, f64), screen: &Screen) {
    let (width, height) = ((size.0 * screen.ratio).round() as u32, (size.1 * screen.ratio).round() as u32);
    if width < 2 || height < 2 {
        return;
    }
    // Setting the size also clears the canvas and its state.
    canvas.set_width(width);
    canvas.set_height(height);
    let context =
        canvas.get_context("2d").ok().flatten().and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok());
    let (Some(context), Some(backend)) = (context, CanvasBackend::with_canvas_object(canvas.clone())) else { return };
    context.set_line_join("round");
    context.set_line_cap("butt");
    let dash = |pattern: &[f64]| {
        let pattern: js_sys::Array = pattern.iter().map(|length| JsValue::from_f64(*length)).collect();
        let _ = context.set_line_dash(&pattern);
    };
    let drawn = plot::draw(&backend.into_drawing_area(), chart, &screen.palette, screen.ratio, dash);
    debug_assert!(drawn.is_ok(), "{drawn:?}");
}
