//! Runs steps one after the other, shows their output as it comes, counts their tests and sums up.

use crate::tally::Tally;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What happened, step by step.
#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: String,
    outcome: Outcome,
    tally: Tally,
    took: Duration,
}

enum Outcome {
    Ok,
    Failed(String),
    LeftOut(String),
}

/// How many tests a command must run to count as done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tests {
    /// It is no test run: its exit code decides.
    None,
    /// It must run at least one: a run of no tests would hide that they got lost.
    Some,
}

impl Report {
    /// Runs something of our own as a step; an error fails the step and not those after it.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        self.counted(name, || work().map(|()| Tally::default()))
    }

    /// Runs a command as a step and counts the tests it reports.
    pub fn command(&mut self, name: &str, tests: Tests, command: &mut Command) -> bool {
        announce(name);
        let start = Instant::now();
        let mut tally = Tally::default();
        let outcome = match stream(command, &mut tally) {
            Ok(true) if tests == Tests::Some && tally.run() == 0 => Outcome::Failed("no test ran".into()),
            Ok(true) if tally.failed == 0 => Outcome::Ok,
            Ok(_) if tally.failed > 0 => Outcome::Failed(String::new()),
            Ok(_) => Outcome::Failed("it ended with an error".into()),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        self.push(name, outcome, tally, start)
    }

    /// Notes a step that was not run, and why.
    pub fn left_out(&mut self, name: &str, why: &str) {
        announce(name);
        println!("left out: {why}");
        self.push(name, Outcome::LeftOut(why.into()), Tally::default(), Instant::now());
    }

    fn counted(&mut self, name: &str, work: impl FnOnce() -> Result<Tally>) -> bool {
        announce(name);
        let start = Instant::now();
        let (outcome, tally) = match work() {
            Ok(tally) => (Outcome::Ok, tally),
            Err(error) => {
                println!("{error:#}");
                (Outcome::Failed(String::new()), Tally::default())
            }
        };
        self.push(name, outcome, tally, start)
    }

    fn push(&mut self, name: &str, outcome: Outcome, mut tally: Tally, start: Instant) -> bool {
        let ok = !matches!(outcome, Outcome::Failed(_));
        if !ok && tally.failed == 0 {
            tally.failed = 1; // the step itself
        }
        self.steps.push(Step { name: name.into(), outcome, tally, took: start.elapsed() });
        ok
    }

    /// Prints the summary and, last, the plain line of totals; an error when anything failed.
    pub fn finish(self) -> Result<()> {
        print!("{}", self.summary());
        let _ = std::io::stdout().flush();
        let failed: Vec<&str> = self.failed().collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }

    fn failed(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_))).map(|step| step.name.as_str())
    }

    fn summary(&self) -> String {
        let mut text = String::from("\n== summary\n");
        let mut total = Tally::default();
        let mut left_out = 0;
        for step in &self.steps {
            let (mark, note) = match &step.outcome {
                Outcome::Ok => ("ok", ""),
                Outcome::Failed(note) => ("FAILED", note.as_str()),
                Outcome::LeftOut(why) => ("LEFT OUT", why.as_str()),
            };
            left_out += u64::from(mark == "LEFT OUT");
            let tests = match step.tally {
                tally if tally.run() == 0 => String::new(),
                tally => format!("{} passed, {} failed", tally.passed, tally.failed),
            };
            let ignored =
                if step.tally.ignored > 0 { format!(" ({} ignored)", step.tally.ignored) } else { String::new() };
            let seconds = step.took.as_secs_f64();
            let line = format!("{mark:9}{:48}{seconds:7.1} s  {tests}{ignored} {note}", step.name);
            text.push_str(line.trim_end());
            text.push('\n');
            total += step.tally;
        }
        let skipped = total.ignored + left_out;
        text.push_str(&format!("\n{} passed, {} failed", total.passed, total.failed));
        if skipped > 0 {
            text.push_str(&format!(", {skipped} skipped"));
        }
        text.push('\n');
        text
    }
}

/// The line that opens every step.
pub fn announce(name: &str) {
    println!("\n== {name}");
    let _ = std::io::stdout().flush();
}

/// Runs a command whose failure ends everything.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}

/// Passes a command's standard output through line by line while counting; true when it ended well.
fn stream(command: &mut Command, tally: &mut Tally) -> Result<bool> {
    let line = shown(command);
    println!("$ {line}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let output = child.stdout.take().context("the command has no output to read")?;
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        print!("{text}"); // and not written to stdout(): our own tests print such lines, which must stay captured
        if let Some(counts) = Tally::of_line(&text) {
            *tally += counts;
        }
        bytes.clear();
    }
    Ok(child.wait()?.success())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn totals_are_summed_over_steps_and_a_broken_step_counts_as_one_failure() {
        let mut report = Report::default();
        assert!(report.command("a", Tests::Some, &mut shell("echo 'test result: ok. 3 passed; 0 failed; 1 ignored'")));
        assert!(!report.command(
            "b",
            Tests::Some,
            &mut shell("echo 'test result: FAILED. 2 passed; 2 failed'; exit 101")
        ));
        assert!(!report.command("c", Tests::None, &mut shell("exit 3")));
        assert!(!report.command("d", Tests::Some, &mut shell("true")), "a test run without tests is a failure");
        assert!(report.step("e", || Ok(())));
        report.left_out("f", "no browser");
        let summary = report.summary();
        assert!(summary.ends_with("\n5 passed, 4 failed, 2 skipped\n"), "{summary}");
        assert_eq!(report.failed().collect::<Vec<_>>(), ["b", "c", "d"]);
        assert!(report.finish().is_err());
    }

    #[test]
    fn when_all_is_well_the_last_line_is_plain() {
        let mut report = Report::default();
        report.step("a", || Ok(()));
        assert!(report.summary().ends_with("\n0 passed, 0 failed\n"));
        assert!(report.finish().is_ok());
    }
}
