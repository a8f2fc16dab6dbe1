//! A run: a world with a past. It is computed once; after that any moment of it is a clone and a short replay away.
//!
//! The live state (the world) is kept apart from what only grows (the folds). Clones of the world are kept at regular
//! steps; records are not kept but made again for the stretch somebody looks at, so memory does not grow with them. Here
//! and there the folds are marked too: clones share what is in them, and a fork goes on from the latest mark.

use super::event::{Reason, Upcoming};
use super::io::{Input, LoggedInput};
use super::keyframes::Keyframes;
use super::world::{Mount, Steps, World};
use crate::ids::{NodeId, RequestId, Seq};
use crate::scenario::Plan;
use crate::time::Time;
use crate::trace::{Digest, Record};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Something that is folded over a run while it is computed: metrics, milestones, the requests' fates. Clones are kept on
/// the way, so they should share what is over.
pub trait Fold: Clone {
    /// The fold of nothing.
    fn new(plan: &Plan) -> Self;

    /// Takes what came of the next steps.
    fn on_steps(&mut self, steps: Steps);

    /// The run is computed to its end.
    fn on_end(&mut self, world: &World);
}

/// Inputs that came from outside, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// How the world was mounted; none on the virtual clock.
    pub mount: Option<Mount>,
    /// The inputs in order.
    pub inputs: Vec<LoggedInput>,
    /// Where the run ends, in steps; none: at the end of the plan.
    pub steps: Option<u64>,
}

impl Script {
    /// How many steps from the one after so many on are events of the virtual clock for sure.
    fn events_from(&self, step: u64) -> u64 {
        if self.mount.is_some() || self.steps.is_some() {
            return 0;
        }
        let next = self.inputs.partition_point(|logged| logged.step < step);
        self.inputs.get(next).map_or(u64::MAX, |logged| logged.step - step)
    }
}

/// A record with the step that made it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logged {
    /// The step after which the record is there.
    pub step: u64,
    /// The record.
    pub record: Record,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Steps made.
    pub step: u64,
    /// The time then.
    pub at: Time,
    /// Records made.
    pub records: u32,
}

/// A run with a cursor.
#[derive(Clone, Debug)]
pub struct Run<F> {
    script: Script,
    head: World,
    folds: F,
    digest: Digest,
    finished: bool,
    keyframes: Keyframes,
    marks: Vec<Arc<Mark<F>>>,
    /// Steps between two marks.
    mark_every: u64,
    cursor: World,
    /// A world not long before the cursor, so that a step back is short.
    near: World,
    /// How many records there are before each stretch.
    firsts: Vec<u32>,
    /// The records of some stretches, the latest used last.
    stretches: VecDeque<(usize, Arc<Vec<Logged>>)>,
    /// The world after the stretch that was made last: the next one is often asked for next.
    scout: World,
}

/// What was folded up to a step.
#[derive(Clone, Debug)]
struct Mark<F> {
    step: u64,
    folds: F,
    digest: Digest,
}

/// Steps of which the records are made again together.
const STRETCH: u64 = 4_096;

/// Steps that are computed in one go: so many that what follows once from all of them hardly counts, and so few that their
/// records stay near the processor.
const TOGETHER: u64 = 128;

/// Stretches of which the records are kept.
const STRETCHES: usize = 16;

/// Steps between two marks of the folds, at first: making half as many again takes some milliseconds.
const MARK_EVERY: u64 = 16 * STRETCH;

/// More marks than this are thinned out.
const MARKS: usize = 64;

/// Steps between the cursor and the world kept near it, at most.
const NEAR: u64 = 1_024;

/// A world that weighs more than this, in bytes, is not kept near the cursor: copying it takes longer than replaying.
const NEAR_WEIGHT: usize = 1 << 20;

impl<F: Fold> Run<F> {
    /// A run of the plan on the virtual clock; nothing is computed yet.
    pub fn new(plan: Arc<Plan>) -> Run<F> {
        Run::with_script(plan, Script::default())
    }

    /// A run with inputs from outside: a recorded mounted run, or one that somebody changed on the way.
    pub fn with_script(plan: Arc<Plan>, script: Script) -> Run<F> {
        let folds = F::new(&plan);
        let head = match script.mount.clone() {
            Some(mount) => World::mounted(plan, mount),
            None => World::new(plan),
        };
        let digest = Digest::new();
        Run {
            script,
            finished: false,
            keyframes: Keyframes::new(head.clone()),
            marks: vec![Arc::new(Mark { step: 0, folds: folds.clone(), digest: digest.clone() })],
            mark_every: MARK_EVERY,
            folds,
            digest,
            cursor: head.clone(),
            near: head.clone(),
            firsts: vec![0],
            stretches: VecDeque::new(),
            scout: head.clone(),
            head,
        }
    }

    /// The same past up to the cursor, then this input. The new run is computed up to a mark of this one before that; its
    /// cursor is at the start.
    pub fn fork(&self, input: Input) -> Run<F> {
        let here = self.cursor.steps();
        let mut script = self.script.clone();
        script.inputs.retain(|logged| logged.step < here);
        script.inputs.push(LoggedInput { at: self.cursor.now(), step: here, input });
        script.steps = None;
        let is_kept = |mark: &&Arc<Mark<F>>| self.keyframes.at_step(mark.step).steps() == mark.step;
        let before = self.marks.partition_point(|mark| mark.step <= here);
        let mark = self.marks[..before].iter().rev().find(is_kept).expect("the start is marked and kept");
        let start = self.keyframes.first();
        Run {
            script,
            head: self.keyframes.at_step(mark.step).clone(),
            folds: mark.folds.clone(),
            digest: mark.digest.clone(),
            finished: false,
            keyframes: self.keyframes.up_to(mark.step),
            marks: self.marks[..before].iter().filter(|kept| kept.step <= mark.step).cloned().collect(),
            mark_every: self.mark_every,
            cursor: start.clone(),
            near: start.clone(),
            firsts: self.firsts[..=(mark.step / STRETCH) as usize].to_vec(),
            stretches: VecDeque::new(),
            scout: start.clone(),
        }
    }

    /// Computes up to `steps_max` further steps of the run; true when it is computed to its end.
    pub fn advance(&mut self, steps_max: u32) -> bool {
        let goal = self.head.steps() + u64::from(steps_max);
        while !self.finished && self.head.steps() < goal {
            let here = self.head.steps();
            let in_one_go = (goal - here).min(STRETCH - here % STRETCH).min(TOGETHER);
            self.finished = match self.script.events_from(here).min(in_one_go) {
                0 => !advance(&mut self.head, &self.script),
                events => !self.head.make_steps(events),
            };
            if self.head.steps() > here {
                self.digest.add(self.head.latest().records);
                self.folds.on_steps(self.head.latest());
            }
            if self.finished {
                self.folds.on_end(&self.head);
            } else if self.head.steps().is_multiple_of(STRETCH) {
                self.keep();
            }
        }
        self.finished
    }

    /// Keeps what leads back to the head.
    #[cold]
    fn keep(&mut self) {
        let step = self.head.steps();
        self.head.keep_last_step();
        self.firsts.push(self.head.records());
        self.keyframes.offer(&self.head);
        if step.is_multiple_of(self.mark_every) {
            self.marks.push(Arc::new(Mark { step, folds: self.folds.clone(), digest: self.digest.clone() }));
            if self.marks.len() > MARKS {
                self.mark_every *= 2;
                self.marks.retain(|mark| mark.step.is_multiple_of(self.mark_every));
            }
        }
    }

    /// Computes the whole run. In slices: a browser makes a function faster only when it is called anew.
    pub fn run_to_end(&mut self) {
        while !self.advance(STRETCH as u32) {}
    }

    /// Whether the run is computed to its end.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<Plan> {
        self.head.plan()
    }

    /// The inputs from outside.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// The digest of what is computed so far: of the whole run, once it is finished.
    pub fn digest(&self) -> String {
        self.digest.hex()
    }

    /// Steps computed so far.
    pub fn steps(&self) -> u64 {
        self.head.steps()
    }

    /// Records computed so far.
    pub fn record_count(&self) -> u32 {
        self.head.records()
    }

    /// The instant up to which the run is computed.
    pub fn computed_to(&self) -> Time {
        self.head.now()
    }

    /// What was folded over the computed part.
    pub fn folds(&self) -> &F {
        &self.folds
    }

    /// The computed end of the run, whatever the cursor looks at.
    pub fn head(&self) -> &World {
        &self.head
    }

    /// Where the cursor is.
    pub fn position(&self) -> Position {
        Position { step: self.cursor.steps(), at: self.cursor.now(), records: self.cursor.records() }
    }

    /// The world at the cursor.
    pub fn world(&self) -> &World {
        &self.cursor
    }

    /// What the next step will do; None at the end of the run.
    pub fn upcoming(&mut self) -> Option<Upcoming> {
        if let Some(input) = input_at(&self.script, self.cursor.steps()) {
            return Some(Upcoming { at: input.at, node: NodeId(0), request: RequestId::NONE, reason: Reason::Outside });
        }
        if self.script.steps.is_some_and(|steps| self.cursor.steps() >= steps) {
            return None;
        }
        self.cursor.upcoming()
    }

    /// Moves the cursor one step forward; false at the end of what is computed.
    pub fn step_forward(&mut self) -> bool {
        let stepped = self.cursor.steps() < self.head.steps() && advance(&mut self.cursor, &self.script);
        if stepped && self.cursor.steps().is_multiple_of(NEAR) && self.cursor.weight() <= NEAR_WEIGHT {
            self.near = self.cursor.clone();
        }
        stepped
    }

    /// Moves the cursor one step back; false at the start.
    pub fn step_back(&mut self) -> bool {
        let here = self.cursor.steps();
        if here > 0 {
            self.seek(here - 1);
        }
        here > 0
    }

    /// Moves the cursor to just after step number `step`, at most to the end of what is computed.
    pub fn seek(&mut self, step: u64) {
        let step = step.min(self.head.steps());
        let keyframe = self.keyframes.at_step(step);
        approach(&mut self.cursor, [keyframe, &self.near], |world| world.steps() <= step);
        while self.cursor.steps() < step {
            assert!(self.step_forward(), "what was computed once can be computed again");
        }
    }

    /// Moves the cursor to just after the last step at or before `at`.
    pub fn seek_time(&mut self, at: Time) {
        let keyframe = self.keyframes.at_time(at);
        approach(&mut self.cursor, [keyframe, &self.near], |world| world.now() <= at);
        while self.next_at().is_some_and(|next| next <= at) && self.step_forward() {}
    }

    /// When the next step of the cursor is due.
    fn next_at(&mut self) -> Option<Time> {
        match input_at(&self.script, self.cursor.steps()) {
            Some(input) => Some(input.at),
            None => self.cursor.next_deadline(),
        }
    }

    /// The records numbered `range`, as far as they are computed, made again from keyframes.
    pub fn records(&mut self, range: Range<u32>) -> Vec<Logged> {
        let range = range.start..range.end.min(self.head.records());
        let mut found = Vec::new();
        if range.is_empty() {
            return found;
        }
        let stretches = self.firsts.partition_point(|first| *first < range.end);
        for index in self.stretch_of(range.start)..stretches {
            let stretch = self.stretch(index);
            found.extend(stretch.iter().filter(|logged| range.contains(&logged.record.seq.number())).copied());
        }
        found
    }

    /// One record, if it is computed.
    pub fn record(&mut self, seq: Seq) -> Option<Logged> {
        if seq.number() >= self.head.records() {
            return None;
        }
        let index = self.stretch_of(seq.number());
        let place = seq.number() - self.firsts[index];
        self.stretch(index).get(place as usize).copied()
    }

    /// The records of a request made by the steps of this range.
    pub fn request_records(&mut self, request: RequestId, steps: Range<u64>) -> Vec<Logged> {
        let mut found = Vec::new();
        // A stretch begins after the step that is a multiple of its length.
        let first = steps.start.saturating_sub(1) / STRETCH;
        let end = steps.end.min(self.head.steps() + 1).saturating_sub(1).div_ceil(STRETCH);
        for index in first..end {
            let stretch = self.stretch(index as usize);
            let of_request = |logged: &&Logged| logged.record.request == request && steps.contains(&logged.step);
            found.extend(stretch.iter().filter(of_request).copied());
        }
        found
    }

    /// The stretch that a record lies in.
    fn stretch_of(&self, seq: u32) -> usize {
        self.firsts.partition_point(|first| *first <= seq) - 1
    }

    /// The records of a stretch.
    fn stretch(&mut self, index: usize) -> Arc<Vec<Logged>> {
        if let Some(place) = self.stretches.iter().position(|(known, _)| *known == index) {
            let kept = self.stretches.remove(place).expect("it was just found");
            self.stretches.push_back(kept.clone());
            return kept.1;
        }
        let begin = index as u64 * STRETCH;
        let end = (begin + STRETCH).min(self.head.steps());
        let keyframe = self.keyframes.at_step(begin);
        approach(&mut self.scout, [keyframe], |world| world.steps() <= begin);
        let mut records = Vec::new();
        while self.scout.steps() < end && advance(&mut self.scout, &self.script) {
            let step = self.scout.steps();
            if step > begin {
                records.extend(self.scout.emitted().iter().map(|record| Logged { step, record: *record }));
            }
        }
        let records = Arc::new(records);
        // The last stretch still grows while the run is being computed.
        if self.finished || end == begin + STRETCH {
            self.stretches.push_back((index, records.clone()));
            if self.stretches.len() > STRETCHES {
                self.stretches.pop_front();
            }
        }
        records
    }
}

/// Takes a world to the latest of these that lies before a goal, unless it is later and still before it. The first one
/// lies before it in any case.
fn approach<const N: usize>(world: &mut World, kept: [&World; N], is_before: impl Fn(&World) -> bool) {
    let latest = kept.into_iter().filter(|kept| is_before(kept)).max_by_key(|kept| kept.steps()).unwrap_or(kept[0]);
    if !is_before(world) || world.steps() < latest.steps() {
        *world = latest.clone();
    }
}

fn input_at(script: &Script, step: u64) -> Option<&LoggedInput> {
    let index = script.inputs.partition_point(|logged| logged.step < step);
    script.inputs.get(index).filter(|logged| logged.step == step)
}

/// Makes the next step of a world, be it an event or an input; false at the end. A mounted world would go on for ever, and
/// an input that comes after what is due first was not recorded in this world: the run ends before it.
#[inline]
fn advance(world: &mut World, script: &Script) -> bool {
    if script.mount.is_none() && script.steps.is_none() && script.inputs.is_empty() {
        return world.step().is_some();
    }
    if script.steps.is_some_and(|steps| world.steps() >= steps) || world.now() > world.plan().end {
        return false;
    }
    match input_at(script, world.steps()) {
        Some(logged) if world.next_deadline().is_some_and(|due| due < logged.at) => false,
        Some(logged) => {
            world.input(logged.at, logged.input.clone());
            true
        }
        None => world.step().is_some(),
    }
}
