//! The course holds what it says: every scenario's claims over seeds, each failing once its cause is taken away; every lesson.
//!
//! The release binary judges them, on all cores: it is many times faster than a test that counts its lines.

use std::process::Command;
use tests::tools::{faultline, root};

#[test]
fn every_claim_holds_and_every_mutant_dies() {
    let check = Command::new(faultline())
        .args(["check", "lessons", "--seeds", "5", "--mutate"])
        .current_dir(root())
        .output()
        .expect("the server's binary starts");
    let [said, complaints] = [&check.stdout, &check.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(check.status.success(), "{said}\n{complaints}");
    let judged = said.lines().filter(|line| line.starts_with("ok")).count();
    assert!(
        judged >= lessons::scenarios().count() + lessons::LESSONS.len(),
        "only {judged} documents were judged:\n{said}"
    );
}
