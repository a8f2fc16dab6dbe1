//! Retry: another attempt, after which delay, within which budget?
//!
//! Promise: never more than `max_attempts` attempts, never an attempt that would start at or after the deadline, never
//! a delay shorter than the server's `Retry-After`, never more retries than the budget grants. A retry that is refused
//! takes nothing from the budget.
//!
//! With `v_k = min(max_delay, base_delay * multiplier^(k-1))` for retry k = 1, 2, ... the jitters are those of the AWS
//! article "Exponential Backoff and Jitter" and of gRPC A6. The budgets are Finagle's `RetryBudget` (Tower's
//! `TpsBudget`) and a plain balance. Whether a failure may be retried at all (idempotent, and 408, 429, 502, 503, 504,
//! a refused connection or a timeout) is the caller's decision. Left out: gRPC's throttling, the AWS SDK's quota,
//! Envoy's concurrent budget.

use crate::time::{Span, Time};

/// How chance shortens or lengthens the delay `v` before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// `v` times uniform in [0.8, 1.2), which may exceed `max_delay` (gRPC A6).
    Proportional,
}

/// The parameters of retries, as yet unchecked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryParams {
    /// Attempts in all, the first included. Default 3 (resilience4j, AWS SDK).
    pub max_attempts: u8,
    /// Delay before the first retry, before jitter; zero retries at once. Default 100 ms (AWS SDK).
    pub base_delay: Span,
    /// The delay grows no further than this. Default 20 s (AWS SDK).
    pub max_delay: Span,
    /// Growth of the delay from one retry to the next. Default 2 (AWS SDK).
    pub multiplier: f64,
    /// How chance spreads retries. Default full (AWS).
    pub jitter: Jitter,
}

impl Default for RetryParams {
    fn default() -> RetryParams {
        RetryParams {
            max_attempts: 3,
            base_delay: Span::from_millis(100),
            max_delay: Span::from_millis(20_000),
            multiplier: 2.0,
            jitter: Jitter::Full,
        }
    }
}

/// Checked parameters of retries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryConfig(RetryParams);

impl RetryConfig {
    /// Checks the parameters.
    pub fn new(params: RetryParams) -> Result<RetryConfig, String> {
        if params.max_attempts == 0 {
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
        Ok(RetryConfig(params))
    }

    /// The parameters.
    pub fn params(&self) -> RetryParams {
        self.0
    }

    /// The delay before retry number `retry` (from 1), by chance `roll` in [0, 1). `previous_delay` is the one before
    /// the retry before it, zero if there was none; only [`Jitter::Decorrelated`] looks at it.
    pub fn delay(&self, retry: u8, previous_delay: Span, roll: f64) -> Span {
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
            Jitter::Proportional => delay.scaled(0.8 + 0.4 * roll),
        }
    }
}

/// What limits the retries of all requests together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BudgetConfig {
    /// Nothing.
    None,
    /// Of the requests of the last `ttl` the share `ratio` may be retried, and `min_per_s` retries a second on top.
    /// Default 10 s, 10 per second, 0.2 (Finagle).
    Ratio {
        /// How long a request or a retry counts: this long, less at most a tenth of it.
        ttl: Span,
        /// Retries per second that need no requests, so that a client with little traffic can retry; available at once
        /// for the whole `ttl`.
        min_per_s: f64,
        /// Retries per request.
        ratio: f64,
    },
    /// A balance that starts at `cap`. 0.1 / 1 / 10 grants one retry per ten requests in the long run. Kept to a
    /// millionth.
    Tokens {
        /// What a first attempt pays in.
        per_request: f64,
        /// What a retry takes out.
        per_retry: f64,
        /// The balance grows no further than this.
        cap: f64,
    },
}

impl Default for BudgetConfig {
    fn default() -> BudgetConfig {
        BudgetConfig::Ratio { ttl: Span::from_millis(10_000), min_per_s: 10.0, ratio: 0.2 }
    }
}

impl BudgetConfig {
    /// This budget, or what is wrong with it.
    pub fn check(self) -> Result<BudgetConfig, String> {
        match self {
            BudgetConfig::None => {}
            BudgetConfig::Ratio { ttl, min_per_s, ratio } => {
                if ttl < Span::from_millis(1) || ttl > Span::from_millis(3_600_000) {
                    return Err(format!("the retry budget's ttl is {} s: use 1 ms to 1 hour", ttl.as_seconds()));
                }
                if !(0.0..=1e6).contains(&min_per_s) {
                    return Err(format!("the retry budget's min_per_s is {min_per_s}: use 0 to 1,000,000"));
                }
                if ratio != 0.0 && !(0.001..=1_000.0).contains(&ratio) {
                    return Err(format!("the retry budget's ratio is {ratio}: use 0, or 0.001 to 1000 (0.2 is 20 %)"));
                }
            }
            BudgetConfig::Tokens { per_request, per_retry, cap } => {
                if !(0.0..=1e9).contains(&per_request) {
                    return Err(format!("the retry budget's per_request is {per_request}: use 0 to 1e9"));
                }
                if !(1e-6..=1e9).contains(&per_retry) {
                    return Err(format!("the retry budget's per_retry is {per_retry}: use a number above 0 up to 1e9"));
                }
                if !(per_retry..=1e9).contains(&cap) {
                    return Err(format!(
                        "the retry budget's cap is {cap}, less than the {per_retry} that a retry costs: raise it"
                    ));
                }
            }
        }
        Ok(self)
    }
}

/// The retries of one client towards one callee.
#[derive(Clone, Debug)]
pub struct Retry {
    config: RetryConfig,
    budget: Budget,
}

/// Whole numbers only, so that nothing depends on the order of roundings.
#[derive(Clone, Debug)]
enum Budget {
    Unlimited,
    Ratio(RatioBudget),
    /// In millionths.
    Tokens {
        balance: u64,
        per_request: u64,
        per_retry: u64,
        cap: u64,
    },
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
    /// All attempts have been made.
    Attempts,
    /// Too many retries lately.
    Budget,
    /// It would start at or after the deadline.
    Deadline,
}

impl Retry {
    /// Panics on a budget that [`BudgetConfig::check`] refuses.
    pub fn new(config: RetryConfig, budget: BudgetConfig) -> Retry {
        let budget = match budget.check().expect("a checked retry budget") {
            BudgetConfig::None => Budget::Unlimited,
            BudgetConfig::Ratio { ttl, min_per_s, ratio } => Budget::Ratio(RatioBudget::new(ttl, min_per_s, ratio)),
            BudgetConfig::Tokens { per_request, per_retry, cap } => {
                let [per_request, per_retry, cap] = [per_request, per_retry, cap].map(|n| (n * 1e6).round() as u64);
                Budget::Tokens { balance: cap, per_request, per_retry, cap }
            }
        };
        Retry { config, budget }
    }

    /// Is the request to be tried again after `failed_attempts` failures (1 or more), the last of them now?
    ///
    /// `previous_delay` is the delay before the attempt that failed, zero for the first; `roll` is uniform in [0, 1);
    /// `retry_after` is the least delay the server asked for; `deadline` is when the caller stops waiting. The answer
    /// `After` has taken the retry out of the budget.
    pub fn decide(
        &mut self,
        now: Time,
        failed_attempts: u8,
        previous_delay: Span,
        roll: f64,
        retry_after: Option<Span>,
        deadline: Option<Time>,
    ) -> RetryDecision {
        assert!(failed_attempts > 0, "a retry follows a failure");
        assert!((0.0..1.0).contains(&roll), "a roll lies in [0, 1)");
        if failed_attempts >= self.config.0.max_attempts {
            return RetryDecision::GiveUp(GiveUp::Attempts);
        }
        let delay = self.config.delay(failed_attempts, previous_delay, roll).max(retry_after.unwrap_or(Span::ZERO));
        if deadline.is_some_and(|deadline| now + delay >= deadline) {
            return RetryDecision::GiveUp(GiveUp::Deadline);
        }
        let granted = match &mut self.budget {
            Budget::Unlimited => true,
            Budget::Ratio(budget) => budget.withdraw(now),
            Budget::Tokens { balance, per_retry, .. } => match balance.checked_sub(*per_retry) {
                Some(rest) => {
                    *balance = rest;
                    true
                }
                None => false,
            },
        };
        if granted { RetryDecision::After(delay) } else { RetryDecision::GiveUp(GiveUp::Budget) }
    }

    /// A first attempt is sent: pays into the budget.
    pub fn on_request(&mut self, now: Time) {
        match &mut self.budget {
            Budget::Unlimited => {}
            Budget::Ratio(budget) => budget.deposit(now),
            Budget::Tokens { balance, per_request, cap, .. } => *balance = (*balance + *per_request).min(*cap),
        }
    }
}

/// What a request pays in; a retry takes this divided by the ratio (Finagle's scale, three decimals of the ratio).
const DEPOSIT: f64 = 1_000.0;
/// Parts of the ttl that expire together (Finagle and Tower: ten).
const SLOTS: u64 = 10;

/// Finagle's leaky bucket: a reserve plus everything paid in and taken out during the last `SLOTS` parts of the ttl.
#[derive(Clone, Debug)]
struct RatioBudget {
    slot_nanos: u64,
    deposit: i64,
    withdrawal: i64,
    reserve: i64,
    /// The number of the slot that `now` lies in, from the start of the run.
    slot: u64,
    /// Paid in less taken out, per slot; slot n is at n mod SLOTS.
    net: [i64; SLOTS as usize],
}

impl RatioBudget {
    fn new(ttl: Span, min_per_s: f64, ratio: f64) -> RatioBudget {
        // Without a ratio requests pay nothing in, and a retry costs one unit of the reserve.
        let (deposit, withdrawal) = if ratio == 0.0 { (0.0, 1.0) } else { (DEPOSIT, (DEPOSIT / ratio).round()) };
        RatioBudget {
            slot_nanos: ttl.as_nanos() / SLOTS,
            deposit: deposit as i64,
            withdrawal: withdrawal as i64,
            reserve: (min_per_s * ttl.as_seconds() * withdrawal).round() as i64,
            slot: 0,
            net: [0; SLOTS as usize],
        }
    }

    fn deposit(&mut self, now: Time) {
        self.expire(now);
        self.net[(self.slot % SLOTS) as usize] += self.deposit;
    }

    fn withdraw(&mut self, now: Time) -> bool {
        self.expire(now);
        let granted = self.reserve + self.net.iter().sum::<i64>() >= self.withdrawal;
        if granted {
            self.net[(self.slot % SLOTS) as usize] -= self.withdrawal;
        }
        granted
    }

    fn expire(&mut self, now: Time) {
        let slot = (now.as_nanos() / self.slot_nanos).max(self.slot);
        for passed in 1..=(slot - self.slot).min(SLOTS) {
            self.net[((self.slot + passed) % SLOTS) as usize] = 0;
        }
        self.slot = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn config(change: impl FnOnce(&mut RetryParams)) -> RetryConfig {
        let mut params = RetryParams::default();
        change(&mut params);
        RetryConfig::new(params).unwrap()
    }

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    /// What a first failure at `now` leads to, with no delay.
    fn ask(retry: &mut Retry, now: Time) -> RetryDecision {
        retry.decide(now, 1, Span::ZERO, 0.0, None, None)
    }

    /// How many first failures at `now` are retried before the budget refuses.
    fn granted(retry: &mut Retry, now: Time) -> u32 {
        (0..10_000).take_while(|_| ask(retry, now) == RetryDecision::After(Span::ZERO)).count() as u32
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
        assert_eq!(delays(Jitter::Proportional, 0.5), [100.0, 200.0, 400.0, 20_000.0, 20_000.0]);
        let config = config(|p| p.jitter = Jitter::Decorrelated);
        assert_eq!(config.delay(1, Span::ZERO, 0.5), ms(200)); // between 100 and 300
        assert_eq!(config.delay(2, ms(200), 0.5), ms(350)); // between 100 and 600
        assert_eq!(config.delay(3, ms(20_000), 0.9), ms(20_000));
    }

    #[test]
    fn gives_up_after_the_last_attempt() {
        let mut retry = Retry::new(config(|_| ()), BudgetConfig::None);
        let mut decide = |failed| retry.decide(Time::ZERO, failed, Span::ZERO, 0.5, None, None);
        assert_eq!(decide(1), RetryDecision::After(ms(50)));
        assert_eq!(decide(2), RetryDecision::After(ms(100)));
        assert_eq!(decide(3), RetryDecision::GiveUp(GiveUp::Attempts));
    }

    #[test]
    fn retry_after_is_a_lower_bound_and_the_deadline_an_upper_one() {
        let mut retry = Retry::new(config(|p| p.jitter = Jitter::None), BudgetConfig::None);
        let mut decide =
            |after, deadline| retry.decide(Time::ZERO, 1, Span::ZERO, 0.0, Some(after), Some(Time::ZERO + deadline));
        assert_eq!(decide(ms(1_000), ms(1_001)), RetryDecision::After(ms(1_000)));
        assert_eq!(decide(ms(10), ms(101)), RetryDecision::After(ms(100)));
        assert_eq!(decide(ms(10), ms(100)), RetryDecision::GiveUp(GiveUp::Deadline));
    }

    #[test]
    fn the_ratio_budget_has_a_reserve_and_a_fifth_of_the_requests() {
        let mut retry = Retry::new(config(|_| ()), BudgetConfig::default());
        assert_eq!(granted(&mut retry, Time::ZERO), 100, "10 per second for 10 seconds, at once");
        for _ in 0..50 {
            retry.on_request(Time::ZERO);
        }
        assert_eq!(granted(&mut retry, Time::from_seconds(9.999)), 10);
        // Slot 0 expires at 10 s: the reserve is back but for the 10 taken at 9.999 s.
        assert_eq!(granted(&mut retry, Time::from_seconds(10.0)), 90);
        assert_eq!(granted(&mut retry, Time::from_seconds(1_000.0)), 100);
    }

    #[test]
    fn a_ratio_of_zero_leaves_the_reserve() {
        let budget = BudgetConfig::Ratio { ttl: ms(1_000), min_per_s: 3.0, ratio: 0.0 };
        let mut retry = Retry::new(config(|_| ()), budget);
        retry.on_request(Time::ZERO);
        assert_eq!(granted(&mut retry, Time::ZERO), 3);
    }

    #[test]
    fn tokens_grant_one_retry_per_ten_requests() {
        let budget = BudgetConfig::Tokens { per_request: 0.1, per_retry: 1.0, cap: 10.0 };
        let mut retry = Retry::new(config(|_| ()), budget);
        retry.on_request(Time::ZERO);
        assert_eq!(granted(&mut retry, Time::ZERO), 10, "the balance starts at the cap and stays there");
        for _ in 0..9 {
            retry.on_request(Time::ZERO);
        }
        assert_eq!(ask(&mut retry, Time::ZERO), RetryDecision::GiveUp(GiveUp::Budget));
        retry.on_request(Time::ZERO);
        assert_eq!(granted(&mut retry, Time::ZERO), 1, "ten tenths are exactly one");
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let refused = |change: fn(&mut RetryParams)| {
            let mut params = RetryParams::default();
            change(&mut params);
            RetryConfig::new(params).unwrap_err()
        };
        assert!(refused(|p| p.max_attempts = 0).contains("max_attempts"));
        assert!(refused(|p| p.max_delay = Span::ZERO).contains("max_delay"));
        assert!(refused(|p| p.multiplier = 0.5).contains("multiplier"));
        assert!(refused(|p| p.multiplier = f64::NAN).contains("multiplier"));
        let ratio = |ttl, min_per_s, ratio| BudgetConfig::Ratio { ttl, min_per_s, ratio }.check();
        assert!(ratio(Span::ZERO, 10.0, 0.2).unwrap_err().contains("ttl"));
        assert!(ratio(ms(1_000), -1.0, 0.2).unwrap_err().contains("min_per_s"));
        assert!(ratio(ms(1_000), 10.0, f64::NAN).unwrap_err().contains("ratio"));
        let tokens = |per_request, per_retry, cap| BudgetConfig::Tokens { per_request, per_retry, cap }.check();
        assert!(tokens(-0.1, 1.0, 10.0).unwrap_err().contains("per_request"));
        assert!(tokens(0.1, 0.0, 10.0).unwrap_err().contains("per_retry"));
        assert!(tokens(0.1, 1.0, 0.5).unwrap_err().contains("cap"));
    }

    proptest! {
        /// Whatever the luck: within the jitter's bounds, no shorter than Retry-After, started before the deadline.
        #[test]
        fn delays_stay_within_their_bounds(
            which in 0usize..5, failed in 1u8..10, previous_ms in 0u64..30_000, roll in 0.0f64..1.0,
            after_ms in prop::option::of(0u64..5_000), deadline_ms in prop::option::of(0u64..10_000),
        ) {
            let jitter = [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::Proportional][which];
            let plain = config(|p| p.jitter = Jitter::None).delay(failed, Span::ZERO, 0.0);
            let delay = config(|p| p.jitter = jitter).delay(failed, ms(previous_ms), roll);
            let (least, most) = match jitter {
                Jitter::None => (plain, plain),
                Jitter::Full => (Span::ZERO, plain),
                Jitter::Equal => (plain.scaled(0.5), plain),
                Jitter::Decorrelated => (ms(100), ms(20_000).min(ms(300).max(ms(3 * previous_ms)))),
                Jitter::Proportional => (plain.scaled(0.8), plain.scaled(1.2)),
            };
            prop_assert!(least <= delay && delay <= most, "{least:?} <= {delay:?} <= {most:?}");

            let mut retry = Retry::new(config(|p| (p.jitter, p.max_attempts) = (jitter, 10)), BudgetConfig::None);
            let deadline = deadline_ms.map(|millis| Time::ZERO + ms(millis));
            match retry.decide(Time::ZERO, failed, ms(previous_ms), roll, after_ms.map(ms), deadline) {
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

        /// The ratio budget decides as the plain rule does: reserve plus net of the last ten slots covers the retry.
        #[test]
        fn the_ratio_budget_agrees_with_a_log(
            steps in prop::collection::vec((0u64..400, prop::bool::weighted(0.6)), 1..300),
        ) {
            let budget = BudgetConfig::Ratio { ttl: ms(1_000), min_per_s: 2.0, ratio: 0.2 };
            let mut retry = Retry::new(config(|_| ()), budget);
            let mut log: Vec<(u64, i64)> = Vec::new(); // slot, in fifths of a retry
            let mut now_ms = 0;
            for (gap_ms, is_request) in steps {
                now_ms += gap_ms / 10;
                let (now, slot) = (Time::ZERO + ms(now_ms), now_ms / 100);
                if is_request {
                    retry.on_request(now);
                    log.push((slot, 1));
                } else {
                    let net: i64 = log.iter().filter(|&&(at, _)| at + 10 > slot).map(|&(_, amount)| amount).sum();
                    let granted = ask(&mut retry, now) == RetryDecision::After(Span::ZERO);
                    prop_assert_eq!(granted, 10 + net >= 5);
                    if granted {
                        log.push((slot, -5));
                    }
                }
            }
        }

        /// Over any history: retries cost no more than the first balance and what requests paid in.
        #[test]
        fn tokens_are_never_overdrawn(requests in prop::collection::vec(any::<bool>(), 1..500)) {
            let budget = BudgetConfig::Tokens { per_request: 0.3, per_retry: 1.0, cap: 4.0 };
            let mut retry = Retry::new(config(|_| ()), budget);
            let (mut sent, mut retried) = (0u32, 0u32);
            for is_request in requests {
                if is_request {
                    retry.on_request(Time::ZERO);
                    sent += 1;
                } else if ask(&mut retry, Time::ZERO) == RetryDecision::After(Span::ZERO) {
                    retried += 1;
                }
                prop_assert!(retried * 10 <= 40 + sent * 3);
            }
        }
    }
}
