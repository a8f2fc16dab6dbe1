//! A `client_address` model: connections with headers, and whom each is taken to come from.

use super::{Answers, read::read};
use crate::policy::client_address::{Cidr, TrustedProxies};
use crate::scenario::{Problem, spec};
use core::net::IpAddr;
use serde_json::Value;

spec! {
    struct Model {
        trusted_proxies: Vec<String>,
        requests: Vec<Request>,
    }
}

spec! {
    struct Request {
        peer: String,
        x_forwarded_for?: Option<String>,
    }
}

/// `client` of each request.
pub fn decide(model: &Value) -> Result<Answers, Vec<Problem>> {
    let Model { trusted_proxies, requests } = read(model)?;
    let mut problems = Vec::new();
    let mut blocks = Vec::new();
    for (index, block) in trusted_proxies.iter().enumerate() {
        match Cidr::parse(block) {
            Ok(block) => blocks.push(block),
            Err(why) => problems.push(Problem::new(format!("trusted_proxies.{index}"), why, "Mend the block.")),
        }
    }
    let proxies = TrustedProxies::new(blocks);
    let mut clients = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        match request.peer.parse::<IpAddr>() {
            Ok(peer) => clients.push(proxies.decide(peer, request.x_forwarded_for.as_deref()).to_string()),
            Err(_) => {
                let what = format!("`{}` is no address", request.peer);
                problems.push(Problem::new(format!("requests.{index}.peer"), what, "Write one such as 203.0.113.4."));
            }
        }
    }
    match problems.is_empty() {
        true => Ok(Answers::from_iter([("client".to_string(), clients.into())])),
        false => Err(problems),
    }
}
