//! The lesson page: story, stage and evidence of one session.

use crate::components::chart::ChartView;
use crate::components::events::{EventsProps, events, show_current};
use crate::components::header::{self, ChipsProps, HeaderProps};
use crate::components::health::{self, HealthProps};
use crate::components::help::{self, HelpProps};
use crate::components::icon::state_shape;
use crate::components::knobs::{self, KnobsProps};
use crate::components::lanes::{self, LanesProps};
use crate::components::log::{self, LogProps};
use crate::components::problems::{self, ProblemsProps};
use crate::components::screen::{Screen, matches, use_screen, use_size};
use crate::components::scrub::{self, ScrubProps};
use crate::components::story::{self, StoryProps};
use crate::components::topology::{self, TopologyProps};
use crate::components::transport::{self, TransportProps};
use crate::components::why::{self, InspectorProps};
use crate::content::Content;
use crate::failure;
use crate::pages::views::{self, Kept};
use crate::route::Options;
use crate::state::action::{Action, Tab};
use crate::state::player::Shown;
use crate::state::session::Session;
use crate::state::settings::Settings;
use crate::state::store::Store;
use crate::view_model::format;
use crate::view_model::request::RequestView;
use sandbox_core::time::{Span, Time};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, HtmlElement, KeyboardEvent};
use yew::prelude::*;

/// Properties of [`LessonPage`].
#[derive(Clone, PartialEq, Properties)]
pub struct LessonProps {
    /// What the address asks for.
    pub options: Options,
}

/// The lesson page, or all that is wrong with the lesson.
#[component]
pub fn LessonPage(props: &LessonProps) -> Html {
    let (screen, refresh_screen) = use_screen();
    let store =
        use_memo((), |()| Content::load(&props.options).map(|content| begin(Rc::new(content), props, screen.still)));
    let redraw = use_force_update();
    let said = use_state_eq(String::new);
    let kept = use_mut_ref(Kept::default);
    let (help, ask, list) = (use_node_ref(), use_node_ref(), use_node_ref());
    let on = {
        let panics = props.options.panic;
        use_callback(store.clone(), move |action: Action, store| {
            assert!(!(panics && action == Action::Step), "the address asked for a panic");
            if let Ok(store) = &**store {
                store.dispatch(action);
            }
        })
    };
    let open_help = {
        let help = help.clone();
        use_callback((), move |(), ()| {
            if let Some(dialog) = help.cast::<HtmlDialogElement>() {
                let _ = dialog.show_modal();
            }
        })
    };
    let on_theme = use_callback(refresh_screen, |(), refresh| {
        switch_theme();
        refresh.emit(());
    });
    let go_to_ask = {
        let ask = ask.clone();
        use_callback((), move |(), ()| {
            if let Some(ask) = ask.cast::<HtmlElement>() {
                ask.scroll_into_view();
                let _ = ask.focus();
            }
        })
    };

    let plan = store.as_ref().as_ref().ok().and_then(|store| store.session().plan());
    let frame = use_node_ref();
    let size = use_size(&frame, plan.is_some());
    let place = store.as_ref().as_ref().ok().map(|store| store.session().place());
    {
        let list = list.clone();
        use_effect_with(place, move |_| show_current(&list));
    }
    let store = match &*store {
        Ok(store) => store,
        Err(found) => return problems::problems(&ProblemsProps { what: "The lesson".into(), problems: found.clone() }),
    };
    store.on_change(Callback::from(move |()| redraw.force_update()));
    let mut session = store.session();
    session.player.still = screen.still;
    let session = &mut *session;
    if !session.problems.is_empty() {
        return problems::problems(&ProblemsProps { what: "The scenario".into(), problems: session.problems.clone() });
    }
    let mut shown = session.player.shown.take();
    if let Some(shown) = &shown {
        failure::note(shown.run.plan().seed, &shown.run.plan().variant, shown.run.position().step);
    }
    let content = session.content.clone();
    let mut page = Page {
        screen: &screen,
        list: &list,
        frame: (&frame, size),
        session,
        kept: &mut kept.borrow_mut(),
        on: on.clone(),
    };
    let lesson = &content.lesson;
    let (mut stage, mut evidence, mut sentence, mut sheet) = (page.waiting(), Html::default(), String::new(), None);
    if let Some(shown) = &mut shown {
        let request = views::request(page.session, shown, page.kept);
        (stage, sentence) = page.stage(shown, request.as_ref(), go_to_ask);
        evidence = page.evidence(shown, request);
        sheet = views::sheet(page.session, shown, page.kept);
    }
    let session = page.session;
    let asks = session.progress.beat <= 1;
    let in_challenge = session.progress.beat == content.challenge_beat();
    let story = story::story(&StoryProps {
        title: lesson.title.clone(),
        lede: lesson.lede.clone(),
        beats: lesson.beats.clone(),
        beat: session.progress.beat,
        done: session.progress.done.clone(),
        open: session.player.future_is_open,
        prose: content.prose_of(session.progress.beat),
        ask: asks.then(|| views::ask(session)),
        sheet: sheet.filter(|_| session.progress.beat > 0 && !in_challenge),
        task: in_challenge.then(|| views::task(session, shown.as_ref())),
        ask_ref: ask,
        on: on.clone(),
    });
    let (knobs, ghost) = views::knobs(session, page.kept);
    let knobs = knobs::knobs(&KnobsProps {
        knobs,
        variants: views::variants(session),
        variant: session.settings.variant.clone(),
        ghost,
        on: on.clone(),
    });
    let (seed, digest) = match &shown {
        Some(shown) => (shown.run.plan().seed, shown.digest.clone()),
        None => (session.settings.seed.unwrap_or_default(), String::new()),
    };
    let chips = header::chips(&ChipsProps { seed, digest });
    let foot = props.options.embed.then(|| foot(&lesson.title, &lesson.id, chips.clone()));
    session.player.shown = shown;
    if sentence != *said {
        let said = said.setter();
        store.say_soon(move || said.set(sentence));
    }
    let title = format!("{} {}", lesson.number, lesson.title);
    let header =
        HeaderProps { series: lesson.series.clone(), title, children: chips, on_theme, on_help: open_help.clone() };
    html! {
        <div class="app">
            if !props.options.embed { { header::header(&header) } }
            <main class="lesson" aria-label={lesson.title.clone()} onkeydown={keys(&on, store, &open_help)}>
                if !props.options.embed { <div class="col story-col">{ story }</div> }
                <div class="col stage-col">{ stage }if !props.options.embed { { knobs } }</div>
                <div class="col evidence-col">{ evidence }{ foot.unwrap_or_default() }</div>
            </main>
            <div class="unseen" role="status" aria-live="polite">{ (*said).clone() }</div>
            { help::help(&HelpProps { dialog: help }) }
        </div>
    }
}

/// A session of the lesson as the address wants it.
fn begin(content: Rc<Content>, props: &LessonProps, still: bool) -> Store {
    let options = &props.options;
    let settings = Settings {
        variant: options.variant.clone().unwrap_or_else(|| content.lesson.variant.clone()),
        seed: options.seed,
        ..Settings::default()
    };
    Store::new(Session::new(content, settings, options.embed, options.at, still))
}

/// What a drawing of the page needs.
struct Page<'a> {
    screen: &'a Screen,
    list: &'a NodeRef,
    frame: (&'a NodeRef, (f64, f64)),
    session: &'a mut Session,
    kept: &'a mut Kept,
    on: Callback<Action>,
}

impl Page<'_> {
    /// The stage while there is no run yet.
    fn waiting(&self) -> Html {
        let share = self.session.player.built_share().unwrap_or(0.0);
        html! {
            <section key="waiting" class="card stage" aria-label="Stage" data-ready="false">
                <div class="stagehead">
                    <span class="state idle">{ state_shape("idle") }{ "Computing" }</span>
                    <span class="what num">{ format!("{:.0} % of the run", share * 100.0) }</span>
                </div>
                <div class="topo"></div>
            </section>
        }
    }

    /// The stage, and what a screen reader is told of it.
    fn stage(&mut self, shown: &mut Shown, request: Option<&RequestView>, on_invite: Callback<()>) -> (Html, String) {
        let session = &*self.session;
        let seen = shown.run.world().observe();
        let state = views::state_line(session, shown, &seen);
        let parts = views::parts(session, shown, &seen);
        let (step, next) = views::next_step(session, shown);
        let (milestone, can_jump) = views::next_milestone(session, shown);
        let position = shown.run.position();
        let says = views::moment(session, shown, &state);
        let sentence = match session.player.playing {
            true => format!("{}: {}, {}", format::about(session.player.cursor), state.word, state.what),
            false => format!("{says}. Next: {}", step.1),
        };
        let share = if state.quality.is_empty() { String::new() } else { format!(", {}", state.quality) };
        let lanes = request.and_then(|request| Some((request, request.end.as_ref()?))).map(|(request, end)| {
            let about = format!("{}, {}, {}", request.asked, end.tag.0, end.total);
            lanes::lanes(&LanesProps {
                lanes: end.lanes.clone(),
                name: request.name.clone(),
                about,
                width: 600.0,
                at_ms: views::at_in_request(session, request),
                inside: false,
            })
        });
        let scrub = scrub::scrub(&ScrubProps {
            healths: views::healths(session, shown),
            end_s: shown.facts.end.as_seconds(),
            at_s: session.player.cursor.as_seconds(),
            faults: views::faults(session, shown),
            marks: views::marks(session, &shown.facts),
            says: says.clone(),
            on: self.on.clone(),
        });
        let topology = topology::topology(&TopologyProps {
            layout: views::layout(session, shown, self.frame.1, self.kept),
            parts,
            flow: session.player.flow.clone(),
            next,
            frame: self.frame.0.clone(),
        });
        let transport = transport::transport(&TransportProps {
            ready: true,
            playing: session.player.playing,
            clock: format::clock(session.player.cursor),
            event: format::count(position.step),
            pace: session.player.pace,
            step,
            milestone,
            can_jump,
            invited: session.player.invited,
            children: scrub,
            on: self.on.clone(),
            on_invite,
        });
        let html = html! {
            <section key="stage" class="card stage" aria-label="Stage" tabindex="-1" data-player="" data-ready="true" data-step={position.step.to_string()}
                data-time={format!("{:.9}", session.player.cursor.as_seconds())} data-playing={session.player.playing.to_string()}
                data-predicted={session.player.future_is_open.to_string()} data-run-ms={format!("{:.1}", shown.work_ms)}
                data-back-ms={format!("{:.2}", session.player.last_ms.0)} data-seek-ms={format!("{:.2}", session.player.last_ms.1)}
                data-building={session.player.is_building().to_string()}>
                <div class="stagehead">
                    <span class={classes!("state", state.class)}>{ state_shape(state.class) }{ state.word }</span>
                    <span class="what">{ state.what.clone() }</span>
                    <span class="grow"></span>
                    if state.ended > 0 {
                        <span><b class="num">{ format::count(state.answered.into()) }</b>{ " of " }
                            <span class="num">{ format::count(state.ended.into()) }</span>{ "/s" }<span class="wide">{ " answered" }</span>{ share }</span>
                    } else { <span>{ "no request has ended yet" }</span> }
                </div>
                { topology }
                { lanes.unwrap_or_default() }
                { transport }
            </section>
        };
        (html, sentence)
    }

    /// Charts, requests, log, health.
    fn evidence(&mut self, shown: &mut Shown, request: Option<RequestView>) -> Html {
        const TABS: [(Tab, &str); 4] =
            [(Tab::Charts, "Charts"), (Tab::Requests, "Requests"), (Tab::Log, "Log"), (Tab::Health, "Health")];
        let session = &*self.session;
        let tab = |(tab, name): &(Tab, &'static str)| {
            let (on, tab) = (self.on.clone(), *tab);
            let onclick = Callback::from(move |_: MouseEvent| on.emit(Action::Show(tab)));
            let chosen = session.tab == tab;
            html! {
                <button type="button" role="tab" id={format!("tab-{}", name.to_ascii_lowercase())} aria-selected={chosen.to_string()}
                    aria-controls="evidence" tabindex={if chosen { "0" } else { "-1" }} {onclick}>{ *name }</button>
            }
        };
        let on = self.on.clone();
        let panel = match session.tab {
            Tab::Charts => {
                let charts = views::charts(session, shown, self.kept);
                let at_s = session.player.cursor.as_seconds();
                let chart = |chart: &Rc<crate::view_model::charts::Chart>| {
                    let note = views::chart_note(session, shown, chart);
                    html! { <ChartView chart={chart.clone()} {at_s} hidden={!session.player.future_is_open} {note} screen={self.screen.clone()} /> }
                };
                html! { <>{ for charts.iter().map(chart) }{ pick(request.as_ref(), &on) }</> }
            }
            Tab::Requests => {
                let at_ms = request.as_ref().and_then(|request| views::at_in_request(session, request));
                let events = events(&EventsProps {
                    lines: views::events(session, shown),
                    step: shown.run.position().step,
                    short: request.is_some(),
                    list: self.list.clone(),
                    on: on.clone(),
                });
                html! {
                    <>
                        { events }
                        if let Some(view) = request { { why::inspector(&InspectorProps { view, at_ms, on }) } } else {
                            <div class="card empty"><p>{ "Choose an event to look at its request, or go to the next failure and ask why." }</p></div>
                        }
                    </>
                }
            }
            Tab::Log => {
                let (lines, before) = views::log(shown);
                log::log(&LogProps { lines, before, on })
            }
            Tab::Health => {
                let seen = shown.run.world().observe();
                let parts = views::part_healths(shown, &seen);
                health::health(&HealthProps { parts, incidents: views::incidents(session, shown), on })
            }
        };
        let labelled = TABS
            .iter()
            .find(|(tab, _)| *tab == session.tab)
            .map(|(_, name)| format!("tab-{}", name.to_ascii_lowercase()));
        let class = classes!("panel", (session.tab == Tab::Charts).then_some("charts"));
        html! {
            <>
                <div class="tabs" role="tablist" aria-label="Evidence" onkeydown={tab_keys()}>{ for TABS.iter().map(tab) }</div>
                <div id="evidence" {class} role="tabpanel" aria-labelledby={labelled}>{ panel }</div>
            </>
        }
    }
}

/// Below the charts: the request looked at, in a line.
fn pick(request: Option<&RequestView>, on: &Callback<Action>) -> Html {
    let Some((request, end)) = request.and_then(|request| Some((request, request.end.as_ref()?))) else {
        return Html::default();
    };
    let on = on.clone();
    let onclick = Callback::from(move |_: MouseEvent| on.emit(Action::Show(Tab::Requests)));
    html! {
        <div class="card pick">
            <span class="num">{ &request.name }</span><span class={classes!("tag", "num", end.tag.1)}>{ end.tag.0 }</span>
            <span class="grow"></span>
            <button type="button" class="btn" {onclick}>{ if end.failed { "Why did it fail?" } else { "Where did its time go?" } }</button>
        </div>
    }
}

/// Under an embedded lesson: what it is, and where the whole of it is.
fn foot(title: &str, id: &str, chips: Html) -> Html {
    html! {
        <footer class="foot">
            <span>{ "Faultline: " }{ title }</span>{ chips }
            <a href={format!("?lesson={id}")} target="_blank" rel="noopener">{ "open the whole lesson" }</a>
        </footer>
    }
}

/// The keys. Letters and arrows act only while the stage has the focus, and never while something is typed or slid.
fn keys(on: &Callback<Action>, store: &Store, help: &Callback<()>) -> Callback<KeyboardEvent> {
    let (on, store, help) = (on.clone(), store.clone(), help.clone());
    Callback::from(move |event: KeyboardEvent| {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
        let within = |selector: &str| target.closest(selector).ok().flatten().is_some();
        if event.ctrl_key() || event.alt_key() || event.meta_key() || !within("[data-player]") || within("select") {
            return;
        }
        let key = event.key();
        // A button is pressed by the space bar; the slider has its own Home and End.
        if key == " " && within("button") {
            return;
        }
        let shift = |seconds: i64| {
            let cursor = store.session().player.cursor;
            let second = Span::from_millis(1_000);
            Action::Seek(if seconds < 0 { cursor - second } else { cursor + second })
        };
        let action = match key.as_str() {
            " " => Action::Toggle,
            "ArrowLeft" if event.shift_key() => shift(-1),
            "ArrowRight" if event.shift_key() => shift(1),
            "ArrowLeft" => Action::StepBack,
            "ArrowRight" => Action::Step,
            "[" => Action::PreviousFailure,
            "]" => Action::NextFailure,
            "m" | "M" => Action::NextMilestone,
            "w" | "W" => Action::Show(Tab::Requests),
            "Home" => Action::Seek(Time::ZERO),
            "End" => Action::Seek(Time::NEVER),
            "?" => {
                event.prevent_default();
                return help.emit(());
            }
            _ => return,
        };
        event.prevent_default();
        on.emit(action);
    })
}

/// Arrows move between tabs.
fn tab_keys() -> Callback<KeyboardEvent> {
    Callback::from(|event: KeyboardEvent| {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
        let parent = || target.parent_element();
        let other = match event.key().as_str() {
            "ArrowRight" => target.next_element_sibling().or_else(|| parent()?.first_element_child()),
            "ArrowLeft" => target.previous_element_sibling().or_else(|| parent()?.last_element_child()),
            _ => return,
        };
        if let Some(other) = other.and_then(|other| other.dyn_into::<HtmlElement>().ok()) {
            event.prevent_default();
            let _ = other.focus();
            other.click();
        }
    })
}

/// From light to dark or back; remembered where the page may remember anything.
fn switch_theme() {
    let Some(window) = web_sys::window() else { return };
    let Some(root) = window.document().and_then(|document| document.document_element()) else { return };
    let dark = match root.get_attribute("data-theme").as_deref() {
        Some(theme) => theme == "dark",
        None => matches("(prefers-color-scheme: dark)"),
    };
    let theme = if dark { "light" } else { "dark" };
    let _ = root.set_attribute("data-theme", theme);
    if let Ok(Some(storage)) = window.local_storage() {
        let _ = storage.set_item("faultline-theme", theme);
    }
}
