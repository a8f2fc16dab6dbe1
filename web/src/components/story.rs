//! The story: what this is about, what the learner predicts, what it means, and what to mend.

use crate::components::press::{button, press};
use crate::state::action::Action;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

/// The prediction as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The question.
    pub question: String,
    /// The options.
    pub options: Vec<Choice>,
    /// Whether it was answered, or passed over.
    pub closed: bool,
}

/// An option of a prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Whether the learner said so.
    pub said: bool,
    /// Whether it is what happened.
    pub right: bool,
    /// What stands at its right end.
    pub note: String,
}

/// The challenge as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What to reach.
    pub text: String,
    /// The judgement of the present run: whether it passes, and the sentence; None while there is no run.
    pub verdict: Option<(bool, String)>,
    /// Whether a solution can be shown.
    pub has_solution: bool,
}

/// What [`story`] draws.
pub struct StoryProps<'a> {
    /// Title of the lesson.
    pub title: &'a str,
    /// What it is about.
    pub lede: &'a str,
    /// The names of the beats.
    pub beats: &'a [String],
    /// Which beat is open.
    pub beat: usize,
    /// Which beats are done.
    pub done: &'a [bool],
    /// Whether the later beats may be opened.
    pub open: bool,
    /// The prose of this beat, rendered when the page was built.
    pub prose: &'static str,
    /// The prediction, in the beats where it is shown.
    pub ask: Option<Ask>,
    /// The incident sheet, at the end of the run: name and value.
    pub sheet: Option<Vec<(String, String)>>,
    /// The challenge, in its beat.
    pub task: Option<Task>,
    /// Where the prediction is, for whoever invites to it.
    pub ask_ref: NodeRef,
    /// What the learner does.
    pub on: &'a Callback<Action>,
}

/// The story.
pub fn story(props: &StoryProps) -> Html {
    let beat = |(index, name): (usize, &String)| {
        let onclick = press(props.on, Action::GoToBeat(index));
        let class = if props.done.get(index) == Some(&true) { "beat done" } else { "beat" };
        html! {
            <button type="button" {class} aria-current={(index == props.beat).then_some("step")}
                disabled={index > 0 && !props.open} {onclick}>{ name }</button>
        }
    };
    // A link of the prose that begins with `#do-` does something: `#do-next-failure`, `#do-play`.
    let onclick = {
        let on = props.on.clone();
        Callback::from(move |event: MouseEvent| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let link = target.and_then(|target| target.closest("a[href^='#do-']").ok().flatten());
            let action = link
                .and_then(|link| link.get_attribute("href"))
                .and_then(|href| named(href.trim_start_matches("#do-")));
            if let Some(action) = action {
                event.prevent_default();
                on.emit(action);
            }
        })
    };
    let next = props.beats.get(props.beat + 1).filter(|_| props.open && props.beat > 0).map(|name| {
        button("btn next-beat", &format!("Next: {name}"), press(props.on, Action::GoToBeat(props.beat + 1)))
    });
    html! {
        <article class="card story" aria-label="Lesson" tabindex="0">
            <h1>{ props.title }</h1>
            <p class="lede">{ props.lede }</p>
            <nav class="beats" aria-label="Steps of the lesson">{ for props.beats.iter().enumerate().map(beat) }</nav>
            <div class="prose" {onclick}>{ Html::from_html_unchecked(AttrValue::Static(props.prose)) }</div>
            { props.task.as_ref().map(|task| draw_task(task, props.on)).unwrap_or_default() }
            { props.sheet.as_ref().map(|sheet| draw_sheet(sheet)).unwrap_or_default() }
            { props.ask.as_ref().map(|ask| draw_ask(ask, props)).unwrap_or_default() }
            { next.unwrap_or_default() }
        </article>
    }
}

fn named(name: &str) -> Option<Action> {
    use crate::state::action::Tab;
    Some(match name {
        "play" => Action::Play,
        "next-failure" => Action::NextFailure,
        "previous-failure" => Action::PreviousFailure,
        "next-milestone" => Action::NextMilestone,
        "charts" => Action::Show(Tab::Charts),
        "requests" => Action::Show(Tab::Requests),
        "log" => Action::Show(Tab::Log),
        "health" => Action::Show(Tab::Health),
        _ => match name.split_once('-') {
            Some(("variant", variant)) => Action::SetVariant(variant.to_ascii_uppercase()),
            Some(("seek", second)) => {
                Action::Seek(sandbox_core::time::Time::from_seconds(serde_json::from_slice(second.as_bytes()).ok()?))
            }
            _ => return None,
        },
    })
}

fn draw_ask(ask: &Ask, props: &StoryProps) -> Html {
    let option = |choice: &Choice| {
        let onclick = press(props.on, Action::Predict(choice.id.clone()));
        let class = classes!("opt", choice.said.then_some("said"), choice.right.then_some("right"));
        html! {
            <button type="button" {class} disabled={ask.closed} data-option={choice.id.clone()} aria-pressed={choice.said.to_string()} {onclick}>
                <i aria-hidden="true">{ if choice.right { "✓" } else { "" } }</i>
                <span>{ &choice.text }</span><span class="note">{ &choice.note }</span>
            </button>
        }
    };
    html! {
        <section class="ask" aria-label="Prediction" ref={props.ask_ref.clone()} tabindex="-1">
            <h2>{ if ask.closed { format!("Your prediction. {}", ask.question) } else { ask.question.clone() } }</h2>
            { for ask.options.iter().map(option) }
            if !ask.closed {
                <p class="skip">{ "What comes after the cursor stays hidden until then. " }
                    { button("link", "Go on without a prediction", press(props.on, Action::SkipPrediction)) }</p>
            }
        </section>
    }
}

fn draw_task(task: &Task, on: &Callback<Action>) -> Html {
    html! {
        <section class="ask" aria-label="Challenge">
            <h2>{ &task.text }</h2>
            if let Some((passed, sentence)) = &task.verdict {
                <p class={classes!("verdict", if *passed { "pass" } else { "miss" })} data-verdict={if *passed { "pass" } else { "miss" }}>
                    <b>{ if *passed { "✓ Reached" } else { "✗ Not yet" } }</b><span>{ sentence }</span></p>
            }
            if task.has_solution {
                <p class="skip">{ button("link", "Show a solution", press(on, Action::ShowSolution)) }</p>
            }
        </section>
    }
}

fn draw_sheet(sheet: &[(String, String)]) -> Html {
    html! {
        <section class="sheet" aria-label="Incident sheet">
            <h2>{ "Incident sheet" }</h2>
            <dl>{ for sheet.iter().map(|(name, value)| html! { <><dt>{ name }</dt><dd>{ value }</dd></> }) }</dl>
        </section>
    }
}
