//! The system as boxes and links, with its live state.

use crate::view_model::dots::{Flow, Look};
use crate::view_model::live::PartView;
use crate::view_model::topology::{HALF, Layout, Part};
use sandbox_core::ids::NodeId;
use std::fmt::Write;
use std::rc::Rc;
use yew::prelude::*;

/// What [`topology`] draws.
pub struct TopologyProps {
    /// Where everything stands.
    pub layout: Rc<Layout>,
    /// What each node of the plan says of itself.
    pub parts: Vec<PartView>,
    /// The dots under way.
    pub flow: Flow,
    /// Where the next event happens; none while time flies.
    pub next: Option<NodeId>,
    /// The frame that the drawing fills.
    pub frame: NodeRef,
}

/// The system as boxes and links.
pub fn topology(props: &TopologyProps) -> Html {
    let (layout, size) = (&*props.layout, props.layout.size);
    let down = |node: NodeId| props.parts.get(node.index()).is_some_and(|part| part.class == "down");
    let links = layout.links.iter().map(|link| {
        let class = classes!("wire", (down(link.to) || down(link.from)).then_some("dead"));
        html! { <path class={class} d={link.path()} /> }
    });
    let parts =
        layout.parts.iter().filter_map(|part| Some(draw_part(part, props.parts.get(part.node.index())?, props.next)));
    let sentences = layout.parts.iter().filter_map(|part| props.parts.get(part.node.index())).map(|part| {
        html! { <li>{ &part.sentence }</li> }
    });
    html! {
        <div class="topo" ref={props.frame.clone()}>
            <svg viewBox={format!("0 0 {} {}", size.0, size.1)} aria-hidden="true">
                { for links }
                { dots(&props.flow, layout) }
                { for parts }
                { legend(size) }
            </svg>
            <ul class="unseen" aria-label="Parts of the system">{ for sentences }</ul>
        </div>
    }
}

fn draw_part(part: &Part, view: &PartView, next: Option<NodeId>) -> Html {
    let (x, y) = (part.x, part.y);
    let at = |value: f64| format!("{value:.1}");
    let class = classes!("box", view.class, (next == Some(part.node)).then_some("next"));
    let bar = view.busy.map(|busy| {
        let width = 88.0 * busy.clamp(0.0, 1.0);
        let class = if busy > 0.7 { "fill high" } else { "fill" };
        html! {
            <>
                <rect class="trough" x={at(x - 44.0)} y={at(y + 21.0)} width="88" height="5" rx="2.5" />
                <rect class={class} x={at(x - 44.0)} y={at(y + 21.0)} width={at(width)} height="5" rx="2.5" />
            </>
        }
    });
    let broken = (view.class == "down").then(|| {
        let path = format!("M{:.1} {:.1}l5 -6l4 8l5 -9l4 7", x - 10.0, y + 24.0);
        html! { <path class="mark" d={path} /> }
    });
    let badge = view.badge.as_ref().map(|(text, class)| {
        let width = 14.0 + 7.3 * text.chars().count() as f64;
        let (center, top) = (x + HALF.0 - width / 2.0 + 16.0, y - HALF.1 - 15.0);
        html! {
            <g>
                <rect class={classes!("badge", *class)} x={at(center - width / 2.0)} y={at(top)} width={at(width)} height="23" rx="11.5" />
                <text class={classes!("badge-text", *class)} x={at(center)} y={at(top + 16.0)}>{ text }</text>
            </g>
        }
    });
    html! {
        <g>
            <rect class={class} x={at(x - HALF.0)} y={at(y - HALF.1)} width={at(2.0 * HALF.0)} height={at(2.0 * HALF.1)} rx="10" />
            <text class="name" x={at(x)} y={at(y - 6.0)}>{ &part.name }</text>
            <text class={classes!("say", view.say_class)} x={at(x)} y={at(y + 12.0)}>{ &view.say }</text>
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
    html! {
        <>
            <path class="dot" d={requests} />
            <path class="dot stale" d={stale} />
            <path class="dot failed" d={failed} />
        </>
    }
}

fn legend(size: (f64, f64)) -> Html {
    let y = size.1 - 12.0;
    let narrow = size.0 < 480.0;
    let aside = if narrow { "last 30, slowed" } else { "the last 30 requests, slowed to half a second a link" };
    html! {
        <g class="legend">
            <circle class="dot" cx="20" cy={y.to_string()} r="4.2" />
            <text x="29" y={(y + 4.0).to_string()}>{ "request" }</text>
            <circle class="dot stale" cx="90" cy={y.to_string()} r="4.2" />
            <text x="99" y={(y + 4.0).to_string()}>{ "stale" }</text>
            <path class="dot failed" d={format!("M146 {:.1}l5.6 5.6l-5.6 5.6l-5.6 -5.6z", y - 5.6)} />
            <text x="156" y={(y + 4.0).to_string()}>{ "failed" }</text>
            <text class="aside" x={(size.0 - 14.0).to_string()} y={(y + 4.0).to_string()} text-anchor="end">{ aside }</text>
        </g>
    }
}
