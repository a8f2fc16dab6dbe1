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
    /// The place of a transaction among these.
    place: BTreeMap<(RowId, TransactionId), usize>,
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
            place: BTreeMap::new(),
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
                        let writers = facts.writers.entry(row).or_default();
                        facts.place.insert((row, *id), writers.len());
                        writers.push(*id);
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
            Some(seen) => Some(&writers[self.place.get(&(row, seen.writer))? + 1..]),
        }
    }

    /// What shows in the order of events, without any circle.
    fn while_they_ran(&self, events: &[(TransactionId, Event)], findings: &mut BTreeSet<Finding>) {
        let before = |at: Option<&usize>, now: usize| at.is_some_and(|at| *at < now);
        let mut read: BTreeMap<(TransactionId, RowId), Option<Seen>> = BTreeMap::new();
        let mut last_writer: BTreeMap<RowId, TransactionId> = BTreeMap::new();
        let mut own = BTreeSet::new();
        for (now, (id, event)) in events.iter().enumerate() {
            let mut find = |anomaly, row, other| {
                findings.insert(Finding { anomaly, row, transactions: vec![*id, other] });
            };
            match *event {
                Event::Wrote { row, .. } | Event::Deleted { row } => {
                    own.insert((*id, row));
                    if let Some(other) = last_writer.insert(row, *id).filter(|other| other != id)
                        && !before(self.ended.get(&other), now)
                    {
                        find(Anomaly::DirtyWrite, row, other);
                    }
                }
                Event::Read { row, seen } if !own.contains(&(*id, row)) => {
                    if let Some(seen) = seen.filter(|seen| seen.writer != TransactionId(0)) {
                        let last = self.last_version.get(&(seen.writer, row));
                        if !before(self.committed.get(&seen.writer), now) || last != Some(&seen.version) {
                            find(Anomaly::DirtyRead, row, seen.writer);
                        }
                    }
                    let next = self.later_writers(row, seen).and_then(|later| later.first());
                    if let Some(other) = next.filter(|other| self.committed[other] < self.began[id]) {
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
                    Some(circle) if self.facts.place.contains_key(&(edge.row, edge.from)) => {
                        (Anomaly::LostUpdate, circle)
                    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TableId;

    /// Reads a history: `r1x0` (transaction 1 reads the version of row x that 0 wrote), `w1x`, `d1x`, `c1`, `a1`; a
    /// version other than the writer's first comes after a dot (`r2x1.3`).
    fn history(text: &str) -> History {
        let mut history = History::new();
        let mut versions: BTreeMap<(RowId, TransactionId), u64> = BTreeMap::new();
        for word in text.split_whitespace() {
            let mut letters = word.chars();
            let what = letters.next().unwrap();
            let digit = |letter: char| TransactionId(letter.to_digit(10).unwrap().into());
            let id = digit(letters.next().unwrap());
            let row = letters.next().map(|row| RowId { table: TableId(0), key: row as u64 });
            let event = match (what, row) {
                ('b', _) => Event::Began,
                ('c', _) => Event::Committed,
                ('a', _) => Event::RolledBack,
                ('d', Some(row)) => Event::Deleted { row },
                ('w', Some(row)) => {
                    let version = versions.entry((row, id)).or_insert(0);
                    *version += 1;
                    Event::Wrote { row, version: *version }
                }
                ('r', Some(row)) => {
                    let writer = letters.next().map(digit);
                    let version = letters.as_str().strip_prefix('.').map_or(1, |version| version.parse().unwrap());
                    Event::Read { row, seen: writer.map(|writer| Seen { writer, version }) }
                }
                _ => panic!("{word}"),
            };
            history.push(id, event);
        }
        history
    }

    fn found(text: &str) -> Vec<(Anomaly, char, Vec<u64>)> {
        let letter = |row: RowId| char::from_u32(row.key as u32).unwrap();
        let ids = |finding: &Finding| finding.transactions.iter().map(|id| id.0).collect();
        history(text).findings().iter().map(|found| (found.anomaly, letter(found.row), ids(found))).collect()
    }

    #[test]
    fn a_serial_history_is_fine_and_so_is_one_with_an_order() {
        assert_eq!(found("r1x0 w1x c1 r2x1 w2x r2x2 c2 r3x2 c3"), []);
        assert_eq!(found("r1x0 w2x c2 w1y c1 r3x2 r3y1 c3"), []);
        assert_eq!(found("r1x w1x r1x1 d1x r1x c1 r2x w2x c2"), []);
    }

    #[test]
    fn what_is_rolled_back_counts_only_if_somebody_saw_it() {
        assert_eq!(found("r1x0 r2x0 w1x a1 w2x c2"), []);
        assert_eq!(found("w1x r2x1 a1 c2"), [(Anomaly::DirtyRead, 'x', vec![2, 1])]);
    }

    #[test]
    fn a_version_that_its_writer_replaced_is_a_dirty_read() {
        assert_eq!(found("w1x w1x c1 r2x1.1 c2"), [(Anomaly::DirtyRead, 'x', vec![2, 1])]);
        assert_eq!(found("w1x w1x c1 r2x1.2 c2"), []);
    }

    #[test]
    fn a_row_has_one_unfinished_writer() {
        assert_eq!(found("w1x w2x c1 c2"), [(Anomaly::DirtyWrite, 'x', vec![2, 1])]);
        assert_eq!(found("w1x a1 w2x c2"), []);
    }

    #[test]
    fn lost_update() {
        assert_eq!(found("r1x0 r2x0 w1x c1 w2x c2"), [(Anomaly::LostUpdate, 'x', vec![2, 1])]);
    }

    #[test]
    fn two_reads_of_one_row() {
        let expected = [(Anomaly::NonRepeatableRead, 'x', vec![1, 2]), (Anomaly::ReadSkew, 'x', vec![1, 2])];
        assert_eq!(found("r1x0 w2x c2 r1x2 c1"), expected);
        assert_eq!(found("r1x0 w1x r1x1 c1"), []);
    }

    #[test]
    fn half_of_a_transfer() {
        assert_eq!(found("r1x0 w2x w2y c2 r1y2 c1"), [(Anomaly::ReadSkew, 'x', vec![1, 2])]);
    }

    #[test]
    fn write_skew_between_two_and_with_a_reader() {
        let both = [(Anomaly::WriteSkew, 'x', vec![2, 1]), (Anomaly::WriteSkew, 'y', vec![1, 2])];
        assert_eq!(found("r1x0 r1y0 r2x0 r2y0 w1x w2y c1 c2"), both);
        let names = found("r1x0 r1y0 w2y c2 r3x0 r3y2 c3 w1x c1");
        assert!(names.iter().all(|(anomaly, _, members)| *anomaly == Anomaly::WriteSkew && members.len() == 3));
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn each_reads_what_the_other_wrote() {
        let anomalies: BTreeSet<Anomaly> =
            found("w1x w2y r1y2 r2x1 c1 c2").into_iter().map(|(anomaly, _, _)| anomaly).collect();
        assert_eq!(anomalies, BTreeSet::from([Anomaly::DirtyRead, Anomaly::CircularFlow]));
    }

    #[test]
    fn an_old_version_is_stale_only_for_who_began_later() {
        assert_eq!(found("w1x c1 r2x0 c2"), [(Anomaly::StaleRead, 'x', vec![2, 1])]);
        assert_eq!(found("b2 w1x c1 r2x0 c2"), []);
    }

    #[test]
    fn a_long_chain_has_no_circle() {
        let mut history = History::new();
        let row = RowId { table: TableId(0), key: 0 };
        for number in 1..=20_000 {
            let seen = Some(Seen { writer: TransactionId(number - 1), version: number });
            history.push(TransactionId(number), Event::Read { row, seen });
            history.push(TransactionId(number), Event::Wrote { row, version: number + 1 });
            history.push(TransactionId(number), Event::Committed);
        }
        assert_eq!(history.findings(), []);
    }
}
