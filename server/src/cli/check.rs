//! `faultline check`.

use super::cores::on_all_cores;
use super::scenario::read_text;
use super::{Failure, Result, print, print_json, progress};
use sandbox_core::claim::{Claim, Judgement, SeedRuns, Seeds, check_claims};
use sandbox_core::lesson::{self, Lesson};
use sandbox_core::scenario::{ClaimSpec, Document, Problem, empty_texts, read_value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline check --seeds 20\n  faultline check my-scenario.json")]
pub struct Options {
    /// Files of scenarios and lessons (`lesson.json`), or folders of them; all that is embedded if none is named
    paths: Vec<PathBuf>,
    /// Judge the claims with seeds 1 to N
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: u32,
    /// Judge each claim with A and B exchanged and without faults and rollouts too: it must fail then
    #[arg(long)]
    mutate: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `check --json`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    seeds: u32,
    ok: bool,
    scenarios: Vec<ScenarioCheck>,
    lessons: Vec<LessonCheck>,
}

/// What was found in one lesson.
#[derive(Serialize, Deserialize, JsonSchema)]
struct LessonCheck {
    path: String,
    id: String,
    /// `path: what. hint`.
    problems: Vec<String>,
}

/// What was found in one scenario.
#[derive(Serialize, Deserialize, JsonSchema)]
struct ScenarioCheck {
    path: String,
    id: String,
    /// `path: what. hint`.
    problems: Vec<String>,
    claims: Vec<ClaimCheck>,
}

/// How a claim fared.
#[derive(Serialize, Deserialize, JsonSchema)]
struct ClaimCheck {
    id: String,
    expr: String,
    /// Seeds on which it holds.
    held: u32,
    /// Seeds on which it fails, as it must, with A and B exchanged and without faults and rollouts; null: not asked.
    mutants_killed: Option<u32>,
    /// Whether at least 95 of 100 seeds hold, and as many mutants are killed.
    ok: bool,
}

/// Checks and prints what was found.
pub fn check(options: &Options) -> Result {
    let Texts { scenarios, lessons } = texts(&options.paths)?;
    let bar = progress(scenarios.len() as u64 * u64::from(options.seeds), "checking");
    let tick = || bar.inc(1);
    let scenarios: Vec<ScenarioCheck> =
        scenarios.into_iter().map(|(path, text)| one(path, &text, options, &tick)).collect();
    let lessons: Vec<LessonCheck> = lessons.into_iter().map(one_lesson).collect();
    bar.finish_and_clear();
    let problems =
        scenarios.iter().map(|scenario| &scenario.problems).chain(lessons.iter().map(|lesson| &lesson.problems));
    let broken = problems.flatten().next().is_some();
    let ok = !broken && scenarios.iter().flat_map(|scenario| &scenario.claims).all(|claim| claim.ok);
    let report = CheckReport { seeds: options.seeds, ok, scenarios, lessons };
    if options.json {
        print_json(&report)?
    } else {
        print(&words(&report))?
    }
    match (broken, ok) {
        (true, _) => Err(Failure::Problems(Vec::new())),
        (_, false) => Err(Failure::Check),
        _ => Ok(()),
    }
}

/// Everything to check.
#[derive(Default)]
struct Texts {
    /// Path and JSON.
    scenarios: Vec<(String, String)>,
    lessons: Vec<LessonText>,
}

struct LessonText {
    path: String,
    json: String,
    /// Its prose: heading and text of each beat.
    prose: Vec<(String, String)>,
    /// The JSON of its scenario; None: there is none of that name.
    scenario: Option<String>,
}

fn texts(paths: &[PathBuf]) -> Result<Texts> {
    let mut found = Texts::default();
    if paths.is_empty() {
        found.scenarios = lessons::scenarios().map(|(_, path, json)| (path.to_string(), json.to_string())).collect();
        let embedded = |(_, path, json, prose): &(&str, &str, &str, &[(&str, &str)])| LessonText {
            path: path.to_string(),
            json: json.to_string(),
            prose: prose.iter().map(|(heading, html)| (heading.to_string(), html.to_string())).collect(),
            scenario: scenario_of(json, None),
        };
        found.lessons = lessons::LESSONS.iter().map(embedded).collect();
        return Ok(found);
    }
    let mut problems = Vec::new();
    for path in paths {
        let before = found.scenarios.len() + found.lessons.len();
        collect(path, path, &mut found, &mut problems);
        if found.scenarios.len() + found.lessons.len() == before && problems.is_empty() {
            let what = "holds neither a scenario nor a lesson";
            problems.push(Problem::new(path.display().to_string(), what, "Name a file or folder with `.json` files."));
        }
    }
    problems.extend(twice(&found));
    if problems.is_empty() { Ok(found) } else { Err(problems.into()) }
}

/// Documents with the id of one before them: nobody could say which is meant.
fn twice(found: &Texts) -> Vec<Problem> {
    let id_of = |json: &str| Some(Document::parse(json).ok()?.id().to_string()).filter(|id| !id.is_empty());
    let scenarios = found.scenarios.iter().map(|(path, json)| ("scenario", path, json));
    let lessons = found.lessons.iter().map(|lesson| ("lesson", &lesson.path, &lesson.json));
    let (mut first, mut problems) = (BTreeMap::new(), Vec::new());
    for (kind, path, json) in scenarios.chain(lessons) {
        let Some(id) = id_of(json) else { continue };
        let before = first.entry((kind, id.clone())).or_insert(path);
        if *before != path {
            let what = format!("has the id `{id}`, as {before} has");
            problems.push(Problem::new(path, what, format!("Give each {kind} an id of its own.")));
        }
    }
    problems
}

/// The scenario that a lesson names: the one beside it if it has that id, or an embedded one.
fn scenario_of(json: &str, beside: Option<&Path>) -> Option<String> {
    let lesson: serde_json::Value = serde_json::from_str(json).ok()?;
    let id = lesson.get("scenario")?.as_str()?;
    let file = beside.and_then(|folder| std::fs::read_to_string(folder.join("scenario.json")).ok());
    let file = file.filter(|text| Document::parse(text).is_ok_and(|document| document.id() == id));
    file.or_else(|| lessons::scenario(id).map(str::to_string))
}

/// The second-level headings of Markdown, each with what stands under it.
pub(super) fn beats(markdown: &str) -> Vec<(String, String)> {
    let parts = format!("\n{markdown}");
    let parts = parts.split("\n## ").skip(1).map(|part| part.split_once('\n').unwrap_or((part, "")));
    parts.map(|(heading, text)| (heading.trim().to_string(), text.to_string())).collect()
}

/// Proves a lesson by running it.
fn one_lesson(text: LessonText) -> LessonCheck {
    let LessonText { path, json, prose, scenario } = text;
    let (id, problems) = match Lesson::parse(&json) {
        Err(problems) => (String::new(), problems),
        Ok(lesson) => {
            let prose: Vec<(&str, &str)> = prose.iter().map(|(heading, text)| (&**heading, &**text)).collect();
            let terms: Vec<&str> = lessons::GLOSSARY.iter().map(|(name, ..)| *name).collect();
            let mut problems = read_value(&json).map(|json| empty_texts(&json)).unwrap_or_default();
            let others = match scenario.as_deref().map(Document::parse) {
                Some(Ok(document)) => lesson::check_lesson(&lesson, &prose, &terms, &document),
                Some(Err(problems)) => problems,
                None => {
                    let what = format!("there is no scenario `{}`", lesson.scenario);
                    let hint = "Name one that `faultline list` shows, or put its file beside the lesson.";
                    vec![Problem::new("scenario", what, hint)]
                }
            };
            problems.extend(others);
            (lesson.id, problems)
        }
    };
    LessonCheck { path, id, problems: problems.iter().map(ToString::to_string).collect() }
}

fn collect(path: &Path, named: &Path, found: &mut Texts, problems: &mut Vec<Problem>) {
    if path.is_dir() {
        let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        inside.sort();
        inside.iter().for_each(|path| collect(path, named, found, problems));
        return;
    }
    if path != named && path.extension().is_none_or(|ending| ending != "json") {
        return;
    }
    let read = |path: &Path| read_text(path, "Name files or folders.");
    let mut add = || -> std::result::Result<(), Problem> {
        let (shown, json) = (path.display().to_string(), read(path)?);
        if path.ends_with("lesson.json") {
            let prose = beats(&read(&path.with_file_name("lesson.md"))?);
            let scenario = scenario_of(&json, path.parent());
            found.lessons.push(LessonText { path: shown, prose, scenario, json });
        } else {
            found.scenarios.push((shown, json));
        }
        Ok(())
    };
    problems.extend(add().err());
}

fn one(path: String, text: &str, options: &Options, tick: &(dyn Fn() + Sync)) -> ScenarioCheck {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(problems) => {
            let problems = problems.iter().map(ToString::to_string).collect();
            return ScenarioCheck { path, id: String::new(), problems, claims: Vec::new() };
        }
    };
    let id = document.id().to_string();
    let seeds = Seeds { count: options.seeds, mutate: options.mutate };
    match check_claims(&document, seeds, |claims| judge(&document, claims, seeds, tick)) {
        Err(problems) => {
            let problems = problems.iter().map(ToString::to_string).collect();
            ScenarioCheck { path, id, problems, claims: Vec::new() }
        }
        Ok(results) => {
            let claims = results.into_iter().map(|result| ClaimCheck {
                ok: result.holds && result.sharp,
                id: result.id,
                expr: result.expr,
                held: result.held,
                mutants_killed: result.mutants_killed,
            });
            ScenarioCheck { path, id, problems: Vec::new(), claims: claims.collect() }
        }
    }
}

/// The verdicts of all seeds, on all cores.
fn judge(
    document: &Document,
    claims: &[(ClaimSpec, Claim)],
    seeds: Seeds,
    tick: &(dyn Fn() + Sync),
) -> std::result::Result<Vec<Vec<Judgement>>, Vec<Problem>> {
    let judged = on_all_cores(u64::from(seeds.count), |number| {
        let judged = SeedRuns::new(document, number + 1).judge(claims, seeds.mutate);
        tick();
        judged
    });
    judged.into_iter().collect()
}

fn words(report: &CheckReport) -> String {
    let mut out = String::new();
    for scenario in &report.scenarios {
        let verdict = match (scenario.problems.is_empty(), scenario.claims.iter().all(|claim| claim.ok)) {
            (false, _) => "BROKEN",
            (_, false) => "FAILS",
            _ => "ok",
        };
        let _ = writeln!(out, "{verdict:<8}{}", scenario.path);
        for problem in &scenario.problems {
            let _ = writeln!(out, "        {problem}");
        }
        for claim in &scenario.claims {
            let verdict = if claim.ok { "holds" } else { "FAILS" };
            let _ = writeln!(out, "  {verdict:<6}{} of {}  {}: {}", claim.held, report.seeds, claim.id, claim.expr);
            if let Some(killed) = claim.mutants_killed {
                let _ = writeln!(out, "        fails with the cause taken away: {killed} of {}", report.seeds);
            }
        }
    }
    for lesson in &report.lessons {
        let verdict = if lesson.problems.is_empty() { "ok" } else { "BROKEN" };
        let _ = writeln!(out, "{verdict:<8}{}", lesson.path);
        for problem in &lesson.problems {
            let _ = writeln!(out, "        {problem}");
        }
    }
    out
}
