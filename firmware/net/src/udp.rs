//! Datagrams.

use core::net::Ipv4Addr;

use crate::{Interface, NetError, Peer, SendError, UdpId};

/// Whether a port may be bound by others as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortUse {
    /// Only by this socket.
    Exclusive,
    /// Other programs of this computer may share it, as those do that take part in multicast DNS.
    Shared,
}

/// A socket that was bound, and the port it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoundSocket {
    /// The socket.
    pub id: UdpId,
    /// Its port.
    pub port: u16,
}

impl BoundSocket {
    /// What [`Udp::bind`] returns.
    pub const fn new(id: UdpId, port: u16) -> BoundSocket {
        BoundSocket { id, port }
    }
}

/// Bytes of payload that every stack can send and receive in a datagram; some can more.
pub const GUARANTEED_PAYLOAD: usize = 512;

/// UDP. Nothing blocks, and nothing is certain to arrive.
pub trait Udp {
    /// Binds a socket to a port of every interface; port 0 lets the stack choose.
    ///
    /// # Errors
    /// [`NetError`] when the port cannot be had, or all sockets are in use.
    fn bind(&mut self, port: u16, port_use: PortUse) -> Result<BoundSocket, NetError>;

    /// Binds a socket to a port of one interface, for a service that is for that network alone:
    /// nothing that comes through another one is received, and nothing is sent there. The same port
    /// of another interface may be another program's. Port 0 lets the stack choose.
    ///
    /// # Errors
    /// As [`Udp::bind`]; [`NetError::Failed`] of a stack that has no such interface.
    fn bind_to(
        &mut self,
        interface: Interface,
        port: u16,
        port_use: PortUse,
    ) -> Result<BoundSocket, NetError>;

    /// Binds a socket to a port of every interface for datagrams of `payload` bytes at most: a
    /// stack with little memory takes no more than those need, and drops what is longer.
    ///
    /// # Errors
    /// As [`Udp::bind`].
    fn bind_for(
        &mut self,
        payload: usize,
        port: u16,
        port_use: PortUse,
    ) -> Result<BoundSocket, NetError> {
        let _ = payload;
        self.bind(port, port_use)
    }

    /// Closes a socket, and leaves the groups it has joined. What was sent before leaves, so far as
    /// it can at once. No event follows.
    fn close(&mut self, socket: UdpId);

    /// Sends a datagram through the peer's interface.
    ///
    /// # Errors
    /// [`SendError`] when it was not sent.
    fn send_to(&mut self, socket: UdpId, bytes: &[u8], peer: Peer) -> Result<(), SendError>;

    /// Shows the next datagram in place, and who sent it; false if there is none. A datagram that
    /// is longer than the stack can receive, or that found the socket's queue full, was dropped as
    /// a whole.
    fn recv_from(&mut self, socket: UdpId, show: &mut dyn FnMut(&[u8], Peer)) -> bool;

    /// Receives what is sent to a multicast group in an interface's network and to the socket's
    /// port.
    ///
    /// # Errors
    /// [`NetError::Full`] when no more groups can be joined; [`NetError::Failed`] for what is no
    /// group.
    fn join(
        &mut self,
        socket: UdpId,
        group: Ipv4Addr,
        interface: Interface,
    ) -> Result<(), NetError>;
}
