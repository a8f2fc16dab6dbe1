//! How much a model may ask for: a file from outside must not keep a machine busy for hours.

use crate::scenario::Problem;

/// Steps of one policy.
pub const STEPS: u64 = 10_000_000;
/// Hosts, instances, parts of any kind.
pub const HOSTS: u64 = 10_000;

/// Refuses a number above `most`.
pub fn at_most(path: &str, number: u64, most: u64) -> Result<(), Vec<Problem>> {
    if number <= most {
        return Ok(());
    }
    Err(vec![Problem::new(path, format!("asks for {number} steps or parts"), format!("At most {most} are allowed."))])
}
