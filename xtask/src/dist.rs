//! `dist`: one folder with everything a release carries.

use crate::project::{cargo, command, executable, find, root, server_binary};
use crate::site;
use crate::steps::{announce, run};
use crate::tools::{Need, provide};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `dist` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// The folder to make
    #[arg(long, default_value = "dist-release")]
    out: PathBuf,
    /// Where the site will lie, such as https://example.org/faultline/: whole addresses are written where others ask for them
    #[arg(long, value_name = "URL")]
    address: Option<String>,
}

/// What rustc's WebAssembly uses beyond the first standard; wasm-opt refuses what it is not told of.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Makes the folder and prints the sizes of what is in it.
pub fn dist(options: &Options) -> Result<()> {
    let out = root().join(&options.out);
    provide(&[Need::WasmTarget, Need::Trunk, Need::WasmBindgen])?;
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;

    announce("building the page");
    let site = out.join("site");
    site::build(site.to_str().context("the output folder's name is not Unicode")?)?;
    announce("making its WebAssembly smaller");
    optimise(&site)?;

    announce("building the server");
    run(&mut cargo(&["build", "--locked", "-p", "server", "--release"]))?;
    let faultline = out.join(executable("faultline"));
    copy(&server_binary()?, &faultline)?;
    announce("a still of each lesson");
    // What draws pictures takes long to compile, so it lives in a program that only `dist` builds; so do the compressors below.
    run(tool("stills").arg(&site))?;
    announce("a page for each lesson, and the policy of the site");
    let mut pages = command(&faultline);
    pages.args(["export", "pages", "--site"]).arg(&site);
    run(pages.args(options.address.iter().flat_map(|address| ["--address", address])))?;

    announce("what the simulation gives for cases with known answers");
    let verified = command(&faultline).args(["verify", "--json"]).output().context("cannot start faultline")?;
    ensure!(verified.status.success(), "`faultline verify` ended with {}", verified.status);
    let results = site.join("about/conformance.json");
    fs::write(&results, verified.stdout).with_context(|| format!("cannot write {}", results.display()))?;

    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "LICENSE-CC-BY-4.0.txt"] {
        copy(&root().join(licence), &out.join(licence))?;
    }
    let readme =
        README.replace("{version}", env!("CARGO_PKG_VERSION")).replace("{faultline}", &executable("faultline"));
    fs::write(out.join("README.md"), readme).with_context(|| format!("cannot write into {}", out.display()))?;

    announce("sizes");
    run(tool("sizes").arg(&site))?;
    println!("\nThe release lies in {}", out.display());
    Ok(())
}

/// A program of xtask that the feature of its name brings.
fn tool(name: &str) -> Command {
    cargo(&["run", "--locked", "--quiet", "-p", "xtask", "--bin", name, "--features", name, "--"])
}

/// wasm-opt in place, for speed: through brotli -O3 and -Oz come out alike. Nothing lies in the first KiB of memory, where
/// rustc's linker puts the far end of the stack, and wasm-opt may know: constants move into loads and stores (451.0 kB, from
/// 453.9). The file keeps its name; `no_sri` in Trunk.toml keeps the page from checking it against its old contents.
fn optimise(site: &Path) -> Result<()> {
    let Some(wasm_opt) = find("wasm-opt") else {
        println!("left out: there is no wasm-opt here. `npm install --prefix .tools binaryen` brings it.");
        return Ok(());
    };
    for file in site::wasm_files(site)? {
        let smaller = file.with_extension("opt");
        let mut command = command(&wasm_opt);
        command.arg(&file).arg("-o").arg(&smaller).args(["-O3", "--low-memory-unused"]).args(WASM_FEATURES);
        run(&mut command)?;
        let [before, after] = [&file, &smaller].map(|path| fs::metadata(path).map_or(0, |data| data.len()));
        fs::rename(&smaller, &file).with_context(|| format!("cannot replace {}", file.display()))?;
        println!("{}: {before} bytes before wasm-opt, {after} after", file.display());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

const README: &str = "\
# Faultline {version}

A sandbox in which you learn how API systems bend and break.

Open the lessons in a browser, with the native server behind them:

    ./{faultline} serve --site site

and open http://127.0.0.1:8000/. The lessons need no server of ours: any web server that serves the folder `site` will do,
for example `python3 -m http.server --directory site`.

Run a scenario on the command line:

    ./{faultline} run database-outage --variant B
    ./{faultline} --help

Licensed under MIT or Apache-2.0, at your choice: LICENSE-MIT, LICENSE-APACHE. The text of the lessons: LICENSE-CC-BY-4.0.txt.
";
