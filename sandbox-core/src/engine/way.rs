//! The way of a message over a link on which more happens than a plain delay: jitter, losses, partitions, a line before it,
//! connections that break.

use super::connections::Wire;
use super::ctx::Ctx;
use super::event::{Event, Slot};
use super::stay::Reply;
use crate::ids::NodeId;
use crate::rng::{Purpose, Stream};
use crate::scenario::WayPlan;
use crate::time::{Span, Time};
use crate::trace::{Status, What};

/// A message that is lost again and again gets through at last: TCP would give the connection up about then (Linux:
/// `tcp_retries2`).
const LOSSES_MAX: u32 = 15;

/// Until a lost message is sent again, where its link does not say it: Linux's smallest.
const RTO: Span = Span::from_millis(200);

/// A message on its way over a link that may break.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// What is due when all of it is there.
    event: Event,
    /// So many bytes of it are sent by the end.
    bytes: u64,
    /// Whether that is all.
    whole: bool,
}

/// The share of the bytes that are sent in this part of the time.
fn part(bytes: u64, of: Span, sending: Span) -> u64 {
    (bytes as f64 * (of.as_seconds() / sending.as_seconds())) as u64
}

/// How long a message is on its way, without its sending.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// All in all.
    pub span: Span,
    /// How often it is lost.
    times: u32,
    /// How much later it arrives for that.
    after: Span,
    /// The first fault that lost it.
    fault: Option<u16>,
}

impl Message {
    /// `partition`: which fault loses what is sent at an instant.
    fn draw(
        way: &WayPlan,
        delay: Span,
        at: Time,
        partition: impl Fn(Time) -> Option<u16>,
        luck: &mut Stream,
    ) -> Message {
        let mut span = delay;
        if let Some(jitter) = &way.jitter {
            span += jitter.sample(luck);
        }
        let (ratio, rto) = way.loss.unwrap_or((0.0, RTO));
        let (mut times, mut after, mut fault) = (0, Span::ZERO, None);
        while times < LOSSES_MAX {
            let lost_by = partition(at + after);
            if lost_by.is_none() && (ratio == 0.0 || luck.uniform() >= ratio) {
                break;
            }
            fault = fault.or(lost_by);
            after += rto.scaled(f64::from(1u32 << times));
            times += 1;
        }
        Message { span: span + after, times, after, fault }
    }
}

impl Ctx<'_> {
    /// A message from one node to another, sent at `at`; too short to take time to be sent.
    pub fn message(&self, from: NodeId, to: NodeId, at: Time, luck: &mut Stream) -> Message {
        let (plan, delay) = (&self.core.plan, self.delay(from, to));
        match plan.way(from, to) {
            Some(index) => Message::draw(&plan.ways[index], delay, at, |at| plan.partition(from, to, at), luck),
            None => Message { span: delay, times: 0, after: Span::ZERO, fault: None },
        }
    }

    /// Records that a message of a stay was lost, if it was.
    pub fn note_losses(&mut self, slot: Slot, message: Message) {
        let Message { times, after, fault, .. } = message;
        if times > 0 {
            let began = self.core.active_faults.iter().find(|(active, _)| Some(*active) == fault).map(|(_, seq)| *seq);
            let cause = began.or(Some(self.stay(slot).last));
            self.note_because(slot, What::Retransmitted { times: times as u16, after }, cause);
        }
    }

    /// A message over a link that may break is there, or is broken. What comes of that.
    #[cold]
    pub fn end_transfer(&mut self, slot: Slot) -> Event {
        let Transfer { event, bytes, whole } = self.core.transfers.remove(&slot).expect("it was on its way");
        self.note(slot, What::Transferred { bytes, whole });
        if whole {
            return event;
        }
        self.stay_mut(slot).reply = Some(Reply::status(Status::BadGateway));
        self.core.stays.belongings_mut(slot).wire = Some(Wire::Broken);
        Event::Reply(slot)
    }

    /// Sends the request or the answer of a stay on its way; `event` is due when it arrives.
    #[cold]
    pub fn travel(&mut self, slot: Slot, to: NodeId, delay: Span, event: Event) {
        let plan = self.core.plan.clone();
        let answers = matches!(event, Event::Reply(_));
        let Some(index) = plan.way(self.node, to) else { return self.after_the_way(delay, event) };
        let way = &plan.ways[index];
        let purpose = if answers { Purpose::WayBack } else { Purpose::Way };
        let mut luck = self.draw(slot, purpose);
        let (node, now) = (self.node, self.core.now);
        let message = Message::draw(way, delay, now, |at| plan.partition(node, to, at), &mut luck);
        self.note_losses(slot, message);
        let (sizes, shared) = way.sending.unwrap_or(([Span::ZERO; 2], false));
        let sending = sizes[usize::from(answers)];
        let free_at = self.core.ways[index][usize::from(answers)];
        let begins = if shared { now.max(free_at) } else { now };
        let mut at = begins + sending + message.span;
        match &way.drops {
            None => _ = self.core.calendar.schedule(at, event),
            Some(drops) => {
                let breaks = begins + drops.after.sample(&mut self.draw(slot, Purpose::Drop));
                let whole = at <= breaks;
                let bytes = drops.bytes[usize::from(answers)];
                let sent = if breaks < begins + sending { part(bytes, breaks.since(begins), sending) } else { bytes };
                at = at.min(breaks);
                self.core.transfers.insert(slot, Transfer { event, bytes: sent, whole });
                self.core.calendar.schedule(at, Event::TransferOver(slot));
            }
        }
        if shared {
            self.core.ways[index][usize::from(answers)] = (begins + sending).min(at);
        }
        if !answers {
            let arrivals = &mut self.core.arrivals;
            arrivals.resize(arrivals.len().max(slot as usize + 1), Time::ZERO);
            arrivals[slot as usize] = at;
        }
    }
}
