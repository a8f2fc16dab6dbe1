//! Faults, and the condition of a node under them.

use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use super::{NodeSpec, Plan};
use crate::ids::NodeId;
use crate::time::Time;

spec! {
    /// What breaks when: in `[from_s, to_s)`.
    pub struct FaultSpec {
        /// Title for people; the id if absent.
        pub title?: Option<String>,
        /// The node it hits; all replicas, or one of them as `api-1`.
        pub node: String,
        /// What it does.
        pub effect: EffectSpec,
        /// Begins at this second.
        pub from_s: f64,
        /// Ends at this second.
        pub to_s: f64,
    }
}

spec! {
    /// What a fault does.
    pub enum EffectSpec tagged "kind" {
        /// The node refuses every new call at once; calls under way are finished.
        Down {},
        /// Work takes this many times as long.
        Slow {
            /// How many times as long.
            factor: f64,
        },
        /// This share of calls fails with an internal error after its work.
        Errors {
            /// Share of calls, from 0 to 1.
            ratio: f64,
        },
        /// Nothing progresses; work goes on where it stopped when the fault is over.
        Freeze {},
        /// No work begins; what has begun is finished.
        HoldStarts {},
        /// The database is lost: it refuses until the fault is over, and has then become its replica, without what had not
        /// reached that yet.
        FailOver {},
        /// Messages between the node and its caller are lost. TCP sends each again after 200 ms (the link's `rto_ms`), and
        /// again after twice as long each time, until one gets through.
        Partition {
            /// The caller; all replicas, or one of them as `api-1`.
            from: String,
            /// Which messages.
            lost?: LostSpec,
        },
        /// The `connections` that the caller has with the node when the fault begins are dead, and neither is told: what is
        /// sent over them never arrives. New ones work. Somewhere on the way a firewall has forgotten them.
        HalfOpen {
            /// The caller; all replicas, or one of them as `api-1`.
            from: String,
        },
        /// The process dies: what it had begun, and who waited for it, is lost, and its callers' connections break (502). It
        /// does not start again before the fault is over (`life`).
        Crash {},
    }
}

spec! {
    /// Which messages a partition loses.
    #[derive(Default)]
    pub enum LostSpec {
        /// Requests and answers.
        #[default]
        Both,
        /// Requests only.
        Requests,
        /// Answers only: the work is done, and nobody knows.
        Answers,
    }
}

/// A fault of the plan.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// Key in the document.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The nodes it hits.
    pub nodes: Vec<NodeId>,
    /// If it hits the ways to these nodes rather than the nodes: their callers.
    pub callers: Vec<NodeId>,
    /// What it does.
    pub effect: EffectSpec,
    /// Begins.
    pub from: Time,
    /// Ends.
    pub to: Time,
}

impl FaultPlan {
    /// Whether it hits the node, and not only the way to it.
    #[inline]
    pub fn is_on(&self, node: NodeId) -> bool {
        self.callers.is_empty() && self.nodes.contains(&node)
    }

    /// Whether a message that one node sends to another at this instant is lost.
    #[inline]
    pub(super) fn loses(&self, from: NodeId, to: NodeId, at: Time) -> bool {
        let EffectSpec::Partition { lost, .. } = &self.effect else { return false };
        let goes = |callers: &[NodeId], callees: &[NodeId]| callers.contains(&from) && callees.contains(&to);
        (self.from..self.to).contains(&at)
            && (*lost != LostSpec::Answers && goes(&self.callers, &self.nodes)
                || *lost != LostSpec::Requests && goes(&self.nodes, &self.callers))
    }

    #[inline]
    pub(super) fn describe(&self, plan: &Plan) -> String {
        let nodes: Vec<&str> = self.nodes.iter().map(|node| plan.nodes[node.index()].id.as_str()).collect();
        let effect = match self.effect {
            EffectSpec::Down {} => "is down".to_string(),
            EffectSpec::Slow { factor } => format!("is {factor} times slower"),
            EffectSpec::Errors { ratio } => format!("fails {:.0} % of its calls", ratio * 100.0),
            EffectSpec::Freeze {} => "stands still".to_string(),
            EffectSpec::HoldStarts {} => "begins nothing new".to_string(),
            EffectSpec::FailOver {} => "is lost, and its replica takes over".to_string(),
            EffectSpec::Crash {} => "has crashed".to_string(),
            EffectSpec::Partition { ref from, .. } => format!("is cut off from {from}"),
            EffectSpec::HalfOpen { ref from } => format!("has dead connections with {from}"),
        };
        format!("{} {effect} from {} s to {} s", nodes.join(", "), self.from.as_seconds(), self.to.as_seconds())
    }
}

/// What faults and chance make of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Refuses new calls.
    pub down: bool,
    /// Has broken down by chance, and is not repaired yet.
    pub broken: bool,
    /// Work takes this many times as long.
    pub slow_factor: f64,
    /// Share of calls that fail.
    pub error_ratio: f64,
    /// Nothing progresses.
    pub frozen: bool,
    /// No work begins; what has begun goes on.
    pub held: bool,
    /// It does not come back as it was: its replica takes its place.
    pub lost: bool,
    /// It has stopped for want of work: the next call starts it.
    pub asleep: bool,
}

impl Condition {
    /// What the effects of all active faults on a node make of it together: factors multiply, errors strike independently.
    #[inline]
    pub fn under<'a>(effects: impl Iterator<Item = &'a EffectSpec>, broken: bool) -> Condition {
        let mut condition = Condition { down: broken, broken, ..Condition::default() };
        for effect in effects {
            match *effect {
                EffectSpec::Down {} | EffectSpec::Crash {} => condition.down = true,
                EffectSpec::Slow { factor } => condition.slow_factor *= factor,
                EffectSpec::Errors { ratio } => condition.error_ratio += ratio * (1.0 - condition.error_ratio),
                EffectSpec::Freeze {} => condition.frozen = true,
                EffectSpec::HoldStarts {} => condition.held = true,
                EffectSpec::FailOver {} => (condition.down, condition.lost) = (true, true),
                EffectSpec::Partition { .. } | EffectSpec::HalfOpen { .. } => {}
            }
        }
        condition
    }
}

impl Default for Condition {
    #[inline]
    fn default() -> Condition {
        Condition {
            down: false,
            broken: false,
            slow_factor: 1.0,
            error_ratio: 0.0,
            frozen: false,
            held: false,
            lost: false,
            asleep: false,
        }
    }
}

impl<'a> Planner<'a> {
    #[inline]
    pub(super) fn fault(&mut self, id: &str, fault: &FaultSpec) -> Option<FaultPlan> {
        let in_faults = Path::new("faults");
        let path = in_faults.at(id);
        let nodes = self.instances_or_one(&path.at("node"), &fault.node);
        let callers = self.callers(&path, fault, &nodes);
        if let Some(NodeSpec::Client(_)) = self.spec.nodes.get(&fault.node) {
            self.problem(&path.at("node"), "a client cannot fail", "Name a part of the system.");
        }
        self.within(&path.at("from_s"), fault.from_s, 0.0, self.duration_s());
        if fault.to_s.is_nan() || fault.to_s <= fault.from_s {
            self.problem(&path.at("to_s"), "is not after `from_s`", "A fault ends after it begins.");
        }
        self.effect(&path.at("effect"), &fault.node, &fault.effect);
        Some(FaultPlan {
            id: id.to_string(),
            title: fault.title.clone().unwrap_or_else(|| id.to_string()),
            nodes,
            callers,
            effect: fault.effect.clone(),
            from: Time::from_seconds(fault.from_s),
            to: Time::from_seconds(fault.to_s),
        })
    }

    /// Checks what a fault, or a bad release, does to a node.
    #[inline]
    pub(super) fn effect(&mut self, path: &Path, node: &str, effect: &EffectSpec) {
        match *effect {
            EffectSpec::Down {} => {}
            EffectSpec::Freeze {} | EffectSpec::HoldStarts {} | EffectSpec::Crash {} => {
                let group = node.rsplit_once('-').map_or(node, |(group, _)| group);
                let hit = self.spec.nodes.get(node).or_else(|| self.spec.nodes.get(group));
                if hit.is_some_and(|node| !matches!(node, NodeSpec::Service(_))) {
                    self.problem(path, "is for services only", "Name a service.");
                }
            }
            EffectSpec::FailOver {} => {
                let has_replica =
                    |node: &NodeSpec| matches!(node, NodeSpec::Database(database) if database.replica.is_some());
                if self.spec.nodes.get(node).is_some_and(|node| !has_replica(node)) {
                    self.problem(path, "nothing can take over", "Name a database that has a `replica`.");
                }
            }
            EffectSpec::Partition { .. } | EffectSpec::HalfOpen { .. } => {}
            EffectSpec::Slow { factor } => drop(self.within(&path.at("factor"), factor, 1.0, 1e6)),
            EffectSpec::Errors { ratio } => drop(self.within(&path.at("ratio"), ratio, 0.0, 1.0)),
        }
    }
}
