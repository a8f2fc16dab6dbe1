//! What happens around the cursor, record by record: the time line for those who read it.

use crate::components::content::content;
use crate::components::press::{button, press};
use crate::state::action::{Action, Tab};
use crate::text::evidence as text;
use crate::view_model::format;
use sandbox_core::ids::RequestId;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

/// A record in words.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLine {
    /// Its number.
    pub seq: u32,
    /// The step that made it.
    pub step: u64,
    /// When.
    pub at: String,
    /// In words.
    pub text: String,
    /// The request it belongs to, 0 for none.
    pub request: u32,
    /// Whether it belongs to the request looked at.
    pub mine: bool,
}

/// What [`events`] draws.
pub struct EventsProps {
    /// The records.
    pub lines: Vec<EventLine>,
    /// The step the cursor stands after.
    pub step: u64,
    /// Whether the list leaves room for the inspector.
    pub short: bool,
    /// The second whose requests are listed in the place of the records, if any is.
    pub second: Option<Rc<SecondView>>,
    /// Why the request whose number was just typed cannot be looked at.
    pub not_found: String,
    /// The list, for [`show_current`].
    pub list: NodeRef,
    /// What the learner does.
    pub on: Callback<Action>,
}

/// Scrolls the list to the event at the cursor; the page stays where the reader put it.
pub fn show_current(list: &NodeRef) {
    let list = list.cast::<Element>();
    let current = list.as_ref().and_then(|list| list.query_selector("[aria-current]").ok().flatten());
    if let (Some(list), Some(current)) = (list, current) {
        let (own, frame) = (current.get_bounding_client_rect(), list.get_bounding_client_rect());
        let middle = own.top() - frame.top() - (frame.height() - own.height()) / 2.0;
        list.set_scroll_top(list.scroll_top() + middle as i32);
    }
}

/// The requests that ended in a second.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondView {
    /// Which, from 0.
    pub second: usize,
    /// How many ended in it, and how many of them failed.
    pub ended: (usize, usize),
    /// Some of them: those that failed, then those that took longest.
    pub lines: Vec<SecondLine>,
}

/// A request among them.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondLine {
    /// Which.
    pub request: RequestId,
    /// What it asked for.
    pub asked: String,
    /// How it ended, and the class of its tag.
    pub tag: (&'static str, &'static str),
    /// How long it took.
    pub took: String,
}

/// The list of the requests that ended in a second.
fn second(view: &SecondView, short: bool, on: &Callback<Action>) -> Html {
    let line = |line: &SecondLine| {
        let onclick = press(on, Action::LookAt(line.request));
        html! {
            <li key={line.request.0}>
                <button type="button" class="event" data-request={line.request.0.to_string()} {onclick}>
                    <span class="when num">{ format!("#{}", format::count(line.request.0.into())) }</span>
                    <span><span class={classes!("tag", "num", line.tag.1)}>{ line.tag.0 }</span>{ " " }{ content(&line.asked) }{ ", " }{ &line.took }</span>
                </button>
            </li>
        }
    };
    let (ended, failed) = (format::count(view.ended.0 as u64), format::count(view.ended.1 as u64));
    let says = text::of_second(view.second, view.second + 1, ended, failed, view.lines.len());
    html! {
        <>
            <div class="card empty" data-second={view.second.to_string()}><p role="status">{ &says }</p>
                { button("link", text::to_events(), press(on, Action::Show(Tab::Requests))) }</div>
            <ol class={classes!("card", "events", short.then_some("short"))} aria-label={says.clone()}>{ for view.lines.iter().map(line) }</ol>
        </>
    }
}

/// The event list.
pub fn events(props: &EventsProps) -> Html {
    let current = props.lines.iter().rposition(|line| line.step <= props.step);
    let line = |(index, line): (usize, &EventLine)| {
        let (on, step, request) = (props.on.clone(), line.step, line.request);
        let onclick = Callback::from(move |_: MouseEvent| {
            if request > 0 {
                on.emit(Action::Select(RequestId(request)));
            }
            on.emit(Action::SeekStep(step));
        });
        let class = classes!("event", line.mine.then_some("mine"), (line.step > props.step).then_some("later"));
        html! {
            <li key={line.seq}>
                <button type="button" {class} aria-current={(Some(index) == current).then_some("step")} {onclick}>
                    <span class="when num">{ &line.at }</span><span>{ content(&line.text) }</span>
                </button>
            </li>
        }
    };
    let find = {
        let on = props.on.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter"
                && let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
            {
                on.emit(Action::Find(input.value()));
            }
        })
    };
    html! {
        <>
            <div class="card find">
                <label for="find-request">{ text::request_number() }</label>
                <input id="find-request" inputmode="numeric" autocomplete="off" onkeydown={find} />
                <span>{ text::then_enter() }</span>
                <p role="status">{ &props.not_found }</p>
            </div>
            if let Some(view) = &props.second { { second(view, props.short, &props.on) } } else {
                <ol ref={props.list.clone()} class={classes!("card", "events", props.short.then_some("short"))} aria-label={text::events()}>
                    { for props.lines.iter().enumerate().map(line) }
                </ol>
            }
        </>
    }
}
