//! What if: a question about the whole scenario, and its answer as a table whose cases can be put on the stage.

use crate::components::press::{button, press};
use crate::state::action::Action;
use crate::state::what_if::Question;
use crate::text::language::of_content;
use crate::text::what_if as text;
use crate::view_model::what_if::{Cell, Line, Table};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlSelectElement};
use yew::prelude::*;

/// How far the answer is.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Not asked yet.
    Open,
    /// So many runs of so many.
    Runs(usize, usize),
    /// There is nothing to run, and why.
    Nothing(&'static str),
}

/// What [`what_if`] draws.
pub struct WhatIfProps<'a> {
    /// The question that is open.
    pub question: Question,
    /// The knobs to choose from, id and title, and which are laid across and down; for the map.
    pub knobs: Vec<(String, String)>,
    /// Which are.
    pub laid: [Option<String>; 2],
    /// How far the answer is.
    pub progress: Progress,
    /// The answer, as far as it is known.
    pub table: Table,
    /// The case that is on the stage.
    pub on_stage: Option<usize>,
    /// Whether the answer is about other settings than those of the stage.
    pub outdated: bool,
    /// Whether it would tell what is to be predicted.
    pub closed: bool,
    /// What the learner does.
    pub on: &'a Callback<Action>,
}

/// A question's name, and what it asks.
fn words(question: Question) -> (&'static str, &'static str) {
    match question {
        Question::Without => (text::without_it(), text::without_it_asks()),
        Question::Seeds => (text::luck(), text::luck_asks()),
        Question::Map => (text::map(), text::map_asks()),
        Question::PartsDown => (text::weak_points(), text::weak_points_asks()),
        Question::Load => (text::load(), text::load_asks()),
        Question::TooLate => (text::too_late(), text::too_late_asks()),
    }
}

/// The questions, the open one, and its answer.
pub fn what_if(props: &WhatIfProps) -> Html {
    let (name, asks) = words(props.question);
    let choose = |question: &Question| {
        let pressed = (*question == props.question).to_string();
        let onclick = press(props.on, Action::Ask(*question));
        html! { <button type="button" aria-pressed={pressed} {onclick}>{ words(*question).0 }</button> }
    };
    if props.closed {
        return html! {
            <div class="card empty"><p>{ text::predict_first() }</p></div>
        };
    }
    let (done, of) = match props.progress {
        Progress::Runs(done, of) => (done, of),
        _ => (0, 0),
    };
    html! {
        <section class="card whatif" aria-label={text::what_if()} data-runs={done.to_string()} data-of={of.to_string()}>
            <div class="seg" role="group" aria-label={text::question()}>{ for Question::ALL.iter().map(choose) }</div>
            <h2>{ name }</h2>
            <p class="asks">{ asks }</p>
            if props.question == Question::Map { { knobs(props) } }
            <div class="row">
                { match props.progress {
                    Progress::Open => button("btn primary", text::run_it(), press(props.on, Action::Answer)),
                    Progress::Nothing(why) => html! { <p>{ why }</p> },
                    Progress::Runs(done, of) if done < of => html! {
                        <>
                            <progress max={of.to_string()} value={done.to_string()} aria-label={text::runs()}></progress>
                            <span class="num">{ text::runs_done(done, of) }</span>
                            { button("btn", text::stop(), press(props.on, Action::StopAnswer)) }
                        </>
                    },
                    Progress::Runs(..) => html! {
                        <>
                            <span class="num">{ text::runs_all(of) }</span>
                            if props.outdated {
                                <span>{ text::outdated() }</span>
                                { button("btn", text::run_again(), press(props.on, Action::Answer)) }
                            }
                        </>
                    },
                } }
            </div>
            if !props.table.rows.is_empty() { { table(props) } }
            if !props.table.finding.is_empty() { <p class="finding">{ &props.table.finding }</p> }
        </section>
    }
}

/// The knobs of the map.
fn knobs(props: &WhatIfProps) -> Html {
    let select = |side: usize, name: &'static str| {
        let on = props.on.clone();
        let onchange = Callback::from(move |event: Event| {
            if let Some(select) = event.target().and_then(|target| target.dyn_into::<HtmlSelectElement>().ok()) {
                on.emit(Action::Lay(side, select.value()));
            }
        });
        let option = |(id, title): &(String, String)| {
            let selected = props.laid[side].as_ref() == Some(id);
            html! { <option value={id.clone()} {selected} lang={of_content()}>{ title }</option> }
        };
        html! { <label>{ name }{ " " }<select {onchange}>{ for props.knobs.iter().map(option) }</select></label> }
    };
    html! { <div class="row">{ select(0, text::across()) }{ select(1, text::down()) }</div> }
}

fn table(props: &WhatIfProps) -> Html {
    let Table { caption, head, rows, .. } = &props.table;
    let pressed = |case: usize| (props.on_stage == Some(case)).to_string();
    let put = |case: usize, text: &str| {
        html! {
            <button type="button" class="put" aria-pressed={pressed(case)} title={text::put_on_stage()} data-case={case.to_string()}
                onclick={press(props.on, Action::Try(case))}>{ text }</button>
        }
    };
    let cell = |cell: &Cell| {
        let style = cell.good.map(|good| format!("--good:{:.0}%", good.clamp(0.0, 1.0) * 100.0));
        let text = match cell.case {
            Some(case) => put(case, &cell.text),
            None => html! { &cell.text },
        };
        html! { <td class={classes!("num", cell.good.map(|_| "heat"))} {style}>{ text }</td> }
    };
    let row = |line: &Line| {
        let name = match line.case {
            Some(case) => put(case, &line.name),
            None => html! { &line.name },
        };
        html! { <tr><th scope="row">{ name }</th>{ for line.cells.iter().map(cell) }</tr> }
    };
    html! {
        <div class="scroll" tabindex="0" role="region" aria-label={caption.clone()}>
            <table class="table">
                <caption class="unseen">{ caption }</caption>
                <thead><tr>{ for head.iter().map(|name| html! { <th scope="col">{ name }</th> }) }</tr></thead>
                <tbody>{ for rows.iter().map(row) }</tbody>
            </table>
        </div>
    }
}
