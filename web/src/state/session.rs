//! The owner of everything that the page shows: actions in, a changed session out. Knows no browser; time comes in as a number.

use crate::content::Content;
use crate::state::action::{Action, Tab};
use crate::state::arrival::Arrival;
use crate::state::course::Done;
use crate::state::player::{Ghost, Player};
use crate::state::progress::{Prediction, Progress};
use crate::state::recorded::{Opening, Recorded};
use crate::state::settings::Settings;
use crate::state::what_if::WhatIf;
use crate::view_model::scene::{StageView, Stretch};
use sandbox_core::Run;
use sandbox_core::engine::Input;
use sandbox_core::ids::IncidentId;
use sandbox_core::link::Link;
use sandbox_core::scenario::{Document, Plan, Problem};
use sandbox_core::time::Time;
use serde_json::Value;
use std::rc::Rc;
use std::sync::Arc;

/// How another document came in the place of the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The next of several changes in a row, which are all compared with the run before the first.
    Turned,
    /// The present one was edited.
    Edited,
    /// It is something else, with which the run before has nothing to do.
    Opened,
}

/// Everything the page knows.
pub struct Session {
    /// The lesson and its scenario.
    pub content: Rc<Content>,
    /// What the learner has set; the run of it may still be under way.
    pub settings: Settings,
    /// What made the run that is shown.
    pub shown_settings: Settings,
    /// The run, and where the learner looks.
    pub player: Player,
    /// The recorded run that is open in the place of the lesson's.
    pub recorded: Option<Recorded>,
    /// What became of the latest wish to open a recording.
    pub opening: Opening,
    /// What of the address was not understood, until it is dismissed.
    pub unread: Vec<Problem>,
    /// What was wrong with the latest message from the page around, until it is dismissed.
    pub unheard: Vec<Problem>,
    /// What the address still wants.
    pub(super) arrival: Arrival,
    turning: bool,
    /// How far the learner has come.
    pub progress: Progress,
    /// What the evidence column shows.
    pub tab: Tab,
    /// The second whose requests are listed, if somebody asked for them.
    pub second: Option<usize>,
    /// Why the request whose number was just typed cannot be looked at.
    pub not_found: String,
    /// What the stage shows.
    pub picture: StageView,
    /// How much of the run is in it, if that is no picture of the system; None: as much as can be told apart.
    pub stretch: Option<Stretch>,
    /// Questions about the whole scenario, and their answers.
    pub what_if: WhatIf,
    /// A document that cannot run, with all that is wrong.
    pub problems: Vec<Problem>,
}

impl Session {
    /// A page that begins to compute the lesson's run.
    pub fn new(content: Rc<Content>, settings: Settings, predicted: bool, still: bool) -> Session {
        let progress = Progress::new(content.lesson.beats.len(), predicted);
        let mut player = Player::new(Time::ZERO, predicted, still);
        player.charts.clone_from(&content.lesson.charts);
        player.closed_from = content.lesson.prediction.until_s.map(Time::from_seconds);
        let mut session = Session {
            content,
            shown_settings: settings.clone(),
            settings,
            player,
            recorded: None,
            opening: Opening::Idle,
            unread: Vec::new(),
            unheard: Vec::new(),
            arrival: Arrival::default(),
            turning: false,
            progress,
            tab: Tab::Charts,
            second: None,
            not_found: String::new(),
            picture: StageView::System,
            stretch: None,
            what_if: WhatIf::default(),
            problems: Vec::new(),
        };
        session.rebuild();
        session
    }

    /// Goes on from what was kept of an earlier visit.
    pub fn resume(&mut self, done: &Done) {
        self.progress.resume(done);
        self.player.future_is_open |= self.progress.has_predicted();
    }

    /// What the event list has to follow: the step at the cursor, and whether the list is shown.
    pub fn place(&self) -> (Option<u64>, Tab) {
        (self.player.shown.as_ref().map(|shown| shown.run.position().step), self.tab)
    }

    /// The plan of the run that is shown.
    pub fn plan(&self) -> Option<Arc<Plan>> {
        self.player.shown.as_ref().map(|shown| shown.run.plan().clone())
    }

    /// Does what the action says. `clock` gives milliseconds.
    pub fn apply(&mut self, action: Action, clock: &dyn Fn() -> f64) {
        self.not_found.clear();
        let player = &mut self.player;
        match action {
            Action::Toggle if player.playing => player.playing = false,
            Action::Pause => player.playing = false,
            Action::Play | Action::Toggle => player.play(),
            Action::Step => player.step(),
            Action::StepBack => player.step_back(clock),
            Action::Seek(at) => player.seek(at, clock),
            Action::SeekStep(step) => player.seek_step(step, clock),
            Action::NextFailure => {
                player.jump(|facts, step| facts.next_failure(step).map(|(step, request)| (step, Some(request))))
            }
            Action::PreviousFailure => {
                player.jump(|facts, step| facts.previous_failure(step).map(|(step, request)| (step, Some(request))))
            }
            Action::NextMilestone => {
                player.jump(|facts, step| facts.next_milestone(step).map(|stone| (stone.step, None)))
            }
            Action::PreviousMilestone => {
                player.jump(|facts, step| facts.previous_milestone(step).map(|stone| (stone.step, None)))
            }
            Action::SetPace(pace) => player.pace = pace,
            Action::StopAt(typed) => player.stop_at(typed),
            Action::NextStop => player.go_to_stop(true),
            Action::PreviousStop => player.go_to_stop(false),
            Action::Select(request) => player.select(request),
            Action::Find(typed) => self.not_found = player.find(&typed).err().unwrap_or_default(),
            Action::LookAt(request) => {
                player.look_at(request);
                self.tab = Tab::Requests;
            }
            // What is to come is not told before the prediction.
            Action::LookAtSecond(second) => {
                let over = Time::from_seconds((second + 1) as f64);
                if player.future_is_open || over <= player.cursor {
                    player.seek(over, clock);
                    self.second = Some(second);
                    self.tab = Tab::Requests;
                }
            }
            Action::Why => {
                player.jump(|facts, step| {
                    let failure = facts.next_failure(step).or_else(|| facts.previous_failure(step));
                    failure.map(|(step, request)| (step, Some(request)))
                });
                self.tab = Tab::Requests;
            }
            Action::Show(tab) => (self.tab, self.second) = (tab, None),
            Action::Picture(picture) => self.picture = picture,
            Action::Stretch(stretch) => self.stretch = Some(stretch),
            Action::CloseRecording => self.close_recording(),
            Action::DismissRefused => self.opening = Opening::Idle,
            Action::DismissUnread => self.unread.clear(),
            Action::DismissUnheard => self.unheard.clear(),
            // What was recorded cannot be changed.
            _ if self.recorded.is_some() => {}
            Action::Resolve(incident) => self.resolve(incident),
            Action::Ask(question) => self.what_if.open(question),
            Action::Lay(side, knob) => {
                self.what_if.knobs[side] = Some(knob);
                self.what_if.give_up();
            }
            Action::Answer => self.what_if.start(&self.content, &self.settings),
            Action::StopAnswer => self.what_if.give_up(),
            Action::Try(case) => {
                if let Some(settings) = self.what_if.settings_of(&self.content, case) {
                    self.run_with(settings);
                }
            }
            Action::Without(fault) => {
                let mut settings = self.settings.clone();
                settings.change(format!("faults.{fault}"), Value::Null);
                self.run_with(settings);
            }
            Action::SetKnob(id, value) => self.turn_knob(id, value),
            Action::SettleKnob => self.turning = false,
            Action::ResetKnobs => self.reset_knobs(),
            Action::SetVariant(variant) => self.set_variant(variant),
            Action::ShowSolution => self.set_variant(self.content.lesson.challenge.solution.clone()),
            Action::Predict(option) => self.predicted(Prediction::Said(option), clock),
            Action::SkipPrediction => self.predicted(Prediction::Skipped, clock),
            Action::GoToBeat(beat) => self.go_to_beat(beat),
        }
        self.note_end();
    }

    /// Lets `wall_s` seconds pass while playing.
    pub fn pass(&mut self, wall_s: f64) {
        self.player.pass(wall_s);
        self.note_end();
    }

    /// Whether something is left to compute: the run of the stage, and then answers.
    pub fn is_working(&self) -> bool {
        self.player.is_building() || self.what_if.is_working()
    }

    /// Computes for at most `budget_ms`; true when there is something new to see.
    pub fn compute(&mut self, budget_ms: f64, clock: &dyn Fn() -> f64) -> bool {
        if !self.player.is_building() {
            return self.what_if.compute(&self.content, budget_ms, clock);
        }
        let whole = self.player.compute(budget_ms, clock);
        if whole {
            self.on_shown(clock);
        }
        whole
    }

    /// Computes all there is to compute.
    #[cfg(test)]
    pub fn finish(&mut self) {
        while self.is_working() {
            self.compute(1e9, &|| 0.0);
        }
    }

    /// The run of the present settings has become whole.
    fn on_shown(&mut self, clock: &dyn Fn() -> f64) {
        if self.recorded.is_some() {
            return self.on_arrival(clock);
        }
        self.shown_settings = self.settings.clone();
        let Some(shown) = &self.player.shown else { return };
        if self.progress.measured.is_none() && self.is_own_run() && shown.run.script().inputs.is_empty() {
            self.progress.measured = self.content.measure(&shown.run);
        }
        self.progress.on_goals(self.content.goals(&shown.run, &self.shown_settings));
        self.on_arrival(clock);
    }

    /// Whether the settings are the lesson's own, about which it asks.
    pub fn is_own_run(&self) -> bool {
        self.settings == Settings { variant: self.content.lesson.variant.clone(), ..Settings::default() }
    }

    fn note_end(&mut self) {
        let at_end = self.player.shown.as_ref().is_some_and(|shown| self.player.cursor >= shown.facts.end);
        if at_end && self.recorded.is_none() {
            self.progress.on_end();
        }
    }

    /// Changes a place of the scenario. Errors: all that is wrong with the scenario then; nothing has changed.
    pub fn set(&mut self, path: String, value: Value) -> Result<(), Vec<Problem>> {
        let mut settings = self.settings.clone();
        settings.change(path, value);
        self.content.plan(&settings)?;
        self.keep_ghost();
        self.settings = settings;
        self.rebuild();
        Ok(())
    }

    /// Plays another document in the place of the present one.
    pub fn replace(&mut self, document: Document, change: Change) {
        self.keep_ghost();
        self.turning = change == Change::Turned;
        if change == Change::Opened || document.id() != self.content.document.id() {
            self.player.ghost = None;
        }
        self.what_if.give_up();
        self.content = Rc::new(Content::alone(document, Link::default()));
        self.settings = Settings { variant: self.content.lesson.variant.clone(), ..Settings::default() };
        self.rebuild();
    }

    /// Runs with other settings, beside the run before. What cannot be planned is not run.
    fn run_with(&mut self, settings: Settings) {
        if settings != self.settings && self.content.plan(&settings).is_ok() {
            self.turning = false;
            self.keep_ghost();
            self.settings = settings;
            self.rebuild();
        }
    }

    fn resolve(&mut self, incident: IncidentId) {
        self.player.playing = false;
        if let Some(shown) = &self.player.shown {
            let run = shown.run.fork(Input::Resolve { incident });
            self.player.begin(run);
        }
    }

    fn turn_knob(&mut self, id: String, value: f64) {
        if self.settings.knob(&id) != Some(value) {
            self.keep_ghost();
            self.turning = true;
            self.settings.turn(id, value);
            self.rebuild();
        }
    }

    fn reset_knobs(&mut self) {
        self.turning = false;
        self.run_with(Settings { variant: self.settings.variant.clone(), ..Settings::default() });
    }

    fn set_variant(&mut self, variant: String) {
        self.turning = false;
        if self.settings.variant != variant {
            self.keep_ghost();
            self.settings.variant = variant;
            self.settings.knobs.clear();
            self.rebuild();
        }
    }

    fn predicted(&mut self, prediction: Prediction, clock: &dyn Fn() -> f64) {
        self.progress.on_prediction(prediction);
        self.player.future_is_open = true;
        self.player.invited = false;
        self.player.generation += 1;
        self.on_arrival(clock);
    }

    fn go_to_beat(&mut self, beat: usize) {
        let wanted = self.progress.go_to(beat, &self.content.lesson);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != self.settings.variant) {
            self.set_variant(wanted);
            self.player.ghost = None;
        }
    }

    fn keep_ghost(&mut self) {
        if let Some(shown) = &self.player.shown
            && !self.turning
        {
            let (content, settings) = (self.content.clone(), self.shown_settings.clone());
            self.player.ghost = Some(Ghost { facts: shown.facts.clone(), content, settings });
        }
    }

    pub(super) fn rebuild(&mut self) {
        match self.content.plan(&self.settings) {
            Ok(plan) => {
                self.problems.clear();
                self.player.begin(Run::new(Arc::new(plan)));
            }
            Err(problems) => {
                self.player.give_up();
                self.problems = problems;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lesson with its run computed.
    fn session() -> Session {
        let content = Rc::new(Content::built_in("?lesson=the-database-goes-away").expect("the lesson is sound"));
        let settings = Settings { variant: content.lesson.variant.clone(), ..Settings::default() };
        let mut session = Session::new(content, settings, false, false);
        finish(&mut session);
        session
    }

    fn finish(session: &mut Session) {
        session.finish();
        assert_eq!(session.problems, []);
    }

    fn act(session: &mut Session, action: Action) {
        session.apply(action, &|| 0.0);
        finish(session);
    }

    #[test]
    fn nobody_passes_the_outage_before_predicting() {
        let mut session = session();
        let outage = Time::from_seconds(20.0);
        for action in [
            Action::Seek(Time::NEVER),
            Action::Step,
            Action::NextFailure,
            Action::NextMilestone,
            Action::SeekStep(200_000),
        ] {
            act(&mut session, action.clone());
            assert!(session.player.cursor < outage, "{action:?}");
            assert!(session.player.invited, "{action:?}");
        }
        act(&mut session, Action::Seek(Time::from_seconds(19.5)));
        act(&mut session, Action::Play);
        assert!(session.player.playing && !session.player.invited);
        for _ in 0..2_000 {
            session.pass(0.1);
        }
        assert!(session.player.cursor < outage && !session.player.playing && session.player.invited);
        act(&mut session, Action::Predict("half".into()));
        act(&mut session, Action::NextFailure);
        assert!(session.player.cursor >= outage && session.player.selected.is_some());
        assert_eq!(session.progress.beat, 1);
        assert!(session.progress.measured.is_some_and(|measured| measured > 0.9));
    }

    #[test]
    fn steps_forwards_and_backwards_mirror_each_other() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        act(&mut session, Action::Seek(Time::from_seconds(21.0)));
        let place = |session: &Session| session.player.shown.as_ref().unwrap().run.position();
        let before = place(&session);
        for _ in 0..5 {
            act(&mut session, Action::Step);
        }
        assert_eq!(place(&session).step, before.step + 5);
        for _ in 0..5 {
            act(&mut session, Action::StepBack);
        }
        assert_eq!(place(&session), before);
    }

    #[test]
    fn the_tour_of_the_lesson_is_slow_at_milestones_and_ends_in_time() {
        let session = session();
        let tour = &session.player.shown.as_ref().unwrap().facts.tour;
        assert!(tour.length_s() <= 90.0, "{}", tour.length_s());
        assert!(tour.speed(10.0) >= 3.0 && tour.speed(20.01) < 0.5, "{} {}", tour.speed(10.0), tour.speed(20.01));
    }

    #[test]
    fn a_knob_makes_another_run_and_keeps_the_earlier_one() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        let digest = |session: &Session| session.player.shown.as_ref().unwrap().digest.clone();
        let first = digest(&session);
        act(&mut session, Action::SetKnob("stale".into(), 10.0));
        act(&mut session, Action::SetKnob("stale".into(), 5.0));
        assert_ne!(digest(&session), first);
        assert!(session.player.ghost.as_ref().unwrap().settings.knobs.is_empty(), "the run before the turn began");
        act(&mut session, Action::ResetKnobs);
        assert_eq!(digest(&session), first);
    }

    #[test]
    fn the_challenge_is_missed_at_its_start_and_reached_by_its_solution() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        let last = session.progress.done.len() - 1;
        act(&mut session, Action::GoToBeat(last));
        assert_eq!(session.progress.reached(), Some(false));
        assert!(!session.progress.done[last]);
        act(&mut session, Action::ShowSolution);
        assert_eq!(session.progress.reached(), Some(true));
        assert!(session.progress.done[last]);
        act(&mut session, Action::GoToBeat(1));
        assert_eq!(session.settings.variant, session.content.lesson.variant);
    }

    #[test]
    fn the_answer_is_measured_on_the_lessons_own_run_alone() {
        let with = |change: fn(&mut Settings)| {
            let content = Rc::new(Content::built_in("?lesson=the-database-goes-away").expect("the lesson is sound"));
            let mut settings = Settings { variant: content.lesson.variant.clone(), ..Settings::default() };
            change(&mut settings);
            let mut session = Session::new(content, settings, false, false);
            finish(&mut session);
            session
        };
        assert!(with(|_| {}).progress.measured.is_some_and(|share| share > 0.9));
        assert_eq!(with(|settings| settings.seed = Some(5)).progress.measured, None);
        assert_eq!(with(|settings| settings.variant = "A".into()).progress.measured, None);
        let mut other = with(|settings| settings.change("nodes.cache.stale_if_error_s".into(), 1.into()));
        assert_eq!(other.progress.measured, None);
        act(&mut other, Action::ResetKnobs);
        assert!(other.progress.measured.is_some_and(|share| share > 0.9), "now it is there");
    }

    #[test]
    fn an_incident_is_resolved_where_the_cursor_stands() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        act(&mut session, Action::Seek(Time::from_seconds(50.0)));
        let open = session.player.shown.as_ref().unwrap().run.world().observe().incidents;
        act(&mut session, Action::Resolve(open.first().expect("it is still open").id));
        assert_eq!(session.player.cursor, Time::from_seconds(50.0));
        act(&mut session, Action::Seek(Time::from_seconds(50.1)));
        assert_eq!(session.player.shown.as_ref().unwrap().run.world().observe().incidents, []);
    }
}
