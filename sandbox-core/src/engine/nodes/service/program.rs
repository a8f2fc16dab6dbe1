//! A route's program: one step after the other, until one has to wait.

use super::Service;
use super::cache_aside::is_background;
use crate::engine::ctx::Ctx;
use crate::engine::event::{Event, Slot};
use crate::engine::idempotency::{self, Claim};
use crate::engine::limiter::{self, Refused};
use crate::engine::nodes::Statement;
use crate::engine::stay::{Ask, CallEnd, Errand, Reply, Stay};
use crate::ids::RouteId;
use crate::rng::Purpose;
use crate::scenario::{CallStep, Expr, FilterPlan, Hold, Kind, Name, Program, ReadFrom, StatementPlan, Step};
use crate::store::{Change, Changes, Column, Filter, Keys, Op, RowId};
use crate::time::{Span, Time};
use crate::trace::{Refusal, Status, What};

impl Service {
    pub(super) fn program(&self, route: RouteId) -> &Program {
        self.plan.programs[route.index()].as_ref().expect("its route has a program")
    }

    pub(super) fn step<'a>(&'a self, ctx: &Ctx, slot: Slot) -> &'a Step {
        let stay = ctx.stay(slot);
        &self.program(stay.route).steps[stay.step as usize]
    }

    /// Runs the program of a stay until it has to wait.
    pub(super) fn run(&mut self, ctx: &mut Ctx, slot: Slot) {
        loop {
            let Stay { step: here, route, .. } = *ctx.stay(slot);
            let mut next = here + 1;
            match self.program(route).steps.get(here as usize) {
                None => {
                    let (version, value) = (ctx.stay(slot).version, ctx.stay(slot).got.1);
                    return self.finish(ctx, slot, Reply { version, value, ..Reply::status(Status::Ok) });
                }
                Some(Step::Handshake) if ctx.handshake(slot).is_none() => {}
                Some(Step::Work(_) | Step::Handshake) => {
                    return match self.plan.hold {
                        Hold::Call => self.begin_work(ctx, slot),
                        Hold::Work => self.acquire(ctx, slot),
                    };
                }
                Some(Step::Wait(dist)) => {
                    let span = dist.sample(&mut ctx.draw(slot, Purpose::Work));
                    let timer = ctx.core.calendar.schedule(ctx.core.now + span, Event::Paused(slot));
                    ctx.stay_mut(slot).timer = timer;
                    return;
                }
                Some(Step::Read { cache: Some(cache), .. }) => return self.ask(ctx, slot, *cache, Ask::CacheGet),
                Some(Step::Read { store, cache: None }) => return self.ask(ctx, slot, *store, Ask::Read),
                Some(Step::Write { store, if_match, if_match_required, .. }) => {
                    let (store, required) = (*store, *if_match_required);
                    let seen = if_match.as_ref().map(|version| value(ctx, slot, version)).filter(|seen| *seen >= 1.0);
                    return self.write(ctx, slot, store, seen, required);
                }
                Some(Step::Call(call)) => {
                    let (errand, call) = (errand(ctx, slot, call), call.call);
                    return self.call(ctx, slot, call, errand);
                }
                Some(Step::Jump(to)) => next = *to,
                Some(Step::Unless(condition, to)) => {
                    if value(ctx, slot, condition) == 0.0 {
                        next = *to;
                    }
                }
                Some(Step::Set(local, to)) => {
                    let to = value(ctx, slot, to);
                    ctx.locals(slot)[*local] = to;
                }
                Some(Step::Observe(signal, observed)) => {
                    let value = value(ctx, slot, observed);
                    let seq = ctx.note(slot, What::Observed { signal: *signal, value });
                    ctx.watch_observed(*signal, value, seq);
                    ctx.core.trials.observe(ctx.node, *signal, value);
                }
                Some(Step::Respond(answer)) => {
                    let mut number = |expr: &Expr| value(ctx, slot, expr);
                    let (value, wait_s) = (
                        answer.value.as_ref().map_or(0.0, &mut number),
                        answer.retry_after_s.as_ref().map(&mut number),
                    );
                    let (status, version, now) = (answer.status, ctx.stay(slot).version, ctx.now());
                    let wait = wait_s.map(|wait_s| Span::from_seconds(wait_s.clamp(0.0, 3_600.0)));
                    let retry_at = wait.map_or(Time::NEVER, |wait| now + wait);
                    if !status.is_success() {
                        ctx.note(slot, What::Refused { refusal: Refusal::Program });
                    }
                    return self.finish(ctx, slot, Reply { status, version, value, retry_at });
                }
                Some(Step::Fork { branches, needed }) => {
                    let (branches, needed) = (branches.clone(), *needed);
                    return self.fork(ctx, slot, &branches, needed);
                }
                Some(Step::Pause(ms)) => {
                    let span = Span::from_ms(value(ctx, slot, ms).clamp(0.0, 3_600_000.0));
                    let timer = ctx.core.calendar.schedule(ctx.core.now + span, Event::Paused(slot));
                    ctx.stay_mut(slot).timer = timer;
                    return;
                }
                Some(Step::Generate(step)) => {
                    let tokens = [&step.prompt, &step.output].map(|tokens| value(ctx, slot, tokens));
                    return self.generate(ctx, slot, tokens);
                }
                Some(Step::Limit(step)) => {
                    let by = step.by.as_ref().map(|by| value(ctx, slot, by));
                    let cost = step.cost.as_ref().map_or(1.0, |cost| value(ctx, slot, cost));
                    match limiter::ask(ctx, slot, step.limiter, by, cost) {
                        Err(Refused { retry_at }) => {
                            let refusal = Refusal::RateLimited;
                            return self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at });
                        }
                        // A leaky queue lets it through later.
                        Ok(start) if start > ctx.now() => {
                            let timer = ctx.core.calendar.schedule(start, Event::Paused(slot));
                            ctx.stay_mut(slot).timer = timer;
                            return;
                        }
                        Ok(_) => {}
                    }
                }
                Some(Step::Statement(step)) => {
                    let (statement, call) = (statement(ctx, slot, &step.what), step.call);
                    return self.state(ctx, slot, call, statement);
                }
                Some(Step::Invalidate { cache, key }) => {
                    let cache = *cache;
                    let mut errand =
                        Errand { way: u32::from(here) + 1, ..Errand::handed_on(ctx.stay(slot), Ask::CacheForget) };
                    if let Some(key) = key {
                        errand.key = value(ctx, slot, key).clamp(0.0, f64::from(ctx.core.plan.keys - 1)) as u32;
                    }
                    return self.call(ctx, slot, cache, errand);
                }
                Some(Step::Leak) => drop(ctx.core.stays.take_session(slot)),
                Some(Step::Look { cache, .. }) => return self.ask(ctx, slot, *cache, Ask::CacheGet),
                Some(Step::Keep { cache }) => {
                    self.keep(ctx, slot, *cache);
                    if is_background(ctx, slot) {
                        return self.finish(ctx, slot, Reply::status(Status::Ok));
                    }
                }
                Some(&Step::FallBack { cache, found }) => {
                    let status = Status::of_code(ctx.stay(slot).got.0);
                    self.tell_failure(ctx, slot, cache, status);
                    if is_background(ctx, slot) {
                        return self.finish(ctx, slot, Reply::status(Status::InternalError));
                    }
                    match self.usable_copy(ctx, slot) {
                        Some(version) => {
                            ctx.stay_mut(slot).version = Some(version);
                            next = found;
                        }
                        None => {
                            let reply = failure(ctx.stay(slot));
                            return self.fail(ctx, slot, CallEnd::Replied(reply));
                        }
                    }
                }
                Some(Step::Claim(step)) => {
                    let has_key = step.when.as_ref().is_none_or(|when| value(ctx, slot, when) != 0.0);
                    let request = f64::from(ctx.stay(slot).request.0);
                    let key = has_key.then(|| step.key.as_ref().map_or(request, |key| value(ctx, slot, key)));
                    let found = step.found;
                    match idempotency::claim(ctx, slot, step.keys, key) {
                        Claim::Execute => {}
                        Claim::Replay(stored) if stored.ended => return self.finish(ctx, slot, stored.reply),
                        Claim::Replay(stored) if stored.reply.status.is_success() => {
                            let stay = ctx.stay_mut(slot);
                            stay.version = stored.reply.version;
                            stay.got.1 = stored.reply.value;
                            next = found;
                        }
                        Claim::Replay(stored) => return self.fail(ctx, slot, CallEnd::Replied(stored.reply)),
                        Claim::Wait => return,
                        Claim::Refuse(refusal) => {
                            return self.fail(ctx, slot, CallEnd::Refused { refusal, retry_at: Time::NEVER });
                        }
                    }
                }
                Some(Step::Remember) => {
                    let (version, value) = (ctx.stay(slot).version, ctx.stay(slot).got.1);
                    let reply = Reply { version, value, ..Reply::status(Status::Ok) };
                    idempotency::remember(ctx, slot, reply, false);
                }
                Some(Step::RememberFailure) => {
                    let reply = failure(ctx.stay(slot));
                    idempotency::remember(ctx, slot, reply, false);
                    return self.fail(ctx, slot, CallEnd::Replied(reply));
                }
                Some(Step::EndBranch) => return self.on_branch_end(ctx, slot, true),
            }
            let stay = ctx.stay_mut(slot);
            if next <= here {
                // Another round draws its own luck.
                stay.lineage = crate::rng::lineage(stay.lineage, u32::from(here));
            }
            stay.step = next;
        }
    }

    /// The present step is done.
    pub(super) fn go_on(&mut self, ctx: &mut Ctx, slot: Slot) {
        ctx.stay_mut(slot).step += 1;
        self.run(ctx, slot);
    }
}

/// What a program wants from whom it calls.
#[inline(never)]
fn errand(ctx: &mut Ctx, slot: Slot, call: &CallStep) -> Errand {
    let stay = ctx.stay(slot);
    let (route, own_key, own_arg, way) = (stay.route, stay.key, stay.arg, u32::from(stay.step) + 1);
    let key = call.key.as_ref().map_or(own_key, |key| value(ctx, slot, key).clamp(0.0, f64::from(u32::MAX)) as u32);
    let arg = call.arg.as_ref().map_or(own_arg, |arg| value(ctx, slot, arg));
    let ask = if call.publish { Ask::Publish } else { Ask::Serve };
    Errand { ask, route: call.route.unwrap_or(route), key, arg, way }
}

/// A statement with its numbers filled in.
#[inline(never)]
fn statement(ctx: &mut Ctx, slot: Slot, plan: &StatementPlan) -> Statement {
    let mut number = |expr: &Expr| value(ctx, slot, expr);
    let row = |table, key: f64| RowId { table, key: key.max(0.0) as u64 };
    match plan {
        StatementPlan::Begin(mode, lock_timeout) => Statement::Begin(*mode, *lock_timeout),
        StatementPlan::LockTable(table, mode) => Statement::LockTable(*table, *mode),
        StatementPlan::Select { table, key, column, for_update, source } => {
            let row = row(*table, number(key));
            let op = if *for_update { Op::ReadForUpdate { row } } else { Op::Read { row } };
            read(*source, op, *column)
        }
        StatementPlan::Scan { table, from, to, filter, sum, source } => {
            let mut bound =
                |expr: &Option<Expr>, or: u64| expr.as_ref().map_or(or, |expr| number(expr).max(0.0) as u64);
            let keys = Keys { table: *table, from: bound(from, 0), to: bound(to, u64::MAX) };
            let filter = filter.as_ref().map_or(Filter::Any, |filter| filled(filter, &mut number));
            read(*source, Op::Scan { keys, filter, sum: *sum }, None)
        }
        StatementPlan::Inspect(inspected) => Statement::Inspect(*inspected),
        StatementPlan::Update { table, key, changes, if_version, filter } => {
            let keys = Keys::one(row(*table, number(key)));
            let filter = match (if_version, filter) {
                (Some(version), _) => Filter::Version(number(version) as u64),
                (None, Some(filter)) => filled(filter, &mut number),
                (None, None) => Filter::Any,
            };
            let mut filled = Changes::default();
            for (column, adds, expr) in changes {
                let by = number(expr) as i64;
                filled[usize::from(*column)] = if *adds { Change::Add(by) } else { Change::Set(by) };
            }
            Statement::Op(Op::Update { keys, filter, changes: filled }, None)
        }
        StatementPlan::Insert { table, key, fields, set } => {
            let row = row(*table, number(key));
            let mut fields = *fields;
            set.iter().for_each(|(column, expr)| fields[usize::from(*column)] = number(expr) as i64);
            Statement::Op(Op::Insert { row, fields }, None)
        }
        StatementPlan::Delete { table, key } => {
            Statement::Op(Op::Delete { keys: Keys::one(row(*table, number(key))), filter: Filter::Any }, None)
        }
        StatementPlan::Commit => Statement::Commit,
        StatementPlan::Rollback => Statement::Rollback,
    }
}

/// A condition with its number filled in.
fn filled(filter: &FilterPlan, number: &mut impl FnMut(&Expr) -> f64) -> Filter {
    (filter.bound)(filter.column, number(&filter.number) as i64)
}

/// A statement that reads there.
fn read(source: ReadFrom, op: Op, column: Option<Column>) -> Statement {
    match source {
        ReadFrom::Primary => Statement::Op(op, column),
        ReadFrom::Replica => Statement::OfReplica(op, column),
        ReadFrom::Peek => Statement::Peek(op, column),
    }
}

/// The value of an expression of a stay's program.
fn value(ctx: &mut Ctx, slot: Slot, expr: &Expr) -> f64 {
    expr.eval(&mut |position| {
        let Some(name) = Name::at(position) else { return ctx.locals(slot)[position as usize - Name::COUNT] };
        let stay = ctx.stay(slot);
        match name {
            Name::Key => f64::from(stay.key),
            Name::User => f64::from(stay.user),
            Name::Arg => stay.arg,
            Name::Attempt => f64::from(stay.attempt),
            Name::NowS => ctx.now().as_seconds() + clock_offset_s(ctx),
            Name::Random => ctx.draw(slot, Purpose::Program).uniform(),
            Name::Status => f64::from(stay.got.0),
            Name::Value => stay.got.1,
            Name::Version => stay.version.map_or(0.0, |version| version as f64),
            Name::Priority => f64::from(stay.priority),
            Name::Request => f64::from(stay.request.0),
            Name::Instance => f64::from(instance(ctx)),
            Name::Release => f64::from(ctx.core.life(ctx.node).map_or(1, |life| life.release.number)),
        }
    })
}

/// How far the clock of the service is ahead.
fn clock_offset_s(ctx: &Ctx) -> f64 {
    match &ctx.core.plan.nodes[ctx.node.index()].kind {
        Kind::Service(service) => service.clock_offset_s,
        _ => unreachable!("only a service has programs"),
    }
}

/// Number of the instance among its replicas, which stand next to each other in the plan.
fn instance(ctx: &Ctx) -> u32 {
    let nodes = &ctx.core.plan.nodes[..=ctx.node.index()];
    let group = &nodes[ctx.node.index()].group;
    nodes.iter().rev().take_while(|node| node.group == *group).count() as u32
}

/// The failure of a stay's latest step, as an answer.
fn failure(stay: &Stay) -> Reply {
    let (status, value) = stay.got;
    Reply { value, ..Reply::status(Status::of_code(status).unwrap_or(Status::InternalError)) }
}
