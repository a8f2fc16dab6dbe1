//! The proof: the same requests, simulated, mounted on the wall clock, and with real parts, side by side.

use crate::calibrate::{self, Calibration};
use crate::load::{Sample, Shot, Target, TimingReport};
use crate::mount::real::RealSpec;
use crate::mount::{Setup, Start};
use crate::output::{LatencyMs, add, histogram};
use crate::serve::Server;
use sandbox_core::Run;
use sandbox_core::scenario::{Document, Plan, Problem};
use sandbox_core::time::{Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Throughput and error ratio may differ by this share of the predicted value.
const RATIO_TOLERANCE: f64 = 0.03;
/// An error ratio may differ by this much even if next to nothing is predicted: three requests of a thousand.
const ERROR_RATIO_TOLERANCE_MIN: f64 = 0.003;
/// Percentiles may differ by this share, or by [`LATENCY_TOLERANCE_MS`] if that is more.
const LATENCY_TOLERANCE: f64 = 0.10;
/// See [`LATENCY_TOLERANCE`].
const LATENCY_TOLERANCE_MS: f64 = 1.0;
/// The start is left out of the first window: caches are empty.
const WARM_UP_S: f64 = 2.0;
/// The time after a fault's end that is left out of the last window: breakers close.
const RECOVERY_S: f64 = 10.0;
/// A request without an answer after this long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to validate.
pub struct Order {
    /// The scenario as written.
    pub original: Document,
    /// Which variant.
    pub variant: String,
    /// Changes of the document: rate, duration, whatever was set.
    pub changes: Vec<(String, Value)>,
    /// Which nodes are real in the third run.
    pub real: Vec<RealSpec>,
}

/// `validate --json`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ValidationReport {
    /// The scenario's id.
    pub scenario: String,
    /// The variant that was run.
    pub variant: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// One sentence that says what ran.
    pub plan: String,
    /// Requests sent in each run: the same ones at the same times.
    pub sent: u64,
    /// Service times of the real parts, measured alone before; the prediction starts from them.
    pub calibration: Option<Calibration>,
    /// Before, during and after the outage.
    pub windows: Vec<WindowReport>,
    /// What the server says about its own time, for the successes of each wall-clock run.
    pub server_timing: BTreeMap<String, Option<TimingReport>>,
    /// How late the load generator was in each wall-clock run.
    pub send_lag_ms: BTreeMap<String, LatencyMs>,
    /// Failed requests of the real run (of the mounted one without real parts) outside the outage and the time to
    /// recover.
    pub failed_outside: u64,
    /// Whether every comparison is within its tolerance.
    pub ok: bool,
    /// How many comparisons are not.
    pub misses: u64,
}

/// One window of the timeline, by completion, half open.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WindowReport {
    /// `before`, `during`, `after` or `whole`.
    pub name: String,
    /// From this second.
    pub from_s: f64,
    /// To this second.
    pub to_s: f64,
    /// The prediction.
    pub simulated: Figures,
    /// The wall clock with modelled nodes.
    pub mounted: Option<Compared>,
    /// The wall clock with real parts.
    pub real: Option<Compared>,
}

/// The figures of a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Successes per second.
    pub throughput_rps: f64,
    /// Failures by all that ended; null if nothing did.
    pub error_ratio: Option<f64>,
    /// Latency of successes.
    pub latency_ms: LatencyMs,
}

/// Figures beside the prediction.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// What was measured.
    pub figures: Figures,
    /// By name of the figure.
    pub deviations: BTreeMap<String, Deviation>,
}

/// How far a measured figure is from the predicted one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deviation {
    /// Predicted.
    pub predicted: Option<f64>,
    /// Measured.
    pub measured: Option<f64>,
    /// Measured less predicted.
    pub difference: Option<f64>,
    /// What it may be at most, plus or minus; null for figures that are shown and not judged.
    pub tolerance: Option<f64>,
    /// Whether it is.
    pub ok: bool,
}

/// A request that ended.
struct Ended {
    at: f64,
    latency: Span,
    success: bool,
}

/// The stages, for progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Real parts are measured alone.
    Calibrating,
    /// The prediction is computed.
    Simulating,
    /// Modelled nodes on the wall clock.
    Mounted,
    /// Real parts on the wall clock.
    Real,
}

/// Runs everything. `progress` is told the stage and the share that is done.
pub fn validate(
    order: &Order,
    runtime: &tokio::runtime::Runtime,
    progress: &dyn Fn(Stage, f64),
) -> Result<ValidationReport, Vec<Problem>> {
    let mut changes = order.changes.clone();
    let plan = order.original.plan(&order.variant, &changes)?;
    let calibration = match order.real.is_empty() {
        true => None,
        false => {
            let (done, total) = (std::cell::Cell::new(0), (2 * order.real.len() * calibrate::SAMPLES) as f64);
            let tick = || {
                done.set(done.get() + 1);
                progress(Stage::Calibrating, f64::from(done.get()) / total);
            };
            let calibration = calibrate::calibrate(&plan, &order.real, calibrate::SAMPLES, &tick)?;
            changes.extend(calibration.set.clone());
            Some(calibration)
        }
    };
    let plan = Arc::new(order.original.plan(&order.variant, &changes)?);
    let document = order.original.patched(&order.variant, &changes)?;

    progress(Stage::Simulating, 0.0);
    let mut run: Run = Run::new(plan.clone());
    run.run_to_end();
    let simulated: Vec<Ended> = run
        .folds()
        .requests()
        .iter()
        .filter_map(|request| {
            let end = request.end?;
            let at = (request.intended + end.latency).as_seconds();
            Some(Ended { at, latency: end.latency, success: end.outcome.is_success() })
        })
        .collect();
    let users = plan.workloads.iter().map(|workload| workload.users).max().unwrap_or(1);
    let shots: Vec<Shot> = run
        .folds()
        .requests()
        .iter()
        .filter_map(|request| {
            let at = request.intended.since(Time::ZERO);
            Shot::new(&plan, at, request.route, request.key, request.request.0 % users)
        })
        .collect();

    let mut wall = Vec::new();
    let stages = [(Stage::Mounted, Vec::new()), (Stage::Real, order.real.clone())];
    for (stage, real) in stages {
        if stage == Stage::Real && real.is_empty() {
            continue;
        }
        let setup =
            Setup { document: document.clone(), plan: plan.clone(), real, record: None, start: Start::FirstRequest };
        let tell = |sent: usize| progress(stage, sent as f64 / shots.len().max(1) as f64);
        wall.push((stage, on_the_wall_clock(setup, &shots, users, runtime, &tell)?));
    }
    Ok(report(order, &plan, calibration, &simulated, shots.len() as u64, &wall))
}

/// Serves the setup on loopback and sends it the shots.
fn on_the_wall_clock(
    setup: Setup,
    shots: &[Shot],
    users: u32,
    runtime: &tokio::runtime::Runtime,
    progress: &dyn Fn(usize),
) -> Result<Vec<Sample>, Vec<Problem>> {
    let problem = |why: String| vec![Problem::new("loopback", why, "Let programs connect to 127.0.0.1.")];
    let server = runtime.block_on(Server::start(setup, ([127, 0, 0, 1], 0).into(), None, None))?;
    let mut target = Target::new(&format!("http://{}", server.addr), PATIENCE).map_err(problem)?;
    runtime.block_on(target.log_in(users)).map_err(problem)?;
    let mut samples = target.fire(shots.to_vec(), runtime.handle(), progress);
    runtime.block_on(server.stop(Duration::ZERO));
    // Its time 0 is the arrival of the first request.
    let zero = samples.iter().map(|sample| sample.intended).min().unwrap_or_default();
    let since = |at: Span| Span::from_nanos(at.as_nanos().saturating_sub(zero.as_nanos()));
    for sample in &mut samples {
        (sample.intended, sample.sent, sample.done) = (since(sample.intended), since(sample.sent), since(sample.done));
    }
    Ok(samples)
}

/// The windows: around the faults, or all of it.
fn windows(plan: &Plan) -> Vec<(&'static str, f64, f64)> {
    let end = plan.end.as_seconds();
    let from = plan.faults.iter().map(|fault| fault.from.as_seconds()).fold(f64::INFINITY, f64::min);
    let to = plan.faults.iter().map(|fault| fault.to.as_seconds()).fold(0.0, f64::max);
    if from >= end {
        return vec![("whole", WARM_UP_S.min(end / 2.0), end)];
    }
    let all = [("before", WARM_UP_S, from), ("during", from, to.min(end)), ("after", to + RECOVERY_S, end)];
    all.into_iter().filter(|(_, from, to)| to > from).collect()
}

fn figures(ended: &[Ended], from: f64, to: f64) -> Figures {
    let mut latency = histogram();
    let mut failed = 0;
    for request in ended.iter().filter(|request| (from..to).contains(&request.at)) {
        match request.success {
            true => add(&mut latency, request.latency),
            false => failed += 1,
        }
    }
    let all = latency.len() + failed;
    Figures {
        throughput_rps: latency.len() as f64 / (to - from),
        error_ratio: (all > 0).then(|| failed as f64 / all as f64),
        latency_ms: LatencyMs::of(&latency),
    }
}

fn compare(predicted: &Figures, figures: Figures) -> Compared {
    let mut deviations = BTreeMap::new();
    let mut judge = |name: &str, predicted: Option<f64>, measured: Option<f64>, tolerance: Option<fn(f64) -> f64>| {
        let difference = predicted.zip(measured).map(|(predicted, measured)| measured - predicted);
        let tolerance = tolerance.zip(predicted).map(|(tolerance, predicted)| tolerance(predicted));
        let ok = match (difference, tolerance) {
            (Some(difference), Some(tolerance)) => difference.abs() <= tolerance,
            // Nothing to compare on either side, or a figure that is only shown.
            _ => predicted.is_none() == measured.is_none(),
        };
        deviations.insert(name.to_string(), Deviation { predicted, measured, difference, tolerance, ok });
    };
    let share: fn(f64) -> f64 = |predicted| RATIO_TOLERANCE * predicted;
    let errors: fn(f64) -> f64 = |predicted| (RATIO_TOLERANCE * predicted).max(ERROR_RATIO_TOLERANCE_MIN);
    let latency: fn(f64) -> f64 = |predicted| (LATENCY_TOLERANCE * predicted).max(LATENCY_TOLERANCE_MS);
    let (a, b) = (predicted.latency_ms, figures.latency_ms);
    judge("throughput_rps", Some(predicted.throughput_rps), Some(figures.throughput_rps), Some(share));
    judge("error_ratio", predicted.error_ratio, figures.error_ratio, Some(errors));
    judge("p50_ms", a.p50, b.p50, Some(latency));
    judge("p95_ms", a.p95, b.p95, Some(latency));
    judge("p99_ms", a.p99, b.p99, None);
    Compared { figures, deviations }
}

fn report(
    order: &Order,
    plan: &Plan,
    calibration: Option<Calibration>,
    simulated: &[Ended],
    sent: u64,
    wall: &[(Stage, Vec<Sample>)],
) -> ValidationReport {
    let ended = |samples: &[Sample]| -> Vec<Ended> {
        let ended = |sample: &Sample| Ended {
            at: sample.done.as_seconds(),
            latency: sample.latency(),
            success: sample.is_success(),
        };
        samples.iter().map(ended).collect()
    };
    let measured: Vec<(Stage, Vec<Ended>)> = wall.iter().map(|(stage, samples)| (*stage, ended(samples))).collect();
    let windows: Vec<WindowReport> = windows(plan)
        .into_iter()
        .map(|(name, from_s, to_s)| {
            let predicted = figures(simulated, from_s, to_s);
            let of = |wanted: Stage| {
                let (_, ended) = measured.iter().find(|(stage, _)| *stage == wanted)?;
                Some(compare(&predicted, figures(ended, from_s, to_s)))
            };
            WindowReport {
                name: name.into(),
                from_s,
                to_s,
                simulated: predicted,
                mounted: of(Stage::Mounted),
                real: of(Stage::Real),
            }
        })
        .collect();
    let compared = windows.iter().flat_map(|window| [&window.mounted, &window.real]).flatten();
    let misses = compared.flat_map(|compared| compared.deviations.values()).filter(|deviation| !deviation.ok).count();
    let quiet = |at: f64| {
        !plan.faults.iter().any(|fault| (fault.from.as_seconds()..fault.to.as_seconds() + RECOVERY_S).contains(&at))
    };
    let failed_outside = measured
        .last()
        .map_or(0, |(_, ended)| ended.iter().filter(|request| !request.success && quiet(request.at)).count() as u64);
    let name = |stage: Stage| if stage == Stage::Real { "real" } else { "mounted" }.to_string();
    let lag = |samples: &[Sample]| {
        let mut lag = histogram();
        for sample in samples {
            add(&mut lag, Span::from_nanos(sample.sent.as_nanos().saturating_sub(sample.intended.as_nanos())));
        }
        LatencyMs::of(&lag)
    };
    ValidationReport {
        scenario: plan.id.clone(),
        variant: order.variant.clone(),
        seed: plan.seed,
        plan: plan.describe(),
        sent,
        calibration,
        windows,
        server_timing: wall.iter().map(|(stage, samples)| (name(*stage), TimingReport::new(samples))).collect(),
        send_lag_ms: wall.iter().map(|(stage, samples)| (name(*stage), lag(samples))).collect(),
        failed_outside,
        ok: misses == 0,
        misses: misses as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures_of(throughput_rps: f64, error_ratio: f64, p50: f64) -> Figures {
        let latency_ms =
            LatencyMs { p50: Some(p50), p95: Some(p50 * 3.0), p99: Some(p50 * 4.0), ..LatencyMs::default() };
        Figures { throughput_rps, error_ratio: Some(error_ratio), latency_ms }
    }

    #[test]
    fn tolerances_are_those_of_the_promise() {
        let predicted = figures_of(500.0, 0.2, 2.0);
        let all_ok = |figures| compare(&predicted, figures).deviations.values().all(|deviation| deviation.ok);
        assert!(all_ok(figures_of(514.0, 0.205, 2.3)));
        assert!(!all_ok(figures_of(516.0, 0.2, 2.0)), "throughput 3.2 % off");
        assert!(!all_ok(figures_of(500.0, 0.207, 2.0)), "error ratio 3.5 % off");
        assert!(!all_ok(figures_of(500.0, 0.2, 3.1)), "p50 1.1 ms off");
        let nothing = Figures { error_ratio: None, latency_ms: LatencyMs::default(), ..predicted };
        assert!(!all_ok(nothing), "an empty window is a miss");
    }

    #[test]
    fn windows_are_half_open_and_by_completion() {
        let request = |at, success| Ended { at, latency: Span::from_millis(2), success };
        let ended = [request(1.9, true), request(2.0, true), request(3.0, false), request(4.0, true)];
        let figures = figures(&ended, 2.0, 4.0);
        assert_eq!((figures.throughput_rps, figures.error_ratio), (0.5, Some(0.5)));
        assert_eq!(figures.latency_ms.count, 1);
    }
}
