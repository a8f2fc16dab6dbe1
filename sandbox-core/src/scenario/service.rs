//! A service: workers or an event loop, its line, its programs.

use super::compiler::Compiler;
use super::dist::{Dist, DistSpec};
use super::life_spec::{LifeSpec, ScalingSpec};
use super::path::Path;
use super::planner::{Planner, SHORTEST};
use super::program::Program;
use super::spec_macro::spec;
use super::steps::any_step;
use super::{
    AccessSpec, AdmissionSpec, BeginSpec, CallPlan, CallSpec, ContinuousBatchingSpec, DeleteSpec, EndSpec, InsertSpec,
    InspectSpec, InvalidateSpec, Kind, LockTableSpec, Map, NodeSpec, RateLimitSpec, RoutePlan, ScanSpec, SelectSpec,
    SignalSpec, SourceSpec, StepSpec, UpdateSpec, WriteSpec, limits,
};
use crate::policy::admission::AdmissionConfig;
use crate::policy::continuous_batching::ContinuousBatchingConfig;
use crate::time::Span;
use crate::trace::Status;

spec! {
    /// A service: workers that take calls from a bounded line. A worker is held until its call is answered, also while it
    /// waits for others.
    pub struct ServiceSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// Instances; `api` with 2 replicas runs as `api-1` and `api-2`.
        pub replicas: u32 = 1,
        /// Calls an instance works on at once; absent or null: any number, and nobody waits.
        pub workers?: Option<u32>,
        /// Calls that may wait at an instance; one more is refused with 503. Absent or null: any number.
        pub max_waiting?: Option<u32>,
        /// Who is refused so that the others are served in time; absent: nobody.
        pub admission?: Option<AdmissionSpec>,
        /// Who is next when a worker is free.
        pub discipline?: DisciplineSpec,
        /// With `adaptive_lifo`: how many may wait in order.
        pub lifo_above?: Option<u32>,
        /// What a call holds its worker for.
        pub hold?: HoldSpec,
        /// How far its clock is ahead of the true time, in seconds: `now_s` in its programs is what that clock shows.
        pub clock_offset_s?: f64,
        /// How long a call waits in line before it leaves with 503; absent: as long as it takes.
        pub patience?: Option<DistSpec>,
        /// Whether a call whose caller's deadline has passed is dropped when its turn comes.
        pub drop_expired?: bool,
        /// Static batching: free workers start together, up to `workers` calls, and all answer when the longest is done.
        pub static_batch?: bool,
        /// With `static_batch`: how a batch is collected, and what it costs; absent: whoever is there starts at once, and costs
        /// the others nothing.
        pub batching?: Option<BatchingSpec>,
        /// The batch in which its steps `generate` have a language model write; absent: it has none.
        pub continuous_batching?: Option<ContinuousBatchingSpec>,
        /// CPU time of each instance; absent: as much as its workers use.
        pub cpu_limit?: Option<CpuLimitSpec>,
        /// Fails and is repaired by chance, each instance on its own.
        pub chance?: Option<ChanceSpec>,
        /// How its instances start and stop; absent: they are there, and nothing of theirs is lost.
        pub life?: Option<LifeSpec>,
        /// How many of its `replicas` run; absent: all.
        pub scaling?: Option<ScalingSpec>,
        /// How long a call that is refused for load (shed, line or bulkhead full, out of patience) is asked to wait before it
        /// is tried again (`Retry-After`); absent: nothing is said.
        pub retry_after_s?: Option<f64>,
        /// Rate limiters that the steps of its routes ask (`limit`): quotas, budgets, lockouts, caps.
        pub limiters?: Map<RateLimitSpec>,
        /// Limits of single routes, so that one cannot take all workers.
        pub bulkheads?: Map<BulkheadSpec>,
        /// What the service does for each route, step by step.
        pub routes: Map<Vec<StepSpec>>,
        /// How this node calls others, by their id.
        pub calls?: Map<CallSpec>,
    }
}

spec! {
    /// Who is next in a line.
    #[derive(Default)]
    pub enum DisciplineSpec {
        /// First in, first out.
        #[default]
        Fifo,
        /// Last in, first out; what has begun is finished first.
        Lifo,
        /// Last in, first out; a new call pushes the one in work aside, which goes on later where it stopped.
        LifoPreemptive,
        /// The most urgent workload first, by its `priority`; first in, first out among equals.
        Priority,
        /// Nobody waits: all share the workers equally, each at most one.
        ProcessorSharing,
        /// First in, first out, but last in, first out while more than `lifo_above` wait.
        AdaptiveLifo,
    }
}

spec! {
    /// What a call holds its worker for.
    #[derive(Default)]
    pub enum HoldSpec {
        /// From the start to the answer, also while it waits for others: a thread for each call.
        #[default]
        Call,
        /// Only while it computes: an asynchronous runtime.
        Work,
    }
}

spec! {
    /// How a batch is collected, and what it costs (NVIDIA Triton: dynamic batcher).
    #[derive(Copy)]
    pub struct BatchingSpec {
        /// Free workers wait so long for more calls after the first one, unless there are `workers` of them already.
        pub window_ms: f64 = 0.0,
        /// Each call of a batch makes the work of all of them so much longer.
        pub per_call_ms: f64 = 0.0,
    }
}

spec! {
    /// A quota of CPU time (Linux: CFS bandwidth control). All work of an instance uses it up together, each worker as fast as
    /// time goes; when it is gone, all of it stands still until the next period begins.
    #[derive(Copy)]
    pub struct CpuLimitSpec {
        /// CPU time in a period: as much as the period is one processor.
        pub quota_ms: f64,
        /// Length of a period; Linux and Kubernetes have 100 ms.
        pub period_ms: f64 = 100.0,
    }
}

spec! {
    /// Failing and being repaired by chance; it starts up.
    pub struct ChanceSpec {
        /// How long it is up.
        pub up: DistSpec,
        /// How long it is down.
        pub down: DistSpec,
    }
}

spec! {
    /// A limit of some routes of a service (ARCHITECTURE.md, "Policies"). Waiting before it holds no worker.
    pub struct BulkheadSpec {
        /// The routes that pass it.
        pub routes: Vec<String>,
        /// Calls let in at once.
        pub max_concurrent: u32,
        /// Calls that may wait before it.
        pub max_waiting?: u32,
        /// What one more is answered with: 503 or 429.
        pub status: u16 = 503,
    }
}

/// A service.
#[derive(Clone, Debug)]
pub struct ServicePlan {
    /// Calls worked on at once; None: no bound.
    pub workers: Option<u32>,
    /// Calls that may wait; None: no bound.
    pub max_waiting: Option<u32>,
    /// Who is refused so that the others are served in time.
    pub admission: AdmissionConfig,
    /// Who is next.
    pub discipline: Discipline,
    /// So many may wait in order before an adaptive line turns round.
    pub lifo_above: u32,
    /// What a call holds its worker for.
    pub hold: Hold,
    /// How far its clock is ahead, in seconds.
    pub clock_offset_s: f64,
    /// How long a call waits in line before it leaves.
    pub patience: Option<Dist>,
    /// Whether a call whose caller has gone is dropped when its turn comes.
    pub drop_expired: bool,
    /// Whether workers start together and answer together.
    pub static_batch: bool,
    /// How batches are collected, and what they cost.
    pub batching: Option<BatchingPlan>,
    /// The batch that a language model writes in.
    pub continuous_batching: Option<ContinuousBatchingConfig>,
    /// CPU time of each instance.
    pub cpu_limit: Option<CpuLimitPlan>,
    /// Up and down by chance, each instance on its own.
    pub chance: Option<(Dist, Dist)>,
    /// How long those that are refused for load are asked to wait.
    pub retry_after: Option<Span>,
    /// Limits of single routes.
    pub bulkheads: Vec<BulkheadPlan>,
    /// For each route of the plan which bulkhead it passes.
    pub bulkhead_of: Vec<Option<usize>>,
    /// For each route of the plan what to do; None: no such route here.
    pub programs: Vec<Option<Program>>,
}

/// How batches are collected, and what they cost.
#[derive(Clone, Copy, Debug)]
pub struct BatchingPlan {
    /// Time for more calls after the first one.
    pub window: Span,
    /// How much longer each call makes the work of all.
    pub per_call: Span,
}

/// A quota of CPU time.
#[derive(Clone, Copy, Debug)]
pub struct CpuLimitPlan {
    /// CPU time in a period.
    pub quota: Span,
    /// Length of a period.
    pub period: Span,
}

/// Who is next in a line.
pub type Discipline = DisciplineSpec;

/// What a call holds its worker for.
pub type Hold = HoldSpec;

/// A limit of some routes of a service.
#[derive(Clone, Debug)]
pub struct BulkheadPlan {
    /// Calls let in at once.
    pub max_concurrent: u32,
    /// Calls that may wait before it.
    pub max_waiting: u32,
    /// What one more is answered with.
    pub status: Status,
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn service(
        &mut self,
        id: &str,
        path: &Path,
        service: &'a ServiceSpec,
        routes: &[RoutePlan],
    ) -> (Kind, Vec<CallPlan>) {
        self.within(&path.at("clock_offset_s"), service.clock_offset_s, -limits::DURATION_S, limits::DURATION_S);
        let counted = self.within(&path.at("replicas"), f64::from(service.replicas), 1.0, limits::NODES as f64);
        let replicas = if counted { service.replicas } else { 1 };
        if let Some(workers) = service.workers {
            self.within(&path.at("workers"), f64::from(workers), 1.0, f64::from(limits::PLACES));
        }
        if let Some(places) = service.max_waiting {
            self.within(&path.at("max_waiting"), f64::from(places), 0.0, f64::from(limits::PLACES));
        }
        let in_routes = path.at("routes");
        let mut targets = Map::new();
        for (route, steps) in &service.routes {
            self.targets(&in_routes.at(route), steps, &mut targets);
            if !self.is_used(route) {
                self.is_unused(
                    &in_routes.at(route),
                    "no workload uses this route",
                    "Name it in a workload's `routes` or in a step, or take it out.",
                );
            }
        }
        let calls = self.calls(path, &service.calls, targets);
        let observed = |(name, signal): (&'a String, &SignalSpec)| {
            (signal.source == SourceSpec::Observed).then_some(name.as_str())
        };
        let signals: Vec<Option<&str>> = self.spec.metrics.iter().map(observed).collect();
        let limiters = self.limiters(path, service);
        let mut programs: Vec<Option<Program>> = vec![None; routes.len()];
        let shakes_hands = self.shakes_hands(id);
        for (route, steps) in &service.routes {
            let at = in_routes.at(route);
            let (program, locals) =
                Compiler::new(self, &calls, routes, &signals, &limiters).compile(&at, steps, shakes_hands);
            self.locals = self.locals.max(locals);
            if let Some(index) = routes.iter().position(|known| known.name == *route) {
                programs[index] = Some(program);
            }
        }
        let steps: usize = programs.iter().flatten().map(|program| program.steps.len()).sum();
        if steps as u64 * u64::from(replicas) > limits::STEPS {
            let hint = format!("At most {} steps, those of every replica counted.", limits::STEPS);
            self.problem(&path.at("routes"), "its programs are too long", hint);
            programs.clear();
        }
        if let Some(seconds) = service.retry_after_s {
            self.within(&path.at("retry_after_s"), seconds, 0.0, 3_600.0);
        }
        let (bulkheads, bulkhead_of) = self.bulkheads(path, service, routes);
        let patience = service.patience.as_ref().map(|dist| self.dist(&path.at("patience"), dist));
        let chance = service.chance.as_ref().map(|chance| {
            let up = self.dist(&path.at("chance.up"), &chance.up);
            let down = self.dist(&path.at("chance.down"), &chance.down);
            if up.mean() + down.mean() < SHORTEST {
                self.problem(&path.at("chance"), "it changes too often", "Let `up` and `down` last 1 ms at least.");
            }
            (up, down)
        });
        let computes =
            |steps: &Vec<StepSpec>| !steps.is_empty() && steps.iter().all(|step| matches!(step, StepSpec::Work(_)));
        let shares = matches!(service.discipline, Discipline::ProcessorSharing | Discipline::LifoPreemptive);
        if shares && service.hold == Hold::Call && !service.routes.values().all(computes) {
            let hint = "Set `hold` to `work`: only work can be shared or pushed aside.";
            self.problem(&path.at("discipline"), "takes workers away that are held while they wait", hint);
        }
        let cpu_limit = service.cpu_limit.map(|limit| {
            let path = path.at("cpu_limit");
            self.within(&path.at("quota_ms"), limit.quota_ms, 1.0, limits::LENGTH_MS);
            self.within(&path.at("period_ms"), limit.period_ms, 1.0, 1_000.0);
            if shares {
                let hint = "Choose another `discipline`, or take it out.";
                self.problem(&path, "does not go with workers that are shared or taken away", hint);
            }
            let span = |ms: f64, most: f64| Span::from_ms(ms.clamp(1.0, most));
            CpuLimitPlan { quota: span(limit.quota_ms, limits::LENGTH_MS), period: span(limit.period_ms, 1_000.0) }
        });
        let batching = service.batching.map(|batching| {
            let path = path.at("batching");
            self.within(&path.at("window_ms"), batching.window_ms, 0.0, limits::LENGTH_MS);
            self.within(&path.at("per_call_ms"), batching.per_call_ms, 0.0, limits::LENGTH_MS);
            if !service.static_batch {
                self.problem(&path, "there are no batches", "Set `static_batch` to true, or take it out.");
            }
            if service.workers.is_none() {
                self.problem(&path, "a batch has no end", "Give the service `workers`: the largest batch.");
            }
            let span = |ms: f64| Span::from_ms(ms.clamp(0.0, limits::LENGTH_MS));
            BatchingPlan { window: span(batching.window_ms), per_call: span(batching.per_call_ms) }
        });
        let adapts = service.discipline == Discipline::AdaptiveLifo;
        if adapts != service.lifo_above.is_some() {
            let hint = "Give both `discipline`: `adaptive_lifo` and `lifo_above`, or neither.";
            self.problem(&path.at("lifo_above"), "goes with `adaptive_lifo` alone, which needs it", hint);
        }
        let plan = ServicePlan {
            workers: service.workers,
            max_waiting: service.max_waiting,
            admission: self.admission(path, service),
            discipline: service.discipline,
            lifo_above: service.lifo_above.unwrap_or(0),
            hold: service.hold,
            patience,
            drop_expired: service.drop_expired,
            static_batch: service.static_batch,
            batching,
            continuous_batching: self.continuous_batching(path, service),
            cpu_limit,
            chance,
            clock_offset_s: service.clock_offset_s,
            retry_after: service.retry_after_s.map(Span::from_seconds),
            bulkheads,
            bulkhead_of,
            programs,
        };
        (Kind::Service(plan), calls)
    }

    /// Whom the steps call, each with the place of its first mention.
    #[inline]
    fn targets(&mut self, path: &Path, steps: &[StepSpec], targets: &mut Map<String>) {
        for (index, step) in steps.iter().enumerate() {
            let at = path.index(index);
            match step {
                StepSpec::Read(AccessSpec { store, cache }) | StepSpec::Write(WriteSpec { store, cache, .. }) => {
                    self.refuse_unless(&at.at("store"), store, "a read or write", &["store"]);
                    targets.insert(store.clone(), at.at("store").to_string());
                    if let Some(cache) = cache {
                        self.refuse_unless(&at.at("cache"), cache, "a look-up", &["cache"]);
                        targets.insert(cache.clone(), at.at("cache").to_string());
                    }
                }
                StepSpec::Cached(cached) => {
                    self.refuse_unless(&at.at("cached.cache"), &cached.cache, "a look-up", &["cache"]);
                    targets.insert(cached.cache.clone(), at.at("cached.cache").to_string());
                    self.targets(&at.at("cached.load"), &cached.load, targets);
                }
                StepSpec::Invalidate(InvalidateSpec { cache, .. }) => {
                    self.refuse_unless(&at.at("invalidate.cache"), cache, "an invalidation", &["cache"]);
                    targets.insert(cache.clone(), at.at("invalidate.cache").to_string());
                }
                StepSpec::Call(call) => {
                    self.refuse_unless(&at.at("call.to"), &call.to, "a step", &["service"]);
                    targets.insert(call.to.clone(), at.at("call.to").to_string());
                }
                StepSpec::Publish(call) => {
                    self.refuse_unless(&at.at("publish.to"), &call.to, "a message", &["queue"]);
                    targets.insert(call.to.clone(), at.at("publish.to").to_string());
                }
                StepSpec::If(branch) => {
                    self.targets(&at.at("if.then"), &branch.then, targets);
                    self.targets(&at.at("if.else"), &branch.otherwise, targets);
                }
                StepSpec::Repeat(repeat) => self.targets(&at.at("repeat.do"), &repeat.steps, targets),
                StepSpec::Idempotent(spec) => self.targets(&at.at("idempotent.do"), &spec.steps, targets),
                StepSpec::All(all) => {
                    for (index, branch) in all.branches.iter().enumerate() {
                        self.targets(&at.at("all.branches").index(index), branch, targets);
                    }
                }
                StepSpec::Try(attempt) => {
                    self.targets(&at.at("try.do"), &attempt.steps, targets);
                    self.targets(&at.at("try.on_failure"), &attempt.on_failure, targets);
                }
                StepSpec::Begin(BeginSpec { database, .. })
                | StepSpec::LockTable(LockTableSpec { database, .. })
                | StepSpec::Commit(EndSpec { database })
                | StepSpec::Leak(EndSpec { database })
                | StepSpec::Inspect(InspectSpec { database, .. })
                | StepSpec::Rollback(EndSpec { database })
                | StepSpec::Select(SelectSpec { database, .. })
                | StepSpec::Scan(ScanSpec { database, .. })
                | StepSpec::Update(UpdateSpec { database, .. })
                | StepSpec::Insert(InsertSpec { database, .. })
                | StepSpec::Delete(DeleteSpec { database, .. }) => {
                    self.refuse_unless(&at.at("database"), database, "a statement", &["database"]);
                    targets.insert(database.clone(), at.at("database").to_string());
                }
                StepSpec::Work(_) | StepSpec::Wait(_) | StepSpec::Set(_) | StepSpec::Observe(_) => {}
                StepSpec::Respond(_) | StepSpec::Pause(_) | StepSpec::Limit(_) | StepSpec::Generate(_) => {}
            }
        }
    }

    /// Whether a workload, a step or a queue uses a route.
    #[inline]
    fn is_used(&self, route: &str) -> bool {
        let calls = |step: &StepSpec| match step {
            StepSpec::Call(call) | StepSpec::Publish(call) => call.route.as_deref() == Some(route),
            _ => false,
        };
        self.spec.workloads.values().any(|workload| workload.routes.contains_key(route))
            || self.spec.nodes.values().any(|node| match node {
                NodeSpec::Service(service) => {
                    let liveness = service.life.as_ref().and_then(|life| life.liveness.as_ref());
                    liveness.and_then(|liveness| liveness.route.as_deref()) == Some(route)
                        || service.routes.values().any(|steps| any_step(steps, &calls))
                }
                NodeSpec::Queue(queue) => queue.route == route,
                _ => false,
            })
            || self.spec.monitors.values().flat_map(|monitor| &monitor.deliver).any(|deliver| deliver.route == route)
    }

    #[inline]
    fn bulkheads(
        &mut self,
        path: &Path,
        service: &ServiceSpec,
        routes: &[RoutePlan],
    ) -> (Vec<BulkheadPlan>, Vec<Option<usize>>) {
        let mut of_route = vec![None; routes.len()];
        let mut bulkheads = Vec::new();
        let in_bulkheads = path.at("bulkheads");
        for (id, bulkhead) in &service.bulkheads {
            let at = in_bulkheads.at(id);
            let (concurrent, waiting) = (bulkhead.max_concurrent, bulkhead.max_waiting);
            self.within(&at.at("max_concurrent"), f64::from(concurrent), 1.0, f64::from(limits::PLACES));
            self.within(&at.at("max_waiting"), f64::from(waiting), 0.0, f64::from(limits::PLACES));
            if !matches!(bulkhead.status, 429 | 503) {
                self.problem(&at.at("status"), format!("{} does not fit", bulkhead.status), "Use 503 or 429.");
            }
            for name in &bulkhead.routes {
                let index = routes.iter().position(|known| known.name == *name);
                match index.filter(|_| service.routes.contains_key(name)) {
                    Some(index) if of_route[index].is_none() => of_route[index] = Some(bulkheads.len()),
                    Some(_) => self.problem(&at.at("routes"), format!("`{name}` has two bulkheads"), "Keep one."),
                    None => self.problem(&at.at("routes"), format!("there is no route `{name}` here"), "Name one."),
                }
            }
            let status = Status::of_code(bulkhead.status).unwrap_or(Status::Unavailable);
            bulkheads.push(BulkheadPlan { max_concurrent: concurrent, max_waiting: waiting, status });
        }
        (bulkheads, of_route)
    }
}
