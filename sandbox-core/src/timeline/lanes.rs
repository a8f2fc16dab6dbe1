//! One request as lanes: where it was, when, doing what.

use crate::ids::{NodeId, RequestId};
use crate::metrics::Run;
use crate::time::Time;
use crate::trace::{Record, Refusal, What};

/// The lanes of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Lanes {
    /// The intended send.
    pub from: Time,
    /// The last thing that happened to it.
    pub to: Time,
    /// The nodes it visited, in order of the first visit.
    pub lanes: Vec<Lane>,
    /// Its ways between nodes.
    pub hops: Vec<Hop>,
    /// Refusals: where, when, why.
    pub refusals: Vec<(NodeId, Time, Refusal)>,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Which.
    pub node: NodeId,
    /// What it did, in order.
    pub bars: Vec<Bar>,
}

/// A stretch of time at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// From.
    pub from: Time,
    /// To.
    pub to: Time,
    /// Doing what.
    pub kind: BarKind,
}

/// What a request does at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarKind {
    /// It waits in line.
    Waiting,
    /// The node works on it.
    Working,
    /// The node pauses before it tries again.
    BackingOff,
}

/// A way between two nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hop {
    /// From this node.
    pub from_node: NodeId,
    /// To this node.
    pub to_node: NodeId,
    /// Sent.
    pub from: Time,
    /// Arrived.
    pub to: Time,
}

/// The lanes of a request up to its answer. None: there is no such request.
#[inline]
pub fn lanes(run: &mut Run, request: RequestId) -> Option<Lanes> {
    let summary = *run.folds().request(request)?;
    let end_step = summary.end.map_or(run.steps(), |end| end.step);
    let records = run.request_records(request, summary.first_step..end_step + 1);
    let mut lanes = Lanes {
        from: summary.intended,
        to: records.last()?.record.at,
        lanes: Vec::new(),
        hops: Vec::new(),
        refusals: Vec::new(),
    };
    for logged in &records {
        let record = &logged.record;
        let node = record.node;
        let followed = |record: &Record| {
            let index = records.binary_search_by_key(&record.follows?, |logged| logged.record.seq).ok()?;
            Some(records[index].record)
        };
        let before = followed(record);
        if !lanes.lanes.iter().any(|lane| lane.node == node) {
            lanes.lanes.push(Lane { node, bars: Vec::new() });
        }
        let Some(before) = before else { continue };
        let mut bar = |kind| {
            let lane = lanes.lanes.iter_mut().find(|lane| lane.node == node).expect("it was just added");
            lane.bars.push(Bar { from: before.at, to: record.at, kind });
        };
        match (&before.what, &record.what) {
            (What::Queued { .. } | What::Preempted { .. }, _) => bar(BarKind::Waiting),
            (What::BackedOff { .. }, _) => bar(BarKind::BackingOff),
            (_, What::Worked | What::FirstToken | What::Generated { .. } | What::Preempted { .. }) => {
                bar(BarKind::Working)
            }
            // What broke on its way has not arrived.
            (&What::Transferred { whole, .. }, What::Arrived { .. } | What::Received { .. }) => {
                if let Some(sent) = followed(&before).filter(|_| whole) {
                    lanes.hops.push(Hop { from_node: before.node, to_node: node, from: sent.at, to: record.at });
                }
            }
            (_, What::Arrived { .. } | What::Received { .. }) if before.node != node => {
                lanes.hops.push(Hop { from_node: before.node, to_node: node, from: before.at, to: record.at });
            }
            _ => {}
        }
        if let What::Refused { refusal } = record.what {
            lanes.refusals.push((node, record.at, refusal));
        }
    }
    Some(lanes)
}
