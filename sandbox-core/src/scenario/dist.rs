//! How long something takes: as written ([`DistSpec`]), and as planned ([`Dist`]), from which lengths are drawn.

use super::Problem;
use super::limits;
use super::path::Path;
use super::problem::within;
use super::spec_macro::spec;
use crate::rng::Stream;
use crate::time::Span;
use std::sync::Arc;

spec! {
    /// How long something takes.
    pub enum DistSpec tagged "dist" {
        /// Always the same.
        Constant {
            /// Milliseconds.
            value_ms: f64,
        },
        /// Exponential.
        Exponential {
            /// Mean, in milliseconds.
            mean_ms: f64,
        },
        /// Any length between the two, all equally likely.
        Uniform {
            /// Shortest, in milliseconds.
            min_ms: f64,
            /// Longest, in milliseconds.
            max_ms: f64,
        },
        /// As measured: evenly spaced quantiles from the shortest to the longest, with straight lines between them.
        Empirical {
            /// At least two, ascending, in milliseconds.
            quantiles_ms: Vec<f64>,
        },
        /// The logarithm is normal: many short ones, few very long ones, as most measured service times.
        Lognormal {
            /// Mean, in milliseconds.
            mean_ms: f64,
            /// Squared coefficient of variation: variance / mean^2. The logarithm's variance is ln(1 + `cv2`). An
            /// exponential has 1; services measure 0.3 to 10.
            cv2: f64,
        },
        /// A mix of exponentials: mostly quick, sometimes slow.
        Hyperexponential {
            /// What is mixed; the probabilities add up to 1.
            branches: Vec<BranchSpec>,
        },
        /// Pareto type I: longer than x with probability (`min_ms` / x)^`alpha`. A tail without end.
        Pareto {
            /// The smaller, the heavier the tail: above 1, or there is no mean; up to 2 there is no variance.
            alpha: f64,
            /// Shortest, in milliseconds.
            min_ms: f64,
        },
        /// Pareto, cut off at a longest length; what lies beyond is spread over the rest.
        BoundedPareto {
            /// The smaller, the heavier the tail; above 0.
            alpha: f64,
            /// Shortest, in milliseconds.
            min_ms: f64,
            /// Longest, in milliseconds.
            max_ms: f64,
        },
        /// The sum of `k` exponentials: `k` phases one after the other. cv2 is 1 / `k`.
        Erlang {
            /// Phases, 1 to 100.
            k: u32,
            /// Mean of the sum, in milliseconds.
            mean_ms: f64,
        },
        /// One of a few lengths.
        Discrete {
            /// The lengths; the probabilities add up to 1.
            points: Vec<PointSpec>,
        },
        /// The absolute value of a normal number.
        AbsNormal {
            /// Mean before the sign is dropped, in milliseconds.
            mean_ms: f64,
            /// Standard deviation before the sign is dropped, in milliseconds.
            sd_ms: f64,
        },
    }
}

spec! {
    /// One exponential of a mix.
    #[derive(Copy)]
    pub struct BranchSpec {
        /// Its probability.
        pub p: f64,
        /// Its mean, in milliseconds.
        pub mean_ms: f64,
    }
}

spec! {
    /// One of a few lengths.
    #[derive(Copy)]
    pub struct PointSpec {
        /// Its probability.
        pub p: f64,
        /// Milliseconds.
        pub value_ms: f64,
    }
}

/// How long something takes. Every draw is finite: at most [`Dist::LONGEST`], or what the document says.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(Span),
    /// Exponential with this mean.
    Exponential(Span),
    /// Between the two.
    Uniform(Span, Span),
    /// Straight lines between evenly spaced quantiles.
    Empirical(Arc<[Span]>),
    /// The logarithm is normal.
    Lognormal {
        /// Its mean.
        mean: Span,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Pareto from `min`, cut off at `max`.
    Pareto {
        /// Exponent of the tail.
        alpha: f64,
        /// Shortest.
        min: Span,
        /// Longest.
        max: Span,
        /// Probability of what is cut off; 0 where the tail is left whole.
        cut: f64,
    },
    /// The sum of equal exponentials.
    Erlang {
        /// How many.
        phases: u32,
        /// Mean of the sum.
        mean: Span,
    },
    /// The absolute value of a normal number.
    AbsNormal {
        /// Mean of the normal number.
        mean: Span,
        /// Its standard deviation.
        sd: Span,
    },
    /// One of several, with the cumulative probability of each, the last one 1.
    Mixture(Arc<[(f64, Dist)]>),
}

impl Dist {
    /// No time at all.
    pub const ZERO: Dist = Dist::Constant(Span::ZERO);

    /// No draw is longer: a year, which no run outlasts.
    pub const LONGEST: Span = Span::from_millis(365 * 86_400_000);

    /// Draws a length.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> Span {
        match self {
            Dist::Constant(value) => *value,
            Dist::Exponential(mean) => stream.exponential(*mean),
            Dist::Uniform(min, max) => *min + (*max - *min).scaled(stream.uniform()),
            Dist::Empirical(quantiles) => {
                let place = stream.uniform() * (quantiles.len() - 1) as f64;
                let below = quantiles[place as usize];
                below + (quantiles[place as usize + 1] - below).scaled(place.fract())
            }
            Dist::Lognormal { mean, sigma } => {
                let exponent = sigma * stream.standard_normal() - sigma * sigma / 2.0;
                mean.scaled(libm::exp(exponent)).min(Dist::LONGEST)
            }
            // By inversion: min (1 - u (1 - cut))^(-1 / alpha).
            Dist::Pareto { alpha, min, max, cut } => {
                let exponent = -libm::log(1.0 - stream.uniform() * (1.0 - cut)) / alpha;
                min.scaled(libm::exp(exponent)).min(*max)
            }
            Dist::Erlang { phases, mean } => {
                let sum: f64 = (0..*phases).map(|_| stream.standard_exponential()).sum();
                mean.scaled(sum / f64::from(*phases))
            }
            Dist::AbsNormal { mean, sd } => {
                let nanos = mean.as_nanos() as f64 + sd.as_nanos() as f64 * stream.standard_normal();
                Span::from_nanos(nanos.abs().round() as u64)
            }
            Dist::Mixture(parts) => {
                let roll = stream.uniform();
                let part = parts.partition_point(|(up_to, _)| *up_to <= roll);
                parts[part].1.sample(stream)
            }
        }
    }

    /// Whether a draw needs no random number.
    #[inline]
    pub fn is_constant(&self) -> bool {
        matches!(self, Dist::Constant(_))
    }

    /// The mean length.
    #[inline]
    pub fn mean(&self) -> Span {
        let nanos = match self {
            Dist::Constant(mean) | Dist::Exponential(mean) => return *mean,
            Dist::Lognormal { mean, .. } | Dist::Erlang { mean, .. } => return *mean,
            Dist::Uniform(min, max) => return (*min + *max).scaled(0.5),
            Dist::Empirical(quantiles) => {
                let pairs = quantiles.windows(2).map(|pair| (pair[0] + pair[1]).as_nanos() as f64 / 2.0);
                pairs.sum::<f64>() / (quantiles.len() - 1) as f64
            }
            Dist::Pareto { alpha, min, cut, .. } => pareto_mean(*alpha, min.as_nanos() as f64, *cut),
            Dist::AbsNormal { mean, sd } => folded_mean(mean.as_nanos() as f64, sd.as_nanos() as f64),
            Dist::Mixture(parts) => {
                let mut before = 0.0;
                let weighted = parts.iter().map(|(up_to, part)| {
                    let p = up_to - std::mem::replace(&mut before, *up_to);
                    p * part.mean().as_nanos() as f64
                });
                weighted.sum()
            }
        };
        Span::from_nanos(nanos.round() as u64)
    }
}

/// The mean of a Pareto length from `min` with the share `cut` taken off its end. With r = min / max and cut = r^alpha it
/// is min alpha / (1 - cut) times the integral of x^-alpha from 1 to 1 / r.
#[inline]
fn pareto_mean(alpha: f64, min: f64, cut: f64) -> f64 {
    let integral = match alpha == 1.0 {
        true => -libm::log(cut),
        false => -libm::expm1((alpha - 1.0) / alpha * libm::log(cut)) / (alpha - 1.0),
    };
    min * alpha / (1.0 - cut) * integral
}

/// The mean of the absolute value of a normal number.
#[inline]
fn folded_mean(mean: f64, sd: f64) -> f64 {
    if sd == 0.0 {
        return mean;
    }
    let ratio = mean / sd;
    let tail = sd * (2.0 / std::f64::consts::PI).sqrt() * libm::exp(-ratio * ratio / 2.0);
    tail + mean * libm::erf(ratio * std::f64::consts::FRAC_1_SQRT_2)
}

impl DistSpec {
    /// Checks every number and plans; what is wrong is added to `problems` at or below `path`.
    #[inline]
    pub(super) fn plan(&self, path: &Path, problems: &mut Vec<Problem>) -> Dist {
        const MAX_MS: f64 = limits::LENGTH_MS;
        /// A nanosecond: a Pareto length cannot begin at 0.
        const MIN_MS: f64 = 1e-6;
        const ALPHA_MAX: f64 = 1_000.0;
        /// The smallest exponent of a bounded Pareto tail: below it the law is flat and its mean is lost in rounding.
        const ALPHA_MIN: f64 = 0.001;
        match self {
            DistSpec::Constant { value_ms } => {
                within(problems, &path.at("value_ms"), *value_ms, 0.0, MAX_MS);
                Dist::Constant(Span::from_ms(*value_ms))
            }
            DistSpec::Exponential { mean_ms } => {
                within(problems, &path.at("mean_ms"), *mean_ms, 0.0, MAX_MS);
                Dist::Exponential(Span::from_ms(*mean_ms))
            }
            DistSpec::Uniform { min_ms, max_ms } => {
                within(problems, &path.at("min_ms"), *min_ms, 0.0, MAX_MS);
                within(problems, &path.at("max_ms"), *max_ms, min_ms.max(0.0), MAX_MS);
                Dist::Uniform(Span::from_ms(*min_ms), Span::from_ms(*max_ms))
            }
            DistSpec::Empirical { quantiles_ms } => {
                let path = &path.at("quantiles_ms");
                let ascending = quantiles_ms.windows(2).all(|pair| pair[0] <= pair[1]);
                if !(2..=limits::POINTS).contains(&quantiles_ms.len()) || !ascending {
                    let hint = format!("Give 2 to {} numbers in ascending order.", limits::POINTS);
                    problems.push(Problem::new(path.to_string(), "is no list of quantiles", hint));
                    return Dist::ZERO;
                }
                for value in quantiles_ms {
                    within(problems, path, *value, 0.0, MAX_MS);
                }
                Dist::Empirical(quantiles_ms.iter().map(|ms| Span::from_ms(*ms)).collect())
            }
            DistSpec::Lognormal { mean_ms, cv2 } => {
                within(problems, &path.at("mean_ms"), *mean_ms, 0.0, MAX_MS);
                within(problems, &path.at("cv2"), *cv2, 0.0, 1e6);
                Dist::Lognormal { mean: Span::from_ms(*mean_ms), sigma: libm::log1p(*cv2).sqrt() }
            }
            DistSpec::Hyperexponential { branches } => {
                for (index, branch) in branches.iter().enumerate() {
                    within(problems, &path.at("branches").index(index).at("mean_ms"), branch.mean_ms, 0.0, MAX_MS);
                }
                let parts = branches.iter().map(|branch| (branch.p, Dist::Exponential(Span::from_ms(branch.mean_ms))));
                mixture(&path.at("branches"), parts.collect(), problems)
            }
            DistSpec::Pareto { alpha, min_ms } => {
                if !(*alpha > 1.0 && *alpha <= ALPHA_MAX) {
                    let hint = format!("Use a number above 1, at most {ALPHA_MAX}, or `bounded_pareto`.");
                    problems.push(Problem::new(path.at("alpha").to_string(), format!("{alpha} gives no mean"), hint));
                } else if within(problems, &path.at("min_ms"), *min_ms, MIN_MS, MAX_MS) {
                    let mean_ms = pareto_mean(*alpha, *min_ms, 0.0);
                    if mean_ms > MAX_MS {
                        let hint = format!("Use a larger `alpha` or a smaller `min_ms`: at most {MAX_MS}.");
                        problems.push(Problem::new(
                            path.to_string(),
                            format!("its mean of {mean_ms} ms is out of range"),
                            hint,
                        ));
                    }
                }
                Dist::Pareto { alpha: *alpha, min: Span::from_ms(*min_ms), max: Dist::LONGEST, cut: 0.0 }
            }
            DistSpec::BoundedPareto { alpha, min_ms, max_ms } => {
                within(problems, &path.at("alpha"), *alpha, ALPHA_MIN, ALPHA_MAX);
                within(problems, &path.at("min_ms"), *min_ms, MIN_MS, MAX_MS);
                if within(problems, &path.at("max_ms"), *max_ms, MIN_MS, MAX_MS) && max_ms <= min_ms {
                    problems.push(Problem::new(
                        path.at("max_ms").to_string(),
                        "is not above `min_ms`",
                        "Use a larger number.",
                    ));
                }
                let cut = libm::exp(alpha * libm::log(min_ms / max_ms));
                Dist::Pareto { alpha: *alpha, min: Span::from_ms(*min_ms), max: Span::from_ms(*max_ms), cut }
            }
            DistSpec::Erlang { k, mean_ms } => {
                within(problems, &path.at("k"), f64::from(*k), 1.0, 100.0);
                within(problems, &path.at("mean_ms"), *mean_ms, 0.0, MAX_MS);
                Dist::Erlang { phases: *k, mean: Span::from_ms(*mean_ms) }
            }
            DistSpec::Discrete { points } => {
                for (index, point) in points.iter().enumerate() {
                    within(problems, &path.at("points").index(index).at("value_ms"), point.value_ms, 0.0, MAX_MS);
                }
                let parts = points.iter().map(|point| (point.p, Dist::Constant(Span::from_ms(point.value_ms))));
                mixture(&path.at("points"), parts.collect(), problems)
            }
            DistSpec::AbsNormal { mean_ms, sd_ms } => {
                within(problems, &path.at("mean_ms"), *mean_ms, 0.0, MAX_MS);
                within(problems, &path.at("sd_ms"), *sd_ms, 0.0, MAX_MS);
                Dist::AbsNormal { mean: Span::from_ms(*mean_ms), sd: Span::from_ms(*sd_ms) }
            }
        }
    }
}

/// Turns probabilities, which must add up to 1, into cumulative ones.
#[inline]
fn mixture(path: &Path, mut parts: Vec<(f64, Dist)>, problems: &mut Vec<Problem>) -> Dist {
    let before = problems.len();
    if !(1..=limits::POINTS).contains(&parts.len()) {
        let hint = format!("Give 1 to {} of them.", limits::POINTS);
        problems.push(Problem::new(path.to_string(), format!("{} entries are out of range", parts.len()), hint));
    }
    for (index, (p, _)) in parts.iter().enumerate() {
        within(problems, &path.index(index).at("p"), *p, 0.0, 1.0);
    }
    let total: f64 = parts.iter().map(|(p, _)| p).sum();
    if problems.len() == before && (total - 1.0).abs() > 1e-6 {
        let what = format!("the probabilities add up to {total}");
        problems.push(Problem::new(path.to_string(), what, "Let all `p` together be 1."));
    }
    if problems.len() > before {
        return Dist::ZERO;
    }
    parts.retain(|(p, _)| *p > 0.0);
    let mut up_to = 0.0;
    for (p, _) in &mut parts {
        up_to += *p / total;
        *p = up_to;
    }
    if let Some(last) = parts.last_mut() {
        last.0 = 1.0;
    }
    Dist::Mixture(parts.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, name_hash};
    use proptest::prelude::*;

    fn planned(spec: DistSpec) -> Dist {
        let mut problems = Vec::new();
        let dist = spec.plan(&Path::new("work"), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        dist
    }

    fn lognormal() -> DistSpec {
        DistSpec::Lognormal { mean_ms: 10.0, cv2: 4.0 }
    }

    fn hyperexponential() -> DistSpec {
        let branches = vec![BranchSpec { p: 0.9, mean_ms: 5.0 }, BranchSpec { p: 0.1, mean_ms: 55.0 }];
        DistSpec::Hyperexponential { branches }
    }

    fn bounded_pareto(alpha: f64) -> DistSpec {
        DistSpec::BoundedPareto { alpha, min_ms: 2.0, max_ms: 200.0 }
    }

    fn erlang() -> DistSpec {
        DistSpec::Erlang { k: 4, mean_ms: 8.0 }
    }

    fn discrete() -> DistSpec {
        let points = [(0.5, 1.0), (0.0, 7.0), (0.3, 20.0), (0.2, 100.0)];
        DistSpec::Discrete { points: points.map(|(p, value_ms)| PointSpec { p, value_ms }).to_vec() }
    }

    fn abs_normal() -> DistSpec {
        DistSpec::AbsNormal { mean_ms: 1.0, sd_ms: 2.0 }
    }

    fn pareto() -> DistSpec {
        DistSpec::Pareto { alpha: 2.5, min_ms: 3.0 }
    }

    #[test]
    fn samplers_are_pinned() {
        // Golden values: a change here changes every digest and every share link.
        let first = |spec| {
            let mut stream = crate::rng::draw(7, 1, name_hash("api"), Purpose::Work, 1);
            let dist = planned(spec);
            [0; 3].map(|_| dist.sample(&mut stream).as_nanos())
        };
        let all = [lognormal(), hyperexponential(), pareto(), bounded_pareto(1.5), erlang(), discrete(), abs_normal()];
        let golden = [
            [9_927_460, 4_015_845, 10_233_991],
            [3_182_023, 4_264_045, 2_329_492],
            [3_187_331, 7_406_232, 3_922_747],
            [2_212_207, 8_967_766, 3_125_135],
            [5_641_250, 15_561_435, 11_016_948],
            [1_000_000, 100_000_000, 1_000_000],
            [2_257_159, 830_340, 2_305_100],
        ];
        assert_eq!(all.map(first), golden);
    }

    /// Mean and squared coefficient of variation of 200,000 draws, and the share above `over_ms`.
    fn drawn(dist: &Dist, over_ms: f64) -> (f64, f64, f64) {
        const DRAWS: usize = 200_000;
        let mut stream = Stream::new(1, 2, Purpose::Work);
        let all: Vec<f64> = (0..DRAWS).map(|_| dist.sample(&mut stream).as_ms()).collect();
        let mean = all.iter().sum::<f64>() / DRAWS as f64;
        let variance = all.iter().map(|ms| (ms - mean) * (ms - mean)).sum::<f64>() / DRAWS as f64;
        let over = all.iter().filter(|ms| **ms > over_ms).count() as f64 / DRAWS as f64;
        (mean, variance / (mean * mean), over)
    }

    /// Draws have the mean that the plan says, and cv2 and a tail as theory says.
    #[track_caller]
    fn assert_law(spec: DistSpec, mean_ms: f64, cv2: f64, (over_ms, share): (f64, f64)) {
        let dist = planned(spec);
        let said = dist.mean().as_ms();
        assert!((said - mean_ms).abs() < 1e-5 * mean_ms, "the mean is {said} ms, not {mean_ms}");
        let (got_mean, got_cv2, got_share) = drawn(&dist, over_ms);
        assert!((got_mean - mean_ms).abs() < 0.02 * mean_ms, "mean {got_mean} ms against {mean_ms}");
        assert!((got_cv2 - cv2).abs() < 0.1 * cv2, "cv2 {got_cv2} against {cv2}");
        assert!((got_share - share).abs() < 0.03 * share, "share above {over_ms} ms: {got_share} against {share}");
    }

    #[test]
    fn lognormal_follows_its_law() {
        // Above the median e^mu = mean / sqrt(1 + cv2) lies a half.
        assert_law(lognormal(), 10.0, 4.0, (10.0 / 5f64.sqrt(), 0.5));
    }

    #[test]
    fn hyperexponential_follows_its_law() {
        // E[X^2] = 2 sum p m^2 = 650: cv2 = 650 / 100 - 1.
        let tail = 0.9 * libm::exp(-4.0) + 0.1 * libm::exp(-20.0 / 55.0);
        assert_law(hyperexponential(), 10.0, 5.5, (20.0, tail));
    }

    #[test]
    fn pareto_follows_its_law() {
        // cv2 = 1 / (alpha (alpha - 2)); drawn with a lighter tail, whose variance settles down.
        let spec = DistSpec::Pareto { alpha: 6.0, min_ms: 3.0 };
        assert_law(spec, 3.6, 1.0 / 24.0, (6.0, libm::exp2(-6.0)));
        assert_eq!(planned(pareto()).mean(), Span::from_millis(5));
    }

    #[test]
    fn bounded_pareto_follows_its_law() {
        // Harchol-Balter, Performance Modeling and Design of Computer Systems (2013), section 20.4.
        let (a, l, h) = (1.5f64, 2.0f64, 200.0f64);
        let cut = libm::pow(l / h, a);
        let moment =
            |n: f64| a * libm::pow(l, a) * (libm::pow(h, n - a) - libm::pow(l, n - a)) / ((1.0 - cut) * (n - a));
        let mean = moment(1.0);
        let share = (libm::pow(l / 20.0, a) - cut) / (1.0 - cut);
        assert_law(bounded_pareto(a), mean, moment(2.0) / (mean * mean) - 1.0, (20.0, share));
        // Exponent 1 has its own formula, and the neighbours meet it.
        let mean = |alpha| planned(bounded_pareto(alpha)).mean().as_ms();
        let at_one = l * h / (h - l) * libm::log(h / l);
        assert!((mean(1.0) - at_one).abs() < 1e-5);
        assert!((mean(1.0 + 1e-9) - at_one).abs() < 1e-5 && (mean(1.0 - 1e-9) - at_one).abs() < 1e-5);
        assert!((drawn(&planned(bounded_pareto(0.5)), 1.0).0 - mean(0.5)).abs() < 0.02 * mean(0.5));
    }

    #[test]
    fn erlang_follows_its_law() {
        // More than x: fewer than k arrivals of a Poisson process by then, here of mean 4.
        let tail = libm::exp(-4.0) * (1.0 + 4.0 + 8.0 + 32.0 / 3.0);
        assert_law(erlang(), 8.0, 0.25, (8.0, tail));
    }

    #[test]
    fn discrete_follows_its_law() {
        let second_moment = 0.5 + 0.3 * 400.0 + 0.2 * 10_000.0;
        assert_law(discrete(), 26.5, second_moment / (26.5 * 26.5) - 1.0, (99.0, 0.2));
        let mut stream = Stream::new(1, 2, Purpose::Work);
        let dist = planned(discrete());
        assert!((0..100_000).all(|_| dist.sample(&mut stream) != Span::from_millis(7)), "probability 0 is never drawn");
    }

    #[test]
    fn abs_normal_follows_its_law() {
        // The folded normal: E[X^2] = mean^2 + sd^2 = 5; above 5 ms: beyond 2 sd on one side or 3 on the other.
        let mean = 2.0 * (2.0 / std::f64::consts::PI).sqrt() * libm::exp(-0.125) + libm::erf(0.125f64.sqrt());
        assert_law(abs_normal(), mean, 5.0 / (mean * mean) - 1.0, (5.0, 0.022_750 + 0.001_350));
    }

    fn problems(spec: DistSpec) -> Vec<String> {
        let mut problems = Vec::new();
        spec.plan(&Path::new("work"), &mut problems);
        problems.iter().map(|problem| problem.to_string()).collect()
    }

    #[track_caller]
    fn assert_refused(spec: DistSpec, path: &str, what: &str) {
        let found = problems(spec);
        let fits = |text: &String| text.starts_with(&format!("{path}: ")) && text.contains(what);
        assert!(found.iter().any(fits), "no `{what}` at {path} among {found:#?}");
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        assert_refused(DistSpec::Pareto { alpha: 1.0, min_ms: 1.0 }, "work.alpha", "no mean");
        assert_refused(DistSpec::Pareto { alpha: 1.001, min_ms: 3.6e6 }, "work", "mean of");
        assert_refused(DistSpec::Pareto { alpha: 2.0, min_ms: 0.0 }, "work.min_ms", "out of range");
        assert_refused(DistSpec::BoundedPareto { alpha: 2.0, min_ms: 3.0, max_ms: 3.0 }, "work.max_ms", "not above");
        assert_refused(DistSpec::BoundedPareto { alpha: -1.0, min_ms: 1.0, max_ms: 3.0 }, "work.alpha", "negative");
        assert_refused(DistSpec::Lognormal { mean_ms: f64::NAN, cv2: 1.0 }, "work.mean_ms", "out of range");
        assert_refused(DistSpec::Lognormal { mean_ms: 1.0, cv2: 1e300 }, "work.cv2", "out of range");
        assert_refused(DistSpec::Erlang { k: 0, mean_ms: 1.0 }, "work.k", "out of range");
        assert_refused(DistSpec::Erlang { k: 1_000_000, mean_ms: 1.0 }, "work.k", "out of range");
        assert_refused(DistSpec::AbsNormal { mean_ms: 1.0, sd_ms: -1.0 }, "work.sd_ms", "negative");
        assert_refused(DistSpec::Discrete { points: Vec::new() }, "work.points", "out of range");
        let half = |p| DistSpec::Discrete {
            points: vec![PointSpec { p: 0.5, value_ms: 1.0 }, PointSpec { p, value_ms: 2.0 }],
        };
        assert_refused(half(0.4), "work.points", "add up to 0.9");
        assert_refused(half(f64::NAN), "work.points.1.p", "out of range");
        let slow = BranchSpec { p: 1.0, mean_ms: 1e12 };
        assert_refused(DistSpec::Hyperexponential { branches: vec![slow] }, "work.branches.0.mean_ms", "out of range");
    }

    /// Any numbers at all, the usual ones more often.
    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![4 => 0.0..50.0, 2 => -1.0..4e6, 1 => any::<f64>(), 1 => Just(0.0), 1 => Just(1.0)]
    }

    fn any_spec() -> impl Strategy<Value = DistSpec> {
        let mixed = || {
            prop::collection::vec((number(), number()), 1..4).prop_map(|mut list| {
                let total: f64 = list.iter().map(|(p, _)| p.abs()).sum();
                list.iter_mut().for_each(|(p, _)| *p = p.abs() / total);
                list
            })
        };
        prop_oneof![
            (number(), number()).prop_map(|(mean_ms, cv2)| DistSpec::Lognormal { mean_ms, cv2 }),
            mixed().prop_map(|list| DistSpec::Hyperexponential {
                branches: list.into_iter().map(|(p, mean_ms)| BranchSpec { p, mean_ms }).collect()
            }),
            (number(), number()).prop_map(|(alpha, min_ms)| DistSpec::Pareto { alpha, min_ms }),
            (number(), number(), number()).prop_map(|(alpha, min_ms, max_ms)| DistSpec::BoundedPareto {
                alpha,
                min_ms,
                max_ms
            }),
            (0u32..200, number()).prop_map(|(k, mean_ms)| DistSpec::Erlang { k, mean_ms }),
            mixed().prop_map(|list| DistSpec::Discrete {
                points: list.into_iter().map(|(p, value_ms)| PointSpec { p, value_ms }).collect()
            }),
            (number(), number()).prop_map(|(mean_ms, sd_ms)| DistSpec::AbsNormal { mean_ms, sd_ms }),
        ]
    }

    proptest! {
        #[test]
        fn a_spec_is_refused_with_a_path_or_drawn_from(spec in any_spec(), seed in any::<u64>()) {
            let mut problems = Vec::new();
            let dist = spec.plan(&Path::new("work"), &mut problems);
            if problems.is_empty() {
                let mut stream = Stream::new(seed, 2, Purpose::Work);
                prop_assert!((0..20).all(|_| dist.sample(&mut stream) <= Dist::LONGEST));
                prop_assert!(dist.mean().as_ms() <= 2.0 * limits::LENGTH_MS);
                if let DistSpec::BoundedPareto { min_ms, max_ms, .. } = spec {
                    let drawn = dist.sample(&mut stream);
                    prop_assert!(Span::from_ms(min_ms) <= drawn && drawn <= Span::from_ms(max_ms));
                    prop_assert!(Span::from_ms(min_ms) <= dist.mean() && dist.mean() <= Span::from_ms(max_ms));
                }
            }
            prop_assert!(problems.iter().all(|problem| problem.path.starts_with("work")));
        }
    }
}
