//! The keys, in a dialog.

use crate::components::press::{button, close};
use yew::prelude::*;

/// What [`help`] draws.
#[derive(Clone)]
pub struct HelpProps {
    /// The dialog, for whoever opens it.
    pub dialog: NodeRef,
}

const KEYS: [(&[&str], &str); 9] = [
    (&["Space"], "play or pause"),
    (&["←", "→"], "one event back or on"),
    (&["Shift", "←", "→"], "one second back or on"),
    (&["[", "]"], "previous or next failure"),
    (&["M"], "next milestone"),
    (&["Home", "End"], "start or end of the run"),
    (&["W"], "why did this request end so"),
    (&["?"], "this list"),
    (&["Esc"], "close"),
];

/// The keyboard map.
pub fn help(props: &HelpProps) -> Html {
    html! {
        <dialog ref={props.dialog.clone()} aria-labelledby="help-title">
            <h2 id="help-title">{ "Keys" }</h2>
            <p>{ "They work while the stage has the focus; every key has a button as well." }</p>
            <dl>
                { for KEYS.iter().map(|(keys, text)| html! {
                    <><dt>{ for keys.iter().map(|key| html! { <><kbd>{ *key }</kbd>{ " " }</> }) }</dt><dd>{ *text }</dd></>
                }) }
            </dl>
            <p>{ "Everything you see is computed from one run: the same scenario and the same seed give the same run everywhere, and its digest proves it." }</p>
            { button("btn primary", "Close", close(&props.dialog)) }
        </dialog>
    }
}
