//! Random numbers: PCG with one named stream per purpose.
//!
//! Two kinds of draw exist. A [`Stream`] belongs to a node and a purpose (the gaps between arrivals) and moves on with
//! every draw. A draw that belongs to a request comes from [`draw`], seeded by (seed, request, node, purpose, attempt): one
//! more retry in a variant shifts nobody else's luck, so two variants can be laid over each other request by request.
//!
//! `rand_pcg`'s `Pcg32` is fixed by its paper (O'Neill 2014, PCG-XSH-RR 64/32) and cheap in WebAssembly, which has no
//! 128-bit multiplication. Exponentials come from a ziggurat, mostly without a logarithm; the logarithms from `libm`, because the
//! standard library's differ between native and wasm.

mod ziggurat;

use crate::time::Span;
use rand_core::Rng;
use rand_pcg::Pcg32;

/// What a random number is for. The number of a purpose is part of every seed, so it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Gaps between arrivals of a workload.
    Arrivals = 1,
    /// Which route a request takes.
    Route = 2,
    /// Which row a request asks for.
    Key = 3,
    /// Which user sends a request.
    User = 4,
    /// How long a piece of work takes.
    Work = 5,
    /// Whether a faulty node fails this piece of work.
    Fault = 6,
    /// How long a retry waits.
    Jitter = 7,
    /// Which instances a balancer looks at.
    Balance = 8,
    /// The secret that signs tokens.
    Secret = 9,
    /// How long a node is up and down.
    Chance = 10,
    /// The `random` of a program's expressions.
    Program = 11,
    /// How long a call waits in line before it leaves.
    Patience = 13,
    /// Which copies a cache gives up, and when it has one loaded early.
    Cache = 15,
    /// Whether an adaptive throttle lets a call out.
    Throttle = 12,
    /// How long a client of a closed loop thinks.
    Think = 14,
    /// When an adaptive limit on concurrency looks anew.
    Admission = 16,
    /// What happens to a request on a link.
    Way = 17,
    /// What happens to an answer on a link.
    WayBack = 18,
    /// How long a user stays with an instance.
    Sticky = 19,
    /// What a handshake takes, and how old its connection becomes.
    Handshake = 20,
    /// How long the copies are fresh with which a cache begins.
    Warm = 21,
    /// How long a connection holds.
    Drop = 22,
}

/// A generator that moves on with every draw.
#[derive(Clone, Debug)]
pub struct Stream(Pcg32);

impl Stream {
    /// The stream of `purpose` at the node (or workload) whose stable name hashes to `owner`.
    pub fn new(seed: u64, owner: u64, purpose: Purpose) -> Stream {
        Stream(Pcg32::new(mix(seed ^ mix(owner)), mix(owner ^ purpose as u64)))
    }

    /// A number in [0, 1), 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        ziggurat::unit(self.0.next_u64())
    }

    /// A whole number in [0, bound); `bound` must not be 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// An exponential length of the given mean.
    #[inline]
    pub fn exponential(&mut self, mean: Span) -> Span {
        mean.scaled(self.standard_exponential())
    }

    /// An exponential number of mean 1, at most 44.5.
    #[inline]
    pub fn standard_exponential(&mut self) -> f64 {
        ziggurat::exponential(|| self.0.next_u64())
    }

    /// A normal number of mean 0 and standard deviation 1 (Box and Muller 1958); at most 9.5 either way.
    pub fn standard_normal(&mut self) -> f64 {
        let radius = (2.0 * self.standard_exponential()).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// A generator for the draws of one request at one node for one purpose and attempt.
pub fn draw(seed: u64, request: u32, owner: u64, purpose: Purpose, attempt: u8) -> Stream {
    let who = (u64::from(request) << 16) | (u64::from(attempt) << 8) | purpose as u64;
    let state = mix(seed ^ mix(owner ^ mix(who)));
    Stream(Pcg32::new(state, state ^ who))
}

/// Numbers a further visit of a request: another attempt, loop round or branch than the first.
pub fn lineage(parent: u32, step: u32) -> u32 {
    (mix(u64::from(parent) << 32 | u64::from(step)) >> 32) as u32 | 1
}

/// A stable number for a name (FNV-1a, 64 bits), so that adding a node leaves the draws of the others alone.
pub fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Spreads a seed over all 64 bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014).
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_pinned() {
        // Golden values: a change here changes every digest and every share link.
        let mut stream = Stream::new(7, name_hash("traffic"), Purpose::Arrivals);
        let drawn: Vec<u64> = (0..3).map(|_| stream.exponential(Span::from_millis(2)).as_nanos()).collect();
        assert_eq!(drawn, [891_260, 1_461_412, 232_117]);
    }

    #[test]
    fn exponential_has_its_mean_and_its_median() {
        let mut stream = Stream::new(1, 2, Purpose::Work);
        let mut drawn: Vec<u64> = (0..100_000).map(|_| stream.exponential(Span::from_millis(10)).as_nanos()).collect();
        let mean = drawn.iter().sum::<u64>() as f64 / drawn.len() as f64 / 1e6;
        assert!((mean - 10.0).abs() < 0.15, "mean {mean} ms");
        drawn.sort_unstable();
        let median = drawn[50_000] as f64 / 1e6;
        assert!((median - 10.0 * std::f64::consts::LN_2).abs() < 0.15, "median {median} ms");
    }

    #[test]
    fn a_requests_luck_does_not_depend_on_other_draws() {
        let a = draw(7, 11, 3, Purpose::Work, 1).uniform();
        let _ = draw(7, 11, 3, Purpose::Work, 2).uniform();
        assert_eq!(a, draw(7, 11, 3, Purpose::Work, 1).uniform());
        assert_ne!(a, draw(7, 12, 3, Purpose::Work, 1).uniform());
    }
}
