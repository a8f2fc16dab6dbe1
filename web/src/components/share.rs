//! A link to this very moment, or a frame of it for a course page, in a dialog to copy from.

use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlDocument, HtmlTextAreaElement};
use yew::prelude::*;

/// What can be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// A link.
    Link,
    /// A frame for another page.
    Frame,
}

/// Properties of [`ShareDialog`].
#[derive(Clone, PartialEq, Properties)]
pub struct ShareProps {
    /// The dialog, for whoever opens it.
    pub dialog: NodeRef,
    /// What is shared.
    pub sharing: Sharing,
    /// The text to copy.
    pub text: AttrValue,
}

/// The dialog.
#[component]
pub fn ShareDialog(props: &ShareProps) -> Html {
    let (area, copied) = (use_node_ref(), use_state_eq(|| None::<bool>));
    {
        let copied = copied.setter();
        use_effect_with(props.text.clone(), move |_| copied.set(None));
    }
    let copy = {
        let (area, copied) = (area.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| copied.set(Some(copy(&area))))
    };
    let close = {
        let dialog = props.dialog.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                dialog.close();
            }
        })
    };
    let (title, about) = match props.sharing {
        Sharing::Link => {
            ("Share", "Opens the same run at the same event: lesson, changes, seed and step are in the link.")
        }
        Sharing::Frame => ("Embed", "Put this into a page of your course. The frame needs no cookies and no storage."),
    };
    html! {
        <dialog ref={props.dialog.clone()} aria-labelledby="share-title">
            <h2 id="share-title">{ title }</h2>
            <p>{ about }</p>
            <textarea ref={area} readonly=true rows="5" aria-label={title} value={props.text.clone()} />
            <p class="row">
                <button type="button" class="btn primary" onclick={copy}>{ "Copy" }</button>
                <button type="button" class="btn" onclick={close}>{ "Close" }</button>
                <span role="status">{ match *copied {
                    Some(true) => "Copied.",
                    Some(false) => "Selected: copy it with Ctrl+C.",
                    None => "",
                } }</span>
            </p>
        </dialog>
    }
}

/// Selects the text and copies it; false where the browser does not let us. The newer clipboard interface is missing in pages
/// that come over plain HTTP, as many course servers' do.
fn copy(area: &NodeRef) -> bool {
    let document = web_sys::window().and_then(|window| window.document()?.dyn_into::<HtmlDocument>().ok());
    let (Some(area), Some(document)) = (area.cast::<HtmlTextAreaElement>(), document) else { return false };
    area.select();
    document.exec_command("copy").unwrap_or(false)
}
