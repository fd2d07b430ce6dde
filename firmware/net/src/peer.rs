//! The far end of a connection or datagram, and the network it is in.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

/// One of the device's networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Interface {
    /// The network the device is a guest in: that of the router, or the desktop's.
    Station,
    /// The network of the device's own access point.
    AccessPoint,
    /// The device itself.
    Loopback,
}

/// The far end.
///
/// ```
/// use umqtt_net::{Interface, Peer};
///
/// let peer = Peer::new("192.168.4.2:50000".parse().unwrap(), Interface::AccessPoint);
/// assert!(peer.is_internal());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address and port.
    pub addr: SocketAddr,
    /// The network through which it is reached.
    pub interface: Interface,
}

/// The device itself if the address is one of loopback, else a peer in the station's network.
impl From<SocketAddr> for Peer {
    fn from(addr: SocketAddr) -> Peer {
        let interface = match addr.ip().to_canonical().is_loopback() {
            true => Interface::Loopback,
            false => Interface::Station,
        };
        Peer { addr, interface }
    }
}

impl Peer {
    /// The peer of this address, reached through this interface.
    pub const fn new(addr: SocketAddr, interface: Interface) -> Peer {
        Peer { addr, interface }
    }

    /// Whether it is in a network that is the device's own: the access point's, or the device
    /// itself.
    pub const fn is_internal(self) -> bool {
        !matches!(self.interface, Interface::Station)
    }
}

/// An address of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceAddr {
    /// The network in which it holds.
    pub interface: Interface,
    /// The address.
    pub address: IpAddr,
    /// Length of the network's prefix: 24 for the netmask 255.255.255.0.
    pub prefix: u8,
}

impl InterfaceAddr {
    /// An address in an interface's network, whose prefix has this length.
    pub const fn new(interface: Interface, address: IpAddr, prefix: u8) -> InterfaceAddr {
        InterfaceAddr { interface, address, prefix }
    }

    /// Whether another address is in the same network.
    pub fn contains(self, other: IpAddr) -> bool {
        let differ = |ours: u128, theirs: u128, bits: u32| {
            (ours ^ theirs).checked_shr(bits.saturating_sub(self.prefix.into())).unwrap_or(0) != 0
        };
        match (self.address, other) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                !differ(ours.to_bits().into(), theirs.to_bits().into(), u32::BITS)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                !differ(ours.to_bits(), theirs.to_bits(), u128::BITS)
            }
            _ => false,
        }
    }
}

/// Where the address of the station's interface comes from.
///
/// ```
/// use core::net::Ipv4Addr;
/// use umqtt_net::Addressing;
///
/// let router = Ipv4Addr::new(10, 0, 0, 1);
/// let fixed = Addressing::fixed(Ipv4Addr::new(10, 0, 0, 7), Ipv4Addr::new(255, 255, 255, 0));
/// assert_eq!(fixed.gateway(router).gateway, Some(router));
/// assert_eq!(Addressing::DHCP.ip, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addressing {
    /// The fixed address; `None` asks a DHCP server.
    pub ip: Option<Ipv4Addr>,
    /// Netmask of the fixed address; 0.0.0.0 if it was not set.
    pub netmask: Ipv4Addr,
    /// Gateway of the fixed address.
    pub gateway: Option<Ipv4Addr>,
    /// Name server; `None` takes the DHCP server's, or with a fixed address the gateway.
    pub dns: Option<Ipv4Addr>,
}

impl Addressing {
    /// All from a DHCP server.
    pub const DHCP: Addressing =
        Addressing { ip: None, netmask: Ipv4Addr::UNSPECIFIED, gateway: None, dns: None };

    /// A fixed address.
    pub const fn fixed(ip: Ipv4Addr, netmask: Ipv4Addr) -> Addressing {
        Addressing { ip: Some(ip), netmask, ..Addressing::DHCP }
    }

    /// Sets the gateway.
    #[must_use]
    pub const fn gateway(mut self, gateway: Ipv4Addr) -> Addressing {
        self.gateway = Some(gateway);
        self
    }

    /// Sets the name server.
    #[must_use]
    pub const fn dns(mut self, dns: Ipv4Addr) -> Addressing {
        self.dns = Some(dns);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(address: &str, prefix: u8, other: &str) -> bool {
        let address = address.parse().unwrap();
        let own = InterfaceAddr { interface: Interface::AccessPoint, address, prefix };
        own.contains(other.parse().unwrap())
    }

    #[test]
    fn a_network_is_what_shares_the_prefix() {
        assert!(contains("192.168.4.1", 24, "192.168.4.77"));
        assert!(!contains("192.168.4.1", 24, "192.168.5.77"));
        assert!(contains("192.168.4.1", 16, "192.168.5.77"));
        assert!(contains("192.168.4.1", 32, "192.168.4.1"));
        assert!(!contains("192.168.4.1", 32, "192.168.4.2"));
        assert!(contains("192.168.4.1", 0, "10.0.0.1"));
        assert!(contains("fe80::1", 64, "fe80::2"));
        assert!(!contains("fe80::1", 64, "fe81::1"));
        assert!(contains("fe80::1", 0, "::1"));
        assert!(!contains("192.168.4.1", 0, "::1"));
        assert!(contains("192.168.4.1", 99, "192.168.4.1"));
        assert!(!contains("192.168.4.1", 99, "192.168.4.2"));
    }

    #[test]
    fn only_the_device_s_own_networks_are_internal() {
        let addr = "10.0.0.1:1".parse().unwrap();
        assert!(!Peer::new(addr, Interface::Station).is_internal());
        assert!(Peer::new(addr, Interface::AccessPoint).is_internal());
        assert!(Peer::new(addr, Interface::Loopback).is_internal());
        let internal = |addr: &str| Peer::from(addr.parse::<SocketAddr>().unwrap()).is_internal();
        assert!(internal("127.0.0.1:1") && internal("[::1]:1") && internal("[::ffff:127.0.0.1]:1"));
        assert!(!internal("192.168.4.2:1") && !internal("[::]:1") && !internal("[fe80::1]:1"));
    }
}
