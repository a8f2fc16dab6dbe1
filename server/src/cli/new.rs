//! `faultline new`.

use super::{Failure, Result, print};
use sandbox_core::scenario::{Document, Problem};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

/// A small scenario whose texts say what to put in their place.
const SKELETON: &str = include_str!("skeleton.json");
/// What stands in it where the id belongs.
const ID: &str = "your-scenario";

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline new scenario slow-printer")]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// A scenario that runs and whose claims hold, to be changed into yours
    Scenario(ScenarioOptions),
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline new scenario slow-printer --out /tmp/slow-printer.json")]
struct ScenarioOptions {
    /// Its id: lower-case words joined by `-`, not yet in `faultline list`
    id: String,
    /// Where to write it; ID.json in this folder by default. A file that is there is left alone
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes a skeleton.
pub fn new(options: &Options) -> Result {
    let What::Scenario(options) = &options.what;
    let text = skeleton(&options.id)?;
    let file = options.out.clone().unwrap_or_else(|| format!("{}.json", options.id).into());
    let shown = file.display();
    let written = File::create_new(&file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let hint = "Name another file with --out, or remove that one.";
            Failure::Problems(vec![Problem::new(shown.to_string(), "is there already", hint)])
        }
        _ => Failure::Other(format!("cannot write {shown}: {error}")),
    })?;
    print(&format!(
        "wrote {shown}: a scenario that runs; its texts say what to change\nnext: faultline check {shown} --mutate"
    ))
}

/// The skeleton under an id. Errors: what is wrong with the id.
fn skeleton(id: &str) -> Result<String> {
    Document::parse(SKELETON)?.plan("A", &[("id".to_string(), id.into())])?;
    if lessons::scenario(id).is_some() {
        let hint = "Ids are unique; `faultline list` shows those that are taken.";
        return Err(vec![Problem::new("id", format!("`{id}` is taken"), hint)].into());
    }
    Ok(SKELETON.replace(ID, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skeleton_is_a_scenario_of_that_id() {
        let text = skeleton("slow-printer-2").unwrap();
        assert_eq!(Document::parse(&text).unwrap().id(), "slow-printer-2");
    }

    #[test]
    fn bad_and_taken_ids_are_refused() {
        for bad in ["", "Slow", "a b", "../a", "a\"", "é", "database-outage"] {
            let Err(Failure::Problems(problems)) = skeleton(bad) else { panic!("{bad} was accepted") };
            assert!(!problems[0].hint.is_empty(), "{bad}");
        }
    }
}
