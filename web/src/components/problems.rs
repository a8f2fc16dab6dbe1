//! A document that cannot run: everything that is wrong with it, where, and how to mend it.

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
        1 => "One thing is".to_string(),
        count => format!("{count} things are"),
    };
    html! {
        <main class="card broken" data-broken=""><div role="alert">
            <h1>{ format!("{} cannot run", props.what) }</h1>
            <p>{ format!("{count} wrong with it. Nothing was changed or run.") }</p>
            <ul>
                { for props.problems.iter().map(|problem| html! {
                    <li><code>{ if problem.path.is_empty() { "(document)" } else { &problem.path } }</code>
                        <div>{ format!("{}. {}", problem.what, problem.hint) }</div></li>
                }) }
            </ul>
            <p><a href="?">{ "All lessons" }</a></p>
        </div></main>
    }
}
