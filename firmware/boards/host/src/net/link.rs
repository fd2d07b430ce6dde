//! Where the device's sockets are: at an address of the computer, or at its interfaces, each of
//! which is one of the device's networks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use if_addrs::IfAddr;
use socket2::{Domain, Socket, Type};
use umqtt_net::{Interface, InterfaceAddr, Peer};

use super::addresses;

/// Connections that wait to be accepted, at an interface.
const BACKLOG: i32 = 1024;
/// The interface of the computer itself.
const LOOPBACK: &str = "lo";

/// The system's interfaces that are the device's networks. Their sockets are bound to them, so that
/// whoever comes in is known by the interface, whatever address is written on what it sends. IPv4
/// alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// The interface of the device's own network.
    pub access_point: String,
    /// That of the network it is a guest in, if it is in one.
    pub station: Option<String>,
}

/// A place where sockets are.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Which network it is; none where that is told by the peer's address.
    pub(crate) interface: Option<Interface>,
    /// The system's name of the interface.
    device: Option<String>,
    /// The address that is listened on.
    pub(crate) address: IpAddr,
}

impl Link {
    /// An address of the computer.
    pub(crate) fn address(address: IpAddr) -> Link {
        Link { interface: None, device: None, address }
    }

    /// One for each of the interfaces, and one for the computer itself.
    pub(crate) fn interfaces(interfaces: &Interfaces) -> Vec<Link> {
        let Interfaces { access_point, station } = interfaces;
        let link = |interface, device: &str| Link {
            interface: Some(interface),
            device: Some(device.to_owned()),
            address: Ipv4Addr::UNSPECIFIED.into(),
        };
        let own = link(Interface::AccessPoint, access_point);
        let station = station.iter().map(|station| link(Interface::Station, station));
        let loopback = link(Interface::Loopback, LOOPBACK);
        [own].into_iter().chain(station).chain([loopback]).collect()
    }

    /// A socket that is not bound to an address yet.
    pub(crate) fn socket(&self, kind: Type) -> io::Result<Socket> {
        let socket =
            Socket::new(Domain::for_address(SocketAddr::new(self.address, 0)), kind, None)?;
        socket.set_nonblocking(true)?;
        if let Some(device) = &self.device {
            bind_device(&socket, device)?;
        }
        Ok(socket)
    }

    /// A socket that listens.
    pub(crate) fn listen(&self, port: u16) -> io::Result<std::net::TcpListener> {
        let socket = self.socket(Type::STREAM)?;
        socket.set_reuse_address(true)?; // of connections that are over
        socket.bind(&SocketAddr::new(self.address, port).into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    }

    /// Whether it is the interface of a system's name.
    pub(crate) fn is_device(&self) -> bool {
        self.device.is_some()
    }

    /// Who sends through it from this address.
    pub(crate) fn peer(&self, from: SocketAddr) -> Peer {
        match self.interface {
            Some(interface) => Peer::new(from, interface),
            None => Peer::from(from),
        }
    }

    /// The device's addresses there.
    pub(crate) fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr)) {
        let (Some(interface), Some(device)) = (self.interface, &self.device) else {
            return addresses::of(self.address, each);
        };
        for own in if_addrs::get_if_addrs().unwrap_or_default() {
            if let IfAddr::V4(address) = &own.addr
                && own.name == *device
            {
                each(InterfaceAddr::new(interface, address.ip.into(), address.prefixlen));
            }
        }
    }

    /// The first of them.
    pub(crate) fn first_address(&self) -> Option<Ipv4Addr> {
        let mut first = None;
        self.addresses(&mut |own| {
            if let IpAddr::V4(address) = own.address {
                first.get_or_insert(address);
            }
        });
        first
    }
}

#[cfg(target_os = "linux")]
fn bind_device(socket: &Socket, device: &str) -> io::Result<()> {
    socket.bind_device(Some(device.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn bind_device(_: &Socket, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the computer has an interface of this name.
pub(crate) fn is_interface(name: &str) -> bool {
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    is_name && Path::new("/sys/class/net").join(name).exists()
}

/// The first name server of the system that has an address of IPv4.
pub(crate) fn name_server() -> Option<Ipv4Addr> {
    first_name_server(&std::fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn first_name_server(config: &str) -> Option<Ipv4Addr> {
    config.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_it = words.next() == Some("nameserver");
        words.next().filter(|_| is_it)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_server_of_ipv4_is_taken() {
        let config = "# nameserver 10.0.0.9\nsearch example\nnameserver fe80::1\n\
                      nameserver\t10.0.0.1 # the router's\nnameserver 10.0.0.2\n";
        assert_eq!(first_name_server(config), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(first_name_server("options edns0\nnameserver\n"), None);
    }

    #[test]
    fn who_comes_through_an_interface_is_of_its_network_whatever_its_address() {
        let station = Some("up".to_owned());
        let links = Link::interfaces(&Interfaces { access_point: "own".into(), station });
        let from = "127.0.0.1:9".parse().unwrap();
        let peers: Vec<_> = links.iter().map(|link| link.peer(from).interface).collect();
        assert_eq!(peers, [Interface::AccessPoint, Interface::Station, Interface::Loopback]);
        assert_eq!(Link::address([0, 0, 0, 0].into()).peer(from).interface, Interface::Loopback);
    }
}
