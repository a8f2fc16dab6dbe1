//! Embeds the course: walks the folders beside this file and writes tables of what it finds.
//!
//! Markdown is rendered here, because a renderer in the page would weigh more than the page's framework. JSON is embedded
//! without its indentation. The page carries none of it but the index and the glossary: it fetches the files of the last table.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut scenarios = documents(&root.join("scenarios"));
    let catalogue = documents(&root.join("catalogue"));
    let templates = documents(&root.join("templates"));
    let mut lessons = Vec::new();
    for entry in sorted(&root) {
        let series =
            entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with(|c: char| c.is_ascii_digit()));
        if entry.is_dir() && series {
            walk(&entry, &mut |path| match path.file_name().and_then(|name| name.to_str()) {
                Some("lesson.json") => lessons.push(path.to_path_buf()),
                Some("scenario.json") => scenarios.push(path.to_path_buf()),
                _ => {}
            });
        }
    }
    println!("cargo:rerun-if-changed={}", root.display());

    let files = files(&root, &lessons, &scenarios, &templates);
    let mut out = String::new();
    for (name, what, paths) in [
        ("SCENARIOS", "The scenarios that lessons play on.", scenarios),
        ("CATALOGUE", "The catalogue: ways in which systems break.", catalogue),
        ("TEMPLATES", "What the playground starts from, beside the lessons' scenarios.", templates),
    ] {
        writeln!(out, "/// {what}\npub static {name}: &[Scenario] = &[").expect("a string takes all");
        for path in paths {
            let (json, path) = (json(&path), shown(&root, &path));
            writeln!(out, "    ({:?}, {path:?}, {:?}),", id(&json, &path), json.to_string())
                .expect("a string takes all");
        }
        out.push_str("];\n\n");
    }
    out.push_str("/// Every lesson of the course: (id, path, JSON, prose as (heading, HTML) in order).\n");
    out.push_str("pub static LESSONS: &[(&str, &str, &str, Prose)] = &[\n");
    for path in &lessons {
        let json = json(path);
        let prose = prose(&path.with_file_name("lesson.md"), &numbers(&json));
        let path = shown(&root, path);
        writeln!(out, "    ({:?}, {path:?}, {:?}, &{prose:?}),", id(&json, &path), json.to_string())
            .expect("a string takes all");
    }
    out.push_str("];\n\n");
    out.push_str("/// What the page with all lessons says of each, in the order of the course.\n");
    out.push_str("pub static INDEX: &[Entry] = &[\n");
    for path in &lessons {
        writeln!(out, "    {},", entry(&json(path), &shown(&root, path))).expect("a string takes all");
    }
    out.push_str("];\n\n");
    out.push_str("/// The glossary: (name in links, term, HTML), in the order of its file.\n");
    out.push_str("pub static GLOSSARY: &[(&str, &str, &str)] = &[\n");
    for (term, html) in prose(&root.join("glossary.md"), &[]) {
        writeln!(out, "    ({:?}, {term:?}, {html:?}),", link_name(&term)).expect("a string takes all");
    }
    out.push_str("];\n\n");
    out.push_str("/// What the page fetches of the course: (name of a file, JSON). `LESSON.json` is a lesson with its prose and its scenario,\n");
    out.push_str("/// `starts.json` what the playground starts from.\n");
    out.push_str("pub static FILES: &[(&str, &str)] = &[\n");
    for (name, json) in files {
        writeln!(out, "    ({name:?}, {:?}),", json.to_string()).expect("a string takes all");
    }
    out.push_str("];\n");
    let target = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("course.rs");
    fs::write(target, out).expect("OUT_DIR can be written");
}

/// The course as files: a lesson each, and what the playground starts from.
fn files(root: &Path, lessons: &[PathBuf], scenarios: &[PathBuf], templates: &[PathBuf]) -> Vec<(String, Value)> {
    let all = |paths: &[PathBuf]| paths.iter().map(|path| json(path)).collect::<Vec<Value>>();
    let (scenarios, templates) = (all(scenarios), all(templates));
    let lesson = |path: &PathBuf| {
        let lesson = json(path);
        let prose = prose(&path.with_file_name("lesson.md"), &numbers(&lesson));
        let (path, plays_on) = (shown(root, path), &lesson["scenario"]);
        let scenario = scenarios.iter().find(|scenario| scenario["id"] == *plays_on);
        let scenario = scenario.unwrap_or_else(|| panic!("{path}: there is no scenario {plays_on}"));
        (format!("{}.json", id(&lesson, &path)), json!({ "lesson": lesson, "prose": prose, "scenario": scenario }))
    };
    let starts = json!({ "templates": templates, "scenarios": scenarios });
    lessons.iter().map(lesson).chain([("starts.json".to_string(), starts)]).collect()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths
}

/// The JSON files below a folder.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(folder, &mut |path| {
        if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path.to_path_buf());
        }
    });
    found
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for path in sorted(folder) {
        if path.is_dir() {
            walk(&path, visit);
        } else {
            visit(&path);
        }
    }
}

fn shown(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).expect("it was found below the root");
    format!("lessons/{}", below.display()).replace('\\', "/")
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn id<'a>(document: &'a Value, path: &str) -> &'a str {
    document["id"].as_str().unwrap_or_else(|| panic!("{path}: `id` is missing"))
}

/// What the index says of a lesson, as a Rust expression.
fn entry(lesson: &Value, path: &str) -> String {
    let text = |field: &str| match &lesson[field] {
        Value::String(text) => text.clone(),
        _ => panic!("{path}: `{field}` is missing"),
    };
    let minutes = lesson["minutes"].as_u64().unwrap_or_else(|| panic!("{path}: `minutes` is missing"));
    format!(
        "Entry {{ id: {:?}, scenario: {:?}, number: {:?}, series: {:?}, title: {:?}, teaser: {:?}, minutes: {minutes} }}",
        text("id"),
        text("scenario"),
        text("number"),
        text("series"),
        text("title"),
        text("teaser")
    )
}

/// A term as links name it: `Status code` is `status-code`.
fn link_name(term: &str) -> String {
    term.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// The numbers that the prose quotes, by name: `{{name}}` in the Markdown.
fn numbers(lesson: &Value) -> Vec<(String, String)> {
    let Some(numbers) = lesson["numbers"].as_object() else { return Vec::new() };
    numbers.iter().map(|(name, number)| (name.clone(), number["text"].as_str().unwrap_or("?").to_string())).collect()
}

/// Splits the Markdown at its second-level headings and renders each part.
fn prose(path: &Path, numbers: &[(String, String)]) -> Vec<(String, String)> {
    let mut text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (name, number) in numbers {
        text = text.replace(&format!("{{{{{name}}}}}"), number);
    }
    assert!(!text.contains("{{"), "{}: a number in the text is not in lesson.json: {text}", path.display());
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("## ") {
            Some(heading) => parts.push((heading.trim().to_string(), String::new())),
            None => {
                if let Some((_, body)) = parts.last_mut() {
                    body.push_str(line);
                    body.push('\n');
                }
            }
        }
    }
    for (_, body) in &mut parts {
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(body));
        *body = html;
    }
    parts
}
