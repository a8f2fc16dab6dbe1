//! A real `faultline serve`, started for a test and killed at its end.

use crate::tools::{faultline, site};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A running server.
pub struct Server {
    child: Child,
    /// Its address, such as `http://127.0.0.1:43210`.
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts `faultline serve` with further arguments on a free port and waits until it says that it is ready, and where.
    pub fn start(arguments: &[&str]) -> Server {
        let mut command = Command::new(faultline());
        command.arg("serve").args(["--addr", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = child.stderr.take().expect("stderr is piped");
        let lines = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().expect("nobody panics here").push(line);
            }
        });
        let mut server = Server { child, url: String::new(), log };
        let begin = Instant::now();
        while server.url.is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(20), "the server is not ready: {:?}", server.log());
            std::thread::sleep(Duration::from_millis(20));
            server.url = server.log().iter().find_map(|line| address(line)).unwrap_or_default();
        }
        server
    }

    /// The same for the built site, with nothing mounted.
    pub fn of_site() -> Server {
        Server::start(&["--site", &site().display().to_string()])
    }

    /// The lines it has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("nobody panics here").clone()
    }

    /// Asks it to stop, as an operator would, and waits until it has.
    pub fn stop(mut self, patience: Duration) {
        let terminated = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(terminated.is_ok_and(|status| status.success()), "the server can be told to stop");
        let begin = Instant::now();
        while self.child.try_wait().expect("it can be asked").is_none() {
            assert!(begin.elapsed() < patience, "the server does not stop: {:?}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Where the server listens, if this line of its log says that it is ready.
fn address(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let is_ready = line["message"] == "ready";
    is_ready.then(|| line["addr"].as_str().map(|url| url.trim_end_matches('/').to_string()))?
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
