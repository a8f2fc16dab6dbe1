//! Letters to the world's thread. A condition variable wakes the driver, so that it can wait for a letter and for the
//! calendar's next deadline at the same time and spin for neither.

use super::incidents::Incident;
use sandbox_core::engine::{CallId, CallResult, Credential, Observation};
use sandbox_core::ids::{IncidentId, RequestId, RouteId};
use sandbox_core::time::Span;
use sandbox_core::trace::Outcome;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// Something for the world's thread, stamped with the instant at which it happened outside.
pub struct Letter {
    /// When it happened.
    pub at: Instant,
    /// What happened.
    pub what: Content,
}

/// What a letter says.
pub enum Content {
    /// An HTTP request came in.
    Arrival(Arrival, Ticket, oneshot::Sender<Answer>),
    /// The client of a request hung up.
    Hangup(Ticket),
    /// A real part answered a call after it had worked on it for so long.
    Reply(CallId, CallResult, Span),
    /// Somebody resolves an incident.
    Resolve(IncidentId, oneshot::Sender<bool>),
    /// Somebody asks how the world is.
    Observe(oneshot::Sender<Observed>),
    /// Answer what is under way, take nothing more in, and end.
    Stop,
}

/// A request from outside.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Which route.
    pub route: RouteId,
    /// Which row.
    pub key: u32,
    /// Who asks.
    pub credential: Credential,
}

/// A request's number before the world has given it one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// What the world answers.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The request's number in the world.
    pub request: RequestId,
    /// How it ended.
    pub outcome: Outcome,
    /// The row's version, where one was read or written.
    pub version: Option<u64>,
    /// Seconds after which it makes sense to try again.
    pub retry_after_s: Option<u32>,
    /// Where its time went.
    pub timing: Timing,
}

/// Where the time of a request went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// The store's own time: as measured around the real call, or as the model drew it.
    pub store: Span,
    /// Waits for a free worker or connection.
    pub queue: Span,
    /// What the scenario asks of modelled parts: work, ways and pauses.
    pub model: Span,
}

/// How the world is, and how far it has come.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The world's state; before its start that of time 0.
    pub observation: Observation,
    /// All incidents so far.
    pub incidents: Vec<Incident>,
    /// Whether time runs.
    pub started: bool,
}

/// The world's letter box.
#[derive(Default)]
pub struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    bell: Condvar,
}

impl Mailbox {
    /// Puts a letter in and wakes the driver.
    pub fn put(&self, at: Instant, what: Content) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(Letter { at, what });
        self.bell.notify_one();
    }

    /// Waits until there is a letter or `until` is reached, and takes all letters out, the oldest stamp first.
    pub fn wait(&self, until: Option<Instant>) -> Vec<Letter> {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        while letters.is_empty() {
            letters = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(left) if left.is_zero() => break,
                Some(left) => self.bell.wait_timeout(letters, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.bell.wait(letters).unwrap_or_else(PoisonError::into_inner),
            };
        }
        let mut taken = std::mem::take(&mut *letters);
        drop(letters);
        taken.sort_by_key(|letter| letter.at);
        taken
    }

    /// Waits until real parts have answered or `until` is reached: for those who drive a part without a world.
    pub fn replies(&self, until: Instant) -> Vec<(CallId, CallResult)> {
        let letters = self.wait(Some(until)).into_iter();
        let reply = |letter: Letter| match letter.what {
            Content::Reply(call, result, _) => Some((call, result)),
            _ => None,
        };
        letters.filter_map(reply).collect()
    }
}
