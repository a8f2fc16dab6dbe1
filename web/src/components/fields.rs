//! Fields of a part, as its schema has them: numbers with their unit, words to choose from, and groups of further fields.

use crate::components::content::content;
use crate::components::press::{beside, button};
use crate::draft::edit::Edit;
use crate::draft::form::{Field, Group, Input, More};
use crate::draft::graph::Graph;
use crate::draft::{below, way};
use crate::state::workshop::Act;
use crate::text::language::of_content;
use crate::text::playground as text;
use serde_json::Value;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// What is wrong at a place, if anything.
type Wrong<'a> = &'a dyn Fn(&[String]) -> Option<String>;

/// The name of a part, to change; a way to take it out; and of a node the calls that it makes.
pub fn heading(json: &Value, section: &str, id: &str, on: &Callback<Act>) -> Html {
    let place = way(&[section, id]);
    let rename = {
        let place = place.clone();
        on.reform(move |event: Event| Act::Edit(Edit::Rename(place.clone(), typed(&event))))
    };
    let remove = on.reform(move |_: MouseEvent| Act::Edit(Edit::Remove(place.clone())));
    let graph = if section == "nodes" { Graph::new(json) } else { Graph::default() };
    let (called, _) = graph.neighbours(id);
    let cut = |to: &&str| {
        let (from, to) = (id.to_string(), to.to_string());
        let text = text::calls_node(&to);
        let onclick = on.reform(move |_: MouseEvent| Act::Edit(Edit::Disconnect(from.clone(), to.clone())));
        html! {
            <button type="button" class="chip" title={text::disconnect()} {onclick}>{ text }<span aria-hidden="true">{ "✕" }</span>
                <span class="unseen">{ text::and_disconnect() }</span></button>
        }
    };
    html! {
        <>
            <div class="bar">
                <label class="grow">{ text::name() }<input type="text" key={id.to_string()} value={id.to_string()} onchange={rename} data-rename="" /></label>
                <button type="button" class="btn" aria-label={text::delete_what(id)} data-delete="" onclick={remove}>{ text::delete() }</button>
            </div>
            if !called.is_empty() { <div class="partrow" role="group" aria-label={text::calls_of_node()}>{ for called.iter().map(cut) }</div> }
        </>
    }
}

/// Fields that belong together, and what may be added to them.
pub fn group(group: &Group, place: &[String], wrong: Wrong, on: &Callback<Act>) -> Html {
    html! {
        <>
            { for group.fields.iter().map(|inner| field(inner, wrong, on)) }
            { absent(group, place, on) }
            { for group.more.iter().map(|more| add(more, group, place, on)) }
        </>
    }
}

/// One field.
pub fn field(field: &Field, wrong: Wrong, on: &Callback<Act>) -> Html {
    let path = field.way.join(".");
    let id = format!("field-{path}");
    let found = wrong(&field.way);
    let remove = field.removable.then(|| {
        let (place, label) = (field.way.clone(), text::take_out(&field.name));
        let onclick = on.reform(move |_: MouseEvent| Act::Edit(Edit::Remove(place.clone())));
        html! { <button type="button" class="btn mini quiet" aria-label={label.clone()} title={label} {onclick}>{ "✕" }</button> }
    });
    let problem =
        found.as_ref().map(|what| html! { <p class="wrong" id={format!("{id}-wrong")}>{ content(what) }</p> });
    let inside = match &field.input {
        Input::Group(inner) => Some((None, inner)),
        Input::Shape { value, options, fields } => {
            let words = options.iter().map(|(word, about, _)| (word.clone(), about.clone())).collect::<Vec<_>>();
            let (place, begun) = (field.way.clone(), options.clone());
            let onchange = on.reform(move |event: Event| {
                let word = typed(&event);
                let value = begun.iter().find(|(known, ..)| *known == word).map(|(_, _, value)| value.clone());
                Act::Edit(Edit::Set(place.clone(), value.unwrap_or_default()))
            });
            Some((Some(choose(&id, &field.name, value, &words, found.is_some(), onchange)), fields))
        }
        _ => None,
    };
    match inside {
        Some((choice, inner)) => {
            let below_key = match &field.input {
                // `{ "call": { ... } }`: the fields stand one deeper.
                Input::Shape { value, .. }
                    if inner.fields.iter().any(|inner| inner.way.len() > field.way.len() + 1) =>
                {
                    below(&field.way, value)
                }
                Input::Shape { value, .. } if inner.fields.is_empty() && inner.more.is_some() => {
                    below(&field.way, value)
                }
                _ => field.way.clone(),
            };
            html! {
                <fieldset class="fieldset" data-field={path.clone()} aria-describedby={field_problem(&id, &found)}>
                    <legend>{ content(&field.name) }</legend>
                    <div class="fieldline"><span class="hint">{ content(&field.hint) }</span>{ for remove }</div>
                    { for choice }
                    { for problem }
                    { group(inner, &below_key, wrong, on) }
                </fieldset>
            }
        }
        None => html! {
            <div class="field" data-field={path.clone()}>
                <label for={id.clone()}>{ content(&field.name) }</label>
                <span class="fieldline">{ plain(field, &id, &found, on) }
                    if !field.unit.is_empty() { <span class="unit" translate="no">{ field.unit }</span> }{ for remove }</span>
                <p class="hint" id={format!("{id}-hint")}>{ content(&field.hint) }</p>
                { for problem }
            </div>
        },
    }
}

fn field_problem(id: &str, found: &Option<String>) -> Option<String> {
    found.as_ref().map(|_| format!("{id}-wrong"))
}

/// The input of a field without further ones.
fn plain(field: &Field, id: &str, found: &Option<String>, on: &Callback<Act>) -> Html {
    let place = field.way.clone();
    let set = |read: fn(&Event) -> Value| {
        let place = place.clone();
        on.reform(move |event: Event| Act::Edit(Edit::Set(place.clone(), read(&event))))
    };
    let described = if found.is_some() { format!("{id}-hint {id}-wrong") } else { format!("{id}-hint") };
    let invalid = found.is_some().then_some("true");
    let id = id.to_string();
    match &field.input {
        Input::Number { value, whole, min, max } => {
            let value = value.map(|value| value.to_string()).unwrap_or_default();
            let limit = |limit: &Option<f64>| limit.map(|limit| limit.to_string());
            html! {
                <input {id} type="number" step={if *whole { "1" } else { "any" }} min={limit(min)} max={limit(max)} {value} onchange={set(number)}
                    aria-describedby={described} aria-invalid={invalid} />
            }
        }
        Input::Switch(is_on) => {
            html! { <input {id} type="checkbox" checked={*is_on} onchange={set(|event| input(event).is_some_and(|input| input.checked()).into())} aria-describedby={described} /> }
        }
        Input::Choice { value, options } => {
            choose(&id, "", value, options, found.is_some(), set(|event| typed(event).into()))
        }
        Input::Text { value, nodes } if !nodes.is_empty() => {
            let mut words: Vec<(String, String)> = nodes.iter().map(|node| (node.clone(), String::new())).collect();
            if !nodes.contains(value) {
                words.insert(0, (value.clone(), String::new()));
            }
            choose(&id, "", value, &words, found.is_some(), set(|event| typed(event).into()))
        }
        Input::Text { value, .. } => {
            html! { <input {id} type="text" value={value.clone()} onchange={set(|event| typed(event).into())} aria-describedby={described} aria-invalid={invalid} /> }
        }
        Input::Json(text) => {
            html! { <input {id} type="text" value={text.clone()} onchange={set(any)} aria-describedby={described} aria-invalid={invalid} /> }
        }
        Input::Group(_) | Input::Shape { .. } => Html::default(),
    }
}

/// A choice among words with meanings.
fn choose(
    id: &str,
    label: &str,
    value: &str,
    words: &[(String, String)],
    wrong: bool,
    onchange: Callback<Event>,
) -> Html {
    let option = |(word, about): &(String, String)| {
        let text = if about.is_empty() { word.clone() } else { format!("{word}: {about}") };
        html! { <option lang={of_content()} value={word.clone()} selected={word == value}>{ text }</option> }
    };
    let label = (!label.is_empty()).then(|| label.to_string());
    html! {
        <select id={id.to_string()} lang={of_content()} aria-label={label} aria-invalid={wrong.then_some("true")} {onchange}>
            if !words.iter().any(|(word, _)| word == value) { <option value="" selected=true disabled=true>{ text::choose() }</option> }
            { for words.iter().map(option) }
        </select>
    }
}

/// What may be added: chosen by name, added by a button.
fn absent(group: &Group, place: &[String], on: &Callback<Act>) -> Html {
    if group.absent.is_empty() {
        return Html::default();
    }
    let (values, place, on) = (group.absent.clone(), place.to_vec(), on.clone());
    let onclick = Callback::from(move |event: MouseEvent| {
        let chosen = beside(&event, "select").map(|select| select.unchecked_into::<HtmlSelectElement>().value());
        if let Some((name, _, value)) = values.iter().find(|(name, ..)| Some(name) == chosen.as_ref()) {
            on.emit(Act::Edit(Edit::Set(below(&place, name), value.clone())));
        }
    });
    let option = |(index, (name, about, _)): (usize, &(String, String, Value))| {
        html! { <option lang={of_content()} value={name.clone()} selected={index == 0}>{ format!("{name}: {about}") }</option> }
    };
    html! {
        <div class="bar">
            <label class="grow"><span class="unseen">{ text::something_to_add() }</span><select>{ for group.absent.iter().enumerate().map(option) }</select></label>
            { button("btn mini", text::add(), onclick) }
        </div>
    }
}

/// One more entry: of a list at its end, else under a name.
fn add(more: &More, group: &Group, place: &[String], on: &Callback<Act>) -> Html {
    match more {
        More::Next(value) => {
            let (place, value) = (below(place, group.fields.len()), value.clone());
            let onclick = on.reform(move |_: MouseEvent| Act::Edit(Edit::Set(place.clone(), value.clone())));
            html! { <div class="bar">{ button("btn mini", text::add_at_end(), onclick) }</div> }
        }
        More::Named(value) => {
            let (place, value, on) = (place.to_vec(), value.clone(), on.clone());
            let onclick = Callback::from(move |event: MouseEvent| {
                let field = beside(&event, "input").map(|field| field.unchecked_into::<HtmlInputElement>());
                if let Some(name) = field.map(|field| field.value()).filter(|name| !name.is_empty()) {
                    on.emit(Act::Edit(Edit::Set(below(&place, name), value.clone())));
                }
            });
            html! {
                <div class="bar">
                    <label class="grow"><span class="unseen">{ text::new_name() }</span><input type="text" placeholder={text::one_more()} /></label>
                    { button("btn mini", text::add(), onclick) }
                </div>
            }
        }
    }
}

fn input(event: &Event) -> Option<HtmlInputElement> {
    event.target()?.dyn_into().ok()
}

/// What was typed or chosen.
fn typed(event: &Event) -> String {
    let select = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
    select.map(|select| select.value()).or_else(|| input(event).map(|input| input.value())).unwrap_or_default()
}

/// A number as it was typed; nothing is null, which is refused or means none.
fn number(event: &Event) -> Value {
    serde_json::from_slice(typed(event).as_bytes()).unwrap_or_default()
}

/// JSON as it was typed, or else a text.
fn any(event: &Event) -> Value {
    let text = typed(event);
    serde_json::from_slice(text.as_bytes()).unwrap_or(Value::String(text))
}
