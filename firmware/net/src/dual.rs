//! Two stacks as one [`Net`]: a board whose access point and station have a stack each, or a
//! loopback beside them.

use core::net::{IpAddr, Ipv4Addr};

use crate::{
    BoundSocket, ConnId, Instant, Interface, InterfaceAddr, Net, NetError, NetEvent, Peer, PortUse,
    SendError, Stack, Udp, UdpId,
};

/// Two stacks as one. The second one is that of one [`Interface`], the first one has all others.
///
/// Ports are listened on in both. What the device connects to, or sends a datagram to, goes through
/// the second if it is in its network, else through the first, whose business names are too. Ids
/// stay small: those of the first stack are the even ones, those of the second the odd ones.
#[derive(Debug)]
pub struct DualNet<A, B> {
    first: A,
    second: B,
    interface: Interface,
    /// The second is asked for the next event first: each has its turn.
    second_next: bool,
}

impl<A: Net, B: Net> DualNet<A, B> {
    /// Two stacks as one; `second` is that of `interface`.
    pub fn new(first: A, second: B, interface: Interface) -> DualNet<A, B> {
        DualNet { first, second, interface, second_next: false }
    }

    /// The stacks.
    pub fn parts(&mut self) -> (&mut A, &mut B) {
        (&mut self.first, &mut self.second)
    }

    fn is_second(&self, host: IpAddr) -> bool {
        let mut found = false;
        self.second.addresses(&mut |own| found |= own.contains(host));
        found
    }

    fn stack(&mut self, number: u32) -> (&mut dyn Net, u32) {
        match number % 2 {
            0 => (&mut self.first, number / 2),
            _ => (&mut self.second, number / 2),
        }
    }

    fn poll_one(&mut self, second: bool) -> Option<NetEvent> {
        let event = if second { self.second.poll_event() } else { self.first.poll_event() }?;
        let outer = |id: u32| 2 * id + u32::from(second);
        let conn = |conn: ConnId| ConnId(outer(conn.0));
        Some(match event {
            NetEvent::Accepted { port, conn: id, peer } => {
                NetEvent::Accepted { port, conn: conn(id), peer }
            }
            NetEvent::Connected(id) => NetEvent::Connected(conn(id)),
            NetEvent::Resolved(id, address) => NetEvent::Resolved(conn(id), address),
            NetEvent::Readable(id) => NetEvent::Readable(conn(id)),
            NetEvent::Writable(id) => NetEvent::Writable(conn(id)),
            NetEvent::PeerClosed(id) => NetEvent::PeerClosed(conn(id)),
            NetEvent::Closed(id, reason) => NetEvent::Closed(conn(id), reason),
            // A UDP socket is there in both stacks, under one number.
            NetEvent::Datagram(id) => NetEvent::Datagram(id),
        })
    }
}

impl<A: Net, B: Net> Net for DualNet<A, B> {
    fn listen(&mut self, port: u16) -> Result<u16, NetError> {
        let port = self.first.listen(port)?;
        if let Err(error) = self.second.listen(port) {
            self.first.unlisten(port);
            return Err(error);
        }
        Ok(port)
    }

    fn unlisten(&mut self, port: u16) {
        self.first.unlisten(port);
        self.second.unlisten(port);
    }

    fn connect(&mut self, host: &str, port: u16) -> Result<ConnId, NetError> {
        match host.parse().is_ok_and(|host| self.is_second(host)) {
            true => self.second.connect(host, port).map(|conn| ConnId(2 * conn.0 + 1)),
            false => self.first.connect(host, port).map(|conn| ConnId(2 * conn.0)),
        }
    }

    fn resolve(&mut self, host: &str) -> Result<ConnId, NetError> {
        self.first.resolve(host).map(|conn| ConnId(2 * conn.0))
    }

    fn poll_event(&mut self) -> Option<NetEvent> {
        let second = self.second_next;
        self.second_next = !second;
        self.poll_one(second).or_else(|| self.poll_one(!second))
    }

    fn recv(&mut self, conn: ConnId, take: &mut dyn FnMut(&[u8]) -> usize) -> usize {
        let (net, id) = self.stack(conn.0);
        net.recv(ConnId(id), take)
    }

    fn send(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let (net, id) = self.stack(conn.0);
        net.send(ConnId(id), bytes)
    }

    fn send_room(&mut self, conn: ConnId) -> usize {
        let (net, id) = self.stack(conn.0);
        net.send_room(ConnId(id))
    }

    fn close(&mut self, conn: ConnId) {
        let (net, id) = self.stack(conn.0);
        net.close(ConnId(id));
    }

    fn abort(&mut self, conn: ConnId) {
        let (net, id) = self.stack(conn.0);
        net.abort(ConnId(id));
    }

    fn is_full(&self) -> bool {
        self.first.is_full() || self.second.is_full()
    }

    fn addresses(&self, each: &mut dyn FnMut(InterfaceAddr)) {
        self.first.addresses(each);
        self.second.addresses(each);
    }

    fn memory(&self) -> usize {
        self.first.memory() + self.second.memory()
    }

    fn refused(&self) -> u32 {
        self.first.refused().saturating_add(self.second.refused())
    }

    fn udp(&mut self) -> Option<&mut dyn Udp> {
        let both = self.first.udp().is_some() && self.second.udp().is_some();
        if both { Some(self) } else { None }
    }
}

impl<A: Net, B: Net> DualNet<A, B> {
    /// The UDP half that an interface belongs to.
    fn udp_of(&mut self, interface: Interface) -> Option<&mut dyn Udp> {
        if interface == self.interface { self.second.udp() } else { self.first.udp() }
    }
}

/// A socket is one in each stack. Both are bound and closed together, so that they have the same
/// number in both.
impl<A: Net, B: Net> Udp for DualNet<A, B> {
    fn bind(&mut self, port: u16, port_use: PortUse) -> Result<BoundSocket, NetError> {
        let bound = self.first.udp().ok_or(NetError::Failed)?.bind(port, port_use)?;
        let second = match self.second.udp() {
            Some(udp) => udp.bind(bound.port, port_use),
            None => Err(NetError::Failed),
        };
        let failed = match second {
            Ok(second) if second.id == bound.id => return Ok(bound),
            // Sockets of one of the stacks were bound without the other.
            Ok(second) => {
                if let Some(udp) = self.second.udp() {
                    udp.close(second.id);
                }
                NetError::Failed
            }
            Err(error) => error,
        };
        if let Some(udp) = self.first.udp() {
            udp.close(bound.id);
        }
        Err(failed)
    }

    fn close(&mut self, socket: UdpId) {
        for udp in [self.first.udp(), self.second.udp()].into_iter().flatten() {
            udp.close(socket);
        }
    }

    fn send_to(&mut self, socket: UdpId, bytes: &[u8], peer: Peer) -> Result<(), SendError> {
        let udp = self.udp_of(peer.interface).ok_or(SendError::Unreachable)?;
        udp.send_to(socket, bytes, peer)
    }

    fn recv_from(&mut self, socket: UdpId, show: &mut dyn FnMut(&[u8], Peer)) -> bool {
        let mut stacks = [self.first.udp(), self.second.udp()].into_iter().flatten();
        stacks.any(|udp| udp.recv_from(socket, show))
    }

    fn join(
        &mut self,
        socket: UdpId,
        group: Ipv4Addr,
        interface: Interface,
    ) -> Result<(), NetError> {
        self.udp_of(interface).ok_or(NetError::Failed)?.join(socket, group, interface)
    }
}

impl<A: Stack, B: Stack> Stack for DualNet<A, B> {
    fn ingress(&mut self, now: Instant) {
        self.first.ingress(now);
        self.second.ingress(now);
    }

    fn egress(&mut self, now: Instant) -> Option<Instant> {
        let first = self.first.egress(now);
        let second = self.second.egress(now);
        first.into_iter().chain(second).min()
    }
}
