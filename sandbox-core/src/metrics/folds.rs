//! Everything that is known of a whole run: its seconds, its requests, its milestones.

use super::classes::{Class, Classes};
use super::declared::Declared;
use super::histogram::{Buckets, Lengths, three_digits};
use super::row::{NodeRow, RequestRow, Row, lookup_index};
use crate::blocks::Blocks;
use crate::engine::{Fold, Gauge, LevelRow, Steps, World};
use crate::ids::{NodeId, RequestId, RouteId, Seq};
use crate::scenario::{Kind, Plan};
use crate::time::{Span, Time};
use crate::trace::{Outcome, Record, Refusal, What};
use hdrhistogram::Histogram;
use std::sync::Arc;

/// A moment worth a jump.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Milestone {
    /// The step that made it.
    pub step: u64,
    /// Its record.
    pub record: Record,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Which.
    pub request: RequestId,
    /// Its route.
    pub route: RouteId,
    /// Its row.
    pub key: u32,
    /// Its user.
    pub user: u32,
    /// Its class: position in [`Folds::classes`].
    pub class: u16,
    /// The intended send.
    pub intended: Time,
    /// The step that began it.
    pub first_step: u64,
    /// How it ended; none: it is still in flight at the end of the run.
    pub end: Option<End>,
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    /// How.
    pub outcome: Outcome,
    /// From the intended send to the answer.
    pub latency: Span,
    /// The step that ended it.
    pub step: u64,
    /// The record of the answer.
    pub seq: Seq,
}

/// Everything that is known of a whole run.
#[derive(Clone, Debug)]
pub struct Folds {
    classes: Classes,
    declared: Declared,
    clients: Vec<bool>,
    rows: Vec<Arc<Row>>,
    open: Row,
    /// Latencies of the open second, by class: successes and failures.
    open_latencies: Vec<[Vec<Span>; 2]>,
    /// Circuit breakers that are open: of whom, towards whom.
    open_breakers: Vec<(NodeId, NodeId)>,
    /// How many are open, by node.
    breakers_open: Vec<Gauge>,
    requests: Blocks<Summary>,
    milestones: Vec<Milestone>,
    incident_events: Vec<Milestone>,
    /// Of each node the time that calls answered with success were in it.
    sojourns: Vec<Lengths>,
    seen_failure: bool,
    seen_stale: bool,
}

impl Fold for Folds {
    fn new(plan: &Plan) -> Folds {
        Folds {
            classes: Classes::new(plan),
            declared: Declared::new(plan),
            clients: plan.nodes.iter().map(|node| matches!(node.kind, Kind::Client(_))).collect(),
            rows: Vec::new(),
            open: Row { nodes: vec![NodeRow::default(); plan.nodes.len()], ..Row::default() },
            open_latencies: Vec::new(),
            open_breakers: Vec::new(),
            breakers_open: vec![Gauge::default(); plan.nodes.len()],
            requests: Blocks::default(),
            milestones: Vec::new(),
            incident_events: Vec::new(),
            sojourns: vec![Lengths::default(); plan.nodes.len()],
            seen_failure: false,
            seen_stale: false,
        }
    }

    fn on_steps(&mut self, steps: Steps) {
        let last = steps.first + steps.ends.len() as u64 - 1;
        for (step, records) in steps.iter() {
            if step == last {
                self.close_seconds(steps.closed_seconds);
            }
            for record in records {
                self.on_record(step, record);
            }
            if self.declared.is_any() {
                records.iter().for_each(|record| self.declared.on_record(record, &self.classes, &self.requests));
            }
        }
    }

    fn on_end(&mut self, _world: &World) {
        let begun = self.open.total() > 0 || self.open.nodes.iter().any(|node| node.arrivals > 0);
        if begun {
            self.close_second(&vec![LevelRow::default(); self.clients.len()]);
        }
    }
}

impl Folds {
    /// The seconds that are over, in order.
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    /// The moments worth a jump, in order.
    pub fn milestones(&self) -> &[Milestone] {
        &self.milestones
    }

    /// Everything that happened to incidents, alerts included, in order.
    pub fn incident_events(&self) -> &[Milestone] {
        &self.incident_events
    }

    /// The classes of requests met so far, by number.
    pub fn classes(&self) -> &[Class] {
        self.classes.all()
    }

    /// What became of a request.
    pub fn request(&self, request: RequestId) -> Option<&Summary> {
        self.requests.get((request.0 as usize).checked_sub(1)?)
    }

    /// All requests, in order of their intended send.
    pub fn requests(&self) -> &Blocks<Summary> {
        &self.requests
    }

    /// Requests that the system failed (not 4xx), in order of their intended send.
    pub fn failures(&self) -> impl DoubleEndedIterator<Item = (&Summary, End)> {
        let failed = |end: &End| !end.outcome.is_success() && !end.outcome.is_client_error();
        self.requests.iter().filter_map(move |summary| Some((summary, summary.end.filter(failed)?)))
    }

    /// Latencies of all successes in nanoseconds to three significant digits, their exact sum and the longest of them.
    pub fn latencies_ns(&self) -> (Histogram<u32>, u128, u64) {
        let (mut histogram, mut sum_ns, mut longest_ns) = (three_digits(), 0, 0);
        for end in self.requests.iter().filter_map(|summary| summary.end.filter(|end| end.outcome.is_success())) {
            let latency_ns = end.latency.as_nanos();
            histogram.record(latency_ns).expect("it grows as needed");
            sum_ns += u128::from(latency_ns);
            longest_ns = longest_ns.max(latency_ns);
        }
        (histogram, sum_ns, longest_ns)
    }

    /// The time that calls answered with success were in a node, in nanoseconds to three significant digits.
    pub fn sojourns_ns(&self, node: NodeId) -> Histogram<u32> {
        self.sojourns[node.index()].histogram()
    }

    fn close_seconds(&mut self, closed_seconds: &[LevelRow]) {
        for levels in closed_seconds.chunks(self.clients.len()) {
            self.close_second(levels);
        }
    }

    fn close_second(&mut self, levels: &[LevelRow]) {
        let next = Row {
            second: self.open.second + 1,
            requests: vec![RequestRow::default(); self.open_latencies.len()],
            nodes: vec![NodeRow::default(); self.clients.len()],
            series: Vec::new(),
        };
        let boundary = Time::from_nanos(u64::from(next.second) * 1_000_000_000);
        let mut row = std::mem::replace(&mut self.open, next);
        row.series = self.declared.close(boundary);
        for ((node, levels), breakers) in row.nodes.iter_mut().zip(levels).zip(&mut self.breakers_open) {
            node.levels = *levels;
            node.breakers_open = breakers.close(boundary);
        }
        for (requests, latencies) in row.requests.iter_mut().zip(&mut self.open_latencies) {
            requests.latency = Buckets::of(&latencies[0]);
            requests.failed_latency = Buckets::of(&latencies[1]);
            latencies.iter_mut().for_each(Vec::clear);
        }
        self.rows.push(Arc::new(row));
    }

    /// Counts what most records are; what few are has functions of its own, so that this stays small.
    #[inline(always)]
    fn on_record(&mut self, step: u64, record: &Record) {
        let own = record.request != RequestId::NONE;
        match record.what {
            // Nothing is counted of these.
            What::Queued { .. } | What::Started | What::Worked | What::Received { .. } | What::RowRead { .. } => {}
            What::Arrived { .. } if own => self.node(record).arrivals += 1,
            What::Called { attempt, .. } if own => self.on_called(record, attempt),
            What::Replied { status, sojourn } if own && status.is_success() => self.on_replied(record, sojourn),
            What::Intended { route, key, user } => self.on_intended(step, record, route, key, user),
            What::Answered { outcome, latency } => self.on_answered(step, record, outcome, latency),
            _ => self.on_rare(step, record),
        }
    }

    /// The open second of a record's node.
    fn node(&mut self, record: &Record) -> &mut NodeRow {
        &mut self.open.nodes[record.node.index()]
    }

    fn on_called(&mut self, record: &Record, attempt: u8) {
        self.node(record).retries += u32::from(attempt > 1);
        if self.clients[record.node.index()] {
            let class = self.class_of(record.request);
            self.open.requests[class].attempts += 1;
        }
    }

    fn on_replied(&mut self, record: &Record, sojourn: Span) {
        self.node(record).completions += 1;
        self.sojourns[record.node.index()].push(sojourn);
    }

    #[inline(never)]
    fn on_intended(&mut self, step: u64, record: &Record, route: RouteId, key: u32, user: u32) {
        let (request, intended) = (record.request, record.at);
        let class = self.classes.number_of(record.node, route, key, user);
        if usize::from(class) == self.open_latencies.len() {
            self.open.requests.push(RequestRow::default());
            self.open_latencies.push(Default::default());
        }
        self.requests.push(Summary { request, route, key, user, class, intended, first_step: step, end: None });
    }

    #[cold]
    fn on_rare(&mut self, step: u64, record: &Record) {
        let own = record.request != RequestId::NONE;
        let node = &mut self.open.nodes[record.node.index()];
        match record.what {
            What::Refused { refusal } if own => {
                node.rejections += 1;
                match refusal {
                    Refusal::BreakerOpen | Refusal::BreakerHalfOpen => node.circuit_rejections += 1,
                    Refusal::QueueFull | Refusal::Shed => node.shed += 1,
                    Refusal::RateLimited => node.rate_limited += 1,
                    _ => {}
                }
            }
            What::TimedOut { .. } if own => node.timeouts += 1,
            What::CacheAsked { result, .. } => node.lookups[lookup_index(result)] += 1,
            What::AlertRaised { .. } => {
                node.alerts += 1;
                self.incident_events.push(Milestone { step, record: *record });
            }
            What::AlertDelivered { .. } | What::AlertLost { .. } => {
                node.delivered += u32::from(matches!(record.what, What::AlertDelivered { .. }));
                self.incident_events.push(Milestone { step, record: *record });
            }
            What::IncidentOpened { .. }
            | What::IncidentRecovered { .. }
            | What::IncidentRelapsed { .. }
            | What::IncidentResolved { .. } => {
                self.incident_events.push(Milestone { step, record: *record });
                self.milestones.push(Milestone { step, record: *record });
            }
            What::BreakerOpened { to, .. } | What::BreakerHalfOpened { to } | What::BreakerClosed { to } => {
                let opened = matches!(record.what, What::BreakerOpened { .. });
                node.breaker_trips += u32::from(opened);
                self.on_breaker(record, to, opened);
                self.milestones.push(Milestone { step, record: *record });
            }
            What::FaultBegan { .. }
            | What::FaultEnded { .. }
            | What::InstanceEjected { .. }
            | What::InstanceRestored { .. }
            | What::InstanceCrashed
            | What::RolloutBegan { .. }
            | What::RolledBack { .. } => self.milestones.push(Milestone { step, record: *record }),
            _ => {}
        }
    }

    fn on_breaker(&mut self, record: &Record, to: NodeId, opened: bool) {
        self.open_breakers.retain(|breaker| *breaker != (record.node, to));
        if opened {
            self.open_breakers.push((record.node, to));
        }
        let open = self.open_breakers.iter().filter(|(node, _)| *node == record.node).count();
        self.breakers_open[record.node.index()].set(record.at, open as u32);
    }

    #[inline(never)]
    fn on_answered(&mut self, step: u64, record: &Record, outcome: Outcome, latency: Span) {
        let class = self.class_of(record.request);
        self.open.requests[class].outcomes[outcome.index()] += 1;
        let success = outcome.is_success();
        self.open_latencies[class][usize::from(!success)].push(latency);
        let failure = !success && !outcome.is_client_error();
        let first = (failure && !self.seen_failure) || (outcome == Outcome::OkStale && !self.seen_stale);
        self.seen_failure |= failure;
        self.seen_stale |= outcome == Outcome::OkStale;
        if first {
            self.milestones.push(Milestone { step, record: *record });
        }
        let summary = self.requests.get_mut(record.request.0 as usize - 1).expect("what is answered was asked");
        summary.end = Some(End { outcome, latency, step, seq: record.seq });
    }

    /// Position of a request's class.
    fn class_of(&self, request: RequestId) -> usize {
        self.request(request).map_or(0, |summary| usize::from(summary.class))
    }
}
