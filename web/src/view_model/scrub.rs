//! The time line: a bar for each second, its colour and height by how the requests of that second fared.

use crate::text::{stage, transport as text};
use crate::view_model::charts::Second;
use crate::view_model::format::short;

/// How the requests of a second fared, the worst last. Each has a colour and a height of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nothing ended.
    Idle,
    /// All well.
    Ok,
    /// Some failed, or answers took several times as long as usual.
    Pressure,
    /// Many answers were stale.
    Stale,
    /// Many failed.
    Fail,
    /// Many got no answer at all.
    Lost,
}

impl Health {
    /// The class that colours it.
    pub const fn class(self) -> &'static str {
        match self {
            Health::Idle => "h-idle",
            Health::Ok => "h-ok",
            Health::Pressure => "h-pressure",
            Health::Stale => "h-stale",
            Health::Fail => "h-fail",
            Health::Lost => "h-lost",
        }
    }

    /// How high its bar is, of 27.
    pub const fn height(self) -> f64 {
        match self {
            Health::Idle => 3.0,
            Health::Ok => 7.0,
            Health::Pressure => 13.0,
            Health::Stale => 17.0,
            Health::Fail => 24.0,
            Health::Lost => 27.0,
        }
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Health::Idle => stage::second_idle(),
            Health::Ok => stage::second_ok(),
            Health::Pressure => stage::second_pressure(),
            Health::Stale => stage::second_stale(),
            Health::Fail => stage::second_fail(),
            Health::Lost => stage::second_lost(),
        }
    }
}

/// At most so many bars: a recorded run may last for hours.
const BARS: usize = 240;

/// How many seconds a bar of the time line stands for.
pub fn seconds_of_a_bar(end_s: f64) -> usize {
    (end_s / BARS as f64).ceil().max(1.0) as usize
}

/// The time line for those who read it: each stretch of equal bars, then the faults (begin, end, what), then the incidents.
pub fn told(healths: &[Health], end_s: f64, faults: &[(f64, f64, String)], marks: &[(f64, &str)]) -> Vec<String> {
    let seconds = seconds_of_a_bar(end_s);
    let bars: Vec<Health> = healths.chunks(seconds).filter_map(|bar| bar.iter().max().copied()).collect();
    let mut told = Vec::new();
    let mut from = 0;
    for bars in bars.chunk_by(|a, b| a == b) {
        let to = (from + bars.len() * seconds).min(healths.len());
        told.push(text::stretch(from, to, bars[0].word()));
        from = to;
    }
    told.extend(faults.iter().map(|(from, to, what)| text::fault_from_to(short(*from, 1), short(*to, 1), what)));
    told.extend(marks.iter().map(|(at, what)| text::mark_at(short(*at, 1), what)));
    told
}

/// The health of each second.
pub fn healths(seconds: &[Second]) -> Vec<Health> {
    // Positive floats are ordered as their bits are; sorted as integers, because each kind of sorting is some kilobytes.
    let p95 = seconds.iter().filter_map(|second| second.latency_ms.map(|latency| latency[1].to_bits()));
    let mut usual: Vec<u64> = p95.collect();
    usual.sort_unstable();
    let usual = usual.get(usual.len() / 4).map_or(f64::INFINITY, |bits| f64::from_bits(*bits));
    seconds.iter().map(|second| health(second, usual)).collect()
}

fn health(second: &Second, usual_p95_ms: f64) -> Health {
    let completed = f64::from(second.completed());
    let share = |count: u32| f64::from(count) / completed;
    let slow = second.latency_ms.is_some_and(|latency| latency[1] > 4.0 * usual_p95_ms);
    match () {
        _ if completed == 0.0 => Health::Idle,
        _ if share(second.lost()) > 0.3 => Health::Lost,
        _ if share(second.server_errors() + second.lost()) > 0.5 => Health::Fail,
        _ if share(second.stale()) > 0.1 => Health::Stale,
        _ if share(second.server_errors() + second.lost()) > 0.1 => Health::Fail,
        _ if share(second.server_errors() + second.lost() + second.client_errors()) > 0.002 || slow => Health::Pressure,
        _ => Health::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox_core::trace::Outcome;

    #[test]
    fn equal_bars_are_told_as_one_stretch_and_faults_and_incidents_after_them() {
        let healths = [Health::Ok, Health::Ok, Health::Fail, Health::Ok];
        let faults = [(2.0, 3.0, "the store is down, 1 s".to_string())];
        let told = told(&healths, 4.0, &faults, &[(2.5, "incident opened")]);
        let expected = [
            "0 s to 2 s: all answered",
            "2 s to 3 s: many failed",
            "3 s to 4 s: all answered",
            "2 s to 3 s, fault: the store is down, 1 s",
            "2.5 s: incident opened",
        ];
        assert_eq!(told, expected);
        assert_eq!(super::told(&[Health::Ok; 500], 500.0, &[], &[]), ["0 s to 500 s: all answered"]);
    }

    #[test]
    fn the_worst_that_matters_gives_the_colour() {
        let of = |counts: &[(Outcome, u32)]| {
            let mut second = Second::default();
            for (outcome, count) in counts {
                second.outcomes[outcome.index()] = *count;
            }
            healths(&[second])[0]
        };
        assert_eq!(of(&[]), Health::Idle);
        assert_eq!(of(&[(Outcome::Ok, 500)]), Health::Ok);
        assert_eq!(of(&[(Outcome::Ok, 490), (Outcome::Unavailable503, 10)]), Health::Pressure);
        assert_eq!(of(&[(Outcome::OkStale, 400), (Outcome::Unavailable503, 100)]), Health::Stale);
        assert_eq!(of(&[(Outcome::Unavailable503, 500)]), Health::Fail);
        assert_eq!(of(&[(Outcome::ClientTimeout, 500)]), Health::Lost);
    }
}
