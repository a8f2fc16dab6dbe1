//! What the expressions of a program may name beyond its request.

use sandbox_core::Run;
use sandbox_core::scenario::Document;
use sandbox_core::trace::What;
use serde_json::json;
use std::sync::Arc;

#[test]
fn a_program_knows_its_instance_and_what_its_own_clock_shows() {
    let document = Document::from_json(json!({
        "format_version": 1, "id": "names", "title": "Names", "seed": 7, "duration_s": 10,
        "nodes": {
            "users": { "kind": "client", "calls": { "api": { "balancer": { "policy": "round_robin" } } } },
            "api": { "kind": "service", "replicas": 3, "clock_offset_s": -5, "routes": {
                "GET /": [{ "observe": { "seen": "100 * instance + now_s" } }]
            } }
        },
        "workloads": { "load": {
            "client": "users", "target": "api", "keys": 1, "users": 1,
            "arrivals": { "process": "recorded", "at_ms": [1000, 2000, 3000, 4000] },
            "routes": { "GET /": { "weight": 1, "op": "read" } }
        } },
        "metrics": { "seen": { "unit": "1", "help": "What was seen.", "kind": "gauge", "source": "observed" } }
    }));
    let mut run = Run::new(Arc::new(document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"))));
    assert!(run.advance(u32::MAX));
    let records = run.records(0..u32::MAX);
    let value = |what: What| match what {
        What::Observed { value, .. } => Some(value),
        _ => None,
    };
    let seen: Vec<f64> = records.iter().filter_map(|logged| value(logged.record.what)).collect();
    assert_eq!(seen, [96.0, 197.0, 298.0, 99.0]);
}
