//! The file that `serve --record` writes and `run --replay` reads: JSON lines.
//!
//! The first line is a [`Header`] with the whole scenario as it ran, then comes one [`LoggedInput`] a line in the
//! order in which they took effect, and last the [`End`]. A server that was killed leaves no end; what it logged can
//! be replayed all the same.

use super::driver::Summary;
use sandbox_core::engine::{LoggedInput, Mount as Outside};
use sandbox_core::scenario::{Document, Plan, Problem};
use sandbox_core::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Version of this format.
const FORMAT_VERSION: u32 = 1;
/// A killed server loses at most what it logged in this time.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// The first line: what was mounted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// Version of this format; 1.
    pub format_version: u32,
    /// The whole scenario with variant and changes applied.
    pub scenario: Value,
    /// The variant it was made of.
    pub variant: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// Which nodes were real, and when time 0 was.
    #[schemars(with = "Value")]
    pub mount: Outside,
    /// Version of the program that wrote it.
    pub version: String,
}

/// The last line: where it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// The world's time at the end, in nanoseconds.
    #[schemars(with = "u64")]
    pub end_ns: Time,
    /// Events and inputs.
    pub steps: u64,
    /// Digest of all records.
    pub digest: String,
}

/// A recorded run.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What was mounted.
    pub header: Header,
    /// What came in.
    pub inputs: Vec<LoggedInput>,
    /// Where it ended; None if the server was killed.
    pub end: Option<End>,
}

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

/// Reads a recording; every line that cannot be read is a problem.
pub fn read(file: &Path) -> Result<Recorded, Vec<Problem>> {
    let path = file.display().to_string();
    let unreadable = |error: io::Error| {
        vec![Problem::new(&path, format!("cannot be read: {error}"), "Name a file that `serve --record` wrote.")]
    };
    let mut lines = BufReader::new(File::open(file).map_err(unreadable)?).lines().enumerate();
    let hint = "It must be a file that `serve --record` wrote, unchanged.";
    let header = match lines.next() {
        Some((_, Ok(line))) => serde_json::from_str::<Header>(&line)
            .map_err(|error| vec![Problem::new(format!("{path}:1"), format!("is no header: {error}"), hint)])?,
        Some((_, Err(error))) => return Err(unreadable(error)),
        None => return Err(vec![Problem::new(&path, "is empty", hint)]),
    };
    if header.format_version != FORMAT_VERSION {
        let what = format!("has format version {}, and this program reads {FORMAT_VERSION}", header.format_version);
        return Err(vec![Problem::new(&path, what, "Replay it with the version that wrote it.")]);
    }
    let (mut inputs, mut end, mut problems) = (Vec::new(), None, Vec::new());
    let mut lines = lines.peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.map_err(unreadable)?;
        let last = lines.peek().is_none();
        match serde_json::from_str::<LoggedInput>(&line) {
            Ok(input) if end.is_none() => inputs.push(input),
            Ok(_) => problems.push(Problem::new(format!("{path}:{}", index + 1), "stands after the end", hint)),
            Err(error) => match serde_json::from_str::<End>(&line) {
                Ok(found) => end = Some(found),
                // A killed server may have written half a line.
                Err(_) if last => {}
                Err(_) => problems.push(Problem::new(format!("{path}:{}", index + 1), format!("{error}"), hint)),
            },
        }
    }
    if problems.is_empty() { Ok(Recorded { header, inputs, end }) } else { Err(problems) }
}
