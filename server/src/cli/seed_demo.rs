//! `faultline seed-demo`.

use super::{Failure, Result, print};
use crate::mount::real;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline seed-demo lab.sqlite --rows 1200\n\n\
`serve --real db=sqlite:FILE` does the same for a file that is not filled yet.")]
pub struct Options {
    /// The SQLite file to create or complete
    file: PathBuf,
    /// Rows
    #[arg(long, default_value_t = 1200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rows: u32,
}

/// Fills the file; rows that are there stay as they are.
pub fn seed_demo(options: &Options) -> Result {
    let shown = options.file.display();
    let rows = real::fill(&options.file, options.rows).map_err(|error| Failure::Other(format!("{shown}: {error}")))?;
    print(&format!("{shown}: {rows} rows"))
}
