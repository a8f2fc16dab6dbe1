//! The system at the cursor: the state line and what each part says of itself.

use crate::text::stage as text;
use crate::view_model::charts::{is_5xx, is_lost};
use crate::view_model::format;
use crate::view_model::topology::name_of;
use sandbox_core::blocks::Blocks;
use sandbox_core::engine::{BreakerStateView, Health, IncidentState, NodeView, Observation};
use sandbox_core::ids::NodeId;
use sandbox_core::metrics::Summary;
use sandbox_core::scenario::{Kind, NodePlan, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::trace::Outcome;

/// In what state is the system: word, shape and colour by the class; what; how much is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct StateLine {
    /// `ok`, `degraded`, `down`.
    pub class: &'static str,
    /// The word.
    pub word: &'static str,
    /// What is the matter.
    pub what: String,
    /// Requests answered in the second before the cursor.
    pub answered: u32,
    /// Requests that ended in it.
    pub ended: u32,
    /// How good the answers were, if not simply fresh.
    pub quality: String,
}

/// How requests ended in the second before an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Fresh answers.
    pub fresh: u32,
    /// Stale answers.
    pub stale: u32,
    /// 5xx, and no answer.
    pub failed: u32,
    /// 4xx.
    pub client_errors: u32,
}

impl Window {
    /// Counts the requests that ended in the second before `at`. `requests` are in order of their intended send.
    pub fn of(requests: &Blocks<Summary>, at: Time) -> Window {
        /// No request is waited for longer than this.
        const LONGEST: Span = Span::from_millis(10_000);
        let second = Span::from_millis(1_000);
        let begin = requests.partition_point(|summary| summary.intended < at - second - LONGEST);
        let mut window = Window::default();
        for summary in requests.iter_from(begin).take_while(|summary| summary.intended <= at) {
            let Some(end) = summary.end else { continue };
            let ended = summary.intended + end.latency;
            if ended > at || at.since(ended) >= second {
                continue;
            }
            match end.outcome {
                Outcome::Ok => window.fresh += 1,
                Outcome::OkStale => window.stale += 1,
                outcome if is_5xx(outcome) || is_lost(outcome) => window.failed += 1,
                _ => window.client_errors += 1,
            }
        }
        window
    }
}

/// The state line of an observation.
pub fn state_line(plan: &Plan, seen: &Observation, window: Window, at: Time) -> StateLine {
    let (class, word) = match seen.health {
        Health::Ok => ("ok", text::healthy()),
        Health::Degraded => ("degraded", text::degraded()),
        Health::Down => ("down", text::down()),
    };
    let answered = window.fresh + window.stale;
    let quality = match (window.fresh, window.stale) {
        (_, 0) => String::new(),
        (0, _) => text::all_stale().into(),
        (_, stale) => text::some_stale(format::short(f64::from(stale) / f64::from(answered) * 100.0, 0)),
    };
    StateLine {
        class,
        word,
        what: what(plan, seen, window, at),
        answered,
        ended: answered + window.failed + window.client_errors,
        quality,
    }
}

fn what(plan: &Plan, seen: &Observation, window: Window, at: Time) -> String {
    let fault = plan.faults.iter().filter(|fault| fault.from <= at && at < fault.to).max_by_key(|fault| fault.from);
    if let Some(fault) = fault {
        return text::fault_for(&fault.title, format::about(Time::ZERO + at.since(fault.from)));
    }
    let unsettled =
        seen.nodes.iter().flat_map(|node| node.breakers.iter().map(move |breaker| (node.id, breaker.state)));
    let unsettled: Vec<_> = unsettled.filter(|(_, state)| *state != BreakerStateView::Closed).collect();
    match &unsettled[..] {
        [] => {}
        [(node, BreakerStateView::HalfOpen)] => return text::breaker_tries(name(plan, *node)),
        [(node, _)] => return text::breaker_still_open(name(plan, *node)),
        several => return text::breakers_unsettled(several.len()),
    }
    if let Some(node) = seen.nodes.iter().find(|node| !node.ejected.is_empty()) {
        return text::leaves_out(name(plan, node.id), name(plan, node.ejected[0]));
    }
    match seen.incidents.first() {
        Some(incident) if incident.state == IncidentState::Failing => text::incident_open(incident.id.0),
        Some(incident) => text::incident_recovered(incident.id.0),
        None if window.failed == 0 => text::all_answer().into(),
        None if window.fresh + window.stale == 0 => text::nobody_answered().into(),
        None => text::some_fail().into(),
    }
}

fn name(plan: &Plan, node: NodeId) -> String {
    name_of(&plan.nodes[node.index()])
}

/// What a part says of itself.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartView {
    /// The line under its name.
    pub say: String,
    /// `down`, `degraded` or nothing.
    pub class: &'static str,
    /// `down` or `full`: how the line is set off.
    pub say_class: &'static str,
    /// Share of its places that were busy, for the bar; None: it has no bound.
    pub busy: Option<f64>,
    /// What hangs at its corner: text and class.
    pub badge: Option<(String, &'static str)>,
    /// Everything in one sentence, for those who cannot see it.
    pub sentence: String,
}

/// What a part says of itself at the cursor. `busy_mean`: how many of its places were busy over the last second; while time
/// flies it replaces the momentary number, which would only flicker.
pub fn part_view(plan: &Plan, node: &NodePlan, seen: &NodeView, busy_mean: Option<f64>, flying: bool) -> PartView {
    let down = seen.condition.down;
    let busy_now = f64::from(seen.in_service);
    let places = |busy: f64, capacity: u32| {
        let busy = if flying { format!("{busy:.1}") } else { format!("{busy:.0}") };
        let (busy, capacity) = (&*busy, &*capacity.to_string());
        match seen.waiting {
            0 => text::busy(busy, capacity),
            waiting @ 1..100 => text::busy_and_waiting(busy, capacity, waiting),
            // A long line says by itself that all are busy, and there is no room for more.
            waiting => text::waiting(format::count(waiting.into())),
        }
    };
    let busy_shown = if flying { busy_mean.unwrap_or(busy_now) } else { busy_now };
    let silent = down || seen.condition.frozen;
    let say = match (&node.kind, seen.capacity) {
        _ if silent => text::no_answer().to_string(),
        _ if seen.condition.held => text::begins_nothing().into(),
        _ if seen.condition.asleep => text::asleep().into(),
        (Kind::Client(_), _) => {
            let own = || plan.workloads.iter().filter(|workload| plan.nodes[workload.client.index()].id == node.id);
            let rate: f64 = own().filter_map(|workload| workload.rate_rps(plan.end)).sum();
            match own().map(|workload| workload.arrivals.clients()).sum::<u32>() {
                0 => text::rate(format::with_unit(rate.round(), "")),
                clients if rate == 0.0 => text::in_a_loop(format::count(u64::from(clients))),
                clients => text::rate_and_loop(format::with_unit(rate.round(), ""), format::count(u64::from(clients))),
            }
        }
        (Kind::Gateway(gateway), _) => match (&gateway.rate_limit, &gateway.auth) {
            (Some(_), Some(_)) => text::limit_and_token().into(),
            (Some(_), None) => text::limit().into(),
            (None, Some(_)) => text::token().into(),
            (None, None) => text::passes_on().into(),
        },
        (Kind::Cache(_), _) => text::items(format::count(u64::from(seen.copies.unwrap_or(0)))),
        (Kind::Queue(_), _) => text::waiting(format::count(seen.waiting.into())),
        (Kind::Monitor(_), _) => String::new(),
        (_, Some(capacity)) => places(busy_shown, capacity),
        (Kind::Service(_) | Kind::Store(_) | Kind::Database(_), None) => {
            let busy = if flying { format!("{busy_shown:.1}") } else { format!("{busy_shown:.0}") };
            match seen.waiting {
                0 => text::at_work(busy),
                waiting => text::at_work_and_waiting(busy, format::count(waiting.into())),
            }
        }
    };
    let badge = badge(plan, seen);
    let full = seen.capacity.is_some_and(|capacity| seen.in_service >= capacity) && !down;
    let busy = seen.capacity.map(|capacity| busy_mean.unwrap_or(busy_now) / f64::from(capacity.max(1)));
    let sentence = match &badge {
        Some((badge, _)) => text::says_and(name_of(node), &say, badge),
        None => text::says(name_of(node), &say),
    };
    PartView {
        class: match seen.status {
            _ if down => "down",
            Health::Ok => "",
            _ => "degraded",
        },
        say_class: if silent {
            "down"
        } else if full && !flying {
            "full"
        } else {
            ""
        },
        say,
        busy: busy.filter(|_| !down),
        badge,
        sentence,
    }
}

fn badge(plan: &Plan, seen: &NodeView) -> Option<(String, &'static str)> {
    let has = |wanted: fn(&BreakerStateView) -> bool| seen.breakers.iter().any(|breaker| wanted(&breaker.state));
    if has(|state| matches!(state, BreakerStateView::Open { .. })) {
        return Some((text::badge_open().into(), ""));
    }
    if has(|state| matches!(state, BreakerStateView::HalfOpen)) {
        return Some((text::badge_tries().into(), "half"));
    }
    if let Some(out) = seen.ejected.first() {
        return Some((text::badge_left_out(name(plan, *out)), "out"));
    }
    let condition = &seen.condition;
    match () {
        _ if condition.slow_factor > 1.0 => Some((text::badge_slower(format::short(condition.slow_factor, 1)), "out")),
        _ if condition.error_ratio > 0.0 => Some((text::badge_errors(format::percent(condition.error_ratio)), "")),
        _ => None,
    }
}
