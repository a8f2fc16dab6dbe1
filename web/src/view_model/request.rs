//! One request, looked at: why it ended so, where its time went, and its way in lanes.

use crate::text::evidence as text;
use crate::view_model::charts::{outcome_class, outcome_name};
use crate::view_model::format;
use crate::view_model::topology::name_of;
use sandbox_core::Run;
use sandbox_core::ids::{NodeId, RequestId};
use sandbox_core::scenario::Plan;
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline::{self, Lanes, PartKind, Why};
use sandbox_core::trace::{Refusal, What};

/// Everything the page says of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestView {
    /// Which.
    pub request: RequestId,
    /// `Request #11,702`.
    pub name: String,
    /// What it asked for: `GET /items/871`.
    pub asked: String,
    /// When it was meant to be sent.
    pub intended: Time,
    /// How it ended; None: it has not.
    pub end: Option<EndView>,
    /// Whether it is sent at the moment that is looked at.
    pub is_sent: bool,
}

/// How a request ended, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct EndView {
    /// After which step.
    pub step: u64,
    /// `503`, and the class of its tag.
    pub tag: (&'static str, &'static str),
    /// Whether it failed.
    pub failed: bool,
    /// From the answer to the root.
    pub chain: Vec<ChainLink>,
    /// The id of the fault that is its root, if one is.
    pub fault: Option<String>,
    /// Where the time went.
    pub parts: Vec<PartLine>,
    /// The whole, in nanoseconds.
    pub total_ns: u64,
    /// The whole, as text.
    pub total: String,
    /// Its way.
    pub lanes: LanesView,
}

/// A link of the chain of causes.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainLink {
    /// The step that made it.
    pub step: u64,
    /// When.
    pub at: String,
    /// In words.
    pub text: String,
    /// Whether it is the root.
    pub root: bool,
}

/// A part of a latency.
#[derive(Clone, Debug, PartialEq)]
pub struct PartLine {
    /// Name.
    pub name: String,
    /// Class of its colour.
    pub class: &'static str,
    /// In nanoseconds.
    pub ns: u64,
    /// As text; the texts sum to the total's.
    pub text: String,
    /// Share of the whole, from 0 to 1.
    pub share: f64,
}

/// A request's way in lanes.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LanesView {
    /// The lanes.
    pub rows: Vec<LaneView>,
    /// The ways between them.
    pub hops: Vec<HopView>,
    /// What happened without taking time.
    pub marks: Vec<MarkView>,
    /// How long it is, in milliseconds.
    pub span_ms: f64,
    /// Texts under the axis.
    pub ticks: Vec<(f64, String)>,
    /// The same in words.
    pub sentence: String,
}

/// A lane.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct LaneView {
    pub name: String,
    pub bars: Vec<BarView>,
}

/// A stay.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct BarView {
    pub from_ms: f64,
    pub to_ms: f64,
    pub kind: BarKind,
}

/// What a stay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BarKind {
    Queue,
    Work,
    Wait,
}

/// A way.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct HopView {
    pub from_row: usize,
    pub from_ms: f64,
    pub to_row: usize,
    pub to_ms: f64,
}

/// A mark on a lane.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct MarkView {
    pub row: usize,
    pub at_ms: f64,
    pub text: String,
}

impl RequestView {
    /// The same request, as much as is known of it at an instant before its end.
    pub fn before_end(&self, at: Time) -> RequestView {
        let is_sent = self.intended <= at;
        let asked = if is_sent { self.asked.clone() } else { String::new() };
        RequestView { name: self.name.clone(), asked, end: None, is_sent, ..*self }
    }

    /// Looks at a request of a computed run; None: there is no such request.
    pub fn new(run: &mut Run, request: RequestId) -> Option<RequestView> {
        let plan = run.plan().clone();
        let summary = *run.folds().request(request)?;
        let why = timeline::why(run, request);
        let lanes = timeline::lanes(run, request);
        Some(RequestView {
            request,
            name: text::request(format::count(u64::from(request.0))),
            asked: timeline::words::route_of(&plan, summary.route, summary.key),
            intended: summary.intended,
            is_sent: true,
            end: why.zip(lanes).map(|(why, lanes)| end_view(&plan, &why, &lanes)),
        })
    }
}

fn end_view(plan: &Plan, why: &Why, lanes: &Lanes) -> EndView {
    let name = |node: NodeId| name_of(&plan.nodes[node.index()]);
    let kept = why.chain.iter().enumerate().filter(|(index, link)| *index == 0 || link.root || !link.passing);
    let chain = kept.map(|(_, link)| ChainLink {
        step: link.logged.step,
        at: format::instant(link.logged.record.at),
        text: link.text.clone(),
        root: link.root,
    });
    // The largest part is listed first; a handful of parts needs no better sorting.
    let mut parts = why.parts.clone();
    for place in 1..parts.len() {
        let mut index = place;
        while index > 0 && parts[index - 1].span < parts[index].span {
            parts.swap(index - 1, index);
            index -= 1;
        }
    }
    let spans: Vec<Span> = parts.iter().map(|part| part.span).collect();
    let mut texts = format::parts(&spans, why.latency);
    let total = texts.pop().unwrap_or_default();
    let lines = parts.iter().zip(texts).map(|(part, text)| PartLine {
        name: match part.kind {
            PartKind::Network => text::network().into(),
            PartKind::Timeout => text::part_at(part_name(part.kind), name(part.node)),
            kind => text::part_of(part_name(kind), name(part.node)),
        },
        class: match part.kind {
            PartKind::Network | PartKind::Handshake => "k-net",
            PartKind::Service => "k-work",
            PartKind::Throttled => "k-wait",
            PartKind::Queue | PartKind::PoolWait | PartKind::LockWait | PartKind::CoalescedWait => "k-queue",
            PartKind::BackOff => "k-wait",
            PartKind::FailedAttempt | PartKind::Timeout => "k-lost",
        },
        ns: part.span.as_nanos(),
        text,
        share: part.span.as_nanos() as f64 / why.latency.as_nanos().max(1) as f64,
    });
    EndView {
        step: why.chain.first().map_or(0, |link| link.logged.step),
        tag: (outcome_name(why.outcome), outcome_class(why.outcome)),
        failed: !why.outcome.is_success(),
        chain: chain.collect(),
        fault: why.chain.last().and_then(|link| match link.logged.record.what {
            What::FaultBegan { fault } => Some(plan.faults[usize::from(fault)].id.clone()),
            _ => None,
        }),
        parts: lines.collect(),
        total_ns: why.latency.as_nanos(),
        total,
        lanes: lanes_view(plan, lanes, why.latency),
    }
}

fn lanes_view(plan: &Plan, lanes: &Lanes, latency: Span) -> LanesView {
    let span_ms = latency.as_ms().max(1e-3);
    let ms = |at: Time| at.since(lanes.from).as_ms().min(span_ms);
    let row = |node: NodeId| lanes.lanes.iter().position(|lane| lane.node == node);
    let rows = lanes.lanes.iter().map(|lane| {
        let bars = lane.bars.iter().map(|bar| BarView {
            from_ms: ms(bar.from),
            to_ms: ms(bar.to),
            kind: match bar.kind {
                timeline::BarKind::Waiting => BarKind::Queue,
                timeline::BarKind::Working => BarKind::Work,
                timeline::BarKind::BackingOff => BarKind::Wait,
            },
        });
        LaneView { name: name_of(&plan.nodes[lane.node.index()]), bars: bars.collect() }
    });
    let rows: Vec<LaneView> = rows.collect();
    let hops = lanes.hops.iter().filter_map(|hop| {
        let (from_row, to_row) = (row(hop.from_node)?, row(hop.to_node)?);
        Some(HopView { from_row, from_ms: ms(hop.from), to_row, to_ms: ms(hop.to) })
    });
    let marks = lanes.refusals.iter().filter_map(|(node, at, refusal)| {
        Some(MarkView { row: row(*node)?, at_ms: ms(*at), text: refusal_mark(*refusal).into() })
    });
    let mut marks: Vec<MarkView> = marks.collect();
    // Two attempts refused alike and close together are one text.
    marks.dedup_by(|later, earlier| {
        let close = later.row == earlier.row && later.at_ms - earlier.at_ms < span_ms * 0.12;
        if close && later.text == earlier.text {
            later.text.clone_from(&earlier.text);
        }
        close && later.text == earlier.text
    });
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    LanesView {
        sentence: text::way(names.join(", "), format::span(latency)),
        rows,
        hops: hops.collect(),
        marks,
        span_ms,
        ticks: ticks(span_ms),
    }
}

/// What a part of a latency is called.
fn part_name(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Network => text::network(),
        PartKind::Handshake => text::handshake(),
        PartKind::Throttled => text::throttled(),
        PartKind::Queue => text::queue(),
        PartKind::Service => text::service(),
        PartKind::PoolWait => text::pool_wait(),
        PartKind::LockWait => text::lock_wait(),
        PartKind::CoalescedWait => text::coalesced_wait(),
        PartKind::BackOff => text::back_off(),
        PartKind::FailedAttempt => text::failed_attempt(),
        PartKind::Timeout => text::timeout(),
    }
}

fn refusal_mark(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Down => text::mark_down(),
        Refusal::QueueFull => text::mark_line_full(),
        Refusal::BreakerOpen | Refusal::BreakerHalfOpen => text::mark_not_sent(),
        Refusal::NoInstance => text::mark_no_instance(),
        Refusal::Unauthorized => text::mark_no_token(),
        Refusal::RateLimited => text::mark_over_quota(),
        Refusal::Fault | Refusal::RealError => text::mark_error(),
        Refusal::NotFound => text::mark_not_found(),
        Refusal::QueueTimeout => text::mark_left_line(),
        Refusal::BulkheadFull => text::mark_bulkhead(),
        Refusal::DeadlinePassed => text::mark_too_late(),
        Refusal::Throttled => text::mark_held_back(),
        Refusal::Busy => text::mark_lock_held(),
        Refusal::Deadlock => text::mark_deadlock(),
        Refusal::LockTimeout => text::mark_lock_held(),
        Refusal::TooLong => text::mark_refused(),
        Refusal::SerializationFailure => text::mark_outdated(),
        Refusal::Shed => text::mark_shed(),
        Refusal::KeyMissing => text::mark_no_key(),
        Refusal::KeyInProgress => text::mark_key_in_use(),
        Refusal::KeyReused => text::mark_key_reused(),
        Refusal::PreconditionFailed => text::mark_outdated(),
        Refusal::PreconditionRequired => text::mark_no_version(),
        Refusal::Program => text::mark_refused(),
        Refusal::Lost => text::mark_lost(),
        Refusal::ConnectionReset => text::mark_reset(),
        Refusal::NoPort => text::mark_no_port(),
    }
}

/// Round values under the axis, three to five of them.
pub(super) fn ticks(span_ms: f64) -> Vec<(f64, String)> {
    let power = 10f64.powf((span_ms / 4.0).log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .iter()
        .map(|step| step * power)
        .find(|step| span_ms / step <= 4.5)
        .unwrap_or(span_ms);
    let text = |ms: f64| match ms {
        ms if ms >= 1_000.0 => format!("{} s", format::short(ms / 1e3, 2)),
        ms => format!("{} ms", format::short(ms, 3)),
    };
    let count = (span_ms / step + 1e-9) as usize;
    (0..=count).map(|index| index as f64 * step).filter(|ms| ms / span_ms < 0.97).map(|ms| (ms, text(ms))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::testing::plan;
    use std::sync::Arc;

    #[test]
    fn the_parts_of_a_latency_sum_to_it_and_the_chain_ends_at_its_root() {
        let mut run = Run::new(Arc::new(plan("B")));
        while run.computed_to() < Time::from_seconds(24.0) && !run.advance(10_000) {}
        let failed: Vec<RequestId> = run.folds().failures().map(|(summary, _)| summary.request).take(40).collect();
        assert!(!failed.is_empty());
        for request in failed {
            let view = RequestView::new(&mut run, request).expect("it exists");
            let end = view.end.expect("it ended");
            assert!(end.failed);
            assert_eq!(end.parts.iter().map(|part| part.ns).sum::<u64>(), end.total_ns, "{}", view.name);
            assert!(end.chain.last().is_some_and(|link| link.root));
            assert_eq!(end.fault.as_deref(), Some("outage"));
            assert!(end.lanes.hops.iter().all(|hop| hop.to_ms <= end.lanes.span_ms && hop.from_ms <= hop.to_ms));
        }
    }

    #[test]
    fn axis_texts_are_round_and_few() {
        let texts = |span: f64| ticks(span).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(2.13), ["0 ms", "0.5 ms", "1 ms", "1.5 ms", "2 ms"]);
        assert_eq!(texts(517.0), ["0 ms", "200 ms", "400 ms"]);
    }
}
