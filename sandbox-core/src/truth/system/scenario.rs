//! A `system` model as a scenario document: the same document that anybody could write by hand.
//!
//! Every model becomes: a client for each class, a gateway if there is a limiter, an entrance that routes, fans out, looks
//! into a cache or publishes, and one service for each station. Times are written in milliseconds, and scaled down by a
//! power of two if the model lasts longer than a scenario may (measured times are scaled back).

use super::model::*;
use crate::scenario::{Problem, limits};
use crate::truth::Refusal;
use crate::truth::read::read;
use serde_json::{Map, Value, json};

/// A model, read.
pub struct System {
    model: Model,
    run: Run,
    /// Scenario seconds per model second.
    pub scale: f64,
}

/// How many requests are looked at, and from which on.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Requests that are sent; None: all that the model sends.
    pub requests: Option<u64>,
    /// The first share of them is not counted.
    pub warmup_share: f64,
    /// Model seconds after which sending ends, where that is what is given.
    pub simulated_s: Option<f64>,
}

impl System {
    /// Reads a model and how it is to be run. Errors: every problem with its path, or what is not built.
    pub fn read(model: &Value, run: Option<&Value>) -> Result<System, Refusal> {
        let longest_s = longest_s(model);
        let mut model: Model = read(model)?;
        let run: Run = match run {
            Some(run) => read(run).map_err(|problems| {
                problems
                    .into_iter()
                    .map(|at| Problem::new(format!("run.{}", at.path), at.what, at.hint))
                    .collect::<Vec<_>>()
            })?,
            None => Run::default(),
        };
        if model.stations.iter().any(|station| station.id == "exit" || station.id == "enter") {
            return Err(Problem::new("stations", "`enter` and `exit` are no stations", "Name them otherwise.").into());
        }
        if model.arrivals.is_some() != model.classes.is_empty() {
            let hint = "Give the system's `arrivals`, or `classes` with their own.";
            return Err(Problem::new("arrivals", "it takes arrivals or classes", hint).into());
        }
        if let Some(what) = model.unsupported() {
            return Err(Refusal::Unsupported(what.into()));
        }
        model.simplify();
        if let Some(arrivals) = model.arrivals.take() {
            let service = json!({"dist": "deterministic", "value_s": 0});
            model.classes.push(ClassModel { id: "all".into(), priority: 1, arrivals, service });
        }
        let mut system = System { model, run, scale: 1.0 };
        let longest = |system: &System| system.scale * longest_s * 1e3;
        while system.end_s() > limits::DURATION_S * 0.9 || longest(&system) > limits::LENGTH_MS * 0.99 {
            system.scale /= 2.0;
        }
        Ok(system)
    }

    /// How long sending takes, in model seconds, with some to spare.
    fn length_s(&self) -> f64 {
        if let Some(simulated_s) = self.run.simulated_s {
            return simulated_s;
        }
        let requests = self.run.requests.unwrap_or(0) as f64;
        let rate: f64 = self.model.classes.iter().filter_map(|class| class.arrivals.rate_per_s).sum();
        let by_rate = if rate > 0.0 { requests / rate * (1.0 + 10.0 / requests.sqrt().max(10.0)) } else { 0.0 };
        let listed = self.model.classes.iter().map(|class| class.arrivals.listed_ms() / 1e3);
        let closed = self.model.classes.iter().map(|class| match (&class.arrivals.think_time, self.slowest_s()) {
            (Some(think), service) => {
                let clients = f64::from(class.arrivals.clients.unwrap_or(1));
                requests * (mean_s(think) / clients + service)
            }
            _ => 0.0,
        });
        listed.chain(closed).fold(by_rate, f64::max)
    }

    /// Mean service time of the slowest station.
    fn slowest_s(&self) -> f64 {
        self.model.stations.iter().filter_map(|station| station.service.as_ref()).map(mean_s).fold(0.0, f64::max)
    }

    /// How long the scenario lasts, in its own seconds.
    fn end_s(&self) -> f64 {
        (self.length_s() + self.drain_s()) * self.scale
    }

    /// Time after the last sending in which everything is answered, in model seconds.
    fn drain_s(&self) -> f64 {
        let faults = self.fault_ends_s();
        let messages = self.model.message_queue.as_ref().map_or(0.0, |queue| {
            let processing = mean_s(&queue.processing);
            let turns = self.run.requests.unwrap_or(0) as f64 / f64::from(queue.consumers.unwrap_or(u32::MAX));
            f64::from(queue.max_receive_count) * (queue.visibility_timeout_s + processing * (20.0 + turns))
        });
        let delays = self.model.retry.iter().flat_map(|retry| [retry.max_delay_s, retry.per_try_timeout_s]).flatten();
        100.0 * self.slowest_s() + faults + messages + delays.sum::<f64>() * 20.0 + self.length_s() * 0.1 + 1.0
    }

    /// How many requests are looked at.
    pub fn extent(&self) -> Extent {
        let Run { requests, simulated_s, warmup_share, .. } = self.run;
        let listed = |class: &ClassModel| class.arrivals.count;
        let requests = requests.or_else(|| self.model.classes.iter().map(listed).sum());
        Extent { requests: if simulated_s.is_some() { None } else { requests }, warmup_share, simulated_s }
    }

    /// Parameters of metrics.
    pub fn measure(&self) -> &MeasureModel {
        &self.model.measure
    }

    /// The stations with their workers in all instances together.
    pub fn stations(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        self.model.stations.iter().map(|station| {
            let instances = f64::from(station.replicas.unwrap_or(1));
            (station.id.as_str(), station.workers.map(|workers| f64::from(workers) * instances))
        })
    }

    /// Position of the last station: the end of the chain of calls, or where there is none the last one named.
    pub fn last_station(&self) -> Option<usize> {
        let stations = &self.model.stations;
        let place = |id: &str| stations.iter().position(|station| station.id == id);
        let mut chain = stations.iter().position(|station| node_id(&station.id) == self.entry());
        for _ in stations {
            let next = chain.and_then(|at| stations[at].calls.as_deref()).and_then(place);
            chain = next.or(chain);
        }
        let calls = stations.iter().any(|station| station.calls.is_some());
        chain.filter(|_| calls).or(stations.len().checked_sub(1))
    }

    /// The classes in the order of the scenario's workloads.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.model.classes.iter().map(|class| class.id.as_str())
    }

    /// The end of the last fault, in model seconds.
    pub fn fault_ends_s(&self) -> f64 {
        self.model.faults.iter().filter_map(|fault| fault.interval_ms.1).fold(0.0, f64::max) / 1e3
    }

    /// The scenario.
    pub fn document(&self, seed: u64) -> Value {
        let model = &self.model;
        let mut nodes = Map::new();
        let mut entry = self.entry();
        for station in &model.stations {
            nodes.insert(node_id(&station.id), self.station(station));
        }
        if let Some((steps, calls)) = self.steps(&entry) {
            nodes.insert("entrance".into(), self.entrance(steps, calls));
            entry = "entrance".into();
        }
        if let Some(cache) = &model.cache {
            nodes.insert("cache".into(), self.cache(cache));
        }
        if let Some(queue) = &model.message_queue {
            nodes.insert(
                "queue".into(),
                json!({
                    "kind": "queue", "consumer": "consumer", "route": "message", "consumers": queue.consumers,
                    "visibility_timeout_s": queue.visibility_timeout_s * self.scale,
                    "max_receive_count": queue.max_receive_count,
                }),
            );
            let routes = json!({"message": [{"wait": self.dist(&queue.processing)}]});
            nodes.insert("consumer".into(), json!({"kind": "service", "routes": routes}));
        }
        if let Some(limiter) = &model.limiter {
            nodes.insert(
                "door".into(),
                json!({"kind": "gateway", "upstream": entry, "rate_limit": self.limiter(limiter)}),
            );
            entry = "door".into();
        }
        nodes.insert("clients".into(), json!({"kind": "client", "calls": {entry.clone(): self.client_call()}}));
        let mut workloads = Map::new();
        for class in &model.classes {
            workloads.insert(node_id(&class.id), self.workload(class, &entry));
        }
        let end_s = self.end_s();
        let mut faults = Map::new();
        for (index, fault) in model.faults.iter().enumerate() {
            let (from, to) = fault.interval_ms;
            let to_s = to.map_or(end_s + 1.0, |to| to / 1e3 * self.scale);
            faults.insert(
                format!("fault-{index}"),
                json!({
                    "node": node_id(&fault.station), "effect": {"kind": fault.kind},
                    "from_s": from / 1e3 * self.scale, "to_s": to_s,
                }),
            );
        }
        for station in &model.stations {
            if let Some(ratio) = station.failure_probability.filter(|ratio| *ratio != 0.0) {
                faults.insert(
                    format!("failures-of-{}", node_id(&station.id)),
                    json!({
                        "node": node_id(&station.id), "effect": {"kind": "errors", "ratio": ratio},
                        "from_s": 0, "to_s": end_s + 1.0,
                    }),
                );
            }
        }
        json!({
            "format_version": 1, "id": "system", "title": "A ground-truth model", "seed": seed, "duration_s": end_s,
            "nodes": nodes, "workloads": workloads, "faults": faults,
        })
    }

    /// What an entrance in front of the stations does, and whom it calls; None: requests go straight to `entry`.
    fn steps(&self, entry: &str) -> Option<(Value, Value)> {
        let model = &self.model;
        let called = |ids: &mut dyn Iterator<Item = String>, own: Value| -> Value {
            ids.map(|id| (id, self.balanced(own.clone()))).collect::<Map<String, Value>>().into()
        };
        let behind = if let Some(routing) = &model.routing {
            let calls = called(&mut model.stations.iter().map(|station| node_id(&station.id)), json!({}));
            Some((self.router(routing), calls))
        } else if let Some(fan_out) = &model.fan_out {
            let branches: Vec<Value> =
                fan_out.targets.iter().map(|target| json!([{"call": {"to": node_id(target)}}])).collect();
            let calls = called(&mut fan_out.targets.iter().map(|id| node_id(id)), self.hedged(json!({})));
            Some((json!([{"all": {"branches": branches, "copies": fan_out.copies}}]), calls))
        } else if model.message_queue.is_some() {
            Some((json!([{"publish": {"to": "queue", "route": "message"}}]), json!({})))
        } else if model.stations.is_empty() {
            Some((json!([]), json!({})))
        } else {
            None
        };
        let Some(cache) = &model.cache else { return behind };
        let (behind, calls) = behind.unwrap_or_else(|| {
            let call = json!([{"call": {"to": entry}}]);
            (call, called(&mut [entry.to_string()].into_iter(), json!({})))
        });
        let mut load = Vec::new();
        if cache.fetch_time_s > 0.0 {
            load.push(json!({"wait": {"dist": "constant", "value_ms": self.ms(cache.fetch_time_s)}}));
        }
        load.extend(behind.as_array().cloned().unwrap_or_default());
        Some((json!([{"cached": {"cache": "cache", "load": load}}]), calls))
    }

    /// Where requests enter when stations are joined by calls: the one named, or the one that nobody calls.
    fn entry(&self) -> String {
        let called = |id: &str| self.model.stations.iter().any(|station| station.calls.as_deref() == Some(id));
        let first = self.model.stations.iter().find(|station| !called(&station.id));
        self.model
            .entry
            .clone()
            .or_else(|| first.map(|station| station.id.clone()))
            .map_or("entrance".into(), |id| node_id(&id))
    }

    fn ms(&self, seconds: f64) -> f64 {
        seconds * 1e3 * self.scale
    }

    fn dist(&self, model: &Value) -> Value {
        in_ms(model, self.scale)
    }

    fn station(&self, station: &StationModel) -> Value {
        let queue = station.queue.as_ref();
        let mut calls = Map::new();
        let mut after = Vec::new();
        if let Some(callee) = &station.calls {
            calls.insert(node_id(callee), self.balanced(self.retried(json!({}), station.retry.as_ref())));
            after.push(json!({"call": {"to": node_id(callee)}}));
        }
        let mut routes = Map::new();
        for class in &self.model.classes {
            let service = station.service.as_ref().unwrap_or(&class.service);
            let mut steps = vec![json!({"work": self.dist(service)})];
            steps.extend(after.clone());
            routes.insert(node_id(&class.id), Value::Array(steps));
        }
        let mut node = json!({
            "kind": "service", "routes": routes, "calls": calls, "workers": station.workers,
            "replicas": station.replicas.unwrap_or(1),
            "max_waiting": queue.and_then(|queue| queue.max_waiting),
            "discipline": queue.map_or("fifo", |queue| &queue.discipline),
        });
        // A caller sees 503 of an instance that is down: a full line is 429 there, so that the two can be told apart.
        if let Some((workers, waiting)) = station.workers.zip(queue.and_then(|queue| queue.max_waiting))
            && self.model.breaks_down()
        {
            let routes: Vec<String> = self.model.classes.iter().map(|class| node_id(&class.id)).collect();
            node["max_waiting"] = Value::Null;
            node["bulkheads"] = json!({
                "room": {"routes": routes, "max_concurrent": workers + waiting, "max_waiting": 0, "status": 429}
            });
        }
        if let Some(patience) = queue.and_then(|queue| queue.timeout.as_ref()) {
            node["patience"] = self.dist(patience);
        }
        if let Some(failures) = &station.failures {
            node["chance"] = json!({"up": self.dist(&failures.up), "down": self.dist(&failures.down)});
        }
        node
    }

    /// An unlimited service in front of everything.
    fn entrance(&self, steps: Value, calls: Value) -> Value {
        let routes: Map<String, Value> =
            self.model.classes.iter().map(|class| (node_id(&class.id), steps.clone())).collect();
        json!({"kind": "service", "routes": routes, "calls": calls})
    }

    /// Hands a request on from station to station by chance; `at` is the position of the next one, from 1.
    fn router(&self, routing: &Map<String, Value>) -> Value {
        let stations = &self.model.stations;
        let place = |id: &str| stations.iter().position(|station| station.id == id).map_or(0, |index| index + 1);
        let hand_over = |from: &str| {
            let onward = routing.get(from).and_then(Value::as_object);
            let mut left = 1.0;
            let mut steps = vec![json!({"set": {"roll": "random"}}), json!({"set": {"at": "0"}})];
            for (to, share) in onward.into_iter().flatten() {
                let share = share.as_f64().unwrap_or(0.0);
                if to != "exit" {
                    let within = format!("roll >= {} and roll < {}", 1.0 - left, 1.0 - left + share);
                    steps.push(json!({"if": {"when": within, "then": [{"set": {"at": place(to).to_string()}}]}}));
                }
                left -= share;
            }
            steps
        };
        let mut round = vec![json!({"set": {"here": "at"}})];
        for station in stations {
            let mut then = vec![json!({"call": {"to": node_id(&station.id)}})];
            then.extend(hand_over(&station.id));
            round.push(json!({"if": {"when": format!("here == {}", place(&station.id)), "then": then}}));
        }
        let mut steps = hand_over("enter");
        steps.push(json!({"repeat": {"times": 10_000, "while": "at > 0", "do": round}}));
        Value::Array(steps)
    }

    /// How the clients call whoever is in front.
    fn client_call(&self) -> Value {
        let model = &self.model;
        let mut call = self.balanced(self.retried(json!({}), model.retry.as_ref()));
        if let Some(timeout) = model.client_timeout_s {
            call["deadline_ms"] = json!(self.ms(timeout));
            call["cancel"] = json!(if model.cancel_on_timeout == Some(true) { "anywhere" } else { "none" });
        }
        if model.fan_out.is_none() {
            call = self.hedged(call);
        }
        if let Some(throttle) = &model.client_throttle {
            call["throttle"] = json!({"k": throttle.k, "window_s": throttle.window_s * self.scale});
        }
        call
    }

    /// Copies are sent by whoever calls the replicas: of a fan-out each part has its own.
    fn hedged(&self, mut call: Value) -> Value {
        if let Some(hedging) = &self.model.hedging {
            call["hedging"] = json!({
                "max_attempts": hedging.max_attempts, "delay_ms": self.ms(hedging.delay_s),
                "distinct_target": hedging.distinct_target, "cancel": hedging.cancel,
            });
        }
        call
    }

    fn balanced(&self, mut call: Value) -> Value {
        if let Some(balancer) = &self.model.balancer {
            call["balancer"] = match balancer.algorithm.as_str() {
                "least_request" => json!({
                    "policy": "least_request", "choices": balancer.choices,
                    "with_replacement": balancer.with_replacement.unwrap_or(false),
                }),
                other => json!({"policy": other}),
            };
        }
        call
    }

    fn retried(&self, mut call: Value, retry: Option<&RetryModel>) -> Value {
        let Some(retry) = retry else { return call };
        let mut on = Vec::new();
        for what in &retry.retry_on {
            match what.as_str() {
                "failure" if self.model.breaks_down() => on.extend(["error", "unavailable"]),
                "failure" => on.push("error"),
                "reject" if self.model.breaks_down() => on.push("rate_limited"),
                "reject" => on.extend(["unavailable", "rate_limited"]),
                other => on.push(other),
            }
        }
        let base = retry.base_delay_s.unwrap_or(0.0);
        call["retry"] = json!({
            "max_attempts": retry.max_attempts, "retry_on": on,
            "base_delay_ms": self.ms(base),
            "max_delay_ms": self.ms(retry.max_delay_s.unwrap_or(f64::max(base, 3_600.0))),
            "multiplier": retry.multiplier.unwrap_or(2.0),
            "jitter": retry.jitter.as_deref().unwrap_or("none"),
            "jitter_factor": retry.jitter_factor.unwrap_or(0.2),
            "other_instance": retry.other_instance.unwrap_or(false),
            "pause": retry.delay.as_ref().map(|delay| self.dist(delay)),
            "budget": match &retry.budget {
                Some(budget) => json!({
                    "kind": "ratio", "ttl_s": budget.ttl_s * self.scale, "ratio": budget.ratio,
                    "min_rps": budget.min_per_s / self.scale,
                }),
                None => json!({"kind": "none"}),
            },
        });
        if let Some(timeout) = retry.per_try_timeout_s {
            call["timeout_ms"] = json!(self.ms(timeout));
        }
        call
    }

    fn workload(&self, class: &ClassModel, target: &str) -> Value {
        let arrivals = &class.arrivals;
        let ms = |value: Option<f64>| value.unwrap_or(0.0) * self.scale;
        let process = match arrivals.process.as_str() {
            "constant" if arrivals.gap_ms.is_some() => json!({"process": "paced", "gap_ms": ms(arrivals.gap_ms)}),
            "closed_loop" => {
                let think = arrivals.think_time.as_ref().map(|think| self.dist(think));
                json!({"process": "closed_loop", "clients": arrivals.clients, "think": think})
            }
            "closed_loop_paced" => {
                json!({"process": "closed_loop_paced", "clients": arrivals.clients, "gap_ms": ms(arrivals.gap_ms)})
            }
            other => json!({"process": other, "rate_rps": arrivals.rate_per_s.map(|rate| rate / self.scale)}),
        };
        let (keys, popularity) = match &self.model.catalog {
            Some(catalog) => (catalog.objects, self.dist(&catalog.popularity)),
            None => (1, json!({"dist": "uniform"})),
        };
        let route = node_id(&class.id);
        json!({
            "client": "clients", "target": target, "arrivals": process, "priority": class.priority,
            "routes": {route: {"weight": 1, "op": "read"}}, "keys": keys, "popularity": popularity, "users": 1,
            "from_s": ms(arrivals.first_at_ms) / 1e3,
            "to_s": arrivals.until_ms.map(|until| until / 1e3 * self.scale),
            "requests": arrivals.count.map(Some).unwrap_or_else(|| self.of_closed_loop(arrivals)),
        })
    }

    /// How many requests a closed loop sends: more than are looked at, so that the last of these meet the same load as the others.
    fn of_closed_loop(&self, arrivals: &ArrivalsModel) -> Option<u64> {
        let clients = u64::from(arrivals.clients?);
        self.run.requests.map(|requests| requests + 10 * clients)
    }

    fn cache(&self, cache: &CacheModel) -> Value {
        json!({
            "kind": "cache", "capacity": cache.capacity, "ttl_s": cache.ttl_s.map(|ttl| ttl * self.scale),
            "eviction": cache.eviction.as_deref().unwrap_or("lru"),
            "refresh_on_read": cache.refresh_on_read, "single_flight": cache.single_flight,
            "stale_while_revalidate_s": cache.stale_while_revalidate_s * self.scale,
            "early_expiration": cache.early_expiration.as_ref().map(|early| {
                json!({"beta": early.beta, "delta_ms": self.ms(early.delta_s)})
            }),
        })
    }

    fn limiter(&self, limiter: &Value) -> Value {
        let field = |name: &str| limiter.get(name).and_then(Value::as_f64);
        let window_s = field("window_s").or(field("window_ms").map(|ms| ms / 1e3));
        let rate = field("rate_per_s").or(field("refill_per_s"));
        json!({
            "algorithm": limiter.get("algorithm"),
            "rate_rps": rate.map(|rate| rate / self.scale),
            "burst": limiter.get("burst").or(limiter.get("capacity")),
            "limit": limiter.get("limit"),
            "window_s": window_s.map(|window| window * self.scale),
            "count_rejected": limiter.get("count_rejected").and_then(Value::as_bool).unwrap_or(false),
        })
    }
}
