//! The page's few icons, drawn, so that they look the same on every system.

use yew::prelude::*;

/// An icon of 16 by 16 in the colour of the text around it; it says nothing to a screen reader.
pub fn icon(name: &str) -> Html {
    let path = match name {
        "play" => "M4 2.5v11l9-5.5z",
        "pause" => "M4 3h3v10H4zM9 3h3v10H9z",
        "step" => "M3 2.5h2v11H3zM7 3.5v9l6-4.5z",
        "back" => "M11 2.5h2v11h-2zM9 3.5v9L3 8z",
        "next" => "M2 3.5v9L8 8zM8 3.5v9L14 8zM13 3h1.6v10H13z",
        "previous" => "M14 3.5v9L8 8zM8 3.5v9L2 8zM1.4 3H3v10H1.4z",
        "theme" => "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M8 3v10a5 5 0 0 1 0-10",
        _ => "",
    };
    html! {
        <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d={path} stroke="none" fill-rule="evenodd" />
        </svg>
    }
}

/// The shape that goes with a state word.
pub fn state_shape(class: &str) -> Html {
    let shape = match class {
        "ok" => html! { <circle cx="6" cy="6" r="5" fill="currentColor" /> },
        "degraded" => html! { <path d="M6 0.6L11.4 6L6 11.4L0.6 6z" fill="currentColor" /> },
        "down" => html! { <path d="M1.5 1.5L10.5 10.5M10.5 1.5L1.5 10.5" stroke="currentColor" stroke-width="3" /> },
        _ => html! { <circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2" /> },
    };
    html! { <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">{ shape }</svg> }
}
