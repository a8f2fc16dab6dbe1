//! Which charts a lesson shows: the usual ones, or any signals of its scenario second by second.

use crate::metrics::{Folds, ask};
use crate::scenario::{Plan, Query, Window, spec};

spec! {
    /// A chart.
    pub enum ChartSpec tagged "kind" {
        /// Answers per second by how good they are.
        Answers {},
        /// Percentiles of the latency of answers.
        Latency {},
        /// Errors per second by kind.
        Errors {},
        /// Calls that wait, by line.
        Waiting {},
        /// Signals of the scenario.
        Signals(SignalChart),
    }
}

spec! {
    /// A chart of signals.
    pub struct SignalChart {
        /// Its heading, with the unit.
        pub title: String,
        /// Its lines, at most four.
        pub lines: Vec<SignalLine>,
    }
}

spec! {
    /// A line of a chart.
    pub struct SignalLine {
        /// Its name in the chart's key.
        pub label: String,
        /// A query without variant and window: it is asked of every second.
        pub query: String,
        /// The values are multiplied by this: 1000 makes milliseconds of seconds.
        pub times: f64 = 1.0,
    }
}

/// Lines of a chart at most: so many differ in pattern.
pub(super) const LINES_MAX: usize = 4;

/// A line's value in each second of a run; None where there was nothing to measure. Errors: the query makes no sense there.
#[inline]
pub fn by_second(plan: &Plan, folds: &Folds, line: &SignalLine) -> Result<Vec<Option<f64>>, String> {
    let query = Query::parse(&line.query)?;
    if query.window.is_some() || query.variant.is_some() {
        return Err(
            "a line of a chart is asked of every second of the run at hand: leave variant and window out".into()
        );
    }
    let second = |from: u32| {
        let asked = Query { window: Some(Window { from, to: from + 1 }), ..query.clone() };
        Ok(ask(plan, folds, &asked)?.map(|value| value * line.times))
    };
    (0..folds.rows().len() as u32).map(second).collect()
}
