//! Finds the tools a command needs and installs what is missing, after saying what and how long it takes.
//!
//! Tools go into `.tools` in this folder and nowhere else, with three exceptions that cannot be helped: Rust's own parts
//! (rustup keeps them), the browser (the system's packages), and what is already on `PATH` in a version that fits.

use crate::project::{self, command, find, output_of, tools_dir};
use crate::steps::{announce, run, shown};
use crate::version::Fit;
use crate::{axe, browser, k6, scorm_again};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

const TRUNK: &str = "0.21.14";
const LLVM_COV: &str = "0.9.1";
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Something a command cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Rust's standard library for the page.
    WasmTarget,
    /// `cargo fmt`.
    Rustfmt,
    /// `cargo clippy`.
    Clippy,
    /// What reads the coverage counters.
    LlvmTools,
    /// Builds the page.
    Trunk,
    /// Makes the page's JavaScript, and runs its tests; must agree with `Cargo.lock` to the digit.
    WasmBindgen,
    /// Line coverage.
    LlvmCov,
    /// A browser without a window, and the driver that steers it.
    Browser,
    /// The load generator.
    K6,
    /// The accessibility rules.
    Axe,
    /// The run-time of course systems.
    ScormAgain,
}

/// What is missing and how to get it.
pub struct Missing {
    /// Which need this is.
    pub need: Need,
    /// Its name for people, with the version.
    pub what: String,
    /// Roughly how long it takes, on two cores.
    pub takes: &'static str,
    /// The commands that install it here, or the sentence that says how a person does it.
    pub how: How,
}

impl Missing {
    /// Whether a person must install it.
    pub fn by_hand(&self) -> bool {
        matches!(self.how, How::Say(_))
    }
}

/// Whether this program may install something by itself.
pub enum How {
    /// It may: these commands, in this order.
    Run(Vec<Command>),
    /// It may not: this is what to do.
    Say(String),
}

/// Installs whatever of `needs` is missing; an error, before anything is installed, when a person must do it.
pub fn provide(needs: &[Need]) -> Result<()> {
    let missing = survey(needs)?;
    let by_hand: Vec<&Missing> = missing.iter().filter(|item| item.by_hand()).collect();
    if !by_hand.is_empty() {
        bail!("this machine lacks what this command needs:\n{}", list(by_hand));
    }
    install(missing)
}

/// What of `needs` is missing.
pub fn survey(needs: &[Need]) -> Result<Vec<Missing>> {
    let mut found = Vec::new();
    for &need in needs {
        found.extend(missing(need)?);
    }
    Ok(found)
}

/// Says what it installs and how long it takes, then installs it.
pub fn install(items: Vec<Missing>) -> Result<()> {
    if !items.is_empty() {
        eprintln!("This machine lacks some tools. They are installed once, now:");
        eprint!("{}", list(&items));
        eprintln!("Nothing outside {} changes except where a line says rustup or apt-get.", tools_dir().display());
    }
    for item in items {
        let How::Run(commands) = item.how else { continue };
        announce(&format!("installing {} ({})", item.what, item.takes));
        for mut step in commands {
            run(&mut step).with_context(|| format!("cannot install {}", item.what))?;
        }
        if let Some(still) = missing(item.need)? {
            bail!("{} was installed, but still cannot be found or started", still.what);
        }
    }
    let build = tools_dir().join("build");
    if build.exists() {
        std::fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    Ok(())
}

/// What is missing, with the commands that bring it.
pub fn list<'a>(items: impl IntoIterator<Item = &'a Missing>) -> String {
    let mut text = String::new();
    for item in items {
        let how = match &item.how {
            How::Run(commands) => commands.iter().map(shown).collect::<Vec<_>>().join(" && "),
            How::Say(sentence) => sentence.clone(),
        };
        text.push_str(&format!("  - {} ({})\n      {how}\n", item.what, item.takes));
    }
    text
}

fn missing(need: Need) -> Result<Option<Missing>> {
    let (what, takes, how) = match need {
        Need::WasmTarget => {
            let there = sysroot()?.join("lib").join("rustlib").join(WASM_TARGET).join("lib").is_dir();
            if there {
                return Ok(None);
            }
            ("Rust's WebAssembly target".into(), "under a minute", rustup(&["target", "add", WASM_TARGET]))
        }
        Need::Rustfmt => return component("rustfmt", need, output_of("cargo", &["fmt", "--version"]).is_some()),
        Need::Clippy => return component("clippy", need, output_of("cargo", &["clippy", "--version"]).is_some()),
        Need::LlvmTools => return component("llvm-tools-preview", need, has_llvm_tools()?),
        Need::Trunk => {
            let package = CargoPackage { name: "trunk", version: TRUNK, fetches: true, opt_level: "0" };
            if package.is_there("trunk", &["--version"], Fit::Compatible(TRUNK)) {
                return Ok(None);
            }
            (format!("Trunk {TRUNK}, which builds the page"), "about 3 minutes", How::Run(vec![package.install()]))
        }
        Need::WasmBindgen => {
            let version = project::locked_version("wasm-bindgen")?;
            let package = CargoPackage { name: "wasm-bindgen-cli", version: &version, fetches: true, opt_level: "1" };
            let fit = Fit::Exactly(&version);
            if ["wasm-bindgen", "wasm-bindgen-test-runner"].iter().all(|it| package.is_there(it, &["--version"], fit)) {
                return Ok(None);
            }
            (
                format!("wasm-bindgen {version}, the version in Cargo.lock"),
                "about 2 minutes",
                How::Run(vec![package.install()]),
            )
        }
        Need::LlvmCov => {
            let package = CargoPackage { name: "cargo-llvm-cov", version: LLVM_COV, fetches: false, opt_level: "0" };
            if package.is_there("cargo-llvm-cov", &["llvm-cov", "--version"], Fit::Compatible(LLVM_COV)) {
                return Ok(None);
            }
            (format!("cargo-llvm-cov {LLVM_COV}, line coverage"), "under a minute", How::Run(vec![package.install()]))
        }
        Need::Browser => return Ok(browser::missing()),
        Need::K6 => return Ok(k6::missing()),
        Need::Axe => return Ok(axe::missing()),
        Need::ScormAgain => return Ok(scorm_again::missing()),
    };
    Ok(Some(Missing { need, what, takes, how }))
}

fn component(name: &str, need: Need, there: bool) -> Result<Option<Missing>> {
    let how = || rustup(&["component", "add", name]);
    Ok((!there).then(|| Missing { need, what: format!("Rust's {name}"), takes: "under a minute", how: how() }))
}

fn rustup(arguments: &[&str]) -> How {
    if find("rustup").is_none() {
        return How::Say(format!(
            "this Rust was not installed by rustup; get rustup, then `rustup {}`, or your system's package of the same",
            arguments.join(" ")
        ));
    }
    let mut rustup = command("rustup");
    rustup.args(arguments);
    How::Run(vec![rustup])
}

fn sysroot() -> Result<PathBuf> {
    let path = output_of("rustc", &["--print", "sysroot"]).context(
        "`rustc` does not start in this folder; `rustup toolchain install` gets the version rust-toolchain.toml names",
    )?;
    Ok(path.into())
}

fn has_llvm_tools() -> Result<bool> {
    let rustlib = sysroot()?.join("lib").join("rustlib");
    let folders = std::fs::read_dir(&rustlib).with_context(|| format!("cannot read {}", rustlib.display()))?;
    let tool = project::executable("llvm-profdata");
    Ok(folders.flatten().any(|folder| folder.path().join("bin").join(&tool).is_file()))
}

struct CargoPackage<'a> {
    name: &'a str,
    version: &'a str,
    /// It could download things over TLS. Ours never need to (see site.rs), and without that they compile faster.
    fetches: bool,
    /// A tool runs for seconds and compiles for minutes; only one that reads megabytes is worth optimising.
    opt_level: &'a str,
}

impl CargoPackage<'_> {
    fn is_there(&self, binary: &str, question: &[&str], fit: Fit) -> bool {
        find(binary).and_then(|path| output_of(path, question)).is_some_and(|answer| fit.accepts(&answer))
    }

    /// `cargo install` into `.tools`. What is compiled stays until all is installed: an installation that was broken off
    /// goes on where it was.
    fn install(&self) -> Command {
        let mut install = project::cargo(&["install", "--locked", "--root", ".tools"]);
        install.args(self.fetches.then_some("--no-default-features"));
        install.arg("--force").arg(format!("{}@{}", self.name, self.version));
        install
            .env("CARGO_TARGET_DIR", tools_dir().join("build"))
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env_remove("RUSTFLAGS");
        install
    }
}
