//! Admission control of a service's instance: who came in when, and what became of it.

use super::event::Slot;
use crate::policy::admission::{Admission, AdmissionConfig, Criticality, Sample};
use crate::rng::Stream;
use crate::time::Time;
use std::collections::BTreeMap;

/// The admission control of one instance.
#[derive(Clone, Debug)]
pub struct Entrance {
    admission: Admission,
    /// The calls inside, in line or at work.
    inside: BTreeMap<Slot, Visit>,
    /// Since when who is in line has waited.
    waits_since: BTreeMap<Slot, Time>,
    luck: Stream,
}

/// What a call showed when it came in.
#[derive(Clone, Copy, Debug)]
struct Visit {
    since: Time,
    /// Calls inside, itself included.
    in_flight: u32,
}

impl Entrance {
    /// None: everybody is let in.
    pub fn new(config: AdmissionConfig, luck: Stream) -> Option<Entrance> {
        let admission = match config {
            AdmissionConfig::None => return None,
            some => Admission::new(some),
        };
        Some(Entrance { admission, inside: BTreeMap::new(), waits_since: BTreeMap::new(), luck })
    }

    /// A call of this priority arrives. False: it is shed.
    pub fn admits(&mut self, now: Time, slot: Slot, priority: u8) -> bool {
        let others = self.inside.len() as u32;
        let admitted = self.admission.decide_arrival(others, Criticality::of_priority(priority)).is_ok();
        if admitted {
            self.inside.insert(slot, Visit { since: now, in_flight: others + 1 });
        }
        admitted
    }

    /// The calls inside.
    pub fn inside(&self) -> impl Iterator<Item = Slot> {
        self.inside.keys().copied()
    }

    /// The one of them that came last.
    pub fn latest(&self) -> Option<Slot> {
        self.inside.iter().max_by_key(|(_, visit)| visit.since).map(|(slot, _)| *slot)
    }

    /// A call joins the line.
    pub fn on_queued(&mut self, now: Time, slot: Slot) {
        self.waits_since.insert(slot, now);
    }

    /// A call's turn has come. False: it is shed.
    pub fn admits_from_line(&mut self, now: Time, slot: Slot) -> bool {
        let since = self.waits_since.remove(&slot).unwrap_or(now);
        self.admission.decide_dequeue(now, now.since(since)).is_ok()
    }

    /// A call left the line before its turn.
    pub fn on_left_line(&mut self, slot: Slot) {
        self.waits_since.remove(&slot);
    }

    /// A call is over; `failed` whether it was refused, given up, or answered with a failure.
    pub fn on_end(&mut self, now: Time, slot: Slot, failed: bool) {
        let Some(Visit { since, in_flight }) = self.inside.remove(&slot) else { return };
        let sample = Sample { rtt: now.since(since), in_flight, dropped: failed };
        let luck = &mut self.luck;
        self.admission.on_sample(now, sample, &mut || luck.uniform());
    }
}
