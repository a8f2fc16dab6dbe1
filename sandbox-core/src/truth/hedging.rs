//! A `hedging` model: one request whose copies are answered as told.

use super::Answers;
use super::read::{Ms, ms, read};
use crate::policy::deadline::Cancel;
use crate::policy::hedging::{CopyAnswer, HedgeDecision, Hedging, HedgingConfig, HedgingParams};
use crate::policy::retry::Pushback;
use crate::scenario::{Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;

spec! {
    struct Model {
        hedging: HedgingModel,
        copies: Vec<Copy>,
    }
}

spec! {
    struct HedgingModel {
        max_attempts: u32,
        /// Negative: the next copy follows a failure only.
        delay_ms: f64,
        non_fatal: Vec<String>,
    }
}

spec! {
    /// How a copy is answered; without both it is not.
    struct Copy {
        answers_after_ms?: Option<Ms>,
        status?: Option<String>,
    }
}

/// When each copy is sent, and how the request ends.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { hedging: HedgingModel { max_attempts, delay_ms, non_fatal }, copies } = read(model)?;
    let config = HedgingConfig::new(HedgingParams {
        max_attempts,
        delay: (delay_ms >= 0.0).then(|| Span::from_ms(delay_ms)),
        distinct_target: true,
        cancel: Cancel::Anywhere,
    });
    let config = config.map_err(|why| vec![Problem::new("hedging.max_attempts", why, "Mend the value.")])?;
    let mut hedging = Hedging::new(config, Time::ZERO);
    let mut sent_at = Vec::new();
    // Answers under way, by time and copy; at equal times they come before the next copy is sent.
    let mut answers: BTreeMap<(Time, u32), &str> = BTreeMap::new();
    let mut last = None;
    let ended = loop {
        let answer = answers.first_key_value().map(|(&(at, _), _)| at);
        let Some(now) = answer.into_iter().chain(hedging.next_deadline()).min() else { break None };
        if answer == Some(now) {
            let ((_, copy), status) = answers.pop_first().expect("an answer is under way");
            let kind = match status {
                "OK" => CopyAnswer::Success,
                _ if non_fatal.iter().any(|other| other == status) => CopyAnswer::NonFatal(Pushback::None),
                _ => CopyAnswer::Fatal,
            };
            last = Some((copy, status));
            if let Some(cancelled) = hedging.on_answer(now, copy, kind) {
                break Some((now, cancelled));
            }
        }
        match hedging.decide(now, true) {
            HedgeDecision::Send(copy) => {
                sent_at.push(ms(now.since(Time::ZERO)));
                if let Some(Copy { answers_after_ms: Some(after), status: Some(status) }) =
                    copies.get(copy as usize - 1)
                {
                    answers.insert((now + after.0, copy), status);
                }
            }
            HedgeDecision::Wait => {}
            HedgeDecision::GiveUp => break Some((now, Vec::new())),
        }
    };
    let mut report = Answers::new();
    report.insert("sent_at_ms".into(), json!(sent_at));
    if let Some(((at, cancelled), (copy, status))) = ended.zip(last) {
        report.insert("completed_at_ms".into(), ms(at.since(Time::ZERO)));
        report.insert("final_status".into(), json!(status));
        report.insert("winner".into(), json!(copy));
        report.insert("cancelled".into(), json!(cancelled));
    }
    Ok(report)
}
