//! A run: a world with a past. It is computed once; after that any moment of it is a clone and a short replay away.
//!
//! The live state (the world) is kept apart from what only grows (the folds). A keyframe is a clone of the world; records
//! are not kept but made again from keyframes for the stretch somebody looks at, so memory does not grow with them.

use super::event::{Reason, Upcoming};
use super::gauge::LevelRow;
use super::io::{Input, LoggedInput};
use super::world::{Mount, World};
use crate::ids::{NodeId, RequestId, Seq};
use crate::scenario::Plan;
use crate::time::Time;
use crate::trace::{Digest, Record};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Something that is folded over a run while it is computed: metrics, milestones, the requests' fates.
pub trait Fold {
    /// The fold of nothing.
    fn new(plan: &Plan) -> Self;

    /// Takes the records of a step, and the gauges of the seconds that ended before it.
    fn on_step(&mut self, step: u64, records: &[Record], closed_seconds: &[LevelRow]);

    /// The run is computed to its end.
    fn on_end(&mut self, world: &World);
}

/// Inputs that came from outside, and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// How the world was mounted; none on the virtual clock.
    pub mount: Option<Mount>,
    /// The inputs in order.
    pub inputs: Vec<LoggedInput>,
    /// Where the run ends, in steps; none: at the end of the plan.
    pub steps: Option<u64>,
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
    keyframes: Vec<World>,
    cursor: World,
    /// Records of stretches between two keyframes, the latest used last.
    blocks: VecDeque<(usize, Arc<Vec<Logged>>)>,
}

/// Steps between two keyframes: a replay of this length takes less than a millisecond.
const KEYFRAME_STEPS: u64 = 4_096;

/// Stretches of records that are kept.
const BLOCKS: usize = 16;

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
        Run {
            script,
            folds,
            digest: Digest::new(),
            finished: false,
            keyframes: vec![head.clone()],
            cursor: head.clone(),
            head,
            blocks: VecDeque::new(),
        }
    }

    /// The same past up to the cursor, then this input. Nothing of the new run is computed yet.
    pub fn fork(&self, input: Input) -> Run<F> {
        let here = self.cursor.steps();
        let mut script = self.script.clone();
        script.inputs.retain(|logged| logged.step < here);
        script.inputs.push(LoggedInput { at: self.cursor.now(), step: here, input });
        script.steps = None;
        Run::with_script(self.plan().clone(), script)
    }

    /// Computes up to `steps_max` further steps of the run; true when it is computed to its end.
    pub fn advance(&mut self, steps_max: u32) -> bool {
        for _ in 0..steps_max {
            if self.finished {
                break;
            }
            if !advance(&mut self.head, &self.script) {
                self.finished = true;
                self.folds.on_end(&self.head);
                break;
            }
            let records = self.head.emitted();
            self.digest.add(records);
            self.folds.on_step(self.head.steps(), records, self.head.closed_seconds());
            if self.head.steps().is_multiple_of(KEYFRAME_STEPS) {
                self.keyframes.push(self.head.clone());
            }
        }
        self.finished
    }

    /// Computes the whole run.
    pub fn run_to_end(&mut self) {
        while !self.advance(u32::MAX) {}
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
        self.cursor.steps() < self.head.steps() && advance(&mut self.cursor, &self.script)
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
        let nearest = self.keyframes.partition_point(|keyframe| keyframe.steps() <= step) - 1;
        if self.cursor.steps() > step || self.cursor.steps() < self.keyframes[nearest].steps() {
            self.cursor = self.keyframes[nearest].clone();
        }
        while self.cursor.steps() < step {
            let stepped = advance(&mut self.cursor, &self.script);
            assert!(stepped, "what was computed once can be computed again");
        }
    }

    /// Moves the cursor to just after the last step at or before `at`.
    pub fn seek_time(&mut self, at: Time) {
        let nearest = self.keyframes.partition_point(|keyframe| keyframe.now() <= at).max(1) - 1;
        if self.cursor.now() > at || self.cursor.steps() < self.keyframes[nearest].steps() {
            self.cursor = self.keyframes[nearest].clone();
        }
        while self.cursor.steps() < self.head.steps() && self.upcoming().is_some_and(|next| next.at <= at) {
            self.step_forward();
        }
    }

    /// The records numbered `range`, as far as they are computed, made again from keyframes.
    pub fn records(&mut self, range: Range<u32>) -> Vec<Logged> {
        let range = range.start..range.end.min(self.head.records());
        let mut found = Vec::new();
        if range.is_empty() {
            return found;
        }
        let first = self.keyframes.partition_point(|keyframe| keyframe.records() <= range.start) - 1;
        for index in first..self.keyframes.len() {
            if self.keyframes[index].records() >= range.end {
                break;
            }
            let block = self.block(index);
            found.extend(block.iter().filter(|logged| range.contains(&logged.record.seq.0)).copied());
        }
        found
    }

    /// One record, if it is computed.
    pub fn record(&mut self, seq: Seq) -> Option<Logged> {
        if seq.0 >= self.head.records() {
            return None;
        }
        let index = self.keyframes.partition_point(|keyframe| keyframe.records() <= seq.0) - 1;
        let block = self.block(index);
        let first = block.first()?.record.seq.0;
        block.get((seq.0 - first) as usize).copied()
    }

    /// The records of a request made by the steps of this range.
    pub fn request_records(&mut self, request: RequestId, steps: Range<u64>) -> Vec<Logged> {
        let first = self.keyframes.partition_point(|keyframe| keyframe.steps() <= steps.start).max(1) - 1;
        let mut found = Vec::new();
        for index in first..self.keyframes.len() {
            if self.keyframes[index].steps() >= steps.end {
                break;
            }
            let block = self.block(index);
            let of_request = |logged: &&Logged| logged.record.request == request && steps.contains(&logged.step);
            found.extend(block.iter().filter(of_request).copied());
        }
        found
    }

    /// The records between a keyframe and the next.
    fn block(&mut self, index: usize) -> Arc<Vec<Logged>> {
        if let Some(place) = self.blocks.iter().position(|(known, _)| *known == index) {
            let kept = self.blocks.remove(place).expect("it was just found");
            self.blocks.push_back(kept);
        } else {
            let mut world = self.keyframes[index].clone();
            let end = self.keyframes.get(index + 1).map_or(self.head.steps(), World::steps);
            let mut block = Vec::new();
            while world.steps() < end && advance(&mut world, &self.script) {
                let step = world.steps();
                block.extend(world.emitted().iter().map(|record| Logged { step, record: *record }));
            }
            // The last stretch still grows while the run is being computed.
            if !self.finished && index + 1 >= self.keyframes.len() {
                return Arc::new(block);
            }
            self.blocks.push_back((index, Arc::new(block)));
            if self.blocks.len() > BLOCKS {
                self.blocks.pop_front();
            }
        }
        self.blocks.back().expect("a block was just put there").1.clone()
    }
}

fn input_at(script: &Script, step: u64) -> Option<&LoggedInput> {
    let index = script.inputs.partition_point(|logged| logged.step < step);
    script.inputs.get(index).filter(|logged| logged.step == step)
}

/// Makes the next step of a world, be it an event or an input; false at the end. A mounted world would go on for ever.
fn advance(world: &mut World, script: &Script) -> bool {
    if script.steps.is_some_and(|steps| world.steps() >= steps) || world.now() > world.plan().end {
        return false;
    }
    match input_at(script, world.steps()) {
        Some(logged) => {
            world.input(logged.at, logged.input.clone());
            true
        }
        None => world.step().is_some(),
    }
}
