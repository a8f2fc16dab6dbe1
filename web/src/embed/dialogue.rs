//! Commands from the page around, done by a session; and the state that answers them.

use crate::state::action::Action;
use crate::state::progress::Prediction;
use crate::state::session::Session;
use crate::text::refusals as text;
use sandbox_core::lesson::Lesson;
use sandbox_core::link::{Language, Link, Motion, Theme, offered};
use sandbox_core::message::{Command, State};
use sandbox_core::scenario::Problem;
use sandbox_core::time::Time;

/// What a command asks of the page rather than of its session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// Another look; None: the system's.
    Theme(Option<Theme>),
    /// Whether things move by themselves.
    Motion(Motion),
    /// Another language.
    Language(Language),
}

type Done = Result<Wish, Vec<Problem>>;

fn refuse(field: &str, what: impl Into<String>, hint: &str) -> Done {
    Err(vec![Problem::new(field, what, hint)])
}

impl Session {
    /// Does what a command says. Errors: all that keeps it from being done; nothing has changed then.
    pub fn obey(&mut self, command: Command, clock: &dyn Fn() -> f64) -> Done {
        let mends = matches!(command, Command::Set { .. } | Command::SetState { .. });
        if self.player.shown.is_none() && !self.problems.is_empty() && !mends {
            return Err(self.problems.clone());
        }
        match command {
            Command::Play {} => self.obey_moving(Action::Play, clock),
            Command::Pause {} => self.obey_moving(Action::Pause, clock),
            Command::Step { back: false } => self.obey_moving(Action::Step, clock),
            Command::Step { back: true } => self.obey_moving(Action::StepBack, clock),
            Command::Seek { step: None, t: None } => refuse("t", text::missing(), text::step_or_instant()),
            Command::Seek { step: Some(_), t: Some(_) } => refuse("t", text::beside_step(), text::one_of_them()),
            Command::Seek { step, t } => {
                if t.is_some_and(|t| t < 0.0) {
                    return refuse("t", text::before_run(), text::from_0());
                }
                let place = Link { step, at: t.map(Time::from_seconds), ..Link::default() };
                let whole = self.player.shown.as_ref().filter(|_| !self.player.is_building());
                if let Some(beyond) = whole.and_then(|shown| place.beyond(&shown.run)) {
                    return Err(vec![beyond]);
                }
                self.go_to(&place, clock);
                self.passable("t")
            }
            Command::Set { .. } | Command::SetState { .. } if self.recorded.is_some() => {
                refuse("do", text::while_recorded(), text::open_without())
            }
            Command::Set { path, value } => {
                self.set(path, value)?;
                Ok(Wish::Nothing)
            }
            Command::GetState {} => Ok(Wish::Nothing),
            Command::SetState { link } => self.obey_state(&link),
            Command::SetTheme { theme } => match (theme.as_str(), Theme::of_word(&theme)) {
                ("auto", _) => Ok(Wish::Theme(None)),
                (_, Some(theme)) => Ok(Wish::Theme(Some(theme))),
                _ => refuse("theme", text::unknown(&theme), text::themes()),
            },
            Command::SetMotion { motion } => match Motion::of_word(&motion) {
                Some(motion) => Ok(Wish::Motion(motion)),
                None => refuse("motion", text::unknown(&motion), text::motions()),
            },
            Command::SetLanguage { language } => match Language::of_word(&language) {
                Some(language) => Ok(Wish::Language(language)),
                None => {
                    let known = text::speaks(offered(Language::WORDS).collect::<Vec<_>>().join(", "));
                    refuse("language", text::not_spoken(&language), &known)
                }
            },
        }
    }

    fn obey_moving(&mut self, action: Action, clock: &dyn Fn() -> f64) -> Done {
        if self.player.shown.is_none() || self.player.is_building() {
            return refuse("do", text::still_computing(), text::wait());
        }
        self.apply(action, clock);
        self.passable("do")
    }

    /// Nobody gets past the first fault before the prediction, and whoever steers from outside is told.
    fn passable(&self, field: &str) -> Done {
        match self.player.invited {
            true => refuse(field, text::past_prediction(), text::predict_first()),
            false => Ok(Wish::Nothing),
        }
    }

    fn obey_state(&mut self, link: &str) -> Done {
        if !Link::is_link(link) {
            return refuse("link", text::no_link(), text::link_of_a_state());
        }
        let (link, problems) = Link::read(link);
        if !problems.is_empty() {
            return Err(problems);
        }
        let lesson = &self.content.lesson.id;
        if let Some(other) = link.lesson.as_ref().filter(|other| *other != lesson) {
            let what = text::other_lesson(lesson, other);
            return refuse("lesson", what, text::frame_of_its_own());
        }
        self.take_up(&link)?;
        Ok(Wish::Nothing)
    }

    /// What the page shows.
    pub fn told(&self) -> State {
        let player = &self.player;
        let run = player.shown.as_ref().map(|shown| &shown.run);
        State {
            lesson: self.content.lesson.id.clone(),
            variant: self.settings.variant.clone(),
            seed: run.map_or(0, |run| run.plan().seed),
            digest: player.shown.as_ref().filter(|_| !player.is_building()).map(|shown| shown.digest.clone()),
            t: player.cursor.as_seconds(),
            step: run.map_or(0, |run| run.position().step),
            steps: run.map_or(0, |run| run.steps()),
            duration_s: run.map_or(0.0, |run| run.plan().end.as_seconds()),
            playing: player.playing,
            computing: player.is_building(),
            score: self.score(),
            finished: self.is_finished(),
            link: self.kept().query(),
        }
    }

    fn is_finished(&self) -> bool {
        self.progress.done.last() == Some(&true) && self.progress.has_predicted()
    }

    fn score(&self) -> f64 {
        let answer = match &self.progress.prediction {
            Prediction::Said(option) => Some(option.as_str()),
            _ => None,
        };
        Lesson::score(&self.content.lesson, answer, self.progress.done.last() == Some(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::state::settings::Settings;
    use std::rc::Rc;

    fn session() -> Session {
        let content = Content::built_in("?seed=11").expect("the lesson is sound");
        let settings = Settings { variant: content.lesson.variant.clone(), seed: Some(11), ..Settings::default() };
        Session::new(Rc::new(content), settings, true, false)
    }

    #[test]
    fn nothing_is_sought_beyond_the_end() {
        let mut session = session();
        session.finish();
        let steps = session.told().steps;
        for (step, t, problem) in
            [(Some(steps + 1), None, "step: there is no event"), (None, Some(999.0), "t: 999 s is after the end")]
        {
            let refused = session.obey(Command::Seek { step, t }, &|| 0.0).expect_err("it is beyond");
            assert!(refused[0].to_string().starts_with(problem), "{}", refused[0]);
            assert_eq!(session.told().step, 0, "nothing has changed");
        }
        assert!(session.obey(Command::Seek { step: Some(steps), t: None }, &|| 0.0).is_ok());
        assert_eq!(session.told().step, steps);
    }

    #[test]
    fn what_is_no_link_is_no_state() {
        let mut session = session();
        for link in ["", "javascript:alert(1)"] {
            let refused = session.obey(Command::SetState { link: link.into() }, &|| 0.0).expect_err("it is no link");
            assert_eq!(refused[0].to_string(), "link: is no link. Send the `link` of a state.", "{link}");
        }
        assert_eq!(session.settings.seed, Some(11), "nothing has changed");
    }
}
