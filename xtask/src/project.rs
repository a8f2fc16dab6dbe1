//! Where the project lies, what its lock file says, and how its commands are started.

use anyhow::{Context, Result};
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root folder of the workspace.
pub fn root() -> PathBuf {
    let manifest_dir =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest_dir.parent().map(Path::to_path_buf).unwrap_or(manifest_dir)
}

/// The folder for tools that belong to this project only.
pub fn tools_dir() -> PathBuf {
    root().join(".tools")
}

/// The folder cargo builds into: this program lies in its `debug` folder, whatever the configuration calls it.
pub fn target_dir() -> Result<PathBuf> {
    let me = env::current_exe().context("cannot tell where this program lies")?;
    let folder = me.ancestors().nth(2).context("this program does not lie in cargo's target folder")?;
    Ok(folder.to_path_buf())
}

/// The server's release binary; `cargo build -p server --release` makes it.
pub fn server_binary() -> Result<PathBuf> {
    Ok(target_dir()?.join("release").join(executable("faultline")))
}

/// A program's file name on this system.
pub fn executable(name: &str) -> String {
    format!("{name}{}", env::consts::EXE_SUFFIX)
}

/// Whether a machine watches this run: then nothing may be left out.
pub fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// A command in the project's root that finds the project's own tools before the system's.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).env("PATH", search_path());
    command
}

/// `cargo` with these arguments.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = command("cargo");
    command.args(arguments);
    command
}

/// The folders a program is looked for in, the project's own first.
pub fn search_folders() -> Vec<PathBuf> {
    let tools = tools_dir();
    let mut folders = vec![tools.join("bin"), tools.join("k6").join("bin"), tools.join("node_modules").join(".bin")];
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders
}

fn search_path() -> OsString {
    env::join_paths(search_folders()).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
}

/// The first program of that name.
pub fn find(name: &str) -> Option<PathBuf> {
    let file = executable(name);
    search_folders().into_iter().map(|folder| folder.join(&file)).find(|path| path.is_file())
}

/// What a program prints when asked, or nothing when it cannot be run.
pub fn output_of(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = command(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The version of a package in `Cargo.lock`.
pub fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}; `cargo generate-lockfile` makes it", path.display()))?;
    version_in_lock(&lock, package).with_context(|| format!("{} has no package `{package}`", path.display()))
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| line.trim() != name);
    lines.next()?;
    let version = lines.next()?.trim().strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "wasm-bindgen-macro"
version = "0.2.1"

[[package]]
name = "wasm-bindgen"
version = "0.2.129"
source = "somewhere"
"#;

    #[test]
    fn a_locked_version_is_that_of_the_package_of_exactly_this_name() {
        assert_eq!(version_in_lock(LOCK, "wasm-bindgen").as_deref(), Some("0.2.129"));
        assert_eq!(version_in_lock(LOCK, "wasm"), None);
    }
}
