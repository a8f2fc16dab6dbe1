//! `faultline new`.

use super::{Failure, Result, print};
use sandbox_core::scenario::{Document, Problem};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A small scenario whose texts say what to put in their place.
const SCENARIO: &str = include_str!("skeleton/scenario.json");
/// A lesson that plays on it.
const LESSON: &str = include_str!("skeleton/lesson.json");
/// The lesson's prose.
const PROSE: &str = include_str!("skeleton/lesson.md");
/// What stands in them where the id belongs.
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
    /// A lesson with its prose and a scenario of its own, whose numbers are right and whose challenge can be met
    Lesson(LessonOptions),
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

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline new lesson slow-printer --out /tmp/slow-printer")]
struct LessonOptions {
    /// Its id, and that of its scenario: lower-case words joined by `-`, not yet in `faultline list`
    id: String,
    /// The folder to write it into; ID in this folder by default. Files that are there are left alone
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Writes a skeleton.
pub fn new(options: &Options) -> Result {
    match &options.what {
        What::Scenario(options) => {
            let text = scenario(&options.id)?;
            let file = options.out.clone().unwrap_or_else(|| format!("{}.json", options.id).into());
            write(&[(file.clone(), text)])?;
            let shown = file.display();
            print(&format!(
                "wrote {shown}: a scenario that runs; its texts say what to change\nnext: faultline check {shown} --mutate"
            ))
        }
        What::Lesson(options) => {
            let files = lesson(&options.id)?;
            let folder = options.out.clone().unwrap_or_else(|| options.id.clone().into());
            fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
            write(&files.map(|(name, text)| (folder.join(name), text)))?;
            let shown = folder.display();
            print(&format!(
                "wrote {shown}: lesson.json, lesson.md and their scenario.json; the texts say what to change\n\
                 next: faultline check {shown} --mutate"
            ))
        }
    }
}

/// Writes files, all of them or none: not over files that are there.
fn write(files: &[(PathBuf, String)]) -> Result<()> {
    let there = files.iter().filter(|(file, _)| file.exists());
    let hint = "Name another place with --out, or remove that one.";
    let problems: Vec<Problem> =
        there.map(|(file, _)| Problem::new(file.display().to_string(), "is there already", hint)).collect();
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    for (file, text) in files {
        let written = File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| cannot_write(file, &error))?;
    }
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        ErrorKind::AlreadyExists => {
            let hint = "Name another place with --out, or remove that one.";
            Failure::Problems(vec![Problem::new(shown.to_string(), "is there already", hint)])
        }
        _ => Failure::Other(format!("cannot write {shown}: {error}")),
    }
}

/// The scenario under an id. Errors: what is wrong with the id.
fn scenario(id: &str) -> Result<String> {
    Document::parse(SCENARIO)?.plan("A", &[("id".to_string(), id.into())])?;
    if lessons::scenario(id).is_some() {
        return Err(taken(id));
    }
    Ok(SCENARIO.replace(ID, id))
}

/// The files of a lesson under an id. Errors: what is wrong with the id.
fn lesson(id: &str) -> Result<[(String, String); 3]> {
    let scenario = scenario(id)?;
    if lessons::lesson(id).is_some() {
        return Err(taken(id));
    }
    Ok([
        ("lesson.json".to_string(), LESSON.replace(ID, id)),
        ("lesson.md".to_string(), PROSE.to_string()),
        ("scenario.json".to_string(), scenario),
    ])
}

fn taken(id: &str) -> Failure {
    let hint = "Ids are unique; `faultline list` shows those that are taken.";
    Failure::Problems(vec![Problem::new("id", format!("`{id}` is taken"), hint)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::beats;
    use crate::routes::lab::parts;
    use sandbox_core::lesson::{Lesson, check_lesson};

    #[test]
    fn the_skeleton_is_a_scenario_of_that_id_and_a_server_can_mount_it() {
        let text = scenario("slow-printer-2").unwrap();
        let document = Document::parse(&text).unwrap();
        assert_eq!(document.id(), "slow-printer-2");
        let plan = document.plan("A", &[]).unwrap();
        let routes: Vec<_> = plan.routes.iter().filter_map(|route| parts(&route.name)).collect();
        assert_eq!(routes, [("GET", "/catalogue"), ("POST", "/payments")]);
    }

    #[test]
    fn a_lesson_is_right_as_it_is_written() {
        let [(_, lesson), (_, prose), (name, scenario)] = lesson("slow-printer-2").unwrap();
        assert_eq!(name, "scenario.json");
        let lesson = Lesson::parse(&lesson).unwrap();
        let beats = beats(&prose);
        let beats: Vec<(&str, &str)> = beats.iter().map(|(heading, text)| (&**heading, &**text)).collect();
        let problems = check_lesson(&lesson, &beats, &[], &Document::parse(&scenario).unwrap());
        assert!(problems.is_empty(), "{problems:#?}");
        for name in lesson.numbers.keys() {
            assert!(prose.contains(&format!("{{{{{name}}}}}")), "the prose does not quote {name}");
        }
    }

    #[test]
    fn bad_and_taken_ids_are_refused() {
        for bad in ["", "Slow", "a b", "../a", "a\"", "é", "database-outage"] {
            for problems in [scenario(bad).err(), lesson(bad).err()] {
                let Some(Failure::Problems(problems)) = problems else { panic!("{bad} was accepted") };
                assert!(!problems[0].hint.is_empty(), "{bad}");
            }
        }
        assert!(lesson("the-database-goes-away").is_err(), "a lesson has it");
    }

    #[test]
    fn nothing_is_written_where_something_is() {
        let folder = std::env::temp_dir().join(format!("faultline-new-{}", std::process::id()));
        let options =
            |id: &str| Options { what: What::Lesson(LessonOptions { id: id.to_string(), out: Some(folder.clone()) }) };
        new(&options("slow-printer-2")).unwrap();
        fs::remove_file(folder.join("lesson.md")).unwrap();
        let again = new(&options("slow-printer-2"));
        let Err(Failure::Problems(problems)) = again else { panic!("it was written again") };
        assert_eq!(problems.len(), 2, "{problems:#?}");
        assert!(!folder.join("lesson.md").exists(), "all or none");
        fs::remove_dir_all(folder).unwrap();
    }
}
