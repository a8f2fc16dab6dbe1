//! A stay: one visit of a call at a node, from the sending to the answer. The live state of a request is its stays.

use super::causes::{Lead, Setback};
use super::connections::Wire;
use super::idempotency::Key;
use crate::ids::{NodeId, RequestId, RouteId, Seq};
use crate::policy::cache::CachedCopy;
use crate::policy::circuit_breaker::Permit;
use crate::policy::retry::FailureKind;
use crate::time::{Span, Time};
use crate::trace::{CacheResult, Refusal, Status};
use std::num::NonZeroU32;

/// A stay that may be over: its slot may have been given to another since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StayId {
    /// Position in the slab.
    pub slot: u32,
    /// Which use of the slot it is.
    pub generation: NonZeroU32,
}

/// What a caller asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Serve a route.
    Serve,
    /// Take a message and deliver it later.
    Publish,
    /// Run one branch of its parent's program: a strand of it, at the same node.
    Strand,
    /// Make one of the parallel attempts of its parent's hedged call, at the same node.
    Copy,
    /// Say whether you are there.
    Probe,
    /// Look a key up.
    CacheGet,
    /// Keep a copy of the stay's version, looked up at `asked_at`; nobody waits for the answer.
    CachePut,
    /// The load of a copy failed, with the status `arg` or none; nobody waits for the answer.
    CacheFail,
    /// Forget a copy.
    CacheForget,
    /// Perform the statement of this number.
    Statement(u32),
    /// Read the row.
    Read,
    /// Write the row.
    Write,
    /// Write the row if it still has the version `arg`.
    WriteIf,
}

/// What a caller wants, whichever instance gets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errand {
    /// What is asked.
    pub ask: Ask,
    /// Which route.
    pub route: RouteId,
    /// Which row.
    pub key: u32,
    /// A number for the callee's program.
    pub arg: f64,
    /// Tells apart what one program sends to the same node; 0 for its straight way.
    pub way: u32,
}

impl Errand {
    /// The caller's own route, row and number, handed on.
    pub fn handed_on(stay: &Stay, ask: Ask) -> Errand {
        Errand { ask, route: stay.route, key: stay.key, arg: stay.arg, way: 0 }
    }
}

/// What a cache found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// How it is.
    pub result: CacheResult,
    /// The copy, if there is one.
    pub copy: Option<CachedCopy>,
    /// Whether who asked is to load it again.
    pub load: bool,
    /// When it was looked up.
    pub at: Time,
}

/// What a node answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reply {
    /// As HTTP would say it.
    pub status: Status,
    /// Version of the row, where there is one.
    pub version: Option<u64>,
    /// What the program answered with, for the expressions of its caller.
    pub value: f64,
    /// When it makes sense to try again; [`Time::NEVER`]: it does not say.
    pub retry_at: Time,
}

impl Reply {
    /// An answer that is only a status.
    pub fn status(status: Status) -> Reply {
        Reply { status, version: None, value: 0.0, retry_at: Time::NEVER }
    }
}

/// How a call ended for its caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CallEnd {
    /// With an answer, good or bad.
    Replied(Reply),
    /// Without one: the caller's patience ended.
    TimedOut,
    /// It was never sent.
    Refused {
        /// Why.
        refusal: Refusal,
        /// When it makes sense to try again; [`Time::NEVER`]: nobody knows.
        retry_at: Time,
    },
}

/// A call that a stay waits for.
#[derive(Clone, Copy, Debug)]
pub struct OpenCall {
    /// Position in the node's calls.
    pub call: u16,
    /// What is wanted.
    pub errand: Errand,
    /// Which attempt, from 1.
    pub attempt: u8,
    /// Position of the instance among the call's targets.
    pub instance: u16,
    /// The attempt under way; none during a back-off.
    pub child: Option<StayId>,
    /// Number of the live timeout, back-off or next copy, or [`NO_TIMER`].
    pub timer: u32,
    /// When the attempt was sent.
    pub sent: Time,
    /// What the circuit breaker gave.
    pub permit: Option<Permit>,
    /// The last back-off.
    pub delay: Span,
    /// When all attempts together must be over.
    pub give_up_at: Time,
    /// How the attempt before this one failed.
    pub failed: Option<FailureKind>,
    /// The instances tried so far, one bit each; those beyond the 64th are not remembered.
    pub tried: u64,
}

/// No event of this kind is awaited.
pub const NO_TIMER: u32 = u32::MAX;

/// Where a stay is within its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Place {
    /// Neither waiting for nor using a worker.
    #[default]
    Outside,
    /// In the line before the workers.
    Line,
    /// In the line before a bulkhead.
    Bulkhead,
    /// With a worker.
    Worker,
}

/// The parallel branches that a stay waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fork {
    /// Which fork of the stay this is; its branches know the number.
    pub number: u16,
    /// Branches that are still under way.
    pub pending: u16,
    /// Branches that must still succeed before the stay goes on.
    pub needed: u16,
}

/// One visit of a call at a node.
#[derive(Clone, Copy, Debug)]
pub struct Stay {
    /// Which use of the slot it is; set when it begins.
    pub generation: NonZeroU32,
    /// Where.
    pub node: NodeId,
    /// For which request, or [`RequestId::NONE`].
    pub request: RequestId,
    /// What is asked.
    pub ask: Ask,
    /// Which attempt of its caller, from 1.
    pub attempt: u8,
    /// The caller's stay; none for a user's request, a probe, or when nobody waits.
    pub parent: Option<StayId>,
    /// Who sent it; where it began if nobody did.
    pub from: NodeId,
    /// Route of the request.
    pub route: RouteId,
    /// Row of the request.
    pub key: u32,
    /// User of the request.
    pub user: u32,
    /// When it began: the intended send of a root, the arrival of a call.
    pub since: Time,
    /// Its latest record.
    pub last: Seq,
    /// Whether the causes of that record lead to more than what users want: to a fault, or to an attempt that failed before.
    pub troubled: bool,
    /// What makes its present piece of work last longer, if something does.
    pub setback: Option<Setback>,
    /// Where its program stands.
    pub step: u16,
    /// Tells visits of one request apart: 0 on the straight way, mixed anew by each further attempt, loop round and branch.
    pub lineage: u32,
    /// Most urgent first: 1, 2, ...
    pub priority: u8,
    /// The number its caller passed on, for the expressions of its program.
    pub arg: f64,
    /// The status and the value of its latest call, for expressions.
    pub got: (u16, f64),
    /// When its caller's patience ends; an answer after that is wasted.
    pub deadline: Time,
    /// Number of the live event of its own work, its nap or its patience in a line, or [`NO_TIMER`].
    pub timer: u32,
    /// When its work is done.
    pub due: Time,
    /// Where it is within its node.
    pub place: Place,
    /// When it learns that its caller has withdrawn the call; [`Time::NEVER`]: it has not.
    pub withdrawn: Time,
    /// The branches it waits for.
    pub fork: Fork,
    /// For a branch: the number of the fork that it belongs to.
    pub branch_of: u16,
    /// The call it waits for.
    pub call: Option<OpenCall>,
    /// When it began to load a copy.
    pub asked_at: Time,
    /// Version of the row read or written.
    pub version: Option<u64>,
    /// Its answer, on the way to the caller.
    pub reply: Option<Reply>,
    /// Position in the plan's workloads for a simulated user's request; the credential of a request from outside.
    pub origin: Origin,
}

impl Stay {
    /// The stay goes on where another one that worked for it has got to.
    pub fn follow(&mut self, lead: Lead) {
        (self.last, self.troubled) = (lead.seq, lead.troubled);
    }

    /// A stay that nobody waits for and that has done nothing yet.
    pub const BLANK: Stay = Stay {
        generation: NonZeroU32::MIN,
        node: NodeId(0),
        request: RequestId::NONE,
        ask: Ask::Serve,
        attempt: 1,
        parent: None,
        from: NodeId(0),
        route: RouteId(0),
        key: 0,
        user: 0,
        since: Time::ZERO,
        last: Seq::new(0),
        troubled: false,
        setback: None,
        step: 0,
        lineage: 0,
        priority: 1,
        arg: 0.0,
        got: (0, 0.0),
        deadline: Time::NEVER,
        timer: NO_TIMER,
        due: Time::ZERO,
        place: Place::Outside,
        withdrawn: Time::NEVER,
        fork: Fork { number: 0, pending: 0, needed: 0 },
        branch_of: 0,
        call: None,
        asked_at: Time::ZERO,
        version: None,
        reply: None,
        origin: Origin::Workload(0),
    };
}

/// Where a stay comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A simulated user of this workload.
    Workload(u16),
    /// Over the wire; nbf and exp of a signed token, or none for an invalid one.
    Outside(Option<(u64, u64)>),
    /// The world's own: a probe of this instance.
    Probe(u16),
}

/// What only stays with a cache, a database, an idempotency key or a connection of their own have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Belongings {
    /// What its look-up in a cache brought: on the way back with the answer, then with who asked.
    pub found: Option<Found>,
    /// An expired copy, kept in case the origin fails.
    pub copy: Option<Found>,
    /// For a statement: the stay whose transaction it belongs to.
    pub owner: Option<StayId>,
    /// The call through which it has a session with a database, and the number of its latest statement.
    pub session: Option<(u16, u32)>,
    /// The idempotency key under which it does its present steps.
    pub key: Option<OpenKey>,
    /// The connection that it came over, where there is something to say of it.
    pub wire: Option<Wire>,
}

/// An idempotency key whose steps are under way.
#[derive(Clone, Copy, Debug)]
pub struct OpenKey {
    /// Position among the plan's idempotency keys.
    pub keys: u32,
    /// The key.
    pub key: Key,
}

/// All live stays; a slot is used again when its stay is over.
#[derive(Clone, Debug, Default)]
pub struct Stays {
    slots: Vec<Stay>,
    free: Vec<u32>,
    /// By slot, as far as anybody has had any.
    belongings: Vec<Belongings>,
    /// Stays whose present piece of work lasts longer than it would.
    set_back: u32,
}

impl Stays {
    /// Places in the slab, used or free.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Bytes that a clone copies.
    pub fn weight(&self) -> usize {
        size_of_val(&self.slots[..]) + size_of_val(&self.belongings[..])
    }

    /// Adds a stay. Inlined, so that what is built is built in its slot.
    #[inline(always)]
    pub fn insert(&mut self, stay: Stay) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        let place = &mut self.slots[slot as usize];
        *place = Stay { generation: place.generation, ..stay };
        slot
    }

    /// Another slot.
    #[cold]
    fn grow(&mut self) -> u32 {
        self.slots.push(Stay::BLANK);
        self.slots.len() as u32 - 1
    }

    /// Ends a stay.
    pub fn remove(&mut self, slot: u32) {
        let stay = &mut self.slots[slot as usize];
        stay.generation = stay.generation.saturating_add(1);
        stay.call = None;
        stay.timer = NO_TIMER;
        stay.place = Place::Outside;
        stay.parent = None;
        stay.withdrawn = Time::NEVER;
        self.take_setback(slot);
        if let Some(belongings) = self.belongings.get_mut(slot as usize) {
            *belongings = Belongings::default();
        }
        self.free.push(slot);
    }

    /// Something makes the present piece of work of a stay longer; what did so first is remembered.
    pub fn set_back(&mut self, slot: u32, setback: Setback) {
        let first = &mut self.slots[slot as usize].setback;
        if first.is_none() {
            *first = Some(setback);
            self.set_back += 1;
        }
    }

    /// The present piece of work of a stay is over. What made it longer, if something did.
    #[inline]
    pub fn take_setback(&mut self, slot: u32) -> Option<Setback> {
        let setback = self.slots[slot as usize].setback.take();
        self.set_back -= u32::from(setback.is_some());
        setback
    }

    /// Whether the work of any stay lasts longer than it would.
    pub fn are_set_back(&self) -> bool {
        self.set_back > 0
    }

    /// What a stay has besides, if it ever had anything.
    pub fn belongings(&self, slot: u32) -> Option<&Belongings> {
        self.belongings.get(slot as usize)
    }

    /// What a stay has besides, to be changed.
    pub fn belongings_mut(&mut self, slot: u32) -> &mut Belongings {
        if self.belongings.len() < self.slots.len() {
            self.belongings.resize(self.slots.len(), Belongings::default());
        }
        &mut self.belongings[slot as usize]
    }

    /// Takes away what a stay's look-up brought.
    pub fn take_found(&mut self, slot: u32) -> Option<Found> {
        self.belongings.get_mut(slot as usize)?.found.take()
    }

    /// What a look-up brought goes from who answered to who asked.
    #[inline]
    pub fn hand_found(&mut self, from: u32, to: u32) {
        if !self.belongings.is_empty()
            && let Some(found) = self.take_found(from)
        {
            self.belongings_mut(to).found = Some(found);
        }
    }

    /// Takes away the copy that a stay has.
    pub fn take_copy(&mut self, slot: u32) -> Option<Found> {
        self.belongings.get_mut(slot as usize)?.copy.take()
    }

    /// Takes away the session that a stay has.
    pub fn take_session(&mut self, slot: u32) -> Option<(u16, u32)> {
        self.belongings.get_mut(slot as usize)?.session.take()
    }

    /// Takes away the idempotency key that a stay has.
    pub fn take_key(&mut self, slot: u32) -> Option<OpenKey> {
        self.belongings.get_mut(slot as usize)?.key.take()
    }

    /// The id of the stay in this slot.
    pub fn id(&self, slot: u32) -> StayId {
        StayId { slot, generation: self.slots[slot as usize].generation }
    }

    /// All live stays of a node, by slot.
    pub fn of_node(&self, node: NodeId) -> Vec<u32> {
        let mut free = vec![false; self.slots.len()];
        self.free.iter().for_each(|slot| free[*slot as usize] = true);
        (0..self.slots.len() as u32).filter(|slot| !free[*slot as usize] && self[*slot].node == node).collect()
    }

    /// The stay that waits for the answer that is on its way in `child`, if there still is one.
    pub fn who_awaits(&self, child: u32) -> Option<u32> {
        let parent = self[child].parent?;
        let waits = self.is_live(parent) && self[parent.slot].call.as_ref()?.child == Some(self.id(child));
        waits.then_some(parent.slot)
    }

    /// Whether that stay is still there.
    pub fn is_live(&self, id: StayId) -> bool {
        self.slots[id.slot as usize].generation == id.generation
    }
}

impl std::ops::Index<u32> for Stays {
    type Output = Stay;
    fn index(&self, slot: u32) -> &Stay {
        &self.slots[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Stays {
    fn index_mut(&mut self, slot: u32) -> &mut Stay {
        &mut self.slots[slot as usize]
    }
}
