//! What can be taken along: the picture of the system, the charts' numbers, the requests of a second.

use crate::components::press::button;
use crate::text::evidence as text;
use js_sys::encode_uri_component;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Window};
use yew::prelude::*;

/// Something that can be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The system at this moment, as SVG.
    Picture,
    /// The charts' numbers, as CSV.
    Numbers,
    /// The requests that are sent in the second of the cursor, in the Trace Event Format.
    Trace,
}

/// The buttons.
pub fn save(on_save: &Callback<Kept>) -> Html {
    let offer = |(kept, name, says): (Kept, &'static str, &'static str)| {
        let on_save = on_save.clone();
        let onclick = Callback::from(move |_| on_save.emit(kept));
        html! { <span title={says}>{ button("btn mini", name, onclick) }</span> }
    };
    let offers = [
        (Kept::Picture, text::picture(), text::picture_says()),
        (Kept::Numbers, text::numbers(), text::numbers_say()),
        (Kept::Trace, text::trace(), text::trace_says()),
    ];
    html! { <div class="card pick save"><b>{ text::save() }</b>{ for offers.into_iter().map(offer) }</div> }
}

/// Hands a text to the browser as a file. Frames that may not download show nothing: the button that led here stays.
pub fn download(name: &str, mime: &str, text: &str) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let anchor = document.create_element("a").ok().and_then(|anchor| anchor.dyn_into::<HtmlElement>().ok());
    if let Some(anchor) = anchor {
        let _ = anchor.set_attribute("href", &format!("data:{mime};charset=utf-8,{}", encode_uri_component(text)));
        let _ = anchor.set_attribute("download", name);
        anchor.click();
    }
}

/// What of an element's look a picture has to carry with it, because the page's style sheet stays behind.
const LOOK: [&str; 12] = [
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-linejoin",
    "opacity",
    "font-family",
    "font-size",
    "font-weight",
    "text-anchor",
    "visibility",
    "display",
];

/// The picture in the frame as a document of its own.
pub fn picture(frame: &NodeRef) -> Option<String> {
    let window = web_sys::window()?;
    let drawn = frame.cast::<Element>()?.query_selector("svg").ok()??;
    let copy = drawn.clone_node_with_deep(true).ok()?.dyn_into::<Element>().ok()?;
    dress(&window, &drawn, &copy);
    let size = drawn.get_bounding_client_rect();
    let body = window.document()?.body()?;
    let page = window.get_computed_style(&body).ok()??;
    let background = page.get_property_value("background-color").ok()?;
    let _ = copy.set_attribute("xmlns", "http://www.w3.org/2000/svg");
    let _ = copy.set_attribute("width", &size.width().round().to_string());
    let _ = copy.set_attribute("height", &size.height().round().to_string());
    let _ = copy.set_attribute("style", &format!("background:{background}"));
    Some(copy.outer_html())
}

/// Writes the look of each drawn element into its copy.
fn dress(window: &Window, drawn: &Element, copy: &Element) {
    if let Ok(Some(style)) = window.get_computed_style(drawn) {
        for name in LOOK {
            if let Ok(value) = style.get_property_value(name) {
                let _ = copy.set_attribute(name, &value);
            }
        }
        let _ = copy.remove_attribute("class");
    }
    let (mut drawn, mut copy) = (drawn.first_element_child(), copy.first_element_child());
    while let (Some(from), Some(to)) = (drawn, copy) {
        dress(window, &from, &to);
        (drawn, copy) = (from.next_element_sibling(), to.next_element_sibling());
    }
}
