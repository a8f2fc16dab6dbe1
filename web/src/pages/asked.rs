//! What the page shows of a question about the whole scenario.

use crate::components::what_if::{self, Progress, WhatIfProps};
use crate::state::action::Action;
use crate::state::player::Shown;
use crate::state::session::Session;
use crate::state::what_if::{Job, Question, Subject};
use crate::text::what_if as text;
use crate::view_model::what_if as tables;
use crate::view_model::what_if::Table;
use yew::prelude::*;

/// The open question and its answer.
pub fn what_if(session: &Session, shown: &Shown, on: &Callback<Action>) -> Html {
    let asked = &session.what_if;
    if session.recorded.is_some() {
        return html! { <div class="card empty"><p>{ text::not_recorded() }</p></div> };
    }
    let knobs: Vec<(String, String)> = match asked.question {
        Question::Map => {
            let known = session.content.patched(&session.settings).knobs();
            known.into_iter().map(|knob| (knob.id, knob.spec.title)).collect()
        }
        _ => Vec::new(),
    };
    let laid = match &asked.job {
        Some(Job { subject: Subject::Map(axes), .. }) => [0, 1].map(|side| Some(axes.get(side)?.0.id.clone())),
        _ => [0, 1].map(|side| asked.knobs[side].clone().or_else(|| Some(knobs.get(side)?.0.clone()))),
    };
    let progress = match &asked.job {
        None => Progress::Open,
        Some(job) if job.study.cases().is_empty() => Progress::Nothing(nothing(asked.question)),
        Some(job) => Progress::Runs(job.outcomes.len(), job.study.cases().len()),
    };
    let cases = asked.job.as_ref().map_or(0, |job| job.outcomes.len());
    let is_on_stage = |case: &usize| asked.settings_of(&session.content, *case).as_ref() == Some(&session.settings);
    let on_stage = (0..cases).find(is_on_stage);
    let own = asked.job.as_ref().is_none_or(|job| job.settings == session.settings);
    what_if::what_if(&WhatIfProps {
        question: asked.question,
        knobs,
        laid,
        progress,
        table: asked.job.as_ref().map_or_else(Table::default, |job| table(job, shown)),
        on_stage,
        outdated: !own && on_stage.is_none(),
        closed: !session.player.future_is_open,
        on,
    })
}

fn table(job: &Job, shown: &Shown) -> Table {
    let (cases, outcomes) = (job.study.cases(), job.outcomes.as_slice());
    match (&job.subject, job.question) {
        (Subject::Map(axes), _) => tables::map(axes, outcomes),
        (Subject::Load(rates), _) => tables::load(shown.run.plan(), rates, outcomes),
        (Subject::TooLate(ends), _) => tables::too_late(ends, outcomes),
        (Subject::Plain, Question::Seeds) => tables::seeds(outcomes, &job.goals),
        (Subject::Plain, Question::PartsDown) => tables::parts_down(cases, outcomes),
        (Subject::Plain, _) => tables::without(cases, outcomes),
    }
}

/// Why there is nothing to run.
fn nothing(question: Question) -> &'static str {
    match question {
        Question::Map => text::no_knob(),
        Question::Load => text::no_rate(),
        Question::TooLate => text::no_fault(),
        Question::Without | Question::Seeds | Question::PartsDown => text::nothing_to_run(),
    }
}
