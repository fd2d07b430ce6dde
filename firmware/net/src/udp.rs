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

    /// Closes a socket, and leaves the groups it has joined. No event follows.
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
