//! Play, step, jump: the buttons, the clock, and in words what comes next.

use crate::components::content::content;
use crate::components::icon::icon;
use crate::components::press::{button, press};
use crate::state::action::{Action, Pace};
use crate::text::transport as text;
use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// What [`transport`] draws.
pub struct TransportProps<'a> {
    /// Whether there is a run to play.
    pub ready: bool,
    /// Whether time passes.
    pub playing: bool,
    /// The clock.
    pub clock: String,
    /// The event number.
    pub event: String,
    /// How fast play goes.
    pub pace: Pace,
    /// Label and text: the very next event.
    pub step: (String, String),
    /// Label and text: the next milestone; the label is empty when there is none.
    pub milestone: (String, String),
    /// Whether the milestone can be jumped to.
    pub can_jump: bool,
    /// Whether the learner is asked to predict first: the rest of the run is not shown until then.
    pub invited: bool,
    /// The time line.
    pub children: Html,
    /// What the learner does.
    pub on: &'a Callback<Action>,
    /// The learner wants to go to the prediction.
    pub on_invite: Callback<()>,
}

/// The speeds on offer: value, and text where it is a number.
const PACES: [(&str, &str, Pace); 6] = [
    ("tour", "", Pace::Tour),
    ("10", "10×", Pace::Fixed(10.0)),
    ("1", "1×", Pace::Fixed(1.0)),
    ("0.1", "1/10", Pace::Fixed(0.1)),
    ("0.02", "1/50", Pace::Fixed(0.02)),
    ("0.002", "1/500", Pace::Fixed(0.002)),
];

/// The transport.
pub fn transport(props: &TransportProps) -> Html {
    let icon_button = |label: &'static str,
                       keys: &'static str,
                       name: &'static str,
                       key: &'static str,
                       action: Action| {
        let onclick = press(props.on, action);
        html! {
            <button type="button" class="btn" aria-label={label} title={text::with_key(label, keys)} aria-keyshortcuts={key} disabled={!props.ready} {onclick}>
                { icon(name) }
            </button>
        }
    };
    let play = {
        let onclick = press(props.on, Action::Toggle);
        let (label, name) = if props.playing { (text::pause(), "pause") } else { (text::play(), "play") };
        html! {
            <button type="button" class="btn primary play" aria-label={label} title={text::with_key(label, text::space_bar())} aria-keyshortcuts="Space"
                disabled={!props.ready} {onclick}>{ icon(name) }</button>
        }
    };
    let onchange = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let select = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
            let chosen = select.and_then(|select| PACES.iter().find(|(value, ..)| *value == select.value()));
            if let Some((_, _, pace)) = chosen {
                on.emit(Action::SetPace(*pace));
            }
        })
    };
    let invite = props.on_invite.reform(|_: MouseEvent| ());
    html! {
        <div class="transport">
            <div class="tr" role="group" aria-label={text::transport()}>
                { icon_button(text::previous_failure(), "[", "previous", "[", Action::PreviousFailure) }
                { icon_button(text::step_back(), text::left_arrow(), "back", "ArrowLeft", Action::StepBack) }
                { play }
                { icon_button(text::step(), text::right_arrow(), "step", "ArrowRight", Action::Step) }
                { icon_button(text::next_failure(), "]", "next", "]", Action::NextFailure) }
                <span class="clock num">{ &props.clock }</span>
                <span class="of">{ text::event() }{ " " }<span class="num">{ &props.event }</span></span>
                <span class="grow"></span>
                <select aria-label={text::speed()} {onchange}>
                    { for PACES.iter().map(|(value, text, pace)| html! {
                        <option value={*value} selected={*pace == props.pace}>{ if text.is_empty() { text::tour() } else { text } }</option>
                    }) }
                </select>
            </div>
            <div class="next">
                <p data-next="step"><span>{ &props.step.0 }{ " " }<b>{ content(&props.step.1) }</b></span></p>
                <p data-next="milestone">
                    <span>{ &props.milestone.0 }{ " " }<b>{ &props.milestone.1 }</b></span>
                    if props.invited { { button("btn mini primary", text::predict(), invite) } }
                    if props.can_jump { <button type="button" class="btn mini" aria-keyshortcuts="M" onclick={press(props.on, Action::NextMilestone)}>{ text::jump() }</button> }
                </p>
            </div>
            { props.children.clone() }
        </div>
    }
}
