//! An `http_cache` model: requests for one resource through a cache with the windows of RFC 5861.

use super::Answers;
use super::read::{Ms, in_order, read};
use crate::policy::cache::{Cache, CacheConfig, CacheParams, Load, Lookup};
use crate::policy::single_flight::{Flight, SingleFlight};
use crate::scenario::{Problem, spec};
use crate::time::{Span, Time};
use serde_json::{Value, json};

/// The only resource.
const KEY: u32 = 0;

spec! {
    struct Model {
        cache: CacheModel,
        requests: Vec<Request>,
    }
}

spec! {
    struct CacheModel {
        /// Missing: for ever.
        ttl_ms?: Option<Ms>,
        stale_while_revalidate_ms: Ms,
        stale_if_error_ms: Ms,
        fetch_time_ms: Ms,
    }
}

spec! {
    struct Request {
        t_ms: Ms,
        /// What the origin would answer; none: it is not to be asked.
        origin?: Option<Origin>,
    }
}

spec! {
    enum Origin {
        Ok,
        Error,
    }
}

/// How each request is answered.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { cache, requests } = read(model)?;
    in_order("requests", requests.iter().map(|request| request.t_ms.time()))?;
    let params = CacheParams {
        stale_while_revalidate: cache.stale_while_revalidate_ms.0,
        stale_if_error: cache.stale_if_error_ms.0,
        ..CacheParams::plain(1, cache.ttl_ms.map(|ttl| ttl.0))
    };
    let config = CacheConfig::new(params).map_err(|why| vec![Problem::new("cache", why, "Mend the value.")])?;
    let mut front = Front {
        cache: Cache::new(config, 1),
        flights: SingleFlight::default(),
        fetch_time: cache.fetch_time_ms.0,
        fetch: None,
        answers: vec![""; requests.len()],
    };
    for (index, request) in requests.iter().enumerate() {
        front.request(index, request)?;
    }
    front.finish(Time::NEVER);
    Ok([("answers".to_string(), json!(front.answers))].into_iter().collect())
}

struct Front {
    cache: Cache,
    flights: SingleFlight,
    fetch_time: Span,
    fetch: Option<Fetch>,
    answers: Vec<&'static str>,
}

/// A fetch under way.
struct Fetch {
    ends: Time,
    origin: Origin,
    /// The requests that wait for it, each with whether an old copy will do if it fails.
    waiting: Vec<(usize, bool)>,
}

impl Front {
    fn request(&mut self, index: usize, request: &Request) -> Result<(), Vec<Problem>> {
        let now = request.t_ms.time();
        self.finish(now);
        let waits = match self.cache.get(now, KEY) {
            Lookup::Fresh(_) => {
                self.answers[index] = "hit";
                return Ok(());
            }
            Lookup::Revalidate(_) => {
                self.answers[index] = "stale_while_revalidate";
                None
            }
            Lookup::Stale { usable, .. } => Some((index, usable)),
            Lookup::Miss | Lookup::Absent => Some((index, false)),
        };
        if self.flights.decide(KEY) == Flight::Lead {
            let origin = request.origin.ok_or_else(|| {
                let path = format!("requests.{index}.origin");
                vec![Problem::new(path, "is null, but the origin is asked", "Say what it answers.")]
            })?;
            self.fetch = Some(Fetch { ends: now + self.fetch_time, origin, waiting: Vec::new() });
        }
        self.fetch.as_mut().expect("a fetch is under way").waiting.extend(waits);
        Ok(())
    }

    /// Ends the fetch if it is over by `now`.
    fn finish(&mut self, now: Time) {
        let Some(Fetch { ends, origin, waiting }) = self.fetch.take_if(|fetch| fetch.ends <= now) else { return };
        self.flights.on_load_end(KEY);
        if origin == Origin::Ok {
            self.cache.put(ends, KEY, Load::version(0));
        }
        for (index, usable) in waiting {
            self.answers[index] = match (origin, usable) {
                (Origin::Ok, _) => "miss_fetched",
                (Origin::Error, true) => "stale_if_error",
                (Origin::Error, false) => "error_502",
            };
        }
    }
}
