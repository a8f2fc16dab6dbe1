//! A document that cannot run: everything that is wrong with it, where, and how to mend it.

use crate::text::frame as text;
use crate::text::language::of_content;
use sandbox_core::scenario::Problem;
use yew::prelude::*;

/// What [`problems`] draws.
#[derive(Clone)]
pub struct ProblemsProps {
    /// What cannot run.
    pub what: String,
    /// All that is wrong.
    pub problems: Vec<Problem>,
}

/// All problems of a document.
pub fn problems(props: &ProblemsProps) -> Html {
    let count = match props.problems.len() {
        1 => text::one_is_wrong().to_string(),
        count => text::some_are_wrong(count),
    };
    html! {
        <main class="card broken" data-broken=""><div role="alert">
            <h1>{ text::cannot_run(&props.what) }</h1>
            <p>{ count }</p>
            <ul lang={of_content()}>
                { for props.problems.iter().map(|problem| html! {
                    <li><code>{ if problem.path.is_empty() { text::whole_document() } else { &problem.path } }</code>
                        <div>{ format!("{}. {}", problem.what, problem.hint) }</div></li>
                }) }
            </ul>
            <p><a href="?">{ text::all_lessons() }</a></p>
        </div></main>
    }
}
