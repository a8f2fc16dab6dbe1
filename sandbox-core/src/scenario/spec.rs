//! A scenario as written: what the JSON may say, field by field, with units at the end of names.
//!
//! `spec_macro.rs` says how a declaration is read. Numbers are checked when the [`super::Plan`] is made.

use super::arrivals::ArrivalsSpec;
use super::connections::ConnectionsSpec;
use super::dist::DistSpec;
use super::formula::Formula;
use super::life_spec::{LifeSpec, RolloutSpec, ScalingSpec};
use super::map::Map;
use super::popularity::PopularitySpec;
use super::spec_macro::spec;
use super::way::{BandwidthSpec, LossSpec};
use serde_json::Value;

spec! {
    /// A whole scenario. As written it is variant `A`, the problem; the variants are patches of it.
    pub struct Spec {
        /// Version of this format; 1.
        pub format_version: u32,
        /// Unique name, lower-case words joined by `-`.
        pub id: String,
        /// Title for people.
        pub title: String,
        /// What the scenario shows, in a sentence or two.
        pub about?: String,
        /// Where one can read more.
        pub reference?: Option<String>,
        /// What the model leaves out.
        pub leaves_out?: Option<String>,
        /// Seed of all randomness, below 2^53.
        pub seed: u64,
        /// How long the run lasts, in simulated seconds.
        pub duration_s: f64,
        /// The parts of the system.
        pub nodes: Map<NodeSpec>,
        /// Delays between nodes. A call between nodes without a link takes no time on the way.
        pub links?: Map<LinkSpec>,
        /// Who sends what.
        pub workloads: Map<WorkloadSpec>,
        /// What breaks when.
        pub faults?: Map<FaultSpec>,
        /// Instances that are replaced.
        pub rollouts?: Map<RolloutSpec>,
        /// Who watches what, and opens incidents.
        pub monitors?: Map<MonitorSpec>,
        /// Labels of requests: name to values, each with the condition that a request must meet to have it. All signals of
        /// requests take them beside `route`, `op`, `workload` and `client`.
        pub labels?: Map<Map<String>>,
        /// Signals of the scenario's own; the built-in ones need no declaration.
        pub metrics?: Map<SignalSpec>,
        /// What a learner may turn.
        pub knobs?: Map<KnobSpec>,
        /// Patches of this document.
        pub variants?: Map<VariantSpec>,
        /// What the scenario promises, checked over many seeds.
        pub claims?: Map<ClaimSpec>,
    }
}

spec! {
    /// A part of the system.
    // A document has few, and each is read once.
    #[expect(clippy::large_enum_variant)]
    pub enum NodeSpec tagged "kind" {
        /// People or programs that send requests.
        Client(ClientSpec),
        /// The entrance: checks tokens and quotas, passes requests on.
        Gateway(GatewaySpec),
        /// A service with workers.
        Service(ServiceSpec),
        /// A cache with copies of rows.
        Cache(CacheSpec),
        /// A database in the manner of SQLite in WAL mode: readers beside one writer.
        Store(StoreSpec),
        /// A queue of messages between services.
        Queue(QueueSpec),
        /// A database with tables, transactions and locks.
        Database(DatabaseSpec),
    }
}

spec! {
    /// People or programs that send requests.
    pub struct ClientSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// How this node calls others, by their id.
        pub calls?: Map<CallSpec>,
    }
}

spec! {
    /// The entrance: checks tokens and quotas, passes requests on. Its own work holds no worker.
    pub struct GatewaySpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The node that requests are passed on to.
        pub upstream: String,
        /// Time the gateway takes for a request that it passes on.
        pub work?: Option<DistSpec>,
        /// Token check; absent: everybody may pass.
        pub auth?: Option<AuthSpec>,
        /// Token bucket; absent: no limit.
        pub rate_limit?: Option<RateLimitSpec>,
        /// How this node calls others, by their id.
        pub calls?: Map<CallSpec>,
    }
}

spec! {
    /// Bearer tokens (RFC 6750), JSON Web Tokens signed with HS256.
    pub struct AuthSpec {
        /// Clocks may differ by this much; 30 s by default (ARCHITECTURE.md, "Policies").
        pub leeway_s: f64 = 30.0,
        /// Time to check a token.
        pub work: DistSpec,
        /// Whether it believes the algorithm that a token names (RFC 8725, section 2.1): then what is unsigned by its own word
        /// passes, and what is signed with the public key as if that were a secret.
        pub trusts_header?: bool,
        /// Whether it looks at the signature alone: neither at issuer and audience nor at the times.
        pub ignores_claims?: bool,
    }
}

spec! {
    /// A way to forge a token.
    pub enum ForgerySpec {
        /// The claims of a good one, with `alg` set to `none` and without a signature.
        AlgNone,
        /// The claims of a good one, signed with the issuer's public key as if it were the secret of HS256.
        PublicKeyAsSecret,
        /// A genuine one that expired at second 0 of the clock.
        Expired,
        /// A genuine one that was issued for somebody else.
        WrongAudience,
    }
}

spec! {
    /// A rate limiter (ARCHITECTURE.md, "Policies"): requests beyond it are answered with 429. A gateway has one before all
    /// that it passes on, the programs of a service ask those of the service where they like.
    pub struct RateLimitSpec {
        /// How it counts.
        pub algorithm?: RateLimitAlgorithmSpec,
        /// Requests a second in the long run: for `token_bucket`, `gcra` and `leaky_queue`.
        pub rate_rps?: Option<f64>,
        /// Requests that may come at once: for the same three.
        pub burst?: Option<f64>,
        /// Requests in a window: for the others.
        pub limit?: Option<u32>,
        /// Length of the window.
        pub window_s?: Option<f64>,
        /// Whether a refused request counts like an admitted one.
        pub count_rejected?: bool,
        /// What becomes of whoever goes beyond the limit; absent: nothing, he may come again as soon as it has room.
        pub penalty?: Option<PenaltySpec>,
        /// What has a limit of its own.
        pub key?: RateLimitKeySpec,
        /// With `client_address`: blocks of addresses of proxies whose word is taken, such as `10.0.0.0/8`, where all
        /// gateways are.
        pub trusted_proxies?: Vec<String>,
        /// Of a service: whether each instance counts alone. Else they share the counters, which costs no time.
        pub per_instance?: bool,
    }
}

spec! {
    /// What becomes of whoever goes beyond a limit: nothing of his passes for some time.
    #[derive(Copy)]
    pub struct PenaltySpec {
        /// For so long.
        pub for_s: f64,
        /// Whether each request within that time begins it anew; else it ends when it ends, as the lockout of an account.
        pub extends?: bool,
    }
}

spec! {
    /// How a rate limiter counts.
    #[derive(Default)]
    pub enum RateLimitAlgorithmSpec {
        /// A bucket of tokens that starts full.
        #[default]
        TokenBucket,
        /// The same decisions, kept as one instant.
        Gcra,
        /// Windows aligned to the start of the run.
        FixedWindow,
        /// Windows that begin with a request.
        FixedWindowAnchored,
        /// Every admission is remembered for a window.
        SlidingLog,
        /// Two counters, weighted.
        SlidingCounter,
        /// A line that lets one request through at a time; it delays instead of refusing, up to `burst`.
        LeakyQueue,
    }
}

spec! {
    /// What has a rate limit of its own.
    #[derive(Default)]
    pub enum RateLimitKeySpec {
        /// All requests together.
        #[default]
        All,
        /// Each user.
        User,
        /// Each workload: each source of traffic.
        Workload,
        /// Each route.
        Route,
        /// Each address that connects: behind a proxy that of the proxy.
        Peer,
        /// Each leftmost address of `X-Forwarded-For`, which whoever sends the request writes.
        ForwardedFor,
        /// Each rightmost address that is no trusted proxy.
        ClientAddress,
    }
}

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
    /// Which calls a service refuses with 503 (shed) so that the others are served in time (ARCHITECTURE.md, "Policies").
    pub enum AdmissionSpec tagged "algorithm" {
        /// At most so many inside at once, in line or at work.
        MaxInFlight {
            /// So many.
            limit: u32,
        },
        /// At most so many inside at once, less critical ones only up to smaller limits of their own (SRE book). The class of
        /// a call follows from its workload's `priority`.
        PriorityShedding {
            /// For priority 1.
            critical_plus: u32,
            /// For priority 2.
            critical: u32,
            /// For priority 3.
            sheddable_plus: u32,
            /// For all others.
            sheddable: u32,
        },
        /// Whoever has waited too long when his turn comes, ever more while the line stands (RFC 8289).
        Codel {
            /// A wait that is acceptable.
            target_ms: f64 = 5.0,
            /// How long a burst may take to drain.
            interval_ms: f64 = 100.0,
        },
        /// The same goal in the manner of folly: after an interval without a short wait whoever waited twice the target.
        CodelFolly {
            /// A wait that is acceptable.
            target_ms: f64 = 5.0,
            /// The length of an interval.
            interval_ms: f64 = 100.0,
        },
        /// At most so many inside at once; one more after each success, a share less after a failure.
        Aimd {
            /// First limit.
            initial: u32 = 20,
            /// Smallest limit.
            min: u32 = 20,
            /// Largest limit.
            max: u32 = 200,
            /// The limit is multiplied by this after a failure.
            backoff_ratio: f64 = 0.9,
            /// Who takes longer counts as failed.
            timeout_ms: f64 = 5_000.0,
        },
        /// A limit by the shortest time seen (TCP Vegas).
        Vegas {
            /// First limit.
            initial: u32 = 20,
            /// Largest limit.
            max: u32 = 1_000,
            /// Weight of a new value.
            smoothing: f64 = 1.0,
        },
        /// A limit by how much longer calls take than they did for long.
        Gradient2 {
            /// First limit.
            initial: u32 = 20,
            /// Smallest limit.
            min: u32 = 20,
            /// Largest limit.
            max: u32 = 200,
            /// Weight of a new value.
            smoothing: f64 = 0.2,
            /// Calls that may queue.
            queue_size: u32 = 4,
            /// Calls in the long average.
            long_window: u32 = 600,
            /// So many times the long average is no reason to slow down.
            rtt_tolerance: f64 = 1.5,
        },
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

spec! {
    /// One step of a route.
    pub enum StepSpec {
        /// Work of the service's own: it needs a worker.
        Work(DistSpec),
        /// A pause: it needs none of its own.
        Wait(DistSpec),
        /// Read the row that the request asks for.
        Read(AccessSpec),
        /// Write the row that the request asks for, and refresh the cache's copy.
        Write(WriteSpec),
        /// Call a service and wait for its answer.
        Call(CallStepSpec),
        /// Leave a message in a queue; the queue answers as soon as it has it.
        Publish(CallStepSpec),
        /// Go one way or the other.
        If(IfSpec),
        /// Do steps again and again.
        Repeat(RepeatSpec),
        /// Do steps side by side.
        All(AllSpec),
        /// Cache-aside: look here first, else do the steps that load it and keep what they brought.
        Cached(CachedSpec),
        /// Have a cache forget its copy of a row.
        Invalidate(InvalidateSpec),
        /// Do steps, and others if one of them fails.
        Try(TrySpec),
        /// Do steps once for each idempotency key: who comes with the same key again gets the same answer.
        Idempotent(IdempotentSpec),
        /// A pause of a computed length.
        Pause(PauseSpec),
        /// Ask a rate limiter of the service: go on, or fail with 429.
        Limit(LimitSpec),
        /// Begin a transaction. One that is still open when the program ends is rolled back.
        Begin(BeginSpec),
        /// Read a row.
        Select(SelectSpec),
        /// Look at all rows of a table.
        Scan(ScanSpec),
        /// Change a row.
        Update(UpdateSpec),
        /// Add a row.
        Insert(InsertSpec),
        /// Delete a row.
        Delete(DeleteSpec),
        /// Ask a database how it is, which takes no time and no connection.
        Inspect(InspectSpec),
        /// Forget to give the connection back: the transaction that is open stays open for good.
        Leak(EndSpec),
        /// Commit the transaction.
        Commit(EndSpec),
        /// Roll the transaction back.
        Rollback(EndSpec),
        /// Set variables, by name, to the value of an expression, or to a plain number, which a knob can turn.
        Set(Map<Formula>),
        /// Observe values of declared signals, by name, each given by an expression.
        Observe(Map<String>),
        /// Answer now.
        Respond(RespondSpec),
    }
}

spec! {
    /// A call of a step.
    pub struct CallStepSpec {
        /// The node.
        pub to: String,
        /// Its route; absent: the route of the request.
        pub route?: Option<String>,
        /// The row, as an expression; absent: the row of the request.
        pub key?: Option<String>,
        /// The number that the callee's expressions see as `arg`; absent: this one's own.
        pub arg?: Option<String>,
    }
}

spec! {
    /// A branch. Expressions may name `key`, `user`, `arg`, `attempt`, `now_s`, `instance` (the number of the replica, from 1), `random` (a number in [0, 1), drawn anew at
    /// each step), `status` and `value` of the latest call, `version` of the row, and the program's variables.
    pub struct IfSpec {
        /// The condition.
        pub when: String,
        /// What to do if it holds.
        pub then: Vec<StepSpec>,
        /// What to do if not.
        pub otherwise as "else"?: Vec<StepSpec>,
    }
}

spec! {
    /// A loop; it is always bounded.
    pub struct RepeatSpec {
        /// At most this many rounds.
        pub times: u32,
        /// Goes on only while this holds, looked at before each round; absent: always.
        pub condition as "while"?: Option<String>,
        /// What to do.
        pub steps as "do": Vec<StepSpec>,
    }
}

spec! {
    /// Parallel branches.
    pub struct AllSpec {
        /// What each branch does.
        pub branches: Vec<Vec<StepSpec>>,
        /// Each branch this many times.
        pub copies: u32 = 1,
        /// How many must succeed before the program goes on; absent: all. 1: the first.
        pub needed?: Option<u32>,
    }
}

spec! {
    /// Cache-aside around any steps.
    pub struct CachedSpec {
        /// The cache.
        pub cache: String,
        /// What loads the copy.
        pub load: Vec<StepSpec>,
    }
}

spec! {
    /// An invalidation.
    pub struct InvalidateSpec {
        /// The cache.
        pub cache: String,
        /// The row, as an expression; absent: the row of the request.
        pub key?: Option<String>,
    }
}

spec! {
    /// Steps with a way out.
    pub struct TrySpec {
        /// What to do.
        pub steps as "do": Vec<StepSpec>,
        /// What to do once one of them fails; `status` says how.
        pub on_failure: Vec<StepSpec>,
    }
}

spec! {
    /// Steps that are done once for each idempotency key (ARCHITECTURE.md, "Policies"). A further attempt with the same key
    /// gets what the first one ended with: the answer, or `value` and `version` and goes on behind the steps. While the
    /// first is under way it is refused with 409, and with 422 if the key comes with another row or `arg`. All instances
    /// of the service share the keys. What variables the steps set is not kept.
    pub struct IdempotentSpec {
        /// The key, a number, as an expression; each user has keys of its own. Absent: the number of the request, which
        /// all attempts and redeliveries share.
        pub key?: Option<String>,
        /// Which requests carry a key, as a condition; absent: all.
        pub when?: Option<String>,
        /// Whether a request without a key is refused with 400.
        pub required?: bool,
        /// How long an answer is kept; 24 hours by default.
        pub lifetime_s: f64 = 86_400.0,
        /// Which answers are kept.
        pub keep?: KeepSpec,
        /// Whether an attempt that comes while the first is under way waits for its end, instead of being refused with 409.
        pub waits?: bool,
        /// What to do.
        pub steps as "do": Vec<StepSpec>,
    }
}

spec! {
    /// Which answers are kept under an idempotency key.
    #[derive(Default)]
    pub enum KeepSpec {
        /// Failures as well.
        #[default]
        All,
        /// Only successes: after a failure the steps are done again.
        Successes,
    }
}

spec! {
    /// An answer.
    pub struct RespondSpec {
        /// 200, 400, 401, 403, 404, 409, 412, 422, 428, 429, 500, 503 or 504.
        pub status: u16 = 200,
        /// The number that the caller's expressions see as `value`.
        pub value?: Option<String>,
        /// How many seconds the caller is asked to wait before it tries again (`Retry-After`), as an expression.
        pub retry_after_s?: Option<String>,
    }
}

spec! {
    /// A database: rows with versions in tables, transactions, locks, a pool of connections. Who stops waiting for a statement
    /// hangs up: the statement is withdrawn and its transaction rolled back.
    pub struct DatabaseSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// Whose rules it follows.
        pub engine?: DatabaseEngineSpec,
        /// Connections; who finds none waits. Absent or null: any number.
        pub connections?: Option<u32>,
        /// How long a statement waits for a lock of SQLite (`PRAGMA busy_timeout`).
        pub busy_timeout_ms: f64 = 5_000.0,
        /// Who comes first when a lock is given back.
        pub busy?: BusySpec,
        /// After so long a wait for a row's lock a server looks whether those who wait do so in a circle, and rolls one of them back
        /// (PostgreSQL's `deadlock_timeout`).
        pub deadlock_timeout_ms: f64 = 1_000.0,
        /// Its tables.
        pub tables: Map<TableSpec>,
        /// Time of a statement that reads.
        pub read: DistSpec,
        /// Time of a statement that writes.
        pub write: DistSpec,
        /// Time of a commit; absent: none.
        pub commit?: Option<DistSpec>,
        /// Further time for each row that a statement looks at, in microseconds.
        pub scan_row_us?: f64,
        /// Processors that its statements share; absent: each has one of its own.
        pub cores?: Option<u32>,
        /// By what share every statement above the number of cores slows all of them down.
        pub contention?: f64,
        /// A commit that leaves so many pages in SQLite's log copies them into the database, as far as no reader needs the
        /// old ones (`PRAGMA wal_autocheckpoint`); 0: never.
        pub auto_checkpoint_pages: u32 = 1_000,
        /// A second copy that follows its commits; absent: none.
        pub replica?: Option<ReplicaSpec>,
    }
}

spec! {
    /// A second copy of a database, on another machine, or on a disk behind one that answers from memory. It takes the
    /// database's place in a `fail_over`.
    #[derive(Copy)]
    pub struct ReplicaSpec {
        /// How long a commit is on its way to it.
        pub delay_ms: f64,
        /// Commits are sent in rounds, one in so many seconds; 0: each at once.
        pub every_s?: f64,
        /// Changed rows that it applies in a second; absent or null: any number.
        pub apply_rps?: Option<f64>,
        /// Whether a commit is answered only when the replica has it, there and back later.
        pub semi_sync?: bool,
    }
}

spec! {
    /// A question to a database; `value` is then the answer.
    pub struct InspectSpec {
        /// The database.
        pub database: String,
        /// What is asked.
        pub what: InspectedSpec,
    }
}

spec! {
    /// What can be asked about a database.
    pub enum InspectedSpec {
        /// How many seconds ago the oldest commit was that the replica has not applied.
        ReplicaLagS,
        /// Bytes of SQLite's write-ahead log.
        WalBytes,
        /// For how many seconds the oldest open transaction has been open.
        OldestTransactionS,
        /// Connections in use.
        Connections,
    }
}

spec! {
    /// Where a statement reads.
    #[derive(Default)]
    pub enum ReadFromSpec {
        /// In the database, through a connection.
        #[default]
        Primary,
        /// In its replica, which needs no connection.
        Replica,
        /// In the database, unnoticed and at once: what no real program can, for measuring.
        Peek,
    }
}

spec! {
    /// A condition on a column; one of the three bounds.
    pub struct WhereSpec {
        /// The column.
        pub column: String,
        /// It is this number, given by an expression.
        pub equals?: Option<String>,
        /// It is this number or more.
        pub at_least?: Option<String>,
        /// It is less than this number.
        pub below?: Option<String>,
    }
}

spec! {
    /// Whose rules a database follows.
    #[derive(Default)]
    pub enum DatabaseEngineSpec {
        /// SQLite with a write-ahead log: one writer, readers beside it.
        #[default]
        SqliteWal,
        /// SQLite with a rollback journal.
        SqliteDelete,
        /// A server with row locks and many writers, as PostgreSQL.
        Server,
    }
}

spec! {
    /// Who comes first when a lock of SQLite is given back.
    #[derive(Default)]
    pub enum BusySpec {
        /// Whoever looks first: sleeps of 1, 2, 5, 10 ... ms, as SQLite does.
        #[default]
        Poll,
        /// Whoever has waited longest: the bound that polling does not reach.
        Fifo,
    }
}

spec! {
    /// A table; keys run from 0.
    pub struct TableSpec {
        /// Rows at the start.
        pub rows?: u32,
        /// Its columns, at most four, with what each row holds at the start.
        pub columns: Map<f64>,
    }
}

spec! {
    /// How a transaction begins.
    #[derive(Default)]
    pub enum TransactionModeSpec {
        /// `BEGIN`: deferred in SQLite, read committed on a server.
        #[default]
        Plain,
        /// `BEGIN IMMEDIATE`: takes SQLite's write lock at once.
        Immediate,
        /// `BEGIN EXCLUSIVE`.
        Exclusive,
        /// One snapshot, first updater wins (server).
        RepeatableRead,
        /// Whatever no serial order explains is refused (server).
        Serializable,
    }
}

spec! {
    /// The start of a transaction.
    pub struct BeginSpec {
        /// The database.
        pub database: String,
        /// How.
        pub mode?: TransactionModeSpec,
    }
}

spec! {
    /// The end of a transaction.
    pub struct EndSpec {
        /// The database.
        pub database: String,
    }
}

spec! {
    /// Reads one row. `value` is then the number in `column`, or 1 or 0 for there or not there; `version` the row's.
    pub struct SelectSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
        /// The column that is asked for.
        pub column?: Option<String>,
        /// `FOR UPDATE`: locks the row on a server.
        pub for_update?: bool,
        /// Where it reads.
        pub source?: ReadFromSpec,
    }
}

spec! {
    /// Looks at the rows of a table. `value` is then the number of those that are meant, or the sum of a column.
    pub struct ScanSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The first key that it looks at, as an expression; absent: the first there is.
        pub from?: Option<String>,
        /// The key that it stops before; absent: it looks at all.
        pub to?: Option<String>,
        /// Which of these rows are meant; absent: all.
        pub filter as "where"?: Option<WhereSpec>,
        /// The column that is added up.
        pub sum?: Option<String>,
        /// Where it reads.
        pub source?: ReadFromSpec,
    }
}

spec! {
    /// Changes one row. `value` is then 1, or 0 if nothing was changed.
    pub struct UpdateSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
        /// Columns that get the value of an expression.
        pub set?: Map<String>,
        /// Columns that the value of an expression is added to.
        pub add?: Map<String>,
        /// Only if the row still has this version: compare-and-set.
        pub if_version?: Option<String>,
        /// Only if this holds for the row when it is changed.
        pub filter as "where"?: Option<WhereSpec>,
    }
}

spec! {
    /// Adds a row. `value` is then 1, or 0 if the key was taken.
    pub struct InsertSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
        /// What its columns hold, as expressions; the others get what the table says.
        pub set?: Map<String>,
    }
}

spec! {
    /// Deletes a row. `value` is then 1, or 0 if there was none.
    pub struct DeleteSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// The row, as an expression.
        pub key: String,
    }
}

spec! {
    /// A pause whose length is computed.
    pub struct PauseSpec {
        /// Milliseconds, as an expression.
        pub ms: String,
    }
}

spec! {
    /// Asks a rate limiter of the service whether the request may go on; beyond the limit the step fails with 429.
    pub struct LimitSpec {
        /// The limiter.
        pub limiter: String,
        /// What has a limit of its own, as an expression; absent: what the limiter's `key` says.
        pub by?: Option<String>,
        /// How much of the limit the request takes, as an expression, such as its tokens, its bytes or its price; 0 takes
        /// nothing and asks only whether there is a penalty. Absent: 1.
        pub cost?: Option<String>,
    }
}

spec! {
    /// A queue of messages: at least once, by visibility timeout (ARCHITECTURE.md, "Policies"). It delivers each message to a
    /// service as a call; success is the acknowledgement.
    pub struct QueueSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The service that gets the messages.
        pub consumer: String,
        /// Its route.
        pub route: String,
        /// Deliveries under way at once; absent or null: any number.
        pub consumers?: Option<u32>,
        /// Messages that may wait. Absent or null: any number.
        pub max_waiting?: Option<u32>,
        /// What becomes of one more.
        pub on_full?: OnFullSpec,
        /// Which message is next.
        pub order?: QueueOrderSpec,
        /// Messages about the same row keep their order: each row belongs to one of so many partitions, and of a partition
        /// one message is delivered at a time, the next one when that is done or dead. Absent: there is no such order.
        pub partitions?: Option<u32>,
        /// A delivery without an answer after this long counts as failed: the message is delivered again.
        pub visibility_timeout_s: f64,
        /// How often a consumer at work asks for another visibility timeout; one that is down or frozen cannot. Absent: never.
        pub heartbeat_s?: Option<f64>,
        /// Deliveries of a message; after that it goes to the dead letters. Absent or null: it is delivered until it succeeds.
        pub max_receive_count?: Option<u8>,
        /// How long a message that failed is not delivered again; absent: not at all.
        pub redelivery?: Option<RedeliverySpec>,
        /// Whether messages outlive the queue's going down. False: it has them in memory only.
        pub durable: bool = true,
        /// Time until a message is stored and its sender has the answer; absent: none.
        pub store?: Option<DistSpec>,
    }
}

spec! {
    /// What becomes of a message that finds its queue full.
    #[derive(Default)]
    pub enum OnFullSpec {
        /// It is refused with 503.
        #[default]
        Reject,
        /// Its sender is kept waiting until there is room: back-pressure.
        Block,
        /// It takes the place of the oldest one, which is lost.
        DropOldest,
        /// It is lost, and its sender is not told.
        DropNewest,
    }
}

spec! {
    /// Which message of a queue is next.
    #[derive(Default)]
    pub enum QueueOrderSpec {
        /// The oldest one; what is delivered again comes before what is newer.
        #[default]
        OldestFirst,
        /// The newest one.
        NewestFirst,
    }
}

spec! {
    /// The back-off between two deliveries of a message.
    #[derive(Copy)]
    pub struct RedeliverySpec {
        /// After the first failure.
        pub base_delay_ms: f64,
        /// The longest.
        pub max_delay_ms: f64,
        /// Each one is so many times the one before.
        pub multiplier: f64 = 2.0,
        /// How chance is mixed in.
        pub jitter?: JitterSpec,
        /// How far `proportional` jitter goes either way: 0.2 is 20 %.
        pub jitter_factor: f64 = 0.2,
    }
}

spec! {
    /// Which store, and which cache before it.
    pub struct AccessSpec {
        /// The store.
        pub store: String,
        /// Cache-aside: look here first, store what was read, fall back to an expired copy if the store fails.
        pub cache?: Option<String>,
    }
}

spec! {
    /// Which store, which cache beside it, and on which condition (If-Match; ARCHITECTURE.md, "Policies").
    pub struct WriteSpec {
        /// The store.
        pub store: String,
        /// What was written is kept here as well.
        pub cache?: Option<String>,
        /// The version that the row must still have, or the step fails with 412, as an expression: `version` is that of
        /// the row read before. Below 1, or absent: there is no condition.
        pub if_match?: Option<String>,
        /// Whether a write without a condition is refused with 428.
        pub if_match_required?: bool,
    }
}

spec! {
    /// A cache with copies of rows: time to live, least recently used leaves first, stale-if-error.
    pub struct CacheSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// Copies that fit in; absent or null: one of every row.
        pub capacity?: Option<u32>,
        /// A copy is fresh for this long; null: for ever.
        pub ttl_s?: Option<f64>,
        /// Each copy's time to live is spread by this share either way, so that they do not expire together.
        pub ttl_jitter?: f64,
        /// Finding a copy fresh begins its time to live anew.
        pub refresh_on_read?: bool,
        /// Which copy a full cache gives up.
        pub eviction?: EvictionSpec,
        /// One load of a row at a time: whoever else misses it waits and shares what comes of it.
        pub single_flight?: bool,
        /// Whether it holds a copy of every row at the start, as far as they fit in.
        pub warm?: bool,
        /// An expired copy is served for this long while it is loaded again (RFC 5861); 0: never.
        pub stale_while_revalidate_s?: f64,
        /// An expired copy may be served for this long when its origin fails (RFC 5861); 0: never.
        pub stale_if_error_s?: f64,
        /// Copies are loaded again before they expire, at random (XFetch); absent: never.
        pub early_expiration?: Option<EarlyExpirationSpec>,
        /// That the origin failed is kept for this long, and whoever asks gets the same failure; absent: not at all.
        pub failure_ttl_s?: Option<f64>,
        /// Whether a copy whose row was invalidated after it was looked up is not stored (leases, as in memcache).
        pub leases?: bool,
        /// Whether each instance that asks has copies of its own, in its own memory; `capacity` is then that of each.
        pub local?: bool,
        /// Whether copies outlive the cache's going down.
        pub durable: bool = true,
    }
}

spec! {
    /// Which copy a full cache gives up (ARCHITECTURE.md, "Policies").
    #[derive(Default)]
    pub enum EvictionSpec {
        /// The one not touched for longest.
        #[default]
        Lru,
        /// The one that came in first.
        Fifo,
        /// Any.
        Random,
        /// The one looked up least often.
        Lfu,
    }
}

spec! {
    /// Early expiration (XFetch, VLDB 2015).
    #[derive(Copy)]
    pub struct EarlyExpirationSpec {
        /// Above 1: earlier loads.
        pub beta: f64 = 1.0,
        /// What a load is taken to cost; absent: as long as the last one took.
        pub delta_ms?: Option<f64>,
    }
}

spec! {
    /// A database in the manner of SQLite in WAL mode: up to `readers` reads at once beside one writer; who finds no free
    /// connection waits in a line, and its caller's timeout bounds the wait.
    pub struct StoreSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// Reading connections.
        pub readers: u32,
        /// Rows; keys run from 0 to `rows` - 1.
        pub rows: u32,
        /// Time a read holds a reading connection.
        pub read: DistSpec,
        /// Time a write holds the one writing connection, its commit included.
        pub write: DistSpec,
    }
}

spec! {
    /// How a node calls another.
    #[derive(Default)]
    pub struct CallSpec {
        /// The caller stops waiting for one attempt after this long; absent: never.
        pub timeout_ms?: Option<f64>,
        /// The caller stops waiting for all attempts together after this long; absent: never.
        pub deadline_ms?: Option<f64>,
        /// Whether the deadline travels with the call, so that whoever it reaches knows it.
        pub propagate_deadline?: bool,
        /// Whether the callee notices that its caller has gone.
        pub cancel?: CancelSpec,
        /// Parallel attempts; absent: none. Only for routes that may be done twice; not together with `retry`.
        pub hedging?: Option<HedgingSpec>,
        /// Further attempts; absent: none.
        pub retry?: Option<RetrySpec>,
        /// Circuit breaker; absent: none.
        pub breaker?: Option<BreakerSpec>,
        /// How an instance is chosen; absent: least request of two.
        pub balancer?: Option<BalancerSpec>,
        /// A user stays with the instance that was chosen first: a long-lived connection, a session, an answer of DNS that is kept;
        /// absent: chosen anew for each call.
        pub sticky?: Option<StickySpec>,
        /// An instance that is new on the list gets 5 % of its share at first, and all of it after this long (Envoy,
        /// nginx: slow start); absent: all at once.
        pub slow_start_s?: Option<f64>,
        /// Adaptive throttle of the caller; absent: none.
        pub throttle?: Option<ThrottleSpec>,
        /// Instances that fail again and again are left out for a while; absent: never.
        pub outlier_detection?: Option<OutlierDetectionSpec>,
        /// Active health checks of the instances; absent: all count as healthy.
        pub health_check?: Option<HealthCheckSpec>,
        /// The connections that its calls go over; absent: they cost nothing and never run out. Probes have their own.
        pub connections?: Option<ConnectionsSpec>,
    }
}

spec! {
    /// How long a user stays with an instance. At the start of the run everybody is somewhere in such a time.
    #[derive(Copy)]
    pub struct StickySpec {
        /// For so long; absent: for ever.
        pub for_s?: Option<f64>,
        /// Each time is drawn from (1 - j) to (1 + j) times that.
        pub jitter?: f64,
        /// Whether users stay even if the instance is left out, or off the list: a kept answer of DNS.
        pub blindly?: bool,
    }
}

spec! {
    /// Adaptive throttling (SRE book, "Handling Overload"; § 7): a caller that is refused too much sends less.
    #[derive(Copy)]
    pub struct ThrottleSpec {
        /// About this many calls are sent for each one accepted.
        pub k: f64 = 2.0,
        /// How far it looks back.
        pub window_s: f64 = 120.0,
    }
}

spec! {
    /// Retry with back-off (ARCHITECTURE.md, "Policies"). The defaults are the adopted ones.
    pub struct RetrySpec {
        /// Attempts, the first included; null: until one succeeds.
        pub max_attempts: Option<u8> = Some(3),
        /// Back-off before the first retry.
        pub base_delay_ms: f64 = 100.0,
        /// Longest back-off.
        pub max_delay_ms: f64 = 20_000.0,
        /// Each back-off is this many times the one before.
        pub multiplier: f64 = 2.0,
        /// How chance is mixed in.
        pub jitter?: JitterSpec,
        /// How far `proportional` jitter goes either way: 0.2 is 20 %.
        pub jitter_factor: f64 = 0.2,
        /// How many retries all requests together may make.
        pub budget?: BudgetSpec,
        /// What is tried again.
        pub retry_on: Vec<RetryOnSpec> = vec![RetryOnSpec::Timeout, RetryOnSpec::Unavailable],
        /// The pause before each retry is drawn from here instead.
        pub pause?: Option<DistSpec>,
        /// A retry goes to an instance that was not tried yet, while there is one.
        pub other_instance?: bool,
        /// Whether a retry waits at least as long as the answer asked for (`Retry-After`).
        pub honor_retry_after: bool = true,
    }
}

spec! {
    /// What is tried again.
    #[cfg_attr(feature = "schema", derive(serde::Serialize), serde(rename_all = "snake_case"))]
    pub enum RetryOnSpec {
        /// An attempt that took too long.
        Timeout,
        /// 503 and 504: refused, shed, down.
        Unavailable,
        /// 500 and 502: only where doing it twice is known to be safe.
        Error,
        /// 429.
        RateLimited,
        /// 409: another attempt is under way, or another change came first.
        Conflict,
    }
}

spec! {
    /// Whether a callee notices that its caller has gone (ARCHITECTURE.md, "Policies").
    #[derive(Default)]
    pub enum CancelSpec {
        /// It never does, and finishes the work.
        #[default]
        None,
        /// When it takes the call out of its line.
        AtDequeue,
        /// At once, wherever the call stands; whom it called is told as well.
        Anywhere,
    }
}

spec! {
    /// Parallel attempts (gRPC A6).
    #[derive(Copy)]
    pub struct HedgingSpec {
        /// Copies, the first included.
        pub max_attempts: u8,
        /// A further copy is sent after this long without an answer; 0: all at once.
        pub delay_ms: f64,
        /// Whether copies go to different instances while there are any.
        pub distinct_target: bool = true,
        /// What becomes of the copies that lost.
        pub cancel?: CancelSpec,
    }
}

spec! {
    /// How chance is mixed into a back-off of v.
    #[derive(Default)]
    pub enum JitterSpec {
        /// Always v.
        None,
        /// Anything from 0 to v.
        #[default]
        Full,
        /// Anything from v/2 to v.
        Equal,
        /// Anything from the base to three times the previous back-off.
        Decorrelated,
        /// Anything from (1 - f) v to (1 + f) v, f being `jitter_factor`.
        Proportional,
    }
}

spec! {
    /// How many retries all requests together may make.
    pub enum BudgetSpec tagged "kind" {
        /// As many as they like.
        None {},
        /// A share of the requests of the last seconds, and a few more.
        Ratio {
            /// How long a request counts.
            ttl_s: f64,
            /// Retries a second that are always allowed.
            min_rps: f64,
            /// Retries per request.
            ratio: f64,
        },
        /// A balance that starts full.
        Tokens {
            /// What every first attempt pays in.
            per_request: f64,
            /// What a retry takes out.
            per_retry: f64,
            /// The balance grows no further than this.
            cap: f64,
        },
        /// gRPC's throttling: a count that failures lower; retries pass while it is above half.
        Throttle {
            /// Where the count starts, and where it stops growing.
            max_tokens: f64,
            /// What a success pays in.
            token_ratio: f64,
        },
        /// The AWS SDK's quota.
        Quota {
            /// Where the balance starts, and where it stops growing.
            capacity: u32,
            /// What a retry takes out.
            retry_cost: u32,
            /// What a retry after a timeout takes out.
            timeout_retry_cost: u32,
            /// What a success at the first attempt pays in.
            no_retry_increment: u32,
        },
        /// Envoy's: a share of the requests under way.
        Concurrent {
            /// The share in percent.
            percent: f64,
            /// Retries that may be under way whatever the share.
            min: u32,
        },
    }
}

impl Default for BudgetSpec {
    fn default() -> BudgetSpec {
        BudgetSpec::Ratio { ttl_s: 10.0, min_rps: 10.0, ratio: 0.2 }
    }
}

spec! {
    /// Circuit breaker with the semantics of resilience4j (ARCHITECTURE.md, "Policies"). The defaults are the adopted ones.
    pub struct BreakerSpec {
        /// Calls in the window.
        pub sliding_window_size: u32 = 20,
        /// Whole seconds in the window, in place of a number of calls.
        pub sliding_window_s?: Option<u32>,
        /// Calls needed before the breaker judges.
        pub minimum_number_of_calls: u32 = 10,
        /// Opens at this share of failures, in percent.
        pub failure_rate_percent: f64 = 50.0,
        /// A call that takes longer is slow.
        pub slow_call_ms: f64 = 60_000.0,
        /// Opens at this share of slow calls, in percent.
        pub slow_call_rate_percent: f64 = 100.0,
        /// Stays open for this long.
        pub wait_in_open_s: f64 = 5.0,
        /// Trial calls when half-open.
        pub permitted_calls_in_half_open: u32 = 3,
    }
}

spec! {
    /// How an instance is chosen (ARCHITECTURE.md, "Policies").
    pub enum BalancerSpec tagged "policy" {
        /// One after the other.
        RoundRobin {},
        /// The one with the fewest calls under way, of some looked at.
        LeastRequest {
            /// How many are looked at; null: all.
            choices: Option<u8> = Some(2),
            /// Whether the same one may be drawn twice.
            with_replacement: bool = true,
        },
        /// Any.
        Random {},
        /// The first one that may get traffic; the others stand by.
        First {},
        /// In turn, each as often as its weight says, spread out evenly (nginx).
        WeightedRoundRobin {
            /// A weight for each instance, in order; 0 gets nothing.
            weights: Vec<u32>,
        },
        /// Of two the one with the smaller latency times calls under way; bad news is believed at once (Finagle).
        PeakEwma {
            /// Good news is believed over about this long.
            decay_s: f64 = 10.0,
            /// What an instance is taken to need that was never asked.
            initial_ms: f64 = 1_000.0,
        },
        /// The same instance for the same row while the number of healthy instances stays: a hash modulo that number.
        Modulo {},
        /// The same instance for the same row, whoever else comes or goes.
        RingHash {
            /// Points of each instance on the ring.
            vnodes: u32 = 160,
        },
    }
}

spec! {
    /// Outlier detection (Envoy): an instance that fails again and again is left out for a while. A
    /// call without an answer in time counts as a failure.
    pub struct OutlierDetectionSpec {
        /// Failures in a row until an instance is left out.
        pub consecutive_5xx: u32 = 5,
        /// It is left out for this long times the number of times in a row.
        pub base_ejection_s: f64 = 30.0,
        /// Never longer than this.
        pub max_ejection_s: f64 = 300.0,
        /// Of all instances at most this share is left out, but one may always be.
        pub max_ejection_percent: f64 = 10.0,
        /// Time between two looks at whose time is over.
        pub interval_s: f64 = 10.0,
    }
}

spec! {
    /// Active health checks (ARCHITECTURE.md, "Policies").
    pub struct HealthCheckSpec {
        /// Time between two probes of an instance.
        pub interval_s: f64 = 2.0,
        /// A probe without an answer after this long has failed.
        pub timeout_ms: f64 = 1_000.0,
        /// Failed probes in a row until an instance is left out.
        pub unhealthy_threshold: u32 = 3,
        /// Good probes in a row until it is back.
        pub healthy_threshold: u32 = 2,
    }
}

spec! {
    /// The way between two nodes, there and back alike.
    pub struct LinkSpec {
        /// The caller.
        pub from: String,
        /// The callee; all its replicas.
        pub to: String,
        /// Time on the way, one way.
        pub delay_ms: f64,
        /// More time on the way, drawn anew each way.
        pub jitter?: Option<DistSpec>,
        /// Messages that are lost and sent again; absent: none.
        pub loss?: Option<LossSpec>,
        /// What the link can carry; absent: anything.
        pub bandwidth?: Option<BandwidthSpec>,
    }
}

spec! {
    /// Who sends what.
    pub struct WorkloadSpec {
        /// The client node that sends.
        pub client: String,
        /// The node the requests go to.
        pub target: String,
        /// When requests are sent.
        pub arrivals: ArrivalsSpec,
        /// Sending begins at this second.
        pub from_s?: f64,
        /// No request is sent from this second on; absent: until the run ends.
        pub to_s?: Option<f64>,
        /// No more than this many requests are sent; absent: no such limit.
        pub requests?: Option<u32>,
        /// How urgent the requests are where a line is kept, or load is shed, by priority: 1 is the most urgent.
        pub priority: u8 = 1,
        /// Which routes, by name.
        pub routes: Map<RouteSpec>,
        /// Which rows: keys from 0 to this number less 1.
        pub keys: u32,
        /// How often each of the keys is asked for.
        pub popularity?: PopularitySpec,
        /// How many users, each with a token of its own.
        pub users: u32,
        /// Whether each request says in `X-Forwarded-For` that it comes from yet another address. Each user has one address,
        /// in truth.
        pub spoofed_forwarded_for?: bool,
        /// The users' tokens are forged; absent: genuine.
        pub forged?: Option<ForgerySpec>,
        /// How long a token is valid; a user fetches a new one in time.
        pub token_lifetime_s: f64 = 3_600.0,
    }
}

spec! {
    /// A route of a workload.
    pub struct RouteSpec {
        /// Share of the requests, relative to the other routes.
        pub weight: f64,
        /// What kind of operation it is: the label `op` of all signals.
        pub op: OpSpec,
    }
}

spec! {
    /// A kind of operation.
    #[derive(PartialOrd, Ord)]
    pub enum OpSpec {
        /// Changes nothing.
        Read,
        /// Changes data.
        Write,
    }
}

spec! {
    /// What breaks when: in `[from_s, to_s)`.
    pub struct FaultSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The node it hits; all replicas, or one of them as `api-1`.
        pub node: String,
        /// What it does.
        pub effect: EffectSpec,
        /// Begins at this second.
        pub from_s: f64,
        /// Ends at this second.
        pub to_s: f64,
    }
}

spec! {
    /// What a fault does.
    pub enum EffectSpec tagged "kind" {
        /// The node refuses every new call at once; calls under way are finished.
        Down {},
        /// Work takes this many times as long.
        Slow {
            /// How many times as long.
            factor: f64,
        },
        /// This share of calls fails with an internal error after its work.
        Errors {
            /// Share of calls, from 0 to 1.
            ratio: f64,
        },
        /// Nothing progresses; work goes on where it stopped when the fault is over.
        Freeze {},
        /// No work begins; what has begun is finished.
        HoldStarts {},
        /// The database is lost: it refuses until the fault is over, and has then become its replica, without what had not
        /// reached that yet.
        FailOver {},
        /// Messages between the node and its caller are lost. TCP sends each again after 200 ms (the link's `rto_ms`), and
        /// again after twice as long each time, until one gets through.
        Partition {
            /// The caller; all replicas, or one of them as `api-1`.
            from: String,
            /// Which messages.
            lost?: LostSpec,
        },
        /// The `connections` that the caller has with the node when the fault begins are dead, and neither is told: what is
        /// sent over them never arrives. New ones work. Somewhere on the way a firewall has forgotten them.
        HalfOpen {
            /// The caller; all replicas, or one of them as `api-1`.
            from: String,
        },
        /// The process dies: what it had begun, and who waited for it, is lost, and its callers' connections break (502). It
        /// does not start again before the fault is over (`life`).
        Crash {},
    }
}

spec! {
    /// Which messages a partition loses.
    #[derive(Default)]
    pub enum LostSpec {
        /// Requests and answers.
        #[default]
        Both,
        /// Requests only.
        Requests,
        /// Answers only: the work is done, and nobody knows.
        Answers,
    }
}

spec! {
    /// Watches a node and opens an incident when it fails: by probes (`timeout_ms` and the two thresholds), by how fast the
    /// error budget burns (`burn_rate`), or by a rule over a number (`alert`); one of the three.
    pub struct MonitorSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The node that is watched.
        pub target: String,
        /// Time between two probes, or between two looks at the counts.
        pub interval_s: f64,
        /// A probe without an answer after this long has failed.
        pub timeout_ms?: Option<f64>,
        /// Failed probes in a row until an incident is opened.
        pub failure_threshold?: Option<u32>,
        /// Good probes in a row until it counts as recovered.
        pub success_threshold?: Option<u32>,
        /// Counts answers instead of probing.
        pub burn_rate?: Option<BurnRateSpec>,
        /// Looks at a number instead of probing.
        pub alert?: Option<AlertSpec>,
        /// How an alert reaches somebody; absent: it does so at once.
        pub deliver?: Option<DeliverSpec>,
    }
}

spec! {
    /// An alert rule over a number, looked at every `interval_s` (ARCHITECTURE.md, "Policies"). A window that reaches back
    /// before the run ends there.
    pub struct AlertSpec {
        /// What is looked at.
        pub of: WatchedSpec,
        /// How the values of the window become one number.
        pub number as "as": AlertNumberSpec,
        /// Length of the window.
        pub window_s: f64,
        /// It is a reason to alert above this.
        pub above?: Option<f64>,
        /// It is a reason to alert below this; with `count` and 1 an alert about silence (a dead-man switch).
        pub below?: Option<f64>,
        /// It fires when that has held at every look for this long.
        pub for_s?: f64,
        /// It is over only at this or on the quiet side of it; absent: at the threshold.
        pub clear_at?: Option<f64>,
        /// It is over when that has held at every look for this long.
        pub keep_firing_s?: f64,
        /// Fewer values than this in the window say nothing; `count` and `sum` always do.
        pub minimum: u32 = 1,
    }
}

spec! {
    /// What an alert rule looks at.
    pub enum WatchedSpec {
        /// Of each request of the target 1 if it failed, else 0. Of a client a request fails without being at fault, of any
        /// other node with an answer of 500 and above.
        Failures,
        /// Of each request of the target how long it took, in seconds.
        LatencyS,
        /// The values that programs observe of this signal.
        Observed(String),
    }
}

spec! {
    /// How the values of a window become one number.
    pub enum AlertNumberSpec {
        /// Their mean: of failures the share.
        Mean,
        /// All together.
        Sum,
        /// How many there are.
        Count,
        /// The median.
        P50,
        /// Nine in ten are no larger.
        P90,
        /// 95 in a hundred are no larger.
        P95,
        /// 99 in a hundred are no larger.
        P99,
    }
}

spec! {
    /// How an alert reaches somebody: as a call of a service, whose answer is the acknowledgement.
    pub struct DeliverSpec {
        /// The service: whoever pages people, with all that he depends on.
        pub to: String,
        /// Its route.
        pub route: String,
        /// How it is called.
        pub call?: CallSpec,
    }
}

spec! {
    /// A burn-rate rule (SRE workbook, chapter 5; ARCHITECTURE.md, "Policies"): an alert when over both windows the share of
    /// failures is more than `rate` times what the objective leaves; for 30 days the workbook has 14.4 over 1 h and 5 min, 6
    /// over 6 h and 30 min. Of a client the requests that failed without being at fault count, of any other node answers
    /// of 500 and above. A window that reaches back before the run ends there.
    #[derive(Copy)]
    pub struct BurnRateSpec {
        /// The share of requests that are to succeed, such as 0.999.
        pub objective: f64,
        /// The long window: enough of the budget is at stake.
        pub long_window_s: f64,
        /// The short window: it still goes on.
        pub short_window_s: f64,
        /// So many times as fast as it may the budget is spent; with equal windows a plain threshold.
        pub rate: f64,
        /// Fewer requests than this in the long window say nothing.
        pub minimum_requests: u32 = 1,
    }
}

spec! {
    /// A signal of the scenario's own. One of the name of a built-in signal takes its place.
    pub struct SignalSpec {
        /// Unit of its values, such as `s`, `bytes` or `orders`; 1 for a share.
        pub unit: String,
        /// What it says, in a sentence.
        pub help: String,
        /// What kind of number it is: this decides how it may be reduced.
        pub kind: SignalKind,
        /// Where its values come from.
        pub source: SourceSpec,
        /// Of a histogram: upper bounds of buckets, ascending. Its percentiles are then estimated from the counts of these
        /// buckets alone, as Prometheus' `histogram_quantile` does, and not from the values.
        pub buckets?: Vec<f64>,
        /// Labels: name to values, each with the condition that a record must meet to have it.
        pub labels?: Map<Map<String>>,
    }
}

spec! {
    /// What kind of number a signal is.
    pub enum SignalKind {
        /// Something that is counted: sums over time.
        Counter,
        /// A level that holds until it changes: weighted by time.
        Gauge,
        /// Values that are distributed: percentiles.
        Histogram,
        /// A quotient of sums, made anew for every window.
        Ratio,
        /// One number for the whole run.
        Scalar,
    }
}

spec! {
    /// Where the values of a signal come from.
    pub enum SourceSpec {
        /// Records of the run: a counter counts them, or sums a value of each; a histogram collects that value; a gauge holds
        /// it until the next.
        Records(RecordsSpec),
        /// Values that programs observe under the signal's name.
        Observed,
        /// How full nodes are; for gauges.
        Level(LevelSpec),
        /// An expression over other signals. One with labels or a reduction stands between single quotes, as in
        /// `'http_errors_total{route=pay}' / http_requests_total`; without a reduction a counter gives its sum, a scalar its
        /// value and everything else its mean. For counters, gauges, ratios and scalars.
        Formula(String),
        /// A rule over the rows of a table, looked at once a second: a counter of the rows that break it, which falls again
        /// when they are mended.
        Invariant(InvariantSpec),
    }
}

spec! {
    /// A rule over rows.
    pub struct InvariantSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// What must not be, as a condition over `key`, `version` and the columns of a row.
        pub breach: String,
    }
}

spec! {
    /// Which records.
    pub struct RecordsSpec {
        /// Their kind, as `--trace` writes it: `answered`, `row_read`, ...
        pub of: String,
        /// Only those of this node: an instance, or all of a group.
        pub node?: Option<String>,
        /// Only those that meet this condition over the fields of the record and its request.
        pub when?: Option<String>,
        /// What each one gives, as an expression over the same fields; absent: 1.
        pub value?: Option<String>,
        /// Of a counter: each value of `value` counts once, when it is met first (a cardinality).
        pub distinct?: bool,
    }
}

spec! {
    /// A level of nodes.
    pub struct LevelSpec {
        /// Of what.
        pub of: LevelKind,
        /// Of this node: an instance, or all of a group.
        pub node: String,
        /// How several instances become one number. The `max` and `min` of a sum over a window are bounds: the instances need
        /// not have been at their extremes together.
        pub across?: AcrossSpec,
    }
}

spec! {
    /// What a level is of.
    pub enum LevelKind {
        /// Calls in the waiting line.
        Waiting,
        /// Calls in a worker or connection.
        InService,
        /// Share of the workers or connections in use.
        Utilization,
        /// State of the circuit breaker: 0 closed, 1 open, 2 half-open.
        Circuit,
    }
}

spec! {
    /// How several instances become one number.
    #[derive(Default)]
    pub enum AcrossSpec {
        /// All together.
        #[default]
        Sum,
        /// Their mean.
        Mean,
        /// The highest.
        Max,
        /// The lowest.
        Min,
    }
}

spec! {
    /// Something a learner may turn.
    pub struct KnobSpec {
        /// Title for people.
        pub title: String,
        /// What it changes: a dotted path to a number of the document.
        pub path: String,
        /// Unit of the number, for people; empty for a plain count.
        pub unit: String,
        /// Smallest value.
        pub min: f64,
        /// Largest value.
        pub max: f64,
        /// Distance between two values.
        pub step: f64,
        /// What turning it does, in a sentence.
        pub help?: String,
    }
}

spec! {
    /// A patch of the document.
    pub struct VariantSpec {
        /// Title for people.
        pub title: String,
        /// Dotted path to value; null deletes.
        pub set?: Map<Value>,
    }
}

spec! {
    /// What the scenario promises.
    pub struct ClaimSpec {
        /// The promise in words.
        pub text: String,
        /// What part it plays.
        pub role: RoleSpec,
        /// The promise as an expression (ARCHITECTURE.md, "Claims").
        pub expr: String,
        /// Why a claim of role `context` is exempt from mutation, or why it is not as it `was`.
        pub reason?: Option<String>,
        /// The check of the catalogue that this claim stands for, where it is not the same.
        pub was?: Option<String>,
    }
}

spec! {
    /// What part a claim plays.
    pub enum RoleSpec {
        /// Shows the problem.
        Effect,
        /// Shows the cure.
        Cure,
        /// Shows the surroundings.
        Context,
    }
}
