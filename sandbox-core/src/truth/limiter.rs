//! A `limiter` model: requests at given instants, asked of one rate limiter.

use super::read::{Ms, Seconds, in_order, ms, read};
use super::{Answers, Question};
use crate::policy::rate_limiter::{
    Cost, LeakyQueueConfig, Rate, RateLimitConfig, RateLimiter, RateLimiterConfig, WindowConfig,
};
use crate::scenario::{Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Value, json};

spec! {
    struct Model {
        limiter: LimiterModel,
        requests: Vec<Request>,
        measure?: Option<Measure>,
    }
}

spec! {
    /// A rate limiter as a model writes it.
    #[derive(Copy)]
    pub enum LimiterModel tagged "algorithm" {
        /// See [`RateLimiterConfig::TokenBucket`].
        TokenBucket { capacity: f64, refill_per_s: f64 },
        /// See [`RateLimiterConfig::Gcra`].
        Gcra { rate_per_s: f64, burst: u32 },
        /// See [`RateLimiterConfig::FixedWindow`].
        FixedWindow { limit: u32, window_s?: Option<Seconds>, window_ms?: Option<Ms> },
        /// See [`RateLimiterConfig::FixedWindowAnchored`].
        FixedWindowAnchored { limit: u32, window_s?: Option<Seconds>, window_ms?: Option<Ms> },
        /// See [`RateLimiterConfig::SlidingLog`].
        SlidingLog { limit: u32, window_s?: Option<Seconds>, window_ms?: Option<Ms>, count_rejected?: Option<bool> },
        /// See [`RateLimiterConfig::SlidingCounter`].
        SlidingCounter { limit: u32, window_s?: Option<Seconds>, window_ms?: Option<Ms> },
        /// See [`RateLimiterConfig::LeakyQueue`].
        LeakyQueue { rate_per_s: f64, burst: u32 },
    }
}

spec! {
    #[derive(Copy)]
    struct Request {
        t_ms: Ms,
        cost?: Option<f64>,
    }
}

spec! {
    struct Measure {
        max_admitted_window_ms: Ms,
    }
}

impl LimiterModel {
    /// The limiter's parameters, checked; paths lead from the limiter.
    pub fn config(self) -> Result<RateLimiterConfig, Problem> {
        let at = |field: &'static str| move |why: String| Problem::new(field, why, "Mend the value.");
        let rate = |per_s: f64, field| Rate::per_second(per_s).map_err(at(field));
        let window = |limit: u32, s: Option<Seconds>, ms: Option<Ms>| {
            let length = match (s, ms) {
                (Some(seconds), None) => seconds.0,
                (None, Some(millis)) => millis.0,
                _ => return Err(Problem::new("window_ms", "is missing or doubled", "Write window_ms or window_s.")),
            };
            let field = if limit == 0 {
                "limit"
            } else if s.is_some() {
                "window_s"
            } else {
                "window_ms"
            };
            WindowConfig::new(limit.into(), length).map_err(at(field))
        };
        Ok(match self {
            LimiterModel::TokenBucket { capacity, refill_per_s } => {
                let capacity = Cost::requests(capacity).map_err(at("capacity"))?;
                let bucket = RateLimitConfig::new(rate(refill_per_s, "refill_per_s")?, capacity);
                RateLimiterConfig::TokenBucket(bucket.map_err(at("capacity"))?)
            }
            LimiterModel::Gcra { rate_per_s, burst } => {
                let bucket = RateLimitConfig::new(rate(rate_per_s, "rate_per_s")?, burst.into());
                RateLimiterConfig::Gcra(bucket.map_err(at("burst"))?)
            }
            LimiterModel::FixedWindow { limit, window_s, window_ms } => {
                RateLimiterConfig::FixedWindow(window(limit, window_s, window_ms)?)
            }
            LimiterModel::FixedWindowAnchored { limit, window_s, window_ms } => {
                RateLimiterConfig::FixedWindowAnchored(window(limit, window_s, window_ms)?)
            }
            LimiterModel::SlidingLog { limit, window_s, window_ms, count_rejected } => {
                let window = window(limit, window_s, window_ms)?;
                RateLimiterConfig::SlidingLog(window.count_rejected(count_rejected.unwrap_or(false)))
            }
            LimiterModel::SlidingCounter { limit, window_s, window_ms } => {
                RateLimiterConfig::SlidingCounter(window(limit, window_s, window_ms)?)
            }
            LimiterModel::LeakyQueue { rate_per_s, burst } => {
                RateLimiterConfig::LeakyQueue(LeakyQueueConfig::new(rate(rate_per_s, "rate_per_s")?, burst.into()))
            }
        })
    }
}

/// What became of one request.
struct Decided {
    at: Time,
    /// When it may start; None: refused.
    start: Option<Time>,
    /// How long until it could pass; None: never.
    retry_after: Option<Span>,
    remaining: u64,
    reset_after: Span,
    tokens_after: Option<f64>,
    estimate_before: Option<f64>,
}

/// The decision on every request, and what the limiter shows of itself.
pub fn decide(model: &Value, question: Question) -> Result<Answers, Vec<Problem>> {
    let Model { limiter, requests, measure } = read(model)?;
    in_order("requests", requests.iter().map(|request| request.t_ms.time()))?;
    let within = |problem: Problem| vec![Problem { path: format!("limiter.{}", problem.path), ..problem }];
    let mut limiter = RateLimiter::new(limiter.config().map_err(within)?);
    let mut decided: Vec<Decided> = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        let cost = Cost::requests(request.cost.unwrap_or(1.0));
        let cost = cost.map_err(|why| vec![Problem::new(format!("requests.{index}.cost"), why, "Mend the value.")])?;
        decided.push(one(&mut limiter, request.t_ms.time(), cost));
    }
    let mut answers = answers(&decided, question.decisions_from as usize);
    if let Some(Measure { max_admitted_window_ms }) = measure {
        let most = max_admitted(&decided, max_admitted_window_ms.0);
        answers.insert("max_admitted_in_window".into(), most.into());
    }
    Ok(answers)
}

fn one(limiter: &mut RateLimiter, now: Time, cost: Cost) -> Decided {
    let estimate_before = match limiter {
        RateLimiter::SlidingCounter(counter) => Some(counter.estimate(now)),
        _ => None,
    };
    let decision = limiter.decide(now, cost);
    Decided {
        at: now,
        start: decision.ok(),
        retry_after: decision.map_or_else(|denial| denial.retry_at.map(|at| at.since(now)), |_| Some(Span::ZERO)),
        remaining: limiter.remaining(now),
        reset_after: limiter.reset_after(now),
        tokens_after: match limiter {
            RateLimiter::TokenBucket(bucket) => Some(bucket.available(now)),
            _ => None,
        },
        estimate_before,
    }
}

/// The metrics; decisions and estimates begin with the request at `from`.
fn answers(decided: &[Decided], from: usize) -> Answers {
    fn each<T: Into<Value>>(decided: &[Decided], of: impl Fn(&Decided) -> T) -> Value {
        decided.iter().map(|one| of(one).into()).collect::<Vec<Value>>().into()
    }
    let word = |one: &Decided| if one.start.is_some() { "allow" } else { "reject" };
    let from = from.min(decided.len());
    let admitted = |some: &[Decided]| some.iter().filter(|one| one.start.is_some()).count();
    let mut answers = Answers::new();
    let mut say = |name: &str, value: Value| drop(answers.insert(name.into(), value));
    say("decisions", each(&decided[from..], word));
    if from > 0 {
        say("decisions_from_index", from.into());
        say("admitted_before", admitted(&decided[..from]).into());
    }
    say("retry_after_ms", each(decided, |one| one.retry_after.map(Span::as_ms)));
    say("remaining", each(decided, |one| one.remaining));
    say("reset_after_ms", each(decided, |one| one.reset_after.as_ms()));
    say("start_ms", each(decided, |one| one.start.map_or(Value::Null, |start| ms(start.since(Time::ZERO)))));
    if decided.iter().all(|one| one.tokens_after.is_some()) {
        say("tokens_after", each(decided, |one| one.tokens_after));
    }
    if decided.iter().all(|one| one.estimate_before.is_some()) {
        say("estimate_before", each(&decided[from..], |one| one.estimate_before));
    }
    say("accepted_count", admitted(decided).into());
    if let Some(first) = decided.iter().position(|one| one.start.is_none()) {
        say("first_rejected_index", first.into());
    }
    if !decided.is_empty() {
        let share = admitted(decided) as f64 / decided.len() as f64;
        say("admitted_fraction", json!(share));
        say("reject_fraction", json!(1.0 - share));
    }
    answers
}

/// The most requests admitted in any half-open interval of this length.
fn max_admitted(decided: &[Decided], length: Span) -> usize {
    let admitted: Vec<Time> = decided.iter().filter(|one| one.start.is_some()).map(|one| one.at).collect();
    let from =
        |(index, start): (usize, &Time)| admitted[index..].iter().take_while(|at| **at < *start + length).count();
    admitted.iter().enumerate().map(from).max().unwrap_or(0)
}
