//! `test`: installs what the tests need, then runs every test there is.
//!
//! Tests of crate `tests` steer a browser and a load generator. They are ordinary cargo tests and learn from environment
//! variables where these are: `FAULTLINE_CHROMIUM`, `FAULTLINE_CHROMEDRIVER`, `FAULTLINE_K6`, `FAULTLINE_AXE` (axe-core's
//! script), `FAULTLINE_SCORM_AGAIN` (scorm-again's), `FAULTLINE_SITE` (the built page's folder), `FAULTLINE_BIN` (the server's release binary).

use crate::check::{self, COVERAGE_NEEDS, QUICK_NEEDS};
use crate::project::{cargo, is_ci, root, server_binary};
use crate::steps::{Report, Tests, run};
use crate::tools::{self, Missing, Need, list};
use crate::{axe, browser, k6, scorm_again, site};
use anyhow::{Result, bail};
use std::process::Command;

/// What `test` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// Go on without a browser or k6 where they cannot be installed; what that leaves out is listed (refused under CI=true)
    #[arg(long)]
    allow_missing: bool,
}

/// Runs everything and sums up.
pub fn test(options: &Options) -> Result<()> {
    let left = install(options)?;
    let lacks = |need| left.iter().any(|missing| missing.need == need);
    let browser = !lacks(Need::Browser);
    let mut report = Report::default();

    check::quick(&mut report);
    check::coverage(&mut report);
    if browser {
        report.command("tests of the page, in the browser", Tests::Some, with_tools(&mut wasm_tests())?);
    } else {
        report.left_out("tests of the page, in the browser", "no browser");
    }
    report.step("build the page", || site::build("dist"));
    report.step("build the server", build_server);

    // One command for all of them: with other packages chosen, most of what they share would be compiled once more.
    let mut native = cargo(&["test", "--locked", "--no-fail-fast", "--workspace", "--exclude", "sandbox-core"]);
    native.args(["--lib", "--bins", "--tests"]);
    if !left.is_empty() {
        native.args(["--exclude", "tests"]);
    }
    report.command("all others: server, page, browser, load", Tests::Some, with_tools(&mut native)?);
    if !left.is_empty() {
        let (run, leave) = targets(&left)?;
        for name in leave {
            report.left_out(&format!("tests/tests/{name}.rs"), "its tool is missing");
        }
        let mut across = cargo(&["test", "--locked", "--no-fail-fast", "-p", "tests", "--lib"]);
        across.args(run.iter().flat_map(|name| ["--test", name]));
        report.command("of browser and load those that can run", Tests::Some, with_tools(&mut across)?);
    }
    let mut examples = cargo(&["test", "--locked", "--workspace", "--doc"]);
    report.command("examples in the documentation", Tests::None, &mut examples);
    report.finish()
}

/// Installs what can be and returns what is done without; a machine that lacks more is told so before anything is installed.
fn install(options: &Options) -> Result<Vec<Missing>> {
    let own = [Need::Trunk, Need::WasmBindgen, Need::Browser, Need::K6, Need::Axe, Need::ScormAgain];
    let missing = tools::survey(&[&QUICK_NEEDS[..], &COVERAGE_NEEDS, &own].concat())?;
    let (left, install): (Vec<_>, Vec<_>) = missing.into_iter().partition(Missing::by_hand);
    let bearable = left.iter().all(|missing| TOOLS.iter().any(|(_, need)| *need == missing.need));
    let allowed = bearable && options.allow_missing && !is_ci();
    if !left.is_empty() && !allowed {
        let way_out = match (is_ci(), bearable) {
            (true, _) => "Under CI=true nothing is left out.",
            (false, true) => {
                "`cargo xtask test --allow-missing` runs the tests that do without, and lists those left out."
            }
            (false, false) => "",
        };
        bail!("the tests need what this machine lacks:\n{}{way_out}", list(&left))
    }
    tools::install(install)?;
    Ok(left)
}

/// The server's release binary, which load and browser tests start.
pub fn build_server() -> Result<()> {
    run(&mut cargo(&["build", "--locked", "-p", "server", "--release"]))
}

/// Names every tool and place that tests look for.
pub fn with_tools(command: &mut Command) -> Result<&mut Command> {
    if let Ok(browser) = browser::browser() {
        command.env("FAULTLINE_CHROMIUM", &browser.chromium).env("FAULTLINE_CHROMEDRIVER", &browser.driver);
        command.env("CHROMEDRIVER", &browser.driver);
    }
    if let Some(k6) = k6::path() {
        command.env("FAULTLINE_K6", k6);
    }
    if let Some(axe) = axe::path() {
        command.env("FAULTLINE_AXE", axe);
    }
    if let Some(scorm_again) = scorm_again::path() {
        command.env("FAULTLINE_SCORM_AGAIN", scorm_again);
    }
    command.env("FAULTLINE_SITE", root().join("dist")).env("FAULTLINE_BIN", server_binary()?);
    Ok(command)
}

/// wasm-bindgen's runner serves the tests to a headless browser, which `web/webdriver.json` configures.
fn wasm_tests() -> Command {
    let mut tests =
        cargo(&["test", "--locked", "--no-fail-fast", "-p", "web", "--target", "wasm32-unknown-unknown", "--tests"]);
    tests
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
        .env("WASM_BINDGEN_USE_BROWSER", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    tests
}

/// What test files of crate `tests` need beside the product, by the beginning of their names.
const TOOLS: [(&str, Need); 4] =
    [("browser", Need::Browser), ("browser_axe", Need::Axe), ("browser_scorm", Need::ScormAgain), ("k6", Need::K6)];

/// The test files of crate `tests` that can run and those that cannot, without what is missing.
fn targets(missing: &[Missing]) -> Result<(Vec<String>, Vec<String>)> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/tests"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    let lacks = |need| missing.iter().any(|missing| missing.need == need);
    let can_run = |name: &String| !TOOLS.iter().any(|(tool, need)| name.starts_with(tool) && lacks(*need));
    Ok(names.into_iter().partition(can_run))
}
