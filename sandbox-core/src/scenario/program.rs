//! What a service does for a route: steps as written, compiled to a flat list that the engine walks.
//!
//! A program is straight code with jumps: branches and loops become conditional jumps, a failing step jumps to the handler that
//! encloses it, parallel branches are entries that strands of the stay begin at. So the live state of a program is one number.

use super::dist::Dist;
use super::{Expr, Inspected, ReadFromSpec};
use crate::ids::{RouteId, TableId};
use crate::store::{Column, Fields, Filter, Mode, TableLock};
use crate::time::Span;
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
    /// Have the language model write.
    Generate(GenerateStep),
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

/// What a language model is to write.
#[derive(Clone, Debug)]
pub struct GenerateStep {
    /// Tokens of the prompt.
    pub prompt: Expr,
    /// Tokens of the answer.
    pub output: Expr,
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
    /// BEGIN, and how long its statements wait for a lock, if not as the database says.
    Begin(Mode, Option<Span>),
    /// LOCK TABLE.
    LockTable(TableId, TableLock),
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
pub(super) const NAMES: [&str; 13] = [
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
