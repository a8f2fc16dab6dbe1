//! Signals of a scenario's own, as written.

use super::Map;
use super::spec_macro::spec;

spec! {
    /// A signal of the scenario's own. One of the name of a built-in signal takes its place.
    pub struct SignalSpec {
        /// Unit of its values, such as `s`, `bytes` or `orders`; 1 for a share.
        pub unit: String,
        /// What it says, in a sentence.
        pub help: String,
        /// What kind of number it is: this decides how it may be reduced.
        pub kind: SignalKind,
        /// Where its values come from.
        pub source: SourceSpec,
        /// Of a histogram: upper bounds of buckets, ascending. Its percentiles are then estimated from the counts of these
        /// buckets alone, as Prometheus' `histogram_quantile` does, and not from the values.
        pub buckets?: Vec<f64>,
        /// Labels: name to values, each with the condition that a record must meet to have it.
        pub labels?: Map<Map<String>>,
    }
}

spec! {
    /// What kind of number a signal is.
    pub enum SignalKind {
        /// Something that is counted: sums over time.
        Counter,
        /// A level that holds until it changes: weighted by time.
        Gauge,
        /// Values that are distributed: percentiles.
        Histogram,
        /// A quotient of sums, made anew for every window.
        Ratio,
        /// One number for the whole run.
        Scalar,
    }
}

spec! {
    /// Where the values of a signal come from.
    pub enum SourceSpec {
        /// Records of the run: a counter counts them, or sums a value of each; a histogram collects that value; a gauge holds
        /// it until the next.
        Records(RecordsSpec),
        /// Values that programs observe under the signal's name.
        Observed,
        /// How full nodes are; for gauges.
        Level(LevelSpec),
        /// An expression over other signals. One with labels or a reduction stands between single quotes, as in
        /// `'http_errors_total{route=pay}' / http_requests_total`; without a reduction a counter gives its sum, a scalar its
        /// value and everything else its mean. For counters, gauges, ratios and scalars. A gauge is made of each second's means,
        /// so its `max`, `min` and `last` are those of whole seconds; for the moment's extremes ask the operands themselves.
        Formula(String),
        /// A rule over the rows of a table, looked at once a second: a counter of the rows that break it, which falls again
        /// when they are mended.
        Invariant(InvariantSpec),
    }
}

spec! {
    /// A rule over rows.
    pub struct InvariantSpec {
        /// The database.
        pub database: String,
        /// The table.
        pub table: String,
        /// What must not be, as a condition over `key`, `version` and the columns of a row.
        pub breach: String,
    }
}

spec! {
    /// Which records.
    pub struct RecordsSpec {
        /// Their kind, as `--trace` writes it: `answered`, `row_read`, ...
        pub of: String,
        /// Only those of this node: an instance, or all of a group.
        pub node?: Option<String>,
        /// Only those that meet this condition over the fields of the record and its request.
        pub when?: Option<String>,
        /// What each one gives, as an expression over the same fields; absent: 1.
        pub value?: Option<String>,
        /// Of a counter: each value of `value` counts once, when it is met first (a cardinality).
        pub distinct?: bool,
    }
}

spec! {
    /// A level of nodes.
    pub struct LevelSpec {
        /// Of what.
        pub of: LevelKind,
        /// Of this node: an instance, or all of a group.
        pub node: String,
        /// How several instances become one number. The `max` and `min` of a sum over a window are bounds: the instances need
        /// not have been at their extremes together.
        pub across?: AcrossSpec,
    }
}

spec! {
    /// What a level is of.
    pub enum LevelKind {
        /// Calls in the waiting line.
        Waiting,
        /// Calls in a worker or connection.
        InService,
        /// Share of the workers or connections in use.
        Utilization,
        /// State of the circuit breaker: 0 closed, 1 open, 2 half-open.
        Circuit,
    }
}

spec! {
    /// How several instances become one number.
    #[derive(Default)]
    pub enum AcrossSpec {
        /// All together.
        #[default]
        Sum,
        /// Their mean.
        Mean,
        /// The highest.
        Max,
        /// The lowest.
        Min,
    }
}
