//! Who is asking? The client's address behind proxies, as a key for limits.
//!
//! Promise: nobody can choose an address other than their own by sending headers, as long as every trusted proxy appends
//! the address it sees. `X-Forwarded-For` grows at its right end, so the walk goes from the connection's own address to
//! the left past trusted proxies and stops at the first address that is not one. Semantics: nginx `real_ip_recursive`, and
//! MDN on `X-Forwarded-For`. The header of an untrusted peer is ignored; a malformed element ends the walk at the last
//! good address; if every address is trusted, the leftmost is the client.

use core::net::{IpAddr, Ipv6Addr};

/// A block of addresses, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix_bits: u8,
}

impl Cidr {
    /// Reads `address/bits`; an address alone is a block of one. Bits behind the prefix are ignored.
    pub fn parse(text: &str) -> Result<Cidr, String> {
        let no = || format!("`{text}` is no block of addresses: write one such as 10.0.0.0/8 or 2001:db8::/32");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let network: IpAddr = address.parse().map_err(|_| no())?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        let prefix_bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| no()))?;
        if prefix_bits > most { Err(no()) } else { Ok(Cidr { network, prefix_bits }) }
    }

    /// Whether the address lies in the block.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let behind = 32 - u32::from(self.prefix_bits);
                let differ = u32::from(network) ^ u32::from(address);
                differ.checked_shr(behind).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let behind = 128 - u32::from(self.prefix_bits);
                let differ = u128::from(network) ^ u128::from(address);
                differ.checked_shr(behind).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The proxies whose word is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Cidr>);

impl TrustedProxies {
    /// Any address of any of these blocks; an empty list trusts nobody.
    pub fn new(blocks: Vec<Cidr>) -> TrustedProxies {
        TrustedProxies(blocks)
    }

    /// The client of a connection from `peer` that carries this `X-Forwarded-For` header.
    pub fn decide(&self, peer: IpAddr, x_forwarded_for: Option<&str>) -> IpAddr {
        let elements = x_forwarded_for.into_iter().flat_map(|header| header.rsplit(','));
        self.decide_among(peer, elements.map_while(|element| element.trim().parse().ok()))
    }

    /// The same for the addresses of the header, the latest first, up to the first element that is malformed.
    pub fn decide_among(&self, peer: IpAddr, mut forwarded_for: impl Iterator<Item = IpAddr>) -> IpAddr {
        let mut client = peer;
        while self.trusts(client)
            && let Some(address) = forwarded_for.next()
        {
            client = address;
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        // An IPv4 proxy reached through an IPv6 socket shows as ::ffff:10.0.0.1.
        self.0.iter().any(|block| block.contains(address) || block.contains(address.to_canonical()))
    }
}

/// What a limit counts: the address, and for IPv6 its /64, because a customer commands a whole one.
pub fn limit_key(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(["10.0.0.0/8", "2001:db8:1::/48"].map(|block| Cidr::parse(block).unwrap()).to_vec())
    }

    fn client(peer: &str, header: Option<&str>) -> String {
        proxies().decide(peer.parse().unwrap(), header).to_string()
    }

    #[test]
    fn the_walk_stops_at_the_first_address_that_is_no_proxy() {
        assert_eq!(client("203.0.113.4", Some("9.9.9.9")), "203.0.113.4");
        assert_eq!(client("10.1.1.1", None), "10.1.1.1");
        assert_eq!(client("10.1.1.1", Some("8.8.8.8, 198.51.100.2 ,10.2.2.2")), "198.51.100.2");
        assert_eq!(client("10.1.1.1", Some("bogus, 10.3.3.3")), "10.3.3.3");
        assert_eq!(client("10.1.1.1", Some("10.4.4.4, 10.5.5.5")), "10.4.4.4");
        assert_eq!(client("::ffff:10.1.1.1", Some("2001:db8:2::9, 2001:db8:1::7")), "2001:db8:2::9");
    }

    #[test]
    fn blocks_end_where_they_should() {
        let block = |text: &str| Cidr::parse(text).unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(block("192.0.2.128/25").contains(address("192.0.2.255")));
        assert!(!block("192.0.2.128/25").contains(address("192.0.2.127")));
        assert!(block("0.0.0.0/0").contains(address("255.0.0.1")) && !block("0.0.0.0/0").contains(address("::1")));
        assert!(block("::/0").contains(address("::1")) && block("::1").contains(address("::1")));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/8/9", "x"] {
            assert!(Cidr::parse(bad).unwrap_err().contains("block"), "{bad}");
        }
    }

    #[test]
    fn a_key_is_an_address_or_a_64() {
        let key = |text: &str| limit_key(text.parse().unwrap()).to_string();
        assert_eq!(key("198.51.100.2"), "198.51.100.2");
        assert_eq!(key("2001:db8:2:3:4:5:6:7"), "2001:db8:2:3::");
        assert_eq!(key("::ffff:198.51.100.2"), "198.51.100.2");
    }

    proptest! {
        /// Whatever a client writes into the header, behind honest proxies it is known by the address it has.
        #[test]
        fn a_client_cannot_choose_its_address(written in "[0-9a-f:., x]{0,40}", hops in 1u8..4) {
            let mut header = format!("{written},203.0.113.9");
            (2..=hops).for_each(|hop| header.push_str(&format!(", 10.0.0.{hop}")));
            prop_assert_eq!(client("10.0.0.1", Some(&header)), "203.0.113.9");
            prop_assert_eq!(client("203.0.113.9", Some(&header)), "203.0.113.9");
        }
    }
}
