//! Lessons that were packed: as one file, and for a course system.

use serde_json::{Value, json};
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;
use tests::browser::Browser;
use tests::course;
use tests::server::Server;
use tests::tools::{copy_site, faultline, site};

const LESSON: &str = "the-database-goes-away";

/// The largest that a lesson in one file may be, in bytes.
const ONE_FILE: usize = 1_500_000;

/// The longest state that a course system keeps (SCORM 1.2 run-time environment, `cmi.suspend_data`).
const SUSPENDED: usize = 4_096;

/// What `faultline export` writes.
fn exported(form: &str, what: &str, to: &Path) -> Vec<u8> {
    let output = Command::new(faultline())
        .args(["export", form, what, "--site", &site().display().to_string(), "-o", &to.display().to_string()])
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(to).expect("it was written")
}

#[tokio::test]
async fn one_file_runs_from_a_stick_and_in_a_frame_that_gets_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lesson.html");
    let bytes = exported("html", &format!("?v=2&lesson={LESSON}&variant=A&seed=11&t=21&embed=1"), &file);
    assert!(bytes.len() <= ONE_FILE, "{} bytes", bytes.len());
    let browser = Browser::start(1000, 900, false).await;
    browser.open(&format!("file://{}", file.display())).await;
    browser.settled().await;
    browser.until("Number(document.querySelector('[data-player]').dataset.time) === 21").await;
    let digest = browser.attribute("[data-digest]", "data-digest").await;
    browser.picture("export-file").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "nothing was looked for beside the file");

    let frame = "<iframe id=lesson src=lesson.html width=750 height=700 sandbox='allow-scripts' title=Lesson></iframe>";
    let host = format!("<!doctype html><html lang=en><title>A course</title><link rel=icon href='data:,'>{frame}");
    let address = course::serve([("index.html", host.into_bytes()), ("lesson.html", bytes)]).await;
    browser.open(&address).await;
    browser.enter("#lesson").await;
    browser.settled().await;
    assert_eq!(browser.attribute("[data-digest]", "data-digest").await, digest, "the same run");
    browser.leave().await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_lesson_has_an_address_of_its_own_and_runs_under_the_policy_of_the_site() {
    let folder = tempfile::tempdir().expect("a folder");
    copy_site(folder.path());
    let here = folder.path().display().to_string();
    let pages = Command::new(faultline()).args(["export", "pages", "--site", &here]).output().expect("it starts");
    assert!(pages.status.success());
    let policy = std::fs::read_to_string(folder.path().join("csp.txt")).expect("the policy is there");
    let policy = policy.trim().strip_prefix("Content-Security-Policy: ").expect("it is a header's line");
    let page = folder.path().join("lesson").join(LESSON).join("index.html");
    let text = std::fs::read_to_string(&page).expect("the lesson has a page");
    let sent = format!("<head><meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    std::fs::write(&page, text.replacen("<head>", &sent, 1)).expect("it can be written");
    let server = Server::start(&["--site", &here]);
    let browser = Browser::start(1000, 900, false).await;
    browser.open(&format!("{}/lesson/{LESSON}/", server.url)).await;
    browser.settled().await;
    assert_eq!(browser.text(".story h1").await, "The database goes away");
    browser.run("window.late = document.createElement('script'); late.text = 'window.hacked = 1'; document.body.append(late);", vec![])
        .await;
    assert_eq!(browser.run("return window.hacked === undefined;", vec![]).await, json!(true), "the policy is in force");
    let complaints = browser.complaints().await;
    assert_eq!(complaints.len(), 1, "of that script, and of nothing else: {complaints:?}");
    browser.close().await;
}

#[tokio::test]
async fn a_course_system_keeps_score_and_place_and_the_learner_goes_on_from_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = exported("scorm12", LESSON, &folder.path().join("lesson.zip"));
    let files = unpacked(package);
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let system = ("system.html".to_string(), COURSE_SYSTEM.as_bytes().to_vec());
    let served = files.iter().chain([&system]).map(|(name, bytes)| (name.as_str(), bytes.clone()));
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
    browser.until("kept['cmi.core.lesson_status'] === 'incomplete'").await;
    in_the_lesson(&browser).await;
    browser.settled().await;
    browser.click("[data-option='nearly-all']").await;
    out_of_the_lesson(&browser).await;
    browser.until("kept['cmi.core.score.raw'] === '50'").await;
    assert_eq!(kept(&browser, "cmi.core.lesson_status").await, "incomplete");
    // So is the challenge, which is then done.
    in_the_lesson(&browser).await;
    browser.click(".beats button:last-child").await;
    browser.until("document.querySelector('[data-verdict=miss]')").await;
    browser.turn("capacity", 1_800.0).await;
    browser.turn("stale", 30.0).await;
    browser.until("document.querySelector('[data-verdict=pass]')").await;
    out_of_the_lesson(&browser).await;
    browser.until("kept['cmi.core.lesson_status'] === 'passed' && kept['cmi.core.score.raw'] === '100'").await;
    browser.until("kept['cmi.suspend_data'].includes('answer=nearly-all')").await;
    browser.picture("scorm").await;
    browser.run("close_unit();", vec![]).await;
    browser.until("calls.at(-1) === 'LMSFinish'").await;
    assert_eq!(kept(&browser, "cmi.core.exit").await, "suspend");
    assert!(kept(&browser, "cmi.core.session_time").await.starts_with("00:0"));

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
    assert_eq!(kept(&browser, "cmi.core.lesson_status").await, "passed");
    assert_eq!(kept(&browser, "cmi.core.score.raw").await, "100");
    assert!(kept(&browser, "cmi.suspend_data").await.len() <= SUSPENDED);
    assert_eq!(browser.run("return refused;", vec![]).await, json!([]), "every value was one that the standard has");
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
    let value = browser.run("return kept[arguments[0]];", vec![json!(name)]).await;
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

/// A course system as strict as the standard (SCORM 1.2 run-time environment, section 3.4): it keeps what it knows, in the form that
/// the standard gives it, between the beginning and the end of a session.
const COURSE_SYSTEM: &str = r"<!doctype html><html lang=en><title>A course system</title><link rel=icon href='data:,'><script>
const written = {
  'cmi.core.lesson_status': /^(passed|completed|failed|incomplete|browsed)$/,
  'cmi.core.score.raw': /^(100|\d{1,2})(\.\d+)?$/, 'cmi.core.score.min': /^0$/, 'cmi.core.score.max': /^100$/,
  'cmi.core.lesson_location': /^[^]{0,255}$/, 'cmi.core.exit': /^(time-out|suspend|logout|)$/,
  'cmi.core.session_time': /^\d{2,4}:\d\d:\d\d(\.\d{1,2})?$/, 'cmi.suspend_data': /^[^]{0,4096}$/,
};
const kept = { 'cmi.core.lesson_status': 'not attempted' }, calls = [], refused = [];
let is_open = false, error = '0';
function answer(name, code, value) {
  calls.push(name);
  error = code;
  if (code !== '0') refused.push([name, code, value]);
  return code === '0' ? value : '';
}
window.API = {
  LMSInitialize: (nothing) => { const fits = !is_open && nothing === ''; is_open = true; return answer('LMSInitialize', fits ? '0' : '101', 'true'); },
  LMSFinish: (nothing) => { const fits = is_open && nothing === ''; is_open = false; return answer('LMSFinish', fits ? '0' : '301', 'true'); },
  LMSCommit: (nothing) => answer('LMSCommit', is_open && nothing === '' ? '0' : '301', 'true'),
  LMSGetValue: (name) => answer('LMSGetValue', !is_open ? '301' : name in written ? '0' : '201', kept[name] ?? ''),
  LMSSetValue: (name, value) => {
    const code = !is_open ? '301' : !(name in written) ? '201' : typeof value === 'string' && written[name].test(value) ? '0' : '405';
    if (code === '0') kept[name] = value;
    return answer('LMSSetValue', code, code === '0' ? 'true' : name + '=' + value);
  },
  LMSGetLastError: () => error,
};
function open_unit() {
  const unit = document.createElement('iframe');
  Object.assign(unit, { id: 'unit', title: 'Unit', width: 1180, height: 840, src: './' });
  document.body.append(unit);
}
function close_unit() { document.getElementById('unit').remove(); }
</script><body>";
