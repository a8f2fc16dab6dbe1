//! The language of claims reads every check of the scenario catalogue, and the built-in signals can answer theirs.

use sandbox_core::claim::{Claim, Compare, Side};
use sandbox_core::scenario::{BuiltIn, Query, Reduced, signal_text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// All checks, one on a line.
fn checks() -> impl Iterator<Item = &'static str> {
    include_str!("fixtures/catalogue_checks.txt").lines().filter(|line| !line.starts_with('#'))
}

fn print_query(query: &Query) -> String {
    let reduced = match query.reduced.expect("a claim says how a window becomes a number") {
        Reduced::Quantile(999) => "p999".to_string(),
        Reduced::Quantile(thousandths) => format!("p{}", thousandths / 10),
        named => format!("{named:?}").to_lowercase(),
    };
    let window = query.window.map_or(String::new(), |window| format!("[{}:{}]", window.from, window.to));
    let variant = query.variant.as_deref().expect("a check names its run");
    format!("{variant}.{}.{reduced}{window}", signal_text(&query.signal, &query.labels))
}

fn print_side(side: &Side) -> String {
    match side {
        Side::Number(number) => number.to_string(),
        Side::Query(factor, query) if *factor == 1.0 => print_query(query),
        Side::Query(factor, query) => format!("{factor} * {}", print_query(query)),
    }
}

fn print(claim: &Claim) -> String {
    let (relation, right) = match &claim.compare {
        Compare::Less(side) => ("<", side),
        Compare::LessOrEqual(side) => ("<=", side),
        Compare::More(side) => (">", side),
        Compare::MoreOrEqual(side) => (">=", side),
        Compare::Equal(side) => ("==", side),
        Compare::In(..) => unreachable!("no check has a range"),
    };
    format!("{} {relation} {}", print_side(&claim.left), print_side(right))
}

#[test]
fn every_check_is_read_and_says_what_is_written() {
    for check in checks() {
        let claim = Claim::parse(check).unwrap_or_else(|why| panic!("{why}"));
        // The catalogue writes some numbers with more digits than they need, and a factor of 1.
        assert_eq!(plain(&print(&claim)), plain(check));
    }
    assert_eq!(checks().count(), 575);
}

/// All claims of all documents in a folder and those below it.
fn claims(folder: &Path, claims: &mut Vec<Value>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            self::claims(&path, claims);
        } else {
            let text = std::fs::read_to_string(&path).expect("it can be read");
            let document: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            claims.extend(document["claims"].as_object().expect("an entry claims something").values().cloned());
        }
    }
}

/// A claim is the check as it was written, or says what it `was` and the reason.
#[test]
fn every_check_is_a_claim_of_an_entry() {
    let mut claims = Vec::new();
    self::claims(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../lessons/catalogue"), &mut claims);
    let said: BTreeSet<&str> = claims
        .iter()
        .filter_map(|claim| match claim["was"].as_str() {
            Some(was) => claim["reason"].is_string().then_some(was),
            None => claim["expr"].as_str(),
        })
        .collect();
    let unsaid: Vec<&str> = checks().filter(|check| !said.contains(check)).collect();
    assert!(unsaid.is_empty(), "{unsaid:#?}");
}

/// The text with its plain numbers written in the shortest way.
fn plain(text: &str) -> String {
    let words = text.split(' ').map(|word| word.parse::<f64>().map_or(word.to_string(), |number| number.to_string()));
    words.collect::<Vec<_>>().join(" ").replace(" 1 * ", " ")
}

#[test]
fn built_in_signals_are_reduced_as_the_checks_ask() {
    let mut answered = 0;
    for check in checks() {
        let claim = Claim::parse(check).unwrap_or_else(|why| panic!("{why}"));
        for side in [claim.left.clone(), claim.right()] {
            let Side::Query(_, query) = side else { continue };
            let Some(signal) = BuiltIn::named(&query.signal) else { continue };
            let reduced = query.reduced.expect("a claim says how a window becomes a number");
            signal.kind.allows(reduced).unwrap_or_else(|why| panic!("{check}: {why}"));
            answered += 1;
        }
    }
    assert!(answered >= 350, "{answered} of the checks' references are to built-in signals");
}
