//! The metrics of a `system` case, from the records and levels of the world that runs it.
//!
//! Requests are counted by the order of their sending; the first share of them is warm-up. Time averages begin with the
//! first counted request and end with the last sending.

mod parts;
mod visits;

use super::scenario::{Extent, System};
use crate::engine::World;
use crate::ids::{NodeId, RequestId};
use crate::rng::{Purpose, draw};
use crate::scenario::{Kind, Plan, Step};
use crate::time::{Span, Time};
use crate::trace::{CacheResult, Outcome, Record, Refusal, What};
use crate::truth::{Answers, Refusal as TruthRefusal};
use serde_json::{Value, json};
use std::sync::Arc;
use visits::Visits;

/// What is known of one request. Times are in scenario nanoseconds.
#[derive(Clone, Debug)]
struct Request {
    sent: Time,
    latency: Option<Span>,
    backed_off: Span,
    waited: Span,
    queued_at: Time,
    /// When it came to the limiter.
    arrived_at: Time,
    last_called: Time,
    attempts: u32,
    visits: u32,
    class: u16,
    outcome: Option<Outcome>,
    queued: bool,
    started: bool,
    rejected: bool,
    abandoned: bool,
    limited: bool,
    throttled: bool,
    dead_lettered: bool,
    deliveries: u32,
    found: Option<CacheResult>,
    /// Pauses before a retry that it is in.
    pausing: u8,
    /// The instance that it came to last.
    at: NodeId,
}

/// Levels of a node, added up over time.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    in_service: u32,
    waiting: u32,
    since: Time,
    in_service_ns: u128,
    waiting_ns: u128,
    waiting_max: u32,
}

/// Sums at an instant.
#[derive(Clone, Debug, Default)]
struct Sums {
    at: Time,
    levels: Vec<Level>,
    completions: Vec<u64>,
    retries: u64,
    called: u64,
    accepted: u64,
    answered: u64,
    stored: u64,
    missed: u64,
    backing_off_ns: u128,
}

/// Gathers what the metrics need.
pub struct Measure {
    plan: Arc<Plan>,
    extent: Extent,
    scale: f64,
    fault_ends: Time,
    stations: Vec<(String, Option<f64>)>,
    classes: Vec<String>,
    slow_over_s: Option<f64>,
    demands: Vec<(String, f64, f64)>,
    /// For each node the station that it is an instance of.
    station_of: Vec<Option<usize>>,
    requests: Vec<Request>,
    /// Requests that are counted and not over.
    open: u64,
    warm: Option<Sums>,
    last: Option<Sums>,
    now: Sums,
    backing_off: u32,
    backing_off_since: Time,
    in_flight: u64,
    /// Position of the station at the end of the chain of calls.
    last_station: Option<usize>,
    /// What is asked of one station or of one class; None: nothing.
    visits: Option<Visits>,
}

impl Measure {
    /// Nothing is gathered yet.
    pub fn new(plan: Arc<Plan>, system: &System, wanted: &[&str]) -> Measure {
        let of_parts = wanted.iter().any(|name| name.contains("@station:") || name.contains("@class:"));
        let stations: Vec<(String, Option<f64>)> =
            system.stations().map(|(id, workers)| (id.to_string(), workers)).collect();
        let group_of = |node: usize| plan.nodes[node].group.clone();
        let place = |group: String| stations.iter().position(|(id, _)| super::model::node_id(id) == group);
        let station_of: Vec<Option<usize>> = (0..plan.nodes.len()).map(|node| place(group_of(node))).collect();
        let nodes = plan.nodes.len();
        let sums = Sums { levels: vec![Level::default(); nodes], completions: vec![0; nodes], ..Sums::default() };
        let measure = system.measure();
        let demands = measure.demand_classes.iter();
        Measure {
            extent: system.extent(),
            scale: system.scale,
            fault_ends: Time::from_seconds(system.fault_ends_s() * system.scale),
            classes: system.classes().map(str::to_string).collect(),
            slow_over_s: measure.slow_over_s,
            demands: demands
                .map(|class| (class.id.clone(), class.interval_s.0, class.interval_s.1.unwrap_or(f64::INFINITY)))
                .collect(),
            stations,
            station_of,
            requests: Vec::new(),
            open: 0,
            warm: None,
            last: None,
            now: sums,
            backing_off: 0,
            backing_off_since: Time::ZERO,
            in_flight: 0,
            last_station: system.last_station(),
            visits: of_parts.then(Visits::default),
            plan,
        }
    }

    /// Whether all requests that count are over.
    pub fn is_done(&self) -> bool {
        match (self.extent.requests, self.extent.simulated_s) {
            (Some(requests), _) => self.requests.len() as u64 >= requests && self.open == 0 && self.queues_are_empty(),
            (None, Some(simulated_s)) => {
                self.now.at >= Time::from_seconds(simulated_s * self.scale) && self.last.is_some()
            }
            // The whole input: until nothing is left to send or to answer.
            (None, None) => false,
        }
    }

    /// Whether every message that was published has been delivered, or put aside.
    fn queues_are_empty(&self) -> bool {
        let queues =
            self.plan.nodes.iter().zip(&self.now.levels).filter(|(node, _)| matches!(node.kind, Kind::Queue(_)));
        queues.into_iter().all(|(_, level)| level.waiting + level.in_service == 0)
    }

    /// Takes what the latest step of the world made.
    pub fn on_step(&mut self, world: &World) {
        self.now.at = world.now();
        let over = self.extent.simulated_s.is_some_and(|end| self.now.at >= Time::from_seconds(end * self.scale));
        if over && self.last.is_none() {
            self.last = Some(self.sums());
        }
        for record in world.emitted() {
            self.on_record(record);
        }
        for record in world.emitted() {
            self.read_level(world, record.node);
        }
    }

    fn read_level(&mut self, world: &World, node: NodeId) {
        let (in_service, waiting) = world.levels(node);
        let level = &mut self.now.levels[node.index()];
        if (level.in_service, level.waiting) != (in_service, waiting) {
            let passed = u128::from(self.now.at.since(level.since).as_nanos());
            level.in_service_ns += u128::from(level.in_service) * passed;
            level.waiting_ns += u128::from(level.waiting) * passed;
            *level = Level {
                in_service,
                waiting,
                since: self.now.at,
                waiting_max: level.waiting_max.max(waiting),
                ..*level
            };
        }
    }

    /// The sums up to now.
    fn sums(&self) -> Sums {
        let mut sums = self.now.clone();
        for level in &mut sums.levels {
            let passed = u128::from(sums.at.since(level.since).as_nanos());
            level.in_service_ns += u128::from(level.in_service) * passed;
            level.waiting_ns += u128::from(level.waiting) * passed;
        }
        let passed = u128::from(sums.at.since(self.backing_off_since).as_nanos());
        sums.backing_off_ns += u128::from(self.backing_off) * passed;
        sums
    }

    fn change_backing_off(&mut self, by: i32) {
        let passed = u128::from(self.now.at.since(self.backing_off_since).as_nanos());
        self.now.backing_off_ns += u128::from(self.backing_off) * passed;
        self.backing_off_since = self.now.at;
        self.backing_off = self.backing_off.saturating_add_signed(by);
    }

    /// The number of the first request that counts, from 0.
    fn first_counted(&self) -> u64 {
        let sent = self.extent.requests.unwrap_or(self.requests.len() as u64);
        (sent as f64 * self.extent.warmup_share).floor() as u64
    }

    fn on_sent(&mut self, record: &Record) {
        let index = self.requests.len() as u64;
        let counts = self.extent.requests.is_none_or(|requests| index < requests);
        let warm = match (self.extent.requests, self.extent.simulated_s) {
            (None, Some(end)) => record.at >= Time::from_seconds(end * self.scale * self.extent.warmup_share),
            _ => index >= self.first_counted(),
        };
        if warm && self.warm.is_none() {
            self.warm = Some(self.sums());
        }
        if counts {
            self.open += 1;
            if self.extent.simulated_s.is_none() {
                self.last = Some(self.sums()).filter(|_| self.extent.requests.is_none_or(|all| index + 1 == all));
            }
        }
        let What::Intended { route, .. } = record.what else { unreachable!("a sending intends") };
        let name = &self.plan.routes[route.index()].name;
        let class = self.classes.iter().position(|class| super::model::node_id(class) == *name).unwrap_or(0);
        self.in_flight += 1;
        self.requests.push(Request {
            sent: record.at,
            latency: None,
            backed_off: Span::ZERO,
            waited: Span::ZERO,
            queued_at: Time::NEVER,
            arrived_at: record.at,
            last_called: record.at,
            attempts: 0,
            visits: 0,
            class: class as u16,
            outcome: None,
            queued: false,
            started: false,
            rejected: false,
            abandoned: false,
            limited: false,
            throttled: false,
            dead_lettered: false,
            deliveries: 0,
            found: None,
            pausing: 0,
            at: record.node,
        });
    }

    fn on_record(&mut self, record: &Record) {
        if let What::Intended { .. } = record.what {
            return self.on_sent(record);
        }
        if record.request == RequestId::NONE {
            return;
        }
        let station = self.station_of[record.node.index()];
        let last_station = self.last_station;
        if let (Some(visits), Some(station)) = (&mut self.visits, station) {
            visits.on_record(record, station as u16);
        }
        let kind = &self.plan.nodes[record.node.index()].kind;
        let is_client = matches!(kind, Kind::Client(_));
        let request = &mut self.requests[record.request.0 as usize - 1];
        match record.what {
            What::Called { attempt, .. } if is_client || station.is_some() => {
                if is_client {
                    request.last_called = record.at;
                    self.now.called += 1;
                }
                self.now.retries += u64::from(attempt > 1);
                if attempt > 1 && request.pausing > 0 {
                    request.pausing -= 1;
                    self.change_backing_off(-1);
                }
            }
            What::Called { .. } if matches!(kind, Kind::Queue(_)) => request.deliveries += 1,
            What::Called { .. } if matches!(kind, Kind::Gateway(_)) => self.now.accepted += 1,
            What::BackedOff { delay } if is_client || station.is_some() => {
                request.backed_off += delay;
                request.pausing += 1;
                self.change_backing_off(1);
            }
            What::Arrived { .. } if station.is_some() => {
                request.visits += 1;
                request.started = true;
                request.at = record.node;
                request.attempts += u32::from(station == last_station);
            }
            What::Queued { .. } if station.is_some() => {
                request.queued = true;
                request.started = false;
                request.queued_at = record.at;
            }
            What::Started if station.is_some() => {
                request.waited += record.at.since(request.queued_at);
                request.queued_at = Time::NEVER;
                request.started = true;
            }
            What::Refused { refusal } => match refusal {
                Refusal::QueueFull | Refusal::BulkheadFull => {
                    request.rejected = true;
                    request.started = false;
                }
                Refusal::QueueTimeout => {
                    request.waited += record.at.since(request.queued_at);
                    request.queued_at = Time::NEVER;
                    request.abandoned = true;
                }
                Refusal::RateLimited => request.limited = true,
                Refusal::Throttled => request.throttled = true,
                _ => {}
            },
            // A service is completed even if it ends in failure.
            What::Worked if station.is_some() => self.now.completions[record.node.index()] += 1,
            // What a leaky queue holds back waits there, before any station.
            What::Worked if matches!(kind, Kind::Gateway(_)) => {
                request.waited += record.at.since(request.arrived_at);
            }
            What::Arrived { .. } if matches!(kind, Kind::Gateway(_)) => request.arrived_at = record.at,
            What::CacheAsked { result, .. } => {
                request.found = Some(result);
                let missed = matches!(result, CacheResult::Miss | CacheResult::Stale | CacheResult::TooOld);
                self.now.missed += u64::from(missed);
            }
            What::CacheStored { .. } => self.now.stored += 1,
            What::DeadLettered => request.dead_lettered = true,
            What::Answered { outcome, latency } => {
                request.outcome = Some(outcome);
                request.latency = Some(latency);
                self.in_flight -= 1;
                self.now.answered += u64::from(outcome.is_success());
                let pausing = std::mem::take(&mut request.pausing);
                let counted = self.extent.requests.is_none_or(|all| u64::from(record.request.0) <= all);
                self.open -= u64::from(counted);
                self.change_backing_off(-i32::from(pausing));
            }
            _ => {}
        }
    }

    /// The metrics that are asked for; of the closed list all that this kind of model has, if none are named.
    pub fn answers(mut self, wanted: &[&str]) -> Result<Answers, TruthRefusal> {
        if self.last.is_none() {
            self.last = Some(self.sums());
        }
        if self.warm.is_none() {
            self.warm = Some(Sums { levels: vec![Level::default(); self.plan.nodes.len()], ..self.sums() });
        }
        let mut answers = Answers::new();
        if wanted.is_empty() {
            for name in NAMES {
                if let Some(value) = self.answer(name, None) {
                    answers.insert(name.to_string(), value);
                }
            }
            return Ok(answers);
        }
        for name in wanted {
            let (metric, part) = match name.split_once('@') {
                Some((metric, part)) => (metric, Some(part)),
                None => (*name, None),
            };
            match self.answer(metric, part) {
                Some(value) => drop(answers.insert(name.to_string(), value)),
                None => return Err(TruthRefusal::Unsupported(format!("the metric {name} of a system"))),
            }
        }
        Ok(answers)
    }

    fn counted(&self) -> impl Iterator<Item = (usize, &Request)> {
        let (from, to) = (self.counted_from(), self.extent.requests.unwrap_or(u64::MAX));
        let all = self.requests.iter().enumerate();
        all.skip(from).take_while(move |(index, _)| (*index as u64) < to)
    }

    fn counted_from(&self) -> usize {
        match self.extent.simulated_s {
            Some(end) => {
                let warm = Time::from_seconds(end * self.scale * self.extent.warmup_share);
                self.requests.partition_point(|request| request.sent < warm)
            }
            None => self.first_counted() as usize,
        }
    }

    fn seconds(&self, span: Span) -> f64 {
        span.as_seconds() / self.scale
    }

    /// One metric, of the whole system or of `class:id`, `station:id`, `demand:id`.
    fn answer(&self, metric: &str, part: Option<&str>) -> Option<Value> {
        let (class, station, demand) = match part.map(|part| part.split_once(':').unwrap_or((part, ""))) {
            None => (None, None, None),
            Some(("class", id)) => (Some(self.classes.iter().position(|class| class == id)? as u16), None, None),
            Some(("station", id)) => (None, Some(self.stations.iter().position(|(known, _)| known == id)?), None),
            Some(("demand", id)) => (None, None, Some(self.demands.iter().find(|(known, _, _)| known == id)?)),
            Some(_) => return None,
        };
        if let Some(value) = self.of_part(metric, class, station) {
            return Some(value);
        }
        if part.and_then(|part| part.split_once(':')).is_some_and(|(of, _)| parts::is_untold(metric, of)) {
            return None;
        }
        let of = || self.counted().filter(move |(_, request)| class.is_none_or(|class| request.class == class));
        let count = |what: &dyn Fn(&Request) -> bool| of().filter(|(_, request)| what(request)).count() as f64;
        let total = of().count() as f64;
        let share = |what: &dyn Fn(&Request) -> bool| Some(count(what) / total).filter(|share| share.is_finite());
        let succeeded = |request: &Request| request.outcome.is_some_and(Outcome::is_success);
        let sojourns = || of().filter(|(_, request)| succeeded(request)).filter_map(|(_, request)| request.latency);
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
            (count > 0).then(|| sum / count as f64)
        };
        let deviation = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
            (values.len() > 1).then(|| libm::sqrt(squares / (values.len() - 1) as f64))
        };
        let has_stations = !self.stations.is_empty();
        // Whoever is retried until it is served waits where it is served.
        let has_waits = has_stations || self.plan.nodes.iter().any(|node| matches!(node.kind, Kind::Gateway(_)));
        let served = || of().filter(|(_, request)| if has_stations { request.started } else { !request.limited });
        let (warm, last) = (self.warm.as_ref()?, self.last.as_ref()?);
        let length = self.seconds(last.at.since(warm.at));
        let nodes = || {
            (0..self.station_of.len()).filter(|node| match station {
                Some(station) => self.station_of[*node] == Some(station),
                None => self.station_of[*node].is_some(),
            })
        };
        let busy =
            || nodes().map(|node| last.levels[node].in_service_ns - warm.levels[node].in_service_ns).sum::<u128>();
        let waiting = || nodes().map(|node| last.levels[node].waiting_ns - warm.levels[node].waiting_ns).sum::<u128>();
        let averaged = |ns: u128| Some(ns as f64 / 1e9 / self.scale / length).filter(|value| value.is_finite());
        let per_s = |number: u64| Some(number as f64 / length).filter(|value| value.is_finite());
        let quantile = |metric: &str, values: &mut Vec<u64>| -> Option<f64> {
            let percent: f64 = metric.strip_prefix('p')?.split('_').next()?.parse().ok()?;
            values.sort_unstable();
            values.get(nearest_rank(percent, values.len())).map(|nanos| *nanos as f64 / 1e9 / self.scale)
        };
        let in_ms = |value: Option<f64>| value.map(|seconds| json!(seconds * 1e3));
        let number = |value: Option<f64>| value.map(|value| json!(value));
        match metric {
            "mean_sojourn_s" => number(mean(&mut sojourns().map(|span| self.seconds(span)))),
            "sd_sojourn_s" => number(deviation(sojourns().map(|span| self.seconds(span)).collect())),
            "mean_sojourn_all_s" => {
                number(mean(&mut of().filter_map(|(_, request)| Some(self.seconds(request.latency?)))))
            }
            "mean_sojourn_ms" => in_ms(mean(&mut sojourns().map(|span| self.seconds(span)))),
            "max_sojourn_ms" => in_ms(sojourns().max().map(|span| self.seconds(span))),
            "mean_wait_s" if has_waits => number(mean(&mut served().map(|(_, request)| self.seconds(request.waited)))),
            "second_moment_wait_s2" if has_waits => number(mean(
                &mut served().map(|(_, request)| self.seconds(request.waited) * self.seconds(request.waited)),
            )),
            "mean_wait_all_s" if has_waits => {
                let joined = of().filter(|(_, request)| !request.rejected);
                number(mean(&mut joined.map(|(_, request)| self.seconds(request.waited))))
            }
            "max_wait_ms" if has_waits => {
                in_ms(served().map(|(_, request)| self.seconds(request.waited)).reduce(f64::max))
            }
            "p_wait" if has_stations => number(share(&|request| request.queued || request.rejected)),
            "utilization" if has_stations => {
                let workers = match station {
                    Some(station) => self.stations[station].1,
                    None => self.stations.iter().map(|(_, workers)| *workers).sum(),
                };
                number(averaged(busy()).zip(workers).map(|(busy, workers)| busy / workers))
            }
            "mean_busy_workers" if has_stations => number(averaged(busy())),
            "mean_in_system" if has_stations => number(averaged(busy() + waiting())),
            "mean_queue_length" if has_stations => number(averaged(waiting())),
            "max_waiting" if has_stations => {
                nodes().map(|node| self.now.levels[node].waiting_max).max().map(|most| json!(most))
            }
            // Of a network: what leaves it.
            "throughput_per_s" if station.is_none() && self.stations.len() > 1 => {
                number(per_s(last.answered - warm.answered))
            }
            "throughput_per_s" if has_stations => {
                number(per_s(nodes().map(|node| last.completions[node] - warm.completions[node]).sum()))
            }
            "goodput_per_s" => number(per_s(last.answered - warm.answered)),
            "reject_fraction" => number(share(&|request| request.rejected || request.limited)),
            "admitted_fraction" => number(share(&|request| !request.limited)),
            "abandon_fraction" if has_stations => number(share(&|request| request.abandoned)),
            "success_fraction" => number(share(&succeeded)),
            "failure_fraction" => {
                number(share(&|request| request.outcome.is_some_and(|outcome| !outcome.is_success())))
            }
            "slow_fraction" => {
                let slow = self.slow_over_s?;
                number(share(&|request| request.latency.is_some_and(|latency| self.seconds(latency) > slow)))
            }
            "mean_slowdown" => {
                let slowdowns = of().filter_map(|(index, request)| {
                    let own = self.demand_s(index, request)?;
                    let fits = demand.is_none_or(|(_, from, to)| *from <= own && own < *to);
                    let latency = request.latency.filter(|_| succeeded(request) && fits)?;
                    Some(self.seconds(latency) / own)
                });
                number(mean(&mut { slowdowns }))
            }
            "mean_visits_per_request" => number(mean(&mut of().map(|(_, request)| f64::from(request.visits)))),
            "attempts_per_request" if has_stations => {
                number(mean(&mut of().map(|(_, request)| f64::from(request.attempts))))
            }
            "extra_request_fraction" => number(mean(&mut of().map(|(_, request)| f64::from(request.attempts) - 1.0))),
            "mean_waiting_clients" => number(averaged(last.backing_off_ns - warm.backing_off_ns)),
            "mean_delay_to_acceptance_s" => {
                let accepted = of().filter(|(_, request)| succeeded(request));
                number(mean(&mut accepted.map(|(_, request)| self.seconds(request.last_called.since(request.sent)))))
            }
            "mean_total_backoff_s" => number(mean(&mut of().map(|(_, request)| self.seconds(request.backed_off)))),
            "sd_total_backoff_s" => {
                number(deviation(of().map(|(_, request)| self.seconds(request.backed_off)).collect()))
            }
            "retries_per_s" => number(per_s(last.retries - warm.retries)),
            "load_factor" => number(Some((last.called - warm.called) as f64 / total).filter(|value| value.is_finite())),
            "sent_per_s" => number(per_s(last.called - warm.called)),
            "accepted_per_s" => number(per_s(last.accepted - warm.accepted)),
            "local_reject_fraction" => number(share(&|request| request.throttled)),
            "hit_ratio" | "fresh_fraction" => {
                number(share(&|request| matches!(request.found, Some(CacheResult::Fresh | CacheResult::Early))))
            }
            "stale_fraction" => number(share(&|request| request.found == Some(CacheResult::Revalidate))),
            "waiting_fraction" => number(share(&|request| {
                use CacheResult::*;
                matches!(request.found, Some(Miss | Stale | TooOld | Coalesced))
            })),
            "fetch_rate_per_s" => number(
                Some(last.stored as f64 / self.seconds(last.at.since(Time::ZERO))).filter(|rate| rate.is_finite()),
            ),
            "miss_share_of_fetches" => {
                number(Some(last.missed as f64 / last.stored as f64).filter(|share| share.is_finite()))
            }
            "dead_letter_fraction" => number(share(&|request| request.dead_lettered)),
            "deliveries_per_message" => number(mean(&mut of().map(|(_, request)| f64::from(request.deliveries)))),
            "completed_count" => Some(json!(count(&succeeded) as u64)),
            "accepted_count" => Some(json!(count(&|request| !request.rejected && !request.limited) as u64)),
            "recovered_at_ms" if has_stations => {
                let after = of().find(|(_, request)| request.sent >= self.fault_ends && !request.queued);
                in_ms(after.map(|(_, request)| self.seconds(request.sent.since(Time::ZERO))))
            }
            "first_rejected_index" => {
                of().find(|(_, request)| request.rejected || request.limited).map(|(at, _)| json!(at))
            }
            _ if metric.ends_with("_sojourn_s") => {
                number(quantile(metric, &mut sojourns().map(Span::as_nanos).collect()))
            }
            _ if metric.ends_with("_sojourn_ms") => {
                in_ms(quantile(metric, &mut sojourns().map(Span::as_nanos).collect()))
            }
            _ if metric.ends_with("_wait_s") && has_waits => {
                number(quantile(metric, &mut served().map(|(_, request)| request.waited.as_nanos()).collect()))
            }
            _ => None,
        }
    }

    /// The work that a request brought to the only station: drawn again, as the station drew it.
    fn demand_s(&self, index: usize, request: &Request) -> Option<f64> {
        let node = &self.plan.nodes[request.at.index()];
        let Kind::Service(service) = &node.kind else { return None };
        let name = super::model::node_id(&self.classes[request.class as usize]);
        let route = self.plan.routes.iter().position(|route| route.name == name)?;
        let Step::Work(dist) = service.programs[route].as_ref()?.steps.first()? else { return None };
        let mut luck = draw(self.plan.seed, index as u32 + 1, node.hash, Purpose::Work, 1);
        Some(self.seconds(dist.sample(&mut luck)))
    }
}

/// Position of a percentile among so many ascending values: the ceil(p n)-th smallest.
fn nearest_rank(percent: f64, values: usize) -> usize {
    (percent / 100.0 * values as f64 - 1e-9).ceil().max(1.0) as usize - 1
}

/// The metrics that a system may be asked for without naming them.
const NAMES: [&str; 27] = [
    "mean_sojourn_s",
    "sd_sojourn_s",
    "p50_sojourn_s",
    "p95_sojourn_s",
    "p99_sojourn_s",
    "mean_wait_s",
    "p_wait",
    "utilization",
    "mean_busy_workers",
    "mean_in_system",
    "mean_queue_length",
    "max_waiting",
    "throughput_per_s",
    "goodput_per_s",
    "reject_fraction",
    "success_fraction",
    "failure_fraction",
    "mean_visits_per_request",
    "attempts_per_request",
    "retries_per_s",
    "load_factor",
    "hit_ratio",
    "stale_fraction",
    "fetch_rate_per_s",
    "dead_letter_fraction",
    "completed_count",
    "accepted_count",
];
