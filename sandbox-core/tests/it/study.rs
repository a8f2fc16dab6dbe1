//! What-ifs about the lessons: what is taken out or tried is what the label says, and the answers are the scenarios' own.

use sandbox_core::scenario::Document;
use sandbox_core::study::{Case, Outcome, Rates, Study, fault_ends, grid, nodes_down, rates, seeds, without};
use sandbox_core::trace::Outcome as Ended;

fn document(text: &str) -> Document {
    Document::parse(text).expect("the scenario is sound")
}

fn outage() -> Document {
    document(include_str!("../../../lessons/scenarios/database-outage.json"))
}

fn base(variant: &str) -> Case {
    Case { label: String::new(), variant: variant.into(), changes: vec![] }
}

fn outcomes(document: &Document, cases: Vec<Case>) -> Vec<(String, Outcome)> {
    let study = Study::new(document, cases);
    let outcome = |number: usize| {
        let mut run = study.start(number);
        while !run.advance(100_000) {}
        (study.cases()[number].label.clone(), Outcome::of(&run))
    };
    (0..study.cases().len()).map(outcome).collect()
}

fn answered(outcomes: &[(String, Outcome)], label: &str) -> f64 {
    let (_, outcome) =
        outcomes.iter().find(|(known, _)| known.contains(label)).unwrap_or_else(|| panic!("no {label}: {outcomes:#?}"));
    outcome.answered.expect("requests ended")
}

#[test]
fn without_the_outage_nothing_fails_and_without_stale_copies_much_does() {
    let outcomes = outcomes(&outage(), without(&outage(), &base("B")));
    let as_it_is = answered(&outcomes, "as it is");
    assert!(answered(&outcomes, "without “the database is down”") > 0.999);
    assert!(answered(&outcomes, "variant A") < as_it_is - 0.05);
    assert!(answered(&outcomes, "without stale copies, Cache") < as_it_is - 0.05);
    assert!(outcomes.iter().any(|(label, _)| label == "without circuit breaker, api to SQLite"), "{outcomes:#?}");
}

#[test]
fn the_store_is_a_single_point_of_failure_and_one_of_two_instances_is_none() {
    let outcomes = outcomes(&outage(), nodes_down(&outage(), &base("A")));
    assert!(answered(&outcomes, "all parts up") > 0.999);
    assert!(answered(&outcomes, "SQLite down") < 0.7);
    assert!(answered(&outcomes, "one of 2 × api down") > 0.9);
    assert!(answered(&outcomes, "Gateway down") < 0.7);
}

#[test]
fn the_most_frequent_failure_of_a_run_is_told_with_its_share() {
    let outcomes = outcomes(&outage(), without(&outage(), &base("B")));
    let of = |label: &str| outcomes.iter().find(|(known, _)| known.contains(label)).expect("there is one").1.failure;
    let (kind, share) = of("as it is").expect("writes fail");
    assert_eq!(kind, Ended::Unavailable503);
    assert!(share > 0.0 && share <= 1.0 - answered(&outcomes, "as it is") + 1e-9, "{share}");
    assert_eq!(of("without “the database is down”"), None);
}

#[test]
fn more_load_keeps_parts_busier_until_some_is_the_bottleneck() {
    let tried = rates(&outage(), &base("A"));
    assert_eq!(tried.loads.len(), tried.cases.len());
    let outcomes = outcomes(&outage(), tried.cases);
    let load = |number: usize| outcomes[number].1.ended_rps;
    assert!((load(3) / load(1) - 2.0).abs() < 0.05, "{outcomes:#?}");
    let all: Vec<Outcome> = outcomes.iter().map(|(_, outcome)| outcome.clone()).collect();
    let held = Rates::highest_held(&all).expect("a quarter of the load holds");
    let full: Vec<f64> = (0..all[0].busy.len()).filter_map(|node| Rates::full_at_rps(&all, node)).collect();
    assert!(held >= 3 && full.iter().any(|rps| *rps > 5_000.0 && *rps < 20_000.0), "{held} {full:?}");
    let busy = |number: usize| outcomes[number].1.busy.iter().flatten().fold(0.0_f64, |most, busy| most.max(*busy));
    assert!(busy(3) > 1.8 * busy(1) && busy(3) < 1.0, "{outcomes:#?}");
}

#[test]
fn seeds_differ_and_are_those_of_the_command_line() {
    let study = Study::new(&outage(), seeds(&base("B"), 3));
    let digest = |number: usize| {
        let mut run = study.start(number);
        while !run.advance(100_000) {}
        run.digest()
    };
    assert_eq!(study.cases().len(), 3);
    assert_ne!(digest(0), digest(1));
    assert_eq!(study.cases()[2].changes, [("seed".to_string(), 3.into())]);
}

#[test]
fn an_outage_that_stays_has_a_point_of_no_return() {
    let scenario = document(include_str!("../../../lessons/6-overload/07-the-outage-that-stays/scenario.json"));
    let ends = fault_ends(&scenario, &base("A"), 15, 1);
    assert_eq!(
        (ends.fault.as_str(), ends.ends_s[0], ends.ends_s[14]),
        ("the database is five times slower", 31.0, 45.0)
    );
    let outcomes = outcomes(&scenario, ends.cases.clone());
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    let collapsed = ends.collapsed(&outcomes);
    assert!(collapsed[0] == 0.0 && collapsed[4..].iter().all(|share| *share == 1.0), "{collapsed:?}");
    let point = ends.point_of_no_return_s(&collapsed).expect("there is one");
    assert!((32.0..=35.0).contains(&point), "{point}");
}

#[test]
fn what_the_rest_needs_stays_in() {
    let cases = vec![base("A"), Case { changes: vec![("nodes.db".into(), serde_json::Value::Null)], ..base("A") }];
    assert_eq!(Study::new(&outage(), cases).cases().len(), 1);
}

#[test]
fn a_map_has_every_pair_of_values_once_and_counts_stay_whole() {
    let cases = grid(&base("B"), ("nodes.cache.ttl_s", &[1.0, 2.5]), Some(("nodes.cache.capacity", &[100.0, 200.0])));
    let values: Vec<String> = cases.iter().map(|case| format!("{} {}", case.changes[0].1, case.changes[1].1)).collect();
    assert_eq!(values, ["100 1", "100 2.5", "200 1", "200 2.5"]);
    assert_eq!(Study::new(&outage(), cases).cases().len(), 4);
}

#[test]
fn a_knob_goes_with_what_a_change_takes_out_and_one_that_is_led_astray_is_told() {
    let scenario = document(include_str!("../../../lessons/6-overload/07-the-outage-that-stays/scenario.json"));
    for gone in [("faults.slow".to_string(), serde_json::Value::Null), ("faults".to_string(), serde_json::json!({}))] {
        assert!(scenario.at("knobs.slowness").is_some());
        assert!(scenario.patched("A", std::slice::from_ref(&gone)).unwrap().at("knobs.slowness").is_none());
        assert!(scenario.plan("A", &[gone]).is_ok());
    }
    let astray = [("knobs.slowness.path".to_string(), "faults.slow.effect.factr".into())];
    assert_eq!(scenario.plan("A", &astray).unwrap_err()[0].path, "knobs.slowness.path");
}
