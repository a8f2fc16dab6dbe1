//! The sizes a document may have, so that none can hang or exhaust a page.

/// Nodes, replicas counted one by one.
pub const NODES: usize = 600;
/// Simulated seconds.
pub const DURATION_S: f64 = 86_400.0;
/// Requests of all workloads together: rate times duration.
pub const REQUESTS: f64 = 5_000_000.0;
/// Requests of a workload that does not say how many at most, whatever chance and quick answers make of its rate.
pub const REQUESTS_SENT: u32 = 10_000_000;
/// Rows, keys and copies.
pub const ROWS: u32 = 1_000_000;
/// Rows and copies of all nodes together.
pub const ROWS_IN_ALL: f64 = 5_000_000.0;
/// Tables of a database.
pub const TABLES: usize = 64;
/// Steps of all programs of all instances of a service.
pub const STEPS: u64 = 1_000_000;
/// Simulated seconds times nodes: each node's gauges are kept for each second.
pub const NODE_SECONDS: f64 = 10_000_000.0;
/// Workers, connections and waiting places of a node.
pub const PLACES: u32 = 1_000_000;
/// Workloads.
pub const WORKLOADS: usize = 64;
/// Monitors with an alert rule.
pub const ALERTS: usize = 32;
/// Clients of a closed loop.
pub const CLIENTS: u32 = 100_000;
/// Users of a workload; each has a token that is really signed.
pub const USERS: u32 = 100_000;
/// Routes of all workloads together.
pub const ROUTES: usize = 64;
/// Entries of a list: quantiles, points or branches of a distribution, points of a ramp.
pub const POINTS: usize = 10_000;
/// The longest time that a document may write for a piece of work or a pause: an hour.
pub const LENGTH_MS: f64 = 3_600_000.0;
