//! A real `faultline serve`, started for a test and killed at its end.

use crate::tools::{faultline, free_port};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
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
    /// Starts `faultline serve` with further arguments and waits until it listens.
    pub fn start(arguments: &[&str]) -> Server {
        let addr = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(faultline());
        command.arg("serve").args(["--addr", &addr]).args(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = child.stderr.take().expect("stderr is piped");
        let lines = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().expect("nobody panics here").push(line);
            }
        });
        let begin = Instant::now();
        while TcpStream::connect(&addr).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(20), "the server does not listen: {:?}", log.lock());
            std::thread::sleep(Duration::from_millis(20));
        }
        Server { child, url: format!("http://{addr}"), log }
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

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
