//! The steps of a program.

use super::dist::DistSpec;
use super::spec_macro::spec;
use super::{
    AccessSpec, BeginSpec, DeleteSpec, EndSpec, Formula, GenerateSpec, InsertSpec, InspectSpec, LockTableSpec, Map,
    ScanSpec, SelectSpec, UpdateSpec, WriteSpec,
};
use crate::policy::idempotency::IdempotencyConfig;

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
        /// Have the service's language model write an answer, and wait for its end.
        Generate(GenerateSpec),
        /// Ask a rate limiter of the service: go on, or fail with 429.
        Limit(LimitSpec),
        /// Begin a transaction. One that is still open when the program ends is rolled back.
        Begin(BeginSpec),
        /// Lock a whole table.
        LockTable(LockTableSpec),
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
    /// A pause whose length is computed.
    pub struct PauseSpec {
        /// Milliseconds, as an expression.
        pub ms: String,
    }
}

/// The idempotency keys of one step.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyPlan {
    /// Whether a key is required, and how long an answer is kept.
    pub config: IdempotencyConfig,
    /// Whether failures are forgotten, so that a further attempt is made.
    pub successes_only: bool,
    /// Whether a further attempt waits for the one under way.
    pub waits: bool,
}

/// Whether one of the steps, or one within them, is such a step.
#[inline]
pub(super) fn any_step(steps: &[StepSpec], is: &dyn Fn(&StepSpec) -> bool) -> bool {
    steps.iter().any(|step| is(step) || blocks(step).into_iter().any(|steps| any_step(steps, is)))
}

/// The blocks of steps within a step.
#[inline]
fn blocks(step: &StepSpec) -> Vec<&[StepSpec]> {
    match step {
        StepSpec::If(branch) => vec![&branch.then, &branch.otherwise],
        StepSpec::Repeat(repeat) => vec![&repeat.steps],
        StepSpec::Cached(cached) => vec![&cached.load],
        StepSpec::Idempotent(spec) => vec![&spec.steps],
        StepSpec::All(all) => all.branches.iter().map(Vec::as_slice).collect(),
        StepSpec::Try(attempt) => vec![&attempt.steps, &attempt.on_failure],
        _ => Vec::new(),
    }
}
