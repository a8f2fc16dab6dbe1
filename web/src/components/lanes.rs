//! One request on its way, as a lane for each part: bars where it stays, lines where it travels.

use crate::components::svg::{label, path, rect};
use crate::text::language::of_content;
use crate::view_model::request::{BarKind, LanesView};
use yew::prelude::*;

/// What [`lanes`] draws.
pub struct LanesProps<'a> {
    /// What to draw.
    pub lanes: &'a LanesView,
    /// The heading: which request.
    pub name: &'a str,
    /// What it asked for and how long it took.
    pub about: String,
    /// How wide the drawing is, in its own units.
    pub width: f64,
    /// Where the cursor is, in milliseconds after the intended send, if the request is under way then.
    pub at_ms: Option<f64>,
    /// Whether it stands inside the inspector.
    pub inside: bool,
}

const LEFT: f64 = 74.0;
const ROW: f64 = 22.0;

/// One request on its way.
pub fn lanes(props: &LanesProps) -> Html {
    let lanes = props.lanes;
    let width = props.width;
    let scale = (width - LEFT - 14.0) / lanes.span_ms.max(1e-6);
    let x = |ms: f64| LEFT + ms * scale;
    let y = |row: usize| 5.0 + row as f64 * ROW;
    let height = y(lanes.rows.len()) + 16.0;
    let rows = lanes.rows.iter().enumerate().map(|(row, lane)| {
        let bars = lane.bars.iter().map(|bar| {
            let class = match bar.kind {
                BarKind::Queue => "bar-queue",
                BarKind::Work => "bar-work",
                BarKind::Wait => "bar-wait",
            };
            let (height, down) = if bar.kind == BarKind::Wait { (3.0, 6.0) } else { (14.0, 0.0) };
            let width = ((bar.to_ms - bar.from_ms) * scale).max(1.0);
            rect(class, (x(bar.from_ms), y(row) + down), (width, height), 2.5)
        });
        let ground = format!("M{LEFT:.0} {:.1}H{:.1}", y(row) + 17.5, width - 8.0);
        html! { <><g lang={of_content()}>{ label("of", (LEFT - 10.0, y(row) + 11.5), &lane.name) }</g>{ path("ground", ground) }{ for bars }</> }
    });
    let hops = lanes.hops.iter().map(|hop| {
        let d = format!(
            "M{:.1} {:.1}L{:.1} {:.1}",
            x(hop.from_ms),
            y(hop.from_row) + 7.0,
            x(hop.to_ms),
            y(hop.to_row) + 7.0
        );
        path("hop", d)
    });
    let marks = lanes.marks.iter().map(|mark| {
        let (mx, my) = (x(mark.at_ms), y(mark.row) + 1.5);
        let class = if mx > width - 90.0 {
            "mark-text end"
        } else if mx < LEFT + 60.0 {
            "mark-text start"
        } else {
            "mark-text"
        };
        let text_y = if mark.row == 0 { my + 24.0 } else { my - 5.0 };
        let diamond = format!("M{mx:.1} {my:.1}l5.5 5.5l-5.5 5.5l-5.5 -5.5z");
        html! { <>{ path("mark", diamond) }{ label(class, (mx, text_y), &mark.text) }</> }
    });
    let ticks = lanes.ticks.iter().map(|(ms, text)| label("tick", (x(*ms), height - 3.0), text));
    let here = props.at_ms.map(|ms| path("here", format!("M{:.1} 0V{:.1}", x(ms), height - 16.0)));
    html! {
        <div class={classes!("lanes", props.inside.then_some("inside"))} data-picture="way">
            if !props.inside { <div class="lanehead"><b>{ props.name }</b><span class="num">{ &props.about }</span></div> }
            <svg viewBox={format!("0 0 {width} {height:.0}")} role="img" aria-label={lanes.sentence.clone()}>
                { for rows }{ for hops }{ for marks }{ for ticks }{ for here }
            </svg>
        </div>
    }
}
