//! `faultline verify`.

use super::cores::on_all_cores;
use super::{Failure, Result, decide, print, print_json, progress};
use sandbox_core::truth::{Answers, Case, CaseReport, Refusal, Verdict, read_cases};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::PathBuf;

const CASES: &str = include_str!("../../../tests/ground-truth/ground-truth.json");
const CASES_SCHEMA: &str = include_str!("../../../tests/ground-truth/ground-truth.schema.json");

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline verify --tier 1\n  faultline verify --seeds 20 --json\n\n\
Under 20 seeds every run must lie within `rel_tol`; from 20 on their mean within `rel_tol_mean_of_20_runs`.")]
pub struct Options {
    /// Cases to run, in the form of `faultline schema cases`; without it the embedded ones
    file: Option<PathBuf>,
    /// Only cases of this tier
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=2))]
    tier: Option<u8>,
    /// Run random simulations with seeds 1 to N
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `verify --json`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct VerifyReport {
    /// Seeds of random simulations: 1 to this.
    seeds: u32,
    summary: Summary,
    cases: Vec<CaseReport>,
}

/// How many cases went how.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Summary {
    cases: usize,
    passed: usize,
    /// Verdicts `fail` and `error`.
    failed: usize,
    unsupported: usize,
}

/// Runs the cases, prints how they went.
pub fn verify(options: &Options) -> Result {
    let mut cases = match &options.file {
        Some(file) => read_cases(&decide::read(file)?)?,
        None => read_cases(CASES)?,
    };
    cases.retain(|case| options.tier.is_none_or(|tier| case.tier == tier));
    if cases.is_empty() {
        return Err(Failure::Other("there is no case to verify: name a file with some, or another --tier".into()));
    }
    let reports = run_all(&cases, options.seeds);
    let count = |verdict| reports.iter().filter(|report| report.verdict == verdict).count();
    let (passed, unsupported) = (count(Verdict::Pass), count(Verdict::Unsupported));
    let summary = Summary { cases: reports.len(), passed, failed: reports.len() - passed - unsupported, unsupported };
    let errors = count(Verdict::Error);
    let report = VerifyReport { seeds: options.seeds, summary, cases: reports };
    if options.json {
        print_json(&report)?
    } else {
        print(&words(&report))?
    }
    match (errors, passed == report.summary.cases) {
        (1.., _) => Err(Failure::Problems(Vec::new())),
        (0, false) => Err(Failure::Check),
        (0, true) => Ok(()),
    }
}

/// Every case with every seed it needs, spread over all cores.
fn run_all(cases: &[Case], seeds: u32) -> Vec<CaseReport> {
    let jobs: Vec<(&Case, u64)> =
        cases.iter().flat_map(|case| (1..=u64::from(case.seeds(seeds))).map(move |seed| (case, seed))).collect();
    let bar = progress(jobs.len() as u64, "verifying");
    let answers = on_all_cores(jobs.len() as u64, |at| {
        let (case, seed) = jobs[at as usize];
        let answers = case.answer(seed);
        bar.inc(1);
        answers
    });
    bar.finish_and_clear();
    let mut answers = answers.into_iter();
    cases
        .iter()
        .map(|case| {
            let of_case: Vec<std::result::Result<Answers, Refusal>> =
                answers.by_ref().take(case.seeds(seeds) as usize).collect();
            case.judge(&of_case)
        })
        .collect()
}

fn words(report: &VerifyReport) -> String {
    let mut out = String::new();
    for case in &report.cases {
        let mark = match case.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Unsupported => "unsupported",
            Verdict::Error => "ERROR",
        };
        let _ = writeln!(out, "{mark:<12}{}", case.id);
        for value in case.values.iter().filter(|value| !value.pass) {
            let _ = writeln!(out, "{:12}{}: expected {}, got {}", "", value.name, value.expected, value.got);
        }
        if case.values.is_empty() {
            let _ = writeln!(out, "{:12}{}", "", case.reason.as_deref().unwrap_or_default());
        }
    }
    let Summary { cases, passed, failed, unsupported } = report.summary;
    let _ = writeln!(out, "{cases} cases: {passed} passed, {failed} failed, {unsupported} unsupported");
    out
}

/// The form of a file of cases.
pub(super) fn cases_schema() -> Schema {
    serde_json::from_str(CASES_SCHEMA).expect("the embedded schema is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_cases_can_be_read() {
        assert_eq!(read_cases(CASES).map(|cases| cases.len()), Ok(70));
        assert!(decide::schema().get("patternProperties").is_some());
    }
}
