//! The README's commands do what they say, run as written.

use std::process::{Command, Stdio};
use std::time::Duration;
use tests::server::Server;
use tests::tools::{faultline, root};

/// The lines of the README's shell blocks, without their comments.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
    let mut commands = Vec::new();
    let mut shell = false;
    for line in readme.lines() {
        match line {
            "```sh" => shell = true,
            "```" => shell = false,
            _ if shell => commands.push(line.split("  #").next().unwrap_or_default().trim().to_string()),
            _ => {}
        }
    }
    commands
}

/// The scenario that the guide "Add a scenario in 15 minutes" makes.
const GUIDE: &str = "slow-printer";

/// Runs a command line with the built `faultline`, as a shell would.
fn shell(line: &str) -> (bool, String) {
    let folder = faultline().parent().expect("it lies in a folder").to_path_buf();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let output =
        Command::new("sh").args(["-c", line]).env("PATH", path).current_dir(root()).stdin(Stdio::null()).output();
    let output = output.expect("there is a shell");
    (
        output.status.success(),
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
    )
}

#[test]
fn every_simulating_command_runs_as_written() {
    let lines: Vec<String> = commands()
        .into_iter()
        .filter(|line| !line.contains("--replay") && !line.contains(GUIDE))
        .filter(|line| {
            ["list", "run database", "why", "sweep", "check", "schema"]
                .iter()
                .any(|verb| line.starts_with(&format!("faultline {verb}")))
        })
        .collect();
    assert!(lines.len() >= 7, "the README shows them: {lines:?}");
    for line in lines {
        let (ok, said) = shell(&line);
        assert!(ok, "{line}\n{said}");
        assert!(!said.trim().is_empty(), "{line} says nothing");
    }
}

#[test]
fn serve_load_and_replay_work_together() {
    let lines = commands();
    let find =
        |start: &str| lines.iter().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {lines:?}"));
    let (serve, load, replay) =
        (find("faultline serve"), find("faultline load"), find("faultline run database-outage --replay"));
    let folder = tempfile::tempdir().expect("a folder");
    let moved = |line: &str| line.replace("/tmp/", &format!("{}/", folder.path().display()));
    let serve = moved(serve);
    let arguments: Vec<&str> = serve.split_whitespace().skip(2).collect();
    let server = Server::start(&arguments);
    let load = load.replace("http://127.0.0.1:8000", &server.url).replace("60s", "3s");
    let (ok, said) = shell(&load);
    assert!(ok, "{load}\n{said}");
    server.stop(Duration::from_secs(10));
    let replay = moved(replay);
    let (ok, said) = shell(&replay);
    assert!(ok, "{replay}\n{said}");
    assert!(said.contains("Replay of ") && said.contains("digest"), "{said}");
}

#[test]
fn the_guide_to_a_scenario_of_ones_own_works_as_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let moved = |line: String| line.replace("/tmp/", &format!("{}/", folder.path().display()));
    let lines: Vec<String> = commands().into_iter().filter(|line| line.contains(GUIDE)).map(moved).collect();
    assert!(lines.len() >= 5 && lines[0].starts_with("faultline new scenario"), "{lines:?}");
    for line in lines {
        let (ok, said) = shell(&line);
        assert!(ok, "{line}\n{said}");
        assert!(!said.contains("FAILS"), "{line}\n{said}");
    }
}
