//! The shapes that drawings are made of, placed to a tenth of a unit.

use yew::prelude::*;

/// A rectangle: left and top, width and height, radius of its corners.
pub fn rect(class: &str, at: (f64, f64), size: (f64, f64), radius: f64) -> Html {
    html! {
        <rect class={class.to_string()} x={tenths(at.0)} y={tenths(at.1)} width={tenths(size.0)} height={tenths(size.1)} rx={tenths(radius)} />
    }
}

/// A path.
pub fn path(class: &str, d: String) -> Html {
    html! { <path class={class.to_string()} {d} /> }
}

/// A text on its base line; the class says whether `at` is its start, middle or end.
pub fn label(class: &str, at: (f64, f64), text: &str) -> Html {
    html! { <text class={class.to_string()} x={tenths(at.0)} y={tenths(at.1)}>{ text }</text> }
}

/// A text that is squeezed where it is longer than its room.
pub fn label_in(class: &str, at: (f64, f64), text: &str, room: f64) -> Html {
    let long = width_of(text) > room;
    html! {
        <text class={class.to_string()} x={tenths(at.0)} y={tenths(at.1)} textLength={long.then(|| tenths(room))}
            lengthAdjust={long.then_some("spacingAndGlyphs")}>{ text }</text>
    }
}

/// About how wide a text of 12 units is.
pub fn width_of(text: &str) -> f64 {
    5.8 * text.chars().count() as f64
}

fn tenths(value: f64) -> String {
    format!("{value:.1}")
}
