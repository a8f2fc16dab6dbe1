//! The write-ahead log of SQLite: how long it is, how much of it the database has, and which readers hold it up.
//!
//! Pages of a commit are appended as frames. A checkpoint copies frames into the database up to the oldest place that a
//! reader still reads; once all are copied and no reader uses the log, the next writer starts it again from the front.
//! So one long reader makes it grow. Follows `wal.c`. Left out: the limit of four different places that readers can
//! hold (a fifth reader there shares an older place), crash recovery.

use super::op::CheckpointMode;
use super::rows::Page;
use crate::ids::SessionId;
use crate::shared_map::SharedMap;
use std::collections::BTreeSet;

/// The log of one database.
#[derive(Clone, Debug)]
pub struct Wal {
    /// Frames in the log (`mxFrame`).
    frames: u32,
    /// How many of them, from the front, lie in the database too (`nBackfill`).
    backfilled: u32,
    /// The longest the log has been since it was last cut.
    file_frames: u32,
    /// How often the log was started again from the front.
    restarts: u64,
    /// Raised by every commit and by every cut (the header of the wal-index).
    header: u64,
    /// The latest frame of each page in the log.
    latest: SharedMap<Page, u32>,
}

/// Where a transaction reads: its snapshot as the log knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    header: u64,
    frames: u32,
    /// It began when the database had all, and does not look into the log.
    database_only: bool,
}

impl Wal {
    pub(super) fn new() -> Wal {
        Wal { frames: 0, backfilled: 0, file_frames: 0, restarts: 0, header: 0, latest: SharedMap::new() }
    }

    /// Frames in the log; a reader searches them, so reads get slower with it.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// How many of them, from the front, lie in the database too.
    pub fn backfilled(&self) -> u32 {
        self.backfilled
    }

    /// The length of the file in frames: the longest the log has been since it was last cut.
    pub fn file_frames(&self) -> u32 {
        self.file_frames
    }

    /// How often the log was started again from the front.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// The place of a transaction that begins to read now.
    pub(super) fn mark(&self) -> Mark {
        Mark { header: self.header, frames: self.frames, database_only: self.frames == self.backfilled }
    }

    /// Whether the place is still the newest, so that its transaction may write.
    pub(super) fn is_newest(&self, mark: Mark) -> bool {
        mark.header == self.header
    }

    /// Appends the pages of a commit and tells whether the log begins with them. `others` are the places of all other
    /// readers.
    pub(super) fn append(&mut self, pages: &BTreeSet<Page>, own: Mark, mut others: impl Iterator<Item = Mark>) -> bool {
        if own.database_only && self.backfilled > 0 && others.all(|mark| mark.database_only) {
            self.start_again();
        }
        let begins = self.frames == 0;
        for page in pages {
            self.frames += 1;
            self.latest.insert(*page, self.frames);
        }
        self.file_frames = self.file_frames.max(self.frames);
        self.header += 1;
        begins
    }

    /// Does what it can of a checkpoint: returns the pages copied, and which reader kept it from doing all its mode
    /// asks for.
    pub(super) fn checkpoint<R>(&mut self, mode: CheckpointMode, readers: R) -> (u32, Option<SessionId>)
    where
        R: Iterator<Item = (SessionId, Mark)> + Clone,
    {
        let backfilled = self.backfilled;
        let reach = |mark: Mark| if mark.database_only { backfilled } else { mark.frames };
        let oldest = readers.clone().min_by_key(|(_, mark)| reach(*mark));
        let safe = oldest.map_or(self.frames, |(_, mark)| reach(mark));
        let pages = self.latest.iter().filter(|(_, frame)| (backfilled + 1..=safe).contains(frame)).count() as u32;
        self.backfilled = safe.max(backfilled);
        let blocked_by = match mode {
            CheckpointMode::Passive => None,
            _ if self.backfilled < self.frames => oldest.map(|(reader, _)| reader),
            CheckpointMode::Full => None,
            CheckpointMode::Restart | CheckpointMode::Truncate => {
                readers.clone().find(|(_, mark)| !mark.database_only).map(|(reader, _)| reader)
            }
        };
        if mode == CheckpointMode::Truncate && blocked_by.is_none() {
            self.start_again();
            self.file_frames = 0;
            self.header += 1;
        }
        (pages, blocked_by)
    }

    fn start_again(&mut self) {
        self.restarts += u64::from(self.frames > 0);
        (self.frames, self.backfilled) = (0, 0);
        self.latest = SharedMap::new();
    }
}
