//! Floor 5: sweeps: a scenario run at every point of a grid over many seeds.
//!
//! A [`Sweep`] says which runs there are, by number, and computes one. A [`Shard`] collects answers in whatever order they come,
//! merges with others of the same sweep, and reports means and confidence intervals in order of seed. So the result does not depend
//! on how the runs were spread over threads, machines or slices of time.

mod axis;
mod grid;
mod shard;
mod student;

pub use axis::Axis;
pub use grid::{Sweep, SweepSpec};
pub use shard::{Estimate, PointReport, Shard, SweepReport};
