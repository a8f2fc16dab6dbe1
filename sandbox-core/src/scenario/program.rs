//! What a service does for a route: steps as written, compiled to a flat list that the engine walks.
//!
//! A program is straight code with jumps: branches and loops become conditional jumps, a failing step jumps to the handler that
//! encloses it, parallel branches are entries that strands of the stay begin at. So the live state of a program is one number.

use super::dist::Dist;
use super::path::Path;
use super::plan::Inspected;
use super::plan::{CallPlan, RoutePlan};
use super::planner::Planner;
use super::spec::{
    AllSpec, CachedSpec, CallStepSpec, DatabaseEngineSpec, DatabaseSpec, DeleteSpec, IdempotentSpec, IfSpec,
    InsertSpec, InspectSpec, LimitSpec, NodeSpec, ReadFromSpec, RepeatSpec, RespondSpec, ScanSpec, SelectSpec,
    StepSpec, TransactionModeSpec, TrySpec, UpdateSpec, WhereSpec,
};
use super::{Expr, Formula, Map};
use crate::ids::{RouteId, TableId};
use crate::store::{Column, Fields, Filter, Mode};
use crate::trace::Status;

/// A program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The steps; a program that runs past its end answers with success.
    pub steps: Vec<Step>,
    /// For each step where the program goes on if it fails; None: it answers with the failure.
    pub on_failure: Vec<Option<u16>>,
}

/// One step. Calls are positions in the node's `calls`, jumps are positions in the program.
#[derive(Clone, Debug)]
pub enum Step {
    /// Own work.
    Work(Dist),
    /// The service's part of the handshake, if the call came over a new connection.
    Handshake,
    /// A pause.
    Wait(Dist),
    /// Read a row.
    Read {
        /// From here.
        store: usize,
        /// Looking here first.
        cache: Option<usize>,
    },
    /// Write a row.
    Write {
        /// Into here.
        store: usize,
        /// And refresh the copy here.
        cache: Option<usize>,
        /// The version it must still have, if 1 or above.
        if_match: Option<Expr>,
        /// Whether there must be one.
        if_match_required: bool,
    },
    /// Call another service, or leave a message.
    Call(CallStep),
    /// Go on elsewhere.
    Jump(u16),
    /// Go on elsewhere if this does not hold.
    Unless(Expr, u16),
    /// Set a variable.
    Set(usize, Expr),
    /// Observe a value of a signal.
    Observe(u16, Expr),
    /// Answer.
    Respond(AnswerStep),
    /// Go on in parallel branches.
    Fork {
        /// Where each begins.
        branches: Vec<u16>,
        /// How many must succeed.
        needed: u16,
    },
    /// A branch is done.
    EndBranch,
    /// A pause of a computed number of milliseconds.
    Pause(Expr),
    /// Ask a rate limiter.
    Limit(LimitStep),
    /// Ask a database.
    Statement(StatementStep),
    /// Look into a cache.
    Look {
        /// Position in the node's calls.
        cache: usize,
        /// Where a copy that will do goes on; without one the next steps load it.
        found: u16,
    },
    /// Do the next steps if the idempotency key is new.
    Claim(ClaimStep),
    /// The steps under the key are done.
    Remember,
    /// A step under the key failed.
    RememberFailure,
    /// Forget the session with a database.
    Leak,
    /// Have a cache forget a copy.
    Invalidate {
        /// Position in the node's calls.
        cache: usize,
        /// The row; None: the request's own.
        key: Option<Expr>,
    },
    /// Keep what was loaded.
    Keep {
        /// Position in the node's calls.
        cache: usize,
    },
    /// The load failed: an expired copy, if one may be used, else the failure of the whole.
    FallBack {
        /// Position in the node's calls.
        cache: usize,
        /// Where an expired copy goes on.
        found: u16,
    },
}

/// An answer of a program.
#[derive(Clone, Debug)]
pub struct AnswerStep {
    /// As HTTP would say it.
    pub status: Status,
    /// A number for the caller.
    pub value: Option<Expr>,
    /// Seconds after which the caller may try again.
    pub retry_after_s: Option<Expr>,
}

/// A call of a program.
#[derive(Clone, Debug)]
pub struct CallStep {
    /// Position in the node's calls.
    pub call: usize,
    /// Whether a message is left instead of an answer awaited.
    pub publish: bool,
    /// The route; None: the request's own.
    pub route: Option<RouteId>,
    /// The row; None: the request's own.
    pub key: Option<Expr>,
    /// What the callee sees as `arg`; None: this program's own.
    pub arg: Option<Expr>,
}

/// Steps of a program under an idempotency key.
#[derive(Clone, Debug)]
pub struct ClaimStep {
    /// Position among the plan's idempotency keys.
    pub keys: u32,
    /// The key; None: the number of the request.
    pub key: Option<Expr>,
    /// Whether there is a key; None: always.
    pub when: Option<Expr>,
    /// Where a stored answer goes on.
    pub found: u16,
}

/// A question of a program to a rate limiter.
#[derive(Clone, Debug)]
pub struct LimitStep {
    /// Position among the plan's limiters.
    pub limiter: u32,
    /// Whose counters these are; None: the limiter's `key` says it.
    pub by: Option<Expr>,
    /// How much is taken; None: 1.
    pub cost: Option<Expr>,
}

/// A statement of a program.
#[derive(Clone, Debug)]
pub struct StatementStep {
    /// Position in the node's calls.
    pub call: usize,
    /// What is asked.
    pub what: StatementPlan,
}

/// A statement whose numbers are expressions.
#[derive(Clone, Debug)]
pub enum StatementPlan {
    /// BEGIN.
    Begin(Mode),
    /// Read a row, perhaps locking it, for the number in a column.
    Select {
        /// Position of the table.
        table: TableId,
        /// Which row.
        key: Expr,
        /// Which column is the answer.
        column: Option<Column>,
        /// Whether the row is locked.
        for_update: bool,
        /// Where it reads.
        source: ReadFrom,
    },
    /// Look at rows, adding up a column.
    Scan {
        /// Position of the table.
        table: TableId,
        /// The first key; None: all before `to`.
        from: Option<Expr>,
        /// The key after the last one; None: all from `from` on.
        to: Option<Expr>,
        /// Which of these rows are meant.
        filter: Option<FilterPlan>,
        /// Which column is added up.
        sum: Option<Column>,
        /// Where it reads.
        source: ReadFrom,
    },
    /// Ask how the database is.
    Inspect(Inspected),
    /// Change a row.
    Update {
        /// Position of the table.
        table: TableId,
        /// Which row.
        key: Expr,
        /// For each changed column whether the number is added, and the number.
        changes: Vec<(Column, bool, Expr)>,
        /// The version it must still have.
        if_version: Option<Expr>,
        /// What must hold for it.
        filter: Option<FilterPlan>,
    },
    /// Add a row.
    Insert {
        /// Position of the table.
        table: TableId,
        /// Which row.
        key: Expr,
        /// What its columns hold.
        fields: Fields,
        /// Columns that hold something computed.
        set: Vec<(Column, Expr)>,
    },
    /// Delete a row.
    Delete {
        /// Position of the table.
        table: TableId,
        /// Which row.
        key: Expr,
    },
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
}

/// Where a statement reads.
pub type ReadFrom = ReadFromSpec;

/// How a column is compared with a number.
pub type Bound = fn(Column, i64) -> Filter;

/// A condition on a column whose number is an expression.
#[derive(Clone, Debug)]
pub struct FilterPlan {
    /// The column.
    pub column: Column,
    /// How it is compared.
    pub bound: Bound,
    /// With what.
    pub number: Expr,
}

/// What every expression of a program may name; the program's variables follow.
const NAMES: [&str; 13] = [
    "key", "user", "arg", "attempt", "now_s", "random", "status", "value", "version", "priority", "request",
    "instance", "release",
];

/// Position of a name in [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Name {
    /// Row of the request.
    Key,
    /// User of the request.
    User,
    /// What the caller passed on.
    Arg,
    /// Attempt of the caller, from 1.
    Attempt,
    /// Simulated seconds, as the service's clock shows them.
    NowS,
    /// A number in [0, 1), drawn at this step.
    Random,
    /// HTTP status of the latest call.
    Status,
    /// Value that the latest call answered with.
    Value,
    /// Version of the row read or written last.
    Version,
    /// Priority of the request.
    Priority,
    /// Number of the request, from 1.
    Request,
    /// Number of the instance among its replicas, from 1.
    Instance,
    /// Release that the instance has, from 1.
    Release,
}

impl Name {
    /// How many there are; variables follow.
    pub const COUNT: usize = NAMES.len();

    /// The name at this position; None: a variable.
    pub fn at(position: u16) -> Option<Name> {
        use Name::*;
        [Key, User, Arg, Attempt, NowS, Random, Status, Value, Version, Priority, Request, Instance, Release]
            .get(position as usize)
            .copied()
    }
}

/// Steps of a program, and nesting of its blocks, at most.
const STEPS_MAX: usize = 4_096;
/// How deep blocks may be nested.
const DEPTH_MAX: usize = 16;
/// Variables of a program at most.
const LOCALS_MAX: usize = 32;
/// Rounds of a loop at most.
const ROUNDS_MAX: u32 = 10_000;
/// How often one visit may do a step at most: the rounds and copies of all blocks around it, multiplied.
const TIMES_MAX: u64 = 100_000;
/// Parallel branches at most.
const BRANCHES_MAX: u64 = 1_000;

/// Compiles the steps of one route.
pub(super) struct Compiler<'p, 'a> {
    planner: &'p mut Planner<'a>,
    calls: &'p [CallPlan],
    routes: &'p [RoutePlan],
    /// Names of the declared signals that programs may observe, each at its position; none: it has another source.
    signals: &'p [Option<&'p str>],
    /// The rate limiters of the service, each with its position in the plan.
    limiters: &'p [(&'p str, u32)],
    steps: Vec<Step>,
    /// For each step where a failure of it goes on.
    handlers: Vec<Option<usize>>,
    /// The handler of the block that is being compiled, as a position in `pending`.
    enclosing: Option<usize>,
    /// Whether that block loads a copy: a stay loads one at a time.
    loading: bool,
    /// Whether that block is done under an idempotency key: a stay has one at a time.
    keyed: bool,
    /// Handlers whose place is not known yet.
    pending: Vec<Option<u16>>,
    names: Vec<String>,
    depth: usize,
    loops: usize,
    /// How often the block that is being compiled is done in one visit.
    times: u64,
}

impl<'p, 'a> Compiler<'p, 'a> {
    #[inline]
    pub fn new(
        planner: &'p mut Planner<'a>,
        calls: &'p [CallPlan],
        routes: &'p [RoutePlan],
        signals: &'p [Option<&'p str>],
        limiters: &'p [(&'p str, u32)],
    ) -> Compiler<'p, 'a> {
        Compiler {
            planner,
            calls,
            routes,
            signals,
            limiters,
            steps: Vec::new(),
            handlers: Vec::new(),
            enclosing: None,
            loading: false,
            keyed: false,
            pending: Vec::new(),
            names: NAMES.iter().map(|name| name.to_string()).collect(),
            depth: 0,
            loops: 0,
            times: 1,
        }
    }

    /// Compiles a route's steps, and says how many variables they use; problems are noted with their paths.
    #[inline]
    pub fn compile(mut self, path: &Path, steps: &[StepSpec], shakes_hands: bool) -> (Program, usize) {
        if shakes_hands {
            self.push(Step::Handshake);
        }
        self.declare(steps);
        if self.names.len() > NAMES.len() + LOCALS_MAX {
            self.problem(path, "has too many variables", &format!("At most {LOCALS_MAX}."));
        }
        self.block(path, steps);
        if self.steps.len() > STEPS_MAX {
            self.problem(path, "is too long", &format!("At most {STEPS_MAX} steps, those of blocks included."));
        }
        let on_failure = self.handlers.iter().map(|handler| handler.and_then(|id| self.pending[id])).collect();
        (Program { steps: self.steps, on_failure }, self.names.len() - NAMES.len())
    }

    #[inline]
    fn problem(&mut self, path: &Path, what: impl Into<String>, hint: &str) {
        self.planner.problem(path, what, hint);
    }

    /// Every variable that is set anywhere, so that expressions may name it before.
    #[inline]
    fn declare(&mut self, steps: &[StepSpec]) {
        for step in steps {
            match step {
                StepSpec::Set(values) => {
                    for name in values.keys() {
                        if !self.names.iter().any(|known| known == name) {
                            self.names.push(name.clone());
                        }
                    }
                }
                StepSpec::If(branch) => {
                    self.declare(&branch.then);
                    self.declare(&branch.otherwise);
                }
                StepSpec::Repeat(repeat) => self.declare(&repeat.steps),
                StepSpec::All(all) => all.branches.iter().for_each(|branch| self.declare(branch)),
                StepSpec::Cached(cached) => self.declare(&cached.load),
                StepSpec::Idempotent(idempotent) => self.declare(&idempotent.steps),
                StepSpec::Try(attempt) => {
                    self.declare(&attempt.steps);
                    self.declare(&attempt.on_failure);
                }
                _ => {}
            }
        }
    }

    #[inline]
    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.handlers.push(self.enclosing);
        self.steps.len() - 1
    }

    #[inline]
    fn here(&self) -> u16 {
        self.steps.len().min(STEPS_MAX) as u16
    }

    #[inline]
    fn block(&mut self, path: &Path, steps: &[StepSpec]) {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            self.problem(path, "is nested too deeply", &format!("At most {DEPTH_MAX} blocks in each other."));
        } else {
            for (index, step) in steps.iter().enumerate() {
                if self.steps.len() <= STEPS_MAX {
                    self.step(&path.index(index), step);
                }
            }
        }
        self.depth -= 1;
    }

    /// A block that is done `times` times by each visit of the block around it; `field` says how often.
    #[inline]
    fn multiplied(&mut self, field: &Path, times: u32, path: &Path, steps: &[StepSpec]) {
        let outer = self.times;
        self.times = outer.saturating_mul(u64::from(times));
        if outer <= TIMES_MAX && self.times > TIMES_MAX {
            let what = format!("its steps would be done {} times, with the blocks around it", self.times);
            self.problem(field, what, &format!("Rounds and copies of nested blocks, multiplied: at most {TIMES_MAX}."));
        }
        self.block(path, steps);
        self.times = outer;
    }

    #[inline]
    fn step(&mut self, path: &Path, step: &StepSpec) {
        match step {
            StepSpec::Work(dist) => {
                let dist = self.planner.dist(&path.at("work"), dist);
                self.push(Step::Work(dist));
            }
            StepSpec::Wait(dist) => {
                let dist = self.planner.dist(&path.at("wait"), dist);
                self.push(Step::Wait(dist));
            }
            StepSpec::Read(access) if self.loading && access.cache.is_some() => {
                self.apart(|inside| inside.step(path, step));
            }
            StepSpec::Read(access) => {
                let (store, cache) = (self.call_to(&access.store), access.cache.as_ref().map(|to| self.call_to(to)));
                self.push(Step::Read { store, cache });
            }
            StepSpec::Write(write) => {
                let (store, cache) = (self.call_to(&write.store), write.cache.as_ref().map(|to| self.call_to(to)));
                let if_match = write.if_match.as_ref().and_then(|text| self.number(&path.at("write.if_match"), text));
                self.push(Step::Write { store, cache, if_match, if_match_required: write.if_match_required });
            }
            StepSpec::Call(call) => self.call(&path.at("call"), call, false),
            StepSpec::Publish(call) => self.call(&path.at("publish"), call, true),
            StepSpec::If(branch) => self.branch(&path.at("if"), branch),
            StepSpec::Repeat(repeat) => self.repeat(&path.at("repeat"), repeat),
            StepSpec::All(all) => self.all(&path.at("all"), all),
            StepSpec::Cached(_) if self.loading => self.apart(|inside| inside.step(path, step)),
            StepSpec::Cached(cached) => self.cached(&path.at("cached"), cached),
            StepSpec::Invalidate(spec) => {
                let key = spec.key.as_ref().and_then(|text| self.number(&path.at("invalidate.key"), text));
                let cache = self.call_to(&spec.cache);
                self.push(Step::Invalidate { cache, key });
            }
            StepSpec::Try(attempt) => self.attempt(&path.at("try"), attempt),
            StepSpec::Idempotent(idempotent) => self.idempotent(&path.at("idempotent"), idempotent),
            StepSpec::Pause(pause) => {
                if let Some(ms) = self.number(&path.at("pause.ms"), &pause.ms) {
                    self.push(Step::Pause(ms));
                }
            }
            StepSpec::Limit(limit) => self.limit(&path.at("limit"), limit),
            StepSpec::Begin(begin) => {
                let mode = match begin.mode {
                    TransactionModeSpec::Plain => Mode::Plain,
                    TransactionModeSpec::Immediate => Mode::Immediate,
                    TransactionModeSpec::Exclusive => Mode::Exclusive,
                    TransactionModeSpec::RepeatableRead => Mode::RepeatableRead,
                    TransactionModeSpec::Serializable => Mode::Serializable,
                };
                self.statement(&begin.database, StatementPlan::Begin(mode));
            }
            StepSpec::Commit(end) => self.statement(&end.database, StatementPlan::Commit),
            StepSpec::Rollback(end) => self.statement(&end.database, StatementPlan::Rollback),
            StepSpec::Leak(_) => drop(self.push(Step::Leak)),
            StepSpec::Inspect(inspect) => self.inspect(&path.at("inspect"), inspect),
            StepSpec::Select(select) => self.select(&path.at("select"), select),
            StepSpec::Scan(scan) => self.scan(&path.at("scan"), scan),
            StepSpec::Update(update) => self.update(&path.at("update"), update),
            StepSpec::Insert(insert) => self.insert(&path.at("insert"), insert),
            StepSpec::Delete(delete) => self.delete(&path.at("delete"), delete),
            StepSpec::Set(values) => self.set(&path.at("set"), values),
            StepSpec::Observe(values) => self.observe(&path.at("observe"), values),
            StepSpec::Respond(answer) => self.respond(&path.at("respond"), answer),
        }
    }

    #[inline]
    fn call_to(&self, group: &str) -> usize {
        self.calls.iter().position(|call| call.group == group).unwrap_or(0)
    }

    #[inline]
    fn call(&mut self, path: &Path, call: &CallStepSpec, publish: bool) {
        let route = call.route.as_ref().and_then(|name| self.route(&path.at("route"), name));
        let key = call.key.as_ref().and_then(|text| self.number(&path.at("key"), text));
        let arg = call.arg.as_ref().and_then(|text| self.number(&path.at("arg"), text));
        let call = self.call_to(&call.to);
        self.push(Step::Call(CallStep { call, publish, route, key, arg }));
    }

    #[inline]
    fn route(&mut self, path: &Path, name: &str) -> Option<RouteId> {
        let found = self.routes.iter().position(|route| route.name == name);
        if found.is_none() {
            self.problem(path, format!("no service has the route `{name}`"), "Add it to the callee's `routes`.");
        }
        found.map(|index| RouteId(index as u8))
    }

    #[inline]
    fn branch(&mut self, path: &Path, branch: &IfSpec) {
        let Some(when) = self.condition(&path.at("when"), &branch.when) else { return };
        let unless = self.push(Step::Unless(when.clone(), 0));
        self.block(&path.at("then"), &branch.then);
        let mut otherwise = self.here();
        if !branch.otherwise.is_empty() {
            let jump = self.push(Step::Jump(0));
            otherwise = self.here();
            self.block(&path.at("else"), &branch.otherwise);
            self.steps[jump] = Step::Jump(self.here());
        }
        self.steps[unless] = Step::Unless(when, otherwise);
    }

    #[inline]
    fn repeat(&mut self, path: &Path, repeat: &RepeatSpec) {
        if !(1..=ROUNDS_MAX).contains(&repeat.times) {
            let hint = format!("Use a whole number from 1 to {ROUNDS_MAX}.");
            self.problem(&path.at("times"), format!("{} rounds are out of range", repeat.times), &hint);
        }
        self.loops += 1;
        let counter = format!("round {}", self.loops);
        self.names.push(counter.clone());
        let local = self.names.len() - 1 - NAMES.len();
        let counted = |text: &str, names: &[&str]| Expr::number(text, names).expect("a loop counts with plain numbers");
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let zero = counted("0", &names);
        let next = counted(&format!("'{counter}' + 1"), &names);
        let bound = Expr::condition(&format!("'{counter}' < {}", repeat.times), &names).expect("a loop has a bound");
        self.push(Step::Set(local, zero));
        let top = self.here();
        let bounded = self.push(Step::Unless(bound.clone(), 0));
        let condition = repeat.condition.as_ref().and_then(|text| self.condition(&path.at("while"), text));
        let goes_on = condition.map(|condition| (self.push(Step::Unless(condition.clone(), 0)), condition));
        self.multiplied(&path.at("times"), repeat.times, &path.at("do"), &repeat.steps);
        self.push(Step::Set(local, next));
        self.push(Step::Jump(top));
        let end = self.here();
        self.steps[bounded] = Step::Unless(bound, end);
        if let Some((place, condition)) = goes_on {
            self.steps[place] = Step::Unless(condition, end);
        }
    }

    #[inline]
    fn all(&mut self, path: &Path, all: &AllSpec) {
        let count = all.branches.len() as u64 * u64::from(all.copies);
        let needed = all.needed.map_or(count, u64::from);
        if count == 0 || count > BRANCHES_MAX {
            let hint = format!("From 1 to {BRANCHES_MAX}, copies counted one by one.");
            return self.problem(path, format!("{count} parallel branches"), &hint);
        }
        if needed == 0 || needed > count {
            let hint = format!("There are {count} branches.");
            return self.problem(&path.at("needed"), format!("{needed} cannot succeed"), &hint);
        }
        self.fork(needed as u16, |inside| {
            let mut entries = Vec::new();
            for (index, branch) in all.branches.iter().enumerate() {
                entries.extend(std::iter::repeat_n(inside.here(), all.copies as usize));
                inside.multiplied(&path.at("copies"), all.copies, &path.at("branches").index(index), branch);
                inside.push(Step::EndBranch);
            }
            entries
        });
    }

    /// Steps in a branch of their own that the program waits for.
    #[inline]
    fn apart(&mut self, write: impl FnOnce(&mut Self)) {
        self.fork(1, |inside| {
            let entry = inside.here();
            write(inside);
            inside.push(Step::EndBranch);
            vec![entry]
        });
    }

    /// A fork into the branches that `write` writes; it says where each begins.
    #[inline]
    fn fork(&mut self, needed: u16, write: impl FnOnce(&mut Self) -> Vec<u16>) {
        let fork = self.push(Step::EndBranch);
        let jump = self.push(Step::Jump(0));
        // A branch that fails is counted by its fork; only the fork's own failure goes to the enclosing handler.
        let enclosing = self.enclosing.take();
        // Each branch is a stay of its own, which can load a copy and have a key of its own.
        let (loading, keyed) = (std::mem::take(&mut self.loading), std::mem::take(&mut self.keyed));
        let branches = write(self);
        (self.enclosing, self.loading, self.keyed) = (enclosing, loading, keyed);
        self.steps[fork] = Step::Fork { branches, needed };
        self.steps[jump] = Step::Jump(self.here());
    }

    #[inline]
    fn cached(&mut self, path: &Path, cached: &CachedSpec) {
        let cache = self.call_to(&cached.cache);
        let look = self.push(Step::EndBranch);
        let outer = self.enclosing;
        self.pending.push(None);
        let handler = self.pending.len() - 1;
        self.enclosing = Some(handler);
        self.loading = true;
        self.block(&path.at("load"), &cached.load);
        self.loading = false;
        self.enclosing = outer;
        self.push(Step::Keep { cache });
        let jump = self.push(Step::Jump(0));
        self.pending[handler] = Some(self.here());
        let fall_back = self.push(Step::EndBranch);
        let found = self.here();
        self.steps[look] = Step::Look { cache, found };
        self.steps[jump] = Step::Jump(found);
        self.steps[fall_back] = Step::FallBack { cache, found };
    }

    #[inline]
    fn attempt(&mut self, path: &Path, attempt: &TrySpec) {
        let outer = self.enclosing;
        self.pending.push(None);
        let handler = self.pending.len() - 1;
        self.enclosing = Some(handler);
        self.block(&path.at("do"), &attempt.steps);
        self.enclosing = outer;
        let jump = self.push(Step::Jump(0));
        self.pending[handler] = Some(self.here());
        self.block(&path.at("on_failure"), &attempt.on_failure);
        self.steps[jump] = Step::Jump(self.here());
    }

    #[inline]
    fn idempotent(&mut self, path: &Path, spec: &IdempotentSpec) {
        if self.keyed {
            let hint = "Take the inner one out: what is done once is done once altogether.";
            self.problem(path, "is within another one", hint);
        }
        let keys = self.planner.idempotency(path, spec);
        let key = spec.key.as_ref().and_then(|text| self.number(&path.at("key"), text));
        let when = spec.when.as_ref().and_then(|text| self.condition(&path.at("when"), text));
        let claim = self.push(Step::EndBranch);
        let outer = (self.enclosing, self.keyed);
        self.pending.push(None);
        let handler = self.pending.len() - 1;
        (self.enclosing, self.keyed) = (Some(handler), true);
        self.block(&path.at("do"), &spec.steps);
        (self.enclosing, self.keyed) = outer;
        self.push(Step::Remember);
        let jump = self.push(Step::Jump(0));
        self.pending[handler] = Some(self.here());
        self.push(Step::RememberFailure);
        let found = self.here();
        self.steps[claim] = Step::Claim(ClaimStep { keys, key, when, found });
        self.steps[jump] = Step::Jump(found);
    }

    #[inline]
    fn limit(&mut self, path: &Path, limit: &LimitSpec) {
        let found = self.limiters.iter().find(|(name, _)| *name == limit.limiter);
        let Some(&(_, limiter)) = found else {
            let known: Vec<&str> = self.limiters.iter().map(|(name, _)| *name).collect();
            let hint = format!("Add it to the service's `limiters`. It has: {}.", known.join(", "));
            return self.problem(&path.at("limiter"), format!("there is no limiter `{}`", limit.limiter), &hint);
        };
        let by = limit.by.as_ref().and_then(|text| self.number(&path.at("by"), text));
        let cost = limit.cost.as_ref().and_then(|text| self.number(&path.at("cost"), text));
        self.push(Step::Limit(LimitStep { limiter, by, cost }));
    }

    #[inline]
    fn statement(&mut self, database: &str, what: StatementPlan) {
        let call = self.call_to(database);
        self.push(Step::Statement(StatementStep { call, what }));
    }

    /// A table of a database: its position, and its columns with what they hold at the start.
    #[inline]
    fn table(&mut self, path: &Path, database: &str, table: &str) -> Option<(TableId, Vec<(String, f64)>)> {
        let spec = self.database(database)?;
        let found = spec.tables.iter().position(|(name, _)| name == table);
        let Some(place) = found else {
            let known: Vec<&str> = spec.tables.keys().map(String::as_str).collect();
            let hint = format!("Its tables: {}.", known.join(", "));
            self.problem(&path.at("table"), format!("`{database}` has no table `{table}`"), &hint);
            return None;
        };
        let columns = &spec.tables.get(table).expect("it was found").columns;
        let columns = columns.iter().map(|(name, value)| (name.clone(), *value)).collect();
        Some((TableId(place as u8), columns))
    }

    #[inline]
    fn column(&mut self, path: &Path, columns: &[(String, f64)], name: &str) -> Option<Column> {
        let found = columns.iter().position(|(known, _)| known == name);
        if found.is_none() {
            let known: Vec<&str> = columns.iter().map(|(known, _)| known.as_str()).collect();
            let hint = format!("Columns: {}.", known.join(", "));
            self.problem(path, format!("the table has no column `{name}`"), &hint);
        }
        found.map(|index| index as Column)
    }

    #[inline]
    fn select(&mut self, path: &Path, select: &SelectSpec) {
        let table = self.table(path, &select.database, &select.table);
        let key = self.number(&path.at("key"), &select.key);
        let (Some((table, columns)), Some(key)) = (table, key) else { return };
        let column = match &select.column {
            Some(name) => match self.column(&path.at("column"), &columns, name) {
                Some(column) => Some(column),
                None => return,
            },
            None => None,
        };
        let (source, for_update) = (select.source, select.for_update);
        self.reads_from(path, &select.database, source);
        if for_update && source != ReadFrom::Primary {
            self.problem(&path.at("for_update"), "locks nothing there", "Read from the `primary`.");
        }
        self.statement(&select.database, StatementPlan::Select { table, key, column, for_update, source });
    }

    /// Refuses a replica that is not there.
    #[inline]
    fn reads_from(&mut self, path: &Path, database: &str, source: ReadFrom) {
        if source == ReadFrom::Replica && self.database(database).is_some_and(|spec| spec.replica.is_none()) {
            self.problem(&path.at("source"), format!("`{database}` has no replica"), "Give it one, or leave this out.");
        }
    }

    #[inline]
    fn database(&self, database: &str) -> Option<&'a DatabaseSpec> {
        match self.planner.spec.nodes.get(database) {
            Some(NodeSpec::Database(spec)) => Some(spec),
            _ => None,
        }
    }

    #[inline]
    fn inspect(&mut self, path: &Path, inspect: &InspectSpec) {
        if let Some(spec) = self.database(&inspect.database) {
            let missing = match inspect.what {
                Inspected::ReplicaLagS if spec.replica.is_none() => Some("replica"),
                Inspected::WalBytes if !matches!(spec.engine, DatabaseEngineSpec::SqliteWal) => Some("write-ahead log"),
                _ => None,
            };
            if let Some(missing) = missing {
                let what = format!("`{}` has no {missing}", inspect.database);
                self.problem(&path.at("what"), what, "Ask for something that it has.");
            }
        }
        self.statement(&inspect.database, StatementPlan::Inspect(inspect.what));
    }

    #[inline]
    fn filter(&mut self, path: &Path, columns: &[(String, f64)], filter: &WhereSpec) -> Option<FilterPlan> {
        let bounds = [
            ("equals", &filter.equals, Filter::Equals as Bound),
            ("at_least", &filter.at_least, Filter::AtLeast),
            ("below", &filter.below, Filter::Below),
        ];
        let column = self.column(&path.at("column"), columns, &filter.column);
        let mut given = bounds.into_iter().filter_map(|(name, text, bound)| Some((name, text.as_ref()?, bound)));
        let (Some((name, text, bound)), None) = (given.next(), given.next()) else {
            self.problem(path, "needs one bound", "Say `equals`, `at_least` or `below`.");
            return None;
        };
        let number = self.number(&path.at(name), text)?;
        Some(FilterPlan { column: column?, bound, number })
    }

    #[inline]
    fn scan(&mut self, path: &Path, scan: &ScanSpec) {
        let Some((table, columns)) = self.table(path, &scan.database, &scan.table) else { return };
        let sum = scan.sum.as_ref().and_then(|name| self.column(&path.at("sum"), &columns, name));
        let from = scan.from.as_ref().and_then(|text| self.number(&path.at("from"), text));
        let to = scan.to.as_ref().and_then(|text| self.number(&path.at("to"), text));
        let filter = scan.filter.as_ref().and_then(|filter| self.filter(&path.at("where"), &columns, filter));
        self.reads_from(path, &scan.database, scan.source);
        let source = scan.source;
        self.statement(&scan.database, StatementPlan::Scan { table, from, to, filter, sum, source });
    }

    #[inline]
    fn update(&mut self, path: &Path, update: &UpdateSpec) {
        let table = self.table(path, &update.database, &update.table);
        let key = self.number(&path.at("key"), &update.key);
        let if_version = update.if_version.as_ref().and_then(|text| self.number(&path.at("if_version"), text));
        let (Some((table, columns)), Some(key)) = (table, key) else { return };
        let mut changes = Vec::new();
        for (values, adds, field) in [(&update.set, false, "set"), (&update.add, true, "add")] {
            let in_field = path.at(field);
            for (name, text) in values {
                let at = in_field.at(name);
                let (column, number) = (self.column(&at, &columns, name), self.number(&at, text));
                changes.extend(column.zip(number).map(|(column, number)| (column, adds, number)));
            }
        }
        let filter = update.filter.as_ref().and_then(|filter| self.filter(&path.at("where"), &columns, filter));
        if update.filter.is_some() && update.if_version.is_some() {
            self.problem(&path.at("where"), "does not go with `if_version`", "Keep one of the two.");
        }
        self.statement(&update.database, StatementPlan::Update { table, key, changes, if_version, filter });
    }

    #[inline]
    fn insert(&mut self, path: &Path, insert: &InsertSpec) {
        let table = self.table(path, &insert.database, &insert.table);
        let key = self.number(&path.at("key"), &insert.key);
        let (Some((table, columns)), Some(key)) = (table, key) else { return };
        let mut fields = Fields::default();
        for (place, (_, value)) in fields.iter_mut().zip(&columns) {
            *place = *value as i64;
        }
        let mut set = Vec::new();
        let in_set = path.at("set");
        for (name, text) in &insert.set {
            let at = in_set.at(name);
            let (column, number) = (self.column(&at, &columns, name), self.number(&at, text));
            set.extend(column.zip(number));
        }
        self.statement(&insert.database, StatementPlan::Insert { table, key, fields, set });
    }

    #[inline]
    fn delete(&mut self, path: &Path, delete: &DeleteSpec) {
        let table = self.table(path, &delete.database, &delete.table);
        let key = self.number(&path.at("key"), &delete.key);
        if let (Some((table, _)), Some(key)) = (table, key) {
            self.statement(&delete.database, StatementPlan::Delete { table, key });
        }
    }

    #[inline]
    fn set(&mut self, path: &Path, values: &Map<Formula>) {
        for (name, Formula(text)) in values {
            let place = self.names.iter().position(|known| known == name).unwrap_or(0);
            if place < NAMES.len() {
                let hint = "The names of the request cannot be set: choose another.";
                self.problem(&path.at(name), format!("`{name}` is no variable"), hint);
            } else if let Some(to) = self.number(&path.at(name), text) {
                self.push(Step::Set(place - NAMES.len(), to));
            }
        }
    }

    #[inline]
    fn observe(&mut self, path: &Path, values: &Map<String>) {
        for (name, text) in values {
            let Some(signal) = self.signals.iter().position(|known| *known == Some(name.as_str())) else {
                let known: Vec<&str> = self.signals.iter().copied().flatten().collect();
                let hint =
                    format!("Declare it in `metrics` with source `observed`. Declared so: {}.", known.join(", "));
                self.problem(&path.at(name), format!("there is no observed signal `{name}`"), &hint);
                continue;
            };
            if let Some(value) = self.number(&path.at(name), text) {
                self.push(Step::Observe(signal as u16, value));
            }
        }
    }

    #[inline]
    fn respond(&mut self, path: &Path, answer: &RespondSpec) {
        let value = answer.value.as_ref().and_then(|text| self.number(&path.at("value"), text));
        let wait = answer.retry_after_s.as_ref();
        let retry_after_s = wait.and_then(|text| self.number(&path.at("retry_after_s"), text));
        match Status::of_code(answer.status) {
            Some(status) => drop(self.push(Step::Respond(AnswerStep { status, value, retry_after_s }))),
            None => {
                let hint = "Use 200, 400, 401, 403, 404, 409, 412, 422, 428, 429, 500, 503 or 504.";
                self.problem(&path.at("status"), format!("{} is no status here", answer.status), hint);
            }
        }
    }

    #[inline]
    fn number(&mut self, path: &Path, text: &str) -> Option<Expr> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let read = Expr::number(text, &names);
        read.map_err(|why| self.problem(path, why, "Mend the expression.")).ok()
    }

    #[inline]
    fn condition(&mut self, path: &Path, text: &str) -> Option<Expr> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let read = Expr::condition(text, &names);
        read.map_err(|why| self.problem(path, why, "Mend the condition.")).ok()
    }
}
