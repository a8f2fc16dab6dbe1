//! A store in the manner of SQLite in WAL mode behind a connection pool: readers beside one writer, rows with versions.
//!
//! A call that finds no free connection waits in line; its caller's timeout bounds the wait, but the work of a caller that
//! has gone is still done. Left out: checkpoints, the busy timeout's polling (the pool has one writer, so nobody polls),
//! transactions of several statements, indexes.

use super::Happening;
use crate::chunks::Chunked;
use crate::engine::causes::Lead;
use crate::engine::ctx::Ctx;
use crate::engine::event::Slot;
use crate::engine::if_match;
use crate::engine::io::{CallOp, CallResult};
use crate::engine::stay::{Ask, Place, Reply};
use crate::scenario::{Dist, StorePlan};
use crate::trace::{Refusal, Status, What};
use std::collections::VecDeque;
use std::sync::Arc;

/// A store's live state.
#[derive(Clone, Debug)]
pub struct Store {
    plan: Arc<StorePlan>,
    versions: Chunked<u64>,
    readers: Lane,
    writer: Lane,
}

/// Connections of one kind and the line before them.
#[derive(Clone, Debug)]
struct Lane {
    connections: u32,
    busy: u32,
    line: VecDeque<Slot>,
    saturated: Option<Lead>,
}

impl Lane {
    fn new(connections: u32) -> Lane {
        Lane { connections, busy: 0, line: VecDeque::new(), saturated: None }
    }
}

impl Store {
    pub fn new(plan: &StorePlan) -> Store {
        Store {
            plan: Arc::new(plan.clone()),
            versions: Chunked::new(plan.rows as usize, 1),
            readers: Lane::new(plan.readers),
            writer: Lane::new(1),
        }
    }

    #[inline(never)]
    pub fn handle(&mut self, happening: Happening, ctx: &mut Ctx) {
        match happening {
            Happening::Arrived(slot) => self.arrive(ctx, slot),
            Happening::Worked(slot) => self.on_worked(ctx, slot),
            Happening::ConditionChanged => {}
            _ => unreachable!("a store only answers"),
        }
    }

    fn arrive(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.arrive(slot);
        if ctx.condition().down {
            return ctx.refuse(slot, Refusal::Down, ctx.why_down(), None);
        }
        let total = self.readers.busy + self.writer.busy;
        let lane = self.lane(ctx, slot);
        if lane.busy < lane.connections {
            return self.start(ctx, slot, false);
        }
        let saturated = ctx.why_busy(&mut lane.saturated, slot, total);
        let ahead = lane.line.len() as u32;
        lane.line.push_back(slot);
        ctx.note_after(slot, What::Queued { ahead }, saturated);
        ctx.stay_mut(slot).place = Place::Line;
        self.show_levels(ctx);
    }

    /// A probe reads: it needs a connection like anybody else.
    fn lane(&mut self, ctx: &Ctx, slot: Slot) -> &mut Lane {
        match ctx.stay(slot).ask {
            Ask::Write | Ask::WriteIf => &mut self.writer,
            _ => &mut self.readers,
        }
    }

    fn start(&mut self, ctx: &mut Ctx, slot: Slot, waited: bool) {
        self.lane(ctx, slot).busy += 1;
        ctx.stay_mut(slot).place = Place::Worker;
        self.show_levels(ctx);
        if waited {
            ctx.note(slot, What::Started);
        }
        let (key, ask) = (ctx.stay(slot).key, ctx.stay(slot).ask);
        if ctx.core.is_external(ctx.node) {
            let op = match ask {
                Ask::Write => CallOp::Write { key },
                Ask::WriteIf => CallOp::WriteIf { key, version: ctx.stay(slot).arg as u64 },
                Ask::Probe => CallOp::Ping,
                _ => CallOp::Read { key },
            };
            return ctx.call_real(slot, op);
        }
        let dist = match ask {
            Ask::Write | Ask::WriteIf => &self.plan.write,
            Ask::Probe => &Dist::ZERO,
            _ => &self.plan.read,
        };
        let span = ctx.work(slot, dist);
        ctx.schedule_work(slot, span, dist.is_constant());
    }

    /// The modelled work is done.
    fn on_worked(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.note_done(slot, What::Worked);
        if ctx.strikes(slot) {
            ctx.refuse(slot, Refusal::Fault, ctx.why_failing(), None);
            return self.release(ctx, slot);
        }
        let (key, ask, seen) = (ctx.stay(slot).key, ctx.stay(slot).ask, ctx.stay(slot).arg as u64);
        if ask == Ask::WriteIf
            && let Err(refusal) = if_match::check(Some(seen), Some(*self.versions.get(key as usize)), false)
        {
            ctx.refuse(slot, refusal, None, None);
            return self.release(ctx, slot);
        }
        let version = match ask {
            Ask::Write | Ask::WriteIf => {
                let version = self.versions.get_mut(key as usize);
                *version += 1;
                Some(*version)
            }
            Ask::Probe => None,
            _ => Some(*self.versions.get(key as usize)),
        };
        self.done(ctx, slot, version);
    }

    /// The real part answered.
    pub fn on_answered(&mut self, ctx: &mut Ctx, slot: Slot, result: CallResult) {
        match result {
            CallResult::Done { version } => {
                ctx.note(slot, What::Worked);
                let version = (ctx.stay(slot).ask != Ask::Probe).then_some(version);
                self.done(ctx, slot, version);
            }
            CallResult::Failed => {
                ctx.refuse(slot, Refusal::RealError, ctx.why_really_failing(), None);
                self.release(ctx, slot);
            }
            CallResult::Outdated => {
                ctx.refuse(slot, Refusal::PreconditionFailed, None, None);
                self.release(ctx, slot);
            }
        }
    }

    fn done(&mut self, ctx: &mut Ctx, slot: Slot, version: Option<u64>) {
        let key = ctx.stay(slot).key;
        match (ctx.stay(slot).ask, version) {
            (Ask::Write | Ask::WriteIf, Some(version)) => drop(ctx.note(slot, What::RowWritten { key, version })),
            (_, Some(version)) => drop(ctx.note(slot, What::RowRead { key, version })),
            _ => {}
        }
        ctx.reply(slot, Reply { version, ..Reply::status(Status::Ok) });
        self.release(ctx, slot);
    }

    /// Gives the connection to the next in line.
    fn release(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).place = Place::Outside;
        let lane = self.lane(ctx, slot);
        lane.busy -= 1;
        match lane.line.pop_front() {
            Some(next) => self.start(ctx, next, true),
            None => {
                lane.saturated = None;
                self.show_levels(ctx);
            }
        }
    }

    /// The caller withdrew the call: it leaves the line, or its connection.
    pub fn withdraw(&mut self, ctx: &mut Ctx, slot: Slot) {
        let lane = self.lane(ctx, slot);
        let waiting = lane.line.len();
        lane.line.retain(|other| *other != slot);
        if lane.line.len() == waiting {
            self.release(ctx, slot);
        }
        ctx.core.stays.remove(slot);
        self.show_levels(ctx);
    }

    fn show_levels(&self, ctx: &mut Ctx) {
        ctx.set_in_service(self.readers.busy + self.writer.busy);
        ctx.set_waiting((self.readers.line.len() + self.writer.line.len()) as u32);
    }
}
