//! `check`: format, clippy, floors, and the line coverage of the core.

use crate::project::cargo;
use crate::steps::{Report, Tests};
use crate::tools::{Need, provide};
use crate::{floors, project};
use anyhow::{Result, bail};

/// The share of the core's lines that its own tests must reach.
const CORE_LINES_PERCENT: &str = "85";

/// What `check` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// Leave out the coverage, which compiles and runs the core's tests
    #[arg(long)]
    quick: bool,
}

/// What the quick checks need.
pub const QUICK_NEEDS: [Need; 3] = [Need::Rustfmt, Need::Clippy, Need::WasmTarget];
/// What the coverage needs on top.
pub const COVERAGE_NEEDS: [Need; 2] = [Need::LlvmTools, Need::LlvmCov];

/// Runs the checks and sums up.
pub fn check(options: &Options) -> Result<()> {
    let coverage_needs = if options.quick { &[][..] } else { &COVERAGE_NEEDS };
    provide(&[&QUICK_NEEDS, coverage_needs].concat())?;
    let mut report = Report::default();
    quick(&mut report);
    if !options.quick {
        coverage(&mut report);
    }
    report.finish()
}

/// Format, floors and clippy.
pub fn quick(report: &mut Report) {
    report.command("format", Tests::None, &mut cargo(&["fmt", "--all", "--check"]));
    report.step("floors", floors_hold);
    let native = ["clippy", "--workspace", "--exclude", "web", "--all-targets", "--", "-D", "warnings"];
    report.command("clippy", Tests::None, &mut cargo(&native));
    let page = ["clippy", "-p", "web", "--target", "wasm32-unknown-unknown", "--all-targets", "--", "-D", "warnings"];
    report.command("clippy of the page", Tests::None, &mut cargo(&page));
}

/// The core's tests, run once and counting the lines they reach; then the count.
pub fn coverage(report: &mut Report) {
    // Counters and programs of earlier versions would be counted in.
    let mut clean = cargo(&["llvm-cov", "clean", "--workspace"]);
    if !report.command("old line counts removed", Tests::None, &mut clean) {
        return;
    }
    let mut tests = cargo(&["llvm-cov", "--locked", "--package", "sandbox-core", "--no-fail-fast", "--no-report"]);
    if report.command("tests of the core", Tests::Some, &mut tests) {
        let mut count = cargo(&["llvm-cov", "report", "--package", "sandbox-core", "--summary-only"]);
        count.args(["--fail-under-lines", CORE_LINES_PERCENT]);
        report.command(&format!("at least {CORE_LINES_PERCENT} % of the core's lines"), Tests::None, &mut count);
    }
}

fn floors_hold() -> Result<()> {
    let problems = floors::problems(&project::root())?;
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        n => bail!("{n} places break the rules of ARCHITECTURE.md (the table is in xtask/src/floors.rs)"),
    }
}
