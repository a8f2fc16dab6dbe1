//! The run-time of course systems, scorm-again: one script, which a test's course page runs.

use crate::npm;
use crate::project::tools_dir;
use crate::tools::{Missing, Need};
use std::path::PathBuf;

const VERSION: &str = "3.4.3";

/// The script to use: named by `FAULTLINE_SCORM_AGAIN`, or installed.
pub fn path() -> Option<PathBuf> {
    let installed = || tools_dir().join("scorm-again/node_modules/scorm-again/dist/scorm12.min.js");
    Some(std::env::var_os("FAULTLINE_SCORM_AGAIN").map_or_else(installed, PathBuf::from)).filter(|path| path.is_file())
}

/// What to install, if it is missing.
pub fn missing() -> Option<Missing> {
    if path().is_some() {
        return None;
    }
    let otherwise = "name scorm-again's scorm12.min.js by FAULTLINE_SCORM_AGAIN";
    Some(Missing {
        need: Need::ScormAgain,
        what: format!("scorm-again {VERSION}, the run-time of course systems"),
        takes: "under a minute",
        how: npm::install("scorm-again", VERSION, "scorm-again", otherwise),
    })
}
