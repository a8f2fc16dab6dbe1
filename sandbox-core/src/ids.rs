//! Typed ids, so that a node cannot be mistaken for a request.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The id as an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// A running node: position in [`crate::scenario::Plan::nodes`]. A service with replicas is several nodes.
    NodeId(u16)
}
id! {
    /// A request as its user counts it, from 1; retries of it keep the number. 0 stands for the world's own traffic
    /// (health checks, monitors).
    RequestId(u32)
}
id! {
    /// A route of the plan: position in [`crate::scenario::Plan::routes`].
    RouteId(u8)
}
id! {
    /// An incident, from 1 in the order of opening.
    IncidentId(u16)
}

id! {
    /// A session of a store, which is one connection: from 0 in the order of opening.
    SessionId(u32)
}
id! {
    /// A table of a store: position in its schema.
    TableId(u8)
}
id! {
    /// A transaction of a store, from 1 in the order of its first statement. 0 stands for whoever filled the store.
    TransactionId(u64)
}

/// The number of a trace record, from 0 in the order of emission. Kept as one more, so that `Option<Seq>` takes no more room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Seq(NonZeroU32);

impl Seq {
    /// The record of this number. Panics at 2^32 - 1: no run has so many.
    pub const fn new(number: u32) -> Seq {
        Seq(NonZeroU32::new(number.wrapping_add(1)).expect("a run has fewer than 4.29 billion records"))
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0.get() - 1
    }

    /// Its number, or 2^32 - 1 for none.
    pub const fn number_or_max(seq: Option<Seq>) -> u32 {
        match seq {
            Some(Seq(next)) => next.get().wrapping_sub(1),
            None => u32::MAX,
        }
    }
}

impl TryFrom<u32> for Seq {
    type Error = &'static str;
    fn try_from(number: u32) -> Result<Seq, &'static str> {
        if number < u32::MAX { Ok(Seq::new(number)) } else { Err("no run has so many records") }
    }
}

impl From<Seq> for u32 {
    fn from(seq: Seq) -> u32 {
        seq.number()
    }
}

impl std::fmt::Debug for Seq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seq({})", self.number())
    }
}

impl RequestId {
    /// The world's own traffic: health checks and monitors.
    pub const NONE: RequestId = RequestId(0);
}
