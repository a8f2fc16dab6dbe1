//! A replica: a second copy of the tables that follows the commits of a store, later.
//!
//! Promise: it applies commits whole and in their order. A commit reaches it after `delay` (and not before the next round,
//! if the log is shipped in rounds), and is applied once those before it are, each row in its time. When the store is
//! lost, what has reached the replica is applied, and the rest is gone although its writers may have had their answers.
//! Asynchronous and semi-synchronous replication as in MySQL's manual and PostgreSQL's `synchronous_commit` (`off`, `on`).
//! A disk that a store writes behind is the same thing. Left out: several replicas, conflicts with what the replica reads.

use super::op::RowId;
use super::rows::{Row, Tables};
use crate::ids::RequestId;
use crate::time::{Span, Time};
use std::collections::VecDeque;

/// How a replica follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaConfig {
    /// The way to it, one way.
    pub delay: Span,
    /// Time between two rounds in which commits are shipped; zero: each at once.
    pub every: Span,
    /// Time to apply a changed row.
    pub apply_row: Span,
    /// Whether a commit is answered only when the replica has it.
    pub semi_sync: bool,
}

/// A copy of the tables and what it has still to do.
#[derive(Clone, Debug)]
pub struct Replica {
    config: ReplicaConfig,
    tables: Tables,
    /// Commits that are not applied yet, in order.
    log: VecDeque<Shipped>,
    /// When all of them will be.
    idle_from: Time,
}

#[derive(Clone, Debug)]
struct Shipped {
    request: RequestId,
    committed: Time,
    received: Time,
    applied: Time,
    rows: Vec<(RowId, Option<Row>)>,
}

impl Replica {
    /// A replica that holds these tables and has nothing to do.
    pub fn new(config: ReplicaConfig, tables: Tables) -> Replica {
        Replica { config, tables, log: VecDeque::new(), idle_from: Time::ZERO }
    }

    /// How much longer a commit takes for the replica's sake.
    pub fn extra(&self) -> Span {
        if self.config.semi_sync { self.config.delay + self.config.delay } else { Span::ZERO }
    }

    /// A commit of a request changed these rows now, to what they are since. One that waits for the replica has waited.
    pub fn on_commit(&mut self, now: Time, request: RequestId, rows: Vec<(RowId, Option<Row>)>) {
        let every = self.config.every.as_nanos();
        let rounds = now.as_nanos().checked_div(every);
        let sent = rounds.map_or(now, |rounds| Time::from_nanos((rounds + 1) * every));
        let received = match self.config.semi_sync {
            true => now,
            false => sent + self.config.delay,
        };
        let applied = self.idle_from.max(received) + self.config.apply_row.scaled(rows.len() as f64);
        self.idle_from = applied;
        self.log.push_back(Shipped { request, committed: now, received, applied, rows });
    }

    /// What it holds now.
    pub fn tables(&mut self, now: Time) -> &Tables {
        while self.log.front().is_some_and(|commit| commit.applied <= now) {
            self.apply_next();
        }
        &self.tables
    }

    fn apply_next(&mut self) {
        for (row, value) in self.log.pop_front().map(|commit| commit.rows).unwrap_or_default() {
            match value {
                Some(value) => self.tables.put(row, value),
                None => self.tables.remove(row),
            }
        }
    }

    /// How old the oldest commit is that it has not applied.
    pub fn lag(&mut self, now: Time) -> Span {
        self.tables(now);
        self.log.front().map_or(Span::ZERO, |commit| now.since(commit.committed))
    }

    /// The store is lost: what the replica holds once it has applied what has reached it, and the requests whose commits
    /// are gone.
    pub fn promote(mut self, now: Time) -> (Tables, Vec<RequestId>) {
        while self.log.front().is_some_and(|commit| commit.received <= now) {
            self.apply_next();
        }
        (self.tables, self.log.iter().map(|commit| commit.request).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{TableId, TransactionId};
    use crate::store::Stamp;

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + ms(millis)
    }

    fn row(key: u64) -> RowId {
        RowId { table: TableId(0), key }
    }

    fn value(number: i64) -> Option<Row> {
        Some(Row { fields: [number, 0, 0, 0], version: 1, stamp: Stamp { writer: TransactionId(1), commit: 1 } })
    }

    fn replica(every: u64, apply: u64, semi_sync: bool) -> Replica {
        let config = ReplicaConfig { delay: ms(10), every: ms(every), apply_row: ms(apply), semi_sync };
        Replica::new(config, Tables::new(1))
    }

    fn holds(replica: &mut Replica, now: Time) -> u64 {
        replica.tables(now).len(TableId(0))
    }

    #[test]
    fn commits_arrive_after_the_way_and_are_applied_one_after_the_other() {
        let mut replica = replica(0, 4, false);
        replica.on_commit(at(0), RequestId(1), vec![(row(1), value(1)), (row(2), value(2))]);
        replica.on_commit(at(5), RequestId(2), vec![(row(1), None)]);
        let seen: Vec<u64> = [17, 18, 21, 22].map(|now| holds(&mut replica, at(now))).to_vec();
        assert_eq!((seen, replica.lag(at(30))), (vec![0, 2, 2, 1], Span::ZERO));
    }

    /// Closed form: 1000 rows a second against 500 applied leave half of the time behind.
    #[test]
    fn a_slow_replica_falls_behind_by_the_difference_of_the_rates() {
        let mut replica = replica(0, 2, false);
        for n in 0..10_000 {
            replica.on_commit(at(n), RequestId(1), vec![(row(n), value(1))]);
        }
        let lag = replica.lag(at(10_000)).as_seconds();
        assert!((lag - 5.0).abs() < 0.02, "{lag}");
        assert_eq!(holds(&mut replica, at(20_020)), 10_000);
    }

    #[test]
    fn what_had_not_reached_it_is_lost() {
        let commits = |mut replica: Replica| {
            replica.on_commit(at(0), RequestId(1), vec![(row(1), value(1))]);
            replica.on_commit(at(95), RequestId(2), vec![(row(2), value(1))]);
            replica.on_commit(at(99), RequestId(3), vec![(row(3), value(1))]);
            let (tables, lost) = replica.promote(at(100));
            (tables.len(TableId(0)), lost)
        };
        assert_eq!(commits(replica(0, 50, false)), (1, vec![RequestId(2), RequestId(3)]));
        // In rounds of 100 ms even the first one is still on its way.
        assert_eq!(commits(replica(100, 0, false)), (0, vec![RequestId(1), RequestId(2), RequestId(3)]));
        // Whoever waits for the replica has its answer only when it is safe.
        assert_eq!(commits(replica(0, 50, true)).1, []);
    }
}
