//! How calls and requests end: statuses, outcomes, and the reasons behind them.

use crate::time::Span;
use serde::{Deserialize, Serialize};

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
    /// A rate limit is used up.
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
    /// It waited for a lock as long as it may, and its transaction was rolled back.
    LockTimeout,
    /// The prompt and the answer are longer together than the model's memory.
    TooLong,
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
