//! The signals that a scenario declares, folded over its records: each with one series for every combination of its labels.

use super::classes::Classes;
use super::folds::Summary;
use super::histogram::Buckets;
use crate::blocks::Blocks;
use crate::ids::{RequestId, Seq};
use crate::scenario::{Field, Plan, SignalKind, SignalPlan, Signals, Source};
use crate::shared_map::SharedMap;
use crate::time::{Span, Time};
use crate::trace::{Record, What};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A series in one second.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesRow {
    /// Of a counter: the sum.
    Sum(f64),
    /// Of a histogram: the values, as nanoseconds if they are seconds, else in billionths.
    Values(Buckets),
    /// Of a gauge.
    Level(Level),
}

/// A level over one second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// The mean, weighted by time.
    pub mean: f64,
    /// The largest value.
    pub max: f64,
    /// The smallest value that held for some time.
    pub min: f64,
    /// The value at the end.
    pub last: f64,
}

/// The series of all declared signals in the second that is open.
#[derive(Clone, Debug)]
pub struct Declared {
    signals: Arc<Signals>,
    /// Of each code of a record the declared signals that follow it.
    followers: Vec<Vec<u16>>,
    /// Of each declared signal its first series.
    first: Vec<usize>,
    series: Vec<Series>,
    /// The values that each series has met which counts them once.
    met: Vec<Option<SharedMap<u64, ()>>>,
    /// When those that wait in line began to; none: nobody asks.
    queued: Option<BTreeMap<Seq, Time>>,
}

#[derive(Clone, Debug)]
enum Series {
    Sum(f64),
    Values(Vec<Span>),
    Level { value: f64, since: Time, integral: f64, max: f64, min: Option<f64> },
}

impl Series {
    fn new(kind: SignalKind) -> Series {
        match kind {
            SignalKind::Gauge => Series::Level { value: 0.0, since: Time::ZERO, integral: 0.0, max: 0.0, min: None },
            SignalKind::Histogram => Series::Values(Vec::new()),
            _ => Series::Sum(0.0),
        }
    }

    fn take(&mut self, at: Time, given: f64) {
        match self {
            Series::Sum(sum) => *sum += given,
            Series::Values(values) => values.push(Span::from_nanos((given * 1e9) as u64)),
            Series::Level { value, since, integral, max, min } => {
                if at > *since {
                    *integral += *value * at.since(*since).as_seconds();
                    *min = Some(min.map_or(*value, |min| if *value < min { *value } else { min }));
                }
                (*value, *since) = (given, at);
                *max = if given > *max { given } else { *max };
            }
        }
    }

    /// Ends a second.
    fn close(&mut self, boundary: Time) -> SeriesRow {
        if let Series::Level { value, .. } = *self {
            self.take(boundary, value);
        }
        match self {
            Series::Sum(sum) => SeriesRow::Sum(std::mem::take(sum)),
            Series::Values(values) => {
                let closed = Buckets::of(values);
                values.clear();
                SeriesRow::Values(closed)
            }
            Series::Level { value, integral, max, min, .. } => {
                let mean = std::mem::take(integral);
                let closed = Level { mean, max: *max, min: min.take().unwrap_or(*value), last: *value };
                *max = *value;
                SeriesRow::Level(closed)
            }
        }
    }
}

/// How many series a declared signal has.
pub fn series_count(signal: &SignalPlan) -> usize {
    match signal.source {
        Source::Records(_) => signal.labels.iter().map(|label| label.values.len() + 1).product(),
        _ => 0,
    }
}

impl Declared {
    /// Nothing folded yet.
    pub fn new(plan: &Plan) -> Declared {
        let signals = plan.signals.clone();
        let mut declared = Declared {
            signals,
            followers: Vec::new(),
            first: Vec::new(),
            series: Vec::new(),
            met: Vec::new(),
            queued: None,
        };
        for (signal, number) in plan.signals.declared.iter().zip(0..) {
            declared.first.push(declared.series.len());
            if let Source::Records(records) = &signal.source {
                let code = usize::from(records.code);
                declared.followers.resize(declared.followers.len().max(code + 1), Vec::new());
                declared.followers[code].push(number);
                if signal.asks(Field::Waited) {
                    declared.queued = Some(BTreeMap::new());
                }
            }
            declared.series.extend((0..series_count(signal)).map(|_| Series::new(signal.kind)));
            let distinct = matches!(&signal.source, Source::Records(records) if records.distinct);
            declared.met.resize(declared.series.len(), distinct.then(SharedMap::new));
        }
        declared
    }

    /// Whether any signal follows records.
    pub fn is_any(&self) -> bool {
        !self.series.is_empty()
    }

    /// Takes a record in.
    #[inline(never)]
    pub fn on_record(&mut self, record: &Record, classes: &Classes, requests: &Blocks<Summary>) {
        let began = self.queued.as_mut().and_then(|queued| {
            if let What::Queued { .. } | What::Blocked | What::Preempted { .. } = record.what {
                queued.insert(record.seq, record.at);
            }
            queued.remove(&record.follows?)
        });
        let Some(followers) = self.followers.get(usize::from(record.what.code())) else { return };
        let summary = match record.request {
            RequestId::NONE => None,
            RequestId(number) => requests.get(number as usize - 1),
        };
        let facts = Facts { record, summary, classes, signals: &self.signals, began };
        for number in followers {
            let signal = &self.signals.declared[usize::from(*number)];
            let Some((combination, mut given)) = facts.give(signal, *number) else { continue };
            let place = self.first[usize::from(*number)] + combination;
            if let Some(met) = &mut self.met[place] {
                // Minus zero is zero.
                let value = (given + 0.0).to_bits();
                if met.get(value).is_some() {
                    continue;
                }
                met.insert(value, ());
                given = 1.0;
            }
            self.series[place].take(record.at, given);
        }
    }

    /// Ends a second.
    pub fn close(&mut self, boundary: Time) -> Vec<SeriesRow> {
        self.series.iter_mut().map(|series| series.close(boundary)).collect()
    }
}

/// What a condition about a record may ask.
struct Facts<'a> {
    record: &'a Record,
    summary: Option<&'a Summary>,
    classes: &'a Classes,
    signals: &'a Signals,
    /// When it began to wait, if it just stopped.
    began: Option<Time>,
}

impl Facts<'_> {
    /// The combination of labels and the value that the record gives to a signal, if any.
    fn give(&self, signal: &SignalPlan, number: u16) -> Option<(usize, f64)> {
        let Source::Records(records) = &signal.source else { return None };
        match self.record.what {
            What::Observed { signal, .. } if signal != number => return None,
            What::Observed { .. } => {}
            _ if self.summary.is_none() && records.of_request => return None,
            _ => {}
        }
        if records.nodes.as_ref().is_some_and(|nodes| !nodes.contains(&self.record.node)) {
            return None;
        }
        let mut value_of = |name| self.value(name);
        if records.when.as_ref().is_some_and(|when| when.eval(&mut value_of) == 0.0) {
            return None;
        }
        let combination =
            signal.labels.iter().fold(0, |place, label| place * (label.values.len() + 1) + label.place(&mut value_of));
        Some((combination, records.value.as_ref().map_or(1.0, |value| value.eval(&mut value_of))))
    }

    /// The value of a name in this record.
    fn value(&self, name: u16) -> f64 {
        let words = &self.signals.words;
        let record = self.record;
        let word = |table: &[u16], index: usize| table.get(index).map_or(0.0, |word| f64::from(*word));
        let seconds = |span: Span| span.as_seconds();
        let Some(field) = Field::at(name) else { return f64::from(name) };
        match (field, record.what) {
            (Field::At, _) => record.at.as_seconds(),
            (Field::Node, _) => word(&words.nodes, record.node.index()),
            (Field::Group, _) => word(&words.groups, record.node.index()),
            (
                Field::Key,
                What::CacheAsked { key, .. }
                | What::CacheStored { key, .. }
                | What::RowRead { key, .. }
                | What::RowWritten { key, .. },
            ) => f64::from(key),
            (Field::Attempt, What::Called { attempt, .. } | What::Arrived { attempt }) => f64::from(attempt),
            (
                Field::To,
                What::Called { to, .. }
                | What::TimedOut { to, .. }
                | What::BreakerOpened { to, .. }
                | What::BreakerHalfOpened { to }
                | What::BreakerClosed { to }
                | What::InstanceEjected { instance: to }
                | What::InstanceRestored { instance: to }
                | What::ConnectionOpened { to, .. }
                | What::ConnectionClosed { to, .. }
                | What::PortsExhausted { to, .. },
            ) => word(&words.nodes, to.index()),
            (Field::Ahead, What::Queued { ahead }) => f64::from(ahead),
            (Field::InService, What::Saturated { in_service }) => f64::from(in_service),
            (Field::Refusal, What::Refused { refusal }) => word(&words.refusals, refusal as usize),
            (Field::Status, What::Replied { status, .. } | What::Received { status }) => f64::from(status.code()),
            (Field::Sojourn, What::Replied { sojourn, .. }) => seconds(sojourn),
            (Field::Waited, What::TimedOut { after, .. }) => seconds(after),
            (Field::Waited, What::Started) => self.began.map_or(0.0, |began| seconds(record.at.since(began))),
            (Field::Delay, What::BackedOff { delay }) => seconds(delay),
            (Field::End, What::GaveUp { end }) => word(&words.ends, end as usize),
            (Field::Result, What::CacheAsked { result, .. }) => word(&words.results, result as usize),
            (
                Field::Version,
                What::CacheStored { version, .. } | What::RowRead { version, .. } | What::RowWritten { version, .. },
            ) => version as f64,
            (Field::Outcome, What::Answered { outcome, .. }) => word(&words.outcomes, outcome.index()),
            (Field::Latency, What::Answered { latency, .. }) => seconds(latency),
            (Field::Failures, What::BreakerOpened { failures, .. }) => f64::from(failures),
            (Field::Calls, What::BreakerOpened { calls, .. }) => f64::from(calls),
            (Field::Answered, What::Probed { ok }) => f64::from(u8::from(ok)),
            (Field::Value, What::Observed { value, .. } | What::RuleBroken { number: value }) => value,
            (Field::Running, What::Fleet { running, .. }) => f64::from(running),
            (Field::Up, What::Fleet { up, .. }) => f64::from(up),
            (Field::Listed, What::Fleet { listed, .. }) => f64::from(listed),
            (Field::From, What::Scaled { from, .. }) => f64::from(from),
            (Field::Times, What::Retransmitted { times, .. }) => f64::from(times),
            (Field::Delay, What::Retransmitted { after, .. }) => seconds(after),
            (Field::Took, What::ConnectionOpened { took, .. }) => seconds(took),
            (Field::Why, What::ConnectionClosed { why, .. }) => word(&words.closings, why as usize),
            (Field::TimeWait, What::ConnectionClosed { time_wait, .. } | What::PortsExhausted { time_wait, .. }) => {
                f64::from(time_wait)
            }
            (Field::Into, What::Scaled { to, .. }) => f64::from(to),
            (
                Field::Tokens,
                What::Generated { tokens, .. } | What::Preempted { tokens } | What::Iterated { sequences: tokens, .. },
            ) => f64::from(tokens),
            (Field::Took, What::Generated { took, .. }) => seconds(took),
            (Field::Prefilled, What::Iterated { prefilled, .. }) => f64::from(prefilled),
            (Field::Held, What::Iterated { held, .. }) => f64::from(held),
            (Field::Bytes, What::Transferred { bytes, .. }) => bytes as f64,
            (Field::Whole, What::Transferred { whole, .. }) => f64::from(u8::from(whole)),
            _ => self.summary.map_or(0.0, |summary| match field {
                Field::Key => f64::from(summary.key),
                Field::User => f64::from(summary.user),
                Field::Age => seconds(record.at.since(summary.intended)),
                _ => self.classes.value(name, summary.class),
            }),
        }
    }
}
