//! The way of a message over a link on which more happens than a plain delay: jitter, losses, a line before the link.

use super::ctx::Ctx;
use super::event::{Event, Slot};
use crate::ids::NodeId;
use crate::rng::Purpose;
use crate::time::{Span, Time};
use crate::trace::What;

/// A message that is lost again and again gets through at last: TCP would give the connection up about then (Linux:
/// `tcp_retries2`).
const LOSSES_MAX: u32 = 15;

impl Ctx<'_> {
    /// Sends the request or the answer of a stay on its way; `event` is due when it arrives.
    #[cold]
    pub fn travel(&mut self, slot: Slot, to: NodeId, delay: Span, event: Event) {
        let plan = self.core.plan.clone();
        let answers = matches!(event, Event::Reply(_));
        let Some(index) = plan.way(self.node, to) else { return self.after_the_way(delay, event) };
        let way = &plan.ways[index];
        let purpose = if answers { Purpose::WayBack } else { Purpose::Way };
        let mut luck = self.draw(slot, purpose);
        let mut takes = delay;
        if let Some(jitter) = &way.jitter {
            takes += jitter.sample(&mut luck);
        }
        if let Some((ratio, rto)) = way.loss {
            let (mut times, mut after) = (0, Span::ZERO);
            while times < LOSSES_MAX && luck.uniform() < ratio {
                after += rto.scaled(f64::from(1u32 << times));
                times += 1;
            }
            if times > 0 {
                self.note(slot, What::Retransmitted { times: times as u16, after });
                takes += after;
            }
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
