//! What a document can be started from, and the versions that were kept of it.

use crate::components::press::{beside, button};
use crate::draft::kept::Kept;
use crate::files::Starts;
use crate::state::workshop::Act;
use crate::text::language::of_content;
use crate::text::playground as text;
use sandbox_core::scenario::Document;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// The templates and the scenarios of the lessons, variant by variant.
pub fn starts(starts: &Starts, on: &Callback<Act>) -> Html {
    let option = |document: &Document| {
        let id = document.id();
        let title = document.at("title").and_then(|title| title.as_str()).unwrap_or(id).to_string();
        let variants = document.variants();
        let option = |variant: &String| {
            let name = if variants.len() == 1 {
                title.clone()
            } else {
                format!("{title}, {variant}: {}", document.variant_title(variant))
            };
            html! { <option lang={of_content()} value={format!("{id} {variant}")} selected={starts.templates.first().is_some_and(|first| first.id() == id)}>{ name }</option> }
        };
        variants.iter().map(option).collect::<Html>()
    };
    let onclick = {
        let on = on.clone();
        Callback::from(move |event: MouseEvent| {
            let chosen = beside(&event, "select").map(|select| select.unchecked_into::<HtmlSelectElement>().value());
            if let Some((id, variant)) = chosen.as_deref().and_then(|chosen| chosen.split_once(' ')) {
                on.emit(Act::Start(id.into(), variant.into()));
            }
        })
    };
    html! {
        <div class="bar">
            <label class="grow">{ text::start_from() }
                <select data-choose="start">
                    <optgroup label={text::templates()}>{ for starts.templates.iter().map(option) }</optgroup>
                    <optgroup label={text::lessons()}>{ for starts.scenarios.iter().map(option) }</optgroup>
                </select></label>
            <button type="button" class="btn" data-start="" {onclick}>{ text::start() }</button>
        </div>
    }
}

/// The versions that were kept.
pub fn versions(kept: &Kept, on: &Callback<Act>) -> Html {
    let keep = {
        let on = on.clone();
        Callback::from(move |event: MouseEvent| {
            let field = beside(&event, "input").map(|field| field.unchecked_into::<HtmlInputElement>());
            on.emit(Act::Keep(field.as_ref().map(HtmlInputElement::value).unwrap_or_default()));
            if let Some(field) = field {
                field.set_value("");
            }
        })
    };
    let version = |(name, _): &(String, String)| {
        let act = |make: fn(String) -> Act| {
            let name = name.clone();
            on.reform(move |_: MouseEvent| make(name.clone()))
        };
        html! {
            <li class="bar" data-version={name.clone()}><span class="grow" translate="no">{ name }</span>
                <button type="button" class="btn mini" data-restore="" aria-label={text::restore_what(name)} onclick={act(Act::Restore)}>{ text::restore() }</button>
                <button type="button" class="btn mini" aria-label={text::delete_what(name)} onclick={act(Act::Forget)}>{ text::delete() }</button></li>
        }
    };
    html! {
        <>
            <div class="bar">
                <label class="grow">{ text::keep_as() }<input type="text" maxlength="60" placeholder={text::a_name()} data-keep-name="" /></label>
                { button("btn keep", text::keep(), keep) }
            </div>
            <ul class="versions" aria-label={text::versions()}>{ for kept.versions.iter().map(version) }</ul>
        </>
    }
}
