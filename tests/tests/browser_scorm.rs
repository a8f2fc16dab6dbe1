//! The package for course systems (SCORM 1.2) in scorm-again, a run-time of such systems that is not ours.

use serde_json::{Value, json};
use std::io::{Cursor, Read};
use tests::browser::Browser;
use tests::course;
use tests::tools::{exported, scorm_again};

const LESSON: &str = "the-database-goes-away";

/// The longest state that a course system must keep (SCORM 1.2 run-time environment, `cmi.suspend_data`).
const SUSPENDED: usize = 4_096;

#[tokio::test]
async fn a_course_system_keeps_score_and_place_and_the_learner_goes_on_from_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = exported("scorm12", LESSON, &folder.path().join("lesson.zip"));
    let files = unpacked(package);
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let system = [("system.html".to_string(), COURSE_SYSTEM.into()), ("scorm12.js".to_string(), scorm_again().into())];
    let served = files.iter().chain(&system).map(|(name, bytes)| (name.as_str(), bytes.clone()));
    let address = course::serve(served).await;
    let browser = Browser::start(1200, 900, false).await;
    browser.open(&format!("{address}system.html")).await;

    // The manifest leads to what is there; the browser reads the XML, and knows its namespaces.
    let manifest = browser.run_async(MANIFEST, vec![]).await;
    assert_eq!(manifest["version"], "1.2", "{manifest}");
    assert_eq!(manifest["href"], "index.html", "{manifest}");
    assert_eq!(manifest["items"], json!([["The database goes away", "50"]]), "{manifest}");
    let mut listed: Vec<&str> = manifest["files"].as_array().expect("files").iter().filter_map(Value::as_str).collect();
    listed.push("imsmanifest.xml");
    listed.sort_unstable();
    let mut packed: Vec<&str> = names.iter().map(String::as_str).collect();
    packed.sort_unstable();
    assert_eq!(listed, packed);

    // The right prediction is worth half.
    browser.run("open_unit();", vec![]).await;
    browser.until("kept.core.lesson_status === 'incomplete'").await;
    in_the_lesson(&browser).await;
    browser.settled().await;
    browser.click("[data-option='nearly-all']").await;
    out_of_the_lesson(&browser).await;
    browser.until("kept.core.score.raw === '50'").await;
    assert_eq!(kept(&browser, "core.lesson_status").await, "incomplete");
    // So is the challenge, which is then done.
    in_the_lesson(&browser).await;
    browser.click(".beats button:last-child").await;
    browser.until("document.querySelector('[data-verdict=miss]')").await;
    browser.turn("capacity", 1_800.0).await;
    browser.turn("stale", 30.0).await;
    browser.until("document.querySelector('[data-verdict=pass]')").await;
    out_of_the_lesson(&browser).await;
    browser.until("kept.core.lesson_status === 'passed' && kept.core.score.raw === '100'").await;
    browser.until("kept.suspend_data.includes('answer=nearly-all')").await;
    browser.picture("scorm").await;
    browser.run("close_unit();", vec![]).await;
    browser.until("calls.at(-1) === 'LMSFinish'").await;
    assert_eq!(kept(&browser, "core.exit").await, "suspend");
    assert!(kept(&browser, "core.session_time").await.starts_with("00:0"));

    // Another day: the learner stands where they left, and what was reached stays reached.
    browser.run("calls.length = 0; open_unit();", vec![]).await;
    in_the_lesson(&browser).await;
    browser.settled().await;
    browser.until("document.querySelector('[data-verdict=pass]')").await;
    assert!(browser.has("[data-predicted=true]").await);
    out_of_the_lesson(&browser).await;
    browser.until("calls.includes('LMSCommit')").await;
    browser.run("close_unit();", vec![]).await;
    browser.until("calls.at(-1) === 'LMSFinish'").await;
    assert_eq!(kept(&browser, "core.lesson_status").await, "passed");
    assert_eq!(kept(&browser, "core.score.raw").await, "100");
    assert!(kept(&browser, "suspend_data").await.len() <= SUSPENDED);
    assert_eq!(browser.run("return refused;", vec![]).await, json!([]), "nothing was refused");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

async fn in_the_lesson(browser: &Browser) {
    browser.enter("#unit").await;
    browser.enter("#lesson").await;
}

async fn out_of_the_lesson(browser: &Browser) {
    browser.leave().await;
    browser.leave().await;
}

async fn kept(browser: &Browser, name: &str) -> String {
    let value =
        browser.run("return arguments[0].split('.').reduce((of, part) => of[part], kept);", vec![json!(name)]).await;
    value.as_str().unwrap_or_else(|| panic!("{name} is not set")).to_string()
}

fn unpacked(package: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(package)).expect("it is a zip file");
    let count = archive.len();
    let read = |at: usize| {
        let mut file = archive.by_index(at).expect("it is listed");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("it can be unpacked");
        (file.name().expect("a name").into_owned(), bytes)
    };
    (0..count).map(read).collect()
}

/// What the manifest says, each part where its namespace and its references put it.
const MANIFEST: &str = "const done = arguments[0], cp = 'http://www.imsproject.org/xsd/imscp_rootv1p1p2', \
    adl = 'http://www.adlnet.org/xsd/adlcp_rootv1p2'; \
    fetch('imsmanifest.xml').then((response) => response.text()).then((text) => { \
      const xml = new DOMParser().parseFromString(text, 'application/xml'); \
      const all = (name, of = cp) => [...xml.getElementsByTagNameNS(of, name)]; \
      const items = all('item'), resource = all('resource').find((it) => it.getAttribute('identifier') === items[0].getAttribute('identifierref')); \
      done({ version: all('schemaversion')[0].textContent, type: resource.getAttributeNS(adl, 'scormtype'), \
        href: resource.getAttribute('href'), files: all('file').map((file) => file.getAttribute('href')), \
        items: items.map((item) => [item.getElementsByTagNameNS(cp, 'title')[0].textContent, all('masteryscore', adl)[0].textContent]) }); \
    }).catch((error) => done(String(error)));";

/// The page of a course system around the unit: each launch is a session of its own, which begins with what the one before committed.
const COURSE_SYSTEM: &str = "<!doctype html><html lang=en><title>A course system</title><link rel=icon href='data:,'>
<script src=scorm12.js></script><script>
const calls = [], refused = [];
let kept = { core: { student_id: 'learner', credit: 'credit', entry: 'ab-initio' }, student_data: { mastery_score: '50' } };
function open_unit() {
  const system = new Scorm12API({ autocommit: false, mastery_override: true });
  system.loadFromJSON(kept);
  window.API = { LMSGetLastError: () => system.LMSGetLastError() };
  for (const name of ['LMSInitialize', 'LMSFinish', 'LMSCommit', 'LMSGetValue', 'LMSSetValue']) {
    API[name] = (...given) => {
      const answer = system[name](...given), error = system.LMSGetLastError();
      calls.push(name);
      if (String(error) !== '0') refused.push([name, ...given, error]);
      if (name === 'LMSCommit' || name === 'LMSFinish') kept = JSON.parse(JSON.stringify(system.cmi));
      return answer;
    };
  }
  const unit = document.createElement('iframe');
  Object.assign(unit, { id: 'unit', title: 'Unit', width: 1180, height: 840, src: './' });
  document.body.append(unit);
}
function close_unit() { document.getElementById('unit').remove(); kept.core.entry = 'resume'; }
</script><body>";
