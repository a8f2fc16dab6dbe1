//! Why a node is as it is, and what holds up the calls that are there.
//!
//! A fault is the cause of what it did: of work that it made longer or stopped, of calls that it refused or had fail, of the places
//! that such calls kept taken. Where it lengthens a piece of work, that is remembered with the work ([`Setback`]); a fault that is
//! merely active when something ends has nothing to do with it. The same goes for attempts that failed and are made again.

use super::ctx::Ctx;
use super::event::Slot;
use super::life::Phase;
use super::stay::{Ask, Place, Stay, StayId};
use crate::ids::{NodeId, Seq};
use crate::scenario::EffectSpec;
use crate::time::{Span, Time};
use crate::trace::What;

/// What makes a piece of work last longer.
#[derive(Clone, Copy, Debug)]
pub struct Setback {
    /// The record of it.
    pub by: Seq,
    /// When the work would be done without it, at the earliest.
    pub done_without: Time,
}

/// A record that others have as their cause.
#[derive(Clone, Copy, Debug)]
pub struct Lead {
    /// The record.
    pub seq: Seq,
    /// Whether its own causes lead to more than what users want ([`Stay::troubled`]).
    pub troubled: bool,
}

impl Lead {
    /// The latest record of a stay.
    pub fn of(stay: &Stay) -> Lead {
        Lead { seq: stay.last, troubled: stay.troubled }
    }
}

impl Ctx<'_> {
    /// Why this node refuses calls: the latest fault that has it do so, else what its life makes of it.
    pub fn why_down(&self) -> Option<Seq> {
        self.culprit(|effect| matches!(effect, EffectSpec::Down {} | EffectSpec::Crash {} | EffectSpec::FailOver {}))
    }

    /// Why its calls fail after their work.
    pub fn why_failing(&self) -> Option<Seq> {
        self.culprit(|effect| matches!(effect, EffectSpec::Errors { .. }))
    }

    /// Why nothing begins here.
    pub fn why_held(&self) -> Option<Seq> {
        self.culprit(|effect| matches!(effect, EffectSpec::HoldStarts {}))
    }

    /// Why nothing progresses here.
    pub fn why_frozen(&self) -> Option<Seq> {
        self.culprit(|effect| matches!(effect, EffectSpec::Freeze {}))
    }

    /// Why this node's real part failed: modelled faults strike it for real.
    pub fn why_really_failing(&self) -> Option<Seq> {
        self.culprit(|_| true)
    }

    /// The latest fault, wherever it is.
    pub fn latest_fault(&self) -> Option<Seq> {
        self.core.active_faults.last().map(|(_, seq)| *seq)
    }

    /// The latest active fault on this node that does this, else the latest record of its life, if that is what makes it so.
    fn culprit(&self, does: impl Fn(&EffectSpec) -> bool) -> Option<Seq> {
        self.fault_on(self.node, does).or_else(|| self.trouble_of_life())
    }

    fn fault_on(&self, node: NodeId, does: impl Fn(&EffectSpec) -> bool) -> Option<Seq> {
        let faults = &self.core.plan.faults;
        let is_it = |(fault, _): &&(u16, Seq)| {
            let fault = &faults[usize::from(*fault)];
            fault.is_on(node) && does(&fault.effect)
        };
        self.core.active_faults.iter().rev().find(is_it).map(|(_, seq)| *seq)
    }

    /// The latest record of this node's life, where that is why it is not as it should be.
    fn trouble_of_life(&self) -> Option<Seq> {
        let life = self.core.life(self.node)?;
        let is_troubled = life.phase != Phase::Up || self.core.release_effect(self.node).is_some();
        life.because.filter(|_| is_troubled)
    }

    /// A piece of work that begins on a slow node; returns how long it takes.
    #[cold]
    pub fn slowed(&mut self, slot: Slot, span: Span, factor: f64) -> Span {
        let slow = span.scaled(factor);
        if slow > span {
            let by = self.culprit(|effect| matches!(effect, EffectSpec::Slow { .. }));
            self.set_back(slot, by, self.core.now + span);
        }
        slow
    }

    /// Something makes the present piece of work of a stay longer; what did so first is remembered.
    #[cold]
    pub fn set_back(&mut self, slot: Slot, by: Option<Seq>, done_without: Time) {
        if let Some(by) = by {
            self.core.is_troubled = true;
            self.core.stays.set_back(slot, Setback { by, done_without });
        }
    }

    /// Records that a piece of work is done; what made it longer is why it is done only now.
    #[inline]
    pub fn note_done(&mut self, slot: Slot, what: What) -> Seq {
        let setback = self.core.stays.take_setback(slot);
        let cause = setback.map_or(self.stay(slot).last, |setback| setback.by);
        self.note_because(slot, what, Some(cause))
    }

    /// Records that a call will be made again: whatever it meets then, it meets for what failed now.
    pub fn note_retry(&mut self, slot: Slot, delay: Span) {
        self.note(slot, What::BackedOff { delay });
        (self.stay_mut(slot).troubled, self.core.is_troubled) = (true, true);
    }

    /// Why there is no answer yet: what the work on it suffers from, or what was done last where it got to. Who waits for a call
    /// is held up by what holds up that call; who stands in line, by what holds up those at work there.
    pub fn what_holds_up(&self, slot: Slot) -> Lead {
        let (at, lead) = self.where_held_up(slot);
        let Stay { node, place, .. } = self.core.stays[at];
        match place == Place::Line && !lead.troubled {
            true => self.trouble_of(self.at_work(node)).unwrap_or(lead),
            false => lead,
        }
    }

    /// Where the call of a stay has got to, and what holds it up there.
    fn where_held_up(&self, mut slot: Slot) -> (Slot, Lead) {
        let stays = &self.core.stays;
        let mut before = None;
        while let Some(next) = self.who_works_for(slot) {
            before = Some(stays[slot].last);
            slot = next.slot;
        }
        let stay = &stays[slot];
        let on_the_way = before == Some(stay.last) || stay.reply.is_some();
        let by = match stay.setback {
            Some(Setback { by, done_without }) if done_without <= self.core.now && stay.place != Place::Line => {
                Some(by)
            }
            None if !on_the_way && self.core.is_external(stay.node) => self.fault_on(stay.node, |_| true),
            _ => None,
        };
        (slot, by.map_or(Lead::of(stay), |seq| Lead { seq, troubled: true }))
    }

    /// The call that a stay waits for, or the first of its branches or copies that is under way.
    fn who_works_for(&self, slot: Slot) -> Option<StayId> {
        let stays = &self.core.stays;
        let stay = &stays[slot];
        let child = stay.call.as_ref().and_then(|open| open.child);
        // A call that has sent nothing itself and does not pause after a failure is made by its copies.
        let has_copies = stay.call.as_ref().is_some_and(|open| open.child.is_none() && open.failed.is_none());
        match child.filter(|child| stays.is_live(*child)) {
            None if has_copies || stay.fork.needed > 0 => {
                let whole = stays.id(slot);
                let is_part = |part: &Slot| {
                    stays[*part].parent == Some(whole) && matches!(stays[*part].ask, Ask::Strand | Ask::Copy)
                };
                (0..stays.slots() as Slot).find(is_part).map(|part| stays.id(part))
            }
            child => child,
        }
    }

    /// The first of these calls that more than what users want holds up.
    pub fn trouble_of(&self, slots: impl Iterator<Item = Slot>) -> Option<Lead> {
        let mut leads = slots.map(|slot| self.where_held_up(slot).1);
        if self.core.is_troubled { leads.find(|lead| lead.troubled) } else { None }
    }

    /// Why there is no place for a call beside these: what more than users want holds up one of them, else that the latest came.
    pub fn why_full(&self, newcomer: Slot, inside: impl Iterator<Item = Slot>, latest: Option<Slot>) -> Lead {
        self.trouble_of(inside).unwrap_or_else(|| Lead::of(self.stay(latest.unwrap_or(newcomer))))
    }

    /// The calls that have a worker or connection of a node.
    pub fn at_work(&self, node: NodeId) -> impl Iterator<Item = Slot> {
        let stays = &self.core.stays;
        (0..stays.slots() as Slot).filter(move |slot| stays[*slot].node == node && stays[*slot].place == Place::Worker)
    }

    /// Why all workers of this node are taken as a call comes. `known`: why they have been since others wait for them; what has
    /// come to hold up those at work meanwhile is why from then on.
    pub fn why_busy(&mut self, known: &mut Option<Lead>, newcomer: Slot, in_service: u32) -> Lead {
        let lead = match *known {
            Some(lead) if lead.troubled || !self.core.stays.are_set_back() => lead,
            Some(lead) => self.trouble_of(self.at_work(self.node)).unwrap_or(lead),
            None => {
                let holders = self.trouble_of(self.at_work(self.node));
                self.saturate(in_service, newcomer, holders)
            }
        };
        *known = Some(lead);
        lead
    }

    /// Records that all workers or connections of this node are taken as a call comes. Why: nothing begins here; or more than
    /// what users want holds up those who have them, has had this call come, or has this node's fellows not take it. Otherwise it
    /// is ordinary load.
    pub fn saturate(&mut self, in_service: u32, newcomer: Slot, holders: Option<Lead>) -> Lead {
        let held = if self.condition().held { self.why_held() } else { None };
        let comes = Lead::of(self.stay(newcomer));
        let cause = held
            .or(holders.map(|lead| lead.seq))
            .or(comes.troubled.then_some(comes.seq))
            .or_else(|| self.trouble_of_group());
        let seq = self.note_own(What::Saturated { in_service }, cause);
        Lead { seq, troubled: cause.is_some() }
    }

    /// The latest record of the lives of this node's fellows that are to run and take no calls.
    fn trouble_of_group(&self) -> Option<Seq> {
        let fleet = usize::from(self.core.life(self.node)?.fleet);
        let lives = self.core.plan.fleets[fleet].nodes.iter().filter_map(|node| self.core.life(*node));
        lives.filter(|life| life.wanted && !life.is_up()).filter_map(|life| life.because).max()
    }
}
