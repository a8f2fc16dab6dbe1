//! A broken document is refused with every problem at once, each with its path and a hint.

use sandbox_core::claim::{Seeds, check_claims, read_claims};
use sandbox_core::lesson::Lesson;
use sandbox_core::scenario::{Document, Problem};
use sandbox_core::truth::read_cases;
use serde_json::{Value, json};

fn outage() -> Value {
    serde_json::from_str(lessons::scenario("database-outage").unwrap()).unwrap()
}

/// The problems of the outage scenario after these changes; null takes out.
fn problems(changes: &[(&str, Value)]) -> Vec<Problem> {
    let mut json = outage();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = json.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}")).as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(key);
        } else {
            parent.insert(key.to_string(), value.clone());
        }
    }
    Document::from_json(json).plan("A", &[]).err().unwrap_or_default()
}

#[track_caller]
fn assert_problem(found: &[Problem], path: &str, what: &str, hint: &str) {
    let fits = |p: &&Problem| p.path == path && p.what.contains(what) && p.hint.contains(hint);
    assert!(found.iter().any(|p| fits(&p)), "no `{what}` at {path} with `{hint}` among:\n{found:#?}");
}

#[test]
fn every_problem_is_named_at_once() {
    let found = problems(&[
        ("/nodes/api/workerz", json!(3)),
        ("/nodes/gateway/upstream", json!("nobody")),
        ("/workloads/traffic/arrivals/rate_rps", json!(-5)),
        ("/nodes/api/calls/db/timeout_ms", Value::Null),
        ("/nodes/api/calls/db/timeout", json!(250)),
        ("/nodes/db/readers", json!("eight")),
        ("/faults/outage/node", json!("cash")),
        ("/monitors/db/interval_s", json!(0)),
    ]);
    assert_problem(&found, "nodes.api.workerz", "not a field", "`workers`");
    assert_problem(&found, "nodes.gateway.upstream", "no node `nobody`", "api");
    assert_problem(&found, "workloads.traffic.arrivals.rate_rps", "negative", "above 0");
    assert_problem(&found, "nodes.api.calls.db.timeout", "not a field", "unit is missing: write `timeout_ms`");
    assert_problem(&found, "nodes.db.readers", "eight", "");
    assert_problem(&found, "faults.outage.node", "no node `cash`", "Known here: api, db, gateway, users.");
    assert_problem(&found, "monitors.db.interval_s", "out of range", "0.001");
}

#[test]
fn what_all_variants_share_is_set_by_none() {
    let mut json = outage();
    json["variants"]["A"] = json!({ "title": "Bare", "set": { "nodes.api.workers": 1 } });
    json["variants"]["B"]["set"]["id"] = json!("another");
    let found = Document::from_json(json).check();
    assert_problem(
        &found,
        "variants.A.set.nodes.api.workers",
        "the document as written is variant A",
        "another variant",
    );
    assert_problem(&found, "variants.B.set.id", "`id` belongs to all variants", "Take it out.");
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn two_links_between_the_same_nodes_are_refused() {
    let there = json!({ "from": "gateway", "to": "api", "delay_ms": 5 });
    let back = json!({ "from": "api", "to": "gateway", "delay_ms": 60 });
    let found = problems(&[("/links", json!({ "a": there, "b": back }))]);
    assert_problem(&found, "links.b", "`api` and `gateway` are joined by `links.a` too", "there and back");
    assert_eq!(problems(&[("/links", json!({ "a": there }))]), []);
}

#[test]
fn a_call_cycle_is_refused() {
    let found = problems(&[
        ("/nodes/second", json!({ "kind": "gateway", "upstream": "gateway" })),
        ("/nodes/gateway/upstream", json!("second")),
        ("/nodes/gateway/calls", json!({})),
    ]);
    assert_problem(&found, "nodes.gateway", "a call cycle: gateway -> second -> gateway", "one way");
    assert_eq!(found.iter().filter(|problem| problem.what.contains("cycle")).count(), 1, "{found:#?}");
}

#[test]
fn one_cause_is_one_problem() {
    let circle = |next: &str| json!({ "kind": "service", "replicas": 3, "routes": { "x": [{ "call": { "to": next, "route": "x" } }] } });
    let only = |changes: &[(&str, Value)], path: &str, what: &str| {
        let found = problems(changes);
        assert_problem(&found, path, what, "");
        assert_eq!(found.len(), 1, "{found:#?}");
    };
    only(
        &[("/nodes/a", circle("b")), ("/nodes/b", circle("c")), ("/nodes/c", circle("b"))],
        "nodes.b",
        "a call cycle: b -> c -> b",
    );
    let misspelt = json!({ "GET /items/{id}": [{ "raed": { "store": "db" } }], "PUT /items/{id}": [] });
    for (pointer, value, path, what) in [
        ("/nodes/api/kind", json!("servce"), "nodes.api.kind", "not known"),
        ("/nodes/gateway/upstream", json!("ap"), "nodes.gateway.upstream", "no node `ap`"),
        ("/nodes/api/routes", misspelt, "nodes.api.routes.GET /items/{id}.0.raed", "not known"),
        ("/nodes/db/rows", json!(0), "nodes.db.rows", "out of range"),
        ("/workloads/traffic/arrivals/process", json!("poison"), "workloads.traffic.arrivals.process", "not known"),
        ("/workloads/traffic/client", json!("usres"), "workloads.traffic.client", "no node `usres`"),
        ("/workloads/traffic/routes", json!({}), "workloads.traffic.routes", "empty"),
        ("/duration_s", json!(-1), "duration_s", "negative"),
    ] {
        only(&[(pointer, value)], path, what);
    }
    let weights = json!({ "policy": "weighted_round_robin", "weights": [1, 2] });
    for replicas in [json!(0), json!(100_000), json!("two"), json!(-1)] {
        only(
            &[
                ("/nodes/api/replicas", replicas),
                ("/nodes/gateway/calls", json!({ "api": { "balancer": weights } })),
                ("/faults/outage/node", json!("api-2")),
            ],
            "nodes.api.replicas",
            "",
        );
    }
}

#[test]
fn calls_across_the_architecture_are_refused() {
    let found = problems(&[("/workloads/traffic/target", json!("db"))]);
    assert!(found.iter().any(|p| p.what.contains("a client cannot call the store")), "{found:#?}");
    let found = problems(&[("/nodes/gateway/upstream", json!("db"))]);
    assert!(found.iter().any(|p| p.what.contains("a gateway cannot call the store")), "{found:#?}");
}

#[test]
fn a_missing_field_is_named_with_its_path() {
    let found = problems(&[("/nodes/db/read", Value::Null), ("/title", Value::Null)]);
    assert_problem(&found, "nodes.db.read", "is missing", "");
    assert_problem(&found, "title", "is missing", "");
}

#[test]
fn a_distribution_is_checked_inside() {
    let found = problems(&[
        ("/nodes/db/read", json!({ "dist": "exponential", "mean": 3 })),
        ("/nodes/db/write", json!({ "dist": "normal", "mean_ms": 3 })),
        ("/nodes/gateway/work", json!({ "value_ms": 3 })),
        ("/faults/outage/effect", json!({ "kind": "slow", "factor": "very" })),
        (
            "/nodes/gateway/auth/work",
            json!({ "dist": "discrete", "points": [{ "p": 0.5, "value_ms": 1 }, { "p": 0.5, "value": 2 }] }),
        ),
    ]);
    assert_problem(&found, "nodes.db.read.mean", "not a field", "unit is missing: write `mean_ms`");
    assert_problem(&found, "nodes.db.write.dist", "\"normal\", which is not known", "`lognormal`");
    assert_problem(&found, "nodes.gateway.work.dist", "is missing", "constant, exponential");
    assert_problem(&found, "nodes.gateway.auth.work.points.1.value", "not a field", "write `value_ms`");
    assert_problem(&found, "faults.outage.effect.factor", "\"very\", not a number", "");
}

#[test]
fn unused_and_unreachable_things_are_refused() {
    let found = problems(&[
        ("/nodes/api/calls/cache", json!({ "timeout_ms": 5 })),
        ("/nodes/api/routes/DELETE x", json!([])),
        ("/faults/outage/to_s", json!(10)),
        ("/knobs/rate/path", json!("nodes.nothing.here")),
        ("/links/odd", json!({ "from": "users", "to": "db", "delay_ms": 1 })),
    ]);
    assert_problem(&found, "nodes.api.calls.cache", "never calls it", "db");
    assert_problem(&found, "nodes.api.routes.DELETE x", "no workload uses this route", "");
    assert_problem(&found, "faults.outage.to_s", "not after", "");
    assert_problem(&found, "knobs.rate.path", "no number of any variant", "");
    assert_problem(&found, "links.odd", "never calls", "");
}

#[test]
fn sizes_are_limited_so_that_no_document_can_hang_a_page() {
    let found = problems(&[
        ("/workloads/traffic/arrivals/rate_rps", json!(900_000)),
        ("/nodes/db/rows", json!(2_000_000_000)),
        ("/seed", json!(1u64 << 53)),
    ]);
    assert_problem(&found, "workloads", "too many", "at most");
    assert_problem(&found, "nodes.db.rows", "out of range", "");
    let crowded = problems(&[("/nodes/api/replicas", json!(100_000))]);
    assert_problem(&crowded, "nodes.api.replicas", "out of range", "");
    assert_problem(&found, "seed", "too large", "2^53");
}

#[test]
fn what_multiplies_is_limited_as_a_whole() {
    let loops = json!([{ "repeat": { "times": 1_000, "do": [
        { "all": { "copies": 50, "branches": [[
            { "repeat": { "times": 3, "do": [{ "set": { "x": "1" } }] } }
        ]] } }
    ] } }]);
    let route = json!({ "GET /items/{id}": loops, "PUT /items/{id}": [] });
    let found = problems(&[("/nodes/api/routes", route), ("/nodes/api/calls", json!({}))]);
    let place = "nodes.api.routes.GET /items/{id}.0.repeat.do.0.all.branches.0.0.repeat.times";
    assert_problem(&found, place, "150000 times", "at most 100000");

    let mut many = Vec::new();
    for index in 0..100 {
        let mut node = outage()["nodes"]["api"].clone();
        node["replicas"] = json!(600);
        many.push((format!("/nodes/api-{index}"), node));
    }
    let many: Vec<(&str, Value)> = many.iter().map(|(path, node)| (path.as_str(), node.clone())).collect();
    assert_problem(&problems(&many), "nodes", "too many", "At most 600");
}

#[test]
fn what_goes_on_for_ever_lets_time_pass() {
    let found = problems(&[
        ("/nodes/api/calls/db/retry", json!({ "max_attempts": null, "base_delay_ms": 0 })),
        (
            "/nodes/api/chance",
            json!({
                "up": { "dist": "constant", "value_ms": 0 }, "down": { "dist": "constant", "value_ms": 0 }
            }),
        ),
        ("/monitors/db/interval_s", json!(1e-9)),
    ]);
    assert_problem(&found, "nodes.api.calls.db.retry.max_attempts", "for ever", "1 ms");
    assert_problem(&found, "nodes.api.chance", "too often", "1 ms");
    assert_problem(&found, "monitors.db.interval_s", "out of range", "0.001");
}

#[test]
fn what_is_not_json_says_where() {
    let found = Document::parse("{ \"id\": ").unwrap_err();
    assert!(found[0].what.contains("line 1"), "{found:?}");
}

#[test]
fn a_name_that_stands_twice_is_refused_with_its_path() {
    let text = outage().to_string().replacen("\"readers\":", "\"readers\": 1, \"readers\":", 1);
    assert_problem(&Document::parse(&text).unwrap_err(), "nodes.db.readers", "more than once", "Keep one");
    let lesson = Lesson::parse("{ \"id\": \"a\", \"id\": \"b\" }").unwrap_err();
    assert_problem(&lesson, "id", "more than once", "Keep one");
    let cases = read_cases("[{ \"id\": \"a\", \"model\": { \"type\": \"etag\", \"type\": \"jwt\" } }]").unwrap_err();
    assert_problem(&cases, "0.model.type", "more than once", "Keep one");
}

#[test]
fn what_is_missing_at_the_top_hides_nothing_below() {
    let found = problems(&[("/title", Value::Null), ("/seed", json!("one")), ("/nodes/db/readers", json!(0))]);
    assert_problem(&found, "title", "is missing", "Add it");
    assert_problem(&found, "seed", "\"one\", not a whole number", "");
    assert_problem(&found, "nodes.db.readers", "0 is out of range", "");
    assert_eq!(found.len(), 3, "{found:#?}");
    for part in ["/format_version", "/id", "/duration_s", "/nodes", "/workloads"] {
        let found = problems(&[(part, Value::Null)]);
        assert_problem(&found, &part[1..], "is missing", "Add it");
        assert_eq!(found.len(), 1, "{found:#?}");
    }
    let empty = problems(&[("/nodes", json!({}))]);
    assert_problem(&empty, "workloads.traffic.client", "there is no node `users`", "There are no nodes yet");
    assert_eq!(Document::parse("[]").unwrap().check().len(), 1);
}

#[test]
fn only_a_check_asks_who_is_exempt_from_mutation() {
    let mut json = outage();
    let expr = "A.http_error_ratio.mean > 0";
    json["claims"] = json!({ "it": { "text": "It holds.", "role": "context", "expr": expr } });
    json["nodes"]["db"]["readers"] = json!(0);
    let document = Document::from_json(json);
    assert!(read_claims(&document).is_ok());
    let seeds = Seeds { count: 1, mutate: false };
    let found = check_claims(&document, seeds, |_| panic!("there is nothing to judge")).unwrap_err();
    assert_problem(&found, "nodes.db.readers", "0 is out of range", "");
    assert_problem(&found, "claims", "1 of 1 claims are context", "a third");
    assert_problem(&found, "claims.it", "without a reason", "`reason`");
}

/// The problems of the outage scenario's claims after this change, with one claim that is `expr`.
fn claim_problems(pointer: &str, value: Value, expr: &str) -> Vec<Problem> {
    let mut json = outage();
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    json["claims"] = json!({ "it": { "text": "It holds.", "role": "effect", "expr": expr } });
    read_claims(&Document::from_json(json)).err().unwrap_or_default()
}

#[test]
fn claims_are_judged_beside_whatever_else_is_wrong() {
    for (pointer, broken) in [
        ("/seed", json!(1)),
        ("/nodes/db/readers", json!(0)),
        ("/title", json!(3)),
        ("/variants/B/set", json!({ "nodes.nothing.here": 1 })),
    ] {
        let found = |expr: &str| claim_problems(pointer, broken.clone(), expr);
        assert_problem(&found("A.http_error_ratio.mean > "), "claims.it.expr", "expected a name", "Claims");
        assert_problem(&found("A.no_such.mean > 1"), "claims.it.expr", "no signal `no_such`", "Name a signal");
        assert_problem(&found("Z.http_error_ratio.mean > 1"), "claims.it.expr", "no variant `Z`", "A, B");
        assert_problem(
            &found("A.http_error_ratio.sum > 1"),
            "claims.it.expr",
            "a ratio is reduced by",
            "Name a signal",
        );
        assert_problem(&found("A.http_error_ratio.mean[20:99] > 1"), "claims.it.expr", "beyond the end", "duration_s");
        assert_problem(
            &found("A.http_error_ratio.mean[20:10] > 1"),
            "claims.it.expr",
            "the first before the second",
            "",
        );
        assert_eq!(found("A.http_error_ratio.mean[20:30] > B.http_error_ratio{op=read}.mean"), []);
    }
}

#[test]
fn a_broken_document_is_not_held_against_its_claims() {
    let node = "A.utilization{node=db}.mean[20:30] > 0.5";
    assert_eq!(claim_problems("/nodes/db/readers", json!(0), node), [], "its node is there, if not planned");
    assert_eq!(claim_problems("/duration_s", json!(-1), node), [], "the run has no end to reach beyond");
    let twice = claim_problems("/seed", json!(1), "A.no_such.mean > 2 * A.no_such.mean");
    assert_eq!(twice.len(), 1, "{twice:#?}");
}

#[test]
fn a_window_ends_with_the_run() {
    let at = |duration_s: f64, expr: &str| claim_problems("/duration_s", json!(duration_s), expr).len();
    assert_eq!(at(60.0, "A.http_error_ratio.mean[59:60] > 0"), 0);
    assert_eq!(at(60.0, "A.http_error_ratio.mean[59:61] > 0"), 1);
    assert_eq!(at(60.5, "A.http_error_ratio.mean[59:61] > 0"), 0, "the last second is half a one");
    let worst = |window: &str| {
        let formula = format!("'http_requests_total.max1s{window}' + 1");
        json!({ "worst": { "unit": "requests", "help": "The worst second.", "kind": "scalar", "source": { "formula": formula } } })
    };
    assert_eq!(problems(&[("/metrics", worst("[50:60]"))]), []);
    let found = problems(&[("/metrics", worst("[50:70]"))]);
    assert_problem(
        &found,
        "metrics.worst.source.formula",
        "[50:70] reaches beyond the end of the run at 60 s",
        "duration_s",
    );
}

#[test]
fn changes_to_places_that_do_not_exist_are_refused() {
    let document = Document::from_json(outage());
    let found = document.plan("A", &[("nodes.dbx.rows".into(), json!(3))]).unwrap_err();
    assert_problem(&found, "nodes.dbx.rows", "does not exist", "Known here");
    let found = document.plan("Z", &[]).unwrap_err();
    assert_problem(&found, "variants.Z", "no such variant", "A, B, C, D");
}

#[test]
fn a_retry_policy_that_makes_no_sense_says_why() {
    let found = problems(&[("/nodes/api/calls/db/retry", json!({ "max_attempts": 0 }))]);
    assert_problem(&found, "nodes.api.calls.db.retry", "first attempt counts", "Policies");
}

#[test]
fn a_change_at_an_unknown_place_is_told_what_there_is() {
    let document = Document::from_json(outage());
    let problems = |path: &str| document.plan("A", &[(path.to_string(), json!(3))]).expect_err(path);
    assert_problem(
        &problems("nodes.api-1.workers"),
        "nodes.api-1.workers",
        "`api-1` does not exist",
        "api, db, gateway",
    );
    let path = "nodes.api.routes.GET /items/{id}.9.read";
    assert_problem(&problems(path), path, "`9` does not exist", "a list of");
    assert_problem(&problems("title.x"), "title.x", "`x` does not exist", "nothing inside");
}

#[test]
fn a_problem_of_all_variants_is_told_once_and_one_of_a_variant_with_its_name() {
    let mut json = outage();
    json["faults"]["outage"]["from_s"] = json!(-1);
    json["variants"]["B"]["set"]["nodes.db.readers"] = json!(0);
    let found = Document::from_json(json).check();
    assert_eq!(found.iter().filter(|problem| problem.path == "faults.outage.from_s").count(), 1, "{found:#?}");
    assert_problem(&found, "faults.outage.from_s", "-1 is negative", "");
    assert_problem(&found, "variants.B.set.nodes.db.readers", "0 is out of range", "");
}

#[test]
fn what_a_variant_sets_wrongly_is_told_where_it_is_written() {
    let mut json = outage();
    json["variants"]["B"]["set"]["nodes.db.readers"] = json!(0);
    let document = Document::from_json(json);
    let found = document.plan("B", &[]).expect_err("it is refused");
    assert_problem(&found, "variants.B.set.nodes.db.readers", "0 is out of range", "");
    let found = document.plan("B", &[("nodes.db.readers".to_string(), json!(-1))]).expect_err("it is refused");
    assert_problem(&found, "nodes.db.readers", "", "");
}

#[test]
fn a_place_that_only_other_variants_have_is_told_with_their_names() {
    let mut json = outage();
    json["variants"]["B"]["set"]["nodes.spare"] = json["nodes"]["api"].clone();
    let document = Document::from_json(json);
    let change = [("nodes.spare.workers".to_string(), json!(3))];
    let found = document.plan("A", &change).expect_err("A has no such node");
    assert_problem(&found, "nodes.spare.workers", "`spare` does not exist", "Only variant B can be changed there");
    assert!(document.patched("B", &change).is_ok());
}

#[test]
fn a_cause_is_told_before_what_follows_from_it() {
    let mut json = outage();
    json["nodes"]["api"]["workers"] = json!("many");
    let found = Document::from_json(json).check();
    assert_eq!(found[0].path, "nodes.api.workers", "{found:#?}");
}

#[test]
fn a_knob_must_turn_a_number_and_both_its_ends_must_run() {
    let mut json = outage();
    json["variants"]["B"]["set"]["nodes.api.calls.cache"] = json!({ "timeout_ms": 50 });
    json["knobs"]["typo"] = json!({ "title": "T", "help": "H.", "unit": "ms", "min": 1, "max": 9, "step": 1,
        "path": "nodes.api.calls.cache.timeout" });
    assert_problem(&Document::from_json(json).check_knobs(), "knobs.typo.path", "no number of any variant", "");

    let mut json = outage();
    json["knobs"]["rate"] = json!({ "title": "Load", "help": "H.", "unit": "rps", "min": 0, "max": 600, "step": 1,
        "path": "workloads.traffic.arrivals.rate_rps" });
    let document = Document::from_json(json);
    assert_eq!(document.check(), []);
    let found = document.check_knobs();
    assert_problem(&found, "knobs.rate.min", "variant A cannot run there: workloads.traffic.arrivals.rate_rps", "");
    assert_eq!(found.len(), 1, "{found:#?}");
}
