//! The playground: a document in work beside the run of it.

use crate::components::events::show_current;
use crate::components::glossary::{self, EntryProps};
use crate::components::header::{self, ChipsProps, HeaderProps};
use crate::components::help::{self, HelpProps};
use crate::components::notice::{self, NoticeProps};
use crate::components::press::press;
use crate::components::screen::{name_page, switch_theme, use_screen, use_size};
use crate::components::share::{self, Offer, ShareProps};
use crate::components::workbench::{Workbench, Worker};
use crate::content::Content;
use crate::draft::changes::link_to;
use crate::draft::edit::Edit;
use crate::draft::form::Schema;
use crate::draft::kept::Kept;
use crate::draft::text_of;
use crate::files::Files;
use crate::pages::keys::use_keys;
use crate::pages::lesson::Page;
use crate::pages::saving;
use crate::pages::views::{self, Kept as KeptViews};
use crate::route::{self, Asked};
use crate::state::action::Action;
use crate::state::opening::fetch;
use crate::state::session::{Change, Session};
use crate::state::settings::Settings;
use crate::state::storage;
use crate::state::store::Store;
use crate::state::workshop::{Act, Workshop};
use crate::text::{frame, playground as text};
use crate::view_model::link_form::LinkForm;
use sandbox_core::link::{Link, Snippet};
use sandbox_core::scenario::{Document, Problem};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, KeyboardEvent};
use yew::prelude::*;

/// Where the schema lies that forms are made of.
const SCHEMA: &str = "scenario.schema.json";

/// Properties of [`PlaygroundPage`].
#[derive(Clone, PartialEq, Properties)]
pub struct PlaygroundProps {
    /// What the address asks for.
    pub asked: Asked,
    /// What that needs of the course.
    pub files: Rc<Files>,
}

/// The document in work, the session that runs it, and what ties them.
struct Desk {
    workshop: RefCell<Workshop>,
    store: Store,
    schema: RefCell<Result<Rc<Schema>, String>>,
    /// Views of the document that ran before are out of date.
    forget_views: Cell<bool>,
    /// Counts what makes the workbench out of date.
    generation: Cell<u32>,
}

impl Desk {
    /// Opens what the address asks for, or what was left here. What of the address was not understood is told above the stage.
    fn open(asked: &Asked, files: &Files, still: bool) -> Rc<Desk> {
        let mut unread = asked.unread.clone();
        let start = Content::to_change(&asked.link, files).unwrap_or_else(|problems| {
            unread.extend(problems);
            None
        });
        let (kept, trouble) = storage::playground();
        let typed = start.map(|json| crate::draft::text::write(&json, None));
        let mut workshop = Workshop::new(files.starts().clone(), typed, kept);
        workshop.said = trouble.unwrap_or(workshop.said);
        // A draft that cannot run is on the desk, and something that can is on the stage.
        let stage =
            workshop.document().or_else(|| Workshop::new(files.starts().clone(), None, Kept::default()).document());
        let content = Content::alone(stage.unwrap_or_else(|| Document::from_json(Value::Null)), Link::default());
        let settings = Settings { variant: content.lesson.variant.clone(), ..Settings::default() };
        let mut session = Session::new(Rc::new(content), settings, true, still);
        session.unread = unread;
        session.arrive(&Link { answer: None, beat: None, ..asked.link.clone() });
        Rc::new(Desk {
            workshop: RefCell::new(workshop),
            store: Store::new(session),
            schema: RefCell::new(Err(text::fields_coming().into())),
            forget_views: Cell::new(false),
            generation: Cell::new(0),
        })
    }

    /// Does something to the document, and runs it if it is another one that can run.
    fn act(&self, act: Act) {
        let change = match act {
            Act::Turn(_) => Change::Turned,
            Act::Start(..) | Act::Open(..) | Act::Restore(_) => Change::Opened,
            _ => Change::Edited,
        };
        let looks = matches!(act, Act::Select(_) | Act::Settle);
        let settles = act == Act::Settle;
        let document = {
            let mut workshop = self.workshop.borrow_mut();
            workshop.act(act);
            if let (false, Err(trouble)) = (looks, storage::keep_playground(&workshop.kept)) {
                workshop.said = trouble;
            }
            workshop.document()
        };
        self.generation.set(self.generation.get() + 1);
        self.store.update(|session| match document {
            Some(document) if session.content.document != document => {
                self.forget_views.set(true);
                session.replace(document, change);
            }
            _ if settles => session.apply(Action::SettleKnob, &|| 0.0),
            _ => {}
        });
    }

    /// What somebody does at the stage: a knob changes the document itself.
    fn on_stage(&self, action: Action) {
        let path = |id: &str| Some(text_of(self.workshop.borrow().json().get("knobs")?.get(id)?, "path").to_string());
        match action {
            Action::SetKnob(id, value) => {
                let way = path(&id).map(|path| path.split('.').map(str::to_string).collect());
                // A whole number stays one: counts are not read from 3.0.
                let value = if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from(value) };
                if let Some(way) = way {
                    self.act(Act::Turn(Edit::Set(way, value)));
                }
            }
            Action::SettleKnob => self.act(Act::Settle),
            action => self.store.dispatch(action),
        }
    }

    /// A link to this document, and to the moment that is looked at.
    fn shared(&self) -> Offer {
        let (session, workshop) = (self.store.session(), self.workshop.borrow());
        let Link { document, scenario, variant, set, .. } = link_to(workshop.json(), workshop.starts());
        // A document that cannot run has no moment.
        let here = if workshop.problems().is_empty() { session.here() } else { Link::default() };
        let link = Link { document, scenario, variant, set, playground: true, ..here };
        let link = LinkForm::of(&link, session.player.cursor);
        Offer { link, title: session.content.lesson.title.clone(), place: route::place(), ..Offer::default() }
    }
}

impl Worker for Desk {
    fn workshop(&self) -> std::cell::Ref<'_, Workshop> {
        self.workshop.borrow()
    }

    fn schema(&self) -> Result<Rc<Schema>, String> {
        self.schema.borrow().clone()
    }

    fn act(&self, act: Act) {
        Desk::act(self, act);
    }
}

/// Fetches what forms are made of: only the playground has any.
fn fetch_schema(desk: Rc<Desk>) {
    spawn_local(async move {
        let lost = |why: String| text::no_fields(SCHEMA, &why);
        let schema = fetch(SCHEMA).await.and_then(|text| Schema::parse(&text).ok_or(text::no_schema().into()));
        *desk.schema.borrow_mut() = schema.map(Rc::new).map_err(lost);
        desk.generation.set(desk.generation.get() + 1);
        desk.store.update(|_| {});
    });
}

/// The playground.
#[component]
pub fn PlaygroundPage(props: &PlaygroundProps) -> Html {
    let (screen, refresh_screen) = use_screen();
    let desk = use_memo((), |()| Desk::open(&props.asked, &props.files, screen.still));
    let desk = (*desk).clone();
    let redraw = use_force_update();
    let said = use_state_eq(String::new);
    let kept = use_mut_ref(KeptViews::default);
    let (help, ask, list, frame) = (use_node_ref(), use_node_ref(), use_node_ref(), use_node_ref());
    let on = {
        let desk = desk.clone();
        Callback::from(move |action: Action| desk.on_stage(action))
    };
    let open = |dialog: &NodeRef| {
        let dialog = dialog.clone();
        move || {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>().filter(|dialog| !dialog.open()) {
                let _ = dialog.show_modal();
            }
        }
    };
    let open_help = {
        let open = open(&help);
        Callback::from(move |()| open())
    };
    let on_theme = Callback::from(move |()| {
        switch_theme();
        refresh_screen.emit(());
    });
    let (share, offer) = (use_node_ref(), use_state_eq(Offer::default));
    let on_share = {
        let (desk, dialog, offer) = (desk.clone(), share.clone(), offer.setter());
        Callback::from(move |form: Snippet| {
            offer.set(desk.shared().in_form(form));
            share::open(&dialog);
        })
    };
    let on_offer = {
        let offer = offer.setter();
        Callback::from(move |changed| offer.set(changed))
    };
    let (glossary, term) = (use_node_ref(), use_state_eq(String::new));
    let on_term = {
        let (open, term) = (open(&glossary), term.setter());
        Callback::from(move |name: String| {
            term.set(name);
            open();
        })
    };
    {
        let desk = desk.clone();
        use_effect_with((), move |()| fetch_schema(desk));
    }
    let plan = desk.store.session().plan();
    let size = use_size(&frame, (plan.is_some(), desk.store.session().picture));
    let place = desk.store.session().place();
    {
        let list = list.clone();
        use_effect_with(place, move |_| show_current(&list));
    }
    use_effect_with((), |()| name_page(Some(text::playground())));
    use_keys(&on, Some(&desk.store), &open_help);
    desk.store.on_change(Callback::from(move |()| redraw.force_update()));

    let mut session = desk.store.session();
    session.player.still = screen.still;
    let session = &mut *session;
    if desk.forget_views.take() {
        *kept.borrow_mut() = KeptViews::default();
    }
    let mut shown = session.player.shown.take();
    let seed = shown.as_ref().map_or(0, |shown| shown.run.plan().seed);
    let digest = shown.as_ref().map(|shown| shown.digest.clone()).unwrap_or_default();
    let chips = header::chips(&ChipsProps { seed, digest });
    let title = session.content.lesson.title.clone();
    let notices = notices(session, &desk.workshop.borrow(), &on);
    let mut page = Page {
        screen: &screen,
        list: &list,
        frame: (&frame, size),
        embed: false,
        session,
        kept: &mut kept.borrow_mut(),
        recorded: None,
        on: on.clone(),
        on_term: on_term.clone(),
        on_file: Callback::noop(),
        on_save: {
            let desk = desk.clone();
            Callback::from(move |what| saving::save(what, &mut desk.store.session()))
        },
    };
    let (mut stage, mut evidence, mut sentence) = (page.waiting(), Html::default(), String::new());
    if let Some(shown) = &mut shown {
        let request = views::request(page.session, shown, page.kept);
        (stage, sentence) = page.stage(shown, request.as_deref(), Callback::noop());
        evidence = page.evidence(shown, request.as_deref());
    }
    let knobs = page.knobs();
    session.player.shown = shown;
    if sentence != *said {
        let said = said.setter();
        desk.store.say_soon(move || said.set(sentence));
    }
    let worker = desk.clone() as Rc<dyn Worker>;
    html! {
        <div class="app" onkeydown={undo_keys(&desk)}>
            { header::header(&HeaderProps {
                place: Some((text::playground().into(), title)),
                children: html! { <>{ chips }{ header::buttons(Some(on_share), &open_help) }</> },
                on_theme,
            }) }
            <main class="lesson playground" aria-label={text::playground()} data-playground="">
                <h1 class="unseen">{ text::playground() }</h1>
                <div class="col desk-col"><Workbench {worker} generation={desk.generation.get()} /></div>
                <div class="col stage-col" ref={ask}>{ notices }{ stage }{ knobs }</div>
                <div class="col evidence-col">{ evidence }</div>
            </main>
            <div class="unseen" role="status" aria-live="polite">{ (*said).clone() }</div>
            { help::help(&HelpProps { dialog: help }) }
            { glossary::entry(&EntryProps { dialog: glossary, term: &term, on_term }) }
            { share::share(&ShareProps { dialog: share, offer: &offer, on: on_offer }) }
        </div>
    }
}

/// Above the stage: what of the address was not understood, and that a document which cannot run is not what is shown.
fn notices(session: &Session, workshop: &Workshop, on: &Callback<Action>) -> Html {
    let unread: &[Problem] = &session.unread;
    html! {
        <>
            if !unread.is_empty() {
                { notice::notice(NoticeProps {
                    about: "address",
                    heading: frame::unread(),
                    problems: unread,
                    dismiss: press(on, Action::DismissUnread),
                }) }
            }
            if !workshop.problems().is_empty() {
                <p class="card notice" role="status" data-notice="stale">
                    { text::stale() }</p>
            }
        </>
    }
}

/// Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y), but where text is typed: there they belong to the browser.
fn undo_keys(desk: &Rc<Desk>) -> Callback<KeyboardEvent> {
    let desk = desk.clone();
    Callback::from(move |event: KeyboardEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let typed = |target: Element| target.closest("input, textarea, select, dialog").ok().flatten().is_some();
        if !(event.ctrl_key() || event.meta_key()) || target.is_some_and(typed) {
            return;
        }
        let act = match (event.key().to_ascii_lowercase().as_str(), event.shift_key()) {
            ("z", false) => Act::Undo,
            ("z", true) | ("y", false) => Act::Redo,
            _ => return,
        };
        event.prevent_default();
        desk.act(act);
    })
}
