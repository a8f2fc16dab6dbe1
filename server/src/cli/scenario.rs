//! Which scenario a command works on: a file, a link or an id, a variant, changes.

use super::{Failure, Result, tell};
use sandbox_core::lesson::Lesson;
use sandbox_core::link::Link;
use sandbox_core::metrics::Run;
use sandbox_core::scenario::{Document, Plan, Problem, nearest, read_value, unknown};
use serde_json::Value;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Arguments that say which scenario and how.
#[derive(clap::Args, Clone, Debug)]
pub struct ScenarioArgs {
    /// A scenario: a link of the page (in quotes), a file if it contains `/` or ends in `.json`, else an id (see `faultline list`)
    pub scenario: String,
    #[command(flatten)]
    pub how: HowArgs,
}

/// Arguments that say how a scenario is run.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct HowArgs {
    /// Seed of all randomness, below 2^53; the link's or the scenario's own by default
    #[arg(long, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Variant of the scenario; by default the link's, or `A`, the problem, and where a server is mounted `B`, the cure
    #[arg(long)]
    pub variant: Option<String>,
    /// Change the document: a dotted path and a JSON value; `@FILE` takes all changes of a file that `calibrate` wrote
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
}

/// What a SCENARIO argument names.
#[derive(Clone, Debug)]
pub struct Named {
    /// The document, as written.
    pub document: Document,
    /// What a link asks for beside it, with the variant that its lesson plays; nothing where no link was given.
    pub link: Link,
}

/// How a scenario is to be run.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which variant.
    pub variant: String,
    /// The changes, in order.
    pub changes: Vec<(String, Value)>,
    /// What was asked for and cannot be.
    pub problems: Vec<Problem>,
}

/// A scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What was asked for.
    pub link: Link,
    /// As written.
    pub original: Document,
    /// With variant and changes applied.
    pub document: Document,
    /// The plan made of it.
    pub plan: Arc<Plan>,
}

/// Which variant is run where none is named.
pub type Default = fn(&Document) -> &'static str;

/// The document as written: the problem.
pub fn problem(_: &Document) -> &'static str {
    "A"
}

/// The variant that shows the system at its best, as a server should: `B` where there is one.
pub fn cured(document: &Document) -> &'static str {
    if document.variants().iter().any(|id| id == "B") { "B" } else { "A" }
}

impl Loaded {
    /// The run, nothing of it computed yet.
    pub fn run(&self) -> Run {
        Run::with_script(self.plan.clone(), self.link.script())
    }
}

impl ScenarioArgs {
    /// Reads and plans the scenario.
    pub fn load(&self, default: Default) -> Result<Loaded> {
        self.how.load(&self.scenario, default)
    }
}

impl HowArgs {
    /// Reads and plans a scenario.
    pub fn load(&self, scenario: &str, default: Default) -> Result<Loaded> {
        self.load_and_judge(scenario, default, |_, _| Vec::new())
    }

    /// The same for a command that asks more of the document, with the changes of its claims, and of the plan if there is one: what
    /// is wrong with that is told with all the rest.
    pub fn load_and_judge(
        &self,
        scenario: &str,
        default: Default,
        judge: impl Fn(&Document, Option<&Plan>) -> Vec<Problem>,
    ) -> Result<Loaded> {
        let named = read(scenario)?;
        let Asked { variant, changes, mut problems } = self.asked(&named, default);
        let revised = named.document.revised(&changes);
        let (planned, unplanned) = match plan(named, &variant, &changes) {
            Ok(loaded) => (Some(loaded), Vec::new()),
            Err(problems) => (None, problems),
        };
        problems.extend(unplanned);
        problems.extend(judge(&revised, planned.as_ref().map(|loaded| &*loaded.plan)));
        match planned {
            Some(loaded) if problems.is_empty() => Ok(loaded),
            _ => Err(problems.into()),
        }
    }

    /// The variant and the changes that were asked for: the link's first, so that flags have the last word.
    pub fn asked(&self, named: &Named, default: Default) -> Asked {
        let Named { document, link } = named;
        let variant = self.variant.as_ref().or(link.variant.as_ref());
        let mut changes = link.set.clone();
        changes.extend(link.seed.map(|seed| ("seed".to_string(), Value::from(seed))));
        let (flags, mut problems) = self.changes();
        changes.extend(flags);
        if !link.resolve.is_empty() && !self.is_empty() {
            let what = "an incident is resolved at an event of the link's own run, and flags make another run";
            problems.push(Problem::new("resolve", what, "Leave the flags out, or `resolve` out of the link."));
        }
        Asked { variant: variant.map_or_else(|| default(document).to_string(), String::clone), changes, problems }
    }

    /// The changes of the flags, `--seed` last, and what of them cannot be read.
    fn changes(&self) -> (Vec<(String, Value)>, Vec<Problem>) {
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        for set in &self.sets {
            match parse_set(set) {
                Ok(found) => changes.extend(found),
                Err(problem) => problems.push(problem),
            }
        }
        changes.extend(self.seed.map(|seed| ("seed".to_string(), Value::from(seed))));
        (changes, problems)
    }

    /// Whether no flag asks for anything.
    fn is_empty(&self) -> bool {
        self.seed.is_none() && self.variant.is_none() && self.sets.is_empty()
    }

    /// Errors: a computed run in which a link's incidents cannot have been resolved, or that ends before what the link looks at.
    /// With flags it is meant to be another run.
    pub fn fits(&self, link: &Link, run: &Run) -> Result {
        let beyond = || link.beyond(run).filter(|_| self.is_empty());
        match Link::not_resolved(run).or_else(beyond) {
            Some(problem) => Err(vec![problem].into()),
            None => Ok(()),
        }
    }

    /// An error if a link says that its run has another digest than this one. With flags it is meant to be another run.
    pub fn same_run(&self, link: &Link, digest: &str) -> Result {
        match link.digest.as_ref().filter(|expected| self.is_empty() && expected.0 != digest) {
            Some(expected) => differs(digest, "link", &expected.0),
            None => Ok(()),
        }
    }
}

/// Says that a run is another one than what it was made from has noted.
pub fn differs(digest: &str, noted_by: &str, expected: &str) -> Result {
    tell(format_args!(
        "error: this run's digest is {digest}, the {noted_by}'s {expected}: the scenario or the program has changed"
    ));
    Err(Failure::Check)
}

/// Applies a variant and changes, and plans.
fn plan(named: Named, variant: &str, changes: &[(String, Value)]) -> std::result::Result<Loaded, Vec<Problem>> {
    let Named { document: original, link } = named;
    let plan = Arc::new(original.plan(variant, changes)?);
    let document = original.patched(variant, changes)?;
    Ok(Loaded { link, original, document, plan })
}

/// What a file, a link or an embedded id names.
pub fn read(scenario: &str) -> Result<Named> {
    if Link::is_link(scenario) {
        let (link, problems) = Link::read(scenario);
        return if problems.is_empty() { Ok(linked(link)?) } else { Err(problems.into()) };
    }
    let text = match scenario.contains('/') || scenario.ends_with(".json") {
        true => {
            read_text(Path::new(scenario), "Name a scenario's JSON file, or an id.").map_err(|problem| vec![problem])?
        }
        false => embedded(scenario, scenario)?.to_string(),
    };
    let of_file = |problem: Problem| match problem.path.as_str() {
        "" => Problem { path: scenario.to_string(), ..problem },
        path => Problem { path: format!("{scenario}: {path}"), ..problem },
    };
    let document = Document::parse(&text).map_err(|problems| problems.into_iter().map(of_file).collect::<Vec<_>>())?;
    Ok(Named { document, link: Link::default() })
}

/// What a link is about: the scenario that it names, or its lesson's.
fn linked(mut link: Link) -> std::result::Result<Named, Vec<Problem>> {
    if link.recording.is_some() {
        let hint = "Save what that address gives in a file and use `faultline run --replay FILE`.";
        return Err(vec![Problem::new("recording", "a recorded run is run again from its file", hint)]);
    }
    if let Some(text) = &link.document {
        return Ok(Named { document: Document::parse(text)?, link });
    }
    let (path, scenario) = match (&link.lesson, &link.scenario) {
        (None, Some(scenario)) => ("scenario", scenario.clone()),
        (Some(lesson), _) => {
            let lesson = lesson_of(lesson)?;
            link.variant.get_or_insert(lesson.variant);
            ("lesson", lesson.scenario)
        }
        (None, None) => {
            let hint = "Copy a link from the page's Share.";
            return Err(vec![Problem::new("lesson", "the link names neither a lesson nor a scenario", hint)]);
        }
    };
    Ok(Named { document: Document::parse(embedded(path, &scenario)?)?, link })
}

/// The embedded lesson with this id.
pub fn lesson_of(id: &str) -> std::result::Result<Lesson, Vec<Problem>> {
    let Some((json, _)) = lessons::lesson(id) else {
        let known: Vec<&str> = lessons::LESSONS.iter().map(|(id, ..)| *id).collect();
        let hint = unknown(id, &known);
        return Err(vec![Problem::new("lesson", format!("there is no lesson `{id}`"), hint)]);
    };
    Lesson::parse(json)
}

/// The JSON of the embedded scenario with this id; `path` says who named it.
fn embedded(path: &str, id: &str) -> std::result::Result<&'static str, Vec<Problem>> {
    lessons::scenario(id).ok_or_else(|| {
        let known: Vec<&str> = lessons::scenarios().map(|(id, _, _)| *id).collect();
        let meant =
            nearest(id, &known).map_or("`faultline list` shows all.".into(), |near| format!("Did you mean `{near}`?"));
        let hint = format!("{meant} A file's name contains `/` or ends in `.json`.");
        vec![Problem::new(path, format!("there is no scenario `{id}`"), hint)]
    })
}

fn parse_set(text: &str) -> std::result::Result<Vec<(String, Value)>, Problem> {
    if let Some(file) = text.strip_prefix('@') {
        return read_changes(Path::new(file));
    }
    let hint = "Write PATH=VALUE, such as nodes.db.readers=4 or 'nodes.api.title=\"API\"'.";
    let problem = |what: String| Problem::new(format!("--set {text}"), what, hint);
    let (path, value) = text.split_once('=').ok_or_else(|| problem("has no `=`".into()))?;
    if path.is_empty() {
        return Err(problem("names no place".into()));
    }
    let value = read_value(value).map_err(|problems| problem(format!("the value {}", first(&problems))))?;
    Ok(vec![(path.to_string(), value)])
}

/// The text of a file. Errors: there is none to read, and then what to do; or it is no UTF-8.
pub fn read_text(file: &Path, hint: &str) -> std::result::Result<String, Problem> {
    std::fs::read_to_string(file).map_err(|error| {
        let hint = if error.kind() == ErrorKind::InvalidData { "Save it as UTF-8." } else { hint };
        Problem::new(file.display().to_string(), format!("cannot be read: {error}"), hint)
    })
}

/// Reads a file of changes: a JSON object of path and value.
pub fn read_changes(file: &Path) -> std::result::Result<Vec<(String, Value)>, Problem> {
    let problem =
        |what: String| Problem::new(file.display().to_string(), what, "Name a file that `calibrate -o` wrote.");
    let text = read_text(file, "Name a file that `calibrate -o` wrote.")?;
    match read_value(&text) {
        Ok(Value::Object(changes)) => Ok(changes.into_iter().collect()),
        Ok(_) => Err(problem("is no JSON object".into())),
        Err(problems) => Err(problem(first(&problems))),
    }
}

/// The first of several problems of a JSON text, as the end of a sentence about it.
fn first(problems: &[Problem]) -> String {
    let Problem { path, what, .. } = &problems[0];
    format!("{path} {what}").trim_start().into()
}

/// A runtime for commands that need one.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| Failure::Other(format!("cannot start: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_json() {
        assert_eq!(parse_set("a.b=4").unwrap(), [("a.b".to_string(), Value::from(4))]);
        assert_eq!(parse_set("a=\"x=y\"").unwrap(), [("a".to_string(), Value::from("x=y"))]);
        for bad in ["a", "a=", "a=x", "@/no/such/file"] {
            assert!(parse_set(bad).is_err(), "{bad}");
        }
        let twice = parse_set(r#"a={"x": 1, "x": 2}"#).unwrap_err();
        assert_eq!(twice.what, "the value x stands more than once in its object");
    }

    #[test]
    fn all_problems_of_the_changes_are_told() {
        let how = HowArgs { sets: vec!["a".into(), "b".into(), "c=1".into()], ..HowArgs::default() };
        let (changes, problems) = how.changes();
        assert_eq!((changes.len(), problems.len()), (1, 2));
    }

    #[test]
    fn a_link_says_which_run_and_flags_override_it() {
        let link = "https://example.org/course/?v=2&lesson=the-database-goes-away&seed=11&set=nodes.db.readers%3D4";
        let how = HowArgs { seed: Some(5), ..HowArgs::default() };
        let loaded = how.load(link, problem).unwrap();
        assert_eq!((loaded.plan.id.as_str(), loaded.plan.variant.as_str()), ("database-outage", "B"), "the lesson's");
        assert_eq!(loaded.plan.seed, 5);
        assert_eq!(loaded.document.at("nodes.db.readers"), Some(&Value::from(4)));
        let loaded = HowArgs::default().load("?scenario=cache-stampede-hot-key&variant=A", cured).unwrap();
        assert_eq!((loaded.plan.id.as_str(), loaded.plan.variant.as_str()), ("cache-stampede-hot-key", "A"));
    }

    #[test]
    fn a_link_carries_a_whole_scenario() {
        let document = lessons::scenario("one-service").map(str::to_string);
        let link = Link { document, seed: Some(3), playground: true, ..Link::default() };
        let loaded = HowArgs::default().load(&link.query(), problem).unwrap();
        assert_eq!((loaded.plan.id.as_str(), loaded.plan.seed), ("one-service", 3));
    }

    #[test]
    fn what_a_link_says_wrongly_is_told_by_field() {
        for (link, fields) in [
            ("?seed=-1&step=x&lesson=nothing", &["seed", "step"][..]),
            ("?lesson=nothing", &["lesson"]),
            ("?scenario=nothing", &["scenario"]),
            ("?v=2&lesson=one-request&scenario=one-writer", &["scenario"]),
            ("https://example.org/", &["lesson"]),
            ("?recording=/api/recording", &["recording"]),
        ] {
            let Err(Failure::Problems(problems)) = read(link) else { panic!("{link} was accepted") };
            assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), fields, "{link}");
        }
        let how = HowArgs::default();
        let Err(Failure::Problems(problems)) =
            how.load("?scenario=cache-stampede-hot-key&variant=Z&set=no.where=1", problem)
        else {
            panic!("it was accepted")
        };
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["variants.Z", "no.where"]);
    }

    #[test]
    fn unknown_ids_are_told_with_the_one_meant_or_where_all_are() {
        let hint = |id: &str| match read(id) {
            Err(Failure::Problems(problems)) => problems[0].hint.clone(),
            _ => panic!("it was found"),
        };
        assert!(hint("databse-outage").starts_with("Did you mean `database-outage`?"));
        assert!(hint("no-such-thing").starts_with("`faultline list` shows all."));
    }
}
