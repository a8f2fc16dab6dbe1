//! Floor 3: the world and its runs.
//!
//! [`World`] is a sans-IO state machine: it knows what is due and what happens then, but no clock, thread or socket.
//! [`Run`] is a world with a past: it computes a run once, keeps keyframes, and goes to any moment of it.

mod address;
mod admission;
mod calendar;
mod calls;
mod causes;
mod connections;
mod ctx;
mod event;
mod gauge;
mod idempotency;
mod if_match;
mod io;
mod keyframes;
mod life;
mod limiter;
mod line;
mod nodes;
mod observe;
mod quota;
mod run;
mod sender;
mod sharing;
mod stay;
mod tokens;
mod watch;
mod way;
mod world;

pub use event::{Reason, Upcoming};
pub use gauge::{Gauge, GaugeRow, LevelRow};
pub use io::{CallId, CallOp, CallResult, Credential, Input, LoggedInput, Output};
pub use observe::{
    BreakerStateView, BreakerView, Health, IncidentState, IncidentView, NodeStatus, NodeView, Observation,
};
pub use run::{Fold, Logged, Position, Run, Script};
pub use world::{Mount, Steps, World, capacity};
