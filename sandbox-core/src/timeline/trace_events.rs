//! Requests in the Trace Event Format, which chrome://tracing and Perfetto open: a process for each node, a thread for each
//! request.
//!
//! The format: "Trace Event Format" by the Chromium project; complete events (`X`), instants (`i`) and names of processes (`M`),
//! with times in microseconds.

use super::lanes::{BarKind, lanes};
use super::words;
use crate::ids::RequestId;
use crate::metrics::Run;
use crate::time::{Span, Time};
use serde_json::{Value, json};

/// Hands out the events of these requests of a computed run, one JSON object each: the elements of `traceEvents`.
#[inline]
pub fn trace_events(run: &mut Run, requests: impl IntoIterator<Item = RequestId>, mut out: impl FnMut(Value)) {
    let plan = run.plan().clone();
    let us = |span: Span| span.as_nanos() as f64 / 1e3;
    let at_us = |at: Time| us(at.since(Time::ZERO));
    for (node, known) in plan.nodes.iter().enumerate() {
        let name = if known.id == known.group { &known.title } else { &known.id };
        out(json!({ "ph": "M", "name": "process_name", "pid": node, "args": { "name": name } }));
    }
    for request in requests {
        let Some((summary, lanes)) = run.folds().request(request).copied().zip(lanes(run, request)) else { continue };
        let asked = words::route_of(&plan, summary.route, summary.key);
        for lane in &lanes.lanes {
            for bar in &lane.bars {
                let name = match bar.kind {
                    BarKind::Waiting => "waiting",
                    BarKind::Working => "working",
                    BarKind::BackingOff => "backing off",
                };
                out(json!({
                    "ph": "X", "name": name, "cat": "request", "pid": lane.node.0, "tid": request.0,
                    "ts": at_us(bar.from), "dur": us(bar.to.since(bar.from)), "args": { "request": asked },
                }));
            }
        }
        for (node, at, refusal) in &lanes.refusals {
            out(json!({
                "ph": "i", "s": "t", "name": refusal, "cat": "refusal", "pid": node.0, "tid": request.0, "ts": at_us(*at),
            }));
        }
    }
}
