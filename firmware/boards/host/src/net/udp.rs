//! Datagrams on the operating system's sockets. The system has their queues; nothing is kept here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockRef, Socket, Type};
use umqtt_net::{BoundSocket, Interface, NetError, Peer, PortUse, SendError, Udp, UdpId};

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
    socket: UdpSocket,
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
    address: SocketAddr,
    port_use: PortUse,
    token: Token,
) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
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
        match (self.bind, interface) {
            (IpAddr::V6(_), _) | (_, Interface::AccessPoint) => None,
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

    fn udp_entry(&mut self, socket: UdpId) -> Option<&mut Entry> {
        self.udp.get_mut(socket.0 as usize)?.as_mut()
    }
}

impl Udp for HostNet {
    fn bind(&mut self, port: u16, port_use: PortUse) -> Result<BoundSocket, NetError> {
        let free = self.udp.iter().position(Option::is_none).unwrap_or(self.udp.len());
        if free >= MAX_UDP_SOCKETS {
            return Err(NetError::Full);
        }
        let address = SocketAddr::new(self.bind, port);
        let token = Token(UDP + free);
        let socket = open(self.poll.registry(), address, port_use, token).map_err(net_error)?;
        if let IpAddr::V4(bind) = self.bind
            && !bind.is_unspecified()
        {
            // What is sent to a group shall leave through the same interface as everything else.
            SockRef::from(&socket).set_multicast_if_v4(&bind).map_err(net_error)?;
        }
        let port = socket.local_addr().map_err(net_error)?.port();
        let entry = Some(Entry { socket, groups: Vec::new(), port, ready: false });
        match self.udp.get_mut(free) {
            Some(place) => *place = entry,
            None => self.udp.push(entry),
        }
        Ok(BoundSocket::new(UdpId(free as u32), port))
    }

    fn close(&mut self, socket: UdpId) {
        if let Some(place) = self.udp.get_mut(socket.0 as usize) {
            *place = None; // closes them, which leaves the groups
        }
    }

    fn send_to(&mut self, socket: UdpId, bytes: &[u8], peer: Peer) -> Result<(), SendError> {
        let entry = self.udp_entry(socket).ok_or(SendError::Unreachable)?;
        let nowhere = peer.addr.ip().is_unspecified() || peer.addr.port() == 0;
        if nowhere || peer.interface == Interface::AccessPoint {
            return Err(SendError::Unreachable);
        }
        if bytes.len() > MAX_PAYLOAD {
            return Err(SendError::TooLong);
        }
        match entry.socket.send_to(bytes, peer.addr) {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => Err(SendError::Full),
                _ => Err(SendError::Unreachable),
            },
        }
    }

    fn recv_from(&mut self, socket: UdpId, show: &mut dyn FnMut(&[u8], Peer)) -> bool {
        let Some(Some(entry)) = self.udp.get(socket.0 as usize) else { return false };
        let others = entry.groups.iter().filter_map(|group| group.socket.as_ref());
        let mut sockets = std::iter::once(&entry.socket).chain(others);
        match sockets.find_map(|socket| receive(socket, &mut self.buffer)) {
            Some((len, from)) => {
                show(&self.buffer[..len], Peer::from(from));
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
        let own = if self.bind.is_unspecified() {
            None
        } else {
            let address = SocketAddr::from((group, entry.port));
            let token = Token(UDP + socket.0 as usize);
            let shared = open(self.poll.registry(), address, PortUse::Shared, token);
            Some(shared.map_err(net_error)?)
        };
        let joining = SockRef::from(own.as_ref().unwrap_or(&entry.socket));
        joining.join_multicast_v4(&group, &through).map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => NetError::Full,
            _ => NetError::Failed,
        })?;
        // What is sent to the group leaves through that interface, and is known there to come from
        // this link (RFC 6762, section 11).
        let sending = SockRef::from(&entry.socket);
        sending.set_multicast_if_v4(&through).map_err(net_error)?;
        sending.set_multicast_ttl_v4(255).map_err(net_error)?;
        entry.groups.push(Group { address: group, interface, socket: own });
        Ok(())
    }
}
