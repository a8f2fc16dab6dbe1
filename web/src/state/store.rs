//! Ties a session to the browser's time: computes in slices, plays in frames, and tells the page when to draw again.

use crate::state::action::Action;
use crate::state::session::Session;
use crate::state::ticker::{later, next_frame, now_ms};
use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use yew::Callback;

/// The longest stretch of computing between two chances for the browser to do something else.
const SLICE_MS: f64 = 8.0;
/// While playing the page is drawn at most this often.
const DRAW_MS: f64 = 33.0;
/// Who asked for less motion sees play as jumps, this far apart.
const STILL_MS: u32 = 500;
/// The live region changes at most this often.
const SAY_MS: f64 = 1_000.0;

/// A session, shared by the page and the clock.
#[derive(Clone)]
pub struct Store(Rc<Inner>);

struct Inner {
    session: RefCell<Session>,
    changed: RefCell<Callback<()>>,
    slice_is_due: Cell<bool>,
    frame_is_due: Cell<bool>,
    played_at: Cell<f64>,
    drawn_at: Cell<f64>,
    saying: Cell<bool>,
    said_at: Cell<f64>,
}

impl PartialEq for Store {
    fn eq(&self, other: &Store) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Store {
    /// A store that begins to compute at once.
    pub fn new(session: Session) -> Store {
        let store = Store(Rc::new(Inner {
            session: RefCell::new(session),
            changed: RefCell::new(Callback::noop()),
            slice_is_due: Cell::new(false),
            frame_is_due: Cell::new(false),
            played_at: Cell::new(0.0),
            drawn_at: Cell::new(0.0),
            saying: Cell::new(false),
            said_at: Cell::new(-SAY_MS),
        }));
        store.go_on();
        store
    }

    /// Whom to tell that something changed.
    pub fn on_change(&self, changed: Callback<()>) {
        *self.0.changed.borrow_mut() = changed;
    }

    /// The session, to be read for a drawing.
    pub fn session(&self) -> RefMut<'_, Session> {
        self.0.session.borrow_mut()
    }

    /// Does what the action says and draws.
    pub fn dispatch(&self, action: Action) {
        self.update(|session| session.apply(action, &now_ms));
    }

    /// Changes the session and draws.
    pub fn update(&self, change: impl FnOnce(&mut Session)) {
        change(&mut self.session());
        self.go_on();
        self.draw();
    }

    /// Lets the live region speak soon, but not more than once a second.
    pub fn say_soon(&self, say: impl FnOnce() + 'static) {
        if self.0.saying.replace(true) {
            return;
        }
        let wait = (SAY_MS - (now_ms() - self.0.said_at.get())).max(150.0);
        let store = self.clone();
        later(wait as u32, move || {
            store.0.saying.set(false);
            store.0.said_at.set(now_ms());
            say();
        });
    }

    fn draw(&self) {
        self.0.drawn_at.set(now_ms());
        let changed = self.0.changed.borrow().clone();
        changed.emit(());
    }

    /// Orders the next slice or frame, if there is anything to compute or to play.
    fn go_on(&self) {
        let (working, playing, still) = {
            let session = self.session();
            (session.is_working(), session.player.playing, session.player.still)
        };
        if working && !self.0.slice_is_due.replace(true) {
            let store = self.clone();
            later(0, move || store.slice());
        }
        if playing && !self.0.frame_is_due.replace(true) {
            self.0.played_at.set(now_ms());
            let store = self.clone();
            match still {
                true => later(STILL_MS, move || store.frame()),
                false => next_frame(move || store.frame()),
            }
        }
    }

    fn slice(&self) {
        self.0.slice_is_due.set(false);
        let is_new = self.session().compute(SLICE_MS, &now_ms);
        self.go_on();
        if is_new {
            self.draw();
        }
    }

    fn frame(&self) {
        self.0.frame_is_due.set(false);
        let now = now_ms();
        let mut session = self.session();
        // After a pause of the browser's own (another tab was in front) the tour does not leap.
        let longest_s = if session.player.still { 0.6 } else { 0.1 };
        let wall_s = ((now - self.0.played_at.get()) / 1e3).clamp(0.0, longest_s);
        if session.player.playing {
            session.pass(wall_s);
        }
        let still_playing = session.player.playing;
        drop(session);
        self.go_on();
        if !still_playing || now - self.0.drawn_at.get() >= DRAW_MS {
            self.draw();
        }
    }
}
