//! Retry: another attempt, after which delay, within which budget?
//!
//! Promise: never more than `max_attempts` attempts, never an attempt that would start at or after the deadline, never
//! a delay shorter than the server's `Retry-After`, never more retries than the budget grants
//! ([`super::retry_budget`]). A retry that is refused takes nothing from the budget.
//!
//! With `v_k = min(max_delay, base_delay * multiplier^(k-1))` for retry k = 1, 2, ... the jitters are those of the AWS
//! article "Exponential Backoff and Jitter", of gRPC A6 and of resilience4j. Whether the operation may be repeated at
//! all (idempotent or with an idempotency key) is the caller's decision. Left out: gRPC's pushback that shortens the
//! delay or starts the back-off anew, Polly's "decorrelated jitter V2".

pub use super::retry_budget::FailureKind;
use super::retry_budget::{BudgetConfig, RetryBudget};
use crate::time::{Span, Time};

/// How chance shortens or lengthens the delay `v` before a retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// `v` itself.
    None,
    /// Uniform in [0, v) (AWS).
    Full,
    /// v/2 plus uniform in [0, v/2) (AWS).
    Equal,
    /// Uniform between `base_delay` and three times the previous delay, at most `max_delay` (AWS); the multiplier plays
    /// no part.
    Decorrelated,
    /// `v` times uniform in [1 - factor, 1 + factor), which may exceed `max_delay`.
    Proportional {
        /// 0.2 in gRPC A6, 0.5 in resilience4j.
        factor: f64,
    },
}

/// Which failures are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOn {
    /// [`FailureKind::Failure`].
    pub failure: bool,
    /// [`FailureKind::Reject`].
    pub reject: bool,
    /// [`FailureKind::Timeout`].
    pub timeout: bool,
}

impl RetryOn {
    /// Every failure.
    pub const ALL: RetryOn = RetryOn { failure: true, reject: true, timeout: true };

    fn includes(self, kind: FailureKind) -> bool {
        match kind {
            FailureKind::Failure => self.failure,
            FailureKind::Reject => self.reject,
            FailureKind::Timeout => self.timeout,
        }
    }
}

/// The parameters of retries, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryParams {
    /// Attempts in all, the first included; `None`: until one succeeds. Default 3 (resilience4j, AWS SDK).
    pub max_attempts: Option<u32>,
    /// Delay before the first retry, before jitter; zero retries at once. Default 100 ms (AWS SDK).
    pub base_delay: Span,
    /// The delay grows no further than this. Default 20 s (AWS SDK).
    pub max_delay: Span,
    /// Growth of the delay from one retry to the next. Default 2 (AWS SDK).
    pub multiplier: f64,
    /// How chance spreads retries. Default full (AWS).
    pub jitter: Jitter,
    /// How long one attempt may take; `None`: as long as the deadline allows. Default none (Envoy).
    pub per_try_timeout: Option<Span>,
    /// Which failures are retried. Default all.
    pub retry_on: RetryOn,
}

impl Default for RetryParams {
    fn default() -> RetryParams {
        RetryParams {
            max_attempts: Some(3),
            base_delay: Span::from_millis(100),
            max_delay: Span::from_millis(20_000),
            multiplier: 2.0,
            jitter: Jitter::Full,
            per_try_timeout: None,
            retry_on: RetryOn::ALL,
        }
    }
}

/// Checked parameters of retries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryConfig(RetryParams);

impl RetryConfig {
    /// Without end and without a pause.
    pub const AT_ONCE: RetryConfig = RetryConfig(RetryParams {
        max_attempts: None,
        base_delay: Span::ZERO,
        max_delay: Span::ZERO,
        multiplier: 1.0,
        jitter: Jitter::None,
        per_try_timeout: None,
        retry_on: RetryOn::ALL,
    });

    /// Checks the parameters.
    pub fn new(params: RetryParams) -> Result<RetryConfig, String> {
        if params.max_attempts == Some(0) {
            return Err("max_attempts is 0, but the first attempt counts: use 1 for no retries".into());
        }
        if params.max_delay < params.base_delay {
            return Err(format!(
                "max_delay ({} ms) is shorter than base_delay ({} ms): lengthen it",
                params.max_delay.as_ms(),
                params.base_delay.as_ms()
            ));
        }
        if !(1.0..=1_000.0).contains(&params.multiplier) {
            return Err(format!("the multiplier is {}: use a number from 1 (constant) to 1000", params.multiplier));
        }
        if let Jitter::Proportional { factor } = params.jitter
            && !(0.0..=1.0).contains(&factor)
        {
            return Err(format!("the jitter factor is {factor}: use 0 to 1 (0.2 spreads a delay by 20 % either way)"));
        }
        if params.per_try_timeout == Some(Span::ZERO) {
            return Err("per_try_timeout is 0, so every attempt would fail: use a positive time or none".into());
        }
        Ok(RetryConfig(params))
    }

    /// The delay before retry number `retry` (from 1), by chance `roll` in [0, 1). `previous_delay` is the one before
    /// the retry before it, zero if there was none; only [`Jitter::Decorrelated`] looks at it.
    pub fn delay(&self, retry: u32, previous_delay: Span, roll: f64) -> Span {
        let RetryParams { base_delay, max_delay, multiplier, jitter, .. } = self.0;
        let growth = libm::pow(multiplier, f64::from(retry.saturating_sub(1)));
        let delay = base_delay.scaled(growth).min(max_delay);
        match jitter {
            Jitter::None => delay,
            Jitter::Full => delay.scaled(roll),
            Jitter::Equal => delay.scaled(0.5 + 0.5 * roll),
            Jitter::Decorrelated => {
                let spread = previous_delay.max(base_delay).scaled(3.0) - base_delay;
                (base_delay + spread.scaled(roll)).min(max_delay)
            }
            Jitter::Proportional { factor } => delay.scaled(1.0 - factor + 2.0 * factor * roll),
        }
    }

    /// How long an attempt that starts now may take: no longer than `per_try_timeout`, no longer than until the
    /// deadline. `None`: as long as it likes.
    pub fn patience(&self, now: Time, deadline: Option<Time>) -> Option<Span> {
        let left = deadline.map(|deadline| deadline.since(now));
        match (self.0.per_try_timeout, left) {
            (Some(timeout), Some(left)) => Some(timeout.min(left)),
            (timeout, left) => timeout.or(left),
        }
    }
}

/// The retries of one client towards one callee.
#[derive(Clone, Debug)]
pub struct Retry {
    config: RetryConfig,
    budget: RetryBudget,
}

/// An attempt that has just failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailedAttempt {
    /// Attempts made so far, this one included: 1 or more.
    pub attempts: u32,
    /// How it failed.
    pub kind: FailureKind,
    /// The delay before it, zero for the first.
    pub previous_delay: Span,
    /// A delay that was drawn in place of the back-off.
    pub drawn: Option<Span>,
    /// Uniform in [0, 1).
    pub roll: f64,
    /// What the server asked for.
    pub pushback: Pushback,
    /// When the caller stops waiting.
    pub deadline: Option<Time>,
}

/// What a server that failed says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushback {
    /// Nothing.
    None,
    /// Not before this long (`Retry-After`).
    AtLeast(Span),
    /// Not at all (a negative `grpc-retry-pushback-ms`).
    Stop,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Try again after this long.
    After(Span),
    /// Hand the failure on.
    GiveUp(GiveUp),
}

/// Why there is no retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// Such failures are not retried, or the server said not to.
    NotRetryable,
    /// All attempts have been made.
    Attempts,
    /// It would start at or after the deadline.
    Deadline,
    /// Too many retries lately.
    Budget,
}

impl Retry {
    /// Panics on a budget that [`BudgetConfig::check`] refuses.
    pub fn new(config: RetryConfig, budget: BudgetConfig) -> Retry {
        Retry { config, budget: RetryBudget::new(budget) }
    }

    /// A first attempt is sent.
    pub fn on_request(&mut self, now: Time) {
        self.budget.on_request(now);
    }

    /// Is the request to be tried again, an attempt having failed now? The answer `After` has taken the retry out of
    /// the budget; `GiveUp` ends the request.
    pub fn decide(&mut self, now: Time, failed: FailedAttempt) -> RetryDecision {
        assert!(failed.attempts > 0, "a retry follows a failure");
        assert!((0.0..1.0).contains(&failed.roll), "a roll lies in [0, 1)");
        self.end_attempt(failed.attempts);
        let decision = self.after_failure(now, failed);
        if matches!(decision, RetryDecision::GiveUp(_)) {
            self.budget.on_request_end();
        }
        decision
    }

    fn after_failure(&mut self, now: Time, failed: FailedAttempt) -> RetryDecision {
        let FailedAttempt { attempts, kind, previous_delay, drawn, roll, pushback, deadline } = failed;
        let retryable = self.config.0.retry_on.includes(kind);
        if retryable || pushback == Pushback::Stop {
            self.budget.on_failure();
        }
        if !retryable || pushback == Pushback::Stop {
            return RetryDecision::GiveUp(GiveUp::NotRetryable);
        }
        if self.config.0.max_attempts.is_some_and(|most| attempts >= most) {
            return RetryDecision::GiveUp(GiveUp::Attempts);
        }
        let mut delay = drawn.unwrap_or_else(|| self.config.delay(attempts, previous_delay, roll));
        if let Pushback::AtLeast(least) = pushback {
            delay = delay.max(least);
        }
        if deadline.is_some_and(|deadline| now + delay >= deadline) {
            return RetryDecision::GiveUp(GiveUp::Deadline);
        }
        if self.budget.withdraw(now, kind) {
            RetryDecision::After(delay)
        } else {
            RetryDecision::GiveUp(GiveUp::Budget)
        }
    }

    /// Attempt number `attempts` (from 1) succeeded; `retried` is the failure before it, if it is not the first.
    pub fn on_success(&mut self, attempts: u32, retried: Option<FailureKind>) {
        self.budget.on_success(retried);
        self.on_abandoned(attempts);
    }

    /// The request ended during attempt number `attempts`, or while waiting for the next, without success or failure:
    /// the client went away.
    pub fn on_abandoned(&mut self, attempts: u32) {
        self.end_attempt(attempts);
        self.budget.on_request_end();
    }

    fn end_attempt(&mut self, attempts: u32) {
        if attempts > 1 {
            self.budget.on_retry_end();
        }
    }

    /// What is left in the budget, where that is a number that retries use up: tokens, or units of the quota.
    pub fn balance(&self) -> Option<f64> {
        self.budget.balance()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JITTERS: [Jitter; 5] =
        [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::Proportional { factor: 0.2 }];

    fn config(change: impl FnOnce(&mut RetryParams)) -> RetryConfig {
        let mut params = RetryParams::default();
        change(&mut params);
        RetryConfig::new(params).unwrap()
    }

    fn retry(change: impl FnOnce(&mut RetryParams)) -> Retry {
        Retry::new(config(change), BudgetConfig::None)
    }

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    fn failed(attempts: u32) -> FailedAttempt {
        FailedAttempt {
            attempts,
            kind: FailureKind::Failure,
            previous_delay: Span::ZERO,
            drawn: None,
            roll: 0.5,
            pushback: Pushback::None,
            deadline: None,
        }
    }

    #[test]
    fn delays_follow_their_formulas() {
        let delays = |jitter, roll| {
            let config = config(|p| p.jitter = jitter);
            [1, 2, 3, 9, 255].map(|retry| config.delay(retry, Span::ZERO, roll).as_ms())
        };
        assert_eq!(delays(Jitter::None, 0.9), [100.0, 200.0, 400.0, 20_000.0, 20_000.0]);
        assert_eq!(delays(Jitter::Full, 0.25), [25.0, 50.0, 100.0, 5_000.0, 5_000.0]);
        assert_eq!(delays(Jitter::Equal, 0.5), [75.0, 150.0, 300.0, 15_000.0, 15_000.0]);
        let proportional = Jitter::Proportional { factor: 0.5 };
        assert_eq!(delays(proportional, 0.75), [125.0, 250.0, 500.0, 25_000.0, 25_000.0]);
        let config = config(|p| p.jitter = Jitter::Decorrelated);
        assert_eq!(config.delay(1, Span::ZERO, 0.5), ms(200)); // between 100 and 300
        assert_eq!(config.delay(2, ms(200), 0.5), ms(350)); // between 100 and 600
        assert_eq!(config.delay(3, ms(20_000), 0.9), ms(20_000));
    }

    #[test]
    fn gives_up_after_the_last_attempt() {
        let mut retry = retry(|_| ());
        assert_eq!(retry.decide(Time::ZERO, failed(1)), RetryDecision::After(ms(50)));
        assert_eq!(retry.decide(Time::ZERO, failed(2)), RetryDecision::After(ms(100)));
        assert_eq!(retry.decide(Time::ZERO, failed(3)), RetryDecision::GiveUp(GiveUp::Attempts));
        let mut stubborn = Retry::new(config(|p| p.max_attempts = None), BudgetConfig::None);
        assert_eq!(stubborn.decide(Time::ZERO, failed(1_000)), RetryDecision::After(ms(10_000)));
    }

    #[test]
    fn retry_after_is_a_lower_bound_and_the_deadline_an_upper_one() {
        let mut retry = retry(|p| p.jitter = Jitter::None);
        let mut decide = |after, deadline| {
            let pushback = Pushback::AtLeast(after);
            retry.decide(Time::ZERO, FailedAttempt { pushback, deadline: Some(Time::ZERO + deadline), ..failed(1) })
        };
        assert_eq!(decide(ms(1_000), ms(1_001)), RetryDecision::After(ms(1_000)));
        assert_eq!(decide(ms(10), ms(101)), RetryDecision::After(ms(100)));
        assert_eq!(decide(ms(10), ms(100)), RetryDecision::GiveUp(GiveUp::Deadline));
    }

    #[test]
    fn only_what_may_be_retried_is_and_never_against_the_servers_will() {
        let mut retry = retry(|p| p.retry_on = RetryOn { failure: false, ..RetryOn::ALL });
        let no = RetryDecision::GiveUp(GiveUp::NotRetryable);
        assert_eq!(retry.decide(Time::ZERO, failed(1)), no);
        for kind in [FailureKind::Reject, FailureKind::Timeout] {
            assert_eq!(retry.decide(Time::ZERO, FailedAttempt { kind, ..failed(1) }), RetryDecision::After(ms(50)));
            let stopped = FailedAttempt { kind, pushback: Pushback::Stop, ..failed(1) };
            assert_eq!(retry.decide(Time::ZERO, stopped), no);
        }
    }

    #[test]
    fn an_attempt_waits_for_its_timeout_or_the_deadline() {
        let (now, deadline) = (Time::ZERO + ms(100), Some(Time::ZERO + ms(150)));
        assert_eq!(config(|_| ()).patience(now, None), None);
        assert_eq!(config(|_| ()).patience(now, deadline), Some(ms(50)));
        assert_eq!(config(|p| p.per_try_timeout = Some(ms(80))).patience(now, deadline), Some(ms(50)));
        assert_eq!(config(|p| p.per_try_timeout = Some(ms(20))).patience(now, deadline), Some(ms(20)));
        assert_eq!(config(|p| p.per_try_timeout = Some(ms(20))).patience(now, None), Some(ms(20)));
    }

    #[test]
    fn a_budget_is_told_of_every_end() {
        let one = BudgetConfig::Concurrent { percent: 100.0, min: 0 };
        let mut retry = Retry::new(config(|_| ()), one);
        retry.on_request(Time::ZERO);
        for attempts in [1, 2] {
            let decision = retry.decide(Time::ZERO, failed(attempts));
            assert!(matches!(decision, RetryDecision::After(_)), "its own retry {attempts} is over");
        }
        retry.on_success(3, Some(FailureKind::Failure));
        let refused = RetryDecision::GiveUp(GiveUp::Budget);
        assert_eq!(retry.decide(Time::ZERO, failed(1)), refused, "no request is under way, so no retry may be");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut RetryParams)| {
            let mut params = RetryParams::default();
            change(&mut params);
            RetryConfig::new(params).unwrap_err()
        };
        assert!(refused(|p| p.max_attempts = Some(0)).contains("max_attempts"));
        assert!(refused(|p| p.max_delay = Span::ZERO).contains("max_delay"));
        assert!(refused(|p| p.multiplier = 0.5).contains("multiplier"));
        assert!(refused(|p| p.multiplier = f64::NAN).contains("multiplier"));
        assert!(refused(|p| p.jitter = Jitter::Proportional { factor: 1.5 }).contains("factor"));
        assert!(refused(|p| p.per_try_timeout = Some(Span::ZERO)).contains("per_try_timeout"));
    }

    proptest! {
        /// Whatever the luck: within the jitter's bounds, no shorter than Retry-After, started before the deadline.
        #[test]
        fn delays_stay_within_their_bounds(
            which in 0usize..5, attempts in 1u32..10, previous_ms in 0u64..30_000, roll in 0.0f64..1.0,
            after_ms in prop::option::of(0u64..5_000), deadline_ms in prop::option::of(0u64..10_000),
        ) {
            let jitter = JITTERS[which];
            let plain = config(|p| p.jitter = Jitter::None).delay(attempts, Span::ZERO, 0.0);
            let delay = config(|p| p.jitter = jitter).delay(attempts, ms(previous_ms), roll);
            let (least, most) = match jitter {
                Jitter::None => (plain, plain),
                Jitter::Full => (Span::ZERO, plain),
                Jitter::Equal => (plain.scaled(0.5), plain),
                Jitter::Decorrelated => (ms(100), ms(20_000).min(ms(300).max(ms(3 * previous_ms)))),
                Jitter::Proportional { factor } => (plain.scaled(1.0 - factor), plain.scaled(1.0 + factor)),
            };
            prop_assert!(least <= delay && delay <= most, "{least:?} <= {delay:?} <= {most:?}");

            let mut retry = retry(|p| (p.jitter, p.max_attempts) = (jitter, Some(10)));
            let deadline = deadline_ms.map(|millis| Time::ZERO + ms(millis));
            let pushback = after_ms.map_or(Pushback::None, |millis| Pushback::AtLeast(ms(millis)));
            let attempt = FailedAttempt { previous_delay: ms(previous_ms), roll, pushback, deadline, ..failed(attempts) };
            match retry.decide(Time::ZERO, attempt) {
                RetryDecision::After(after) => {
                    prop_assert_eq!(after, delay.max(ms(after_ms.unwrap_or(0))));
                    prop_assert!(deadline.is_none_or(|deadline| Time::ZERO + after < deadline));
                }
                give_up => {
                    prop_assert_eq!(give_up, RetryDecision::GiveUp(GiveUp::Deadline));
                    prop_assert!(deadline.is_some());
                }
            }
        }
    }
}
