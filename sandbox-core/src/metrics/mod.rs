//! Floor 4: numbers of a run, folded over its records as they are emitted.

mod classes;
mod declared;
mod folds;
mod histogram;
mod recovery;
mod reduce;
mod report;
mod row;
mod signals;

pub use classes::Class;
pub use declared::{Level, SeriesRow};
pub use folds::{End, Folds, Milestone, Summary};
pub use histogram::{Buckets, Percentiles};
pub use recovery::recovery_seconds;
pub use report::{ClaimReport, LatencyReport, NodeReport, RequestsReport, RunReport};
pub use row::{NodeRow, RequestRow, Row};
pub use signals::{Described, Label, Signal, answerable, ask, signals, unanswered};

/// A run with everything that is known of it: what the page, the command line and the tests work with.
pub type Run = crate::engine::Run<Folds>;
