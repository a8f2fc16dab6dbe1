//! What buttons do.

use crate::state::action::Action;
use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// A press that is this action.
pub fn press(on: &Callback<Action>, action: Action) -> Callback<MouseEvent> {
    let on = on.clone();
    Callback::from(move |_| on.emit(action.clone()))
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
