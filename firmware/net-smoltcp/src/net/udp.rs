//! Datagrams: UDP sockets with a queue of bounded length each, and multicast groups.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::phy::Device;
use smoltcp::socket::udp;
use smoltcp::wire::{IpAddress, IpEndpoint};
use umqtt_net::{Interface, NetError, Peer, PortUse, SendError, Udp, UdpId};

use crate::connection::Millis;
use crate::{NetLimits, SmolNet};

/// Groups joined at a time, by all sockets together.
pub const MAX_GROUPS: usize = 2;
/// Milliseconds that datagrams wait for a neighbour that does not answer. Then they are dropped, as
/// those behind them would wait for ever: smoltcp takes the next one only when the first has left.
pub const SEND_TIMEOUT: Millis = 3_000;
/// Bytes of the headers of IPv4 and UDP.
const HEADERS: usize = 20 + 8;

/// The UDP sockets.
pub(crate) struct UdpSockets {
    entries: Vec<Option<Entry>>,
    groups: heapless::Vec<(UdpId, Ipv4Addr), MAX_GROUPS>,
}

struct Entry {
    handle: SocketHandle,
    port: u16,
    /// A datagram is there, and that is to be reported.
    ready: bool,
    /// That was reported, and none was taken since.
    reported: bool,
    /// Since when nothing of what waits has left.
    waiting: Option<(Millis, usize)>,
}

impl UdpSockets {
    pub(crate) fn new(limits: &NetLimits) -> UdpSockets {
        UdpSockets { entries: Vec::with_capacity(limits.udp.sockets), groups: heapless::Vec::new() }
    }

    /// Places in the set of sockets that it needs.
    pub(crate) fn places(limits: &NetLimits) -> usize {
        limits.udp.sockets
    }

    /// Bytes of the heap.
    pub(crate) fn memory(&self, limits: &NetLimits) -> usize {
        limits.udp.sockets * size_of::<Option<Entry>>()
            + self.entries.iter().flatten().count() * limits.udp.memory()
    }

    /// Looks for datagrams that came.
    pub(crate) fn poll(&mut self, sockets: &mut SocketSet<'static>) {
        for entry in self.entries.iter_mut().flatten() {
            let received = sockets.get::<udp::Socket>(entry.handle).can_recv();
            entry.ready |= received && !entry.reported;
        }
    }

    /// Drops what has waited for too long; to be called when frames have just left. Returns when to
    /// come again.
    pub(crate) fn drop_stuck(
        &mut self,
        sockets: &mut SocketSet<'static>,
        now: Millis,
    ) -> Option<Millis> {
        let mut next = None;
        for entry in self.entries.iter_mut().flatten() {
            let socket = sockets.get_mut::<udp::Socket>(entry.handle);
            let waiting = socket.send_queue();
            entry.waiting = match entry.waiting {
                _ if waiting == 0 => None,
                Some((since, before)) if waiting >= before => Some((since, waiting)),
                _ => Some((now, waiting)),
            };
            let Some((since, _)) = entry.waiting else { continue };
            if since + SEND_TIMEOUT <= now {
                // The only way there is. What was received goes with it.
                socket.close();
                let _ = socket.bind(entry.port); // it was bound to it before
                entry.waiting = None;
            } else {
                let at = since + SEND_TIMEOUT;
                next = Some(next.map_or(at, |other: Millis| other.min(at)));
            }
        }
        next
    }

    /// Whether there is something to report.
    pub(crate) fn has_events(&self) -> bool {
        self.entries.iter().flatten().any(|entry| entry.ready)
    }

    /// A socket that has received something.
    pub(crate) fn next_event(&mut self) -> Option<UdpId> {
        (0..).zip(&mut self.entries).find_map(|(index, entry)| {
            let entry = entry.as_mut().filter(|entry| entry.ready)?;
            entry.ready = false;
            entry.reported = true;
            Some(UdpId(index))
        })
    }

    fn get(&mut self, socket: UdpId) -> Option<&mut Entry> {
        self.entries.get_mut(socket.0 as usize)?.as_mut()
    }

    fn uses_port(&self, port: u16) -> bool {
        self.entries.iter().flatten().any(|entry| entry.port == port)
    }

    /// The lowest number that is free.
    fn free(&self, limits: &NetLimits) -> Option<usize> {
        let free = self.entries.iter().position(Option::is_none).unwrap_or(self.entries.len());
        (free < limits.udp.sockets).then_some(free)
    }
}

/// A buffer for datagrams; `None` when memory is short.
fn buffer(limits: &NetLimits) -> Option<udp::PacketBuffer<'static>> {
    let limits = &limits.udp;
    let mut metadata = Vec::new();
    metadata.try_reserve_exact(limits.datagrams).ok()?;
    metadata.resize(limits.datagrams, udp::PacketMetadata::EMPTY);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(limits.bytes).ok()?;
    bytes.resize(limits.bytes, 0);
    Some(udp::PacketBuffer::new(metadata, bytes))
}

impl<D: Device> SmolNet<D> {
    fn free_udp_port(&mut self) -> u16 {
        loop {
            let port = self.free_local_port();
            // Ends: there are far more ports than sockets.
            if !self.udp.uses_port(port) {
                return port;
            }
        }
    }

    /// The longest payload that can be sent.
    fn max_payload(&self) -> usize {
        let mtu = self.ip_mtu();
        self.table.limits().udp.bytes.min(mtu.saturating_sub(HEADERS))
    }
}

impl<D: Device> Udp for SmolNet<D> {
    fn bind(&mut self, port: u16, _port_use: PortUse) -> Result<(UdpId, u16), NetError> {
        let port = if port == 0 { self.free_udp_port() } else { port };
        if self.udp.uses_port(port) {
            return Err(NetError::PortInUse);
        }
        let limits = *self.table.limits();
        let free = self.udp.free(&limits).ok_or(NetError::Full)?;
        if !(limits.admits)() {
            return Err(NetError::Full);
        }
        let received = buffer(&limits).ok_or(NetError::Full)?;
        let sent = buffer(&limits).ok_or(NetError::Full)?;
        let mut socket = udp::Socket::new(received, sent);
        socket.bind(port).map_err(|_| NetError::Failed)?;
        let handle = self.table.sockets.add(socket);
        let entry = Entry { handle, port, ready: false, reported: false, waiting: None };
        match self.udp.entries.get_mut(free) {
            Some(place) => *place = Some(entry),
            None => self.udp.entries.push(Some(entry)), // within its capacity
        }
        Ok((UdpId(free as u32), port))
    }

    fn close(&mut self, socket: UdpId) {
        let entry = self.udp.entries.get_mut(socket.0 as usize).and_then(Option::take);
        let Some(entry) = entry else { return };
        self.table.sockets.remove(entry.handle);
        for at in (0..self.udp.groups.len()).rev() {
            let (member, group) = self.udp.groups[at];
            if member == socket {
                self.udp.groups.swap_remove(at);
                if self.udp.groups.iter().all(|(_, other)| *other != group) {
                    self.leave_group(group);
                }
            }
        }
    }

    fn send_to(&mut self, socket: UdpId, bytes: &[u8], peer: Peer) -> Result<(), SendError> {
        let IpAddr::V4(address) = peer.addr.ip() else { return Err(SendError::Unreachable) };
        let handle = self.udp.get(socket).ok_or(SendError::Unreachable)?.handle;
        if peer.interface != self.interface_kind || self.address().is_none() {
            return Err(SendError::Unreachable);
        }
        if bytes.len() > self.max_payload() {
            return Err(SendError::TooLong);
        }
        let to = IpEndpoint::new(IpAddress::Ipv4(address), peer.addr.port());
        let socket = self.table.sockets.get_mut::<udp::Socket>(handle);
        socket.send_slice(bytes, to).map_err(|error| match error {
            udp::SendError::BufferFull => SendError::Full,
            udp::SendError::Unaddressable => SendError::Unreachable,
        })
    }

    fn recv_from(&mut self, socket: UdpId, show: &mut dyn FnMut(&[u8], Peer)) -> bool {
        let interface = self.interface_kind;
        let Some(entry) = self.udp.get(socket) else { return false };
        entry.reported = false;
        let Ok((bytes, meta)) = self.table.sockets.get_mut::<udp::Socket>(entry.handle).recv()
        else {
            return false;
        };
        let IpAddress::Ipv4(address) = meta.endpoint.addr;
        show(bytes, Peer::new(SocketAddr::from((address, meta.endpoint.port)), interface));
        true
    }

    fn join(
        &mut self,
        socket: UdpId,
        group: Ipv4Addr,
        interface: Interface,
    ) -> Result<(), NetError> {
        if !group.is_multicast() || interface != self.interface_kind {
            return Err(NetError::Failed);
        }
        self.udp.get(socket).ok_or(NetError::Failed)?;
        if self.udp.groups.contains(&(socket, group)) {
            return Ok(());
        }
        if self.udp.groups.is_full() {
            return Err(NetError::Full);
        }
        self.join_group(group)?;
        let _ = self.udp.groups.push((socket, group)); // there is room
        Ok(())
    }
}

#[cfg(feature = "multicast")]
impl<D: Device> SmolNet<D> {
    fn join_group(&mut self, group: Ipv4Addr) -> Result<(), NetError> {
        self.interface.join_multicast_group(group).map_err(|_| NetError::Full)
    }

    fn leave_group(&mut self, group: Ipv4Addr) {
        let _ = self.interface.leave_multicast_group(group); // it was joined
    }
}

#[cfg(not(feature = "multicast"))]
impl<D: Device> SmolNet<D> {
    fn join_group(&mut self, _: Ipv4Addr) -> Result<(), NetError> {
        Err(NetError::Failed)
    }

    fn leave_group(&mut self, _: Ipv4Addr) {}
}
