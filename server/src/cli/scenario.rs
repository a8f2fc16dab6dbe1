//! Which scenario a command works on: a file or an id, a variant, changes.

use super::{Failure, Result};
use sandbox_core::claim::read_claims;
use sandbox_core::scenario::{Document, Plan, Problem, read_value};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Arguments that say which scenario and how.
#[derive(clap::Args, Clone, Debug)]
pub struct ScenarioArgs {
    /// A scenario: a file if it contains `/` or ends in `.json`, else an id (see `faultline list`)
    pub scenario: String,
    #[command(flatten)]
    pub how: HowArgs,
}

/// Arguments that say how a scenario is run.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct HowArgs {
    /// Seed of all randomness, below 2^53; the scenario's own by default
    #[arg(long)]
    pub seed: Option<u64>,
    /// Variant of the scenario; by default `A`, the problem, and where a server is mounted `B`, the cure, if there is one
    #[arg(long)]
    pub variant: Option<String>,
    /// Change the document: a dotted path and a JSON value; `@FILE` takes all changes of a file that `calibrate` wrote
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
}

/// A scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// As written.
    pub original: Document,
    /// With variant and changes applied.
    pub document: Document,
    /// The plan made of it.
    pub plan: Arc<Plan>,
}

impl ScenarioArgs {
    /// Reads and plans the scenario; the variant is `default` if none was named.
    pub fn load(&self, default: &str) -> Result<Loaded> {
        self.how.load(&self.scenario, default)
    }
}

impl HowArgs {
    /// Reads and plans a scenario; the variant is `default` if none was named.
    pub fn load(&self, scenario: &str, default: &str) -> Result<Loaded> {
        let original = read(scenario)?;
        let changes = self.changes()?;
        Ok(plan(original, self.variant.as_deref().unwrap_or(default), &changes)?)
    }

    /// The same for a command that judges claims: what is wrong with those is told with all the rest.
    pub fn load_with_claims(&self, scenario: &str, default: &str) -> Result<Loaded> {
        let original = read(scenario)?;
        let changes = self.changes()?;
        let claims = read_claims(&original).err().unwrap_or_default();
        match plan(original, self.variant.as_deref().unwrap_or(default), &changes) {
            Ok(loaded) if claims.is_empty() => Ok(loaded),
            planned => Err([planned.err().unwrap_or_default(), claims].concat().into()),
        }
    }

    /// The changes that were asked for, `--seed` last; all problems at once.
    pub fn changes(&self) -> Result<Vec<(String, Value)>> {
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        for set in &self.sets {
            match parse_set(set) {
                Ok(found) => changes.extend(found),
                Err(problem) => problems.push(problem),
            }
        }
        changes.extend(self.seed.map(|seed| ("seed".to_string(), Value::from(seed))));
        if problems.is_empty() { Ok(changes) } else { Err(problems.into()) }
    }
}

/// Applies a variant and changes, and plans.
pub fn plan(
    original: Document,
    variant: &str,
    changes: &[(String, Value)],
) -> std::result::Result<Loaded, Vec<Problem>> {
    let plan = Arc::new(original.plan(variant, changes)?);
    let document = original.patched(variant, changes)?;
    Ok(Loaded { original, document, plan })
}

/// The document of a file or an embedded id.
pub fn read(scenario: &str) -> Result<Document> {
    if scenario.contains('/') || scenario.ends_with(".json") {
        let text = std::fs::read_to_string(scenario).map_err(|error| {
            vec![Problem::new(scenario, format!("cannot be read: {error}"), "Name a scenario's JSON file, or an id.")]
        })?;
        return Ok(Document::parse(&text)?);
    }
    let Some(text) = lessons::scenario(scenario) else {
        let known: Vec<&str> = lessons::scenarios().map(|(id, _, _)| *id).collect();
        let hint = format!("Known: {}. A file's name contains `/` or ends in `.json`.", known.join(", "));
        return Err(vec![Problem::new(scenario, "is no scenario", hint)].into());
    };
    Ok(Document::parse(text)?)
}

/// The variant that shows the system at its best, as a server should: `B` where there is one.
pub fn cured(document: &Document) -> &'static str {
    if document.variants().iter().any(|id| id == "B") { "B" } else { "A" }
}

fn parse_set(text: &str) -> std::result::Result<Vec<(String, Value)>, Problem> {
    if let Some(file) = text.strip_prefix('@') {
        return read_changes(Path::new(file));
    }
    let hint = "Write PATH=VALUE, such as nodes.db.readers=4 or 'nodes.api.title=\"API\"'.";
    let problem = |what: String| Problem::new(format!("--set {text}"), what, hint);
    let (path, value) = text.split_once('=').ok_or_else(|| problem("has no `=`".into()))?;
    let value = read_value(value).map_err(|problems| problem(format!("the value {}", first(&problems))))?;
    Ok(vec![(path.to_string(), value)])
}

/// Reads a file of changes: a JSON object of path and value.
pub fn read_changes(file: &Path) -> std::result::Result<Vec<(String, Value)>, Problem> {
    let problem =
        |what: String| Problem::new(file.display().to_string(), what, "Name a file that `calibrate -o` wrote.");
    let text = std::fs::read_to_string(file).map_err(|error| problem(format!("cannot be read: {error}")))?;
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
        let Err(Failure::Problems(problems)) = how.changes() else { panic!("it was accepted") };
        assert_eq!(problems.len(), 2);
    }

    #[test]
    fn unknown_ids_are_told_with_the_known_ones() {
        let Err(Failure::Problems(problems)) = read("no-such-thing") else { panic!("it was found") };
        assert!(problems[0].hint.contains("database-outage"));
    }
}
