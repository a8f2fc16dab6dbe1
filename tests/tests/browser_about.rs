//! What stands at the foot of the page with all lessons: privacy, how right the simulation is, licences.

use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use tests::browser::Browser;
use tests::server::Server;
use tests::tools::{copy_site, faultline, root};

/// A page of the site around a text of the documentation.
fn page(markdown: &str) -> String {
    let title = markdown.lines().next().expect("a heading").trim_start_matches("# ");
    let mut text = String::new();
    pulldown_cmark::html::push_html(&mut text, pulldown_cmark::Parser::new(markdown));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · Faultline</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"about.css\">\n</head>\n<body>\n<main>\n\
         <p><a href=\"../\">Faultline</a></p>\n{text}</main>\n</body>\n</html>\n"
    )
}

#[test]
fn the_page_about_privacy_says_what_the_documentation_says() {
    let (text, shown) = (root().join("docs/privacy.md"), root().join("web/about/privacy.html"));
    let expected = page(&fs::read_to_string(text).expect("the text is there"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&shown, &expected).expect("the page can be written");
    }
    assert_eq!(fs::read_to_string(shown).expect("the page is there"), expected, "UPDATE_GOLDEN=1 writes it anew");
}

/// Runs `faultline verify --json` with further arguments.
fn verify(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(faultline()).args(["verify", "--json"]).args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[tokio::test]
async fn the_results_that_are_shown_are_what_the_program_measures() {
    let folder = tempfile::tempdir().expect("a folder");
    copy_site(folder.path());
    // Random simulations take their time: of those one is enough here, and a release shows all.
    let truth = fs::read_to_string(root().join("tests/ground-truth/ground-truth.json")).expect("the cases are there");
    let truth: Vec<Value> = serde_json::from_str(&truth).expect("cases");
    let (random, exact): (Vec<&Value>, Vec<&Value>) = truth.iter().partition(|case| case["kind"] == "statistical");
    let (sample, alone) = (folder.path().join("sample.json"), folder.path().join("alone.json"));
    fs::write(&sample, json!([&random[..1], &exact].concat()).to_string()).expect("a file can be written");
    let results = verify(&[&sample.display().to_string()]);
    fs::write(folder.path().join("about/conformance.json"), &results).expect("a file can be written");
    let server = Server::start(&["--site", &folder.path().display().to_string()]);
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&server.url).await;
    browser.click(".colophon a[href*=conformance]").await;
    browser.until("document.querySelector('tbody')").await;
    browser.picture("conformance").await;

    let report: Value = serde_json::from_slice(&results).expect("a report");
    let cases = report["cases"].as_array().expect("cases");
    let shown = browser.run("return document.querySelectorAll('tbody').length;", vec![]).await;
    assert_eq!(shown.as_u64(), Some(cases.len() as u64));
    for at in [0, cases.len() / 3, cases.len() / 2, cases.len() - 1] {
        let id = cases[at]["id"].as_str().expect("an id");
        let case = truth.iter().find(|case| case["id"] == id).expect("a case of the ground truth");
        // Alone, in a file of its own: nothing but the case itself can make the number.
        fs::write(&alone, json!([case]).to_string()).expect("a file can be written");
        let again: Value = serde_json::from_slice(&verify(&[&alone.display().to_string()])).expect("a report");
        let script = "const body = document.querySelector(`[data-case='${arguments[0]}']`); \
                      return [body.querySelector('th p').textContent, [...body.querySelectorAll('tr')].map((row) => \
                      [row.querySelector('[data-name]').dataset.name, row.querySelector('[data-measured]').dataset.measured])];";
        let shown = browser.run(script, vec![json!(id)]).await;
        assert_eq!(shown[0], case["source"]);
        let values = again["cases"][0]["values"].as_array().expect("values");
        let measured: Vec<(String, Value)> = values
            .iter()
            .map(|value| (value["name"].as_str().expect("a name").to_string(), value["got"].clone()))
            .collect();
        let rows = shown[1].as_array().expect("rows");
        let shown: Vec<(String, Value)> = rows
            .iter()
            .map(|row| {
                let number = row[1].as_str().and_then(|text| serde_json::from_str(text).ok());
                (row[0].as_str().expect("a name").to_string(), number.expect("what was measured"))
            })
            .collect();
        assert_eq!(shown.len(), measured.len(), "{id}");
        for (shown, measured) in shown.iter().zip(&measured) {
            assert_eq!((&shown.0, floats(&shown.1)), (&measured.0, floats(&measured.1)), "{id}");
        }
    }

    browser.resize(390, 844).await;
    let wide = browser.run("return document.documentElement.scrollWidth - innerWidth;", vec![]).await;
    assert_eq!(wide, json!(0), "the table scrolls inside its box");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

/// The same with all numbers alike: a script writes 90 where Rust writes 90.0.
fn floats(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(floats).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

#[tokio::test]
async fn a_visit_asks_nobody_else_and_keeps_only_what_the_page_about_privacy_names() {
    let server = Server::of_site();
    let browser = Browser::start(1366, 768, false).await;
    browser.open(&server.url).await;
    browser.until("document.querySelector('.colophon')").await;
    browser.picture("home-foot").await;
    browser.click("[aria-label='Switch between light and dark']").await;
    browser.open(&format!("{}/?lesson=the-database-goes-away", server.url)).await;
    browser.settled().await;
    browser.click("[data-option='half']").await;
    browser.until("localStorage.getItem('faultline-progress')").await;
    let left = "const own = location.origin; return { asked: performance.getEntriesByType('resource').map((entry) => entry.name)\
                .filter((name) => !name.startsWith(own) && !name.startsWith('data:')), cookies: document.cookie, kept: Object.keys(localStorage) };";
    let left = browser.run(left, vec![]).await;
    assert_eq!((&left["asked"], &left["cookies"]), (&json!([]), &json!("")));
    let text = fs::read_to_string(root().join("docs/privacy.md")).expect("the text is there");
    let kept = left["kept"].as_array().expect("names");
    assert!(kept.len() >= 2, "theme and progress: {kept:?}");
    for name in kept {
        assert!(text.contains(&format!("`{}`", name.as_str().expect("a name"))), "{name} is not named");
    }
    browser.open(&format!("{}/", server.url)).await;
    browser.click(".colophon a[href*=privacy]").await;
    browser.until("document.querySelector('h1').innerText === 'Privacy'").await;
    browser.close().await;
}
