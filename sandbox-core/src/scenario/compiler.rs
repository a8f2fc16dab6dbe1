//! Compiles the steps of a program to a flat list with jumps.

use super::path::Path;
use super::planner::Planner;
use super::program::{AnswerStep, CallStep, ClaimStep, LimitStep, NAMES, Program, StatementPlan, Step};
use super::{
    AllSpec, CachedSpec, CallPlan, CallStepSpec, Expr, Formula, IdempotentSpec, IfSpec, LimitSpec, Map, RepeatSpec,
    RespondSpec, RoutePlan, StepSpec, TransactionModeSpec, TrySpec,
};
use crate::ids::RouteId;
use crate::store::Mode;
use crate::trace::Status;

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
    pub(super) planner: &'p mut Planner<'a>,
    pub(super) calls: &'p [CallPlan],
    pub(super) routes: &'p [RoutePlan],
    /// Names of the declared signals that programs may observe, each at its position; none: it has another source.
    pub(super) signals: &'p [Option<&'p str>],
    /// The rate limiters of the service, each with its position in the plan.
    pub(super) limiters: &'p [(&'p str, u32)],
    pub(super) steps: Vec<Step>,
    /// For each step where a failure of it goes on.
    pub(super) handlers: Vec<Option<usize>>,
    /// The handler of the block that is being compiled, as a position in `pending`.
    pub(super) enclosing: Option<usize>,
    /// Whether that block loads a copy: a stay loads one at a time.
    pub(super) loading: bool,
    /// Whether that block is done under an idempotency key: a stay has one at a time.
    pub(super) keyed: bool,
    /// Handlers whose place is not known yet.
    pub(super) pending: Vec<Option<u16>>,
    pub(super) names: Vec<String>,
    pub(super) depth: usize,
    pub(super) loops: usize,
    /// How often the block that is being compiled is done in one visit.
    pub(super) times: u64,
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
    pub(super) fn problem(&mut self, path: &Path, what: impl Into<String>, hint: &str) {
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
    pub(super) fn push(&mut self, step: Step) -> usize {
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
            StepSpec::Generate(generate) => self.generate(&path.at("generate"), generate),
            StepSpec::Limit(limit) => self.limit(&path.at("limit"), limit),
            StepSpec::Begin(begin) => {
                let mode = match begin.mode {
                    TransactionModeSpec::Plain => Mode::Plain,
                    TransactionModeSpec::Immediate => Mode::Immediate,
                    TransactionModeSpec::Exclusive => Mode::Exclusive,
                    TransactionModeSpec::RepeatableRead => Mode::RepeatableRead,
                    TransactionModeSpec::Serializable => Mode::Serializable,
                };
                let lock_timeout = self.lock_timeout(&path.at("begin"), begin);
                self.statement(&begin.database, StatementPlan::Begin(mode, lock_timeout));
            }
            StepSpec::LockTable(lock) => self.lock_table(&path.at("lock_table"), lock),
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
    pub(super) fn call_to(&self, group: &str) -> usize {
        self.calls.iter().position(|call| call.group == group).unwrap_or(0)
    }

    #[inline]
    pub(super) fn call(&mut self, path: &Path, call: &CallStepSpec, publish: bool) {
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
    pub(super) fn repeat(&mut self, path: &Path, repeat: &RepeatSpec) {
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
    pub(super) fn all(&mut self, path: &Path, all: &AllSpec) {
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
    pub(super) fn number(&mut self, path: &Path, text: &str) -> Option<Expr> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let read = Expr::number(text, &names);
        read.map_err(|why| self.problem(path, why, "Mend the expression.")).ok()
    }

    #[inline]
    pub(super) fn condition(&mut self, path: &Path, text: &str) -> Option<Expr> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let read = Expr::condition(text, &names);
        read.map_err(|why| self.problem(path, why, "Mend the condition.")).ok()
    }
}
