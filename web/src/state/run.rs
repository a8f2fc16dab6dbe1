//! The owner of the run that the page shows: actions in, a changed run out. Knows no browser; time comes in as a number.

use crate::content::Content;
use crate::view_model::dots::{self, Flow};
use crate::view_model::facts::Facts;
use sandbox_core::Run;
use sandbox_core::engine::Input;
use sandbox_core::ids::{IncidentId, RequestId};
use sandbox_core::scenario::{Plan, Problem};
use sandbox_core::time::{Span, Time};
use std::rc::Rc;
use std::sync::Arc;

/// Steps that are computed between two looks at the clock: under a millisecond.
const STEPS_AT_ONCE: u32 = 2_000;

/// What makes a run: a variant and the knobs that were turned.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Settings {
    /// The variant.
    pub variant: String,
    /// Knob id and value, in the order of turning.
    pub knobs: Vec<(String, f64)>,
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
}

impl Settings {
    /// What a knob was turned to, if it was.
    pub fn knob(&self, id: &str) -> Option<f64> {
        self.knobs.iter().find(|(known, _)| known == id).map(|(_, value)| *value)
    }

    fn turn(&mut self, id: String, value: f64) {
        match self.knobs.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = value,
            None => self.knobs.push((id, value)),
        }
    }
}

/// Something the learner does, or the clock.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Action {
    Play,
    Pause,
    Toggle,
    Step,
    StepBack,
    Seek(Time),
    SeekStep(u64),
    NextFailure,
    PreviousFailure,
    NextMilestone,
    PreviousMilestone,
    SetPace(Pace),
    SetKnob(String, f64),
    /// The knob was let go: the next turn compares with this run.
    SettleKnob,
    ResetKnobs,
    SetVariant(String),
    Predict(String),
    SkipPrediction,
    GoToBeat(usize),
    ShowSolution,
    Select(RequestId),
    Show(Tab),
    Resolve(IncidentId),
}

/// How fast play goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Fast between milestones, slow at them.
    Tour,
    /// Always so many simulated seconds a second.
    Fixed(f64),
}

/// What the evidence column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Tab {
    Charts,
    Requests,
    Log,
    Health,
}

/// What became of the prediction.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// Not made: the future is hidden.
    Open,
    /// The option chosen.
    Said(String),
    /// The learner chose not to.
    Skipped,
}

/// A computed run.
pub struct Shown {
    /// The run, with its cursor.
    pub run: Run,
    /// What made it.
    pub settings: Settings,
    /// What it holds.
    pub facts: Rc<Facts>,
    /// Its digest.
    pub digest: String,
    /// How long the computation took, in milliseconds of work.
    pub work_ms: f64,
}

/// The run before the last turn of a knob.
#[derive(Clone)]
pub struct Ghost {
    /// What it holds.
    pub facts: Rc<Facts>,
    /// What made it.
    pub settings: Settings,
}

struct Building {
    run: Run,
    settings: Settings,
    work_ms: f64,
}

/// Everything the page knows.
pub struct Session {
    /// The lesson and its scenario.
    pub content: Rc<Content>,
    /// What the learner has set; the run of it may still be under way.
    pub settings: Settings,
    /// The latest run that is computed to its end.
    pub shown: Option<Shown>,
    building: Option<Building>,
    /// The run before.
    pub ghost: Option<Ghost>,
    turning: bool,
    /// Where the learner looks.
    pub cursor: Time,
    /// Whether time passes.
    pub playing: bool,
    /// How fast.
    pub pace: Pace,
    /// The dots on the links.
    pub flow: Flow,
    flow_at: Time,
    /// Whether nothing may move by itself.
    pub still: bool,
    /// What became of the prediction.
    pub prediction: Prediction,
    /// What the lesson's own run gave, as it answers the question.
    pub measured: Option<f64>,
    /// Which beat of the story is open.
    pub beat: usize,
    /// Which beats are done.
    pub done: Vec<bool>,
    /// Whether the challenge's goal is reached, and by how much, on the present run.
    pub goal: Option<Goal>,
    /// The request looked at.
    pub selected: Option<RequestId>,
    /// What the evidence column shows.
    pub tab: Tab,
    /// A document that cannot run, with all that is wrong.
    pub problems: Vec<Problem>,
    /// How long the last step back and the last seek took.
    pub last_ms: (f64, f64),
    /// Whether play or a jump wanted to pass the moment that the prediction is about.
    pub invited: bool,
    /// Counts what makes views of the run out of date: another run or another selection.
    pub generation: u32,
}

/// How the present run stands to the challenge's goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Whether it is reached.
    pub reached: bool,
    /// The value of the goal's left side.
    pub value: Option<f64>,
}

impl Session {
    /// A page that begins to compute the lesson's run.
    pub fn new(content: Rc<Content>, settings: Settings, predicted: bool, cursor: Time, still: bool) -> Session {
        let beats = content.lesson.beats.len();
        let mut session = Session {
            content,
            settings,
            shown: None,
            building: None,
            ghost: None,
            turning: false,
            cursor,
            playing: false,
            pace: Pace::Tour,
            flow: Flow::default(),
            flow_at: Time::NEVER,
            still,
            prediction: if predicted { Prediction::Skipped } else { Prediction::Open },
            measured: None,
            beat: 0,
            done: vec![false; beats],
            goal: None,
            selected: None,
            tab: Tab::Charts,
            problems: Vec::new(),
            last_ms: (0.0, 0.0),
            invited: false,
            generation: 0,
        };
        session.rebuild();
        session
    }

    /// Whether what comes after the cursor may be shown.
    pub fn future_is_open(&self) -> bool {
        self.prediction != Prediction::Open
    }

    /// What the event list has to follow: the step at the cursor, and whether the list is shown.
    pub fn place(&self) -> (Option<u64>, Tab) {
        (self.shown.as_ref().map(|shown| shown.run.position().step), self.tab)
    }

    /// The moment that the prediction is about; nobody gets past it before predicting.
    pub fn gate(&self) -> Option<Time> {
        let plan = self.shown.as_ref()?.run.plan();
        let first = plan.faults.iter().map(|fault| fault.from).min()?;
        (!self.future_is_open()).then_some(first)
    }

    /// The plan of the run that is shown.
    pub fn plan(&self) -> Option<Arc<Plan>> {
        self.shown.as_ref().map(|shown| shown.run.plan().clone())
    }

    /// Does what the action says. `clock` gives milliseconds.
    pub fn apply(&mut self, action: Action, clock: &dyn Fn() -> f64) {
        match action {
            Action::Toggle if self.playing => self.playing = false,
            Action::Pause => self.playing = false,
            Action::Play | Action::Toggle => self.play(),
            Action::Step => {
                self.playing = false;
                let gate = self.gate();
                let Some(shown) = &mut self.shown else { return };
                if let (Some(gate), Some(next)) = (gate, shown.run.upcoming())
                    && next.at >= gate
                {
                    self.invited = true;
                    return;
                }
                shown.run.step_forward();
                self.moved();
            }
            Action::StepBack => {
                self.playing = false;
                let Some(shown) = &mut self.shown else { return };
                let begin = clock();
                shown.run.step_back();
                self.last_ms.0 = clock() - begin;
                self.moved();
            }
            Action::Seek(at) => {
                self.playing = false;
                let begin = clock();
                self.seek_time(at);
                self.last_ms.1 = clock() - begin;
            }
            Action::SeekStep(step) => {
                self.playing = false;
                let begin = clock();
                self.seek_step(step);
                self.last_ms.1 = clock() - begin;
            }
            Action::NextFailure => self.jump(|facts, step| facts.next_failure(step).map(|(step, id)| (step, Some(id)))),
            Action::PreviousFailure => {
                self.jump(|facts, step| facts.previous_failure(step).map(|(step, id)| (step, Some(id))))
            }
            Action::NextMilestone => {
                self.jump(|facts, step| facts.next_milestone(step).map(|stone| (stone.step, None)))
            }
            Action::PreviousMilestone => {
                self.jump(|facts, step| facts.previous_milestone(step).map(|stone| (stone.step, None)))
            }
            Action::SetPace(pace) => self.pace = pace,
            Action::SetKnob(id, value) => {
                if self.settings.knob(&id) != Some(value) {
                    self.keep_ghost();
                    self.turning = true;
                    self.settings.turn(id, value);
                    self.rebuild();
                }
            }
            Action::SettleKnob => self.turning = false,
            Action::ResetKnobs => {
                self.turning = false;
                if !self.settings.knobs.is_empty() {
                    self.keep_ghost();
                    self.settings.knobs.clear();
                    self.rebuild();
                }
            }
            Action::SetVariant(variant) => {
                self.turning = false;
                if self.settings.variant != variant {
                    self.keep_ghost();
                    self.settings.variant = variant;
                    self.settings.knobs.clear();
                    self.rebuild();
                }
            }
            Action::Predict(option) => self.predicted(Prediction::Said(option)),
            Action::SkipPrediction => self.predicted(Prediction::Skipped),
            Action::GoToBeat(beat) => self.go_to_beat(beat),
            Action::ShowSolution => {
                let solution = self.content.lesson.challenge.solution.clone();
                self.apply(Action::SetVariant(solution), clock);
            }
            Action::Select(request) => {
                self.selected = Some(request);
                self.generation += 1;
            }
            Action::Show(tab) => self.tab = tab,
            Action::Resolve(incident) => {
                self.playing = false;
                let Some(shown) = &self.shown else { return };
                let run = shown.run.fork(Input::Resolve { incident });
                self.building = Some(Building { run, settings: self.settings.clone(), work_ms: 0.0 });
            }
        }
    }

    /// Whether a run is under way.
    pub fn is_building(&self) -> bool {
        self.building.is_some()
    }

    /// How much of the run under way is computed, from 0 to 1.
    pub fn built_share(&self) -> Option<f64> {
        let run = &self.building.as_ref()?.run;
        Some(run.computed_to().as_seconds() / run.plan().end.as_seconds())
    }

    /// Computes for at most `budget_ms`; true when there is more to do.
    pub fn compute(&mut self, budget_ms: f64, clock: &dyn Fn() -> f64) -> bool {
        let Some(building) = &mut self.building else { return false };
        let begin = clock();
        let mut finished = false;
        while !finished && clock() - begin < budget_ms {
            finished = building.run.advance(STEPS_AT_ONCE);
        }
        building.work_ms += clock() - begin;
        if finished {
            let building = self.building.take().expect("it was just advanced");
            self.show(building);
        }
        !finished
    }

    /// Lets `wall_s` seconds pass while playing.
    pub fn pass(&mut self, wall_s: f64) {
        let Some(shown) = &mut self.shown else { return };
        let at_s = self.cursor.as_seconds();
        let next_s = match self.pace {
            Pace::Tour => shown.facts.tour.after(at_s, wall_s),
            Pace::Fixed(speed) => at_s + wall_s * speed,
        };
        let mut next = Time::from_seconds(next_s);
        let end = shown.facts.end;
        if next >= end {
            next = end;
            self.playing = false;
        }
        if let Some(gate) = self.gate()
            && next >= gate
        {
            next = before(gate);
            self.playing = false;
            self.invited = true;
        }
        let shown = self.shown.as_mut().expect("it was there above");
        shown.run.seek_time(next);
        self.cursor = next;
        self.flow(wall_s);
        self.note_progress();
    }

    /// How many simulated seconds pass in a second of play.
    pub fn speed(&self, facts: &Facts) -> f64 {
        match self.pace {
            Pace::Fixed(speed) => speed,
            Pace::Tour => facts.tour.speed(self.cursor.as_seconds()),
        }
    }

    fn play(&mut self) {
        let Some(shown) = &self.shown else { return };
        if self.cursor >= shown.facts.end {
            self.seek_time(Time::ZERO);
        }
        if self.gate().is_some_and(|gate| self.cursor >= before(gate)) {
            self.invited = true;
            return;
        }
        self.invited = false;
        self.playing = true;
    }

    fn predicted(&mut self, prediction: Prediction) {
        self.prediction = prediction;
        self.invited = false;
        self.done[0] = true;
        self.beat = self.beat.max(1.min(self.done.len() - 1));
        self.generation += 1;
    }

    fn go_to_beat(&mut self, beat: usize) {
        if beat >= self.done.len() || (beat > 0 && !self.future_is_open()) {
            return;
        }
        // Whoever goes on has done what came before; the challenge is done when its goal is reached.
        let last = self.done.len() - 1;
        for before in 0..beat.min(last) {
            self.done[before] = true;
        }
        let was = self.beat;
        self.beat = beat;
        let lesson = &self.content.lesson;
        let wanted = match (beat == last, was == last) {
            (true, false) => lesson.challenge.start.clone(),
            (false, true) => lesson.variant.clone(),
            _ => return,
        };
        if self.settings.variant != wanted {
            self.ghost = None;
            self.settings.variant = wanted;
            self.settings.knobs.clear();
            self.rebuild();
        }
    }

    fn jump(&mut self, target: impl Fn(&Facts, u64) -> Option<(u64, Option<RequestId>)>) {
        self.playing = false;
        let gate = self.gate();
        let Some(shown) = &mut self.shown else { return };
        let Some((step, request)) = target(&shown.facts, shown.run.position().step) else { return };
        let before_jump = shown.run.position().step;
        shown.run.seek(step);
        if gate.is_some_and(|gate| shown.run.position().at >= gate) {
            shown.run.seek(before_jump);
            self.invited = true;
            return;
        }
        if let Some(request) = request {
            self.selected = Some(request);
            self.generation += 1;
        }
        self.moved();
    }

    fn seek_time(&mut self, at: Time) {
        let gate = self.gate();
        let Some(shown) = &mut self.shown else { return };
        let mut at = at.min(shown.facts.end);
        if let Some(gate) = gate
            && at >= gate
        {
            at = before(gate);
            self.invited = true;
        } else {
            self.invited = false;
        }
        shown.run.seek_time(at);
        self.cursor = at;
        self.flow(0.0);
        self.note_progress();
    }

    fn seek_step(&mut self, step: u64) {
        let Some(shown) = &mut self.shown else { return };
        shown.run.seek(step);
        let at = shown.run.position().at;
        match self.gate() {
            Some(gate) if at >= gate => self.seek_time(at),
            _ => self.moved(),
        }
    }

    /// The cursor of the run was moved by steps: the page follows.
    fn moved(&mut self) {
        let Some(shown) = &self.shown else { return };
        self.cursor = shown.run.position().at;
        self.flow(0.0);
        self.note_progress();
    }

    /// Moves the dots: by `wall_s` while playing, to their places of rest after a jump.
    fn flow(&mut self, wall_s: f64) {
        let Some(shown) = &mut self.shown else { return };
        let upto = shown.run.position().records;
        let records = shown.run.records(upto.saturating_sub(900)..upto);
        let journeys = dots::journeys(records.iter().map(|logged| &logged.record));
        let gone = self.cursor.since(self.flow_at).max(self.flow_at.since(self.cursor));
        let jumped = self.flow_at == Time::NEVER || (wall_s == 0.0 && gone > Span::from_millis(20));
        match self.still || jumped {
            true => self.flow.reset(&journeys),
            false => self.flow.advance(wall_s, &journeys),
        }
        self.flow_at = self.cursor;
    }

    fn note_progress(&mut self) {
        let Some(shown) = &self.shown else { return };
        if self.future_is_open() && self.cursor >= shown.facts.end && self.done.len() > 1 {
            self.done[1] = true;
        }
    }

    fn keep_ghost(&mut self) {
        if let Some(shown) = &self.shown
            && !self.turning
        {
            self.ghost = Some(Ghost { facts: shown.facts.clone(), settings: shown.settings.clone() });
        }
    }

    fn rebuild(&mut self) {
        match self.content.plan(&self.settings) {
            Ok(plan) => {
                self.problems.clear();
                let run = Run::new(Arc::new(plan));
                self.building = Some(Building { run, settings: self.settings.clone(), work_ms: 0.0 });
            }
            Err(problems) => {
                self.building = None;
                self.problems = problems;
            }
        }
    }

    fn show(&mut self, building: Building) {
        let Building { run, settings, work_ms } = building;
        let facts = Rc::new(Facts::new(run.plan(), run.folds()));
        let digest = run.digest();
        if self.measured.is_none() && settings.knobs.is_empty() && settings.variant == self.content.lesson.variant {
            self.measured = self.content.measure(&run);
        }
        self.goal = self.content.goal(&run);
        let last = self.done.len() - 1;
        if self.beat == last && self.goal.as_ref().is_some_and(|goal| goal.reached) {
            self.done[last] = true;
        }
        self.shown = Some(Shown { run, settings, facts, digest, work_ms });
        self.generation += 1;
        self.flow_at = Time::NEVER;
        let (cursor, invited) = (self.cursor, self.invited);
        self.seek_time(cursor);
        self.invited = invited;
    }
}

/// The last instant before another.
fn before(at: Time) -> Time {
    at - Span::from_nanos(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Options;

    /// The lesson with its run computed.
    fn session() -> Session {
        let content = Rc::new(Content::load(&Options::parse([])).expect("the lesson is sound"));
        let settings = Settings { variant: content.lesson.variant.clone(), ..Settings::default() };
        let mut session = Session::new(content, settings, false, Time::ZERO, false);
        finish(&mut session);
        session
    }

    fn finish(session: &mut Session) {
        while session.compute(1e9, &|| 0.0) {}
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
            assert!(session.cursor < outage, "{action:?}");
            assert!(session.invited, "{action:?}");
        }
        act(&mut session, Action::Seek(Time::from_seconds(19.5)));
        act(&mut session, Action::Play);
        assert!(session.playing && !session.invited);
        for _ in 0..2_000 {
            session.pass(0.1);
        }
        assert!(session.cursor < outage && !session.playing && session.invited);
        act(&mut session, Action::Predict("half".into()));
        act(&mut session, Action::NextFailure);
        assert!(session.cursor >= outage && session.selected.is_some());
        assert_eq!(session.beat, 1);
        assert!(session.measured.is_some_and(|measured| measured > 0.9));
    }

    #[test]
    fn steps_forwards_and_backwards_mirror_each_other() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        act(&mut session, Action::Seek(Time::from_seconds(21.0)));
        let place = |session: &Session| session.shown.as_ref().unwrap().run.position();
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
        let tour = &session.shown.as_ref().unwrap().facts.tour;
        assert!(tour.length_s() <= 90.0, "{}", tour.length_s());
        assert!(tour.speed(10.0) >= 3.0 && tour.speed(20.01) < 0.5, "{} {}", tour.speed(10.0), tour.speed(20.01));
    }

    #[test]
    fn a_knob_makes_another_run_and_keeps_the_earlier_one() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        let digest = |session: &Session| session.shown.as_ref().unwrap().digest.clone();
        let first = digest(&session);
        act(&mut session, Action::SetKnob("stale".into(), 10.0));
        act(&mut session, Action::SetKnob("stale".into(), 5.0));
        assert_ne!(digest(&session), first);
        assert!(session.ghost.as_ref().unwrap().settings.knobs.is_empty(), "the run before the turn began");
        act(&mut session, Action::ResetKnobs);
        assert_eq!(digest(&session), first);
    }

    #[test]
    fn the_challenge_is_missed_at_its_start_and_reached_by_its_solution() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        let last = session.done.len() - 1;
        act(&mut session, Action::GoToBeat(last));
        assert!(!session.goal.as_ref().expect("it is judged").reached);
        assert!(!session.done[last]);
        act(&mut session, Action::ShowSolution);
        assert!(session.goal.as_ref().expect("it is judged").reached);
        assert!(session.done[last]);
        act(&mut session, Action::GoToBeat(1));
        assert_eq!(session.settings.variant, session.content.lesson.variant);
    }

    #[test]
    fn an_incident_is_resolved_where_the_cursor_stands() {
        let mut session = session();
        act(&mut session, Action::SkipPrediction);
        act(&mut session, Action::Seek(Time::from_seconds(50.0)));
        let open = session.shown.as_ref().unwrap().run.world().observe().incidents;
        act(&mut session, Action::Resolve(open.first().expect("it is still open").id));
        assert_eq!(session.cursor, Time::from_seconds(50.0));
        act(&mut session, Action::Seek(Time::from_seconds(50.1)));
        assert_eq!(session.shown.as_ref().unwrap().run.world().observe().incidents, []);
    }
}
