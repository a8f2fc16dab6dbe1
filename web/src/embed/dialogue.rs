//! Commands from the page around, done by a session; and the state that answers them.

use crate::state::action::Action;
use crate::state::progress::Prediction;
use crate::state::session::Session;
use sandbox_core::lesson::Lesson;
use sandbox_core::link::{Language, Link, Motion, Theme};
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
}

type Done = Result<Wish, Vec<Problem>>;

fn refuse(field: &str, what: impl Into<String>, hint: &str) -> Done {
    Err(vec![Problem::new(field, what, hint)])
}

impl Session {
    /// Does what a command says. Errors: all that keeps it from being done; nothing has changed then.
    pub fn obey(&mut self, command: Command, clock: &dyn Fn() -> f64) -> Done {
        match command {
            Command::Play {} => self.obey_moving(Action::Play, clock),
            Command::Pause {} => self.obey_moving(Action::Pause, clock),
            Command::Step { back: false } => self.obey_moving(Action::Step, clock),
            Command::Step { back: true } => self.obey_moving(Action::StepBack, clock),
            Command::Seek { step: None, t: None } => refuse("t", "is missing", "Give a step or an instant."),
            Command::Seek { step: Some(_), t: Some(_) } => refuse("t", "stands beside step", "Give one of them."),
            Command::Seek { step, t } => {
                if t.is_some_and(|t| t < 0.0) {
                    return refuse("t", "is before the run begins", "Give seconds from 0 on.");
                }
                self.go_to(&Link { step, at: t.map(Time::from_seconds), ..Link::default() }, clock);
                self.passable("t")
            }
            Command::Set { .. } | Command::SetState { .. } if self.recorded.is_some() => {
                refuse("do", "cannot be done while a recorded run is open", "Open the lesson without `recording`.")
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
                _ => refuse("theme", format!("`{theme}` is not known"), "Write light, dark or auto."),
            },
            Command::SetMotion { motion } => match Motion::of_word(&motion) {
                Some(motion) => Ok(Wish::Motion(motion)),
                None => refuse("motion", format!("`{motion}` is not known"), "Write auto, reduce or full."),
            },
            Command::SetLanguage { language } => match Language::of_word(&language) {
                Some(_) => Ok(Wish::Nothing),
                None => {
                    let known = format!("This page speaks {}.", Language::WORDS.join(", "));
                    refuse("language", format!("`{language}` is not spoken here"), &known)
                }
            },
        }
    }

    fn obey_moving(&mut self, action: Action, clock: &dyn Fn() -> f64) -> Done {
        if self.player.shown.is_none() || self.player.is_building() {
            return refuse("do", "the run is still being computed", "Wait for a state that is not `computing`.");
        }
        self.apply(action, clock);
        self.passable("do")
    }

    /// Nobody gets past the first fault before the prediction, and whoever steers from outside is told.
    fn passable(&self, field: &str) -> Done {
        match self.player.invited {
            true => refuse(
                field,
                "leads past the prediction",
                "The learner predicts first; frames with embed=1 do not ask.",
            ),
            false => Ok(Wish::Nothing),
        }
    }

    fn obey_state(&mut self, link: &str) -> Done {
        let (link, problems) = Link::read(link);
        if !problems.is_empty() {
            return Err(problems);
        }
        let lesson = &self.content.lesson.id;
        if let Some(other) = link.lesson.as_ref().filter(|other| *other != lesson) {
            let what = format!("this is the lesson `{lesson}`, not `{other}`");
            return refuse("lesson", what, "Open the link in a frame of its own.");
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
            digest: player.shown.as_ref().map(|shown| shown.digest.clone()),
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
