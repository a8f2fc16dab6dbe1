//! The page with all lessons: the path through them, and how far the learner has come on it.

use crate::components::content::content;
use crate::components::glossary::{self, EntryProps};
use crate::components::header::{self, HeaderProps};
use crate::components::notice::{self, NoticeProps};
use crate::components::press::button;
use crate::components::recording::opener;
use crate::components::screen::{name_page, switch_theme};
use crate::state::course::{Course, Done};
use crate::state::storage;
use crate::text::language::of_content;
use crate::text::{frame, home as text};
use lessons::{Entry, INDEX};
use sandbox_core::link::Link;
use sandbox_core::scenario::Problem;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{File, HtmlDialogElement};
use yew::prelude::*;

/// Properties of [`HomePage`].
#[derive(Clone, PartialEq, Properties)]
pub struct HomeProps {
    /// What of the address was not understood.
    pub unread: Vec<Problem>,
}

/// What there is to say about keeping progress.
#[derive(Clone, PartialEq)]
enum Said {
    Nothing,
    Fine(String),
    NotKept(String),
    Refused(Vec<Problem>),
}

/// The page with all lessons.
#[component]
pub fn HomePage(props: &HomeProps) -> Html {
    let course = use_state(|| storage::course().0);
    let said = use_state(|| storage::course().1.map_or(Said::Nothing, Said::NotKept));
    let unread = use_state(|| props.unread.clone());
    let (dialog, term) = (use_node_ref(), use_state_eq(String::new));
    use_effect_with((), |()| name_page(None));
    let on_term = {
        let (dialog, term) = (dialog.clone(), term.setter());
        Callback::from(move |name: String| {
            term.set(name);
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
                let _ = dialog.show_modal();
            }
        })
    };
    let keep = {
        let (course, said) = (course.setter(), said.setter());
        Callback::from(move |(kept, fine): (Course, String)| {
            said.set(storage::keep(&kept).map_or_else(Said::NotKept, |()| Said::Fine(fine)));
            course.set(kept);
        })
    };
    let on_file = {
        let (course, keep, said) = ((*course).clone(), keep.clone(), said.setter());
        Callback::from(move |file: File| import(file, course.clone(), keep.clone(), said.clone()))
    };
    // The first press asks, the second one does it.
    let is_sure = use_state_eq(|| false);
    let forget = {
        let (keep, is_sure) = (keep.clone(), is_sure.clone());
        Callback::from(move |really: bool| {
            if really && *is_sure {
                keep.emit((Course::default(), text::forgotten().into()));
            }
            is_sure.set(really && !*is_sure);
        })
    };
    let dismiss = {
        let unread = unread.setter();
        Callback::from(move |_| unread.set(Vec::new()))
    };
    let passed = INDEX.iter().filter(|entry| course.of(entry.id).passed).count();
    let next = INDEX.iter().find(|entry| !course.of(entry.id).passed);
    html! {
        <div class="app home-app">
            { header::header(&HeaderProps { place: None, children: Html::default(), on_theme: Callback::from(|()| switch_theme()) }) }
            <main class="home" data-home="">
                if !unread.is_empty() {
                    { notice::notice(NoticeProps {
                        about: "address",
                        heading: frame::unread(),
                        problems: &unread,
                        dismiss,
                    }) }
                }
                <h1>{ frame::course() }</h1>
                <p class="lede">{ text::lede() }</p>
                <p class="row">
                    if let Some(next) = next {
                        <a class="btn primary" href={address(next)}>{ if passed == 0 { text::begin(next.title) } else { text::go_on(next.title) } }</a>
                    }
                    <a class="btn" href="?playground" data-playground-link="">{ text::build() }</a>
                    <span data-passed={passed.to_string()}>{ text::passed_of(passed, INDEX.len()) }</span>
                </p>
                { for series().map(|entries| draw_series(entries, &course)) }
                { progress(&course, &said, &on_file, (*is_sure, forget)) }
                <details class="card terms"><summary><h2>{ text::glossary() }</h2></summary>{ glossary::all(on_term.clone()) }</details>
                { colophon() }
            </main>
            { glossary::entry(&EntryProps { dialog, term: &term, on_term }) }
        </div>
    }
}

/// What whoever decides about a course wants to know; the pages are files of the site, which nobody else fetches.
fn colophon() -> Html {
    html! {
        <footer class="colophon">
            <p>{ text::stays_here() }{ " " }<a href="about/privacy.html">{ text::privacy() }</a></p>
            <p><a href="about/conformance.html">{ text::right() }</a></p>
            <p>{ text::licences() }{ " " }<a href="LICENSE-CC-BY-4.0.txt" translate="no">{ "CC BY 4.0" }</a></p>
        </footer>
    }
}

/// The lessons, series by series.
fn series() -> impl Iterator<Item = &'static [Entry]> {
    INDEX.chunk_by(|a, b| a.series == b.series)
}

fn address(entry: &Entry) -> String {
    Link { lesson: Some(entry.id.into()), ..Link::default() }.query()
}

fn draw_series(entries: &[Entry], course: &Course) -> Html {
    let lesson = |entry: &Entry| {
        let (class, mark, word) = state(&course.of(entry.id));
        html! {
            <li class={classes!("card", "lesson-row", class)} data-lesson={entry.id} data-state={class}>
                <span class="lesson-state" aria-hidden="true">{ mark }</span>
                <div>
                    <h3><span class="num" translate="no">{ entry.number }</span>{ " " }<a href={address(entry)}>{ content(entry.title) }</a></h3>
                    <p>{ content(entry.teaser) }</p>
                </div>
                <p class="lesson-note"><span>{ text::minutes(entry.minutes) }</span><span>{ word }</span></p>
            </li>
        }
    };
    html! {
        <section>
            <h2>{ content(entries[0].series) }</h2>
            <ol class="path">{ for entries.iter().map(lesson) }</ol>
        </section>
    }
}

/// How far a lesson is: class, mark, word.
fn state(done: &Done) -> (&'static str, &'static str, &'static str) {
    match (done.passed, &done.predicted) {
        (true, _) => ("passed", "✓", text::passed()),
        (false, Some(_)) => ("begun", "◐", text::begun()),
        (false, None) => ("new", "○", text::not_begun()),
    }
}

fn progress(course: &Course, said: &Said, on_file: &Callback<File>, (is_sure, forget): (bool, Callback<bool>)) -> Html {
    let encoded: String = js_sys::encode_uri_component(&course.to_json()).into();
    html! {
        <section class="card kept">
            <h2>{ text::progress() }</h2>
            <p>{ text::stays() }</p>
            <p class="row">
                <a class="btn" download="faultline-progress.json" href={format!("data:application/json,{encoded}")} data-export="">{ text::export() }</a>
                { opener(text::import(), ".json", on_file) }
                // The same button asks and takes back: pressed twice it forgets nothing.
                { button("link", if is_sure { text::keep_it() } else { text::forget() }, forget.reform(move |_| !is_sure)) }
                if is_sure { { button("btn", text::forget_now(), forget.reform(|_| true)) } }
            </p>
            <p role="status" data-sure="">{ if is_sure { text::really() } else { "" } }</p>
            <div role="status" data-said="">
                { match said {
                    Said::Nothing => Html::default(),
                    Said::Fine(text) | Said::NotKept(text) => html! { <p>{ text }</p> },
                    Said::Refused(problems) => html! {
                        <>
                            <p>{ text::not_imported() }</p>
                            <ul lang={of_content()}>{ for problems.iter().take(5).map(|problem| html! { <li>{ problem.to_string() }</li> }) }</ul>
                        </>
                    },
                } }
            </div>
        </section>
    }
}

/// Adds what a file says to what is kept.
fn import(file: File, mut course: Course, keep: Callback<(Course, String)>, said: UseStateSetter<Said>) {
    let content = file.text();
    spawn_local(async move {
        let text = JsFuture::from(content).await.ok().and_then(|text| text.as_string());
        match Course::parse(&text.unwrap_or_default()) {
            Ok(other) => {
                course.merge(other);
                keep.emit((course, text::imported(file.name())));
            }
            Err(problems) => said.set(Said::Refused(problems)),
        }
    });
}
