//! Floor 5: studies: one scenario run again and again, each time with something different, and what comes of it.
//!
//! A [`Case`] says what is different; [`without`], [`nodes_down`], [`rates`], [`grid`], [`seeds`] and [`fault_ends`] write lists of them. A
//! [`Study`] plans the cases and starts their runs, to be computed at one's own pace; [`Outcome`] is a run in a few numbers.

mod cases;
mod outcome;
mod taken_out;
mod tried;

pub use cases::{Case, Study};
pub use outcome::Outcome;
pub use taken_out::{nodes_down, without};
pub use tried::{FaultEnds, Rates, fault_ends, grid, rates, seeds};
