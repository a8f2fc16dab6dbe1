//! A scenario as written: what the JSON may say, field by field, with units at the end of names.
//!
//! `spec_macro.rs` says how a declaration is read. Numbers are checked when the [`super::Plan`] is made.

use super::life_spec::RolloutSpec;
use super::spec_macro::spec;
use super::{
    CacheSpec, CallSpec, DatabaseSpec, FaultSpec, GatewaySpec, LinkSpec, Map, MonitorSpec, QueueSpec, ServiceSpec,
    SignalSpec, StoreSpec, WorkloadSpec,
};
use serde_json::Value;

spec! {
    /// A whole scenario. As written it is variant `A`, the problem; the variants are patches of it.
    pub struct Spec {
        /// Version of this format; 1.
        pub format_version: u32,
        /// Unique name, lower-case words joined by `-`.
        pub id: String,
        /// Title for people.
        pub title: String,
        /// What the scenario shows, in a sentence or two.
        pub about?: String,
        /// Where one can read more.
        pub reference?: Option<String>,
        /// What the model leaves out.
        pub leaves_out?: Option<String>,
        /// Seed of all randomness, below 2^53.
        pub seed: u64,
        /// How long the run lasts, in simulated seconds.
        pub duration_s: f64,
        /// The parts of the system.
        pub nodes: Map<NodeSpec>,
        /// Delays between nodes. A call between nodes without a link takes no time on the way.
        pub links?: Map<LinkSpec>,
        /// Who sends what.
        pub workloads: Map<WorkloadSpec>,
        /// What breaks when.
        pub faults?: Map<FaultSpec>,
        /// Instances that are replaced.
        pub rollouts?: Map<RolloutSpec>,
        /// Who watches what, and opens incidents.
        pub monitors?: Map<MonitorSpec>,
        /// Labels of requests: name to values, each with the condition that a request must meet to have it. All signals of
        /// requests take them beside `route`, `op`, `workload` and `client`.
        pub labels?: Map<Map<String>>,
        /// Signals of the scenario's own; the built-in ones need no declaration.
        pub metrics?: Map<SignalSpec>,
        /// What a learner may turn.
        pub knobs?: Map<KnobSpec>,
        /// Patches of this document.
        pub variants?: Map<VariantSpec>,
        /// What the scenario promises, checked over many seeds.
        pub claims?: Map<ClaimSpec>,
    }
}

spec! {
    /// A part of the system.
    // A document has few, and each is read once.
    #[expect(clippy::large_enum_variant)]
    pub enum NodeSpec tagged "kind" {
        /// People or programs that send requests.
        Client(ClientSpec),
        /// The entrance: checks tokens and quotas, passes requests on.
        Gateway(GatewaySpec),
        /// A service with workers.
        Service(ServiceSpec),
        /// A cache with copies of rows.
        Cache(CacheSpec),
        /// A database in the manner of SQLite in WAL mode: readers beside one writer.
        Store(StoreSpec),
        /// A queue of messages between services.
        Queue(QueueSpec),
        /// A database with tables, transactions and locks.
        Database(DatabaseSpec),
    }
}

spec! {
    /// People or programs that send requests.
    pub struct ClientSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// How this node calls others, by their id.
        pub calls?: Map<CallSpec>,
    }
}

spec! {
    /// Something a learner may turn.
    pub struct KnobSpec {
        /// Title for people.
        pub title: String,
        /// What it changes: a dotted path to a number of the document.
        pub path: String,
        /// Unit of the number, for people; empty for a plain count.
        pub unit: String,
        /// Smallest value.
        pub min: f64,
        /// Largest value.
        pub max: f64,
        /// Distance between two values.
        pub step: f64,
        /// What turning it does, in a sentence.
        pub help?: String,
    }
}

spec! {
    /// A patch of the document.
    pub struct VariantSpec {
        /// Title for people.
        pub title: String,
        /// Dotted path to value; null deletes.
        pub set?: Map<Value>,
    }
}

spec! {
    /// What the scenario promises.
    pub struct ClaimSpec {
        /// The promise in words.
        pub text: String,
        /// What part it plays.
        pub role: RoleSpec,
        /// The promise as an expression (ARCHITECTURE.md, "Claims").
        pub expr: String,
        /// Why a claim of role `context` is exempt from mutation, or why it is not as it `was`.
        pub reason?: Option<String>,
        /// The check of the catalogue that this claim stands for, where it is not the same.
        pub was?: Option<String>,
    }
}

spec! {
    /// What part a claim plays.
    pub enum RoleSpec {
        /// Shows the problem.
        Effect,
        /// Shows the cure.
        Cure,
        /// Shows the surroundings.
        Context,
    }
}
