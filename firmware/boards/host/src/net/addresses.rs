//! The addresses under which the device is reached.

use std::net::{IpAddr, UdpSocket};

use umqtt_net::{Interface, InterfaceAddr};

/// The addresses of a device that is bound to `bind`.
pub(crate) fn of(bind: IpAddr, each: &mut dyn FnMut(InterfaceAddr)) {
    if !bind.is_unspecified() {
        return each(with_interface(bind));
    }
    let loopback = match bind {
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
    };
    if let Some(address) = towards_others(bind) {
        each(with_interface(address));
    }
    each(with_interface(loopback));
}

/// The address that others see. Connecting a UDP socket sends nothing; it makes the system choose.
fn towards_others(bind: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((bind, 0)).ok()?;
    let anywhere: IpAddr = match bind {
        IpAddr::V4(_) => IpAddr::from([192, 0, 2, 1]),
        IpAddr::V6(_) => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]),
    };
    socket.connect((anywhere, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// An address with its interface. The system does not say how long its prefix is.
fn with_interface(address: IpAddr) -> InterfaceAddr {
    let host = if address.is_ipv4() { 32 } else { 128 };
    match address.is_loopback() {
        true => {
            let prefix = if address.is_ipv4() { 8 } else { host };
            InterfaceAddr::new(Interface::Loopback, address, prefix)
        }
        false => InterfaceAddr::new(Interface::Station, address, host),
    }
}
