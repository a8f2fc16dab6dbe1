//! The signals that a scenario declares, and the labels it gives to requests: from what is written to what is folded.

use super::NodePlan;
use super::builtin::BuiltIn;
use super::path::Path;
use super::planner::{nodes_without, unknown_node};
use super::query::{Query, Reduced};
use super::vocabulary::{Field, OF_REQUEST, RecordKind, Vocabulary};
use super::{AcrossSpec, LevelKind, LevelSpec, RecordsSpec, SignalKind, SignalSpec, SourceSpec, Spec};
use super::{Expr, Map, Problem};
use crate::ids::NodeId;
use serde_json::Value;

/// The signals of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// What conditions may name.
    pub words: Vocabulary,
    /// Labels of requests.
    pub labels: Vec<LabelPlan>,
    /// Declared signals, in the order of the document's keys: the position is the number in [`crate::trace::What::Observed`].
    pub declared: Vec<SignalPlan>,
}

/// A label: its values, each with a condition. The first condition that holds decides.
#[derive(Clone, Debug)]
pub struct LabelPlan {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Vec<(String, Expr)>,
}

/// A declared signal.
#[derive(Clone, Debug)]
pub struct SignalPlan {
    /// Its name.
    pub name: String,
    /// What kind of number it is.
    pub kind: SignalKind,
    /// Its unit.
    pub unit: String,
    /// What it says.
    pub help: String,
    /// Where its values come from.
    pub source: Source,
    /// Upper bounds of the buckets that its percentiles are estimated from; none: from the values.
    pub buckets: Vec<f64>,
    /// Its labels.
    pub labels: Vec<LabelPlan>,
}

/// Where the values of a signal come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Records.
    Records(RecordsPlan),
    /// Levels of nodes.
    Level {
        /// Of what.
        of: LevelKind,
        /// Which nodes.
        nodes: Vec<NodeId>,
        /// How they become one number.
        across: AcrossSpec,
    },
    /// An expression over other signals.
    Formula {
        /// The expression; its names are positions in `operands`.
        expr: Expr,
        /// The other signals.
        operands: Vec<Query>,
    },
}

/// Which records give values, and which.
#[derive(Clone, Debug)]
pub struct RecordsPlan {
    /// Code of their kind.
    pub code: u16,
    /// Only those of these nodes; none: of all.
    pub nodes: Option<Vec<NodeId>>,
    /// Only those that meet this.
    pub when: Option<Expr>,
    /// What each one gives; none: 1.
    pub value: Option<Expr>,
    /// Whether only records of requests count: those of probes do not.
    pub of_request: bool,
    /// Whether each value counts once.
    pub distinct: bool,
}

impl SignalPlan {
    /// Whether this field decides which records count, for which label, or what they give.
    #[inline]
    pub fn asks(&self, field: Field) -> bool {
        let Source::Records(records) = &self.source else { return false };
        let conditions = self.labels.iter().flat_map(|label| &label.values).map(|(_, when)| when);
        let exprs = records.when.iter().chain(&records.value).chain(conditions);
        exprs.flat_map(Expr::names).any(|name| Field::at(name) == Some(field))
    }
}

impl LabelPlan {
    /// The place of a request or record among the values, from 1, or 0 for none of them.
    pub fn place(&self, value_of: &mut dyn FnMut(u16) -> f64) -> usize {
        self.values.iter().position(|(_, when)| when.eval(value_of) != 0.0).map_or(0, |index| index + 1)
    }
}

impl Signals {
    /// The declared signal of this name.
    #[inline]
    pub fn named(&self, name: &str) -> Option<&SignalPlan> {
        self.declared.iter().find(|signal| signal.name == name)
    }

    /// Plans what a scenario declares; every problem is added to `problems`.
    #[inline]
    pub(super) fn new(
        spec: &Spec,
        words: Vocabulary,
        nodes: &[NodePlan],
        json: &Value,
        problems: &mut Vec<Problem>,
    ) -> Signals {
        let mut planner = SignalPlanner { spec, words, nodes, json, problems };
        let labels = planner.labels(&Path::new("labels"), &spec.labels, OF_REQUEST);
        let combinations: usize = labels.iter().map(|label| label.values.len() + 1).product();
        let routes: usize = spec.workloads.values().map(|workload| workload.routes.len()).sum();
        if combinations > LABELLED_MAX || (combinations > 1 && combinations * routes > CLASSES_MAX) {
            let what = format!("{combinations} kinds of requests on {routes} routes of workloads are too many");
            let hint = format!(
                "At most {LABELLED_MAX} combinations of the labels' values, none included, and {CLASSES_MAX} times routes."
            );
            planner.problem(&Path::new("labels"), what, hint);
        }
        if spec.metrics.len() > DECLARED_MAX {
            let what = format!("{} signals are too many", spec.metrics.len());
            planner.problem(&Path::new("metrics"), what, format!("At most {DECLARED_MAX}."));
        }
        let declared = spec.metrics.iter().filter_map(|(name, signal)| planner.signal(name, signal)).collect();
        planner.refuse_long_ways();
        Signals { words: planner.words, labels, declared }
    }
}

/// Combinations of label values at most, for requests and for each signal.
const LABELLED_MAX: usize = 64;
/// Combinations of label values on all routes of all workloads at most: each is counted by itself in every second.
const CLASSES_MAX: usize = 512;
/// Declared signals at most.
const DECLARED_MAX: usize = 128;
/// Bounds of a histogram's buckets at most.
const BUCKETS_MAX: usize = 256;
/// Operands of a formula at most.
const OPERANDS_MAX: usize = 16;
/// Formulas at most on the way from a formula to what it is made of: each is computed anew for every second.
const FORMULAS_DEEP: usize = 3;

struct SignalPlanner<'a> {
    spec: &'a Spec,
    words: Vocabulary,
    nodes: &'a [NodePlan],
    json: &'a Value,
    problems: &'a mut Vec<Problem>,
}

impl SignalPlanner<'_> {
    #[inline]
    fn problem(&mut self, path: &Path, what: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::new(path.to_string(), what, hint));
    }

    #[inline]
    fn labels(&mut self, path: &Path, labels: &Map<Map<String>>, fields: &[Field]) -> Vec<LabelPlan> {
        let mut planned = Vec::new();
        for (name, values) in labels {
            if values.is_empty() {
                self.problem(&path.at(name), "has no values", "Name at least one, with its condition.");
            }
            let mut read = Vec::new();
            for (value, text) in values {
                let when = self.words.condition(text, fields);
                if let Some(when) = self.read(&path.at(name).at(value), when) {
                    read.push((value.clone(), when));
                }
            }
            planned.push(LabelPlan { name: name.clone(), values: read });
        }
        planned
    }

    /// An expression, or its reason as a problem at `path`.
    #[inline]
    fn read(&mut self, path: &Path, expr: Result<Expr, String>) -> Option<Expr> {
        expr.map_err(|why| self.problem(path, why, "See ARCHITECTURE.md, \"Signals\".")).ok()
    }

    #[inline]
    fn signal(&mut self, name: &str, signal: &SignalSpec) -> Option<SignalPlan> {
        let metrics = Path::new("metrics");
        let path = &metrics.at(name);
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(word) {
            self.problem(path, "is no name of a signal", "Use lower-case words joined by `_`.");
        }
        let fields: Vec<Field> = match &signal.source {
            SourceSpec::Records(records) => match RecordKind::named(&records.of) {
                Ok((_, kind)) => kind.fields().collect(),
                Err(why) => {
                    self.problem(&path.at("source.records.of"), why, "Name a kind of record.");
                    return None;
                }
            },
            SourceSpec::Observed => {
                RecordKind::named("observed").map_or(Vec::new(), |(_, kind)| kind.fields().collect())
            }
            _ => Vec::new(),
        };
        let labels = self.labels(&path.at("labels"), &signal.labels, &fields);
        let of_records = matches!(signal.source, SourceSpec::Records(_) | SourceSpec::Observed);
        if !labels.is_empty() && (!of_records || signal.kind == SignalKind::Gauge) {
            let hint = "Labels belong to counters and histograms of records and observed values; a formula has those of \
                        its operands.";
            self.problem(&path.at("labels"), "cannot be given here", hint);
        }
        if labels.iter().map(|label| label.values.len() + 1).product::<usize>() > LABELLED_MAX {
            let hint = format!("At most {LABELLED_MAX} combinations of their values, none included.");
            self.problem(&path.at("labels"), "are too many", hint);
        }
        let source = match &signal.source {
            SourceSpec::Records(records) => self.records(path, signal.kind, records, &fields)?,
            SourceSpec::Observed => self.observed(path, signal.kind, &fields)?,
            SourceSpec::Level(level) => self.level(path, signal.kind, level)?,
            SourceSpec::Formula(text) => self.formula(path, signal.kind, text)?,
            SourceSpec::Invariant(_) => {
                self.refuse_unless(path, signal.kind, &[SignalKind::Counter]);
                self.observed(path, signal.kind, &[Field::Value])?
            }
        };
        let buckets = self.buckets(&path.at("buckets"), signal);
        let (name, unit, help) = (name.to_string(), signal.unit.clone(), signal.help.clone());
        Some(SignalPlan { name, kind: signal.kind, unit, help, source, buckets, labels })
    }

    /// The bounds of a histogram's buckets.
    #[inline]
    fn buckets(&mut self, path: &Path, signal: &SignalSpec) -> Vec<f64> {
        let bounds = &signal.buckets;
        if !bounds.is_empty() && signal.kind != SignalKind::Histogram {
            self.problem(path, "belong to a histogram alone", "Take them out, or make it a histogram.");
        }
        let ascending = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || bounds.len() > BUCKETS_MAX || bounds.iter().any(|bound| !(0.0..=1e9).contains(bound)) {
            let hint = format!("Up to {BUCKETS_MAX} numbers from 0 to 1,000,000,000, each larger than the one before.");
            self.problem(path, "are no bounds of buckets", hint);
        }
        bounds.clone()
    }

    /// Reports a kind of signal that this source cannot be.
    #[inline]
    fn refuse_unless(&mut self, path: &Path, kind: SignalKind, allowed: &[SignalKind]) {
        if !allowed.contains(&kind) {
            let names: Vec<&str> = allowed.iter().map(|kind| kind.as_str()).collect();
            let hint = format!("Such a source makes a {}.", names.join(" or a "));
            self.problem(&path.at("kind"), format!("a {} does not come from this source", kind.as_str()), hint);
        }
    }

    #[inline]
    fn records(&mut self, path: &Path, kind: SignalKind, records: &RecordsSpec, fields: &[Field]) -> Option<Source> {
        use SignalKind::{Counter, Gauge, Histogram};
        self.refuse_unless(path, kind, &[Counter, Histogram, Gauge]);
        let path = &path.at("source.records");
        let (code, of) = RecordKind::named(&records.of).ok()?;
        let when = records.when.as_ref().map(|text| self.words.condition(text, fields));
        let when = when.map(|when| self.read(&path.at("when"), when));
        let value = records.value.as_ref().map(|text| self.words.number(text, fields));
        let value = value.map(|value| self.read(&path.at("value"), value));
        if value.is_none() && kind != Counter {
            let hint = "Only a counter does without: say what each record gives.";
            self.problem(&path.at("value"), "is missing", hint);
        }
        if records.distinct && (kind != Counter || value.is_none()) {
            let hint = "Let it be a counter, and say in `value` what is to be told apart.";
            self.problem(&path.at("distinct"), "counts values that there are none of", hint);
        }
        let nodes = records.node.as_ref().map(|node| self.instances(&path.at("node"), node));
        let (when, value) = (when.flatten(), value.flatten());
        let (of_request, distinct) = (of.of_request, records.distinct);
        Some(Source::Records(RecordsPlan { code, nodes, when, value, of_request, distinct }))
    }

    #[inline]
    fn observed(&mut self, path: &Path, kind: SignalKind, fields: &[Field]) -> Option<Source> {
        use SignalKind::{Counter, Gauge, Histogram};
        self.refuse_unless(path, kind, &[Counter, Histogram, Gauge]);
        let (code, _) = RecordKind::named("observed").ok()?;
        let value = self.words.number("value", fields).ok();
        Some(Source::Records(RecordsPlan { code, nodes: None, when: None, value, of_request: false, distinct: false }))
    }

    #[inline]
    fn level(&mut self, path: &Path, kind: SignalKind, level: &LevelSpec) -> Option<Source> {
        self.refuse_unless(path, kind, &[SignalKind::Gauge]);
        let nodes = self.instances(&path.at("source.level.node"), &level.node);
        Some(Source::Level { of: level.of, nodes, across: level.across })
    }

    /// The instances of a group, or one of them; reports one that does not exist.
    #[inline]
    fn instances(&mut self, path: &Path, name: &str) -> Vec<NodeId> {
        let found = instances(self.nodes, name);
        if let Some(known) = nodes_without(self.json, name)
            && found.is_empty()
        {
            let hint = unknown_node(name, &known);
            self.problem(path, format!("there is no node `{name}`"), hint);
        }
        found
    }

    #[inline]
    fn formula(&mut self, path: &Path, kind: SignalKind, text: &str) -> Option<Source> {
        use SignalKind::{Counter, Gauge, Ratio, Scalar};
        self.refuse_unless(path, kind, &[Counter, Gauge, Ratio, Scalar]);
        let path = &path.at("source.formula");
        let names = operand_names(text);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let expr = self.read(path, Expr::number(text, &names))?;
        let mut operands = Vec::new();
        for name in names {
            match Query::parse_operand(name) {
                Ok(operand) => operands.push(operand),
                Err(why) => self.problem(path, why, "Name a signal, between single quotes if it has labels."),
            }
        }
        if operands.len() > OPERANDS_MAX {
            let hint = format!("At most {OPERANDS_MAX}.");
            self.problem(path, format!("{} operands are too many", operands.len()), hint);
        }
        for operand in &operands {
            self.check_operand(path, kind, operand);
        }
        Some(Source::Formula { expr, operands })
    }

    /// Reports an operand that does not exist or that is not reduced as its kind can be.
    #[inline]
    fn check_operand(&mut self, path: &Path, kind: SignalKind, operand: &Query) {
        let declared = self.spec.metrics.get(&operand.signal).map(|signal| signal.kind);
        let Some(of) = declared.or_else(|| BuiltIn::named(&operand.signal).map(|signal| signal.kind)) else {
            let known: Vec<&str> = self.spec.metrics.keys().map(String::as_str).collect();
            let hint =
                format!("Declared: {}; the built-in ones are in ARCHITECTURE.md, \"Signals\".", known.join(", "));
            return self.problem(path, format!("there is no signal `{}`", operand.signal), hint);
        };
        if let Some(Err(why)) = operand.reduced.map(|reduced| of.allows(reduced)) {
            self.problem(path, format!("`{}`: {why}", operand.signal), "Name another reduction.");
        }
        if operand.variant.is_some() {
            let hint = "Compare variants in claims.";
            self.problem(path, format!("`{}` is asked of another variant", operand.signal), hint);
        }
        let second_by_second = matches!(kind, SignalKind::Counter | SignalKind::Gauge);
        if second_by_second && (operand.reduced.is_some_and(|r| r == Reduced::Value) || of == SignalKind::Scalar) {
            let hint = "A counter or gauge is made second by second: use counters and gauges.";
            self.problem(path, format!("`{}` is one number for the whole run", operand.signal), hint);
        }
        if operand.window.is_some() && kind != SignalKind::Scalar {
            let hint = "Only a scalar has windows of its own; everything else has that of the question.";
            self.problem(path, format!("`{}` has a window", operand.signal), hint);
        } else if let Some(Err(why)) = operand.window.map(|window| window.within(self.spec.duration_s)) {
            let hint = "Choose a window within the run, or make `duration_s` longer.";
            self.problem(path, format!("`{}`: {why}", operand.signal), hint);
        }
    }

    /// Reports formulas that lead back to themselves, or to other formulas again and again.
    #[inline]
    fn refuse_long_ways(&mut self) {
        let operands = |name: &str| -> Vec<String> {
            let Some(SourceSpec::Formula(text)) = self.spec.metrics.get(name).map(|signal| &signal.source) else {
                return Vec::new();
            };
            let operand = |name: &String| Query::parse_operand(name).ok().map(|operand| operand.signal);
            let is_formula = |name: &String| {
                self.spec.metrics.get(name).is_some_and(|signal| matches!(signal.source, SourceSpec::Formula(_)))
            };
            operand_names(text).iter().filter_map(operand).filter(is_formula).collect()
        };
        let mut found = Vec::new();
        for start in self.spec.metrics.keys() {
            // The formulas so many steps away, each once: a circle never ends.
            let mut reached = vec![start.clone()];
            for _ in 0..FORMULAS_DEEP {
                let mut next: Vec<String> = Vec::new();
                for operand in reached.iter().flat_map(|name| operands(name)) {
                    if !next.contains(&operand) {
                        next.push(operand);
                    }
                }
                reached = next;
                if reached.contains(start) {
                    break;
                }
            }
            match reached.contains(start) {
                true => found.push((start, "leads back to itself".to_string(), "Let formulas go one way.")),
                false if !reached.is_empty() => {
                    let what = format!("is made of more than {FORMULAS_DEEP} formulas in a row");
                    found.push((start, what, "Write it with what they are made of."));
                }
                false => {}
            }
        }
        for (name, what, hint) in found {
            let metrics = Path::new("metrics");
            self.problem(&metrics.at(name).at("source.formula"), what, hint);
        }
    }
}

/// The instances of a group, or the one instance of this id.
#[inline]
pub fn instances(nodes: &[NodePlan], name: &str) -> Vec<NodeId> {
    let places = |fits: &dyn Fn(&NodePlan) -> bool| -> Vec<NodeId> {
        (0..nodes.len()).filter(|index| fits(&nodes[*index])).map(|index| NodeId(index as u16)).collect()
    };
    let one = places(&|node| node.id == name);
    if one.is_empty() { places(&|node| node.group == name) } else { one }
}

/// What a formula names, each once: words, and what stands between quotes.
#[inline]
fn operand_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        let found: Vec<&str> = match index % 2 {
            1 => vec![part],
            _ => part.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))).collect(),
        };
        let is_name = |name: &&str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let keyword = |name: &str| matches!(name, "min" | "max" | "floor" | "and" | "or" | "not" | "true" | "false");
        for name in found.into_iter().filter(is_name) {
            if !keyword(name) && !names.iter().any(|known| known == name) {
                names.push(name.to_string());
            }
        }
    }
    names
}
