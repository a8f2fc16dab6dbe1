//! Time travel: how the cursor of a player plays, steps, seeks and jumps.

use crate::state::action::Pace;
use crate::state::player::{Player, Shown};
use crate::view_model::dots;
use crate::view_model::facts::Facts;
use sandbox_core::ids::RequestId;
use sandbox_core::time::{Span, Time};

impl Player {
    /// What nobody gets past while the future is hidden.
    pub fn gate(&self) -> Option<Time> {
        let plan = self.shown.as_ref()?.run.plan();
        let first_fault = || plan.faults.iter().map(|fault| fault.from).min();
        self.closed_from.or_else(first_fault).filter(|_| !self.future_is_open)
    }

    /// Plays, from the start if the run is over.
    pub fn play(&mut self) {
        let Some(shown) = &self.shown else { return };
        if self.cursor >= shown.facts.end {
            self.seek_time(Time::ZERO);
        }
        if self.gate().is_some_and(|gate| self.cursor >= before(gate)) {
            self.invited = true;
            return;
        }
        self.invited = false;
        self.look_ahead();
        self.playing = true;
    }

    /// Lets `wall_s` seconds pass while playing.
    pub fn pass(&mut self, wall_s: f64) {
        let Some(shown) = &self.shown else { return };
        let next_s = match self.pace {
            Pace::Tour => shown.facts.tour.after(self.cursor.as_seconds(), wall_s),
            Pace::Fixed(speed) => self.cursor.as_seconds() + wall_s * speed,
        };
        let mut next = Time::from_seconds(next_s);
        if next >= shown.facts.end {
            next = shown.facts.end;
            self.playing = false;
        }
        if let Some(gate) = self.gate()
            && next >= gate
        {
            next = before(gate);
            self.playing = false;
            self.invited = true;
        }
        let Some(shown) = &mut self.shown else { return };
        shown.run.seek_time(next);
        self.cursor = next;
        self.let_flow(wall_s);
        self.stop_if_met();
    }

    /// How many simulated seconds pass in a second of play.
    pub fn speed(&self, facts: &Facts) -> f64 {
        match self.pace {
            Pace::Fixed(speed) => speed,
            Pace::Tour => facts.tour.speed(self.cursor.as_seconds()),
        }
    }

    /// One event on.
    pub fn step(&mut self) {
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

    /// One event back.
    pub fn step_back(&mut self, clock: &dyn Fn() -> f64) {
        self.playing = false;
        let Some(shown) = &mut self.shown else { return };
        let begin = clock();
        shown.run.step_back();
        self.last_ms.0 = clock() - begin;
        self.moved();
    }

    /// To an instant.
    pub fn seek(&mut self, at: Time, clock: &dyn Fn() -> f64) {
        self.playing = false;
        let begin = clock();
        self.seek_time(at);
        self.last_ms.1 = clock() - begin;
    }

    /// To just after an event.
    pub fn seek_step(&mut self, step: u64, clock: &dyn Fn() -> f64) {
        self.playing = false;
        let begin = clock();
        let Some(shown) = &mut self.shown else { return };
        shown.run.seek(step);
        let at = shown.run.position().at;
        match self.gate() {
            Some(gate) if at >= gate => self.seek_time(at),
            _ => self.moved(),
        }
        self.last_ms.1 = clock() - begin;
    }

    /// To the step that `target` finds from the present one, and to the request it is about.
    pub fn jump(&mut self, target: impl Fn(&Facts, u64) -> Option<(u64, Option<RequestId>)>) {
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
            self.select(request);
        }
        self.moved();
    }

    /// To the end of a request, if it is known, with the request selected.
    pub fn look_at(&mut self, request: RequestId) {
        let end = |shown: &Shown| shown.run.folds().request(request)?.end.map(|end| end.step);
        if let Some(step) = self.shown.as_ref().and_then(end) {
            self.jump(|_, _| Some((step, Some(request))));
        }
    }

    pub(super) fn seek_time(&mut self, at: Time) {
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
        self.let_flow(0.0);
    }

    /// The cursor of the run was moved by steps: the page follows.
    fn moved(&mut self) {
        let Some(shown) = &self.shown else { return };
        self.cursor = shown.run.position().at;
        self.let_flow(0.0);
    }

    /// Moves the dots: by `wall_s` while playing, to their places of rest after a jump.
    fn let_flow(&mut self, wall_s: f64) {
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
}

/// The last instant before another.
fn before(at: Time) -> Time {
    at - Span::from_nanos(1)
}
