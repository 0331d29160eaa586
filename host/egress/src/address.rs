//! Which addresses lie on the internet, which nearby, and which nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a host on the internet.
    Public,
    /// To this machine or a network that it is in: loopback, private use, link-local (which the metadata services of
    /// clouds use), shared address space.
    Local,
    /// To no single host: unspecified, multicast, broadcast, reserved, for documentation, or a tunnel's own range.
    Nowhere,
}

/// The kind of an address, by the IANA registries of special-purpose addresses (RFC 6890 and its updates). An IPv6
/// address that carries an IPv4 address (mapped, RFC 4291; NAT64, RFC 6052; 6to4, RFC 3056) is what that one is.
pub const fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

const fn kind_of_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        // private use (RFC 1918), shared (RFC 6598), loopback (RFC 1122), link-local (RFC 3927), benchmarking (RFC 2544;
        // some local proxies answer names with it)
        [10 | 127, ..]
        | [100, 64..=127, ..]
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [198, 18 | 19, ..] => Kind::Local,
        // this network, protocol assignments, documentation, relay anycast, multicast and reserved
        [0, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => {
            Kind::Nowhere
        }
        _ => Kind::Public,
    }
}

const fn kind_of_v6(address: Ipv6Addr) -> Kind {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Local,
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            kind_of_v4(carried(high, low))
        }
        // unique local (RFC 4193), link-local (RFC 4291), site-local (RFC 3879), local NAT64 (RFC 8215)
        [0xfc00..=0xfdff | 0xfe80..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => Kind::Local,
        // documentation (RFC 3849, RFC 9637), protocol assignments with Teredo (RFC 2928)
        [0x2001, 0x0db8 | 0..=0x01ff, ..] | [0x3fff, 0..=0x0fff, ..] => Kind::Nowhere,
        // global unicast is 2000::/3 (RFC 4291)
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Nowhere,
    }
}

const fn carried(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Kind, kind};

    #[test]
    fn an_address_is_public_local_or_nowhere() {
        let of = |text: &str| kind(text.parse().unwrap());
        for public in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "::ffff:1.1.1.1"]
        {
            assert_eq!(of(public), Kind::Public, "{public}");
        }
        for local in [
            "127.0.0.1",
            "127.255.0.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
        ] {
            assert_eq!(of(local), Kind::Local, "{local}");
        }
        for nowhere in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "::7f00:1",
            "5f00::1",
        ] {
            assert_eq!(of(nowhere), Kind::Nowhere, "{nowhere}");
        }
    }
}
