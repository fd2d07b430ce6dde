//! Two stacks as one [`Net`]: a board whose access point and station have a stack each, or a
//! loopback beside them.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use crate::{
    BoundSocket, ConnId, Instant, Interface, InterfaceAddr, Net, NetError, NetEvent, Peer, PortUse,
    SendError, Stack, Udp, UdpId,
};

/// Two stacks as one. The second one is that of one [`Interface`], the first one has all others.
///
/// Ports are listened on in both. What the device connects to, or sends a datagram to, goes through
/// the second if it is in its network, else through the first, whose business names are too. Ids of
/// connections stay small: those of the first stack are the even ones, those of the second the odd
/// ones. UDP sockets are bound in both, unless they are for one interface.
#[derive(Debug)]
pub struct DualNet<A, B> {
    first: A,
    second: B,
    interface: Interface,
    /// The second is asked for the next event first: each has its turn.
    second_next: bool,
    /// The UDP sockets by their number: that of each in its stack.
    udp: Vec<Option<InStacks>>,
}

/// The number of a UDP socket in the first stack and in the second, where it has one.
type InStacks = [Option<UdpId>; 2];

impl<A: Net, B: Net> DualNet<A, B> {
    /// Two stacks as one; `second` is that of `interface`.
    pub fn new(first: A, second: B, interface: Interface) -> DualNet<A, B> {
        DualNet { first, second, interface, second_next: false, udp: Vec::new() }
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
            NetEvent::Datagram(id) => {
                let is_it = |socket: &Option<InStacks>| {
                    socket.is_some_and(|socket| socket[usize::from(second)] == Some(id))
                };
                let socket = self.udp.iter().position(is_it)?;
                NetEvent::Datagram(UdpId(u32::try_from(socket).ok()?))
            }
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

    fn name_server(&self) -> Option<Ipv4Addr> {
        let (first, second) = (&self.first, &self.second);
        first.name_server().or_else(|| second.name_server())
    }

    fn memory(&self) -> usize {
        self.first.memory() + self.second.memory()
    }

    fn refused(&self) -> u32 {
        self.first.refused().saturating_add(self.second.refused())
    }

    fn refused_answers(&self) -> u32 {
        self.first.refused_answers().saturating_add(self.second.refused_answers())
    }

    fn udp(&mut self) -> Option<&mut dyn Udp> {
        let both = self.first.udp().is_some() && self.second.udp().is_some();
        if both { Some(self) } else { None }
    }
}

impl<A: Net, B: Net> DualNet<A, B> {
    /// The UDP half of the first stack or of the second.
    fn udp_of(&mut self, second: bool) -> Option<&mut dyn Udp> {
        if second { self.second.udp() } else { self.first.udp() }
    }

    /// Its number in that stack.
    fn in_stack(&self, socket: UdpId, second: bool) -> Option<UdpId> {
        self.udp.get(socket.0 as usize).copied().flatten()?[usize::from(second)]
    }

    /// Binds it in one stack, or in both; closes what was bound if one of them refuses.
    fn bind_in(
        &mut self,
        stacks: &[bool],
        bind: impl Fn(&mut dyn Udp, Option<u16>) -> Result<BoundSocket, NetError>,
    ) -> Result<BoundSocket, NetError> {
        let place = self.udp.iter().position(Option::is_none).unwrap_or(self.udp.len());
        if place == self.udp.len() {
            self.udp.try_reserve(1).map_err(|_| NetError::Full)?;
            self.udp.push(None);
        }
        let (mut socket, mut port): (InStacks, _) = ([None; 2], None);
        for second in stacks {
            let udp = self.udp_of(*second).ok_or(NetError::Failed);
            match udp.and_then(|udp| bind(udp, port)) {
                Ok(bound) => {
                    socket[usize::from(*second)] = Some(bound.id);
                    port = Some(bound.port);
                }
                Err(error) => {
                    self.close_in(socket);
                    return Err(error);
                }
            }
        }
        self.udp[place] = Some(socket);
        let number = u32::try_from(place).map_err(|_| NetError::Full)?;
        port.map(|port| BoundSocket::new(UdpId(number), port)).ok_or(NetError::Failed)
    }

    fn close_in(&mut self, socket: InStacks) {
        for (second, id) in [false, true].into_iter().zip(socket) {
            if let (Some(id), Some(udp)) = (id, self.udp_of(second)) {
                udp.close(id);
            }
        }
    }
}

impl<A: Net, B: Net> Udp for DualNet<A, B> {
    fn bind(&mut self, port: u16, port_use: PortUse) -> Result<BoundSocket, NetError> {
        // The second has to have the port that the first one chose.
        self.bind_in(&[false, true], |udp, chosen| udp.bind(chosen.unwrap_or(port), port_use))
    }

    fn bind_for(
        &mut self,
        payload: usize,
        port: u16,
        port_use: PortUse,
    ) -> Result<BoundSocket, NetError> {
        self.bind_in(&[false, true], |udp, chosen| {
            udp.bind_for(payload, chosen.unwrap_or(port), port_use)
        })
    }

    fn bind_to(
        &mut self,
        interface: Interface,
        port: u16,
        port_use: PortUse,
    ) -> Result<BoundSocket, NetError> {
        let second = interface == self.interface;
        self.bind_in(&[second], |udp, _| udp.bind_to(interface, port, port_use))
    }

    fn close(&mut self, socket: UdpId) {
        if let Some(socket) = self.udp.get_mut(socket.0 as usize).and_then(Option::take) {
            self.close_in(socket);
        }
    }

    fn send_to(&mut self, socket: UdpId, bytes: &[u8], peer: Peer) -> Result<(), SendError> {
        let second = peer.interface == self.interface;
        let id = self.in_stack(socket, second).ok_or(SendError::Unreachable)?;
        self.udp_of(second).ok_or(SendError::Unreachable)?.send_to(id, bytes, peer)
    }

    fn recv_from(&mut self, socket: UdpId, show: &mut dyn FnMut(&[u8], Peer)) -> bool {
        [false, true].into_iter().any(|second| {
            let id = self.in_stack(socket, second);
            id.zip(self.udp_of(second)).is_some_and(|(id, udp)| udp.recv_from(id, show))
        })
    }

    fn join(
        &mut self,
        socket: UdpId,
        group: Ipv4Addr,
        interface: Interface,
    ) -> Result<(), NetError> {
        let second = interface == self.interface;
        let id = self.in_stack(socket, second).ok_or(NetError::Failed)?;
        self.udp_of(second).ok_or(NetError::Failed)?.join(id, group, interface)
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
