//! Real nodes: perform a call of the world for real and put its answer into the mailbox.

mod sqlite;

pub use sqlite::{Sqlite, fill};

use super::mailbox::Mailbox;
use sandbox_core::engine::{CallId, CallOp};
use sandbox_core::ids::{NodeId, RequestId};
use sandbox_core::scenario::{EffectSpec, Kind, Plan, Problem};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

/// Each reading connection of a real store is a thread.
const READERS_MAX: u32 = 256;

/// A node of the scenario that is to be real: `db=sqlite:FILE`.
#[derive(Clone, Debug, PartialEq)]
pub struct RealSpec {
    /// The node's id.
    pub node: String,
    /// What stands behind it.
    pub target: RealTarget,
}

/// What stands behind a real node.
#[derive(Clone, Debug, PartialEq)]
pub enum RealTarget {
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl FromStr for RealSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<RealSpec, String> {
        let (node, target) = text.split_once('=').ok_or("write NODE=TARGET, such as db=sqlite:lab.sqlite")?;
        match target.split_once(':') {
            Some(("sqlite", file)) if !file.is_empty() => {
                Ok(RealSpec { node: node.into(), target: RealTarget::Sqlite(file.into()) })
            }
            _ => Err(format!("`{target}` is no real part; known: sqlite:FILE")),
        }
    }
}

impl fmt::Display for RealSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            RealTarget::Sqlite(file) => write!(f, "{}=sqlite:{}", self.node, file.display()),
        }
    }
}

/// A call to perform.
#[derive(Clone, Copy, Debug)]
pub struct RealCall {
    /// Its number.
    pub call: CallId,
    /// For which request.
    pub request: RequestId,
    /// What to do.
    pub op: CallOp,
}

/// A real node.
pub enum RealPart {
    /// A SQLite file.
    Sqlite(Sqlite),
}

impl RealPart {
    /// Performs a call on a thread of the part and answers through the mailbox.
    pub fn perform(&self, call: RealCall) {
        match self {
            RealPart::Sqlite(part) => part.perform(call),
        }
    }

    /// Makes an outage begin or end.
    pub fn set_down(&self, down: bool) {
        match self {
            RealPart::Sqlite(part) => part.set_down(down),
        }
    }
}

/// Checks that the nodes can be real as the plan is; all problems at once.
pub fn check(plan: &Plan, specs: &[RealSpec]) -> Result<Vec<NodeId>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut nodes = Vec::new();
    for spec in specs {
        let path = format!("--real {spec}");
        let Some(node) = plan.node(&spec.node) else {
            let known: Vec<&str> = plan.nodes.iter().map(|node| node.id.as_str()).collect();
            let hint = format!("Known: {}.", known.join(", "));
            problems.push(Problem::new(path, format!("there is no node `{}`", spec.node), hint));
            continue;
        };
        match &plan.nodes[node.index()].kind {
            Kind::Store(store) if store.readers > READERS_MAX => {
                let what = format!("{} readers are too many for real connections", store.readers);
                let path = format!("nodes.{}.readers", spec.node);
                problems.push(Problem::new(path, what, format!("Use at most {READERS_MAX}.")));
            }
            Kind::Store(_) => {}
            _ => {
                problems.push(Problem::new(&path, "only a store can be a SQLite file", "Name a node of kind `store`."))
            }
        }
        if nodes.contains(&node) {
            problems.push(Problem::new(&path, "the node is named twice", "Name it once."));
        }
        for fault in plan.faults.iter().filter(|fault| fault.nodes.contains(&node)) {
            if !matches!(fault.effect, EffectSpec::Down {}) {
                let what = "this fault cannot be made real on a SQLite file";
                problems.push(Problem::new(
                    format!("faults.{}", fault.id),
                    what,
                    "Use the effect `down`, or a modelled store.",
                ));
            }
        }
        nodes.push(node);
    }
    if problems.is_empty() { Ok(nodes) } else { Err(problems) }
}

/// Opens the real parts. `run` begins the request ids in their logs.
pub fn open(
    plan: &Plan,
    specs: &[RealSpec],
    mailbox: &Arc<Mailbox>,
    run: &Arc<str>,
) -> Result<Vec<(NodeId, RealPart)>, Vec<Problem>> {
    let nodes = check(plan, specs)?;
    let mut parts = Vec::new();
    let mut problems = Vec::new();
    for (spec, node) in specs.iter().zip(nodes) {
        let RealTarget::Sqlite(file) = &spec.target;
        let Kind::Store(store) = &plan.nodes[node.index()].kind else { continue };
        match Sqlite::open(file, store.readers, store.rows, &spec.node, mailbox.clone(), run.clone()) {
            Ok(part) => parts.push((node, RealPart::Sqlite(part))),
            Err(error) => problems.push(Problem::new(
                format!("--real {spec}"),
                format!("the file cannot be used: {error}"),
                "Name a file that is writable, is a SQLite database or does not exist yet, and is used by nobody else.",
            )),
        }
    }
    if problems.is_empty() { Ok(parts) } else { Err(problems) }
}
