//! What the learner can change, beside what it changes.

use crate::components::content::content;
use crate::components::press::{button, press};
use crate::state::action::Action;
use crate::text::language::of_content;
use crate::text::story as text;
use crate::view_model::format;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};
use yew::prelude::*;

/// A knob as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    /// Its id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// What turning it does.
    pub help: String,
    /// Unit.
    pub unit: String,
    /// Lowest, highest, step.
    pub range: (f64, f64, f64),
    /// Its value; None: there is no such place in this variant.
    pub value: Option<f64>,
    /// Whether the learner turned it.
    pub turned: bool,
}

/// What [`knobs`] draws.
#[derive(Clone)]
pub struct KnobsProps {
    /// The knobs.
    pub knobs: Vec<Knob>,
    /// The variants to choose from: id and title; none: no choice.
    pub variants: Vec<(String, String)>,
    /// The variant chosen.
    pub variant: String,
    /// What else is changed, if anything is.
    pub changed: Option<String>,
    /// What the thin lines are, if there are any.
    pub ghost: Option<String>,
    /// What the learner does.
    pub on: Callback<Action>,
}

/// The knobs.
pub fn knobs(props: &KnobsProps) -> Html {
    let variant = |(id, title): &(String, String)| {
        let onclick = press(&props.on, Action::SetVariant(id.clone()));
        let pressed = (*id == props.variant).to_string();
        html! { <button type="button" aria-pressed={pressed} title={title.clone()} lang={of_content()} data-variant={id.clone()} {onclick}>{ id }</button> }
    };
    let title = props.variants.iter().find(|(id, _)| *id == props.variant).map(|(_, title)| title.clone());
    html! {
        <section class="card knobs" aria-label={text::knobs()}>
            <div class="knobgrid">{ for props.knobs.iter().map(|knob| slider(knob, &props.on)) }</div>
            <div class="knobfoot">
                if !props.variants.is_empty() {
                    <span class="seg" role="group" aria-label={text::variant()}>{ for props.variants.iter().map(variant) }</span>
                    <span>{ for title.as_deref().map(content) }</span>
                }
                if let Some(changed) = &props.changed { <span class="changed">{ content(changed) }</span> }
                if let Some(ghost) = &props.ghost { <span class="ghostkey"><i></i>{ text::thin_line(ghost) }</span> }
                <span class="grow"></span>
                if props.changed.is_some() || props.knobs.iter().any(|knob| knob.turned) {
                    { button("btn mini", text::turn_back(), press(&props.on, Action::ResetKnobs)) }
                }
            </div>
        </section>
    }
}

fn slider(knob: &Knob, on: &Callback<Action>) -> Html {
    let input = format!("knob-{}", knob.id);
    let oninput = {
        let (on, id) = (on.clone(), knob.id.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
                on.emit(Action::SetKnob(id.clone(), input.value_as_number()));
            }
        })
    };
    let onchange = {
        let on = on.clone();
        Callback::from(move |_: Event| on.emit(Action::SettleKnob))
    };
    let (min, max, step) = knob.range;
    let text = knob.value.map_or(text::not_in_variant().into(), |value| format::with_unit(value, &knob.unit));
    html! {
        <div class="knob" lang={of_content()} title={knob.help.clone()}>
            <label for={input.clone()}><b>{ &knob.title }</b><span class={classes!(knob.turned.then_some("changed"))}>{ &text }</span></label>
            <input id={input} type="range" min={min.to_string()} max={max.to_string()} step={step.to_string()} disabled={knob.value.is_none()}
                value={knob.value.unwrap_or(min).to_string()} aria-valuetext={text.clone()} data-knob={knob.id.clone()} {oninput} {onchange} />
        </div>
    }
}
