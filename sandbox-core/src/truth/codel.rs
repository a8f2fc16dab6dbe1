//! A `codel` model: dequeues without a pause, all with the same sojourn time, and when they are dropped.

use super::read::{Ms, ms, read};
use super::{Answers, limits};
use crate::policy::admission::{Codel, CodelConfig};
use crate::scenario::{Problem, spec};
use crate::time::Time;
use serde_json::Value;

spec! {
    struct Model {
        codel: Parameters,
        sojourn_ms: Ms,
        first_dequeue_at_ms: Ms,
        drops: u32,
    }
}

spec! {
    struct Parameters {
        target_ms: Ms,
        interval_ms: Ms,
    }
}

/// `drop_at_ms` of the first `drops` drops; fewer if the queue stands no longer.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let model: Model = read(model)?;
    limits::at_most("drops", model.drops.into(), limits::STEPS)?;
    let config = CodelConfig::new(model.codel.target_ms.0, model.codel.interval_ms.0);
    let config = config.map_err(|why| vec![Problem::new("codel.interval_ms", why, "Mend the value.")])?;
    let mut codel = Codel::new(config);
    let mut now = model.first_dequeue_at_ms.time();
    let mut drops = Vec::new();
    while drops.len() < model.drops as usize {
        if codel.decide(now, model.sojourn_ms.0).is_err() {
            drops.push(ms(now.since(Time::ZERO)));
        }
        let Some(next) = codel.next_deadline() else { break };
        now = next;
    }
    Ok(Answers::from_iter([("drop_at_ms".to_string(), drops.into())]))
}
