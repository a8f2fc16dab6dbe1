//! Floor 5: claims: what a scenario promises, as expressions over the signals of its variants, and who judges them.

mod check;
mod expr;
mod judge;

pub use check::{Judgeable, read_claims};
pub use expr::{Claim, Compare, Side};
pub use judge::{ClaimResult, Judgement, SeedRuns, Seeds, check_claims, judge_run};
