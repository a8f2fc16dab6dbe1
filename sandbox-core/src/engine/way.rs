//! The way of a message over a link on which more happens than a plain delay: jitter, losses, a line before the link.

use super::ctx::Ctx;
use super::event::{Event, Slot};
use crate::ids::NodeId;
use crate::rng::{Purpose, Stream};
use crate::scenario::WayPlan;
use crate::time::{Span, Time};
use crate::trace::What;

/// A message that is lost again and again gets through at last: TCP would give the connection up about then (Linux:
/// `tcp_retries2`).
const LOSSES_MAX: u32 = 15;

/// How long a message is on its way, without its sending.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// All in all.
    pub span: Span,
    /// How often it is lost.
    times: u32,
    /// How much later it arrives for that.
    after: Span,
}

impl Message {
    fn draw(way: &WayPlan, delay: Span, luck: &mut Stream) -> Message {
        let mut span = delay;
        if let Some(jitter) = &way.jitter {
            span += jitter.sample(luck);
        }
        let (mut times, mut after) = (0, Span::ZERO);
        if let Some((ratio, rto)) = way.loss {
            while times < LOSSES_MAX && luck.uniform() < ratio {
                after += rto.scaled(f64::from(1u32 << times));
                times += 1;
            }
        }
        Message { span: span + after, times, after }
    }
}

impl Ctx<'_> {
    /// A message between this node and another that is too short to take time to be sent.
    pub fn message(&self, other: NodeId, luck: &mut Stream) -> Message {
        let (plan, delay) = (&self.core.plan, self.delay(self.node, other));
        match plan.way(self.node, other) {
            Some(index) => Message::draw(&plan.ways[index], delay, luck),
            None => Message { span: delay, times: 0, after: Span::ZERO },
        }
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
        let Message { span: mut takes, times, after } = Message::draw(way, delay, &mut luck);
        if times > 0 {
            self.note(slot, What::Retransmitted { times: times as u16, after });
        }
        if let Some((sizes, shared)) = way.sending {
            let sending = sizes[usize::from(answers)];
            let now = self.core.now;
            takes += match shared {
                false => sending,
                true => {
                    let free_at = &mut self.core.ways[index][usize::from(answers)];
                    *free_at = (*free_at).max(now) + sending;
                    free_at.since(now)
                }
            };
        }
        let at = self.core.now + takes;
        self.core.calendar.schedule(at, event);
        if !answers {
            let arrivals = &mut self.core.arrivals;
            arrivals.resize(arrivals.len().max(slot as usize + 1), Time::ZERO);
            arrivals[slot as usize] = at;
        }
    }
}
