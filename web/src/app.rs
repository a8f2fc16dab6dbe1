//! The root of the page: what the address asks for, shown.

use crate::failure;
use crate::files::Files;
use crate::pages::bench;
use crate::pages::home::{HomePage, HomeProps};
use crate::pages::lesson::{LessonPage, LessonProps};
use crate::pages::playground::{PlaygroundPage, PlaygroundProps};
use crate::route::Asked;
use crate::text::language::speak;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
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
    spawn_local(async move {
        let files = Files::fetch(&asked).await;
        match asked.link.bench {
            true => bench::start(&root, asked, files),
            false => mount(root, asked, files),
        }
    });
}

/// Puts the page that is asked for into an element.
pub fn mount(root: Element, asked: Asked, files: Files) {
    if let Some(language) = asked.link.lang {
        speak(language);
    }
    let files = Rc::new(files);
    if asked.is_home() {
        yew::Renderer::<HomePage>::with_root_and_props(root, HomeProps { unread: asked.unread }).render();
    } else if asked.is_workshop() {
        yew::Renderer::<PlaygroundPage>::with_root_and_props(root, PlaygroundProps { asked, files }).render();
    } else {
        yew::Renderer::<LessonPage>::with_root_and_props(root, LessonProps { asked, files }).render();
    }
}
