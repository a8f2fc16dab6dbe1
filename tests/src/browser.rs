//! A real Chromium without a window, steered through its driver.

use crate::tools::{free_port, program, root};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use url::{ParseError, Url};

/// A browser with one page.
pub struct Browser {
    driver: Child,
    client: Client,
    _profile: tempfile::TempDir,
}

/// How long a page may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

impl Browser {
    /// Starts a browser with a window of this size; `dark` asks pages for their dark look.
    pub async fn start(width: u32, height: u32, dark: bool) -> Browser {
        let arguments = dark.then_some("--force-dark-mode");
        Browser::start_with(width, height, arguments).await
    }

    /// Starts a browser with a window of this size and an argument of its own.
    pub async fn start_with(width: u32, height: u32, argument: Option<&str>) -> Browser {
        let port = free_port();
        let driver = Command::new(program("FAULTLINE_CHROMEDRIVER", &["chromedriver"]))
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let mut arguments = vec![
            "--headless=new".to_string(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--hide-scrollbars".into(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        arguments.extend(argument.map(str::to_string));
        let chromium = program("FAULTLINE_CHROMIUM", &["chromium", "chromium-browser", "google-chrome"]);
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".into(), json!({ "args": arguments, "binary": chromium }));
        capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        let begin = Instant::now();
        let client = loop {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            match builder.capabilities(capabilities.clone()).connect(&format!("http://127.0.0.1:{port}")).await {
                Ok(client) => break client,
                Err(error) => assert!(begin.elapsed() < PATIENCE, "no browser: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let browser = Browser { driver, client, _profile: profile };
        browser.resize(width, height).await;
        browser
    }

    /// Gives the page exactly this size, whatever the window's least size is.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// A command of the browser's developer tools.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let command = Devtools { command: command.into(), parameters };
        self.client.issue_cmd(command).await.expect("the browser obeys")
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// The client, for what has no helper here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The element of a CSS selector, as soon as it is there.
    pub async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("`{css}` does not come: {error}; the page: {}", self.text("body").await),
        }
    }

    /// Clicks the element of a CSS selector.
    pub async fn click(&self, css: &str) {
        self.find(css).await;
        let click = "const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'}); e.click();";
        self.run(click, vec![json!(css)]).await;
    }

    /// Whether there is such an element now.
    pub async fn has(&self, css: &str) -> bool {
        self.run("return document.querySelector(arguments[0]) !== null;", vec![json!(css)]).await == json!(true)
    }

    /// The text of the element of a CSS selector; empty if there is none.
    pub async fn text(&self, css: &str) -> String {
        let text =
            self.run("const e = document.querySelector(arguments[0]); return e ? e.innerText : '';", vec![json!(css)]);
        text.await.as_str().unwrap_or_default().to_string()
    }

    /// An attribute of the element of a CSS selector.
    pub async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.find(css).await.attr(name).await.expect("attributes can be read")
    }

    /// Presses a key, in the element that has the focus.
    pub async fn press(&self, key: &str) {
        let down = json!({ "type": "keyDown", "key": key, "text": if key.len() == 1 { key } else { "" } });
        self.devtools("Input.dispatchKeyEvent", down).await;
        self.devtools("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key })).await;
    }

    /// Moves a knob of a lesson as a hand would: the value changes, then the hand lets go.
    pub async fn turn(&self, knob: &str, value: f64) {
        let script = "const e = document.querySelector(`[data-knob='${arguments[0]}']`); e.value = arguments[1]; \
                      e.dispatchEvent(new InputEvent('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true}));";
        self.find(&format!("[data-knob='{knob}']")).await;
        self.run(script, vec![json!(knob), json!(value)]).await;
    }

    /// Chooses an option of a select, as a hand would.
    pub async fn choose(&self, css: &str, value: &str) {
        let script = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
                      e.dispatchEvent(new Event('change', {bubbles: true}));";
        self.find(css).await;
        self.run(script, vec![json!(css), json!(value)]).await;
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs a script that hands its result to the function that is its last argument.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute_async(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Goes into the frame of a CSS selector: what follows is about the page in it.
    pub async fn enter(&self, css: &str) {
        self.find(css).await.enter_frame().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Goes back to the page around the frame.
    pub async fn leave(&self) {
        self.client.clone().enter_parent_frame().await.expect("there is a page around");
    }

    /// Waits until the run on the stage is the one that was asked for, computed to its end.
    pub async fn settled(&self) {
        self.until("document.querySelector('[data-player][data-ready=true][data-building=false]')").await;
    }

    /// Waits until the picture of the system, if there is one, is laid out for the frame that it has now.
    pub async fn laid_out(&self) {
        self.until(
            "[...document.querySelectorAll('.topo > svg')].every((drawn) => \
                 Math.abs(drawn.viewBox.baseVal.width - drawn.parentElement.clientWidth) < 2)",
        )
        .await;
    }

    /// Waits until a condition in the page's language holds.
    pub async fn until(&self, condition: &str) {
        let begin = Instant::now();
        while self.run(&format!("return !!({condition});"), vec![]).await != json!(true) {
            let page = self.text("body").await;
            assert!(begin.elapsed() < PATIENCE, "this does not come: {condition}\nthe page says: {page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Saves a picture of the page under `target/screenshots`, for people to look at.
    pub async fn picture(&self, name: &str) {
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        let png = self.client.screenshot().await.expect("a picture can be taken");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("the picture can be written");
    }

    /// What the page complained about on its console.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(ConsoleLog).await.expect("the console can be read");
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        let told = severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_string());
        // Stills are drawn for a release only.
        told.filter(|message| !message.contains("/still.png ")).collect()
    }

    /// Ends the browser.
    pub async fn close(mut self) {
        let _ = self.client.clone().close().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A developer-tools command, as Chromium's driver offers it beside WebDriver.
#[derive(Debug)]
struct Devtools {
    command: String,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}

/// The page's console.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
