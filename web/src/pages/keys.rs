//! The keyboard.

use crate::state::action::{Action, Tab};
use crate::state::store::Store;
use sandbox_core::time::{Span, Time};
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, KeyboardEvent};
use yew::prelude::*;

/// The keys, for as long as the page is there. They act where the stage or the heading of the story has the focus, and never while
/// something is typed or slid. Where nothing has the focus, letters stay without a meaning: whoever speaks to the computer says many.
#[hook]
pub fn use_keys(on: &Callback<Action>, store: Option<&Store>, help: &Callback<()>) {
    let act = store.map(|store| keys(on, store, help));
    use_effect_with((), move |()| {
        let listening = act.zip(web_sys::window()).map(|(act, window)| {
            let closure = Closure::<dyn FnMut(KeyboardEvent)>::new(move |event| act.emit(event));
            let _ = window.add_event_listener_with_callback("keydown", closure.as_ref().unchecked_ref());
            (window, closure)
        });
        move || {
            if let Some((window, closure)) = listening {
                let _ = window.remove_event_listener_with_callback("keydown", closure.as_ref().unchecked_ref());
            }
        }
    });
}

fn keys(on: &Callback<Action>, store: &Store, help: &Callback<()>) -> Callback<KeyboardEvent> {
    let (on, store, help) = (on.clone(), store.clone(), help.clone());
    Callback::from(move |event: KeyboardEvent| {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
        let within = |selector: &str| target.closest(selector).ok().flatten().is_some();
        let is_loose = || {
            let dialog = target.owner_document().and_then(|page| page.query_selector("dialog[open]").ok().flatten());
            target.tag_name() == "BODY" && dialog.is_none() && (event.key() == " " || event.key().len() > 1)
        };
        let acts = within("[data-player], [data-keys]") && !within("select") || is_loose();
        if event.ctrl_key() || event.alt_key() || event.meta_key() || !acts {
            return;
        }
        let key = event.key();
        // A button is pressed by the space bar; the slider has its own Home and End.
        if key == " " && within("button, [role=button]") {
            return;
        }
        let shift = |seconds: i64| {
            let cursor = store.session().player.cursor;
            let second = Span::from_millis(1_000);
            Action::Seek(if seconds < 0 { cursor - second } else { cursor + second })
        };
        let action = match key.as_str() {
            " " => Action::Toggle,
            "ArrowLeft" if event.shift_key() => shift(-1),
            "ArrowRight" if event.shift_key() => shift(1),
            "ArrowLeft" => Action::StepBack,
            "ArrowRight" => Action::Step,
            "[" => Action::PreviousFailure,
            "]" => Action::NextFailure,
            "m" | "M" => Action::NextMilestone,
            "w" | "W" => Action::Show(if store.session().tab == Tab::Requests { Tab::Charts } else { Tab::Requests }),
            "Home" => Action::Seek(Time::ZERO),
            "End" => Action::Seek(Time::NEVER),
            "?" => {
                event.prevent_default();
                return help.emit(());
            }
            _ => return,
        };
        event.prevent_default();
        on.emit(action);
    })
}

/// Arrows move between tabs.
pub fn tab_keys() -> Callback<KeyboardEvent> {
    Callback::from(|event: KeyboardEvent| {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
        let parent = || target.parent_element();
        let other = match event.key().as_str() {
            "ArrowRight" => target.next_element_sibling().or_else(|| parent()?.first_element_child()),
            "ArrowLeft" => target.previous_element_sibling().or_else(|| parent()?.last_element_child()),
            _ => return,
        };
        if let Some(other) = other.and_then(|other| other.dyn_into::<HtmlElement>().ok()) {
            event.prevent_default();
            let _ = other.focus();
            other.click();
        }
    })
}
