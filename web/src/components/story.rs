//! The story: what this is about, what the learner predicts, what it means, and what to mend.

use crate::components::content::content;
use crate::components::glossary;
use crate::components::press::{button, press};
use crate::state::action::Action;
use crate::text::language::of_content;
use crate::text::story as text;
use sandbox_core::lesson::{GoalResult, Link};
use std::rc::Rc;
use web_sys::{Element, FocusOptions, HtmlElement};
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
    /// How the present run stands to each part of the goal; None while there is no run.
    pub verdict: Option<Vec<GoalResult>>,
    /// The knobs of the known solution, once the challenge is passed; until then it can be shown on the stage.
    pub solution: Option<String>,
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
    pub prose: Rc<str>,
    /// The prediction, in the beats where it is shown.
    pub ask: Option<Ask>,
    /// The incident sheet, at the end of the run: name and value.
    pub sheet: Option<Vec<(&'static str, String)>>,
    /// The challenge, in its beat.
    pub task: Option<Task>,
    /// Where the story begins.
    pub heading: NodeRef,
    /// Where the prediction is, for whoever invites to it.
    pub ask_ref: NodeRef,
    /// The learner wants a term explained.
    pub on_term: &'a Callback<String>,
    /// What is the matter with keeping the learner's progress.
    pub not_kept: Option<String>,
    /// What the learner does.
    pub on: &'a Callback<Action>,
}

/// Where the story begins: a beat has just been opened, or the page. Whoever reads it by ear is there, and the keys of the stage
/// work from there.
pub fn begin(heading: &NodeRef) -> Option<()> {
    let heading = heading.cast::<HtmlElement>()?;
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    heading.focus_with_options(&options).ok()
}

/// Scrolls to the top of the story: in its own column, or on a phone in the page.
pub fn scroll_to_top(heading: &NodeRef) {
    let story = heading.cast::<Element>().and_then(|heading| heading.closest(".story").ok().flatten());
    if let Some(story) = story {
        story.set_scroll_top(0);
        story.scroll_into_view();
    }
}

/// The story.
pub fn story(props: &StoryProps) -> Html {
    let beat = |(index, name): (usize, &String)| {
        let onclick = press(props.on, Action::GoToBeat(index));
        let class = if props.done.get(index) == Some(&true) { "beat done" } else { "beat" };
        html! {
            <button type="button" {class} aria-current={(index == props.beat).then_some("step")}
                disabled={index > 0 && !props.open} {onclick}>{ content(name) }</button>
        }
    };
    let onclick = {
        let (on, on_term) = (props.on.clone(), props.on_term.clone());
        glossary::follow(move |link| match link {
            Link::Term(term) => on_term.emit(term),
            link => Action::of(link).into_iter().for_each(|action| on.emit(action)),
        })
    };
    let next = props
        .beats
        .get(props.beat + 1)
        .filter(|_| props.open && props.beat > 0)
        .map(|name| button("btn next-beat", &text::next(name), press(props.on, Action::GoToBeat(props.beat + 1))));
    html! {
        <article class="card story" aria-label={text::lesson()} tabindex="0">
            <h1 ref={props.heading.clone()} tabindex="-1" data-keys="">{ content(props.title) }</h1>
            <p class="lede">{ content(props.lede) }</p>
            <nav class="beats" aria-label={text::steps()}>{ for props.beats.iter().enumerate().map(beat) }</nav>
            <div class="prose" lang={of_content()} {onclick}>{ Html::from_html_unchecked(props.prose.clone().into()) }</div>
            { props.task.as_ref().map(|task| draw_task(task, props.on)).unwrap_or_default() }
            { props.sheet.as_ref().map(|sheet| draw_sheet(sheet)).unwrap_or_default() }
            { props.ask.as_ref().map(|ask| draw_ask(ask, props)).unwrap_or_default() }
            { next.unwrap_or_default() }
            if let Some(why) = &props.not_kept { <p class="aside" data-not-kept="">{ why }</p> }
        </article>
    }
}

fn draw_ask(ask: &Ask, props: &StoryProps) -> Html {
    let option = |choice: &Choice| {
        let onclick = press(props.on, Action::Predict(choice.id.clone()));
        let class = classes!("opt", choice.said.then_some("said"), choice.right.then_some("right"));
        html! {
            <button type="button" {class} disabled={ask.closed} data-option={choice.id.clone()} aria-pressed={choice.said.to_string()} {onclick}>
                <i aria-hidden="true">{ if choice.right { "✓" } else { "" } }</i>
                <span>{ content(&choice.text) }</span><span class="note">{ &choice.note }</span>
            </button>
        }
    };
    html! {
        <section class="ask" aria-label={text::prediction()} ref={props.ask_ref.clone()} tabindex="-1">
            <h2>if ask.closed { { text::your_prediction() }{ " " } }<span>{ content(&ask.question) }</span></h2>
            { for ask.options.iter().map(option) }
            if !ask.closed {
                <p class="skip">{ text::hidden_until() }{ " " }
                    { button("link", text::skip(), press(props.on, Action::SkipPrediction)) }</p>
            }
        </section>
    }
}

fn draw_task(task: &Task, on: &Callback<Action>) -> Html {
    let goal = |goal: &GoalResult| {
        let (class, mark, word) =
            if goal.reached { ("pass", "✓", text::goal_reached()) } else { ("miss", "✗", text::goal_missed()) };
        html! {
            <li {class}><b aria-hidden="true">{ mark }</b><span><span class="unseen">{ word }{ " " }</span><span lang={of_content()}>{ &goal.text }</span></span>
                <span class="num">{ &goal.measured }</span></li>
        }
    };
    html! {
        <section class="ask" aria-label={text::challenge()}>
            <h2>{ content(&task.text) }</h2>
            if let Some(goals) = &task.verdict {
                { verdict(goals.iter().all(|goal| goal.reached), html! { <ul class="goals">{ for goals.iter().map(goal) }</ul> }) }
            }
            <p class="skip" data-solution={task.solution.is_some().to_string()}>
                { match &task.solution {
                    Some(solution) => html! { <>{ text::one_solution() }{ " " }<span>{ content(solution) }</span>{ "." }</> },
                    None => button("link", text::give_up(), press(on, Action::ShowSolution)),
                } }
            </p>
        </section>
    }
}

fn verdict(passed: bool, goals: Html) -> Html {
    let (class, text) = if passed { ("pass", text::reached()) } else { ("miss", text::not_yet()) };
    html! {
        <div class={classes!("verdict", class)} data-verdict={class}><b>{ text }</b>{ goals }</div>
    }
}

fn draw_sheet(sheet: &[(&'static str, String)]) -> Html {
    html! {
        <section class="sheet" aria-label={text::sheet()}>
            <h2>{ text::sheet() }</h2>
            <dl>{ for sheet.iter().map(|(name, value)| html! { <><dt>{ *name }</dt><dd>{ value }</dd></> }) }</dl>
        </section>
    }
}
