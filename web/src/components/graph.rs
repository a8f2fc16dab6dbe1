//! The system as it is written, to choose from and to connect by dragging. Everything that a drag does a button does as well.

use crate::components::content::content;
use crate::components::svg::path;
use crate::draft::edit::Edit;
use crate::draft::graph::{Graph, GraphNode};
use crate::draft::way;
use crate::state::workshop::Act;
use crate::text::playground as text;
use serde_json::Value;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};
use yew::prelude::*;

/// Height of a layer and of a node, in CSS pixels where the reader left the size of text as it is; they follow it.
const LAYER: f64 = 66.0;
const NODE: f64 = 44.0;
/// A pointer that moves less far only presses.
const SLOP: f64 = 6.0;

/// Properties of [`GraphView`].
#[derive(Clone, PartialEq, Properties)]
pub struct GraphProps {
    /// The document.
    pub json: Value,
    /// The node that is looked at.
    pub selected: Option<AttrValue>,
    /// What somebody does.
    pub on: Callback<Act>,
}

/// A connection that is being drawn: from which node, where the pointer went down and is now, in the frame's pixels.
#[derive(Clone, Debug, PartialEq)]
struct Drawn {
    from: String,
    begin: (f64, f64),
    end: (f64, f64),
}

impl Drawn {
    fn is_drag(&self) -> bool {
        (self.begin.0 - self.end.0).hypot(self.begin.1 - self.end.1) > SLOP
    }
}

/// The system. Nodes are buttons; a drag from one to another connects them.
#[component]
pub fn GraphView(props: &GraphProps) -> Html {
    let graph = use_memo(props.json.clone(), Graph::new);
    let frame = use_node_ref();
    let drawn = use_state_eq(|| None::<Drawn>);
    let place = {
        let frame = frame.clone();
        move |event: &PointerEvent| {
            let left_top = frame.cast::<Element>().map(|frame| frame.get_bounding_client_rect());
            let (left, top) = left_top.map_or((0.0, 0.0), |rect| (rect.left(), rect.top()));
            (f64::from(event.client_x()) - left, f64::from(event.client_y()) - top)
        }
    };
    let onpointermove = {
        let (drawn, place) = (drawn.clone(), place.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some(present) = &*drawn {
                drawn.set(Some(Drawn { end: place(&event), ..present.clone() }));
            }
        })
    };
    let onpointerup = {
        let (drawn, on) = (drawn.clone(), props.on.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some(present) = &*drawn {
                let to = node_at(event.client_x(), event.client_y()).filter(|to| *to != present.from);
                if let (true, Some(to)) = (present.is_drag(), to) {
                    on.emit(Act::Edit(Edit::Connect(present.from.clone(), to)));
                }
                drawn.set(None);
            }
        })
    };
    let cancel = {
        let drawn = drawn.clone();
        Callback::from(move |_: PointerEvent| drawn.set(None))
    };
    let node = |node: &GraphNode| {
        let chosen = props.selected.as_deref() == Some(node.id.as_str());
        let id = node.id.clone();
        let onclick = props.on.reform(move |_: MouseEvent| Act::Select(way(&["nodes", &id])));
        let onpointerdown = {
            let (drawn, place, id) = (drawn.clone(), place.clone(), node.id.clone());
            Callback::from(move |event: PointerEvent| {
                let at = place(&event);
                drawn.set(Some(Drawn { from: id.clone(), begin: at, end: at }));
            })
        };
        let (called, calling) = graph.neighbours(&node.id);
        let list = |told: fn(String) -> String, ids: Vec<&str>| {
            if ids.is_empty() { String::new() } else { told(ids.join(", ")) }
        };
        let calls = [list(text::calls, called), list(text::called_by, calling)].concat();
        let wide = 94.0 / graph.nodes.iter().filter(|other| other.layer == node.layer).count() as f64;
        let style = format!(
            "left:{:.2}%;top:{:.3}rem;max-width:{wide:.1}%",
            node.across * 100.0,
            (node.layer as f64 * LAYER + 10.0) / 16.0
        );
        html! {
            <button type="button" class="gnode" {style} aria-pressed={chosen.to_string()} data-node={node.id.clone()} {onclick} {onpointerdown}>
                <b>{ content(&node.title) }</b>{ " " }<span>{ content(&node.kind) }</span><span class="unseen">{ calls }</span></button>
        }
    };
    let high = (graph.layers.max(1) as f64 * LAYER).max(LAYER);
    // Across in per cent, which the drawing stretches to.
    let wire = |(from, to): &(usize, usize)| {
        let (from, to) = (&graph.nodes[*from], &graph.nodes[*to]);
        let (x, y) = (from.across * 100.0, from.layer as f64 * LAYER + 10.0 + NODE);
        let (u, v) = (to.across * 100.0, to.layer as f64 * LAYER + 10.0);
        let middle = (y + v) / 2.0;
        path("wire", format!("M{x:.1} {y:.1}C{x:.1} {middle:.1} {u:.1} {middle:.1} {u:.1} {v:.1}"))
    };
    let line = drawn.as_ref().filter(|drawn| drawn.is_drag()).map(|drawn| {
        let ((x, y), (u, v)) = (drawn.begin, drawn.end);
        html! { <svg class="drawn" aria-hidden="true">{ path("wire new", format!("M{x:.1} {y:.1}L{u:.1} {v:.1}")) }</svg> }
    });
    html! {
        <div class="graph" ref={frame} style={format!("height:{:.3}rem", high / 16.0)} role="group" aria-label={text::choose_node()} {onpointermove} {onpointerup} onpointercancel={cancel}>
            <svg viewBox={format!("0 0 100 {high}")} preserveAspectRatio="none" aria-hidden="true">{ for graph.calls.iter().map(wire) }</svg>
            { for graph.nodes.iter().map(node) }
            { for line }
        </div>
    }
}

/// The node that is drawn at a place of the window.
fn node_at(x: i32, y: i32) -> Option<String> {
    let there = web_sys::window()?.document()?.element_from_point(x as f32, y as f32)?;
    there.unchecked_into::<Element>().closest("[data-node]").ok()??.get_attribute("data-node")
}
