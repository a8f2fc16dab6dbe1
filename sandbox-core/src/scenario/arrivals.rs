//! When requests are sent: as written ([`ArrivalsSpec`]) and as planned ([`Arrivals`]).
//!
//! In an open loop ([`OpenLoop`]) nobody waits for an answer before sending the next request. In a closed loop each client
//! does, so its rate falls when answers are slow, and the moments at which a patient user would have met the slowness are
//! never sampled: *coordinated omission*. Latency counts from the sending in both, and is what it is.

use super::Problem;
use super::dist::{Dist, DistSpec};
use super::limits;
use super::path::Path;
use super::problem::{above_zero, within};
use super::spec_macro::spec;
use crate::rng::Stream;
use crate::time::Span;
use std::sync::Arc;

spec! {
    /// When requests are sent. All times count from the workload's `from_s`.
    pub enum ArrivalsSpec tagged "process" {
        /// Independently of each other: exponential gaps.
        Poisson {
            /// Requests a second.
            rate_rps: f64,
        },
        /// One every 1 / `rate_rps` seconds, the first after such a gap.
        Constant {
            /// Requests a second.
            rate_rps: f64,
        },
        /// One every `gap_ms`, the first at once.
        Paced {
            /// Time between two requests, in milliseconds; 0, all at once, needs the workload's `requests`.
            gap_ms: f64,
        },
        /// Many at the same instant, again and again, the first time at once.
        Bursts {
            /// Requests of a burst.
            size: u32,
            /// Time between two bursts, in seconds.
            every_s: f64,
        },
        /// Poisson with a rate that changes: straight lines between the points, level before the first and after the last.
        Ramp {
            /// In order of time; two at the same time make a step.
            points: Vec<RampPointSpec>,
        },
        /// Poisson for a while, then nothing for a while, over and over.
        OnOff {
            /// Requests a second while on.
            rate_rps: f64,
            /// How long it is on, in seconds.
            on_s: f64,
            /// How long it is off, in seconds.
            off_s: f64,
        },
        /// At these times.
        Recorded {
            /// In order, in milliseconds.
            at_ms: Vec<f64>,
        },
        /// A closed loop: each client thinks, sends, waits for the answer, and begins again.
        ClosedLoop {
            /// How many clients.
            clients: u32,
            /// How long a client thinks before each request. No time at all needs the workload's `requests`.
            think: DistSpec,
        },
        /// A closed loop with a pace: each client sends `gap_ms` after it last sent, or as soon as the answer is there if
        /// that is later; the first time at once.
        ClosedLoopPaced {
            /// How many clients.
            clients: u32,
            /// Time between two sends of a client, in milliseconds; 0 needs the workload's `requests`.
            gap_ms: f64,
        },
    }
}

spec! {
    /// A rate at a time.
    #[derive(Copy)]
    pub struct RampPointSpec {
        /// When, in seconds.
        pub at_s: f64,
        /// Requests a second.
        pub rate_rps: f64,
    }
}

/// When requests are sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Whatever becomes of them.
    Open(OpenLoop),
    /// By clients that wait for answers.
    Closed {
        /// How many.
        clients: u32,
        /// When a client sends.
        pace: Pace,
    },
}

/// When the requests of an open loop are sent, counted from the workload's start.
#[derive(Clone, Debug, PartialEq)]
pub enum OpenLoop {
    /// Exponential gaps with this mean.
    Poisson(Span),
    /// This gap before each.
    Constant(Span),
    /// This gap between them.
    Paced(Span),
    /// Many at once.
    Bursts {
        /// How many.
        size: u32,
        /// Time between two bursts.
        every: Span,
    },
    /// Poisson with a rate that follows straight lines between these points.
    Ramp(Arc<[RampPointSpec]>),
    /// Poisson, interrupted.
    OnOff {
        /// Mean gap while on.
        mean: Span,
        /// How long it is on, which comes first.
        on: Span,
        /// How long it is off.
        off: Span,
    },
    /// At these times.
    Recorded(Arc<[Span]>),
}

/// When a client of a closed loop sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Pace {
    /// This long after its start and after each answer.
    Think(Dist),
    /// At its start, then this long after it last sent, but not before the answer.
    Gap(Span),
}

impl OpenLoop {
    /// When request number `nth` (from 0) is sent, if the one before was sent at `last` (0 for the first). None: never.
    pub fn next(&self, nth: u32, last: Span, luck: &mut Stream) -> Option<Span> {
        let nth = u64::from(nth);
        match self {
            OpenLoop::Poisson(mean) => Some(last + luck.exponential(*mean)),
            OpenLoop::Constant(gap) => Some(last + *gap),
            OpenLoop::Paced(gap) => Some(times(*gap, nth)),
            OpenLoop::Bursts { size, every } => Some(times(*every, nth / u64::from(*size))),
            OpenLoop::Ramp(points) => {
                let next = ramp_reaches(points, last.as_seconds(), luck.standard_exponential())?;
                Some(Span::from_seconds(next).max(last))
            }
            OpenLoop::OnOff { mean, on, off } => {
                // On a clock that stands still while it is off this is an ordinary Poisson process.
                let (on, whole) = (on.as_nanos(), on.as_nanos() + off.as_nanos());
                let passed = last.as_nanos() / whole * on + (last.as_nanos() % whole).min(on);
                let next = passed.saturating_add(luck.exponential(*mean).as_nanos());
                Some(times(Span::from_nanos(whole), next / on) + Span::from_nanos(next % on))
            }
            OpenLoop::Recorded(times) => times.get(nth as usize).copied(),
        }
    }

    /// How many requests are to be expected in the first `length` of the workload; infinite if nothing limits them.
    #[inline]
    fn expected(&self, length: Span) -> f64 {
        match self {
            OpenLoop::Poisson(gap) | OpenLoop::Constant(gap) => ratio(length, *gap),
            OpenLoop::Paced(gap) => ratio(length, *gap) + 1.0,
            OpenLoop::Bursts { size, every } => f64::from(*size) * (ratio(length, *every) + 1.0),
            OpenLoop::Ramp(points) => ramp_area(points, length.as_seconds()),
            OpenLoop::OnOff { mean, on, off } => {
                let cycles = (ratio(length, *on + *off)).floor();
                let rest = length - (*on + *off).scaled(cycles);
                (ratio(*on, *mean)) * cycles + ratio(rest.min(*on), *mean)
            }
            OpenLoop::Recorded(times) => times.partition_point(|at| *at <= length) as f64,
        }
    }
}

impl Arrivals {
    /// How many requests are to be expected in the first `length` of the workload: of a closed loop, if every answer came
    /// at once. Infinite if nothing limits them.
    #[inline]
    pub fn expected(&self, length: Span) -> f64 {
        match self {
            Arrivals::Open(open) => open.expected(length),
            Arrivals::Closed { clients, pace } => {
                let gap = match pace {
                    Pace::Think(think) => think.mean(),
                    Pace::Gap(gap) => *gap,
                };
                f64::from(*clients) * (ratio(length, gap) + 1.0)
            }
        }
    }

    /// Clients of a closed loop; 0 of an open one.
    #[inline]
    pub fn clients(&self) -> u32 {
        match self {
            Arrivals::Open(_) => 0,
            Arrivals::Closed { clients, .. } => *clients,
        }
    }

    /// Who sends what when, in words: `from` is the client node.
    #[inline]
    pub(super) fn describe(&self, from: &str) -> String {
        let per_second = |gap: &Span| number(1.0 / gap.as_seconds());
        match self {
            Arrivals::Open(open) => match open {
                OpenLoop::Poisson(gap) => format!("{} Poisson requests a second from {from}", per_second(gap)),
                OpenLoop::Constant(gap) => format!("{} constant-gap requests a second from {from}", per_second(gap)),
                OpenLoop::Paced(gap) => format!("a request every {} ms from {from}", number(gap.as_ms())),
                OpenLoop::Bursts { size, every } => {
                    format!("bursts of {size} requests every {} s from {from}", number(every.as_seconds()))
                }
                OpenLoop::Ramp(points) => {
                    let [first, .., last] = &points[..] else {
                        return format!("{} Poisson requests a second from {from}", number(points[0].rate_rps));
                    };
                    let peak = points.iter().map(|point| point.rate_rps).fold(0.0, f64::max);
                    format!(
                        "Poisson requests from {from}, {} a second at first, {} at most and {} in the end",
                        number(first.rate_rps),
                        number(peak),
                        number(last.rate_rps)
                    )
                }
                OpenLoop::OnOff { mean, on, off } => format!(
                    "{} Poisson requests a second from {from} for {} s, then none for {} s, and so on",
                    per_second(mean),
                    number(on.as_seconds()),
                    number(off.as_seconds())
                ),
                OpenLoop::Recorded(times) => format!("{} recorded requests from {from}", times.len()),
            },
            Arrivals::Closed { clients, pace: Pace::Think(think) } => {
                let think = number(think.mean().as_ms());
                format!(
                    "{clients} clients of {from}, each waiting for its answer and then thinking for {think} ms on average"
                )
            }
            Arrivals::Closed { clients, pace: Pace::Gap(gap) } => {
                format!(
                    "{clients} clients of {from}, each sending every {} ms or when its answer is there",
                    number(gap.as_ms())
                )
            }
        }
    }
}

/// `count` times this length.
fn times(length: Span, count: u64) -> Span {
    Span::from_nanos(length.as_nanos().saturating_mul(count))
}

/// How often `part` fits into `whole`; infinite for a part of no length.
#[inline]
fn ratio(whole: Span, part: Span) -> f64 {
    if part == Span::ZERO { f64::INFINITY } else { whole.as_nanos() as f64 / part.as_nanos() as f64 }
}

/// At most three digits behind the point.
#[inline]
fn number(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The straight line that the rate follows from `at` on: the rate there, its slope, and where it ends.
fn ramp_line(points: &[RampPointSpec], at: f64) -> (f64, f64, f64) {
    let next = points.partition_point(|point| point.at_s <= at);
    let Some(b) = points.get(next) else { return (points[next - 1].rate_rps, 0.0, f64::INFINITY) };
    let Some(a) = points[..next].last() else { return (b.rate_rps, 0.0, b.at_s) };
    let slope = (b.rate_rps - a.rate_rps) / (b.at_s - a.at_s);
    (a.rate_rps + slope * (at - a.at_s), slope, b.at_s)
}

/// When the area under the rate from `at` on reaches `area`. With an exponential area of mean 1 that is the next arrival of
/// the Poisson process of this rate, by inversion (Çinlar 1975). None: it never does.
fn ramp_reaches(points: &[RampPointSpec], mut at: f64, mut area: f64) -> Option<f64> {
    loop {
        let (rate, slope, end) = ramp_line(points, at);
        if end == f64::INFINITY {
            return (rate > 0.0).then(|| at + area / rate);
        }
        let whole = (rate + slope * (end - at) / 2.0) * (end - at);
        if area < whole {
            // rate x + slope x^2 / 2 = area, solved without cancellation.
            let rate_there = (rate * rate + 2.0 * slope * area).max(0.0).sqrt();
            return Some(at + 2.0 * area / (rate + rate_there));
        }
        (at, area) = (end, area - whole);
    }
}

/// The area under the rate from 0 to `until`.
#[inline]
fn ramp_area(points: &[RampPointSpec], until: f64) -> f64 {
    let (mut at, mut area) = (0.0, 0.0);
    while at < until {
        let (rate, slope, end) = ramp_line(points, at);
        let length = end.min(until) - at;
        area += (rate + slope * length / 2.0) * length;
        at = end.min(until);
    }
    area
}

impl ArrivalsSpec {
    /// Checks every number and plans; what is wrong is added to `problems` below `path`. None: it cannot be planned.
    #[inline]
    pub(super) fn plan(&self, path: &Path, problems: &mut Vec<Problem>) -> Option<Arrivals> {
        const RATE_MAX: f64 = 1_000_000.0;
        const LENGTH_MAX_S: f64 = limits::DURATION_S;
        let before = problems.len();
        let gap_of = |rate_rps: f64, problems: &mut Vec<Problem>| {
            above_zero(problems, &path.at("rate_rps"), rate_rps, RATE_MAX);
            Span::from_seconds(1.0 / rate_rps)
        };
        let open = match self {
            ArrivalsSpec::Poisson { rate_rps } => OpenLoop::Poisson(gap_of(*rate_rps, problems)),
            ArrivalsSpec::Constant { rate_rps } => OpenLoop::Constant(gap_of(*rate_rps, problems)),
            ArrivalsSpec::Paced { gap_ms } => {
                within(problems, &path.at("gap_ms"), *gap_ms, 0.0, LENGTH_MAX_S * 1e3);
                OpenLoop::Paced(Span::from_ms(*gap_ms))
            }
            ArrivalsSpec::Bursts { size, every_s } => {
                within(problems, &path.at("size"), f64::from(*size), 1.0, limits::REQUESTS);
                above_zero(problems, &path.at("every_s"), *every_s, LENGTH_MAX_S);
                OpenLoop::Bursts { size: *size, every: Span::from_seconds(*every_s) }
            }
            ArrivalsSpec::Ramp { points } => {
                if !(1..=limits::POINTS).contains(&points.len()) {
                    let hint = format!("Give 1 to {} points.", limits::POINTS);
                    problems.push(Problem::new(
                        path.at("points").to_string(),
                        format!("{} points are out of range", points.len()),
                        hint,
                    ));
                }
                for (index, point) in points.iter().enumerate() {
                    let earliest = index.checked_sub(1).map_or(0.0, |before| points[before].at_s.max(0.0));
                    within(problems, &path.at("points").index(index).at("at_s"), point.at_s, earliest, LENGTH_MAX_S);
                    within(problems, &path.at("points").index(index).at("rate_rps"), point.rate_rps, 0.0, RATE_MAX);
                }
                OpenLoop::Ramp(points.as_slice().into())
            }
            ArrivalsSpec::OnOff { rate_rps, on_s, off_s } => {
                let mean = gap_of(*rate_rps, problems);
                within(problems, &path.at("on_s"), *on_s, 1e-6, LENGTH_MAX_S);
                within(problems, &path.at("off_s"), *off_s, 0.0, LENGTH_MAX_S);
                OpenLoop::OnOff { mean, on: Span::from_seconds(*on_s), off: Span::from_seconds(*off_s) }
            }
            ArrivalsSpec::Recorded { at_ms } => {
                within(problems, &path.at("at_ms"), at_ms.len() as f64, 1.0, limits::REQUESTS);
                let mut earliest = 0.0;
                for (index, ms) in at_ms.iter().enumerate() {
                    if !within(problems, &path.at("at_ms").index(index), *ms, earliest, LENGTH_MAX_S * 1e3) {
                        break;
                    }
                    earliest = *ms;
                }
                OpenLoop::Recorded(at_ms.iter().map(|ms| Span::from_ms(*ms)).collect())
            }
            ArrivalsSpec::ClosedLoop { clients, think } => {
                within(problems, &path.at("clients"), f64::from(*clients), 1.0, f64::from(limits::CLIENTS));
                let pace = Pace::Think(think.plan(&path.at("think"), problems));
                return (problems.len() == before).then_some(Arrivals::Closed { clients: *clients, pace });
            }
            ArrivalsSpec::ClosedLoopPaced { clients, gap_ms } => {
                within(problems, &path.at("clients"), f64::from(*clients), 1.0, f64::from(limits::CLIENTS));
                within(problems, &path.at("gap_ms"), *gap_ms, 0.0, LENGTH_MAX_S * 1e3);
                let pace = Pace::Gap(Span::from_ms(*gap_ms));
                return (problems.len() == before).then_some(Arrivals::Closed { clients: *clients, pace });
            }
        };
        (problems.len() == before).then_some(Arrivals::Open(open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, name_hash};
    use proptest::prelude::*;

    fn open(spec: &ArrivalsSpec) -> OpenLoop {
        let mut problems = Vec::new();
        match spec.plan(&Path::new("arrivals"), &mut problems) {
            Some(Arrivals::Open(open)) => open,
            other => panic!("{other:?}, {problems:?}"),
        }
    }

    /// What is sent in the first `length_s` seconds, in seconds.
    fn sent(spec: &ArrivalsSpec, length_s: f64, seed: u64) -> Vec<f64> {
        let open = open(spec);
        let mut luck = Stream::new(seed, name_hash("load"), Purpose::Arrivals);
        let (mut sent, mut last) = (Vec::new(), Span::ZERO);
        while let Some(next) = open.next(sent.len() as u32, last, &mut luck) {
            assert!(next >= last, "time never goes back");
            if next > Span::from_seconds(length_s) {
                break;
            }
            sent.push(next.as_seconds());
            last = next;
        }
        sent
    }

    fn ramp(points: &[(f64, f64)]) -> ArrivalsSpec {
        let points = points.iter().map(|(at_s, rate_rps)| RampPointSpec { at_s: *at_s, rate_rps: *rate_rps });
        ArrivalsSpec::Ramp { points: points.collect() }
    }

    fn on_off() -> ArrivalsSpec {
        ArrivalsSpec::OnOff { rate_rps: 100.0, on_s: 2.0, off_s: 3.0 }
    }

    #[test]
    fn draws_are_pinned() {
        // Golden values: a change here changes every digest and every share link.
        let first = |spec| sent(&spec, 100.0, 7)[..3].to_vec();
        assert_eq!(first(ramp(&[(0.0, 0.0), (10.0, 50.0)])), [0.927_001_794, 1.018_357_766, 1.082_487_416]);
        assert_eq!(
            first(ArrivalsSpec::OnOff { rate_rps: 2.0, on_s: 1.0, off_s: 2.0 }),
            [3.074_165_407, 3.296_315_674, 3.464_723_755]
        );
    }

    /// The number sent in [from, to) over 400 seeds lies within five standard deviations of the area under the rate.
    #[track_caller]
    fn assert_area(spec: &ArrivalsSpec, from: f64, to: f64, area: f64) {
        let within = |seed| sent(spec, 40.0, seed).iter().filter(|at| (from..to).contains(*at)).count() as f64;
        let mean = (1..=400).map(within).sum::<f64>() / 400.0;
        assert!((mean - area).abs() <= 5.0 * (area / 400.0).sqrt(), "{mean} in [{from}, {to}) against {area}");
    }

    #[test]
    fn a_ramp_sends_what_lies_under_its_rate() {
        let spec = ramp(&[(5.0, 10.0), (15.0, 30.0), (15.0, 0.0), (20.0, 0.0), (30.0, 20.0)]);
        assert_area(&spec, 0.0, 5.0, 50.0);
        assert_area(&spec, 5.0, 10.0, 75.0);
        assert_area(&spec, 10.0, 15.0, 125.0);
        assert_area(&spec, 15.0, 20.0, 0.0);
        assert_area(&spec, 20.0, 30.0, 100.0);
        assert_area(&spec, 30.0, 40.0, 200.0);
        assert!((open(&spec).expected(Span::from_millis(40_000)) - 550.0).abs() < 1e-9);
        assert!(sent(&ramp(&[(0.0, 9.0), (4.0, 0.0)]), 1e4, 1).iter().all(|at| *at < 4.0), "a rate of 0 ends it");
    }

    #[test]
    fn a_level_ramp_is_the_poisson_process() {
        let (level, poisson) = (ramp(&[(3.0, 80.0)]), ArrivalsSpec::Poisson { rate_rps: 80.0 });
        let (a, b) = (sent(&level, 20.0, 3), sent(&poisson, 20.0, 3));
        assert_eq!(a.len(), b.len());
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "the same luck, up to rounding to nanoseconds");
    }

    #[test]
    fn nothing_is_sent_while_it_is_off() {
        assert!(sent(&on_off(), 1_000.0, 1).iter().all(|at| at % 5.0 <= 2.0));
        assert_area(&on_off(), 0.0, 2.0, 200.0);
        assert_area(&on_off(), 11.0, 12.0, 100.0);
        assert!((open(&on_off()).expected(Span::from_millis(11_000)) - 500.0).abs() < 1e-9);
    }

    fn any_spec() -> impl Strategy<Value = ArrivalsSpec> {
        let number = || prop_oneof![4 => 0.0..50.0, 2 => -1.0..2e6, 1 => any::<f64>(), 1 => Just(0.0)];
        prop_oneof![
            number().prop_map(|gap_ms| ArrivalsSpec::Paced { gap_ms }),
            (any::<u32>(), number()).prop_map(|(size, every_s)| ArrivalsSpec::Bursts { size, every_s }),
            prop::collection::vec((number(), number()), 0..5).prop_map(|points| ramp(&points)),
            prop::collection::vec((0.0..9.0, 0.0..9.0), 1..5).prop_map(|mut points| {
                points.sort_by(|a, b| a.partial_cmp(b).unwrap());
                ramp(&points)
            }),
            (number(), number(), number()).prop_map(|(rate_rps, on_s, off_s)| ArrivalsSpec::OnOff {
                rate_rps,
                on_s,
                off_s
            }),
            prop::collection::vec(number(), 0..5).prop_map(|at_ms| ArrivalsSpec::Recorded { at_ms }),
        ]
    }

    proptest! {
        #[test]
        fn a_spec_is_refused_with_a_path_or_goes_forwards(spec in any_spec(), seed in any::<u64>()) {
            let mut problems = Vec::new();
            let planned = spec.plan(&Path::new("arrivals"), &mut problems);
            prop_assert_eq!(planned.is_some(), problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.path.starts_with("arrivals.")));
            if let Some(planned) = planned {
                prop_assert!(planned.expected(Span::from_millis(60_000)) >= 0.0);
                let Arrivals::Open(open) = planned else { unreachable!("all of these are open loops") };
                let mut luck = Stream::new(seed, 1, Purpose::Arrivals);
                let mut last = Span::ZERO;
                for nth in 0..50 {
                    let Some(next) = open.next(nth, last, &mut luck) else { break };
                    prop_assert!(next >= last);
                    last = next;
                }
            }
        }
    }
}
