//! What buttons do.

use crate::state::action::Action;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement};
use yew::prelude::*;

/// A press that is this action.
pub fn press(on: &Callback<Action>, action: Action) -> Callback<MouseEvent> {
    let on = on.clone();
    Callback::from(move |_| on.emit(action.clone()))
}

/// The element that stands in the same bar as the button that was pressed.
pub fn beside(event: &MouseEvent, what: &str) -> Option<Element> {
    let button: Element = event.target()?.dyn_into().ok()?;
    button.closest(".bar").ok()??.query_selector(what).ok()?
}

/// A press that closes a dialog.
pub fn close(dialog: &NodeRef) -> Callback<MouseEvent> {
    let dialog = dialog.clone();
    Callback::from(move |_| {
        if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
            dialog.close();
        }
    })
}

/// A button with a text: `btn`, `btn primary`, `btn mini`, `link`.
pub fn button(class: &'static str, text: &str, onclick: Callback<MouseEvent>) -> Html {
    html! { <button type="button" {class} {onclick}>{ text }</button> }
}
