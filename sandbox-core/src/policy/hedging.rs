//! Hedging: another copy of a request that has not been answered yet.
//!
//! Promise: never more than `max_attempts` copies; as long as nothing fails, copy k is sent (k - 1) delays after the
//! first; the first good answer, or the first fatal one, ends the request and names the copies to cancel.
//!
//! Rules: gRPC A6. A non-fatal failure sends the next copy at once, and those after it follow in steps of the delay
//! from there; the server's pushback moves the next copy or stops all further ones; a throttled copy is not sent, nor
//! any after it. When every copy has failed, the last failure is handed on. Only for idempotent requests. The latency of
//! a hedged request counts from its first copy.

use super::deadline::Cancel;
use super::retry::Pushback;
use crate::time::{Span, Time};

/// Copies that gRPC allows at most; a larger number acts as this one (A6).
const COPIES_MAX: u32 = 5;

/// The parameters of hedging, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgingParams {
    /// Copies in all, the first included; more than 5 act as 5.
    pub max_attempts: u32,
    /// Time between copies; zero sends all at once, `None` sends the next only after a failure (Polly's negative
    /// delay). The Tail at Scale: the 95th percentile of the latency, for about 5 % more load.
    pub delay: Option<Span>,
    /// Whether copies go to different instances as long as there are any.
    pub distinct_target: bool,
    /// Where instances drop a cancelled copy.
    pub cancel: Cancel,
}

/// Checked parameters of hedging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgingConfig(HedgingParams);

impl HedgingConfig {
    /// Checks the parameters.
    pub fn new(params: HedgingParams) -> Result<HedgingConfig, String> {
        if params.max_attempts == 0 {
            return Err("max_attempts is 0, but the first copy counts: use 1 for no hedging".into());
        }
        Ok(HedgingConfig(HedgingParams { max_attempts: params.max_attempts.min(COPIES_MAX), ..params }))
    }

    /// The parameters.
    pub fn params(&self) -> HedgingParams {
        self.0
    }

    /// Which instances the next copy may go to: of the healthy ones those not tried yet, if there are any and that
    /// matters.
    pub fn candidates(&self, healthy: &[bool], tried: &[bool]) -> Vec<bool> {
        let untried: Vec<bool> = healthy.iter().zip(tried).map(|(healthy, tried)| *healthy && !tried).collect();
        if self.0.distinct_target && untried.contains(&true) { untried } else { healthy.to_vec() }
    }
}

/// One request and its copies.
#[derive(Clone, Debug)]
pub struct Hedging {
    config: HedgingConfig,
    /// Copies sent that have not been answered, by number from 1, ascending.
    open: Vec<u32>,
    sent: u32,
    /// When the next copy is due; none if it waits for a failure, or there is none to come.
    next_at: Option<Time>,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeDecision {
    /// Send this copy, numbered from 1, and ask again.
    Send(u32),
    /// Wait for an answer or for [`Hedging::next_deadline`].
    Wait,
    /// Every copy has failed: hand the last failure on.
    GiveUp,
}

/// How a copy was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyAnswer {
    /// Well.
    Success,
    /// With a failure that another instance may not share; with what the server asks for.
    NonFatal(Pushback),
    /// With a failure that every instance would give.
    Fatal,
}

impl Hedging {
    /// A request that begins now; its first copy is due at once.
    pub fn new(config: HedgingConfig, now: Time) -> Hedging {
        Hedging { config, open: Vec::new(), sent: 0, next_at: Some(now) }
    }

    /// When the next copy is due.
    pub fn next_deadline(&self) -> Option<Time> {
        self.next_at
    }

    /// Is a copy to be sent now? `allowed`: the client's retry budget
    /// ([`super::retry_budget`]) lets a copy after the first pass.
    pub fn decide(&mut self, now: Time, allowed: bool) -> HedgeDecision {
        if self.next_at.is_some_and(|at| now >= at) {
            if self.sent == 0 || allowed {
                self.sent += 1;
                self.open.push(self.sent);
                let more = self.sent < self.config.0.max_attempts;
                self.next_at = self.config.0.delay.filter(|_| more).map(|delay| now + delay);
                return HedgeDecision::Send(self.sent);
            }
            self.stop();
        }
        if self.has_failed() { HedgeDecision::GiveUp } else { HedgeDecision::Wait }
    }

    /// Whether no copy is under way and none is to come.
    pub fn has_failed(&self) -> bool {
        self.open.is_empty() && self.next_at.is_none()
    }

    /// A copy was answered now. `Some`: the request ends with this answer, and these copies are to be cancelled; `None`:
    /// ask [`Hedging::decide`] what follows. Answers of copies that are not under way are to be ignored by the caller.
    pub fn on_answer(&mut self, now: Time, copy: u32, answer: CopyAnswer) -> Option<Vec<u32>> {
        self.open.retain(|open| *open != copy);
        match answer {
            CopyAnswer::Success | CopyAnswer::Fatal => {
                self.stop();
                return Some(std::mem::take(&mut self.open));
            }
            CopyAnswer::NonFatal(Pushback::Stop) => self.stop(),
            CopyAnswer::NonFatal(_) if self.sent == self.config.0.max_attempts => {}
            CopyAnswer::NonFatal(Pushback::None) => self.next_at = Some(now),
            CopyAnswer::NonFatal(Pushback::AtLeast(wait)) => self.next_at = Some(now + wait),
        }
        None
    }

    /// No more copies.
    fn stop(&mut self) {
        self.config.0.max_attempts = self.sent;
        self.next_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CopyAnswer::{Fatal, NonFatal, Success};
    use HedgeDecision::{GiveUp, Send, Wait};
    use proptest::prelude::*;

    fn config(max_attempts: u32, delay_ms: Option<u64>) -> HedgingConfig {
        let delay = delay_ms.map(Span::from_millis);
        HedgingConfig::new(HedgingParams { max_attempts, delay, distinct_target: true, cancel: Cancel::Anywhere })
            .unwrap()
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    #[test]
    fn copies_follow_in_steps_until_one_is_answered() {
        let mut hedging = Hedging::new(config(3, Some(200)), at(0));
        assert_eq!([hedging.decide(at(0), true), hedging.decide(at(199), true)], [Send(1), Wait]);
        assert_eq!([hedging.decide(at(200), true), hedging.decide(at(200), true)], [Send(2), Wait]);
        assert_eq!(hedging.next_deadline(), Some(at(400)));
        assert_eq!(hedging.on_answer(at(300), 1, Success), Some(vec![2]));
        assert_eq!(hedging.next_deadline(), None);
    }

    #[test]
    fn a_failure_sends_the_next_at_once_and_the_steps_go_on_from_there() {
        let mut hedging = Hedging::new(config(4, Some(200)), at(0));
        hedging.decide(at(0), true);
        assert_eq!(hedging.on_answer(at(50), 1, NonFatal(Pushback::None)), None);
        assert_eq!([hedging.decide(at(50), true), hedging.decide(at(249), true)], [Send(2), Wait]);
        assert_eq!(hedging.decide(at(250), true), Send(3));
        assert_eq!(hedging.on_answer(at(260), 3, Fatal), Some(vec![2]));
    }

    #[test]
    fn when_all_have_failed_the_last_failure_is_handed_on() {
        let mut hedging = Hedging::new(config(2, None), at(0));
        assert_eq!([hedging.decide(at(0), true), hedging.decide(at(9_999), true)], [Send(1), Wait]);
        hedging.on_answer(at(9_999), 1, NonFatal(Pushback::None));
        assert_eq!(hedging.decide(at(9_999), true), Send(2));
        assert_eq!(hedging.on_answer(at(10_000), 2, NonFatal(Pushback::None)), None);
        assert_eq!(hedging.decide(at(10_000), true), GiveUp);
    }

    #[test]
    fn pushback_and_throttling_are_obeyed() {
        let mut hedging = Hedging::new(config(3, Some(100)), at(0));
        assert_eq!(hedging.decide(at(0), false), Send(1), "the first is always sent");
        hedging.on_answer(at(10), 1, NonFatal(Pushback::AtLeast(Span::from_millis(500))));
        assert_eq!([hedging.decide(at(509), true), hedging.decide(at(510), true)], [Wait, Send(2)]);
        let mut stopped = hedging.clone();
        stopped.on_answer(at(520), 2, NonFatal(Pushback::Stop));
        assert_eq!(stopped.decide(at(9_999), true), GiveUp);
        assert_eq!([hedging.decide(at(610), false), hedging.decide(at(9_999), true)], [Wait, Wait], "no more copies");
    }

    #[test]
    fn copies_go_to_instances_not_tried_while_there_are_any() {
        let config = config(3, Some(0));
        assert_eq!(config.candidates(&[true, true, false], &[true, false, false]), [false, true, false]);
        assert_eq!(config.candidates(&[true, true, false], &[true, true, false]), [true, true, false]);
    }

    #[test]
    fn limits_are_grpcs() {
        assert_eq!(config(9, None).params().max_attempts, 5);
        let none = HedgingParams { max_attempts: 0, ..config(1, None).params() };
        assert!(HedgingConfig::new(none).unwrap_err().contains("max_attempts"));
    }

    proptest! {
        /// Whatever happens: copies are numbered in order, never more than allowed, none after the end; without failures
        /// copy k is sent (k - 1) delays after the first; those to be cancelled are those without an answer.
        #[test]
        fn keeps_its_promises(
            max_attempts in 1u32..7, delay_ms in prop::option::of(0u64..300),
            steps in prop::collection::vec((0u64..200, 0u8..4, any::<prop::sample::Index>()), 1..60),
        ) {
            let mut hedging = Hedging::new(config(max_attempts, delay_ms), at(0));
            let (mut sent, mut open, mut failed, mut now) = (0, Vec::new(), false, 0);
            'request: for (gap_ms, what, which) in steps {
                let until = now + gap_ms;
                while let Some(due) = hedging.next_deadline().filter(|due| *due <= at(until)) {
                    if let Send(copy) = hedging.decide(due, true) {
                        sent += 1;
                        prop_assert_eq!(copy, sent);
                        open.push(copy);
                        let step = delay_ms.unwrap_or(0) * u64::from(copy - 1);
                        prop_assert!(failed || due == at(step), "copy {} at {:?}", copy, due);
                    }
                }
                prop_assert!(sent <= max_attempts.min(5));
                now = until;
                if what > 0 && !open.is_empty() {
                    let copy = open.remove(which.index(open.len()));
                    let answer = if what == 3 { Success } else { NonFatal(Pushback::None) };
                    failed |= what != 3;
                    if let Some(cancelled) = hedging.on_answer(at(now), copy, answer) {
                        prop_assert_eq!(cancelled, open);
                        prop_assert_eq!(hedging.next_deadline(), None);
                        break 'request;
                    }
                    if hedging.clone().decide(at(now), true) == GiveUp {
                        prop_assert!(open.is_empty() && sent == max_attempts.min(5));
                        break 'request;
                    }
                }
            }
        }
    }
}
