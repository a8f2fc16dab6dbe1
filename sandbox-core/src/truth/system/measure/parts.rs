//! What is asked of one station or of one class of requests.

use super::visits::{Visit, Visits};
use super::{Measure, Request, nearest_rank};
use crate::time::Span;
use crate::trace::Outcome;
use serde_json::{Value, json};

/// What is asked of a station's levels and counts.
const OF_A_STATION: [&str; 6] =
    ["utilization", "mean_busy_workers", "mean_in_system", "mean_queue_length", "max_waiting", "throughput_per_s"];

/// What nobody can say of one class.
const OF_ALL: [&str; 8] = [
    "max_waiting",
    "mean_waiting_clients",
    "retries_per_s",
    "load_factor",
    "sent_per_s",
    "accepted_per_s",
    "fetch_rate_per_s",
    "miss_share_of_fetches",
];

/// Whether a metric says nothing of a `station`, a `class` or a class of `demand`.
pub(super) fn is_untold(metric: &str, part: &str) -> bool {
    match part {
        "station" => !OF_A_STATION.contains(&metric),
        "class" => OF_ALL.contains(&metric),
        _ => metric != "mean_slowdown",
    }
}

impl Measure {
    /// A metric of one station or of one class that only its visits tell.
    pub(super) fn of_part(&self, metric: &str, class: Option<u16>, station: Option<usize>) -> Option<Value> {
        let (warm, last) = (self.warm.as_ref()?, self.last.as_ref()?);
        let (from, to) = (warm.at, last.at);
        let length = self.seconds(to.since(from));
        let class_of = |request: u32| self.requests[request as usize].class;
        let visits = || {
            let all = self.visits.iter().flat_map(Visits::iter);
            let of_class = all.filter(move |visit| class.is_none_or(|class| class_of(visit.request) == class));
            of_class.filter(move |visit| station.is_none_or(|station| usize::from(visit.station) == station))
        };
        let (first, end) = (self.counted_from() as u32, self.extent.requests.unwrap_or(u64::MAX));
        let counted = || visits().filter(move |visit| visit.request >= first && u64::from(visit.request) < end);
        let per_s = |count: usize| Some(json!(count as f64 / length)).filter(|_| length > 0.0);
        let averaged = |share: &dyn Fn((u128, u128)) -> u128| {
            let ns: u128 = visits().map(|visit| share(visit.shares(from, to))).sum();
            ns as f64 / 1e9 / self.scale / length
        };
        if class.is_some() {
            let workers = || self.stations.iter().map(|(_, workers)| *workers).sum::<Option<f64>>();
            return match metric {
                "throughput_per_s" if self.stations.len() == 1 => {
                    per_s(visits().filter(|visit| visit.ended_within(from, to)).count())
                }
                // Of a network: what leaves it.
                "throughput_per_s" | "goodput_per_s" => {
                    let answered = |request: &&Request| {
                        let at = request.latency.map(|latency| request.sent + latency);
                        let succeeded = request.outcome.is_some_and(Outcome::is_success);
                        succeeded && at.is_some_and(|at| from < at && at <= to)
                    };
                    let own = self.requests.iter().filter(|request| Some(request.class) == class);
                    per_s(own.filter(answered).count())
                }
                "utilization" => Some(json!(averaged(&|(_, busy)| busy) / workers()?)),
                "mean_busy_workers" => Some(json!(averaged(&|(_, busy)| busy))),
                "mean_in_system" => Some(json!(averaged(&|(waiting, busy)| waiting + busy))),
                "mean_queue_length" => Some(json!(averaged(&|(waiting, _)| waiting))),
                _ => None,
            };
        }
        station?;
        let seconds = |spans: Vec<Span>| spans.into_iter().map(|span| self.seconds(span)).collect::<Vec<f64>>();
        let sojourns = || seconds(counted().filter_map(|visit| visit.sojourn()).collect());
        let waits = || seconds(counted().filter_map(|visit| visit.wait()).collect());
        let mean = |values: Vec<f64>| {
            let count = values.len() as f64;
            (count > 0.0).then(|| json!(values.iter().sum::<f64>() / count))
        };
        let share = |what: &dyn Fn(&&Visit) -> bool| {
            let share = counted().filter(what).count() as f64 / counted().count() as f64;
            Some(json!(share)).filter(|_| share.is_finite())
        };
        match metric {
            "mean_sojourn_s" => mean(sojourns()),
            "mean_wait_s" => mean(waits()),
            "second_moment_wait_s2" => mean(waits().into_iter().map(|wait| wait * wait).collect()),
            "p_wait" => share(&|visit| visit.was_kept()),
            "reject_fraction" => share(&|visit| visit.rejected),
            "abandon_fraction" => share(&|visit| visit.abandoned),
            "mean_visits_per_request" => {
                let visits = counted().count() as f64 / self.counted().count() as f64;
                Some(json!(visits)).filter(|_| visits.is_finite())
            }
            _ => {
                let (percent, what) = metric.strip_prefix('p')?.split_once('_')?;
                let mut values = match what {
                    "sojourn_s" => sojourns(),
                    "wait_s" => waits(),
                    _ => return None,
                };
                let percent: f64 = percent.parse().ok()?;
                values.sort_unstable_by(f64::total_cmp);
                values.get(nearest_rank(percent, values.len())).map(|value| json!(value))
            }
        }
    }
}
