//! Random scenario documents, all of them valid: one for each number, the same natively and in the browser.
//!
//! Small systems with everything the language has, mixed as nobody would: what holds for every document must hold for these.
//! Traffic lasts a few seconds; most documents then leave two minutes without traffic or faults, so that the system drains.

use sandbox_core::rng::{Purpose, Stream, name_hash};
use serde_json::{Map, Value, json};

/// The document of this number.
pub fn document(number: u64) -> Value {
    let luck = Stream::new(number, name_hash("generated"), Purpose::Program);
    Author {
        luck,
        used: Vec::new(),
        nodes: Map::new(),
        nested: 0,
        branched: false,
        keyed: false,
        limited: false,
        replica: false,
        locks_tables: false,
        writes: false,
        drains: false,
    }
    .document(number)
}

/// Writes a document from the outside in: a part is described only once somebody has called it.
struct Author {
    luck: Stream,
    /// What the service that is being written calls.
    used: Vec<&'static str>,
    nodes: Map<String, Value>,
    nested: u32,
    /// Whether the steps that are being written run beside others.
    branched: bool,
    /// Whether they are done under an idempotency key.
    keyed: bool,
    /// Whether they ask the service's limiter.
    limited: bool,
    /// Whether the database has a replica.
    replica: bool,
    /// Whether somebody locks a whole table of the database.
    locks_tables: bool,
    /// Whether the steps of the service that is being written have a language model write.
    writes: bool,
    /// Whether the run goes on for long after the traffic.
    drains: bool,
}

/// Services in the order in which they may call each other, each with its routes.
const SERVICES: [(&str, &[&str]); 4] =
    [("api", &["list", "save"]), ("worker", &["job"]), ("catalog", &["find"]), ("billing", &["charge"])];

const TABLE_LOCKS: [&str; 8] = [
    "access_share",
    "row_share",
    "row_exclusive",
    "share_update_exclusive",
    "share",
    "share_row_exclusive",
    "exclusive",
    "access_exclusive",
];

impl Author {
    fn document(mut self, number: u64) -> Value {
        let traffic_s = self.below(2) + 2;
        self.drains = self.chance(0.7);
        let duration_s = traffic_s + if self.drains { 120 } else { 0 };
        let behind_gateway = self.chance(0.6);
        self.replica = self.chance(0.5);
        for (level, (name, _)) in SERVICES.iter().enumerate() {
            if level == 0 || self.is_called(name) || (level == 1 && self.is_called("jobs")) {
                self.service(level);
            }
        }
        for part in ["rows", "copies", "sql", "jobs"] {
            if self.is_called(part) {
                let node = self.part(part);
                self.nodes.insert(part.into(), node);
            }
        }
        let entrance = if behind_gateway { "edge" } else { "api" };
        if behind_gateway {
            let gateway = self.gateway();
            self.nodes.insert("edge".into(), gateway);
        }
        let mut calls = Map::new();
        calls.insert(entrance.into(), self.call_over_connections());
        self.nodes.insert("users".into(), json!({ "kind": "client", "calls": calls }));
        let mut workloads = Map::new();
        for name in ["morning", "noon"].into_iter().take(1 + self.below(2) as usize) {
            workloads.insert(name.into(), self.workload(entrance, traffic_s));
        }
        let mut links = Map::new();
        let mut link = json!({ "from": "users", "to": entrance, "delay_ms": self.below(5) });
        self.perhaps(&mut link, "jitter", 0.2, Author::dist);
        self.perhaps(&mut link, "loss", 0.2, |_| json!({ "ratio": 0.1, "rto_ms": 20 }));
        self.perhaps(&mut link, "bandwidth", 0.2, |author| {
            json!({ "mbps": 10, "request_kb": 1, "response_kb": author.below(20), "shared": author.chance(0.5) })
        });
        self.perhaps(
            &mut link,
            "drops",
            0.2,
            |author| json!({ "after": { "dist": "exponential", "mean_ms": 20 + author.below(200) } }),
        );
        links.insert("in".into(), link);
        let mut document = json!({
            "format_version": 1, "id": format!("generated-{number}"), "title": "Generated", "seed": number,
            "duration_s": duration_s, "links": links, "workloads": workloads,
        });
        document["faults"] = self.faults(traffic_s);
        document["rollouts"] = self.rollouts(traffic_s);
        document["monitors"] = self.monitors(entrance);
        document["nodes"] = self.nodes.into();
        document
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.luck.below(bound)
    }

    fn chance(&mut self, share: f64) -> bool {
        self.luck.uniform() < share
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// Adds a field, sometimes.
    fn perhaps(&mut self, object: &mut Value, field: &str, share: f64, value: impl FnOnce(&mut Author) -> Value) {
        if self.chance(share) {
            object[field] = value(self);
        }
    }

    fn is_called(&self, part: &str) -> bool {
        self.nodes.values().any(|node| node["calls"].get(part).is_some())
    }

    fn uses(&mut self, part: &'static str) -> &'static str {
        if !self.used.contains(&part) {
            self.used.push(part);
        }
        part
    }

    /// A time of a few milliseconds.
    fn dist(&mut self) -> Value {
        let ms = f64::from(1 + self.below(40)) / 4.0;
        match self.below(12) {
            0 => json!({ "dist": "constant", "value_ms": 0 }),
            1 | 2 => json!({ "dist": "constant", "value_ms": ms }),
            3 => json!({ "dist": "uniform", "min_ms": ms / 2.0, "max_ms": ms }),
            4 => json!({ "dist": "empirical", "quantiles_ms": [0, ms / 2.0, ms, ms * 3.0] }),
            5 => json!({ "dist": "lognormal", "mean_ms": ms, "cv2": 2 }),
            6 => json!({ "dist": "hyperexponential",
                "branches": [{ "p": 0.75, "mean_ms": ms / 2.0 }, { "p": 0.25, "mean_ms": ms * 2.0 }] }),
            7 => json!({ "dist": "bounded_pareto", "alpha": 1.5, "min_ms": ms / 4.0, "max_ms": ms * 10.0 }),
            8 => json!({ "dist": "erlang", "k": 3, "mean_ms": ms }),
            9 => json!({ "dist": "discrete", "points": [{ "p": 0.5, "value_ms": 0 }, { "p": 0.5, "value_ms": ms }] }),
            10 => json!({ "dist": "abs_normal", "mean_ms": ms, "sd_ms": ms / 2.0 }),
            _ => json!({ "dist": "exponential", "mean_ms": ms }),
        }
    }

    fn arrivals(&mut self) -> Value {
        let rate = 10 + self.below(60);
        match self.below(9) {
            0 => json!({ "process": "constant", "rate_rps": rate }),
            1 => json!({ "process": "paced", "gap_ms": 10 + self.below(50) }),
            2 => json!({ "process": "bursts", "size": 1 + self.below(20), "every_s": 0.5 }),
            3 => json!({ "process": "ramp",
                "points": [{ "at_s": 0, "rate_rps": 5 }, { "at_s": 1, "rate_rps": rate }, { "at_s": 1, "rate_rps": 0 },
                    { "at_s": 3, "rate_rps": rate }] }),
            4 => json!({ "process": "on_off", "rate_rps": rate * 2, "on_s": 0.25, "off_s": 0.25 }),
            5 => json!({ "process": "recorded", "at_ms": [0, 0, 1, 50, 50.5, 700, 1200, 1200, 1900] }),
            6 => json!({ "process": "closed_loop", "clients": 1 + self.below(8),
                "think": { "dist": "exponential", "mean_ms": 50 + self.below(200) } }),
            7 => {
                json!({ "process": "closed_loop_paced", "clients": 1 + self.below(8), "gap_ms": 50 + self.below(200) })
            }
            _ => json!({ "process": "poisson", "rate_rps": rate }),
        }
    }

    fn workload(&mut self, entrance: &str, traffic_s: u32) -> Value {
        let mut workload = json!({
            "client": "users", "target": entrance, "arrivals": self.arrivals(), "to_s": traffic_s,
            "routes": { "list": { "weight": 3, "op": "read" }, "save": { "weight": 1, "op": "write" } },
            "keys": 40, "users": 1 + self.below(5), "priority": 1 + self.below(4),
        });
        self.perhaps(&mut workload, "requests", 0.2, |author| (5 + author.below(100)).into());
        self.perhaps(&mut workload, "from_s", 0.3, |_| 0.5.into());
        self.perhaps(&mut workload, "spoofed_forwarded_for", 0.2, |_| true.into());
        self.perhaps(&mut workload, "token_lifetime_s", 0.3, |_| 1.into());
        if self.nodes.get("edge").is_some_and(|edge| edge.get("auth").is_some()) {
            let forgeries = ["alg_none", "public_key_as_secret", "expired", "wrong_audience"];
            self.perhaps(&mut workload, "forged", 0.2, |author| author.one_of(&forgeries).into());
        }
        self.perhaps(&mut workload, "popularity", 0.6, |author| match author.below(2) {
            0 => json!({ "dist": "zipf", "alpha": 1.1 }),
            _ => json!({ "dist": "hot", "share": 0.6 }),
        });
        workload
    }

    fn gateway(&mut self) -> Value {
        let mut gateway =
            json!({ "kind": "gateway", "upstream": "api", "calls": { "api": self.call_over_connections() } });
        self.perhaps(&mut gateway, "work", 0.5, Author::dist);
        self.perhaps(&mut gateway, "auth", 0.5, |author| {
            let mut auth = json!({ "leeway_s": 0, "work": author.dist() });
            author.perhaps(&mut auth, "trusts_header", 0.3, |_| true.into());
            author.perhaps(&mut auth, "ignores_claims", 0.3, |_| true.into());
            auth
        });
        self.perhaps(&mut gateway, "rate_limit", 0.7, Author::rate_limit);
        gateway
    }

    fn rate_limit(&mut self) -> Value {
        let kinds = [
            "token_bucket",
            "gcra",
            "leaky_queue",
            "fixed_window",
            "fixed_window_anchored",
            "sliding_log",
            "sliding_counter",
        ];
        let keys = ["all", "user", "workload", "route", "peer", "forwarded_for", "client_address"];
        let key = self.one_of(&keys);
        let trusted = if key == "client_address" { json!(["10.0.0.0/8"]) } else { json!([]) };
        let mut limit = json!({ "algorithm": self.one_of(&kinds), "trusted_proxies": trusted, "key": key,
            "rate_rps": 5 + self.below(60), "burst": 1 + self.below(10), "limit": 1 + self.below(20), "window_s": 0.5,
            "count_rejected": self.chance(0.5) });
        self.perhaps(&mut limit, "penalty", 0.3, |author| json!({ "for_s": 0.3, "extends": author.chance(0.5) }));
        limit
    }

    /// How somebody calls somebody. There is always a timeout or a deadline: nobody waits for ever.
    fn call(&mut self) -> Value {
        let mut call = json!({ "timeout_ms": 20 + self.below(400) });
        self.perhaps(&mut call, "deadline_ms", 0.3, |author| (30 + author.below(800)).into());
        self.perhaps(&mut call, "propagate_deadline", 0.4, |author| author.chance(0.7).into());
        self.perhaps(&mut call, "cancel", 0.6, |author| author.one_of(&["none", "at_dequeue", "anywhere"]).into());
        self.perhaps(&mut call, "breaker", 0.3, |author| {
            let mut breaker = json!({ "sliding_window_size": 10, "minimum_number_of_calls": 2 + author.below(6),
                "failure_rate_percent": 50, "wait_in_open_s": 0.3, "permitted_calls_in_half_open": 2 });
            author.perhaps(&mut breaker, "sliding_window_s", 0.3, |_| 1.into());
            author.perhaps(&mut breaker, "slow_call_ms", 0.3, |author| (5 + author.below(50)).into());
            breaker
        });
        self.perhaps(&mut call, "outlier_detection", 0.25, |author| {
            json!({ "consecutive_5xx": 1 + author.below(4), "base_ejection_s": 0.3, "interval_s": 0.1,
                "max_ejection_percent": 10 + author.below(90) })
        });
        self.perhaps(&mut call, "slow_start_s", 0.2, |_| 0.5.into());
        self.perhaps(
            &mut call,
            "sticky",
            0.2,
            |author| json!({ "for_s": author.one_of(&[0.3, 2.0]), "jitter": 0.2, "blindly": author.chance(0.5) }),
        );
        self.perhaps(&mut call, "throttle", 0.2, |_| json!({ "k": 1.5, "window_s": 2 }));
        self.perhaps(&mut call, "health_check", 0.2, |_| json!({ "interval_s": 1, "timeout_ms": 100 }));
        self.perhaps(&mut call, "balancer", 0.6, |author| match author.below(7) {
            0 => json!({ "policy": "round_robin" }),
            6 => json!({ "policy": "modulo" }),
            4 => json!({ "policy": "peak_ewma", "decay_s": 1, "initial_ms": author.below(50) }),
            5 => json!({ "policy": "ring_hash", "vnodes": 1 + author.below(200) }),
            1 => json!({ "policy": author.one_of(&["random", "first"]) }),
            2 => json!({ "policy": "least_request", "choices": null }),
            _ => json!({ "policy": "least_request", "choices": 2, "with_replacement": false }),
        });
        match self.below(3) {
            0 => call["retry"] = self.retry(),
            1 => {
                call["hedging"] = json!({ "max_attempts": 1 + self.below(3), "delay_ms": self.below(30),
                    "distinct_target": self.chance(0.5), "cancel": self.one_of(&["none", "at_dequeue", "anywhere"]) });
            }
            _ => {}
        }
        call
    }

    /// A call of a gateway or a service, which may go over connections.
    fn call_over_connections(&mut self) -> Value {
        let mut call = self.call();
        self.perhaps(&mut call, "connections", 0.4, Author::connections);
        call
    }

    fn connections(&mut self) -> Value {
        let mut connections = json!({});
        self.perhaps(&mut connections, "handshake", 0.7, |author| {
            let mut handshake = json!({ "round_trips": author.below(4) });
            author.perhaps(&mut handshake, "caller", 0.5, Author::dist);
            author.perhaps(&mut handshake, "callee", 0.5, Author::dist);
            handshake
        });
        self.perhaps(&mut connections, "ports", 0.3, |author| (5 + author.below(40)).into());
        self.perhaps(&mut connections, "time_wait_s", 0.5, |author| author.one_of(&[0.0, 0.2, 1.0]).into());
        if self.chance(0.2) {
            connections["max_idle"] = 0.into();
            return connections;
        }
        self.perhaps(&mut connections, "max_idle", 0.5, |author| (1 + author.below(5)).into());
        self.perhaps(&mut connections, "idle_timeout_s", 0.5, |author| author.one_of(&[0.02, 0.1]).into());
        if self.chance(0.5) {
            connections["keep_alive_timeout_s"] = self.one_of(&[0.01, 0.05]).into();
            self.perhaps(&mut connections, "notice_ms", 0.6, |author| author.below(20).into());
        }
        if self.chance(0.3) {
            connections["max_age_s"] = json!(0.3);
            self.perhaps(&mut connections, "age_jitter", 0.6, |_| json!(0.5));
        }
        connections
    }

    fn retry(&mut self) -> Value {
        let mut retry =
            json!({ "max_attempts": 1 + self.below(4), "base_delay_ms": self.below(50), "max_delay_ms": 400 });
        let jitters = ["none", "full", "equal", "decorrelated", "proportional"];
        self.perhaps(&mut retry, "jitter", 0.8, |author| author.one_of(&jitters).into());
        self.perhaps(&mut retry, "multiplier", 0.3, |_| 1.5.into());
        self.perhaps(&mut retry, "pause", 0.2, Author::dist);
        self.perhaps(&mut retry, "other_instance", 0.3, |_| true.into());
        self.perhaps(&mut retry, "honor_retry_after", 0.2, |_| false.into());
        let causes = ["timeout", "unavailable", "error", "rate_limited", "conflict"];
        self.perhaps(&mut retry, "retry_on", 0.4, |_| json!(causes));
        self.perhaps(&mut retry, "budget", 0.7, |author| match author.below(6) {
            0 => json!({ "kind": "none" }),
            1 => json!({ "kind": "ratio", "ttl_s": 2, "min_rps": 1, "ratio": 0.1 }),
            2 => json!({ "kind": "tokens", "per_request": 0.2, "per_retry": 1, "cap": 10 }),
            3 => json!({ "kind": "throttle", "max_tokens": 10, "token_ratio": 0.1 }),
            4 => json!({ "kind": "quota", "capacity": 50, "retry_cost": 5, "timeout_retry_cost": 10,
                "no_retry_increment": 1 }),
            _ => json!({ "kind": "concurrent", "percent": 20, "min": 2 }),
        });
        retry
    }

    fn service(&mut self, level: usize) {
        let (name, routes) = SERVICES[level];
        self.used.clear();
        let mut programs = Map::new();
        for route in routes {
            let mut program = vec![json!({ "set": { "x": "arg" } })];
            program.extend(self.steps(level));
            programs.insert(route.to_string(), program.into());
        }
        let mut calls = Map::new();
        for part in std::mem::take(&mut self.used) {
            let mut call =
                if matches!(part, "catalog" | "billing") { self.call_over_connections() } else { self.call() };
            if part == "sql" {
                call.as_object_mut().expect("a call is an object").remove("hedging");
            }
            calls.insert(part.into(), call);
        }
        let writes = std::mem::take(&mut self.writes);
        let disciplines: &[&str] = match writes {
            true => &["fifo", "lifo", "priority", "adaptive_lifo"],
            false => &["fifo", "lifo", "lifo_preemptive", "priority", "processor_sharing", "adaptive_lifo"],
        };
        let discipline = self.one_of(disciplines);
        let shares = matches!(discipline, "processor_sharing" | "lifo_preemptive");
        let holds: &[&str] = if writes { &["call"] } else { &["call", "work"] };
        let hold = if shares { "work" } else { self.one_of(holds) };
        let mut service = json!({ "kind": "service", "replicas": 1 + self.below(3), "discipline": discipline,
            "hold": hold, "routes": programs, "calls": calls });
        if discipline == "adaptive_lifo" {
            service["lifo_above"] = self.below(5).into();
        }
        if discipline != "processor_sharing" {
            self.perhaps(&mut service, "admission", 0.25, Author::admission);
        }
        match writes {
            true => service["continuous_batching"] = self.continuous_batching(),
            false => self.perhaps(&mut service, "workers", 0.85, |author| (1 + author.below(4)).into()),
        }
        self.perhaps(&mut service, "max_waiting", 0.4, |author| author.below(10).into());
        self.perhaps(
            &mut service,
            "patience",
            0.3,
            |author| json!({ "dist": "exponential", "mean_ms": 20 + author.below(200) }),
        );
        self.perhaps(&mut service, "retry_after_s", 0.2, |author| author.one_of(&[0.0, 0.05, 0.4]).into());
        self.perhaps(&mut service, "drop_expired", 0.3, |_| true.into());
        if writes {
            // Before a model stands a line of its own.
            let service = service.as_object_mut().expect("a node is an object");
            service
                .retain(|name, _| !matches!(name.as_str(), "max_waiting" | "patience" | "drop_expired" | "lifo_above"));
            service["discipline"] = "fifo".into();
        }
        if !shares && !writes {
            self.perhaps(
                &mut service,
                "cpu_limit",
                0.25,
                |author| json!({ "quota_ms": 1 + author.below(20), "period_ms": 10 + author.below(20) }),
            );
        }
        self.perhaps(&mut service, "static_batch", if writes { 0.0 } else { 0.15 }, |_| true.into());
        if service.get("static_batch").is_some() && service.get("workers").is_some() {
            self.perhaps(
                &mut service,
                "batching",
                0.6,
                |author| json!({ "window_ms": author.below(10), "per_call_ms": author.below(3) }),
            );
        }
        self.perhaps(&mut service, "chance", 0.2, |_| {
            json!({ "up": { "dist": "exponential", "mean_ms": 900 }, "down": { "dist": "constant", "value_ms": 200 } })
        });
        self.perhaps(&mut service, "life", 0.35, Author::life);
        if service.get("life").is_some() {
            self.perhaps(&mut service["life"], "liveness", 0.4, |author| {
                let mut liveness = json!({ "interval_s": 0.2, "timeout_ms": 5 + author.below(100),
                    "failure_threshold": 1 + author.below(3) });
                // Probes go on when the traffic is over: then nobody may be left.
                if !author.drains {
                    author.perhaps(&mut liveness, "route", 0.8, |author| author.one_of(routes).into());
                }
                liveness
            });
        }
        if service.get("workers").is_some() {
            self.perhaps(&mut service, "scaling", 0.2, Author::scaling);
            let replicas = service["replicas"].as_u64().expect("a number of replicas");
            if let Some(scaling) = service.get_mut("scaling") {
                scaling["initial"] = replicas.min(scaling["initial"].as_u64().expect("a number")).into();
            }
        }
        self.perhaps(&mut service, "bulkheads", 0.3, |author| {
            json!({ "first": { "routes": [routes[0]], "max_concurrent": 1 + author.below(3),
                "max_waiting": author.below(4), "status": author.one_of(&[429, 503]) } })
        });
        if std::mem::take(&mut self.limited) {
            let mut limit = self.rate_limit();
            self.perhaps(&mut limit, "per_instance", 0.5, |author| author.chance(0.5).into());
            service["limiters"] = json!({ "quota": limit });
        }
        self.nodes.insert(name.into(), service);
    }

    fn continuous_batching(&mut self) -> Value {
        let mut batching = json!({ "kv_tokens": 30 + self.below(60), "iteration_ms": 1 + self.below(8) });
        self.perhaps(&mut batching, "max_sequences", 0.6, |author| (1 + author.below(6)).into());
        self.perhaps(&mut batching, "per_sequence_ms", 0.5, |_| 0.25.into());
        self.perhaps(&mut batching, "per_prefill_token_ms", 0.5, |_| 0.1.into());
        batching
    }

    fn life(&mut self) -> Value {
        let mut life = json!({ "start_s": self.one_of(&[0.0, 0.1, 0.4]) });
        self.perhaps(&mut life, "warm_up", 0.4, |_| json!({ "for_s": 0.5, "speed": 0.5 }));
        self.perhaps(&mut life, "readiness", 0.3, |_| false.into());
        self.perhaps(&mut life, "listing_delay_s", 0.4, |_| 0.2.into());
        self.perhaps(&mut life, "stop_delay_s", 0.4, |_| 0.1.into());
        self.perhaps(&mut life, "stop_grace_s", 0.5, |_| 0.05.into());
        self.perhaps(&mut life, "restart", 0.2, |_| false.into());
        self.perhaps(&mut life, "idle_stop_s", 0.2, |_| 0.3.into());
        self.perhaps(&mut life, "memory", 0.4, |author| {
            let mut memory = json!({ "limit_mb": 10, "base_mb": 1, "per_call_mb": 1, "leak_per_call_mb": 0.1 });
            author.perhaps(&mut memory, "recycle_mb", 0.5, |_| 7.into());
            memory
        });
        life
    }

    fn scaling(&mut self) -> Value {
        let mut scaling = json!({ "initial": 1 + self.below(3) });
        match self.below(2) {
            0 => scaling["schedule"] = json!([{ "at_s": 0.5, "instances": 1 }, { "at_s": 1.5, "instances": 0 }]),
            _ => {
                scaling["autoscaler"] = json!({ "of": self.one_of(&["workers", "cpu"]), "target": 0.5, "interval_s": 1,
                    "metric_delay_s": self.below(2), "stabilization_s": self.below(3) });
            }
        }
        scaling
    }

    fn rollouts(&mut self, traffic_s: u32) -> Value {
        let is_service = |name: &&(&str, &[&str])| self.nodes.contains_key(name.0);
        let services: Vec<&str> = SERVICES.iter().filter(is_service).map(|(name, _)| *name).collect();
        let mut rollouts = Map::new();
        for id in ["blue", "green"].into_iter().take(self.below(3) as usize) {
            let node = self.one_of(&services);
            let replicas = self.nodes[node]["replicas"].as_u64().expect("a number of replicas");
            let from_s = f64::from(self.below(traffic_s * 4)) / 4.0;
            let mut rollout = json!({ "node": node, "from_s": from_s, "batch": 1 + self.below(2) });
            match self.below(3) {
                0 => rollout["surge"] = true.into(),
                1 => rollout["restart"] = false.into(),
                _ => {}
            }
            self.perhaps(&mut rollout, "every_s", 0.4, |_| 0.3.into());
            self.perhaps(&mut rollout, "effect", 0.5, |author| match author.below(3) {
                0 => json!({ "kind": "errors", "ratio": 0.5 }),
                1 => json!({ "kind": "crash" }),
                _ => json!({ "kind": "slow", "factor": 2 }),
            });
            self.perhaps(&mut rollout, "undo_s", 0.4, |_| (from_s + 0.7).into());
            if replicas > 1 {
                self.perhaps(&mut rollout, "canary", 0.4, |_| json!({ "every_s": 1, "for_s": 1 }));
            }
            rollouts.insert(id.into(), rollout);
        }
        rollouts.into()
    }

    fn admission(&mut self) -> Value {
        let (min, initial) = (1 + self.below(4), 5 + self.below(20));
        match self.below(7) {
            5 => {
                json!({ "algorithm": "priority_shedding", "critical_plus": initial, "critical": min.max(initial - min),
                "sheddable_plus": min, "sheddable": self.below(2) })
            }
            0 => json!({ "algorithm": "max_in_flight", "limit": 1 + self.below(12) }),
            1 => json!({ "algorithm": "codel", "target_ms": self.below(10), "interval_ms": 20 + self.below(100) }),
            2 => {
                json!({ "algorithm": "codel_folly", "target_ms": self.below(10), "interval_ms": 20 + self.below(100) })
            }
            3 => {
                json!({ "algorithm": "aimd", "min": min, "initial": initial, "max": 50, "timeout_ms": 5 + self.below(80) })
            }
            4 => json!({ "algorithm": "vegas", "initial": initial, "max": 50 }),
            _ => json!({ "algorithm": "gradient2", "min": min, "initial": initial, "max": 50, "long_window": 20 }),
        }
    }

    fn part(&mut self, part: &str) -> Value {
        let (read, write) = (self.dist(), self.dist());
        match part {
            "rows" => {
                json!({ "kind": "store", "readers": 1 + self.below(3), "rows": 50, "read": read, "write": write })
            }
            "copies" => {
                let mut cache = json!({ "kind": "cache", "ttl_s": 0.2, "single_flight": self.chance(0.5),
                    "eviction": self.one_of(&["lru", "fifo", "random", "lfu"]) });
                self.perhaps(&mut cache, "ttl_s", 0.2, |_| Value::Null);
                self.perhaps(&mut cache, "capacity", 0.5, |author| (1 + author.below(30)).into());
                self.perhaps(&mut cache, "ttl_jitter", 0.3, |_| 0.3.into());
                self.perhaps(&mut cache, "refresh_on_read", 0.2, |_| true.into());
                self.perhaps(&mut cache, "stale_while_revalidate_s", 0.4, |_| 0.3.into());
                self.perhaps(&mut cache, "stale_if_error_s", 0.4, |_| 2.into());
                self.perhaps(&mut cache, "early_expiration", 0.3, |_| json!({ "beta": 1.5 }));
                self.perhaps(&mut cache, "failure_ttl_s", 0.3, |author| author.one_of(&[0.05, 1.0]).into());
                self.perhaps(&mut cache, "leases", 0.3, |_| true.into());
                self.perhaps(&mut cache, "local", 0.3, |_| true.into());
                self.perhaps(&mut cache, "durable", 0.3, |_| false.into());
                cache
            }
            "sql" => {
                let engines: &[&str] =
                    if self.locks_tables { &["server"] } else { &["sqlite_wal", "sqlite_delete", "server"] };
                let mut database = json!({ "kind": "database", "read": read, "write": write,
                    "engine": self.one_of(engines),
                    "busy": self.one_of(&["poll", "fifo"]), "busy_timeout_ms": self.below(60),
                    "tables": { "items": { "rows": 20, "columns": { "stock": 10, "sold": 0 } },
                        "orders": { "columns": { "item": 0 } } } });
                self.perhaps(&mut database, "connections", 0.6, |author| (1 + author.below(5)).into());
                self.perhaps(&mut database, "commit", 0.5, Author::dist);
                self.perhaps(&mut database, "scan_row_us", 0.5, |_| 10.into());
                self.perhaps(&mut database, "auto_checkpoint_pages", 0.3, |author| author.below(20).into());
                self.perhaps(&mut database, "deadlock_timeout_ms", 0.5, |author| (1 + author.below(40)).into());
                if self.locks_tables {
                    self.perhaps(&mut database, "lock_timeout_ms", 0.3, |author| (5 + author.below(40)).into());
                }
                if self.chance(0.3) {
                    (database["cores"], database["contention"]) = (json!(1 + self.below(3)), json!(0.1));
                }
                if self.replica {
                    database["replica"] = match self.below(3) {
                        0 => json!({ "delay_ms": 20, "every_s": 0.1 }),
                        1 => json!({ "delay_ms": self.below(5), "semi_sync": true }),
                        _ => json!({ "delay_ms": 3, "apply_rps": 200 }),
                    };
                }
                database
            }
            _ => {
                let mut queue = json!({ "kind": "queue", "consumer": "worker", "route": "job",
                    "visibility_timeout_s": 0.3, "max_receive_count": 1 + self.below(3) });
                self.perhaps(&mut queue, "consumers", 0.7, |author| (1 + author.below(4)).into());
                self.perhaps(&mut queue, "max_waiting", 0.4, |author| (1 + author.below(10)).into());
                self.perhaps(&mut queue, "on_full", 0.4, |author| {
                    author.one_of(&["reject", "block", "drop_oldest", "drop_newest"]).into()
                });
                self.perhaps(&mut queue, "order", 0.3, |author| {
                    author.one_of(&["oldest_first", "newest_first"]).into()
                });
                self.perhaps(&mut queue, "partitions", 0.3, |author| (1 + author.below(4)).into());
                self.perhaps(&mut queue, "heartbeat_s", 0.3, |_| json!(0.1));
                self.perhaps(&mut queue, "redelivery", 0.3, |author| {
                    json!({ "base_delay_ms": 5, "max_delay_ms": 40, "jitter": author.one_of(&["none", "full", "decorrelated"]) })
                });
                self.perhaps(&mut queue, "durable", 0.3, |_| false.into());
                self.perhaps(&mut queue, "store", 0.3, Author::dist);
                queue
            }
        }
    }

    fn number(&mut self) -> &'static str {
        self.one_of(&[
            "key",
            "user",
            "arg",
            "x",
            "x + 1",
            "value",
            "version",
            "floor(random * 20)",
            "min(key, 5)",
            "request",
            "attempt + priority",
            "max(x, -value) / 2",
            "release",
            "floor(now_s * 10)",
            "status - 200",
            "0",
        ])
    }

    fn condition(&mut self) -> &'static str {
        self.one_of(&[
            "random < 0.5",
            "key < 10",
            "status == 200",
            "value > 3 or x < 2",
            "not (attempt > 1)",
            "version >= 1 and random < 0.9",
            "x != 0",
            "now_s > 1",
            "true",
        ])
    }

    fn steps(&mut self, level: usize) -> Vec<Value> {
        self.nested += 1;
        let count = if self.nested == 1 { 1 + self.below(4) } else { 1 + self.below(2) };
        let steps = (0..count).flat_map(|_| self.step(level)).collect();
        self.nested -= 1;
        steps
    }

    fn step(&mut self, level: usize) -> Vec<Value> {
        let kinds = if self.nested < 3 { 20 } else { 12 };
        let step = match self.below(kinds) {
            0 if self.chance(0.2) => {
                self.writes = true;
                json!({ "generate": { "prompt_tokens": self.number(),
                    "output_tokens": self.one_of(&["1", "3", "1 + floor(random * 12)", "x"]) } })
            }
            0..=2 => json!({ "work": self.dist() }),
            3 if self.chance(0.5) => self.limit(),
            3 => json!({ "wait": self.dist() }),
            4 => json!({ "pause": { "ms": self.one_of(&["random * 5", "attempt", "0", "-1"]) } }),
            5 => json!({ "set": { "x": self.number() } }),
            6 => self.access(),
            7 | 8 => return self.transaction(),
            9 | 10 => self.call_step(level),
            11 => {
                let statuses = [200, 200, 200, 403, 404, 409, 422, 429, 500, 503];
                let mut answer = json!({ "status": self.one_of(&statuses), "value": self.number() });
                self.perhaps(&mut answer, "retry_after_s", 0.2, |author| author.one_of(&["random", "-1"]).into());
                json!({ "respond": answer })
            }
            12 | 13 => {
                json!({ "if": { "when": self.condition(), "then": self.steps(level), "else": self.steps(level) } })
            }
            14 | 15 => {
                let mut repeat = json!({ "times": 1 + self.below(3), "do": self.steps(level) });
                self.perhaps(&mut repeat, "while", 0.4, |author| author.condition().into());
                json!({ "repeat": repeat })
            }
            16 => self.all(level),
            17 if self.chance(0.3) => json!({ "invalidate": { "cache": self.uses("copies") } }),
            17 => json!({ "cached": { "cache": self.uses("copies"), "load": self.steps(level) } }),
            18 if !self.keyed => self.idempotent(level),
            _ => json!({ "try": { "do": self.steps(level), "on_failure": self.steps(level) } }),
        };
        vec![step]
    }

    fn limit(&mut self) -> Value {
        self.limited = true;
        let mut limit = json!({ "limiter": "quota" });
        self.perhaps(&mut limit, "by", 0.5, |author| author.number().into());
        self.perhaps(&mut limit, "cost", 0.5, |author| author.number().into());
        json!({ "limit": limit })
    }

    fn idempotent(&mut self, level: usize) -> Value {
        self.keyed = true;
        let mut idempotent = json!({ "do": self.steps(level) });
        self.keyed = false;
        self.perhaps(&mut idempotent, "key", 0.6, |author| author.number().into());
        self.perhaps(&mut idempotent, "when", 0.3, |author| author.condition().into());
        self.perhaps(&mut idempotent, "required", 0.4, |author| author.chance(0.5).into());
        self.perhaps(&mut idempotent, "lifetime_s", 0.5, |author| author.one_of(&[0.05, 0.5]).into());
        self.perhaps(&mut idempotent, "waits", 0.4, |_| true.into());
        self.perhaps(&mut idempotent, "keep", 0.5, |author| author.one_of(&["all", "successes"]).into());
        json!({ "idempotent": idempotent })
    }

    fn all(&mut self, level: usize) -> Value {
        let outer = (std::mem::replace(&mut self.branched, true), std::mem::take(&mut self.keyed));
        let (first, second) = (self.steps(level), self.steps(level));
        (self.branched, self.keyed) = outer;
        let mut all = json!({ "branches": [first, second], "copies": 1 + self.below(2) });
        self.perhaps(&mut all, "needed", 0.5, |author| (1 + author.below(2)).into());
        json!({ "all": all })
    }

    fn access(&mut self) -> Value {
        let mut access = json!({ "store": self.uses("rows") });
        self.perhaps(&mut access, "cache", 0.5, |author| author.uses("copies").into());
        if self.chance(0.6) {
            return json!({ "read": access });
        }
        self.perhaps(&mut access, "if_match", 0.6, |author| author.one_of(&["version", "version", "arg", "0"]).into());
        self.perhaps(&mut access, "if_match_required", 0.3, |author| author.chance(0.5).into());
        json!({ "write": access })
    }

    /// A call of a service further in, or a message; work where there is none.
    fn call_step(&mut self, level: usize) -> Value {
        if level == 0 && self.chance(0.4) {
            return json!({ "publish": { "to": self.uses("jobs"), "route": "job" } });
        }
        // Only a queue delivers to the worker.
        let further: Vec<_> = SERVICES.iter().skip(level.max(1) + 1).collect();
        if further.is_empty() {
            return json!({ "work": self.dist() });
        }
        let (to, routes) = *self.one_of(&further);
        let mut call = json!({ "to": self.uses(to), "route": routes[0] });
        self.perhaps(&mut call, "key", 0.4, |author| author.one_of(&["key", "floor(random * 40)", "x"]).into());
        self.perhaps(&mut call, "arg", 0.4, |author| author.number().into());
        json!({ "call": call })
    }

    /// A transaction, or a statement alone.
    fn transaction(&mut self) -> Vec<Value> {
        let database = self.uses("sql");
        let mut steps: Vec<Value> = (0..1 + self.below(3)).map(|_| self.statement(database)).collect();
        if self.chance(0.6) && !self.branched {
            let modes = ["plain", "immediate", "exclusive", "repeatable_read", "serializable"];
            let mut begin = json!({ "database": database, "mode": self.one_of(&modes) });
            if self.chance(0.2) {
                self.locks_tables = true;
                self.perhaps(&mut begin, "lock_timeout_ms", 0.5, |author| (1 + author.below(40)).into());
                let place = self.below(steps.len() as u32 + 1) as usize;
                let mode = self.one_of(&TABLE_LOCKS);
                steps.insert(place, json!({ "lock_table": { "database": database, "table": "items", "mode": mode } }));
            }
            steps.insert(0, json!({ "begin": begin }));
            let end = if self.chance(0.8) { "commit" } else { "rollback" };
            steps.push(json!({ end: { "database": database } }));
        }
        steps
    }

    fn statement(&mut self, database: &str) -> Value {
        let key = self.one_of(&["floor(random * 20)", "key", "x", "0", "request"]);
        match self.below(7) {
            0 | 1 => {
                let mut select = json!({ "database": database, "table": "items", "key": key });
                self.perhaps(&mut select, "column", 0.5, |_| "stock".into());
                let for_update = self.chance(0.3);
                match for_update {
                    true => select["for_update"] = true.into(),
                    false => self.perhaps(&mut select, "source", 0.3, Author::source),
                }
                json!({ "select": select })
            }
            2 => {
                let mut scan = json!({ "database": database, "table": "items" });
                self.perhaps(&mut scan, "sum", 0.6, |_| "stock".into());
                self.perhaps(&mut scan, "from", 0.3, |author| author.number().into());
                self.perhaps(&mut scan, "to", 0.3, |author| author.number().into());
                self.perhaps(&mut scan, "where", 0.3, Author::bound);
                self.perhaps(&mut scan, "source", 0.3, Author::source);
                json!({ "scan": scan })
            }
            3 => {
                let mut update = json!({ "database": database, "table": "items", "key": key });
                update["set"] = json!({ "stock": self.number() });
                update["add"] = json!({ "sold": "1" });
                match self.below(5) {
                    0 | 1 => update["if_version"] = "version".into(),
                    2 => update["where"] = self.bound(),
                    _ => {}
                }
                json!({ "update": update })
            }
            4 => json!({ "insert": { "database": database, "table": "orders", "key": key,
                "set": { "item": self.number() } } }),
            5 => json!({ "delete": { "database": database, "table": "orders", "key": key } }),
            _ => {
                let lag = if self.replica { "replica_lag_s" } else { "connections" };
                json!({ "inspect": { "database": database, "what": self.one_of(&["oldest_transaction_s", lag]) } })
            }
        }
    }

    fn bound(&mut self) -> Value {
        json!({ "column": "stock", self.one_of(&["equals", "at_least", "below"]): self.number() })
    }

    /// Where a statement may read.
    fn source(&mut self) -> Value {
        if self.replica { self.one_of(&["primary", "replica", "peek"]).into() } else { "peek".into() }
    }

    fn faults(&mut self, traffic_s: u32) -> Value {
        let names: Vec<String> = self.nodes.keys().filter(|name| *name != "users").cloned().collect();
        let mut faults = Map::new();
        for id in ["first", "second", "third"].into_iter().take(self.below(4) as usize) {
            let node = names[self.below(names.len() as u32) as usize].clone();
            let kinds = match (&self.nodes[&node]["kind"], self.nodes[&node].get("replica")) {
                (kind, _) if kind == "service" => 6,
                (_, Some(_)) => 7,
                _ => 3,
            };
            let effect = match self.below(kinds) {
                3.. if kinds == 7 => json!({ "kind": "fail_over" }),
                0 => json!({ "kind": "down" }),
                1 => json!({ "kind": "slow", "factor": 1 + self.below(8) }),
                2 => json!({ "kind": "errors", "ratio": self.one_of(&[0.2, 1.0]) }),
                3 => json!({ "kind": "freeze" }),
                4 => json!({ "kind": "crash" }),
                _ => json!({ "kind": "hold_starts" }),
            };
            let from_s = f64::from(self.below(traffic_s * 4)) / 4.0;
            faults.insert(id.into(), json!({ "node": node, "effect": effect, "from_s": from_s, "to_s": from_s + 0.6 }));
        }
        if self.chance(0.3) {
            let (caller, node) = match self.nodes.contains_key("edge") {
                true => self.one_of(&[("users", "edge"), ("edge", "api")]),
                false => ("users", "api"),
            };
            let has_connections = self.nodes[caller]["calls"][node].get("connections").is_some();
            let effect = match has_connections && self.chance(0.6) {
                true => json!({ "kind": "half_open", "from": caller }),
                false => json!({ "kind": "partition", "from": caller,
                    "lost": self.one_of(&["both", "requests", "answers"]) }),
            };
            let from_s = f64::from(self.below(traffic_s * 4)) / 4.0;
            faults.insert(
                "cut".into(),
                json!({ "node": node, "effect": effect, "from_s": from_s, "to_s": from_s + 0.6 }),
            );
        }
        faults.into()
    }

    fn monitors(&mut self, entrance: &str) -> Value {
        let mut monitors = Map::new();
        if self.chance(0.4) {
            monitors.insert(
                "front".into(),
                json!({ "target": entrance, "interval_s": 0.5, "timeout_ms": 50,
                "failure_threshold": 2, "success_threshold": 2 }),
            );
        }
        if self.chance(0.4) {
            let long_window_s = 0.5 + f64::from(self.below(8)) / 4.0;
            monitors.insert(
                "budget".into(),
                json!({ "target": self.one_of(&["users", entrance]), "interval_s": 0.25, "burn_rate": {
                    "objective": self.one_of(&[0.0, 0.9, 0.99]), "long_window_s": long_window_s, "short_window_s": 0.5,
                    "rate": self.one_of(&[0.5, 2.0]), "minimum_requests": self.below(20) } }),
            );
        }
        if self.chance(0.4) {
            let side = self.one_of(&["above", "below"]);
            let mut alert = json!({ "of": self.one_of(&["failures", "latency_s"]), "window_s": 0.5, side: 0.02,
                "as": self.one_of(&["mean", "sum", "count", "p50", "p99"]) });
            self.perhaps(&mut alert, "for_s", 0.5, |_| 0.5.into());
            self.perhaps(&mut alert, "keep_firing_s", 0.3, |_| 0.25.into());
            self.perhaps(&mut alert, "clear_at", 0.4, |_| (if side == "above" { 0.005 } else { 0.1 }).into());
            self.perhaps(&mut alert, "minimum", 0.3, |author| author.below(20).into());
            let target = self.one_of(&["users", entrance]);
            let mut monitor = json!({ "target": target, "interval_s": 0.25, "alert": alert });
            self.perhaps(
                &mut monitor,
                "deliver",
                0.6,
                |author| json!({ "to": "api", "route": "save", "call": author.call_without_health_check() }),
            );
            monitors.insert("rule".into(), monitor);
        }
        monitors.into()
    }

    fn call_without_health_check(&mut self) -> Value {
        let mut call = self.call();
        call.as_object_mut().expect("a call is an object").remove("health_check");
        call
    }
}
