//! Speaks with the window around this one, and with no other; nothing is said where there is none.

use crate::embed::dialects;
use crate::embed::dialogue::Wish;
use crate::embed::height;
use crate::embed::telling::{Telling, cannot_run};
use crate::state::store::Store;
use crate::state::ticker::{later, now_ms};
use sandbox_core::message::{Answer, Command, Heard, hear};
use sandbox_core::scenario::Problem;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Window};
use yew::Callback;

/// News are told at most this often.
const TELL_MS: u32 = 250;

/// Whoever speaks with the page around.
pub struct Speaker {
    parent: Window,
    /// The lesson, or why there is none.
    lesson: Rc<Result<Store, Vec<Problem>>>,
    telling: RefCell<Telling>,
    is_due: Cell<bool>,
    ids: Cell<u32>,
    /// The id of the question what was kept, until it is answered.
    asked: RefCell<Option<String>>,
    on_wish: Callback<Wish>,
}

impl Speaker {
    /// Begins to listen; None where the page is not inside another.
    pub fn start(lesson: Rc<Result<Store, Vec<Problem>>>, on_wish: Callback<Wish>) -> Option<Rc<Speaker>> {
        let window = web_sys::window()?;
        let parent = window.parent().ok().flatten().filter(|parent| *parent != window)?;
        let speaker = Rc::new(Speaker {
            parent,
            lesson,
            telling: RefCell::default(),
            is_due: Cell::new(false),
            ids: Cell::new(0),
            asked: RefCell::default(),
            on_wish,
        });
        let listener = speaker.clone();
        let on_message =
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| listener.on_message(&event));
        window.add_event_listener_with_callback("message", on_message.as_ref().unchecked_ref()).ok()?;
        // For as long as the page is there.
        on_message.forget();
        match &*speaker.lesson {
            Ok(_) => {
                let id = speaker.next_id();
                speaker.say(dialects::splice_ask(&id));
                *speaker.asked.borrow_mut() = Some(id);
            }
            Err(problems) => speaker.say(cannot_run(problems)),
        }
        Some(speaker)
    }

    /// Tells each new height of the content, so that the frame can follow.
    pub fn tell_height(self: &Rc<Speaker>, content: &web_sys::Element) {
        let speaker = self.clone();
        height::follow(content, move |height| dialects::heights(height).into_iter().for_each(|told| speaker.say(told)));
    }

    /// Something may have changed: tells it soon.
    pub fn on_change(self: &Rc<Speaker>) {
        if !self.is_due.replace(true) {
            let speaker = self.clone();
            later(TELL_MS, move || {
                speaker.is_due.set(false);
                if let Ok(store) = &*speaker.lesson {
                    let news = speaker.telling.borrow_mut().news(&store.session());
                    news.into_iter().for_each(|news| speaker.say(news));
                }
            });
        }
    }

    fn on_message(self: &Rc<Speaker>, event: &MessageEvent) {
        let is_parent = event.source().is_some_and(|source| js_sys::Object::is(&source, &self.parent));
        let data = event.data();
        let text = data.as_string().or_else(|| js_sys::JSON::stringify(&data).ok()?.as_string());
        let Some(text) = text.filter(|_| is_parent) else { return };
        let store = match &*self.lesson {
            Ok(store) => store,
            Err(problems) => {
                if let Some(Heard { id, .. }) = hear(&text) {
                    self.say(Answer::new(id, Err(problems.clone())).message());
                }
                return;
            }
        };
        if let Some(Heard { id, command }) = hear(&text) {
            let mut wish = Ok(Wish::Nothing);
            store.update(|session| {
                wish = command.and_then(|command| session.obey(command, &now_ms));
                session.unheard = wish.as_ref().err().cloned().unwrap_or_default();
            });
            if let Ok(wish) = &wish {
                self.on_wish.emit(*wish);
            }
            let state = store.session().told();
            self.say(Answer::new(id, wish.map(|_| state)).message());
        } else if let Ok(message) = serde_json::from_slice::<Value>(text.as_bytes())
            && self.asked.borrow_mut().take_if(|id| dialects::is_splice_answer(&message, id)).is_some()
            && let Some(link) = dialects::splice_kept(&message)
        {
            let command = Command::SetState { link: link.into() };
            store.update(|session| session.unheard = session.obey(command, &now_ms).err().unwrap_or_default());
        }
    }

    fn next_id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        format!("faultline-{:.0}-{}", now_ms() * 1e3, self.ids.get())
    }

    fn say(&self, message: Value) {
        let text = dialects::with_id(message, self.next_id()).to_string();
        if let Ok(message) = js_sys::JSON::parse(&text) {
            // Whose page it is we cannot know, and what we say is no secret.
            let _ = self.parent.post_message(&message, "*");
        }
    }
}
