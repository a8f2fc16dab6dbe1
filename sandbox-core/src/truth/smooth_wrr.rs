//! A `smooth_wrr` model: weights in, picks out.

use super::read::read;
use super::{Answers, limits};
use crate::policy::smooth_wrr::SmoothWrr;
use crate::scenario::{Problem, spec};
use serde_json::Value;

spec! {
    struct Model {
        weights: Vec<Weight>,
        picks: u32,
    }
}

spec! {
    struct Weight {
        id: String,
        weight: u32,
    }
}

/// `picks`, in order.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { weights, picks } = read(model)?;
    limits::at_most("picks", u64::from(picks) * weights.len() as u64, limits::STEPS)?;
    let wrr = SmoothWrr::new(weights.iter().map(|weight| weight.weight).collect());
    let mut wrr = wrr.map_err(|why| vec![Problem::new("weights", why, "Mend the value.")])?;
    let picks = (0..picks).map_while(|_| wrr.decide(|_| true)).map(|at| Value::from(weights[at].id.as_str()));
    Ok(Answers::from_iter([("picks".to_string(), picks.collect::<Vec<_>>().into())]))
}
