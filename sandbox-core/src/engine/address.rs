//! Addresses: where a request says that it comes from, as a gateway sees it.
//!
//! Gateways have addresses in 10.0.0.0/8, users in 11.0.0.0/8, made-up ones are in 12.0.0.0/8. A gateway appends the
//! address that connects to it to `X-Forwarded-For`.

use super::stay::{Origin, Stay};
use crate::ids::NodeId;
use crate::policy::client_address::{TrustedProxies, limit_key};
use crate::scenario::{Kind, Plan};
use core::net::{IpAddr, Ipv4Addr};

/// What a gateway sees of where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The address that connects.
    peer: IpAddr,
    /// The header `X-Forwarded-For`, the oldest entry first.
    forwarded_for: Vec<IpAddr>,
}

impl Shown {
    /// What `gateway` sees of the request of this stay.
    pub fn new(plan: &Plan, gateway: NodeId, stay: &Stay) -> Shown {
        let (nth, workload) = match stay.origin {
            Origin::Workload(nth) => (nth, plan.workloads.get(usize::from(nth))),
            Origin::Outside(_) | Origin::Probe(_) => (0, None),
        };
        let mut forwarded_for = Vec::new();
        if workload.is_some_and(|workload| workload.spoofed_forwarded_for) {
            forwarded_for.push(address(12, stay.request.0));
        }
        let mut peer = address(11, u32::from(nth) << 17 | stay.user);
        let mut hop = workload.map(|workload| plan.nodes[workload.client.index()].calls[workload.target].targets[0]);
        while let Some(node) = hop.filter(|node| *node != gateway)
            && let Kind::Gateway(passes_on) = &plan.nodes[node.index()].kind
        {
            forwarded_for.push(peer);
            peer = address(10, u32::from(node.0));
            hop = Some(plan.nodes[node.index()].calls[passes_on.upstream].targets[0]);
        }
        Shown { peer, forwarded_for }
    }

    /// The key of a limit by the address that connects.
    pub fn by_peer(&self) -> u128 {
        number(self.peer)
    }

    /// The key of a limit by the leftmost entry of the header.
    pub fn by_leftmost(&self) -> u128 {
        number(*self.forwarded_for.first().unwrap_or(&self.peer))
    }

    /// The key of a limit by the client behind these proxies.
    pub fn by_client(&self, trusted: &TrustedProxies) -> u128 {
        number(trusted.decide_among(self.peer, self.forwarded_for.iter().rev().copied()))
    }
}

fn address(block: u8, within: u32) -> IpAddr {
    Ipv4Addr::from(u32::from(block) << 24 | within & 0xff_ffff).into()
}

fn number(address: IpAddr) -> u128 {
    match limit_key(address) {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}
