//! The time line: a bar for each second, its colour and height by how the requests of that second fared.

use crate::view_model::charts::Second;

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
    pub const fn word(self) -> &'static str {
        match self {
            Health::Idle => "no answers",
            Health::Ok => "all answered",
            Health::Pressure => "under pressure",
            Health::Stale => "many stale answers",
            Health::Fail => "many failed",
            Health::Lost => "many unanswered",
        }
    }
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
