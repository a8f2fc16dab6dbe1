//! What alert rules look at: numbers as they come in, and windows that slide over them.

use super::ctx::Ctx;
use super::event::Slot;
use crate::blocks::Blocks;
use crate::ids::{RequestId, Seq};
use crate::scenario::{AlertNumber, Watched};
use crate::time::Span;
use std::collections::BTreeMap;

/// The values of one thing that is watched, all of them in order.
#[derive(Clone, Debug, Default)]
pub struct Values {
    values: Blocks<f64>,
    /// The record of the latest value that is not 0: of the latest failure, say.
    pub latest: Option<Seq>,
}

impl Values {
    fn push(&mut self, value: f64, seq: Seq) {
        self.values.push(value);
        if value != 0.0 {
            self.latest = Some(seq);
        }
    }
}

impl Ctx<'_> {
    /// Takes in how a request of this node ended, if a rule looks at that.
    pub fn watch_end(&mut self, slot: Slot, failed: bool, took: Span) {
        if !self.core.watched.is_empty() {
            self.take_end(slot, failed, took);
        }
    }

    #[cold]
    fn take_end(&mut self, slot: Slot, failed: bool, took: Span) {
        let (node, stay) = (self.node, &self.core.stays[slot]);
        if stay.request == RequestId::NONE {
            return;
        }
        let (plan, seq) = (self.core.plan.clone(), stay.last);
        for (watched, values) in plan.watched.iter().zip(&mut self.core.watched) {
            match watched {
                Watched::Failures(nodes) if nodes.contains(&node) => values.push(f64::from(u8::from(failed)), seq),
                Watched::Latency(nodes) if nodes.contains(&node) => values.push(took.as_seconds(), seq),
                _ => {}
            }
        }
    }

    /// Takes in a value that a program observed, if a rule looks at that signal.
    pub fn watch_observed(&mut self, signal: u16, value: f64, seq: Seq) {
        if self.core.watched.is_empty() {
            return;
        }
        let plan = self.core.plan.clone();
        if let Some(place) = plan.watched.iter().position(|watched| *watched == Watched::Observed(signal)) {
            self.core.watched[place].push(value, seq);
        }
    }
}

/// A window that slides over values from look to look.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// How many values there were at each look.
    looks: Blocks<u32>,
    /// The values within it: from this one up to that one.
    range: (u32, u32),
    sum: f64,
    /// How many values there are of each size, for quantiles.
    sizes: BTreeMap<u64, u32>,
}

/// Bits of a value that its size leaves out: sizes are 0.4 % apart.
const FINER: u32 = 44;

impl Window {
    /// Slides on to the present look, and gives the number over the last so many looks. None: the number says nothing, for
    /// there are fewer than `minimum` values.
    pub fn look(&mut self, values: &Values, looks: usize, number: AlertNumber, minimum: u32) -> Option<f64> {
        let values = &values.values;
        let before = self.looks.len().checked_sub(looks).and_then(|look| self.looks.get(look));
        let (from, to) = (before.copied().unwrap_or(0), values.len() as u32);
        let by_size = matches!(number, AlertNumber::Quantile(_));
        for value in (self.range.1..to).filter_map(|index| values.get(index as usize)) {
            self.sum += value;
            if by_size {
                *self.sizes.entry(size(*value)).or_default() += 1;
            }
        }
        for value in (self.range.0..from).filter_map(|index| values.get(index as usize)) {
            self.sum -= value;
            if by_size && let Some(count) = self.sizes.get_mut(&size(*value)) {
                *count -= 1;
                if *count == 0 {
                    self.sizes.remove(&size(*value));
                }
            }
        }
        self.range = (from, to);
        self.looks.push(to);
        let count = to - from;
        match number {
            AlertNumber::Count => Some(f64::from(count)),
            AlertNumber::Sum => Some(self.sum),
            _ if count == 0 || count < minimum => None,
            AlertNumber::Mean => Some(self.sum / f64::from(count)),
            AlertNumber::Quantile(thousandths) => Some(self.quantile(thousandths, count)),
        }
    }

    /// The value of which at least this share of all is no larger (the nearest rank).
    fn quantile(&self, thousandths: u16, count: u32) -> f64 {
        let rank = (u64::from(count) * u64::from(thousandths)).div_ceil(1_000).max(1);
        let mut passed = 0;
        for (size, count) in &self.sizes {
            passed += u64::from(*count);
            if passed >= rank {
                return f64::from_bits(size << FINER);
            }
        }
        0.0
    }
}

/// A number that grows with the value: what is not above 0 is 0.
fn size(value: f64) -> u64 {
    // Not f64::max: which zero it returns is the machine's choice.
    if value > 0.0 { value.to_bits() >> FINER } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: impl IntoIterator<Item = f64>) -> Values {
        let mut values = Values::default();
        all.into_iter().zip(0..).for_each(|(value, seq)| values.push(value, Seq::new(seq)));
        values
    }

    /// A window that slides gives what one that is made anew would.
    #[test]
    fn sliding_is_the_same_as_counting_anew() {
        let all: Vec<f64> = (0..900u32).map(|at| f64::from(at * 7_919 % 1_000) / 100.0).collect();
        let numbers = [AlertNumber::Mean, AlertNumber::Sum, AlertNumber::Count, AlertNumber::Quantile(950)];
        for number in numbers {
            let mut sliding = Window::default();
            for look in 0..30usize {
                let so_far = values(all[..look * 30].iter().copied());
                let found = sliding.look(&so_far, 5, number, 1);
                let within = &all[look.saturating_sub(5) * 30..look * 30];
                let mut sorted = within.to_vec();
                sorted.sort_by(f64::total_cmp);
                let sum: f64 = within.iter().sum();
                let expected = match number {
                    AlertNumber::Count => Some(within.len() as f64),
                    AlertNumber::Sum => Some(sum),
                    _ if within.is_empty() => None,
                    AlertNumber::Mean => Some(sum / within.len() as f64),
                    AlertNumber::Quantile(_) => Some(sorted[(within.len() * 95).div_ceil(100) - 1]),
                };
                match (found, expected) {
                    (Some(found), Some(expected)) => {
                        assert!((found - expected).abs() <= expected * 0.004 + 1e-9, "{found} not {expected}");
                    }
                    (found, expected) => assert_eq!(found, expected),
                }
            }
        }
    }

    #[test]
    fn the_latest_value_that_is_not_0_is_the_cause() {
        assert_eq!(values([0.0, 1.0, 0.0]).latest, Some(Seq::new(1)));
        assert_eq!(values([0.0]).latest, None);
        assert_eq!(Window::default().look(&values([3.0; 4]), 5, AlertNumber::Mean, 5), None, "four are too few");
    }
}
