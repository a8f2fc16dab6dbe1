//! Admission control: which requests are refused, so that the rest is served in time?
//!
//! One closed enum over the algorithms that a queue may mount. They are asked at two places: a limit on concurrency when a
//! request arrives, CoDel when it is taken out of the line. A request that is shed is answered with 503 and counted apart
//! from failures.

pub mod codel;
pub mod codel_folly;
pub mod concurrency_limit;
pub mod priority_shedding;
pub mod windowed_limit;

pub use codel::{Codel, CodelConfig};
pub use codel_folly::CodelFolly;
pub use concurrency_limit::{ConcurrencyLimit, ConcurrencyLimitConfig, Sample};
pub use priority_shedding::{Criticality, PriorityShedding};
pub use windowed_limit::WindowedLimit;

use super::Denial;
use crate::time::{Span, Time};

/// Which algorithm, with its checked parameters.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum AdmissionConfig {
    /// Everything is admitted.
    #[default]
    None,
    /// CoDel of RFC 8289.
    Codel(CodelConfig),
    /// CoDel as folly has it.
    CodelFolly(CodelConfig),
    /// A limit on requests in flight: fixed (`max_in_flight`), or found by `aimd`, `vegas` or `gradient2`.
    Limit(ConcurrencyLimitConfig),
    /// The same, learning from a second at a time.
    WindowedLimit(ConcurrencyLimitConfig),
    /// A limit for each class of criticality.
    PriorityShedding(PriorityShedding),
}

/// The admission control of one queue.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Everything is admitted.
    None,
    /// CoDel of RFC 8289.
    Codel(Codel),
    /// CoDel as folly has it.
    CodelFolly(CodelFolly),
    /// A limit on requests in flight.
    Limit(ConcurrencyLimit),
    /// A limit that learns from a second at a time.
    WindowedLimit(WindowedLimit),
    /// A limit for each class of criticality.
    PriorityShedding(PriorityShedding),
}

impl Admission {
    /// An admission control that has seen nothing yet.
    pub fn new(config: AdmissionConfig) -> Admission {
        match config {
            AdmissionConfig::None => Admission::None,
            AdmissionConfig::Codel(config) => Admission::Codel(Codel::new(config)),
            AdmissionConfig::CodelFolly(config) => Admission::CodelFolly(CodelFolly::new(config)),
            AdmissionConfig::Limit(config) => Admission::Limit(ConcurrencyLimit::new(config)),
            AdmissionConfig::WindowedLimit(config) => Admission::WindowedLimit(WindowedLimit::new(config)),
            AdmissionConfig::PriorityShedding(shedding) => Admission::PriorityShedding(shedding),
        }
    }

    /// May a request of this class that arrives now come in, with `in_flight` others inside?
    pub fn decide_arrival(&self, in_flight: u32, criticality: Criticality) -> Result<(), Denial> {
        match self {
            Admission::PriorityShedding(shedding) => shedding.decide(in_flight, criticality),
            Admission::Limit(limit) => limit.decide(in_flight),
            Admission::WindowedLimit(limit) => limit.decide(in_flight),
            _ => Ok(()),
        }
    }

    /// May a request that has waited for `sojourn` be served?
    pub fn decide_dequeue(&mut self, now: Time, sojourn: Span) -> Result<(), Denial> {
        match self {
            Admission::Codel(codel) => codel.decide(now, sojourn),
            Admission::CodelFolly(codel) => codel.decide(now, sojourn),
            _ => Ok(()),
        }
    }

    /// A request ended at `now`. `roll` draws a number in [0, 1).
    pub fn on_sample(&mut self, now: Time, sample: Sample, roll: &mut dyn FnMut() -> f64) {
        match self {
            Admission::Limit(limit) => limit.on_sample(sample, roll),
            Admission::WindowedLimit(limit) => limit.on_sample(now, sample, roll),
            Admission::None | Admission::Codel(_) | Admission::CodelFolly(_) | Admission::PriorityShedding(_) => {}
        }
    }
}
