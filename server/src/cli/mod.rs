//! The command line: one file per command. Machine output goes to stdout, progress and logs to stderr.

mod calibrate;
mod check;
mod cores;
mod decide;
mod export;
mod list;
mod load;
mod new;
mod run;
mod scenario;
mod schema;
mod seed_demo;
mod serve;
mod sweep;
mod validate;
mod verify;
mod why;

use clap::{Parser, Subcommand};
use sandbox_core::scenario::Problem;
use serde::Serialize;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Learn how API systems bend and break: simulate a scenario, mount it behind real HTTP, and compare.
#[derive(Parser)]
#[command(name = "faultline", version, arg_required_else_help = true, propagate_version = true)]
#[command(after_help = "Example:\n  faultline run database-outage --variant B --json\n\n\
Exit codes: 0 fine, 1 a check failed, 2 bad input or usage.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, a mounted scenario and the site
    Serve(serve::Options),
    /// Simulate a scenario
    Run(run::Options),
    /// Say why a request ended as it did
    Why(why::Options),
    /// Run a scenario at many points over many seeds: means with confidence intervals
    Sweep(sweep::Options),
    /// Put parts of a sweep together
    Merge(sweep::MergeOptions),
    /// Check scenarios, their claims and the lessons
    Check(check::Options),
    /// Run ground-truth cases: do the policies and the engine give the answers that are known?
    Verify(verify::Options),
    /// Ask one policy: timed inputs in, its decisions out
    Decide(decide::Options),
    /// Send an open-loop load and measure it
    Load(load::Options),
    /// Measure the service times of real parts
    Calibrate(calibrate::Options),
    /// Lay simulated, mounted and real runs side by side
    Validate(validate::Options),
    /// List the scenarios and lessons
    List(list::Options),
    /// Print the JSON Schema of a document or output
    Schema(schema::Options),
    /// Write a skeleton to start from
    New(new::Options),
    /// Pack a lesson: one HTML file, or a package for course systems
    Export(export::Options),
    /// Make the file that a real SQLite part works on
    SeedDemo(seed_demo::Options),
}

/// Why a command did not do what was asked.
#[derive(Debug)]
enum Failure {
    /// A check failed: exit 1. What there is to say has been said.
    Check,
    /// Bad input: exit 2.
    Problems(Vec<Problem>),
    /// Anything else that keeps us from working: exit 2.
    Other(String),
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Failure {
        Failure::Problems(problems)
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Failure {
        Failure::Other(why)
    }
}

type Result<T = ()> = std::result::Result<T, Failure>;

/// Runs the program.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(options) => serve::serve(options),
        Command::Run(options) => run::run(&options),
        Command::Why(options) => why::why(&options),
        Command::Sweep(options) => sweep::sweep(&options),
        Command::Merge(options) => sweep::merge(&options),
        Command::Check(options) => check::check(&options),
        Command::Verify(options) => verify::verify(&options),
        Command::Decide(options) => decide::decide(&options),
        Command::Load(options) => load::load(&options),
        Command::Calibrate(options) => calibrate::calibrate(&options),
        Command::Validate(options) => validate::validate(&options),
        Command::List(options) => list::list(&options),
        Command::Schema(options) => schema::schema(&options),
        Command::New(options) => new::new(&options),
        Command::Export(options) => export::export(&options),
        Command::SeedDemo(options) => seed_demo::seed_demo(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Check) => ExitCode::from(1),
        Err(Failure::Problems(problems)) => {
            for problem in &problems {
                tell(format_args!("error: {problem}"));
            }
            if problems.len() > 1 {
                tell(format_args!("{} problems", problems.len()));
            }
            ExitCode::from(2)
        }
        Err(Failure::Other(why)) => {
            tell(format_args!("error: {why}"));
            ExitCode::from(2)
        }
    }
}

/// Says something on stderr. Where nobody can hear it, the exit code still says how it went.
fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints text on stdout. A reader that has gone (`| head`) is no error.
fn print(text: &str) -> Result {
    let mut out = std::io::stdout().lock();
    let done =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    match done.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Other(format!("cannot write: {error}"))),
        _ => Ok(()),
    }
}

/// A file that will hold the result of long work: opened before it, and what it holds stays until there is a result.
struct Target<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Target<'a> {
    /// Opens the file. Errors: it cannot be written.
    fn open(path: &'a Path) -> Result<Target<'a>> {
        let file = File::options().write(true).create(true).truncate(false).open(path);
        Ok(Target { path, file: file.map_err(|error| unwritten(path, &error))? })
    }

    /// Writes the result in the place of what the file holds.
    fn write(self, result: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result {
        let Target { path, file } = self;
        let write = || {
            // A device has nothing to lose.
            if file.metadata()?.is_file() {
                file.set_len(0)?;
            }
            let mut out = BufWriter::new(file);
            result(&mut out).and_then(|()| out.flush())
        };
        write().map_err(|error| unwritten(path, &error))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::Other(format!("{}: cannot be written: {error}", path.display()))
}

/// Prints a value as indented JSON on stdout.
fn print_json(value: &impl Serialize) -> Result {
    print(&serde_json::to_string_pretty(value).map_err(|error| error.to_string())?)
}

/// A bar on stderr if it is a terminal; it appears only for work that takes longer than a second.
fn progress(length: u64, what: &str) -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{msg:28} {wide_bar} {percent:>3} % {eta:>6}")
        .expect("a valid template");
    let bar = indicatif::ProgressBar::with_draw_target(Some(length), indicatif::ProgressDrawTarget::stderr_with_hz(4));
    bar.set_style(style);
    bar.set_message(what.to_string());
    bar
}

/// Logs on stderr as JSON lines; `RUST_LOG` chooses what, `default` is what without it.
fn log(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    let layer = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter);
    // It would tell of a stderr that cannot be written on stderr, and panic.
    let layer = layer.with_writer(std::io::stderr).log_internal_errors(false);
    let _ = layer.try_init();
}

/// A duration such as `60s`, `1.5m` or `500ms`; a plain number is seconds.
fn duration(text: &str) -> std::result::Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let unit = match text[split..].trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("`{unit}` is no unit; use ms, s, m or h")),
    };
    let number: f64 =
        text[..split].trim().parse().map_err(|_| format!("`{text}` is no duration; write 60s or 500ms"))?;
    let seconds = number * unit;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("use a duration from 0 s to 24 h".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        for bad in ["", "s", "-1s", "5 parsecs", "NaN", "1e9h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_command_shows_an_example() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{} has no example", command.get_name());
        }
    }
}
