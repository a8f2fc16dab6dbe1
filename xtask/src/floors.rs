//! The floors: a file uses its own folder and lower floors only, and some things are used nowhere.
//!
//! The tables below are the rules of ARCHITECTURE.md in a form that a program can check. `cargo test` and
//! `cargo xtask check` both run them.

mod source;

use anyhow::{Context, Result};
use source::{Source, UsedPath};
use std::fmt;
use std::path::{Path, PathBuf};

/// The core's folders and files, each with its floor.
const FLOORS: [(&str, u32); 22] = [
    ("time", 0),
    ("rng", 0),
    ("ids", 0),
    ("chunks", 0),
    ("blocks", 0),
    ("shared_map", 0),
    ("policy", 1),
    ("store", 1),
    ("scenario", 2),
    ("trace", 2),
    ("engine", 3),
    ("metrics", 4),
    ("timeline", 4),
    ("recording", 4),
    ("lesson", 5),
    ("claim", 5),
    ("truth", 5),
    ("study", 5),
    ("breakpoint", 5),
    ("sweep", 5),
    ("link", 5),
    ("message", 5),
];

/// Who may use a neighbour on its own floor, and why; never the other way round.
const NEIGHBOURS: [(&str, &str); 4] = [
    ("scenario", "trace"),   // signals filter records by what is written in them
    ("timeline", "metrics"), // an incident's sheet is told in the numbers of the folds
    ("lesson", "claim"),     // a lesson's text and its challenge are judged by claims
    ("breakpoint", "claim"), // a number that is reached is a claim that begins to hold
];

/// Something that the files of some folder do without.
struct Ban {
    /// Files whose path begins so.
    within: &'static str,
    /// Except this one.
    except: &'static str,
    /// Paths that begin with these names, or single names that occur anywhere in a path.
    paths: &'static [&'static str],
    /// Why, and what to use instead.
    why: &'static str,
}

const BANS: [Ban; 6] = [
    Ban {
        within: "sandbox-core/src/",
        except: "",
        paths: &["std::time", "std::thread", "std::fs", "std::net", "std::env", "std::process", "tokio"],
        why: "the core knows no clock, thread, file or socket; whoever drives the world hands these in",
    },
    Ban {
        within: "sandbox-core/src/",
        except: "",
        paths: &["HashMap", "HashSet"],
        why: "their order differs from run to run; use BTreeMap, BTreeSet or a Vec",
    },
    Ban {
        within: "sandbox-core/src/policy/",
        except: "sandbox-core/src/policy/auth.rs", // a token's claims are JSON by its standard
        paths: &["serde", "serde_json", "Serialize", "Deserialize"],
        why: "policies know no file format; scenario/ reads the document and builds them",
    },
    Ban {
        within: "web/src/draft/",
        except: "",
        paths: &["yew", "web_sys", "wasm_bindgen"],
        why: "a document in work is plain data, changed and tested without a browser; the workbench shows it",
    },
    Ban {
        within: "web/src/view_model",
        except: "",
        paths: &["yew"],
        why: "view models are plain functions, tested without a browser; components turn them into elements",
    },
    Ban {
        within: "web/src/",
        except: "web/src/state/ticker.rs",
        paths: &[
            "gloo_timers",
            "gloo_render",
            "Date",
            "Performance",
            "performance",
            "set_timeout",
            "set_interval",
            "request_animation_frame",
        ],
        why: "only web/src/state/ticker.rs knows browser time; take the tick it gives",
    },
];

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Every place of the project that breaks a rule.
pub fn problems(root: &Path) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for folder in source_folders(root)? {
        for file in rust_files(&folder)? {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let inside = file.strip_prefix(root).unwrap_or(&file);
            let name = inside.to_string_lossy().replace('\\', "/");
            problems.extend(problems_of(&name, &text));
        }
    }
    Ok(problems)
}

/// The `src` folder of every crate.
fn source_folders(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(root).with_context(|| format!("cannot read {}", root.display()))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join("src")).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    Ok(folders)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The problems of one file, named from the project's root with forward slashes.
fn problems_of(file: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |line, what| problems.push(Problem { file: file.into(), line, what });
    if !text.starts_with("//!") {
        report(1, "the file must open with a `//!` comment that says what it is for".to_owned());
    }
    let source = Source::read(text);
    for used in source.paths() {
        if let Some(module) = core_module(file)
            && let Some(what) = upward(file, module, &used)
        {
            report(used.line, what);
        }
        if used.in_test || is_test_file(file) {
            continue; // a test may read a golden file or measure itself; what it must not do is reach upwards
        }
        for ban in &BANS {
            let applies = file.starts_with(ban.within) && file != ban.except;
            if let Some(path) = ban.paths.iter().find(|path| applies && used.mentions(path)) {
                report(used.line, format!("`{path}` is not used in {}: {}", ban.within, ban.why));
            }
        }
    }
    problems
}

/// The core's module that a file belongs to; the root file belongs to none.
fn core_module(file: &str) -> Option<&str> {
    let inside = file.strip_prefix("sandbox-core/src/")?;
    let module = inside.split('/').next()?.trim_end_matches(".rs");
    (module != "lib").then_some(module)
}

fn is_test_file(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

fn floor(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// What is wrong with a path that a file of this module uses, if anything is.
fn upward(file: &str, module: &str, used: &UsedPath) -> Option<String> {
    let target = used.in_crate(depth(file))?;
    if target == module {
        return None;
    }
    let Some(own) = floor(module) else {
        return Some(format!("`{module}` has no floor yet: give it one in xtask/src/floors.rs and in ARCHITECTURE.md"));
    };
    match floor(target) {
        Some(other) if other < own || (other == 0 && own == 0) || NEIGHBOURS.contains(&(module, target)) => None,
        Some(other) if other > own => Some(format!(
            "`{}` reaches up: {module} is on floor {own}, {target} on floor {other}; move what both need down, or hand it in",
            used.shown()
        )),
        Some(_) => Some(format!(
            "`{}` reaches sideways: {module} and {target} share floor {own} and do not know each other",
            used.shown()
        )),
        None => Some(format!("`{}`: name the module it lies in, so that its floor shows", used.shown())),
    }
}

/// How many `super` lead from a file of the core to its root.
fn depth(file: &str) -> usize {
    let inside = file.strip_prefix("sandbox-core/src/").unwrap_or(file);
    let folders = inside.matches('/').count();
    if inside.ends_with("/mod.rs") { folders } else { folders + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &str, text: &str) -> Vec<String> {
        problems_of(file, &format!("//! For the test.\n{text}")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_upward_import_is_reported_with_its_place() {
        let found = said("sandbox-core/src/policy/retry.rs", "use crate::time::Span;\nuse crate::engine::World;\n");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("sandbox-core/src/policy/retry.rs:3: `crate::engine::World` reaches up"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn an_upward_import_is_found_however_it_is_written() {
        for text in [
            "use crate::{time::Span, engine::{World}};",
            "fn f(world: &crate::engine::World) {}",
            "use super::super::engine::World;",
            "pub(crate) use crate::engine as e;",
            "mod tests { use crate::engine::World; }",
            "#[cfg(test)] mod tests { use crate::engine::World; }",
        ] {
            assert_eq!(said("sandbox-core/src/policy/retry.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn lower_floors_and_the_own_folder_may_be_used() {
        let text = "use crate::{ids::NodeId, policy::retry, scenario::Plan, trace};\nuse crate::engine::calendar::Calendar;\nuse super::super::time;";
        assert_eq!(said("sandbox-core/src/engine/world.rs", text), Vec::<String>::new());
        assert_eq!(said("sandbox-core/src/rng.rs", "use crate::time::Span;"), Vec::<String>::new());
        assert_eq!(said("sandbox-core/src/lib.rs", "pub use crate::engine::World;"), Vec::<String>::new());
    }

    #[test]
    fn neighbours_on_a_floor_do_not_know_each_other() {
        let found = said("sandbox-core/src/trace/record.rs", "use crate::scenario::Plan;");
        assert!(found[0].contains("reaches sideways"), "{found:?}");
    }

    #[test]
    fn the_table_of_neighbours_goes_one_way() {
        assert_eq!(said("sandbox-core/src/timeline/why.rs", "use crate::metrics::Folds;"), Vec::<String>::new());
        assert_eq!(said("sandbox-core/src/metrics/folds.rs", "use crate::timeline::Lane;").len(), 1);
    }

    #[test]
    fn a_root_re_export_hides_the_floor_and_a_new_module_needs_one() {
        assert!(said("sandbox-core/src/policy/retry.rs", "use crate::World;")[0].contains("name the module"));
        assert!(said("sandbox-core/src/extra.rs", "use crate::time::Span;")[0].contains("has no floor"));
    }

    #[test]
    fn comments_and_strings_import_nothing() {
        let text = r##"
            // use crate::engine::World;
            /* crate::engine /* nested */ crate::engine */
            /// See [`crate::engine::World`].
            const A: &str = "crate::engine::World \" still";
            const B: &str = r#"crate::engine "quoted" "#;
            const C: char = '"'; fn f<'a>(x: &'a str) -> char { '\'' }
        "##;
        assert_eq!(said("sandbox-core/src/policy/retry.rs", text), Vec::<String>::new());
    }

    #[test]
    fn banned_things_are_found_but_not_in_test_code() {
        let banned =
            "use std::{collections::HashMap, time::Instant};\nfn f() { let s: std::collections::HashSet<u8> = x; }";
        assert_eq!(said("sandbox-core/src/engine/world.rs", banned).len(), 3);
        let tests =
            "#[cfg(test)]\nmod tests { use std::time::Instant; fn f() { std::fs::read(\"x\"); } }\nuse std::thread;";
        assert_eq!(said("sandbox-core/src/engine/world.rs", tests).len(), 1);
        assert_eq!(said("sandbox-core/src/policy/retry.rs", "#[derive(Clone, serde::Serialize)] struct A;").len(), 1);
        assert_eq!(said("web/src/view_model/charts.rs", "use yew::prelude::*;").len(), 1);
        assert_eq!(said("web/src/components/chart.rs", "use yew::prelude::*;"), Vec::<String>::new());
    }

    #[test]
    fn only_the_ticker_knows_browser_time() {
        let text = "fn f() { let now = window().performance().unwrap().now(); gloo_timers::callback::Timeout::new(1, f); js_sys::Date::now(); }";
        assert_eq!(said("web/src/pages/lesson.rs", text).len(), 3);
        assert_eq!(said("web/src/state/ticker.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_file_without_an_opening_comment_is_reported() {
        assert_eq!(problems_of("server/src/app.rs", "use axum::Router;\n").len(), 1);
    }

    /// The rules hold in this project: plain `cargo test` sees to it.
    #[test]
    fn this_project_keeps_its_floors() {
        let found = problems(&crate::project::root()).unwrap();
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }
}
