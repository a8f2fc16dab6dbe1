//! A notice above the stage: what did not go as wished, and how to mend it. The page goes on below it.

use crate::components::press::button;
use crate::text::frame as text;
use crate::text::language::of_content;
use sandbox_core::scenario::Problem;
use yew::prelude::*;

/// Problems that are shown; the rest is counted.
const SHOWN: usize = 5;

/// What [`notice`] draws.
#[derive(Clone)]
pub struct NoticeProps<'a> {
    /// What it is about, in a word.
    pub about: &'static str,
    /// What happened.
    pub heading: &'static str,
    /// Why.
    pub problems: &'a [Problem],
    /// Takes the notice away.
    pub dismiss: Callback<MouseEvent>,
}

/// A notice that can be dismissed.
pub fn notice(props: NoticeProps) -> Html {
    let NoticeProps { about, heading, problems, dismiss } = props;
    html! {
        <section class="card notice" role="alert" data-notice={about}>
            <h2>{ heading }</h2>
            <ul tabindex="0" lang={of_content()}>{ for problems.iter().take(SHOWN).map(|problem| html! { <li>{ problem.to_string() }</li> }) }</ul>
            if problems.len() > SHOWN { <p>{ text::and_more((problems.len() - SHOWN).to_string()) }</p> }
            { button("btn mini", text::dismiss(), dismiss) }
        </section>
    }
}
