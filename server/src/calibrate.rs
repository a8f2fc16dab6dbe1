//! Service times of real parts, measured alone at low load: what a prediction starts from.
//!
//! One call at a time goes through the part's own threads and channels, with pauses between, so nothing ever waits.
//! What is measured here is never what is tested later.

use crate::clock;
use crate::mount::Mailbox;
use crate::mount::real::{self, RealCall, RealPart, RealSpec};
use crate::output::{LatencyMs, add, histogram};
use sandbox_core::engine::{CallId, CallOp, CallResult};
use sandbox_core::ids::RequestId;
use sandbox_core::rng::{Purpose, Stream, name_hash};
use sandbox_core::scenario::{Kind, Plan, Problem};
use sandbox_core::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Samples of each operation, unless somebody asks for more or fewer.
pub const SAMPLES: usize = 3_000;
/// Calls before the first sample: they open files and fill caches.
const WARM_UP: usize = 200;
/// Between two calls, so that threads go to sleep as they do under an ordinary load.
const PAUSE: Duration = Duration::from_millis(1);
/// Quantiles written out: evenly spaced, the shortest and the longest included.
const QUANTILES: usize = 101;
/// A part that does not answer within this time is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// `calibrate --json`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// The scenario's id.
    pub scenario: String,
    /// Which parts were measured.
    pub real: Vec<String>,
    /// What was measured, by path of the scenario.
    pub measured: BTreeMap<String, LatencyMs>,
    /// Changes of the scenario, for `--set @FILE`.
    pub set: BTreeMap<String, Value>,
}

/// Measures every operation of every real part, `samples` times (at least one). `progress` is told of each sample.
pub fn calibrate(
    plan: &Plan,
    specs: &[RealSpec],
    samples: usize,
    progress: &dyn Fn(),
) -> Result<Calibration, Vec<Problem>> {
    clock::sharpen_timers();
    let mailbox = Arc::new(Mailbox::default());
    let mut calibration = Calibration {
        scenario: plan.id.clone(),
        real: specs.iter().map(ToString::to_string).collect(),
        measured: BTreeMap::new(),
        set: BTreeMap::new(),
    };
    for (node, part) in real::open(plan, specs, &mailbox, &"calibrate".into())? {
        let node = &plan.nodes[node.index()];
        let Kind::Store(store) = &node.kind else { continue };
        for write in [false, true] {
            let path = format!("nodes.{}.{}", node.group, if write { "write" } else { "read" });
            let spans = measure(&part, &mailbox, write, store.rows, samples, progress)
                .map_err(|why| vec![Problem::new(&path, why, "The part must work while it is measured.")])?;
            let mut measured = histogram();
            spans.iter().for_each(|span| add(&mut measured, *span));
            calibration.measured.insert(path.clone(), LatencyMs::of(&measured));
            calibration.set.insert(path, json!({"dist": "empirical", "quantiles_ms": quantiles_ms(spans)}));
        }
    }
    Ok(calibration)
}

fn measure(
    part: &RealPart,
    mailbox: &Mailbox,
    write: bool,
    rows: u32,
    samples: usize,
    progress: &dyn Fn(),
) -> Result<Vec<Span>, String> {
    let mut keys = Stream::new(1, name_hash("calibrate"), Purpose::Key);
    let mut spans = Vec::with_capacity(samples);
    for sample in 0..WARM_UP + samples {
        std::thread::sleep(PAUSE);
        let key = keys.below(rows.max(1));
        let op = if write { CallOp::Write { key } } else { CallOp::Read { key } };
        let call = CallId(sample as u64);
        let start = Instant::now();
        part.perform(RealCall { call, request: RequestId::NONE, op });
        let answers = mailbox.replies(start + PATIENCE);
        let took = clock::span(start.elapsed());
        match answers.first() {
            Some((answered, CallResult::Done { .. })) if *answered == call => {}
            Some(_) => return Err("a call failed".into()),
            None => return Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
        if sample >= WARM_UP {
            spans.push(took);
            progress();
        }
    }
    Ok(spans)
}

/// Evenly spaced quantiles in milliseconds, rounded to a hundredth of a microsecond.
fn quantiles_ms(mut spans: Vec<Span>) -> Vec<f64> {
    spans.sort_unstable();
    let at = |index: usize| spans[index * (spans.len() - 1) / (QUANTILES - 1)];
    (0..QUANTILES).map(|index| (at(index).as_ms() * 1e5).round() / 1e5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_run_from_the_shortest_to_the_longest() {
        let spans: Vec<Span> = (1..=1001).rev().map(Span::from_millis).collect();
        let quantiles = quantiles_ms(spans);
        assert_eq!(quantiles.len(), 101);
        assert_eq!((quantiles[0], quantiles[50], quantiles[100]), (1.0, 501.0, 1001.0));
        assert!(quantiles.is_sorted());
    }
}
