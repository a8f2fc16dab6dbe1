//! Policies: one file per policy, the same code in the simulation and in the mounted server.
//!
//! The contract all of them keep:
//!
//! - A policy is a plain struct. Facts and `now` go in, a decision comes out; there is no clock, lock, await, log,
//!   metric or random generator inside. The caller draws the numbers and holds the lock, so the same facts give the
//!   same answer under the virtual and the wall clock.
//! - `decide` answers a question and takes what the answer costs (a permit, a token); `on_*` tells the policy what
//!   happened. `now` never goes back from one call to the next.
//! - A refusal is an answer with data: a [`Denial`] says why and when to come back. Asking before `retry_at` is refused
//!   again, asking at it is allowed unless someone else came first.
//! - A config cannot hold nonsense: its constructor returns a sentence that says what is wrong and how to mend it. A
//!   parameter is a length ([`crate::time::Span`]) or carries its unit in its name.
//! - A threshold that is a percentage is compared with `>=`; windows are half-open, `[start, end)`.
//!
//! Every file reads in the same order: config, state, `decide`, notifications, tests. What the semantics follow is said
//! at the top of each file; a default names its source.

use crate::time::Time;

pub mod admission;
pub mod alert_rule;
pub mod auth;
pub mod balancer;
pub mod bulkhead;
pub mod burn_rate;
pub mod cache;
pub mod circuit_breaker;
pub mod client_address;
pub mod client_throttle;
pub mod continuous_batching;
pub mod deadline;
pub mod health_check;
pub mod hedging;
pub mod histogram_quantile;
pub mod idempotency;
pub mod message_queue;
pub mod outlier_detection;
pub mod peak_ewma;
pub mod preconditions;
pub mod rate_limiter;
pub mod retry;
pub mod retry_budget;
pub mod ring_hash;
pub mod single_flight;
pub mod smooth_wrr;

/// A refusal: why, and when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The earliest instant at which the same question would be allowed if nobody else asked; `None` if waiting will
    /// not help, or if nobody can tell.
    pub retry_at: Option<Time>,
    /// Why.
    pub reason: DenyReason,
}

/// Why a policy refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// The circuit breaker is open.
    BreakerOpen,
    /// The circuit breaker is half-open and all its trial calls are taken.
    BreakerHalfOpen,
    /// The bucket does not hold enough tokens yet.
    RateLimited,
    /// The bulkhead runs and holds as many calls as it may.
    BulkheadFull,
    /// The part is overloaded and sheds load.
    Overloaded,
    /// The client spares a back end that refuses too much.
    Throttled,
    /// The request costs more than a full bucket holds: it can never pass.
    CostAboveBurst,
}
