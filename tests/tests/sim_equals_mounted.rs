//! The same input through the simulated and through the mounted world gives the same answers at the same instants.

use sandbox_core::Run;
use sandbox_core::engine::{Credential, Input, Mount, Output, World};
use sandbox_core::scenario::Document;
use sandbox_core::time::Time;
use sandbox_core::trace::{Outcome, What};
use serde_json::json;
use std::sync::Arc;

/// One request: when it was intended, what it asked for, and how and when it ended.
#[derive(Debug, PartialEq)]
struct Told {
    intended: Time,
    ended: Option<(Outcome, Time)>,
}

#[test]
fn a_mounted_world_answers_like_a_simulated_one() {
    let document = Document::parse(lessons::scenario("database-outage").unwrap()).unwrap();
    for variant in ["A", "B"] {
        // The client of a mounted world is a real one: no modelled way to the gateway, no modelled patience.
        let changes = [
            ("duration_s".to_string(), json!(30)),
            ("faults.outage.from_s".to_string(), json!(10)),
            ("faults.outage.to_s".to_string(), json!(20)),
            ("links.users-gateway.delay_ms".to_string(), json!(0)),
            ("nodes.users.calls".to_string(), json!({})),
        ];
        let plan = Arc::new(document.plan(variant, &changes).unwrap());
        let mut simulated = Run::new(plan.clone());
        simulated.run_to_end();
        let intended: Vec<(Time, What)> = simulated
            .records(0..u32::MAX)
            .into_iter()
            .filter(|logged| matches!(logged.record.what, What::Intended { .. }))
            .map(|logged| (logged.record.at, logged.record.what))
            .collect();

        let epoch_unix_s = 1_700_000_000;
        let mut world = World::mounted(plan.clone(), Mount { external: vec![], epoch_unix_s });
        let mut told: Vec<Told> = Vec::new();
        let mut next = intended.iter().peekable();
        loop {
            let deadline = world.next_deadline().filter(|due| *due <= plan.end);
            match next.peek() {
                Some((at, what)) if deadline.is_none_or(|due| *at < due) => {
                    let What::Intended { route, key, user } = *what else { unreachable!() };
                    let credential = Credential::Signed { user, nbf: epoch_unix_s, exp: epoch_unix_s + 3_600 };
                    world.input(*at, Input::Arrival { route, key, credential });
                    told.push(Told { intended: *at, ended: None });
                    next.next();
                }
                _ if deadline.is_some() => drop(world.step()),
                _ => break,
            }
            for output in world.take_outputs() {
                if let Output::Respond { request, outcome, .. } = output {
                    told[request.0 as usize - 1].ended = Some((outcome, world.now()));
                }
            }
        }

        let expected: Vec<Told> = simulated
            .folds()
            .requests()
            .iter()
            .map(|summary| Told {
                intended: summary.intended,
                ended: summary.end.map(|end| (end.outcome, summary.intended + end.latency)),
            })
            .collect();
        assert!(expected.len() > 14_000);
        assert_eq!(told.len(), expected.len());
        let differing = told.iter().zip(&expected).filter(|(mounted, simulated)| mounted != simulated).count();
        assert_eq!(differing, 0, "variant {variant}: {differing} requests were told differently");
    }
}
