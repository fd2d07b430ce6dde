//! The addresses under which the device is reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use if_addrs::IfAddr;
use umqtt_net::{Interface, InterfaceAddr};

/// The addresses of a device that is bound to `bind`.
pub(crate) fn of(bind: IpAddr, each: &mut dyn FnMut(InterfaceAddr)) {
    if !bind.is_unspecified() {
        return each(with_interface(bind));
    }
    let loopback: IpAddr = match bind {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    if let Some(address) = towards_others(bind) {
        each(with_interface(address));
    }
    each(with_interface(loopback));
}

/// The address that others see.
pub(crate) fn towards_others(bind: IpAddr) -> Option<IpAddr> {
    towards_the_world(bind).or_else(|| {
        // There is no way out of the own network.
        let own = if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|own| own.ip());
        own.filter(|own| own.is_ipv4() == bind.is_ipv4()).find(|own| !own.is_loopback())
    })
}

/// Connecting a UDP socket sends nothing; it makes the system choose.
fn towards_the_world(bind: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((bind, 0)).ok()?;
    let anywhere: IpAddr = match bind {
        IpAddr::V4(_) => IpAddr::from([192, 0, 2, 1]),
        IpAddr::V6(_) => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]),
    };
    socket.connect((anywhere, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// An address with its interface and the length of its network's prefix.
fn with_interface(address: IpAddr) -> InterfaceAddr {
    let interface = match address.is_loopback() {
        true => Interface::Loopback,
        false => Interface::Station,
    };
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let prefix = interfaces.iter().find(|own| own.ip() == address).map(|own| match &own.addr {
        IfAddr::V4(own) => own.prefixlen,
        IfAddr::V6(own) => own.prefixlen,
    });
    let unknown = match address {
        IpAddr::V4(_) if address.is_loopback() => 8,
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    InterfaceAddr::new(interface, address, prefix.unwrap_or(unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bind: [u8; 4]) -> Vec<InterfaceAddr> {
        let mut all = Vec::new();
        of(IpAddr::from(bind), &mut |own| all.push(own));
        all
    }

    #[test]
    fn loopback_is_a_network_of_sixteen_million() {
        let own = InterfaceAddr::new(Interface::Loopback, IpAddr::from([127, 0, 0, 1]), 8);
        assert_eq!(all([127, 0, 0, 1]), [own]);
        assert_eq!(all([0, 0, 0, 0]).last(), Some(&own));
        assert!(all([127, 9, 9, 9])[0].contains(IpAddr::from([127, 0, 0, 1])));
    }
}
