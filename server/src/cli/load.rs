//! `faultline load`.

use super::scenario::runtime;
use super::{Failure, Result, duration, print, print_json, progress, tell};
use crate::clock;
use crate::load::{Arrivals, LoadReport, Mix, Target, schedule};
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline load http://127.0.0.1:8000 --rate 500 --duration 60s\n\n\
Sends what the users of the mounted scenario would send. Latency counts from the intended send, so a slow generator cannot hide a slow server.")]
pub struct Options {
    /// Address of the server, such as http://127.0.0.1:8000
    url: String,
    /// Requests a second
    #[arg(long, default_value_t = 500.0, allow_negative_numbers = true)]
    rate: f64,
    /// How long requests are sent
    #[arg(long, default_value = "60s", value_parser = duration)]
    duration: Duration,
    /// Gaps between requests
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
    /// Seed of the load
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Share of reads, from 0 to 1; the mounted scenario's own by default
    #[arg(long)]
    read_share: Option<f64>,
    /// Keys run from 0 to this number less 1; the mounted scenario's by default
    #[arg(long)]
    keys: Option<u32>,
    /// How many users log in first, if the server offers it; the mounted scenario's by default
    #[arg(long)]
    users: Option<u32>,
    /// A request without an answer after this long has failed
    #[arg(long, default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Sends the load and prints what it found.
pub fn load(options: &Options) -> Result {
    if !(options.rate > 0.0 && options.rate <= 100_000.0) {
        return Err(Failure::Other("--rate: use a number above 0, at most 100000".into()));
    }
    if options.duration.is_zero() {
        return Err(Failure::Other("--duration: use more than 0 s".into()));
    }
    if options.read_share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Failure::Other("--read-share: use a number from 0 to 1".into()));
    }
    let mut target = Target::new(&options.url, options.timeout).map_err(|why| format!("{}: {why}", options.url))?;
    let runtime = runtime()?;
    let mut mix = match runtime.block_on(target.scenario())? {
        Some(scenario) => Mix::of(&scenario, options.read_share),
        None => Mix::items(options.read_share.unwrap_or(0.8)),
    };
    if mix.routes.is_empty() {
        let what = "serves a scenario to whose routes HTTP does not lead";
        return Err(Failure::Other(format!("{} {what}: name them like `GET /items/{{id}}`", options.url)));
    }
    (mix.keys, mix.users) = (options.keys.unwrap_or(mix.keys), options.users.unwrap_or(mix.users));
    let tokens = runtime.block_on(target.log_in(mix.users))?;
    if tokens == 0 && mix.users > 0 {
        tell(format_args!("{} offers no login; requests carry no token", options.url));
    }
    let duration = clock::span(options.duration);
    let shots = schedule(options.rate, duration, options.arrivals, &mix, options.seed);
    let bar = progress(shots.len() as u64, "sending");
    let samples = target.fire(shots, runtime.handle(), &|sent| bar.set_position(sent as u64));
    bar.finish_and_clear();
    let report = LoadReport::new(&options.url, options.rate, duration, &samples);
    if options.json { print_json(&report) } else { print(&report.text()) }
}
