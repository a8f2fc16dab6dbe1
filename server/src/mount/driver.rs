//! The thread of a mounted world: step what is due, put in what came, do what the world asks for, wait.

use super::incidents::Incidents;
use super::ledger::Ledger;
use super::mailbox::{Arrival, Content, Letter, Mailbox, Observed};
use super::real::{RealCall, RealPart};
use super::recording::Recorder;
use crate::clock::{self, Clock};
use crate::metrics::Metrics;
use sandbox_core::engine::{Input, LoggedInput, Mount as Outside, Output, World};
use sandbox_core::ids::NodeId;
use sandbox_core::time::Time;
use sandbox_core::trace::Digest;
use std::sync::Arc;
use std::time::Instant;

/// What a mounted world has done.
#[derive(Clone, Debug)]
pub struct Summary {
    /// When it was stopped.
    pub end: Time,
    /// Events and inputs.
    pub steps: u64,
    /// Digest of all its records.
    pub digest: String,
    /// Whether the recording, if there is one, holds all of it.
    pub is_recorded: bool,
}

pub(super) struct Driver {
    world: World,
    outside: Outside,
    mailbox: Arc<Mailbox>,
    parts: Vec<(NodeId, RealPart)>,
    recorder: Option<Recorder>,
    metrics: Arc<Metrics>,
    ledger: Ledger,
    incidents: Incidents,
    digest: Digest,
    stopping: bool,
}

impl Driver {
    pub fn new(
        world: World,
        outside: Outside,
        mailbox: Arc<Mailbox>,
        parts: Vec<(NodeId, RealPart)>,
        recorder: Option<Recorder>,
        metrics: Arc<Metrics>,
    ) -> Driver {
        let (ledger, incidents, digest) = (Ledger::new(outside.external.clone()), Incidents::default(), Digest::new());
        Driver { world, outside, mailbox, parts, recorder, metrics, ledger, incidents, digest, stopping: false }
    }

    /// Runs until it is told to stop and has answered everything. Time starts with `clock`, or with the first request.
    pub fn run(mut self, mut clock: Option<Clock>) -> Summary {
        clock::sharpen_timers();
        if clock.is_some() {
            self.begin();
        }
        while !(self.stopping && self.ledger.is_empty()) {
            let deadline = clock.and_then(|clock| clock.instant(self.world.next_deadline()?));
            for letter in self.mailbox.wait(deadline) {
                if clock.is_none() && matches!(letter.what, Content::Arrival(..)) {
                    clock = Some(Clock::starting_at(letter.at));
                    self.begin();
                }
                let at = clock.map_or(Time::ZERO, |clock| clock.time(letter.at));
                if clock.is_some() {
                    self.step_until(at);
                }
                self.take_in(at, letter, clock.is_some());
            }
            if let Some(clock) = clock {
                self.step_until(clock.time(Instant::now()));
            }
        }
        if clock.is_none() {
            // No request came: what is recorded is a run in which nothing happened, not half a file.
            self.begin();
        }
        let (end, steps) = (self.world.now(), self.world.steps());
        let summary = Summary { end, steps, digest: self.digest.hex(), is_recorded: true };
        let is_recorded = self.recorder.is_none_or(|recorder| recorder.finish(&summary));
        Summary { is_recorded, ..summary }
    }

    /// Time 0 is now: tokens are judged by this second.
    fn begin(&mut self) {
        self.outside.epoch_unix_s = clock::unix_s();
        self.world = World::mounted(self.world.plan().clone(), self.outside.clone());
        if let Some(recorder) = &mut self.recorder {
            recorder.begin(&self.outside);
        }
        self.after_step();
    }

    /// Takes every event that is due at `now` or before.
    fn step_until(&mut self, now: Time) {
        while self.world.next_deadline().is_some_and(|due| due <= now) {
            self.world.step();
            self.after_step();
        }
    }

    fn take_in(&mut self, at: Time, letter: Letter, started: bool) {
        match letter.what {
            Content::Arrival(Arrival { route, key, credential }, ticket, answer) => {
                self.put_in(at, Input::Arrival { route, key, credential });
                self.ledger.on_arrival(self.world.now(), self.world.last_request(), ticket, answer);
                self.after_step();
            }
            Content::Hangup(ticket) => {
                if let Some(request) = self.ledger.on_hangup(ticket) {
                    self.put_in(at, Input::Disconnect { request });
                    self.after_step();
                }
            }
            Content::Reply(call, result, took) => {
                self.ledger.on_reply(call, took);
                self.put_in(at, Input::Reply { call, result });
                self.after_step();
            }
            Content::Resolve(incident, done) => {
                let open = self.incidents.is_open(incident);
                if open {
                    self.put_in(at, Input::Resolve { incident });
                    self.after_step();
                }
                let _ = done.send(open);
            }
            Content::Observe(answer) => {
                let _ = answer.send(Observed {
                    observation: self.world.observe(),
                    incidents: self.incidents.0.clone(),
                    started,
                });
            }
            Content::Stop => self.stopping = true,
        }
    }

    fn put_in(&mut self, at: Time, input: Input) {
        let logged: LoggedInput = self.world.input(at, input);
        if let Some(recorder) = &mut self.recorder {
            recorder.log(&logged);
        }
    }

    /// Reads what the world wrote down and does what it asks for.
    fn after_step(&mut self) {
        self.digest.add(self.world.emitted());
        for record in self.world.emitted() {
            self.ledger.on_record(self.world.plan(), record);
            self.incidents.on_record(self.world.plan(), record);
            self.metrics.on_record(self.world.plan(), record);
        }
        for output in self.world.take_outputs() {
            match output {
                Output::Call { call, node, request, op } => {
                    self.ledger.on_call(call, request);
                    if let Some(part) = self.part(node) {
                        part.perform(RealCall { call, request, op });
                    }
                }
                Output::Respond { request, outcome, version, retry_after_s } => {
                    self.ledger.respond(request, outcome, version, retry_after_s);
                }
                Output::Fault { node, begins, .. } => {
                    if let Some(part) = self.part(node) {
                        part.set_down(begins);
                    }
                }
            }
        }
    }

    fn part(&self, node: NodeId) -> Option<&RealPart> {
        self.parts.iter().find(|(id, _)| *id == node).map(|(_, part)| part)
    }
}
