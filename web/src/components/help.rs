//! The keys, in a dialog.

use crate::components::press::close;
use crate::text::frame as text;
use yew::prelude::*;

/// What [`help`] draws.
#[derive(Clone)]
pub struct HelpProps {
    /// The dialog, for whoever opens it.
    pub dialog: NodeRef,
}

/// A key or several, and what they do.
type Key = (&'static [&'static str], fn() -> &'static str);

const KEYS: [Key; 9] = [
    (&["Space"], text::key_play),
    (&["←", "→"], text::key_step),
    (&["Shift", "←", "→"], text::key_second),
    (&["[", "]"], text::key_failure),
    (&["M"], text::key_milestone),
    (&["Home", "End"], text::key_ends),
    (&["W"], text::key_why),
    (&["?"], text::key_help),
    (&["Esc"], text::key_close),
];

/// The keyboard map.
pub fn help(props: &HelpProps) -> Html {
    html! {
        <dialog ref={props.dialog.clone()} aria-labelledby="help-title">
            <h2 id="help-title">{ text::keys() }</h2>
            <p>{ text::keys_work() }</p>
            <dl>
                { for KEYS.iter().map(|(keys, text)| html! {
                    <><dt>{ for keys.iter().map(|key| html! { <><kbd translate="no">{ *key }</kbd>{ " " }</> }) }</dt><dd>{ text() }</dd></>
                }) }
            </dl>
            <p>{ text::one_run() }</p>
            <button type="button" class="btn primary" aria-keyshortcuts="Escape" onclick={close(&props.dialog)}>{ text::close() }</button>
        </dialog>
    }
}
