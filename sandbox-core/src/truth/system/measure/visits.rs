//! Visits of requests to stations, one by one: what is asked of one station (`@station:id`) or one class (`@class:id`).

use crate::ids::NodeId;
use crate::time::{Span, Time};
use crate::trace::{Record, Refusal, What};

/// A request at a station.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Position of the request, from 0.
    pub request: u32,
    /// Position of the station.
    pub station: u16,
    node: NodeId,
    arrived: Time,
    /// When it got its worker; [`Time::NEVER`]: it has not.
    started: Time,
    left: Time,
    queued: bool,
    /// Refused because the line was full.
    pub rejected: bool,
    /// Left the line because it had waited too long.
    pub abandoned: bool,
    /// Its work was done, if in vain.
    served: bool,
    answered: bool,
}

impl Visit {
    /// From its arrival to the answer; None if there was none.
    pub fn sojourn(&self) -> Option<Span> {
        self.answered.then(|| self.left.since(self.arrived))
    }

    /// How long it waited for its worker; None if it got none.
    pub fn wait(&self) -> Option<Span> {
        (self.started != Time::NEVER).then(|| self.started.since(self.arrived))
    }

    /// Whether it could not start at once.
    pub fn was_kept(&self) -> bool {
        self.queued || self.rejected
    }

    /// Whether it left between two instants with its work done.
    pub fn ended_within(&self, from: Time, to: Time) -> bool {
        self.served && from < self.left && self.left <= to
    }

    /// Nanoseconds between two instants that it waited, and that it was served.
    pub fn shares(&self, from: Time, to: Time) -> (u128, u128) {
        let between = |a: Time, b: Time| {
            let (a, b) = (a.max(from), b.min(to));
            if a < b { u128::from(b.since(a).as_nanos()) } else { 0 }
        };
        (between(self.arrived, self.started.min(self.left)), between(self.started, self.left))
    }
}

/// All visits, in the order of their arrivals.
#[derive(Clone, Debug, Default)]
pub struct Visits {
    all: Vec<Visit>,
    /// Those that are not over, by the position of the request.
    open: Vec<Vec<u32>>,
}

impl Visits {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Visit> {
        self.all.iter()
    }

    /// Takes what happened to a request at an instance of a station.
    pub fn on_record(&mut self, record: &Record, station: u16) {
        let request = record.request.0 - 1;
        if self.open.len() <= request as usize {
            self.open.resize(request as usize + 1, Vec::new());
        }
        let open = &mut self.open[request as usize];
        if let What::Arrived { .. } = record.what {
            open.push(self.all.len() as u32);
            self.all.push(Visit {
                request,
                station,
                node: record.node,
                arrived: record.at,
                started: record.at,
                left: Time::NEVER,
                queued: false,
                rejected: false,
                abandoned: false,
                served: false,
                answered: false,
            });
            return;
        }
        let at_node = |visit: &&u32| self.all[**visit as usize].node == record.node;
        let waits = |visit: &&u32| self.all[**visit as usize].started == Time::NEVER;
        let found = match record.what {
            What::Started => open.iter().find(|visit| at_node(visit) && waits(visit)),
            What::Queued { .. } => open.iter().rfind(at_node),
            _ => open.iter().find(at_node),
        };
        let Some(found) = found.copied() else { return };
        let visit = &mut self.all[found as usize];
        match record.what {
            What::Queued { .. } => (visit.queued, visit.started) = (true, Time::NEVER),
            What::Started => visit.started = record.at,
            What::Worked => visit.served = true,
            What::Refused { refusal } => {
                // A service that ends in failure was a service.
                if !visit.served {
                    visit.started = Time::NEVER;
                }
                visit.rejected = matches!(refusal, Refusal::QueueFull | Refusal::BulkheadFull);
                visit.abandoned = refusal == Refusal::QueueTimeout;
                visit.left = record.at;
            }
            What::Replied { status, .. } => {
                visit.answered = status.is_success();
                visit.left = record.at;
                open.retain(|other| *other != found);
            }
            What::Withdrawn => {
                visit.left = record.at;
                open.retain(|other| *other != found);
            }
            _ => {}
        }
    }
}
