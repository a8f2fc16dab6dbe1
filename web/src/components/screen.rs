//! What the page is shown on: sizes, pixel ratio, theme, and what the reader asked the system for.

use crate::palette::Palette;
use crate::state::storage;
use crate::text::frame as text;
use sandbox_core::link::Motion;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, ResizeObserver, Window};
use yew::prelude::*;

/// Where the document's root says what may move; the style sheet reads it too.
const MOTION: &str = "data-motion";

/// The screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    /// Device pixels for a CSS pixel.
    pub ratio: f64,
    /// Whether nothing should move by itself.
    pub still: bool,
    /// The colours of the theme.
    pub palette: Rc<Palette>,
}

impl Screen {
    /// The screen as it is now.
    pub fn now() -> Screen {
        let window = web_sys::window();
        Screen {
            ratio: window.as_ref().map_or(1.0, Window::device_pixel_ratio).clamp(0.5, 4.0),
            still: is_still(),
            palette: Rc::new(read_palette().unwrap_or_default()),
        }
    }
}

/// Whether nothing should move by itself: as the address or the page around said, or else as the system has it.
fn is_still() -> bool {
    let asked = root().and_then(|root| root.get_attribute(MOTION));
    match asked.as_deref().and_then(Motion::of_word) {
        Some(Motion::Reduce) => true,
        Some(Motion::Full) => false,
        Some(Motion::Auto) | None => matches("(prefers-reduced-motion: reduce)"),
    }
}

/// Whether a media query holds.
pub fn matches(query: &str) -> bool {
    let list = web_sys::window().and_then(|window| window.match_media(query).ok().flatten());
    list.is_some_and(|list| list.matches())
}

/// Whether the page is in a frame.
pub fn is_guest() -> bool {
    web_sys::window().is_some_and(|window| window.parent().ok().flatten().as_ref() != Some(&window))
}

/// Whether the page is in a frame without an origin of its own. Such frames may seldom download or open pages, and nobody tells them.
pub fn has_no_origin() -> bool {
    web_sys::window().is_some_and(|window| window.origin() == "null") && is_guest()
}

/// Gives the browser's window the name of what it shows; None: of the course.
pub fn name_page(what: Option<&str>) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        let title = what.map_or(text::page_of_course().into(), text::page_of);
        document.set_title(&title);
    }
}

/// From light to dark or back; remembered where the page may remember anything.
pub fn switch_theme() {
    let shown = root().and_then(|root| root.get_attribute("data-theme"));
    let dark = match shown.as_deref() {
        Some(theme) => theme == "dark",
        None => matches("(prefers-color-scheme: dark)"),
    };
    let theme = if dark { "light" } else { "dark" };
    put_theme(Some(theme));
    storage::keep_theme(theme);
}

/// Shows a theme; None: the system's.
pub fn put_theme(theme: Option<&str>) {
    let Some(root) = root() else { return };
    let _ = match theme {
        Some(theme) => root.set_attribute("data-theme", theme),
        None => root.remove_attribute("data-theme"),
    };
}

/// Lets things move by themselves, or not.
pub fn put_motion(motion: Motion) {
    if let Some(root) = root() {
        let _ = root.set_attribute(MOTION, motion.word());
    }
}

fn root() -> Option<Element> {
    web_sys::window()?.document()?.document_element()
}

/// Asks the browser for the colours that the style sheet gives under the present theme.
fn read_palette() -> Option<Palette> {
    let window = web_sys::window()?;
    let document = window.document()?;
    let probe: HtmlElement = document.create_element("i").ok()?.dyn_into().ok()?;
    document.body()?.append_child(&probe).ok()?;
    let palette = Palette::read(|property| {
        probe.style().set_property("color", &format!("var({property})")).ok()?;
        window.get_computed_style(&probe).ok()??.get_property_value("color").ok()
    });
    probe.remove();
    Some(palette)
}

/// Follows the screen: the window's size and zoom, the system's theme, contrast and motion settings.
#[hook]
pub fn use_screen() -> (Screen, Callback<()>) {
    let screen = use_state_eq(Screen::now);
    let refresh = {
        let setter = screen.setter();
        Callback::from(move |()| setter.set(Screen::now()))
    };
    {
        let refresh = refresh.clone();
        use_effect_with((), move |()| {
            let closure = Closure::<dyn FnMut()>::new(move || refresh.emit(()));
            let listener: js_sys::Function = closure.as_ref().unchecked_ref::<js_sys::Function>().clone();
            let queries =
                ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-reduced-motion: reduce)"];
            let window = web_sys::window();
            let targets: Vec<web_sys::EventTarget> = queries
                .iter()
                .filter_map(|query| window.as_ref()?.match_media(query).ok().flatten().map(Into::into))
                .collect();
            for target in &targets {
                let _ = target.add_event_listener_with_callback("change", &listener);
            }
            if let Some(window) = &window {
                let _ = window.add_event_listener_with_callback("resize", &listener);
            }
            move || {
                for target in &targets {
                    let _ = target.remove_event_listener_with_callback("change", &listener);
                }
                if let Some(window) = &window {
                    let _ = window.remove_event_listener_with_callback("resize", &listener);
                }
                drop(closure);
            }
        });
    }
    ((*screen).clone(), refresh)
}

/// The size of an element in CSS pixels, followed; zero until it is known and while it is hidden. `which` says which element of
/// the page it is, if it is there: when that changes it is looked for again.
#[hook]
pub fn use_size<T: PartialEq + 'static>(node: &NodeRef, which: T) -> (f64, f64) {
    let size = use_state_eq(|| (0.0, 0.0));
    let setter = size.setter();
    use_effect_with((node.clone(), which), move |(node, _)| {
        let watched = node.cast::<Element>().and_then(|element| {
            let measured = element.clone();
            let measure = Closure::<dyn FnMut()>::new(move || {
                setter.set((f64::from(measured.client_width()), f64::from(measured.client_height())));
            });
            let observer = ResizeObserver::new(measure.as_ref().unchecked_ref()).ok()?;
            observer.observe(&element);
            Some((observer, measure))
        });
        move || {
            if let Some((observer, measure)) = watched {
                observer.disconnect();
                drop(measure);
            }
        }
    });
    *size
}
