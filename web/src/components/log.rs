//! The log up to the cursor, as the servers would write it: with request ids.

use crate::state::action::Action;
use crate::text::evidence as text;
use crate::text::language::of_content;
use sandbox_core::ids::RequestId;
use yew::prelude::*;

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When.
    pub at: String,
    /// `info`, `warn` or `error`.
    pub level: &'static str,
    /// The request it is about, 0 for none.
    pub request: u32,
    /// What it says.
    pub text: String,
}

/// What [`log`] draws.
#[derive(Clone)]
pub struct LogProps {
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// How many lines came before these.
    pub before: u64,
    /// What the learner does.
    pub on: Callback<Action>,
}

/// The log.
pub fn log(props: &LogProps) -> Html {
    let line = |line: &LogLine| {
        let request = line.request;
        let on = props.on.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            on.emit(Action::Select(RequestId(request)));
            on.emit(Action::Show(crate::state::action::Tab::Requests));
        });
        html! {
            <li class={line.level} lang={of_content()}>
                { format!("{} {} ", line.at, line.level.to_ascii_uppercase()) }
                if request > 0 { <button type="button" {onclick}>{ format!("request={request}") }</button>{ " " } }
                { &line.text }
            </li>
        }
    };
    if props.lines.is_empty() {
        return html! { <div class="card empty"><p>{ text::nothing_logged() }</p></div> };
    }
    html! {
        <ol class="card log" aria-label={text::log_newest_first()} tabindex="0">
            { for props.lines.iter().rev().map(line) }
            if props.before > 0 { <li class="info">{ text::lines_before(crate::view_model::format::count(props.before)) }</li> }
        </ol>
    }
}
