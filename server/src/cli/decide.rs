//! `faultline decide`.

use super::{Failure, Result, print_json};
use sandbox_core::scenario::{Problem, read_value};
use sandbox_core::truth::{self, Refusal};
use schemars::Schema;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  echo '{\"type\": \"smooth_wrr\", \"weights\": [{\"id\": \"a\", \"weight\": 2}, \
{\"id\": \"b\", \"weight\": 1}], \"picks\": 3}' > wrr.json\n  faultline decide wrr.json\n\n\
FILE has the form of `model`, or of a whole case, in `faultline schema cases`.")]
pub struct Options {
    /// One model, or one case with a `model`; `-` reads stdin
    file: PathBuf,
    /// Seed of all randomness, for models that have any
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Answers one model.
pub fn decide(options: &Options) -> Result {
    let document = read_value(&read(&options.file)?)?;
    let within = if document.get("model").is_some() { "model." } else { "" };
    match truth::decide(&document, options.seed) {
        Ok(answers) => print_json(&answers),
        Err(Refusal::Unsupported(why)) => Err(Failure::Other(why)),
        Err(Refusal::Problems(problems)) => {
            let named = |problem: Problem| Problem { path: format!("{within}{}", problem.path), ..problem };
            Err(Failure::Problems(problems.into_iter().map(named).collect()))
        }
    }
}

/// The text of a file, or of stdin for `-`.
pub(super) fn read(file: &Path) -> Result<String> {
    let text = match file == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(file),
    };
    let cannot =
        |error| Problem::new(file.display().to_string(), format!("cannot be read: {error}"), "Name a JSON file.");
    text.map_err(|error| Failure::Problems(vec![cannot(error)]))
}

/// The form of the answers: that of `expected` in a file of cases.
pub(super) fn schema() -> Schema {
    let cases = super::verify::cases_schema();
    let mut expected = cases.pointer("/items/properties/expected").cloned().unwrap_or_default();
    expected["$schema"] = cases.get("$schema").cloned().unwrap_or_default();
    expected.try_into().unwrap_or_default()
}
