//! What lessons and scenarios say, among what the page says itself.

use crate::text::language::of_content;
use yew::prelude::*;

/// A text of a lesson, of a scenario or of the core: in an element that names its language where the page speaks another one.
pub fn content(text: &str) -> Html {
    match of_content() {
        None => Html::from(text),
        Some(lang) => html! { <span {lang}>{ text }</span> },
    }
}
