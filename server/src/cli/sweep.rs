//! `faultline sweep` and `faultline merge`.

use super::cores::on_all_cores;
use super::scenario::{Asked, HowArgs, problem, read};
use super::{Failure, Result, print, print_json, progress};
use sandbox_core::scenario::Problem;
use sandbox_core::sweep::{Axis, Estimate, Shard, Sweep, SweepReport, SweepSpec};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  \
faultline sweep database-outage --vary nodes.api.workers=2..8:4 --seeds 5 --query http_error_ratio.mean\n  \
faultline sweep database-outage --vary nodes.api.workers=2,8 --query http_error_ratio.mean --shard 1/2 > 1.json")]
pub struct Options {
    /// A scenario: a link of the page (in quotes), a file if it contains `/` or ends in `.json`, else an id
    scenario: String,
    /// Variant of the scenario; by default the link's, or `A`, the problem
    #[arg(long)]
    variant: Option<String>,
    /// Change the document at every point: a dotted path and a JSON value; `@FILE` as for `run`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// What is varied: a dotted path or the id of a knob, and STEPS values from A to B, both included, or a list of values
    /// (PATH=2,4,8); given twice: every combination
    #[arg(long, value_name = "PATH=A..B:STEPS", required = true)]
    vary: Vec<String>,
    /// Run every point with seeds 1 to N
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: u32,
    /// What to ask of every run, such as http_error_ratio.mean[20:35]; may be given more than once
    #[arg(long = "query", value_name = "EXPR", required = true)]
    queries: Vec<String>,
    /// Do one of N parts of the runs, and print its answers as JSON for `faultline merge`
    #[arg(long, value_name = "I/N", value_parser = part)]
    shard: Option<Part>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline merge 1.json 2.json")]
pub struct MergeOptions {
    /// What `faultline sweep --shard I/N` printed, for every I, in any order
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which of how many parts, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    number: u64,
    of: u64,
}

fn part(text: &str) -> std::result::Result<Part, String> {
    let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((number, of)) if (1..=of).contains(&number) => Ok(Part { number, of }),
        _ => Err("write I/N with I from 1 to N, such as 2/4".into()),
    }
}

/// Runs every point over seeds, and prints means with their intervals.
pub fn sweep(options: &Options) -> Result {
    let sweep = planned(options)?;
    let Part { number, of } = options.shard.unwrap_or(Part { number: 1, of: 1 });
    let runs: Vec<u64> = (0..sweep.spec().runs()).filter(|run| run % of == number - 1).collect();
    let bar = progress(runs.len() as u64, "sweeping");
    let answers = on_all_cores(runs.len() as u64, |place| {
        let mut run = sweep.start(runs[place as usize]);
        run.run_to_end();
        bar.inc(1);
        sweep.answers(&run)
    });
    bar.finish_and_clear();
    let mut shard = Shard::new(sweep.spec().clone());
    for (run, answers) in runs.iter().zip(&answers) {
        shard.add(*run, answers);
    }
    match options.shard {
        Some(_) => print(&serde_json::to_string(&shard).map_err(|error| error.to_string())?),
        None => report(&shard, options.json),
    }
}

/// Puts parts of a sweep together, and prints what `sweep` would have printed.
pub fn merge(options: &MergeOptions) -> Result {
    let mut merged: Option<Shard> = None;
    let mut problems = Vec::new();
    for file in &options.files {
        let added = shard_of(file).and_then(|shard| match &mut merged {
            None => {
                merged = Some(shard);
                Ok(())
            }
            Some(merged) => merged.merge(shard).map_err(|why| {
                let hint =
                    "Merge what the same `sweep` wrote, run by the same version, once for each I of --shard I/N.";
                vec![Problem::new("", why, hint)]
            }),
        });
        let of_file = |problem: Problem| Problem { path: file.display().to_string(), ..problem };
        problems.extend(added.err().unwrap_or_default().into_iter().map(of_file));
    }
    match merged {
        Some(merged) if problems.is_empty() => report(&merged, options.json),
        _ => Err(problems.into()),
    }
}

/// The sweep that was asked for; all problems at once.
fn planned(options: &Options) -> Result<Sweep> {
    let named = read(&options.scenario)?;
    let how = HowArgs { variant: options.variant.clone(), sets: options.sets.clone(), seed: None };
    let (mut axes, mut problems) = (Vec::new(), Vec::new());
    for axis in &options.vary {
        match Axis::parse(axis) {
            Ok(axis) => axes.push(axis),
            Err(problem) => problems.push(problem),
        }
    }
    let Asked { variant, changes, problems: found } = how.asked(&named, problem);
    problems.extend(found);
    match problems.is_empty() {
        true => Ok(Sweep::new(named.document, &variant, changes, axes, options.seeds, options.queries.clone())?),
        false => Err(problems.into()),
    }
}

fn shard_of(file: &Path) -> std::result::Result<Shard, Vec<Problem>> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        vec![Problem::new("", format!("cannot be read: {error}"), "Name files that `faultline sweep --shard` wrote.")]
    })?;
    Shard::parse(&text)
}

fn report(shard: &Shard, json: bool) -> Result {
    let report = shard.report().map_err(|why| {
        let hint = "Merge the parts of every I of --shard I/N.";
        Failure::Problems(vec![Problem::new("sweep", why, hint)])
    })?;
    if json { print_json(&report) } else { print(&words(&report)) }
}

fn words(report: &SweepReport) -> String {
    let SweepSpec { scenario, variant, axes, seeds, queries, .. } = &report.sweep;
    let mut out = format!("{scenario}, variant {variant}: means over {seeds} seeds, with 95 % confidence intervals\n");
    let at = |values: &[f64]| {
        let values = axes.iter().zip(values).map(|(axis, value)| format!("{}={value}", axis.path));
        values.collect::<Vec<String>>().join("  ")
    };
    let width = report.points.iter().map(|point| at(&point.at).len()).max().unwrap_or_default();
    for (place, query) in queries.iter().enumerate() {
        let _ = writeln!(out, "\n{query}");
        for point in &report.points {
            let _ = writeln!(out, "  {:<width$}  {}", at(&point.at), estimate(&point.results[place], *seeds));
        }
    }
    out
}

fn estimate(estimate: &Estimate, seeds: u32) -> String {
    let mean = estimate.mean.map_or("nothing in this window".to_string(), number);
    let interval = estimate.low.zip(estimate.high);
    let interval = interval.map(|(low, high)| format!("  [{}, {}]", number(low), number(high))).unwrap_or_default();
    let some = (1..seeds).contains(&estimate.seeds).then(|| format!("  on {} seeds", estimate.seeds));
    format!("{mean}{interval}{}", some.unwrap_or_default())
}

/// A number to five digits.
fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.4e}").parse().expect("it was a number");
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_from_one() {
        assert_eq!(part("2/4"), Ok(Part { number: 2, of: 4 }));
        for bad in ["", "2", "0/4", "5/4", "a/b", "1/0", "-1/2"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.123_456_789), "0.12346");
        assert_eq!(number(1_234_567.0), "1234600");
        assert_eq!(number(0.0), "0");
    }
}
