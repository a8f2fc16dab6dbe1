//! The file that `serve --record` writes: [`sandbox_core::recording`] on a disk.

use super::driver::Summary;
use sandbox_core::engine::{LoggedInput, Mount as Outside};
use sandbox_core::recording::{End, FORMAT_VERSION, Header, Recording};
use sandbox_core::scenario::{Document, Plan, Problem};
use serde::Serialize;
use serde_json::Value;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A killed server loses at most what it logged in this time.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);
/// Longest first line that is looked at, in bytes, to see whether a file is a recording.
const HEADER_MAX: u64 = 1 << 24;

/// Writes the log on a thread of its own, so that the world never waits for a disk.
pub(super) struct Recorder {
    lines: mpsc::Sender<String>,
    /// Its result says whether everything was written.
    thread: JoinHandle<bool>,
    document: Value,
    variant: String,
    seed: u64,
}

impl Recorder {
    /// Opens the file. Errors: it cannot be written, another server writes it, or it holds something else than a recording.
    pub fn create(file: &Path, document: &Document, plan: &Plan) -> io::Result<Recorder> {
        let mut out = BufWriter::new(open_alone(file)?);
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
            let written = write();
            if let Err(error) = &written {
                tracing::error!(file = shown, %error, "the recording is incomplete");
            }
            written.is_ok()
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

    /// Writes the end and waits until all is on its way to the disk. False: not everything could be written.
    pub fn finish(self, summary: &Summary) -> bool {
        self.line(&End { end_ns: summary.end, steps: summary.steps, digest: summary.digest.clone() });
        drop(self.lines);
        self.thread.join().unwrap_or(false)
    }

    fn line(&self, value: &impl Serialize) {
        let mut line = serde_json::to_string(value).expect("what we log can be written as JSON");
        line.push('\n');
        let _ = self.lines.send(line);
    }
}

/// Opens a file that this process alone writes, and empties it: it is new, or holds an earlier recording.
fn open_alone(file: &Path) -> io::Result<File> {
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(file)?;
    // Elsewhere a lock would keep readers out too. A file system without locks is no reason not to write.
    if cfg!(unix) && matches!(opened.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(io::Error::other("another server is writing it"));
    }
    // A device has nothing to lose.
    if opened.metadata()?.is_file() {
        let mut first = String::new();
        let read = BufReader::new((&opened).take(HEADER_MAX)).read_line(&mut first);
        let header: Option<Value> = serde_json::from_str(&first).ok();
        let is_header = header.is_some_and(|line| line.get("format_version").is_some() && line.get("mount").is_some());
        if !matches!(read, Ok(0)) && !is_header {
            return Err(io::Error::other("it exists and is no recording"));
        }
        (&opened).rewind()?;
        opened.set_len(0)?;
    }
    Ok(opened)
}

/// Reads a recording. Errors: the file cannot be read, or every line of it that cannot be replayed.
pub fn read(file: &Path) -> Result<Recording, Vec<Problem>> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        vec![Problem::new(&name, format!("cannot be read: {error}"), "Name a file that `serve --record` wrote.")]
    })?;
    Recording::parse(&name, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_recording_is_not_overwritten_and_what_is_being_written_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("r.jsonl");
        std::fs::write(&file, "{\"my\": \"notes\"}\n").expect("it can be written");
        assert!(open_alone(&file).is_err_and(|error| error.to_string().contains("no recording")));
        assert!(std::fs::read_to_string(&file).is_ok_and(|text| text.contains("notes")));
        std::fs::remove_file(&file).expect("it is there");
        let mut first = open_alone(&file).expect("it is new");
        writeln!(first, r#"{{"format_version": 1, "scenario": {{}}, "mount": {{}}}}"#).expect("it can be written");
        if cfg!(unix) {
            assert!(open_alone(&file).is_err_and(|error| error.to_string().contains("another server")));
        }
        drop(first);
        let again = open_alone(&file).expect("it is an earlier recording");
        assert_eq!(again.metadata().expect("it is there").len(), 0);
    }
}
