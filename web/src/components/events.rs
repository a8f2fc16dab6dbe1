//! What happens around the cursor, record by record: the time line for those who read it.

use crate::components::content::content;
use crate::state::action::Action;
use crate::text::evidence as text;
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

/// The event list.
pub fn events(props: &EventsProps) -> Html {
    let current = props.lines.iter().rposition(|line| line.step <= props.step);
    let line = |(index, line): (usize, &EventLine)| {
        let (on, step, request) = (props.on.clone(), line.step, line.request);
        let onclick = Callback::from(move |_: MouseEvent| {
            if request > 0 {
                on.emit(Action::Select(sandbox_core::ids::RequestId(request)));
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
                && let Ok(number) = input.value().replace([',', '#', ' '], "").parse::<u32>()
            {
                on.emit(Action::Select(sandbox_core::ids::RequestId(number)));
            }
        })
    };
    html! {
        <>
            <div class="card find">
                <label for="find-request">{ text::request_number() }</label>
                <input id="find-request" inputmode="numeric" autocomplete="off" onkeydown={find} />
                <span>{ text::then_enter() }</span>
            </div>
            <ol ref={props.list.clone()} class={classes!("card", "events", props.short.then_some("short"))} aria-label={text::events()}>
                { for props.lines.iter().enumerate().map(line) }
            </ol>
        </>
    }
}
