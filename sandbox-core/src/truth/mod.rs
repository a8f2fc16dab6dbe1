//! Floor 5: ground truth. Cases whose answers are known, run through the ordinary policies and the ordinary engine.
//!
//! ```text
//! case      one case of a file: a model, its expected answers, how exact they are
//! overlay   the runs of a case: the same model with some places overwritten
//! judge     answers beside expected ones: pass, fail, unsupported, error
//! read      models as typed data; lengths of time as models write them
//! limits    how much a model may ask for
//! <type>    one file per `model.type`: reads the model, asks the policy, gives answers in the shape of `expected`
//! ```
//!
//! A file of this folder translates by the names of fields and never by the id of a case, so the same code answers any
//! other file of the same form (`tests/ground-truth/ground-truth.schema.json`). It translates and judges; what it asks
//! lies in `policy` and `engine`.

mod burn_rate;
mod cache;
mod case;
mod circuit_breaker;
mod client_address;
mod codel;
mod concurrency_limit;
mod deadline;
mod etag;
mod health_check;
mod hedging;
mod histogram_quantile;
mod http_cache;
mod idempotency;
mod judge;
mod jwt;
mod limiter;
mod limits;
mod message_queue;
mod optimistic_locking;
mod outlier_detection;
mod overlay;
mod peak_ewma;
mod read;
mod retry_quota;
mod retry_throttle;
mod run_to_trip;
mod smooth_wrr;
mod sqlite;
mod sqlite_busy;
mod system;

pub use case::{Case, CaseKind, Tolerance, read_cases};
pub use judge::{CaseReport, ValueReport, Verdict};

use crate::scenario::Problem;
use serde_json::{Map, Value};

/// Answers by metric name, in the shape of a case's `expected`.
pub type Answers = Map<String, Value>;

/// Why a model was not answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The model makes no sense; paths lead from the model.
    Problems(Vec<Problem>),
    /// The model makes sense and asks for something that is not built.
    Unsupported(String),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        Refusal::Problems(vec![problem])
    }
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Refusal {
        Refusal::Problems(problems)
    }
}

/// What a simulation has to know besides its model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    /// How it is run (`run` of the case): requests or length, warm-up. None: no warm-up, the whole input.
    pub run: Option<&'a Value>,
    /// Seed of all randomness.
    pub seed: u64,
    /// The metrics that are asked for, without the label of the run; empty: all there are.
    pub wanted: &'a [&'a str],
    /// Position of the first request whose decision is asked for (`decisions_from_index`).
    pub decisions_from: u64,
}

/// Answers one document: a whole case, or a model alone. A model with `runs` gives `metric@label`.
/// Errors: what is wrong, with its path from the model.
pub fn decide(document: &Value, seed: u64) -> Result<Answers, Refusal> {
    match document.get("model") {
        Some(model) => {
            answer_runs(model, document.get("run"), document.get("expected").and_then(Value::as_object), seed)
        }
        None => answer_runs(document, None, None, seed),
    }
}

/// Answers every run of a model; `expected` only says what is asked for.
fn answer_runs(model: &Value, run: Option<&Value>, expected: Option<&Answers>, seed: u64) -> Result<Answers, Refusal> {
    let mut answers = Answers::new();
    for run_model in overlay::runs(model)? {
        let wanted: Vec<String> =
            expected.into_iter().flat_map(Map::keys).filter_map(|key| run_model.metric(key)).collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let from = expected.and_then(|expected| expected.get(&run_model.labelled("decisions_from_index")));
        let decisions_from = from.and_then(Value::as_u64).unwrap_or(0);
        let question = Question { run, seed, wanted: &wanted, decisions_from };
        for (name, value) in answer(&run_model.model, question).map_err(|refusal| run_model.name(refusal))? {
            answers.insert(run_model.labelled(&name), value);
        }
    }
    Ok(answers)
}

/// Answers one model without runs.
fn answer(model: &Value, question: Question) -> Result<Answers, Refusal> {
    let hint = "Name a type of those that `faultline schema cases` lists.";
    let Some(kind) = model.get("type") else { return Err(Problem::new("type", "is missing", hint).into()) };
    match kind.as_str().unwrap_or_default() {
        "burn_rate" => Ok(burn_rate::decide(model)?),
        "cache" => Ok(cache::decide(model)?),
        "circuit_breaker" => Ok(circuit_breaker::decide(model)?),
        "client_address" => Ok(client_address::decide(model)?),
        "codel" => Ok(codel::decide(model)?),
        "concurrency_limit" => Ok(concurrency_limit::decide(model)?),
        "deadline" => Ok(deadline::decide(model)?),
        "etag" => Ok(etag::decide(model)?),
        "health_check" => Ok(health_check::decide(model)?),
        "hedging" => Ok(hedging::decide(model)?),
        "histogram_quantile" => Ok(histogram_quantile::decide(model)?),
        "http_cache" => Ok(http_cache::decide(model)?),
        "idempotency" => Ok(idempotency::decide(model)?),
        "jwt" => Ok(jwt::decide(model)?),
        "limiter" => Ok(limiter::decide(model, question)?),
        "message_queue" => Ok(message_queue::decide(model)?),
        "outlier_detection" => Ok(outlier_detection::decide(model)?),
        "peak_ewma" => Ok(peak_ewma::decide(model)?),
        "retry_quota" => Ok(retry_quota::decide(model)?),
        "retry_throttle" => Ok(retry_throttle::decide(model)?),
        "run_to_trip" => run_to_trip::decide(model, question),
        "smooth_wrr" => Ok(smooth_wrr::decide(model)?),
        "sqlite" => Ok(sqlite::decide(model)?),
        "sqlite_busy" => Ok(sqlite_busy::decide(model)?),
        "optimistic_locking" => optimistic_locking::simulate(model, question),
        "system" => system::simulate(model, question),
        _ => Err(Refusal::Unsupported(format!(
            "model.type {kind} is not built; `faultline schema cases` lists the types"
        ))),
    }
}
