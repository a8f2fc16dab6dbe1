//! `faultline calibrate`.

use super::scenario::{ScenarioArgs, problem};
use super::{Result, Target, log, print, print_json, progress};
use crate::calibrate::{self, SAMPLES};
use crate::mount::real::RealSpec;
use std::io::Write;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  faultline calibrate database-outage --real db=sqlite:lab.sqlite -o measured.json\n  \
faultline run database-outage --set @measured.json"
)]
pub struct Options {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// The real part to measure: db=sqlite:FILE
    #[arg(long, value_name = "NODE=TARGET", required = true)]
    real: Vec<RealSpec>,
    /// Where to write the changes of the scenario, a JSON object of path and value
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Samples of each operation
    #[arg(long, default_value_t = SAMPLES, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    samples: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Measures, writes the file and says what was measured.
pub fn calibrate(options: &Options) -> Result {
    log("warn");
    let loaded = options.scenario.load(problem)?;
    let changes = options.output.as_deref().map(Target::open).transpose()?;
    let bar = progress(2 * (options.real.len() * options.samples) as u64, "measuring");
    let calibration = calibrate::calibrate(&loaded.plan, &options.real, options.samples, &|| bar.inc(1))?;
    bar.finish_and_clear();
    if let Some(target) = changes {
        let text = serde_json::to_string_pretty(&calibration.set).map_err(|error| error.to_string())?;
        target.write(|out| writeln!(out, "{text}"))?;
    }
    if options.json {
        return print_json(&calibration);
    }
    let mut text =
        format!("{:<20}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "milliseconds", "mean", "p50", "p95", "p99", "max");
    for (path, latency) in &calibration.measured {
        let [mean, p50, p95, p99, max] = [latency.mean, latency.p50, latency.p95, latency.p99, latency.max]
            .map(|value| value.map_or("-".to_string(), |value| format!("{value:.3}")));
        text.push_str(&format!("{path:<20}{mean:>10}{p50:>10}{p95:>10}{p99:>10}{max:>10}\n"));
    }
    print(&text)
}
