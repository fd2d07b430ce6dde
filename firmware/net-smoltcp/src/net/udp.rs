//! What the device calls for datagrams: [`Udp`] for [`SmolNet`].

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use smoltcp::phy::Device;
use smoltcp::socket::udp;
use smoltcp::wire::{IpAddress, IpEndpoint};
use umqtt_net::{BoundSocket, Interface, NetError, Peer, PortUse, SendError, Udp, UdpId};

use super::SmolNet;
use crate::datagrams::buffer;
use crate::udp_sockets::Entry;

/// Bytes of the headers of IPv4 and UDP.
const HEADERS: usize = 20 + 8;

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

    /// The longest payload that the interface can send.
    fn max_payload(&self) -> usize {
        self.ip_mtu().saturating_sub(HEADERS)
    }
}

impl<D: Device> Udp for SmolNet<D> {
    fn bind(&mut self, port: u16, port_use: PortUse) -> Result<BoundSocket, NetError> {
        self.bind_for(usize::MAX, port, port_use)
    }

    fn bind_for(
        &mut self,
        payload: usize,
        port: u16,
        _port_use: PortUse,
    ) -> Result<BoundSocket, NetError> {
        let port = if port == 0 { self.free_udp_port() } else { port };
        if self.udp.uses_port(port) {
            return Err(NetError::PortInUse);
        }
        let limits = *self.table.limits();
        let free = self.udp.free(&limits).ok_or(NetError::Full)?;
        if !(limits.admits)() {
            return Err(NetError::Full);
        }
        let limits = limits.udp.payload(payload);
        let received = buffer(&limits).ok_or(NetError::Full)?;
        let sent = buffer(&limits).ok_or(NetError::Full)?;
        let mut socket = udp::Socket::new(received, sent);
        socket.bind(port).map_err(|_| NetError::Failed)?;
        let handle = self.table.sockets.add(socket);
        let entry = Entry::new(handle, port, &limits);
        match self.udp.entries.get_mut(free) {
            Some(place) => *place = Some(entry),
            None => self.udp.entries.push(Some(entry)), // within its capacity
        }
        Ok(BoundSocket::new(UdpId(free as u32), port))
    }

    fn bind_to(
        &mut self,
        interface: Interface,
        port: u16,
        port_use: PortUse,
    ) -> Result<BoundSocket, NetError> {
        if interface != self.interface_kind {
            return Err(NetError::Failed);
        }
        self.bind(port, port_use)
    }

    fn close(&mut self, socket: UdpId) {
        let Some(handle) = self.udp.get(socket).map(|entry| entry.handle) else { return };
        if self.table.sockets.get::<udp::Socket>(handle).send_queue() > 0 {
            // What was sent last leaves before: it may be that others need not wait for more.
            self.send_frames();
        }
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
        let Entry { handle, bytes: longest, .. } =
            *self.udp.get(socket).ok_or(SendError::Unreachable)?;
        if peer.interface != self.interface_kind || self.address().is_none() {
            return Err(SendError::Unreachable);
        }
        if bytes.len() > self.max_payload().min(longest) {
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
