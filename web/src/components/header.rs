//! The head of the page: which lesson, which run.

use crate::components::icon::icon;
use crate::text::frame as text;
use crate::text::language::of_content;
use crate::view_model::format;
use sandbox_core::link::Snippet;
use yew::prelude::*;

/// What [`header`] draws.
#[derive(Clone)]
pub struct HeaderProps {
    /// Where in the course this is: series and title; None: at its beginning.
    pub place: Option<(String, String)>,
    /// What belongs to the page: chips, buttons.
    pub children: Html,
    /// The learner wants the other theme.
    pub on_theme: Callback<()>,
}

/// The head of the page. Its mark leads to all lessons.
pub fn header(props: &HeaderProps) -> Html {
    let theme = props.on_theme.reform(|_: MouseEvent| ());
    html! {
        <header class="top">
            <a class="brand" href="?" aria-label={text::to_all_lessons()} title={text::all_lessons()}>
                <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M2 9h7l3 6h10" fill="none" stroke="var(--accent)" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" />
                    <path d="M2 16h6M16 8h6" fill="none" stroke="var(--line-strong)" stroke-width="2.6" stroke-linecap="round" />
                </svg>
                <span translate="no">{ "Faultline" }</span>
            </a>
            if let Some((series, title)) = &props.place {
                <div class="crumb" lang={of_content()}>{ series }{ "\u{a0}\u{a0}/\u{a0}\u{a0}" }<b>{ title }</b></div>
            }
            <div class="grow"></div>
            { props.children.clone() }
            <button type="button" class="btn quiet" aria-label={text::switch_theme()} title={text::light_or_dark()} onclick={theme}>{ icon("theme") }</button>
        </header>
    }
}

/// The buttons of a lesson: share, embed, help. Without `on_share` there is no address to share.
pub fn buttons(on_share: Option<Callback<Snippet>>, on_help: &Callback<()>) -> Html {
    let share = |name: &'static str, class: &'static str, id: &'static str, form: Snippet| {
        let onclick = on_share.as_ref().map(|on_share| on_share.reform(move |_: MouseEvent| form));
        html! { <button type="button" {class} data-share={id} disabled={onclick.is_none()} {onclick}>{ name }</button> }
    };
    let help = on_help.reform(|_: MouseEvent| ());
    html! {
        <>
            { share(text::share(), "btn", "link", Snippet::Link) }
            { share(text::embed(), "btn hide-xs", "frame", Snippet::Frame) }
            <button type="button" class="btn quiet" aria-label={text::help()} title={text::help_key()} aria-keyshortcuts="?" onclick={help}>{ "?" }</button>
        </>
    }
}

/// What [`chips`] draws.
#[derive(Clone)]
pub struct ChipsProps {
    /// The seed.
    pub seed: u64,
    /// The digest of the run that is shown; empty until there is one.
    pub digest: String,
}

/// Seed and digest: what makes a run, and what proves it.
pub fn chips(props: &ChipsProps) -> Html {
    html! {
        <>
            <span class="chip hide-s" title={text::seed_means()}>{ text::seed() }{ " " }<b class="num">{ props.seed }</b></span>
            <span class="chip hide-s" title={text::digest_is(&props.digest)} data-digest={props.digest.clone()}>
                { text::run() }{ " " }<b class="num" translate="no">{ format::digest(&props.digest) }</b></span>
        </>
    }
}
