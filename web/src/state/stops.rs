//! What a learner wants to stop at.

use crate::state::player::{Player, Shown};
use crate::text::stops as text;
use sandbox_core::breakpoint::{Breakpoint, Stop};
use sandbox_core::ids::RequestId;
use sandbox_core::scenario::Plan;

/// The breakpoint, as it was typed, and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stops {
    /// What was typed.
    pub text: String,
    /// What there is to say about it; empty: nothing.
    pub said: String,
    /// Whether it was understood.
    pub understood: bool,
    /// Some that this run has.
    pub examples: Vec<String>,
    /// Where play will meet it.
    ahead: Option<Stop>,
}

impl Stops {
    /// Those of a run: nothing to stop at yet.
    pub fn of(plan: &Plan) -> Stops {
        let mut examples: Vec<String> = plan.nodes.iter().map(|node| format!("node={}", node.group)).collect();
        examples.dedup();
        examples.extend(plan.routes.iter().map(|route| format!("route={}", route.name)));
        examples.extend(["timed_out", "refused", "backed_off", "breaker_opened"].map(|kind| format!("event={kind}")));
        examples.extend(["http_error_ratio.mean > 0.05", "queue_depth.max > 50"].map(str::to_string));
        Stops { understood: true, examples, ..Stops::default() }
    }

    /// What the text means in this run, and what there is to say if it means nothing.
    fn read(&mut self, plan: &Plan) -> Option<Breakpoint> {
        let read = Breakpoint::parse(plan, &self.text);
        self.understood = read.is_ok();
        self.said = read.as_ref().err().cloned().unwrap_or_default();
        read.ok()
    }
}

impl Player {
    /// From now on this is to be stopped at; an empty text: nothing.
    pub fn stop_at(&mut self, typed: String) {
        // A field tells what it holds again when it is left: what was said about it still holds.
        if typed.trim() == self.stops.text {
            return;
        }
        self.stops.text = typed.trim().to_string();
        self.stops.ahead = None;
        self.stops.said.clear();
        self.stops.understood = true;
        if let Some(shown) = self.shown.as_ref().filter(|_| !self.stops.text.is_empty()) {
            self.stops.read(shown.run.plan());
        }
    }

    /// To where it happens next, or happened before.
    pub fn go_to_stop(&mut self, forwards: bool) {
        if self.stops.text.is_empty() {
            (self.stops.said, self.stops.understood) = (text::nothing().into(), false);
            return;
        }
        match self.find_stop(forwards) {
            Some(stop) => {
                self.invited = false;
                self.go_to(stop);
                self.stops.said = if self.invited { text::hidden().into() } else { String::new() };
            }
            None if self.stops.understood => {
                self.stops.said = if forwards { text::none_later() } else { text::none_before() }.into();
            }
            None => {}
        }
    }

    /// Looks where play will have to stop.
    pub(super) fn look_ahead(&mut self) {
        self.stops.ahead = if self.stops.text.is_empty() { None } else { self.find_stop(true) };
    }

    /// Stops if the breakpoint has been met on the way to where the cursor is now.
    pub(super) fn stop_if_met(&mut self) {
        let position = self.shown.as_ref().map(|shown| shown.run.position());
        let is_met = |stop: &Stop| match stop {
            Stop::Step(step, _) => position.is_some_and(|here| here.step >= *step),
            Stop::Second(at) => self.cursor >= *at,
        };
        if let Some(stop) = self.stops.ahead.filter(is_met) {
            self.stops.ahead = None;
            self.go_to(stop);
        }
    }

    fn go_to(&mut self, stop: Stop) {
        match stop {
            Stop::Step(step, request) => {
                let request = Some(request).filter(|request| *request != RequestId::NONE);
                self.jump(|_, _| Some((step, request)));
            }
            Stop::Second(at) => {
                self.playing = false;
                self.seek_time(at);
            }
        }
    }

    fn find_stop(&mut self, forwards: bool) -> Option<Stop> {
        let Shown { run, .. } = self.shown.as_mut()?;
        let breakpoint = self.stops.read(run.plan())?;
        if forwards { breakpoint.next(run, self.cursor) } else { breakpoint.previous(run, self.cursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::state::action::Action;
    use crate::state::session::Session;
    use crate::state::settings::Settings;
    use sandbox_core::time::Time;
    use std::rc::Rc;

    fn session() -> Session {
        let content = Content::built_in("?lesson=the-database-goes-away").expect("the lesson is sound");
        let settings = Settings { variant: content.lesson.variant.clone(), ..Settings::default() };
        let mut session = Session::new(Rc::new(content), settings, true, false);
        session.finish();
        session
    }

    fn act(session: &mut Session, action: Action) {
        session.apply(action, &|| 0.0);
    }

    fn place(session: &Session) -> (u64, Time) {
        let shown = session.player.shown.as_ref().expect("the run is whole");
        (shown.run.position().step, session.player.cursor)
    }

    #[test]
    fn play_stops_where_it_happens_and_the_buttons_lead_there() {
        let mut session = session();
        act(&mut session, Action::StopAt("event=breaker_opened".into()));
        act(&mut session, Action::NextStop);
        let first = place(&session);
        act(&mut session, Action::NextStop);
        assert!(place(&session) > first);
        act(&mut session, Action::PreviousStop);
        assert_eq!(place(&session), first);

        act(&mut session, Action::Seek(Time::ZERO));
        act(&mut session, Action::Play);
        for _ in 0..10_000 {
            if session.player.playing {
                session.player.pass(0.05);
            }
        }
        assert_eq!(place(&session), first, "play stopped there");
    }

    #[test]
    fn a_number_that_is_reached_stops_as_well_and_one_that_is_not_is_said() {
        let mut session = session();
        act(&mut session, Action::StopAt("http_error_ratio.mean > 0.01".into()));
        act(&mut session, Action::Play);
        for _ in 0..10_000 {
            if session.player.playing {
                session.player.pass(0.05);
            }
        }
        assert_eq!(place(&session).1, Time::from_seconds(20.0));
        act(&mut session, Action::PreviousStop);
        assert_eq!(session.player.stops.said, text::none_before());
        act(&mut session, Action::StopAt("http_error_ratio.mean > 0.01".into()));
        assert_eq!(session.player.stops.said, text::none_before(), "nothing new was typed");
        act(&mut session, Action::StopAt("node=nothing".into()));
        act(&mut session, Action::NextStop);
        assert!(session.player.stops.said.contains("there is no node `nothing`") && !session.player.stops.understood);
        act(&mut session, Action::StopAt(" ".into()));
        act(&mut session, Action::Play);
        assert!(session.player.playing && session.player.stops.said.is_empty());
    }
}
