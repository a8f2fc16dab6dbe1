//! The head of the page: which lesson, which run.

use crate::components::icon::icon;
use crate::components::share::Sharing;
use crate::view_model::format;
use yew::prelude::*;

/// What [`header`] draws.
#[derive(Clone)]
pub struct HeaderProps {
    /// The series.
    pub series: String,
    /// Number and title of the lesson.
    pub title: String,
    /// The chips with seed and digest.
    pub children: Html,
    /// The learner wants to share this moment; None: there is no address for it.
    pub on_share: Option<Callback<Sharing>>,
    /// The learner wants the other theme.
    pub on_theme: Callback<()>,
    /// The learner wants the keys.
    pub on_help: Callback<()>,
}

/// The head of the page.
pub fn header(props: &HeaderProps) -> Html {
    let theme = props.on_theme.reform(|_: MouseEvent| ());
    let share = |name: &'static str, class: &'static str, id: &'static str, what: Sharing| {
        let onclick = props.on_share.as_ref().map(|on_share| on_share.reform(move |_: MouseEvent| what));
        html! { <button type="button" {class} data-share={id} disabled={onclick.is_none()} {onclick}>{ name }</button> }
    };
    let help = props.on_help.reform(|_: MouseEvent| ());
    html! {
        <header class="top">
            <div class="brand">
                <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M2 9h7l3 6h10" fill="none" stroke="var(--accent)" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" />
                    <path d="M2 16h6M16 8h6" fill="none" stroke="var(--line-strong)" stroke-width="2.6" stroke-linecap="round" />
                </svg>
                { "Faultline" }
            </div>
            <div class="crumb">{ &props.series }{ "\u{a0}\u{a0}/\u{a0}\u{a0}" }<b>{ &props.title }</b></div>
            <div class="grow"></div>
            { props.children.clone() }
            { share("Share", "btn", "link", Sharing::Link) }
            { share("Embed", "btn hide-xs", "frame", Sharing::Frame) }
            <button type="button" class="btn quiet" aria-label="Switch between light and dark" title="Light or dark" onclick={theme}>{ icon("theme") }</button>
            <button type="button" class="btn quiet" aria-label="Help: keys" title="Keys (?)" onclick={help}>{ "?" }</button>
        </header>
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
            <span class="chip hide-s" title="Seed of all randomness">{ "seed " }<b class="num">{ props.seed }</b></span>
            <span class="chip hide-s" title={format!("Digest of the run: {}", props.digest)} data-digest={props.digest.clone()}>
                { "run " }<b class="num">{ format::digest(&props.digest) }</b></span>
        </>
    }
}
