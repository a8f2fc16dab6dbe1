//! The glossary: one entry in a dialog, or all of them as a list.

use crate::components::content::content;
use crate::components::press::{button, close};
use crate::text::frame as text;
use crate::text::language::of_content;
use sandbox_core::lesson::Link;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// A click on a link of rendered prose that does something in the page does it.
pub fn follow(on: impl Fn(Link) + 'static) -> Callback<MouseEvent> {
    Callback::from(move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let link = target.and_then(|target| target.closest("a[href^='#']").ok().flatten());
        let href = link.and_then(|link| link.get_attribute("href"));
        if let Some(link) = href.and_then(|href| Link::parse(&href)) {
            event.prevent_default();
            on(link);
        }
    })
}

/// What [`entry`] draws.
pub struct EntryProps<'a> {
    /// The dialog, for whoever opens it.
    pub dialog: NodeRef,
    /// The name of the term.
    pub term: &'a str,
    /// The reader wants another one.
    pub on_term: Callback<String>,
}

/// One entry, in a dialog.
pub fn entry(props: &EntryProps) -> Html {
    let found = lessons::GLOSSARY.iter().find(|(name, ..)| *name == props.term);
    let (term, about) = found.map_or(("", ""), |(_, term, about)| (*term, *about));
    html! {
        <dialog ref={props.dialog.clone()} aria-labelledby="term-title" data-term={props.term.to_string()}>
            <h2 id="term-title">{ content(term) }</h2>
            <div class="prose" lang={of_content()} onclick={terms(props.on_term.clone())}>{ rendered(about) }</div>
            { button("btn primary", text::close(), close(&props.dialog)) }
        </dialog>
    }
}

/// Every entry.
pub fn all(on_term: Callback<String>) -> Html {
    let entry = |(_, term, about): &(&str, &'static str, &'static str)| {
        html! { <><dt>{ *term }</dt><dd>{ rendered(about) }</dd></> }
    };
    html! { <dl class="glossary prose" lang={of_content()} onclick={terms(on_term)}>{ for lessons::GLOSSARY.iter().map(entry) }</dl> }
}

fn terms(on_term: Callback<String>) -> Callback<MouseEvent> {
    follow(move |link| {
        if let Link::Term(term) = link {
            on_term.emit(term);
        }
    })
}

/// Prose that was rendered when the page was built.
fn rendered(html: &'static str) -> Html {
    Html::from_html_unchecked(AttrValue::Static(html))
}
