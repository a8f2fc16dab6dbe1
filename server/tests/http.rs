//! The HTTP application in memory, with a mounted world behind it.

mod common;

use axum::http::StatusCode;
use common::{Lab, calm, outage};
use serde_json::json;
use server::clock;

#[tokio::test(flavor = "multi_thread")]
async fn the_lab_answers_the_scenarios_routes() {
    let lab = Lab::new(&calm(), false);
    let login = lab.send("POST", "/api/login", None, Some(json!({"user": 17}))).await;
    assert_eq!(login.status, StatusCode::OK, "{login:?}");
    let token = login.json["access_token"].as_str().unwrap().to_string();
    let read = lab.send("GET", "/lab/items/17", Some(&token), None).await;
    assert_eq!((read.status, &read.json), (StatusCode::OK, &json!({"id": 17, "version": 1, "stale": false})));
    assert!(read.header("server-timing").contains("total;dur="), "{read:?}");
    assert!(read.header("x-request-id").ends_with("-1"), "{read:?}");
    let written = lab.send("PUT", "/lab/items/17", Some(&token), None).await;
    assert_eq!(written.json, json!({"id": 17, "version": 2, "stale": false}));
    assert_eq!(lab.get("/lab/items/17").await.json["version"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said() {
    let lab = Lab::new(&calm(), false);
    let beyond = format!("/lab/items/{}", common::rows());
    for (method, path, status) in [
        ("GET", beyond.as_str(), StatusCode::NOT_FOUND),
        ("PUT", "/lab/items/4294967295", StatusCode::NOT_FOUND),
        ("GET", "/lab/nothing", StatusCode::NOT_FOUND),
        ("GET", "/nothing", StatusCode::NOT_FOUND),
        ("DELETE", "/lab/items/1", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/api/login", StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", "/api/health", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/api/incidents/abc/resolve", StatusCode::BAD_REQUEST),
        ("GET", "/lab/items/%ff", StatusCode::BAD_REQUEST),
    ] {
        let answer = lab.send(method, path, Some(&lab.token()), None).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert!(answer.json["hint"].as_str().is_some_and(|hint| hint.len() > 10), "{answer:?}");
        assert!(!answer.header("x-request-id").is_empty());
    }
    for body in [json!({"user": 100}), json!({"user": -1}), json!({"name": "x"}), json!([])] {
        let answer = lab.send("POST", "/api/login", None, Some(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    }
    let large = lab.send("POST", "/api/login", None, Some(json!({"user": 1, "name": "x".repeat(3 << 20)}))).await;
    assert_eq!((large.status, &large.json["error"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")));
    assert!(lab.get("/api/login").await.header("allow").contains("POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_get_401_and_change_nothing() {
    let lab = Lab::new(&calm(), true);
    let good = lab.token();
    let now = clock::unix_s();
    let payload = good.split('.').nth(1).unwrap();
    let other = lab.state.auth.issue(2, now, 3_600);
    let mut tampered: Vec<&str> = good.split('.').collect();
    tampered[1] = other.split('.').nth(1).unwrap();
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}."); // {"alg":"none","typ":"at+jwt"}
    let cases = [
        ("missing", None),
        ("empty", Some(String::new())),
        ("no token", Some("x.y.z".to_string())),
        ("expired", Some(lab.state.auth.issue(1, now - 7_200, 3_600))),
        ("not yet valid", Some(lab.state.auth.issue(1, now + 7_200, 3_600))),
        ("tampered", Some(tampered.join("."))),
        ("alg none", Some(none)),
        ("another key", Some(server::auth::Auth::new(None).unwrap().issue(1, now, 3_600))),
    ];
    for (name, token) in &cases {
        for method in ["GET", "PUT"] {
            let answer = lab.send(method, "/lab/items/5", token.as_deref(), None).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}: {answer:?}");
            assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{name}");
            assert_eq!(answer.json["error"], "unauthorized", "{name}");
        }
    }
    assert_eq!(lab.get("/lab/items/5").await.json["version"], json!(1), "a bad token changed a row");
    let (_, folder) = lab.stop();
    let file = rusqlite::Connection::open(folder.path().join("lab.sqlite")).unwrap();
    let written: u32 = file.query_row("SELECT count(*) FROM items WHERE version > 1", [], |row| row.get(0)).unwrap();
    assert_eq!(written, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_say_when_to_come_back() {
    let mut changes = calm();
    changes.push(("nodes.gateway.rate_limit", json!({"rate_rps": 0.5, "burst": 1})));
    let lab = Lab::new(&changes, false);
    assert_eq!(lab.get("/lab/items/1").await.status, StatusCode::OK);
    let refused = lab.get("/lab/items/1").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_degraded_mode_and_ends() {
    let lab = Lab::new(&outage(1.5, 4.0), true);
    assert_eq!(lab.get("/lab/items/5").await.json["stale"], json!(false));
    assert_eq!(lab.get("/api/health").await.json["status"], "ok");
    // The copy expires while the database is away: it is served all the same, and says so.
    let health = lab.until("/api/health", |health| health.json["status"] != "ok").await;
    assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &json!("degraded")));
    assert_eq!(health.header("content-type"), "application/health+json");
    let failed = lab.put("/lab/items/5").await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE, "{failed:?}");
    assert_eq!(failed.json["error"], "unavailable");
    lab.until("/api/health", |health| health.json["status"] == "ok").await;
    assert_eq!(lab.put("/lab/items/5").await.json["version"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_copies_are_served_while_the_database_is_away() {
    let mut changes = outage(1.0, 3.0);
    changes.push(("nodes.cache.ttl_s", json!(0.2)));
    let lab = Lab::new(&changes, true);
    assert_eq!(lab.get("/lab/items/5").await.json["stale"], json!(false));
    let stale = lab.until("/lab/items/5", |answer| answer.json["stale"] == json!(true)).await;
    assert_eq!((stale.status, &stale.json["version"]), (StatusCode::OK, &json!(1)));
    lab.until("/lab/items/5", |answer| answer.json["stale"] == json!(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn incidents_stay_open_until_somebody_resolves_them() {
    let mut changes = outage(0.3, 1.5);
    changes.push(("monitors.db.interval_s", json!(0.1)));
    let lab = Lab::new(&changes, false);
    let opened = lab.until("/api/incidents", |answer| answer.json[0]["id"] == json!(1)).await;
    assert_eq!(opened.json[0]["target"], "db", "{opened:?}");
    let recovered = lab.until("/api/incidents", |answer| answer.json[0]["recovered_s"].is_number()).await;
    assert!(recovered.json[0]["resolved_s"].is_null());
    let resolve = async || lab.send("POST", "/api/incidents/1/resolve", None, None).await.status;
    assert_eq!(resolve().await, StatusCode::NO_CONTENT);
    assert_eq!(resolve().await, StatusCode::CONFLICT);
    assert!(lab.get("/api/incidents").await.json[0]["resolved_s"].is_number());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_describes_itself() {
    let lab = Lab::new(&calm(), false);
    lab.get("/lab/items/1").await;
    let metrics = lab.get("/metrics").await.text;
    for name in [
        r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="GET /items/{id}",http_response_status_code="200",url_scheme="http"} 1"#,
        r#"faultline_cache_requests_total{node="cache",result="miss"} 1"#,
        r#"faultline_circuit_state{node="api-1",to="db"} 0"#,
        r#"faultline_queue_length{node="db"} 0"#,
        "faultline_health 0",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    let api = lab.get("/api/openapi.json").await.json;
    for path in ["/lab/items/{id}", "/api/login", "/api/health", "/metrics", "/api/incidents/{id}/resolve"] {
        assert!(api["paths"][path].is_object(), "{path} is not described");
    }
    assert!(api["paths"]["/lab/items/{id}"]["put"]["security"][0]["token"].is_array());
    let scenario = lab.get("/api/scenario").await.json;
    assert_eq!((&scenario["id"], &scenario["routes"][1]["write"]), (&json!("database-outage"), &json!(true)));
    let docs = lab.get("/docs/").await;
    assert!(docs.status == StatusCode::OK && docs.text.contains("swagger-ui"), "{docs:?}");
    assert_eq!(lab.get("/livez").await.status, StatusCode::OK);
    assert_eq!(lab.get("/readyz").await.status, StatusCode::OK);
    lab.state.ready.store(false, std::sync::atomic::Ordering::Release);
    assert_eq!(lab.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(lab.get("/livez").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_anywhere_may_ask() {
    let lab = Lab::new(&calm(), false);
    assert_eq!(lab.get("/api/health").await.header("access-control-allow-origin"), "*");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_site_is_served_beside_the_api() {
    let mut lab = Lab::new(&calm(), false);
    let site = lab.folder.path().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(site.join("index.html"), "<!doctype html><html><head><title>page</title></head></html>").unwrap();
    std::fs::write(site.join("app_bg.wasm"), b"\0asm").unwrap();
    lab.state.site = Some(site);
    lab.app = server::app::app(lab.state.clone());
    for page in ["/", "/lesson/the-database-goes-away"] {
        let answer = lab.get(page).await;
        assert!(answer.status == StatusCode::OK && answer.text.contains("<title>page"), "{page}: {answer:?}");
    }
    // What the page asks for lies at the root, however deep its own address is.
    let lesson = lab.get("/lesson/the-database-goes-away/").await;
    assert!(lesson.text.contains("<html data-link=\"?v=2&amp;lesson=the-database-goes-away\">"), "{lesson:?}");
    assert!(lesson.text.contains("<head>\n<base href=\"/\"><title>page"), "{lesson:?}");
    let none = lab.get("/lesson/nope/").await;
    assert!(none.status == StatusCode::NOT_FOUND && none.text.contains("lesson=nope\""), "the page says it: {none:?}");
    assert!(!lab.get("/lesson/%22%3E%3Cscript%3E/").await.text.contains("<script>"));
    let wasm = lab.get("/app_bg.wasm").await;
    assert_eq!((wasm.header("content-type"), wasm.header("access-control-allow-origin")), ("application/wasm", "*"));
    for nothing in ["/missing.js", "/api/nothing", "/../Cargo.toml", "/%2e%2e/lab.sqlite"] {
        assert_eq!(lab.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    assert_eq!(lab.get("/lab/items/1").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_lab_has_nothing_it_says_what_it_has() {
    let lab = Lab::new(&calm(), false);
    for (path, told) in
        [("/lab", "no route /lab;"), ("/lab/", "no route /lab/;"), ("/lab/item/1", "no route /lab/item/1;")]
    {
        let answer = lab.get(path).await;
        let hint = answer.json["hint"].as_str().unwrap_or_default();
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(hint.contains(told) && hint.contains("GET /lab/items/{id}, PUT /lab/items/{id}"), "{path}: {hint}");
    }
    let hint = lab.get("/lab/items/4000000").await.json["hint"].to_string();
    assert!(hint.contains("There is no item 4000000; the items are 0 to "), "{hint}");
}
