//! A stretch of a run, all requests together, is what the world itself and each request by itself say of it.

use sandbox_core::Run;
use sandbox_core::scenario::{Document, Hold, Kind};
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline::{lanes, scene};
use std::sync::Arc;

/// A scenario of the course, cut after some seconds.
fn computed(id: &str, variant: &str, seconds: f64) -> Run {
    let document = Document::parse(lessons::scenario(id).expect("it is in the course")).expect("it is JSON");
    let mut plan = document.plan(variant, &[]).expect("it is valid");
    plan.end = plan.end.min(Time::from_seconds(seconds));
    let mut run = Run::new(Arc::new(plan));
    run.run_to_end();
    run
}

#[test]
fn as_many_calls_have_a_worker_as_the_world_says() {
    let (mut compared, mut busy) = (0, 0);
    for (id, variant, seconds) in [("database-outage", "A", 24.0), ("database-outage", "B", 24.0)] {
        let mut run = computed(id, variant, seconds);
        let plan = run.plan().clone();
        for tenth in (0..(seconds * 10.0) as u64).step_by(7) {
            let at = Time::ZERO + Span::from_millis(tenth * 100 + 3);
            let scene = scene(&mut run, at, at + Span::from_millis(20));
            run.seek_time(at);
            let seen = run.world().observe();
            for (node, seen) in plan.nodes.iter().zip(&seen.nodes) {
                if !matches!(&node.kind, Kind::Service(service) if service.hold == Hold::Call) {
                    continue;
                }
                let served =
                    scene.visits.iter().filter(|visit| visit.node == seen.id && visit.is_served_at(at)).count();
                assert_eq!(served as u32, seen.in_service, "{id} {variant}, {} at {at:?}", node.id);
                compared += 1;
                busy += served;
            }
        }
    }
    assert!(compared > 100 && busy > 50, "{compared} comparisons of {busy} busy workers");
}

#[test]
fn every_way_of_a_request_is_a_message_and_every_piece_of_its_work_is_in_a_visit() {
    // The second breaks what is on its way, the third throws out what it is at.
    let runs = [
        ("database-outage", "B", 24.0, 997),
        ("upload-without-resume", "B", 1_000.0, 3),
        ("kv-cache-preemption-thrash", "A", 60.0, 5),
    ];
    for (id, variant, seconds, apart) in runs {
        let mut run = computed(id, variant, seconds);
        let chosen: Vec<_> =
            run.folds().requests().iter().filter(|summary| summary.end.is_some()).step_by(apart).copied().collect();
        assert!(chosen.len() > 8, "{id}: {}", chosen.len());
        for summary in chosen {
            let own = lanes(&mut run, summary.request).expect("it exists");
            let scene = scene(&mut run, own.from, own.to);
            let mut hops: Vec<_> =
                own.hops.iter().map(|hop| (hop.from_node, hop.to_node, hop.from, Some(hop.to))).collect();
            let mut sent: Vec<_> = scene
                .messages
                .iter()
                .filter(|message| message.request == summary.request && message.arrived.is_some())
                .map(|message| (message.from_node, message.to_node, message.sent, message.arrived))
                .collect();
            hops.sort();
            sent.sort();
            assert_eq!(sent, hops, "{id} #{}", summary.request.0);
            for lane in &own.lanes {
                for bar in lane.bars.iter().filter(|bar| bar.kind == sandbox_core::timeline::BarKind::Working) {
                    let holds = |visit: &sandbox_core::timeline::Visit| {
                        visit.request == summary.request
                            && visit.node == lane.node
                            && visit.work.contains(&(bar.from, bar.to))
                    };
                    assert!(scene.visits.iter().any(holds), "{id} #{}: {bar:?}", summary.request.0);
                }
            }
        }
    }
}
