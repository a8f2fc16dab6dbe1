//! Builds the page with Trunk, offline: Trunk must find the tools that we installed and never fetch its own.
//!
//! Trunk 0.21 takes `wasm-bindgen` from `PATH` when its version is the one cargo resolved, and otherwise downloads a binary.
//! It runs (and would download) wasm-opt unless the page's link says `data-wasm-opt="0"`. Its `--offline` forbids both, and
//! is handed on to cargo, so the crates are fetched before.

use crate::project::{cargo, command, root};
use crate::steps::run;
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cargo profile of a released page: small around a fast engine.
pub const PROFILE: &str = "web";

/// Builds the site as it is released into this folder, emptied before.
pub fn build(dist: &str) -> Result<()> {
    check_index()?;
    fetch_crates()?;
    let mut build = trunk(&["build"]);
    build.args(["--release", "true", "--cargo-profile", PROFILE, "--offline", "true", "--dist", dist]);
    run(&mut build)?;
    let index = root().join(dist).join("index.html");
    if !index.is_file() {
        bail!("Trunk ended well but made no {}", index.display());
    }
    Ok(())
}

/// Trunk with these arguments and nothing around it that it trips over.
pub fn trunk(arguments: &[&str]) -> Command {
    let mut trunk = command("trunk");
    trunk.args(arguments).env("TRUNK_SKIP_VERSION_CHECK", "true");
    if std::env::var_os("NO_COLOR").is_some() {
        // Trunk 0.21 accepts only true and false there, while the custom is any value at all.
        trunk.env_remove("NO_COLOR").args(["--color", "never"]);
    }
    trunk
}

/// Downloads every crate of `Cargo.lock` that is not there yet.
pub fn fetch_crates() -> Result<()> {
    run(&mut cargo(&["fetch", "--locked", "--quiet"]))
}

/// An error when building `index.html` would make Trunk download wasm-opt.
pub fn check_index() -> Result<()> {
    let path = root().join("index.html");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if rust_links_without_opt_out(&text) > 0 {
        bail!(
            "{}: each `<link data-trunk rel=\"rust\">` needs data-wasm-opt=\"0\", or Trunk downloads wasm-opt",
            path.display()
        );
    }
    Ok(())
}

/// An error when the page that `trunk serve` serves would look for the native server elsewhere.
pub fn check_proxies(server: SocketAddr) -> Result<()> {
    let path = root().join("Trunk.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let backends = text.lines().filter(|line| line.trim_start().starts_with("backend"));
    if backends.clone().any(|line| !line.contains(&format!("//{server}/"))) {
        bail!(
            "{}: its [[proxy]] backends do not name {server}, where the server is to listen; change one of them",
            path.display()
        );
    }
    Ok(())
}

fn rust_links_without_opt_out(html: &str) -> usize {
    html.split("<link")
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag))
        .filter(|tag| {
            tag.contains("data-trunk") && tag.contains("rel=\"rust\"") && !tag.contains("data-wasm-opt=\"0\"")
        })
        .count()
}

/// The page's WebAssembly files in a built site.
pub fn wasm_files(dist: &Path) -> Result<Vec<PathBuf>> {
    let folder = std::fs::read_dir(dist).with_context(|| format!("cannot read {}", dist.display()))?;
    let mut files: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_link_must_opt_out_of_wasm_opt() {
        let good =
            r#"<link data-trunk rel="css" href="a.css"><link data-trunk rel="rust" href="web" data-wasm-opt="0" />"#;
        assert_eq!(rust_links_without_opt_out(good), 0);
        assert_eq!(rust_links_without_opt_out(r#"<link data-trunk rel="rust" href="web/Cargo.toml">"#), 1);
    }
}
