//! What can be taken along: pictures, the charts' numbers, the requests of a second.

use crate::components::picture::{data_url, png, svg};
use crate::components::press::{beside, button};
use crate::components::screen::has_no_origin;
use crate::text::evidence as text;
use crate::text::language::of_content;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlSelectElement};
use yew::prelude::*;

/// Something that can be saved.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// A picture of the page, by its name there; in so many pixels for each of its own, or as SVG.
    Picture(String, Option<f64>),
    /// The charts' numbers, as CSV.
    Numbers,
    /// The requests that are sent in the second of the cursor, in the Trace Event Format.
    Trace,
}

/// A picture of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What the page calls it (`data-picture`).
    pub id: &'static str,
    /// What people call it.
    pub title: String,
    /// Whether the lesson calls it so.
    pub is_content: bool,
}

/// What [`Save`] offers.
#[derive(Clone, PartialEq, Properties)]
pub struct SaveProps {
    /// The pictures to choose from.
    pub pictures: Vec<Picture>,
    /// Pixels of the screen for each of a picture's.
    pub ratio: f64,
    /// Something is to be saved.
    pub on_save: Callback<Kept>,
}

/// The buttons, and what is to be said of files that may not come.
#[component]
pub fn Save(props: &SaveProps) -> Html {
    let pressed = use_state_eq(|| false);
    let offer = |name: &'static str, says: &'static str, kept: fn(String, f64) -> Kept| {
        let (on_save, pressed, ratio) = (props.on_save.clone(), pressed.setter(), props.ratio);
        let onclick = Callback::from(move |event: MouseEvent| {
            let select = beside(&event, "select").and_then(|select| select.dyn_into::<HtmlSelectElement>().ok());
            on_save.emit(kept(select.map(|select| select.value()).unwrap_or_default(), ratio));
            pressed.set(true);
        });
        html! { <span title={says}>{ button("btn mini", name, onclick) }</span> }
    };
    // The browser inserts them from the last to the first, and would choose the first it gets.
    let option = |(index, picture): (usize, &Picture)| {
        html! { <option value={picture.id} selected={index == 0} lang={of_content().filter(|_| picture.is_content)}>{ &picture.title }</option> }
    };
    html! {
        <div class="card pick save">
            <div class="bar">
                <label><b>{ text::save() }</b><select>{ for props.pictures.iter().enumerate().map(option) }</select></label>
                { offer(text::svg(), text::svg_says(), |picture, _| Kept::Picture(picture, None)) }
                { offer(text::png(), text::png_says(), |picture, ratio| Kept::Picture(picture, Some(ratio))) }
                { offer(text::numbers(), text::numbers_say(), |_, _| Kept::Numbers) }
                { offer(text::trace(), text::trace_says(), |_, _| Kept::Trace) }
            </div>
            if *pressed && has_no_origin() { <p role="status">{ text::may_not_come() }</p> }
        </div>
    }
}

/// Hands a text to the browser as a file.
pub fn download(name: &str, mime: &str, text: &str) {
    hand_out(name, &data_url(mime, text));
}

/// Hands a picture to the browser as a file, once it is made. Where the browser cannot make pixels of it, it stays a drawing.
pub fn download_picture(name: String, picture: &str, ratio: Option<f64>) {
    let Some(drawn) = svg(picture) else { return };
    spawn_local(async move {
        let pixels = match ratio {
            Some(ratio) => png(drawn.clone(), ratio).await,
            None => None,
        };
        match pixels {
            Some(pixels) => hand_out(&format!("{name}.png"), &pixels),
            None => download(&format!("{name}.svg"), "image/svg+xml", &drawn),
        }
    });
}

/// Lets the browser take an address along as a file. Frames that may not download do nothing.
fn hand_out(name: &str, href: &str) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let anchor = document.create_element("a").ok().and_then(|anchor| anchor.dyn_into::<HtmlElement>().ok());
    if let Some(anchor) = anchor {
        let _ = anchor.set_attribute("href", href);
        let _ = anchor.set_attribute("download", name);
        anchor.click();
    }
}
