//! The root of the page: what the address asks for, shown.

use crate::failure;
use crate::pages::bench;
use crate::pages::home::{HomePage, HomeProps};
use crate::pages::lesson::{LessonPage, LessonProps};
use crate::pages::playground::{PlaygroundPage, PlaygroundProps};
use crate::route::Asked;
use crate::text::language::speak;
use web_sys::Element;

/// Puts the page in its place in the document, or at the end of the body where there is none.
pub fn start() {
    failure::install();
    let document = web_sys::window().and_then(|window| window.document());
    let root = document.and_then(|document| {
        let place: Option<Element> = document.get_element_by_id("app");
        place.or_else(|| document.body().map(Into::into))
    });
    let (root, asked) = (root.expect("a page has a body"), Asked::of_page());
    match asked.link.bench {
        true => bench::start(&root, asked),
        false => mount(root, asked),
    }
}

/// Puts the page that is asked for into an element.
pub fn mount(root: Element, asked: Asked) {
    if let Some(language) = asked.link.lang {
        speak(language);
    }
    let playground = asked.link.playground || asked.link.document.is_some();
    if asked.is_home() {
        yew::Renderer::<HomePage>::with_root_and_props(root, HomeProps { unread: asked.unread }).render();
    } else if playground && !asked.link.embed {
        yew::Renderer::<PlaygroundPage>::with_root_and_props(root, PlaygroundProps { asked }).render();
    } else {
        yew::Renderer::<LessonPage>::with_root_and_props(root, LessonProps { asked }).render();
    }
}
