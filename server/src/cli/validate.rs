//! `faultline validate`.

use super::scenario::{Asked, HowArgs, cured, read, runtime};
use super::{Failure, Result, Target, duration, log, print, print_json, progress, tell};
use crate::load::TimingReport;
use crate::mount::real::RealSpec;
use crate::output::LatencyMs;
use crate::validate::{self, Compared, Deviation, Order, Stage, ValidationReport};
use sandbox_core::scenario::Document;
use serde_json::Value;
use std::cell::Cell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  faultline validate database-outage --real db=sqlite:lab.sqlite --report report.html\n\n\
Measures the real parts alone, predicts, then runs the same requests on the wall clock: once with modelled nodes, once with\n\
the real parts. Takes a little more than twice the scenario's duration. Exit code 1 if a figure is out of tolerance."
)]
pub struct Options {
    /// A scenario: a link of the page (in quotes), a file if it contains `/` or ends in `.json`, else an id
    scenario: String,
    #[command(flatten)]
    how: HowArgs,
    /// Make a node real in the third run: db=sqlite:FILE
    #[arg(long, value_name = "NODE=TARGET")]
    real: Vec<RealSpec>,
    /// Requests a second; the scenario's own by default
    #[arg(long, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// How long the runs last; the scenario's own by default
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// Write the report as a page
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Validates and prints the table.
pub fn validate(options: &Options) -> Result {
    log("faultline=error,server=error");
    let named = read(&options.scenario)?;
    let Asked { variant, mut changes, problems } = options.how.asked(&named, cured);
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let original = named.document;
    changes.extend(asked(&original, options));
    let order = Order { original, variant, changes, real: options.real.clone() };
    let runtime = runtime()?;
    let bar = progress(1_000, "starting");
    let current = Cell::new(None);
    let on_progress = |stage: Stage, share: f64| {
        let words = match stage {
            Stage::Calibrating => "measuring the real parts",
            Stage::Simulating => "simulating",
            Stage::Mounted => "mounted, modelled nodes",
            Stage::Real => "mounted, real parts",
        };
        if current.replace(Some(stage)) != Some(stage) {
            bar.set_message(words);
            if bar.is_hidden() {
                tell(words);
            }
        }
        bar.set_position((share * 1_000.0) as u64);
    };
    let page_file = options.report.as_deref().map(Target::open).transpose()?;
    let report = validate::validate(&order, &runtime, &on_progress)?;
    bar.finish_and_clear();
    if let Some(target) = page_file {
        target.write(|out| out.write_all(page(&report).as_bytes()))?;
    }
    if options.json {
        print_json(&report)?
    } else {
        print(&text(&report))?
    }
    if report.ok { Ok(()) } else { Err(Failure::Check) }
}

/// Rate and duration as changes of the document.
fn asked(document: &Document, options: &Options) -> Vec<(String, Value)> {
    let mut changes = Vec::new();
    if let Some(rate) = options.rate {
        let workloads = document.at("workloads").and_then(Value::as_object);
        for id in workloads.into_iter().flat_map(|workloads| workloads.keys()) {
            changes.push((format!("workloads.{id}.arrivals.rate_rps"), Value::from(rate)));
        }
    }
    changes.extend(options.duration.map(|duration| ("duration_s".to_string(), Value::from(duration.as_secs_f64()))));
    changes
}

/// A load generator that is late by more than this at the 95th percentile was kept from its work.
const BUSY_MS: f64 = 0.5;

const FIGURES: [(&str, &str, usize); 5] = [
    ("throughput_rps", "successes a second", 1),
    ("error_ratio", "error ratio", 4),
    ("p50_ms", "p50, ms", 2),
    ("p95_ms", "p95, ms", 2),
    ("p99_ms", "p99, ms (not judged)", 2),
];

/// A row of the table: name, predicted, and for each run measured, deviation and verdict.
struct Row {
    name: &'static str,
    predicted: String,
    runs: Vec<(String, String, &'static str)>,
}

fn rows(window: &validate::WindowReport) -> Vec<Row> {
    let runs: Vec<&Compared> = [&window.mounted, &window.real].into_iter().flatten().collect();
    let number = |value: Option<f64>, digits: usize| value.map_or("-".to_string(), |value| format!("{value:.digits$}"));
    let row = |(key, name, digits): &(&'static str, &'static str, usize)| {
        let cell = |compared: &&Compared| {
            let deviation = compared.deviations[*key];
            let Deviation { measured, difference, tolerance, ok, .. } = deviation;
            let verdict = match (tolerance, ok) {
                (_, false) => "MISS",
                (Some(_), true) => "ok",
                (None, true) => "",
            };
            let difference = difference.map_or("-".to_string(), |difference| format!("{difference:+.digits$}"));
            (number(measured, *digits), difference, verdict)
        };
        let predicted = runs.first().and_then(|compared| compared.deviations[*key].predicted);
        Row { name, predicted: number(predicted, *digits), runs: runs.iter().map(cell).collect() }
    };
    FIGURES.iter().map(row).collect()
}

fn header(report: &ValidationReport) -> Vec<&'static str> {
    let real = report.windows.iter().any(|window| window.real.is_some());
    if real { vec!["mounted", "real parts"] } else { vec!["mounted"] }
}

fn text(report: &ValidationReport) -> String {
    let mut out = format!("{}\n{} requests, the same in every run.\n", report.plan, report.sent);
    for (path, latency) in report.calibration.iter().flat_map(|calibration| &calibration.measured) {
        let _ = writeln!(out, "measured alone: {path}  {}", line(latency));
    }
    for window in &report.windows {
        let _ = write!(
            out,
            "\n{:<28}{:>12}",
            format!("{} ({}..{} s)", window.name, window.from_s, window.to_s),
            "simulated"
        );
        for name in header(report) {
            let _ = write!(out, "{name:>14}{:>10}{:>6}", "off by", "");
        }
        out.push('\n');
        for row in rows(window) {
            let _ = write!(out, "  {:<26}{:>12}", row.name, row.predicted);
            for (measured, difference, verdict) in row.runs {
                let _ = write!(out, "{measured:>14}{difference:>10}{verdict:>6}");
            }
            out.push('\n');
        }
    }
    out.push('\n');
    for (name, value) in timing_lines(report) {
        let _ = writeln!(out, "{name}: {value}");
    }
    if report.send_lag_ms.values().any(|lag| lag.p95.is_some_and(|p95| p95 > BUSY_MS)) {
        out.push_str(
            "this machine was busy with other work: the load generator could not keep its own times. Run it\n\
             alone, or with precedence: chrt -r 5 faultline validate ...\n",
        );
    }
    let _ =
        writeln!(out, "failed requests outside the outage and its first 10 s of recovery: {}", report.failed_outside);
    let _ = writeln!(out, "{}", verdict(report));
    out
}

fn line(latency: &LatencyMs) -> String {
    let ms = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.3}"));
    format!(
        "p50 {} ms, p95 {} ms, p99 {} ms, max {} ms",
        ms(latency.p50),
        ms(latency.p95),
        ms(latency.p99),
        ms(latency.max)
    )
}

fn timing_lines(report: &ValidationReport) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (run, timing) in &report.server_timing {
        if let Some(TimingReport { store_ms, over_store_ms, added_ms, .. }) = timing {
            lines.push((format!("{run}: the store's own time"), line(store_ms)));
            lines.push((
                format!("{run}: all but the store, the scenario's own work and waits included"),
                line(over_store_ms),
            ));
            lines.push((format!("{run}: added by our threads, timers and channels"), line(added_ms)));
        }
    }
    for (run, lag) in &report.send_lag_ms {
        lines.push((format!("{run}: the load generator was late by"), line(lag)));
    }
    lines
}

fn verdict(report: &ValidationReport) -> String {
    let tolerances = "throughput and error ratio within 3 %, p50 and p95 within 10 % or 1 ms";
    match report.misses {
        0 => format!("all figures within tolerance ({tolerances})"),
        misses => format!("{misses} figures out of tolerance ({tolerances})"),
    }
}

/// The report as a page that needs nothing else.
fn page(report: &ValidationReport) -> String {
    let mut body = String::new();
    for window in &report.windows {
        let _ = write!(
            body,
            "<h2>{} ({} to {} s)</h2><table><tr><th></th><th>simulated</th>",
            window.name, window.from_s, window.to_s
        );
        for name in header(report) {
            let _ = write!(body, "<th>{name}</th><th>off by</th><th></th>");
        }
        body.push_str("</tr>");
        for row in rows(window) {
            let _ = write!(body, "<tr><th>{}</th><td>{}</td>", row.name, row.predicted);
            for (measured, difference, verdict) in row.runs {
                let _ = write!(body, "<td>{measured}</td><td>{difference}</td><td class=\"{verdict}\">{verdict}</td>");
            }
            body.push_str("</tr>");
        }
        body.push_str("</table>");
    }
    let list: String =
        timing_lines(report).iter().map(|(name, value)| format!("<li>{}: {value}</li>", escape(name))).collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Faultline: {scenario}, simulated beside measured</title><style>\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}}\
         table{{border-collapse:collapse}}td,th{{padding:.2rem .8rem;text-align:right;font-variant-numeric:tabular-nums}}\
         th:first-child{{text-align:left;font-weight:normal}}tr{{border-bottom:1px solid #8884}}.MISS{{color:#c22;font-weight:bold}}\
         </style><h1>{scenario}, variant {variant}</h1><p>{plan} {sent} requests, the same in every run.</p>\
         <p><strong>{verdict}</strong></p>{body}<h2>Where the time went</h2><ul>{list}</ul></html>\n",
        scenario = escape(&report.scenario),
        variant = escape(&report.variant),
        plan = escape(&report.plan),
        sent = report.sent,
        verdict = verdict(report),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
