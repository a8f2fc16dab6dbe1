//! The answers to what-ifs as tables, each with a sentence that says what it shows.

use crate::text::what_if as text;
use crate::view_model::charts::outcome_name;
use crate::view_model::format;
use crate::view_model::topology::name_of;
use sandbox_core::scenario::{KnobView, Plan};
use sandbox_core::study::{Case, FaultEnds, Outcome, Rates};
use sandbox_core::sweep::Estimate;
use sandbox_core::time::Span;
use sandbox_core::trace::Outcome as Ended;

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it shows, for who cannot see it.
    pub caption: String,
    /// The names of the columns, that of the rows' names first.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Line>,
    /// What follows from it, once it is complete.
    pub finding: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// The case that it is, if it is one that can be put on the stage.
    pub case: Option<usize>,
    /// Its cells.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// A share from 0 (bad) to 1 (good) that is its colour; none: it has none.
    pub good: Option<f64>,
    /// The case that it is, if it is one that can be put on the stage.
    pub case: Option<usize>,
}

fn cell(text: String) -> Cell {
    Cell { text, ..Cell::default() }
}

fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or(text::none().into(), |seconds| format::span(Span::from_seconds(seconds)))
}

fn share(share: Option<f64>) -> String {
    share.map_or(text::none().into(), format::percent)
}

/// A difference in percentage points: `−24.7`; nothing if it does not show.
fn points(share: Option<f64>, base: Option<f64>) -> String {
    let difference = share.zip(base).map_or(0.0, |(share, base)| (share - base) * 100.0);
    match difference {
        difference if difference >= 0.05 => format!(" (+{difference:.1})"),
        difference if difference <= -0.05 => format!(" (−{:.1})", -difference),
        _ => String::new(),
    }
}

/// One case a row, against the first.
pub fn against_the_first(cases: &[Case], outcomes: &[Outcome], on_stage: bool) -> Table {
    let Some(base) = outcomes.first() else { return Table::default() };
    let line = |(number, (case, outcome)): (usize, (&Case, &Outcome))| Line {
        name: case.label.clone(),
        case: on_stage.then_some(number),
        cells: vec![
            Cell {
                text: format!("{}{}", share(outcome.answered), points(outcome.answered, base.answered)),
                good: outcome.answered,
                case: None,
            },
            cell(seconds(outcome.p99_s)),
        ],
    };
    Table {
        caption: text::case_caption().into(),
        head: [text::case(), text::answered(), text::p99()].map(String::from).into(),
        rows: cases.iter().zip(outcomes).enumerate().map(line).collect(),
        finding: String::new(),
    }
}

/// A text as a sentence begins.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Which case changes most, once all are known.
pub fn without(cases: &[Case], outcomes: &[Outcome]) -> Table {
    let mut table = against_the_first(cases, outcomes, true);
    if outcomes.len() == cases.len() && outcomes.len() > 1 {
        let change = |outcome: &Outcome| outcome.answered.unwrap_or(0.0) - outcomes[0].answered.unwrap_or(0.0);
        let by_change = |a: &usize, b: &usize| change(&outcomes[*a]).total_cmp(&change(&outcomes[*b]));
        let (worst, best) = ((1..outcomes.len()).min_by(by_change), (1..outcomes.len()).max_by(by_change));
        let told = |case: Option<usize>, more: bool| {
            let case = case.filter(|case| change(&outcomes[*case]).abs() >= 5e-4)?;
            let by = change(&outcomes[case]) * 100.0;
            let told = if more { text::more } else { text::less };
            ((by > 0.0) == more).then(|| told(capital(&cases[case].label), format!("{:.1}", by.abs())))
        };
        let found: Vec<String> = [told(worst, false), told(best, true)].into_iter().flatten().collect();
        table.finding = match found.is_empty() {
            true => text::changes_nothing().into(),
            false => found.join(" "),
        };
    }
    table
}

/// Which parts take everything with them.
pub fn parts_down(cases: &[Case], outcomes: &[Outcome]) -> Table {
    let mut table = against_the_first(cases, outcomes, true);
    if outcomes.len() == cases.len() && outcomes.len() > 1 {
        // Down for a third of the run: whoever loses more than half of that is not made up for.
        let calm = outcomes[0].answered.unwrap_or(0.0);
        let lost = |outcome: &Outcome| outcome.answered.unwrap_or(0.0) < calm * (1.0 - 1.0 / 6.0);
        let single: Vec<&str> = cases
            .iter()
            .zip(outcomes)
            .skip(1)
            .filter(|(_, outcome)| lost(outcome))
            .map(|(case, _)| case.label.trim_end_matches(" down"))
            .collect();
        table.finding = match single.as_slice() {
            [] => text::no_single_point().into(),
            [one] => text::single_point(one),
            many => text::single_points(many.len(), many.join(", ")),
        };
    }
    table
}

/// How far a number spreads over seeds.
pub fn seeds(outcomes: &[Outcome], goals: &[(usize, usize)]) -> Table {
    type Read = fn(&Outcome) -> Option<f64>;
    type Write = fn(Option<f64>) -> String;
    let measures: [(&str, Read, Write); 4] = [
        (text::answered(), |outcome| outcome.answered, share),
        (text::last_tenth(), |outcome| outcome.answered_at_end, share),
        (text::median(), |outcome| outcome.p50_s, seconds),
        (text::p99(), |outcome| outcome.p99_s, seconds),
    ];
    let line = |(name, read, write): &(&str, Read, Write)| {
        let values: Vec<f64> = outcomes.iter().filter_map(read).collect();
        let estimate = Estimate::of(&values);
        let end = |find: fn(f64, f64) -> f64| values.iter().copied().reduce(find);
        let interval = match (estimate.low, estimate.high) {
            (Some(low), Some(high)) => text::from_to(write(Some(low)), write(Some(high))),
            _ => String::new(),
        };
        let texts = [write(estimate.mean), interval, write(end(f64::min)), write(end(f64::max))];
        Line { name: (*name).into(), case: None, cells: texts.into_iter().map(cell).collect() }
    };
    let reached = goals.iter().filter(|(reached, of)| reached == of).count();
    let asked = goals.first().is_some_and(|(_, of)| *of > 0);
    Table {
        caption: text::seeds_caption(outcomes.len()),
        head: ["", text::mean(), text::interval(), text::lowest(), text::highest()].map(String::from).into(),
        rows: measures.iter().map(line).collect(),
        finding: match asked {
            true => text::goals_reached(reached, goals.len()),
            false => String::new(),
        },
    }
}

/// A part that is busier than this is what holds the others up.
const NEARLY_FULL: f64 = 0.7;

/// A kind of failure as it stands in a sentence.
fn failure_name(kind: Ended) -> String {
    match kind {
        Ended::RateLimited429 => text::rate_limit().into(),
        kind => outcome_name(kind).into(),
    }
}

/// More and more load, and which part is full first.
pub fn load(plan: &Plan, rates: &Rates, outcomes: &[Outcome]) -> Table {
    let full = |outcome: &Outcome| {
        let busiest = outcome.busy.iter().enumerate().filter_map(|(node, busy)| Some((node, (*busy)?)));
        busiest.max_by(|(_, a), (_, b)| a.total_cmp(b))
    };
    // Where nothing is full, what refuses is none of the parts' want of room.
    let refusal = |outcome: &Outcome| {
        let (kind, share) = outcome.failure.filter(|(_, share)| *share >= 0.01)?;
        full(outcome).is_none_or(|(_, busy)| busy < NEARLY_FULL).then(|| (failure_name(kind), share))
    };
    let line = |(number, outcome): (usize, &Outcome)| Line {
        name: format!("{} × ({}/s)", rates.loads[number], format::count(outcome.ended_rps.round() as u64)),
        case: Some(number),
        cells: vec![
            Cell { text: share(outcome.answered), good: outcome.answered, case: None },
            cell(seconds(outcome.p99_s)),
            cell({
                let busiest = full(outcome).map_or(text::none().into(), |(node, busy)| {
                    format!("{} {}", name_of(&plan.nodes[node]), format::percent(busy))
                });
                match refusal(outcome) {
                    Some((kind, share)) => text::and_refused(busiest, format::percent(share), kind),
                    None => busiest,
                }
            }),
        ],
    };
    let mut finding = String::new();
    if !outcomes.is_empty() && outcomes.len() == rates.loads.len() {
        finding = match Rates::highest_held(outcomes) {
            Some(held) => text::held(rates.loads[held].to_string()),
            None => text::not_held().into(),
        };
        let first = outcomes.iter().enumerate().find_map(|(number, outcome)| Some((number, refusal(outcome)?.0)));
        if let Some((number, kind)) = first {
            finding = [&finding, " ", &text::fails_before_full(rates.loads[number].to_string(), kind)].concat();
        }
        let mut limits: Vec<(f64, usize)> =
            (0..plan.nodes.len()).filter_map(|node| Some((Rates::full_at_rps(outcomes, node)?, node))).collect();
        limits.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let limits: Vec<String> = limits
            .iter()
            .take(6)
            .map(|(rps, node)| text::full_at(name_of(&plan.nodes[*node]), format::count(rps.round() as u64)))
            .collect();
        if !limits.is_empty() {
            finding = [&finding, " ", &text::full(limits.join(", "))].concat();
        }
    }
    Table {
        caption: text::load_caption().into(),
        head: [text::load(), text::answered(), text::p99(), text::busiest()].map(String::from).into(),
        rows: outcomes.iter().enumerate().map(line).collect(),
        finding,
    }
}

/// Faults that end ever later, and the chance that the system stays down.
pub fn too_late(ends: &FaultEnds, outcomes: &[Outcome]) -> Table {
    let collapsed = ends.collapsed(outcomes);
    let line = |(number, share): (usize, &f64)| Line {
        name: format!("{} s", format::short(ends.ends_s[number], 2)),
        case: Some(1 + number * ends.seeds as usize),
        cells: vec![Cell {
            text: text::of_seeds(format::short(share * f64::from(ends.seeds), 0), ends.seeds),
            good: Some(1.0 - share),
            case: None,
        }],
    };
    let mut finding = String::new();
    if collapsed.len() == ends.ends_s.len() {
        finding = match ends.point_of_no_return_s(&collapsed) {
            Some(point) => text::no_return(&ends.fault, format::short(point, 2)),
            None => text::comes_back(&ends.fault),
        };
    }
    Table {
        caption: text::too_late_caption(&ends.fault),
        head: [text::ends_at(), text::still_down()].map(String::from).into(),
        rows: collapsed.iter().enumerate().map(line).collect(),
        finding,
    }
}

/// Two knobs against each other.
pub fn map(axes: &[(KnobView, Vec<f64>)], outcomes: &[Outcome]) -> Table {
    let Some((across, columns)) = axes.first() else { return Table::default() };
    let down = axes.get(1);
    let with_unit = |knob: &KnobView, value: f64| format::with_unit(value, &knob.spec.unit);
    let line = |(row, outcomes): (usize, &[Outcome])| Line {
        name: down.map_or(String::new(), |(knob, values)| with_unit(knob, values[row])),
        case: None,
        cells: outcomes
            .iter()
            .enumerate()
            .map(|(column, outcome)| Cell {
                text: outcome.answered.map_or(text::none().into(), |answered| format!("{:.1}", answered * 100.0)),
                good: outcome.answered,
                case: Some(row * columns.len() + column),
            })
            .collect(),
    };
    let head = columns.iter().map(|value| with_unit(across, *value));
    let corner = down.map_or(String::new(), |(knob, _)| knob.spec.title.clone());
    Table {
        caption: text::map_caption(&across.spec.title, &corner),
        head: std::iter::once(format!("{corner} ↓  {} →", across.spec.title)).chain(head).collect(),
        rows: outcomes.chunks(columns.len()).enumerate().map(line).collect(),
        finding: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(answered: f64) -> Outcome {
        Outcome { answered: Some(answered), answered_at_end: Some(answered), ..Outcome::default() }
    }

    fn case(label: &str) -> Case {
        Case { label: label.into(), variant: "A".into(), changes: vec![] }
    }

    #[test]
    fn the_finding_names_what_changes_most_in_both_directions() {
        let cases = [case("as it is"), case("without retries"), case("without the fault")];
        let table = without(&cases, &[outcome(0.9), outcome(0.5), outcome(1.0)]);
        assert_eq!(table.rows[1].cells[0].text, "50.0 % (−40.0)");
        assert_eq!(
            table.finding,
            "Without retries: 40.0 percentage points less. Without the fault: 10.0 percentage points more."
        );
        assert_eq!(without(&cases, &[outcome(0.9), outcome(0.5)]).finding, "", "not before all is known");
        let nothing = without(&cases, &[outcome(0.9), outcome(0.9), outcome(0.9)]);
        assert!(nothing.finding.starts_with("Nothing here"), "{}", nothing.finding);
    }

    #[test]
    fn a_part_whose_outage_nobody_makes_up_for_is_a_single_point_of_failure() {
        let cases = [case("all parts up"), case("db down"), case("one of 3 × api down")];
        let table = parts_down(&cases, &[outcome(1.0), outcome(0.67), outcome(0.99)]);
        assert_eq!(table.finding, "A single point of failure: db.");
    }

    #[test]
    fn load_that_is_refused_before_a_part_is_full_says_by_what() {
        let plan = crate::view_model::testing::plan("B");
        let node = plan.node("db").expect("there is one").index();
        let of = |rps: f64, busy: f64, failure: Option<(Ended, f64)>| {
            let mut all = vec![None; plan.nodes.len()];
            all[node] = Some(busy);
            Outcome { ended_rps: rps, busy: all, failure, ..outcome(1.0 - failure.map_or(0.0, |(_, share)| share)) }
        };
        let rates = Rates { loads: vec![1.0, 3.0, 40.0], cases: vec![] };
        let limited = of(1500.4, 0.061, Some((Ended::RateLimited429, 0.33)));
        let full = of(16527.0, 0.99, Some((Ended::Unavailable503, 0.5)));
        let table = load(&plan, &rates, &[of(500.0, 0.03, None), limited, full]);
        let cells: Vec<&str> = table.rows.iter().map(|row| row.cells[2].text.as_str()).collect();
        assert_eq!(cells, ["SQLite 3.0 %", "SQLite 6.1 %; 33.0 % end with 429, the rate limit", "SQLite 99.0 %"]);
        assert_eq!(table.rows[2].name, "40 × (16,527/s)");
        assert!(table.finding.contains("429, the rate limit, from 3 × the load on"), "{}", table.finding);
    }

    #[test]
    fn the_point_of_no_return_is_told_when_all_ends_are_known() {
        let ends = FaultEnds { fault: "slow".into(), ends_s: vec![31.0, 32.0, 33.0], seeds: 2, cases: vec![] };
        let outcomes = [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1].map(outcome);
        let table = too_late(&ends, &outcomes);
        assert_eq!(
            table.rows.iter().map(|row| row.cells[0].text.as_str()).collect::<Vec<_>>(),
            ["0 of 2", "1 of 2", "2 of 2"]
        );
        assert!(table.finding.contains("until 33 s"), "{}", table.finding);
        assert_eq!(too_late(&ends, &outcomes[..4]).finding, "");
    }

    #[test]
    fn seeds_are_told_with_their_spread() {
        let table = seeds(&[outcome(0.5), outcome(0.7)], &[(2, 2), (1, 2)]);
        let texts: Vec<&str> = table.rows[0].cells.iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!((texts[0], texts[2], texts[3]), ("60.0 %", "50.0 %", "70.0 %"));
        assert_eq!(table.finding, "The goals of the challenge are reached with 1 of 2 seeds.");
    }
}
