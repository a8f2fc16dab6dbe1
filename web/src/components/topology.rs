//! The system as boxes and links, with its live state.

use crate::components::svg::{label, label_in, path, rect, width_of};
use crate::text::language::of_content;
use crate::text::stage as text;
use crate::view_model::dots::{Flow, Look};
use crate::view_model::live::PartView;
use crate::view_model::topology::{Layout, Part};
use sandbox_core::ids::NodeId;
use std::fmt::Write;
use std::rc::Rc;
use yew::prelude::*;

/// What [`topology`] draws.
pub struct TopologyProps<'a> {
    /// Where everything stands.
    pub layout: Rc<Layout>,
    /// What each node of the plan says of itself.
    pub parts: Vec<PartView>,
    /// Whether any answer of the run is stale.
    pub stale: bool,
    /// The dots under way.
    pub flow: &'a Flow,
    /// Where the next event happens; none while time flies.
    pub next: Option<NodeId>,
}

/// The system as boxes and links, and in sentences.
pub fn topology(props: &TopologyProps) -> Html {
    let (layout, size) = (&*props.layout, props.layout.size);
    let sentences = layout.parts.iter().filter_map(|part| props.parts.get(part.node.index())).map(|part| {
        html! { <li>{ &part.sentence }</li> }
    });
    html! {
        <>
            <svg viewBox={format!("0 0 {} {}", size.0, size.1)} aria-hidden="true">{ drawing(props) }</svg>
            <ul class="unseen" aria-label={text::parts()}>{ for sentences }</ul>
        </>
    }
}

/// What is drawn of it.
pub fn drawing(props: &TopologyProps) -> Html {
    let layout = &*props.layout;
    let down = |node: NodeId| props.parts.get(node.index()).is_some_and(|part| part.class == "down");
    let links = layout.links.iter().map(|link| {
        let class = if down(link.to) || down(link.from) { "wire dead" } else { "wire" };
        path(class, link.path())
    });
    let parts = layout
        .parts
        .iter()
        .filter_map(|part| Some(draw_part(part, layout.half, props.parts.get(part.node.index())?, props.next)));
    html! {
        <>
            { for links }
            { dots(props.flow, layout) }
            { for parts }
            { legend(layout.size, props.stale) }
        </>
    }
}

fn draw_part(part: &Part, half: (f64, f64), view: &PartView, next: Option<NodeId>) -> Html {
    let (x, y) = (part.x, part.y);
    // A small box has room for its name and its bar.
    let small = half.0 < 42.0 || half.1 < 28.0;
    let next = if next == Some(part.node) { " next" } else { "" };
    let bar = view.busy.map(|busy| {
        let long = (2.0 * half.0 - 24.0).max(12.0);
        let (at, width) = ((x - long / 2.0, y + half.1 - 11.0), long * busy.clamp(0.0, 1.0));
        let class = if busy > 0.7 { "fill high" } else { "fill" };
        html! { <>{ rect("trough", at, (long, 5.0), 2.5) }{ rect(class, at, (width, 5.0), 2.5) }</> }
    });
    let broken = (view.class == "down")
        .then(|| path("mark", format!("M{:.1} {:.1}l5 -6l4 8l5 -9l4 7", x - 10.0, y + half.1 - 8.0)));
    let badge = view.badge.as_ref().map(|(text, class)| {
        let room = 2.0 * half.0 + 24.0;
        let width = (14.0 + 7.3 * text.chars().count() as f64).min(room);
        let (center, top) = (x + half.0 - width / 2.0 + 16.0, y - half.1 - 15.0);
        html! {
            <g>
                { rect(&format!("badge {class}"), (center - width / 2.0, top), (width, 23.0), 11.5) }
                { label_in(&format!("badge-text {class}"), (center, top + 16.0), text, width - 10.0) }
            </g>
        }
    });
    html! {
        <g>
            { rect(&format!("box {}{next}", view.class), (x - half.0, y - half.1), (2.0 * half.0, 2.0 * half.1), 10.0) }
            <g lang={of_content()}>{ label("name", (x, if small { y + 2.0 } else { y - 6.0 }), &part.name) }</g>
            if !small { { label_in(&format!("say {}", view.say_class), (x, y + 12.0), &view.say, 2.0 * half.0 - 6.0) } }
            { for bar }
            { for broken }
            { for badge }
        </g>
    }
}

/// All dots of a kind are one path, so that a frame changes three attributes.
fn dots(flow: &Flow, layout: &Layout) -> Html {
    let mut paths = [String::new(), String::new(), String::new()];
    for dot in flow.dots(layout) {
        let (x, y) = (dot.x, dot.y);
        let written = match dot.look {
            Look::Request => write!(paths[0], "M{:.1} {y:.1}a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0", x - 4.2),
            Look::Stale => write!(paths[1], "M{:.1} {y:.1}a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0", x - 4.2),
            Look::Failed => write!(paths[2], "M{x:.1} {:.1}l5.6 5.6l-5.6 5.6l-5.6 -5.6z", y - 5.6),
        };
        debug_assert!(written.is_ok(), "a string takes all");
    }
    let [requests, stale, failed] = paths;
    html! { <>{ path("dot", requests) }{ path("dot stale", stale) }{ path("dot failed", failed) }</> }
}

fn legend(size: (f64, f64), stale: bool) -> Html {
    let y = size.1 - 12.0;
    let narrow = size.0 < 540.0;
    let aside = if narrow { text::last_requests_narrow() } else { text::last_requests() };
    let dot = |x: f64| format!("M{x:.1} {y:.1}a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0");
    // Three names and three shapes share the line.
    let most = (size.0 - 100.0) / 3.0;
    let after = |x: f64, text: &str| x + width_of(text).min(most) + 16.0;
    let stale_x = after(29.0, text::request());
    let failed = if stale { after(stale_x + 13.2, text::stale()) } else { stale_x };
    // What is left of the line is the aside's; where that is little, there is none.
    let room = size.0 - 14.0 - after(failed + 10.0, text::failed());
    html! {
        <g class="legend">
            { path("dot", dot(15.8)) }
            { label_in("", (29.0, y + 4.0), text::request(), most) }
            if stale {
                { path("dot stale", dot(stale_x)) }
                { label_in("", (stale_x + 13.2, y + 4.0), text::stale(), most) }
            }
            { path("dot failed", format!("M{failed:.1} {:.1}l5.6 5.6l-5.6 5.6l-5.6 -5.6z", y - 5.6)) }
            { label_in("", (failed + 10.0, y + 4.0), text::failed(), most) }
            if room > width_of(aside) / 2.0 { { label_in("aside", (size.0 - 14.0, y + 4.0), aside, room) } }
        </g>
    }
}
