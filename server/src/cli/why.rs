//! `faultline why`.

use super::run::compute;
use super::scenario::{ScenarioArgs, problem};
use super::{Failure, Result, print, print_json};
use sandbox_core::ids::RequestId;
use sandbox_core::metrics::Folds;
use sandbox_core::scenario::Problem;
use sandbox_core::time::Span;
use sandbox_core::timeline;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::fmt::Write as _;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline why database-outage --variant B --request first-failed\n  \
faultline why 'https://example.org/?v=2&lesson=the-database-goes-away&request=10021'")]
pub struct Options {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Number of the request, or `first-failed`, `last-failed`, `slowest` (of the successes); by default the link's
    #[arg(long, value_name = "N|WORD", value_parser = which)]
    request: Option<Which>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which request is asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Which {
    Number(RequestId),
    FirstFailed,
    LastFailed,
    /// The slowest success; of several the first.
    Slowest,
}

fn which(text: &str) -> std::result::Result<Which, String> {
    match text {
        "first-failed" => Ok(Which::FirstFailed),
        "last-failed" => Ok(Which::LastFailed),
        "slowest" => Ok(Which::Slowest),
        number => match number.parse() {
            Ok(number) => Ok(Which::Number(RequestId(number))),
            Err(_) => Err("write a number, or first-failed, last-failed or slowest".into()),
        },
    }
}

impl Which {
    fn find(self, folds: &Folds) -> Result<RequestId> {
        let ended = folds.requests().iter().filter_map(|summary| Some((summary, summary.end?)));
        let (found, none) = match self {
            Which::Number(request) => return Ok(request),
            Which::FirstFailed => (folds.failures().min_by_key(|(_, end)| end.step), "failed"),
            Which::LastFailed => (folds.failures().max_by_key(|(_, end)| end.step), "failed"),
            Which::Slowest => {
                let successes = ended.filter(|(_, end)| end.outcome.is_success());
                (successes.min_by_key(|(_, end)| Reverse(end.latency)), "was answered with success")
            }
        };
        let request = found.map(|(summary, _)| summary.request);
        request.ok_or_else(|| Failure::Other(format!("no request {none} in this run")))
    }
}

/// `why --json`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct WhyReport {
    scenario: String,
    variant: String,
    seed: u64,
    request: u32,
    /// How the request ended.
    outcome: String,
    /// From the intended send to the answer, in milliseconds; the parts sum to it exactly, in nanoseconds.
    total_ms: f64,
    total_ns: u64,
    /// From the request back to the root.
    chain: Vec<LinkReport>,
    parts: Vec<PartReport>,
}

/// One link of the chain of causes.
#[derive(Serialize, Deserialize, JsonSchema)]
struct LinkReport {
    seq: u32,
    step: u64,
    at_s: f64,
    text: String,
    /// Whether the chain is understood without it: a call on its way, a piece of work done.
    passing: bool,
    /// Whether nothing lies behind it.
    root: bool,
}

/// One part of the latency.
#[derive(Serialize, Deserialize, JsonSchema)]
struct PartReport {
    kind: String,
    node: String,
    ms: f64,
    ns: u64,
}

/// Says why a request ended as it did.
pub fn why(options: &Options) -> Result {
    let loaded = options.scenario.load(problem)?;
    let Some(which) = options.request.or(loaded.link.request.map(Which::Number)) else {
        let hint = "Add --request with a number, or first-failed, last-failed or slowest.";
        return Err(vec![Problem::new("--request", "is missing, and no link names a request", hint)].into());
    };
    let mut run = loaded.run();
    compute(&mut run);
    options.scenario.how.fits(&loaded.link, &run)?;
    let request = which.find(run.folds())?;
    let Some(why) = timeline::why(&mut run, request) else {
        let requests = run.folds().requests().len();
        return Err(Failure::Other(format!(
            "request {} did not end in this run; it has requests 1 to {requests}",
            request.0
        )));
    };
    let plan = &loaded.plan;
    let total = why.parts.iter().fold(Span::ZERO, |total, part| total + part.span);
    let report = WhyReport {
        scenario: plan.id.clone(),
        variant: plan.variant.clone(),
        seed: plan.seed,
        request: request.0,
        outcome: why.outcome.as_str().into(),
        total_ms: total.as_ms(),
        total_ns: total.as_nanos(),
        chain: why
            .chain
            .iter()
            .map(|link| LinkReport {
                seq: link.logged.record.seq.number(),
                step: link.logged.step,
                at_s: link.logged.record.at.as_seconds(),
                text: link.text.clone(),
                passing: link.passing,
                root: link.root,
            })
            .collect(),
        parts: why
            .parts
            .iter()
            .map(|part| PartReport {
                kind: part.kind.as_str().into(),
                node: plan.nodes[part.node.index()].id.clone(),
                ms: part.span.as_ms(),
                ns: part.span.as_nanos(),
            })
            .collect(),
    };
    if options.json {
        print_json(&report)?
    } else {
        print(&text(&report))?
    }
    options.scenario.how.same_run(&loaded.link, &run.digest())
}

fn text(report: &WhyReport) -> String {
    let mut out = format!("request {}: {} after {:.3} ms\n\nwhy\n", report.request, report.outcome, report.total_ms);
    for link in report.chain.iter().filter(|link| !link.passing) {
        let mark = if link.root { "  <- the root" } else { "" };
        let _ = writeln!(out, "  {:>12.6} s  {}{mark}", link.at_s, link.text);
    }
    out.push_str("\nwhere the time went\n");
    for part in &report.parts {
        let _ = writeln!(out, "  {:>10.3} ms  {:<16}{}", part.ms, part.kind, part.node);
    }
    let _ = writeln!(out, "  {:>10.3} ms  in all", report.total_ms);
    out
}
