//! The requests of a short stretch of time in the place of the system: messages from node to node, or what workers do.

use crate::components::svg::{label_in, path, rect};
use crate::state::action::{Action, Tab};
use crate::text::language::of_content;
use crate::text::scene as text;
use crate::view_model::format;
use crate::view_model::scene::{Drawn, Group, LENGTHS_MS, SceneView, StageView, Stretch};
use sandbox_core::ids::RequestId;
use sandbox_core::time::Span;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlSelectElement, KeyboardEvent};
use yew::prelude::*;

/// What [`scene`] draws.
pub struct SceneProps<'a> {
    /// Which picture.
    pub picture: StageView,
    /// What is in it; None: time passes too fast.
    pub view: Option<&'a SceneView>,
    /// The drawing's size.
    pub size: (f64, f64),
    /// Where the cursor is on the axis of time, from 0 to 1.
    pub at: f64,
    /// How much of the run is in it.
    pub stretch: Stretch,
    /// The request looked at, if the run has it.
    pub selected: Option<RequestId>,
    /// What the learner does.
    pub on: &'a Callback<Action>,
}

/// A choice of what the stage shows.
pub fn pictures(chosen: StageView, on: &Callback<Action>) -> Html {
    let onchange = choose(on, |word| {
        let (picture, _) = StageView::ALL.into_iter().find(|(_, known)| *known == word)?;
        Some(Action::Picture(picture))
    });
    let option = |(picture, word): (StageView, &'static str)| {
        html! { <option value={word} selected={picture == chosen}>{ picture.title() }</option> }
    };
    html! { <select aria-label={text::picture()} {onchange}>{ for StageView::ALL.into_iter().map(option) }</select> }
}

/// The picture.
pub fn scene(props: &SceneProps) -> Html {
    let title = props.picture.title();
    match props.view {
        None => html! { <p class="empty">{ text::too_fast() }</p> },
        Some(view) => {
            let (width, height) = props.size;
            let at = view.axis.0 + props.at * (view.axis.1 - view.axis.0);
            let (veil, now) = match props.picture {
                StageView::Workers => (
                    rect("veil", (at, 0.0), (width - at, height - 18.0), 0.0),
                    format!("M{at:.1} 44V{:.1}", height - 18.0),
                ),
                _ => (rect("veil", (0.0, at), (width, height - at), 0.0), format!("M0 {at:.1}H{width:.1}")),
            };
            let groups = view.groups.iter().map(|group| self::group(group, props.on));
            let is_list = props.picture == StageView::Workers;
            html! {
                <>
                    <svg viewBox={format!("0 0 {width} {height}")} role={(!is_list).then_some("group")}
                        aria-label={(!is_list).then_some(title)} aria-hidden={is_list.then_some("true")}>
                        { drawn(&view.ground) }{ for groups }{ veil }{ path("now", now) }
                    </svg>
                    if is_list { <ul class="unseen" aria-label={title}>{ for view.groups.iter().map(|group| html! { <li>{ &group.says }</li> }) }</ul> }
                </>
            }
        }
    }
}

/// What stands below the picture: what it is of.
pub fn foot(props: &SceneProps) -> Html {
    html! {
        <div class="scenefoot">
            <span>{ props.view.map(|view| view.note.clone()).unwrap_or_default() }</span>
            { keys(props.picture) }
            <span class="grow"></span>
            { stretches(props) }
        </div>
    }
}

/// A request can be looked at; what a node did can be read.
fn group(group: &Group, on: &Callback<Action>) -> Html {
    let Some(request) = group.request else { return drawn(&group.drawn) };
    let look = on.clone();
    let look = Callback::from(move |()| {
        look.emit(Action::Select(request));
        look.emit(Action::Show(Tab::Requests));
    });
    let onclick = look.reform(|_: MouseEvent| ());
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            look.emit(());
        }
    });
    html! {
        <g role="button" tabindex="0" class={group.mine.then_some("mine")} data-request={request.0.to_string()}
            aria-label={group.says.clone()} {onclick} {onkeydown}>{ drawn(&group.drawn) }</g>
    }
}

fn drawn(drawn: &Drawn) -> Html {
    let paths = drawn.paths.iter().map(|(class, d)| path(class, d.clone()));
    let texts = drawn.texts.iter().map(|(class, at, text, room)| {
        let written = label_in(class, *at, text, *room);
        // Nodes are called by the scenario.
        html! { <g lang={of_content().filter(|_| class.starts_with("of"))}>{ written }</g> }
    });
    html! { <>{ for paths }{ for texts }</> }
}

/// What the looks mean.
fn keys(picture: StageView) -> Html {
    let (d, keys) = match picture {
        StageView::Workers => (
            "M1 1h12v6h-12z",
            [("bar-work", text::works()), ("bar-held", text::holds()), ("bar-lost", text::for_nobody())],
        ),
        _ => ("M0 4H14", [("call", text::call()), ("answer", text::answer()), ("failed", text::failed())]),
    };
    let key = |(class, name): (&str, &str)| {
        html! { <span class="key"><svg viewBox="0 0 14 8" aria-hidden="true">{ path(class, d.into()) }</svg>{ name }</span> }
    };
    keys.into_iter().map(key).collect()
}

/// A choice of how much of the run is in the picture.
fn stretches(props: &SceneProps) -> Html {
    let onchange = choose(props.on, |word| {
        let length = word.parse().ok().map(|ms| Stretch::Around(Span::from_millis(ms)));
        Some(Action::Stretch(length.unwrap_or(Stretch::Request)))
    });
    let lengths = LENGTHS_MS.iter().map(|ms| {
        let span = Span::from_millis(*ms);
        html! { <option value={ms.to_string()} selected={props.stretch == Stretch::Around(span)}>{ format::span(span) }</option> }
    });
    let request = props.selected.map(|request| {
        let name = text::this_request(format::count(request.0.into()));
        html! { <option value="request" selected={props.stretch == Stretch::Request}>{ name }</option> }
    });
    // Where a choice goes, a select of its own shows which is left: the browser would keep to the first.
    let key = if request.is_some() { "request" } else { "lengths" };
    html! { <select {key} aria-label={text::stretch()} {onchange}>{ for lengths }{ request }</select> }
}

fn choose(on: &Callback<Action>, action: fn(&str) -> Option<Action>) -> Callback<Event> {
    let on = on.clone();
    Callback::from(move |event: Event| {
        let select = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
        if let Some(action) = select.and_then(|select| action(&select.value())) {
            on.emit(action);
        }
    })
}
