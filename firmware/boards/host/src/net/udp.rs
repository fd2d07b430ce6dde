//! Datagrams on the operating system's sockets. The system has their queues; nothing is kept here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, Type};
use umqtt_net::{BoundSocket, Interface, NetError, Peer, PortUse, SendError, Udp, UdpId};

use super::link::Link;
use super::{HostNet, UDP, addresses};

/// UDP sockets bound at a time.
pub const MAX_UDP_SOCKETS: usize = 16;
/// Groups joined at a time, by all sockets together.
pub const MAX_GROUPS: usize = 16;
/// The longest payload there is: that of the longest packet of IPv4.
const MAX_PAYLOAD: usize = 65_535 - 20 - 8;
/// Failed reads after which a socket is left alone until the next event.
const MAX_ERRORS: usize = 8;

/// A UDP socket of the device.
#[derive(Debug)]
pub(crate) struct Entry {
    /// One at each of the links it is for.
    bound: Vec<(Link, UdpSocket)>,
    groups: Vec<Group>,
    port: u16,
    /// A datagram may be there, and that is to be reported.
    pub(crate) ready: bool,
}

/// A group that was joined.
#[derive(Debug)]
struct Group {
    address: Ipv4Addr,
    interface: Interface,
    /// What is sent to the group comes here, where the socket itself is bound to one address and
    /// does not get it.
    socket: Option<UdpSocket>,
}

fn net_error(error: io::Error) -> NetError {
    match error.kind() {
        io::ErrorKind::AddrInUse => NetError::PortInUse,
        io::ErrorKind::PermissionDenied => NetError::NotPermitted,
        io::ErrorKind::OutOfMemory => NetError::Full,
        _ => NetError::Failed,
    }
}

/// A bound socket.
fn open(
    registry: &Registry,
    link: &Link,
    address: SocketAddr,
    port_use: PortUse,
    token: Token,
) -> io::Result<UdpSocket> {
    let socket = link.socket(Type::DGRAM)?;
    socket.set_broadcast(true)?;
    socket.set_reuse_address(port_use == PortUse::Shared)?;
    if address.is_ipv4() {
        // Otherwise it would receive what is sent to groups that other programs have joined.
        #[cfg(target_os = "linux")]
        socket.set_multicast_all_v4(false)?;
    }
    socket.bind(&address.into())?;
    let mut socket = UdpSocket::from_std(socket.into());
    registry.register(&mut socket, token, Interest::READABLE)?;
    Ok(socket)
}

/// The next datagram; `None` when there is none.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    for _ in 0..MAX_ERRORS {
        match socket.recv_from(buffer) {
            Ok(received) => return Some(received),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(_) => {} // about one sent before; the next may be fine
        }
    }
    None
}

impl HostNet {
    /// The address through which an interface's groups are joined.
    fn group_interface(&self, interface: Interface) -> Option<Ipv4Addr> {
        if let Some(link) = self.links.iter().find(|link| link.interface == Some(interface)) {
            return link.first_address();
        }
        match (self.bind, interface) {
            (IpAddr::V6(_), _) | (_, Interface::AccessPoint) => None,
            _ if self.links.iter().any(Link::is_device) => None,
            (IpAddr::V4(bind), Interface::Loopback) if bind.is_unspecified() => {
                Some(Ipv4Addr::LOCALHOST)
            }
            (IpAddr::V4(bind), Interface::Station) if bind.is_unspecified() => {
                match addresses::towards_others(bind.into()) {
                    Some(IpAddr::V4(own)) => Some(own),
                    _ => Some(bind),
                }
            }
            (IpAddr::V4(bind), _) => {
                (bind.is_loopback() == (interface == Interface::Loopback)).then_some(bind)
            }
        }
    }

    /// Binds a socket at these links.
    fn bind_at(
        &mut self,
        links: Vec<Link>,
        port: u16,
        port_use: PortUse,
    ) -> Result<BoundSocket, NetError> {
        let free = self.udp.iter().position(Option::is_none).unwrap_or(self.udp.len());
        if free >= MAX_UDP_SOCKETS {
            return Err(NetError::Full);
        }
        let token = Token(UDP + free);
        let (mut bound, mut port) = (Vec::new(), port);
        for link in links {
            let address = SocketAddr::new(link.address, port);
            let socket = open(self.poll.registry(), &link, address, port_use, token);
            let socket = socket.map_err(net_error)?;
            if let IpAddr::V4(bind) = link.address
                && !bind.is_unspecified()
            {
                // What is sent to a group shall leave through the same interface as everything
                // else.
                SockRef::from(&socket).set_multicast_if_v4(&bind).map_err(net_error)?;
            }
            // All have the port that the system chose for the first.
            port = socket.local_addr().map_err(net_error)?.port();
            bound.push((link, socket));
        }
        let entry = Some(Entry { bound, groups: Vec::new(), port, ready: false });
        match self.udp.get_mut(free) {
            Some(place) => *place = entry,
            None => self.udp.push(entry),
        }
        Ok(BoundSocket::new(UdpId(free as u32), port))
    }

    fn udp_entry(&mut self, socket: UdpId) -> Option<&mut Entry> {
        self.udp.get_mut(socket.0 as usize)?.as_mut()
    }
}

impl Udp for HostNet {
    fn bind(&mut self, port: u16, port_use: PortUse) -> Result<BoundSocket, NetError> {
        self.bind_at(self.links.clone(), port, port_use)
    }

    fn bind_to(
        &mut self,
        interface: Interface,
        port: u16,
        port_use: PortUse,
    ) -> Result<BoundSocket, NetError> {
        // An address of one interface serves as that.
        let is_it = |link: &&Link| {
            let one = Peer::from(SocketAddr::new(link.address, 0)).interface;
            let known = link.interface.or((!link.address.is_unspecified()).then_some(one));
            known == Some(interface)
        };
        let link = self.links.iter().find(is_it).cloned().ok_or(NetError::Failed)?;
        self.bind_at(vec![link], port, port_use)
    }

    fn close(&mut self, socket: UdpId) {
        if let Some(place) = self.udp.get_mut(socket.0 as usize) {
            *place = None; // closes them, which leaves the groups
        }
    }

    fn send_to(&mut self, socket: UdpId, bytes: &[u8], peer: Peer) -> Result<(), SendError> {
        let entry = self.udp_entry(socket).ok_or(SendError::Unreachable)?;
        if peer.addr.ip().is_unspecified() || peer.addr.port() == 0 {
            return Err(SendError::Unreachable);
        }
        let reaches = |link: &Link| match link.interface {
            Some(interface) => interface == peer.interface,
            None => peer.interface != Interface::AccessPoint,
        };
        let through = entry.bound.iter().find(|(link, _)| reaches(link));
        let (_, socket) = through.ok_or(SendError::Unreachable)?;
        if bytes.len() > MAX_PAYLOAD {
            return Err(SendError::TooLong);
        }
        match socket.send_to(bytes, peer.addr) {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => Err(SendError::Full),
                _ => Err(SendError::Unreachable),
            },
        }
    }

    fn recv_from(&mut self, socket: UdpId, show: &mut dyn FnMut(&[u8], Peer)) -> bool {
        let Some(Some(entry)) = self.udp.get(socket.0 as usize) else { return false };
        // Only where there is one link, groups have sockets of their own.
        let groups = entry.groups.iter().filter_map(|group| {
            let (link, _) = entry.bound.first()?;
            Some((link, group.socket.as_ref()?))
        });
        let mut sockets = entry.bound.iter().map(|(link, socket)| (link, socket)).chain(groups);
        let received = sockets.find_map(|(link, socket)| {
            receive(socket, &mut self.buffer).map(|(len, from)| (len, link.peer(from)))
        });
        match received {
            Some((len, from)) => {
                show(&self.buffer[..len], from);
                true
            }
            None => false,
        }
    }

    fn join(
        &mut self,
        socket: UdpId,
        group: Ipv4Addr,
        interface: Interface,
    ) -> Result<(), NetError> {
        let through = self.group_interface(interface).ok_or(NetError::Failed)?;
        let joined: usize = self.udp.iter().flatten().map(|entry| entry.groups.len()).sum();
        let Some(Some(entry)) = self.udp.get_mut(socket.0 as usize) else {
            return Err(NetError::Failed);
        };
        if !group.is_multicast() {
            return Err(NetError::Failed);
        }
        let same = |one: &Group| one.address == group && one.interface == interface;
        if entry.groups.iter().any(same) {
            return Ok(());
        }
        if joined >= MAX_GROUPS {
            return Err(NetError::Full);
        }
        let at = |(link, _): &&(Link, UdpSocket)| link.interface.is_none_or(|it| it == interface);
        let (link, bound) = entry.bound.iter().find(at).ok_or(NetError::Failed)?;
        let own = if self.bind.is_unspecified() {
            None
        } else {
            let address = SocketAddr::from((group, entry.port));
            let token = Token(UDP + socket.0 as usize);
            let shared = open(self.poll.registry(), link, address, PortUse::Shared, token);
            Some(shared.map_err(net_error)?)
        };
        let joining = SockRef::from(own.as_ref().unwrap_or(bound));
        joining.join_multicast_v4(&group, &through).map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => NetError::Full,
            _ => NetError::Failed,
        })?;
        // What is sent to the group leaves through that interface, and is known there to come from
        // this link (RFC 6762, section 11).
        let sending = SockRef::from(bound);
        sending.set_multicast_if_v4(&through).map_err(net_error)?;
        sending.set_multicast_ttl_v4(255).map_err(net_error)?;
        entry.groups.push(Group { address: group, interface, socket: own });
        Ok(())
    }
}
