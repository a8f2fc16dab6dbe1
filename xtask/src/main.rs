//! `cargo xtask`: one command each to open the lessons, to run every test, to measure, and to make a release.
//!
//! Reading order: [`steps`] runs and counts, [`tools`] finds and installs, then one file per command.

mod axe;
mod bench;
mod browser;
mod check;
mod dist;
mod floors;
mod hooks;
mod k6;
mod npm;
mod pip;
mod project;
mod scorm_again;
mod serve;
mod site;
mod steps;
mod tally;
mod test;
mod tools;
mod version;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Faultline's own commands", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build the page, start the native server and print the address to open
    Serve(serve::Options),
    /// Install what the tests need and run every test
    Test(test::Options),
    /// Format, clippy, floors and the core's line coverage
    Check(check::Options),
    /// Measure the core, the server and the page
    Bench,
    /// Make what a release carries: the site as a folder and the server's binary
    Dist(dist::Options),
    /// Let git run `cargo xtask check --quick` before each commit
    Hooks,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(options) => serve::serve(&options),
        Command::Test(options) => test::test(&options),
        Command::Check(options) => check::check(&options),
        Command::Bench => bench::bench(),
        Command::Dist(options) => dist::dist(&options),
        Command::Hooks => hooks::hooks(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
