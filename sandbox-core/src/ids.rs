//! Typed ids, so that a node cannot be mistaken for a request.

use serde::{Deserialize, Serialize};

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
    /// The number of a trace record, from 0 in the order of emission.
    Seq(u32)
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

impl RequestId {
    /// The world's own traffic: health checks and monitors.
    pub const NONE: RequestId = RequestId(0);
}
