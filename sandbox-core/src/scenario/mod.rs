//! Floor 2: a scenario, from the JSON somebody wrote to the plan that runs.
//!
//! [`Document`] is the JSON with its variants; [`Spec`] is one variant as data; [`Plan`] is validated and cannot hold
//! nonsense. Every problem is reported at once, with its path and a hint.

mod arrivals;
mod builtin;
mod connections;
mod dist;
mod document;
mod expr;
mod formula;
mod hint;
mod json;
mod knobs;
mod life;
mod life_spec;
mod liveness;
mod map;
mod partition;
mod path;
mod plan;
mod planner;
mod popularity;
mod problem;
mod program;
mod query;
pub(crate) mod read;
mod reader;
mod signals;
mod spec;
mod spec_macro;
mod vocabulary;
mod way;

pub use arrivals::{Arrivals, ArrivalsSpec, OpenLoop, Pace, RampPointSpec};
pub use builtin::{BUILT_INS, BuiltIn, BuiltInId, Of};
pub use connections::{ConnectionsPlan, ConnectionsSpec, HandshakeSpec};
pub use dist::{BranchSpec, Dist, DistSpec, PointSpec};
pub use document::{Document, KnobView, json_number};
pub use expr::Expr;
pub use formula::Formula;
pub use hint::{nearest, unknown};
pub use json::read_value;
pub use knobs::{drop_lost_knobs, fields};
pub use life::{AutoscalerPlan, CanaryPlan, FleetPlan, LifePlan, RolloutPlan};
pub use life_spec::*;
pub use map::Map;
pub use plan::{
    AlertNumber, AuditPlan, BatchingPlan, BulkheadPlan, CachePlan, CallPlan, ClientPlan, Condition, CpuLimitPlan,
    DatabasePlan, Discipline, FaultPlan, GatewayPlan, Hold, IdempotencyPlan, Inspected, Judges, Kind, MonitorPlan,
    NodePlan, Op, Plan, QueuePlan, RateLimitPlan, RetryOn, RetryPlan, RoutePlan, ServicePlan, StickyPlan, StorePlan,
    TokenPlan, Watched, WorkloadPlan, limits,
};
pub use popularity::{Popularity, PopularitySpec};
pub use problem::Problem;
pub use program::{
    AnswerStep, CallStep, ClaimStep, FilterPlan, LimitStep, Name, Program, ReadFrom, StatementPlan, StatementStep, Step,
};
pub use query::{Query, Reduced, Window, signal_text};
pub(crate) use read::read_json;
pub use reader::Reader;
pub use signals::{LabelPlan, RecordsPlan, SignalPlan, Signals, Source, instances};
pub use spec::*;
pub(crate) use spec_macro::spec;
pub use vocabulary::{Field, RECORD_KINDS, Vocabulary};
pub use way::{BandwidthSpec, LossSpec, WayPlan};
