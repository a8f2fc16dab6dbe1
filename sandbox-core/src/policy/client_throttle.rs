//! Client-side throttling: who is refused too often asks less, without asking.
//!
//! Promise: while the back end accepts at least one in K requests nothing is refused locally, and while it refuses more the
//! client sends about K requests for each one accepted. Semantics and defaults: adaptive throttling of the SRE book, chapter
//! "Handling Overload": of the requests of the last two minutes, a share max(0, (requests - K accepts) / (requests + 1))
//! is refused. A request counts when it is attempted, sent or not; an accept counts when the answer comes.

use super::{Denial, DenyReason};
use crate::time::{Span, Time};
use std::collections::VecDeque;

/// The window moves on in so many steps, so that memory does not grow with load.
const SLICES: u64 = 120;

/// Checked parameters of a client throttle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientThrottleConfig {
    k: f64,
    window: Span,
}

impl ClientThrottleConfig {
    /// Sends about `k` requests for each accepted one, looking back over `window`.
    pub fn new(k: f64, window: Span) -> Result<ClientThrottleConfig, String> {
        if !(1.0..=1e6).contains(&k) {
            return Err(format!("k is {k}, so even a healthy back end would be throttled: use at least 1, such as 2"));
        }
        if window.as_nanos() < SLICES {
            return Err("the throttle's window is 0: use a positive time such as 120 s".into());
        }
        Ok(ClientThrottleConfig { k, window })
    }
}

impl Default for ClientThrottleConfig {
    /// K = 2 over two minutes (SRE book).
    fn default() -> ClientThrottleConfig {
        ClientThrottleConfig { k: 2.0, window: Span::from_millis(120_000) }
    }
}

/// One client's view of one back end.
#[derive(Clone, Debug)]
pub struct ClientThrottle {
    config: ClientThrottleConfig,
    /// Oldest first; only slices in which something happened.
    slices: VecDeque<Slice>,
    requests: u64,
    accepts: u64,
}

#[derive(Clone, Copy, Debug)]
struct Slice {
    number: u64,
    requests: u64,
    accepts: u64,
}

impl ClientThrottle {
    /// A throttle that has seen nothing yet.
    pub fn new(config: ClientThrottleConfig) -> ClientThrottle {
        ClientThrottle { config, slices: VecDeque::new(), requests: 0, accepts: 0 }
    }

    /// May this request be sent? `roll` is a random number in [0, 1).
    pub fn decide(&mut self, now: Time, roll: f64) -> Result<(), Denial> {
        self.slice(now);
        let refused = roll < self.reject_probability();
        self.slice(now).requests += 1;
        self.requests += 1;
        if refused { Err(Denial { retry_at: None, reason: DenyReason::Throttled }) } else { Ok(()) }
    }

    /// The back end accepted a request (whatever it then answered).
    pub fn on_accept(&mut self, now: Time) {
        self.slice(now).accepts += 1;
        self.accepts += 1;
    }

    /// The share of requests that is refused locally, as of the last call.
    pub fn reject_probability(&self) -> f64 {
        let (requests, accepts) = (self.requests as f64, self.accepts as f64);
        ((requests - self.config.k * accepts) / (requests + 1.0)).max(0.0)
    }

    /// The slice of `now`; what is older than the window is forgotten.
    fn slice(&mut self, now: Time) -> &mut Slice {
        let number = now.as_nanos() / (self.config.window.as_nanos() / SLICES);
        while let Some(oldest) = self.slices.front().filter(|oldest| oldest.number + SLICES <= number) {
            self.requests -= oldest.requests;
            self.accepts -= oldest.accepts;
            self.slices.pop_front();
        }
        if self.slices.back().is_none_or(|newest| newest.number < number) {
            self.slices.push_back(Slice { number, requests: 0, accepts: 0 });
        }
        self.slices.back_mut().expect("it was made above")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Time {
        Time::ZERO + Span::from_millis(ms)
    }

    #[test]
    fn a_dead_back_end_is_left_alone_and_then_asked_again() {
        let mut throttle = ClientThrottle::new(ClientThrottleConfig::default());
        for ms in 0..99 {
            assert_eq!(throttle.decide(at(ms), 0.999), Ok(()));
        }
        assert_eq!(throttle.reject_probability(), 0.99);
        assert_eq!(throttle.decide(at(100), 0.98).unwrap_err().reason, DenyReason::Throttled);
        assert_eq!(throttle.decide(at(120_100), 0.0), Ok(()), "two minutes later all is forgotten");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(ClientThrottleConfig::new(0.9, Span::from_millis(1)).unwrap_err().contains('k'));
        assert!(ClientThrottleConfig::new(2.0, Span::ZERO).unwrap_err().contains("window"));
    }

    proptest! {
        /// A back end that accepts one in K is never spared.
        #[test]
        fn a_healthy_back_end_is_not_throttled(k in 1u32..5, gaps in prop::collection::vec(0u64..3_000, 1..300)) {
            let config = ClientThrottleConfig::new(k.into(), Span::from_millis(10_000)).unwrap();
            let mut throttle = ClientThrottle::new(config);
            let mut now = 0;
            for (number, gap) in (0u32..).zip(gaps) {
                // The accepted one comes first of each K, within one slice of the others.
                now += if number % k == 0 { gap } else { 0 };
                prop_assert_eq!(throttle.decide(at(now), 0.0), Ok(()));
                if number % k == 0 {
                    throttle.on_accept(at(now));
                }
            }
        }

        /// Against a back end that accepts `capacity` of every 100, about K x capacity are sent.
        #[test]
        fn about_k_requests_are_sent_for_each_accepted(capacity in 5u32..30, seed in any::<u64>()) {
            let mut throttle = ClientThrottle::new(ClientThrottleConfig::new(2.0, Span::from_millis(60_000)).unwrap());
            let mut luck = crate::rng::Stream::new(seed, 1, crate::rng::Purpose::Route);
            let mut sent = 0;
            for second in 0..400u64 {
                let mut accepted = 0;
                for k in 0..100 {
                    let now = at(second * 1_000 + k * 10);
                    if throttle.decide(now, luck.uniform()).is_ok() {
                        sent += u32::from(second >= 200);
                        if accepted < capacity {
                            accepted += 1;
                            throttle.on_accept(now);
                        }
                    }
                }
            }
            let ratio = f64::from(sent) / f64::from(200 * 2 * capacity);
            prop_assert!((0.85..1.15).contains(&ratio), "{ratio}");
        }
    }
}
