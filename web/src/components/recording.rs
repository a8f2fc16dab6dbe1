//! A recorded run: how to open one, what is open, and why another could not be.

use crate::components::content::content;
use crate::components::notice::{self, NoticeProps};
use crate::components::press::{button, press};
use crate::state::action::Action;
use crate::state::recorded::Opening;
use crate::text::story as text;
use crate::view_model::recorded::RecordedView;
use wasm_bindgen::JsCast;
use web_sys::{File, HtmlInputElement};
use yew::prelude::*;

/// What [`recording`] draws.
#[derive(Clone)]
pub struct RecordingProps {
    /// What it is; None while it is being computed.
    pub view: Option<RecordedView>,
    /// The learner chose another file.
    pub on_file: Callback<File>,
    /// What the learner does.
    pub on: Callback<Action>,
}

/// What is open, in the place of the lesson's story.
pub fn recording(props: &RecordingProps) -> Html {
    html! {
        <article class="card story recorded" aria-label={text::recorded_run()} tabindex="0">
            { props.view.as_ref().map(told).unwrap_or_else(|| html! { <h1>{ text::a_recorded_run() }</h1> }) }
            <p>{ text::is_fixed() }</p>
            <p class="row">{ button("btn primary", text::back_to_lesson(), press(&props.on, Action::CloseRecording)) }
                { opener(text::open_another(), ".jsonl,.json", &props.on_file) }</p>
        </article>
    }
}

fn told(view: &RecordedView) -> Html {
    let (class, mark) = match view.same {
        Some(true) => ("pass", "✓"),
        Some(false) => ("miss", "✗"),
        None => ("", "?"),
    };
    html! {
        <>
            <h1>{ content(&view.title) }</h1>
            <p class="lede">{ &view.lede }</p>
            if let Some(source) = &view.source { <p>{ source }</p> }
            <p class={classes!("verdict", class)}><b>{ mark }</b><span>{ &view.verdict }</span></p>
        </>
    }
}

/// Opens a file that the learner chooses.
pub fn opener(text: &'static str, accept: &'static str, on_file: &Callback<File>) -> Html {
    let on_file = on_file.clone();
    let onchange = Callback::from(move |event: Event| {
        let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some((input, file)) = input.and_then(|input| Some((input.clone(), input.files()?.get(0)?))) {
            on_file.emit(file);
            // The same file can be chosen again.
            input.set_value("");
        }
    });
    html! { <label class="link opener">{ text }<input class="unseen" type="file" {accept} {onchange} /></label> }
}

/// What became of the latest wish to open one.
pub fn notice(opening: &Opening, on: &Callback<Action>) -> Html {
    match opening {
        Opening::Idle => Html::default(),
        Opening::UnderWay => html! { <p class="card notice" role="status">{ text::reading() }</p> },
        Opening::Refused(problems) => notice::notice(NoticeProps {
            about: "recording",
            heading: text::cannot_be_opened(),
            problems,
            dismiss: press(on, Action::DismissRefused),
        }),
    }
}
