//! What serializable transactions have read and written, and when no serial order can explain it any more.
//!
//! Serializable snapshot isolation (Cahill, Röhm and Fekete 2008; PostgreSQL's `predicate.c`). A transaction that reads
//! what a concurrent one overwrites must come before it in any serial order. Every anomaly of snapshot isolation has two
//! such edges in a row, reader -> pivot -> writer, where the writer is the first of the three to commit; so a pivot like
//! that is refused, or whoever makes it one if the pivot has committed. Reads are remembered as ranges of keys, hence
//! phantoms count. Some transactions are refused although a serial order exists, as in PostgreSQL.

use super::op::{Keys, Refusal, RowId};
use crate::ids::TransactionId;
use std::collections::BTreeMap;

/// The serializable transactions that run, and those that have committed since the oldest of them began.
#[derive(Clone, Debug)]
pub struct Conflicts {
    watched: BTreeMap<TransactionId, Watched>,
}

#[derive(Clone, Debug)]
struct Watched {
    /// Commits in its snapshot.
    snapshot: u64,
    /// Its own place in the order of commits; one that wrote nothing shares the place of the last that did.
    commit: Option<u64>,
    reads: Vec<Keys>,
    writes: Vec<RowId>,
    /// Who has read what it overwrites.
    readers: Vec<TransactionId>,
    /// The first commit among those who overwrote what it has read.
    overwritten_at: Option<u64>,
    /// It is a pivot and fails at its next statement.
    doomed: bool,
}

impl Watched {
    fn overlaps(&self, snapshot: u64) -> bool {
        self.commit.is_none_or(|commit| commit > snapshot)
    }
}

impl Conflicts {
    pub fn new() -> Conflicts {
        Conflicts { watched: BTreeMap::new() }
    }

    pub fn begin(&mut self, id: TransactionId, snapshot: u64) {
        let watched = Watched {
            snapshot,
            commit: None,
            reads: Vec::new(),
            writes: Vec::new(),
            readers: Vec::new(),
            overwritten_at: None,
            doomed: false,
        };
        self.watched.insert(id, watched);
    }

    pub fn on_read(&mut self, id: TransactionId, keys: Keys) -> Result<(), Refusal> {
        self.require_not_doomed(id)?;
        let own = self.get(id);
        if !own.reads.contains(&keys) {
            own.reads.push(keys);
        }
        let snapshot = own.snapshot;
        let wrote = |other: &Watched| other.overlaps(snapshot) && other.writes.iter().any(|row| keys.contains(*row));
        for writer in self.others(id, wrote) {
            self.on_overwritten(id, writer, id)?;
        }
        Ok(())
    }

    pub fn on_write(&mut self, id: TransactionId, row: RowId) -> Result<(), Refusal> {
        let own = self.get(id);
        own.writes.push(row);
        let snapshot = own.snapshot;
        let read = |other: &Watched| other.overlaps(snapshot) && other.reads.iter().any(|keys| keys.contains(row));
        for reader in self.others(id, read) {
            self.on_overwritten(reader, id, id)?;
        }
        Ok(())
    }

    pub fn on_commit(&mut self, id: TransactionId, number: u64) -> Result<(), Refusal> {
        self.require_not_doomed(id)?;
        let own = self.get(id);
        own.commit = Some(number);
        for reader in own.readers.clone() {
            if let Some(pivot) = self.watched.get_mut(&reader).filter(|pivot| pivot.commit.is_none()) {
                pivot.overwritten_at = pivot.overwritten_at.or(Some(number));
                self.get(reader).doomed |= self.is_pivot(reader);
            }
        }
        self.forget();
        Ok(())
    }

    pub fn on_rollback(&mut self, id: TransactionId) {
        self.watched.remove(&id);
        self.forget();
    }

    /// `reader` comes before `writer` in any serial order; one of them is `acting`.
    fn on_overwritten(
        &mut self,
        reader: TransactionId,
        writer: TransactionId,
        acting: TransactionId,
    ) -> Result<(), Refusal> {
        let written = self.get(writer);
        if !written.readers.contains(&reader) {
            written.readers.push(reader);
        }
        if let Some(commit) = written.commit {
            let read = self.get(reader);
            read.overwritten_at = Some(read.overwritten_at.map_or(commit, |first| first.min(commit)));
        }
        for pivot in [reader, writer] {
            if self.is_pivot(pivot) {
                let watched = self.get(pivot);
                if pivot == acting || watched.commit.is_some() {
                    return Err(Refusal::SerializationFailure);
                }
                watched.doomed = true;
            }
        }
        Ok(())
    }

    /// Whether somebody has read what it overwrites, and it what somebody overwrote who committed before both. If the
    /// reader wrote nothing, it matters only if its snapshot holds that commit.
    fn is_pivot(&self, id: TransactionId) -> bool {
        let pivot = &self.watched[&id];
        let Some(first) = pivot.overwritten_at else { return false };
        let came_first = |commit: Option<u64>| commit.is_none_or(|commit| first <= commit);
        let mut readers = pivot.readers.iter().filter_map(|reader| self.watched.get(reader));
        came_first(pivot.commit)
            && readers.any(|reader| {
                let only_read = reader.commit.is_some() && reader.writes.is_empty();
                came_first(reader.commit) && (!only_read || first <= reader.snapshot)
            })
    }

    fn others(&self, id: TransactionId, chosen: impl Fn(&Watched) -> bool) -> Vec<TransactionId> {
        let others = self.watched.iter().filter(|(other, watched)| **other != id && chosen(watched));
        others.map(|(other, _)| *other).collect()
    }

    fn require_not_doomed(&mut self, id: TransactionId) -> Result<(), Refusal> {
        match self.get(id).doomed {
            true => Err(Refusal::SerializationFailure),
            false => Ok(()),
        }
    }

    fn get(&mut self, id: TransactionId) -> &mut Watched {
        self.watched.get_mut(&id).expect("a serializable transaction is watched until it ends")
    }

    /// Forgets who committed before all that still run began.
    fn forget(&mut self) {
        let running = self.watched.values().filter(|watched| watched.commit.is_none());
        let oldest = running.map(|watched| watched.snapshot).min();
        self.watched.retain(|_, watched| oldest.is_some_and(|oldest| watched.overlaps(oldest)));
    }
}
