//! What to stop at, and the way to where that happens next or happened before.

use crate::components::press::{beside, button};
use crate::state::action::Action;
use crate::state::stops::Stops;
use crate::text::stops as text;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The field, its buttons, and what came of it.
pub fn stops(stops: &Stops, on: &Callback<Action>) -> Html {
    let onchange = {
        let on = on.clone();
        Callback::from(move |event: Event| {
            let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            on.emit(Action::StopAt(field.map(|field| field.value()).unwrap_or_default()));
        })
    };
    // A button may be pressed before the field has told what was typed.
    let go = |there: Action| {
        let on = on.clone();
        Callback::from(move |event: MouseEvent| {
            let field = beside(&event, "input").map(|field| field.unchecked_into::<HtmlInputElement>());
            on.emit(Action::StopAt(field.map(|field| field.value()).unwrap_or_default()));
            on.emit(there.clone());
        })
    };
    let onkeydown = {
        let on = on.clone();
        Callback::from(move |event: KeyboardEvent| {
            let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            if let (Some(field), "Enter") = (field, event.key().as_str()) {
                on.emit(Action::StopAt(field.value()));
                on.emit(if event.shift_key() { Action::PreviousStop } else { Action::NextStop });
            }
        })
    };
    html! {
        <section class="card stops" aria-label={text::breakpoint()} data-stops="">
            <div class="bar">
                <label class="grow">{ text::stop_at() }
                    <input type="text" list="stop-examples" autocomplete="off" spellcheck="false" translate="no" maxlength="200" placeholder="event=refused"
                        value={stops.text.clone()} aria-describedby="stop-said" {onchange} {onkeydown} /></label>
                { button("btn mini", text::previous(), go(Action::PreviousStop)) }
                { button("btn mini primary", text::next(), go(Action::NextStop)) }
            </div>
            <datalist id="stop-examples">{ for stops.examples.iter().map(|example| html! { <option value={example.clone()} /> }) }</datalist>
            <p id="stop-said" class={classes!((!stops.understood).then_some("bad"))} role="status">{ if stops.said.is_empty() { text::explained() } else { &stops.said } }</p>
        </section>
    }
}
