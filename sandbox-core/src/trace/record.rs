//! One fact of a run, with the fact that caused it.

use crate::ids::{IncidentId, NodeId, RequestId, RouteId, Seq};
use crate::time::{Span, Time};
use serde::{Deserialize, Serialize};

/// One fact of a run.
///
/// Two edges lead backwards. `follows` is the request's own previous record: walking it from the answer to the intended
/// send gives the critical path, whose hops partition the latency. `cause` says *why*: usually the same record, but a
/// wait points at what made the resource busy and a refusal at the state change it obeyed, so the chain of causes leads to
/// the root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened.
    pub at: Time,
    /// Its number.
    pub seq: Seq,
    /// Where it happened; for faults the node they hit.
    pub node: NodeId,
    /// The request it belongs to, or [`RequestId::NONE`].
    pub request: RequestId,
    /// What happened.
    pub what: What,
    /// Why: the record without which this one would not be, or none for a root (an arrival, a fault, ordinary load).
    pub cause: Option<Seq>,
    /// The record of the same request that this one comes directly after.
    pub follows: Option<Seq>,
}

/// What happened. The order of the variants is part of the digest; add new ones at the end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A user wants an answer: the intended send, from which latency is measured.
    Intended {
        /// Which route.
        route: RouteId,
        /// Which row.
        key: u32,
        /// Which user.
        user: u32,
    },
    /// A caller sends attempt number `attempt` (from 1) to `to`.
    Called {
        /// The callee.
        to: NodeId,
        /// Which attempt, from 1.
        attempt: u8,
    },
    /// A call reached its node.
    Arrived {
        /// Which attempt, from 1.
        attempt: u8,
    },
    /// All workers (or connections) are busy; `ahead` others wait already. Its cause is the start of the busy period.
    Queued {
        /// How many wait before it.
        ahead: u32,
    },
    /// All workers (or connections) of the node became busy: a busy period begins.
    Saturated {
        /// Calls in service.
        in_service: u32,
    },
    /// A worker (or connection) takes a call up that had to wait; one that finds a free worker is taken up as it arrives.
    Started,
    /// A piece of the node's own work is done.
    Worked,
    /// The node refuses the call. Its cause is the state it obeys.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The node sends its answer back to the caller.
    Replied {
        /// As HTTP would say it.
        status: Status,
        /// Time in the node.
        sojourn: Span,
    },
    /// The caller has the answer of a call.
    Received {
        /// As HTTP would say it.
        status: Status,
    },
    /// The caller stops waiting; the callee does not notice and works on.
    TimedOut {
        /// The callee.
        to: NodeId,
        /// How long the caller waited.
        after: Span,
    },
    /// The caller will try again after a pause.
    BackedOff {
        /// How long.
        delay: Span,
    },
    /// The caller does not try again.
    GaveUp {
        /// Why.
        end: AttemptEnd,
    },
    /// An answer came after its caller had stopped waiting.
    CameLate,
    /// A cache was asked.
    CacheAsked {
        /// Which row.
        key: u32,
        /// What was found.
        result: CacheResult,
    },
    /// A copy was put into a cache.
    CacheStored {
        /// Which row.
        key: u32,
        /// The row's version.
        version: u64,
    },
    /// The origin failed: answered from an expired copy (stale-if-error, RFC 5861), or found none that may be used.
    FellBack {
        /// What was found.
        fallback: CacheFallback,
    },
    /// A row was read.
    RowRead {
        /// Which row.
        key: u32,
        /// The row's version.
        version: u64,
    },
    /// A row was written.
    RowWritten {
        /// Which row.
        key: u32,
        /// The row's version.
        version: u64,
    },
    /// The user has an answer, or gave up: the end of the request.
    Answered {
        /// How it ended.
        outcome: Outcome,
        /// From the intended send.
        latency: Span,
    },
    /// A circuit breaker of `node` towards `to` opened.
    BreakerOpened {
        /// The callee.
        to: NodeId,
        /// Failures in the window.
        failures: u32,
        /// Calls in the window.
        calls: u32,
    },
    /// A circuit breaker lets trial calls through.
    BreakerHalfOpened {
        /// The callee.
        to: NodeId,
    },
    /// A circuit breaker closed.
    BreakerClosed {
        /// The callee.
        to: NodeId,
    },
    /// A balancer stops sending to an instance.
    InstanceEjected {
        /// Which instance.
        instance: NodeId,
    },
    /// A balancer sends to an instance again.
    InstanceRestored {
        /// Which instance.
        instance: NodeId,
    },
    /// A fault of the scenario begins; `fault` is its position in the plan.
    FaultBegan {
        /// Position in the plan's faults.
        fault: u16,
    },
    /// A fault of the scenario ends.
    FaultEnded {
        /// Position in the plan's faults.
        fault: u16,
    },
    /// A monitor's probe of its target had this result.
    Probed {
        /// Whether the target answered.
        ok: bool,
    },
    /// A monitor opened an incident.
    IncidentOpened {
        /// Which incident.
        incident: IncidentId,
        /// Failed probes in a row.
        failed_probes: u32,
    },
    /// An alert went out for an incident.
    AlertRaised {
        /// Which incident.
        incident: IncidentId,
    },
    /// The target of an incident is well again; the incident stays open.
    IncidentRecovered {
        /// Which incident.
        incident: IncidentId,
    },
    /// The target failed again while its incident was still open.
    IncidentRelapsed {
        /// Which incident.
        incident: IncidentId,
    },
    /// Somebody resolved an incident.
    IncidentResolved {
        /// Which incident.
        incident: IncidentId,
    },
    /// The client of a mounted world hung up; the work goes on.
    Disconnected,
    /// A probe begins: a monitor's, or a caller's health check.
    ProbeBegan,
    /// A program observed a value of a signal that the scenario declares.
    Observed {
        /// Position in the plan's signals.
        signal: u16,
        /// The value; finite.
        value: f64,
    },
    /// The caller withdrew the call: the node drops it where it stands.
    Withdrawn,
    /// A program's pause is over.
    Paused,
    /// The program goes on in parallel branches.
    Forked {
        /// How many.
        branches: u16,
    },
    /// Enough branches are done: the program goes on.
    Joined,
    /// Nothing more comes of a message: it was delivered as often as it may be and never acknowledged.
    DeadLettered,
    /// A bulkhead lets a call in that had to wait.
    Admitted,
    /// A node broke down by chance.
    BrokeDown,
    /// A node that had broken down by chance works again.
    Repaired,
    /// Another transaction holds the lock that this needs, or another attempt its idempotency key: it waits. Its cause is what
    /// the other did last.
    Blocked,
    /// The program answers from what it stored under the request's idempotency key. Its cause is what was stored.
    Replayed,
    /// A monitor sees the error budget of its target burn too fast. Its cause is the latest failure.
    BudgetBurning {
        /// Burn rate over the long window, times 1000.
        long_milli: u32,
        /// Burn rate over the short window, times 1000.
        short_milli: u32,
    },
    /// The number of an alert rule is beyond its threshold; if that lasts, the rule fires. Its cause is the latest value.
    RuleBroken {
        /// The number; finite.
        number: f64,
    },
    /// Whoever an alert was sent to has answered.
    AlertDelivered {
        /// Of which incident.
        incident: IncidentId,
    },
    /// An alert did not reach whom it was sent to, and is not sent again.
    AlertLost {
        /// Of which incident.
        incident: IncidentId,
    },
    /// A queue lost a message: a newer one took its place, or the queue forgot what it had in memory.
    MessageLost,
    /// A database that failed over does not have what the request had committed, and had its answer for.
    CommitLost,
    /// A cache forgot its copy of a row because it was told to.
    CacheInvalidated {
        /// Which row.
        key: u32,
    },
    /// A cache did not store a copy: its row was invalidated after it had been looked up.
    CacheRefused {
        /// Which row.
        key: u32,
        /// The version of the copy.
        version: u64,
    },
    /// An instance begins to start.
    InstanceStarting,
    /// An instance takes calls.
    InstanceUp,
    /// An instance was told to stop: it is taken off the list.
    InstanceStopping,
    /// An instance has stopped.
    InstanceStopped,
    /// An instance needs more memory than it has.
    OutOfMemory,
    /// An instance died; what it had begun is lost. Its cause is what killed it.
    InstanceCrashed,
    /// How many instances of the node's group there are now.
    Fleet {
        /// So many are not stopped.
        running: u16,
        /// So many take calls.
        up: u16,
        /// So many are on the list of their callers.
        listed: u16,
    },
    /// Instances begin to be replaced; `rollout` is its position in the plan.
    RolloutBegan {
        /// Position in the plan's rollouts.
        rollout: u16,
    },
    /// The first instances with the new release are worse than the others.
    CanaryFailed {
        /// Position in the plan's rollouts.
        rollout: u16,
    },
    /// A release is taken back.
    RolledBack {
        /// Position in the plan's rollouts.
        rollout: u16,
    },
    /// Another number of instances is to run.
    Scaled {
        /// As many as were to run before.
        from: u16,
        /// As many as are to run now.
        to: u16,
    },
    /// A message is lost on its way and sent again.
    Retransmitted {
        /// So many times.
        times: u16,
        /// How much later it arrives.
        after: Span,
    },
    /// A connection to `to` is open: the request is sent over it.
    ConnectionOpened {
        /// The callee.
        to: NodeId,
        /// How long the handshake took.
        took: Span,
    },
    /// A connection to `to` is closed, or known to be.
    ConnectionClosed {
        /// The callee.
        to: NodeId,
        /// Why.
        why: Closing,
        /// Ports that closed connections to it still take.
        time_wait: u32,
    },
    /// All ports for connections to `to` are taken.
    PortsExhausted {
        /// The callee.
        to: NodeId,
        /// By so many connections that are closed already.
        time_wait: u32,
    },
    /// A request or an answer is sent into a connection that is dead, and never arrives. Its cause is what killed it.
    Vanished,
    /// An instance has used up its CPU time: nothing of it runs until the next period begins.
    CpuThrottled,
    /// A piece of work stands still until then.
    WorkStopped,
    /// A piece of work that stood still goes on.
    WorkResumed,
    /// An instance has not answered its liveness probes: it is to be started anew. Its cause is the last of them.
    Unresponsive,
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// As many as may be are idle already.
    Surplus,
    /// The caller had not used it for long.
    Idle,
    /// The callee had not been asked anything for long.
    KeepAlive,
    /// It is too old.
    Age,
    /// The caller stopped waiting for what it had asked.
    Abandoned,
    /// The callee's end is gone.
    Broken,
}

/// Why a node refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The node is down: nothing accepts the call.
    Down,
    /// The waiting line is full.
    QueueFull,
    /// The caller's own circuit breaker is open: nothing was sent.
    BreakerOpen,
    /// The caller's own circuit breaker is half-open and its trial calls are under way: nothing was sent.
    BreakerHalfOpen,
    /// No healthy instance to send to.
    NoInstance,
    /// The token is missing, expired, tampered with or otherwise not valid.
    Unauthorized,
    /// The token bucket is empty.
    RateLimited,
    /// The fault of an error ratio struck.
    Fault,
    /// The real part behind the node reported an error.
    RealError,
    /// The request itself is wrong: no such route, no such row.
    NotFound,
    /// It waited in line as long as it may.
    QueueTimeout,
    /// The bulkhead of its route is full.
    BulkheadFull,
    /// Its caller's deadline had passed before work began.
    DeadlinePassed,
    /// The caller's own adaptive throttle held it back: nothing was sent.
    Throttled,
    /// The store was busy: another transaction holds the lock.
    Busy,
    /// The program answered so.
    Program,
    /// The transaction waited in a circle with others and was rolled back.
    Deadlock,
    /// No serial order explains the transaction: it was rolled back.
    SerializationFailure,
    /// Admission control keeps the others' waits short.
    Shed,
    /// It has no idempotency key, and one is required.
    KeyMissing,
    /// The first request with its idempotency key is under way.
    KeyInProgress,
    /// Its idempotency key belongs to another payload.
    KeyReused,
    /// The row has changed since whoever writes it has seen it.
    PreconditionFailed,
    /// It does not say which version of the row it has seen.
    PreconditionRequired,
    /// The instance died, and the call with it.
    Lost,
    /// The callee had closed the connection that it came over.
    ConnectionReset,
    /// There is no local port left for another connection: nothing was sent.
    NoPort,
}

/// The status of an answer, as HTTP would say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 200 with fresh data.
    Ok,
    /// 200 with an expired copy.
    Stale,
    /// 401.
    Unauthorized,
    /// 404.
    NotFound,
    /// 429.
    TooManyRequests,
    /// 500.
    InternalError,
    /// 503.
    Unavailable,
    /// 504.
    GatewayTimeout,
    /// 400.
    BadRequest,
    /// 403.
    Forbidden,
    /// 409.
    Conflict,
    /// 412.
    PreconditionFailed,
    /// 422.
    UnprocessableContent,
    /// 428.
    PreconditionRequired,
    /// 502: the connection broke before there was an answer.
    BadGateway,
}

impl Status {
    /// The HTTP status code.
    pub const fn code(self) -> u16 {
        match self {
            Status::Ok | Status::Stale => 200,
            Status::Unauthorized => 401,
            Status::NotFound => 404,
            Status::TooManyRequests => 429,
            Status::InternalError => 500,
            Status::Unavailable => 503,
            Status::GatewayTimeout => 504,
            Status::BadRequest => 400,
            Status::Forbidden => 403,
            Status::Conflict => 409,
            Status::PreconditionFailed => 412,
            Status::UnprocessableContent => 422,
            Status::PreconditionRequired => 428,
            Status::BadGateway => 502,
        }
    }

    /// The status with this code, if there is one here.
    pub const fn of_code(code: u16) -> Option<Status> {
        Some(match code {
            200 => Status::Ok,
            401 => Status::Unauthorized,
            404 => Status::NotFound,
            429 => Status::TooManyRequests,
            500 => Status::InternalError,
            503 => Status::Unavailable,
            504 => Status::GatewayTimeout,
            400 => Status::BadRequest,
            403 => Status::Forbidden,
            409 => Status::Conflict,
            412 => Status::PreconditionFailed,
            422 => Status::UnprocessableContent,
            428 => Status::PreconditionRequired,
            502 => Status::BadGateway,
            _ => return None,
        })
    }

    /// Whether the caller got what it asked for.
    pub const fn is_success(self) -> bool {
        matches!(self, Status::Ok | Status::Stale)
    }

    /// Whether a circuit breaker counts this as a failure: 5xx, never 4xx.
    pub const fn is_server_failure(self) -> bool {
        self.code() >= 500
    }
}

/// How a request ended, from its user's side. A closed list: the keys of `by_outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered with fresh data.
    Ok,
    /// Answered with an expired copy.
    OkStale,
    /// 401: the request was at fault.
    #[serde(rename = "unauthorized_401")]
    Unauthorized401,
    /// 404: the request was at fault.
    #[serde(rename = "not_found_404")]
    NotFound404,
    /// 429: the request was refused by a quota.
    #[serde(rename = "rate_limited_429")]
    RateLimited429,
    /// 500.
    #[serde(rename = "internal_error_500")]
    InternalError500,
    /// 503.
    #[serde(rename = "unavailable_503")]
    Unavailable503,
    /// 504.
    #[serde(rename = "gateway_timeout_504")]
    GatewayTimeout504,
    /// The user stopped waiting.
    ClientTimeout,
    /// The user could not connect.
    Refused,
    /// The user hung up.
    Cancelled,
    /// 400: the request was at fault.
    #[serde(rename = "bad_request_400")]
    BadRequest400,
    /// 403: the user may not do that.
    #[serde(rename = "forbidden_403")]
    Forbidden403,
    /// 409: it does not fit the state of things, or another attempt is under way.
    #[serde(rename = "conflict_409")]
    Conflict409,
    /// 412: what the user had seen has changed since.
    #[serde(rename = "precondition_failed_412")]
    PreconditionFailed412,
    /// 422: the request was at fault.
    #[serde(rename = "unprocessable_content_422")]
    UnprocessableContent422,
    /// 428: the request did not say what the user had seen.
    #[serde(rename = "precondition_required_428")]
    PreconditionRequired428,
    /// 502: the connection broke before there was an answer.
    #[serde(rename = "bad_gateway_502")]
    BadGateway502,
}

impl Outcome {
    /// All outcomes, in order.
    pub const ALL: [Outcome; 18] = [
        Outcome::Ok,
        Outcome::OkStale,
        Outcome::Unauthorized401,
        Outcome::NotFound404,
        Outcome::RateLimited429,
        Outcome::InternalError500,
        Outcome::Unavailable503,
        Outcome::GatewayTimeout504,
        Outcome::ClientTimeout,
        Outcome::Refused,
        Outcome::Cancelled,
        Outcome::BadRequest400,
        Outcome::Forbidden403,
        Outcome::Conflict409,
        Outcome::PreconditionFailed412,
        Outcome::UnprocessableContent422,
        Outcome::PreconditionRequired428,
        Outcome::BadGateway502,
    ];

    /// The name used in `by_outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::OkStale => "ok_stale",
            Outcome::Unauthorized401 => "unauthorized_401",
            Outcome::NotFound404 => "not_found_404",
            Outcome::RateLimited429 => "rate_limited_429",
            Outcome::InternalError500 => "internal_error_500",
            Outcome::Unavailable503 => "unavailable_503",
            Outcome::GatewayTimeout504 => "gateway_timeout_504",
            Outcome::ClientTimeout => "client_timeout",
            Outcome::Refused => "refused",
            Outcome::Cancelled => "cancelled",
            Outcome::BadRequest400 => "bad_request_400",
            Outcome::Forbidden403 => "forbidden_403",
            Outcome::Conflict409 => "conflict_409",
            Outcome::PreconditionFailed412 => "precondition_failed_412",
            Outcome::UnprocessableContent422 => "unprocessable_content_422",
            Outcome::PreconditionRequired428 => "precondition_required_428",
            Outcome::BadGateway502 => "bad_gateway_502",
        }
    }

    /// Whether the user got an answer worth having.
    pub const fn is_success(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::OkStale)
    }

    /// Whether the request was at fault (4xx), not the system.
    pub const fn is_client_error(self) -> bool {
        use Outcome::*;
        matches!(
            self,
            Unauthorized401
                | NotFound404
                | RateLimited429
                | BadRequest400
                | Forbidden403
                | Conflict409
                | PreconditionFailed412
                | UnprocessableContent422
                | PreconditionRequired428
        )
    }

    /// Position in [`Outcome::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl From<Status> for Outcome {
    fn from(status: Status) -> Outcome {
        match status {
            Status::Ok => Outcome::Ok,
            Status::Stale => Outcome::OkStale,
            Status::Unauthorized => Outcome::Unauthorized401,
            Status::NotFound => Outcome::NotFound404,
            Status::TooManyRequests => Outcome::RateLimited429,
            Status::InternalError => Outcome::InternalError500,
            Status::Unavailable => Outcome::Unavailable503,
            Status::GatewayTimeout => Outcome::GatewayTimeout504,
            Status::BadRequest => Outcome::BadRequest400,
            Status::Forbidden => Outcome::Forbidden403,
            Status::Conflict => Outcome::Conflict409,
            Status::PreconditionFailed => Outcome::PreconditionFailed412,
            Status::UnprocessableContent => Outcome::UnprocessableContent422,
            Status::PreconditionRequired => Outcome::PreconditionRequired428,
            Status::BadGateway => Outcome::BadGateway502,
        }
    }
}

/// What a cache found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheResult {
    /// A copy within its time to live.
    Fresh,
    /// An expired copy that may still be used if the origin fails.
    Stale,
    /// An expired copy, too old for anything.
    TooOld,
    /// No copy.
    Miss,
    /// An expired copy that is served while it is loaded again.
    Revalidate,
    /// A copy within its time to live that is loaded again early.
    Early,
    /// No copy, but it is being loaded: this look-up waits for it.
    Coalesced,
    /// No copy, but the failure of its origin, kept.
    Failure,
}

/// What became of a read whose origin failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheFallback {
    /// An expired copy was served, this long after it had expired.
    Served {
        /// How long.
        expired_for: Span,
    },
    /// There was no copy.
    NoCopy,
    /// There was a copy, but the stale-if-error window was over.
    TooOld,
}

/// Why a caller does not try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// All attempts are used up.
    Attempts,
    /// The retry budget is empty.
    Budget,
    /// The next attempt would start after the deadline.
    Deadline,
}

impl Record {
    /// Bytes of a record in the digest's layout.
    pub const BYTES: usize = 40;

    /// Writes the record in the digest's fixed little-endian layout (ARCHITECTURE.md, "Digest").
    #[inline]
    pub fn encode(&self, bytes: &mut [u8; Record::BYTES]) {
        let number = |seq| u64::from(Seq::number_or_max(seq));
        let (code, a, b) = self.what.encode();
        let words = [
            self.at.as_nanos(),
            u64::from(code) << 48 | u64::from(self.node.0) << 32 | u64::from(self.seq.number()),
            number(self.cause) << 32 | u64::from(self.request.0),
            u64::from(a) << 32 | number(self.follows),
            b,
        ];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }
}

impl What {
    /// The incident that it is about.
    pub const fn incident(&self) -> Option<IncidentId> {
        match *self {
            What::IncidentOpened { incident, .. }
            | What::AlertRaised { incident }
            | What::AlertDelivered { incident }
            | What::AlertLost { incident }
            | What::IncidentRecovered { incident }
            | What::IncidentRelapsed { incident }
            | What::IncidentResolved { incident } => Some(incident),
            _ => None,
        }
    }

    /// Its kind as a number: the position in the enum, from 1.
    #[inline(never)]
    pub fn code(&self) -> u16 {
        self.encode().0
    }

    /// Code and two payload words of the digest layout.
    #[inline(always)]
    fn encode(&self) -> (u16, u32, u64) {
        use What::*;
        match *self {
            Intended { route, key, user } => (1, key, u64::from(user) << 8 | u64::from(route.0)),
            Called { to, attempt } => (2, u32::from(to.0), u64::from(attempt)),
            Arrived { attempt } => (3, u32::from(attempt), 0),
            Queued { ahead } => (4, ahead, 0),
            Saturated { in_service } => (5, in_service, 0),
            Started => (6, 0, 0),
            Worked => (7, 0, 0),
            Refused { refusal } => (8, refusal as u32, 0),
            Replied { status, sojourn } => (9, u32::from(status as u8), sojourn.as_nanos()),
            Received { status } => (10, u32::from(status as u8), 0),
            TimedOut { to, after } => (11, u32::from(to.0), after.as_nanos()),
            BackedOff { delay } => (12, 0, delay.as_nanos()),
            GaveUp { end } => (13, end as u32, 0),
            CameLate => (14, 0, 0),
            CacheAsked { key, result } => (15, key, result as u64),
            CacheStored { key, version } => (16, key, version),
            FellBack { fallback } => match fallback {
                CacheFallback::Served { expired_for } => (17, 0, expired_for.as_nanos()),
                CacheFallback::NoCopy => (17, 1, 0),
                CacheFallback::TooOld => (17, 2, 0),
            },
            RowRead { key, version } => (18, key, version),
            RowWritten { key, version } => (19, key, version),
            Answered { outcome, latency } => (20, outcome as u32, latency.as_nanos()),
            BreakerOpened { to, failures, calls } => {
                (21, u32::from(to.0), u64::from(failures) << 32 | u64::from(calls))
            }
            BreakerHalfOpened { to } => (22, u32::from(to.0), 0),
            BreakerClosed { to } => (23, u32::from(to.0), 0),
            InstanceEjected { instance } => (24, u32::from(instance.0), 0),
            InstanceRestored { instance } => (25, u32::from(instance.0), 0),
            FaultBegan { fault } => (26, u32::from(fault), 0),
            FaultEnded { fault } => (27, u32::from(fault), 0),
            Probed { ok } => (28, u32::from(ok), 0),
            IncidentOpened { incident, failed_probes } => (29, u32::from(incident.0), u64::from(failed_probes)),
            AlertRaised { incident } => (30, u32::from(incident.0), 0),
            IncidentRecovered { incident } => (31, u32::from(incident.0), 0),
            IncidentRelapsed { incident } => (32, u32::from(incident.0), 0),
            IncidentResolved { incident } => (33, u32::from(incident.0), 0),
            Disconnected => (34, 0, 0),
            ProbeBegan => (35, 0, 0),
            Observed { signal, value } => (36, u32::from(signal), value.to_bits()),
            Withdrawn => (37, 0, 0),
            Paused => (38, 0, 0),
            Forked { branches } => (39, u32::from(branches), 0),
            Joined => (40, 0, 0),
            DeadLettered => (41, 0, 0),
            Admitted => (42, 0, 0),
            BrokeDown => (43, 0, 0),
            Repaired => (44, 0, 0),
            Blocked => (45, 0, 0),
            Replayed => (46, 0, 0),
            BudgetBurning { long_milli, short_milli } => (47, long_milli, u64::from(short_milli)),
            RuleBroken { number } => (48, 0, number.to_bits()),
            AlertDelivered { incident } => (49, u32::from(incident.0), 0),
            AlertLost { incident } => (50, u32::from(incident.0), 0),
            MessageLost => (51, 0, 0),
            CommitLost => (52, 0, 0),
            CacheInvalidated { key } => (53, key, 0),
            CacheRefused { key, version } => (54, key, version),
            InstanceStarting => (55, 0, 0),
            InstanceUp => (56, 0, 0),
            InstanceStopping => (57, 0, 0),
            InstanceStopped => (58, 0, 0),
            OutOfMemory => (59, 0, 0),
            InstanceCrashed => (60, 0, 0),
            Fleet { running, up, listed } => (61, u32::from(running), u64::from(up) << 16 | u64::from(listed)),
            RolloutBegan { rollout } => (62, u32::from(rollout), 0),
            CanaryFailed { rollout } => (63, u32::from(rollout), 0),
            RolledBack { rollout } => (64, u32::from(rollout), 0),
            Scaled { from, to } => (65, u32::from(from), u64::from(to)),
            Retransmitted { times, after } => (66, u32::from(times), after.as_nanos()),
            ConnectionOpened { to, took } => (67, u32::from(to.0), took.as_nanos()),
            ConnectionClosed { to, why, time_wait } => (68, u32::from(to.0), (why as u64) << 32 | u64::from(time_wait)),
            PortsExhausted { to, time_wait } => (69, u32::from(to.0), u64::from(time_wait)),
            Vanished => (70, 0, 0),
            CpuThrottled => (71, 0, 0),
            WorkStopped => (72, 0, 0),
            WorkResumed => (73, 0, 0),
            Unresponsive => (74, 0, 0),
        }
    }
}
