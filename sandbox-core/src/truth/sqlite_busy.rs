//! A `sqlite_busy` model: when a waiting connection gets a lock.

use super::{
    Answers,
    read::{Ms, ms, read},
};
use crate::scenario::{Problem, spec};
use crate::store::{BusyTimeout, Line};
use crate::time::Span;
use serde_json::Value;

spec! {
    struct Model {
        busy: Busy,
        waits: Vec<Wait>,
    }
}

spec! {
    enum Busy {
        Poll,
    }
}

spec! {
    struct Wait {
        release_ms: Ms,
        busy_timeout_ms: Ms,
    }
}

/// `acquired_at_ms`, one for each wait: after the first attempt; null if it gave up.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { busy, waits } = read(model)?;
    let line = match busy {
        Busy::Poll => Line::Poll,
    };
    let acquired = waits.iter().map(|wait| {
        let busy = BusyTimeout { timeout: wait.busy_timeout_ms.0, line };
        acquired_at(busy, wait.release_ms.0).map_or(Value::Null, ms)
    });
    Ok(Answers::from_iter([("acquired_at_ms".to_string(), acquired.collect())]))
}

/// The first attempt that finds the lock given back, counted from the first of all.
fn acquired_at(busy: BusyTimeout, release: Span) -> Option<Span> {
    let mut waited = Span::ZERO;
    let mut refusals = 0;
    while waited < release {
        refusals += 1;
        waited += busy.decide(refusals, waited)?;
    }
    Some(waited)
}
