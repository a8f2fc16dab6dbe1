//! What happens to messages on a link beyond its plain delay: as written, and checked.

use super::dist::{Dist, DistSpec};
use super::path::Path;
use super::planner::Planner;
use super::spec_macro::spec;
use crate::time::Span;
use std::collections::BTreeMap;

spec! {
    /// Messages are lost, and sent again by TCP: after the retransmission time, which doubles each time (RFC 6298).
    #[derive(Copy)]
    pub struct LossSpec {
        /// Share of messages lost, each way.
        pub ratio: f64,
        /// Time until a lost message is sent again; 200 ms is Linux's smallest, 1 s the RFC's.
        pub rto_ms: f64 = 200.0,
    }
}

spec! {
    /// What a link can carry, each way for itself.
    #[derive(Copy)]
    pub struct BandwidthSpec {
        /// Megabits a second.
        pub mbps: f64,
        /// Size of a request, in thousands of bytes.
        pub request_kb?: f64,
        /// Size of an answer, in thousands of bytes.
        pub response_kb?: f64,
        /// Whether all calls share it, first come first served; otherwise each has as much for itself.
        pub shared: bool = true,
    }
}

spec! {
    /// The connection breaks, as on a train: a message under way is lost with all that was sent of it, and whoever waits for it is
    /// told at once (502). Nothing is kept of it; sending it again, whole or in pieces, is up to the caller.
    pub struct DropsSpec {
        /// How long the connection holds, drawn anew for each message when its sending begins; `exponential` if drops come
        /// whenever they like, whatever was before.
        pub after: DistSpec,
    }
}

/// When a connection breaks, and what that costs.
#[derive(Clone, Debug)]
pub struct DropsPlan {
    /// How long it holds.
    pub after: Dist,
    /// Bytes of a request and of an answer.
    pub bytes: [u64; 2],
}

/// What happens on the way between two groups of nodes.
#[derive(Clone, Debug, Default)]
pub struct WayPlan {
    /// On top of the delay.
    pub jitter: Option<Dist>,
    /// Share of messages lost, and when they are sent again.
    pub loss: Option<(f64, Span)>,
    /// How long a request and an answer take to be put on the link, and whether they wait for each other.
    pub sending: Option<([Span; 2], bool)>,
    /// When the connection breaks.
    pub drops: Option<DropsPlan>,
}

impl Planner<'_> {
    /// What happens on a link; None: nothing beyond its delay.
    #[inline]
    pub(super) fn way(&mut self, path: &Path, link: &LinkSpec) -> Option<WayPlan> {
        let jitter = link.jitter.as_ref().map(|dist| self.dist(&path.at("jitter"), dist));
        let loss = link.loss.map(|loss| {
            self.within(&path.at("loss.ratio"), loss.ratio, 0.0, 0.99);
            self.within(&path.at("loss.rto_ms"), loss.rto_ms, 1.0, 60_000.0);
            (loss.ratio, Span::from_ms(loss.rto_ms.clamp(1.0, 60_000.0)))
        });
        let sending = link.bandwidth.map(|bandwidth| {
            self.above_zero(&path.at("bandwidth.mbps"), bandwidth.mbps, 1e6);
            let mut span = |name: &str, kilobytes: f64| {
                self.within(&path.at(name), kilobytes, 0.0, 1e9);
                let seconds = kilobytes * 8e3 / (bandwidth.mbps * 1e6);
                if seconds > 3_600.0 {
                    self.problem(&path.at(name), "takes longer than an hour", "Send less, or give it more.");
                }
                Span::from_seconds(if seconds.is_finite() { seconds.clamp(0.0, 3_600.0) } else { 0.0 })
            };
            let request = span("bandwidth.request_kb", bandwidth.request_kb);
            ([request, span("bandwidth.response_kb", bandwidth.response_kb)], bandwidth.shared)
        });
        let drops = link.drops.as_ref().map(|drops| {
            // Whoever else is asked has no program that could make something of a broken answer.
            self.refuse_unless(&path.at("to"), &link.to, "a link that drops", &["gateway", "service"]);
            let sizes = link.bandwidth.map_or([0.0; 2], |bandwidth| [bandwidth.request_kb, bandwidth.response_kb]);
            let bytes = sizes.map(|kilobytes| (kilobytes.clamp(0.0, 1e9) * 1e3) as u64);
            DropsPlan { after: self.dist(&path.at("drops.after"), &drops.after), bytes }
        });
        let plain = jitter.is_none() && loss.is_none() && sending.is_none() && drops.is_none();
        (!plain).then_some(WayPlan { jitter, loss, sending, drops })
    }
}

spec! {
    /// The way between two nodes, there and back alike.
    pub struct LinkSpec {
        /// The caller.
        pub from: String,
        /// The callee; all its replicas.
        pub to: String,
        /// Time on the way, one way.
        pub delay_ms: f64,
        /// More time on the way, drawn anew each way.
        pub jitter?: Option<DistSpec>,
        /// Messages that are lost and sent again; absent: none.
        pub loss?: Option<LossSpec>,
        /// What the link can carry; absent: anything.
        pub bandwidth?: Option<BandwidthSpec>,
        /// Connections over it break; absent: they hold.
        pub drops?: Option<DropsSpec>,
    }
}

impl Planner<'_> {
    #[inline]
    pub(super) fn delays(&mut self) -> (Vec<Span>, Vec<WayPlan>, Vec<Option<u16>>) {
        let spec = self.spec;
        let count = self.nodes.len();
        let mut delays = vec![Span::ZERO; count * count];
        let (mut ways, mut way_of) = (Vec::new(), Vec::new());
        let mut joined: BTreeMap<(usize, usize), &str> = BTreeMap::new();
        for (id, link) in &spec.links {
            let in_links = Path::new("links");
            let path = in_links.at(id);
            self.within(&path.at("delay_ms"), link.delay_ms, 0.0, 3_600_000.0);
            let from = self.instances(&path.at("from"), &link.from);
            let to = self.instances(&path.at("to"), &link.to);
            let used = from.iter().all(|node| self.nodes[node.index()].calls.iter().any(|call| call.group == link.to));
            if !used && !from.is_empty() && !to.is_empty() {
                let what = format!("`{}` never calls `{}`", link.from, link.to);
                self.is_unused(&path, what, "Take the link out, or let a workload, an upstream or a step use it.");
            }
            let pairs =
                from.iter().flat_map(|a| to.iter().map(|b| (a.index().min(b.index()), a.index().max(b.index()))));
            let mut others = pairs.filter_map(|pair| joined.insert(pair, id));
            if let Some(other) = others.find(|other| *other != id) {
                let what = format!("`{}` and `{}` are joined by `links.{other}` too", link.from, link.to);
                self.problem(&path, what, "Keep one of the two: a link is the way there and back.");
            }
            let way = self.way(&path, link).map(|way| {
                ways.push(way);
                way_of.resize(count * count, None);
                ways.len() as u16 - 1
            });
            for a in &from {
                for b in &to {
                    if way.is_some() {
                        way_of[a.index() * count + b.index()] = way;
                        way_of[b.index() * count + a.index()] = way;
                    }
                    delays[a.index() * count + b.index()] = Span::from_ms(link.delay_ms);
                    delays[b.index() * count + a.index()] = Span::from_ms(link.delay_ms);
                }
            }
        }
        (delays, ways, way_of)
    }
}
