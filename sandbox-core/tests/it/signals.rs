//! Signals as data: what a scenario declares is counted, measured and computed, and nonsense is refused.

use sandbox_core::Run;
use sandbox_core::claim::{Seeds, check_claims};
use sandbox_core::metrics::{RunReport, ask};
use sandbox_core::scenario::{Document, Problem, Query};
use serde_json::{Value, json};
use std::sync::Arc;

/// Two workloads through a service to a store, with a cold cache and a second of outage.
fn scenario(metrics: Value, labels: Value) -> Document {
    Document::from_json(json!({
        "format_version": 1, "id": "signals", "title": "Signals", "seed": 1, "duration_s": 10,
        "nodes": {
            "users": {"kind": "client", "calls": {"api": {"timeout_ms": 500}}},
            "partner": {"kind": "client", "calls": {"api": {"timeout_ms": 500}}},
            "api": {
                "kind": "service", "workers": 2, "max_waiting": 20,
                "routes": {
                    "GET /items/{id}": [{"read": {"store": "db", "cache": "cache"}}],
                    "pay": [{"work": {"dist": "exponential", "mean_ms": 8}}, {"write": {"store": "db"}}]
                },
                "calls": {"db": {"timeout_ms": 200, "retry": {"max_attempts": 2}, "breaker": {"wait_in_open_s": 1}}}
            },
            "cache": {"kind": "cache", "capacity": 100, "ttl_s": 5},
            "db": {
                "kind": "store", "readers": 4, "rows": 1000,
                "read": {"dist": "exponential", "mean_ms": 5}, "write": {"dist": "exponential", "mean_ms": 5}
            }
        },
        "workloads": {
            "browse": {
                "client": "users", "target": "api", "arrivals": {"process": "poisson", "rate_rps": 80},
                "routes": {"GET /items/{id}": {"weight": 1, "op": "read"}}, "keys": 50, "users": 20
            },
            "checkout": {
                "client": "partner", "target": "api", "arrivals": {"process": "poisson", "rate_rps": 40},
                "routes": {"pay": {"weight": 1, "op": "write"}, "GET /items/{id}": {"weight": 1, "op": "read"}},
                "keys": 50, "users": 20
            }
        },
        "faults": {"outage": {"node": "db", "effect": {"kind": "down"}, "from_s": 4, "to_s": 5}},
        "monitors": {},
        "metrics": metrics,
        "labels": labels
    }))
}

fn run(document: &Document) -> Run {
    let plan = document.plan("A", &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut run = Run::new(Arc::new(plan));
    run.run_to_end();
    run
}

fn number(run: &Run, query: &str) -> f64 {
    let asked = Query::parse(query).unwrap();
    ask(run.plan(), run.folds(), &asked).unwrap_or_else(|why| panic!("{query}: {why}")).unwrap_or(f64::NAN)
}

fn records(of: &str) -> Value {
    json!({"records": {"of": of}})
}

fn signal(kind: &str, source: Value) -> Value {
    json!({"unit": "1", "help": "A signal.", "kind": kind, "source": source})
}

#[test]
fn built_in_signals_split_by_route_operation_workload_and_client() {
    let run = run(&scenario(json!({}), json!({})));
    let of = |label: &str| number(&run, &format!("http_requests_total{label}.sum"));
    let all = of("");
    assert!(all > 1_000.0);
    assert_eq!(of("{route='GET /items/{id}'}") + of("{route=pay}"), all);
    assert_eq!(of("{op=write}"), of("{route=pay}"));
    assert_eq!(of("{workload=browse}") + of("{workload=checkout}"), all);
    assert_eq!(of("{client=partner}"), of("{workload=checkout}"));
    assert!(of("{workload=checkout,op=read}") > 0.0);
    let p95 = |route: &str| number(&run, &format!("http_request_duration_seconds{{route={route}}}.p95"));
    assert!(p95("pay") > 2.0 * p95("'GET /items/{id}'"), "the cache answers reads");
    assert_eq!(
        number(&run, "http_503_total.sum[4:5]"),
        number(&run, "http_responses_total{outcome=unavailable_503}.sum[4:5]")
    );
    assert!(number(&run, "http_error_ratio{route=pay}.mean[4:5]") > 0.9);
    assert!(number(&run, "worker_busy.max") >= number(&run, "worker_busy.mean"));
    let ratio = number(&run, "cache_hit_ratio.value");
    let [hits, all] = ["{result=hit}", ""].map(|label| number(&run, &format!("cache_requests_total{label}.sum")));
    assert_eq!(ratio, hits / all);
    assert!(number(&run, "breaker_open.max") == 1.0 && number(&run, "breaker_trips_total.sum") >= 1.0);
}

#[test]
fn labels_of_requests_belong_to_every_signal_of_requests() {
    let labels = json!({"tenant": {"heavy": "user < 5 and workload == browse", "light": "user >= 5 or key == 0"}});
    let run = run(&scenario(json!({}), labels));
    let of = |label: &str| number(&run, &format!("http_requests_total{label}.sum"));
    let heavy = run.folds().requests().iter().filter(|request| request.user < 5 && request.end.is_some());
    let heavy = heavy.filter(|request| {
        run.folds().classes()[usize::from(request.class)].client.0 == run.plan().node("users").unwrap().0
    });
    assert_eq!(of("{tenant=heavy}"), heavy.count() as f64);
    assert!(of("{tenant=heavy}") + of("{tenant=light}") < of(""), "some have neither");
    assert!(number(&run, "http_error_ratio{tenant=light,op=write}.mean") > 0.0);
}

#[test]
fn records_are_counted_and_measured_by_condition() {
    let metrics = json!({
        "db_queries_total": {
            "unit": "queries", "help": "Reads and writes that reached the store.", "kind": "counter",
            "source": {"records": {"of": "arrived", "node": "db"}},
            "labels": {"key": {"hot": "key < 3", "other": "key >= 3"}, "op": {"read": "op == read", "write": "op == write"}}
        },
        "late_total": signal("counter", json!({"records": {"of": "answered", "when": "outcome != ok or latency_seconds > 0.05"}})),
        "refusals_total": signal("counter", json!({"records": {"of": "refused", "when": "refusal == down and node == db"}})),
        "answer_seconds": signal("histogram", json!({"records": {"of": "answered", "when": "outcome == ok", "value": "latency_seconds"}})),
        "wait_seconds": signal("histogram", json!({"records": {"of": "started", "node": "api", "value": "waited_seconds"}})),
        "newest_version": signal("gauge", json!({"records": {"of": "row_written", "value": "version"}})),
        "bytes_total": signal("counter", json!({"records": {"of": "replied", "node": "api", "value": "100 + 10 * key"}})),
    });
    let run = run(&scenario(metrics, json!({})));
    let all = number(&run, "db_queries_total.sum");
    let hot = number(&run, "db_queries_total{key=hot}.sum");
    assert!(hot > 0.0);
    assert_eq!(hot + number(&run, "db_queries_total{key=other}.sum"), all);
    let corners = ["hot", "other"].map(|key| number(&run, &format!("db_queries_total{{key={key},op=write}}.sum")));
    assert_eq!(corners.iter().sum::<f64>(), number(&run, "db_queries_total{op=write}.sum"));
    assert_eq!(number(&run, "answer_seconds.count"), number(&run, "http_responses_total{outcome=ok}.sum"));
    assert_eq!(number(&run, "answer_seconds.p99[1:4]"), number(&run, "http_request_duration_seconds.p99[1:4]"));
    let late = run.folds().requests().iter().filter_map(|request| request.end);
    let late = late.filter(|end| !end.outcome.is_success() || end.latency.as_seconds() > 0.05).count();
    assert_eq!(number(&run, "late_total.sum"), late as f64);
    assert!(number(&run, "refusals_total.sum[4:5]") > 0.0 && number(&run, "refusals_total.sum[0:4]") == 0.0);
    assert!(number(&run, "wait_seconds.max") > 0.0);
    assert!(number(&run, "newest_version.max") >= 2.0);
    assert!(number(&run, "newest_version.mean[9:10]") <= number(&run, "newest_version.max[9:10]"));
    assert!(number(&run, "bytes_total.sum") > 100.0 * number(&run, "http_goodput_total.sum"));
}

#[test]
fn programs_observe_values() {
    let observed = |kind: &str| signal(kind, json!("observed"));
    let mut tokens = observed("histogram");
    tokens["labels"] = json!({"size": {"short": "value <= 20", "long": "value > 20"}});
    let metrics = json!({"tokens": tokens, "tokens_total": observed("counter"), "last_key": observed("gauge")});
    let mut json = scenario(metrics, json!({})).json().clone();
    json["nodes"]["api"]["routes"]["pay"] =
        json!([{"observe": {"tokens": "key + 1", "tokens_total": "key + 1", "last_key": "key"}}]);
    let run = run(&Document::from_json(json.clone()));
    let of = |query: &str| number(&run, query);
    let paid: Vec<f64> = run
        .folds()
        .requests()
        .iter()
        .filter(|r| r.route == run.plan().route("pay").unwrap())
        .map(|r| f64::from(r.key))
        .collect();
    assert_eq!(of("tokens.count"), paid.len() as f64);
    assert_eq!(of("tokens_total.sum"), paid.iter().map(|key| key + 1.0).sum::<f64>());
    let short = paid.iter().filter(|key| **key < 20.0).count() as f64;
    assert_eq!((of("tokens{size=short}.count"), of("tokens{size=long}.min")), (short, 21.0));
    assert_eq!((of("last_key.max"), of("tokens.max")), (49.0, 50.0));
    assert_eq!(of("last_key.last[0:10]"), *paid.last().unwrap());
    assert!((of("tokens.mean") - of("tokens_total.sum") / of("tokens.count")).abs() < 1e-6);
    json["metrics"]["last_key"]["source"] = json!({"level": {"of": "waiting", "node": "api"}});
    let refused = Document::from_json(json).plan("A", &[]).unwrap_err();
    assert!(refused[0].what.contains("there is no observed signal `last_key`"), "{refused:#?}");
}

#[test]
fn formulas_are_computed_anew_for_every_window() {
    let metrics = json!({
        "failed_share": signal("ratio", json!({"formula": "http_errors_total / (http_errors_total + http_goodput_total)"})),
        "amplification": signal("scalar", json!({"formula": "db_queries_total / http_requests_total"})),
        "dip": signal("scalar", json!({"formula": "'http_goodput_total.rate[4:5]' / 'http_goodput_total.rate[1:4]'"})),
        "all_calls_total": signal("counter", json!({"formula": "db_queries_total + 'cache_requests_total{result=hit}'"})),
        "free_workers": signal("gauge", json!({"formula": "4 - worker_busy"})),
        "lines": signal("gauge", json!({"level": {"of": "waiting", "node": "api"}})),
        "busier": signal("gauge", json!({"level": {"of": "utilization", "node": "api", "across": "max"}})),
    });
    let run = run(&scenario(metrics, json!({})));
    for window in ["", "[4:5]", "[0:3]"] {
        for how in ["mean", "max", "min"] {
            let of = |name: &str| number(&run, &format!("{name}.{how}{window}"));
            assert_eq!(of("failed_share"), of("http_error_ratio"), "{how}{window}");
        }
    }
    let of = |query: &str| number(&run, query);
    assert_eq!(of("failed_share{op=write}.mean[4:5]"), of("http_error_ratio{op=write}.mean[4:5]"));
    assert_eq!(of("amplification.value"), of("db_queries_total.sum") / of("http_requests_total.sum"));
    assert_eq!(of("dip.value"), of("http_goodput_total.rate[4:5]") / of("http_goodput_total.rate[1:4]"));
    assert_eq!(
        of("all_calls_total.rate[2:4]"),
        (of("db_queries_total.sum[2:4]") + of("cache_requests_total{result=hit}.sum[2:4]")) / 2.0
    );
    assert!((of("free_workers.mean") - (4.0 - of("worker_busy.mean"))).abs() < 1e-9);
    assert_eq!(of("lines.max"), of("queue_depth{node=api}.max"));
    assert_eq!(of("busier.mean"), of("utilization{node=api}.mean"));
    let report = RunReport::new(&run, 0.0);
    assert_eq!(report.metrics["amplification"], of("amplification.value"));
    assert_eq!(
        report.metrics["http_requests_total{route='GET /items/{id}'}"],
        of("http_requests_total{route='GET /items/{id}'}.sum")
    );
}

fn problems(metrics: Value) -> Vec<Problem> {
    scenario(metrics, json!({})).plan("A", &[]).err().unwrap_or_default()
}

#[test]
fn nonsense_is_refused_with_its_path() {
    let refused = [
        (
            signal("counter", records("arrivedd")),
            "metrics.x.source.records.of",
            "no kind of record `arrivedd`; known: intended",
        ),
        (signal("histogram", records("answered")), "metrics.x.source.records.value", "is missing"),
        (signal("ratio", records("answered")), "metrics.x.kind", "a ratio does not come from this source"),
        (
            signal("counter", json!({"records": {"of": "row_read", "when": "outcome == ok"}})),
            "metrics.x.source.records.when",
            "there is no `outcome` here",
        ),
        (
            signal("counter", json!({"records": {"of": "row_read", "when": "key"}})),
            "metrics.x.source.records.when",
            "expected a condition",
        ),
        (
            signal("counter", json!({"records": {"of": "row_read", "node": "nobody"}})),
            "metrics.x.source.records.node",
            "there is no node `nobody`",
        ),
        (
            signal("gauge", json!({"level": {"of": "waiting", "node": "nobody"}})),
            "metrics.x.source.level.node",
            "there is no node",
        ),
        (
            signal("ratio", json!({"formula": "retries_totl / 2"})),
            "metrics.x.source.formula",
            "there is no signal `retries_totl`",
        ),
        (
            signal("ratio", json!({"formula": "'retries_total.p99' / 2"})),
            "metrics.x.source.formula",
            "a counter is reduced by sum",
        ),
        (
            signal("ratio", json!({"formula": "'retries_total.sum[0:3]' / 2"})),
            "metrics.x.source.formula",
            "has a window",
        ),
        (
            signal("counter", json!({"formula": "recovery_seconds"})),
            "metrics.x.source.formula",
            "one number for the whole run",
        ),
        (signal("scalar", json!({"formula": "x + 1"})), "metrics.x.source.formula", "leads back to itself"),
        (
            signal("counter", json!({"invariant": {"database": "db", "table": "t", "breach": "stock < 0"}})),
            "metrics.x.source.invariant.database",
            "cannot call the store",
        ),
        (signal("gouge", records("answered")), "metrics.x.kind", "gouge"),
    ];
    for (declared, path, what) in refused {
        let found = problems(json!({"x": declared.clone()}));
        assert!(found.iter().any(|p| p.path == path && p.what.contains(what)), "{path}: {what} not in {found:#?}");
    }
    let cycle = problems(
        json!({"a": signal("ratio", json!({"formula": "b / 2"})), "b": signal("ratio", json!({"formula": "a + 1"}))}),
    );
    assert_eq!(cycle.iter().filter(|p| p.what.contains("leads back")).count(), 2, "{cycle:#?}");
    let labels = json!({"class": {"fast": "outcome == ok"}});
    let found = scenario(json!({}), labels).plan("A", &[]).unwrap_err();
    assert!(found[0].path == "labels.class.fast" && found[0].what.contains("no `outcome` here"), "{found:#?}");
}

#[test]
fn what_a_query_gets_wrong_is_said() {
    let run = run(&scenario(json!({}), json!({})));
    let wrong = [
        ("nothing.mean", "there is no signal `nothing` in this scenario; known: http_requests_total"),
        ("http_requests_total.p95", "a counter is reduced by sum, rate, max1s or min1s"),
        ("http_requests_total{rout=pay}.sum", "has no label `rout`; it has: route, op"),
        ("http_requests_total{route=buy}.sum", "names nothing here; there is: GET /items/{id}, pay"),
        ("utilization.mean", "needs a node"),
        ("worker_busy{node=db}.mean", "names nothing here"),
        ("retries_total.sum[5:60]", "[5:60] reaches beyond the end of the run at 10 s"),
    ];
    for (query, expected) in wrong {
        let why = ask(run.plan(), run.folds(), &Query::parse(query).unwrap()).unwrap_err();
        assert!(why.contains(expected), "{query}: {why}");
    }
    let nothing = Query::parse("http_failed_duration_seconds.p99[0:1]").unwrap();
    assert_eq!(ask(run.plan(), run.folds(), &nothing), Ok(None));
}

#[test]
fn a_signal_that_never_moves_is_an_error_of_the_document() {
    let metrics = json!({
        "moves_total": signal("counter", records("answered")),
        "still_total": signal("counter", json!({"records": {"of": "answered", "when": "key > 1000"}})),
    });
    let found = check_claims(&scenario(metrics, json!({})), Seeds { count: 1, mutate: false }, |_| Ok(Vec::new()));
    let found = found.unwrap_err();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].path == "metrics.still_total" && found[0].what.contains("never moves"), "{found:#?}");
}
