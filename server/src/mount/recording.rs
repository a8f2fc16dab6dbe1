//! The file that `serve --record` writes: [`sandbox_core::recording`] on a disk.

use super::driver::Summary;
use sandbox_core::engine::{LoggedInput, Mount as Outside};
use sandbox_core::recording::{End, FORMAT_VERSION, Header, Recording};
use sandbox_core::scenario::{Document, Plan, Problem};
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A killed server loses at most what it logged in this time.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// Writes the log on a thread of its own, so that the world never waits for a disk.
pub(super) struct Recorder {
    lines: mpsc::Sender<String>,
    thread: JoinHandle<()>,
    document: Value,
    variant: String,
    seed: u64,
}

impl Recorder {
    /// Opens the file.
    pub fn create(file: &Path, document: &Document, plan: &Plan) -> io::Result<Recorder> {
        let mut out = BufWriter::new(File::create(file)?);
        let (lines, waiting) = mpsc::channel::<String>();
        let shown = file.display().to_string();
        let work = move || {
            let mut write = || -> io::Result<()> {
                loop {
                    match waiting.recv_timeout(FLUSH_INTERVAL) {
                        Ok(line) => out.write_all(line.as_bytes())?,
                        Err(RecvTimeoutError::Timeout) => out.flush()?,
                        Err(RecvTimeoutError::Disconnected) => break out.flush(),
                    }
                }
            };
            if let Err(error) = write() {
                tracing::error!(file = shown, %error, "the recording is incomplete");
            }
        };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(work)?;
        let document = document.json().clone();
        Ok(Recorder { lines, thread, document, variant: plan.variant.clone(), seed: plan.seed })
    }

    /// Time starts.
    pub fn begin(&mut self, outside: &Outside) {
        let header = Header {
            format_version: FORMAT_VERSION,
            scenario: std::mem::take(&mut self.document),
            variant: self.variant.clone(),
            seed: self.seed,
            mount: outside.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        self.line(&header);
    }

    /// An input took effect.
    pub fn log(&mut self, input: &LoggedInput) {
        self.line(input);
    }

    /// Writes the end and waits until all is on its way to the disk.
    pub fn finish(self, summary: &Summary) {
        self.line(&End { end_ns: summary.end, steps: summary.steps, digest: summary.digest.clone() });
        drop(self.lines);
        let _ = self.thread.join();
    }

    fn line(&self, value: &impl Serialize) {
        let mut line = serde_json::to_string(value).expect("what we log can be written as JSON");
        line.push('\n');
        let _ = self.lines.send(line);
    }
}

/// Reads a recording. Errors: the file cannot be read, or every line of it that cannot be replayed.
pub fn read(file: &Path) -> Result<Recording, Vec<Problem>> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        vec![Problem::new(&name, format!("cannot be read: {error}"), "Name a file that `serve --record` wrote.")]
    })?;
    Recording::parse(&name, &text)
}
