//! `faultline export`.

use super::scenario::lesson_of;
use super::{Failure, Result, tell};
use crate::export;
use sandbox_core::lesson::Lesson;
use sandbox_core::link::Link;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline export html the-database-goes-away -o lesson.html\n  \
faultline export scorm12 the-database-goes-away -o lesson.zip")]
pub struct Options {
    #[command(subcommand)]
    form: Form,
    /// The folder of the built site; by default `site` beside this program, or `dist` here
    #[arg(long, value_name = "DIR", global = true)]
    site: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Form {
    /// A lesson as one HTML file, which needs nothing beside it
    #[command(after_help = "Example:\n  faultline export html the-database-goes-away -o lesson.html")]
    Html(What),
    /// A lesson as a package for course systems (SCORM 1.2), with score and resumption
    #[command(after_help = "Example:\n  faultline export scorm12 the-database-goes-away -o lesson.zip")]
    Scorm12(What),
    /// Into the site: for each lesson a page with title and social tags, manifest.json, and the line of its Content-Security-Policy
    #[command(after_help = "Example:\n  faultline export pages --site dist --address https://example.org/faultline/")]
    Pages {
        /// Where the site will lie, such as https://example.org/faultline/: then each lesson has an oembed.json too
        #[arg(long, value_name = "URL", value_parser = web_address)]
        address: Option<String>,
    },
}

#[derive(clap::Args)]
struct What {
    /// Id of a lesson (see `faultline list`), or a link of one (in quotes)
    lesson: String,
    /// Where to write it
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Packs what was asked for and writes it.
pub fn export(options: &Options) -> Result {
    let site = options.site.clone().or_else(site).ok_or_else(|| {
        "there is no built site: name its folder with --site (`trunk build --release` makes `dist`)".to_string()
    })?;
    match &options.form {
        Form::Html(what) => pack(what, |lesson, link| Ok(export::single(&site, &link.query(), lesson)?.into_bytes())),
        Form::Scorm12(what) => {
            pack(what, |lesson, link| Ok(export::scorm12(lesson, &export::single(&site, &link.query(), lesson)?)?))
        }
        Form::Pages { address } => {
            let policy = export::pages(&site, address.as_deref())?;
            tell(format_args!("{} lessons; Content-Security-Policy: {policy}", lessons::LESSONS.len()));
            Ok(())
        }
    }
}

fn pack(what: &What, make: impl Fn(&Lesson, &Link) -> Result<Vec<u8>>) -> Result {
    let link = match Link::is_link(&what.lesson) {
        true => match Link::read(&what.lesson) {
            (link, problems) if problems.is_empty() => link,
            (_, problems) => return Err(problems.into()),
        },
        false => Link { lesson: Some(what.lesson.clone()), ..Link::default() },
    };
    let lesson = lesson_of(link.lesson.as_deref().unwrap_or_default())?;
    let bytes = make(&lesson, &link)?;
    std::fs::write(&what.output, &bytes)
        .map_err(|error| Failure::Other(format!("{}: {error}", what.output.display())))?;
    tell(format_args!("{}: {} bytes", what.output.display(), bytes.len()));
    Ok(())
}

fn web_address(text: &str) -> std::result::Result<String, String> {
    match text.starts_with("https://") || text.starts_with("http://") {
        true => Ok(text.to_string()),
        false => Err("write an address such as https://example.org/faultline/".into()),
    }
}

/// The site of a release, or the one that was just built.
fn site() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("site")));
    let built = Path::new("dist").to_path_buf();
    beside.into_iter().chain([built]).find(|folder| folder.join("index.html").is_file())
}
