//! The sans-IO world of Faultline.
//!
//! Data flows one way, and a file uses its own folder and lower floors only:
//!
//! ```text
//! floor 0   time  ids  rng              u64 nanoseconds, typed ids, named random streams
//!           chunks blocks shared_map   tables, lists and maps whose clones share what was not written
//!       1   policy     store            facts and `now` in, a decision out · rows, transactions, locks: statements in
//!       2   scenario   trace            JSON -> validated plan · records and their digest
//!       3   engine                      world (step, input, observe) and run (seek, step back, fork)
//!       4   metrics    timeline         folds over the trace: rows, percentiles · why, lanes, incidents, words
//!       4   recording                   a mounted run's inputs as JSON lines, read to be replayed
//!       5   claim      lesson           promises and who judges them · the course's documents
//!                                       truth: cases with known answers, run through all of the above
//!                                       sweep: many runs over a grid and seeds, in shards
//!                                       link: what an address asks for
//!                                       message: what a page and the page around it say to each other
//! ```
//!
//! Read in that order. Deliberately absent: any clock, thread, file, socket or `await`; iteration over hash maps; the
//! standard library's transcendental functions (they differ between native and wasm).

pub mod blocks;
pub mod breakpoint;
pub mod chunks;
pub mod claim;
pub mod engine;
pub mod ids;
pub mod lesson;
pub mod link;
pub mod message;
pub mod metrics;
pub mod policy;
pub mod recording;
pub mod rng;
pub mod scenario;
pub mod shared_map;
pub mod store;
pub mod study;
pub mod sweep;
pub mod time;
pub mod timeline;
pub mod trace;
pub mod truth;

pub use metrics::Run;
