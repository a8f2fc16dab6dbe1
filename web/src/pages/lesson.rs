//! The lesson page: story, stage and evidence of one session.

use crate::components::content;
use crate::components::events::show_current;
use crate::components::glossary::{self, EntryProps};
use crate::components::header::{self, ChipsProps, HeaderProps};
use crate::components::help::{self, HelpProps};
use crate::components::notice::{self, NoticeProps};
use crate::components::press::press;
use crate::components::problems::{self, ProblemsProps};
use crate::components::recording;
use crate::components::save;
use crate::components::screen::{self, Screen, name_page, put_motion, put_theme, switch_theme, use_screen, use_size};
use crate::components::share::{self, Offer, ShareProps};
use crate::components::story;
use crate::content::Content;
use crate::embed::dialogue::Wish;
use crate::embed::speaker::Speaker;
use crate::failure;
use crate::files::Files;
use crate::pages::keys::use_keys;
use crate::pages::saving;
use crate::pages::story::Places;
use crate::pages::views::{self, Kept};
use crate::route::{self, Asked};
use crate::state::action::Action;
use crate::state::opening;
use crate::state::session::Session;
use crate::state::storage;
use crate::state::store::Store;
use crate::text::language::speak;
use crate::text::{frame as text, story as of_story};
use crate::view_model::link_form::LinkForm;
use crate::view_model::recorded::RecordedView;
use sandbox_core::link::{Snippet, Theme};
use sandbox_core::scenario::Problem;
use std::rc::Rc;
use web_sys::{Element, File, HtmlDialogElement, HtmlElement};
use yew::prelude::*;

/// Properties of [`LessonPage`].
#[derive(Clone, PartialEq, Properties)]
pub struct LessonProps {
    /// What the address asks for.
    pub asked: Asked,
    /// What that needs of the course.
    pub files: Rc<Files>,
}

/// The lesson page, or all that is wrong with the lesson.
#[component]
pub fn LessonPage(props: &LessonProps) -> Html {
    let (screen, refresh_screen) = use_screen();
    let store = use_memo((), |()| {
        Content::load(&props.asked.link, &props.files).map(|content| begin(Rc::new(content), props, screen.still))
    });
    let speaker = use_memo((), |()| {
        let (shown, told) = (refresh_screen.clone(), store.clone());
        let on_wish = Callback::from(move |wish: Wish| {
            match wish {
                Wish::Nothing => return,
                Wish::Theme(theme) => put_theme(theme.map(Theme::word)),
                Wish::Motion(motion) => put_motion(motion),
                Wish::Language(language) => {
                    speak(language);
                    if let Ok(store) = &*told {
                        store.update(|session| session.player.say_anew());
                    }
                }
            }
            shown.emit(());
        });
        Speaker::start(store.clone(), on_wish)
    });
    let content_node = use_node_ref();
    {
        let (speaker, content) = (speaker.clone(), content_node.clone());
        use_effect_with(props.asked.link.embed, move |embed| {
            if let (true, Some(speaker), Some(content)) = (*embed, &*speaker, content.cast::<Element>()) {
                speaker.tell_height(&content);
            }
        });
    }
    let redraw = use_force_update();
    let said = use_state_eq(String::new);
    let kept = use_mut_ref(Kept::default);
    let (help, ask, list) = (use_node_ref(), use_node_ref(), use_node_ref());
    let on = {
        let (store, panics) = (store.clone(), props.asked.link.panic);
        Callback::from(move |action: Action| {
            assert!(!(panics && action == Action::Step), "the address asked for a panic");
            if let Ok(store) = &*store {
                store.dispatch(action);
            }
        })
    };
    let open_help = {
        let help = help.clone();
        Callback::from(move |()| {
            if let Some(dialog) = help.cast::<HtmlDialogElement>() {
                let _ = dialog.show_modal();
            }
        })
    };
    let on_theme = Callback::from(move |()| {
        switch_theme();
        refresh_screen.emit(());
    });
    let (share, offer) = (use_node_ref(), use_state_eq(Offer::default));
    let on_share = {
        let (store, dialog, offer) = (store.clone(), share.clone(), offer.setter());
        Callback::from(move |form: Snippet| {
            if let Ok(store) = &*store {
                offer.set(shared(&store.session()).in_form(form));
                share::open(&dialog);
            }
        })
    };
    let on_offer = {
        let offer = offer.setter();
        Callback::from(move |changed| offer.set(changed))
    };
    let (glossary, term) = (use_node_ref(), use_state_eq(String::new));
    let followed = use_state_eq(|| false);
    let on_term = {
        let (glossary, term) = (glossary.clone(), term.setter());
        Callback::from(move |name: String| {
            term.set(name);
            if let Some(dialog) = glossary.cast::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
                let _ = dialog.show_modal();
            }
        })
    };
    let go_to_ask = {
        let ask = ask.clone();
        Callback::from(move |()| {
            if let Some(ask) = ask.cast::<HtmlElement>() {
                ask.scroll_into_view();
                let _ = ask.focus();
            }
        })
    };

    let plan = store.as_ref().as_ref().ok().and_then(|store| store.session().plan());
    let frame = use_node_ref();
    let picture = store.as_ref().as_ref().ok().map(|store| store.session().picture);
    let size = use_size(&frame, (plan.is_some(), picture));
    let place = store.as_ref().as_ref().ok().map(|store| store.session().place());
    {
        let list = list.clone();
        use_effect_with(place, move |_| show_current(&list));
    }
    let title = store.as_ref().as_ref().ok().map(|store| store.session().content.lesson.title.clone());
    use_effect_with(title, |title| name_page(title.as_deref()));
    let heading = use_node_ref();
    {
        let (heading, opened) = (heading.clone(), use_mut_ref(|| None));
        let beat = store.as_ref().as_ref().ok().map(|store| store.session().progress.beat);
        let is_guest = screen::is_guest();
        use_effect_with(beat, move |beat| {
            let is_first = opened.replace(*beat).is_none();
            if !is_first {
                story::scroll_to_top(&heading);
            }
            // A page in a frame takes no focus from the page around by itself.
            if !(is_first && is_guest) {
                story::begin(&heading);
            }
        });
    }
    use_keys(&on, store.as_ref().as_ref().ok(), &open_help);
    let not_kept = use_state_eq(|| None);
    {
        let kept = store.as_ref().as_ref().ok().map(|store| {
            let session = store.session();
            (session.content.lesson.id.clone(), session.progress.kept())
        });
        let (not_kept, embed) = (not_kept.setter(), props.asked.link.embed);
        use_effect_with(kept, move |kept| {
            if let Some((lesson, done)) = kept.clone().filter(|_| !embed) {
                not_kept.set(storage::note(&lesson, done).err());
            }
        });
    }
    let on_file = {
        let store = store.clone();
        Callback::from(move |file: File| {
            if let Ok(store) = &*store {
                opening::open_file(store, &file);
            }
        })
    };
    let on_save = {
        let store = store.clone();
        Callback::from(move |what: save::Kept| {
            if let Ok(store) = &*store {
                saving::save(what, &mut store.session());
            }
        })
    };
    let store = match &*store {
        Ok(store) => store,
        Err(found) => {
            return problems::problems(&ProblemsProps { what: text::the_lesson().into(), problems: found.clone() });
        }
    };
    store.on_change(Callback::from(move |()| redraw.force_update()));
    if let Some(speaker) = &*speaker {
        speaker.on_change();
    }
    let mut session = store.session();
    session.player.still = screen.still;
    let session = &mut *session;
    if !session.problems.is_empty() {
        return problems::problems(&ProblemsProps {
            what: text::the_scenario().into(),
            problems: session.problems.clone(),
        });
    }
    let mut shown = session.player.shown.take();
    if let Some(shown) = &shown {
        let plan = shown.run.plan();
        failure::note(plan.seed, &plan.variant, shown.run.position().step, &shown.digest);
    }
    let content = session.content.clone();
    let recorded = shown.as_ref().and_then(|shown| views::recorded(session, shown));
    let (series, title) = match &recorded {
        Some(recorded) => (of_story::recorded_run().to_string(), recorded.title.clone()),
        None => (content.lesson.series.clone(), format!("{} {}", content.lesson.number, content.lesson.title)),
    };
    let (seed, digest) = match &shown {
        Some(shown) => (shown.run.plan().seed, shown.digest.clone()),
        None => (session.settings.seed.unwrap_or_default(), String::new()),
    };
    let chips = header::chips(&ChipsProps { seed, digest });
    let can_share = session.recorded.as_ref().is_none_or(|recorded| recorded.address.is_some());
    let notices = html! { <>{ unread(session, &on) }{ recording::notice(&session.opening, &on) }</> };
    let mut page = Page {
        screen: &screen,
        list: &list,
        frame: (&frame, size),
        embed: props.asked.link.embed,
        session,
        kept: &mut kept.borrow_mut(),
        recorded: recorded.clone(),
        on: on.clone(),
        on_term: on_term.clone(),
        on_file,
        on_save,
    };
    let (mut stage, mut evidence, mut sentence) = (page.waiting(), Html::default(), String::new());
    let mut to_requests = Html::default();
    if let Some(shown) = &mut shown {
        let request = views::request(page.session, shown, page.kept);
        (stage, sentence) = page.stage(shown, request.as_deref(), go_to_ask);
        evidence = page.evidence(shown, request.as_deref());
        to_requests = page.to_requests(request.as_deref());
    }
    let around = match props.asked.link.embed {
        true => Around {
            story: html! { <h1 class="unseen">{ content::content(&title) }</h1> },
            foot: foot(page.session, recorded.as_ref(), html! { <>{ to_requests }{ chips }</> }, &followed),
            ..Around::default()
        },
        false => Around {
            header: header::header(&HeaderProps {
                place: Some((series, title.clone())),
                children: html! { <>{ chips }{ header::buttons(can_share.then_some(on_share), &open_help) }</> },
                on_theme,
            }),
            story: html! {
                <div class="col story-col">{ page.story(shown.as_ref(), Places { heading, ask }, (*not_kept).clone()) }</div>
            },
            knobs: page.knobs(),
            foot: Html::default(),
        },
    };
    session.player.shown = shown;
    if sentence != *said {
        let said = said.setter();
        store.say_soon(move || said.set(sentence));
    }
    html! {
        <div class="app" ref={content_node}>
            { around.header }
            <main class="lesson" aria-label={text::lesson_named(title)}>
                { around.story }
                <div class="col stage-col">{ notices }{ stage }{ around.knobs }</div>
                <div class="col evidence-col">{ evidence }{ around.foot }</div>
            </main>
            <div class="unseen" role="status" aria-live="polite">{ (*said).clone() }</div>
            { help::help(&HelpProps { dialog: help }) }
            { glossary::entry(&EntryProps { dialog: glossary, term: &term, on_term }) }
            { share::share(&ShareProps { dialog: share, offer: &offer, on: on_offer }) }
        </div>
    }
}

/// What stands around stage and evidence: an embedded page has a foot and nothing else.
#[derive(Default)]
struct Around {
    header: Html,
    story: Html,
    knobs: Html,
    foot: Html,
}

/// A session of the lesson as the address wants it.
fn begin(content: Rc<Content>, props: &LessonProps, still: bool) -> Store {
    let link = &props.asked.link;
    let (settings, unread) = content.settings(&props.asked);
    let mut session = Session::new(content, settings, link.embed, still);
    session.unread = unread;
    if !link.embed {
        let done = storage::course().0.of(&session.content.lesson.id);
        session.resume(&done);
    }
    session.arrive(link);
    let store = Store::new(session);
    if let Some(address) = &link.recording {
        opening::open_address(&store, address);
    }
    store
}

/// What of the address or of a message was not understood, if anything.
fn unread(session: &Session, on: &Callback<Action>) -> Html {
    let address = ("address", text::unread(), &session.unread, Action::DismissUnread);
    let message = ("message", text::unheard(), &session.unheard, Action::DismissUnheard);
    let told = [address, message].into_iter().filter(|(_, _, problems, _)| !problems.is_empty());
    let draw = |(about, heading, problems, dismiss): (_, _, &Vec<Problem>, _)| {
        notice::notice(NoticeProps { about, heading, problems, dismiss: press(on, dismiss) })
    };
    told.map(draw).collect()
}

/// What a drawing of the page needs.
pub struct Page<'a> {
    pub(super) screen: &'a Screen,
    pub(super) list: &'a NodeRef,
    pub(super) frame: (&'a NodeRef, (f64, f64)),
    /// Whether it is stage and evidence alone, inside another page.
    pub(super) embed: bool,
    pub(super) session: &'a mut Session,
    pub(super) kept: &'a mut Kept,
    pub(super) recorded: Option<RecordedView>,
    pub(super) on: Callback<Action>,
    pub(super) on_term: Callback<String>,
    pub(super) on_file: Callback<File>,
    pub(super) on_save: Callback<save::Kept>,
}

/// Under an embedded page: what it is, and where the whole lesson is. Frames that may not open pages do nothing and tell nobody:
/// who followed the link there is shown the address as well.
fn foot(session: &Session, recorded: Option<&RecordedView>, between: Html, followed: &UseStateHandle<bool>) -> Html {
    let what = match recorded {
        Some(recorded) => format!("{} {}", recorded.lede, recorded.verdict),
        None => session.content.lesson.title.clone(),
    };
    let open = if session.content.lesson.id.is_empty() { text::open_playground() } else { text::open_whole() };
    let whole = session.whole();
    let onclick = {
        let followed = followed.setter();
        Callback::from(move |_: MouseEvent| followed.set(true))
    };
    html! {
        <footer class="foot">
            <span>{ text::shown_in_frame(&what) }</span>{ between }
            // A page that is one file has nothing that a playground starts from.
            if !(whole.playground && route::is_alone()) {
                <a href={whole.query()} target="_blank" rel="noopener" data-whole="" {onclick}>{ open }</a>
            }
            if **followed && screen::has_no_origin() {
                <p role="status">{ text::if_not_opened() }{ " " }<code class="address" data-address="">{ route::place().address(&whole) }</code></p>
            }
        </footer>
    }
}

/// A link to this very moment.
fn shared(session: &Session) -> Offer {
    let link = LinkForm::of(&session.here(), session.player.cursor);
    Offer { link, title: session.content.lesson.title.clone(), place: route::place(), ..Offer::default() }
}
