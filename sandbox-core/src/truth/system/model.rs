//! A `system` model as it is written, what of it cannot be said together, and its times and names.

use crate::scenario::spec;
use serde_json::{Map, Value, json};

spec! {
    #[derive(Default)]
    pub struct Run {
        pub requests?: Option<u64>,
        pub simulated_s?: Option<f64>,
        pub warmup_share?: f64,
        pub _start as "start"?: Option<String>,
        pub _independent_runs as "independent_runs"?: Option<u64>,
    }
}

spec! {
    pub struct Model {
        pub arrivals?: Option<ArrivalsModel>,
        pub classes?: Vec<ClassModel>,
        pub stations?: Vec<StationModel>,
        pub entry?: Option<String>,
        pub routing?: Option<Map<String, Value>>,
        pub balancer?: Option<BalancerModel>,
        pub fan_out?: Option<FanOutModel>,
        pub hedging?: Option<HedgingModel>,
        pub retry?: Option<RetryModel>,
        pub client_timeout_s?: Option<f64>,
        pub cancel_on_timeout?: Option<bool>,
        pub faults?: Vec<FaultModel>,
        pub limiter?: Option<Value>,
        pub client_throttle?: Option<ThrottleModel>,
        pub catalog?: Option<CatalogModel>,
        pub cache?: Option<CacheModel>,
        pub message_queue?: Option<QueueModel>,
        pub measure?: MeasureModel,
    }
}

spec! {
    pub struct ArrivalsModel {
        pub process: String,
        pub rate_per_s?: Option<f64>,
        pub gap_ms?: Option<f64>,
        pub first_at_ms?: Option<f64>,
        pub until_ms?: Option<f64>,
        pub count?: Option<u64>,
        pub clients?: Option<u32>,
        pub think_time?: Option<Value>,
    }
}

spec! {
    pub struct ClassModel {
        pub id: String,
        pub priority: u8,
        pub arrivals: ArrivalsModel,
        pub service: Value,
    }
}

spec! {
    pub struct StationModel {
        pub id: String,
        pub workers?: Option<u32>,
        pub replicas?: Option<u32>,
        pub service?: Option<Value>,
        pub queue?: Option<QueueingModel>,
        pub failure_probability?: Option<f64>,
        pub failures?: Option<FailuresModel>,
        pub calls?: Option<String>,
        pub retry?: Option<RetryModel>,
    }
}

spec! {
    pub struct QueueingModel {
        pub max_waiting?: Option<u32>,
        pub discipline: String,
        pub _on_full as "on_full"?: Option<String>,
        pub timeout?: Option<Value>,
    }
}

spec! {
    pub struct FailuresModel {
        pub up: Value,
        pub down: Value,
    }
}

spec! {
    pub struct BalancerModel {
        pub algorithm: String,
        pub choices?: Option<u8>,
        pub with_replacement?: Option<bool>,
    }
}

spec! {
    pub struct FanOutModel {
        pub targets: Vec<String>,
        pub copies: u32,
        pub _wait_for as "wait_for": String,
    }
}

spec! {
    pub struct HedgingModel {
        pub max_attempts: u8,
        pub delay_s: f64,
        pub distinct_target: bool,
        pub cancel: String,
    }
}

spec! {
    pub struct RetryModel {
        pub max_attempts?: Option<u8>,
        pub retry_on: Vec<String>,
        pub base_delay_s?: Option<f64>,
        pub max_delay_s?: Option<f64>,
        pub multiplier?: Option<f64>,
        pub jitter?: Option<String>,
        pub jitter_factor?: Option<f64>,
        pub delay?: Option<Value>,
        pub per_try_timeout_s?: Option<f64>,
        pub other_instance?: Option<bool>,
        pub budget?: Option<BudgetModel>,
    }
}

spec! {
    pub struct BudgetModel {
        pub _kind as "kind": String,
        pub ttl_s: f64,
        pub min_per_s: f64,
        pub ratio: f64,
    }
}

spec! {
    pub struct FaultModel {
        pub kind: String,
        pub station: String,
        pub interval_ms: (f64, Option<f64>),
    }
}

spec! {
    pub struct ThrottleModel {
        pub k: f64,
        pub window_s: f64,
    }
}

spec! {
    pub struct CatalogModel {
        pub objects: u32,
        pub popularity: Value,
    }
}

spec! {
    pub struct CacheModel {
        pub capacity?: Option<u32>,
        pub eviction?: Option<String>,
        pub ttl_s?: Option<f64>,
        pub refresh_on_read: bool,
        pub fetch_time_s: f64,
        pub single_flight: bool,
        pub stale_while_revalidate_s?: f64,
        pub early_expiration?: Option<EarlyModel>,
    }
}

spec! {
    pub struct EarlyModel {
        pub _algorithm as "algorithm": String,
        pub beta: f64,
        pub delta_s: f64,
    }
}

spec! {
    pub struct QueueModel {
        pub visibility_timeout_s: f64,
        pub max_receive_count: u32,
        pub processing: Value,
        pub consumers?: Option<u32>,
    }
}

spec! {
    #[derive(Default)]
    pub struct MeasureModel {
        pub slow_over_s?: Option<f64>,
        pub demand_classes?: Vec<DemandClass>,
    }
}

spec! {
    pub struct DemandClass {
        pub id: String,
        pub interval_s: (f64, Option<f64>),
    }
}

impl Model {
    /// What of the model cannot be said together.
    pub fn unsupported(&self) -> Option<&'static str> {
        let has_replicas = self.stations.iter().any(|station| station.replicas.unwrap_or(1) > 1);
        let other = self.retry.as_ref().is_some_and(|retry| retry.other_instance == Some(true));
        let distinct = self.hedging.as_ref().is_some_and(|hedging| hedging.distinct_target);
        let passes_on = self.limiter.is_some() || self.fan_out.is_some() || self.cache.is_some();
        let is_far = passes_on || self.routing.is_some() && self.only_station().is_none();
        match () {
            () if self.hedging.is_some() && self.retry.is_some() => Some("hedging and retry on one call"),
            () if self.routing.is_some() && self.fan_out.is_some() => Some("routing and a fan-out"),
            () if self.message_queue.is_some() && !(self.stations.is_empty() && self.cache.is_none()) => {
                Some("a message queue beside stations or a cache")
            }
            () if has_replicas && (other && is_far || distinct && is_far && self.fan_out.is_none()) => {
                Some("another instance for a retry or a copy, chosen by somebody who does not call the replicas")
            }
            () => None,
        }
    }

    /// Whether instances are down now and then.
    pub fn breaks_down(&self) -> bool {
        self.stations.iter().any(|station| station.failures.is_some())
    }

    /// The only station that requests go to before they leave.
    pub fn only_station(&self) -> Option<&str> {
        let certain = |from: &str| -> Option<String> {
            let onward = self.routing.as_ref()?.get(from)?.as_object()?;
            let (to, _) = onward.iter().find(|(_, share)| share.as_f64() == Some(1.0))?;
            Some(to.clone())
        };
        let first = certain("enter")?;
        let station = self.stations.iter().find(|station| station.id == first)?;
        (certain(&first)? == "exit").then_some(&station.id)
    }

    /// A network of one station is that station.
    pub fn simplify(&mut self) {
        if let Some(only) = self.only_station().map(str::to_string) {
            (self.entry, self.routing) = (Some(only), None);
        }
    }
}

impl ArrivalsModel {
    /// When the last listed request is sent, in model milliseconds.
    pub fn listed_ms(&self) -> f64 {
        let listed = self.count.map(|count| count as f64 * self.gap_ms.unwrap_or(0.0)).unwrap_or(0.0);
        (self.first_at_ms.unwrap_or(0.0) + listed).max(self.until_ms.unwrap_or(0.0))
    }
}

/// An id that a node may have, another for each name: lower-case letters, digits, and the code of every other character.
pub fn node_id(name: &str) -> String {
    let word = |c: char| match c {
        'a'..='z' | '0'..='9' => c.to_string(),
        other => format!("-{:x}-", u32::from(other)),
    };
    format!("s-{}", name.chars().map(word).collect::<String>())
}

/// The longest time that a model names as a length, in seconds: not an instant, not a rate, not what is measured.
pub fn longest_s(model: &Value) -> f64 {
    let instants = ["until_ms", "first_at_ms", "interval_ms"];
    let fields = model.as_object().into_iter().flatten().filter(|(name, _)| *name != "measure");
    let lengths = fields.map(|(name, value)| match (value, value.as_f64()) {
        (_, Some(seconds)) if name.ends_with("_s") && !name.ends_with("per_s") => seconds,
        (_, Some(millis)) if name.ends_with("_ms") && !instants.contains(&name.as_str()) => millis / 1e3,
        _ => longest_s(value),
    });
    let parts = model.as_array().into_iter().flatten().map(longest_s);
    lengths.chain(parts).fold(0.0, f64::max)
}

/// The mean of a distribution in seconds, near enough to say how long a run lasts.
pub fn mean_s(dist: &Value) -> f64 {
    let field = |name: &str| dist.get(name).and_then(Value::as_f64);
    let parts = |name: &str| dist.get(name).and_then(Value::as_array).into_iter().flatten();
    let weighed = |part: &Value| {
        let of = |name: &str| part.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        of("p") * (of("mean_s") + of("value_s"))
    };
    field("mean_s")
        .or(field("value_s"))
        .or(field("mean_ms").or(field("value_ms")).map(|ms| ms / 1e3))
        .or(field("min_s").map(|min| min * 3.0))
        .unwrap_or_else(|| parts("branches").chain(parts("points")).map(weighed).sum())
}

/// A distribution with its times in scenario milliseconds, `scale` scenario seconds being a model's second.
pub fn in_ms(model: &Value, scale: f64) -> Value {
    let Some(fields) = model.as_object() else { return model.clone() };
    let given = fields.get("dist").and_then(Value::as_str).unwrap_or_default();
    let needless = |name: &str| match given {
        "lognormal" => name == "mu_ln" || name == "sigma_ln",
        "hyperexponential" | "pareto" | "bounded_pareto" => name == "mean_s",
        _ => false,
    };
    let mut dist = Map::new();
    for (name, value) in fields.iter().filter(|(name, _)| !needless(name)) {
        let (name, factor) = match (name.strip_suffix("_s"), name.strip_suffix("_ms")) {
            (_, Some(_)) => (name.clone(), scale),
            (Some(stem), _) => (format!("{stem}_ms"), 1e3 * scale),
            _ => (name.clone(), 1.0),
        };
        let value = match value {
            Value::Array(parts) => Value::Array(parts.iter().map(|part| in_ms(part, scale)).collect()),
            Value::Number(number) if factor != 1.0 => json!(number.as_f64().unwrap_or(f64::NAN) * factor),
            Value::String(word) if word == "deterministic" => json!("constant"),
            other => other.clone(),
        };
        dist.insert(name, value);
    }
    Value::Object(dist)
}
