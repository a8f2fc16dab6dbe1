//! What a condition over records and requests may name: fields, and words for the values that are no numbers.
//!
//! A field such as `route` or `outcome` has words as values. Every word is a number, the same one wherever it occurs, so
//! `outcome == client_timeout` and `route == 'GET /items/{id}'` are comparisons of numbers.

use super::Expr;
use super::{NodePlan, RoutePlan, WorkloadPlan};
use crate::trace::{AttemptEnd, CacheResult, Closing, Outcome, Refusal, names};

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A field that a condition may name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Field { $($(#[$doc])* $name,)* }

        impl Field {
            /// All fields with their names, in order.
            const ALL: [(&str, Field); [$($word),*].len()] = [$(($word, Field::$name)),*];
        }
    };
}

fields! {
    /// Simulated seconds at which it happened.
    At = "at_seconds",
    /// Where: the id of the instance, a word.
    Node = "node",
    /// Where: the key of the node in the document, a word.
    Group = "group",
    /// The route of the request, a word.
    Route = "route",
    /// What kind of operation the route is, a word: `read` or `write`.
    Op = "op",
    /// The workload of the request, a word.
    Workload = "workload",
    /// The client of the request, a word.
    Client = "client",
    /// The row: of the record, where it names one, else of the request.
    Key = "key",
    /// The user of the request.
    User = "user",
    /// Seconds since the request was intended.
    Age = "age_seconds",
    /// Which attempt, from 1.
    Attempt = "attempt",
    /// The other node: callee or instance, a word.
    To = "to",
    /// How many wait before it.
    Ahead = "ahead",
    /// Calls in service.
    InService = "in_service",
    /// Why it was refused, a word.
    Refusal = "refusal",
    /// HTTP status code of an answer.
    Status = "status",
    /// Seconds in the node.
    Sojourn = "sojourn_seconds",
    /// Seconds in the line or for a lock, or that somebody waited in vain.
    Waited = "waited_seconds",
    /// Seconds of a pause.
    Delay = "delay_seconds",
    /// Why nobody tries again, a word.
    End = "end",
    /// What a cache found, a word.
    Result = "result",
    /// Version of a row.
    Version = "version",
    /// How a request ended, a word.
    Outcome = "outcome",
    /// Seconds from the intended send to the end.
    Latency = "latency_seconds",
    /// Failures in a breaker's window.
    Failures = "failures",
    /// Calls in a breaker's window.
    Calls = "calls",
    /// 1 if a probe was answered, else 0.
    Answered = "answered",
    /// The observed value, or the number of a rule.
    Value = "value",
    /// Instances that are not stopped.
    Running = "running",
    /// Instances that take calls.
    Up = "up",
    /// Instances on the list of their callers.
    Listed = "listed",
    /// As many instances as were to run before.
    From = "from",
    /// As many instances as are to run now.
    Into = "into",
    /// How many times a message was sent again.
    Times = "times",
    /// Seconds that something took.
    Took = "took_seconds",
    /// Why a connection was closed, a word.
    Why = "why",
    /// Ports that closed connections still take.
    TimeWait = "time_wait",
    /// Tokens that were written, or are to be computed again.
    Tokens = "tokens",
    /// Tokens that were read anew.
    Prefilled = "prefilled_tokens",
    /// Tokens in memory.
    Held = "held_tokens",
    /// Bytes of a message that were sent.
    Bytes = "bytes",
    /// 1 if that was all of it, else 0.
    Whole = "whole",
}

/// Fields that every record has.
const OF_ALL: &[Field] = &[Field::At, Field::Node, Field::Group];
/// Fields of every record of a request.
pub const OF_REQUEST: &[Field] =
    &[Field::Route, Field::Op, Field::Workload, Field::Client, Field::Key, Field::User, Field::Age];

/// A kind of record.
#[derive(Debug)]
pub struct RecordKind {
    /// Its name, as `--trace` writes it.
    pub name: &'static str,
    /// Whether it belongs to a request. Those of probes, which belong to none, do not count.
    pub of_request: bool,
    own: &'static [Field],
}

impl RecordKind {
    /// All fields it has.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        let shared = if self.of_request { OF_REQUEST } else { &[] };
        OF_ALL.iter().chain(shared).chain(self.own).copied()
    }

    /// The kind of this name and its code. Errors list the kinds.
    #[inline]
    pub fn named(name: &str) -> Result<(u16, &'static RecordKind), String> {
        let found = RECORD_KINDS.iter().zip(1..).find(|(kind, _)| kind.name == name);
        found.map(|(kind, code)| (code, kind)).ok_or_else(|| {
            let known: Vec<&str> = RECORD_KINDS.iter().map(|kind| kind.name).collect();
            format!("there is no kind of record `{name}`; known: {}", known.join(", "))
        })
    }
}

const fn of_request(name: &'static str, own: &'static [Field]) -> RecordKind {
    RecordKind { name, of_request: true, own }
}

const fn of_world(name: &'static str, own: &'static [Field]) -> RecordKind {
    RecordKind { name, of_request: false, own }
}

/// All kinds of records, in the order of their codes.
pub const RECORD_KINDS: &[RecordKind] = &[
    of_request("intended", &[]),
    of_request("called", &[Field::To, Field::Attempt]),
    of_request("arrived", &[Field::Attempt]),
    of_request("queued", &[Field::Ahead]),
    of_world("saturated", &[Field::InService]),
    of_request("started", &[Field::Waited]),
    of_request("worked", &[]),
    of_request("refused", &[Field::Refusal]),
    of_request("replied", &[Field::Status, Field::Sojourn]),
    of_request("received", &[Field::Status]),
    of_request("timed_out", &[Field::To, Field::Waited]),
    of_request("backed_off", &[Field::Delay]),
    of_request("gave_up", &[Field::End]),
    of_request("came_late", &[]),
    of_request("cache_asked", &[Field::Result]),
    of_request("cache_stored", &[Field::Version]),
    of_request("fell_back", &[]),
    of_request("row_read", &[Field::Version]),
    of_request("row_written", &[Field::Version]),
    of_request("answered", &[Field::Outcome, Field::Latency]),
    of_world("breaker_opened", &[Field::To, Field::Failures, Field::Calls]),
    of_world("breaker_half_opened", &[Field::To]),
    of_world("breaker_closed", &[Field::To]),
    of_world("instance_ejected", &[Field::To]),
    of_world("instance_restored", &[Field::To]),
    of_world("fault_began", &[]),
    of_world("fault_ended", &[]),
    of_world("probed", &[Field::Answered]),
    of_world("incident_opened", &[]),
    of_world("alert_raised", &[]),
    of_world("incident_recovered", &[]),
    of_world("incident_relapsed", &[]),
    of_world("incident_resolved", &[]),
    of_request("disconnected", &[]),
    of_world("probe_began", &[]),
    of_request("observed", &[Field::Value]),
    of_request("withdrawn", &[]),
    of_request("paused", &[]),
    of_request("forked", &[]),
    of_request("joined", &[]),
    of_request("dead_lettered", &[]),
    of_request("admitted", &[]),
    of_world("broke_down", &[]),
    of_world("repaired", &[]),
    of_request("blocked", &[]),
    of_request("replayed", &[]),
    of_world("budget_burning", &[]),
    of_world("rule_broken", &[Field::Value]),
    of_world("alert_delivered", &[]),
    of_world("alert_lost", &[]),
    of_request("message_lost", &[]),
    of_request("commit_lost", &[]),
    of_request("cache_invalidated", &[]),
    of_request("cache_refused", &[Field::Version]),
    of_world("instance_starting", &[]),
    of_world("instance_up", &[]),
    of_world("instance_stopping", &[]),
    of_world("instance_stopped", &[]),
    of_world("out_of_memory", &[]),
    of_world("instance_crashed", &[]),
    of_world("fleet", &[Field::Running, Field::Up, Field::Listed]),
    of_world("rollout_began", &[]),
    of_world("canary_failed", &[]),
    of_world("rolled_back", &[]),
    of_world("scaled", &[Field::From, Field::Into]),
    of_request("retransmitted", &[Field::Times, Field::Delay]),
    of_request("connection_opened", &[Field::To, Field::Took]),
    of_world("connection_closed", &[Field::To, Field::Why, Field::TimeWait]),
    of_world("ports_exhausted", &[Field::To, Field::TimeWait]),
    of_request("vanished", &[]),
    of_world("cpu_throttled", &[]),
    of_request("work_stopped", &[]),
    of_request("work_resumed", &[]),
    of_world("unresponsive", &[]),
    of_request("first_token", &[]),
    of_request("generated", &[Field::Tokens, Field::Took]),
    of_request("preempted", &[Field::Tokens]),
    of_world("iterated", &[Field::Tokens, Field::Prefilled, Field::Held]),
    of_request("transferred", &[Field::Bytes, Field::Whole]),
];

/// The words of a scenario: everything that conditions may name beside the fields. Each table holds a word's number.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    names: Vec<String>,
    /// Of each node's id.
    pub nodes: Vec<u16>,
    /// Of each node's group.
    pub groups: Vec<u16>,
    /// Of each route.
    pub routes: Vec<u16>,
    /// Of each workload.
    pub workloads: Vec<u16>,
    /// Of `read` and `write`.
    pub ops: Vec<u16>,
    /// Of each outcome.
    pub outcomes: Vec<u16>,
    /// Of each reason of a refusal.
    pub refusals: Vec<u16>,
    /// Of each result of a cache.
    pub results: Vec<u16>,
    /// Of each reason to try no more.
    pub ends: Vec<u16>,
    /// Of each reason to close a connection.
    pub closings: Vec<u16>,
    /// Whether the client and the route of a request tell its workload.
    workloads_apart: bool,
}

impl Vocabulary {
    /// The words of these nodes, routes and workloads, and the records' own.
    #[inline]
    pub fn new(nodes: &[NodePlan], routes: &[RoutePlan], workloads: &[WorkloadPlan]) -> Vocabulary {
        let mut words = Vocabulary::default();
        words.names.extend(Field::ALL.iter().map(|(name, _)| name.to_string()));
        words.routes = routes.iter().map(|route| words.number_of(&route.name)).collect();
        words.workloads = workloads.iter().map(|workload| words.number_of(&workload.id)).collect();
        words.groups = nodes.iter().map(|node| words.number_of(&node.group)).collect();
        words.nodes = nodes.iter().map(|node| words.number_of(&node.id)).collect();
        words.ops = ["read", "write"].map(|op| words.number_of(op)).to_vec();
        words.outcomes = names::<Outcome>().iter().map(|name| words.number_of(name)).collect();
        words.refusals = names::<Refusal>().iter().map(|name| words.number_of(name)).collect();
        words.results = names::<CacheResult>().iter().map(|name| words.number_of(name)).collect();
        let same = |a: &WorkloadPlan, b: &WorkloadPlan| {
            a.client == b.client && a.routes.iter().any(|(route, _)| b.routes.iter().any(|(other, _)| route == other))
        };
        words.workloads_apart =
            workloads.iter().enumerate().all(|(index, a)| workloads[..index].iter().all(|b| !same(a, b)));
        words.ends = names::<AttemptEnd>().iter().map(|name| words.number_of(name)).collect();
        words.closings = names::<Closing>().iter().map(|name| words.number_of(name)).collect();
        words
    }

    #[inline]
    fn number_of(&mut self, word: &str) -> u16 {
        let known = self.names.iter().position(|name| name == word);
        let place = known.unwrap_or_else(|| {
            self.names.push(word.to_string());
            self.names.len() - 1
        });
        place as u16
    }

    /// Reads a condition over these fields. Errors say what was expected where, or which field is not there.
    #[inline]
    pub fn condition(&self, text: &str, fields: &[Field]) -> Result<Expr, String> {
        self.checked(Expr::condition(text, &self.names()), fields)
    }

    /// Reads a number over these fields. Errors as for a condition.
    #[inline]
    pub fn number(&self, text: &str, fields: &[Field]) -> Result<Expr, String> {
        self.checked(Expr::number(text, &self.names()), fields)
    }

    /// Whether the client and the route of a request tell its workload.
    #[inline]
    pub fn workloads_apart(&self) -> bool {
        self.workloads_apart
    }

    #[inline]
    fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    #[inline]
    fn checked(&self, expr: Result<Expr, String>, fields: &[Field]) -> Result<Expr, String> {
        let expr = expr?;
        if !self.workloads_apart && expr.names().any(|name| Field::at(name) == Some(Field::Workload)) {
            return Err("`workload` is not clear: two workloads of one client have the same route".to_string());
        }
        let missing = expr.names().find(|name| Field::at(*name).is_some_and(|field| !fields.contains(&field)));
        match missing {
            None => Ok(expr),
            Some(name) => {
                let known: Vec<&str> = fields.iter().map(|field| Field::ALL[*field as usize].0).collect();
                Err(format!("there is no `{}` here; there is: {}", self.names[usize::from(name)], known.join(", ")))
            }
        }
    }
}

impl Field {
    /// The field at this position of an expression's names; none: it is a word, and the position is its number.
    pub fn at(name: u16) -> Option<Field> {
        Field::ALL.get(usize::from(name)).map(|(_, field)| *field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{IncidentId, NodeId, RouteId};
    use crate::time::Span;
    use crate::trace::{CacheFallback, Status, What};

    /// One record of each kind, in the order of the codes.
    fn samples() -> Vec<What> {
        use What::*;
        let (to, span, incident) = (NodeId(0), Span::ZERO, IncidentId(1));
        vec![
            Intended { route: RouteId(0), key: 0, user: 0 },
            Called { to, attempt: 1 },
            Arrived { attempt: 1 },
            Queued { ahead: 0 },
            Saturated { in_service: 1 },
            Started,
            Worked,
            Refused { refusal: crate::trace::Refusal::Down },
            Replied { status: Status::Ok, sojourn: span },
            Received { status: Status::Ok },
            TimedOut { to, after: span },
            BackedOff { delay: span },
            GaveUp { end: AttemptEnd::Attempts },
            CameLate,
            CacheAsked { key: 0, result: CacheResult::Miss },
            CacheStored { key: 0, version: 0 },
            FellBack { fallback: CacheFallback::NoCopy },
            RowRead { key: 0, version: 0 },
            RowWritten { key: 0, version: 0 },
            Answered { outcome: crate::trace::Outcome::Ok, latency: span },
            BreakerOpened { to, failures: 0, calls: 0, slow: 0 },
            BreakerHalfOpened { to },
            BreakerClosed { to },
            InstanceEjected { instance: to },
            InstanceRestored { instance: to },
            FaultBegan { fault: 0 },
            FaultEnded { fault: 0 },
            Probed { ok: true },
            IncidentOpened { incident, failed_probes: 1 },
            AlertRaised { incident },
            IncidentRecovered { incident },
            IncidentRelapsed { incident },
            IncidentResolved { incident },
            Disconnected,
            ProbeBegan,
            Observed { signal: 0, value: 0.0 },
            Withdrawn,
            Paused,
            Forked { branches: 2 },
            Joined,
            DeadLettered,
            Admitted,
            BrokeDown,
            Repaired,
            Blocked,
            Replayed,
            BudgetBurning { long_milli: 0, short_milli: 0 },
            RuleBroken { number: 0.0 },
            AlertDelivered { incident },
            AlertLost { incident },
            MessageLost,
            CommitLost,
            CacheInvalidated { key: 0 },
            CacheRefused { key: 0, version: 0 },
            InstanceStarting,
            InstanceUp,
            InstanceStopping,
            InstanceStopped,
            OutOfMemory,
            InstanceCrashed,
            Fleet { running: 1, up: 1, listed: 1 },
            RolloutBegan { rollout: 0 },
            CanaryFailed { rollout: 0 },
            RolledBack { rollout: 0 },
            Scaled { from: 1, to: 2 },
            Retransmitted { times: 1, after: span },
            ConnectionOpened { to, took: span },
            ConnectionClosed { to, why: Closing::Idle, time_wait: 0 },
            PortsExhausted { to, time_wait: 0 },
            Vanished,
            CpuThrottled,
            WorkStopped,
            WorkResumed,
            Unresponsive,
            FirstToken,
            Generated { tokens: 1, took: span },
            Preempted { tokens: 1 },
            Iterated { sequences: 1, prefilled: 0, held: 1 },
            Transferred { bytes: 1, whole: true },
        ]
    }

    #[test]
    fn kinds_of_records_have_the_names_of_the_trace() {
        for (what, kind) in samples().iter().zip(RECORD_KINDS) {
            let json = serde_json::to_value(what).unwrap();
            assert_eq!(json["kind"], kind.name);
            assert_eq!(RecordKind::named(kind.name).unwrap().0, what.code());
        }
        assert_eq!(samples().len(), RECORD_KINDS.len());
    }

    #[test]
    fn a_field_that_is_not_there_is_refused() {
        let words = Vocabulary::new(&[], &[], &[]);
        let fields: Vec<Field> = RecordKind::named("row_read").unwrap().1.fields().collect();
        assert!(words.condition("key < 10 and op == write", &fields).is_ok());
        let why = words.condition("outcome == ok", &fields).unwrap_err();
        assert!(why.contains("there is no `outcome` here; there is: at_seconds, node"), "{why}");
        assert!(words.condition("key == hot", &fields).unwrap_err().contains("a name (at_seconds"));
    }
}
