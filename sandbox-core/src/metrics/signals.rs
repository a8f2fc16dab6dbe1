//! Signals: the numbers that claims and queries may ask for, built-in or declared, each read from the rows of a run.

use super::classes::Class;
use super::declared::{Level, SeriesRow, series_count};
use super::folds::Folds;
use super::histogram::Buckets;
use super::recovery::recovery_seconds;
use super::reduce;
use super::row::{NodeRow, RequestRow, Row};
use crate::engine::GaugeRow;
use crate::ids::{NodeId, RouteId};
use crate::scenario::{
    AcrossSpec, BUILT_INS, BuiltIn, BuiltInId, Expr, Kind, LevelKind, Of, Op, Plan, Problem, Query, Reduced,
    SignalKind, SignalPlan, Source, Window, instances, nearest,
};
use crate::trace::Outcome;
use std::sync::Arc;

/// A signal with its labels resolved.
#[derive(Clone, Debug)]
pub struct Signal {
    kind: SignalKind,
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    Requests(BuiltInId, Chosen),
    Nodes(BuiltInId, Vec<NodeId>, Option<usize>),
    Levels(LevelKind, Vec<NodeId>, AcrossSpec),
    /// Series of a declared signal, by number, and the bounds of the buckets that its quantiles are estimated from.
    Series(Vec<usize>, Vec<f64>),
    Formula(Expr, Vec<Operand>),
    Recovery,
}

/// Which requests count; a field that is none lets all pass.
#[derive(Clone, Debug, Default)]
struct Chosen {
    route: Option<RouteId>,
    op: Option<Op>,
    workload: Option<u16>,
    client: Option<NodeId>,
    outcome: Option<Outcome>,
    /// Positions of labels of the plan, and the place that each must have.
    labels: Vec<(usize, u8)>,
}

#[derive(Clone, Debug)]
struct Operand {
    signal: Signal,
    reduced: Option<Reduced>,
    window: Option<Window>,
}

/// What a label is called, and its values.
pub type Label = (String, Vec<String>);

/// What there is to know of a signal without running anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// What kind of number it is.
    pub kind: SignalKind,
    /// Its unit.
    pub unit: String,
    /// What it says.
    pub help: String,
    /// Its labels in this scenario.
    pub labels: Vec<Label>,
    /// A label that must be given.
    pub required: Option<&'static str>,
}

/// Asks a run, whatever variant the query names. Ok(None): there is nothing in the window. Errors: there is no such signal, it
/// is not reduced so, or the window reaches beyond the run.
#[inline]
pub fn ask(plan: &Plan, folds: &Folds, query: &Query) -> Result<Option<f64>, String> {
    query.window.map_or(Ok(()), |window| window.within(plan.end.as_seconds()))?;
    Signal::new(plan, &query.signal, &query.labels)?.reduce(plan, folds, query.reduced, query.window)
}

/// Whether a run of this plan can answer. Errors: those of [`ask`], or the query names another variant than the plan's.
#[inline]
pub fn answerable(plan: &Plan, query: &Query) -> Result<(), String> {
    if let Some(named) = query.variant.as_ref().filter(|named| **named != plan.variant) {
        return Err(format!("asks variant {named}, not {}", plan.variant));
    }
    query.window.map_or(Ok(()), |window| window.within(plan.end.as_seconds()))?;
    let signal = Signal::new(plan, &query.signal, &query.labels)?;
    query.reduced.map_or(Ok(()), |reduced| signal.kind().allows(reduced))
}

/// That somebody's query has no answer, and why.
#[inline]
pub fn unanswered(query: &str, why: String) -> Problem {
    Problem::new(format!("--query {query}"), why, "See ARCHITECTURE.md, \"Claims\".")
}

/// All signals that a scenario has: its own, then the built-in ones.
#[inline]
pub fn signals(plan: &Plan) -> Vec<Described> {
    let declared = plan.signals.declared.iter().map(|signal| Described {
        name: signal.name.clone(),
        kind: signal.kind,
        unit: signal.unit.clone(),
        help: signal.help.clone(),
        labels: labels_of(plan, signal),
        required: None,
    });
    let own = |signal: &&BuiltIn| plan.signals.named(signal.name).is_none() && has_place(plan, signal);
    let built_in = BUILT_INS.iter().filter(own).map(|signal| Described {
        name: signal.name.to_string(),
        kind: signal.kind,
        unit: signal.unit.to_string(),
        help: signal.help.to_string(),
        labels: built_in_labels(plan, signal.of),
        required: (signal.of == Of::OneNode).then_some("node"),
    });
    declared.chain(built_in).collect()
}

/// Whether a scenario has the parts whose numbers these are.
#[inline]
fn has_place(plan: &Plan, signal: &BuiltIn) -> bool {
    match signal.of {
        Of::Services | Of::Caches | Of::Lookups | Of::Stores => !nodes_of(plan, signal.of).is_empty(),
        _ => true,
    }
}

#[inline]
fn nodes_of(plan: &Plan, of: Of) -> Vec<NodeId> {
    let counts = |kind: &Kind| match of {
        Of::Services => matches!(kind, Kind::Service(_)),
        Of::Caches | Of::Lookups => matches!(kind, Kind::Cache(_)),
        Of::Stores => matches!(kind, Kind::Store(_)),
        _ => true,
    };
    let all = plan.nodes.iter().enumerate().filter(|(_, node)| counts(&node.kind));
    all.map(|(index, _)| NodeId(index as u16)).collect()
}

/// The values of the label `result`, by [`super::row::lookup_index`].
const RESULTS: [&str; 8] = ["hit", "stale", "expired", "miss", "revalidate", "early", "coalesced", "failure"];

#[inline]
fn built_in_labels(plan: &Plan, of: Of) -> Vec<Label> {
    let label = |name: &str, values: Vec<String>| (name.to_string(), values);
    let requests = || {
        let own = |label: &crate::scenario::LabelPlan| {
            (label.name.clone(), label.values.iter().map(|(value, _)| value.clone()).collect())
        };
        let mut labels: Vec<Label> = plan.signals.labels.iter().map(own).collect();
        let clients = plan.nodes.iter().filter(|node| matches!(node.kind, Kind::Client(_)));
        let all = [
            label("route", plan.routes.iter().map(|route| route.name.clone()).collect()),
            label("op", vec!["read".to_string(), "write".to_string()]),
            label("workload", plan.workloads.iter().map(|workload| workload.id.clone()).collect()),
            label("client", clients.map(|node| node.id.clone()).collect()),
        ];
        for built_in in all {
            if !labels.iter().any(|(name, _)| *name == built_in.0) {
                labels.push(built_in);
            }
        }
        labels
    };
    let nodes = || {
        let mut ids: Vec<String> = Vec::new();
        for node in nodes_of(plan, of) {
            let node = &plan.nodes[node.index()];
            let group = (of != Of::OneNode).then_some(&node.group);
            for id in std::iter::once(&node.id).chain(group) {
                if !ids.contains(id) {
                    ids.push(id.clone());
                }
            }
        }
        label("node", ids)
    };
    match of {
        Of::Requests => requests(),
        Of::Outcomes => {
            let mut labels = requests();
            labels.push(label("outcome", Outcome::ALL.iter().map(|outcome| outcome.as_str().to_string()).collect()));
            labels
        }
        Of::Lookups => vec![nodes(), label("result", RESULTS.map(String::from).to_vec())],
        Of::Nodes | Of::OneNode | Of::Services | Of::Caches | Of::Stores => vec![nodes()],
        Of::Run => Vec::new(),
    }
}

#[inline]
fn labels_of(plan: &Plan, signal: &SignalPlan) -> Vec<Label> {
    let Source::Formula { operands, .. } = &signal.source else {
        let own = signal.labels.iter();
        return own
            .map(|label| (label.name.clone(), label.values.iter().map(|(value, _)| value.clone()).collect()))
            .collect();
    };
    let mut labels: Vec<Label> = Vec::new();
    for operand in operands {
        let free = |label: &Label| !operand.labels.iter().any(|(fixed, _)| *fixed == label.0);
        for label in labels_named(plan, &operand.signal).into_iter().filter(free) {
            if !labels.iter().any(|(known, _)| *known == label.0) {
                labels.push(label);
            }
        }
    }
    labels
}

#[inline]
fn labels_named(plan: &Plan, name: &str) -> Vec<Label> {
    match (plan.signals.named(name), BuiltIn::named(name)) {
        (Some(signal), _) => labels_of(plan, signal),
        (None, Some(signal)) => built_in_labels(plan, signal.of),
        (None, None) => Vec::new(),
    }
}

impl Signal {
    /// The signal of this name with these labels. Errors name the word that is not known and the known ones.
    #[inline]
    pub fn new(plan: &Plan, name: &str, labels: &[(String, String)]) -> Result<Signal, String> {
        let known_labels = labels_named(plan, name);
        let mut places = Vec::new();
        for (label, value) in labels {
            let Some(at) = known_labels.iter().position(|(known, _)| known == label) else {
                let known: Vec<&str> = known_labels.iter().map(|(known, _)| known.as_str()).collect();
                return Err(match known.is_empty() && signals(plan).iter().all(|signal| signal.name != name) {
                    true => unknown(plan, name),
                    false => format!("`{name}` has no label `{label}`; it has: {}", known.join(", ")),
                });
            };
            let Some(place) = known_labels[at].1.iter().position(|known| known == value) else {
                let known = known_labels[at].1.join(", ");
                return Err(format!("`{label}={value}` of `{name}` names nothing here; there is: {known}"));
            };
            places.push((at, place));
        }
        match (plan.signals.named(name), BuiltIn::named(name)) {
            (Some(signal), _) => Signal::declared(plan, signal, labels, &places),
            (None, Some(signal)) if has_place(plan, signal) => Signal::built_in(plan, signal, labels, &places),
            _ => Err(unknown(plan, name)),
        }
    }

    #[inline]
    fn declared(
        plan: &Plan,
        signal: &SignalPlan,
        labels: &[(String, String)],
        places: &[(usize, usize)],
    ) -> Result<Signal, String> {
        let from = match &signal.source {
            Source::Level { of, nodes, across } => From::Levels(*of, nodes.clone(), *across),
            Source::Records(_) => {
                let before = plan.signals.declared.iter().take_while(|other| other.name != signal.name);
                let first: usize = before.map(series_count).sum();
                let fits = |combination: &usize| {
                    let mut rest = *combination;
                    let mut digits = vec![0; signal.labels.len()];
                    for (digit, label) in digits.iter_mut().zip(&signal.labels).rev() {
                        *digit = rest % (label.values.len() + 1);
                        rest /= label.values.len() + 1;
                    }
                    places.iter().all(|(label, place)| digits[*label] == place + 1)
                };
                let series = (0..series_count(signal)).filter(fits).map(|combination| first + combination).collect();
                From::Series(series, signal.buckets.clone())
            }
            Source::Formula { expr, operands } => {
                let operand = |query: &Query| {
                    let takes = labels_named(plan, &query.signal);
                    let free = |label: &&(String, String)| {
                        takes.iter().any(|(known, _)| *known == label.0)
                            && !query.labels.iter().any(|(fixed, _)| *fixed == label.0)
                    };
                    let labels: Vec<(String, String)> =
                        query.labels.iter().chain(labels.iter().filter(free)).cloned().collect();
                    let signal = Signal::new(plan, &query.signal, &labels)?;
                    Ok(Operand { signal, reduced: query.reduced, window: query.window })
                };
                From::Formula(expr.clone(), operands.iter().map(operand).collect::<Result<_, String>>()?)
            }
        };
        Ok(Signal { kind: signal.kind, from })
    }

    #[inline]
    fn built_in(
        plan: &Plan,
        signal: &BuiltIn,
        labels: &[(String, String)],
        places: &[(usize, usize)],
    ) -> Result<Signal, String> {
        let from = match signal.of {
            Of::Run => From::Recovery,
            Of::Requests | Of::Outcomes => {
                let mut chosen = Chosen::default();
                for ((label, value), (at, place)) in labels.iter().zip(places) {
                    if *at < plan.signals.labels.len() {
                        chosen.labels.push((*at, (place + 1) as u8));
                        continue;
                    }
                    match label.as_str() {
                        "route" => chosen.route = Some(RouteId(*place as u8)),
                        "op" => chosen.op = Some(if *place == 0 { Op::Read } else { Op::Write }),
                        "workload" => chosen.workload = Some(*place as u16),
                        "client" => chosen.client = plan.node(value),
                        _ => chosen.outcome = Some(Outcome::ALL[*place]),
                    }
                }
                if chosen.workload.is_some() && !plan.signals.words.workloads_apart() {
                    return Err("`workload` is not clear: two workloads of one client have the same route".to_string());
                }
                From::Requests(signal.id, chosen)
            }
            _ => {
                let node = labels.iter().find(|(label, _)| label == "node");
                let nodes = match node {
                    Some((_, id)) => instances(&plan.nodes, id),
                    None if signal.of == Of::OneNode => {
                        return Err(format!("`{0}` needs a node: `{0}{{node=...}}`", signal.name));
                    }
                    None => nodes_of(plan, signal.of),
                };
                let result = labels.iter().find(|(label, _)| label == "result");
                let result = result.and_then(|(_, value)| RESULTS.iter().position(|known| known == value));
                match signal.id {
                    BuiltInId::Waiting => From::Levels(LevelKind::Waiting, nodes, AcrossSpec::Sum),
                    BuiltInId::InService => From::Levels(LevelKind::InService, nodes, AcrossSpec::Sum),
                    BuiltInId::Utilization => From::Levels(LevelKind::Utilization, nodes, AcrossSpec::Sum),
                    BuiltInId::CircuitState => From::Levels(LevelKind::Circuit, nodes, AcrossSpec::Sum),
                    id => From::Nodes(id, nodes, result),
                }
            }
        };
        Ok(Signal { kind: signal.kind, from })
    }

    /// What kind of number it is.
    #[inline]
    pub fn kind(&self) -> SignalKind {
        self.kind
    }

    /// Reduces a window of the signal, the whole run if there is none, in the way that is natural to its kind if none is
    /// named. Ok(None): there is nothing in the window. Errors: it is not reduced so.
    #[inline]
    pub fn reduce(
        &self,
        plan: &Plan,
        folds: &Folds,
        reduced: Option<Reduced>,
        window: Option<Window>,
    ) -> Result<Option<f64>, String> {
        let reduced = reduced.unwrap_or(self.kind.natural());
        self.kind.allows(reduced)?;
        let last = folds.rows().len() as u32;
        let window = window.unwrap_or(Window { from: 0, to: last });
        let rows = &folds.rows()[(window.from.min(last)) as usize..(window.to.min(last)) as usize];
        Ok(Asked { plan, folds }.reduce(self, reduced, rows))
    }

    /// Whether it is ever anything but 0.
    #[inline]
    pub fn moves(&self, plan: &Plan, folds: &Folds) -> bool {
        let seen = |reduced: Reduced| {
            let value = self.reduce(plan, folds, Some(reduced), None);
            value.is_ok_and(|value| value.is_some_and(|value| value != 0.0))
        };
        match self.kind {
            SignalKind::Counter => seen(Reduced::Max1s) || seen(Reduced::Min1s),
            SignalKind::Histogram => seen(Reduced::Count),
            SignalKind::Gauge | SignalKind::Ratio => seen(Reduced::Max) || seen(Reduced::Min),
            SignalKind::Scalar => seen(Reduced::Value),
        }
    }
}

/// The error that there is no such signal.
#[inline]
fn unknown(plan: &Plan, name: &str) -> String {
    let known: Vec<String> = signals(plan).into_iter().map(|signal| signal.name).collect();
    match nearest(name, &known.iter().map(String::as_str).collect::<Vec<_>>()) {
        Some(near) => format!("there is no signal `{name}` in this scenario; the nearest name is `{near}`"),
        None => format!("there is no signal `{name}` in this scenario; known: {}", known.join(", ")),
    }
}

/// A run that is asked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    plan: &'a Plan,
    folds: &'a Folds,
}

impl Asked<'_> {
    #[inline]
    fn reduce(self, signal: &Signal, reduced: Reduced, rows: &[Arc<Row>]) -> Option<f64> {
        let each = || rows.iter().map(std::slice::from_ref);
        match signal.kind {
            SignalKind::Counter => {
                reduce::counter(each().map(|second| self.total(signal, second).unwrap_or(0.0)), reduced)
            }
            SignalKind::Gauge => reduce::gauge(rows.iter().filter_map(|row| self.level(signal, row)), reduced),
            SignalKind::Histogram => {
                let bounds = if let From::Series(_, bounds) = &signal.from { &bounds[..] } else { &[] };
                reduce::histogram(&self.values(signal, rows), reduced, bounds)
            }
            SignalKind::Ratio => {
                reduce::ratio(self.total(signal, rows), each().map(|second| self.total(signal, second)), reduced)
            }
            SignalKind::Scalar => self.total(signal, rows),
        }
    }

    /// What a counter, ratio or scalar is over some seconds together.
    #[inline]
    fn total(self, signal: &Signal, rows: &[Arc<Row>]) -> Option<f64> {
        match &signal.from {
            From::Recovery => recovery_seconds(self.plan, self.folds),
            From::Formula(expr, operands) => self.formula(signal.kind, expr, operands, rows),
            From::Requests(BuiltInId::ErrorRatio, chosen) => {
                let failed = self.requests(chosen, rows, &RequestRow::failed);
                let all = failed + self.requests(chosen, rows, &RequestRow::completed);
                (all > 0.0).then(|| failed / all)
            }
            From::Requests(id, chosen) => Some(self.requests(chosen, rows, &|requests| counted(*id, chosen, requests))),
            From::Nodes(BuiltInId::HitRatio, nodes, _) => {
                let of = |count: &dyn Fn(&NodeRow) -> u32| node_sum(nodes, rows, count);
                let all = of(&|node| node.lookups.iter().sum());
                (all > 0.0).then(|| of(&NodeRow::served) / all)
            }
            From::Nodes(id, nodes, result) => Some(node_sum(nodes, rows, &|node| happened(*id, *result, node))),
            From::Series(numbers, _) => {
                let sum = |row: &Arc<Row>| {
                    let sums = numbers.iter().map(|number| match row.series.get(*number) {
                        Some(SeriesRow::Sum(sum)) => *sum,
                        _ => 0.0,
                    });
                    sums.sum::<f64>()
                };
                Some(rows.iter().map(sum).sum())
            }
            From::Levels(..) => None,
        }
    }

    /// The value of a formula over some seconds together. None: an operand has nothing there, or nothing at all happened.
    #[inline]
    fn formula(self, kind: SignalKind, expr: &Expr, operands: &[Operand], rows: &[Arc<Row>]) -> Option<f64> {
        let value = |operand: &Operand| {
            let last = self.folds.rows().len() as u32;
            let own = operand
                .window
                .map(|window| &self.folds.rows()[window.from.min(last) as usize..window.to.min(last) as usize]);
            let reduced = operand.reduced.unwrap_or(operand.signal.kind.natural());
            self.reduce(&operand.signal, reduced, own.unwrap_or(rows))
        };
        let values: Vec<f64> = operands.iter().map(value).collect::<Option<_>>()?;
        let idle = kind == SignalKind::Ratio && values.iter().all(|value| *value == 0.0);
        (!idle).then(|| expr.eval(&mut |name| values[usize::from(name)]))
    }

    #[inline]
    fn requests(self, chosen: &Chosen, rows: &[Arc<Row>], count: &dyn Fn(&RequestRow) -> u32) -> f64 {
        let fits: Vec<bool> = self.folds.classes().iter().map(|class| chosen.fits(self.plan, class)).collect();
        let of = |row: &Arc<Row>| {
            let counted = row.requests.iter().zip(&fits).filter(|(_, fits)| **fits);
            counted.map(|(requests, _)| u64::from(count(requests))).sum::<u64>()
        };
        rows.iter().map(of).sum::<u64>() as f64
    }

    /// All values of a histogram.
    #[inline]
    fn values(self, signal: &Signal, rows: &[Arc<Row>]) -> Buckets {
        let mut all = Buckets::default();
        match &signal.from {
            From::Requests(id, chosen) => {
                let fits: Vec<bool> = self.folds.classes().iter().map(|class| chosen.fits(self.plan, class)).collect();
                for row in rows {
                    for (requests, _) in row.requests.iter().zip(&fits).filter(|(_, fits)| **fits) {
                        let success = *id == BuiltInId::Duration;
                        all.merge(if success { &requests.latency } else { &requests.failed_latency });
                    }
                }
            }
            From::Series(numbers, _) => {
                for row in rows {
                    for number in numbers {
                        if let Some(SeriesRow::Values(values)) = row.series.get(*number) {
                            all.merge(values);
                        }
                    }
                }
            }
            _ => {}
        }
        all
    }

    /// A gauge in a second. None: it has no value there.
    #[inline]
    fn level(self, signal: &Signal, row: &Arc<Row>) -> Option<Level> {
        match &signal.from {
            From::Levels(of, nodes, across) => Some(self.across(*of, nodes, *across, row)),
            From::Nodes(_, nodes, _) => {
                let open = nodes.iter().map(|node| level(&row.nodes[node.index()].breakers_open));
                Some(combined(open, AcrossSpec::Sum))
            }
            From::Series(numbers, _) => numbers.iter().find_map(|number| match row.series.get(*number) {
                Some(SeriesRow::Level(level)) => Some(*level),
                _ => None,
            }),
            From::Formula(expr, operands) => {
                let value = self.formula(signal.kind, expr, operands, std::slice::from_ref(row))?;
                Some(Level { mean: value, max: value, min: value, last: value })
            }
            From::Requests(..) | From::Recovery => None,
        }
    }

    #[inline]
    fn across(self, of: LevelKind, nodes: &[NodeId], across: AcrossSpec, row: &Row) -> Level {
        let places =
            |node: &NodeId| crate::engine::capacity(&self.plan.nodes[node.index()].kind).map_or(1.0, f64::from);
        let levels = nodes.iter().map(|node| {
            let levels = &row.nodes[node.index()].levels;
            match of {
                LevelKind::Waiting => level(&levels.waiting),
                LevelKind::InService | LevelKind::Utilization => level(&levels.in_service),
                LevelKind::Circuit => level(&levels.circuit),
            }
        });
        match (of, across) {
            // The share of all places together, not the sum of shares.
            (LevelKind::Utilization, AcrossSpec::Sum | AcrossSpec::Mean) => {
                combined(levels, AcrossSpec::Sum).divided(nodes.iter().map(places).sum())
            }
            (LevelKind::Utilization, _) => {
                combined(levels.zip(nodes).map(|(level, node)| level.divided(places(node))), across)
            }
            _ => combined(levels, across),
        }
    }
}

impl Chosen {
    #[inline]
    fn fits(&self, plan: &Plan, class: &Class) -> bool {
        let op = plan.routes.get(class.route.index()).map(|route| route.op);
        self.route.is_none_or(|route| route == class.route)
            && self.op.is_none_or(|asked| op == Some(asked))
            && self.workload.is_none_or(|workload| class.workload == Some(workload))
            && self.client.is_none_or(|client| client == class.client)
            && self.labels.iter().all(|(label, place)| class.labels[*label] == *place)
    }
}

/// How many of some requests a built-in signal counts.
#[inline]
fn counted(id: BuiltInId, chosen: &Chosen, requests: &RequestRow) -> u32 {
    match id {
        BuiltInId::Requests => requests.ended(|_| true),
        BuiltInId::Attempts => requests.attempts,
        BuiltInId::Goodput => requests.completed(),
        BuiltInId::Errors => requests.failed(),
        BuiltInId::Responses => requests.ended(|outcome| chosen.outcome.is_none_or(|asked| asked == outcome)),
        BuiltInId::Ended(asked) => requests.ended(|outcome| outcome == asked),
        BuiltInId::StaleServed => requests.ended(|outcome| outcome == Outcome::OkStale),
        _ => unreachable!("counts no requests"),
    }
}

/// How often something happened at a node.
#[inline]
fn happened(id: BuiltInId, result: Option<usize>, node: &NodeRow) -> u32 {
    match id {
        BuiltInId::Lookups => result.map_or(node.lookups.iter().sum(), |result| node.lookups[result]),
        BuiltInId::Misses => node.lookups.iter().sum::<u32>() - node.served(),
        BuiltInId::Queries => node.arrivals,
        BuiltInId::Retries => node.retries,
        BuiltInId::Timeouts => node.timeouts,
        BuiltInId::Shed => node.shed,
        BuiltInId::RateLimited => node.rate_limited,
        BuiltInId::CircuitRejections => node.circuit_rejections,
        BuiltInId::BreakerTrips => node.breaker_trips,
        BuiltInId::Alerts => node.alerts,
        BuiltInId::AlertsDelivered => node.delivered,
        _ => unreachable!("happens at no node"),
    }
}

#[inline]
fn node_sum(nodes: &[NodeId], rows: &[Arc<Row>], count: &dyn Fn(&NodeRow) -> u32) -> f64 {
    let of = |row: &Arc<Row>| nodes.iter().map(|node| u64::from(count(&row.nodes[node.index()]))).sum::<u64>();
    rows.iter().map(of).sum::<u64>() as f64
}

#[inline]
fn level(row: &GaugeRow) -> Level {
    Level { mean: row.mean(), max: f64::from(row.max), min: f64::from(row.min), last: f64::from(row.last) }
}

/// Levels of several nodes as one.
#[inline]
fn combined(levels: impl ExactSizeIterator<Item = Level>, across: AcrossSpec) -> Level {
    let count = levels.len().max(1) as f64;
    let pick = |combine: fn(f64, f64) -> f64| {
        move |x: Level, y: Level| Level {
            mean: combine(x.mean, y.mean),
            max: combine(x.max, y.max),
            min: combine(x.min, y.min),
            last: combine(x.last, y.last),
        }
    };
    let all = match across {
        AcrossSpec::Sum | AcrossSpec::Mean => levels.reduce(pick(|x, y| x + y)),
        AcrossSpec::Max => levels.reduce(pick(|x, y| if y > x { y } else { x })),
        AcrossSpec::Min => levels.reduce(pick(|x, y| if y < x { y } else { x })),
    };
    all.unwrap_or_default().divided(if across == AcrossSpec::Mean { count } else { 1.0 })
}

impl Level {
    #[inline]
    fn divided(self, by: f64) -> Level {
        Level { mean: self.mean / by, max: self.max / by, min: self.min / by, last: self.last / by }
    }
}
