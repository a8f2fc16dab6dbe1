//! `faultline run`.

use super::scenario::HowArgs;
use super::{Result, Target, print, print_json, progress, scenario};
use crate::mount::recording;
use sandbox_core::Run;
use sandbox_core::claim::{self, read_claims};
use sandbox_core::ids::RequestId;
use sandbox_core::link::Link;
use sandbox_core::metrics::{self, RunReport};
use sandbox_core::recording::Recording;
use sandbox_core::scenario::{Document, Kind, Plan, Problem, Query};
use sandbox_core::timeline::{self, IncidentSheet};
use sandbox_core::trace::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Steps computed between two looks at the progress bar.
const SLICE: u32 = 100_000;
/// Records fetched at once when a trace is written.
const TRACE_SLICE: u32 = 50_000;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  faultline run database-outage --variant B --query 'http_error_ratio{op=read}.mean[20:35]'\n  \
faultline run 'https://example.org/?v=2&lesson=the-database-goes-away&seed=11'\n  \
faultline run --replay recording.jsonl --json"
)]
pub struct Options {
    /// A scenario: a link of the page (in quotes), a file if it contains `/` or ends in `.json`, else an id
    #[arg(required_unless_present = "replay")]
    scenario: Option<String>,
    #[command(flatten)]
    how: HowArgs,
    /// Evaluate a reference such as http_error_ratio.mean[20:35]
    #[arg(long = "query", value_name = "EXPR")]
    queries: Vec<String>,
    /// Write every record as JSON lines
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write where every request was, when, in the Trace Event Format that chrome://tracing and Perfetto open
    #[arg(long, value_name = "FILE")]
    trace_events: Option<PathBuf>,
    /// Write every request that ended as JSON lines: who, what, how it ended, how long it took
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Run again what `serve --record` wrote, to the same trace and digest
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "variant", "sets"])]
    replay: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `run --json`: the report, and what the run's outage was.
#[derive(Serialize, JsonSchema)]
pub struct RunOutput {
    #[serde(flatten)]
    report: RunReport,
    /// The first fault and its effect; null without a fault.
    incident_sheet: Option<IncidentSheet>,
}

/// The first line of `--trace FILE`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct TraceHeader {
    scenario: String,
    variant: String,
    seed: u64,
    digest: String,
    version: String,
}

/// Simulates or replays, and prints the report.
pub fn run(options: &Options) -> Result {
    let queries: Vec<Asked> = options.queries.iter().map(|query| (query.as_str(), Query::parse(query))).collect();
    let (plan, document, script, link, recorded) = match &options.replay {
        Some(file) => {
            let recording = replay(file, options.scenario.as_deref())?;
            let problems = unanswered(&queries, Some(&recording.plan));
            if !problems.is_empty() {
                return Err(problems.into());
            }
            (recording.plan, recording.document, recording.script, Link::default(), recording.digest)
        }
        None => {
            let named = options.scenario.as_deref().unwrap_or_default();
            let judge = |document: &Document, plan: Option<&Plan>| {
                [read_claims(document).err().unwrap_or_default(), unanswered(&queries, plan)].concat()
            };
            let loaded = options.how.load_and_judge(named, scenario::problem, judge)?;
            (loaded.plan, loaded.document, loaded.link.script(), loaded.link, None)
        }
    };
    let headline = match &options.replay {
        Some(file) => format!(
            "Replay of {}: scenario {}, variant {}, {:.0} s with seed {} and {} recorded inputs.",
            file.display(),
            plan.id,
            plan.variant,
            plan.end.as_seconds(),
            plan.seed,
            script.inputs.len()
        ),
        None => plan.describe(),
    };
    let targets = [&options.trace, &options.trace_events, &options.log];
    let [to_trace, to_trace_events, to_log] = targets.map(|file| file.as_deref().map(Target::open).transpose());
    let (to_trace, to_trace_events, to_log) = (to_trace?, to_trace_events?, to_log?);
    let start = Instant::now();
    let mut run: Run = Run::with_script(plan.clone(), script);
    compute(&mut run);
    if options.replay.is_none() {
        options.how.fits(&link, &run)?;
    }
    let wall_ms = start.elapsed().as_secs_f64() * 1e3;
    let mut report = RunReport::new(&run, wall_ms);
    for (query, asked) in queries {
        report.queries.insert(query.into(), metrics::ask(&plan, run.folds(), &asked?)?);
    }
    report.claims = claim::judge_run(&document.claims(), &plan, run.folds());
    if let Some(target) = to_trace {
        target.write(|out| trace(&mut run, out))?;
    }
    if let Some(target) = to_trace_events {
        target.write(|out| trace_events(&mut run, out))?;
    }
    if let Some(target) = to_log {
        target.write(|out| log(&run, out))?;
    }
    let output = RunOutput { report, incident_sheet: timeline::incident_sheet(&run) };
    if options.json {
        print_json(&output)?
    } else {
        print(&text(&headline, &plan, &output))?
    }
    let report = output.report;
    match recorded.filter(|recorded| *recorded != report.digest) {
        Some(recorded) => scenario::differs(&report.digest, "recording", &recorded),
        None => options.how.same_run(&link, &report.digest),
    }
}

/// A query as it is written, and what it asks, or why it cannot be read.
type Asked<'a> = (&'a str, std::result::Result<Query, String>);

/// The queries that a run of this plan cannot answer; without a plan, those that cannot be read.
fn unanswered(queries: &[Asked], plan: Option<&Plan>) -> Vec<Problem> {
    let refuse = |(query, asked): &Asked| {
        let why = match (asked, plan) {
            (Err(why), _) => why.clone(),
            (Ok(asked), Some(plan)) => metrics::answerable(plan, asked).err()?,
            (Ok(_), None) => return None,
        };
        Some(metrics::unanswered(query, why))
    };
    queries.iter().filter_map(refuse).collect()
}

/// What a file holds, if it is a recording of the scenario that was asked for.
fn replay(file: &Path, scenario: Option<&str>) -> Result<Recording> {
    let recording = recording::read(file)?;
    if let Some(wanted) = scenario
        && scenario::read(wanted)?.document.id() != recording.plan.id
    {
        let what = format!("was recorded with scenario {}", recording.plan.id);
        return Err(
            vec![Problem::new(file.display().to_string(), what, "Leave SCENARIO out, or name that one.")].into()
        );
    }
    Ok(recording)
}

/// Computes the whole run, with progress.
pub(super) fn compute(run: &mut Run) {
    let end = run.plan().end.as_nanos();
    let start = Instant::now();
    let mut bar = None;
    while !run.advance(SLICE) {
        if start.elapsed().as_secs_f64() > 1.0 {
            let bar = bar.get_or_insert_with(|| progress(end, "simulating"));
            bar.set_position(run.computed_to().as_nanos());
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn trace_events(run: &mut Run, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    let (all, mut written) = (run.folds().requests().len() as u32, Ok(()));
    let mut comma = "";
    timeline::trace_events(run, (1..=all).map(RequestId), |event| {
        if written.is_ok() {
            written = write!(out, "{comma}\n{event}");
            comma = ",";
        }
    });
    written?;
    writeln!(out, "\n]}}")
}

fn trace(run: &mut Run, out: &mut impl Write) -> io::Result<()> {
    let plan = run.plan().clone();
    let header = TraceHeader {
        scenario: plan.id.clone(),
        variant: plan.variant.clone(),
        seed: plan.seed,
        digest: run.digest(),
        version: env!("CARGO_PKG_VERSION").into(),
    };
    writeln!(out, "{}", serde_json::to_string(&header)?)?;
    let count = run.record_count();
    let mut from = 0;
    while from < count {
        let to = (from + TRACE_SLICE).min(count);
        for logged in run.records(from..to) {
            let record = logged.record;
            let line = json!({
                "at_ns": record.at.as_nanos(),
                "seq": record.seq,
                "node": plan.nodes[record.node.index()].id,
                "request": record.request,
                "what": record.what,
                "cause": record.cause,
            });
            writeln!(out, "{line}")?;
        }
        from = to;
    }
    Ok(())
}

fn log(run: &Run, out: &mut impl Write) -> io::Result<()> {
    for line in timeline::request_log(run.plan(), run.folds()) {
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}

fn text(headline: &str, plan: &Plan, output: &RunOutput) -> String {
    let report = &output.report;
    let mut out = format!("{headline}\n\n");
    let requests = &report.requests;
    let _ = writeln!(
        out,
        "{} requests: {} completed, {} failed, {} in flight; error ratio {:.4}, {:.1} successes a second",
        requests.offered,
        requests.completed,
        requests.failed,
        requests.in_flight,
        report.error_ratio,
        report.throughput_rps
    );
    let latency = &report.latency_ms;
    let _ = writeln!(
        out,
        "latency of successes: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        latency.p50, latency.p95, latency.p99, latency.max
    );
    let outcomes: Vec<String> = requests
        .by_outcome
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(outcome, count)| format!("{} {count}", outcome.as_str()))
        .collect();
    let _ = writeln!(out, "outcomes: {}", outcomes.join(", "));
    if let Some(sheet) = &output.incident_sheet {
        let _ = writeln!(out, "incident: {} at {} s for {} s", sheet.trigger, sheet.began_s, sheet.lasted_s);
        let _ = writeln!(out, "  {}", figures(plan, output, sheet).join("; "));
    }
    for (query, value) in &report.queries {
        let value = value.map_or("nothing in this window".to_string(), |value| value.to_string());
        let _ = writeln!(out, "{query} = {value}");
    }
    for claim in &report.claims {
        let mark = match claim.holds {
            Some(true) => "holds",
            Some(false) => "FAILS",
            None => "not judged",
        };
        let _ = writeln!(out, "{mark:<14}{}: {}", claim.id, claim.text);
    }
    let _ = writeln!(out, "digest {}, {} events in {:.0} ms", report.digest, report.events, report.wall_ms);
    out
}

/// What the sheet says of this scenario: nothing is detected without a monitor, and nothing recovers that did not fail.
fn figures(plan: &Plan, output: &RunOutput, sheet: &IncidentSheet) -> Vec<String> {
    let has = |is: fn(&Kind) -> bool| plan.nodes.iter().any(|node| is(&node.kind));
    let after = |span: Option<f64>| span.map_or("never".to_string(), |span| format!("after {span:.1} s"));
    let percent = |what: &str, share: Option<f64>| share.map(|share| format!("{what} {:.1} %", share * 100.0));
    let failed = |outcome: &Outcome| !outcome.is_success() && !outcome.is_client_error();
    let mut outcomes = output.report.requests.by_outcome.iter();
    let recovers = outcomes.any(|(outcome, count)| *count > 0 && failed(outcome));
    let figures = [
        has(|kind| matches!(kind, Kind::Monitor(_))).then(|| format!("detected {}", after(sheet.detected_after_s))),
        percent("reads failed", sheet.reads_failed),
        percent("writes failed", sheet.writes_failed),
        percent("answered from stale copies", sheet.stale).filter(|_| has(|kind| matches!(kind, Kind::Cache(_)))),
        recovers.then(|| format!("recovered {}", after(sheet.recovered_after_s))),
    ];
    figures.into_iter().flatten().collect()
}
