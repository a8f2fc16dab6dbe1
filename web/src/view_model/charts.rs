//! A run as lines: what each second held, and the charts that show it.

use crate::palette::Token;
use crate::text::language::keep;
use crate::text::{charts as text, evidence};
use crate::view_model::format;
use sandbox_core::lesson::{ChartSpec, SignalChart};
use sandbox_core::trace::Outcome;
use std::rc::Rc;

/// What one simulated second held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Second {
    /// Requests that ended so, by [`Outcome::ALL`].
    pub outcomes: [u32; Outcome::ALL.len()],
    /// Percentiles of the latency of good answers in milliseconds: p50, p95, p99.
    pub latency_ms: Option<[f64; 3]>,
    /// How many good answers the percentiles rest on.
    pub samples: u64,
    /// The same good answers by how long they took, in the order of [`bands`].
    pub bands: Vec<u32>,
    /// Mean number of waiting calls, by line (see [`Lines`]).
    pub waiting: Vec<f64>,
}

/// The lines where calls wait: their names, in the order of [`Second::waiting`].
pub type Lines = Vec<String>;

impl Second {
    fn of(&self, kinds: impl Fn(Outcome) -> bool) -> u32 {
        Outcome::ALL.iter().filter(|outcome| kinds(**outcome)).map(|outcome| self.outcomes[outcome.index()]).sum()
    }

    /// Answered with fresh data.
    pub fn fresh(&self) -> u32 {
        self.of(|outcome| outcome == Outcome::Ok)
    }

    /// Answered with an expired copy.
    pub fn stale(&self) -> u32 {
        self.of(|outcome| outcome == Outcome::OkStale)
    }

    /// Refused because the request was at fault.
    pub fn client_errors(&self) -> u32 {
        self.of(Outcome::is_client_error)
    }

    /// Answered with an error of the system's.
    pub fn server_errors(&self) -> u32 {
        self.of(is_5xx)
    }

    /// Not answered at all.
    pub fn lost(&self) -> u32 {
        self.of(is_lost)
    }

    /// All that ended.
    pub fn completed(&self) -> u32 {
        self.outcomes.iter().sum()
    }
}

/// An error of the system's, answered.
pub fn is_5xx(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::InternalError500 | Outcome::Unavailable503 | Outcome::GatewayTimeout504)
}

/// No answer came.
pub fn is_lost(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::ClientTimeout | Outcome::Refused | Outcome::Cancelled)
}

/// How an outcome is called in a chart's key and in a tag.
pub fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "200",
        Outcome::OkStale => evidence::stale(),
        Outcome::Unauthorized401 => "401",
        Outcome::NotFound404 => "404",
        Outcome::RateLimited429 => "429",
        Outcome::InternalError500 => "500",
        Outcome::Unavailable503 => "503",
        Outcome::GatewayTimeout504 => "504",
        Outcome::ClientTimeout => evidence::timed_out(),
        Outcome::Refused => evidence::refused(),
        Outcome::Cancelled => evidence::hung_up(),
        Outcome::BadRequest400 => "400",
        Outcome::Forbidden403 => "403",
        Outcome::Conflict409 => "409",
        Outcome::PreconditionFailed412 => "412",
        Outcome::UnprocessableContent422 => "422",
        Outcome::PreconditionRequired428 => "428",
        Outcome::BadGateway502 => "502",
    }
}

/// The class of an outcome's tag.
pub fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::OkStale => "stale",
        outcome if outcome.is_client_error() => "client",
        outcome if is_5xx(outcome) => "fail",
        _ => "lost",
    }
}

/// (second, value), with gaps.
pub type Points = Vec<(f64, Option<f64>)>;

/// How a line is drawn, so that colour is never the only difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dash {
    Solid,
    Dashed,
    Dotted,
    DashDot,
}

impl Dash {
    /// Lengths of strokes and gaps in CSS pixels.
    pub const fn pattern(self) -> &'static [f64] {
        match self {
            Dash::Solid => &[],
            Dash::Dashed => &[6.0, 4.0],
            Dash::Dotted => &[1.5, 3.0],
            Dash::DashDot => &[7.0, 2.0, 1.5, 2.0],
        }
    }
}

/// A line with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the key.
    pub label: &'static str,
    /// Colour.
    pub ink: Token,
    /// Pattern.
    pub dash: Dash,
    /// Values.
    pub points: Points,
}

/// Where the latencies that a map counts together end and the next begin, in milliseconds: six to a decade.
pub fn band_bounds_ms() -> Vec<f64> {
    let decade = |ten: i32| [1.0, 1.5, 2.0, 3.0, 5.0, 7.0].map(|one| one * 10f64.powi(ten));
    (-2..5).flat_map(decade).collect()
}

/// Those bands, in milliseconds, from nothing to for ever.
fn bands() -> Vec<(f64, f64)> {
    let bounds = band_bounds_ms();
    let lows = std::iter::once(0.0).chain(bounds.iter().copied());
    lows.zip(bounds.iter().copied().chain([f64::INFINITY])).collect()
}

/// A band in numbers: `2–3`, and `< 0.01` or `> 70,000` at the ends.
fn band_text((low, high): (f64, f64)) -> String {
    let number = |ms: f64| if ms >= 1e3 { format::count(ms as u64) } else { format::short(ms, 3) };
    match (low > 0.0, high.is_finite()) {
        (true, true) => format!("{}–{}", number(low), number(high)),
        (false, _) => format!("< {}", number(high)),
        (_, false) => format!("> {}", number(low)),
    }
}

/// Steps of a map's colour.
pub const SHADES: usize = 5;

/// A map's step for a number, from 0 for one to the last for the most: equal factors are equal steps.
pub fn shade(count: f64, most: f64) -> usize {
    let share = count.max(1.0).ln() / most.max(2.0).ln();
    ((share * SHADES as f64) as usize).min(SHADES - 1)
}

/// The vertical axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Lowest value shown.
    pub low: f64,
    /// Highest value shown.
    pub high: f64,
    /// Whether each step is a factor.
    pub log: bool,
    /// Values with a grid line and a text.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// From 0 to a round number that is at least `most`.
    pub fn linear(most: f64) -> Scale {
        let most = if most > 0.0 { most } else { 1.0 };
        let power = 10f64.powf(most.log10().floor());
        let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
        let high = steps.iter().map(|step| step * power).find(|high| *high >= most * 0.999).unwrap_or(10.0 * power);
        let text = |value: f64| if value >= 1e3 { format::count(value as u64) } else { format::short(value, 2) };
        let ticks = [0.0, high / 2.0, high].map(|value| (value, text(value))).to_vec();
        Scale { low: 0.0, high, log: false, ticks }
    }

    /// Powers of ten around the values.
    pub fn logarithmic(least: f64, most: f64) -> Scale {
        let low = 10f64.powf(least.max(1e-3).log10().floor());
        let mut high = low * 10.0;
        while high < most {
            high *= 10.0;
        }
        let mut ticks = Vec::new();
        let mut value = low;
        while value <= high * 1.001 {
            ticks.push((
                value,
                if value >= 1e3 { format::count(value.round() as u64) } else { format::short(value, 3) },
            ));
            value *= 10.0;
        }
        Scale { low, high, log: true, ticks }
    }

    /// No more of it than between these values.
    fn between(mut self, low: f64, high: f64) -> Scale {
        (self.low, self.high) = (self.low.max(low), self.high.min(high));
        let (low, high) = (self.low * 0.999, self.high * 1.001);
        self.ticks.retain(|(value, _)| (low..high).contains(value));
        self
    }

    /// Where a value stands, from 0 at the bottom to 1 at the top.
    pub fn position(&self, value: f64) -> f64 {
        let share = match self.log {
            true => (value.max(self.low) / self.low).log10() / (self.high / self.low).log10(),
            false => (value - self.low) / (self.high - self.low),
        };
        share.clamp(0.0, 1.0)
    }
}

/// A chart, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Name for the page's own use.
    pub id: &'static str,
    /// Title with the unit.
    pub title: String,
    /// The last second of the horizontal axis.
    pub end_s: f64,
    /// The vertical axis.
    pub scale: Scale,
    /// Spans of faults, tinted.
    pub faults: Vec<(f64, f64)>,
    /// The lines.
    pub series: Vec<Series>,
    /// The same lines of the earlier run, thin.
    pub ghost: Vec<Points>,
    /// What the chart shows, in a sentence.
    pub finding: String,
    /// Between which values each series lies, if they are the rows of a map and no lines.
    pub bands: Vec<(f64, f64)>,
    /// The same in more detail, as a map.
    pub map: Option<Rc<Chart>>,
}

impl Chart {
    /// The largest number in it.
    pub fn most(&self) -> f64 {
        self.series.iter().flat_map(|series| &series.points).filter_map(|(_, value)| *value).fold(0.0, f64::max)
    }
}

/// A value of a chart's line as text, without unit.
pub fn value_text(chart: &str, value: Option<f64>) -> String {
    match (value, chart) {
        (None, _) => "–".into(),
        (Some(value), "latency") if value < 0.1 => format::short(value, 3),
        (Some(value), "latency") if value < 1.0 => format::short(value, 2),
        (Some(value), "latency") if value < 10.0 => format!("{value:.1}"),
        (Some(value), "queue") if value < 10.0 => format!("{value:.1}"),
        (Some(value), chart) if chart.starts_with("signals") => format::short(value, 2),
        (Some(value), _) if value >= 1e3 => format::count(value.round() as u64),
        (Some(value), _) => format!("{value:.0}"),
    }
}

/// The values of a lesson's own lines: by chart, by line, by second. Charts of other kinds have none.
pub type Signals = Vec<Vec<Vec<Option<f64>>>>;

/// A run as charts show it.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// Second by second; ends at the cursor while the future is hidden.
    pub seconds: &'a [Second],
    /// The lines of the lesson's own charts.
    pub signals: &'a Signals,
}

/// What the charts are made of.
pub struct Source<'a> {
    /// Which charts.
    pub specs: &'a [ChartSpec],
    /// The run.
    pub run: Values<'a>,
    /// The earlier run.
    pub ghost: Option<Values<'a>>,
    /// Names of the lines where calls wait.
    pub lines: &'a [String],
    /// The last second of the horizontal axis.
    pub end_s: f64,
    /// Spans of faults.
    pub faults: Vec<(f64, f64)>,
}

impl Source<'_> {
    /// All charts, in order.
    pub fn charts(&self) -> Vec<Chart> {
        let chart = |(index, spec): (usize, &ChartSpec)| match spec {
            ChartSpec::Answers {} => self.rate(),
            ChartSpec::Latency {} => self.latency(),
            ChartSpec::Errors {} => self.errors(),
            ChartSpec::Waiting {} => self.queue(),
            ChartSpec::Signals(chart) => self.signals(index, chart),
        };
        self.specs.iter().enumerate().map(chart).collect()
    }

    fn chart(&self, id: &'static str, title: &str, lines: Vec<Line>, scale: fn(f64, f64) -> Scale) -> Chart {
        let values = |run: Values| -> Vec<Points> { lines.iter().map(|line| points(run, &line.value)).collect() };
        let (own, ghost) = (values(self.run), self.ghost.map(values).unwrap_or_default());
        let shown = own.iter().chain(&ghost).flatten().filter_map(|(_, value)| *value);
        let most = shown.clone().fold(0.0, f64::max);
        let least = shown.filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let series = lines.iter().zip(own);
        let series = series.map(|(line, points)| Series { label: line.label, ink: line.ink, dash: line.dash, points });
        let series: Vec<Series> = series.collect();
        Chart {
            id,
            title: title.into(),
            end_s: self.end_s,
            scale: scale(if least.is_finite() { least } else { 1.0 }, most),
            faults: self.faults.clone(),
            finding: finding(title, &series),
            series,
            ghost,
            bands: Vec::new(),
            map: None,
        }
    }

    fn rate(&self) -> Chart {
        let mut lines = vec![
            Line::new(text::ok(), Token::Ok, Dash::Solid, |second| Some(second.fresh().into())),
            Line::new(text::system_errors(), Token::Fail, Dash::Dotted, |second| Some(second.server_errors().into())),
        ];
        if self.any(&|second| second.stale() > 0) {
            lines.insert(1, Line::new(text::stale(), Token::Stale, Dash::Dashed, |second| Some(second.stale().into())));
        }
        if self.any(&|second| second.client_errors() > 0) {
            lines.push(Line::new(text::client_errors(), Token::Pressure, Dash::DashDot, |second| {
                Some(second.client_errors().into())
            }));
        }
        if self.any(&|second| second.lost() > 0) {
            lines.push(Line::new(text::no_answer(), Token::Lost, Dash::Dotted, |second| Some(second.lost().into())));
        }
        self.chart("rate", text::answers(), lines, |_, most| Scale::linear(most))
    }

    fn latency(&self) -> Chart {
        let of = |index: usize| move |second: &Second| second.latency_ms.map(|latency| latency[index]);
        let lines = vec![
            Line::new(text::p50(), Token::P50, Dash::Solid, of(0)),
            Line::new(text::p95(), Token::P95, Dash::Dashed, of(1)),
            Line::new(text::p99(), Token::P99, Dash::Dotted, of(2)),
        ];
        let scale = |least: f64, most: f64| Scale::logarithmic(least.min(1.0), most.max(100.0));
        Chart { map: self.latency_map().map(Rc::new), ..self.chart("latency", text::latency(), lines, scale) }
    }

    /// How many answers took how long, second by second; None: there are no answers.
    fn latency_map(&self) -> Option<Chart> {
        let bands = bands();
        let sum = |band: usize| self.run.seconds.iter().map(|second| u64::from(second.bands[band])).sum();
        let sums: Vec<u64> = (0..bands.len()).map(sum).collect();
        let (first, last) = (sums.iter().position(|sum| *sum > 0)?, sums.iter().rposition(|sum| *sum > 0)?);
        let row = |band: usize| {
            let count = move |second: &Second| Some(second.bands[band].into());
            Line::new(keep(&band_text(bands[band])), Token::Ink3, Dash::Solid, count)
        };
        let (title, rows) = (text::latency_map(), (first..=last).map(row).collect());
        let map = Source { ghost: None, faults: self.faults.clone(), ..*self };
        let map = map.chart("latency-map", title, rows, |_, _| Scale::linear(1.0));
        let common = (first..=last).max_by_key(|band| sums[*band])?;
        Some(Chart {
            finding: text::map_finding(
                title,
                format::count(sums[common]),
                format::count(sums.iter().sum()),
                band_text(bands[common]),
                band_text(bands[last]),
                format::count(map.most() as u64),
            ),
            // The bands at the ends have no end of their own, but axes have.
            scale: Scale::logarithmic(bands[first].0.max(1e-3), bands[last].1.min(1e6))
                .between(bands[first].0, bands[last].1),
            bands: bands[first..=last].to_vec(),
            ..map
        })
    }

    fn errors(&self) -> Chart {
        let patterns = [Dash::Solid, Dash::Dashed, Dash::Dotted];
        let mut lines = Vec::new();
        for outcome in Outcome::ALL.into_iter().filter(|outcome| !outcome.is_success()) {
            if self.any(&|second| second.outcomes[outcome.index()] > 0) {
                let ink = match outcome {
                    outcome if is_5xx(outcome) => Token::Fail,
                    outcome if is_lost(outcome) => Token::Lost,
                    _ => Token::Pressure,
                };
                let same = lines.iter().filter(|line: &&Line| line.ink == ink).count();
                let value = move |second: &Second| Some(second.outcomes[outcome.index()].into());
                lines.push(Line::new(outcome_name(outcome), ink, patterns[same % 3], value));
            }
        }
        self.chart("errors", text::errors(), lines, |_, most| Scale::linear(most.max(10.0)))
    }

    fn queue(&self) -> Chart {
        const LOOKS: [(Token, Dash); 3] =
            [(Token::PartWork, Dash::Solid), (Token::PartQueue, Dash::Dashed), (Token::PartWait, Dash::Dotted)];
        let lines = self.lines.iter().enumerate().map(|(index, name)| {
            let (ink, dash) = LOOKS[index % LOOKS.len()];
            let label: &'static str = keep(name);
            Line::new(label, ink, dash, move |second| second.waiting.get(index).copied())
        });
        self.chart("queue", text::waiting(), lines.collect(), |_, most| Scale::linear(most.max(4.0)))
    }

    fn signals(&self, index: usize, chart: &SignalChart) -> Chart {
        const LOOKS: [(Token, Dash); 4] = [
            (Token::PartWork, Dash::Solid),
            (Token::PartQueue, Dash::Dashed),
            (Token::PartWait, Dash::Dotted),
            (Token::P99, Dash::DashDot),
        ];
        let line = |(number, line): (usize, &sandbox_core::lesson::SignalLine)| {
            let (ink, dash) = LOOKS[number % LOOKS.len()];
            Line { label: keep(&line.label), ink, dash, value: Value::Signal(index, number) }
        };
        let lines = chart.lines.iter().enumerate().map(line).collect();
        self.chart(keep(&format!("signals-{index}")), &chart.title, lines, |_, most| Scale::linear(most))
    }

    fn any(&self, test: &dyn Fn(&Second) -> bool) -> bool {
        self.run.seconds.iter().chain(self.ghost.into_iter().flat_map(|ghost| ghost.seconds)).any(test)
    }
}

/// A second's value, if it has any.
type OfSecond = Box<dyn Fn(&Second) -> Option<f64>>;

/// Where a line's values come from.
enum Value {
    /// From each second.
    Of(OfSecond),
    /// From the lesson's own: chart and line.
    Signal(usize, usize),
}

struct Line {
    label: &'static str,
    ink: Token,
    dash: Dash,
    value: Value,
}

impl Line {
    fn new(label: &'static str, ink: Token, dash: Dash, value: impl Fn(&Second) -> Option<f64> + 'static) -> Line {
        Line { label, ink, dash, value: Value::Of(Box::new(value)) }
    }
}

/// A value stands in the middle of its second; the first and the last reach to the rim.
fn points(run: Values, value: &Value) -> Points {
    let seconds = run.seconds;
    let signal = |chart: usize, line: usize, second: usize| *run.signals.get(chart)?.get(line)?.get(second)?;
    let value = |(index, second): (usize, &Second)| {
        let value = match value {
            Value::Of(value) => value(second),
            Value::Signal(chart, line) => signal(*chart, *line, index),
        };
        (index as f64 + 0.5, value)
    };
    let mut points: Points = seconds.iter().enumerate().map(value).collect();
    if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) {
        points.insert(0, (0.0, first.1));
        points.push((seconds.len() as f64, last.1));
    }
    points
}

/// The last second that is over at an instant, by its number from 0; the one in which the run ends is over with it. What the second
/// that has just begun will hold is still to come.
pub fn last_second(at_s: f64, end_s: f64) -> Option<usize> {
    let over = if at_s >= end_s { end_s.ceil() } else { at_s.floor() };
    (over >= 1.0).then(|| over as usize - 1)
}

/// The values of the seconds, each in its middle: points at the ends of the axis only draw the line out.
pub fn seconds(points: &Points) -> impl Iterator<Item = (f64, f64)> {
    points.iter().filter(|(at, _)| at.fract() == 0.5).filter_map(|(at, value)| Some((*at, (*value)?)))
}

/// The lowest and the highest of each line, for those who cannot see it.
fn finding(title: &str, series: &[Series]) -> String {
    let ranges: Vec<String> = series
        .iter()
        .filter_map(|series| {
            let values = series.points.iter().filter_map(|(_, value)| *value);
            let (least, most) = values.fold((f64::INFINITY, 0.0f64), |(a, b), value| (a.min(value), b.max(value)));
            let range = || text::range(series.label, format::short(least, 1), format::short(most, 1));
            least.is_finite().then(range)
        })
        .collect();
    match ranges.is_empty() {
        true => text::nothing(title),
        false => text::finding(title, ranges.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(ok: u32, stale: u32, unavailable: u32, p: Option<[f64; 3]>) -> Second {
        let mut second = Second { latency_ms: p, bands: vec![0; bands().len()], ..Second::default() };
        second.outcomes[Outcome::Ok.index()] = ok;
        second.outcomes[Outcome::OkStale.index()] = stale;
        second.outcomes[Outcome::Unavailable503.index()] = unavailable;
        second
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let texts = |scale: Scale| scale.ticks.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(Scale::linear(497.0)), ["0", "250", "500"]);
        assert_eq!(texts(Scale::linear(0.0)), ["0", "0.5", "1"]);
        assert_eq!(texts(Scale::linear(1_520.0)), ["0", "1,000", "2,000"]);
        assert_eq!(texts(Scale::logarithmic(1.9, 310.0)), ["1", "10", "100", "1,000"]);
        assert_eq!(Scale::logarithmic(1.0, 100.0).position(10.0), 0.5);
    }

    #[test]
    fn values_have_the_digits_that_they_deserve() {
        let latency = |ms: f64| value_text("latency", Some(ms));
        assert_eq!([0.0217, 0.932, 1.25, 12.4, 1_234.4].map(latency), ["0.022", "0.93", "1.2", "12", "1,234"]);
        assert_eq!(value_text("rate", Some(16_527.0)), "16,527");
        assert_eq!(value_text("rate", None), "–");
    }

    #[test]
    fn a_second_is_told_when_it_is_over() {
        let told = [0.0, 0.999, 1.0, 20.0, 20.5, 59.999, 60.0, 61.0].map(|at_s| last_second(at_s, 60.0));
        assert_eq!(told, [None, None, Some(0), Some(19), Some(19), Some(58), Some(59), Some(59)]);
        assert_eq!([last_second(2.4, 2.5), last_second(2.5, 2.5)], [Some(1), Some(2)], "the last one may be short");
    }

    #[test]
    fn every_answer_is_in_one_line_and_gaps_are_kept() {
        let seconds = [second(480, 0, 0, Some([3.0, 9.0, 15.0])), second(0, 390, 110, None)];
        let specs = [ChartSpec::Answers {}, ChartSpec::Latency {}, ChartSpec::Errors {}, ChartSpec::Waiting {}];
        let run = Values { seconds: &seconds, signals: &vec![] };
        let source = Source { specs: &specs, run, ghost: None, lines: &[], end_s: 2.0, faults: vec![] };
        let charts = source.charts();
        assert_eq!(charts.iter().map(|chart| chart.id).collect::<Vec<_>>(), ["rate", "latency", "errors", "queue"]);
        let at = |series: &Series| series.points[2].1;
        assert_eq!(charts[0].series.iter().filter_map(at).sum::<f64>(), 500.0);
        assert_eq!(at(&charts[1].series[1]), None);
        assert_eq!(charts[2].series.len(), 1);
        assert_eq!(charts[2].series[0].label, "503");
        assert!(charts[0].finding.contains("ok from 0 to 480"), "{}", charts[0].finding);
    }

    #[test]
    fn a_map_has_every_answer_in_a_row_of_its_latency() {
        let band = |at: (f64, f64)| bands().iter().position(|band| *band == at).expect("there is such a band");
        let mut seconds = vec![Second { bands: vec![0; bands().len()], ..Second::default() }; 2];
        seconds[0].bands[band((2.0, 3.0))] = 480;
        seconds[1].bands[band((100.0, 150.0))] = 7;
        let run = Values { seconds: &seconds, signals: &vec![] };
        let source = Source { specs: &[], run, ghost: None, lines: &[], end_s: 2.0, faults: vec![] };
        let map = source.latency_map().expect("there are answers");
        assert_eq!(
            map.series.iter().map(|row| row.points[1].1.unwrap() + row.points[2].1.unwrap()).sum::<f64>(),
            487.0
        );
        let labels: Vec<&str> = map.series.iter().map(|row| row.label).collect();
        assert_eq!((labels[0], labels[labels.len() - 1], labels.len()), ("2–3", "100–150", map.bands.len()));
        assert_eq!(
            map.finding,
            "Answers by latency, ms: 480 of 487 took 2–3 ms, the slowest 100–150 ms. The darkest cell has 480."
        );
        assert!(
            map.scale.position(2.0) < map.scale.position(100.0)
                && map.scale.position(150.0) == 1.0
                && map.scale.ticks.len() == 2
        );
        assert_eq!([1.0, 3.0, 20.0, 100.0, 480.0].map(|count| shade(count, 480.0)), [0, 0, 2, 3, 4]);
        assert_eq!([band_text(bands()[0]), band_text(bands()[42])], ["< 0.01", "> 70,000"]);
    }
}
