//! Retry budgets: how many retries may all requests of a client make together?
//!
//! Promise: a retry that is refused takes nothing, and no history grants more retries than the rule of its kind allows.
//!
//! | kind | follows |
//! |---|---|
//! | ratio | Finagle's `RetryBudget`, Tower's `TpsBudget` (source read at 0918d77): a leaky bucket over the last ttl |
//! | tokens | a plain balance: requests pay in, retries take out |
//! | throttle | gRPC A6 `retryThrottling`: failures take out, successes pay in, retries pass above one half |
//! | quota | AWS SDK standard mode (JavaScript v3): retries take out, a success pays the last one back |
//! | concurrent | Envoy `retry_budget`: a share of the requests under way |
//!
//! Whole numbers only, so that nothing depends on the order of roundings.

use crate::time::{Span, Time};

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Answered with a failure, or the connection broke.
    Failure,
    /// Turned away before any work was done: rate limit, full queue, open circuit.
    Reject,
    /// Not answered in time.
    Timeout,
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
    /// A count that starts at `max_tokens`; every failed attempt that could be retried takes one, and retries pass only
    /// while more than half of `max_tokens` is left. gRPC's example is 10 / 0.1.
    Throttle {
        /// Where the count starts, and where it stops growing.
        max_tokens: f64,
        /// What a success pays in; decimals after the third are ignored (A6).
        token_ratio: f64,
    },
    /// A balance that starts at `capacity`. The AWS SDK uses 500 / 5 / 10 / 1.
    Quota {
        /// Where the balance starts, and where it stops growing.
        capacity: u32,
        /// What a retry takes out.
        retry_cost: u32,
        /// What a retry after a timeout takes out.
        timeout_retry_cost: u32,
        /// What a success at the first attempt pays in; a later success pays back what its own last retry took.
        no_retry_increment: u32,
    },
    /// No more retries under way than a share of the requests under way. Envoy's defaults are 20 / 3.
    Concurrent {
        /// The share in percent, of all requests that have begun and not ended, rounded down to whole retries.
        percent: f64,
        /// Retries that may be under way whatever the share.
        min: u32,
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
                within("min_per_s", min_per_s, 0.0, 1e6)?;
                if ratio != 0.0 && !(0.001..=1_000.0).contains(&ratio) {
                    return Err(format!("the retry budget's ratio is {ratio}: use 0, or 0.001 to 1000 (0.2 is 20 %)"));
                }
            }
            BudgetConfig::Tokens { per_request, per_retry, cap } => {
                within("per_request", per_request, 0.0, 1e9)?;
                within("per_retry", per_retry, 1e-6, 1e9)?;
                if !(per_retry..=1e9).contains(&cap) {
                    return Err(format!(
                        "the retry budget's cap is {cap}, less than the {per_retry} that a retry costs: raise it"
                    ));
                }
            }
            BudgetConfig::Throttle { max_tokens, token_ratio } => {
                within("max_tokens", max_tokens, 0.001, 1e9)?;
                within("token_ratio", token_ratio, 0.0, 1e9)?;
            }
            BudgetConfig::Quota { capacity, retry_cost, timeout_retry_cost, .. } => {
                if capacity < retry_cost.min(timeout_retry_cost) {
                    return Err(format!(
                        "the retry budget's capacity is {capacity}, less than any retry costs: raise it"
                    ));
                }
            }
            BudgetConfig::Concurrent { percent, .. } => within("percent", percent, 0.0, 100.0)?,
        }
        Ok(self)
    }
}

fn within(name: &str, value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("the retry budget's {name} is {value}: use {least} to {most}"))
}

/// The budget of one client towards one callee.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Unlimited,
    Ratio(RatioBudget),
    /// In millionths.
    Tokens {
        balance: u64,
        per_request: u64,
        per_retry: u64,
        cap: u64,
    },
    /// In thousandths.
    Throttle {
        count: u64,
        max: u64,
        per_success: u64,
    },
    Quota {
        balance: u32,
        capacity: u32,
        retry_cost: u32,
        timeout_retry_cost: u32,
        no_retry_increment: u32,
    },
    Concurrent {
        /// The share in millionths.
        share: u64,
        min: u64,
        requests: u64,
        retries: u64,
    },
}

/// What a failed attempt takes out of a throttle, in thousandths (A6: one token).
const FAILURE: u64 = 1_000;

impl RetryBudget {
    /// A full budget. Panics on one that [`BudgetConfig::check`] refuses.
    pub fn new(config: BudgetConfig) -> RetryBudget {
        let kind = match config.check().expect("a checked retry budget") {
            BudgetConfig::None => Kind::Unlimited,
            BudgetConfig::Ratio { ttl, min_per_s, ratio } => Kind::Ratio(RatioBudget::new(ttl, min_per_s, ratio)),
            BudgetConfig::Tokens { per_request, per_retry, cap } => {
                let [per_request, per_retry, cap] = [per_request, per_retry, cap].map(|n| (n * 1e6).round() as u64);
                Kind::Tokens { balance: cap, per_request, per_retry, cap }
            }
            BudgetConfig::Throttle { max_tokens, token_ratio } => {
                // 0.5466 is 546 thousandths, and 0.546 is not 545 because it has no exact binary form.
                let [max, per_success] = [max_tokens, token_ratio].map(|n| (n * 1e3 + 1e-6).floor() as u64);
                Kind::Throttle { count: max, max, per_success }
            }
            BudgetConfig::Quota { capacity, retry_cost, timeout_retry_cost, no_retry_increment } => {
                Kind::Quota { balance: capacity, capacity, retry_cost, timeout_retry_cost, no_retry_increment }
            }
            BudgetConfig::Concurrent { percent, min } => {
                Kind::Concurrent { share: (percent * 1e4).round() as u64, min: u64::from(min), requests: 0, retries: 0 }
            }
        };
        RetryBudget { kind }
    }

    /// What is left, where that is a number that retries use up: tokens, or units of the quota.
    pub fn balance(&self) -> Option<f64> {
        match self.kind {
            Kind::Unlimited | Kind::Ratio(_) | Kind::Concurrent { .. } => None,
            Kind::Tokens { balance, .. } => Some(balance as f64 / 1e6),
            Kind::Throttle { count, .. } => Some(count as f64 / 1e3),
            Kind::Quota { balance, .. } => Some(f64::from(balance)),
        }
    }

    /// A first attempt is sent.
    pub fn on_request(&mut self, now: Time) {
        match &mut self.kind {
            Kind::Unlimited | Kind::Throttle { .. } | Kind::Quota { .. } => {}
            Kind::Ratio(budget) => budget.deposit(now),
            Kind::Tokens { balance, per_request, cap, .. } => *balance = (*balance + *per_request).min(*cap),
            Kind::Concurrent { requests, .. } => *requests += 1,
        }
    }

    /// An attempt failed in a way that could be retried, or that the server forbade to retry.
    pub fn on_failure(&mut self) {
        if let Kind::Throttle { count, .. } = &mut self.kind {
            *count = count.saturating_sub(FAILURE);
        }
    }

    /// An attempt succeeded. `retried` is the failure that it retried, if it is not the first.
    pub fn on_success(&mut self, retried: Option<FailureKind>) {
        match &mut self.kind {
            Kind::Throttle { count, max, per_success } => *count = (*count + *per_success).min(*max),
            Kind::Quota { balance, capacity, retry_cost, timeout_retry_cost, no_retry_increment } => {
                let gain = match retried {
                    None => *no_retry_increment,
                    Some(FailureKind::Timeout) => *timeout_retry_cost,
                    Some(_) => *retry_cost,
                };
                *balance = balance.saturating_add(gain).min(*capacity);
            }
            Kind::Unlimited | Kind::Ratio(_) | Kind::Tokens { .. } | Kind::Concurrent { .. } => {}
        }
    }

    /// A retry ended, however it did.
    pub fn on_retry_end(&mut self) {
        if let Kind::Concurrent { retries, .. } = &mut self.kind {
            *retries = retries.saturating_sub(1);
        }
    }

    /// A request ended, however it did.
    pub fn on_request_end(&mut self) {
        if let Kind::Concurrent { requests, .. } = &mut self.kind {
            *requests = requests.saturating_sub(1);
        }
    }

    /// Takes a retry after such a failure out of the budget; false if there is none left.
    pub fn withdraw(&mut self, now: Time, after: FailureKind) -> bool {
        match &mut self.kind {
            Kind::Unlimited => true,
            Kind::Ratio(budget) => budget.withdraw(now),
            Kind::Tokens { balance, per_retry, .. } => take(balance, *per_retry),
            Kind::Throttle { count, max, .. } => *count * 2 > *max,
            Kind::Quota { balance, retry_cost, timeout_retry_cost, .. } => {
                take(balance, if after == FailureKind::Timeout { *timeout_retry_cost } else { *retry_cost })
            }
            Kind::Concurrent { share, min, requests, retries } => {
                let granted = *retries < (*requests * *share / 1_000_000).max(*min);
                *retries += u64::from(granted);
                granted
            }
        }
    }
}

/// Takes `cost` out of `balance` if that much is there.
fn take<N: Copy + PartialOrd + std::ops::SubAssign>(balance: &mut N, cost: N) -> bool {
    let enough = *balance >= cost;
    if enough {
        *balance -= cost;
    }
    enough
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
    use FailureKind::{Failure, Timeout};
    use proptest::prelude::*;

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    /// How many retries at `now` are granted before one is refused.
    fn granted(budget: &mut RetryBudget, now: Time) -> u32 {
        (0..10_000).take_while(|_| budget.withdraw(now, Failure)).count() as u32
    }

    #[test]
    fn the_ratio_budget_has_a_reserve_and_a_fifth_of_the_requests() {
        let mut budget = RetryBudget::new(BudgetConfig::default());
        assert_eq!(granted(&mut budget, Time::ZERO), 100, "10 per second for 10 seconds, at once");
        for _ in 0..50 {
            budget.on_request(Time::ZERO);
        }
        assert_eq!(granted(&mut budget, Time::from_seconds(9.999)), 10);
        // Slot 0 expires at 10 s: the reserve is back but for the 10 taken at 9.999 s.
        assert_eq!(granted(&mut budget, Time::from_seconds(10.0)), 90);
        assert_eq!(granted(&mut budget, Time::from_seconds(1_000.0)), 100);
    }

    #[test]
    fn a_ratio_of_zero_leaves_the_reserve() {
        let mut budget = RetryBudget::new(BudgetConfig::Ratio { ttl: ms(1_000), min_per_s: 3.0, ratio: 0.0 });
        budget.on_request(Time::ZERO);
        assert_eq!(granted(&mut budget, Time::ZERO), 3);
    }

    #[test]
    fn tokens_grant_one_retry_per_ten_requests() {
        let mut budget = RetryBudget::new(BudgetConfig::Tokens { per_request: 0.1, per_retry: 1.0, cap: 10.0 });
        budget.on_request(Time::ZERO);
        assert_eq!(granted(&mut budget, Time::ZERO), 10, "the balance starts at the cap and stays there");
        for _ in 0..9 {
            budget.on_request(Time::ZERO);
        }
        assert_eq!((granted(&mut budget, Time::ZERO), budget.balance()), (0, Some(0.9)));
        budget.on_request(Time::ZERO);
        assert_eq!(granted(&mut budget, Time::ZERO), 1, "ten tenths are exactly one");
    }

    #[test]
    fn the_throttle_passes_above_one_half_and_ignores_a_fourth_decimal() {
        let mut budget = RetryBudget::new(BudgetConfig::Throttle { max_tokens: 4.0, token_ratio: 0.5466 });
        budget.on_failure();
        assert!(budget.withdraw(Time::ZERO, Failure) && budget.withdraw(Time::ZERO, Failure), "asking costs nothing");
        budget.on_failure();
        assert!(!budget.withdraw(Time::ZERO, Failure), "2 of 4 is not more than half");
        budget.on_success(None);
        assert_eq!((budget.balance(), budget.withdraw(Time::ZERO, Failure)), (Some(2.546), true));
        (0..9).for_each(|_| budget.on_failure());
        assert_eq!(budget.balance(), Some(0.0));
        (0..9).for_each(|_| budget.on_success(Some(Failure)));
        assert_eq!(budget.balance(), Some(4.0));
    }

    #[test]
    fn the_quota_is_paid_back_by_the_success_of_a_retry() {
        let mut budget = RetryBudget::new(BudgetConfig::Quota {
            capacity: 12,
            retry_cost: 5,
            timeout_retry_cost: 10,
            no_retry_increment: 1,
        });
        assert!(budget.withdraw(Time::ZERO, Timeout));
        assert!(!budget.withdraw(Time::ZERO, Failure), "2 are left");
        budget.on_success(Some(Timeout));
        assert!(budget.withdraw(Time::ZERO, Failure) && budget.withdraw(Time::ZERO, Failure));
        budget.on_success(None);
        budget.on_success(Some(Failure));
        assert_eq!(budget.balance(), Some(8.0));
        budget.on_success(Some(Timeout));
        assert_eq!(budget.balance(), Some(12.0), "never above the capacity");
    }

    #[test]
    fn concurrent_retries_are_a_share_of_the_requests() {
        let mut budget = RetryBudget::new(BudgetConfig::Concurrent { percent: 20.0, min: 1 });
        (0..14).for_each(|_| budget.on_request(Time::ZERO));
        assert_eq!(granted(&mut budget, Time::ZERO), 2, "a fifth of 14, rounded down");
        budget.on_retry_end();
        (0..10).for_each(|_| budget.on_request_end());
        assert_eq!(granted(&mut budget, Time::ZERO), 0, "1 is under way, and 1 is the minimum");
        budget.on_retry_end();
        assert_eq!(granted(&mut budget, Time::ZERO), 1);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        let ratio = |ttl, min_per_s, ratio| BudgetConfig::Ratio { ttl, min_per_s, ratio }.check();
        assert!(ratio(Span::ZERO, 10.0, 0.2).unwrap_err().contains("ttl"));
        assert!(ratio(ms(1_000), -1.0, 0.2).unwrap_err().contains("min_per_s"));
        assert!(ratio(ms(1_000), 10.0, f64::NAN).unwrap_err().contains("ratio"));
        let tokens = |per_request, per_retry, cap| BudgetConfig::Tokens { per_request, per_retry, cap }.check();
        assert!(tokens(-0.1, 1.0, 10.0).unwrap_err().contains("per_request"));
        assert!(tokens(0.1, 0.0, 10.0).unwrap_err().contains("per_retry"));
        assert!(tokens(0.1, 1.0, 0.5).unwrap_err().contains("cap"));
        let throttle = |max_tokens, token_ratio| BudgetConfig::Throttle { max_tokens, token_ratio }.check();
        assert!(throttle(0.0, 0.1).unwrap_err().contains("max_tokens"));
        assert!(throttle(10.0, -0.1).unwrap_err().contains("token_ratio"));
        let quota =
            BudgetConfig::Quota { capacity: 4, retry_cost: 5, timeout_retry_cost: 10, no_retry_increment: 1 }.check();
        assert!(quota.unwrap_err().contains("capacity"));
        assert!(BudgetConfig::Concurrent { percent: 101.0, min: 3 }.check().unwrap_err().contains("percent"));
    }

    proptest! {
        /// The ratio budget decides as the plain rule does: reserve plus net of the last ten slots covers the retry.
        #[test]
        fn the_ratio_budget_agrees_with_a_log(
            steps in prop::collection::vec((0u64..400, prop::bool::weighted(0.6)), 1..300),
        ) {
            let mut budget = RetryBudget::new(BudgetConfig::Ratio { ttl: ms(1_000), min_per_s: 2.0, ratio: 0.2 });
            let mut log: Vec<(u64, i64)> = Vec::new(); // slot, in fifths of a retry
            let mut now_ms = 0;
            for (gap_ms, is_request) in steps {
                now_ms += gap_ms / 10;
                let (now, slot) = (Time::ZERO + ms(now_ms), now_ms / 100);
                if is_request {
                    budget.on_request(now);
                    log.push((slot, 1));
                } else {
                    let net: i64 = log.iter().filter(|&&(at, _)| at + 10 > slot).map(|&(_, amount)| amount).sum();
                    let granted = budget.withdraw(now, Failure);
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
            let mut budget = RetryBudget::new(BudgetConfig::Tokens { per_request: 0.3, per_retry: 1.0, cap: 4.0 });
            let (mut sent, mut retried) = (0u32, 0u32);
            for is_request in requests {
                if is_request {
                    budget.on_request(Time::ZERO);
                    sent += 1;
                } else if budget.withdraw(Time::ZERO, Failure) {
                    retried += 1;
                }
                prop_assert!(retried * 10 <= 40 + sent * 3);
            }
        }

        /// Whatever happens: a quota stays between nothing and its capacity, a refusal costs nothing, and there are
        /// never more concurrent retries than the share or the minimum.
        #[test]
        fn quota_and_share_keep_their_bounds(steps in prop::collection::vec((0u8..5, any::<bool>()), 1..300)) {
            let mut quota = RetryBudget::new(BudgetConfig::Quota {
                capacity: 30, retry_cost: 5, timeout_retry_cost: 10, no_retry_increment: 1,
            });
            let mut share = RetryBudget::new(BudgetConfig::Concurrent { percent: 25.0, min: 2 });
            let (mut requests, mut retries) = (0u32, 0u32);
            for (what, timed_out) in steps {
                let after = if timed_out { Timeout } else { Failure };
                match what {
                    0 | 1 => {
                        let before = quota.balance().unwrap();
                        let cost = if timed_out { 10.0 } else { 5.0 };
                        let granted = quota.withdraw(Time::ZERO, after);
                        prop_assert_eq!(granted, before >= cost);
                        prop_assert_eq!(quota.balance().unwrap(), if granted { before - cost } else { before });
                        if share.withdraw(Time::ZERO, after) {
                            retries += 1;
                            prop_assert!(retries <= (requests / 4).max(2));
                        }
                    }
                    2 => quota.on_success(timed_out.then_some(after)),
                    3 => {
                        share.on_request(Time::ZERO);
                        requests += 1;
                    }
                    _ => {
                        share.on_retry_end();
                        retries = retries.saturating_sub(1);
                    }
                }
                prop_assert!((0.0..=30.0).contains(&quota.balance().unwrap()));
            }
        }
    }
}
