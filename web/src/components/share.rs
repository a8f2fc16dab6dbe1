//! A link to this very moment, or a frame of it for a course page, in a dialog to copy from.

use crate::components::press::{button, close};
use crate::text::frame as text;
use sandbox_core::link::LONGEST;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDocument, HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

/// What can be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// A link.
    Link,
    /// A frame for another page.
    Frame,
    /// A link to a document in work.
    Document,
}

/// The element that shows an address in another page.
pub fn frame(address: &str, title: &str) -> String {
    let address = address.replace('&', "&amp;");
    let title = text::frame_title(title);
    format!(
        "<iframe src=\"{address}\" title=\"{title}\"\n  width=\"750\" height=\"860\" sandbox=\"allow-scripts\" allow=\"fullscreen\"></iframe>"
    )
}

/// What is offered.
#[derive(Clone, PartialEq)]
pub struct Offer {
    /// What it is.
    pub what: Sharing,
    /// The text to copy.
    pub text: AttrValue,
    /// Whether it could be copied; None: nobody tried.
    pub copied: Option<bool>,
}

impl Default for Offer {
    fn default() -> Offer {
        Offer { what: Sharing::Link, text: AttrValue::Static(""), copied: None }
    }
}

/// What [`share`] draws.
pub struct ShareProps {
    /// The dialog, for whoever opens it.
    pub dialog: NodeRef,
    /// What is offered.
    pub offer: Offer,
    /// The reader copied it, or could not.
    pub on_copied: Callback<bool>,
}

/// The dialog.
pub fn share(props: &ShareProps) -> Html {
    let Offer { what, text: offered, copied } = props.offer.clone();
    let copy = {
        let (dialog, on_copied) = (props.dialog.clone(), props.on_copied.clone());
        Callback::from(move |event: MouseEvent| {
            let done = copy(&dialog).is_some();
            // What was selected keeps the focus only where the reader has to copy it.
            let button = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
            if let Some(button) = button.filter(|_| done) {
                let _ = button.focus();
            }
            on_copied.emit(done);
        })
    };
    let (title, about) = match what {
        Sharing::Link => (text::share(), text::share_link()),
        Sharing::Frame => (text::embed(), text::share_frame()),
        Sharing::Document => (text::share(), text::share_document()),
    };
    let long = offered.len() > LONGEST && what != Sharing::Link;
    html! {
        <dialog ref={props.dialog.clone()} aria-labelledby="share-title">
            <h2 id="share-title">{ title }</h2>
            <p>{ about }</p>
            if long {
                <p data-long="">{ text::long_link(&offered.len().to_string(), &LONGEST.to_string()) }</p>
            }
            <textarea readonly=true rows="5" aria-label={title} value={offered.clone()} />
            <p class="row">
                <button type="button" class="btn primary" autofocus=true onclick={copy}>{ text::copy() }</button>
                { button("btn", text::close(), close(&props.dialog)) }
                <span role="status">{ match copied {
                    Some(true) => text::copied(),
                    Some(false) => text::selected(),
                    None => "",
                } }</span>
            </p>
        </dialog>
    }
}

/// Selects the text and copies it; None where the browser does not let us. The newer clipboard interface is missing in pages
/// that come over plain HTTP, as many course servers' do.
fn copy(dialog: &NodeRef) -> Option<()> {
    let text = dialog.cast::<Element>()?.query_selector("textarea").ok()??;
    text.unchecked_into::<HtmlTextAreaElement>().select();
    let document = web_sys::window()?.document()?.dyn_into::<HtmlDocument>().ok()?;
    document.exec_command("copy").ok()?.then_some(())
}
