//! The same system under other luck, other load, and faults that end earlier or later.

use super::taken_out::{calm, title};
use super::{Case, Outcome};
use crate::scenario::{Document, fields, json_number};
use serde_json::Value;

/// Loads that are tried, as parts of the scenario's own.
const LOADS: [f64; 8] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0];

/// `base` with each of the seeds 1 to `count`.
#[inline]
pub fn seeds(base: &Case, count: u32) -> Vec<Case> {
    (1..=count).map(|seed| base.with(format!("seed {seed}"), "seed", seed.into())).collect()
}

/// `base` with every value of one thing against every value of another, if there is another: the first turns fastest.
#[inline]
pub fn grid(base: &Case, across: (&str, &[f64]), down: Option<(&str, &[f64])>) -> Vec<Case> {
    let row = |base: Case| {
        across
            .1
            .iter()
            .map(move |value| base.with(base.label.clone(), across.0, json_number(*value)))
            .collect::<Vec<_>>()
    };
    match down {
        None => row(base.clone()),
        Some((path, values)) => {
            values.iter().flat_map(|value| row(base.with(base.label.clone(), path, json_number(*value)))).collect()
        }
    }
}

/// A load holds while this share of requests is answered.
const HELD: f64 = 0.99;

/// Cases with the load of each.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// How often the scenario's own load.
    pub loads: Vec<f64>,
    /// The cases, in the same order.
    pub cases: Vec<Case>,
}

impl Rates {
    /// The highest load, of those that hold with every lower one, as its place; none: not even the lowest holds.
    #[inline]
    pub fn highest_held(outcomes: &[Outcome]) -> Option<usize> {
        let holds = |outcome: &Outcome| outcome.answered.is_some_and(|answered| answered >= HELD);
        outcomes.iter().take_while(|outcome| holds(outcome)).count().checked_sub(1)
    }

    /// The rate, in requests a second, at which all of a part's workers or connections are in use: taken from the highest load
    /// that holds, in which `busy` still grows with the rate (utilization law: Lazowska et al., Quantitative System
    /// Performance, 1984, section 3.3).
    #[inline]
    pub fn full_at_rps(outcomes: &[Outcome], node: usize) -> Option<f64> {
        let outcome = &outcomes[Rates::highest_held(outcomes)?];
        let busy = outcome.busy[node].filter(|busy| *busy > 0.0)?;
        Some(outcome.ended_rps / busy)
    }
}

/// `base` without its faults, under ever more load: every rate of its workloads times the same number. Nothing for a scenario
/// without such a rate: users who wait for their answers (closed loop) set their own.
#[inline]
pub fn rates(document: &Document, base: &Case) -> Rates {
    let Ok(patched) = document.patched(&base.variant, &base.changes) else { return Rates::default() };
    let json = patched.json();
    let rates: Vec<(String, f64)> =
        fields(json, "workloads").flat_map(|(id, workload)| of_workload(id, workload)).collect();
    if rates.is_empty() {
        return Rates::default();
    }
    let calm = calm(base);
    let case = |load: &f64| {
        let mut case = Case { label: format!("{load} × the load"), ..calm.clone() };
        case.changes.extend(rates.iter().map(|(path, rate)| (path.clone(), json_number(rate * load))));
        case
    };
    Rates { loads: LOADS.to_vec(), cases: LOADS.iter().map(case).collect() }
}

/// The rates of a workload, with their paths.
#[inline]
fn of_workload(id: &str, workload: &Value) -> Vec<(String, f64)> {
    let arrivals = &workload["arrivals"];
    let path = format!("workloads.{id}.arrivals");
    let own = arrivals["rate_rps"].as_f64().map(|rate| (format!("{path}.rate_rps"), rate));
    let points = arrivals["points"].as_array().map_or(&[][..], Vec::as_slice);
    let points = points
        .iter()
        .enumerate()
        .filter_map(|(index, point)| Some((format!("{path}.points.{index}.rate_rps"), point["rate_rps"].as_f64()?)));
    own.into_iter().chain(points).collect()
}

/// Cases in which a fault ends at one moment after the other.
#[derive(Clone, Debug, Default)]
pub struct FaultEnds {
    /// What people call the fault.
    pub fault: String,
    /// When it ends, in seconds, one for each group of cases.
    pub ends_s: Vec<f64>,
    /// How many cases, each with a seed of its own, there are for each end.
    pub seeds: u32,
    /// The cases: one without the fault, those of the first end, those of the second, and so on.
    pub cases: Vec<Case>,
}

impl FaultEnds {
    /// For each end that is computed so far the share of seeds with which the system has not come back in the last tenth of
    /// the run: it answers less than nine tenths of what it answers without the fault.
    #[inline]
    pub fn collapsed(&self, outcomes: &[Outcome]) -> Vec<f64> {
        let Some((calm, outcomes)) = outcomes.split_first() else { return Vec::new() };
        let enough = 0.9 * calm.answered_at_end.unwrap_or(0.0);
        let is_down = |outcome: &&Outcome| outcome.answered_at_end.is_none_or(|answered| answered < enough);
        let share = |group: &[Outcome]| group.iter().filter(is_down).count() as f64 / group.len() as f64;
        outcomes.chunks_exact(self.seeds.max(1) as usize).map(share).collect()
    }

    /// From when on the system does not come back by itself: the first end from which on it stays down with most seeds, to
    /// the last one.
    #[inline]
    pub fn point_of_no_return_s(&self, collapsed: &[f64]) -> Option<f64> {
        let comes_back = collapsed.iter().rposition(|share| *share <= 0.5).map_or(0, |last| last + 1);
        self.ends_s.get(comes_back).copied().filter(|_| collapsed.len() == self.ends_s.len())
    }
}

/// `base` with its longest fault ending at `ends` moments: from soon after its begin to three times its length, as far as a
/// quarter of the run is left after it. Nothing for a scenario without a fault.
#[inline]
pub fn fault_ends(document: &Document, base: &Case, ends: u32, seeds: u32) -> FaultEnds {
    let Ok(patched) = document.patched(&base.variant, &base.changes) else { return FaultEnds::default() };
    let json = patched.json();
    let second = |fault: &Value, field: &str| fault[field].as_f64().unwrap_or_default();
    let length = |fault: &Value| second(fault, "to_s") - second(fault, "from_s");
    let longest = fields(json, "faults").max_by(|(_, a), (_, b)| length(a).total_cmp(&length(b)));
    let Some((id, fault)) = longest else { return FaultEnds::default() };
    let (from, duration) = (second(fault, "from_s"), second(json, "duration_s"));
    let last = (from + 3.0 * length(fault)).min(duration * 0.75).max(second(fault, "to_s").min(duration));
    let end = |number: u32| {
        let end = from + (last - from) * f64::from(number) / f64::from(ends);
        (end * 100.0).round() / 100.0
    };
    let ends_s: Vec<f64> = (1..=ends).map(end).filter(|end| *end > from).collect();
    let case = |end: &f64| {
        let until = base.with("", format!("faults.{id}.to_s"), json_number(*end));
        (1..=seeds)
            .map(move |seed| until.with(format!("ends at {end} s, seed {seed}"), "seed", seed.into()))
            .collect::<Vec<_>>()
    };
    let calm = base.without("without the fault", format!("faults.{id}"));
    let cases = std::iter::once(calm).chain(ends_s.iter().flat_map(case)).collect();
    FaultEnds { fault: title(id, fault), cases, ends_s, seeds }
}
