//! Judges what transactions have seen and done, without knowing how the store works.
//!
//! A history is a log of events in the order in which they happened: who began, read which version, wrote, committed.
//! The versions of a row are ordered by the commits of their writers, which gives three kinds of dependencies between
//! committed transactions: *ww* (the next version is by), *wr* (has read the version by), *rw* (has read what was
//! overwritten by). A history is serializable exactly if these make no circle; what is wrong otherwise has a name that
//! depends on the kinds in the circle (Adya, Liskov and O'Neil 2000). Left out: predicates, so a phantom shows only
//! through rows that were looked for by their keys; and reads of nothing where a row has been deleted.

use super::op::RowId;
use crate::ids::TransactionId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Something that happened in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its first statement, or BEGIN.
    Began,
    /// It read a row.
    Read {
        /// Which.
        row: RowId,
        /// What it found; `None` if there was no such row.
        seen: Option<Seen>,
    },
    /// It inserted or updated a row.
    Wrote {
        /// Which.
        row: RowId,
        /// The version that it made.
        version: u64,
    },
    /// It deleted a row.
    Deleted {
        /// Which.
        row: RowId,
    },
    /// It committed.
    Committed,
    /// It was rolled back.
    RolledBack,
}

/// The version of a row that a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Who wrote it; 0 for the rows a store was filled with.
    pub writer: TransactionId,
    /// The row's own count.
    pub version: u64,
}

/// What can go wrong between transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// It overwrote a row whose writer had not ended (P0).
    DirtyWrite,
    /// It read a version that was not committed then, or that its writer replaced (G1a, G1b).
    DirtyRead,
    /// It read the same row twice and saw two versions, neither its own (P2).
    NonRepeatableRead,
    /// It read a version that somebody had overwritten, and committed, before it began.
    StaleRead,
    /// A circle of writes and reads only: each saw what another wrote (G1c).
    CircularFlow,
    /// It read a row, somebody else committed a change to it, and it wrote over that change (P4).
    LostUpdate,
    /// It saw some of what another transaction did and not the rest (G-single).
    ReadSkew,
    /// Each read what another changed, and no order of the two explains both (G2).
    WriteSkew,
}

/// An anomaly and who is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What is wrong.
    pub anomaly: Anomaly,
    /// A row on which it shows.
    pub row: RowId,
    /// First the transaction that it befell, then the others, in the order of the circle if there is one.
    pub transactions: Vec<TransactionId>,
}

/// A log of events.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<(TransactionId, Event)>,
}

impl History {
    /// An empty log.
    pub fn new() -> History {
        History::default()
    }

    /// Something happened, now.
    pub fn push(&mut self, transaction: TransactionId, event: Event) {
        self.events.push((transaction, event));
    }

    /// All that is wrong, each once, in the order of [`Anomaly`]. A transaction that has not ended counts as rolled back.
    pub fn findings(&self) -> Vec<Finding> {
        let facts = Facts::of(&self.events);
        let mut findings = BTreeSet::new();
        facts.while_they_ran(&self.events, &mut findings);
        Graph::of(&facts, &self.events).circles(&mut findings);
        findings.into_iter().collect()
    }
}

/// When transactions began and ended, and who wrote the versions of each row.
struct Facts {
    began: BTreeMap<TransactionId, usize>,
    committed: BTreeMap<TransactionId, usize>,
    ended: BTreeMap<TransactionId, usize>,
    /// Committed writers of a row in the order of their commits.
    writers: BTreeMap<RowId, Vec<TransactionId>>,
    deleted: BTreeSet<RowId>,
    /// The last version that a transaction made of a row.
    last_version: BTreeMap<(TransactionId, RowId), u64>,
}

impl Facts {
    fn of(events: &[(TransactionId, Event)]) -> Facts {
        let mut facts = Facts {
            began: BTreeMap::new(),
            committed: BTreeMap::new(),
            ended: BTreeMap::new(),
            writers: BTreeMap::new(),
            deleted: BTreeSet::new(),
            last_version: BTreeMap::new(),
        };
        let mut written: BTreeMap<TransactionId, BTreeSet<RowId>> = BTreeMap::new();
        for (at, (id, event)) in events.iter().enumerate() {
            facts.began.entry(*id).or_insert(at);
            match *event {
                Event::Began | Event::Read { .. } => {}
                Event::Wrote { row, version } => {
                    facts.last_version.insert((*id, row), version);
                    written.entry(*id).or_default().insert(row);
                }
                Event::Deleted { row } => {
                    facts.deleted.insert(row);
                    written.entry(*id).or_default().insert(row);
                }
                Event::RolledBack => drop(facts.ended.insert(*id, at)),
                Event::Committed => {
                    facts.ended.insert(*id, at);
                    facts.committed.insert(*id, at);
                    for row in written.remove(id).unwrap_or_default() {
                        facts.writers.entry(row).or_default().push(*id);
                    }
                }
            }
        }
        facts
    }

    /// Who wrote the versions of a row that come after the one seen; all of them if the row was there from the start.
    /// `None` if the log does not tell which version it was.
    fn later_writers(&self, row: RowId, seen: Option<Seen>) -> Option<&[TransactionId]> {
        let writers = self.writers.get(&row).map_or(&[][..], Vec::as_slice);
        match seen {
            None if self.deleted.contains(&row) => None,
            None => Some(writers),
            Some(seen) if seen.writer == TransactionId(0) => Some(writers),
            Some(seen) => {
                let at = writers.iter().position(|writer| *writer == seen.writer)?;
                Some(&writers[at + 1..])
            }
        }
    }

    /// What shows in the order of events, without any circle.
    fn while_they_ran(&self, events: &[(TransactionId, Event)], findings: &mut BTreeSet<Finding>) {
        let before = |at: Option<&usize>, now: usize| at.is_some_and(|at| *at < now);
        let mut read: BTreeMap<(TransactionId, RowId), Option<Seen>> = BTreeMap::new();
        let mut last_writer: BTreeMap<RowId, TransactionId> = BTreeMap::new();
        for (now, (id, event)) in events.iter().enumerate() {
            let mut find = |anomaly, row, other| {
                findings.insert(Finding { anomaly, row, transactions: vec![*id, other] });
            };
            match *event {
                Event::Wrote { row, .. } | Event::Deleted { row } => {
                    if let Some(other) = last_writer.insert(row, *id).filter(|other| other != id) {
                        if !before(self.ended.get(&other), now) {
                            find(Anomaly::DirtyWrite, row, other);
                        }
                    }
                }
                Event::Read { row, seen } if seen.is_none_or(|seen| seen.writer != *id) => {
                    if let Some(seen) = seen.filter(|seen| seen.writer != TransactionId(0)) {
                        let last = self.last_version.get(&(seen.writer, row));
                        if !before(self.committed.get(&seen.writer), now) || last != Some(&seen.version) {
                            find(Anomaly::DirtyRead, row, seen.writer);
                        }
                    }
                    let later = self.later_writers(row, seen).unwrap_or_default();
                    let began = self.began[id];
                    if let Some(other) = later.iter().find(|other| before(self.committed.get(other), began)) {
                        find(Anomaly::StaleRead, row, *other);
                    }
                    if let Some(earlier) = read.insert((*id, row), seen).filter(|earlier| *earlier != seen) {
                        let other = seen.or(earlier).expect("one of two that differ is there");
                        find(Anomaly::NonRepeatableRead, row, other.writer);
                    }
                }
                _ => {}
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ww,
    Wr,
    Rw,
}

/// A dependency: `from` comes before `to` in any serial order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: TransactionId,
    to: TransactionId,
    kind: Kind,
    row: RowId,
}

/// Those dependencies between committed transactions that may lie on a circle.
struct Graph<'a> {
    facts: &'a Facts,
    edges: BTreeMap<TransactionId, BTreeSet<Edge>>,
}

impl<'a> Graph<'a> {
    fn of(facts: &'a Facts, events: &[(TransactionId, Event)]) -> Graph<'a> {
        let mut edges = BTreeSet::new();
        for (row, writers) in &facts.writers {
            for two in writers.windows(2) {
                edges.insert(Edge { from: two[0], to: two[1], kind: Kind::Ww, row: *row });
            }
        }
        for (id, event) in events.iter().filter(|(id, _)| facts.committed.contains_key(id)) {
            let Event::Read { row, seen } = *event else { continue };
            if let Some(seen) = seen.filter(|seen| facts.committed.contains_key(&seen.writer)) {
                edges.insert(Edge { from: seen.writer, to: *id, kind: Kind::Wr, row });
            }
            if let Some(next) = facts.later_writers(row, seen).and_then(|later| later.first()) {
                edges.insert(Edge { from: *id, to: *next, kind: Kind::Rw, row });
            }
        }
        edges.retain(|edge| edge.from != edge.to);
        let mut graph = Graph { facts, edges: BTreeMap::new() };
        for edge in in_circles(edges) {
            graph.edges.entry(edge.from).or_default().insert(edge);
        }
        graph
    }

    /// Names each circle by its weakest part: one through writes and reads alone, one with a single rw, one with more.
    fn circles(&self, findings: &mut BTreeSet<Finding>) {
        for edge in self.edges.values().flatten() {
            let back = |kinds: &[Kind]| self.path(edge.to, edge.from, kinds);
            let (anomaly, circle) = match edge.kind {
                Kind::Ww => continue,
                Kind::Wr => match back(&[Kind::Ww, Kind::Wr]) {
                    Some(circle) => (Anomaly::CircularFlow, circle),
                    None => continue,
                },
                Kind::Rw => match back(&[Kind::Ww, Kind::Wr]) {
                    Some(circle) if self.wrote(edge.from, edge.row) => (Anomaly::LostUpdate, circle),
                    Some(circle) => (Anomaly::ReadSkew, circle),
                    None => match back(&[Kind::Ww, Kind::Wr, Kind::Rw]) {
                        Some(circle) => (Anomaly::WriteSkew, circle),
                        None => continue,
                    },
                },
            };
            let mut transactions = vec![edge.from];
            transactions.extend(circle);
            findings.insert(Finding { anomaly, row: edge.row, transactions });
        }
    }

    fn wrote(&self, id: TransactionId, row: RowId) -> bool {
        self.facts.writers.get(&row).is_some_and(|writers| writers.contains(&id))
    }

    /// A shortest way over these kinds of edges: all on it but `to`.
    fn path(&self, from: TransactionId, to: TransactionId, kinds: &[Kind]) -> Option<Vec<TransactionId>> {
        let mut came_from = BTreeMap::from([(from, from)]);
        let mut next = VecDeque::from([from]);
        while let Some(at) = next.pop_front() {
            for edge in self.edges.get(&at).into_iter().flatten().filter(|edge| kinds.contains(&edge.kind)) {
                if edge.to == to {
                    let mut way = vec![at];
                    while way[way.len() - 1] != from {
                        way.push(came_from[&way[way.len() - 1]]);
                    }
                    way.reverse();
                    return Some(way);
                }
                came_from.entry(edge.to).or_insert_with(|| {
                    next.push_back(edge.to);
                    at
                });
            }
        }
        None
    }
}

/// The edges that may lie on a circle: what remains when whoever has no edge in is taken away, again and again, and then
/// whoever has none out. Nearly all of a long history goes here.
fn in_circles(edges: BTreeSet<Edge>) -> Vec<Edge> {
    let reachable = peel(edges.into_iter().collect(), |edge| (edge.from, edge.to));
    peel(reachable, |edge| (edge.to, edge.from))
}

fn peel(edges: Vec<Edge>, ends: impl Fn(&Edge) -> (TransactionId, TransactionId)) -> Vec<Edge> {
    let mut ways_in: BTreeMap<TransactionId, u32> = BTreeMap::new();
    let mut out: BTreeMap<TransactionId, Vec<TransactionId>> = BTreeMap::new();
    for edge in &edges {
        let (tail, head) = ends(edge);
        ways_in.entry(tail).or_default();
        *ways_in.entry(head).or_default() += 1;
        out.entry(tail).or_default().push(head);
    }
    let mut peeled: Vec<TransactionId> = ways_in.iter().filter(|(_, ways)| **ways == 0).map(|(id, _)| *id).collect();
    while let Some(id) = peeled.pop() {
        for head in out.remove(&id).unwrap_or_default() {
            let ways = ways_in.get_mut(&head).expect("every head was counted");
            *ways -= 1;
            if *ways == 0 {
                peeled.push(head);
            }
        }
    }
    edges.into_iter().filter(|edge| ways_in[&ends(edge).0] > 0).collect()
}
