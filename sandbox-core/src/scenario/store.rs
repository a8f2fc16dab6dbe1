//! A store that reads and writes values by key.

use super::dist::{Dist, DistSpec};
use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{Kind, limits};

spec! {
    /// Which store, and which cache before it.
    pub struct AccessSpec {
        /// The store.
        pub store: String,
        /// Cache-aside: look here first, store what was read, fall back to an expired copy if the store fails.
        pub cache?: Option<String>,
    }
}

spec! {
    /// Which store, which cache beside it, and on which condition (If-Match; ARCHITECTURE.md, "Policies").
    pub struct WriteSpec {
        /// The store.
        pub store: String,
        /// What was written is kept here as well.
        pub cache?: Option<String>,
        /// The version that the row must still have, or the step fails with 412, as an expression: `version` is that of
        /// the row read before. Below 1, or absent: there is no condition.
        pub if_match?: Option<String>,
        /// Whether a write without a condition is refused with 428.
        pub if_match_required?: bool,
    }
}

spec! {
    /// A database in the manner of SQLite in WAL mode: up to `readers` reads at once beside one writer; who finds no free
    /// connection waits in a line, and its caller's timeout bounds the wait.
    pub struct StoreSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// Reading connections.
        pub readers: u32,
        /// Rows; keys run from 0 to `rows` - 1.
        pub rows: u32,
        /// Time a read holds a reading connection.
        pub read: DistSpec,
        /// Time a write holds the one writing connection, its commit included.
        pub write: DistSpec,
    }
}

/// A store.
#[derive(Clone, Debug)]
pub struct StorePlan {
    /// Reading connections.
    pub readers: u32,
    /// Rows.
    pub rows: u32,
    /// Time of a read.
    pub read: Dist,
    /// Time of a write.
    pub write: Dist,
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn store(&mut self, path: &Path, store: &StoreSpec) -> Kind {
        self.within(&path.at("readers"), f64::from(store.readers), 1.0, f64::from(limits::PLACES));
        self.within(&path.at("rows"), f64::from(store.rows), 1.0, f64::from(limits::ROWS));
        let read = self.dist(&path.at("read"), &store.read);
        let write = self.dist(&path.at("write"), &store.write);
        Kind::Store(StorePlan { readers: store.readers.max(1), rows: store.rows.clamp(1, limits::ROWS), read, write })
    }
}
