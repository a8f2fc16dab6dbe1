//! How long the system took to recover after its last fault.

use super::folds::Folds;
use super::row::Row;
use crate::scenario::Plan;
use std::sync::Arc;

/// Goodput counts as recovered at this share of the baseline, held for [`HOLD_S`] seconds (`curriculum.md`, appendix A).
const SHARE: f64 = 0.9;
const HOLD_S: usize = 5;

/// Seconds from the end of the last fault until goodput stays at 90 % of the baseline for 5 s; the baseline is the mean of
/// the whole seconds before the first fault. "Never recovered" counts as the rest of the run. None: no fault, or none that
/// ends in the run, or nothing before it.
pub fn recovery_seconds(plan: &Plan, folds: &Folds) -> Option<f64> {
    let begins = plan.faults.iter().map(|fault| fault.from).min()?;
    let ends = plan.faults.iter().map(|fault| fault.to).max()?;
    let rows = folds.rows();
    let goodput = |row: &Arc<Row>| f64::from(row.fresh() + row.stale());
    let before: Vec<f64> = rows.iter().take_while(|row| row.second < begins.second()).map(goodput).collect();
    let baseline = before.iter().sum::<f64>() / before.len().max(1) as f64;
    let after = rows.get(ends.as_seconds().ceil() as usize..)?;
    if before.is_empty() || after.is_empty() {
        return None;
    }
    let good: Vec<bool> = after.iter().map(|row| goodput(row) >= SHARE * baseline).collect();
    let hold = HOLD_S.min(good.len());
    let recovered = good.windows(hold).position(|window| window.iter().all(|good| *good));
    Some(recovered.unwrap_or(good.len()) as f64)
}
