//! Which request is sent when: decided before the first one.

use crate::routes::lab::parts;
use crate::routes::scenario::{RouteReport, ScenarioReport};
use hyper::Method;
use sandbox_core::ids::RouteId;
use sandbox_core::rng::{Purpose, Stream, name_hash};
use sandbox_core::scenario::Plan;
use sandbox_core::time::Span;

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// Independently of each other: exponential gaps.
    Poisson,
    /// Equal gaps.
    Constant,
}

/// Which requests are sent.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Method, path with `{id}` for the key, and share of the requests, all shares together 1.
    pub routes: Vec<(Method, String, f64)>,
    /// Keys run below this.
    pub keys: u32,
    /// Users run below this.
    pub users: u32,
}

impl Mix {
    /// What the users of a mounted scenario send; with another share of reads if one is asked for.
    pub fn of(scenario: &ScenarioReport, read_share: Option<f64>) -> Mix {
        let part =
            |write: bool| scenario.routes.iter().filter(|route| route.write == write).map(|route| route.share).sum();
        let (reads, writes): (f64, f64) = (part(false), part(true));
        let scale = |route: &RouteReport| match (read_share, route.write) {
            (Some(wanted), false) => route.share * wanted / reads,
            (Some(wanted), true) => route.share * (1.0 - wanted) / writes,
            (None, _) => route.share,
        };
        let routes = scenario.routes.iter().filter_map(|route| {
            let (method, path) = parts(&route.name)?;
            Some((method.parse().ok()?, format!("/lab{path}"), scale(route)))
        });
        Mix { routes: routes.collect(), keys: scenario.keys, users: scenario.users }
    }

    /// GET and PUT of `/lab/items/{id}`, for a server that does not say what it serves.
    pub fn items(read_share: f64) -> Mix {
        let path = "/lab/items/{id}".to_string();
        let routes = vec![(Method::GET, path.clone(), read_share), (Method::PUT, path, 1.0 - read_share)];
        Mix { routes, keys: 1_000, users: 100 }
    }
}

/// A request to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// When, since the start of the load.
    pub at: Span,
    /// HTTP method.
    pub method: Method,
    /// Path with a leading slash.
    pub path: String,
    /// Whose token it carries.
    pub user: u32,
}

/// The requests of an open loop.
pub fn schedule(rate_rps: f64, duration: Span, arrivals: Arrivals, mix: &Mix, seed: u64) -> Vec<Shot> {
    let stream = |purpose| Stream::new(seed, name_hash("load"), purpose);
    let (mut gaps, mut routes) = (stream(Purpose::Arrivals), stream(Purpose::Route));
    let (mut keys, mut users) = (stream(Purpose::Key), stream(Purpose::User));
    let gap = Span::from_seconds(1.0 / rate_rps);
    let mut at = Span::ZERO;
    let mut shots = Vec::new();
    loop {
        at += if arrivals == Arrivals::Poisson { gaps.exponential(gap) } else { gap };
        if at >= duration {
            return shots;
        }
        let mut roll = routes.uniform();
        let drawn = mix.routes.iter().find(|(_, _, share)| {
            roll -= share;
            roll < 0.0
        });
        let Some((method, template, _)) = drawn.or(mix.routes.last()) else { return shots };
        let path = with_key(template, keys.below(mix.keys.max(1)));
        let method = method.clone();
        shots.push(Shot { at, method, path, user: users.below(mix.users.max(1)) });
    }
}

impl Shot {
    /// A request of a scenario's route, for its mounted twin; None if the route's name is no method and path.
    pub fn new(plan: &Plan, at: Span, route: RouteId, key: u32, user: u32) -> Option<Shot> {
        let (method, template) = plan.routes[route.index()].name.split_once(' ')?;
        Some(Shot { at, method: method.parse().ok()?, path: format!("/lab{}", with_key(template, key)), user })
    }
}

/// The path with the key where the template has braces.
fn with_key(template: &str, key: u32) -> String {
    let key = key.to_string();
    let parts: Vec<&str> = template.split('/').map(|part| if part.starts_with('{') { &key } else { part }).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_load() {
        let make = |seed| schedule(500.0, Span::from_seconds(10.0), Arrivals::Poisson, &Mix::items(0.8), seed);
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        let shots = make(1);
        assert!((4_700..5_300).contains(&shots.len()), "{}", shots.len());
        let reads = shots.iter().filter(|shot| shot.method == Method::GET).count() as f64 / shots.len() as f64;
        assert!((reads - 0.8).abs() < 0.03, "{reads}");
        assert!(shots.is_sorted_by_key(|shot| shot.at));
    }

    #[test]
    fn constant_gaps_are_constant() {
        let shots = schedule(100.0, Span::from_seconds(1.0), Arrivals::Constant, &Mix::items(0.8), 1);
        assert_eq!(shots.len(), 99);
        assert_eq!(shots[0].at, Span::from_ms(10.0));
    }

    #[test]
    fn shares_are_those_of_the_scenario_unless_asked_otherwise() {
        let route = |name: &str, write, share| RouteReport { name: name.into(), write, share };
        let scenario = ScenarioReport {
            id: String::new(),
            title: String::new(),
            variant: String::new(),
            plan: String::new(),
            duration_s: 60.0,
            rate_rps: 500.0,
            keys: 7,
            users: 3,
            routes: vec![
                route("GET /a/{id}", false, 0.5),
                route("GET /b", false, 0.25),
                route("PUT /a/{id}", true, 0.25),
            ],
        };
        let shares = |mix: Mix| mix.routes.into_iter().map(|(_, _, share)| share).collect::<Vec<_>>();
        assert_eq!(shares(Mix::of(&scenario, None)), [0.5, 0.25, 0.25]);
        assert_eq!(shares(Mix::of(&scenario, Some(0.375))), [0.25, 0.125, 0.625]);
        assert_eq!(Mix::of(&scenario, None).routes[1].1, "/lab/b");
    }
}
