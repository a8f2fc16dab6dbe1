//! The native side of Faultline: the command line, and the server that mounts a world on the wall clock.
//!
//! ```text
//! cli        one file per command; the only place that prints
//! export     a lesson as one HTML file, as a package for course systems
//! validate   simulated beside mounted beside real · calibrate  service times of real parts · load  open-loop load
//! serve      a server's life: start, serve, drain
//! app        state and routes · routes  one file per resource · auth  error  metrics
//! mount      the world's thread: driver, mailbox, ledger, recording, real nodes
//! clock      instants as times of the world · output  what commands print as JSON
//! ```
//!
//! Read from the bottom. What is absent: policies, queues and retries; those are the world's, in `sandbox-core`.

pub mod app;
pub mod auth;
pub mod calibrate;
pub mod cli;
pub mod clock;
pub mod error;
pub mod export;
pub mod load;
pub mod metrics;
pub mod mount;
pub mod output;
pub mod routes;
pub mod serve;
pub mod validate;
