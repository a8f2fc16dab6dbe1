//! A text with line numbers, and a place in it that is to be seen.

use crate::text::playground as text;
use std::ops::Range;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlTextAreaElement};
use yew::prelude::*;

/// A place that is to be selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The bytes of the text.
    pub place: Option<Range<usize>>,
    /// Counts how often a place was asked for: the same one again is another wish.
    pub asked: u32,
}

/// Properties of [`Code`].
#[derive(Clone, PartialEq, Properties)]
pub struct CodeProps {
    /// The text.
    pub text: AttrValue,
    /// What is to be selected.
    pub mark: Mark,
    /// Somebody typed: the whole text.
    pub on_type: Callback<String>,
}

/// A text field that is as high as its text, with the lines' numbers beside it.
#[component]
pub fn Code(props: &CodeProps) -> Html {
    let field = use_node_ref();
    {
        let (field, text) = (field.clone(), props.text.clone());
        use_effect_with(props.mark.clone(), move |mark| {
            if let (Some(place), Some(field)) = (&mark.place, field.cast::<HtmlTextAreaElement>()) {
                let _ = show(&field, &text, place.clone());
            }
        });
    }
    let oninput = props.on_type.reform(|event: InputEvent| {
        let field = event.target().and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
        field.map(|field| field.value()).unwrap_or_default()
    });
    let lines = props.text.split('\n').count();
    let numbers: String = (1..=lines).map(|line| format!("{line}\n")).collect();
    html! {
        <div class="code" tabindex="0" role="group" aria-label={text::as_json()}>
            <pre aria-hidden="true">{ numbers }</pre>
            <textarea ref={field} aria-label={text::json_text()} spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
                rows={lines.to_string()} value={props.text.clone()} {oninput} />
        </div>
    }
}

/// Selects a place and brings its line into sight.
fn show(field: &HtmlTextAreaElement, text: &str, place: Range<usize>) -> Option<()> {
    // The page counts in UTF-16.
    let units = |bytes: usize| text.get(..bytes).map(|before| before.encode_utf16().count() as u32);
    field.focus().ok()?;
    field.set_selection_range(units(place.start)?, units(place.end)?).ok()?;
    let frame: Element = field.closest(".code").ok()??;
    let line = text.get(..place.start)?.matches('\n').count();
    let high = field.client_height() as f64 / text.split('\n').count() as f64;
    let above = f64::from(frame.client_height()) / 3.0;
    frame.set_scroll_top((line as f64 * high - above).max(0.0) as i32);
    Some(())
}
