//! `bench`: the measurements, natively and in the browser. Each prints its own numbers.

use crate::project::{cargo, root};
use crate::steps::{Report, Tests};
use crate::tools::{Need, provide};
use crate::{site, test};
use anyhow::Result;

/// Runs every benchmark there is.
pub fn bench() -> Result<()> {
    provide(&[Need::WasmTarget, Need::Trunk, Need::WasmBindgen, Need::Browser, Need::K6])?;
    let mut report = Report::default();
    for package in ["sandbox-core", "tests"] {
        if root().join(package).join("benches").is_dir() {
            report.command(
                &format!("benches of {package}"),
                Tests::None,
                &mut cargo(&["bench", "-p", package, "--benches"]),
            );
        }
    }
    if root().join("tests/tests/browser_bench.rs").is_file() && report.step("build the page", || site::build("dist")) {
        report.step("build the server", test::build_server);
        let mut bench = cargo(&["test", "-p", "tests", "--release", "--test", "browser_bench", "--"]);
        bench.args(["--nocapture", "--include-ignored"]).env("FAULTLINE_BENCH", "1");
        report.command("in the browser", Tests::Some, test::with_tools(&mut bench)?);
    }
    report.finish()
}
