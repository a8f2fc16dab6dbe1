//! A run is the same whichever way one comes to a moment of it.

use proptest::prelude::*;
use sandbox_core::Run;
use sandbox_core::claim::judge_run;
use sandbox_core::engine::{CallId, CallOp, CallResult, Credential, Input, Mount, Output, World};
use sandbox_core::ids::{IncidentId, RequestId, RouteId, Seq};
use sandbox_core::metrics::RunReport;
use sandbox_core::scenario::{Document, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline::{incident_sheet, incidents, lanes, why};
use sandbox_core::trace::{Digest, Outcome, What};
use serde_json::json;
use std::sync::Arc;

fn document() -> Document {
    Document::parse(lessons::scenario("database-outage").expect("it is in the course")).expect("it is JSON")
}

/// The outage scenario, shortened: the fault lasts from 3 s to 5 s of 12 s.
fn plan(variant: &str) -> Arc<Plan> {
    let changes = [
        ("duration_s".to_string(), json!(12)),
        ("faults.outage.from_s".to_string(), json!(3)),
        ("faults.outage.to_s".to_string(), json!(5)),
    ];
    Arc::new(document().plan(variant, &changes).expect("it is valid"))
}

fn computed(variant: &str) -> Run {
    let mut run = Run::new(plan(variant));
    run.run_to_end();
    run
}

/// The digest of all records of a run, made again from keyframes.
fn replayed_digest(run: &mut Run) -> String {
    let mut digest = Digest::new();
    for logged in run.records(0..u32::MAX) {
        digest.add(&[logged.record]);
    }
    digest.hex()
}

#[test]
fn the_whole_lesson_has_its_golden_digest() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/golden/database-outage.json")).unwrap();
    for variant in ["A", "B"] {
        let mut run = Run::new(Arc::new(document().plan(variant, &[]).unwrap()));
        run.run_to_end();
        assert_eq!(
            golden[variant],
            run.digest(),
            "variant {variant}; if the change is meant, write the new digest down"
        );
    }
}

#[test]
fn running_twice_and_replaying_every_record_give_the_same_digest() {
    for variant in ["A", "B"] {
        let mut run = computed(variant);
        assert_eq!(run.digest(), computed(variant).digest());
        assert_eq!(run.digest(), replayed_digest(&mut run));
    }
}

#[test]
fn a_claim_about_seconds_that_were_not_reached_is_not_judged() {
    let document = document();
    let claims = document.spec().unwrap().claims;
    let verdicts = |run: &Run| judge_run(&claims, run.plan(), run.folds());
    let mut run = Run::new(Arc::new(document.plan("B", &[]).unwrap()));
    run.run_to_end();
    let whole = verdicts(&run);
    assert_eq!(whole.iter().filter(|claim| claim.holds == Some(true)).count(), 5, "those about B: {whole:?}");
    assert!(verdicts(&computed("B")).iter().all(|claim| claim.holds.is_none()), "12 s say nothing about 20 s");
}

#[test]
fn a_run_computed_in_slices_is_the_same_run() {
    let mut run = Run::new(plan("B"));
    while !run.advance(777) {}
    assert_eq!(run.digest(), computed("B").digest());
}

#[test]
fn other_seeds_give_other_runs() {
    let changes = [("seed".to_string(), json!(8)), ("duration_s".to_string(), json!(8))];
    let mut run = Run::new(Arc::new(document().plan("A", &[changes[0].clone()]).unwrap()));
    run.run_to_end();
    assert_ne!(run.digest(), computed("A").digest());
}

#[test]
fn stepping_back_and_forth_changes_nothing() {
    let mut run = computed("B");
    run.seek_time(Time::from_seconds(3.2));
    let here = run.position();
    let seen = run.world().observe();
    for _ in 0..50 {
        assert!(run.step_back());
    }
    assert_eq!(run.position().step, here.step - 50);
    for _ in 0..50 {
        assert!(run.step_forward());
    }
    assert_eq!(run.position(), here);
    assert_eq!(run.world().observe(), seen);
    run.seek(0);
    assert!(!run.step_back(), "there is nothing before the start");
    run.seek(u64::MAX);
    assert_eq!(run.position().step, run.steps());
    assert!(!run.step_forward(), "there is nothing after the end");
    assert!(run.upcoming().is_none());
}

#[test]
fn the_next_event_is_the_one_that_was_announced() {
    let mut run = computed("B");
    for step in [0, 10, 5_000, 20_000, 30_000] {
        run.seek(step);
        let announced = run.upcoming().expect("the run goes on");
        assert!(run.step_forward());
        assert_eq!(run.position().at, announced.at);
    }
}

#[test]
fn a_second_belongs_to_the_time_not_after_it() {
    let mut run = computed("A");
    run.seek_time(Time::from_seconds(4.0));
    let position = run.position();
    assert!(position.at <= Time::from_seconds(4.0));
    assert!(run.upcoming().unwrap().at > Time::from_seconds(4.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Any moment is the same whether it is reached from the start or from another moment.
    #[test]
    fn a_seek_forgets_where_it_came_from(from in 0u64..36_000, to in 0u64..36_000) {
        let mut direct = computed("B");
        let mut wandering = direct.clone();
        direct.seek(to);
        wandering.seek(from);
        wandering.seek(to);
        prop_assert_eq!(direct.position(), wandering.position());
        prop_assert_eq!(direct.world().observe(), wandering.world().observe());
    }
}

#[test]
fn every_latency_is_partitioned_exactly() {
    for variant in ["A", "B"] {
        let mut run = computed(variant);
        let count = run.folds().requests().len() as u32;
        let mut explained = 0;
        for request in (1..=count).step_by(7) {
            if let Some(why) = why(&mut run, RequestId(request)) {
                let sum = why.parts.iter().fold(Span::ZERO, |sum, part| sum + part.span);
                assert_eq!(sum, why.latency, "request {request} of {variant}: {:?}", why.parts);
                assert_eq!(why.chain[0].logged.record.at, why.intended + why.latency);
                assert!(why.chain.last().unwrap().root);
                explained += 1;
            }
        }
        assert!(explained > 400);
    }
}

#[test]
fn every_failure_of_the_outage_leads_to_the_fault() {
    for variant in ["A", "B"] {
        let mut run = computed(variant);
        let failed: Vec<RequestId> = run.folds().failures().map(|(summary, _)| summary.request).collect();
        assert!(failed.len() > 100);
        for request in failed.into_iter().step_by(11) {
            let why = why(&mut run, request).expect("it failed, so it ended");
            let root = why.chain.last().unwrap().logged.record;
            assert!(matches!(root.what, What::FaultBegan { fault: 0 }), "{variant} {request:?}: {:?}", why.chain);
        }
    }
}

#[test]
fn a_cause_never_comes_after_its_effect() {
    let mut run = computed("B");
    for logged in run.records(0..u32::MAX) {
        let record = logged.record;
        for earlier in [record.cause, record.follows].into_iter().flatten() {
            assert!(earlier < record.seq, "{record:?}");
        }
    }
    assert!(run.record(Seq::new(u32::MAX - 1)).is_none());
}

#[test]
fn requests_are_neither_lost_nor_counted_twice() {
    for variant in ["A", "B", "C", "D"] {
        let run = computed(variant);
        let offered = run.folds().requests().len() as u32;
        let ended: u32 = run.folds().rows().iter().map(|row| row.total()).sum();
        assert_eq!(offered, ended + run.head().observe().in_flight);
    }
}

#[test]
fn the_same_request_has_the_same_luck_in_every_variant() {
    let (bare, degraded) = (computed("A"), computed("B"));
    let pairs = bare.folds().requests().iter().zip(degraded.folds().requests().iter());
    for (a, b) in pairs {
        assert_eq!((a.intended, a.route, a.key), (b.intended, b.route, b.key));
    }
}

#[test]
fn an_incident_stays_open_until_somebody_resolves_it() {
    let mut run = computed("B");
    let plan = run.plan().clone();
    let end = Time::from_seconds(12.0);
    let open = incidents(&plan, run.folds(), end);
    assert_eq!(open.len(), 1);
    assert!(open[0].state.is_some(), "recovered is not resolved");
    assert!(open[0].timeline.len() >= 3, "opened, alert, recovered: {:?}", open[0].timeline);

    run.seek_time(Time::from_seconds(11.5));
    let mut forked = run.fork(Input::Resolve { incident: IncidentId(1) });
    forked.run_to_end();
    let resolved = incidents(&plan, forked.folds(), end);
    assert!(resolved[0].state.is_none());
    assert_eq!(resolved[0].timeline[..3], open[0].timeline[..3], "a timeline only grows");
    forked.seek_time(Time::from_seconds(11.4));
    run.seek_time(Time::from_seconds(11.4));
    assert_eq!(forked.world().observe(), run.world().observe(), "the past is the same");
}

/// A fork goes on from what its parent has kept; it is the same run as one that begins at the start.
#[test]
fn a_fork_is_the_run_of_its_script() {
    let plan = Arc::new(document().plan("B", &[]).unwrap());
    let mut run = Run::new(plan.clone());
    run.run_to_end();
    let mut parent = run.clone();
    for second in [0.0, 1.0, 12.9, 25.0, 40.0, 60.0] {
        parent.seek_time(Time::from_seconds(second));
        let here = parent.position();
        let mut forked = parent.fork(Input::Resolve { incident: IncidentId(1) });
        let mut anew = Run::with_script(plan.clone(), forked.script().clone());
        forked.run_to_end();
        anew.run_to_end();
        assert_eq!(forked.digest(), anew.digest(), "forked at {second} s");
        assert_eq!(RunReport::new(&forked, 0.0), RunReport::new(&anew, 0.0));
        forked.seek(here.step);
        assert_eq!(forked.world().observe(), parent.world().observe(), "the past is the same");
        assert_eq!(replayed_digest(&mut forked), forked.digest());
        // A fork of a fork, back before the first.
        forked.seek(here.step / 2);
        let mut again = forked.fork(Input::Resolve { incident: IncidentId(1) });
        again.run_to_end();
        assert_eq!(again.script().inputs.len(), 1);
    }
    assert_eq!(run.digest(), parent.digest(), "a fork leaves its parent alone");
}

#[test]
fn the_incident_sheet_sums_the_outage_up() {
    let bare = incident_sheet(&computed("A")).unwrap();
    assert_eq!((bare.began_s, bare.lasted_s), (3.0, 2.0));
    assert!(bare.reads_failed.unwrap() > 0.97 && bare.writes_failed.unwrap() > 0.97, "{bare:?}");
    assert_eq!(bare.stale, None, "nothing was answered, so there is no share of it");
    let degraded = incident_sheet(&computed("B")).unwrap();
    assert!(degraded.reads_failed.unwrap() < 0.6 && degraded.writes_failed.unwrap() > 0.9);
    assert!(degraded.stale.is_some());
    assert!((1.0..3.0).contains(&degraded.detected_after_s.unwrap()));
    assert!(degraded.recovered_after_s.unwrap() < 4.0);
}

#[test]
fn lanes_lie_within_the_request() {
    let mut run = computed("B");
    let request = run.folds().failures().nth(3).unwrap().0.request;
    let lanes = lanes(&mut run, request).unwrap();
    assert!(lanes.lanes.len() >= 3 && !lanes.hops.is_empty());
    for bar in lanes.lanes.iter().flat_map(|lane| &lane.bars) {
        assert!(lanes.from <= bar.from && bar.from <= bar.to && bar.to <= lanes.to);
    }
}

#[test]
fn a_request_for_a_row_or_route_that_does_not_exist_is_refused() {
    for (route, key) in [(RouteId(0), 1_800), (RouteId(9), 0)] {
        let mut world = World::mounted(plan("B"), Mount { external: vec![], epoch_unix_s: 0 });
        let credential = Credential::Signed { user: 1, nbf: 0, exp: 60 };
        world.input(Time::ZERO, Input::Arrival { route, key, credential });
        let mut answers = Vec::new();
        while world.now() < Time::from_seconds(1.0) {
            world.step();
            answers.extend(world.take_outputs());
        }
        let refused = |output: &Output| matches!(output, Output::Respond { outcome: Outcome::NotFound404, .. });
        assert!(matches!(&answers[..], [answer] if refused(answer)), "{answers:?}");
    }
}

#[test]
fn an_answer_nobody_waits_for_is_ignored() {
    let plan = plan("A");
    let mut world = World::mounted(plan.clone(), Mount { external: vec![], epoch_unix_s: 0 });
    world.input(Time::ZERO, Input::Reply { call: CallId(99), result: CallResult::Failed });
    assert!(world.emitted().is_empty());
    world.input(Time::ZERO, Input::Disconnect { request: RequestId(4) });
    assert!(matches!(world.emitted()[0].what, What::Disconnected));
}

/// A store that is a real part answers a call long after it was withdrawn: its connection is free once, not twice.
#[test]
fn a_late_answer_of_a_real_part_to_a_withdrawn_call_is_dropped() {
    let changes = [
        ("nodes.api.calls.db.cancel".to_string(), json!("anywhere")),
        ("nodes.api.calls.db.retry.max_attempts".to_string(), json!(1)),
    ];
    let plan = Arc::new(document().plan("A", &changes).expect("it is valid"));
    let db = plan.nodes.iter().position(|node| node.id == "db").expect("it has a database");
    let db = sandbox_core::ids::NodeId(db as u16);
    let mut world = World::mounted(plan, Mount { external: vec![db], epoch_unix_s: 0 });
    let credential = Credential::Signed { user: 1, nbf: 0, exp: 60 };
    let mut calls = Vec::new();
    let until = |world: &mut World, end_s: f64, calls: &mut Vec<CallId>| {
        while world.next_deadline().is_some_and(|due| due <= Time::from_seconds(end_s)) {
            world.step();
            for output in world.take_outputs() {
                match output {
                    Output::Call { call, op: CallOp::Ping, .. } => {
                        world.input(world.now(), Input::Reply { call, result: CallResult::Done { version: 0 } });
                    }
                    Output::Call { call, .. } => calls.push(call),
                    _ => {}
                }
            }
        }
    };
    world.input(Time::ZERO, Input::Arrival { route: RouteId(0), key: 7, credential: credential.clone() });
    until(&mut world, 1.0, &mut calls);
    assert_eq!(calls.len(), 1);
    assert_eq!(world.levels(db).0, 0, "its caller has withdrawn the call after 250 ms");
    world.input(Time::from_seconds(1.1), Input::Arrival { route: RouteId(0), key: 8, credential });
    until(&mut world, 1.2, &mut calls);
    assert_eq!((calls.len(), world.levels(db).0), (2, 1));
    world.input(Time::from_seconds(1.25), Input::Reply { call: calls[0], result: CallResult::Done { version: 1 } });
    assert_eq!(world.levels(db).0, 1, "the second call still holds its connection");
    world.input(Time::from_seconds(1.3), Input::Reply { call: calls[1], result: CallResult::Done { version: 1 } });
    assert_eq!(world.levels(db).0, 0);
}
