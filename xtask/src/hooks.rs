//! `hooks`: git runs the quick checks before each commit.

use crate::project::command;
use crate::steps::run;
use anyhow::Result;

/// Points git at `.githooks`.
pub fn hooks() -> Result<()> {
    run(command("git").args(["config", "core.hooksPath", ".githooks"]))?;
    println!("From now on git runs `cargo xtask check --quick` before each commit here.");
    println!("`git commit --no-verify` passes it by; `git config --unset core.hooksPath` ends it.");
    Ok(())
}
