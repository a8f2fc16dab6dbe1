//! `faultline list`.

use super::{Result, print, print_json};
use sandbox_core::scenario::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  faultline list --json")]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `list --json`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Catalogue {
    scenarios: Vec<ScenarioEntry>,
    lessons: Vec<LessonEntry>,
}

/// A scenario that is embedded in the program.
#[derive(Serialize, Deserialize, JsonSchema)]
struct ScenarioEntry {
    id: String,
    title: String,
    path: String,
    variants: Vec<VariantEntry>,
}

/// A variant of a scenario.
#[derive(Serialize, Deserialize, JsonSchema)]
struct VariantEntry {
    id: String,
    title: String,
}

/// A lesson that is embedded in the program.
#[derive(Serialize, Deserialize, JsonSchema)]
struct LessonEntry {
    id: String,
    title: String,
    path: String,
    scenario: String,
}

/// Lists what is embedded.
pub fn list(options: &Options) -> Result {
    let catalogue = catalogue()?;
    if options.json {
        return print_json(&catalogue);
    }
    let mut text = String::from("scenarios\n");
    for scenario in &catalogue.scenarios {
        text.push_str(&format!("  {:<28} {}\n", scenario.id, scenario.title));
        for variant in &scenario.variants {
            text.push_str(&format!("  {:<28} {}  {}\n", "", variant.id, variant.title));
        }
    }
    text.push_str("lessons\n");
    for lesson in &catalogue.lessons {
        text.push_str(&format!("  {:<28} {} ({})\n", lesson.id, lesson.title, lesson.scenario));
    }
    print(&text)
}

fn catalogue() -> Result<Catalogue> {
    let mut catalogue = Catalogue { scenarios: Vec::new(), lessons: Vec::new() };
    for (id, path, json) in lessons::scenarios() {
        let document = Document::parse(json)?;
        let title = document.at("title").and_then(|title| title.as_str()).unwrap_or_default().to_string();
        let variant = |id: String| VariantEntry { title: document.variant_title(&id), id };
        let variants = document.variants().into_iter().map(variant).collect();
        catalogue.scenarios.push(ScenarioEntry { id: id.to_string(), title, path: path.to_string(), variants });
    }
    for (id, path, json, _) in lessons::LESSONS {
        let lesson: serde_json::Value = serde_json::from_str(json).map_err(|error| format!("{path}: {error}"))?;
        let field = |name: &str| lesson[name].as_str().unwrap_or_default().to_string();
        let (title, scenario) = (field("title"), field("scenario"));
        catalogue.lessons.push(LessonEntry { id: id.to_string(), title, path: path.to_string(), scenario });
    }
    Ok(catalogue)
}
